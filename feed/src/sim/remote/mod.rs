//! The simulated exchange as a process of its own, talking by journals. [`Server`] owns market and exchange: it tails the
//! engine's order journal for requests and writes its own journal of market events and reports. [`RemoteFeed`] and
//! [`RemoteGateway`] are the engine's side: they tail that journal. Neither writes the other's files, so either may die
//! and come back.
//!
//! The order journal *is* the message to the exchange, and the exchange's journal the answer: the server remembers, in
//! its own journal, the last request it took; the engine, in its own, the last record of the exchange it took.

mod lead;
mod server;
mod tail;

#[cfg(test)]
mod tests;

pub use lead::Lead;
pub use server::{Orders, Server, ServerError, ServerOptions, Speed, Step, Watch};

use shrike_core::event::{Event, Header, MarketSlot, ReportSlot, Seq, flags};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::ReadError;
use std::path::Path;
use tail::Tail;

/// The exchange's market events. `seq` is the number in the exchange's journal; times are the exchange's.
#[derive(Debug)]
pub struct RemoteFeed {
    tail: Tail<42>,
}

impl RemoteFeed {
    /// Follows the exchange's journal in `dir` from behind the record `after` ([`Seq::ABSENT`]: from its start). The
    /// journal need not exist yet.
    pub fn open(dir: &Path, after: Seq) -> Self {
        Self { tail: Tail::new(dir, after, is_market) }
    }

    /// Why reading stopped; then nothing more comes.
    pub fn error(&self) -> Option<&ReadError> {
        self.tail.error()
    }
}

/// Inputs of the exchange that came from its market.
fn is_market(header: &Header, event: &Event<'_>) -> bool {
    !header.has(flags::OUTPUT)
        && matches!(
            event,
            Event::DepthTick(_)
                | Event::MarketTrade(_)
                | Event::Phase(_)
                | Event::InstrumentDef(_)
                | Event::Gap(_)
                | Event::Settlement(_)
        )
}

impl MarketFeed for RemoteFeed {
    /// [`Next::End`] where the exchange wrote that its market is over.
    fn next(&mut self) -> Next {
        self.tail.next()
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.tail.take(slot)
    }

    fn problems(&self) -> Vec<String> {
        self.error().iter().map(|error| format!("the exchange's journal: {error}")).collect()
    }
}

/// The exchange's reports.
#[derive(Debug)]
pub struct RemoteGateway {
    tail: Tail<26>,
}

impl RemoteGateway {
    /// Follows the exchange's journal in `dir` from behind the record `after`.
    pub fn open(dir: &Path, after: Seq) -> Self {
        Self { tail: Tail::new(dir, after, |header, _| header.has(flags::OUTPUT)) }
    }

    /// Why reading stopped; then nothing more comes.
    pub fn error(&self) -> Option<&ReadError> {
        self.tail.error()
    }
}

impl Gateway for RemoteGateway {
    /// Does nothing: the record in the order journal is the message.
    fn request(&mut self, _now: Nanos, _header: &Header, _request: Event<'_>) {}

    fn next(&mut self) -> Next {
        match self.tail.next() {
            // Answers may come after the market is over.
            Next::End if self.tail.error().is_none() => Next::Idle,
            next => next,
        }
    }

    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        self.tail.take(slot)
    }
}
