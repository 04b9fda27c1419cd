//! Journals: every event a stage takes and every output it gives, in order, in memory-mapped segments.
//!
//! - [`Writer`]: appends, on the stage's thread; [`Mapped`] files or simulated pages behind it ([`Storage`])
//! - [`Reader`]: reads and tails, in any process
//! - [`recover()`]: what happens at a start; see [`RecoveryCase`] for the cases
//! - [`mod@format`]: the bytes
#![deny(missing_docs)]

mod directory;
pub mod format;
mod lock;
mod map;
mod mapped;
mod pages;
mod reader;
mod recover;
mod segment;
pub mod snapshot;
mod storage;
mod writer;

pub use directory::{Directory, LIVE_FILE};
pub use format::Position;
pub use lock::LOCK_FILE;
pub use mapped::Mapped;
pub use pages::{PAGE, Pages};
pub use reader::{Bad, ReadError, Reader, Record};
pub use recover::{OpenError, Recovery, RecoveryCase, recover};
pub use segment::Segment;
pub use storage::{Ending, Fault, FaultStep, Segments, Storage};
pub use writer::{EpochError, Full, Pressure, Syncing, Writer, WriterOptions};

#[cfg(test)]
mod tests;
