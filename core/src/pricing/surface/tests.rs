use super::*;
use crate::pricing::smile::{Point, butterfly_lowest, calendar_lowest, durrleman};
use proptest::prelude::*;

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
}

/// A generator that gives the same markets on every machine (Steele, Lea and Flood 2014, SplitMix64).
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, from: f64, until: f64) -> f64 {
        from + (until - from) * self.uniform()
    }
}

/// A market of several expiries: a true SSVI surface, quoted with a spread that widens as vega falls, mids uniform within
/// it, 5 % outliers and 10 % of strikes missing.
fn market(dice: &mut Dice) -> (Vec<f64>, Vec<Vec<Point>>) {
    let truth = Ssvi { rho: dice.between(-0.8, 0.3), eta: dice.between(0.5, 1.1), gamma: dice.between(0.2, 0.5) };
    let vol = dice.between(0.12, 0.45);
    let expiries = 3 + (dice.uniform() * 4.0) as usize;
    let mut years = Vec::new();
    let mut slices = Vec::new();
    let mut time = dice.between(0.01, 0.05);
    for _ in 0..expiries {
        let deviation = vol * time.sqrt();
        let slice = truth.slice(deviation * deviation);
        let strikes = 15 + (dice.uniform() * 30.0) as usize;
        let reach = dice.between(1.5, 3.5) * deviation;
        let half_money = dice.between(0.002, 0.01);
        let mut points = Vec::new();
        for i in 0..strikes {
            let k = reach * (2.0 * i as f64 / (strikes - 1) as f64 - 1.0);
            let sigma = slice.vol(k, time);
            let x = k / deviation;
            let half = half_money * sigma * (1.0 + 0.3 * x * x);
            let error = dice.between(-1.0, 1.0) * half;
            let outlier = if dice.uniform() < 0.05 { dice.between(-1.0, 1.0) * 20.0 * half } else { 0.0 };
            let seen = (sigma + error + outlier).max(0.2 * sigma);
            let standard = half * 2.0 * seen.max(vol) * time;
            if dice.uniform() >= 0.1 {
                points.push(Point { k, w: seen * seen * time, weight: 1.0 / (standard * standard) });
            }
        }
        years.push(time);
        slices.push(points);
        time *= dice.between(1.3, 2.5);
    }
    (years, slices)
}

