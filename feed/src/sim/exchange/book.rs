//! The book of one contract: the levels that the market shows, and our orders among them. Market events and our orders
//! go in, executions come out. It knows prices, lots and time priority; nothing of accounts or reports.

use super::tape::{Tape, Trade};
use shrike_core::codes::Side;
use shrike_core::event::DepthTick;
use shrike_core::units::{Price, Qty, TradingDay};

/// Where the lots that leave a level without trading stood, seen from our order: the one thing snapshots cannot tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueueModel {
    /// Behind us, as far as there are any: only trades bring us forward. The careful assumption.
    Back,
    /// Evenly along the queue: the lots ahead shrink in proportion to the level.
    #[default]
    Proportional,
    /// Ahead of us: every cancellation brings us forward.
    Front,
}

/// One of our orders trades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Execution {
    /// Its number in the order table.
    pub(super) order: u32,
    pub(super) price: i64,
    pub(super) lots: i64,
    /// Whether the next execution is the other side of the same trade: both are ours.
    pub(super) paired: bool,
}

/// An order of ours in the book.
#[derive(Clone, Copy, Debug)]
struct Resting {
    order: u32,
    price: i64,
    lots: i64,
    /// Lots of others at our price that trade before us; `None` while the level has never been shown.
    ahead: Option<i64>,
}

/// A level of the market: the lots shown, and those that our orders have not taken since.
#[derive(Clone, Copy, Default, Debug)]
struct Level {
    price: i64,
    shown: i64,
    left: i64,
}

/// One side of the book. Prices are compared as seen from the side: `better` is higher for bids, lower for asks.
#[derive(Clone, Debug)]
struct Half {
    side: Side,
    levels: [Level; 5],
    depth: usize,
    /// Most levels ever shown: an order beyond the last of that many may stand in a queue that is not shown.
    depth_seen: usize,
    /// Ours, best price first, then first come.
    resting: Vec<Resting>,
}

impl Half {
    fn new(side: Side) -> Self {
        Self { side, levels: [Level::default(); 5], depth: 0, depth_seen: 0, resting: Vec::new() }
    }

    fn levels(&self) -> &[Level] {
        self.levels.get(..self.depth).unwrap_or(&[])
    }

    const fn better(&self, price: i64, than: i64) -> bool {
        match self.side {
            Side::Buy => price > than,
            Side::Sell => price < than,
        }
    }

    /// Whether an order of the other side with this limit trades with a price of this side.
    fn within(&self, price: i64, limit: Option<i64>) -> bool {
        limit.is_none_or(|limit| !self.better(limit, price))
    }

    /// Lots shown at a price, as far as the snapshot tells.
    fn shown(&self, price: i64, of: impl Fn(&Level) -> i64) -> Option<i64> {
        for level in self.levels() {
            if level.price == price {
                return Some(of(level));
            }
            if self.better(price, level.price) {
                return Some(0);
            }
        }
        (self.depth < self.depth_seen).then_some(0)
    }

    fn rest(&mut self, order: u32, price: i64, lots: i64) {
        let ahead = self.shown(price, |level| level.left);
        let at = self.resting.partition_point(|other| !self.better(price, other.price));
        self.resting.insert(at, Resting { order, price, lots, ahead });
    }

    /// Trades of the market meet our orders: those at better prices than the trade first, then those at its price as
    /// their turn comes. What our orders take of a trade, later ones do not get.
    fn meet(&mut self, trades: &[Trade], executions: &mut Vec<Execution>) {
        let from_best = |index: usize| match self.side {
            Side::Buy => trades.len() - 1 - index,
            Side::Sell => index,
        };
        for trade in (0..trades.len()).filter_map(|index| trades.get(from_best(index))) {
            let (mut lots, mut queue) = (trade.lots, 0);
            for resting in &mut self.resting {
                let through = match self.side {
                    Side::Buy => resting.price > trade.price,
                    Side::Sell => resting.price < trade.price,
                };
                if !through && resting.price != trade.price || lots == 0 {
                    break;
                }
                if !through {
                    // Others ahead of us trade first. With the queue unknown we do not trade at its price.
                    let Some(ahead) = resting.ahead else { break };
                    let first = (ahead - queue).clamp(0, lots);
                    (lots, queue) = (lots - first, queue + first);
                }
                let taken = resting.lots.min(lots);
                lots -= taken;
                resting.lots -= taken;
                if taken > 0 {
                    executions.push(Execution {
                        order: resting.order,
                        price: resting.price,
                        lots: taken,
                        paired: false,
                    });
                }
            }
            for resting in self.resting.iter_mut().filter(|resting| resting.price == trade.price) {
                resting.ahead = resting.ahead.map(|ahead| (ahead - queue).max(0));
            }
        }
        self.resting.retain(|resting| resting.lots > 0);
    }

