//! Flow control, complete answers, questions about single orders, rates.

use super::counter::{Called, future};
use super::*;
use crate::ctp::callback::{
    Callback, CommissionFacts, InstrumentFacts, MarginFacts, OptionCostFacts, OrderFacts, What,
};
use shrike_core::codes::{Exchange, OptionType, OrderStatus, ProductClass, SubmitStatus};
use shrike_core::ring::{Consumer, Offered, ring};
use shrike_core::units::{Money, Text};

/// When each query of a part was sent.
fn sent(bench: &Bench, part: usize) -> Vec<Nanos> {
    let counter = bench.counter.borrow();
    counter.calls.iter().filter(|(_, call)| *call == Called::Query(part)).map(|(at, _)| *at).collect()
}

#[test]
fn a_query_that_comes_too_soon_waits_twice_as_long_each_time() {
    for refusal in [-2, -3] {
        let mut bench = Bench::new();
        bench.counter.borrow_mut().query_codes = [refusal; 4].into();
        bench.run_until_ready(60);
        let start = bench.counter.borrow().calls.iter().find(|(_, call)| *call == Called::Confirm).unwrap().0;
        let [first] = sent(&bench, 0)[..] else { panic!() };
        assert_eq!(first.since(start).div_euclid(SECOND), 15, "{refusal}: 1 + 2 + 4 + 8 seconds");
    }
}

#[test]
fn a_query_that_is_not_ready_is_sent_again() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().query_errors = [90, 90].into();
    bench.run_until_ready(60);
    let times = sent(&bench, 0);
    assert_eq!(times.windows(2).map(|pair| pair[1].since(pair[0]) / SECOND).collect::<Vec<_>>(), [1, 2]);
    bench.assert_books_equal();
    assert!(bench.gateway.take_notes().is_empty(), "no words about what time mends");
}

#[test]
fn an_unanswered_query_is_sent_again_and_at_last_the_connection_made_anew() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().mute = true;
    bench.run(60);
    assert!(!bench.ready && bench.ends.is_empty(), "nothing is complete");
    assert_eq!(bench.counter.borrow().count(Called::Start), 2);
    bench.counter.borrow_mut().mute = false;
    bench.run_until_ready(60);
}

#[test]
fn nothing_held_is_a_null_answer() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    let end = bench.ends[0];
    assert_eq!((end.orders, end.fills, end.positions), (0, 0, 0));
    bench.assert_books_equal();
}

#[test]
fn positions_are_told_once_for_each_contract_and_side_by_the_exchanges_rules() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().held = [
        ((symbol("rb2410"), Side::Buy), [2, 3]),
        ((symbol("rb2410"), Side::Sell), [0, 4]),
        ((symbol("m2409"), Side::Buy), [1, 6]),
        ((symbol("m2409"), Side::Sell), [0, 0]),
    ]
    .into();
    bench.run_until_ready(30);
    assert_eq!(bench.ends[0].positions, 3, "nothing is told of what is not held");
    bench.assert_books_equal();
}

#[test]
fn a_home_learns_of_the_contracts_it_wants_and_of_those_it_holds() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().instruments.push(future("ru2409", Exchange::Shfe, "ru", 10));
    bench.counter.borrow_mut().held = [((symbol("ru2409"), Side::Buy), [1, 0])].into();
    bench.run_until_ready(30);
    let codes: Vec<String> = bench.ledger.instruments().iter().map(|def| def.symbol.to_string()).collect();
    assert_eq!(codes, ["rb2410", "m2409", "ru2409"]);
    assert_eq!(bench.ledger.position(bench.id("ru2409")).unwrap().net(), Lots::new(1));
}

#[test]
fn a_person_s_order_is_known_by_the_exchanges_number() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    let facts = OrderFacts {
        symbol: symbol("rb2410"),
        exchange: Some(Exchange::Shfe),
        order_ref: Text::new(b"mobile-7").unwrap(),
        front_id: 9,
        session_id: 77,
        order_sys_id: Text::new(b"       55501").unwrap(),
        side: Some(Side::Buy),
        offset: Some(Offset::Open),
        order_type: Some(OrderType::Limit),
        tif: Some(TimeInForce::Day),
        price: Price::whole(3_400),
        lots: Lots::new(2),
        status: Some(OrderStatus::Queued),
        submit: Some(SubmitStatus::Accepted),
        trading_day: day(20_240_604),
        ..OrderFacts::default()
    };
    let mut counter = bench.counter.borrow_mut();
    counter.tell(What::Order(facts));
    counter.tell(What::Order(facts));
    counter.trade(&facts, Lots::new(2));
    drop(counter);
    bench.run(1);
    let orders: Vec<_> = bench.ledger.orders().map(|(_, order)| *order).collect();
    let [order] = orders[..] else { panic!("{orders:?}") };
    assert!(order.wild && order.order_ref == 0);
    assert_eq!((order.order_sys_id.as_bytes(), order.filled), (b"       55501".as_slice(), Lots::new(2)));
    assert_eq!(bench.ledger.position(bench.id("rb2410")).unwrap().net(), Lots::new(2));
}

