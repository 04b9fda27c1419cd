//! The market-data connection as a [`MarketFeed`]: logs in, subscribes every contract of the home in batches, again after
//! each disconnect, and gives the ticks that the library's thread decoded into the market ring. Definitions come from the
//! shared contracts, phases from the calendar and the exchange. Runs on the edge's thread.

mod phases;
mod ticks;

#[cfg(test)]
mod tests;

pub use ticks::Skip;

use super::api::MarketApi;
use super::attempts::{self, Attempts};
use super::callback::{Callback, Symbol, What};
use super::contracts::SharedContracts;
use super::lookup;
use super::message;
use super::offset::natural_time;
use super::options::CtpOptions;
use super::restarts::Restarts;
use super::session::{Heard, Session, SessionCall, SessionOptions, Step};
use super::source::Callbacks;
use super::trader::{Clocks, Now};
use phases::Phases;
use shrike_core::calendar::Sessions;
use shrike_core::codes::{AlarmKind, PhaseKind, StageId};
use shrike_core::event::{Alarm, Body, Connection, Event, Gap, MarketSlot, Seq};
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::{BATCH_MAX, MarketConsumer};
use shrike_core::units::{Nanos, TradingDay};
use shrike_core::venue::{MarketFeed, Next};
use std::collections::VecDeque;
use std::sync::Arc;
use ticks::Ticks;

/// Contracts of one subscribe call.
const SUBSCRIBE_MAX: usize = 500;
/// So many problems are kept.
const PROBLEMS_MAX: usize = 1_000;

/// A CTP front as a source of market data.
pub struct CtpFeed<A: MarketApi, C: Callbacks> {
    api: A,
    callbacks: C,
    ring: MarketConsumer<42>,
    clocks: Clocks,
    state: State,
    attempts: Option<Attempts>,
    /// The library's object is being released; until then nothing is heard and nothing called.
    stopping: bool,
}

/// Everything but the ends of the wires.
struct State {
    options: CtpOptions,
    contracts: SharedContracts,
    sessions: Arc<Sessions>,
    session: Session,
    restarts: Restarts,
    phases: Phases,
    ticks: Vec<Ticks>,
    /// Symbols and last trading days by id, of which the first `subscribed` are subscribed on this session.
    symbols: Vec<(Symbol, TradingDay)>,
    subscribed: usize,
    /// How many of the definitions and changes the decoder's table has; zero: it is of an earlier session.
    prepared: usize,
    subscribe_at: Nanos,
    seen: u64,
    defs_cursor: usize,
    status_cursor: usize,
    out: VecDeque<MarketSlot>,
    /// The next tick, when `has_tick`.
    tick: Box<MarketSlot>,
    has_tick: bool,
    connected: bool,
    /// Since when data is missing; absent: it flows, or never did.
    gap: Nanos,
    had_data: bool,
    skips: [u64; Skip::ALL.len()],
    problems: Vec<String>,
}

impl<A: MarketApi, C: Callbacks> CtpFeed<A, C> {
    /// A feed that connects when it is first asked. `ring`: the reading end of what the library's thread decodes into.
    pub fn new(
        api: A,
        callbacks: C,
        ring: MarketConsumer<42>,
        clocks: Clocks,
        options: CtpOptions,
        contracts: SharedContracts,
        sessions: Arc<Sessions>,
    ) -> Self {
        let session = SessionOptions { authenticates: false, trades: false, ..options.session };
        let restart_before_ns = if options.live { options.restart_before_ns } else { 0 };
        let state = State {
            options,
            contracts,
            session: Session::new(session),
            restarts: Restarts::new(sessions.clone(), restart_before_ns),
            phases: Phases::new(options.live, sessions.clone()),
            sessions,
            ticks: Vec::new(),
            symbols: Vec::new(),
            subscribed: 0,
            prepared: 0,
            subscribe_at: Nanos::ABSENT,
            // One before the first count, so that the first look finds what is there.
            seen: u64::MAX,
            defs_cursor: 0,
            status_cursor: 0,
            out: VecDeque::with_capacity(1_024),
            tick: Box::default(),
            has_tick: false,
            connected: false,
            gap: Nanos::ABSENT,
            had_data: false,
            skips: [0; Skip::ALL.len()],
            problems: Vec::new(),
        };
        Self { api, callbacks, ring, clocks, state, attempts: None, stopping: false }
    }

