//! Tests of the whole room: stories over real files and simulated pages.

mod calls;
mod faults;
mod files;
mod golden;
mod messages;
mod processes;
mod room;
mod sweeps;

use crate::{Reader, Segments, Storage, Writer, WriterOptions};
use shrike_core::codes::StageId;
use shrike_core::event::{Header, Seq};
use shrike_core::units::Nanos;
use std::path::Path;

/// What a record said, apart from what the writer fills in.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    seq: Seq,
    kind: u16,
    flags: u32,
    recv_ns: u64,
    body: Vec<u8>,
}

/// The `n`-th record of a made-up stream: kinds, sizes and bytes that depend on `n` alone.
fn made(n: u64) -> (Header, Vec<u8>) {
    let size = match n % 6 {
        0 => 80,
        1 => 336,
        2 => 144,
        3 => (n * 7 % 300) as usize,
        4 => 208,
        _ => 0,
    };
    let body = (0..size).map(|i| (n as usize * 31 + i * 17 + 1) as u8).collect();
    let header = Header {
        kind: (n % 60) as u16 + 1,
        version: 1,
        flags: n as u32 & 3,
        recv_ns: Nanos::new(n),
        ..Header::default()
    };
    (header, body)
}

fn append_made<S: Storage>(writer: &mut Writer<S>, n: u64) -> Said {
    let (header, body) = made(n);
    let seq = writer.append(&header, &body).expect("room");
    Said { seq, kind: header.kind, flags: header.flags, recv_ns: n, body }
}

fn said(record: &crate::Record<'_>) -> Said {
    let header = record.header;
    assert_eq!(header.len as usize, Header::SIZE + record.body.len());
    assert_eq!(record.body.as_ptr() as usize % 16, 0, "bodies are 16-byte aligned");
    Said {
        seq: header.seq,
        kind: header.kind,
        flags: header.flags,
        recv_ns: header.recv_ns.get(),
        body: record.body.to_vec(),
    }
}

/// Reads to the present end.
fn read_on<D: Segments>(reader: &mut Reader<D>) -> Vec<Said> {
    let mut all = Vec::new();
    while let Some(record) = reader.next().expect("a sound journal") {
        all.push(said(&record));
    }
    all
}

fn read_dir(dir: &Path) -> Vec<Said> {
    read_on(&mut Reader::open(dir).expect("a directory"))
}

/// Small segments on the disk, no thread.
fn small() -> WriterOptions {
    WriterOptions::simulated(StageId::Order, 7).with_segment_bytes(64 << 10)
}
