//! The whole way from layers to a configuration: their order, the journaled text, and (in files of their own) what
//! errors say and how secrets are kept.

use crate::*;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

mod messages;
mod secrets;

/// A directory of configuration files.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(text: &str) -> (Self, Source) {
        let files = Self::new();
        let file = files.write("shrike.toml", text);
        (files, Source { files: vec![file], ..Source::default() })
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The error's message with the directory left out.
    fn message(&self, source: &Source) -> String {
        self.shorten(Config::load(source).unwrap_err())
    }

    fn shorten(&self, error: ConfigError) -> String {
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn of_profile(name: &str) -> Source {
    let overrides = vec!["market.data=recordings".to_owned()];
    Source { profile: Some(name.to_owned()), overrides, ..Source::default() }
}

fn with_env(variables: &[(&str, &str)]) -> Source {
    let secret = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from((*value).to_owned()));
    Source { env: variables.iter().map(secret).collect(), ..Source::default() }
}

fn with_overrides(overrides: &[&str]) -> Source {
    Source { overrides: overrides.iter().map(|text| (*text).to_owned()).collect(), ..Source::default() }
}

#[test]
fn every_profile_loads_and_reads_back_from_its_text() {
    for name in ["demo", "paper", "backtest", "tuned"] {
        let loaded = Config::load(&of_profile(name)).unwrap();
        let again = Config::from_text(&loaded.text).unwrap();
        assert_eq!(again, loaded.config, "{name}");
        assert_eq!(again.to_text().unwrap(), loaded.text, "{name}");
    }
    assert_eq!(
        Config::load(&Source { profile: Some("papr".into()), ..Source::default() }).unwrap_err().to_string(),
        "no profile `papr`; the built-in profiles are demo, paper, backtest and tuned"
    );
}

#[test]
fn the_reference_has_every_key_at_the_line_that_origins_name() {
    let base = Config::load(&Source::default()).unwrap();
    let written: Vec<&str> = Config::reference().lines().collect();
    for (key, origin) in &base.origins {
        let line = written[origin.line().unwrap() - 1];
        let name = key.rsplit('.').next().unwrap();
        assert!(line.contains(name), "{key} is said to stand in {line:?}");
    }
    // What is written out again as the types have it names no key that the reference has not.
    let text = base.text.lines().filter_map(|line| line.split_once(" = "));
    for (key, _) in text {
        assert!(base.origins.keys().any(|known| known.rsplit('.').next() == Some(key)), "{key} is not in base.toml");
    }
}

/// Each layer sets every key from its own level up; the value that stays is that of the highest layer present.
#[test]
fn layers_override_in_their_order() {
    const KEYS: [&str; 8] = [
        "ack_timeout_ms",
        "query_timeout_ms",
        "lost_grace_ms",
        "reprice_ms",
        "retries_max",
        "reject_wait_ms",
        "on_stop",
        "on_crash",
    ];
    let files = Files::new();
    // Layer number i sets the first six keys from i on to 100 + i.
    let lines = |layer: usize| {
        let keys = KEYS[..6].iter().skip(layer);
        keys.map(|key| format!("{key} = {}\n", 100 + layer)).collect::<String>()
    };
    files.write("included.toml", &format!("[orders]\n{}", lines(0)));
    let text = format!(
        "include = [\"included.toml\"]\n[run]\naccount = \"alice\"\nproduct = \"ru\"\ntimeframe = \"1m\"\n\
         [account.alice.orders]\n{}[timeframe.1m.orders]\n{}[product.ru.orders]\n{}[orders]\n{}",
        lines(4),
        lines(3),
        lines(2),
        lines(1)
    );
    let file = files.write("shrike.toml", &text);
    let source = Source {
        profile: Some("demo".into()),
        files: vec![file],
        overrides: vec!["orders.on_crash=keep".into(), "orders.on_stop=keep".into()],
        ..with_env(&[
            ("SHRIKE_ORDERS__REJECT_WAIT_MS", "105"),
            ("SHRIKE_ORDERS__ON_STOP", "cancel"),
            ("PATH", "/usr/bin"),
            ("SHRIKE_DATA", "/recordings"),
        ])
    };
    let Loaded { config, origins, .. } = Config::load(&source).unwrap();
    let orders = &config.orders;
    let times = [orders.ack_timeout_ms, orders.query_timeout_ms, orders.lost_grace_ms, orders.reprice_ms];
    assert_eq!(times, [100, 101, 102, 103]);
    assert_eq!((orders.retries_max, orders.reject_wait_ms), (104, 105));
    assert_eq!((orders.on_stop, orders.on_crash), (OrderPolicy::Keep, OrderPolicy::Keep));
    assert_eq!(config.run.speed, Speed::Max, "what files leave alone stays the profile's");
    assert_eq!(origins["orders.reject_wait_ms"].to_string(), "environment SHRIKE_ORDERS__REJECT_WAIT_MS");
    assert_eq!(origins["run.speed"].to_string(), "built-in profile demo:4");
    assert!(origins["orders.query_timeout_ms"].to_string().ends_with("shrike.toml:19"), "{origins:?}");
}

