//! The C++ side that both libraries share: objects that begin with a pointer to a vtable, the vtables of each version, and
//! calls of the client's SPI.
//!
//! The rules that all `unsafe` here relies on are CTP's own. The client passes the object that the factory gave it as
//! `this` and does not use it after `Release` returns (objects are small and never freed, so that a late call answers -1
//! instead of crashing). The SPI it registers is an object of a class that inherits the version's SPI class, and lives
//! until it registers another or releases. Structs are the version's; texts end with a zero byte.
#![allow(unsafe_code)]

use crate::session::Session;
use shrike_core::units::TradingDay;
use shrike_feed::ctp::abi::structs::{Room, RspInfo};
use shrike_feed::ctp::abi::version::Version;
use shrike_feed::ctp::callback::Callback;
use shrike_feed::sim::front::wire::Channel;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A function in a vtable, of whatever type.
pub type Slot = *const c_void;

/// What a factory gives out. C++ knows of it only the pointer at its beginning.
#[repr(C)]
pub struct Object {
    vtable: *const Slot,
    /// The connection.
    pub session: Arc<Session>,
    client: Arc<Client>,
}

/// The version that is played: `SHRIKE_STANDIN_VERSION`, else the newest.
pub fn version() -> Version {
    let named = std::env::var("SHRIKE_STANDIN_VERSION").ok();
    let [.., newest] = Version::ALL;
    match named.as_deref() {
        None | Some("") => newest,
        Some(name) => Version::parse(name).unwrap_or_else(|| {
            let known = Version::ALL.map(Version::name).join(", ");
            eprintln!("shrike-standin: SHRIKE_STANDIN_VERSION={name} is none of {known}: playing {newest}");
            newest
        }),
    }
}

/// What `GetApiVersion` gives.
pub const fn version_text(version: Version) -> &'static CStr {
    match version {
        Version::V6_7_2 => c"v6.7.2_shrike stand-in",
        Version::V6_7_7 => c"v6.7.7_shrike stand-in",
        Version::V6_7_11 => c"v6.7.11_shrike stand-in",
        Version::V6_7_13 => c"v6.7.13_shrike stand-in",
    }
}

/// What stands in every slot that has no function of ours: whatever is asked, nothing is done and nothing is sent. Under
/// the C calling convention of x86-64 and AArch64 the caller clears its own arguments, so that any call may land here.
extern "C" fn not_done(_this: *mut Object) -> c_int {
    crate::session::NO_CONNECTION
}

impl Object {
    /// A new object with these functions in its vtable, never freed.
    pub fn create(channel: Channel, version: Version, count: usize, functions: &[(usize, Slot)]) -> *mut Self {
        let mut vtable = vec![not_done as Slot; count];
        for &(slot, function) in functions {
            if let Some(place) = vtable.get_mut(slot) {
                *place = function;
            }
        }
        let vtable: &'static [Slot] = vtable.leak();
        Box::into_raw(Box::new(Self {
            vtable: vtable.as_ptr(),
            session: Session::new(channel, version),
            client: Arc::new(Client {
                spi: AtomicPtr::default(),
                trading_day: AtomicPtr::new(c"".as_ptr().cast_mut()),
            }),
        }))
    }

    /// The object behind a client's pointer; `None` for a null one.
    ///
    /// # Safety
    /// `this` is null or was given out by [`Object::create`].
    pub unsafe fn of<'a>(this: *mut Self) -> Option<&'a Self> {
        // SAFETY: the caller's promise; objects are never freed, and only shared references to them are made.
        unsafe { this.as_ref() }
    }

    /// What the connection's thread needs of the client.
    pub const fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

/// What the client's threads and the connection's share of the C++ side.
#[derive(Debug)]
pub struct Client {
    /// The SPI object that was registered last; null: none.
    spi: AtomicPtr<c_void>,
    /// What `GetTradingDay` gives.
    trading_day: AtomicPtr<c_char>,
}

impl Client {
    /// Keeps the trading day of a login. The text before is not freed: a client may hold it.
    pub fn set_trading_day(&self, day: TradingDay) {
        if let Ok(text) = CString::new(day.to_string()) {
            self.trading_day.store(text.into_raw(), Ordering::Release);
        }
    }

