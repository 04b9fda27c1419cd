//! The books: one fold of facts into orders, positions and money. The order stage gates every order by them on its own
//! thread; tools fold an order journal into the same books. [`Ledger::apply`] takes each event of the order journal,
//! inputs and outputs alike, in journal order; it decides nothing, keeps no clock and never fails: what cannot be
//! booked is counted and says so. Within the capacities given it allocates nothing, and every lookup is O(1).
//!
//! # Orders
//! What is known of an order only grows, and its state follows from it ([`Order`]). Reports are found by the session's
//! key (front, session, number), then by the exchange's number, then by the terms of an order without one that a counter's
//! clean restart renamed; fills carry no session, so they are found by the
//! exchange's number, then by our number. What fits no order of ours is a *wild* order, adopted from a report or a
//! fill, and counts in every limit. An order that the venue ended before all its fills were told is
//! [`OrderState::EndedShort`](crate::codes::OrderState::EndedShort), and the fills owed count as live. Fills are named
//! by (trading day, exchange, trade number, side), so a replayed day changes nothing. The day roll ends the day's orders.
//!
//! # Positions and money, by date
//! Money is exact in units of 1e-8; a ratio is applied by [`Money::times_rate`](crate::units::Money::times_rate), which
//! rounds half away from zero. Per contract and side:
//! - **today's lots** are CTP's position details: a queue of (opening price, lots), fills at the price of the last one
//!   joining it. A close takes them first in, first out; close price less opening price, times lots, is close profit,
//!   so no average is formed and nothing is rounded;
//! - **lots of earlier days** all stand at the previous settlement price, and so does their close profit;
//! - a close takes today's lots or earlier ones as its offset says at SHFE and INE (plain close: earlier), elsewhere
//!   earlier ones first;
//! - **commission** of a fill: ratio of its value, plus an amount per lot; each portion (opened, closed of today, closed
//!   of earlier days) at its own rate and rounded by itself;
//! - **margin** of a side: ratio of (earlier lots at the previous settlement + today's at their opening prices),
//!   rounded once, plus an amount per lot; both sides count in full;
//! - **frozen**, per side of the market over its live opening orders: ratio of the sum of price × remaining lots, plus
//!   an amount per lot, for margin and again for the opening fee. A market order binds at the day's upper limit;
//! - **position profit** is marked at the day's settlement, else the last price of the day, else the previous
//!   settlement;
//! - an **option's** premium changes hands at once: what fills pay and receive is close profit, and lots held have no
//!   result. A bought one binds no margin, a buy order its premium; a written one binds a fixed amount per lot and the
//!   premium, at the greater of the previous settlement and the mark, and at least another amount;
//! - equity = pre balance + close profit + position profit - commission; available = equity - margin - frozen.
//!
//! After a day roll the venue's lots and balance are taken over: nobody tells the trades of an earlier day again, and
//! deposits are known to the venue alone. Where lots differ, two complete answers in a row must show it, because a trade
//! may cross one. Later answers are compared.
//!
//! A close told before its open makes a queue of negative lots, which the open then meets in the same order. Positions
//! adopted from the venue come without details: today's lots are one detail at the venue's mark.
//!
//! What cannot be computed is absent. At the day roll today's lots join the earlier ones at the settlement price and the
//! results move into the balance, which turns absent when a held contract was not settled, until the venue's funds are
//! taken over.
//!
//! *Example:* multiplier 10, fee 2 a lot, margin a tenth, previous settlement 100, 3 long lots of earlier days at DCE.
//! Buy 2 at 103 and 2 at 104: the details are (103, 2) and (104, 2). Sell to close 6 at 106: the 3 earlier lots go first,
//! (106 - 100) × 3 × 10 = 180; then both lots at 103, (106 - 103) × 2 × 10 = 60; then one at 104, (106 - 104) × 10 = 20.
//! Close profit is 260 and commission (4 + 6) × 2 = 20. The detail (104, 1) is left: with the last price at 105, position
//! profit is (105 - 104) × 10 = 10, and margin a tenth of 104 × 10 = 104. (At the average price of 103.5, close profit
//! would be 255 and position profit 15.)
#![deny(clippy::float_arithmetic)]

mod account;
mod day;
mod details;
mod fills;
mod index;
mod order;
mod orders;
mod position;
mod reports;
mod side;
mod snapshot;
mod venue_books;

#[cfg(test)]
mod tests;

