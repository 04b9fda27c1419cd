//! A strategy without sense: wants now this, now that, far and near, more than it may have, one side and then the other,
//! and changes its mind at once. What it wants is a function of the snapshots it has folded, as every strategy's is.

use crate::rng::mix;
use shrike_core::codes::Urgency;
use shrike_core::event::Event;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Price};
use shrike_engine::signal::{Intent, Intents, Market, SavedStateError, Strategy};

/// Contracts that it keeps count of.
const CONTRACTS: usize = 8;

/// The strategy.
#[derive(Clone, Debug)]
pub struct Fickle {
    seed: u64,
    /// It shows quotes in every contract, or in none.
    quotes: bool,
    /// Snapshots between changes of mind.
    every: u64,
    /// Most lots wanted.
    lots_max: i64,
    seen: [u64; CONTRACTS],
    fills: u64,
}

impl Fickle {
    /// A strategy of this seed.
    pub const fn new(seed: u64, quotes: bool, every: u64, lots_max: i64) -> Self {
        Self { seed, quotes, every, lots_max, seen: [0; CONTRACTS], fills: 0 }
    }

    fn position(chance: u64, mid: Price, tick: Price, lots_max: i64) -> Intent {
        let wide = (2 * lots_max + 1) as u64;
        let lots = match chance % 16 {
            0 => 0,
            1 => 1_000_000,
            2 => -1_000_000,
            _ => (chance >> 8) as i64 & i64::MAX,
        };
        let lots = if lots.abs() > 1 && lots.abs() != 1_000_000 { lots % wide as i64 - lots_max } else { lots };
        let limit = match chance >> 4 & 7 {
            0 => Price::from_raw(mid.raw() + ((chance >> 24) as i64 & 7) * tick.raw() - 3 * tick.raw()),
            // Off the tick, or out of this world.
            1 if chance >> 30 & 31 == 0 => Price::from_raw(mid.raw() + 1),
            2 if chance >> 30 & 31 == 0 => Price::from_raw(mid.raw() * 3),
            _ => Price::ABSENT,
        };
        let urgency = if chance >> 40 & 1 == 0 { Urgency::Aggressive } else { Urgency::Passive };
        Intent::Position { lots: Lots::new(lots), limit, urgency }
    }

    fn quote(chance: u64, bid: Price, ask: Price, tick: Price) -> Intent {
        let lots = |chance: u64| Lots::new((chance % 4) as i64);
        let off = |chance: u64| ((chance % 4) as i64 - 1) * tick.raw();
        Intent::Quote {
            bid: if chance & 15 == 0 { Price::ABSENT } else { Price::from_raw(bid.raw() - off(chance >> 8)) },
            ask: if chance & 240 == 0 { Price::ABSENT } else { Price::from_raw(ask.raw() + off(chance >> 16)) },
            bid_lots: lots(chance >> 24),
            ask_lots: lots(chance >> 32),
        }
    }
}

impl Strategy for Fickle {
    fn update(&mut self, _market: &Market, event: Event<'_>) {
        match event {
            Event::DepthTick(tick) => {
                if let Some(seen) = self.seen.get_mut(tick.instrument.index()) {
                    *seen += 1;
                }
            }
            Event::Fill(_) => self.fills += 1,
            _ => {}
        }
    }

    fn intend(&self, market: &Market, instrument: InstrumentId, intents: &mut Intents) {
        let (Some(tick), Some(def), Some(seen)) =
            (market.tick(instrument), market.instrument(instrument), self.seen.get(instrument.index()))
        else {
            return;
        };
        let [bid, ..] = tick.bids;
        let [ask, ..] = tick.asks;
        if *seen == 0 || bid.is_absent() || ask.is_absent() {
            return;
        }
        // A change of mind comes with snapshots and not with fills, so that targets stand still for a while.
        let mind = seen / self.every;
        let chance = mix(self.seed ^ u64::from(instrument.get()) << 48 ^ mind);
        let intent = if self.quotes {
            Self::quote(chance, bid, ask, def.tick)
        } else {
            let anchor = Price::from_raw(bid.raw() / def.tick.raw() / 4 * 4 * def.tick.raw());
            Self::position(chance, anchor, def.tick, self.lots_max)
        };
        intents.state(instrument, intent);
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.seen.iter().chain([&self.fills]).for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedStateError> {
        if bytes.len() != (CONTRACTS + 1) * 8 {
            return Err(SavedStateError);
        }
        let places = self.seen.iter_mut().chain([&mut self.fills]);
        for (place, bytes) in places.zip(bytes.chunks_exact(8)) {
            *place = u64::from_le_bytes(bytes.try_into().map_err(|_| SavedStateError)?);
        }
        Ok(())
    }
}
