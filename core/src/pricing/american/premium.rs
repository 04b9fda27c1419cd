//! What early exercise adds to a put: the integral of what exercising earns, over the boundary (I. Kim 1990; P. Carr, R.
//! Jarrow and R. Myneni 1992). Scaled as the boundary is: the strike is one.

use super::boundary::{Boundary, Terms, density_and_tail};
use super::scheme::{Scheme, interpolated};
use crate::pricing::elementary::{exp, ln};

/// The premium at one price of the asset, and its derivative with respect to that.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Premium {
    /// Value over that of the European option.
    pub value: f64,
    /// Its change by the asset's price.
    pub slope: f64,
}

impl Premium {
    /// At an asset's price of `moneyness` strikes. Cost with 22 points: below a microsecond.
    #[inline]
    pub fn of<const L: usize, const N: usize, const P: usize>(
        scheme: &Scheme<L, N, P>,
        boundary: &Boundary<N>,
        moneyness: f64,
    ) -> Self {
        let Boundary { terms, ref levels } = *boundary;
        let Terms { rate, income, variance } = terms;
        let squares = levels.map(|level| level * level);
        let (vol, drift, log) = (variance.sqrt(), rate - income, ln(moneyness) + terms.last_level());
        let square = interpolated(&scheme.outer_rows, &squares);
        // Columns, so that the loop becomes vector code.
        let (mut value, mut slope) = ([0.0; P], [0.0; P]);
        for j in 0..P {
            let (root, weight) = scheme.outer[j];
            let spread = vol * root;
            let middle = (log + square[j].max(0.0).sqrt() + drift * root * root) / spread;
            let (up, down) = (middle + 0.5 * spread, middle - 0.5 * spread);
            let (density_up, below_up) = density_and_tail(up);
            let (density_down, below_down) = density_and_tail(down);
            let weight = 2.0 * root * weight;
            let earned = weight * rate * exp(-rate * root * root);
            let given_up = weight * income * exp(-income * root * root);
            value[j] = earned * below_down - given_up * moneyness * below_up;
            slope[j] = (given_up * density_up - earned * density_down / moneyness) / spread - given_up * below_up;
        }
        Self { value: value.iter().sum(), slope: slope.iter().sum() }
    }
}
