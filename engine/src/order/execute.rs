//! From targets to requests: what each strategy wants is compared with what it holds and has working, and the difference
//! becomes cancels first, then orders within limits. Closing comes before opening. One request at a time: each is
//! journaled and folded before the next is decided.

use super::gate::{Gate, Refused};
use super::operator::Mode;
use super::session::Readiness;
use super::stage::OrderStage;
use super::targets::{Pair, Wanted, side_index};
use crate::stage::OutSlot;
use shrike_core::codes::{Offset, OrderState, OrderType, PhaseKind, RefusalReason, RequestKind, Side, TimeInForce};
use shrike_core::event::{InstrumentDef, OrderRequest, Refusal};
use shrike_core::ledger::{Order, Position};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::{Lots, Price};

impl OrderStage {
    /// Silent orders: ask about them once, then call them lost; lost ones that stay absent never arrived.
    pub(super) fn decide_fates(&mut self, out: &mut OutSlot) -> bool {
        if self.catchup || !self.timer_fired && self.session.readiness != Readiness::Settling {
            return false;
        }
        let (ack, query) = (self.settings.ack_timeout_ns, self.settings.query_timeout_ns);
        // A counter that restarted counts its sessions anew, under another front.
        let settling = self.session.readiness == Readiness::Settling;
        let session = self.ledger.login().map_or((0, 0), |login| (login.front_id, login.session_id));
        for (index, order) in self.own_live() {
            let queried_ns = self.queried_ns(index);
            let fate = match order.state {
                // On the session that sent it, it may still be on its way.
                OrderState::Lost
                    if (order.absent_restatements >= 2 || seeded::on(Bug::LostDeadAtOnce))
                        && ((order.front_id, order.session_id) != session || seeded::on(Bug::LostDeadInSession)) =>
                {
                    Some(OrderState::NeverArrived)
                }
                OrderState::Lost | OrderState::EndedShort => None,
                // Sent while the answers were made, it may be on its way as they come.
                _ if order.absent_restatements >= 1 && (settling || self.now.since(order.sent_ns) >= ack) => {
                    Some(OrderState::Lost)
                }
                OrderState::Sent | OrderState::CancelPending => {
                    let since = order.sent_ns.max(order.cancel_sent_ns);
                    if self.now.since(since) < ack {
                        None
                    } else if queried_ns.is_absent() {
                        out.put(&self.question(order));
                        return true;
                    } else if order.state == OrderState::Sent && self.now.since(queried_ns) >= query {
                        Some(OrderState::Lost)
                    } else {
                        None
                    }
                }
                _ => None,
            };
            if let Some(update) = fate.and_then(|state| self.fate(index, state)) {
                out.put(&update);
                return true;
            }
        }
        false
    }

    fn question(&self, order: &Order) -> OrderRequest {
        OrderRequest { kind: RequestKind::QueryOrder.code(), ..self.about(order) }
    }

    /// A request that names an order of ours.
    fn about(&self, order: &Order) -> OrderRequest {
        OrderRequest {
            instrument: order.instrument,
            trading_day: order.trading_day,
            order_ref: order.order_ref,
            price: order.price,
            lots: order.lots,
            strategy: order.strategy,
            side: order.side.code(),
            offset: order.offset.code(),
            exchange: order.exchange.code(),
            front_id: order.front_id,
            session_id: order.session_id,
            order_sys_id: order.order_sys_id,
            revision: order.revision,
            ..OrderRequest::default()
        }
    }

    /// Whether a cancel of this order makes sense now: it is known to the venue, none is under way or the one that is
    /// was asked about in vain, a refused one has waited, and the phase takes cancels.
    fn can_cancel(&self, order: &Order) -> bool {
        let waited_ns = self.now.since(order.cancel_sent_ns);
        let due = match order.state {
            OrderState::Working => order.cancel_tries == 0 || waited_ns >= self.settings.reject_wait_ns,
            OrderState::CancelPending => {
                // Twice as long each time: an answer may also be late because we are, and cancels are counted.
                let patience_ns = self.settings.ack_timeout_ns.saturating_add(self.settings.query_timeout_ns).max(1);
                waited_ns >= patience_ns.saturating_mul(1 << order.cancel_tries.saturating_sub(1).min(20))
            }
            _ => false,
        };
        let phase = self.ledger.position(order.instrument).map_or(PhaseKind::Shut, |book| book.phase());
        due && self.settings.phases.cancel_allowed(order.exchange, phase)
    }

    /// Cancels that policies and commands want. Our own risk never refuses them.
    pub(super) fn decide_cancels(&mut self, out: &mut OutSlot) -> bool {
        if self.catchup || matches!(self.session.readiness, Readiness::Down | Readiness::Asked) {
            return false;
        }
        if seeded::on(Bug::CancelUnderOrderRate) && !self.order_rate.allows(self.now) {
            return false;
        }
        let Some((_, order)) = self.to_cancel().find(|(_, order)| self.can_cancel(order)) else { return false };
        out.put(&OrderRequest { kind: RequestKind::Cancel.code(), ..self.about(order) });
        true
    }

