//! A generated market is a market: whatever the seed, a checker that knows only the rules of trading (not how the
//! market is made) follows every contract and finds no event out of place.

use super::*;
use bytemuck::bytes_of;
use proptest::prelude::*;
use shrike_core::calendar::{Calendar, DayTemplate, NightTemplate, SessionRow, Sessions, SessionsSource, Slot};
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::codes::{PhaseKind, PhaseSource};
use shrike_core::event::{DepthTick, Event, Phase, Settlement};
use shrike_core::product::{Product, ProductRates};
use shrike_core::units::{Lots, Price, Qty, Text, TradingDay, Turnover};

/// What a contract showed so far, and what a market may show next.
#[derive(Default)]
struct Checker {
    def: InstrumentDef,
    phase: Phase,
    last: Option<DepthTick>,
    settled: Option<Settlement>,
    settlements: u32,
    ticks: u64,
    upper_locked: u64,
    released: u64,
    halts: u64,
    /// Snapshots in which trades at the old bid, or at the old ask, are certain.
    at_bid: u64,
    at_ask: u64,
}

impl Checker {
    fn phase(&mut self, phase: &Phase) {
        assert!(phase.start_ns > self.phase.start_ns, "phases go on");
        let resumed = self.phase.kind() == PhaseKind::Halted;
        assert_eq!(phase.source == PhaseSource::Exchange.code(), resumed || phase.kind() == PhaseKind::Halted);
        if phase.source == PhaseSource::Calendar.code() && !self.phase.start_ns.is_absent() {
            assert_eq!(phase.start_ns, self.phase.end_ns, "the calendar keeps its word");
        }
        self.halts += u64::from(phase.kind() == PhaseKind::Halted);
        self.phase = *phase;
    }

    fn tick(&mut self, tick: &DepthTick) {
        let at = tick.exch_ns;
        assert_eq!(tick.action_day, at.china_date());
        assert_eq!(tick.trading_day, self.phase.trading_day);
        self.ticks += 1;
        self.prices(tick);
        match self.phase.kind() {
            PhaseKind::Continuous => self.continuous(tick),
            PhaseKind::AuctionOrders => {
                assert!(tick.bids[0].is_absent() && tick.asks[0].is_absent());
                assert!(tick.last.is_on_tick(self.def.tick));
            }
            PhaseKind::AuctionMatch => assert!(tick.volume > Qty::ZERO),
            PhaseKind::Shut => self.closing(tick),
            other => panic!("a snapshot in phase {other}"),
        }
        if self.phase.kind() != PhaseKind::Shut {
            assert!(tick.close.is_absent() && tick.settlement.is_absent(), "nothing is settled before the close");
            assert!(at > self.phase.start_ns && at < self.phase.end_ns);
        }
        match self.last.filter(|last| last.trading_day == tick.trading_day) {
            Some(last) => self.follows(&last, tick),
            None => self.opens(tick),
        }
        self.last = Some(*tick);
    }

    /// Prices lie on ticks and within the limits; levels are ordered and have lots.
    fn prices(&self, tick: &DepthTick) {
        let (lower, upper) = (tick.lower_limit, tick.upper_limit);
        assert!(lower < tick.pre_settlement && tick.pre_settlement < upper);
        for side in [(&tick.bids, &tick.bid_qtys), (&tick.asks, &tick.ask_qtys)] {
            for (price, qty) in side.0.iter().zip(side.1) {
                assert_eq!(price.is_present(), *qty > Qty::ZERO);
            }
        }
        let levels = tick.bids.iter().chain(&tick.asks).filter(|price| price.is_present());
        let traded = [tick.last, tick.open, tick.high, tick.low, tick.close, tick.settlement];
        for &price in levels.chain(traded.iter().filter(|price| price.is_present())) {
            assert!(price.is_on_tick(self.def.tick) && price >= lower && price <= upper, "{price} of {tick:?}");
        }
        let present =
            |prices: [Price; 5]| prices.into_iter().take_while(|price| price.is_present()).collect::<Vec<_>>();
        let (bids, asks) = (present(tick.bids), present(tick.asks));
        assert!(tick.bids.iter().skip(bids.len()).chain(tick.asks.iter().skip(asks.len())).all(|p| p.is_absent()));
        assert!(bids.is_sorted_by(|better, worse| better > worse) && asks.is_sorted_by(|better, worse| better < worse));
        if let (Some(bid), Some(ask)) = (bids.first(), asks.first()) {
            assert!(bid < ask, "{tick:?}");
        }
    }

