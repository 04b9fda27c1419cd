//! Configuration: TOML layers, the environment and the command line go in, one checked [`Config`] comes out, with the
//! text that is journaled. Read once at start by the thread that starts the others; what the hot path needs of it is
//! taken by value.

mod change;
mod check;
mod config;
mod error;
mod layers;
mod nearest;
mod profiles;
mod read;
mod secret;
mod sections;
pub mod tables;
mod tree;
mod values;

pub use change::{Change, diff};
pub use config::Config;
pub use error::ConfigError;
pub use layers::{Loaded, Source};
pub use secret::{Secret, Secrets};
pub use sections::ctp::Ctp;
pub use sections::exchange::{Charge, Exchange, QueueModel};
pub use sections::host::{Journal, Rings, Threads, Wait};
pub use sections::login::Login;
pub use sections::market::{Generator, Market, MarketKind, Record};
pub use sections::orders::{OrderPolicy, Orders};
pub use sections::reconcile::{DifferencePolicy, Reconcile};
pub use sections::risk::{Limits, Risk};
pub use sections::run::{Run, Speed, Topology};
pub use sections::strategy::{EmaCross, Quoter, Strategy, StrategyParams};
pub use tree::Origin;
pub use values::Ratio;

#[cfg(test)]
mod tests;
