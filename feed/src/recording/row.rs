//! One row into a tick: numbers checked and in fixed point, what is missing made absent. What depends on the contract
//! and its trading day (times, multipliers) is done in `contract`.

use super::columns::{Dialect, FIELDS, Field, LEVELS};
use super::decimal::{Decimal, decimal, whole};
use super::skip::Skip;
use shrike_core::event::DepthTick;
use shrike_core::units::{Price, Qty, TradingDay, Turnover};

/// When a row was stamped, as it says itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    pub(super) trading_day: TradingDay,
    /// Absent where the recording has none.
    pub(super) action_day: TradingDay,
    pub(super) second: u32,
    pub(super) millis: u32,
}

/// The fields of a row by [`Field`].
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) fields: [&'a [u8]; FIELDS],
    pub(super) dialect: Dialect,
}

impl<'a> Row<'a> {
    #[inline]
    pub(super) fn text(&self, field: Field) -> &'a [u8] {
        self.level(field, 0)
    }

    #[inline]
    fn level(&self, field: Field, level: usize) -> &'a [u8] {
        self.fields.get(field as usize + level).copied().unwrap_or(&[])
    }

    /// The row's own time.
    pub(super) fn stamp(&self) -> Result<Stamp, Skip> {
        let day = |field| match self.text(field) {
            [] => Some(TradingDay::ABSENT),
            text => whole(text).and_then(TradingDay::new),
        };
        let trading_day = day(Field::TradingDay).filter(|day| !day.is_absent()).ok_or(Skip::Time)?;
        let action_day = day(Field::ActionDay).ok_or(Skip::Time)?;
        let (second, millis) = match self.dialect {
            Dialect::Ctp => ctp_time(self.text(Field::Time), self.text(Field::Millis)),
            Dialect::WonderTrader => wonder_trader_time(self.text(Field::Time)),
        }
        .ok_or(Skip::Time)?;
        Ok(Stamp { trading_day, action_day, second, millis })
    }

    /// The row's numbers. `zero_is_price` for combinations, whose prices may be zero. Adds the fields that were too
    /// large to `out_of_range`.
    pub(super) fn numbers(&self, zero_is_price: bool, out_of_range: &mut u64) -> Result<DepthTick, Skip> {
        let mut number = |text: &[u8], places| match decimal(text, places) {
            Decimal::Value(raw) => Ok(Some(raw)),
            Decimal::Absent => Ok(None),
            Decimal::OutOfRange => {
                *out_of_range += 1;
                Ok(None)
            }
            Decimal::Malformed => Err(Skip::Number),
        };
        let mut price = |field, level| {
            number(self.level(field, level), 8).map(|raw| match raw {
                Some(raw) if raw != 0 || zero_is_price => Price::from_raw(raw),
                _ => Price::ABSENT,
            })
        };
        let mut tick = DepthTick {
            last: price(Field::Last, 0)?,
            open: price(Field::Open, 0)?,
            high: price(Field::High, 0)?,
            low: price(Field::Low, 0)?,
            close: price(Field::Close, 0)?,
            settlement: price(Field::Settlement, 0)?,
            pre_settlement: price(Field::PreSettlement, 0)?,
            pre_close: price(Field::PreClose, 0)?,
            upper_limit: price(Field::Upper, 0)?,
            lower_limit: price(Field::Lower, 0)?,
            average: price(Field::Average, 0)?,
            ..DepthTick::default()
        };
        for level in 0..LEVELS {
            tick.bids[level] = price(Field::Bid, level)?;
            tick.asks[level] = price(Field::Ask, level)?;
        }
        let mut qty = |field, level| Ok(number(self.level(field, level), 8)?.map_or(Qty::ABSENT, Qty::from_raw));
        tick.volume = qty(Field::Volume, 0)?;
        tick.open_interest = qty(Field::OpenInterest, 0)?;
        tick.pre_open_interest = qty(Field::PreOpenInterest, 0)?;
        for level in 0..LEVELS {
            tick.bid_qtys[level] = qty(Field::BidQty, level)?;
            tick.ask_qtys[level] = qty(Field::AskQty, level)?;
        }
        tick.turnover = number(self.text(Field::Turnover), 4)?.map_or(Turnover::ABSENT, Turnover::from_raw);
        if tick.volume.raw() < 0 {
            return Err(Skip::Number);
        }
        side(&mut tick.bids, &mut tick.bid_qtys);
        side(&mut tick.asks, &mut tick.ask_qtys);
        Ok(tick)
    }
}

/// A level needs a price and lots; without either it is no level.
fn side(prices: &mut [Price; LEVELS], qtys: &mut [Qty; LEVELS]) {
    for (price, qty) in prices.iter_mut().zip(qtys) {
        if price.is_absent() || qty.raw() <= 0 {
            (*price, *qty) = (Price::ABSENT, Qty::ZERO);
        }
    }
}

/// `HH:MM:SS` and milliseconds.
fn ctp_time(time: &[u8], millis: &[u8]) -> Option<(u32, u32)> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
    let millis = if millis.is_empty() { 0 } else { whole(millis).filter(|&millis| millis < 1_000)? };
    Some((second_of_day(whole(&[h1, h2])?, whole(&[m1, m2])?, whole(&[s1, s2])?)?, millis))
}

/// `HHMMSSmmm` as a number: leading zeros are lost, and a float may have been made of it.
fn wonder_trader_time(time: &[u8]) -> Option<(u32, u32)> {
    let time = whole(time.strip_suffix(b".0").unwrap_or(time))?;
    Some((second_of_day(time / 10_000_000, time / 100_000 % 100, time / 1_000 % 100)?, time % 1_000))
}

fn second_of_day(hour: u32, minute: u32, second: u32) -> Option<u32> {
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_time() {
        assert_eq!(ctp_time(b"21:00:00", b"500"), Some((75_600, 500)));
        assert_eq!(ctp_time(b"09:00:00", b""), Some((32_400, 0)));
        assert_eq!(wonder_trader_time(b"92900400"), Some((34_140, 400)));
        assert_eq!(wonder_trader_time(b"150000200.0"), Some((54_000, 200)));
        assert_eq!(wonder_trader_time(b"500"), Some((0, 500)), "midnight");
        for bad in [&b"24:00:00"[..], b"9:00:00", b"09:60:00", b"09-00-00", b"09:00:0x"] {
            assert_eq!(ctp_time(bad, b"0"), None, "{:?}", String::from_utf8_lossy(bad));
        }
        assert_eq!(ctp_time(b"09:00:00", b"1000"), None);
        assert_eq!(wonder_trader_time(b"96000000"), None);
    }
}
