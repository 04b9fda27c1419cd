//! American prices against QuantLib's reference and published tables; Greeks against that engine's differences;
//! implied volatilities found again; bounds everywhere.

use super::*;
use crate::pricing::implied::NoVol;
use crate::pricing::oracle::{Row, rows};
use OptionType::{Call, Put};
use proptest::prelude::*;

const GRID: &str = include_str!("../../../oracles/american.csv");
const GREEKS: &str = include_str!("../../../oracles/american_greeks.csv");

fn option_of(row: &Row<'_>) -> (Expiry, OptionType, f64, f64) {
    let expiry = Expiry::new(100.0, row.number("days") / 365.0, row.number("rate"));
    (expiry, row.option_type(), row.number("strike"), row.number("vol"))
}

/// Root mean square and largest error over the grid.
fn errors(mut price: impl FnMut(&Expiry, OptionType, f64, f64) -> f64) -> (f64, f64) {
    let errors: Vec<f64> = rows(GRID)
        .map(|row| {
            let (expiry, right, strike, vol) = option_of(&row);
            price(&expiry, right, strike, vol) - row.number("price")
        })
        .collect();
    assert_eq!(errors.len(), 840);
    let mean_square = errors.iter().map(|error| error * error).sum::<f64>() / 840.0;
    (mean_square.sqrt(), errors.iter().fold(0.0, |worst, error| worst.max(error.abs())))
}

#[test]
fn the_fast_scheme_holds_on_the_grid() {
    let (rmse, worst) = errors(price);
    println!("computed: RMSE {rmse:.2e}, at most {worst:.2e}");
    assert!(rmse < 4e-7 && worst < 4e-6, "{rmse:e}, {worst:e}");
}

#[test]
fn so_does_the_papers_scheme_of_that_cost() {
    let scheme = Box::new(Scheme::<7, 7, 27>::new(2));
    let mut boundary = |terms: &Terms| Boundary::new(&scheme, Equation::A, *terms);
    let (rmse, worst) = errors(|expiry, right, strike, vol| {
        price_by(&scheme, &mut boundary, &Asset::future(expiry), right, strike, vol)
    });
    println!("(7, 2, 7, 27): RMSE {rmse:.2e}, at most {worst:.2e}");
    assert!(rmse < 1e-5, "{rmse:e}");
}

#[test]
fn the_lattice_adds_nothing_to_its_error() {
    let mut boundaries = Boundaries::new();
    let (rmse, worst) = errors(|expiry, right, strike, vol| boundaries.price(expiry, right, strike, vol));
    println!("from the lattice: RMSE {rmse:.2e}, at most {worst:.2e}");
    assert!(rmse < 4e-7 && worst < 4e-6, "{rmse:e}, {worst:e}");
    let (mut most, mut compared) = (0.0_f64, 0);
    for row in rows(GRID) {
        let (expiry, right, strike, vol) = option_of(&row);
        let one = price(&expiry, right, strike, 1.013 * vol);
        most = most.max((boundaries.price(&expiry, right, strike, 1.013 * vol) - one).abs() / strike);
        compared += 1;
    }
    println!("lattice against computed: at most {most:.2e} of the strike over {compared}");
    assert!(most < 1e-7, "{most:e}");
}

#[test]
fn far_from_the_grid_it_still_holds() {
    let mut boundaries = Boundaries::new();
    let mut worst = 0.0_f64;
    for row in rows(include_str!("../../../oracles/american_wide.csv")) {
        let (expiry, right) = (Expiry::new(100.0, 1.0, row.number("rate")), row.option_type());
        let (strike, vol) = (row.number("strike"), row.number("vol"));
        for ours in [price(&expiry, right, strike, vol), boundaries.price(&expiry, right, strike, vol)] {
            let error = (ours - row.number("price")).abs() / strike.max(100.0);
            worst = worst.max(error);
        }
    }
    println!("at most {worst:.1e} of strike or future");
    assert!(worst < 6e-7, "{worst}");
}

