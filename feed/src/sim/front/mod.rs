//! The front of the simulated exchange's counter: what CTP's own front is to its clients. Frames of clients go in
//! ([`Front::receive`]), what the exchange and its market do is shown to it ([`Front::market`], [`Front::report`]), and
//! frames to clients come out ([`Front::take`]). It does no I/O and knows no clock: the process that listens says what
//! real time it is. Sessions, logins, flow control, the private flow and its replay are its own; orders and money are
//! the exchange's.

mod connections;
pub mod errors;
mod fault;
mod login;
mod market;
mod orders;
mod query;
pub mod wire;

#[cfg(test)]
mod tests;

pub use fault::Faults;

use crate::ctp::callback::{Callback, What};
use crate::sim::exchange::Exchange;
use connections::Session;
use fault::{Place, Struck};
use market::Listed;
use orders::{Known, PendingCancel, Told};
use shrike_core::event::{Event, Header, Seq};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, TradingDay};
use std::collections::BTreeMap;
use wire::{Channel, FromClient, FromFront, PROTOCOL};

/// Who may log in, and how the front behaves.
#[derive(Clone, Debug)]
pub struct FrontOptions {
    /// The broker's number.
    pub broker_id: String,
    /// The user's name.
    pub user_id: String,
    /// The password.
    pub password: String,
    /// The terminal's name.
    pub app_id: String,
    /// Its code; empty: no authentication is asked for.
    pub auth_code: String,
    /// After so many wrong logins in a row the user is banned; zero: never.
    pub ban_after: u32,
    /// Trading sessions that the user may have at a time.
    pub sessions_max: usize,
    /// Queries that a session may send in a second; zero: any number.
    pub queries_per_second: u32,
    /// The client's library keeps to that limit itself (-3); else the front refuses with error 90.
    pub limit_in_library: bool,
    /// Frames that a client may be behind before the market waits for it, where it waits at all.
    pub window: u64,
    /// The market waits for so many clients that are ready: subscribed, or settlement confirmed.
    pub clients: usize,
    /// Once they were all there, it waits no longer than this for those that went, in milliseconds.
    pub hold_ms: u64,
}

impl Default for FrontOptions {
    /// Broker 9999, user and password `shrike`, terminal `shrike_test`; no flow control.
    fn default() -> Self {
        Self {
            broker_id: "9999".to_owned(),
            user_id: "shrike".to_owned(),
            password: "shrike".to_owned(),
            app_id: "shrike_test".to_owned(),
            auth_code: "0000000000000000".to_owned(),
            ban_after: 6,
            sessions_max: 8,
            queries_per_second: 0,
            limit_in_library: true,
            window: 64,
            clients: 0,
            hold_ms: 10_000,
        }
    }
}

/// A client's connection, by a number of this run.
pub type Conn = u32;

/// What is to be done with a connection.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "frames are the rule, and boxing each would allocate")]
pub enum Output {
    /// Send it.
    Frame(FromFront),
    /// Close it; its number will not be used again.
    Close,
}

/// The front. See the module's text.
#[derive(Debug)]
pub struct Front {
    options: FrontOptions,
    faults: Faults,
    sessions: BTreeMap<Conn, Session>,
    next_conn: Conn,
    /// The exchange's time.
    now: Nanos,
    /// Real time, of any clock that goes forward.
    real_ns: u64,
    day: TradingDay,
    /// The day whose settlement statement was confirmed.
    confirmed: TradingDay,
    front_id: i32,
    next_session: i32,
    wrong_logins: u32,
    contracts: Vec<Option<Listed>>,
    by_symbol: BTreeMap<Vec<u8>, InstrumentId>,
    /// The day's orders by the exchange's OrderRef, which the front gives.
    orders: Vec<Known>,
    /// Greatest OrderRef of the clients.
    max_ref: u64,
    cancels: Vec<PendingCancel>,
    /// The private flow of the day.
    flow: Vec<Told>,
    requests: u64,
    /// All clients were there once.
    gathered: bool,
    /// Since when some are not.
    missing_since: Option<u64>,
}

