//! Values with a meaning of their own: ranges, powers of two, exact decimals, days, core numbers. Each says in its
//! error what may stand there.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shrike_core::units::{Money, Price, SCALE};
use std::fmt;

/// An exact ratio in units of 1e-8, as [`Money::times_rate`] takes it. Written as a number or in quotes: `0.8`, `"0.8"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ratio(i64);

impl Ratio {
    /// From units of 1e-8.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// In units of 1e-8.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// For statistics and the generated market; never for money.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Price::from_raw(self.0).fmt(f)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a whole number from `MIN` to `MAX`, both included.
pub(crate) fn within<'de, const MIN: i64, const MAX: i64, T, D>(from: D) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    let number = from.deserialize_any(Whole { min: MIN, max: MAX, power_of_two: false })?;
    T::try_from(number).map_err(|_| D::Error::custom(format!("a whole number from {MIN} to {MAX}")))
}

/// Reads a power of two from `MIN` to `MAX`, both included.
pub(crate) fn power_of_two<'de, const MIN: i64, const MAX: i64, D>(from: D) -> Result<u32, D::Error>
where
    D: Deserializer<'de>,
{
    let number = from.deserialize_any(Whole { min: MIN, max: MAX, power_of_two: true })?;
    u32::try_from(number).map_err(|_| D::Error::custom("a power of two"))
}

/// As [`within`], for a key that may be left out.
pub(crate) fn some_within<'de, const MIN: i64, const MAX: i64, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    within::<MIN, MAX, T, D>(from).map(Some)
}

struct Whole {
    min: i64,
    max: i64,
    power_of_two: bool,
}

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, max, power_of_two } = self;
        match (power_of_two, max) {
            (true, _) => write!(f, "a power of two from {min} to {max}"),
            (false, &i64::MAX) => write!(f, "a whole number of at least {min}"),
            (false, _) => write!(f, "a whole number from {min} to {max}"),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        let in_range = self.min <= number && number <= self.max;
        let fits = in_range && (!self.power_of_two || number.unsigned_abs().is_power_of_two());
        if fits { Ok(number) } else { Err(E::invalid_value(Unexpected::Signed(number), &self)) }
    }
}

/// Reads a ratio from `MIN` to `MAX` (in whole units), both included.
pub(crate) fn ratio<'de, const MIN: i64, const MAX: i64, D>(from: D) -> Result<Ratio, D::Error>
where
    D: Deserializer<'de>,
{
    let expected = || format!("a decimal from {MIN} to {MAX} with at most 8 digits after the point");
    let price = from.deserialize_any(Decimal { parse: Price::parse, whole: whole_price, expected: &expected })?;
    let (min, max) = (MIN.saturating_mul(SCALE), MAX.saturating_mul(SCALE));
    if (min..=max).contains(&price.raw()) { Ok(Ratio(price.raw())) } else { Err(D::Error::custom(expected())) }
}

fn whole_price(units: i64) -> Option<Price> {
    units.checked_mul(SCALE).map(Price::from_raw)
}

/// Money, as an exact decimal.
pub(crate) mod money {
    use super::{Decimal, Deserializer, Money, SCALE, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(money)
    }

    /// Reads a positive amount of at most 1e15.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        let expected = || "a positive amount of money up to 1e15 with at most 8 digits after the point".to_owned();
        let whole = |units: i64| Some(Money::from_raw(i128::from(units) * i128::from(SCALE)));
        let money = from.deserialize_any(Decimal { parse: Money::parse, whole, expected: &expected })?;
        let most = Money::whole(1_000_000_000_000_000);
        if money > Money::ZERO && money <= most { Ok(money) } else { Err(D::Error::custom(expected())) }
    }
}

struct Decimal<'a, T, W> {
    parse: fn(&str) -> Option<T>,
    whole: W,
    expected: &'a dyn Fn() -> String,
}

impl<T, W: Fn(i64) -> Option<T>> Visitor<'_> for Decimal<'_, T, W> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&(self.expected)())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        (self.whole)(number).ok_or_else(|| E::custom((self.expected)()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::custom((self.expected)()))
    }
}

/// A calendar date as the number `yyyymmdd`.
pub(crate) mod day {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error;
    use shrike_core::units::TradingDay;

    pub(crate) fn serialize<S: Serializer>(day: &TradingDay, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(day.get())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TradingDay, D::Error> {
        let expected = || D::Error::custom("a date as a number yyyymmdd, for example 20240603");
        TradingDay::new(u32::deserialize(from).map_err(|_| expected())?).ok_or_else(expected)
    }
}

/// A core to pin a thread to: its number, or `"none"`.
pub(crate) mod core_id {
    use super::{Deserializer, Error, Serializer, Unexpected, Visitor, fmt};

    /// Numbers beyond this are slips, not cores.
    const MAX: i64 = 1023;

    pub(crate) fn serialize<S: Serializer>(core: &Option<usize>, serializer: S) -> Result<S::Ok, S::Error> {
        match core {
            Some(core) => serializer.serialize_u64(*core as u64),
            None => serializer.serialize_str("none"),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
        from.deserialize_any(Core)
    }

    struct Core;

    impl Visitor<'_> for Core {
        type Value = Option<usize>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the number of a core from 0 to {MAX}, or \"none\"")
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            match usize::try_from(number) {
                Ok(core) if number <= MAX => Ok(Some(core)),
                _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
            }
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            if text == "none" { Ok(None) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
        }
    }
}
