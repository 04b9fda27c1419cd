//! Intents, requests and what the venue answers.

use super::body;
use crate::codes::{
    Offset, OrderState, OrderStatus, OrderType, ReportSource, RequestKind, Side, SubmitStatus, TimeInForce,
};
use crate::event::Seq;
use crate::instrument::InstrumentId;
use crate::units::{Lots, Nanos, Price, Text, TradingDay};

body! {
    /// What a strategy wants held of a contract. Level-triggered: the highest revision counts, repeats change nothing.
    TargetPosition = 16, 80 {
        /// Who wants it.
        strategy: u32,
        /// The contract.
        instrument: InstrumentId,
        /// Counts up with each change of this strategy's intent in this contract.
        revision: u64,
        /// Net lots, long positive.
        lots: Lots,
        /// Worst price to reach it; absent: the market's.
        limit: Price,
        /// [`crate::codes::Urgency`] code.
        urgency: u8,
        /// Zero.
        reserved: [u8; 47],
    }
}

body! {
    /// What a strategy wants quoted. Level-triggered as [`TargetPosition`].
    TargetQuote = 17, 80 {
        /// Who wants it.
        strategy: u32,
        /// The contract.
        instrument: InstrumentId,
        /// Counts up with each change of this strategy's intent in this contract.
        revision: u64,
        /// Bid price; absent: no bid.
        bid: Price,
        /// Ask price; absent: no ask.
        ask: Price,
        /// Lots to bid.
        bid_lots: Lots,
        /// Lots to ask.
        ask_lots: Lots,
        /// Zero.
        reserved: [u8; 32],
    }
}

body! {
    /// A request to the venue. (`trading_day`, `order_ref`) names the order for ever.
    OrderRequest = 32, 144 {
        /// The contract.
        instrument: InstrumentId,
        /// The trading day of the login under which it is sent.
        trading_day: TradingDay,
        /// Our number: strictly increasing over the trading day. Of a cancel: the order's.
        order_ref: u64,
        /// Limit price; absent for a market order.
        price: Price,
        /// Lots.
        lots: Lots,
        /// Who wants it; zero: the operator or the engine itself.
        strategy: u32,
        /// [`RequestKind`] code.
        kind: u8,
        /// [`Side`] code.
        side: u8,
        /// [`Offset`] code.
        offset: u8,
        /// [`OrderType`] code.
        order_type: u8,
        /// [`TimeInForce`] code.
        tif: u8,
        /// [`crate::codes::Exchange`] code.
        exchange: u8,
        /// Which try it is, from zero.
        retry: u16,
        /// Front of the login that sent the order, for a cancel before the exchange has numbered it.
        front_id: i32,
        /// Session of that login.
        session_id: i32,
        /// Zero.
        pad: u32,
        /// The exchange's number, for a cancel; empty when not known.
        order_sys_id: Text<24>,
        /// Revision of the intent it serves.
        revision: u64,
        /// Zero.
        reserved: [u8; 56],
    }
}

impl OrderRequest {
    /// What is asked.
    #[inline]
    pub const fn kind(&self) -> Option<RequestKind> {
        RequestKind::of(self.kind)
    }
    /// The side.
    #[inline]
    pub const fn side(&self) -> Option<Side> {
        Side::of(self.side)
    }
    /// The offset.
    #[inline]
    pub const fn offset(&self) -> Option<Offset> {
        Offset::of(self.offset)
    }
    /// The order type.
    #[inline]
    pub const fn order_type(&self) -> Option<OrderType> {
        OrderType::of(self.order_type)
    }
    /// The time in force.
    #[inline]
    pub const fn tif(&self) -> Option<TimeInForce> {
        TimeInForce::of(self.tif)
    }
}

body! {
    /// The venue's word on an order. Repeats are normal; fills come apart, before or after.
    OrderReport = 33, 144 {
        /// The contract.
        instrument: InstrumentId,
        /// The venue's trading day.
        trading_day: TradingDay,
        /// Our number; zero when the order is not ours (a person's, another session's without a number).
        order_ref: u64,
        /// Front of the session that sent it.
        front_id: i32,
        /// Session that sent it.
        session_id: i32,
        /// The exchange's number, bytes as given; empty before the exchange has it.
        order_sys_id: Text<24>,
        /// Limit price.
        price: Price,
        /// Lots ordered.
        lots: Lots,
        /// Lots traded so far by the venue's count.
        traded: Lots,
        /// The venue's time.
        exch_ns: Nanos,
        /// The venue's error; zero: none.
        error_code: i32,
        /// [`OrderStatus`] code.
        status: u8,
        /// [`SubmitStatus`] code.
        submit: u8,
        /// [`ReportSource`] code.
        source: u8,
        /// [`Side`] code.
        side: u8,
        /// [`Offset`] code.
        offset: u8,
        /// [`OrderType`] code.
        order_type: u8,
        /// [`TimeInForce`] code.
        tif: u8,
        /// [`crate::codes::Exchange`] code.
        exchange: u8,
        /// Request that this answers (CTP `RequestID`); zero: none.
        request_id: u32,
        /// The counter's local number.
        order_local_id: Text<16>,
        /// Zero.
        reserved: [u8; 32],
    }
}

