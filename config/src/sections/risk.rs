//! `[risk]`: the limits of the pre-trade gate, and what single products change of them.

use crate::values::{Ratio, ratio, some_within, within};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The limits of the pre-trade gate.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Order requests a second: any window of `rate_window_ms` takes `orders_per_second x rate_window_ms / 1000` of
    /// them, at least one.
    #[serde(deserialize_with = "within::<1, 100_000, _, _>")]
    pub orders_per_second: u32,
    /// Cancel requests likewise.
    #[serde(deserialize_with = "within::<1, 100_000, _, _>")]
    pub cancels_per_second: u32,
    /// Length of the sliding window of both rates, in milliseconds.
    #[serde(deserialize_with = "within::<1, 60_000, _, _>")]
    pub rate_window_ms: u32,
    /// Orders a contract and trading day.
    #[serde(deserialize_with = "within::<0, 100_000_000, _, _>")]
    pub orders_per_day: u32,
    /// Cancels a contract and trading day.
    #[serde(deserialize_with = "within::<0, 100_000_000, _, _>")]
    pub cancels_per_day: u32,
    /// Of `cancels_per_day`, kept back: quoting stops here, cancels still pass.
    #[serde(deserialize_with = "within::<0, 100_000_000, _, _>")]
    pub cancel_reserve: u32,
    /// Lots in one order.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub max_order_lots: i64,
    /// Long less short lots of a contract, either way, if every live order of one side filled.
    #[serde(deserialize_with = "within::<0, 100_000_000, _, _>")]
    pub max_net_lots: i64,
    /// Long and short lots of a contract together, if every live opening order filled.
    #[serde(deserialize_with = "within::<0, 100_000_000, _, _>")]
    pub max_gross_lots: i64,
    /// Orders alive at one time, all contracts together.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub max_live_orders: u32,
    /// Ticks that an order's price may lie beyond the other side's best.
    #[serde(deserialize_with = "within::<0, 1_000_000, _, _>")]
    pub price_collar_ticks: u32,
    /// Age in milliseconds at which a quote no longer allows opening.
    #[serde(deserialize_with = "within::<1, 86_400_000, _, _>")]
    pub quote_age_ms: u64,
    /// Most margin in use, as a ratio of equity.
    #[serde(deserialize_with = "ratio::<0, 1, _>")]
    pub margin_ratio_max: Ratio,
    /// Milliseconds in which an intent that the venue just refused is not sent again.
    #[serde(deserialize_with = "within::<0, 3_600_000, _, _>")]
    pub duplicate_ms: u64,
    /// What single products change, by product name (`[risk.product.IF]`).
    pub product: BTreeMap<String, ProductLimits>,
}

/// What a product changes of [`Risk`]; what it leaves out stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProductLimits {
    /// As [`Risk::orders_per_day`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_within::<0, 100_000_000, _, _>"
    )]
    pub orders_per_day: Option<u32>,
    /// As [`Risk::cancels_per_day`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_within::<0, 100_000_000, _, _>"
    )]
    pub cancels_per_day: Option<u32>,
    /// As [`Risk::cancel_reserve`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_within::<0, 100_000_000, _, _>"
    )]
    pub cancel_reserve: Option<u32>,
    /// As [`Risk::max_order_lots`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_within::<1, 1_000_000, _, _>")]
    pub max_order_lots: Option<i64>,
    /// As [`Risk::max_net_lots`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_within::<0, 100_000_000, _, _>"
    )]
    pub max_net_lots: Option<i64>,
    /// As [`Risk::max_gross_lots`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_within::<0, 100_000_000, _, _>"
    )]
    pub max_gross_lots: Option<i64>,
}

/// The limits of one contract, its product's changes applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Orders a trading day.
    pub orders_per_day: u32,
    /// Cancels a trading day.
    pub cancels_per_day: u32,
    /// Cancels kept back from quoting.
    pub cancel_reserve: u32,
    /// Lots in one order.
    pub max_order_lots: i64,
    /// Long less short lots, either way.
    pub max_net_lots: i64,
    /// Long and short lots together.
    pub max_gross_lots: i64,
}

impl Risk {
    /// The limits of a product's contracts. The name is that of the instrument tables, letter case included.
    pub fn limits(&self, product: &str) -> Limits {
        let own = self.product.get(product).copied().unwrap_or_default();
        Limits {
            orders_per_day: own.orders_per_day.unwrap_or(self.orders_per_day),
            cancels_per_day: own.cancels_per_day.unwrap_or(self.cancels_per_day),
            cancel_reserve: own.cancel_reserve.unwrap_or(self.cancel_reserve),
            max_order_lots: own.max_order_lots.unwrap_or(self.max_order_lots),
            max_net_lots: own.max_net_lots.unwrap_or(self.max_net_lots),
            max_gross_lots: own.max_gross_lots.unwrap_or(self.max_gross_lots),
        }
    }
}
