//! `shrike config`: the configuration that the layers add up to, each value with the place it was set.

use crate::console;
use crate::error::{Error, Outcome};
use clap::Args as ClapArgs;
use serde::Serialize;
use shrike_config::{Config, Loaded, Source};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

// No doc comment: clap would take it for the help of the command.
#[allow(missing_docs)]
#[derive(ClapArgs, Clone, Default, Debug)]
pub struct Sources {
    /// A built-in profile: demo, paper, backtest or tuned.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// A file of settings, over the profile; more than one: each over the one before.
    #[arg(long = "config", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// One setting, over everything else, such as risk.max_net_lots=5.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl Sources {
    /// Merges base, profile, files, the environment and the overrides.
    ///
    /// # Errors
    /// Any [`shrike_config::ConfigError`].
    pub fn load(&self) -> Result<Loaded, Error> {
        let source = Source {
            profile: self.profile.clone(),
            files: self.files.clone(),
            env: Source::environment(),
            overrides: self.overrides.clone(),
        };
        Ok(Config::load(&source)?)
    }
}

/// Print the configuration that profile, files, SHRIKE_* variables and --set add up to, and where each value was set.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike config --profile paper                      what `shrike run --profile paper` would use
  shrike config --profile paper --config limits.toml --set risk.max_net_lots=5
  shrike config --reference                          every key with its default, unit and meaning")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sources: Sources,
    /// Print every key with its default, unit and meaning instead.
    #[arg(long)]
    pub reference: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// One value of the merged configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// The key, from the top.
    pub key: String,
    /// The value, as TOML.
    pub value: String,
    /// Where it was set.
    pub origin: String,
}

/// The merged configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Merged {
    /// The hash that journals hold.
    pub hash: String,
    /// The values by key.
    pub settings: Vec<Setting>,
}

impl Merged {
    /// What was loaded, with origins.
    ///
    /// # Errors
    /// When the merged text is no TOML, which it is.
    pub fn of(loaded: &Loaded) -> Result<Self, Error> {
        let origin = |key: &str| {
            // The leaves of a list or table that was set as one have its origin.
            let own = loaded.origins.iter().find(|(set, _)| key == *set || key.starts_with(&format!("{set}.")));
            own.map_or_else(|| "default".to_owned(), |(_, origin)| origin.to_string())
        };
        let setting = |change: shrike_config::Change| {
            let origin = origin(&change.key);
            change.new.map(|value| Setting { key: change.key, value, origin })
        };
        let settings = shrike_config::diff("", &loaded.text)?.into_iter().filter_map(setting).collect();
        Ok(Self { hash: format!("{:016x}", loaded.hash), settings })
    }
}

impl fmt::Display for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# hash {}; homes and secrets are not part of what is journaled", self.hash)?;
        for Setting { key, value, origin } in &self.settings {
            writeln!(f, "{:<60} # {origin}", format!("{key} = {value}"))?;
        }
        Ok(())
    }
}

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    if args.reference {
        let mut out = console::stdout();
        out.write_all(Config::reference().as_bytes())?;
        out.flush()?;
    } else {
        console::print(&Merged::of(&args.sources.load()?)?, args.json)?;
    }
    Ok(Outcome::Clean)
}
