//! The error codes that the counter and the exchange answer with. Numbers and meanings are CTP's `error.xml` (API
//! 6.7.13), read through public tables of it; 95 is what counters answer to an off-tick price by the API manual's price
//! rules, where the newest API says 165.

/// The session is not logged in (`NOT_LOGIN_YET`).
pub const NOT_LOGGED_IN: i32 = 6;
/// A field of the order makes no sense (`BAD_FIELD`).
pub const BAD_FIELD: i32 = 15;
/// No such instrument (`INSTRUMENT_NOT_FOUND`).
pub const INSTRUMENT_NOT_FOUND: i32 = 16;
/// The instrument cannot be traded: quoted only, expired, or the counter has no rates (`INSTRUMENT_NOT_TRADING`).
pub const INSTRUMENT_NOT_TRADING: i32 = 17;
/// The OrderRef was used, or is not greater than the last one (`DUPLICATE_ORDER_REF`).
pub const DUPLICATE_ORDER_REF: i32 = 22;
/// The order to cancel is not known (`ORDER_NOT_FOUND`).
pub const ORDER_NOT_FOUND: i32 = 25;
/// The order to cancel has traded or was cancelled (`INSUITABLE_ORDER_STATUS`).
pub const ORDER_ENDED: i32 = 26;
/// More lots to close than are held and free (`OVER_CLOSE_POSITION`; exchanges without separate days).
pub const OVER_CLOSE: i32 = 30;
/// Not enough funds (`INSUFFICIENT_MONEY`).
pub const INSUFFICIENT_FUNDS: i32 = 31;
/// Yesterday's settlement statement is not confirmed (`SETTLEMENT_INFO_NOT_CONFIRMED`).
pub const SETTLEMENT_NOT_CONFIRMED: i32 = 42;
/// Not enough lots of today to close (`OVER_CLOSETODAY_POSITION`).
pub const OVER_CLOSE_TODAY: i32 = 50;
/// Not enough lots of earlier days to close (`OVER_CLOSEYESTERDAY_POSITION`).
pub const OVER_CLOSE_YESTERDAY: i32 = 51;
/// The exchange does not take this price type (`PRICETYPE_NOTSUPPORT_BYEXCHANGE`).
pub const ORDER_TYPE_NOT_TAKEN: i32 = 80;
/// The exchange refused, here a cancel in a phase that takes none (`EXCHANGE_RTNERROR`).
pub const EXCHANGE_REFUSED: i32 = 91;
/// The price is not a whole number of ticks.
pub const OFF_TICK: i32 = 95;
/// The phase of the session does not take the order (`NOT_TRADING_PERIOD`).
pub const NOT_TRADING_PERIOD: i32 = 162;
/// The price is outside the day's limits (`PRICE_OVER_LIMIT`).
pub const OUTSIDE_LIMITS: i32 = 163;
/// The exchange does not take that many lots in one order (`VOLUME_NOT_VALID`).
pub const BAD_LOTS: i32 = 164;
