//! Topology `inline`: both stages on the edge's thread, no ring between them. An output of the signal stage is taken by
//! the order stage at once; feedback waits until the signal stage is done with its event, as it would in a ring.

use super::log::{StageJournal, StageLog};
use super::room::{Room, worse};
use super::stages::{Nodes, OrderNode, Route, Sink, Stages, Status, Stopped};
use crate::stage::OutSlot;
use shrike_core::clock::Clock;
use shrike_core::event::{Event, FeedbackSlot, Header, Kind, MarketSlot, ReportSlot, Slot};
use shrike_core::units::Nanos;
use std::collections::VecDeque;

/// Both stages on one thread.
pub struct Inline<L = StageLog> {
    nodes: Nodes<L>,
    /// What the order stage told the signal stage, which has not taken it yet.
    feedback: VecDeque<FeedbackSlot>,
    clock: Clock,
    room: Room,
}

impl<L> Inline<L> {
    /// The stages, with room for `capacity` events on their way back.
    pub fn new(nodes: Nodes<L>, clock: Clock, capacity: usize) -> Self {
        Self { nodes, feedback: VecDeque::with_capacity(capacity), clock, room: Room::new() }
    }

    /// The stages as they stand.
    pub const fn nodes(&self) -> &Nodes<L> {
        &self.nodes
    }
}

/// Where the outputs of the order stage go.
struct Ways<'a, 'b> {
    feedback: &'a mut VecDeque<FeedbackSlot>,
    request: &'a mut Sink<'b>,
}

impl Ways<'_, '_> {
    #[inline]
    fn route(&mut self, out: &OutSlot) {
        match Route::of(out.header().kind) {
            Route::Edge => (self.request)(out),
            Route::Signal => self.feedback.push_back(*out),
            Route::Journal => {}
        }
    }
}

/// Lets the order stage take an event.
#[inline]
fn order_takes<L: StageJournal>(
    order: &mut OrderNode<L>,
    ways: &mut Ways<'_, '_>,
    now: Nanos,
    header: &Header,
    event: Event<'_>,
) -> Result<(), Stopped> {
    order.take(now, header, event, |out| ways.route(out)).map_err(|_| Stopped)
}

/// Lets the signal stage take an event, and the order stage each of its outputs. The first failure is kept.
#[inline]
fn signal_takes<const WORDS: usize, L: StageJournal>(
    nodes: &mut Nodes<L>,
    ways: &mut Ways<'_, '_>,
    clock: &Clock,
    slot: &Slot<WORDS>,
) -> Result<(), Stopped> {
    let Nodes { signal, order } = nodes;
    let mut result = Ok(());
    let taken = signal.take(clock.now(), slot.header(), slot.event(), |out| {
        if result.is_ok() {
            // A quote comes with its tick; what a strategy decided has a time of its own.
            let now = if out.header().kind == Kind::Quote as u16 { out.header().taken_ns } else { clock.now() };
            result = order_takes(order, ways, now, out.header(), out.event());
        }
    });
    taken.map_err(|_| Stopped).and(result)
}

impl<L: StageJournal> Stages for Inline<L> {
    type Log = L;

    #[inline]
    fn market(&mut self, slot: &MarketSlot, request: &mut Sink<'_>) -> Result<(), Stopped> {
        if !self.room.takes_market() {
            return Ok(());
        }
        let ways = &mut Ways { feedback: &mut self.feedback, request };
        signal_takes(&mut self.nodes, ways, &self.clock, slot)
    }

    #[inline]
    fn report(&mut self, slot: &ReportSlot, request: &mut Sink<'_>) -> Result<(), Stopped> {
        let ways = &mut Ways { feedback: &mut self.feedback, request };
        order_takes(&mut self.nodes.order, ways, self.clock.now(), slot.header(), slot.event())
    }

    #[inline]
    fn settle(&mut self, request: &mut Sink<'_>) -> Result<(), Stopped> {
        let (nodes, mut result) = (&mut self.nodes, Ok(()));
        let pressure = worse(nodes.signal.log.pressure(), nodes.order.log.pressure());
        let ways = &mut Ways { feedback: &mut self.feedback, request };
        self.room.changed(&self.clock, pressure, |now, header, event| {
            result = order_takes(&mut nodes.order, ways, now, header, event);
        });
        result?;
        while let Some(slot) = ways.feedback.pop_front() {
            signal_takes(nodes, ways, &self.clock, &slot)?;
        }
        Ok(())
    }

    fn status(&self) -> Status {
        Status { no_room: !self.room.takes_market(), ..Status::of(&self.nodes.order.stage) }
    }

    fn finish(self) -> Nodes<L> {
        self.nodes
    }
}
