//! `holidays.toml` to [`Calendar`].

use super::{File, TableError, text};
use serde::Deserialize;
use shrike_core::calendar::Calendar;
use toml::value::Datetime;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    first: Datetime,
    last: Datetime,
    holiday: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "source")]
    _source: String,
    days: Vec<Datetime>,
}

pub(super) fn read(file: &File<'_>) -> Result<Calendar, TableError> {
    let table: Table = file.parse()?;
    let first = text::day(file, "first", &table.first)?;
    let last = text::day(file, "last", &table.last)?;
    if last < first {
        return Err(file.wrong("last", table.last, "a date not before `first`"));
    }
    let mut holidays = Vec::new();
    for (group, value) in table.holiday.iter().flat_map(|group| &group.days).enumerate() {
        let key = format!("holiday.days (number {})", group + 1);
        let day = text::day(file, &key, value)?;
        if day < first || day > last {
            return Err(file.wrong(&key, value, "a date from `first` to `last`"));
        }
        if day.weekday() >= 5 {
            return Err(file.wrong(&key, value, "a day from Monday to Friday: weekends are always shut"));
        }
        if holidays.contains(&day) {
            return Err(file.wrong(&key, value, "each day once"));
        }
        holidays.push(day);
    }
    Ok(Calendar::new(first, last, &holidays))
}
