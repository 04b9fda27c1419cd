//! Other processes and threads over real files: writers killed at any instant, writers whose system calls fail, a second
//! writer, readers that race with one that rolls. Long versions are ignored tests that say how to run them.

use super::calls::Draw;
use super::files::{Home, append_patiently};
use super::*;
use crate::{OpenError, Position, RecoveryCase, Syncing, recover};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

const CHILD_DIR: &str = "SHRIKE_JOURNAL_TEST_DIR";
const CHILD_MEMORY: &str = "SHRIKE_JOURNAL_TEST_MEMORY";
/// How many records the other process appends; without it: until it is killed.
const CHILD_RECORDS: &str = "SHRIKE_JOURNAL_TEST_RECORDS";

/// The other process: appends until it is killed, or so many records and closes. Does nothing when it runs as a test.
#[test]
fn child_writes() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let live_dir = std::env::var(CHILD_MEMORY).ok().map(PathBuf::from);
    let options = WriterOptions { live_dir, syncing: Syncing::EveryMs(1), ..small() };
    let (mut writer, _) = match Writer::create_or_resume(Path::new(&dir), options) {
        Ok(opened) => opened,
        Err(error) => return println!("not opened: {error}"),
    };
    let records: u64 = std::env::var(CHILD_RECORDS).map_or(u64::MAX, |text| text.parse().unwrap());
    let mut n = writer.next_seq().n();
    let end = n.saturating_add(records);
    while n < end {
        let (header, body) = made(n);
        match writer.append(&header, &body) {
            Ok(_) => n += 1,
            Err(_) if writer.fault().is_some() => break,
            Err(_) => std::thread::yield_now(),
        }
    }
    println!("taken {}", n - 1);
    match writer.flush_and_close() {
        Ok(()) => println!("closed"),
        Err(error) => println!("not closed: {error}"),
    }
}

