//! One instrument of a board: its terms, five levels around what it is worth, what traded, and, where the exchange has
//! one, its circuit breaker. Prices here are ticks; what it is worth comes from the walk.

use super::super::blank::{blank, indicate};
use super::super::book::Side;
use super::super::contract::limits;
use super::super::rng::Rng;
use super::super::sums::Sums;
use super::facts;
use super::walk::{Family, Term, Walk};
use shrike_core::codes::OptionType;
use shrike_core::event::{DepthTick, InstrumentDef, Settlement};
use shrike_core::units::{Lots, Nanos, Price, SCALE, TradingDay};
use std::ops::RangeInclusive;

/// What an instrument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The index: nobody quotes it.
    Index,
    /// The ETF.
    Etf,
    /// A future to a term.
    Future(usize),
    /// An option to a term.
    Option(usize, OptionType),
}

/// What it is worth, in ticks, and how that moves.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::float_arithmetic, reason = "values of options; quotes are rounded to ticks")]
pub(super) struct Worth {
    pub value: f64,
    /// Half of the spread that a market maker asks.
    pub half: f64,
    /// Ticks for a rise of the forward by one of its units, and of volatility by one.
    pub delta: f64,
    pub vega: f64,
    /// Where the forward (of what has none, its own price) and near volatility stood.
    pub forward: f64,
    pub vol: f64,
}

impl Worth {
    /// Whether quotes are due again: the value has moved by most of what a side is away from it.
    #[inline]
    #[allow(clippy::float_arithmetic, reason = "values of options; quotes are rounded to ticks")]
    pub fn is_stale(&self, forward: f64, vol: f64) -> bool {
        (self.delta * (forward - self.forward) + self.vega * (vol - self.vol)).abs() > 0.75 * self.half + 0.2
    }
}

/// The index is told this often, in steps.
const INDEX_STEPS: u32 = 6;
/// Fewest and most actions of a line on a usual day.
const ACTIONS: RangeInclusive<i64> = 4..=1_500;

/// An instrument of a board.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub def: InstrumentDef,
    pub kind: Kind,
    /// Whose exchange and underlying it has.
    pub family: Family,
    /// Lots of a usual day and usual lots of a level; none trades where the first is zero.
    pub pace: i64,
    pub depth: i64,
    pub tick: DepthTick,
    pub worth: Worth,
    pub open_interest: i64,
    /// Open interest that it drifts to.
    pub usual_interest: i64,
    pub settled: i64,
    /// The step at which it acts next.
    pub acts_at: u32,
    /// Reference price of the circuit breaker, and until when its call auction lasts.
    pub reference: i64,
    pub halted_until: Option<Nanos>,
    /// The last trading day is over.
    pub is_gone: bool,
    pub sums: Sums,
    bid: Side,
    ask: Side,
    /// Ticks between two levels.
    step: i64,
    lower: i64,
    upper: i64,
}

impl Line {
    /// An instrument that was worth `settled` ticks before its first day.
    pub fn new(def: InstrumentDef, kind: Kind, family: Family, settled: i64) -> Self {
        Self {
            def,
            kind,
            family,
            pace: 0,
            depth: 1,
            tick: DepthTick { instrument: def.instrument, ..DepthTick::default() },
            worth: Worth::default(),
            open_interest: 0,
            usual_interest: 0,
            settled,
            acts_at: 0,
            reference: 0,
            halted_until: None,
            is_gone: false,
            sums: Sums { last: settled, ..Sums::default() },
            bid: Side::default(),
            ask: Side::default(),
            step: 1,
            lower: 1,
            upper: i64::MAX,
        }
    }

    /// Ticks as a price.
    pub const fn price(&self, ticks: i64) -> Price {
        Price::from_raw(ticks * self.def.tick.raw())
    }

    /// A currency unit in ticks.
    #[allow(clippy::float_arithmetic, reason = "values of options; quotes are rounded to ticks")]
    pub fn ticks_per_unit(&self) -> f64 {
        SCALE as f64 / self.def.tick.raw() as f64
    }

    /// The forward to its term, or its underlying's price where it has none.
    #[inline]
    pub fn forward(&self, terms: &[Term], walk: &Walk) -> f64 {
        let (Kind::Future(term) | Kind::Option(term, _)) = self.kind else { return walk.spot(self.family) };
        terms.get(term).map_or(0.0, |term| term.expiry.forward)
    }

    /// The strike in currency units.
    #[allow(clippy::float_arithmetic, reason = "values of options; quotes are rounded to ticks")]
    pub fn strike(&self) -> f64 {
        self.def.strike.raw() as f64 / SCALE as f64
    }

