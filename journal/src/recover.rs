//! Recovery: finds where a journal ends after its writer died, and makes that its durable end. Below the durable mark
//! nothing may be wrong: damage is refused, with its place. From there on the journal ends at the first bad record,
//! whatever lies beyond: it is cut and kept aside.

use crate::damage::{Bad, ReadError};
use crate::format::{HEADER_PAGE, Position, ROLL_BYTES, roll_frame};
use crate::lock::LockError;
use crate::mapped::Mapped;
use crate::reader::{Reader, Step};
use crate::storage::{Ending, Segments, Storage};
use crate::writer::{Writer, WriterOptions};
use shrike_core::codes::StageId;
use shrike_core::event::Seq;
use std::io;
use std::path::{Path, PathBuf};

/// How the journal was found.
///
/// | case | last writer | host | what is at the end | what recovery does |
/// |---|---|---|---|---|
/// | 1 `New` | none | | no record at all | nothing |
/// | 2 `Clean` | closed | | a roll frame, marked durable | nothing |
/// | 3 `Sealed` | killed between segments | up | a roll frame, not marked | drains, marks |
/// | 4 `Open` | killed | up | zeros after the last record | drains, seals, marks |
/// | 5 `Unfinished` | killed in an append | up or not | bytes, but no length word | the same, keeps the bytes aside |
/// | 6 `Torn` | any | went down | a bad record beyond the mark | the same |
/// | 7 `Stray` | any | went down | a good end; later segments without their beginning | the same |
///
/// Damage below the mark is no case: it is refused ([`ReadError::Corrupt`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecoveryCase {
    /// There was no record.
    New,
    /// The last writer closed the journal.
    Clean,
    /// The last writer left a segment and had not begun the next.
    Sealed,
    /// The journal ends after a whole record.
    Open,
    /// The journal ends after a whole record; an append had begun.
    Unfinished,
    /// The journal ended at a bad record beyond the durable mark.
    Torn(Bad),
    /// Later segments were not connected to the journal's end.
    Stray,
}

/// What recovery found and did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// How the journal was found.
    pub case: RecoveryCase,
    /// The end of the journal now. The next record goes to a new segment: files of earlier runs are never written again.
    pub end: Position,
    /// The number of the next record, unless a new epoch is opened.
    pub next_seq: Seq,
    /// What was durable before recovery, by the files' own account.
    pub synced_to: Position,
    /// Files that hold what was cut.
    pub aside: Vec<PathBuf>,
}

/// Why a journal cannot be opened to be written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another writer lives.
    #[error("{}: the journal has a writer: process {holder}; stop it first", file.display())]
    Locked {
        /// The lock file.
        file: PathBuf,
        /// The holder's process id, as the lock file says.
        holder: String,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is another stage's journal.
    #[error("{}: the journal of stage {found}, expected {expected}", dir.display())]
    Stage {
        /// The journal.
        dir: PathBuf,
        /// Its stage.
        found: &'static str,
        /// The stage asked for.
        expected: &'static str,
    },
    /// Options that cannot be.
    #[error("journal options: {0}")]
    Options(String),
    /// A file cannot be written.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or directory.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { file, holder } => Self::Locked { file, holder },
            LockError::Io(file, source) => Self::Io { file, source },
        }
    }
}

/// Recovers the journal in `dir` and leaves it closed. Only the segments from the durable mark on are read: a reader
/// checks all others as it folds them.
///
/// # Errors
/// See [`OpenError`]; nothing was changed when it is a [`ReadError`].
pub fn recover(dir: &Path, options: &WriterOptions) -> Result<Recovery, OpenError> {
    let mut mapped = Mapped::open(dir, options)?;
    let recovery = recover_storage(&mut mapped, options.stage)?;
    mapped.close().map_err(|source| OpenError::Io { file: dir.to_path_buf(), source })?;
    Ok(recovery)
}

impl Writer<Mapped> {
    /// Takes the journal in `dir` (created when there is none), recovers it, and gives its writer. Every start of a
    /// writer begins a new segment with its first record.
    ///
    /// The syncing thread inherits the calling thread's affinity and priority: open writers before pinning.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn create_or_resume(dir: &Path, options: WriterOptions) -> Result<(Self, Recovery), OpenError> {
        if let Some(problem) = options.problem() {
            return Err(OpenError::Options(problem));
        }
        Self::resume(Mapped::open(dir, &options)?, &options)
    }
}

impl<S: Storage> Writer<S> {
    /// Recovers the journal in `storage` and gives its writer.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn resume(mut storage: S, options: &WriterOptions) -> Result<(Self, Recovery), OpenError> {
        let recovery = recover_storage(&mut storage, options.stage)?;
        // The segment after the last one; the first of all when there is none.
        let next = if recovery.end == Position::default() { 0 } else { recovery.end.segment + 1 };
        storage.start(next).map_err(|source| OpenError::Io { file: storage.file(next), source })?;
        Ok((Self::begin(storage, options, recovery.next_seq), recovery))
    }
}

