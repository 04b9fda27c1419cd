use super::*;
use crate::pricing::smile::{Smile, Svi};
use proptest::prelude::*;

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
}

fn styled(style: OptionStyle, option_type: OptionType, strike: f64, vol: f64, lots: f64) -> Leg {
    let contract = Contract::Option { option_type, strike, vol, style };
    Leg { contract, expiry: 0, lots, unit: 10_000.0 }
}

fn option(option_type: OptionType, strike: f64, vol: f64, lots: f64) -> Leg {
    styled(OptionStyle::European, option_type, strike, vol, lots)
}

const EXPIRY: Expiry = Expiry { forward: 3.0, years: 0.25, rate: 0.02, discount_years: 0.25 };

#[test]
fn exposures_are_in_lots_units_and_money() {
    for style in [OptionStyle::European, OptionStyle::American] {
        holds_by_revaluation(&styled(style, OptionType::Call, 3.1, 0.2, -5.0));
        holds_by_revaluation(&styled(style, OptionType::Put, 3.3, 0.2, 5.0));
    }
}

fn holds_by_revaluation(leg: &Leg) {
    let greeks = leg.greeks(&EXPIRY);
    let exposure = Exposure::of(leg, &EXPIRY);
    assert_eq!(leg.price(&EXPIRY), greeks.price);
    near(exposure.delta_lots, leg.lots * greeks.delta, 1e-12);
    near(exposure.delta_units, leg.lots * 10_000.0 * greeks.delta, 1e-9);
    near(exposure.delta_cash, leg.lots * 30_000.0 * greeks.delta, 1e-9);
    // What each says, by revaluation.
    let value = |forward: f64, vol: f64, days: f64, rate: f64| {
        let years = 0.25 - days / TRADING_DAYS;
        Exposure::of(&leg.with_vol(vol), &Expiry { forward, years, rate, discount_years: years }).value
    };
    let delta_cash = |forward: f64| Exposure::of(leg, &Expiry { forward, ..EXPIRY }).delta_units * 3.0;
    near(
        exposure.gamma_cash,
        (delta_cash(3.0 * 1.0001) - delta_cash(3.0 * 0.9999)) * 50.0,
        1e-3 * exposure.gamma_cash.abs(),
    );
    near(exposure.vega, value(3.0, 0.205, 0.0, 0.02) - value(3.0, 0.195, 0.0, 0.02), 1e-3 * exposure.vega.abs());
    near(
        exposure.theta,
        value(3.0, 0.2, 0.01, 0.02) * 100.0 - value(3.0, 0.2, 0.0, 0.02) * 100.0,
        1e-3 * exposure.theta.abs(),
    );
    near(exposure.rho, value(3.0, 0.2, 0.0, 0.0201) - value(3.0, 0.2, 0.0, 0.02), 1e-3 * exposure.rho.abs());
    near(exposure.theta_calendar * 365.0, exposure.theta * TRADING_DAYS, 1e-9);
}

#[test]
fn an_order_adds_to_the_book_and_its_opposite_takes_it_out() {
    let legs = [option(OptionType::Call, 3.1, 0.2, -5.0), option(OptionType::Put, 2.9, 0.25, 7.0)];
    let book = Exposure::sum(&legs, &[EXPIRY]);
    let order = option(OptionType::Call, 3.0, 0.21, 3.0);
    let after = book.would_be(&order, &EXPIRY);
    assert_eq!(after, Exposure::sum(&[legs[0], legs[1], order], &[EXPIRY]));
    near(after.would_be(&Leg { lots: -3.0, ..order }, &EXPIRY).vega, book.vega, 1e-9);
    // A leg whose expiry is unknown is seen.
    assert!(Exposure::sum(&[Leg { expiry: 3, ..order }], &[EXPIRY]).value.is_nan());
    // A hedge with the underlying.
    let hedge = Leg { contract: Contract::Underlying, expiry: 0, lots: -after.delta_units, unit: 1.0 };
    near(after.would_be(&hedge, &EXPIRY).delta_units, 0.0, 1e-9);
}

