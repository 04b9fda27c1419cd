//! What the exchange holds of one contract: its terms, phase and book, and the account's two legs in it.

use super::account::{Days, Leg, closing_fee, margin, opening_fee};
use super::book::Book;
use super::errors;
use super::order::Order;
use shrike_core::codes::{Exchange as Place, Offset, PhaseKind, ProductClass, Side};
use shrike_core::event::{InstrumentDef, Rates};
use shrike_core::units::{Lots, Money, Price, TradingDay};

/// What an order binds of the account's money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bound {
    pub(super) margin: Money,
    /// The price of options bought.
    pub(super) premium: Money,
    pub(super) fee: Money,
}

impl Bound {
    pub(super) const NOTHING: Self = Self { margin: Money::ZERO, premium: Money::ZERO, fee: Money::ZERO };
}

/// One contract.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub(super) def: InstrumentDef,
    pub(super) place: Place,
    /// Terms that hold from a later trading day on.
    pending_def: Option<InstrumentDef>,
    pub(super) rates: Option<Rates>,
    pending_rates: Option<Rates>,
    pub(super) phase: PhaseKind,
    /// Orders wait for an auction's price, or for the first snapshot after it.
    pub(super) held: bool,
    pub(super) book: Book,
    pub(super) long: Leg,
    pub(super) short: Leg,
    pub(super) last: Price,
    pub(super) pre_settlement: Price,
    pub(super) settlement: Price,
    pub(super) upper_limit: Price,
    pub(super) lower_limit: Price,
    /// Numbers of the orders that work, in the order of their arrival.
    pub(super) working: Vec<u32>,
}

impl Contract {
    pub(super) fn new(def: &InstrumentDef, place: Place) -> Self {
        Self {
            def: *def,
            place,
            pending_def: None,
            rates: None,
            pending_rates: None,
            phase: PhaseKind::Shut,
            held: false,
            book: Book::new(),
            long: Leg::new(Side::Buy),
            short: Leg::new(Side::Sell),
            last: Price::ABSENT,
            pre_settlement: def.pre_settlement,
            settlement: Price::ABSENT,
            upper_limit: def.upper_limit,
            lower_limit: def.lower_limit,
            working: Vec::new(),
        }
    }

    /// New terms of the same contract. True when they hold already.
    pub(super) fn announce(&mut self, def: &InstrumentDef, day: TradingDay) -> bool {
        let holds = def.effective_day <= day || day.is_absent();
        if holds {
            self.def = *def;
        } else {
            self.pending_def = Some(*def);
        }
        holds
    }

    /// New rates. True when they hold already.
    pub(super) fn announce_rates(&mut self, rates: &Rates, day: TradingDay) -> bool {
        let holds = rates.effective_day <= day || day.is_absent();
        if holds {
            self.rates = Some(*rates);
        } else {
            self.pending_rates = Some(*rates);
        }
        holds
    }

    /// A trading day begins: what was announced for it holds, and the market is not known yet.
    pub(super) fn begin_day(&mut self, day: TradingDay) {
        if let Some(def) = self.pending_def.take_if(|def| def.effective_day <= day) {
            self.def = def;
            (self.upper_limit, self.lower_limit) = (def.upper_limit, def.lower_limit);
        }
        if let Some(rates) = self.pending_rates.take_if(|rates| rates.effective_day <= day) {
            self.rates = Some(rates);
        }
        self.book.forget();
        self.held = false;
    }

    /// The price that held lots are marked at.
    pub(super) fn mark(&self) -> Price {
        let known = [self.settlement, self.last, self.pre_settlement];
        known.into_iter().find(|price| price.is_present()).unwrap_or(Price::ABSENT)
    }

    pub(super) const fn leg(&self, side: Side) -> &Leg {
        match side {
            Side::Buy => &self.long,
            Side::Sell => &self.short,
        }
    }

    pub(super) const fn leg_mut(&mut self, side: Side) -> &mut Leg {
        match side {
            Side::Buy => &mut self.long,
            Side::Sell => &mut self.short,
        }
    }

    pub(super) const fn is_option(&self) -> bool {
        matches!(ProductClass::of(self.def.class), Some(ProductClass::Option))
    }

    /// Which lots an offset closes. Only SHFE and INE tell days apart; there a plain close means earlier days.
    pub(super) const fn days(&self, offset: Offset) -> Days {
        match offset {
            _ if !self.place.splits_today() => Days::All,
            Offset::CloseToday => Days::Today,
            _ => Days::Earlier,
        }
    }

