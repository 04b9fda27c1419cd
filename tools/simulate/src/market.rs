//! A small market: four contracts at four exchanges, with auctions, a break, price limits, circuit breakers, bursts and
//! settlements, in trading days of some seconds. It is what truly happens; what the engine sees of it is the wire's.

use crate::fault::{Dice, Fault};
use crate::rng::Rng;
use shrike_core::codes::{Exchange, PhaseKind, PhaseSource, ProductClass};
use shrike_core::event::{DepthTick, InstrumentDef, Phase, Rates, Settlement};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, SCALE, Text, TradingDay, Turnover};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const MS: u64 = Nanos::PER_MILLI;
const SECOND: u64 = Nanos::PER_SECOND;

/// A contract's terms: symbol, exchange, tick (raw), multiplier, price at the start in ticks.
const LISTED: [(&str, Exchange, i64, i64, i64); 4] = [
    ("xa2406", Exchange::Shfe, SCALE, 10, 3_000),
    ("XB406", Exchange::Czce, 2 * SCALE, 5, 2_500),
    ("xc2406", Exchange::Dce, SCALE / 2, 10, 1_600),
    ("XD2406", Exchange::Cffex, SCALE / 5, 30, 6_000),
];

/// How many contracts there are.
pub const CONTRACTS: usize = LISTED.len();

/// What happens in the market.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "snapshots are the rule")]
pub enum Said {
    /// A snapshot.
    Tick(DepthTick),
    /// A phase begins.
    Phase(Phase),
    /// A contract is settled.
    Settlement(Settlement),
    /// Trading of the day is over; the counter stays up until the settlement is done.
    Evening,
    /// The evening is over: the books must agree by now.
    Night,
}

enum What {
    Tick(usize),
    Day(PhaseKind),
    /// A step of a circuit breaker, and which breaker it is.
    Halt(usize, PhaseKind, u32),
    Settle(usize),
    Evening,
    Night,
}

struct Listing {
    def: InstrumentDef,
    /// Price at the middle, in ticks.
    mid: i64,
    lower: i64,
    upper: i64,
    pre_settlement: Price,
    last: Price,
    volume: i64,
    turnover: i64,
    phase: Phase,
    /// The latest snapshot and the settlement of the day.
    shown: Option<DepthTick>,
    settled: Option<Settlement>,
    breakers: u32,
    /// Snapshots of a burst that are still to come.
    burst: u64,
}

/// The market.
pub struct Market {
    rng: Rng,
    listed: Vec<Listing>,
    agenda: BinaryHeap<Reverse<(Nanos, u64, usize)>>,
    plans: Vec<What>,
    free: Vec<usize>,
    order: u64,
    day: TradingDay,
    next_day: TradingDay,
    day_ns: u64,
    tick_ns: u64,
}

impl Market {
    /// A market whose trading days have `day_s` seconds of continuous trading, with a snapshot of each contract every
    /// `tick_ms` or so.
    pub fn new(seed: u64, day_s: u64, tick_ms: u64) -> Self {
        let listed = LISTED.iter().enumerate().map(|(index, &(symbol, exchange, tick, multiplier, mid))| Listing {
            def: InstrumentDef {
                instrument: InstrumentId::new(index as u32),
                symbol: Text::new(symbol.as_bytes()).unwrap_or_default(),
                product: Text::new(symbol.as_bytes().get(..2).unwrap_or(b"")).unwrap_or_default(),
                tick: Price::from_raw(tick),
                multiplier,
                strike: Price::ABSENT,
                min_lots: Lots::new(1),
                max_limit_lots: Lots::new(100),
                max_market_lots: Lots::new(50),
                upper_limit: Price::ABSENT,
                lower_limit: Price::ABSENT,
                pre_settlement: Price::from_raw(mid * tick),
                exchange: exchange.code(),
                class: ProductClass::Future.code(),
                tradable: 1,
                ..InstrumentDef::default()
            },
            mid,
            lower: 0,
            upper: 0,
            pre_settlement: Price::from_raw(mid * tick),
            last: Price::ABSENT,
            volume: 0,
            turnover: 0,
            phase: Phase {
                instrument: InstrumentId::new(index as u32),
                phase: PhaseKind::Shut.code(),
                source: PhaseSource::Calendar.code(),
                ..Phase::default()
            },
            shown: None,
            settled: None,
            breakers: 0,
            burst: 0,
        });
        let mut market = Self {
            rng: Rng::stream(seed, 1),
            listed: listed.collect(),
            agenda: BinaryHeap::new(),
            plans: Vec::new(),
            free: Vec::new(),
            order: 0,
            day: TradingDay::ABSENT,
            next_day: TradingDay::new(20_240_401).unwrap_or_default(),
            day_ns: day_s * SECOND,
            tick_ns: tick_ms * MS,
        };
        market.plan_day();
        market
    }