    /// The same, going on with the refusals of earlier processes, and keeping its own.
    pub fn counting(mut self, attempts: Attempts) -> Self {
        self.state.session.refused_before(attempts.count());
        self.attempts = Some(attempts);
        self
    }

    /// The session.
    pub const fn session(&self) -> &Session {
        &self.state.session
    }

    fn pump(&mut self) {
        let now = self.clocks.now();
        if self.stopping && self.api.is_stopped() {
            while self.callbacks.drain(BATCH_MAX, &mut |_| {}) > 0 {}
            self.stopping = false;
        }
        if !self.stopping {
            self.talk(now);
        }
        let Self { ring, state, .. } = self;
        state.news(now);
        state.calendar(now);
        for _ in 0..BATCH_MAX {
            if state.has_tick || ring.take_batch(1, |slot| state.decoded(slot, now)) == 0 {
                break;
            }
        }
    }

    /// Hears what the library told, and makes the calls that are due.
    fn talk(&mut self, now: Now) {
        let Self { callbacks, state, .. } = self;
        if state.out.is_empty() {
            callbacks.drain(BATCH_MAX, &mut |callback| state.hear(callback, now));
        }
        // Before the next login is sent.
        if let Some(Err(failure)) = attempts::follow(&mut self.attempts, state.session.refusals()) {
            state.problem(failure);
        }
        while let Some(call) = self.state.turn(now) {
            let code = self.call(call);
            self.state.session.called(call, code, now.waits);
            if self.stopping {
                return;
            }
        }
        self.subscribe(now);
    }

    fn call(&mut self, call: SessionCall) -> i32 {
        match call {
            SessionCall::Start => match self.api.start() {
                Ok(()) => 0,
                Err(failure) => {
                    self.state.problem(failure);
                    -1
                }
            },
            SessionCall::Stop => {
                self.api.stop();
                self.stopping = true;
                0
            }
            SessionCall::Ask(Step::Login, request_id) => self.api.login(request_id),
            // Not steps of a session that only listens.
            SessionCall::Ask(Step::Authenticate | Step::Confirm, _) => 0,
        }
    }

    /// Subscribes the next batch, when the session stands. What is subscribed must be in the decoder's table before.
    fn subscribe(&mut self, now: Now) {
        let state = &mut self.state;
        if !state.session.is_up() {
            return;
        }
        if state.prepared != state.defs_cursor {
            state.prepared = state.defs_cursor;
            self.api.prepare(state.table());
        }
        if state.subscribed == state.symbols.len() || now.waits < state.subscribe_at {
            return;
        }
        let end = state.symbols.len().min(state.subscribed + SUBSCRIBE_MAX);
        let (today, rows) = (state.day(), state.symbols.get(state.subscribed..end).unwrap_or(&[]));
        let alive = rows.iter().filter(|(_, expiry)| expiry.is_absent() || *expiry >= today);
        let batch: Vec<&[u8]> = alive.map(|(symbol, _)| symbol.as_bytes()).collect();
        match if batch.is_empty() { 0 } else { self.api.subscribe(&batch) } {
            0 => state.subscribed = end,
            _ => state.subscribe_at = now.waits.after(state.options.session.backoff_min_ns),
        }
    }
}

impl State {
    fn turn(&mut self, now: Now) -> Option<SessionCall> {
        if self.restarts.is_due(now.waits) && !self.session.is_refused() {
            self.session.restart(now.waits);
        }
        let call = self.session.turn(now.waits)?;
        if call == SessionCall::Stop {
            self.lost(0, now.events);
        }
        Some(call)
    }

