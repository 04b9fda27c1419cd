//! What the CTP libraries tell, the same for every version of the API: plain values, copied out of the vendor's structs on
//! the library's own thread and sent through a ring. Absent prices are absent, texts keep their bytes (GBK where people
//! wrote them), and nothing here points into the library's memory.

use shrike_core::codes::{
    Exchange, Offset, OptionType, OrderStatus, OrderType, PhaseKind, ProductClass, Side, SubmitStatus, TimeInForce,
};
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};

/// A contract or product code. CTP has room for 80 bytes; a longer one than this is refused and counted.
pub type Symbol = Text<32>;

/// One callback.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Callback {
    /// When the library called, on the engine's clock.
    pub received: Nanos,
    /// The request that it answers; zero: none.
    pub request_id: i32,
    /// The last callback of that answer.
    pub is_last: bool,
    /// CTP's error number; zero: none.
    pub error: i32,
    /// CTP's words for it, in GBK.
    pub message: Text<88>,
    /// What was called.
    pub what: What,
}

/// Which callback, with what it carries. `None` inside an answer: the library gave a null pointer (nothing found).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum What {
    /// None yet: an empty slot.
    #[default]
    Nothing,
    /// `OnFrontConnected`.
    Connected,
    /// `OnFrontDisconnected`.
    Disconnected {
        /// 0x1001 read failed, 0x1002 write failed, 0x2001 no heartbeat, 0x2002 heartbeat not sent, 0x2003 bad message.
        reason: i32,
    },
    /// `OnRspAuthenticate`.
    Authenticated,
    /// `OnRspUserLogin`.
    LoggedIn(Option<LoginFacts>),
    /// `OnRspUserLogout`.
    LoggedOut,
    /// `OnRspSettlementInfoConfirm`.
    Confirmed,
    /// `OnRspError`.
    Failed,
    /// `OnRspOrderInsert`: the counter refuses an order.
    InsertRefused(Option<OrderFacts>),
    /// `OnErrRtnOrderInsert`: the same, told to every session of the user, or the exchange's refusal.
    InsertError(Option<OrderFacts>),
    /// `OnRspOrderAction`: the counter refuses a cancel.
    CancelRefused(Option<CancelFacts>),
    /// `OnErrRtnOrderAction`.
    CancelError(Option<CancelFacts>),
    /// `OnRtnOrder`.
    Order(OrderFacts),
    /// `OnRtnTrade`.
    Trade(TradeFacts),
    /// `OnRtnInstrumentStatus`.
    Status(StatusFacts),
    /// `OnRspQryOrder`.
    OrderLine(Option<OrderFacts>),
    /// `OnRspQryTrade`.
    TradeLine(Option<TradeFacts>),
    /// `OnRspQryInvestorPosition`.
    PositionLine(Option<PositionFacts>),
    /// `OnRspQryTradingAccount`.
    Funds(Option<FundsFacts>),
    /// `OnRspQryInstrument`.
    Instrument(Option<InstrumentFacts>),
    /// `OnRspQryInstrumentMarginRate`.
    MarginRate(Option<MarginFacts>),
    /// `OnRspQryInstrumentCommissionRate`.
    CommissionRate(Option<CommissionFacts>),
    /// `OnRspQryOptionInstrTradeCost`.
    OptionCost(Option<OptionCostFacts>),
    /// `OnRspQryOptionInstrCommRate`.
    OptionCommission(Option<CommissionFacts>),
    /// `OnRspSubMarketData`.
    Subscribed(Symbol),
    /// `OnRspUnSubMarketData`.
    Unsubscribed(Symbol),
}

/// What a login tells. The trading day comes from here alone.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct LoginFacts {
    /// The trading day; absent on some market-data fronts.
    pub trading_day: TradingDay,
    /// Front of the session.
    pub front_id: i32,
    /// Number of the session.
    pub session_id: i32,
    /// Greatest OrderRef the counter has seen of this session's kind.
    pub max_order_ref: u64,
    /// The exchanges' clocks at the login, `HH:MM:SS` as nanoseconds since midnight (China); SHFE, DCE, CZCE, CFFEX, INE,
    /// GFEX. `None`: not told.
    pub clocks: [Option<u64>; 6],
}

