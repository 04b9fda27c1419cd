//! What traded between two snapshots. CTP pushes no trades, only the day's volume and turnover; the lots and their
//! prices are inferred from the differences, exactly in the sum of lots and to the nearest lot in the split.

use shrike_core::event::DepthTick;
use shrike_core::units::{SCALE, TradingDay};

/// Lots traded at a price (raw units of 1e-8).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Trade {
    pub(super) price: i64,
    pub(super) lots: i64,
}

/// At most three prices: two that explain the turnover, and the last price, which is known to have traded.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Trades {
    list: [Trade; 3],
    len: usize,
}

impl Trades {
    fn add(&mut self, price: i64, lots: i64) {
        if lots <= 0 {
            return;
        }
        if let Some(trade) = self.list.iter_mut().take(self.len).find(|trade| trade.price == price) {
            trade.lots += lots;
        } else if let Some(slot) = self.list.get_mut(self.len) {
            *slot = Trade { price, lots };
            self.len += 1;
        }
    }

    /// The trades, cheapest first.
    pub(super) fn sorted(mut self) -> Self {
        if let Some(list) = self.list.get_mut(..self.len) {
            list.sort_unstable_by_key(|trade| trade.price);
        }
        self
    }

    pub(super) fn as_slice(&self) -> &[Trade] {
        self.list.get(..self.len).unwrap_or(&[])
    }

    pub(super) fn lots(&self) -> i64 {
        self.as_slice().iter().map(|trade| trade.lots).sum()
    }
}

/// The sums and the best prices of the last snapshot.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tape {
    day: TradingDay,
    volume: i64,
    turnover: i64,
    bid: Option<i64>,
    ask: Option<i64>,
    /// Whether the sums are those of the last moment seen: not after a gap, nor at a start within the day.
    known: bool,
}

impl Tape {
    /// A day begins whose first snapshot counts from zero.
    pub(super) fn begin(&mut self, day: TradingDay) {
        *self = Self { day, known: true, ..Self::default() };
    }

    /// What follows is not the continuation of what was seen.
    pub(super) fn forget(&mut self) {
        self.known = false;
    }

    /// Whether the tape counts this day from its beginning or a snapshot on.
    pub(super) fn follows(&self, day: TradingDay) -> bool {
        self.known && self.day == day
    }

    /// Takes a snapshot in and says what traded since the one before.
    pub(super) fn read(&mut self, tick: &DepthTick, multiplier: i64, tick_size: i64) -> Trades {
        let quote = tick.quote();
        let (volume, turnover) = (quote.volume.lots().get(), tick.turnover.raw());
        let [bid, ask, last] = [quote.bid, quote.ask, quote.last].map(|price| price.some().map(|price| price.raw()));
        let mut trades = Trades::default();
        if !quote.volume.is_absent() {
            let lots = volume - self.volume;
            if let (true, 1.., Some(last)) = (self.known && self.day == tick.trading_day, lots, last) {
                let value = (!tick.turnover.is_absent() && turnover > self.turnover).then(|| {
                    (turnover as i128 - self.turnover as i128) * (SCALE / 10_000) as i128 / multiplier as i128
                });
                trades = self.split(lots, value, last, (bid, ask), tick_size);
            }
            *self = Self { day: tick.trading_day, volume, turnover: turnover.max(0), bid, ask, known: true };
        }
        trades.sorted()
    }

    /// Splits lots over the prices that explain their value: the bid and ask before, when the average lies between
    /// them (then every aggressor met one of the two), else the two ticks around the average. A turnover that no price
    /// near the market explains (CZCE's, or none) puts all at the last price.
    fn split(
        &self,
        lots: i64,
        value: Option<i128>,
        last: i64,
        now: (Option<i64>, Option<i64>),
        tick_size: i64,
    ) -> Trades {
        let mut trades = Trades::default();
        let seen = [Some(last), self.bid, self.ask, now.0, now.1];
        let low = seen.iter().flatten().min().copied().unwrap_or(last);
        let high = seen.iter().flatten().max().copied().unwrap_or(last);
        let explained = |value: &i128| (low as i128 * lots as i128..=high as i128 * lots as i128).contains(value);
        let Some(value) = value.filter(explained) else {
            trades.add(last, lots);
            return trades;
        };
        let (cheap, dear) = match (self.bid, self.ask) {
            (Some(bid), Some(ask)) if bid < ask && (bid..=ask).contains(&((value / lots as i128) as i64)) => (bid, ask),
            _ => {
                let tick_size = tick_size.max(1);
                let floor = ((value / lots as i128) as i64).div_euclid(tick_size) * tick_size;
                (floor, floor + tick_size)
            }
        };
        let step = (dear - cheap) as i128;
        let dear_lots =
            (((value - cheap as i128 * lots as i128) * 2 + step) / (step * 2)).clamp(0, lots as i128) as i64;
        let mut split = [(cheap, lots - dear_lots), (dear, dear_lots)];
        if split.iter().all(|&(price, lots)| price != last || lots == 0) {
            // The last price traded at least one lot, whatever the average says.
            if let Some(most) = split.iter_mut().max_by_key(|(_, lots)| *lots) {
                most.1 -= 1;
            }
            trades.add(last, 1);
        }
        for (price, lots) in split {
            trades.add(price, lots);
        }
        trades
    }
}
