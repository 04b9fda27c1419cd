//! How a command ends, and why it could not be done. Every message names the file, and what to do.

use crate::compose::ComposeError;
use shrike_config::ConfigError;
use shrike_config::tables::TableError;
use shrike_core::event::Seq;
use shrike_engine::runtime::RunError;
use shrike_feed::sim::remote::ServerError;
use shrike_journal::{Full, OpenError, ReadError};
use std::io;
use std::path::PathBuf;

/// How a command that was done ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing wrong was found: exit code 0.
    Clean,
    /// Something was found that people must look at: exit code 1.
    Found,
}

impl Outcome {
    /// [`Outcome::Found`] if so.
    pub const fn found_if(found: bool) -> Self {
        if found { Self::Found } else { Self::Clean }
    }
}

/// Why a command could not be done: exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The home does not exist, or is none.
    #[error("{}: no home of an engine (it has no directory `journals`): give the one that `shrike run` used with --home", dir.display())]
    NoHome {
        /// The directory given.
        dir: PathBuf,
    },
    /// The home has no such journal.
    #[error("{}: no journal `{name}` in this home; it has: {there}", dir.display())]
    NoJournal {
        /// The home.
        dir: PathBuf,
        /// The journal asked for.
        name: &'static str,
        /// The journals there are.
        there: String,
    },
    /// No run ever wrote the journal.
    #[error("{}: the journal holds no run: start one with `shrike run`", dir.display())]
    NoRuns {
        /// The journal.
        dir: PathBuf,
    },
    /// A journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A journal cannot be opened for writing.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A journal has no room.
    #[error("{}: {source}", dir.display())]
    Full {
        /// The journal.
        dir: PathBuf,
        /// What the journal says.
        source: Full,
    },
    /// A configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The tables of sessions and products are wrong.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// A market or venue cannot be put together.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The engine cannot start or go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The exchange cannot start or go on.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The journal of the exchange that the engine follows.
    #[error("the exchange's journal in {}: {reason}; run `shrike verify` on its home", dir.display())]
    Exchange {
        /// The journal.
        dir: PathBuf,
        /// Why it cannot be read on.
        reason: String,
    },
    /// The recorder's journal that the engine follows.
    #[error("the recorder's journal in {}: {reason}; run `shrike verify` on its home", dir.display())]
    Recorder {
        /// The journal.
        dir: PathBuf,
        /// Why it cannot be read on.
        reason: String,
    },
    /// The journal to follow ends before what the engine took of one.
    #[error(
        "{}: the recorder's journal ends at {last}, but this engine took {held} of one: market.follow names another \
         recorder, or its host crashed and `shrike record` must start first",
        dir.display()
    )]
    OtherRecorder {
        /// The journal.
        dir: PathBuf,
        /// Its last record.
        last: Seq,
        /// The last record that the engine holds.
        held: Seq,
    },
    /// The market has nothing.
    #[error("the market has no event: check market.data (--data) and the exchange's journal")]
    NoMarket,
    /// An argument that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be used.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The output cannot be put in JSON.
    #[error("cannot write the output: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Whether the reader of the output went away (`shrike tail | head`), which is no error.
    pub fn is_closed_pipe(&self) -> bool {
        let kind = match self {
            Self::Output(error) => error.kind(),
            Self::Json(error) => error.io_error_kind().unwrap_or(io::ErrorKind::Other),
            _ => return false,
        };
        kind == io::ErrorKind::BrokenPipe
    }
}
