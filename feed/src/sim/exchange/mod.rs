//! The simulated exchange and its counter: the other party of an account. Market events and requests go in on the edge's
//! thread; logins, order reports, fills and funds come out in the order in which CTP gives them. Everything is a function
//! of the seed and the inputs, in integers. It keeps its own books, by its own code.

mod account;
mod arrive;
mod book;
mod books;
mod contract;
mod day;
pub mod errors;
mod market;
mod order;
mod post;
mod records;
mod tape;

#[cfg(test)]
mod tests;

pub use book::QueueModel;
pub use books::{FrozenFunds, PositionLine};
pub use post::Delays;
pub use records::Keep;

use account::Cash;
use arrive::Arrival;
use book::Execution;
use contract::Contract;
use order::{Numbers, Order};
use post::{Post, Report};
use records::Journal;
use shrike_core::calendar::OrderRules;
use shrike_core::codes::RequestKind;
use shrike_core::event::{Event, Fill, Header, Rates, ReportSlot, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Money, Nanos, TradingDay};
use shrike_core::venue::{Gateway, Next};
use std::collections::VecDeque;

/// How the exchange behaves.
#[derive(Clone, Debug)]
pub struct ExchangeOptions {
    /// Seeds the jitter.
    pub seed: u64,
    /// How long requests and reports travel. The exchange sees the market when the engine does, so a feed's latency
    /// belongs into the order latency: together they are the age of the book that an order meets.
    pub delays: Delays,
    /// Funds at the start of the first day.
    pub initial_balance: Money,
    /// Where lots that leave a queue without trading stood.
    pub queue: QueueModel,
    /// Front number of the sessions.
    pub front_id: i32,
    /// Number of the first session; each login takes the next.
    pub session_id: i32,
    /// Whether the settlement statement counts as confirmed at each login; if not, orders are refused with
    /// [`errors::SETTLEMENT_NOT_CONFIRMED`].
    pub settlement_confirmed: bool,
    /// Which orders each phase takes.
    pub rules: OrderRules,
}

impl ExchangeOptions {
    /// No latency, ten million, one session after another from 1.
    pub fn new(seed: u64, rules: OrderRules) -> Self {
        Self {
            seed,
            delays: Delays::default(),
            initial_balance: Money::whole(10_000_000),
            queue: QueueModel::default(),
            front_id: 1,
            session_id: 1,
            settlement_confirmed: true,
            rules,
        }
    }
}

/// The simulated exchange. See the module's text and `feed/src/sim/README.md` for the model.
#[derive(Debug)]
pub struct Exchange {
    options: ExchangeOptions,
    /// The latest moment seen.
    now: Nanos,
    /// The trading day of the login; absent before the first.
    day: TradingDay,
    session_id: i32,
    contracts: Vec<Option<Contract>>,
    /// Orders of the day in the order of their OrderRef, which is that of their arrival.
    orders: Vec<Order>,
    fills: Vec<Fill>,
    numbers: [Numbers; 16],
    max_order_ref: u64,
    cash: Cash,
    arrivals: VecDeque<Arrival>,
    post: Post,
    executions: Vec<Execution>,
    /// The input that is being worked on.
    cause: Seq,
    /// No session stands: before the first login, and after a recovery.
    away: bool,
    /// A resync is being answered.
    resending: bool,
    last_request: Seq,
    journal: Option<Journal>,
}

impl Exchange {
    /// An exchange that knows no contract yet.
    pub fn new(options: ExchangeOptions) -> Self {
        Self {
            now: Nanos::ABSENT,
            day: TradingDay::ABSENT,
            session_id: options.session_id.saturating_sub(1),
            contracts: Vec::new(),
            orders: Vec::new(),
            fills: Vec::new(),
            numbers: [Numbers::default(); 16],
            max_order_ref: 0,
            cash: Cash::starting(options.initial_balance),
            arrivals: VecDeque::new(),
            post: Post::new(options.seed, options.delays),
            executions: Vec::new(),
            cause: Seq::ABSENT,
            away: true,
            resending: false,
            last_request: Seq::ABSENT,
            journal: None,
            options,
        }
    }

    /// The trading day of the present login; absent before the first.
    pub const fn trading_day(&self) -> TradingDay {
        self.day
    }

    /// The id of a contract, by its symbol.
    pub fn id_of(&self, symbol: &[u8]) -> Option<InstrumentId> {
        let mut defs = self.contracts.iter().flatten().map(|contract| &contract.def);
        defs.find(|def| def.symbol.as_bytes() == symbol).map(|def| def.instrument)
    }

    /// Margin and fees of a contract, when no feed tells them. Unknown contracts are ignored.
    pub fn set_rates(&mut self, rates: &Rates) {
        self.record_market(&Header { recv_ns: self.now, seq: self.cause, ..Header::default() }, rates.into());
        let day = self.day;
        if let Some(contract) = self.contract_mut(rates.instrument)
            && contract.announce_rates(rates, day)
            && !self.away
        {
            self.tell(Report::Rates(*rates));
        }
    }

    fn contract(&self, id: InstrumentId) -> Option<&Contract> {
        self.contracts.get(id.index())?.as_ref()
    }

    fn contract_mut(&mut self, id: InstrumentId) -> Option<&mut Contract> {
        self.contracts.get_mut(id.index())?.as_mut()
    }

    /// Sends a report on its way to the engine, recorded first.
    fn tell(&mut self, report: Report) {
        let due = self.post.departure(self.now);
        let seq = self.record_output(due, report.event());
        let flags = if self.resending { flags::RESENT } else { 0 };
        self.post.send(Header { recv_ns: due, seq, cause: self.cause, flags, ..Header::default() }, report);
    }
}

impl Gateway for Exchange {
    fn request(&mut self, now: Nanos, header: &Header, request: Event<'_>) {
        if let Event::OrderRequest(request) = request
            && RequestKind::of(request.kind).is_some()
        {
            let due = self.post.arrival(now.max(self.now));
            self.arrivals.push_back(Arrival { due, cause: header.seq, request: *request, recorded: false });
        }
    }

    fn next(&mut self) -> Next {
        let arrival = self.arrivals.front().map(|arrival| arrival.due);
        let report = self.post.next();
        match (arrival, report) {
            (Some(arrival), Some(report)) => Next::At(arrival.min(report)),
            (Some(due), None) | (None, Some(due)) => Next::At(due),
            (None, None) => Next::Idle,
        }
    }

    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        match (self.arrivals.front(), self.post.next()) {
            (Some(arrival), report) if report.is_none_or(|report| arrival.due < report) => {
                if let Some(arrival) = self.arrivals.pop_front() {
                    self.arrive(&arrival);
                }
                false
            }
            _ => self.post.take(slot),
        }
    }

    fn on_market(&mut self, header: &Header, event: Event<'_>) {
        self.now = self.now.max(header.recv_ns);
        if let Event::Rates(rates) = event {
            self.cause = header.seq;
            return self.set_rates(rates);
        }
        self.record_market(header, event);
        match event {
            Event::InstrumentDef(def) => self.on_def(def),
            Event::Phase(phase) => self.on_phase(phase),
            Event::DepthTick(tick) => self.on_tick(tick),
            Event::Settlement(settlement) => self.on_settlement(settlement),
            Event::Gap(gap) => self.on_gap(gap),
            _ => {}
        }
    }
}
