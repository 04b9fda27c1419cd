//! Black's prices and Greeks against finite differences and identities.

use super::*;
use crate::pricing::oracle::rows;
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

/// Tables name what they hold by the fields of [`Greeks`].
fn fields(greeks: &Greeks) -> [(&'static str, f64); 9] {
    let Greeks { price, delta, gamma, vega, theta, rho, vanna, volga, charm } = *greeks;
    [
        ("price", price),
        ("delta", delta),
        ("gamma", gamma),
        ("vega", vega),
        ("theta", theta),
        ("rho", rho),
        ("vanna", vanna),
        ("volga", volga),
        ("charm", charm),
    ]
}

#[test]
fn greeks_agree_with_fifty_digits() {
    for row in rows(include_str!("../../../oracles/black.csv")) {
        let [forward, years, rate, discount_years] =
            ["forward", "years", "rate", "discount_years"].map(|n| row.number(n));
        let expiry = Expiry { forward, years, rate, discount_years };
        let (strike, vol) = (row.number("strike"), row.number("vol"));
        let ours = greeks(&expiry, row.option_type(), strike, vol);
        let total = vol * years.sqrt();
        let deviations = ((forward / strike).ln() / total).abs() + total;
        for (name, value) in fields(&ours) {
            let exact = row.number(name);
            let error = ((value - exact) / exact).abs();
            let allowed = tolerance(name, deviations);
            assert!(
                error <= allowed,
                "{name} {value}, not {exact}: {error:e} at {deviations}, {expiry:?} {strike} {vol}"
            );
        }
    }
}

/// Relative errors: a density loses the square of its argument; what is a difference of two terms, more.
fn tolerance(name: &str, deviations: f64) -> f64 {
    let density = 4e-16 * (2.0 + deviations * deviations);
    match name {
        "price" | "rho" => 4.0 * density,
        "theta" | "charm" | "vanna" | "volga" => 1e-9,
        _ => density,
    }
}

#[test]
fn a_chain_gives_the_bits_of_single_options() {
    let types: Vec<_> = (0..43).map(|i| if i % 3 == 0 { OptionType::Put } else { OptionType::Call }).collect();
    let strikes: Vec<_> = (0..43).map(|i| 60.0 + 2.0 * f64::from(i)).collect();
    let vols: Vec<_> = (0..43).map(|i| if i == 20 { f64::NAN } else { 0.1 + 0.01 * f64::from(i) }).collect();
    let chain = Chain { expiry: Expiry::new(100.0, 0.3, 0.02), types: &types, strikes: &strikes, vols: &vols };
    let mut columns = Columns::with_capacity(43);
    for _ in 0..2 {
        greeks_of_chain(&chain, &mut columns);
        assert_eq!(columns.price.len(), 43);
        for i in 0..43 {
            let single = greeks(&chain.expiry, types[i], strikes[i], vols[i]);
            for ((name, ours), (_, theirs)) in fields(&columns.row(i)).into_iter().zip(fields(&single)) {
                assert_eq!(ours.to_bits(), theirs.to_bits(), "{name} of {i}");
            }
        }
    }
    assert!(columns.price[20].is_nan());
}

proptest! {
    #[test]
    fn bounds((expiry, right, strike, vol) in option()) {
        let discount = expiry.discount();
        let price = price(&expiry, right, strike, vol);
        let bound = if right == OptionType::Call { 100.0 } else { strike };
        prop_assert!(price >= discount * right.intrinsic(100.0, strike) * (1.0 - 1e-15), "{price}");
        prop_assert!(price <= discount * bound, "{price}");
    }

    #[test]
    fn monotone_and_convex((expiry, right, strike, vol) in option(), step in 0.1..5.0_f64) {
        let at = |forward: f64, strike: f64, vol: f64| price(&Expiry { forward, ..expiry }, right, strike, vol);
        let here = at(100.0, strike, vol);
        let rounding = 1e-13 * (100.0 + strike);
        for (up, down) in [
            (at(100.0 + step, strike, vol), at(100.0 - step, strike, vol)),
            // In the strike the direction is the other.
            (at(100.0, strike - step, vol), at(100.0, strike + step, vol)),
        ] {
            prop_assert!(right.sign() * (up - down) >= -rounding);
            prop_assert!(up + down - 2.0 * here >= -rounding, "convex");
        }
        prop_assert!(at(100.0, strike, 1.1 * vol) >= here - rounding);
    }

    #[test]
    fn homogeneous((expiry, right, strike, vol) in option(), unit in 1e-3..1e4_f64) {
        let here = greeks(&expiry, right, strike, vol);
        let scaled = greeks(&Expiry { forward: 100.0 * unit, ..expiry }, right, strike * unit, vol);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-11 * a.abs().max(b.abs()) + 1e-12;
        prop_assert!(near(scaled.price / unit, here.price) && near(scaled.delta, here.delta));
        prop_assert!(near(scaled.gamma * unit, here.gamma) && near(scaled.vega / unit, here.vega));
    }

    #[test]
    fn any_numbers_give_numbers_or_none(
        forward in any::<f64>(), strike in any::<f64>(), years in any::<f64>(), rate in any::<f64>(), vol in any::<f64>(),
    ) {
        for right in [OptionType::Call, OptionType::Put] {
            let found = greeks(&Expiry::new(forward, years, rate), right, strike, vol);
            let input = PRICES.contains(&forward)
                && PRICES.contains(&strike)
                && (0.0..1e100).contains(&years)
                && (rate * years).abs() < 700.0
                && (0.0..1e6).contains(&vol);
            if input {
                prop_assert!(found.price >= 0.0 && fields(&found).iter().all(|(_, value)| !value.is_nan()), "{found:?}");
            } else {
                prop_assert!(fields(&found).iter().all(|(_, value)| value.is_nan()), "{found:?}");
            }
        }
    }
}

#[test]
fn limits() {
    let rate = 0.05;
    let discount = (-0.025_f64).exp();
    for (years, vol) in [(0.5, 0.0), (0.5, 1e-12), (0.0, 0.3), (1e-12, 0.3)] {
        let expiry = Expiry { forward: 100.0, years, rate, discount_years: 0.5 };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let inside = greeks(&expiry, OptionType::Call, 90.0, vol);
        assert!(near(inside.price, 10.0 * discount) && near(inside.delta, discount), "{inside:?}");
        assert!(near(inside.theta, rate * inside.price) && near(inside.rho, -0.5 * inside.price), "{inside:?}");
        let outside = greeks(&expiry, OptionType::Put, 90.0, vol);
        assert_eq!((outside.price, outside.delta, outside.gamma, outside.vega), (0.0, 0.0, 0.0, 0.0));
        let at = greeks(&expiry, OptionType::Call, 100.0, vol);
        assert!(fields(&at).iter().all(|(_, value)| value.is_finite()), "{at:?}");
        assert!((at.delta - 0.5 * discount).abs() < 1e-6);
    }
    // The desk's check of the sign of the rate's part: by finite differences -5.2140 and 1.944.
    let expiry = Expiry::new(100.0, 0.5, 0.05);
    assert!((greeks(&expiry, OptionType::Call, 100.0, 0.2).theta + 5.2140).abs() < 5e-5);
    assert!((greeks(&expiry, OptionType::Call, 60.0, 0.2).theta - 1.944).abs() < 5e-4);
    let wild = greeks(&Expiry::new(100.0, 3.0, 0.02), OptionType::Call, 100.0, 50.0);
    assert!((wild.price - 100.0 * (-0.06_f64).exp()).abs() < 1e-9, "no more than the forward");
}
