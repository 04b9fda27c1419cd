//! Time by which variance accrues: evenly over the minutes of a product's sessions, not at all while it is shut, and by a
//! step at each opening for what happened meanwhile. With volatility held, an option's value moves every second of a
//! session, stands still at night, and does not jump at midnight.

use crate::calendar::{CalendarError, Sessions};
use crate::codes::{Exchange, PhaseKind};
use crate::units::{Nanos, TradingDay};

/// What the hours weigh, in trading days.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClockWeights {
    /// Minutes of continuous trading that make a day.
    pub session_minutes: f64,
    /// From the close of a trading day to the opening of the next. Where a night session parts these hours, each part has
    /// its share by length.
    pub night: f64,
    /// More, if a weekend lies between.
    pub weekend: f64,
    /// More, for each weekday between that does not trade.
    pub holiday: f64,
    /// All that a year weighs.
    pub year: f64,
}

impl ClockWeights {
    /// These weights, a year being 242 trading days, 51 weekends and 19 weekdays without trading, as Chinese years are.
    pub const fn new(session_minutes: f64, night: f64, weekend: f64, holiday: f64) -> Self {
        let year = 242.0 * (1.0 + night) + 51.0 * weekend + 19.0 * holiday;
        Self { session_minutes, night, weekend, holiday, year }
    }
}

/// The weight of a night from returns over nights (close to open) and over sessions (open to close): the ratio of their
/// variances, within 0 and 1. `None` without returns, or when sessions did not move.
pub fn night_weight(nights: &[f64], sessions: &[f64]) -> Option<f64> {
    let mean_square = |returns: &[f64]| returns.iter().map(|r| r * r).sum::<f64>() / returns.len() as f64;
    let ratio = mean_square(nights) / mean_square(sessions);
    ratio.is_finite().then(|| ratio.clamp(0.0, 1.0))
}

/// The variance clock of one product over a range of trading days. Built on the slow path; reading it is a binary search.
#[derive(Clone, PartialEq, Debug)]
pub struct TradingClock {
    runs: Vec<Run>,
    year: f64,
}

/// A stretch of continuous trading.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Run {
    start: Nanos,
    end: Nanos,
    /// Days that have passed when it starts, what the shut hours before it weigh included.
    before: f64,
    /// Days that pass in it.
    days: f64,
}

impl TradingClock {
    /// The clock of a product from the close before `from` to the close of `until`, both trading days.
    pub fn new(
        sessions: &Sessions,
        exchange: Exchange,
        product: &str,
        from: TradingDay,
        until: TradingDay,
        weights: &ClockWeights,
    ) -> Result<Self, CalendarError> {
        let calendar = sessions.calendar();
        let mut eve = calendar.previous_trading_day(from)?;
        let mut close = match sessions.phases_of(exchange, product, eve) {
            Ok(phases) => phases.end(),
            // Not yet listed then; the others closed at 15:00.
            Err(_) => Nanos::china(eve, 15 * 3600, 0),
        };
        let mut runs: Vec<Run> = Vec::new();
        let mut passed = 0.0;
        for &day in calendar.trading_days(from, until)? {
            let phases = sessions.phases_of(exchange, product, day)?;
            let trades = |kind| matches!(kind, PhaseKind::Continuous | PhaseKind::ClosingAuction);
            let mut end = close;
            let mut shut = true;
            // Each run of the day with the shut time before it.
            let first = runs.len();
            let mut gaps = [0_u64; 32];
            for phase in &phases {
                if !trades(phase.kind) {
                    shut |= phase.kind == PhaseKind::Shut;
                    continue;
                }
                if shut && let Some(gap) = gaps.get_mut(runs.len() - first) {
                    *gap = phase.start.since(end);
                }
                let minutes = phase.end.since(phase.start) as f64 / (60.0 * Nanos::PER_SECOND as f64);
                let days = minutes / weights.session_minutes;
                runs.push(Run { start: phase.start, end: phase.end, before: 0.0, days });
                (end, shut) = (phase.end, false);
            }
            let all: u64 = gaps.iter().sum();
            let share = shut_days(eve, day, weights) / (all.max(1)) as f64;
            for (run, gap) in runs.iter_mut().skip(first).zip(gaps) {
                passed += gap as f64 * share;
                run.before = passed;
                passed += run.days;
            }
            (eve, close) = (day, phases.end());
        }
        Ok(Self { runs, year: weights.year })
    }

    /// Trading days that have passed at a moment, from the close before the first day. Frozen while the market is shut and
    /// beyond the range.
    pub fn days(&self, at: Nanos) -> f64 {
        let started = self.runs.partition_point(|run| run.start <= at);
        match started.checked_sub(1).and_then(|index| self.runs.get(index)) {
            Some(run) => {
                run.before + run.days * (at.since(run.start) as f64 / run.end.since(run.start) as f64).min(1.0)
            }
            None => 0.0,
        }
    }

    /// Years of variance from one moment to a later one; zero when it is not later.
    pub fn years(&self, now: Nanos, until: Nanos) -> f64 {
        (self.days(until) - self.days(now)).max(0.0) / self.year
    }

    /// First opening and last close of the range.
    pub fn range(&self) -> Option<(Nanos, Nanos)> {
        Some((self.runs.first()?.start, self.runs.last()?.end))
    }
}

/// What the shut hours between two trading days weigh.
fn shut_days(eve: TradingDay, day: TradingDay, weights: &ClockWeights) -> f64 {
    let between = (eve.days_since_epoch() + 1..day.days_since_epoch()).map(TradingDay::from_days_since_epoch);
    let (mut weekend, mut holidays) = (false, 0.0);
    for date in between {
        if date.weekday() >= 5 { weekend = true } else { holidays += 1.0 }
    }
    weights.night + if weekend { weights.weekend } else { 0.0 } + holidays * weights.holiday
}
