//! What strategies want, as last stated, and what stands in the way of each side. One row per strategy and contract;
//! a queue of rows that moved since they were last looked at.

use shrike_core::codes::{RefusalReason, Side};
use shrike_core::event::{TargetPosition, TargetQuote};
use shrike_core::instrument::InstrumentId;
use shrike_core::seeded::{self, Bug};
use shrike_core::units::{Lots, Nanos, Price};

/// What is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wanted {
    /// Nothing was ever stated.
    #[default]
    Nothing,
    /// Net lots.
    Position {
        /// Net lots, long positive.
        lots: Lots,
        /// Worst price; absent: the market's.
        limit: Price,
        /// Whether to cross the spread.
        aggressive: bool,
    },
    /// Two sides.
    Quote {
        /// Price and lots by side: bid, ask. Absent price: none.
        sides: [(Price, Lots); 2],
    },
}

/// What stands in the way of one side of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Obstacle {
    /// The refusal last told, to tell each only once.
    pub told: Option<(RefusalReason, i32)>,
    /// Rejections by the venue in a row.
    pub rejects: u32,
    /// Price that the venue rejected: another is needed. Absent: any.
    pub not_at: Price,
    /// Nothing is sent before this time.
    pub until_ns: Nanos,
    /// Nothing is sent for this revision or earlier ones; zero: none given up.
    pub given_up: u64,
    /// The venue's error of the last rejection.
    pub error: i32,
}

/// One strategy's intent in one contract.
///
/// What every tick looks at fills the first cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Row {
    /// What is wanted.
    pub wanted: Wanted,
    /// Its revision.
    pub revision: u64,
    /// The signal stage's epoch in which it was stated: revisions count within one.
    pub epoch: u8,
    queued: bool,
    /// By side: buy, sell.
    pub obstacles: [Obstacle; 2],
}

const _: () = assert!(std::mem::offset_of!(Row, queued) < 64);

/// A row's place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pair {
    /// The strategy's number, from 1; 0 is the engine itself.
    pub strategy: u32,
    /// The contract.
    pub instrument: InstrumentId,
}

/// Index of a side in two-element arrays.
#[inline]
pub const fn side_index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// All rows.
#[derive(Debug)]
pub struct Targets {
    pub(super) rows: Vec<Row>,
    pub(super) strategies: usize,
    /// Contracts from here on have no row with an intent.
    pub(super) stated: usize,
    queue: Vec<Pair>,
    next: usize,
    /// Rows without an intent are looked at too: everything that anyone holds is to be closed.
    pub(super) flatten: bool,
}

impl Targets {
    /// Rows for strategies 0 to `strategies_max` in `instruments_max` contracts.
    pub fn new(strategies_max: usize, instruments_max: usize) -> Self {
        let strategies = strategies_max + 1;
        let len = strategies * instruments_max;
        let queue = Vec::with_capacity(len);
        Self { rows: vec![Row::default(); len], strategies, stated: 0, queue, next: 0, flatten: false }
    }

    #[inline]
    fn index(&self, pair: Pair) -> Option<usize> {
        let strategy = pair.strategy as usize;
        (strategy < self.strategies).then(|| pair.instrument.index().saturating_mul(self.strategies) + strategy)
    }

    /// A row; `None` when strategy or contract are beyond the table.
    #[inline]
    pub fn get(&self, pair: Pair) -> Option<&Row> {
        self.rows.get(self.index(pair)?)
    }

    /// A row to change.
    #[inline]
    pub fn get_mut(&mut self, pair: Pair) -> Option<&mut Row> {
        let index = self.index(pair)?;
        self.rows.get_mut(index)
    }

    /// Takes a stated position; false when it is older than what is held, or beyond the table.
    pub fn set_position(&mut self, target: &TargetPosition, epoch: u8) -> bool {
        let pair = Pair { strategy: target.strategy, instrument: target.instrument };
        let aggressive = target.urgency == shrike_core::codes::Urgency::Aggressive.code();
        self.set(
            pair,
            (epoch, target.revision),
            Wanted::Position { lots: target.lots, limit: target.limit, aggressive },
        )
    }

    /// Takes a stated quote; false as [`Self::set_position`].
    pub fn set_quote(&mut self, target: &TargetQuote, epoch: u8) -> bool {
        let pair = Pair { strategy: target.strategy, instrument: target.instrument };
        let sides = [(target.bid, target.bid_lots), (target.ask, target.ask_lots)];
        self.set(pair, (epoch, target.revision), Wanted::Quote { sides })
    }

