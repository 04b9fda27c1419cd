//! The feed against a scripted front: logins and subscriptions, what becomes of ticks, phases and gaps.

use super::*;
use crate::ctp::callback::{InstrumentFacts, LoginFacts, StatusFacts};
use crate::ctp::contracts::Contracts;
use crate::ctp::trader::{Assumed, QueryOptions};
use shrike_config::tables::Tables;
use shrike_core::clock::{Clock, SimTime};
use shrike_core::codes::{Exchange, PhaseSource, ProductClass};
use shrike_core::event::{DepthTick, Kind, Phase, Settlement};
use shrike_core::ring::{MarketProducer, market_ring};
use shrike_core::units::{Lots, Price, Qty, Text};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

const SECOND: u64 = Nanos::PER_SECOND;

#[derive(Default)]
struct Front {
    queue: VecDeque<Callback>,
    starts: usize,
    logins: usize,
    batches: Vec<usize>,
    subscribed: BTreeSet<Vec<u8>>,
    day: TradingDay,
    login_error: i32,
    subscribe_codes: VecDeque<i32>,
    table: lookup::Contracts,
}

#[derive(Clone)]
struct Handle(Rc<RefCell<Front>>);

impl Front {
    fn push(&mut self, what: What, request_id: i32, error: i32) {
        self.queue.push_back(Callback { what, request_id, error, is_last: true, ..Callback::default() });
    }
}

impl Callbacks for Handle {
    fn drain(&mut self, max: usize, hear: &mut dyn FnMut(&Callback)) -> usize {
        let mut front = self.0.borrow_mut();
        let count = max.min(front.queue.len());
        let batch: Vec<Callback> = front.queue.drain(..count).collect();
        drop(front);
        batch.iter().for_each(hear);
        count
    }
}

impl MarketApi for Handle {
    fn start(&mut self) -> Result<(), String> {
        let mut front = self.0.borrow_mut();
        front.starts += 1;
        front.push(What::Connected, 0, 0);
        Ok(())
    }
    fn stop(&mut self) {}
    fn is_stopped(&mut self) -> bool {
        true
    }
    fn login(&mut self, request_id: i32) -> i32 {
        let mut front = self.0.borrow_mut();
        front.logins += 1;
        let facts = LoginFacts { trading_day: front.day, ..LoginFacts::default() };
        let error = front.login_error;
        front.push(What::LoggedIn((error == 0).then_some(facts)), request_id, error);
        0
    }
    fn prepare(&mut self, contracts: lookup::Contracts) {
        self.0.borrow_mut().table = contracts;
    }
    fn subscribe(&mut self, symbols: &[&[u8]]) -> i32 {
        let mut front = self.0.borrow_mut();
        for symbol in symbols {
            let mut name = [0; 81];
            name[..symbol.len()].copy_from_slice(symbol);
            assert!(front.table.find(&name).is_some(), "subscribed before the decoder knows it");
        }
        assert_eq!(front.table.session_day(), front.day);
        if let Some(code) = front.subscribe_codes.pop_front() {
            return code;
        }
        front.batches.push(symbols.len());
        front.subscribed.extend(symbols.iter().map(|symbol| symbol.to_vec()));
        0
    }
}

struct Bench {
    feed: CtpFeed<Handle, Handle>,
    front: Rc<RefCell<Front>>,
    ring: MarketProducer<42>,
    contracts: SharedContracts,
    time: Arc<SimTime>,
    events: Vec<MarketSlot>,
}

fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

fn at(date: u32, hour: u32, minute: u32, second: u32) -> Nanos {
    Nanos::china(day(date), hour * 3_600 + minute * 60 + second, 0)
}

fn symbol(text: &str) -> Symbol {
    Symbol::new(text.as_bytes()).unwrap()
}

