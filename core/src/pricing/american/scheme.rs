//! The numbers a scheme of quadrature and collocation needs, computed once: nodes in the square root of time, weights, and
//! rows that interpolate the boundary at every quadrature point. All of them are the same for every option, because the
//! boundary's problem is scaled to a time of one.
//!
//! Quadrature is Gauss-Legendre in an angle whose squared sine is the part of the time that has passed, so that its squared
//! cosine is the part left: integrands that are smooth in the roots of both have no singular end, and the error falls
//! exponentially with the points. In the root of the time passed alone, as the paper has it, the other end is singular and
//! many times the points are needed.

use std::array::from_fn;
use std::f64::consts::PI;

/// Tables for `N` collocation nodes, `L` quadrature points of the fixed point, `P` of the price. The scheme (l, m, n, p)
/// of the paper.
pub struct Scheme<const L: usize, const N: usize, const P: usize> {
    /// Newton's step and then fixed-point steps: m.
    pub iterations: usize,
    /// Times of the nodes, falling from one; the node at zero is left out, since the boundary is known there.
    pub times: [f64; N],
    /// Quadrature of the fixed point: the square root of the part of the time, and twice its weight.
    pub inner: [(f64, f64); L],
    /// For node `i`, by node and point: what to multiply the nodes' values by to have the boundary's at the points.
    pub inner_rows: [[[f64; L]; N]; N],
    /// Quadrature of the price: the square root of the time from now, and the weight on 0 to 1.
    pub outer: [(f64, f64); P],
    /// The same for the price's points.
    pub outer_rows: [[f64; P]; N],
}

impl<const L: usize, const N: usize, const P: usize> Scheme<L, N, P> {
    /// The tables.
    pub fn new(iterations: usize) -> Self {
        let roots: [f64; N] = from_fn(|i| 0.5 * (1.0 + (PI * i as f64 / N as f64).cos()));
        let arc = |(y, weight): (f64, f64)| -> (f64, f64) {
            let angle = 0.25 * PI * (1.0 + y);
            (angle.sin(), 0.25 * PI * angle.cos() * weight)
        };
        let inner = legendre::<L>().map(arc).map(|(share, weight)| (share, 2.0 * weight));
        let outer = legendre::<P>().map(arc);
        // The time left at a point is that at the node less the square of the point's share.
        let row = |root: f64, share: f64| cardinal::<N>(root * (1.0 - share * share).sqrt());
        Self {
            iterations,
            times: roots.map(|root| root * root),
            inner_rows: roots.map(|root| turned(inner.map(|(share, _)| row(root, share)))),
            outer_rows: turned(outer.map(|(share, _)| row(1.0, share))),
            inner,
            outer,
        }
    }
}

/// Rows as columns.
fn turned<const M: usize, const N: usize>(rows: [[f64; N]; M]) -> [[f64; M]; N] {
    from_fn(|i| rows.map(|row| row[i]))
}

/// The values at the points: each node's by its column.
#[inline(always)]
pub fn interpolated<const M: usize, const N: usize>(columns: &[[f64; M]; N], nodes: &[f64; N]) -> [f64; M] {
    let mut values = [0.0; M];
    for (column, node) in columns.iter().zip(nodes) {
        for (value, share) in values.iter_mut().zip(column) {
            *value += share * node;
        }
    }
    values
}

/// The `n` points and weights of Gauss-Legendre quadrature on -1 to 1, by Newton's method on Legendre's polynomial.
fn legendre<const M: usize>() -> [(f64, f64); M] {
    from_fn(|i| {
        let mut x = (PI * (i as f64 + 0.75) / (M as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut p, mut before) = (1.0, 0.0);
            for k in 0..M {
                let k = k as f64;
                (p, before) = (((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0), p);
            }
            slope = M as f64 * (x * p - before) / (x * x - 1.0);
            x -= p / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
}

/// The cardinal polynomials of the nodes (Chebyshev of the second kind, in the square root of time) at `root`; that of
/// the node at zero is left out, the value there being zero. Barycentric form: J.-P. Berrut and L. N. Trefethen, Barycentric
/// Lagrange interpolation, SIAM Review 46 (2004).
fn cardinal<const N: usize>(root: f64) -> [f64; N] {
    let z = 2.0 * root - 1.0;
    let node = |i: usize| (PI * i as f64 / N as f64).cos();
    if let Some(hit) = (0..=N).find(|&i| (z - node(i)).abs() < 1e-15) {
        return from_fn(|i| if i == hit { 1.0 } else { 0.0 });
    }
    let term = |i: usize| {
        let sign = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let half = if i == 0 || i == N { 0.5 } else { 1.0 };
        sign * half / (z - node(i))
    };
    let sum: f64 = (0..=N).map(term).sum();
    from_fn(|i| term(i) / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrature_is_exact_for_polynomials() {
        for power in 0..14 {
            let sum: f64 = legendre::<7>().iter().map(|(x, weight)| weight * x.powi(power)).sum();
            let exact = if power % 2 == 0 { 2.0 / f64::from(power + 1) } else { 0.0 };
            assert!((sum - exact).abs() < 1e-15, "x^{power}: {sum}");
        }
    }

    #[test]
    fn interpolation_is_exact_for_polynomials_that_vanish_at_zero() {
        let nodes: [f64; 7] = from_fn(|i| 0.5 * (1.0 + (PI * i as f64 / 7.0).cos()));
        for at in [0.0, 1e-3, 0.3, 0.77, 1.0, nodes[3]] {
            let row = cardinal::<7>(at);
            for power in 1..=7 {
                let value: f64 = (0..7).map(|i| row[i] * nodes[i].powi(power)).sum();
                assert!((value - at.powi(power)).abs() < 1e-14, "{at}^{power}: {value}");
            }
        }
    }
}
