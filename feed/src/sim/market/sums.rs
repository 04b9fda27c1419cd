//! What a contract traded in a day: prices in ticks and lots, so that every sum is exact.

use shrike_core::event::DepthTick;
use shrike_core::units::{Lots, Price, Turnover};

/// Raw price units (1e-8) in a raw turnover unit (1e-4).
pub(super) const TURNOVER_STEP: i64 = 10_000;

/// Sums of a trading day, in ticks and lots: exact.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub volume: i64,
    /// Sum of price x lots.
    pub value: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub last: i64,
}

impl Sums {
    /// Lots trade at a price; none is no trade.
    #[inline]
    pub fn trade(&mut self, price: i64, lots: i64) {
        if lots <= 0 {
            return;
        }
        if self.volume == 0 {
            (self.open, self.high, self.low) = (price, price, price);
        }
        self.volume += lots;
        self.value += price * lots;
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.last = price;
    }

    /// Writes the sums into a snapshot; prices stay absent until something trades.
    #[inline]
    pub fn show(&self, tick_raw: i64, multiplier: i64, tick: &mut DepthTick) {
        let &Self { volume, value, open, high, low, last } = self;
        if volume > 0 {
            let price = |ticks: i64| Price::from_raw(ticks * tick_raw);
            (tick.last, tick.open, tick.high, tick.low) = (price(last), price(open), price(high), price(low));
            tick.volume = Lots::new(volume).qty();
            // A tick is a whole number of 1e-4, so turnover is exact.
            tick.turnover = Turnover::from_raw(value * (tick_raw / TURNOVER_STEP) * multiplier);
            tick.average = Price::from_raw((i128::from(value) * i128::from(tick_raw) / i128::from(volume)) as i64);
        }
    }
}
