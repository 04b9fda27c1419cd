//! One generated contract: walks its days phase by phase and snapshot by snapshot, and always holds its next event
//! ready. Trades happen at the touch of the book that stood before, on both sides; when the touch moves, the levels it
//! passes trade too. Runs on the edge thread; allocates nothing.

use super::blank::{blank, indicate};
use super::book::{Book, Side};
use super::plan::{Day, Span};
use super::rng::Rng;
use super::sums::Sums;
use super::value::{SUBTICK_BITS, Value};
use shrike_core::codes::{PhaseKind, PhaseSource};
use shrike_core::event::{DepthTick, InstrumentDef, MarketSlot, Phase, Settlement};
use shrike_core::units::{Lots, Nanos, Price, TradingDay};

/// Indicative prices of a call auction come this often.
pub(super) const INDICATIVE_NS: u64 = 10 * Nanos::PER_SECOND;
/// Deviations of a step by which an indicative price moves between two snapshots.
pub(super) const INDICATIVE_SHOCK: i64 = 5;
/// Deviations of a step of the gap between two trading days.
pub(super) const OVERNIGHT_SHOCK: i64 = 60;
/// Deviations of a step by which the price moves during a halt.
const HALT_SHOCK: i64 = 80;
/// Trading days in a year.
const DAYS_PER_YEAR: u64 = 243;

/// How a contract trades, from the options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    pub snapshot_ns: u64,
    /// Where in the interval this exchange stamps its snapshots.
    pub phase_ns: u64,
    pub annual_vol_ppm: u32,
    pub jumps_per_day: u32,
    pub limit_per_mille: u32,
    pub lots_per_day: u32,
    pub first_price_ticks: i64,
    pub open_interest: i64,
    pub depth_lots: i64,
}

/// What is ready.
#[derive(Clone, Copy, Debug)]
enum Ready {
    Phase(Phase),
    Tick,
    Settlement(Settlement),
    End,
}

/// Where in a day the walk stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Before the phase of this index.
    Before(usize),
    /// Within it; the next snapshot is due then.
    Within(usize, Nanos),
    /// After the closing snapshot.
    Closed,
}

/// A contract and its next event.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    def: InstrumentDef,
    tuning: Tuning,
    days: Vec<Day>,
    day: usize,
    place: Place,
    rng: Rng,
    value: Value,
    book: Book,
    sums: Sums,
    open_interest: i64,
    settlement_ticks: i64,
    /// Lots of a step and side outside sweeps, in 1/256.
    flow: i64,
    tick: DepthTick,
    ready: Ready,
    ready_at: Nanos,
}

impl Contract {
    /// A contract before its first day.
    pub fn new(def: InstrumentDef, tuning: Tuning, days: Vec<Day>, rng: Rng) -> Self {
        let mut contract = Self {
            def,
            tuning,
            days,
            day: 0,
            place: Place::Before(0),
            rng,
            value: Value::new(tuning.first_price_ticks),
            book: Book::new(tuning.depth_lots),
            sums: Sums { last: tuning.first_price_ticks, ..Sums::default() },
            open_interest: tuning.open_interest,
            settlement_ticks: tuning.first_price_ticks,
            flow: 0,
            tick: DepthTick { instrument: def.instrument, ..DepthTick::default() },
            ready: Ready::End,
            ready_at: Nanos::MAX,
        };
        contract.advance();
        contract
    }

    /// When the next event happens; the end of time when there is none.
    #[inline]
    pub const fn at(&self) -> Nanos {
        self.ready_at
    }

    /// Writes the next event and makes the one after it. False at the end.
    #[inline]
    pub fn take(&mut self, slot: &mut MarketSlot) -> bool {
        match &self.ready {
            Ready::Tick => slot.put(&self.tick),
            Ready::Phase(phase) => slot.put(phase),
            Ready::Settlement(settlement) => slot.put(settlement),
            Ready::End => return false,
        }
        slot.header_mut().recv_ns = self.ready_at;
        self.advance();
        true
    }

