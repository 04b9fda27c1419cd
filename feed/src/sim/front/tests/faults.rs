//! The fault script: each fault at its place, once, counted and told.

use super::kit::*;
use crate::sim::front::wire::{Channel, FromClient, QueryKind, Resume};
use shrike_core::codes::Side;

fn faulty(script: &str) -> Kit {
    let mut kit = Kit::new();
    kit.front.faults().add(script).expect("a good script");
    kit
}

/// What a client comes to hear on its way in, until it is done or cut.
fn way_in(kit: &mut Kit) -> Vec<String> {
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(conn);
    kit.login(conn);
    kit.send(conn, FromClient::Confirm(3));
    kit.query(conn, QueryKind::Instruments);
    kit.query(conn, QueryKind::Funds);
    let words = |line: String| line.split_once(": ").map(|(_, words)| words.to_owned());
    kit.said().into_iter().filter_map(words).collect()
}

#[test]
fn a_connection_is_cut_at_each_step_of_the_way_in() {
    let whole = way_in(&mut Kit::new());
    assert_eq!(whole.len(), 8, "{whole:?}");
    for (script, heard) in [
        ("drop before connect", 0),
        ("drop after connect", 2),
        ("drop before authenticate", 2),
        ("drop during authenticate", 2),
        ("drop after authenticate", 3),
        ("drop at login", 3),
        ("drop after login", 5),
        ("drop at confirm", 5),
        ("drop after confirm", 6),
        ("drop at query-instruments", 6),
        ("drop after query-instruments", 7),
        ("drop during query-funds", 7),
        ("drop after query-funds", 8),
    ] {
        let mut kit = faulty(script);
        let mut expected = whole[..heard].to_vec();
        expected.push("closed".to_owned());
        assert_eq!(way_in(&mut kit), expected, "{script}");
        assert_eq!((kit.front.faults().struck(), kit.front.faults().waiting()), (1, 0), "{script}");
        // Once only, and only on that connection: the session numbers go on.
        let again = way_in(&mut kit);
        assert_eq!(again.len(), whole.len(), "{script}");
    }
}

#[test]
fn the_nth_time_counts() {
    let mut kit = faulty("drop before login 3");
    let lengths: Vec<usize> = (0..4).map(|_| way_in(&mut kit).len()).collect();
    assert_eq!(lengths, [8, 8, 4, 8]);
}

#[test]
fn half_of_an_answer_may_be_all_that_comes() {
    let mut kit = faulty("drop during query-orders");
    let conn = kit.trader();
    for reference in 1..=5 {
        kit.order(conn, reference, Side::Buy, 1, 90);
    }
    kit.said();
    kit.query(conn, QueryKind::Orders);
    assert_eq!(kit.said(), ["1: order-line 1@1/1 3 #9 ...", "1: order-line 2@1/1 3 #9 ...", "1: closed"]);
}

/// The five updates of an order that fills at once, cut before and after each: whoever comes back hears all of them.
#[test]
fn a_cut_between_updates_loses_none_of_them() {
    let updates = ["order 1@1/1 a", "order 1@1/1 3", "order 1@1/1 3", "order 1@1/1 0 traded 2", "trade 1 2 at 101"];
    for nth in 1..=updates.len() {
        for (when, heard) in [("before", nth - 1), ("after", nth)] {
            let mut kit = faulty(&format!("drop {when} update {nth}"));
            let conn = kit.trader();
            kit.order(conn, 1, Side::Buy, 2, 101);
            let mut expected: Vec<String> = updates[..heard].iter().map(|line| format!("1: {line}")).collect();
            expected.push("1: closed".to_owned());
            assert_eq!(kit.said(), expected, "{when} {nth}");
            let again = kit.connect(Channel::Trading, Resume::Restart);
            kit.authenticate(again);
            kit.login(again);
            let replay: Vec<String> = updates.iter().map(|line| format!("2: {line}")).collect();
            assert_eq!(kit.said()[4..9], replay, "{when} {nth}");
        }
    }
}

#[test]
fn a_request_is_cut_off_before_or_after_it_counts() {
    for (script, orders) in [("drop before insert", 0), ("drop during insert", 1), ("lose insert", 0)] {
        let mut kit = faulty(script);
        let conn = kit.trader();
        kit.order(conn, 1, Side::Buy, 1, 95);
        assert_eq!(kit.exchange.orders().len(), orders, "{script}");
        let heard = kit.said();
        assert_eq!(heard, if script.starts_with("lose") { vec![] } else { vec!["1: closed".to_owned()] }, "{script}");
    }
    for (script, ended) in [("drop before cancel", false), ("drop during cancel", true)] {
        let mut kit = faulty(script);
        let conn = kit.trader();
        kit.order(conn, 1, Side::Buy, 1, 95);
        kit.said();
        kit.cancel(conn, (1, 1), 1);
        assert_eq!(kit.said(), ["1: closed"], "{script}");
        let order = kit.exchange.orders().next().expect("the order");
        assert_eq!(order.status() == Some(shrike_core::codes::OrderStatus::Cancelled), ended, "{script}");
    }
}

