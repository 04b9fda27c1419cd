//! Why a row or a field of a recording was not delivered, and how often. Nothing is dropped without a reason that is
//! counted here; the first place of each is kept, so that a person can look.

use std::collections::BTreeMap;

/// Why a row was skipped (or, for [`Skip::FieldOutOfRange`], a field left absent in a row that was kept).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Skip {
    /// The row has more or fewer columns than the header, or is too long to be one.
    Columns,
    /// A field that must be a number is not one.
    Number,
    /// A date or a time that does not exist, or no trading day.
    Time,
    /// The product is in no table.
    UnknownInstrument,
    /// The calendar does not reach the trading day.
    NoCalendar,
    /// The calendar says that the exchange was shut on that day.
    NotTradingDay,
    /// A snapshot of before the trading day's first phase, as fronts send on subscription.
    Stale,
    /// A snapshot between sessions; nothing can have changed.
    OutOfSession,
    /// A snapshot after the close; its settlement and closing prices are kept.
    PostClose,
    /// The same row again.
    Duplicate,
    /// Not later than the contract's previous snapshot, or further behind the file's clock than the bound.
    TimeBack,
    /// A number too large for its type: the field is absent, the row is delivered.
    FieldOutOfRange,
}

impl Skip {
    /// Every reason, in order.
    pub const ALL: [Self; 12] = [
        Self::Columns,
        Self::Number,
        Self::Time,
        Self::UnknownInstrument,
        Self::NoCalendar,
        Self::NotTradingDay,
        Self::Stale,
        Self::OutOfSession,
        Self::PostClose,
        Self::Duplicate,
        Self::TimeBack,
        Self::FieldOutOfRange,
    ];

    /// The word in summaries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::Number => "number",
            Self::Time => "time",
            Self::UnknownInstrument => "unknown-instrument",
            Self::NoCalendar => "no-calendar",
            Self::NotTradingDay => "not-trading-day",
            Self::Stale => "stale",
            Self::OutOfSession => "out-of-session",
            Self::PostClose => "post-close",
            Self::Duplicate => "duplicate",
            Self::TimeBack => "time-back",
            Self::FieldOutOfRange => "field-out-of-range",
        }
    }
}

/// Where a reason was first met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file, and the entry in an archive.
    pub file: String,
    /// The row, counting the header as 1.
    pub row: u64,
}

/// The counts.
#[derive(Clone, Default, Debug)]
pub struct Skips {
    counts: [u64; Skip::ALL.len()],
    first: BTreeMap<Skip, Place>,
    unknown: BTreeMap<String, u64>,
}

/// So many unknown symbols are named; a damaged file may hold any number.
const UNKNOWN_NAMED_MAX: usize = 1_000;

impl Skips {
    /// How often.
    pub fn count(&self, why: Skip) -> u64 {
        self.counts.get(why as usize).copied().unwrap_or(0)
    }

    /// Every reason met and how often, in the order of [`Skip::ALL`].
    pub fn counts(&self) -> Vec<(Skip, u64)> {
        Skip::ALL.into_iter().map(|why| (why, self.count(why))).filter(|&(_, count)| count > 0).collect()
    }

    /// Where a reason was first met.
    pub fn first(&self, why: Skip) -> Option<&Place> {
        self.first.get(&why)
    }

    /// The symbols that no product table knows, and how many rows each had.
    pub fn unknown(&self) -> &BTreeMap<String, u64> {
        &self.unknown
    }

    pub(super) fn add(&mut self, why: Skip, file: &str, row: u64) {
        if let Some(count) = self.counts.get_mut(why as usize) {
            *count += 1;
        }
        self.first.entry(why).or_insert_with(|| Place { file: file.to_owned(), row });
    }

    pub(super) fn add_unknown(&mut self, symbol: &[u8], file: &str, row: u64) {
        self.add(Skip::UnknownInstrument, file, row);
        let symbol = String::from_utf8_lossy(symbol);
        if self.unknown.contains_key(symbol.as_ref()) || self.unknown.len() < UNKNOWN_NAMED_MAX {
            *self.unknown.entry(symbol.into_owned()).or_default() += 1;
        }
    }
}
