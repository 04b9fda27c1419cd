//! What a contract is worth to the account: the money side of its book, computed again when a fact moves it.

use super::Position;
use crate::codes::Side;
use crate::ledger::side::{Holding, Portions};
use crate::units::{Lots, Money, Price};
use bytemuck::{CheckedBitPattern, NoUninit};

/// What a contract contributes to the account's money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(in crate::ledger) struct Worth {
    pub(in crate::ledger) close_profit: Money,
    pub(in crate::ledger) position_profit: Money,
    pub(in crate::ledger) commission: Money,
    pub(in crate::ledger) margin: Money,
    pub(in crate::ledger) frozen: Money,
}

impl Worth {
    pub(in crate::ledger) const ZERO: Self = Self {
        close_profit: Money::ZERO,
        position_profit: Money::ZERO,
        commission: Money::ZERO,
        margin: Money::ZERO,
        frozen: Money::ZERO,
    };
}

impl Position {
    pub(super) fn value_all(&mut self) {
        self.value_held();
        self.value_working();
        self.value_opening();
    }

    /// All that lots held or closed are worth.
    pub(super) fn value_held(&mut self) {
        let close = |side: &Holding| match self.is_option {
            true => side.premium(self.multiplier),
            false => side.close_profit(self.pre_settlement, self.multiplier),
        };
        self.worth.close_profit = close(&self.long).plus(close(&self.short));
        self.worth.commission = self.commission;
        self.worth.margin = self.margin_of(Side::Buy).plus(self.margin_of(Side::Sell));
        self.value_position();
    }

    /// What follows the market: the result of what is held, or the margin of what is written.
    #[inline]
    pub(in crate::ledger) fn value_position(&mut self) {
        if self.is_option {
            self.worth.margin = self.margin_of(Side::Sell);
            return;
        }
        let mark = self.mark();
        let of = |side: &Holding| side.position_profit(mark, self.pre_settlement, self.multiplier);
        self.worth.position_profit = of(&self.long).plus(of(&self.short));
    }

    #[inline]
    pub(super) fn value_working(&mut self) {
        let of = |side: Side| {
            let working = self.working(side);
            match working.open_unpriced {
                0 => self.bound(side, working.open, working.open_value),
                _ => Money::ABSENT,
            }
        };
        self.worth.frozen = of(Side::Buy).plus(of(Side::Sell));
    }

    /// What follows the day's upper limit: the most that an opening lot can bind.
    #[cold]
    pub(super) fn value_opening(&mut self) {
        // What an order binds grows with its price, unless a rate is no rate.
        let rates = &self.rates;
        let ratios = [rates.open_ratio, rates.long_margin_ratio, rates.short_margin_ratio];
        let grows = self.multiplier > 0 && ratios.iter().all(|&ratio| ratio >= 0);
        let one = |side| self.opening_cost(side, Lots::new(1), self.quote.upper_limit);
        self.opening_cap = if grows { OpeningCap::new(one) } else { OpeningCap::default() };
    }

    fn margin_of(&self, side: Side) -> Money {
        let holding = self.holding(side);
        if holding.is_flat() {
            return Money::ZERO;
        }
        if self.is_option {
            return if side == Side::Sell { self.written_margin() } else { Money::ZERO };
        }
        self.margin_on(side, holding.lots(), holding.margin_value(self.pre_settlement, self.multiplier))
    }

    /// Margin of the option lots written, whose premium counts at the greater of the last settlement and the last price
    /// (CTP's manual, `ReqQryOptionInstrTradeCost`).
    fn written_margin(&self) -> Money {
        let (lots, price) = (self.short.lots(), self.pre_settlement.max(self.mark()));
        if lots < 0 || price.is_absent() {
            return Money::ABSENT;
        }
        self.margin_on(Side::Sell, lots, price.value(Lots::new(lots), self.multiplier))
    }

    /// Margin asked for a value.
    fn margin_on(&self, side: Side, lots: i64, value: Money) -> Money {
        if !self.has_rates {
            return Money::ABSENT;
        }
        let (ratio, per_lot) = match side {
            Side::Buy => (self.rates.long_margin_ratio, self.rates.long_margin_per_lot),
            Side::Sell => (self.rates.short_margin_ratio, self.rates.short_margin_per_lot),
        };
        let margin = value.times_rate(ratio).plus(times(per_lot, lots));
        let least = if side == Side::Sell { times(self.rates.short_margin_least_per_lot, lots) } else { Money::ZERO };
        if margin.is_absent() || least.is_absent() { Money::ABSENT } else { margin.max(least) }
    }

