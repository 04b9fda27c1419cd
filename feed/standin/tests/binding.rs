//! Shrike's own binding with the stand-in behind it, in every version's vtables and layouts: a trader and a listener log
//! in, see the market, are filled, cancel, query, lose the connection, and are told the day again. Each version runs in a
//! process of its own: the library reads its version from the environment.
#![allow(
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    reason = "lints know tests, not what they share"
)]

mod kit;

use shrike_core::clock::{Clock, Tsc};
use shrike_core::codes::{Exchange, Offset, OrderStatus, OrderType, PhaseKind, Side, TimeInForce};
use shrike_core::event::{DepthTick, Event};
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::{Consumer, MarketConsumer, market_ring, ring};
use shrike_core::thread::ThreadPlan;
use shrike_core::units::{Lots, Price, Text};
use shrike_feed::ctp::abi::version::Version;
use shrike_feed::ctp::abi::{Connection, Md, Trader};
use shrike_feed::ctp::api::{CancelOrder, Credentials, MarketApi, NewOrder, Query, TraderApi};
use shrike_feed::ctp::callback::{Callback, LoginFacts, OrderFacts, Symbol, What};
use shrike_feed::ctp::decode::Contract;
use shrike_feed::ctp::lookup::Contracts;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const VERSION: &str = "SHRIKE_STANDIN_VERSION";
const SYMBOL: &[u8] = b"rb2410";

#[test]
fn a_day_through_6_7_2() {
    in_a_process(Version::V6_7_2);
}

#[test]
fn a_day_through_6_7_7() {
    in_a_process(Version::V6_7_7);
}

#[test]
fn a_day_through_6_7_11() {
    in_a_process(Version::V6_7_11);
}

#[test]
fn a_day_through_6_7_13() {
    in_a_process(Version::V6_7_13);
}

fn in_a_process(version: Version) {
    let output = Command::new(std::env::current_exe().expect("a program"))
        .args(["--exact", "child", "--nocapture"])
        .env(VERSION, version.name())
        .env("SHRIKE_STANDIN_RECONNECT_MS", "20")
        .output()
        .expect("it runs");
    let (says, errs) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && says.contains("the day is done"),
        "{version}: {}\n{says}\n{errs}",
        output.status
    );
}

