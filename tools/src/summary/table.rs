//! The summary as text for people.

use super::{Counts, Day, Simulated, Strategy, Summary};
use crate::paths::LatencyRow;
use shrike_core::units::Money;
use std::fmt;

const HEADING: &str = "day            ticks   intents    orders   cancels     fills      lots   rejects  refusals";
const MONEY_HEADING: &str = "          closed            held      commission          equity";

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [signal, order] = self.records;
        writeln!(f, "{} runs, {} ended in order; {signal} + {order} records read", self.runs, self.ended)?;
        writeln!(f, "\n{HEADING}{MONEY_HEADING}")?;
        for day in &self.days {
            write!(f, "{:<10}", day.trading_day)?;
            self.row(f, day)?;
        }
        write!(f, "{:<10}", "total")?;
        self.row(f, &self.total)?;
        refusals(f, &self.total.counts)?;

        writeln!(
            f,
            "\nstrategy              intents    orders   cancels     fills      lots   rejects  refusals           gross"
        )?;
        for row in &self.strategies {
            let Strategy { strategy, name, intents, counts, positions, gross } = row;
            write!(f, "{strategy:>3} {name:<14} {intents:>10}")?;
            write!(f, "{}{gross:>16.2}", Columns(counts))?;
            for (symbol, lots) in positions {
                write!(f, "  {symbol} {lots}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "(gross: fills and lots held at the last price, before fees; then the net lots held)")?;

        writeln!(f, "\n{}", self.books)?;
        for (kind, count) in &self.alarms {
            writeln!(f, "alarm {kind}: {count}")?;
        }
        if self.differences > 0 {
            writeln!(f, "differences with the venue's books: {}", self.differences)?;
        }
        self.latencies(f)
    }
}

impl Summary {
    fn row(&self, f: &mut fmt::Formatter<'_>, day: &Day) -> fmt::Result {
        let result = day.result.unwrap_or(super::money::Result {
            close_profit: Money::ABSENT,
            position_profit: Money::ABSENT,
            commission: Money::ABSENT,
            equity_change: Money::ABSENT,
        });
        write!(f, "{:>10}{:>10}{}", day.ticks, day.intents, Columns(&day.counts))?;
        write!(f, "{:>16.2}{:>16.2}", result.close_profit, result.position_profit)?;
        writeln!(f, "{:>16.2}{:>16.2}", result.commission, result.equity_change)
    }

    fn latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.latencies.is_empty() {
            return Ok(());
        }
        f.write_str("latencies")?;
        match (self.simulated, self.times) {
            (Simulated::All, _) => f.write_str(" (simulated time: the model's, not the machine's)")?,
            (Simulated::Some, _) => {
                f.write_str(" (some runs in simulated time: a mixture of the model's and the machine's)")?
            }
            (Simulated::None, Some(times)) => write!(f, " (in recorded time, at {times} times real speed)")?,
            (Simulated::None, None) => {}
        }
        writeln!(f)?;
        writeln!(f, "{}", LatencyRow::HEADING)?;
        self.latencies.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        Ok(())
    }
}

/// Counts under the heading, from orders to refusals.
struct Columns<'a>(&'a Counts);

impl fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { orders, cancels, fills, lots, rejects, .. } = self.0;
        write!(f, "{orders:>10}{cancels:>10}{fills:>10}{lots:>10}{rejects:>10}{:>10}", self.0.refused())
    }
}

fn refusals(f: &mut fmt::Formatter<'_>, counts: &Counts) -> fmt::Result {
    let words: Vec<String> = counts.refusals.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    if !words.is_empty() {
        writeln!(f, "refusals by reason: {}", words.join(", "))?;
    }
    if counts.cancel_rejects > 0 {
        writeln!(f, "cancels that the venue rejected: {}", counts.cancel_rejects)?;
    }
    Ok(())
}