/// The price by any scheme, of an option that is exercised at a boundary.
pub(super) fn priced<const L: usize, const N: usize, const P: usize>(
    scheme: &Scheme<L, N, P>,
    equation: Equation,
    asset: &Asset,
    right: OptionType,
    strike: f64,
    vol: f64,
) -> f64 {
    let option = Scaled::of(asset, right, strike, vol);
    let boundary = Boundary::new(scheme, equation, option.terms);
    if option.moneyness <= boundary.now() {
        return right.intrinsic(asset.spot, strike);
    }
    let premium = Premium::of(scheme, &boundary, option.moneyness).value * option.scale;
    black::price(&asset.expiry(), right, strike, vol) + premium
}

#[test]
fn more_points_converge_to_the_reference() {
    let scheme = Box::new(Scheme::<32, 24, 128>::new(24));
    for row in rows(GRID).step_by(17) {
        let (expiry, right, strike, vol) = option_of(&row);
        let ours = priced(&scheme, Equation::A, &Asset::future(&expiry), right, strike, vol);
        let theirs = row.number("price");
        assert!((ours - theirs).abs() < 1e-9, "{ours}, not {theirs}: {right} {strike} {expiry:?} {vol}");
    }
}

#[test]
fn published_values() {
    // Andersen, Lake and Offengenden, table of high precision: r = q = 5 %, 25 %, one year, at the money.
    let expiry = Expiry::new(100.0, 1.0, 0.05);
    let premium = price(&expiry, Put, 100.0, 0.25) - black::price(&expiry, Put, 100.0, 0.25);
    assert!((premium - 0.106_952_702_8).abs() < 1e-6, "{premium}");
    // QuantLib with tanh-sinh quadrature: days, strike, volatility, rate, call, put; the future at 100.
    let mut worst = 0.0_f64;
    for (days, strike, vol, rate, call, put) in [
        (30.0, 100.0, 0.20, 0.03, 2.282_274_537_2, 2.282_274_537_2),
        (91.0, 95.0, 0.25, 0.02, 7.724_731_362_0, 2.743_462_269_2),
        (91.0, 105.0, 0.25, 0.02, 2.972_129_411_4, 7.953_362_603_9),
        (182.0, 80.0, 0.35, 0.03, 21.981_296_484_6, 2.168_564_082_7),
        (182.0, 120.0, 0.35, 0.03, 3.563_442_994_4, 23.367_081_304_6),
        (365.0, 100.0, 0.20, 0.05, 7.662_609_276_9, 7.662_609_276_9),
        (365.0, 130.0, 0.30, 0.05, 3.420_377_068_8, 32.633_690_525_2),
        (365.0, 70.0, 0.30, 0.05, 30.723_792_295_2, 1.366_622_120_6),
    ] {
        let expiry = Expiry::new(100.0, days / 365.0, rate);
        for (right, value) in [(Call, call), (Put, put)] {
            let ours = price(&expiry, right, strike, vol);
            worst = worst.max((ours - value).abs());
            assert!((ours - value).abs() < 3e-6, "{right} {days} {strike}: {ours}, not {value}");
        }
    }
    println!("published prices: at most {worst:.1e}");
    // And what the European ones are worth.
    for (right, days, strike, vol, rate, value) in [
        (Call, 30.0, 100.0, 0.20, 0.03, 2.281_518_025_7),
        (Put, 30.0, 100.0, 0.20, 0.03, 2.281_518_025_7),
        (Call, 91.0, 95.0, 0.25, 0.02, 7.717_061_948_7),
        (Put, 91.0, 95.0, 0.25, 0.02, 2.741_931_400_7),
        (Call, 365.0, 100.0, 0.20, 0.05, 7.577_082_146_4),
        (Put, 365.0, 100.0, 0.20, 0.05, 7.577_082_146_4),
        (Put, 365.0, 130.0, 0.30, 0.05, 31.936_572_194_1),
    ] {
        let ours = black::price(&Expiry::new(100.0, days / 365.0, rate), right, strike, vol);
        assert!((ours - value).abs() < 1e-10, "{right} {days} {strike}: {ours}, not {value}");
    }
}

