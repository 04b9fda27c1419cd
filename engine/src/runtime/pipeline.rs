//! Topology `pipeline`: the edge, the signal stage and the order stage on threads of their own, joined by rings. In
//! lockstep the edge waits after each event until the count of events under way is zero.

use super::log::{StageJournal, StageLog};
use super::room::{Room, worse};
use super::stages::{Nodes, OrderNode, Route, SignalNode, Sink, Stages, Status, Stopped, copy};
use crate::stage::OutSlot;
use shrike_core::clock::Clock;
use shrike_core::codes::AlarmKind;
use shrike_core::event::{Alarm, Event, FeedbackSlot, Header, IntentSlot, Kind, MarketSlot, ReportSlot, RequestSlot};
use shrike_core::ring::{BATCH_MAX, Consumer, Offered, Producer, Quiet, ring};
use shrike_core::thread::{Denied, Started, ThreadPlan, Waiter, Waiting, spawn};
use shrike_journal::Pressure;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// Sizes of the rings, in slots, and of their overflow queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RingSizes {
    /// Market data to the signal stage.
    pub market: usize,
    /// Quotes and intents to the order stage.
    pub intents: usize,
    /// Requests to the edge.
    pub requests: usize,
    /// Reports to the order stage.
    pub reports: usize,
    /// Feedback to the signal stage.
    pub feedback: usize,
    /// Overflow queue of each.
    pub overflow: usize,
}

/// How the two stage threads run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelinePlan {
    /// The signal thread.
    pub signal: ThreadPlan,
    /// The order thread.
    pub order: ThreadPlan,
    /// How all three wait.
    pub waiting: Waiting,
    /// The rings.
    pub rings: RingSizes,
}

/// What the threads tell each other beside the rings.
#[derive(Default)]
struct Shared {
    /// The edge wants the threads to end.
    end: AtomicBool,
    /// A stage's journal had no room.
    stopped: AtomicBool,
    /// Rings whose overflow queue is in use: bit 0 market, 1 intents, 2 requests, 3 reports, 4 feedback.
    overflow: AtomicU32,
    /// [`Status`] as bits.
    status: AtomicU8,
    /// Room in the signal journal: 0 enough, 1 low, 2 none.
    signal_room: AtomicU8,
    /// A journal has no room; set by the order thread once it has halted.
    no_room: AtomicBool,
}

const MARKET: u32 = 1;
const INTENTS: u32 = 1 << 1;
const REQUESTS: u32 = 1 << 2;
const REPORTS: u32 = 1 << 3;
const FEEDBACK: u32 = 1 << 4;

/// A producer that counts for lockstep and says when its overflow queue is in use.
struct Outlet<S> {
    ring: Producer<S>,
    quiet: Quiet,
    shared: Arc<Shared>,
    bit: u32,
    /// Whether the bit is set.
    over: bool,
}

impl<S: Default + Send + Sync + 'static> Outlet<S> {
    #[inline]
    fn give(&mut self, write: impl FnOnce(&mut S)) {
        self.quiet.add(1);
        match self.ring.offer(write) {
            Offered::Sent => {}
            Offered::Parked => self.overflows(),
            // Ring and overflow hold a whole day's replay: what is lost here is alarmed and found by the resync.
            Offered::Lost => {
                self.overflows();
                self.quiet.done(1);
            }
        }
    }

    #[cold]
    fn overflows(&mut self) {
        self.over = true;
        self.shared.overflow.fetch_or(self.bit, Ordering::Relaxed);
    }

    /// Moves what is parked, and says when nothing is any more: giving moves it too. To be called in every turn.
    #[inline]
    fn drain(&mut self) {
        if self.over && self.ring.drain() == 0 {
            self.over = false;
            self.shared.overflow.fetch_and(!self.bit, Ordering::Relaxed);
        }
    }
}

/// Three threads: this one, and the two stages'.
pub struct Pipeline<L = StageLog> {
    market: Outlet<MarketSlot>,
    reports: Outlet<ReportSlot>,
    requests: Consumer<RequestSlot>,
    signal: Started<SignalNode<L>>,
    order: Started<OrderNode<L>>,
    quiet: Quiet,
    shared: Arc<Shared>,
    waiter: Waiter,
}

