//! Times of the day as CTP tells them, put on the calendar; and the exchange's clock beside ours.

use super::callback::LoginFacts;
use shrike_core::calendar::Calendar;
use shrike_core::units::{Nanos, TradingDay};

const DAY_NS: u64 = 86_400 * Nanos::PER_SECOND;

/// The natural time of a time of the day (nanoseconds since midnight, China) on a trading day. Absent when it is not
/// told or the calendar does not reach it.
pub fn natural_time(calendar: &Calendar, day: TradingDay, time: Option<u64>) -> Nanos {
    let placed = time.filter(|&time| time < DAY_NS).and_then(|time| {
        let (second, nanos) = ((time / Nanos::PER_SECOND) as u32, (time % Nanos::PER_SECOND) as u32);
        let date = calendar.natural_date(day, second).ok()?;
        Some(Nanos::china(date, second, nanos))
    });
    placed.unwrap_or(Nanos::ABSENT)
}

/// How far our clock is from the exchanges', in milliseconds, ahead positive: the least of those told, since one
/// exchange's clock may stand still before it opens. They are told to the second, so anything within it is no offset.
/// `None` when none is told.
pub fn clock_offset_ms(login: &LoginFacts, now: Nanos) -> Option<i64> {
    let ours = i128::from((now.get() + Nanos::CHINA_OFFSET) % DAY_NS);
    let (day, second) = (i128::from(DAY_NS), i128::from(Nanos::PER_SECOND));
    let offsets = login.clocks.iter().flatten().map(|&clock| {
        let ahead = (ours - i128::from(clock) + day / 2).rem_euclid(day) - day / 2;
        let beyond = if ahead < 0 { ahead } else { (ahead - second + 1).max(0) };
        (beyond / i128::from(Nanos::PER_MILLI)) as i64
    });
    offsets.min_by_key(|offset| offset.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(clocks: [Option<u64>; 6]) -> LoginFacts {
        LoginFacts { clocks, ..LoginFacts::default() }
    }

    #[test]
    fn the_offset_is_beyond_the_second_told_and_around_midnight() {
        let date = TradingDay::new(20_240_603).unwrap();
        let at = |second, millis: u32| Nanos::china(date, second, millis * 1_000_000);
        let told = |second: u64| Some(second * Nanos::PER_SECOND);
        let cases = [
            (at(32_400, 999), told(32_400), Some(0)),
            (at(32_400, 0), told(32_401), Some(-1_000)),
            (at(32_402, 500), told(32_400), Some(1_500)),
            (at(1, 0), told(86_399), Some(1_000)),
            (at(86_399, 500), told(0), Some(-500)),
            (at(32_400, 0), None, None),
        ];
        for (now, clock, offset) in cases {
            assert_eq!(clock_offset_ms(&login([clock, None, None, None, None, None]), now), offset, "{now} {clock:?}");
        }
        let clocks = [None, told(0), told(32_399), None, told(40_000), None];
        assert_eq!(clock_offset_ms(&login(clocks), at(32_400, 200)), Some(200), "the nearest clock counts");
    }
}
