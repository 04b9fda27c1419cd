//! The last trading day of a contract month, where no venue is there to say it. Sources: the exchanges' contract
//! specifications; a last day that falls on a holiday moves to the next trading day.

use shrike_core::calendar::Calendar;
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::product::Product;
use shrike_core::units::TradingDay;

/// How a specification names the day.
#[derive(Clone, Copy)]
enum Rule {
    /// The date, or the next trading day.
    Date(u32),
    /// The n-th trading day of the month.
    Nth(usize),
    /// The n-th last trading day of the month.
    NthLast(usize),
    /// The last trading day of the month before.
    MonthBefore,
    /// The n-th Friday, or the next trading day.
    Friday(u32),
}

/// The last trading day; absent when the calendar does not reach it or the rule is not known here: options but CFFEX's,
/// whose rules changed over the years, and SHFE's and INE's products settled by an index.
pub(super) fn last_trading_day(product: &Product, year: u32, month: u32, calendar: &Calendar) -> TradingDay {
    rule_of(product).and_then(|rule| day_of(rule, year, month, calendar)).unwrap_or(TradingDay::ABSENT)
}

fn rule_of(product: &Product) -> Option<Rule> {
    if product.class != ProductClass::Future && product.exchange != Exchange::Cffex {
        return None;
    }
    Some(match (product.exchange, product.code.as_str()) {
        (Exchange::Shfe, "fu") | (Exchange::Ine, "sc" | "lu") => Rule::MonthBefore,
        (Exchange::Ine, "ec") => return None,
        (Exchange::Shfe | Exchange::Ine, _) => Rule::Date(15),
        (Exchange::Dce, "jd" | "lh" | "eb" | "eg" | "pg") => Rule::NthLast(4),
        (Exchange::Czce, "ZC") => Rule::Nth(5),
        (Exchange::Dce | Exchange::Czce | Exchange::Gfex, _) => Rule::Nth(10),
        (Exchange::Cffex, "TS" | "TF" | "T" | "TL") => Rule::Friday(2),
        (Exchange::Cffex, _) => Rule::Friday(3),
        _ => return None,
    })
}

fn day_of(rule: Rule, year: u32, month: u32, calendar: &Calendar) -> Option<TradingDay> {
    let first = TradingDay::new(year * 10_000 + month * 100 + 1)?;
    let beyond = first.plus_days(31);
    let next_month = beyond.plus_days(1 - i64::from(beyond.ymd().2));
    let or_next = |date: TradingDay| match calendar.is_trading_day(date).ok()? {
        true => Some(date),
        false => calendar.next_trading_day(date).ok(),
    };
    let days = || calendar.trading_days(first, next_month.plus_days(-1)).ok();
    match rule {
        Rule::Date(date) => or_next(first.plus_days(i64::from(date) - 1)),
        Rule::Nth(n) => days()?.get(n - 1).copied(),
        Rule::NthLast(n) => days()?.iter().rev().nth(n - 1).copied(),
        Rule::MonthBefore => calendar.previous_trading_day(first).ok(),
        Rule::Friday(n) => {
            let to_friday = (4 + 7 - first.weekday()) % 7;
            or_next(first.plus_days(i64::from(to_friday + 7 * (n - 1))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tables;
    use super::*;

    #[test]
    fn last_trading_days_as_the_exchanges_announced_them() {
        let tables = tables();
        let cases = [
            ("ru1901", 2019, 1, 20190115),
            ("IF2101", 2021, 1, 20210115),
            ("AP010", 2020, 10, 20201022),
            ("m1901", 2019, 1, 20190115),
        ];
        for (symbol, year, month, day) in cases {
            let product = tables.products.of_symbol(symbol).unwrap();
            let last = last_trading_day(product, year, month, tables.sessions.calendar());
            assert_eq!(last.get(), day, "{symbol}");
        }
    }
}
