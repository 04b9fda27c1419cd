//! The whole configuration as types, and its journaled text.

use crate::error::ConfigError;
use crate::profiles;
use crate::read;
use crate::sections::ctp::Ctp;
use crate::sections::exchange::Exchange;
use crate::sections::host::{Journal, Rings, Threads};
use crate::sections::login::Login;
use crate::sections::market::{Generator, Market, Record};
use crate::sections::orders::Orders;
use crate::sections::reconcile::Reconcile;
use crate::sections::risk::Risk;
use crate::sections::run::Run;
use crate::sections::strategy::Strategy;
use crate::tree::{self, Origin, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that can be configured; secrets are beside it, in [`crate::Secrets`]. Every key has a default in the
/// base layer, strategies aside.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the run does.
    pub run: Run,
    /// Where market data comes from.
    pub market: Market,
    /// What the recorder of market data watches.
    pub record: Record,
    /// The market that is made up.
    pub generator: Generator,
    /// The simulated exchange.
    pub exchange: Exchange,
    /// Who we are at the venue.
    pub login: Login,
    /// A counter reached through CTP's libraries.
    pub ctp: Ctp,
    /// Cores and waiting.
    pub threads: Threads,
    /// Capacities between threads.
    pub rings: Rings,
    /// How journals are written.
    pub journal: Journal,
    /// Limits of the pre-trade gate.
    pub risk: Risk,
    /// Times and policies of orders.
    pub orders: Orders,
    /// Comparing the venue's books with ours.
    pub reconcile: Reconcile,
    /// Strategies by name; their order is that of the names.
    #[serde(default)]
    pub strategy: BTreeMap<String, Strategy>,
}

impl Config {
    /// Reads a journaled text back. Keys that a newer version added take the base layer's value, and so do the
    /// directories that are not journaled.
    ///
    /// # Errors
    /// As for a file; the place is `journaled configuration:LINE`.
    pub fn from_text(text: &str) -> Result<Self, ConfigError> {
        let source = "journaled configuration";
        let mut merged = profiles::base()?;
        let known = profiles::base_keys(&merged);
        tree::merge(&mut merged, tree::parse(source, text)?);
        Self::read(&merged, &known)
    }

    /// The strategies that run, by name.
    pub fn strategies(&self) -> impl Iterator<Item = (&str, &Strategy)> {
        self.strategy.iter().filter(|(_, strategy)| strategy.enabled).map(|(name, strategy)| (name.as_str(), strategy))
    }

    /// Every key with its unit, meaning and default: the base layer, which is TOML with comments.
    pub const fn reference() -> &'static str {
        profiles::BASE
    }

    pub(crate) fn to_text(&self) -> Result<String, ConfigError> {
        let origin = Origin::of("configuration");
        toml::to_string(self).map_err(|error| ConfigError::Syntax { origin, message: error.to_string() })
    }

    pub(crate) fn read(table: &Table, known: &[String]) -> Result<Self, ConfigError> {
        read::read(table, &Origin::of("configuration"), known)
    }
}
