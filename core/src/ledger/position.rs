//! The book of one contract: its market, both sides of the position, working orders, the day's counters, and what it
//! contributes to the account's money. Kept up to date fact by fact, so that every limit reads it in O(1).

mod worth;

pub(super) use worth::Worth;

use self::worth::{OpeningCap, Traded};
use super::details::Details;
use super::order::Exposure;
use super::side::{Closing, Holding};
use crate::codes::{Exchange, Offset, PhaseKind, PhaseSource, ProductClass, Side};
use crate::event::{Fill, InstrumentDef, Phase, Quote, Rates};
use crate::seeded::{self, Bug};
use crate::units::{Lots, Money, Nanos, Price, TradingDay};
use bytemuck::{CheckedBitPattern, NoUninit, Zeroable};

/// Working orders of one side of the market.
#[derive(Clone, Copy, PartialEq, Debug, Default, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(super) struct Working {
    /// Price-lots of opening orders at the prices that bind funds.
    open_value: i128,
    open: i64,
    /// Of `open`, lots at no known price.
    open_unpriced: i64,
    closing: Closing,
}

impl Working {
    fn lots(&self) -> i64 {
        self.open + self.closing.lots()
    }

    fn add(&mut self, exposure: Exposure, sign: i64) {
        let lots = exposure.lots * sign;
        match exposure.offset {
            Offset::CloseToday => self.closing.today += lots,
            Offset::Close | Offset::CloseYesterday => self.closing.other += lots,
            Offset::Open => {
                self.open += lots;
                match exposure.price.some() {
                    Some(price) => self.open_value += price.raw() as i128 * lots as i128,
                    None => self.open_unpriced += lots,
                }
            }
        }
    }
}

/// The book of one contract.
#[derive(Clone, Copy, PartialEq, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub struct Position {
    long: Holding,
    short: Holding,
    buys: Working,
    sells: Working,
    traded: Traded,
    commission: Money,
    pub(super) worth: Worth,
    rates: Rates,
    quote: Quote,
    phase: Phase,
    quote_ns: Nanos,
    last: Price,
    pre_settlement: Price,
    settlement: Price,
    upper_limit: Price,
    multiplier: i64,
    opening_cap: OpeningCap,
    orders_sent: u32,
    cancels_sent: u32,
    exchange: Exchange,
    splits_today: bool,
    has_rates: bool,
    has_phase: bool,
    pub(super) in_gap: bool,
    is_option: bool,
    pad: [u8; 2],
}

impl Position {
    pub(super) fn new(def: &InstrumentDef, exchange: Exchange) -> Self {
        let mut position = Self {
            long: Holding::flat(Side::Buy),
            short: Holding::flat(Side::Sell),
            buys: Working::default(),
            sells: Working::default(),
            traded: Traded::default(),
            commission: Money::ZERO,
            worth: Worth::ZERO,
            rates: Rates::zeroed(),
            quote: Quote::zeroed(),
            phase: Phase::zeroed(),
            quote_ns: Nanos::ABSENT,
            last: Price::ABSENT,
            pre_settlement: Price::ABSENT,
            settlement: Price::ABSENT,
            upper_limit: Price::ABSENT,
            multiplier: def.multiplier,
            opening_cap: OpeningCap::default(),
            orders_sent: 0,
            cancels_sent: 0,
            exchange,
            splits_today: exchange.splits_today(),
            has_rates: false,
            has_phase: false,
            in_gap: false,
            is_option: def.class() == Some(ProductClass::Option),
            pad: [0; 2],
        };
        position.forget_quote();
        position
    }

    // ---- what the order stage asks --------------------------------------------------------------------------------

