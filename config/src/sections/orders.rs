//! `[orders]`: the life of an order: how long each answer may take, and what becomes of working orders.

use crate::values::within;
use serde::{Deserialize, Serialize};

/// Times and policies of the order stage.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Milliseconds after which a request without an answer is asked about.
    #[serde(deserialize_with = "within::<1, 3_600_000, _, _>")]
    pub ack_timeout_ms: u64,
    /// Milliseconds after which a query without an answer makes the order lost.
    #[serde(deserialize_with = "within::<1, 3_600_000, _, _>")]
    pub query_timeout_ms: u64,
    /// Milliseconds on a new session before an order that is absent from two complete queries never arrived.
    #[serde(deserialize_with = "within::<0, 3_600_000, _, _>")]
    pub lost_grace_ms: u64,
    /// Milliseconds that a resting order stands before a target re-prices it.
    #[serde(deserialize_with = "within::<1, 3_600_000, _, _>")]
    pub reprice_ms: u64,
    /// Rejects in a row before a target is given up: it is refused, until it is stated anew.
    #[serde(deserialize_with = "within::<0, 1_000_000, _, _>")]
    pub retries_max: u32,
    /// Milliseconds to wait after a reject that time can mend (auction, break, funds in motion).
    #[serde(deserialize_with = "within::<0, 3_600_000, _, _>")]
    pub reject_wait_ms: u64,
    /// Working orders at an orderly stop.
    pub on_stop: OrderPolicy,
    /// Working orders found after a crash.
    pub on_crash: OrderPolicy,
    /// Working orders found after a lost connection.
    pub on_reconnect: OrderPolicy,
}

/// What becomes of working orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderPolicy {
    /// Cancel ours and wait for the answers.
    Cancel,
    /// Leave them to work.
    Keep,
}
