//! A restatement of the account, as the order stage asks for it: contracts once for each trading day, then every order,
//! every trade, positions and funds. Orders and trades are told as they come; positions and funds wait for the end, and
//! are asked for again when a trade came while they were being answered.

use super::positions::Positions;
use super::queries::Ask;
use shrike_core::event::{FundsReport, Seq};

/// How often positions are asked for again: a busy account's are never still.
const REPEATS_MAX: u32 = 3;

/// How far a restatement is.
#[derive(Clone, Debug, Default)]
pub struct Resync {
    /// The order stage's number of its request.
    pub request: Seq,
    /// Answers that are in.
    done: usize,
    /// A trade came since the positions were asked for.
    moved: bool,
    repeats: u32,
    /// Lines told.
    pub orders: u32,
    /// Lines told.
    pub fills: u32,
    /// Lines of orders, trades and positions that could not be told: the books are then not complete.
    pub untold: u32,
    /// Lines gathered.
    pub positions: Positions,
    /// The funds, when they were told.
    pub funds: Option<FundsReport>,
}

const PARTS: [Ask; 5] = [Ask::Instruments, Ask::Orders, Ask::Trades, Ask::Positions, Ask::Funds];
const POSITIONS: usize = 3;

impl Resync {
    /// From the start. The contracts are left out when they are known for the day.
    pub fn new(request: Seq, listed: bool) -> Self {
        Self { request, done: usize::from(listed), ..Self::default() }
    }

    /// What must be asked next; `None` when every answer is in.
    pub fn next(&self) -> Option<Ask> {
        PARTS.get(self.done).copied()
    }

    /// A question is sent: lines of an earlier, broken answer count no more.
    pub fn begin(&mut self, ask: Ask) {
        match ask {
            Ask::Orders => (self.orders, self.untold) = (0, 0),
            Ask::Trades => self.fills = 0,
            Ask::Positions => {
                self.positions.clear();
                self.moved = false;
            }
            Ask::Funds => self.funds = None,
            _ => {}
        }
    }

    /// A trade came by the flow.
    pub const fn traded(&mut self) {
        self.moved = true;
    }

    /// An answer is complete.
    pub fn end(&mut self, ask: Ask) {
        if self.next() == Some(ask) {
            self.done += 1;
        }
        if self.next().is_none() && self.moved && self.repeats < REPEATS_MAX {
            self.repeats += 1;
            self.done = POSITIONS;
        }
    }
}
