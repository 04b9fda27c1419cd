//! Where the columns are, and a row as a contract.

use super::contract::{Contract, Given, moment, number, option_type, style};
use crate::clock::{QuoteClock, china};
use shrike_core::pricing::{Expiry, OptionStyle};
use std::borrow::Cow;

/// Seconds in a year of 365 days.
const YEAR_S: f64 = 365.0 * 86_400.0;

/// The column of each name that a header may have.
pub struct Header {
    names: Vec<String>,
    at: Option<i64>,
    clock: Option<QuoteClock>,
}

/// Names that the command knows.
const KNOWN: [&str; 16] = [
    "id",
    "forward",
    "strike",
    "years",
    "expiry",
    "discount_years",
    "rate",
    "type",
    "style",
    "vol",
    "price",
    "bid",
    "ask",
    "settlement",
    "underlying",
    "unit",
];

impl Header {
    /// Reads a header line.
    ///
    /// # Errors
    /// What is missing, twice there, or needed beside it.
    pub fn of(line: &str, at: Option<i64>, clock: Option<QuoteClock>) -> Result<Self, String> {
        let line = line.trim_start_matches('\u{feff}');
        let names: Vec<String> = fields(line).iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let has = |name: &str| names.iter().any(|n| n == name);
        for name in KNOWN {
            if names.iter().filter(|n| *n == name).count() > 1 {
                return Err(format!("the header names the column `{name}` twice"));
            }
        }
        for name in ["forward", "strike", "rate", "type"] {
            if !has(name) {
                return Err(format!("the header has no column `{name}`; it has: {}", names.join(", ")));
            }
        }
        if !has("years") && !has("expiry") {
            return Err(String::from("the header has neither `years` nor `expiry`"));
        }
        if !["vol", "price", "bid", "ask"].into_iter().any(has) {
            return Err(String::from("the header has none of `vol`, `price`, `bid` and `ask`"));
        }
        if !has("years") && at.is_none() {
            return Err(String::from("the column `expiry` needs the moment of the prices: give it with --at"));
        }
        Ok(Self { names, at, clock })
    }

    /// What a row has in a column; `None` where that is absent or empty.
    pub(super) fn value<'a>(&self, fields: &'a [Cow<'_, str>], name: &str) -> Option<&'a str> {
        let at = self.names.iter().position(|n| n == name)?;
        fields.get(at).map(|field| field.trim()).filter(|field| !field.is_empty())
    }

    /// The row's own name.
    pub fn id<'a>(&self, fields: &'a [Cow<'_, str>]) -> Option<&'a str> {
        self.value(fields, "id")
    }

    /// The row as a contract.
    ///
    /// # Errors
    /// The column and what is wrong with it.
    pub fn contract(&self, fields: &[Cow<'_, str>]) -> Result<Contract, String> {
        if fields.len() != self.names.len() {
            return Err(format!("{} fields where the header has {}", fields.len(), self.names.len()));
        }
        let get = |name: &str| self.value(fields, name);
        let of = |name: &str| get(name).map(|text| number(name, text)).transpose();
        let need = |name: &str| of(name)?.ok_or_else(|| format!("no {name}"));
        let (years, discount_years) = match (of("years")?, get("expiry"), self.at) {
            (Some(years), ..) => (years, years),
            (None, Some(expiry), Some(at)) => {
                let expiry = moment(expiry).map_err(|why| format!("expiry: {why}"))?;
                let calendar = (expiry - at) as f64 / YEAR_S;
                match &self.clock {
                    Some(clock) if calendar > 0.0 => {
                        let left = clock.left(china(expiry)).map_err(|why| format!("expiry: {why}"))?;
                        (left.variance, calendar)
                    }
                    _ => (calendar, calendar),
                }
            }
            (None, Some(_), None) => return Err(String::from("no years, and an expiry needs --at")),
            (None, None, _) => return Err(String::from("no years and no expiry")),
        };
        // Zero is how many sources say that there is no bid.
        let side = |name: &str| get(name).and_then(|text| text.parse().ok()).filter(|price: &f64| *price > 0.0);
        let given = match (of("vol")?, of("price")?) {
            (Some(vol), _) => Given::Vol(vol),
            (None, Some(price)) => Given::Price(price),
            (None, None) => Given::Quote { bid: side("bid"), ask: side("ask") },
        };
        Ok(Contract {
            expiry: Expiry {
                forward: need("forward")?,
                years,
                rate: need("rate")?,
                discount_years: of("discount_years")?.unwrap_or(discount_years),
            },
            strike: need("strike")?,
            option_type: option_type(get("type").ok_or("no type")?)?,
            style: get("style").map_or(Ok(OptionStyle::European), style)?,
            given,
        })
    }
}

/// The fields of a CSV line (RFC 4180, but a quoted field ends with its line).
pub fn fields(line: &str) -> Vec<Cow<'_, str>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted),
            None => match rest.split_once(',') {
                Some((field, after)) => (Cow::Borrowed(field), Some(after)),
                None => (Cow::Borrowed(rest), None),
            },
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return fields,
        }
    }
}

/// A field from behind its opening quote, and what follows its comma.
fn quoted_field(text: &str) -> (Cow<'_, str>, Option<&str>) {
    let mut field = String::new();
    let mut rest = text;
    while let Some((part, after)) = rest.split_once('"') {
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return (Cow::Owned(field), after.split_once(',').map(|(_, after)| after)),
        }
    }
    (Cow::Owned(field + rest), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted() {
        for (line, expected) in [
            ("a,b,,c", vec!["a", "b", "", "c"]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"no\"\"\",", vec!["say \"no\"", ""]),
            ("\"open", vec!["open"]),
            ("", vec![""]),
        ] {
            assert_eq!(fields(line), expected, "{line}");
        }
    }

    #[test]
    fn a_header_says_what_it_lacks() {
        for (line, at, expected) in [
            ("strike,rate,type,years,vol", None, "no column `forward`"),
            ("forward,strike,rate,type,vol", None, "neither `years` nor `expiry`"),
            ("forward,strike,rate,type,years", None, "none of `vol`"),
            ("forward,strike,rate,type,expiry,vol", None, "--at"),
            ("forward,forward,strike,rate,type,years,vol", None, "twice"),
        ] {
            let error = Header::of(line, at, None).err().unwrap();
            assert!(error.contains(expected), "{line}: {error}");
        }
        assert!(Header::of("\u{feff}Forward, Strike ,RATE,type,expiry,vol,whatever", Some(0), None).is_ok());
    }
}
