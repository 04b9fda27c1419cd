//! What a contract's code says together with the product tables: product and exchange, an option's right, strike and
//! underlying, the contract month and the last trading day that follows from it.

use super::expiry::last_trading_day;
use shrike_core::calendar::Calendar;
use shrike_core::codes::{Exchange, OptionType, ProductClass};
use shrike_core::event::InstrumentDef;
use shrike_core::instrument::InstrumentId;
use shrike_core::product::{Product, Products};
use shrike_core::units::{Price, Text, TradingDay};

/// The product of a symbol; `None` when no table knows it, when the row's own exchange is another one, or when no event
/// could hold the symbol.
pub(crate) fn product_of<'a>(products: &'a Products, symbol: &[u8], exchange: &[u8]) -> Option<&'a Product> {
    let symbol: Text<40> = Text::new(symbol)?;
    let product = products.of_symbol(symbol.as_str())?;
    let stated = std::str::from_utf8(exchange).ok().and_then(Exchange::parse);
    (stated.is_none_or(|stated| stated == product.exchange)).then_some(product)
}

/// The definition of a contract under an id, as seen from one of its trading days: three-digit months name the year of
/// the decade that is still to come. `None` when the symbol is too long.
pub(crate) fn definition(
    product: &Product,
    symbol: &str,
    id: InstrumentId,
    seen: TradingDay,
    calendar: &Calendar,
) -> Option<InstrumentDef> {
    let mut def = product.instrument(id, symbol)?;
    let code = Code::of(symbol);
    if let Some((year, month)) = code.month_after(seen) {
        def.expiry = last_trading_day(product, year, month, calendar);
    }
    if product.class == ProductClass::Option {
        let underlying = match product.exchange {
            // Index options: the code has the index's month, not a future's.
            Exchange::Cffex => product.underlying.as_str().to_owned(),
            _ => format!("{}{}", code.letters, code.month),
        };
        def.underlying = Text::new(underlying.as_bytes()).unwrap_or_default();
        def.strike = Price::parse(code.strike).unwrap_or(Price::ABSENT);
        def.option_type = match code.right {
            Some('C') => OptionType::Call.code(),
            Some('P') => OptionType::Put.code(),
            _ => 0,
        };
    }
    Some(def)
}

/// The parts of a code: `SR703C5300` is `SR`, `703`, `C`, `5300`; `m1905-C-2700` likewise.
struct Code<'a> {
    letters: &'a str,
    month: &'a str,
    right: Option<char>,
    strike: &'a str,
}

impl<'a> Code<'a> {
    fn of(symbol: &'a str) -> Self {
        let digits = symbol.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let letters = symbol.strip_suffix(digits).unwrap_or("");
        let month = digits.strip_suffix(rest).unwrap_or("");
        let tail = rest.trim_start_matches('-');
        let right = tail.chars().next();
        let strike = tail.trim_start_matches(['C', 'P']).trim_start_matches('-');
        Self { letters, month, right, strike }
    }

    /// Year and month, the first such month that is not before `seen`'s.
    fn month_after(&self, seen: TradingDay) -> Option<(u32, u32)> {
        let number: u32 = self.month.parse().ok()?;
        let month = number % 100;
        let (cycle, (now, this_month, _)) = match self.month.len() {
            4 => (100, seen.ymd()),
            3 => (10, seen.ymd()),
            _ => return None,
        };
        let year = now - now % cycle + number / 100;
        let past = (year, month) < (now, this_month);
        (1..=12).contains(&month).then_some((if past { year + cycle } else { year }, month))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_apart() {
        let cases = [
            ("ru1901", "ru", "1901", None, ""),
            ("AP010", "AP", "010", None, ""),
            ("m1905-C-2700", "m", "1905", Some('C'), "2700"),
            ("cu2006C47000", "cu", "2006", Some('C'), "47000"),
            ("SR703P5300", "SR", "703", Some('P'), "5300"),
            ("IO2503-C-3900", "IO", "2503", Some('C'), "3900"),
        ];
        for (symbol, letters, month, right, strike) in cases {
            let code = Code::of(symbol);
            assert_eq!(
                (code.letters, code.month, code.right, code.strike),
                (letters, month, right, strike),
                "{symbol}"
            );
        }
    }

    #[test]
    fn a_digit_of_the_year_is_the_next_such_year() {
        let seen = |day| TradingDay::new(day).unwrap();
        let cases = [
            ("AP010", 20200803, Some((2020, 10))),
            ("AP010", 20191203, Some((2020, 10))),
            ("AP901", 20181012, Some((2019, 1))),
            ("AP001", 20191203, Some((2020, 1))),
            ("AP812", 20181231, Some((2018, 12))),
            ("ru1901", 20181012, Some((2019, 1))),
            ("ru1913", 20181012, None),
            ("ru19", 20181012, None),
        ];
        for (symbol, day, month) in cases {
            assert_eq!(Code::of(symbol).month_after(seen(day)), month, "{symbol} on {day}");
        }
    }
}
