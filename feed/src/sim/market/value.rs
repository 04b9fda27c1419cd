//! The price process of one contract: a latent value that diffuses in trends (regime switching), jumps, is pulled back
//! to where it began over weeks, and on some days runs into a price limit, stays there and comes back. The book is
//! drawn around it. Integers only: a value is ticks x 2^16.

use super::rng::{Rng, bell};

/// Bits of a value below one tick.
pub(super) const SUBTICK_BITS: u32 = 16;
/// One tick of value.
pub(super) const TICK: i64 = 1 << SUBTICK_BITS;

/// How far beyond the limit the value stands while the market is locked: far enough that the other side is empty.
const BEYOND_LIMIT: i64 = 3 * TICK;
/// How far inside the limit a locked market re-opens.
const RELEASE: i64 = 6 * TICK;
/// A trend moves the value by one part in this of the step's deviation, each step: with regimes of some thousand
/// steps, trends and diffusion contribute about alike to a day's range.
const DRIFT_PART: i64 = 48;
/// A jump's deviation, in deviations of a step: about a fifth of a day's.
const JUMP: i64 = 40;
/// Activity (volatility, volume, spread) is a mean-reverting factor in 1/256.
const CALM: i64 = 256;

/// A day's run into a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitRun {
    /// Continuous steps until it starts.
    pub starts_in: u32,
    /// Steps the market stays locked.
    pub locked: u32,
    /// Into the upper limit; else the lower.
    pub up: bool,
}

/// The state of the process.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Ticks x 2^16.
    at: i64,
    /// Where it began; trends lean towards it.
    anchor: i64,
    /// Standard deviation of a step, scaled with the price.
    deviation: i64,
    /// Chance of a jump in a step, of 2^32.
    jump_chance: u32,
    drift: i64,
    drift_steps: u32,
    /// In 1/256.
    activity: i64,
    lower: i64,
    upper: i64,
    run: Option<LimitRun>,
}

impl Value {
    /// A value that starts at `price_ticks`.
    pub fn new(price_ticks: i64) -> Self {
        let at = price_ticks << SUBTICK_BITS;
        Self {
            at,
            anchor: at,
            deviation: 0,
            jump_chance: 0,
            drift: 0,
            drift_steps: 0,
            activity: CALM,
            lower: 0,
            upper: i64::MAX,
            run: None,
        }
    }

    /// The value, ticks x 2^16.
    #[inline]
    pub const fn get(&self) -> i64 {
        self.at
    }

    /// How busy the market is, in 1/256: 64 to 1024.
    #[inline]
    pub const fn activity(&self) -> i64 {
        self.activity
    }

    /// A trading day begins: its limits in ticks, its deviation of a step, its jumps and its run into a limit.
    pub fn begin_day(&mut self, limits: (i64, i64), deviation: i64, jump_chance: u32, run: Option<LimitRun>) {
        (self.lower, self.upper) = (limits.0 << SUBTICK_BITS, limits.1 << SUBTICK_BITS);
        (self.deviation, self.jump_chance, self.run) = (deviation, jump_chance, run);
        self.drift_steps = 0;
        self.clamp();
    }

    /// The value moves at once by about `deviations` standard deviations of a step.
    pub fn shock(&mut self, deviations: i64, rng: &mut Rng) {
        self.at += bell(rng.bits() as u32) * 64 * deviations * self.deviation / Rng::BELL_DEVIATION_64THS;
        self.clamp();
    }

    /// One snapshot interval passes. True when the value jumped.
    #[inline]
    pub fn step(&mut self, rng: &mut Rng) -> bool {
        let bits = rng.bits();
        let noise = bell(bits as u32);
        self.activity = (self.activity + (CALM - self.activity) / 64 + bell((bits >> 32) as u32)).clamp(64, 1024);
        if self.follow_run() {
            return false;
        }
        if self.drift_steps == 0 {
            self.new_regime(rng);
        }
        self.drift_steps -= 1;
        self.at += noise * 64 * self.deviation / Rng::BELL_DEVIATION_64THS * self.activity / CALM + self.drift;
        let jumps = (rng.bits() as u32) < self.jump_chance;
        if jumps {
            self.shock(JUMP, rng);
        }
        self.clamp();
        jumps
    }

    /// Follows the day's run into a limit; false when the value is free.
    #[inline]
    fn follow_run(&mut self) -> bool {
        let Some(run) = &mut self.run else { return false };
        if run.starts_in > 0 {
            run.starts_in -= 1;
            return false;
        }
        let (limit, sign) = if run.up { (self.upper, 1) } else { (self.lower, -1) };
        let goal = limit + sign * BEYOND_LIMIT;
        let gap = goal - self.at;
        if gap.abs() > TICK / 4 {
            self.at += gap / 64 + gap.signum() * (TICK / 4);
        } else if run.locked > 0 {
            run.locked -= 1;
            self.at = goal;
        } else {
            self.at = limit - sign * RELEASE;
            self.run = None;
            (self.drift, self.drift_steps) = (-sign * self.deviation / DRIFT_PART * 2, 2_000);
        }
        true
    }

    /// A trend up, down or none; the further from the anchor, the more likely back to it.
    fn new_regime(&mut self, rng: &mut Rng) {
        let lean = ((self.anchor - self.at) * 64 / self.anchor.max(1)).clamp(-3, 3);
        let direction = match i64::from(rng.below(12)) {
            draw if draw < 4 + lean => 1,
            draw if draw < 8 => -1,
            _ => 0,
        };
        self.drift = direction * self.deviation / DRIFT_PART;
        self.drift_steps = rng.between(1_000, 8_000);
    }

    fn clamp(&mut self) {
        self.at = self.at.clamp(self.lower, self.upper);
    }
}
