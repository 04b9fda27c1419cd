//! The volatility of an American option's price: a secant kept inside a bracket. The European volatility of the same price
//! is never below it, because the American option is worth at least as much; so it is the upper end and the start.

use super::Boundaries;
use crate::pricing::implied::{NoVol, black_vol, time_value};
use crate::pricing::{Expiry, OptionType, black};

/// Steps, at most. Six are usual; halving alone would reach the end in these.
const STEPS_MAX: usize = 80;

/// See [`Boundaries::implied_vol`].
pub fn vol(
    boundaries: &mut Boundaries,
    expiry: &Expiry,
    option_type: OptionType,
    strike: f64,
    price: f64,
) -> Result<f64, NoVol> {
    let forward = expiry.forward;
    let bound = if option_type == OptionType::Call { forward } else { strike };
    let intrinsic = option_type.intrinsic(forward, strike);
    if !(expiry.rate > 0.0 && expiry.discount_years > 0.0) {
        // Not exercised early; but who may exercise never has less than the intrinsic value.
        return if price <= intrinsic {
            Err(NoVol::BelowIntrinsic)
        } else {
            black_vol(expiry, option_type, strike, price)
        };
    }
    let high = black_vol(expiry, option_type, strike, price);
    let mut high = match high {
        Ok(vol) => vol,
        // Between the European bound and the American one.
        Err(NoVol::AboveBound) if price < bound => VOL_MAX,
        Err(reason) => return Err(reason),
    };
    time_value(price - intrinsic, price)?;
    let mut error = |vol: f64| boundaries.price(expiry, option_type, strike, vol) - price;
    let mut low = 0.0;
    let mut vol = high;
    let mut miss = error(vol);
    if miss < 0.0 {
        // By rounding only: the European volatility is the answer; at the upper end there is none in reach.
        return if high < VOL_MAX { Ok(vol) } else { Err(NoVol::AboveBound) };
    }
    let mut slope = black::greeks(expiry, option_type, strike, vol).vega;
    for _ in 0..STEPS_MAX {
        let mut next = vol - miss / slope;
        if !(next > low && next < high) {
            next = 0.5 * (low + high);
        }
        let next_miss = error(next);
        if next_miss > 0.0 {
            high = next;
        } else {
            low = next;
        }
        if (next - vol).abs() <= 1e-13 * next || next_miss == 0.0 {
            return Ok(next);
        }
        slope = (next_miss - miss) / (next - vol);
        (vol, miss) = (next, next_miss);
    }
    Err(NoVol::Unresolved)
}

/// The highest volatility looked for: 10,000 %.
const VOL_MAX: f64 = 100.0;
