//! `[strategy.NAME]`: the strategies of a run and their parameters. To add a kind: its parameters as a struct here, and
//! one line in `kinds!`.

use crate::values::within;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shrike_core::codes::Urgency;
use std::fmt;

/// One strategy. Its name is its key in [`crate::Config::strategy`].
#[derive(Clone, PartialEq, Debug)]
pub struct Strategy {
    /// Its number in intents, orders and journals: never to be given to another strategy of the same home.
    pub id: u32,
    /// Whether it runs; a layer switches a strategy of a lower layer off.
    pub enabled: bool,
    /// Globs of symbols that it trades.
    pub instruments: Vec<String>,
    /// Its kind and parameters.
    pub params: StrategyParams,
}

macro_rules! kinds {
    ($($variant:ident $word:literal,)+) => {
        /// A kind of strategy with its parameters.
        #[derive(Clone, PartialEq, Debug)]
        pub enum StrategyParams {
            $(#[doc = concat!("`", $word, "`.")] $variant($variant),)+
        }

        #[derive(Clone, Copy, Deserialize)]
        enum Kind {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl StrategyParams {
            /// The word of the kind, as `kind` has it.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $word,)+
                }
            }

            fn read<'de, M: MapAccess<'de>>(kind: Kind, map: &mut M) -> Result<Self, M::Error> {
                match kind {
                    $(Kind::$variant => map.next_value().map(Self::$variant),)+
                }
            }
        }

        impl Serialize for StrategyParams {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(params) => params.serialize(serializer),)+
                }
            }
        }
    };
}

kinds! {
    EmaCross "ema-cross",
    Quoter "quoter",
}

/// Long while the fast exponential average is above the slow one, short while it is below.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EmaCross {
    /// Length of a bar in milliseconds; 0 makes every tick a bar.
    #[serde(deserialize_with = "within::<0, 86_400_000, _, _>")]
    pub bar_ms: u64,
    /// Period of the fast average, in bars.
    #[serde(deserialize_with = "within::<1, 100_000, _, _>")]
    pub fast: u32,
    /// Period of the slow average, in bars.
    #[serde(deserialize_with = "within::<2, 100_000, _, _>")]
    pub slow: u32,
    /// Lots held, long or short.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub lots: i64,
    /// How badly the target wants to be reached.
    #[serde(with = "urgency")]
    pub urgency: Urgency,
}

/// Quotes both sides at or behind the best prices and leans against its position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quoter {
    /// Lots quoted on each side.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub lots: i64,
    /// Ticks behind the best price; 0 joins it.
    #[serde(deserialize_with = "within::<0, 1_000_000, _, _>")]
    pub edge_ticks: i64,
    /// Ticks by which a quote that adds to the position retreats when the position is at its maximum.
    #[serde(deserialize_with = "within::<0, 1_000_000, _, _>")]
    pub skew_ticks: i64,
    /// Lots of net position at which the side that would add to it is pulled.
    #[serde(deserialize_with = "within::<1, 1_000_000, _, _>")]
    pub max_position_lots: i64,
    /// Least ticks between the market's best prices to quote at all.
    #[serde(deserialize_with = "within::<0, 1_000_000, _, _>")]
    pub min_spread_ticks: i64,
}

impl Serialize for Strategy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut strategy = serializer.serialize_struct("Strategy", 5)?;
        strategy.serialize_field("enabled", &self.enabled)?;
        strategy.serialize_field("id", &self.id)?;
        strategy.serialize_field("instruments", &self.instruments)?;
        strategy.serialize_field("kind", self.params.kind())?;
        strategy.serialize_field("params", &self.params)?;
        strategy.end()
    }
}

impl<'de> Deserialize<'de> for Strategy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(StrategyVisitor)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Enabled,
    Id,
    Instruments,
    Kind,
    Params,
}

/// Numbers stay small: stages keep a row per number and contract.
#[derive(Deserialize)]
struct StrategyId(#[serde(deserialize_with = "within::<1, 64, _, _>")] u32);

struct StrategyVisitor;

impl<'de> Visitor<'de> for StrategyVisitor {
    type Value = Strategy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of a strategy: kind, instruments, params")
    }

    /// By hand, since the type of `params` depends on `kind`. The tree gives keys in the order of their names, so
    /// `kind` is known when `params` comes.
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Strategy, M::Error> {
        let (mut enabled, mut id, mut instruments, mut kind, mut params) = (true, None, None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Enabled => enabled = map.next_value()?,
                Field::Id => id = Some(map.next_value::<StrategyId>()?.0),
                Field::Instruments => instruments = Some(map.next_value()?),
                Field::Kind => kind = Some(map.next_value()?),
                Field::Params => {
                    let kind = kind.ok_or_else(|| M::Error::missing_field("kind"))?;
                    params = Some(StrategyParams::read(kind, &mut map)?);
                }
            }
        }
        Ok(Strategy {
            id: id.ok_or_else(|| M::Error::missing_field("id"))?,
            enabled,
            instruments: instruments.ok_or_else(|| M::Error::missing_field("instruments"))?,
            params: params.ok_or_else(|| M::Error::missing_field("params"))?,
        })
    }
}

mod urgency {
    use super::{Deserialize, Deserializer, Error, Serializer, Urgency};

    pub(super) fn serialize<S: Serializer>(urgency: &Urgency, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(urgency.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Urgency, D::Error> {
        let word = String::deserialize(from)?;
        Urgency::parse(&word).ok_or_else(|| D::Error::custom("one of \"passive\", \"aggressive\""))
    }
}
