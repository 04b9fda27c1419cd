//! The signal stage as a state machine. Inputs: market data, and feedback of the order stage. Outputs, in this order for
//! one input: the level-1 quote (or definition, phase, settlement, gap) for the order stage, then each strategy's changed intents.
#![deny(clippy::float_arithmetic)]

use super::market::Market;
use super::strategy::{Intent, Intents, Strategy};
use crate::saved::{Bytes, put_run};
use crate::stage::{OutSlot, Stage};
use shrike_core::codes::AlarmKind;
use shrike_core::event::{Alarm, Body, Event, Header, InstrumentDef, TargetPosition, TargetQuote, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::seeded::{self, Bug};
use shrike_core::units::{Lots, Price};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A strategy to run: who it is, which contracts it sees, and itself.
pub struct StrategySpec {
    /// Its number in intents and orders: 1, 2, ... in the order of the configuration.
    pub id: u32,
    /// Its name, for people.
    pub name: String,
    /// Which symbols it trades.
    pub symbols: Vec<String>,
    /// The strategy.
    pub strategy: Box<dyn Strategy>,
}

struct Running {
    id: u32,
    symbols: Vec<String>,
    strategy: Box<dyn Strategy>,
    /// By instrument: whether the strategy sees it.
    sees: Vec<bool>,
    /// By instrument: what was last stated, and its revision.
    stated: Vec<(Intent, u64)>,
    /// Panicked in a call that no recorded alarm has told yet.
    broken: bool,
    /// Recorded as failed: not called any more.
    failed: bool,
}

/// What is still to be decided of the last input.
#[derive(Clone, Copy, Default)]
struct Cursor {
    /// The event to forward to the order stage.
    forward: Forward,
    /// The contract that moved; `None`: nothing to ask strategies.
    moved: Option<InstrumentId>,
    /// Every contract moved: after `moved` comes the next.
    all: bool,
    /// Next strategy to ask, and the next of its intents.
    strategy: usize,
    intent: usize,
    /// Whether the strategy at `strategy` was asked.
    asked: bool,
    /// Restate every intent (after a start).
    restate: Option<usize>,
}

#[derive(Clone, Copy, Default)]
enum Forward {
    #[default]
    Nothing,
    Quote(InstrumentId),
    Definition(InstrumentId),
    /// What [`SignalStage::passed`] holds.
    Passed,
}

/// The signal stage.
pub struct SignalStage {
    market: Market,
    strategies: Vec<Running>,
    intents: Intents,
    cursor: Cursor,
    /// The phase, settlement or gap to forward: apart from the cursor, which is made anew with every tick.
    passed: OutSlot,
    unknown: u64,
}

impl SignalStage {
    /// A stage for up to `instruments_max` contracts.
    pub fn new(instruments_max: usize, specs: Vec<StrategySpec>) -> Self {
        let strategies_max = specs.iter().map(|spec| spec.id as usize).max().unwrap_or(0);
        let running = |spec: StrategySpec| Running {
            id: spec.id,
            symbols: spec.symbols,
            strategy: spec.strategy,
            sees: vec![false; instruments_max],
            // Nothing is stated of a contract yet: equal to wanting nothing, so the first intent that differs is sent.
            stated: vec![(Intent::NONE, 0); instruments_max],
            broken: false,
            failed: false,
        };
        Self {
            market: Market::new(instruments_max, strategies_max),
            strategies: specs.into_iter().map(running).collect(),
            intents: Intents::default(),
            cursor: Cursor::default(),
            passed: OutSlot::default(),
            unknown: 0,
        }
    }

    /// The market as folded so far.
    pub const fn market(&self) -> &Market {
        &self.market
    }

    /// Inputs about contracts that were never announced.
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Strategies that were marked failed.
    pub fn failed(&self) -> impl Iterator<Item = u32> {
        self.strategies.iter().filter(|running| running.failed).map(|running| running.id)
    }

    /// Writes the state for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.unknown.to_le_bytes());
        self.market.save(out);
        for running in &self.strategies {
            out.push(running.health());
            for (intent, revision) in &running.stated {
                let (kind, words) = match *intent {
                    Intent::Position { lots, limit, urgency } => {
                        (u64::from(urgency.code()), [lots.get(), limit.raw(), 0, 0])
                    }
                    Intent::Quote { bid, ask, bid_lots, ask_lots } => {
                        (0, [bid.raw(), ask.raw(), bid_lots.get(), ask_lots.get()])
                    }
                };
                out.extend_from_slice(bytemuck::cast_slice(&[kind, *revision]));
                out.extend_from_slice(bytemuck::cast_slice(&words));
            }
            let mut state = Vec::new();
            // A strategy that panicked is not called again: what is left of its state decides nothing.
            if running.health() == Running::WELL {
                running.strategy.save(&mut state);
            }
            put_run(out, &state);
        }
    }

    /// Reads what [`Self::save`] wrote under the same configuration; `None`, and a stage not to be used, when it does
    /// not fit.
    pub fn load(&mut self, bytes: &[u8]) -> Option<()> {
        let mut bytes = Bytes(bytes);
        self.unknown = bytes.u64()?;
        self.market.load(&mut bytes)?;
        let defs: Vec<InstrumentDef> = self.market.instruments().iter().copied().collect();
        for running in &mut self.strategies {
            let health: u8 = bytes.pod()?;
            for stated in &mut running.stated {
                let (kind, revision) = (bytes.u64()?, bytes.u64()?);
                let [a, b, c, d]: [i64; 4] = bytes.pod()?;
                let intent = match u8::try_from(kind).ok().and_then(shrike_core::codes::Urgency::of) {
                    Some(urgency) => Intent::Position { lots: Lots::new(a), limit: Price::from_raw(b), urgency },
                    None => Intent::Quote {
                        bid: Price::from_raw(a),
                        ask: Price::from_raw(b),
                        bid_lots: Lots::new(c),
                        ask_lots: Lots::new(d),
                    },
                };
                *stated = (intent, revision);
            }
            for def in &defs {
                running.announce(def);
                if running.sees(def.instrument) {
                    running.update(&self.market, Event::InstrumentDef(def));
                }
            }
            let state = bytes.run()?;
            match health {
                Running::WELL => running.strategy.load(state).ok()?,
                Running::BROKEN => running.broken = true,
                Running::FAILED => running.failed = true,
                _ => return None,
            }
        }
        bytes.0.is_empty().then_some(())
    }

    /// Lets every strategy that sees `instrument` fold the event.
    #[inline]
    fn update(&mut self, instrument: InstrumentId, event: Event<'_>) {
        for running in &mut self.strategies {
            if running.sees(instrument) {
                running.update(&self.market, event);
            }
        }
    }

    /// Lets one strategy fold an event of its own.
    fn update_one(&mut self, strategy: u32, event: Event<'_>) {
        if let Some(running) = self.strategies.iter_mut().find(|running| running.id == strategy) {
            running.update(&self.market, event);
        }
    }

    fn pass(&mut self, body: &impl Body) {
        self.passed.put(body);
        self.cursor.forward = Forward::Passed;
    }

    #[inline]
    fn apply_input(&mut self, header: &Header, event: Event<'_>) {
        self.market.set_now(header.taken_ns);
        self.cursor = Cursor::default();
        let asks = !header.has(flags::CATCHUP);
        match event {
            // Most events are ticks.
            Event::DepthTick(tick) if self.market.set_tick(tick) => {
                self.update(tick.instrument, event);
                self.cursor.forward = Forward::Quote(tick.instrument);
                self.cursor.moved = asks.then_some(tick.instrument);
            }
            _ => self.apply_other(asks, event),
        }
    }

    /// Folds an input that is no tick of a known contract.
    fn apply_other(&mut self, asks: bool, event: Event<'_>) {
        match event {
            Event::DepthTick(_) => self.unknown += 1,
            Event::Phase(phase) => {
                self.market.set_phase(phase);
                self.update(phase.instrument, event);
                self.pass(phase);
                self.cursor.moved = asks.then_some(phase.instrument);
            }
            Event::Settlement(settlement) => {
                self.update(settlement.instrument, event);
                self.pass(settlement);
            }
            Event::Gap(gap) => {
                self.market.set_live(gap.instrument, !gap.end_ns.is_absent());
                self.pass(gap);
                self.cursor.all = gap.instrument == InstrumentId::NONE;
                let first = if self.cursor.all { InstrumentId::new(0) } else { gap.instrument };
                self.cursor.moved = asks.then_some(first);
            }
            Event::InstrumentDef(def) => {
                if self.market.define(def) {
                    for running in &mut self.strategies {
                        running.announce(def);
                    }
                    self.update(def.instrument, event);
                    self.cursor.forward = Forward::Definition(def.instrument);
                } else {
                    self.unknown += 1;
                }
            }
            Event::Holding(holding) => {
                self.market.set_holding(holding.strategy, holding.instrument, holding.lots);
                self.update_one(holding.strategy, event);
                self.cursor.moved = asks.then_some(holding.instrument);
            }
            Event::Fill(fill) => self.update_one(fill.strategy, event),
            Event::OrderUpdate(update) => self.update_one(update.strategy, event),
            Event::Refusal(refusal) => self.update_one(refusal.strategy, event),
            Event::RunStart(_) => {
                // The feed of a new process tells of its own holes.
                self.market.set_live(InstrumentId::NONE, true);
                self.cursor.restate = (!seeded::on(Bug::NoRestatement)).then_some(0);
            }
            _ => {}
        }
    }

    fn apply_output(&mut self, event: Event<'_>) {
        let (strategy, instrument, intent, revision) = match event {
            Event::TargetPosition(target) => {
                let urgency =
                    shrike_core::codes::Urgency::of(target.urgency).unwrap_or(shrike_core::codes::Urgency::Passive);
                let intent = Intent::Position { lots: target.lots, limit: target.limit, urgency };
                (target.strategy, target.instrument, intent, target.revision)
            }
            Event::TargetQuote(target) => {
                let intent = Intent::Quote {
                    bid: target.bid,
                    ask: target.ask,
                    bid_lots: target.bid_lots,
                    ask_lots: target.ask_lots,
                };
                (target.strategy, target.instrument, intent, target.revision)
            }
            Event::Alarm(alarm) if alarm.kind == AlarmKind::StrategyFailed.code() => {
                if let Some(running) = self.strategies.iter_mut().find(|running| running.id == alarm.strategy) {
                    running.failed = true;
                }
                return;
            }
            _ => return,
        };
        let running = self.strategies.iter_mut().find(|running| running.id == strategy);
        if let Some(stated) = running.and_then(|running| running.stated.get_mut(instrument.index())) {
            *stated = (intent, revision);
        }
    }

    fn decide_forward(&mut self, out: &mut OutSlot) -> bool {
        match std::mem::take(&mut self.cursor.forward) {
            Forward::Nothing => false,
            Forward::Quote(id) => match self.market.tick(id) {
                Some(tick) => {
                    out.put(&tick.quote());
                    true
                }
                None => false,
            },
            Forward::Definition(id) => match self.market.instrument(id) {
                Some(def) => {
                    out.put(def);
                    true
                }
                None => false,
            },
            Forward::Passed => out.copy_from(self.passed.header(), self.passed.body()),
        }
    }

    /// Asks the strategies of what moved.
    fn decide_moved(&mut self, out: &mut OutSlot) -> bool {
        while let Some(moved) = self.cursor.moved {
            if self.decide_intents(moved, out) {
                return true;
            }
            let next = InstrumentId::new(moved.get().saturating_add(1));
            let more = self.cursor.all && next.index() < self.market.instruments().len();
            self.cursor.moved = more.then_some(next);
            self.cursor.strategy = 0;
        }
        false
    }

    /// Asks the strategies that see the moved contract, one after the other.
    fn decide_intents(&mut self, moved: InstrumentId, out: &mut OutSlot) -> bool {
        while let Some(running) = self.strategies.get_mut(self.cursor.strategy) {
            if running.broken && !running.failed {
                let kind = AlarmKind::StrategyFailed.code();
                out.put(&Alarm { instrument: moved, strategy: running.id, kind, ..Alarm::default() });
                return true;
            }
            if running.sees(moved) && !running.failed {
                if !self.cursor.asked {
                    self.intents.clear();
                    running.intend(&self.market, moved, &mut self.intents);
                    self.cursor.asked = true;
                    continue;
                }
                while let Some((instrument, intent)) = self.intents.get(self.cursor.intent) {
                    self.cursor.intent += 1;
                    let Some((stated, revision)) = running.stated.get(instrument.index()) else { continue };
                    if stated != intent {
                        put_intent(out, running.id, *instrument, *intent, revision + 1);
                        return true;
                    }
                }
            }
            self.cursor.strategy += 1;
            self.cursor.intent = 0;
            self.cursor.asked = false;
        }
        false
    }

    /// States again what was stated, from entry `next` on.
    fn decide_restate(&mut self, mut next: usize, out: &mut OutSlot) -> bool {
        let instruments = self.market.instruments().len();
        while let Some(running) = next.checked_div(instruments).and_then(|at| self.strategies.get(at)) {
            let instrument = InstrumentId::new((next % instruments) as u32);
            next += 1;
            self.cursor.restate = Some(next);
            if let Some(&(intent, revision)) = running.stated.get(instrument.index())
                && revision > 0
            {
                put_intent(out, running.id, instrument, intent, revision);
                return true;
            }
        }
        self.cursor.restate = None;
        false
    }
}

