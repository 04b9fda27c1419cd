//! `products.toml` to [`Product`]s.

use super::{File, TableError, text};
use serde::Deserialize;
use shrike_core::codes::{Exchange, OptionStyle, ProductClass};
use shrike_core::pricing::margin::MarginRule;
use shrike_core::product::{Fee, Product, ProductRates, Products};
use shrike_core::units::{Lots, Money, Price, SCALE, Text, TradingDay};
use std::collections::BTreeMap;
use toml::value::Datetime;

/// A factor of one, in units of 1e-8.
const ONCE: i64 = SCALE;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeTable {
    daily_cancels: u32,
    #[serde(default)]
    futures_lots: LotLimits,
    #[serde(default)]
    options_lots: LotLimits,
    margin: Option<String>,
    option_margin: Option<OptionMargin>,
    #[serde(default)]
    futures: BTreeMap<String, Row>,
    #[serde(default)]
    options: BTreeMap<String, Row>,
}

/// Coefficients of an exchange's margin formula for short options, as decimals.
#[derive(Deserialize)]
#[serde(tag = "of", rename_all = "lowercase", deny_unknown_fields)]
enum OptionMargin {
    /// Options on ETFs: parts of the ETF.
    Etf { ratio: String, floor: String, broker: Option<String> },
    /// Options on indices: a part of the index, and the least part of that.
    Index { ratio: String, floor: String, broker: Option<String> },
    /// Options on futures: parts of what is out of the money and of the future's margin.
    Future { relief: String, floor: String, broker: Option<String> },
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(deny_unknown_fields)]
struct LotLimits {
    limit: u32,
    market: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "name")]
    _name: Option<String>,
    underlying: Option<String>,
    style: Option<String>,
    multiplier: u32,
    tick: String,
    lots: Option<LotLimits>,
    margin: Option<String>,
    option_margin: Option<OptionMargin>,
    fee: Option<Fees>,
    fee_per_lot: Option<Fees>,
    daily_cancels: Option<u32>,
    listed: Option<Datetime>,
    #[serde(default)]
    listed_at_night: bool,
}

/// One fee for all, or to open, to close, to close today's.
#[derive(Deserialize)]
#[serde(untagged)]
enum Fees {
    One(String),
    Each([String; 3]),
}

/// A product, and what only the session table needs to know of it.
pub(super) struct Listed {
    pub(super) product: Product,
    /// Whether its first trading day began with the night before.
    pub(super) at_night: bool,
}

/// The products as they stand in the table.
pub(super) struct ProductTable {
    pub(super) rows: Vec<Listed>,
}

impl ProductTable {
    pub(super) fn get(&self, exchange: Exchange, code: &str) -> Option<&Listed> {
        self.rows.iter().find(|row| row.product.exchange == exchange && row.product.code.as_str() == code)
    }

    pub(super) fn table(&self) -> Products {
        Products::new(self.rows.iter().map(|row| row.product).collect())
    }
}

pub(super) fn read(file: &File<'_>) -> Result<ProductTable, TableError> {
    let table: BTreeMap<String, ExchangeTable> = file.parse()?;
    let mut rows = Vec::new();
    for (name, section) in &table {
        let exchange = text::exchange(file, "[exchange]", name)?;
        for (class, group) in [(ProductClass::Future, &section.futures), (ProductClass::Option, &section.options)] {
            let part = if class == ProductClass::Future { "futures" } else { "options" };
            for (code, row) in group {
                let place = Place { file, key: format!("{name}.{part}.{code}") };
                rows.push(place.product(exchange, class, code, section, row)?);
            }
        }
    }
    Ok(ProductTable { rows })
}

/// Where a row stands, for messages.
struct Place<'a> {
    file: &'a File<'a>,
    key: String,
}

