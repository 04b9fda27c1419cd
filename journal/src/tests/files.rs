//! Real files: writing, tailing, closing, crashing, starting again. Live segments go to a directory of each test's own
//! in memory, so that nothing stays behind.

use super::*;
use crate::format::{HEADER_PAGE, SegmentHeader, segment_file};
use crate::{
    Directory, FaultStep, LIVE_FILE, LOCK_FILE, OpenError, Position, ReadError, RecoveryCase, Syncing, recover,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

pub(super) struct Home {
    pub(super) disk: TempDir,
    pub(super) memory: TempDir,
}

impl Home {
    pub(super) fn new() -> Self {
        Self { disk: TempDir::new().unwrap(), memory: TempDir::new_in("/dev/shm").unwrap() }
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.disk.path().join("journals/order")
    }

    pub(super) fn small(&self) -> WriterOptions {
        WriterOptions { live_dir: Some(self.memory.path().to_path_buf()), ..small() }
    }

    pub(super) fn threaded(&self) -> WriterOptions {
        WriterOptions { syncing: Syncing::EveryMs(1), ..self.small() }
    }

    pub(super) fn on_disk(&self) -> WriterOptions {
        WriterOptions { live_dir: None, ..small() }
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.dir()).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }
}

/// Appends as a live writer that may have to wait for the thread behind it.
pub(super) fn append_patiently<S: Storage>(writer: &mut Writer<S>, n: u64) {
    let (header, body) = made(n);
    while writer.append(&header, &body).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn what_is_appended_is_read_back_live_and_closed_and_after_a_restart() {
    let (one, other) = (Home::new(), Home::new());
    for (home, options) in [(&one, one.small()), (&other, other.on_disk())] {
        let dir = home.dir();
        let (mut writer, recovery) = Writer::create_or_resume(&dir, options.clone()).unwrap();
        assert_eq!(recovery.case, RecoveryCase::New);
        let mut all: Vec<_> = (1..=2000).map(|n| append_made(&mut writer, n)).collect();
        assert_eq!(all[0].seq, Seq::new(StageId::Order, 0, 1));
        assert!(writer.position().segment > 3, "several segments");
        assert_eq!(read_dir(&dir), all, "live");
        writer.flush_and_close().unwrap();
        assert_eq!(read_dir(&dir), all, "closed");
        assert!(!dir.join(LIVE_FILE).exists());
        assert_eq!(fs::read(dir.join(LOCK_FILE)).unwrap(), b"");

        let (mut writer, recovery) = Writer::create_or_resume(&dir, options.clone()).unwrap();
        assert_eq!(recovery.case, RecoveryCase::Clean);
        assert_eq!(recovery.next_seq, all.last().unwrap().seq.next());
        all.extend((2001..=2100).map(|n| append_made(&mut writer, n)));
        drop(writer);
        assert_eq!(read_dir(&dir), all, "dropped without a close");

        let recovery = recover(&dir, &options).unwrap();
        assert_eq!(recovery.case, RecoveryCase::Open);
        assert_eq!(recovery.aside, Vec::<PathBuf>::new());
        let (writer, recovery) = Writer::create_or_resume(&dir, options.clone()).unwrap();
        assert_eq!(recovery.case, RecoveryCase::Clean, "recovered once for all");
        assert_eq!(read_dir(&dir), all, "recovered");
        writer.flush_and_close().unwrap();
        assert_eq!(read_dir(&dir), all, "closed again");
    }
    assert_eq!(one.files(), other.files(), "the same bytes, with and without a place in memory");
    assert_eq!(fs::read_dir(one.memory.path()).unwrap().count(), 0, "nothing stays in memory");
}

#[test]
fn a_copy_of_a_home_is_recovered_without_touching_the_living_one() {
    let (home, copy) = (Home::new(), Home::new());
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
    let mut all: Vec<_> = (1..=500).map(|n| append_made(&mut writer, n)).collect();
    fs::create_dir_all(copy.dir()).unwrap();
    for (name, bytes) in home.files() {
        fs::write(copy.dir().join(name), bytes).unwrap();
    }
    assert_eq!(recover(&copy.dir(), &copy.small()).unwrap().case, RecoveryCase::Open);
    assert_eq!(read_dir(&copy.dir()), all, "the copy finds the live segments");
    all.push(append_made(&mut writer, 501));
    assert_eq!(read_dir(&home.dir()), all, "and has left them alone");
    drop(writer);
    // Without a place in memory now, the old one is still drained and cleared.
    assert_eq!(recover(&home.dir(), &home.on_disk()).unwrap().case, RecoveryCase::Open);
    assert_eq!(read_dir(&home.dir()), all);
    assert_eq!(fs::read_dir(home.memory.path()).unwrap().count(), 0, "nothing stays in memory");
}

#[test]
fn the_host_crashes_and_the_disk_files_are_enough() {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.threaded()).unwrap();
    for n in 1..=3000 {
        append_patiently(&mut writer, n);
    }
    let durable = writer.synced_to();
    drop(writer);
    fs::remove_dir_all(home.memory.path().read_dir().unwrap().next().unwrap().unwrap().path()).unwrap();
    let (_, recovery) = Writer::create_or_resume(&home.dir(), home.threaded()).unwrap();
    assert!(recovery.end >= durable, "{} >= {durable}", recovery.end);
    let read = read_dir(&home.dir());
    assert!(read.iter().enumerate().all(|(i, said)| said.recv_ns == i as u64 + 1));
    assert_eq!(recovery.next_seq.n(), read.len() as u64 + 1);
}

