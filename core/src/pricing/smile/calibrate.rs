//! SVI fitted to one expiry's total variances, quasi-explicitly (Zeliade Systems, "Quasi-explicit calibration of
//! Gatheral's SVI model", 2009): for a given bend `(m, s)` the rest is linear least squares on a convex region, solved
//! exactly; the bend itself is found by Gauss-Newton on what that leaves. Outliers lose their weight as they show.

use super::Smile;
use super::Svi;

/// One strike to fit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Log-moneyness.
    pub k: f64,
    /// Total variance.
    pub w: f64,
    /// One by the square of the total variance's standard error; as that of half the quoted spread.
    pub weight: f64,
}

/// Why there is no fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FitError {
    /// Five parameters need as many strikes.
    #[error("{strikes} usable strikes; an SVI smile needs at least 5")]
    TooFew {
        /// Strikes with a positive weight.
        strikes: usize,
    },
    /// A log-moneyness, variance or weight is not a finite number, or strikes do not ascend.
    #[error("strike number {index} has no finite, ascending log-moneyness, variance and weight")]
    Malformed {
        /// Position, from zero.
        index: usize,
    },
}

/// A fitted slice.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SviFit {
    /// The parameters. Wings are at most 2; nothing else is said of arbitrage.
    pub svi: Svi,
    /// Root of the mean square of residuals in standard errors, outliers at the weight they were left.
    pub error: f64,
    /// Evaluations of the bend.
    pub evaluations: usize,
    /// Strikes whose weight was cut to zero as outliers.
    pub outliers: usize,
}

/// Steeper tilts than this make one wing flat and the lowest point infinitely far.
const RHO_MAX: f64 = 0.999;
/// Residuals count in full up to so many times their typical size (Huber 1964) ...
const HUBER: f64 = 2.0;
/// ... and not at all beyond so many times.
const OUTLIER: f64 = 6.0;
/// Weights are found again at most so often ...
const ROUNDS: usize = 10;
/// ... and no more once the cost changes by less than this part.
const SETTLED: f64 = 0.01;
/// Residuals within half of their standard error are never suspect.
const SCALE_MIN: f64 = 0.5;
/// A mean square of residuals, in standard errors, that leaves nothing to find.
const EXACT: f64 = 1e-12;
/// A bend is narrower than the strikes by at most this factor, and wider by its inverse square root.
const NARROWEST: f64 = 1e-2;

/// The workspace of calibration: keep it, and nothing is allocated once it has seen the widest slice.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// Weights after outliers, in the order of the points.
    weights: Vec<f64>,
    /// Residuals in standard errors, and their sorted sizes.
    residuals: Vec<f64>,
    sizes: Vec<f64>,
    evaluations: usize,
}

/// Weighted sums for the linear part: `w` against `x = k - m` and `z = sqrt(x^2 + s^2)`, about their means.
struct Bend {
    m: f64,
    log_s: f64,
    svi: Svi,
    cost: f64,
    /// Descent of the bend: gradient by (m, ln s) and the Gauss-Newton matrix.
    gradient: [f64; 2],
    normal: [[f64; 2]; 2],
}

impl Calibration {
    /// Fits points of ascending log-moneyness. `warm` is the smile of a moment ago, if there is one: the search then
    /// begins at its bend, and takes 2 to 3 us at 25 strikes; without it 8 us.
    pub fn fit(&mut self, points: &[Point], warm: Option<&Svi>) -> Result<SviFit, FitError> {
        check(points)?;
        self.evaluations = 0;
        self.suspect(points);
        let span = Span::of(points);
        let (m, log_s) = match warm {
            Some(svi) => span.clamp(svi.m, svi.s.ln()),
            None => self.coarse(points, &span),
        };
        let mut fitted = self.descend(points, &span, m, log_s);
        let mut outliers = 0;
        // Huber's weights until they settle; then without what is still far off.
        for cuts in [false, true] {
            for _ in 0..ROUNDS {
                let calm = self.calm(points);
                outliers = self.reweigh(points, &fitted.svi, cuts);
                if calm && self.calm(points) {
                    break;
                }
                let again = self.descend(points, &span, fitted.m, fitted.log_s);
                let settled = (again.cost - fitted.cost).abs() <= SETTLED * again.cost;
                fitted = again;
                if settled {
                    break;
                }
            }
        }
        let error = (fitted.cost / points.len() as f64).sqrt();
        Ok(SviFit { svi: fitted.svi, error, evaluations: self.evaluations, outliers })
    }

