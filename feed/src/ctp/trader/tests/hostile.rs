//! Callbacks that no honest library would make, in any order: nothing panics and the rules hold. Seeds are printed; one
//! that fails becomes a test.

use super::*;
use crate::ctp::api::{CancelOrder, NewOrder, Query};
use crate::ctp::callback::*;
use shrike_core::codes::{Exchange, OrderStatus, PhaseKind, SubmitStatus};
use shrike_core::units::{Money, Text};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
    fn number(&mut self) -> i64 {
        let wild = self.next() as i64;
        self.of(&[0, 1, 2, 10, -1, i64::MIN, i64::MAX, wild])
    }
    fn text<const N: usize>(&mut self) -> Text<N> {
        let mut bytes = [0u8; 64];
        let garbage = self.chance(20);
        for byte in &mut bytes[..N.min(12)] {
            *byte = if garbage { self.next() as u8 } else { self.of(b" 0123456789") };
        }
        Text::new(&bytes[..N.min(12)]).unwrap_or_default()
    }
    fn symbol(&mut self) -> Symbol {
        let garbage = self.text();
        let known = self.of(&["rb2410", "m2409", "IF2406", "TA409", "rb2410C3500", "xx", "", "rb"]);
        if self.chance(10) { garbage } else { symbol(known) }
    }
    fn day(&mut self) -> TradingDay {
        self.of(&[day(20_240_604), day(20_240_605), TradingDay::ABSENT, day(99_991_231), day(19_700_101)])
    }
    fn time(&mut self) -> Option<u64> {
        let wild = self.next();
        self.of(&[None, Some(0), Some(34_200_000_000_000), Some(86_399_999_999_999), Some(wild)])
    }
}

fn order(rng: &mut Rng) -> OrderFacts {
    OrderFacts {
        symbol: rng.symbol(),
        exchange: rng.of(&[None, Some(Exchange::Shfe), Some(Exchange::Dce), Some(Exchange::Sse)]),
        order_ref: rng.text(),
        front_id: rng.of(&[0, 1, -7]),
        session_id: rng.of(&[0, 101, 102, i32::MIN]),
        request_id: rng.below(40) as i32,
        order_sys_id: rng.text(),
        side: rng.of(&[None, Some(Side::Buy), Some(Side::Sell)]),
        offset: rng.of(&[None, Some(Offset::Open), Some(Offset::CloseToday)]),
        order_type: rng.of(&[None, Some(OrderType::Limit)]),
        tif: rng.of(&[None, Some(TimeInForce::Fak)]),
        price: Price::from_raw(rng.number()),
        lots: Lots::new(rng.number()),
        traded: Lots::new(rng.number()),
        status: rng.of(&[None, Some(OrderStatus::Cancelled), Some(OrderStatus::AllTraded), Some(OrderStatus::Queued)]),
        submit: rng.of(&[None, Some(SubmitStatus::InsertRejected), Some(SubmitStatus::Accepted)]),
        trading_day: rng.day(),
        insert_time: rng.time(),
        cancel_time: rng.time(),
        ..OrderFacts::default()
    }
}

fn trade(rng: &mut Rng) -> TradeFacts {
    let of = order(rng);
    TradeFacts {
        symbol: of.symbol,
        exchange: of.exchange,
        trade_id: rng.text(),
        order_sys_id: of.order_sys_id,
        order_ref: of.order_ref,
        side: of.side,
        offset: of.offset,
        price: of.price,
        lots: of.lots,
        trading_day: of.trading_day,
        time: of.insert_time,
    }
}

fn money(rng: &mut Rng) -> Money {
    Money::from_raw(i128::from(rng.number()) * i128::from(rng.number()))
}

