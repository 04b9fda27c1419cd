//! A generated market: several futures and option boards over some trading days, drawn from a seed. Each contract is a
//! stream of its own (`contract`) around a latent price (`value`) with a five-level book (`book`) on a day planned ahead
//! (`plan`); a board (`board`) is one, too, with all of its instruments. [`Generated`] merges the streams by time. In: options and tables. Out, on the edge thread: instruments, phases,
//! snapshots as CTP would send them, settlements. The same options and tables give the same bytes on every machine.

mod blank;
mod board;
mod book;
mod build;
mod contract;
mod options;
mod plan;
mod rng;
mod sums;
mod value;

#[cfg(test)]
mod tests;

pub use board::{BoardSmile, short_name};
pub use options::{MarketBoard, MarketError, MarketOptions, MarketProduct};

use board::Board;
use contract::Contract;
use shrike_core::event::{InstrumentDef, MarketSlot, Rates};
use shrike_core::units::Nanos;
use shrike_core::venue::{MarketFeed, Next};

/// The market. About 150 ns an event; nothing is allocated after [`Generated::new`].
#[derive(Clone, Debug)]
pub struct Generated {
    instruments: Vec<InstrumentDef>,
    rates: Vec<Rates>,
    contracts: Vec<Contract>,
    boards: Vec<Board>,
    /// Instruments announced so far, of those of the start.
    announced: usize,
    /// The id of the next instrument that a board lists.
    next_id: u32,
    starts_at: Nanos,
    /// Which contract, or behind them which board, has the earliest event, the first on a tie.
    first: usize,
}

impl Generated {
    fn of(instruments: Vec<InstrumentDef>, rates: Vec<Rates>, contracts: Vec<Contract>, boards: Vec<Board>) -> Self {
        let next_id = instruments.len() as u32;
        let mut market =
            Self { instruments, rates, contracts, boards, announced: 0, next_id, starts_at: Nanos::MAX, first: 0 };
        market.find_first();
        market.starts_at = market.at();
        market
    }

    /// The smiles that the boards' quotes are drawn around at the next event's moment: what an estimate should find.
    pub fn smiles(&self) -> impl Iterator<Item = BoardSmile> {
        self.boards.iter().flat_map(Board::smiles)
    }

    /// The instruments of the start, by id, as the feed announces them. Boards list more on later days.
    pub fn instruments(&self) -> &[InstrumentDef] {
        &self.instruments
    }

    /// Margin and commission of each contract, by id: configured guesses, marked as assumed.
    pub fn rates(&self) -> &[Rates] {
        &self.rates
    }

    /// Goes past the next `events` events, as if they had been taken: where a restarted engine continues. Returns how
    /// many there were.
    pub fn skip(&mut self, events: u64) -> u64 {
        for skipped in 0..events {
            if self.announced < self.instruments.len() {
                self.announced += 1;
                continue;
            }
            if self.at() == Nanos::MAX {
                return skipped;
            }
            match self.contracts.get_mut(self.first) {
                Some(contract) => contract.advance(),
                None => self.pass_board(),
            }
            self.find_first();
        }
        events
    }

    /// When the earliest event of the streams happens.
    fn at(&self) -> Nanos {
        let board = || self.boards.get(self.first.wrapping_sub(self.contracts.len())).map(Board::at);
        self.contracts.get(self.first).map(Contract::at).or_else(board).unwrap_or(Nanos::MAX)
    }

    fn pass_board(&mut self) {
        if let Some(board) = self.boards.get_mut(self.first.wrapping_sub(self.contracts.len())) {
            board.pass(&mut self.next_id);
        }
    }

    #[inline]
    fn find_first(&mut self) {
        let streams = self.contracts.iter().map(Contract::at).chain(self.boards.iter().map(Board::at));
        self.first = streams.enumerate().min_by_key(|&(_, at)| at).map_or(0, |(index, _)| index);
    }
}

impl MarketFeed for Generated {
    fn next(&mut self) -> Next {
        if self.announced < self.instruments.len() {
            return Next::At(self.starts_at);
        }
        match self.at() {
            Nanos::MAX => Next::End,
            at => Next::At(at),
        }
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        if let Some(def) = self.instruments.get(self.announced) {
            slot.put(def);
            slot.header_mut().recv_ns = self.starts_at;
            self.announced += 1;
            return true;
        }
        let taken = match self.contracts.get_mut(self.first) {
            Some(contract) => contract.take(slot),
            None => {
                let board = self.boards.get_mut(self.first.wrapping_sub(self.contracts.len()));
                board.is_some_and(|board| board.take(slot, &mut self.next_id))
            }
        };
        self.find_first();
        taken
    }
}
