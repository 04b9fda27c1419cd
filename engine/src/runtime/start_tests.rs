//! Starts, whole, over journals on pages: a short session of both stages with a venue that fills whatever it is sent, then
//! processes that find of its journals and its snapshot what a crash may leave, and nobody to talk to.

use super::start_kit::*;
use super::*;
use crate::order::{OrderCapacity, OrderSettings, OrderStage, Pair, Wanted};
use crate::setup;
use crate::signal::{SignalStage, StrategySpec};
use shrike_config::Config;
use shrike_config::tables::Tables;
use shrike_core::clock::{Clock, SimTime};
use shrike_core::codes::StageId;
use shrike_core::event::{Event, Header, Login, MarketSlot, Rates, ReportSlot, Seq, flags};
use shrike_core::thread::ThreadPlan;
use shrike_core::units::{Lots, Money, Nanos};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

type Log = <Desk as Journals>::Log;

// ---- lives --------------------------------------------------------------------------------------------------------

fn settings(config: &str) -> OrderSettings {
    setup::order_settings(&Config::from_text(config).unwrap(), &Tables::builtin().unwrap())
}

/// The engine over a home, under the settings of every day.
fn open(home: &Desk) -> Engine<Desk> {
    static SETTINGS: LazyLock<OrderSettings> = LazyLock::new(|| settings(""));
    open_under(home, &SETTINGS)
}

fn open_under(home: &Desk, settings: &OrderSettings) -> Engine<Desk> {
    let capacity = OrderCapacity { instruments: 2, strategies: 1, orders: 64 };
    let fresh = || {
        let strategy = Box::new(Wavering::default());
        let spec = StrategySpec { id: 1, name: "wavering".into(), symbols: vec!["*".into()], strategy };
        (SignalStage::new(2, vec![spec]), OrderStage::new(settings.clone(), capacity))
    };
    let options = EngineOptions {
        topology: Topology::Inline,
        journals: [options(StageId::Signal), options(StageId::Order)],
        orders_sync: false,
        lock_memory: false,
        edge: ThreadPlan::default(),
        build: "test".into(),
        config_hash: 1,
        run_id: 1,
    };
    Engine::over(home.clone(), fresh, options).unwrap()
}

fn live(home: &Desk, feed: &mut Feed, venue: &mut Venue, told: bool) {
    live_on(home, feed, venue, told, |nodes, clock| Inline::new(nodes, clock, 1_024));
}

fn live_on<S: Stages<Log = Log>>(
    home: &Desk,
    feed: &mut Feed,
    venue: &mut Venue,
    told: bool,
    put: impl FnOnce(Nodes<Log>, Clock) -> S,
) {
    let engine = open(home);
    let begin = Nanos::china(today(), 9 * 3600, 0).max(engine.folded().order.taken_ns).after(1);
    let run = Run {
        feed,
        gateway: venue,
        pace: Pace::Max(Arc::new(SimTime::new(begin))),
        told: &AtomicBool::new(told),
        commands: None,
        catchup_before: Nanos::ABSENT,
        days: 0,
        progress: &mut |_, _| {},
        say: &mut |text| panic!("{text}"),
        config_text: "",
    };
    engine.run_on(run, |nodes, clock, _| Ok(put(nodes, clock))).unwrap();
}

/// A home after a session, and the venue's side of it.
fn session() -> (Desk, Venue) {
    session_on(|_, nodes, clock| Inline::new(nodes, clock, 1_024))
}

fn session_on<S: Stages<Log = Log>>(put: impl FnOnce(&Desk, Nodes<Log>, Clock) -> S) -> (Desk, Venue) {
    let (home, mut venue) = (Desk::empty(), Venue::default());
    let begin = Nanos::china(today(), 9 * 3600, 0);
    venue.says(begin, &Login { trading_day: today(), front_id: 1, session_id: 7, ..Login::default() });
    let (ratio, fee) = (10_000_000, Money::whole(2));
    venue.says(
        begin.after(600 * Nanos::PER_MILLI),
        &Rates {
            instrument: RU,
            long_margin_ratio: ratio,
            short_margin_ratio: ratio,
            open_per_lot: fee,
            close_per_lot: fee,
            close_today_per_lot: fee,
            ..Rates::default()
        },
    );
    live_on(&home, &mut Feed::of_a_day(begin), &mut venue, false, |nodes, clock| put(&home, nodes, clock));
    assert!(
        venue.orders.len() > 10 && venue.orders.iter().any(|order| order.lots > Lots::new(1)),
        "{:?}",
        venue.orders
    );
    (home, venue)
}

