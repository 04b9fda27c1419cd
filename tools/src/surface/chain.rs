//! A chain from a CSV: rows by header name, gathered into calls and puts of one strike, expiry and root.

use crate::clock::{ClockError, QuoteClock, YearsLeft, china};
use crate::option::contract::moment;
use shrike_core::codes::OptionStyle;
use shrike_core::pricing::forward::ParityPair;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// The options of one root and expiry.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Root of the symbols; empty where the file has none.
    pub root: String,
    /// The expiry as the file writes it.
    pub expiry: String,
    /// Years of variance to it.
    pub years: f64,
    /// Years to it by the calendar, over which is discounted.
    pub discount_years: f64,
    /// How the options are exercised.
    pub style: OptionStyle,
    /// The listed forward, where the file has one.
    pub forward: Option<f64>,
    /// Strikes, ascending.
    pub pairs: Vec<ParityPair>,
}

/// A chain, in order of time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Chain {
    /// Its expiries.
    pub groups: Vec<Group>,
    /// Rows that had expired on the day of the quotes.
    pub expired: usize,
}

/// Why a file is no chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The header has no such column.
    #[error("the header has no column `{0}`; see `shrike surface --help`")]
    NoColumn(&'static str),
    /// A value is not what it should be.
    #[error("line {line}: {column} is `{value}`; expected {expected}")]
    Value {
        /// Line of the file, from one.
        line: usize,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// Expiries are dates, and the day of the quotes is not known.
    #[error("expiries are dates: give the moment of the quotes with --on YYYY-MM-DD or --on YYYY-MM-DDTHH:MM")]
    NoDay,
    /// The trading clock does not reach an expiry.
    #[error("line {line}: {why}")]
    Clock {
        /// Line of the file, from one.
        line: usize,
        /// Why.
        why: ClockError,
    },
    /// No row is left.
    #[error("no option in it that has not expired (and is of the root, if --root is given)")]
    Empty,
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// The columns that a chain may have, with the names they go by.
const COLUMNS: [(&str, &[&str]); 10] = [
    ("strike", &["strike"]),
    ("bid", &["bid"]),
    ("ask", &["ask"]),
    ("type", &["type", "option_type"]),
    ("expiry", &["expiry", "expiration"]),
    ("years", &["years"]),
    ("root", &["root", "contractsymbol"]),
    ("style", &["style"]),
    ("forward", &["forward"]),
    ("discount_years", &["discount_years"]),
];

/// A row's fields by column.
struct Fields<'a> {
    line: usize,
    fields: Vec<&'a str>,
    places: &'a [Option<usize>; COLUMNS.len()],
}

impl<'a> Fields<'a> {
    fn text(&self, column: &str) -> &'a str {
        let index = COLUMNS.iter().position(|(name, _)| *name == column);
        let place = index.and_then(|index| self.places[index]);
        place.and_then(|place| self.fields.get(place)).map_or("", |field| field.trim().trim_matches('"'))
    }

    fn wrong(&self, column: &'static str, expected: &'static str) -> ChainError {
        ChainError::Value { line: self.line, column, value: self.text(column).to_owned(), expected }
    }

    /// A number, or nothing where the field is empty.
    fn number(&self, column: &'static str) -> Result<Option<f64>, ChainError> {
        match self.text(column) {
            "" => Ok(None),
            text => {
                let number = text.parse().map_err(|_| self.wrong(column, "a number"))?;
                Ok(Some(number).filter(|number: &f64| number.is_finite()))
            }
        }
    }
}

