//! One pass over the signal journal: market data and intents by day and strategy, and when the market event that led to
//! each intent was received.

use crate::console::Progress;
use shrike_core::event::{Event, Header, Kind, Seq, flags};
use shrike_core::latency::Latency;
use shrike_core::units::{Nanos, TradingDay};
use shrike_engine::runtime::journal_dir;
use shrike_journal::{ReadError, Reader};
use std::collections::BTreeMap;
use std::path::Path;

/// What the signal journal says.
#[derive(Default)]
pub struct Fold {
    /// Ticks and intents by trading day.
    pub days: BTreeMap<TradingDay, (u64, u64)>,
    /// Intents by strategy.
    pub strategies: BTreeMap<u32, u64>,
    /// Each intent that a tick led to, in order: its number, and when the tick was received.
    pub intent_times: Vec<(Seq, Nanos)>,
    /// From receiving a tick to taking it.
    pub tick_taken: Latency,
    /// Runs begun.
    pub runs: u64,
    /// Records read.
    pub records: u64,
    day: TradingDay,
    /// Counts of the present day, not yet in `days`.
    present: (u64, u64),
    /// When the tick was received, if the last input is one.
    tick_ns: Nanos,
}

impl Fold {
    /// Reads the journal of a home.
    pub fn of(home: &Path) -> Result<Self, ReadError> {
        let mut fold = Self::default();
        let dir = journal_dir(home, "signal");
        if !dir.is_dir() {
            return Ok(fold);
        }
        let mut reader = Reader::open(&dir)?;
        let mut progress = Progress::new("signal");
        while let Some(record) = reader.next()? {
            fold.record(record.header, record.event());
            if fold.records.is_multiple_of(65_536) {
                progress.show(fold.records);
            }
        }
        fold.go_to_day(TradingDay::ABSENT);
        Ok(fold)
    }

    /// Puts the present day's counts away and goes on with another day's.
    fn go_to_day(&mut self, day: TradingDay) {
        if day != self.day {
            let (ticks, intents) = std::mem::take(&mut self.present);
            let row = self.days.entry(self.day).or_default();
            row.0 += ticks;
            row.1 += intents;
            self.day = day;
        }
    }

    #[inline]
    fn record(&mut self, header: &Header, event: Event<'_>) {
        self.records += 1;
        if header.has(flags::OUTPUT) {
            let strategy = match event {
                Event::TargetPosition(target) => target.strategy,
                Event::TargetQuote(target) => target.strategy,
                _ => return,
            };
            self.present.1 += 1;
            *self.strategies.entry(strategy).or_default() += 1;
            if !self.tick_ns.is_absent() {
                self.intent_times.push((header.seq, self.tick_ns));
            }
            return;
        }
        self.tick_ns = Nanos::ABSENT;
        match event {
            Event::DepthTick(tick) => self.tick(header, tick.trading_day),
            Event::MarketTrade(trade) => self.tick(header, trade.trading_day),
            _ => self.runs += u64::from(header.kind == Kind::RunStart as u16),
        }
    }

    #[inline]
    fn tick(&mut self, header: &Header, day: TradingDay) {
        self.go_to_day(day);
        self.present.0 += 1;
        if !header.has(flags::CATCHUP) {
            self.tick_ns = header.recv_ns;
            self.tick_taken.record(header.taken_ns.since(header.recv_ns));
        }
    }
}
