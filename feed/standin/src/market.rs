//! The market-data library: the functions behind the slots of `CThostFtdcMdApi`, the callbacks of `CThostFtdcMdSpi`, and
//! the exported symbols. Safety as said in [`super::object`].
#![allow(unsafe_code)]

use crate::object::{self, Client, Object, Slot};
use crate::session::{NO_CONNECTION, Session};
use crate::{spell, trader};
use shrike_feed::ctp::abi::slots::{MarketCall, MarketEvent};
use shrike_feed::ctp::callback::{Callback, Symbol, What};
use shrike_feed::sim::front::wire::{Channel, FromClient, FromFront};
use std::ffi::{c_char, c_int};
use std::sync::Arc;

/// `CThostFtdcMdApi::GetApiVersion()`.
#[unsafe(export_name = "_ZN15CThostFtdcMdApi13GetApiVersionEv")]
pub extern "C" fn get_api_version() -> *const c_char {
    object::version_text(object::version()).as_ptr()
}

/// `CThostFtdcMdApi::CreateFtdcMdApi(const char *, bool, bool)`, until 6.7.10. No flow files are kept, and there is no
/// UDP.
#[unsafe(export_name = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbb")]
pub extern "C" fn create(_flow: *const c_char, _udp: bool, _multicast: bool) -> *mut Object {
    let version = object::version();
    let functions: Vec<(usize, Slot)> =
        MarketCall::ALL.iter().filter_map(|&call| Some((call.slot(version), function(call)?))).collect();
    Object::create(Channel::Market, version, MarketCall::count(version), &functions)
}

/// `CThostFtdcMdApi::CreateFtdcMdApi(const char *, bool, bool, bool)`, from 6.7.11.
#[unsafe(export_name = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbbb")]
pub extern "C" fn create_for(flow: *const c_char, udp: bool, multicast: bool, _production: bool) -> *mut Object {
    create(flow, udp, multicast)
}

/// The function of a slot; `None` for those that are answered with -1.
fn function(call: MarketCall) -> Option<Slot> {
    Some(match call {
        MarketCall::Release => object::release as Slot,
        MarketCall::Init => init as Slot,
        MarketCall::Join => object::join as Slot,
        MarketCall::GetTradingDay => object::get_trading_day as Slot,
        MarketCall::RegisterFront => object::register_front as Slot,
        MarketCall::RegisterSpi => object::register_spi as Slot,
        MarketCall::SubscribeMarketData => subscribe as Slot,
        MarketCall::UnSubscribeMarketData => unsubscribe as Slot,
        MarketCall::ReqUserLogin => trader::login as Slot,
        // CTP's manual: not supported.
        MarketCall::ReqUserLogout => return None,
    })
}

unsafe extern "C" fn init(this: *mut Object) {
    // SAFETY: `this` is the factory's (module text of `object`); objects are never freed.
    let Some(object) = (unsafe { Object::of(this) }) else { return };
    let (session, client) = (Arc::clone(&object.session), Arc::clone(object.client()));
    object.session.start(move |frame| match frame {
        FromFront::Tick(snapshot) => {
            if let Some((spi, function)) = client.slot(MarketEvent::OnRtnDepthMarketData.slot(session.version)) {
                // SAFETY: the slot's function takes a snapshot, whose layout is the same in every supported version.
                unsafe { object::call_push(spi, function, &mut spell::depth(&snapshot)) };
            }
        }
        FromFront::Callback(callback) => {
            if let What::LoggedIn(Some(facts)) = &callback.what {
                client.set_trading_day(facts.trading_day);
            }
            tell(&session, &client, &callback);
        }
        FromFront::Limits(_) => {}
    });
}

/// The names in an array of the client's.
///
/// # Safety
/// `names` is null or holds `count` texts that end with a zero byte.
unsafe fn symbols(names: *const *const c_char, count: c_int) -> Vec<Symbol> {
    let count = usize::try_from(count).unwrap_or(0);
    if names.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    (0..count).map(|index| spell::symbol(unsafe { object::bytes(*names.add(index)) })).collect()
}

unsafe extern "C" fn subscribe(this: *mut Object, names: *const *const c_char, count: c_int) -> c_int {
    // SAFETY: the client's pointers are what CTP asks for (module text of `object`).
    let (object, names) = unsafe { (Object::of(this), symbols(names, count)) };
    object.map_or(NO_CONNECTION, |object| object.session.send(&FromClient::Subscribe(names)))
}

/// Ends subscriptions.
unsafe extern "C" fn unsubscribe(this: *mut Object, names: *const *const c_char, count: c_int) -> c_int {
    // SAFETY: as in `subscribe`.
    let (object, names) = unsafe { (Object::of(this), symbols(names, count)) };
    object.map_or(NO_CONNECTION, |object| object.session.send(&FromClient::Unsubscribe(names)))
}

/// Calls the client's SPI as a callback of the front says.
fn tell(session: &Session, client: &Client, callback: &Callback) {
    let slot = |event: MarketEvent| client.slot(event.slot(session.version));
    let mut info = spell::info(callback);
    match &callback.what {
        What::Connected => {
            if let Some((spi, function)) = slot(MarketEvent::OnFrontConnected) {
                // SAFETY: the slot's function has this type in every version.
                unsafe { object::call_connected(spi, function) };
            }
        }
        What::Disconnected { reason } => {
            if let Some((spi, function)) = slot(MarketEvent::OnFrontDisconnected) {
                // SAFETY: as above.
                unsafe { object::call_disconnected(spi, function, *reason) };
            }
        }
        What::LoggedIn(facts) => {
            if let Some((spi, function)) = slot(MarketEvent::OnRspUserLogin) {
                let mut room = spell::login(&facts.unwrap_or_default(), &session.identity());
                // SAFETY: as above; the rooms are large enough for any version's struct and live until it returns.
                unsafe { object::call_answer(spi, function, Some(&mut room), Some(&mut info), callback) };
            }
        }
        What::Subscribed(symbol) | What::Unsubscribed(symbol) => {
            let event = match callback.what {
                What::Subscribed(_) => MarketEvent::OnRspSubMarketData,
                _ => MarketEvent::OnRspUnSubMarketData,
            };
            if let Some((spi, function)) = slot(event) {
                let mut room = spell::specific(symbol);
                // SAFETY: as above.
                unsafe { object::call_answer(spi, function, Some(&mut room), Some(&mut info), callback) };
            }
        }
        What::Failed => {
            if let Some((spi, function)) = slot(MarketEvent::OnRspError) {
                // SAFETY: as above.
                unsafe { object::call_failed(spi, function, &mut info, callback) };
            }
        }
        _ => {}
    }
}
