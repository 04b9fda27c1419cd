//! One exchange of a board: its days, planned ahead, and where in them it stands.

use super::walk::Family;
use crate::sim::market::plan::{Day, Span};
use shrike_core::codes::PhaseKind;
use shrike_core::units::Nanos;

/// Where in a day an exchange stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Before the phase of this index; behind the last one, before settling.
    Before(usize),
    /// Within it; the next snapshot is due then.
    Within(usize, Nanos),
}

/// The days of one exchange.
#[derive(Clone, Debug)]
pub(super) struct Venue {
    pub family: Family,
    pub days: Vec<Day>,
    pub day: usize,
    pub place: Place,
    pub snapshot_ns: u64,
    /// Where in the interval it stamps its snapshots.
    pub phase_ns: u64,
}

impl Venue {
    /// The trading day it is in; none behind the last.
    pub fn today(&self) -> Option<&Day> {
        self.days.get(self.day)
    }

    /// When something happens next.
    pub fn next_at(&self) -> Nanos {
        match (self.today(), self.place) {
            (Some(day), Place::Before(index)) => day.spans.get(index).map_or(day.settles_at, |span| span.start),
            (Some(_), Place::Within(_, at)) => at,
            (None, _) => Nanos::MAX,
        }
    }

    /// The first snapshot of a phase: strictly after its start.
    pub fn first_in(&self, span: &Span) -> Nanos {
        self.grid(span.start.get() + 1)
    }

    /// When a phase ends in a match: an auction without cancels just before its end, one of its own at once. No other does.
    pub fn match_in(&self, span: &Span) -> Nanos {
        match span.kind {
            PhaseKind::AuctionMatch => self.first_in(span),
            PhaseKind::AuctionNoCancel => self.grid(span.end.get() - self.snapshot_ns),
            _ => Nanos::MAX,
        }
    }

    /// The first moment of a snapshot from a moment on.
    fn grid(&self, from: u64) -> Nanos {
        let grid = from - from % self.snapshot_ns + self.phase_ns;
        Nanos::new(if grid >= from { grid } else { grid + self.snapshot_ns })
    }
}
