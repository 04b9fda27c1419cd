//! `shrike record` as a service, and the engines that follow it: killed and started again, with its ids kept and its gap
//! told; two accounts over one recorder, one of them restarted after ten minutes.
// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use shrike_config::tables::Tables;
use shrike_config::{Config, Source};
use shrike_core::codes::{RequestKind, StageId};
use shrike_core::event::{Event, Fill, Header, Kind, MarketSlot, Seq, flags};
use shrike_core::units::Nanos;
use shrike_core::venue::MarketFeed;
use shrike_engine::runtime::journal_dir;
use shrike_feed::recording::{AtEnd, JournalFeed};
use shrike_feed::sim::exchange::Exchange;
use shrike_journal::{Reader, Writer, WriterOptions};
use shrike_tools::compose::Counter;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn shrike(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shrike"));
    // Option quotes beside what a test looks at would only take time.
    command.env("SHRIKE_GENERATOR__BOARDS", "[]");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn output(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        shrike(args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

const MARKET: [&str; 5] = ["record", "--profile", "demo", "--set", "generator.products=[\"rb\",\"IF\"]"];

/// A recorder of a market that passes at a multiple of real speed. Killed ones leave their live segments in `live`.
fn record(home: &Path, live: &Path, speed: &str, more: &[&str]) -> Child {
    let (home, live) = (home.display().to_string(), format!("journal.live_dir={}", live.display()));
    let place = ["--home", &home, "--speed", speed, "--quiet", "--set", "journal.segment_mib=4", "--set", &live];
    shrike(&[&MARKET[..], &place[..], more].concat()).spawn().unwrap()
}

fn live_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A reader of a journal that a child is about to write.
fn reader_of(dir: &Path, child: &mut Child) -> Reader {
    loop {
        match Reader::open(dir) {
            Ok(reader) => return reader,
            Err(_) => assert!(child.try_wait().unwrap().is_none(), "ended before it wrote a journal"),
        }
        std::thread::yield_now();
    }
}

/// Reads on until `found` says so.
fn read_until(reader: &mut Reader, child: &mut Child, mut found: impl FnMut(&shrike_journal::Record<'_>) -> bool) {
    loop {
        match reader.next().unwrap() {
            Some(record) if found(&record) => return,
            Some(_) => {}
            None => {
                assert!(child.try_wait().unwrap().is_none(), "ended before it wrote what the test waits for");
                std::thread::yield_now();
            }
        }
    }
}

fn terminate(child: &mut Child) {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(status.success(), "told to stop, it ends well: {status}");
}

fn dir(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_recorded_day_is_complete_and_verifies() {
    let home = tempfile::tempdir().unwrap();
    let at = dir(home.path());
    let (code, text) = output(&[&MARKET[..], &["--speed", "max", "--home", &at, "--json"]].concat());
    assert_eq!(code, Some(0), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["runs"], &report["ended"]), (&1.into(), &1.into()));
    let day = &report["days"][0];
    assert_eq!((&day["trading_day"], &day["expected"], &day["present"]), (&20240603.into(), &2.into(), &2.into()));
    assert_eq!(output(&["verify", "--deep", "--home", &at]).0, Some(0));
    // The same again is the same bytes' work: nothing is new, and the hole between the runs is told.
    let (code, text) = output(&[&MARKET[..], &["--speed", "max", "--home", &at]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("nothing was recorded from 2024-06-03"), "{text}");
    // A later report is the journal's, under other bounds where they are given.
    let again = ["record", "--report", "--home", &at, "--day", "20240603", "--json", "--set", "record.gap_ms=100"];
    let (code, text) = output(&again);
    assert_eq!(code, Some(1), "{text}");
    let again: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(again["days"][0]["contracts"][0]["ticks"], day["contracts"][0]["ticks"]);
    assert!(!again["days"][0]["contracts"][0]["gaps"].as_array().unwrap().is_empty());
}

#[test]
fn what_cannot_be_recorded_or_reported_says_so() {
    let home = tempfile::tempdir().unwrap();
    let at = dir(home.path());
    let (code, text) = output(&["record", "--report", "--home", &at]);
    assert_eq!(code, Some(2));
    assert!(text.contains("no journal `market` in this home"), "{text}");
    let (code, text) = output(&["record", "--home", &at, "--set", "market.kind=journal"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("needs `market.follow`"), "{text}");
    let live = live_dir();
    let mut first = record(home.path(), live.path(), "60", &[]);
    let mut reader = reader_of(&journal_dir(home.path(), "market"), &mut first);
    read_until(&mut reader, &mut first, |record| record.header.kind == Kind::DepthTick as u16);
    let (code, text) = output(&[&MARKET[..], &["--home", &at]].concat());
    assert_eq!(code, Some(2));
    assert!(text.contains(&format!("is in use by shrike record, process {}", first.id())), "{text}");
    // An engine that took more of a recorder's journal than this one has is following another recorder.
    let engine_home = tempfile::tempdir().unwrap();
    let options = WriterOptions { live_dir: None, ..WriterOptions::simulated(StageId::Signal, 1) };
    let signal = journal_dir(engine_home.path(), "signal");
    let (mut writer, _) = Writer::create_or_resume(&signal, options.with_segment_bytes(1 << 20)).unwrap();
    let cause = Seq::new(StageId::Feed, 0, 1 << 40);
    let header = Header { kind: Kind::Gap as u16, version: 1, cause, ..Header::default() };
    writer.append(&header, &[0; 80]).unwrap();
    writer.flush_and_close().unwrap();
    let follow = format!("market.follow={at}");
    let (code, text) =
        output(&["run", "--home", &dir(engine_home.path()), "--set", "market.kind=journal", "--set", &follow]);
    assert_eq!(code, Some(2));
    assert!(text.contains("but this engine took feed/0:1099511627776 of one"), "{text}");
    terminate(&mut first);
    let mut last = 0;
    while let Some(record) = reader.next().unwrap() {
        last = record.header.kind;
    }
    assert_eq!(last, Kind::RunEnd as u16);
}

#[test]
fn a_killed_recorder_goes_on_and_followers_see_the_gap() {
    let (home, live) = (tempfile::tempdir().unwrap(), live_dir());
    let journal = journal_dir(home.path(), "market");
    // Given a recorder of one product, and a follower of its journal,
    let mut first = record(home.path(), live.path(), "2000", &["--set", "market.instruments=[\"IF*\"]"]);
    let mut reader = reader_of(&journal, &mut first);
    let mut follower = JournalFeed::open(&journal, Seq::ABSENT, AtEnd::Follow).unwrap();
    let mut ticks = 0;
    read_until(&mut reader, &mut first, |record| {
        ticks += u64::from(record.header.kind == Kind::DepthTick as u16);
        ticks == 2_000
    });
    // when it is killed and started again for both products,
    first.kill().unwrap();
    first.wait().unwrap();
    let mut second = record(home.path(), live.path(), "max", &[]);
    assert!(second.wait().unwrap().success());
    // then the follower sees the rest of the first run, the gap, and the second run under the same ids.
    let (mut ids, mut gaps, mut last) = (BTreeMap::new(), Vec::new(), Seq::ABSENT);
    let mut slot = MarketSlot::default();
    let mut per_contract: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
    while follower.take(&mut slot) {
        assert!(slot.header().seq > last);
        last = slot.header().seq;
        match slot.event() {
            Event::InstrumentDef(def) => {
                let symbol = def.symbol.as_str().to_owned();
                assert_eq!(*ids.entry(symbol).or_insert(def.instrument), def.instrument);
            }
            Event::Gap(gap) => gaps.push((gap.start_ns, gap.end_ns, last.epoch())),
            Event::DepthTick(tick) => {
                per_contract.entry(tick.instrument.get()).or_default()[gaps.len().min(1)] += 1;
            }
            _ => {}
        }
    }
    assert!(follower.error().is_none());
    let ids: Vec<_> = ids.iter().map(|(symbol, id)| (&symbol[..2], id.get())).collect();
    assert_eq!(ids, [("IF", 0), ("rb", 1)]);
    let [(lost, open, 1), (again, end, 1)] = gaps[..] else { panic!("{gaps:?}") };
    assert!(lost == again && open.is_absent() && end > lost, "{gaps:?}");
    assert_eq!(last.epoch(), 1, "what followers hold of before the kill keeps its numbers");
    assert!(per_contract[&0][0] >= 2_000 && per_contract[&0][1] > 0, "{per_contract:?}");
    assert!(per_contract[&1][0] == 0 && per_contract[&1][1] > 0, "{per_contract:?}");
    assert_eq!(output(&["verify", "--deep", "--home", &dir(home.path())]).0, Some(0));
    let (code, text) = output(&["record", "--report", "--home", &dir(home.path())]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("nothing was recorded from 2024-") && text.contains("2 runs, 1 ended in order"), "{text}");
}

fn engine(home: &Path, recorder: &Path, live: &Path, account: &str, speed: &str) -> Child {
    let (home, follow) = (dir(home), format!("market.follow={}", dir(recorder)));
    let (live, account) = (format!("journal.live_dir={}", live.display()), format!("exchange.account_id={account}"));
    let mut args = vec!["run", "--profile", "demo", "--quiet", "--home", &home, "--speed", speed];
    args.extend(["--set", "market.kind=journal"]);
    if speed != "max" {
        // At such a speed the patience of a stop is some milliseconds of a busy machine.
        args.extend(["--set", "orders.on_stop=keep"]);
    }
    let settings = [&follow, &live, &account, "run.topology=inline", "risk.cancels_per_day=100000"];
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    args.extend(["--set", "risk.orders_per_day=100000", "--set", "risk.product.IF.cancels_per_day=100000"]);
    shrike(&args).spawn().unwrap()
}

/// What the test wants to know of an engine's journals.
#[derive(Default)]
struct Story {
    /// Numbers of the market events it took, in its order.
    market: Vec<Seq>,
    /// Of its last run: times of the first and the last event that was caught up.
    caught_up: Option<(Nanos, Nanos)>,
    /// Intents that an event which was caught up led to.
    intents_of_catchup: u64,
    /// Orders of the last run before the last event that was caught up, and after it.
    orders: [u64; 2],
    fills: BTreeSet<(u8, shrike_core::units::Text<24>, u8)>,
    starts: u32,
}

fn key(fill: &Fill) -> (u8, shrike_core::units::Text<24>, u8) {
    (fill.exchange, fill.trade_id, fill.side)
}

fn story(home: &Path) -> Story {
    let mut story = Story::default();
    let mut reader = Reader::open(&journal_dir(home, "signal")).unwrap();
    while let Some(record) = reader.next().unwrap() {
        let header = record.header;
        let is_intent = matches!(record.event(), Event::TargetPosition(_) | Event::TargetQuote(_));
        match record.event() {
            Event::RunStart(_) => {
                story.starts += 1;
                story.caught_up = None;
            }
            _ if header.has(flags::OUTPUT) => {
                story.intents_of_catchup += u64::from(is_intent && header.has(flags::CATCHUP));
            }
            _ if header.cause.stage() == Some(StageId::Feed) => {
                story.market.push(header.cause);
                if header.has(flags::CATCHUP) {
                    let first = story.caught_up.map_or(header.recv_ns, |(first, _)| first);
                    story.caught_up = Some((first, header.recv_ns));
                }
            }
            _ => {}
        }
    }
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    while let Some(record) = reader.next().unwrap() {
        let header = record.header;
        match record.event() {
            Event::RunStart(_) => story.orders = [0, 0],
            Event::OrderRequest(request) if request.kind() == Some(RequestKind::Insert) => story.orders[1] += 1,
            Event::Fill(fill) if !header.has(flags::OUTPUT) => {
                story.fills.insert(key(fill));
            }
            _ if header.has(flags::CATCHUP) => story.orders = [story.orders[0] + story.orders[1], 0],
            _ => {}
        }
    }
    story
}

#[test]
fn two_accounts_follow_one_recorder_and_one_is_away_for_ten_minutes() {
    let homes = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [recorder, alice, bob] = [homes[0].path(), homes[1].path(), homes[2].path()];
    let live = live_dir();
    // Given a recorder of a generated market, and two engines that follow it, one in event time and one in real time,
    let mut market = record(recorder, live.path(), "2000", &["--set", "generator.snapshot_ms=2000"]);
    let follow = |home, account, speed| engine(home, recorder, live.path(), account, speed);
    let mut engines = [follow(alice, "alice", "max"), follow(bob, "bob", "2000")];
    let mut orders = reader_of(&journal_dir(alice, "order"), &mut engines[0]);
    let mut fills = 0;
    read_until(&mut orders, &mut engines[0], |record| {
        fills += u64::from(record.header.kind == Kind::Fill as u16);
        fills == 5
    });
    // when one of them is killed as it trades, and started again after ten minutes of the market,
    engines[0].kill().unwrap();
    engines[0].wait().unwrap();
    let away_since = {
        let mut reader = Reader::open(&journal_dir(alice, "signal")).unwrap();
        let mut last = Nanos::ABSENT;
        while let Some(record) = reader.next().unwrap() {
            last = last.max(record.header.recv_ns);
        }
        last
    };
    let mut journal = reader_of(&journal_dir(recorder, "market"), &mut market);
    let back = away_since.after(600 * Nanos::PER_SECOND);
    read_until(&mut journal, &mut market, |record| record.header.recv_ns >= back);
    engines[0] = follow(alice, "alice", "max");
    // and all goes on to the end of the day,
    assert!(market.wait().unwrap().success());
    let mut feed = JournalFeed::open(&journal_dir(recorder, "market"), Seq::ABSENT, AtEnd::Stop).unwrap();
    let (mut slot, mut recorded) = (MarketSlot::default(), Vec::new());
    while feed.take(&mut slot) {
        recorded.push(slot.header().seq);
    }
    for (engine, home) in engines.iter_mut().zip([alice, bob]) {
        let mut reader = reader_of(&journal_dir(home, "signal"), engine);
        read_until(&mut reader, engine, |record| record.header.cause == recorded[recorded.len() - 1]);
        assert!(Command::new("kill").args(["-TERM", &engine.id().to_string()]).status().unwrap().success());
        let status = engine.wait().unwrap();
        let left =
            || output(&["status", "--home", &dir(home)]).1 + &output(&["tail", "--home", &dir(home), "-n", "40"]).1;
        assert!(status.success(), "{status}\n{}", left());
    }
    // then each took every event of the recorder once and in its order;
    let [story, steady] = [alice, bob].map(story);
    assert!(
        story.market == recorded && steady.market == recorded,
        "{} and {}",
        story.market.len(),
        steady.market.len()
    );
    assert_eq!((story.starts, steady.starts), (2, 1));
    // the one that was away caught up on ten minutes without intents or orders, and then traded;
    let (from, to) = story.caught_up.expect("there was something to catch up on");
    assert!(to.since(from) >= 590 * Nanos::PER_SECOND, "{from:?} to {to:?}");
    assert_eq!((story.intents_of_catchup, story.orders[0]), (0, 0), "nothing was wanted or sent meanwhile");
    assert!(story.orders[1] > 0 && steady.fills.len() > 5, "{:?}, {}", story.orders, steady.fills.len());
    // every fill of its own exchange is in its journal, and no other, for either account;
    for (home, story) in [(alice, &story), (bob, &steady)] {
        let source = Source { profile: Some("demo".into()), ..Source::default() };
        let counter = Counter::new(&Config::load(&source).unwrap().config, &Tables::builtin().unwrap());
        let mut journal = Reader::open(&journal_dir(home, "exchange")).unwrap();
        let exchange = Exchange::recover(counter.options(), &mut journal).unwrap();
        let made: BTreeSet<_> = exchange.fills().iter().map(key).collect();
        assert_eq!(story.fills, made);
        // and both verify.
        for check in [&["replay", "--verify"][..], &["verify", "--deep"]] {
            let (code, text) = output(&[check, &["--home", &dir(home)]].concat());
            assert_eq!(code, Some(0), "{check:?}\n{text}");
        }
    }
    println!("caught up on {} s; {} orders after", to.since(from) / Nanos::PER_SECOND, story.orders[1]);
}
