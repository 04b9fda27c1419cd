//! The exchange's and counter's own books of the account: lots by day, money by CTP's by-date rules. Shares nothing with
//! the engine's ledger, so that each checks the other.
//!
//! Conventions (CTP's `TThostFtdcInvestorPositionDetailField` "ByDate" numbers and the usual counter settings):
//! - lots close first in, first out within their day; where the offset does not name the day, earlier days first;
//! - the result of closing today's lots counts from their opening price, of earlier lots from the previous settlement;
//! - held lots are marked from the same prices to the settlement once known, else to the last price;
//! - margin is taken at the previous settlement for earlier lots and at the opening price for today's; both sides count;
//! - options carry no position profit, and bought ones no margin: premiums are paid and received;
//! - a written option's margin is its premium, at the greater of previous settlement and last price, and a fixed amount,
//!   and at least another;
//! - profits of held lots can be used for new positions.

use shrike_core::codes::Side;
use shrike_core::event::Rates;
use shrike_core::units::{Lots, Money, Price};
use std::collections::VecDeque;

/// Which lots a close may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Days {
    /// Today's.
    Today,
    /// Those of earlier days.
    Earlier,
    /// All, earlier ones first.
    All,
}

/// One side of a position in one contract.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) side: Side,
    /// Lots of earlier days.
    pub(super) earlier: i64,
    /// The settlement price they are marked from.
    pub(super) mark: Price,
    /// Lots held when the day began.
    pub(super) at_open: i64,
    /// Today's lots by opening price, first opened first.
    today: VecDeque<(Price, i64)>,
}

impl Leg {
    pub(super) fn new(side: Side) -> Self {
        Self { side, earlier: 0, mark: Price::ABSENT, at_open: 0, today: VecDeque::new() }
    }

    pub(super) fn today(&self) -> i64 {
        self.today.iter().map(|&(_, lots)| lots).sum()
    }

    pub(super) fn lots(&self, days: Days) -> i64 {
        match days {
            Days::Today => self.today(),
            Days::Earlier => self.earlier,
            Days::All => self.earlier + self.today(),
        }
    }

    /// Sum of price times lots over what is held, earlier days at their mark (raw units of 1e-8).
    fn basis(&self) -> i128 {
        self.basis_of(Days::All)
    }

    /// The same over some days' lots.
    fn basis_of(&self, days: Days) -> i128 {
        let earlier = match days {
            Days::Earlier | Days::All if self.earlier != 0 => self.mark.raw() as i128 * self.earlier as i128,
            _ => 0,
        };
        let today = || self.today.iter().map(|&(price, lots)| price.raw() as i128 * lots as i128).sum::<i128>();
        earlier + if days == Days::Earlier { 0 } else { today() }
    }

    /// Value of some days' lots at the prices they are marked from.
    pub(super) fn value(&self, days: Days, multiplier: i64) -> Money {
        Money::from_raw(self.basis_of(days) * multiplier as i128)
    }

    /// Average opening price of today's lots, toward zero; absent when there are none.
    pub(super) fn average_open(&self) -> Price {
        let value: i128 = self.today.iter().map(|&(price, lots)| price.raw() as i128 * lots as i128).sum();
        match self.today() {
            0 => Price::ABSENT,
            lots => Price::from_raw((value / lots as i128) as i64),
        }
    }

    /// Result of the held lots at a price.
    pub(super) fn profit(&self, at: Price, multiplier: i64) -> Money {
        let lots = self.lots(Days::All);
        if lots == 0 || at.is_absent() {
            return Money::ZERO;
        }
        let worth = at.raw() as i128 * lots as i128;
        Money::from_raw((worth - self.basis()) * self.side.sign() as i128 * multiplier as i128)
    }

    /// Margin of some days' lots.
    pub(super) fn margin_of(&self, days: Days, rates: &Rates, multiplier: i64) -> Money {
        margin(self.side, self.value(days, multiplier), self.lots(days), rates)
    }

    pub(super) fn open(&mut self, price: Price, lots: i64) {
        match self.today.back_mut() {
            Some((last, held)) if *last == price => *held += lots,
            _ => self.today.push_back((price, lots)),
        }
    }

    /// Closes lots at a price. Gives the result, and how many of them were of earlier days and of today.
    pub(super) fn close(&mut self, price: Price, lots: i64, days: Days, multiplier: i64) -> (Money, i64, i64) {
        let mut gain = 0i128;
        let earlier = if days == Days::Today { 0 } else { lots.min(self.earlier) };
        if earlier > 0 {
            gain += (price.raw() as i128 - self.mark.raw() as i128) * earlier as i128;
            self.earlier -= earlier;
        }
        let mut left = if days == Days::Earlier { 0 } else { lots - earlier };
        let mut today = 0;
        while left > 0 {
            let Some((open, held)) = self.today.front_mut() else { break };
            let taken = left.min(*held);
            gain += (price.raw() as i128 - open.raw() as i128) * taken as i128;
            (*held, left, today) = (*held - taken, left - taken, today + taken);
            if *held == 0 {
                self.today.pop_front();
            }
        }
        (Money::from_raw(gain * self.side.sign() as i128 * multiplier as i128), earlier, today)
    }

    /// The day ends: all lots become earlier ones, marked from the settlement price.
    pub(super) fn settle(&mut self, settlement: Price) {
        self.earlier = self.lots(Days::All);
        self.at_open = self.earlier;
        self.mark = settlement;
        self.today.clear();
    }
}

/// Margin of lots with this value.
pub(super) fn margin(side: Side, value: Money, lots: i64, rates: &Rates) -> Money {
    let (ratio, per_lot, least_per_lot) = match side {
        Side::Buy => (rates.long_margin_ratio, rates.long_margin_per_lot, Money::ZERO),
        Side::Sell => (rates.short_margin_ratio, rates.short_margin_per_lot, rates.short_margin_least_per_lot),
    };
    fee(value, lots, ratio, per_lot).max(fee(Money::ZERO, lots, 0, least_per_lot))
}

/// A share of a value and an amount for each lot.
pub(super) fn fee(value: Money, lots: i64, ratio: i64, per_lot: Money) -> Money {
    value.times_rate(ratio).plus(Money::from_raw(per_lot.raw().saturating_mul(lots as i128)))
}

/// Fee of opening lots at a price.
pub(super) fn opening_fee(price: Price, lots: i64, multiplier: i64, rates: &Rates) -> Money {
    fee(price.value(Lots::new(lots), multiplier), lots, rates.open_ratio, rates.open_per_lot)
}

/// Fee of closing lots of earlier days and of today at a price.
pub(super) fn closing_fee(price: Price, earlier: i64, today: i64, multiplier: i64, rates: &Rates) -> Money {
    let value = |lots| price.value(Lots::new(lots), multiplier);
    fee(value(earlier), earlier, rates.close_ratio, rates.close_per_lot).plus(fee(
        value(today),
        today,
        rates.close_today_ratio,
        rates.close_today_per_lot,
    ))
}

/// The account's money of the day, apart from what positions and orders bind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cash {
    pub(super) pre_balance: Money,
    pub(super) close_profit: Money,
    /// Premiums of options, received less paid.
    pub(super) premium: Money,
    pub(super) commission: Money,
}

impl Cash {
    /// A day's beginning.
    pub(super) const fn starting(pre_balance: Money) -> Self {
        Self { pre_balance, close_profit: Money::ZERO, premium: Money::ZERO, commission: Money::ZERO }
    }
}
