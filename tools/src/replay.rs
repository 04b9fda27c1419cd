//! `shrike replay`: rebuilds both stages from a home's journals and prints what they hold; with `--verify` decides every
//! output again and compares it with the record, bit for bit.

mod compare;
mod rebuild;

use crate::config::Sources;
use crate::console;
use crate::error::{Error, Outcome};
use crate::home::HomeArgs;
use clap::{Args as ClapArgs, ValueEnum};
use shrike_config::tables::Tables;
use shrike_config::{Config, ConfigError};
use shrike_engine::order::OrderStage;
use shrike_engine::replay::{RunSpan, runs};
use shrike_engine::runtime::Quarantine;
use shrike_engine::signal::SignalStage;
use shrike_journal::Reader;
use std::path::{Path, PathBuf};

/// Rebuild both stages from the journals and print what they hold; with --verify, decide everything again.
///
/// --verify decides each run's outputs under the configuration that the run journaled, and compares them with the record
/// bit for bit. With --config-from last, --profile, --config or --set it decides all runs under that configuration
/// instead, and tells where decisions would differ; --set alone changes the last run's.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike replay --home H                                positions, funds and digests as the journals give them
  shrike replay --home H --verify                       zero differences, or each of them
  shrike replay --home H --verify --only order --show 50
  shrike replay --home H --verify --config-from last    where earlier runs would decide otherwise under the last one's
  shrike replay --home H --verify --set risk.max_net_lots=5
Exit codes: 0 no differences; 1 differences; 2 a journal or configuration cannot be opened.")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
    /// Decide every output again and compare.
    #[arg(long)]
    pub verify: bool,
    /// Only this stage.
    #[arg(long, value_enum)]
    pub only: Option<Only>,
    /// Use this run's configuration for all runs.
    #[arg(long, value_enum, conflicts_with_all = ["profile", "files"])]
    pub config_from: Option<ConfigFrom>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sources: Sources,
    /// How many differences to print of each stage.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub show: usize,
}

/// A stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Only {
    /// The signal stage.
    Signal,
    /// The order stage.
    Order,
}

/// A run to take the configuration from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ConfigFrom {
    /// The last one.
    Last,
}

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let journals = Journals::open(args)?;
    if args.verify {
        let report = compare::compare(args, &journals)?;
        console::print(&report, args.home.json)?;
        Ok(Outcome::found_if(report.differences > 0))
    } else {
        console::print(&rebuild::rebuild(args, &journals)?, args.home.json)?;
        Ok(Outcome::Clean)
    }
}

/// The journals to replay, with their runs, and how to build stages.
struct Journals {
    signal: Option<(PathBuf, Vec<RunSpan>)>,
    order: Option<(PathBuf, Vec<RunSpan>)>,
    tables: Tables,
    /// The configuration for all runs, when one is given.
    given: Option<String>,
    /// Events that the engine leaves out.
    set_aside: Quarantine,
}

impl Journals {
    fn open(args: &Args) -> Result<Self, Error> {
        let open = |name, only| -> Result<_, Error> {
            if args.only.is_some_and(|wanted| wanted != only) {
                return Ok(None);
            }
            let dir = args.home.journal(name)?;
            let runs = runs(Reader::open(&dir)?)?;
            if runs.is_empty() { Err(Error::NoRuns { dir }) } else { Ok(Some((dir, runs))) }
        };
        let (signal, order) = (open("signal", Only::Signal)?, open("order", Only::Order)?);
        let set_aside = args.home.quarantine()?;
        let mut journals = Self { signal, order, tables: Tables::builtin()?, given: None, set_aside };
        let sources = &args.sources;
        journals.given = if sources.profile.is_some() || !sources.files.is_empty() {
            Some(sources.load()?.text)
        } else if args.config_from.is_some() || !sources.overrides.is_empty() {
            Some(changed(&journals.last_config(), &sources.overrides)?)
        } else {
            None
        };
        Ok(journals)
    }

    /// The configuration of the last run.
    fn last_config(&self) -> String {
        let runs = self.order.as_ref().or(self.signal.as_ref()).map(|(_, runs)| runs);
        runs.and_then(|runs| runs.last()).map(|run| run.config.clone()).unwrap_or_default()
    }

    /// Fresh stages under a journaled configuration.
    fn stages(&self, config: &str) -> Result<(SignalStage, OrderStage), Error> {
        Ok(shrike_engine::setup::stages(&Config::from_text(config)?, &self.tables))
    }

    /// The journals that are there, by name.
    fn each(&self) -> impl Iterator<Item = (&'static str, &Path, &[RunSpan])> {
        let named = [("signal", &self.signal), ("order", &self.order)];
        named
            .into_iter()
            .filter_map(|(name, journal)| journal.as_ref().map(|(dir, runs)| (name, dir.as_path(), runs.as_slice())))
    }
}

/// A journaled configuration with some keys changed.
fn changed(text: &str, overrides: &[String]) -> Result<String, Error> {
    let invalid = |error: toml::de::Error| Error::Usage(format!("the journaled configuration is no TOML: {error}"));
    let mut table: toml::Table = text.parse().map_err(invalid)?;
    for text in overrides {
        let bad = || ConfigError::BadOverride { text: text.clone() };
        let (key, value) = text.split_once('=').ok_or_else(bad)?;
        // What is no TOML value is a word that lacks its quotes.
        let read = |value: &str| format!("{key} = {value}").parse::<toml::Table>();
        let change = read(value).or_else(|_| read(&format!("{value:?}"))).map_err(|_| bad())?;
        merge(&mut table, change);
    }
    let text = table.to_string();
    // An unknown key or a wrong value is told here, before anything is read.
    Config::from_text(&text)?;
    Ok(text)
}

fn merge(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}
