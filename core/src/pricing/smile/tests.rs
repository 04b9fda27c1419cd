use super::*;
use crate::pricing::oracle;
use proptest::prelude::*;

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
}

/// Axel Vogt's parameters (Gatheral and Jacquier 2014, example 3.1): a smile with butterfly arbitrage.
const VOGT: Svi = Svi { a: -0.0410, b: 0.1331, rho: 0.3060, m: 0.3586, s: 0.4153 };
const VOGT_WINGS: JumpWings = JumpWings { v: 0.01742625, psi: -0.1752111, p: 0.6997381, c: 1.316798, v_low: 0.0116249 };

#[test]
fn svi_matches_zeliades_table() {
    // Zeliade Systems, ZWP-0005, table 1.
    let deep = Svi { a: 0.04, b: 0.1, rho: -0.5, m: 0.0, s: 0.1 };
    for (k, w) in [(-0.1, 0.0591421356), (0.0, 0.05), (0.1, 0.0491421356), (0.3, 0.0566227766), (-0.3, 0.0866227766)] {
        near(deep.total(k), w, 5e-11);
        near(deep.variance(k).w, w, 5e-11);
    }
    // The other smile of that table, by 30 digits of our own.
    let flat = Svi { a: 0.1, b: 0.06, rho: -0.9, m: 0.24, s: 0.06 };
    for (k, w) in [
        (-0.3, 0.161759386497),
        (-0.1, 0.139075211802),
        (0.0, 0.127803180252),
        (0.1, 0.116698927727),
        (0.3, 0.101851168825),
    ] {
        near(flat.total(k), w, 5e-13);
    }
}

#[test]
fn far_out_a_wings_slope_decides() {
    // g tends to 1/4 - slope^2 / 16 where total variance is linear: a slope of two is the limit (R. Lee 2004).
    for (b, rho) in [(0.8, 0.5), (1.0, -0.9), (0.5, 0.0), (1.6, 0.25), (2.0, 0.3)] {
        let svi = Svi { a: 0.01, b, rho, m: 0.1, s: 0.2 };
        for side in [-1.0, 1.0] {
            let slope: f64 = b * (1.0 + side * rho);
            let k = side * 1e7;
            near(durrleman(k, svi.variance(k)), 0.25 - slope * slope / 16.0, 1e-6);
        }
        near(svi.wing(), b * (1.0 + f64::abs(rho)), 1e-15);
    }
}

#[test]
fn vogts_violation_is_found_where_published() {
    let g = |k: f64| durrleman(k, VOGT.variance(k));
    near(g(0.0), 1.038650, 5e-7);
    near(g(0.5), 0.069379, 5e-7);
    near(g(0.8), -0.029_818_461_547_602_66, 1e-15);
    near(g(1.0), -0.027741695904622288, 1e-14);
    let lowest = butterfly_lowest(&VOGT);
    near(lowest.value, -0.0328636, 5e-8);
    near(lowest.k, 0.8793, 5e-5);
    for (inside, outside) in [(0.6425, 0.6423), (1.2568, 1.2570)] {
        assert!(g(inside) < 0.0 && g(outside) > 0.0);
    }
}

#[test]
fn jump_wings_of_vogts_smile_and_back() {
    let jw = JumpWings::of(&VOGT, 1.0);
    // Each within half of its last published digit.
    for (value, expected, tolerance) in [
        (jw.v, VOGT_WINGS.v, 5e-9),
        (jw.psi, VOGT_WINGS.psi, 5e-8),
        (jw.p, VOGT_WINGS.p, 5e-8),
        (jw.c, VOGT_WINGS.c, 5e-7),
        (jw.v_low, VOGT_WINGS.v_low, 5e-8),
    ] {
        near(value, expected, tolerance);
    }
    let raw = jw.raw(1.0).unwrap();
    for (value, expected) in [(raw.a, VOGT.a), (raw.b, VOGT.b), (raw.rho, VOGT.rho), (raw.m, VOGT.m), (raw.s, VOGT.s)] {
        near(value, expected, 1e-12);
    }
}