#[test]
fn a_question_about_an_order_is_answered_by_it_and_its_trades_alone() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    let filled = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    bench.run(1);
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    // The replies go missing.
    for _ in 0..10 {
        bench.counter.borrow_mut().advance(bench.now());
    }
    bench.counter.borrow_mut().queue.clear();
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Sent);
    bench.reports.clear();
    bench.about(order_ref, RequestKind::QueryOrder);
    bench.run(5);
    assert_eq!(bench.state(order_ref), OrderState::Filled);
    assert!(bench.reports.iter().all(|report| report.order_ref != filled), "only what was asked");
    bench.assert_books_equal();
}

/// As the order stage compares the books by the clock: the counter is asked within its flow control, trading goes on, and
/// what trades meanwhile is in both books.
#[test]
fn the_books_are_restated_again_and_again_while_orders_trade() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    for round in 0..6 {
        let (ends, inserts) = (bench.ends.len(), bench.counter.borrow().orders.len());
        bench.request(OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
        let mut seconds = 0;
        while bench.ends.len() == ends {
            if seconds % 4 == round % 4 {
                bench.insert("rb2410", Side::Buy, Offset::Open, 1);
                assert!(bench.counter.borrow().orders.len() > inserts, "an order does not wait for a query");
            }
            bench.run(1);
            seconds += 1;
            assert!(seconds < 60, "round {round}: no complete answer");
        }
        bench.run(5);
    }
    let counter = bench.counter.borrow();
    let queries: Vec<_> = counter.calls.iter().filter(|(_, call)| matches!(call, Called::Query(_))).collect();
    assert!(queries.windows(2).all(|pair| pair[1].0.since(pair[0].0) >= SECOND), "one query a second: {queries:?}");
    drop(counter);
    bench.request(OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
    bench.run(20);
    bench.assert_books_equal();
}

#[test]
fn on_a_session_that_trades_a_silent_order_is_asked_about_before_the_rest_of_a_restatement() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    for _ in 0..10 {
        bench.counter.borrow_mut().advance(bench.now());
    }
    // The replies go missing.
    bench.counter.borrow_mut().queue.clear();
    bench.request(OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
    while bench.counter.borrow().count(Called::Query(3)) == 1 {
        bench.run(1);
    }
    let ends = bench.ends.len();
    bench.counter.borrow_mut().calls.clear();
    bench.about(order_ref, RequestKind::QueryOrder);
    bench.run(20);
    let parts: Vec<_> = bench.counter.borrow().calls.iter().map(|(_, call)| *call).collect();
    let [orders, trades, positions, funds] = [1, 2, 3, 4].map(Called::Query);
    assert!(parts.starts_with(&[orders, trades]) && parts.ends_with(&[funds]), "{parts:?} {positions:?}");
    assert_eq!(bench.ends.len(), ends + 1, "and the restatement is completed");
    assert_eq!(bench.state(order_ref), OrderState::Filled);
    bench.assert_books_equal();
}

#[test]
fn a_trade_while_positions_are_answered_has_them_asked_for_again() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().disconnect();
    bench.run(1);
    while bench.counter.borrow().count(Called::Query(3)) == 1 {
        bench.run(1);
    }
    let facts = OrderFacts {
        symbol: symbol("m2409"),
        exchange: Some(Exchange::Dce),
        order_sys_id: Text::new(b"900001").unwrap(),
        side: Some(Side::Buy),
        offset: Some(Offset::Open),
        price: Price::whole(3_400),
        lots: Lots::new(2),
        ..OrderFacts::default()
    };
    bench.counter.borrow_mut().trade(&facts, Lots::new(2));
    bench.run_until_ready(30);
    assert_eq!(bench.counter.borrow().count(Called::Query(3)), 3);
    assert_eq!(bench.differences, []);
}

#[test]
fn what_no_table_knows_is_alarmed_and_said_once() {
    let mut bench = Bench::new();
    let unknown = future("qq2409", Exchange::Dce, "qq", 10);
    bench.counter.borrow_mut().held = [((unknown.symbol, Side::Buy), [1, 0])].into();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().disconnect();
    bench.run(1);
    bench.run_until_ready(30);
    assert_eq!(bench.kinds.iter().filter(|kind| **kind == Kind::Alarm).count(), 2);
    let notes = bench.gateway.take_notes();
    assert_eq!(notes.iter().filter(|note| note.contains("no table knows the contract qq2409")).count(), 1, "{notes:?}");
}

