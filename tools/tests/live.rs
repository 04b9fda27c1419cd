//! The program beside a living engine: following a journal, commanding, asking who runs, and readers that go away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

#[allow(dead_code, reason = "shared with the tests of ended homes")]
mod kit;

use kit::{append, json, shrike, small_home, text, writer};
use serde_json::Value;
use shrike_core::codes::{CommandKind, StageId};
use shrike_core::event::{Alarm, Body, Command as OperatorCommand, Event, Header, Quote, Seq, flags};
use shrike_core::units::{Nanos, Text};
use shrike_engine::runtime::{Home, journal_dir};
use shrike_journal::Reader;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn spawn(home: &Path, args: &[&str]) -> Child {
    let mut shrike = Command::new(env!("CARGO_BIN_EXE_shrike"));
    shrike.args(args).arg("--home").arg(home).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A home whose order journal has so many quotes.
fn quoted_home(quotes: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(journal_dir(home.path(), "order")).unwrap();
    let records: Vec<_> = (1..=quotes).map(|n| (0, Seq::ABSENT, n)).collect();
    append(home.path(), "order", &records);
    home
}

#[test]
fn follow_tells_records_as_they_come_and_ends_on_interrupt() {
    let home = quoted_home(25);
    let mut child = spawn(home.path(), &["tail", "order", "--follow", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap()["seq"].clone();
    for n in 16..=25 {
        assert_eq!(next(), format!("order/0:{n}"));
    }
    let mut live = writer(home.path(), "order");
    for n in 26..=40 {
        let header = Header { kind: Quote::KIND as u16, version: 1, taken_ns: Nanos::new(n), ..Header::default() };
        live.append(&header, bytemuck::bytes_of(&Quote::default())).unwrap();
        assert_eq!(next(), format!("order/0:{n}"), "seen at once, before the journal is closed");
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = quoted_home(20_000);
    let mut child = spawn(home.path(), &["tail", "order"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    drop(out);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn commands_are_numbered_and_journaled() {
    let home = quoted_home(1);
    let first = json(home.path(), 0, &["ctl", "halt", "--who", "lin", "--why", "quotes look wrong"]);
    assert_eq!((first["number"].as_u64(), &first["engine"]), (Some(1), &Value::Null));
    assert!(text(home.path(), 0, &["ctl", "cancel-all", "--who", "lin"]).contains("command 2: cancel-all written"));
    assert_eq!(shrike(home.path(), &["ctl", "halt", "--why", &"x".repeat(65)]).status.code(), Some(2));
    assert_eq!(shrike(home.path(), &["ctl", "resume", "--wait"]).status.code(), Some(1), "nobody is there to take it");

    let mut reader = Reader::open(&journal_dir(home.path(), "commands")).unwrap();
    let record = reader.next().unwrap().unwrap();
    assert_eq!(record.header.seq, Seq::new(StageId::Commands, 0, 1));
    let Event::Command(command) = record.event() else { panic!("{:?}", record.event()) };
    assert_eq!((command.kind, command.who.as_str()), (CommandKind::Halt.code(), "lin"));
    assert_eq!(command.why.as_str(), "quotes look wrong");
    assert_eq!(json(home.path(), 0, &["tail", "commands", "-n", "1"])["body"]["kind"], "resume");
    assert_eq!(shrike(home.path(), &["verify", "--deep"]).status.code(), Some(1), "quotes without a run before them");
}

#[test]
fn wait_tells_what_the_engine_did() {
    let (home, _) = small_home();
    let lock = Home::open(home.path(), "shrike run, process 42").unwrap();
    let mut engine = writer(home.path(), "order");
    let commands = journal_dir(home.path(), "commands");
    std::fs::create_dir_all(&commands).unwrap();
    let child = spawn(home.path(), &["ctl", "observe", "--who", "lin", "--wait", "--json"]);
    // The test is the engine: it polls the commands and takes the first.
    let mut reader = Reader::open(&commands).unwrap();
    let (command, seq): (OperatorCommand, Seq) = loop {
        if let Some(record) = reader.next().unwrap()
            && let Event::Command(command) = record.event()
        {
            break (*command, record.header.seq);
        }
        std::thread::yield_now();
    };
    let now = Nanos::new(1_900_000_000_000_000_000);
    let header = Header {
        kind: OperatorCommand::KIND as u16,
        version: 1,
        cause: seq,
        recv_ns: now,
        taken_ns: now,
        ..Header::default()
    };
    let input = engine.append(&header, bytemuck::bytes_of(&command)).unwrap();
    let alarm = Alarm { kind: 7, value: 5, ..Alarm::default() };
    let output = Header { kind: Alarm::KIND as u16, flags: flags::OUTPUT, cause: input, ..header };
    engine.append(&output, bytemuck::bytes_of(&alarm)).unwrap();
    let written = child.wait_with_output().unwrap();
    let written: Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!((&written["taken"], written["engine"].as_str()), (&Value::Bool(true), Some("shrike run, process 42")));

    let status = text(home.path(), 0, &["status"]);
    assert!(status.contains("engine: running, shrike run, process 42"), "{status}");
    drop(lock);
    assert!(text(home.path(), 0, &["status"]).contains("engine: none is running"));
    assert_eq!(Text::<32>::new(b"lin"), Some(command.who));
}
