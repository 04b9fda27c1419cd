//! Queues between two pinned threads: the disruptor as `core::ring` wires it, rtrb, crossbeam's `ArrayQueue` and the
//! standard library's bounded channel. Each has 1,024 slots and moves the same events; nobody blocks, who waits spins.
//!
//! A turn of the peer stands beside a turn of ours and two of the floor, all on the same two cores: the ratios are medians of
//! the turns', so a virtual machine that is moved between two turns does not count.

use super::{Peer, median};
use crossbeam_queue::ArrayQueue;
use shrike_bench::pingpong::{CAPACITY, Receiver, Sender, TURN_ROUNDS, TURNS, both, event, floor_turn, hop_turn, read};
use shrike_bench::{Host, Outcome, Samples};
use shrike_core::event::{MarketSlot, Slot};
use shrike_core::ring::{BATCH_MAX, Consumer, Producer, ring};
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::mpsc;

/// Words of the body of an event of one cache line, and of a depth snapshot: six lines.
const LINE: usize = 2;
const DEPTH: usize = MarketSlot::BODY_MAX / 8;
/// Events that the producing thread sends between two looks at the clock, at full speed.
const BLOCK: u64 = 32;
/// Turns of a row at full speed; each is half a million events.
const FULL_TURNS: u64 = 20;

/// The rows.
pub fn rows() -> Vec<Peer> {
    vec![
        ("peer hop 64 B, rtrb", hop::<Rtrb<LINE>, LINE>),
        ("peer hop 64 B, crossbeam ArrayQueue", hop::<Crossbeam<LINE>, LINE>),
        ("peer hop 64 B, std mpsc", hop::<Std<LINE>, LINE>),
        ("peer hop 384 B, rtrb", hop::<Rtrb<DEPTH>, DEPTH>),
        ("peer hop 384 B, crossbeam ArrayQueue", hop::<Crossbeam<DEPTH>, DEPTH>),
        ("peer hop 384 B, std mpsc", hop::<Std<DEPTH>, DEPTH>),
        ("peer at full speed 64 B, rtrb", full_speed::<Rtrb<LINE>, LINE>),
        ("peer at full speed 64 B, crossbeam ArrayQueue", full_speed::<Crossbeam<LINE>, LINE>),
        ("peer at full speed 64 B, std mpsc", full_speed::<Std<LINE>, LINE>),
        ("peer at full speed 384 B, rtrb", full_speed::<Rtrb<DEPTH>, DEPTH>),
        ("peer at full speed 384 B, crossbeam ArrayQueue", full_speed::<Crossbeam<DEPTH>, DEPTH>),
        ("peer at full speed 384 B, std mpsc", full_speed::<Std<DEPTH>, DEPTH>),
    ]
}

/// A kind of queue.
trait Queue {
    type Sender: Sender;
    type Receiver: Receiver;
    fn queue() -> (Self::Sender, Self::Receiver);
}

/// One way of a round trip.
fn hop<Q: Queue, const WORDS: usize>(host: &mut Host) -> Outcome {
    let turn = |host: &Host| hop_turn(host, Q::queue(), Q::queue());
    let ours = |host: &Host| hop_turn(host, Ours::<WORDS>::queue(), Ours::<WORDS>::queue());
    beside(host, TURNS, 2.0, ours, turn)
}

/// Nanoseconds an event while one thread sends as fast as the other takes.
fn full_speed<Q: Queue, const WORDS: usize>(host: &mut Host) -> Outcome {
    beside(host, FULL_TURNS, BLOCK as f64, flood::<Ours<WORDS>>, flood::<Q>)
}

