//! A natural cubic spline through total variances: the market's own points, for diagnosis and simple queries. It promises
//! nothing about arbitrage. Beyond its ends it is flat.

use super::{Smile, Variance};

/// A natural cubic spline, flat beyond its ends.
#[derive(Clone, PartialEq, Debug)]
pub struct Spline {
    knots: Vec<f64>,
    values: Vec<f64>,
    /// Second derivatives at the knots.
    bends: Vec<f64>,
}

/// Why points make no spline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplineError {
    /// A spline needs two points.
    #[error("{points} points; a spline needs at least 2")]
    TooFew {
        /// Points given.
        points: usize,
    },
    /// Knots must ascend, and all be finite.
    #[error("knot number {index} is not a finite number above the one before it, with a finite value")]
    Malformed {
        /// Position, from zero.
        index: usize,
    },
}

impl Spline {
    /// The spline through `(k, value)` points of ascending `k`.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, SplineError> {
        let (knots, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let n = knots.len();
        if n < 2 {
            return Err(SplineError::TooFew { points: n });
        }
        let fine = |i: usize| knots[i].is_finite() && values[i].is_finite() && (i == 0 || knots[i] > knots[i - 1]);
        if let Some(index) = (0..n).find(|&i| !fine(i)) {
            return Err(SplineError::Malformed { index });
        }
        // Thomas's elimination of the tridiagonal system; the ends do not bend.
        let (mut upper, mut bends) = (vec![0.0; n], vec![0.0; n]);
        for i in 1..n - 1 {
            let (left, right) = (knots[i] - knots[i - 1], knots[i + 1] - knots[i]);
            let jump = (values[i + 1] - values[i]) / right - (values[i] - values[i - 1]) / left;
            let pivot = 2.0 * (left + right) - left * upper[i - 1];
            upper[i] = right / pivot;
            bends[i] = (6.0 * jump - left * bends[i - 1]) / pivot;
        }
        for i in (1..n - 1).rev() {
            bends[i] -= upper[i] * bends[i + 1];
        }
        Ok(Self { knots, values, bends })
    }
}

impl Smile for Spline {
    fn variance(&self, k: f64) -> Variance {
        let above = self.knots.partition_point(|&knot| knot <= k);
        let last = self.knots.len() - 1;
        if above == 0 || above > last {
            return Variance { w: self.values[if above == 0 { 0 } else { last }], dw: 0.0, d2w: 0.0 };
        }
        let i = above - 1;
        let h = self.knots[above] - self.knots[i];
        let (right, left) = ((k - self.knots[i]) / h, (self.knots[above] - k) / h);
        let (bi, bj) = (self.bends[i], self.bends[above]);
        let chord = (self.values[above] - self.values[i]) / h;
        Variance {
            w: left * self.values[i]
                + right * self.values[above]
                + ((left.powi(3) - left) * bi + (right.powi(3) - right) * bj) * h * h / 6.0,
            dw: chord + ((3.0 * right * right - 1.0) * bj - (3.0 * left * left - 1.0) * bi) * h / 6.0,
            d2w: left * bi + right * bj,
        }
    }
}
