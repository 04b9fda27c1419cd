//! Where callbacks go: their thread is placed on its first one, each is stamped and written into a ring, and what does
//! not fit is counted. Nothing here waits or allocates, the first callback aside.

use super::counts::Counts;
use super::structs::RspInfo;
use crate::ctp::callback::{Callback, What};
use crate::ctp::decode::{self, Dates, DepthSnapshot};
use crate::ctp::lookup::Contracts;
use shrike_core::clock::Clock;
use shrike_core::event::{DepthTick, MarketSlot, Seq};
use shrike_core::ring::{LatestReader, MarketProducer, Offered, Producer, Routed};
use shrike_core::thread::{self, ThreadPlan};
use shrike_core::units::{Nanos, Text};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What an object that CTP calls needs for all but snapshots.
pub(super) struct Sink {
    pub(super) clock: Clock,
    pub(super) ring: Producer<Callback>,
    pub(super) thread: ThreadPlan,
    pub(super) is_placed: bool,
    pub(super) counts: Arc<Counts>,
}

impl Sink {
    /// Places the calling thread, once after each start.
    #[inline]
    pub(super) fn place(&mut self) {
        if !self.is_placed {
            self.place_now();
        }
    }

    #[cold]
    fn place_now(&mut self) {
        self.is_placed = true;
        self.counts.set_denied(thread::place(&self.thread));
    }

    /// Passes a callback on. Of an order, CTP's words on its state take the place of those on an error.
    pub(super) fn tell(&mut self, what: What, info: Option<&RspInfo>, words: &[u8], request_id: i32, is_last: bool) {
        let error_words = info.map_or(&[][..], |info| &info.error_msg);
        let words = if words.is_empty() { error_words } else { words };
        let callback = Callback {
            received: self.clock.now(),
            request_id,
            is_last,
            error: info.map_or(0, |info| info.error_id),
            message: Text::new(words).unwrap_or_default(),
            what,
        };
        if self.ring.offer(|slot| *slot = callback) == Offered::Lost {
            self.counts.lost.add(1);
        }
    }
}

/// What the object that the market-data library calls needs for snapshots.
pub(super) struct Snapshots {
    pub(super) ring: MarketProducer<42>,
    /// The table that was prepared last, if it is not in `contracts` yet.
    pub(super) prepared: LatestReader<Arc<Contracts>>,
    pub(super) contracts: Arc<Contracts>,
    /// Set while snapshots wait for room in the ring instead of replacing one another.
    pub(super) holds: Arc<AtomicBool>,
    pub(super) dates: Dates,
}

impl Snapshots {
    /// Decodes a snapshot into the ring's slot.
    #[inline]
    pub(super) fn take(&mut self, snapshot: &DepthSnapshot, received: Nanos, counts: &Counts) {
        if self.prepared.has_available() {
            self.take_prepared();
        }
        let Some(contract) = self.contracts.find(&snapshot.instrument) else {
            return counts.unknown.add(1);
        };
        let (session_day, midnight) = (self.contracts.session_day(), self.contracts.midnight());
        let near = if midnight.is_absent() { received } else { midnight };
        let Ok(stamp) = decode::stamp(snapshot, contract, session_day, near, &mut self.dates) else {
            return counts.malformed.add(1);
        };
        let mut out_of_range = 0;
        let mut write = |slot: &mut MarketSlot| {
            out_of_range = decode::fill(snapshot, contract, &stamp, slot.place::<DepthTick>());
            let header = slot.header_mut();
            (header.recv_ns, header.taken_ns) = (received, Nanos::ABSENT);
            (header.seq, header.cause) = (Seq::ABSENT, Seq::ABSENT);
            header.flags = 0;
        };
        while self.holds.load(Ordering::Relaxed) {
            if self.ring.ring().push_with(&mut write).is_ok() {
                return counts.out_of_range.add(u64::from(out_of_range));
            }
            std::thread::yield_now();
        }
        let routed = self.ring.snapshot(contract.instrument, write);
        if out_of_range != 0 {
            counts.out_of_range.add(u64::from(out_of_range));
        }
        match routed {
            Routed::Sent => {}
            Routed::Conflated => counts.conflated.add(1),
            Routed::Lost => counts.lost_snapshots.add(1),
        }
    }

    #[cold]
    fn take_prepared(&mut self) {
        let contracts = &mut self.contracts;
        self.prepared.sweep(1, |_, prepared| *contracts = Arc::clone(prepared));
    }
}
