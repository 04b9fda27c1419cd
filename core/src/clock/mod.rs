//! Time, for the threads that may ask for it: the edge and the runtime. Stages never do, their time is in the event.
//! Live, it is the host's time read from the time-stamp counter; in simulated time the edge sets it; at N times real
//! speed it runs from a start.

mod simulated;
#[cfg(test)]
mod tests;
mod tsc;

pub use simulated::{ScaledTime, SimTime};
pub use tsc::{Tsc, has_invariant_tsc};

use crate::units::Nanos;
use std::sync::Arc;

/// The engine's time. Each thread has its own clone. Never goes back, whatever happens to the host's clock.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The host's time.
    Wall(Tsc),
    /// The time of the event that the edge released last.
    Simulated(Arc<SimTime>),
    /// Recorded time that runs N times as fast as real time.
    Scaled(ScaledTime),
}

impl Clock {
    /// The time now. Costs 5 to 20 ns on the host's counter, a load when simulated.
    #[inline]
    pub fn now(&self) -> Nanos {
        match self {
            Self::Wall(tsc) => tsc.now(),
            Self::Simulated(time) => time.now(),
            Self::Scaled(time) => time.now(),
        }
    }

    /// Whether the edge drives the time, and threads run in lockstep with it.
    #[inline]
    pub const fn is_simulated(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }
}
