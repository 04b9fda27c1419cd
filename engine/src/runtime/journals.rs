//! Where an engine keeps its journals and its snapshot: in the files of a [`Home`], or wherever a simulation keeps them.
//! Opening and folding them is the same code for both.

use super::failures::Failures;
use super::home::Home;
use super::log::{StageJournal, StageLog};
use shrike_core::codes::StageId;
use shrike_journal::snapshot::{self, Snapshot, SnapshotError};
use shrike_journal::{Directory, Mapped, OpenError, ReadError, Reader, Recovery, Segments, Writer, WriterOptions};
use std::io;
use std::path::PathBuf;

/// The journals and the snapshot of one engine.
pub trait Journals {
    /// A stage's journal as its driver writes it.
    type Log: StageJournal;
    /// Where a reader finds a journal's segments.
    type Segments: Segments;

    /// Recovers the journal of the stage that `options` name, and gives its log. `orders_sync`: a request waits until its
    /// record is on disk.
    ///
    /// # Errors
    /// See [`OpenError`].
    fn log(&mut self, options: WriterOptions, orders_sync: bool) -> Result<(Self::Log, Recovery), OpenError>;

    /// A reader at the start of a stage's journal.
    ///
    /// # Errors
    /// When it cannot be read.
    fn reader(&self, stage: StageId) -> Result<Reader<Self::Segments>, ReadError>;

    /// The snapshot's name for messages.
    fn snapshot_file(&self) -> PathBuf;

    /// The snapshot; `None` when there is none.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    fn snapshot(&self) -> Result<Option<Snapshot>, SnapshotError>;

    /// Keeps a snapshot in the place of an earlier one.
    ///
    /// # Errors
    /// When it cannot be written; an earlier one is still there then.
    fn keep_snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()>;

    /// Removes the snapshot.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn drop_snapshot(&mut self) -> io::Result<()>;

    /// Where failed starts are noted; `None`: nowhere.
    fn failures(&self) -> Option<Failures> {
        None
    }
}

impl Journals for Home {
    type Log = StageLog<Mapped>;
    type Segments = Directory;

    fn log(&mut self, options: WriterOptions, orders_sync: bool) -> Result<(Self::Log, Recovery), OpenError> {
        let (writer, recovery) = Writer::create_or_resume(&self.journal(options.stage.name()), options)?;
        Ok((StageLog::new(writer, orders_sync), recovery))
    }

    fn reader(&self, stage: StageId) -> Result<Reader<Directory>, ReadError> {
        Reader::open(&self.journal(stage.name()))
    }

    fn snapshot_file(&self) -> PathBuf {
        self.dir().join("snapshot")
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, SnapshotError> {
        snapshot::load(&self.snapshot_file())
    }

    fn keep_snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        snapshot::save(&self.snapshot_file(), snapshot)
    }

    fn drop_snapshot(&mut self) -> io::Result<()> {
        std::fs::remove_file(self.snapshot_file())
    }

    fn failures(&self) -> Option<Failures> {
        Some(Failures::of(self.dir()))
    }
}
