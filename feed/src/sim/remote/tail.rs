//! Follows a journal that another process writes: the records of one kind, one ahead, with their own numbers and times.

use shrike_core::event::{Event, Header, Seq, Slot, flags};
use shrike_core::units::Nanos;
use shrike_core::venue::Next;
use shrike_journal::{ReadError, Reader};
use std::path::{Path, PathBuf};

/// The records of a journal that `wanted` chooses.
#[derive(Debug)]
pub(super) struct Tail<const WORDS: usize> {
    dir: PathBuf,
    after: Seq,
    wanted: fn(&Header, &Event<'_>) -> bool,
    reader: Option<Reader>,
    slot: Box<Slot<WORDS>>,
    ready: bool,
    /// The records read so far say that their writer's market is over.
    over: bool,
    clock: Nanos,
    /// When the last record was taken; absent where its writer has ended in order.
    written_ns: Nanos,
    error: Option<ReadError>,
}

impl<const WORDS: usize> Tail<WORDS> {
    pub(super) fn new(dir: &Path, after: Seq, wanted: fn(&Header, &Event<'_>) -> bool) -> Self {
        Self {
            dir: dir.to_path_buf(),
            after,
            wanted,
            reader: None,
            slot: Box::default(),
            ready: false,
            over: false,
            clock: Nanos::ABSENT,
            written_ns: Nanos::ABSENT,
            error: None,
        }
    }

    pub(super) fn error(&self) -> Option<&ReadError> {
        self.error.as_ref()
    }

    /// When the writer, while it runs, took the last record read so far.
    pub(super) const fn written_ns(&self) -> Nanos {
        self.written_ns
    }

    pub(super) fn take_error(&mut self) -> Option<ReadError> {
        self.error.take()
    }

    pub(super) fn next(&mut self) -> Next {
        if let Err(error) = self.prepare() {
            self.error = Some(error);
        }
        match (self.ready, self.over || self.error.is_some()) {
            (true, _) => Next::At(self.clock),
            (false, false) => Next::Idle,
            (false, true) => Next::End,
        }
    }

    pub(super) fn take(&mut self, slot: &mut Slot<WORDS>) -> bool {
        let ready = matches!(self.next(), Next::At(_));
        if ready {
            *slot = *self.slot;
            self.ready = false;
        }
        ready
    }

    /// Reads on until a wanted record stands in the slot.
    fn prepare(&mut self) -> Result<(), ReadError> {
        if self.error.is_some() || self.ready {
            return Ok(());
        }
        if self.reader.is_none() && self.dir.is_dir() {
            let mut reader = Reader::open(&self.dir)?;
            if !self.after.is_absent() {
                reader.seek(self.after.next())?;
            }
            self.reader = Some(reader);
        }
        let Some(reader) = &mut self.reader else { return Ok(()) };
        while !self.ready {
            let record = match reader.next() {
                Ok(Some(record)) => record,
                // A crash of the writer may leave half a record; it goes on behind it when it is back.
                Ok(None) | Err(ReadError::Torn { .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
            let event = record.event();
            // Answers may follow the end of the market; only a new run takes it back.
            self.over = match event {
                Event::RunEnd(_) => true,
                Event::RunStart(_) => false,
                _ => self.over,
            };
            self.written_ns = if self.over { Nanos::ABSENT } else { record.header.taken_ns };
            if (self.wanted)(record.header, &event) && self.slot.copy_from(record.header, record.body) {
                self.ready = true;
                self.clock = self.clock.max(record.header.recv_ns);
                let header = self.slot.header_mut();
                header.flags &= !flags::OUTPUT;
                (header.taken_ns, header.crc) = (Nanos::ABSENT, 0);
            }
        }
        Ok(())
    }
}
