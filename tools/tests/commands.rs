//! The program over homes that the engine wrote: what it prints must agree with what the venue and the journals know.

use serde_json::Value;
use shrike_core::codes::{Side, StageId};
use shrike_core::event::{Body, Event, Fill, Header, InstrumentDef, Kind, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Text};
use shrike_engine::runtime::{Home, journal_dir};
use shrike_journal::{Reader, Writer, WriterOptions};
use shrike_tests::{configured, run};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The generated market of one day and two products: enough for orders, fills, refusals and a day roll.
const SMALL: [&str; 3] = ["run.topology=inline", "generator.products=[\"rb\"]", "generator.days=2"];

fn small_home() -> (TempDir, shrike_tools::compose::Counter) {
    let home = tempfile::tempdir().unwrap();
    let (_, counter) = run(&configured("demo", home.path(), &SMALL));
    (home, counter)
}

fn shrike(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shrike")).args(args).arg("--home").arg(home).output().unwrap()
}

/// Standard output of a command that must end with this code.
fn text(home: &Path, code: i32, args: &[&str]) -> String {
    let output = shrike(home, args);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
    out
}

fn json(home: &Path, code: i32, args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    serde_json::from_str(&text(home, code, &args)).unwrap()
}

#[test]
fn timing() {
    let began = std::time::Instant::now();
    let (home, counter) = small_home();
    eprintln!("{:?} {} {}", began.elapsed(), counter.exchange.orders().len(), counter.exchange.fills().len());
    for args in [
        &["summary"][..],
        &["status"],
        &["replay"],
        &["replay", "--verify"],
        &["verify", "--deep"],
        &["tail", "order", "-n", "40"],
        &["tail", "signal", "-n", "10"],
        &["tail", "order", "-n", "3", "--json"],
    ] {
        let began = std::time::Instant::now();
        let output = shrike(home.path(), args);
        eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        eprintln!("== {args:?} {:?} {:?}", began.elapsed(), output.status.code());
    }
}
