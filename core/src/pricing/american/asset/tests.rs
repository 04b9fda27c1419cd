//! American prices on assets with a yield of their own: against QuantLib's reference, against what has been published, and
//! by what must hold.

use super::*;
use crate::pricing::american::boundary::Equation;
use crate::pricing::american::tests::priced;
use crate::pricing::american::{NODES, price};
use crate::pricing::black;
use crate::pricing::oracle::rows;
use OptionType::{Call, Put};
use proptest::prelude::*;

const fn asset(spot: f64, years: f64, rate: f64, income: f64) -> Asset {
    Asset { spot, years, rate, income, discount_years: years }
}

#[test]
fn prices_hold_from_a_week_to_ten_years() {
    let errors: Vec<f64> = rows(include_str!("../../../../oracles/american_carry.csv"))
        .map(|row| {
            let [spot, days, rate, income] = ["spot", "days", "rate", "dividend"].map(|name| row.number(name));
            let asset = asset(spot, days / 365.0, rate, income);
            let ours = price_on(&asset, row.option_type(), row.number("strike"), row.number("vol")).unwrap();
            (ours - row.number("price")).abs()
        })
        .collect();
    assert_eq!(errors.len(), 320);
    let rmse = (errors.iter().map(|error| error * error).sum::<f64>() / 320.0).sqrt();
    let worst = errors.iter().fold(0.0, |worst: f64, error| worst.max(*error));
    println!("with a carry: RMSE {rmse:.2e}, at most {worst:.2e} on a spot price of 100");
    assert!(rmse < 6e-7 && worst < 8e-6, "{rmse:e}, {worst:e}");
}

/// The price by a scheme whose error is nearly that of rounding, and the price.
fn exact_and_ours(asset: &Asset, right: OptionType, strike: f64, vol: f64) -> [f64; 2] {
    let fine = Box::new(Scheme::<40, 32, 100>::new(32));
    [priced(&fine, Equation::B, asset, right, strike, vol), price_on(asset, right, strike, vol).unwrap()]
}

#[test]
fn premiums_as_andersen_lake_and_offengenden_publish_them() {
    // Puts over a year at 25 %, the asset yielding 5 %. First the reference, on which both of their equations agree in
    // QuantLib with tanh-sinh quadrature to 3e-11, then what has been published for equations A and B at few steps, with
    // the distance to the reference that those few steps leave.
    for (strike, rate, reference, published, apart) in [
        (100.0, 0.05, 0.106_952_702_75, [0.106_952_702_824_754_6, 0.106_952_677_997_195_9], 3e-8),
        (100.0, 0.075, 0.367_111_140_68, [0.367_111_230_906_257_2, 0.367_111_126_781_368_9], 1e-7),
        (95.0, 0.075, 0.238_650_387_56, [0.238_647_528_336_932_7, 0.238_659_696_273_760_6], 1e-5),
    ] {
        let asset = asset(100.0, 1.0, rate, 0.05);
        let european = black::price(&asset.expiry(), Put, strike, 0.25);
        let [fine, ours] = exact_and_ours(&asset, Put, strike, 0.25).map(|price| price - european);
        println!("premium: fine {:.1e}, ours {:.1e} from the reference", fine - reference, ours - reference);
        assert!((fine - reference).abs() < 1e-10, "{fine}, not {reference}");
        assert!((ours - reference).abs() < 3e-6, "{ours}, not {reference}");
        for value in published {
            assert!((fine - value).abs() < apart, "{fine}, published {value}");
        }
    }
}

