//! Why the volatility of a strike changed, in the words of the smile.

use crate::pricing::smile::{Smile, Variance};

/// A change of a strike's volatility, in parts that add up to it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct VolMove {
    /// The forward moved along the smile as it was.
    pub slide: f64,
    /// The level at the money changed.
    pub level: f64,
    /// The slope at the money changed.
    pub skew: f64,
    /// The curvature at the money changed.
    pub curvature: f64,
    /// The wings changed otherwise.
    pub wings: f64,
}

impl VolMove {
    /// From one smile to another, for a strike whose log-moneyness went from `k_before` to `k`.
    pub fn between(before: (&impl Smile, f64), after: (&impl Smile, f64), k_before: f64, k: f64) -> Self {
        let ((smile_before, years_before), (smile, years)) = (before, after);
        let vol_before = smile_before.vol(k, years_before);
        let slide = vol_before - smile_before.vol(k_before, years_before);
        let (money_before, money) = (shape(smile_before, years_before), shape(smile, years));
        let [level, slope, bend] = std::array::from_fn(|i| money[i] - money_before[i]);
        let (skew, curvature) = (slope * k, 0.5 * bend * k * k);
        let wings = smile.vol(k, years) - vol_before - level - skew - curvature;
        Self { slide, level, skew, curvature, wings }
    }

    /// A change of which nothing more is known.
    pub const fn parallel(change: f64) -> Self {
        Self { slide: 0.0, level: change, skew: 0.0, curvature: 0.0, wings: 0.0 }
    }

    /// The whole change.
    pub fn total(&self) -> f64 {
        self.slide + self.level + self.skew + self.curvature + self.wings
    }
}

/// Volatility at the money and its first two derivatives by log-moneyness.
fn shape(smile: &impl Smile, years: f64) -> [f64; 3] {
    let Variance { w, dw, d2w } = smile.variance(0.0);
    let root = (w * years).sqrt();
    [(w / years).sqrt(), dw / (2.0 * root), (d2w / 2.0 - dw * dw / (4.0 * w)) / root]
}
