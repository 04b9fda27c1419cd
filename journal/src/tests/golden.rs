//! Journals that an earlier build wrote, in `journal/golden/<format version>`: every later one must read them. What they
//! hold is written down in `listing.txt` and `fields.txt` by a reader of another make (`journal/golden/list.py`, which
//! follows FORMAT.md), and compared here.

use super::*;
use crate::format::Position;
use crate::snapshot::{self, Place, Snapshot};
use crate::{Pages, RecoveryCase, recover};
use shrike_core::event::Event;
use shrike_core::units::Text;
use std::fs;
use std::path::PathBuf;

/// Bytes of a segment: the least there may be.
const SEGMENT: u32 = 16 << 10;

/// Kinds and bodies as they were when version 1 was written; 127 is the configuration's text, of any length.
const KINDS: [(u16, usize); 32] = [
    (1, 336),
    (2, 80),
    (3, 80),
    (4, 144),
    (5, 80),
    (6, 80),
    (7, 208),
    (8, 80),
    (9, 80),
    (10, 208),
    (16, 80),
    (17, 80),
    (32, 144),
    (33, 144),
    (34, 144),
    (35, 80),
    (36, 80),
    (37, 80),
    (48, 144),
    (49, 80),
    (50, 80),
    (51, 80),
    (52, 144),
    (53, 80),
    (54, 80),
    (64, 80),
    (65, 208),
    (66, 80),
    (67, 80),
    (68, 80),
    (69, 80),
    (127, 0),
];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/1")
}

/// The `n`-th record of a stage: bytes that differ from place to place, so that no two fields are alike.
fn record(stage: StageId, n: u64) -> (Header, Vec<u8>) {
    let (kind, size) = KINDS[(n as usize - 1) % KINDS.len()];
    let size = if size == 0 { (n * 3 % 200) as usize } else { size };
    let body = (0..size).map(|i| (n as usize * 101 + usize::from(kind) * 37 + i * 7 + 3) as u8).collect();
    let recv_ns = 1_700_000_000_000_000_000 + n * 1_000;
    let header = Header {
        kind,
        version: 1,
        flags: n as u32 % 16,
        recv_ns: Nanos::new(recv_ns),
        taken_ns: Nanos::new(recv_ns + 700),
        cause: Seq::new(stage, (n % 3) as u8, n * 5),
        ..Header::default()
    };
    (header, body)
}

type Files = Vec<(u32, Vec<u8>)>;

fn options(stage: StageId) -> WriterOptions {
    WriterOptions::simulated(stage, 0x5eed).with_segment_bytes(SEGMENT)
}

/// Every kind several times, a later epoch in the middle, closed.
fn closed() -> Files {
    let pages = Pages::new(SEGMENT);
    let (mut writer, _) = Writer::resume(pages.clone(), &options(StageId::Order)).unwrap();
    for n in 1..=180 {
        if n == 100 {
            writer.open_epoch(3).unwrap();
        }
        let (header, body) = record(StageId::Order, n);
        writer.append(&header, &body).unwrap();
    }
    writer.flush_and_close().unwrap();
    pages.files()
}

/// A first segment that is full to the brim and has no roll frame; a life that was killed after it, in an append; the
/// durable mark is behind.
fn killed() -> Files {
    let pages = Pages::new(SEGMENT);
    let (mut writer, _) = Writer::resume(pages.clone(), &options(StageId::Signal)).unwrap();
    let lines = (SEGMENT - crate::format::HEADER_PAGE) / crate::format::LINE;
    for n in 1..=lines / 2 {
        let (header, _) = record(StageId::Signal, u64::from(n));
        writer.append(&Header { kind: 2, ..header }, &[n as u8; 80]).unwrap();
    }
    for n in 1..=120 {
        let (header, body) = record(StageId::Signal, n);
        writer.append(&header, &body).unwrap();
        if n == 90 {
            pages.sync().unwrap();
        }
    }
    let end = writer.position();
    let mut files = pages.crash_process().files();
    let (_, last) = files.last_mut().unwrap();
    last[end.offset as usize + 48..][..80].fill(0xa5);
    files
}

