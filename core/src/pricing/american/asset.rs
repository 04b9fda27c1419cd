//! American options on an asset that yields something of its own while it is held: a stock, a fund, a currency. A future is
//! the case whose yield is the rate.

use super::boundary::{Boundary, Equation, Terms};
use super::scheme::Scheme;
use super::{Case, Scaled, price_by};
use crate::pricing::elementary::exp;
use crate::pricing::{Expiry, OptionType};
use std::sync::LazyLock;

/// The scheme in use: where rate and yield differ and years are many, the boundary is less smooth than a future's.
type Fine = Scheme<12, 12, 32>;
static FINE: LazyLock<Fine> = LazyLock::new(|| Fine::new(8));
/// Where the drift over the time left is above this many deviations of the asset's price, equation A goes astray.
const DRIFT_MAX: f64 = 0.7;

fn boundary_of(terms: &Terms) -> Boundary<12> {
    let drift = (terms.rate - terms.income) / terms.variance.sqrt();
    Boundary::new(&FINE, if drift < DRIFT_MAX { Equation::A } else { Equation::B }, *terms)
}

/// What an option on an asset depends on beside its strike, right and volatility. Two clocks run, as in [`Expiry`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Asset {
    /// Its price now.
    pub spot: f64,
    /// Time left over which variance accrues, in years of the volatility's clock.
    pub years: f64,
    /// Continuously compounded rate per year of `discount_years`.
    pub rate: f64,
    /// What holding the asset yields, continuously compounded, per year of `discount_years`: dividends, a borrowing fee, the
    /// other currency's rate.
    pub income: f64,
    /// Time left over which is discounted, in calendar years.
    pub discount_years: f64,
}

impl Asset {
    /// A future: to hold it costs nothing, as if it yielded the rate.
    #[inline]
    pub(super) const fn future(&Expiry { forward, years, rate, discount_years }: &Expiry) -> Self {
        Self { spot: forward, years, rate, income: rate, discount_years }
    }

    /// The expiry of European options on it.
    #[inline]
    pub fn expiry(&self) -> Expiry {
        let Self { spot, years, rate, income, discount_years } = *self;
        Expiry { forward: spot * exp((rate - income) * discount_years), years, rate, discount_years }
    }
}

/// Why an American option on an asset has no price here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoPrice {
    /// A spot price, strike, volatility, rate or time that is none.
    #[error("spot, strike, volatility, rates or time is out of range")]
    Input,
    /// The rate is negative and the asset yields still less (for a call: the yield is negative and the rate still less).
    /// Then exercising is best between two boundaries, and there is no method for it here.
    #[error("both rates are negative so that exercise is best between two boundaries: not supported")]
    TwoBoundaries,
}

/// The price of an option on an asset with a carry of its own, in the unit of its spot price. Error over a week to ten
/// years: 5e-9 of the spot price on the mean, 1e-6 of spot price or strike at most. Cost: about 40 us.
///
/// # Errors
/// The reason why there is none.
pub fn price_on(asset: &Asset, option_type: OptionType, strike: f64, vol: f64) -> Result<f64, NoPrice> {
    if matches!(Scaled::of(asset, option_type, strike, vol).case(), Case::TwoBoundaries) {
        return Err(NoPrice::TwoBoundaries);
    }
    let price = price_by(&FINE, &mut boundary_of, asset, option_type, strike, vol);
    if price.is_nan() { Err(NoPrice::Input) } else { Ok(price) }
}

#[cfg(test)]
mod tests;
