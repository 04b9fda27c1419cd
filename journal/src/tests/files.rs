//! Real files: writing, tailing, closing, crashing, starting again.

use super::*;
use crate::{LIVE_FILE, LOCK_FILE, OpenError, RecoveryCase, Syncing};

#[test]
fn what_is_appended_is_read_back_live_and_closed_and_after_a_restart() {
    for options in [small(), WriterOptions { live_dir: None, ..small() }] {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("journals/order");
        let (mut writer, recovery) = Writer::create_or_resume(&dir, options.clone()).unwrap();
        assert_eq!(recovery.case, RecoveryCase::New);
        let mut all: Vec<_> = (1..=2000).map(|n| append_made(&mut writer, n)).collect();
        assert_eq!(all[0].seq, Seq::new(StageId::Order, 0, 1));
        assert!(writer.position().segment > 3, "several segments");
        assert_eq!(read_dir(&dir), all, "live");
        writer.flush_and_close().unwrap();
        assert_eq!(read_dir(&dir), all, "closed");
        assert!(!dir.join(LIVE_FILE).exists());
        assert_eq!(std::fs::read(dir.join(LOCK_FILE)).unwrap(), b"");

        let (mut writer, recovery) = Writer::create_or_resume(&dir, options.clone()).unwrap();
        assert_eq!(recovery.case, RecoveryCase::Clean);
        assert_eq!(recovery.next_seq, all.last().unwrap().seq.next());
        all.extend((2001..=2100).map(|n| append_made(&mut writer, n)));
        drop(writer);
        assert_eq!(read_dir(&dir), all, "dropped without a close");

        let (writer, recovery) = Writer::create_or_resume(&dir, options.clone()).unwrap();
        assert_eq!(recovery.case, RecoveryCase::Open);
        assert_eq!(recovery.aside, Vec::<std::path::PathBuf>::new());
        assert_eq!(read_dir(&dir), all, "recovered");
        writer.flush_and_close().unwrap();
        assert_eq!(read_dir(&dir), all, "closed again");
    }
}

#[test]
fn two_writers_are_refused_and_the_holder_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (_writer, _) = Writer::create_or_resume(home.path(), small()).unwrap();
    match Writer::create_or_resume(home.path(), small()) {
        Err(OpenError::Locked { holder, .. }) => assert_eq!(holder, std::process::id().to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_thread_makes_it_durable_behind_the_writer() {
    for live_dir in [small().live_dir, None] {
        let home = tempfile::tempdir().unwrap();
        let options = WriterOptions { syncing: Syncing::EveryMs(1), live_dir, ..small() };
        let (mut writer, _) = Writer::create_or_resume(home.path(), options).unwrap();
        let mut all = Vec::new();
        for n in 1..=3000 {
            let (header, body) = made(n);
            while writer.append(&header, &body).is_err() {
                std::thread::yield_now();
            }
            all.push(n);
        }
        while writer.synced_to() < writer.position() {
            std::thread::yield_now();
        }
        writer.flush_and_close().unwrap();
        let read: Vec<_> = read_dir(home.path()).iter().map(|said| said.recv_ns).collect();
        assert_eq!(read, all);
    }
}