    /// Net lots held, long positive.
    #[inline]
    pub fn net(&self) -> Lots {
        Lots::new(self.long.lots() - self.short.lots())
    }
    /// Lots held on a side of the position ([`Side::Buy`]: long): today's and those of earlier days.
    #[inline]
    pub fn held(&self, side: Side) -> (Lots, Lots) {
        let holding = self.holding(side);
        (Lots::new(holding.today()), Lots::new(holding.yesterday()))
    }
    /// Lots held on a side of the position, of any date.
    #[inline]
    pub fn lots(&self, side: Side) -> Lots {
        Lots::new(self.holding(side).lots())
    }
    /// What today's lots of a side cost, in price-lots (raw price times lots): divide by the lots for the average. The
    /// lots one by one are [`super::Ledger::details`].
    #[inline]
    pub fn today_value(&self, side: Side) -> i128 {
        self.holding(side).today_value()
    }
    /// Lots of a side of the position bound by working closing orders: today's, those of earlier days.
    #[inline]
    pub fn frozen(&self, side: Side) -> (Lots, Lots) {
        let (today, yesterday) = self.holding(side).frozen(self.splits_today, self.working(side.opposite()).closing);
        (Lots::new(today), Lots::new(yesterday))
    }
    /// Lots that a new closing order of this side and offset may close (a sell closes the long side). Zero for an open.
    #[inline]
    pub fn closable(&self, side: Side, offset: Offset) -> Lots {
        if !offset.closes() {
            return Lots::ZERO;
        }
        self.holding(side.opposite()).closable(offset, self.splits_today, self.working(side).closing)
    }
    /// Lots of live opening orders of a side of the market.
    #[inline]
    pub fn working_open(&self, side: Side) -> Lots {
        Lots::new(self.working(side).open)
    }
    /// Lots of live orders of a side of the market, opening and closing: working, sent, cancel-pending, lost, and the
    /// fills owed by ended ones.
    #[inline]
    pub fn working_lots(&self, side: Side) -> Lots {
        Lots::new(self.working(side).lots())
    }
    /// Net lots if every live buy fills and no sell does.
    #[inline]
    pub fn worst_case_long(&self) -> Lots {
        Lots::new(self.net().get() + self.buys.lots())
    }
    /// Net lots if every live sell fills and no buy does.
    #[inline]
    pub fn worst_case_short(&self) -> Lots {
        Lots::new(self.net().get() - self.sells.lots())
    }
    /// Whether nothing is held and nothing works.
    #[inline]
    pub fn is_flat(&self) -> bool {
        self.long.lots() == 0 && self.short.lots() == 0 && self.buys.lots() == 0 && self.sells.lots() == 0
    }
    /// Insert requests sent this trading day.
    #[inline]
    pub fn orders_sent(&self) -> u32 {
        self.orders_sent
    }
    /// Cancel requests sent this trading day.
    #[inline]
    pub fn cancels_sent(&self) -> u32 {
        self.cancels_sent
    }
    /// The latest quote of the trading day; its prices are absent before the first.
    #[inline]
    pub fn quote(&self) -> &Quote {
        &self.quote
    }
    /// When the latest quote was taken; absent before the first of the trading day and of the run, and while what is told
    /// is of the past.
    #[inline]
    pub fn quote_ns(&self) -> Nanos {
        self.quote_ns
    }
    /// Whether market data of the contract has a hole that is still open.
    #[inline]
    pub fn in_gap(&self) -> bool {
        self.in_gap
    }
    /// The price that profit is marked at: the day's settlement, else the last price of the day, else the previous
    /// settlement.
    #[inline]
    pub fn mark(&self) -> Price {
        match (self.settlement.some(), self.last.some()) {
            (Some(settlement), _) => settlement,
            (None, Some(last)) => last,
            (None, None) => self.pre_settlement,
        }
    }
    /// The settlement price of the trading day before.
    #[inline]
    pub fn pre_settlement(&self) -> Price {
        self.pre_settlement
    }
    /// The phase of the session; [`PhaseKind::Shut`] before the first is told.
    #[inline]
    pub fn phase(&self) -> PhaseKind {
        if self.has_phase { self.phase.kind() } else { PhaseKind::Shut }
    }
    /// The phase as told, with its times.
    #[inline]
    pub fn phase_event(&self) -> Option<&Phase> {
        self.has_phase.then_some(&self.phase)
    }
    /// Margin and commission; `None` before they are told.
    #[inline]
    pub fn rates(&self) -> Option<&Rates> {
        self.has_rates.then_some(&self.rates)
    }
    /// Result of the lots closed this trading day; of an option the premiums received, less those paid.
    #[inline]
    pub fn close_profit(&self) -> Money {
        self.worth.close_profit
    }
    /// Result of the lots held, at [`Self::mark`]; none for an option, whose premium has changed hands.
    #[inline]
    pub fn position_profit(&self) -> Money {
        self.worth.position_profit
    }
    /// Fees of the trading day's fills.
    #[inline]
    pub fn commission(&self) -> Money {
        self.worth.commission
    }
    /// Margin of the lots held.
    #[inline]
    pub fn margin(&self) -> Money {
        self.worth.margin
    }