impl<L: StageJournal> Pipeline<L> {
    /// Starts the two stage threads.
    ///
    /// # Errors
    /// When the host gives no thread.
    pub fn start(nodes: Nodes<L>, clock: Clock, plan: PipelinePlan) -> std::io::Result<Self> {
        let sizes = plan.rings;
        let (market_in, market) = ring::<MarketSlot>(sizes.market, sizes.overflow.min(1_024));
        let (intents_in, intents) = ring::<IntentSlot>(sizes.intents, sizes.overflow);
        let (requests_in, requests) = ring::<RequestSlot>(sizes.requests, sizes.overflow);
        let (reports_in, reports) = ring::<ReportSlot>(sizes.reports, sizes.overflow);
        let (feedback_in, feedback) = ring::<FeedbackSlot>(sizes.feedback, sizes.overflow);
        let (quiet, shared) = (Quiet::new(), Arc::new(Shared::default()));
        shared.status.store(bits(Status::of(&nodes.order.stage)), Ordering::Relaxed);
        let signal = SignalThread {
            node: nodes.signal,
            market,
            feedback,
            intents: outlet(intents_in, &quiet, &shared, INTENTS),
            clock: clock.clone(),
        };
        let order = OrderThread {
            node: nodes.order,
            intents,
            reports,
            requests: outlet(requests_in, &quiet, &shared, REQUESTS),
            feedback: outlet(feedback_in, &quiet, &shared, FEEDBACK),
            overflow: 0,
            clock,
        };
        let waiting = plan.waiting;
        Ok(Self {
            market: outlet(market_in, &quiet, &shared, MARKET),
            reports: outlet(reports_in, &quiet, &shared, REPORTS),
            requests,
            signal: spawn(plan.signal, move || signal.run(Waiter::new(waiting)))?,
            order: spawn(plan.order, move || order.run(Waiter::new(waiting)))?,
            quiet,
            shared,
            waiter: Waiter::new(waiting),
        })
    }

    /// What the host did not permit, for people.
    pub fn denied(&self) -> impl Iterator<Item = &Denied> {
        self.signal.denied.iter().chain(&self.order.denied)
    }

    fn check(&self) -> Result<(), Stopped> {
        let dead = self.signal.handle.is_finished() || self.order.handle.is_finished();
        if self.shared.stopped.load(Ordering::Acquire) || dead { Err(Stopped) } else { Ok(()) }
    }
}

fn outlet<S>(ring: Producer<S>, quiet: &Quiet, shared: &Arc<Shared>, bit: u32) -> Outlet<S> {
    Outlet { ring, quiet: quiet.clone(), shared: shared.clone(), bit, over: false }
}

const fn bits(status: Status) -> u8 {
    status.may_stop as u8 | (status.ready as u8) << 1
}

impl<L: StageJournal> Stages for Pipeline<L> {
    type Log = L;

    #[inline]
    fn market(&mut self, slot: &MarketSlot, _: &mut Sink<'_>) -> Result<(), Stopped> {
        self.market.give(|room| *room = *slot);
        Ok(())
    }

    #[inline]
    fn report(&mut self, slot: &ReportSlot, _: &mut Sink<'_>) -> Result<(), Stopped> {
        self.reports.give(|room| *room = *slot);
        Ok(())
    }

    #[inline]
    fn settle(&mut self, request: &mut Sink<'_>) -> Result<(), Stopped> {
        loop {
            self.market.drain();
            self.reports.drain();
            let quiet = &self.quiet;
            let taken = self.requests.take_batch(BATCH_MAX, |slot| {
                request(slot);
                quiet.done(1);
            });
            if taken == 0 && self.quiet.is_quiet() {
                return Ok(());
            }
            if taken == 0 {
                self.check()?;
            }
            self.waiter.after(taken);
        }
    }

    fn status(&self) -> Status {
        let bits = self.shared.status.load(Ordering::Acquire);
        let no_room = self.shared.no_room.load(Ordering::Acquire);
        Status { may_stop: bits & 1 != 0, ready: bits & 2 != 0, no_room }
    }