impl Bench {
    /// A feed of these contracts on Tuesday, 4 June 2024.
    fn new(live: bool, start: Nanos, codes: &[&str]) -> Self {
        let tables = Tables::builtin().unwrap();
        let products = Arc::new(tables.products.clone());
        let mut contracts = Contracts::new(tables.sessions.clone(), products, Box::new(|_| true));
        contracts.set_trading_day(day(20_240_604));
        for code in codes {
            contracts.ensure(&symbol(code), None).unwrap_or_else(|| panic!("{code} is in no table"));
        }
        let contracts = SharedContracts::new(contracts);
        let front = Rc::new(RefCell::new(Front { day: day(20_240_604), ..Front::default() }));
        let time = Arc::new(SimTime::new(start));
        let clock = Clock::Simulated(time.clone());
        let (ring, reader) = market_ring(64, 64, 4_096);
        let session = SessionOptions {
            authenticates: true,
            trades: true,
            connect_timeout_ns: 15 * SECOND,
            backoff_min_ns: SECOND,
            backoff_max_ns: 60 * SECOND,
            password_attempts_max: 2,
        };
        let options = CtpOptions {
            session,
            queries: QueryOptions { spacing_ns: SECOND, timeout_ns: 10 * SECOND, backoff_max_ns: 60 * SECOND },
            rates_spacing_ns: SECOND,
            assumed: Assumed { margin: 0, fee: 0 },
            restart_before_ns: 0,
            clock_offset_max_ms: 500,
            live,
        };
        let handle = Handle(front.clone());
        let clocks = Clocks { waits: clock.clone(), events: clock };
        let feed =
            CtpFeed::new(handle.clone(), handle, reader, clocks, options, contracts.clone(), tables.sessions.clone());
        Self { feed, front, ring, contracts, time, events: Vec::new() }
    }

    fn live(codes: &[&str]) -> Self {
        Self::new(true, at(20_240_604, 9, 0, 0), codes)
    }

    /// Lets time pass second by second; the events that came.
    fn run(&mut self, seconds: u64) -> Vec<MarketSlot> {
        let from = self.events.len();
        self.poll();
        for _ in 0..seconds {
            self.time.advance_to(self.time.now().after(SECOND));
            self.poll();
        }
        self.events[from..].to_vec()
    }

    fn poll(&mut self) {
        for _ in 0..100 {
            while let Next::At(_) = self.feed.next() {
                let mut slot = MarketSlot::default();
                assert!(self.feed.take(&mut slot), "what was promised comes");
                self.events.push(slot);
            }
        }
    }

    fn id(&self, code: &str) -> InstrumentId {
        self.contracts.lock().find(&symbol(code)).unwrap()
    }

    /// A snapshot from the library's thread.
    fn tick(&mut self, tick: DepthTick) {
        let received = self.time.now();
        let _ = self.ring.snapshot(tick.instrument, |slot| {
            slot.put(&tick);
            slot.header_mut().recv_ns = received;
        });
    }

    fn of(&self, code: &str, exch_ns: Nanos, volume: i64) -> DepthTick {
        DepthTick {
            instrument: self.id(code),
            trading_day: day(20_240_604),
            exch_ns,
            last: Price::whole(3_500),
            volume: Qty::whole(volume),
            ..absent()
        }
    }

    fn drop_connection(&mut self) {
        let mut front = self.front.borrow_mut();
        front.push(What::Disconnected { reason: 0x1001 }, 0, 0);
        front.push(What::Connected, 0, 0);
    }
}

fn absent() -> DepthTick {
    DepthTick { settlement: Price::ABSENT, pre_settlement: Price::ABSENT, ..DepthTick::default() }
}

fn kinds(events: &[MarketSlot]) -> Vec<Kind> {
    events.iter().map(|slot| Kind::of(slot.header().kind).unwrap()).collect()
}

fn ticks(events: &[MarketSlot]) -> Vec<DepthTick> {
    let tick = |slot: &MarketSlot| match slot.event() {
        Event::DepthTick(tick) => Some(*tick),
        _ => None,
    };
    events.iter().filter_map(tick).collect()
}

