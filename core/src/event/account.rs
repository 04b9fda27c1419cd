//! What the venue says of the account, and of the connection to it.

use super::{Seq, body};
use crate::instrument::InstrumentId;
use crate::units::{Lots, Money, Nanos, Price, Text, TradingDay};

body! {
    /// A login succeeded. Opens the trading day when it is a new one.
    Login = 49, 80 {
        /// The venue's trading day, from the login alone.
        trading_day: TradingDay,
        /// Front number of the session.
        front_id: i32,
        /// Session number.
        session_id: i32,
        /// Zero.
        pad: u32,
        /// Greatest order number the counter has seen from this account today.
        max_order_ref: u64,
        /// The exchange's clock at the login.
        exch_ns: Nanos,
        /// Zero.
        reserved: [u8; 48],
    }
}

body! {
    /// The connection to the venue broke (`connected` 0) or stands again (1, before the login).
    Connection = 50, 80 {
        /// One when connected.
        connected: u32,
        /// The venue's reason code.
        reason: i32,
        /// Which connection: [`crate::codes::StageId::Feed`] or [`crate::codes::StageId::Gateway`] code.
        channel: u8,
        /// Zero.
        reserved: [u8; 71],
    }
}

body! {
    /// One line of the venue's position answer: a contract and side, today's and earlier lots.
    PositionReport = 51, 80 {
        /// The contract.
        instrument: InstrumentId,
        /// The venue's trading day.
        trading_day: TradingDay,
        /// Lots opened today.
        today: Lots,
        /// Lots of earlier days still held.
        yesterday: Lots,
        /// Lots of `today` and `yesterday` bound by working closing orders.
        frozen: Lots,
        /// Price the position is marked from (yesterday's settlement, or the average opening price of today).
        mark: Price,
        /// Side of the position: [`crate::codes::Side::Buy`] long, `Sell` short.
        side: u8,
        /// Zero.
        reserved: [u8; 39],
    }
}

body! {
    /// The venue's funds answer.
    FundsReport = 52, 144 {
        /// The venue's trading day.
        trading_day: TradingDay,
        /// Zero.
        pad: [u32; 3],
        /// Balance at the start of the day (after the last settlement, with deposits).
        pre_balance: Money,
        /// Result of closed lots today.
        close_profit: Money,
        /// Result of held lots, marked to the market.
        position_profit: Money,
        /// Fees of the day.
        commission: Money,
        /// Margin in use.
        margin: Money,
        /// Margin and fees bound by working orders.
        frozen: Money,
        /// What can be used for new positions.
        available: Money,
        /// Zero.
        reserved: [u64; 2],
    }
}

body! {
    /// Every line of the resync's answers is in: orders, fills, positions, funds.
    ResyncEnd = 53, 80 {
        /// The venue's trading day.
        trading_day: TradingDay,
        /// Session the answers belong to.
        session_id: i32,
        /// Order lines told.
        orders: u32,
        /// Fill lines told.
        fills: u32,
        /// Position lines told.
        positions: u32,
        /// Zero.
        pad: u32,
        /// The order stage's number of the request that this answers; absent: the latest.
        request: Seq,
        /// Zero.
        reserved: [u8; 48],
    }
}

body! {
    /// A difference between the venue's books and ours, with both numbers.
    Difference = 54, 80 {
        /// The contract; none for funds.
        instrument: InstrumentId,
        /// The trading day.
        trading_day: TradingDay,
        /// Our number, in the unit of `field`.
        ours: i64,
        /// The venue's number.
        venue: i64,
        /// What differs: `long today`, `available`, `traded`, ...
        field: Text<24>,
        /// The order it is about; zero: none.
        order_ref: u64,
        /// One when it has ended; the numbers are the last that differed.
        settled: u8,
        /// Zero.
        reserved: [u8; 23],
    }
}
