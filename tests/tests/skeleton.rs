//! The main job on a generated market: ticks through the stages to orders and back, the same in every topology and every
//! time, and verified from the journals.

use shrike_core::event::{Kind, flags};
use shrike_engine::runtime::journal_dir;
use shrike_journal::Reader;
use shrike_tests::{configured, run, verify};
use std::path::Path;

#[test]
fn a_day_runs_and_verifies() {
    let home = tempfile::tempdir().unwrap();
    // As the profile ships, with its option board.
    let loaded = configured("demo", home.path(), &["run.topology=inline", "generator.boards=[\"SSE50\"]"]);
    let (_, counter) = run(&loaded);
    let [signal, order] = verify(home.path());
    println!("{signal:?} {order:?} fills {}", counter.exchange.fills().len());
    assert_eq!((signal.differences, order.differences), (0, 0));
    assert!(counter.exchange.orders().len() > 500 && counter.exchange.fills().len() > 100);
}

#[test]
fn every_topology_gives_the_same_bytes_every_time() {
    let homes = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let topologies = ["inline", "pipeline", "pipeline"];
    for (home, topology) in homes.iter().zip(topologies) {
        let settings = ["generator.products=[\"rb\", \"m\"]", &format!("run.topology={topology}")];
        run(&configured("demo", home.path(), &settings));
    }
    let [inline, pipeline, again] = homes.each_ref().map(|home| home.path());
    assert_eq!(files(pipeline), files(again), "the same run writes the same files, byte for byte");
    // The configuration names the topology, so its record and the run's start differ; nothing else may.
    for name in ["signal", "order"] {
        assert!(records(inline, name) == records(pipeline, name), "{name} journals differ between topologies");
    }
}

/// Every file of a home with its bytes.
fn files(home: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![home.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(home).unwrap().display().to_string();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Every record of a journal but the run's marks: kind, direction, times, cause and body.
fn records(home: &Path, name: &str) -> Vec<(u16, bool, u64, u64, Vec<u8>)> {
    let mut reader = Reader::open(&journal_dir(home, name)).unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        let header = record.header;
        if [Kind::Config as u16, Kind::RunStart as u16].contains(&header.kind) {
            continue;
        }
        let output = header.has(flags::OUTPUT);
        found.push((header.kind, output, header.taken_ns.get(), header.cause.raw(), record.body.to_vec()));
    }
    found
}