pub use account::Funds;
pub use order::Order;
pub use orders::OrderIndex;
pub use position::Position;
pub use snapshot::RestoreError;

use crate::codes::Side;
use crate::event::{DayRoll, Difference, Event, Header, Login, Quote, flags};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::{Lots, Nanos, Price, TradingDay};
use account::{Account, Totals};
use bytemuck::{CheckedBitPattern, NoUninit};
use details::Details;
use fills::Fills;
use orders::Orders;
use venue_books::{VenueBook, VenueFunds};

/// Room made at construction. More is taken when it must be (no fact is dropped), at the cost of an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capacity {
    /// Contracts.
    pub instruments: usize,
    /// Orders of one trading day; four times as many fills.
    pub orders: usize,
    /// Greatest strategy number; strategies beyond it share one account.
    pub strategies: usize,
}

/// What a fact changed, for whoever must tell others of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// Nothing that needs telling: the market, rates, phases, outputs that follow from other facts, repeats of requests.
    Nothing,
    /// The fact was not booked.
    Ignored(Ignored),
    /// A request, a report or a decision named this order; `changed` when its state, lots or error are not as before.
    Order {
        /// The order.
        order: OrderIndex,
        /// Whether anything differs.
        changed: bool,
    },
    /// A report told of an order that we did not send; it is in the books now.
    WildOrder {
        /// The order.
        order: OrderIndex,
    },
    /// A new fill of our order.
    NewFill {
        /// The order.
        order: OrderIndex,
        /// Whose it is.
        strategy: u32,
    },
    /// A new fill of no order of ours.
    WildFill {
        /// The wild order; `None` when the fill names none.
        order: Option<OrderIndex>,
        /// Whether the fill is the first word of that order.
        adopted: bool,
    },
    /// A fill that is booked already.
    DuplicateFill,
    /// A login; [`Ledger::roll_due`] says whether the day must roll.
    Login,
    /// The trading day changed; every [`OrderIndex`] of the day before is void.
    DayRoll,
    /// The venue's restatement is complete: [`Ledger::differences`] may be asked.
    Restated {
        /// Whether its books became ours, as at a home's first login and after each day roll; [`Ledger::taken_over`]
        /// says what that changed.
        adopted: bool,
    },
}

/// Why a fact was not booked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ignored {
    /// It belongs to another trading day than the books.
    OtherDay,
    /// The instrument was not defined; told again after its definition it will be booked.
    UnknownInstrument,
    /// A code, a price or a number of lots makes no sense.
    Invalid,
    /// It names no order that is known, and cannot found one.
    Unmatched,
    /// It ends the answer to an earlier question than the last.
    Outdated,
}

/// Lots and working orders of one strategy in one contract.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
struct Cell {
    net: i64,
    buys: i64,
    sells: i64,
}

/// What a strategy holds and has working in a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StrategyPosition {
    /// Net lots of its fills, over all days, long positive. Strategy zero has what belongs to none: wild fills and
    /// what was taken over from the venue; so the strategies' lots add up to the account's.
    pub net: Lots,
    /// Lots of its live buys.
    pub working_buys: Lots,
    /// Lots of its live sells.
    pub working_sells: Lots,
}

/// Greater numbers of lots in one fact are noise.
const MAX_LOTS: i64 = 1_000_000_000;

/// The books of one account.
#[derive(Clone, Debug)]
pub struct Ledger {
    instruments: Instruments,
    positions: Vec<Position>,
    details: Details,
    venue: Vec<VenueBook>,
    venue_funds: Option<VenueFunds>,
    cells: Vec<Cell>,
    /// Strategy rows per contract: zero to the greatest number, and one for those beyond.
    strategies: usize,
    orders: Orders,
    fills: Fills,
    totals: Totals,
    account: Account,
    /// What the latest complete answer changed, if it was taken over; part of no state.
    taken_over: Vec<Difference>,
}

impl Ledger {
    /// Empty books with room for what is given.
    pub fn new(capacity: Capacity) -> Self {
        let Capacity { instruments, orders, strategies } = capacity;
        let strategies = strategies.saturating_add(2);
        Self {
            instruments: Instruments::with_capacity(instruments),
            positions: Vec::with_capacity(instruments),
            // A fill adds one at most, and so does adopting a side.
            details: Details::with_capacity(orders.saturating_mul(4).saturating_add(instruments.saturating_mul(2))),
            venue: Vec::with_capacity(instruments),
            venue_funds: None,
            cells: Vec::with_capacity(instruments.saturating_mul(strategies)),
            strategies,
            orders: Orders::with_capacity(orders, instruments),
            fills: Fills::with_capacity(orders.saturating_mul(4)),
            totals: Totals::default(),
            account: Account::NEW,
            // Both dates of both sides of a contract, and the balance.
            taken_over: Vec::with_capacity(instruments.saturating_mul(4).saturating_add(1)),
        }
    }

