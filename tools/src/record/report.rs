//! What a recorder's journal holds and what it lacks, by trading day and contract, in text and JSON. Times are the
//! exchange's. [`super::fold`] makes it.

use crate::console;
use serde::{Serialize, Serializer};
use shrike_core::units::{Nanos, TradingDay};
use std::fmt;

/// What a journal of market data holds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Runs of the recorder, and how many of them ended in order; the last may still go on.
    pub runs: u64,
    /// As `runs`.
    pub ended: u64,
    /// Silences longer than this within continuous trading are gaps.
    pub gap_ms: u64,
    /// A minute's opening value is that of its first snapshot when it came so soon.
    pub open_within_ms: u64,
    /// From the last event before each hole of all contracts to the first one after it; its end is null while it lasts.
    pub outages: Vec<Hole>,
    /// By trading day.
    pub days: Vec<Day>,
}

/// A time without data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Hole {
    /// The last sign of life.
    #[serde(serialize_with = "time")]
    pub from: Nanos,
    /// The next one.
    #[serde(serialize_with = "time")]
    pub to: Nanos,
    /// Milliseconds between them.
    pub ms: u64,
}

/// A trading day.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Day {
    /// The day.
    #[serde(serialize_with = "day")]
    pub trading_day: TradingDay,
    /// Contracts that were announced, had not expired, and have had continuous trading so far.
    pub expected: usize,
    /// Contracts that were heard.
    pub present: usize,
    /// Symbols of the others.
    pub silent: Vec<String>,
    /// Those that were heard.
    pub contracts: Vec<ContractDay>,
}

/// A trading day of a contract.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ContractDay {
    /// Its symbol.
    pub symbol: String,
    /// Snapshots written.
    pub ticks: u64,
    /// Snapshots taken and dropped, because nothing but their time had changed.
    pub unchanged: u64,
    /// The first snapshot.
    #[serde(serialize_with = "time")]
    pub first: Nanos,
    /// The last one, written or dropped.
    #[serde(serialize_with = "time")]
    pub last: Nanos,
    /// Minutes of continuous trading begun so far, by the calendar.
    pub minutes_expected: u64,
    /// Those with a snapshot, written or dropped.
    pub minutes_present: u64,
    /// Minutes whose first snapshot came soon enough to be trusted as their opening value. Of the others the opening value
    /// is the closing value of the minute before.
    pub opens_trusted: u64,
    /// Longest silence within continuous trading, in milliseconds.
    pub longest_ms: u64,
    /// Silences that are gaps.
    pub gaps: Vec<Hole>,
    /// Sessions of continuous trading that ended without a snapshot.
    pub missing_sessions: Vec<Hole>,
}

fn time<S: Serializer>(at: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    match at.is_absent() {
        true => serializer.serialize_none(),
        false => serializer.collect_str(&format_args!("{at:.3}")),
    }
}

fn day<S: Serializer>(day: &TradingDay, serializer: S) -> Result<S::Ok, S::Error> {
    console::exact(day, serializer)
}

impl Report {
    /// Whether something is missing: a gap, a session, or an outage of the recorder.
    pub fn is_incomplete(&self) -> bool {
        let lacks = |row: &ContractDay| !row.gaps.is_empty() || !row.missing_sessions.is_empty();
        !self.outages.is_empty() || self.days.iter().any(|day| day.contracts.iter().any(lacks))
    }
}

/// A hole's two times for people.
struct Span<'a>(&'a Hole);

impl fmt::Display for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hole { from, to, ms } = *self.0;
        match to.is_absent() {
            true => write!(f, "from {from:.3} on"),
            false => write!(f, "from {from:.3} to {to:.3}, {}.{:03} s", ms / 1_000, ms % 1_000),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for day in &self.days {
            let sum = |of: fn(&ContractDay) -> u64| day.contracts.iter().map(of).sum::<u64>();
            let longest_ms = day.contracts.iter().map(|row| row.longest_ms).max().unwrap_or(0);
            writeln!(
                f,
                "day {}: {} of {} contracts, {} of {} minutes, longest silence {}.{:03} s",
                day.trading_day,
                day.present,
                day.expected,
                sum(|row| row.minutes_present),
                sum(|row| row.minutes_expected),
                longest_ms / 1_000,
                longest_ms % 1_000,
            )?;
            writeln!(
                f,
                "  contract        ticks  unchanged  first                    last                        minutes  opens trusted  gaps"
            )?;
            for row in &day.contracts {
                let minutes = format!("{}/{}", row.minutes_present, row.minutes_expected);
                writeln!(
                    f,
                    "  {:<12} {:>8} {:>10}  {:<23.3}  {:<23.3} {minutes:>10} {:>14} {:>5}",
                    row.symbol,
                    row.ticks,
                    row.unchanged,
                    row.first,
                    row.last,
                    row.opens_trusted,
                    row.gaps.len()
                )?;
                for gap in &row.gaps {
                    writeln!(f, "    gap {}", Span(gap))?;
                }
                for session in &row.missing_sessions {
                    writeln!(f, "    no snapshot in the session {}", Span(session))?;
                }
            }
            if !day.silent.is_empty() {
                writeln!(f, "  never heard: {}", day.silent.join(" "))?;
            }
        }
        for outage in &self.outages {
            writeln!(f, "nothing was recorded {}", Span(outage))?;
        }
        let Self { records, runs, ended, gap_ms, open_within_ms, .. } = self;
        writeln!(f, "{records} records of {runs} runs, {ended} ended in order")?;
        writeln!(
            f,
            "gaps: silences over {gap_ms} ms; opening values trusted within {open_within_ms} ms, else filled forward"
        )
    }
}
