//! `shrike repair` over journals that a crash tore, that are damaged where they were durable, and that have a writer.
// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "other tests use the rest of it")]
mod kit;

use kit::{append, json, shrike, text, writer};
use shrike_core::event::{Body, Header, Quote, Seq};
use shrike_engine::runtime::journal_dir;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// A closed run of five records, and one of as many that was killed.
fn killed_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    append(home.path(), "order", &[(0, Seq::ABSENT, 1); 5]);
    let mut killed = writer(home.path(), "order");
    let header = Header { kind: Quote::KIND as u16, version: Quote::VERSION, ..Header::default() };
    for _ in 0..5 {
        killed.append(&header, bytemuck::bytes_of(&Quote::default())).unwrap();
    }
    home
}

#[test]
fn what_lies_beyond_the_mark_is_cut_kept_and_told() {
    let home = killed_home();
    let dir = journal_dir(home.path(), "order");
    // The third record of the killed run.
    let segment = dir.join("000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[4096 + 2 * 128 + 60] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;

    let told = json(home.path(), 0, &["repair"]);
    let order = &told["journals"][0];
    assert_eq!((&order["journal"], &order["changed"]), (&"order".into(), &true.into()), "{told}");
    assert_eq!((&order["records"], &order["durable"]), (&7.into(), &"000000:4800".into()), "{told}");
    let kept = dir.join("cut-000001-4352.bin");
    assert_eq!(order["kept"], serde_json::json!([kept]));
    assert_eq!(fs::read(&kept).unwrap(), bytes[4352..end], "every byte that was cut");
    assert_eq!(json(home.path(), 0, &["verify"])["journals"][0]["records"], 7);

    let before = files(&dir);
    assert!(text(home.path(), 0, &["repair", "--journal", "order"]).contains("nothing to do"));
    assert_eq!(files(&dir), before, "once is enough");
}

#[test]
fn a_killed_run_without_damage_loses_nothing() {
    let home = killed_home();
    let told = text(home.path(), 0, &["repair"]);
    assert!(told.contains("10 records") && told.contains("nothing cut"), "{told}");
    assert_eq!(json(home.path(), 0, &["verify"])["journals"][0]["records"], 10);
}

#[test]
fn damage_below_the_mark_is_left_as_it_is() {
    let home = killed_home();
    let dir = journal_dir(home.path(), "order");
    let mut bytes = fs::read(dir.join("000000.seg")).unwrap();
    bytes[4096 + 128 + 60] ^= 1;
    fs::write(dir.join("000000.seg"), bytes).unwrap();
    let before = files(&dir);
    let told = text(home.path(), 1, &["repair"]);
    assert!(told.contains("CORRUPT") && told.contains("left as it is") && told.contains("offset 4224"), "{told}");
    assert_eq!(files(&dir), before);
}

#[test]
fn a_living_writer_is_not_disturbed() {
    let home = killed_home();
    let dir = journal_dir(home.path(), "order");
    let living = writer(home.path(), "order");
    let before = files(&dir);
    let told = text(home.path(), 2, &["repair"]);
    assert!(told.contains(&format!("the journal has a writer: process {}", std::process::id())), "{told}");
    assert_eq!(files(&dir), before);
    drop(living);

    // An engine that only just starts holds the home, not yet its journals.
    let lock = fs::File::create(home.path().join("lock")).unwrap();
    fs::write(home.path().join("lock"), "process 1\n").unwrap();
    lock.try_lock().unwrap();
    let refused = shrike(home.path(), &["repair"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("an engine runs here: process 1"));
    drop(lock);
    text(home.path(), 0, &["repair"]);
}