/// An order, as `CThostFtdcOrderField` or `CThostFtdcInputOrderField` says. Of an input order what comes later is empty.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct OrderFacts {
    /// The contract.
    pub symbol: Symbol,
    /// The exchange; `None` when the field is empty.
    pub exchange: Option<Exchange>,
    /// The reference, bytes as given: another program may send what is no number.
    pub order_ref: Text<16>,
    /// Front of the session that sent it.
    pub front_id: i32,
    /// Session that sent it.
    pub session_id: i32,
    /// Request that sent it.
    pub request_id: i32,
    /// The exchange's number, bytes as given.
    pub order_sys_id: Text<24>,
    /// The counter's number towards the exchange, bytes as given.
    pub order_local_id: Text<16>,
    /// The seat, with `order_local_id` a key.
    pub trader_id: Text<24>,
    /// Side.
    pub side: Option<Side>,
    /// Offset.
    pub offset: Option<Offset>,
    /// Limit or market.
    pub order_type: Option<OrderType>,
    /// Time in force, from CTP's time condition and volume condition.
    pub tif: Option<TimeInForce>,
    /// Limit price.
    pub price: Price,
    /// Lots ordered.
    pub lots: Lots,
    /// Lots traded.
    pub traded: Lots,
    /// The order's status.
    pub status: Option<OrderStatus>,
    /// The submission's status.
    pub submit: Option<SubmitStatus>,
    /// Trading day of the order.
    pub trading_day: TradingDay,
    /// `InsertTime` as nanoseconds since midnight (China); `None`: not told.
    pub insert_time: Option<u64>,
    /// `CancelTime` likewise.
    pub cancel_time: Option<u64>,
}

/// A cancel, as `CThostFtdcInputOrderActionField` or `CThostFtdcOrderActionField` says.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct CancelFacts {
    /// The contract.
    pub symbol: Symbol,
    /// The exchange; `None` when the field is empty.
    pub exchange: Option<Exchange>,
    /// The order's reference.
    pub order_ref: Text<16>,
    /// Front of the session that sent the order.
    pub front_id: i32,
    /// Session that sent the order.
    pub session_id: i32,
    /// The exchange's number of the order.
    pub order_sys_id: Text<24>,
    /// Request that sent the cancel.
    pub request_id: i32,
}

/// A trade.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct TradeFacts {
    /// The contract.
    pub symbol: Symbol,
    /// The exchange.
    pub exchange: Option<Exchange>,
    /// The exchange's number of the trade, bytes as given.
    pub trade_id: Text<24>,
    /// The exchange's number of the order, bytes as given.
    pub order_sys_id: Text<24>,
    /// The order's reference.
    pub order_ref: Text<16>,
    /// Side.
    pub side: Option<Side>,
    /// Offset.
    pub offset: Option<Offset>,
    /// Price.
    pub price: Price,
    /// Lots.
    pub lots: Lots,
    /// Trading day.
    pub trading_day: TradingDay,
    /// `TradeTime` as nanoseconds since midnight (China); `None`: not told.
    pub time: Option<u64>,
}

/// A line of the position answer: contract, side, and for SHFE and INE today's and earlier lots apart.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PositionFacts {
    /// The contract.
    pub symbol: Symbol,
    /// The exchange; `None` when the field is empty.
    pub exchange: Option<Exchange>,
    /// Buy: long.
    pub side: Option<Side>,
    /// Whether the line is of earlier days' lots (`PositionDate` '2').
    pub is_history: bool,
    /// Lots now (`Position`).
    pub lots: Lots,
    /// Of them, opened today (`TodayPosition`).
    pub today: Lots,
    /// Lots at the start of the day (`YdPosition`, which does not change).
    pub at_open: Lots,
    /// Lots bound by working closing orders of the other side.
    pub frozen: Lots,
    /// Margin in use.
    pub margin: Money,
    /// Value at the opening prices.
    pub open_cost: Money,
    /// Value at the prices the position is marked from.
    pub position_cost: Money,
    /// Yesterday's settlement price.
    pub pre_settlement: Price,
}

