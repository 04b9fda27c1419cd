//! The objects that CTP's libraries call: a pointer to a vtable as the C++ compiler lays it out (Itanium ABI, x86-64),
//! then our own state. Every slot of the version's table has a function; those we have no use for do nothing. All of
//! this runs on the library's own thread.
#![allow(unsafe_code)]

use super::answer::Reader;
use super::sink::{Sink, Snapshots};
use super::slots::{MarketEvent, TraderEvent};
use super::structs::{
    InputOrder, InputOrderAction, Instrument, InstrumentCommissionRate, InstrumentMarginRate, InstrumentStatus,
    InvestorPosition, OptionInstrCommRate, OptionInstrTradeCost, Order, OrderAction, RspAuthenticate, RspInfo,
    RspUserLogin, SettlementInfoConfirm, SpecificInstrument, Trade, TradingAccount,
};
use super::version::Version;
use crate::ctp::callback::What;
use crate::ctp::decode::DepthSnapshot;
use std::ffi::c_void;
use std::ptr::NonNull;

/// A slot of a vtable: a function, of the type that its place in the table says.
type Slot = *const c_void;

/// What stands before the first slot: the offset to the whole object (zero) and its type's description (none).
const BEFORE_SLOTS: usize = 2;

/// An object that CTP calls. The library gets a pointer to it and passes that to each function of the vtable.
#[repr(C)]
pub(super) struct Object<M> {
    slots: *const Slot,
    pub(super) sink: Sink,
    pub(super) market: M,
}

/// Owner of an object. The object stays where it is and outlives every library object that it is registered with.
pub(super) struct Spi<M> {
    object: NonNull<Object<M>>,
    /// The vtable, which the object points into.
    _table: Box<[Slot]>,
}

// SAFETY: the parts of an object are `Send`; its pointers point to functions and to the boxed vtable, which move with it.
unsafe impl<M: Send> Send for Spi<M> {}

impl<M> Spi<M> {
    fn new(sink: Sink, market: M, table: Box<[Slot]>) -> Self {
        // SAFETY: every table is made by `table`, with `BEFORE_SLOTS` entries before the slots.
        let slots = unsafe { table.as_ptr().add(BEFORE_SLOTS) };
        let object = Box::leak(Box::new(Object { slots, sink, market }));
        Self { object: NonNull::from(object), _table: table }
    }

    /// What `RegisterSpi` takes.
    pub(super) const fn as_ptr(&self) -> *mut c_void {
        self.object.as_ptr().cast()
    }

    /// The state behind the vtable.
    ///
    /// # Safety
    /// No library object is alive that the object is registered with.
    pub(super) const unsafe fn state(&mut self) -> &mut Object<M> {
        // SAFETY: the pointer is from a box that is freed in `drop` only; by the caller's promise CTP's thread is gone.
        unsafe { self.object.as_mut() }
    }
}

impl<M> Drop for Spi<M> {
    fn drop(&mut self) {
        // SAFETY: the pointer is from a box. Its owner (`Link`) has released every library object before it drops this,
        // and `Release` returns after the library's thread has ended.
        drop(unsafe { Box::from_raw(self.object.as_ptr()) });
    }
}

/// The object for the trading library.
pub(super) fn trader(version: Version, sink: Sink) -> Spi<()> {
    use TraderEvent::*;
    let functions = TraderEvent::ALL.iter().filter_map(|&event| {
        let function = match event {
            OnFrontConnected => on_connected::<()> as Slot,
            OnFrontDisconnected => on_disconnected::<()> as Slot,
            OnRspAuthenticate => on_authenticated as Slot,
            OnRspUserLogin => on_logged_in::<()> as Slot,
            OnRspOrderInsert => on_insert_refused as Slot,
            OnRspOrderAction => on_cancel_refused as Slot,
            OnRspSettlementInfoConfirm => on_confirmed as Slot,
            OnRspQryOrder => on_order_line as Slot,
            OnRspQryTrade => on_trade_line as Slot,
            OnRspQryInvestorPosition => on_position_line as Slot,
            OnRspQryTradingAccount => on_funds as Slot,
            OnRspQryInstrumentMarginRate => on_margin_rate as Slot,
            OnRspQryInstrumentCommissionRate => on_commission_rate as Slot,
            OnRspQryInstrument => on_instrument as Slot,
            OnRspQryOptionInstrTradeCost => on_option_cost as Slot,
            OnRspQryOptionInstrCommRate => on_option_commission as Slot,
            OnRspError => on_error::<()> as Slot,
            OnRtnOrder => on_order as Slot,
            OnRtnTrade => on_trade as Slot,
            OnErrRtnOrderInsert => on_insert_error as Slot,
            OnErrRtnOrderAction => on_cancel_error as Slot,
            OnRtnInstrumentStatus => on_status as Slot,
            OnRspUserLogout => return None,
        };
        Some((event.slot(version), function))
    });
    Spi::new(sink, (), table(TraderEvent::count(version), functions))
}

