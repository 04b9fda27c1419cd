//! The limits of the pre-trade gate and the timings of the order stage, resolved from the configuration once per
//! instrument, so that a check is a comparison.

use super::reconcile::ReconcileSettings;
use shrike_core::calendar::OrderRules as PhaseRules;
use shrike_core::event::InstrumentDef;
use shrike_core::units::Lots;

/// Limits of one contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContractLimits {
    /// Most lots in one order.
    pub order_lots_max: Lots,
    /// Most net lots, long or short, if every live order of a side filled.
    pub net_lots_max: Lots,
    /// Most long and short lots together, if every live opening order filled.
    pub gross_lots_max: Lots,
    /// Orders a trading day may send.
    pub orders_per_day: u32,
    /// Cancels a trading day may send, by the exchange's line.
    pub cancels_per_day: u32,
    /// Cancels kept back: quoting stops when no more than these and one per live order are left.
    pub cancel_reserve: u32,
}

/// Limits of one product, or of all that no product names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductLimits {
    /// The product (`ru`); empty: every other.
    pub product: String,
    /// Its limits.
    pub limits: ContractLimits,
}

/// Everything the order stage is told by the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderSettings {
    /// By product; the entry with an empty product is the default.
    pub contracts: Vec<ProductLimits>,
    /// What each phase takes, by exchange.
    pub phases: PhaseRules,
    /// Most orders in any rate window.
    pub orders_per_window: u32,
    /// Most cancels in any rate window that only move a quote or follow the market. Those that pull always pass.
    pub cancels_per_window: u32,
    /// After any rejection, how long the same intent is not sent again.
    pub duplicate_ns: u64,
    /// Most live orders.
    pub live_orders_max: u32,
    /// Length of the rate window.
    pub rate_window_ns: u64,
    /// Furthest a limit price may lie through the other side's best price, in ticks.
    pub price_collar_ticks: i64,
    /// Oldest quote on which to open.
    pub quote_age_ns: u64,
    /// Most margin in use, as a ratio of equity in units of 1e-8.
    pub margin_ratio_max: i64,
    /// After a first rejection that says wait, how long to wait.
    pub reject_wait_ns: u64,
    /// Rejections in a row after which an intent is given up.
    pub retries_max: u32,
    /// When a request without an answer is asked about.
    pub ack_timeout_ns: u64,
    /// When a question without an answer makes the order lost.
    pub query_timeout_ns: u64,
    /// How long a lost order must stay absent before it never arrived.
    pub lost_grace_ns: u64,
    /// Least age of a passive order before it follows the market.
    pub reprice_ns: u64,
    /// Whether our working orders are cancelled when the engine stops.
    pub cancel_on_stop: bool,
    /// Whether our working orders are cancelled at a start.
    pub cancel_on_start: bool,
    /// Whether our working orders are cancelled after a reconnect.
    pub cancel_on_reconnect: bool,
    /// Comparing the venue's books with ours.
    pub reconcile: ReconcileSettings,
    /// Most live orders of one strategy on one side of a contract.
    pub live_per_side_max: u32,
}

impl OrderSettings {
    /// The limits of a contract: its product's, else the default's, else none that allow anything.
    pub fn limits_of(&self, def: &InstrumentDef) -> ContractLimits {
        let named = |name: &str| self.contracts.iter().find(|entry| entry.product == name);
        named(def.product.as_str()).or_else(|| named("")).map_or(ContractLimits::CLOSED, |entry| entry.limits)
    }
}

impl ContractLimits {
    /// Nothing may be opened.
    pub const CLOSED: Self = Self {
        order_lots_max: Lots::ZERO,
        net_lots_max: Lots::ZERO,
        gross_lots_max: Lots::ZERO,
        orders_per_day: 0,
        cancels_per_day: 0,
        cancel_reserve: 0,
    };
}
