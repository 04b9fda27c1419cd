//! Requests, reports and fills: which order a fact is about, and what follows for positions and limits.

use super::order::{Exposure, Order};
use super::{Applied, Ignored, Ledger, MAX_LOTS, OrderIndex};
use crate::codes::{Exchange, OrderState, ReportSource, RequestKind, Side};
use crate::event::{Fill, Header, OrderReport, OrderRequest, OrderUpdate};
use crate::instrument::InstrumentId;
use crate::seeded::{self, Bug};
use crate::units::{Lots, Nanos, Text};

fn sane(lots: Lots) -> bool {
    (1..=MAX_LOTS).contains(&lots.get())
}

impl Ledger {
    pub(super) fn on_request(&mut self, request: &OrderRequest, header: &Header) -> Applied {
        match request.kind() {
            Some(RequestKind::Insert) => self.on_insert(request, header.taken_ns),
            Some(RequestKind::Cancel) => self.on_cancel(request, header.taken_ns),
            Some(RequestKind::Resync) => {
                self.account.restatement = self.account.restatement.saturating_add(1);
                self.account.asked = header.seq;
                Applied::Nothing
            }
            Some(RequestKind::QueryOrder) | None => Applied::Nothing,
        }
    }

    /// The order stage decided on an order of ours whose fate it could not learn. Other updates follow from facts.
    pub(super) fn on_decided(&mut self, update: &OrderUpdate, header: &Header) -> Applied {
        let (lost, never_arrived) = match update.state() {
            Some(OrderState::Lost) => (true, false),
            Some(OrderState::NeverArrived) => (false, true),
            _ => return Applied::Nothing,
        };
        match self.orders.ours(update.order_ref) {
            Some(order) => self.change_order(order, |o| {
                (o.lost, o.never_arrived) = (lost, never_arrived);
                o.derive(header.taken_ns);
            }),
            None => Applied::Ignored(Ignored::Unmatched),
        }
    }

    fn on_insert(&mut self, request: &OrderRequest, taken_ns: Nanos) -> Applied {
        let Some(mut order) = Order::requested(request, taken_ns).filter(|order| sane(order.lots)) else {
            return Applied::Ignored(Ignored::Invalid);
        };
        if order.order_ref == 0 || self.orders.ours(order.order_ref).is_some() {
            return Applied::Ignored(Ignored::Invalid);
        }
        let login = &self.account.login;
        if (order.front_id, order.session_id) == (0, 0) {
            (order.front_id, order.session_id) = (login.front_id, login.session_id);
        }
        self.account.see_ref(order.order_ref);
        match self.add_order(order) {
            Some(order) => {
                self.with_position(request.instrument, |position| position.count_order());
                Applied::Order { order, changed: true }
            }
            None => Applied::Ignored(Ignored::UnknownInstrument),
        }
    }

    fn on_cancel(&mut self, request: &OrderRequest, taken_ns: Nanos) -> Applied {
        self.with_position(request.instrument, |position| position.count_cancel());
        let exchange = Exchange::of(request.exchange);
        let of_session = match (request.front_id, request.session_id) {
            (0, 0) => self.orders.ours(request.order_ref),
            (front, session) => self.orders.of_session(front, session, request.order_ref),
        };
        let found = of_session.or_else(|| self.orders.of_sys_id(exchange?, &request.order_sys_id));
        let Some(index) = found else { return Applied::Ignored(Ignored::Unmatched) };
        self.change_order(index, |order| {
            order.cancel_pending = true;
            order.cancel_sent_ns = taken_ns;
            order.cancel_tries = order.cancel_tries.saturating_add(1);
            order.derive(taken_ns);
        })
    }

