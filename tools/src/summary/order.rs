//! One pass over the order journal: the books by the same fold as the order stage's, requests and what became of them by
//! day and strategy, and latencies.

use super::money::Result as DayResult;
use super::{Counts, Day, Strategy};
use crate::console::Progress;
use crate::paths::Paths;
use shrike_config::{Config, Ratio, Speed};
use shrike_core::codes::{AlarmKind, OrderState, RefusalReason, ReportSource, RequestKind};
use shrike_core::event::{Event, Fill, Header, OrderReport, OrderRequest, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Applied, Capacity, Ledger};
use shrike_core::units::{Lots, Money, Nanos, Price, TradingDay};
use shrike_engine::runtime::journal_dir;
use shrike_journal::{ReadError, Reader};
use std::collections::BTreeMap;
use std::path::Path;

/// What the order journal says.
pub struct Fold {
    /// The books at the end.
    pub ledger: Ledger,
    /// By trading day.
    pub days: BTreeMap<TradingDay, Day>,
    /// By strategy.
    pub strategies: BTreeMap<u32, StrategyFold>,
    /// Names of strategies in the last configuration.
    pub names: BTreeMap<u32, String>,
    /// How many times as fast as it happened the last run went, when it was not at real speed.
    pub times: Option<Ratio>,
    /// Alarms raised.
    pub alarms: BTreeMap<&'static str, u64>,
    /// Differences with the venue's books.
    pub differences: u64,
    /// Runs begun, those of them in simulated time, and those ended in order.
    pub runs: u64,
    /// See `runs`.
    pub simulated: u64,
    /// See `runs`.
    pub ended: u64,
    /// Records read.
    pub records: u64,
    /// Latencies by path.
    pub paths: Paths,
    present: Counts,
    /// By order of the day: the try of the cancel that was last refused.
    cancels_refused: Vec<u32>,
    /// Where in the signal journal's intents the next one is looked for.
    next_intent: usize,
}

/// What one strategy did.
#[derive(Clone, Default)]
pub struct StrategyFold {
    /// Intents it stated.
    pub intents: u64,
    counts: Counts,
    /// By contract: money spent on fills (raw price times lots, signed), and lots of those fills.
    traded: BTreeMap<InstrumentId, (i128, i64)>,
}

impl Fold {
    /// Reads the journal of a home. `intents` are the signal journal's, each with the time of its tick.
    pub fn of(home: &Path, intents: &[(Seq, Nanos)]) -> Result<Self, ReadError> {
        let mut fold = Self {
            // The ledger takes more room where a home needs it.
            ledger: Ledger::new(Capacity { instruments: 1_024, orders: 1 << 16, strategies: 64 }),
            days: BTreeMap::new(),
            strategies: BTreeMap::new(),
            names: BTreeMap::new(),
            times: None,
            alarms: BTreeMap::new(),
            differences: 0,
            runs: 0,
            simulated: 0,
            ended: 0,
            records: 0,
            paths: Paths::default(),
            present: Counts::default(),
            cancels_refused: Vec::new(),
            next_intent: 0,
        };
        let dir = journal_dir(home, "order");
        if !dir.is_dir() {
            return Ok(fold);
        }
        let mut reader = Reader::open(&dir)?;
        let mut progress = Progress::new("order");
        while let Some(record) = reader.next()? {
            fold.record(record.header, record.event(), intents);
            if fold.records.is_multiple_of(65_536) {
                progress.show(fold.records);
            }
        }
        fold.end_day();
        Ok(fold)
    }

    #[inline]
    fn record(&mut self, header: &Header, event: Event<'_>, intents: &[(Seq, Nanos)]) {
        self.records += 1;
        let is_output = header.has(flags::OUTPUT);
        if let Event::DayRoll(_) = event {
            self.end_day();
        }
        let applied = self.ledger.apply(header, event);
        match event {
            Event::Quote(_) => {}
            Event::TargetPosition(target) => {
                self.intent(header, (target.strategy, target.instrument), target.revision, intents);
            }
            Event::TargetQuote(target) => {
                self.intent(header, (target.strategy, target.instrument), target.revision, intents);
            }
            Event::OrderRequest(request) if is_output => self.request(header, request),
            Event::OrderReport(report) if !is_output => self.report(header, applied, report),
            Event::Fill(fill) if !is_output => self.fill(header, applied, fill),
            Event::Refusal(refusal) if is_output => {
                let reason = RefusalReason::of(refusal.reason).map_or("of a later version", RefusalReason::name);
                self.count(refusal.strategy, |counts| *counts.refusals.entry(reason).or_default() += 1);
            }
            Event::Alarm(alarm) if alarm.cleared == 0 => {
                let kind = AlarmKind::of(alarm.kind).map_or("of a later version", AlarmKind::name);
                *self.alarms.entry(kind).or_default() += 1;
            }
            Event::Difference(difference) => self.differences += u64::from(difference.settled == 0),
            Event::RunStart(start) => {
                self.runs += 1;
                self.simulated += u64::from(start.simulated != 0);
            }
            Event::RunEnd(_) => self.ended += 1,
            Event::Config(text) => self.configured(text),
            _ => {}
        }
    }

