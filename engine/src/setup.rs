//! From the configuration to what the stages are built of.

use crate::order::{
    ContractLimits, OnDifference, OrderCapacity, OrderSettings, OrderStage, ProductLimits, ReconcileSettings,
};
use crate::runtime::{EngineOptions, PipelinePlan, RingSizes, Topology};
use crate::signal::strategies::{EmaCross, EmaCrossParams, Quoter, QuoterParams};
use crate::signal::{SignalStage, StrategySpec};
use shrike_config::tables::Tables;
use shrike_config::{Config, DifferencePolicy, Loaded, OrderPolicy, StrategyParams, Wait};
use shrike_core::codes::StageId;
use shrike_core::thread::{ThreadPlan, Waiting, free_cores};
use shrike_core::units::{Lots, Nanos};
use shrike_journal::{Syncing, WriterOptions};

/// Room for contracts: an options board with its underlyings.
pub const INSTRUMENTS_MAX: usize = 4_096;
/// Room for orders of a trading day.
pub const ORDERS_MAX: usize = 1 << 16;

/// The settings of the order stage.
pub fn order_settings(config: &Config, tables: &Tables) -> OrderSettings {
    let (risk, orders) = (&config.risk, &config.orders);
    let ns = |ms: u64| ms.saturating_mul(Nanos::PER_MILLI);
    let in_window = |per_second: u32| {
        let count = u64::from(per_second) * u64::from(risk.rate_window_ms) / 1_000;
        u32::try_from(count.max(1)).unwrap_or(u32::MAX)
    };
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
        phases: tables.rules,
        orders_per_window: in_window(risk.orders_per_second),
        cancels_per_window: in_window(risk.cancels_per_second),
        duplicate_ns: ns(risk.duplicate_ms),
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
        reconcile: reconcile_settings(&config.reconcile),
        live_per_side_max: 4,
    }
}

fn reconcile_settings(reconcile: &shrike_config::Reconcile) -> ReconcileSettings {
    let of = |policy| match policy {
        DifferencePolicy::Warn => OnDifference::Warn,
        DifferencePolicy::BlockOpening => OnDifference::BlockOpening,
        DifferencePolicy::Halt => OnDifference::Halt,
    };
    ReconcileSettings {
        interval_ns: reconcile.interval_s.saturating_mul(Nanos::PER_SECOND),
        positions: of(reconcile.positions),
        orders: of(reconcile.orders),
        funds: of(reconcile.funds),
        funds_tolerance: i64::try_from(reconcile.funds_tolerance.raw()).unwrap_or(i64::MAX),
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

/// Fresh stages under a configuration, as a run builds them and as a replay does.
pub fn stages(config: &Config, tables: &Tables) -> (SignalStage, OrderStage) {
    let strategies = strategies(config);
    // Rows exist for every strategy that is configured: one that is switched off may still hold lots.
    let highest = config.strategy.values().map(|strategy| strategy.id as usize).max().unwrap_or(0);
    let capacity = OrderCapacity { instruments: INSTRUMENTS_MAX, strategies: highest, orders: ORDERS_MAX };
    let order = OrderStage::new(order_settings(config, tables), capacity);
    (SignalStage::new(INSTRUMENTS_MAX, strategies), order)
}

/// How a journal is written under a configuration. `simulated`: time is the recordings' and the files are a function of
/// `run_id` and the inputs.
pub fn journal_options(config: &Config, stage: StageId, simulated: bool, run_id: u64) -> WriterOptions {
    let options = if simulated { WriterOptions::simulated(stage, run_id) } else { WriterOptions::new(stage) };
    let mut options = options.with_segment_bytes(config.journal.segment_mib.saturating_mul(1 << 20));
    let live_dir = &config.journal.live_dir;
    options.live_dir = (!live_dir.as_os_str().is_empty()).then(|| live_dir.clone());
    if !simulated {
        options.syncing = Syncing::EveryMs(u64::from(config.journal.sync_every_ms));
    }
    options.run_id = run_id;
    options
}

/// The number that names a run: the seed in simulated time, else the time of the wall.
pub fn run_id(config: &Config, simulated: bool) -> u64 {
    if simulated { config.run.seed } else { wall_ns() }
}

/// How the engine runs under a configuration. `simulated`: time is the recordings' and files are a function of the seed.
pub fn engine_options(loaded: &Loaded, simulated: bool, build: &str) -> EngineOptions {
    let config = &loaded.config;
    let run_id = run_id(config, simulated);
    let journal = |stage| journal_options(config, stage, simulated, run_id);
    EngineOptions {
        topology: match config.run.topology {
            shrike_config::Topology::Inline => Topology::Inline,
            shrike_config::Topology::Pipeline => Topology::Pipeline(pipeline_plan(config)),
        },
        orders_sync: config.journal.orders_sync && !simulated,
        edge: thread_plan(config, "edge", config.threads.feed),
        lock_memory: config.threads.lock_memory,
        journals: [journal(StageId::Signal), journal(StageId::Order)],
        build: build.into(),
        config_hash: loaded.hash,
        run_id,
    }
}

fn pipeline_plan(config: &Config) -> PipelinePlan {
    let (threads, rings) = (&config.threads, &config.rings);
    PipelinePlan {
        signal: thread_plan(config, "signal", threads.signal),
        order: thread_plan(config, "order", threads.order),
        waiting: match threads.wait {
            Wait::Spin => Waiting::BusySpin,
            Wait::Backoff => Waiting::BACK_OFF,
            Wait::Auto => Waiting::choose(3, free_cores()),
        },
        rings: RingSizes {
            market: rings.market as usize,
            intents: rings.intents as usize,
            requests: rings.requests as usize,
            reports: rings.reports as usize,
            feedback: rings.feedback as usize,
            overflow: rings.overflow as usize,
        },
    }
}

/// A thread of this name on this core, with the configured priority.
pub fn thread_plan(config: &Config, name: &str, core: Option<usize>) -> ThreadPlan {
    let priority = config.threads.fifo_priority;
    ThreadPlan { name: name.into(), core, fifo_priority: (priority > 0).then_some(priority) }
}

#[allow(clippy::disallowed_types, reason = "a live run is named by the time of the wall")]
fn wall_ns() -> u64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}