/// A life that hears nothing and is told to stop at once: only the start's own words.
fn start_and_stop(home: &Desk) {
    live(home, &mut Feed::default(), &mut Venue::default(), true);
}

fn saved(engine: &Engine<Desk>) -> (Vec<u8>, Vec<u8>) {
    let (mut signal, mut order) = (Vec::new(), Vec::new());
    engine.signal().save(&mut signal);
    engine.order().save(&mut order);
    (signal, order)
}

// ---- what must hold -----------------------------------------------------------------------------------------------

#[test]
fn the_books_of_a_start_hold_what_was_sent_whatever_would_be_sent_now() {
    let (home, venue) = session();
    let sent: Vec<_> =
        venue.orders.iter().map(|order| (order.order_ref, order.side, order.lots, order.price)).collect();
    for config in ["", "[risk]\nmax_order_lots = 1", "[risk]\nmax_net_lots = 0", "[risk]\norders_per_second = 1"] {
        let engine = open_under(&home.copy(), &settings(config));
        let ledger = engine.order().ledger();
        let held: Vec<_> =
            ledger.orders().map(|(_, order)| (order.order_ref, order.side.code(), order.lots, order.price)).collect();
        assert_eq!(held, sent, "{config}");
        assert_eq!(ledger.strategy_position(1, RU).net.get(), venue.net(), "{config}");
        assert!(ledger.orders().all(|(_, order)| order.filled == order.lots && !order.wild), "{config}");
        assert!(ledger.next_ref() > sent.last().unwrap().0, "{config}: no number is given twice");
    }
}

/// What a stage recorded for the other stands in the other's journal, once and unchanged, and no number stands for two
/// things; the order stage wants what was last stated.
fn assert_caught_up(home: &Desk, cut: (usize, usize)) {
    let stages = [StageId::Signal, StageId::Order];
    let records = stages.map(|stage| home.records(stage));
    for (giver, taker) in [(0, 1), (1, 0)] {
        let mut times = BTreeMap::<Seq, u32>::new();
        let written: BTreeMap<Seq, _> =
            records[giver].iter().map(|(header, body)| (header.seq, (header, body))).collect();
        let taken = records[taker].iter().filter(|(header, _)| header.cause.stage() == Some(stages[giver]));
        for (header, body) in taken.filter(|(header, _)| !header.has(flags::OUTPUT)) {
            *times.entry(header.cause).or_default() += 1;
            if let Some((given, words)) = written.get(&header.cause) {
                assert!(given.kind == header.kind && *words == body, "{cut:?}: {} is two things", header.cause);
            }
        }
        let goes = |header: &Header| giver == 0 || Route::of(header.kind) == Route::Signal;
        for (seq, (header, _)) in written {
            if header.has(flags::OUTPUT) && goes(header) {
                assert_eq!(times.get(&seq), Some(&1), "{cut:?}: {seq}, of kind {}, is taken once", header.kind);
            }
        }
    }
    let stated = records[0].iter().rev().find_map(|(header, body)| match Event::read(header.kind, body) {
        Event::TargetPosition(target) => Some(*target),
        _ => None,
    });
    let engine = open(home);
    let pair = Pair { strategy: 1, instrument: RU };
    let row = engine.order().targets().get(pair).copied().unwrap();
    if let Some(stated) = stated {
        let wanted = Wanted::Position { lots: stated.lots, limit: stated.limit, aggressive: true };
        assert_eq!((row.revision, row.wanted), (stated.revision, wanted), "{cut:?}");
    }
}

/// Counts what leaves from within each call.
struct Watched {
    stages: Inline<Log>,
    home: Desk,
    left: Rc<RefCell<BTreeMap<&'static str, usize>>>,
}

impl Watched {
    fn call<T>(
        &mut self,
        name: &'static str,
        to: &mut Sink<'_>,
        call: impl FnOnce(&mut Inline<Log>, &mut Sink<'_>) -> T,
    ) -> T {
        let Self { stages, home, left } = self;
        call(stages, &mut |request| {
            let (last, _) = *home.records(StageId::Order).last().unwrap();
            assert_eq!((last.seq, last.kind), (request.header().seq, request.header().kind), "it is the last record");
            *left.borrow_mut().entry(name).or_default() += 1;
            to(request);
        })
    }
}

impl Stages for Watched {
    type Log = Log;

