//! Which fills of the trading day are booked already: the venue tells the same fill again after every login.

use super::index::{Index, mix};
use crate::event::Fill;
use crate::seeded::{self, Bug};
use crate::units::Text;
use bytemuck::{Pod, Zeroable};

/// What names a fill within a trading day. The bytes are the codes of the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct FillKey {
    trade_id: Text<24>,
    exchange: u8,
    side: u8,
    pad: [u8; 6],
}

impl FillKey {
    fn hash(&self) -> u64 {
        let words: [u64; 4] = bytemuck::cast(*self);
        mix(&words)
    }
}

impl From<&Fill> for FillKey {
    fn from(fill: &Fill) -> Self {
        let side = if seeded::on(Bug::FillKeyWithoutSide) { 1 } else { fill.side };
        Self { trade_id: fill.trade_id, exchange: fill.exchange, side, pad: [0; 6] }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Fills {
    keys: Vec<FillKey>,
    index: Index,
}

impl Fills {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        // Every page is written once here, so that none is faulted in on the hot path. The bytes are not zero: a
        // zeroed allocation would be left to the first fault.
        let mut keys = vec![FillKey { trade_id: Text::EMPTY, exchange: 1, side: 1, pad: [0; 6] }; capacity];
        keys.clear();
        Self { keys, index: Index::with_capacity(capacity) }
    }

    /// Notes a fill. False when it was noted before.
    pub(super) fn note(&mut self, key: FillKey) -> bool {
        let Self { keys, index } = self;
        let hash = key.hash();
        if index.find(hash, |row| keys.get(row as usize) == Some(&key)).is_some() {
            return seeded::on(Bug::FillRepeated);
        }
        let row = keys.len() as u32;
        keys.push(key);
        index.insert(hash, row, |row| keys.get(row as usize).map_or(0, FillKey::hash));
        true
    }

    pub(super) fn keys(&self) -> &[FillKey] {
        &self.keys
    }

    pub(super) fn clear(&mut self) {
        if seeded::on(Bug::RollKeepsFills) {
            return;
        }
        self.keys.clear();
        self.index.clear();
    }
}
