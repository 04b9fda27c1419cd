//! The host's time from the processor's time-stamp counter: a straight line through the counter, drawn at the start
//! against `CLOCK_REALTIME` and redrawn now and then by [`Tsc::discipline`] so that it slews towards the host's clock
//! and never steps. Without an invariant counter it is `CLOCK_MONOTONIC` from the wall time at the start.
#![allow(clippy::disallowed_types, reason = "this is where clocks are read")]

use crate::units::Nanos;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Fixed point of nanoseconds per tick of the counter.
const SHIFT: u32 = 32;
/// The longest the line is measured at the start.
const CALIBRATION: Duration = Duration::from_millis(20);
/// The line's slope is never more than this off the measured rate, in parts per million; the kernel's own slew limit.
const SLEW_PPM_MAX: i64 = 500;
/// An error is slewed away over this time.
const SLEW_OVER_NS: i64 = 2_000_000_000;

/// The host's time. Clones share the line; each belongs to one thread and never goes back in it.
#[derive(Clone, Debug)]
pub struct Tsc {
    line: Arc<Line>,
    last: Cell<u64>,
}

/// Two versions of the line: `version`'s lowest bit says which holds. The other may be being written.
#[derive(Debug)]
pub(super) struct Line {
    counter: Counter,
    version: AtomicU64,
    points: [Point; 2],
    /// Nanoseconds per tick as measured, and where it was measured from.
    rate: AtomicU64,
    first: (u64, Instant),
}

#[derive(Debug, Default)]
struct Point {
    ticks: AtomicU64,
    ns: AtomicU64,
    slope: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counter {
    Tsc,
    Monotonic(Instant),
}

impl Counter {
    #[inline]
    fn read(self) -> u64 {
        match self {
            Self::Tsc => rdtsc(),
            Self::Monotonic(start) => start.elapsed().as_nanos() as u64,
        }
    }
}

impl Tsc {
    /// Measures the counter against the host's clocks. Takes 20 ms; once per process, at the start.
    pub fn calibrate() -> Self {
        let counter = if has_invariant_tsc() { Counter::Tsc } else { Counter::Monotonic(Instant::now()) };
        let first = (counter.read(), Instant::now());
        let rate = match counter {
            Counter::Tsc => {
                while first.1.elapsed() < CALIBRATION {
                    std::hint::spin_loop();
                }
                rate_since(first, counter)
            }
            Counter::Monotonic(_) => 1 << SHIFT,
        };
        let (ticks, ns) = wall(counter);
        Self { line: Arc::new(Line::new(counter, first, rate, ticks, ns)), last: Cell::new(ns) }
    }

    /// The time now. Costs a read of the counter and a multiplication, 5 to 20 ns; nothing that any thread writes often.
    #[inline]
    pub fn now(&self) -> Nanos {
        let now = self.line.at(self.line.counter.read()).max(self.last.get());
        self.last.set(now);
        Nanos::new(now)
    }

    /// Whether the time comes from the counter, not from `clock_gettime`.
    pub fn is_counter(&self) -> bool {
        self.line.counter == Counter::Tsc
    }

    /// Bends the line towards the host's clock; returns how far behind it was (negative: ahead), ns. Called about once
    /// a second by one slow thread; more than a few microseconds mean that the host's clock stepped, which the line
    /// follows at 500 ppm and never by a step.
    pub fn discipline(&self) -> i64 {
        let (ticks, wall_ns) = wall(self.line.counter);
        if self.line.counter == Counter::Tsc {
            self.line.rate.store(rate_since(self.line.first, self.line.counter), Ordering::Relaxed);
        }
        self.line.bend(ticks, wall_ns)
    }
}

impl Line {
    fn new(counter: Counter, first: (u64, Instant), rate: u64, ticks: u64, ns: u64) -> Self {
        let point = || Point { ticks: ticks.into(), ns: ns.into(), slope: rate.into() };
        Self { counter, version: 0.into(), points: [point(), point()], rate: rate.into(), first }
    }