/// Finds the journal's end and makes it durable.
pub(crate) fn recover_storage<S: Storage>(storage: &mut S, stage: StageId) -> Result<Recovery, OpenError> {
    let found = find_end(storage, stage)?;
    let file = storage.file(found.end.segment);
    let aside = storage.mend(&found.ending).map_err(|source| OpenError::Io { file, source })?;
    let case = match found.case {
        // Zeros and bytes look alike until what is beyond was read.
        RecoveryCase::Open if !aside.is_empty() => RecoveryCase::Unfinished,
        RecoveryCase::Clean | RecoveryCase::Sealed if !aside.is_empty() => RecoveryCase::Stray,
        case => case,
    };
    let mut end = found.end;
    if found.ending.seal.is_some() {
        end.offset += ROLL_BYTES;
    }
    Ok(Recovery { case, end, next_seq: found.next_seq, synced_to: found.synced_to, aside })
}

struct Found {
    case: RecoveryCase,
    ending: Ending,
    end: Position,
    next_seq: Seq,
    synced_to: Position,
}

fn find_end<S: Storage>(storage: &mut S, stage: StageId) -> Result<Found, OpenError> {
    let dir = storage.file(0).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut reader = Reader::over(&mut *storage);
    let indices = reader.indices()?;
    let synced_to = reader.synced_to()?;
    check_headers(&mut reader, &indices, synced_to)?;
    if let Some(found) = reader.stage().filter(|found| *found != stage) {
        return Err(OpenError::Stage { dir, found: found.name(), expected: stage.name() });
    }
    let first = reader.first_segment()?.unwrap_or(0);
    reader.go_to(synced_to.segment.max(first));
    let mut ends = Vec::new();
    let mut torn = None;
    loop {
        match reader.step() {
            Ok(Step::Record(..)) => {}
            Ok(Step::Rolled(index, end)) => ends.push((index, end)),
            Ok(Step::End) => break,
            Err(ReadError::Torn { bad, position, .. }) => {
                // A torn header is no segment at all.
                torn = Some(bad);
                debug_assert!(position >= synced_to);
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let position = reader.position();
    if position < synced_to {
        let file = reader.file(position.segment);
        return Err(ReadError::Corrupt { file, position, bad: Bad::Missing, synced_to }.into());
    }
    let due = reader.due();
    let next_seq = if due.is_absent() { Seq::new(stage, 0, 1) } else { due };
    let mut seal = None;
    let mut is_open = false;
    if reader.capacity() > 0 {
        // The end is within a segment: close it there, even before its first record. A tail may stand in it.
        is_open = true;
        ends.push((position.segment, position.offset));
        if position.offset + ROLL_BYTES <= reader.capacity() {
            seal = Some(roll_frame(next_seq));
        }
    }
    let end = match ends.last() {
        Some((segment, offset)) => Position { segment: *segment, offset: *offset },
        None => Position::default(),
    };
    let case = match torn {
        Some(bad) => RecoveryCase::Torn(bad),
        None if ends.is_empty() => RecoveryCase::New,
        None if is_open => RecoveryCase::Open,
        None if end == synced_to => RecoveryCase::Clean,
        None => RecoveryCase::Sealed,
    };
    Ok(Found { case, ending: Ending { ends, seal }, end, next_seq, synced_to })
}

/// All segments are this journal's, and up to the mark they are all there.
fn check_headers<D: Segments>(reader: &mut Reader<D>, indices: &[u32], synced_to: Position) -> Result<(), ReadError> {
    for (index, following) in indices.iter().zip(indices.iter().skip(1)) {
        if *following != index + 1 && *index < synced_to.segment {
            return Err(ReadError::MissingSegment { file: reader.file(index + 1) });
        }
    }
    for index in indices {
        let opened = match reader.open_segment(*index) {
            // Beyond the mark: the journal ends before it, at the latest.
            Err(ReadError::Torn { .. }) => continue,
            opened => opened?,
        };
        if *index >= synced_to.segment {
            continue;
        }
        let (bytes, needed) = match opened {
            Some((_, segment)) => (segment.len(), reader.mark_of(*index, &segment)?),
            None => (0, HEADER_PAGE),
        };
        // The last mark of a segment before the mark is its end.
        if bytes < needed || needed == 0 {
            let bad = if needed == 0 { Bad::Missing } else { Bad::CutShort { bytes, needed } };
            let position = Position { segment: *index, offset: bytes };
            return Err(ReadError::Corrupt { file: reader.file(*index), position, bad, synced_to });
        }
    }
    Ok(())
}