    /// The weights the last fit ended with, in the order of its points; zero for outliers.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The best bend of a coarse grid.
    fn coarse(&mut self, points: &[Point], span: &Span) -> (f64, f64) {
        let mut best = (f64::INFINITY, span.clamp(0.0, span.width.ln() - 1.5));
        for place in [0.15, 0.35, 0.5, 0.65, 0.85] {
            for width in [0.02, 0.1, 0.4, 1.5] {
                let (m, log_s) = (span.low + place * span.width, (span.width * width).ln());
                let cost = self.bend(points, m, log_s).cost;
                if cost < best.0 {
                    best = (cost, (m, log_s));
                }
            }
        }
        best.1
    }

    /// Levenberg and Marquardt's descent in the two parameters of the bend.
    fn descend(&mut self, points: &[Point], span: &Span, m: f64, log_s: f64) -> Bend {
        let mut best = self.bend(points, m, log_s);
        let mut damping = 1e-3;
        for _ in 0..40 {
            let [[mm, ml], [_, ll]] = best.normal;
            let [gm, gl] = best.gradient;
            let (mm, ll) = (mm * (1.0 + damping) + 1e-300, ll * (1.0 + damping) + 1e-300);
            let determinant = mm * ll - ml * ml;
            if !(determinant > 0.0) {
                break;
            }
            let dm = ((ll * gm - ml * gl) / determinant).clamp(-span.width / 2.0, span.width / 2.0);
            let dl = ((mm * gl - ml * gm) / determinant).clamp(-1.0, 1.0);
            let (m, log_s) = span.clamp(best.m - dm, best.log_s - dl);
            let trial = self.bend(points, m, log_s);
            if trial.cost < best.cost {
                let gain = best.cost - trial.cost;
                best = trial;
                damping = (damping * 0.1_f64).max(1e-8);
                if gain <= 1e-7 * best.cost || best.cost <= EXACT * points.len() as f64 {
                    break;
                }
            } else if damping > 1e5 || trial.cost - best.cost <= 1e-9 * best.cost {
                break;
            } else {
                damping *= 10.0;
            }
        }
        best
    }

    /// The best smile of a bend, its cost, and where the cost falls.
    fn bend(&mut self, points: &[Point], m: f64, log_s: f64) -> Bend {
        self.evaluations += 1;
        let s = log_s.exp();
        let (mut n, mut sx, mut sz, mut sw) = (0.0, 0.0, 0.0, 0.0);
        let (mut xx, mut xz, mut xw, mut zw) = (0.0, 0.0, 0.0, 0.0);
        for (point, &weight) in points.iter().zip(&self.weights) {
            let x = point.k - m;
            let z = (x * x + s * s).sqrt();
            let (ox, oz) = (weight * x, weight * z);
            n += weight;
            sx += ox;
            sz += oz;
            sw += weight * point.w;
            xx += ox * x;
            xz += ox * z;
            xw += ox * point.w;
            zw += oz * point.w;
        }
        let zz = xx + n * s * s;
        let (mx, mz, mw) = (sx / n, sz / n, sw / n);
        let centred = [[xx - sx * mx, xz - sx * mz], [xz - sx * mz, zz - sz * mz]];
        let [p, b] = tilt(centred, [xw - sx * mw, zw - sz * mw]);
        let a = mw - p * mx - b * mz;
        let mut bend = Bend {
            m,
            log_s,
            svi: Svi { a, b, rho: if b > 0.0 { p / b } else { 0.0 }, m, s },
            cost: 0.0,
            gradient: [0.0; 2],
            normal: [[0.0; 2]; 2],
        };
        // Residuals, and the columns by (m, ln s) with the linear part's columns taken out of them.
        let mut along = [[0.0; 3]; 2];
        let (mut mm, mut ml, mut ll) = (0.0, 0.0, 0.0);
        for (point, &weight) in points.iter().zip(&self.weights) {
            let x = point.k - m;
            let z = (x * x + s * s).sqrt();
            let inverse = 1.0 / z;
            let r = a + p * x + b * z - point.w;
            let jm = -(p + b * x * inverse);
            let jl = b * s * s * inverse;
            let (om, ol) = (weight * jm, weight * jl);
            bend.cost += weight * r * r;
            bend.gradient[0] += om * r;
            bend.gradient[1] += ol * r;
            mm += om * jm;
            ml += om * jl;
            ll += ol * jl;
            along[0][0] += om;
            along[0][1] += om * x;
            along[0][2] += om * z;
            along[1][0] += ol;
            along[1][1] += ol * x;
            along[1][2] += ol * z;
        }
        let centre = |[one, x, z]: [f64; 3]| [x - one * mx, z - one * mz];
        let (cm, cl) = (centre(along[0]), centre(along[1]));
        let determinant = centred[0][0] * centred[1][1] - centred[0][1] * centred[0][1];
        let share = |u: [f64; 2], v: [f64; 2]| {
            let [[xx, xz], [_, zz]] = centred;
            if determinant > 1e-14 * xx * zz {
                (u[0] * (zz * v[0] - xz * v[1]) + u[1] * (xx * v[1] - xz * v[0])) / determinant
            } else {
                0.0
            }
        };
        let left = |whole: f64, u: usize, v: usize, cu: [f64; 2], cv: [f64; 2]| {
            whole - along[u][0] * along[v][0] / n - share(cu, cv)
        };
        let (pm, pl) = (left(mm, 0, 0, cm, cm), left(ll, 1, 1, cl, cl));
        let pml = left(ml, 0, 1, cm, cl);
        bend.normal = [[pm.max(1e-9 * mm), pml], [pml, pl.max(1e-9 * ll)]];
        bend
    }

