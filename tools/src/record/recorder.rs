//! The recorder without its clock and its source: market events go in, one at a time; what says something new goes into
//! the journal, under the home's ids.
//!
//! A snapshot that differs from the contract's last one in its times alone is *unchanged*: it is counted, and the count is
//! written ([`Unchanged`]) before the contract's next record, and at the latest as the next minute of snapshots begins. So
//! the journal still says when a contract was heard. What a reader must know of it is in the rules of opening values: a
//! minute may have no snapshot at its start, and is then opened by the closing values of the minute before. The first
//! snapshot after a phase, a gap, a start or a new trading day is always written.

use super::contracts::{Contracts, Held};
use crate::compose::is_wanted;
use crate::error::Error;
use shrike_config::Config;
use shrike_core::codes::StageId;
use shrike_core::event::{
    Body, DepthTick, Event, Gap, Header, InstrumentDef, MarketSlot, MarketTrade, Phase, RunEnd, RunStart, Seq,
    Settlement, Unchanged, flags,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, TradingDay};
use shrike_journal::{Mapped, Writer};
use std::path::PathBuf;

/// What a recorder took and wrote in one run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Events of the source.
    pub taken: u64,
    /// Records written of them.
    pub written: u64,
    /// Snapshots dropped as unchanged.
    pub unchanged: u64,
    /// Events of contracts that no glob names, or that were never announced.
    pub unwanted: u64,
}

/// One contract.
#[derive(Clone, Default)]
struct Seen {
    /// The last snapshot written, without its times.
    last: Option<DepthTick>,
    /// Snapshots dropped since, not yet written as a count.
    dropped: Unchanged,
    /// The header of the last of them.
    dropped_at: Header,
}

/// Writes a market into the journal of its home.
pub struct Recorder {
    writer: Writer<Mapped>,
    dir: PathBuf,
    globs: Vec<String>,
    gap_ns: u64,
    contracts: Contracts,
    seen: Vec<Seen>,
    counts: Counts,
    trading_day: TradingDay,
    taken_ns: Nanos,
    recv_ns: Nanos,
    /// The number of the last event, for sources that do not number theirs.
    source: Seq,
    /// Since when the market is not heard: until the first snapshot after a start.
    deaf_since: Nanos,
    starts: u32,
    clean: bool,
}

/// The number after `last` of a source that does not number its events.
pub(super) fn following(last: Seq) -> Seq {
    if last.is_absent() { Seq::new(StageId::Feed, 0, 1) } else { last.next() }
}

/// A snapshot without what changes from one to the next by itself.
fn timeless(tick: &DepthTick) -> DepthTick {
    DepthTick { exch_ns: Nanos::ABSENT, action_day: TradingDay::ABSENT, ..*tick }
}

const MINUTE_NS: u64 = 60 * Nanos::PER_SECOND;

impl Recorder {
    /// A recorder that goes on from what the journal in `dir` held.
    pub(super) fn new(writer: Writer<Mapped>, dir: PathBuf, config: &Config, held: Held) -> Self {
        Self {
            writer,
            dir,
            globs: config.market.instruments.clone(),
            gap_ns: config.record.gap_ms.saturating_mul(Nanos::PER_MILLI),
            seen: vec![Seen::default(); held.contracts.len()],
            contracts: held.contracts,
            counts: Counts::default(),
            trading_day: held.trading_day,
            taken_ns: held.taken_ns,
            recv_ns: held.recv_ns,
            source: held.last_source,
            deaf_since: held.recv_ns,
            starts: held.starts,
            clean: held.clean,
        }
    }

    /// Writes who records and under which configuration, and what the home knows: the next start need not look further
    /// back. And, where the journal held a market, that it has a hole now.
    pub(super) fn begin(&mut self, now: Nanos, start: &RunStart, config: &str) -> Result<(), Error> {
        let mark = Header { recv_ns: now, ..Header::default() };
        let start = RunStart { start: self.starts, after_clean_stop: u8::from(self.clean), ..*start };
        self.append(now, &mark, Event::Config(config.as_bytes()))?;
        self.append(now, &mark, (&start).into())?;
        for index in 0..self.contracts.len() {
            let Some(def) = self.contracts.defs().get(index).copied() else { break };
            self.append(now, &mark, (&def).into())?;
        }
        if self.deaf_since.is_absent() {
            return Ok(());
        }
        let gap = Gap {
            instrument: InstrumentId::NONE,
            trading_day: self.trading_day,
            start_ns: self.deaf_since,
            ..Gap::default()
        };
        self.append(now, &mark, (&gap).into())
    }

