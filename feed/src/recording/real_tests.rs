//! The recordings of three exchanges, against facts counted independently (with Python's csv module) when this was
//! written. Skipped, saying so, where the data is absent.
#![allow(clippy::disallowed_types, reason = "the test prints its speed")]

use super::tests::open;
use super::*;
use shrike_core::codes::PhaseKind;
use shrike_core::event::Event;
use shrike_core::units::Price;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

fn data() -> Option<PathBuf> {
    let near = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let dir = std::env::var_os("SHRIKE_DATA").map_or_else(near, PathBuf::from).join("ctp");
    if !dir.is_dir() {
        println!("skipped: no recordings at {} (set SHRIKE_DATA)", dir.display());
        return None;
    }
    Some(dir)
}

/// Rows of each contract and trading day in the files. Ticks are fewer: each AP010 day begins with one stale row and
/// ends with one repeated row; IF2101 has two and three rows after the close.
const ROWS: [(&str, u32, u64); 18] = [
    ("ru1901", 20181008, 24_331),
    ("ru1901", 20181009, 14_205 + 26_243),
    ("ru1901", 20181010, 13_298 + 24_446),
    ("ru1901", 20181011, 13_975 + 25_316),
    ("ru1901", 20181012, 13_422 + 23_650),
    ("ru1901", 20181015, 13_278),
    ("AP010", 20200803, 12_515 - 2),
    ("AP010", 20200804, 11_871 - 2),
    ("AP010", 20200805, 12_281 - 2),
    ("AP010", 20200806, 12_179 - 2),
    ("AP010", 20200807, 13_054 - 2),
    ("AP010", 20200810, 12_770 - 2),
    ("AP010", 20200811, 12_997 - 2),
    ("AP010", 20200812, 12_923 - 2),
    ("AP010", 20200813, 12_695 - 2),
    ("AP010", 20200814, 12_749 - 2),
    ("IF2101", 20210104, 27_955 - 2),
    ("IF2101", 20210105, 28_254 - 3),
];

/// Settlement prices as the files state them; of 2018-10-15 there is only the night, whose average is 12315.14.
const SETTLED: [(&str, &[&str]); 3] = [
    ("ru1901", &["12310", "12620", "12610", "12300", "12255", "12315"]),
    ("AP010", &["7104", "7159", "7157", "7081", "6891", "7006", "7141", "7130", "7211", "7101"]),
    ("IF2101", &["5278.6", "5357"]),
];

#[test]
fn every_row_of_three_exchanges_is_a_tick_or_counted() {
    let Some(dir) = data() else { return };
    let started = Instant::now();
    let mut feed = open(&dir).unwrap();
    let mut slot = MarketSlot::default();
    let mut symbols: Vec<String> = Vec::new();
    let mut phase = PhaseKind::Shut;
    let mut phase_start = Nanos::ABSENT;
    let mut counts: BTreeMap<(usize, u32), u64> = BTreeMap::new();
    let mut settled: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut last = DepthTick::default();
    let mut clock = Nanos::ABSENT;
    while let Next::At(at) = feed.next() {
        assert!(feed.take(&mut slot));
        assert!(at >= clock, "time goes back at {at}");
        clock = at;
        match slot.event() {
            Event::InstrumentDef(def) => symbols.push(def.symbol.to_string()),
            // The contracts follow each other by years, so one phase is enough here.
            Event::Phase(begins) => (phase, phase_start) = (begins.kind(), begins.start_ns),
            Event::DepthTick(tick) => {
                *counts.entry((tick.instrument.index(), tick.trading_day.get())).or_default() += 1;
                check(tick, &last);
                let trades = !matches!(phase, PhaseKind::Shut | PhaseKind::Break);
                assert!(trades || tick.exch_ns.since(phase_start) < Nanos::PER_SECOND, "{phase} at {at}");
                last = *tick;
            }
            Event::Settlement(told) => {
                settled.entry(told.instrument.index()).or_default().push(told.settlement.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
    let (ticks, elapsed) = (counts.values().sum::<u64>(), started.elapsed());
    println!(
        "{ticks} ticks in {elapsed:?}: {:.0} rows/s with this test's checks",
        ticks as f64 / elapsed.as_secs_f64()
    );
    let expected: Vec<_> = ROWS.iter().map(|&(symbol, day, rows)| (symbol, day, rows)).collect();
    let found: Vec<_> = counts.iter().map(|(&(id, day), &rows)| (symbols[id].as_str(), day, rows)).collect();
    assert_eq!(found, expected);
    for (id, prices) in settled {
        let (_, expected) = SETTLED.iter().find(|(symbol, _)| *symbol == symbols[id]).unwrap();
        assert_eq!(prices, *expected, "{}", symbols[id]);
    }
    assert_eq!(feed.skipped(), [("stale", 10), ("post-close", 2 + 3), ("duplicate", 10)]);
    assert_eq!(feed.errors().len(), 0);
    let all = counts.values().sum::<u64>() + feed.skipped().iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(all, 192_164 + 126_034 + 56_209, "no row is lost");
}

/// What holds for every snapshot of a sound recording.
fn check(tick: &DepthTick, last: &DepthTick) {
    if tick.instrument == last.instrument {
        assert!(tick.exch_ns > last.exch_ns, "{tick:?}");
    }
    if (tick.instrument, tick.trading_day) == (last.instrument, last.trading_day) {
        assert!(tick.volume >= last.volume, "{tick:?}");
    }
    assert!(tick.lower_limit <= tick.last && tick.last <= tick.upper_limit, "{tick:?}");
    assert!(tick.bids[0] < tick.asks[0], "{tick:?}");
    assert!(tick.bids[1..].iter().chain(&tick.asks[1..]).all(|price| price.is_absent()), "level 1 only: {tick:?}");
    // CZCE rounds its average to whole yuan.
    let slack = Price::ONE_RAW;
    assert!(tick.average.raw() >= tick.low.raw() - slack && tick.average.raw() <= tick.high.raw() + slack, "{tick:?}");
    assert_eq!(tick.exch_ns.china_date(), tick.action_day);
}