    /// First weights, before there is a smile: a point that stands out from the line between its neighbours, and more so
    /// than they do, counts less. Otherwise one bad quote of a short slice can draw the whole smile to itself.
    fn suspect(&mut self, points: &[Point]) {
        let last = points.len() - 1;
        self.residuals.clear();
        self.residuals.extend((0..points.len()).map(|i| {
            let (left, right) = if i == 0 {
                (1, 2)
            } else if i == last {
                (last - 2, last - 1)
            } else {
                (i - 1, i + 1)
            };
            let (at, left, right) = (points[i], points[left], points[right]);
            let line = left.w + (right.w - left.w) * (at.k - left.k) / (right.k - left.k);
            (at.w - line).abs() * at.weight.sqrt()
        }));
        let scale = self.scale().max(1.0);
        self.weights.clear();
        for (i, (point, kink)) in points.iter().zip(&self.residuals).enumerate() {
            let beside =
                |other: Option<usize>| other.and_then(|i| self.residuals.get(i)).is_none_or(|other| other <= kink);
            let stands_out = beside(i.checked_sub(1)) && beside(Some(i + 1));
            let size = kink / scale;
            self.weights.push(point.weight * if stands_out && size > HUBER { (HUBER / size).powi(2) } else { 1.0 });
        }
    }

    /// The typical size of the residuals: their median, as the standard deviation of a normal distribution.
    fn scale(&mut self) -> f64 {
        self.sizes.clear();
        self.sizes.extend(self.residuals.iter().map(|r| r.abs()));
        let middle = self.sizes.len() / 2;
        let (_, &mut median, _) = self.sizes.select_nth_unstable_by(middle, f64::total_cmp);
        1.4826 * median
    }

    /// Sets weights by the residuals of a smile, those of outliers to zero if it `cuts`; returns how many became so.
    fn reweigh(&mut self, points: &[Point], svi: &Svi, cuts: bool) -> usize {
        self.residuals.clear();
        self.residuals.extend(points.iter().map(|point| (svi.total(point.k) - point.w) * point.weight.sqrt()));
        let scale = self.scale().max(SCALE_MIN);
        let mut cut = 0;
        for (i, (point, weight)) in points.iter().zip(&mut self.weights).enumerate() {
            let size = self.residuals[i].abs() / scale;
            let out = cuts && size > OUTLIER && stands_alone(&self.residuals, i);
            cut += usize::from(out);
            *weight = point.weight
                * if size <= HUBER {
                    1.0
                } else if out {
                    0.0
                } else {
                    HUBER / size
                };
        }
        // Never fewer than the parameters need.
        if points.len() - cut < 5 {
            for (point, weight) in points.iter().zip(&mut self.weights) {
                *weight = point.weight;
            }
            return 0;
        }
        cut
    }