#[test]
fn a_request_may_be_refused_with_any_code() {
    let mut kit = faulty("refuse 8 at login\nrefuse 116 at insert # too many\nrefuse 90 at query-funds");
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(conn);
    kit.said();
    kit.login(conn);
    assert_eq!(kit.said(), ["1: login #2 error 8"]);
    kit.login(conn);
    kit.send(conn, FromClient::Confirm(3));
    kit.said();
    kit.query(conn, QueryKind::Funds);
    assert_eq!(kit.said(), ["1: failed #9 error 90"]);
    kit.order(conn, 1, Side::Buy, 1, 95);
    assert_eq!(kit.said(), ["1: rsp-insert 1@1/1 #101 error 116", "1: err-insert 1@1/1 error 116"]);
}

#[test]
fn a_slow_reply_keeps_its_place() {
    let mut kit = faulty("slow 500 at query-instruments");
    let (slow, quick) = (kit.trader(), kit.trader());
    kit.query(slow, QueryKind::Instruments);
    kit.query(slow, QueryKind::Funds);
    kit.query(quick, QueryKind::Funds);
    assert_eq!(kit.said(), ["2: funds 10000000 margin 0 #9"]);
    kit.real_ns = SECOND / 2 - 1;
    assert_eq!(kit.said(), [""; 0]);
    kit.real_ns = SECOND / 2;
    assert_eq!(kit.said(), ["1: instrument xx2405 #9", "1: funds 10000000 margin 0 #9"]);
}

#[test]
fn times_of_the_exchange_strike_as_they_pass() {
    // The kit's market begins at 09:00:00 of 2 January and takes a millisecond for each event.
    for (script, closed) in [
        ("drop at 09:00:01", [1].as_slice()),
        ("drop market at 2024-01-02T09:00:01", &[2]),
        ("drop all at 09:00:01", &[1, 2]),
        ("drop trading at 09:00:01", &[1]),
        ("drop at 2024-01-03T09:00:01", &[]),
    ] {
        let mut kit = faulty(script);
        kit.trader();
        kit.connect(Channel::Market, Resume::Restart);
        kit.said();
        kit.tick();
        assert_eq!(kit.said(), [""; 0], "{script}");
        kit.now = kit.now.after(SECOND);
        kit.tick();
        let expected: Vec<String> = closed.iter().map(|conn| format!("{conn}: closed")).collect();
        assert_eq!(kit.said(), expected, "{script}");
    }
}

#[test]
fn a_clean_restart_names_everything_anew_but_the_exchanges_numbers() {
    let mut kit = faulty("restart after update 4");
    let conn = kit.trader();
    let market = kit.connect(Channel::Market, Resume::Restart);
    kit.order(conn, 41, Side::Buy, 1, 95);
    kit.order(conn, 42, Side::Buy, 1, 94);
    let numbers: Vec<_> = kit.exchange.orders().map(|order| order.order_sys_id).collect();
    let heard: Vec<String> = kit.said().into_iter().filter(|line| line.starts_with("1: ")).collect();
    assert_eq!(heard.last().map(String::as_str), Some("1: closed"), "{heard:?}");
    assert_eq!(kit.front.connections(), 1, "the market-data connection {market} stands");
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(conn);
    kit.login(conn);
    assert_eq!(
        kit.said()[3..8],
        [
            "3: login 20240102 2/1 max 0 #2",
            "3: order 1@2/0 a",
            "3: order 1@2/0 3",
            "3: order 2@2/0 a",
            "3: order 2@2/0 3",
        ]
    );
    kit.send(conn, FromClient::Confirm(3));
    // References begin again; the old ones are reached by what they are called now.
    kit.order(conn, 1, Side::Buy, 1, 93);
    kit.cancel(conn, (2, 0), 2);
    assert_eq!(kit.said()[1..], ["3: order 1@2/1 a", "3: order 1@2/1 3", "3: order 2@2/0 3", "3: order 2@2/0 5"]);
    let after: Vec<_> = kit.exchange.orders().map(|order| order.order_sys_id).collect();
    assert_eq!(after[..2], numbers);
}

#[test]
fn a_script_is_taken_whole_or_not_at_all() {
    let mut kit = Kit::new();
    let faults = kit.front.faults();
    assert_eq!(faults.add("# nothing\n\n  drop at login # here\nslow 20 confirm 2"), Ok(2));
    for (line, word) in [
        ("explode at login", "begins with"),
        ("drop", "where"),
        ("drop at nowhere", "no place"),
        ("drop at 25:00:00", "no place"),
        ("drop at 2024-02-30T10:00:00", "no place"),
        ("drop at login 0", "from 1"),
        ("drop at login twice", "occurrence"),
        ("drop at login 1 2", "after the end"),
        ("refuse at login", "error code"),
        ("refuse 3 at update", "only a request"),
        ("lose at 10:00:00", "only a request"),
    ] {
        let error = faults.add(&format!("drop at login\n{line}")).expect_err(line);
        assert!(error.starts_with("line 2: ") && error.contains(word), "{line}: {error}");
    }
    assert_eq!(faults.waiting(), 2);
}
