//! When the connection is made anew: some minutes before the first auction of the night and of the day, as the counters'
//! operators advise. From the calendar alone; a product that opens later has the same moment as the first one.

use shrike_core::calendar::{NIGHT_END_SECOND, ROLL_SECOND, Sessions};
use shrike_core::codes::PhaseKind;
use shrike_core::units::{Nanos, TradingDay};
use std::sync::Arc;

/// The moments.
#[derive(Clone, Debug)]
pub struct Restarts {
    sessions: Arc<Sessions>,
    before_ns: u64,
    due: Nanos,
}

impl Restarts {
    /// Restarts this long before each session; zero: never. The first is worked out at the first question.
    pub const fn new(sessions: Arc<Sessions>, before_ns: u64) -> Self {
        Self { sessions, before_ns, due: Nanos::ABSENT }
    }

    /// Whether one is due; the next is then worked out.
    pub fn is_due(&mut self, now: Nanos) -> bool {
        if self.before_ns == 0 || now < self.due {
            return false;
        }
        let was_set = !self.due.is_absent();
        self.due = self.next_after(now);
        was_set
    }

    /// The first restart after a moment; the end of time when the calendar has none.
    fn next_after(&self, now: Nanos) -> Nanos {
        let calendar = self.sessions.calendar();
        let Ok(day) = calendar.trading_day_at(now) else { return Nanos::MAX };
        let next = calendar.next_trading_day(day).ok();
        let openings = [Some(day), next].into_iter().flatten().flat_map(|day| self.openings(day));
        let moments = openings.map(|at| Nanos::new(at.get().saturating_sub(self.before_ns)));
        moments.filter(|&at| at > now).min().unwrap_or(Nanos::MAX)
    }

    /// The first opening of the evening and of the morning, over all products.
    fn openings(&self, day: TradingDay) -> impl Iterator<Item = Nanos> {
        let (mut evening, mut morning) = (None, None);
        for (exchange, product) in self.sessions.products() {
            let Ok(spans) = self.sessions.phases_of(exchange, product.as_str(), day) else { continue };
            let reopenings = spans.iter().filter(|span| span.kind == PhaseKind::Shut).map(|span| span.end);
            for at in reopenings.chain([spans.start()]).filter(|at| !at.is_absent()) {
                let is_day = (NIGHT_END_SECOND..ROLL_SECOND).contains(&at.china_second());
                let first = if is_day { &mut morning } else { &mut evening };
                *first = Some(first.map_or(at, |first: Nanos| first.min(at)));
            }
        }
        [evening, morning].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_config::tables::Tables;

    #[test]
    fn before_night_and_day_and_over_the_weekend() {
        let sessions = Tables::builtin().unwrap().sessions;
        let day = |day| TradingDay::new(day).unwrap();
        let at = |date, hour: u32, minute: u32| Nanos::china(day(date), hour * 3_600 + minute * 60, 0);
        let mut restarts = Restarts::new(sessions, 20 * 60 * Nanos::PER_SECOND);
        assert!(!restarts.is_due(at(20_240_606, 12, 0)), "the start is none");
        // Thursday's night, Friday's day. The 10th is a holiday, so there is no night before it, nor before the 11th.
        let moments = [at(20_240_606, 20, 35), at(20_240_607, 8, 35), at(20_240_611, 8, 35), at(20_240_611, 20, 35)];
        for moment in moments {
            assert!(!restarts.is_due(Nanos::new(moment.get() - 1)), "{moment}");
            assert!(restarts.is_due(moment), "{moment}");
            assert!(!restarts.is_due(moment), "once");
        }
    }
}
