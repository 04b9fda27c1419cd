//! Which quotes a smile is fitted to, and how much each counts. A rejected quote has a reason, so that a screen can say
//! why a strike is missing.

use super::Point;

/// One strike as the market quotes it, out-of-the-money side, in volatility.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SmileQuote {
    /// Log-moneyness.
    pub k: f64,
    /// Implied volatility of the bid; NaN where there is none.
    pub bid: f64,
    /// Implied volatility of the ask; NaN where there is none.
    pub ask: f64,
    /// Seconds since the quote last changed.
    pub age_s: f64,
}

/// What a quote must be to be fitted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Filter {
    /// The widest spread, in volatility.
    pub spread_max: f64,
    /// The widest spread, as a part of mid volatility.
    pub spread_max_ratio: f64,
    /// Half a spread counts as at least this, in volatility, so that a locked market does not pull everything.
    pub error_min: f64,
    /// The farthest strike, in standard deviations at the money.
    pub deviations_max: f64,
    /// The oldest quote, in seconds.
    pub age_max_s: f64,
}

impl Default for Filter {
    fn default() -> Self {
        Self { spread_max: 0.25, spread_max_ratio: 0.5, error_min: 1e-3, deviations_max: 6.0, age_max_s: 600.0 }
    }
}

/// Why a quote is not fitted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Rejection {
    /// Nobody bids, or the bid has no implied volatility.
    #[error("no bid that has a volatility")]
    NoBid,
    /// Nobody offers, or the ask has no implied volatility.
    #[error("no ask that has a volatility")]
    NoAsk,
    /// The bid is above the ask.
    #[error("bid above ask")]
    Crossed,
    /// The spread is wider than the filter allows.
    #[error("spread too wide")]
    Wide,
    /// The strike is farther from the money than the filter allows.
    #[error("strike too far from the money")]
    Far,
    /// The quote has not changed for too long.
    #[error("quote too old")]
    Old,
    /// The fit found it far from its neighbours.
    #[error("far from its neighbours")]
    Outlier,
}

impl Filter {
    /// The point to fit, or why there is none. `vol` is the volatility at the money and `years` those of the variance
    /// clock.
    pub fn admit(&self, quote: &SmileQuote, vol: f64, years: f64) -> Result<Point, Rejection> {
        let SmileQuote { k, bid, ask, age_s } = *quote;
        let mid = 0.5 * (bid + ask);
        if !(bid > 0.0) {
            Err(Rejection::NoBid)
        } else if !(ask.is_finite() && ask > 0.0) {
            Err(Rejection::NoAsk)
        } else if bid > ask {
            Err(Rejection::Crossed)
        } else if ask - bid > self.spread_max || ask - bid > self.spread_max_ratio * mid {
            Err(Rejection::Wide)
        } else if !(k.abs() <= self.deviations_max * vol * years.sqrt()) {
            Err(Rejection::Far)
        } else if age_s > self.age_max_s {
            Err(Rejection::Old)
        } else {
            // By the money's volatility where that is greater: a mid that is far too low must not count the more for it.
            let error = (0.5 * (ask - bid)).max(self.error_min) * 2.0 * mid.max(vol) * years;
            Ok(Point { k, w: mid * mid * years, weight: 1.0 / (error * error) })
        }
    }
}
