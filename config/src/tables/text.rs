//! The small notations of the tables: dates, slots of a session, names of exchanges and phases, kinds of orders.

use super::{File, TableError};
use shrike_core::calendar::Slot;
use shrike_core::codes::{Exchange, OrderType, PhaseKind, TimeInForce};
use shrike_core::units::TradingDay;
use toml::value::Datetime;

/// A TOML date without a time.
pub(super) fn day(file: &File<'_>, key: &str, value: &Datetime) -> Result<TradingDay, TableError> {
    let date = value.date.filter(|_| value.time.is_none() && value.offset.is_none());
    let number = date.map(|date| u32::from(date.year) * 10_000 + u32::from(date.month) * 100 + u32::from(date.day));
    number.and_then(TradingDay::new).ok_or_else(|| file.wrong(key, value, "a date like 2026-01-31"))
}

/// `20:55-20:59 auction-orders`; hours go on past midnight to 27.
pub(super) fn slot(file: &File<'_>, key: &str, text: &str) -> Result<Slot, TableError> {
    let parse = || {
        let (times, kind) = text.split_once(' ')?;
        let (start, end) = times.split_once('-')?;
        Some(Slot { start_s: second(start)?, end_s: second(end)?, kind: PhaseKind::parse(kind)? })
    };
    parse().ok_or_else(|| file.wrong(key, text, "a slot like \"21:00-25:00 continuous\" with a phase's name"))
}

/// `21:00` in seconds; hours to 27.
fn second(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours <= 27 && minutes < 60).then_some(hours * 3600 + minutes * 60)
}

/// The name of an exchange.
pub(super) fn exchange(file: &File<'_>, key: &str, text: &str) -> Result<Exchange, TableError> {
    Exchange::parse(text).ok_or_else(|| file.wrong(key, text, names(Exchange::ALL.iter().map(|item| item.name()))))
}

/// The name of a phase.
pub(super) fn phase(file: &File<'_>, key: &str, text: &str) -> Result<PhaseKind, TableError> {
    PhaseKind::parse(text).ok_or_else(|| file.wrong(key, text, names(PhaseKind::ALL.iter().map(|item| item.name()))))
}

/// `limit day`, `market fak`, ...
pub(super) fn order(file: &File<'_>, key: &str, text: &str) -> Result<(OrderType, TimeInForce), TableError> {
    let parse = || {
        let (kind, life) = text.split_once(' ')?;
        Some((OrderType::parse(kind)?, TimeInForce::parse(life)?))
    };
    parse().ok_or_else(|| file.wrong(key, text, "\"limit\" or \"market\", then \"day\", \"fak\" or \"fok\""))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", names.collect::<Vec<_>>().join(", "))
}
