//! Requests as they arrive: the counter's checks, then the exchange's, then matching. The order of the checks and the
//! callbacks of each refusal are CTP's.

use super::contract::Contract;
use super::order::{self, Numbers, Order, answer, padded};
use super::post::Report;
use super::{Exchange, errors};
use shrike_core::codes::{
    Exchange as Place, OrderStatus, OrderType, PhaseKind, ReportSource, RequestKind, SubmitStatus, TimeInForce,
};
use shrike_core::event::{OrderReport, OrderRequest, Seq};
use shrike_core::units::{Lots, Nanos, Price, Text};

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) due: Nanos,
    pub(super) cause: Seq,
    pub(super) request: OrderRequest,
    /// Whether the journal has it already.
    pub(super) recorded: bool,
}

impl Exchange {
    /// A request arrives.
    pub(super) fn arrive(&mut self, arrival: &Arrival) {
        self.now = self.now.max(arrival.due);
        self.cause = arrival.cause;
        self.come_back();
        let request = &arrival.request;
        if !arrival.recorded {
            self.last_request = arrival.cause;
            self.record_input(arrival.due, arrival.cause, request.into());
        }
        match request.kind() {
            Some(RequestKind::Insert) => self.insert(request),
            Some(RequestKind::Cancel) => self.cancel(request),
            Some(RequestKind::QueryOrder) => self.query_order(request),
            Some(RequestKind::Resync) => self.restate(),
            None => {}
        }
    }

    fn insert(&mut self, request: &OrderRequest) {
        let mut order = match self.counter_takes(request) {
            Ok(order) => order,
            Err(code) => {
                let submit = SubmitStatus::InsertRejected.code();
                let refusal = OrderReport { submit, ..self.refusal(request, code) };
                return self.tell_both(refusal, ReportSource::InsertRefused, ReportSource::InsertError);
            }
        };
        let number = self.orders.len() as u32;
        let Some(place) = Place::of(request.exchange) else { return };
        self.max_order_ref = request.order_ref;
        order.local_id = self.number(place, |numbers| &mut numbers.local);
        order.exch_ns = self.now;
        self.tell(Report::Order(order.report(ReportSource::Flow)));
        let verdict = self.exchange_takes(&order);
        self.orders.push(order);
        if let Err(code) = verdict {
            return self.reject(number, code);
        }
        let sys_id = self.number(place, |numbers| &mut numbers.order);
        if let Some(order) = self.orders.get_mut(number as usize) {
            (order.sys_id, order.submit) = (sys_id, SubmitStatus::Accepted);
        }
        self.enter(number);
    }

    fn number<const N: usize>(&mut self, place: Place, of: impl Fn(&mut Numbers) -> &mut u64) -> Text<N> {
        let Some(numbers) = self.numbers.get_mut(place as usize) else { return Text::EMPTY };
        let count = of(numbers);
        *count += 1;
        padded(*count)
    }

    /// The number of the next trade at an exchange.
    pub(super) fn trade_id(&mut self, place: Place) -> Text<24> {
        self.number(place, |numbers| &mut numbers.trade)
    }

    /// The counter's checks. What it refuses never becomes an order.
    fn counter_takes(&self, request: &OrderRequest) -> Result<Order, i32> {
        if self.day.is_absent() || request.trading_day != self.day {
            return Err(errors::NOT_LOGGED_IN);
        }
        if !self.options.settlement_confirmed {
            return Err(errors::SETTLEMENT_NOT_CONFIRMED);
        }
        let contract = self.contract(request.instrument).ok_or(errors::INSTRUMENT_NOT_FOUND)?;
        let session = self.session_of(request);
        let mut order = order::open(request, self.day, session.0, session.1).ok_or(errors::BAD_FIELD)?;
        if request.lots.get() <= 0 || Place::of(request.exchange) != Some(contract.place) {
            return Err(errors::BAD_FIELD);
        }
        let expired = !contract.def.expiry.is_absent() && contract.def.expiry < self.day;
        if contract.def.tradable == 0 || expired || contract.rates.is_none() {
            return Err(errors::INSTRUMENT_NOT_TRADING);
        }
        if request.order_ref <= self.max_order_ref {
            return Err(errors::DUPLICATE_ORDER_REF);
        }
        if order.order_type == OrderType::Limit {
            let tick = contract.def.tick;
            let price = request.price.some().ok_or(errors::BAD_FIELD)?;
            if !price.is_on_tick(tick) {
                // CZCE cuts to the tick and says nothing (CTP API manual, price rules).
                if contract.place != Place::Czce {
                    return Err(errors::OFF_TICK);
                }
                order.request.price = Price::from_raw(price.raw() - price.raw().rem_euclid(tick.raw()));
            }
            order.hold_price = order.request.price;
        } else {
            order.hold_price = contract.upper_limit.some().unwrap_or(contract.mark());
        }
        if order.offset.closes() {
            contract.closable(order.side, order.offset, request.lots.get(), &self.orders)?;
        } else if contract.bound(&order, request.lots.get()) > self.funds().available {
            return Err(errors::INSUFFICIENT_FUNDS);
        }
        Ok(order)
    }

