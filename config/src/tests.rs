//! The whole way from layers to a configuration: order of layers, what errors say, secrets, the journaled text.

use crate::*;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

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
    match loaded.config.strategy["maker"].params {
        StrategyParams::Quoter(quoter) => assert_eq!((quoter.lots, quoter.edge_ticks), (3, 1)),
        ref other => panic!("{other:?}"),
    }
    // The same through a variable, whose name has no lower case.
    let source = Source { profile: Some("demo".into()), ..with_env(&[("SHRIKE_STRATEGY__MAKER__PARAMS__LOTS", "2")]) };
    match Config::load(&source).unwrap().config.strategy["maker"].params {
        StrategyParams::Quoter(quoter) => assert_eq!(quoter.lots, 2),
        ref other => panic!("{other:?}"),
    }
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
fn messages_name_file_line_key_and_remedy() {
    let cases = [
        // Unknown keys: near ones, ones of another table, and strange ones.
        (
            "[risk]\n\norder_per_second = 5",
            "shrike.toml:3: unknown key `risk.order_per_second`; did you mean `risk.orders_per_second`?",
        ),
        ("[oders]\nreprice_ms = 5", "shrike.toml:1: unknown key `oders`; did you mean `orders`?"),
        ("[acount.alice]\n", "shrike.toml:1: unknown key `acount`; did you mean `account`?"),
        ("risk.segment_mib = 5", "shrike.toml:1: unknown key `risk.segment_mib`; it is called `journal.segment_mib`"),
        (
            "market.banana = 1",
            "shrike.toml:1: unknown key `market.banana`; the keys there are kind, data and instruments",
        ),
        (
            "[risk.product.IF]\ncancels = 3\nmax_net_lot = 5",
            "shrike.toml:2: unknown key `risk.product.IF.cancels`; the keys there are orders_per_day, cancels_per_day, cancel_reserve, max_order_lots, max_net_lots and max_gross_lots",
        ),
        // A layer that is not selected today is read all the same.
        (
            "[account.bob.risk]\norders_per_sec = 5",
            "shrike.toml:2: unknown key `risk.orders_per_sec`; did you mean `risk.orders_per_second`?",
        ),
        // Values.
        (
            "[risk]\norders_per_second = 0",
            "shrike.toml:2: `risk.orders_per_second` is 0; expected a whole number from 1 to 100000",
        ),
        (
            "[risk]\norders_per_second = \"5\"",
            "shrike.toml:2: `risk.orders_per_second` is \"5\"; expected a whole number from 1 to 100000",
        ),
        (
            "[risk]\nmargin_ratio_max = 1.000000001",
            "shrike.toml:2: `risk.margin_ratio_max` is 1.000000001; expected a decimal from 0 to 1 with at most 8 digits",
        ),
        (
            "[rings]\nmarket = 1000",
            "shrike.toml:2: `rings.market` is 1000; expected a power of two from 64 to 16777216",
        ),
        (
            "[run]\ntopology = \"inlin\"",
            "shrike.toml:2: `run.topology` is \"inlin\"; expected one of \"pipeline\", \"inline\"; did you mean \"inline\"?",
        ),
        (
            "[run]\nspeed = \"fast\"",
            "shrike.toml:2: `run.speed` is \"fast\"; expected \"real\", \"max\", or how many times real speed",
        ),
        (
            "[run]\nseed = 9223372036854775808",
            "shrike.toml:2: `run.seed` is 9223372036854775808; expected a whole number of at most 64 bits",
        ),
        ("[run]\nhome = 5", "shrike.toml:2: `run.home` is 5; expected text in quotes"),
        ("[journal]\norders_sync = 1", "shrike.toml:2: `journal.orders_sync` is 1; expected true or false"),
        (
            "[threads]\nfeed = -1",
            "shrike.toml:2: `threads.feed` is -1; expected the number of a core from 0 to 1023, or \"none\"",
        ),
        (
            "[generator]\nfirst_day = 20230229",
            "shrike.toml:2: `generator.first_day` is 20230229; expected a date as a number yyyymmdd",
        ),
        (
            "[exchange]\ninitial_balance = 1e7",
            "shrike.toml:2: `exchange.initial_balance` is 1e7; expected a positive amount of money",
        ),
        (
            "[exchange]\nmargin = \"free\"",
            "shrike.toml:2: `exchange.margin` is \"free\"; expected \"table\", or a ratio",
        ),
        (
            "[market]\ninstruments = [\n  \"rb*\",\n  7,\n]",
            "shrike.toml:4: `market.instruments` is 7; expected text in quotes",
        ),
        ("risk = 5", "shrike.toml:1: `risk` is 5; expected a table of keys"),
        ("include = \"x.toml\"", "shrike.toml:1: `include` is \"x.toml\"; expected a list of files"),
        ("account = \"alice\"", "shrike.toml:1: `account` is \"alice\"; expected a table of settings"),
        // Strategies.
        (
            "[strategy.x]\ninstruments = [\"*\"]\nkind = \"ema\"",
            "shrike.toml:3: `strategy.x.kind` is \"ema\"; expected one of \"ema-cross\", \"quoter\"",
        ),
        (
            "[strategy.x]\ninstruments = [\"*\"]\nkind = \"quoter\"",
            "shrike.toml:1: `strategy.x.params` is missing; add it there",
        ),
        (
            "[strategy.x]\nkind = \"quoter\"\n[strategy.x.params]\nlots = 1\nfast = 3",
            "shrike.toml:5: unknown key `strategy.x.params.fast`; the keys there are lots,",
        ),
        (
            "[strategy.x]\nknd = \"quoter\"",
            "shrike.toml:2: unknown key `strategy.x.knd`; did you mean `strategy.x.kind`?",
        ),
        (
            "[strategy.x]\nkind = \"ema-cross\"\ninstruments = [\"*\"]\nparams.fast = 26\nparams.slow = 26\nparams.bar_ms = 0\nparams.lots = 1\nparams.urgency = \"passive\"",
            "shrike.toml:4: `strategy.x.params.fast`: the fast period 26 must be below the slow one, 26",
        ),
        // Values that do not go together.
        ("[market]\nkind = \"recorded\"", "shrike.toml:2: `market.kind`: \"recorded\" needs `market.data`"),
        (
            "[risk]\ncancel_reserve = 501",
            "shrike.toml:2: `risk.cancel_reserve`: the reserve of 501 cancels is more than the 500 cancels of the day",
        ),
        ("[threads]\nfeed = 2\norder = 2", "shrike.toml:3: `threads.order`: core 2 is also `threads.feed`"),
        // Layers and syntax.
        (
            "run.account = \"alic\"\n[account.alice]",
            "shrike.toml:1: `run.account` selects `alic`, but there is no table `[account.alic]`; did you mean `alice`?",
        ),
        ("[risk]\norders_per_second = ", "shrike.toml:2: not valid TOML:"),
        ("[risk]\nduplicate_ms = 1\nduplicate_ms = 2", "shrike.toml:3: not valid TOML:"),
        ("include = [\"shrike.toml\"]", "shrike.toml:1: including shrike.toml would go round in a circle"),
        ("include = [\"no.toml\"]", "no.toml: cannot read the configuration: No such file"),
    ];
    for (text, expected) in cases {
        let (files, source) = Files::with(text);
        let message = files.message(&source);
        assert!(message.starts_with(expected), "of {text:?}\n  said     {message}\n  expected {expected}");
    }
}

