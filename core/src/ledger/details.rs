//! The position details of the trading day: what each opening fill brought and no close has taken yet. One table for
//! all contracts, rows in the order of the fills; each side of a contract threads its queue through it, first in, first
//! out. Rows are only added, and forgotten together at the day roll, so links point forward.

use super::index::NONE;
use crate::units::Price;
use bytemuck::{Pod, Zeroable};

/// Lots opened at one price. Negative lots were closed before their opening fill was told, at that price.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Detail {
    /// Absent for lots adopted from the venue without one.
    pub(super) price: Price,
    pub(super) lots: i64,
    next: u32,
    pad: u32,
}

/// First and last row of a side's details.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Queue {
    first: u32,
    last: u32,
}

impl Queue {
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE };
}

#[derive(Clone, Debug)]
pub(super) struct Details {
    rows: Vec<Detail>,
}

impl Details {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        // Every page is written once here, so that none is faulted in on the hot path. The bytes are not zero: a
        // zeroed allocation would be left to the first fault.
        let mut rows = vec![Detail { price: Price::ZERO, lots: 1, next: NONE, pad: 0 }; capacity];
        rows.clear();
        Self { rows }
    }

    /// Adds lots behind a queue, to its last detail when that has the same price. Rows beyond the capacity allocate.
    pub(super) fn push(&mut self, queue: &mut Queue, price: Price, lots: i64) {
        let row = self.rows.len() as u32;
        match self.rows.get_mut(queue.last as usize) {
            Some(last) if last.price == price => {
                last.lots += lots;
                return;
            }
            Some(last) => last.next = row,
            None => queue.first = row,
        }
        queue.last = row;
        self.rows.push(Detail { price, lots, next: NONE, pad: 0 });
    }

    /// The detail whose turn it is.
    #[inline]
    pub(super) fn front(&mut self, queue: &Queue) -> Option<&mut Detail> {
        self.rows.get_mut(queue.first as usize)
    }

    /// Forgets the front detail.
    #[inline]
    pub(super) fn pop(&mut self, queue: &mut Queue) {
        queue.first = self.rows.get(queue.first as usize).map_or(NONE, |detail| detail.next);
        if queue.first == NONE {
            queue.last = NONE;
        }
    }

    /// The details of a queue, first opened first.
    pub(super) fn of(&self, queue: Queue) -> impl Iterator<Item = &Detail> {
        let mut at = queue.first;
        std::iter::from_fn(move || {
            let detail = self.rows.get(at as usize)?;
            at = detail.next;
            Some(detail)
        })
    }

    pub(super) fn rows(&self) -> &[Detail] {
        &self.rows
    }

    /// Forgets the day's details and keeps the room.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Replaces every row; `None` when a link does not point forward, so that no walk could be without end.
    pub(super) fn restore(&mut self, rows: &[Detail]) -> Option<()> {
        let forward = |(row, detail): (usize, &Detail)| detail.next as usize > row;
        if !rows.iter().enumerate().all(forward) {
            return None;
        }
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        Some(())
    }
}
