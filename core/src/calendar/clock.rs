//! The phase clock: turns the calendar into [`Phase`] events for the contracts it watches, in order of time and then of
//! instrument. It runs on the edge's thread, is driven by the times of the feed, and works out each change from the one
//! before it, across trading days, without allocating.

use super::sessions::ProductKey;
use super::{CalendarError, PhaseSpan, ROLL_SECOND, Sessions};
use crate::codes::{Exchange, PhaseKind, PhaseSource};
use crate::event::Phase;
use crate::instrument::InstrumentId;
use crate::units::{Nanos, TradingDay};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Emits the phase changes of the contracts it watches.
#[derive(Debug)]
pub struct PhaseClock {
    sessions: Arc<Sessions>,
    watches: Vec<Watch>,
    /// Index into `watches` by instrument id; `u32::MAX` where the id is not watched.
    by_id: Vec<u32>,
    /// When each watch changes next, with its id.
    due: BinaryHeap<Reverse<(Nanos, InstrumentId)>>,
}

#[derive(Debug)]
struct Watch {
    key: ProductKey,
    state: State,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Added; its first event is due.
    New(TradingDay, PhaseSpan),
    /// Within a span of the calendar of a trading day.
    Running(TradingDay, PhaseSpan),
    /// Shut after this trading day, and the tables have nothing for the next.
    Ended(TradingDay),
}

impl PhaseClock {
    /// A clock that watches nothing yet.
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions, watches: Vec::new(), by_id: Vec::new(), due: BinaryHeap::new() }
    }

    /// Watches a contract from a moment on: its phase at that moment is the first event, due then. Watching it again
    /// changes nothing. Allocates; not for the hot path.
    pub fn watch(
        &mut self,
        instrument: InstrumentId,
        exchange: Exchange,
        product: &str,
        at: Nanos,
    ) -> Result<(), CalendarError> {
        let key = self.sessions.key(exchange, product)?;
        let (day, span) = self.sessions.span_at(key, at)?;
        if self.by_id.len() <= instrument.index() {
            self.by_id.resize(instrument.index() + 1, u32::MAX);
        }
        if let Some(slot) = self.by_id.get_mut(instrument.index())
            && *slot == u32::MAX
        {
            *slot = self.watches.len() as u32;
            let phase = Phase { instrument, phase: PhaseKind::Shut.code(), ..Phase::default() };
            self.watches.push(Watch { key, state: State::New(day, span), phase });
            self.due.push(Reverse((at, instrument)));
        }
        Ok(())
    }

    /// When the next event is due; `None` when nothing is watched or the calendar has ended.
    pub fn next_change(&self) -> Option<Nanos> {
        self.due.peek().map(|&Reverse((at, _))| at)
    }

    /// Emits every change due at or before `now`, in order of time, then of instrument id. Where the tables have nothing
    /// for the next trading day, the contract stays shut, and at 18:00 of the last day the error is returned, once, after
    /// all other changes were emitted.
    pub fn advance(&mut self, now: Nanos, mut emit: impl FnMut(&Phase)) -> Result<(), CalendarError> {
        let mut result = Ok(());
        while let Some(&Reverse((at, instrument))) = self.due.peek()
            && at <= now
        {
            self.due.pop();
            match self.step(instrument) {
                Ok(Some((phase, next))) => {
                    self.due.push(Reverse((next, instrument)));
                    emit(&phase);
                }
                Ok(None) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }

    /// Takes one contract to its next phase; returns the event and when the one after is due.
    fn step(&mut self, instrument: InstrumentId) -> Result<Option<(Phase, Nanos)>, CalendarError> {
        let Some(watch) = self.by_id.get(instrument.index()).and_then(|&index| self.watches.get_mut(index as usize))
        else {
            return Ok(None);
        };
        let (day, span) = match watch.state {
            State::New(day, span) => (day, span),
            State::Running(day, last) => {
                let opens = last.kind == PhaseKind::Shut && self.sessions.phases(watch.key, day)?.end() <= last.start;
                let day = if opens { self.sessions.calendar().next_trading_day(day)? } else { day };
                (day, self.sessions.span_after(watch.key, day, last.end)?)
            }
            State::Ended(day) => {
                let day = self.sessions.calendar().next_trading_day(day)?;
                return self.sessions.phases(watch.key, day).map(|_| None);
            }
        };
        watch.phase = Phase {
            instrument,
            trading_day: day,
            start_ns: span.start,
            end_ns: span.end,
            phase: span.kind.code(),
            source: PhaseSource::Calendar.code(),
            ..Phase::default()
        };
        watch.state = State::Running(day, span);
        let mut next = span.end;
        if next.is_absent() {
            watch.state = State::Ended(day);
            next = Nanos::china(day, ROLL_SECOND, 0);
        }
        Ok(Some((watch.phase, next)))
    }

    /// The exchange itself says that a contract is in a phase from `at` on. It holds until the next change of the
    /// calendar. Returns the event, or `None` when the phase is the current one already or the contract is not watched.
    pub fn override_phase(&mut self, instrument: InstrumentId, kind: PhaseKind, at: Nanos) -> Option<Phase> {
        let index = *self.by_id.get(instrument.index())?;
        let watch = self.watches.get_mut(index as usize)?;
        if watch.phase.kind() == kind {
            return None;
        }
        // An early opening comes before the calendar has left the day that closed.
        let trading_day = self.sessions.calendar().trading_day_at(at).unwrap_or(watch.phase.trading_day);
        let source = PhaseSource::Exchange.code();
        watch.phase = Phase { trading_day, start_ns: at, phase: kind.code(), source, ..watch.phase };
        Some(watch.phase)
    }

    /// The phase a contract is in, as last emitted or overridden; `None` when it is not watched.
    pub fn current(&self, instrument: InstrumentId) -> Option<&Phase> {
        let index = *self.by_id.get(instrument.index())?;
        self.watches.get(index as usize).map(|watch| &watch.phase)
    }
}
