//! The wing model that Orc's trading system made common: volatility as two parabolas in `x = ln(strike / forward)` that
//! meet at the money, smoothed into flat wings. With the cut-offs fixed it is linear in its four shape parameters, so a
//! live fit is one small weighted least squares.

use super::{Smile, Variance};
use crate::pricing::least_squares::solve;

/// Where the wing model ends: fixed by the desk, not fitted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OrcRange {
    /// Log-moneyness at which the put parabola ends; negative.
    pub down: f64,
    /// Log-moneyness at which the call parabola ends; positive.
    pub up: f64,
    /// How much farther, as a part of `down`, volatility takes to become flat; positive.
    pub down_smoothing: f64,
    /// The same on the call side.
    pub up_smoothing: f64,
}

/// A fitted wing model of one expiry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OrcWing {
    /// Volatility at the money, `vc`.
    pub vol: f64,
    /// Its slope there, `sc`.
    pub slope: f64,
    /// Curvature of puts, `pc`.
    pub put: f64,
    /// Curvature of calls, `cc`.
    pub call: f64,
    /// Where it ends.
    pub range: OrcRange,
    /// Years to expiry, so that it can be asked for total variance.
    pub years: f64,
}

impl OrcRange {
    /// Whether the cut-offs make a range.
    pub fn is_valid(&self) -> bool {
        self.down < 0.0 && self.up > 0.0 && self.down_smoothing > 0.0 && self.up_smoothing > 0.0
    }

    /// What volatility and its two derivatives at `x` are made of: the factor of each of `vol, slope, put, call`.
    fn factors(&self, x: f64) -> [[f64; 4]; 3] {
        let (edge, smoothing, side) =
            if x <= 0.0 { (self.down, self.down_smoothing, 2) } else { (self.up, self.up_smoothing, 3) };
        // In units of the cut-off both sides are one shape.
        let u = x / edge;
        let (slope, curve) = if u <= 1.0 {
            ([u, 1.0, 0.0], [u * u, 2.0 * u, 2.0])
        } else if u < 1.0 + smoothing {
            let d = smoothing;
            (
                [-(1.0 + u * u) / (2.0 * d) + u * (1.0 + 1.0 / d), 1.0 + 1.0 / d - u / d, -1.0 / d],
                [
                    -(1.0 + 1.0 / d) + 2.0 * u * (1.0 + 1.0 / d) - u * u / d,
                    2.0 * (1.0 + 1.0 / d) - 2.0 * u / d,
                    -2.0 / d,
                ],
            )
        } else {
            ([1.0 + smoothing / 2.0, 0.0, 0.0], [1.0 + smoothing, 0.0, 0.0])
        };
        std::array::from_fn(|order| {
            let scale = edge.powi(-(order as i32));
            let mut row = [if order == 0 { 1.0 } else { 0.0 }, slope[order] * edge * scale, 0.0, 0.0];
            row[side] = curve[order] * edge * edge * scale;
            row
        })
    }
}

impl OrcWing {
    /// Fits `(x, volatility, weight)` by weighted least squares; `None` when the points do not determine four parameters
    /// (fewer than four, or all on one side of the money).
    pub fn fit(range: OrcRange, years: f64, points: impl IntoIterator<Item = (f64, f64, f64)>) -> Option<Self> {
        if !range.is_valid() {
            return None;
        }
        let (mut normal, mut right) = ([[0.0; 4]; 4], [0.0; 4]);
        for (x, vol, weight) in points {
            let [row, ..] = range.factors(x);
            for i in 0..4 {
                right[i] += weight * row[i] * vol;
                for j in 0..4 {
                    normal[i][j] += weight * row[i] * row[j];
                }
            }
        }
        // A curvature without points on its side would be anything.
        let [vol, slope, put, call] = solve(normal, right)?;
        Some(Self { vol, slope, put, call, range, years })
    }

    /// The same wing after the forward has moved from `reference` to `forward`: volatility and slope at the money follow
    /// by `vol_rate` and `slope_rate` (`vcr`, `scr`) in part `swimming` (`ssr`, 0 to 1).
    pub fn swum(&self, reference: f64, forward: f64, swimming: f64, vol_rate: f64, slope_rate: f64) -> Self {
        let moved = swimming * (forward - reference) / reference;
        Self { vol: self.vol - vol_rate * moved, slope: self.slope - slope_rate * moved, ..*self }
    }

    /// Volatility at `x`, with its first two derivatives.
    pub fn vol_at(&self, x: f64) -> [f64; 3] {
        let parameters = [self.vol, self.slope, self.put, self.call];
        self.range.factors(x).map(|row| row.iter().zip(parameters).map(|(factor, value)| factor * value).sum())
    }
}

impl Smile for OrcWing {
    fn variance(&self, k: f64) -> Variance {
        let [vol, slope, curve] = self.vol_at(k);
        let t = self.years;
        Variance { w: vol * vol * t, dw: 2.0 * vol * slope * t, d2w: 2.0 * (slope * slope + vol * curve) * t }
    }
}
