//! A stage's journal as the runtime writes it: the reserve for the last records, and orders that wait for the disk where
//! the configuration wants it.

use crate::stage::Log;
use shrike_core::event::{Header, Kind, Seq, flags};
use shrike_journal::{EpochError, Full, Mapped, Pressure, Storage, Writer};
use std::io;

/// What the runtime needs of a stage's journal beside appending to it. A simulation has its own, which fails when told.
pub trait StageJournal: Log<Error = Full> + Send + 'static {
    /// From now on a disk that is slow, but works, is waited for: for time that is not real.
    fn wait_for_disk(&mut self);

    /// How much room is left.
    fn pressure(&self) -> Pressure;

    /// The number of the next record.
    fn next_seq(&self) -> Seq;

    /// Opens a new epoch: this journal was cut before what its neighbour holds.
    ///
    /// # Errors
    /// When the epoch is not later than the present one.
    fn open_epoch(&mut self, epoch: u8) -> Result<(), EpochError>;

    /// Closes the journal, everything on disk.
    ///
    /// # Errors
    /// When the disk does not take it.
    fn close(self) -> io::Result<()>;
}

/// The journal of a stage, over files or simulated pages.
pub struct StageLog<S: Storage = Mapped> {
    writer: Writer<S>,
    /// Whether a request to the venue waits until its record is on disk.
    orders_sync: bool,
    /// Whether time may stand still until the disk has followed.
    patient: bool,
}

impl<S: Storage> StageLog<S> {
    /// Over a writer. `orders_sync` needs a writer that syncs by itself.
    pub const fn new(writer: Writer<S>, orders_sync: bool) -> Self {
        Self { writer, orders_sync, patient: false }
    }

    /// Where the next record goes.
    pub fn position(&self) -> shrike_journal::Position {
        self.writer.position()
    }
}

impl<S: Storage + Send + 'static> StageJournal for StageLog<S> {
    fn wait_for_disk(&mut self) {
        self.patient = true;
    }

    #[inline]
    fn pressure(&self) -> Pressure {
        while self.patient && self.writer.is_disk_late() {
            std::thread::yield_now();
        }
        self.writer.pressure()
    }

    fn next_seq(&self) -> Seq {
        self.writer.next_seq()
    }

    fn open_epoch(&mut self, epoch: u8) -> Result<(), EpochError> {
        self.writer.open_epoch(epoch)
    }

    fn close(self) -> io::Result<()> {
        self.writer.flush_and_close()
    }
}

impl<S: Storage> Log for StageLog<S> {
    type Error = Full;

    /// The last records of a full journal go into its reserve: what cancels and halts must still be told.
    #[inline]
    fn append(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Full> {
        let seq = match self.writer.append(header, body) {
            Err(Full::NoSegment) => self.writer.append_reserve(header, body)?,
            appended => appended?,
        };
        if self.orders_sync && header.kind == Kind::OrderRequest as u16 && header.has(flags::OUTPUT) {
            let written = self.writer.position();
            while self.writer.synced_to() < written && self.writer.fault().is_none() {
                std::hint::spin_loop();
            }
        }
        Ok(seq)
    }
}
