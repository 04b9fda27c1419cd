//! The library's part, played by tests and benchmarks: calls the slots of our objects, by the version's table, as a
//! library does. The structs are bytes, so that anything can be given.
#![allow(unsafe_code)]

use super::counts::Counts;
use super::sink::{Sink, Snapshots};
use super::slots::{MarketEvent, TraderEvent};
use super::spi::{self, Spi};
use super::structs::{Layout, RspInfo};
use super::version::Version;
use crate::ctp::callback::Callback;
use crate::ctp::decode::DepthSnapshot;
use crate::ctp::lookup::Contracts;
use shrike_core::clock::Clock;
use shrike_core::ring::{LatestWriter, MarketProducer, Producer, latest};
use shrike_core::thread::ThreadPlan;
use std::ffi::c_void;
use std::sync::Arc;

/// More than any struct has.
const BYTES_MAX: usize = 1024;

/// What a library points to.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// Nothing.
    Null,
    /// An address that no compiler gives a struct with a `double`.
    Misaligned(&'a Bytes),
    /// A struct.
    Struct(&'a Bytes),
}

/// Room for any struct of any version, aligned as the strictest.
#[derive(Clone, Debug)]
#[repr(C, align(8))]
pub struct Bytes(pub [u8; BYTES_MAX]);

impl Bytes {
    /// A struct, and zeros behind it.
    pub fn holding<T: Layout>(it: &T) -> Self {
        let mut bytes = [0; BYTES_MAX];
        let (room, _) = bytes.split_at_mut(size_of::<T>());
        room.copy_from_slice(bytemuck::bytes_of(it));
        Self(bytes)
    }
}

impl Given<'_> {
    fn pointer(&self) -> *const c_void {
        match self {
            Self::Null => std::ptr::null(),
            Self::Misaligned(bytes) => bytes.0.as_ptr().wrapping_add(1).cast(),
            Self::Struct(bytes) => bytes.0.as_ptr().cast(),
        }
    }
}

/// What follows the struct in an answer.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// How the request went.
    pub info: Given<'a>,
    /// Its number.
    pub request_id: i32,
    /// C++'s `bool`.
    pub is_last: u8,
}

type This = *mut c_void;
type Struct = *const c_void;
type Notice = unsafe extern "C" fn(This);
type Numbered = unsafe extern "C" fn(This, i32);
type Push = unsafe extern "C" fn(This, Struct);
type PushError = unsafe extern "C" fn(This, Struct, Struct);
type Answer = unsafe extern "C" fn(This, Struct, Struct, i32, u8);
type Error = unsafe extern "C" fn(This, Struct, i32, u8);

/// The function in a slot of an object's vtable.
///
/// # Safety
/// The object has that slot, and `F` is its function's type.
unsafe fn function<F: Copy>(this: This, slot: usize) -> F {
    const { assert!(size_of::<F>() == size_of::<*const c_void>()) };
    // SAFETY: an object begins with a pointer to its vtable's first slot; the rest by the caller's promise.
    unsafe { std::mem::transmute_copy(&*(*this.cast::<*const *const c_void>()).add(slot)) }
}

/// Calls a slot that no event of ours is in, as an answer: it does nothing.
fn call_unused(this: This, slot: usize, given: Given<'_>, reply: Reply<'_>) {
    // SAFETY: the callers give slots of the version's table; the function takes fewer arguments than it gets, which this
    // calling convention permits.
    unsafe {
        function::<Answer>(this, slot)(this, given.pointer(), reply.info.pointer(), reply.request_id, reply.is_last)
    }
}

/// Our object for the trading library.
pub struct TraderCaller {
    version: Version,
    spi: Spi<()>,
    counts: Arc<Counts>,
}

impl TraderCaller {
    /// An object as [`super::Trader`] makes it.
    pub fn new(version: Version, clock: Clock, ring: Producer<Callback>) -> Self {
        let counts = Arc::new(Counts::default());
        let sink = Sink { clock, ring, thread: ThreadPlan::default(), is_placed: false, counts: Arc::clone(&counts) };
        Self { version, spi: spi::trader(version, sink), counts }
    }

