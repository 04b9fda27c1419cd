//! The three families of rules: options on ETFs, on indices, on commodity futures.

use crate::codes::OptionType;
use crate::units::{Money, Price, SCALE};

/// An exchange's margin formula for a short option with its coefficients, all in units of 1e-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarginRule {
    /// Options on ETFs (SSE and SZSE, margin rules for stock options): the option, and of the underlying `ratio` less what
    /// it is out of the money, at least `floor` (for puts of the strike); a put never more than its strike.
    Etf {
        /// Part of the underlying.
        ratio: i64,
        /// The least part of it.
        floor: i64,
        /// What the broker multiplies the exchange's margin by.
        broker: i64,
    },
    /// Options on indices (CFFEX, rules of IO, HO and MO): the option, and of the index `ratio` less what it is out of the
    /// money, at least `floor` of `ratio` of the index (for puts of the strike).
    Index {
        /// Part of the index.
        ratio: i64,
        /// The least part of that.
        floor: i64,
        /// What the broker multiplies the exchange's margin by.
        broker: i64,
    },
    /// Options on futures (SHFE, INE, DCE, CZCE, GFEX): the option, and the future's margin less `relief` of what it is out
    /// of the money, at least `floor` of it.
    Commodity {
        /// Part of the out-of-the-money amount that is taken off.
        relief: i64,
        /// The least part of the future's margin.
        floor: i64,
        /// What the broker multiplies the exchange's margin by.
        broker: i64,
    },
}

/// A short option as the formulas see it. To open: settlement and underlying of the day before. To keep overnight: those
/// of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Short {
    /// Call or put.
    pub option_type: OptionType,
    /// Strike.
    pub strike: Price,
    /// Settlement price of the option.
    pub settlement: Price,
    /// Close of the ETF or index, or settlement of the future.
    pub underlying: Price,
    /// Units of the underlying per lot, as adjusted for dividends.
    pub unit: i64,
    /// Margin of the future, a part of its value in units of 1e-8; options on futures alone use it.
    pub future_ratio: i64,
}

/// One, in coefficients.
const ONE: i128 = SCALE as i128;

impl MarginRule {
    /// Margin of one short lot, rounded up to 1e-8; absent when a price is absent, a strike or unit is not positive, or it
    /// is beyond all money: an order is then refused, not let through.
    pub fn per_lot(&self, short: &Short) -> Money {
        self.amount(short).map_or(Money::ABSENT, Money::from_raw)
    }

    fn amount(&self, short: &Short) -> Option<i128> {
        let Short { option_type, unit, future_ratio, .. } = *short;
        let price = |price: Price| price.some().filter(|price| price.raw() >= 0).map(|price| i128::from(price.raw()));
        let (strike, settlement, underlying) =
            (price(short.strike)?, price(short.settlement)?, price(short.underlying)?);
        if strike == 0 || unit <= 0 {
            return None;
        }
        // Products of a price and a coefficient: units of 1e-16.
        let of = |value: i128, part: i64| value.checked_mul(i128::from(part));
        let out = match option_type {
            OptionType::Call => (strike - underlying).max(0),
            OptionType::Put => (underlying - strike).max(0),
        };
        let base = match option_type {
            OptionType::Call => underlying,
            OptionType::Put => strike,
        };
        let option = settlement * ONE;
        let (margin, broker) = match *self {
            Self::Etf { ratio, floor, broker } => {
                let margin = option + (of(underlying, ratio)? - out * ONE).max(of(base, floor)?);
                let most = if option_type == OptionType::Put { strike * ONE } else { i128::MAX };
                (margin.min(most), broker)
            }
            Self::Index { ratio, floor, broker } => {
                let least = of(of(base, ratio)? / ONE, floor)?;
                (option + (of(underlying, ratio)? - out * ONE).max(least), broker)
            }
            Self::Commodity { relief, floor, broker } => {
                let future = of(underlying, future_ratio)?;
                let least = of(future / ONE, floor)?;
                (option + (future - of(out, relief)?).max(least), broker)
            }
        };
        let exact = margin.checked_mul(i128::from(unit))?;
        // The broker's factor, rounded up twice at 1e-16 and 1e-8.
        let up = |value: i128| value.div_euclid(ONE) + i128::from(value.rem_euclid(ONE) > 0);
        let with_broker = up(exact.checked_mul(i128::from(broker))?);
        Some(up(with_broker))
    }
}
