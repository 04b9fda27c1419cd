//! How a thread waits when its rings are empty: it spins where it has a core of its own, else it backs off within a
//! bound, so that a host with few cores still moves.

use std::fmt;
use std::time::Duration;

/// A way of waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// Look again at once. Only where every spinning thread has a core.
    BusySpin,
    /// Look again at once a few times, then let other threads run, then sleep shortly.
    BackOff {
        /// Looks before the first yield.
        spins: u32,
        /// Yields before the first sleep.
        yields: u32,
        /// Length of each sleep, microseconds (the kernel adds its timer slack, 50 us by default).
        park_us: u32,
    },
}

impl Waiting {
    /// The usual back-off: spins about 2 us, yields for about 100 us, then sleeps 50 us at a time.
    pub const BACK_OFF: Self = Self::BackOff { spins: 64, yields: 256, park_us: 50 };

    /// Busy-spin where `spinning` threads fit in `free_cores`, else the usual back-off.
    pub const fn choose(spinning: usize, free_cores: usize) -> Self {
        if spinning <= free_cores { Self::BusySpin } else { Self::BACK_OFF }
    }
}

impl fmt::Display for Waiting {
    /// As said at the start: `busy-spin`, or `back-off (64 spins, 256 yields, then 50 us parks)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BusySpin => f.write_str("busy-spin"),
            Self::BackOff { spins, yields, park_us } => {
                write!(f, "back-off ({spins} spins, {yields} yields, then {park_us} us parks)")
            }
        }
    }
}

/// One thread's waiting: call [`idle`](Self::idle) after a turn without work, [`busy`](Self::busy) after one with.
#[derive(Clone, Debug)]
pub struct Waiter {
    waiting: Waiting,
    idle_turns: u32,
}

impl Waiter {
    /// A waiter that has just worked.
    pub const fn new(waiting: Waiting) -> Self {
        Self { waiting, idle_turns: 0 }
    }

    /// The thread had work: the next wait begins with spinning again.
    #[inline]
    pub const fn busy(&mut self) {
        self.idle_turns = 0;
    }

    /// The thread had nothing to do. Returns after at most one sleep of the configured length; an
    /// [`unpark`](std::thread::Thread::unpark) of the thread ends it earlier.
    #[inline]
    pub fn idle(&mut self) {
        match self.waiting {
            Waiting::BusySpin => std::hint::spin_loop(),
            Waiting::BackOff { spins, yields, park_us } => {
                let turn = self.idle_turns;
                self.idle_turns = turn.saturating_add(1);
                if turn < spins {
                    std::hint::spin_loop();
                } else if turn < spins.saturating_add(yields) {
                    std::thread::yield_now();
                } else {
                    std::thread::park_timeout(Duration::from_micros(u64::from(park_us)));
                }
            }
        }
    }

    /// After a turn of the loop: [`busy`](Self::busy) when it did something, else [`idle`](Self::idle).
    #[inline]
    pub fn after(&mut self, handled: usize) {
        if handled == 0 { self.idle() } else { self.busy() }
    }
}
