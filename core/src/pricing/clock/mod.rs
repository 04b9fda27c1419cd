//! The two clocks of an option. Money is discounted over calendar time ([`calendar_years`]); variance accrues while the
//! market trades, and a little while it is shut ([`TradingClock`]). An option that settles at an average of the index
//! loses variance as the average is taken ([`SettlementAverage`]).

mod average;
mod trading;

#[cfg(test)]
mod tests;

pub use average::{Averaged, SettlementAverage};
pub use trading::{ClockWeights, TradingClock, night_weight};

use crate::units::Nanos;

/// Years from one moment to a later one by the calendar, 365 days each; zero when it is not later.
pub fn calendar_years(now: Nanos, until: Nanos) -> f64 {
    const YEAR_NS: f64 = 365.0 * 86_400.0 * 1e9;
    until.since(now) as f64 / YEAR_NS
}
