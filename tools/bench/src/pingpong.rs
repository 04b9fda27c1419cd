//! Two pinned threads that answer each other: over one cache line (the floor that physics sets) and over a pair of rings.
//!
//! Both spin with the processor's pause, as [`shrike_core::thread::Waiter`] does: without it the floor itself is up to
//! twice as high, since a line that changes under a run of early loads restarts them. A sample is the mean of a few rounds, so that the clock does not count. What a line costs depends on its address
//! (which slice of the last-level cache it lives in) and, in a virtual machine, on where the host runs its processors
//! just now; so a row is many short turns, each on new lines and beside a floor of its own, and the ratio is the median
//! of the turns'.

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
const TURNS: u64 = 60;

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

fn floor_turn(host: &Host) -> Result<Samples, String> {
    /// Alone on its lines, somewhere in a page of its own.
    #[repr(align(128))]
    struct Line(AtomicU64);
    let lines: Box<[Line]> = (0..32).map(|_| Line(AtomicU64::new(0))).collect();
    let Some(Line(word)) = lines.get(host.clock.now().get() as usize % lines.len()) else { return Err(String::new()) };
    let rounds = ROUNDS * SAMPLES;
    let answer = || {
        for round in 0..rounds {
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
    let (mut there, mut at_there) = ring::<Slot<WORDS>>(1024, 0);
    let (mut back, mut at_back) = ring::<Slot<WORDS>>(1024, 0);
    let answer = move || {
        for round in 0..ROUNDS * SAMPLES {
            receive(&mut at_there);
            send(&mut back, round);
        }
    };
    let mut round = 0;
    let ask = || {
        send(&mut there, round);
        receive(&mut at_back);
        round += 1;
    };
    both(host, answer, ask)
}

/// Writes the whole slot in place, as a producer of real events does.
#[inline]
fn send<const WORDS: usize>(producer: &mut Producer<Slot<WORDS>>, round: u64) {
    let write = |slot: &mut Slot<WORDS>| {
        *slot = Slot::default();
        let header = slot.header_mut();
        header.len = size_of::<Slot<WORDS>>() as u32;
        header.seq = Seq::from_raw(round);
    };
    while producer.push_with(write).is_err() {}
}

/// Reads something of every cache line of the slot.
#[inline]
fn receive<const WORDS: usize>(consumer: &mut Consumer<Slot<WORDS>>) {
    let read = |slot: &Slot<WORDS>| {
        black_box(slot.header().seq);
        for &byte in slot.body().iter().step_by(64) {
            black_box(byte);
        }
    };
    while consumer.take_batch(1, read) == 0 {
        spin_loop();
    }
}

/// Runs `answer` to its end on one core and `ask` on another, timed. Threads of its own for both: the caller's stays
/// where it is.
fn both(host: &Host, answer: impl FnOnce() + Send, mut ask: impl FnMut() + Send) -> Result<Samples, String> {
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
