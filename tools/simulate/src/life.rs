//! One life of the engine: the real start, the real edge, the real stages on one thread, until it is told to stop or is
//! killed. The edge sees the world as its feed, gateway and commands; between its events the judge looks at the books.

use crate::coverage::States;
use crate::disk::{Disk, MortalLog};
use crate::fault::Fault;
use crate::rng::Rng;
use crate::settings::Settings;
use crate::world::{Act, World};
use shrike_core::clock::SimTime;
use shrike_core::event::{Command, Event, Header, MarketSlot, ReportSlot, Seq};
use shrike_core::thread::ThreadPlan;
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::order::OrderStage;
use shrike_engine::runtime::{
    Commands, Engine, EngineOptions, Inline, Nodes, Pace, Run, RunError, Sink, Stages, Status, Stopped, Topology,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The world, shared by the ends that the edge holds.
pub(crate) type Shared = Rc<RefCell<World>>;

struct Feed(Shared);
struct Venue(Shared);
struct Operator(Shared);

impl MarketFeed for Feed {
    fn next(&mut self) -> Next {
        let world = self.0.borrow();
        world.next_market().map_or(Next::Idle, |due| Next::At(world.on_host(due)))
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.0.borrow_mut().take_market(slot)
    }
}

impl Gateway for Venue {
    fn request(&mut self, _now: Nanos, header: &Header, request: Event<'_>) {
        if let Event::OrderRequest(request) = request {
            self.0.borrow_mut().request(header, request);
        }
    }

    fn next(&mut self) -> Next {
        let world = self.0.borrow();
        Next::At(world.on_host(world.next()))
    }

    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        self.0.borrow_mut().step(slot)
    }
}

impl Commands for Operator {
    fn next(&mut self) -> Option<(Seq, Command, u64)> {
        self.0.borrow_mut().next_command()
    }
}

/// What the stages held when the process died.
pub(crate) type LastWords = Rc<RefCell<Option<[Vec<u8>; 2]>>>;

/// The stages, with the judge beside them.
struct Watched<'a> {
    inner: Inline<MortalLog>,
    world: Shared,
    /// Events that the process still takes.
    events_left: u64,
    settled: u64,
    told: &'a AtomicBool,
    last_words: LastWords,
    /// A process that the judge ended is no crash.
    over: bool,
    killed: &'a Cell<Option<Fault>>,
}

impl Watched<'_> {
    /// Before an event: what struck since the last one found the orders as they still are.
    fn before(&mut self) -> Result<(), Stopped> {
        let mut world = self.world.borrow_mut();
        if !world.judge.pending.is_empty() {
            let pending = std::mem::take(&mut world.judge.pending);
            for &(fault, order_ref) in &pending {
                meet(&mut world, self.inner.nodes(), fault, order_ref);
            }
            world.judge.pending = pending;
            world.judge.pending.clear();
        }
        if world.judge.failure.is_some() {
            self.over = true;
            return Err(Stopped);
        }
        if world.stop {
            self.told.store(true, Ordering::Relaxed);
        }
        if world.evening {
            return Ok(());
        }
        if self.events_left == 0 {
            self.killed.set(Some(Fault::Kill));
            meet_all(&mut world, self.inner.nodes(), Fault::Kill);
            return Err(Stopped);
        }
        self.events_left -= 1;
        Ok(())
    }

    /// After an event: what the stages decided is judged, and the process may have met its end.
    fn after(&mut self, done: Result<(), Stopped>) -> Result<(), Stopped> {
        let mut world = self.world.borrow_mut();
        if done.is_err() && world.fate.has_died() {
            self.killed.set(Some(Fault::KillInEvent));
            meet_all(&mut world, self.inner.nodes(), Fault::KillInEvent);
        }
        world.judge_decisions();
        done
    }
}

/// Counts a fault at the order that it is about, or at every state that the day's own orders are in.
fn meet(world: &mut World, nodes: &Nodes<MortalLog>, fault: Fault, order_ref: u64) {
    if order_ref == 0 {
        return meet_all(world, nodes, fault);
    }
    let ledger = nodes.order.stage.ledger();
    if let Some(order) = ledger.order_by_ref(order_ref).and_then(|index| ledger.order(index)) {
        world.judge.coverage.met(fault, order.state);
    }
}

fn meet_all(world: &mut World, nodes: &Nodes<MortalLog>, fault: Fault) {
    meet_states(world, &nodes.order.stage, fault);
}

fn meet_states(world: &mut World, stage: &OrderStage, fault: Fault) {
    let mut seen = States::default();
    for (_, order) in stage.ledger().orders().filter(|(_, order)| !order.wild) {
        if let Some(seen) = seen.get_mut(usize::from(order.state.code()) - 1)
            && !std::mem::replace(seen, true)
        {
            world.judge.coverage.met(fault, order.state);
        }
    }
    world.judge.dying = seen;
}