    /// The exchange's checks.
    fn exchange_takes(&self, order: &Order) -> Result<(), i32> {
        let contract = self.contract(order.request.instrument).ok_or(errors::INSTRUMENT_NOT_FOUND)?;
        let (def, lots) = (&contract.def, order.request.lots);
        if !self.options.rules.order_allowed(contract.place, contract.phase, order.order_type, order.tif) {
            return Err(errors::NOT_TRADING_PERIOD);
        }
        let most = match order.order_type {
            OrderType::Limit => def.max_limit_lots,
            OrderType::Market if def.max_market_lots.get() <= 0 => return Err(errors::ORDER_TYPE_NOT_TAKEN),
            OrderType::Market => def.max_market_lots,
        };
        if lots < def.min_lots || most > Lots::ZERO && lots > most {
            return Err(errors::BAD_LOTS);
        }
        let (price, upper, lower) = (order.request.price, contract.upper_limit, contract.lower_limit);
        let outside = upper.is_present() && price > upper || lower.is_present() && price < lower;
        if order.order_type == OrderType::Limit && outside {
            return Err(errors::OUTSIDE_LIMITS);
        }
        Ok(())
    }

    /// The exchange refuses an order that the counter took.
    fn reject(&mut self, number: u32, code: i32) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(number as usize) else { return };
        (order.status, order.submit) = (OrderStatus::Cancelled, SubmitStatus::InsertRejected);
        (order.error_code, order.exch_ns) = (code, now);
        let (flow, error) = (order.report(ReportSource::Flow), order.report(ReportSource::InsertError));
        self.tell(Report::Order(flow));
        self.tell(Report::Order(error));
    }

    /// An accepted order meets the book, or waits for the auction.
    fn enter(&mut self, number: u32) {
        let Some(order) = self.orders.get(number as usize) else { return };
        let (side, limit, lots) = (order.side, order.limit(), order.request.lots.get());
        let (immediate, tif, id) = (order.is_immediate(), order.tif, order.request.instrument);
        if !immediate {
            self.set_status(number, OrderStatus::Queued);
        }
        let mut executions = std::mem::take(&mut self.executions);
        executions.clear();
        let mut left = lots;
        if let Some(contract) = self.contract_mut(id) {
            contract.working.push(number);
            let matches = contract.phase == PhaseKind::Continuous && !contract.held;
            let fok = tif == TimeInForce::Fok;
            if matches && !(fok && contract.book.available(side, limit, lots) < lots) {
                left = contract.book.sweep(number, side, limit, lots, &mut executions);
            }
            if let (false, 1.., Some(price)) = (immediate, left, limit) {
                contract.book.rest(number, side, price, left);
            }
        }
        let killed = immediate && left > 0;
        // SHFE, INE and CFFEX say that the rest of an immediate order is cancelled before they tell its trades.
        let cancel_first =
            self.contract(id).is_some_and(|c| matches!(c.place, Place::Shfe | Place::Ine | Place::Cffex));
        if killed && cancel_first {
            self.end_immediate(number, lots - left);
        }
        self.execute(&executions);
        if killed && !cancel_first {
            self.end_immediate(number, lots - left);
        }
        self.executions = executions;
    }

    /// The rest of an immediate order is cancelled, with so many lots traded.
    fn end_immediate(&mut self, number: u32, traded: i64) {
        self.repeat(number);
        if let Some(order) = self.orders.get_mut(number as usize) {
            order.traded = traded;
        }
        self.set_status(number, OrderStatus::Cancelled);
        self.drop_working(number);
    }

    /// Each push of the exchange begins with the state before. The counter's first word is that state already.
    pub(super) fn repeat(&mut self, number: u32) {
        let Some(order) = self.orders.get(number as usize) else { return };
        if order.status != OrderStatus::Unknown {
            let report = order.report(ReportSource::Flow);
            self.tell(Report::Order(report));
        }
    }

    fn cancel(&mut self, request: &OrderRequest) {
        let Some(number) = self.find(request) else {
            let refusal = self.refusal(request, errors::ORDER_NOT_FOUND);
            return self.tell_both(refusal, ReportSource::CancelRefused, ReportSource::CancelError);
        };
        let Some(order) = self.orders.get(number as usize) else { return };
        let report = order.report(ReportSource::CancelError);
        if order.is_ended() {
            let refusal = OrderReport { error_code: errors::ORDER_ENDED, ..report };
            return self.tell_both(refusal, ReportSource::CancelRefused, ReportSource::CancelError);
        }
        let id = order.request.instrument;
        let allowed = |c: &Contract| self.options.rules.cancel_allowed(c.place, c.phase);
        if !self.contract(id).is_some_and(allowed) {
            let submit = SubmitStatus::CancelRejected.code();
            return self.tell(Report::Order(OrderReport { error_code: errors::EXCHANGE_REFUSED, submit, ..report }));
        }
        let submitted =
            OrderReport { source: ReportSource::Flow.code(), submit: SubmitStatus::CancelSubmitted.code(), ..report };
        self.tell(Report::Order(submitted));
        self.take_out(number);
    }

    /// Ends a working order: out of the book, and told as cancelled.
    pub(super) fn take_out(&mut self, number: u32) {
        let Some(order) = self.orders.get(number as usize) else { return };
        let id = order.request.instrument;
        if let Some(contract) = self.contract_mut(id) {
            contract.book.remove(number);
        }
        self.set_status(number, OrderStatus::Cancelled);
        self.drop_working(number);
    }

    /// Tells an order's new status.
    pub(super) fn set_status(&mut self, number: u32, status: OrderStatus) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(number as usize) else { return };
        (order.status, order.exch_ns) = (status, now);
        let report = order.report(ReportSource::Flow);
        self.tell(Report::Order(report));
    }

    pub(super) fn drop_working(&mut self, number: u32) {
        let Some(id) = self.orders.get(number as usize).map(|order| order.request.instrument) else { return };
        if let Some(contract) = self.contract_mut(id) {
            contract.working.retain(|&other| other != number);
        }
    }

    /// The session that sent an order: the one its request names, which may have ended while the request was on its way;
    /// the present one where it names none.
    fn session_of(&self, request: &OrderRequest) -> (i32, i32) {
        match (request.front_id, request.session_id) {
            (0, 0) => (self.options.front_id, self.session_id),
            named => named,
        }
    }

    /// The order that a request names: by the exchange's number when it has one, else by session and OrderRef.
    pub(super) fn find(&self, request: &OrderRequest) -> Option<u32> {
        let same_place = |order: &Order| order.request.exchange == request.exchange;
        let named = |order: &Order| {
            if !request.order_sys_id.is_empty() {
                return order.sys_id == request.order_sys_id && same_place(order);
            }
            let session = (request.front_id, request.session_id);
            order.request.order_ref == request.order_ref
                && (session == (0, 0) || session == (order.front_id, order.session_id))
        };
        // OrderRefs rise with the order table, so the usual request finds its order at once.
        let by_ref = self.orders.binary_search_by_key(&request.order_ref, |order| order.request.order_ref).ok();
        by_ref
            .filter(|&number| self.orders.get(number).is_some_and(named))
            .or_else(|| self.orders.iter().position(named))
            .map(|number| number as u32)
    }

    fn query_order(&mut self, request: &OrderRequest) {
        let found = self.find(request).and_then(|number| self.orders.get(number as usize));
        let report = match found {
            Some(order) => order.report(ReportSource::Query),
            None => {
                OrderReport { source: ReportSource::Query.code(), ..self.refusal(request, errors::ORDER_NOT_FOUND) }
            }
        };
        self.tell(Report::Order(report));
    }

    fn refusal(&self, request: &OrderRequest, error_code: i32) -> OrderReport {
        let report = answer(request, ReportSource::InsertRefused);
        let (front_id, session_id) = match request.kind() {
            Some(RequestKind::Insert) => self.session_of(request),
            _ => (request.front_id, request.session_id),
        };
        OrderReport { error_code, exch_ns: self.now, front_id, session_id, ..report }
    }

    /// CTP answers a refused request to its session and to every session of the user.
    fn tell_both(&mut self, report: OrderReport, first: ReportSource, second: ReportSource) {
        for source in [first, second] {
            self.tell(Report::Order(OrderReport { source: source.code(), ..report }));
        }
    }
}
