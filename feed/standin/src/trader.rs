//! The trading library: the functions behind the slots of `CThostFtdcTraderApi`, the callbacks of `CThostFtdcTraderSpi`,
//! and the exported symbols. Safety as said in [`super::object`].
#![allow(unsafe_code)]

use crate::object::{self, Client, Object, Slot};
use crate::session::Session;
use crate::spell;
use shrike_feed::ctp::abi::letters;
use shrike_feed::ctp::abi::slots::{TraderCall, TraderEvent};
use shrike_feed::ctp::abi::structs::{
    self, InputOrder, InputOrderAction, QryInstrument, QryInstrumentCommissionRate, QryInstrumentMarginRate,
    QryInvestorPosition, QryOptionInstrCommRate, QryOptionInstrTradeCost, QryOrder, QryTrade, QryTradingAccount,
    ReqAuthenticate, ReqUserLogin, Room, RspInfo, SettlementInfoConfirm, UserLogout, text,
};
use shrike_feed::ctp::callback::{Callback, What};
use shrike_feed::sim::front::wire::{Ask, Channel, FromClient, FromFront, QueryKind, Who};
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

/// `CThostFtdcTraderApi::GetApiVersion()`.
#[unsafe(export_name = "_ZN19CThostFtdcTraderApi13GetApiVersionEv")]
pub extern "C" fn get_api_version() -> *const c_char {
    object::version_text(object::version()).as_ptr()
}

/// `CThostFtdcTraderApi::CreateFtdcTraderApi(const char *)`, until 6.7.10. No flow files are kept.
#[unsafe(export_name = "_ZN19CThostFtdcTraderApi19CreateFtdcTraderApiEPKc")]
pub extern "C" fn create(_flow: *const c_char) -> *mut Object {
    let version = object::version();
    let functions: Vec<(usize, Slot)> =
        TraderCall::ALL.iter().map(|&call| (call.slot(version), function(call))).collect();
    Object::create(Channel::Trading, version, TraderCall::count(version), &functions)
}

/// `CThostFtdcTraderApi::CreateFtdcTraderApi(const char *, bool)`, from 6.7.11.
#[unsafe(export_name = "_ZN19CThostFtdcTraderApi19CreateFtdcTraderApiEPKcb")]
pub extern "C" fn create_for(flow: *const c_char, _production: bool) -> *mut Object {
    create(flow)
}

/// The function of a slot. Those of no call here are answered with -1.
fn function(call: TraderCall) -> Slot {
    match call {
        TraderCall::Release => object::release as Slot,
        TraderCall::Init => init as Slot,
        TraderCall::Join => object::join as Slot,
        TraderCall::GetTradingDay => object::get_trading_day as Slot,
        TraderCall::RegisterFront => object::register_front as Slot,
        TraderCall::RegisterSpi => object::register_spi as Slot,
        TraderCall::SubscribePrivateTopic => subscribe_private as Slot,
        TraderCall::SubscribePublicTopic => subscribe_public as Slot,
        TraderCall::ReqAuthenticate => authenticate as Slot,
        TraderCall::ReqUserLogin => login as Slot,
        TraderCall::ReqOrderInsert => insert as Slot,
        TraderCall::ReqOrderAction => action as Slot,
        TraderCall::ReqSettlementInfoConfirm => confirm as Slot,
        TraderCall::ReqQryOrder => query_orders as Slot,
        TraderCall::ReqQryTrade => query_trades as Slot,
        TraderCall::ReqQryInvestorPosition => query_positions as Slot,
        TraderCall::ReqQryTradingAccount => query_funds as Slot,
        TraderCall::ReqQryInstrumentMarginRate => query_margin as Slot,
        TraderCall::ReqQryInstrumentCommissionRate => query_commission as Slot,
        TraderCall::ReqQryInstrument => query_instruments as Slot,
        TraderCall::ReqQryOptionInstrTradeCost => query_option_cost as Slot,
        TraderCall::ReqQryOptionInstrCommRate => query_option_commission as Slot,
        TraderCall::ReqUserLogout => logout as Slot,
    }
}

