//! What the counter and the exchange refuse: logins, orders, cancels, and what could not be sent at all.

use super::counter::Called;
use super::*;
use crate::ctp::api::Credentials;
use crate::ctp::callback::{CancelFacts, OrderFacts, What};
use shrike_core::codes::{AlarmKind, OrderStatus, SubmitStatus};
use shrike_core::units::Text;

#[test]
fn a_bad_password_is_sent_twice_and_never_again() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().login_error = 3;
    bench.run(3_600);
    let counter = bench.counter.borrow();
    assert_eq!(counter.count(Called::Login), 2);
    assert!(!counter.running, "the library is released");
    drop(counter);
    assert_eq!(bench.kinds.iter().filter(|kind| **kind == Kind::Alarm).count(), 1);
    let notes = bench.gateway.take_notes().join("\n");
    assert!(notes.contains("the account is not locked: correct the password"), "{notes}");
}

/// A supervisor starts the engine again whenever it ends.
#[test]
fn restarts_send_a_bad_password_no_more_often() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("refused");
    let credentials = |password: &str| Credentials { password: password.to_owned(), ..Credentials::default() };
    let open = |password| Attempts::open(&file, &credentials(password));
    let mut logins = 0;
    for _ in 0..5 {
        if open("wrong").refusal(options().session.password_attempts_max).is_some() {
            continue;
        }
        let mut bench = Bench::new().counting(open("wrong"));
        bench.counter.borrow_mut().login_error = 3;
        while bench.counter.borrow().count(Called::Login) == 0 {
            bench.run(1);
        }
        // Killed as the answer has come.
        bench.run(1);
        logins += bench.counter.borrow().count(Called::Login);
    }
    assert_eq!(logins, 2);
    // What is refused for good is not tried again either, and a login that is well begins anew.
    for (error, refused) in [(75, true), (0, false)] {
        open("other").keep(0).unwrap();
        let mut bench = Bench::new().counting(open("other"));
        bench.counter.borrow_mut().login_error = error;
        bench.run(5);
        assert_eq!(open("other").refusal(2).is_some(), refused, "{error}");
    }
    open("right").keep(1).unwrap();
    let mut bench = Bench::new().counting(open("right"));
    bench.run_until_ready(30);
    assert!(!file.exists(), "a login that is well clears the count");
}

/// The vendor's `Release` joins its threads, which may take seconds: the edge goes on meanwhile.
#[test]
fn a_slow_release_holds_nobody_up_and_the_next_start_waits_for_it() {
    let mut bench = Bench::new();
    let until = bench.now().after(40 * SECOND);
    bench.counter.borrow_mut().deaf = true;
    bench.run(5);
    bench.counter.borrow_mut().released_at = until;
    bench.run(25);
    bench.counter.borrow_mut().deaf = false;
    assert_eq!(bench.counter.borrow().count(Called::Stop), 1, "no answer for 15 seconds");
    assert_eq!(bench.counter.borrow().count(Called::Start), 1);
    bench.run_until_ready(40);
    assert!(bench.now() >= until);
    bench.assert_books_equal();
}

#[test]
fn a_ban_and_a_password_to_be_changed_are_met_once() {
    for error in [75, 131, 140, 141] {
        let mut bench = Bench::new();
        bench.counter.borrow_mut().login_error = error;
        bench.run(600);
        assert_eq!(bench.counter.borrow().count(Called::Login), 1, "{error}");
    }
}

#[test]
fn a_counter_that_is_not_ready_is_tried_for_as_long_as_it_takes() {
    let mut bench = Bench::new();
    bench.counter.borrow_mut().login_error = 7;
    bench.run(1_800);
    let logins = bench.counter.borrow().count(Called::Login);
    assert!((30..40).contains(&logins), "{logins}: once a minute in the end");
    bench.counter.borrow_mut().login_error = 0;
    bench.run_until_ready(120);
}

#[test]
fn a_clock_that_is_off_is_alarmed() {
    for (ahead_s, alarms) in [(0, 0), (2, 1)] {
        let mut bench = Bench::new();
        let clock = u64::from(bench.now().china_second() - ahead_s) * SECOND;
        bench.counter.borrow_mut().clocks = [None, None, Some(clock), None, None, None];
        bench.run(1);
        let found = bench.kinds.iter().filter(|kind| **kind == Kind::Alarm).count();
        assert_eq!(found, alarms, "{:?}", AlarmKind::ClockOffset);
    }
}

#[test]
fn what_cannot_be_sent_comes_back() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().connected = false;
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Rejected, "the library said -1");
    let report = bench.reports.last().unwrap();
    assert_eq!((report.error_code, report.source()), (-1, Some(ReportSource::InsertRefused)));
}

#[test]
fn an_order_of_an_earlier_session_is_not_sent_on_the_next() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    let mut slot = ReportSlot::default();
    bench.counter.borrow_mut().disconnect();
    // The new login waits in the gateway, and the order stage has not seen it.
    for _ in 0..200 {
        bench.time.advance_to(bench.now().after(SECOND / 10));
        bench.counter.borrow_mut().advance(bench.now());
        bench.gateway.next();
        if bench.gateway.desk().session().is_up() {
            break;
        }
        while !matches!(slot.event(), Event::Connection(_)) && bench.gateway.take(&mut slot) {}
        slot = ReportSlot::default();
    }
    assert!(bench.gateway.desk().session().is_up());
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    assert_eq!(bench.counter.borrow().count(Called::Insert(order_ref)), 0);
}

