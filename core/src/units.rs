//! The newtypes of price, quantity, money and time. Fixed point in integers, so that sums are exact and equal on every
//! machine; `f64` stops at the feed. *Absent* is a value of each type ([`Price::ABSENT`]), never zero.

use bytemuck::{Pod, Zeroable};
use std::fmt;

/// One unit in fixed-point prices and quantities: 10^8.
pub const SCALE: i64 = 100_000_000;

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident, $raw:ty, $decimals:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Default)]
        #[repr(transparent)]
        pub struct $name($raw);

        impl $name {
            /// No value: not zero, not a number. Comparisons see it as the least value; test [`Self::is_absent`] first.
            pub const ABSENT: Self = Self(<$raw>::MIN);
            /// Zero.
            pub const ZERO: Self = Self(0);
            /// Raw units in one whole unit.
            pub const ONE_RAW: $raw = (10 as $raw).pow($decimals);

            /// From raw units of 10^-decimals.
            #[inline]
            pub const fn from_raw(raw: $raw) -> Self {
                Self(raw)
            }
            /// Raw units of 10^-decimals; `MIN` when absent.
            #[inline]
            pub const fn raw(self) -> $raw {
                self.0
            }
            /// From a whole number of units.
            #[inline]
            pub const fn whole(units: $raw) -> Self {
                Self(units * Self::ONE_RAW)
            }
            /// Whether there is no value.
            #[inline]
            pub const fn is_absent(self) -> bool {
                self.0 == <$raw>::MIN
            }
            /// Whether there is a value.
            #[inline]
            pub const fn is_present(self) -> bool {
                !self.is_absent()
            }
            /// The value, or `None` when absent.
            #[inline]
            pub fn some(self) -> Option<Self> {
                self.is_present().then_some(self)
            }
            /// Sum; absent when either is absent or the sum is out of range.
            #[inline]
            pub const fn plus(self, other: Self) -> Self {
                if self.is_absent() || other.is_absent() {
                    return Self::ABSENT;
                }
                match self.0.checked_add(other.0) {
                    Some(raw) => Self(raw),
                    None => Self::ABSENT,
                }
            }
            /// Difference; absent when either is absent or the difference is out of range.
            #[inline]
            pub const fn minus(self, other: Self) -> Self {
                if self.is_absent() || other.is_absent() {
                    return Self::ABSENT;
                }
                match self.0.checked_sub(other.0) {
                    Some(raw) => Self(raw),
                    None => Self::ABSENT,
                }
            }
            /// Exact reading of a decimal such as `-12.3450`; `None` when it is malformed, has more digits after the
            /// point than the type keeps (trailing zeros aside), or is out of range.
            pub fn parse(text: &str) -> Option<Self> {
                let (negative, digits) = match text.strip_prefix('-') {
                    Some(rest) => (true, rest),
                    None => (false, text.strip_prefix('+').unwrap_or(text)),
                };
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let fraction = fraction.trim_end_matches('0');
                if whole.is_empty() && fraction.is_empty() || fraction.len() > $decimals {
                    return None;
                }
                let mut raw: $raw = 0;
                let padded = (0..$decimals).map(|i| fraction.as_bytes().get(i).copied().unwrap_or(b'0'));
                for digit in whole.bytes().chain(padded) {
                    if !digit.is_ascii_digit() {
                        return None;
                    }
                    raw = raw.checked_mul(10)?.checked_add((digit - b'0') as $raw)?;
                }
                Some(Self(if negative { -raw } else { raw }))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if self.is_absent() {
                    return f.pad("-");
                }
                let one = Self::ONE_RAW.unsigned_abs();
                let (whole, fraction) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
                let sign = if self.0 < 0 { "-" } else { "" };
                let places = f.precision();
                let mut text = format!("{fraction:0width$}", width = $decimals);
                match places {
                    Some(places) => text.truncate(places),
                    None => text.truncate(text.trim_end_matches('0').len()),
                }
                let point = if text.is_empty() { "" } else { "." };
                let text = format!("{sign}{whole}{point}{text}");
                match f.width() {
                    Some(width) => write!(f, "{text:>width$}"),
                    None => f.write_str(&text),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

fixed!(
    /// A price in the instrument's quotation, in units of 1e-8. Range about ±9.2e10.
    Price, i64, 8
);
fixed!(
    /// A quantity of the instrument as the market shows it (lots of a future, coins of a perpetual), in units of 1e-8.
    Qty, i64, 8
);
fixed!(
    /// Traded value as the market shows it, in units of 1e-4: an exchange's day of 1e14 still fits.
    Turnover, i64, 4
);
fixed!(
    /// Money of an account in its currency, in units of 1e-8. 128 bits: price x quantity x multiplier is exact.
    Money, i128, 8
);

impl Price {
    /// Exact conversion of a feed's floating-point price, rounded to the nearest 1e-8; absent for NaN, infinities,
    /// `DBL_MAX` and anything out of range. The one place (with [`Qty::from_f64`], [`Turnover::from_f64`] and
    /// [`Money::from_f64`]) where `f64` becomes money.
    #[inline]
    pub fn from_f64(value: f64) -> Self {
        Self(scaled(value, 1e8))
    }

    /// Value of `lots` at this price under a contract multiplier; absent when any is absent.
    #[inline]
    pub const fn value(self, lots: Lots, multiplier: i64) -> Money {
        if self.is_absent() || lots.is_absent() {
            return Money::ABSENT;
        }
        Money(self.0 as i128 * lots.0 as i128 * multiplier as i128)
    }

    /// Whether the price is a whole number of ticks of size `tick`. False when absent or the tick is not positive.
    #[inline]
    pub const fn is_on_tick(self, tick: Price) -> bool {
        self.is_present() && tick.0 > 0 && self.0 % tick.0 == 0
    }
}

impl Qty {
    /// As [`Price::from_f64`].
    #[inline]
    pub fn from_f64(value: f64) -> Self {
        Self(scaled(value, 1e8))
    }

    /// Whole lots, rounded toward zero; absent stays absent.
    #[inline]
    pub const fn lots(self) -> Lots {
        if self.is_absent() { Lots::ABSENT } else { Lots(self.0 / SCALE) }
    }
}

impl Turnover {
    /// As [`Price::from_f64`], in units of 1e-4.
    #[inline]
    pub fn from_f64(value: f64) -> Self {
        Self(scaled(value, 1e4))
    }
}

impl Money {
    /// As [`Price::from_f64`], without loss for amounts that have no exact `f64`: absent beyond 1e20, where the money of
    /// no account is.
    #[inline]
    pub fn from_f64(value: f64) -> Self {
        const LIMIT: f64 = 1e20;
        if value.abs() < LIMIT {
            // The whole part has no fraction and the rest is below one: neither product is rounded more than it must.
            let whole = value as i128;
            let rest = value - whole as f64;
            Self(whole * SCALE as i128 + scaled(rest, 1e8) as i128)
        } else {
            Self::ABSENT
        }
    }

    /// This money times a rate in units of 1e-8 (a fee or margin ratio), rounded half away from zero.
    #[inline]
    pub const fn times_rate(self, rate: i64) -> Money {
        if self.is_absent() || rate == i64::MIN {
            return Money::ABSENT;
        }
        // Any account's money and any ratio: the same number without a division of 128 bits.
        const RATE_MAX: i64 = 1_000_000_000_000;
        if self.0 >= 0 && self.0 <= i64::MAX as i128 && rate >= 0 && rate <= RATE_MAX {
            let (raw, rate) = (self.0 as u64, rate as u64);
            let scale = SCALE as u64;
            let part = (raw % scale * rate + scale / 2) / scale;
            return Money((raw / scale) as i128 * rate as i128 + part as i128);
        }
        match self.0.checked_mul(rate as i128) {
            Some(raw) => {
                let half = if raw < 0 { -(SCALE as i128) / 2 } else { SCALE as i128 / 2 };
                Money((raw + half) / SCALE as i128)
            }
            None => Money::ABSENT,
        }
    }
}

/// Nearest integer of `value * factor`, half to even, or `i64::MIN` (absent) when it is not a number or does not fit.
#[inline]
fn scaled(value: f64, factor: f64) -> i64 {
    // Between 2^52 and 2^53 floats are the integers and their bits count them. This one stands in the middle: adding it to
    // anything smaller than 2^51 rounds, and leaves the integer in the bits.
    const MIDDLE: f64 = 6_755_399_441_055_744.0;
    const NEAR: f64 = 2_251_799_813_685_248.0;
    let product = value * factor;
    if product.abs() < NEAR {
        ((product + MIDDLE).to_bits() as i64).wrapping_sub(MIDDLE.to_bits() as i64)
    } else {
        scaled_far(product)
    }
}

/// The same for products from 2^51 on. `round_ties_even` is a call into libm on x86-64 without SSE4.1.
fn scaled_far(product: f64) -> i64 {
    // 2^63 is exact in f64; the comparison is false for NaN.
    if product.abs() < 9_223_372_036_854_775_808.0 { product.round_ties_even() as i64 } else { i64::MIN }
}

/// A number of contracts, signed where a side is meant (long positive).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Default)]
#[repr(transparent)]
pub struct Lots(i64);

impl Lots {
    /// No value.
    pub const ABSENT: Self = Self(i64::MIN);
    /// Zero lots.
    pub const ZERO: Self = Self(0);

    /// `lots` contracts.
    #[inline]
    pub const fn new(lots: i64) -> Self {
        Self(lots)
    }
    /// The number; `i64::MIN` when absent.
    #[inline]
    pub const fn get(self) -> i64 {
        self.0
    }
    /// Whether there is no value.
    #[inline]
    pub const fn is_absent(self) -> bool {
        self.0 == i64::MIN
    }
    /// The same number as a market quantity; absent when out of range.
    #[inline]
    pub const fn qty(self) -> Qty {
        match self.0.checked_mul(SCALE) {
            Some(raw) => Qty(raw),
            None => Qty::ABSENT,
        }
    }
}

impl fmt::Display for Lots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() { f.pad("-") } else { fmt::Display::fmt(&self.0, f) }
    }
}

impl fmt::Debug for Lots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lots({self})")
    }
}

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. Zero is absent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Default)]
#[repr(transparent)]
pub struct Nanos(u64);

