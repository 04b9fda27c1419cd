//! A run of the table: which rows, in which order, and what came of them. The floor is measured before the first row and
//! after the last: where it moved in between, the host moved, and the run says so.

use crate::table::{Beside, Verdict, verdict};
use crate::{Backtest, FLOOR, Host, Outcome, Row, rows};

/// Which rows, and how.
pub struct Plan {
    /// Milliseconds of work instead of seconds: does it run?
    pub short: bool,
    /// Rows whose names contain this; the floor always comes along.
    pub wanted: String,
    /// Not even the floor: for profilers that run one thread at a time, where two that answer each other never end.
    pub no_floor: bool,
    /// Makes the homes that replay rows read.
    pub backtest: Backtest,
    /// Rows of the rooms above this one, after all others.
    pub more: fn() -> Vec<Row>,
}

/// A row of a run.
pub struct Measured {
    /// The row.
    pub row: Row,
    /// What it gave.
    pub outcome: Outcome,
    /// What of the same run it is judged beside.
    pub beside: Beside,
}

impl Measured {
    /// Whether it keeps its budget.
    pub fn verdict(&self) -> Verdict {
        verdict(self.row.budget, &self.outcome, self.beside)
    }
}

/// A whole run.
pub struct Run {
    /// The machine, in a line.
    pub host: String,
    /// The rows, in order.
    pub rows: Vec<Measured>,
    /// Median of the floor before and after, nanoseconds; `None` where it was not measured.
    pub floors: Option<(f64, f64)>,
}

impl Run {
    /// Whether the floor after is another than before by more than a half: ratios to it mean little then.
    pub fn floor_moved(&self) -> bool {
        self.floors.is_some_and(|(before, after)| after > 1.5 * before || before > 1.5 * after)
    }

    /// The floor before and after, in words; `None` where it was not measured.
    pub fn floors_told(&self) -> Option<String> {
        let (before, after) = self.floors?;
        let moved = if self.floor_moved() { ": it MOVED, ratios to it mean little" } else { "" };
        Some(format!("floor before {before:.1} ns, after {after:.1} ns{moved}"))
    }

    /// Rows over their budget.
    pub fn over(&self) -> impl Iterator<Item = &Measured> {
        self.rows.iter().filter(|measured| matches!(measured.verdict(), Verdict::Over(_)))
    }
}

/// Measures; each row is shown as soon as it is done, after the host's line.
pub fn measure(plan: &Plan, began: &mut dyn FnMut(&Host), done: &mut dyn FnMut(&Measured)) -> Run {
    let mut host = Host::new(plan.short, plan.backtest);
    began(&host);
    let line = host.to_string();
    let mut measured = Vec::new();
    for row in rows().into_iter().chain((plan.more)()) {
        let is_floor = row.name == FLOOR;
        if if is_floor { plan.no_floor } else { !row.name.contains(&plan.wanted) } {
            continue;
        }
        let outcome = (row.measure)(&mut host);
        if is_floor {
            host.floor_ns = median(&outcome);
        }
        let row = Measured { row, outcome, beside: Beside::of(&host) };
        done(&row);
        measured.push(row);
    }
    let after = host.floor_ns.and_then(|_| rows().iter().find(|row| row.name == FLOOR).map(|row| row.measure));
    let after = after.and_then(|measure| median(&measure(&mut host)));
    Run { host: line, rows: measured, floors: host.floor_ns.zip(after) }
}

fn median(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Measured(figures) => Some(figures.p50),
        _ => None,
    }
}