#[test]
fn two_writers_are_refused_and_the_holder_is_named() {
    let home = Home::new();
    let (_writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
    for other in [
        Writer::create_or_resume(&home.dir(), home.small()).map(|_| ()),
        recover(&home.dir(), &home.small()).map(|_| ()),
    ] {
        match other {
            Err(OpenError::Locked { holder, .. }) => assert_eq!(holder, std::process::id().to_string()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_thread_makes_it_durable_behind_the_writer() {
    let home = Home::new();
    for options in [home.threaded(), WriterOptions { live_dir: None, ..home.threaded() }] {
        let before = if home.dir().exists() { read_dir(&home.dir()).len() } else { 0 };
        let (mut writer, _) = Writer::create_or_resume(&home.dir(), options).unwrap();
        for n in 1..=3000 {
            append_patiently(&mut writer, n);
        }
        while writer.synced_to() < writer.position() {
            std::thread::yield_now();
        }
        writer.flush_and_close().unwrap();
        let read: Vec<_> = read_dir(&home.dir()).iter().skip(before).map(|said| said.recv_ns).collect();
        assert_eq!(read, Vec::from_iter(1..=3000));
    }
}

#[test]
fn a_reader_in_another_thread_sees_every_record_once_and_in_order() {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.threaded()).unwrap();
    let mut reader = Reader::open(&home.dir()).unwrap();
    let tail = std::thread::spawn(move || {
        let mut next = 1;
        while next <= 20_000 {
            if let Some(record) = reader.next().unwrap() {
                let (header, body) = made(next);
                assert_eq!((record.header.recv_ns, record.body), (header.recv_ns, body.as_slice()));
                next += 1;
            } else {
                std::thread::yield_now();
            }
        }
        reader
    });
    for n in 1..=20_000 {
        append_patiently(&mut writer, n);
    }
    assert!(writer.position().segment > 50, "{}", writer.position());
    let mut reader = tail.join().unwrap();
    assert!(reader.next().unwrap().is_none());
    // The tail goes on over a close and the next writer's start.
    writer.flush_and_close().unwrap();
    assert!(reader.next().unwrap().is_none());
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
    assert!(reader.next().unwrap().is_none());
    let said_last = append_made(&mut writer, 7);
    assert_eq!(reader.next().unwrap().map(|record| said(&record)), Some(said_last));
    // And over a crash and a recovery.
    drop(writer);
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
    let said_last = append_made(&mut writer, 8);
    assert_eq!(reader.next().unwrap().map(|record| said(&record)), Some(said_last));
}

#[test]
fn two_simulated_runs_leave_the_same_files() {
    let homes = [Home::new(), Home::new()];
    for home in &homes {
        for life in 0..3 {
            let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
            for n in 1..=900 {
                append_made(&mut writer, n + life);
            }
            writer.flush_and_close().unwrap();
        }
    }
    assert_eq!(homes[0].files(), homes[1].files());
    assert!(homes[0].files().len() > 4);
}

#[test]
fn a_disk_that_takes_nothing_is_seen_and_tried_again() {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.threaded()).unwrap();
    // A directory where the second segment's disk file should be.
    let obstacle = home.dir().join("000001.seg");
    fs::create_dir(&obstacle).unwrap();
    let mut n = 0;
    let (header, body) = made(1);
    let give_up = loop {
        match writer.append(&header, &body) {
            Ok(_) => n += 1,
            // Either the thread is a little late, or all memory it may take is used up.
            Err(full) => match writer.fault() {
                Some(fault) if fault.step == FaultStep::Copy => break full,
                _ => std::thread::yield_now(),
            },
        }
    };
    assert_eq!(give_up, crate::Full::NoSegment);
    let stuck = writer.synced_to();
    assert!(stuck.segment < 1 && writer.position().segment >= 1);
    writer.append_reserve(&header, &body).unwrap();
    n += 1;
    let mut reader = Reader::open(&home.dir()).unwrap();
    assert_eq!(read_on(&mut reader).len(), n, "all of it is in memory");
    fs::remove_dir(&obstacle).unwrap();
    while writer.synced_to() < writer.position() {
        std::thread::yield_now();
    }
    append_patiently(&mut writer, 2);
    writer.flush_and_close().unwrap();
    assert_eq!(read_dir(&home.dir()).len(), n + 1);
}

#[test]
fn foreign_future_short_and_empty_files_are_told_apart() {
    let good = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&good.dir(), good.small()).unwrap();
    append_made(&mut writer, 1);
    writer.flush_and_close().unwrap();
    let good = fs::read(good.dir().join("000000.seg")).unwrap();

    let first = |bytes: &[u8]| {
        let home = Home::new();
        fs::create_dir_all(home.dir()).unwrap();
        fs::write(home.dir().join("000000.seg"), bytes).unwrap();
        let read = Reader::open(&home.dir()).unwrap().next().map(|record| record.map(|record| record.position));
        let opened = Writer::create_or_resume(&home.dir(), home.small()).map(|(_, recovery)| recovery.case);
        let kept = fs::read(home.dir().join("000000.seg")).ok();
        assert!(opened.is_ok() || kept.as_deref() == Some(bytes), "what is refused is left as it is");
        (read, opened)
    };

    let (read, opened) = first(b"");
    assert!(matches!(read, Ok(None)));
    assert_eq!(opened.unwrap(), RecoveryCase::New);

    let (read, opened) = first(b"Date,Open,High,Low,Close");
    assert!(matches!(read, Err(ReadError::Foreign { .. })), "{read:?}");
    assert!(matches!(opened, Err(OpenError::Read(ReadError::Foreign { .. }))));

    let (read, _) = first(&[b'x'; 10_000]);
    assert!(read.unwrap_err().to_string().contains("000000.seg: not a segment of this journal"));

    let mut future = good.clone();
    future[8] = 9;
    let (read, _) = first(&future);
    assert!(matches!(read, Err(ReadError::Corrupt { .. })), "only the version differs: a flipped bit: {read:?}");
    let mut header: SegmentHeader = bytemuck::pod_read_unaligned(&future[..128]);
    header.crc = header.checksum();
    future[..128].copy_from_slice(bytemuck::bytes_of(&header));
    let (read, opened) = first(&future);
    assert!(matches!(read, Err(ReadError::Future { found: 9, .. })), "{read:?}");
    assert!(matches!(opened, Err(OpenError::Read(ReadError::Future { .. }))));

    let (read, _) = first(&good);
    assert!(matches!(read, Ok(Some(Position::START))));
}

#[test]
fn another_stages_journal_is_refused_by_name() {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
    append_made(&mut writer, 1);
    writer.flush_and_close().unwrap();
    let error = Writer::create_or_resume(&home.dir(), WriterOptions { stage: StageId::Signal, ..home.small() });
    assert!(error.unwrap_err().to_string().ends_with("the journal of stage order, expected signal"));
}

#[test]
fn a_reader_creates_nothing() {
    let home = Home::new();
    assert!(matches!(Reader::open(&home.dir()), Err(ReadError::Io { .. })));
    fs::create_dir_all(home.dir()).unwrap();
    let mut reader = Reader::open(&home.dir()).unwrap();
    assert!(reader.next().unwrap().is_none());
    assert!(home.files().is_empty());
}

/// A copy that is still being made, or a disk file that lags: it is mapped as long as it is, and again when it has grown.
#[test]
fn a_reader_follows_a_file_that_grows() {
    let (home, copy) = (Home::new(), TempDir::new().unwrap());
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.on_disk()).unwrap();
    let all: Vec<_> = (1..=40).map(|n| append_made(&mut writer, n)).collect();
    writer.flush_and_close().unwrap();
    let whole = fs::read(home.dir().join(segment_file(0))).unwrap();
    let mut read = Vec::new();
    fs::write(copy.path().join(segment_file(0)), &whole[..HEADER_PAGE as usize]).unwrap();
    let mut reader = Reader::open(copy.path()).unwrap();
    for end in (HEADER_PAGE as usize..=whole.len()).step_by(4096).chain([whole.len()]) {
        let mut file = fs::OpenOptions::new().append(true).open(copy.path().join(segment_file(0))).unwrap();
        let there = file.metadata().unwrap().len() as usize;
        file.write_all(&whole[there..end]).unwrap();
        while let Ok(Some(record)) = reader.next() {
            read.push(record.header.seq);
        }
    }
    assert_eq!(read, all.iter().map(|header| header.seq).collect::<Vec<_>>());
}

#[test]
fn messages_name_the_file_that_is_read() {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.small()).unwrap();
    append_made(&mut writer, 1);
    let directory = Directory::open(&home.dir()).unwrap();
    assert!(directory.file(0).starts_with(home.memory.path()), "the live one: {}", directory.file(0).display());
    assert_eq!(directory.file(9), home.dir().join(segment_file(9)), "none lives: the disk's");
    writer.flush_and_close().unwrap();
    assert_eq!(directory.file(0), home.dir().join(segment_file(0)));
}

/// What the writer has left is unmapped by the thread behind it, and not kept.
#[test]
fn segments_that_were_left_do_not_stay_mapped() {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.threaded()).unwrap();
    (1..=8_000).for_each(|n| append_patiently(&mut writer, n));
    let rolled = writer.position().segment;
    assert!(rolled > 20, "{rolled}");
    let mapped = || {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let places = [home.disk.path(), home.memory.path()].map(|path| path.display().to_string());
        maps.lines().filter(|line| places.iter().any(|place| line.contains(place))).count()
    };
    // Two are ready, one is written, and what was just left waits for the thread's next turn.
    let few = (8_001..20_000).find(|&n| {
        append_patiently(&mut writer, n);
        mapped() <= 8
    });
    assert!(few.is_some(), "{} are mapped", mapped());
    writer.flush_and_close().unwrap();
    assert_eq!(mapped(), 0);
}
