//! Snapshots at a session's end: a home continued from one and a home continued without write the same journals, byte for
//! byte; one that is broken, of another configuration or ahead of the journals is left aside, and said to be.

use shrike_config::Loaded;
use shrike_config::tables::Tables;
use shrike_core::event::{Event, RunStart};
use shrike_engine::runtime::{Engine, FoldReport, journal_dir};
use shrike_engine::setup;
use shrike_journal::Reader;
use shrike_tests::{configured, run, verify};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The demo over two generated days of one product, a day a run.
const DAILY: [&str; 4] = ["run.topology=inline", "generator.products=[\"rb\"]", "generator.days=2", "run.days=1"];

fn daily(home: &Path) -> Loaded {
    configured("demo", home, &DAILY)
}

/// Every file of a home with its bytes, by its path within.
fn files(home: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut dirs) = (Vec::new(), vec![home.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(home).unwrap().display().to_string();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn copy(home: &Path) -> TempDir {
    let copied = tempfile::tempdir().unwrap();
    for (name, bytes) in files(home) {
        let path = copied.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    copied
}

/// What an engine that opens a copy of the home under a configuration says, and how many order records it counts.
fn opened(home: &Path, overrides: &[&str]) -> (String, FoldReport) {
    let copied = copy(home);
    let loaded = configured("demo", copied.path(), overrides);
    let tables = Tables::builtin().unwrap();
    let options = setup::engine_options(&loaded, true, "test");
    let engine = Engine::open(copied.path(), || setup::stages(&loaded.config, &tables), options).unwrap();
    (engine.notes().join("\n"), engine.folded().order)
}

/// The starts that the order journal tells of, and how many records it has.
fn starts(home: &Path) -> (Vec<RunStart>, u64) {
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    let (mut starts, mut records) = (Vec::new(), 0);
    while let Some(record) = reader.next().unwrap() {
        records += 1;
        if let Event::RunStart(start) = record.event() {
            starts.push(*start);
        }
    }
    (starts, records)
}

fn assert_verified(home: &Path) {
    let [signal, order] = verify(home);
    assert_eq!((signal.differences, order.differences), (0, 0));
}

/// A home after its first day.
fn day_one() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    run(&daily(home.path()));
    home
}

#[test]
fn with_a_snapshot_and_without_the_files_are_the_same() {
    let first = day_one();
    let (_, records) = starts(first.path());
    let (said, order) = opened(first.path(), &DAILY);
    assert!(said.contains("started from the snapshot; 0 records"), "{said}");
    assert_eq!((order.records, order.starts, order.clean), (records, 1, true));

    let (with, without, broken) = (copy(first.path()), copy(first.path()), copy(first.path()));
    fs::remove_file(without.path().join("snapshot")).unwrap();
    assert_eq!(opened(without.path(), &DAILY).0, "");
    let mut bytes = fs::read(broken.path().join("snapshot")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(broken.path().join("snapshot"), bytes).unwrap();
    let (said, order) = opened(broken.path(), &DAILY);
    assert!(said.contains("the journals are folded instead: checksum"), "{said}");
    assert_eq!(order.records, records);

    for home in [&with, &without, &broken] {
        run(&daily(home.path()));
    }
    let (runs, both) = starts(with.path());
    assert_eq!(runs.iter().map(|run| (run.start, run.after_clean_stop)).collect::<Vec<_>>(), [(0, 0), (1, 1)]);
    assert!(both > records + 1_000, "the second day is traded: {records} records, then {both}");
    assert_verified(with.path());
    assert!(files(with.path()) == files(without.path()), "folding the journals leads to the same files");
    assert!(files(with.path()) == files(broken.path()), "and so does a broken snapshot");

    // The snapshot of the second day beside the journals of the first.
    fs::copy(with.path().join("snapshot"), first.path().join("snapshot")).unwrap();
    let (said, order) = opened(first.path(), &DAILY);
    assert!(said.contains("the journals end before it"), "{said}");
    assert_eq!(order.records, records);
}

#[test]
fn a_crash_after_a_snapshot_folds_only_what_follows_it() {
    let (first, later) = (day_one(), day_one());
    let (_, records) = starts(first.path());
    run(&daily(later.path()));
    fs::copy(first.path().join("snapshot"), later.path().join("snapshot")).unwrap();
    let (said, with) = opened(later.path(), &DAILY);
    assert!(said.contains("started from the snapshot"), "{said}");
    fs::remove_file(later.path().join("snapshot")).unwrap();
    let (_, without) = opened(later.path(), &DAILY);
    assert_eq!(format!("{with:?}"), format!("{without:?}"), "both find the same");
    assert!(with.records > records);
}

#[test]
fn a_snapshot_serves_its_own_configuration_only() {
    let home = day_one();
    let other = [&DAILY[..], &["risk.max_net_lots=3"]].concat();
    let (said, order) = opened(home.path(), &other);
    assert!(said.contains("not used") && said.contains("another configuration"), "{said}");
    assert_eq!(order.records, starts(home.path()).1);
    run(&configured("demo", home.path(), &other));
    let (runs, _) = starts(home.path());
    assert_ne!(runs[0].config_hash, runs[1].config_hash);
    assert_verified(home.path());
}
