//! `[run]`: where a run lives, how fast time passes, which threads there are, and which layers apply.

use crate::values::{Ratio, within};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shrike_core::units::{Price, SCALE};
use std::fmt;
use std::path::PathBuf;

/// What one run does.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Directory of the run's journals. Not journaled: the same run elsewhere writes the same bytes.
    #[serde(skip_serializing)]
    pub home: PathBuf,
    /// Seed of everything random: latencies, the generated market, run ids in simulated time.
    #[serde(deserialize_with = "within::<0, { i64::MAX }, _, _>")]
    pub seed: u64,
    /// How fast market data is played.
    pub speed: Speed,
    /// Which stages share a thread.
    pub topology: Topology,
    /// End after so many trading days; 0 plays all.
    #[serde(deserialize_with = "within::<0, 100_000, _, _>")]
    pub days: u32,
    /// After a start, events older than this many milliseconds update state and cause no intents.
    #[serde(deserialize_with = "within::<0, 86_400_000, _, _>")]
    pub catchup_ms: u64,
    /// Name of the `[product.NAME]` layer to apply; empty for none.
    pub product: String,
    /// Name of the `[timeframe.NAME]` layer to apply; empty for none.
    pub timeframe: String,
    /// Name of the `[account.NAME]` layer to apply; empty for none.
    pub account: String,
}

/// How the stages are laid out on threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// The edge, the signal stage and the order stage each on a thread, rings between them.
    Pipeline,
    /// Signal and order stage on one thread, no ring between them.
    Inline,
}

/// How fast market data is played: `"real"`, `"max"`, or a number of times real speed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speed {
    /// As it happened, on the clock.
    Real,
    /// Without waiting.
    Max,
    /// So many times as fast as it happened.
    Times(Ratio),
}

impl Serialize for Speed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Real => serializer.serialize_str("real"),
            Self::Max => serializer.serialize_str("max"),
            Self::Times(times) => times.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SpeedVisitor)
    }
}

struct SpeedVisitor;

impl SpeedVisitor {
    fn times<E: Error>(&self, raw: Option<i64>) -> Result<Speed, E> {
        match raw {
            Some(raw) if raw > 0 && raw <= 1_000_000 * SCALE => Ok(Speed::Times(Ratio::from_raw(raw))),
            _ => Err(E::custom("\"real\", \"max\", or how many times real speed: above 0, up to 1000000")),
        }
    }
}

impl Visitor<'_> for SpeedVisitor {
    type Value = Speed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"real\", \"max\", or how many times real speed")
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Speed, E> {
        self.times(number.checked_mul(SCALE))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Speed, E> {
        match text {
            "real" => Ok(Speed::Real),
            "max" => Ok(Speed::Max),
            _ => self.times(Price::parse(text).map(Price::raw)),
        }
    }
}
