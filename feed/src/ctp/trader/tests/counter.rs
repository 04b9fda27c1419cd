//! A counter for the tests: its own books by its own arithmetic, the private flow with its replay, and a script of faults.

use crate::ctp::api::{CancelOrder, NewOrder, Query, TraderApi};
use crate::ctp::callback::*;
use crate::ctp::source::Callbacks;
use shrike_core::codes::{Exchange, Offset, OrderStatus, OrderType, ProductClass, Side, SubmitStatus, TimeInForce};
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Where a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    Connect,
    Authenticate,
    Login,
    Confirm,
    /// Position of the query in a restatement: instruments, orders, trades, positions, funds.
    Query(usize),
    Insert,
    Cancel,
    /// Of the five updates of an order's life.
    Update(usize),
}

/// The connection breaks at a point: before the counter has taken the request (or told the update), or after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drop {
    pub at: Point,
    pub before: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Called {
    Start,
    Stop,
    Authenticate,
    Login,
    Confirm,
    Query(usize),
    Rates,
    Insert(u64),
    Cancel(u64),
}

#[derive(Clone, Copy, Debug)]
pub struct CounterOrder {
    pub facts: OrderFacts,
    /// Updates told so far.
    pub step: usize,
}

#[derive(Default)]
pub struct Counter {
    pub now: Nanos,
    pub queue: VecDeque<Callback>,
    pub calls: Vec<(Nanos, Called)>,
    pub day: TradingDay,
    pub front_id: i32,
    pub session_id: i32,
    pub running: bool,
    /// Until then the library is busy with its release.
    pub released_at: Nanos,
    pub connected: bool,
    pub logged_in: bool,
    pub reconnect_at: Option<Nanos>,
    pub orders: Vec<CounterOrder>,
    pub trades: Vec<TradeFacts>,
    /// Lots of today and of earlier days, long and short.
    pub held: BTreeMap<(Symbol, Side), [i64; 2]>,
    pub flow: Vec<What>,
    pub drops: Vec<Drop>,
    /// Orders trade (all five updates) or rest in the book.
    pub trades_at_once: bool,
    /// What authentication and login answer instead, while it lasts.
    pub auth_error: i32,
    pub login_error: i32,
    /// What the next queries return, or answer as an error.
    pub query_codes: VecDeque<i32>,
    pub query_errors: VecDeque<i32>,
    /// The front does not answer at all.
    pub deaf: bool,
    /// Queries stay unanswered.
    pub mute: bool,
    pub max_order_ref: u64,
    pub next_number: u64,
    pub clocks: [Option<u64>; 6],
    pub instruments: Vec<InstrumentFacts>,
    pub margin: Option<MarginFacts>,
    pub commission: Option<CommissionFacts>,
    pub option_cost: Option<OptionCostFacts>,
    pub option_commission: Option<CommissionFacts>,
    /// The contracts whose rates were asked for, in order.
    pub rated: Vec<Symbol>,
}

pub fn symbol(text: &str) -> Symbol {
    Symbol::new(text.as_bytes()).unwrap()
}

pub fn future(code: &str, exchange: Exchange, product: &str, multiplier: i64) -> InstrumentFacts {
    InstrumentFacts {
        symbol: symbol(code),
        exchange: Some(exchange),
        product: Text::new(product.as_bytes()).unwrap(),
        class: Some(ProductClass::Future),
        multiplier,
        tick: Price::whole(1),
        min_limit_lots: Lots::new(1),
        max_limit_lots: Lots::new(500),
        is_trading: true,
        expiry: TradingDay::new(20_241_015).unwrap(),
        ..InstrumentFacts::default()
    }
}

impl Counter {
    pub fn new(day: TradingDay) -> Self {
        Self {
            day,
            front_id: 1,
            session_id: 100,
            trades_at_once: true,
            next_number: 1,
            instruments: vec![
                future("rb2410", Exchange::Shfe, "rb", 10),
                future("m2409", Exchange::Dce, "m", 10),
                future("zz9999", Exchange::Dce, "zz", 5),
            ],
            ..Self::default()
        }
    }

    pub fn count(&self, called: Called) -> usize {
        self.calls.iter().filter(|(_, call)| *call == called).count()
    }

    pub fn push(&mut self, what: What, request_id: i32, is_last: bool, error: i32) {
        let received = self.now;
        self.queue.push_back(Callback { received, request_id, is_last, error, message: Text::EMPTY, what });
    }

    /// Time passes: the library reconnects, the exchange works.
    pub fn advance(&mut self, now: Nanos) {
        self.now = now;
        if self.running && !self.deaf && self.reconnect_at.is_some_and(|at| at <= now) {
            self.reconnect_at = None;
            self.connected = true;
            self.push(What::Connected, 0, false, 0);
            if self.strikes(Point::Connect).is_some() {
                self.disconnect();
            }
        }
        for at in 0..self.orders.len() {
            self.step(at);
        }
    }

