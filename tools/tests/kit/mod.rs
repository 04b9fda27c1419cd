//! Homes for the tests of the program, and the program itself.

use serde_json::Value;
use shrike_core::codes::StageId;
use shrike_core::event::{Body, Header, Quote, Seq};
use shrike_core::units::Nanos;
use shrike_engine::runtime::journal_dir;
use shrike_journal::{Writer, WriterOptions};
use shrike_tests::{configured, run};
use shrike_tools::compose::Counter;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Two days of one product of the generated market: enough for orders, fills, refusals and a day roll.
pub const SMALL: [&str; 3] = ["run.topology=inline", "generator.products=[\"rb\"]", "generator.days=2"];

/// A home that the engine wrote, and the exchange it traded with.
pub fn small_home() -> (TempDir, Counter) {
    let home = tempfile::tempdir().unwrap();
    let (_, counter) = run(&configured("demo", home.path(), &SMALL));
    (home, counter)
}

/// Runs the program over a home.
pub fn shrike(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shrike")).args(args).arg("--home").arg(home).output().unwrap()
}

/// Standard output of a command that must end with this code.
pub fn text(home: &Path, code: i32, args: &[&str]) -> String {
    let output = shrike(home, args);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{}\n{err}", &out[..out.len().min(4_000)]);
    out
}

/// The same as JSON.
pub fn json(home: &Path, code: i32, args: &[&str]) -> Value {
    serde_json::from_str(&text(home, code, &[args, &["--json"]].concat())).unwrap()
}

/// The writer of a stage's journal.
pub fn writer(home: &Path, journal: &str) -> Writer<shrike_journal::Mapped> {
    let stage = if journal == "signal" { StageId::Signal } else { StageId::Order };
    let options = WriterOptions { live_dir: None, ..WriterOptions::simulated(stage, 1) }.with_segment_bytes(1 << 20);
    Writer::create_or_resume(&journal_dir(home, journal), options).unwrap().0
}

/// Appends quotes with these flags, causes and times.
pub fn append(home: &Path, journal: &str, records: &[(u32, Seq, u64)]) {
    let mut writer = writer(home, journal);
    for &(flags, cause, taken_ns) in records {
        let (kind, version, taken_ns) = (Quote::KIND as u16, Quote::VERSION, Nanos::new(taken_ns));
        let header = Header { kind, version, flags, cause, taken_ns, recv_ns: taken_ns, ..Header::default() };
        writer.append(&header, bytemuck::bytes_of(&Quote::default())).unwrap();
    }
    writer.flush_and_close().unwrap();
}
