//! Recordings as market data. CSV files of CTP snapshots, plain, gzipped or in zip archives, are read as streams,
//! normalised, and merged by time with the phases of the calendar and a settlement at the end of each trading day.
//! Everything comes out through [`MarketFeed`] on the edge's thread, in an order that depends on the files alone.
//!
//! What is delivered: `InstrumentDef` of a contract when its first recorded trading day opens (ids are dense in that
//! order), then for each trading day with rows `Phase` events from the first auction to the close, `DepthTick`s, and
//! `Settlement` at 17:00. A snapshot later than a second after trading stopped is not a tick: after the close its
//! settlement price is kept, all are counted.

mod columns;
mod contract;
mod day;
mod decimal;
mod error;
mod expiry;
mod follow;
mod listing;
mod part;
mod row;
mod skip;
mod source;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod real_tests;
#[cfg(test)]
mod tests;

pub(crate) use contract::settle_units;
pub use error::RecordingError;
pub use follow::{AtEnd, JournalFeed};
pub(crate) use listing::{definition, product_of};
pub use skip::{Place, Skip, Skips};

use contract::Book;
use shrike_core::calendar::Sessions;
use shrike_core::event::{Body, DepthTick, InstrumentDef, MarketSlot, Rates, Settlement};
use shrike_core::instrument::InstrumentId;
use shrike_core::product::Products;
use shrike_core::units::{Nanos, TradingDay};
use shrike_core::venue::{MarketFeed, Next};
use source::Source;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;

/// What is due at a time. At one moment: contracts, then phases, then ticks, then settlements.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    /// A contract's first trading day opens.
    Define { day: usize },
    /// A span of a trading day begins.
    Phase { day: usize, span: usize },
    /// The head of a source.
    Tick { source: usize },
    /// A trading day is settled.
    Settle { day: usize },
}

/// How a recording is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// A row stamped this far behind the feed's clock is still delivered, at the clock's time: rows of several contracts
    /// in one file are in the order of reception. Further behind, it is skipped as [`Skip::TimeBack`].
    pub late_ns_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { late_ns_max: 5 * Nanos::PER_SECOND }
    }
}

/// A recording, read once from its beginning.
pub struct Recording {
    book: Book,
    sources: Vec<Source>,
    agenda: BinaryHeap<Reverse<(Nanos, Due)>>,
    options: Options,
    clock: Nanos,
    /// Contracts announced so far: index into the book's contracts, by id.
    announced: Vec<usize>,
    slot: MarketSlot,
    ready: bool,
    delivered: u64,
}

impl Recording {
    /// Opens a file (`.csv`, `.csv.gz`, `.zip`) or all such files of a directory, and reads each one's first tick.
    /// Fails when nothing can be opened or a header is not understood; damage further on is told by [`Self::errors`].
    pub fn open(
        path: &Path,
        sessions: Arc<Sessions>,
        products: Arc<Products>,
        options: Options,
    ) -> Result<Self, RecordingError> {
        let mut book = Book::new(sessions, products);
        let parts = part::parts_at(path, &mut book.errors)?;
        let mut sources = Vec::with_capacity(parts.len());
        for part in parts {
            sources.extend(Source::open(part, &mut book)?);
        }
        if sources.is_empty() {
            let nothing = RecordingError::Nothing { file: path.display().to_string() };
            return Err(book.errors.pop().unwrap_or(nothing));
        }
        let mut recording = Self {
            book,
            sources,
            agenda: BinaryHeap::new(),
            options,
            clock: Nanos::ABSENT,
            announced: Vec::new(),
            slot: MarketSlot::default(),
            ready: false,
            delivered: 0,
        };
        for source in 0..recording.sources.len() {
            recording.schedule(source);
        }
        Ok(recording)
    }

    /// What went wrong so far without stopping: damaged files, days without a calendar. Complete once the feed has ended.
    pub fn errors(&self) -> &[RecordingError] {
        &self.book.errors
    }

    /// What was skipped so far, with places and unknown symbols.
    pub fn skips(&self) -> &Skips {
        &self.book.skips
    }

    /// The contracts announced so far, by id.
    pub fn instruments(&self) -> impl Iterator<Item = &InstrumentDef> {
        let contracts = self.announced.iter().filter_map(|&index| self.book.contracts.get(index));
        contracts.filter_map(|contract| contract.def.as_ref())
    }

    /// Margin and fees of the contracts announced so far, as the product tables assume them. They are the gateway's to
    /// state, so the feed does not deliver them.
    pub fn rates(&self) -> impl Iterator<Item = Rates> {
        let contracts = self.announced.iter().filter_map(|&index| self.book.contracts.get(index));
        contracts.filter_map(|contract| Some(contract.product.rates(contract.id()?)))
    }

    /// Events delivered so far, those passed over by a seek included.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Passes over the first `count` events, for a run that continues behind the last event its journal holds. Returns
    /// how many there were. The files are read from their beginning, so that ids, phases and skips are the same.
    pub fn seek_events(&mut self, count: u64) -> u64 {
        let mut passed = 0;
        while passed < count && self.pass() {
            passed += 1;
        }
        passed
    }

