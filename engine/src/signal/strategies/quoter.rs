//! A two-sided quoter: shows lots at the touch (or some ticks away), leans against its holding, and shows nothing outside
//! continuous trading, in a gap, or next to a price limit.

use crate::signal::{Intent, Intents, Market, SavedStateError, Strategy};
use shrike_core::codes::PhaseKind;
use shrike_core::event::Event;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Price};

/// Parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoterParams {
    /// Lots on each side.
    pub lots: Lots,
    /// Ticks behind the best price; zero joins it.
    pub edge_ticks: i64,
    /// Ticks by which both sides move against the holding when it is at its maximum.
    pub skew_ticks: i64,
    /// Most net lots held either way: the side that would exceed it is not shown.
    pub max_position_lots: Lots,
    /// Narrowest spread, in ticks, in which it quotes.
    pub min_spread_ticks: i64,
}

/// The strategy. Its only state is its number: everything else is the market's.
pub struct Quoter {
    id: u32,
    params: QuoterParams,
}

impl Quoter {
    /// Strategy number `id` with these parameters.
    pub const fn new(id: u32, params: QuoterParams) -> Self {
        Self { id, params }
    }

    /// Bid and ask wanted now; absent where none.
    #[inline]
    fn sides(&self, market: &Market, instrument: InstrumentId) -> Option<(Price, Price)> {
        let (def, tick) = (market.instrument(instrument)?, market.tick(instrument)?);
        let ([best_bid, ..], [best_ask, ..]) = (tick.bids, tick.asks);
        let spread = best_ask.minus(best_bid);
        let quiet = market.phase(instrument) != PhaseKind::Continuous || !market.is_live(instrument);
        if quiet || best_bid.is_absent() || best_ask.is_absent() {
            return None;
        }
        if spread.raw() < self.params.min_spread_ticks.checked_mul(def.tick.raw())? {
            return None;
        }
        let (held, most) = (market.holding(self.id, instrument).get(), self.params.max_position_lots.get().max(1));
        let skew = self.params.skew_ticks.saturating_mul(held) / most;
        let step = |price: Price, ticks: i64| price.plus(Price::from_raw(def.tick.raw().saturating_mul(ticks)));
        let bid = step(best_bid, -self.params.edge_ticks - skew.max(0));
        let ask = step(best_ask, self.params.edge_ticks - skew.min(0));
        let inside = |price: Price| {
            (tick.lower_limit.is_absent() || price > tick.lower_limit)
                && (tick.upper_limit.is_absent() || price < tick.upper_limit)
        };
        let shown = |price: Price, room: bool| if room && inside(price) { price } else { Price::ABSENT };
        let lots = self.params.lots.get();
        Some((shown(bid, held + lots <= most), shown(ask, held - lots >= -most)))
    }
}

impl Strategy for Quoter {
    fn update(&mut self, _market: &Market, _event: Event<'_>) {}

    #[inline]
    fn intend(&self, market: &Market, instrument: InstrumentId, intents: &mut Intents) {
        let (bid, ask) = self.sides(market, instrument).unwrap_or((Price::ABSENT, Price::ABSENT));
        let lots = |price: Price| if price.is_present() { self.params.lots } else { Lots::ZERO };
        intents.state(instrument, Intent::Quote { bid, ask, bid_lots: lots(bid), ask_lots: lots(ask) });
    }

    fn save(&self, _out: &mut Vec<u8>) {}

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedStateError> {
        if bytes.is_empty() { Ok(()) } else { Err(SavedStateError) }
    }
}