#[test]
fn a_ladder_is_revaluation_and_nothing_moved_is_nothing() {
    let legs = [option(OptionType::Call, 3.1, 0.2, -5.0), option(OptionType::Put, 2.9, 0.25, 7.0)];
    let (spots, vols) = ([-0.1, 0.0, 0.05], [-0.05, 0.0, 0.05]);
    let times = [(0.0, 0.0), (3.0 / TRADING_DAYS, 3.0 / 365.0)];
    let own = |leg: &Leg, _: &Expiry| match leg.contract {
        Contract::Option { vol, .. } => Some(vol),
        Contract::Underlying => None,
    };
    let ladder = Ladder::new(&legs, &[EXPIRY], &spots, &vols, &times, own);
    assert_eq!(ladder.cells.len(), 18);
    let still = ladder.cells[4];
    assert_eq!((still.shock, still.result), (Shock::default(), 0.0));
    let cell = ladder.cells[9 + 2 * 3];
    assert_eq!((cell.shock.spot, cell.shock.vol), (-0.1, 0.05));
    let moved =
        Expiry { forward: 2.7, years: 0.25 - 3.0 / TRADING_DAYS, rate: 0.02, discount_years: 0.25 - 3.0 / 365.0 };
    let value: f64 = legs
        .iter()
        .zip([0.25, 0.30])
        .map(|(leg, vol)| leg.units() * (leg.with_vol(vol).greeks(&moved).price - leg.greeks(&EXPIRY).price))
        .sum();
    near(cell.result, value, 1e-9);
    assert!(ladder.worst().unwrap().result <= cell.result);
    // With a smile that moves along, a volatility depends on where the forward goes.
    let smile = Svi { a: 0.005, b: 0.03, rho: -0.5, m: 0.0, s: 0.1 };
    let sticky = |leg: &Leg, expiry: &Expiry| match leg.contract {
        Contract::Option { strike, .. } => Some(smile.vol((strike / expiry.forward).ln(), 0.25)),
        Contract::Underlying => None,
    };
    let moneyness = Ladder::new(&legs, &[EXPIRY], &spots, &vols, &times, sticky);
    assert_eq!(moneyness.cells[4].result, 0.0);
    assert!((moneyness.cells[3].result - ladder.cells[3].result).abs() > 1.0);
}

proptest! {
    #[test]
    fn a_results_parts_add_up_and_explain_small_moves(
        strike in 2.7..3.3_f64, call in any::<bool>(), american in any::<bool>(), lots in -20.0..20.0_f64, move_ticks in -5.0..5.0_f64,
        level in -0.0003..0.0003_f64, tilt in -0.005..0.005_f64, minutes in 0.0..5.0_f64, rate in 0.01995..0.02005_f64,
        fill in 0.01..0.5_f64, traded in -3.0..3.0_f64,
    ) {
        let before = Svi { a: 0.005, b: 0.03, rho: -0.5, m: 0.0, s: 0.1 };
        let after = Svi { a: 0.005 + level * 0.1, rho: -0.5 + tilt, ..before };
        let end = Expiry {
            forward: 3.0 + move_ticks * 1e-4,
            years: 0.25 - minutes / 240.0 / TRADING_DAYS,
            rate,
            discount_years: 0.25 - minutes / 1_440.0 / 365.0,
        };
        let (k_before, k) = ((strike / 3.0).ln(), (strike / end.forward).ln());
        let vol = before.vol(k_before, 0.25);
        let change = VolMove::between((&before, 0.25), (&after, end.years), k_before, k);
        prop_assert!((vol + change.total() - after.vol(k, end.years)).abs() < 1e-14);
        let option_type = if call { OptionType::Call } else { OptionType::Put };
        let style = if american { OptionStyle::American } else { OptionStyle::European };
        let leg = styled(style, option_type, strike, vol, lots);
        let trades = [Trade { lots: traded, price: fill, fees: 5.2 }];
        let step = LegStep { leg, start: EXPIRY, end, vol: change, trades: &trades };
        let parts = Attribution::of(&step);
        // The whole is what revaluation says.
        let last = leg.with_vol(after.vol(k, end.years)).greeks(&end).price;
        let first = leg.greeks(&EXPIRY).price;
        let total = leg.units() * (last - first) + traded * leg.unit * (last - fill) - 5.2;
        prop_assert!((parts.total - total).abs() < 1e-6);
        let terms = parts.terms();
        prop_assert!((terms.iter().sum::<f64>() + parts.residual - parts.total).abs() < 1e-9);
        prop_assert!((parts.intrinsic + parts.time_value + parts.trades + parts.fees - parts.total).abs() < 1e-6);
        // Moves this small are explained: by the held position's terms alone.
        let size: f64 = terms[..11].iter().map(|term| term.abs()).sum();
        prop_assert!(parts.residual.abs() <= 1e-3 * size + 1e-6, "{parts:?}");
        let twice = Attribution::sum(&[step, step]);
        prop_assert!((twice.total - 2.0 * parts.total).abs() < 1e-9);
    }
}

