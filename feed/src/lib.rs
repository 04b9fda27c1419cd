//! The edge of the engine: where market data comes from, and who answers the orders.
#![deny(missing_docs)]

pub mod sim;