    fn hear(&mut self, callback: &Callback, now: Now) {
        let live = self.options.live && !callback.received.is_absent();
        let at = if live { callback.received } else { now.events };
        match self.session.hear(callback, now.waits) {
            Heard::Connected => {
                self.connected = true;
                self.connection(1, 0, at);
            }
            Heard::Up(login) => {
                self.contracts.lock().set_trading_day(login.trading_day);
                (self.prepared, self.subscribed) = (0, 0);
                self.session.settled();
            }
            Heard::Lost(reason) => {
                self.problem(format!("market data disconnected, reason {reason:#x}"));
                self.lost(reason, at);
            }
            Heard::Failed(_) => self.problem(format!("market-data login: {}; trying again", message::error(callback))),
            Heard::Refused => {
                self.problem(format!(
                    "the market-data login is refused: {}; nothing more is sent, so that the account is not locked: \
                     correct the password and start again",
                    message::error(callback)
                ));
                let (kind, value) = (AlarmKind::LoginRefused.code(), i64::from(callback.error));
                self.put(at, &Alarm { instrument: InstrumentId::NONE, value, kind, ..Alarm::default() });
                self.lost(0, at);
            }
            Heard::Nothing => match callback.what {
                What::Subscribed(symbol) if callback.error != 0 => {
                    self.problem(format!("subscribing {symbol}: {}", message::error(callback)));
                }
                What::Failed if callback.error != 0 => self.problem(message::error(callback)),
                _ => {}
            },
        }
    }

    /// The connection is gone: data is missing from now until a tick of the next session.
    fn lost(&mut self, reason: i32, at: Nanos) {
        if std::mem::take(&mut self.connected) {
            self.connection(0, reason, at);
        }
        if self.had_data && self.gap.is_absent() {
            self.gap = at;
            self.put(at, &self.gap_event(Nanos::ABSENT));
        }
    }

    fn gap_event(&self, end_ns: Nanos) -> Gap {
        let trading_day = self.day();
        Gap { instrument: InstrumentId::NONE, trading_day, start_ns: self.gap, end_ns, ..Gap::default() }
    }

    fn connection(&mut self, connected: u32, reason: i32, at: Nanos) {
        let channel = StageId::Feed.code();
        self.put(at, &Connection { connected, reason, channel, ..Connection::default() });
    }

    /// The trading day: the login's, or the trader's where the front tells none.
    fn day(&self) -> TradingDay {
        let of_login = self.session.login().trading_day;
        if of_login.is_absent() { self.contracts.lock().trading_day() } else { of_login }
    }

    fn put<B: Body>(&mut self, at: Nanos, body: &B) {
        let mut slot = MarketSlot::default();
        slot.put(body);
        slot.header_mut().recv_ns = at;
        self.out.push_back(slot);
    }

    /// Announces new and changed contracts, and passes on what the exchanges pushed.
    fn news(&mut self, now: Now) {
        let changes = self.contracts.changes();
        if std::mem::replace(&mut self.seen, changes) == changes {
            return;
        }
        let (defs, statuses) = {
            let contracts = self.contracts.lock();
            let defs: Vec<_> = contracts.since(&mut self.defs_cursor).copied().collect();
            (defs, contracts.statuses_since(&mut self.status_cursor).to_vec())
        };
        for def in defs {
            self.put(now.events, &def);
            let (Some(symbol), Some(exchange)) = (Symbol::new(def.symbol.as_bytes()), def.exchange()) else { continue };
            if let Some(ticks) = self.ticks.get_mut(def.instrument.index()) {
                ticks.define(&def);
            } else if def.instrument.index() == self.symbols.len() {
                self.symbols.push((symbol, def.expiry));
                self.ticks.push(Ticks::new(exchange, &def));
                if let Err(error) = self.phases.watch(&def, now.events) {
                    self.problem(format!("{symbol}: {error}; its phases are the exchange's pushes alone"));
                }
            }
        }
        let day = self.day();
        for (status, received) in statuses {
            let told = natural_time(self.sessions.calendar(), day, status.enter_time);
            let at = if self.options.live { received } else { now.events.max(told) };
            let Self { phases, out, ticks, .. } = self;
            phases.push(&status, at, day, |phase| {
                if let Some(ticks) = ticks.get_mut(phase.instrument.index()) {
                    ticks.open_by_exchange = !matches!(phase.kind(), PhaseKind::Shut | PhaseKind::Break);
                }
                push(out, at, phase);
            });
        }
    }

