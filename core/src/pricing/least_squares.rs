//! Nonlinear least squares in a few parameters: Levenberg and Marquardt's method (Marquardt 1963) with differences for
//! derivatives. No allocation. What surfaces and repairs are fitted with; single slices have a faster way of their own.

/// Where a search ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Minimum<const N: usize> {
    /// The parameters.
    pub at: [f64; N],
    /// The sum of squares there.
    pub cost: f64,
}

/// Minimises the sum of squares of `count` residuals from `start`, stepping at first by about `scale`. `model` prepares
/// what all residuals of one set of parameters share. Residuals must be finite at `start`.
pub(crate) fn minimise<const N: usize, M>(
    start: [f64; N],
    scale: [f64; N],
    count: usize,
    rounds: usize,
    model: impl Fn(&[f64; N]) -> M,
    residual: impl Fn(&M, usize) -> f64,
) -> Minimum<N> {
    let cost_at = |at: &[f64; N]| {
        let model = model(at);
        (0..count).map(|i| residual(&model, i)).map(|r| r * r).sum::<f64>()
    };
    let mut best = Minimum { at: start, cost: cost_at(&start) };
    let mut damping = 1e-3;
    for _ in 0..rounds {
        let (normal, gradient) = linearise(&best.at, &scale, count, &model, &residual);
        let before = best.cost;
        // A few growing dampings until one goes down.
        for _ in 0..6 {
            let mut damped = normal;
            for (i, row) in damped.iter_mut().enumerate() {
                row[i] += damping * row[i].max(1e-12);
            }
            let step = solve(damped, gradient);
            let mut at = best.at;
            for i in 0..N {
                at[i] -= step.map_or(0.0, |step| step[i] * scale[i]);
            }
            let cost = cost_at(&at);
            if cost < best.cost {
                best = Minimum { at, cost };
                damping = (damping * 0.2).max(1e-9);
                break;
            }
            damping *= 6.0;
        }
        if before - best.cost <= 1e-9 * before {
            break;
        }
    }
    best
}

/// Gauss and Newton's normal matrix and gradient, parameters measured in units of `scale`.
fn linearise<const N: usize, M>(
    at: &[f64; N],
    scale: &[f64; N],
    count: usize,
    model: &impl Fn(&[f64; N]) -> M,
    residual: &impl Fn(&M, usize) -> f64,
) -> ([[f64; N]; N], [f64; N]) {
    const STEP: f64 = 1e-6;
    let here = model(at);
    let moved: [M; N] = std::array::from_fn(|i| {
        let mut at = *at;
        at[i] += STEP * scale[i];
        model(&at)
    });
    let (mut normal, mut gradient) = ([[0.0; N]; N], [0.0; N]);
    for row in 0..count {
        let r = residual(&here, row);
        let slope: [f64; N] = std::array::from_fn(|i| (residual(&moved[i], row) - r) / STEP);
        for i in 0..N {
            gradient[i] += slope[i] * r;
            for j in 0..=i {
                normal[i][j] += slope[i] * slope[j];
            }
        }
    }
    let mirrored = std::array::from_fn(|i| std::array::from_fn(|j| if j <= i { normal[i][j] } else { normal[j][i] }));
    (mirrored, gradient)
}

/// Solves a small linear system by elimination with pivots; `None` when it is singular.
pub(crate) fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N).max_by(|&i, &j| matrix[i][column].abs().total_cmp(&matrix[j][column].abs()))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let head = matrix[column][column];
        if !(head.abs() > 0.0 && head.is_finite()) {
            return None;
        }
        for row in column + 1..N {
            let factor = matrix[row][column] / head;
            let (upper, lower) = matrix.split_at_mut(row);
            for (target, source) in lower[0].iter_mut().zip(&upper[column]).skip(column) {
                *target -= factor * source;
            }
            right[row] -= factor * right[column];
        }
    }
    let mut solution = [0.0; N];
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}
