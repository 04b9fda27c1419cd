//! Boundaries kept for reuse. The boundary is a smooth function of two numbers, so a lattice in their logarithms, cubic
//! between its points, serves every expiry, strike and volatility with one table. Points are computed when first needed.

use super::boundary::{Boundary, Terms};
use super::{Asset, FAST, NODES, boundary_of, greeks_by, implied, price_by};
use crate::pricing::elementary::ln;
use crate::pricing::implied::NoVol;
use crate::pricing::{Expiry, Greeks, OptionType, implied::VolBand};

/// Points for each factor of e.
const PER_E: f64 = 8.0;
/// Rate times time: from 1e-6 to 2.
const CARRY: Axis = Axis { first: -13.9, points: 117 };
/// Squared volatility times time: from 1e-7 to 20.
const VARIANCE: Axis = Axis { first: -16.2, points: 154 };

/// One side of the lattice.
struct Axis {
    first: f64,
    points: usize,
}

impl Axis {
    /// The first of four points around a logarithm, and their cubic weights; `None` outside.
    #[inline]
    fn place(&self, log: f64) -> Option<(usize, [f64; 4])> {
        let at = (log - self.first) * PER_E;
        let cell = at.floor();
        if !(cell >= 1.0 && cell + 2.0 < self.points as f64) {
            return None;
        }
        let x = at - cell;
        let (before, after, beyond) = (x + 1.0, x - 1.0, x - 2.0);
        let weights = [
            -x * after * beyond / 6.0,
            before * after * beyond / 2.0,
            -before * x * beyond / 2.0,
            before * x * after / 6.0,
        ];
        Some((cell as usize - 1, weights))
    }

    fn value(&self, point: usize) -> f64 {
        (self.first + point as f64 / PER_E).exp()
    }
}

/// The lattice of boundaries, about 1 MiB, owned by the thread that prices. After the first uses around a pair of carry
/// and variance nothing is computed there but the premium; nothing is ever allocated but at the start.
#[derive(Clone, Debug)]
pub struct Boundaries {
    /// Not a number where not yet computed.
    levels: Vec<[f64; NODES]>,
}

impl Default for Boundaries {
    fn default() -> Self {
        Self::new()
    }
}

impl Boundaries {
    /// An empty lattice.
    pub fn new() -> Self {
        std::sync::LazyLock::force(&FAST);
        Self { levels: vec![[f64::NAN; NODES]; CARRY.points * VARIANCE.points] }
    }

    /// As [`super::price`], within 1e-7 of the strike. Cost: below a microsecond
    /// once the four by four points around are there; a point costs 7 us.
    pub fn price(&mut self, expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> f64 {
        price_by(&FAST, &mut |terms| self.boundary(terms), &Asset::future(expiry), option_type, strike, vol)
    }

    /// As [`super::greeks`]. Cost: five prices.
    pub fn greeks(&mut self, expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> Greeks {
        greeks_by(&mut |terms| self.boundary(terms), expiry, option_type, strike, vol)
    }

    /// The volatility at which the option is worth `price`. Cost: about six prices.
    ///
    /// # Errors
    /// As [`crate::pricing::implied::black_vol`]; intrinsic value is here undiscounted, and a price equal to it says that the
    /// option should be exercised.
    pub fn implied_vol(
        &mut self,
        expiry: &Expiry,
        option_type: OptionType,
        strike: f64,
        price: f64,
    ) -> Result<f64, NoVol> {
        implied::vol(self, expiry, option_type, strike, price)
    }

    /// The volatilities of a quote.
    pub fn band(
        &mut self,
        expiry: &Expiry,
        option_type: OptionType,
        strike: f64,
        bid: Option<f64>,
        ask: Option<f64>,
    ) -> VolBand {
        VolBand::of(bid, ask, |price| self.implied_vol(expiry, option_type, strike, price))
    }

    /// The boundary, from the lattice where that reaches.
    #[inline]
    pub(super) fn boundary(&mut self, terms: &Terms) -> Boundary<NODES> {
        let (Some((row, by_carry)), Some((column, by_variance))) =
            (CARRY.place(ln(terms.rate)), VARIANCE.place(ln(terms.variance)))
        else {
            return boundary_of(terms);
        };
        let mut levels = [0.0; NODES];
        for (i, a) in by_carry.into_iter().enumerate() {
            for (j, b) in by_variance.into_iter().enumerate() {
                let point = self.point(row + i, column + j);
                for (level, kept) in levels.iter_mut().zip(point) {
                    *level += a * b * kept;
                }
            }
        }
        Boundary { terms: *terms, levels }
    }

    #[inline]
    fn point(&mut self, row: usize, column: usize) -> &[f64; NODES] {
        let kept = &mut self.levels[row * VARIANCE.points + column];
        if kept[0].is_nan() {
            let carry = CARRY.value(row);
            *kept = boundary_of(&Terms { rate: carry, income: carry, variance: VARIANCE.value(column) }).levels;
        }
        kept
    }
}