fn state() -> Snapshot {
    let place = |segment, n| Place {
        position: Position { segment, offset: 4096 + 64 * segment },
        next_seq: Seq::new(StageId::Order, 1, n),
    };
    Snapshot {
        signal: place(3, 77),
        order: place(4, 99),
        config_hash: 0x0123_4567_89ab_cdef,
        build: Text::new(b"shrike 0.1.0").unwrap(),
        state: (0..=255).collect(),
    }
}

/// Makes the files of the present version. `cargo test -p shrike-journal make_golden -- --ignored`, then
/// `python3 journal/golden/list.py journal/golden/1`. Once committed they stay; a later version gets a directory of its
/// own.
#[test]
#[ignore = "writes journal/golden"]
fn make_golden() {
    for (name, files) in [("closed", closed()), ("killed", killed())] {
        fs::create_dir_all(golden().join(name)).unwrap();
        for (index, bytes) in files {
            fs::write(golden().join(name).join(crate::format::segment_file(index)), bytes).unwrap();
        }
    }
    snapshot::save(&golden().join("end.snapshot"), &state()).unwrap();
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The lines of a text about one journal.
fn lines(file: &str, journal: &str) -> Vec<String> {
    let text = fs::read_to_string(golden().join(file)).unwrap();
    let of_journal = text.lines().filter_map(|line| line.strip_prefix(journal)?.strip_prefix(' '));
    of_journal.map(str::to_owned).collect()
}

fn listed(record: &crate::Record<'_>) -> String {
    let Header { len, kind, version, crc, flags, seq, recv_ns, taken_ns, cause } = *record.header;
    let (position, body) = (record.position, fnv1a(record.body));
    let (recv, taken) = (recv_ns.get(), taken_ns.get());
    format!(
        "{position} seq={:016x} cause={:016x} kind={kind} version={version} flags={flags} len={len} crc={crc:08x} \
         recv={recv} taken={taken} body={body:016x}",
        seq.raw(),
        cause.raw(),
    )
}

/// A field's number, or its bytes as a number.
fn field(event: Event<'_>, name: &str) -> Option<i128> {
    Some(match (event, name) {
        (Event::DepthTick(e), "instrument") => bytes_of(&e.instrument),
        (Event::DepthTick(e), "exch_ns") => bytes_of(&e.exch_ns),
        (Event::DepthTick(e), "last") => bytes_of(&e.last),
        (Event::DepthTick(e), "turnover") => bytes_of(&e.turnover),
        (Event::DepthTick(e), "bids[4]") => bytes_of(&e.bids[4]),
        (Event::DepthTick(e), "ask_qtys[4]") => bytes_of(&e.ask_qtys[4]),
        (Event::Quote(e), "bid") => bytes_of(&e.bid),
        (Event::Quote(e), "lower_limit") => bytes_of(&e.lower_limit),
        (Event::InstrumentDef(e), "symbol") => bytes_of(&e.symbol).rem_euclid(1 << 64),
        (Event::InstrumentDef(e), "strike") => bytes_of(&e.strike),
        (Event::InstrumentDef(e), "tradable") => bytes_of(&e.tradable),
        (Event::OrderRequest(e), "order_ref") => bytes_of(&e.order_ref),
        (Event::OrderRequest(e), "retry") => bytes_of(&e.retry),
        (Event::OrderRequest(e), "revision") => bytes_of(&e.revision),
        (Event::OrderReport(e), "session_id") => bytes_of(&e.session_id),
        (Event::OrderReport(e), "traded") => bytes_of(&e.traded),
        (Event::OrderReport(e), "request_id") => bytes_of(&e.request_id),
        (Event::Fill(e), "price") => bytes_of(&e.price),
        (Event::Fill(e), "lots") => bytes_of(&e.lots),
        (Event::Fill(e), "strategy") => bytes_of(&e.strategy),
        (Event::Command(e), "written_ns") => bytes_of(&e.written_ns),
        (Event::Command(e), "kind") => bytes_of(&e.kind),
        (Event::FundsReport(e), "available") => bytes_of(&e.available),
        (Event::RunStart(e), "config_hash") => bytes_of(&e.config_hash),
        (Event::RunStart(e), "after_clean_stop") => bytes_of(&e.after_clean_stop),
        _ => return None,
    })
}

/// The little-endian number in a field's first sixteen bytes.
fn bytes_of<T: bytemuck::Pod>(value: &T) -> i128 {
    let mut word = [0; 16];
    for (to, from) in word.iter_mut().zip(bytemuck::bytes_of(value)) {
        *to = *from;
    }
    i128::from_le_bytes(word)
}

/// Copies a journal, so that what is committed is never written.
fn copy(name: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden().join(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), home.path().join(entry.file_name())).unwrap();
    }
    home
}

