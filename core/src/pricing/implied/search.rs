//! The search for the total volatility s of a price out of the money: a formula to begin at and one step of fifth order,
//! without a branch, for one option or, in a loop, as vector code. The step's size proves the answer; where it does not
//! there is none, and another method has to find it.
//!
//! With x the log-moneyness, h = x / s, t = s / 2 and R Mills' ratio, the price over the smaller of forward and strike is
//! `n(h - t) (R(h - t) - R(h + t))`: tails without cancellation, and no exponential but the density's.

use super::start;
use crate::pricing::elementary::{exp, ln_ratio, mul_add, polynomial};
use crate::pricing::normal::{mills, mills_slope};

/// What forwards and strikes may be; products and quotients of what is outside might not be numbers.
const INPUT_MIN: f64 = 1e-60;
const INPUT_MAX: f64 = 1e60;
/// Up to here a difference of Mills' ratios is a series; beyond, it keeps its digits as it is.
const SERIES_TOTAL_MAX: f64 = 0.6;
const SERIES_X_MAX: f64 = 2.0;
/// What the formula to begin at was made for. Beyond, a price so near its bound that it hardly depends on the volatility
/// could prove anything.
const TOTAL_MAX: f64 = 2.5;
const X_MAX: f64 = 6.0;
const DEVIATIONS_MAX: f64 = 12.0;
/// A relative step up to this one leaves an error far below a double's last digit.
const STEP_MAX: f64 = 2.5e-4;
/// The same of the price, where the logarithm's series ends.
const PRICE_STEP_MAX: f64 = 0.04;
/// sqrt(2 pi).
const SQRT_TAU: f64 = 2.506_628_274_631_000_5;

/// A search that has begun.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The price over the smaller of forward and strike.
    pub out: f64,
    /// The total volatility to begin at.
    pub total: f64,
    /// How many of these deviations the strike is from the forward.
    pub h: f64,
    /// `exp((h - t)^2 / 2)`.
    pub growth: f64,
}

impl Search {
    /// Begins for the price `value` out of the money, undiscounted, `low` and `high` being forward and strike.
    #[inline(always)]
    pub fn new(value: f64, low: f64, high: f64) -> Self {
        let gap = high - low;
        let x = ln_ratio(high, low);
        // At the money both become equally small, so that their ratio stays what it is near the money.
        let (gap, x) = if gap > 0.0 { (gap, x) } else { (1e-30 * low, 1e-30) };
        let total = start::total(value, gap, x);
        let h = x / total;
        let near = h - 0.5 * total;
        let valid = (value > 0.0) & (low > INPUT_MIN) & (high < INPUT_MAX);
        let out = if valid { value / low } else { f64::NAN };
        Self { out, total, h, growth: exp(0.5 * near * near) }
    }

    /// Whether the ratio is [`Self::ratio_far`] and not [`Self::ratio_near`].
    #[inline(always)]
    pub fn is_far(&self) -> bool {
        (self.total > SERIES_TOTAL_MAX) | (self.h * self.total > SERIES_X_MAX)
    }

    /// The price where the search begins over its derivative by the logarithm of the volatility: the mean slope of Mills'
    /// ratio between h - t and h + t, by its odd derivatives at h. Those follow from one another, since R' = h R - 1; with
    /// each over its factorial, `(n + 1) (n + 2) a[n + 2] = (h^2 + 2 n + 1) a[n] - a[n - 2]`.
    #[inline(always)]
    pub fn ratio_near(&self) -> f64 {
        let h2 = self.h * self.h;
        let a1 = mills_slope(self.h);
        let a3 = ((h2 + 3.0) * a1 - 1.0) * (1.0 / 6.0);
        let a5 = ((h2 + 7.0) * a3 - a1) * (1.0 / 20.0);
        let a7 = ((h2 + 11.0) * a5 - a3) * (1.0 / 42.0);
        let a9 = ((h2 + 15.0) * a7 - a5) * (1.0 / 72.0);
        let a11 = ((h2 + 19.0) * a9 - a7) * (1.0 / 110.0);
        let a13 = ((h2 + 23.0) * a11 - a9) * (1.0 / 156.0);
        let a15 = ((h2 + 27.0) * a13 - a11) * (1.0 / 210.0);
        polynomial(&[[a1, a3, a5, a7], [a9, a11, a13, a15]], 0.25 * self.total * self.total)
    }

    /// The same as a difference. Of a negative number Mills' ratio is `sqrt(2 pi) exp(x^2 / 2) - R(-x)`.
    #[inline(always)]
    pub fn ratio_far(&self) -> f64 {
        let (h, t) = (self.h, 0.5 * self.total);
        let near = mills((h - t).abs());
        let near = if h < t { SQRT_TAU * self.growth - near } else { near };
        (near - mills(h + t)) / self.total
    }

    /// The total volatility after the step; zero where it is not certain. `q` is the ratio.
    ///
    /// With y the logarithm of the price and l that of the volatility, dl/dy = q and dq/dl = 1 - q (1 + h^2 - t^2): so
    /// Taylor's series of l in y needs no division.
    #[inline(always)]
    pub fn step(&self, q: f64) -> f64 {
        const LN_1P: [[f64; 4]; 2] =
            [[1.0, -1.0 / 2.0, 1.0 / 3.0, -1.0 / 4.0], [1.0 / 5.0, -1.0 / 6.0, 1.0 / 7.0, -1.0 / 8.0]];
        let Self { out, total, h, growth } = *self;
        let miss = out * growth * SQRT_TAU / (total * q) - 1.0;
        let dy = miss * polynomial(&LN_1P, miss);
        let (h2, t2) = (h * h, 0.25 * total * total);
        let (g1, g2, g3) = (1.0 + h2 - t2, -2.0 * (h2 + t2), 4.0 * (h2 - t2));
        let q1 = 1.0 - q * g1;
        let q2 = -(q1 * g1 + q * g2);
        let q3 = -(q2 * g1 + 2.0 * q1 * g2 + q * g3);
        // Derivatives of l by y, each over q.
        let third = q1 * q1 + q * q2;
        let fourth = q1 * third + q * (3.0 * q1 * q2 + q * q3);
        let sum = mul_add(dy, mul_add(dy, mul_add(dy, fourth * (1.0 / 24.0), third * (1.0 / 6.0)), 0.5 * q1), 1.0);
        let dl = q * dy * sum;
        let known = (total < TOTAL_MAX) & (h * total < X_MAX) & (h < DEVIATIONS_MAX);
        let certain = known & (dl.abs() < STEP_MAX) & (miss.abs() < PRICE_STEP_MAX);
        let grown = mul_add(total * dl, mul_add(dl, mul_add(dl, 1.0 / 6.0, 0.5), 1.0), total);
        if certain { grown } else { 0.0 }
    }
}

/// The whole search for one option.
#[inline]
pub fn total_vol(value: f64, low: f64, high: f64) -> f64 {
    let search = Search::new(value, low, high);
    let ratio = if search.is_far() { search.ratio_far() } else { search.ratio_near() };
    search.step(ratio)
}
