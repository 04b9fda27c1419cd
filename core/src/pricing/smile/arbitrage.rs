//! Whether a smile admits butterfly arbitrage: Durrleman's function, the density of the forward at expiry up to a positive
//! factor, must nowhere be negative (Gatheral and Jacquier 2014, section 2.2).

use super::{Smile, Svi, Variance};

/// How far smiles are scanned, in standard deviations at the money.
pub const SCAN_DEVIATIONS: f64 = 12.0;
/// Points of a scan; minima between them are refined.
const POINTS: usize = 97;
/// Halvings of a bracket by golden section: to 1e-8 of the bracket.
const REFINEMENTS: usize = 38;

/// The lowest value of a scan and where it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lowest {
    /// Log-moneyness.
    pub k: f64,
    /// The value.
    pub value: f64,
}

/// Durrleman's `g(k)`; not negative where there is no butterfly arbitrage. NaN where total variance is not positive.
#[inline]
pub fn durrleman(k: f64, at: Variance) -> f64 {
    let Variance { w, dw, d2w } = at;
    let lean = 1.0 - k * dw / (2.0 * w);
    lean * lean - dw * dw / 4.0 * (1.0 / w + 0.25) + d2w / 2.0
}

/// The lowest `g` of an SVI smile within [`SCAN_DEVIATIONS`], or minus infinity where total variance is not positive or a
/// wing is steeper than 2. 97 points spaced as the smile bends, then each low minimum refined: 1 us and more.
pub fn butterfly_lowest(svi: &Svi) -> Lowest {
    if !svi.is_valid() || svi.lowest() <= 0.0 {
        return Lowest { k: svi.m, value: f64::NEG_INFINITY };
    }
    let reach = SCAN_DEVIATIONS * svi.total(0.0).sqrt();
    lowest(bends(svi, reach), |k| durrleman(k, svi.variance(k)), 0.05)
}

/// The points to scan an SVI smile at, over `-reach..=reach`: dense where it bends, sparse in the wings.
pub(crate) fn bends(svi: &Svi, reach: f64) -> impl Iterator<Item = f64> {
    let Svi { m, s, .. } = *svi;
    let (from, until) = (((-reach - m) / s).asinh(), ((reach - m) / s).asinh());
    // exp(u) of each point from the one before it.
    let ratio = ((until - from) / (POINTS - 1) as f64).exp();
    let mut up = from.exp();
    (0..POINTS).map(move |_| {
        let k = m + s * 0.5 * (up - 1.0 / up);
        up *= ratio;
        k
    })
}

/// The lowest value of `f` on ascending points, with every minimum below `care` refined between its neighbours.
pub(crate) fn lowest(points: impl Iterator<Item = f64>, f: impl Fn(f64) -> f64, care: f64) -> Lowest {
    let mut best = Lowest { k: f64::NAN, value: f64::INFINITY };
    let mut before = [Lowest { k: f64::NAN, value: f64::INFINITY }; 2];
    for k in points {
        let here = Lowest { k, value: f(k) };
        if here.value.is_nan() {
            return Lowest { k, value: f64::NEG_INFINITY };
        }
        let [left, middle] = before;
        if middle.value < care && middle.value <= left.value && middle.value <= here.value {
            let from = if left.k.is_nan() { middle.k } else { left.k };
            let refined = golden(from, here.k, &f);
            best = if refined.value < best.value { refined } else { best };
        }
        best = if here.value < best.value { here } else { best };
        before = [middle, here];
    }
    best
}

/// The minimum of `f`, taken as having one, between two points.
fn golden(mut from: f64, mut until: f64, f: impl Fn(f64) -> f64) -> Lowest {
    const SECTION: f64 = 0.618_033_988_749_894_9;
    let at = |k: f64| Lowest { k, value: f(k) };
    let mut left = at(until - SECTION * (until - from));
    let mut right = at(from + SECTION * (until - from));
    for _ in 0..REFINEMENTS {
        if left.value < right.value {
            until = right.k;
            right = left;
            left = at(until - SECTION * (until - from));
        } else {
            from = left.k;
            left = right;
            right = at(from + SECTION * (until - from));
        }
    }
    if left.value < right.value { left } else { right }
}

/// The lowest `far - near` of two smiles' total variances within [`SCAN_DEVIATIONS`] of the far one: negative where there
/// is calendar arbitrage. Scanned as both bend: 1 us, and as much for each minimum refined.
pub fn calendar_lowest(near: &Svi, far: &Svi) -> Lowest {
    let reach = SCAN_DEVIATIONS * far.total(0.0).max(near.total(0.0)).max(0.0).sqrt();
    let gap = |k: f64| far.total(k) - near.total(k);
    let care = 0.05 * far.total(0.0);
    let (one, other) = (lowest(bends(near, reach), gap, care), lowest(bends(far, reach), gap, care));
    if one.value < other.value { one } else { other }
}
