//! What the walk makes of each instrument: its worth and the spread around it, how much of it trades, and at what it
//! settles.
#![allow(clippy::float_arithmetic, reason = "mathematics of options; what leaves it is rounded to ticks")]

use super::Board;
use super::line::{Kind, Line, Worth};
use super::walk::Family;
use shrike_core::units::{SCALE, TradingDay};

impl Board {
    /// The settlement price: what a line is worth at the close, within the day's limits; on the last day what exercise
    /// pays, by the index's mean of the last two hours (CFFEX) or the ETF's close (SSE).
    pub(super) fn settlement_ticks(&self, line: &Line, day: TradingDay) -> i64 {
        if line.def.expiry != day {
            return line.within_limits(whole(self.worth(line).value));
        }
        let at = match line.family {
            Family::Index => self.walk.settlement_mean(),
            Family::Etf => self.close_of(Family::Etf) as f64 / SCALE as f64,
        };
        let value = if let Kind::Option(_, right) = line.kind { right.intrinsic(at, line.strike()) } else { at };
        whole(value * line.ticks_per_unit())
    }

    /// What a line is worth now.
    pub(super) fn worth(&self, line: &Line) -> Worth {
        let (spot, vol, scale) = (self.walk.spot(line.family), self.walk.near, line.ticks_per_unit());
        let forward = line.forward(&self.terms, &self.walk);
        let worth = |value: f64, half: f64, delta: f64, vega: f64| {
            let busy = 0.75 + self.walk.value.activity() as f64 / 1_024.0;
            Worth { value: value * scale, half: half * busy, delta: delta * scale, vega: vega * scale, forward, vol }
        };
        let term = |index: usize| self.terms.get(index);
        match line.kind {
            Kind::Index => worth(spot, 0.0, 0.0, 0.0),
            Kind::Etf => worth(spot, 0.3, 1.0, 0.0),
            Kind::Future(index) => {
                term(index).map_or(Worth::default(), |term| worth(forward, 0.5 + 6.0 * term.expiry.years, 1.0, 0.0))
            }
            Kind::Option(index, right) => term(index).map_or(Worth::default(), |term| {
                let greeks = term.value(right, line.strike());
                // Market makers ask for volatility, and for the hedge.
                let half = scale * (0.0015 * greeks.vega + 0.0008 * spot * greeks.delta * greeks.delta);
                let vega = greeks.vega / (1.0 + 3.0 * term.expiry.years);
                worth(greeks.price, half.max(0.3), greeks.delta, vega)
            }),
        }
    }

    /// Lots of a usual day, of a level, and open interest: most at the money and in the near months, little in contracts
    /// that a dividend adjusted.
    pub(super) fn usual(&self, line: &Line) -> (i64, i64, i64) {
        match line.kind {
            Kind::Index => (0, 1, 0),
            Kind::Etf => (500_000_000, 300_000, 0),
            Kind::Future(index) => {
                let years = self.terms.get(index).map_or(1.0, |term| term.expiry.years);
                let lots = (60_000.0 / (1.0 + 40.0 * years)) as i64;
                (lots, 8, 2 * lots)
            }
            Kind::Option(index, right) => {
                let Some(term) = self.terms.get(index) else { return (0, 1, 0) };
                let delta = term.value(right, line.strike()).delta.abs().min(1.0);
                let (money, near) = (4.0 * delta * (1.0 - delta), 1.0 / (1.0 + 8.0 * term.expiry.years));
                let part = money * money * near * if line.def.adjusted != 0 { 0.05 } else { 1.0 };
                let (most, depth) = match term.family {
                    Family::Index => (3_000.0, 2.0 + 8.0 * part),
                    Family::Etf => (60_000.0, 10.0 + 60.0 * part),
                };
                let lots = (most * part) as i64;
                (lots, depth as i64, 10 + lots * 3 / 2)
            }
        }
    }
}

/// The nearest whole number of ticks.
pub(super) fn whole(ticks: f64) -> i64 {
    ticks.round() as i64
}
