//! Latencies of an engine's own paths, read off the order journal: the engine stamps every record as it takes it and
//! journals what led to what anyway, so knowing them costs the hot path nothing. For `summary`, `status` and `tail`.

use crate::words::Duration;
use serde::Serialize;
use shrike_core::codes::RequestKind;
use shrike_core::event::{Event, Header, OrderRequest, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::latency::Latency;
use shrike_core::ledger::{Ledger, Order, OrderIndex};
use shrike_core::units::Nanos;
use std::collections::HashMap;
use std::fmt;

/// Latencies by path, and what is needed to go on.
#[derive(Default)]
pub struct Paths {
    /// Tick received, intent taken.
    pub tick_to_intent: Latency,
    /// Intent taken, first request for it decided.
    pub intent_to_request: Latency,
    /// Order decided, the counter's word taken.
    pub request_to_counter: Latency,
    /// Order decided, the exchange's first word taken.
    pub request_to_exchange: Latency,
    /// The exchange's first word taken, first fill taken.
    pub ack_to_fill: Latency,
    /// By order of the day: which words of the venue on it are recorded already.
    heard: Vec<Heard>,
    /// When the latest intent of a strategy in a contract was taken, and its revision; taken out by its first request.
    intents: HashMap<(u32, InstrumentId), (u64, Nanos)>,
}

/// What of an order's life is recorded.
#[derive(Clone, Copy, Default)]
struct Heard {
    counter: bool,
    exchange: bool,
    fill: bool,
}

impl Paths {
    /// Notes a record that `ledger` has folded. What led to an intent is a tick, or what the venue said of an order.
    pub fn note(&mut self, header: &Header, event: Event<'_>, ledger: &Ledger) {
        let is_output = header.has(flags::OUTPUT);
        let own = |order_ref| ledger.order_by_ref(order_ref).and_then(|order| Some((order, ledger.order(order)?)));
        match event {
            Event::TargetPosition(target) => {
                self.stated(header, (target.strategy, target.instrument), target.revision);
            }
            Event::TargetQuote(target) => self.stated(header, (target.strategy, target.instrument), target.revision),
            Event::OrderRequest(request) if is_output => self.request(header, request),
            Event::OrderReport(report) if !is_output => {
                if let Some((order, row)) = own(report.order_ref) {
                    self.report(header, order, row);
                }
            }
            Event::Fill(fill) if !is_output => {
                if let Some((order, row)) = own(fill.order_ref) {
                    self.fill(header, order, row);
                }
            }
            Event::DayRoll(_) => self.end_day(),
            Event::RunStart(_) => *self = Self::default(),
            _ => {}
        }
    }

    fn stated(&mut self, header: &Header, pair: (u32, InstrumentId), revision: u64) {
        if !header.has(flags::RESENT) && !header.has(flags::OUTPUT) {
            if !header.has(flags::CATCHUP) && !header.recv_ns.is_absent() {
                self.tick_to_intent.record(header.taken_ns.since(header.recv_ns));
            }
            self.intent(header, pair, revision);
        }
    }

    /// The order stage took an intent.
    pub fn intent(&mut self, header: &Header, pair: (u32, InstrumentId), revision: u64) {
        self.intents.insert(pair, (revision, header.taken_ns));
    }

    /// It decided a request.
    pub fn request(&mut self, header: &Header, request: &OrderRequest) {
        let pair = (request.strategy, request.instrument);
        if request.kind() == Some(RequestKind::Insert)
            && let Some(&(revision, taken_ns)) = self.intents.get(&pair)
            && revision == request.revision
        {
            self.intent_to_request.record(header.taken_ns.since(taken_ns));
            self.intents.remove(&pair);
        }
    }

    fn heard(&mut self, order: OrderIndex) -> Option<&mut Heard> {
        if self.heard.len() <= order.get() {
            self.heard.resize(order.get() + 1, Heard::default());
        }
        self.heard.get_mut(order.get())
    }

    /// The venue said something of an order of ours; `row` has folded it.
    pub fn report(&mut self, header: &Header, order: OrderIndex, row: &Order) {
        if row.sent_ns.is_absent() {
            return;
        }
        let (mut counter, mut exchange) = (false, false);
        if let Some(heard) = self.heard(order) {
            counter = !std::mem::replace(&mut heard.counter, !row.counter_ack_ns.is_absent())
                && row.counter_ack_ns == header.taken_ns;
            exchange = !std::mem::replace(&mut heard.exchange, !row.exchange_ack_ns.is_absent())
                && row.exchange_ack_ns == header.taken_ns;
        }
        if counter {
            self.request_to_counter.record(row.counter_ack_ns.since(row.sent_ns));
        }
        if exchange {
            self.request_to_exchange.record(row.exchange_ack_ns.since(row.sent_ns));
        }
    }

    /// A new fill of an order of ours.
    pub fn fill(&mut self, header: &Header, order: OrderIndex, row: &Order) {
        let first = self.heard(order).is_some_and(|heard| !std::mem::replace(&mut heard.fill, true));
        if first && !row.exchange_ack_ns.is_absent() && !row.sent_ns.is_absent() {
            self.ack_to_fill.record(header.taken_ns.since(row.exchange_ack_ns));
        }
    }

    /// The day's orders are gone.
    pub fn end_day(&mut self) {
        self.heard.clear();
    }

    /// The paths that were gone at least once.
    pub fn rows(&self) -> impl Iterator<Item = LatencyRow> {
        let rows = [
            ("tick received -> intent taken by order", &self.tick_to_intent),
            ("intent taken -> request", &self.intent_to_request),
            ("request -> counter's word", &self.request_to_counter),
            ("request -> exchange's word", &self.request_to_exchange),
            ("exchange's word -> first fill", &self.ack_to_fill),
        ];
        rows.into_iter().filter_map(|(path, latency)| LatencyRow::of(path, latency))
    }
}

/// How an order gets on, record by record: for lines that are told one at a time.
#[derive(Default)]
pub struct Pace {
    /// By number: when it was sent, and when the venue's first word came; absent before.
    orders: HashMap<u64, (Nanos, Nanos)>,
}

impl Pace {
    /// What a record of the order journal says of an order's pace. To be asked of every record, in order.
    pub fn of(&mut self, header: &Header, event: Event<'_>) -> Option<After> {
        let is_output = header.has(flags::OUTPUT);
        match event {
            Event::OrderRequest(request) if is_output && request.kind() == Some(RequestKind::Insert) => {
                self.orders.insert(request.order_ref, (header.taken_ns, Nanos::ABSENT));
                None
            }
            Event::OrderReport(report) if !is_output => {
                let (sent, heard) = self.orders.get_mut(&report.order_ref)?;
                if heard.is_absent() {
                    *heard = header.taken_ns;
                }
                Some(After { what: "its request", ns: header.taken_ns.since(*sent) })
            }
            Event::Fill(fill) if !is_output => {
                let (_, heard) = self.orders.get(&fill.order_ref).filter(|(_, heard)| !heard.is_absent())?;
                Some(After { what: "the venue's first word", ns: header.taken_ns.since(*heard) })
            }
            Event::DayRoll(_) => {
                self.orders.clear();
                None
            }
            _ => None,
        }
    }
}

/// How long after something a record was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    what: &'static str,
    ns: u64,
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", {} after {}", Duration(self.ns), self.what)
    }
}

/// The latencies of one path, in nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct LatencyRow {
    /// From where to where.
    pub path: &'static str,
    /// How many.
    pub count: u64,
    /// Percentiles 50, 90, 99, 99.9, 99.99.
    pub percentiles_ns: [u64; 5],
    /// The longest.
    pub max_ns: u64,
}

impl LatencyRow {
    /// A row, unless the path was never gone.
    pub fn of(path: &'static str, latency: &Latency) -> Option<Self> {
        let percentiles_ns = [50.0, 90.0, 99.0, 99.9, 99.99].map(|percent| latency.percentile(percent));
        let count = latency.count();
        (count > 0).then(|| Self { path, count, percentiles_ns, max_ns: latency.max() })
    }

    /// Above the lines.
    pub const HEADING: &str =
        "  path                                       count      p50      p90      p99    p99.9   p99.99      max";
}

impl fmt::Display for LatencyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, count, percentiles_ns, max_ns } = self;
        write!(f, "  {path:<39} {count:>8}")?;
        percentiles_ns.iter().chain([max_ns]).try_for_each(|ns| write!(f, " {:>8}", Duration(*ns)))
    }
}