#[test]
fn svi_agrees_with_fifty_digits() {
    let mut rows = 0;
    for row in oracle::rows(include_str!("../../../oracles/svi.csv")) {
        let [a, b, rho, m, s, k] = ["a", "b", "rho", "m", "s", "k"].map(|name| row.number(name));
        let svi = Svi { a, b, rho, m, s };
        let (at, wings) = (svi.variance(k), JumpWings::of(&svi, 0.7));
        for (name, value) in [
            ("w", at.w),
            ("dw", at.dw),
            ("d2w", at.d2w),
            ("g", durrleman(k, at)),
            ("v", wings.v),
            ("psi", wings.psi),
            ("p", wings.p),
            ("c", wings.c),
            ("v_low", wings.v_low),
        ] {
            let expected = row.number(name);
            // Differences of larger numbers lose digits, the smaller the more.
            near(value, expected, 1e-12 * expected.abs().max(1.0));
        }
        rows += 1;
    }
    assert_eq!(rows, 200);
}

fn assert_raw(svi: Svi, expected: [f64; 5], tolerance: f64) {
    for (value, expected) in [svi.a, svi.b, svi.rho, svi.m, svi.s].into_iter().zip(expected) {
        near(value, expected, tolerance);
    }
}

#[test]
fn vogts_smile_is_repaired_as_published() {
    let fixed = repair_jump_wings(&VOGT_WINGS);
    near(fixed.c, 0.3493159, 5e-8);
    near(fixed.v_low, 0.01548182, 5e-9);
    let fixed = fixed.raw(1.0).unwrap();
    assert_raw(fixed, [0.00774091, 0.0692420, -0.3340364, 0.0420337, 0.1186078], 5e-8);
    near(fixed.a, 0.00774091, 5e-9);
    assert!(butterfly_lowest(&fixed).value > 0.0);

    let optimised = JumpWings { c: 0.8564763, ..VOGT_WINGS }.raw(1.0).unwrap();
    assert_raw(optimised, [-0.0305199, 0.1027168, 0.1007176, 0.2723442, 0.4123982], 1e-7);
    near(butterfly_lowest(&optimised).value, 0.00812, 5e-6);

    // Ours is nearer to Vogt's smile than either.
    let ours = repair(&VOGT, 1.0).unwrap();
    assert!(butterfly_lowest(&ours).value >= 0.0);
    let distance = |svi: &Svi| {
        (-30..=30).map(|i| f64::from(i) * 0.03).map(|k| (svi.total(k) - VOGT.total(k)).powi(2)).sum::<f64>()
    };
    assert!(distance(&ours) < distance(&optimised) && distance(&optimised) < distance(&fixed));
}

#[test]
fn a_smile_without_arbitrage_is_left_alone() {
    let fine = Svi { a: 0.01, b: 0.05, rho: -0.4, m: 0.02, s: 0.15 };
    assert_eq!(repair(&fine, 1.0), Some(fine));
}

fn board(svi: &Svi, from: f64, until: f64, strikes: usize, error: impl Fn(usize) -> f64) -> Vec<Point> {
    (0..strikes)
        .map(|i| {
            let k = from + (until - from) * i as f64 / (strikes - 1) as f64;
            let w = svi.total(k);
            // Half a volatility point at a year.
            let sigma = 2.0 * w.sqrt() * 5e-3;
            Point { k, w: w + error(i) * sigma, weight: 1.0 / (sigma * sigma) }
        })
        .collect()
}

