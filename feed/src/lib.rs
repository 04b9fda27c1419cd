//! The edge: sources of market events and the other party of an account. Each source implements
//! [`shrike_core::venue::MarketFeed`], each account [`shrike_core::venue::Gateway`].
#![deny(missing_docs)]

pub mod ctp;
pub mod recording;
pub mod sim;