    /// Passes over every event at or before a time; returns how many.
    pub fn seek_time(&mut self, after: Nanos) -> u64 {
        let mut passed = 0;
        while matches!(self.next(), Next::At(at) if at <= after) && self.pass() {
            passed += 1;
        }
        passed
    }

    fn pass(&mut self) -> bool {
        self.prepare();
        let passed = std::mem::take(&mut self.ready);
        self.delivered += u64::from(passed);
        passed
    }

    /// Puts a source's head on the agenda, and its trading day when it is new.
    fn schedule(&mut self, source: usize) {
        let Some(head) = self.sources.get(source).and_then(|source| source.head.as_ref()) else { return };
        self.agenda.push(Reverse((head.tick.exch_ns, Due::Tick { source })));
        let Some(day) = self.book.days.get_mut(head.day).filter(|day| !day.scheduled) else { return };
        day.scheduled = true;
        let opens = day.start().max(self.clock);
        self.agenda.push(Reverse((opens, Due::Define { day: head.day })));
        self.agenda.push(Reverse((opens, Due::Phase { day: head.day, span: day.span_at(opens) })));
        self.agenda.push(Reverse((day.settles(), Due::Settle { day: head.day })));
    }

    /// Works off the agenda until an event stands in the slot.
    fn prepare(&mut self) {
        while !self.ready
            && let Some(Reverse((at, due))) = self.agenda.pop()
        {
            self.clock = self.clock.max(at);
            match due {
                Due::Define { day } => self.define(day),
                Due::Phase { day, span } => self.phase(day, span),
                Due::Tick { source } => self.tick(source),
                Due::Settle { day } => self.settle(day),
            }
        }
    }

    fn put<B: Body>(&mut self, body: &B) {
        self.slot.put(body);
        self.slot.header_mut().recv_ns = self.clock;
        self.ready = true;
    }

    fn define(&mut self, day: usize) {
        let Some((index, day)) = self.book.days.get(day).map(|day| (day.contract, day.trading_day)) else { return };
        let id = InstrumentId::new(self.announced.len() as u32);
        let Some(contract) = self.book.contracts.get_mut(index).filter(|contract| contract.def.is_none()) else {
            return;
        };
        if let Some(def) = contract.announce(id, day, &self.book.sessions) {
            self.announced.push(index);
            self.put(&def);
        }
    }

    fn phase(&mut self, index: usize, span: usize) {
        let Some(day) = self.book.days.get(index) else { return };
        let Some(id) = self.book.contracts.get(day.contract).and_then(|contract| contract.id()) else { return };
        let Some(phase) = day.phase(span, id) else { return };
        if day.phase(span + 1, id).is_some() {
            self.agenda.push(Reverse((phase.end_ns, Due::Phase { day: index, span: span + 1 })));
        }
        self.put(&phase);
    }

    fn tick(&mut self, index: usize) {
        let Some(source) = self.sources.get_mut(index) else { return };
        let Some(head) = source.head else { return };
        let late = self.clock.since(head.tick.exch_ns) > self.options.late_ns_max;
        if let Some(contract) = self.book.contracts.get_mut(head.contract) {
            let mut tick = head.tick;
            tick.instrument = contract.id().unwrap_or(InstrumentId::NONE);
            let last = &contract.last;
            let again = DepthTick { exch_ns: last.exch_ns, ..tick };
            if head.stamp == contract.last_stamp && again == *last {
                self.book.skips.add(Skip::Duplicate, source.label(), head.row);
            } else if late || tick.exch_ns <= last.exch_ns {
                self.book.skips.add(Skip::TimeBack, source.label(), head.row);
            } else {
                (contract.last, contract.last_stamp) = (tick, head.stamp);
                self.put(&tick);
            }
        }
        if let Some(source) = self.sources.get_mut(index) {
            source.advance(&mut self.book);
        }
        self.schedule(index);
    }

    fn settle(&mut self, index: usize) {
        let Some(day) = self.book.days.get(index) else { return };
        let Some(contract) = self.book.contracts.get(day.contract) else { return };
        let next = self.book.sessions.calendar().next_trading_day(day.trading_day);
        let product = &contract.product;
        let settlement = Settlement {
            instrument: contract.id().unwrap_or(InstrumentId::NONE),
            trading_day: day.trading_day,
            settlement: day.settlement(self.book.next_pre_settlement(day), product.multiplier, product.tick),
            next_day: next.unwrap_or(TradingDay::ABSENT),
            ..Settlement::default()
        };
        self.put(&settlement);
    }
}

impl MarketFeed for Recording {
    fn next(&mut self) -> Next {
        self.prepare();
        if self.ready { Next::At(self.clock) } else { Next::End }
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.prepare();
        if self.ready {
            *slot = self.slot;
        }
        self.pass()
    }

    fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.book.skips.counts().into_iter().map(|(why, count)| (why.name(), count)).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.errors().iter().map(ToString::to_string).collect()
    }
}
