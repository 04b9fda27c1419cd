//! The forward of an expiry as its options imply it, from put-call parity: `call - put = discount (forward - strike)` at
//! every strike. Fitted so that a few wrong quotes do not move it; with the band within which nobody can do better, and
//! an alarm where somebody can. On the slow path, and on the signal thread with a fitter that has grown to its size.

#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "what is not a number must fail, too")]

mod band;
mod fit;

#[cfg(test)]
mod tests;

pub use band::{Band, Edge, american_band, executable_band};
pub use fit::{FreeDiscount, ImpliedForward, NoForward, ParityFitter};

/// Call and put of one strike as quoted; NaN where there is no quote. Prices of one unit of the underlying.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ParityPair {
    /// Strike.
    pub strike: f64,
    /// Best bid for the call.
    pub call_bid: f64,
    /// Best ask for the call.
    pub call_ask: f64,
    /// Best bid for the put.
    pub put_bid: f64,
    /// Best ask for the put.
    pub put_ask: f64,
}

/// What the forward is above the spot: `forward * discount - spot`, in money of today.
pub fn basis(forward: f64, discount: f64, spot: f64) -> f64 {
    forward * discount - spot
}

/// The rate a year at which spot grows to the forward beyond the discount rate; negative for a discount ("贴水").
pub fn annualised_basis(forward: f64, discount: f64, spot: f64, calendar_years: f64) -> f64 {
    (forward * discount / spot).ln() / calendar_years
}
