//! The ring of market data, from a feed's thread to the signal stage. When it is full, a snapshot replaces the latest of
//! its instrument in a table that the consumer sweeps, so a slow consumer sees fewer snapshots and never an old one as
//! the latest; everything that is no snapshot keeps its place in ring and overflow queue.

use super::{Consumer, LatestReader, LatestWriter, Offered, Producer, RingFull, latest, ring};
use crate::event::{Slot, flags};
use crate::instrument::InstrumentId;

/// What became of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "conflation and loss must raise an alarm"]
pub enum Routed {
    /// It is in the ring.
    Sent,
    /// The ring is full: it is the instrument's latest value in the table, and replaced any earlier one there.
    Conflated,
    /// The ring is full and the table has no row for the instrument. The closure did not run.
    Lost,
}

/// A snapshot in the table, and how many events of the ring come before it.
#[derive(Default)]
struct Snapshot<const WORDS: usize> {
    after: u64,
    slot: Slot<WORDS>,
}

/// A market ring of `capacity` slots, `overflow` parked events and a table for instruments `0..instruments`.
pub fn market_ring<const WORDS: usize>(
    capacity: usize,
    overflow: usize,
    instruments: usize,
) -> (MarketProducer<WORDS>, MarketConsumer<WORDS>) {
    let (producer, consumer) = ring(capacity, overflow);
    let (writer, reader) = latest(instruments);
    let producer = MarketProducer { ring: producer, table: writer, conflated: 0, lost: 0 };
    (producer, MarketConsumer { ring: consumer, table: reader })
}

/// The writing end, for one thread. Nothing blocks.
pub struct MarketProducer<const WORDS: usize> {
    ring: Producer<Slot<WORDS>>,
    table: LatestWriter<Snapshot<WORDS>>,
    conflated: u64,
    lost: u64,
}

impl<const WORDS: usize> MarketProducer<WORDS> {
    /// A snapshot of `instrument`. While one of it waits in the table, later ones go there too: an instrument's
    /// snapshots never overtake each other. A conflated one carries [`flags::CONFLATED`].
    #[inline]
    pub fn snapshot(&mut self, instrument: InstrumentId, write: impl FnOnce(&mut Slot<WORDS>)) -> Routed {
        if self.table.is_pending(instrument.index()) {
            return self.conflate(instrument, write);
        }
        let mut write = Some(write);
        let pushed = self.ring.push_with(|slot| {
            if let Some(write) = write.take() {
                write(slot);
            }
        });
        match (pushed, write) {
            (Err(RingFull), Some(write)) => self.conflate(instrument, write),
            _ => Routed::Sent,
        }
    }

    #[cold]
    fn conflate(&mut self, instrument: InstrumentId, write: impl FnOnce(&mut Slot<WORDS>)) -> Routed {
        let after = self.ring.sent();
        let put = self.table.put(instrument.index(), |snapshot| {
            snapshot.after = after;
            write(&mut snapshot.slot);
            snapshot.slot.header_mut().flags |= flags::CONFLATED;
        });
        if put {
            self.conflated += 1;
            Routed::Conflated
        } else {
            self.lost += 1;
            Routed::Lost
        }
    }

    /// An event that no later one replaces: a phase, an instrument, a gap, a trade. Keeps its place among its like; in
    /// an overflow, snapshots of the table may reach the consumer before it.
    #[inline]
    pub fn offer(&mut self, write: impl FnOnce(&mut Slot<WORDS>)) -> Offered {
        self.ring.offer(write)
    }

    /// The ring below, for [`Producer::drain`], [`Producer::push_with`] (recordings hold instead of conflating) and its
    /// counts.
    #[inline]
    pub const fn ring(&mut self) -> &mut Producer<Slot<WORDS>> {
        &mut self.ring
    }

    /// Snapshots that went to the table so far.
    #[inline]
    pub const fn conflated(&self) -> u64 {
        self.conflated
    }

    /// Snapshots that found no room anywhere so far.
    #[inline]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

/// The reading end, for one thread.
pub struct MarketConsumer<const WORDS: usize> {
    ring: Consumer<Slot<WORDS>>,
    table: LatestReader<Snapshot<WORDS>>,
}

impl<const WORDS: usize> MarketConsumer<WORDS> {
    /// Shows events of the ring, oldest first, and when it has fewer than `max`, snapshots of the table; returns how
    /// many. Bounded by `max`, except that the events published before a table's snapshot are shown before it.
    #[inline]
    pub fn take_batch(&mut self, max: usize, mut handle: impl FnMut(&Slot<WORDS>)) -> usize {
        let count = self.ring.take_batch(max, &mut handle);
        if count < max && self.table.has_available() { count + self.sweep(max - count, handle) } else { count }
    }

    #[cold]
    fn sweep(&mut self, max: usize, mut handle: impl FnMut(&Slot<WORDS>)) -> usize {
        let ring = &mut self.ring;
        let mut earlier = 0;
        let swept = self.table.sweep(max, |_, snapshot| {
            // The producer may have filled the ring since it was seen empty. All of it up to `after` was published
            // before the snapshot was put, so it is there to be taken.
            while ring.taken() < snapshot.after {
                let missing = (snapshot.after - ring.taken()) as usize;
                match ring.take_batch(missing, &mut handle) {
                    0 => break,
                    taken => earlier += taken,
                }
            }
            handle(&snapshot.slot);
        });
        earlier + swept
    }

    /// Whether an event waits in ring or table.
    #[inline]
    pub fn has_available(&self) -> bool {
        self.ring.has_available() || self.table.has_available()
    }

    /// Whether no event waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        !self.has_available()
    }

    /// Whether the producer is gone and every event was taken.
    #[inline]
    pub fn is_closed(&mut self) -> bool {
        self.ring.is_closed() && !self.table.has_available()
    }
}