impl Place<'_> {
    fn wrong(&self, field: &str, value: impl ToString, expected: &str) -> TableError {
        self.file.wrong(&format!("{}.{field}", self.key), value, expected)
    }

    fn product(
        &self,
        exchange: Exchange,
        class: ProductClass,
        code: &str,
        section: &ExchangeTable,
        row: &Row,
    ) -> Result<Listed, TableError> {
        let option = class == ProductClass::Option;
        let lots = row.lots.unwrap_or(if option { section.options_lots } else { section.futures_lots });
        if lots.limit == 0 {
            return Err(self.wrong("lots", "limit 0", "lots here, or futures_lots or options_lots of the exchange"));
        }
        if row.multiplier == 0 {
            return Err(self.wrong("multiplier", 0, "a positive number of units"));
        }
        let tick = Price::parse(&row.tick).filter(|tick| tick.raw() > 0);
        let style = match (&row.style, option) {
            (Some(text), true) => OptionStyle::parse(text),
            _ => None,
        };
        if style.is_some() != option || row.style.is_some() != option || row.underlying.is_some() != option {
            let value = row.style.as_deref().unwrap_or("none");
            return Err(self.wrong("style", value, "american or european, and an underlying: for options only"));
        }
        let margin = if option { row.margin.as_ref() } else { row.margin.as_ref().or(section.margin.as_ref()) };
        let listed = row.listed.as_ref().map(|day| text::day(self.file, &format!("{}.listed", self.key), day));
        let product = Product {
            exchange,
            code: self.text("code", code)?,
            class,
            underlying: self.text("underlying", row.underlying.as_deref().unwrap_or(""))?,
            option_style: style,
            multiplier: i64::from(row.multiplier),
            tick: tick.ok_or_else(|| self.wrong("tick", &row.tick, "a positive decimal as text, like \"0.2\""))?,
            max_limit_lots: Lots::new(i64::from(lots.limit)),
            max_market_lots: Lots::new(i64::from(lots.market)),
            listed: listed.transpose()?.unwrap_or(TradingDay::ABSENT),
            daily_cancels: row.daily_cancels.unwrap_or(section.daily_cancels),
            rates: self.rates(margin, row)?,
            option_margin: self.option_margin(option, section, row)?,
        };
        Ok(Listed { product, at_night: row.listed_at_night })
    }

    fn text<const N: usize>(&self, field: &str, text: &str) -> Result<Text<N>, TableError> {
        Text::new(text.as_bytes()).ok_or_else(|| self.wrong(field, text, &format!("at most {N} bytes")))
    }

    /// The row's margin formula, else its exchange's; futures have none.
    fn option_margin(
        &self,
        option: bool,
        section: &ExchangeTable,
        row: &Row,
    ) -> Result<Option<MarginRule>, TableError> {
        let given = match (option, &row.option_margin) {
            (true, own) => own.as_ref().or(section.option_margin.as_ref()),
            (false, None) => None,
            (false, Some(_)) => return Err(self.wrong("option_margin", "given", "nothing: it is for options only")),
        };
        let Some(given) = given else { return Ok(None) };
        let part = |field: &str, text: &String| self.ratio(&format!("option_margin.{field}"), text);
        // Without a broker's addition, the exchange's margin once.
        let times = |text: &Option<String>| match text {
            Some(text) => part("broker", text).and_then(|times| match times {
                ONCE.. => Ok(times),
                _ => Err(self.wrong("option_margin.broker", text, "a factor of at least 1")),
            }),
            None => Ok(ONCE),
        };
        Ok(Some(match given {
            OptionMargin::Etf { ratio, floor, broker } => {
                MarginRule::Etf { ratio: part("ratio", ratio)?, floor: part("floor", floor)?, broker: times(broker)? }
            }
            OptionMargin::Index { ratio, floor, broker } => {
                MarginRule::Index { ratio: part("ratio", ratio)?, floor: part("floor", floor)?, broker: times(broker)? }
            }
            OptionMargin::Future { relief, floor, broker } => MarginRule::Commodity {
                relief: part("relief", relief)?,
                floor: part("floor", floor)?,
                broker: times(broker)?,
            },
        }))
    }

    fn rates(&self, margin: Option<&String>, row: &Row) -> Result<ProductRates, TableError> {
        let margin_ratio = margin.map_or(Ok(0), |text| self.ratio("margin", text))?;
        let [open, close, close_today] = match (&row.fee, &row.fee_per_lot) {
            (Some(_), Some(_)) => return Err(self.wrong("fee", "both", "either fee or fee_per_lot")),
            (Some(fees), None) => self.fees("fee", fees)?.map(|ratio| Fee { ratio, per_lot: Money::ZERO }),
            (None, Some(fees)) => {
                self.fees("fee_per_lot", fees)?.map(|yuan| Fee { ratio: 0, per_lot: Money::from_raw(yuan.into()) })
            }
            (None, None) => return Err(self.wrong("fee", "none", "fee or fee_per_lot")),
        };
        Ok(ProductRates { margin_ratio, open, close, close_today })
    }

    fn fees(&self, field: &str, fees: &Fees) -> Result<[i64; 3], TableError> {
        match fees {
            Fees::One(fee) => Ok([self.ratio(field, fee)?; 3]),
            Fees::Each([open, close, close_today]) => {
                Ok([self.ratio(field, open)?, self.ratio(field, close)?, self.ratio(field, close_today)?])
            }
        }
    }

    /// A decimal that is not negative, in units of 1e-8.
    fn ratio(&self, field: &str, text: &str) -> Result<i64, TableError> {
        let value = Price::parse(text).map(Price::raw).filter(|&value| value >= 0);
        value.ok_or_else(|| self.wrong(field, text, "a decimal as text, like \"0.00005\", not negative"))
    }
}
