//! CTP's depth snapshot (API 6.6.1 to 6.7.13, 584 bytes) into a [`DepthTick`], in place in a ring's slot, on CTP's
//! callback thread. Every number is checked: what is missing (`DBL_MAX`, zero where zero is no price) or out of range
//! becomes absent; a snapshot whose time cannot be read is refused. No allocation, no clock: the caller says when it was
//! received.
#![deny(clippy::float_arithmetic)]

use bytemuck::{Pod, Zeroable};
use shrike_core::codes::Exchange;
use shrike_core::event::DepthTick;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Qty, TradingDay, Turnover};

/// One level of both sides, as it lies in the snapshot.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub struct Level {
    /// Bid price; `DBL_MAX` when there is none.
    pub bid: f64,
    /// Lots at the bid.
    pub bid_lots: i32,
    /// Alignment.
    pub pad_bid: i32,
    /// Ask price; `DBL_MAX` when there is none.
    pub ask: f64,
    /// Lots at the ask.
    pub ask_lots: i32,
    /// Alignment.
    pub pad_ask: i32,
}

/// The snapshot as CTP lays it out (natural alignment; padding is spelled out so that it is plain bytes).
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub struct DepthSnapshot {
    /// `yyyymmdd` and a zero byte; CZCE gives the natural date here.
    pub trading_day: [u8; 9],
    /// Where contracts up to 30 bytes stood before 6.5.1.
    pub reserved_instrument: [u8; 31],
    /// Empty on ordinary fronts.
    pub exchange: [u8; 9],
    /// Where the exchange's contract code stood before 6.5.1.
    pub reserved_exchange_instrument: [u8; 31],
    /// Last price.
    pub last: f64,
    /// Previous settlement price.
    pub pre_settlement: f64,
    /// Previous close.
    pub pre_close: f64,
    /// Previous open interest.
    pub pre_open_interest: f64,
    /// First price of the day.
    pub open: f64,
    /// Highest price of the day.
    pub high: f64,
    /// Lowest price of the day.
    pub low: f64,
    /// Lots traded today.
    pub volume: i32,
    /// Alignment.
    pub pad_volume: i32,
    /// Value traded today.
    pub turnover: f64,
    /// Open interest.
    pub open_interest: f64,
    /// Close; `DBL_MAX` before it.
    pub close: f64,
    /// Settlement price; `DBL_MAX` before it.
    pub settlement: f64,
    /// Upper price limit.
    pub upper_limit: f64,
    /// Lower price limit.
    pub lower_limit: f64,
    /// Previous delta; not used.
    pub pre_delta: f64,
    /// Delta; not used.
    pub delta: f64,
    /// `HH:MM:SS` and a zero byte, China Standard Time.
    pub time: [u8; 9],
    /// Alignment.
    pub pad_time: [u8; 3],
    /// Milliseconds within the second; always zero on some exchanges.
    pub millis: i32,
    /// Five levels, best first.
    pub levels: [Level; 5],
    /// Average price of the day, times the multiplier except on CZCE.
    pub average: f64,
    /// `yyyymmdd` and a zero byte: the natural date, but on DCE the trading day.
    pub action_day: [u8; 9],
    /// The contract.
    pub instrument: [u8; 81],
    /// The contract in the exchange's own spelling.
    pub exchange_instrument: [u8; 81],
    /// Alignment.
    pub pad_instrument: [u8; 5],
    /// Upper banding price; not used.
    pub banding_upper: f64,
    /// Lower banding price; not used.
    pub banding_lower: f64,
}

/// What the decoder needs to know of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contract {
    /// Its id.
    pub instrument: InstrumentId,
    /// Its exchange: the snapshot's own field is empty on ordinary fronts.
    pub exchange: Exchange,
    /// Units per lot.
    pub multiplier: i64,
    /// A combination's prices may be zero; any other zero price is a missing one.
    pub zero_is_price: bool,
    /// CZCE on fronts before 6.7.1, and on market-data fronts: turnover comes without the multiplier.
    pub bare_turnover: bool,
}

/// A snapshot that is no tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// The time of day is not `HH:MM:SS` or the milliseconds are not below 1000.
    #[error("the snapshot's UpdateTime or UpdateMillisec is no time")]
    Time,
    /// The date is not `yyyymmdd`, or in no year that has numbers of nanoseconds.
    #[error("the snapshot's ActionDay or TradingDay is no date")]
    Day,
    /// The volume is negative.
    #[error("the snapshot's Volume is negative")]
    Volume,
}

