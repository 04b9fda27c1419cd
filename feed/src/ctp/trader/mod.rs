//! The trading connection as a [`Gateway`]: the [`Desk`] decides, a [`TraderApi`] is called, and what comes back goes to
//! the order stage. Runs on the edge's thread; the library's own thread only fills the ring of callbacks.
//!
//! ```text
//! ring of callbacks ──▶ Desk::hear ──▶ outbox ──▶ take()
//! requests ───────────▶ Desk ──▶ turn(): the next call ──▶ TraderApi
//! ```

mod answers;
mod cache;
mod desk;
mod listing;
mod outbox;
mod positions;
pub(super) mod queries;
pub(super) mod rates;
mod reports;
mod resync;
mod sent;
mod translate;

#[cfg(test)]
mod tests;

pub use desk::{Call, Desk, Now};
pub use queries::{Ask, QueryOptions};
pub use rates::Assumed;
pub use translate::order_number;

use super::api::{CancelOrder, NewOrder, Query, TraderApi};
use super::attempts::{self, Attempts};
use super::contracts::SharedContracts;
use super::options::CtpOptions;
use super::session::{SessionCall, Step};
use super::source::Callbacks;
use sent::Sent;
use shrike_core::calendar::Sessions;
use shrike_core::clock::Clock;
use shrike_core::codes::{Offset, OrderType, ReportSource, RequestKind, Side, TimeInForce};
use shrike_core::event::{Event, Header, OrderRequest, ReportSlot};
use shrike_core::ring::BATCH_MAX;
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, Next};
use std::path::PathBuf;
use std::sync::Arc;

/// What the library returns without a connection; our own word for it too.
pub const NOT_CONNECTED: i32 = -1;
/// CTP's error: the contract is not known.
pub const UNKNOWN_INSTRUMENT: i32 = 16;
/// CTP's error: a field makes no sense.
pub const BAD_FIELD: i32 = 15;

/// The two clocks of a session.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// Real time, for time-outs and waits.
    pub waits: Clock,
    /// The engine's time, which stamps events; live, the same.
    pub events: Clock,
}

impl Clocks {
    pub(super) fn now(&self) -> Now {
        Now { waits: self.waits.now(), events: self.events.now() }
    }
}

/// A CTP counter as the other party of an account.
pub struct CtpGateway<A: TraderApi, C: Callbacks> {
    api: A,
    callbacks: C,
    clocks: Clocks,
    desk: Desk,
    rates_file: PathBuf,
    attempts: Option<Attempts>,
    /// The library's object is being released; until then nothing is heard and nothing called.
    stopping: bool,
}

impl<A: TraderApi, C: Callbacks> CtpGateway<A, C> {
    /// A gateway that connects when it is first asked for events. `rates_file` keeps rates from day to day; where there is
    /// none yet, or it cannot be read, rates begin as assumed.
    pub fn new(
        api: A,
        callbacks: C,
        clocks: Clocks,
        options: CtpOptions,
        contracts: SharedContracts,
        sessions: Arc<Sessions>,
        rates_file: PathBuf,
    ) -> Self {
        let cache = std::fs::read_to_string(&rates_file).unwrap_or_default();
        let desk = Desk::new(options, contracts, sessions, &cache);
        Self { api, callbacks, clocks, desk, rates_file, attempts: None, stopping: false }
    }

    /// The same, going on with the refusals of earlier processes, and keeping its own.
    pub fn counting(mut self, attempts: Attempts) -> Self {
        self.desk.session.refused_before(attempts.count());
        self.attempts = Some(attempts);
        self
    }

    /// What people should know since the last time: refusals, errors, disconnects, in CTP's words.
    pub fn take_notes(&mut self) -> Vec<String> {
        self.desk.take_notes()
    }

