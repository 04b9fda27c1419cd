//! Flow control of queries: one in flight, spaced, sent again after CTP's refusals (-2 one is under way, -3 too many this
//! second, error 90 not ready) with waits that double, and after a time-out. What to ask is the owner's matter.

use crate::ctp::callback::{Callback, What};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Nanos;

/// A query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Every contract.
    Instruments,
    /// Every order of the day.
    Orders,
    /// Every trade of the day.
    Trades,
    /// Every position line.
    Positions,
    /// The funds.
    Funds,
    /// Margin of a contract.
    Margin(InstrumentId),
    /// Commission rates of a contract.
    Commission(InstrumentId),
}

/// How patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryOptions {
    /// Between two queries.
    pub spacing_ns: u64,
    /// Until an unanswered one is sent again.
    pub timeout_ns: u64,
    /// Most time between two tries.
    pub backoff_max_ns: u64,
}

/// What a callback is to the query in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing: it answers another one, or none.
    Foreign,
    /// A line of its answer; more follow.
    Line(Ask),
    /// The last line of its answer.
    Last(Ask),
    /// It failed; the owner may ask again when it is time.
    Failed(Ask, i32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct InFlight {
    ask: Ask,
    request_id: i32,
    since: Nanos,
}

/// The queries of one session.
#[derive(Clone, Debug)]
pub struct Queries {
    options: QueryOptions,
    in_flight: Option<InFlight>,
    not_before: Nanos,
    failures: u32,
}

impl Queries {
    /// None in flight.
    pub const fn new(options: QueryOptions) -> Self {
        Self { options, in_flight: None, not_before: Nanos::ABSENT, failures: 0 }
    }

    /// Whether one may be sent now.
    pub fn is_free(&self, now: Nanos) -> bool {
        self.in_flight.is_none() && now >= self.not_before
    }

    /// The query in flight.
    pub fn in_flight(&self) -> Option<Ask> {
        self.in_flight.map(|flight| flight.ask)
    }

    /// One goes out: it is in flight until its last answer, and until [`Self::called`] says otherwise.
    pub fn send(&mut self, ask: Ask, request_id: i32, now: Nanos) {
        debug_assert!(self.in_flight.is_none(), "CTP takes one query at a time");
        self.in_flight = Some(InFlight { ask, request_id, since: now });
        self.not_before = now.after(self.options.spacing_ns);
    }

    /// What the call returned; zero: it is on its way.
    pub fn called(&mut self, code: i32, now: Nanos) {
        if code != 0 {
            self.fail(now);
        }
    }

    /// Gives up one that stays unanswered; which.
    pub fn expire(&mut self, now: Nanos) -> Option<Ask> {
        let late = self.in_flight.filter(|flight| now.since(flight.since) >= self.options.timeout_ns)?;
        self.fail(now);
        Some(late.ask)
    }

    /// Sorts a callback.
    pub fn hear(&mut self, callback: &Callback, now: Nanos) -> Answer {
        let Some(flight) = self.in_flight.filter(|flight| flight.request_id == callback.request_id) else {
            return Answer::Foreign;
        };
        let of_kind = match callback.what {
            What::Failed => callback.error != 0,
            What::Instrument(_) => flight.ask == Ask::Instruments,
            What::OrderLine(_) => flight.ask == Ask::Orders,
            What::TradeLine(_) => flight.ask == Ask::Trades,
            What::PositionLine(_) => flight.ask == Ask::Positions,
            What::Funds(_) => flight.ask == Ask::Funds,
            What::MarginRate(_) | What::OptionCost(_) => matches!(flight.ask, Ask::Margin(_)),
            What::CommissionRate(_) | What::OptionCommission(_) => matches!(flight.ask, Ask::Commission(_)),
            _ => false,
        };
        if !of_kind {
            return Answer::Foreign;
        }
        if callback.error != 0 {
            self.fail(now);
            return Answer::Failed(flight.ask, callback.error);
        }
        if callback.is_last {
            self.in_flight = None;
            self.failures = 0;
            return Answer::Last(flight.ask);
        }
        Answer::Line(flight.ask)
    }

    /// The session is gone, and its query with it.
    pub fn forget(&mut self) {
        self.in_flight = None;
        self.failures = 0;
    }

    fn fail(&mut self, now: Nanos) {
        let QueryOptions { spacing_ns, backoff_max_ns, .. } = self.options;
        let wait_ns = spacing_ns.max(Nanos::PER_MILLI).saturating_mul(1 << self.failures.min(30)).min(backoff_max_ns);
        self.in_flight = None;
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.after(wait_ns.max(spacing_ns));
    }
}
