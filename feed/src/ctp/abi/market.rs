//! The market-data library as [`MarketApi`].
#![allow(unsafe_code)]

use super::counts::Counts;
use super::library::{Library, Side};
use super::link::{Common, Connection, Link, NO_CONNECTION, OpenError, sink};
use super::sink::Snapshots;
use super::slots::MarketCall;
use super::spi;
use super::structs::put_text;
use crate::ctp::api::{MarketApi, NOT_EXPRESSIBLE};
use crate::ctp::callback::Callback;
use crate::ctp::lookup::Contracts;
use shrike_core::clock::Clock;
use shrike_core::ring::{LatestWriter, MarketProducer, Producer, latest};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The market-data library, loaded.
pub struct Md {
    link: Link<Snapshots>,
    counts: Arc<Counts>,
    prepared: LatestWriter<Arc<Contracts>>,
    /// The tables that the callback thread may still hold: they are freed here, not there.
    tables: Vec<Arc<Contracts>>,
    /// As [`Self::hold`] says.
    wants_all: bool,
    /// The same while the library's object runs: a thread that waits for room could not be joined.
    holds: Arc<AtomicBool>,
}

impl Md {
    /// Loads the library. Its snapshots go to `market`, whose table has a row for every instrument that is ever prepared;
    /// its other callbacks are stamped by `clock` and go to `ring` ([`super::CALLBACKS`]).
    ///
    /// # Errors
    /// The library cannot be used, or the connection's data make no connection.
    pub fn open(
        connection: Connection,
        clock: Clock,
        ring: Producer<Callback>,
        market: MarketProducer<42>,
    ) -> Result<Self, OpenError> {
        let counts = Arc::new(Counts::default());
        let sink = sink(&connection, clock, ring, Arc::clone(&counts));
        let (prepared, reader) = latest(1);
        let holds = Arc::<AtomicBool>::default();
        let snapshots = Snapshots {
            ring: market,
            prepared: reader,
            contracts: Arc::default(),
            holds: holds.clone(),
            dates: Default::default(),
        };
        let common = |library: &Library| {
            let slot = |call: MarketCall| call.slot(library.version());
            Common {
                release: slot(MarketCall::Release),
                init: slot(MarketCall::Init),
                register_front: slot(MarketCall::RegisterFront),
                register_spi: slot(MarketCall::RegisterSpi),
            }
        };
        let spi = |library: &Library| spi::market(library.version(), sink, snapshots);
        let link = Link::new(connection, Side::Market, common, spi)?;
        Ok(Self { link, counts, prepared, tables: Vec::new(), wants_all: false, holds })
    }

    /// From the next start on, the library's thread waits while the ring is full, and no snapshot replaces another: for a
    /// counter that plays a market faster than real time. Never for a living one: it disconnects who is slow.
    pub const fn hold(&mut self) {
        self.wants_all = true;
    }

    /// The library.
    pub const fn library(&self) -> &Library {
        self.link.library()
    }

    /// What the callback thread could not pass on.
    pub const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}

impl MarketApi for Md {
    fn start(&mut self) -> Result<(), String> {
        self.stop();
        self.holds.store(self.wants_all, Ordering::Relaxed);
        self.link.start(|_| ())
    }

    fn stop(&mut self) {
        self.holds.store(false, Ordering::Relaxed);
        self.link.stop();
    }

    fn is_stopped(&mut self) -> bool {
        self.link.is_stopped()
    }

    fn login(&mut self, request_id: i32) -> i32 {
        let slot = MarketCall::ReqUserLogin.slot(self.link.library().version());
        self.link.request(slot, self.link.writer().login(), request_id)
    }

    fn prepare(&mut self, contracts: Contracts) {
        let contracts = Arc::new(contracts);
        self.tables.retain(|table| Arc::strong_count(table) > 1);
        self.tables.push(Arc::clone(&contracts));
        self.prepared.put(0, |cell| *cell = contracts);
    }

    fn subscribe(&mut self, symbols: &[&[u8]]) -> i32 {
        let Some(api) = self.link.api() else { return NO_CONNECTION };
        let mut names = vec![[0_u8; 81]; symbols.len()];
        if !names.iter_mut().zip(symbols).all(|(name, symbol)| put_text(name, symbol)) {
            return NOT_EXPRESSIBLE;
        }
        let mut names: Vec<*mut u8> = names.iter_mut().map(|name| name.as_mut_ptr()).collect();
        let Ok(count) = i32::try_from(names.len()) else { return NOT_EXPRESSIBLE };
        let slot = MarketCall::SubscribeMarketData.slot(self.link.library().version());
        // SAFETY: the slot is that of the library's version; the pointers are to terminated texts that live until the
        // call returns, by which time CTP has copied them.
        unsafe {
            let subscribe: unsafe extern "C" fn(*mut c_void, *mut *mut u8, i32) -> i32 = api.function(slot);
            subscribe(api.this(), names.as_mut_ptr(), count)
        }
    }
}
