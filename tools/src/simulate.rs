//! `shrike simulate`: the engine's real stages and journals under every fault, against the simulated exchange, seed by
//! seed. Reads the command line and prints; the simulator is `tools/simulate`.

use crate::BUILD;
use crate::error::{Error, Outcome};
use clap::{ArgGroup, Args as ClapArgs};
use shrike_simulate::campaign::{Campaign, Report};
use shrike_simulate::fault::{Fault, Faults};
use shrike_simulate::{Plan, shrink, simulate};
use std::io::IsTerminal;
use std::ops::RangeInclusive;
use std::time::Instant;

/// Run the engine against a simulated venue under every fault, and check what must always hold.
///
/// Each seed is a run of its own: lives of the engine one after the other, killed at any event and started again from what
/// survived, while the market, the counter, the wire, the disk, the clock, a person and the operator do their worst. A rule
/// that is broken is printed with its seed and the shortest history that still breaks it.
#[derive(ClapArgs, Clone, Debug)]
#[command(group(ArgGroup::new("which").args(["seeds", "seed"])), after_help = "\
Examples:
  shrike simulate --seeds 1..100                    a hundred seeds on one thread, and the table of what was tested
  shrike simulate --seeds 1..20000 --jobs 8         a campaign
  shrike simulate --seed 42 --trace                 one seed, step by step
  shrike simulate --seeds 1..50 --faults disconnect,kill,host-crash
  shrike simulate --bugs --seeds 1..500             which rule each planted mistake breaks (a build with --features seeded-bugs)")]
pub struct Args {
    /// The seeds, first and last: 1..100.
    #[arg(long, value_parser = seeds, default_value = "1..100")]
    seeds: RangeInclusive<u64>,
    /// One seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Simulated minutes of each seed; whole trading days, at least one.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Only these faults, by name, with commas between.
    #[arg(long, value_delimiter = ',', value_parser = fault)]
    faults: Vec<Fault>,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Print the history of the seed, step by step.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Do not make a failure small.
    #[arg(long)]
    no_shrink: bool,
    /// Plant mistakes one after the other, these or all, and print what finds each.
    #[cfg(feature = "seeded-bugs")]
    #[arg(long, value_delimiter = ',', num_args = 0.., value_parser = bug, conflicts_with = "bug")]
    bugs: Option<Vec<shrike_core::seeded::Bug>>,
    /// Plant this mistake.
    #[cfg(feature = "seeded-bugs")]
    #[arg(long, value_parser = bug)]
    bug: Option<shrike_core::seeded::Bug>,
}

/// How many runs a failure is made small with.
const SHRINK_TRIES: u32 = 400;

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wanted = "expected two numbers with two dots between, as in 1..100";
    let (first, last) = text.split_once("..").ok_or(wanted)?;
    match (first.parse(), last.trim_start_matches('=').parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err(wanted.into()),
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    let names = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
    Fault::parse(name).ok_or_else(|| format!("no such fault; there are {}", names()))
}

#[cfg(feature = "seeded-bugs")]
fn bug(name: &str) -> Result<shrike_core::seeded::Bug, String> {
    use shrike_core::seeded::Bug;
    let names = || Bug::ALL.iter().map(|bug| bug.name()).collect::<Vec<_>>().join(", ");
    Bug::of(name).ok_or_else(|| format!("no such mistake; there are {}", names()))
}

/// Runs the command.
///
/// # Errors
/// None: what is found is an outcome.
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let mut faults = Faults::all();
    if !args.faults.is_empty() {
        faults.kinds = args.faults.iter().copied().collect();
    }
    #[cfg(feature = "seeded-bugs")]
    if let Some(named) = &args.bugs {
        return Ok(bugs(args, named, faults));
    }
    #[cfg(feature = "seeded-bugs")]
    shrike_core::seeded::plant(args.bug);
    match args.seed {
        Some(seed) => Ok(one(args, seed, faults)),
        None => Ok(many(args, faults)),
    }
}

/// One seed, with its history where it is wanted.
fn one(args: &Args, seed: u64, faults: Faults) -> Outcome {
    let plan = Plan { seed, days: Plan::days_of(seed, args.minutes), faults, trace: args.trace, lie: None };
    let outcome = simulate(&plan);
    print!("{}", outcome.trace);
    println!("seed {seed}, {BUILD}: {} orders, {} lives, {} crashes", outcome.orders, outcome.lives, outcome.crashes);
    match outcome.failure {
        Some(failure) => {
            println!("{failure}");
            if !args.no_shrink && !args.trace {
                make_small(&plan, failure.rule);
            }
            Outcome::Found
        }
        None => Outcome::Clean,
    }
}