#[test]
fn every_record_is_read_as_it_was_listed() {
    for name in ["closed", "killed"] {
        let mut reader = Reader::open(&golden().join(name)).unwrap();
        let mut found = Vec::new();
        let mut kinds = std::collections::BTreeSet::new();
        let mut fields = Vec::new();
        let wanted = lines("fields.txt", name);
        while let Some(record) = reader.next().unwrap() {
            found.push(listed(&record));
            kinds.insert(record.header.kind);
            let place = record.position.to_string();
            for line in wanted.iter().filter(|line| line.starts_with(&place)) {
                let [_, kind, field_name, value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                assert_eq!(kind, format!("{}", record.header.kind));
                let value: i128 = value.parse().unwrap();
                assert_eq!(field(record.event(), field_name), Some(value), "{line}");
                fields.push(line.clone());
            }
        }
        assert_eq!(found, lines("listing.txt", name), "{name}");
        assert_eq!(fields, wanted, "{name}");
        assert_eq!(Vec::from_iter(kinds), KINDS.map(|(kind, _)| kind), "{name}: every kind of its time");
        assert_eq!([reader.synced_to().unwrap().to_string()], lines("ends.txt", name)[..1], "{name}: durable");
    }
    println!("{} fields", lines("fields.txt", "closed").len());
}

#[test]
fn a_start_takes_them_up_where_they_ended() {
    for (name, stage, case) in
        [("closed", StageId::Order, RecoveryCase::Clean), ("killed", StageId::Signal, RecoveryCase::Unfinished)]
    {
        let home = copy(name);
        let recovery = recover(home.path(), &WriterOptions { live_dir: None, ..options(stage) }).unwrap();
        let [_, next] = &lines("ends.txt", name)[..] else { panic!("{name}") };
        assert_eq!((recovery.case, format!("{:016x}", recovery.next_seq.raw())), (case, next.clone()), "{name}");
        for path in &recovery.aside {
            assert_eq!(fs::read(path).unwrap()[48..], [0xa5; 80], "what the killed append left");
        }
        assert_eq!(recovery.aside.len(), usize::from(name == "killed"));
        let mut reader = Reader::open(home.path()).unwrap();
        let mut found = Vec::new();
        while let Some(record) = reader.next().unwrap() {
            found.push(listed(&record));
        }
        assert_eq!(found, lines("listing.txt", name), "{name}, recovered");
    }
}

#[test]
fn the_snapshot_of_its_time_is_read() {
    assert_eq!(snapshot::load(&golden().join("end.snapshot")).unwrap(), Some(state()));
}

#[test]
fn the_present_writer_writes_the_same_bytes() {
    for (name, files) in [("closed", closed()), ("killed", killed())] {
        for (index, bytes) in files {
            let path = golden().join(name).join(crate::format::segment_file(index));
            assert!(fs::read(&path).unwrap() == bytes, "{}: other bytes: raise VERSION, make golden/2", path.display());
        }
    }
}