    /// A trading day begins, with these limits in ticks.
    pub fn begin_day(&mut self, day: TradingDay, limits: Option<(i64, i64)>) {
        let pre_close = self.sums.last;
        (self.lower, self.upper) = limits.unwrap_or((1, i64::MAX));
        let limit = |ticks: i64| limits.map_or(Price::ABSENT, |_| self.price(ticks));
        (self.def.lower_limit, self.def.upper_limit) = (limit(self.lower), limit(self.upper));
        self.def.pre_settlement = self.price(self.settled);
        (self.bid, self.ask, self.halted_until) = (Side::default(), Side::default(), None);
        (self.sums, self.reference) = (Sums { last: pre_close, ..Sums::default() }, self.settled);
        self.tick = DepthTick {
            pre_settlement: self.price(self.settled),
            pre_close: self.price(pre_close),
            upper_limit: self.def.upper_limit,
            lower_limit: self.def.lower_limit,
            ..blank(self.def.instrument, day, self.open_interest)
        };
    }

    /// Draws both sides around what it is worth. An index has a level and no sides.
    #[allow(clippy::float_arithmetic, reason = "values of options; quotes are rounded to ticks")]
    pub fn quote(&mut self, rng: &mut Rng) {
        let Worth { value, half, .. } = self.worth;
        if self.kind == Kind::Index {
            return self.level(value.round() as i64);
        }
        let bid = (value - half).floor() as i64;
        let ask = ((value + half).ceil() as i64).max(bid + 1);
        // Beyond a limit nobody may quote: the other side is empty.
        let bid = bid.min(self.upper);
        let ask = ask.max(self.lower);
        let step = 1 + (half / 3.0) as i64;
        let bid_room = if bid < self.lower { 0 } else { 1 + (bid - self.lower) / step };
        let ask_room = if ask > self.upper { 0 } else { 1 + (self.upper - ask) / step };
        let keeps = step == self.step;
        self.step = step;
        refill(&mut self.bid, bid, bid_room, self.depth, keeps, rng);
        refill(&mut self.ask, ask, ask_room, self.depth, keeps, rng);
    }

    /// The index's level: what is last is all there is.
    fn level(&mut self, ticks: i64) {
        let sums = &mut self.sums;
        if self.tick.open.is_absent() {
            (sums.open, sums.high, sums.low) = (ticks, ticks, ticks);
        }
        (sums.high, sums.low, sums.last) = (sums.high.max(ticks), sums.low.min(ticks), ticks);
        let Sums { open, high, low, .. } = *sums;
        (self.tick.last, self.tick.open) = (self.price(ticks), self.price(open));
        (self.tick.high, self.tick.low) = (self.price(high), self.price(low));
    }

    /// Whether nobody has quoted it since the day began.
    pub fn is_unquoted(&self) -> bool {
        match self.kind {
            Kind::Index => self.tick.open.is_absent(),
            _ => !self.bid.is_open() && !self.ask.is_open(),
        }
    }

    /// All that a snapshot of it shows.
    pub fn shown(&self) -> (Side, Side, i64, i64) {
        (self.bid, self.ask, self.sums.volume, self.sums.last)
    }

    /// The day's price limits in ticks, from the previous closes of index and ETF; the index has none.
    pub fn limits(&self, [index, etf]: [i64; 2], day: TradingDay) -> Option<(i64, i64)> {
        let tick = self.def.tick.raw();
        let settled = self.settled * tick;
        let (lower, upper) = match (self.kind, self.family) {
            (Kind::Index, _) => return None,
            (Kind::Etf | Kind::Future(_), _) => return Some(limits(self.settled, 100)),
            (Kind::Option(..), Family::Index) => facts::index_option_limits(settled, index, tick),
            (Kind::Option(_, right), Family::Etf) => {
                facts::etf_option_limits(right, settled, self.def.strike.raw(), etf, tick)
            }
        };
        let lower = if self.def.expiry == day && self.family == Family::Etf { tick } else { lower };
        Some((lower / tick, upper / tick))
    }

    /// The nearest price at which it can trade today.
    pub fn within_limits(&self, ticks: i64) -> i64 {
        ticks.clamp(self.lower, self.upper)
    }

    /// Somebody acts: trades, as the walk's balance has it, and the walk hears of it. Returns in how many steps next.
    pub fn act(&mut self, walk: &mut Walk) -> u32 {
        if self.pace == 0 {
            return INDEX_STEPS;
        }
        let actions = (self.pace / 20).clamp(*ACTIONS.start(), *ACTIONS.end());
        let mean = self.pace / actions;
        let bits = walk.rng.bits();
        // The product of two even draws has a mean of a quarter and a long tail.
        let (u, v) = (((bits >> 16) & 0xffff) as i64, ((bits >> 32) & 0xffff) as i64);
        let lots = 1 + ((((u * v) >> 16) * 4 * mean) >> 16);
        let sign = if let Kind::Option(_, OptionType::Put) = self.kind { -1 } else { 1 };
        let buys = ((bits & 0xff) as i64) < walk.buyers_of_256(sign);
        let traded = self.trade(buys, lots, &mut walk.rng);
        if let Kind::Option(..) = self.kind {
            let pressure = (traded * 64 / (8 * mean).max(1)).min(64);
            walk.trade(if buys { pressure } else { -pressure });
        }
        let gap = i64::from(walk.steps_per_day) / actions * 256 / walk.value.activity();
        1 + walk.rng.below(2 * gap as u32)
    }