    fn market(&mut self, slot: &MarketSlot, request: &mut Sink<'_>) -> Result<(), Stopped> {
        self.call("market", request, |stages, request| stages.market(slot, request))
    }
    fn report(&mut self, slot: &ReportSlot, request: &mut Sink<'_>) -> Result<(), Stopped> {
        self.call("report", request, |stages, request| stages.report(slot, request))
    }
    fn settle(&mut self, request: &mut Sink<'_>) -> Result<(), Stopped> {
        self.call("settle", request, Stages::settle)
    }
    fn status(&self) -> Status {
        self.stages.status()
    }
    fn finish(self) -> Nodes<Log> {
        self.stages.finish()
    }
}

#[test]
fn a_request_leaves_as_soon_as_it_is_journaled() {
    let left = Rc::new(RefCell::new(BTreeMap::new()));
    let watch = |home: &Desk, nodes, clock| Watched {
        stages: Inline::new(nodes, clock, 1_024),
        home: home.clone(),
        left: left.clone(),
    };
    let (_, venue) = session_on(watch);
    let left = left.borrow();
    println!("{left:?} of {} orders", venue.orders.len());
    assert!(left["market"] > 10 && left["report"] > 0, "orders at their ticks, the resync at the login: {left:?}");
    assert!(!left.contains_key("settle"), "nothing waits for what follows from it: {left:?}");
}

#[test]
fn journals_that_end_at_any_two_places_catch_each_other_up() {
    let (home, _) = session();
    let [signal, order] = [StageId::Signal, StageId::Order].map(|stage| home.records(stage).len());
    assert!(signal > 80 && order > 120, "{signal} and {order} records");
    let places = |len: usize, step: usize| (0..len).step_by(step).chain(len.saturating_sub(4)..=len);
    for cut in places(signal, 7).flat_map(|signal| places(order, 5).map(move |order| (signal, order))) {
        let home = home.cut(cut.0, cut.1);
        start_and_stop(&home);
        assert_caught_up(&home, cut);
        assert_caught_up(&home, cut);
        // And what was begun is gone on with.
        start_and_stop(&home);
        assert_caught_up(&home, cut);
    }
}

#[test]
fn a_snapshot_serves_the_journals_that_go_on_from_it() {
    let (home, _) = session();
    let whole = home.copy();
    let folded = open(&whole);
    let with = open(&whole.copy().with_snapshot_of(&home));
    assert!(
        with.notes().iter().any(|note| note.contains("started from the snapshot; 0 records")),
        "{:?}",
        with.notes()
    );
    assert!(saved(&with) == saved(&folded));

    // A later life, over which the snapshot of the first is left.
    start_and_stop(&whole);
    let folded = open(&whole.copy());
    let with = open(&whole.copy().with_snapshot_of(&home));
    assert!(with.notes().iter().any(|note| note.contains("started from the snapshot")), "{:?}", with.notes());
    assert!(saved(&with) == saved(&folded));
    assert_eq!(format!("{:?}", with.folded()), format!("{:?}", folded.folded()), "and both have found the same");
}

#[test]
fn a_snapshot_beyond_the_end_of_a_journal_is_removed() {
    let (home, _) = session();
    let [signal, order] = [StageId::Signal, StageId::Order].map(|stage| home.records(stage).len());
    for cut in [(signal - 1, order), (signal, order - 1), (signal - 9, order - 9), (0, order), (0, 0)] {
        let folded = open(&home.cut(cut.0, cut.1));
        let left = home.cut(cut.0, cut.1).with_snapshot_of(&home);
        let engine = open(&left);
        assert!(engine.notes().iter().any(|note| note.contains("end before it")), "{cut:?}: {:?}", engine.notes());
        assert!(saved(&engine) == saved(&folded), "{cut:?}");
        assert_eq!(format!("{:?}", engine.folded()), format!("{:?}", folded.folded()), "{cut:?}");
        assert!(left.snapshot.borrow().is_none(), "{cut:?}: other records may come to stand where it ends");
    }
}