    pub(super) fn on_report(&mut self, report: &OrderReport, taken_ns: Nanos) -> Applied {
        if !self.account.is_today(report.trading_day) && !seeded::on(Bug::OtherDayTaken) {
            return Applied::Ignored(Ignored::OtherDay);
        }
        let (Some(source), Some(side), Some(exchange)) =
            (report.source(), report.side(), Exchange::of(report.exchange))
        else {
            return Applied::Ignored(Ignored::Invalid);
        };
        self.account.see_ref(report.order_ref);
        if self.position(report.instrument).is_none() {
            return Applied::Ignored(Ignored::UnknownInstrument);
        }
        let told = self.account.restatement;
        if let Some(index) = self.order_of_report(report, source, exchange, side) {
            return self.change_order(index, |order| {
                if order.known_by_fill_only {
                    (order.front_id, order.session_id) = (report.front_id, report.session_id);
                }
                if !report.order_sys_id.is_empty() {
                    order.order_sys_id = report.order_sys_id;
                }
                order.hear(report, taken_ns);
                if matches!(source, ReportSource::Flow | ReportSource::Query) {
                    order.told = told;
                }
            });
        }
        if !matches!(source, ReportSource::Flow | ReportSource::Query) {
            return Applied::Ignored(Ignored::Unmatched);
        }
        let keyed = report.order_ref != 0 || !report.order_sys_id.is_empty();
        let Some(mut order) = Order::adopted(report).filter(|order| keyed && sane(order.lots)) else {
            return Applied::Ignored(Ignored::Invalid);
        };
        order.order_sys_id = report.order_sys_id;
        order.hear(report, taken_ns);
        match self.add_order(order) {
            Some(order) => Applied::WildOrder { order },
            None => Applied::Ignored(Ignored::UnknownInstrument),
        }
    }

    /// The counter's own refusals carry no session when the API gives none: they come to the sender alone, so our
    /// number is enough. An exchange's error may be told to every session of the user.
    fn order_of_report(
        &self,
        report: &OrderReport,
        source: ReportSource,
        exchange: Exchange,
        side: Side,
    ) -> Option<OrderIndex> {
        let to_sender = matches!(source, ReportSource::InsertRefused | ReportSource::CancelRefused);
        let by_session = match (report.front_id, report.session_id) {
            (0, 0) if to_sender => self.orders.ours(report.order_ref),
            _ if seeded::on(Bug::ReportByNumberAlone) => self.orders.ours(report.order_ref),
            (front, session) => self.orders.of_session(front, session, report.order_ref),
        };
        by_session
            .or_else(|| self.orders.of_sys_id(exchange, &report.order_sys_id))
            .or_else(|| self.orders.unplaced(report.instrument, side, report.order_ref))
            .or_else(|| self.renamed(report, side))
            .filter(|&index| self.orders.get(index).is_some_and(|order| order.is_of(report.instrument, side)))
    }

    /// An order that the counter took, and the exchange had not numbered yet, comes back under another name when the
    /// counter was restarted clean: CTP gives fronts, sessions and numbers anew (exchange's number aside). Two orders of
    /// the same terms may change places; their sum is right.
    fn renamed(&self, report: &OrderReport, side: Side) -> Option<OrderIndex> {
        let session = (self.account.login.front_id, self.account.login.session_id);
        let of_this_session = (report.front_id, report.session_id) == session;
        if report.order_sys_id.is_empty() || of_this_session || seeded::on(Bug::RenamedNotFound) {
            return None;
        }
        self.orders.renamed(report, side, session)
    }

