//! Which event a stage was at when it panicked. A driver, and whatever folds a journal, writes down the number of the
//! record it is at; while a panic unwinds, that is kept for whoever catches it. Costs two stores for each event.

use shrike_core::codes::StageId;
use shrike_core::event::Seq;
use std::sync::{Arc, PoisonError};

/// A record that a stage was at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its number, in the stage's own journal.
    pub seq: Seq,
    /// Its kind.
    pub kind: u16,
}

#[allow(clippy::disallowed_types, reason = "it is locked while a panic unwinds, never before")]
type Kept = std::sync::Mutex<Option<Seen>>;

/// What was seen as a panic unwound. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Witness(Arc<Kept>);

impl Witness {
    /// The record that the panicking stage was at. Where both stages were at one, the order stage's: on one thread it is
    /// called by the signal stage, never the other way round.
    pub fn take(&self) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, seen: Seen) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none_or(|kept| kept.seq.stage() != Some(StageId::Order)) {
            *kept = Some(seen);
        }
    }
}

/// The record that is being taken or folded.
#[derive(Debug)]
pub(crate) struct At {
    seen: Seen,
    witness: Witness,
}

impl At {
    /// At none.
    pub(crate) fn new(witness: &Witness) -> Self {
        Self { seen: Seen { seq: Seq::ABSENT, kind: 0 }, witness: witness.clone() }
    }

    /// A record is begun.
    #[inline]
    pub(crate) fn begin(&mut self, seq: Seq, kind: u16) {
        self.seen = Seen { seq, kind };
    }

    /// It is done.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.seen.seq = Seq::ABSENT;
    }
}

impl Drop for At {
    fn drop(&mut self) {
        if !self.seen.seq.is_absent() && std::thread::panicking() {
            self.witness.put(self.seen);
        }
    }
}
