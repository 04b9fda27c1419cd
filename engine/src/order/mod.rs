//! The order stage: intents become orders within limits, the venue's reports become positions and money.
//!
//! [`OrderStage`] folds facts into the ledger (`core::ledger`), the targets and the session; `execute` compares targets
//! with live orders; `gate` decides whether an order may be sent.
#![deny(clippy::float_arithmetic)]

mod errors;
mod execute;
mod gate;
mod notices;
mod operator;
mod rate;
mod reconcile;
mod saved;
mod session;
mod settings;
mod stage;
mod targets;
mod venue;

#[cfg(test)]
mod desk;
#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod reach_tests;
#[cfg(test)]
mod reconcile_tests;
#[cfg(test)]
mod saved_tests;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod words_tests;

pub use errors::{Remedy, remedy};
pub use gate::{Gate, Refused};
pub use operator::Mode;
pub use rate::RateWindow;
pub use reconcile::{OnDifference, Reconcile, ReconcileSettings, Suspect};
pub use session::Readiness;
pub use settings::{ContractLimits, OrderSettings, ProductLimits};
pub use stage::{OrderCapacity, OrderStage};
pub use targets::{Obstacle, Pair, Row, Targets, Wanted};
