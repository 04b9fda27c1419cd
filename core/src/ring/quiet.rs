//! The count of events on their way, for lockstep: in simulated time the edge releases an event and waits here until
//! every stage has handled it and all that followed from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A shared count of events that were published and not yet handled to the end. Clones count together.
///
/// - A producer calls [`add`](Self::add) *before* it publishes (parked events count too; for a lost one it calls
///   [`done`](Self::done) itself).
/// - A consumer calls [`done`](Self::done) *after* it has handled the event and published its consequences.
///
/// So the count of an event overlaps with those of its consequences, and zero means: nothing is anywhere.
#[derive(Clone, Debug, Default)]
pub struct Quiet(Arc<Count>);

/// Alone on its cache lines: every stage writes it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicU64);

impl Quiet {
    /// A count of zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// `events` are about to be published. Relaxed: publishing (a release store) comes after it in this thread, so the
    /// consumer's [`done`](Self::done) can only come later, and the count never passes through zero too early.
    #[inline]
    pub fn add(&self, events: u64) {
        self.0.0.fetch_add(events, Ordering::Relaxed);
    }

    /// `events` were handled and their consequences published. Release: whoever reads zero sees all that was done.
    #[inline]
    pub fn done(&self, events: u64) {
        let before = self.0.0.fetch_sub(events, Ordering::Release);
        debug_assert!(before >= events, "more events done than were ever added");
    }

    /// Whether nothing is on its way. Acquire: true means that everything every stage wrote is visible.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.in_flight() == 0
    }

    /// How many events are on their way.
    #[inline]
    pub fn in_flight(&self) -> u64 {
        self.0.0.load(Ordering::Acquire)
    }
}