impl Front {
    /// A front without connections.
    pub fn new(options: FrontOptions) -> Self {
        Self {
            options,
            faults: Faults::default(),
            sessions: BTreeMap::new(),
            next_conn: 1,
            now: Nanos::ABSENT,
            real_ns: 0,
            day: TradingDay::ABSENT,
            confirmed: TradingDay::ABSENT,
            front_id: 1,
            next_session: 1,
            wrong_logins: 0,
            contracts: Vec::new(),
            by_symbol: BTreeMap::new(),
            orders: Vec::new(),
            max_ref: 0,
            cancels: Vec::new(),
            flow: Vec::new(),
            requests: 0,
            gathered: false,
            missing_since: None,
        }
    }

    /// The fault script.
    pub const fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Connections that stand.
    pub fn connections(&self) -> usize {
        self.sessions.values().filter(|session| !session.gone).count()
    }

    /// The real time, in nanoseconds of any clock that goes forward.
    pub fn clock(&mut self, real_ns: u64) {
        self.real_ns = self.real_ns.max(real_ns);
    }

    /// A connection was made; what is known of it comes with its first frame.
    pub fn accept(&mut self) -> Conn {
        let conn = self.next_conn;
        self.next_conn += 1;
        self.sessions.insert(conn, Session::new());
        conn
    }

    /// A connection is no more.
    pub fn lost(&mut self, conn: Conn) {
        self.sessions.remove(&conn);
    }

    /// The next output whose time has come.
    pub fn take(&mut self) -> Option<(Conn, Output)> {
        let real_ns = self.real_ns;
        let is_due = |session: &Session| session.out.front().is_some_and(|&(due, _)| due <= real_ns);
        let (&conn, session) = self.sessions.iter_mut().find(|(_, session)| is_due(session))?;
        let (_, output) = session.out.pop_front()?;
        if output == Output::Close {
            self.sessions.remove(&conn);
        }
        Some((conn, output))
    }

    /// Whether the market may go on, where it can wait: no client is far behind, and those that it waits for are ready.
    pub fn may_pass(&mut self) -> bool {
        if self.day.is_absent() {
            return true;
        }
        let live = || self.sessions.values().filter(|session| !session.gone);
        if live().any(|session| session.sent.saturating_sub(session.acked) > self.options.window) {
            return false;
        }
        if live().filter(|session| session.ready).count() >= self.options.clients {
            (self.gathered, self.missing_since) = (true, None);
            return true;
        }
        let since = *self.missing_since.get_or_insert(self.real_ns);
        self.gathered && self.real_ns.saturating_sub(since) >= self.options.hold_ms.saturating_mul(Nanos::PER_MILLI)
    }

    /// A client's frame. Requests go on to the exchange, queries are answered from its books.
    pub fn receive(&mut self, conn: Conn, frame: &FromClient, exchange: &mut Exchange) {
        let Some(session) = self.sessions.get_mut(&conn).filter(|session| !session.gone) else { return };
        let place = match (frame, session.channel) {
            (FromClient::Ack(count), Some(_)) => return session.acked += u64::from(*count),
            (FromClient::Hello(hello), None) if hello.protocol == PROTOCOL => {
                (session.channel, session.resume) = (Some(hello.channel), hello.resume);
                self.faults.log(format!("connection {conn}: {:?}, API {}", hello.channel, hello.version));
                Some(match hello.channel {
                    Channel::Market => Place::ConnectMarket,
                    Channel::Trading => Place::Connect,
                })
            }
            (FromClient::Hello(_), _) | (_, None) => {
                self.faults.log(format!("connection {conn}: no client of protocol {PROTOCOL}"));
                return self.close(conn);
            }
            (FromClient::Authenticate(..), Some(Channel::Trading)) => Some(Place::Authenticate),
            (FromClient::Login(..), Some(Channel::Trading)) => Some(Place::Login),
            (FromClient::Login(..), Some(Channel::Market)) => Some(Place::LoginMarket),
            (FromClient::Subscribe(_) | FromClient::Unsubscribe(_), Some(Channel::Market)) => None,
            (FromClient::Logout(_), Some(Channel::Trading)) => None,
            (FromClient::Confirm(_), Some(Channel::Trading)) => Some(Place::Confirm),
            (FromClient::Query(_, ask), Some(Channel::Trading)) => Some(Place::Query(ask.kind)),
            (FromClient::Insert(..), Some(Channel::Trading)) => Some(Place::Insert),
            (FromClient::Cancel(..), Some(Channel::Trading)) => Some(Place::Cancel),
            _ => return,
        };
        let struck = place.map(|place| self.faults.meet(place)).unwrap_or_default();
        self.under(struck, &[conn], |front| match struck {
            Struck { lose: true, .. } => {}
            Struck { refuse: Some(code), .. } => front.refuse(conn, frame, code),
            _ => front.serve(conn, frame, exchange),
        });
    }

