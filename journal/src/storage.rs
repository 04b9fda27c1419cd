//! Where the segments of one journal live. [`crate::Mapped`] keeps them in files; [`crate::Pages`] simulates pages in
//! memory. A reader needs [`Segments`]; a writer takes prepared segments from a [`Storage`] and never waits for it.

use crate::format::Position;
use crate::segment::Segment;
use shrike_core::event::Header;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The read side: the segments that exist, by index.
pub trait Segments {
    /// Indices of the segments that exist, ascending.
    ///
    /// # Errors
    /// When the place cannot be listed.
    fn indices(&mut self) -> io::Result<Vec<u32>>;

    /// Opens a segment; `None` when it does not exist. Its memory may be shorter than the segment.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>>;

    /// Bytes of the segment that exist now; zero when it does not. Tells a reader of a growing file to open it again.
    fn segment_bytes(&mut self, index: u32) -> u64;

    /// The segment's name for messages.
    fn file(&self, index: u32) -> PathBuf;
}

/// What went wrong behind the writer, and is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What failed.
    pub step: FaultStep,
    /// The system's error number.
    pub errno: i32,
}

/// The steps that can fail behind the writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultStep {
    /// Preparing the next segment (memory file system full?).
    Prepare = 1,
    /// Copying to the disk (disk full?). Nothing is lost while segments remain.
    Copy = 2,
    /// Making the copy durable.
    Sync = 3,
}

impl Fault {
    /// In one word, for an atomic; zero is no fault.
    pub(crate) fn raw(self) -> u64 {
        (self.step as u64) << 32 | u64::from(self.errno.unsigned_abs())
    }

    pub(crate) fn from_raw(raw: u64) -> Option<Self> {
        let step = match raw >> 32 {
            1 => FaultStep::Prepare,
            2 => FaultStep::Copy,
            3 => FaultStep::Sync,
            _ => return None,
        };
        Some(Self { step, errno: (raw as u32).cast_signed() })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            FaultStep::Prepare => "preparing the next segment",
            FaultStep::Copy => "copying to the disk",
            FaultStep::Sync => "syncing the disk",
        };
        write!(f, "{step}: {}", io::Error::from_raw_os_error(self.errno))
    }
}

/// The ends of the segments that recovery looked at, and what closes the last of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// Segment and end of each that was read to its end, ascending. Everything beyond the last is to be set aside.
    pub ends: Vec<(u32, u32)>,
    /// The roll frame to write at the last end, unless the segment already ends with one or is full to the brim.
    pub seal: Option<Header>,
}

/// The write side of a journal's place. All calls but [`Storage::synced_to`], [`Storage::ready`] and [`Storage::fault`]
/// may take system calls, except that [`Storage::take`] takes none while a thread prepares segments.
pub trait Storage: Segments {
    /// Makes `ending` the durable end of the journal: drains what lives in memory only, seals the last segment, sets
    /// marks, and moves everything beyond to files beside the journal, whose names it returns.
    ///
    /// # Errors
    /// When the disk does not take it; the call can be repeated.
    fn mend(&mut self, ending: &Ending) -> io::Result<Vec<PathBuf>>;

    /// Begins to prepare segments from `next` on.
    ///
    /// # Errors
    /// When not even the first can be prepared.
    fn start(&mut self, next: u32) -> io::Result<()>;

    /// Segments that are prepared and not taken.
    fn ready(&self) -> usize;

    /// Prepares a segment now, where no thread does it.
    fn refill(&mut self);

    /// The next prepared segment and its index.
    fn take(&mut self) -> Option<(u32, Segment)>;

    /// Everything below is durable.
    fn synced_to(&self) -> Position;

    /// What fails behind the writer at the moment.
    fn fault(&self) -> Option<Fault>;

    /// Makes everything durable that was written, and leaves nothing but final segments. The writer has sealed its last
    /// segment.
    ///
    /// # Errors
    /// When the disk does not take it; what lives in memory stays there for recovery.
    fn close(&mut self) -> io::Result<()>;
}

impl<T: Segments> Segments for &mut T {
    fn indices(&mut self) -> io::Result<Vec<u32>> {
        (**self).indices()
    }

    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>> {
        (**self).segment(index)
    }

    fn segment_bytes(&mut self, index: u32) -> u64 {
        (**self).segment_bytes(index)
    }

    fn file(&self, index: u32) -> PathBuf {
        (**self).file(index)
    }
}
