//! Time that is not the host's: set by the edge, or running at a multiple of real speed.

use super::Tsc;
use crate::units::Nanos;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Simulated time: one writer, the edge.
#[derive(Debug, Default)]
pub struct SimTime(AtomicU64);

impl SimTime {
    /// A clock that stands at `start`.
    pub const fn new(start: Nanos) -> Self {
        Self(AtomicU64::new(start.get()))
    }

    /// Moves on to `time`; an earlier time than the present one changes nothing. Called by the edge before it releases
    /// the event of that time.
    #[inline]
    pub fn advance_to(&self, time: Nanos) {
        self.0.fetch_max(time.get(), Ordering::Release);
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Acquire))
    }
}

/// Recorded time at a multiple of real speed. Clones share the jumps.
#[derive(Clone, Debug)]
pub struct ScaledTime {
    real: Tsc,
    real_start: Nanos,
    start: Nanos,
    speed: u32,
    jumped_ns: Arc<AtomicU64>,
}

impl ScaledTime {
    /// Starts at `start` now and runs `speed` times as fast as `real`; zero counts as one.
    pub fn new(real: Tsc, start: Nanos, speed: u32) -> Self {
        let real_start = real.now();
        Self { real, real_start, start, speed: speed.max(1), jumped_ns: Arc::default() }
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Nanos {
        let elapsed = self.real.now().since(self.real_start).saturating_mul(u64::from(self.speed));
        self.start.after(elapsed).after(self.jumped_ns.load(Ordering::Acquire))
    }

    /// Skips a break: the time is at least `time` from now on. Called by the edge alone; a time that has passed changes
    /// nothing.
    pub fn jump_to(&self, time: Nanos) {
        self.jumped_ns.fetch_add(time.since(self.now()), Ordering::Release);
    }

    /// Real nanoseconds until `time`, rounded up; zero when it has come.
    #[inline]
    pub fn real_ns_until(&self, time: Nanos) -> u64 {
        time.since(self.now()).div_ceil(u64::from(self.speed))
    }
}