    fn continuous(&mut self, tick: &DepthTick) {
        let ([bid, ..], [ask, ..]) = (tick.bids, tick.asks);
        let locked = bid == tick.upper_limit;
        assert_eq!(ask.is_absent(), locked, "only a locked market has no seller");
        assert_eq!(bid.is_absent(), ask == tick.lower_limit, "only a locked market has no buyer");
        let was_locked = self.last.is_some_and(|last| last.bids[0] == last.upper_limit);
        self.upper_locked += u64::from(locked);
        self.released += u64::from(was_locked && !locked);
        self.average(tick);
    }

    /// The average is turnover over volume, and lies between low and high.
    fn average(&self, tick: &DepthTick) {
        if tick.volume > Qty::ZERO {
            let lots = i128::from(tick.volume.lots().get()) * i128::from(self.def.multiplier);
            let average = i128::from(tick.turnover.raw()) * 10_000 / lots;
            assert_eq!(i128::from(tick.average.raw()), average);
            assert!(tick.low <= tick.average && tick.average <= tick.high);
        }
    }

    /// The closing snapshot trades nothing and settles at the day's average, to a tick.
    fn closing(&self, tick: &DepthTick) {
        let last = self.last.expect("a day trades before it closes");
        let DepthTick { exch_ns, action_day, close, settlement, .. } = *tick;
        assert_eq!(*tick, DepthTick { exch_ns, action_day, close, settlement, ..last });
        assert_eq!(tick.close, tick.last);
        assert!((tick.settlement.raw() - tick.average.raw()).abs() * 2 <= self.def.tick.raw() + 1);
    }

    fn opens(&self, tick: &DepthTick) {
        assert_eq!((tick.volume, tick.turnover), (Qty::ZERO, Turnover::ZERO), "a day opens with an auction");
        assert_eq!(tick.open_interest, tick.pre_open_interest);
        let (Some(settled), Some(last)) = (self.settled, self.last) else { return };
        assert_eq!(tick.trading_day, settled.next_day);
        assert_eq!(tick.pre_settlement, settled.settlement);
        assert_eq!((tick.pre_close, tick.pre_open_interest), (last.close, last.open_interest));
    }

    fn follows(&mut self, last: &DepthTick, tick: &DepthTick) {
        assert!(tick.exch_ns > last.exch_ns, "time goes on");
        assert!(tick.volume >= last.volume && tick.turnover >= last.turnover);
        assert!(
            DepthTick { exch_ns: last.exch_ns, action_day: last.action_day, ..*tick } != *last,
            "something changed"
        );
        let fixed = |tick: &DepthTick| (tick.pre_settlement, tick.pre_close, tick.upper_limit, tick.lower_limit);
        assert_eq!(fixed(last), fixed(tick));
        let lots = tick.volume.lots().get() - last.volume.lots().get();
        let value = tick.turnover.raw() - last.turnover.raw();
        // The value of the new trades is a sum of prices between the day's extremes, each a whole number of ticks.
        let unit = self.def.tick.raw() / 10_000 * self.def.multiplier;
        assert_eq!(value % unit, 0);
        if lots > 0 {
            assert!(value >= lots * unit * (tick.low.raw() / self.def.tick.raw()));
            assert!(value <= lots * unit * (tick.high.raw() / self.def.tick.raw()));
            assert!(tick.low <= tick.last && tick.last <= tick.high);
        } else {
            assert_eq!(value, 0);
        }
        if let (Some(bid), Some(ask)) = (last.bids[0].some(), last.asks[0].some())
            && lots > 0
        {
            let average = value / unit * self.def.tick.raw() / lots;
            self.at_bid += u64::from(average < ask.raw());
            self.at_ask += u64::from(average > bid.raw());
        }
    }

    fn settle(&mut self, settlement: &Settlement) {
        let last = self.last.expect("a day trades before it settles");
        assert_eq!(self.phase.kind(), PhaseKind::Shut);
        assert_eq!((settlement.trading_day, settlement.settlement), (last.trading_day, last.settlement));
        assert!(self.settled.is_none_or(|before| before.trading_day < settlement.trading_day));
        self.settled = Some(*settlement);
        self.settlements += 1;
    }
}

