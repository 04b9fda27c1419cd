//! The fold of a recorder's journal, beside the calendar, into its [`Report`]: one pass, in any process, at any time.

use super::report::{ContractDay, Day, Hole, Report};
use crate::console;
use shrike_config::Record;
use shrike_core::calendar::{PhaseSpan, Sessions};
use shrike_core::codes::PhaseKind;
use shrike_core::event::{Event, InstrumentDef};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, TradingDay};
use shrike_journal::{ReadError, Reader};
use std::collections::BTreeMap;
use std::path::Path;

const MINUTE_NS: u64 = 60 * Nanos::PER_SECOND;

/// A trading day of a contract as it is folded.
#[derive(Clone, Debug, Default)]
struct Open {
    /// Its sessions of continuous trading, each with the snapshots in it; none where the calendar does not know.
    sessions: Vec<(PhaseSpan, u64)>,
    row: ContractDay,
    /// From when silence counts.
    since: Nanos,
    /// A phase without continuous trading holds, whatever the calendar says.
    paused: bool,
    minute: u64,
}

impl Open {
    fn new(def: &InstrumentDef, day: TradingDay, sessions: &Sessions) -> Self {
        let spans = def.exchange().and_then(|exchange| sessions.phases_of(exchange, def.product.as_str(), day).ok());
        let continuous = |span: &&PhaseSpan| span.kind == PhaseKind::Continuous;
        let spans: Vec<_> =
            spans.iter().flat_map(|spans| spans.iter().filter(continuous).map(|span| (*span, 0))).collect();
        Self {
            since: spans.first().map_or(Nanos::ABSENT, |(span, _)| span.start),
            row: ContractDay { symbol: def.symbol.as_str().to_owned(), ..ContractDay::default() },
            sessions: spans,
            ..Self::default()
        }
    }

    /// Nothing was heard from `since` to `until`: what of it lies in continuous trading.
    fn silence(&mut self, until: Nanos, gap_ms: u64) {
        if self.paused {
            return;
        }
        for (span, _) in &self.sessions {
            let (from, to) = (self.since.max(span.start), until.min(span.end));
            let ms = to.since(from) / Nanos::PER_MILLI;
            self.row.longest_ms = self.row.longest_ms.max(ms);
            if ms > gap_ms {
                self.row.gaps.push(Hole { from, to, ms });
            }
        }
    }

    fn heard(&mut self, at: Nanos, bounds: &Record) {
        if at < self.row.last {
            return;
        }
        if self.row.first.is_absent() {
            self.row.first = at;
        }
        self.row.last = at;
        if at >= self.since {
            self.silence(at, bounds.gap_ms);
            self.since = at;
        }
        let Some((_, heard)) = self.sessions.iter_mut().find(|(span, _)| span.contains(at)) else { return };
        *heard += 1;
        if at.get() / MINUTE_NS != self.minute {
            self.minute = at.get() / MINUTE_NS;
            self.row.minutes_present += 1;
            self.row.opens_trusted += u64::from(at.get() % MINUTE_NS <= bounds.open_within_ms * Nanos::PER_MILLI);
        }
    }

    fn phase(&mut self, kind: PhaseKind, at: Nanos, bounds: &Record) {
        let pauses = kind != PhaseKind::Continuous;
        if pauses {
            self.silence(at, bounds.gap_ms);
        }
        if pauses || self.paused {
            self.since = self.since.max(at);
        }
        self.paused = pauses;
    }

    /// The day is over, or the journal ends at `until` within it.
    fn close(mut self, until: Nanos, bounds: &Record) -> ContractDay {
        self.silence(until, bounds.gap_ms);
        for (span, heard) in &self.sessions {
            let passed = until.min(span.end).since(span.start);
            self.row.minutes_expected += passed.div_ceil(MINUTE_NS);
            if *heard == 0 && span.end <= until {
                let ms = span.end.since(span.start) / Nanos::PER_MILLI;
                self.row.missing_sessions.push(Hole { from: span.start, to: span.end, ms });
            }
        }
        self.row
    }
}

#[derive(Default)]
struct Contract {
    def: Option<InstrumentDef>,
    /// The latest trading day of the journal when it was announced.
    since: TradingDay,
    open: Option<(TradingDay, Open)>,
}

/// The journal as it is folded.
struct Fold<'a> {
    bounds: &'a Record,
    sessions: &'a Sessions,
    only: TradingDay,
    contracts: Vec<Contract>,
    days: BTreeMap<TradingDay, Vec<ContractDay>>,
    latest: TradingDay,
    newest: Nanos,
    report: Report,
}

