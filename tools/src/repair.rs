//! `shrike repair`: ends journals where a crash tore them, as a start of the engine does, and says what it did. Cuts only
//! beyond the durable mark and keeps what it cut; whatever is damaged below is reported and left as it is.

use crate::console;
use crate::error::{Error, Outcome};
use crate::home::{HomeArgs, JOURNALS};
use crate::tail::Journal;
use crate::verify::State;
use clap::Args as ClapArgs;
use serde::Serialize;
use shrike_core::codes::StageId;
use shrike_journal::{OpenError, ReadError, Reader, Recovery, RecoveryCase, WriterOptions, recover};
use std::fmt;
use std::path::{Path, PathBuf};

/// End the journals where a crash tore them; keep what is cut.
///
/// A start of the engine does this by itself. Use it for journals that are to be read, copied or judged before. What was
/// durable is never cut: damage there is reported and left, and the files must be restored from a copy. What is cut is
/// kept beside the journal, in cut-SEGMENT-OFFSET.bin. Exit code 0: whole, now; 1: damaged below the durable mark, and
/// left; 2: a writer lives, or a journal cannot be opened.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike repair --home H                      every journal of the home
  shrike repair --home H --journal order      this one")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
    /// Only this journal.
    #[arg(long, value_enum, value_name = "NAME")]
    pub journal: Option<Journal>,
}

/// What was found and done.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each journal.
    pub journals: Vec<Repaired>,
}

/// One journal.
#[derive(Clone, Debug, Serialize)]
pub struct Repaired {
    /// Its name.
    pub journal: &'static str,
    /// How it is now.
    pub state: State,
    /// Whether files were changed.
    pub changed: bool,
    /// Records it holds.
    pub records: u64,
    /// Where it ends.
    pub end: String,
    /// Up to where it was durable before.
    pub durable: String,
    /// What was found and done, in words.
    pub what: String,
    /// Files that hold what was cut.
    pub kept: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    args.home.check()?;
    if let Some(holder) = args.home.holder()? {
        let home = args.home.home.display();
        return Err(Error::Usage(format!("{home}: an engine runs here: {holder}; stop it first")));
    }
    let dirs: Vec<(&'static str, PathBuf)> = match args.journal {
        Some(journal) => vec![(journal.name(), args.home.journal(journal.name())?)],
        None => JOURNALS.into_iter().filter_map(|name| Some((name, args.home.journal_if(name)?))).collect(),
    };
    if dirs.is_empty() {
        return Err(Error::NoJournal { dir: args.home.home.clone(), name: "order", there: "none".to_owned() });
    }
    let journals: Vec<Repaired> = dirs.iter().map(|(name, dir)| Repaired::of(name, dir)).collect();
    let worst = journals.iter().map(|journal| journal.state).max();
    console::print(&Report { journals }, args.home.json)?;
    match worst {
        Some(State::Unreadable) => Err(Error::Usage("a journal was left as it is; see above".to_owned())),
        worst => Ok(Outcome::found_if(worst != Some(State::Clean))),
    }
}

fn stage_of(journal: &str) -> StageId {
    match journal {
        "signal" => StageId::Signal,
        "exchange" => StageId::Exchange,
        "commands" => StageId::Commands,
        _ => StageId::Order,
    }
}

impl Repaired {
    fn of(journal: &'static str, dir: &Path) -> Self {
        let mut repaired = Self {
            journal,
            state: State::Clean,
            changed: false,
            records: 0,
            end: String::new(),
            durable: String::new(),
            what: String::new(),
            kept: Vec::new(),
        };
        // A start reads from the durable mark on; here all of it is read first, so that nothing is cut from a journal
        // that is damaged elsewhere.
        if let Err(error) = repaired.read(dir) {
            repaired.state = State::of(&error);
            if repaired.state != State::Clean {
                repaired.what = format!("left as it is: {error}");
                return repaired;
            }
        }
        let options = WriterOptions { live_dir: None, ..WriterOptions::simulated(stage_of(journal), 0) };
        match recover(dir, &options) {
            Ok(recovery) => repaired.done(recovery),
            Err(error) => {
                repaired.state = match &error {
                    OpenError::Read(error) => State::of(error).max(State::Corrupt),
                    _ => State::Unreadable,
                };
                repaired.what = format!("left as it is: {error}");
            }
        }
        repaired
    }

    fn read(&mut self, dir: &Path) -> Result<(), ReadError> {
        let mut reader = Reader::open(dir)?;
        self.durable = reader.synced_to()?.to_string();
        let mut read = || -> Result<(), ReadError> {
            while reader.next()?.is_some() {
                self.records += 1;
            }
            Ok(())
        };
        let result = read();
        self.end = reader.position().to_string();
        result
    }

    fn done(&mut self, recovery: Recovery) {
        self.changed = !matches!(recovery.case, RecoveryCase::New | RecoveryCase::Clean);
        self.end = recovery.end.to_string();
        self.durable = recovery.synced_to.to_string();
        self.what = match recovery.case {
            RecoveryCase::New => "it holds no record".to_owned(),
            RecoveryCase::Clean => "nothing to do: it was closed in order".to_owned(),
            RecoveryCase::Sealed | RecoveryCase::Open => {
                "its writer was killed after a whole record: made durable and sealed, nothing cut".to_owned()
            }
            RecoveryCase::Unfinished => "its writer was killed in an append: the unfinished bytes were cut".to_owned(),
            RecoveryCase::Torn(bad) => format!("it ended in a bad record beyond the durable mark, cut there: {bad}"),
            RecoveryCase::Stray => "segments beyond its end, without their beginning, were cut".to_owned(),
        };
        self.kept = recovery.aside;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Repaired { journal, state, records, end, durable, what, kept, .. } in &self.journals {
            let state = state.words();
            writeln!(f, "{journal:<10} {state}: {records} records up to {end}; durable before: {durable}")?;
            writeln!(f, "  {what}")?;
            for file in kept {
                writeln!(f, "  kept: {}", file.display())?;
            }
        }
        Ok(())
    }
}