impl OrderReport {
    /// The status.
    #[inline]
    pub const fn status(&self) -> Option<OrderStatus> {
        OrderStatus::of(self.status)
    }
    /// The submission status.
    #[inline]
    pub const fn submit(&self) -> Option<SubmitStatus> {
        SubmitStatus::of(self.submit)
    }
    /// The callback.
    #[inline]
    pub const fn source(&self) -> Option<ReportSource> {
        ReportSource::of(self.source)
    }
    /// The side.
    #[inline]
    pub const fn side(&self) -> Option<Side> {
        Side::of(self.side)
    }
    /// The offset.
    #[inline]
    pub const fn offset(&self) -> Option<Offset> {
        Offset::of(self.offset)
    }
}

body! {
    /// A trade of ours. (`trading_day`, exchange, `trade_id`, `side`) names it for ever; the same fill may be told again.
    Fill = 34, 144 {
        /// The contract.
        instrument: InstrumentId,
        /// The venue's trading day.
        trading_day: TradingDay,
        /// Our order's number; zero when the order is not ours.
        order_ref: u64,
        /// The exchange's trade number.
        trade_id: Text<24>,
        /// The exchange's order number.
        order_sys_id: Text<24>,
        /// Price.
        price: Price,
        /// Lots.
        lots: Lots,
        /// The exchange's time.
        exch_ns: Nanos,
        /// [`Side`] code.
        side: u8,
        /// [`Offset`] code.
        offset: u8,
        /// [`crate::codes::Exchange`] code.
        exchange: u8,
        /// Zero.
        pad: u8,
        /// Strategy of the order, filled in by the order stage; zero when not known.
        strategy: u32,
        /// Zero.
        reserved: [u8; 48],
    }
}

impl Fill {
    /// The side.
    #[inline]
    pub const fn side(&self) -> Option<Side> {
        Side::of(self.side)
    }
    /// The offset.
    #[inline]
    pub const fn offset(&self) -> Option<Offset> {
        Offset::of(self.offset)
    }
}

body! {
    /// The order stage's view of one order after a change, for strategies and screens.
    OrderUpdate = 35, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The trading day.
        trading_day: TradingDay,
        /// Our number.
        order_ref: u64,
        /// Limit price.
        price: Price,
        /// Lots ordered.
        lots: Lots,
        /// Lots filled.
        filled: Lots,
        /// Whose it is.
        strategy: u32,
        /// The venue's error; zero: none.
        error_code: i32,
        /// [`OrderState`] code.
        state: u8,
        /// [`Side`] code.
        side: u8,
        /// [`Offset`] code.
        offset: u8,
        /// Zero.
        reserved: [u8; 29],
    }
}

impl OrderUpdate {
    /// The state.
    #[inline]
    pub const fn state(&self) -> Option<OrderState> {
        OrderState::of(self.state)
    }
}

body! {
    /// An intent, or an order it needs, that the order stage does not act on, and why.
    Refusal = 36, 80 {
        /// Whose intent.
        strategy: u32,
        /// The contract.
        instrument: InstrumentId,
        /// Revision of the intent.
        revision: u64,
        /// Lots not ordered.
        lots: Lots,
        /// Price they would have had.
        price: Price,
        /// The limit that was met, in its own unit; `i64::MIN` when there is none.
        limit: i64,
        /// What it would have become, in the same unit.
        value: i64,
        /// The venue's error; zero: none.
        error_code: i32,
        /// [`crate::codes::RefusalReason`] code.
        reason: u8,
        /// [`Side`] code; zero: the whole intent.
        side: u8,
        /// Zero.
        reserved: [u8; 26],
    }
}

body! {
    /// Net lots of one strategy in a contract after a fill, with the account's: what a strategy sizes by.
    Holding = 37, 80 {
        /// Whose.
        strategy: u32,
        /// The contract.
        instrument: InstrumentId,
        /// The strategy's net lots, long positive.
        lots: Lots,
        /// The account's net lots.
        account_lots: Lots,
        /// The order stage's number of the fill that led here, for a resync.
        fill_seq: Seq,
        /// Zero.
        reserved: [u8; 48],
    }
}