    /// What could not be passed on.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Calls an event's function. Of `given` and `reply` it gets what it takes; `OnFrontDisconnected` gets the request's
    /// number as its reason.
    pub fn call(&mut self, event: TraderEvent, given: Given<'_>, reply: Reply<'_>) {
        use TraderEvent::*;
        let (this, slot) = (self.spi.as_ptr(), event.slot(self.version));
        let (it, info, request, is_last) = (given.pointer(), reply.info.pointer(), reply.request_id, reply.is_last);
        // SAFETY: the slot is the event's in this version's table, so the function has the type that the vendor declares.
        // Structs are null, misaligned, or larger than any; `&mut self` makes this the only call.
        unsafe {
            match event {
                OnFrontConnected => function::<Notice>(this, slot)(this),
                OnFrontDisconnected => function::<Numbered>(this, slot)(this, request),
                OnRspError => function::<Error>(this, slot)(this, info, request, is_last),
                OnRtnOrder | OnRtnTrade | OnRtnInstrumentStatus => function::<Push>(this, slot)(this, it),
                OnErrRtnOrderInsert | OnErrRtnOrderAction => function::<PushError>(this, slot)(this, it, info),
                _ => function::<Answer>(this, slot)(this, it, info, request, is_last),
            }
        }
    }

    /// Calls the function of a slot that Shrike has no use for. A slot that it uses is not called.
    pub fn call_unused(&mut self, slot: usize, given: Given<'_>, reply: Reply<'_>) {
        let used = TraderEvent::ALL.iter().any(|event| event.slot(self.version) == slot);
        if !used && slot < TraderEvent::count(self.version) {
            call_unused(self.spi.as_ptr(), slot, given, reply);
        }
    }
}

/// Our object for the market-data library.
pub struct MarketCaller {
    version: Version,
    spi: Spi<Snapshots>,
    counts: Arc<Counts>,
    prepared: LatestWriter<Arc<Contracts>>,
}

impl MarketCaller {
    /// An object as [`super::Md`] makes it.
    pub fn new(version: Version, clock: Clock, ring: Producer<Callback>, market: MarketProducer<42>) -> Self {
        let counts = Arc::new(Counts::default());
        let sink = Sink { clock, ring, thread: ThreadPlan::default(), is_placed: false, counts: Arc::clone(&counts) };
        let (prepared, reader) = latest(1);
        let snapshots = Snapshots {
            ring: market,
            prepared: reader,
            contracts: Arc::default(),
            holds: Arc::default(),
            dates: Default::default(),
        };
        Self { version, spi: spi::market(version, sink, snapshots), counts, prepared }
    }

    /// What could not be passed on.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// As [`crate::ctp::api::MarketApi::prepare`].
    pub fn prepare(&mut self, contracts: Contracts) {
        self.prepared.put(0, |cell| *cell = Arc::new(contracts));
    }

    /// Calls `OnRtnDepthMarketData` with a snapshot.
    #[inline]
    pub fn snapshot(&mut self, snapshot: &DepthSnapshot) {
        let (this, slot) = (self.spi.as_ptr(), MarketEvent::OnRtnDepthMarketData.slot(self.version));
        // SAFETY: the slot is the event's in this version's table; `&mut self` makes this the only call.
        unsafe { function::<Push>(this, slot)(this, std::ptr::from_ref(snapshot).cast()) }
    }

    /// As [`TraderCaller::call`].
    pub fn call(&mut self, event: MarketEvent, given: Given<'_>, reply: Reply<'_>) {
        use MarketEvent::*;
        let (this, slot) = (self.spi.as_ptr(), event.slot(self.version));
        let (it, info, request, is_last) = (given.pointer(), reply.info.pointer(), reply.request_id, reply.is_last);
        // SAFETY: as in [`TraderCaller::call`].
        unsafe {
            match event {
                OnFrontConnected => function::<Notice>(this, slot)(this),
                OnFrontDisconnected => function::<Numbered>(this, slot)(this, request),
                OnRspError => function::<Error>(this, slot)(this, info, request, is_last),
                OnRtnDepthMarketData => function::<Push>(this, slot)(this, it),
                _ => function::<Answer>(this, slot)(this, it, info, request, is_last),
            }
        }
    }

    /// As [`TraderCaller::call_unused`].
    pub fn call_unused(&mut self, slot: usize, given: Given<'_>, reply: Reply<'_>) {
        let used = MarketEvent::ALL.iter().any(|event| event.slot(self.version) == slot);
        if !used && slot < MarketEvent::count(self.version) {
            call_unused(self.spi.as_ptr(), slot, given, reply);
        }
    }
}

/// How a request went, as bytes.
pub fn info(error_id: i32, words: &[u8]) -> Bytes {
    let mut info: RspInfo = bytemuck::Zeroable::zeroed();
    info.error_id = error_id;
    super::structs::put_text(&mut info.error_msg, words);
    Bytes::holding(&info)
}
