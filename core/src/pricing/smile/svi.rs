//! The raw SVI parametrisation (Gatheral 2004; Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", 2014):
//! total variance `w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + s^2))`, straight in both wings.

use super::{Smile, Variance};

/// Raw SVI parameters of one expiry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Svi {
    /// Level of total variance.
    pub a: f64,
    /// Half the angle between the wings; not negative.
    pub b: f64,
    /// Tilt, within -1 and 1.
    pub rho: f64,
    /// Log-moneyness about which the smile bends.
    pub m: f64,
    /// How smoothly it bends; positive.
    pub s: f64,
}

impl Svi {
    /// The same total variance at every strike.
    pub const fn flat(total: f64) -> Self {
        Self { a: total, b: 0.0, rho: 0.0, m: 0.0, s: 1.0 }
    }

    /// The lowest total variance of the smile, at `m - rho s / sqrt(1 - rho^2)`.
    pub fn lowest(&self) -> f64 {
        self.a + self.b * self.s * (1.0 - self.rho * self.rho).sqrt()
    }

    /// The slope of the steeper wing, `b (1 + |rho|)`. Beyond 2 moments explode (Lee 2004).
    pub fn wing(&self) -> f64 {
        self.b * (1.0 + self.rho.abs())
    }

    /// Whether the parameters make a smile: finite, in range, nowhere negative, wings not above 2.
    pub fn is_valid(&self) -> bool {
        let Self { a, b, rho, m, s } = *self;
        [a, b, rho, m, s].iter().all(|value| value.is_finite())
            && b >= 0.0
            && rho.abs() < 1.0
            && s > 0.0
            && self.lowest() >= 0.0
            && self.wing() <= 2.0 * (1.0 + 1e-12)
    }

    /// The point between this smile (`0`) and another (`1`), parameter by parameter, `s` geometrically.
    pub(crate) fn towards(&self, other: &Self, part: f64) -> Self {
        let between = |from: f64, to: f64| from + part * (to - from);
        Self {
            a: between(self.a, other.a),
            b: between(self.b, other.b),
            rho: between(self.rho, other.rho),
            m: between(self.m, other.m),
            s: self.s.powf(1.0 - part) * other.s.powf(part),
        }
    }
}

impl Smile for Svi {
    #[inline]
    fn variance(&self, k: f64) -> Variance {
        let Self { a, b, rho, m, s } = *self;
        let x = k - m;
        let z = (x * x + s * s).sqrt();
        Variance { w: a + b * (rho * x + z), dw: b * (rho + x / z), d2w: b * s * s / (z * z * z) }
    }

    #[inline]
    fn total(&self, k: f64) -> f64 {
        let x = k - self.m;
        self.a + self.b * (self.rho * x + (x * x + self.s * self.s).sqrt())
    }
}
