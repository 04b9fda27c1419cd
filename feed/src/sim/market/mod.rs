//! A generated market: several futures over some trading days, drawn from a seed. Each contract is a stream of its own
//! (`contract`) around a latent price (`value`) with a five-level book (`book`) on a day planned ahead (`plan`);
//! [`Generated`] merges the streams by time. In: options and tables. Out, on the edge thread: instruments, phases,
//! snapshots as CTP would send them, settlements. The same options and tables give the same bytes on every machine.

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

pub use options::{MarketError, MarketOptions, MarketProduct};

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
    /// Instruments announced so far.
    announced: usize,
    starts_at: Nanos,
    /// Which contract has the earliest event, the lowest id on a tie.
    first: usize,
}

impl Generated {
    fn of(instruments: Vec<InstrumentDef>, rates: Vec<Rates>, contracts: Vec<Contract>) -> Self {
        let starts_at = contracts.iter().map(Contract::at).min().unwrap_or(Nanos::MAX);
        let mut market = Self { instruments, rates, contracts, announced: 0, starts_at, first: 0 };
        market.find_first();
        market
    }

    /// The contracts, by id, as the feed announces them.
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
            match self.contracts.get_mut(self.first) {
                Some(contract) if contract.at() != Nanos::MAX => contract.advance(),
                _ => return skipped,
            }
            self.find_first();
        }
        events
    }

    #[inline]
    fn find_first(&mut self) {
        let earliest = self.contracts.iter().enumerate().min_by_key(|(_, contract)| contract.at());
        self.first = earliest.map_or(0, |(index, _)| index);
    }
}

impl MarketFeed for Generated {
    fn next(&mut self) -> Next {
        if self.announced < self.instruments.len() {
            return Next::At(self.starts_at);
        }
        match self.contracts.get(self.first).map(Contract::at) {
            Some(at) if at != Nanos::MAX => Next::At(at),
            _ => Next::End,
        }
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        if let Some(def) = self.instruments.get(self.announced) {
            slot.put(def);
            slot.header_mut().recv_ns = self.starts_at;
            self.announced += 1;
            return true;
        }
        let taken = self.contracts.get_mut(self.first).is_some_and(|contract| contract.take(slot));
        self.find_first();
        taken
    }
}
