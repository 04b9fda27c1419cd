//! A surface as a table: total variances on a grid of log-moneyness and time, read bilinearly. For queries that want no
//! model, and for boards too thin to fit. Beyond the grid the nearest edge holds, in time as volatility.

/// Total variances by expiry and log-moneyness.
#[derive(Clone, PartialEq, Debug)]
pub struct Grid {
    years: Vec<f64>,
    ks: Vec<f64>,
    /// By expiry, then log-moneyness.
    variances: Vec<f64>,
}

/// Why numbers make no grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GridError {
    /// An axis is empty, does not ascend, or the years do not begin above zero.
    #[error("years and log-moneyness must each be one or more ascending numbers, years positive")]
    Axes,
    /// The variances do not fill the grid.
    #[error("{given} variances for a grid of {wanted}")]
    Size {
        /// Variances given.
        given: usize,
        /// Expiries times strikes.
        wanted: usize,
    },
    /// A variance is negative or not a number.
    #[error("variance number {index} is not a finite, positive number")]
    Variance {
        /// Position, from zero.
        index: usize,
    },
}

impl Grid {
    /// A grid of total variances, those of the first expiry first.
    pub fn new(years: Vec<f64>, ks: Vec<f64>, variances: Vec<f64>) -> Result<Self, GridError> {
        let ascends = |axis: &[f64]| !axis.is_empty() && axis.is_sorted_by(|one, next| one < next);
        if !(ascends(&years) && ascends(&ks) && years.iter().chain(&ks).all(|x| x.is_finite()) && years[0] > 0.0) {
            return Err(GridError::Axes);
        }
        let (given, wanted) = (variances.len(), years.len() * ks.len());
        if given != wanted {
            return Err(GridError::Size { given, wanted });
        }
        match variances.iter().position(|w| !(w.is_finite() && *w > 0.0)) {
            Some(index) => Err(GridError::Variance { index }),
            None => Ok(Self { years, ks, variances }),
        }
    }

    /// Volatility at a log-moneyness and expiry.
    pub fn vol(&self, k: f64, years: f64) -> f64 {
        let inside = years.clamp(self.years[0], self.years[self.years.len() - 1]);
        let (row, down) = place(&self.years, inside);
        let (column, across) = place(&self.ks, k);
        let at = |row: usize| {
            let row = &self.variances[row * self.ks.len()..];
            row[column] + across * (row[(column + 1).min(self.ks.len() - 1)] - row[column])
        };
        let w = at(row) + down * (at((row + 1).min(self.years.len() - 1)) - at(row));
        (w / inside).sqrt()
    }
}

/// The cell of an ascending axis and the part of it passed; clamped to the axis.
fn place(axis: &[f64], x: f64) -> (usize, f64) {
    let index = axis.partition_point(|&knot| knot <= x).clamp(1, axis.len().max(2) - 1) - 1;
    match axis.get(index + 1) {
        Some(next) => (index, ((x - axis[index]) / (next - axis[index])).clamp(0.0, 1.0)),
        None => (index, 0.0),
    }
}
