//! Bars of any window from snapshots. A window is aligned to the trading day's exchange clock (multiples of the window
//! since midnight in China); it closes with the first snapshot at or after its end, or with the end of trading.
#![deny(clippy::float_arithmetic)]

use shrike_core::event::{Bar, DepthTick};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Price, Qty, TradingDay, Turnover};

/// Builds the bars of one contract and window. Empty windows give no bar.
#[derive(Clone, Copy, Debug)]
pub struct BarBuilder {
    window_ns: u64,
    bar: Bar,
    day: TradingDay,
    volume: Qty,
    turnover: Turnover,
}

impl BarBuilder {
    /// Bars of `window_ns` nanoseconds (at least one).
    pub fn new(window_ns: u64) -> Self {
        Self {
            window_ns: window_ns.max(1),
            bar: Bar::default(),
            day: TradingDay::ABSENT,
            volume: Qty::ZERO,
            turnover: Turnover::ZERO,
        }
    }

    /// Folds a snapshot; the bar it closes, if any. A snapshot without a last price changes nothing.
    pub fn push(&mut self, tick: &DepthTick) -> Option<Bar> {
        if tick.last.is_absent() {
            return None;
        }
        if tick.trading_day != self.day {
            self.day = tick.trading_day;
            self.volume = Qty::ZERO;
            self.turnover = Turnover::ZERO;
        }
        let closed = if self.bar.ticks > 0 && tick.exch_ns >= self.bar.end_ns { self.close() } else { None };
        if self.bar.ticks == 0 {
            let offset = tick.exch_ns.after(Nanos::CHINA_OFFSET).get() % self.window_ns;
            let start_ns = Nanos::new(tick.exch_ns.get().saturating_sub(offset));
            self.bar = Bar {
                instrument: tick.instrument,
                trading_day: tick.trading_day,
                start_ns,
                end_ns: start_ns.after(self.window_ns),
                open: tick.last,
                high: tick.last,
                low: tick.last,
                ..Bar::default()
            };
        }
        let bar = &mut self.bar;
        bar.high = bar.high.max(tick.last);
        bar.low = bar.low.min(tick.last);
        bar.close = tick.last;
        bar.volume = bar.volume.plus(tick.volume.minus(self.volume));
        bar.turnover = bar.turnover.plus(tick.turnover.minus(self.turnover));
        bar.open_interest = tick.open_interest;
        bar.ticks += 1;
        self.volume = tick.volume;
        self.turnover = tick.turnover;
        closed
    }

    /// Closes the bar under way (at a break, or when the market shuts).
    pub fn close(&mut self) -> Option<Bar> {
        let bar = self.bar;
        self.bar = Bar::default();
        (bar.ticks > 0).then_some(bar)
    }

    /// The contract of the bar under way.
    pub fn instrument(&self) -> Option<InstrumentId> {
        (self.bar.ticks > 0).then_some(self.bar.instrument)
    }

    /// Last price of the bar under way; absent between bars.
    pub fn last(&self) -> Price {
        if self.bar.ticks > 0 { self.bar.close } else { Price::ABSENT }
    }

    /// Writes the state for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.bar));
        out.extend_from_slice(bytemuck::bytes_of(&self.day));
        out.extend_from_slice(bytemuck::bytes_of(&self.volume));
        out.extend_from_slice(bytemuck::bytes_of(&self.turnover));
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(&mut self, bytes: &mut crate::saved::Bytes<'_>) -> Option<()> {
        self.bar = bytes.pod()?;
        self.day = bytes.pod()?;
        self.volume = bytes.pod()?;
        self.turnover = bytes.pod()?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(second: u64, last: i64, volume: i64) -> DepthTick {
        let day = TradingDay::new(20_210_104).unwrap();
        DepthTick {
            trading_day: day,
            exch_ns: Nanos::china(day, 9 * 3600, 0).after(second * Nanos::PER_SECOND),
            last: Price::whole(last),
            volume: Qty::whole(volume),
            turnover: Turnover::whole(last * volume),
            ..DepthTick::default()
        }
    }

    #[test]
    fn a_bar_closes_with_the_first_tick_of_the_next_window() {
        let mut bars = BarBuilder::new(60 * Nanos::PER_SECOND);
        for (second, last, volume) in [(0, 10, 1), (30, 12, 3), (59, 9, 4)] {
            assert_eq!(bars.push(&tick(second, last, volume)), None);
        }
        let bar = bars.push(&tick(185, 11, 9)).unwrap();
        assert_eq!(
            (bar.open, bar.high, bar.low, bar.close),
            (Price::whole(10), Price::whole(12), Price::whole(9), Price::whole(9))
        );
        assert_eq!(bar.volume, Qty::whole(4));
        let rest = bars.close().unwrap();
        assert_eq!(rest.start_ns, tick(180, 0, 0).exch_ns, "windows are aligned, empty ones give no bar");
        assert_eq!(rest.volume, Qty::whole(5), "volume is the difference of the day's counts");
        assert_eq!(bars.close(), None);
    }

    #[test]
    fn volume_starts_again_with_the_trading_day() {
        let mut bars = BarBuilder::new(60 * Nanos::PER_SECOND);
        bars.push(&tick(0, 10, 100));
        let mut next = tick(86_400, 10, 7);
        next.trading_day = TradingDay::new(20_210_105).unwrap();
        bars.push(&next);
        assert_eq!(bars.close().unwrap().volume, Qty::whole(7));
    }
}