    /// Lots lift the offer or hit the bid, at most what it shows. Returns how many.
    fn trade(&mut self, buys: bool, lots: i64, rng: &mut Rng) -> i64 {
        let side = if buys { &mut self.ask } else { &mut self.bid };
        let (best, [touch, ..]) = (side.best, &mut side.lots);
        let traded = lots.min(*touch);
        *touch -= traded;
        self.exchange(best, traded, rng);
        traded
    }

    /// Where a call auction would match, between the sides; none where one is empty.
    fn auction_price(&self) -> Option<i64> {
        (self.bid.is_open() && self.ask.is_open() && self.pace > 0).then_some((self.bid.best + self.ask.best) / 2)
    }

    /// A call auction's indicative price. False when there is none or it did not move.
    pub fn indicate(&mut self) -> bool {
        self.auction_price().is_some_and(|at| indicate(&mut self.tick, Price::from_raw(at * self.def.tick.raw())))
    }

    /// A call auction's trade, and an end of indicative prices: the last price is again that of a trade.
    pub fn match_auction(&mut self, lots: i64, rng: &mut Rng) {
        if let Some(at) = self.auction_price() {
            self.exchange(at, lots, rng);
            self.reference = at;
        }
        if self.sums.volume == 0 && self.kind != Kind::Index {
            self.tick.last = Price::ABSENT;
        }
    }

    fn exchange(&mut self, at: i64, lots: i64, rng: &mut Rng) {
        self.sums.trade(at, lots);
        let lean = (self.usual_interest - self.open_interest) * 64 / self.usual_interest.max(1);
        // Of each pair both may open, both close, or one pass on to the other.
        let change = lots * ((rng.bits() & 0xff) as i64 - 128 + lean.clamp(-64, 64)) / 256;
        self.open_interest = (self.open_interest + change).max(0);
    }

    /// Writes sides and sums into the snapshot.
    pub fn show(&mut self) {
        let raw = self.def.tick.raw();
        if self.kind != Kind::Index {
            self.sums.show(raw, self.def.multiplier, &mut self.tick);
        }
        self.tick.open_interest = Lots::new(self.open_interest).qty();
        self.bid.show(raw, -raw * self.step, &mut self.tick.bids, &mut self.tick.bid_qtys);
        self.ask.show(raw, raw * self.step, &mut self.tick.asks, &mut self.tick.ask_qtys);
    }

    /// The snapshot's time.
    pub fn stamp(&mut self, at: Nanos) {
        (self.tick.exch_ns, self.tick.action_day) = (at, at.china_date());
    }

    /// Whether its last trade trips the circuit breaker.
    pub const fn trips(&self) -> bool {
        facts::trips_breaker(self.sums.last, self.reference)
    }

    /// The day closes at a settlement price of so many ticks.
    pub fn close(&mut self, settlement: i64, at: Nanos) {
        if self.sums.volume > 0 || self.kind == Kind::Index {
            self.tick.close = self.price(self.sums.last);
        }
        if !matches!(self.kind, Kind::Index | Kind::Etf) {
            self.settled = settlement;
            self.tick.settlement = self.price(settlement);
        } else {
            self.settled = self.sums.last;
        }
        self.stamp(at);
    }

    /// What the exchange says of the day's settlement.
    pub fn settlement(&self, next_day: TradingDay) -> Settlement {
        Settlement {
            instrument: self.def.instrument,
            trading_day: self.tick.trading_day,
            settlement: self.price(self.settled),
            next_day,
            ..Settlement::default()
        }
    }
}

/// Lots of the levels from a best price outwards: where price and step stay, most levels stay.
fn refill(side: &mut Side, best: i64, room: i64, depth: i64, keeps: bool, rng: &mut Rng) {
    let keeps = keeps && side.best == best;
    let mut bits = rng.bits();
    for (level, lots) in (0..).zip(&mut side.lots) {
        let noise = (bits & 0xff) as i64;
        let moves = bits & 0x300 == 0;
        bits >>= 10;
        let usual = depth * (2 + level) / 4;
        if level >= room {
            *lots = 0;
        } else if !keeps || moves || *lots == 0 {
            *lots = 1 + usual * (64 + noise) / 192;
        }
    }
    side.best = best;
}
