//! The venue's own statement of positions and funds, kept beside ours: taken over at a home's first login and after each
//! day roll, because nobody tells the trades of an earlier day again; compared with every later answer.

use super::account::Account;
use super::index::mix;
use super::position::Position;
use super::{Applied, Ignored, Ledger, MAX_LOTS};
use crate::codes::Side;
use crate::event::{Difference, FundsReport, PositionReport, ResyncEnd};
use crate::instrument::InstrumentId;
use crate::seeded::{self, Bug};
use crate::units::{Lots, Money, Text};
use bytemuck::{Pod, Zeroable};

const PRE_BALANCE: &str = "pre balance";

/// What the venue said last of a contract, per side, and in which restatement.
#[derive(Clone, Copy, PartialEq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct VenueBook {
    long: PositionReport,
    short: PositionReport,
    long_told: u32,
    short_told: u32,
}

impl VenueBook {
    pub(super) const UNTOLD: Self = Self {
        long: PositionReport {
            instrument: InstrumentId::NONE,
            trading_day: crate::units::TradingDay::ABSENT,
            today: Lots::ZERO,
            yesterday: Lots::ZERO,
            frozen: Lots::ZERO,
            mark: crate::units::Price::ABSENT,
            side: Side::Buy.code(),
            reserved: [0; 39],
        },
        short: PositionReport {
            instrument: InstrumentId::NONE,
            trading_day: crate::units::TradingDay::ABSENT,
            today: Lots::ZERO,
            yesterday: Lots::ZERO,
            frozen: Lots::ZERO,
            mark: crate::units::Price::ABSENT,
            side: Side::Sell.code(),
            reserved: [0; 39],
        },
        long_told: 0,
        short_told: 0,
    };

    pub(super) fn tell(&mut self, report: &PositionReport, side: Side, restatement: u32) {
        match side {
            Side::Buy => (self.long, self.long_told) = (*report, restatement),
            Side::Sell => (self.short, self.short_told) = (*report, restatement),
        }
    }

    /// The line of a side in a restatement; `None` when it had none, which says that nothing is held.
    fn line(&self, side: Side, restatement: u32) -> Option<&PositionReport> {
        let (line, told) = match side {
            Side::Buy => (&self.long, self.long_told),
            Side::Sell => (&self.short, self.short_told),
        };
        (told == restatement).then_some(line)
    }
}

/// The venue's funds answer and the restatement it belongs to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct VenueFunds {
    pub(super) report: FundsReport,
    pub(super) told: u32,
}

impl Ledger {
    pub(super) fn on_position_report(&mut self, report: &PositionReport) -> Applied {
        if !self.account.is_today(report.trading_day) {
            return Applied::Ignored(Ignored::OtherDay);
        }
        let sane = |lots: Lots| (0..=MAX_LOTS).contains(&lots.get());
        match (Side::of(report.side), self.venue.get_mut(report.instrument.index())) {
            (_, None) => Applied::Ignored(Ignored::UnknownInstrument),
            (Some(side), Some(book)) if sane(report.today) && sane(report.yesterday) => {
                book.tell(report, side, self.account.restatement);
                Applied::Nothing
            }
            _ => Applied::Ignored(Ignored::Invalid),
        }
    }

    pub(super) fn on_funds_report(&mut self, report: &FundsReport) -> Applied {
        if !self.account.is_today(report.trading_day) {
            return Applied::Ignored(Ignored::OtherDay);
        }
        self.venue_funds = Some(VenueFunds { report: *report, told: self.account.restatement });
        Applied::Nothing
    }