    /// What was not told, by reason.
    pub fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.desk.skipped()
    }

    /// The machine.
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Takes in what the library told and makes the calls that are due. One batch of callbacks, and none while events
    /// wait, so the time is bounded.
    fn pump(&mut self) {
        if self.stopping && !self.finish_stop() {
            return;
        }
        let now = self.clocks.now();
        let Self { callbacks, desk, .. } = self;
        if desk.out().is_empty() {
            callbacks.drain(BATCH_MAX, &mut |callback| desk.hear(callback, now));
        }
        self.keep_refusals();
        while let Some(call) = self.desk.turn(now) {
            let code = self.call(call);
            self.desk.called(call, code, now);
            if self.stopping {
                return;
            }
        }
    }

    fn call(&mut self, call: Call) -> i32 {
        let Self { api, desk, .. } = self;
        match call {
            Call::Session(SessionCall::Start) => match api.start() {
                Ok(()) => 0,
                Err(failure) => {
                    desk.note(failure);
                    NOT_CONNECTED
                }
            },
            Call::Session(SessionCall::Stop) => {
                self.stop();
                0
            }
            Call::Session(SessionCall::Ask(step, request_id)) => match step {
                Step::Authenticate => api.authenticate(request_id),
                Step::Login => api.login(request_id),
                Step::Confirm => api.confirm(request_id),
            },
            Call::Query(request_id, ask) => {
                let (symbol, is_option) = match ask {
                    Ask::Margin(id) | Ask::Commission(id) => desk.rated(id).unwrap_or_default(),
                    _ => Default::default(),
                };
                let query = match ask {
                    Ask::Instruments => Query::Instruments,
                    Ask::Orders => Query::Orders,
                    Ask::Trades => Query::Trades,
                    Ask::Positions => Query::Positions,
                    Ask::Funds => Query::Funds,
                    Ask::Margin(_) if is_option => Query::OptionCost(symbol.as_bytes()),
                    Ask::Commission(_) if is_option => Query::OptionCommission(symbol.as_bytes()),
                    Ask::Margin(_) => Query::MarginRate(symbol.as_bytes()),
                    Ask::Commission(_) => Query::CommissionRate(symbol.as_bytes()),
                };
                api.query(request_id, query)
            }
        }
    }

    /// Begins to release the library's object. The account is not traded at such a moment, so this is when rates are
    /// written down.
    fn stop(&mut self) {
        self.api.stop();
        self.stopping = true;
        self.save_rates();
    }

    /// Whether the object is released. What it still had to say is let go: after the next login the counter tells all of
    /// the day again.
    fn finish_stop(&mut self) -> bool {
        if self.api.is_stopped() {
            while self.callbacks.drain(BATCH_MAX, &mut |_| {}) > 0 {}
            self.stopping = false;
        }
        !self.stopping
    }

    /// Before the next login is sent.
    fn keep_refusals(&mut self) {
        let refusals = self.desk.session.refusals();
        if let Some(Err(failure)) = attempts::follow(&mut self.attempts, refusals) {
            self.desk.note(failure);
        }
    }

    fn save_rates(&mut self) {
        let Some(text) = self.desk.rates_text().filter(|_| !self.rates_file.as_os_str().is_empty()) else { return };
        let beside = self.rates_file.with_extension("new");
        let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &self.rates_file));
        if let Err(error) = written {
            self.desk.note(format!("{}: {error}; rates will be asked for again", self.rates_file.display()));
        }
    }

    fn insert(&mut self, request: &OrderRequest) {
        let sent = self.desk.prepare(request, false).and_then(|(request_id, row)| {
            let order = new_order(request).ok_or(BAD_FIELD)?;
            let order = NewOrder { symbol: row.symbol.as_bytes(), exchange: row.exchange, ..order };
            zero_or(self.api.insert(request_id, &order))
        });
        self.failed(request, false, ReportSource::InsertRefused, sent);
    }

    fn cancel(&mut self, request: &OrderRequest) {
        let sent = self.desk.prepare(request, true).and_then(|(request_id, row)| {
            let order = CancelOrder {
                symbol: row.symbol.as_bytes(),
                exchange: row.exchange,
                order_ref: request.order_ref,
                front_id: request.front_id,
                session_id: request.session_id,
                order_sys_id: request.order_sys_id,
            };
            zero_or(self.api.cancel(request_id, &order))
        });
        self.failed(request, true, ReportSource::CancelRefused, sent);
    }

    /// A request that did not leave comes back as a refusal.
    fn failed(&mut self, request: &OrderRequest, cancels: bool, source: ReportSource, sent: Result<(), i32>) {
        if let Err(error) = sent {
            let report = self.desk.about(&Sent::of(request, 0, cancels), source, error);
            let now = self.clocks.now();
            self.desk.out().received(now.events);
            self.desk.out().put(Nanos::ABSENT, &report);
        }
    }
}

fn zero_or(code: i32) -> Result<(), i32> {
    if code == 0 { Ok(()) } else { Err(code) }
}

/// A request's order, its contract left to the caller. `None` when a code makes none.
fn new_order(request: &OrderRequest) -> Option<NewOrder<'static>> {
    let order_type = OrderType::of(request.order_type)?;
    let priced = request.price.is_present() == (order_type == OrderType::Limit);
    let sane = request.order_ref > 0 && request.lots.get() > 0 && priced;
    sane.then_some(NewOrder {
        symbol: b"",
        exchange: shrike_core::codes::Exchange::of(request.exchange)?,
        order_ref: request.order_ref,
        side: Side::of(request.side)?,
        offset: Offset::of(request.offset)?,
        order_type,
        tif: TimeInForce::of(request.tif)?,
        price: request.price,
        lots: request.lots,
    })
}

impl<A: TraderApi, C: Callbacks> Gateway for CtpGateway<A, C> {
    fn request(&mut self, _now: Nanos, header: &Header, request: Event<'_>) {
        let Event::OrderRequest(request) = request else { return };
        match request.kind() {
            Some(RequestKind::Insert) => self.insert(request),
            Some(RequestKind::Cancel) => self.cancel(request),
            Some(RequestKind::QueryOrder) => self.desk.ask_about(request),
            Some(RequestKind::Resync) => self.desk.restate(header.seq),
            None => {}
        }
    }

    /// The session's work is done here, so that it goes on while nothing comes: a live edge asks all the time.
    fn next(&mut self) -> Next {
        self.pump();
        match self.desk.out().front() {
            Some(slot) => Next::At(slot.header().recv_ns),
            None => Next::Idle,
        }
    }

    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        let Some(next) = self.desk.out().pop() else { return false };
        if let Event::Login(login) = next.event() {
            self.desk.show(login.front_id, login.session_id);
        }
        *slot = next;
        true
    }
}

impl<A: TraderApi, C: Callbacks> Drop for CtpGateway<A, C> {
    fn drop(&mut self) {
        self.stop();
    }
}
