//! The simulator: the engine's real stages, journals, start and edge against a simulated venue, on one thread under
//! simulated time, driven by one seed, under every fault. The README says what the world does and what it does not.
//!
//! - [`simulate`]: one run of a [`Plan`]; what it gives is a function of the plan
//! - [`fault`]: the faults and their dice; [`coverage`]: what they met
//! - [`world`], [`counter`], [`wire`], [`market`]: the world around the engine; [`disk`]: its home
//! - [`judge`]: what must always hold
#![deny(missing_docs)]

pub mod campaign;
pub mod counter;
pub mod coverage;
pub mod disk;
pub mod fault;
pub mod judge;
pub mod market;
pub mod rng;
mod run;
pub mod settings;
mod shrink;
pub mod strategy;
pub mod wire;
pub mod world;

#[cfg(feature = "seeded-bugs")]
pub mod bugs;

mod books;
mod life;
mod trace;

pub use run::{Outcome, Plan, simulate};
pub use shrink::shrink;