    pub fn disconnect(&mut self) {
        if self.connected {
            (self.connected, self.logged_in) = (false, false);
            self.push(What::Disconnected { reason: 0x1001 }, 0, false, 0);
            self.reconnect_at = Some(self.now.after(5 * Nanos::PER_SECOND));
        }
    }

    /// Consumes the fault of a point; whether it strikes before.
    fn strikes(&mut self, at: Point) -> Option<bool> {
        let found = self.drops.iter().position(|drop| drop.at == at)?;
        Some(self.drops.remove(found).before)
    }

    /// A message of the private flow: delivered now, and again after every login of the day.
    pub fn tell(&mut self, what: What) {
        self.flow.push(what);
        if self.logged_in {
            self.push(what, 0, true, 0);
        }
    }

    /// The next update of an order's life: taken by the counter, queued, queued again, traded, the trade.
    fn step(&mut self, at: usize) {
        let Some(order) = self.orders.get_mut(at) else { return };
        let last = if self.trades_at_once { 5 } else { 3 };
        if order.step >= last || order.facts.status == Some(OrderStatus::Cancelled) {
            return;
        }
        order.step += 1;
        let step = order.step;
        let before = self.strikes(Point::Update(step));
        if before == Some(true) {
            self.disconnect();
        }
        let number = self.next_number;
        let facts = &mut self.orders[at].facts;
        match step {
            1 => facts.status = Some(OrderStatus::Unknown),
            2 | 3 => {
                if facts.order_sys_id.is_empty() {
                    facts.order_sys_id = Text::new(format!("{number:>12}").as_bytes()).unwrap();
                    self.next_number += 1;
                }
                (facts.status, facts.submit) = (Some(OrderStatus::Queued), Some(SubmitStatus::Accepted));
            }
            4 => (facts.status, facts.traded) = (Some(OrderStatus::AllTraded), facts.lots),
            _ => {
                let facts = *facts;
                self.trade(&facts, facts.lots);
            }
        }
        if step < 5 {
            let what = What::Order(self.orders[at].facts);
            self.tell(what);
        }
        if before == Some(false) {
            self.disconnect();
        }
    }

    /// The exchange works on one order.
    pub fn step_order(&mut self, at: usize) {
        self.step(at);
    }

    /// A trade of an order: the counter's own books move.
    pub fn trade(&mut self, facts: &OrderFacts, lots: Lots) {
        let trade = TradeFacts {
            symbol: facts.symbol,
            exchange: facts.exchange,
            trade_id: Text::new(format!("{:>12}", self.trades.len() + 1).as_bytes()).unwrap(),
            order_sys_id: facts.order_sys_id,
            order_ref: facts.order_ref,
            side: facts.side,
            offset: facts.offset,
            price: facts.price,
            lots,
            trading_day: self.day,
            time: Some(34_200 * Nanos::PER_SECOND),
        };
        let (side, offset) = (facts.side.unwrap(), facts.offset.unwrap());
        let position = if offset == Offset::Open { side } else { side.opposite() };
        let [today, yesterday] = self.held.entry((facts.symbol, position)).or_default();
        let lots = lots.get();
        match (facts.exchange, offset) {
            (_, Offset::Open) => *today += lots,
            (Some(Exchange::Shfe), Offset::CloseToday) => *today -= lots,
            (Some(Exchange::Shfe), _) => *yesterday -= lots,
            _ => {
                let old = lots.min(*yesterday);
                (*yesterday, *today) = (*yesterday - old, *today - (lots - old));
            }
        }
        self.trades.push(trade);
        self.tell(What::Trade(trade));
    }

    /// The next trading day: orders end, lots of today become earlier ones, the connection breaks.
    pub fn roll(&mut self, day: TradingDay) {
        self.day = day;
        self.orders.clear();
        self.trades.clear();
        self.flow.clear();
        for [today, yesterday] in self.held.values_mut() {
            (*yesterday, *today) = (*yesterday + *today, 0);
        }
        self.disconnect();
    }

    /// A clean restart of the counter: sessions and numbers are given anew, only the exchange's numbers stay.
    pub fn clean_restart(&mut self) {
        self.disconnect();
        self.front_id += 10;
        self.session_id = 5_000;
        for (at, order) in self.orders.iter_mut().enumerate() {
            let facts = &mut order.facts;
            (facts.front_id, facts.session_id, facts.request_id) = (self.front_id, 1, 0);
            facts.order_ref = Text::new(format!("{}", 900 + at).as_bytes()).unwrap();
        }
        for trade in &mut self.trades {
            trade.order_ref = Text::new(b"900").unwrap();
        }
        let (orders, trades) = (self.orders.clone(), self.trades.clone());
        self.flow = orders.iter().map(|order| What::Order(order.facts)).collect();
        self.flow.extend(trades.into_iter().map(What::Trade));
    }