    /// Whether every strike kept its weight.
    fn calm(&self, points: &[Point]) -> bool {
        points.iter().zip(&self.weights).all(|(point, &weight)| weight == point.weight)
    }
}

/// Whether a residual is another than one of the two nearest. Where three go together the smile is too stiff for the
/// market, and no quote is to blame.
pub(crate) fn stands_alone(residuals: &[f64], i: usize) -> bool {
    let first = i.saturating_sub(1).min(residuals.len().saturating_sub(3));
    let near = residuals.iter().skip(first).take(3);
    near.into_iter().any(|other| (residuals[i] - other).abs() > 0.5 * residuals[i].abs())
}

fn check(points: &[Point]) -> Result<(), FitError> {
    if points.len() < 5 {
        return Err(FitError::TooFew { strikes: points.len() });
    }
    let mut before = f64::NEG_INFINITY;
    for (index, point) in points.iter().enumerate() {
        let fine = point.k.is_finite() && point.w.is_finite() && point.weight.is_finite();
        if !(fine && point.k > before && point.weight > 0.0) {
            return Err(FitError::Malformed { index });
        }
        before = point.k;
    }
    Ok(())
}

/// The range of the strikes, which bounds the bend.
struct Span {
    low: f64,
    width: f64,
}

impl Span {
    fn of(points: &[Point]) -> Self {
        let low = points.first().map_or(0.0, |point| point.k);
        let high = points.last().map_or(low, |point| point.k);
        Self { low, width: high - low }
    }

    fn clamp(&self, m: f64, log_s: f64) -> (f64, f64) {
        let log_width = self.width.ln();
        (
            m.clamp(self.low - self.width, self.low + 2.0 * self.width),
            log_s.clamp(log_width + NARROWEST.ln(), log_width - NARROWEST.ln() / 2.0),
        )
    }
}

/// The minimum of the quadratic `1/2 v C v - v r` over tilts `v = (rho b, b)` with `|rho| <= 0.999` and wings at most 2: a
/// quadrilateral, so either free or on one of four edges.
fn tilt(c: [[f64; 2]; 2], r: [f64; 2]) -> [f64; 2] {
    let determinant = c[0][0] * c[1][1] - c[0][1] * c[0][1];
    if determinant > 1e-14 * c[0][0] * c[1][1] {
        let p = (c[1][1] * r[0] - c[0][1] * r[1]) / determinant;
        let b = (c[0][0] * r[1] - c[0][1] * r[0]) / determinant;
        if b >= 0.0 && p.abs() <= RHO_MAX * b && b + p.abs() <= 2.0 {
            return [p, b];
        }
    }
    let side = 2.0 / (1.0 + RHO_MAX);
    let corners = [[0.0, 0.0], [RHO_MAX * side, side], [0.0, 2.0], [-RHO_MAX * side, side]];
    let cost = |v: [f64; 2]| {
        0.5 * (c[0][0] * v[0] * v[0] + 2.0 * c[0][1] * v[0] * v[1] + c[1][1] * v[1] * v[1]) - v[0] * r[0] - v[1] * r[1]
    };
    let mut best = ([0.0, 0.0], f64::INFINITY);
    for (i, from) in corners.iter().enumerate() {
        let to = corners[(i + 1) % 4];
        let d = [to[0] - from[0], to[1] - from[1]];
        let slope = |v: [f64; 2]| [c[0][0] * v[0] + c[0][1] * v[1], c[0][1] * v[0] + c[1][1] * v[1]];
        let (at, curve) = (slope(*from), slope(d));
        let fall = d[0] * (r[0] - at[0]) + d[1] * (r[1] - at[1]);
        let bend = d[0] * curve[0] + d[1] * curve[1];
        let part = if bend > 0.0 { (fall / bend).clamp(0.0, 1.0) } else { f64::from(u8::from(fall > 0.0)) };
        let v = [from[0] + part * d[0], from[1] + part * d[1]];
        let value = cost(v);
        if value < best.1 {
            best = (v, value);
        }
    }
    best.0
}
