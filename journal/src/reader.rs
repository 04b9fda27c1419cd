//! Reads a journal from its start, or from a number, to its present end, and on as it grows; from any process, at any
//! time, without ever creating or changing a file. Each record's number and CRC are checked.

use crate::damage::{Bad, ReadError};
use crate::directory::Directory;
use crate::format::{
    CRC_OFFSET, HEADER_PAGE, LINE, MARK_OFFSET, Page, Position, ROLL_BYTES, ROLL_KIND, SegmentHeader, decode_mark,
    follows, padded, read_page, record_crc,
};
use crate::segment::Segment;
use crate::storage::Segments;
use shrike_core::codes::StageId;
use shrike_core::event::{Event, Header, Seq};
use shrike_core::seeded::{self, Bug};
use std::fmt;
use std::path::{Path, PathBuf};

/// A record, in place.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The header.
    pub header: &'a Header,
    /// The body, 16-byte aligned.
    pub body: &'a [u8],
    /// Where the record is.
    pub position: Position,
}

impl<'a> Record<'a> {
    /// The event, typed.
    #[inline]
    pub fn event(&self) -> Event<'a> {
        Event::read(self.header.kind, self.body)
    }
}

/// What one look at the journal found.
pub(crate) enum Step {
    /// A record from this offset, of this length, in the current segment.
    Record(u32, u32),
    /// The current segment ended there; the reader stands at the start of the next.
    Rolled(u32, u32),
    /// Nothing more at present.
    End,
}

struct Open {
    segment: Segment,
    /// Capacity, from the header.
    bytes: u32,
}

/// Reads a journal. `D` is where its segments are: a [`Directory`] or simulated pages.
pub struct Reader<D: Segments = Directory> {
    place: D,
    open: Option<Open>,
    position: Position,
    /// The number that is due; absent before the first record.
    due: Seq,
    /// Whether the first segment is found.
    started: bool,
    /// The segment that was not there, with nothing durable after it either.
    gap_checked: Option<u32>,
    stage: Option<StageId>,
}

impl Reader<Directory> {
    /// A reader at the start of the journal in `dir`. The directory exists; it may hold no segment yet.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(dir: &Path) -> Result<Self, ReadError> {
        let place = Directory::open(dir).map_err(|source| ReadError::Io { file: dir.to_path_buf(), source })?;
        Ok(Self::over(place))
    }
}

impl<D: Segments> fmt::Debug for Reader<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("position", &self.position).field("due", &self.due).finish_non_exhaustive()
    }
}

impl<D: Segments> Reader<D> {
    /// A reader at the start of the journal in `place`.
    pub fn over(place: D) -> Self {
        Self {
            place,
            open: None,
            position: Position::START,
            due: Seq::ABSENT,
            started: false,
            gap_checked: None,
            stage: None,
        }
    }

