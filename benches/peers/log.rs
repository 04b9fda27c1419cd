//! Our journal beside a plain log: a header with a CRC and the event, by `write` to a file that somebody else may sync.
//!
//! A buffered log is not the same promise: what lies in its buffer dies with the process and no reader sees it. The log that
//! writes each record keeps ours: once appended, a record survives the process and is seen by others. Neither log syncs
//! (ours does, by a thread of its own), numbers its records or prepares files.

use super::{Peer, in_turn};
use shrike_bench::place::Place;
use shrike_bench::{Host, Outcome};
use shrike_core::codes::StageId;
use shrike_core::event::{Body, DepthTick, Header, OrderUpdate};
use shrike_core::units::Nanos;
use shrike_journal::{Mapped, Writer, WriterOptions};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// Records of a sample.
const BATCH: u64 = 16;
/// Bytes that each of the two writes: ours within one segment.
const BYTES: u64 = 128 << 20;
/// Of the buffered log: so many records that the system's call hardly counts.
const BUFFER: usize = 64 << 10;

/// The rows.
pub fn rows() -> Vec<Peer> {
    vec![
        ("peer append 128 B, plain log, buffered", append::<OrderUpdate, Buffered>),
        ("peer append 128 B, plain log, a write each", append::<OrderUpdate, Unbuffered>),
        ("peer append 384 B, plain log, buffered", append::<DepthTick, Buffered>),
        ("peer append 384 B, plain log, a write each", append::<DepthTick, Unbuffered>),
    ]
}

/// A log over a new file.
trait Log: Sized {
    fn new(file: File) -> Self;
    fn append(&mut self, header: &Header, body: &[u8]) -> io::Result<()>;
}

struct Buffered(BufWriter<File>);

impl Log for Buffered {
    fn new(file: File) -> Self {
        Self(BufWriter::with_capacity(BUFFER, file))
    }

    #[inline]
    fn append(&mut self, header: &Header, body: &[u8]) -> io::Result<()> {
        self.0.write_all(bytemuck::bytes_of(&summed(header, body)))?;
        self.0.write_all(body)
    }
}

/// One `write` a record, from a buffer on the stack.
struct Unbuffered(File);

impl Log for Unbuffered {
    fn new(file: File) -> Self {
        Self(file)
    }

    #[inline]
    fn append(&mut self, header: &Header, body: &[u8]) -> io::Result<()> {
        let mut record = [0_u8; 512];
        let (head, rest) = record.split_at_mut(Header::SIZE);
        head.copy_from_slice(bytemuck::bytes_of(&summed(header, body)));
        rest.get_mut(..body.len()).ok_or(io::ErrorKind::FileTooLarge)?.copy_from_slice(body);
        self.0.write_all(record.get(..Header::SIZE + body.len()).unwrap_or_default())
    }
}

/// The header with the CRC of all that follows it.
#[inline]
fn summed(header: &Header, body: &[u8]) -> Header {
    let mut sum = crc32fast::Hasher::new();
    sum.update(bytemuck::bytes_of(&Header { crc: 0, ..*header }));
    sum.update(body);
    Header { crc: sum.finalize(), ..*header }
}

fn append<B: Body + Default, L: Log>(host: &mut Host) -> Outcome {
    appended::<B, L>(host).unwrap_or_else(Outcome::Absent)
}

fn appended<B: Body + Default, L: Log>(host: &Host) -> Result<Outcome, String> {
    let place = Place::new()?;
    let options = WriterOptions::new(StageId::Order);
    // Populating three segments of the usual size takes longer than a short run.
    let options = place.options(if host.short { options.with_segment_bytes(32 << 20) } else { options });
    let (mut ours, _): (Writer<Mapped>, _) =
        Writer::create_or_resume(place.path(), options).map_err(|error| error.to_string())?;
    let told = |error: io::Error| error.to_string();
    let mut theirs = L::new(File::create(place.path().join("plain.log")).map_err(told)?);

    let len = (Header::SIZE + size_of::<B>()) as u32;
    let (kind, version) = (B::KIND as u16, B::VERSION);
    let header = Header { len, kind, version, recv_ns: Nanos::new(1), taken_ns: Nanos::new(2), ..Header::default() };
    let body = B::default();
    let body = bytemuck::bytes_of(&body);
    let figures = in_turn(
        host,
        BYTES / u64::from(len) / BATCH,
        BATCH,
        || ours.append(&header, body).map(drop).map_err(|full| full.to_string()),
        || theirs.append(&header, body).map_err(told),
    );
    figures.map(Outcome::Measured)
}