fn what(rng: &mut Rng) -> What {
    let some = !rng.chance(20);
    match rng.below(23) {
        0 => What::Connected,
        1 if rng.chance(30) => What::Disconnected { reason: 0x2001 },
        2 => What::Authenticated,
        3 => What::LoggedIn(some.then(|| LoginFacts {
            trading_day: rng.day(),
            front_id: 1,
            session_id: 100 + rng.below(3) as i32,
            max_order_ref: rng.next(),
            clocks: [rng.time(), rng.time(), None, None, None, None],
        })),
        4 => What::Confirmed,
        5 => What::Failed,
        6 => What::InsertRefused(some.then(|| order(rng))),
        7 => What::InsertError(some.then(|| order(rng))),
        8 | 9 => What::CancelRefused(some.then(|| CancelFacts {
            symbol: rng.symbol(),
            order_ref: rng.text(),
            session_id: 101,
            front_id: 1,
            request_id: rng.below(40) as i32,
            order_sys_id: rng.text(),
            exchange: None,
        })),
        10 => What::Order(order(rng)),
        11 => What::Trade(trade(rng)),
        12 => What::Status(StatusFacts {
            symbol: rng.symbol(),
            exchange: None,
            phase: rng.of(&[None, Some(PhaseKind::Continuous)]),
            enter_time: rng.time(),
        }),
        13 => What::OrderLine(some.then(|| order(rng))),
        14 => What::TradeLine(some.then(|| trade(rng))),
        15 => What::PositionLine(some.then(|| PositionFacts {
            symbol: rng.symbol(),
            side: rng.of(&[None, Some(Side::Buy), Some(Side::Sell)]),
            is_history: rng.chance(50),
            lots: Lots::new(rng.number()),
            today: Lots::new(rng.number()),
            frozen: Lots::new(rng.number()),
            position_cost: money(rng),
            pre_settlement: Price::from_raw(rng.number()),
            ..PositionFacts::default()
        })),
        16 => What::Funds(some.then(|| FundsFacts {
            trading_day: rng.day(),
            pre_balance: money(rng),
            deposit: money(rng),
            frozen_cash: money(rng),
            ..FundsFacts::default()
        })),
        17 => What::Instrument(some.then(|| InstrumentFacts {
            symbol: rng.symbol(),
            product: rng.text(),
            multiplier: rng.number(),
            tick: Price::from_raw(rng.number()),
            exchange: rng.of(&[None, Some(Exchange::Shfe), Some(Exchange::Dce)]),
            class: rng.of(&[None, Some(shrike_core::codes::ProductClass::Future)]),
            ..InstrumentFacts::default()
        })),
        18 => What::MarginRate(some.then(|| MarginFacts {
            symbol: rng.symbol(),
            long_ratio: rng.number(),
            short_ratio: rng.number(),
            long_per_lot: money(rng),
            short_per_lot: money(rng),
            is_relative: rng.chance(50),
        })),
        19 => What::CommissionRate(some.then(|| CommissionFacts {
            symbol: rng.symbol(),
            open_ratio: rng.number(),
            open_per_lot: money(rng),
            ..CommissionFacts::default()
        })),
        20 => What::OptionCost(some.then(|| OptionCostFacts {
            symbol: rng.symbol(),
            fixed_per_lot: money(rng),
            least_per_lot: money(rng),
        })),
        21 => {
            What::OptionCommission(some.then(|| CommissionFacts { symbol: rng.symbol(), ..CommissionFacts::default() }))
        }
        _ => What::Subscribed(rng.symbol()),
    }
}

/// The rules as an onlooker between machine and library sees them.
#[derive(Default)]
struct Watch {
    /// The query in flight, its number, and when it was sent.
    query: Option<(usize, i32, Nanos)>,
    request: Option<i32>,
    login: Option<i32>,
    bad_passwords: u32,
    running: bool,
    /// Complete answers since the restatement was asked for: orders, trades, positions, funds.
    complete: [bool; 5],
    logged_in: bool,
}

struct Onlooker {
    watch: Watch,
    now: Nanos,
    codes: Rng,
}

