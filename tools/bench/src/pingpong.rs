//! Two pinned threads that answer each other: over one cache line (the floor that physics sets) and over a pair of rings.
//!
//! Both spin with the processor's pause, as [`shrike_core::thread::Waiter`] does: without it the floor itself is up to
//! twice as high, since a line that changes under a run of early loads restarts them. A sample is the mean of a few rounds,
//! so that the clock does not count. What a line costs depends on its address (which slice of the last-level cache it lives
//! in) and, in a virtual machine, on where the host runs its processors just now; so a row is many short turns, each on new
//! lines and beside a floor of its own, and the ratio is the median of the turns'. Other crates' queues take the same turns
//! by way of [`Sender`] and [`Receiver`] (benches/peers).

use crate::figures::Samples;
use crate::{Host, Outcome};
use shrike_core::event::{MarketSlot, Seq, Slot};
use shrike_core::ring::{Consumer, Producer, ring};
use shrike_core::thread::{ThreadPlan, place};
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering};

/// Rounds of one sample.
const ROUNDS: u64 = 16;
/// Samples of one turn.
const SAMPLES: u64 = 1_000;
/// Rounds of one turn.
pub const TURN_ROUNDS: u64 = ROUNDS * SAMPLES;
/// Turns of one row.
pub const TURNS: u64 = 60;
/// Slots of a ring.
pub const CAPACITY: usize = 1_024;

/// The writing end of a bounded queue of events.
pub trait Sender: Send {
    /// Writes a whole event that holds `round` and publishes it. False when there is no room. Never waits.
    fn offer(&mut self, round: u64) -> bool;
}

/// The reading end of a bounded queue of events.
pub trait Receiver: Send {
    /// Takes up to `max` events, oldest first, and reads something of every cache line of each; how many there were. Never
    /// waits.
    fn take(&mut self, max: usize) -> usize;
}

/// The floor: a word goes to the other core and back.
pub fn floor(host: &mut Host) -> Outcome {
    let mut samples = Samples::new();
    for _ in 0..host.repetitions(TURNS) {
        match floor_turn(host) {
            Ok(turn) => samples.merge(&turn),
            Err(why) => return Outcome::Absent(why),
        }
    }
    Outcome::Measured(samples.figures(2.0))
}

/// A ring's hop for the smallest event: a header and 16 bytes.
pub fn ring_one_way(host: &mut Host) -> Outcome {
    rings::<2>(host, 2.0)
}

/// There and back.
pub fn ring_round_trip(host: &mut Host) -> Outcome {
    rings::<2>(host, 1.0)
}

/// A ring's hop for a snapshot.
pub fn ring_tick(host: &mut Host) -> Outcome {
    const WORDS: usize = MarketSlot::BODY_MAX / 8;
    rings::<WORDS>(host, 2.0)
}

