//! Events on their way to the order stage, in order, each with the time at which it happens there.

use shrike_core::event::{Body, Kind, ReportSlot};
use shrike_core::units::Nanos;
use std::collections::VecDeque;

/// Room that is there from the start: what one batch of callbacks can give, and more.
const ROOM: usize = 1_024;

/// The queue.
#[derive(Debug)]
pub struct Outbox {
    slots: VecDeque<ReportSlot>,
    live: bool,
    /// When what is put now was received.
    stamp: Nanos,
}

impl Outbox {
    /// An empty one. `live`: events happen when they are received; otherwise at the exchange's time, where it is told.
    pub fn new(live: bool) -> Self {
        Self { slots: VecDeque::with_capacity(ROOM), live, stamp: Nanos::ABSENT }
    }

    /// What follows was received at this time, on the engine's clock.
    pub fn received(&mut self, stamp: Nanos) {
        self.stamp = stamp;
    }

    /// When what is heard now was received.
    pub const fn stamp(&self) -> Nanos {
        self.stamp
    }

    /// Puts an event; `told` is the exchange's time of it, absent when it names none.
    pub fn put<B: Body>(&mut self, told: Nanos, body: &B) {
        let mut slot = ReportSlot::default();
        slot.put(body);
        slot.header_mut().recv_ns = if self.live { self.stamp } else { self.stamp.max(told) };
        self.slots.push_back(slot);
    }

    /// The next event.
    pub fn front(&self) -> Option<&ReportSlot> {
        self.slots.front()
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<ReportSlot> {
        self.slots.pop_front()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes back every waiting event of a kind.
    pub fn withdraw(&mut self, kind: Kind) {
        self.slots.retain(|slot| slot.header().kind != kind as u16);
    }
}