fn settlements(events: &[MarketSlot]) -> Vec<Settlement> {
    let settlement = |slot: &MarketSlot| match slot.event() {
        Event::Settlement(settlement) => Some(*settlement),
        _ => None,
    };
    events.iter().filter_map(settlement).collect()
}

fn phases(events: &[MarketSlot]) -> Vec<Phase> {
    let phase = |slot: &MarketSlot| match slot.event() {
        Event::Phase(phase) => Some(*phase),
        _ => None,
    };
    events.iter().filter_map(phase).collect()
}

#[test]
fn every_contract_is_announced_and_subscribed_in_batches_again_after_each_disconnect() {
    let codes: Vec<String> = (0..1_201).map(|at| format!("rb24{:02}C{}", at % 12 + 1, 3_000 + at)).collect();
    let mut bench = Bench::live(&codes.iter().map(String::as_str).collect::<Vec<_>>());
    let events = bench.run(5);
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == Kind::InstrumentDef).count(), 1_201);
    assert_eq!(bench.front.borrow().batches, [500, 500, 201]);
    for round in 2..5 {
        bench.front.borrow_mut().subscribed.clear();
        bench.drop_connection();
        bench.run(10);
        assert_eq!((bench.front.borrow().logins, bench.front.borrow().subscribed.len()), (round, 1_201));
    }
    // The trader learns of a new one in the middle of the day.
    bench.contracts.lock().ensure(&symbol("rb2412"), None).unwrap();
    let events = bench.run(1);
    assert_eq!(kinds(&events)[0], Kind::InstrumentDef);
    assert!(bench.front.borrow().subscribed.contains(b"rb2412".as_slice()));
}

#[test]
fn a_refused_subscription_is_tried_again() {
    let mut bench = Bench::live(&["rb2410"]);
    bench.front.borrow_mut().subscribe_codes = [-3, -2].into();
    bench.run(1);
    assert!(bench.front.borrow().subscribed.is_empty());
    bench.run(3);
    assert_eq!(bench.front.borrow().batches, [1]);
}

#[test]
fn a_bad_password_is_not_sent_for_ever() {
    let mut bench = Bench::live(&["rb2410"]);
    bench.front.borrow_mut().login_error = 3;
    let events = bench.run(600);
    assert_eq!(bench.front.borrow().logins, 2);
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == Kind::Alarm).count(), 1);
    assert!(bench.feed.problems()[1].contains("correct the password"), "{:?}", bench.feed.problems());
}

#[test]
fn lost_data_is_a_gap_until_it_flows_again() {
    let mut bench = Bench::live(&["rb2410"]);
    bench.run(2);
    bench.drop_connection();
    let events = bench.run(3);
    assert!(!kinds(&events).contains(&Kind::Gap), "there was no data yet");
    bench.tick(bench.of("rb2410", at(20_240_604, 9, 0, 5), 1));
    bench.run(1);
    let lost_at = bench.time.now();
    bench.drop_connection();
    let events = bench.run(3);
    assert_eq!(kinds(&events), [Kind::Connection, Kind::Gap, Kind::Connection]);
    let Event::Gap(gap) = events[1].event() else { panic!() };
    assert_eq!((gap.instrument, gap.start_ns, gap.end_ns), (InstrumentId::NONE, lost_at, Nanos::ABSENT));
    // The snapshot that follows every subscription repeats the last one: no data.
    bench.tick(bench.of("rb2410", at(20_240_604, 9, 0, 5), 1));
    assert_eq!(kinds(&bench.run(1)), []);
    bench.tick(bench.of("rb2410", at(20_240_604, 9, 0, 9), 2));
    let events = bench.run(1);
    assert_eq!(kinds(&events), [Kind::Gap, Kind::DepthTick]);
    let Event::Gap(gap) = events[0].event() else { panic!() };
    assert_eq!((gap.start_ns, gap.end_ns.is_absent()), (lost_at, false));
}

