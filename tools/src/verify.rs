//! `shrike verify`: whether the journals are what their writers wrote. Each record's checksum and number are checked by
//! the reader; `--deep` also follows what records say of each other, within a journal and between them.

mod deep;

use crate::console::{self, Progress};
use crate::error::{Error, Outcome};
use crate::home::{HomeArgs, JOURNALS};
use clap::Args as ClapArgs;
use deep::{Follow, Links};
use serde::Serialize;
use shrike_journal::{ReadError, Reader};
use std::fmt;

/// Check the integrity of the journals: every record's length, checksum and number.
///
/// A live engine's journals can be checked too, up to their present end. Exit code 0: whole; 1: damaged, with file,
/// offset, and what was expected and found; 2: a journal cannot be opened.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike verify --home H             read every record of every journal
  shrike verify --home H --deep      also: causes exist, times never go back, outputs follow their input, runs begin
                                     with their configuration")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
    /// Also check what records say of each other.
    #[arg(long)]
    pub deep: bool,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each journal of the home.
    pub journals: Vec<Checked>,
    /// Whether nothing is wrong.
    pub clean: bool,
}

/// One journal.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Its name.
    pub journal: &'static str,
    /// How it is.
    pub state: State,
    /// Records read.
    pub records: u64,
    /// Where reading ended.
    pub end: String,
    /// What is wrong, or remarkable.
    pub notes: Vec<String>,
    /// What `--deep` found wrong: the first of them.
    pub problems: Vec<String>,
    /// How many problems there are in all.
    pub problem_count: u64,
}

/// How a journal is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Whole.
    Clean,
    /// Damaged, or its records contradict each other.
    Corrupt,
    /// Not a journal that this build can open.
    Unreadable,
}

impl State {
    /// How a journal is whose reader ended so.
    pub fn of(error: &ReadError) -> Self {
        match error {
            ReadError::Corrupt { .. } | ReadError::MissingSegment { .. } => Self::Corrupt,
            // A crash leaves this beyond what was durable, and the next start cuts it.
            ReadError::Torn { .. } => Self::Clean,
            ReadError::Io { .. } | ReadError::Foreign { .. } | ReadError::Future { .. } => Self::Unreadable,
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Corrupt => "CORRUPT",
            Self::Unreadable => "CANNOT BE OPENED",
        }
    }
}

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    args.home.check()?;
    let mut links = Links::default();
    let mut journals = Vec::new();
    let mut readers = Vec::new();
    for name in JOURNALS {
        let Some(dir) = args.home.journal_if(name) else { continue };
        let mut follow = args.deep.then(|| Follow::new(name));
        let mut checked = Checked::new(name);
        match Reader::open(&dir) {
            Ok(mut reader) => {
                checked.read(&mut reader, &mut follow);
                readers.push(reader);
            }
            Err(error) => checked.failed(&error),
        }
        if let Some(follow) = follow {
            checked.problem_count = follow.problems.count;
            checked.problems = follow.problems.first;
            checked.notes.extend(follow.notes);
            links.add(name, follow.links);
        }
        journals.push(checked);
    }
    if journals.is_empty() {
        return Err(Error::NoJournal { dir: args.home.home.clone(), name: "order", there: "none".to_owned() });
    }
    if args.deep {
        // A live journal has grown since it was read: what others took of it meanwhile exists by now.
        for reader in &mut readers {
            while let Ok(Some(record)) = reader.next() {
                links.extend(record.header.seq);
            }
        }
        for checked in &mut journals {
            let (lost, notes) = links.broken(checked.journal);
            checked.problem_count += lost.len() as u64;
            checked.problems.extend(lost);
            checked.notes.extend(notes);
        }
    }
    for checked in &mut journals {
        if checked.problem_count > 0 {
            checked.state = checked.state.max(State::Corrupt);
        }
    }
    let worst = journals.iter().map(|checked| checked.state).max();
    let report = Report { journals, clean: worst == Some(State::Clean) };
    console::print(&report, args.home.json)?;
    match worst {
        Some(State::Unreadable) => Err(Error::Usage("a journal cannot be opened; see above".to_owned())),
        worst => Ok(Outcome::found_if(worst != Some(State::Clean))),
    }
}

impl Checked {
    fn new(journal: &'static str) -> Self {
        let (notes, problems) = (Vec::new(), Vec::new());
        Self { journal, state: State::Clean, records: 0, end: String::new(), notes, problems, problem_count: 0 }
    }

    fn read(&mut self, reader: &mut Reader, follow: &mut Option<Follow>) {
        let mut progress = Progress::new(self.journal);
        loop {
            match reader.next() {
                Ok(Some(record)) => {
                    self.records += 1;
                    if let Some(follow) = follow {
                        follow.record(record.header, record.event());
                    }
                    if self.records.is_multiple_of(65_536) {
                        progress.show(self.records);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.failed(&error);
                    break;
                }
            }
        }
        self.end = reader.position().to_string();
    }

    fn failed(&mut self, error: &ReadError) {
        self.state = State::of(error);
        self.notes.push(error.to_string());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for checked in &self.journals {
            let state = checked.state.words();
            writeln!(f, "{:<10} {state}: {} records up to {}", checked.journal, checked.records, checked.end)?;
            for line in checked.notes.iter().chain(&checked.problems) {
                writeln!(f, "  {line}")?;
            }
            if checked.problem_count > checked.problems.len() as u64 {
                writeln!(f, "  and {} problems more", checked.problem_count - checked.problems.len() as u64)?;
            }
        }
        Ok(())
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): how configurations are named.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
