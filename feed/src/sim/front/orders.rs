//! Orders between the clients' sessions and the exchange, and the private flow. The exchange knows one account whose
//! OrderRefs rise over the day; clients number by session. So the front gives the exchange a number of its own (the
//! client's, where that is free) and keeps what belongs to each. What is told of an order takes its identity from there:
//! a clean restart changes the identities, not the flow.

use super::fault::Place;
use super::query::{place, symbol};
use super::{Conn, Front, errors};
use crate::ctp::callback::{Callback, CancelFacts, OrderFacts, TradeFacts, What};
use crate::sim::exchange::{Exchange, errors as counter};
use shrike_core::codes::{OrderStatus, OrderType, ReportSource, RequestKind, SubmitStatus};
use shrike_core::event::{Event, Fill, Header, OrderReport, OrderRequest, flags};
use shrike_core::units::{Lots, Nanos, Price, Text};
use shrike_core::venue::Gateway;
use std::io::Write;

/// Whose an order is, by the number that the exchange has for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    number: u64,
    front_id: i32,
    session_id: i32,
    order_ref: Text<16>,
    request_id: i32,
    inserted: Option<u64>,
}

/// A cancel that the exchange has not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingCancel {
    number: u64,
    conn: Conn,
    request_id: i32,
    facts: CancelFacts,
}

/// A message of the private flow.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "orders are the rule; the flow is kept as an array")]
pub(super) enum Told {
    Order(OrderReport),
    InsertError(OrderReport),
    CancelError(OrderReport),
    /// The front's own refusal, which the exchange does not know.
    Refusal(Callback),
    Trade(Fill),
}

/// The seat of the counter at every exchange.
const TRADER_ID: &[u8] = b"standin01";

impl Front {
    pub(super) fn insert(&mut self, conn: Conn, request: i32, order: &OrderFacts, exchange: &mut Exchange) {
        let Some((front_id, session_id)) = self.sessions.get(&conn).and_then(|session| session.login) else {
            return self.refuse_insert(conn, request, order, errors::NOT_LOGGED_IN);
        };
        let named = OrderFacts { front_id, session_id, request_id: request, ..*order };
        let number = match self.admits(conn, &named) {
            Ok(number) => number,
            Err(code) => return self.refuse_insert(conn, request, &named, code),
        };
        let Some(body) = self.request_of(&named, number) else {
            return self.refuse_insert(conn, request, &named, counter::BAD_FIELD);
        };
        let order_ref = order.order_ref;
        self.orders.push(Known { number, front_id, session_id, order_ref, request_id: request, inserted: None });
        let header = self.next_request();
        exchange.request(self.now, &header, (&body).into());
    }

    /// The front's own checks; gives the order's number at the exchange.
    fn admits(&mut self, conn: Conn, order: &OrderFacts) -> Result<u64, i32> {
        if self.confirmed != self.day {
            return Err(counter::SETTLEMENT_NOT_CONFIRMED);
        }
        if !self.by_symbol.contains_key(order.symbol.as_bytes()) {
            return Err(counter::INSTRUMENT_NOT_FOUND);
        }
        let reference = number_of(&order.order_ref).ok_or(counter::DUPLICATE_ORDER_REF)?;
        let session = self.sessions.get_mut(&conn).ok_or(errors::NOT_LOGGED_IN)?;
        if reference <= session.last_ref {
            return Err(counter::DUPLICATE_ORDER_REF);
        }
        session.last_ref = reference;
        self.max_ref = self.max_ref.max(reference);
        let last = self.orders.last().map_or(0, |known| known.number);
        Ok(reference.max(last + 1))
    }

    fn request_of(&self, order: &OrderFacts, number: u64) -> Option<OrderRequest> {
        let id = *self.by_symbol.get(order.symbol.as_bytes())?;
        let listed = self.contract(id)?;
        let order_type = order.order_type?;
        Some(OrderRequest {
            instrument: id,
            trading_day: self.day,
            order_ref: number,
            price: if order_type == OrderType::Market { Price::ABSENT } else { order.price },
            lots: order.lots,
            kind: RequestKind::Insert.code(),
            side: order.side?.code(),
            offset: order.offset?.code(),
            order_type: order_type.code(),
            tif: order.tif?.code(),
            exchange: order.exchange.or(listed.def.exchange())?.code(),
            front_id: order.front_id,
            session_id: order.session_id,
            ..OrderRequest::default()
        })
    }