    /// The next record, or `None` at the present end; then it may be called again.
    ///
    /// At an end within a live segment a call costs some nanoseconds; where the writer has closed the journal, a call
    /// looks for the next file (about a microsecond).
    ///
    /// # Errors
    /// See [`ReadError`]; the reader stays where it is.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "records are lent, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let found = match self.due_record() {
            None => self.search()?,
            found => found,
        };
        Ok(found.and_then(|(offset, len)| self.record(offset, len)))
    }

    /// Steps to the next record, over the ends of segments.
    #[cold]
    fn search(&mut self) -> Result<Option<(u32, u32)>, ReadError> {
        loop {
            match self.step()? {
                Step::Record(offset, len) => return Ok(Some((offset, len))),
                Step::Rolled(..) => {}
                Step::End => return Ok(None),
            }
        }
    }

    #[inline]
    fn record(&self, offset: u32, len: u32) -> Option<Record<'_>> {
        let (header, body) = self.open.as_ref()?.segment.record(offset, len)?;
        Some(Record { header, body, position: Position { segment: self.position.segment, offset } })
    }

    /// Takes the record that is due, as nearly all are: whole, in the present segment, of the number that follows. Whatever
    /// else there is, [`Self::step`] says.
    #[inline]
    fn due_record(&mut self) -> Option<(u32, u32)> {
        let segment = &self.open.as_ref()?.segment;
        let offset = self.position.offset;
        let len = segment.length_at(offset);
        let size = padded(len as usize) as u32;
        // The sum covers the padding.
        let (header, padded_body) = segment.record(offset, size)?;
        let is_due = len >= Header::SIZE as u32 && header.seq == self.due && header.kind != ROLL_KIND;
        if !is_due || header.crc != record_crc(header, padded_body) {
            return None;
        }
        self.due = header.seq.next();
        self.position.offset = offset + size;
        Some((offset, len))
    }

    /// The place of the next record.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The number of the next record, or a later epoch's first; absent before anything was read.
    pub fn due(&self) -> Seq {
        self.due
    }

    /// The stage that writes the journal, once a segment was seen.
    pub fn stage(&self) -> Option<StageId> {
        self.stage
    }

    /// Goes to the first record whose number is `seq` or later: the next [`Self::next`] gives it. When there is none
    /// yet, the reader stands at the end. Costs a look at some segment headers and a pass over one segment.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn seek(&mut self, seq: Seq) -> Result<(), ReadError> {
        let indices = self.indices()?;
        let mut low = 0;
        let mut high = indices.len();
        // The last segment that begins at or before the number.
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            let index = indices.get(middle).copied().unwrap_or(0);
            match self.open_segment(index) {
                Ok(Some((header, _))) if header.first_seq <= seq => low = middle,
                Ok(_) | Err(ReadError::Torn { .. }) => high = middle,
                Err(error) => return Err(error),
            }
        }
        let Some(index) = indices.get(low).copied() else { return Ok(()) };
        self.go_to(index);
        loop {
            match self.step()? {
                Step::Record(offset, len) => {
                    let found = self.record(offset, len).map_or(Seq::ABSENT, |record| record.header.seq);
                    if found >= seq {
                        self.position.offset = offset;
                        self.due = found;
                        return Ok(());
                    }
                }
                Step::Rolled(..) => {}
                Step::End => return Ok(()),
            }
        }
    }

    /// Stands where an earlier reader stood: at its [`Self::position`], where [`Self::due`] was due. For snapshots.
    pub fn go_on(&mut self, position: Position, due: Seq) {
        self.go_to(position.segment);
        self.position = position;
        self.due = due;
    }

    /// Stands at the start of a segment.
    pub(crate) fn go_to(&mut self, index: u32) {
        self.open = None;
        self.due = Seq::ABSENT;
        self.started = true;
        self.position = Position { segment: index, offset: HEADER_PAGE };
    }

    /// Everything below is durable, as far as the files say; they lag by one syncing interval.
    ///
    /// # Errors
    /// When a file cannot be read or its mark is damaged.
    pub fn synced_to(&mut self) -> Result<Position, ReadError> {
        for index in self.indices()?.into_iter().rev() {
            if let Some(segment) = self.segment(index)? {
                let offset = self.mark_of(index, &segment)?;
                if offset > 0 {
                    return Ok(Position { segment: index, offset });
                }
            }
        }
        Ok(Position::default())
    }

    /// The segment's name for messages.
    pub(crate) fn file(&self, index: u32) -> PathBuf {
        self.place.file(index)
    }

    /// Capacity of the segment at the position; zero when none is open.
    pub(crate) fn capacity(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.bytes)
    }

    /// Where the journal begins: early segments may have been moved away once they were durable.
    pub(crate) fn first_segment(&mut self) -> Result<Option<u32>, ReadError> {
        let first = self.indices()?.first().copied();
        let is_ours = first == Some(0) || first.is_some() && self.synced_to()? != Position::default();
        Ok(first.filter(|_| is_ours))
    }

    pub(crate) fn indices(&mut self) -> Result<Vec<u32>, ReadError> {
        let indices = self.place.indices();
        indices.map_err(|source| ReadError::Io { file: self.place.file(0), source })
    }

    fn segment(&mut self, index: u32) -> Result<Option<Segment>, ReadError> {
        let segment = self.place.segment(index);
        segment.map_err(|source| ReadError::Io { file: self.place.file(index), source })
    }

    pub(crate) fn mark_of(&self, index: u32, segment: &Segment) -> Result<u32, ReadError> {
        self.offset_of(index, segment.mark())
    }

    /// The offset in a mark's word.
    fn offset_of(&self, index: u32, mark: u64) -> Result<u32, ReadError> {
        decode_mark(index, mark).map_err(|(found, expected)| ReadError::Corrupt {
            file: self.place.file(index),
            position: Position { segment: index, offset: MARK_OFFSET },
            bad: Bad::Mark { found, expected },
            synced_to: Position::default(),
        })
    }

    /// Opens a segment and checks its header page; `None` when it does not exist or has not begun.
    pub(crate) fn open_segment(&mut self, index: u32) -> Result<Option<(SegmentHeader, Segment)>, ReadError> {
        let Some(segment) = self.segment(index)? else { return Ok(None) };
        let file = self.place.file(index);
        let foreign = |why: String| Err(ReadError::Foreign { file: file.clone(), why });
        if segment.is_empty() {
            return Ok(None);
        }
        if segment.len() < HEADER_PAGE {
            return foreign(format!("it has {} bytes, less than a header page", segment.len()));
        }
        if !segment.has_begun() {
            return Ok(None);
        }
        let header = match read_page(segment.bytes(0, HEADER_PAGE)) {
            Page::NotBegun => return Ok(None),
            Page::Begun(header) => header,
            Page::Foreign => return foreign("it begins with other bytes than a segment does".into()),
            Page::Future(found) => return Err(ReadError::Future { file, found }),
            Page::Damaged { found, expected } => {
                let position = Position { segment: index, offset: CRC_OFFSET };
                return self.bad(position, Bad::Header { found, expected }).map(|_| None);
            }
        };
        if header.index != index {
            return foreign(format!("its header says segment {}", header.index));
        }
        let stage = StageId::of(header.stage as u8);
        if self.stage.is_some() && self.stage != stage {
            return foreign(format!("it is of stage {}", stage.map_or("?", StageId::name)));
        }
        let bytes = header.segment_bytes;
        if bytes < u64::from(HEADER_PAGE) || bytes > u64::from(u32::MAX) || u64::from(segment.len()) > bytes {
            return foreign(format!("it has {} bytes, and its header says {bytes}", segment.len()));
        }
        self.stage = stage;
        Ok(Some((header, segment)))
    }

    /// Opens the segment at the position; false when there is none yet.
    #[cold]
    fn open_current(&mut self) -> Result<bool, ReadError> {
        if !self.started {
            match self.first_segment()? {
                Some(first) => self.go_to(first),
                None => return Ok(false),
            }
        }
        let index = self.position.segment;
        let mut opened = self.open_segment(index)?;
        if opened.is_none() && self.gap_checked != Some(index) {
            // A gap in what was durable is no end. Segments are made durable in order, so one look on arrival is enough.
            self.gap_checked = Some(index);
            let synced_to = self.synced_to()?;
            let position = Position { segment: index, offset: 0 };
            if position < synced_to {
                // The writer may have come and gone between the two looks.
                opened = self.open_segment(index)?;
                if opened.is_none() {
                    let file = self.place.file(index);
                    if self.segment(index)?.is_none() {
                        return Err(ReadError::MissingSegment { file });
                    }
                    return Err(ReadError::Corrupt { file, position, bad: Bad::Missing, synced_to });
                }
            }
        }
        let Some((header, segment)) = opened else { return Ok(false) };
        if self.due.is_absent() {
            self.due = header.first_seq;
        } else if self.position.offset == HEADER_PAGE {
            if !follows(self.due, header.first_seq) {
                let bad = Bad::Seq { found: header.first_seq, expected: self.due };
                return self.bad(Position { segment: index, offset: 24 }, bad).map(|_| false);
            }
            // A later epoch may have begun here and lost its records with the host: its numbers are due all the same,
            // or who begins at this segment and who comes from the one before would expect different ones.
            self.due = header.first_seq;
        }
        self.open = Some(Open { segment, bytes: header.segment_bytes as u32 });
        Ok(true)
    }

    /// Looks at what is next.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<Step, ReadError> {
        if self.open.is_none() && !self.open_current()? {
            return Ok(Step::End);
        }
        if let Some((offset, len)) = self.due_record() {
            return Ok(Step::Record(offset, len));
        }
        let Some(open) = &self.open else { return Ok(Step::End) };
        let offset = self.position.offset;
        let len = open.segment.length_at(offset);
        let size = padded(len as usize) as u32;
        if len < Header::SIZE as u32 || u64::from(offset) + u64::from(size) > u64::from(open.segment.len()) {
            return self.no_record(len);
        }
        let Some((header, padded_body)) = open.segment.record(offset, size) else { return self.no_record(len) };
        let expected = record_crc(header, padded_body);
        if header.crc != expected && !seeded::on(Bug::CrcUnchecked) {
            let bad = Bad::Crc { found: header.crc, expected };
            return self.bad(self.position, bad);
        }
        let unchecked = seeded::on(Bug::NumberUnchecked);
        if header.seq != self.due && !unchecked && !(header.kind != ROLL_KIND && follows(self.due, header.seq)) {
            let bad = Bad::Seq { found: header.seq, expected: self.due };
            return self.bad(self.position, bad);
        }
        if header.kind == ROLL_KIND {
            return Ok(self.rolled(offset + ROLL_BYTES));
        }
        self.due = header.seq.next();
        self.position.offset = offset + size;
        Ok(Step::Record(offset, len))
    }

    fn rolled(&mut self, end: u32) -> Step {
        let index = self.position.segment;
        self.open = None;
        self.position = Position { segment: index + 1, offset: HEADER_PAGE };
        Step::Rolled(index, end)
    }

    /// There is no whole record at the position: the segment is full, the file has grown, the journal ends, or damage.
    #[cold]
    fn no_record(&mut self, len: u32) -> Result<Step, ReadError> {
        let Some(open) = &self.open else { return Ok(Step::End) };
        let (mapped, capacity) = (open.segment.len(), open.bytes);
        let (index, offset) = (self.position.segment, self.position.offset);
        if offset >= capacity {
            return Ok(self.rolled(offset));
        }
        let needed = u64::from(offset) + padded(len.max(LINE) as usize) as u64;
        if len != 0 && (len < Header::SIZE as u32 || needed > u64::from(capacity)) {
            return self.bad(self.position, Bad::Length { found: len });
        }
        if needed > u64::from(mapped) {
            if self.place.segment_bytes(index) > u64::from(mapped) {
                // The file has grown since it was mapped.
                if let Some((_, segment)) = self.open_segment(index)? {
                    self.open = Some(Open { segment, bytes: capacity });
                    return self.step();
                }
            }
            if len != 0 {
                return self.bad(self.position, Bad::CutShort { bytes: mapped, needed: needed as u32 });
            }
        }
        let Some(open) = &self.open else { return Ok(Step::End) };
        let (mark, length) = open.segment.look_again(offset);
        let mark = self.offset_of(index, mark)?;
        if mark > offset && length == 0 {
            let bad = if mark > mapped { Bad::CutShort { bytes: mapped, needed: mark } } else { Bad::Missing };
            return self.bad(self.position, bad);
        }
        Ok(Step::End)
    }

    /// A bad record: corruption below the durable mark, beyond it the torn end.
    #[cold]
    fn bad(&mut self, position: Position, bad: Bad) -> Result<Step, ReadError> {
        let synced_to = self.synced_to()?;
        let file = self.place.file(position.segment);
        if position < synced_to && !seeded::on(Bug::CorruptionCut) {
            return Err(ReadError::Corrupt { file, position, bad, synced_to });
        }
        Err(ReadError::Torn { file, position, bad, synced_to })
    }
}