#[test]
fn edge_cases_of_quantlibs_tests() {
    // Ten years, and a rate of zero. The values published are of the QD+ engine, whose boundary is only our start: by that
    // boundary we have them. The options are worth what the exact boundary gives, as QuantLib's other engines agree.
    for (right, asset, strike, quasi, exact) in [
        (Put, asset(100.0, 10.0, 0.10, 0.03), 120.0, 22.973_832_560_035_85, 23.000_305_38),
        (Call, asset(120.0, 10.0, 0.03, 0.10), 100.0, 22.973_832_560_035_85, 23.000_305_38),
        (Call, asset(100.0, 1.0, 0.0, 0.025), 100.0, 8.871_505_915_120_776, 8.865_365_198_27),
    ] {
        let start = Box::new(Scheme::<1, NODES, 100>::new(0));
        let by_start = priced(&start, Equation::A, &asset, right, strike, 0.25);
        assert!((by_start - quasi).abs() < 1e-9, "{by_start}, published {quasi}");
        let [fine, ours] = exact_and_ours(&asset, right, strike, 0.25);
        println!("{right}: QD+ {:.1e}, fine {:.1e}, ours {:.1e}", by_start - quasi, fine - exact, ours - exact);
        assert!((fine - exact).abs() < 3e-8, "{fine}, not {exact}");
        assert!((ours - exact).abs() < 1e-4, "{ours}, not {exact}");
    }
    // A rate of zero and a yield below it: what is held until the end only loses, so it is exercised early.
    for (right, asset, strike, exact) in [
        (Put, asset(100.0, 1.0, 0.0, -0.03), 110.0, 12.909_569_018_3),
        (Call, asset(100.0, 2.0, -0.03, 0.0), 90.0, 14.155_117_743_1),
    ] {
        let [fine, ours] = exact_and_ours(&asset, right, strike, 0.2);
        assert!((fine - exact).abs() < 1e-8 && (ours - exact).abs() < 1e-6, "{fine}, {ours}, not {exact}");
    }
    // Nothing fluctuates: the put is best exercised when the interest on the strike is what the asset yields.
    for vol in [0.0, 1e-6] {
        let falling = price_on(&asset(100.0, 40.0, 0.01, 0.5), Put, 120.0, vol).unwrap();
        assert!((falling - 108.980_904_561_184_6).abs() < 2e-5, "{falling}");
        let rising = price_on(&asset(100.0, 1.0, 0.05, 0.01), Call, 50.0, vol).unwrap();
        assert!((rising - 51.443_512_149_881_11).abs() < 1e-9, "{rising}");
    }
}

/// What exercising at one fixed price gives, by the formula of P. Bjerksund and G. Stensland, Closed form approximation of
/// American options, Scandinavian Journal of Management 9 (1993): a bound from below that owes nothing to the fixed point.
fn flat_boundary(asset: &Asset, right: OptionType, strike: f64, vol: f64) -> f64 {
    let Asset { spot, years, rate, income, .. } = *asset;
    if right == Put {
        let mirrored = Asset { spot: strike, rate: income, income: rate, ..*asset };
        return flat_boundary(&mirrored, Call, spot, vol);
    }
    let (carry, variance, total) = (rate - income, vol * vol, vol * years.sqrt());
    let beta = 0.5 - carry / variance + ((carry / variance - 0.5).powi(2) + 2.0 * rate / variance).sqrt();
    let (last, forever) = (strike.max(rate / income * strike), beta / (beta - 1.0) * strike);
    let reach = -(carry * years + 2.0 * total) * last / (forever - last);
    let trigger = last + (forever - last) * -reach.exp_m1();
    if spot >= trigger {
        return spot - strike;
    }
    let normal = crate::pricing::normal::cdf;
    let phi = |gamma: f64, level: f64| {
        let growth = (-rate + gamma * carry + 0.5 * gamma * (gamma - 1.0) * variance) * years;
        let down = -((spot / level).ln() + (carry + (gamma - 0.5) * variance) * years) / total;
        let kappa = 2.0 * carry / variance + 2.0 * gamma - 1.0;
        let image = (trigger / spot).powf(kappa) * normal(down - 2.0 * (trigger / spot).ln() / total);
        growth.exp() * spot.powf(gamma) * (normal(down) - image)
    };
    let alpha = (trigger - strike) * trigger.powf(-beta);
    alpha * (spot.powf(beta) - phi(beta, trigger)) + phi(1.0, trigger)
        - phi(1.0, strike)
        - strike * (phi(0.0, trigger) - phi(0.0, strike))
}