/// The object for the market-data library.
pub(super) fn market(version: Version, sink: Sink, snapshots: Snapshots) -> Spi<Snapshots> {
    use MarketEvent::*;
    let functions = MarketEvent::ALL.iter().filter_map(|&event| {
        let function = match event {
            OnFrontConnected => on_connected::<Snapshots> as Slot,
            OnFrontDisconnected => on_disconnected::<Snapshots> as Slot,
            OnRspUserLogin => on_logged_in::<Snapshots> as Slot,
            OnRspError => on_error::<Snapshots> as Slot,
            OnRspSubMarketData => on_subscribed as Slot,
            OnRtnDepthMarketData => on_snapshot as Slot,
            OnRspUserLogout | OnRspUnSubMarketData => return None,
        };
        Some((event.slot(version), function))
    });
    Spi::new(sink, snapshots, table(MarketEvent::count(version), functions))
}

/// A vtable of `count` slots: these functions, and one that does nothing in every other.
fn table(count: usize, functions: impl Iterator<Item = (usize, Slot)>) -> Box<[Slot]> {
    let mut table = vec![std::ptr::null(); BEFORE_SLOTS];
    table.resize(BEFORE_SLOTS + count, ignore as Slot);
    for (slot, function) in functions {
        if let Some(place) = table.get_mut(BEFORE_SLOTS + slot) {
            *place = function;
        }
    }
    table.into()
}

/// In this calling convention the caller clears the arguments, so a function may ignore all that follow.
extern "C" fn ignore(_this: *mut c_void) {}

/// The object behind `this`.
///
/// # Safety
/// `this` is the pointer that was registered. The library calls from one thread at a time and not within a call, which
/// CTP promises for an API object; an object of ours is registered with one of them at a time.
unsafe fn enter<'a, M>(this: *mut Object<M>) -> &'a mut Object<M> {
    // SAFETY: by the caller's promise the object lives (its owner releases the library first) and nobody else is in it.
    let object = unsafe { &mut *this };
    object.sink.place();
    object
}

/// What CTP points to. `None` for null, and for a pointer that no C++ compiler makes for a `T`.
///
/// # Safety
/// The pointer is null or points to a struct of this kind of a supported version for the time of the callback; these are
/// at least as large as a `T` ([`super::structs`]), and any bytes are a `T`.
unsafe fn see<'a, T: bytemuck::Pod>(it: *const T) -> Option<&'a T> {
    // SAFETY: not null and aligned; valid and unchanged meanwhile by the caller's promise.
    if it.is_aligned() { unsafe { it.as_ref() } } else { None }
}

unsafe extern "C" fn on_connected<M>(this: *mut Object<M>) {
    // SAFETY: called by the library with what was registered.
    unsafe { enter(this) }.sink.tell(What::Connected, None, &[], 0, true);
}

unsafe extern "C" fn on_disconnected<M>(this: *mut Object<M>, reason: i32) {
    // SAFETY: called by the library with what was registered.
    unsafe { enter(this) }.sink.tell(What::Disconnected { reason }, None, &[], 0, true);
}

unsafe extern "C" fn on_error<M>(this: *mut Object<M>, info: *const RspInfo, request: i32, is_last: u8) {
    // SAFETY: called by the library with what was registered and its own structs.
    let (object, info) = unsafe { (enter(this), see(info)) };
    object.sink.tell(What::Failed, info, &[], request, is_last != 0);
}