    /// The next request or refusal that a target leads to.
    pub(super) fn decide_targets(&mut self, out: &mut OutSlot) -> bool {
        if self.catchup || self.session.readiness != Readiness::Ready || !self.mode.trades() || self.halted() {
            return false;
        }
        while let Some(pair) = self.targets.current() {
            if self.is_reached(pair) {
                self.targets.advance();
                continue;
            }
            let wanted = self.wanted(pair);
            if self.step(pair, Side::Buy, &wanted, out) || self.step(pair, Side::Sell, &wanted, out) {
                return true;
            }
            self.targets.advance();
        }
        false
    }

    /// Whether what is wanted is held, or nothing is to be shown, and nothing works in the contract: then neither side needs
    /// a look. So it is with most contracts at most ticks.
    #[inline]
    fn is_reached(&self, pair: Pair) -> bool {
        let lots = match self.targets.get(pair).map(|row| &row.wanted) {
            _ if self.mode == Mode::Flatten => Lots::ZERO,
            Some(&Wanted::Position { lots, .. }) => lots,
            Some(Wanted::Quote { sides }) if sides.iter().all(|(price, _)| price.is_absent()) => {
                return self.is_idle(pair);
            }
            _ => return false,
        };
        lots == self.held(pair) && self.is_idle(pair)
    }

    /// Whether nothing works in the contract.
    #[inline]
    fn is_idle(&self, pair: Pair) -> bool {
        self.ledger.live_orders_of(pair.instrument).next().is_none()
    }

    /// Price and lots wanted of one side, and whether it is a quote; no lots: nothing. No price: the market shows none.
    fn side_wanted(&self, pair: Pair, side: Side, wanted: &Wanted) -> (Price, Lots, bool) {
        const NOTHING: (Price, Lots) = (Price::ABSENT, Lots::ZERO);
        match *wanted {
            Wanted::Nothing => (Price::ABSENT, Lots::ZERO, false),
            Wanted::Quote { sides } => {
                let (price, lots) = sides.get(side_index(side)).copied().unwrap_or(NOTHING);
                if price.is_absent() { (price, Lots::ZERO, true) } else { (price, lots, true) }
            }
            Wanted::Position { lots, limit, aggressive } => {
                let missing = (lots.get().saturating_sub(self.held(pair).get())).saturating_mul(side.sign());
                let book = self.ledger.position(pair.instrument).filter(|_| missing > 0);
                let Some(quote) = book.map(|book| book.quote()) else {
                    return (Price::ABSENT, Lots::ZERO, false);
                };
                let market = match (side, aggressive) {
                    (Side::Buy, true) | (Side::Sell, false) => quote.ask,
                    (Side::Buy, false) | (Side::Sell, true) => quote.bid,
                };
                let price = match side {
                    _ if limit.is_absent() || market.is_absent() => market,
                    Side::Buy => market.min(limit),
                    Side::Sell => market.max(limit),
                };
                (price, Lots::new(missing), false)
            }
        }
    }

    /// What one side of a pair needs now: a cancel, an order, a refusal, or nothing.
    fn step(&self, pair: Pair, side: Side, wanted: &Wanted, out: &mut OutSlot) -> bool {
        let (price, wanted_lots, quoting) = self.side_wanted(pair, side, wanted);
        // Without a price what works is pulled, and what is missing is refused.
        let lots = if price.is_absent() { Lots::ZERO } else { wanted_lots };
        let may_follow = || self.order_rate.allows(self.now) && self.cancel_rate.allows(self.now);
        let (mut kept, mut live, mut waits) = (0i64, 0u32, false);
        for (_, order) in self.ledger.live_orders_of(pair.instrument) {
            if order.strategy != pair.strategy || order.side != side || order.wild {
                continue;
            }
            live += 1;
            let left = order.remaining().get();
            let young = !quoting && lots > Lots::ZERO && self.now.since(order.sent_ns) < self.settings.reprice_ns;
            let in_place = (order.price == price || young) && kept.saturating_add(left) <= lots.get();
            match order.state {
                OrderState::Sent | OrderState::Working if in_place => kept += left,
                // A side that is pulled is cancelled at once; one that moves waits for room to send again.
                OrderState::Working | OrderState::CancelPending
                    if (lots == Lots::ZERO || may_follow()) && self.can_cancel(order) =>
                {
                    out.put(&OrderRequest { kind: RequestKind::Cancel.code(), ..self.about(order) });
                    return true;
                }
                _ => waits = true,
            }
        }
        let missing = wanted_lots.get().saturating_sub(kept);
        if missing <= 0 || waits || live >= self.settings.live_per_side_max {
            return false;
        }
        self.insert(pair, side, price, Lots::new(missing), quoting, out)
    }