/// Turns of both, and of the floor; each sample stands for `parts` of what is told.
fn beside(
    host: &Host,
    turns: u64,
    parts: f64,
    ours: impl Fn(&Host) -> Result<Samples, String>,
    theirs: impl Fn(&Host) -> Result<Samples, String>,
) -> Outcome {
    let (mut all, mut our_ns, mut times_ours, mut times_floor) = (Samples::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..host.repetitions(turns) {
        let turn = || Ok((floor_turn(host)?, ours(host)?, theirs(host)?, floor_turn(host)?));
        let (before, ours, theirs, after) = match turn() {
            Ok(turns) => turns,
            Err(why) => return Outcome::Absent(why),
        };
        let (ours, p50) = (ours.figures(parts).p50, theirs.figures(parts).p50);
        let floor = (before.figures(2.0).p50 + after.figures(2.0).p50) / 2.0;
        our_ns.push(ours);
        times_ours.push(p50 / ours);
        times_floor.push(p50 / floor);
        all.merge(&theirs);
    }
    let mut figures = all.figures(parts);
    figures.times_floor = Some(median(times_floor));
    figures.note = Some(format!("ours {:.1} ns, this {:.2} x ours", median(our_ns), median(times_ours)));
    Outcome::Measured(figures)
}

fn flood<Q: Queue>(host: &Host) -> Result<Samples, String> {
    let (mut sender, mut receiver) = Q::queue();
    let take_all = move || {
        let mut left = (TURN_ROUNDS * BLOCK) as usize;
        while left > 0 {
            match receiver.take(BATCH_MAX) {
                0 => spin_loop(),
                taken => left -= taken,
            }
        }
    };
    let mut number = 0;
    let send_some = || {
        for _ in 0..BLOCK {
            while !sender.offer(number) {
                spin_loop();
            }
            number += 1;
        }
    };
    both(host, take_all, send_some)
}

struct Ours<const WORDS: usize>;

impl<const WORDS: usize> Queue for Ours<WORDS> {
    type Sender = Producer<Slot<WORDS>>;
    type Receiver = Consumer<Slot<WORDS>>;
    fn queue() -> (Self::Sender, Self::Receiver) {
        ring(CAPACITY, 0)
    }
}

/// rtrb writes one event at a time and reads a chunk, as far as there is one.
struct Rtrb<const WORDS: usize>;

struct RtrbSender<const WORDS: usize>(rtrb::Producer<Slot<WORDS>>);
struct RtrbReceiver<const WORDS: usize>(rtrb::Consumer<Slot<WORDS>>);

impl<const WORDS: usize> Queue for Rtrb<WORDS> {
    type Sender = RtrbSender<WORDS>;
    type Receiver = RtrbReceiver<WORDS>;
    fn queue() -> (Self::Sender, Self::Receiver) {
        let (sender, receiver) = rtrb::RingBuffer::new(CAPACITY);
        (RtrbSender(sender), RtrbReceiver(receiver))
    }
}

impl<const WORDS: usize> Sender for RtrbSender<WORDS> {
    #[inline]
    fn offer(&mut self, round: u64) -> bool {
        self.0.push(event(round)).is_ok()
    }
}

impl<const WORDS: usize> Receiver for RtrbReceiver<WORDS> {
    #[inline]
    fn take(&mut self, max: usize) -> usize {
        if max == 1 {
            return usize::from(self.0.pop().is_ok_and(|slot| {
                read(&slot);
                true
            }));
        }
        let Ok(chunk) = self.0.read_chunk(self.0.slots().min(max)) else { return 0 };
        let count = chunk.len();
        chunk.into_iter().for_each(|slot| read(&slot));
        count
    }
}

/// crossbeam's queue is for many producers and consumers.
struct Crossbeam<const WORDS: usize>(Arc<ArrayQueue<Slot<WORDS>>>);

impl<const WORDS: usize> Queue for Crossbeam<WORDS> {
    type Sender = Self;
    type Receiver = Self;
    fn queue() -> (Self, Self) {
        let queue = Arc::new(ArrayQueue::new(CAPACITY));
        (Self(Arc::clone(&queue)), Self(queue))
    }
}

impl<const WORDS: usize> Sender for Crossbeam<WORDS> {
    #[inline]
    fn offer(&mut self, round: u64) -> bool {
        self.0.push(event(round)).is_ok()
    }
}

impl<const WORDS: usize> Receiver for Crossbeam<WORDS> {
    #[inline]
    fn take(&mut self, max: usize) -> usize {
        (0..max).map_while(|_| self.0.pop()).map(|slot| read(&slot)).count()
    }
}

/// The standard library's bounded channel is for many producers.
struct Std<const WORDS: usize>;

struct StdSender<const WORDS: usize>(mpsc::SyncSender<Slot<WORDS>>);
struct StdReceiver<const WORDS: usize>(mpsc::Receiver<Slot<WORDS>>);

impl<const WORDS: usize> Queue for Std<WORDS> {
    type Sender = StdSender<WORDS>;
    type Receiver = StdReceiver<WORDS>;
    fn queue() -> (Self::Sender, Self::Receiver) {
        let (sender, receiver) = mpsc::sync_channel(CAPACITY);
        (StdSender(sender), StdReceiver(receiver))
    }
}

impl<const WORDS: usize> Sender for StdSender<WORDS> {
    #[inline]
    fn offer(&mut self, round: u64) -> bool {
        self.0.try_send(event(round)).is_ok()
    }
}

impl<const WORDS: usize> Receiver for StdReceiver<WORDS> {
    #[inline]
    fn take(&mut self, max: usize) -> usize {
        (0..max).map_while(|_| self.0.try_recv().ok()).map(|slot| read(&slot)).count()
    }
}
