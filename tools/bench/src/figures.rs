//! A distribution of nanoseconds, with fractions: what costs 2 ns is timed in batches.

use hdrhistogram::Histogram;
use serde::Serialize;

/// So many of all take at most this, nanoseconds.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Figures {
    /// Median.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// 99.99 %.
    pub p9999: f64,
    /// The longest.
    pub max: f64,
    /// How many samples there are.
    pub samples: u64,
    /// The distribution, for a plot: how many samples there are for one that takes longer than so many nanoseconds.
    pub curve: Vec<(f64, f64)>,
    /// The median by the floor measured beside it, where the row does so.
    pub times_floor: Option<f64>,
    /// What the reader should know of this run.
    pub note: Option<String>,
}

/// Collects samples; picoseconds inside.
pub struct Samples(Histogram<u64>);

impl Default for Samples {
    fn default() -> Self {
        Self::new()
    }
}

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
        Figures {
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p999: at(99.9),
            p9999: at(99.99),
            max: at(100.0),
            samples: self.count(),
            curve: self.curve(parts),
            times_floor: None,
            note: None,
        }
    }

    /// Points at one in 1, 1.3, 1.6, 2 ... of the samples, as far as there are so many.
    fn curve(&self, parts: f64) -> Vec<(f64, f64)> {
        let one_in = (0..).map(|step| 10_f64.powf(f64::from(step) / 10.0));
        let known = one_in.take_while(|one_in| *one_in <= self.count() as f64);
        let at = |one_in: f64| self.0.value_at_quantile(1.0 - 1.0 / one_in) as f64 / 1_000.0 / parts;
        known.map(|one_in| (one_in, at(one_in))).collect()
    }
}