impl Stage for SignalStage {
    #[inline]
    fn apply(&mut self, header: &Header, event: Event<'_>) {
        if header.has(flags::OUTPUT) {
            self.apply_output(event);
        } else {
            self.apply_input(header, event);
        }
    }

    #[inline]
    fn decide(&mut self, out: &mut OutSlot) -> bool {
        self.decide_forward(out)
            || self.decide_moved(out)
            || self.cursor.restate.is_some_and(|next| self.decide_restate(next, out))
    }
}

impl Running {
    /// As saved: it runs.
    const WELL: u8 = 0;
    /// As saved: it panicked, which is still to be told.
    const BROKEN: u8 = 1;
    /// As saved: it is recorded as failed.
    const FAILED: u8 = 2;

    const fn health(&self) -> u8 {
        match (self.failed, self.broken) {
            (true, _) => Self::FAILED,
            (false, true) => Self::BROKEN,
            (false, false) => Self::WELL,
        }
    }

    fn announce(&mut self, def: &InstrumentDef) {
        let symbol = def.symbol.as_str();
        let matches = self.symbols.iter().any(|glob| glob_matches(glob, symbol));
        if let Some(sees) = self.sees.get_mut(def.instrument.index()) {
            *sees = matches && def.tradable != 0;
        }
    }

