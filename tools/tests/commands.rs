//! The program over homes that the engine wrote: what it prints must agree with what the venue and the journals know.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod kit;

use kit::{SMALL, append, json, shrike, small_home, text};
use serde_json::Value;
use shrike_core::codes::{OrderStatus, RequestKind, StageId};
use shrike_core::event::{Event, Seq, flags};
use shrike_engine::runtime::journal_dir;
use shrike_journal::Reader;
use shrike_tests::{configured, run};
use std::path::Path;

/// Counts the records of a journal that fit.
fn count(home: &Path, journal: &str, fits: impl Fn(&shrike_journal::Record<'_>) -> bool) -> u64 {
    let mut reader = Reader::open(&journal_dir(home, journal)).unwrap();
    let mut found = 0;
    while let Some(record) = reader.next().unwrap() {
        found += u64::from(fits(&record));
    }
    found
}

/// A JSON number as raw money of 1e-8.
fn raw(value: &Value) -> i128 {
    shrike_core::units::Money::parse(&value.to_string()).unwrap_or_else(|| panic!("{value}")).raw()
}

#[test]
fn the_summary_agrees_with_the_exchanges_own_books() {
    let (home, counter) = small_home();
    let summary = json(home.path(), 0, &["summary"]);
    let days = summary["days"].as_array().unwrap();
    assert_eq!(days.len(), 2);

    // The exchange keeps the orders and fills of its last day.
    let (last, exchange) = (&days[1], &counter.exchange);
    assert_eq!(last["trading_day"], exchange.trading_day().get());
    assert_eq!(last["orders"], exchange.orders().len());
    assert_eq!(last["fills"], exchange.fills().len());
    assert_eq!(last["lots"], exchange.fills().iter().map(|fill| fill.lots.get()).sum::<i64>());
    let cancelled = exchange.orders().filter(|order| order.status() == Some(OrderStatus::Cancelled)).count() as u64;
    let cancels = last["cancels"].as_u64().unwrap();
    assert!(cancels >= cancelled, "{cancels} cancels asked for, {cancelled} orders cancelled");
    assert!(last["cancel_rejects"].as_u64().unwrap() <= cancels - cancelled);
    // The exchange closes today's lots first in, first out, our books at their average: what one counts as closed the
    // other holds, and the sum is one.
    let (funds, result) = (exchange.funds(), &last["result"]);
    let profit = funds.close_profit.plus(funds.position_profit);
    assert_eq!(raw(&result["close_profit"]) + raw(&result["position_profit"]), profit.raw());
    assert_eq!(raw(&result["commission"]), funds.commission.raw());

    // The days add up to what the account gained since it began, whatever happened in between.
    let balance = funds.pre_balance.plus(funds.close_profit).plus(funds.position_profit).minus(funds.commission);
    let gained = balance.minus(configured("demo", home.path(), &SMALL).config.exchange.initial_balance);
    assert_eq!(raw(&summary["total"]["result"]["equity_change"]), gained.raw());
    // So do the strategies, before fees: the account began flat.
    let gross: i128 = summary["strategies"].as_array().unwrap().iter().map(|strategy| raw(&strategy["gross"])).sum();
    assert_eq!(gross - raw(&summary["total"]["result"]["commission"]), gained.raw());

    let refusals = count(home.path(), "order", |record| {
        record.header.has(flags::OUTPUT) && matches!(record.event(), Event::Refusal(_))
    });
    let told = summary["total"]["refusals"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
    assert_eq!(told.sum::<u64>(), refusals);
    let ticks = count(home.path(), "signal", |record| matches!(record.event(), Event::DepthTick(_)));
    assert_eq!(summary["total"]["ticks"], ticks);
    assert_eq!(summary["simulated"], "all");
    assert!(text(home.path(), 0, &["summary"]).contains("simulated time"));
}

#[test]
fn replay_finds_no_difference_and_tells_those_of_another_configuration() {
    let home = tempfile::tempdir().unwrap();
    let with = |changes: &[&str]| run(&configured("demo", home.path(), &[&SMALL, changes].concat()));
    with(&["run.days=1"]);
    with(&["risk.max_net_lots=1"]);
    let verified = json(home.path(), 0, &["replay", "--verify"]);
    assert_eq!(verified["differences"], 0);
    let outputs = ["signal", "order"].map(|name| count(home.path(), name, |record| record.header.has(flags::OUTPUT)));
    assert_eq!(verified["outputs"], outputs.iter().sum::<u64>());
    let changes: Vec<&str> =
        verified["changes"].as_array().unwrap().iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["risk.max_net_lots: 20 -> 1", "run.days: 1 -> 0"]);

    // Under the second run's limit the first would have refused orders that it sent.
    let other = json(home.path(), 1, &["replay", "--verify", "--config-from", "last", "--only", "order"]);
    assert!(other["differences"].as_u64().unwrap() > 0);
    let first = &other["shown"][0];
    assert!(first["recorded"].as_str().unwrap().starts_with("OrderRequest"), "{first}");
    assert!(first["decided"].as_str().is_none_or(|text| text.contains("refused, position")), "{first}");
    let text = text(home.path(), 1, &["replay", "--verify", "--only", "order", "--set", "risk.orders_per_day=10"]);
    assert!(
        text.contains("risk.orders_per_day: 4000 -> 10") && text.contains("recorded  OrderRequest rb2410: insert "),
        "{text}"
    );
}

#[test]
fn replay_rebuilds_the_exchanges_positions() {
    let (home, counter) = small_home();
    let rebuilt = json(home.path(), 0, &["replay"]);
    let venue: i64 = counter
        .exchange
        .positions()
        .map(|line| {
            let sign = if line.side == 1 { 1 } else { -1 };
            sign * (line.today.get() + line.yesterday.get())
        })
        .sum();
    let ours: i64 =
        rebuilt["books"]["positions"].as_array().unwrap().iter().map(|row| row["net"].as_i64().unwrap()).sum();
    assert_eq!(ours, venue);
    let again = json(home.path(), 0, &["replay"]);
    for journal in 0..2 {
        assert_eq!(rebuilt["journals"][journal]["digest"], again["journals"][journal]["digest"]);
    }
}

#[test]
fn tail_summary_and_status_tell_the_same_latencies() {
    let home = tempfile::tempdir().unwrap();
    run(&configured("demo", home.path(), &[&SMALL[..], &["generator.days=1"]].concat()));
    let lines = text(home.path(), 0, &["tail", "order", "--json"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |key: &str| -> Vec<u64> { lines.iter().filter_map(|line| line[key].as_u64()).collect() };
    for line in &lines {
        let (received, taken) = (line["recv_ns"].as_u64(), line["taken_ns"].as_u64());
        assert_eq!(line["latency_ns"].as_u64(), received.zip(taken).map(|(received, taken)| taken - received));
    }
    // The exchange answers after 500 us to 700 us each way, so not before a millisecond.
    let reports = told("request_to_report_ns");
    assert!(reports.iter().all(|ns| *ns >= 1_000_000), "{reports:?}");

    let summary = json(home.path(), 0, &["summary"]);
    let status = json(home.path(), 0, &["status"]);
    for (latencies, is_summary) in [(&summary["latencies"], true), (&status["order"]["latencies"], false)] {
        let row = |path: &str| {
            let rows = latencies.as_array().unwrap();
            let row = rows.iter().find(|row| row["path"] == path).unwrap_or_else(|| panic!("{path}: {latencies}"));
            (row["count"].as_u64().unwrap() as usize, row["max_ns"].as_u64().unwrap())
        };
        let (intents, requests) = (told("tick_to_intent_ns"), told("intent_to_request_ns"));
        // The summary reads the signal journal too, and so leaves out what a fill led to.
        let (count, max_ns) = row("tick received -> intent taken by order");
        assert!(0 < count && count <= intents.len() && (is_summary || count == intents.len()), "{count}");
        assert!(max_ns <= *intents.iter().max().unwrap());
        let (count, max_ns) = row("intent taken -> request");
        assert!(0 < count && count == requests.len(), "{count} and {}", requests.len());
        assert_eq!(max_ns, *requests.iter().max().unwrap());
        // Tail tells of every report and fill, these of the first of an order.
        let (orders, slowest) = row("request -> exchange's word");
        assert!(0 < orders && orders <= reports.len() && slowest <= *reports.iter().max().unwrap());
        let (filled, _) = row("exchange's word -> first fill");
        assert!(0 < filled && filled <= told("ack_to_fill_ns").len());
    }
}

#[test]
fn tail_gives_every_record_and_filters() {
    let (home, _) = small_home();
    let all = text(home.path(), 0, &["tail", "order", "--json"]);
    let lines: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len() as u64, count(home.path(), "order", |_| true));
    assert!(lines.iter().enumerate().all(|(n, line)| line["seq"] == format!("order/0:{}", n + 1)));
    assert_eq!(text(home.path(), 0, &["tail", "order"]).lines().count(), lines.len() + 1, "and a heading");

    let some = |args: &[&str]| -> Vec<Value> {
        let out = text(home.path(), 0, &[&["tail", "order", "--json"], args].concat());
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let expect = |fits: &dyn Fn(&Value) -> bool| lines.iter().filter(|line| fits(line)).cloned().collect::<Vec<_>>();
    let is_output = |line: &Value| line["flags"].as_array().unwrap().contains(&Value::from("output"));
    assert_eq!(some(&["--kind", "fill,Refusal"]), expect(&|line| line["kind"] == "Fill" || line["kind"] == "Refusal"));
    assert_eq!(some(&["--outputs"]), expect(&is_output));
    assert_eq!(some(&["--inputs", "--strategy", "1"]), expect(&|l| !is_output(l) && l["body"]["strategy"] == 1));
    assert_eq!(some(&["--instrument", "rb2410", "-n", "7"]).len(), 7);
    assert_eq!(some(&["--from", "order/0:100", "-n", "100000000"]), lines[99..]);
    assert_eq!(some(&["-n", "0"]), Vec::<Value>::new());

    let requests = some(&["--kind", "OrderRequest"]);
    let inserts = requests.iter().filter(|line| line["body"]["kind"] == RequestKind::Insert.name()).count() as u64;
    let sent = json(home.path(), 0, &["summary"])["total"]["orders"].as_u64().unwrap();
    assert_eq!(inserts, sent);
    assert_eq!(shrike(home.path(), &["tail", "order", "--kind", "Nonsense"]).status.code(), Some(2));
}

#[test]
fn verify_says_where_the_damage_is() {
    let (home, _) = small_home();
    assert!(text(home.path(), 0, &["verify", "--deep"]).contains("order      clean"));
    let file = journal_dir(home.path(), "order").join("000000.seg");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096 * 50 + 70] ^= 4;
    std::fs::write(&file, &bytes).unwrap();
    let out = text(home.path(), 1, &["verify"]);
    assert!(out.contains("order      CORRUPT") && out.contains("000000.seg at offset 204"), "{out}");
    assert!(out.contains("expected") && out.contains("found"), "{out}");
    assert_eq!(shrike(home.path(), &["replay"]).status.code(), Some(2), "what is damaged is not replayed");

    std::fs::write(&file, vec![b'x'; 8192]).unwrap();
    assert!(text(home.path(), 2, &["verify"]).contains("not a segment"));
    assert_eq!(shrike(Path::new("no-such-home"), &["verify"]).status.code(), Some(2));
}

#[test]
fn deep_verification_sees_what_checksums_cannot() {
    let (home, _) = small_home();
    // Records that are whole and cannot be: an output of another input, a cause that nobody has, time that goes back.
    let order = |n| Seq::new(StageId::Order, 0, n);
    append(
        home.path(),
        "order",
        &[
            (flags::OUTPUT, order(3), 1_800_000_000_000_000_000),
            (0, Seq::new(StageId::Signal, 0, 1 << 40), 1_800_000_000_000_000_001),
            (0, Seq::ABSENT, 1_700_000_000_000_000_000),
        ],
    );
    assert_eq!(shrike(home.path(), &["verify"]).status.code(), Some(0));
    let report = json(home.path(), 1, &["verify", "--deep"]);
    let journals = report["journals"].as_array().unwrap();
    let problems = journals.iter().find(|journal| journal["journal"] == "order").unwrap()["problems"].to_string();
    for words in
        ["an output of order/0:3", "its cause signal/0:1099511627776 does not exist", "before the record ahead"]
    {
        assert!(problems.contains(words), "{words}: {problems}");
    }
    assert_eq!(journals.iter().find(|journal| journal["journal"] == "signal").unwrap()["state"], "clean");
}

#[test]
fn the_status_of_an_ended_home() {
    let (home, counter) = small_home();
    let status = json(home.path(), 0, &["status"]);
    assert_eq!(status["engine"], Value::Null);
    let order = &status["order"];
    assert_eq!(order["ended"], true);
    assert_eq!(order["requests"][0]["orders"], counter.exchange.orders().len());
    assert_eq!(order["requests"][0]["orders_max"], 4_000);
    assert_eq!(raw(&order["books"]["funds"]["commission"]), counter.exchange.funds().commission.raw());
    assert!(status["journals"].as_array().unwrap().iter().all(|journal| journal["unsynced_bytes"] == 0));
    text(home.path(), 0, &["status"]);
}

#[test]
fn the_configuration_names_where_each_value_was_set() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("limits.toml");
    std::fs::write(&file, "[risk]\nmax_net_lots = 7\n").unwrap();
    let mut shrike = std::process::Command::new(env!("CARGO_BIN_EXE_shrike"));
    let args = ["config", "--profile", "demo", "--json", "--set", "risk.max_order_lots=3", "--config"];
    let output = shrike.args(args).arg(&file).output().unwrap();
    let merged: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |key: &str| {
        merged["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).cloned().unwrap()
    };
    assert_eq!(of("risk.max_net_lots")["value"], "7");
    assert_eq!(of("risk.max_net_lots")["origin"], format!("{}:2", file.display()));
    assert_eq!(of("risk.max_order_lots")["origin"], "command line");
    assert!(of("strategy.maker.id")["origin"].as_str().unwrap().contains("demo"));
}
