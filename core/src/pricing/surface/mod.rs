//! Surfaces: the smiles of one underlying's expiries, in order of time, without arbitrage among them. The slow path fits
//! and publishes one; whoever prices asks it by strike and expiry. Between expiries total variance is straight in time at
//! equal log-moneyness, which keeps calendar order (Gatheral and Jacquier 2014, lemma 2.1 and section 5).

pub mod essvi;
mod fit;
mod grid;
mod ssvi;
mod sticky;

#[cfg(test)]
mod tests;

pub use fit::{BoardSlice, SurfaceFit, SurfaceFitter};
pub use grid::{Grid, GridError};
pub use ssvi::{Ssvi, SsviSlice};
pub use sticky::{Sticky, smile_delta};

use super::smile::{Smile, Svi, Variance};

/// One expiry of a surface.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slice {
    /// Years to expiry by the variance clock; positive.
    pub years: f64,
    /// Forward of the expiry.
    pub forward: f64,
    /// Price today of one unit of money at expiry.
    pub discount: f64,
    /// Its smile.
    pub svi: Svi,
}

/// The smiles of one underlying by expiry.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Surface {
    slices: Vec<Slice>,
}

/// Slices are not in order of time, or hold a number that is not finite.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("slice number {index}: years, forward and discount must be positive, the smile valid, and expiries ascend")]
pub struct SurfaceError {
    /// Position, from zero.
    pub index: usize,
}

impl Surface {
    /// A surface of slices in order of time.
    pub fn new(slices: Vec<Slice>) -> Result<Self, SurfaceError> {
        let mut before = 0.0;
        for (index, slice) in slices.iter().enumerate() {
            let fine = slice.years > before && slice.forward > 0.0 && slice.discount > 0.0 && slice.svi.is_valid();
            if !(fine && slice.years.is_finite() && slice.forward.is_finite() && slice.discount.is_finite()) {
                return Err(SurfaceError { index });
            }
            before = slice.years;
        }
        Ok(Self { slices })
    }

    /// The slices, in order of time.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// The smile of any expiry; `None` when the surface is empty. Before the first expiry total variance falls in
    /// proportion to time, after the last it grows so.
    pub fn smile(&self, years: f64) -> Option<Cut<'_>> {
        let above = self.slices.partition_point(|slice| slice.years < years);
        let near = above.checked_sub(1).and_then(|index| self.slices.get(index));
        let (near, far, part) = match (near, self.slices.get(above)) {
            (Some(near), Some(far)) => (Some(near), far, (years - near.years) / (far.years - near.years)),
            (None, Some(only)) => (None, only, years / only.years),
            (Some(only), None) => (None, only, years / only.years),
            (None, None) => return None,
        };
        Some(Cut { near, far, part })
    }

    /// Volatility at a log-moneyness and expiry; `None` when the surface is empty.
    pub fn vol(&self, k: f64, years: f64) -> Option<f64> {
        Some(self.smile(years)?.vol(k, years))
    }

    /// Volatility at a strike and expiry, the forward being that of the surface there; `None` when it is empty.
    pub fn vol_at_strike(&self, strike: f64, years: f64) -> Option<f64> {
        self.vol((strike / self.forward(years)?).ln(), years)
    }

    /// The forward at an expiry: between slices straight in its logarithm, beyond them as at the nearest.
    pub fn forward(&self, years: f64) -> Option<f64> {
        let Cut { near, far, part } = self.smile(years)?;
        Some(match near {
            Some(near) => near.forward * (far.forward / near.forward).powf(part),
            None => far.forward,
        })
    }

    /// Volatility at one log-moneyness for each expiry: `(years, vol)`.
    pub fn term(&self, k: f64) -> impl Iterator<Item = (f64, f64)> {
        self.slices.iter().map(move |slice| (slice.years, slice.svi.vol(k, slice.years)))
    }

    /// Volatility between one expiry and the next at a log-moneyness: `(years of the later one, vol)`. The first counts
    /// from now.
    pub fn forward_term(&self, k: f64) -> impl Iterator<Item = (f64, f64)> {
        let mut before = (0.0, 0.0);
        self.slices.iter().map(move |slice| {
            let (years, w) = std::mem::replace(&mut before, (slice.years, slice.svi.total(k)));
            (slice.years, ((before.1 - w) / (slice.years - years)).sqrt())
        })
    }
}

/// A smile of a surface at one expiry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cut<'a> {
    near: Option<&'a Slice>,
    far: &'a Slice,
    part: f64,
}

impl Smile for Cut<'_> {
    fn variance(&self, k: f64) -> Variance {
        let far = self.far.svi.variance(k);
        let part = self.part;
        match self.near {
            Some(near) => {
                let near = near.svi.variance(k);
                let between = |near: f64, far: f64| near + part * (far - near);
                Variance { w: between(near.w, far.w), dw: between(near.dw, far.dw), d2w: between(near.d2w, far.d2w) }
            }
            None => Variance { w: part * far.w, dw: part * far.dw, d2w: part * far.d2w },
        }
    }
}
