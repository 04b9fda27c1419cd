//! Two pinned threads that answer each other: over one cache line (the floor that physics sets) and over a pair of rings.
//! A sample is the mean of a few rounds, so that the clock does not count; both are timed in the same way.

use crate::figures::Samples;
use crate::{Host, Outcome};
use shrike_core::event::{MarketSlot, Slot};
use shrike_core::ring::{Consumer, Producer, ring};
use shrike_core::thread::{ThreadPlan, place};
use std::sync::atomic::{AtomicU64, Ordering};

/// Rounds of one sample.
const ROUNDS: u64 = 16;
const SAMPLES: u64 = 150_000;

/// One cache line, alone.
#[repr(align(128))]
struct Line(AtomicU64);

/// The floor: a word goes to the other core and back.
pub fn floor(host: &mut Host) -> Outcome {
    let line = Line(AtomicU64::new(0));
    let rounds = ROUNDS * host.repetitions(SAMPLES);
    let answer = || {
        for round in 0..rounds {
            while line.0.load(Ordering::Acquire) != 2 * round + 1 {}
            line.0.store(2 * round + 2, Ordering::Release);
        }
    };
    let mut round = 0;
    let ask = || {
        line.0.store(2 * round + 1, Ordering::Release);
        while line.0.load(Ordering::Acquire) != 2 * round + 2 {}
        round += 1;
    };
    both(host, answer, ask).map_or_else(Outcome::Absent, |samples| Outcome::Measured(samples.figures(2.0)))
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
    let (mut there, mut at_there) = ring::<Slot<WORDS>>(1024, 0);
    let (mut back, mut at_back) = ring::<Slot<WORDS>>(1024, 0);
    let rounds = ROUNDS * host.repetitions(SAMPLES);
    let answer = move || {
        for _ in 0..rounds {
            receive(&mut at_there);
            send(&mut back);
        }
    };
    let ask = || {
        send(&mut there);
        receive(&mut at_back);
    };
    both(host, answer, ask).map_or_else(Outcome::Absent, |samples| Outcome::Measured(samples.figures(parts)))
}

/// Writes the whole slot, as a producer of real events does.
#[inline]
fn send<const WORDS: usize>(producer: &mut Producer<Slot<WORDS>>) {
    while producer.push_with(|slot| *slot = std::hint::black_box(Slot::default())).is_err() {}
}

/// Reads the whole slot.
#[inline]
fn receive<const WORDS: usize>(consumer: &mut Consumer<Slot<WORDS>>) {
    while consumer.take_batch(1, |slot| {
        std::hint::black_box(*slot);
    }) == 0
    {}
}

/// Runs `answer` to its end on one core and `ask` on another, timed. Threads of its own for both: the caller's stays
/// where it is.
fn both(host: &Host, answer: impl FnOnce() + Send, mut ask: impl FnMut() + Send) -> Result<Samples, String> {
    let [ours, theirs] = host.spinning()?;
    let (clock, count) = (host.clock.clone(), host.repetitions(SAMPLES));
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
            let mut last = clock.now();
            for _ in 0..count {
                for _ in 0..ROUNDS {
                    ask();
                }
                let now = clock.now();
                samples.batch(now.since(last), ROUNDS);
                last = now;
            }
            pinned.map(|()| samples)
        });
        let samples = asking.join().map_err(|_| String::from("the asking thread panicked"))??;
        answering.join().map_err(|_| String::from("the answering thread panicked"))??;
        Ok(samples)
    })
}
