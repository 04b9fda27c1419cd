//! The engine: the signal stage, the order stage, and the runtime that joins them with rings, journals and the edge.
//!
//! - [`stage`]: what a stage is, and the loop that journals, folds and decides.
//! - [`signal`]: books, bars, indicators, strategies; states intents.
//! - [`order`]: ledger, limits, execution; sends requests.
//! - [`runtime`]: threads, rings, start, stop. The only impure part.
//! - [`setup`]: from the configuration to stages.
//! - [`replay`]: rebuilds and verifies from journals.
//! - [`witness`]: which event a stage was at when it panicked.
#![deny(missing_docs)]

pub mod order;
pub mod replay;
pub mod runtime;
pub mod saved;
pub mod setup;
pub mod signal;
pub mod stage;
pub mod witness;

#[cfg(test)]
mod tape;