    /// The contracts' terms.
    pub fn defs(&self) -> impl Iterator<Item = InstrumentDef> {
        self.listed.iter().map(|listing| listing.def)
    }

    /// Margin and fees of a contract: each charges in another way.
    pub fn rates(instrument: InstrumentId) -> Rates {
        let none =
            Rates { instrument, long_margin_ratio: 10_000_000, short_margin_ratio: 12_000_000, ..Rates::default() };
        match instrument.index() {
            0 => Rates { open_ratio: 5_000, close_ratio: 5_000, close_today_ratio: 7_500, ..none },
            1 => Rates { open_per_lot: Money::whole(3), close_per_lot: Money::whole(3), ..none },
            2 => Rates {
                open_per_lot: Money::whole(1),
                close_per_lot: Money::whole(2),
                close_today_per_lot: Money::whole(4),
                ..none
            },
            _ => Rates { open_ratio: 2_301, close_ratio: 2_301, close_today_ratio: 34_511, ..none },
        }
    }

    /// The phase of every contract as it stands.
    pub fn phases(&self) -> impl Iterator<Item = Phase> {
        self.listed.iter().map(|listing| listing.phase)
    }

    /// The day's latest snapshot of every contract, and its settlement where it is settled: what a feed tells first.
    pub fn standing(&self) -> impl Iterator<Item = (Option<DepthTick>, Option<Settlement>)> {
        self.listed.iter().map(|listing| (listing.shown, listing.settled))
    }

    /// The latest trading day that began.
    pub const fn day(&self) -> TradingDay {
        self.day
    }

    /// Whether a contract trades continuously.
    pub fn trades(&self, contract: usize) -> bool {
        self.listed.get(contract).is_some_and(|listing| listing.phase.kind() == PhaseKind::Continuous)
    }

    /// The tick size and the price in the middle of a contract, in ticks.
    pub fn around(&self, contract: usize) -> (Price, i64) {
        self.listed.get(contract).map_or((Price::ABSENT, 0), |listing| (listing.def.tick, listing.mid))
    }

    /// When something happens next.
    pub fn next(&self) -> Nanos {
        self.agenda.peek().map_or(Nanos::new(u64::MAX), |Reverse((at, ..))| *at)
    }

