//! Decimal text straight into fixed point. Recordings hold exact decimals, floats with noise (`5806.400000000001`),
//! words for "nothing" and DBL_MAX; each becomes a value, an absence or an error here. Called once per field, so it
//! reads each byte once and touches no float unless the text has an exponent or too many digits.

/// What a field says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decimal {
    /// A number, in units of 10^-places, rounded half away from zero.
    Value(i64),
    /// No number is meant: empty, `N/A`, `nan`, an infinity, or DBL_MAX.
    Absent,
    /// A number that does not fit 64 bits.
    OutOfRange,
    /// Not a number.
    Malformed,
}

/// From here up a number means "nothing": CTP marks absent prices by DBL_MAX, 1.797e308.
const NOTHING: f64 = 1e300;

/// Reads a decimal to `places` digits after the point (at most 17).
#[inline]
pub(super) fn decimal(text: &[u8], places: u32) -> Decimal {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut whole = 0u64;
    let mut rest = digits;
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        rest = tail;
    }
    // 18 digits in all stay below 2^63; whatever else has more is rare.
    let whole_digits = digits.len() - rest.len();
    if whole_digits as u32 > 18 - places {
        return unusual(text, places);
    }
    let mut value = whole * 10u64.pow(places);
    let mut fraction_digits = 0;
    if let [b'.', tail @ ..] = rest {
        rest = tail;
        let mut unit = value_unit(places);
        while let [digit @ b'0'..=b'9', tail @ ..] = rest {
            if unit == 0 {
                value += u64::from(fraction_digits == places && *digit >= b'5');
            } else {
                value += u64::from(digit - b'0') * unit;
                unit /= 10;
            }
            fraction_digits += 1;
            rest = tail;
        }
    }
    if !rest.is_empty() || whole_digits == 0 && fraction_digits == 0 {
        return unusual(text, places);
    }
    let value = value as i64;
    Decimal::Value(if negative { -value } else { value })
}

/// What the first digit after the point is worth; zero when none is kept.
#[inline]
const fn value_unit(places: u32) -> u64 {
    if places == 0 { 0 } else { 10u64.pow(places - 1) }
}

/// Words, exponents and very long numbers.
#[cold]
fn unusual(text: &[u8], places: u32) -> Decimal {
    let Ok(text) = std::str::from_utf8(text) else { return Decimal::Malformed };
    let text = text.trim();
    if ["", "-", "N/A", "NA", "null", "None"].iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Decimal::Absent;
    }
    let Ok(value) = text.parse::<f64>() else { return Decimal::Malformed };
    if value.is_nan() || value.abs() >= NOTHING {
        return Decimal::Absent;
    }
    let scaled = (value * 10f64.powi(places as i32)).round();
    // 2^63 is exact in f64.
    if scaled.abs() < 9_223_372_036_854_775_808.0 { Decimal::Value(scaled as i64) } else { Decimal::OutOfRange }
}

/// A whole number without sign, as in dates and times; `None` when it is anything else or has more than 9 digits.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shrike_core::units::Price;

    #[test]
    fn what_recordings_hold() {
        let cases: &[(&str, Decimal)] = &[
            ("12485.00", Decimal::Value(1_248_500_000_000)),
            ("124805.5135", Decimal::Value(12_480_551_350_000)),
            ("5806.400000000001", Decimal::Value(580_640_000_000)),
            ("5806.3999999999996", Decimal::Value(580_640_000_000)),
            ("0.123456785", Decimal::Value(12_345_679)),
            ("0.1234567849999", Decimal::Value(12_345_678)),
            ("-59.0", Decimal::Value(-5_900_000_000)),
            (".5", Decimal::Value(50_000_000)),
            ("7.", Decimal::Value(700_000_000)),
            ("1.5e3", Decimal::Value(150_000_000_000)),
            ("N/A", Decimal::Absent),
            ("", Decimal::Absent),
            ("nan", Decimal::Absent),
            ("1.7976931348623157e+308", Decimal::Absent),
            ("99999999999999", Decimal::OutOfRange),
            ("12x5", Decimal::Malformed),
            ("1.2.3", Decimal::Malformed),
            (".", Decimal::Malformed),
            ("--1", Decimal::Malformed),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal(text.as_bytes(), 8), *expected, "{text:?}");
        }
        assert_eq!(decimal(format!("{:.6}", f64::MAX).as_bytes(), 8), Decimal::Absent, "DBL_MAX written out");
        assert_eq!(decimal(b"132807388020.0", 4), Decimal::Value(1_328_073_880_200_000), "a day's turnover");
        assert_eq!(decimal(b"99999999999999999.0", 4), Decimal::OutOfRange);
    }

    proptest! {
        #[test]
        fn agrees_with_the_exact_reading(raw in -999_999_999_999_999_999i64..999_999_999_999_999_999) {
            prop_assert_eq!(decimal(Price::from_raw(raw).to_string().as_bytes(), 8), Decimal::Value(raw));
        }

        #[test]
        fn agrees_with_the_float_reading(value in -1e7f64..1e7) {
            // Shortest float text carries up to 17 digits; near 1e7 a double is 2e-9 exact, so one unit may differ.
            let Decimal::Value(raw) = decimal(value.to_string().as_bytes(), 8) else { panic!("{value}") };
            prop_assert!((raw - Price::from_f64(value).raw()).abs() <= 1, "{} {}", value, raw);
        }

        #[test]
        fn any_bytes_are_some_answer(bytes in proptest::collection::vec(any::<u8>(), 0..40), places in 0u32..9) {
            let _ = (decimal(&bytes, places), whole(&bytes));
        }
    }
}
