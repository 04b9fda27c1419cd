//! The event header, which is the journal's frame header: 48 bytes before every body, in rings and on disk.

use crate::codes::StageId;
use crate::units::Nanos;
use bytemuck::{Pod, Zeroable};
use std::fmt;

/// Position of an event in one stage's numbering: `stage:8 epoch:8 n:48`. Zero is absent. Within a stage and epoch, n
/// counts from 1; an epoch begins when a producer's journal was cut before what its consumer already holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Default)]
#[repr(transparent)]
pub struct Seq(u64);

impl Seq {
    /// No event.
    pub const ABSENT: Self = Self(0);
    const N_BITS: u32 = 48;

    /// The `n`-th event of a stage's epoch. `n` is cut to 48 bits: at 10 M events/s it lasts 325 days.
    #[inline]
    pub const fn new(stage: StageId, epoch: u8, n: u64) -> Self {
        Self((stage.code() as u64) << 56 | (epoch as u64) << Self::N_BITS | n & ((1 << Self::N_BITS) - 1))
    }
    /// From the number in a header.
    #[inline]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
    /// The number in a header.
    #[inline]
    pub const fn raw(self) -> u64 {
        self.0
    }
    /// The stage, if known.
    #[inline]
    pub const fn stage(self) -> Option<StageId> {
        StageId::of((self.0 >> 56) as u8)
    }
    /// The epoch.
    #[inline]
    pub const fn epoch(self) -> u8 {
        (self.0 >> Self::N_BITS) as u8
    }
    /// The count within stage and epoch.
    #[inline]
    pub const fn n(self) -> u64 {
        self.0 & ((1 << Self::N_BITS) - 1)
    }
    /// The next event of the same stage and epoch.
    #[inline]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
    /// Whether there is none.
    #[inline]
    pub const fn is_absent(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Seq {
    /// `order/0:42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() {
            return f.pad("-");
        }
        let stage = self.stage().map_or("?", StageId::name);
        f.pad(&format!("{stage}/{}:{}", self.epoch(), self.n()))
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bits of [`Header::flags`].
pub mod flags {
    /// The record is an output of the journal's stage; without it, an input the stage took.
    pub const OUTPUT: u32 = 1;
    /// The event is older than `catchup_ms` or part of a warm-up: state follows, intents are not stated.
    pub const CATCHUP: u32 = 1 << 1;
    /// The event was sent again by a resync.
    pub const RESENT: u32 = 1 << 2;
    /// The event came from the latest-value table after a full ring: intermediate snapshots were skipped.
    pub const CONFLATED: u32 = 1 << 3;
}

/// What stands before every body. In a ring, `seq` is the producer's number; a stage's journal gives the event the
/// stage's own number and keeps the producer's in `cause`. For an output, `cause` is the input that led to it.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable, Default, Debug)]
#[repr(C)]
pub struct Header {
    /// Bytes of header and body together. Published last: a reader sees zero or a whole record.
    pub len: u32,
    /// [`super::Kind`] of the body.
    pub kind: u16,
    /// Version of the body's layout; later versions only append fields.
    pub version: u16,
    /// CRC-32C of the record with this field zero, up to its end on a 64-byte boundary. Set by the journal's writer.
    pub crc: u32,
    /// Bits of [`flags`].
    pub flags: u32,
    /// Number of this event.
    pub seq: Seq,
    /// When the edge received what led to this event.
    pub recv_ns: Nanos,
    /// When the stage took the input; monotone within a journal.
    pub taken_ns: Nanos,
    /// Number of the event that led to this one.
    pub cause: Seq,
}

impl Header {
    /// Bytes of a header.
    pub const SIZE: usize = 48;

    /// Whether all bits of `mask` are set.
    #[inline]
    pub const fn has(&self, mask: u32) -> bool {
        self.flags & mask == mask
    }
}