    fn plan(&mut self, at: Nanos, what: What) {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.plans.push(What::Night);
                self.plans.len() - 1
            }
        };
        if let Some(plan) = self.plans.get_mut(place) {
            *plan = what;
        }
        self.order += 1;
        self.agenda.push(Reverse((at, self.order, place)));
    }

    /// The next trading day, from its auction to the night after it.
    fn plan_day(&mut self) {
        let (day, half) = (self.next_day, self.day_ns / 2);
        let open = Nanos::china(day, 9 * 3_600, 0);
        let mut at = open;
        for (phase, lasts) in [
            (PhaseKind::AuctionOrders, SECOND),
            (PhaseKind::AuctionMatch, SECOND / 2),
            (PhaseKind::Continuous, half),
            (PhaseKind::Break, SECOND),
            (PhaseKind::Continuous, half),
        ] {
            self.plan(at, What::Day(phase));
            at = at.after(lasts);
        }
        self.plan(at, What::Day(PhaseKind::Shut));
        self.plan(at.after(MS), What::Evening);
        for contract in 0..CONTRACTS {
            self.plan(at.after(8 * SECOND + contract as u64), What::Settle(contract));
        }
        self.plan(at.after(12 * SECOND), What::Night);
    }

    /// The next thing that happens; none when it was a step that led to nothing.
    pub fn step(&mut self, dice: &mut Dice, out: &mut Vec<Said>) -> Nanos {
        let Some(Reverse((at, _, place))) = self.agenda.pop() else { return Nanos::ABSENT };
        let Some(plan) = self.plans.get_mut(place) else { return at };
        let what = std::mem::replace(plan, What::Night);
        self.free.push(place);
        match what {
            What::Tick(contract) => self.tick(contract, at, dice, out),
            What::Day(phase) => self.day_phase(phase, at, dice, out),
            What::Halt(contract, phase, breaker) => {
                if self.listed.get(contract).is_some_and(|listing| listing.breakers == breaker) {
                    self.enter(contract, phase, PhaseSource::Exchange, at, out);
                    match phase {
                        PhaseKind::Halted => {
                            self.plan(at.after(SECOND), What::Halt(contract, PhaseKind::AuctionOrders, breaker))
                        }
                        PhaseKind::AuctionOrders => {
                            if let Some(listing) = self.listed.get_mut(contract) {
                                listing.mid += self.rng.between(-12, 12);
                            }
                            self.plan(at.after(SECOND / 2), What::Halt(contract, PhaseKind::Continuous, breaker));
                        }
                        _ => self.plan(at.after(10 * MS), What::Tick(contract)),
                    }
                }
            }
            What::Settle(contract) => self.settle(contract, out),
            What::Evening => out.push(Said::Evening),
            What::Night => {
                out.push(Said::Night);
                self.plan_day();
            }
        }
        at
    }

    fn day_phase(&mut self, phase: PhaseKind, at: Nanos, dice: &mut Dice, out: &mut Vec<Said>) {
        if phase == PhaseKind::AuctionOrders {
            self.begin_day(dice);
        }
        for contract in 0..CONTRACTS {
            self.enter(contract, phase, PhaseSource::Calendar, at, out);
            if let Some(listing) = self.listed.get_mut(contract) {
                listing.breakers += 1;
            }
            if matches!(phase, PhaseKind::Continuous | PhaseKind::AuctionMatch) {
                self.plan(at.after(MS * (1 + contract as u64)), What::Tick(contract));
            }
        }
    }

    fn enter(&mut self, contract: usize, phase: PhaseKind, source: PhaseSource, at: Nanos, out: &mut Vec<Said>) {
        let day = self.day;
        let Some(listing) = self.listed.get_mut(contract) else { return };
        listing.phase = Phase {
            instrument: listing.def.instrument,
            trading_day: day,
            start_ns: at,
            end_ns: Nanos::ABSENT,
            phase: phase.code(),
            source: source.code(),
            ..Phase::default()
        };
        out.push(Said::Phase(listing.phase));
    }

    fn begin_day(&mut self, dice: &mut Dice) {
        self.day = self.next_day;
        self.next_day = self.day.plus_days(1);
        for listing in &mut self.listed {
            let tick = listing.def.tick.raw();
            let base = listing.pre_settlement.raw() / tick;
            let room = if dice.strikes(Fault::PriceLimit).is_some() { 6 } else { 80 };
            (listing.lower, listing.upper) = (base - room, base + room);
            listing.mid = listing.mid.clamp(listing.lower, listing.upper);
            (listing.volume, listing.turnover, listing.last) = (0, 0, Price::ABSENT);
            (listing.shown, listing.settled) = (None, None);
            (listing.def.effective_day, listing.def.pre_settlement) = (self.day, listing.pre_settlement);
        }
    }

    fn settle(&mut self, contract: usize, out: &mut Vec<Said>) {
        let (day, next_day) = (self.day, self.next_day);
        let Some(listing) = self.listed.get_mut(contract) else { return };
        let settlement = Price::from_raw(listing.mid * listing.def.tick.raw());
        listing.pre_settlement = settlement;
        let instrument = listing.def.instrument;
        let settled = Settlement { instrument, trading_day: day, settlement, next_day, ..Settlement::default() };
        listing.settled = Some(settled);
        out.push(Said::Settlement(settled));
    }

    fn tick(&mut self, contract: usize, at: Nanos, dice: &mut Dice, out: &mut Vec<Said>) {
        let rng = &mut self.rng;
        let Some(listing) = self.listed.get_mut(contract) else { return };
        let phase = listing.phase.kind();
        if !matches!(phase, PhaseKind::Continuous | PhaseKind::AuctionMatch) {
            return;
        }
        let jump = if rng.once_in(40) { 8 } else { 2 };
        listing.mid = (listing.mid + rng.between(-jump, jump)).clamp(listing.lower, listing.upper);
        let shown = listing.snapshot(self.day, at, rng);
        listing.shown = Some(shown);
        out.push(Said::Tick(shown));
        if phase != PhaseKind::Continuous {
            return;
        }
        if listing.burst == 0
            && let Some(mut chance) = dice.strikes(Fault::Burst)
        {
            listing.burst = 10 + chance.below(30);
        }
        let spacing = if listing.burst > 0 {
            listing.burst -= 1;
            MS / 5
        } else {
            self.tick_ns / 2 + rng.below(self.tick_ns)
        };
        if dice.strikes(Fault::Breaker).is_some() {
            listing.breakers += 1;
            let breaker = listing.breakers;
            self.plan(at.after(MS), What::Halt(contract, PhaseKind::Halted, breaker));
        }
        self.plan(at.after(spacing), What::Tick(contract));
    }
}

