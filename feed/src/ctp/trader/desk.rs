//! The trading session as a pure machine: callbacks, requests and the time go in, calls and events come out. It sees to
//! the login, to the restatement that the order stage asks for, to questions about single orders and to rates; what a
//! report means for the books is the ledger's matter, which takes repeats and any order.

use super::answers::Purpose;
use super::listing::{Listing, Row};
use super::outbox::Outbox;
use super::queries::{Ask, Queries};
use super::rates::RateBook;
use super::resync::Resync;
use super::sent::{Requests, Sent};
use super::translate::Frame;
use crate::ctp::callback::{Callback, LoginFacts, Symbol, What};
use crate::ctp::contracts::SharedContracts;
use crate::ctp::message;
use crate::ctp::offset::clock_offset_ms;
use crate::ctp::options::CtpOptions;
use crate::ctp::restarts::Restarts;
use crate::ctp::session::{Heard, Session, SessionCall};
use shrike_core::calendar::Sessions;
use shrike_core::codes::{AlarmKind, Exchange, ProductClass, StageId};
use shrike_core::event::{Alarm, Connection, Kind, OrderReport, OrderRequest, Seq};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, TradingDay};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The time on both clocks: of the waits, which is real, and of the events, which in simulated time is the market's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// For time-outs and waits.
    pub waits: Nanos,
    /// For events.
    pub events: Nanos,
}

/// A call that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// Of the session.
    Session(SessionCall),
    /// A query under this request number.
    Query(i32, Ask),
}

/// A rejection without a reason waits this long for the error that follows it.
const HELD_NS: u64 = 50 * Nanos::PER_MILLI;
/// Unanswered queries in a row before the connection is made anew.
const TIMEOUTS_MAX: u32 = 3;
/// So many notes are kept until somebody reads them.
const NOTES_MAX: usize = 1_000;

/// The machine.
pub struct Desk {
    pub(super) options: CtpOptions,
    pub(super) sessions: Arc<Sessions>,
    pub(super) session: Session,
    pub(super) queries: Queries,
    pub(super) purpose: Purpose,
    pub(super) listing: Listing,
    pub(super) rates: RateBook,
    pub(super) sent: Requests,
    pub(super) resync: Option<Resync>,
    /// The books were restated on this session: it trades.
    pub(super) restated: bool,
    /// Orders that the order stage asks about, and those that the query in flight is about.
    pub(super) asked: Vec<Sent>,
    pub(super) asking: Vec<Sent>,
    pub(super) asking_trades: bool,
    pub(super) out: Outbox,
    pub(super) held: Option<(OrderReport, Nanos)>,
    pub(super) rates_due: Nanos,
    pub(super) unknown: u64,
    pub(super) malformed: u64,
    /// Live orders of other sessions that the exchange has not numbered yet.
    pub(super) unnumbered: u64,
    unknown_symbols: BTreeSet<Symbol>,
    restarts: Restarts,
    /// The order stage believes the connection to stand.
    connected: bool,
    /// The session whose login the order stage was shown: orders of an earlier one are not sent on it.
    shown: Option<(i32, i32)>,
    timeouts: u32,
    notes: Vec<String>,
}

impl Desk {
    /// A desk that connects at its first turn. `cache`: the text of rates of an earlier day, or nothing.
    pub fn new(options: CtpOptions, contracts: SharedContracts, sessions: Arc<Sessions>, cache: &str) -> Self {
        let restart_before_ns = if options.live { options.restart_before_ns } else { 0 };
        let mut desk = Self {
            options,
            session: Session::new(options.session),
            queries: Queries::new(options.queries),
            purpose: Purpose::Nothing,
            listing: Listing::new(contracts),
            rates: RateBook::new(options.assumed, cache),
            sent: Requests::new(),
            resync: None,
            restated: false,
            asked: Vec::with_capacity(256),
            asking: Vec::with_capacity(256),
            asking_trades: false,
            out: Outbox::new(options.live),
            held: None,
            rates_due: Nanos::ABSENT,
            unknown: 0,
            malformed: 0,
            unnumbered: 0,
            unknown_symbols: BTreeSet::new(),
            restarts: Restarts::new(sessions.clone(), restart_before_ns),
            sessions,
            connected: false,
            shown: None,
            timeouts: 0,
            notes: Vec::new(),
        };
        desk.announce();
        desk
    }

    /// The session.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The query in flight.
    pub fn query(&self) -> Option<Ask> {
        self.queries.in_flight()
    }

    /// Whether a restatement is under way.
    pub const fn resyncs(&self) -> bool {
        self.resync.is_some()
    }

