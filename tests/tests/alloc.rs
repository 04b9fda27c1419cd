//! After the first trading day the hot path allocates nothing: counted by the test's own allocator on the thread that
//! runs the edge and both stages with their mapped journals, outside of the market and the simulated exchange.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its contract")]

use shrike_config::tables::Tables;
use shrike_core::clock::SimTime;
use shrike_core::event::{Event, Header, MarketSlot, ReportSlot};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, TradingDay};
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, Run};
use shrike_engine::setup;
use shrike_engine::signal::{Intents, Market, SavedStateError, SignalStage, Strategy, StrategySpec};
use shrike_tests::configured;
use shrike_tools::compose::{self, Counter};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

thread_local! {
    /// Whether this thread is on the hot path now. Other threads (the journals' helpers) never are.
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator with the arguments it came with; switch and count are
// constant-initialised cells of the thread without destructors, which need no allocation themselves.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.get() {
            COUNT.set(COUNT.get() + 1);
        }
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `System.alloc` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Does something that is not the engine's hot path.
fn outside<T>(work: impl FnOnce() -> T) -> T {
    let counting = COUNTING.replace(false);
    let done = work();
    COUNTING.set(counting);
    done
}

/// A market that is not counted, and counts from its second trading day to its end.
struct Outside<F> {
    feed: F,
    first: TradingDay,
    ticks: u64,
}

impl<F: MarketFeed> MarketFeed for Outside<F> {
    fn next(&mut self) -> Next {
        let next = outside(|| self.feed.next());
        if next == Next::End {
            // What follows is the end of the run, which closes files.
            COUNTING.set(false);
        }
        next
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        let taken = outside(|| self.feed.take(slot));
        if let Event::DepthTick(tick) = slot.event() {
            if self.first.is_absent() {
                self.first = tick.trading_day;
            }
            let warm = tick.trading_day > self.first;
            self.ticks += u64::from(warm);
            COUNTING.set(warm);
        }
        taken
    }
}

/// A venue that is not counted.
struct Venue(Counter);

impl Gateway for Venue {
    fn request(&mut self, now: Nanos, header: &Header, request: Event<'_>) {
        outside(|| self.0.request(now, header, request));
    }
    fn next(&mut self) -> Next {
        outside(|| self.0.next())
    }
    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        outside(|| self.0.take(slot))
    }
    fn on_market(&mut self, header: &Header, event: Event<'_>) {
        outside(|| self.0.on_market(header, event));
    }
}

/// What two days of a generated market with these further strategies allocate on the second, and the ticks and fills of
/// that day.
fn second_day(more: impl Fn() -> Vec<StrategySpec>) -> (u64, u64, usize) {
    let home = tempfile::tempdir().unwrap();
    let sets =
        ["run.topology=inline", "generator.products=[\"rb\", \"TA\"]", "generator.days=2", "journal.segment_mib=16"];
    let loaded = configured("demo", home.path(), &sets);
    let (config, tables) = (&loaded.config, Tables::builtin().unwrap());
    let feed = compose::market(config, &tables).unwrap();
    let mut feed = Outside { feed, first: TradingDay::ABSENT, ticks: 0 };
    let mut venue = Venue(Counter::new(config, &tables));
    let stages = || {
        let (_, order) = setup::stages(config, &tables);
        let strategies = setup::strategies(config).into_iter().chain(more()).collect();
        (SignalStage::new(setup::INSTRUMENTS_MAX, strategies), order)
    };
    // Journals as a live run writes them: a helper thread prepares segments and copies to disk.
    let options = setup::engine_options(&loaded, false, "test");
    let engine = Engine::open(home.path(), stages, options).unwrap();
    let Next::At(start) = feed.next() else { panic!("the market has no event") };
    COUNT.set(0);
    let run = Run {
        feed: &mut feed,
        gateway: &mut venue,
        pace: Pace::Max(Arc::new(SimTime::new(start))),
        told: &AtomicBool::new(false),
        commands: None,
        catchup_before: Nanos::ABSENT,
        days: 0,
        progress: &mut |_, _| {},
        say: &mut |_| {},
        config_text: &loaded.text,
    };
    engine.run(run).unwrap();
    COUNTING.set(false);
    (COUNT.get(), feed.ticks, venue.0.exchange.fills().len())
}

/// Allocates once for each tick.
struct Careless;

impl Strategy for Careless {
    fn update(&mut self, _market: &Market, event: Event<'_>) {
        if let Event::DepthTick(tick) = event {
            std::hint::black_box(vec![tick.last]);
        }
    }
    fn intend(&self, _market: &Market, _instrument: InstrumentId, _intents: &mut Intents) {}
    fn save(&self, _out: &mut Vec<u8>) {}
    fn load(&mut self, _bytes: &[u8]) -> Result<(), SavedStateError> {
        Ok(())
    }
}

#[test]
fn the_hot_path_allocates_nothing_once_warm() {
    let (count, ticks, fills) = second_day(Vec::new);
    println!("{ticks} ticks, {fills} fills, {count} allocations");
    assert!(ticks > 10_000 && fills > 100, "the day is quoted and traded: {ticks} ticks, {fills} fills");
    assert_eq!(count, 0);
}

#[test]
fn a_strategy_that_allocates_is_caught() {
    let careless = || {
        vec![StrategySpec { id: 3, name: "careless".into(), symbols: vec!["rb*".into()], strategy: Box::new(Careless) }]
    };
    let (count, ticks, _) = second_day(careless);
    println!("{ticks} ticks, {count} allocations");
    assert!(count > 1_000, "{count} allocations seen");
}
