//! `[reconcile]`: how often the venue's books are compared with ours, and what a difference does.

use crate::values::{money, within};
use serde::{Deserialize, Serialize};
use shrike_core::units::Money;

/// Comparing the venue's books with ours.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// Seconds from one complete answer to the next question; zero: after starts and logins only.
    #[serde(deserialize_with = "within::<0, 86_400, _, _>")]
    pub interval_s: u64,
    /// When lots held differ, today's or earlier ones, long or short.
    pub positions: DifferencePolicy,
    /// When the venue counts fills of an order that it never told.
    pub orders: DifferencePolicy,
    /// When money differs by more than `funds_tolerance`.
    pub funds: DifferencePolicy,
    /// In the account's currency.
    #[serde(with = "money")]
    pub funds_tolerance: Money,
}

/// What a difference does while it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferencePolicy {
    /// Raise the alarm.
    Warn,
    /// And open nothing.
    BlockOpening,
    /// And cancel our orders and send none.
    Halt,
}
