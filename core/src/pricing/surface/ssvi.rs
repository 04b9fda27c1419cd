//! SSVI (Gatheral and Jacquier 2014, section 4) and eSSVI (Hendriks and Martini 2019): smiles of three parameters whose
//! freedom from arbitrage is a matter of a few inequalities, within an expiry and between expiries.

use crate::pricing::least_squares::minimise;
use crate::pricing::smile::{Smile, Svi, Variance};

/// An SSVI smile: `w = (theta + rho psi k + sqrt((psi k + theta rho)^2 + theta^2 (1 - rho^2))) / 2`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SsviSlice {
    /// Total variance at the money; positive.
    pub theta: f64,
    /// Correlation of spot and volatility, within -1 and 1.
    pub rho: f64,
    /// `theta phi`: twice the sum of the wings' slopes, divided by two; positive.
    pub psi: f64,
}

impl SsviSlice {
    /// The same smile as raw SVI.
    pub fn raw(&self) -> Svi {
        let Self { theta, rho, psi } = *self;
        let phi = psi / theta;
        let across = (1.0 - rho * rho).sqrt();
        Svi { a: theta * across * across / 2.0, b: psi / 2.0, rho, m: -rho / phi, s: across / phi }
    }

    /// Whether it certainly has no butterfly arbitrage (Gatheral and Jacquier 2014, theorem 4.2).
    pub fn is_butterfly_free(&self) -> bool {
        let Self { theta, rho, psi } = *self;
        let steep = 1.0 + rho.abs();
        theta > 0.0 && rho.abs() < 1.0 && psi > 0.0 && psi * steep < 4.0 && psi * psi * steep <= 4.0 * theta
    }

    /// Whether there is certainly no calendar arbitrage from an earlier smile to this one: variance at the money, both
    /// wings, and one by `phi` do not fall (Hendriks and Martini 2019, proposition 3.5 and its corollary).
    pub fn is_calendar_free_after(&self, near: &Self) -> bool {
        self.theta >= near.theta
            && self.psi * (1.0 + self.rho) >= near.psi * (1.0 + near.rho)
            && self.psi * (1.0 - self.rho) >= near.psi * (1.0 - near.rho)
            && self.psi * near.theta <= near.psi * self.theta
    }
}

impl Smile for SsviSlice {
    fn variance(&self, k: f64) -> Variance {
        let Self { theta, rho, psi } = *self;
        let x = psi * k + theta * rho;
        let across = theta * theta * (1.0 - rho * rho);
        let z = (x * x + across).sqrt();
        Variance {
            w: 0.5 * (theta + rho * psi * k + z),
            dw: 0.5 * psi * (rho + x / z),
            d2w: 0.5 * psi * psi * across / (z * z * z),
        }
    }
}

/// SSVI over all expiries, with the power law `phi = eta theta^-gamma (1 + theta)^(gamma - 1)`: free of all static
/// arbitrage where [`Ssvi::is_free`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ssvi {
    /// Correlation of spot and volatility, the same for all expiries.
    pub rho: f64,
    /// Level of `phi`.
    pub eta: f64,
    /// How `phi` falls with variance, between 0 and 1/2 for arbitrage to be excluded.
    pub gamma: f64,
}

impl Ssvi {
    /// `phi` at a total variance at the money.
    pub fn phi(&self, theta: f64) -> f64 {
        self.eta * theta.powf(-self.gamma) * (1.0 + theta).powf(self.gamma - 1.0)
    }

    /// The smile of an expiry.
    pub fn slice(&self, theta: f64) -> SsviSlice {
        SsviSlice { theta, rho: self.rho, psi: theta * self.phi(theta) }
    }

    /// Whether no butterfly and no calendar arbitrage exists at any expiry: `eta (1 + |rho|) <= 2`, gamma within 0 and 1/2
    /// (Gatheral and Jacquier 2014, remark 4.4).
    pub fn is_free(&self) -> bool {
        self.rho.abs() < 1.0
            && self.eta > 0.0
            && self.eta * (1.0 + self.rho.abs()) <= 2.0
            && (0.0..=0.5).contains(&self.gamma)
    }

    /// The three parameters that fit slices best, each given by its variance at the money and its points
    /// `(k, w, weight)`, among those that [`Ssvi::is_free`].
    pub fn fit(slices: &[(f64, &[crate::pricing::smile::Point])]) -> Self {
        let of = |free: &[f64; 3]| {
            let rho = 0.999 * free[0].tanh();
            let part = |x: f64| 1.0 / (1.0 + (-x).exp());
            Self { rho, eta: 2.0 / (1.0 + rho.abs()) * part(free[1]), gamma: 0.5 * part(free[2]) }
        };
        let rows: Vec<_> =
            slices.iter().flat_map(|&(theta, points)| points.iter().map(move |&at| (theta, at))).collect();
        let residual = |surface: &Self, row: usize| {
            let (theta, point) = rows[row];
            (surface.slice(theta).total(point.k) - point.w) * point.weight.sqrt()
        };
        of(&minimise([-0.3, 0.0, 0.0], [0.3; 3], rows.len(), 60, of, residual).at)
    }
}