impl Chain {
    /// Reads a chain quoted on a day.
    ///
    /// # Errors
    /// When the file is no chain; the line is named.
    pub fn read(input: impl BufRead, clock: Option<&QuoteClock>, root: Option<&str>) -> Result<Self, ChainError> {
        let mut lines = input.lines();
        let header = lines.next().transpose()?.unwrap_or_default().to_lowercase();
        let names: Vec<&str> = header.split(',').map(|name| name.trim().trim_matches(['"', '\u{feff}'])).collect();
        let places = COLUMNS.map(|(_, known)| names.iter().position(|name| known.contains(name)));
        for (index, (name, _)) in COLUMNS.iter().enumerate().take(4) {
            places[index].ok_or(ChainError::NoColumn(name))?;
        }
        if places[4].is_none() && places[5].is_none() {
            return Err(ChainError::NoColumn("expiry"));
        }
        let mut groups: BTreeMap<(String, String), (Group, BTreeMap<u64, ParityPair>)> = BTreeMap::new();
        let mut expired = 0;
        for (index, line) in lines.enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let row = Fields { line: index + 2, fields: line.split(',').collect(), places: &places };
            // The root of `SPXW260202C02800000` is what stands before its digits.
            let own = row.text("root").split(|letter: char| letter.is_ascii_digit()).next().unwrap_or_default();
            if root.is_some_and(|root| root != own) {
                continue;
            }
            let (expiry, YearsLeft { variance: years, discount: discount_years }) = time(&row, clock)?;
            if years <= 0.0 {
                expired += 1;
                continue;
            }
            let strike = row.number("strike")?.filter(|strike| *strike > 0.0);
            let strike = strike.ok_or_else(|| row.wrong("strike", "a positive number"))?;
            let style = match row.text("style").to_lowercase().as_str() {
                "" | "european" => OptionStyle::European,
                "american" => OptionStyle::American,
                _ => return Err(row.wrong("style", "american or european")),
            };
            let (group, strikes) = groups.entry((own.to_owned(), expiry.clone())).or_insert_with(|| {
                let (root, pairs) = (own.to_owned(), Vec::new());
                let group = Group { root, expiry, years, discount_years, style, forward: None, pairs };
                (group, BTreeMap::new())
            });
            group.forward = group.forward.or(row.number("forward")?);
            const NONE: f64 = f64::NAN;
            let pair = strikes.entry(strike.to_bits()).or_insert(ParityPair {
                strike,
                call_bid: NONE,
                call_ask: NONE,
                put_bid: NONE,
                put_ask: NONE,
            });
            let quote = |column| row.number(column).map(|price| price.filter(|price| *price > 0.0).unwrap_or(NONE));
            match row.text("type").to_lowercase().as_str() {
                "c" | "call" => (pair.call_bid, pair.call_ask) = (quote("bid")?, quote("ask")?),
                "p" | "put" => (pair.put_bid, pair.put_ask) = (quote("bid")?, quote("ask")?),
                _ => return Err(row.wrong("type", "C, P, call or put")),
            }
        }
        let gathered = groups.into_values();
        let mut groups: Vec<Group> =
            gathered.map(|(group, strikes)| Group { pairs: strikes.into_values().collect(), ..group }).collect();
        groups.sort_by(|one, other| one.years.total_cmp(&other.years));
        if groups.is_empty() { Err(ChainError::Empty) } else { Ok(Self { groups, expired }) }
    }
}

/// A row's expiry as written, and the time left to it.
fn time(row: &Fields<'_>, clock: Option<&QuoteClock>) -> Result<(String, YearsLeft), ChainError> {
    let text = row.text("expiry");
    if text.is_empty() {
        let variance = row.number("years")?.ok_or_else(|| row.wrong("years", "a number"))?;
        let discount = row.number("discount_years")?.unwrap_or(variance);
        return Ok((row.text("years").to_owned(), YearsLeft { variance, discount }));
    }
    let expiry = moment(text).map_err(|_| row.wrong("expiry", "a date, YYYY-MM-DD"))?;
    let left = clock.ok_or(ChainError::NoDay)?.left(china(expiry));
    left.map(|left| (text.to_owned(), left)).map_err(|why| ChainError::Clock { line: row.line, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "type,strike,bid,ask,expiration,contractSymbol\n";

    fn read(rows: &str, on: Option<&str>) -> Result<Chain, ChainError> {
        let clock = on.map(|text| QuoteClock::new(china(moment(text).unwrap()), None).unwrap());
        Chain::read(rows.as_bytes(), clock.as_ref(), None)
    }

    #[test]
    fn rows_become_pairs_by_root_and_expiry() {
        let rows = "call,100,2.0,2.2,2026-02-06,ABW260206C00100000\nput,100,0,1.2,2026-02-06,ABW260206P\n\
                    P,90,,0.3,2026-02-20,AB260220P\nC,95,5,5.5,2026-01-30,AB260130C\n";
        let chain = read(&format!("{HEADER}{rows}"), Some("2026-01-30")).unwrap();
        assert_eq!((chain.groups.len(), chain.expired), (2, 1));
        let first = &chain.groups[0];
        assert_eq!((first.root.as_str(), first.expiry.as_str(), first.years), ("ABW", "2026-02-06", 7.0 / 365.0));
        let pair = first.pairs[0];
        assert_eq!((pair.strike, pair.call_bid, pair.call_ask, pair.put_ask), (100.0, 2.0, 2.2, 1.2));
        assert!(pair.put_bid.is_nan() && chain.groups[1].pairs[0].put_bid.is_nan());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let message = |rows: &str, on| read(rows, on).unwrap_err().to_string();
        assert!(message("strike,bid,ask\n", None).contains("no column `type`"));
        assert!(message("strike,bid,ask,type\n", None).contains("no column `expiry`"));
        let row = "call,x,2.0,2.2,2026-02-06,\n";
        assert_eq!(message(&format!("{HEADER}{row}"), Some("20260130")), "line 2: strike is `x`; expected a number");
        let row = "call,1,2.0,2.2,2026-02-06,\n";
        assert!(message(&format!("{HEADER}{row}"), None).contains("--on"));
        assert!(message(HEADER, None).contains("no option"));
    }
}
