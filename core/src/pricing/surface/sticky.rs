//! What the smile does when the forward moves, and so what the delta of an option is.

use crate::pricing::smile::Smile;

/// How the smile follows the forward.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sticky {
    /// A strike keeps its volatility: the delta is Black's.
    Strike,
    /// A log-moneyness keeps its volatility: the smile moves with the forward.
    Moneyness,
    /// Between them, and beyond: this part of the way from strike (0) to moneyness (1).
    Part(f64),
}

impl Sticky {
    /// By how much the volatility of a strike changes per unit of the forward.
    pub fn vol_by_forward(self, smile: &impl Smile, strike: f64, forward: f64, years: f64) -> f64 {
        let part = match self {
            Self::Strike => 0.0,
            Self::Moneyness => 1.0,
            Self::Part(part) => part,
        };
        -part * smile.skew((strike / forward).ln(), years) / forward
    }
}

/// The delta by the forward when the smile moves as `sticky` says: `delta` and `vega` are Black's at the smile's
/// volatility, by the forward and by one unit of volatility.
pub fn smile_delta(
    delta: f64,
    vega: f64,
    sticky: Sticky,
    smile: &impl Smile,
    strike: f64,
    forward: f64,
    years: f64,
) -> f64 {
    delta + vega * sticky.vol_by_forward(smile, strike, forward, years)
}