#[test]
fn the_quick_price_is_as_published() {
    // E. Haug, The complete guide to option pricing formulas (1998), page 24: futures at 90, 100, 110; strike 100, 10 %.
    for (right, years, vol, values) in [
        (Call, 0.1, 0.15, [0.0206, 1.8771, 10.0089]),
        (Call, 0.1, 0.25, [0.3159, 3.1280, 10.3919]),
        (Call, 0.5, 0.25, [2.7437, 6.8015, 13.0170]),
        (Call, 0.5, 0.35, [5.0063, 9.5106, 15.5689]),
        (Put, 0.5, 0.25, [12.4419, 6.8014, 3.3226]),
    ] {
        for (forward, value) in [90.0, 100.0, 110.0].into_iter().zip(values) {
            let ours = quick_price(&Expiry::new(forward, years, 0.10), right, 100.0, vol);
            assert!((ours - value).abs() < 3e-3, "{right} {forward} {years} {vol}: {ours}, not {value}");
        }
    }
    let (rmse, worst) = errors(quick_price);
    assert!(rmse < 0.025 && worst < 0.15, "{rmse}, {worst}");
}

#[test]
fn greeks_agree_with_the_reference() {
    let mut boundaries = Boundaries::new();
    let mut worst = [0.0_f64; 6];
    for row in rows(GREEKS) {
        let (expiry, right, strike, vol) = option_of(&row);
        for ours in [greeks(&expiry, right, strike, vol), boundaries.greeks(&expiry, right, strike, vol)] {
            let Greeks { delta, gamma, vega, rho, vanna, volga, .. } = ours;
            let values = [
                ("delta", delta, 1e-6),
                ("gamma", gamma, 1e-6),
                ("vega", vega, 1e-4),
                ("rho", rho, 1e-3),
                ("vanna", vanna, 1e-4),
                ("volga", volga, 2e-2),
            ];
            for (at, (name, value, allowed)) in values.into_iter().enumerate() {
                let error = (value - row.number(name)).abs();
                worst[at] = worst[at].max(error);
                let told = row.number(name);
                assert!(error <= allowed, "{name} {value}, not {told}: {right} {strike} {expiry:?} {vol}");
            }
        }
    }
    println!("largest errors of delta, gamma, vega, rho, vanna, volga: {worst:?}");
}

prop_compose! {
    fn option()(
        log_strike in -0.6..0.6_f64,
        log_years in -6.0..0.7_f64,
        log_vol in -3.0..0.7_f64,
        rate in -0.02..0.15_f64,
        lag in 0.7..1.5_f64,
        call in any::<bool>(),
    ) -> (Expiry, OptionType, f64, f64) {
        let years = log_years.exp();
        let expiry = Expiry { forward: 100.0, years, rate, discount_years: years * lag };
        (expiry, if call { Call } else { Put }, 100.0 * log_strike.exp(), log_vol.exp())
    }
}