#[test]
fn american_options_are_valued_and_moved_as_such() {
    // A put in the money at a high rate, so that the right to exercise early is worth something.
    let expiry = Expiry { rate: 0.08, ..EXPIRY };
    let leg = styled(OptionStyle::American, OptionType::Put, 3.3, 0.15, 10.0);
    let european = styled(OptionStyle::European, OptionType::Put, 3.3, 0.15, 10.0);
    let call = styled(OptionStyle::American, OptionType::Call, 2.9, 0.18, -4.0);
    let legs = [leg, european, call];
    let premium = leg.price(&expiry) - european.price(&expiry);
    assert!(premium > 1e-3, "{premium}");
    assert_eq!(leg.greeks(&expiry), american::greeks(&expiry, OptionType::Put, 3.3, 0.15));
    // Deep in the money it is exercised: worth what that pays, whatever volatility and time do.
    let deep = Expiry { forward: 2.2, ..expiry };
    let exposure = Exposure::of(&leg, &deep);
    near(exposure.value, 100_000.0 * (3.3 - 2.2), 1e-9);
    assert_eq!((exposure.delta_units, exposure.vega, exposure.theta), (-100_000.0, 0.0, 0.0));

    let own = |leg: &Leg, _: &Expiry| match leg.contract {
        Contract::Option { vol, .. } => Some(vol),
        Contract::Underlying => None,
    };
    let (spots, vols) = ([-0.2, -0.05, 0.0, 0.05], [-0.03, 0.0, 0.03]);
    let times = [(0.0, 0.0), (5.0 / TRADING_DAYS, 7.0 / 365.0)];
    let ladder = Ladder::new(&legs, &[expiry], &spots, &vols, &times, own);
    let now = Exposure::sum(&legs, &[expiry]);
    for cell in &ladder.cells {
        let Shock { spot, vol, years, calendar_years } = cell.shock;
        let moved = cell.shock.applied(&expiry);
        assert_eq!(moved.forward, 3.0 * (1.0 + spot));
        let bumped = legs.map(|leg| leg.with_vol(own(&leg, &moved).unwrap() + vol));
        let exposure = Exposure::sum(&bumped, &[moved]);
        // By the lattice and without it: some 1e-8 of the strike, of 240,000 units.
        near(cell.result, exposure.value - now.value, 1e-2);
        near(cell.exposure.delta_units, exposure.delta_units, 1e-1);
        near(cell.exposure.vega, exposure.vega, 1e-1);
        if spot == 0.0 && vol == 0.0 && years == 0.0 && calendar_years == 0.0 {
            assert_eq!(cell.result, 0.0, "nothing moved");
            near(cell.exposure.value, now.value, 1e-2);
        }
    }
    // As a European book it would lose more, where the put is exercised.
    let as_european = legs.map(|leg| match leg.contract {
        Contract::Option { option_type, strike, vol, .. } => option(option_type, strike, vol, leg.lots),
        Contract::Underlying => leg,
    });
    let other = Ladder::new(&as_european, &[expiry], &spots, &vols, &times, own);
    let apart = |ladder: &Ladder| ladder.cells[0].exposure.value;
    assert!(apart(&ladder) > apart(&other) + 1_000.0);
}

#[test]
fn over_a_weekend_only_the_calendar_takes_its_part() {
    let start = Expiry { rate: 0.08, ..EXPIRY };
    let end = Expiry { discount_years: start.discount_years - 3.0 / 365.0, ..start };
    for style in [OptionStyle::European, OptionStyle::American] {
        for (option_type, strike) in [(OptionType::Put, 3.3), (OptionType::Call, 3.0), (OptionType::Call, 2.75)] {
            let leg = styled(style, option_type, strike, 0.15, 10.0);
            let parts = Attribution::of(&LegStep { leg, start, end, vol: VolMove::default(), trades: &[] });
            let total = leg.units() * (leg.price(&end) - leg.price(&start));
            near(parts.total, total, 1e-9);
            assert!(total > 0.0 && (parts.theta - total).abs() < 0.03 * total, "{leg:?}: {parts:?}");
        }
    }
}

#[test]
fn the_underlying_has_only_delta() {
    let leg = Leg { contract: Contract::Underlying, expiry: 0, lots: 2.0, unit: 300.0 };
    let end = Expiry { forward: 3.5, years: 0.2, rate: 0.05, discount_years: 0.2 };
    let parts = Attribution::of(&LegStep { leg, start: EXPIRY, end, vol: VolMove::default(), trades: &[] });
    near(parts.total, 300.0, 1e-9);
    near(parts.delta, 300.0, 1e-9);
    near(parts.residual, 0.0, 1e-9);
    near(parts.time_value, 0.0, 1e-9);
}
