//! The formula against the venue's word. Portfolio margining (SPBM, RULE, SPAN) and brokers' additions make the venue's
//! figure another one; it counts, and a difference is shown.

use crate::units::{Money, SCALE};

/// A margin to count with, and what is known of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reconciled {
    /// What counts: the venue's figure, else the formula's; absent when there is neither.
    pub margin: Money,
    /// The venue's less the formula's; absent when either is.
    pub difference: Money,
    /// Whether both are there and differ by no more than the tolerance.
    pub agrees: bool,
}

/// Puts a formula's margin beside the venue's. `tolerance` is a part of the venue's figure, in units of 1e-8.
pub fn reconcile(formula: Money, venue: Money, tolerance: i64) -> Reconciled {
    let difference = venue.minus(formula);
    let margin = if venue.is_present() { venue } else { formula };
    let agrees = difference.is_present() && {
        let most = venue.raw().unsigned_abs() / u128::from(SCALE.unsigned_abs()) * u128::from(tolerance.unsigned_abs())
            + venue.raw().unsigned_abs() % u128::from(SCALE.unsigned_abs()) * u128::from(tolerance.unsigned_abs())
                / u128::from(SCALE.unsigned_abs());
        difference.raw().unsigned_abs() <= most
    };
    Reconciled { margin, difference, agrees }
}