/// What the child processes run; nothing when it is run as a test like the others.
#[test]
fn child() {
    let Ok(version) = std::env::var(VERSION) else { return };
    let address = kit::listen(&format!("binding-{version}"), &["--clients", "2", "--pause-us", "100"]);
    let mut trading = Trading::open(&address);
    assert!(trading.api.library().words().starts_with(&format!("v{version}_")), "{}", trading.api.library().words());
    let login = trading.log_in();
    let mut market = Market::open(&address, &login);
    trading.wait("continuous trading", |what| match what {
        What::Status(facts) => (facts.phase == Some(PhaseKind::Continuous)).then_some(()),
        _ => None,
    });
    let tick = market.tick();

    // A lot at any price: the five updates, then the books.
    let sent = trading.insert(&login, login.max_order_ref + 1, tick.upper_limit);
    let statuses: Vec<_> = (0..4).map(|_| trading.update(sent).status).collect();
    let [new, queued, filled] = [OrderStatus::Unknown, OrderStatus::Queued, OrderStatus::AllTraded].map(Some);
    assert_eq!(statuses, [new, queued, queued, filled]);
    let trade = trading.wait("the trade", |what| match what {
        What::Trade(facts) => Some(*facts),
        _ => None,
    });
    assert_eq!((trade.lots, trade.side, trade.offset), (Lots::new(1), Some(Side::Buy), Some(Offset::Open)));
    assert!(trade.price <= tick.upper_limit && trade.price >= tick.lower_limit, "{}", trade.price);

    // One that rests; its connection is lost before the counter's word on the cancel comes.
    let sent = trading.insert(&login, login.max_order_ref + 2, tick.lower_limit);
    assert_eq!([trading.update(sent).status, trading.update(sent).status], [new, queued]);
    assert_eq!(kit::control(&address, "drop during cancel"), "ok");
    assert_eq!(trading.cancel(&login, sent), 0);
    trading.wait("the loss", |what| matches!(what, What::Disconnected { reason: 0x1001 }).then_some(()));
    assert_eq!(trading.api.query(1, Query::Orders), -1, "no connection");
    let again = trading.log_in();
    assert_eq!((again.front_id, again.trading_day), (login.front_id, login.trading_day));
    assert!(again.session_id > login.session_id && again.max_order_ref == sent);
    // The replay: first the order that filled, in order, then the cancelled one to its end.
    let last = trading.update(sent);
    assert_eq!((last.status, last.front_id, last.session_id), (new, login.front_id, login.session_id));
    while trading.update(sent).status != Some(OrderStatus::Cancelled) {}

    // The answers of the queries. While one is slow in coming, another is not sent.
    assert_eq!(kit::control(&address, "slow 1000 at query-orders"), "ok");
    assert_eq!(trading.api.query(20, Query::Orders), 0);
    assert_eq!(trading.api.query(21, Query::Trades), -2, "one is under way");
    let orders = trading.answer(20, |what| match what {
        What::OrderLine(facts) => *facts,
        _ => None,
    });
    assert_eq!(orders.iter().map(|order| order.status).collect::<Vec<_>>(), [filled, Some(OrderStatus::Cancelled)]);
    assert_eq!(trading.api.query(22, Query::Trades), 0);
    let trades = trading.answer(22, |what| match what {
        What::TradeLine(facts) => *facts,
        _ => None,
    });
    assert_eq!(trades, [trade]);
    assert_eq!(trading.api.query(23, Query::Positions), 0);
    let positions = trading.answer(23, |what| match what {
        What::PositionLine(facts) => *facts,
        _ => None,
    });
    let [position] = positions.as_slice() else { panic!("{positions:?}") };
    assert_eq!((position.lots, position.today, position.side), (Lots::new(1), Lots::new(1), Some(Side::Buy)));
    assert_eq!(position.position_cost, trade.price.value(Lots::new(1), 10));
    assert_eq!(trading.api.query(24, Query::Funds), 0);
    let funds = trading.answer(24, |what| match what {
        What::Funds(facts) => *facts,
        _ => None,
    });
    let [funds] = funds.as_slice() else { panic!("{funds:?}") };
    assert_eq!(funds.balance.minus(funds.margin), funds.available, "no order binds anything");
    assert_eq!(funds.margin, position.margin);

    trading.api.stop();
    market.api.stop();
    // The exchange sees in its own time that they have gone.
    let began = Instant::now();
    while kit::control(&address, "status") != "ok: 0 connections, 2 faults, 0 waiting" {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", kit::control(&address, "status"));
    }
    println!("the day is done");
}

/// The trading side.
struct Trading {
    api: Trader,
    callbacks: Consumer<Callback>,
}

impl Trading {
    fn open(address: &str) -> Self {
        let (producer, callbacks) = ring(1 << 14, 0);
        let mut api = Trader::open(connection(address, "td"), clock(), producer).expect("the library opens");
        api.start().expect("it starts");
        Self { api, callbacks }
    }

    fn log_in(&mut self) -> LoginFacts {
        self.wait("the connection", |what| matches!(what, What::Connected).then_some(()));
        assert_eq!(self.api.authenticate(1), 0);
        self.wait("authentication", |what| matches!(what, What::Authenticated).then_some(()));
        assert_eq!(self.api.login(2), 0);
        let login = self.wait("the login", |what| match what {
            What::LoggedIn(facts) => *facts,
            _ => None,
        });
        assert_eq!(self.api.confirm(3), 0);
        login
    }

    fn insert(&mut self, login: &LoginFacts, order_ref: u64, price: Price) -> u64 {
        let order = NewOrder {
            symbol: SYMBOL,
            exchange: Exchange::Shfe,
            order_ref,
            side: Side::Buy,
            offset: Offset::Open,
            order_type: OrderType::Limit,
            tif: TimeInForce::Day,
            price,
            lots: Lots::new(1),
        };
        assert!(login.max_order_ref < order_ref);
        assert_eq!(self.api.insert(10, &order), 0);
        order_ref
    }

