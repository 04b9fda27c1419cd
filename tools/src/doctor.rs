//! `shrike doctor`: looks at what a run would need, one line each: ok, or what to do. Changes nothing but what a run would
//! make too (directories), and sends a password once at most.

mod ctp;
mod host;
mod session;

use crate::config::Sources;
use crate::console;
use crate::error::{Error, Outcome};
use clap::{Args as ClapArgs, Subcommand};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// Check what a run would need; each line is ok, or says what to do.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike doctor ctp --config desk.toml
  shrike doctor ctp --config desk.toml --no-login            nothing is sent to the counter
  shrike doctor ctp --config desk.toml --contract rb2410     waits for a snapshot of this contract
  shrike doctor host --profile tuned                         cores, memory, time and disk; needs no privilege
Exit codes: 0 all is well; 1 something is to be mended; 2 the configuration cannot be read.")]
pub struct Args {
    /// What to check.
    #[command(subcommand)]
    pub subject: Subject,
}

/// What can be checked.
#[derive(Subcommand, Clone, Debug)]
pub enum Subject {
    /// The way to a CTP counter: secrets, libraries, locale, flow directories, fronts, login, first snapshot.
    Ctp(CtpArgs),
    /// The host: what its cores, interrupts, memory, clocks and disks cost a run, measured where that is possible.
    Host(host::HostArgs),
}

/// The arguments of `shrike doctor ctp`.
#[derive(ClapArgs, Clone, Debug)]
pub struct CtpArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sources: Sources,
    /// The home of the run: flow directories are in it unless ctp.flow_dir says otherwise.
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Stops before the login.
    #[arg(long)]
    pub no_login: bool,
    /// The contract whose first snapshot is waited for; else the first symbol without a `*` in ctp.subscribe or
    /// market.instruments.
    #[arg(long, value_name = "SYMBOL")]
    pub contract: Option<String>,
    /// How long to wait for a connection to a front, and for a snapshot.
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    pub timeout_ms: u64,
    /// Prints JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the configuration cannot be read.
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let clean = match &args.subject {
        Subject::Ctp(args) => {
            let findings = examine(args)?;
            console::print(&findings, args.json)?;
            findings.clean
        }
        Subject::Host(args) => {
            let report = host::examine(args)?;
            console::print(&report, args.json)?;
            report.findings.clean
        }
    };
    Ok(Outcome::found_if(!clean))
}

/// Looks at the way to a CTP counter.
///
/// # Errors
/// When the configuration cannot be read.
pub fn examine(args: &CtpArgs) -> Result<Findings, Error> {
    ctp::examine(args)
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// To be mended.
    Mend,
    /// Not looked at, because of what stands before it or of an argument.
    Skip,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What it costs as it is, where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub costs: String,
    /// What to do; empty unless it is to be mended.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// All checks, in their order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// The checks.
    pub checks: Vec<Check>,
    /// Whether nothing is to be mended.
    pub clean: bool,
}

impl Findings {
    fn new() -> Self {
        Self { checks: Vec::new(), clean: true }
    }

    fn ok(&mut self, name: impl Into<String>, found: impl Into<String>) {
        self.push(name.into(), State::Ok, found.into());
    }

    fn skip(&mut self, name: impl Into<String>, found: impl Into<String>) {
        self.push(name.into(), State::Skip, found.into());
    }

    fn mend(&mut self, name: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) {
        self.costs(name, found, "", remedy);
    }

    /// As [`Self::mend`], with what it costs until then.
    fn costs(
        &mut self,
        name: impl Into<String>,
        found: impl Into<String>,
        costs: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.clean = false;
        let (name, found, costs, remedy) = (name.into(), found.into(), costs.into(), remedy.into());
        self.checks.push(Check { name, state: State::Mend, found, costs, remedy });
    }

    fn push(&mut self, name: String, state: State, found: String) {
        self.checks.push(Check { name, state, found, costs: String::new(), remedy: String::new() });
    }

    /// Whether the checks with this beginning of their names are all well.
    fn are_well(&self, name: &str) -> bool {
        self.checks.iter().filter(|check| check.name.starts_with(name)).all(|check| check.state != State::Mend)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, state, found, costs, remedy } in &self.checks {
            let word = match state {
                State::Ok => "ok",
                State::Mend => "MEND",
                State::Skip => "skip",
            };
            writeln!(f, "{word:<5} {name}: {found}")?;
            if !costs.is_empty() {
                writeln!(f, "      costs: {costs}")?;
            }
            if !remedy.is_empty() {
                writeln!(f, "      do: {remedy}")?;
            }
        }
        Ok(())
    }
}
