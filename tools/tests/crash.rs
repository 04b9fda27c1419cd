//! The promise: kill the engine at any moment, start it again, and nothing is sent twice, nothing filled is lost, and the
//! books are the exchange's. Against `shrike exchange` as a process of its own, which keeps trading meanwhile.
// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use shrike_engine::runtime::journal_dir;
use shrike_journal::Reader;
use shrike_tests::books;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Kills of one run.
const KILLS: usize = 50;

/// splitmix64 (S. Vigna): the positions at which the engine is killed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A process that does not outlive the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended where the test went well.
        let _ = self.0.kill();
    }
}

fn shrike(args: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shrike"));
    // Option quotes beside what a test looks at would only take time.
    command.env("SHRIKE_GENERATOR__BOARDS", "[]");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
    Running(command.spawn().expect("the shrike binary starts"))
}

fn engine(home: &Path, exchange: &Path, live: &Path, topology: &str) -> Running {
    let home = home.display().to_string();
    let settings = [
        "market.kind=exchange".to_owned(),
        format!("exchange.home={}", exchange.display()),
        format!("run.topology={topology}"),
        "risk.cancels_per_day=100000".to_owned(),
        "risk.orders_per_day=100000".to_owned(),
        "risk.product.IF.cancels_per_day=100000".to_owned(),
        "journal.segment_mib=4".to_owned(),
        format!("journal.live_dir={}", live.display()),
    ];
    let mut args = vec!["run", "--profile", "demo", "--quiet", "--home", &home];
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    shrike(&args)
}

/// Waits until the order journal holds `position` records or the engine has ended; how many it holds.
fn wait_for(home: &Path, position: u64, engine: &mut Running) -> (u64, bool) {
    let dir = journal_dir(home, "order");
    let mut reader = loop {
        match Reader::open(&dir) {
            Ok(reader) => break reader,
            Err(_) => assert!(engine.0.try_wait().unwrap().is_none(), "the engine ended before it wrote a journal"),
        }
    };
    let mut held = 0;
    loop {
        match reader.next() {
            Ok(Some(record)) => held = record.header.seq.n(),
            Ok(None) => {
                if let Some(status) = engine.0.try_wait().unwrap() {
                    assert!(status.success(), "the engine failed: {status}");
                    return (held, true);
                }
                std::thread::yield_now();
            }
            Err(error) => panic!("the live journal cannot be read: {error}"),
        }
        if held >= position {
            return (held, false);
        }
    }
}

#[test]
fn fifty_kills_lose_nothing_and_repeat_nothing() {
    let seed = std::env::var("SHRIKE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101);
    println!("seed {seed} (set SHRIKE_SEED for another)");
    let (home, exchange_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (home, exchange_home) = (home.path(), exchange_home.path());
    // What a killed engine leaves in memory goes with the test.
    let live = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (engine_dir, exchange_dir) = (home.display().to_string(), exchange_home.display().to_string());
    let market = ["exchange", "--profile", "demo", "--speed", "max", "--pause-us", "40", "--until-over"];
    let places = ["--home", &exchange_dir, "--engine", &engine_dir, "--set", "journal.segment_mib=16"];
    let mut exchange = shrike(&[&market[..], &places[..]].concat());
    let mut draw = Draw(seed);
    let (mut held, mut killed) = (0, 0);
    while killed < KILLS {
        let topology = ["inline", "pipeline"][killed % 2];
        let mut engine = engine(home, exchange_home, live.path(), topology);
        // A start writes a few records; a kill may fall among them.
        let (now, ended) = wait_for(home, held + 1 + draw.below(2_000), &mut engine);
        assert!(!ended, "the market was over after {killed} kills: slow the exchange down");
        engine.0.kill().unwrap();
        engine.0.wait().unwrap();
        held = now;
        killed += 1;
    }
    let status = engine(home, exchange_home, live.path(), "pipeline").0.wait().unwrap();
    if !status.success() {
        for look in [&["status"][..], &["tail", "order", "-n", "60"]] {
            let look = [look, &["--home", &engine_dir]].concat();
            let output = Command::new(env!("CARGO_BIN_EXE_shrike")).args(look).output().unwrap();
            println!("{}", String::from_utf8_lossy(&output.stdout));
        }
    }
    assert!(status.success(), "the last run ends in order: {status}");
    assert!(exchange.0.wait().unwrap().success(), "the exchange ends in order");
    let books = books::agree(home, exchange_home);
    assert!(books.sent > 200 && books.fills > 50, "the engine traded: {books:?}");
}