    /// A line through (0, `ns`) with one nanosecond per tick.
    #[cfg(test)]
    pub(super) fn for_test(ns: u64) -> Self {
        let start = Instant::now();
        Self::new(Counter::Monotonic(start), (0, start), 1 << SHIFT, 0, ns)
    }

    #[inline]
    pub(super) fn at(&self, ticks: u64) -> u64 {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let [even, odd] = &self.points;
            let point = if version & 1 == 0 { even } else { odd };
            let since = ticks.saturating_sub(point.ticks.load(Ordering::Relaxed));
            let ns = point.ns.load(Ordering::Relaxed);
            let slope = point.slope.load(Ordering::Relaxed);
            // A point is rewritten only after the version has moved on. The fence pairs with the one in `bend`: whoever
            // read any part of the rewriting also sees the new version here, and reads again.
            fence(Ordering::Acquire);
            if self.version.load(Ordering::Relaxed) == version {
                return ns.saturating_add(scale(since, slope));
            }
        }
    }

    /// Continues the line from `ticks` on with a slope that meets the wall clock in [`SLEW_OVER_NS`].
    pub(super) fn bend(&self, ticks: u64, wall_ns: u64) -> i64 {
        let (ours, rate) = (self.at(ticks), self.rate.load(Ordering::Relaxed));
        let behind_ns = wall_ns.wrapping_sub(ours) as i64;
        let ppm = (i128::from(behind_ns) * 1_000_000 / i128::from(SLEW_OVER_NS))
            .clamp(-i128::from(SLEW_PPM_MAX), i128::from(SLEW_PPM_MAX));
        let slope = (i128::from(rate) + i128::from(rate) * ppm / 1_000_000) as u64;
        let version = self.version.load(Ordering::Relaxed) + 1;
        let [even, odd] = &self.points;
        let point = if version & 1 == 0 { even } else { odd };
        fence(Ordering::Release);
        point.ticks.store(ticks, Ordering::Relaxed);
        point.ns.store(ours, Ordering::Relaxed);
        point.slope.store(slope, Ordering::Relaxed);
        self.version.store(version, Ordering::Release);
        behind_ns
    }
}

#[inline]
const fn scale(ticks: u64, slope: u64) -> u64 {
    ((ticks as u128 * slope as u128) >> SHIFT) as u64
}

/// Nanoseconds per tick since `first`, in fixed point.
fn rate_since(first: (u64, Instant), counter: Counter) -> u64 {
    let (ticks, elapsed) = tightest(counter, || first.1.elapsed().as_nanos());
    ((elapsed << SHIFT) / u128::from(ticks.saturating_sub(first.0).max(1))) as u64
}

/// The counter and the wall clock at one moment.
fn wall(counter: Counter) -> (u64, u64) {
    tightest(counter, || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |wall| wall.as_nanos() as u64))
}

/// Reads `clock` between two reads of the counter, several times; keeps the tightest, so that an interruption of this
/// thread does not shift the pair.
fn tightest<T>(counter: Counter, clock: impl Fn() -> T) -> (u64, T) {
    let pair = || {
        let before = counter.read();
        let value = clock();
        let apart = counter.read().saturating_sub(before);
        (apart, before + apart / 2, value)
    };
    let mut best = pair();
    for _ in 0..15 {
        let next = pair();
        if next.0 < best.0 {
            best = next;
        }
    }
    (best.1, best.2)
}

/// Whether the processor's counter runs at one rate in all power states (AMD APM vol. 3, Intel SDM vol. 2A: CPUID
/// 8000_0007h, EDX bit 8).
pub fn has_invariant_tsc() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & 1 << 8 != 0
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[inline]
#[allow(unsafe_code)]
fn rdtsc() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads a register that every x86-64 processor has; no memory is touched.
    unsafe {
        std::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    0
}
