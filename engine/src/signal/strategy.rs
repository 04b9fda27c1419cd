//! What a strategy is: a fold over events, and a pure statement of what it wants. To add one: implement [`Strategy`] in a
//! file of `strategies/`; the room's README has the steps.
#![deny(clippy::float_arithmetic)]

use super::Market;
use shrike_core::codes::Urgency;
use shrike_core::event::Event;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Price};

/// A strategy. The signal stage calls [`Self::update`] with every event of the strategy's contracts (and its own fills,
/// order updates, refusals and holdings), then [`Self::intend`]; both on the signal thread, neither may block, allocate
/// or read a clock. A panic in either is contained: the strategy is marked failed and not called again.
pub trait Strategy: Send {
    /// Folds an event into the strategy's state. Called the same way live, in recovery and in verification.
    fn update(&mut self, market: &Market, event: Event<'_>);

    /// States what is wanted now that `instrument` moved. Stating the same again costs nothing and sends nothing.
    fn intend(&self, market: &Market, instrument: InstrumentId, intents: &mut Intents);

    /// Writes the state for a snapshot.
    fn save(&self, out: &mut Vec<u8>);

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not this strategy's; the caller then folds the journal instead.
    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedStateError>;
}

/// Saved bytes that do not belong to this strategy or its parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the saved state does not belong to this strategy and these parameters")]
pub struct SavedStateError;

/// What is wanted of one contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    /// Hold this many net lots.
    Position {
        /// Net lots, long positive.
        lots: Lots,
        /// Worst price to get there; absent: the market's.
        limit: Price,
        /// How to get there.
        urgency: Urgency,
    },
    /// Show these two sides.
    Quote {
        /// Bid price; absent: none.
        bid: Price,
        /// Ask price; absent: none.
        ask: Price,
        /// Lots to bid.
        bid_lots: Lots,
        /// Lots to ask.
        ask_lots: Lots,
    },
}

impl Intent {
    /// Nothing shown and nothing wanted.
    pub const NONE: Self =
        Self::Quote { bid: Price::ABSENT, ask: Price::ABSENT, bid_lots: Lots::ZERO, ask_lots: Lots::ZERO };
}

/// What a strategy states after one event: at most [`Self::MAX`] contracts.
#[derive(Clone, Debug)]
pub struct Intents {
    list: [(InstrumentId, Intent); Self::MAX],
    len: usize,
}

impl Default for Intents {
    fn default() -> Self {
        Self { list: [(InstrumentId::NONE, Intent::NONE); Self::MAX], len: 0 }
    }
}

impl Intents {
    /// Most contracts that one event may move.
    pub const MAX: usize = 16;

    /// States an intent. Beyond [`Self::MAX`] it is dropped and false returned; state it again on the next event.
    #[inline]
    pub fn state(&mut self, instrument: InstrumentId, intent: Intent) -> bool {
        match self.list.get_mut(self.len) {
            Some(place) => {
                *place = (instrument, intent);
                self.len += 1;
                true
            }
            None => false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&(InstrumentId, Intent)> {
        self.list.get(..self.len)?.get(index)
    }
}
