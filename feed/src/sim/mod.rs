//! Simulation: markets that are generated, an exchange that trades against them, and that exchange as a process of its
//! own.

pub mod exchange;
pub mod market;
pub mod remote;