unsafe extern "C" fn init(this: *mut Object) {
    // SAFETY: `this` is the factory's (module text); objects are never freed, so the thread may keep the reference.
    let Some(object) = (unsafe { Object::of(this) }) else { return };
    let (session, client) = (Arc::clone(&object.session), Arc::clone(object.client()));
    object.session.start(move |frame| {
        if let FromFront::Callback(callback) = frame {
            if let What::LoggedIn(Some(facts)) = &callback.what {
                client.set_trading_day(facts.trading_day);
            }
            tell(&session, &client, &callback);
        }
    });
}

unsafe extern "C" fn subscribe_private(this: *mut Object, kind: c_int) {
    // SAFETY: as in `init`.
    if let Some(object) = unsafe { Object::of(this) } {
        object.session.resume(kind);
    }
}

/// Phases are told at each login, whatever was asked.
extern "C" fn subscribe_public(_this: *mut Object, _kind: c_int) {}

/// Does something with an object and a struct of the client's; -1 when either is missing.
///
/// # Safety
/// `this` is a factory's object or null, `field` points to a `T` of any supported version or is null.
unsafe fn with<T>(this: *mut Object, field: *const T, ask: impl FnOnce(&Session, &T) -> c_int) -> c_int {
    // SAFETY: the caller's promise; every version's struct begins with the fields of `T`, which has no padding and takes
    // any bytes. CTP's structs are aligned as `T` is.
    match unsafe { (Object::of(this), field.as_ref()) } {
        (Some(object), Some(field)) => ask(&object.session, field),
        _ => crate::session::NO_CONNECTION,
    }
}

fn name(field: &[u8]) -> String {
    String::from_utf8_lossy(text(field)).into_owned()
}

unsafe extern "C" fn authenticate(this: *mut Object, field: *const ReqAuthenticate, request: c_int) -> c_int {
    let ask = |session: &Session, field: &ReqAuthenticate| {
        session.identify(text(&field.broker_id), text(&field.user_id), Some(text(&field.app_id)));
        session.send(&FromClient::Authenticate(
            request,
            Who {
                broker_id: name(&field.broker_id),
                user_id: name(&field.user_id),
                secret: name(&field.auth_code),
                app_id: name(&field.app_id),
            },
        ))
    };
    // SAFETY: the client's pointers are what CTP asks for (module text).
    unsafe { with(this, field, ask) }
}

/// `ReqUserLogin`, the same for both libraries.
pub unsafe extern "C" fn login(this: *mut Object, field: *const ReqUserLogin, request: c_int) -> c_int {
    let ask = |session: &Session, field: &ReqUserLogin| {
        session.identify(text(&field.broker_id), text(&field.user_id), None);
        session.send(&FromClient::Login(
            request,
            Who {
                broker_id: name(&field.broker_id),
                user_id: name(&field.user_id),
                secret: name(&field.password),
                app_id: String::new(),
            },
        ))
    };
    // SAFETY: as in `authenticate`.
    unsafe { with(this, field, ask) }
}

unsafe extern "C" fn logout(this: *mut Object, field: *const UserLogout, request: c_int) -> c_int {
    // SAFETY: as in `authenticate`.
    unsafe { with(this, field, |session, _| session.send(&FromClient::Logout(request))) }
}

unsafe extern "C" fn confirm(this: *mut Object, field: *const SettlementInfoConfirm, request: c_int) -> c_int {
    // SAFETY: as in `authenticate`.
    unsafe { with(this, field, |session, _| session.send(&FromClient::Confirm(request))) }
}

unsafe extern "C" fn insert(this: *mut Object, field: *const InputOrder, request: c_int) -> c_int {
    let ask =
        |session: &Session, field: &InputOrder| session.send(&FromClient::Insert(request, spell::order_facts(field)));
    // SAFETY: as in `authenticate`.
    unsafe { with(this, field, ask) }
}