/// When a snapshot was made. Having it means that the snapshot is a tick.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    trading_day: TradingDay,
    action_day: TradingDay,
    exch_ns: Nanos,
}

/// The dates and the second of the snapshot before. Dates seldom change, and a second has snapshots of every contract;
/// reading one costs as much as a whole level.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dates {
    trading: Date,
    action: Date,
    time: Time,
}

/// A time's text and the second of the day that it says.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    text: [u8; 9],
    second: Option<u32>,
}

impl Time {
    #[inline]
    fn read(&mut self, text: &[u8; 9]) -> Option<u32> {
        if self.text != *text {
            *self = Self { text: *text, second: second_of_day(text) };
        }
        self.second
    }
}

/// A date's text and what it says.
#[derive(Clone, Copy, Debug, Default)]
struct Date {
    text: [u8; 9],
    day: Option<TradingDay>,
    /// The start of that day in China.
    start: Nanos,
}

impl Date {
    #[inline]
    fn read(&mut self, text: &[u8; 9]) -> &Self {
        if self.text != *text {
            self.read_anew(text);
        }
        self
    }

    #[cold]
    fn read_anew(&mut self, text: &[u8; 9]) {
        let day = day(text);
        *self = Self { text: *text, day, start: day.map_or(Nanos::ABSENT, |day| Nanos::china(day, 0, 0)) };
    }
}

/// Reads what can make a snapshot unusable, before a slot of a ring is taken for it. `dates` is kept from one snapshot to
/// the next, by the thread that reads them.
///
/// `session_day` is the login's trading day, which CZCE's snapshots do not carry at night. `received` decides the date of
/// a DCE snapshot at night, where CTP sends the trading day as the natural date.
pub fn stamp(
    snapshot: &DepthSnapshot,
    contract: &Contract,
    session_day: TradingDay,
    received: Nanos,
    dates: &mut Dates,
) -> Result<Stamp, Malformed> {
    let own = dates.trading.read(&snapshot.trading_day);
    let trading_day = if contract.exchange == Exchange::Czce { Some(session_day) } else { own.day };
    let trading_day = trading_day.ok_or(Malformed::Day)?;
    let second = dates.time.read(&snapshot.time).ok_or(Malformed::Time)?;
    let millis = u32::try_from(snapshot.millis).ok().filter(|&millis| millis < 1_000).ok_or(Malformed::Time)?;
    let (action_day, start) = if contract.exchange == Exchange::Dce && is_night(second) {
        let day = nearest_date(second, received);
        (day, Nanos::china(day, 0, 0))
    } else {
        let action = dates.action.read(&snapshot.action_day);
        // Some gateways leave ActionDay empty; by day the trading day is the natural one.
        let date = if action.day.is_none() && !is_night(second) { own } else { action };
        (date.day.ok_or(Malformed::Day)?, date.start)
    };
    if start.is_absent() {
        return Err(Malformed::Day);
    }
    if snapshot.volume < 0 {
        return Err(Malformed::Volume);
    }
    let since_start = u64::from(second) * Nanos::PER_SECOND + u64::from(millis) * Nanos::PER_MILLI;
    Ok(Stamp { trading_day, action_day, exch_ns: start.after(since_start) })
}

/// [`stamp`] and [`fill`]. About 60 ns.
///
/// # Errors
/// As [`stamp`]; nothing is written then.
pub fn decode(
    snapshot: &DepthSnapshot,
    contract: &Contract,
    session_day: TradingDay,
    received: Nanos,
    tick: &mut DepthTick,
) -> Result<u32, Malformed> {
    let stamp = stamp(snapshot, contract, session_day, received, &mut Dates::default())?;
    Ok(fill(snapshot, contract, &stamp, tick))
}

