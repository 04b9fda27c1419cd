//! What a reader says when it cannot go on: the file, the place, what was expected and found, and what to do. Damage below
//! the durable mark is told apart from an end that a crash tore.

use crate::format::{Position, VERSION};
use shrike_core::event::Seq;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What is wrong with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// The file ends before `needed`.
    CutShort {
        /// Bytes the file has.
        bytes: u32,
        /// Bytes it must have.
        needed: u32,
    },
    /// No record where one was written.
    Missing,
    /// A length that no record can have here.
    Length {
        /// The length word.
        found: u32,
    },
    /// The checksum of the bytes differs from the one recorded.
    Crc {
        /// The checksum in the record.
        found: u32,
        /// The checksum of its bytes.
        expected: u32,
    },
    /// A number out of order.
    Seq {
        /// The number in the record.
        found: Seq,
        /// The number that is due.
        expected: Seq,
    },
    /// The mark in the header page is damaged.
    Mark {
        /// Its check.
        found: u32,
        /// The check that belongs to its offset.
        expected: u32,
    },
    /// A damaged segment header.
    Header {
        /// The value found.
        found: u32,
        /// The value that belongs there.
        expected: u32,
    },
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort { bytes, needed } => write!(f, "the file ends at {bytes}, expected {needed} bytes"),
            Self::Missing => f.write_str("expected a record, found none"),
            Self::Length { found } => write!(f, "length {found} cannot be"),
            Self::Crc { found, expected } => write!(f, "checksum: expected {expected:08x}, found {found:08x}"),
            Self::Seq { found, expected } => write!(f, "number: expected {expected}, found {found}"),
            Self::Mark { found, expected } => {
                write!(f, "check of the durable mark: expected {expected:08x}, found {found:08x}")
            }
            Self::Header { found, expected } => {
                write!(f, "segment header: expected {expected:08x}, found {found:08x}")
            }
        }
    }
}

/// Why reading stops, other than at the journal's end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Not a segment of a journal, or one of another stage or place.
    #[error("{}: not a segment of this journal: {why}", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// Written by a later version.
    #[error("{}: format version {found}, and this build reads up to {VERSION}: use a later build", file.display())]
    Future {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A segment in the middle does not exist.
    #[error("{}: the segment is missing, and later ones exist: restore it", file.display())]
    MissingSegment {
        /// The file that should exist.
        file: PathBuf,
    },
    /// What was durable is damaged: neither a crash nor this program does that. Restore the file from a copy.
    #[error("{} at offset {}: damaged: {bad}; everything below {synced_to} was durable: restore the file", file.display(), position.offset)]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// The place.
        position: Position,
        /// What is wrong there.
        bad: Bad,
        /// The durable mark.
        synced_to: Position,
    },
    /// The journal ends here, in a record that a crash left unfinished; recovery cuts it.
    #[error("{} at offset {}: unfinished: {bad}; durable up to {synced_to}: recovery cuts the rest", file.display(), position.offset)]
    Torn {
        /// The file.
        file: PathBuf,
        /// The place.
        position: Position,
        /// What is wrong there.
        bad: Bad,
        /// The durable mark.
        synced_to: Position,
    },
}
