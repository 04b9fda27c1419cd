//! Starts that fail, and the event that is set aside for them. A panic while a stage folds or takes an event is noted in
//! the home, with the event it was at. When two starts in a row have failed at one place, the next one leaves that event
//! out wherever the journals are folded, and only reduces until the operator resumes. On the thread that opens and runs
//! the engine.
//!
//! Two failures are at one place when they were at the same event, or in one stage with the same words: a decision that
//! panics does so at a new event each time, and the first of them brought it about. A run that had lived for [`SETTLED`] before it failed begins
//! a new count: it did start. What ends a process without unwinding (the system's signals, a full memory) leaves no note.

use crate::witness::Seen;
use shrike_core::event::{Kind, Seq};
use std::any::Any;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A run that fails later than this after its start had started.
pub const SETTLED: Duration = Duration::from_secs(600);
/// So many failed starts at one place have its event set aside.
const FAILURES_MAX: u32 = 2;

/// When a home was opened.
#[allow(clippy::disallowed_types, reason = "how long a process lived is no event, and nothing is decided by it")]
pub(super) type Opened = std::time::Instant;

/// A failure: where, and how often in a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The event that the first of them was at.
    pub seq: Seq,
    /// Its kind.
    pub kind: u16,
    /// How many in a row.
    pub count: u32,
    /// What the panic said, on one line.
    pub words: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = Kind::of(self.kind).map_or_else(|| format!("kind {}", self.kind), |kind| format!("{kind:?}"));
        write!(f, "{} ({kind}): {}", self.seq, self.words)
    }
}

/// The events that are left out of folds.
#[derive(Clone, Debug, Default)]
pub struct Quarantine(Vec<Seq>);

impl Quarantine {
    /// Those of a home; none where nothing was ever set aside.
    ///
    /// # Errors
    /// When the file cannot be read, or is none of ours.
    pub fn of(home: &Path) -> io::Result<Self> {
        let file = home.join(QUARANTINE);
        let Some(text) = read(&file)? else { return Ok(Self::default()) };
        let seqs =
            text.lines().map(|line| line.split_once(' ').and_then(|(seq, _)| seq.parse().ok()).map(Seq::from_raw));
        match seqs.collect() {
            Some(seqs) => Ok(Self(seqs)),
            None => Err(unreadable(&file)),
        }
    }

    /// Whether this event is left out.
    #[inline]
    pub fn holds(&self, seq: Seq) -> bool {
        !self.0.is_empty() && self.0.contains(&seq)
    }
}

const QUARANTINE: &str = "quarantine";
const FAILED: &str = "failed-starts";

/// The notes of a home.
#[derive(Clone, Debug)]
pub struct Failures {
    home: PathBuf,
}

impl Failures {
    /// Of this home.
    pub fn of(home: &Path) -> Self {
        Self { home: home.to_path_buf() }
    }

    /// The file that lists what was set aside.
    pub fn file(&self) -> PathBuf {
        self.home.join(QUARANTINE)
    }

    /// What was set aside.
    ///
    /// # Errors
    /// As [`Quarantine::of`].
    pub fn quarantine(&self) -> io::Result<Quarantine> {
        Quarantine::of(&self.home)
    }

    /// The failure that has the next start set an event aside.
    ///
    /// # Errors
    /// When the notes cannot be read, or are none of ours.
    pub fn due(&self) -> io::Result<Option<Failure>> {
        Ok(self.last()?.filter(|failure| failure.count >= FAILURES_MAX))
    }

    /// What failed last, and has not gone well since.
    ///
    /// # Errors
    /// As [`Self::due`].
    pub fn last(&self) -> io::Result<Option<Failure>> {
        let file = self.home.join(FAILED);
        let Some(text) = read(&file)? else { return Ok(None) };
        let mut words = text.trim_end().splitn(4, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let (Some(seq), Some(kind), Some(count)) = (number(), number(), number()) else {
            return Err(unreadable(&file));
        };
        let words = words.next().unwrap_or_default().to_owned();
        Ok(Some(Failure { seq: Seq::from_raw(seq), kind: kind as u16, count: count as u32, words }))
    }

    /// Notes that a run failed at an event after it had lived for so long; what is noted now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, seen: Seen, panic: &(dyn Any + Send), lived: Duration) -> io::Result<Failure> {
        let words = words_of(panic);
        let same = |last: &Failure| {
            let alike = last.seq.stage() == seen.seq.stage() && last.words == words;
            lived < SETTLED && (last.seq == seen.seq || alike)
        };
        let failure = match self.last().ok().flatten().filter(same) {
            Some(last) => Failure { count: last.count + 1, ..last },
            None => Failure { seq: seen.seq, kind: seen.kind, count: 1, words },
        };
        let Failure { seq, kind, count, words } = &failure;
        self.write(FAILED, &format!("{} {kind} {count} {words}\n", seq.raw()))?;
        Ok(failure)
    }

    /// Sets the event of a failure aside, for good.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_aside(&self, failure: &Failure) -> io::Result<()> {
        let mut text = read(&self.home.join(QUARANTINE))?.unwrap_or_default();
        text.push_str(&format!("{} {failure}\n", failure.seq.raw()));
        self.write(QUARANTINE, &text)?;
        self.forget()
    }

    /// A run went well.
    ///
    /// # Errors
    /// When the notes cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(self.home.join(FAILED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whole or not at all, and durable.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let (file, beside) = (self.home.join(name), self.home.join(format!("{name}.new")));
        let mut new = fs::File::create(&beside)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, &file)?;
        fs::File::open(&self.home)?.sync_all()
    }
}

fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn unreadable(file: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is not as shrike wrote it: move it away", file.display()))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").lines().next().unwrap_or_default().to_owned()
}