/// The funds answer.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct FundsFacts {
    /// Trading day.
    pub trading_day: TradingDay,
    /// Balance after the last settlement.
    pub pre_balance: Money,
    /// Deposits of the day.
    pub deposit: Money,
    /// Withdrawals of the day.
    pub withdraw: Money,
    /// Result of closed lots.
    pub close_profit: Money,
    /// Result of held lots.
    pub position_profit: Money,
    /// Fees.
    pub commission: Money,
    /// Premiums of options: received less paid.
    pub cash_in: Money,
    /// Margin in use.
    pub margin: Money,
    /// Margin bound by working orders.
    pub frozen_margin: Money,
    /// Premiums and fees bound by working orders.
    pub frozen_cash: Money,
    /// Fees bound by working orders.
    pub frozen_commission: Money,
    /// Balance.
    pub balance: Money,
    /// What can be used.
    pub available: Money,
}

/// A contract.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct InstrumentFacts {
    /// The code.
    pub symbol: Symbol,
    /// The exchange.
    pub exchange: Option<Exchange>,
    /// The product's code.
    pub product: Text<16>,
    /// Its class.
    pub class: Option<ProductClass>,
    /// Units per lot.
    pub multiplier: i64,
    /// Price step.
    pub tick: Price,
    /// Least lots of a limit order.
    pub min_limit_lots: Lots,
    /// Most lots of a limit order.
    pub max_limit_lots: Lots,
    /// Least lots of a market order.
    pub min_market_lots: Lots,
    /// Most lots of a market order; zero: none taken.
    pub max_market_lots: Lots,
    /// Last trading day; absent when not told.
    pub expiry: TradingDay,
    /// First trading day; absent when not told.
    pub listed: TradingDay,
    /// Whether it trades.
    pub is_trading: bool,
    /// Of an option: its right.
    pub option: Option<OptionType>,
    /// Of an option: its strike.
    pub strike: Price,
    /// Of an option: what it is on.
    pub underlying: Symbol,
    /// Margin ratio of long lots at the exchange, in units of 1e-8.
    pub long_margin_ratio: i64,
    /// Margin ratio of short lots at the exchange, in units of 1e-8.
    pub short_margin_ratio: i64,
}

/// Margin rates of the account in a contract (or product: the row's name is then shorter).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct MarginFacts {
    /// Contract or product.
    pub symbol: Symbol,
    /// Ratio of the value, long, in units of 1e-8.
    pub long_ratio: i64,
    /// Money per lot, long.
    pub long_per_lot: Money,
    /// Ratio of the value, short, in units of 1e-8.
    pub short_ratio: i64,
    /// Money per lot, short.
    pub short_per_lot: Money,
    /// Whether the ratios add to the exchange's.
    pub is_relative: bool,
}

/// Commission rates of the account in a contract or product.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct CommissionFacts {
    /// Contract or product.
    pub symbol: Symbol,
    /// Ratio of the value, opening, in units of 1e-8.
    pub open_ratio: i64,
    /// Money per lot, opening.
    pub open_per_lot: Money,
    /// Ratio of the value, closing.
    pub close_ratio: i64,
    /// Money per lot, closing.
    pub close_per_lot: Money,
    /// Ratio of the value, closing lots of the same day.
    pub close_today_ratio: i64,
    /// Money per lot, closing lots of the same day.
    pub close_today_per_lot: Money,
}

/// What a lot of a written option binds beside its premium: margin = max(premium + fixed, least). Bought ones bind none.
/// (CTP's manual, `ReqQryOptionInstrTradeCost`.)
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct OptionCostFacts {
    /// The contract.
    pub symbol: Symbol,
    /// `FixedMargin`: what the underlying's margin adds to the premium.
    pub fixed_per_lot: Money,
    /// `MiniMargin`: what is bound at least.
    pub least_per_lot: Money,
}

/// A change of a product's or contract's phase, as the exchange pushes it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct StatusFacts {
    /// The exchange.
    pub exchange: Option<Exchange>,
    /// Contract or product.
    pub symbol: Symbol,
    /// The phase; `None` when the code is not known.
    pub phase: Option<PhaseKind>,
    /// `EnterTime` as nanoseconds since midnight (China); `None`: not told.
    pub enter_time: Option<u64>,
}