impl TraderApi for Rc<RefCell<Onlooker>> {
    fn start(&mut self) -> Result<(), String> {
        let mut onlooker = self.borrow_mut();
        assert!(!onlooker.watch.running, "one object at a time");
        onlooker.watch.running = true;
        if onlooker.codes.chance(5) { Err("no library".to_owned()) } else { Ok(()) }
            .inspect_err(|_| onlooker.watch.running = false)
    }
    fn stop(&mut self) {
        let mut onlooker = self.borrow_mut();
        (onlooker.watch.running, onlooker.watch.query, onlooker.watch.logged_in) = (false, None, false);
    }
    fn is_stopped(&mut self) -> bool {
        true
    }
    fn authenticate(&mut self, request_id: i32) -> i32 {
        self.borrow_mut().watch.request = Some(request_id);
        0
    }
    fn login(&mut self, request_id: i32) -> i32 {
        let mut onlooker = self.borrow_mut();
        assert!(onlooker.watch.bad_passwords < 2, "a password is sent after the cap");
        (onlooker.watch.login, onlooker.watch.request) = (Some(request_id), Some(request_id));
        0
    }
    fn confirm(&mut self, request_id: i32) -> i32 {
        self.borrow_mut().watch.request = Some(request_id);
        0
    }
    fn query(&mut self, request_id: i32, query: Query<'_>) -> i32 {
        let mut onlooker = self.borrow_mut();
        let part = match query {
            Query::Instruments => 0,
            Query::Orders => 1,
            Query::Trades => 2,
            Query::Positions => 3,
            Query::Funds => 4,
            Query::MarginRate(_) | Query::OptionCost(_) => 5,
            Query::CommissionRate(_) | Query::OptionCommission(_) => 6,
        };
        let code = if onlooker.codes.chance(10) { -2 } else { 0 };
        let now = onlooker.now;
        if let Some((_, _, since)) = onlooker.watch.query {
            assert!(now.since(since) >= options().queries.timeout_ns, "two queries in flight");
        }
        assert!(onlooker.watch.logged_in, "a query without a session");
        onlooker.watch.query = (code == 0).then_some((part, request_id, now));
        code
    }
    fn insert(&mut self, _request_id: i32, order: &NewOrder<'_>) -> i32 {
        assert!(order.lots.get() > 0 && order.order_ref > 0 && self.borrow().watch.logged_in);
        0
    }
    fn cancel(&mut self, _request_id: i32, _order: &CancelOrder<'_>) -> i32 {
        0
    }
}

impl Watch {
    /// What an honest reading of a callback is.
    fn hear(&mut self, callback: &Callback) {
        match callback.what {
            What::Connected | What::Disconnected { .. } => {
                (self.query, self.logged_in, self.request, self.login) = (None, false, None, None);
                self.complete = [false; 5];
            }
            What::LoggedIn(_) | What::Failed if self.login == Some(callback.request_id) => {
                if callback.error == 3 {
                    self.bad_passwords += 1;
                } else if let (0, What::LoggedIn(Some(facts))) = (callback.error, callback.what)
                    && !facts.trading_day.is_absent()
                {
                    self.bad_passwords = 0;
                }
                self.login = None;
            }
            _ => {}
        }
        let Some((part, ..)) = self.query.filter(|(_, id, _)| *id == callback.request_id) else { return };
        let kind = match callback.what {
            What::Instrument(_) => 0,
            What::OrderLine(_) => 1,
            What::TradeLine(_) => 2,
            What::PositionLine(_) => 3,
            What::Funds(_) => 4,
            What::MarginRate(_) | What::OptionCost(_) => 5,
            What::CommissionRate(_) | What::OptionCommission(_) => 6,
            What::Failed if callback.error != 0 => part,
            _ => return,
        };
        if kind != part {
            return;
        }
        if callback.error != 0 {
            self.query = None;
        } else if callback.is_last {
            self.query = None;
            if let Some(complete) = self.complete.get_mut(part) {
                *complete = true;
            }
        }
    }
}

