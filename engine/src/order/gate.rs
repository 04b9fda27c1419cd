//! The pre-trade gate: every check that an order must pass before it is sent. Checks read folded state only, cheapest
//! first. A limit that cannot be computed blocks opening; a reducing order of a position target needs only the session,
//! the price, closable lots and the rate. Cancels do not pass here: our own risk never refuses one.
//!
//! To add a check: a variant of `RefusalReason`, a branch in [`Gate::check`], its limit in `OrderSettings`, and a
//! line in the table of the tests; the room's README has the steps.

use super::rate::RateWindow;
use super::settings::{ContractLimits, OrderSettings};
use shrike_core::codes::{Offset, RefusalReason, Side};
use shrike_core::event::{InstrumentDef, OrderRequest};
use shrike_core::ledger::{Funds, Ledger, Order, Position};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::{Lots, Money, Nanos, Price};

/// Why an order is not sent, with the limit and what it would have become, in the limit's unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Why.
    pub reason: RefusalReason,
    /// The limit; `i64::MIN` when there is none.
    pub limit: i64,
    /// The value that met it.
    pub value: i64,
}

impl Refused {
    const fn plain(reason: RefusalReason) -> Self {
        Self { reason, limit: i64::MIN, value: i64::MIN }
    }
}

/// What the gate looks at besides the order.
pub struct Gate<'a> {
    /// The books.
    pub ledger: &'a Ledger,
    /// Timings and account-wide limits.
    pub settings: &'a OrderSettings,
    /// The contract's limits.
    pub limits: ContractLimits,
    /// Orders sent.
    pub rate: &'a RateWindow,
    /// Whether only reducing is allowed.
    pub reduce_only: bool,
    /// Now.
    pub now: Nanos,
}

