//! The gateway against a scripted counter, its events folded by the ledger as the order stage folds them; at the end the
//! ledger's books are compared with the counter's own. Time stands unless a test moves it.

mod counter;
mod hostile;
mod matrix;
mod queries;
mod refusals;

use super::*;
use crate::ctp::contracts::Contracts;
use crate::ctp::session::SessionOptions;
use counter::{Called, Counter, Handle, symbol};
use shrike_config::tables::Tables;
use shrike_core::clock::SimTime;
use shrike_core::codes::{OrderState, Side};
use shrike_core::event::{DayRoll, Difference, Kind, OrderReport, ResyncEnd};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Capacity, Ledger};
use shrike_core::units::{Lots, Price, TradingDay};
use std::cell::RefCell;
use std::rc::Rc;

pub const SECOND: u64 = Nanos::PER_SECOND;

pub fn options() -> CtpOptions {
    CtpOptions {
        session: SessionOptions {
            authenticates: true,
            trades: true,
            connect_timeout_ns: 15 * SECOND,
            backoff_min_ns: SECOND,
            backoff_max_ns: 60 * SECOND,
            password_attempts_max: 2,
        },
        queries: QueryOptions { spacing_ns: SECOND, timeout_ns: 10 * SECOND, backoff_max_ns: 60 * SECOND },
        rates_spacing_ns: 600 * SECOND,
        assumed: Assumed { margin: 30_000_000, fee: 50_000 },
        restart_before_ns: 0,
        clock_offset_max_ms: 500,
        live: true,
    }
}

/// An engine of one ledger that asks for a restatement after every login, and the counter it trades with.
pub struct Bench {
    pub gateway: CtpGateway<Handle, Handle>,
    pub counter: Rc<RefCell<Counter>>,
    pub time: Arc<SimTime>,
    pub ledger: Ledger,
    pub ready: bool,
    pub ends: Vec<ResyncEnd>,
    pub differences: Vec<Difference>,
    pub kinds: Vec<Kind>,
    pub reports: Vec<OrderReport>,
}

pub fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

impl Bench {
    pub fn new() -> Self {
        Self::with(options(), std::path::PathBuf::new())
    }

    pub fn with(options: CtpOptions, rates_file: PathBuf) -> Self {
        let today = day(20_240_604);
        let start = Nanos::china(today, 9 * 3_600, 0);
        let time = Arc::new(SimTime::new(start));
        let counter = Rc::new(RefCell::new(Counter::new(today)));
        counter.borrow_mut().now = start;
        let clock = Clock::Simulated(time.clone());
        let tables = Tables::builtin().unwrap();
        let wanted = Box::new(|symbol: &str| symbol.starts_with("rb") || symbol.starts_with('m'));
        let mut contracts = Contracts::new(tables.sessions.clone(), Arc::new(tables.products.clone()), wanted);
        contracts.target(Box::new(|symbol: &str| symbol.starts_with("m2409")));
        let handle = Handle(counter.clone());
        let gateway = CtpGateway::new(
            handle.clone(),
            handle,
            Clocks { waits: clock.clone(), events: clock },
            options,
            SharedContracts::new(contracts),
            tables.sessions.clone(),
            rates_file,
        );
        let ledger = Ledger::new(Capacity { instruments: 16, orders: 1_024, strategies: 1 });
        Self {
            gateway,
            counter,
            time,
            ledger,
            ready: false,
            ends: Vec::new(),
            differences: Vec::new(),
            kinds: Vec::new(),
            reports: Vec::new(),
        }
    }

    pub fn counting(self, attempts: Attempts) -> Self {
        Self { gateway: self.gateway.counting(attempts), ..self }
    }

    pub fn now(&self) -> Nanos {
        self.time.now()
    }

    fn header(&self) -> Header {
        Header { taken_ns: self.now(), ..Header::default() }
    }

