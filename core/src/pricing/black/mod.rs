//! European options on a forward under Black (1976): price and all Greeks of one option, or of a chain. The kernel has
//! no branch and calls nothing, so one option costs well below 100 ns and a chain becomes vector code.
//!
//! The out-of-the-money value is computed first and the intrinsic value added, so wings keep their relative accuracy.

mod chain;

pub use chain::{Chain, Columns, greeks as greeks_of_chain};

use super::elementary::ln_ratio;
use super::normal::{FRAC_1_SQRT_TAU, mills};
use super::{Expiry, Greeks, OptionType, elementary};
use std::ops::Range;

/// Price and Greeks. At no time or no volatility left they are the limits: discounted intrinsic value, the delta of its
/// slope, zero gamma. Cost: about 70 ns, half of that in a chain.
#[inline]
pub fn greeks(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> Greeks {
    Shared::of(expiry).greeks(option_type.sign(), strike, vol)
}

/// The price alone.
#[inline]
pub fn price(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> f64 {
    greeks(expiry, option_type, strike, vol).price
}

/// What all options of an expiry share.
struct Shared {
    expiry: Expiry,
    discount: f64,
    root: f64,
    valid: bool,
}

/// What a forward or a strike may be; products and quotients of what is outside would not be numbers.
const PRICES: Range<f64> = 1e-100..1e100;
/// Total volatilities below it count as none.
const VOL_MIN: f64 = 1e-100;
/// Below this total volatility the value is a series about the middle of d1 and d2, above it a difference.
const SERIES_BELOW: f64 = 0.25;

impl Shared {
    #[inline(always)]
    fn of(expiry: &Expiry) -> Self {
        let Expiry { forward, years, rate, discount_years } = *expiry;
        let valid = PRICES.contains(&forward)
            & (0.0..PRICES.end).contains(&years)
            & (0.0..PRICES.end).contains(&discount_years)
            & ((rate * discount_years).abs() < 700.0);
        Self { expiry: *expiry, discount: expiry.discount(), root: years.sqrt(), valid }
    }

    /// The kernel: no branch, so that a loop over it is vector code.
    #[inline(always)]
    fn greeks(&self, sign: f64, strike: f64, vol: f64) -> Greeks {
        let Self { expiry: Expiry { forward, years, rate, discount_years }, discount, root, valid } = *self;
        let valid = valid & PRICES.contains(&strike) & (0.0..1e6).contains(&vol);
        let total = vol * root;
        let total = if total > VOL_MIN { total } else { VOL_MIN };
        let moneyness = ln_ratio(forward, strike);
        let middle = moneyness / total;
        let half = 0.5 * total;
        let (d1, d2) = (middle + half, middle - half);
        let density = FRAC_1_SQRT_TAU * elementary::exp(-0.5 * d1 * d1);
        // F n(d1) = K n(d2).
        let weight = forward * density;

        let out_sign = if moneyness <= 0.0 { 1.0 } else { -1.0 };
        let series = total < SERIES_BELOW;
        let h = middle.abs();
        let ratio1 = mills(d1.abs());
        let ratio2 = mills(if series { h } else { d2.abs() });
        let tail1 = density * ratio1;
        let probability1 = if out_sign * d1 < 0.0 { tail1 } else { 1.0 - tail1 };
        let tail2 = weight * ratio2;
        let strike_term = if out_sign * d2 < 0.0 { tail2 } else { strike - tail2 };
        let difference = out_sign * (forward * probability1 - strike_term);
        let out = if series { weight * mills_difference(h, ratio2, half) } else { difference };
        let out = if out > 0.0 { out } else { 0.0 };

        let gain = sign * (forward - strike);
        let price = discount * (out + if gain > 0.0 { gain } else { 0.0 });
        let probability = if sign * out_sign > 0.0 { probability1 } else { 1.0 - probability1 };
        let delta = sign * discount * probability;
        let vol = if vol > VOL_MIN { vol } else { VOL_MIN };
        let years = if years > VOL_MIN { years } else { VOL_MIN };
        let any = if total > VOL_MIN { discount } else { 0.0 };
        let vega = discount * weight * root;
        let per_vol = d2 / vol;
        let per_year = any * 0.5 / years;
        let poison = if valid { 0.0 } else { f64::NAN };
        Greeks {
            price: price + poison,
            delta: delta + poison,
            gamma: any * density / (forward * total) + poison,
            vega: vega + poison,
            theta: rate * price - per_year * weight * total + poison,
            rho: -discount_years * price + poison,
            vanna: -any * density * per_vol + poison,
            volga: vega * d1 * per_vol + poison,
            charm: rate * delta + per_year * density * d2 + poison,
        }
    }
}

/// `R(h - t) - R(h + t)` for small t by the odd derivatives of Mills' ratio R at h, of which `r` is the value:
/// R' = hR - 1 and R^(n+1) = h R^(n) + n R^(n-1). The first term left out is below 1e-16 of the sum.
#[inline(always)]
fn mills_difference(h: f64, r: f64, t: f64) -> f64 {
    let r1 = h * r - 1.0;
    let r2 = h * r1 + r;
    let r3 = h * r2 + 2.0 * r1;
    let r4 = h * r3 + 3.0 * r2;
    let r5 = h * r4 + 4.0 * r3;
    let r6 = h * r5 + 5.0 * r4;
    let r7 = h * r6 + 6.0 * r5;
    let r8 = h * r7 + 7.0 * r6;
    let r9 = h * r8 + 8.0 * r7;
    let r10 = h * r9 + 9.0 * r8;
    let r11 = h * r10 + 10.0 * r9;
    let taylor = [[r1, r3 / 6.0, r5 / 120.0, r7 / 5040.0], [r9 / 362_880.0, r11 / 39_916_800.0, 0.0, 0.0]];
    -2.0 * t * elementary::polynomial(&taylor, t * t)
}

#[cfg(test)]
mod tests;