    fn position_lines(&self) -> Vec<PositionFacts> {
        let mut lines = Vec::new();
        for (&(symbol, side), &[today, yesterday]) in &self.held {
            let exchange =
                self.instruments.iter().find(|facts| facts.symbol == symbol).and_then(|facts| facts.exchange);
            let line = |is_history, lots, today| PositionFacts {
                symbol,
                exchange,
                side: Some(side),
                is_history,
                lots: Lots::new(lots),
                today: Lots::new(today),
                position_cost: Price::whole(3_500).value(Lots::new(lots), 10),
                pre_settlement: Price::whole(3_500),
                ..PositionFacts::default()
            };
            match exchange {
                Some(Exchange::Shfe) => lines.extend([line(false, today, today), line(true, yesterday, 0)]),
                _ => lines.push(line(false, today + yesterday, today)),
            }
        }
        lines
    }

    fn answer(&mut self, request_id: i32, lines: Vec<What>, nothing: What) {
        let count = lines.len();
        for (at, what) in lines.into_iter().enumerate() {
            self.push(what, request_id, at + 1 == count, 0);
        }
        if count == 0 {
            self.push(nothing, request_id, true, 0);
        }
    }
}

/// The library's end: calls come in, callbacks go out.
#[derive(Clone)]
pub struct Handle(pub Rc<RefCell<Counter>>);

impl Callbacks for Handle {
    fn drain(&mut self, max: usize, hear: &mut dyn FnMut(&Callback)) -> usize {
        let mut counter = self.0.borrow_mut();
        let count = max.min(counter.queue.len());
        let batch: Vec<Callback> = counter.queue.drain(..count).collect();
        drop(counter);
        batch.iter().for_each(hear);
        count
    }
}

impl Handle {
    /// Logs a call and lets a fault strike. `None`: the request is lost with the connection.
    fn begin(&self, called: Called, at: Point) -> Option<bool> {
        let mut counter = self.0.borrow_mut();
        let now = counter.now;
        counter.calls.push((now, called));
        match counter.strikes(at) {
            Some(true) => {
                counter.disconnect();
                None
            }
            Some(false) => Some(true),
            None => Some(false),
        }
    }

    fn step(&self, called: Called, at: Point, answer: impl FnOnce(&mut Counter)) -> i32 {
        if !self.0.borrow().connected {
            return -1;
        }
        let Some(drops) = self.begin(called, at) else { return 0 };
        let mut counter = self.0.borrow_mut();
        if drops {
            // Taken, but the answer is lost.
            let told = counter.queue.len();
            answer(&mut counter);
            counter.queue.truncate(told);
            counter.disconnect();
        } else {
            answer(&mut counter);
        }
        0
    }
}

impl TraderApi for Handle {
    fn start(&mut self) -> Result<(), String> {
        let mut counter = self.0.borrow_mut();
        let now = counter.now;
        assert!(now >= counter.released_at, "a start before the release has ended");
        counter.calls.push((now, Called::Start));
        (counter.running, counter.reconnect_at) = (true, Some(now));
        Ok(())
    }

    fn stop(&mut self) {
        let mut counter = self.0.borrow_mut();
        let now = counter.now;
        counter.calls.push((now, Called::Stop));
        (counter.running, counter.connected, counter.logged_in) = (false, false, false);
        counter.reconnect_at = None;
    }

    fn is_stopped(&mut self) -> bool {
        let counter = self.0.borrow();
        !counter.running && counter.now >= counter.released_at
    }

    fn authenticate(&mut self, request_id: i32) -> i32 {
        self.step(Called::Authenticate, Point::Authenticate, |counter| {
            let error = counter.auth_error;
            counter.push(What::Authenticated, request_id, true, error);
        })
    }

    fn login(&mut self, request_id: i32) -> i32 {
        self.step(Called::Login, Point::Login, |counter| {
            if counter.login_error != 0 {
                let error = counter.login_error;
                return counter.push(What::LoggedIn(None), request_id, true, error);
            }
            counter.session_id += 1;
            let facts = LoginFacts {
                trading_day: counter.day,
                front_id: counter.front_id,
                session_id: counter.session_id,
                max_order_ref: counter.max_order_ref,
                clocks: counter.clocks,
            };
            counter.push(What::LoggedIn(Some(facts)), request_id, true, 0);
            counter.logged_in = true;
            for what in counter.flow.clone() {
                counter.push(what, 0, true, 0);
            }
        })
    }