    /// The counter refuses an order that it never gave to the exchange: told to its session, and to all of the user's.
    pub(super) fn refuse_insert(&mut self, conn: Conn, request: i32, order: &OrderFacts, code: i32) {
        let login = self.sessions.get(&conn).and_then(|session| session.login);
        let (front_id, session_id) = login.unwrap_or_default();
        let order = OrderFacts { front_id, session_id, request_id: request, ..*order };
        self.answer(conn, request, code, What::InsertRefused(Some(order)));
        if login.is_some() {
            self.tell_private(Told::Refusal(error(code, What::InsertError(Some(order)))), false);
        }
    }

    pub(super) fn refuse_cancel(&mut self, conn: Conn, request: i32, cancel: &CancelFacts, code: i32) {
        self.answer(conn, request, code, What::CancelRefused(Some(*cancel)));
        if self.is_in(conn) {
            self.tell_private(Told::Refusal(error(code, What::CancelError(Some(*cancel)))), false);
        }
    }

    pub(super) fn cancel(&mut self, conn: Conn, request: i32, cancel: &CancelFacts, exchange: &mut Exchange) {
        let facts = CancelFacts { request_id: request, ..*cancel };
        if !self.is_in(conn) {
            return self.refuse_cancel(conn, request, &facts, errors::NOT_LOGGED_IN);
        }
        if self.confirmed != self.day {
            return self.refuse_cancel(conn, request, &facts, counter::SETTLEMENT_NOT_CONFIRMED);
        }
        let named = |known: &&Known| {
            (known.front_id, known.session_id) == (cancel.front_id, cancel.session_id)
                && number_of(&known.order_ref) == number_of(&cancel.order_ref)
        };
        let by_exchange = |order: &OrderReport| {
            order.order_sys_id == cancel.order_sys_id
                && cancel.exchange.is_none_or(|of| place(order.exchange) == Some(of))
        };
        let found = if cancel.order_sys_id.is_empty() {
            self.orders.iter().rev().find(named).map(|known| known.number)
        } else {
            exchange.orders().find(by_exchange).map(|order| order.order_ref)
        };
        let Some(number) = found else {
            return self.refuse_cancel(conn, request, &facts, counter::ORDER_NOT_FOUND);
        };
        let id = self.by_symbol.get(cancel.symbol.as_bytes()).copied();
        let body = OrderRequest {
            instrument: id.unwrap_or_default(),
            trading_day: self.day,
            order_ref: number,
            kind: RequestKind::Cancel.code(),
            exchange: cancel.exchange.map_or(0, |place| place.code()),
            ..OrderRequest::default()
        };
        self.cancels.push(PendingCancel { number, conn, request_id: request, facts });
        let header = self.next_request();
        exchange.request(self.now, &header, (&body).into());
    }

    /// A report of the exchange.
    pub(super) fn hear(&mut self, header: &Header, event: Event<'_>) {
        match event {
            Event::Login(login) if login.trading_day > self.day => self.begin_day(login.trading_day),
            Event::OrderReport(report) => self.hear_order(report),
            Event::Fill(fill) if !header.has(flags::RESENT) => self.tell_private(Told::Trade(*fill), true),
            _ => {}
        }
    }

