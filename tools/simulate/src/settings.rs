//! What differs from seed to seed beside chance: limits, timings, policies, who trades, how long a day is.

use crate::rng::Rng;
use crate::strategy::Fickle;
use shrike_core::calendar::{OrderRules, Rule};
use shrike_core::codes::{Exchange, OrderType, PhaseKind, TimeInForce};
use shrike_core::units::{Lots, Nanos};
use shrike_engine::order::{
    ContractLimits, OnDifference, OrderCapacity, OrderSettings, OrderStage, ProductLimits, ReconcileSettings,
};
use shrike_engine::signal::strategies::{Quoter, QuoterParams};
use shrike_engine::signal::{SignalStage, StrategySpec};

const MS: u64 = Nanos::PER_MILLI;
const WAYS: [OnDifference; 3] = [OnDifference::Warn, OnDifference::BlockOpening, OnDifference::Halt];

/// Room for contracts.
const INSTRUMENTS: usize = 8;
/// Greatest strategy number.
pub const STRATEGIES: u32 = 4;

/// The settings of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The order stage's.
    pub order: OrderSettings,
    /// Orders of a day that the books have room for.
    pub orders_max: usize,
    /// Whether a request waits for its record on the disk.
    pub orders_sync: bool,
    /// Seconds of continuous trading a day.
    pub day_s: u64,
    /// Milliseconds between snapshots of a contract.
    pub tick_ms: u64,
    seed: u64,
    quotes: bool,
    every: u64,
    lots_max: i64,
}

/// Which orders each phase takes, at every exchange.
pub fn rules() -> OrderRules {
    let exchanges = Exchange::ALL.to_vec();
    let limit = vec![(OrderType::Limit, TimeInForce::Day)];
    let all = TimeInForce::ALL.iter().flat_map(|&tif| [(OrderType::Limit, tif), (OrderType::Market, tif)]);
    OrderRules::new(&[
        Rule {
            exchanges: exchanges.clone(),
            phases: vec![PhaseKind::Continuous],
            orders: all.collect(),
            cancels: true,
        },
        Rule { exchanges, phases: vec![PhaseKind::AuctionOrders], orders: limit, cancels: true },
    ])
}

impl Settings {
    /// The settings of a seed.
    pub fn draw(seed: u64) -> Self {
        let rng = &mut Rng::stream(seed, 2);
        let net = rng.between(4, 14);
        let limits = ContractLimits {
            order_lots_max: Lots::new(rng.between(2, 6)),
            net_lots_max: Lots::new(net),
            gross_lots_max: Lots::new(net + rng.between(4, 20)),
            orders_per_day: if rng.once_in(8) { 60 } else { 4_000 },
            cancels_per_day: if rng.once_in(8) { 40 } else { 4_000 },
            cancel_reserve: 10,
        };
        let window = rng.pick(&[20, 60, 200]).unwrap_or(60);
        Self {
            order: OrderSettings {
                contracts: vec![ProductLimits { product: String::new(), limits }],
                phases: rules(),
                orders_per_window: window,
                cancels_per_window: window,
                duplicate_ns: 30 * MS,
                live_orders_max: rng.between(6, 30) as u32,
                rate_window_ns: 1_000 * MS,
                price_collar_ticks: 12,
                quote_age_ns: 2_000 * MS,
                margin_ratio_max: if rng.once_in(6) { 2_000_000 } else { 80_000_000 },
                reject_wait_ns: 300 * MS,
                retries_max: 3,
                ack_timeout_ns: rng.pick(&[100, 250, 600]).unwrap_or(250) * MS,
                query_timeout_ns: rng.pick(&[150, 400, 900]).unwrap_or(400) * MS,
                lost_grace_ns: rng.pick(&[200, 800]).unwrap_or(800) * MS,
                reprice_ns: rng.pick(&[50, 300]).unwrap_or(300) * MS,
                cancel_on_stop: true,
                cancel_on_start: rng.once_in(2),
                cancel_on_reconnect: rng.once_in(2),
                live_per_side_max: rng.between(1, 4) as u32,
                reconcile: ReconcileSettings {
                    interval_ns: rng.pick(&[0, 700, 3_000]).unwrap_or(0) * MS,
                    positions: rng.pick(&WAYS).unwrap_or_default(),
                    orders: rng.pick(&WAYS).unwrap_or_default(),
                    funds: if rng.once_in(4) { OnDifference::BlockOpening } else { OnDifference::Warn },
                    funds_tolerance: 0,
                },
            },
            orders_max: if rng.once_in(10) { 150 } else { 4_096 },
            orders_sync: rng.once_in(4),
            day_s: rng.pick(&[8, 16, 30]).unwrap_or(16),
            tick_ms: rng.pick(&[15, 40, 100]).unwrap_or(40),
            seed,
            quotes: rng.once_in(3),
            every: rng.pick(&[1, 2, 5, 12]).unwrap_or(5),
            lots_max: net + 3,
        }
    }

    /// Fresh stages.
    pub fn stages(&self) -> (SignalStage, OrderStage) {
        let spec = |id, name: &str, symbols: &[&str], strategy| StrategySpec {
            id,
            name: name.into(),
            symbols: symbols.iter().map(|symbol| (*symbol).into()).collect(),
            strategy,
        };
        let fickle = |id: u64, quotes, every| Box::new(Fickle::new(self.seed ^ id << 32, quotes, every, self.lots_max));
        let quoter = QuoterParams {
            lots: Lots::new(2),
            edge_ticks: 1,
            skew_ticks: 1,
            max_position_lots: Lots::new(5),
            min_spread_ticks: 1,
        };
        let specs = vec![
            spec(1, "fickle", &["*"], fickle(1, false, self.every)),
            spec(2, "rival", &["x*"], fickle(2, self.quotes, self.every * 3)),
            spec(3, "quoter", &["XB*", "xc*"], Box::new(Quoter::new(3, quoter))),
        ];
        let capacity =
            OrderCapacity { instruments: INSTRUMENTS, strategies: STRATEGIES as usize, orders: self.orders_max };
        (SignalStage::new(INSTRUMENTS, specs), OrderStage::new(self.order.clone(), capacity))
    }
}
