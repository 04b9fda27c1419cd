//! `[ctp]`: a counter that is reached through CTP's libraries. Names and secrets are in `[login]`.

use crate::values::{Ratio, core_id, ratio, within};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The libraries, the fronts, and the patience of a session with them.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ctp {
    /// The market-data library.
    pub md_library: PathBuf,
    /// The trader library.
    pub trader_library: PathBuf,
    /// Addresses of the market-data fronts (`tcp://HOST:PORT`).
    pub md_fronts: Vec<String>,
    /// Addresses of the trading fronts.
    pub trader_fronts: Vec<String>,
    /// The version that the libraries must state (`6.7.13`); empty takes any that is supported.
    pub version: String,
    /// Directory of the libraries' flow files; empty is `ctp` in the home. Not journaled.
    #[serde(skip_serializing)]
    pub flow_dir: PathBuf,
    /// The terminal's name at the broker.
    pub app_id: String,
    /// What the program calls itself.
    pub product_info: String,
    /// Whether the front is a production one; an evaluation front needs false. Libraries before 6.7.11 know no difference.
    pub production: bool,
    /// Globs of symbols to subscribe and to define; none takes `market.instruments`.
    pub subscribe: Vec<String>,
    /// Milliseconds between two queries.
    #[serde(deserialize_with = "within::<0, 60_000, _, _>")]
    pub query_spacing_ms: u32,
    /// Milliseconds until an unanswered query is sent again.
    #[serde(deserialize_with = "within::<100, 600_000, _, _>")]
    pub query_timeout_ms: u32,
    /// Milliseconds until a connection, or a step of the login, is given up.
    #[serde(deserialize_with = "within::<100, 600_000, _, _>")]
    pub connect_timeout_ms: u32,
    /// Milliseconds before the first further try; doubles with each failure.
    #[serde(deserialize_with = "within::<1, 600_000, _, _>")]
    pub backoff_min_ms: u32,
    /// Most milliseconds between two tries.
    #[serde(deserialize_with = "within::<1, 3_600_000, _, _>")]
    pub backoff_max_ms: u32,
    /// Logins with a refused password before none is tried again.
    #[serde(deserialize_with = "within::<1, 4, _, _>")]
    pub password_attempts_max: u32,
    /// Minutes before a session's first auction at which the connection is made anew; 0 never does.
    #[serde(deserialize_with = "within::<0, 120, _, _>")]
    pub restart_before_min: u32,
    /// Milliseconds between two background queries of rates.
    #[serde(deserialize_with = "within::<0, 600_000, _, _>")]
    pub rates_spacing_ms: u32,
    /// Margin where none is known: ratio of the value.
    #[serde(deserialize_with = "ratio::<0, 1, _>")]
    pub margin_fallback: Ratio,
    /// Fee of each lot opened or closed where none is known: ratio of the value.
    #[serde(deserialize_with = "ratio::<0, 1, _>")]
    pub fee_fallback: Ratio,
    /// Milliseconds that the exchange's clock may differ from ours at the login.
    #[serde(deserialize_with = "within::<1, 86_400_000, _, _>")]
    pub clock_offset_max_ms: u32,
    /// Core of the market-data library's callback thread.
    #[serde(with = "core_id")]
    pub md_core: Option<usize>,
    /// Core of the trader library's callback thread.
    #[serde(with = "core_id")]
    pub trader_core: Option<usize>,
}
