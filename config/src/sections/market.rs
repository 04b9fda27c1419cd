//! `[market]`, `[record]` and `[generator]`: where market data comes from, what its recorder watches, and the market that
//! is made up.

use crate::values::{Ratio, day, ratio, within};
use serde::{Deserialize, Serialize};
use shrike_core::units::TradingDay;
use std::path::PathBuf;

/// Where market data comes from.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Which source.
    pub kind: MarketKind,
    /// Directory or file of recordings; empty unless `kind` is `recorded`.
    pub data: PathBuf,
    /// Home of the `shrike record` process to follow; empty unless `kind` is `journal`. Not journaled.
    #[serde(skip_serializing)]
    pub follow: PathBuf,
    /// Globs of symbols to take (`rb*`, `IF2406`); none takes all.
    pub instruments: Vec<String>,
}

/// A source of market data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarketKind {
    /// A CTP counter, which is the venue too: `[ctp]` and `[login]`.
    Ctp,
    /// Files of `data`.
    Recorded,
    /// The seeded generator.
    Generated,
    /// The journal of a `shrike exchange` process, whose home is `exchange.home`.
    Exchange,
    /// The journal of a `shrike record` process, whose home is `market.follow`.
    Journal,
}

/// What the recorder of market data calls a gap, and which opening values it trusts.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// A contract that is silent for longer within continuous trading has a gap, in milliseconds.
    #[serde(deserialize_with = "within::<100, 86_400_000, _, _>")]
    pub gap_ms: u64,
    /// A minute's opening value is its first snapshot's when that came within so many milliseconds of the minute's
    /// start; else it is the closing value of the minute before.
    #[serde(deserialize_with = "within::<1, 60_000, _, _>")]
    pub open_within_ms: u64,
}

/// The generated market.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// Added to `run.seed`: another market under the same run.
    #[serde(deserialize_with = "within::<0, { i64::MAX }, _, _>")]
    pub seed_offset: u64,
    /// First trading day.
    #[serde(with = "day")]
    pub first_day: TradingDay,
    /// Trading days made.
    #[serde(deserialize_with = "within::<1, 10_000, _, _>")]
    pub days: u32,
    /// Products of the instrument tables, by name.
    pub products: Vec<String>,
    /// Option boards, by index: `SSE50`, `CSI300`. Each has the index, its ETF, its futures and every option on both.
    pub boards: Vec<String>,
    /// Milliseconds between two snapshots of a contract.
    #[serde(deserialize_with = "within::<1, 60_000, _, _>")]
    pub snapshot_ms: u32,
    /// Standard deviation of a year's log return.
    #[serde(deserialize_with = "ratio::<0, 2, _>")]
    pub annual_vol: Ratio,
    /// Mean number of jumps a day and contract.
    #[serde(deserialize_with = "within::<0, 1_000, _, _>")]
    pub jumps_per_day: u32,
    /// Chance that a contract runs to its upper price limit on a day; kept in thousandths.
    #[serde(deserialize_with = "ratio::<0, 1, _>")]
    pub limit_up_chance: Ratio,
    /// Chance that a contract runs to its lower price limit on a day; kept in thousandths.
    #[serde(deserialize_with = "ratio::<0, 1, _>")]
    pub limit_down_chance: Ratio,
    /// Chance that a contract is halted by a circuit breaker on a day.
    #[serde(deserialize_with = "ratio::<0, 1, _>")]
    pub circuit_breaker_chance: Ratio,
}
