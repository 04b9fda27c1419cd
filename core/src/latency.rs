//! Latencies, recorded on the hot path and read off it: an HDR histogram, allocated once, with two significant digits
//! (G. Tene, HdrHistogram). What is longer than its bound counts as the bound.

use hdrhistogram::Histogram;
use std::fmt;

/// The longest latency told apart from longer ones: 100 s.
pub const LATENCY_NS_MAX: u64 = 100_000_000_000;

/// The latencies of one path, owned by the thread that records them.
#[derive(Clone)]
pub struct Latency {
    histogram: Histogram<u64>,
    max_ns: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

impl Latency {
    /// An empty recorder of 30 KiB.
    #[allow(clippy::expect_used, reason = "constant bounds, which a test builds")]
    pub fn new() -> Self {
        let histogram =
            Histogram::new_with_bounds(1, LATENCY_NS_MAX, 2).expect("1 <= low, 2 x low <= high, digits <= 5");
        Self { histogram, max_ns: 0 }
    }

    /// Records one latency. About 2 ns; no allocation.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The latency that `percent` of all do not exceed, within 1 %; zero when none was recorded.
    pub fn percentile(&self, percent: f64) -> u64 {
        self.histogram.value_at_percentile(percent).min(self.max_ns)
    }

    /// The longest latency, exactly.
    pub const fn max(&self) -> u64 {
        self.max_ns
    }

    /// Adds what another recorder holds (another thread's, of the same path).
    pub fn merge(&mut self, other: &Self) {
        // Equal bounds: adding cannot fail.
        let _ = self.histogram.add(&other.histogram);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.histogram.reset();
        self.max_ns = 0;
    }

    /// The heading of the table whose rows [`Display`](fmt::Display) gives; nanoseconds.
    pub const HEADING: &'static str = "     count        p50        p90        p99      p99.9     p99.99        max";
}

impl fmt::Display for Latency {
    /// One row: count, p50, p90, p99, p99.9, p99.99, max in nanoseconds, under [`Latency::HEADING`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}", self.count())?;
        for percent in [50.0, 90.0, 99.0, 99.9, 99.99] {
            write!(f, " {:>10}", self.percentile(percent))?;
        }
        write!(f, " {:>10}", self.max())
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Latency({})", self.to_string().trim_start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the sorted samples: a percentile is the sample of that rank, within the histogram's 1 %.
        #[test]
        fn percentiles_are_those_of_the_sorted_samples(
            mut samples in prop::collection::vec(1..LATENCY_NS_MAX, 1..400), percent in 0.1..100.0_f64,
        ) {
            let (mut left, mut right) = (Latency::new(), Latency::new());
            for (at, &sample) in samples.iter().enumerate() {
                if at % 2 == 0 { left.record(sample) } else { right.record(sample) }
            }
            left.merge(&right);
            samples.sort_unstable();
            let rank = (percent / 100.0 * samples.len() as f64).ceil().max(1.0) as usize;
            let exact = samples[rank - 1];
            prop_assert_eq!(left.count(), samples.len() as u64);
            prop_assert_eq!(left.max(), *samples.last().unwrap());
            let got = left.percentile(percent);
            // hdrhistogram rounds ranks by its own epsilon: the neighbour's sample is allowed at the edge.
            let near = |sample: u64| got.abs_diff(sample) <= sample / 100 + 1;
            prop_assert!(near(exact) || rank < samples.len() && near(samples[rank]), "{} against {}", got, exact);
        }
    }

    #[test]
    fn too_long_counts_as_the_bound_and_the_maximum_stays_exact() {
        let mut latency = Latency::new();
        latency.record(u64::MAX);
        latency.record(0);
        assert_eq!((latency.count(), latency.max()), (2, u64::MAX));
        let longest = latency.percentile(100.0);
        assert!((LATENCY_NS_MAX..LATENCY_NS_MAX + LATENCY_NS_MAX / 100).contains(&longest));
        latency.clear();
        assert_eq!((latency.count(), latency.max(), latency.percentile(99.0)), (0, 0, 0));
    }

    #[test]
    fn a_row_stands_under_its_heading() {
        let mut latency = Latency::new();
        latency.record(120);
        assert_eq!(latency.to_string().len(), Latency::HEADING.len());
        assert_eq!(
            latency.to_string().split_whitespace().collect::<Vec<_>>(),
            ["1", "120", "120", "120", "120", "120", "120"]
        );
    }
}