/// An order that the exchange refuses: the flow says that it ended, the error that follows says why.
#[test]
fn an_exchanges_rejection_and_its_error_are_one_report() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().trades_at_once = false;
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    let facts = bench.counter.borrow().orders[0].facts;
    let rejected = OrderFacts {
        status: Some(OrderStatus::Cancelled),
        submit: Some(SubmitStatus::InsertRejected),
        order_sys_id: Text::EMPTY,
        ..facts
    };
    let input = OrderFacts { front_id: 0, session_id: 0, status: None, submit: None, ..facts };
    bench.counter.borrow_mut().orders.clear();
    bench.reports.clear();
    bench.counter.borrow_mut().push(What::Order(rejected), 0, true, 0);
    bench.counter.borrow_mut().push(What::InsertError(Some(input)), 0, true, 37);
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Rejected);
    let told: Vec<_> = bench.reports.iter().map(|report| (report.source().unwrap(), report.error_code)).collect();
    assert_eq!(told, [(ReportSource::Flow, 37), (ReportSource::InsertError, 37)]);
    // The error alone, which names no session, finds the order that was sent under its request and number.
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    let facts = bench.counter.borrow_mut().orders.pop().unwrap().facts;
    let input = OrderFacts { front_id: 0, session_id: 0, status: None, submit: None, ..facts };
    bench.counter.borrow_mut().push(What::InsertError(Some(input)), 0, true, 37);
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Rejected);
    // Without an error the rejection waits a moment only.
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    let facts = bench.counter.borrow().orders[0].facts;
    bench.counter.borrow_mut().orders.clear();
    let rejected = OrderFacts { status: rejected.status, submit: rejected.submit, ..facts };
    bench.counter.borrow_mut().push(What::Order(rejected), 0, true, 0);
    bench.run(1);
    assert_eq!(bench.state(order_ref), OrderState::Rejected);
}

#[test]
fn a_refusal_finds_its_order_by_request_where_the_answer_is_null() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    for null in [What::InsertRefused(None), What::Failed] {
        let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
        let request_id = bench.counter.borrow_mut().orders.pop().unwrap().facts.request_id;
        bench.counter.borrow_mut().push(null, request_id, true, 31);
        bench.poll();
        assert_eq!(bench.state(order_ref), OrderState::Rejected, "{null:?}");
        assert_eq!(bench.reports.last().unwrap().error_code, 31);
    }
}

#[test]
fn an_error_of_another_session_touches_no_order_of_ours() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().trades_at_once = false;
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    bench.run(1);
    let ours = bench.counter.borrow().orders[0].facts;
    let theirs = OrderFacts { front_id: 0, session_id: 0, request_id: ours.request_id + 1_000, ..ours };
    let theirs = OrderFacts { order_sys_id: Text::EMPTY, ..theirs };
    bench.counter.borrow_mut().push(What::InsertError(Some(theirs)), 0, true, 31);
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Working);
}

#[test]
fn refused_cancels_name_their_order() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    bench.counter.borrow_mut().trades_at_once = false;
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 1);
    bench.run(1);
    // Refused by the counter: the order is done in its books.
    bench.counter.borrow_mut().orders[0].facts.status = Some(OrderStatus::PartTraded);
    bench.about(order_ref, RequestKind::Cancel);
    assert_eq!(bench.state(order_ref), OrderState::CancelPending);
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Working);
    assert_eq!(bench.reports.last().unwrap().error_code, 26);
    // Refused by the exchange: only the error return comes, by session and number.
    bench.counter.borrow_mut().orders[0].facts.status = Some(OrderStatus::Queued);
    bench.counter.borrow_mut().connected = true;
    let facts = bench.counter.borrow().orders[0].facts;
    bench.about(order_ref, RequestKind::Cancel);
    bench.counter.borrow_mut().queue.clear();
    bench.counter.borrow_mut().flow.clear();
    let cancel = CancelFacts {
        symbol: facts.symbol,
        exchange: facts.exchange,
        order_ref: facts.order_ref,
        front_id: facts.front_id,
        session_id: facts.session_id,
        ..CancelFacts::default()
    };
    bench.counter.borrow_mut().push(What::CancelError(Some(cancel)), 0, true, 91);
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Working);
    assert_eq!(bench.reports.last().unwrap().source(), Some(ReportSource::CancelError));
}

#[test]
fn a_status_told_again_and_a_trade_before_its_order_change_nothing() {
    let mut bench = Bench::new();
    bench.run_until_ready(30);
    let order_ref = bench.insert("rb2410", Side::Buy, Offset::Open, 2);
    let facts = bench.counter.borrow().orders[0].facts;
    bench.counter.borrow_mut().orders[0].step = 5;
    let numbered = OrderFacts { order_sys_id: Text::new(b"      777001").unwrap(), ..facts };
    bench.counter.borrow_mut().trade(&numbered, Lots::new(2));
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Filled, "the trade came first");
    let done = OrderFacts { status: Some(OrderStatus::AllTraded), traded: Lots::new(2), ..numbered };
    for facts in [numbered, done, done, OrderFacts { status: Some(OrderStatus::Queued), ..numbered }] {
        bench.counter.borrow_mut().tell(What::Order(facts));
    }
    bench.counter.borrow_mut().orders[0].facts = done;
    bench.poll();
    assert_eq!(bench.state(order_ref), OrderState::Filled);
    bench.assert_books_equal();
}
