//! The tables of the binding against the vendor's headers, which are fetched at test time: a C++ compiler says how large
//! each struct is, where each field lies, and in which slot each virtual function is.

// Lints know test functions as tests, not the functions that they share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packages;

use packages::{headers, run, skip};
use shrike_feed::ctp::abi::slots::{MarketCall, MarketEvent, TraderCall, TraderEvent};
use shrike_feed::ctp::abi::structs::{Fact, Field, facts};
use shrike_feed::ctp::abi::version::Version;
use shrike_feed::ctp::decode::{DepthSnapshot, Level};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem::offset_of;
use std::process::Command;

#[test]
fn the_tables_are_what_the_headers_say() {
    for version in Version::ALL {
        let headers = match headers(version.name()).and_then(|headers| compiler().map(|()| headers)) {
            Ok(headers) => headers,
            Err(why) => return skip(&format!("CTP's headers {version}: {why}")),
        };
        let scratch = tempfile::tempdir().unwrap();
        let (source, program) = (scratch.path().join("facts.cpp"), scratch.path().join("facts"));
        std::fs::write(&source, program_text(version)).unwrap();
        let mut compile = Command::new("g++");
        compile.args(["-w", "-fdump-lang-class=classes", "-o"]).args([&program, &source]);
        run(compile.arg("-I").arg(&headers).current_dir(&scratch)).unwrap();
        let found: BTreeMap<String, String> = run(&mut Command::new(&program)).unwrap().lines().map(fact).collect();
        let expected: BTreeMap<String, String> = expected(version).lines().map(fact).collect();
        assert!(expected.len() > 300, "the program asks for every field and function");
        assert_eq!(found, expected, "version {version}");

        let classes = std::fs::read_to_string(scratch.path().join("classes")).unwrap();
        for (class, count) in [
            (TraderCall::CLASS, TraderCall::count(version)),
            (TraderEvent::CLASS, TraderEvent::count(version)),
            (MarketCall::CLASS, MarketCall::count(version)),
            (MarketEvent::CLASS, MarketEvent::count(version)),
        ] {
            // The vtable's first two entries stand before its slots.
            let entries = format!("::_ZTV{}{class}: {} entries", class.len(), count + 2);
            assert!(classes.contains(&entries), "version {version}: {class} has {count} slots");
        }
    }
}

fn compiler() -> Result<(), String> {
    run(Command::new("g++").arg("--version")).map(drop)
}

/// `name` and what is said of it.
fn fact(line: &str) -> (String, String) {
    let (name, value) = line.split_once(' ').unwrap_or((line, ""));
    (name.to_owned(), value.to_owned())
}

/// What the program should print.
fn expected(version: Version) -> String {
    let mut lines = String::new();
    for (name, sizes, fields) in all_facts() {
        writeln!(lines, "{name} {}", sizes[version.column()]).unwrap();
        for field in fields {
            writeln!(lines, "{name}.{} {} {}", field.name, field.offset, field.len).unwrap();
        }
    }
    for (class, function, slot) in functions(version) {
        writeln!(lines, "{class}::{function} {slot}").unwrap();
    }
    lines
}

fn program_text(version: Version) -> String {
    let mut text = String::from(
        "#include <cstdio>\n#include <cstddef>\n#include <cstring>\n\
         #include \"ThostFtdcTraderApi.h\"\n#include \"ThostFtdcMdApi.h\"\n\
         // Of a virtual function a pointer to a member is its place in the vtable, in bytes, plus one.\n\
         template <class F> long slot(F f) { long at; std::memcpy(&at, &f, sizeof at); return at / 8; }\n\
         int main() {\n",
    );
    for (name, _, fields) in all_facts() {
        let full = format!("CThostFtdc{name}Field");
        writeln!(text, "std::printf(\"{name} %zu\\n\", sizeof({full}));").unwrap();
        for Field { name: field, .. } in fields {
            let facts = format!("offsetof({full}, {field}), sizeof({full}::{field})");
            writeln!(text, "std::printf(\"{name}.{field} %zu %zu\\n\", {facts});").unwrap();
        }
    }
    for (class, function, _) in functions(version) {
        writeln!(text, "std::printf(\"{class}::{function} %ld\\n\", slot(&{class}::{function}));").unwrap();
    }
    text + "}\n"
}

fn functions(version: Version) -> Vec<(&'static str, &'static str, usize)> {
    let trader_calls = TraderCall::ALL.iter().map(|it| (TraderCall::CLASS, it.name(), it.slot(version)));
    let trader_events = TraderEvent::ALL.iter().map(|it| (TraderEvent::CLASS, it.name(), it.slot(version)));
    let market_calls = MarketCall::ALL.iter().map(|it| (MarketCall::CLASS, it.name(), it.slot(version)));
    let market_events = MarketEvent::ALL.iter().map(|it| (MarketEvent::CLASS, it.name(), it.slot(version)));
    trader_calls.chain(trader_events).chain(market_calls).chain(market_events).collect()
}

/// The tables' structs, and the snapshot, which is declared beside its decoder.
fn all_facts() -> Vec<Fact> {
    facts().copied().chain([snapshot()]).collect()
}

fn snapshot() -> Fact {
    macro_rules! fields {
        ($($field:ident: $ctp:literal $len:literal,)+) => {
            vec![$(Field { name: $ctp, offset: offset_of!(DepthSnapshot, $field), len: $len }),+]
        };
    }
    let mut fields = fields! {
        trading_day: "TradingDay" 9, exchange: "ExchangeID" 9, last: "LastPrice" 8,
        pre_settlement: "PreSettlementPrice" 8, pre_close: "PreClosePrice" 8, pre_open_interest: "PreOpenInterest" 8,
        open: "OpenPrice" 8, high: "HighestPrice" 8, low: "LowestPrice" 8, volume: "Volume" 4, turnover: "Turnover" 8,
        open_interest: "OpenInterest" 8, close: "ClosePrice" 8, settlement: "SettlementPrice" 8,
        upper_limit: "UpperLimitPrice" 8, lower_limit: "LowerLimitPrice" 8, pre_delta: "PreDelta" 8,
        delta: "CurrDelta" 8, time: "UpdateTime" 9, millis: "UpdateMillisec" 4, average: "AveragePrice" 8,
        action_day: "ActionDay" 9, instrument: "InstrumentID" 81, exchange_instrument: "ExchangeInstID" 81,
        banding_upper: "BandingUpperPrice" 8, banding_lower: "BandingLowerPrice" 8,
    };
    for (level, names) in (0..).zip([
        ["BidPrice1", "BidVolume1", "AskPrice1", "AskVolume1"],
        ["BidPrice2", "BidVolume2", "AskPrice2", "AskVolume2"],
        ["BidPrice3", "BidVolume3", "AskPrice3", "AskVolume3"],
        ["BidPrice4", "BidVolume4", "AskPrice4", "AskVolume4"],
        ["BidPrice5", "BidVolume5", "AskPrice5", "AskVolume5"],
    ]) {
        let at = offset_of!(DepthSnapshot, levels) + level * size_of::<Level>();
        let offsets =
            [offset_of!(Level, bid), offset_of!(Level, bid_lots), offset_of!(Level, ask), offset_of!(Level, ask_lots)];
        let lengths = [8, 4, 8, 4];
        let level_fields = names.into_iter().zip(offsets).zip(lengths);
        fields.extend(level_fields.map(|((name, offset), len)| Field { name, offset: at + offset, len }));
    }
    ("DepthMarketData", [size_of::<DepthSnapshot>(); 4], fields.leak())
}