#[test]
fn a_layer_changes_one_parameter_of_a_strategy() {
    let (_files, source) = Files::with(
        "[run]\nproduct = \"ru\"\n[product.ru.strategy.maker.params]\nlots = 3\n[strategy.trend]\nenabled = false\n",
    );
    let source = Source { profile: Some("demo".into()), ..source };
    let loaded = Config::load(&source).unwrap();
    let strategies: Vec<&str> = loaded.config.strategies().map(|(name, _)| name).collect();
    assert_eq!(strategies, ["maker"]);
    let params = |loaded: &Loaded| match loaded.config.strategy["maker"].params {
        StrategyParams::Quoter(quoter) => quoter,
        ref other => panic!("{other:?}"),
    };
    let demo = params(&Config::load(&of_profile("demo")).unwrap());
    assert_eq!(params(&loaded), Quoter { lots: 3, ..demo });
    // The same through a variable, whose name has no lower case.
    let source = Source { profile: Some("demo".into()), ..with_env(&[("SHRIKE_STRATEGY__MAKER__PARAMS__LOTS", "2")]) };
    assert_eq!(params(&Config::load(&source).unwrap()), Quoter { lots: 2, ..demo });
}

#[test]
fn limits_of_a_product_replace_the_general_ones() {
    let source =
        with_env(&[("SHRIKE_RISK__PRODUCT__IF__MAX_ORDER_LOTS", "3"), ("SHRIKE_RISK__CANCELS_PER_DAY", "450")]);
    let risk = Config::load(&source).unwrap().config.risk;
    assert_eq!((risk.limits("IF").max_order_lots, risk.limits("IF").cancels_per_day), (3, 400));
    assert_eq!((risk.limits("ru").max_order_lots, risk.limits("ru").cancels_per_day), (10, 450));
    let quota = Source { overrides: vec!["run.account=quota".into(), "market.data=x".into()], ..of_profile("paper") };
    let (raised, quota) = (Config::load(&of_profile("paper")).unwrap(), Config::load(&quota).unwrap());
    let lines = |loaded: &Loaded| ["IF", "ru"].map(|product| loaded.config.risk.limits(product).cancels_per_day);
    assert_eq!((lines(&raised), lines(&quota)), ([1_000_000; 2], [400, 500]));
}

#[test]
fn bare_values_take_the_type_of_their_key() {
    let source = with_overrides(&[
        "exchange.account_id=000123",
        "market.instruments=rb*, IF2406",
        "generator.products=[\"rb\"]",
        "exchange.initial_balance=1000000.5",
        "journal.live_dir=",
        "journal.orders_sync=true",
        "run.speed=2.5",
        "threads.feed=3",
        "exchange.fee=0.0001",
    ]);
    let config = Config::load(&source).unwrap().config;
    assert_eq!(config.exchange.account_id, "000123", "digits of a name stay a name");
    assert_eq!(config.market.instruments, ["rb*", "IF2406"]);
    assert_eq!(config.generator.products, ["rb"]);
    assert_eq!(config.exchange.initial_balance.raw(), 100_000_050_000_000);
    assert_eq!(config.journal.live_dir, Path::new(""));
    assert!(config.journal.orders_sync);
    assert_eq!(config.run.speed, Speed::Times(Ratio::from_raw(250_000_000)));
    assert_eq!((config.threads.feed, config.threads.order), (Some(3), None));
    assert_eq!(config.exchange.fee, Charge::Ratio(Ratio::from_raw(10_000)));
}

#[test]
fn the_text_is_the_same_however_the_values_were_written() {
    let (_files, source) = Files::with(
        "[risk]\nmargin_ratio_max = \"0.50\"\norders_per_second = 0x10\n[exchange]\ninitial_balance = 5_000_000.00\n",
    );
    let written = Config::load(&source).unwrap();
    let overrides = ["risk.margin_ratio_max=0.5", "risk.orders_per_second=16", "exchange.initial_balance=5000000"];
    let given = Config::load(&with_overrides(&overrides)).unwrap();
    assert_eq!(written.text, given.text);
    assert_eq!(written.hash, given.hash);
    let home = Config::load(&with_overrides(&[&overrides[..], &["run.home=elsewhere"]].concat())).unwrap();
    assert_eq!(home.config.run.home, Path::new("elsewhere"));
    assert_eq!(home.text, given.text, "the same run elsewhere writes the same bytes");
    assert_ne!(Config::load(&Source::default()).unwrap().hash, given.hash);
}

