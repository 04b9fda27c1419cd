//! A failure at any call of the storage, on simulated pages and in real files; any subset of many unsynced pages; a clock
//! that steps back. The oracle is the list of what an append took: all of it after a process's end, what was durable
//! after the host's.

use super::*;
use crate::{Pages, RecoveryCase};

/// splitmix64 (S. Vigna): what a seed decides.
pub(super) struct Draw(pub u64);

impl Draw {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What a life of a journal took and made durable, whatever failed.
struct Life {
    taken: Vec<Said>,
    durable: usize,
    is_closed: bool,
}

/// Starts, appends with a sync now and then, closes; failures are met as a stage meets them: it goes on.
fn live(pages: &Pages, earlier: &[Said], records: u64) -> Life {
    let mut life = Life { taken: earlier.to_vec(), durable: 0, is_closed: false };
    let Ok((mut writer, _)) = Writer::resume(pages.clone(), &small()) else { return life };
    life.durable = earlier.len();
    for n in 1..=records {
        let (header, body) = made(n);
        if let Ok(seq) = writer.append(&header, &body) {
            life.taken.push(Said { seq, kind: header.kind, flags: header.flags, recv_ns: n, body });
        }
        if n % 90 == 0 && pages.sync().is_ok() {
            life.durable = life.taken.len();
        }
    }
    if writer.flush_and_close().is_ok() {
        (life.durable, life.is_closed) = (life.taken.len(), true);
    }
    life
}

/// What is in the journal after a recovery is a beginning of `taken` with at least `least` records.
fn recovered(pages: &Pages, taken: &[Said], least: usize, what: &str) -> usize {
    let (writer, recovery) = Writer::resume(pages.clone(), &small()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let read = read_on(&mut Reader::over(pages.clone()));
    assert!(read.len() >= least, "{what}: {} of {least} durable records", read.len());
    assert_eq!(read, taken[..read.len()], "{what}");
    assert!(recovery.synced_to <= recovery.end, "{what}");
    let due = read.last().map_or(Seq::new(StageId::Order, 0, 1), |said| said.seq.next());
    assert_eq!(recovery.next_seq, due, "{what}");
    writer.flush_and_close().unwrap();
    read.len()
}

#[test]
fn a_failure_at_any_call_of_any_life_loses_nothing() {
    let fresh = || (Pages::new(64 << 10), Vec::new());
    // A second life begins with a recovery of what the first left open.
    let left_open = || {
        let pages = Pages::new(64 << 10);
        let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
        let all: Vec<_> = (1..=500).map(|n| append_made(&mut writer, n)).collect();
        (pages.crash_process(), all)
    };
    let starts: [&dyn Fn() -> (Pages, Vec<Said>); 2] = [&fresh, &left_open];
    let mut cases = 0;
    for (which, start) in starts.into_iter().enumerate() {
        let mut failed = true;
        for after in 0.. {
            // That call alone, and all from it on.
            for count in [Some(1), None] {
                let (pages, earlier) = start();
                match count {
                    Some(count) => pages.fail_once(after, count),
                    None => pages.fail_after(Some(after)),
                }
                let life = live(&pages, &earlier, 700);
                failed = pages.has_failed();
                assert!(failed || life.is_closed);
                let what = format!("start {which}, {count:?} calls fail after {after}");
                recovered(&pages.crash_process(), &life.taken, life.taken.len(), &what);
                let mut draw = Draw(after + 1);
                recovered(&pages.crash_host(|_| draw.next() & 1 == 1), &life.taken, life.durable, &what);
                cases += 1;
            }
            if !failed {
                break;
            }
        }
    }
    println!("{cases} lives with failing calls");
    assert!(cases > 40, "{cases}");
}

#[test]
fn subsets_of_many_unsynced_pages_leave_a_beginning() {
    let mut cases = 0;
    for seed in 1..=600_u64 {
        let mut draw = Draw(seed);
        let (records, synced) = (20 + draw.next() % 700, draw.next() % 400);
        let pages = Pages::new(64 << 10);
        let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
        let mut all = Vec::new();
        for n in 1..=records {
            all.push(append_made(&mut writer, n));
            if n == synced {
                pages.sync().unwrap();
            }
        }
        let durable = if synced <= records { synced as usize } else { 0 };
        // Few, half, or most of the pages; and a host that dies again in the first start.
        let odds = [1, 8, 15][seed as usize % 3];
        let crashed = pages.crash_host(|_| draw.next() % 16 < odds);
        let what = format!("seed {seed}");
        let again = crashed.crash_process();
        again.fail_after(Some(draw.next() % 6));
        let _ = Writer::resume(again.clone(), &small()).map(drop);
        again.fail_after(None);
        let after_two = recovered(&again.crash_host(|_| draw.next() & 1 == 1), &all, durable, &what);
        let after_one = recovered(&crashed, &all, durable, &what);
        assert_eq!(after_one, after_two, "{what}: what one start finds, the next finds too");
        cases += 2;
    }
    println!("{cases} subsets");
}

#[test]
fn a_clock_that_steps_back_changes_nothing() {
    let pages = Pages::new(64 << 10);
    let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
    // Back by an hour, to zero, to the end of time, and back again.
    let clock = |n: u64| match n % 5 {
        0 => 0,
        1 => u64::MAX,
        _ => 1_700_000_000_000_000_000 - n * 3_600_000_000_000,
    };
    let times = |n: u64| (Nanos::new(clock(n)), Nanos::new(clock(n + 2)));
    for n in 1..=900 {
        let (header, body) = made(n);
        let (recv_ns, taken_ns) = times(n);
        assert_eq!(writer.append(&Header { recv_ns, taken_ns, ..header }, &body).unwrap().n(), n);
        if n == 300 {
            pages.sync().unwrap();
        }
    }
    let crashed = pages.crash_host(|position| position.segment == 0);
    let (_, recovery) = Writer::resume(crashed.clone(), &small()).unwrap();
    assert!(!matches!(recovery.case, RecoveryCase::New), "{:?}", recovery.case);
    let mut reader = Reader::over(crashed);
    let mut count = 0;
    while let Some(record) = reader.next().unwrap() {
        count += 1;
        assert_eq!(record.header.seq.n(), count);
        assert_eq!((record.header.recv_ns, record.header.taken_ns), times(count));
    }
    assert!(count >= 300 && recovery.next_seq.n() == count + 1, "{count}");
    for n in (1..=count).rev() {
        reader.seek(Seq::new(StageId::Order, 0, n)).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().header.seq.n(), n, "places are found by number, not by time");
    }
}
