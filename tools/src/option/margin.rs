//! What a short lot of a row's option binds, by the formula of its exchange: the same rule, from the same table, that a
//! desk checks its counter's answer against.

use super::answer::Answer;
use super::contract::{Contract, number};
use super::header::Header;
use shrike_config::tables::Tables;
use shrike_core::pricing::margin::{MarginRule, Short};
use shrike_core::units::{Price, SCALE};
use std::borrow::Cow;

/// The rule of one product.
pub struct Margin {
    rule: MarginRule,
    unit: i64,
    future_ratio: i64,
}

impl Margin {
    /// The rule of the option product with this code.
    ///
    /// # Errors
    /// When the tables have no such product, or no rule for it.
    pub fn of(code: &str) -> Result<Self, String> {
        let tables = Tables::builtin().map_err(|error| error.to_string())?;
        let found = tables.products.as_slice().iter().find(|product| product.code.as_str() == code);
        let product = found.ok_or_else(|| format!("--margin {code}: no such product; see `shrike option --help`"))?;
        let rule = product.option_margin.ok_or_else(|| format!("--margin {code} is no option product"))?;
        let future = tables.products.get(product.exchange, product.underlying.as_str());
        let future_ratio = future.map_or(0, |future| future.rates.margin_ratio);
        Ok(Self { rule, unit: product.multiplier, future_ratio })
    }

    /// The margin of one short lot of a row: by its columns `settlement`, `underlying` and `unit`, and where one is empty
    /// by the answer's price, the forward, the product's unit. None where there is no price.
    ///
    /// # Errors
    /// The column that is no number.
    pub fn per_lot(
        &self,
        header: &Header,
        fields: &[Cow<'_, str>],
        contract: &Contract,
        answer: &Answer,
    ) -> Result<Option<f64>, String> {
        let of = |name: &'static str| header.value(fields, name).map(|text| number(name, text)).transpose();
        let Some(settlement) = of("settlement")?.or(answer.price) else { return Ok(None) };
        let short = Short {
            option_type: contract.option_type,
            strike: Price::from_f64(contract.strike),
            settlement: Price::from_f64(settlement),
            underlying: Price::from_f64(of("underlying")?.unwrap_or(contract.expiry.forward)),
            unit: of("unit")?.map_or(self.unit, |unit| unit as i64),
            future_ratio: self.future_ratio,
        };
        let margin = self.rule.per_lot(&short);
        Ok(margin.some().map(|margin| margin.raw() as f64 / SCALE as f64))
    }
}
