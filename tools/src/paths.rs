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
    intents: Intents,
}

/// When the latest intent of a strategy in a contract was taken, and its revision; taken out by its first request.
#[derive(Default)]
struct Intents(HashMap<(u32, InstrumentId), (u64, Nanos)>);

impl Intents {
    /// The order stage took an intent; one that is told again after a start keeps its first time.
    fn taken(&mut self, header: &Header, pair: (u32, InstrumentId), revision: u64) {
        if !header.has(flags::RESENT) && !header.has(flags::OUTPUT) {
            self.0.insert(pair, (revision, header.taken_ns));
        }
    }

    /// From taking the intent to deciding this request, if it is the first one for it.
    fn first_request(&mut self, header: &Header, request: &OrderRequest) -> Option<u64> {
        let pair = (request.strategy, request.instrument);
        let (_, taken_ns) = self
            .0
            .get(&pair)
            .copied()
            .filter(|(revision, _)| request.kind() == Some(RequestKind::Insert) && *revision == request.revision)?;
        self.0.remove(&pair);
        Some(header.taken_ns.since(taken_ns))
    }
}

/// From receiving what led to an intent, nearly always a tick, to taking the intent; `None` for one told again, or led to by
/// the past.
fn since_tick(header: &Header) -> Option<u64> {
    let fresh = !header.has(flags::RESENT) && !header.has(flags::OUTPUT) && !header.has(flags::CATCHUP);
    (fresh && !header.recv_ns.is_absent()).then(|| header.taken_ns.since(header.recv_ns))
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
        if let Some(ns) = since_tick(header) {
            self.tick_to_intent.record(ns);
        }
        self.intent(header, pair, revision);
    }

    /// The order stage took an intent.
    pub fn intent(&mut self, header: &Header, pair: (u32, InstrumentId), revision: u64) {
        self.intents.taken(header, pair, revision);
    }

    /// It decided a request.
    pub fn request(&mut self, header: &Header, request: &OrderRequest) {
        if let Some(ns) = self.intents.first_request(header, request) {
            self.intent_to_request.record(ns);
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

/// How intents and orders get on, record by record: for lines that are told one at a time.
#[derive(Default)]
pub struct Pace {
    /// By number: when it was sent, and when the venue's first word came; absent before.
    orders: HashMap<u64, (Nanos, Nanos)>,
    intents: Intents,
}

impl Pace {
    /// What a record of the order journal says of their pace. To be asked of every record, in order.
    pub fn of(&mut self, header: &Header, event: Event<'_>) -> Option<After> {
        let is_output = header.has(flags::OUTPUT);
        let mut intent = |pair, revision| {
            self.intents.taken(header, pair, revision);
            Some(After { since: Since::Tick, ns: since_tick(header)? })
        };
        match event {
            Event::TargetPosition(target) => intent((target.strategy, target.instrument), target.revision),
            Event::TargetQuote(target) => intent((target.strategy, target.instrument), target.revision),
            Event::OrderRequest(request) if is_output && request.kind() == Some(RequestKind::Insert) => {
                self.orders.insert(request.order_ref, (header.taken_ns, Nanos::ABSENT));
                let ns = self.intents.first_request(header, request)?;
                Some(After { since: Since::Intent, ns })
            }
            Event::OrderReport(report) if !is_output => {
                let (sent, heard) = self.orders.get_mut(&report.order_ref)?;
                if heard.is_absent() {
                    *heard = header.taken_ns;
                }
                Some(After { since: Since::Request, ns: header.taken_ns.since(*sent) })
            }
            Event::Fill(fill) if !is_output => {
                let (_, heard) = self.orders.get(&fill.order_ref).filter(|(_, heard)| !heard.is_absent())?;
                Some(After { since: Since::FirstWord, ns: header.taken_ns.since(*heard) })
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
    /// After what.
    pub since: Since,
    /// How long, nanoseconds.
    pub ns: u64,
}

/// What a record is told to come after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Since {
    /// Of an intent: the tick was received.
    Tick,
    /// Of the first request for an intent: the intent was taken.
    Intent,
    /// Of a report: the order was sent.
    Request,
    /// Of a fill: the venue's first word on the order was taken.
    FirstWord,
}

impl Since {
    /// The name of the span in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tick => "tick_to_intent_ns",
            Self::Intent => "intent_to_request_ns",
            Self::Request => "request_to_report_ns",
            Self::FirstWord => "ack_to_fill_ns",
        }
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.since {
            Since::Tick => "its tick",
            Since::Intent => "its intent",
            Since::Request => "its request",
            Since::FirstWord => "the venue's first word",
        };
        write!(f, ", {} after {what}", Duration(self.ns))
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

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_core::event::{Fill, OrderReport, TargetPosition};

    /// Taken at `taken_ns`, received at `recv_ns`.
    fn header(flags: u32, recv_ns: u64, taken_ns: u64) -> Header {
        Header { flags, recv_ns: Nanos::new(recv_ns), taken_ns: Nanos::new(taken_ns), ..Header::default() }
    }

    #[test]
    fn each_record_is_told_after_what_led_to_it() {
        let instrument = InstrumentId::new(3);
        let target = |revision| TargetPosition { strategy: 1, instrument, revision, ..TargetPosition::default() };
        let request = |kind: RequestKind, order_ref, revision| OrderRequest {
            kind: kind as u8,
            strategy: 1,
            instrument,
            revision,
            order_ref,
            ..OrderRequest::default()
        };
        let (first, second) = (target(1), target(2));
        let [close, open] = [11, 12].map(|order_ref| request(RequestKind::Insert, order_ref, 1));
        let cancel = request(RequestKind::Cancel, 12, 2);
        let other = request(RequestKind::Insert, 13, 2);
        let report = |order_ref| OrderReport { order_ref, ..OrderReport::default() };
        let fill = |order_ref| Fill { order_ref, ..Fill::default() };
        let (report_11, report_12, unknown, fill_11, fill_12) = (report(11), report(12), report(9), fill(11), fill(12));
        let out = flags::OUTPUT;
        let mut pace = Pace::default();
        for (number, (header, event, expected)) in [
            (header(0, 1_000, 1_250), Event::from(&first), Some((Since::Tick, 250))),
            (header(out, 1_000, 1_300), Event::from(&close), Some((Since::Intent, 50))),
            (header(out, 1_000, 1_300), Event::from(&open), None),
            (header(0, 2_000, 2_100), Event::from(&unknown), None),
            (header(0, 2_000, 2_300), Event::from(&report_11), Some((Since::Request, 1_000))),
            (header(0, 2_500, 2_600), Event::from(&report_11), Some((Since::Request, 1_300))),
            (header(0, 2_500, 2_700), Event::from(&fill_11), Some((Since::FirstWord, 400))),
            (header(0, 2_500, 2_700), Event::from(&fill_12), None),
            (header(flags::RESENT, 2_800, 2_900), Event::from(&first), None),
            (header(0, 3_000, 3_010), Event::from(&second), Some((Since::Tick, 10))),
            (header(out, 3_000, 3_020), Event::from(&cancel), None),
            (header(0, 3_100, 3_300), Event::from(&report_12), Some((Since::Request, 2_000))),
            (header(out, 3_100, 3_310), Event::from(&other), Some((Since::Intent, 300))),
        ]
        .into_iter()
        .enumerate()
        {
            let told = pace.of(&header, event).map(|after| (after.since, after.ns));
            assert_eq!(told, expected, "record {number}");
        }
    }

    #[test]
    fn a_resent_intent_keeps_its_first_time() {
        let target = TargetPosition { strategy: 1, revision: 4, ..TargetPosition::default() };
        let request =
            OrderRequest { kind: RequestKind::Insert as u8, strategy: 1, revision: 4, ..OrderRequest::default() };
        let mut pace = Pace::default();
        pace.of(&header(0, 100, 110), Event::from(&target));
        assert_eq!(pace.of(&header(flags::RESENT, 100, 500), Event::from(&target)), None);
        let after = pace.of(&header(flags::OUTPUT, 100, 600), Event::from(&request));
        assert_eq!(after, Some(After { since: Since::Intent, ns: 490 }));
        assert_eq!(after.map(|after| after.to_string()).as_deref(), Some(", 490ns after its intent"));
    }
}
