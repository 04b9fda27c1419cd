//! The account's result of a day, and of several.

use crate::console::exact;
use serde::Serialize;
use shrike_core::ledger::Funds;
use shrike_core::units::Money;

/// A result. What is absent (null) could not be computed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Result {
    /// Of the lots that were closed.
    #[serde(serialize_with = "exact")]
    pub close_profit: Money,
    /// Of the lots that were held, marked to the market.
    #[serde(serialize_with = "exact")]
    pub position_profit: Money,
    /// Fees.
    #[serde(serialize_with = "exact")]
    pub commission: Money,
    /// Closed and held, less fees.
    #[serde(serialize_with = "exact")]
    pub equity_change: Money,
}

impl Result {
    /// The result of a day whose funds these are.
    pub fn of(funds: &Funds) -> Self {
        let Funds { close_profit, position_profit, commission, .. } = *funds;
        let equity_change = close_profit.plus(position_profit).minus(commission);
        Self { close_profit, position_profit, commission, equity_change }
    }

    /// Adds another day's.
    pub fn add(&mut self, other: &Self) {
        self.close_profit = self.close_profit.plus(other.close_profit);
        self.position_profit = self.position_profit.plus(other.position_profit);
        self.commission = self.commission.plus(other.commission);
        self.equity_change = self.equity_change.plus(other.equity_change);
    }
}