impl Nanos {
    /// No time.
    pub const ABSENT: Self = Self(0);
    /// The end of time.
    pub const MAX: Self = Self(u64::MAX);
    /// Nanoseconds in a second.
    pub const PER_SECOND: u64 = 1_000_000_000;
    /// Nanoseconds in a millisecond.
    pub const PER_MILLI: u64 = 1_000_000;
    /// China Standard Time is eight hours ahead of UTC, without daylight saving.
    pub const CHINA_OFFSET: u64 = 8 * 3600 * Self::PER_SECOND;

    /// From nanoseconds since the Unix epoch.
    #[inline]
    pub const fn new(ns: u64) -> Self {
        Self(ns)
    }
    /// Nanoseconds since the Unix epoch; zero when absent.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
    /// Whether there is no time.
    #[inline]
    pub const fn is_absent(self) -> bool {
        self.0 == 0
    }
    /// This time and `ns` nanoseconds, saturating.
    #[inline]
    pub const fn after(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }
    /// Nanoseconds from `earlier` to this time; zero when it is not earlier.
    #[inline]
    pub const fn since(self, earlier: Nanos) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
    /// The moment `second_of_day` (+ `nanos`) on a calendar date in China Standard Time; absent before 1970 and from
    /// 2554 on, where it has no number.
    pub const fn china(date: TradingDay, second_of_day: u32, nanos: u32) -> Self {
        let seconds = date.days_since_epoch() * 86_400 + second_of_day as i64 - 8 * 3600;
        const SECONDS_MAX: i64 = (u64::MAX / Nanos::PER_SECOND) as i64;
        if seconds < 0 || seconds >= SECONDS_MAX {
            return Self::ABSENT;
        }
        Self(seconds as u64 * Self::PER_SECOND + nanos as u64)
    }
    /// The calendar date in China Standard Time.
    pub const fn china_date(self) -> TradingDay {
        TradingDay::from_days_since_epoch(((self.0 + Self::CHINA_OFFSET) / (86_400 * Self::PER_SECOND)) as i64)
    }
    /// Second of the day in China Standard Time.
    pub const fn china_second(self) -> u32 {
        ((self.0 + Self::CHINA_OFFSET) / Self::PER_SECOND % 86_400) as u32
    }
    /// Nanoseconds within the second.
    pub const fn subsecond(self) -> u32 {
        (self.0 % Self::PER_SECOND) as u32
    }
}

