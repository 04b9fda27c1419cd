//! What frames a trading day: definitions, gaps, settlements, logins and the roll from one day to the next.

use super::index::mix;
use super::position::Position;
use super::venue_books::VenueBook;
use super::{Applied, Cell, Ignored, Ledger};
use crate::event::{DayRoll, InstrumentDef, Login, RunStart, Settlement};
use crate::instrument::InstrumentId;
use crate::seeded::{self, Bug};
use crate::units::{Money, Nanos};

/// Distances that a start may take: a process that is lost with its host has sent few orders beside them, and a home's
/// starts do not use up twelve digits.
const DISTANCES: u64 = 10_000_000;

impl Ledger {
    /// A new process. One that follows a host crash may have lost its last orders with the journal's end, or a whole
    /// short life, and a counter that restarted meanwhile names them otherwise. So each begins at a distance of its own
    /// from the last number that it knows: none is likely to be given twice, whatever the clock says. So it does after
    /// an orderly end, too: what followed that may be what is lost.
    pub(super) fn on_start(&mut self, start: &RunStart, taken_ns: Nanos) -> Applied {
        self.positions.iter_mut().for_each(Position::start);
        if !seeded::on(Bug::NoRoomForLostNumbers) {
            let distance = mix(&[start.run_id, taken_ns.get()]) % DISTANCES;
            self.account.see_ref(self.account.next_ref.saturating_add(distance));
        }
        Applied::Nothing
    }

    /// Definitions of later days are told again when their day begins; only a contract new to the table is taken early.
    pub(super) fn on_definition(&mut self, def: &InstrumentDef) -> Applied {
        let today = self.account.day.max(self.account.login.trading_day);
        let known = self.instruments.get(def.instrument).is_some();
        if known && !today.is_absent() && def.effective_day > today {
            return Applied::Nothing;
        }
        let (Ok(instrument), Some(exchange)) = (self.instruments.define(def), def.exchange()) else {
            return Applied::Ignored(Ignored::Invalid);
        };
        if !known {
            self.positions.push(Position::new(def, exchange));
            self.venue.push(VenueBook::UNTOLD);
            self.orders.add_contract();
            self.cells.resize(self.positions.len() * self.strategies, Cell::default());
        }
        self.with_position(instrument, |position| position.define(def, today));
        Applied::Nothing
    }

    pub(super) fn on_gap(&mut self, instrument: InstrumentId, open: bool) -> Applied {
        if instrument != InstrumentId::NONE {
            return self.on_instrument(instrument, |position| position.in_gap = open);
        }
        for position in &mut self.positions {
            position.in_gap = open;
        }
        Applied::Nothing
    }

    pub(super) fn on_settlement(&mut self, settlement: &Settlement) -> Applied {
        let day = self.account.day;
        let of_today = self.account.is_today(settlement.trading_day);
        if settlement.settlement.is_absent() {
            return Applied::Ignored(Ignored::Invalid);
        }
        if !of_today && settlement.next_day != day {
            return Applied::Ignored(Ignored::OtherDay);
        }
        self.on_instrument(settlement.instrument, |position| position.settle(settlement.settlement, of_today))
    }

    pub(super) fn on_login(&mut self, login: &Login) -> Applied {
        self.account.login = *login;
        self.account.logged_in = true;
        self.account.see_ref(login.max_order_ref);
        if !seeded::on(Bug::OldAbsenceCounts) {
            self.orders.forget_absences();
        }
        if seeded::on(Bug::NumberReused) {
            self.account.next_ref = login.max_order_ref.saturating_add(1);
        }
        Applied::Login
    }

    /// Today becomes yesterday. A roll to a day that is not later is a repeat; the first
    /// of a home ends nothing.
    pub(super) fn on_roll(&mut self, roll: &DayRoll) -> Applied {
        if roll.to <= self.account.day {
            return Applied::Nothing;
        }
        if self.account.day.is_absent() {
            self.account.day = roll.to;
            return Applied::DayRoll;
        }
        let mut balance = self.account.pre_balance;
        balance = balance.plus(self.account.base_close_profit).minus(self.account.base_commission);
        for position in &mut self.positions {
            let before = position.worth;
            balance = balance.plus(position.roll());
            self.totals.replace(&before, &position.worth);
        }
        for cell in &mut self.cells {
            (cell.buys, cell.sells) = (0, 0);
        }
        self.orders.clear();
        self.fills.clear();
        self.details.clear();
        self.venue_funds = None;
        let account = &mut self.account;
        (account.base_close_profit, account.base_commission) = (Money::ZERO, Money::ZERO);
        (account.pre_balance, account.day, account.complete) = (balance, roll.to, 0);
        (account.takes_over, account.doubt) = (account.adopted && !seeded::on(Bug::RollTakesNothingOver), 0);
        Applied::DayRoll
    }
}
