//! What is wrong with a recording, for people: which file, which row or column, and what to do.

use shrike_core::calendar::CalendarError;
use shrike_core::units::TradingDay;
use std::io;

/// A recording cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The path cannot be opened.
    #[error("{file}: {source}")]
    Open {
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing to read.
    #[error("{file}: no recording here; expected .csv, .csv.gz, or .zip holding .csv files")]
    Nothing {
        /// The file or directory.
        file: String,
    },
    /// The first row names the columns of no known dialect.
    #[error(
        "{file}: the first row is no known header (found {found:?}); expected CTP columns such as InstrumentID and \
         UpdateTime, or WonderTrader columns such as code and action_time"
    )]
    Header {
        /// The file.
        file: String,
        /// The beginning of its first row.
        found: String,
    },
    /// A column that a tick cannot do without.
    #[error("{file}: the header has no column {column}, which a {dialect} recording needs")]
    MissingColumn {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
        /// The dialect of the other columns.
        dialect: &'static str,
    },
    /// The file breaks off or is damaged; every whole row before was delivered.
    #[error("{file}: damaged after row {row} ({detail}); the rows before were delivered, the rest is lost")]
    Damaged {
        /// The file.
        file: String,
        /// The last whole row, counting the header as 1.
        row: u64,
        /// What the decoder said.
        detail: String,
    },
    /// An archive without its directory, as a broken download leaves it; the entries that are there were delivered.
    #[error("{file}: the archive's directory is missing or damaged ({detail}); {entries} entries were found and read")]
    Archive {
        /// The file.
        file: String,
        /// What was wrong.
        detail: String,
        /// How many entries were found by their own headers.
        entries: usize,
    },
    /// The calendar does not reach a trading day of the recording.
    #[error("{file}: row {row}: {why}; rows of that contract and day are skipped")]
    NoCalendar {
        /// The file.
        file: String,
        /// The row, counting the header as 1.
        row: u64,
        /// The trading day.
        day: TradingDay,
        /// What the calendar said.
        why: CalendarError,
    },
}
