//! The home that a command looks at: its journals, and whether an engine lives in it. Nothing here changes a file.

use crate::error::Error;
use clap::Args;
use shrike_engine::runtime::{Quarantine, journal_dir};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

/// Names of the journals that a home may have.
pub const JOURNALS: [&str; 5] = ["signal", "order", "exchange", "commands", "market"];

// No doc comment: clap would take it for the help of the command.
#[allow(missing_docs)]
#[derive(Args, Clone, Debug)]
pub struct HomeArgs {
    /// Directory of the run's journals.
    #[arg(long, value_name = "DIR", default_value = "shrike-home")]
    pub home: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

impl HomeArgs {
    /// The home, which must exist.
    ///
    /// # Errors
    /// When it is no home.
    pub fn check(&self) -> Result<(), Error> {
        if self.home.join("journals").is_dir() { Ok(()) } else { Err(Error::NoHome { dir: self.home.clone() }) }
    }

    /// The directory of a journal, which must exist.
    ///
    /// # Errors
    /// When the home or the journal does not exist.
    pub fn journal(&self, name: &'static str) -> Result<PathBuf, Error> {
        self.check()?;
        self.journal_if(name).ok_or_else(|| {
            let there: Vec<&str> = JOURNALS.into_iter().filter(|name| self.journal_if(name).is_some()).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            Error::NoJournal { dir: self.home.clone(), name, there }
        })
    }

    /// The directory of a journal, if it exists.
    pub fn journal_if(&self, name: &str) -> Option<PathBuf> {
        let dir = journal_dir(&self.home, name);
        dir.is_dir().then_some(dir)
    }

    /// The events that the engine leaves out.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn quarantine(&self) -> Result<Quarantine, Error> {
        Quarantine::of(&self.home).map_err(|source| Error::File { file: self.home.clone(), source })
    }

    /// Who runs an engine on this home, in its own words; `None` when nobody does.
    ///
    /// # Errors
    /// When the lock file cannot be read.
    pub fn holder(&self) -> Result<Option<String>, Error> {
        let file = self.home.join("lock");
        let at = |source| Error::File { file: file.clone(), source };
        let holder = match fs::read_to_string(&file) {
            Ok(text) => text.trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(error)),
        };
        // An engine names itself as it takes the lock, and a killed one leaves its name. To ask the lock of a home that
        // nobody names could only get in the way of an engine that is just starting.
        if holder.is_empty() {
            return Ok(None);
        }
        match File::open(&file).map_err(at)?.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(holder)),
            Err(TryLockError::Error(error)) => Err(at(error)),
        }
    }
}