impl Report {
    /// Reads the journal in `dir`. With a day: that one only.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(dir: &Path, bounds: &Record, sessions: &Sessions, only: TradingDay) -> Result<Self, ReadError> {
        let report = Self { gap_ms: bounds.gap_ms, open_within_ms: bounds.open_within_ms, ..Self::default() };
        let mut fold = Fold {
            bounds,
            sessions,
            only,
            contracts: Vec::new(),
            days: BTreeMap::new(),
            latest: TradingDay::ABSENT,
            newest: Nanos::ABSENT,
            report,
        };
        let (mut reader, mut progress) = (Reader::open(dir)?, console::Progress::new("market"));
        loop {
            match reader.next() {
                Ok(Some(record)) => {
                    fold.newest = fold.newest.max(record.header.recv_ns);
                    fold.record(record.event());
                    if fold.report.records.is_multiple_of(65_536) {
                        progress.show(fold.report.records);
                    }
                }
                // The torn end of a recorder that was killed.
                Ok(None) | Err(ReadError::Torn { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(fold.end())
    }
}

impl Fold<'_> {
    fn record(&mut self, event: Event<'_>) {
        self.report.records += 1;
        match event {
            Event::RunStart(_) => self.report.runs += 1,
            Event::RunEnd(_) => self.report.ended += 1,
            Event::InstrumentDef(def) => {
                let index = def.instrument.index();
                if index > self.contracts.len() + (1 << 16) {
                    return;
                }
                if self.contracts.len() <= index {
                    self.contracts.resize_with(index + 1, Contract::default);
                }
                let since = self.latest;
                if let Some(contract) = self.contracts.get_mut(index) {
                    if contract.def.is_none() {
                        contract.since = since;
                    }
                    contract.def = Some(*def);
                }
            }
            Event::DepthTick(tick) => {
                let bounds = self.bounds;
                if let Some(open) = self.open(tick.instrument, tick.trading_day) {
                    open.heard(tick.exch_ns, bounds);
                    open.row.ticks += 1;
                }
            }
            Event::Unchanged(dropped) => {
                let bounds = self.bounds;
                if let Some(open) = self.open(dropped.instrument, dropped.trading_day) {
                    open.heard(dropped.first_ns, bounds);
                    // Within the minute of the first, and no longer silent in between than a gap is.
                    open.since = open.since.max(dropped.last_ns);
                    open.row.last = open.row.last.max(dropped.last_ns);
                    open.row.unchanged += dropped.count;
                }
            }
            Event::Phase(phase) => {
                let bounds = self.bounds;
                if let Some(open) = self.open(phase.instrument, phase.trading_day) {
                    open.phase(phase.kind(), phase.start_ns, bounds);
                }
            }
            Event::Gap(gap) if gap.instrument == InstrumentId::NONE => self.outage(gap.start_ns, gap.end_ns),
            _ => {}
        }
    }

    fn outage(&mut self, from: Nanos, to: Nanos) {
        let hole = Hole { from, to, ms: if to.is_absent() { 0 } else { to.since(from) / Nanos::PER_MILLI } };
        match self.report.outages.last_mut() {
            Some(last) if last.from == from && last.to.is_absent() => *last = hole,
            _ => self.report.outages.push(hole),
        }
        // A phase may have begun unheard.
        for (_, open) in self.contracts.iter_mut().filter_map(|contract| contract.open.as_mut()) {
            open.paused &= !to.is_absent();
        }
    }

    /// The contract's trading day, begun where it is a new one. `None` for contracts never announced, days that are not
    /// asked for, and stray events of a day that is over.
    fn open(&mut self, instrument: InstrumentId, day: TradingDay) -> Option<&mut Open> {
        self.latest = self.latest.max(day);
        let (bounds, sessions, only) = (self.bounds, self.sessions, self.only);
        let contract = self.contracts.get_mut(instrument.index())?;
        let def = contract.def?;
        if contract.open.as_ref().is_none_or(|(present, _)| *present < day)
            && let Some((over, open)) = contract.open.replace((day, Open::new(&def, day, sessions)))
            && (only.is_absent() || over == only)
        {
            self.days.entry(over).or_default().push(open.close(Nanos::MAX, bounds));
        }
        contract.open.as_mut().filter(|(present, _)| *present == day).map(|(_, open)| open)
    }

    fn end(mut self) -> Report {
        for contract in &mut self.contracts {
            if let Some((day, open)) = contract.open.take()
                && (self.only.is_absent() || day == self.only)
            {
                let until = if day < self.latest { Nanos::MAX } else { self.newest };
                self.days.entry(day).or_default().push(open.close(until, self.bounds));
            }
        }
        let (contracts, mut report, newest, latest) = (self.contracts, self.report, self.newest, self.latest);
        for (trading_day, mut rows) in self.days {
            rows.retain(|row| row.ticks + row.unchanged > 0);
            rows.sort_by(|one, other| one.symbol.cmp(&other.symbol));
            // Expected is who was announced, lives, and has had continuous trading so far, by the calendar.
            let is_expected = |def: &&InstrumentDef| {
                let sessions = Open::new(def, trading_day, self.sessions).sessions;
                let began = sessions.first().is_none_or(|(span, _)| span.start < newest || trading_day < latest);
                began && (def.expiry.is_absent() || def.expiry >= trading_day)
            };
            let announced = contracts.iter().filter(|contract| contract.since <= trading_day);
            let living = announced.filter_map(|contract| contract.def.as_ref()).filter(is_expected);
            let mut silent: Vec<String> = living.map(|def| def.symbol.as_str().to_owned()).collect();
            silent.retain(|symbol| rows.iter().all(|row| row.symbol != *symbol));
            let expected = silent.len() + rows.len();
            report.days.push(Day { trading_day, expected, present: rows.len(), silent, contracts: rows });
        }
        report
    }
}
