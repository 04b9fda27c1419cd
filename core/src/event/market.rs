//! Market events: what the feed says of instruments and sessions.

use super::body;
use crate::codes::{Exchange, OptionType, PhaseKind, ProductClass};
use crate::instrument::InstrumentId;
use crate::units::{Lots, Money, Nanos, Price, Qty, Text, TradingDay, Turnover};

body! {
    /// A snapshot of one contract with five levels of depth, as CTP pushes it.
    DepthTick = 1, 336 {
        /// The contract.
        instrument: InstrumentId,
        /// The exchange's trading day.
        trading_day: TradingDay,
        /// The exchange's time of the snapshot (natural time, repaired by the feed).
        exch_ns: Nanos,
        /// Last traded price.
        last: Price,
        /// Lots traded so far this trading day.
        volume: Qty,
        /// Value traded so far this trading day, multiplier included.
        turnover: Turnover,
        /// Open interest, lots.
        open_interest: Qty,
        /// First price of the day.
        open: Price,
        /// Highest price of the day.
        high: Price,
        /// Lowest price of the day.
        low: Price,
        /// Closing price; absent until the close.
        close: Price,
        /// Settlement price; absent until published.
        settlement: Price,
        /// Previous trading day's settlement price.
        pre_settlement: Price,
        /// Previous trading day's closing price.
        pre_close: Price,
        /// Previous trading day's open interest.
        pre_open_interest: Qty,
        /// The day's upper price limit.
        upper_limit: Price,
        /// The day's lower price limit.
        lower_limit: Price,
        /// Average price of the day.
        average: Price,
        /// Natural date of the snapshot.
        action_day: TradingDay,
        /// Zero.
        reserved: [u32; 9],
        /// Bid prices, best first; absent where there is no bid.
        bids: [Price; 5],
        /// Lots at each bid; zero where there is none.
        bid_qtys: [Qty; 5],
        /// Ask prices, best first; absent where there is no ask.
        asks: [Price; 5],
        /// Lots at each ask; zero where there is none.
        ask_qtys: [Qty; 5],
    }
}

body! {
    /// Level 1 of a tradable contract, from the signal stage to the order stage on the ring that also carries intents.
    Quote = 2, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The exchange's trading day.
        trading_day: TradingDay,
        /// The exchange's time of the snapshot.
        exch_ns: Nanos,
        /// Best bid; absent when there is none.
        bid: Price,
        /// Lots at the best bid.
        bid_qty: Qty,
        /// Best ask; absent when there is none.
        ask: Price,
        /// Lots at the best ask.
        ask_qty: Qty,
        /// Last traded price.
        last: Price,
        /// Lots traded so far this trading day.
        volume: Qty,
        /// The day's upper price limit.
        upper_limit: Price,
        /// The day's lower price limit.
        lower_limit: Price,
    }
}

body! {
    /// One trade of the market (crypto feeds; CTP sends snapshots only).
    MarketTrade = 3, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The exchange's trading day.
        trading_day: TradingDay,
        /// The exchange's time.
        exch_ns: Nanos,
        /// Price.
        price: Price,
        /// Quantity.
        qty: Qty,
        /// The venue's trade number.
        trade_id: u64,
        /// Side of the aggressor, [`crate::codes::Side`] code; zero when not known.
        side: u8,
        /// Zero.
        reserved: [u8; 39],
    }
}

body! {
    /// A bar of fixed length. Empty windows give no bar.
    Bar = 4, 144 {
        /// The contract.
        instrument: InstrumentId,
        /// The exchange's trading day.
        trading_day: TradingDay,
        /// Start of the window, exchange time.
        start_ns: Nanos,
        /// End of the window, exclusive.
        end_ns: Nanos,
        /// First price.
        open: Price,
        /// Highest price.
        high: Price,
        /// Lowest price.
        low: Price,
        /// Last price.
        close: Price,
        /// Lots traded in the window.
        volume: Qty,
        /// Value traded in the window.
        turnover: Turnover,
        /// Open interest at the end.
        open_interest: Qty,
        /// Snapshots in the window.
        ticks: u32,
        /// Zero.
        reserved: [u32; 15],
    }
}

body! {
    /// A phase of the session begins for one contract.
    Phase = 6, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The trading day the phase belongs to.
        trading_day: TradingDay,
        /// When it begins, exchange time.
        start_ns: Nanos,
        /// When the next one is due by the calendar; absent when not known.
        end_ns: Nanos,
        /// [`PhaseKind`] code.
        phase: u8,
        /// [`crate::codes::PhaseSource`] code.
        source: u8,
        /// Zero.
        reserved: [u8; 54],
    }
}

impl Phase {
    /// The phase; [`PhaseKind::Shut`] when the code is not known: nothing trades in an unknown phase.
    #[inline]
    pub const fn kind(&self) -> PhaseKind {
        match PhaseKind::of(self.phase) {
            Some(kind) => kind,
            None => PhaseKind::Shut,
        }
    }
}

