//! The signal stage: market data becomes books, strategies fold them and state what they want held or quoted.

mod bars;
mod indicators;
mod market;
mod stage;
pub mod strategies;
mod strategy;

pub use bars::BarBuilder;
pub use indicators::{Atr, Deviation, Ema, Sma};
pub use market::Market;
pub use stage::{SignalStage, StrategySpec, glob_matches};
pub use strategy::{Intent, Intents, SavedStateError, Strategy};
