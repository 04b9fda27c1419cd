//! A board of quotes to a surface without arbitrage. Each expiry is fitted alone; where that leaves no arbitrage, as is
//! usual, it is the result. Otherwise an eSSVI surface, which never has any, bounds what the rest may do: every smile is
//! fitted again between the one before it and the eSSVI smile after it, so there is always one that can be taken.

use super::{Slice, SsviSlice, Surface, essvi};
use crate::pricing::smile::{
    Between, Calibration, FitError, Point, Smile, Svi, butterfly_lowest, calendar_lowest, polish, stands_alone,
};

/// One expiry to fit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BoardSlice<'a> {
    /// Years to expiry by the variance clock.
    pub years: f64,
    /// Forward of the expiry.
    pub forward: f64,
    /// Price today of one unit of money at expiry.
    pub discount: f64,
    /// Its strikes, of ascending log-moneyness.
    pub points: &'a [Point],
}

/// A fitted surface and how the fit went.
#[derive(Clone, PartialEq, Debug)]
pub struct SurfaceFit {
    /// The surface: of the expiries that could be fitted, in order of time.
    pub surface: Surface,
    /// How each expiry of the board went, in its order.
    pub slices: Vec<Result<SliceFit, FitError>>,
    /// Whether free fits had arbitrage, so that they were fitted again within bounds.
    pub repaired: bool,
}

/// How one expiry was fitted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SliceFit {
    /// Root of the mean square of residuals, in standard errors; outliers left out.
    pub error: f64,
    /// The same of the best fit that may have arbitrage.
    pub free_error: f64,
    /// Strikes that were left out as outliers.
    pub outliers: usize,
}

/// Fits boards again and again, beginning at the smiles of the last time.
#[derive(Clone, Debug, Default)]
pub struct SurfaceFitter {
    calibration: Calibration,
    /// The last free fits with their years, for a warm start.
    warm: Vec<(f64, Svi)>,
}

/// A slice on its way.
struct Draft {
    at: usize,
    free: Svi,
    points: Vec<Point>,
    outliers: usize,
}

impl SurfaceFitter {
    /// Fits a board, its expiries in order of time. Slices of fewer than five strikes, or malformed ones, are left out and
    /// say so. About 10 us an expiry of 60 strikes when warm and free of arbitrage; up to a millisecond more for each expiry that
    /// has to be repaired.
    pub fn fit(&mut self, board: &[BoardSlice<'_>]) -> Result<SurfaceFit, super::SurfaceError> {
        let mut drafts = Vec::with_capacity(board.len());
        let mut slices = Vec::with_capacity(board.len());
        for (at, slice) in board.iter().enumerate() {
            let warm = self.nearest(slice.years);
            let fitted = self.calibration.fit(slice.points, warm.as_ref());
            if let Ok(fit) = &fitted {
                let weighed = slice.points.iter().zip(self.calibration.weights());
                let points = weighed.filter(|&(_, &weight)| weight > 0.0);
                let points = points.map(|(&point, &weight)| Point { weight, ..point }).collect();
                drafts.push(Draft { at, free: fit.svi, points, outliers: fit.outliers });
            }
            slices.push(fitted.map(|fit| SliceFit { error: fit.error, free_error: fit.error, outliers: fit.outliers }));
        }
        self.warm.clear();
        self.warm.extend(drafts.iter().map(|draft| (board[draft.at].years, draft.free)));
        let smiles = if is_free(&drafts) { None } else { Some(self.repaired(&mut drafts)) };
        let mut surface = Vec::with_capacity(drafts.len());
        for (order, draft) in drafts.iter().enumerate() {
            let BoardSlice { years, forward, discount, .. } = board[draft.at];
            let svi = smiles.as_ref().map_or(draft.free, |smiles| smiles[order]);
            surface.push(Slice { years, forward, discount, svi });
            let (error, free_error) = (misfit(&draft.points, &svi), misfit(&draft.points, &draft.free));
            slices[draft.at] = Ok(SliceFit { error, free_error, outliers: draft.outliers });
        }
        Ok(SurfaceFit { surface: Surface::new(surface)?, slices, repaired: smiles.is_some() })
    }

    /// Smiles of the drafts without arbitrage.
    fn repaired(&mut self, drafts: &mut [Draft]) -> Vec<Svi> {
        let mut bounds = bounds_of(drafts);
        let mut any = false;
        for (draft, bound) in drafts.iter_mut().zip(&bounds) {
            // A free smile may bend to one bad quote at the end of a slice; what it then has is no smile to repair.
            if draft.drop_outliers(bound)
                && let Ok(fit) = self.calibration.fit(&draft.points, Some(bound))
            {
                draft.free = fit.svi;
                any = true;
            }
        }
        if any {
            bounds = bounds_of(drafts);
        }
        let mut smiles: Vec<Svi> = Vec::with_capacity(drafts.len());
        for (order, draft) in drafts.iter().enumerate() {
            let between = Between { near: smiles.last(), far: bounds.get(order + 1) };
            let smile = polish(&draft.points, &draft.free, &bounds[order], &between);
            smiles.push(smile);
        }
        smiles
    }

    /// The last smile of about that expiry.
    fn nearest(&self, years: f64) -> Option<Svi> {
        let apart = |&(other, _): &(f64, Svi)| (other / years).ln().abs();
        let nearest = self.warm.iter().min_by(|one, other| apart(one).total_cmp(&apart(other)))?;
        (apart(nearest) < 0.05).then_some(nearest.1)
    }
}

fn misfit(points: &[Point], svi: &Svi) -> f64 {
    let sum: f64 = points.iter().map(|point| point.weight * (svi.total(point.k) - point.w).powi(2)).sum();
    (sum / points.len() as f64).sqrt()
}

/// Whether the slices have no arbitrage as they were fitted.
fn is_free(drafts: &[Draft]) -> bool {
    drafts.iter().all(|draft| butterfly_lowest(&draft.free).value >= 0.0)
        && drafts.windows(2).all(|pair| calendar_lowest(&pair[0].free, &pair[1].free).value >= 0.0)
}

/// Residuals from a smile without arbitrage beyond so many times their usual size are bad quotes.
const FAR: f64 = 4.0;

/// The eSSVI surface of the drafts, as raw SVI.
fn bounds_of(drafts: &[Draft]) -> Vec<Svi> {
    let slices = essvi::fit_all(drafts.iter().map(|draft| draft.points.as_slice()));
    slices.iter().map(SsviSlice::raw).collect()
}

impl Draft {
    /// Drops the points that are farther from a smile without arbitrage than [`FAR`] times what is usual, if they are few and
    /// enough remain; says whether it did.
    fn drop_outliers(&mut self, smile: &Svi) -> bool {
        let residual = |point: &Point| (smile.total(point.k) - point.w) * point.weight.sqrt();
        let residuals: Vec<f64> = self.points.iter().map(residual).collect();
        let mut sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let usual = (1.4826 * sizes[sizes.len() / 2]).max(0.5);
        let is_far = |i: usize| residuals[i].abs() > FAR * usual && stands_alone(&residuals, i);
        let far = (0..residuals.len()).filter(|&i| is_far(i)).count();
        if far == 0 || far > self.points.len() / 3 || self.points.len() - far < 5 {
            return false;
        }
        let mut i = 0;
        self.points.retain(|_| {
            i += 1;
            !is_far(i - 1)
        });
        self.outliers += far;
        true
    }
}