    fn hear_order(&mut self, report: &OrderReport) {
        let Some(source) = report.source() else { return };
        if source != ReportSource::Query {
            self.know(report);
        }
        let pending = |pending: &PendingCancel| pending.number == report.order_ref;
        match source {
            ReportSource::Flow => {
                if report.submit() == Some(SubmitStatus::CancelSubmitted)
                    && let Some(index) = self.cancels.iter().position(pending)
                {
                    self.cancels.remove(index);
                }
                self.tell_private(Told::Order(*report), true);
            }
            ReportSource::InsertRefused => {
                let facts = self.order_facts(report);
                let key = Some((facts.front_id, facts.session_id));
                let sender = self.sessions.iter().find(|(_, session)| session.login == key).map(|(&conn, _)| conn);
                if let Some(conn) = sender {
                    self.answer(conn, facts.request_id, report.error_code, What::InsertRefused(Some(facts)));
                }
            }
            ReportSource::InsertError => self.tell_private(Told::InsertError(*report), false),
            ReportSource::CancelRefused => {
                if let Some(&PendingCancel { conn, request_id, facts, .. }) =
                    self.cancels.iter().find(|cancel| pending(cancel))
                {
                    self.answer(conn, request_id, report.error_code, What::CancelRefused(Some(facts)));
                }
            }
            ReportSource::CancelError => {
                if let Some(index) = self.cancels.iter().position(pending) {
                    self.cancels.remove(index);
                }
                self.tell_private(Told::CancelError(*report), false);
            }
            ReportSource::Query => {}
        }
    }

    /// Adds to the private flow, and tells every session. Orders and trades are what faults count as updates.
    fn tell_private(&mut self, told: Told, is_update: bool) {
        let callback = self.callback(&told);
        self.flow.push(told);
        let own = self.logged_in();
        if own.is_empty() {
            return;
        }
        let struck = if is_update { self.faults.meet(Place::Update) } else { Default::default() };
        self.under(struck, &own, |front| front.tell_all(callback));
    }

    fn tell_all(&mut self, callback: Callback) {
        self.logged_in().into_iter().for_each(|conn| self.tell(conn, callback));
    }

    /// Keeps whose order it is; of an order of an earlier run of the process, as its report says.
    fn know(&mut self, report: &OrderReport) {
        match self.orders.binary_search_by_key(&report.order_ref, |known| known.number) {
            Ok(index) => {
                if let Some(known) = self.orders.get_mut(index) {
                    known.inserted = known.inserted.or(second(report.exch_ns));
                }
            }
            Err(index) if report.order_ref > 0 => {
                let known = Known {
                    number: report.order_ref,
                    front_id: report.front_id,
                    session_id: report.session_id,
                    order_ref: text(report.order_ref),
                    request_id: 0,
                    inserted: second(report.exch_ns),
                };
                self.orders.insert(index, known);
                self.max_ref = self.max_ref.max(report.order_ref);
                self.next_session = self.next_session.max(report.session_id + 1);
            }
            Err(_) => {}
        }
    }

    fn known(&self, number: u64) -> Option<&Known> {
        self.orders.get(self.orders.binary_search_by_key(&number, |known| known.number).ok()?)
    }

    /// A message of the private flow as it is told.
    pub(super) fn callback(&self, told: &Told) -> Callback {
        match told {
            Told::Order(report) => {
                let what = What::Order(self.order_facts(report));
                let message = if report.error_code == 0 { Text::EMPTY } else { errors::words(report.error_code) };
                Callback { what, message, ..Callback::default() }
            }
            Told::InsertError(report) => error(report.error_code, What::InsertError(Some(self.order_facts(report)))),
            Told::CancelError(report) => {
                let OrderFacts { symbol, exchange, order_ref, front_id, session_id, order_sys_id, .. } =
                    self.order_facts(report);
                let facts =
                    CancelFacts { symbol, exchange, order_ref, front_id, session_id, order_sys_id, request_id: 0 };
                error(report.error_code, What::CancelError(Some(facts)))
            }
            Told::Refusal(callback) => *callback,
            Told::Trade(fill) => Callback { what: What::Trade(self.trade_facts(fill)), ..Callback::default() },
        }
    }