#[test]
fn diff_names_what_changed() {
    let before = Config::load(&of_profile("demo")).unwrap().text;
    let changed = Source {
        overrides: vec![
            "market.data=recordings".into(),
            "risk.orders_per_second=5".into(),
            "risk.product.ru.max_net_lots=7".into(),
            "strategy.trend.params.fast=9".into(),
        ],
        ..of_profile("demo")
    };
    let after = Config::load(&changed).unwrap().text;
    let changes: Vec<String> = diff(&before, &after).unwrap().iter().map(ToString::to_string).collect();
    let expected = [
        "risk.orders_per_second: 20 -> 5",
        "risk.product.ru.max_net_lots: (absent) -> 7",
        "strategy.trend.params.fast: 8 -> 9",
    ];
    assert_eq!(changes, expected);
    assert_eq!(diff(&before, &before).unwrap(), []);
    assert_eq!(diff("a = ", "").unwrap_err().to_string().split(": not").next(), Some("old configuration:1"));
}

#[test]
fn a_text_of_an_older_version_takes_the_base_values_of_new_keys() {
    let text = Config::load(&Source::default()).unwrap().text;
    let older: String =
        text.lines().filter(|line| !line.starts_with("quote_age_ms")).map(|l| format!("{l}\n")).collect();
    assert_ne!(older, text);
    assert_eq!(Config::from_text(&older).unwrap().risk.quote_age_ms, 5_000);
    let newer = Config::from_text("[risk]\nfuture_limit = 5\n").unwrap_err().to_string();
    assert!(newer.starts_with("journaled configuration:2: unknown key `risk.future_limit`"), "{newer}");
}

/// Vectors of the FNV authors' test suite.
#[test]
fn the_hash_is_fnv1a() {
    for (text, hash) in [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)] {
        assert_eq!(crate::layers::fnv1a(text.as_bytes()), hash);
    }
}

proptest! {
    /// Whatever the digits, a decimal comes back exactly.
    #[test]
    fn decimals_are_exact(raw in 0i64..=100_000_000) {
        let text = format!("exchange.fee=0.{raw:08}");
        let text = if raw == 100_000_000 { "exchange.fee=1.0".to_owned() } else { text };
        let loaded = Config::load(&with_overrides(&[&text])).unwrap();
        prop_assert_eq!(loaded.config.exchange.fee, Charge::Ratio(Ratio::from_raw(raw)));
        prop_assert_eq!(Config::from_text(&loaded.text).unwrap().exchange.fee, Charge::Ratio(Ratio::from_raw(raw)));
    }

    /// Any text as a file, a variable or an override is a configuration or an error, never a panic.
    #[test]
    fn nothing_panics(text in "(\\[?[a-z]{1,9}[.\\]=]{0,2}|include|account|\"|\\[|\\]|\\{|\\}|=|,|\n| |[0-9]{1,20}|\\PC){0,30}") {
        let _ = Config::from_text(&text);
        let _ = Config::load(&with_overrides(&[&text]));
        let _ = Config::load(&with_env(&[(&format!("SHRIKE_{text}"), &text)]));
        let _ = diff(&text, &text);
    }
}

#[test]
fn the_examples_of_the_documents_load() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let (files, source) = Files::with(example);
    files.write("limits.toml", "[risk]\norders_per_second = 1\nmax_order_lots = 2\n");
    // The password is given, so its file is not read.
    let source = Source { env: with_env(&[("SHRIKE_LOGIN__PASSWORD", "hunter2")]).env, ..source };
    let config = Config::load(&source).unwrap().config;
    assert_eq!((config.risk.orders_per_second, config.risk.max_order_lots, config.risk.max_net_lots), (10, 2, 8));
    assert_eq!((config.risk.limits("rb").max_order_lots, config.login.user_id.as_str()), (5, "000123"));

    // The strategies that the reference shows in comments, one of each kind.
    let shown: Vec<&str> = Config::reference().lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let value = |key: &'static str| shown.iter().copied().filter(move |line| line.starts_with(key));
    let strategies: Vec<String> = value("kind =")
        .zip(value("params ="))
        .enumerate()
        .map(|(i, (kind, params))| {
            format!("[strategy.s{i}]\nid = {}\ninstruments = [\"*\"]\n{kind}\n{params}\n", i + 1)
        })
        .collect();
    let (_files, source) = Files::with(&strategies.concat());
    assert_eq!(Config::load(&source).unwrap().config.strategy.len(), 2);
}
