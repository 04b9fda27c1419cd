//! The boundary of early exercise of a put, by the fixed point of L. Andersen, M. Lake and D. Offengenden, High performance
//! American option pricing (2016), with one Newton step and then plain steps, started from the QD+ approximation of M. Li,
//! Analytical approximations of the critical stock prices (2010).
//!
//! Everything is scaled to a strike of one and a time of one: what is left are the rates times the time, and the variance.

use super::scheme::{Scheme, interpolated};
use crate::pricing::elementary::{exp, ln};
use crate::pricing::normal::{FRAC_1_SQRT_TAU, mills};

/// What the boundary depends on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Terms {
    /// Rate times time.
    pub rate: f64,
    /// What the asset yields, times time; a future yields the rate, since holding it costs nothing.
    pub income: f64,
    /// Squared volatility times time.
    pub variance: f64,
}

/// The boundary at the nodes of a scheme: exercise where the asset over the strike is at or below `exp(-level)` times
/// what it is with no time left.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Boundary<const N: usize> {
    /// Whose it is.
    pub terms: Terms,
    /// `-ln(B / B(0))` at the nodes, from the full time down; at no time left it is zero.
    pub levels: [f64; N],
}

/// Which equation the fixed point is of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Equation {
    /// That the slope at the boundary is that of exercising. The faster where the drift is small beside the volatility;
    /// where it is not the steps go astray.
    A,
    /// That the value at the boundary is what exercising pays.
    B,
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

impl Terms {
    /// `-ln(B(0) / K)`: with no time left a put is exercised below the strike, and only where the interest on the strike is
    /// more than what the asset yields.
    #[inline]
    pub fn last_level(&self) -> f64 {
        if self.income > self.rate { ln(self.income / self.rate) } else { 0.0 }
    }

    /// The same over a part of the time.
    #[inline]
    fn part(&self, time: f64) -> Self {
        Self { rate: self.rate * time, income: self.income * time, variance: self.variance * time }
    }
}

impl<const N: usize> Boundary<N> {
    /// The boundary for a positive rate and variance. Cost with seven nodes: some microseconds.
    pub fn new<const L: usize, const P: usize>(scheme: &Scheme<L, N, P>, equation: Equation, terms: Terms) -> Self {
        let mut boundary = Self { terms, levels: start(scheme, &terms) };
        for step in 0..scheme.iterations {
            boundary = boundary.improved(scheme, equation, step == 0);
        }
        boundary
    }

    /// The highest price of the asset, in strikes, at which exercising now is best.
    #[inline]
    pub fn now(&self) -> f64 {
        exp(-self.levels[0] - self.terms.last_level())
    }

    /// One step of the fixed point `b = f(b)`, at all nodes from the same boundary.
    #[inline]
    fn improved<const L: usize, const P: usize>(
        &self,
        scheme: &Scheme<L, N, P>,
        equation: Equation,
        newton: bool,
    ) -> Self {
        let Self { terms, levels } = *self;
        let Terms { rate, income, variance } = terms;
        let squares = levels.map(|level| level * level);
        let (vol, drift, last) = (variance.sqrt(), rate - income, terms.last_level());
        let mut next = *self;
        for (i, &time) in scheme.times.iter().enumerate() {
            let (level, root) = (levels[i], time.sqrt());
            let (mut of_strike, mut of_asset) = ([0.0; L], [0.0; L]);
            let square = interpolated(&scheme.inner_rows[i], &squares);
            for j in 0..L {
                let (share, weight) = scheme.inner[j];
                // The time from here to the point, and the log of the ratio of the boundaries here and there.
                let ahead = time * share * share;
                let (spread, fall) = (vol * root * share, square[j].max(0.0).sqrt() - level);
                let middle = (fall + drift * ahead) / spread;
                let (density, cdf) = density_and_tail(-middle - 0.5 * spread);
                let discounted = weight * exp(-income * ahead);
                of_asset[j] = discounted * time * share * cdf;
                match equation {
                    Equation::A => {
                        let slope = discounted * root / vol * density;
                        of_asset[j] += slope;
                        // The discounted densities of strike and asset differ by the ratio.
                        of_strike[j] = slope * exp(fall);
                    }
                    Equation::B => {
                        let (_, cdf_down) = density_and_tail(-middle + 0.5 * spread);
                        of_strike[j] = weight * exp(-rate * ahead) * time * share * cdf_down;
                    }
                }
            }
            let spread = vol * root;
            let b = exp(-level - last);
            let middle = (drift * time - level - last) / spread;
            let (up, down) = (middle + 0.5 * spread, middle - 0.5 * spread);
            let (density, cdf_up) = density_and_tail(-up);
            let discount = exp(-income * time);
            let (density_up, density_down) = (discount * density, discount * density * b);
            let (above, below) = match equation {
                Equation::A => (density_down / spread, density_up / spread + discount * cdf_up),
                Equation::B => (exp(-rate * time) * density_and_tail(-down).1, discount * cdf_up),
            };
            let above = above + rate * of_strike.iter().sum::<f64>();
            let below = below + income * of_asset.iter().sum::<f64>();
            let value = above / below;
            let improved = if newton {
                // The derivative of the terms outside the integrals only: with that of the integrals it goes astray.
                let (above_slope, below_slope) = match equation {
                    Equation::A => (-density_down * down / spread, density_up * (1.0 - up / spread)),
                    Equation::B => (density_down, density_up),
                };
                let slope = (above_slope - value * below_slope) / (b * spread * below);
                b + (value - b) / (1.0 - slope)
            } else {
                value
            };
            // The boundary only falls with the time left; a step that leaves that range is not taken.
            let found = -ln(improved) - last;
            next.levels[i] = if improved > 0.0 && found > 0.0 { found } else { level };
        }
        next
    }
}

