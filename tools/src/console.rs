//! Writing to people and programs: standard output in one buffer, progress of long work on standard error when that is
//! a terminal, and exact numbers in JSON.

use crate::error::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::time::{Duration, Instant};

/// Standard output. What is written must be flushed by [`Write::flush`] to see its errors.
pub fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Prints the text for people, or as one JSON value.
///
/// # Errors
/// When the output cannot be written.
pub fn print<T: Display + Serialize>(value: &T, json: bool) -> Result<(), Error> {
    if json {
        return self::json(value);
    }
    let mut out = stdout();
    write!(out, "{value}")?;
    Ok(out.flush()?)
}

/// Prints one JSON value.
///
/// # Errors
/// When the output cannot be written.
pub fn json<T: Serialize>(value: &T) -> Result<(), Error> {
    let mut out = stdout();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Serialises a fixed-point number as its exact decimal, and an absent one, which shows as `-`, as null.
///
/// # Errors
/// Those of the serializer.
pub fn exact<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let text = value.to_string();
    match RawValue::from_string(text) {
        Ok(number) => number.serialize(serializer),
        Err(_) => serializer.serialize_none(),
    }
}

/// The progress of a pass over a journal, on standard error; silent where that is no terminal.
pub struct Progress {
    label: &'static str,
    shown: Option<Instant>,
    is_terminal: bool,
    is_dirty: bool,
}

impl Progress {
    /// The progress of `label`.
    pub fn new(label: &'static str) -> Self {
        Self { label, shown: None, is_terminal: io::stderr().is_terminal(), is_dirty: false }
    }

    /// Shows how many records are done, ten times a second at most. Call it now and then.
    pub fn show(&mut self, records: u64) {
        const EVERY: Duration = Duration::from_millis(100);
        if !self.is_terminal || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        // The first hundred milliseconds are not worth a line.
        if self.shown.replace(Instant::now()).is_some() {
            eprint!("\r{}: {records} records", self.label);
            self.is_dirty = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_dirty {
            eprint!("\r\x1b[K");
        }
    }
}
