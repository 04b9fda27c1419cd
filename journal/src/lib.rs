//! Journals: every event a stage takes and every output it gives, in order, in memory-mapped segments.
//!
//! - [`Writer`]: appends, on the stage's thread; files ([`Mapped`]) or simulated pages ([`Pages`]) behind it
//! - [`Reader`]: reads and tails, in any process
//! - [`recover()`]: what happens at a start; see [`RecoveryCase`] for the cases
//! - [`snapshot`]: the state at the end of a session, so that a start need not fold everything
//! - [`mod@format`]: the bytes
//!
//! ```
//! use shrike_core::{codes::StageId, event::{Body, Event, Header, Quote}};
//! use shrike_journal::{Reader, Writer, WriterOptions};
//!
//! let home = tempfile::tempdir()?;
//! let (mut writer, _recovery) = Writer::create_or_resume(home.path(), WriterOptions::simulated(StageId::Order, 1))?;
//! let header = Header { kind: Quote::KIND as u16, version: Quote::VERSION, ..Header::default() };
//! let seq = writer.append(&header, bytemuck::bytes_of(&Quote::default()))?;
//!
//! let mut reader = Reader::open(home.path())?;
//! let record = reader.next()?.expect("what was appended is seen at once");
//! assert_eq!(record.header.seq, seq);
//! assert_eq!(record.event(), Event::Quote(&Quote::default()));
//! assert!(reader.next()?.is_none(), "the present end; ask again");
//! writer.flush_and_close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]
#![deny(clippy::float_arithmetic)]

mod damage;
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

pub use damage::{Bad, ReadError};
pub use directory::{Directory, LIVE_FILE};
pub use format::Position;
pub use lock::LOCK_FILE;
pub use mapped::Mapped;
pub use pages::{PAGE, Pages};
pub use reader::{Reader, Record};
pub use recover::{OpenError, Recovery, RecoveryCase, recover};
pub use segment::Segment;
pub use storage::{Ending, Fault, FaultStep, Segments, Storage};
pub use writer::{EpochError, Full, Pressure, Syncing, Writer, WriterOptions};

#[cfg(test)]
mod tests;