    /// Margin (or premium) and fee that an opening order of `lots` at `price` binds; absent when rates or price are.
    pub fn opening_cost(&self, side: Side, lots: Lots, price: Price) -> Money {
        if price.is_absent() || lots.is_absent() {
            return Money::ABSENT;
        }
        self.bound(side, lots.get(), price.raw() as i128 * lots.get() as i128)
    }

    /// What such an order binds at most, at any price up to the latest quote's upper limit: a table's look-up. Absent where
    /// [`Self::opening_cost`] must be asked.
    #[inline]
    pub fn opening_cost_most(&self, side: Side, lots: Lots) -> Money {
        self.opening_cap.of(side, lots)
    }

    #[inline]
    pub(super) fn holding(&self, side: Side) -> &Holding {
        match side {
            Side::Buy => &self.long,
            Side::Sell => &self.short,
        }
    }
    #[inline]
    fn working(&self, side: Side) -> &Working {
        match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        }
    }

    // ---- facts ----------------------------------------------------------------------------------------------------

    pub(super) fn define(&mut self, def: &InstrumentDef, day: TradingDay) {
        self.multiplier = def.multiplier;
        self.is_option = def.class() == Some(ProductClass::Option);
        self.upper_limit = def.upper_limit;
        // Another day's base is worse than none: the venue's mark is asked for then.
        let may_be_todays = def.effective_day.is_absent() || day.is_absent();
        let of_today = !may_be_todays && def.effective_day == day;
        if def.pre_settlement.is_present() && (of_today || may_be_todays && self.pre_settlement.is_absent()) {
            self.pre_settlement = def.pre_settlement;
        }
        self.value_all();
    }

    /// Whether the day's fees are a guess, or not known at all.
    pub(super) fn guesses_fees(&self) -> bool {
        (!self.has_rates || self.rates.assumed != 0) && !self.traded.is_none()
    }

    /// The day's fees so far are reckoned anew where they were none or a guess: the venue's rates hold all day.
    pub(super) fn set_rates(&mut self, rates: &Rates) {
        let guessed = self.guesses_fees();
        self.rates = *rates;
        self.has_rates = true;
        if guessed {
            self.commission = self.fee(&self.traded);
        }
        self.value_all();
    }

    /// Whether the quote moves what is held: then the caller has it valued again.
    #[inline]
    pub(super) fn set_quote(&mut self, quote: &Quote, taken_ns: Nanos) -> bool {
        let limit_moved = quote.upper_limit != self.quote.upper_limit;
        self.quote = *quote;
        self.quote_ns = taken_ns;
        if limit_moved {
            self.value_opening();
        }
        if quote.last.is_absent() || quote.last == self.last {
            return false;
        }
        self.last = quote.last;
        !(self.long.is_flat() && self.short.is_flat())
    }

    /// The market is not seen any more: the quote says what was, not what is.
    pub(super) fn age_quote(&mut self) {
        self.quote_ns = Nanos::ABSENT;
    }

    /// The exchange's word overrides the calendar: while it halts a contract, the calendar may shut or interrupt the
    /// session but not open it.
    pub(super) fn set_phase(&mut self, phase: &Phase) {
        let by_exchange = |phase: &Phase| PhaseSource::of(phase.source) == Some(PhaseSource::Exchange);
        let halted = self.has_phase
            && by_exchange(&self.phase)
            && self.phase.kind() == PhaseKind::Halted
            && (self.phase.end_ns.is_absent() || self.phase.end_ns > phase.start_ns);
        let opens = !matches!(phase.kind(), PhaseKind::Shut | PhaseKind::Break);
        if !(halted && opens && !by_exchange(phase)) {
            self.phase = *phase;
            self.has_phase = true;
        }
    }

    /// The day's settlement marks the position; one of an earlier day that comes late marks what was carried over.
    pub(super) fn settle(&mut self, settlement: Price, of_today: bool) {
        match of_today {
            true => self.settlement = settlement,
            false if self.pre_settlement.is_absent() => self.pre_settlement = settlement,
            false => return,
        }
        self.value_all();
    }

    pub(super) fn count_order(&mut self) {
        self.orders_sent = self.orders_sent.saturating_add(1);
    }
    pub(super) fn count_cancel(&mut self) {
        self.cancels_sent = self.cancels_sent.saturating_add(1);
    }

    /// The price that binds funds of an order at `price`: a market order's is the day's upper limit.
    pub(super) fn hold_price(&self, price: Price) -> Price {
        let known = [price, self.quote.upper_limit, self.upper_limit];
        known.into_iter().find(|price| price.is_present()).unwrap_or(Price::ABSENT)
    }

    /// An order's exposure changes.
    #[inline]
    pub(super) fn reweigh(&mut self, before: Exposure, after: Exposure) {
        for (exposure, sign) in [(before, -1), (after, 1)] {
            match exposure.side {
                Side::Buy => self.buys.add(exposure, sign),
                Side::Sell => self.sells.add(exposure, sign),
            }
        }
        self.value_working();
    }

    /// Books a fill; side and offset are decoded by the caller.
    pub(super) fn fill(&mut self, fill: &Fill, side: Side, offset: Offset, details: &mut Details) {
        let (lots, price, splits) = (fill.lots.get(), fill.price, self.splits_today);
        let portions = match (side, offset) {
            (Side::Buy, Offset::Open) => self.long.open(lots, price, details),
            (Side::Sell, Offset::Open) => self.short.open(lots, price, details),
            (Side::Buy, _) => self.short.close(offset, splits, lots, price, details),
            (Side::Sell, _) => self.long.close(offset, splits, lots, price, details),
        };
        let traded = Traded::of(portions, price);
        self.traded.add(&traded);
        let charged = if seeded::on(Bug::FeeTwice) { &self.traded } else { &traded };
        self.commission = self.commission.plus(self.fee(charged));
        self.value_held();
    }

    /// Takes the venue's lots of a side as the truth.
    pub(super) fn adopt(&mut self, side: Side, today: i64, yesterday: i64, mark: Price, details: &mut Details) {
        let mark = [mark, self.mark()].into_iter().find(|price| price.is_present()).unwrap_or(Price::ABSENT);
        match side {
            Side::Buy => self.long.adopt(today, yesterday, mark, details),
            Side::Sell => self.short.adopt(today, yesterday, mark, details),
        }
        self.value_all();
    }

    /// Whether the details of both sides add up to their lots and values.
    pub(super) fn adds_up(&self, details: &Details) -> bool {
        self.long.adds_up(details) && self.short.adds_up(details)
    }

    /// The day ends: orders are gone, lots are yesterday's, the settlement price is the new base. Returns what the day
    /// adds to the balance; absent when a contract with lots was not settled.
    pub(super) fn roll(&mut self) -> Money {
        let held = self.long.lots() != 0 || self.short.lots() != 0;
        let result = match held && !self.is_option && self.settlement.is_absent() {
            true => Money::ABSENT,
            false => self.worth.close_profit.plus(self.worth.position_profit).minus(self.worth.commission),
        };
        self.long.roll();
        self.short.roll();
        (self.buys, self.sells) = (Working::default(), Working::default());
        (self.traded, self.commission) = (Traded::default(), Money::ZERO);
        self.pre_settlement = std::mem::replace(&mut self.settlement, Price::ABSENT);
        (self.orders_sent, self.cancels_sent) = (0, 0);
        self.upper_limit = Price::ABSENT;
        self.forget_quote();
        self.value_all();
        result
    }

    /// A new process: its quotes are still to come, and nobody tells the end of an earlier one's hole any more.
    pub(super) fn start(&mut self) {
        self.in_gap = false;
        self.age_quote();
    }

    fn forget_quote(&mut self) {
        self.quote = Quote {
            bid: Price::ABSENT,
            ask: Price::ABSENT,
            last: Price::ABSENT,
            upper_limit: Price::ABSENT,
            lower_limit: Price::ABSENT,
            ..Quote::zeroed()
        };
        self.last = Price::ABSENT;
        self.quote_ns = Nanos::ABSENT;
    }
}