impl Gate<'_> {
    /// Whether the order may be sent. `quoting`: it serves a quote, which keeps to the exchange's daily lines even when
    /// it reduces.
    ///
    /// # Errors
    /// The first check that it does not pass.
    #[inline]
    pub fn check(&self, order: &OrderRequest, def: &InstrumentDef, quoting: bool) -> Result<(), Refused> {
        let (Some(exchange), Some(side), Some(offset), Some(order_type), Some(tif)) =
            (def.exchange(), order.side(), order.offset(), order.order_type(), order.tif())
        else {
            return Err(Refused::plain(RefusalReason::UnknownInstrument));
        };
        if def.tradable == 0 {
            return Err(Refused::plain(RefusalReason::UnknownInstrument));
        }
        let Some(book) = self.ledger.position(order.instrument) else {
            return Err(Refused::plain(RefusalReason::UnknownInstrument));
        };
        let phase = book.phase();
        if !self.settings.phases.order_allowed(exchange, phase, order_type, tif) {
            return Err(Refused { reason: RefusalReason::Phase, limit: i64::MIN, value: i64::from(phase.code()) });
        }
        let opening = !offset.closes();
        if self.reduce_only && opening && !seeded::on(Bug::ReduceOnlyOpens) {
            return Err(Refused::plain(RefusalReason::ReduceOnly));
        }
        self.price(order, def, book, side, opening)?;
        self.lots(order, def)?;
        if opening {
            self.position(order, book, side)?;
        } else {
            Self::closable(order, book, side, offset)?;
        }
        self.own_orders(order, side)?;
        if opening || quoting {
            self.daily(order, book, quoting)?;
        }
        if opening {
            self.funds(order, book, side)?;
        }
        if !self.rate.allows(self.now) {
            return Err(Refused { reason: RefusalReason::Rate, limit: self.rate.max() as i64, value: i64::MIN });
        }
        Ok(())
    }

    /// A fresh quote to open on; a price on tick, within the day's limits and the collar.
    #[inline]
    fn price(
        &self,
        order: &OrderRequest,
        def: &InstrumentDef,
        book: &Position,
        side: Side,
        opening: bool,
    ) -> Result<(), Refused> {
        let (quote, quote_ns) = (book.quote(), book.quote_ns());
        let age = self.now.since(quote_ns);
        let fresh = seeded::on(Bug::StaleQuoteOpens);
        if opening && !fresh && (quote_ns.is_absent() || age > self.settings.quote_age_ns || book.in_gap()) {
            let limit = self.settings.quote_age_ns as i64;
            return Err(Refused { reason: RefusalReason::StaleQuote, limit, value: age as i64 });
        }
        if order.price.is_absent() {
            return Ok(());
        }
        let refuse =
            |limit: Price| Refused { reason: RefusalReason::Price, limit: limit.raw(), value: order.price.raw() };
        if !order.price.is_on_tick(def.tick) {
            return Err(refuse(def.tick));
        }
        if quote.upper_limit.is_present() && order.price > quote.upper_limit {
            return Err(refuse(quote.upper_limit));
        }
        if quote.lower_limit.is_present() && order.price < quote.lower_limit {
            return Err(refuse(quote.lower_limit));
        }
        // The collar is measured through the other side's best price, or the last where that side is empty.
        let other = if side == Side::Buy { quote.ask } else { quote.bid };
        let reference = if other.is_present() { other } else { quote.last };
        let room = Price::from_raw(def.tick.raw().saturating_mul(self.settings.price_collar_ticks));
        let bound = if side == Side::Buy { reference.plus(room) } else { reference.minus(room) };
        let beyond = if side == Side::Buy { order.price > bound } else { order.price < bound };
        if bound.is_absent() || beyond { Err(refuse(bound)) } else { Ok(()) }
    }

    #[inline]
    fn lots(&self, order: &OrderRequest, def: &InstrumentDef) -> Result<(), Refused> {
        let venue = if order.price.is_absent() { def.max_market_lots } else { def.max_limit_lots };
        let most = self.limits.order_lots_max.min(venue);
        let least = def.min_lots.max(Lots::new(1));
        if order.lots < least || order.lots > most {
            return Err(Refused { reason: RefusalReason::OrderLots, limit: most.get(), value: order.lots.get() });
        }
        Ok(())
    }

    /// Net lots if this and every live order of its side filled; long and short lots if every opening order did.
    #[inline]
    fn position(&self, order: &OrderRequest, book: &Position, side: Side) -> Result<(), Refused> {
        let lots = order.lots.get() - i64::from(seeded::on(Bug::PositionLimitByOne));
        let net = match side {
            _ if seeded::on(Bug::WorkingNotInLimit) => book.net().get() * side.sign(),
            Side::Buy => book.worst_case_long().get(),
            Side::Sell => -book.worst_case_short().get(),
        };
        let working = i64::from(!seeded::on(Bug::WorkingNotInLimit));
        let open = |side| book.lots(side).get() + book.working_open(side).get() * working;
        let gross = open(Side::Buy) + open(Side::Sell);
        for (held, most) in [(net, self.limits.net_lots_max), (gross, self.limits.gross_lots_max)] {
            let (limit, value) = (most.get(), held.saturating_add(lots));
            if value > limit {
                return Err(Refused { reason: RefusalReason::Position, limit, value });
            }
        }
        let (limit, value) = (i64::from(self.settings.live_orders_max), self.ledger.live_count() as i64 + 1);
        if value > limit { Err(Refused { reason: RefusalReason::Capacity, limit, value }) } else { Ok(()) }
    }

    #[inline]
    fn closable(order: &OrderRequest, book: &Position, side: Side, offset: Offset) -> Result<(), Refused> {
        let (limit, value) = (book.closable(side, offset).get(), order.lots.get());
        if value > limit { Err(Refused { reason: RefusalReason::Closable, limit, value }) } else { Ok(()) }
    }

    /// No own order on the other side that it could trade against.
    #[inline]
    fn own_orders(&self, order: &OrderRequest, side: Side) -> Result<(), Refused> {
        let crosses = |price: Price| match side {
            Side::Buy => order.price.is_absent() || price.is_absent() || price <= order.price,
            Side::Sell => order.price.is_absent() || price.is_absent() || price >= order.price,
        };
        let own = self.ledger.live_orders_of(order.instrument).map(|(_, own)| own);
        let same = |own: &Order| !seeded::on(Bug::SelfTradeAcross) || own.strategy == order.strategy;
        match own.filter(|own| own.side != side && same(own)).find(|own| crosses(own.price)) {
            Some(own) => {
                Err(Refused { reason: RefusalReason::SelfTrade, limit: own.price.raw(), value: order.price.raw() })
            }
            None => Ok(()),
        }
    }

    /// The exchange's daily lines. Each live order may still cost a cancel, and the reserve is not for quoting.
    #[inline]
    fn daily(&self, order: &OrderRequest, book: &Position, quoting: bool) -> Result<(), Refused> {
        let (orders, cancels) = (book.orders_sent(), book.cancels_sent());
        let line = i64::from(self.limits.orders_per_day);
        if i64::from(orders) >= line {
            return Err(Refused { reason: RefusalReason::DailyOrders, limit: line, value: i64::from(orders) + 1 });
        }
        let live = self.ledger.live_orders_of(order.instrument).count() as i64;
        let limit = i64::from(self.limits.cancels_per_day) - i64::from(self.limits.cancel_reserve);
        let value = i64::from(cancels) + live + 1;
        if quoting && value > limit {
            return Err(Refused { reason: RefusalReason::DailyCancels, limit, value });
        }
        Ok(())
    }

    /// Margin and fee are covered, and the margin in use keeps its ratio of equity. What they are at most nearly always
    /// is, so what they are is reckoned only where it is not.
    #[inline]
    fn funds(&self, order: &OrderRequest, book: &Position, side: Side) -> Result<(), Refused> {
        let funds = self.ledger.funds();
        let used = funds.margin.plus(funds.frozen);
        let most = funds.equity.times_rate(self.settings.margin_ratio_max);
        let room = funds.available.min(most.minus(used));
        // `Self::price` has let none pass above the upper limit.
        let cap = book.opening_cost_most(side, order.lots);
        if cap.is_present() && cap <= room { Ok(()) } else { self.exact_funds(order, book, side, &funds, used, most) }
    }

    #[cold]
    fn exact_funds(
        &self,
        order: &OrderRequest,
        book: &Position,
        side: Side,
        funds: &Funds,
        used: Money,
        most: Money,
    ) -> Result<(), Refused> {
        let price = if order.price.is_present() { order.price } else { book.quote().upper_limit };
        let cost = book.opening_cost(side, order.lots, price);
        if cost.is_absent() {
            return Err(Refused::plain(RefusalReason::Rates));
        }
        let whole = |money: Money| i64::try_from(money.raw() / Money::ONE_RAW).unwrap_or(i64::MAX);
        let left = funds.available.minus(cost);
        if left.is_absent() || left < Money::ZERO {
            let (limit, value) = (whole(funds.available), whole(cost));
            return Err(Refused { reason: RefusalReason::Funds, limit, value });
        }
        let used = used.plus(cost);
        if used.is_absent() || most.is_absent() || used > most {
            return Err(Refused { reason: RefusalReason::Funds, limit: whole(most), value: whole(used) });
        }
        Ok(())
    }
}
