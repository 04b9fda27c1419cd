//! The reconnect matrix: the connection breaks wherever it can, and afterwards nothing is lost and nothing is there twice.

use super::counter::{Called, Drop, Point};
use super::*;

/// The connection breaks while the session is being made; then it is made after all, and trades.
fn breaks_at_login(at: Point, before: bool) {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().drops = vec![Drop { at, before }];
    bench.run_until_ready(60);
    assert!(bench.counter.borrow().drops.is_empty(), "the fault struck");
    bench.insert("rb2410", Side::Buy, Offset::Open, 2);
    bench.run(2);
    bench.assert_books_equal();
    assert_eq!(bench.ledger.fill_count(), 1);
}

/// The connection breaks around an update of an order that trades; another order follows.
fn breaks_mid_order(update: usize, before: bool) {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().drops = vec![Drop { at: Point::Update(update), before }];
    let first = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.run(1);
    bench.run_until_ready(60);
    assert!(bench.counter.borrow().drops.is_empty(), "the fault struck");
    assert_eq!(bench.state(first), OrderState::Filled);
    let second = bench.insert("rb2410", Side::Sell, Offset::CloseToday, 1);
    bench.run(2);
    assert_eq!(bench.state(second), OrderState::Filled);
    bench.assert_books_equal();
    assert_eq!(bench.ledger.fill_count(), 2);
}

macro_rules! cases {
    ($run:ident: $($name:ident = ($($argument:expr),+),)+) => {
        $(#[test]
        fn $name() {
            $run($($argument),+);
        })+
    };
}

cases! { breaks_at_login:
    drop_at_connect = (Point::Connect, true),
    drop_before_authenticate = (Point::Authenticate, true),
    drop_after_authenticate = (Point::Authenticate, false),
    drop_before_login = (Point::Login, true),
    drop_after_login = (Point::Login, false),
    drop_before_confirm = (Point::Confirm, true),
    drop_after_confirm = (Point::Confirm, false),
    drop_before_query_of_instruments = (Point::Query(0), true),
    drop_after_query_of_instruments = (Point::Query(0), false),
    drop_before_query_of_orders = (Point::Query(1), true),
    drop_after_query_of_orders = (Point::Query(1), false),
    drop_before_query_of_trades = (Point::Query(2), true),
    drop_after_query_of_trades = (Point::Query(2), false),
    drop_before_query_of_positions = (Point::Query(3), true),
    drop_after_query_of_positions = (Point::Query(3), false),
    drop_before_query_of_funds = (Point::Query(4), true),
    drop_after_query_of_funds = (Point::Query(4), false),
}

cases! { breaks_mid_order:
    drop_before_first_update = (1, true),
    drop_after_first_update = (1, false),
    drop_before_second_update = (2, true),
    drop_after_second_update = (2, false),
    drop_before_third_update = (3, true),
    drop_after_third_update = (3, false),
    drop_before_fourth_update = (4, true),
    drop_after_fourth_update = (4, false),
    drop_before_fifth_update = (5, true),
    drop_after_fifth_update = (5, false),
}

#[test]
fn drop_before_insert_leaves_an_order_that_is_absent() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().drops = vec![Drop { at: Point::Insert, before: true }];
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.run(1);
    bench.run_until_ready(60);
    assert_eq!(bench.counter.borrow().orders.len(), 0);
    let order = *bench.ledger.order(bench.ledger.order_by_ref(order_ref).unwrap()).unwrap();
    assert_eq!(
        (order.state, order.absent_restatements),
        (OrderState::Sent, 1),
        "its fate is the order stage's to judge"
    );
    bench.assert_books_equal();
}

#[test]
fn drop_after_insert_finds_the_order_again() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().drops = vec![Drop { at: Point::Insert, before: false }];
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.run(1);
    bench.run_until_ready(60);
    assert_eq!(bench.state(order_ref), OrderState::Filled);
    bench.assert_books_equal();
}

fn breaks_mid_cancel(before: bool) -> (Bench, u64) {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().trades_at_once = false;
    bench.run_until_ready(30);
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.run(1);
    assert_eq!(bench.state(order_ref), OrderState::Working);
    bench.counter.borrow_mut().drops = vec![Drop { at: Point::Cancel, before }];
    bench.about(order_ref, RequestKind::Cancel);
    bench.run(1);
    bench.run_until_ready(60);
    (bench, order_ref)
}

#[test]
fn drop_before_cancel_leaves_the_order_working() {
    let (mut bench, order_ref) = breaks_mid_cancel(true);
    assert_eq!(bench.state(order_ref), OrderState::CancelPending);
    bench.about(order_ref, RequestKind::Cancel);
    bench.run(1);
    assert_eq!(bench.state(order_ref), OrderState::Cancelled, "of an earlier session, by the exchange's number");
    bench.assert_books_equal();
}