    fn cancel(&mut self, login: &LoginFacts, order_ref: u64) -> i32 {
        let order = CancelOrder {
            symbol: SYMBOL,
            exchange: Exchange::Shfe,
            order_ref,
            front_id: login.front_id,
            session_id: login.session_id,
            order_sys_id: Text::EMPTY,
        };
        self.api.cancel(11, &order)
    }

    /// The next report of an order.
    fn update(&mut self, order_ref: u64) -> OrderFacts {
        self.wait("a report", |what| match what {
            What::Order(facts) if facts.order_ref.as_str().trim().parse() == Ok(order_ref) => Some(*facts),
            _ => None,
        })
    }

    /// The lines of an answer, to its last.
    fn answer<T>(&mut self, request: i32, pick: impl Fn(&What) -> Option<T>) -> Vec<T> {
        let mut lines = Vec::new();
        loop {
            let callback = next(&mut self.callbacks, "an answer");
            if callback.request_id == request {
                assert_eq!(callback.error, 0, "{callback:?}");
                lines.extend(pick(&callback.what));
                if callback.is_last {
                    return lines;
                }
            }
        }
    }

    fn wait<T>(&mut self, what: &str, pick: impl Fn(&What) -> Option<T>) -> T {
        loop {
            let callback = next(&mut self.callbacks, what);
            assert_eq!(callback.error, 0, "{callback:?}");
            if let Some(picked) = pick(&callback.what) {
                return picked;
            }
        }
    }
}

/// The market-data side.
struct Market {
    api: Md,
    ticks: MarketConsumer<42>,
}

impl Market {
    fn open(address: &str, login: &LoginFacts) -> Self {
        let (producer, mut callbacks) = ring(1 << 10, 0);
        let (market, ticks) = market_ring(1 << 14, 0, 1);
        let mut api = Md::open(connection(address, "md"), clock(), producer, market).expect("the library opens");
        api.start().expect("it starts");
        while next(&mut callbacks, "the market's connection").what != What::Connected {}
        assert_eq!(api.login(1), 0);
        let told = next(&mut callbacks, "the market's login");
        assert!(matches!(told.what, What::LoggedIn(Some(_))), "{told:?}");
        let contract = Contract {
            instrument: InstrumentId::new(0),
            exchange: Exchange::Shfe,
            multiplier: 10,
            zero_is_price: false,
            bare_turnover: false,
        };
        let symbol = Symbol::new(SYMBOL).expect("fits");
        api.prepare(Contracts::new(login.trading_day, [(symbol, contract)]));
        assert_eq!(api.subscribe(&[SYMBOL]), 0);
        let told = next(&mut callbacks, "the subscription");
        assert_eq!((told.what, told.error), (What::Subscribed(symbol), 0));
        Self { api, ticks }
    }

    /// The next snapshot.
    fn tick(&mut self) -> DepthTick {
        let mut found = None;
        let began = Instant::now();
        while found.is_none() {
            assert!(began.elapsed() < Duration::from_secs(30), "no snapshot comes");
            self.ticks.take_batch(1, |slot| {
                if let Event::DepthTick(tick) = slot.event() {
                    found = Some(*tick);
                }
            });
        }
        found.expect("just found")
    }
}

fn next(callbacks: &mut Consumer<Callback>, what: &str) -> Callback {
    let (mut told, began) = (None, Instant::now());
    while callbacks.take_batch(1, |callback| told = Some(*callback)) == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} does not come");
        std::thread::park_timeout(Duration::from_micros(200));
    }
    told.expect("just taken")
}

fn connection(address: &str, side: &str) -> Connection {
    Connection {
        library: kit::library(),
        fronts: vec![format!("tcp://{address}")],
        flow: Path::new(kit::ROOM).join(side),
        production: true,
        credentials: Credentials {
            broker_id: "9999".into(),
            user_id: "shrike".into(),
            password: "shrike".into(),
            app_id: "shrike_test".into(),
            auth_code: "0000000000000000".into(),
            product_info: "shrike".into(),
        },
        thread: ThreadPlan::default(),
    }
}

fn clock() -> Clock {
    Clock::Wall(Tsc::calibrate())
}
