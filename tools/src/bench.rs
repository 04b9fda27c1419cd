//! What the benches need of this crate: a home with journals to read.

use crate::compose::{self, Counter};
use shrike_config::Loaded;
use shrike_config::tables::Tables;
use shrike_core::clock::SimTime;
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, Run};
use shrike_engine::setup;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs a configuration of simulated time to the end of its market, quietly.
///
/// # Errors
/// What went wrong, in words.
pub fn backtest(loaded: &Loaded, tables: &Tables) -> Result<(), String> {
    let config = &loaded.config;
    let mut feed = compose::market(config, tables).map_err(|error| error.to_string())?;
    let mut gateway = Counter::new(config, tables);
    let options = setup::engine_options(loaded, true, "bench");
    let engine = Engine::open(&config.run.home, || setup::stages(config, tables), options);
    let engine = engine.map_err(|error| error.to_string())?;
    let start = match (feed.next(), gateway.next()) {
        (Next::At(tick), Next::At(report)) => tick.min(report),
        (Next::At(at), _) | (_, Next::At(at)) => at,
        _ => return Err(String::from("the market is empty")),
    };
    let ran = engine.run(Run {
        feed: &mut feed,
        gateway: &mut gateway,
        pace: Pace::Max(Arc::new(SimTime::new(start))),
        told: &AtomicBool::new(false),
        commands: None,
        catchup_before: Nanos::ABSENT,
        days: config.run.days,
        progress: &mut |_, _| {},
        say: &mut |_| {},
        config_text: &loaded.text,
    });
    ran.map(|_| ()).map_err(|error| error.to_string())
}
