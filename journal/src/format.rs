//! The file format: segment header, frames, marks, names and checksums. Plain functions over bytes; FORMAT.md tells the
//! same in prose. A record is an event's [`Header`] and its body, zero-padded to 64 bytes.

use crate::segment::crc;
use bytemuck::{Pod, Zeroable};
use shrike_core::event::{Header, Seq};
use shrike_core::seeded::{self, Bug};
use std::fmt;

/// First bytes of every segment.
pub const MAGIC: [u8; 8] = *b"SHRIKE\x1aJ";
/// Version of the segment format that this code writes; it reads this and all earlier ones.
pub const VERSION: u32 = 1;
/// Bytes of the header page; records begin here.
pub const HEADER_PAGE: u32 = 4096;
/// Records begin on multiples of this.
pub const LINE: u32 = 64;
/// Offset of the segment header's checksum.
pub const CRC_OFFSET: u32 = 12;
/// Offset of the durable mark in the header page.
pub const MARK_OFFSET: u32 = 128;
/// Kind of the frame that says: the rest of this segment is empty, go on in the next one.
pub const ROLL_KIND: u16 = u16::MAX;
/// Bytes of a roll frame.
pub const ROLL_BYTES: u32 = LINE;

/// A place in a journal: a segment and an offset of bytes in it. Ordered as records are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Index of the segment, as in its file name.
    pub segment: u32,
    /// Offset in the segment's file.
    pub offset: u32,
}

impl Position {
    /// The start of the journal.
    pub const START: Self = Self { segment: 0, offset: HEADER_PAGE };

    /// The position in one word, ordered alike.
    pub const fn raw(self) -> u64 {
        (self.segment as u64) << 32 | self.offset as u64
    }

    /// From [`Self::raw`].
    pub const fn from_raw(raw: u64) -> Self {
        Self { segment: (raw >> 32) as u32, offset: raw as u32 }
    }
}

impl fmt::Display for Position {
    /// `000003:4096`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}:{}", self.segment, self.offset)
    }
}

/// The first 128 bytes of a segment. Then follows the mark (8 bytes); the rest of the page is zero.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable, Debug)]
#[repr(C)]
pub struct SegmentHeader {
    /// [`MAGIC`]; zero until the segment begins. Stored last.
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// CRC-32C of these 128 bytes with this field zero.
    pub crc: u32,
    /// Code of the stage that writes the journal.
    pub stage: u32,
    /// Index of the segment.
    pub index: u32,
    /// Number of the first record; an epoch may begin with the first record instead.
    pub first_seq: Seq,
    /// Capacity of the segment in bytes. The file may be shorter, never longer.
    pub segment_bytes: u64,
    /// The run that wrote the segment; from the seed in simulated time.
    pub run_id: u64,
    /// Zero.
    pub reserved: [u64; 10],
}

const _: () = assert!(size_of::<SegmentHeader>() == MARK_OFFSET as usize);

impl SegmentHeader {
    /// Its checksum.
    pub fn checksum(&self) -> u32 {
        crc32c::crc32c(bytemuck::bytes_of(&Self { crc: 0, ..*self }))
    }
}

/// What a header page says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// The segment is prepared, and nothing was written yet.
    NotBegun,
    /// The segment holds records from the header's first number on.
    Begun(SegmentHeader),
    /// Not a segment of any version.
    Foreign,
    /// Written by a later version of this code.
    Future(u32),
    /// Ours, and damaged.
    Damaged {
        /// The checksum in the header.
        found: u32,
        /// The checksum of its bytes.
        expected: u32,
    },
}

/// Reads a header page.
pub fn read_page(page: &[u8]) -> Page {
    let Some(Ok(header)) = page.get(..MARK_OFFSET as usize).map(bytemuck::try_pod_read_unaligned::<SegmentHeader>)
    else {
        return Page::Foreign;
    };
    if header.magic == [0; 8] {
        // The writer fills the page before the magic, so the rest may hold anything.
        return Page::NotBegun;
    }
    // Where the checksum holds with what we write in their place, the magic or the version is damaged, not foreign.
    let is_ours = SegmentHeader { magic: MAGIC, version: VERSION, ..header }.checksum() == header.crc;
    if header.magic != MAGIC && !is_ours {
        return Page::Foreign;
    }
    if header.version > VERSION && !is_ours {
        return Page::Future(header.version);
    }
    let expected = header.checksum();
    if header.crc != expected {
        return Page::Damaged { found: header.crc, expected };
    }
    Page::Begun(header)
}

/// The mark: everything in earlier segments and below this offset is durable. Zero is no mark; the upper half checks
/// the lower.
pub fn encode_mark(segment: u32, offset: u32) -> u64 {
    let mut bytes = [0; 8];
    let (low, high) = bytes.split_at_mut(4);
    low.copy_from_slice(&segment.to_le_bytes());
    high.copy_from_slice(&offset.to_le_bytes());
    // Inverted, so that no mark but the absent one has a zero half.
    u64::from(!crc32c::crc32c(&bytes)) << 32 | u64::from(offset)
}

/// The offset of a mark in `segment`: zero when there is none.
///
/// # Errors
/// The check that was found and the one that belongs there.
pub fn decode_mark(segment: u32, mark: u64) -> Result<u32, (u32, u32)> {
    if mark == 0 {
        return Ok(0);
    }
    let offset = mark as u32;
    let expected = encode_mark(segment, offset);
    if mark == expected { Ok(offset) } else { Err(((mark >> 32) as u32, (expected >> 32) as u32)) }
}

/// Bytes that a record of `len` bytes occupies.
#[inline]
pub const fn padded(len: usize) -> usize {
    (len + LINE as usize - 1) & !(LINE as usize - 1)
}

/// CRC-32C of a record; its header's crc field counts as zero. `body` is the body without padding.
#[inline]
pub fn record_crc(header: &Header, body: &[u8]) -> u32 {
    let body = if seeded::on(Bug::CrcOfHeaderOnly) { &[] } else { body };
    crc::hardware(header, body).unwrap_or_else(|| library_crc(header, body))
}

/// The same for bodies of any length, on any processor.
#[cold]
fn library_crc(header: &Header, body: &[u8]) -> u32 {
    let header = Header { crc: 0, ..*header };
    let padding = padded(Header::SIZE + body.len()) - Header::SIZE - body.len();
    let parts = [bytemuck::bytes_of(&header), body, [0; LINE as usize].get(..padding).unwrap_or(&[])];
    parts.into_iter().fold(0, crc32c::crc32c_append)
}

/// The roll frame's header before a segment whose first number is expected to be `next`.
pub fn roll_frame(next: Seq) -> Header {
    let mut header = Header { len: Header::SIZE as u32, kind: ROLL_KIND, version: 1, seq: next, ..Header::default() };
    header.crc = record_crc(&header, &[]);
    header
}

/// Whether `found` may follow when `expected` is due: it is `expected`, or the first of a later epoch.
#[inline]
pub fn follows(expected: Seq, found: Seq) -> bool {
    found == expected || (found.stage() == expected.stage() && found.epoch() > expected.epoch() && found.n() == 1)
}

/// `000003.seg`.
pub fn segment_file(index: u32) -> String {
    format!("{index:06}.seg")
}

/// The index in a segment's file name.
pub fn segment_index(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}