#[test]
fn drop_after_cancel_tells_that_it_is_cancelled() {
    let (bench, order_ref) = breaks_mid_cancel(false);
    assert_eq!(bench.state(order_ref), OrderState::Cancelled);
    bench.assert_books_equal();
}

/// The front is away for a time and refuses to authenticate for a while after it is back.
fn away(from: Nanos, closed_s: u64, inactive_s: u64) {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().trades_at_once = false;
    bench.run_until_ready(30);
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.run(1);
    bench.time.advance_to(from);
    {
        let mut counter = bench.counter.borrow_mut();
        counter.now = from;
        counter.disconnect();
        counter.deaf = true;
    }
    bench.run(closed_s);
    assert!(!bench.ready);
    let mut counter = bench.counter.borrow_mut();
    (counter.deaf, counter.auth_error, counter.trades_at_once) = (false, 8, true);
    drop(counter);
    bench.run(inactive_s);
    assert!(!bench.ready);
    let tries = bench.counter.borrow().count(Called::Authenticate) as u64;
    assert!(tries >= inactive_s / 61, "it keeps trying: {tries}");
    bench.counter.borrow_mut().auth_error = 0;
    bench.run_until_ready(130);
    bench.run(2);
    assert_eq!(bench.state(order_ref), OrderState::Filled, "traded while nobody looked");
    bench.assert_books_equal();
}

#[test]
fn drop_at_lunch() {
    away(Nanos::china(day(20_240_604), 11 * 3_600 + 1_900, 0), 3_600, 1_500);
}

#[test]
fn drop_at_night() {
    away(Nanos::china(day(20_240_604), 23 * 3_600 + 600, 0), 600, 1_200);
}

#[test]
fn drop_over_the_day_roll() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.insert("m2409", Side::Sell, Offset::Open, 2);
    bench.run(2);
    bench.assert_books_equal();
    bench.time.advance_to(Nanos::china(day(20_240_604), 20 * 3_600, 0));
    bench.counter.borrow_mut().now = bench.now();
    bench.counter.borrow_mut().roll(day(20_240_605));
    bench.run(1);
    bench.run_until_ready(60);
    assert_eq!(bench.ledger.trading_day(), day(20_240_605));
    bench.assert_books_equal();
    let close = bench.insert("rb2410", Side::Sell, Offset::CloseYesterday, 1);
    bench.insert("m2409", Side::Buy, Offset::Close, 2);
    bench.run(2);
    assert_eq!(bench.state(close), OrderState::Filled);
    bench.assert_books_equal();
    assert_eq!(bench.counter.borrow().count(Called::Query(0)), 2, "contracts are asked for once a day");
}

#[test]
fn clean_restart_of_the_counter() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().trades_at_once = false;
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 3);
    bench.run(1);
    bench.counter.borrow_mut().clean_restart();
    bench.run(1);
    bench.run_until_ready(60);
    assert_eq!(bench.state(order_ref), OrderState::Working, "known by the exchange's number");
    bench.counter.borrow_mut().trades_at_once = true;
    bench.run(2);
    assert_eq!(bench.state(order_ref), OrderState::Filled);
    bench.assert_books_equal();
}

#[test]
fn a_silent_front_is_tried_with_new_objects() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().deaf = true;
    bench.run(300);
    let counter = bench.counter.borrow();
    let starts: Vec<u64> =
        counter.calls.iter().filter(|(_, call)| *call == Called::Start).map(|(at, _)| at.get()).collect();
    let gaps: Vec<u64> = starts.windows(2).map(|pair| (pair[1] - pair[0] + SECOND / 2) / SECOND).collect();
    // Fifteen seconds of patience, and 1, 2, 4, 8, 16, 32, 60 seconds of rest.
    assert_eq!(gaps, [16, 17, 19, 23, 31, 47, 75], "doubling, bounded");
    assert_eq!(counter.count(Called::Stop), starts.len(), "each is released");
    drop(counter);
    bench.counter.borrow_mut().deaf = false;
    bench.run_until_ready(120);
}

#[test]
fn the_connection_is_made_anew_before_each_session() {
    let mut bench = Bench::with(CtpOptions { restart_before_ns: 20 * 60 * SECOND, ..options() }, PathBuf::new());
    bench.run_until_ready(30);
    bench.time.advance_to(Nanos::china(day(20_240_604), 20 * 3_600 + 34 * 60 + 50, 0));
    bench.run(5);
    assert!(bench.ready && bench.counter.borrow().count(Called::Start) == 1);
    bench.run(6);
    assert_eq!(bench.counter.borrow().count(Called::Start), 2, "at 20:35");
    bench.run_until_ready(30);
}