    /// Shows the levels of a snapshot.
    fn show(&mut self, prices: &[Price; 5], qtys: &[Qty; 5]) {
        self.depth = 0;
        for (price, qty) in prices.iter().zip(qtys) {
            let lots = qty.lots().get();
            let (Some(price), 1..) = (price.some(), lots) else { break };
            if let Some(level) = self.levels.get_mut(self.depth) {
                *level = Level { price: price.raw(), shown: lots, left: lots };
                self.depth += 1;
            }
        }
        self.depth_seen = self.depth_seen.max(self.depth);
    }

    /// Shows the levels of a snapshot and moves our orders in their queues.
    fn follow(&mut self, prices: &[Price; 5], qtys: &[Qty; 5], trades: &[Trade], model: QueueModel) {
        let before = Self { resting: Vec::new(), ..*self };
        self.show(prices, qtys);
        for index in 0..self.resting.len() {
            let Some(&Resting { price, ahead, .. }) = self.resting.get(index) else { break };
            let traded = trades.iter().filter(|trade| trade.price == price).map(|trade| trade.lots).sum();
            let ahead = match (ahead, before.shown(price, |level| level.shown), self.shown(price, |level| level.shown))
            {
                (None, _, now) => now,
                (ahead, _, None) => ahead,
                (Some(ahead), before, Some(now)) => Some(model.moved(ahead, before, traded, now)),
            };
            if let Some(resting) = self.resting.get_mut(index) {
                resting.ahead = ahead;
            }
        }
    }

    /// The other side now shows prices at or beyond our orders: they trade, at our price, with what is shown.
    fn crossed_by(&mut self, other: &mut Half, executions: &mut Vec<Execution>) {
        for resting in &mut self.resting {
            for index in 0..other.depth {
                let Some(level) = other.levels.get_mut(index) else { break };
                let crosses = match self.side {
                    Side::Buy => level.price <= resting.price,
                    Side::Sell => level.price >= resting.price,
                };
                let lots = level.left.min(resting.lots);
                if !crosses || lots == 0 && resting.lots == 0 {
                    break;
                }
                if lots > 0 {
                    level.left -= lots;
                    resting.lots -= lots;
                    executions.push(Execution { order: resting.order, price: resting.price, lots, paired: false });
                }
            }
        }
        self.resting.retain(|resting| resting.lots > 0);
    }
}

impl QueueModel {
    /// Lots ahead after a snapshot. `ahead` has the traded lots off already; `before` and `now` are the lots shown at
    /// the price, `traded` those that traded there in between.
    fn moved(self, ahead: i64, before: Option<i64>, traded: i64, now: i64) -> i64 {
        let rest = (before.unwrap_or(now) - traded).max(0);
        let cancelled = (rest - now).max(0);
        let ahead = match self {
            Self::Back => ahead,
            Self::Front => ahead - cancelled,
            // Rounded so that a doubtful lot stays ahead of us.
            Self::Proportional if rest > 0 => {
                ahead - (cancelled as i128 * ahead.min(rest) as i128 / rest as i128) as i64
            }
            Self::Proportional => ahead,
        };
        ahead.clamp(0, now)
    }
}

/// Both sides, and the tape between snapshots.
#[derive(Clone, Debug)]
pub(super) struct Book {
    bids: Half,
    asks: Half,
    tape: Tape,
}

