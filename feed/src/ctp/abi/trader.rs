//! The trading library as [`TraderApi`].
#![allow(unsafe_code)]

use super::counts::Counts;
use super::library::{Library, Side};
use super::link::{Common, Connection, Link, OpenError, sink};
use super::slots::TraderCall;
use super::spi;
use crate::ctp::api::{CancelOrder, NewOrder, Query, TraderApi};
use crate::ctp::callback::Callback;
use shrike_core::clock::Clock;
use shrike_core::ring::Producer;
use std::ffi::c_void;
use std::sync::Arc;

/// The whole day's flow again after each login (`THOST_TERT_RESTART`).
const RESTART: i32 = 0;

/// The trading library, loaded.
pub struct Trader {
    link: Link<()>,
    counts: Arc<Counts>,
}

impl Trader {
    /// Loads the library. Its callbacks are stamped by `clock` and go to `ring`, which should have room for a whole day's
    /// flow ([`super::CALLBACKS`]): parked ones move on only with the next callback.
    ///
    /// # Errors
    /// The library cannot be used, or the connection's data make no connection.
    pub fn open(connection: Connection, clock: Clock, ring: Producer<Callback>) -> Result<Self, OpenError> {
        let counts = Arc::new(Counts::default());
        let sink = sink(&connection, clock, ring, Arc::clone(&counts));
        let common = |library: &Library| {
            let slot = |call: TraderCall| call.slot(library.version());
            Common {
                release: slot(TraderCall::Release),
                init: slot(TraderCall::Init),
                register_front: slot(TraderCall::RegisterFront),
                register_spi: slot(TraderCall::RegisterSpi),
            }
        };
        let link = Link::new(connection, Side::Trader, common, |library| spi::trader(library.version(), sink))?;
        Ok(Self { link, counts })
    }

    /// The library.
    pub const fn library(&self) -> &Library {
        self.link.library()
    }

    /// What the callback thread could not pass on.
    pub const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    fn slot(&self, call: TraderCall) -> usize {
        call.slot(self.link.library().version())
    }
}

impl TraderApi for Trader {
    fn start(&mut self) -> Result<(), String> {
        let flows = [self.slot(TraderCall::SubscribePrivateTopic), self.slot(TraderCall::SubscribePublicTopic)];
        self.link.start(|api| {
            for flow in flows {
                // SAFETY: the slots are those of the library's version. From 6.7.13 on the private flow takes a second
                // number, which counts only for another kind of resumption; earlier ones ignore it.
                unsafe {
                    let subscribe: unsafe extern "C" fn(*mut c_void, i32, i32) = api.function(flow);
                    subscribe(api.this(), RESTART, 1);
                }
            }
        })
    }

    fn stop(&mut self) {
        self.link.stop();
    }

    fn is_stopped(&mut self) -> bool {
        self.link.is_stopped()
    }

    fn authenticate(&mut self, request_id: i32) -> i32 {
        self.link.request(self.slot(TraderCall::ReqAuthenticate), self.link.writer().authenticate(), request_id)
    }

    fn login(&mut self, request_id: i32) -> i32 {
        self.link.request(self.slot(TraderCall::ReqUserLogin), self.link.writer().login(), request_id)
    }

    fn confirm(&mut self, request_id: i32) -> i32 {
        self.link.request(self.slot(TraderCall::ReqSettlementInfoConfirm), self.link.writer().confirm(), request_id)
    }

    fn query(&mut self, request_id: i32, query: Query<'_>) -> i32 {
        use TraderCall::*;
        let (link, writer) = (&self.link, self.link.writer());
        match query {
            Query::Instruments => link.request(self.slot(ReqQryInstrument), writer.instruments(), request_id),
            Query::Orders => link.request(self.slot(ReqQryOrder), writer.orders(), request_id),
            Query::Trades => link.request(self.slot(ReqQryTrade), writer.trades(), request_id),
            Query::Positions => link.request(self.slot(ReqQryInvestorPosition), writer.positions(), request_id),
            Query::Funds => link.request(self.slot(ReqQryTradingAccount), writer.funds(), request_id),
            Query::MarginRate(symbol) => {
                link.request(self.slot(ReqQryInstrumentMarginRate), writer.margin_rate(symbol), request_id)
            }
            Query::CommissionRate(symbol) => {
                link.request(self.slot(ReqQryInstrumentCommissionRate), writer.commission_rate(symbol), request_id)
            }
            Query::OptionCost(symbol) => {
                link.request(self.slot(ReqQryOptionInstrTradeCost), writer.option_cost(symbol), request_id)
            }
            Query::OptionCommission(symbol) => {
                link.request(self.slot(ReqQryOptionInstrCommRate), writer.option_commission(symbol), request_id)
            }
        }
    }

    fn insert(&mut self, request_id: i32, order: &NewOrder<'_>) -> i32 {
        let request = self.link.writer().insert(request_id, order);
        self.link.request(self.slot(TraderCall::ReqOrderInsert), request, request_id)
    }

    fn cancel(&mut self, request_id: i32, order: &CancelOrder<'_>) -> i32 {
        let request = self.link.writer().cancel(request_id, order);
        self.link.request(self.slot(TraderCall::ReqOrderAction), request, request_id)
    }
}
