//! Connections: what waits to be sent on each, how they are closed, and what faults do to them.

use super::fault::{Struck, When, Whose};
use super::wire::{Channel, FromFront, Resume};
use super::{Conn, Front, Output, errors};
use crate::ctp::callback::{Callback, What};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Nanos;
use std::collections::{BTreeSet, VecDeque};

/// A connection and the session on it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) channel: Option<Channel>,
    pub(super) resume: Resume,
    pub(super) authenticated: bool,
    /// Front and session number once logged in.
    pub(super) login: Option<(i32, i32)>,
    /// Subscribed, or settlement confirmed: the market need not wait for it.
    pub(super) ready: bool,
    /// Greatest OrderRef it has sent.
    pub(super) last_ref: u64,
    pub(super) subscribed: BTreeSet<InstrumentId>,
    /// Second of real time and queries in it.
    pub(super) queries: (u64, u32),
    /// Outputs with the real time from which on they may leave.
    pub(super) out: VecDeque<(u64, Output)>,
    pub(super) slow_until: u64,
    /// The answer under way is cut: its connection will be closed in the middle of it.
    pub(super) cut: bool,
    /// The connection is to be closed: it is no session any more.
    pub(super) gone: bool,
    pub(super) sent: u64,
    pub(super) acked: u64,
}

impl Session {
    /// A connection that has said nothing yet.
    pub(super) const fn new() -> Self {
        Self {
            channel: None,
            resume: Resume::Restart,
            authenticated: false,
            login: None,
            ready: false,
            last_ref: 0,
            subscribed: BTreeSet::new(),
            queries: (0, 0),
            out: VecDeque::new(),
            slow_until: 0,
            cut: false,
            gone: false,
            sent: 0,
            acked: 0,
        }
    }
}

impl Front {
    /// Does something at a place where faults may have struck.
    pub(super) fn under(&mut self, struck: Struck, own: &[Conn], work: impl FnOnce(&mut Self)) {
        if let Some(ms) = struck.slow_ms {
            let until = self.real_ns.saturating_add(ms.saturating_mul(Nanos::PER_MILLI));
            self.each(own, |session| session.slow_until = session.slow_until.max(until));
        }
        if let Some(whose) = struck.closes(When::Before) {
            self.close_those(whose, own);
        }
        if struck.restart == Some(When::Before) {
            self.restart();
        }
        let stopped = |front: &Self| own.len() == 1 && !front.stands(own.first());
        if stopped(self) {
            return;
        }
        let cut = struck.closes(When::During);
        self.each(own, |session| session.cut = cut.is_some());
        work(self);
        self.each(own, |session| session.cut = false);
        if let Some(whose) = cut.or(struck.closes(When::After)) {
            self.close_those(whose, own);
        }
        if struck.restart.is_some_and(|when| when != When::Before) {
            self.restart();
        }
    }

    pub(super) fn stands(&self, conn: Option<&Conn>) -> bool {
        conn.and_then(|conn| self.sessions.get(conn)).is_some_and(|session| !session.gone)
    }

    pub(super) fn each(&mut self, conns: &[Conn], mut with: impl FnMut(&mut Session)) {
        for conn in conns {
            if let Some(session) = self.sessions.get_mut(conn) {
                with(session);
            }
        }
    }

    pub(super) fn close_those(&mut self, whose: Whose, own: &[Conn]) {
        let of = |session: &Session| match whose {
            Whose::All => true,
            Whose::Every(channel) => session.channel == Some(channel),
            Whose::Own => false,
        };
        let mut conns: Vec<Conn> = self.sessions.iter().filter(|(_, session)| of(session)).map(|(&c, _)| c).collect();
        if whose == Whose::Own {
            conns.extend_from_slice(own);
        }
        conns.into_iter().for_each(|conn| self.close(conn));
    }

    /// Closes a connection. What has left is sent; what waits is not.
    pub(super) fn close(&mut self, conn: Conn) {
        let real_ns = self.real_ns;
        if let Some(session) = self.sessions.get_mut(&conn).filter(|session| !session.gone) {
            session.out.retain(|&(due, _)| due <= real_ns);
            session.out.push_back((real_ns, Output::Close));
            (session.gone, session.login, session.ready) = (true, None, false);
        }
    }

    /// Sends a frame, after those that wait.
    pub(super) fn push(&mut self, conn: Conn, frame: FromFront) {
        let real_ns = self.real_ns;
        if let Some(session) = self.sessions.get_mut(&conn).filter(|session| !session.gone && !session.cut) {
            let due = session.slow_until.max(real_ns);
            let due = session.out.back().map_or(due, |&(last, _)| last.max(due));
            session.sent += 1;
            session.out.push_back((due, Output::Frame(frame)));
        }
    }

    pub(super) fn tell(&mut self, conn: Conn, callback: Callback) {
        self.push(conn, FromFront::Callback(callback));
    }

    /// A whole answer in one callback.
    pub(super) fn answer(&mut self, conn: Conn, request_id: i32, error: i32, what: What) {
        let message = errors::words(error);
        self.tell(conn, Callback { request_id, is_last: true, error, message, what, ..Callback::default() });
    }

    /// The trading sessions that stand logged in.
    pub(super) fn logged_in(&self) -> Vec<Conn> {
        let is_in = |session: &Session| {
            session.channel == Some(Channel::Trading) && session.login.is_some() && session.resume != Resume::Never
        };
        self.sessions.iter().filter(|(_, session)| is_in(session)).map(|(&conn, _)| conn).collect()
    }
}