/// Follows a whole market; the checkers by contract.
fn follow(mut market: Generated) -> Vec<Checker> {
    let mut slot = MarketSlot::default();
    let mut checkers: Vec<Checker> = Vec::new();
    let mut now = Nanos::ABSENT;
    while let Next::At(at) = market.next() {
        assert!(at >= now, "a market's time never goes back");
        now = at;
        assert!(market.take(&mut slot));
        assert_eq!(slot.header().recv_ns, at);
        match slot.event() {
            Event::InstrumentDef(def) => {
                assert_eq!(def.instrument.index(), checkers.len());
                checkers.push(Checker { def: *def, ..Checker::default() });
            }
            Event::Phase(phase) => {
                assert_eq!(phase.start_ns, at);
                checkers[phase.instrument.index()].phase(phase);
            }
            Event::DepthTick(tick) => {
                assert_eq!(tick.exch_ns, at);
                checkers[tick.instrument.index()].tick(tick);
            }
            Event::Settlement(settlement) => checkers[settlement.instrument.index()].settle(settlement),
            other => panic!("no market sends {other:?}"),
        }
    }
    assert!(!market.take(&mut slot), "the end is the end");
    checkers
}

/// Headers and bodies of the first `events` events.
pub(super) fn bytes(mut market: Generated, events: usize) -> Vec<u8> {
    let mut slot = MarketSlot::default();
    let mut all = Vec::new();
    for _ in 0..events {
        if !market.take(&mut slot) {
            break;
        }
        all.extend_from_slice(bytes_of(slot.header()));
        all.extend_from_slice(slot.body());
    }
    all
}

/// Night and day sessions of two exchanges, March 2025, by hand.
fn tables() -> (Sessions, Vec<Product>) {
    let day = |yyyymmdd| TradingDay::new(yyyymmdd).unwrap();
    let slot = |start: u32, end: u32, kind| {
        let seconds = |hhmm: u32| hhmm / 100 * 3600 + hhmm % 100 * 60;
        Slot { start_s: seconds(start), end_s: seconds(end), kind }
    };
    let (orders, matching, continuous) = (PhaseKind::AuctionOrders, PhaseKind::AuctionMatch, PhaseKind::Continuous);
    let commodity = vec![
        slot(855, 859, orders),
        slot(859, 900, matching),
        slot(900, 1015, continuous),
        slot(1030, 1130, continuous),
        slot(1330, 1500, continuous),
    ];
    let index = vec![
        slot(925, 929, orders),
        slot(929, 930, matching),
        slot(930, 1130, continuous),
        slot(1300, 1500, continuous),
    ];
    let night = vec![slot(2055, 2059, orders), slot(2059, 2100, matching), slot(2100, 2300, continuous)];
    let row = |exchange, product: &str, shape, night| SessionRow {
        exchange,
        product: Text::new(product.as_bytes()).unwrap(),
        from: day(20_180_101),
        until: day(20_261_231),
        day: shape,
        night,
    };
    let sessions = Sessions::new(SessionsSource {
        calendar: Calendar::new(day(20_250_101), day(20_251_231), &[day(20_250_404), day(20_250_501)]),
        days: vec![DayTemplate::new(commodity, Vec::new()).unwrap(), DayTemplate::new(index, Vec::new()).unwrap()],
        nights: vec![NightTemplate::new(night).unwrap()],
        rows: vec![
            row(Exchange::Shfe, "rb", 0, Some(0)),
            row(Exchange::Cffex, "IF", 1, None),
            row(Exchange::Shfe, "ru", 0, Some(0)),
            row(Exchange::Dce, "m", 0, Some(0)),
            row(Exchange::Czce, "TA", 0, Some(0)),
        ],
        nights_suspended: Vec::new(),
    });
    let product = |exchange, code: &str, multiplier, tick: &str| Product {
        exchange,
        code: Text::new(code.as_bytes()).unwrap(),
        class: ProductClass::Future,
        underlying: Text::EMPTY,
        option_style: None,
        multiplier,
        tick: Price::parse(tick).unwrap(),
        max_limit_lots: Lots::new(500),
        max_market_lots: Lots::new(30),
        listed: TradingDay::ABSENT,
        daily_cancels: 500,
        rates: ProductRates::default(),
        option_margin: None,
    };
    let products = vec![
        product(Exchange::Shfe, "rb", 10, "1"),
        product(Exchange::Cffex, "IF", 300, "0.2"),
        product(Exchange::Shfe, "ru", 10, "5"),
        product(Exchange::Dce, "m", 10, "1"),
        product(Exchange::Czce, "TA", 5, "2"),
    ];
    (sessions, products)
}