#[test]
fn in_the_events_own_time_reports_come_at_the_exchanges() {
    let mut bench = Bench::with(CtpOptions { live: false, ..options() }, PathBuf::new());
    bench.run_until_ready(30);
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    let now = bench.now();
    bench.counter.borrow_mut().advance(now);
    // The order's time is half past nine, and the engine's a little after nine.
    assert_eq!(bench.gateway.next(), Next::At(Nanos::china(day(20_240_604), 34_200, 0)));
    assert!(now < Nanos::china(day(20_240_604), 34_200, 0) && order_ref > 0);
}

fn margin() -> MarginFacts {
    MarginFacts {
        symbol: symbol("rb"),
        long_ratio: 7_000_000,
        long_per_lot: Money::ZERO,
        short_ratio: 8_000_000,
        short_per_lot: Money::ZERO,
        is_relative: false,
    }
}

fn commission() -> CommissionFacts {
    CommissionFacts {
        symbol: symbol("rb2410"),
        open_ratio: 10_000,
        open_per_lot: Money::ZERO,
        close_ratio: 10_000,
        close_per_lot: Money::ZERO,
        close_today_ratio: 20_000,
        close_today_per_lot: Money::ZERO,
    }
}

#[test]
fn rates_hold_nothing_up_and_come_from_yesterday_until_today_s_are_known() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("rates");
    let options = CtpOptions { rates_spacing_ns: SECOND, ..options() };
    let rates = |bench: &Bench| *bench.ledger.position(bench.id("rb2410")).unwrap().rates().unwrap();
    {
        let mut bench = Bench::with(options, file.clone());
        bench.run_until_ready(30);
        assert_eq!(bench.counter.borrow().count(Called::Rates), 0, "not before the books are restated");
        let assumed = rates(&bench);
        assert_eq!((assumed.assumed, assumed.long_margin_ratio >= 30_000_000), (1, true), "never less than configured");
        (bench.counter.borrow_mut().margin, bench.counter.borrow_mut().commission) =
            (Some(margin()), Some(commission()));
        bench.run(20);
        let told = rates(&bench);
        assert_eq!((told.assumed, told.long_margin_ratio, told.close_today_ratio), (0, 7_000_000, 20_000));
        assert_eq!(bench.counter.borrow().count(Called::Rates), 4, "each half of each contract once a day");
    }
    let mut bench = Bench::with(options, file);
    bench.run_until_ready(30);
    let cached = rates(&bench);
    assert_eq!((cached.assumed, cached.long_margin_ratio), (0, 7_000_000));
    assert_eq!(cached.effective_day, day(20_240_604), "with the day of the counter's word");
}

#[test]
fn margin_that_adds_to_the_exchanges_is_added() {
    let mut bench = Bench::with(CtpOptions { rates_spacing_ns: SECOND, ..options() }, PathBuf::new());
    {
        let mut counter = bench.counter.borrow_mut();
        counter.instruments[0].long_margin_ratio = 5_000_000;
        counter.instruments[0].short_margin_ratio = 6_000_000;
        counter.margin = Some(MarginFacts { is_relative: true, ..margin() });
        counter.commission = Some(commission());
    }
    bench.run_until_ready(30);
    bench.run(20);
    let rates = bench.ledger.position(bench.id("rb2410")).unwrap().rates().unwrap();
    assert_eq!((rates.long_margin_ratio, rates.short_margin_ratio), (12_000_000, 14_000_000));
}

/// A call on soybean meal, struck at 3 000.
fn option() -> InstrumentFacts {
    InstrumentFacts {
        class: Some(ProductClass::Option),
        option: Some(OptionType::Call),
        strike: Price::whole(3_000),
        underlying: symbol("m2409"),
        ..future("m2409-C-3000", Exchange::Dce, "m_o", 10)
    }
}

