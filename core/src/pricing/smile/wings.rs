//! SVI by what a desk sees: the jump-wings parameters (Gatheral and Jacquier 2014, section 3.3), which keep their meaning
//! as the expiry comes nearer.

use super::Svi;

/// SVI by its level, skew, wings and lowest variance at the money.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct JumpWings {
    /// Variance (a year) at the money.
    pub v: f64,
    /// Slope of volatility at the money, times the square root of years.
    pub psi: f64,
    /// Slope of the put wing by the square root of total variance at the money.
    pub p: f64,
    /// Slope of the call wing by the same.
    pub c: f64,
    /// The lowest variance (a year).
    pub v_low: f64,
}

impl JumpWings {
    /// The parameters of a raw smile `years` from expiry.
    pub fn of(svi: &Svi, years: f64) -> Self {
        let Svi { a, b, rho, m, s } = *svi;
        let z = m.hypot(s);
        let w = a + b * (z - rho * m);
        let root = w.sqrt();
        Self {
            v: w / years,
            psi: b / (2.0 * root) * (rho - m / z),
            p: b * (1.0 - rho) / root,
            c: b * (1.0 + rho) / root,
            v_low: svi.lowest() / years,
        }
    }

    /// The raw smile `years` from expiry; `None` when the parameters fit none (a lowest variance above that at the money,
    /// a skew outside the wings).
    pub fn raw(&self, years: f64) -> Option<Svi> {
        let Self { v, psi, p, c, v_low } = *self;
        let w = v * years;
        let root = w.sqrt();
        let b = root * (p + c) / 2.0;
        if !(w > 0.0 && b > 0.0 && v_low <= v) {
            return None;
        }
        let rho = (c - p) / (c + p);
        // The sine of the angle at which the smile passes the money: m / hypot(m, s).
        let beta = rho - 2.0 * psi * root / b;
        if !(beta.abs() < 1.0 && rho.abs() < 1.0) {
            return None;
        }
        let across = (1.0 - rho * rho).sqrt();
        let along = (1.0 - beta * beta).sqrt();
        // hypot(m, s), from the height of the money above the lowest point.
        let lift = 1.0 - rho * beta - across * along;
        let z = if lift > 1e-14 { (w - v_low * years) / (b * lift) } else { 0.0 };
        if !(z > 0.0) {
            return None;
        }
        let (m, s) = (beta * z, along * z);
        let svi = Svi { a: v_low * years - b * s * across, b, rho, m, s };
        (svi.s > 0.0 && svi.a.is_finite()).then_some(svi)
    }
}
