//! What a row says: an option and a price, a quote or a volatility; and how its words are read.

use shrike_core::pricing::{Expiry, OptionStyle, OptionType};
use shrike_core::units::TradingDay;

/// One row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Contract {
    /// Forward, time and rate.
    pub expiry: Expiry,
    /// Strike.
    pub strike: f64,
    /// Call or put.
    pub option_type: OptionType,
    /// European or American.
    pub style: OptionStyle,
    /// What the market says of it.
    pub given: Given,
}

/// What an answer starts from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Given {
    /// A volatility: price it.
    Vol(f64),
    /// A price: find its volatility.
    Price(f64),
    /// A quote: find the band.
    Quote {
        /// Bid, where there is one.
        bid: Option<f64>,
        /// Ask, where there is one.
        ask: Option<f64>,
    },
}

/// A finite number.
pub fn number(name: &str, text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("{name} `{text}` is no number"))
}

/// Call or put.
pub fn option_type(text: &str) -> Result<OptionType, String> {
    match text.to_ascii_lowercase().as_str() {
        "c" | "call" => Ok(OptionType::Call),
        "p" | "put" => Ok(OptionType::Put),
        _ => Err(format!("type `{text}` is neither C nor P")),
    }
}

/// European or American.
pub fn style(text: &str) -> Result<OptionStyle, String> {
    match text.to_ascii_lowercase().as_str() {
        "e" | "european" => Ok(OptionStyle::European),
        "a" | "american" => Ok(OptionStyle::American),
        _ => Err(format!("style `{text}` is neither european nor american")),
    }
}

/// When trading of an expiring option ends where a row does not say: 15:00.
const CLOSE_S: i64 = 15 * 3_600;

/// A date (20261120 or 2026-11-20), or a date, `T` or a blank, and a time (14:30 or 14:30:15), in seconds of one clock.
///
/// # Errors
/// What was expected.
pub fn moment(text: &str) -> Result<i64, String> {
    let expected = || format!("`{text}` is no date such as 2026-11-20, with or without a time such as T14:30");
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let digits: String = date.chars().filter(|c| *c != '-').collect();
    let day = digits.parse().ok().and_then(TradingDay::new).ok_or_else(expected)?;
    let second = match time {
        None => CLOSE_S,
        Some(time) => {
            let parts: Option<Vec<i64>> = time.split(':').map(|part| part.parse().ok()).collect();
            match parts.ok_or_else(expected)?[..] {
                [h @ 0..24, m @ 0..60] => h * 3_600 + m * 60,
                [h @ 0..24, m @ 0..60, s @ 0..60] => h * 3_600 + m * 60 + s,
                _ => return Err(expected()),
            }
        }
    };
    Ok(day.days_since_epoch() * 86_400 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let day = moment("2026-11-20").unwrap();
        assert_eq!(day, moment("20261120T15:00:00").unwrap());
        assert_eq!(moment("2026-11-20 14:30").unwrap(), day - 1_800);
        assert_eq!(moment("2026-11-21").unwrap() - day, 86_400);
        for wrong in ["", "2026-13-01", "2026-11-20T25:00", "2026-11-20T12", "soon", "2026-11-20T-1:00"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