    fn serve(&mut self, conn: Conn, frame: &FromClient, exchange: &mut Exchange) {
        match frame {
            FromClient::Hello(_) => {
                let queries = if self.options.limit_in_library { self.options.queries_per_second } else { 0 };
                self.push(conn, FromFront::Limits(queries));
                self.tell(conn, Callback { what: What::Connected, ..Callback::default() });
            }
            FromClient::Authenticate(request, who) => self.authenticate(conn, *request, who),
            FromClient::Login(request, who) => self.login(conn, *request, who),
            FromClient::Logout(request) => self.logout(conn, *request),
            FromClient::Confirm(request) => self.confirm(conn, *request),
            FromClient::Query(request, ask) => self.query(conn, *request, ask, exchange),
            FromClient::Insert(request, order) => self.insert(conn, *request, order, exchange),
            FromClient::Cancel(request, cancel) => self.cancel(conn, *request, cancel, exchange),
            FromClient::Subscribe(symbols) => self.subscribe(conn, symbols),
            FromClient::Unsubscribe(symbols) => self.unsubscribe(conn, symbols),
            FromClient::Ack(_) => {}
        }
    }

    /// Answers a request with an error.
    fn refuse(&mut self, conn: Conn, frame: &FromClient, code: i32) {
        let (request_id, what) = match frame {
            FromClient::Authenticate(request, _) => (*request, What::Authenticated),
            FromClient::Login(request, _) => (*request, What::LoggedIn(None)),
            FromClient::Confirm(request) => (*request, What::Confirmed),
            FromClient::Query(request, _) => (*request, What::Failed),
            FromClient::Insert(request, order) => return self.refuse_insert(conn, *request, order, code),
            FromClient::Cancel(request, cancel) => return self.refuse_cancel(conn, *request, cancel, code),
            _ => return,
        };
        self.answer(conn, request_id, code, what);
    }

    /// The number of the next request to the exchange.
    const fn next_request(&mut self) -> Header {
        self.requests += 1;
        let seq = Seq::new(shrike_core::codes::StageId::Gateway, 0, self.requests);
        Header {
            len: 0,
            kind: 0,
            version: 0,
            crc: 0,
            flags: 0,
            seq,
            recv_ns: Nanos::ABSENT,
            taken_ns: Nanos::ABSENT,
            cause: Seq::ABSENT,
        }
    }

    /// Something of the market, or of the exchange's journal of earlier runs.
    pub fn market(&mut self, header: &Header, event: Event<'_>) {
        self.pass(header.recv_ns);
        self.see(event);
    }

    /// A report of the exchange, or of its journal of earlier runs.
    pub fn report(&mut self, header: &Header, event: Event<'_>) {
        self.pass(header.recv_ns);
        self.hear(header, event);
    }

    fn pass(&mut self, now: Nanos) {
        if now > self.now {
            let from = std::mem::replace(&mut self.now, now);
            if !from.is_absent() {
                let struck = self.faults.pass(from, now);
                let own = self.logged_in();
                self.under(struck, &own, |_| {});
            }
        }
    }
}
