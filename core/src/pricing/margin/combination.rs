//! Combined positions that the stock exchanges margin together (SSE and SZSE, rules for combination strategies). The two
//! legs have one underlying, expiry and unit.

use super::{MarginRule, Short};
use crate::codes::OptionType;
use crate::units::{Lots, Money};

/// A combination, by the exchanges' codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combination {
    /// `CNSJC`, bull spread of calls: the lower strike held, the higher short.
    BullCall,
    /// `CXSJC`, bear spread of calls: the higher strike held, the lower short.
    BearCall,
    /// `PNSJC`, bull spread of puts: the lower strike held, the higher short.
    BullPut,
    /// `PXSJC`, bear spread of puts: the higher strike held, the lower short.
    BearPut,
    /// `KS`, short straddle: call and put of one strike, both short.
    Straddle,
    /// `KKS`, short strangle: a call of a higher strike and a put of a lower, both short.
    Strangle,
}

/// Legs that do not make the combination.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the legs do not make a {code}: {expected}")]
pub struct CombinationError {
    /// The exchanges' code.
    pub code: &'static str,
    /// What the legs must be.
    pub expected: &'static str,
}

impl Combination {
    /// The exchanges' code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BullCall => "CNSJC",
            Self::BearCall => "CXSJC",
            Self::BullPut => "PNSJC",
            Self::BearPut => "PXSJC",
            Self::Straddle => "KS",
            Self::Strangle => "KKS",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::BullCall => "a call held and a call of a higher strike short, with the same unit",
            Self::BearCall => "a call held and a call of a lower strike short, with the same unit",
            Self::BullPut => "a put held and a put of a higher strike short, with the same unit",
            Self::BearPut => "a put held and a put of a lower strike short, with the same unit",
            Self::Straddle => "a call and a put short, of the same strike and unit",
            Self::Strangle => "a call short and a put of a lower strike short, with the same unit",
        }
    }

    /// Margin of one combination: for spreads `first` is the leg held and `second` the short one; for the others the call
    /// and the put. Absent as for single lots.
    pub fn per_lot(self, rule: &MarginRule, first: &Short, second: &Short) -> Result<Money, CombinationError> {
        let error = CombinationError { code: self.code(), expected: self.expected() };
        let both = |option_type| first.option_type == option_type && second.option_type == option_type;
        let call_and_put = first.option_type == OptionType::Call && second.option_type == OptionType::Put;
        let fits = first.unit == second.unit
            && match self {
                Self::BullCall => both(OptionType::Call) && first.strike < second.strike,
                Self::BearCall => both(OptionType::Call) && first.strike > second.strike,
                Self::BullPut => both(OptionType::Put) && first.strike < second.strike,
                Self::BearPut => both(OptionType::Put) && first.strike > second.strike,
                Self::Straddle => call_and_put && first.strike == second.strike,
                Self::Strangle => call_and_put && first.strike > second.strike,
            };
        if !fits || first.strike.is_absent() || second.strike.is_absent() {
            return Err(error);
        }
        Ok(match self {
            Self::BullCall | Self::BearPut => Money::ZERO,
            Self::BearCall => first.strike.minus(second.strike).value(Lots::new(1), first.unit),
            Self::BullPut => second.strike.minus(first.strike).value(Lots::new(1), first.unit),
            Self::Straddle | Self::Strangle => {
                let (one, other) = (rule.per_lot(first), rule.per_lot(second));
                let premium = |leg: &Short| leg.settlement.value(Lots::new(1), leg.unit);
                if one.is_absent() || other.is_absent() {
                    Money::ABSENT
                } else if one >= other {
                    one.plus(premium(second))
                } else {
                    other.plus(premium(first))
                }
            }
        })
    }
}
