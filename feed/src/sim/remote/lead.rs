//! How far the market may run ahead of the engine that trades on it, where both go as fast as they can: a machine under
//! load then slows the market instead of making the engine late. An engine that says nothing is not waited for.

use shrike_core::units::Nanos;

/// The bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lead {
    /// Market time by which the exchange may be ahead of the engine's last record.
    pub market_ns: u64,
    /// Real time without a new record of the engine after which the market goes on.
    pub patience_ns: u64,
}

/// What was last heard of the engine.
#[derive(Debug)]
pub(super) struct Leash {
    lead: Lead,
    heard: Nanos,
    since_ns: u64,
}

impl Leash {
    pub(super) const fn new(lead: Lead) -> Self {
        Self { lead, heard: Nanos::ABSENT, since_ns: 0 }
    }

    /// Whether the market waits at `now`: the engine's last record is of `engine`, the clock of real time at `real_ns`.
    pub(super) fn holds(&mut self, now: Nanos, engine: Nanos, real_ns: u64) -> bool {
        if engine != self.heard {
            (self.heard, self.since_ns) = (engine, real_ns);
        }
        !engine.is_absent()
            && now.since(engine) > self.lead.market_ns
            && real_ns.saturating_sub(self.since_ns) < self.lead.patience_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_engine_is_waited_for_until_it_is_silent() {
        let mut leash = Leash::new(Lead { market_ns: 1_000, patience_ns: 50 });
        let at = Nanos::new;
        // Nobody is there yet, or near enough.
        assert!(!leash.holds(at(9_000), Nanos::ABSENT, 0));
        assert!(!leash.holds(at(9_000), at(8_000), 10));
        // Late: the market waits, and anew with each word,
        assert!(leash.holds(at(9_001), at(8_000), 59));
        assert!(leash.holds(at(9_900), at(8_500), 100));
        // until the engine has been silent too long; a word brings the waiting back.
        assert!(!leash.holds(at(9_900), at(8_500), 150));
        assert!(leash.holds(at(9_900), at(8_600), 151));
    }
}