    fn calendar(&mut self, now: Now) {
        if !self.phases.is_due(now.events) {
            return;
        }
        let Self { phases, out, ticks, .. } = self;
        let ended = phases.advance(now.events, |phase| {
            if let Some(ticks) = ticks.get_mut(phase.instrument.index()) {
                ticks.open_by_exchange = false;
            }
            push(out, now.events, phase);
        });
        if let Err(error) = ended {
            self.problem(error.to_string());
        }
    }

    /// What the decoder looks snapshots up in.
    fn table(&self) -> lookup::Contracts {
        let day = self.day();
        let contracts = self.contracts.lock();
        let rows = self.symbols.iter().filter_map(|(symbol, _)| Some((*symbol, contracts.decoding(symbol)?)));
        let table = lookup::Contracts::new(day, rows);
        // Live, snapshots come when they are made. Elsewhere the clock may stand far from the market, or not stand yet.
        match self.sessions.calendar().previous_trading_day(day) {
            Ok(eve) if !self.options.live => table.with_midnight(Nanos::china(eve.plus_days(1), 0, 0)),
            _ => table,
        }
    }

    /// A tick from the ring: kept for [`MarketFeed::take`], or counted.
    fn decoded(&mut self, slot: &MarketSlot, now: Now) {
        let Event::DepthTick(decoded) = slot.event() else { return };
        let (mut tick, header) = (*decoded, *slot.header());
        let today = self.session.login().trading_day;
        let Self { ticks, out, sessions, .. } = self;
        let taken = match ticks.get_mut(tick.instrument.index()) {
            Some(ticks) => ticks.take(&mut tick, today, sessions, |settlement| push(out, now.events, &settlement)),
            None => Err(Skip::Unknown),
        };
        if let Err(skip) = taken {
            if let Some(count) = self.skips.get_mut(skip as usize) {
                *count += 1;
            }
            return;
        }
        let at = if self.options.live { header.recv_ns } else { tick.exch_ns };
        self.had_data = true;
        if !self.gap.is_absent() && self.session.is_up() {
            self.put(at, &self.gap_event(at));
            self.gap = Nanos::ABSENT;
        }
        self.tick.put(&tick);
        (self.tick.header_mut().recv_ns, self.tick.header_mut().flags) = (at, header.flags);
        self.tick.header_mut().seq = Seq::ABSENT;
        self.has_tick = true;
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

fn push<B: Body>(out: &mut VecDeque<MarketSlot>, at: Nanos, body: &B) {
    let mut slot = MarketSlot::default();
    slot.put(body);
    slot.header_mut().recv_ns = at;
    out.push_back(slot);
}

impl<A: MarketApi, C: Callbacks> MarketFeed for CtpFeed<A, C> {
    /// The session's work is done here, so that it goes on while nothing comes: a live edge asks all the time.
    fn next(&mut self) -> Next {
        self.pump();
        let state = &self.state;
        match (state.out.front(), state.has_tick) {
            (Some(slot), _) => Next::At(slot.header().recv_ns),
            (None, true) => Next::At(state.tick.header().recv_ns),
            (None, false) => Next::Idle,
        }
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        let state = &mut self.state;
        if let Some(next) = state.out.pop_front() {
            *slot = next;
            return true;
        }
        if std::mem::take(&mut state.has_tick) {
            *slot = *state.tick;
            return true;
        }
        false
    }

    fn skipped(&self) -> Vec<(&'static str, u64)> {
        Skip::ALL.into_iter().map(|skip| (skip.name(), self.state.skips[skip as usize])).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.state.problems.clone()
    }
}

impl<A: MarketApi, C: Callbacks> Drop for CtpFeed<A, C> {
    fn drop(&mut self) {
        self.api.stop();
    }
}