/// Writes every field of `tick`; returns how many numbers were out of range (and are absent), for the feed's count.
pub fn fill(snapshot: &DepthSnapshot, contract: &Contract, stamp: &Stamp, tick: &mut DepthTick) -> u32 {
    let mut numbers = Numbers { zero_is_price: contract.zero_is_price, out_of_range: 0 };
    tick.instrument = contract.instrument;
    tick.trading_day = stamp.trading_day;
    tick.action_day = stamp.action_day;
    tick.exch_ns = stamp.exch_ns;
    tick.reserved = Zeroable::zeroed();
    tick.last = numbers.price(snapshot.last);
    tick.volume = Lots::new(i64::from(snapshot.volume)).qty();
    let turnover_factor = if contract.bare_turnover { contract.multiplier } else { 1 };
    tick.turnover = numbers.turnover(snapshot.turnover, turnover_factor);
    tick.open_interest = numbers.qty(snapshot.open_interest);
    tick.open = numbers.price(snapshot.open);
    tick.high = numbers.price(snapshot.high);
    tick.low = numbers.price(snapshot.low);
    tick.close = numbers.price(snapshot.close);
    tick.settlement = numbers.price(snapshot.settlement);
    tick.pre_settlement = numbers.price(snapshot.pre_settlement);
    tick.pre_close = numbers.price(snapshot.pre_close);
    tick.pre_open_interest = numbers.qty(snapshot.pre_open_interest);
    tick.upper_limit = numbers.price(snapshot.upper_limit);
    tick.lower_limit = numbers.price(snapshot.lower_limit);
    let average_of = if contract.exchange == Exchange::Czce { 1 } else { contract.multiplier.max(1) };
    tick.average = numbers.average(snapshot.average, average_of);
    let bids = tick.bids.iter_mut().zip(&mut tick.bid_qtys);
    let asks = tick.asks.iter_mut().zip(&mut tick.ask_qtys);
    for ((level, (bid, bid_qty)), (ask, ask_qty)) in snapshot.levels.iter().zip(bids).zip(asks) {
        (*bid, *bid_qty) = numbers.side(level.bid, level.bid_lots);
        (*ask, *ask_qty) = numbers.side(level.ask, level.ask_lots);
    }
    numbers.out_of_range
}

/// The checked conversions, and how many did not fit.
struct Numbers {
    zero_is_price: bool,
    out_of_range: u32,
}

impl Numbers {
    /// `DBL_MAX` is missing; anything else that has no fixed-point value is out of range.
    #[inline]
    fn absent(&mut self, value: f64) {
        self.out_of_range += u32::from(value != f64::MAX);
    }

    #[inline]
    fn price(&mut self, value: f64) -> Price {
        let price = Price::from_f64(value);
        if price.is_absent() {
            self.absent(value);
        } else if price == Price::ZERO && !self.zero_is_price {
            return Price::ABSENT;
        }
        price
    }

    #[inline]
    fn qty(&mut self, value: f64) -> Qty {
        let qty = Qty::from_f64(value);
        if qty.is_absent() {
            self.absent(value);
        }
        qty
    }

    #[inline]
    fn turnover(&mut self, value: f64, factor: i64) -> Turnover {
        let turnover = Turnover::from_f64(value);
        let product = turnover.raw().checked_mul(factor).filter(|_| turnover.is_present());
        if product.is_none() {
            self.absent(value);
        }
        product.map_or(Turnover::ABSENT, Turnover::from_raw)
    }

    /// Fixed point before the division: the day's average of a contract times its multiplier still fits.
    #[inline]
    fn average(&mut self, value: f64, divisor: i64) -> Price {
        let price = self.price(value);
        if price.is_absent() { price } else { Price::from_raw(price.raw() / divisor) }
    }

    /// A level needs a price and lots; without either it is no level.
    #[inline]
    fn side(&mut self, price: f64, lots: i32) -> (Price, Qty) {
        let price = self.price(price);
        if price.is_absent() || lots <= 0 {
            return (Price::ABSENT, Qty::ZERO);
        }
        (price, Lots::new(i64::from(lots)).qty())
    }
}

/// The night session and its hours after midnight.
const fn is_night(second: u32) -> bool {
    second >= 20 * 3600 || second < 8 * 3600
}

/// The date on which this second of the day is nearest to `received`.
fn nearest_date(second: u32, received: Nanos) -> TradingDay {
    let (date, now) = (received.china_date(), received.china_second());
    const HALF_DAY: u32 = 12 * 3600;
    if second > now + HALF_DAY {
        date.plus_days(-1)
    } else if second + HALF_DAY < now {
        date.plus_days(1)
    } else {
        date
    }
}

/// A date `yyyymmdd` with its zero byte.
#[inline]
pub(super) fn day(text: &[u8; 9]) -> Option<TradingDay> {
    let [digits @ .., 0] = text else { return None };
    digits.iter().try_fold(0, |day, &digit| Some(day * 10 + number(digit)?)).and_then(TradingDay::new)
}

/// A time `HH:MM:SS` with its zero byte.
#[inline]
pub(super) fn second_of_day(text: &[u8; 9]) -> Option<u32> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2, 0] = text else { return None };
    let two = |tens, ones| Some(number(tens)? * 10 + number(ones)?);
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

#[inline]
fn number(digit: u8) -> Option<u32> {
    digit.is_ascii_digit().then(|| u32::from(digit - b'0'))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