    fn finish(self) -> Nodes<L> {
        self.shared.end.store(true, Ordering::Release);
        let join = |result: std::thread::Result<_>| match result {
            Ok(node) => node,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let signal = match self.signal.handle.join() {
            Ok(node) => node,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        Nodes { signal, order: join(self.order.handle.join()) }
    }
}

/// The signal thread: feedback first, then market data, each bounded.
struct SignalThread<L> {
    node: SignalNode<L>,
    market: Consumer<MarketSlot>,
    feedback: Consumer<FeedbackSlot>,
    intents: Outlet<IntentSlot>,
    clock: Clock,
}

impl<L: StageJournal> SignalThread<L> {
    fn run(mut self, mut waiter: Waiter) -> SignalNode<L> {
        let shared = self.intents.shared.clone();
        let mut room = Room::new();
        while !shared.stopped.load(Ordering::Relaxed) {
            let Self { node, market, feedback, intents, clock } = &mut self;
            let pressure = node.log.pressure();
            room.changed(clock, pressure, |_, _, _| shared.signal_room.store(code(pressure), Ordering::Release));
            let mut take = |header: &Header, event: Event<'_>, market: bool| {
                if (!market || room.takes_market())
                    && node.take(clock.now(), header, event, |out| intents.give(|room| copy(room, out))).is_err()
                {
                    shared.stopped.store(true, Ordering::Release);
                }
                intents.quiet.done(1);
            };
            let taken = feedback.take_batch(BATCH_MAX, |slot| take(slot.header(), slot.event(), false))
                + market.take_batch(BATCH_MAX, |slot| take(slot.header(), slot.event(), true));
            intents.drain();
            if taken == 0 && shared.end.load(Ordering::Acquire) {
                break;
            }
            waiter.after(taken);
        }
        self.node
    }
}

/// The order thread: reports (commands among them) first, then quotes and intents, each bounded.
struct OrderThread<L> {
    node: OrderNode<L>,
    intents: Consumer<IntentSlot>,
    reports: Consumer<ReportSlot>,
    requests: Outlet<RequestSlot>,
    feedback: Outlet<FeedbackSlot>,
    /// The overflow bits that the stage was last told.
    overflow: u32,
    clock: Clock,
}

impl<L: StageJournal> OrderThread<L> {
    fn run(mut self, mut waiter: Waiter) -> OrderNode<L> {
        let shared = self.requests.shared.clone();
        let mut room = Room::new();
        while !shared.stopped.load(Ordering::Relaxed) {
            let Self { node, intents, reports, requests, feedback, overflow, clock } = &mut self;
            let order_pressure = node.log.pressure();
            let mut take = |header: &Header, event: Event<'_>, counted: bool| {
                let taken = node.take(clock.now(), header, event, |out: &OutSlot| match Route::of(out.header().kind) {
                    Route::Edge => requests.give(|room| copy(room, out)),
                    Route::Signal => feedback.give(|room| copy(room, out)),
                    Route::Journal => {}
                });
                if taken.is_err() {
                    shared.stopped.store(true, Ordering::Release);
                }
                shared.status.store(bits(Status::of(&node.stage)), Ordering::Release);
                if counted {
                    requests.quiet.done(1);
                }
            };
            let pressure = worse(pressure(shared.signal_room.load(Ordering::Acquire)), order_pressure);
            room.changed(clock, pressure, |_, header, event| take(header, event, false));
            shared.no_room.store(!room.takes_market(), Ordering::Release);
            let now_over = shared.overflow.load(Ordering::Relaxed);
            if now_over != *overflow {
                *overflow = now_over;
                let (alarm, header) = overflow_alarm(now_over);
                take(&header, Event::Alarm(&alarm), false);
            }
            let taken = reports.take_batch(BATCH_MAX, |slot| take(slot.header(), slot.event(), true))
                + intents.take_batch(BATCH_MAX, |slot| take(slot.header(), slot.event(), true));
            requests.drain();
            feedback.drain();
            if taken == 0 && shared.end.load(Ordering::Acquire) {
                break;
            }
            waiter.after(taken);
        }
        self.node
    }
}

const fn code(pressure: Pressure) -> u8 {
    match pressure {
        Pressure::Normal => 0,
        Pressure::Low => 1,
        Pressure::Full => 2,
    }
}

const fn pressure(code: u8) -> Pressure {
    match code {
        0 => Pressure::Normal,
        1 => Pressure::Low,
        _ => Pressure::Full,
    }
}

/// Tells the order stage which rings overflow: while any does, it only reduces.
fn overflow_alarm(bits: u32) -> (Alarm, Header) {
    let alarm = Alarm {
        instrument: shrike_core::instrument::InstrumentId::NONE,
        value: i64::from(bits),
        kind: AlarmKind::RingOverflow.code(),
        cleared: u8::from(bits == 0),
        ..Alarm::default()
    };
    (alarm, Header { kind: Kind::Alarm as u16, version: 1, ..Header::default() })
}