    /// An order for the missing lots, or why there is none where that was not told yet.
    fn insert(&self, pair: Pair, side: Side, price: Price, lots: Lots, quoting: bool, out: &mut OutSlot) -> bool {
        let Some(row) = self.targets.get(pair) else { return false };
        let Some(obstacle) = row.obstacles.get(side_index(side)) else { return false };
        let mut refuse = |refused: Refused, lots: Lots, error_code: i32| {
            if obstacle.told == Some((refused.reason, error_code)) {
                return false;
            }
            out.put(&Refusal {
                strategy: pair.strategy,
                instrument: pair.instrument,
                revision: row.revision,
                lots,
                price,
                limit: refused.limit,
                value: refused.value,
                error_code,
                reason: refused.reason.code(),
                side: side.code(),
                ..Refusal::default()
            });
            true
        };
        let none = |reason| Refused { reason, limit: i64::MIN, value: i64::MIN };
        if obstacle.given_up != 0 && row.revision <= obstacle.given_up {
            return refuse(none(RefusalReason::Venue), lots, obstacle.error);
        }
        if self.now < obstacle.until_ns || obstacle.not_at.is_present() && obstacle.not_at == price {
            return refuse(none(RefusalReason::Duplicate), lots, obstacle.error);
        }
        let (Some(def), Some(book), Some(login), Some(&limits)) = (
            self.ledger.instruments().get(pair.instrument),
            self.ledger.position(pair.instrument),
            self.ledger.login(),
            self.limits.get(pair.instrument.index()),
        ) else {
            return refuse(none(RefusalReason::UnknownInstrument), lots, 0);
        };
        // An intent of before a restart waits for the market of after it; closing, too, has a price to be judged by.
        if price.is_absent() || book.quote_ns().is_absent() {
            return refuse(none(RefusalReason::StaleQuote), lots, 0);
        }
        let (offset, most) = Self::offset(book, def, side, lots);
        let lots = most.min(limits.order_lots_max).min(def.max_limit_lots);
        let mut order = OrderRequest {
            instrument: pair.instrument,
            trading_day: login.trading_day,
            order_ref: self.ledger.next_ref(),
            price,
            lots,
            strategy: pair.strategy,
            kind: RequestKind::Insert.code(),
            side: side.code(),
            offset: offset.code(),
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange: def.exchange,
            retry: obstacle.rejects.min(u32::from(u16::MAX)) as u16,
            front_id: login.front_id,
            session_id: login.session_id,
            revision: row.revision,
            ..OrderRequest::default()
        };
        // No number is left above a venue's noise: an order sent under a used one would not be in our books.
        let used = self.ledger.order_by_ref(order.order_ref).is_some() && !seeded::on(Bug::NumberReused);
        if !self.ledger.has_room() || used {
            return refuse(none(RefusalReason::Capacity), lots, 0);
        }
        let gate = Gate {
            ledger: &self.ledger,
            settings: &self.settings,
            limits,
            rate: &self.order_rate,
            reduce_only: self.reduces_only(),
            now: self.now,
        };
        if let Err(refused) = gate.check(&order, def, quoting) {
            let Some(fewer) = Self::reachable(&gate, order, def, quoting, refused) else {
                return refuse(refused, lots, 0);
            };
            order = fewer;
        }
        out.put(&order);
        true
    }

    /// The order with as many of its lots as limits and money allow: the stage settles on the nearest position that can be
    /// reached, and the rest is refused. `None` when no lot of it is allowed.
    #[cold]
    fn reachable(
        gate: &Gate<'_>,
        order: OrderRequest,
        def: &InstrumentDef,
        quoting: bool,
        refused: Refused,
    ) -> Option<OrderRequest> {
        let (mut order, mut refused) = (order, refused);
        loop {
            let lots = order.lots.get();
            let fewer = match refused.reason {
                RefusalReason::Position => lots.saturating_sub(refused.value.saturating_sub(refused.limit)),
                RefusalReason::Funds => lots / 2,
                _ => return None,
            };
            if !(1..lots).contains(&fewer) {
                return None;
            }
            order.lots = Lots::new(fewer);
            match gate.check(&order, def, quoting) {
                Ok(()) => return Some(order),
                Err(again) => refused = again,
            }
        }
    }

    /// The offset of an order and the lots it can have: what can be closed is closed first, yesterday's before today's.
    fn offset(book: &Position, def: &InstrumentDef, side: Side, lots: Lots) -> (Offset, Lots) {
        let splits = def.exchange().is_some_and(|exchange| exchange.splits_today());
        let closes: &[Offset] = if splits { &[Offset::CloseYesterday, Offset::CloseToday] } else { &[Offset::Close] };
        for &offset in closes {
            let closable = book.closable(side, offset);
            if closable > Lots::ZERO && !seeded::on(Bug::OpensBeforeClosing) {
                return (offset, lots.min(closable));
            }
        }
        (Offset::Open, lots)
    }

    /// Whether the stage waits for something that only time brings.
    pub(super) fn waits(&self) -> bool {
        let silent = |state| matches!(state, OrderState::Sent | OrderState::CancelPending | OrderState::Lost);
        self.own_live().any(|(_, order)| silent(order.state))
            || !self.session.lost_check_ns.is_absent()
            || self.reconcile.asks_soon()
            || self.to_cancel().next().is_some()
    }
}
