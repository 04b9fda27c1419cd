//! The snapshot that a contract's day begins with: nothing traded, nothing quoted.

use super::book::LEVELS;
use shrike_core::event::DepthTick;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Price, Qty, TradingDay, Turnover};

/// A day's first snapshot with what is held open from the day before; the prices before and the limits are for the caller.
pub(super) fn blank(instrument: InstrumentId, day: TradingDay, open_interest: i64) -> DepthTick {
    let open_interest = Lots::new(open_interest).qty();
    DepthTick {
        instrument,
        trading_day: day,
        last: Price::ABSENT,
        volume: Qty::ZERO,
        turnover: Turnover::ZERO,
        open_interest,
        open: Price::ABSENT,
        high: Price::ABSENT,
        low: Price::ABSENT,
        close: Price::ABSENT,
        settlement: Price::ABSENT,
        pre_open_interest: open_interest,
        average: Price::ABSENT,
        bids: [Price::ABSENT; LEVELS],
        asks: [Price::ABSENT; LEVELS],
        ..DepthTick::default()
    }
}

/// An indicative price of a call auction: nothing trades and no side is shown. False when it did not move.
pub(super) fn indicate(tick: &mut DepthTick, price: Price) -> bool {
    let moved = tick.last != price;
    tick.last = price;
    (tick.bids, tick.asks) = ([Price::ABSENT; LEVELS], [Price::ABSENT; LEVELS]);
    (tick.bid_qtys, tick.ask_qtys) = ([Qty::ZERO; LEVELS], [Qty::ZERO; LEVELS]);
    moved
}