    /// A later epoch's revisions may start below what is held.
    fn set(&mut self, pair: Pair, stated: (u8, u64), wanted: Wanted) -> bool {
        match self.get_mut(pair) {
            Some(row) if stated > (row.epoch, row.revision) || seeded::on(Bug::OldIntentTaken) => {
                if stated.0 != row.epoch {
                    // Its revisions count anew, and so must what was given up.
                    row.obstacles.iter_mut().for_each(|obstacle| obstacle.given_up = 0);
                }
                row.wanted = wanted;
                (row.epoch, row.revision) = stated;
                self.stated = self.stated.max(pair.instrument.index() + 1);
                self.touch(pair);
                true
            }
            _ => false,
        }
    }

    /// Puts a row in the queue of those to look at.
    #[inline]
    pub fn touch(&mut self, pair: Pair) {
        let flatten = self.flatten;
        if let Some(row) = self.get_mut(pair)
            && !row.queued
            && (row.wanted != Wanted::Nothing || flatten)
        {
            row.queued = true;
            self.queue.push(pair);
        }
    }

    /// Puts every strategy's row of a contract in the queue.
    #[inline]
    pub fn touch_instrument(&mut self, instrument: InstrumentId) {
        // Beyond what was ever stated there is nothing to want.
        if instrument.index() >= self.stated && !self.flatten {
            return;
        }
        let first = instrument.index().saturating_mul(self.strategies);
        let rows = self.rows.get_mut(first..first.saturating_add(self.strategies)).unwrap_or_default();
        for (strategy, row) in (0..).zip(rows) {
            if !row.queued && (row.wanted != Wanted::Nothing || self.flatten) {
                row.queued = true;
                self.queue.push(Pair { strategy, instrument });
            }
        }
    }

    /// Puts every row in the queue.
    pub fn touch_all(&mut self) {
        let end = if self.flatten { self.rows.len() / self.strategies } else { self.stated };
        (0..end as u32).for_each(|index| self.touch_instrument(InstrumentId::new(index)));
    }

    /// The row to look at; `None` when the queue is done.
    #[inline]
    pub fn current(&self) -> Option<Pair> {
        self.queue.get(self.next).copied()
    }

    /// Done with the current row: it needs nothing more now.
    #[inline]
    pub fn advance(&mut self) {
        if let Some(pair) = self.current() {
            self.next += 1;
            if let Some(row) = self.get_mut(pair) {
                row.queued = false;
            }
        }
        if self.next >= self.queue.len() {
            self.queue.clear();
            self.next = 0;
        }
    }

    /// Forgets the queue: a new input begins.
    #[inline]
    pub fn clear_queue(&mut self) {
        while self.current().is_some() {
            self.advance();
        }
    }

    /// A failed strategy's quotes are pulled; its positions are held.
    pub fn pull_quotes(&mut self, strategy: u32) {
        let nothing = [(Price::ABSENT, Lots::ZERO); 2];
        for index in 0..self.stated as u32 {
            let pair = Pair { strategy, instrument: InstrumentId::new(index) };
            if let Some(row) = self.get_mut(pair)
                && let Wanted::Quote { sides } = &mut row.wanted
            {
                *sides = nothing;
                self.touch(pair);
            }
        }
    }

    /// What the venue refused in a contract may be tried again: its session opens.
    pub fn forget_obstacles_of(&mut self, instrument: InstrumentId) {
        for strategy in 0..self.strategies as u32 {
            if let Some(row) = self.get_mut(Pair { strategy, instrument }) {
                row.obstacles = Default::default();
            }
        }
    }

    /// What the venue refused may be tried again: a new trading day, or the operator says so.
    pub fn forget_obstacles(&mut self) {
        for row in &mut self.rows {
            row.obstacles = Default::default();
        }
    }

    /// Every row with an intent.
    pub fn iter(&self) -> impl Iterator<Item = (Pair, &Row)> {
        self.rows.iter().enumerate().filter(|(_, row)| row.wanted != Wanted::Nothing).map(|(index, row)| {
            let strategy = (index % self.strategies) as u32;
            let instrument = InstrumentId::new((index / self.strategies) as u32);
            (Pair { strategy, instrument }, row)
        })
    }
}
