//! Restarts of a run in simulated time: killed in the middle, it is taken up where it was; under another limit and another
//! strategy parameter, what was really sent stays, and `replay` says what changed and where decisions would differ.
// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use shrike_engine::runtime::journal_dir;
use shrike_journal::Reader;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn shrike(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shrike"));
    // Option quotes beside what a test looks at would only take time.
    command.env("SHRIKE_GENERATOR__BOARDS", "[]");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn output(args: &[&str]) -> (Output, String) {
    let output = shrike(args).stdout(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

const RUN: [&str; 4] = ["run", "--profile", "demo", "--quiet"];

/// Runs the demo and kills it once its order journal holds `records`.
fn run_and_kill(home: &Path, records: u64) {
    let dir = home.display().to_string();
    let mut run = shrike(&[&RUN[..], &["--home", &dir, "--topology", "inline"]].concat()).spawn().unwrap();
    let journal = journal_dir(home, "order");
    let mut held = 0;
    let mut reader = None;
    while held < records {
        assert!(run.try_wait().unwrap().is_none(), "the run ended before it held {records} records");
        match &mut reader {
            None => reader = Reader::open(&journal).ok(),
            Some(reader) => match reader.next().unwrap() {
                Some(record) => held = record.header.seq.n(),
                None => std::thread::yield_now(),
            },
        }
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

/// The records of the order journal up to `limit`, as bytes.
fn records(home: &Path, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        if found.len() == limit {
            break;
        }
        let header = (record.header.seq.raw(), record.header.cause.raw(), record.header.taken_ns.get());
        found.push((format!("{header:?}").into_bytes(), record.body.to_vec()));
    }
    found
}

#[test]
fn a_killed_run_is_taken_up_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    run_and_kill(home.path(), 20_000);
    let before = records(home.path(), usize::MAX);
    let dir = home.path().display().to_string();
    let status = shrike(&[&RUN[..], &["--home", &dir, "--topology", "pipeline"]].concat()).status().unwrap();
    assert!(status.success(), "{status}");
    assert!(records(home.path(), before.len()) == before, "what was recorded stays");
    let (verified, text) = output(&["replay", "--verify", "--home", &dir]);
    assert!(verified.status.success(), "{text}");
    assert!(text.contains("0 differences"), "{text}");
}

#[test]
fn another_limit_and_parameter_change_only_what_comes_after() {
    let home = tempfile::tempdir().unwrap();
    run_and_kill(home.path(), 20_000);
    let before = records(home.path(), usize::MAX);
    let dir = home.path().display().to_string();
    let changed = ["--set", "risk.max_net_lots=1", "--set", "strategy.trend.params.fast=5"];
    let status =
        shrike(&[&RUN[..], &["--home", &dir, "--topology", "inline"], &changed[..]].concat()).status().unwrap();
    assert!(status.success(), "{status}");
    assert!(records(home.path(), before.len()) == before, "what was really sent stays");

    let (verified, text) = output(&["replay", "--verify", "--home", &dir]);
    assert!(verified.status.success(), "each run decides again as it did, under its own configuration: {text}");
    assert!(text.contains("risk.max_net_lots: 20 -> 1"), "{text}");
    assert!(text.contains("strategy.trend.params.fast: 8 -> 5"), "{text}");

    let (verified, text) = output(&["replay", "--verify", "--home", &dir, "--config-from", "last"]);
    assert_eq!(verified.status.code(), Some(1), "the earlier run would have decided otherwise");
    assert!(text.contains("position:") && text.contains("against a limit of 1"), "{text}");
}

#[test]
fn a_stop_signal_ends_the_run_in_order() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().display().to_string();
    let mut run = shrike(&[&RUN[..], &["--home", &dir, "--speed", "60"]].concat()).spawn().unwrap();
    let journal = journal_dir(home.path(), "order");
    let mut reader = None;
    let mut held = 0;
    while held < 20 {
        assert!(run.try_wait().unwrap().is_none(), "the run ended by itself");
        match &mut reader {
            None => reader = Reader::open(&journal).ok(),
            Some(reader) => match reader.next().unwrap() {
                Some(record) => held = record.header.seq.n(),
                None => std::thread::yield_now(),
            },
        }
    }
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    assert!(run.wait().unwrap().success(), "told to stop, it ends well");
    let mut reader = Reader::open(&journal).unwrap();
    let mut last = 0;
    while let Some(record) = reader.next().unwrap() {
        last = record.header.kind;
    }
    assert_eq!(last, shrike_core::event::Kind::RunEnd as u16);
}
