//! eSSVI fitted expiry by expiry (Corbetta, Cohort, Laachir and Martini, "Robust calibration and arbitrage-free
//! interpolation of SSVI slices", 2019): every slice is searched only where it is free of butterflies and, after the slice
//! before it, of calendar arbitrage. So any quotes give a surface without arbitrage; how near it lies to them is their
//! matter.

use super::SsviSlice;
use crate::pricing::least_squares::minimise;
use crate::pricing::smile::{Point, Smile};

/// Kept below the bounds of theorem 4.2, so that rounding does not cross them.
const WITHIN: f64 = 0.9999;
/// A bound that cannot be met costs so many standard errors for each part it is missed by.
const MISSED: f64 = 1e4;

/// What a smile is like as far as its points do not say: they count as one point each. Without them a slice of few
/// strikes may be as good as flat, and no later one could then bend.
const USUAL_TILT: f64 = -0.3;
/// `psi / sqrt(theta)` of such a smile.
const USUAL_BEND: f64 = 0.7;

/// The best slice for points after the slice before it. About 0.1 ms at 25 strikes.
pub fn fit_after(near: Option<&SsviSlice>, points: &[Point]) -> SsviSlice {
    let least = near.map_or(0.0, |near| near.theta);
    let guess = at_money(points);
    // Log of what variance at the money is above that of the slice before.
    let above = (guess - least).max(0.02 * guess).ln();
    let of = |free: &[f64; 3]| Candidate::of(free, near, least);
    let residual = |candidate: &Candidate, row: usize| match (points.get(row), row - points.len().min(row)) {
        (Some(point), _) => huber((candidate.slice.total(point.k) - point.w) * point.weight.sqrt()),
        (None, 0) => MISSED * candidate.missed,
        (None, 1) => (candidate.tilt - USUAL_TILT) / 1.5,
        (None, _) => (candidate.slice.psi / candidate.slice.theta.sqrt() / USUAL_BEND).ln(),
    };
    let mut best: Option<(f64, Candidate)> = None;
    let usual = near.map_or(USUAL_TILT.tanh(), |near| near.rho);
    for (tilt, part) in [(usual, 0.0), (usual, -2.0), (usual, 2.0), (usual / 2.0 + 0.1, 0.0)] {
        let start = [above, (tilt / 0.999).clamp(-0.999, 0.999).atanh(), part];
        let found = minimise(start, [0.2, 0.2, 0.5], points.len() + 3, 30, of, residual);
        let candidate = of(&found.at);
        let fine = candidate.missed <= 0.0;
        if best.as_ref().is_none_or(|(cost, _)| fine && found.cost < *cost) {
            best = Some((if fine { found.cost } else { f64::INFINITY }, candidate));
        }
    }
    match (best, near) {
        (Some((_, candidate)), _) if candidate.missed <= 0.0 => candidate.slice,
        // The slice before, repeated: no arbitrage, and nothing better was found.
        (_, Some(near)) => *near,
        (_, None) => SsviSlice { theta: guess, rho: 0.0, psi: guess.sqrt().min(1.0) },
    }
}

/// A residual whose square grows but linearly beyond two standard errors (Huber 1964): one bad quote at the end of a slice
/// must not bound all later ones.
fn huber(r: f64) -> f64 {
    const TURN: f64 = 2.0;
    if r.abs() <= TURN { r } else { r.signum() * (TURN * (2.0 * r.abs() - TURN)).sqrt() }
}

/// The eSSVI surface of slices in order of time.
pub fn fit_all<'a>(slices: impl IntoIterator<Item = &'a [Point]>) -> Vec<SsviSlice> {
    let mut fitted: Vec<SsviSlice> = Vec::new();
    for points in slices {
        let slice = fit_after(fitted.last(), points);
        fitted.push(slice);
    }
    fitted
}

/// A slice within its bounds, and by how much the bounds contradict each other.
struct Candidate {
    slice: SsviSlice,
    tilt: f64,
    missed: f64,
}

impl Candidate {
    fn of(&[above, tilt, part]: &[f64; 3], near: Option<&SsviSlice>, least: f64) -> Self {
        let theta = least + above.exp();
        let rho = 0.999 * tilt.tanh();
        let steep = 1.0 + rho.abs();
        let mut most = WITHIN * (4.0 / steep).min((4.0 * theta / steep).sqrt());
        let mut from = 1e-3 * most;
        if let Some(near) = near {
            most = most.min(near.psi / near.theta * theta);
            from = near.psi * ((1.0 + near.rho) / (1.0 + rho)).max((1.0 - near.rho) / (1.0 - rho));
        }
        let missed = (from / most - 1.0).max(0.0);
        let part = 1.0 / (1.0 + (-part).exp());
        let psi = if missed > 0.0 { most } else { from + part * (most - from) };
        Self { slice: SsviSlice { theta, rho, psi }, tilt, missed }
    }
}

/// Total variance at the money: a line through the points weighted by nearness.
fn at_money(points: &[Point]) -> f64 {
    let nearest = points.iter().map(|point| point.k.abs()).fold(f64::INFINITY, f64::min);
    let width = points.iter().map(|point| point.k.abs()).fold(nearest, f64::max) / 4.0 + nearest + 1e-9;
    let (mut n, mut w) = (0.0, 0.0);
    for point in points {
        let weight = point.weight * (-(point.k / width).powi(2)).exp();
        n += weight;
        w += weight * point.w;
    }
    if n > 0.0 && w > 0.0 { w / n } else { 1e-4 }
}