    /// Goes on to the next event.
    pub fn advance(&mut self) {
        (self.ready_at, self.ready) = loop {
            let Some(day) = self.days.get(self.day) else { break (Nanos::MAX, Ready::End) };
            let settles_at = day.settles_at;
            match self.place {
                Place::Before(index) => match day.spans.get(index).copied() {
                    Some(span) => break (span.start, Ready::Phase(self.enter(index, span))),
                    None => {
                        self.place = Place::Closed;
                        self.close(settles_at);
                        break (settles_at, Ready::Tick);
                    }
                },
                Place::Within(index, at) => match day.spans.get(index).copied().filter(|span| at < span.end) {
                    Some(span) => {
                        let (ticks, wait_ns) = match span.kind {
                            PhaseKind::Continuous => (self.trade(), self.tuning.snapshot_ns),
                            PhaseKind::AuctionOrders | PhaseKind::AuctionNoCancel => (self.indicate(), INDICATIVE_NS),
                            PhaseKind::AuctionMatch => (self.match_auction(), u64::MAX),
                            _ => (false, u64::MAX),
                        };
                        self.place = Place::Within(index, at.after(wait_ns));
                        if ticks {
                            self.stamp(at);
                            break (at, Ready::Tick);
                        }
                    }
                    None => self.place = Place::Before(index + 1),
                },
                Place::Closed => {
                    let settlement = self.settle();
                    self.day += 1;
                    self.place = Place::Before(0);
                    break (settles_at, Ready::Settlement(settlement));
                }
            }
        };
    }

    /// Enters a phase: its first snapshot is due strictly after its start.
    fn enter(&mut self, index: usize, span: Span) -> Phase {
        if index == 0 {
            self.begin_day();
        }
        let Tuning { snapshot_ns, phase_ns, .. } = self.tuning;
        let grid = span.start.get() - span.start.get() % snapshot_ns + phase_ns;
        let first = if grid > span.start.get() { grid } else { grid + snapshot_ns };
        self.place = Place::Within(index, Nanos::new(first));
        if span.source == PhaseSource::Exchange && span.kind == PhaseKind::Continuous {
            self.value.shock(HALT_SHOCK, &mut self.rng);
        }
        Phase {
            instrument: self.def.instrument,
            trading_day: self.tick.trading_day,
            start_ns: span.start,
            end_ns: span.due,
            phase: span.kind.code(),
            source: span.source.code(),
            ..Phase::default()
        }
    }

    /// A trading day begins: what ended becomes `pre_*`, limits and pace are set anew.
    fn begin_day(&mut self) {
        let Some(day) = self.days.get(self.day) else { return };
        let Tuning { annual_vol_ppm, jumps_per_day, limit_per_mille, lots_per_day, .. } = self.tuning;
        let base = self.settlement_ticks;
        let limits = limits(base, limit_per_mille);
        let steps = u64::from(day.steps.max(1));
        let root = (DAYS_PER_YEAR * steps).isqrt().max(1) as i64;
        let deviation = (base << SUBTICK_BITS) / 1_000 * i64::from(annual_vol_ppm) / 1_000 / root;
        let jump_chance = ((u64::from(jumps_per_day) << 32) / steps).min(u64::from(u32::MAX)) as u32;
        self.value.begin_day(limits, deviation, jump_chance, day.run);
        self.value.shock(OVERNIGHT_SHOCK, &mut self.rng);
        self.book.begin_day(limits);
        // A quarter of the day's lots on each side; sweeps bring the rest.
        self.flow = i64::from(lots_per_day) * 64 / steps as i64;
        let pre_close = self.sums.last;
        self.sums = Sums { last: pre_close, ..Sums::default() };
        self.tick = DepthTick {
            pre_settlement: self.price(base),
            pre_close: self.price(pre_close),
            upper_limit: self.price(limits.1),
            lower_limit: self.price(limits.0),
            ..blank(self.def.instrument, day.day, self.open_interest)
        };
    }

    /// One step of continuous trading. False when the snapshot would equal the last one.
    fn trade(&mut self) -> bool {
        let bits = self.rng.bits();
        if bits & 7 == 0 {
            // Nobody acts: half a second without news.
            return false;
        }
        let volume = self.sums.volume;
        let (old_bid, old_ask) = (self.book.bid, self.book.ask);
        let (buys, sells) = (self.lots(&old_ask), self.lots(&old_bid));
        let jumped = self.value.step(&mut self.rng);
        self.book.step_spread(bits >> 3, self.value.activity(), jumped);
        let [ask_touch, ..] = &mut self.book.ask.lots;
        *ask_touch -= buys;
        let [bid_touch, ..] = &mut self.book.bid.lots;
        *bid_touch -= sells;
        self.book.follow(self.value.get(), &mut self.rng);

        let up = self.book.ask.best - old_ask.best;
        let down = old_bid.best - self.book.bid.best;
        let buyers_last = if up == 0 && down == 0 { bits >> 63 == 1 } else { up > 0 };
        if buyers_last {
            self.sums.trade(old_bid.best, sells);
            self.sums.trade(old_ask.best, buys);
            self.sweep(&old_ask, 1, up, buys);
        } else {
            self.sums.trade(old_ask.best, buys);
            self.sums.trade(old_bid.best, sells);
            self.sweep(&old_bid, -1, down, sells);
        }
        self.move_open_interest(self.sums.volume - volume);
        let changed = self.sums.volume != volume || self.book.bid != old_bid || self.book.ask != old_ask;
        if changed {
            self.show();
        }
        changed
    }

