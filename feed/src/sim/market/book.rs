//! Five levels on each side, drawn around the latent value: a touch that follows it with a mean-reverting spread, sizes
//! that revert to a mean and keep their price when the touch moves, and an empty side at a price limit.

use super::rng::Rng;
use super::value::SUBTICK_BITS;
use shrike_core::event::DepthTick;
use shrike_core::units::{Lots, Price, Qty};

/// Levels a snapshot shows.
pub(super) const LEVELS: usize = 5;

/// Most ticks of spread beyond one.
const WIDE_MAX: i64 = 5;
/// A locked market queues this many times the usual lots at the limit.
const LOCKED_QUEUE: i64 = 40;

/// One side: the best price in ticks and the lots from it outwards, level by level, one tick apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Side {
    /// Ticks.
    pub best: i64,
    /// Lots, zero where there is no level.
    pub lots: [i64; LEVELS],
}

impl Side {
    /// Whether anybody quotes.
    #[inline]
    pub const fn is_open(&self) -> bool {
        self.touch() > 0
    }

    /// Lots at the best price.
    #[inline]
    pub const fn touch(&self) -> i64 {
        let [touch, ..] = self.lots;
        touch
    }

    /// Writes the levels, `step_raw` apart from the best outwards.
    #[inline]
    pub fn show(&self, tick_raw: i64, step_raw: i64, prices: &mut [Price; LEVELS], qtys: &mut [Qty; LEVELS]) {
        let mut raw = self.best * tick_raw;
        for ((price, qty), lots) in prices.iter_mut().zip(qtys).zip(self.lots) {
            *price = if lots > 0 { Price::from_raw(raw) } else { Price::ABSENT };
            *qty = Lots::new(lots).qty();
            raw += step_raw;
        }
    }

    /// The best price moves outwards by `ticks` (inwards when negative); lots keep their price.
    #[inline]
    fn shift(&mut self, ticks: i64) {
        if ticks == 0 {
            return;
        }
        let old = self.lots;
        for (level, lots) in self.lots.iter_mut().enumerate() {
            let was = level as i64 + ticks;
            *lots = usize::try_from(was).ok().and_then(|was| old.get(was)).copied().unwrap_or(0);
        }
    }
}

/// The book of one contract.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub bid: Side,
    pub ask: Side,
    /// Ticks of spread beyond one.
    wide: i64,
    /// Usual lots of a level.
    depth: i64,
    lower: i64,
    upper: i64,
}

impl Book {
    /// An empty book whose levels hold about `depth` lots.
    pub fn new(depth: i64) -> Self {
        Self { depth, ..Self::default() }
    }

    /// A trading day begins with these limits, in ticks, and no orders.
    pub fn begin_day(&mut self, (lower, upper): (i64, i64)) {
        *self = Self { depth: self.depth, lower, upper, ..Self::default() };
    }

    /// The spread after one more step: wider in a busy market and after a jump, else back to one tick.
    #[inline]
    pub fn step_spread(&mut self, bits: u64, activity: i64, jumped: bool) {
        let draw = (bits & 0x3fff) as i64;
        if jumped {
            self.wide = (self.wide + 2).min(WIDE_MAX);
        } else if self.wide > 0 && draw < 0x1000 {
            self.wide -= 1;
        } else if draw >= 0x4000 - activity {
            self.wide = (self.wide + 1).min(WIDE_MAX);
        }
    }

    /// Draws both sides around `value` (ticks x 2^16) and lets the sizes move.
    #[inline]
    pub fn follow(&mut self, value: i64, rng: &mut Rng) {
        let spread = 1 + self.wide;
        let bid = (value - ((self.wide << SUBTICK_BITS) >> 1)) >> SUBTICK_BITS;
        let ask = bid + spread;
        let (locked_up, locked_down) = (ask > self.upper, bid < self.lower);
        // An empty side stands just outside the limit.
        let (bid, ask) = match (locked_up, locked_down) {
            (true, _) => (self.upper, self.upper + 1),
            (_, true) => (self.lower - 1, self.lower),
            _ => (bid, ask),
        };
        self.bid.shift(self.bid.best - bid);
        self.ask.shift(ask - self.ask.best);
        (self.bid.best, self.ask.best) = (bid, ask);
        refill(&mut self.bid.lots, self.depth, bid - self.lower + 1, locked_up, rng.bits());
        refill(&mut self.ask.lots, self.depth, self.upper - ask + 1, locked_down, rng.bits());
    }

    /// Writes both sides into a snapshot.
    #[inline]
    pub fn show(&self, tick_raw: i64, tick: &mut DepthTick) {
        self.bid.show(tick_raw, -tick_raw, &mut tick.bids, &mut tick.bid_qtys);
        self.ask.show(tick_raw, tick_raw, &mut tick.asks, &mut tick.ask_qtys);
    }
}

/// Lots revert to the level's mean with noise; a new level starts near it. Only the first `room` levels exist. Most
/// steps leave most levels alone.
#[inline]
fn refill(lots: &mut [i64; LEVELS], depth: i64, room: i64, locked: bool, bits: u64) {
    let mut bits = bits;
    for (level, lots) in lots.iter_mut().enumerate() {
        let noise = (bits & 0xff) as i64;
        let moves = bits & 0x300 == 0;
        bits >>= 10;
        let queue = if locked && level == 0 { LOCKED_QUEUE } else { 1 };
        let mean = (depth * (2 + level as i64) * queue / 4).max(1);
        *lots = match *lots {
            _ if level as i64 >= room => 0,
            0 => 1 + mean * (64 + noise) / 256,
            held if moves => (held + (mean - held) / 8 + mean * (noise - 128) / 512).max(1),
            held => held,
        };
    }
}
