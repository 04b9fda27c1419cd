//! Simulation: markets that are generated, and an exchange that trades against them.

pub mod exchange;
pub mod market;