    /// The function in a slot of the SPI's vtable, and the SPI to call it with; `None` when none is registered.
    pub fn slot(&self, slot: usize) -> Option<(*mut c_void, Slot)> {
        let spi = self.spi.load(Ordering::Acquire);
        if spi.is_null() {
            return None;
        }
        // SAFETY: a registered SPI lives and begins with a pointer to its vtable, which has the slots of the version that
        // is played (module text); `slot` is one of them.
        let function = unsafe { *(*spi.cast::<*const Slot>()).add(slot) };
        (!function.is_null()).then_some((spi, function))
    }
}

/// A text of the client's; empty for a null pointer.
///
/// # Safety
/// `text` is null or ends with a zero byte, and is not changed while the result is used.
pub unsafe fn bytes<'a>(text: *const c_char) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

/// `RegisterFront`.
pub unsafe extern "C" fn register_front(this: *mut Object, address: *mut c_char) {
    // SAFETY: the client's pointers are what CTP asks for (module text).
    if let (Some(object), address) = unsafe { (Object::of(this), bytes(address)) } {
        object.session.register_front(&String::from_utf8_lossy(address));
    }
}

/// `RegisterSpi`.
pub unsafe extern "C" fn register_spi(this: *mut Object, spi: *mut c_void) {
    // SAFETY: as in `register_front`.
    if let Some(object) = unsafe { Object::of(this) } {
        object.client.spi.store(spi, Ordering::Release);
    }
}

/// `GetTradingDay`.
pub unsafe extern "C" fn get_trading_day(this: *mut Object) -> *const c_char {
    // SAFETY: as in `register_front`.
    unsafe { Object::of(this) }.map_or(c"".as_ptr(), |object| object.client.trading_day.load(Ordering::Acquire))
}

/// `Join`.
pub unsafe extern "C" fn join(this: *mut Object) -> c_int {
    // SAFETY: as in `register_front`.
    if let Some(object) = unsafe { Object::of(this) } {
        object.session.join();
    }
    0
}

/// `Release`.
pub unsafe extern "C" fn release(this: *mut Object) {
    // SAFETY: as in `register_front`.
    if let Some(object) = unsafe { Object::of(this) } {
        object.session.release();
        object.client.spi.store(std::ptr::null_mut(), Ordering::Release);
    }
}

fn pointer<T>(room: Option<&mut Room<T>>) -> *mut c_void {
    room.map_or(std::ptr::null_mut(), |room| std::ptr::from_mut(room).cast())
}

/// Declares how functions of an SPI are called. Each is unsafe: `function` must be one of `spi`'s with this type, and what
/// the pointers point to must live until it returns.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident $(<$room:ident>)? ($($arg:ident: $type:ty as $passed:ty = $value:expr),*);)+) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// `function` is a function of `spi` with these parameters.
        pub unsafe fn $name $(<$room>)? (spi: *mut c_void, function: Slot, $($arg: $type),*) {
            // SAFETY: the caller's promise; member functions take the object as their first argument (Itanium C++ ABI).
            let function: unsafe extern "C" fn(*mut c_void, $($passed),*) = unsafe { std::mem::transmute(function) };
            // SAFETY: the caller's promise.
            unsafe { function(spi, $($value),*) }
        }
    )+};
}
calls! {
    /// `void()`.
    call_connected();
    /// `void(int reason)`.
    call_disconnected(reason: c_int as c_int = reason);
    /// `void(struct*)`.
    call_push<T>(room: &mut T as *mut c_void = std::ptr::from_mut(room).cast());
    /// `void(struct*, RspInfo*)`.
    call_error<T>(
        room: Option<&mut Room<T>> as *mut c_void = pointer(room),
        info: &mut Room<RspInfo> as *mut c_void = pointer(Some(info))
    );
}

/// `void(struct*, RspInfo*, int request, bool last)`.
///
/// # Safety
/// `function` is a function of `spi` with these parameters.
pub unsafe fn call_answer<T>(
    spi: *mut c_void,
    function: Slot,
    room: Option<&mut Room<T>>,
    info: Option<&mut Room<RspInfo>>,
    callback: &Callback,
) {
    // SAFETY: as in `calls!`.
    let function: unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_void, c_int, bool) =
        unsafe { std::mem::transmute(function) };
    // SAFETY: the caller's promise.
    unsafe { function(spi, pointer(room), pointer(info), callback.request_id, callback.is_last) }
}

/// `void(RspInfo*, int request, bool last)`.
///
/// # Safety
/// `function` is a function of `spi` with these parameters.
pub unsafe fn call_failed(spi: *mut c_void, function: Slot, info: &mut Room<RspInfo>, callback: &Callback) {
    // SAFETY: as in `calls!`.
    let function: unsafe extern "C" fn(*mut c_void, *mut c_void, c_int, bool) =
        unsafe { std::mem::transmute(function) };
    // SAFETY: the caller's promise.
    unsafe { function(spi, pointer(Some(info)), callback.request_id, callback.is_last) }
}