    /// Puts the present day away, with its result. Called before the day rolls, and at the end.
    fn end_day(&mut self) {
        let trading_day = self.ledger.trading_day();
        let row = self.days.entry(trading_day).or_insert_with(|| Day { trading_day, ..Day::default() });
        row.counts.add(&std::mem::take(&mut self.present));
        if !trading_day.is_absent() {
            row.result = Some(DayResult::of(&self.ledger.funds()));
        }
        self.cancels_refused.clear();
        self.paths.end_day();
    }

    /// Counts for the day and for the strategy.
    #[inline]
    fn count(&mut self, strategy: u32, change: impl Fn(&mut Counts)) {
        change(&mut self.present);
        change(&mut self.strategies.entry(strategy).or_default().counts);
    }

    fn intent(&mut self, header: &Header, pair: (u32, InstrumentId), revision: u64, intents: &[(Seq, Nanos)]) {
        if header.has(flags::RESENT) || header.has(flags::OUTPUT) {
            return;
        }
        // Both journals have the intents in one order, so looking goes on from the last one found.
        let after = intents.get(self.next_intent..).unwrap_or(&[]);
        let skipped = after.iter().take_while(|(seq, _)| *seq < header.cause).count();
        self.next_intent += skipped;
        if let Some((seq, tick_ns)) = after.get(skipped)
            && *seq == header.cause
        {
            self.paths.tick_to_intent.record(header.taken_ns.since(*tick_ns));
        }
        self.paths.intent(header, pair, revision);
    }

    fn request(&mut self, header: &Header, request: &OrderRequest) {
        self.paths.request(header, request);
        match request.kind() {
            Some(RequestKind::Insert) => self.count(request.strategy, |counts| counts.orders += 1),
            Some(RequestKind::Cancel) => self.count(request.strategy, |counts| counts.cancels += 1),
            _ => {}
        }
    }

    fn report(&mut self, header: &Header, applied: Applied, report: &OrderReport) {
        let Applied::Order { order, changed } = applied else { return };
        let Some(&row) = self.ledger.order(order) else { return };
        if matches!(report.source(), Some(ReportSource::CancelRefused | ReportSource::CancelError)) {
            // The counter and the exchange may both say so of one cancel.
            let tries = row.cancel_tries;
            if self.cancels_refused.len() <= order.get() {
                self.cancels_refused.resize(order.get() + 1, 0);
            }
            let last = self.cancels_refused.get_mut(order.get());
            if last.is_some_and(|last| std::mem::replace(last, tries) < tries) {
                self.count(row.strategy, |counts| counts.cancel_rejects += 1);
            }
        } else if changed && row.state == OrderState::Rejected {
            self.count(row.strategy, |counts| counts.rejects += 1);
        }
        self.paths.report(header, order, &row);
    }

    fn fill(&mut self, header: &Header, applied: Applied, fill: &Fill) {
        let (order, strategy) = match applied {
            Applied::NewFill { order, strategy } => (Some(order), strategy),
            Applied::WildFill { .. } => (None, 0),
            _ => return,
        };
        let lots = fill.lots.get();
        self.count(strategy, |counts| {
            counts.fills += 1;
            counts.lots += lots;
        });
        if let Some(side) = fill.side() {
            let row = self.strategies.entry(strategy).or_default();
            let traded = row.traded.entry(fill.instrument).or_default();
            let signed = lots * side.sign();
            traded.0 += i128::from(fill.price.raw()) * i128::from(signed);
            traded.1 += signed;
        }
        let Some(order) = order else { return };
        let Some(&row) = self.ledger.order(order) else { return };
        self.paths.fill(header, order, &row);
    }

    /// A text that this version cannot read only leaves the strategies without names.
    fn configured(&mut self, text: &[u8]) {
        let Some(config) = std::str::from_utf8(text).ok().and_then(|text| Config::from_text(text).ok()) else { return };
        self.times = match config.run.speed {
            Speed::Times(times) => Some(times),
            Speed::Real | Speed::Max => None,
        };
        self.names = config.strategy.into_iter().map(|(name, strategy)| (strategy.id, name)).collect();
    }
}

impl StrategyFold {
    /// What is told of it.
    pub fn told(self, strategy: u32, names: &BTreeMap<u32, String>, ledger: &Ledger) -> Strategy {
        let defs = || ledger.instruments().iter();
        let held = |def: &shrike_core::event::InstrumentDef| {
            let net = ledger.strategy_position(strategy, def.instrument).net;
            (net != Lots::ZERO).then(|| (def.symbol.to_string(), net))
        };
        let mut gross = Money::ZERO;
        for (instrument, (spent, lots)) in &self.traded {
            let mark = ledger.position(*instrument).map_or(Price::ABSENT, |book| book.mark());
            let multiplier = ledger.instruments().get(*instrument).map(|def| def.multiplier);
            let held =
                if *lots == 0 { Some(0) } else { mark.some().map(|mark| i128::from(mark.raw()) * i128::from(*lots)) };
            let result = held.zip(multiplier).map(|(held, multiplier)| (held - spent) * i128::from(multiplier));
            gross = gross.plus(result.map_or(Money::ABSENT, Money::from_raw));
        }
        Strategy {
            strategy,
            name: names.get(&strategy).cloned().unwrap_or_default(),
            intents: self.intents,
            positions: defs().filter_map(held).collect(),
            counts: self.counts,
            gross,
        }
    }
}
