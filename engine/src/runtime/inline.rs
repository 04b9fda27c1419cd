//! Topology `inline`: both stages on the edge's thread, no ring between them. An output of the signal stage is taken by
//! the order stage at once; feedback waits until the signal stage is done with its event, as it would in a ring.

use super::log::{StageJournal, StageLog};
use super::room::{Room, worse};
use super::stages::{Nodes, OrderNode, Route, SignalNode, Stages, Status, Stopped};
use crate::stage::OutSlot;
use shrike_core::clock::Clock;
use shrike_core::event::{FeedbackSlot, MarketSlot, ReportSlot, RequestSlot};
use std::collections::VecDeque;

/// Both stages on one thread.
pub struct Inline<L = StageLog> {
    nodes: Nodes<L>,
    ways: Ways,
    clock: Clock,
    room: Room,
}

/// What the order stage gave and nobody has taken yet.
struct Ways {
    feedback: VecDeque<FeedbackSlot>,
    requests: Vec<RequestSlot>,
}

impl Ways {
    #[inline]
    fn route(&mut self, out: &OutSlot) {
        match Route::of(out.header().kind) {
            Route::Edge => self.requests.push(*out),
            Route::Signal => self.feedback.push_back(*out),
            Route::Journal => {}
        }
    }
}

impl<L> Inline<L> {
    /// The stages, with room for `capacity` waiting events each way.
    pub fn new(nodes: Nodes<L>, clock: Clock, capacity: usize) -> Self {
        let ways = Ways { feedback: VecDeque::with_capacity(capacity), requests: Vec::with_capacity(capacity) };
        Self { nodes, ways, clock, room: Room::new() }
    }

    /// The stages as they stand.
    pub const fn nodes(&self) -> &Nodes<L> {
        &self.nodes
    }
}

/// Lets the order stage take an output of the signal stage. The first failure is kept.
#[inline]
fn forward<L: StageJournal>(
    order: &mut OrderNode<L>,
    ways: &mut Ways,
    clock: &Clock,
    out: &OutSlot,
    result: &mut Result<(), Stopped>,
) {
    if result.is_ok() {
        *result = order.take(clock.now(), out.header(), out.event(), |out| ways.route(out)).map_err(|_| Stopped);
    }
}

/// Lets the signal stage take an event, and the order stage each of its outputs.
#[inline]
fn signal_takes<const WORDS: usize, L: StageJournal>(
    signal: &mut SignalNode<L>,
    order: &mut OrderNode<L>,
    ways: &mut Ways,
    clock: &Clock,
    slot: &shrike_core::event::Slot<WORDS>,
) -> Result<(), Stopped> {
    let mut result = Ok(());
    let taken = signal.take(clock.now(), slot.header(), slot.event(), |out| {
        forward(order, ways, clock, out, &mut result);
    });
    taken.map_err(|_| Stopped).and(result)
}

impl<L: StageJournal> Stages for Inline<L> {
    type Log = L;

    #[inline]
    fn market(&mut self, slot: &MarketSlot) -> Result<(), Stopped> {
        if !self.room.takes_market() {
            return Ok(());
        }
        signal_takes(&mut self.nodes.signal, &mut self.nodes.order, &mut self.ways, &self.clock, slot)
    }

    #[inline]
    fn report(&mut self, slot: &ReportSlot) -> Result<(), Stopped> {
        let ways = &mut self.ways;
        let taken = self.nodes.order.take(self.clock.now(), slot.header(), slot.event(), |out| ways.route(out));
        taken.map_err(|_| Stopped)
    }

    #[inline]
    fn settle(&mut self, request: &mut dyn FnMut(&RequestSlot)) -> Result<(), Stopped> {
        let (nodes, ways, mut result) = (&mut self.nodes, &mut self.ways, Ok(()));
        let pressure = worse(nodes.signal.log.pressure(), nodes.order.log.pressure());
        self.room.changed(&self.clock, pressure, |now, header, event| {
            result = nodes.order.take(now, header, event, |out| ways.route(out)).map_err(|_| Stopped);
        });
        result?;
        while let Some(slot) = self.ways.feedback.pop_front() {
            signal_takes(&mut self.nodes.signal, &mut self.nodes.order, &mut self.ways, &self.clock, &slot)?;
        }
        self.ways.requests.iter().for_each(request);
        self.ways.requests.clear();
        Ok(())
    }

    fn status(&self) -> Status {
        Status { no_room: !self.room.takes_market(), ..Status::of(&self.nodes.order.stage) }
    }

    fn finish(self) -> Nodes<L> {
        self.nodes
    }
}