    fn confirm(&mut self, request_id: i32) -> i32 {
        self.step(Called::Confirm, Point::Confirm, |counter| counter.push(What::Confirmed, request_id, true, 0))
    }

    fn query(&mut self, request_id: i32, query: Query<'_>) -> i32 {
        if let Some(code) = self.0.borrow_mut().query_codes.pop_front() {
            return code;
        }
        let part = match query {
            Query::Instruments => 0,
            Query::Orders => 1,
            Query::Trades => 2,
            Query::Positions => 3,
            Query::Funds => 4,
            Query::MarginRate(name)
            | Query::CommissionRate(name)
            | Query::OptionCost(name)
            | Query::OptionCommission(name) => {
                let mut counter = self.0.borrow_mut();
                let (now, margin, commission) = (counter.now, counter.margin, counter.commission);
                counter.calls.push((now, Called::Rates));
                counter.rated.push(Symbol::new(name).unwrap());
                let what = match query {
                    Query::MarginRate(_) => What::MarginRate(margin),
                    Query::CommissionRate(_) => What::CommissionRate(commission),
                    Query::OptionCost(_) => What::OptionCost(counter.option_cost),
                    _ => What::OptionCommission(counter.option_commission),
                };
                counter.push(what, request_id, true, 0);
                return 0;
            }
        };
        self.step(Called::Query(part), Point::Query(part), |counter| {
            if counter.mute {
                return;
            }
            if let Some(error) = counter.query_errors.pop_front() {
                return counter.push(What::Failed, request_id, true, error);
            }
            match part {
                0 => {
                    let lines = counter.instruments.iter().map(|facts| What::Instrument(Some(*facts))).collect();
                    counter.answer(request_id, lines, What::Instrument(None));
                }
                1 => {
                    let lines = counter.orders.iter().map(|order| What::OrderLine(Some(order.facts))).collect();
                    counter.answer(request_id, lines, What::OrderLine(None));
                }
                2 => {
                    let lines = counter.trades.iter().map(|trade| What::TradeLine(Some(*trade))).collect();
                    counter.answer(request_id, lines, What::TradeLine(None));
                }
                3 => {
                    let lines = counter.position_lines();
                    let lines = lines.into_iter().map(|line| What::PositionLine(Some(line))).collect();
                    counter.answer(request_id, lines, What::PositionLine(None));
                }
                _ => {
                    let absent = Money::ABSENT;
                    let funds = FundsFacts {
                        trading_day: counter.day,
                        pre_balance: Money::whole(1_000_000),
                        close_profit: absent,
                        commission: absent,
                        margin: absent,
                        available: Money::whole(900_000),
                        ..FundsFacts::default()
                    };
                    counter.push(What::Funds(Some(funds)), request_id, true, 0);
                }
            }
        })
    }

    fn insert(&mut self, request_id: i32, order: &NewOrder<'_>) -> i32 {
        let (order_ref, order_symbol) = (order.order_ref, Symbol::new(order.symbol).unwrap());
        self.step(Called::Insert(order_ref), Point::Insert, |counter| {
            let facts = OrderFacts {
                symbol: order_symbol,
                exchange: Some(order.exchange),
                order_ref: Text::new(format!("{order_ref:>12}").as_bytes()).unwrap(),
                front_id: counter.front_id,
                session_id: counter.session_id,
                request_id,
                side: Some(order.side),
                offset: Some(order.offset),
                order_type: Some(OrderType::Limit),
                tif: Some(TimeInForce::Day),
                price: order.price,
                lots: order.lots,
                submit: Some(SubmitStatus::InsertSubmitted),
                status: Some(OrderStatus::Unknown),
                trading_day: counter.day,
                insert_time: Some(34_200 * Nanos::PER_SECOND),
                ..OrderFacts::default()
            };
            counter.max_order_ref = counter.max_order_ref.max(order_ref);
            counter.orders.push(CounterOrder { facts, step: 0 });
        })
    }

    fn cancel(&mut self, request_id: i32, order: &CancelOrder<'_>) -> i32 {
        let (order_ref, sys_id) = (order.order_ref, order.order_sys_id);
        self.step(Called::Cancel(order_ref), Point::Cancel, |counter| {
            let found =
                counter.orders.iter_mut().find(|known| known.facts.order_sys_id == sys_id && !sys_id.is_empty());
            let Some(known) = found.filter(|known| known.facts.status == Some(OrderStatus::Queued)) else {
                let facts = CancelFacts { order_sys_id: sys_id, request_id, ..CancelFacts::default() };
                return counter.push(What::CancelRefused(Some(facts)), request_id, true, 26);
            };
            known.facts.status = Some(OrderStatus::Cancelled);
            let what = What::Order(known.facts);
            counter.tell(what);
        })
    }
}