    pub(super) fn order_facts(&self, report: &OrderReport) -> OrderFacts {
        let known = self.known(report.order_ref);
        let has_ended = report.status() == Some(OrderStatus::Cancelled);
        let trader = if report.order_local_id.is_empty() { b"" } else { TRADER_ID };
        OrderFacts {
            symbol: self.contract(report.instrument).map(|listed| symbol(&listed.def)).unwrap_or_default(),
            exchange: place(report.exchange),
            order_ref: known.map_or_else(|| text(report.order_ref), |known| known.order_ref),
            front_id: known.map_or(report.front_id, |known| known.front_id),
            session_id: known.map_or(report.session_id, |known| known.session_id),
            request_id: known.map_or(0, |known| known.request_id),
            order_sys_id: report.order_sys_id,
            order_local_id: report.order_local_id,
            trader_id: Text::new(trader).unwrap_or_default(),
            side: report.side(),
            offset: report.offset(),
            order_type: OrderType::of(report.order_type),
            tif: shrike_core::codes::TimeInForce::of(report.tif),
            price: report.price,
            lots: report.lots,
            traded: report.traded.max(Lots::ZERO),
            status: report.status(),
            submit: report.submit(),
            trading_day: report.trading_day,
            insert_time: known.and_then(|known| known.inserted).or(second(report.exch_ns)),
            cancel_time: if has_ended { second(report.exch_ns) } else { None },
        }
    }

    pub(super) fn trade_facts(&self, fill: &Fill) -> TradeFacts {
        TradeFacts {
            symbol: self.contract(fill.instrument).map(|listed| symbol(&listed.def)).unwrap_or_default(),
            exchange: place(fill.exchange),
            trade_id: fill.trade_id,
            order_sys_id: fill.order_sys_id,
            order_ref: self.known(fill.order_ref).map_or_else(|| text(fill.order_ref), |known| known.order_ref),
            side: fill.side(),
            offset: fill.offset(),
            price: fill.price,
            lots: fill.lots,
            trading_day: fill.trading_day,
            time: second(fill.exch_ns),
        }
    }

    /// A trading day begins: the counter has restarted for it. Every client must log in again, and its flow is empty.
    fn begin_day(&mut self, day: shrike_core::units::TradingDay) {
        if !self.day.is_absent() {
            self.faults.log(format!("trading day {day}: every connection is closed"));
            let conns: Vec<Conn> = self.sessions.keys().copied().collect();
            conns.into_iter().for_each(|conn| self.close(conn));
        }
        self.day = day;
        (self.max_ref, self.wrong_logins) = (0, 0);
        self.orders.clear();
        self.cancels.clear();
        self.flow.clear();
    }

    /// The counter's clean restart: connections go, fronts, sessions, OrderRefs and RequestIDs are given anew, the
    /// exchanges' numbers stay.
    pub(super) fn restart(&mut self) {
        self.front_id += 1;
        self.next_session = 1;
        self.max_ref = 0;
        self.cancels.clear();
        for (index, known) in self.orders.iter_mut().enumerate() {
            (known.front_id, known.session_id, known.request_id) = (self.front_id, 0, 0);
            known.order_ref = text(index as u64 + 1);
        }
        self.faults.log(format!("clean restart: front {}", self.front_id));
        self.close_those(super::fault::Whose::Every(super::wire::Channel::Trading), &[]);
    }
}

/// A report of an error, to all.
fn error(code: i32, what: What) -> Callback {
    Callback { error: code, message: errors::words(code), is_last: true, what, ..Callback::default() }
}

/// Time of the day in China, without its fraction.
fn second(at: Nanos) -> Option<u64> {
    (!at.is_absent()).then(|| u64::from(at.china_second()) * Nanos::PER_SECOND)
}

/// A reference as digits: `None` when it is no number.
fn number_of(order_ref: &Text<16>) -> Option<u64> {
    std::str::from_utf8(order_ref.as_bytes()).ok()?.trim_start().parse().ok()
}

/// A number as CTP writes references: twelve places, right-aligned.
fn text(number: u64) -> Text<16> {
    let mut bytes = [0_u8; 16];
    let mut rest = bytes.as_mut_slice();
    match write!(rest, "{number:>12}") {
        Ok(()) => Text::new(&bytes).unwrap_or_default(),
        Err(_) => Text::EMPTY,
    }
}
