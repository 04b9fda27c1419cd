//! American options on futures: the European value and the premium of early exercise, from a boundary found by
//! Andersen, Lake and Offengenden's fixed point. Calls are puts with future and strike exchanged, exactly, because the
//! future's drift is zero. At a rate of zero or below nobody exercises early, and the option is European.
//!
//! The boundary depends on the rate times the time and on the variance alone, so [`Boundaries`] keeps a lattice of them
//! and a price from there costs little more than the premium's integral. Whoever has one option and no lattice calls
//! [`price`]; a stage keeps one [`Boundaries`] and calls that.

mod barone_adesi_whaley;
mod boundary;
mod implied;
mod lattice;
mod premium;
mod scheme;

pub use barone_adesi_whaley::quick_price;
pub use lattice::Boundaries;

use super::{Expiry, Greeks, OptionType, black};
use boundary::Boundary;
use premium::Premium;
use scheme::Scheme;
use std::sync::LazyLock;

/// Collocation nodes of the scheme in use.
const NODES: usize = 7;
/// The scheme in use: fast, with a mean error of 1e-8 of the strike, at most 1.5e-6 far from usual options.
type Fast = Scheme<7, NODES, 27>;
static FAST: LazyLock<Fast> = LazyLock::new(|| Fast::new(2));

/// Rates times times below it earn nothing worth exercising for: the premium is below it times the strike.
const CARRY_MIN: f64 = 1e-9;
/// Variances below it count as none.
const VARIANCE_MIN: f64 = 1e-12;

/// An option as the put whose strike and time are one.
#[derive(Clone, Copy)]
struct Scaled {
    carry: f64,
    variance: f64,
    /// Future over strike of that put.
    moneyness: f64,
    /// What its value is to be multiplied by.
    scale: f64,
    call: bool,
}

/// What the option is worth before any boundary is known.
enum Case {
    /// The European value, or what exercising pays if that is more: there is no premium to compute.
    European,
    /// There is a boundary.
    Early(Scaled),
}

impl Case {
    #[inline]
    fn of(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> Self {
        let Expiry { forward, years, rate, discount_years } = *expiry;
        let (carry, variance) = (rate * discount_years, vol * vol * years);
        if !(carry > CARRY_MIN && variance > VARIANCE_MIN) {
            return Self::European;
        }
        Self::Early(match option_type {
            OptionType::Put => Scaled { carry, variance, moneyness: forward / strike, scale: strike, call: false },
            OptionType::Call => Scaled { carry, variance, moneyness: strike / forward, scale: forward, call: true },
        })
    }
}

impl Scaled {
    /// Whether exercising now is best.
    fn exercised(&self, boundary: &Boundary<NODES>) -> bool {
        self.moneyness <= super::elementary::exp(-boundary.levels[0])
    }

    /// The premium in the option's own units: value, and slope by the forward.
    fn premium(&self, boundary: &Boundary<NODES>) -> Premium {
        let Self { moneyness, scale, call, .. } = *self;
        let Premium { value, slope } = Premium::of(&FAST, boundary, moneyness);
        Premium { value: scale * value, slope: if call { value - moneyness * slope } else { slope } }
    }
}

/// The price. Cost: about 7 us, most of it the boundary; from [`Boundaries`] less than one.
pub fn price(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> f64 {
    price_by(&mut boundary_of, expiry, option_type, strike, vol)
}

/// Price and Greeks, the latter of the premium by differences of five boundaries. Where exercising now is best they are
/// those of the intrinsic value. Cost: five prices.
pub fn greeks(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> Greeks {
    greeks_by(&mut boundary_of, expiry, option_type, strike, vol)
}

fn boundary_of(carry: f64, variance: f64) -> Boundary<NODES> {
    Boundary::new(&FAST, carry, variance)
}

fn price_by(
    boundary: &mut impl FnMut(f64, f64) -> Boundary<NODES>,
    expiry: &Expiry,
    option_type: OptionType,
    strike: f64,
    vol: f64,
) -> f64 {
    let european = black::price(expiry, option_type, strike, vol);
    let intrinsic = option_type.intrinsic(expiry.forward, strike);
    if european.is_nan() {
        return european;
    }
    match Case::of(expiry, option_type, strike, vol) {
        Case::European => european.max(intrinsic),
        Case::Early(option) => {
            let boundary = boundary(option.carry, option.variance);
            if option.exercised(&boundary) {
                return intrinsic;
            }
            (european + option.premium(&boundary).value.max(0.0)).max(intrinsic)
        }
    }
}

/// The step of the differences, in the logarithm of carry and of variance.
const STEP: f64 = 0.01;

fn greeks_by(
    boundary: &mut impl FnMut(f64, f64) -> Boundary<NODES>,
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
    let option = match Case::of(expiry, option_type, strike, vol) {
        Case::European if european.price < intrinsic => return exercised,
        Case::European => return european,
        Case::Early(option) => option,
    };
    let here = boundary(option.carry, option.variance);
    if option.exercised(&here) {
        return exercised;
    }
    let premium = option.premium(&here);
    let (more, less) = (STEP.exp(), (-STEP).exp());
    let mut at = |carry, variance| option.premium(&boundary(option.carry * carry, option.variance * variance));
    let (rate_up, rate_down) = (at(more, 1.0), at(less, 1.0));
    let (vol_up, vol_down) = (at(1.0, more), at(1.0, less));
    let by = |up: f64, down: f64| (up - down) / (2.0 * STEP);
    // Derivatives by the logarithms of carry and variance.
    let (value_carry, slope_carry) = (by(rate_up.value, rate_down.value), by(rate_up.slope, rate_down.slope));
    let (value_variance, slope_variance) = (by(vol_up.value, vol_down.value), by(vol_up.slope, vol_down.slope));
    let bend = (vol_up.value - 2.0 * premium.value + vol_down.value) / (STEP * STEP);
    let Expiry { forward, years, rate, discount_years } = *expiry;
    // By the equation that the premium obeys where the option is held. Near the boundary the integral's own second
    // derivative is a spike that the quadrature misses: there it is wrong by percents.
    let curvature = option.carry * premium.value + value_carry + value_variance;
    Greeks {
        price: (european.price + premium.value.max(0.0)).max(intrinsic),
        delta: european.delta + premium.slope,
        gamma: european.gamma + 2.0 * curvature / (option.variance * forward * forward),
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
