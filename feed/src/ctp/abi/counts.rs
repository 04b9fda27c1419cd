//! What the callback thread could not pass on as it was, counted for the feed's summary and for alarms.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use shrike_core::thread::Denied;

/// Counts since the binding was opened. Written by the callback thread, read by any.
#[derive(Debug, Default)]
pub struct Counts {
    /// Callbacks that must carry a struct and gave a null or misaligned pointer.
    pub(super) null: Count,
    /// Structs with a text that is too long, or an enumeration that is not known, where there is no value for that.
    pub(super) refused: Count,
    /// Numbers that do not fit, and are absent.
    pub(super) out_of_range: Count,
    /// Snapshots of contracts that were not prepared.
    pub(super) unknown: Count,
    /// Snapshots whose time or volume is none.
    pub(super) malformed: Count,
    /// Snapshots that replaced an earlier one of their contract, because the ring was full.
    pub(super) conflated: Count,
    /// Snapshots that found no room at all.
    pub(super) lost_snapshots: Count,
    /// Callbacks that found no room in ring and overflow: what they told must be asked again.
    pub(super) lost: Count,
    denied: OnceLock<Vec<Denied>>,
}

impl Counts {
    /// Every count, with a word for it.
    pub fn all(&self) -> [(&'static str, u64); 8] {
        [
            ("null", self.null.get()),
            ("refused", self.refused.get()),
            ("out-of-range", self.out_of_range.get()),
            ("unknown-contract", self.unknown.get()),
            ("malformed", self.malformed.get()),
            ("conflated", self.conflated.get()),
            ("lost-snapshots", self.lost_snapshots.get()),
            ("lost-callbacks", self.lost.get()),
        ]
    }

    /// Callbacks that were lost: orders, trades or answers must be queried again.
    pub fn lost(&self) -> u64 {
        self.lost.get()
    }

    /// What the host did not permit when the first callback thread was placed; nothing before it was.
    pub fn denied(&self) -> &[Denied] {
        self.denied.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn set_denied(&self, denied: Vec<Denied>) {
        // A later thread of the same binding is placed in the same way: the first report stays.
        let _ = self.denied.set(denied);
    }
}

/// A count with one writing thread: no locked instruction.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(super) fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
