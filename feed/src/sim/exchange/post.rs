//! The ways between engine and exchange: when requests arrive and reports leave, first in, first out, with seeded jitter.

use shrike_core::event::{
    Event, Fill, FundsReport, Header, InstrumentDef, Login, OrderReport, PositionReport, Rates, ReportSlot, ResyncEnd,
};
use shrike_core::units::Nanos;
use std::collections::VecDeque;

/// How long messages travel, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delays {
    /// A request from the engine to the exchange.
    pub order_latency_ns: u64,
    /// A report from the exchange to the engine.
    pub report_latency_ns: u64,
    /// What either may take longer, evenly distributed.
    pub jitter_ns: u64,
}

/// A message to the engine.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)]
pub(super) enum Report {
    Login(Login),
    Def(InstrumentDef),
    Rates(Rates),
    Order(OrderReport),
    Fill(Fill),
    Position(PositionReport),
    Funds(FundsReport),
    End(ResyncEnd),
}

impl Report {
    pub(super) fn event(&self) -> Event<'_> {
        match self {
            Self::Login(body) => body.into(),
            Self::Def(body) => body.into(),
            Self::Rates(body) => body.into(),
            Self::Order(body) => body.into(),
            Self::Fill(body) => body.into(),
            Self::Position(body) => body.into(),
            Self::Funds(body) => body.into(),
            Self::End(body) => body.into(),
        }
    }
}

/// Both ways. Nothing overtakes: a message is due no sooner than the one before it.
#[derive(Debug)]
pub(super) struct Post {
    random: SplitMix,
    delays: Delays,
    letters: VecDeque<(Header, Report)>,
    last_report: Nanos,
    last_arrival: Nanos,
}

impl Post {
    pub(super) fn new(seed: u64, delays: Delays) -> Self {
        Self {
            random: SplitMix(seed),
            delays,
            letters: VecDeque::new(),
            last_report: Nanos::ABSENT,
            last_arrival: Nanos::ABSENT,
        }
    }

    /// When a request that leaves now arrives.
    pub(super) fn arrival(&mut self, now: Nanos) -> Nanos {
        let due = now.after(self.delays.order_latency_ns).after(self.jitter());
        self.last_arrival = self.last_arrival.max(due);
        self.last_arrival
    }

    /// When a report that leaves now arrives.
    pub(super) fn departure(&mut self, now: Nanos) -> Nanos {
        let due = now.after(self.delays.report_latency_ns).after(self.jitter());
        self.last_report = self.last_report.max(due);
        self.last_report
    }

    pub(super) fn send(&mut self, header: Header, report: Report) {
        self.letters.push_back((header, report));
    }

    pub(super) fn next(&self) -> Option<Nanos> {
        self.letters.front().map(|(header, _)| header.recv_ns)
    }

    /// Hands the next report over; false when there is none.
    pub(super) fn take(&mut self, slot: &mut ReportSlot) -> bool {
        let Some((header, report)) = self.letters.pop_front() else { return false };
        *slot.header_mut() = header;
        match &report {
            Report::Login(body) => slot.put(body),
            Report::Def(body) => slot.put(body),
            Report::Rates(body) => slot.put(body),
            Report::Order(body) => slot.put(body),
            Report::Fill(body) => slot.put(body),
            Report::Position(body) => slot.put(body),
            Report::Funds(body) => slot.put(body),
            Report::End(body) => slot.put(body),
        }
        true
    }

    fn jitter(&mut self) -> u64 {
        match self.delays.jitter_ns {
            0 => 0,
            most => self.random.next() % (most + 1),
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }
}