/// Only deleting: the exchanges know no other action.
unsafe extern "C" fn action(this: *mut Object, field: *const InputOrderAction, request: c_int) -> c_int {
    let ask = |session: &Session, field: &InputOrderAction| match field.action_flag {
        b'0' => session.send(&FromClient::Cancel(request, spell::cancel_facts(field))),
        _ => crate::session::NO_CONNECTION,
    };
    // SAFETY: as in `authenticate`.
    unsafe { with(this, field, ask) }
}

/// The queries: the function, its struct, what it asks for, and whether it names a contract and an exchange.
macro_rules! queries {
    ($($function:ident: $field:ident = $kind:ident $(, $symbol:ident, $exchange:ident)?;)+) => {$(
        unsafe extern "C" fn $function(this: *mut Object, field: *const $field, request: c_int) -> c_int {
            let ask = |session: &Session, _field: &$field| {
                #[allow(unused_mut)]
                let mut ask = Ask { kind: QueryKind::$kind, symbol: Default::default(), exchange: None };
                $(
                    ask.symbol = spell::symbol(&_field.$symbol);
                    ask.exchange = letters::exchange(&_field.$exchange);
                )?
                session.query(request, ask)
            };
            // SAFETY: as in `authenticate`.
            unsafe { with(this, field, ask) }
        }
    )+};
}
queries! {
    query_orders: QryOrder = Orders, instrument_id, exchange_id;
    query_trades: QryTrade = Trades, instrument_id, exchange_id;
    query_positions: QryInvestorPosition = Positions, instrument_id, exchange_id;
    query_funds: QryTradingAccount = Funds;
    query_margin: QryInstrumentMarginRate = Margin, instrument_id, exchange_id;
    query_commission: QryInstrumentCommissionRate = Commission, instrument_id, exchange_id;
    query_instruments: QryInstrument = Instruments, instrument_id, exchange_id;
    query_option_cost: QryOptionInstrTradeCost = OptionCost, instrument_id, exchange_id;
    query_option_commission: QryOptionInstrCommRate = OptionCommission, instrument_id, exchange_id;
}

/// Calls the client's SPI as a callback of the front says.
fn tell(session: &Session, client: &Client, callback: &Callback) {
    let (identity, call) = (session.identity(), Call { session, client, callback });
    let words = callback.message.as_bytes();
    match &callback.what {
        What::Connected => call.connected(),
        What::Disconnected { reason } => call.disconnected(*reason),
        What::Authenticated => call.answer(TraderEvent::OnRspAuthenticate, Some(spell::authenticated(&identity)), true),
        What::LoggedIn(facts) => {
            let facts = facts.unwrap_or_default();
            call.answer(TraderEvent::OnRspUserLogin, Some(spell::login(&facts, &identity)), true);
        }
        What::LoggedOut => call.answer(TraderEvent::OnRspUserLogout, Some(spell::logged_out(&identity)), true),
        What::Confirmed => {
            call.answer(TraderEvent::OnRspSettlementInfoConfirm, Some(spell::confirmed(&identity)), true);
        }
        What::Failed => call.failed(),
        What::InsertRefused(facts) => {
            let room = facts.map(|facts| spell::input_order(&facts, &identity));
            call.answer(TraderEvent::OnRspOrderInsert, room, true);
        }
        What::InsertError(facts) => {
            let room = facts.map(|facts| spell::input_order(&facts, &identity));
            call.error(TraderEvent::OnErrRtnOrderInsert, room);
        }
        What::CancelRefused(facts) => {
            let room = facts.map(|facts| spell::input_action(&facts, &identity));
            call.answer(TraderEvent::OnRspOrderAction, room, true);
        }
        What::CancelError(facts) => {
            let room = facts.map(|facts| spell::action(&facts, words, &identity));
            call.error(TraderEvent::OnErrRtnOrderAction, room);
        }
        What::Order(facts) => call.push(TraderEvent::OnRtnOrder, spell::order(facts, words, &identity)),
        What::Trade(facts) => call.push(TraderEvent::OnRtnTrade, spell::trade(facts, &identity)),
        What::Status(facts) => call.push(TraderEvent::OnRtnInstrumentStatus, spell::status(facts)),
        What::OrderLine(facts) => {
            let room = facts.map(|facts| spell::order(&facts, words, &identity));
            call.answer(TraderEvent::OnRspQryOrder, room, false);
        }
        What::TradeLine(facts) => {
            let room = facts.map(|facts| spell::trade(&facts, &identity));
            call.answer(TraderEvent::OnRspQryTrade, room, false);
        }
        What::PositionLine(facts) => {
            let room = facts.map(|facts| spell::position(&facts, &identity));
            call.answer(TraderEvent::OnRspQryInvestorPosition, room, false);
        }
        What::Funds(facts) => {
            let room = facts.map(|facts| spell::funds(&facts, &identity));
            call.answer(TraderEvent::OnRspQryTradingAccount, room, false);
        }
        What::Instrument(facts) => {
            let room = facts.map(|facts| spell::instrument(&facts));
            call.answer(TraderEvent::OnRspQryInstrument, room, false);
        }
        What::MarginRate(facts) => {
            let room = facts.map(|facts| spell::margin(&facts, &identity));
            call.answer(TraderEvent::OnRspQryInstrumentMarginRate, room, false);
        }
        What::CommissionRate(facts) => {
            let room = facts.map(|facts| spell::commission(&facts, &identity));
            call.answer(TraderEvent::OnRspQryInstrumentCommissionRate, room, false);
        }
        What::OptionCost(facts) => {
            let room = facts.map(|facts| spell::option_cost(&facts, &identity));
            call.answer(TraderEvent::OnRspQryOptionInstrTradeCost, room, false);
        }
        What::OptionCommission(facts) => {
            let room = facts.map(|facts| spell::option_commission(&facts, &identity));
            call.answer(TraderEvent::OnRspQryOptionInstrCommRate, room, false);
        }
        What::Subscribed(_) | What::Unsubscribed(_) | What::Nothing => {}
    }
}