fn hostile(seed: u64, steps: u32) -> (u32, u32) {
    let mut rng = Rng(seed);
    let tables = Tables::builtin().unwrap();
    let wanted = Box::new(|symbol: &str| symbol.starts_with("rb"));
    let contracts = Contracts::new(tables.sessions.clone(), Arc::new(tables.products.clone()), wanted);
    let mut now = Nanos::china(day(20_240_604), 9 * 3_600, 0);
    let onlooker = Rc::new(RefCell::new(Onlooker { watch: Watch::default(), now, codes: Rng(seed ^ 1) }));
    let mut api = onlooker.clone();
    let options = CtpOptions { rates_spacing_ns: SECOND, ..options() };
    let mut desk = Desk::new(options, SharedContracts::new(contracts), tables.sessions.clone(), "");
    let mut ledger = Ledger::new(Capacity { instruments: 64, orders: 4_096, strategies: 1 });
    let (mut ends, mut logins, mut id) = (0, 0, 0);
    for _ in 0..steps {
        now = now.after(rng.below(2 * SECOND));
        onlooker.borrow_mut().now = now;
        let at = Now { waits: now, events: now };
        // Half of the callbacks answer what was asked, so that the machine comes to every state.
        let (query, request) = (onlooker.borrow().watch.query, onlooker.borrow().watch.request);
        let mut callback = Callback { what: what(&mut rng), request_id: rng.below(40) as i32, ..Callback::default() };
        callback.error = if rng.chance(85) { 0 } else { rng.of(&[3, 7, 8, 90, 26, -1]) };
        callback.is_last = rng.chance(60);
        callback.received = now;
        callback.message = rng.text();
        if let Some((part, request_id, _)) = query.filter(|_| rng.chance(60)) {
            callback.request_id = request_id;
            callback.what = match part {
                0 => What::Instrument(None),
                1 => What::OrderLine(rng.chance(50).then(|| order(&mut rng))),
                2 => What::TradeLine(rng.chance(50).then(|| trade(&mut rng))),
                3 => What::PositionLine(None),
                4 => What::Funds(None),
                5 => What::MarginRate(None),
                _ => What::CommissionRate(None),
            };
        } else if let Some(request_id) = request.filter(|_| rng.chance(60)) {
            callback.request_id = request_id;
            if rng.chance(70) {
                let facts = LoginFacts { trading_day: day(20_240_604), session_id: 101, ..LoginFacts::default() };
                callback.what = rng.of(&[What::Authenticated, What::LoggedIn(Some(facts)), What::Confirmed]);
                callback.error = rng.of(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
            }
        }
        onlooker.borrow_mut().watch.hear(&callback);
        desk.hear(&callback, at);
        onlooker.borrow_mut().watch.logged_in = desk.session().is_up();
        for _ in 0..100 {
            let Some(call) = desk.turn(at) else { break };
            let code = match call {
                Call::Session(SessionCall::Start) => i32::from(api.start().is_err()),
                Call::Session(SessionCall::Stop) => {
                    api.stop();
                    0
                }
                Call::Session(SessionCall::Ask(Step::Authenticate, id)) => api.authenticate(id),
                Call::Session(SessionCall::Ask(Step::Login, id)) => {
                    logins += 1;
                    api.login(id)
                }
                Call::Session(SessionCall::Ask(Step::Confirm, id)) => api.confirm(id),
                Call::Query(id, ask) => {
                    let query = match ask {
                        Ask::Instruments => Query::Instruments,
                        Ask::Orders => Query::Orders,
                        Ask::Trades => Query::Trades,
                        Ask::Positions => Query::Positions,
                        Ask::Funds => Query::Funds,
                        Ask::Margin(_) => Query::MarginRate(b""),
                        Ask::Commission(_) => Query::CommissionRate(b""),
                    };
                    api.query(id, query)
                }
            };
            desk.called(call, code, at);
        }
        while let Some(slot) = desk.out().pop() {
            ledger.apply(&Header { taken_ns: now, ..Header::default() }, slot.event());
            match slot.event() {
                Event::Login(_) => {
                    if let Some(roll) = ledger.roll_due() {
                        ledger.apply(&Header::default(), Event::DayRoll(&roll));
                    }
                    onlooker.borrow_mut().watch.complete = [false; 5];
                    desk.restate(shrike_core::event::Seq::ABSENT);
                }
                Event::ResyncEnd(_) => {
                    ends += 1;
                    let complete = onlooker.borrow().watch.complete;
                    assert_eq!(complete[1..], [true; 4], "seed {seed}: READY without complete answers");
                }
                _ => {}
            }
        }
        id += 1;
        if id % 50 == 0 {
            desk.ask_about(&OrderRequest { order_ref: 1, ..OrderRequest::default() });
        }
    }
    (ends, logins)
}

#[test]
fn hostile_callbacks_break_no_rule() {
    let steps = std::env::var("SHRIKE_HOSTILE_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let (mut ends, mut logins) = (0, 0);
    for seed in 1..=12 {
        println!("seed {seed}");
        let (seed_ends, seed_logins) = hostile(seed, steps);
        (ends, logins) = (ends + seed_ends, logins + seed_logins);
    }
    assert!(ends > 10 && logins > 100, "the walk comes to every state: {ends} restatements, {logins} logins");
}