    /// Lots that hit a side in this step, at most what its touch shows.
    fn lots(&mut self, side: &Side) -> i64 {
        let bits = self.rng.bits();
        if bits & 1 == 0 {
            return 0;
        }
        // The product of two even draws has a mean of a quarter and a long tail; half of the steps have none.
        let (u, v) = (((bits >> 16) & 0xffff) as i64, ((bits >> 32) & 0xffff) as i64);
        let scale = ((u * v) >> 16) * self.value.activity() / 256;
        let lots = ((scale * self.flow) >> 13) + (bits >> 56) as i64;
        (lots >> 8).min(side.touch())
    }

    /// The levels that the touch passed trade, each at its own price and for half to all of its lots.
    fn sweep(&mut self, side: &Side, direction: i64, passed: i64, taken: i64) {
        let mut taken = taken;
        for (level, lots) in (0..passed).zip(side.lots) {
            let part = 128 + (self.rng.bits() & 0x7f) as i64;
            let rest = lots - taken;
            taken = 0;
            self.sums.trade(side.best + direction * level, (rest * part + 255) >> 8);
        }
    }

    /// A trade opens, closes or passes on a position; the sum wanders around where it began.
    fn move_open_interest(&mut self, lots: i64) {
        let bits = self.rng.bits();
        let lean = (self.tuning.open_interest - self.open_interest) * 8 / self.tuning.open_interest.max(1);
        let change = lots * ((bits & 0xff) as i64 - 128 + lean) / 512;
        self.open_interest = (self.open_interest + change).max(0);
    }

    /// A new indicative price of the call auction: nothing trades and no side is shown. False when it did not move.
    fn indicate(&mut self) -> bool {
        self.value.shock(INDICATIVE_SHOCK, &mut self.rng);
        self.book.follow(self.value.get(), &mut self.rng);
        let price = self.price(self.auction_price());
        indicate(&mut self.tick, price)
    }

    /// The auction's trade, all at one price.
    fn match_auction(&mut self) -> bool {
        self.book.follow(self.value.get(), &mut self.rng);
        let most = self.tuning.lots_per_day / 200;
        let lots = i64::from(self.rng.between(most / 4, most)) + 1;
        self.sums.trade(self.auction_price(), lots);
        self.move_open_interest(lots);
        self.show();
        true
    }

    const fn auction_price(&self) -> i64 {
        if self.book.bid.is_open() { self.book.bid.best } else { self.book.ask.best }
    }

    /// The market is shut: the closing snapshot repeats the last book and adds closing and settlement price. The
    /// settlement price is the day's average, rounded to a tick.
    fn close(&mut self, at: Nanos) {
        let Sums { volume, value, last, .. } = self.sums;
        if volume > 0 {
            self.settlement_ticks = (value + volume / 2) / volume;
            self.tick.close = self.price(last);
        }
        self.tick.settlement = self.price(self.settlement_ticks);
        self.stamp(at);
    }

    fn settle(&self) -> Settlement {
        let next_day = self.days.get(self.day).map_or(TradingDay::ABSENT, |day| day.next_day);
        Settlement {
            instrument: self.def.instrument,
            trading_day: self.tick.trading_day,
            settlement: self.tick.settlement,
            next_day,
            ..Settlement::default()
        }
    }

    /// Writes the snapshot's time.
    fn stamp(&mut self, at: Nanos) {
        self.tick.exch_ns = at;
        self.tick.action_day = at.china_date();
    }

    /// Writes the day's sums and the book into the snapshot.
    #[inline]
    fn show(&mut self) {
        let tick_raw = self.def.tick.raw();
        self.sums.show(tick_raw, self.def.multiplier, &mut self.tick);
        self.tick.open_interest = Lots::new(self.open_interest).qty();
        self.book.show(tick_raw, &mut self.tick);
    }

    const fn price(&self, ticks: i64) -> Price {
        Price::from_raw(ticks * self.def.tick.raw())
    }
}

/// Lower and upper limit of a day in ticks, rounded inwards.
pub(super) const fn limits(base_ticks: i64, per_mille: u32) -> (i64, i64) {
    let per_mille = per_mille as i64;
    ((base_ticks * (1000 - per_mille) + 999) / 1000, base_ticks * (1000 + per_mille) / 1000)
}