/// A call of the client's SPI.
struct Call<'a> {
    session: &'a Session,
    client: &'a Client,
    callback: &'a Callback,
}

impl Call<'_> {
    fn slot(&self, event: TraderEvent) -> Option<(*mut c_void, Slot)> {
        self.client.slot(event.slot(self.session.version))
    }

    fn connected(&self) {
        if let Some((spi, function)) = self.slot(TraderEvent::OnFrontConnected) {
            // SAFETY: the slot's function has this type in every version.
            unsafe { object::call_connected(spi, function) };
        }
    }

    fn disconnected(&self, reason: i32) {
        if let Some((spi, function)) = self.slot(TraderEvent::OnFrontDisconnected) {
            // SAFETY: as in `connected`.
            unsafe { object::call_disconnected(spi, function, reason) };
        }
    }

    /// An answer: the struct (null: nothing found), how it went (null where an answer without an error tells none), the
    /// request and whether it is the last.
    fn answer<T: structs::Layout>(&self, event: TraderEvent, mut room: Option<Room<T>>, always_info: bool) {
        let Some((spi, function)) = self.slot(event) else { return };
        let mut info = (always_info || self.callback.error != 0).then(|| spell::info(self.callback));
        // SAFETY: the slot's function takes these in every version; the rooms are large enough for any version's struct
        // and live until it returns.
        unsafe { object::call_answer(spi, function, room.as_mut(), info.as_mut(), self.callback) };
    }

    fn failed(&self) {
        let Some((spi, function)) = self.slot(TraderEvent::OnRspError) else { return };
        let mut info = spell::info(self.callback);
        // SAFETY: as in `answer`.
        unsafe { object::call_failed(spi, function, &mut info, self.callback) };
    }

    fn error<T: structs::Layout>(&self, event: TraderEvent, mut room: Option<Room<T>>) {
        let Some((spi, function)) = self.slot(event) else { return };
        let mut info: Room<RspInfo> = spell::info(self.callback);
        // SAFETY: as in `answer`.
        unsafe { object::call_error(spi, function, room.as_mut(), &mut info) };
    }

    fn push<T: structs::Layout>(&self, event: TraderEvent, mut room: Room<T>) {
        let Some((spi, function)) = self.slot(event) else { return };
        // SAFETY: as in `answer`.
        unsafe { object::call_push(spi, function, &mut room) };
    }
}
