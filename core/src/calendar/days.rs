//! Trading days: which dates trade, what comes next, and to which trading day a moment belongs. Built once from the
//! holiday table; every answer is a binary search in one sorted list.

use super::CalendarError;
use crate::units::{Nanos, TradingDay};

/// From this second of the day (18:00) on, a moment belongs to the next trading day: the exchanges have settled and the
/// night session's logins begin.
pub const ROLL_SECOND: u32 = 18 * 3600;

/// Before this second of the day (03:00) a session is the night that began the evening before: the latest night session
/// ends at 02:30.
pub const NIGHT_END_SECOND: u32 = 3 * 3600;

/// The trading days of the Chinese exchanges, which share one holiday table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    first: TradingDay,
    last: TradingDay,
    days: Vec<TradingDay>,
}

impl Calendar {
    /// The calendar of `first..=last`: every Monday to Friday that is not in `holidays`. Weekends never trade, also when
    /// the State Council makes them working days.
    pub fn new(first: TradingDay, last: TradingDay, holidays: &[TradingDay]) -> Self {
        let days = (first.days_since_epoch()..=last.days_since_epoch())
            .map(TradingDay::from_days_since_epoch)
            .filter(|day| day.weekday() < 5 && !holidays.contains(day))
            .collect();
        Self { first, last, days }
    }

    /// First and last date the table covers.
    pub const fn covered(&self) -> (TradingDay, TradingDay) {
        (self.first, self.last)
    }

    const fn uncovered(&self, day: TradingDay) -> CalendarError {
        CalendarError::Uncovered { day, first: self.first, last: self.last }
    }

    fn check(&self, day: TradingDay) -> Result<(), CalendarError> {
        if day < self.first || day > self.last { Err(self.uncovered(day)) } else { Ok(()) }
    }

    /// Whether the exchanges trade on that date.
    pub fn is_trading_day(&self, day: TradingDay) -> Result<bool, CalendarError> {
        self.check(day)?;
        Ok(self.days.binary_search(&day).is_ok())
    }

    /// The first trading day after a date.
    pub fn next_trading_day(&self, day: TradingDay) -> Result<TradingDay, CalendarError> {
        self.check(day)?;
        let index = self.days.partition_point(|&other| other <= day);
        self.days.get(index).copied().ok_or(self.uncovered(self.last.plus_days(1)))
    }

    /// The last trading day before a date.
    pub fn previous_trading_day(&self, day: TradingDay) -> Result<TradingDay, CalendarError> {
        self.check(day)?;
        let index = self.days.partition_point(|&other| other < day);
        index
            .checked_sub(1)
            .and_then(|index| self.days.get(index))
            .copied()
            .ok_or(self.uncovered(self.first.plus_days(-1)))
    }

    /// The trading days of `from..=until`, in order.
    pub fn trading_days(&self, from: TradingDay, until: TradingDay) -> Result<&[TradingDay], CalendarError> {
        self.check(from)?;
        self.check(until)?;
        let start = self.days.partition_point(|&day| day < from);
        let end = self.days.partition_point(|&day| day <= until);
        Ok(self.days.get(start..end).unwrap_or(&[]))
    }

    /// The evening on which the night session of a trading day begins, or `None` when the rule of the exchanges gives it
    /// none: there is no night session on the eve of a holiday, that is unless the previous trading day is the day
    /// before, or the Friday before a Monday.
    pub fn night_eve(&self, day: TradingDay) -> Result<Option<TradingDay>, CalendarError> {
        if !self.is_trading_day(day)? {
            return Err(CalendarError::NotTradingDay { day });
        }
        if day == self.first {
            return Err(self.uncovered(day.plus_days(-1)));
        }
        // Only the last calendar day, or Friday for a Monday, can be the eve; both are known when `day` is not the first.
        let eve = day.plus_days(if day.weekday() == 0 { -3 } else { -1 });
        Ok(self.is_trading_day(eve)?.then_some(eve))
    }

    /// The trading day a moment belongs to: that of its date until 18:00 ([`ROLL_SECOND`]), then the next one. It is the
    /// same for every Chinese exchange and product. After midnight the night of a Friday belongs to Monday.
    pub fn trading_day_at(&self, at: Nanos) -> Result<TradingDay, CalendarError> {
        let date = at.china_date();
        if self.is_trading_day(date)? && at.china_second() < ROLL_SECOND {
            Ok(date)
        } else {
            self.next_trading_day(date)
        }
    }

    /// The calendar date on which a time of a trading day happens: from 18:00 ([`ROLL_SECOND`]) the evening of the
    /// previous trading day, before 03:00 ([`NIGHT_END_SECOND`]) the day after that evening, else the day itself. This
    /// repairs venues that state the trading day where the natural date is meant, as DCE does at night.
    pub fn natural_date(&self, trading_day: TradingDay, second_of_day: u32) -> Result<TradingDay, CalendarError> {
        if (NIGHT_END_SECOND..ROLL_SECOND).contains(&second_of_day) {
            return self.check(trading_day).map(|()| trading_day);
        }
        let evening = self.previous_trading_day(trading_day)?;
        Ok(if second_of_day < NIGHT_END_SECOND { evening.plus_days(1) } else { evening })
    }
}