#[test]
fn noisy_markets_give_surfaces_without_arbitrage() {
    // CI takes a part of the ten thousand; SHRIKE_MARKETS=10000 takes them all.
    let markets = std::env::var("SHRIKE_MARKETS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let (mut repaired, mut fitted, mut free) = (0, 0.0, 0.0);
    let mut worst: f64 = 0.0;
    let mut beyond = Vec::new();
    for seed in 0..markets {
        let (years, slices) = market(&mut Dice(seed));
        let board: Vec<_> = years
            .iter()
            .zip(&slices)
            .map(|(&years, points)| BoardSlice { years, forward: 100.0, discount: 1.0, points })
            .collect();
        let fit = SurfaceFitter::default().fit(&board).unwrap();
        repaired += u32::from(fit.repaired);
        let smiles = fit.surface.slices();
        assert_eq!(smiles.len(), board.len(), "seed {seed}");
        for (index, slice) in smiles.iter().enumerate() {
            assert!(slice.svi.wing() <= 2.0, "seed {seed}");
            let deviation = slice.svi.total(0.0).sqrt();
            for i in 0..=4_000 {
                let k = (f64::from(i) / 200.0 - 10.0) * deviation;
                let at = slice.svi.variance(k);
                let g = durrleman(k, at);
                assert!(g >= -1e-10, "seed {seed}, slice {index}: g({k}) = {g} of {:?}", slice.svi);
                if index > 0 {
                    let before = smiles[index - 1].svi.total(k);
                    assert!(at.w - before >= -1e-12, "seed {seed}, slice {index}: falls at {k}");
                }
            }
        }
        let (mut with, mut without, mut count) = (0.0, 0.0, 0.0);
        for (slice, points) in fit.slices.iter().zip(&slices) {
            let slice = slice.as_ref().unwrap();
            let kept = (points.len() - slice.outliers) as f64;
            with += slice.error * slice.error * kept;
            without += slice.free_error * slice.free_error * kept;
            count += kept;
        }
        let (with, without) = ((with / count).sqrt(), (without / count).sqrt());
        fitted += with;
        free += without;
        worst = worst.max(with / without);
        if with > 1.5 * without {
            beyond.push((seed, with, without));
        }
    }
    println!(
        "{markets} markets, {repaired} repaired; error {:.4} of the free fits', at worst {worst:.3}",
        fitted / free
    );
    assert!(beyond.is_empty(), "seed, error and that of the free fit: {beyond:?}");
    assert!(repaired > 0 && repaired < markets as u32, "the markets test both ways");
}

proptest! {
    #[test]
    fn essvi_conditions_exclude_arbitrage(
        theta in 0.001..0.2_f64, more in 1.0..3.0_f64, rho in -0.95..0.95_f64, rho_far in -0.95..0.95_f64,
        part in 0.05..1.0_f64, part_far in 0.0..1.0_f64,
    ) {
        let most = |theta: f64, rho: f64| (4.0 / (1.0 + rho.abs())).min((4.0 * theta / (1.0 + rho.abs())).sqrt());
        let near = SsviSlice { theta, rho, psi: part * 0.999 * most(theta, rho) };
        prop_assert!(near.is_butterfly_free());
        prop_assert!(butterfly_lowest(&near.raw()).value >= 0.0);
        let far = SsviSlice { theta: theta * more, rho: rho_far, psi: part_far * more * near.psi };
        if far.psi > 0.0 && far.is_calendar_free_after(&near) {
            prop_assert!(calendar_lowest(&near.raw(), &far.raw()).value >= -1e-13);
        }
    }

    #[test]
    fn ssvi_is_raw_svi(theta in 0.001..0.2_f64, rho in -0.95..0.95_f64, psi in 0.01..0.5_f64, k in -2.0..2.0_f64) {
        let slice = SsviSlice { theta, rho, psi };
        let (one, other) = (slice.variance(k), slice.raw().variance(k));
        prop_assert!((one.w - other.w).abs() < 1e-13 && (one.dw - other.dw).abs() < 1e-12);
        prop_assert!((slice.total(0.0) - theta).abs() < 1e-15);
    }
}

#[test]
fn essvi_fits_its_own_surface() {
    // Parameters published for the DJX (Hendriks and Martini 2019): rho falls with variance at the money.
    let thetas = [0.002, 0.006, 0.015, 0.03, 0.05];
    let truth = thetas.map(|theta: f64| {
        let rho = -0.76 - 0.11 * (theta / 0.05).powf(0.51);
        SsviSlice { theta, rho, psi: 0.98 * theta.powf(1.0 - 0.42) }
    });
    let boards: Vec<Vec<Point>> = truth
        .iter()
        .map(|slice| {
            let deviation = slice.theta.sqrt();
            (-12..=8)
                .map(|i| f64::from(i) / 4.0 * deviation)
                .map(|k| Point { k, w: slice.total(k), weight: (1e-3 * slice.theta).powi(-2) })
                .collect()
        })
        .collect();
    let fitted = essvi::fit_all(boards.iter().map(Vec::as_slice));
    for (fit, slice) in fitted.iter().zip(&truth) {
        near(fit.theta, slice.theta, 1e-4 * slice.theta);
        near(fit.rho, slice.rho, 1e-3);
        near(fit.psi, slice.psi, 1e-3 * slice.psi);
    }
    for pair in fitted.windows(2) {
        assert!(pair[1].is_calendar_free_after(&pair[0]) && pair[1].is_butterfly_free());
    }
}

#[test]
fn ssvi_fits_its_own_surface() {
    let truth = Ssvi { rho: -0.6, eta: 1.1, gamma: 0.4 };
    assert!(truth.is_free());
    let boards: Vec<(f64, Vec<Point>)> = [0.003, 0.01, 0.04]
        .into_iter()
        .map(|theta: f64| {
            let points = (-10..=10).map(|i| f64::from(i) / 4.0 * theta.sqrt());
            let weight = (1e-3 * theta).powi(-2);
            (theta, points.map(|k| Point { k, w: truth.slice(theta).total(k), weight }).collect())
        })
        .collect();
    let slices: Vec<_> = boards.iter().map(|(theta, points)| (*theta, points.as_slice())).collect();
    let fit = Ssvi::fit(&slices);
    near(fit.rho, truth.rho, 1e-5);
    near(fit.eta, truth.eta, 1e-4);
    near(fit.gamma, truth.gamma, 1e-4);
}

fn example() -> Surface {
    let truth = Ssvi { rho: -0.5, eta: 1.0, gamma: 0.4 };
    let slice = |years: f64, forward: f64| Slice {
        years,
        forward,
        discount: (-0.02 * years).exp(),
        svi: truth.slice(0.04 * years).raw(),
    };
    Surface::new(vec![slice(0.1, 100.0), slice(0.25, 101.0), slice(1.0, 104.0)]).unwrap()
}

#[test]
fn a_surface_answers_on_its_slices_between_and_beyond() {
    let surface = example();
    for slice in surface.slices() {
        near(surface.vol(0.1, slice.years).unwrap(), slice.svi.vol(0.1, slice.years), 1e-15);
        near(surface.forward(slice.years).unwrap(), slice.forward, 1e-12);
        near(surface.vol_at_strike(slice.forward, slice.years).unwrap(), 0.2, 1e-12);
    }
    let [near_slice, far_slice, last] = [0, 1, 2].map(|index| surface.slices()[index]);
    let middle = surface.smile(0.175).unwrap();
    near(middle.total(0.05), 0.5 * (near_slice.svi.total(0.05) + far_slice.svi.total(0.05)), 1e-15);
    near(surface.vol(0.05, 0.05).unwrap(), near_slice.svi.vol(0.05, 0.1), 1e-12);
    near(surface.vol(0.05, 3.0).unwrap(), last.svi.vol(0.05, 1.0), 1e-12);
    assert_eq!(surface.term(0.0).count(), 3);
    for (_, vol) in surface.forward_term(0.0) {
        near(vol, 0.2, 1e-12);
    }
    assert_eq!(Surface::default().vol(0.0, 1.0), None);
    let wrong = vec![surface.slices()[1], surface.slices()[0]];
    assert_eq!(Surface::new(wrong), Err(SurfaceError { index: 1 }));
}

#[test]
fn a_grid_is_bilinear_in_variance_and_flat_beyond() {
    let grid = Grid::new(vec![0.5, 1.0], vec![-0.1, 0.0, 0.1], vec![0.03, 0.02, 0.025, 0.06, 0.04, 0.05]).unwrap();
    near(grid.vol(0.0, 0.5), (0.02_f64 / 0.5).sqrt(), 1e-15);
    near(grid.vol(0.05, 0.75), (0.5_f64 * (0.0225 + 0.045) / 0.75).sqrt(), 1e-15);
    near(grid.vol(9.0, 2.0), 0.05_f64.sqrt(), 1e-15);
    near(grid.vol(-9.0, 0.01), 0.06_f64.sqrt(), 1e-15);
    let single = Grid::new(vec![0.5], vec![0.0], vec![0.02]).unwrap();
    near(single.vol(0.3, 0.1), 0.2, 1e-15);
    assert_eq!(Grid::new(vec![1.0, 0.5], vec![0.0], vec![0.1, 0.1]), Err(GridError::Axes));
    assert_eq!(Grid::new(vec![0.5], vec![0.0], vec![]), Err(GridError::Size { given: 0, wanted: 1 }));
    assert_eq!(Grid::new(vec![0.5], vec![0.0], vec![-0.1]), Err(GridError::Variance { index: 0 }));
}

#[test]
fn the_sticky_smile_moves_as_said() {
    let surface = example();
    let smile = surface.slices()[1].svi;
    let (strike, forward, years) = (98.0_f64, 101.0, 0.25);
    let moved = |forward: f64| smile.vol((strike / forward).ln(), years);
    let slope = (moved(101.01) - moved(100.99)) / 0.02;
    near(Sticky::Moneyness.vol_by_forward(&smile, strike, forward, years), slope, 1e-8);
    assert_eq!(Sticky::Strike.vol_by_forward(&smile, strike, forward, years), 0.0);
    near(Sticky::Part(0.5).vol_by_forward(&smile, strike, forward, years), slope / 2.0, 1e-8);
    near(smile_delta(0.4, 20.0, Sticky::Moneyness, &smile, strike, forward, years), 0.4 + 20.0 * slope, 1e-6);
}
