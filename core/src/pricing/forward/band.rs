//! The band in which quotes hold the forward: who crosses a bid with an ask of another strike trades the forward itself.

use super::ParityPair;

/// One side of a band: a forward, and the strike whose quotes give it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Edge {
    /// At which the forward can be sold (the bid) or bought (the ask).
    pub forward: f64,
    /// Strike of the call and put.
    pub strike: f64,
}

/// The best synthetic bid and ask over all strikes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Band {
    /// The highest forward at which one can be sold: call sold, put bought.
    pub bid: Option<Edge>,
    /// The lowest at which one can be bought: call bought, put sold.
    pub ask: Option<Edge>,
}

impl Band {
    /// Whether the band is crossed: a free profit, or, as is usual, a stale quote. Nothing should be priced off it.
    pub fn is_crossed(&self) -> bool {
        matches!((self.bid, self.ask), (Some(bid), Some(ask)) if bid.forward > ask.forward)
    }

    /// Whether a forward lies within.
    pub fn contains(&self, forward: f64) -> bool {
        self.bid.is_none_or(|bid| bid.forward <= forward) && self.ask.is_none_or(|ask| forward <= ask.forward)
    }

    fn of(pairs: &[ParityPair], bid: impl Fn(f64, f64) -> f64, ask: impl Fn(f64, f64) -> f64) -> Self {
        let mut band = Self { bid: None, ask: None };
        for pair in pairs {
            let strike = pair.strike;
            // Only what is quoted can be hit: an absent bid sells nothing.
            if pair.call_bid > 0.0 && pair.put_ask > 0.0 {
                let forward = bid(pair.call_bid - pair.put_ask, strike);
                if forward.is_finite() && band.bid.is_none_or(|best| forward > best.forward) {
                    band.bid = Some(Edge { forward, strike });
                }
            }
            if pair.call_ask > 0.0 && pair.put_bid > 0.0 {
                let forward = ask(pair.call_ask - pair.put_bid, strike);
                if forward.is_finite() && band.ask.is_none_or(|best| forward < best.forward) {
                    band.ask = Some(Edge { forward, strike });
                }
            }
        }
        band
    }
}

/// The band of European options.
pub fn executable_band(pairs: &[ParityPair], discount: f64) -> Band {
    Band::of(pairs, |value, strike| strike + value / discount, |value, strike| strike + value / discount)
}

/// The band of American options on a future, for which parity is only `future * discount - strike <= call - put <=
/// future - strike * discount`. The listed future is the forward; outside of this band it, or a quote, is stale.
pub fn american_band(pairs: &[ParityPair], discount: f64) -> Band {
    Band::of(pairs, |value, strike| value + strike * discount, |value, strike| (value + strike) / discount)
}
