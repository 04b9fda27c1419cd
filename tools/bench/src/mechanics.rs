//! Costs of the mechanics that have no thread of their own: clock and latency recorder.

use crate::figures::Samples;
use crate::{Host, Outcome};
use shrike_core::latency::Latency;
use std::hint::black_box;

const BATCH: u64 = 256;
const SAMPLES: u64 = 20_000;

/// Times `samples` batches of `batch` runs of `work`.
pub fn batches(host: &Host, samples: u64, batch: u64, mut work: impl FnMut()) -> Outcome {
    let mut times = Samples::new();
    let clock = host.clock.clone();
    for _ in 0..host.repetitions(samples) {
        let start = clock.now();
        for _ in 0..batch {
            work();
        }
        times.batch(clock.now().since(start), batch);
    }
    Outcome::Measured(times.figures(1.0))
}

/// A reading of the clock.
pub fn clock(host: &mut Host) -> Outcome {
    let clock = host.clock.clone();
    batches(host, SAMPLES, BATCH, || {
        black_box(clock.now());
    })
}

/// Recording of latencies that spread over the histogram as a path's do: 50 ns to about 65 us.
pub fn recorder(host: &mut Host) -> Outcome {
    let mut latency = Latency::new();
    let mut random = 1_u64;
    let outcome = batches(host, SAMPLES, BATCH, || {
        // Knuth's MMIX generator; part of the measured cost.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        latency.record(50 + (random >> 48));
    });
    black_box(&latency);
    outcome
}
