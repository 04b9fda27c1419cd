//! Margin of short options by the exchanges' formulas, in exact integers: what an order will bind before it is sent, and
//! what is held against the venue's own answer. Every coefficient comes from the product tables; where the venue's query
//! has an answer, that is the truth ([`reconcile`]). Pure; cheap enough for the order stage's gate.

#![deny(clippy::float_arithmetic)]

mod combination;
mod reconcile;
mod rule;

#[cfg(test)]
mod tests;

pub use combination::{Combination, CombinationError};
pub use reconcile::{Reconciled, reconcile};
pub use rule::{MarginRule, Short};