/// The put by the formula of N. Ju and R. Zhong, An approximate formula for pricing American options, Journal of Derivatives 7
/// (1999): Barone-Adesi and Whaley's, and a quadratic in the logarithm of the price that it leaves out.
fn quadratic(asset: &Asset, strike: f64, vol: f64) -> f64 {
    let Asset { spot, years, rate, income, .. } = *asset;
    let (normal, total) = (crate::pricing::normal::cdf, vol * years.sqrt());
    let (paid, yielded) = ((-rate * years).exp(), (-income * years).exp());
    let deviations = |at: f64| ((at / strike).ln() + (rate - income) * years) / total + 0.5 * total;
    let european = |at: f64| {
        let up = deviations(at);
        strike * paid * normal(total - up) - at * yielded * normal(-up)
    };
    let (h, alpha, beta) = (1.0 - paid, 2.0 * rate / (vol * vol), 2.0 * (rate - income) / (vol * vol));
    let root = ((beta - 1.0).powi(2) + 4.0 * alpha / h).sqrt();
    let (power, power_by_h) = (0.5 * (1.0 - beta - root), alpha / (h * h * root));
    // Where the premium meets what exercising pays without a kink.
    let kink = |at: f64| 1.0 - yielded * normal(-deviations(at)) + power * (strike - at - european(at)) / at;
    let (mut low, mut high) = (0.3 * strike, strike);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        (low, high) = if kink(middle) < 0.0 { (middle, high) } else { (low, middle) };
    }
    let trigger = low;
    if spot <= trigger {
        return strike - spot;
    }
    let up = deviations(trigger);
    let premium = strike - trigger - european(trigger);
    let by_years =
        trigger * yielded * (crate::pricing::normal::density(up) * vol / (2.0 * years.sqrt()) + income * normal(-up))
            - rate * strike * paid * normal(total - up);
    let (scale, log) = (2.0 * power + beta - 1.0, (spot / trigger).ln());
    let b = (1.0 - h) * alpha * power_by_h / (2.0 * scale);
    let c = -(1.0 - h) * alpha / scale * (by_years / (rate * paid * premium) + 1.0 / h + power_by_h / scale);
    european(spot) + premium * (power * log).exp() / (1.0 - b * log * log - c * log)
}

#[test]
fn approximations_as_published_lie_where_they_should() {
    // E. Haug, The complete guide to option pricing formulas (1998), page 27: Bjerksund and Stensland's approximation, then
    // what QuantLib's reference engine makes of the same option.
    for (right, asset, strike, vol, published, exact) in [
        (Call, asset(42.0, 0.75, 0.04, 0.08), 40.0, 0.35, 5.2704, 5.309_057_764_2),
        (Put, asset(36.0, 1.0, 0.06, 0.0), 40.0, 0.20, 4.4531, 4.486_674_356_8),
    ] {
        let flat = flat_boundary(&asset, right, strike, vol);
        assert!((flat - published).abs() < 1e-4, "{flat}, published {published}");
        let [fine, ours] = exact_and_ours(&asset, right, strike, vol);
        println!("{right}: flat {:.1e}, fine {:.1e}, ours {:.1e}", flat - published, fine - exact, ours - exact);
        assert!((fine - exact).abs() < 1e-8, "{fine}, not {exact}");
        assert!((ours - exact).abs() < 1e-5 && ours > flat, "{ours}, not {exact}");
    }
    // N. Ju and R. Zhong, An approximate formula for pricing American options, Journal of Derivatives 7 (1999), exhibit 3:
    // spot 40, no yield: by their formula to the three decimals published. QuantLib's reference engine shows how far off it is.
    for (strike, published, exact) in [
        (35.0, [0.006, 0.201, 0.433], [0.006_191_219_42, 0.200_361_171_16, 0.432_798_470_54]),
        (40.0, [0.851, 1.576, 1.984], [0.852_170_824_67, 1.579_816_906_97, 1.990_462_877_07]),
        (45.0, [5.000, 5.084, 5.260], [5.000_000_000_00, 5.088_325_492_96, 5.266_987_026_19]),
    ] {
        for ((years, published), exact) in [0.0833, 0.3333, 0.5833].into_iter().zip(published).zip(exact) {
            let [fine, ours] = exact_and_ours(&asset(40.0, years, 0.0488, 0.0), Put, strike, 0.2);
            println!(
                "{strike} {years}: fine {:.1e}, ours {:.1e}, theirs {:.1e}",
                fine - exact,
                ours - exact,
                published - exact
            );
            assert!((fine - exact).abs() < 1e-8, "{fine}, not {exact}");
            assert!((ours - exact).abs() < 2e-6, "{ours}, not {exact}");
            let theirs = quadratic(&asset(40.0, years, 0.0488, 0.0), strike, 0.2);
            assert!((theirs - published).abs() < 5.1e-4, "{theirs}, published {published}");
        }
    }
}