impl fmt::Display for Nanos {
    /// `2018-10-08 21:00:00.500000000`, China Standard Time; a precision cuts the fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() {
            return f.pad("-");
        }
        let (date, second) = (self.china_date(), self.china_second());
        let (year, month, day) = date.ymd();
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        let places = f.precision().unwrap_or(9).min(9);
        if places > 0 {
            let fraction = format!("{:09}", self.subsecond());
            write!(f, ".{}", fraction.get(..places).unwrap_or(""))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nanos({})", self.0)
    }
}

/// A calendar date as `yyyymmdd`; most often the exchange's trading day, which a night session shares with the next
/// day's. Zero is absent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Default)]
#[repr(transparent)]
pub struct TradingDay(u32);

impl TradingDay {
    /// No day.
    pub const ABSENT: Self = Self(0);

    /// From `yyyymmdd`; `None` when there is no such date.
    pub const fn new(yyyymmdd: u32) -> Option<Self> {
        let (year, month, day) = (yyyymmdd / 10_000, yyyymmdd / 100 % 100, yyyymmdd % 100);
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if year < 1970 || year > 9999 || day == 0 || day > last { None } else { Some(Self(yyyymmdd)) }
    }
    /// As `yyyymmdd`; zero when absent.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }
    /// Whether there is no day.
    #[inline]
    pub const fn is_absent(self) -> bool {
        self.0 == 0
    }
    /// Year, month, day of the month.
    pub const fn ymd(self) -> (u32, u32, u32) {
        (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
    /// Days since 1970-01-01 in the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
    pub const fn days_since_epoch(self) -> i64 {
        let (year, month, day) = self.ymd();
        let year = year as i64 - (month <= 2) as i64;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (month as i64 + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
    /// The date that many days after 1970-01-01; the inverse of [`Self::days_since_epoch`].
    pub const fn from_days_since_epoch(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + (month <= 2) as i64;
        Self((year * 10_000 + month * 100 + day) as u32)
    }
    /// The date `days` later (earlier when negative).
    pub const fn plus_days(self, days: i64) -> Self {
        Self::from_days_since_epoch(self.days_since_epoch() + days)
    }
    /// Day of the week, Monday 0 to Sunday 6.
    pub const fn weekday(self) -> u32 {
        (self.days_since_epoch() + 3).rem_euclid(7) as u32
    }
}

impl fmt::Display for TradingDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() { f.pad("-") } else { fmt::Display::fmt(&self.0, f) }
    }
}

impl fmt::Debug for TradingDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TradingDay({})", self.0)
    }
}

