//! The boundary of early exercise of a put on a future, by the fixed point of L. Andersen, M. Lake and D. Offengenden, High
//! performance American option pricing (2016), equation A with one Newton step and then plain steps, started from the QD+
//! approximation of M. Li, Analytical approximations of the critical stock prices (2010).
//!
//! Everything is scaled to a strike of one and a time of one: what is left are the rate times the time, and the variance.

use super::scheme::{Scheme, interpolated};
use crate::pricing::elementary::{exp, ln};
use crate::pricing::normal::{FRAC_1_SQRT_TAU, mills};

/// The boundary at the nodes of a scheme: exercise where the future over the strike is at or below `exp(-level)`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Boundary<const N: usize> {
    /// Rate times time.
    pub carry: f64,
    /// Squared volatility times time.
    pub variance: f64,
    /// `-ln(B / K)` at the nodes, from the full time down; at no time left it is zero.
    pub levels: [f64; N],
}

/// The density at a number and the probability above it, which keeps its relative accuracy.
#[inline(always)]
pub(super) fn density_and_tail(x: f64) -> (f64, f64) {
    // Beyond 1e8 deviations the density is zero; the ratio's argument must stay finite.
    let x = x.clamp(-1e8, 1e8);
    let density = FRAC_1_SQRT_TAU * exp(-0.5 * x * x);
    let tail = density * mills(x.abs());
    (density, if x > 0.0 { tail } else { 1.0 - tail })
}

impl<const N: usize> Boundary<N> {
    /// The boundary for a positive rate and variance. Cost with seven nodes: some microseconds.
    pub fn new<const L: usize, const P: usize>(scheme: &Scheme<L, N, P>, carry: f64, variance: f64) -> Self {
        let mut boundary = Self { carry, variance, levels: start(scheme, carry, variance) };
        for step in 0..scheme.iterations {
            boundary = boundary.improved(scheme, step == 0);
        }
        boundary
    }

    /// One step of the fixed point `b = f(b)`, at all nodes from the same boundary.
    #[inline]
    fn improved<const L: usize, const P: usize>(&self, scheme: &Scheme<L, N, P>, newton: bool) -> Self {
        let Self { carry, variance, levels } = *self;
        let squares = levels.map(|level| level * level);
        let vol = variance.sqrt();
        let mut next = *self;
        for (i, &time) in scheme.times.iter().enumerate() {
            let (level, root) = (levels[i], time.sqrt());
            let (mut of_strike, mut of_future) = ([0.0; L], [0.0; L]);
            let square = interpolated(&scheme.inner_rows[i], &squares);
            for j in 0..L {
                let (share, weight) = scheme.inner[j];
                // The time from here to the point, the boundary there, and the log of the ratio of the two boundaries.
                let ahead = time * share * share;
                let spread = vol * root * share;
                let middle = (square[j].max(0.0).sqrt() - level) / spread;
                let (up, down) = (middle + 0.5 * spread, middle - 0.5 * spread);
                let grown = weight * exp(carry * (time - ahead));
                let (density, cdf) = density_and_tail(-up);
                of_future[j] = grown * (time * share * cdf + root / vol * density);
                of_strike[j] = grown * FRAC_1_SQRT_TAU * exp(-0.5 * down * down);
            }
            let spread = vol * root;
            let b = exp(-level);
            let (up, down) = (-level / spread + 0.5 * spread, -level / spread - 0.5 * spread);
            let (density_up, cdf_up) = density_and_tail(-up);
            let (density_down, _) = density_and_tail(down);
            let above = density_down / spread + carry * root / vol * of_strike.iter().sum::<f64>();
            let below = density_up / spread + cdf_up + carry * of_future.iter().sum::<f64>();
            let value = above / below;
            let improved = if newton {
                // The derivative of the terms outside the integrals only: with that of the integrals it goes astray.
                let above_slope = -density_down * down / (b * spread * spread);
                let below_slope = -density_up * up / (b * spread * spread) + density_up / (b * spread);
                let slope = (above_slope - value * below_slope) / below;
                b + (value - b) / (1.0 - slope)
            } else {
                value
            };
            // The boundary lies below the strike; a step that leaves that range is not taken.
            next.levels[i] = if improved > 0.0 && improved < 1.0 { -ln(improved) } else { level };
        }
        next
    }
}

/// QD+ at the nodes.
#[inline]
fn start<const L: usize, const N: usize, const P: usize>(
    scheme: &Scheme<L, N, P>,
    carry: f64,
    variance: f64,
) -> [f64; N] {
    let mut levels = [0.0; N];
    // From the shortest time up, each node's guess corrected as the one before had to be.
    let mut correction = 1.0;
    for i in (0..N).rev() {
        let (carry, variance) = (carry * scheme.times[i], variance * scheme.times[i]);
        let guess = seed(carry, variance);
        levels[i] = quasi_analytic(carry, variance, correction * guess);
        correction = levels[i] / guess;
    }
    levels
}

/// A first guess of the level: between the strike and the boundary without expiry, as G. Barone-Adesi and R. Whaley (1987).
fn seed(carry: f64, variance: f64) -> f64 {
    let power = 0.5 * ((1.0 + 8.0 * carry / variance).sqrt() - 1.0);
    let forever = power / (1.0 + power);
    let near = exp(-2.0 * variance.sqrt() * (1.0 + power));
    -ln(forever + (1.0 - forever) * near)
}

/// The level of Li's QD+ for a time of one, by Newton's method from a guess. Only a start, so some digits are enough.
fn quasi_analytic(carry: f64, variance: f64, guess: f64) -> f64 {
    let vol = variance.sqrt();
    let discount = exp(-carry);
    // r / (1 - e^-rT), without cancellation where rT is small.
    let rate = if carry > 1e-5 { carry / (1.0 - discount) } else { 1.0 + 0.5 * carry };
    let root = (1.0 + 8.0 * rate / variance).sqrt();
    let lambda = 0.5 * (1.0 - root);
    let lambda_slope = 2.0 * rate * rate / (variance * root);
    let alpha = -2.0 * discount / (variance * root);
    let beta = alpha * (rate - lambda_slope / root) - lambda;
    let mut level = guess;
    for _ in 0..8 {
        let b = exp(-level);
        let (up, down) = (-level / vol + 0.5 * vol, -level / vol - 0.5 * vol);
        let (density, below_up) = density_and_tail(up);
        let (_, below_down) = density_and_tail(down);
        let (of_future, of_strike) = (discount * below_up, discount * below_down);
        let put = of_strike - b * of_future;
        let theta = carry * put - 0.5 * vol * discount * b * density;
        let value = (1.0 - of_future) * b - beta * (1.0 - b - put) + alpha / discount * theta;
        let theta_slope = -carry * of_future - 0.5 * vol * discount * density * (1.0 - up / vol);
        let slope = (1.0 - of_future) * (1.0 + beta) + discount * density / vol + alpha / discount * theta_slope;
        let step = value / (slope * b);
        // Newton in the logarithm, never more than halving or doubling the level.
        let next = (level + step).clamp(0.5 * level, 2.0 * level);
        let moved = (next - level).abs();
        level = next;
        if moved < 1e-7 * level || !moved.is_finite() {
            break;
        }
    }
    level
}