fn market(options: &MarketOptions) -> Generated {
    let (sessions, products) = tables();
    Generated::new(options, &sessions, &products).unwrap()
}

/// Coarse snapshots: the same rules in a fifth of the time.
fn coarse(seed: u64, days: u32) -> MarketOptions {
    MarketOptions { seed, days, snapshot_ms: 2_500, ..MarketOptions::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_seed_gives_a_market(seed: u64, limits in 0u32..=1000, breakers in 0u32..=1000, vol in 0u32..=1_000_000) {
        let options = MarketOptions {
            limit_up_per_mille: limits,
            breaker_per_mille: breakers,
            annual_vol_ppm: vol,
            ..coarse(seed, 2)
        };
        for checker in follow(market(&options)) {
            prop_assert_eq!(checker.settlements, 2);
            prop_assert!(checker.ticks > 1_000);
        }
    }
}

#[test]
fn a_default_market_trades_on_both_sides() {
    let checkers = follow(market(&MarketOptions::default()));
    for Checker { def, ticks, at_bid, at_ask, settlements, .. } in &checkers {
        assert_eq!(*settlements, 2);
        assert!(*at_bid * 3 > *ticks && *at_ask * 3 > *ticks, "{}: {at_bid} and {at_ask} of {ticks}", def.symbol);
    }
    let symbols: Vec<_> = checkers.iter().map(|checker| checker.def.symbol.to_string()).collect();
    assert_eq!(symbols, ["rb2505", "IF2504", "ru2505", "m2505", "TA505"]);
}

#[test]
fn some_days_lock_at_the_limit_and_some_are_halted() {
    let options = MarketOptions { limit_up_per_mille: 500, breaker_per_mille: 500, ..coarse(11, 4) };
    let checkers = follow(market(&options));
    let sum = |count: fn(&Checker) -> u64| checkers.iter().map(count).sum::<u64>();
    assert!(sum(|checker| checker.upper_locked) > 100 && sum(|checker| checker.released) > 2);
    assert!(sum(|checker| checker.halts) > 2);
}

#[test]
fn a_seed_decides_every_byte() {
    let options = MarketOptions::default();
    let first = bytes(market(&options), 50_000);
    assert_eq!(first, bytes(market(&options), 50_000));
    assert_ne!(first, bytes(market(&MarketOptions { seed: 2, ..options }), 50_000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn skipping_is_taking(skipped in 0u64..40_000) {
        let options = coarse(3, 1);
        let (mut taken, mut skipping) = (market(&options), market(&options));
        let mut slot = MarketSlot::default();
        let count = (0..skipped).take_while(|_| taken.take(&mut slot)).count() as u64;
        prop_assert_eq!(skipping.skip(skipped), count);
        prop_assert_eq!(taken.next(), skipping.next());
        prop_assert_eq!(bytes(taken, 1_000), bytes(skipping, 1_000));
    }
}

#[test]
fn options_out_of_range_are_named() {
    let (sessions, products) = tables();
    let refusal = |options: MarketOptions| Generated::new(&options, &sessions, &products).unwrap_err().to_string();
    let default = MarketOptions::default;
    assert_eq!(refusal(MarketOptions { days: 0, ..default() }), "market.days is 0; it must be 1 to 10000");
    let mut options = default();
    options.products[0].product = "xx".to_owned();
    assert!(refusal(options).contains("names xx"));
    let mut options = default();
    options.products[1].first_price = Price::whole(1);
    assert!(refusal(options).contains("IF cannot be generated: first_price"));
    let far = TradingDay::new(20_251_230).unwrap();
    assert!(refusal(MarketOptions { first_day: far, ..default() }).contains("holiday table"));
}
