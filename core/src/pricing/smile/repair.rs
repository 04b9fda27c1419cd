//! Taking butterfly arbitrage out of a smile. Alone: as Gatheral and Jacquier (2014, section 5.1) do, the call wing and the
//! lowest variance move towards those of an SSVI smile with the same money, skew and put wing. With quotes, and with
//! neighbours to stay between: the best fit that keeps every bound.

use super::arbitrage::bends;
use super::{JumpWings, Point, SCAN_DEVIATIONS, Smile, Svi, butterfly_lowest, calendar_lowest, durrleman};
use crate::pricing::least_squares::minimise;

/// `g` of what repairs return is at least this.
const G_MIN: f64 = 1e-6;
/// Total variances closer than this are equal: what rounding leaves.
const ORDER: f64 = 1e-13;

/// The jump wings that an SSVI smile has with the same variance and skew at the money and the same put wing: free of
/// butterfly arbitrage unless the skew is extreme.
pub fn repair_jump_wings(jw: &JumpWings) -> JumpWings {
    let c = jw.p + 2.0 * jw.psi;
    JumpWings { c, v_low: 4.0 * jw.v * jw.p * c / (jw.p + c).powi(2), ..*jw }
}

/// The nearest smile without butterfly arbitrage between this one and that of [`repair_jump_wings`]; where that is not
/// free of it either, an SSVI smile with its wings cut until it is. `None` when the parameters are no smile at all. 0.2 ms.
pub fn repair(svi: &Svi, years: f64) -> Option<Svi> {
    if free(svi) {
        return Some(*svi);
    }
    let bad = JumpWings::of(svi, years);
    let good = repair_jump_wings(&bad);
    let between = |wing: f64, low: f64| {
        JumpWings { c: bad.c + wing * (good.c - bad.c), v_low: bad.v_low + low * (good.v_low - bad.v_low), ..bad }
            .raw(years)
    };
    let fixed = |wing: f64, low: f64| between(wing, low).filter(free);
    let mut best: Option<(f64, Svi)> = None;
    for low in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let Some(mut found) = fixed(1.0, low) else { continue };
        let (mut without, mut with) = (0.0, 1.0);
        for _ in 0..30 {
            let middle = 0.5 * (without + with);
            match fixed(middle, low) {
                Some(svi) => (found, with) = (svi, middle),
                None => without = middle,
            }
        }
        let moved = distance(svi, &found);
        if best.is_none_or(|(least, _)| moved < least) {
            best = Some((moved, found));
        }
    }
    best.map(|(_, svi)| svi).or_else(|| cut_ssvi(svi))
}

/// The SSVI smile with the money and skew of this one, wings cut to what excludes butterflies for certain (Gatheral and
/// Jacquier 2014, theorem 4.2).
fn cut_ssvi(svi: &Svi) -> Option<Svi> {
    let at = svi.variance(0.0);
    if !(at.w > 0.0 && at.w.is_finite()) {
        return None;
    }
    let theta = at.w;
    // The skew is rho psi / 2; both factors share what it takes.
    let lean = (at.dw / (2.0 * theta.sqrt())).clamp(-0.9, 0.9);
    let rho = if at.dw.is_finite() { lean } else { 0.0 };
    let most = (4.0 / (1.0 + rho.abs())).min((4.0 * theta / (1.0 + rho.abs())).sqrt()) * 0.999;
    let psi = if rho.abs() > 1e-3 { (2.0 * at.dw / rho).min(most) } else { 0.5 * most };
    let slice = crate::pricing::surface::SsviSlice { theta, rho, psi };
    Some(slice.raw())
}

fn free(svi: &Svi) -> bool {
    butterfly_lowest(svi).value >= G_MIN
}

/// Mean square distance of volatilities, near the money most.
fn distance(one: &Svi, other: &Svi) -> f64 {
    let deviation = one.total(0.0).sqrt();
    (-30..=30)
        .map(|i| {
            let x = f64::from(i) / 10.0;
            let gap = other.total(x * deviation).max(0.0).sqrt() - one.total(x * deviation).max(0.0).sqrt();
            gap * gap * (-0.5 * x * x).exp()
        })
        .sum()
}

/// What a smile has to stay between: its neighbours in time.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Between<'a> {
    /// The smile of the expiry before; total variance may nowhere be less.
    pub near: Option<&'a Svi>,
    /// A smile it may nowhere exceed.
    pub far: Option<&'a Svi>,
}