    /// Folds one event of the order journal.
    #[inline]
    pub fn apply(&mut self, header: &Header, event: Event<'_>) -> Applied {
        let applied = match event {
            Event::Quote(quote) => self.on_quote(header, quote),
            _ => self.on_other(header, event),
        };
        self.account.ignored += matches!(applied, Applied::Ignored(_)) as u64;
        applied
    }

    /// Folds what is no quote.
    fn on_other(&mut self, header: &Header, event: Event<'_>) -> Applied {
        let taken_ns = header.taken_ns;
        match event {
            Event::OrderReport(report) => self.on_report(report, taken_ns),
            Event::Fill(fill) => self.on_fill(fill, taken_ns),
            Event::OrderRequest(request) => self.on_request(request, header),
            Event::OrderUpdate(update) => self.on_decided(update, header),
            Event::Phase(phase) => self.on_instrument(phase.instrument, |p| p.set_phase(phase)),
            Event::Rates(rates) => self.on_instrument(rates.instrument, |p| p.set_rates(rates)),
            Event::Gap(gap) => self.on_gap(gap.instrument, gap.end_ns.is_absent()),
            Event::InstrumentDef(def) => self.on_definition(def),
            Event::Settlement(settlement) => self.on_settlement(settlement),
            Event::Login(login) => self.on_login(login),
            Event::DayRoll(roll) => self.on_roll(roll),
            Event::PositionReport(report) => self.on_position_report(report),
            Event::FundsReport(report) => self.on_funds_report(report),
            Event::ResyncEnd(end) => self.on_resync_end(end),
            Event::RunStart(start) => self.on_start(start, taken_ns),
            _ => Applied::Nothing,
        }
    }

    // ---- what is in the books -------------------------------------------------------------------------------------