/// # Safety
/// As [`enter`] and [`see`].
unsafe fn answer<M, T: bytemuck::Pod>(
    this: *mut Object<M>,
    (it, info, request, is_last): (*const T, *const RspInfo, i32, u8),
    what: impl FnOnce(&Reader<'_>, Option<&T>) -> What,
) {
    // SAFETY: by the caller's promise.
    let (object, it, info) = unsafe { (enter(this), see(it), see(info)) };
    let what = what(&Reader(&object.sink.counts), it);
    // A C++ `bool` of a hostile library may be any byte.
    object.sink.tell(what, info, &[], request, is_last != 0);
}

/// What is told without a request. Without its struct, or refused by the reader, it is counted and dropped.
///
/// # Safety
/// As [`enter`] and [`see`].
unsafe fn push<T: bytemuck::Pod>(
    this: *mut Object<()>,
    it: *const T,
    words: impl FnOnce(&T) -> &[u8],
    what: impl FnOnce(&Reader<'_>, &T) -> Option<What>,
) {
    // SAFETY: by the caller's promise.
    let (object, it) = unsafe { (enter(this), see(it)) };
    let Some(it) = it else { return object.sink.counts.null.add(1) };
    if let Some(what) = what(&Reader(&object.sink.counts), it) {
        object.sink.tell(what, None, words(it), 0, true);
    }
}

/// Declares the functions of answers: their struct, and what becomes of it.
macro_rules! answers {
    ($($name:ident($of:ty) = $what:expr;)+) => {$(
        unsafe extern "C" fn $name(this: *mut Object<()>, it: *const $of, info: *const RspInfo, request: i32, is_last: u8) {
            // SAFETY: called by the library with what was registered and its own structs.
            unsafe { answer(this, (it, info, request, is_last), $what) };
        }
    )+};
}

answers! {
    on_authenticated(RspAuthenticate) = |_, _| What::Authenticated;
    on_confirmed(SettlementInfoConfirm) = |_, _| What::Confirmed;
    on_insert_refused(InputOrder) = |reader, it| What::InsertRefused(it.and_then(|it| reader.input_order(it)));
    on_cancel_refused(InputOrderAction) = |reader, it| What::CancelRefused(it.and_then(|it| reader.input_cancel(it)));
    on_trade_line(Trade) = |reader, it| What::TradeLine(it.and_then(|it| reader.trade(it)));
    on_position_line(InvestorPosition) = |reader, it| What::PositionLine(it.and_then(|it| reader.position(it)));
    on_funds(TradingAccount) = |reader, it| What::Funds(it.and_then(|it| reader.funds(it)));
    on_margin_rate(InstrumentMarginRate) = |reader, it| What::MarginRate(it.and_then(|it| reader.margin(it)));
    on_commission_rate(InstrumentCommissionRate) =
        |reader, it| What::CommissionRate(it.and_then(|it| reader.commission(it)));
    on_option_cost(OptionInstrTradeCost) = |reader, it| What::OptionCost(it.and_then(|it| reader.option_cost(it)));
    on_option_commission(OptionInstrCommRate) =
        |reader, it| What::OptionCommission(it.and_then(|it| reader.option_commission(it)));
    on_instrument(Instrument) = |reader, it| What::Instrument(it.and_then(|it| reader.instrument(it)));
}

unsafe extern "C" fn on_logged_in<M>(
    this: *mut Object<M>,
    it: *const RspUserLogin,
    info: *const RspInfo,
    request: i32,
    is_last: u8,
) {
    let what = |reader: &Reader<'_>, it: Option<&RspUserLogin>| What::LoggedIn(it.map(|it| reader.login(it)));
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe { answer(this, (it, info, request, is_last), what) };
}

unsafe extern "C" fn on_order_line(
    this: *mut Object<()>,
    it: *const Order,
    info: *const RspInfo,
    request: i32,
    is_last: u8,
) {
    // SAFETY: called by the library with what was registered and its own structs.
    let (object, it, info) = unsafe { (enter(this), see(it), see(info)) };
    let what = What::OrderLine(it.and_then(|it| Reader(&object.sink.counts).order(it)));
    let words = it.map_or(&[][..], |it| super::structs::text(&it.status_msg));
    object.sink.tell(what, info, words, request, is_last != 0);
}

unsafe extern "C" fn on_subscribed(
    this: *mut Object<Snapshots>,
    it: *const SpecificInstrument,
    info: *const RspInfo,
    request: i32,
    is_last: u8,
) {
    let what = |reader: &Reader<'_>, it: Option<&SpecificInstrument>| {
        What::Subscribed(it.and_then(|it| reader.text(&it.instrument_id)).unwrap_or_default())
    };
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe { answer(this, (it, info, request, is_last), what) };
}

unsafe extern "C" fn on_order(this: *mut Object<()>, it: *const Order) {
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe {
        push(this, it, |it| super::structs::text(&it.status_msg), |reader, it| reader.order(it).map(What::Order))
    };
}

unsafe extern "C" fn on_trade(this: *mut Object<()>, it: *const Trade) {
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe { push(this, it, |_| &[], |reader, it| reader.trade(it).map(What::Trade)) };
}

unsafe extern "C" fn on_status(this: *mut Object<()>, it: *const InstrumentStatus) {
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe { push(this, it, |_| &[], |reader, it| reader.status(it).map(What::Status)) };
}

unsafe extern "C" fn on_insert_error(this: *mut Object<()>, it: *const InputOrder, info: *const RspInfo) {
    let what = |reader: &Reader<'_>, it: Option<&_>| What::InsertError(it.and_then(|it| reader.input_order(it)));
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe { answer(this, (it, info, 0, 1), what) };
}

unsafe extern "C" fn on_cancel_error(this: *mut Object<()>, it: *const OrderAction, info: *const RspInfo) {
    let what = |reader: &Reader<'_>, it: Option<&_>| What::CancelError(it.and_then(|it| reader.cancel(it)));
    // SAFETY: called by the library with what was registered and its own structs.
    unsafe { answer(this, (it, info, 0, 1), what) };
}

unsafe extern "C" fn on_snapshot(this: *mut Object<Snapshots>, it: *const DepthSnapshot) {
    // SAFETY: called by the library with what was registered and its own struct.
    let (Object { sink, market, .. }, it) = unsafe { (enter(this), see(it)) };
    match it {
        Some(snapshot) => market.take(snapshot, sink.clock.now(), &sink.counts),
        None => sink.counts.null.add(1),
    }
}
