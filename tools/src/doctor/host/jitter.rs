//! The jitter of each core: a thread that only reads the clock, and what it misses. Every gap between two readings that is
//! longer than a threshold was somebody else's time: an interrupt, another thread, a hypervisor.

use super::facts::Cores;
use serde::Serialize;
use shrike_core::clock::Tsc;
use shrike_core::latency::Latency;
use shrike_core::thread::{ThreadPlan, spawn};
use shrike_core::units::Nanos;

/// A gap longer than this is an interruption: more than two readings of any clock take.
const INTERRUPTION_NS: u64 = 1_000;

/// What one core's thread missed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CoreJitter {
    /// The core, as the kernel numbers it.
    pub core: usize,
    /// Interruptions a second.
    pub per_second: f64,
    /// Of all time, the part that was somebody else's, percent.
    pub lost_percent: f64,
    /// Half of the interruptions were shorter, nanoseconds.
    pub p50_ns: u64,
    /// Of a hundred interruptions 99 were shorter, nanoseconds.
    pub p99_ns: u64,
    /// The longest, nanoseconds.
    pub max_ns: u64,
}

/// Watches all `cores` at once for so many milliseconds; those that this process may not use are left out.
///
/// # Errors
/// When the host gives no thread.
pub(super) fn watch(clock: &Tsc, cores: &Cores, ms: u64) -> std::io::Result<Vec<CoreJitter>> {
    let mut watching = Vec::new();
    for &core in &cores.0 {
        let (clock, plan) = (clock.clone(), ThreadPlan { core: Some(core), ..ThreadPlan::default() });
        let started = spawn(plan, move || gaps(&clock, ms * Nanos::PER_MILLI))?;
        watching.push((core, started));
    }
    let mut seen = Vec::new();
    for (core, started) in watching {
        if let (Ok((gaps, lost_ns, ran_ns)), true) = (started.handle.join(), started.denied.is_empty()) {
            seen.push(CoreJitter {
                core,
                per_second: gaps.count() as f64 * 1e9 / ran_ns as f64,
                lost_percent: lost_ns as f64 * 100.0 / ran_ns as f64,
                p50_ns: gaps.percentile(50.0),
                p99_ns: gaps.percentile(99.0),
                max_ns: gaps.max(),
            });
        }
    }
    Ok(seen)
}

/// The interruptions of the calling thread, their sum and how long it watched, nanoseconds.
fn gaps(clock: &Tsc, watch_ns: u64) -> (Latency, u64, u64) {
    let (mut gaps, mut lost_ns) = (Latency::new(), 0);
    let begin = clock.now();
    let mut last = begin;
    loop {
        let now = clock.now();
        let gap = now.since(last);
        if gap > INTERRUPTION_NS {
            gaps.record(gap);
            lost_ns += gap;
        }
        last = now;
        if now.since(begin) >= watch_ns {
            return (gaps, lost_ns, now.since(begin).max(1));
        }
    }
}