    /// The contracts.
    #[inline]
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }
    /// The book of a contract; `None` before its definition.
    #[inline]
    pub fn position(&self, instrument: InstrumentId) -> Option<&Position> {
        self.positions.get(instrument.index())
    }
    /// Every contract's book, by id.
    pub fn positions(&self) -> impl Iterator<Item = (InstrumentId, &Position)> {
        self.positions.iter().enumerate().map(|(id, position)| (InstrumentId::new(id as u32), position))
    }
    /// Today's lots of a side of a contract one by one, as they will be closed: opening price and lots, first opened
    /// first. The price is absent for lots adopted without one; lots are negative while the opening fill of a close is
    /// still to be told.
    pub fn details(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = (Price, Lots)> {
        let holding = self.position(instrument).map(|position| position.holding(side));
        let details = holding.into_iter().flat_map(|holding| holding.details(&self.details));
        details.map(|detail| (detail.price, Lots::new(detail.lots)))
    }
    /// What a strategy holds and has working in a contract.
    #[inline]
    pub fn strategy_position(&self, strategy: u32, instrument: InstrumentId) -> StrategyPosition {
        let cell = self.cell_at(strategy, instrument).and_then(|at| self.cells.get(at)).copied().unwrap_or_default();
        StrategyPosition {
            net: Lots::new(cell.net),
            working_buys: Lots::new(cell.buys),
            working_sells: Lots::new(cell.sells),
        }
    }
    /// An order of the trading day.
    #[inline]
    pub fn order(&self, index: OrderIndex) -> Option<&Order> {
        self.orders.get(index)
    }
    /// Our order of this number, this trading day.
    #[inline]
    pub fn order_by_ref(&self, order_ref: u64) -> Option<OrderIndex> {
        self.orders.ours(order_ref)
    }
    /// The orders of the trading day, ended ones too, in the order they became known.
    pub fn orders(&self) -> impl Iterator<Item = (OrderIndex, &Order)> {
        self.orders.rows().iter().enumerate().map(|(row, order)| (OrderIndex(row as u32), order))
    }
    /// The live orders, in the order they became live.
    pub fn live_orders(&self) -> impl Iterator<Item = (OrderIndex, &Order)> {
        self.orders.all_live()
    }
    /// The live orders of a contract, in the order they became live.
    pub fn live_orders_of(&self, instrument: InstrumentId) -> impl Iterator<Item = (OrderIndex, &Order)> {
        self.orders.live_of(instrument)
    }
    /// How many orders are live.
    #[inline]
    pub fn live_count(&self) -> usize {
        self.orders.live()
    }
    /// How many orders the trading day has.
    #[inline]
    pub fn order_count(&self) -> usize {
        self.orders.rows().len()
    }
    /// Whether one more order fits the capacity.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.orders.has_room()
    }
    /// Fills booked, over all days.
    #[inline]
    pub fn fill_count(&self) -> u64 {
        self.account.fills
    }
    /// Fills booked on this trading day.
    #[inline]
    pub fn fills_today(&self) -> usize {
        self.fills.keys().len()
    }
    /// Facts that could not be booked, over all days.
    #[inline]
    pub fn ignored_count(&self) -> u64 {
        self.account.ignored
    }
    /// The account's money now. O(1).
    #[inline]
    pub fn funds(&self) -> Funds {
        self.totals.funds(&self.account)
    }
    /// The trading day of the books; absent before the first roll.
    #[inline]
    pub fn trading_day(&self) -> TradingDay {
        self.account.day
    }
    /// The latest login.
    #[inline]
    pub fn login(&self) -> Option<&Login> {
        self.account.logged_in.then_some(&self.account.login)
    }
    /// The number of our next order: above every number seen.
    #[inline]
    pub fn next_ref(&self) -> u64 {
        self.account.next_ref
    }
    /// The day roll that the latest login asks for, when the books are still at an earlier day.
    pub fn roll_due(&self) -> Option<DayRoll> {
        let to = self.login()?.trading_day;
        (to > self.account.day).then(|| DayRoll { from: self.account.day, to, ..DayRoll::default() })
    }
    /// How many restatements were asked for ([`RequestKind::Resync`](crate::codes::RequestKind::Resync)).
    #[inline]
    pub fn restatement(&self) -> u32 {
        self.account.restatement
    }
    /// Whether the latest restatement asked for is complete.
    #[inline]
    pub fn is_restated(&self) -> bool {
        self.account.restatement != 0 && self.account.complete == self.account.restatement
    }

    // ---- facts ----------------------------------------------------------------------------------------------------

    /// Changes a contract's book and carries its worth into the account's sums.
    #[inline]
    fn with_position(&mut self, instrument: InstrumentId, change: impl FnOnce(&mut Position)) -> bool {
        self.with_details(instrument, |position, _| change(position))
    }

    /// The same, where today's lots change.
    #[inline]
    fn with_details(&mut self, instrument: InstrumentId, change: impl FnOnce(&mut Position, &mut Details)) -> bool {
        match self.positions.get_mut(instrument.index()) {
            Some(position) => {
                let before = position.worth;
                change(position, &mut self.details);
                self.totals.replace(&before, &position.worth);
                true
            }
            None => false,
        }
    }

    /// Most events are quotes, and most quotes move no money: only then are the account's sums touched.
    #[inline]
    fn on_quote(&mut self, header: &Header, quote: &Quote) -> Applied {
        let Some(position) = self.positions.get_mut(quote.instrument.index()) else {
            return Applied::Ignored(Ignored::UnknownInstrument);
        };
        // What is told of the past says what was, not what is.
        let taken_ns = if header.has(flags::CATCHUP) { Nanos::ABSENT } else { header.taken_ns };
        if position.set_quote(quote, taken_ns) {
            let before = position.worth;
            position.value_position();
            self.totals.replace(&before, &position.worth);
        }
        Applied::Nothing
    }

    #[inline]
    fn on_instrument(&mut self, instrument: InstrumentId, change: impl FnOnce(&mut Position)) -> Applied {
        match self.with_position(instrument, change) {
            true => Applied::Nothing,
            false => Applied::Ignored(Ignored::UnknownInstrument),
        }
    }

    fn cell_at(&self, strategy: u32, instrument: InstrumentId) -> Option<usize> {
        let row = (strategy as usize).min(self.strategies - 1);
        instrument.index().checked_mul(self.strategies)?.checked_add(row)
    }

    fn cell_mut(&mut self, strategy: u32, instrument: InstrumentId) -> Option<&mut Cell> {
        let at = self.cell_at(strategy, instrument)?;
        self.cells.get_mut(at)
    }
}