#[test]
fn snapshots_that_are_no_ticks_are_counted() {
    let mut bench = Bench::live(&["rb2410", "AP410"]);
    bench.run(2);
    let of = |bench: &Bench, time, volume| bench.of("rb2410", time, volume);
    // The evening before, under today's name; an earlier trading day; then a tick and its repeats.
    bench.tick(of(&bench, at(20_240_603, 19, 20, 0), 900));
    bench.tick(DepthTick { trading_day: day(20_240_603), ..of(&bench, at(20_240_603, 14, 59, 0), 900) });
    bench.tick(of(&bench, at(20_240_604, 9, 0, 1), 10));
    bench.tick(of(&bench, at(20_240_604, 9, 0, 1), 10));
    bench.tick(of(&bench, at(20_240_604, 9, 0, 0), 10));
    bench.tick(of(&bench, at(20_240_604, 9, 0, 2), 9));
    bench.tick(of(&bench, at(20_240_604, 10, 20, 0), 12));
    bench.tick(DepthTick { instrument: InstrumentId::new(99), ..of(&bench, at(20_240_604, 9, 0, 2), 9) });
    bench.tick(DepthTick { trading_day: day(99_991_231), ..of(&bench, at(20_240_604, 9, 0, 2), 9) });
    bench.tick(of(&bench, at(20_240_604, 10, 30, 1), 12));
    // CZCE has no milliseconds: the second snapshot of a second is half a second later.
    bench.tick(bench.of("AP410", at(20_240_604, 9, 0, 1), 5));
    bench.tick(bench.of("AP410", at(20_240_604, 9, 0, 1), 6));
    let times: Vec<Nanos> = ticks(&bench.run(2)).iter().map(|tick| tick.exch_ns).collect();
    let half = at(20_240_604, 9, 0, 1).after(SECOND / 2);
    assert_eq!(times, [at(20_240_604, 9, 0, 1), at(20_240_604, 10, 30, 1), at(20_240_604, 9, 0, 1), half]);
    let expected = [("unknown-contract", 1), ("stale", 3), ("duplicate", 1), ("time-back", 2), ("out-of-session", 1)];
    assert_eq!(bench.feed.skipped(), expected);
}

#[test]
fn each_day_is_settled_once_at_the_close_or_by_the_next_days_word() {
    let mut bench = Bench::live(&["rb2410", "AP410"]);
    bench.run(2);
    let price = Price::whole;
    let with = |tick: DepthTick, settlement, pre| DepthTick { settlement, pre_settlement: price(pre), ..tick };
    bench.tick(with(bench.of("rb2410", at(20_240_604, 9, 0, 1), 10), Price::ABSENT, 3_480));
    // CZCE pushes a price by night that is none.
    bench.tick(with(bench.of("AP410", at(20_240_604, 9, 0, 1), 10), price(7_000), 7_100));
    let told = settlements(&bench.run(1));
    let expected = [(bench.id("rb2410"), price(3_480)), (bench.id("AP410"), price(7_100))];
    assert_eq!(told.iter().map(|told| (told.instrument, told.settlement)).collect::<Vec<_>>(), expected);
    assert!(told.iter().all(|told| (told.trading_day, told.next_day) == (day(20_240_603), day(20_240_604))));
    bench.time.advance_to(at(20_240_604, 15, 20, 0));
    for second in 0..3 {
        bench.tick(with(bench.of("rb2410", at(20_240_604, 15, 20, second), 10), price(3_520), 3_480));
    }
    let told = settlements(&bench.run(1));
    let [told] = told[..] else { panic!("{told:?}") };
    assert_eq!((told.settlement, told.trading_day, told.next_day), (price(3_520), day(20_240_604), day(20_240_605)));
    // The next day calls it by the same name, and nothing is told again.
    let next = DepthTick { trading_day: day(20_240_605), ..bench.of("rb2410", at(20_240_604, 21, 0, 1), 1) };
    bench.tick(with(next, Price::ABSENT, 3_520));
    let events = bench.run(1);
    assert_eq!((settlements(&events).len(), ticks(&events).len()), (0, 1));
}

