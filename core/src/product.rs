//! Products: what every contract of a product has in common. They come from a table with sources (`config/tables`) and
//! stand in where no venue is there to say: recordings and the simulated exchange. A live venue's own word wins.

use crate::codes::{Exchange, OptionStyle, ProductClass};
use crate::event::{InstrumentDef, Rates};
use crate::instrument::InstrumentId;
use crate::pricing::margin::MarginRule;
use crate::units::{Lots, Money, Price, SCALE, Text, TradingDay};

/// The facts of one product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Product {
    /// Where it is listed.
    pub exchange: Exchange,
    /// Its code, in the exchange's letter case (`ru`, `IF`, `m_o`).
    pub code: Text<16>,
    /// Future, option, ...
    pub class: ProductClass,
    /// Code of the underlying product of an option; empty otherwise.
    pub underlying: Text<16>,
    /// How an option is exercised.
    pub option_style: Option<OptionStyle>,
    /// Units of the underlying per lot.
    pub multiplier: i64,
    /// Smallest price step.
    pub tick: Price,
    /// Most lots of a limit order.
    pub max_limit_lots: Lots,
    /// Most lots of a market order; zero where market orders are not taken.
    pub max_market_lots: Lots,
    /// First trading day; absent when before the tables begin.
    pub listed: TradingDay,
    /// Cancels per contract, account and trading day from which the exchange calls it abnormal trading.
    pub daily_cancels: u32,
    /// Margin and fees.
    pub rates: ProductRates,
    /// The exchange's margin formula for a short option, where the tables have one.
    pub option_margin: Option<MarginRule>,
}

/// Margin and fees that are assumed until a venue states its own. Ratios are of value, in units of 1e-8; amounts are in
/// yuan per lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProductRates {
    /// Margin, ratio of value, either side.
    pub margin_ratio: i64,
    /// Opening fee.
    pub open: Fee,
    /// Closing fee of lots of earlier days.
    pub close: Fee,
    /// Closing fee of today's lots.
    pub close_today: Fee,
}

/// A fee: the sum of a part of the value and an amount per lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fee {
    /// Ratio of value, in units of 1e-8.
    pub ratio: i64,
    /// Amount per lot.
    pub per_lot: Money,
}

impl Product {
    /// The definition of a contract of this product, tradable from the start. Strike, right, underlying contract, expiry
    /// and price limits are the caller's to add. `None` when the symbol does not fit.
    pub fn instrument(&self, instrument: InstrumentId, symbol: &str) -> Option<InstrumentDef> {
        Some(InstrumentDef {
            instrument,
            symbol: Text::new(symbol.as_bytes())?,
            product: self.code,
            tick: self.tick,
            multiplier: self.multiplier,
            strike: Price::ABSENT,
            min_lots: Lots::new(1),
            max_limit_lots: self.max_limit_lots,
            max_market_lots: self.max_market_lots,
            upper_limit: Price::ABSENT,
            lower_limit: Price::ABSENT,
            pre_settlement: Price::ABSENT,
            exchange: self.exchange.code(),
            class: self.class.code(),
            tradable: 1,
            ..InstrumentDef::default()
        })
    }

    /// The rates of a contract of this product, marked as assumed.
    pub fn rates(&self, instrument: InstrumentId) -> Rates {
        let ProductRates { margin_ratio, open, close, close_today } = self.rates;
        Rates {
            instrument,
            long_margin_ratio: margin_ratio,
            short_margin_ratio: margin_ratio,
            open_ratio: open.ratio,
            close_ratio: close.ratio,
            close_today_ratio: close_today.ratio,
            open_per_lot: open.per_lot,
            close_per_lot: close.per_lot,
            close_today_per_lot: close_today.per_lot,
            assumed: 1,
            ..Rates::default()
        }
    }
}

impl Rates {
    /// The same with this margin, a ratio of the value in units of 1e-8. A written option binds its premium and that part
    /// of what its strike is worth, a bought one nothing; absent, so that nothing can be written, without a strike.
    pub fn with_margin(self, def: &InstrumentDef, ratio: i64) -> Self {
        if def.class() != Some(ProductClass::Option) {
            return Self { long_margin_ratio: ratio, short_margin_ratio: ratio, ..self };
        }
        Self {
            long_margin_ratio: 0,
            short_margin_ratio: SCALE,
            short_margin_per_lot: def.strike.value(Lots::new(1), def.multiplier).times_rate(ratio),
            ..self
        }
    }
}

/// The products, by exchange and code.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Products {
    rows: Vec<Product>,
}

impl Products {
    /// The table of these products. Of two with the same exchange and code the first is kept.
    pub fn new(mut rows: Vec<Product>) -> Self {
        rows.sort_by_key(|row| (row.exchange, row.code));
        rows.dedup_by_key(|row| (row.exchange, row.code));
        Self { rows }
    }

    /// The product of an exchange with that code.
    pub fn get(&self, exchange: Exchange, code: &str) -> Option<&Product> {
        let code = Text::new(code.as_bytes())?;
        let index = self.rows.binary_search_by_key(&(exchange, code), |row| (row.exchange, row.code)).ok()?;
        self.rows.get(index)
    }

    /// The product of a contract's symbol in the exchanges' spelling: `ru1901`, `IF2101`, `AP010`, `l2602F`,
    /// `m1905-C-2700`, `cu2006C47000`, `SR703C5300`, `IO2503-C-3900`. Codes are unique across the exchanges, so the
    /// exchange need not be known (CTP leaves it empty). Stock options, whose codes are numbers, are not found.
    pub fn of_symbol(&self, symbol: &str) -> Option<&Product> {
        let letters = symbol.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (base, rest) = symbol.split_at_checked(letters)?;
        let suffix = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if base.is_empty() || suffix.len() == rest.len() {
            return None;
        }
        let option = |right: &str| {
            let found = ["_o", right, ""].iter().find_map(|suffix| self.find(base, suffix));
            found.filter(|product| product.class == ProductClass::Option)
        };
        match suffix.trim_start_matches('-').chars().next() {
            None => self.find(base, ""),
            Some('F') => self.find(base, "_f"),
            Some('C') => option("C"),
            Some('P') => option("P"),
            Some(_) => None,
        }
    }

    /// The product whose code is `base` and then `suffix`.
    fn find(&self, base: &str, suffix: &str) -> Option<&Product> {
        let same = |row: &&Product| row.code.as_str().strip_suffix(suffix) == Some(base);
        self.rows.iter().find(same)
    }

    /// The margin ratio of a contract in the table, in units of 1e-8: an option's is its underlying's. Zero: not known.
    pub fn margin_ratio(&self, def: &InstrumentDef) -> i64 {
        let product = def.exchange().and_then(|exchange| self.get(exchange, def.product.as_str()));
        let bearing = product.and_then(|product| match product.class {
            ProductClass::Option => self.get(product.exchange, product.underlying.as_str()),
            _ => Some(product),
        });
        bearing.map_or(0, |product| product.rates.margin_ratio)
    }

    /// Every product, in order of exchange and code.
    pub fn as_slice(&self) -> &[Product] {
        &self.rows
    }
}
