//! Values that must go together, checked once all layers are merged.

use crate::config::Config;
use crate::sections::market::MarketKind;
use crate::sections::run::Speed;
use crate::sections::strategy::{Strategy, StrategyParams};
use std::collections::BTreeMap;

/// The first conflict: the key to blame, and what to change.
pub(crate) fn conflict(config: &Config) -> Option<(String, String)> {
    market(config)
        .or_else(|| limits(config))
        .or_else(|| backoff(config))
        .or_else(|| cores(config))
        .or_else(|| ids(config))
        .or_else(|| config.strategies().find_map(|(name, entry)| strategy(name, entry)))
}

fn say(key: impl Into<String>, problem: impl Into<String>) -> Option<(String, String)> {
    Some((key.into(), problem.into()))
}

fn market(config: &Config) -> Option<(String, String)> {
    let empty = |path: &std::path::Path| path.as_os_str().is_empty();
    match config.market.kind {
        MarketKind::Recorded if empty(&config.market.data) => say(
            "market.kind",
            "\"recorded\" needs `market.data`, the directory or file of recordings; give it with --data PATH",
        ),
        MarketKind::Exchange if empty(&config.exchange.home) => {
            say("market.kind", "\"exchange\" needs `exchange.home`, the home of the `shrike exchange` process")
        }
        MarketKind::Journal if empty(&config.market.follow) => {
            say("market.kind", "\"journal\" needs `market.follow`, the home of the `shrike record` process")
        }
        MarketKind::Ctp if matches!(config.run.speed, Speed::Times(_)) => say(
            "run.speed",
            "a counter's time is real: \"real\", or \"max\" at a stand-in that plays its market in the events' own time \
             (`shrike exchange --speed max`)",
        ),
        MarketKind::Ctp if empty(&config.ctp.md_library) || empty(&config.ctp.trader_library) => say(
            "market.kind",
            "\"ctp\" needs `ctp.md_library` and `ctp.trader_library`, the files of the broker's libraries",
        ),
        MarketKind::Ctp if config.ctp.md_fronts.is_empty() || config.ctp.trader_fronts.is_empty() => say(
            "market.kind",
            "\"ctp\" needs `ctp.md_fronts` and `ctp.trader_fronts`, such as [\"tcp://192.0.2.1:41213\"]",
        ),
        MarketKind::Ctp if config.login.broker_id.is_empty() || config.login.user_id.is_empty() => {
            say("market.kind", "\"ctp\" needs `login.broker_id` and `login.user_id`")
        }
        MarketKind::Generated if config.generator.products.is_empty() && config.generator.boards.is_empty() => {
            say("generator.products", "a generated market needs one product at least, for example [\"rb\"]")
        }
        _ if config.exchange.account_id.is_empty() || config.exchange.account_id.len() > 12 => {
            say("exchange.account_id", "an account has a name of 1 to 12 bytes")
        }
        _ => None,
    }
}

fn limits(config: &Config) -> Option<(String, String)> {
    let risk = &config.risk;
    let reserve = |key: String, product: &str| {
        let limits = risk.limits(product);
        (limits.cancel_reserve > limits.cancels_per_day).then(|| {
            let (reserve, day) = (limits.cancel_reserve, limits.cancels_per_day);
            (key, format!("the reserve of {reserve} cancels is more than the {day} cancels of the day; lower it"))
        })
    };
    reserve("risk.cancel_reserve".to_owned(), "").or_else(|| {
        let mut products = risk.product.iter();
        products.find_map(|(product, own)| {
            let last = if own.cancel_reserve.is_some() { "cancel_reserve" } else { "cancels_per_day" };
            reserve(format!("risk.product.{product}.{last}"), product)
        })
    })
}

fn backoff(config: &Config) -> Option<(String, String)> {
    let (min, max) = (config.ctp.backoff_min_ms, config.ctp.backoff_max_ms);
    let problem = || format!("{max} ms is less than `ctp.backoff_min_ms`, {min} ms; raise it");
    (max < min).then(|| ("ctp.backoff_max_ms".to_owned(), problem()))
}

fn cores(config: &Config) -> Option<(String, String)> {
    let (threads, ctp) = (&config.threads, &config.ctp);
    let pins = [
        ("threads.feed", threads.feed),
        ("threads.signal", threads.signal),
        ("threads.order", threads.order),
        ("ctp.md_core", ctp.md_core),
        ("ctp.trader_core", ctp.trader_core),
    ];
    let mut later = pins.iter();
    while let Some((name, pin)) = later.next() {
        let Some(core) = pin else { continue };
        if let Some((other, _)) = later.clone().find(|(_, pin)| pin == &Some(*core)) {
            let problem = format!("core {core} is also `{name}`; give each thread its own core, or \"none\"");
            return say(*other, problem);
        }
    }
    None
}

/// Strategies that are switched off keep their numbers: their positions and orders are in the journals.
fn ids(config: &Config) -> Option<(String, String)> {
    let mut taken = BTreeMap::new();
    config.strategy.iter().find_map(|(name, entry)| {
        let other = taken.insert(entry.id, name)?;
        say(
            format!("strategy.{name}.id"),
            format!("{} is also the number of `strategy.{other}`; take a free one", entry.id),
        )
    })
}

fn strategy(name: &str, strategy: &Strategy) -> Option<(String, String)> {
    if strategy.instruments.is_empty() {
        let key = format!("strategy.{name}.instruments");
        return say(key, "a strategy needs one pattern of symbols at least, for example [\"rb*\"]");
    }
    match &strategy.params {
        StrategyParams::EmaCross(params) if params.fast >= params.slow => {
            let problem = format!("the fast period {} must be below the slow one, {}", params.fast, params.slow);
            say(format!("strategy.{name}.params.fast"), problem)
        }
        StrategyParams::Quoter(params) if params.max_position_lots < params.lots => {
            let problem = format!("{} is less than one quote of {} lots", params.max_position_lots, params.lots);
            say(format!("strategy.{name}.params.max_position_lots"), problem)
        }
        _ => None,
    }
}
