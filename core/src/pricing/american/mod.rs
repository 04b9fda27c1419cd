//! American options on futures: the European value and the premium of early exercise, from a boundary found by
//! Andersen, Lake and Offengenden's fixed point. Calls are puts with future and strike exchanged, exactly, because the
//! future's drift is zero. At a rate of zero or below nobody exercises early, and the option is European.
//!
//! The boundary depends on the rate times the time and on the variance alone, so [`Boundaries`] keeps a lattice of them
//! and a price from there costs little more than the premium's integral. Whoever has one option and no lattice calls
//! [`price`]; a stage keeps one [`Boundaries`] and calls that. Options on what is no future, and has a yield of its own, are
//! priced by [`price_on`].

mod asset;
mod barone_adesi_whaley;
mod boundary;
mod implied;
mod lattice;
mod premium;
mod scheme;

pub use asset::{Asset, NoPrice, price_on};
pub use barone_adesi_whaley::quick_price;
pub use lattice::Boundaries;

use super::elementary::{exp, ln};
use super::{Expiry, Greeks, OptionType, black};
use boundary::{Boundary, Equation, Terms};
use premium::Premium;
use scheme::Scheme;
use std::sync::LazyLock;

/// Collocation nodes of the scheme in use for futures.
const NODES: usize = 7;
/// The scheme in use for futures: fast, with a mean error of 4e-9 of the strike on usual options, and below 1e-5 where rate times
/// time is above one.
type Fast = Scheme<6, NODES, 22>;
static FAST: LazyLock<Fast> = LazyLock::new(|| Fast::new(3));

/// Rates times times below it earn nothing worth exercising for: the premium is below it times the strike.
const CARRY_MIN: f64 = 1e-9;
/// Variances below it count as none.
const VARIANCE_MIN: f64 = 1e-12;

/// An option as the put whose strike and time are one.
#[derive(Clone, Copy)]
struct Scaled {
    terms: Terms,
    /// Asset over strike of that put.
    moneyness: f64,
    /// What its value is to be multiplied by.
    scale: f64,
    call: bool,
}

/// When the option is exercised.
enum Case {
    /// Not before its end; or, where the asset does not fluctuate, at a time known now.
    Known,
    /// At a boundary.
    Boundary,
    /// Between two.
    TwoBoundaries,
}

impl Scaled {
    #[inline]
    fn of(asset: &Asset, option_type: OptionType, strike: f64, vol: f64) -> Self {
        let Asset { spot, years, rate, income, discount_years } = *asset;
        let (rate, income, variance) = (rate * discount_years, income * discount_years, vol * vol * years);
        // A call is the put with asset and strike exchanged, and what they yield.
        match option_type {
            OptionType::Put => {
                let terms = Terms { rate, income, variance };
                Self { terms, moneyness: spot / strike, scale: strike, call: false }
            }
            OptionType::Call => {
                let terms = Terms { rate: income, income: rate, variance };
                Self { terms, moneyness: strike / spot, scale: spot, call: true }
            }
        }
    }

    #[inline]
    fn case(&self) -> Case {
        let Terms { rate, income, variance } = self.terms;
        if variance <= VARIANCE_MIN || (rate <= CARRY_MIN && income >= rate) {
            Case::Known
        } else if rate < 0.0 && income < rate {
            Case::TwoBoundaries
        } else {
            Case::Boundary
        }
    }

    /// What exercising pays, in the option's own units, at the best time between now and the end if the asset does not
    /// fluctuate: the option is worth no less. It pays most where the interest on the strike and the asset's yield are equal.
    #[inline]
    fn on_the_way(&self) -> f64 {
        let Self { terms: Terms { rate, income, .. }, moneyness, scale, .. } = *self;
        let ratio = moneyness * income / rate;
        // Of a future it pays most now or at the end; and where one of the two is not positive they are never equal.
        if rate == income || ratio <= 0.0 || !ratio.is_normal() {
            return 0.0;
        }
        let turn = (ln(ratio) / (income - rate)).clamp(0.0, 1.0);
        scale * (exp(-rate * turn) - moneyness * exp(-income * turn))
    }

    /// Whether exercising now is best.
    fn exercised<const N: usize>(&self, boundary: &Boundary<N>) -> bool {
        self.moneyness <= boundary.now()
    }

    /// The premium in the option's own units: value, and slope by the asset.
    #[inline]
    fn premium<const L: usize, const N: usize, const P: usize>(
        &self,
        scheme: &Scheme<L, N, P>,
        boundary: &Boundary<N>,
    ) -> Premium {
        let Self { moneyness, scale, call, .. } = *self;
        let Premium { value, slope } = Premium::of(scheme, boundary, moneyness);
        Premium { value: scale * value, slope: if call { value - moneyness * slope } else { slope } }
    }
}