proptest! {
    #[test]
    fn bounds_and_symmetry((expiry, right, strike, vol) in option()) {
        let value = price(&expiry, right, strike, vol);
        let bound = if right == Call { 100.0 } else { strike };
        let intrinsic = right.intrinsic(100.0, strike);
        prop_assert!(value >= intrinsic && value <= bound, "{value}");
        prop_assert!(value >= black::price(&expiry, right, strike, vol) - 1e-12, "not below the European");
        let (other, exchanged) = (if right == Call { Put } else { Call }, Expiry { forward: strike, ..expiry });
        let mirrored = price(&exchanged, other, 100.0, vol);
        prop_assert!((value - mirrored).abs() < 1e-10, "{value}, exchanged {mirrored}");
        let twice = price(&Expiry { forward: 200.0, ..expiry }, right, 2.0 * strike, vol);
        prop_assert!((2.0 * value - twice).abs() < 1e-10, "{value}, scaled {twice}");
        let call = price(&expiry, Call, strike, vol);
        let gap = call - price(&expiry, Put, strike, vol);
        if expiry.rate >= 0.0 {
            let discount = expiry.discount();
            prop_assert!(gap >= 100.0 * discount - strike - 1e-4 && gap <= 100.0 - strike * discount + 1e-4, "{gap}");
        }
    }

    #[test]
    fn wild_inputs_keep_the_bounds(
        log_years in -18.0..7.0_f64, log_vol in -9.0..5.0_f64, log_rate in -18.0..2.0_f64, log_strike in -8.0..8.0_f64,
        call in any::<bool>(),
    ) {
        let right = if call { Call } else { Put };
        let (expiry, strike) = (Expiry::new(100.0, log_years.exp(), log_rate.exp()), 100.0 * log_strike.exp());
        prop_assume!(expiry.rate * expiry.years < 500.0);
        let value = price(&expiry, right, strike, log_vol.exp());
        let bound = if call { 100.0 } else { strike };
        prop_assert!(value >= right.intrinsic(100.0, strike) && value <= bound * (1.0 + 1e-6), "{value}");
        prop_assert!(value >= black::price(&expiry, right, strike, log_vol.exp()));
    }

    #[test]
    fn monotone_and_convex((expiry, right, strike, vol) in option()) {
        let at = |forward: f64, vol: f64| price(&Expiry { forward, ..expiry }, right, strike, vol);
        let (down, here, up) = (at(99.0, vol), at(100.0, vol), at(101.0, vol));
        // The scheme's own error is some 1e-5.
        prop_assert!(right.sign() * (up - down) >= -4e-5);
        prop_assert!(up - 2.0 * here + down >= -8e-5, "convex: {down} {here} {up}");
        prop_assert!(at(100.0, 1.05 * vol) >= here - 4e-5);
    }

    #[test]
    fn the_quick_price_is_near((expiry, right, strike, vol) in option()) {
        let (fine, quick) = (price(&expiry, right, strike, vol), quick_price(&expiry, right, strike, vol));
        let carry = (expiry.rate * expiry.discount_years).max(0.0);
        prop_assert!((fine - quick).abs() < 1e-6 + 0.05 * carry.sqrt() * strike.max(100.0), "{fine}, quick {quick}");
    }

    #[test]
    fn volatilities_are_found_again((expiry, right, strike, vol) in option()) {
        let mut boundaries = Boundaries::new();
        let value = boundaries.price(&expiry, right, strike, vol);
        // At a negative rate even the least that a European option is worth is more than exercising pays.
        let time_value = value - right.intrinsic(100.0, strike) * expiry.discount().max(1.0);
        match boundaries.implied_vol(&expiry, right, strike, value) {
            Ok(found) => {
                let again = boundaries.price(&expiry, right, strike, found);
                prop_assert!((again - value).abs() < 1e-10, "{value} by {vol}, {again} by {found}");
            }
            Err(reason) => prop_assert!(
                matches!(reason, NoVol::BelowIntrinsic | NoVol::Unresolved) && time_value < 1e-10,
                "{reason}: {value}, time value {time_value}"
            ),
        }
    }

    #[test]
    fn delta_and_gamma_are_slopes_up_to_the_boundary((expiry, right, strike, vol) in option()) {
        let expiry = Expiry { rate: 0.001 + expiry.rate.abs(), ..expiry };
        let mut boundaries = Boundaries::new();
        let here = boundaries.greeks(&expiry, right, strike, vol);
        let intrinsic = |forward: f64| right.intrinsic(forward, strike);
        if here.price > 0.0 && here.price == intrinsic(100.0) {
            prop_assert_eq!((here.delta, here.gamma, here.vega, here.theta), (right.sign(), 0.0, 0.0, 0.0));
            return Ok(());
        }
        let step = 2.0 * vol * expiry.years.sqrt();
        let mut at = |steps: f64| boundaries.greeks(&Expiry { forward: 100.0 + steps * step, ..expiry }, right, strike, vol);
        let [far_down, down, up, far_up] = [at(-2.0), at(-1.0), at(1.0), at(2.0)];
        let exercised = [(&far_down, -2.0), (&far_up, 2.0)].into_iter().any(|(greeks, steps)| {
            greeks.price > 0.0 && greeks.price == intrinsic(100.0 + steps * step)
        });
        // Gamma jumps at the boundary.
        if exercised {
            return Ok(());
        }
        let delta = (8.0 * (up.price - down.price) - far_up.price + far_down.price) / (12.0 * step);
        prop_assert!((here.delta - delta).abs() < 2e-4, "{} but slope {delta}", here.delta);
        // Numerov's weights: the second difference is this mean of the second derivative, up to the sixth.
        let bend = (up.price - 2.0 * here.price + down.price) / (step * step);
        let mean = (up.gamma + 10.0 * here.gamma + down.gamma) / 12.0;
        prop_assert!((mean - bend).abs() < 2e-3 * bend.abs() + 2e-4 / step, "{mean} but bend {bend}");
    }
}

