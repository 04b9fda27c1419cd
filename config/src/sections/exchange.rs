//! `[exchange]`: the simulated exchange that answers the orders.

use crate::values::{Ratio, money, within};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shrike_core::units::{Money, Price, SCALE};
use std::fmt;
use std::path::PathBuf;

/// The simulated exchange.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Home of the `shrike exchange` process to trade with; empty runs the exchange in process. Not journaled.
    #[serde(skip_serializing)]
    pub home: PathBuf,
    /// Account that logs in, at most 12 bytes.
    pub account_id: String,
    /// Money in the account before the first day.
    #[serde(with = "money")]
    pub initial_balance: Money,
    /// Microseconds from our sending a request to its arrival.
    #[serde(deserialize_with = "within::<0, 10_000_000, _, _>")]
    pub order_latency_us: u32,
    /// Microseconds from an answer's leaving to its arrival here.
    #[serde(deserialize_with = "within::<0, 10_000_000, _, _>")]
    pub report_latency_us: u32,
    /// Most microseconds that are added to each latency, drawn evenly from the seed.
    #[serde(deserialize_with = "within::<0, 10_000_000, _, _>")]
    pub latency_jitter_us: u32,
    /// Where an order of ours stands among those of its price.
    pub queue: QueueModel,
    /// Margin: the instrument tables, or one ratio of the value for all.
    pub margin: Charge,
    /// Fees: the instrument tables, or one ratio of the value for all.
    pub fee: Charge,
}

/// The assumed place of an order in its price's queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueModel {
    /// Behind the volume shown at its price; trades and shrinking volume move it up.
    VolumeAhead,
    /// Before everybody: the best case.
    Front,
    /// Filled only when its price is traded through: the worst case.
    Back,
}

/// A margin or fee: `"table"`, or one ratio of the contract's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Charge {
    /// As the instrument tables say.
    Table,
    /// This ratio for every contract.
    Ratio(Ratio),
}

impl Serialize for Charge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Table => serializer.serialize_str("table"),
            Self::Ratio(ratio) => ratio.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Charge {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ChargeVisitor)
    }
}

struct ChargeVisitor;

impl Visitor<'_> for ChargeVisitor {
    type Value = Charge;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"table\", or a ratio of the contract's value from 0 to 1")
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Charge, E> {
        match number {
            0 | 1 => Ok(Charge::Ratio(Ratio::from_raw(number * SCALE))),
            _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Charge, E> {
        match Price::parse(text).map(Price::raw) {
            _ if text == "table" => Ok(Charge::Table),
            Some(raw @ 0..=SCALE) => Ok(Charge::Ratio(Ratio::from_raw(raw))),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}