proptest! {
    #[test]
    fn exact_points_give_their_smile_back(
        b in 0.02..0.4_f64, rho in -0.9..0.9_f64, m in -0.1..0.1_f64, s in 0.05..0.4_f64, low in 0.005..0.1_f64,
        strikes in 9_usize..60,
    ) {
        let svi = Svi { a: low - b * s * (1.0 - rho * rho).sqrt(), b, rho, m, s };
        let points = board(&svi, -0.6, 0.5, strikes, |_| 0.0);
        let fit = Calibration::default().fit(&points, None).unwrap();
        prop_assert!(fit.error < 1e-4, "{fit:?} for {svi:?}");
        for point in &points {
            prop_assert!((fit.svi.total(point.k) - point.w).abs() < 1e-6);
        }
        // And a warm start ends at the same place.
        let warm = Svi { m: m + 0.02, s: s * 1.2, ..fit.svi };
        let again = Calibration::default().fit(&points, Some(&warm)).unwrap();
        prop_assert!(again.error < 1e-4 && again.evaluations < 40, "{again:?}");
    }

    #[test]
    fn derivatives_are_those_of_total_variance(
        k in -1.5..1.5_f64, b in 0.02..0.4_f64, rho in -0.9..0.9_f64, m in -0.1..0.1_f64, s in 0.05..0.4_f64,
    ) {
        let svi = Svi { a: 0.05, b, rho, m, s };
        let range = OrcRange { down: -0.3, up: 0.25, down_smoothing: 0.5, up_smoothing: 0.7 };
        let orc = OrcWing { vol: 0.2, slope: rho / 5.0, put: b, call: s, range, years: 0.7 };
        let spline = Spline::new((-12..=12).map(|i| f64::from(i) / 8.0).map(|k| (k, svi.total(k)))).unwrap();
        let smiles: [&dyn Smile; 3] = [&svi, &orc, &spline];
        for (index, smile) in smiles.into_iter().enumerate() {
            let h = 1e-5;
            let at = smile.variance(k);
            let (up, down) = (smile.variance(k + h), smile.variance(k - h));
            prop_assert!(((up.w - down.w) / (2.0 * h) - at.dw).abs() < 1e-4, "smile {index}");
            // The wing model's curvature jumps where its pieces meet.
            let jumps = index == 1 && (up.d2w - down.d2w).abs() > 1e-3;
            prop_assert!(jumps || ((up.dw - down.dw) / (2.0 * h) - at.d2w).abs() < 1e-4, "smile {index}");
            prop_assert!((smile.total(k) - at.w).abs() < 1e-15);
        }
    }

    #[test]
    fn what_is_repaired_has_no_butterflies(
        b in 0.02..0.9_f64, rho in -0.95..0.95_f64, m in -0.5..0.5_f64, s in 0.01..0.5_f64, low in 1e-4..0.1_f64,
        years in 0.01..2.0_f64,
    ) {
        let svi = Svi { a: low - b * s * (1.0 - rho * rho).sqrt(), b, rho, m, s };
        let repaired = repair(&svi, years).unwrap();
        let deviation = repaired.total(0.0).sqrt();
        for i in 0..=4_000 {
            let k = (f64::from(i) / 200.0 - 10.0) * deviation;
            prop_assert!(durrleman(k, repaired.variance(k)) >= -1e-10, "{svi:?} became {repaired:?}, at {k}");
        }
    }

    #[test]
    fn a_wing_is_fitted_exactly(vol in 0.1..0.5_f64, slope in -0.5..0.5_f64, put in 0.0..2.0_f64, call in 0.0..2.0_f64) {
        let range = OrcRange { down: -0.3, up: 0.25, down_smoothing: 0.5, up_smoothing: 0.7 };
        let wing = OrcWing { vol, slope, put, call, range, years: 0.5 };
        let points = (-15..=15).map(|i| f64::from(i) / 30.0).map(|x| (x, wing.vol_at(x)[0], 1.0));
        let fit = OrcWing::fit(range, 0.5, points).unwrap();
        for (value, expected) in [(fit.vol, vol), (fit.slope, slope), (fit.put, put), (fit.call, call)] {
            prop_assert!((value - expected).abs() < 1e-9);
        }
    }
}

#[test]
fn a_wing_is_what_orcs_pieces_say() {
    let range = OrcRange { down: -0.2, up: 0.15, down_smoothing: 0.5, up_smoothing: 0.4 };
    let wing = OrcWing { vol: 0.25, slope: -0.1, put: 0.6, call: 0.3, range, years: 1.0 };
    // The pieces as published, both sides, in x.
    let piece = |x: f64| {
        let (vc, sc) = (wing.vol, wing.slope);
        let (edge, d, curve) = if x < 0.0 { (-0.2, 0.5, 0.6) } else { (0.15, 0.4, 0.3) };
        let u: f64 = x / edge;
        if u <= 1.0 {
            vc + sc * x + curve * x * x
        } else if u <= 1.0 + d {
            vc - (1.0 + 1.0 / d) * curve * edge * edge - sc * edge / (2.0 * d)
                + (1.0 + 1.0 / d) * (2.0 * curve * edge + sc) * x
                - (curve / d + sc / (2.0 * edge * d)) * x * x
        } else {
            vc + edge * (2.0 + d) * sc / 2.0 + (1.0 + d) * curve * edge * edge
        }
    };
    for i in -50..=50 {
        let x = f64::from(i) / 100.0;
        near(wing.vol_at(x)[0], piece(x), 1e-14);
    }
    // Ten percent down with full swimming.
    near(wing.swum(100.0, 90.0, 1.0, 0.5, 0.2).vol, 0.25 + 0.05, 1e-15);
    near(wing.swum(100.0, 90.0, 1.0, 0.5, 0.2).slope, -0.1 + 0.02, 1e-15);
    // Points on one side say nothing of the other.
    assert!(OrcWing::fit(range, 1.0, (1..9).map(|i| (f64::from(i) * 0.02, 0.2, 1.0))).is_none());
}