    /// The answers are complete. A home's first become ours; after a day roll those do that agree on what differs with
    /// the answer before, so that a trade which crossed one of them is not counted twice. The end of another session's
    /// answers is none of ours.
    pub(super) fn on_resync_end(&mut self, end: &ResyncEnd) -> Applied {
        let Account { restatement, asked, login, logged_in, .. } = self.account;
        let any = seeded::on(Bug::OldAnswersTaken);
        if !end.request.is_absent() && end.request != asked && !any {
            // What was told so far is older than the question: an order that it lacks may have been sent since.
            self.account.restatement = restatement.saturating_add(1);
            return Applied::Ignored(Ignored::Outdated);
        }
        if restatement == 0 || (logged_in && end.session_id != login.session_id && !any) {
            return Applied::Ignored(Ignored::Unmatched);
        }
        if !self.account.is_today(end.trading_day) {
            return Applied::Ignored(Ignored::OtherDay);
        }
        self.account.complete = restatement;
        self.taken_over.clear();
        self.count_absent(restatement);
        let funds = self.venue_funds.filter(|funds| funds.told == restatement).map(|funds| funds.report);
        let first = !std::mem::replace(&mut self.account.adopted, true);
        let adopts = first || self.account.takes_over && self.is_sure_of_lots(restatement);
        if adopts {
            if !first {
                self.note_taken_over();
            }
            self.account.takes_over = false;
            self.adopt_positions(restatement);
            if let Some(funds) = funds {
                let ours = self.funds();
                self.account.base_close_profit = present_or_zero(funds.close_profit.minus(ours.close_profit));
                // What our fills do not explain; a guess of their fees explains nothing.
                if !self.positions.iter().any(Position::guesses_fees) {
                    self.account.base_commission = present_or_zero(funds.commission.minus(ours.commission));
                }
            }
        }
        let ours = self.account.pre_balance;
        if let Some(funds) = funds.filter(|funds| ours.is_absent() || adopts && funds.pre_balance.is_present()) {
            self.account.pre_balance = funds.pre_balance;
        }
        self.take_marks(restatement);
        Applied::Restated { adopted: adopts }
    }

    /// Whether the lots of this answer agree with ours, or differ from them as those of the answer before did.
    fn is_sure_of_lots(&mut self, restatement: u32) -> bool {
        let doubt = self.lots_in_doubt(restatement);
        let before = std::mem::replace(&mut self.account.doubt, doubt);
        doubt == 0 || doubt == before
    }

    /// By how much our lots and the venue's differ, as a number that other differences do not have; zero: by none.
    fn lots_in_doubt(&self, restatement: u32) -> u64 {
        let mut doubt = 0;
        for (id, (position, book)) in self.positions.iter().zip(&self.venue).enumerate() {
            for side in [Side::Buy, Side::Sell] {
                let (today, yesterday) = position.held(side);
                let line = book.line(side, restatement).unwrap_or(&VenueBook::UNTOLD.long);
                let by = (line.today.get() - today.get(), line.yesterday.get() - yesterday.get());
                if by != (0, 0) {
                    let place = (id as u64) << 1 | u64::from(side == Side::Sell);
                    doubt = mix(&[doubt, place, by.0 as u64, by.1 as u64]).max(1);
                }
            }
        }
        doubt
    }

    /// Whether the day has rolled and the venue's books are still to be taken over: ours may lack trades of the day before.
    #[inline]
    pub fn is_taking_over(&self) -> bool {
        self.account.takes_over
    }

    /// Keeps what the venue says otherwise of lots and of the balance at the day's start, before it is taken over.
    fn note_taken_over(&mut self) {
        let mut taken_over = std::mem::take(&mut self.taken_over);
        self.differences(|difference| {
            let of_lots = difference.instrument != InstrumentId::NONE && difference.order_ref == 0;
            if of_lots || difference.field.as_bytes() == PRE_BALANCE.as_bytes() {
                taken_over.push(difference);
            }
        });
        self.taken_over = taken_over;
    }

    /// Where our books were not the venue's when the latest complete answer was taken over: our numbers of before, and
    /// its numbers, which are ours now. Nothing at a home's first login, and where the answer was only compared.
    pub fn taken_over(&self) -> &[Difference] {
        &self.taken_over
    }

    /// Live orders that the complete answer did not name count one absence more.
    fn count_absent(&mut self, restatement: u32) {
        for row in 0..self.orders.rows().len() as u32 {
            let index = super::OrderIndex(row);
            let absent = |order: &super::Order| order.is_live() && order.told < restatement;
            if self.orders.get(index).is_some_and(absent) {
                self.orders
                    .change(index, |order| order.absent_restatements = order.absent_restatements.saturating_add(1));
            }
        }
    }