    /// Margin (of options bought: the premium) and fee bound by opening orders of `lots` with `price_lots` in all.
    pub(super) fn bound(&self, side: Side, lots: i64, price_lots: i128) -> Money {
        if lots == 0 {
            return Money::ZERO;
        }
        let Some(value) = product(price_lots, self.multiplier).map(Money::from_raw) else {
            return Money::ABSENT;
        };
        let fee = value.times_rate(self.rates.open_ratio).plus(times(self.rates.open_per_lot, lots));
        let bound = if self.is_option && side == Side::Buy { value } else { self.margin_on(side, lots, value) };
        if self.has_rates { bound.plus(fee) } else { Money::ABSENT }
    }

    /// The fee of fills; absent before rates are known.
    pub(super) fn fee(&self, traded: &Traded) -> Money {
        let rates = &self.rates;
        let by_portion = [
            (rates.open_ratio, rates.open_per_lot),
            (rates.close_today_ratio, rates.close_today_per_lot),
            (rates.close_ratio, rates.close_per_lot),
        ];
        let mut fee = if self.has_rates || traded.is_none() { Money::ZERO } else { Money::ABSENT };
        for ((lots, value), (ratio, per_lot)) in traded.lots.into_iter().zip(traded.value).zip(by_portion) {
            if lots != 0 {
                let value = product(value, self.multiplier).map_or(Money::ABSENT, Money::from_raw);
                fee = fee.plus(value.times_rate(ratio)).plus(times(per_lot, lots));
            }
        }
        fee
    }
}

/// What opening a lot binds at most, by side of the market, in units of 1e-8; `i64::MIN` where that is not known.
#[derive(Clone, Copy, PartialEq, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(super) struct OpeningCap {
    buy: i64,
    sell: i64,
}

impl Default for OpeningCap {
    fn default() -> Self {
        Self { buy: i64::MIN, sell: i64::MIN }
    }
}

impl OpeningCap {
    /// From what one lot costs. Margin and fee are rounded once each: a lot of many may cost a unit more than one alone.
    fn new(one: impl Fn(Side) -> Money) -> Self {
        let cap = |side| one(side).some().and_then(|money| i64::try_from(money.raw() + 2).ok()).unwrap_or(i64::MIN);
        Self { buy: cap(Side::Buy), sell: cap(Side::Sell) }
    }

    #[inline]
    pub(super) fn of(&self, side: Side, lots: Lots) -> Money {
        let per_lot = if side == Side::Buy { self.buy } else { self.sell };
        let known = per_lot != i64::MIN && lots.get() >= 0;
        if known { Money::from_raw(per_lot as i128 * lots.get() as i128) } else { Money::ABSENT }
    }
}

/// Lots and their value (price × lots, in units of 1e-8) that were opened, closed of today and closed of earlier days.
#[derive(Clone, Copy, PartialEq, Debug, Default, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(super) struct Traded {
    value: [i128; 3],
    lots: [i64; 3],
    pad: u64,
}

impl Traded {
    pub(super) fn is_none(&self) -> bool {
        self.lots == [0; 3]
    }

    pub(super) fn of(portions: Portions, price: Price) -> Self {
        let lots = [portions.opened, portions.closed_today, portions.closed_yesterday];
        Self { value: lots.map(|lots| price.raw() as i128 * lots as i128), lots, pad: 0 }
    }

    /// Lots of a day and prices are far from what the sums hold.
    pub(super) fn add(&mut self, more: &Self) {
        for (sum, lots) in self.lots.iter_mut().zip(more.lots) {
            *sum = sum.saturating_add(lots);
        }
        for (sum, value) in self.value.iter_mut().zip(more.value) {
            *sum = sum.saturating_add(value);
        }
    }
}

#[inline]
fn times(per_lot: Money, lots: i64) -> Money {
    match per_lot.some().and_then(|money| product(money.raw(), lots)) {
        Some(raw) => Money::from_raw(raw),
        None => Money::ABSENT,
    }
}

/// The product, if there is one. Of two numbers of 64 bits there always is: one multiplication instead of a checked one of
/// 128 bits, which takes thirty instructions.
#[inline]
fn product(money: i128, factor: i64) -> Option<i128> {
    match i64::try_from(money) {
        Ok(money) => Some(money as i128 * factor as i128),
        Err(_) => money.checked_mul(factor as i128),
    }
}
