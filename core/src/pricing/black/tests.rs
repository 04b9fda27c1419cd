//! Black's prices and Greeks against finite differences and identities.

use super::*;
use proptest::prelude::*;

prop_compose! {
    fn option()(
        log_strike in -0.8..0.8_f64,
        years in 0.01..3.0_f64,
        vol in 0.05..1.5_f64,
        rate in -0.03..0.12_f64,
        lag in 0.5..1.5_f64,
        call in any::<bool>(),
    ) -> (Expiry, OptionType, f64, f64) {
        let expiry = Expiry { forward: 100.0, years, rate, discount_years: years * lag };
        (expiry, if call { OptionType::Call } else { OptionType::Put }, 100.0 * log_strike.exp(), vol)
    }
}

/// A central difference of fourth order.
fn slope(of: impl Fn(f64) -> f64, at: f64, step: f64) -> f64 {
    (8.0 * (of(at + step) - of(at - step)) - (of(at + 2.0 * step) - of(at - 2.0 * step))) / (12.0 * step)
}

proptest! {
    #[test]
    fn greeks_are_derivatives((expiry, right, strike, vol) in option()) {
        let here = greeks(&expiry, right, strike, vol);
        let at = |forward: f64, dt: f64, rate: f64, vol: f64| {
            let Expiry { years, discount_years, .. } = expiry;
            greeks(&Expiry { forward, years: years - dt, rate, discount_years: discount_years - dt }, right, strike, vol)
        };
        let rate = expiry.rate;
        let dt = 0.02 * expiry.years;
        for (name, analytic, numeric, scale) in [
            ("delta", here.delta, slope(|f| at(f, 0.0, rate, vol).price, 100.0, 0.05), 1.0),
            ("gamma", here.gamma, slope(|f| at(f, 0.0, rate, vol).delta, 100.0, 0.05), 1.0),
            ("vega", here.vega, slope(|v| at(100.0, 0.0, rate, v).price, vol, 1e-3), 100.0),
            ("rho", here.rho, slope(|r| at(100.0, 0.0, r, vol).price, rate, 1e-3), 100.0),
            ("vanna", here.vanna, slope(|v| at(100.0, 0.0, rate, v).delta, vol, 1e-3), 10.0),
            ("volga", here.volga, slope(|v| at(100.0, 0.0, rate, v).vega, vol, 1e-3), 1e3),
            ("theta", here.theta, slope(|t| at(100.0, t, rate, vol).price, 0.0, dt), 1e3),
            ("charm", here.charm, slope(|t| at(100.0, t, rate, vol).delta, 0.0, dt), 1e2),
        ] {
            prop_assert!((analytic - numeric).abs() <= 2e-5 * scale, "{name}: {analytic} but slope {numeric}");
        }
    }

    #[test]
    fn puts_follow_from_calls((expiry, _, strike, vol) in option()) {
        let call = greeks(&expiry, OptionType::Call, strike, vol);
        let put = greeks(&expiry, OptionType::Put, strike, vol);
        let discount = (-expiry.rate * expiry.discount_years).exp();
        prop_assert!((call.price - put.price - discount * (100.0 - strike)).abs() < 1e-12);
        prop_assert!((call.delta - put.delta - discount).abs() < 1e-14);
        prop_assert_eq!((call.gamma, call.vega, call.vanna, call.volga), (put.gamma, put.vega, put.vanna, put.volga));
    }
}