/// Many seeds, and the table.
fn many(args: &Args, faults: Faults) -> Outcome {
    let campaign = campaign(args, faults, 10);
    let begun = Instant::now();
    let shows = std::io::stderr().is_terminal();
    let report = campaign.run(&mut |so_far| {
        if shows && so_far.runs.is_multiple_of(16) {
            eprint!("\r{} seeds, {} orders, {} crashes", so_far.runs, so_far.orders, so_far.crashes);
        }
    });
    if shows {
        eprintln!();
    }
    tell(&report, begun.elapsed().as_secs_f64(), campaign.jobs);
    let Some((seed, failure)) = report.failures.first() else { return Outcome::Clean };
    for (seed, failure) in &report.failures {
        println!("seed {seed}, {BUILD}: {failure}");
    }
    if !args.no_shrink && failure.life > 0 {
        let plan = Plan {
            seed: *seed,
            days: Plan::days_of(*seed, args.minutes),
            faults: campaign.faults.clone(),
            trace: false,
            lie: None,
        };
        make_small(&plan, failure.rule);
    }
    Outcome::Found
}

fn campaign(args: &Args, faults: Faults, failures_max: usize) -> Campaign {
    Campaign { seeds: args.seeds.clone(), minutes: args.minutes, faults, jobs: args.jobs, failures_max }
}

fn tell(report: &Report, seconds: f64, jobs: usize) {
    println!("{}", report.table());
    println!(
        "{} seeds, {} orders, {} crashes, {} lives, {} starts from a snapshot, {} failures",
        report.runs,
        report.orders,
        report.crashes,
        report.lives,
        report.snapshots,
        report.failures.len()
    );
    let ((strokes, fault), (met, cell_fault, state)) = report.least();
    println!("least: {fault} {strokes} times; {cell_fault} x {state} {met} times");
    let rate = report.orders as f64 / seconds;
    println!("{seconds:.1} s on {jobs} threads: {rate:.0} orders/s, {:.0} a thread", rate / jobs.max(1) as f64);
}

/// Prints the shortest history that is found to break the rule.
fn make_small(plan: &Plan, rule: &str) {
    println!("\nmaking it small ...");
    let (small, _) = shrink(plan, rule, SHRINK_TRIES);
    let outcome = simulate(&Plan { trace: true, ..small.clone() });
    println!("{}", outcome.trace);
    let kinds: Vec<&str> = small.faults.kinds.iter().map(|fault| fault.name()).collect();
    println!("seed {}, {BUILD}: {} trading days, faults {}", small.seed, small.days, kinds.join(","));
    let strokes = small.faults.only.map_or(outcome.struck.len(), |only| only.len());
    println!("{strokes} strokes of faults, the last of them above");
    if let Some(failure) = outcome.failure {
        println!("{failure}");
    }
}

/// Plants each mistake that is named, or every one. A seed that breaks a rule without any would find them all.
#[cfg(feature = "seeded-bugs")]
fn bugs(args: &Args, named: &[shrike_core::seeded::Bug], faults: Faults) -> Outcome {
    use shrike_core::seeded::Bug;
    let wanted = if named.is_empty() { Bug::ALL } else { named };
    let campaign = campaign(args, faults, 1);
    if let Some((seed, failure)) = campaign.run(&mut |_| {}).failures.first() {
        println!("seed {seed} breaks a rule without a mistake being planted: {failure}");
        return Outcome::Found;
    }
    println!("{:<26} {:>6}  found by", "mistake", "seeds");
    let found = shrike_simulate::bugs::hunt(wanted, &campaign, &mut |found| match &found.rule {
        Some((rule, what)) => println!("{:<26} {:>6}  {rule}: {what}", found.bug.name(), found.seeds),
        None => println!("{:<26} {:>6}  NOT FOUND: {}", found.bug.name(), found.seeds, found.bug.what()),
    });
    let missed = found.iter().filter(|found| found.rule.is_none()).count();
    println!("{} of {} found", found.len() - missed, found.len());
    if missed == 0 { Outcome::Clean } else { Outcome::Found }
}
