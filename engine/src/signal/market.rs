//! What strategies see: the latest snapshot, phase and holdings of every contract.
#![deny(clippy::float_arithmetic)]

use crate::saved::Bytes;
use shrike_core::codes::PhaseKind;
use shrike_core::event::{DepthTick, InstrumentDef, Phase};
use shrike_core::instrument::{InstrumentId, Instruments};
use shrike_core::units::{Lots, Nanos};

/// One contract as last seen.
#[derive(Clone, Copy, Debug)]
struct Row {
    tick: DepthTick,
    phase: PhaseKind,
    /// Whether data flows: false within a gap.
    live: bool,
    ticks: u64,
}

/// The market as of the event being folded. Rows are allocated when an instrument is announced, never after.
#[derive(Debug)]
pub struct Market {
    instruments: Instruments,
    rows: Vec<Row>,
    /// Net lots by strategy and instrument: `strategy * instruments_max + instrument`.
    holdings: Vec<Lots>,
    instruments_max: usize,
    now: Nanos,
}

impl Market {
    /// A market of up to `instruments_max` contracts and strategies numbered up to `strategies_max`.
    pub fn new(instruments_max: usize, strategies_max: usize) -> Self {
        Self {
            instruments: Instruments::with_capacity(instruments_max),
            rows: Vec::with_capacity(instruments_max),
            holdings: vec![Lots::ZERO; instruments_max * (strategies_max + 1)],
            instruments_max,
            now: Nanos::ABSENT,
        }
    }

    /// The time at which the stage took the event.
    pub const fn now(&self) -> Nanos {
        self.now
    }

    /// Every instrument.
    pub const fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// The definition of a contract.
    #[inline]
    pub fn instrument(&self, id: InstrumentId) -> Option<&InstrumentDef> {
        self.instruments.get(id)
    }

    /// The latest snapshot; `None` before the first.
    #[inline]
    pub fn tick(&self, id: InstrumentId) -> Option<&DepthTick> {
        self.rows.get(id.index()).filter(|row| row.ticks > 0).map(|row| &row.tick)
    }

    /// The phase; shut when not known.
    #[inline]
    pub fn phase(&self, id: InstrumentId) -> PhaseKind {
        self.rows.get(id.index()).map_or(PhaseKind::Shut, |row| row.phase)
    }

    /// Whether market data flows.
    #[inline]
    pub fn is_live(&self, id: InstrumentId) -> bool {
        self.rows.get(id.index()).is_some_and(|row| row.live)
    }

    /// Net lots that a strategy holds, as last told by the order stage.
    #[inline]
    pub fn holding(&self, strategy: u32, id: InstrumentId) -> Lots {
        self.holdings.get(self.holding_index(strategy, id)).copied().unwrap_or(Lots::ZERO)
    }

    fn holding_index(&self, strategy: u32, id: InstrumentId) -> usize {
        (strategy as usize).saturating_mul(self.instruments_max).saturating_add(id.index())
    }

    pub(super) fn set_now(&mut self, now: Nanos) {
        self.now = now;
    }

    /// Adds or changes a contract. False when the definition does not fit or the table is full.
    pub(super) fn define(&mut self, def: &InstrumentDef) -> bool {
        if def.instrument.index() >= self.instruments_max || self.instruments.define(def).is_err() {
            return false;
        }
        if self.rows.len() < self.instruments.len() {
            self.rows.push(Row { tick: DepthTick::default(), phase: PhaseKind::Shut, live: true, ticks: 0 });
        }
        true
    }

    #[inline]
    pub(super) fn set_tick(&mut self, tick: &DepthTick) -> bool {
        match self.rows.get_mut(tick.instrument.index()) {
            Some(row) => {
                row.tick = *tick;
                row.ticks += 1;
                true
            }
            None => false,
        }
    }

    pub(super) fn set_phase(&mut self, phase: &Phase) {
        if let Some(row) = self.rows.get_mut(phase.instrument.index()) {
            row.phase = phase.kind();
        }
    }

    /// Marks one contract, or all of them, as flowing or not.
    pub(super) fn set_live(&mut self, id: InstrumentId, live: bool) {
        for (index, row) in self.rows.iter_mut().enumerate() {
            if id == InstrumentId::NONE || id.index() == index {
                row.live = live;
            }
        }
    }

    pub(super) fn set_holding(&mut self, strategy: u32, id: InstrumentId, lots: Lots) {
        let index = self.holding_index(strategy, id);
        if let Some(held) = self.holdings.get_mut(index) {
            *held = lots;
        }
    }

    /// Bytes of the state, for a snapshot; [`Self::load`] reads them.
    pub(super) fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.rows.len() as u64).to_le_bytes());
        for (def, row) in self.instruments.iter().zip(&self.rows) {
            out.extend_from_slice(bytemuck::bytes_of(def));
            out.extend_from_slice(bytemuck::bytes_of(&row.tick));
            out.extend_from_slice(&[row.phase.code(), u8::from(row.live)]);
            out.extend_from_slice(&row.ticks.to_le_bytes());
        }
        out.extend_from_slice(&(self.holdings.len() as u64).to_le_bytes());
        out.extend_from_slice(bytemuck::cast_slice(&self.holdings));
    }

    /// Reads what [`Self::save`] wrote; `None`, and a state not to be used, when it does not fit.
    pub(super) fn load(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        self.instruments = Instruments::with_capacity(self.instruments_max);
        self.rows.clear();
        for _ in 0..bytes.u64()? {
            let def: InstrumentDef = bytes.pod()?;
            self.define(&def).then_some(())?;
            let row = self.rows.last_mut()?;
            row.tick = bytes.pod()?;
            row.phase = PhaseKind::of(bytes.pod()?)?;
            row.live = bytes.pod::<u8>()? != 0;
            row.ticks = bytes.u64()?;
        }
        (bytes.u64()? as usize == self.holdings.len()).then_some(())?;
        for held in &mut self.holdings {
            *held = bytes.pod()?;
        }
        Some(())
    }
}