#[test]
fn the_calendar_says_the_phases_and_the_exchange_overrides_it() {
    let mut bench = Bench::new(true, at(20_240_604, 8, 50, 0), &["rb2410", "m2409"]);
    let first = phases(&bench.run(1));
    assert!(first.iter().all(|phase| phase.kind() == PhaseKind::Shut));
    assert_eq!(first.len(), 2);
    bench.time.advance_to(at(20_240_604, 9, 0, 0));
    let opened = phases(&bench.run(1));
    let last: Vec<_> = opened.iter().filter(|phase| phase.kind() == PhaseKind::Continuous).collect();
    assert_eq!(last.len(), 2);
    let halt = StatusFacts {
        exchange: Some(Exchange::Shfe),
        symbol: symbol("rb"),
        phase: Some(PhaseKind::Halted),
        enter_time: Some(34_000 * SECOND),
    };
    let now = bench.time.now();
    bench.contracts.lock().push_status(&halt, now);
    bench.contracts.lock().push_status(&halt, now);
    bench.contracts.lock().push_status(&StatusFacts { exchange: Some(Exchange::Dce), ..halt }, now);
    let pushed = phases(&bench.run(1));
    let [phase] = pushed[..] else { panic!("{pushed:?}") };
    assert_eq!((phase.instrument, phase.kind()), (bench.id("rb2410"), PhaseKind::Halted));
    assert_eq!(PhaseSource::of(phase.source), Some(PhaseSource::Exchange));
}

#[test]
fn in_the_events_own_time_phases_are_the_exchanges_and_ticks_come_at_theirs() {
    let mut bench = Bench::new(false, Nanos::ABSENT, &["rb2410"]);
    bench.run(1);
    assert_eq!(bench.front.borrow().table.midnight(), at(20_240_604, 0, 0, 0), "of the night before");
    bench.time.advance_to(at(20_240_604, 8, 59, 0));
    assert_eq!(phases(&bench.run(120)).len(), 0, "the calendar is silent");
    let open = StatusFacts {
        exchange: Some(Exchange::Shfe),
        symbol: symbol("rb"),
        phase: Some(PhaseKind::Continuous),
        enter_time: Some(9 * 3_600 * SECOND),
    };
    bench.contracts.lock().push_status(&open, Nanos::ABSENT);
    bench.tick(bench.of("rb2410", at(20_240_604, 9, 30, 0), 1));
    let events = bench.run(1);
    assert_eq!(phases(&events)[0].kind(), PhaseKind::Continuous);
    let tick = events.iter().find(|slot| matches!(slot.event(), Event::DepthTick(_))).unwrap();
    assert_eq!(tick.header().recv_ns, at(20_240_604, 9, 30, 0));
}

#[test]
fn the_counters_word_on_a_contract_replaces_the_tables() {
    let mut bench = Bench::live(&["rb2410"]);
    bench.run(1);
    let facts = InstrumentFacts {
        symbol: symbol("rb2410"),
        exchange: Some(Exchange::Shfe),
        product: Text::new(b"rb").unwrap(),
        class: Some(ProductClass::Future),
        multiplier: 10,
        tick: Price::whole(2),
        max_limit_lots: Lots::new(30),
        is_trading: true,
        ..InstrumentFacts::default()
    };
    let id = bench.contracts.lock().learn(&facts).unwrap();
    bench.contracts.lock().learn(&facts).unwrap();
    let events = bench.run(1);
    let [slot] = &events[..] else { panic!("{:?}", kinds(&events)) };
    let Event::InstrumentDef(def) = slot.event() else { panic!() };
    assert_eq!((def.instrument, def.tick, def.max_limit_lots), (id, Price::whole(2), Lots::new(30)));
    // Another exchange's contract of that name is none of ours; nor is one without a tick.
    for facts in [
        InstrumentFacts { exchange: Some(Exchange::Dce), ..facts },
        InstrumentFacts { tick: Price::ZERO, symbol: symbol("rb2411"), ..facts },
    ] {
        assert_eq!(bench.contracts.lock().learn(&facts), None);
    }
}
