//! Smiles: one expiry's total implied variance as a function of log-moneyness. Quotes go in, a smile that admits no
//! butterfly arbitrage comes out. Pure functions for the slow path that fits and the hot path that asks.
//!
//! Throughout, `k = ln(strike / forward)`, total variance `w = vol^2 * years`, and years are of the variance clock.
#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "what is not a number must fail, too")]

mod arbitrage;
mod calibrate;
mod orc;
mod quotes;
mod repair;
mod spline;
mod svi;
mod wings;

#[cfg(test)]
mod tests;

pub use arbitrage::{Lowest, SCAN_DEVIATIONS, butterfly_lowest, calendar_lowest, durrleman};
pub(super) use calibrate::stands_alone;
pub use calibrate::{Calibration, FitError, Point, SviFit};
pub use orc::{OrcRange, OrcWing};
pub use quotes::{Filter, Rejection, SmileQuote};
pub use repair::{Between, polish, repair, repair_jump_wings};
pub use spline::{Spline, SplineError};
pub use svi::Svi;
pub use wings::JumpWings;

/// Total variance at a log-moneyness, with its first two derivatives there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Variance {
    /// Total variance.
    pub w: f64,
    /// Its first derivative by `k`.
    pub dw: f64,
    /// Its second derivative by `k`.
    pub d2w: f64,
}

/// A smile: total variance by log-moneyness.
pub trait Smile {
    /// Total variance and its derivatives at `k`.
    fn variance(&self, k: f64) -> Variance;

    /// Total variance at `k`.
    fn total(&self, k: f64) -> f64 {
        self.variance(k).w
    }

    /// Volatility at `k` for an expiry so many years away; NaN where total variance is negative.
    fn vol(&self, k: f64, years: f64) -> f64 {
        (self.total(k) / years).sqrt()
    }

    /// Slope of volatility by `k`.
    fn skew(&self, k: f64, years: f64) -> f64 {
        let Variance { w, dw, .. } = self.variance(k);
        dw / (2.0 * (w * years).sqrt())
    }
}
