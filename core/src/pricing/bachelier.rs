//! European options on a forward under Bachelier (1900): the forward moves by amounts, not by percentages, so it and the
//! strike may be of any sign (spreads, rates). Volatility is in units of the forward per square root of a year.

use super::elementary::exp;
use super::implied::NoVol;
use super::normal::{FRAC_1_SQRT_TAU, mills};
use super::{Expiry, Greeks, OptionType};
use implied_vol::{DefaultSpecialFn, ImpliedNormalVolatility};

/// Price and Greeks; the limits at no time or no volatility left are as in [`super::black::greeks`].
pub fn greeks(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> Greeks {
    let Expiry { forward, years, rate, discount_years } = *expiry;
    let valid = forward.is_finite()
        && strike.is_finite()
        && (0.0..f64::INFINITY).contains(&years)
        && (0.0..f64::INFINITY).contains(&vol)
        && discount_years >= 0.0
        && (rate * discount_years).is_finite();
    if !valid {
        return Greeks::NAN;
    }
    let (sign, discount, root) = (option_type.sign(), expiry.discount(), years.sqrt());
    let gain = forward - strike;
    let total = vol * root;
    if total == 0.0 {
        let price = discount * option_type.intrinsic(forward, strike);
        let slope = if gain == 0.0 { 0.5 } else { f64::from(sign * gain > 0.0) };
        let delta = discount * sign * slope;
        return Greeks {
            price,
            delta,
            theta: rate * price,
            rho: -discount_years * price,
            charm: rate * delta,
            ..Greeks::default()
        };
    }
    let d = gain / total;
    let density = FRAC_1_SQRT_TAU * exp(-0.5 * d * d);
    // Beyond 1e8 deviations the density is zero, and the ratio's argument must stay finite.
    let ratio = mills(d.abs().min(1e8));
    let tail = density * ratio;
    let out = total * density * (1.0 - d.abs().min(1e8) * ratio).max(0.0);
    let price = discount * (out + option_type.intrinsic(forward, strike));
    let delta = discount * sign * if sign * d < 0.0 { tail } else { 1.0 - tail };
    let vega = discount * root * density;
    Greeks {
        price,
        delta,
        gamma: discount * density / total,
        vega,
        theta: rate * price - discount * density * total / (2.0 * years),
        rho: -discount_years * price,
        vanna: -discount * density * d / vol,
        volga: vega * d * d / vol,
        charm: rate * delta + discount * density * d / (2.0 * years),
    }
}

/// The volatility at which the option is worth `price`.
///
/// # Errors
/// As [`super::implied::black_vol`], without an upper bound.
pub fn implied_vol(expiry: &Expiry, option_type: OptionType, strike: f64, price: f64) -> Result<f64, NoVol> {
    let undiscounted = price / expiry.discount();
    let gain = option_type.sign() * (expiry.forward - strike);
    if !(undiscounted.is_finite() && gain.is_finite() && expiry.years >= 0.0) {
        return Err(NoVol::Input);
    }
    if expiry.years == 0.0 {
        return Err(NoVol::Expired);
    }
    let out = undiscounted - gain.max(0.0);
    super::implied::time_value(out, undiscounted)?;
    ImpliedNormalVolatility::builder()
        .option_price(out)
        .forward(expiry.forward)
        .strike(strike)
        .expiry(expiry.years)
        .is_call(expiry.forward <= strike)
        .build()
        .and_then(|inputs| inputs.calculate::<DefaultSpecialFn>())
        .filter(|vol| vol.is_finite() && *vol > 0.0)
        .ok_or(NoVol::Unresolved)
}

#[cfg(test)]
mod tests;