#[test]
fn gamma_holds_next_to_the_boundary() {
    // A put in the money whose time value is 3.5e-5: by QuantLib's high-precision engine, differences of 0.05.
    let expiry = Expiry::new(100.0, 0.016_405_129_832_702_578, 0.123_732_916_840_633_99);
    let found = greeks(&expiry, Put, 176.759_709_874_873_07, 1.602_449_614_868_725_3);
    assert!((found.gamma - 7.6449e-4).abs() < 2e-6, "{}", found.gamma);
    assert!((found.theta + 0.318_19).abs() < 2e-3, "{}", found.theta);
}

#[test]
fn edges() {
    let mut boundaries = Boundaries::new();
    for (expiry, strike, vol, call) in [
        (Expiry::new(100.0, 0.0, 0.05), 90.0, 0.2, 10.0),
        (Expiry::new(100.0, 1.0, 0.05), 90.0, 0.0, 10.0),
        (Expiry::new(100.0, 1.0, -0.05), 90.0, 0.0, 10.0 * 0.05_f64.exp()),
    ] {
        assert!((price(&expiry, Call, strike, vol) - call).abs() < 1e-12, "{expiry:?}");
        assert!((boundaries.price(&expiry, Call, strike, vol) - call).abs() < 1e-12, "{expiry:?}");
        assert!(greeks(&expiry, Call, strike, vol).price >= 10.0);
    }
    let free = Expiry::new(100.0, 0.5, 0.0);
    assert_eq!(price(&free, Put, 110.0, 0.3), black::price(&free, Put, 110.0, 0.3), "nothing to earn by exercising");
    assert!(price(&Expiry::new(f64::NAN, 0.5, 0.05), Put, 110.0, 0.3).is_nan());
    assert!(price(&Expiry::new(100.0, 0.5, 0.05), Put, -1.0, 0.3).is_nan());
    let expiry = Expiry::new(100.0, 0.5, 0.05);
    for (value, reason) in [
        (10.0, NoVol::BelowIntrinsic),
        (9.0, NoVol::BelowIntrinsic),
        (110.0, NoVol::AboveBound),
        (f64::NAN, NoVol::Input),
    ] {
        assert_eq!(boundaries.implied_vol(&expiry, Put, 110.0, value), Err(reason), "{value}");
    }
    assert_eq!(boundaries.implied_vol(&Expiry::new(100.0, 0.0, 0.05), Put, 110.0, 11.0), Err(NoVol::Expired));
    let band = boundaries.band(&expiry, Put, 110.0, Some(10.0), Some(13.0));
    assert!(band.bid == Err(NoVol::BelowIntrinsic) && band.ask.is_ok() && band.mid.is_ok());
}