impl Book {
    pub(super) fn new() -> Self {
        Self { bids: Half::new(Side::Buy), asks: Half::new(Side::Sell), tape: Tape::default() }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// A trading day begins: nothing is shown, and the first snapshot counts from zero.
    pub(super) fn begin_day(&mut self, day: TradingDay) {
        self.tape.begin(day);
        self.hide();
    }

    /// Market data has a hole: what was shown, traded and queued is no longer known.
    pub(super) fn forget(&mut self) {
        self.tape.forget();
        self.hide();
        for resting in self.bids.resting.iter_mut().chain(&mut self.asks.resting) {
            resting.ahead = None;
        }
    }

    fn hide(&mut self) {
        (self.bids.depth, self.asks.depth) = (0, 0);
        (self.bids.depth_seen, self.asks.depth_seen) = (0, 0);
    }

    /// Puts an order into the queue at its price.
    pub(super) fn rest(&mut self, order: u32, side: Side, price: i64, lots: i64) {
        self.half(side).rest(order, price, lots);
    }

    /// Takes an order out.
    pub(super) fn remove(&mut self, order: u32) {
        self.bids.resting.retain(|resting| resting.order != order);
        self.asks.resting.retain(|resting| resting.order != order);
    }

    /// Lots that an order of `side` with this limit could trade now, up to `enough`.
    pub(super) fn available(&self, side: Side, limit: Option<i64>, enough: i64) -> i64 {
        let half = if side == Side::Buy { &self.asks } else { &self.bids };
        let levels = half.levels().iter().filter(|level| half.within(level.price, limit)).map(|level| level.left);
        let ours = half.resting.iter().filter(|resting| half.within(resting.price, limit)).map(|resting| resting.lots);
        levels.chain(ours).sum::<i64>().min(enough)
    }

    /// An order arrives and takes what the other side offers within its limit: price by price, at each price the market's
    /// lots ahead of ours first, then ours, never more than is shown. Gives the lots left.
    pub(super) fn sweep(
        &mut self,
        order: u32,
        side: Side,
        limit: Option<i64>,
        mut lots: i64,
        executions: &mut Vec<Execution>,
    ) -> i64 {
        let half = self.half(side.opposite());
        while lots > 0 {
            let level = half.levels().iter().position(|level| level.left > 0 && half.within(level.price, limit));
            let market = level.and_then(|index| half.levels().get(index)).copied();
            let own = half.resting.first().copied().filter(|resting| half.within(resting.price, limit));
            let market_first = match (market, own) {
                (None, None) => break,
                (None, Some(_)) => 0,
                (Some(level), None) => level.left,
                (Some(level), Some(own)) if level.price == own.price => level.left.min(own.ahead.unwrap_or(level.left)),
                (Some(level), Some(own)) if half.better(level.price, own.price) => level.left,
                (Some(_), Some(_)) => 0,
            };
            if let (Some(index), Some(level), 1..) = (level, market, market_first) {
                let taken = market_first.min(lots);
                lots -= taken;
                if let Some(level) = half.levels.get_mut(index) {
                    level.left -= taken;
                }
                for resting in half.resting.iter_mut().filter(|resting| resting.price == level.price) {
                    resting.ahead = resting.ahead.map(|ahead| (ahead - taken).max(0));
                }
                executions.push(Execution { order, price: level.price, lots: taken, paired: false });
            } else if let Some(own) = half.resting.first_mut() {
                let taken = own.lots.min(lots);
                (own.lots, lots) = (own.lots - taken, lots - taken);
                executions.push(Execution { order: own.order, price: own.price, lots: taken, paired: true });
                executions.push(Execution { order, price: own.price, lots: taken, paired: false });
                half.resting.retain(|resting| resting.lots > 0);
            }
        }
        lots
    }

    /// A snapshot in continuous trading.
    pub(super) fn snapshot(
        &mut self,
        tick: &DepthTick,
        multiplier: i64,
        tick_size: i64,
        model: QueueModel,
        executions: &mut Vec<Execution>,
    ) {
        let trades = self.tape.read(tick, multiplier, tick_size);
        self.bids.meet(trades.as_slice(), executions);
        self.asks.meet(trades.as_slice(), executions);
        self.bids.follow(&tick.bids, &tick.bid_qtys, trades.as_slice(), model);
        self.asks.follow(&tick.asks, &tick.ask_qtys, trades.as_slice(), model);
        self.bids.crossed_by(&mut self.asks, executions);
        self.asks.crossed_by(&mut self.bids, executions);
    }

    /// A snapshot while nothing matches: it is shown, and what traded is not ours. Gives the lots that traded.
    pub(super) fn look(&mut self, tick: &DepthTick, multiplier: i64, tick_size: i64) -> i64 {
        let trades = self.tape.read(tick, multiplier, tick_size);
        self.bids.show(&tick.bids, &tick.bid_qtys);
        self.asks.show(&tick.asks, &tick.ask_qtys);
        trades.lots()
    }

    /// A call auction matched `lots` at `price`: our orders with better prices trade there, as far as the lots reach.
    /// At the auction's price itself the exchange rations by time, which cannot be known: those stay.
    pub(super) fn auction(&mut self, price: i64, lots: i64, executions: &mut Vec<Execution>) {
        for half in [&mut self.bids, &mut self.asks] {
            let mut budget = lots;
            let (side, resting) = (half.side, &mut half.resting);
            for resting in resting.iter_mut() {
                let better = if side == Side::Buy { resting.price > price } else { resting.price < price };
                let taken = if better { resting.lots.min(budget) } else { 0 };
                if taken > 0 {
                    budget -= taken;
                    resting.lots -= taken;
                    executions.push(Execution { order: resting.order, price, lots: taken, paired: false });
                }
            }
            resting.retain(|resting| resting.lots > 0);
        }
    }

    /// Continuous trading begins: orders held through an auction meet the book, first come first, and queue behind it.
    pub(super) fn release(&mut self, executions: &mut Vec<Execution>) {
        let mut held: Vec<(Side, Resting)> = Vec::new();
        for half in [&mut self.bids, &mut self.asks] {
            let side = half.side;
            held.extend(half.resting.drain(..).map(|resting| (side, resting)));
        }
        held.sort_unstable_by_key(|(_, resting)| resting.order);
        for (side, Resting { order, price, lots, .. }) in held {
            let left = self.sweep(order, side, Some(price), lots, executions);
            if left > 0 {
                self.rest(order, side, price, left);
            }
        }
    }

    /// Whether the next snapshot of the day continues what was seen.
    pub(super) fn follows(&self, day: TradingDay) -> bool {
        self.tape.follows(day)
    }
}
