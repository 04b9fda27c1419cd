//! The edge: sources of market events and the other party of an account. Each source implements
//! [`shrike_core::venue::MarketFeed`], each account [`shrike_core::venue::Gateway`].

pub mod recording;
