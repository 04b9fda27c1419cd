//! `shrike summary`: what the runs of a home did, by trading day, by strategy and in total, with latencies. One pass over
//! each journal; [`of_home`] gives the same to `shrike run` at its end.

mod money;
mod order;
mod signal;
mod table;

use crate::books::Books;
use crate::console;
use crate::error::{Error, Outcome};
use crate::home::HomeArgs;
use crate::paths::LatencyRow;
use clap::Args as ClapArgs;
use money::Result as DayResult;
use serde::Serialize;
use shrike_config::Ratio;
use shrike_core::units::{Lots, Money, TradingDay};
use shrike_journal::ReadError;
use std::collections::BTreeMap;
use std::path::Path;

/// Print what the runs of a home did: orders, fills, refusals, profit by trading day and strategy, and latencies.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike summary --home H
  shrike summary --home H --json | jq '.days[] | {trading_day, fills, equity: .result.equity_change}'
Exit codes: 0 told; 2 there is no such home, or a journal cannot be read.")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
}

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> std::result::Result<Outcome, Error> {
    args.home.check()?;
    console::print(&of_home(&args.home.home)?, args.home.json)?;
    Ok(Outcome::Clean)
}

/// What the runs of a home did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them ended in order; the last may still go on.
    pub ended: u64,
    /// Whether times are the simulation's, of all runs, of some or of none.
    pub simulated: Simulated,
    /// How many times as fast as it happened the last run went, when it was not at real speed: its latencies are in
    /// recorded time, so many times longer than the machine's.
    #[serde(serialize_with = "times_or_null")]
    pub times: Option<Ratio>,
    /// By trading day.
    pub days: Vec<Day>,
    /// All days.
    pub total: Day,
    /// By strategy; number zero is the engine and the operator.
    pub strategies: Vec<Strategy>,
    /// Alarms raised, by kind.
    pub alarms: BTreeMap<&'static str, u64>,
    /// Differences with the venue's books.
    pub differences: u64,
    /// What is held at the end.
    pub books: Books,
    /// Latencies by path.
    pub latencies: Vec<LatencyRow>,
    /// Records read: the signal journal's, the order journal's.
    pub records: [u64; 2],
}

/// Whether times are the simulation's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Simulated {
    /// Of every run: latencies are the model's, not the machine's.
    All,
    /// Of some runs.
    Some,
    /// Of no run.
    None,
}

/// What happened on one trading day.
#[derive(Clone, Default, Debug, Serialize)]
pub struct Day {
    /// The day; null for the total.
    #[serde(serialize_with = "day_or_null")]
    pub trading_day: TradingDay,
    /// Market snapshots and trades taken.
    pub ticks: u64,
    /// Intents that strategies stated.
    pub intents: u64,
    /// Requests, fills and refusals.
    #[serde(flatten)]
    pub counts: Counts,
    /// The account's result; null where the order journal ends before the day's login.
    pub result: Option<DayResult>,
}

/// Requests and what became of them.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Counts {
    /// Orders sent.
    pub orders: u64,
    /// Cancels sent.
    pub cancels: u64,
    /// Fills booked, each once.
    pub fills: u64,
    /// Lots of those fills.
    pub lots: i64,
    /// Orders that the venue rejected.
    pub rejects: u64,
    /// Cancels that the venue rejected.
    pub cancel_rejects: u64,
    /// Refusals of our own gate, by reason.
    pub refusals: BTreeMap<&'static str, u64>,
}

/// What one strategy did.
#[derive(Clone, Debug, Serialize)]
pub struct Strategy {
    /// Its number.
    pub strategy: u32,
    /// Its name in the last run's configuration; empty when it is not there.
    pub name: String,
    /// Intents it stated.
    pub intents: u64,
    /// Requests, fills and refusals.
    #[serde(flatten)]
    pub counts: Counts,
    /// Net lots at the end, by symbol.
    #[serde(serialize_with = "lots_by_symbol")]
    pub positions: Vec<(String, Lots)>,
    /// Result of its fills, its lots at the end at their last price, before fees; null when a price is not known.
    #[serde(serialize_with = "console::exact")]
    pub gross: Money,
}

fn day_or_null<S: serde::Serializer>(day: &TradingDay, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    console::exact(day, serializer)
}

fn times_or_null<S: serde::Serializer>(times: &Option<Ratio>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    console::exact(&times.map_or_else(|| "-".to_owned(), |times| times.to_string()), serializer)
}

fn lots_by_symbol<S: serde::Serializer>(
    positions: &[(String, Lots)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(positions.iter().map(|(symbol, lots)| (symbol, lots.get())))
}

/// The summary of a home's journals; a journal that does not exist counts as empty.
///
/// # Errors
/// When a journal cannot be read.
pub fn of_home(home: &Path) -> std::result::Result<Summary, ReadError> {
    let signal = signal::Fold::of(home)?;
    let order = order::Fold::of(home, &signal.intent_times)?;
    Ok(join(signal, order))
}

fn join(signal: signal::Fold, order: order::Fold) -> Summary {
    let mut days = order.days;
    for (day, (ticks, intents)) in &signal.days {
        let row = days.entry(*day).or_insert_with(|| Day { trading_day: *day, ..Day::default() });
        row.ticks += ticks;
        row.intents += intents;
    }
    // What happened before the first login of a home belongs to no day, and most often is nothing.
    days.retain(|day, row| !day.is_absent() || row.ticks + row.intents + row.counts.orders > 0);
    let mut total = Day::default();
    for day in days.values() {
        total.ticks += day.ticks;
        total.intents += day.intents;
        total.counts.add(&day.counts);
        if let Some(result) = &day.result {
            total.result.get_or_insert_default().add(result);
        }
    }
    let mut strategies = order.strategies;
    for (number, intents) in signal.strategies {
        strategies.entry(number).or_default().intents += intents;
    }
    let strategies = strategies.into_iter().map(|(number, row)| row.told(number, &order.names, &order.ledger));
    let mut latencies = Vec::new();
    latencies.extend(LatencyRow::of("tick received -> taken by signal", &signal.tick_taken));
    latencies.extend(order.paths.rows());
    Summary {
        runs: order.runs.max(signal.runs),
        ended: order.ended,
        simulated: match order.simulated {
            0 => Simulated::None,
            simulated if simulated == order.runs => Simulated::All,
            _ => Simulated::Some,
        },
        times: order.times,
        total,
        days: days.into_values().collect(),
        strategies: strategies.collect(),
        alarms: order.alarms,
        differences: order.differences,
        books: Books::of(&order.ledger),
        latencies,
        records: [signal.records, order.records],
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.cancels += other.cancels;
        self.fills += other.fills;
        self.lots += other.lots;
        self.rejects += other.rejects;
        self.cancel_rejects += other.cancel_rejects;
        for (reason, count) in &other.refusals {
            *self.refusals.entry(reason).or_default() += count;
        }
    }

    /// All refusals.
    pub fn refused(&self) -> u64 {
        self.refusals.values().sum()
    }
}
