//! The phases of the contracts. Live, the calendar says them by the clock and the exchange's own pushes override it; where
//! time is the events' own, the pushes alone.

use crate::ctp::callback::StatusFacts;
use shrike_core::calendar::{CalendarError, PhaseClock, Sessions};
use shrike_core::codes::{PhaseKind, PhaseSource};
use shrike_core::event::{InstrumentDef, Phase};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Text, TradingDay};
use std::sync::Arc;

/// What a push may name.
#[derive(Clone, Copy, Debug)]
struct Names {
    symbol: Text<40>,
    product: Text<16>,
    exchange: u8,
    /// The last phase that a push gave, of a contract that the calendar does not watch.
    pushed: Option<PhaseKind>,
}

/// The phases of every contract that was announced.
#[derive(Debug)]
pub struct Phases {
    /// The calendar's clock; none where pushes alone count.
    clock: Option<PhaseClock>,
    names: Vec<Names>,
}

impl Phases {
    /// None watched yet.
    pub fn new(live: bool, sessions: Arc<Sessions>) -> Self {
        Self { clock: live.then(|| PhaseClock::new(sessions)), names: Vec::new() }
    }

    /// Follows a contract from now on.
    ///
    /// # Errors
    /// When the calendar has nothing for it: then pushes alone give its phases.
    pub fn watch(&mut self, def: &InstrumentDef, now: Nanos) -> Result<(), CalendarError> {
        if def.instrument.index() != self.names.len() {
            return Ok(());
        }
        self.names.push(Names { symbol: def.symbol, product: def.product, exchange: def.exchange, pushed: None });
        match (&mut self.clock, def.exchange()) {
            (Some(clock), Some(exchange)) => clock.watch(def.instrument, exchange, def.product.as_str(), now),
            _ => Ok(()),
        }
    }

    /// Whether the calendar has a change that is due.
    #[inline]
    pub fn is_due(&self, now: Nanos) -> bool {
        self.clock.as_ref().and_then(PhaseClock::next_change).is_some_and(|at| at <= now)
    }

    /// Gives every change that is due by the calendar.
    ///
    /// # Errors
    /// When the calendar ends.
    pub fn advance(&mut self, now: Nanos, emit: impl FnMut(&Phase)) -> Result<(), CalendarError> {
        match &mut self.clock {
            Some(clock) => clock.advance(now, emit),
            None => Ok(()),
        }
    }

    /// The exchange says that a product or contract is in a phase from `at` on: gives the change of each contract that it
    /// names and that is not in that phase already.
    pub fn push(&mut self, status: &StatusFacts, at: Nanos, day: TradingDay, mut emit: impl FnMut(&Phase)) {
        let (Some(kind), false) = (status.phase, status.symbol.is_empty()) else { return };
        let name = status.symbol.as_bytes();
        for (id, names) in self.names.iter_mut().enumerate() {
            let of_exchange = status.exchange.is_none_or(|exchange| exchange.code() == names.exchange);
            if !of_exchange || names.product.as_bytes() != name && names.symbol.as_bytes() != name {
                continue;
            }
            let instrument = InstrumentId::new(id as u32);
            let watched = self.clock.as_mut().filter(|clock| clock.current(instrument).is_some());
            let phase = match watched {
                Some(clock) => clock.override_phase(instrument, kind, at),
                None => (names.pushed != Some(kind)).then(|| Phase {
                    instrument,
                    trading_day: day,
                    start_ns: at,
                    phase: kind.code(),
                    source: PhaseSource::Exchange.code(),
                    ..Phase::default()
                }),
            };
            names.pushed = Some(kind);
            if let Some(phase) = phase {
                emit(&phase);
            }
        }
    }
}
