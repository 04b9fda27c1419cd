//! Instruments: a dense, append-only table of what can be quoted or traded. Ids are assigned by the market-data process
//! of a home and never change; what an id stands for may (an option's multiplier after a dividend), from a trading day.
#![deny(clippy::float_arithmetic)]

use crate::codes::{Exchange, ProductClass};
use crate::event::InstrumentDef;
use bytemuck::{Pod, Zeroable};
use std::fmt;

/// Index into the instrument table of a home.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable, Default)]
#[repr(transparent)]
pub struct InstrumentId(u32);

impl InstrumentId {
    /// No instrument, or all of them where a field says so.
    pub const NONE: Self = Self(u32::MAX);

    /// The id of table row `index`.
    #[inline]
    pub const fn new(index: u32) -> Self {
        Self(index)
    }
    /// The number in events.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }
    /// The table row.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE { f.pad("-") } else { write!(f, "#{}", self.0) }
    }
}

impl fmt::Debug for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The table: rows by id, in the order they were announced.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    rows: Vec<InstrumentDef>,
}

/// Why an [`InstrumentDef`] does not fit the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InstrumentError {
    /// Ids are dense: the next new one must be the table's length.
    #[error("instrument id {id} skips rows: the next new id is {next}")]
    Gap {
        /// The id given.
        id: u32,
        /// The id expected.
        next: u32,
    },
    /// An id keeps its symbol and exchange for ever.
    #[error("instrument id {id} already stands for another symbol")]
    Renamed {
        /// The id given.
        id: u32,
    },
    /// Tick, multiplier or exchange make no contract.
    #[error("instrument id {id}: tick and multiplier must be positive, exchange and class known")]
    Invalid {
        /// The id given.
        id: u32,
    },
}

impl Instruments {
    /// An empty table with room for `capacity` rows, so that announcing them allocates nothing.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { rows: Vec::with_capacity(capacity) }
    }

    /// Adds a row or replaces one by a later definition of the same symbol.
    pub fn define(&mut self, def: &InstrumentDef) -> Result<InstrumentId, InstrumentError> {
        let id = def.instrument;
        let known = Exchange::of(def.exchange).is_some() && ProductClass::of(def.class).is_some();
        if !known || def.tick.raw() <= 0 || def.multiplier <= 0 {
            return Err(InstrumentError::Invalid { id: id.get() });
        }
        let next = self.rows.len();
        match self.rows.get_mut(id.index()) {
            Some(row) if row.symbol != def.symbol || row.exchange != def.exchange => {
                Err(InstrumentError::Renamed { id: id.get() })
            }
            Some(row) => {
                *row = *def;
                Ok(id)
            }
            None if id.index() == next => {
                self.rows.push(*def);
                Ok(id)
            }
            None => Err(InstrumentError::Gap { id: id.get(), next: next as u32 }),
        }
    }

    /// The row of an id.
    #[inline]
    pub fn get(&self, id: InstrumentId) -> Option<&InstrumentDef> {
        self.rows.get(id.index())
    }

    /// The row of a symbol (exact case; linear, not for the hot path).
    pub fn find(&self, symbol: &str) -> Option<&InstrumentDef> {
        self.rows.iter().find(|row| row.symbol.as_bytes() == symbol.as_bytes())
    }

    /// Every row, by id.
    pub fn iter(&self) -> impl Iterator<Item = &InstrumentDef> {
        self.rows.iter()
    }

    /// How many rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
