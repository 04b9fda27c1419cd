//! What errors say: the place, the key, what was found, what to do.

use super::*;

/// A strategy of five lines.
fn quoter(name: &str, id: u32) -> String {
    let params = "{ lots = 1, edge_ticks = 1, skew_ticks = 1, max_position_lots = 5, min_spread_ticks = 1 }";
    format!("[strategy.{name}]\nid = {id}\ninstruments = [\"*\"]\nkind = \"quoter\"\nparams = {params}\n")
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
            "shrike.toml:1: unknown key `market.banana`; the keys there are kind, data, follow and instruments",
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
            "[run]\nspeed = 10\n[market]\nkind = \"ctp\"",
            "shrike.toml:2: `run.speed`: a counter's time is real: \"real\", or \"max\" at a stand-in that plays its market in the events' own time (`shrike exchange --speed max`)",
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
            "shrike.toml:3: `strategy.x.kind` is \"ema\"; expected one of",
        ),
        (
            "[strategy.x]\nid = 1\ninstruments = [\"*\"]\nkind = \"quoter\"",
            "shrike.toml:1: `strategy.x.params` is missing; add it there",
        ),
        (
            "[strategy.x]\nkind = \"quoter\"\n[strategy.x.params]\nlots = 1\nfast = 3",
            "shrike.toml:5: unknown key `strategy.x.params.fast`; the keys there are lots,",
        ),
        ("[strategy.x]\nid = 65", "shrike.toml:2: `strategy.x.id` is 65; expected a whole number from 1 to 64"),
        (
            "[strategy.x]\nknd = \"quoter\"",
            "shrike.toml:2: unknown key `strategy.x.knd`; did you mean `strategy.x.kind`?",
        ),
        (
            "[strategy.x]\nkind = \"ema-cross\"\ninstruments = [\"*\"]\nparams.fast = 26\nparams.slow = 26\nparams.bar_ms = 0\nparams.lots = 1\nparams.urgency = \"passive\"\nid = 1",
            "shrike.toml:4: `strategy.x.params.fast`: the fast period 26 must be below the slow one, 26",
        ),
        // Values that do not go together.
        (
            &format!("{}{}", quoter("a", 3), quoter("b", 3)),
            "shrike.toml:7: `strategy.b.id`: 3 is also the number of `strategy.a`; take a free one",
        ),
        ("[market]\nkind = \"recorded\"", "shrike.toml:2: `market.kind`: \"recorded\" needs `market.data`"),
        (
            "[risk]\ncancel_reserve = 501",
            "shrike.toml:2: `risk.cancel_reserve`: the reserve of 501 cancels is more than the 500 cancels of the day",
        ),
        ("[threads]\nfeed = 2\norder = 2", "shrike.toml:3: `threads.order`: core 2 is also `threads.feed`"),
        (
            "[threads]\nsignal = 3\n[ctp]\ntrader_core = 3",
            "shrike.toml:4: `ctp.trader_core`: core 3 is also `threads.signal`",
        ),
        (
            "[ctp]\nbackoff_min_ms = 5_000\nbackoff_max_ms = 4_000",
            "shrike.toml:3: `ctp.backoff_max_ms`: 4000 ms is less than `ctp.backoff_min_ms`, 5000 ms; raise it",
        ),
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
