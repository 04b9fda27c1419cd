//! The session with a front as a pure machine: connect, authenticate, log in, confirm, and all of it again after every
//! disconnect, with waits that double. In go callbacks and the time; out come the calls that are due. Shared by the trader
//! and the market data, which only logs in. The library is silent when it cannot connect, so the time-out is ours.

use super::callback::{Callback, LoginFacts, What};
use shrike_core::units::Nanos;

/// A step of the login, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// `ReqAuthenticate`.
    Authenticate,
    /// `ReqUserLogin`.
    Login,
    /// `ReqSettlementInfoConfirm`.
    Confirm,
}

/// Which steps a session has, and how patient it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionOptions {
    /// Whether the counter asks for the terminal's authentication.
    pub authenticates: bool,
    /// Whether the settlement is confirmed and the login must name a trading day: a trading session.
    pub trades: bool,
    /// Until a connection, or an answer of a step, is given up.
    pub connect_timeout_ns: u64,
    /// Before the first further try; also the least time between two logins.
    pub backoff_min_ns: u64,
    /// Most time between two tries.
    pub backoff_max_ns: u64,
    /// Refused passwords before none is sent any more.
    pub password_attempts_max: u32,
}

/// What the owner must call; the result goes to [`Session::called`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionCall {
    /// Create the library's object and connect.
    Start,
    /// Release it, and forget what it still had to say.
    Stop,
    /// A step of the login, under this request number.
    Ask(Step, i32),
}

/// What a callback means for the session.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// The front answers.
    Connected,
    /// Logged in, and confirmed where that is a step.
    Up(LoginFacts),
    /// A step was refused; it will be tried again.
    Failed(Step),
    /// The connection broke, for CTP's reason.
    Lost(i32),
    /// The login is refused for good: nothing more is sent.
    Refused,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    /// No library object; the next is made at this time.
    Resting { until: Nanos },
    /// The library tries to connect.
    Connecting { since: Nanos },
    /// Connected; the step is asked for at this time.
    Pausing { until: Nanos, step: Step },
    /// Asked.
    Asking { since: Nanos, step: Step, request_id: i32 },
    /// Logged in.
    Up,
    /// Refused for good.
    Refused,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Session {
    options: SessionOptions,
    state: State,
    /// Whether the library's object exists.
    running: bool,
    /// Failures since the session was last settled.
    failures: u32,
    refused_passwords: u32,
    /// No step begins before this.
    not_before: Nanos,
    facts: LoginFacts,
    last_request: i32,
}

/// What an error of a step asks for.
enum Verdict {
    /// Try again, for as long as it takes: the front is not active, the counter is not ready, too many sessions.
    Again,
    /// The password: again, but not often.
    Password,
    /// Never again: banned, or the password must be changed by a person.
    Never,
}

/// CTP's error numbers (`error.xml` of the API's distribution).
const fn verdict(step: Step, error: i32) -> Verdict {
    match (step, error) {
        // 75: banned after failures; 131, 140, 141: first login or weak password, to be changed by hand.
        (Step::Login, 75 | 131 | 140 | 141) => Verdict::Never,
        (Step::Login, 3) => Verdict::Password,
        _ => Verdict::Again,
    }
}

impl Session {
    /// A session that starts at the first turn.
    pub const fn new(options: SessionOptions) -> Self {
        Self {
            options,
            state: State::Resting { until: Nanos::ABSENT },
            running: false,
            failures: 0,
            refused_passwords: 0,
            not_before: Nanos::ABSENT,
            facts: LoginFacts {
                trading_day: shrike_core::units::TradingDay::ABSENT,
                front_id: 0,
                session_id: 0,
                max_order_ref: 0,
                clocks: [None; 6],
            },
            last_request: 0,
        }
    }

