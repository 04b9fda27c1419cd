//! `shrike bench`: what the engine costs on this host, each row beside its budget and the floor of the same run; as a
//! table, as JSON, as a page with a curve for each row. The rows are `tools/bench`.

mod record;

use crate::compose::{self, Counter};
use crate::error::{Error, Outcome};
use clap::Args as ClapArgs;
use serde::Serialize;
use shrike_bench::run::{Measured, Plan, Run as Measurement, measure};
use shrike_bench::table::{self, Verdict};
use shrike_bench::{Budget, Figures, Outcome as Measure, Row, plot};
use shrike_config::Loaded;
use shrike_config::tables::Tables;
use shrike_core::clock::SimTime;
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, Run};
use shrike_engine::setup;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Measure what the engine costs on this host: rings, journals, stages, tick to order, replay, recovery.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike bench                            the table: one to two minutes
  shrike bench --row 'tick to order'      the floor, and rows whose names contain this
  shrike bench --check                    exit code 1 when a row is over its budget
  shrike bench --plot bench.html --json > bench.json
Exit codes: 0 measured; 1 with --check, a row is over its budget; 2 a file cannot be written.")]
pub struct Args {
    /// Only rows whose names contain this; the floor comes along.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub row: String,
    /// A thousandth of the work: does it run? Not figures to quote.
    #[arg(long)]
    pub short: bool,
    /// Exit code 1 when a row is over its budget.
    #[arg(long)]
    pub check: bool,
    /// One JSON value instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Also write a page with every row's distribution.
    #[arg(long, value_name = "FILE.html")]
    pub plot: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the page or the output cannot be written.
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let plan = Plan { short: args.short, wanted: args.row.clone(), no_floor: false, backtest, more: rows };
    // Rows come one by one, seconds apart: each is shown when it is done.
    let run = measure(&plan, &mut |host| say(args.json, &format!("{host}\n{}", table::HEADING)), &mut |row| {
        say(args.json, &table::line(&row.row, &row.outcome, row.beside))
    });
    if let Some(told) = run.floors_told() {
        say(args.json, &told);
    }
    if args.json {
        crate::console::json(&Report::of(&run))?;
    }
    if let Some(file) = &args.plot {
        std::fs::write(file, plot::page(&run)).map_err(|source| Error::File { file: file.clone(), source })?;
    }
    Ok(Outcome::found_if(args.check && run.over().next().is_some()))
}

fn say(json: bool, line: &str) {
    if !json {
        println!("{line}");
    }
}

/// A run, for programs.
#[derive(Serialize)]
struct Report<'a> {
    host: &'a str,
    /// Core-to-core floor, one way, nanoseconds.
    floor_ns_before: Option<f64>,
    floor_ns_after: Option<f64>,
    floor_moved: bool,
    rows: Vec<ReportRow<'a>>,
}

#[derive(Serialize)]
struct ReportRow<'a> {
    row: &'static str,
    budget: String,
    /// pass, over, null: nothing to judge.
    verdict: Option<&'static str>,
    /// How many times the budget, when it is over.
    times_budget: Option<f64>,
    /// Nanoseconds.
    ns: Option<&'a Figures>,
    millions_per_second: Option<f64>,
    /// What was done, or why there is nothing.
    note: Option<&'a str>,
}

impl<'a> Report<'a> {
    fn of(run: &'a Measurement) -> Self {
        Self {
            host: &run.host,
            floor_ns_before: run.floors.map(|(before, _)| before),
            floor_ns_after: run.floors.map(|(_, after)| after),
            floor_moved: run.floor_moved(),
            rows: run.rows.iter().map(ReportRow::of).collect(),
        }
    }
}

impl<'a> ReportRow<'a> {
    fn of(measured: &'a Measured) -> Self {
        let (ns, rate, note) = match &measured.outcome {
            Measure::Measured(figures) => (Some(figures), None, figures.note.as_deref()),
            Measure::Unjudged(figures, why) => (Some(figures), None, Some(why.as_str())),
            Measure::Rate(rate, note) => (None, Some(*rate), Some(note.as_str())),
            Measure::Absent(why) => (None, None, Some(why.as_str())),
        };
        let (verdict, times_budget) = match measured.verdict() {
            Verdict::None => (None, None),
            Verdict::Pass => (Some("pass"), None),
            Verdict::Over(times) => (Some("over"), Some(times)),
        };
        let budget = table::budget(measured.row.budget);
        Self { row: measured.row.name, budget, verdict, times_budget, ns, millions_per_second: rate, note }
    }
}

/// The rows that need more than the engine.
pub fn rows() -> Vec<Row> {
    let (name, measure) = ("record, generated market", record::generated);
    vec![Row { name, budget: Budget::MillionsPerSecond(0.1), measure }]
}

/// Runs a configuration of simulated time to the end of its market, quietly.
///
/// # Errors
/// What went wrong, in words.
pub fn backtest(loaded: &Loaded, tables: &Tables) -> Result<(), String> {
    let mut feed = compose::market(&loaded.config, tables).map_err(|error| error.to_string())?;
    backtest_over(loaded, tables, &mut feed)
}

/// [`backtest`] over a market of the caller's.
///
/// # Errors
/// What went wrong, in words.
pub fn backtest_over(loaded: &Loaded, tables: &Tables, feed: &mut dyn MarketFeed) -> Result<(), String> {
    let config = &loaded.config;
    let mut gateway = Counter::new(config, tables);
    let options = setup::engine_options(loaded, true, "bench");
    let engine = Engine::open(&config.run.home, || setup::stages(config, tables), options);
    let engine = engine.map_err(|error| error.to_string())?;
    let start = match (feed.next(), gateway.next()) {
        (Next::At(tick), Next::At(report)) => tick.min(report),
        (Next::At(at), _) | (_, Next::At(at)) => at,
        _ => return Err(String::from("the market is empty")),
    };
    let ran = engine.run(Run {
        feed,
        gateway: &mut gateway,
        pace: Pace::Max(Arc::new(SimTime::new(start))),
        told: &AtomicBool::new(false),
        commands: None,
        catchup_before: Nanos::ABSENT,
        days: config.run.days,
        progress: &mut |_, _| {},
        say: &mut |_| {},
        config_text: &loaded.text,
    });
    ran.map(|_| ()).map_err(|error| error.to_string())
}
