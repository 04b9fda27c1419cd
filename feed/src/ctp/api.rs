//! What the session machines ask of a CTP library. The binding ([`super::abi`]) answers with the genuine library or the
//! stand-in behind it; tests answer with scripts. A call returns at once: 0 written to the socket (no promise of an
//! answer), -1 no connection, -2 a query is under way, -3 too many in this second, [`NOT_EXPRESSIBLE`] not sent. Answers
//! come as [`Callback`](super::callback::Callback)s through the ring.

use super::lookup::Contracts;
use shrike_core::codes::{Exchange, Offset, OrderType, Side, TimeInForce};
use shrike_core::units::{Lots, Price, Text};

/// A call that was not made: its request has no form in CTP's structs (a symbol or a number that is too long).
pub const NOT_EXPRESSIBLE: i32 = -100;

/// What a login needs. The secrets are never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The broker's number.
    pub broker_id: String,
    /// The user's name at the broker.
    pub user_id: String,
    /// The password.
    pub password: String,
    /// The terminal's name at the broker.
    pub app_id: String,
    /// The terminal's authentication code; empty: the counter asks for none.
    pub auth_code: String,
    /// What the program calls itself (`UserProductInfo`).
    pub product_info: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("broker_id", &self.broker_id)
            .field("user_id", &self.user_id)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

/// A new order as it goes to CTP.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NewOrder<'a> {
    /// The contract.
    pub symbol: &'a [u8],
    /// The exchange.
    pub exchange: Exchange,
    /// Our number.
    pub order_ref: u64,
    /// Side.
    pub side: Side,
    /// Offset.
    pub offset: Offset,
    /// Limit or market.
    pub order_type: OrderType,
    /// Time in force.
    pub tif: TimeInForce,
    /// Limit price; absent for a market order.
    pub price: Price,
    /// Lots.
    pub lots: Lots,
}

/// A cancel as it goes to CTP: by the exchange's number where it is known, else by session and OrderRef.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CancelOrder<'a> {
    /// The contract.
    pub symbol: &'a [u8],
    /// The exchange.
    pub exchange: Exchange,
    /// The order's number.
    pub order_ref: u64,
    /// Front of the session that sent it.
    pub front_id: i32,
    /// That session.
    pub session_id: i32,
    /// The exchange's number, bytes as given; empty when not known.
    pub order_sys_id: Text<24>,
}

/// A query. One may be under way at a time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Query<'a> {
    /// Every contract.
    Instruments,
    /// Every order of the day.
    Orders,
    /// Every trade of the day.
    Trades,
    /// Every position line.
    Positions,
    /// The funds.
    Funds,
    /// Margin rates of a contract.
    MarginRate(&'a [u8]),
    /// Commission rates of a contract.
    CommissionRate(&'a [u8]),
    /// Margin of a written option.
    OptionCost(&'a [u8]),
    /// Commission rates of an option.
    OptionCommission(&'a [u8]),
}

/// A trading connection.
pub trait TraderApi {
    /// Creates the library's object, registers the fronts and begins to connect. A running one is released first.
    ///
    /// # Errors
    /// What failed, for people: the library's path, the flow directory.
    fn start(&mut self) -> Result<(), String>;
    /// Begins to release the object, which may take a while: no callback comes once [`Self::is_stopped`].
    fn stop(&mut self);
    /// Whether no object runs. [`Self::start`] waits for it.
    fn is_stopped(&mut self) -> bool;
    /// `ReqAuthenticate`.
    fn authenticate(&mut self, request_id: i32) -> i32;
    /// `ReqUserLogin`.
    fn login(&mut self, request_id: i32) -> i32;
    /// `ReqSettlementInfoConfirm`.
    fn confirm(&mut self, request_id: i32) -> i32;
    /// A `ReqQry...`.
    fn query(&mut self, request_id: i32, query: Query<'_>) -> i32;
    /// `ReqOrderInsert`.
    fn insert(&mut self, request_id: i32, order: &NewOrder<'_>) -> i32;
    /// `ReqOrderAction`, deleting.
    fn cancel(&mut self, request_id: i32, order: &CancelOrder<'_>) -> i32;
}

/// A market-data connection. Snapshots do not come as callbacks: they are decoded into the market ring.
pub trait MarketApi {
    /// As [`TraderApi::start`].
    ///
    /// # Errors
    /// As there.
    fn start(&mut self) -> Result<(), String>;
    /// As [`TraderApi::stop`].
    fn stop(&mut self);
    /// As [`TraderApi::is_stopped`].
    fn is_stopped(&mut self) -> bool;
    /// `ReqUserLogin`.
    fn login(&mut self, request_id: i32) -> i32;
    /// The contracts whose snapshots are decoded from now on, instead of the earlier ones; snapshots of others are counted
    /// and skipped. To be called before they are subscribed.
    fn prepare(&mut self, contracts: Contracts);
    /// `SubscribeMarketData` of a batch.
    fn subscribe(&mut self, symbols: &[&[u8]]) -> i32;
}
