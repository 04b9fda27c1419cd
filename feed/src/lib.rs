//! The edge of the engine: where market data comes from, and who answers the orders. A source implements
//! [`shrike_core::venue::MarketFeed`], an account's other party [`shrike_core::venue::Gateway`].
#![deny(missing_docs)]

pub mod recording;
pub mod sim;
