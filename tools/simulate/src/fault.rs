//! The faults: their names, how often each strikes, and the dice that say so. Whether the n-th opportunity of a fault
//! strikes depends on the seed, the fault and n alone; so leaving one fault out, or one stroke, changes no other.

use crate::rng::{Rng, mix};
use std::collections::BTreeSet;
use std::fmt;

macro_rules! faults {
    ($($(#[$doc:meta])* $item:ident $name:literal per_million $rate:literal,)+) => {
        /// A kind of fault.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Fault {
            $($(#[$doc])* $item,)+
        }

        impl Fault {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$item),+];

            /// Its name, as `--faults` takes it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$item => $name,)+
                }
            }

            /// How often an opportunity becomes the fault, in a million; zero: it is not drawn, it happens.
            const fn rate(self) -> u64 {
                match self {
                    $(Self::$item => $rate,)+
                }
            }
        }
    };
}

faults! {
    /// A run of snapshots within a few milliseconds.
    Burst "burst" per_million 3_000,
    /// Market data of a contract has a hole.
    Gap "gap" per_million 1_500,
    /// A snapshot is skipped, as where the market ring is full.
    Conflate "conflate" per_million 10_000,
    /// A day with price limits close to the market.
    PriceLimit "price-limit" per_million 300_000,
    /// A circuit breaker: the exchange halts the contract into an auction.
    Breaker "breaker" per_million 1_000,
    /// The trading day changes.
    DayRoll "day-roll" per_million 0,
    /// A request takes long.
    OrderDelay "order-delay" per_million 20_000,
    /// A report takes long, and all behind it in its channel.
    ReportDelay "report-delay" per_million 15_000,
    /// A report is told twice.
    Repeat "repeat" per_million 20_000,
    /// A report overtakes those of another channel.
    Reorder "reorder" per_million 0,
    /// A request is lost without an answer.
    RequestDrop "request-drop" per_million 6_000,
    /// A report of the flow is not told before the next login or question.
    ReportDrop "report-drop" per_million 5_000,
    /// The connection breaks.
    Disconnect "disconnect" per_million 1_500,
    /// The connection breaks while the account is being restated.
    ResyncCut "resync-cut" per_million 60_000,
    /// The counter restarts: a new front, and new names for the orders of before.
    CounterRestart "counter-restart" per_million 150_000,
    /// The counter refuses an order with an error that allows to try again.
    RefuseRetry "refuse-retry" per_million 8_000,
    /// The counter refuses an order for its price.
    RefusePrice "refuse-price" per_million 6_000,
    /// The counter refuses an order with an error that says to wait.
    RefuseWait "refuse-wait" per_million 6_000,
    /// The counter refuses an order for good.
    RefuseForGood "refuse-for-good" per_million 6_000,
    /// The exchange refuses an order that the counter took.
    ExchangeReject "exchange-reject" per_million 8_000,
    /// The counter refuses a cancel.
    CancelRefused "cancel-refused" per_million 60_000,
    /// An order trades in part.
    PartialFill "partial-fill" per_million 0,
    /// A fill is told after the cancel that it overtook.
    LateFill "late-fill" per_million 0,
    /// A person trades the account at the venue.
    Manual "manual" per_million 4_000,
    /// The operator commands.
    Operator "operator" per_million 1_500,
    /// The host's clock jumps ahead.
    ClockAhead "clock-ahead" per_million 1_000,
    /// The host's clock steps back.
    ClockBack "clock-back" per_million 1_000,
    /// The engine stands still, and then everything comes at once.
    Stall "stall" per_million 1_500,
    /// A ring runs over.
    Overflow "ring-overflow" per_million 1_000,
    /// The journals' disk is full for a while.
    DiskFull "disk-full" per_million 900,
    /// A call to the journals' disk fails.
    DiskError "disk-error" per_million 1_000,
    /// The process is killed between two events.
    Kill "kill" per_million 600_000,
    /// The process is killed between two records of one event.
    KillInEvent "kill-in-event" per_million 600_000,
    /// The process is killed between two sends of one event.
    KillInSend "kill-in-send" per_million 500_000,
    /// The host goes down with the process.
    HostCrash "host-crash" per_million 300_000,
    /// After a crash the two journals end at different points.
    TwoEnds "two-ends" per_million 0,
    /// The engine is stopped in order, and started again.
    Stop "stop" per_million 200_000,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Fault {
    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// What happens by itself and is only counted.
    pub const fn is_seen_only(self) -> bool {
        self.rate() == 0
    }
}

/// One stroke of a fault: its kind, and at which opportunity.
pub type Stroke = (Fault, u64);

/// Which faults a run has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults {
    /// The kinds that may strike.
    pub kinds: BTreeSet<Fault>,
    /// Only these strokes happen; `None`: all that the dice say.
    pub only: Option<BTreeSet<Stroke>>,
}

impl Faults {
    /// Every kind.
    pub fn all() -> Self {
        Self { kinds: Fault::ALL.iter().copied().collect(), only: None }
    }

    /// None but what happens by itself.
    pub const fn none() -> Self {
        Self { kinds: BTreeSet::new(), only: None }
    }
}

/// The dice of one run.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    faults: Faults,
    /// Opportunities so far.
    seen: [u64; Fault::ALL.len()],
    /// Strokes so far, in order.
    pub struck: Vec<Stroke>,
    /// Calm: nothing strikes.
    pub calm: bool,
}

impl Dice {
    /// The dice of a seed.
    pub const fn new(seed: u64, faults: Faults) -> Self {
        Self { seed, faults, seen: [0; Fault::ALL.len()], struck: Vec::new(), calm: false }
    }

    /// Whether this opportunity of a fault strikes, and the chance that its details are drawn from.
    pub fn strikes(&mut self, fault: Fault) -> Option<Rng> {
        let seen = self.seen.get_mut(fault as usize)?;
        *seen += 1;
        let stroke = (fault, *seen);
        let mut rng = Rng::stream(mix(self.seed ^ (fault as u64 + 1) << 56), *seen);
        let drawn = rng.below(1_000_000) < fault.rate();
        let allowed = self.faults.only.as_ref().is_none_or(|only| only.contains(&stroke));
        if !drawn || !allowed || self.calm || !self.faults.kinds.contains(&fault) {
            return None;
        }
        self.struck.push(stroke);
        Some(rng)
    }
}
