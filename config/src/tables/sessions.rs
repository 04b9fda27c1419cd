//! `sessions.toml` to [`Sessions`] and [`OrderRules`]. A product's listing day comes from `products.toml`; an option
//! without rows of its own takes those of its underlying.

use super::products::{Listed, ProductTable};
use super::{File, TableError, text};
use serde::Deserialize;
use shrike_core::calendar::{
    Calendar, DayTemplate, NightTemplate, OrderRules, Rule, SessionRow, Sessions, SessionsSource, Slot, TemplateError,
};
use shrike_core::codes::Exchange;
use shrike_core::units::TradingDay;
use toml::value::Datetime;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    night: Vec<NightRow>,
    #[serde(default)]
    nights_suspended: Vec<Suspension>,
    day: Vec<DayRow>,
    session: Vec<ProductRow>,
    rule: Vec<RuleRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NightRow {
    name: String,
    slots: Vec<String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspension {
    from: Datetime,
    until: Datetime,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DayRow {
    name: String,
    slots: Vec<String>,
    #[serde(default)]
    reopen: Vec<Reopen>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reopen {
    from: Datetime,
    slots: Vec<String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductRow {
    exchange: String,
    products: Vec<String>,
    from: Option<Datetime>,
    day: String,
    night: Option<String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRow {
    exchanges: Vec<String>,
    phases: Vec<String>,
    orders: Vec<String>,
    cancels: bool,
    #[serde(rename = "source")]
    _source: String,
}

/// Templates of one product from a trading day on.
#[derive(Clone, Copy)]
struct Templates {
    from: TradingDay,
    day: usize,
    night: Option<usize>,
}

pub(super) fn read(
    file: &File<'_>,
    calendar: Calendar,
    products: &ProductTable,
) -> Result<(Sessions, OrderRules), TableError> {
    let table: Table = file.parse()?;
    let rules = table.rule.iter().map(|row| rule(file, row)).collect::<Result<Vec<_>, _>>()?;
    let nights = table.night.iter().map(|row| night(file, row)).collect::<Result<Vec<_>, _>>()?;
    let days = table.day.iter().map(|row| day(file, row)).collect::<Result<Vec<_>, _>>()?;
    let suspended = table.nights_suspended.iter().map(|row| {
        let from = text::day(file, "nights_suspended.from", &row.from)?;
        Ok((from, text::day(file, "nights_suspended.until", &row.until)?))
    });
    let nights_suspended = suspended.collect::<Result<Vec<_>, TableError>>()?;

    let rows = product_rows(file, &table, calendar.covered(), products)?;
    let sessions = Sessions::new(SessionsSource { calendar, days, nights, rows, nights_suspended });
    Ok((sessions, OrderRules::new(&rules)))
}

fn slots(file: &File<'_>, key: &str, rows: &[String]) -> Result<Vec<Slot>, TableError> {
    rows.iter().enumerate().map(|(index, row)| text::slot(file, &format!("{key}[{index}]"), row)).collect()
}

fn night(file: &File<'_>, row: &NightRow) -> Result<NightTemplate, TableError> {
    let key = format!("night {}.slots", row.name);
    NightTemplate::new(slots(file, &key, &row.slots)?).map_err(|error| shape(file, &key, &row.slots, error))
}

fn day(file: &File<'_>, row: &DayRow) -> Result<DayTemplate, TableError> {
    let key = format!("day {}.slots", row.name);
    let reopen = row.reopen.iter().map(|reopen| {
        let from = text::day(file, &format!("day {}.reopen.from", row.name), &reopen.from)?;
        Ok((from, slots(file, &format!("day {}.reopen.slots", row.name), &reopen.slots)?))
    });
    let reopen = reopen.collect::<Result<Vec<_>, TableError>>()?;
    DayTemplate::new(slots(file, &key, &row.slots)?, reopen).map_err(|error| shape(file, &key, &row.slots, error))
}

fn shape(file: &File<'_>, key: &str, slots: &[String], error: TemplateError) -> TableError {
    file.wrong(key, format!("{slots:?}"), error.to_string())
}

fn rule(file: &File<'_>, row: &RuleRow) -> Result<Rule, TableError> {
    let exchanges = row.exchanges.iter().map(|name| text::exchange(file, "rule.exchanges", name));
    let phases = row.phases.iter().map(|name| text::phase(file, "rule.phases", name));
    let orders = row.orders.iter().map(|name| text::order(file, "rule.orders", name));
    Ok(Rule {
        exchanges: exchanges.collect::<Result<_, _>>()?,
        phases: phases.collect::<Result<_, _>>()?,
        orders: orders.collect::<Result<_, _>>()?,
        cancels: row.cancels,
    })
}

/// The rows of every product of the product table, from its listing day on.
fn product_rows(
    file: &File<'_>,
    table: &Table,
    (first, last): (TradingDay, TradingDay),
    products: &ProductTable,
) -> Result<Vec<SessionRow>, TableError> {
    let mut stated: Vec<(Exchange, &str, Templates)> = Vec::new();
    for row in &table.session {
        let exchange = text::exchange(file, "session.exchange", &row.exchange)?;
        let from = row.from.as_ref().map(|day| text::day(file, "session.from", day)).transpose()?.unwrap_or(first);
        let day = named(file, "session.day", &row.day, table.day.iter().map(|row| row.name.as_str()))?;
        let names = || table.night.iter().map(|row| row.name.as_str());
        let night = row.night.as_ref().map(|name| named(file, "session.night", name, names())).transpose()?;
        for code in &row.products {
            let key = format!("session.products of {exchange}");
            if products.get(exchange, code).is_none() {
                return Err(file.wrong(&key, code, "a product that products.toml describes"));
            }
            if stated.iter().any(|&(other, name, row)| other == exchange && name == code && row.from == from) {
                return Err(file.wrong(&key, code, format!("one row for {from}; there are two")));
            }
            stated.push((exchange, code, Templates { from, day, night }));
        }
    }
    let mut rows = Vec::new();
    for listed in &products.rows {
        let of = |code: &str| -> Vec<Templates> {
            let same = |row: &&(Exchange, &str, Templates)| row.0 == listed.product.exchange && row.1 == code;
            stated.iter().filter(same).map(|row| row.2).collect()
        };
        let mut templates = of(listed.product.code.as_str());
        if templates.is_empty() {
            templates = of(listed.product.underlying.as_str());
        }
        if templates.is_empty() {
            let name = format!("{} {}", listed.product.exchange, listed.product.code);
            return Err(file.wrong("session.products", name, "a row for every product of products.toml"));
        }
        templates.sort_by_key(|row| row.from);
        rows.extend(since_listing(listed, &templates, last));
    }
    Ok(rows)
}

/// A product's rows, cut at its listing day, which has no night unless the product was listed at night.
fn since_listing(listed: &Listed, templates: &[Templates], last: TradingDay) -> Vec<SessionRow> {
    let product = &listed.product;
    let row = |from, until, templates: &Templates| SessionRow {
        exchange: product.exchange,
        product: product.code,
        from,
        until,
        day: templates.day,
        night: templates.night,
    };
    // Of the rows before the listing day only the last still holds on it.
    let skip = templates.iter().rposition(|row| row.from <= product.listed).unwrap_or(0);
    let mut rows = Vec::new();
    for templates in templates.iter().skip(skip) {
        let mut from = templates.from;
        if from <= product.listed {
            from = product.listed;
            if !listed.at_night && templates.night.is_some() {
                rows.push(row(from, from, &Templates { night: None, ..*templates }));
                from = from.plus_days(1);
            }
        }
        rows.push(row(from, last, templates));
    }
    rows
}

fn named<'a>(
    file: &File<'_>,
    key: &str,
    name: &str,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<usize, TableError> {
    names.position(|other| other == name).ok_or_else(|| file.wrong(key, name, "the name of a template above"))
}