#[test]
fn options_are_asked_about_in_words_of_their_own_and_kept_for_tomorrow() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("rates");
    let options = CtpOptions { rates_spacing_ns: SECOND, ..options() };
    let rates = |bench: &Bench| *bench.ledger.position(bench.id("m2409-C-3000")).unwrap().rates().unwrap();
    {
        let mut bench = Bench::with(options, file.clone());
        bench.counter.borrow_mut().instruments.push(option());
        bench.run_until_ready(30);
        let assumed = rates(&bench);
        // A written lot binds its premium and three tenths of what the strike is worth; a bought one nothing.
        assert_eq!((assumed.assumed, assumed.short_margin_ratio), (1, 100_000_000));
        assert_eq!((assumed.long_margin_ratio, assumed.short_margin_per_lot), (0, Money::whole(9_000)));
        let cost = OptionCostFacts {
            symbol: symbol("m2409-C-3000"),
            fixed_per_lot: Money::whole(2_100),
            least_per_lot: Money::whole(1_500),
        };
        // The row of commission is the product's, which the contract's name does not begin with.
        let commission = CommissionFacts { symbol: symbol("m_o"), open_per_lot: Money::whole(2), ..commission() };
        (bench.counter.borrow_mut().option_cost, bench.counter.borrow_mut().option_commission) =
            (Some(cost), Some(commission));
        bench.run(20);
        let told = rates(&bench);
        assert_eq!((told.assumed, told.short_margin_ratio, told.long_margin_ratio), (0, 100_000_000, 0));
        assert_eq!(
            (told.short_margin_per_lot, told.short_margin_least_per_lot),
            (cost.fixed_per_lot, cost.least_per_lot)
        );
        assert_eq!((told.open_per_lot, told.close_today_ratio), (Money::whole(2), 20_000));
    }
    let mut bench = Bench::with(options, file);
    bench.counter.borrow_mut().instruments.push(option());
    bench.run_until_ready(30);
    let cached = rates(&bench);
    assert_eq!((cached.assumed, cached.short_margin_least_per_lot), (0, Money::whole(1_500)));
    assert_eq!(cached.effective_day, day(20_240_604));
}

#[test]
fn rates_of_what_is_held_come_first_then_of_what_strategies_target() {
    let mut bench = Bench::with(CtpOptions { rates_spacing_ns: SECOND, ..options() }, PathBuf::new());
    {
        let mut counter = bench.counter.borrow_mut();
        counter.instruments = ["rb2409", "rb2410", "rb2411"].map(|code| future(code, Exchange::Shfe, "rb", 10)).into();
        counter.instruments.extend([future("m2409", Exchange::Dce, "m", 10), option()]);
        counter.held = [((symbol("rb2411"), Side::Buy), [1, 0])].into();
    }
    bench.run_until_ready(30);
    bench.run(30);
    let mut asked = bench.counter.borrow().rated.clone();
    asked.dedup();
    let order = ["rb2411", "m2409", "m2409-C-3000", "rb2409", "rb2410"].map(symbol);
    assert_eq!(asked, order, "held, targeted (`m2409*` here), the rest; both halves of each");
}

/// The private flow of a busy day, told again after a reconnect, through the ring that the library's thread fills: that
/// thread never waits, each turn of the edge is bounded, and the books do not move.
#[test]
fn a_replay_of_100_000_reports_changes_nothing_and_blocks_nobody() {
    const ORDERS: usize = 20_000;
    let mut bench = Bench::new();
    bench.ledger = Ledger::new(Capacity { instruments: 16, orders: ORDERS, strategies: 1 });
    bench.run_until_ready(30);
    for _ in 0..ORDERS / 50 {
        for at in 0..50 {
            let (side, offset) = if at % 2 == 0 { (Side::Buy, Offset::Open) } else { (Side::Sell, Offset::CloseToday) };
            bench.insert("rb2410", side, offset, 1);
        }
        let mut counter = bench.counter.borrow_mut();
        let (now, first) = (counter.now, counter.orders.len() - 50);
        for _ in 0..5 {
            for at in first..first + 50 {
                counter.step_order(at);
            }
        }
        assert_eq!(counter.now, now);
        drop(counter);
        bench.poll();
    }
    bench.assert_books_equal();
    let flow = bench.counter.borrow().flow.clone();
    assert_eq!(flow.len(), 5 * ORDERS);

    let (mut library, mut edge): (_, Consumer<Callback>) = ring(4_096, 131_072);
    for &what in &flow {
        let offered = library.offer(|slot| *slot = Callback { what, received: bench.now(), ..Callback::default() });
        assert_ne!(offered, Offered::Lost);
    }
    let fills = bench.ledger.fill_count();
    let now = Now { waits: bench.now(), events: bench.now() };
    let (mut heard, mut slot) = (0, ReportSlot::default());
    while heard < flow.len() {
        let desk = &mut bench.gateway.desk;
        heard += edge.take_batch(BATCH_MAX, |callback| desk.hear(callback, now));
        library.drain();
        while bench.gateway.take(&mut slot) {
            bench.ledger.apply(&Header::default(), slot.event());
        }
    }
    assert_eq!(bench.ledger.fill_count(), fills);
    bench.assert_books_equal();
}
