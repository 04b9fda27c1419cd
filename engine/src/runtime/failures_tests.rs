//! Runs that fail at an event, whole: a home, its journals, both stages on one thread, a market and a venue that have
//! nothing to say, and an operator whose commands are poison.

use super::*;
use crate::order::{OrderCapacity, OrderStage};
use crate::setup;
use crate::signal::SignalStage;
use shrike_config::Config;
use shrike_config::tables::Tables;
use shrike_core::clock::SimTime;
use shrike_core::codes::{AlarmKind, CommandKind, StageId};
use shrike_core::event::{Command, Event, Header, Kind, MarketSlot, ReportSlot, Seq};
use shrike_core::thread::ThreadPlan;
use shrike_core::units::{Nanos, Text};
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::{Reader, WriterOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

struct Silent;

impl MarketFeed for Silent {
    fn next(&mut self) -> Next {
        Next::End
    }
    fn take(&mut self, _slot: &mut MarketSlot) -> bool {
        false
    }
}

impl Gateway for Silent {
    fn request(&mut self, _now: Nanos, _header: &Header, _request: Event<'_>) {}
    fn next(&mut self) -> Next {
        Next::End
    }
    fn take(&mut self, _slot: &mut ReportSlot) -> bool {
        false
    }
}

/// Commands still to be given: number, kind, why.
struct Said(Vec<(u64, CommandKind, &'static str)>);

impl Commands for Said {
    fn next(&mut self) -> Option<(Seq, Command, u64)> {
        let (number, kind, why) = (!self.0.is_empty()).then(|| self.0.remove(0))?;
        let why = Text::new(why.as_bytes()).unwrap();
        Some((Seq::new(StageId::Commands, 0, number), Command { why, kind: kind.code(), ..Command::default() }, 0))
    }
}

fn engine(home: &Path) -> Result<Engine, RunError> {
    let journal = |stage| WriterOptions {
        live_dir: Some(home.join("live")),
        ..WriterOptions::simulated(stage, 1).with_segment_bytes(64 << 10)
    };
    let options = EngineOptions {
        topology: Topology::Inline,
        journals: [journal(StageId::Signal), journal(StageId::Order)],
        orders_sync: false,
        edge: ThreadPlan::default(),
        lock_memory: false,
        build: "test".into(),
        config_hash: 1,
        run_id: 1,
    };
    Engine::open(home, stages, options)
}

fn stages() -> (SignalStage, OrderStage) {
    let (config, tables) = (Config::from_text("").unwrap(), Tables::builtin().unwrap());
    let capacity = OrderCapacity { instruments: 1, strategies: 1, orders: 8 };
    (SignalStage::new(1, Vec::new()), OrderStage::new(setup::order_settings(&config, &tables), capacity))
}

/// One run with these commands; what people are told at its start.
fn life(home: &Path, commands: &[(u64, CommandKind, &'static str)]) -> Result<Vec<String>, RunError> {
    let engine = engine(home)?;
    let notes = engine.notes().to_vec();
    let start = Nanos::new(engine.folded().order.taken_ns.get().max(1_700_000_000 * Nanos::PER_SECOND) + 1);
    let mut commands = Said(commands.to_vec());
    engine.run(Run {
        feed: &mut Silent,
        gateway: &mut Silent,
        pace: Pace::Max(Arc::new(SimTime::new(start))),
        told: &AtomicBool::new(false),
        commands: Some(&mut commands),
        catchup_before: Nanos::ABSENT,
        days: 0,
        progress: &mut |_, _| {},
        say: &mut |_| {},
        config_text: "",
    })?;
    Ok(notes)
}

/// Alarms of an event set aside in the order journal: how many were raised, how many ended.
fn alarms(home: &Path) -> [usize; 2] {
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    let mut counts = [0; 2];
    while let Some(record) = reader.next().unwrap() {
        if let Event::Alarm(alarm) = record.event()
            && alarm.kind == AlarmKind::EventSetAside.code()
        {
            counts[usize::from(alarm.cleared)] += 1;
        }
    }
    counts
}

fn failed(life: Result<Vec<String>, RunError>) -> Failure {
    match life {
        Err(RunError::Panicked(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_two_failures_at_one_place_the_event_is_set_aside_and_the_engine_only_reduces() {
    for why in ["poison", "poison decisions"] {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        life(home, &[(1, CommandKind::Observe, "a look")]).unwrap();
        let first = failed(life(home, &[(2, CommandKind::Resume, why)]));
        assert_eq!((first.count, first.kind), (1, Kind::Command as u16), "{why}");
        // The live run, and one start over its journal: the second failure.
        let second = failed(life(home, &[]));
        assert_eq!((second.count, second.seq), (2, first.seq), "{why}");

        let notes = life(home, &[]).unwrap();
        let told = notes.iter().find(|note| note.contains("set aside")).unwrap();
        for expected in [first.seq.to_string().as_str(), "a poisoned", "quarantine", "shrike ctl resume"] {
            assert!(told.contains(expected), "{why}: {expected:?} in {told:?}");
        }
        assert_eq!(alarms(home), [1, 0], "{why}: journaled");
        let before = engine(home).unwrap();
        assert!(before.order().reduces_only(), "{why}: over further starts");
        drop(before);
        // It goes on, and stays left out, whoever starts it later.
        assert!(!life(home, &[]).unwrap().iter().any(|note| note.contains("set aside")), "{why}: said once");
        assert_eq!(alarms(home), [2, 0], "{why}: each run raises its alarm");
        life(home, &[(3, CommandKind::Resume, "seen")]).unwrap();
        assert_eq!(alarms(home), [3, 1], "{why}");
        assert!(!engine(home).unwrap().order().reduces_only(), "{why}");

        let (_, mut order) = stages();
        let (journal, quarantine) = (Reader::open(&journal_dir(home, "order")).unwrap(), Quarantine::of(home).unwrap());
        let whole = (Seq::ABSENT, Seq::ABSENT);
        let mut differs = |mismatch| panic!("{why}: {mismatch:?}");
        let report = crate::replay::verify(journal, &mut order, whole, &quarantine, &mut differs, &mut |_| {}).unwrap();
        assert_eq!(report.set_aside, 1, "{why}: a replay leaves it out, too");
    }
}

#[test]
fn a_start_that_goes_well_forgets_the_failure_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let failures = Failures::of(dir.path());
    let seen = |n| crate::witness::Seen { seq: Seq::new(StageId::Order, 0, n), kind: Kind::Fill as u16 };
    let (soon, later) = (std::time::Duration::from_secs(5), std::time::Duration::from_secs(3_600));
    assert_eq!(failures.last().unwrap(), None);
    assert_eq!(failures.note(seen(7), &"index out of bounds", soon).unwrap().count, 1);
    assert_eq!(failures.note(seen(9), &"something else", soon).unwrap().count, 1, "another place");
    assert_eq!(failures.note(seen(9), &"third words", soon).unwrap().count, 2, "the same event");
    assert_eq!(failures.due().unwrap().unwrap().seq, seen(9).seq);
    assert_eq!(failures.note(seen(9), &"something else", later).unwrap().count, 1, "it had started");
    assert_eq!(failures.due().unwrap(), None);
    failures.forget().unwrap();
    failures.forget().unwrap();
    assert_eq!(failures.last().unwrap(), None);
    std::fs::write(dir.path().join("failed-starts"), "what is this").unwrap();
    assert!(
        failures.due().unwrap_err().to_string().contains("failed-starts"),
        "a file of ours that is none is refused"
    );
}
