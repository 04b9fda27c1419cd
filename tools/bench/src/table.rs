//! The table's lines.

use crate::{Budget, Figures, Host, Outcome, Row};
use std::fmt;

/// Above the lines; nanoseconds unless a line says otherwise.
pub const HEADING: &str = "\
row                                                p50 ns     p90 ns     p99 ns   p99.9 ns  p99.99 ns       max ns  x floor  budget             verdict";

/// What a row is judged beside: figures of the same run.
#[derive(Clone, Copy, Default)]
pub struct Beside {
    /// The floor, nanoseconds.
    pub floor_ns: Option<f64>,
    /// Tick to order on one thread, nanoseconds.
    pub inline_ns: Option<f64>,
}

impl Beside {
    /// As far as measured.
    pub fn of(host: &Host) -> Self {
        Self { floor_ns: host.floor_ns, inline_ns: host.inline_ns }
    }
}

/// One line.
pub fn line(row: &Row, outcome: &Outcome, beside: Beside) -> String {
    let (name, budget) = (row.name, budget(row.budget));
    let verdict = verdict(row.budget, outcome, beside);
    match outcome {
        Outcome::Measured(figures) => {
            let note = figures.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
            format!("{name:<47} {}  {budget:<18} {verdict}{note}", columns(figures, beside))
        }
        Outcome::Unjudged(figures, why) => {
            format!("{name:<47} {}  {budget:<18} not judged: {why}", columns(figures, beside))
        }
        Outcome::Rate(rate, note) => {
            format!("{name:<47} {:>76}  {budget:<18} {verdict} ({note})", format!("{rate:.2} M/s"))
        }
        Outcome::Absent(why) => format!("{name:<47} {:>76}  {budget:<18} absent: {why}", "-"),
    }
}

fn columns(figures: &Figures, beside: Beside) -> String {
    let times = times_floor(figures, beside).map_or(String::from("-"), |times| format!("{times:.2}"));
    let Figures { p50, p90, p99, p999, p9999, max, .. } = figures;
    format!("{p50:>9.1} {p90:>10.1} {p99:>10.1} {p999:>10.1} {p9999:>10.1} {max:>12.1} {times:>8}")
}

fn times_floor(figures: &Figures, beside: Beside) -> Option<f64> {
    figures.times_floor.or(beside.floor_ns.map(|floor| figures.p50 / floor))
}

/// A budget in words.
pub fn budget(budget: Budget) -> String {
    match budget {
        Budget::None => String::from("-"),
        Budget::P50(ns) => format!("p50 <= {ns}"),
        Budget::P999(ns) => format!("p99.9 <= {ns}"),
        Budget::TimesFloor(times) => format!("p50 <= {times} x floor"),
        Budget::InlineAndHops(hops) => format!("inline + {hops} hops"),
        Budget::MillionsPerSecond(rate) => format!(">= {rate} M/s"),
    }
}

/// Whether a budget is kept.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Verdict {
    /// There is nothing to judge, or nothing to judge it by.
    None,
    /// It is.
    Pass,
    /// It is not: this many times the budget.
    Over(f64),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Pass => f.write_str("pass"),
            Self::Over(times) => write!(f, "OVER, {times:.2} of budget"),
        }
    }
}

/// Judges an outcome.
pub fn verdict(budget: Budget, outcome: &Outcome, beside: Beside) -> Verdict {
    let over = match (budget, outcome) {
        (Budget::P50(ns), Outcome::Measured(figures)) => Some(figures.p50 / ns),
        (Budget::P999(ns), Outcome::Measured(figures)) => Some(figures.p999 / ns),
        (Budget::TimesFloor(most), Outcome::Measured(figures)) => {
            times_floor(figures, beside).map(|times| times / most)
        }
        (Budget::InlineAndHops(hops), Outcome::Measured(figures)) => {
            let most = beside.inline_ns.zip(beside.floor_ns).map(|(inline, floor)| inline + hops * 1.6 * floor);
            most.map(|most| figures.p50 / most)
        }
        (Budget::MillionsPerSecond(least), Outcome::Rate(rate, _)) => Some(least / rate),
        _ => None,
    };
    match over {
        None => Verdict::None,
        Some(over) if over <= 1.0 => Verdict::Pass,
        Some(over) => Verdict::Over(over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Figures;

    #[test]
    fn a_row_is_judged_by_its_budget() {
        let figures = Figures { p50: 80.0, p99: 90.0, p999: 400.0, ..Figures::default() };
        let measured = Outcome::Measured(figures.clone());
        let floor = |ns| Beside { floor_ns: Some(ns), inline_ns: None };
        let none = Beside::default();
        for (budget, beside, expected) in [
            (Budget::P50(80.0), none, "pass"),
            (Budget::P50(40.0), none, "OVER, 2.00 of budget"),
            (Budget::P999(200.0), none, "OVER, 2.00 of budget"),
            (Budget::TimesFloor(1.6), floor(50.0), "pass"),
            (Budget::TimesFloor(1.6), floor(25.0), "OVER, 2.00 of budget"),
            (Budget::TimesFloor(1.6), none, "-"),
            (Budget::InlineAndHops(2.0), Beside { inline_ns: Some(16.0), ..floor(20.0) }, "pass"),
            (Budget::InlineAndHops(1.0), Beside { inline_ns: Some(8.0), ..floor(20.0) }, "OVER, 2.00 of budget"),
            (Budget::InlineAndHops(1.0), floor(20.0), "-"),
            (Budget::None, floor(50.0), "-"),
        ] {
            assert_eq!(verdict(budget, &measured, beside).to_string(), expected, "{budget:?}");
        }
        let own_floor = Outcome::Measured(Figures { times_floor: Some(1.5), ..figures.clone() });
        assert_eq!(verdict(Budget::TimesFloor(1.6), &own_floor, floor(25.0)), Verdict::Pass, "its own floor counts");
        let unjudged = Outcome::Unjudged(figures, String::from("one core"));
        assert_eq!(verdict(Budget::P50(40.0), &unjudged, none), Verdict::None);
        let rate = |rate| Outcome::Rate(rate, String::new());
        assert_eq!(verdict(Budget::MillionsPerSecond(10.0), &rate(5.0), none), Verdict::Over(2.0));
        assert_eq!(verdict(Budget::MillionsPerSecond(10.0), &rate(11.0), none), Verdict::Pass);
    }
}