    /// Whether the disk under the journal is behind: a market that can wait waits for it.
    pub fn is_disk_late(&self) -> bool {
        self.writer.is_disk_late()
    }

    /// A definition that the source gave before the place where this run goes on: what its id stands for. Written where
    /// the contract was not recorded then.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(super) fn know(&mut self, now: Nanos, def: &InstrumentDef) -> Result<(), Error> {
        self.announce(now, &Header { recv_ns: now, ..Header::default() }, def)
    }

    fn announce(&mut self, now: Nanos, header: &Header, def: &InstrumentDef) -> Result<(), Error> {
        if !is_wanted(&self.globs, def.symbol.as_str()) {
            self.contracts.ignore(def.instrument);
            self.counts.unwanted += 1;
            return Ok(());
        }
        let (own, is_new) = self.contracts.announce(def);
        self.seen.resize(self.contracts.len(), Seen::default());
        if is_new { self.write(now, header, (&own).into()) } else { Ok(()) }
    }

    /// Takes the source's next event at the time `now`. `slot` is used as room.
    ///
    /// # Errors
    /// When the journal takes no more.
    pub fn take(&mut self, now: Nanos, slot: &mut MarketSlot) -> Result<(), Error> {
        self.counts.taken += 1;
        self.source = if slot.header().seq.is_absent() { following(self.source) } else { slot.header().seq };
        let header = Header { cause: self.source, ..*slot.header() };
        match slot.event() {
            Event::DepthTick(_) => self.tick(now, &header, slot),
            Event::InstrumentDef(def) => {
                let def = *def;
                self.announce(now, &header, &def)
            }
            Event::Phase(phase) => {
                let phase = *phase;
                self.trading_day = self.trading_day.max(phase.trading_day);
                self.of_contract(now, &header, phase.instrument, |instrument| Phase { instrument, ..phase })
            }
            Event::Settlement(settlement) => {
                let settlement = *settlement;
                self.of_contract(now, &header, settlement.instrument, |instrument| Settlement {
                    instrument,
                    ..settlement
                })
            }
            Event::MarketTrade(trade) => {
                let trade = *trade;
                self.heard_again(now, &header)?;
                self.of_contract(now, &header, trade.instrument, |instrument| MarketTrade { instrument, ..trade })
            }
            Event::Gap(gap) if gap.instrument == InstrumentId::NONE => {
                let gap = *gap;
                self.forget_all(now)?;
                self.write(now, &header, (&gap).into())
            }
            Event::Gap(gap) => {
                let gap = *gap;
                self.of_contract(now, &header, gap.instrument, |instrument| Gap { instrument, ..gap })
            }
            _ => {
                self.counts.unwanted += 1;
                Ok(())
            }
        }
    }

    /// Writes the event of a contract that is recorded; its next snapshot is written whatever it says.
    fn of_contract<B: Body>(
        &mut self,
        now: Nanos,
        header: &Header,
        source: InstrumentId,
        own: impl FnOnce(InstrumentId) -> B,
    ) -> Result<(), Error>
    where
        for<'a> Event<'a>: From<&'a B>,
    {
        let Some(id) = self.contracts.of_source(source) else {
            self.counts.unwanted += 1;
            return Ok(());
        };
        self.tell_dropped(now, id)?;
        if let Some(seen) = self.seen.get_mut(id.index()) {
            seen.last = None;
        }
        self.write(now, header, (&own(id)).into())
    }

    fn tick(&mut self, now: Nanos, header: &Header, slot: &mut MarketSlot) -> Result<(), Error> {
        let tick = slot.place::<DepthTick>();
        let Some(id) = self.contracts.of_source(tick.instrument) else {
            self.counts.unwanted += 1;
            return Ok(());
        };
        tick.instrument = id;
        let tick = *tick;
        self.trading_day = self.trading_day.max(tick.trading_day);
        self.heard_again(now, header)?;
        let Some(seen) = self.seen.get_mut(id.index()) else { return Ok(()) };
        let said = timeless(&tick);
        if seen.last.as_ref() != Some(&said) {
            seen.last = Some(said);
            self.tell_dropped(now, id)?;
            return self.write(now, header, (&tick).into());
        }
        self.counts.unchanged += 1;
        let dropped = &seen.dropped;
        let goes_on = tick.exch_ns.get() / MINUTE_NS == dropped.first_ns.get() / MINUTE_NS
            && tick.exch_ns.since(dropped.last_ns) <= self.gap_ns;
        if dropped.count > 0 && !goes_on {
            self.tell_dropped(now, id)?;
        }
        if let Some(seen) = self.seen.get_mut(id.index()) {
            let Unchanged { count, first_ns, .. } = seen.dropped;
            seen.dropped = Unchanged {
                instrument: id,
                trading_day: tick.trading_day,
                first_ns: if count == 0 { tick.exch_ns } else { first_ns },
                last_ns: tick.exch_ns,
                count: count + 1,
                ..Unchanged::default()
            };
            seen.dropped_at = *header;
        }
        Ok(())
    }

    /// Writes how many snapshots of a contract were dropped.
    fn tell_dropped(&mut self, now: Nanos, id: InstrumentId) -> Result<(), Error> {
        let Some(seen) = self.seen.get_mut(id.index()) else { return Ok(()) };
        if seen.dropped.count == 0 {
            return Ok(());
        }
        let (dropped, at) = (std::mem::take(&mut seen.dropped), seen.dropped_at);
        self.append(now, &at, (&dropped).into())
    }

    /// Writes every count, and keeps the next snapshot of every contract.
    fn forget_all(&mut self, now: Nanos) -> Result<(), Error> {
        for index in 0..self.seen.len() {
            self.tell_dropped(now, InstrumentId::new(index as u32))?;
            if let Some(seen) = self.seen.get_mut(index) {
                seen.last = None;
            }
        }
        Ok(())
    }

    /// Ends the hole that a start left.
    #[inline]
    fn heard_again(&mut self, now: Nanos, header: &Header) -> Result<(), Error> {
        if self.deaf_since.is_absent() {
            return Ok(());
        }
        let gap = Gap {
            instrument: InstrumentId::NONE,
            trading_day: self.trading_day,
            start_ns: std::mem::replace(&mut self.deaf_since, Nanos::ABSENT),
            end_ns: header.recv_ns,
            ..Gap::default()
        };
        // Not an event of the source: a start must not take it for one.
        let header = Header { cause: Seq::ABSENT, ..*header };
        self.append(now, &header, (&gap).into())
    }

    fn write(&mut self, now: Nanos, header: &Header, event: Event<'_>) -> Result<(), Error> {
        self.counts.written += 1;
        self.append(now, header, event)
    }

    fn append(&mut self, now: Nanos, header: &Header, event: Event<'_>) -> Result<(), Error> {
        self.taken_ns = self.taken_ns.max(now);
        self.recv_ns = self.recv_ns.max(header.recv_ns);
        let header = Header {
            kind: event.kind(),
            version: 1,
            flags: header.flags & flags::CONFLATED,
            recv_ns: header.recv_ns,
            taken_ns: self.taken_ns,
            cause: header.cause,
            ..Header::default()
        };
        match self.writer.append(&header, event.bytes()) {
            Ok(_) => Ok(()),
            Err(source) => Err(Error::Full { dir: self.dir.clone(), source }),
        }
    }

    /// Ends the run in order: every count, the end, and everything on the disk.
    ///
    /// # Errors
    /// When the journal takes no more.
    pub(super) fn end(mut self, now: Nanos, run_id: u64) -> Result<Counts, Error> {
        self.forget_all(now)?;
        let (inputs, outputs) = (self.counts.taken, self.counts.written);
        let end = RunEnd { run_id, ended_ns: now, inputs, outputs, ..RunEnd::default() };
        let mark = Header { recv_ns: self.recv_ns, ..Header::default() };
        self.append(now, &mark, (&end).into())?;
        let Self { writer, dir, counts, .. } = self;
        writer.flush_and_close().map_err(|source| Error::File { file: dir, source })?;
        Ok(counts)
    }
}
