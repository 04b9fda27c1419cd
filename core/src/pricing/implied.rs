//! Implied volatility of European options: of one price, of a chain as columns, and the band of a quote. Where there is
//! none the answer is a reason, never zero and never a guess. Here are the parity, the bounds and the reasons; the search
//! for what nearly all quotes are is `search.rs`, for the rest it is the crate `implied-vol` (after P. Jäckel, Let's be
//! rational, Wilmott 2015).

mod chain;
mod search;
mod start;

pub use chain::{Chain, Expiries, Vols, black_vols};

use super::{Expiry, OptionType};
use implied_vol::{DefaultSpecialFn, ImpliedBlackVolatility};

/// Why there is no volatility.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum NoVol {
    /// A price, forward, strike, rate or time that is none.
    #[error("input")]
    Input,
    /// No time is left: every volatility gives the same price.
    #[error("expired")]
    Expired,
    /// The price is at or below what exercise pays (discounted, for a European option): no time value.
    #[error("below_intrinsic")]
    BelowIntrinsic,
    /// The price is at or above what no volatility reaches: the forward for a call, the strike for a put.
    #[error("above_bound")]
    AboveBound,
    /// The time value is lost in the rounding of the price: it is below a few units of its last binary digit.
    #[error("unresolved")]
    Unresolved,
    /// Nobody quotes this side.
    #[error("absent")]
    Absent,
    /// Only one side is quoted, so there is no middle.
    #[error("one_sided")]
    OneSided,
    /// The bid is above the ask.
    #[error("crossed")]
    Crossed,
}

impl NoVol {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Input,
        Self::Expired,
        Self::BelowIntrinsic,
        Self::AboveBound,
        Self::Unresolved,
        Self::Absent,
        Self::OneSided,
        Self::Crossed,
    ];
}

/// The least time value that is not rounding, as a part of the price.
const TIME_VALUE_MIN: f64 = 8.0 * f64::EPSILON;

/// Whether a time value can be told from the price's rounding.
pub(super) fn time_value(value: f64, price: f64) -> Result<(), NoVol> {
    if value <= 0.0 {
        Err(NoVol::BelowIntrinsic)
    } else if value < TIME_VALUE_MIN * price {
        Err(NoVol::Unresolved)
    } else {
        Ok(())
    }
}

/// The volatility at which Black (1976) gives `price`. An option in the money is first turned by parity into the one out
/// of the money. Error: a few units of what the price's own rounding allows. Cost: about 145 ns, and 260 more for a
/// total volatility above 2.5, a log-moneyness above 6 or a strike 12 deviations away; [`black_vols`] takes a third of it.
///
/// # Errors
/// The reason why there is none.
pub fn black_vol(expiry: &Expiry, option_type: OptionType, strike: f64, price: f64) -> Result<f64, NoVol> {
    vol_of_discounted(expiry, expiry.discount(), option_type, strike, price)
}

fn vol_of_discounted(
    expiry: &Expiry,
    discount: f64,
    option_type: OptionType,
    strike: f64,
    price: f64,
) -> Result<f64, NoVol> {
    let Expiry { forward, years, .. } = *expiry;
    let positive = 0.0..f64::INFINITY;
    let undiscounted = price / discount;
    let valid = forward > 0.0
        && strike > 0.0
        && [forward, strike, years, undiscounted].iter().all(|value| positive.contains(value))
        && discount > 0.0;
    if !valid {
        return Err(if price < 0.0 { NoVol::BelowIntrinsic } else { NoVol::Input });
    }
    if years == 0.0 {
        return Err(NoVol::Expired);
    }
    let intrinsic = option_type.intrinsic(forward, strike);
    let out = undiscounted - intrinsic;
    time_value(out, undiscounted)?;
    if out >= forward.min(strike) {
        return Err(NoVol::AboveBound);
    }
    let vol = search::total_vol(out, forward.min(strike), forward.max(strike)) / years.sqrt();
    if found(vol) { Ok(vol) } else { by_jaeckel(out, forward, strike, years).ok_or(NoVol::Unresolved) }
}

/// Whether a search came to a volatility.
#[inline(always)]
fn found(vol: f64) -> bool {
    vol > 0.0 && vol < f64::INFINITY
}

/// The volatility of any price out of the money.
fn by_jaeckel(out: f64, forward: f64, strike: f64, years: f64) -> Option<f64> {
    ImpliedBlackVolatility::builder()
        .option_price(out)
        .forward(forward)
        .strike(strike)
        .expiry(years)
        .is_call(forward <= strike)
        .build_unchecked()
        .calculate::<DefaultSpecialFn>()
        .filter(|vol| found(*vol))
}

/// The volatilities of a quote. Rounding to ticks alone can move a volatility by percents, so a quote's is this band and
/// never only its middle.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct VolBand {
    /// Of the bid.
    pub bid: Result<f64, NoVol>,
    /// Of the middle price.
    pub mid: Result<f64, NoVol>,
    /// Of the ask.
    pub ask: Result<f64, NoVol>,
}

impl VolBand {
    /// The same reason for all three.
    pub const fn none(reason: NoVol) -> Self {
        Self { bid: Err(reason), mid: Err(reason), ask: Err(reason) }
    }

    /// The band of a quote by `vol`, the inverse of some model's price. A side that is not quoted is `None`; a quoted side
    /// has its volatility also when the other is missing.
    pub fn of(bid: Option<f64>, ask: Option<f64>, mut vol: impl FnMut(f64) -> Result<f64, NoVol>) -> Self {
        let mid = match (bid, ask) {
            (Some(bid), Some(ask)) if bid > ask => return Self::none(NoVol::Crossed),
            (Some(bid), Some(ask)) => vol(0.5 * (bid + ask)),
            (None, None) => Err(NoVol::Absent),
            _ => Err(NoVol::OneSided),
        };
        let mut side = |price: Option<f64>| price.map_or(Err(NoVol::Absent), &mut vol);
        Self { bid: side(bid), mid, ask: side(ask) }
    }
}

/// The band of a quote under Black (1976).
pub fn black_band(
    expiry: &Expiry,
    option_type: OptionType,
    strike: f64,
    bid: Option<f64>,
    ask: Option<f64>,
) -> VolBand {
    let discount = expiry.discount();
    VolBand::of(bid, ask, |price| vol_of_discounted(expiry, discount, option_type, strike, price))
}

/// The right that is out of the money at a strike, or at the money: the one whose quote tells the volatility best.
#[inline]
pub fn out_of_the_money(forward: f64, strike: f64) -> OptionType {
    if strike >= forward { OptionType::Call } else { OptionType::Put }
}

#[cfg(test)]
mod tests;
