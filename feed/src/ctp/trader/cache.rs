//! The text that keeps rates from one day to the next: a line for each contract, its symbol, the trading day of the
//! counter's word and the numbers of [`Rates`] in their raw units. A line that cannot be read is left out: the
//! counter will be asked again.

use crate::ctp::callback::Symbol;
use shrike_core::event::Rates;
use shrike_core::units::{Money, TradingDay};
use std::collections::BTreeMap;
use std::fmt::Write;

const HEAD: &str = "# shrike rates 2: symbol day margin(long short) fee(open close close-today) per lot(the same, least short margin)\n";

/// The text of these rates.
pub fn write(rates: &BTreeMap<Symbol, Rates>) -> String {
    let mut text = HEAD.to_owned();
    for (symbol, r) in rates {
        let ratios = [r.long_margin_ratio, r.short_margin_ratio, r.open_ratio, r.close_ratio, r.close_today_ratio];
        let amounts = [
            r.long_margin_per_lot,
            r.short_margin_per_lot,
            r.open_per_lot,
            r.close_per_lot,
            r.close_today_per_lot,
            r.short_margin_least_per_lot,
        ];
        let _ = write!(text, "{symbol} {}", r.effective_day);
        for number in ratios.map(i128::from).into_iter().chain(amounts.map(Money::raw)) {
            let _ = write!(text, " {number}");
        }
        text.push('\n');
    }
    text
}

/// The rates of a text; empty for one that [`write`] did not write.
pub fn read(text: &str) -> BTreeMap<Symbol, Rates> {
    let lines = text.strip_prefix(HEAD).unwrap_or("").lines();
    lines.filter_map(line).collect()
}

fn line(line: &str) -> Option<(Symbol, Rates)> {
    let mut words = line.split(' ');
    let symbol = Symbol::new(words.next()?.as_bytes())?;
    let effective_day = TradingDay::new(words.next()?.parse().ok()?)?;
    let numbers: Vec<i128> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let [long, short, open, close, today, amounts @ ..] = numbers.as_slice() else { return None };
    let &[long_lot, short_lot, open_lot, close_lot, today_lot, short_least] = amounts else { return None };
    let ratio = |raw: &i128| i64::try_from(*raw).ok().filter(|&raw| raw >= 0);
    let rates = Rates {
        effective_day,
        long_margin_ratio: ratio(long)?,
        short_margin_ratio: ratio(short)?,
        open_ratio: ratio(open)?,
        close_ratio: ratio(close)?,
        close_today_ratio: ratio(today)?,
        long_margin_per_lot: Money::from_raw(long_lot),
        short_margin_per_lot: Money::from_raw(short_lot),
        open_per_lot: Money::from_raw(open_lot),
        close_per_lot: Money::from_raw(close_lot),
        close_today_per_lot: Money::from_raw(today_lot),
        short_margin_least_per_lot: Money::from_raw(short_least),
        ..Rates::default()
    };
    (!symbol.is_empty()).then_some((symbol, rates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_damage_costs_its_line_only() {
        let rates = |long, fee| Rates {
            effective_day: TradingDay::new(20_240_603).unwrap(),
            long_margin_ratio: long,
            open_per_lot: Money::from_raw(fee),
            ..Rates::default()
        };
        let symbol = |text: &str| Symbol::new(text.as_bytes()).unwrap();
        let all = BTreeMap::from([(symbol("IF2406"), rates(12_000_000, 0)), (symbol("rb2410"), rates(7, 100_000_001))]);
        let text = write(&all);
        assert_eq!(read(&text), all);
        let damaged = text.replace("IF2406 20240603", "IF2406 20241399");
        assert_eq!(read(&damaged).into_keys().collect::<Vec<_>>(), [symbol("rb2410")]);
        assert!(read("not ours").is_empty());
    }
}
