//! Option mathematics: pure functions of numbers, without I/O, clock or state, called by the signal thread (hedging), by
//! the slow path (surfaces) and by research. Floats are at home here and nowhere else in this crate: prices enter as
//! plain numbers of one currency unit and leave so, and whoever turns them into orders rounds them to ticks.
//!
//! - [`elementary`], [`normal`]: exponential, logarithm and the normal distribution, the same on every host
//! - [`black`], [`bachelier`]: European options on a forward, their Greeks, one or a chain at once
//! - [`implied`]: implied volatility of one price or a chain at once, the band of a quote, the reason where there is none
//! - [`american`]: options on futures with early exercise: price, Greeks, implied volatility, boundaries kept for reuse
//! - [`clock`], [`forward`]: time left and the forward, as a market gives them
//! - [`smile`], [`surface`]: implied volatility by strike and by expiry, without arbitrage
//! - [`portfolio`], [`margin`]: what positions are worth, do and cost
//!
//! Conventions, everywhere: delta and gamma are with respect to the **forward**; vega, vanna and volga to one unit of
//! volatility (1.00, not one point); theta and charm are changes per **year that passes**; rho is with respect to the
//! continuously compounded rate at a fixed forward.
#![allow(clippy::float_arithmetic, reason = "mathematics of options; no amount of money is kept here")]

pub mod american;
pub mod bachelier;
pub mod black;
pub mod elementary;
pub mod implied;
pub mod normal;
#[cfg(test)]
mod oracle;

pub mod clock;
pub mod forward;
mod least_squares;
pub mod margin;
pub mod portfolio;
pub mod smile;
pub mod surface;

pub use crate::codes::{OptionStyle, OptionType};

impl OptionType {
    /// 1 for a call, -1 for a put.
    #[inline]
    pub const fn sign(self) -> f64 {
        match self {
            Self::Call => 1.0,
            Self::Put => -1.0,
        }
    }

    /// What exercising pays: never below zero.
    #[inline]
    pub fn intrinsic(self, forward: f64, strike: f64) -> f64 {
        (self.sign() * (forward - strike)).max(0.0)
    }
}

/// What an option's value depends on beside its strike, right and volatility; one for all options of an expiry.
///
/// Two clocks run: variance accrues over trading time, money over calendar time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Expiry {
    /// The forward, or the price of the listed future, to that expiry.
    pub forward: f64,
    /// Time left over which variance accrues, in years of the volatility's clock.
    pub years: f64,
    /// Continuously compounded rate per year of `discount_years`.
    pub rate: f64,
    /// Time left over which is discounted, in calendar years.
    pub discount_years: f64,
}

impl Expiry {
    /// Both clocks run alike.
    #[inline]
    pub const fn new(forward: f64, years: f64, rate: f64) -> Self {
        Self { forward, years, rate, discount_years: years }
    }

    /// The value now of one unit paid at expiry.
    #[inline]
    pub fn discount(&self) -> f64 {
        elementary::exp(-self.rate * self.discount_years)
    }
}

/// A price and its derivatives, in the units of this module's conventions. Not a number throughout where the input
/// is none (a negative strike, a volatility that is not finite).
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Greeks {
    /// Value now, of one unit of the underlying.
    pub price: f64,
    /// Per unit of the forward.
    pub delta: f64,
    /// Change of delta per unit of the forward.
    pub gamma: f64,
    /// Per unit of volatility.
    pub vega: f64,
    /// Per year that passes on both clocks: `rate * price` less the decay.
    pub theta: f64,
    /// Per unit of the rate, the forward held.
    pub rho: f64,
    /// Change of delta per unit of volatility, and of vega per unit of the forward.
    pub vanna: f64,
    /// Change of vega per unit of volatility.
    pub volga: f64,
    /// Change of delta per year that passes.
    pub charm: f64,
}

impl Greeks {
    /// No value at all.
    pub const NAN: Self = Self {
        price: f64::NAN,
        delta: f64::NAN,
        gamma: f64::NAN,
        vega: f64::NAN,
        theta: f64::NAN,
        rho: f64::NAN,
        vanna: f64::NAN,
        volga: f64::NAN,
        charm: f64::NAN,
    };
}