#[test]
fn outliers_do_not_bend_the_smile() {
    let svi = Svi { a: 0.01, b: 0.08, rho: -0.4, m: 0.02, s: 0.12 };
    let points = board(&svi, -0.4, 0.3, 25, |i| if i == 7 || i == 19 { 25.0 } else { [0.3, -0.4, 0.1][i % 3] });
    let mut calibration = Calibration::default();
    let fit = calibration.fit(&points, None).unwrap();
    assert_eq!(fit.outliers, 2);
    assert_eq!([calibration.weights()[7], calibration.weights()[19]], [0.0; 2]);
    for point in &points {
        near(fit.svi.total(point.k).sqrt(), svi.total(point.k).sqrt(), 3e-3);
    }
}

#[test]
fn what_cannot_be_fitted_says_why() {
    let svi = Svi::flat(0.04);
    let mut points = board(&svi, -0.2, 0.2, 9, |_| 0.0);
    let mut calibration = Calibration::default();
    assert_eq!(calibration.fit(&points[..4], None), Err(FitError::TooFew { strikes: 4 }));
    assert!((calibration.fit(&points, None).unwrap().svi.total(0.1) - 0.04).abs() < 1e-12);
    points[3].w = f64::NAN;
    assert_eq!(calibration.fit(&points, None), Err(FitError::Malformed { index: 3 }));
    points.swap(3, 4);
    assert_eq!(calibration.fit(&points, None), Err(FitError::Malformed { index: 4 }));
}

#[test]
fn quotes_are_rejected_with_a_reason() {
    let filter = Filter::default();
    let good = SmileQuote { k: 0.05, bid: 0.19, ask: 0.21, age_s: 1.0 };
    let verdict = |quote: SmileQuote| filter.admit(&quote, 0.2, 0.25);
    let point = verdict(good).unwrap();
    near(point.w, 0.01, 1e-15);
    near(point.weight.powf(-0.5), 0.01 * 2.0 * 0.2 * 0.25, 1e-15);
    for (quote, reason) in [
        (SmileQuote { bid: f64::NAN, ..good }, Rejection::NoBid),
        (SmileQuote { bid: 0.0, ..good }, Rejection::NoBid),
        (SmileQuote { ask: f64::NAN, ..good }, Rejection::NoAsk),
        (SmileQuote { ask: f64::INFINITY, ..good }, Rejection::NoAsk),
        (SmileQuote { bid: 0.22, ..good }, Rejection::Crossed),
        (SmileQuote { ask: 0.50, ..good }, Rejection::Wide),
        (SmileQuote { k: 0.61, ..good }, Rejection::Far),
        (SmileQuote { k: f64::NAN, ..good }, Rejection::Far),
        (SmileQuote { age_s: 601.0, ..good }, Rejection::Old),
    ] {
        assert_eq!(verdict(quote), Err(reason));
    }
    // A locked market counts as the least error does.
    near(verdict(SmileQuote { ask: 0.19, ..good }).unwrap().weight.powf(-0.5), 1e-3 * 2.0 * 0.2 * 0.25, 1e-12);
}

#[test]
fn a_spline_meets_its_points_and_is_flat_beyond() {
    let points = [(-0.2, 0.05), (-0.05, 0.04), (0.0, 0.038), (0.1, 0.041)];
    let spline = Spline::new(points).unwrap();
    for (k, w) in points {
        near(spline.total(k), w, 1e-16);
    }
    near(spline.total(-1.0), 0.05, 0.0);
    near(spline.total(1.0), 0.041, 0.0);
    // A straight line stays one.
    let line = Spline::new((0..5).map(|i| (f64::from(i), 2.0 * f64::from(i)))).unwrap();
    near(line.total(2.3), 4.6, 1e-14);
    assert_eq!(Spline::new([(0.0, 1.0)]), Err(SplineError::TooFew { points: 1 }));
    assert_eq!(Spline::new([(0.0, 1.0), (0.0, 1.0)]), Err(SplineError::Malformed { index: 1 }));
}