fn rings<const WORDS: usize>(host: &mut Host, parts: f64) -> Outcome {
    let mut samples = Samples::new();
    let mut ratios = Vec::new();
    for _ in 0..host.repetitions(TURNS) {
        let turns = floor_turn(host).and_then(|before| Ok((before, ring_turn::<WORDS>(host)?, floor_turn(host)?)));
        let (before, turn, after) = match turns {
            Ok(turns) => turns,
            Err(why) => return Outcome::Absent(why),
        };
        let floor = (before.figures(2.0).p50 + after.figures(2.0).p50) / 2.0;
        ratios.push(turn.figures(parts).p50 / floor);
        samples.merge(&turn);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let mut figures = samples.figures(parts);
    figures.times_floor = ratios.get(ratios.len() / 2).copied();
    Outcome::Measured(figures)
}

/// A turn of the floor: a word goes to the other core and back.
///
/// # Errors
/// When there are no two cores, or they cannot be had.
pub fn floor_turn(host: &Host) -> Result<Samples, String> {
    /// Alone on its lines, somewhere in a page of its own.
    #[repr(align(128))]
    struct Line(AtomicU64);
    let lines: Box<[Line]> = (0..32).map(|_| Line(AtomicU64::new(0))).collect();
    let Some(Line(word)) = lines.get(host.clock.now().get() as usize % lines.len()) else { return Err(String::new()) };
    let answer = || {
        for round in 0..TURN_ROUNDS {
            while word.load(Ordering::Acquire) != 2 * round + 1 {
                spin_loop();
            }
            word.store(2 * round + 2, Ordering::Release);
        }
    };
    let mut round = 0;
    let ask = || {
        word.store(2 * round + 1, Ordering::Release);
        while word.load(Ordering::Acquire) != 2 * round + 2 {
            spin_loop();
        }
        round += 1;
    };
    both(host, answer, ask)
}

fn ring_turn<const WORDS: usize>(host: &Host) -> Result<Samples, String> {
    hop_turn(host, ring::<Slot<WORDS>>(CAPACITY, 0), ring::<Slot<WORDS>>(CAPACITY, 0))
}

/// A turn of a pair of queues: an event goes there, and one comes back.
///
/// # Errors
/// When there are no two cores, or they cannot be had.
pub fn hop_turn<S: Sender, R: Receiver>(host: &Host, there: (S, R), back: (S, R)) -> Result<Samples, String> {
    let ((mut there, mut at_there), (mut back, mut at_back)) = (there, back);
    let answer = move || {
        for round in 0..TURN_ROUNDS {
            receive(&mut at_there);
            while !back.offer(round) {}
        }
    };
    let mut round = 0;
    let ask = || {
        while !there.offer(round) {}
        receive(&mut at_back);
        round += 1;
    };
    both(host, answer, ask)
}

#[inline]
fn receive(receiver: &mut impl Receiver) {
    while receiver.take(1) == 0 {
        spin_loop();
    }
}

impl<const WORDS: usize> Sender for Producer<Slot<WORDS>> {
    /// In place, as a producer of real events does.
    #[inline]
    fn offer(&mut self, round: u64) -> bool {
        self.push_with(|slot| *slot = event(round)).is_ok()
    }
}

impl<const WORDS: usize> Receiver for Consumer<Slot<WORDS>> {
    #[inline]
    fn take(&mut self, max: usize) -> usize {
        self.take_batch(max, read)
    }
}

/// An event that fills its slot.
#[inline]
pub fn event<const WORDS: usize>(round: u64) -> Slot<WORDS> {
    let mut slot = Slot::default();
    let header = slot.header_mut();
    header.len = size_of::<Slot<WORDS>>() as u32;
    header.seq = Seq::from_raw(round);
    slot
}

/// Reads something of every cache line of an event.
#[inline]
pub fn read<const WORDS: usize>(slot: &Slot<WORDS>) {
    black_box(slot.header().seq);
    for &byte in slot.body().iter().step_by(64) {
        black_box(byte);
    }
}

/// Runs `answer` to its end on one core and `ask` [`TURN_ROUNDS`] times on another, timed. Threads of its own for both: the
/// caller's stays where it is.
///
/// # Errors
/// When there are no two cores, or they cannot be had, or a thread panics.
pub fn both(host: &Host, answer: impl FnOnce() + Send, mut ask: impl FnMut() + Send) -> Result<Samples, String> {
    let [ours, theirs] = host.spinning()?;
    let clock = host.clock.clone();
    let pin = |core| match place(&ThreadPlan { core: Some(core), ..ThreadPlan::default() }).first() {
        Some(denied) => Err(denied.to_string()),
        None => Ok(()),
    };
    std::thread::scope(|scope| {
        let answering = scope.spawn(move || {
            let pinned = pin(theirs);
            answer();
            pinned
        });
        let asking = scope.spawn(move || {
            let pinned = pin(ours);
            let mut samples = Samples::new();
            // The first round waits for the other thread to start.
            ask();
            let mut last = clock.now();
            for sample in 0..SAMPLES {
                let rounds = if sample == 0 { ROUNDS - 1 } else { ROUNDS };
                for _ in 0..rounds {
                    ask();
                }
                let now = clock.now();
                samples.batch(now.since(last), rounds);
                last = now;
            }
            pinned.map(|()| samples)
        });
        let samples = asking.join().map_err(|_| String::from("the asking thread panicked"))??;
        answering.join().map_err(|_| String::from("the answering thread panicked"))??;
        Ok(samples)
    })
}
