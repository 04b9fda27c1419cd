//! The table's lines.

use crate::{Budget, Outcome, Row};

/// Above the lines; nanoseconds unless a line says otherwise.
pub const HEADING: &str = "row                                           p50 ns     p99 ns   p99.9 ns  x floor  budget                 verdict";

/// One line.
pub fn line(row: &Row, outcome: &Outcome, floor_ns: Option<f64>) -> String {
    let name = row.name;
    match outcome {
        Outcome::Measured(figures) => {
            let times = figures.times_floor.or(floor_ns.map(|floor| figures.p50 / floor));
            let times = times.map_or(String::from("-"), |times| format!("{times:.2}"));
            let note = figures.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
            format!(
                "{name:<42} {:>9.1} {:>10.1} {:>10.1} {times:>8}  {:<22} {}{note}",
                figures.p50,
                figures.p99,
                figures.p999,
                budget(row.budget),
                verdict(row.budget, outcome, floor_ns)
            )
        }
        Outcome::Rate(rate) => {
            let rate = format!("{rate:.2} M/s");
            format!("{name:<42} {rate:>40}  {:<22} {}", budget(row.budget), verdict(row.budget, outcome, floor_ns))
        }
        Outcome::Absent(why) => format!("{name:<42} {:>40}  {:<22} absent: {why}", "-", budget(row.budget)),
    }
}

fn budget(budget: Budget) -> String {
    match budget {
        Budget::None => String::from("-"),
        Budget::P50(ns) => format!("p50 <= {ns}"),
        Budget::P999(ns) => format!("p99.9 <= {ns}"),
        Budget::TimesFloor(times) => format!("p50 <= {times} x floor"),
        Budget::MillionsPerSecond(rate) => format!(">= {rate} M/s"),
    }
}

/// `pass`, or `over` with how far; `-` where there is nothing to judge.
fn verdict(budget: Budget, outcome: &Outcome, floor_ns: Option<f64>) -> String {
    let over = match (budget, outcome) {
        (Budget::P50(ns), Outcome::Measured(figures)) => figures.p50 / ns,
        (Budget::P999(ns), Outcome::Measured(figures)) => figures.p999 / ns,
        (Budget::TimesFloor(most), Outcome::Measured(figures)) => {
            match figures.times_floor.or(floor_ns.map(|floor| figures.p50 / floor)) {
                Some(times) => times / most,
                None => return String::from("-"),
            }
        }
        (Budget::MillionsPerSecond(least), Outcome::Rate(rate)) => least / rate,
        _ => return String::from("-"),
    };
    if over <= 1.0 { String::from("pass") } else { format!("OVER, {over:.2} of budget") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Figures;

    #[test]
    fn a_row_is_judged_by_its_budget() {
        let measured = Outcome::Measured(Figures { p50: 80.0, p99: 90.0, p999: 400.0, times_floor: None, note: None });
        for (budget, floor_ns, expected) in [
            (Budget::P50(80.0), None, "pass"),
            (Budget::P50(40.0), None, "OVER, 2.00 of budget"),
            (Budget::P999(200.0), None, "OVER, 2.00 of budget"),
            (Budget::TimesFloor(1.6), Some(50.0), "pass"),
            (Budget::TimesFloor(1.6), Some(25.0), "OVER, 2.00 of budget"),
            (Budget::TimesFloor(1.6), None, "-"),
            (Budget::None, Some(50.0), "-"),
        ] {
            assert_eq!(verdict(budget, &measured, floor_ns), expected, "{budget:?}");
        }
        let beside =
            Outcome::Measured(Figures { p50: 80.0, p99: 90.0, p999: 400.0, times_floor: Some(1.5), note: None });
        assert_eq!(verdict(Budget::TimesFloor(1.6), &beside, Some(25.0)), "pass", "its own floor counts");
        assert_eq!(verdict(Budget::MillionsPerSecond(10.0), &Outcome::Rate(5.0), None), "OVER, 2.00 of budget");
        assert_eq!(verdict(Budget::MillionsPerSecond(10.0), &Outcome::Rate(11.0), None), "pass");
    }
}