prop_compose! {
    fn option()(
        log_strike in -0.6..0.6_f64,
        log_years in -4.0..2.3_f64,
        log_vol in -2.5..0.0_f64,
        rate in -0.01..0.12_f64,
        income in -0.01..0.12_f64,
        lag in 0.7..1.5_f64,
        call in any::<bool>(),
    ) -> (Asset, OptionType, f64, f64) {
        let years = log_years.exp();
        let asset = Asset { spot: 100.0, years, rate, income, discount_years: years * lag };
        (asset, if call { Call } else { Put }, 100.0 * log_strike.exp(), log_vol.exp())
    }
}

/// Whether exercise is best between two boundaries.
fn between(asset: &Asset, right: OptionType) -> bool {
    let (own, other) = if right == Put { (asset.rate, asset.income) } else { (asset.income, asset.rate) };
    own < 0.0 && other < own
}

proptest! {
    #[test]
    fn bounds_and_symmetry((asset, right, strike, vol) in option()) {
        let value = price_on(&asset, right, strike, vol);
        if between(&asset, right) {
            prop_assert_eq!(value, Err(NoPrice::TwoBoundaries));
            return Ok(());
        }
        let value = value.unwrap();
        let bound = if right == Call { 100.0 } else { strike };
        let most = bound * (-(if right == Call { asset.income } else { asset.rate }) * asset.discount_years).exp().max(1.0);
        prop_assert!(value >= right.intrinsic(100.0, strike) && value <= most, "{value}");
        prop_assert!(value >= black::price(&asset.expiry(), right, strike, vol), "not below the European");
        let other = if right == Call { Put } else { Call };
        let exchanged = Asset { spot: strike, rate: asset.income, income: asset.rate, ..asset };
        let mirrored = price_on(&exchanged, other, 100.0, vol).unwrap();
        prop_assert!((value - mirrored).abs() < 1e-10, "{value}, exchanged {mirrored}");
        let twice = price_on(&Asset { spot: 200.0, ..asset }, right, 2.0 * strike, vol).unwrap();
        prop_assert!((2.0 * value - twice).abs() < 1e-10, "{value}, scaled {twice}");
    }

    #[test]
    fn no_less_than_at_a_fixed_price((asset, right, strike, vol) in option()) {
        let (rate, income) = (0.005 + asset.rate.abs(), 0.005 + asset.income.abs());
        let asset = Asset { rate, income, discount_years: asset.years, ..asset };
        let (value, flat) = (price_on(&asset, right, strike, vol).unwrap(), flat_boundary(&asset, right, strike, vol));
        prop_assert!(value >= flat - 2e-5, "{value}, at a fixed price {flat}");
    }

    #[test]
    fn monotone_and_convex((asset, right, strike, vol) in option(), more in 0.0..0.01_f64) {
        prop_assume!(!between(&asset, right));
        let at = |spot: f64, vol: f64| price_on(&Asset { spot, ..asset }, right, strike, vol).unwrap();
        let (down, here, up) = (at(99.0, vol), at(100.0, vol), at(101.0, vol));
        prop_assert!(right.sign() * (up - down) >= -1e-4);
        prop_assert!(up - 2.0 * here + down >= -2e-4, "convex: {down} {here} {up}");
        prop_assert!(at(100.0, 1.05 * vol) >= here - 1e-3);
        // A yield is what the holder of a call forgoes, and of a put gains.
        let richer = Asset { income: asset.income + more, ..asset };
        if !between(&richer, right) {
            let gain = here - price_on(&richer, right, strike, vol).unwrap();
            prop_assert!(right.sign() * gain >= -1e-4, "{gain}");
        }
    }

    #[test]
    fn a_future_is_what_yields_the_rate((asset, right, strike, vol) in option(), near in -1e-7..1e-7_f64) {
        let future = Asset { income: asset.rate, ..asset };
        let on_future = price(&future.expiry(), right, strike, vol);
        let also = price_on(&future, right, strike, vol).unwrap();
        prop_assert!((also - on_future).abs() < 2e-5 * strike.max(100.0), "{also}, on the future {on_future}");
        let almost = Asset { income: asset.rate + near, ..asset };
        if !between(&almost, right) {
            let value = price_on(&almost, right, strike, vol).unwrap();
            prop_assert!((value - also).abs() < 2e-4, "{value}, on the future {also}");
        }
    }

    #[test]
    fn wild_inputs_keep_the_bounds(
        log_years in -18.0..5.0_f64, log_vol in -9.0..3.0_f64, rate in -0.5..5.0_f64, income in -0.5..5.0_f64,
        log_strike in -8.0..8.0_f64, call in any::<bool>(),
    ) {
        let right = if call { Call } else { Put };
        let (asset, strike) = (asset(100.0, log_years.exp(), rate, income), 100.0 * log_strike.exp());
        prop_assume!((rate - income).abs() * asset.years < 200.0);
        match price_on(&asset, right, strike, log_vol.exp()) {
            Ok(value) => {
                let own = if call { income } else { rate };
                let most = if call { 100.0 } else { strike } * (-own * asset.years).exp().max(1.0);
                prop_assert!(value >= right.intrinsic(100.0, strike) && value <= most * (1.0 + 1e-6), "{value}");
                prop_assert!(value >= black::price(&asset.expiry(), right, strike, log_vol.exp()));
            }
            Err(reason) => prop_assert!(between(&asset, right) && reason == NoPrice::TwoBoundaries, "{reason}"),
        }
    }
}

#[test]
fn inputs_that_are_none_are_said() {
    for (asset, strike, vol) in [
        (asset(f64::NAN, 1.0, 0.05, 0.02), 100.0, 0.2),
        (asset(100.0, -1.0, 0.05, 0.02), 100.0, 0.2),
        (asset(100.0, 1.0, 0.05, f64::NAN), 100.0, 0.2),
        (asset(100.0, 1.0, 0.05, 0.02), 0.0, 0.2),
        (asset(100.0, 1.0, -0.05, f64::NAN), 100.0, 0.2),
        (asset(100.0, 1.0, 0.05, 0.02), 100.0, -0.2),
    ] {
        assert_eq!(price_on(&asset, Put, strike, vol), Err(NoPrice::Input), "{asset:?} {strike} {vol}");
    }
    let expired = asset(100.0, 0.0, 0.05, 0.02);
    assert_eq!(price_on(&expired, Put, 110.0, 0.2), Ok(10.0));
}
