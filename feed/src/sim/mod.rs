//! Simulation: markets that are generated, an exchange that trades against them, that exchange as a process of its own,
//! and the front of its counter, to which programs connect as to CTP's.

pub mod exchange;
pub mod front;
pub mod market;
pub mod remote;