impl Stages for Watched<'_> {
    type Log = MortalLog;

    fn market(&mut self, slot: &MarketSlot, request: &mut Sink<'_>) -> Result<(), Stopped> {
        self.before()?;
        let done = self.inner.market(slot, request);
        self.after(done)
    }

    fn report(&mut self, slot: &ReportSlot, request: &mut Sink<'_>) -> Result<(), Stopped> {
        self.before()?;
        let done = self.inner.report(slot, request);
        self.after(done)
    }

    fn settle(&mut self, request: &mut Sink<'_>) -> Result<(), Stopped> {
        let alarm = self.world.borrow_mut().overflow_alarm();
        if let Some(slot) = alarm {
            self.report(&slot, request)?;
        }
        let done = self.inner.settle(request);
        self.after(done)?;
        let mut world = self.world.borrow_mut();
        if world.sends_left == 0 {
            self.killed.set(Some(Fault::KillInSend));
            meet_all(&mut world, self.inner.nodes(), Fault::KillInSend);
            return Err(Stopped);
        }
        self.settled += 1;
        if self.settled.is_multiple_of(16) {
            world.compare_quiet(self.inner.nodes());
        }
        if std::mem::take(&mut world.compare) {
            world.compare_books(self.inner.nodes());
        }
        if world.stop {
            self.told.store(true, Ordering::Relaxed);
        }
        if world.judge.failure.is_some() {
            self.over = true;
            return Err(Stopped);
        }
        Ok(())
    }

    fn status(&self) -> Status {
        self.inner.status()
    }

    fn finish(self) -> Nodes<MortalLog> {
        let nodes = self.inner.finish();
        if self.killed.get().is_some() {
            let (mut signal, mut order) = (Vec::new(), Vec::new());
            nodes.signal.stage.save(&mut signal);
            nodes.order.stage.save(&mut order);
            *self.last_words.borrow_mut() = Some([signal, order]);
        }
        nodes
    }
}

/// How a life ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// In order.
    Stopped,
    /// Killed.
    Killed,
    /// Its disk let it down, or it never started.
    Failed,
    /// A rule was broken.
    Broken,
}

/// Lets the engine live once over the home as it is.
pub(crate) fn live(world: &Shared, settings: &Settings, chance: &mut Rng, last_words: &LastWords) -> Ended {
    let (disk, fate, start, seed) = {
        let mut world = world.borrow_mut();
        world.fate = world.disk.new_fate();
        if world.trace.is_some() {
            world.fate.keep_all();
        }
        (world.disk.clone(), world.fate.clone(), world.on_host(world.now), world.life)
    };
    let before = last_words.borrow_mut().take();
    let options = EngineOptions {
        topology: Topology::Inline,
        journals: Disk::options(seed),
        orders_sync: settings.orders_sync,
        edge: ThreadPlan { name: "simulate".into(), core: None, fifo_priority: None },
        lock_memory: false,
        build: env!("CARGO_PKG_VERSION").into(),
        config_hash: 1,
        run_id: seed,
    };
    let engine = match Engine::over(disk.clone(), || settings.stages(), options) {
        Ok(engine) => engine,
        Err(error) => {
            let mut world = world.borrow_mut();
            if !matches!(error, RunError::Open(shrike_journal::OpenError::Io { .. })) {
                world.fail("a start succeeds", error.to_string());
                return Ended::Broken;
            }
            world.note(format_args!("no start: {error}"));
            return Ended::Failed;
        }
    };
    {
        let mut world = world.borrow_mut();
        for note in engine.notes() {
            world.note(format_args!("{note}"));
        }
        world.compare_recovery(&engine, before.as_ref(), settings);
        world.compare = false;
        if world.judge.failure.is_some() {
            return Ended::Broken;
        }
        world.host_crashed = false;
        let folded = engine.folded();
        if folded.signal.last_given != folded.order.last_neighbour
            || folded.order.last_given != folded.signal.last_neighbour
        {
            world.struck(Fault::TwoEnds, 0);
            meet_states(&mut world, engine.order(), Fault::TwoEnds);
        }
        world.process_starts();
    }
    let (told, killed) = (AtomicBool::new(false), Cell::new(None));
    let mut events_left = u64::MAX;
    {
        let mut world = world.borrow_mut();
        world.sends_left = u64::MAX;
        if !world.evening {
            if world.dice.strikes(Fault::Kill).is_some() {
                events_left = 5 + chance.below(900);
            }
            if world.dice.strikes(Fault::KillInEvent).is_some() {
                fate.dies_after(20 + chance.below(3_000));
            }
            if world.dice.strikes(Fault::KillInSend).is_some() {
                world.sends_left = 1 + chance.below(50);
            }
        }
        if world.dice.strikes(Fault::Stop).is_some() {
            world.struck(Fault::Stop, 0);
            let (in_ns, life) = (chance.below(20_000) * Nanos::PER_MILLI, world.life);
            world.plan(in_ns, Act::Stop(life));
        }
    }
    let time = Arc::new(SimTime::new(start));
    let (mut feed, mut venue, mut operator) = (Feed(world.clone()), Venue(world.clone()), Operator(world.clone()));
    let run = Run {
        feed: &mut feed,
        gateway: &mut venue,
        pace: Pace::Max(time),
        told: &told,
        commands: Some(&mut operator),
        catchup_before: Nanos::ABSENT,
        days: 0,
        progress: &mut |_, _| {},
        say: &mut |_| {},
        config_text: "simulated",
    };
    let put = |nodes, clock, _: &mut dyn FnMut(&str)| {
        Ok(Watched {
            inner: Inline::new(nodes, clock, 1_024),
            world: world.clone(),
            events_left,
            settled: 0,
            told: &told,
            last_words: last_words.clone(),
            over: false,
            killed: &killed,
        })
    };
    let ended = engine.run_on(run, put);
    let mut world = world.borrow_mut();
    world.judge_decisions();
    world.judge.pending.clear();
    world.process_ends();
    if world.judge.failure.is_some() {
        return Ended::Broken;
    }
    match (ended, killed.get()) {
        (_, Some(fault)) => {
            world.struck(fault, 0);
            Ended::Killed
        }
        // Killed while it started: before the edge ran.
        (Err(RunError::Stopped(_)), None) if fate.has_died() => {
            world.struck(Fault::KillInEvent, 0);
            Ended::Killed
        }
        (Ok(_), None) => Ended::Stopped,
        (Err(_), None) => Ended::Failed,
    }
}