    /// What people should know since the last time.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(note);
        }
    }

    /// The trading day of the latest login.
    pub(super) const fn day(&self) -> TradingDay {
        self.session.login().trading_day
    }

    pub(super) fn frame(&self) -> Frame<'_> {
        Frame { day: self.day(), calendar: self.sessions.calendar() }
    }

    // ---- time -----------------------------------------------------------------------------------------------------

    /// The next call that is due; [`Self::called`] takes its result, then the owner asks again.
    pub fn turn(&mut self, now: Now) -> Option<Call> {
        self.out.received(now.events);
        if self.restarts.is_due(now.waits) && !self.session.is_refused() {
            self.note("a session opens soon: connecting anew".to_owned());
            self.lost(0);
            self.session.restart(now.waits);
        }
        if self.held.is_some_and(|(_, since)| now.waits.since(since) >= HELD_NS) {
            self.release_held();
        }
        if let Some(call) = self.session.turn(now.waits) {
            if call == SessionCall::Stop {
                self.lost(0);
            }
            return Some(Call::Session(call));
        }
        if !self.session.is_up() {
            return None;
        }
        if let Some(ask) = self.queries.expire(now.waits) {
            self.timeouts += 1;
            self.note(format!("no answer to the query {ask:?}"));
            if self.timeouts >= TIMEOUTS_MAX {
                self.timeouts = 0;
                self.session.give_up(now.waits);
                return self.turn(now);
            }
        }
        if !self.queries.is_free(now.waits) {
            return None;
        }
        let (ask, purpose) = self.plan(now.waits)?;
        let request_id = self.session.next_request();
        self.queries.send(ask, request_id, now.waits);
        self.purpose = purpose;
        if let (Purpose::Resync, Some(resync)) = (purpose, &mut self.resync) {
            resync.begin(ask);
        }
        Some(Call::Query(request_id, ask))
    }

    /// How a call went: zero is well, else what the library returned.
    pub fn called(&mut self, call: Call, code: i32, now: Now) {
        match call {
            Call::Session(call) => self.session.called(call, code, now.waits),
            Call::Query(..) => self.queries.called(code, now.waits),
        }
    }

    // ---- callbacks ------------------------------------------------------------------------------------------------

    /// Takes in a callback.
    pub fn hear(&mut self, callback: &Callback, now: Now) {
        let received = if self.options.live { callback.received } else { now.events };
        self.out.received(if received.is_absent() { now.events } else { received });
        if !matches!(callback.what, What::InsertError(_)) {
            self.release_held();
        }
        match self.session.hear(callback, now.waits) {
            Heard::Nothing => self.fact(callback, now),
            Heard::Connected => {
                self.connected = true;
                self.connection(1, 0);
            }
            Heard::Up(login) => self.up(&login, now),
            Heard::Failed(step) => self.note(format!("{step:?}: {}; trying again", message::error(callback))),
            Heard::Lost(reason) => {
                self.note(format!("disconnected, reason {reason:#x}"));
                self.lost(reason);
            }
            Heard::Refused => {
                self.note(format!(
                    "the login is refused: {}; nothing more is sent, so that the account is not locked: correct the \
                     password and start again",
                    message::error(callback)
                ));
                self.alarm(AlarmKind::LoginRefused, i64::from(callback.error));
                self.lost(0);
            }
        }
    }

    fn up(&mut self, facts: &LoginFacts, now: Now) {
        self.listing.shared().lock().set_trading_day(facts.trading_day);
        let login = self.frame().login(facts);
        self.out.put(login.exch_ns, &login);
        if let Some(resync) = &mut self.resync {
            *resync = Resync::new(resync.request, self.listing.shared().lock().listed() == facts.trading_day);
        }
        let offset_ms = clock_offset_ms(facts, now.waits).filter(|_| self.options.live);
        if let Some(ms) = offset_ms.filter(|ms| ms.unsigned_abs() > u64::from(self.options.clock_offset_max_ms)) {
            self.note(format!("our clock is {ms} ms ahead of the exchange's; synchronise it (chrony, ntp)"));
            self.alarm(AlarmKind::ClockOffset, ms);
        }
        self.announce();
    }

    /// The connection is gone, or given up: what was under way begins again after the next login.
    fn lost(&mut self, reason: i32) {
        self.release_held();
        self.queries.forget();
        self.purpose = Purpose::Nothing;
        self.asked.clear();
        self.asking.clear();
        self.asking_trades = false;
        self.shown = None;
        self.restated = false;
        self.timeouts = 0;
        if std::mem::take(&mut self.connected) {
            self.connection(0, reason);
        }
    }

    fn connection(&mut self, connected: u32, reason: i32) {
        let channel = StageId::Gateway.code();
        self.out.put(Nanos::ABSENT, &Connection { connected, reason, channel, ..Connection::default() });
    }

    pub(super) fn alarm(&mut self, kind: AlarmKind, value: i64) {
        let (instrument, kind) = (InstrumentId::NONE, kind.code());
        self.out.put(Nanos::ABSENT, &Alarm { instrument, value, kind, ..Alarm::default() });
    }

    /// The answer came: the library is alive.
    pub(super) const fn answered(&mut self) {
        self.timeouts = 0;
    }

    // ---- contracts ------------------------------------------------------------------------------------------------

    /// Tells the order stage of new and changed contracts, each with its rates.
    pub(super) fn announce(&mut self) {
        if !self.listing.has_news() {
            return;
        }
        for def in self.listing.news() {
            self.out.put(Nanos::ABSENT, &def);
            let Some(row) = self.listing.get(def.instrument) else { continue };
            let shared = self.listing.shared().clone();
            if let Some(rates) = self.rates.add(row, &shared.lock()) {
                self.out.put(Nanos::ABSENT, &rates);
            }
        }
    }

    /// The contract of a symbol, announced when it is new. `None`, and counted, for one that no table knows.
    pub(super) fn contract(&mut self, symbol: &Symbol, exchange: Option<Exchange>) -> Option<Row> {
        if self.listing.find(symbol).is_none() {
            let known = self.listing.shared().lock().ensure(symbol, exchange);
            if known.is_none() {
                self.unknown += 1;
                if self.unknown_symbols.len() >= NOTES_MAX || !self.unknown_symbols.insert(*symbol) {
                    return None;
                }
                self.note(format!("no table knows the contract {symbol}; add its product to products.toml"));
                return None;
            }
            self.announce();
        }
        let row = self.listing.find(symbol).and_then(|id| self.listing.get(id)).copied();
        row.filter(|row| exchange.is_none_or(|stated| stated == row.exchange))
    }

    // ---- requests -------------------------------------------------------------------------------------------------

    /// The books are to be restated: from the start, whatever is under way. The end of an earlier restatement must not
    /// pass for the end of this one.
    pub fn restate(&mut self, request: Seq) {
        let listed = {
            let contracts = self.listing.shared().lock();
            !contracts.listed().is_absent() && contracts.listed() == self.session.login().trading_day
        };
        self.out.withdraw(Kind::ResyncEnd);
        if self.purpose == Purpose::Resync && self.queries.in_flight() != Some(Ask::Instruments) {
            self.purpose = Purpose::Nothing;
        }
        self.resync = Some(Resync::new(request, listed));
    }

    /// An order is asked about.
    pub fn ask_about(&mut self, request: &OrderRequest) {
        if self.asked.len() < self.asked.capacity() {
            self.asked.push(Sent::of(request, 0, false));
        }
    }

    /// Prepares an insert or a cancel: its request number and contract, remembered for its answer.
    ///
    /// # Errors
    /// Why it cannot be sent: -1 without a session (or on a session that the order stage has not been shown), else CTP's
    /// error.
    pub fn prepare(&mut self, request: &OrderRequest, cancels: bool) -> Result<(i32, Row), i32> {
        let login = self.session.login();
        let current = (login.front_id, login.session_id);
        let of_session = cancels || (request.front_id, request.session_id) == current;
        if !self.session.is_up() || self.shown != Some(current) || !of_session {
            return Err(super::NOT_CONNECTED);
        }
        let Some(row) = self.listing.get(request.instrument).copied() else {
            return Err(super::UNKNOWN_INSTRUMENT);
        };
        let request_id = self.session.next_request();
        self.sent.put(Sent::of(request, request_id, cancels));
        self.rates.use_of(row.id);
        Ok((request_id, row))
    }

    // ---- events ---------------------------------------------------------------------------------------------------

    /// The next event.
    pub const fn out(&mut self) -> &mut Outbox {
        &mut self.out
    }

    /// The order stage is about to see this login.
    pub fn show(&mut self, front_id: i32, session_id: i32) {
        self.shown = Some((front_id, session_id));
    }

    /// What was not told, by reason.
    pub fn skipped(&self) -> Vec<(&'static str, u64)> {
        vec![("unknown-contract", self.unknown), ("malformed", self.malformed), ("unnumbered", self.unnumbered)]
    }

    /// The rates to be kept for the next start; `None` when nothing changed.
    pub fn rates_text(&mut self) -> Option<String> {
        self.rates.take_text()
    }

    /// The contract behind an id, for a question about its rates, and whether it is an option.
    pub fn rated(&self, id: InstrumentId) -> Option<(Symbol, bool)> {
        self.listing.get(id).map(|row| (row.symbol, row.class == ProductClass::Option))
    }
}
