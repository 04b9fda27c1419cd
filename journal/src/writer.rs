//! Appends records to a journal, on the stage's own thread. An append copies the body, computes the CRC and publishes
//! the length word: no system call, no lock, no allocation, also when it goes on to the next segment.

use crate::format::{
    HEADER_PAGE, MAGIC, Position, ROLL_BYTES, ROLL_KIND, SegmentHeader, VERSION, padded, record_crc, roll_frame,
};
use crate::segment::Segment;
use crate::storage::{Fault, Storage};
use shrike_core::codes::StageId;
use shrike_core::event::{Header, Seq};
use shrike_core::seeded::{self, Bug};
use std::io;
use std::path::PathBuf;

/// When the disk copy is made durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syncing {
    /// A thread copies and syncs every so many milliseconds, and prepares segments two ahead.
    EveryMs(u64),
    /// No thread: the writer itself prepares the next segment and hands the last one to the file system as it goes on,
    /// and syncs when it closes; [`Writer::synced_to`] moves only then. For simulated time, where [`Full`] must not
    /// depend on the machine's load. A killed process still loses nothing.
    OnClose,
}

/// How a journal is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WriterOptions {
    /// The stage whose journal it is.
    pub stage: StageId,
    /// Names the run in segment headers; from the seed in simulated time.
    pub run_id: u64,
    /// Bytes of a segment: a multiple of 4096, at least 16 KiB. Three of them live in memory for each journal.
    pub segment_bytes: u32,
    /// Bytes at the end of the last segment left that only [`Writer::append_reserve`] may use.
    pub reserve_bytes: u32,
    /// A directory in memory (tmpfs) for live segments; without one, or while it lacks room, the disk files themselves
    /// are mapped.
    pub live_dir: Option<PathBuf>,
    /// Segments that may wait in memory for a disk that does not take them.
    pub live_segments_max: usize,
    /// When the disk copy is made durable.
    pub syncing: Syncing,
}

impl WriterOptions {
    /// The defaults for a live stage: 256 MiB segments in /dev/shm, synced every 10 ms.
    pub fn new(stage: StageId) -> Self {
        Self {
            stage,
            run_id: 0,
            segment_bytes: 256 << 20,
            reserve_bytes: 4 << 20,
            live_dir: Some(PathBuf::from("/dev/shm")),
            live_segments_max: 6,
            syncing: Syncing::EveryMs(10),
        }
    }

    /// The defaults for simulated time: no thread, synced on close.
    pub fn simulated(stage: StageId, run_id: u64) -> Self {
        Self { run_id, segment_bytes: 32 << 20, reserve_bytes: 1 << 20, syncing: Syncing::OnClose, ..Self::new(stage) }
    }

    /// With segments of this size, and a reserve of an eighth of it where the present one is larger.
    #[must_use]
    pub fn with_segment_bytes(mut self, segment_bytes: u32) -> Self {
        self.segment_bytes = segment_bytes;
        self.reserve_bytes = self.reserve_bytes.min(segment_bytes / 8);
        self
    }

    /// What is wrong with the numbers, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.segment_bytes < 4 * HEADER_PAGE || !self.segment_bytes.is_multiple_of(HEADER_PAGE) {
            return Some(format!(
                "segment_bytes is {}; it must be a multiple of 4096, at least 16384",
                self.segment_bytes
            ));
        }
        if self.reserve_bytes > self.segment_bytes / 2 {
            return Some(format!("reserve_bytes is {}; it must be at most half a segment", self.reserve_bytes));
        }
        None
    }
}

/// Why a record was not taken. Nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Full {
    /// No segment is left; only the reserve.
    #[error("the journal has no segment left (see its fault; free disk space)")]
    NoSegment,
    /// The record can never fit a segment.
    #[error("the record is larger than a segment of the journal")]
    TooLarge,
}

/// How much room is left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pressure {
    /// Enough.
    Normal,
    /// The last segment: raise the alarm, open nothing new.
    Low,
    /// None but the reserve: cancel all and halt.
    Full,
}

/// Why an epoch cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("epoch {wanted} does not come after the journal's epoch {current}")]
pub struct EpochError {
    /// The epoch asked for.
    pub wanted: u8,
    /// The journal's epoch.
    pub current: u8,
}

/// The one writer of a journal.
#[derive(Debug)]
pub struct Writer<S: Storage> {
    storage: S,
    /// The segment that is written; none before the first record.
    segment: Option<Segment>,
    position: Position,
    /// Where plain appends end at present: before the reserve until a next segment is seen to be ready.
    limit: u32,
    next: Seq,
    full: bool,
    stage: StageId,
    run_id: u64,
    segment_bytes: u32,
    reserve_bytes: u32,
}

impl<S: Storage> Writer<S> {
    /// A writer whose first record is `next` in the first segment that `storage` gives.
    pub(crate) fn begin(storage: S, options: &WriterOptions, next: Seq) -> Self {
        Self {
            storage,
            segment: None,
            position: Position::default(),
            limit: 0,
            next,
            full: false,
            stage: options.stage,
            run_id: options.run_id,
            segment_bytes: options.segment_bytes,
            reserve_bytes: options.reserve_bytes & !63,
        }
    }