#[test]
fn messages_name_the_variable_or_the_command_line() {
    let cases = [
        (
            with_env(&[("SHRIKE_RISK__ORDER_PER_SECOND", "5")]),
            "environment SHRIKE_RISK__ORDER_PER_SECOND: unknown key `risk.order_per_second`; did you mean `risk.orders_per_second`?",
        ),
        (
            with_env(&[("SHRIKE_RISK__ORDERS_PER_SECOND", "many")]),
            "environment SHRIKE_RISK__ORDERS_PER_SECOND: `risk.orders_per_second` is many; expected a whole number from 1 to 100000",
        ),
        (
            with_env(&[("SHRIKE_RISK_ORDERS_PER_SECOND", "5")]),
            "environment SHRIKE_RISK_ORDERS_PER_SECOND: no configuration key; did you mean SHRIKE_RISK__ORDERS_PER_SECOND?",
        ),
        (
            with_overrides(&["risk.orders_per_second"]),
            "command line: `risk.orders_per_second` is no override; write KEY.PATH=VALUE",
        ),
        (
            with_overrides(&["risk.order_per_second=5"]),
            "command line: unknown key `risk.order_per_second`; did you mean",
        ),
        (with_overrides(&["run.seed=-5"]), "command line: `run.seed` is -5; expected a whole number of at least 0"),
        (
            with_overrides(&["run.product=ru"]),
            "command line: `run.product` selects `ru`, but there is no table `[product.ru]`; the product layers there are: none",
        ),
    ];
    for (source, expected) in cases {
        let message = Config::load(&source).unwrap_err().to_string();
        assert!(message.starts_with(expected), "said {message}\n  expected {expected}");
    }
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
fn secrets_come_from_the_environment_and_are_never_shown() {
    let source = with_env(&[("SHRIKE_LOGIN__PASSWORD", "hunter2"), ("SHRIKE_LOGIN__AUTH_CODE", "0123")]);
    let loaded = Config::load(&source).unwrap();
    let password = loaded.secrets.password.clone().unwrap();
    assert_eq!(password.reveal(), "hunter2");
    assert_eq!(loaded.secrets.auth_code.as_ref().unwrap().reveal(), "0123");
    let serialized = toml::to_string(&std::collections::BTreeMap::from([("password", &password)])).unwrap();
    for shown in [format!("{loaded:?}"), format!("{source:?}"), format!("{password}"), serialized, loaded.text] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let slip = Config::load(&with_env(&[("SHRIKE_LOGIN_PASSWORD", "hunter2")])).unwrap_err().to_string();
    assert!(slip.contains("did you mean SHRIKE_LOGIN__PASSWORD?") && !slip.contains("hunter2"), "{slip}");
}

#[test]
fn secrets_in_files_or_on_the_command_line_are_refused() {
    let remedy = "set SHRIKE_LOGIN__PASSWORD, or name a file of mode 0600 with `login.password_file`";
    for text in ["[login]\npassword = \"hunter2\"", "\n[account.alice.login]\nX = 1\npassword = \"hunter2\""] {
        let (files, source) = Files::with(text);
        let message = files.message(&source);
        assert!(message.starts_with("shrike.toml:") && message.contains("is a secret"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let (files, source) = Files::with("[login]\npassword = \"hunter2\"");
    let message = files.message(&source);
    assert!(
        message.starts_with("shrike.toml:2: `login.password` is a secret") && message.contains(remedy),
        "{message}"
    );
    let message = Config::load(&with_overrides(&["login.password=hunter2"])).unwrap_err().to_string();
    assert!(message.starts_with("command line: ") && message.contains(remedy) && !message.contains("hunter2"));
    let (files, source) = Files::with("[market]\ntoken = \"hunter2\"");
    assert!(files.message(&source).starts_with("shrike.toml:2: `market.token` is a secret"));
}

#[test]
fn a_secret_file_must_be_its_owners_alone() {
    let files = Files::new();
    let secret = files.write("password", "hunter2\n");
    let file = files.write("shrike.toml", &format!("[login]\npassword_file = {secret:?}\n"));
    let source = Source { files: vec![file], ..Source::default() };
    for (mode, accepted) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o700, false)] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        match Config::load(&source) {
            Ok(loaded) => assert!(accepted && loaded.secrets.password.unwrap().reveal() == "hunter2", "{mode:o}"),
            Err(error) => {
                let message = files.shorten(error);
                let expected = format!(
                    "shrike.toml:2: `login.password_file`: password has mode {mode:04o}, others can read the secret; \
                     run `chmod 600 password`"
                );
                assert!(!accepted, "{mode:o}: {message}");
                assert_eq!(message, expected);
            }
        }
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let over = Source { env: with_env(&[("SHRIKE_LOGIN__PASSWORD", "other")]).env, ..source.clone() };
    assert_eq!(Config::load(&over).unwrap().secrets.password.unwrap().reveal(), "other");
    for (content, reason) in [("", "the file is empty"), ("a\nb\n", "it has more than one line")] {
        fs::write(&secret, content).unwrap();
        assert!(files.message(&source).contains(reason));
    }
    fs::remove_file(&secret).unwrap();
    assert!(files.message(&source).starts_with("shrike.toml:2: `login.password_file`: cannot take the secret from"));
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
