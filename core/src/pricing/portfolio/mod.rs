//! What a book of options does: its Greeks as a desk reads them ([`Exposure`]), what moves of the market would make of it
//! ([`Ladder`]), and where a result came from ([`Attribution`]). For the slow path and for research; amounts here are
//! estimates in `f64`, the account's money is the ledger's.

mod attribution;
mod exposure;
mod ladder;
mod moves;

#[cfg(test)]
mod tests;

pub use attribution::{Attribution, LegStep, Trade};
pub use exposure::{Exposure, TRADING_DAYS};
pub use ladder::{Cell, Ladder, Shock};
pub use moves::VolMove;

use super::{Expiry, Greeks, OptionStyle, OptionType, american, black};

/// What is held in one contract.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Leg {
    /// What it is.
    pub contract: Contract,
    /// Place of its expiry in the list of expiries.
    pub expiry: usize,
    /// Lots held; negative when short.
    pub lots: f64,
    /// Units of the underlying per lot.
    pub unit: f64,
}

/// A contract of one expiry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Contract {
    /// The underlying itself, or its future: worth the forward.
    Underlying,
    /// An option.
    Option {
        /// Call or put.
        option_type: OptionType,
        /// Strike.
        strike: f64,
        /// Volatility.
        vol: f64,
        /// When it may be exercised. American options are on futures.
        style: OptionStyle,
    },
}

impl Leg {
    /// Value and Greeks of one unit. Cost: 70 ns; of an American option, 33 us.
    pub fn greeks(&self, expiry: &Expiry) -> Greeks {
        match self.contract {
            Contract::Underlying => Greeks { price: expiry.forward, delta: 1.0, ..Greeks::default() },
            Contract::Option { option_type, strike, vol, style: OptionStyle::European } => {
                black::greeks(expiry, option_type, strike, vol)
            }
            Contract::Option { option_type, strike, vol, style: OptionStyle::American } => {
                american::greeks(expiry, option_type, strike, vol)
            }
        }
    }

    /// Value of one unit. Cost: 70 ns; of an American option, 7 us.
    pub fn price(&self, expiry: &Expiry) -> f64 {
        match self.contract {
            Contract::Option { option_type, strike, vol, style: OptionStyle::American } => {
                american::price(expiry, option_type, strike, vol)
            }
            _ => self.greeks(expiry).price,
        }
    }

    /// Units held.
    pub fn units(&self) -> f64 {
        self.lots * self.unit
    }

    /// The same with another volatility; the underlying has none.
    #[must_use]
    pub fn with_vol(self, vol: f64) -> Self {
        match self.contract {
            Contract::Underlying => self,
            Contract::Option { option_type, strike, style, .. } => {
                Self { contract: Contract::Option { option_type, strike, vol, style }, ..self }
            }
        }
    }
}