/// A short text in `N` bytes, zero-padded; the bytes are kept as given (a CTP OrderSysID keeps its leading spaces).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Text<N> {
    /// The empty text.
    pub const EMPTY: Self = Self([0; N]);

    /// From bytes; `None` when they do not fit. A zero byte ends the text.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or(&[]);
        let mut text = Self::EMPTY;
        text.0.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(text)
    }
    /// The bytes before the padding.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(N);
        self.0.get(..end).unwrap_or(&[])
    }
    /// As UTF-8, or `?` when it is not.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }
    /// Whether there is no text.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.first().is_none_or(|&byte| byte == 0)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn feed_noise_is_absent() {
        for noise in [f64::MAX, -f64::MAX, f64::NAN, f64::INFINITY, 1e30] {
            assert!(Price::from_f64(noise).is_absent(), "{noise}");
            assert!(Money::from_f64(noise).is_absent(), "{noise}");
        }
        assert_eq!(Price::from_f64(5806.400000000001), Price::parse("5806.4").unwrap());
    }

    proptest! {
        #[test]
        fn the_conversion_is_the_rounded_product(value in prop_oneof![any::<f64>(), -1e12..1e12, -3e7..3e7, -1e-7..1e-7]) {
            let product = (value * 1e8).round_ties_even();
            let expected = if product.abs() < 2_f64.powi(63) { product as i64 } else { i64::MIN };
            prop_assert_eq!(Price::from_f64(value).raw(), expected);
        }
    }

    proptest! {
        #[test]
        fn money_up_to_45_million_survives_f64(raw in -(1_i128 << 52)..(1_i128 << 52)) {
            prop_assert_eq!(Money::from_f64(raw as f64 / 1e8), Money::from_raw(raw));
        }

        #[test]
        fn money_is_the_nearest_of_what_the_float_holds(whole in -99_999_999_999_i64..99_999_999_999, eighths in 0_i64..8) {
            let exact = Money::from_raw(i128::from(whole) * 100_000_000 + i128::from(eighths) * 12_500_000);
            prop_assert_eq!(Money::from_f64(whole as f64 + eighths as f64 / 8.0), exact);
        }
    }

    #[test]
    fn malformed_decimals_are_refused() {
        for text in ["", ".", "-", "1.2.3", "1e5", "abc", "1.123456789", "999999999999"] {
            assert_eq!(Price::parse(text), None, "{text:?}");
        }
        assert_eq!(Price::parse("1.1000000000"), Some(Price::from_raw(110_000_000)));
    }

    #[test]
    fn china_time_reads_back() {
        let day = TradingDay::new(20_181_008).unwrap();
        let time = Nanos::china(day, 21 * 3600, 500_000_000);
        assert_eq!(format!("{time:.3}"), "2018-10-08 21:00:00.500");
        assert_eq!(day.weekday(), 0, "2018-10-08 was a Monday");
        assert!(Nanos::china(TradingDay::new(99_991_231).unwrap(), 0, 999_999_999).is_absent());
    }

    proptest! {
        #[test]
        fn price_text_round_trip(raw in (i64::MIN + 1)..i64::MAX) {
            let price = Price::from_raw(raw);
            prop_assert_eq!(Price::parse(&price.to_string()), Some(price));
        }

        #[test]
        fn dates_round_trip(days in 0i64..2_900_000) {
            let date = TradingDay::from_days_since_epoch(days);
            prop_assert_eq!(TradingDay::new(date.get()), Some(date));
            prop_assert_eq!(date.days_since_epoch(), days);
        }
    }
}
