//! Rings between threads: one producer, one consumer, bounded, over the `disruptor` crate. Events are written in place
//! by the producing thread and read in place by the consuming one; a full ring never blocks, what does not fit parks in
//! a queue of the producer's and follows in order. Waiting is the caller's ([`crate::thread::Waiter`]).
//!
//! - [`ring`]: everything in order: reports, requests, intents, feedback.
//! - [`market_ring`]: market data; snapshots fall back to the latest of each instrument.
//! - [`Quiet`]: how many events are on their way, for lockstep in simulated time.
#![deny(clippy::float_arithmetic)]

mod latest;
mod market;
mod quiet;
#[cfg(test)]
mod tests;

pub use latest::{LatestReader, LatestWriter, latest};
pub use market::{MarketConsumer, MarketProducer, Routed, market_ring};
pub use quiet::Quiet;

use disruptor::{
    BusySpin, EventPoller, Polling, Producer as _, SingleConsumerBarrier, SingleProducer, SingleProducerBarrier,
};

/// Events that a consumer takes before it looks at its other rings.
pub const BATCH_MAX: usize = 16;

/// The ring has no room, or earlier events are still parked: taking this one now would break the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the ring is full")]
pub struct RingFull;

/// What became of an offered event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a parked or lost event must raise an alarm"]
pub enum Offered {
    /// It is in the ring.
    Sent,
    /// The ring is full: it waits in the overflow queue, behind all earlier ones.
    Parked,
    /// The overflow queue is full too: it was not written at all. The closure did not run.
    Lost,
}

/// A ring of at least `capacity` slots (rounded up to a power of two, at least two) whose producer parks up to
/// `overflow` more. Every slot of both is written here, so that no page is first touched on the hot path.
pub fn ring<S>(capacity: usize, overflow: usize) -> (Producer<S>, Consumer<S>)
where
    S: Default + Send + Sync + 'static,
{
    let size = capacity.max(2).next_power_of_two();
    let builder = disruptor::build_single_producer(size, S::default, BusySpin);
    let (poller, builder) = builder.new_event_poller();
    let parking = (0..overflow).map(|_| S::default()).collect();
    let producer = Producer { inner: builder.build(), parking, first: 0, parked: 0, sent: 0, parked_total: 0, lost: 0 };
    (producer, Consumer { inner: poller, taken: 0 })
}

/// The writing end, for one thread. No method blocks, allocates or panics. Dropping it closes the ring.
pub struct Producer<S> {
    inner: SingleProducer<S, SingleConsumerBarrier>,
    /// Overflow queue: `parked` slots from index `first` on, wrapping.
    parking: Box<[S]>,
    first: usize,
    parked: usize,
    sent: u64,
    parked_total: u64,
    lost: u64,
}

impl<S: Default + Send + Sync + 'static> Producer<S> {
    /// Writes one event in place and publishes it; parked ones go first. On [`RingFull`] the closure did not run.
    /// Once the closure runs, its slot is published, whatever it wrote: a slot holds an older event before.
    ///
    /// Costs the writing and one release store; every lap, one load of the consumer's line.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut S)) -> Result<(), RingFull> {
        if self.parked != 0 && self.drain() != 0 {
            return Err(RingFull);
        }
        self.inner.try_publish(write).map_err(|_| RingFull)?;
        self.sent += 1;
        Ok(())
    }

    /// [`Self::push_with`], and parks the event when there is no room. Never blocks.
    #[inline]
    pub fn offer(&mut self, write: impl FnOnce(&mut S)) -> Offered {
        let mut write = Some(write);
        let pushed = self.push_with(|slot| {
            if let Some(write) = write.take() {
                write(slot);
            }
        });
        match (pushed, write) {
            (Err(RingFull), Some(write)) => self.park(write),
            _ => Offered::Sent,
        }
    }

    #[cold]
    fn park(&mut self, write: impl FnOnce(&mut S)) -> Offered {
        let room = self.parking.len();
        let free = (self.parked < room).then(|| (self.first + self.parked) % room);
        let Some(slot) = free.and_then(|at| self.parking.get_mut(at)) else {
            self.lost += 1;
            return Offered::Lost;
        };
        write(slot);
        self.parked += 1;
        self.parked_total += 1;
        Offered::Parked
    }

    /// Moves parked events into the ring, oldest first, as far as there is room; returns how many still wait. To be
    /// called in every turn of the thread's loop: nothing else moves them when no new event comes.
    #[inline]
    pub fn drain(&mut self) -> usize {
        while self.parked != 0 {
            let Some(slot) = self.parking.get_mut(self.first) else { break };
            if self.inner.try_publish(|room| std::mem::swap(room, slot)).is_err() {
                break;
            }
            self.sent += 1;
            self.parked -= 1;
            self.first = (self.first + 1) % self.parking.len();
        }
        self.parked
    }

    /// Events that wait in the overflow queue now.
    #[inline]
    pub const fn parked(&self) -> usize {
        self.parked
    }

    /// Events published into the ring so far; the consumer's [`Consumer::taken`] follows it.
    #[inline]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Events that had to wait in the overflow queue so far.
    #[inline]
    pub const fn parked_total(&self) -> u64 {
        self.parked_total
    }

    /// Events that found no room anywhere so far.
    #[inline]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

/// The reading end, for one thread.
pub struct Consumer<S> {
    inner: EventPoller<S, SingleProducerBarrier>,
    taken: u64,
}

impl<S: Default + Send + Sync + 'static> Consumer<S> {
    /// Shows up to `max` events ([`BATCH_MAX`] is the usual bound) to `handle`, oldest first; returns how many. Their
    /// slots are the producer's again only when the last was handled. Borrows nothing but this consumer: the closure may
    /// publish to any ring. If it panics, the whole batch counts as taken, including what it has not seen.
    #[inline]
    pub fn take_batch(&mut self, max: usize, mut handle: impl FnMut(&S)) -> usize {
        let Ok(mut batch) = self.inner.take(max as u64) else { return 0 };
        let events = &mut batch;
        let count = events.len();
        self.taken += count as u64;
        for slot in events {
            handle(slot);
        }
        count
    }

    /// Whether an event waits. One acquire load of the producer's line.
    #[inline]
    pub fn has_available(&self) -> bool {
        self.inner.has_available()
    }

    /// Whether no event waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        !self.has_available()
    }

    /// Whether the producer is gone and every event was taken: nothing will ever come.
    #[inline]
    pub fn is_closed(&mut self) -> bool {
        matches!(self.inner.take(0), Err(Polling::Shutdown))
    }

    /// Events taken so far.
    #[inline]
    pub const fn taken(&self) -> u64 {
        self.taken
    }
}