    /// Lots of earlier days in a contract that was not settled here stand at the venue's mark, as its answer gives it
    /// before today's lots change it.
    fn take_marks(&mut self, restatement: u32) {
        for id in 0..self.positions.len() as u32 {
            let instrument = InstrumentId::new(id);
            let unmarked = self.position(instrument).is_some_and(|position| position.pre_settlement().is_absent());
            let Some(book) = self.venue.get(instrument.index()).copied().filter(|_| unmarked) else { continue };
            let lines = [Side::Buy, Side::Sell].into_iter().filter_map(|side| book.line(side, restatement));
            let carried = |line: &&PositionReport| line.yesterday > Lots::ZERO && line.today == Lots::ZERO;
            if let Some(mark) = lines.filter(carried).find_map(|line| line.mark.some()) {
                self.with_position(instrument, |position| position.settle(mark, false));
            }
        }
    }

    fn adopt_positions(&mut self, restatement: u32) {
        for id in 0..self.positions.len() as u32 {
            let instrument = InstrumentId::new(id);
            let Some(book) = self.venue.get(instrument.index()).copied() else { continue };
            let before = self.net(instrument);
            self.with_details(instrument, |position, details| {
                for side in [Side::Buy, Side::Sell] {
                    let line = book.line(side, restatement).unwrap_or(&VenueBook::UNTOLD.long);
                    position.adopt(side, line.today.get(), line.yesterday.get(), line.mark, details);
                }
            });
            let after = self.net(instrument);
            if let Some(cell) = self.cell_mut(0, instrument) {
                cell.net += after - before;
            }
        }
    }

    fn net(&self, instrument: InstrumentId) -> i64 {
        self.position(instrument).map_or(0, |position| position.net().get())
    }

    /// Where the venue's books differ from ours as of the last complete restatement: call it when [`ResyncEnd`] has
    /// just been applied. A fill that crosses the answers shows for a moment, so a difference counts when two
    /// restatements show it. Position profit, frozen and available depend on the moment and are not compared.
    pub fn differences(&self, mut found: impl FnMut(Difference)) {
        let complete = self.account.complete;
        if complete == 0 {
            return;
        }
        let difference = |instrument, order_ref, field: &str, ours: i64, venue: i64| Difference {
            instrument,
            trading_day: self.account.day,
            ours,
            venue,
            field: Text::new(field.as_bytes()).unwrap_or_default(),
            order_ref,
            ..Difference::default()
        };
        let mut compare = |instrument, order_ref, field, ours: i64, venue: i64| {
            if ours != venue {
                found(difference(instrument, order_ref, field, ours, venue));
            }
        };
        for (id, (position, book)) in self.positions.iter().zip(&self.venue).enumerate() {
            let instrument = InstrumentId::new(id as u32);
            for (side, today_field, yesterday_field) in
                [(Side::Buy, "long today", "long yesterday"), (Side::Sell, "short today", "short yesterday")]
            {
                let (today, yesterday) = position.held(side);
                let line = book.line(side, complete).unwrap_or(&VenueBook::UNTOLD.long);
                compare(instrument, 0, today_field, today.get(), line.today.get());
                compare(instrument, 0, yesterday_field, yesterday.get(), line.yesterday.get());
            }
        }
        for order in self.orders.rows() {
            if order.state == crate::codes::OrderState::EndedShort {
                let (ours, venue) = (order.filled.get(), order.venue_traded.get());
                compare(order.instrument, order.order_ref, "traded", ours, venue);
            }
        }
        let Some(VenueFunds { report, .. }) = self.venue_funds.filter(|funds| funds.told == complete) else { return };
        let ours = self.funds();
        for (field, ours, venue) in [
            (PRE_BALANCE, ours.pre_balance, report.pre_balance),
            ("close profit", ours.close_profit, report.close_profit),
            ("commission", ours.commission, report.commission),
            ("margin", ours.margin, report.margin),
        ] {
            if ours.is_present() && venue.is_present() {
                compare(InstrumentId::NONE, 0, field, saturated(ours), saturated(venue));
            }
        }
    }
}

fn present_or_zero(money: Money) -> Money {
    money.some().unwrap_or(Money::ZERO)
}

fn saturated(money: Money) -> i64 {
    money.raw().clamp(i64::MIN as i128 + 1, i64::MAX as i128) as i64
}