    /// Lets time pass in steps of a tenth of a second.
    pub fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.time.advance_to(self.now().after(SECOND / 10));
            self.counter.borrow_mut().advance(self.now());
            self.poll();
        }
    }

    /// Lets time pass until the books are restated, or the patience ends.
    pub fn run_until_ready(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.run(1);
            if self.ready {
                return;
            }
        }
        panic!("not ready after {seconds} s: {:?}", self.gateway.take_notes());
    }

    /// Takes every event that is there.
    pub fn poll(&mut self) {
        let mut slot = ReportSlot::default();
        while let Next::At(at) = self.gateway.next() {
            assert!(at <= self.now(), "an event of the future");
            assert!(self.gateway.take(&mut slot), "what was promised comes");
            let event = slot.event();
            self.kinds.push(Kind::of(event.kind()).unwrap());
            self.ledger.apply(&self.header(), event);
            match event {
                Event::Connection(connection) if connection.connected == 0 => self.ready = false,
                Event::Login(_) => {
                    self.ready = false;
                    if let Some(roll) = self.ledger.roll_due() {
                        self.ledger.apply(&self.header(), Event::DayRoll(&DayRoll { ..roll }));
                    }
                    self.request(OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
                }
                Event::ResyncEnd(end) => {
                    self.ready = self.ledger.is_restated();
                    self.ends.push(*end);
                    self.differences.clear();
                    let differences = &mut self.differences;
                    self.ledger.differences(|difference| differences.push(difference));
                }
                Event::OrderReport(report) => self.reports.push(*report),
                _ => {}
            }
        }
    }

    pub fn request(&mut self, request: OrderRequest) {
        let header = self.header();
        self.ledger.apply(&header, Event::OrderRequest(&request));
        self.gateway.request(self.now(), &header, Event::OrderRequest(&request));
    }

    pub fn id(&self, code: &str) -> InstrumentId {
        self.ledger.instruments().find(code).unwrap_or_else(|| panic!("{code} was not announced")).instrument
    }

    pub fn insert(&mut self, code: &str, side: Side, offset: Offset, lots: i64) -> u64 {
        let login = *self.ledger.login().unwrap();
        let instrument = self.id(code);
        let order_ref = self.ledger.next_ref();
        self.request(OrderRequest {
            instrument,
            trading_day: login.trading_day,
            order_ref,
            price: Price::whole(3_500),
            lots: Lots::new(lots),
            kind: RequestKind::Insert.code(),
            side: side.code(),
            offset: offset.code(),
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange: self.ledger.instruments().get(instrument).unwrap().exchange,
            front_id: login.front_id,
            session_id: login.session_id,
            ..OrderRequest::default()
        });
        order_ref
    }

    /// A cancel of our order, or a question about it.
    pub fn about(&mut self, order_ref: u64, kind: RequestKind) {
        let order = *self.ledger.order(self.ledger.order_by_ref(order_ref).unwrap()).unwrap();
        self.request(OrderRequest {
            instrument: order.instrument,
            trading_day: order.trading_day,
            order_ref,
            kind: kind.code(),
            side: order.side.code(),
            offset: order.offset.code(),
            exchange: order.exchange.code(),
            front_id: order.front_id,
            session_id: order.session_id,
            order_sys_id: order.order_sys_id,
            ..OrderRequest::default()
        });
    }

    pub fn state(&self, order_ref: u64) -> OrderState {
        self.ledger.order(self.ledger.order_by_ref(order_ref).unwrap()).unwrap().state
    }

    /// The ledger's books are the counter's: orders, trades, positions, and what the restatement itself compared.
    pub fn assert_books_equal(&self) {
        assert!(self.ready, "not ready");
        let counter = self.counter.borrow();
        assert_eq!(self.differences, [], "differences at the last restatement");
        let trades = self.ledger.orders().map(|(_, order)| order.filled.get()).sum::<i64>();
        assert_eq!(trades, counter.trades.iter().map(|trade| trade.lots.get()).sum::<i64>(), "lots filled");
        for (code, side) in [("rb2410", Side::Buy), ("rb2410", Side::Sell), ("m2409", Side::Buy), ("m2409", Side::Sell)]
        {
            let Some(def) = self.ledger.instruments().find(code) else { continue };
            let (today, yesterday) = self.ledger.position(def.instrument).unwrap().held(side);
            let theirs = counter.held.get(&(symbol(code), side)).copied().unwrap_or_default();
            assert_eq!([today.get(), yesterday.get()], theirs, "{code} {side}");
        }
        for known in &counter.orders {
            let facts = &known.facts;
            let number = order_number(&facts.order_ref);
            let ours = self.ledger.orders().find(|(_, order)| {
                order.order_sys_id == facts.order_sys_id && !facts.order_sys_id.is_empty() || order.order_ref == number
            });
            let (_, ours) = ours.unwrap_or_else(|| panic!("order {number} is in nobody's books"));
            assert_eq!(ours.filled, facts.traded, "order {number}");
            assert!(!ours.wild, "order {number} is ours");
        }
        let mut sent: Vec<_> = counter.calls.iter().filter(|(_, call)| matches!(call, Called::Insert(_))).collect();
        let inserts = sent.len();
        sent.dedup_by_key(|(_, call)| *call);
        assert_eq!(sent.len(), inserts, "an order was sent twice");
    }
}