/// The other process's command; its program stands behind `before`.
fn child(home: &Home, in_memory: bool, before: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match before {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    command.args(["--exact", "tests::processes::child_writes", "--nocapture"]);
    command.env(CHILD_DIR, home.dir()).env_remove(CHILD_MEMORY).stdin(Stdio::null()).stdout(Stdio::null());
    if in_memory {
        command.env(CHILD_MEMORY, home.memory.path());
    }
    command
}

/// A process that writes until it is killed, at the latest with the test: one that failed would leave it writing for ever.
struct Writing(Child);

impl Writing {
    fn begin(home: &Home, in_memory: bool) -> Self {
        Self(child(home, in_memory, &[]).spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a recovered journal holds: the made-up stream from its first record, without a gap. How many records.
fn check_stream(home: &Home) -> u64 {
    let read = read_dir(&home.dir());
    for (n, found) in (1..).zip(&read) {
        let (header, body) = made(n);
        assert_eq!((found.seq.n(), found.recv_ns, &found.body), (n, header.recv_ns.get(), &body));
    }
    read.len() as u64
}

fn options(home: &Home, in_memory: bool) -> WriterOptions {
    if in_memory { home.small() } else { home.on_disk() }
}

/// Kills a writer at any instant of its start, of its appends and of its rolls, `lives` times; one time in five the host
/// goes with it, and what was in memory only.
fn kills(lives: u64, seed: u64) {
    println!("{lives} lives, seed {seed}");
    for in_memory in [true, false] {
        let home = Home::new();
        fs::create_dir_all(home.dir()).unwrap();
        let mut draw = Draw(seed);
        let mut tail = Reader::open(&home.dir()).unwrap();
        let (mut seen, mut host_crashes, mut early) = (0, 0, 0);
        for life in 1..=lives {
            // What the last life wrote after the looks at it is not this one's.
            seen += read_on(&mut tail).len() as u64;
            let before = seen;
            let writing = Writing::begin(&home, in_memory);
            // Looks at a living journal, until a number of records or of looks.
            let (goal, mut looks) = (seen + draw.next() % 1_500, draw.next() % 40_000);
            while seen < goal && looks > 0 {
                match tail.next().unwrap() {
                    Some(record) => {
                        seen += 1;
                        assert_eq!(record.header.seq.n(), seen, "life {life}");
                    }
                    None => {
                        looks -= 1;
                        std::thread::yield_now();
                    }
                }
            }
            writing.kill();
            early += u64::from(seen == before);
            let dies_with_host = in_memory && draw.next().is_multiple_of(5);
            let durable = tail.synced_to().unwrap();
            if dies_with_host {
                for place in home.memory.path().read_dir().unwrap() {
                    fs::remove_dir_all(place.unwrap().path()).unwrap();
                }
                host_crashes += 1;
            }
            // Every other time the next writer finds the journal as the kill left it.
            if life % 2 == 0 || dies_with_host || life == lives {
                let recovery = recover(&home.dir(), &options(&home, in_memory)).unwrap();
                let held = check_stream(&home);
                assert!(held >= seen || dies_with_host, "life {life}: {held} of {seen} that were seen");
                assert!(recovery.end >= durable, "life {life}: {} and {durable} was durable", recovery.end);
                assert_eq!(recovery.next_seq.n(), held + 1);
                if dies_with_host {
                    // What was read and then lost is not read again.
                    tail = Reader::open(&home.dir()).unwrap();
                    seen = read_on(&mut tail).len() as u64;
                }
            }
        }
        println!("in memory: {in_memory}; {seen} records, {host_crashes} host crashes, {early} kills before a record");
    }
}

#[test]
fn a_writer_killed_at_any_instant_loses_nothing_that_was_seen() {
    kills(16, 1);
}

#[test]
#[ignore = "minutes: SHRIKE_LIVES=1000 SHRIKE_SEED=7 cargo test -p shrike-journal kill_loop -- --ignored --nocapture"]
fn kill_loop() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    kills(number("SHRIKE_LIVES", 500), number("SHRIKE_SEED", 2));
}

#[test]
fn a_second_writer_is_refused_while_the_first_lives_in_another_process() {
    let home = Home::new();
    fs::create_dir_all(home.dir()).unwrap();
    let writing = Writing::begin(&home, true);
    let mut tail = Reader::open(&home.dir()).unwrap();
    while tail.next().unwrap().is_none() {
        std::thread::yield_now();
    }
    let second = Writer::create_or_resume(&home.dir(), home.small()).map(drop);
    for refused in [second, recover(&home.dir(), &home.small()).map(drop)] {
        match refused {
            Err(OpenError::Locked { holder, .. }) => assert_eq!(holder, writing.0.id().to_string()),
            other => panic!("{other:?}"),
        }
    }
    // It writes on, undisturbed; killed, its name stays and the lock is free.
    let at = tail.due();
    while tail.due() == at {
        tail.next().unwrap();
    }
    writing.kill();
    assert_ne!(recover(&home.dir(), &home.small()).unwrap().case, RecoveryCase::New);
    check_stream(&home);
}

/// One life of a process whose system calls may fail: whatever it says it took is there, and it says so when it did not
/// close.
fn life_under(home: &Home, in_memory: bool, before: &[&str], what: &str) -> &'static str {
    let output = child(home, in_memory, before).env(CHILD_RECORDS, "400").stdout(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let taken = text.lines().find_map(|line| line.strip_prefix("taken ")?.parse::<u64>().ok());
    let is_closed = text.lines().any(|line| line == "closed");
    let recovery = recover(&home.dir(), &options(home, in_memory)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let held = check_stream(home);
    assert!(taken.is_none_or(|taken| held >= taken), "{what}: {held} of {taken:?}");
    assert_eq!(recovery.next_seq.n(), held + 1, "{what}");
    assert!(!is_closed || matches!(recovery.case, RecoveryCase::Clean), "{what}: {:?}", recovery.case);
    match (taken, is_closed) {
        (_, true) => "closed",
        (Some(_), false) => "not closed",
        (None, false) => "not opened",
    }
}

#[test]
fn files_that_cannot_grow_and_too_few_of_them_lose_nothing() {
    let mut ends = std::collections::BTreeMap::<_, u32>::new();
    for in_memory in [true, false] {
        let home = Home::new();
        // Blocks of 512 bytes or of 1 KiB, as the shell has it; the segments are of 64 KiB.
        let limits = [0, 1, 5, 8, 9, 33, 100, 127].map(|blocks| format!("-f {blocks}"));
        let handles = [4, 6, 7, 8, 9, 10, 11, 12].map(|files| format!("-n {files}"));
        for limit in limits.iter().chain(&handles) {
            // A signal that is ignored stays so in the program: the call fails instead.
            let script = format!("trap '' XFSZ; ulimit {limit}; exec \"$@\"");
            let end = life_under(&home, in_memory, &["sh", "-c", &script, "sh"], limit);
            *ends.entry(end).or_default() += 1;
        }
    }
    println!("{ends:?}");
    assert!(ends.len() > 1, "{ends:?}");
}

/// The other process's place in memory takes two files beside their directories; what it has to prepare then goes to the
/// disk.
#[test]
fn a_full_place_in_memory_sends_segments_to_the_disk() {
    let home = Home::new();
    fs::create_dir_all(home.dir()).unwrap();
    let mount = "mount -t tmpfs -o size=8m,nr_inodes=5 none \"$0\"";
    let memory = home.memory.path().to_str().unwrap();
    let may = Command::new("unshare").args(["-Urm", "sh", "-c", mount, memory]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        return eprintln!(
            "a_full_place_in_memory_sends_segments_to_the_disk skips: no file system may be mounted here"
        );
    }
    let script = format!("{mount} && exec \"$@\"");
    let before = ["unshare", "-Urm", "sh", "-c", &script, memory];
    let output = child(&home, true, &before).env(CHILD_RECORDS, "2000").stdout(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("taken 2000") && text.contains("\nclosed"), "{text}");
    assert_eq!(check_stream(&home), 2_000);
}

#[test]
#[ignore = "minutes, needs strace: cargo test -p shrike-journal system_call -- --ignored --nocapture"]
fn any_system_call_that_fails_loses_nothing() {
    let calls = [
        "pwrite64",
        "fdatasync",
        "fsync",
        "ftruncate",
        "fallocate",
        "rename",
        "unlink",
        "rmdir",
        "mkdir",
        "openat",
        "flock",
        "mmap",
        "msync",
        "pread64",
        "read",
        "statx",
        "getdents64",
        "sync_file_range",
        "write",
    ];
    let mut failed = 0;
    for in_memory in [true, false] {
        for call in calls {
            let home = Home::new();
            let mut ends = std::collections::BTreeMap::<_, u32>::new();
            for nth in 1..=10 {
                for (error, on) in [("EIO", ""), ("ENOSPC", "+")] {
                    let inject = format!("inject={call}:error={error}:when={nth}{on}");
                    let trace = format!("trace={call}");
                    let before = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
                    let end = life_under(&home, in_memory, &before, &inject);
                    *ends.entry(end).or_default() += 1;
                    failed += u32::from(end != "closed");
                }
            }
            println!("in memory: {in_memory}; {call:<16} {ends:?}");
        }
    }
    assert!(failed > 100, "{failed} lives met a failure");
}

#[test]
fn readers_race_with_a_writer_that_rolls_under_load() {
    const RECORDS: u64 = 15_000;
    for in_memory in [true, false] {
        let home = Home::new();
        let options = WriterOptions { syncing: Syncing::EveryMs(1), ..options(&home, in_memory) };
        let (mut writer, _) = Writer::create_or_resume(&home.dir(), options).unwrap();
        let appended = AtomicU64::new(0);
        let dir = home.dir();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut reader = Reader::open(&dir).unwrap();
                    let mut n = 0;
                    while n < RECORDS {
                        let Some(record) = reader.next().unwrap() else {
                            std::thread::yield_now();
                            continue;
                        };
                        n += 1;
                        let (header, body) = made(n);
                        assert_eq!((record.header.recv_ns, record.body), (header.recv_ns, body.as_slice()));
                    }
                });
            }
            // One that opens the journal again and again, and looks for places in it while it moves from memory to disk.
            scope.spawn(|| {
                let mut draw = Draw(3);
                let (mut looks, mut synced_to) = (0, Position::default());
                loop {
                    let there = appended.load(Ordering::Acquire);
                    if there > 0 {
                        let n = 1 + draw.next() % there;
                        let mut reader = Reader::open(&dir).unwrap();
                        reader.seek(Seq::new(StageId::Order, 0, n)).unwrap();
                        let record = reader.next().unwrap().expect("it was appended");
                        assert_eq!(record.header.recv_ns.get(), n);
                        let now = reader.synced_to().unwrap();
                        assert!(now >= synced_to, "the mark went back from {synced_to} to {now}");
                        synced_to = now;
                        looks += 1;
                    }
                    if there == RECORDS {
                        break println!("{looks} looks");
                    }
                }
            });
            for n in 1..=RECORDS {
                append_patiently(&mut writer, n);
                appended.store(n, Ordering::Release);
            }
        });
        assert!(writer.position().segment > 40, "{}", writer.position());
        writer.flush_and_close().unwrap();
        assert_eq!(check_stream(&home), RECORDS);
    }
}