    pub(super) fn on_fill(&mut self, fill: &Fill, taken_ns: Nanos) -> Applied {
        if !self.account.is_today(fill.trading_day) {
            return Applied::Ignored(Ignored::OtherDay);
        }
        let (Some(side), Some(offset), Some(exchange)) = (fill.side(), fill.offset(), Exchange::of(fill.exchange))
        else {
            return Applied::Ignored(Ignored::Invalid);
        };
        if !sane(fill.lots) || fill.price.is_absent() {
            return Applied::Ignored(Ignored::Invalid);
        }
        if self.position(fill.instrument).is_none() {
            return Applied::Ignored(Ignored::UnknownInstrument);
        }
        if !self.fills.note(fill.into()) {
            return Applied::DuplicateFill;
        }
        self.account.fills += 1;
        self.account.see_ref(fill.order_ref);

        let found = self.order_of_fill(fill, side, exchange);
        let state = found.and_then(|index| self.orders.get(index)).map(|order| order.state);
        let late = matches!(state, Some(OrderState::Cancelled | OrderState::EndedShort));
        if seeded::on(Bug::LateFillDropped) && late {
            return Applied::DuplicateFill;
        }
        let adopts = found.is_none() && !fill.order_sys_id.is_empty();
        let order = match adopts {
            true => self.add_order(Order {
                order_ref: fill.order_ref,
                order_sys_id: fill.order_sys_id,
                wild: true,
                known_by_fill_only: true,
                state: OrderState::Filled,
                ..Order::blank(fill.instrument, fill.trading_day, side, offset, exchange)
            }),
            false => found,
        };
        self.with_details(fill.instrument, |position, details| position.fill(fill, side, offset, details));
        let ours = order.and_then(|index| self.orders.get(index)).filter(|order| !order.wild);
        let strategy = ours.map(|order| order.strategy);
        if let Some(cell) = self.cell_mut(strategy.unwrap_or(0), fill.instrument) {
            cell.net += side.sign() * fill.lots.get();
        }
        let told = self.account.restatement;
        if let Some(index) = order {
            self.change_order(index, |order| {
                if order.order_sys_id.is_empty() {
                    order.order_sys_id = fill.order_sys_id;
                }
                order.fill(fill.lots.get(), taken_ns);
                order.told = told;
            });
        }
        match (order, strategy) {
            (Some(order), Some(strategy)) => Applied::NewFill { order, strategy },
            _ => Applied::WildFill { order, adopted: adopts },
        }
    }

    fn order_of_fill(&self, fill: &Fill, side: Side, exchange: Exchange) -> Option<OrderIndex> {
        let fits = |&index: &OrderIndex| self.orders.get(index).is_some_and(|order| order.is_of(fill.instrument, side));
        // Another session may use our number: its fill names an order number of the exchange that is not ours.
        let same_number = |order: &Order| {
            order.order_sys_id == fill.order_sys_id
                || order.order_sys_id == Text::EMPTY
                || fill.order_sys_id.is_empty()
                || seeded::on(Bug::FillByNumberAlone)
        };
        let ours = |index: &OrderIndex| self.orders.get(*index).is_some_and(same_number);
        self.orders
            .of_sys_id(exchange, &fill.order_sys_id)
            .filter(fits)
            .or_else(|| self.orders.ours(fill.order_ref).filter(fits).filter(ours))
            .or_else(|| self.orders.unnumbered(fill.instrument, side, fill.order_ref))
    }

    /// Puts an order into the table and into what limits count. `None` when its instrument is not defined.
    fn add_order(&mut self, mut order: Order) -> Option<OrderIndex> {
        let (instrument, strategy) = (order.instrument, order.strategy);
        order.hold_price = self.position(instrument)?.hold_price(order.price);
        order.told = self.account.restatement;
        let none = Exposure { lots: 0, ..order.exposure() };
        let index = self.orders.add(&order);
        self.reweigh(instrument, strategy, none, order.exposure());
        Some(index)
    }

    /// Changes an order and everything that counts it.
    fn change_order(&mut self, index: OrderIndex, with: impl FnOnce(&mut Order)) -> Applied {
        let Some((before, after)) = self.orders.change(index, with) else {
            return Applied::Ignored(Ignored::Unmatched);
        };
        self.reweigh(after.instrument, after.strategy, before.exposure(), after.exposure());
        let view = |o: &Order| (o.state, o.filled, o.venue_traded, o.lots, o.price, o.last_error, o.order_sys_id);
        Applied::Order { order: index, changed: view(&before) != view(&after) }
    }

    fn reweigh(&mut self, instrument: InstrumentId, strategy: u32, before: Exposure, after: Exposure) {
        if before == after {
            return;
        }
        self.with_position(instrument, |position| position.reweigh(before, after));
        if let Some(cell) = self.cell_mut(strategy, instrument) {
            for (exposure, sign) in [(before, -1), (after, 1)] {
                match exposure.side {
                    Side::Buy => cell.buys += sign * exposure.lots,
                    Side::Sell => cell.sells += sign * exposure.lots,
                }
            }
        }
    }
}