body! {
    /// An instrument is announced, or changes from a trading day on.
    InstrumentDef = 7, 208 {
        /// Its id.
        instrument: InstrumentId,
        /// From which trading day this holds; absent: from the start.
        effective_day: TradingDay,
        /// The exchange's code, as the venue spells it (`ru1901`, `IO2503-C-3900`).
        symbol: Text<40>,
        /// The product (`ru`, `IO`).
        product: Text<16>,
        /// The underlying's code of an option.
        underlying: Text<24>,
        /// Smallest price step.
        tick: Price,
        /// Units of the underlying per lot.
        multiplier: i64,
        /// Strike of an option; absent otherwise.
        strike: Price,
        /// Least lots of a limit order.
        min_lots: Lots,
        /// Most lots of a limit order.
        max_limit_lots: Lots,
        /// Most lots of a market order; zero where market orders are not taken.
        max_market_lots: Lots,
        /// The day's upper price limit when known before the first snapshot.
        upper_limit: Price,
        /// The day's lower price limit when known before the first snapshot.
        lower_limit: Price,
        /// Previous settlement price when known before the first snapshot.
        pre_settlement: Price,
        /// Last trading day.
        expiry: TradingDay,
        /// [`Exchange`] code.
        exchange: u8,
        /// [`ProductClass`] code.
        class: u8,
        /// [`OptionType`] code; zero when it is no option.
        option_type: u8,
        /// One when the contract's unit was adjusted (a dividend): kept out of new positions.
        adjusted: u8,
        /// One when it may be traded, zero when only quoted.
        tradable: u8,
        /// Zero.
        reserved: [u8; 39],
    }
}

impl InstrumentDef {
    /// The exchange; `None` when its code is not known.
    #[inline]
    pub const fn exchange(&self) -> Option<Exchange> {
        Exchange::of(self.exchange)
    }
    /// The class; `None` when its code is not known.
    #[inline]
    pub const fn class(&self) -> Option<ProductClass> {
        ProductClass::of(self.class)
    }
    /// The right of an option.
    #[inline]
    pub const fn option_type(&self) -> Option<OptionType> {
        OptionType::of(self.option_type)
    }
}

body! {
    /// Market data of a contract (or of all, [`InstrumentId::NONE`]) has a hole, or flows again.
    Gap = 8, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The trading day.
        trading_day: TradingDay,
        /// When the hole began.
        start_ns: Nanos,
        /// When data flowed again; absent while it does not.
        end_ns: Nanos,
        /// Zero.
        reserved: [u8; 56],
    }
}

body! {
    /// Snapshots of one contract that a recorder took and did not write, because nothing but their time had changed.
    Unchanged = 11, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The exchange's trading day.
        trading_day: TradingDay,
        /// The exchange's time of the first of them.
        first_ns: Nanos,
        /// The exchange's time of the last of them, in the same minute as the first.
        last_ns: Nanos,
        /// How many.
        count: u64,
        /// Zero.
        reserved: [u64; 6],
    }
}

body! {
    /// The venue settles a contract: positions are marked to `settlement`, the trading day ends.
    Settlement = 9, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The trading day that ends.
        trading_day: TradingDay,
        /// Settlement price.
        settlement: Price,
        /// The next trading day.
        next_day: TradingDay,
        /// Zero.
        pad: u32,
        /// Zero.
        reserved: [u64; 7],
    }
}

body! {
    /// Margin and commission of one contract, as the venue charges them. Ratios are of value, in units of 1e-8; amounts
    /// are per lot. A bought option binds no margin; a written one's value is its premium.
    Rates = 10, 208 {
        /// The contract.
        instrument: InstrumentId,
        /// From which trading day this holds.
        effective_day: TradingDay,
        /// Margin of a long position, ratio of its value.
        long_margin_ratio: i64,
        /// Margin of a short position, ratio of its value.
        short_margin_ratio: i64,
        /// Zero.
        pad: u64,
        /// Margin of a long position, per lot.
        long_margin_per_lot: Money,
        /// Margin of a short position, per lot.
        short_margin_per_lot: Money,
        /// Opening fee, ratio of value.
        open_ratio: i64,
        /// Closing fee of lots of earlier days, ratio of value.
        close_ratio: i64,
        /// Closing fee of today's lots, ratio of value.
        close_today_ratio: i64,
        /// Zero.
        pad2: u64,
        /// Opening fee per lot.
        open_per_lot: Money,
        /// Closing fee per lot of earlier days.
        close_per_lot: Money,
        /// Closing fee per lot of today.
        close_today_per_lot: Money,
        /// One when the rates are a configured guess, zero when the venue gave them.
        assumed: u8,
        /// Zero.
        pad3: [u8; 15],
        /// What a written lot of an option binds at least, premium included; zero: nothing.
        short_margin_least_per_lot: Money,
        /// Zero.
        reserved: [u8; 32],
    }
}