    /// Appends a record and gives its number. `len`, `crc` and `seq` of the header are set here; the rest is the
    /// caller's. When this returns, every reader sees the record; it is durable once [`Self::synced_to`] has passed it.
    ///
    /// # Errors
    /// [`Full`]; nothing was written, and the number is not used up.
    #[inline]
    pub fn append(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Full> {
        let bytes = padded(Header::SIZE + body.len());
        if bytes > self.limit.saturating_sub(self.position.offset) as usize {
            self.make_room(bytes, false)?;
        }
        self.put(header, body, bytes)
    }

    /// Like [`Self::append`], and may use the reserve: for the few last records (cancel all, halt) of a full journal.
    ///
    /// # Errors
    /// [`Full`], when the reserve is used up too.
    #[cold]
    pub fn append_reserve(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Full> {
        let bytes = padded(Header::SIZE + body.len());
        self.make_room(bytes, true)?;
        self.put(header, body, bytes)
    }

    /// Always in line: it is called in two places, of which one is rare.
    #[inline(always)]
    fn put(&mut self, header: &Header, body: &[u8], bytes: usize) -> Result<Seq, Full> {
        debug_assert_ne!(header.kind, ROLL_KIND, "the journal's own kind");
        let seq = self.next;
        let mut header = Header { len: (Header::SIZE + body.len()) as u32, crc: 0, seq, ..*header };
        header.crc = record_crc(&header, body);
        let Some(segment) = &self.segment else { return Err(Full::NoSegment) };
        if !segment.put(self.position.offset, &header, body) {
            return Err(Full::TooLarge);
        }
        self.position.offset += bytes as u32;
        self.next = seq.next();
        Ok(seq)
    }

    /// Finds room for a record, in this segment or the next.
    #[cold]
    fn make_room(&mut self, bytes: usize, reserve: bool) -> Result<(), Full> {
        if bytes > (self.segment_bytes - HEADER_PAGE - self.reserve_bytes) as usize {
            return Err(Full::TooLarge);
        }
        if self.segment.is_some() && bytes <= (self.segment_bytes - self.position.offset) as usize {
            if reserve {
                return Ok(());
            }
            self.storage.refill();
            if self.storage.ready() > 0 {
                // The next segment brings a reserve of its own.
                self.limit = self.segment_bytes;
                return Ok(());
            }
            self.full = true;
            return Err(Full::NoSegment);
        }
        self.storage.refill();
        let Some((index, segment)) = self.storage.take() else {
            self.full = true;
            return Err(Full::NoSegment);
        };
        self.seal();
        let mut header = SegmentHeader {
            magic: MAGIC,
            version: VERSION,
            crc: 0,
            stage: u32::from(self.stage.code()),
            index,
            first_seq: self.next,
            segment_bytes: u64::from(self.segment_bytes),
            run_id: self.run_id,
            reserved: [0; 10],
        };
        header.crc = header.checksum();
        segment.begin(&header);
        self.segment = Some(segment);
        self.position = Position { segment: index, offset: HEADER_PAGE };
        let reserve = if seeded::on(Bug::ReserveOverwritten) { 0 } else { self.reserve_bytes };
        self.limit = self.segment_bytes - reserve;
        self.full = false;
        Ok(())
    }

    /// Ends the present segment with a roll frame, where there is room for one.
    fn seal(&mut self) {
        if let Some(segment) = self.segment.take() {
            if self.position.offset + ROLL_BYTES <= self.segment_bytes {
                segment.put(self.position.offset, &roll_frame(self.next), &[]);
                self.position.offset += ROLL_BYTES;
            }
            segment.seal();
        }
    }

    /// Opens a later epoch: the next record is its first. A producer does so when its journal was cut before what its
    /// consumer holds.
    ///
    /// # Errors
    /// When `epoch` is not after the present one.
    pub fn open_epoch(&mut self, epoch: u8) -> Result<(), EpochError> {
        if epoch <= self.next.epoch() {
            return Err(EpochError { wanted: epoch, current: self.next.epoch() });
        }
        self.next = Seq::new(self.stage, epoch, 1);
        Ok(())
    }

    /// The number of the next record.
    #[inline]
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// Where the next record goes, unless it goes to the next segment.
    #[inline]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Everything below is durable. One atomic load; lags by the syncing interval.
    #[inline]
    pub fn synced_to(&self) -> Position {
        self.storage.synced_to()
    }

    /// How much room is left. Two atomic loads.
    #[inline]
    pub fn pressure(&self) -> Pressure {
        match self.storage.ready() {
            // An append found no room; when a segment is ready again, the next one does.
            0 if self.full => Pressure::Full,
            0 => Pressure::Low,
            1 if self.storage.fault().is_some() => Pressure::Low,
            _ => Pressure::Normal,
        }
    }

    /// Whether no segment is ready although nothing fails: what prepares them is only behind. Two atomic loads.
    #[inline]
    pub fn is_disk_late(&self) -> bool {
        self.storage.ready() == 0 && self.storage.fault().is_none()
    }

    /// What fails behind the writer at the moment: it is tried again until it works.
    pub fn fault(&self) -> Option<Fault> {
        self.storage.fault()
    }

    /// The storage, for tests that drive it.
    pub fn storage(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Seals the journal, makes everything durable and leaves only final files. A writer that is dropped without this
    /// leaves what a crash leaves: everything appended is found by recovery.
    ///
    /// # Errors
    /// When the disk does not take it; nothing is lost, and recovery takes it up.
    pub fn flush_and_close(mut self) -> io::Result<()> {
        self.seal();
        self.storage.close()
    }
}