    #[inline]
    fn sees(&self, instrument: InstrumentId) -> bool {
        self.sees.get(instrument.index()).copied().unwrap_or(false)
    }

    #[inline]
    fn update(&mut self, market: &Market, event: Event<'_>) {
        if !self.failed && !self.broken {
            let strategy = &mut self.strategy;
            self.broken = catch_unwind(AssertUnwindSafe(|| strategy.update(market, event))).is_err();
        }
    }

    #[inline]
    fn intend(&mut self, market: &Market, moved: InstrumentId, intents: &mut Intents) {
        let strategy = &self.strategy;
        if catch_unwind(AssertUnwindSafe(|| strategy.intend(market, moved, intents))).is_err() {
            intents.clear();
            self.broken = true;
        }
    }
}

#[inline]
fn put_intent(out: &mut OutSlot, strategy: u32, instrument: InstrumentId, intent: Intent, revision: u64) {
    match intent {
        Intent::Position { lots, limit, urgency } => out.put(&TargetPosition {
            strategy,
            instrument,
            revision,
            lots,
            limit,
            urgency: urgency.code(),
            ..TargetPosition::default()
        }),
        Intent::Quote { bid, ask, bid_lots, ask_lots } => out.put(&TargetQuote {
            strategy,
            instrument,
            revision,
            bid,
            ask,
            bid_lots,
            ask_lots,
            ..TargetQuote::default()
        }),
    }
}

/// Whether `text` matches a pattern in which `*` stands for any run of characters.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    (0..=text.len()).any(|at| text.get(at..).is_some_and(|tail| glob_matches(rest, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("*", "ru1901", true),
            ("ru*", "ru1901", true),
            ("ru*1", "ru1901", true),
            ("ru", "ru1901", false),
            ("IF*", "ru1901", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