    /// Whether requests may be sent.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
    }

    /// Whether the venue refused the login for good.
    pub const fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused)
    }

    /// What the latest login told.
    pub const fn login(&self) -> &LoginFacts {
        &self.facts
    }

    /// Refusals of the password since the last login, those of earlier processes included; at least the most allowed
    /// where the login is refused for good.
    pub const fn refusals(&self) -> u32 {
        self.refused_passwords
    }

    /// Earlier processes were refused so often.
    pub const fn refused_before(&mut self, refusals: u32) {
        self.refused_passwords = refusals;
    }

    /// A request number that was not used before (it starts over after two thousand million).
    pub const fn next_request(&mut self) -> i32 {
        self.last_request = if self.last_request == i32::MAX { 1 } else { self.last_request + 1 };
        self.last_request
    }

    /// All is well: the next disconnect is not one more failure.
    pub const fn settled(&mut self) {
        self.failures = 0;
    }

    /// Makes the connection anew, with a new object. A refused login stays refused.
    pub const fn restart(&mut self, now: Nanos) {
        if self.running && !self.is_refused() {
            self.state = State::Resting { until: now };
        }
    }

    /// Gives the connection up, as a failure: a new object is made after the wait that is due.
    pub fn give_up(&mut self, now: Nanos) {
        self.fail(now);
        self.state = State::Resting { until: self.not_before };
    }

    /// What is due now; the owner calls it and asks again.
    pub fn turn(&mut self, now: Nanos) -> Option<SessionCall> {
        if self.running && matches!(self.state, State::Resting { .. } | State::Refused) {
            self.running = false;
            return Some(SessionCall::Stop);
        }
        let timeout_ns = self.options.connect_timeout_ns;
        match self.state {
            State::Resting { until } if now >= until => {
                self.state = State::Connecting { since: now };
                self.running = true;
                Some(SessionCall::Start)
            }
            State::Connecting { since } | State::Asking { since, .. } if now.since(since) >= timeout_ns => {
                self.give_up(now);
                self.turn(now)
            }
            State::Pausing { until, step } if now >= until => {
                let request_id = self.next_request();
                self.state = State::Asking { since: now, step, request_id };
                self.not_before = self.not_before.max(now.after(self.options.backoff_min_ns));
                Some(SessionCall::Ask(step, request_id))
            }
            _ => None,
        }
    }

    /// How a call went: zero is well. (An object that could not be made counts as any other failure.)
    pub fn called(&mut self, call: SessionCall, code: i32, now: Nanos) {
        match call {
            _ if code == 0 => {}
            SessionCall::Stop => {}
            SessionCall::Start => {
                self.running = false;
                self.give_up(now);
            }
            SessionCall::Ask(..) => self.retry(now),
        }
    }

    /// Takes in a callback.
    pub fn hear(&mut self, callback: &Callback, now: Nanos) -> Heard {
        let (asked, asked_id) = match self.state {
            State::Asking { step, request_id, .. } => (Some(step), request_id),
            _ => (None, 0),
        };
        let answers = |step| asked == Some(step) && callback.request_id == asked_id;
        match callback.what {
            What::Connected => self.connected(now),
            What::Disconnected { reason } => match self.state {
                State::Resting { .. } | State::Refused | State::Connecting { .. } => Heard::Nothing,
                _ => {
                    self.lose(now);
                    self.state = State::Connecting { since: now };
                    Heard::Lost(reason)
                }
            },
            What::Authenticated if answers(Step::Authenticate) => {
                self.answered(Step::Authenticate, callback.error, now)
            }
            What::LoggedIn(facts) if answers(Step::Login) => {
                let facts = facts.filter(|facts| !(self.options.trades && facts.trading_day.is_absent()));
                match (callback.error, facts) {
                    (0, Some(facts)) => {
                        self.facts = facts;
                        self.refused_passwords = 0;
                        self.answered(Step::Login, 0, now)
                    }
                    (0, None) => {
                        self.retry(now);
                        Heard::Failed(Step::Login)
                    }
                    (error, _) => self.answered(Step::Login, error, now),
                }
            }
            What::Confirmed if answers(Step::Confirm) => self.answered(Step::Confirm, callback.error, now),
            What::Failed if asked.is_some_and(answers) && callback.error != 0 => {
                asked.map_or(Heard::Nothing, |step| self.answered(step, callback.error, now))
            }
            _ => Heard::Nothing,
        }
    }

    fn connected(&mut self, now: Nanos) -> Heard {
        let first = if self.options.authenticates { Step::Authenticate } else { Step::Login };
        match self.state {
            State::Resting { .. } | State::Refused => Heard::Nothing,
            State::Connecting { .. } => {
                self.state = State::Pausing { until: self.not_before.max(now), step: first };
                Heard::Connected
            }
            // A new connection without the old one's end.
            State::Pausing { .. } | State::Asking { .. } | State::Up => {
                self.lose(now);
                self.state = State::Pausing { until: self.not_before.max(now), step: first };
                Heard::Lost(0)
            }
        }
    }

    fn answered(&mut self, step: Step, error: i32, now: Nanos) -> Heard {
        if error == 0 {
            let next = match step {
                Step::Authenticate => Some(Step::Login),
                Step::Login if self.options.trades => Some(Step::Confirm),
                Step::Login | Step::Confirm => None,
            };
            self.state = next.map_or(State::Up, |step| State::Pausing { until: now, step });
            return if next.is_none() { Heard::Up(self.facts) } else { Heard::Nothing };
        }
        let for_good = match verdict(step, error) {
            Verdict::Again => false,
            Verdict::Never => true,
            Verdict::Password => {
                self.refused_passwords = self.refused_passwords.saturating_add(1);
                self.refused_passwords >= self.options.password_attempts_max
            }
        };
        if for_good {
            self.refused_passwords = self.refused_passwords.max(self.options.password_attempts_max);
            self.state = State::Refused;
            return Heard::Refused;
        }
        self.retry(now);
        Heard::Failed(step)
    }

    /// Begins the steps again on the same connection, after the wait that is due.
    fn retry(&mut self, now: Nanos) {
        self.fail(now);
        let step = if self.options.authenticates { Step::Authenticate } else { Step::Login };
        self.state = State::Pausing { until: self.not_before, step };
    }

    fn lose(&mut self, now: Nanos) {
        // The first loss of a session that was well is met at once.
        if !self.is_up() || self.failures > 0 {
            self.fail(now);
        } else {
            self.failures = 1;
        }
    }

    fn fail(&mut self, now: Nanos) {
        let SessionOptions { backoff_min_ns, backoff_max_ns, .. } = self.options;
        let wait_ns = backoff_min_ns.saturating_mul(1 << self.failures.min(30)).min(backoff_max_ns);
        self.failures = self.failures.saturating_add(1);
        self.not_before = self.not_before.max(now.after(wait_ns));
    }
}
