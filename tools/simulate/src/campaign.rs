//! Many seeds, on as many threads as are wanted, each run on one thread by itself; and the table of what was tested.

use crate::coverage::{Coverage, unreachable_because};
use crate::fault::{Fault, Faults};
use crate::judge::Failure;
use crate::run::{Plan, simulate};
use shrike_core::codes::OrderState;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

/// A campaign.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The seeds.
    pub seeds: RangeInclusive<u64>,
    /// Simulated minutes of each.
    pub minutes: u64,
    /// What may strike.
    pub faults: Faults,
    /// Threads.
    pub jobs: usize,
    /// Ends after so many failures.
    pub failures_max: usize,
}

/// What a campaign did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Runs that ended.
    pub runs: u64,
    /// Orders sent.
    pub orders: u64,
    /// Processes and hosts that died.
    pub crashes: u64,
    /// Lives of the engine.
    pub lives: u64,
    /// Starts from a snapshot.
    pub snapshots: u64,
    /// What struck, and what it met.
    pub coverage: Coverage,
    /// Seeds that broke a rule.
    pub failures: Vec<(u64, Failure)>,
}

/// Runs a seed; a panic is a failure too.
fn run(seed: u64, campaign: &Campaign) -> Report {
    let plan = Plan {
        seed,
        days: Plan::days_of(seed, campaign.minutes),
        faults: campaign.faults.clone(),
        trace: false,
        lie: None,
    };
    match catch_unwind(AssertUnwindSafe(|| simulate(&plan))) {
        Ok(outcome) => Report {
            runs: 1,
            orders: outcome.orders,
            crashes: outcome.crashes,
            lives: outcome.lives,
            snapshots: outcome.snapshots,
            coverage: outcome.coverage,
            failures: outcome.failure.map(|failure| (seed, failure)).into_iter().collect(),
        },
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let what = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?").to_owned();
            let failure = Failure { rule: "nothing panics", what, at: Default::default(), life: 0 };
            Report { runs: 1, failures: vec![(seed, failure)], ..Report::default() }
        }
    }
}

impl Campaign {
    /// Runs the seeds. `told` hears of each run as it ends, with all of them so far.
    pub fn run(&self, told: &mut dyn FnMut(&Report)) -> Report {
        let next = AtomicU64::new(*self.seeds.start());
        let stop = AtomicU64::new(0);
        let mut total = Report::default();
        std::thread::scope(|scope| {
            let (sender, reports) = mpsc::channel();
            for _ in 0..self.jobs.max(1) {
                let (sender, next, stop) = (sender.clone(), &next, &stop);
                scope.spawn(move || {
                    while stop.load(Ordering::Relaxed) == 0 {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed > *self.seeds.end() || sender.send(run(seed, self)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for report in reports {
                total.add(report);
                told(&total);
                if total.failures.len() >= self.failures_max {
                    stop.store(1, Ordering::Relaxed);
                }
            }
        });
        total.failures.sort_by_key(|(seed, _)| *seed);
        total
    }
}

impl Report {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.orders += other.orders;
        self.crashes += other.crashes;
        self.lives += other.lives;
        self.snapshots += other.snapshots;
        self.coverage.add(&other.coverage);
        self.failures.extend(other.failures);
    }

    /// The table: a row for each fault, with how often it struck and in which state it found orders. What cannot be is
    /// marked `-`, with its reason below; what can and never was is marked `0!`.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let _ = write!(text, "{:<16}{:>10}", "fault", "strokes");
        for state in OrderState::ALL {
            let _ = write!(text, "{:>15}", state.name());
        }
        text.push('\n');
        for &fault in Fault::ALL {
            let _ = write!(text, "{:<16}{:>10}", fault.name(), self.coverage.count(fault));
            for &state in OrderState::ALL {
                let count = self.coverage.cell(fault, state);
                let cell = match (count, unreachable_because(fault, state)) {
                    (0, Some(_)) => "-".to_owned(),
                    (0, None) => "0!".to_owned(),
                    (count, _) => count.to_string(),
                };
                let _ = write!(text, "{cell:>15}");
            }
            text.push('\n');
        }
        text.push_str("\ncells that cannot be reached:\n");
        for &fault in Fault::ALL {
            for &state in OrderState::ALL {
                if let Some(reason) = unreachable_because(fault, state)
                    && self.coverage.cell(fault, state) == 0
                {
                    let _ = writeln!(text, "  {fault} x {state}: {reason}");
                }
            }
        }
        text
    }

    /// The least of the counts that can be reached: of strokes, and of cells.
    pub fn least(&self) -> ((u64, Fault), (u64, Fault, OrderState)) {
        let strokes = Fault::ALL.iter().map(|&fault| (self.coverage.count(fault), fault)).min();
        let cells = Fault::ALL.iter().flat_map(|&fault| OrderState::ALL.iter().map(move |&state| (fault, state)));
        let reachable = cells.filter(|&(fault, state)| unreachable_because(fault, state).is_none());
        let cell = reachable.map(|(fault, state)| (self.coverage.cell(fault, state), fault, state)).min();
        (strokes.unwrap_or((0, Fault::Burst)), cell.unwrap_or((0, Fault::Burst, OrderState::Sent)))
    }
}