impl Between<'_> {
    /// Whether a smile is free of butterflies and keeps to its neighbours.
    pub fn admits(&self, svi: &Svi) -> bool {
        free(svi)
            && self.near.is_none_or(|near| calendar_lowest(near, svi).value >= -ORDER)
            && self.far.is_none_or(|far| calendar_lowest(svi, far).value >= -ORDER)
    }
}

/// The best fit to points that is free of butterflies and keeps to its neighbours, found between `wanted`, the fit without
/// these conditions, and `safe`, a smile that meets them (if it does not, it is returned). About a millisecond.
pub fn polish(points: &[Point], wanted: &Svi, safe: &Svi, between: &Between<'_>) -> Svi {
    if between.admits(wanted) {
        return *wanted;
    }
    if !between.admits(safe) {
        return *safe;
    }
    let mut best = step(points, safe, wanted, between).unwrap_or(*safe);
    for penalty in [30.0, 1_000.0] {
        let found = penalised(points, &best, between, penalty);
        best = step(points, &best, &found, between).unwrap_or(best);
    }
    best
}

/// The sum of squared residuals, in standard errors.
fn cost(points: &[Point], svi: &Svi) -> f64 {
    points.iter().map(|point| point.weight * (svi.total(point.k) - point.w).powi(2)).sum()
}

/// The first admitted smile on the way back from a wanted one that fits better than the one to leave.
fn step(points: &[Point], from: &Svi, wanted: &Svi, between: &Between<'_>) -> Option<Svi> {
    let least = cost(points, from);
    let mut part = 1.0;
    for _ in 0..24 {
        let svi = from.towards(wanted, part);
        if cost(points, &svi) < least && between.admits(&svi) {
            return Some(svi);
        }
        part *= 0.7;
    }
    None
}

/// A smile by five free numbers: any values give positive variance and wings within 2.
fn of_free(&[low, wing, tilt, m, log_s]: &[f64; 5]) -> Svi {
    let (rho, s) = (tilt.tanh() * 0.9999, log_s.exp());
    let b = 2.0 / (1.0 + rho.abs()) / (1.0 + (-wing).exp());
    Svi { a: low.exp() - b * s * (1.0 - rho * rho).sqrt(), b, rho, m, s }
}

/// The inverse of [`of_free`].
fn to_free(svi: &Svi) -> [f64; 5] {
    let part = (svi.b * (1.0 + svi.rho.abs()) / 2.0).clamp(1e-9, 1.0 - 1e-9);
    [
        svi.lowest().max(1e-12).ln(),
        (part / (1.0 - part)).ln(),
        (svi.rho / 0.9999).clamp(-0.99999, 0.99999).atanh(),
        svi.m,
        svi.s.ln(),
    ]
}

/// Least squares with what is not admitted as further residuals, at the points where `from` bends.
fn penalised(points: &[Point], from: &Svi, between: &Between<'_>, penalty: f64) -> Svi {
    let reach = SCAN_DEVIATIONS * from.total(0.0).sqrt();
    let places = || bends(from, reach).step_by(2);
    let count = places().count();
    // Held in one array, as the model is asked for them thousands of times.
    let mut ks = [0.0; 64];
    for (place, k) in ks.iter_mut().zip(places()) {
        *place = k;
    }
    let weight = penalty * (points.len() as f64).sqrt();
    let gap = |svi: &Svi, k: f64, side: Option<&Svi>, sign: f64| {
        side.map_or(0.0, |other| (sign * (other.total(k) - svi.total(k)) / other.total(k)).max(-1e-4) + 1e-4)
    };
    let residual = |svi: &Svi, row: usize| match row.checked_sub(points.len()) {
        None => points[row].weight.sqrt() * (svi.total(points[row].k) - points[row].w),
        Some(row) => {
            let k = ks[row % count];
            match row / count {
                0 => weight * (2.0 * G_MIN + 1e-4 - durrleman(k, svi.variance(k))).max(0.0),
                1 => weight * gap(svi, k, between.near, 1.0),
                _ => weight * gap(svi, k, between.far, -1.0),
            }
        }
    };
    let start = to_free(from);
    let width = points.last().map_or(0.1, |point| point.k) - points.first().map_or(0.0, |point| point.k);
    let scale = [0.3, 0.3, 0.3, 0.1 * width.max(1e-3), 0.3];
    of_free(&minimise(start, scale, points.len() + 3 * count, 15, of_free, residual).at)
}