/// QD+ at the nodes.
#[inline]
fn start<const L: usize, const N: usize, const P: usize>(scheme: &Scheme<L, N, P>, terms: &Terms) -> [f64; N] {
    let mut levels = [0.0; N];
    // From the shortest time up, each node's guess corrected as the one before had to be.
    let mut correction = 1.0;
    for i in (0..N).rev() {
        let terms = terms.part(scheme.times[i]);
        let guess = seed(&terms);
        levels[i] = quasi_analytic(&terms, correction * guess);
        correction = levels[i] / guess;
    }
    levels
}

/// The negative root of `x^2 + (drift - 1) x = rate`, each in units of half the variance: without cancellation.
fn exponent(drift: f64, rate: f64) -> f64 {
    let middle = 1.0 - drift;
    let root = (middle * middle + 4.0 * rate).sqrt();
    if middle > 0.0 { -2.0 * rate / (middle + root) } else { 0.5 * (middle - root) }
}

/// A first guess of the level: between the last boundary and that without expiry, as G. Barone-Adesi and R. Whaley (1987).
fn seed(&Terms { rate, income, variance }: &Terms) -> f64 {
    let power = -exponent(2.0 * (rate - income) / variance, 2.0 * rate / variance);
    // What the boundary without expiry is short of the last, as a part of that.
    let short = if income > rate { 0.5 * variance * power / rate } else { 1.0 / (1.0 + power) };
    let near = exp(-2.0 * variance.sqrt() / short);
    -ln(1.0 - short + short * near)
}

/// The level of Li's QD+ for a time of one, by Newton's method from a guess. Only a start, so some digits are enough.
fn quasi_analytic(terms: &Terms, guess: f64) -> f64 {
    let Terms { rate, income, variance } = *terms;
    let (vol, drift, last) = (variance.sqrt(), rate - income, terms.last_level());
    let (discount, yielded) = (exp(-rate), exp(-income));
    // r / (1 - e^-rT), without cancellation where rT is small.
    let per_year = if rate > 1e-5 { rate / (1.0 - discount) } else { 1.0 + 0.5 * rate };
    let lambda = exponent(2.0 * drift / variance, 2.0 * per_year / variance);
    let root = 1.0 - 2.0 * drift / variance - 2.0 * lambda;
    let lambda_slope = 2.0 * per_year * per_year / (variance * root);
    let alpha = -2.0 * discount / (variance * root);
    let beta = alpha * (per_year - lambda_slope / root) - lambda;
    let mut level = guess;
    for _ in 0..8 {
        let b = exp(-level - last);
        let middle = (drift - level - last) / vol;
        let (up, down) = (middle + 0.5 * vol, middle - 0.5 * vol);
        let (density, below_up) = density_and_tail(up);
        let (_, below_down) = density_and_tail(down);
        let (of_asset, of_strike) = (yielded * below_up, discount * below_down);
        let put = of_strike - b * of_asset;
        let decay = 0.5 * vol * yielded * density;
        let theta = rate * of_strike - b * (income * of_asset + decay);
        let value = (1.0 - of_asset) * b - beta * (1.0 - b - put) + alpha / discount * theta;
        let theta_slope = -income * of_asset - drift / vol * yielded * density - decay * (1.0 - up / vol);
        let slope = (1.0 - of_asset) * (1.0 + beta) + yielded * density / vol + alpha / discount * theta_slope;
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
