//! The sections of a configuration, one file each. What a key means for people stands in `profiles/base.toml`, beside
//! its default; here stand its type and its range.

pub(crate) mod ctp;
pub(crate) mod exchange;
pub(crate) mod host;
pub(crate) mod login;
pub(crate) mod market;
pub(crate) mod orders;
pub(crate) mod reconcile;
pub(crate) mod risk;
pub(crate) mod run;
pub(crate) mod strategy;
