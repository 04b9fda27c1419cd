//! Authentication, logins and the settlement statement.

use super::wire::{Channel, Resume, Who};
use super::{Conn, Front, errors};
use crate::ctp::callback::{Callback, LoginFacts, What};
use shrike_core::units::Nanos;

impl Front {
    pub(super) fn authenticate(&mut self, conn: Conn, request: i32, who: &Who) {
        let options = &self.options;
        let fits = options.auth_code.is_empty()
            || who.broker_id == options.broker_id
                && who.app_id == options.app_id
                && who.secret == options.auth_code
                && who.user_id == options.user_id;
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.authenticated = fits;
        }
        self.answer(conn, request, if fits { 0 } else { errors::AUTHENTICATION_FAILED }, What::Authenticated);
    }

    pub(super) fn login(&mut self, conn: Conn, request: i32, who: &Who) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let channel = session.channel;
        // The front filters a second login of a session that is logged in: there is no answer.
        if session.login.is_some() {
            return;
        }
        let verdict = match channel {
            _ if self.day.is_absent() => Err(errors::NOT_READY),
            // Market data asks for no password at most brokers.
            Some(Channel::Market) => Ok(()),
            _ => self.may_log_in(session.authenticated, who),
        };
        if let Err(code) = verdict {
            return self.answer(conn, request, code, What::LoggedIn(None));
        }
        let key = (self.front_id, self.next_session);
        self.next_session += 1;
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.login = Some(key);
            session.last_ref = 0;
        }
        let now = u64::from(self.now.china_second()) * Nanos::PER_SECOND;
        let facts = LoginFacts {
            trading_day: self.day,
            front_id: key.0,
            session_id: key.1,
            max_order_ref: self.max_ref,
            clocks: [Some(now); 6],
        };
        self.answer(conn, request, 0, What::LoggedIn(Some(facts)));
        if channel == Some(Channel::Trading) {
            self.wrong_logins = 0;
            self.replay(conn);
        }
    }

    /// As CTP's front: the answer, then the end of the connection (the API's manual, `ReqUserLogout`).
    pub(super) fn logout(&mut self, conn: Conn, request: i32) {
        if !self.is_in(conn) {
            return self.answer(conn, request, errors::NOT_LOGGED_IN, What::LoggedOut);
        }
        self.answer(conn, request, 0, What::LoggedOut);
        self.close(conn);
    }

    fn may_log_in(&mut self, authenticated: bool, who: &Who) -> Result<(), i32> {
        let options = &self.options;
        if options.ban_after > 0 && self.wrong_logins >= options.ban_after {
            return Err(errors::LOGIN_BANNED);
        }
        if !options.auth_code.is_empty() && !authenticated {
            return Err(errors::NOT_AUTHENTICATED);
        }
        if who.broker_id != options.broker_id || who.user_id != options.user_id || who.secret != options.password {
            self.wrong_logins += 1;
            return Err(errors::BAD_LOGIN);
        }
        if self.logged_in().len() >= options.sessions_max {
            return Err(errors::TOO_MANY_SESSIONS);
        }
        Ok(())
    }

    /// Tells a new session the private flow as it asked for, and the phase of every contract.
    fn replay(&mut self, conn: Conn) {
        let told = self.flow.len();
        let from = match self.sessions.get(&conn).map(|session| session.resume) {
            Some(Resume::Restart) => 0,
            Some(Resume::From(had)) => usize::try_from(had).unwrap_or(told).min(told),
            Some(Resume::Quick) => told,
            Some(Resume::Never) | None => return,
        };
        for index in from..told {
            if let Some(callback) = self.flow.get(index).map(|told| self.callback(told)) {
                self.tell(conn, callback);
            }
        }
        let phases: Vec<Callback> = self.contracts.iter().flatten().filter_map(|listed| listed.status()).collect();
        phases.into_iter().for_each(|status| self.tell(conn, status));
    }

    pub(super) fn confirm(&mut self, conn: Conn, request: i32) {
        if !self.is_in(conn) {
            return self.answer(conn, request, errors::NOT_LOGGED_IN, What::Confirmed);
        }
        self.confirmed = self.day;
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.ready = true;
        }
        self.answer(conn, request, 0, What::Confirmed);
    }

    pub(super) fn is_in(&self, conn: Conn) -> bool {
        self.sessions.get(&conn).is_some_and(|session| session.login.is_some())
    }
}
