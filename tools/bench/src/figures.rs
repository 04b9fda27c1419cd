//! A distribution of nanoseconds, with fractions: what costs 2 ns is timed in batches.

use hdrhistogram::Histogram;

/// Half, 99 % and 99.9 % of all take at most this, nanoseconds.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    /// Median.
    pub p50: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// The median by the floor measured beside it, where the row does so.
    pub times_floor: Option<f64>,
    /// What the reader should know of this run.
    pub note: Option<String>,
}

/// Collects samples; picoseconds inside.
pub struct Samples(Histogram<u64>);

impl Samples {
    /// None yet.
    #[allow(clippy::expect_used, reason = "constant bounds")]
    pub fn new() -> Self {
        // 1 ps to 1000 s.
        Self(Histogram::new_with_bounds(1, 1_000_000_000_000_000, 3).expect("1 <= low, 2 x low <= high, digits <= 5"))
    }

    /// `count` operations took `ns` together.
    pub fn batch(&mut self, ns: u64, count: u64) {
        self.0.saturating_record(ns.saturating_mul(1_000) / count.max(1));
    }

    /// How many samples.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Adds the samples of another turn.
    pub fn merge(&mut self, other: &Self) {
        // Equal bounds: adding cannot fail.
        let _ = self.0.add(&other.0);
    }

    /// The distribution, each sample divided by `parts` (two for a round trip of two ways).
    pub fn figures(&self, parts: f64) -> Figures {
        let at = |percent| self.0.value_at_percentile(percent) as f64 / 1_000.0 / parts;
        Figures { p50: at(50.0), p99: at(99.0), p999: at(99.9), times_floor: None, note: None }
    }
}
