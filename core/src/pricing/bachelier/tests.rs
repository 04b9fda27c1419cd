//! Bachelier's prices and Greeks against parity, finite differences and the price of the crate that inverts them.

use super::*;
use OptionType::{Call, Put};
use proptest::prelude::*;

fn slope(of: impl Fn(f64) -> f64, at: f64, step: f64) -> f64 {
    (8.0 * (of(at + step) - of(at - step)) - (of(at + 2.0 * step) - of(at - 2.0 * step))) / (12.0 * step)
}

proptest! {
    #[test]
    fn greeks_are_derivatives(
        forward in -50.0..50.0_f64, strike in -50.0..50.0_f64, years in 0.05..3.0_f64, vol in 10.0..60.0_f64,
        rate in -0.02..0.1_f64, call in any::<bool>(),
    ) {
        let right = if call { Call } else { Put };
        let at = |forward: f64, dt: f64, rate: f64, vol: f64| {
            greeks(&Expiry::new(forward, years - dt, rate), right, strike, vol)
        };
        let here = at(forward, 0.0, rate, vol);
        for (name, analytic, numeric) in [
            ("delta", here.delta, slope(|f| at(f, 0.0, rate, vol).price, forward, 0.02)),
            ("gamma", here.gamma, slope(|f| at(f, 0.0, rate, vol).delta, forward, 0.02)),
            ("vega", here.vega, slope(|v| at(forward, 0.0, rate, v).price, vol, 0.02)),
            ("rho", here.rho, slope(|r| at(forward, 0.0, r, vol).price, rate, 1e-3)),
            ("vanna", here.vanna, slope(|v| at(forward, 0.0, rate, v).delta, vol, 0.02)),
            ("volga", here.volga, slope(|v| at(forward, 0.0, rate, v).vega, vol, 0.02)),
            ("theta", here.theta, slope(|t| at(forward, t, rate, vol).price, 0.0, 1e-3 * years)),
            ("charm", here.charm, slope(|t| at(forward, t, rate, vol).delta, 0.0, 1e-3 * years)),
        ] {
            prop_assert!((analytic - numeric).abs() <= 1e-7 * (1.0 + analytic.abs()), "{name}: {analytic}, {numeric}");
        }
        let other = greeks(&Expiry::new(forward, years, rate), if call { Put } else { Call }, strike, vol);
        let sign = right.sign();
        prop_assert!((sign * (here.price - other.price) - (-rate * years).exp() * (forward - strike)).abs() < 1e-11);
    }

    #[test]
    fn the_volatility_is_found_again(
        forward in -50.0..50.0_f64, deviations in -4.0..4.0_f64, years in 0.01..3.0_f64, vol in 0.5..60.0_f64,
    ) {
        let expiry = Expiry::new(forward, years, 0.03);
        let strike = forward + deviations * vol * years.sqrt();
        let right = if strike >= forward { Call } else { Put };
        let price = greeks(&expiry, right, strike, vol).price;
        let found = implied_vol(&expiry, right, strike, price);
        prop_assert!(found.is_ok_and(|found| ((found - vol) / vol).abs() < 1e-12), "{found:?}, {vol}");
    }
}

#[test]
fn limits_and_reasons() {
    let spent = greeks(&Expiry::new(10.0, 0.0, 0.05), Call, 8.0, 3.0);
    assert_eq!((spent.price, spent.delta, spent.gamma), (2.0, 1.0, 0.0));
    assert_eq!(greeks(&Expiry::new(-4.0, 1.0, 0.0), Put, -3.0, 0.0).price, 1.0);
    assert!(greeks(&Expiry::new(f64::NAN, 1.0, 0.0), Put, -3.0, 1.0).price.is_nan());
    assert_eq!(implied_vol(&Expiry::new(10.0, 1.0, 0.0), Call, 8.0, 1.9), Err(NoVol::BelowIntrinsic));
    assert_eq!(implied_vol(&Expiry::new(10.0, 0.0, 0.0), Call, 8.0, 2.5), Err(NoVol::Expired));
    assert_eq!(implied_vol(&Expiry::new(10.0, 1.0, 0.0), Call, 8.0, f64::NAN), Err(NoVol::Input));
}