/// The price of an option on a future. Cost: about 7 us, most of it the boundary; from [`Boundaries`] less than one.
pub fn price(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> f64 {
    price_by(&FAST, &mut boundary_of, &Asset::future(expiry), option_type, strike, vol)
}

/// Price and Greeks, the latter of the premium by differences of five boundaries. Where exercising now is best they are
/// those of the intrinsic value. Cost: five prices.
pub fn greeks(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> Greeks {
    greeks_by(&mut boundary_of, expiry, option_type, strike, vol)
}

fn boundary_of(terms: &Terms) -> Boundary<NODES> {
    Boundary::new(&FAST, Equation::A, *terms)
}

fn price_by<const L: usize, const N: usize, const P: usize>(
    scheme: &Scheme<L, N, P>,
    boundary: &mut impl FnMut(&Terms) -> Boundary<N>,
    asset: &Asset,
    option_type: OptionType,
    strike: f64,
    vol: f64,
) -> f64 {
    let european = black::price(&asset.expiry(), option_type, strike, vol);
    if european.is_nan() {
        return european;
    }
    let option = Scaled::of(asset, option_type, strike, vol);
    let intrinsic = option_type.intrinsic(asset.spot, strike);
    let least = european.max(intrinsic).max(option.on_the_way());
    if matches!(option.case(), Case::Known) {
        return least;
    }
    let boundary = boundary(&option.terms);
    if option.exercised(&boundary) {
        return intrinsic;
    }
    (european + option.premium(scheme, &boundary).value).max(least)
}

/// The step of the differences, in the logarithm of carry and of variance.
const STEP: f64 = 0.01;

fn greeks_by(
    boundary: &mut impl FnMut(&Terms) -> Boundary<NODES>,
    expiry: &Expiry,
    option_type: OptionType,
    strike: f64,
    vol: f64,
) -> Greeks {
    let european = black::greeks(expiry, option_type, strike, vol);
    let intrinsic = option_type.intrinsic(expiry.forward, strike);
    if european.price.is_nan() {
        return european;
    }
    let exercised = Greeks { price: intrinsic, delta: option_type.sign(), ..Greeks::default() };
    let option = Scaled::of(&Asset::future(expiry), option_type, strike, vol);
    match option.case() {
        Case::Known if european.price < intrinsic => return exercised,
        Case::Known => return european,
        _ => {}
    }
    let here = boundary(&option.terms);
    if option.exercised(&here) {
        return exercised;
    }
    let premium = option.premium(&FAST, &here);
    let price = european.price + premium.value.max(0.0);
    if 0.0 < intrinsic && price <= intrinsic {
        // So near the boundary that the scheme's error hides on which side.
        return exercised;
    }
    let (more, less) = (STEP.exp(), (-STEP).exp());
    let Terms { rate: carry, variance, .. } = option.terms;
    let mut at = |carry, variance| option.premium(&FAST, &boundary(&Terms { rate: carry, income: carry, variance }));
    let (rate_up, rate_down) = (at(carry * more, variance), at(carry * less, variance));
    let (vol_up, vol_down) = (at(carry, variance * more), at(carry, variance * less));
    let by = |up: f64, down: f64| (up - down) / (2.0 * STEP);
    // Derivatives by the logarithms of carry and variance.
    let (value_carry, slope_carry) = (by(rate_up.value, rate_down.value), by(rate_up.slope, rate_down.slope));
    let (value_variance, slope_variance) = (by(vol_up.value, vol_down.value), by(vol_up.slope, vol_down.slope));
    let bend = (vol_up.value - 2.0 * premium.value + vol_down.value) / (STEP * STEP);
    let Expiry { forward, years, rate, discount_years } = *expiry;
    // By the equation that the premium obeys where the option is held. Near the boundary the integral's own second
    // derivative is a spike that the quadrature misses: there it is wrong by percents.
    let curvature = carry * premium.value + value_carry + value_variance;
    Greeks {
        price,
        delta: european.delta + premium.slope,
        gamma: european.gamma + 2.0 * curvature / (variance * forward * forward),
        vega: european.vega + 2.0 * value_variance / vol,
        theta: european.theta - value_carry / discount_years - value_variance / years,
        rho: european.rho + value_carry / rate,
        vanna: european.vanna + 2.0 * slope_variance / vol,
        volga: european.volga + (4.0 * bend - 2.0 * value_variance) / (vol * vol),
        charm: european.charm - slope_carry / discount_years - slope_variance / years,
    }
}

#[cfg(test)]
mod tests;
