//! From the configuration to what the stages are built of.

use crate::order::{ContractLimits, OrderSettings, ProductLimits};
use crate::signal::StrategySpec;
use crate::signal::strategies::{EmaCross, EmaCrossParams, Quoter, QuoterParams};
use shrike_config::{Config, OrderPolicy, StrategyParams, tables::Tables};
use shrike_core::units::{Lots, Nanos};

/// The settings of the order stage.
pub fn order_settings(config: &Config, tables: &Tables) -> OrderSettings {
    let (risk, orders) = (&config.risk, &config.orders);
    let ns = |ms: u64| ms.saturating_mul(Nanos::PER_MILLI);
    let limits = |product: &str| {
        let limits = risk.limits(product);
        ContractLimits {
            order_lots_max: Lots::new(limits.max_order_lots),
            net_lots_max: Lots::new(limits.max_net_lots),
            gross_lots_max: Lots::new(limits.max_gross_lots),
            orders_per_day: limits.orders_per_day,
            cancels_per_day: limits.cancels_per_day,
            cancel_reserve: limits.cancel_reserve,
        }
    };
    let products = std::iter::once("").chain(risk.product.keys().map(String::as_str));
    OrderSettings {
        contracts: products.map(|product| ProductLimits { product: product.into(), limits: limits(product) }).collect(),
        phases: *tables.order_rules(),
        requests_per_window: risk.orders_per_second,
        live_orders_max: risk.max_live_orders,
        rate_window_ns: ns(u64::from(risk.rate_window_ms)),
        price_collar_ticks: i64::from(risk.price_collar_ticks),
        quote_age_ns: ns(risk.quote_age_ms),
        margin_ratio_max: risk.margin_ratio_max.raw(),
        reject_wait_ns: ns(orders.reject_wait_ms),
        retries_max: orders.retries_max,
        ack_timeout_ns: ns(orders.ack_timeout_ms),
        query_timeout_ns: ns(orders.query_timeout_ms),
        lost_grace_ns: ns(orders.lost_grace_ms),
        reprice_ns: ns(orders.reprice_ms),
        cancel_on_stop: orders.on_stop == OrderPolicy::Cancel,
        cancel_on_start: orders.on_crash == OrderPolicy::Cancel,
        cancel_on_reconnect: orders.on_reconnect == OrderPolicy::Cancel,
        live_per_side_max: 4,
    }
}

/// The strategies. To add a kind: its parameters in the configuration, its file in `signal/strategies`, its line here.
pub fn strategies(config: &Config) -> Vec<StrategySpec> {
    let spec = |(name, strategy): (&str, &shrike_config::Strategy)| StrategySpec {
        id: strategy.id,
        name: name.into(),
        symbols: strategy.instruments.clone(),
        strategy: match &strategy.params {
            StrategyParams::EmaCross(params) => Box::new(EmaCross::new(EmaCrossParams {
                fast: params.fast,
                slow: params.slow,
                bar_ms: params.bar_ms,
                lots: Lots::new(params.lots),
                urgency: params.urgency,
            })),
            StrategyParams::Quoter(params) => Box::new(Quoter::new(
                strategy.id,
                QuoterParams {
                    lots: Lots::new(params.lots),
                    edge_ticks: params.edge_ticks,
                    skew_ticks: params.skew_ticks,
                    max_position_lots: Lots::new(params.max_position_lots),
                    min_spread_ticks: params.min_spread_ticks,
                },
            )),
        },
    };
    let mut specs: Vec<StrategySpec> = config.strategies().map(spec).collect();
    specs.sort_by_key(|spec| spec.id);
    specs
}
