//! Options that settle at an average: those of CFFEX at the arithmetic mean of the index over the last two hours of the
//! expiry day (CFFEX, contract specifications of IO, HO and MO). The mean varies less than the index, and ever less as it
//! is taken.

use super::TradingClock;
use crate::units::Nanos;

/// The window over which the settlement price is averaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettlementAverage {
    /// When averaging begins.
    pub start: Nanos,
    /// When it ends: the expiry.
    pub end: Nanos,
}

/// What to price an option on an average with, in place of forward and time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Averaged {
    /// Forward of the average.
    pub forward: f64,
    /// Years of variance of the average.
    pub years: f64,
    /// By how much the average's forward moves with the index: delta is multiplied by it, gamma by its square.
    pub delta_factor: f64,
}

impl SettlementAverage {
    /// The average at a moment, for an index whose forward is `forward` and whose mean since the window opened is `mean`
    /// (not used before). Variance of the mean of a Brownian motion over what remains of the window is a third of it;
    /// the known part does not vary. Exact for small variances, which two hours have.
    pub fn at(&self, clock: &TradingClock, now: Nanos, forward: f64, mean: f64) -> Averaged {
        let window = clock.years(self.start, self.end);
        if now <= self.start || window <= 0.0 {
            let years = clock.years(now, self.start) + window / 3.0;
            return Averaged { forward, years, delta_factor: 1.0 };
        }
        let left = clock.years(now, self.end);
        let open = left / window;
        let averaged = open * forward + (1.0 - open) * mean;
        let part = open * forward / averaged;
        Averaged { forward: averaged, years: left / 3.0 * part * part, delta_factor: open }
    }
}