impl Listing {
    fn snapshot(&mut self, day: TradingDay, at: Nanos, rng: &mut Rng) -> DepthTick {
        let tick = self.def.tick.raw();
        let price = |ticks: i64| Price::from_raw(ticks * tick);
        let spread = 1 + rng.below(2) as i64;
        let (best_bid, best_ask) = (self.mid - spread, self.mid + spread);
        let mut shown = DepthTick {
            instrument: self.def.instrument,
            trading_day: day,
            exch_ns: at,
            open_interest: Qty::whole(1_000),
            open: Price::ABSENT,
            high: Price::ABSENT,
            low: Price::ABSENT,
            close: Price::ABSENT,
            settlement: Price::ABSENT,
            pre_settlement: self.pre_settlement,
            pre_close: Price::ABSENT,
            pre_open_interest: Qty::whole(1_000),
            upper_limit: price(self.upper),
            lower_limit: price(self.lower),
            average: Price::ABSENT,
            action_day: day,
            bids: [Price::ABSENT; 5],
            asks: [Price::ABSENT; 5],
            ..DepthTick::default()
        };
        let sides = [(&mut shown.bids, &mut shown.bid_qtys), (&mut shown.asks, &mut shown.ask_qtys)];
        for ((prices, qtys), (best, step)) in sides.into_iter().zip([(best_bid, -1), (best_ask, 1)]) {
            for (level, (shown_price, shown_qty)) in prices.iter_mut().zip(qtys.iter_mut()).enumerate() {
                let at = best + step * level as i64;
                if at >= self.lower && at <= self.upper {
                    (*shown_price, *shown_qty) = (price(at), Qty::whole(1 + rng.below(6) as i64));
                }
            }
        }
        let traded = rng.below(9) as i64;
        let trade_at = if rng.once_in(2) { best_bid } else { best_ask }.clamp(self.lower, self.upper);
        self.volume += traded;
        self.turnover += price(trade_at).raw() / 10_000 * traded * self.def.multiplier;
        if traded > 0 || self.last.is_absent() {
            self.last = price(trade_at);
        }
        shown.last = self.last;
        shown.volume = Qty::whole(self.volume);
        shown.turnover = Turnover::from_raw(self.turnover);
        shown
    }
}
