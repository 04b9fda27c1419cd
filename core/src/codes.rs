//! The closed vocabularies of events: each is an enum whose code (`u8`) is what the journal holds. Codes are never
//! reused; an unknown code reads as `None`, so that an older reader can name what it does not know.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $code:tt $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[derive(bytemuck::NoUninit, bytemuck::CheckedBitPattern)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$item_doc])* $item = $code,)+
        }

        impl $name {
            /// Every value, in code order.
            pub const ALL: &'static [Self] = &[$(Self::$item),+];

            /// The code in events.
            #[inline]
            pub const fn code(self) -> u8 {
                self as u8
            }
            /// The value of a code; `None` when this version does not know it.
            #[inline]
            pub const fn of(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$item),)+
                    _ => None,
                }
            }
            /// The word for people and configuration.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$item => $text,)+
                }
            }
            /// The value of a word, as [`Self::name`] gives it (any letter case).
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name().eq_ignore_ascii_case(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

codes! {
    /// Where an instrument is listed.
    Exchange {
        /// Shanghai Futures Exchange.
        Shfe = 1 "SHFE",
        /// Shanghai International Energy Exchange.
        Ine = 2 "INE",
        /// Dalian Commodity Exchange.
        Dce = 3 "DCE",
        /// Zhengzhou Commodity Exchange.
        Czce = 4 "CZCE",
        /// China Financial Futures Exchange.
        Cffex = 5 "CFFEX",
        /// Guangzhou Futures Exchange.
        Gfex = 6 "GFEX",
        /// Shanghai Stock Exchange.
        Sse = 7 "SSE",
        /// Shenzhen Stock Exchange.
        Szse = 8 "SZSE",
        /// Binance.
        Binance = 9 "BINANCE",
    }
}

impl Exchange {
    /// Whether positions of today and of earlier days are closed by different offsets (SHFE and INE only; elsewhere
    /// a plain close takes both).
    #[inline]
    pub const fn splits_today(self) -> bool {
        matches!(self, Self::Shfe | Self::Ine)
    }
}

codes! {
    /// What kind of contract it is.
    ProductClass {
        /// A future.
        Future = 1 "future",
        /// An option.
        Option = 2 "option",
        /// A perpetual swap.
        Perpetual = 3 "perpetual",
        /// A spot instrument: a stock, a fund, a coin, an index that is not traded.
        Spot = 4 "spot",
        /// An exchange combination of several legs.
        Combination = 5 "combination",
    }
}

codes! {
    /// The right an option gives.
    OptionType {
        /// To buy.
        Call = 1 "call",
        /// To sell.
        Put = 2 "put",
    }
}

codes! {
    /// When an option may be exercised.
    OptionStyle {
        /// On any trading day until it expires.
        American = 1 "american",
        /// On the day it expires.
        European = 2 "european",
    }
}

codes! {
    /// The side of an order or a fill.
    Side {
        /// Buy.
        Buy = 1 "buy",
        /// Sell.
        Sell = 2 "sell",
    }
}

impl Side {
    /// +1 for a buy, -1 for a sell.
    #[inline]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
    /// The other side.
    #[inline]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

codes! {
    /// Whether an order opens a position or closes one, and of which day (CTP `OffsetFlag`).
    Offset {
        /// Open.
        Open = 1 "open",
        /// Close: yesterday's at SHFE and INE, the oldest first elsewhere.
        Close = 2 "close",
        /// Close lots opened today (SHFE and INE; elsewhere the counter reads it as a plain close).
        CloseToday = 3 "close-today",
        /// Close lots of earlier days (as above).
        CloseYesterday = 4 "close-yesterday",
    }
}

impl Offset {
    /// Whether the order reduces a position.
    #[inline]
    pub const fn closes(self) -> bool {
        !matches!(self, Self::Open)
    }
}

codes! {
    /// How an order is priced.
    OrderType {
        /// At a limit or better.
        Limit = 1 "limit",
        /// At any price the other side offers.
        Market = 2 "market",
    }
}

codes! {
    /// How long an order lives.
    TimeInForce {
        /// Until the end of the trading day.
        Day = 1 "day",
        /// Fill and kill: what does not trade at once is cancelled (immediate or cancel).
        Fak = 2 "fak",
        /// Fill or kill: all at once or nothing.
        Fok = 3 "fok",
    }
}

codes! {
    /// What a request to the venue asks.
    RequestKind {
        /// Enter an order.
        Insert = 1 "insert",
        /// Cancel an order.
        Cancel = 2 "cancel",
        /// Report what is known of an order again.
        QueryOrder = 3 "query-order",
        /// Restate the account: log in if needed, orders, fills, positions, funds, then an end mark.
        Resync = 4 "resync",
    }
}

codes! {
    /// The venue's word on an order (CTP `OrderStatus`).
    OrderStatus {
        /// The venue does not say yet (CTP `a`).
        Unknown = 1 "unknown",
        /// In the book, nothing traded (`3`).
        Queued = 2 "queued",
        /// In the book, part traded (`1`).
        PartTraded = 3 "part-traded",
        /// All traded (`0`).
        AllTraded = 4 "all-traded",
        /// Cancelled, or rejected when the submission says so (`5`).
        Cancelled = 5 "cancelled",
        /// Part traded, the rest not in the book (`2`).
        PartTradedDead = 6 "part-traded-dead",
        /// Nothing traded, not in the book (`4`).
        NotQueued = 7 "not-queued",
        /// A conditional order not triggered (`b`).
        NotTouched = 8 "not-touched",
        /// A conditional order triggered (`c`).
        Touched = 9 "touched",
    }
}

codes! {
    /// How far a submission came (CTP `OrderSubmitStatus`).
    SubmitStatus {
        /// Insert submitted (`0`).
        InsertSubmitted = 1 "insert-submitted",
        /// Cancel submitted (`1`).
        CancelSubmitted = 2 "cancel-submitted",
        /// Accepted (`3`).
        Accepted = 3 "accepted",
        /// Insert rejected (`4`).
        InsertRejected = 4 "insert-rejected",
        /// Cancel rejected (`5`).
        CancelRejected = 5 "cancel-rejected",
    }
}

codes! {
    /// Which callback a report came by.
    ReportSource {
        /// The order's own flow (CTP `OnRtnOrder`).
        Flow = 1 "flow",
        /// The counter refused the insert (`OnRspOrderInsert`).
        InsertRefused = 2 "insert-refused",
        /// The exchange refused the insert (`OnErrRtnOrderInsert`).
        InsertError = 3 "insert-error",
        /// The counter refused the cancel (`OnRspOrderAction`).
        CancelRefused = 4 "cancel-refused",
        /// The exchange refused the cancel (`OnErrRtnOrderAction`).
        CancelError = 5 "cancel-error",
        /// The answer to a query.
        Query = 6 "query",
    }
}

codes! {
    /// What trading allows at a moment of the day.
    PhaseKind {
        /// No trading, no orders.
        Shut = 1 "shut",
        /// Call auction: orders may be entered and cancelled.
        AuctionOrders = 2 "auction-orders",
        /// Call auction: matching, no orders, no cancels.
        AuctionMatch = 3 "auction-match",
        /// Continuous trading.
        Continuous = 4 "continuous",
        /// A break within the day: no orders.
        Break = 5 "break",
        /// Closing call auction: orders may be entered and cancelled.
        ClosingAuction = 6 "closing-auction",
        /// Halted by the exchange, or a circuit breaker's auction.
        Halted = 7 "halted",
        /// The last part of a call auction: orders may be entered, not cancelled.
        AuctionNoCancel = 8 "auction-no-cancel",
        /// Orders may be cancelled, not entered; nothing matches.
        CancelOnly = 9 "cancel-only",
    }
}

codes! {
    /// Who said that a phase begins.
    PhaseSource {
        /// The calendar.
        Calendar = 1 "calendar",
        /// The exchange's own status; it overrides the calendar.
        Exchange = 2 "exchange",
    }
}

codes! {
    /// Why an intent or a part of it is not acted on.
    RefusalReason {
        /// Not yet reconciled with the venue, or no login.
        NotReady = 1 "not-ready",
        /// The instrument is unknown or cannot be traded.
        UnknownInstrument = 2 "unknown-instrument",
        /// The phase of the session does not take this order.
        Phase = 3 "phase",
        /// No quote, or one older than the limit, or a gap in market data.
        StaleQuote = 4 "stale-quote",
        /// Off tick, outside the day's limits, or too far from the market.
        Price = 5 "price",
        /// Too many lots in one order.
        OrderLots = 6 "order-lots",
        /// The position would exceed its limit if all live orders filled.
        Position = 7 "position",
        /// Not enough lots to close.
        Closable = 8 "closable",
        /// Margin and fees would exceed the funds, or the funds are not known.
        Funds = 9 "funds",
        /// It would trade against an own order.
        SelfTrade = 10 "self-trade",
        /// Too many requests in the window.
        Rate = 11 "rate",
        /// The day's orders of the contract are used up.
        DailyOrders = 12 "daily-orders",
        /// The day's cancels of the contract are down to the reserve.
        DailyCancels = 13 "daily-cancels",
        /// The same intent was just refused by the venue.
        Duplicate = 14 "duplicate",
        /// Observing, paused or halted by the operator.
        Operator = 15 "operator",
        /// Reduce only: a ring overflowed, market data is lost, or a journal runs out of room.
        ReduceOnly = 16 "reduce-only",
        /// The venue rejected the order for good.
        Venue = 17 "venue",
        /// Rates of margin or commission are missing.
        Rates = 18 "rates",
        /// The order table is full.
        Capacity = 19 "capacity",
    }
}

codes! {
    /// What an operator commands.
    CommandKind {
        /// Keep watching, send nothing but cancels.
        Observe = 1 "observe",
        /// Trade again after observe or halt.
        Resume = 2 "resume",
        /// Bring every position to zero.
        Flatten = 3 "flatten",
        /// Cancel every working order of ours.
        CancelAll = 4 "cancel-all",
        /// Cancel all and send nothing more until resumed.
        Halt = 5 "halt",
        /// Stop the engine in order.
        Stop = 6 "stop",
    }
}

codes! {
    /// What went wrong without stopping the engine.
    AlarmKind {
        /// A ring was full and its overflow queue took the message.
        RingOverflow = 1 "ring-overflow",
        /// The journal has one segment left.
        JournalLow = 2 "journal-low",
        /// The journal has no segment left.
        JournalFull = 3 "journal-full",
        /// Market data stopped or has a gap.
        MarketDataLost = 4 "market-data-lost",
        /// A strategy panicked and will not be called again.
        StrategyFailed = 5 "strategy-failed",
        /// The venue's books differ from ours.
        Mismatch = 6 "mismatch",
        /// An order's fate is unknown.
        OrderLost = 7 "order-lost",
        /// The venue knows an order of this account that we did not send.
        WildOrder = 8 "wild-order",
        /// The gateway lost its connection.
        Disconnected = 9 "disconnected",
        /// The order table is full.
        OrderTableFull = 10 "order-table-full",
        /// A decision loop was cut at its bound.
        DecisionBound = 11 "decision-bound",
        /// The venue refused the login for good: no more is tried, so that the account is not locked.
        LoginRefused = 12 "login-refused",
        /// The exchange's clock and ours differ by more than they may.
        ClockOffset = 13 "clock-offset",
        /// Differences with the venue's books block opening.
        OpeningBlocked = 14 "opening-blocked",
        /// Differences with the venue's books halt trading.
        Halted = 15 "halted",
        /// An event at which two starts failed is left out.
        EventSetAside = 16 "event-set-aside",
    }
}

codes! {
    /// What the order stage holds of an order's life.
    OrderState {
        /// Journaled and handed to the gateway; nothing heard.
        Sent = 1 "sent",
        /// The counter or the exchange has it.
        Working = 2 "working",
        /// Working, with our cancel on its way.
        CancelPending = 3 "cancel-pending",
        /// Ended: all lots traded.
        Filled = 4 "filled",
        /// Ended: cancelled, fills complete.
        Cancelled = 5 "cancelled",
        /// Ended: the venue refused it.
        Rejected = 6 "rejected",
        /// Its fate is unknown; counted as live in every limit.
        Lost = 7 "lost",
        /// Ended: absent from two complete queries on a new session.
        NeverArrived = 8 "never-arrived",
        /// Ended by the venue, fills still missing.
        EndedShort = 9 "ended-short",
    }
}

impl OrderState {
    /// Whether nothing more can trade: every fill is known.
    #[inline]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::Rejected | Self::NeverArrived)
    }
}

codes! {
    /// How badly a target wants to be reached.
    Urgency {
        /// Wait at the own best price.
        Passive = 1 "passive",
        /// Cross the spread.
        Aggressive = 2 "aggressive",
    }
}

codes! {
    /// Which thread's sequence a number belongs to.
    StageId {
        /// Market data.
        Feed = 1 "feed",
        /// The signal stage.
        Signal = 2 "signal",
        /// The order stage.
        Order = 3 "order",
        /// The gateway to the venue.
        Gateway = 4 "gateway",
        /// The simulated exchange.
        Exchange = 5 "exchange",
        /// The operator's commands.
        Commands = 6 "commands",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_read_back() {
        for &reason in RefusalReason::ALL {
            assert_eq!(RefusalReason::of(reason.code()), Some(reason));
            assert_eq!(RefusalReason::parse(&reason.name().to_uppercase()), Some(reason));
        }
        assert_eq!(Exchange::of(0), None, "zero is no code: zeroed bytes name nothing");
    }
}
