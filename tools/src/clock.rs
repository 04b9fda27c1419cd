//! The time left to an expiry, as `shrike option` and `shrike surface` reckon it: variance by a product's trading clock
//! where one is named, money always by the calendar.

use shrike_config::tables::{TableError, Tables};
use shrike_core::calendar::CalendarError;
use shrike_core::codes::PhaseKind;
use shrike_core::pricing::clock::{ClockWeights, TradingClock, calendar_years};
use shrike_core::units::{Nanos, TradingDay};

/// What the shut hours weigh, in trading days: a night, a weekend more, a weekday without trading more. A start; estimates
/// from a product's own returns are `core::pricing::clock::night_weight`'s.
const SHUT_DAYS: [f64; 3] = [0.25, 0.1, 0.05];

/// The moment of the quotes, and the clock from it on.
#[derive(Clone, Debug)]
pub struct QuoteClock {
    now: Nanos,
    trading: Option<TradingClock>,
}

/// Years left, by either clock.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct YearsLeft {
    /// Of variance.
    pub variance: f64,
    /// Of the calendar, 365 days each.
    pub discount: f64,
}

/// Why there is no such clock, or no time by it.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The tables of sessions and products.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// A day outside of the tables.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The product is not in the table.
    #[error("--clock {0}: no such product; write its code as in products.toml, such as IO or 510050_O")]
    Product(String),
    /// The expiry lies behind the holiday table.
    #[error("an expiry on {expiry} lies behind {last}, the last day of the holiday table")]
    Beyond {
        /// The expiry.
        expiry: TradingDay,
        /// The table's last day.
        last: TradingDay,
    },
}

/// A moment given in seconds of China's clock since the start of 1970.
pub fn china(seconds: i64) -> Nanos {
    Nanos::new(u64::try_from(seconds - 8 * 3_600).unwrap_or(0).saturating_mul(Nanos::PER_SECOND))
}

impl QuoteClock {
    /// The clock from a moment on: the calendar's, or a product's trading clock.
    ///
    /// # Errors
    /// When the product is not known or the moment outside of the tables.
    pub fn new(now: Nanos, product: Option<&str>) -> Result<Self, ClockError> {
        let Some(code) = product else { return Ok(Self { now, trading: None }) };
        let tables = Tables::builtin()?;
        let found = tables.products.as_slice().iter().find(|product| product.code.as_str() == code);
        let product = found.ok_or_else(|| ClockError::Product(code.to_owned()))?;
        // Options follow the sessions of their underlying where they have none of their own.
        let has_sessions = |code: &str| {
            tables.sessions.products().any(|(exchange, known)| exchange == product.exchange && known.as_str() == code)
        };
        let code = if has_sessions(code) { code } else { product.underlying.as_str() };
        let calendar = tables.sessions.calendar();
        let (date, last) = (now.china_date(), calendar.covered().1);
        let from = if calendar.is_trading_day(date)? { date } else { calendar.next_trading_day(date)? };
        let phases = tables.sessions.phases_of(product.exchange, code, from)?;
        let trades =
            phases.iter().filter(|phase| matches!(phase.kind, PhaseKind::Continuous | PhaseKind::ClosingAuction));
        let minutes = trades.map(|phase| phase.end.since(phase.start)).sum::<u64>() as f64 / 6e10;
        let [night, weekend, holiday] = SHUT_DAYS;
        let weights = ClockWeights::new(minutes, night, weekend, holiday);
        let until = calendar.trading_days(from, last)?.last().copied().unwrap_or(from);
        let trading = TradingClock::new(&tables.sessions, product.exchange, code, from, until, &weights)?;
        Ok(Self { now, trading: Some(trading) })
    }

    /// The time left to a moment; of an expired option none.
    ///
    /// # Errors
    /// When the trading clock does not reach so far.
    pub fn left(&self, expiry: Nanos) -> Result<YearsLeft, ClockError> {
        let discount = calendar_years(self.now, expiry);
        let Some(clock) = &self.trading else { return Ok(YearsLeft { variance: discount, discount }) };
        match clock.range() {
            Some((_, end)) if expiry > end => {
                Err(ClockError::Beyond { expiry: expiry.china_date(), last: end.china_date() })
            }
            _ => Ok(YearsLeft { variance: clock.years(self.now, expiry), discount }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(yyyymmdd: u32, hour: u32) -> Nanos {
        Nanos::china(TradingDay::new(yyyymmdd).unwrap(), hour * 3_600, 0)
    }

    #[test]
    fn a_weekend_costs_a_trading_clock_less_than_the_calendar() {
        let expiry = at(20_240_626, 15);
        let left = |hour: Nanos, product| QuoteClock::new(hour, product).unwrap().left(expiry).unwrap();
        // Friday's close to Tuesday at ten, over a holiday: 91 hours of the calendar, about half of a trading day.
        let (friday, monday) = (at(20_240_607, 15), at(20_240_611, 10));
        let calendar = left(friday, None).variance - left(monday, None).variance;
        let trading = left(friday, Some("510050_O")).variance - left(monday, Some("510050_O")).variance;
        assert!(trading > 0.0 && trading < 0.5 * calendar, "{trading} of {calendar}");
        assert_eq!(left(friday, Some("510050_O")).discount, left(friday, None).discount);
        // A lunch break takes no variance.
        assert_eq!(left(at(20_240_607, 12), Some("HO")).variance, left(at(20_240_607, 13), Some("HO")).variance);
    }

    #[test]
    fn what_has_no_clock_says_why() {
        let message = |product| QuoteClock::new(at(20_240_607, 15), Some(product)).unwrap_err().to_string();
        assert!(message("XY").contains("no such product"));
        let far = QuoteClock::new(at(20_240_607, 15), Some("HO")).unwrap().left(at(20_300_607, 15));
        assert!(far.unwrap_err().to_string().contains("holiday table"));
    }
}
