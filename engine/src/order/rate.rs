//! A sliding-window rate limit on journaled times: at most `max` requests in any `window_ns`.

use shrike_core::seeded::{self, Bug};
use shrike_core::units::Nanos;

/// Remembers the times of the last `max` requests.
#[derive(Clone, Debug)]
pub struct RateWindow {
    window_ns: u64,
    pub(super) times: Box<[Nanos]>,
    /// Where the oldest of the last `max` times stands.
    pub(super) oldest: usize,
}

impl RateWindow {
    /// At most `max` requests (at least one) in any `window_ns`.
    pub fn new(max: u32, window_ns: u64) -> Self {
        let max = max.max(1) + u32::from(seeded::on(Bug::RateLimitByOne));
        let times = vec![Nanos::ABSENT; max as usize].into_boxed_slice();
        Self { window_ns, times, oldest: 0 }
    }

    /// Whether one more request at `now` keeps the limit: the request `max` before it has left the window.
    #[inline]
    pub fn allows(&self, now: Nanos) -> bool {
        self.times.get(self.oldest).is_none_or(|oldest| oldest.is_absent() || now.since(*oldest) >= self.window_ns)
    }

    /// Counts a request.
    #[inline]
    pub fn count(&mut self, now: Nanos) {
        if let Some(place) = self.times.get_mut(self.oldest) {
            *place = now;
        }
        self.oldest += 1;
        if self.oldest == self.times.len() {
            self.oldest = 0;
        }
    }

    /// When the limit next allows a request.
    #[inline]
    pub fn opens_at(&self) -> Nanos {
        self.times
            .get(self.oldest)
            .filter(|time| !time.is_absent())
            .map_or(Nanos::ABSENT, |time| time.after(self.window_ns))
    }

    /// The most requests in a window.
    pub const fn max(&self) -> usize {
        self.times.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the arrivals, no window holds more than the limit, and nothing is refused without need.
        #[test]
        fn no_window_exceeds_the_limit(gaps in prop::collection::vec(0u64..400, 1..300), max in 1u32..8) {
            let window = 1_000;
            let mut rate = RateWindow::new(max, window);
            let mut sent: Vec<u64> = Vec::new();
            let mut now = 1u64;
            for gap in gaps {
                now += gap;
                let inside = sent.iter().filter(|&&time| now - time < window).count();
                prop_assert_eq!(rate.allows(Nanos::new(now)), inside < max as usize);
                if rate.allows(Nanos::new(now)) {
                    rate.count(Nanos::new(now));
                    sent.push(now);
                }
            }
        }
    }
}