    /// The working orders, out of the order table.
    pub(super) fn working<'a>(&'a self, orders: &'a [Order]) -> impl Iterator<Item = &'a Order> {
        self.working.iter().filter_map(|&index| orders.get(index as usize))
    }

    /// Lots of a leg bound by working orders that close them.
    pub(super) fn frozen(&self, side: Side, days: Days, orders: &[Order]) -> i64 {
        let closes = |order: &&Order| order.offset.closes() && order.side == side.opposite();
        let bound = |order: &&Order| days == Days::All || self.days(order.offset) == days;
        self.working(orders).filter(closes).filter(bound).map(Order::remaining).sum()
    }

    /// The counter's word on closing lots: CTP's error when fewer are free.
    pub(super) fn closable(&self, side: Side, offset: Offset, lots: i64, orders: &[Order]) -> Result<(), i32> {
        let (held, days) = (side.opposite(), self.days(offset));
        if self.leg(held).lots(days) - self.frozen(held, days, orders) >= lots {
            return Ok(());
        }
        Err(match days {
            Days::Today => errors::OVER_CLOSE_TODAY,
            Days::Earlier => errors::OVER_CLOSE_YESTERDAY,
            Days::All => errors::OVER_CLOSE,
        })
    }

    /// Money that an order binds for so many lots: margin (or premium) and fee of an opening one, the dearer fee of a
    /// closing one.
    pub(super) fn bound(&self, order: &Order, lots: i64) -> Money {
        let Bound { margin, premium, fee } = self.bound_parts(order, lots);
        margin.plus(premium).plus(fee)
    }

    /// The same in its parts.
    pub(super) fn bound_parts(&self, order: &Order, lots: i64) -> Bound {
        let (price, multiplier) = (order.hold_price, self.def.multiplier);
        let Some(rates) = &self.rates else { return Bound::NOTHING };
        if lots == 0 || price.is_absent() {
            return Bound::NOTHING;
        }
        if order.offset.closes() {
            let earlier = closing_fee(price, lots, 0, multiplier, rates);
            return Bound { fee: earlier.max(closing_fee(price, 0, lots, multiplier, rates)), ..Bound::NOTHING };
        }
        let value = price.value(Lots::new(lots), multiplier);
        let fee = opening_fee(price, lots, multiplier, rates);
        match (self.is_option(), order.side) {
            (true, Side::Buy) => Bound { premium: value, fee, ..Bound::NOTHING },
            _ => Bound { margin: margin(order.side, value, lots, rates), fee, ..Bound::NOTHING },
        }
    }

    /// Margin of some days' lots of one side.
    pub(super) fn margin_of(&self, side: Side, days: Days) -> Money {
        match &self.rates {
            Some(rates) if self.is_option() => self.option_margin(side, days, rates),
            Some(rates) => self.leg(side).margin_of(days, rates, self.def.multiplier),
            None => Money::ZERO,
        }
    }

    /// Margin of what is held.
    pub(super) fn margin(&self) -> Money {
        self.margin_of(Side::Buy, Days::All).plus(self.margin_of(Side::Sell, Days::All))
    }

    fn option_margin(&self, side: Side, days: Days, rates: &Rates) -> Money {
        let (lots, price) = (self.leg(side).lots(days), self.mark().max(self.pre_settlement));
        if side == Side::Buy || lots == 0 || price.is_absent() {
            return Money::ZERO;
        }
        margin(side, price.value(Lots::new(lots), self.def.multiplier), lots, rates)
    }

    /// Result of what is held.
    pub(super) fn position_profit(&self) -> Money {
        if self.is_option() {
            return Money::ZERO;
        }
        let (at, multiplier) = (self.mark(), self.def.multiplier);
        self.long.profit(at, multiplier).plus(self.short.profit(at, multiplier))
    }

    /// Books a trade. Gives its result (an option's premium) and its fee.
    pub(super) fn trade(&mut self, side: Side, offset: Offset, price: Price, lots: i64) -> (Money, Money) {
        let multiplier = self.def.multiplier;
        let rates = self.rates.unwrap_or_default();
        let premium = Money::from_raw(-price.value(Lots::new(lots), multiplier).raw() * side.sign() as i128);
        if !offset.closes() {
            self.leg_mut(side).open(price, lots);
            let profit = if self.is_option() { premium } else { Money::ZERO };
            return (profit, opening_fee(price, lots, multiplier, &rates));
        }
        let days = self.days(offset);
        let (profit, earlier, today) = self.leg_mut(side.opposite()).close(price, lots, days, multiplier);
        let profit = if self.is_option() { premium } else { profit };
        (profit, closing_fee(price, earlier, today, multiplier, &rates))
    }
}
