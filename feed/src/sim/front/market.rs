//! The market as clients see it: contracts, phases, subscriptions, snapshots.

use super::query::symbol;
use super::wire::{Channel, FromFront, Snapshot};
use super::{Conn, Front};
use crate::ctp::callback::{Callback, StatusFacts, Symbol, What};
use shrike_core::event::{DepthTick, Event, InstrumentDef, Phase};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Nanos;

/// A contract, its phase and its newest snapshot.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) def: InstrumentDef,
    phase: Option<Phase>,
    tick: Option<Box<DepthTick>>,
}

impl Listed {
    /// The phase as `OnRtnInstrumentStatus` tells it.
    pub(super) fn status(&self) -> Option<Callback> {
        let phase = self.phase.as_ref()?;
        let facts = StatusFacts {
            exchange: self.def.exchange(),
            symbol: symbol(&self.def),
            phase: Some(phase.kind()),
            enter_time: Some(u64::from(phase.start_ns.china_second()) * Nanos::PER_SECOND),
        };
        Some(Callback { what: What::Status(facts), ..Callback::default() })
    }

    fn snapshot(&self) -> Option<FromFront> {
        let tick = **self.tick.as_ref()?;
        let (symbol, exchange, multiplier) = (symbol(&self.def), self.def.exchange()?, self.def.multiplier);
        Some(FromFront::Tick(Snapshot { symbol, exchange, multiplier, tick }))
    }
}

impl Front {
    pub(super) fn see(&mut self, event: Event<'_>) {
        match event {
            Event::InstrumentDef(def) => self.list(def),
            Event::Phase(phase) => {
                let Some(Some(listed)) = self.contracts.get_mut(phase.instrument.index()) else { return };
                listed.phase = Some(*phase);
                if let Some(status) = listed.status() {
                    self.logged_in().into_iter().for_each(|conn| self.tell(conn, status));
                }
            }
            Event::DepthTick(tick) => {
                let Some(Some(listed)) = self.contracts.get_mut(tick.instrument.index()) else { return };
                match &mut listed.tick {
                    Some(newest) => **newest = *tick,
                    None => listed.tick = Some(Box::new(*tick)),
                }
                let Some(snapshot) = listed.snapshot() else { return };
                let wants = |session: &super::connections::Session| session.subscribed.contains(&tick.instrument);
                let conns: Vec<Conn> =
                    self.sessions.iter().filter(|(_, session)| wants(session)).map(|(&conn, _)| conn).collect();
                conns.into_iter().for_each(|conn| self.push(conn, snapshot.clone()));
            }
            _ => {}
        }
    }

    fn list(&mut self, def: &InstrumentDef) {
        let index = def.instrument.index();
        // As in the exchange: ids are dense, and a stray one asks for no memory.
        if index > self.contracts.len() + 65_536 {
            return;
        }
        if self.contracts.len() <= index {
            self.contracts.resize_with(index + 1, || None);
        }
        let Some(slot) = self.contracts.get_mut(index) else { return };
        match slot {
            Some(listed) => listed.def = *def,
            None => *slot = Some(Listed { def: *def, phase: None, tick: None }),
        }
        self.by_symbol.insert(def.symbol.as_bytes().to_vec(), def.instrument);
    }

    pub(super) fn contract(&self, id: InstrumentId) -> Option<&Listed> {
        self.contracts.get(id.index())?.as_ref()
    }

    /// Each contract is acknowledged; the newest snapshot follows, as old as it may be.
    pub(super) fn subscribe(&mut self, conn: Conn, symbols: &[Symbol]) {
        let is_market =
            |session: &super::connections::Session| session.channel == Some(Channel::Market) && session.login.is_some();
        if !self.sessions.get(&conn).is_some_and(is_market) {
            return;
        }
        for (index, name) in symbols.iter().enumerate() {
            let id = self.by_symbol.get(name.as_bytes()).copied();
            let error = if id.is_some() { 0 } else { crate::sim::exchange::errors::INSTRUMENT_NOT_FOUND };
            let message = super::errors::words(error);
            let is_last = index + 1 == symbols.len();
            let what = What::Subscribed(*name);
            self.tell(conn, Callback { is_last, error, message, what, ..Callback::default() });
            let Some(id) = id else { continue };
            if let Some(session) = self.sessions.get_mut(&conn) {
                session.subscribed.insert(id);
                session.ready = true;
            }
            if let Some(snapshot) = self.contract(id).and_then(Listed::snapshot) {
                self.push(conn, snapshot);
            }
        }
    }

    /// Each contract is acknowledged, whether or not it was subscribed.
    pub(super) fn unsubscribe(&mut self, conn: Conn, symbols: &[Symbol]) {
        if !self.is_in(conn) {
            return;
        }
        for (index, name) in symbols.iter().enumerate() {
            if let (Some(id), Some(session)) = (self.by_symbol.get(name.as_bytes()), self.sessions.get_mut(&conn)) {
                session.subscribed.remove(id);
            }
            let (is_last, what) = (index + 1 == symbols.len(), What::Unsubscribed(*name));
            self.tell(conn, Callback { is_last, what, ..Callback::default() });
        }
    }
}
