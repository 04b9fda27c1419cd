//! Orders, cancels, whose they are, and the private flow.

use super::kit::*;
use crate::ctp::callback::{CancelFacts, OrderFacts};
use crate::sim::front::wire::{Channel, FromClient, Resume};
use crate::sim::front::{Front, FrontOptions};
use shrike_core::codes::{Exchange as Place, Side};
use shrike_core::units::{Price, Text};

#[test]
fn an_order_is_told_to_every_session_in_the_documented_order() {
    let mut kit = Kit::new();
    let (first, second) = (kit.trader(), kit.trader());
    kit.order(first, 1, Side::Buy, 2, 101);
    let updates = ["order 1@1/1 a", "order 1@1/1 3", "order 1@1/1 3", "order 1@1/1 0 traded 2", "trade 1 2 at 101"];
    let expected = |conn: u32| updates.map(|line| format!("{conn}: {line}"));
    assert_eq!(kit.said(), [expected(first), expected(second)].concat());
}

#[test]
fn the_counters_refusal_goes_to_the_sender_and_to_all() {
    let mut kit = Kit::new();
    kit.trader();
    let second = kit.trader();
    // Half a tick: the exchange's counter refuses. An unknown contract: the front itself.
    let off_tick = OrderFacts { price: Price::parse("99.5").expect("a price"), ..order_facts(1, Side::Buy, 1, 99) };
    kit.send(second, FromClient::Insert(11, off_tick));
    let line = "err-insert 1@1/2 error 95";
    assert_eq!(kit.said(), [format!("1: {line}"), "2: rsp-insert 1@1/2 #11 error 95".into(), format!("2: {line}")]);
    let unknown = OrderFacts { symbol: name("yy2405"), ..order_facts(2, Side::Buy, 1, 99) };
    kit.send(second, FromClient::Insert(12, unknown));
    let line = "err-insert 2@1/2 error 16";
    assert_eq!(kit.said(), [format!("1: {line}"), "2: rsp-insert 2@1/2 #12 error 16".into(), format!("2: {line}")]);
    // A field that no code of CTP stands for.
    let nonsense = OrderFacts { side: None, ..order_facts(3, Side::Buy, 1, 99) };
    kit.send(second, FromClient::Insert(13, nonsense));
    assert_eq!(kit.said()[1], "2: rsp-insert 3@1/2 #13 error 15");
}

#[test]
fn references_rise_within_a_session_and_may_repeat_between_sessions() {
    let mut kit = Kit::new();
    let (first, second) = (kit.trader(), kit.trader());
    kit.order(first, 5, Side::Buy, 1, 95);
    kit.order(second, 5, Side::Buy, 1, 94);
    let told: Vec<String> = kit.said().into_iter().filter(|line| line.starts_with("1: ")).collect();
    assert_eq!(told, ["1: order 5@1/1 a", "1: order 5@1/1 3", "1: order 5@1/2 a", "1: order 5@1/2 3"]);
    for reference in [5, 4] {
        kit.order(first, reference, Side::Buy, 1, 95);
        assert_eq!(kit.said()[0], format!("1: rsp-insert {reference}@1/1 #{} error 22", 100 + reference));
    }
    let letters = OrderFacts { order_ref: Text::new(b"abc").expect("fits"), ..order_facts(9, Side::Buy, 1, 95) };
    kit.send(first, FromClient::Insert(1, letters));
    assert_eq!(kit.said()[0], "1: rsp-insert abc@1/1 #1 error 22");
    // Each cancels its own; the other's is untouched.
    kit.cancel(first, (1, 2), 5);
    let told: Vec<String> = kit.said().into_iter().filter(|line| line.starts_with("2: ")).collect();
    assert_eq!(told, ["2: order 5@1/2 3", "2: order 5@1/2 5"]);
    // A new session is told the greatest reference.
    let third = kit.connect(Channel::Trading, Resume::Quick);
    kit.authenticate(third);
    kit.login(third);
    assert_eq!(kit.said()[3], "3: login 20240102 1/3 max 5 #2");
}

#[test]
fn a_refused_cancel_is_told_to_who_cancelled_and_to_all() {
    let mut kit = Kit::new();
    let (first, second) = (kit.trader(), kit.trader());
    kit.cancel(second, (1, 1), 8);
    assert_eq!(
        kit.said(),
        ["1: err-action 8 error 25", "2: rsp-action 8 #208 error 25", "2: err-action 8 error 25"],
        "not known"
    );
    kit.order(first, 1, Side::Buy, 1, 101);
    kit.said();
    kit.cancel(second, (1, 1), 1);
    assert_eq!(
        kit.said(),
        ["1: err-action 1 error 26", "2: rsp-action 1 #201 error 26", "2: err-action 1 error 26"],
        "it has traded: its sender is not who cancelled"
    );
}

#[test]
fn a_cancel_by_the_exchanges_number_needs_its_very_bytes() {
    let mut kit = Kit::new();
    let conn = kit.trader();
    kit.order(conn, 1, Side::Buy, 1, 95);
    kit.said();
    let by_number = |bytes: &[u8]| CancelFacts {
        symbol: name("xx2405"),
        exchange: Some(Place::Shfe),
        order_sys_id: Text::new(bytes).expect("fits"),
        ..CancelFacts::default()
    };
    kit.send(conn, FromClient::Cancel(1, by_number(b"1")));
    assert_eq!(kit.said()[0], "1: rsp-action  #1 error 25");
    let elsewhere = CancelFacts { exchange: Some(Place::Dce), ..by_number(b"           1") };
    kit.send(conn, FromClient::Cancel(2, elsewhere));
    assert_eq!(kit.said()[0], "1: rsp-action  #2 error 25");
    kit.send(conn, FromClient::Cancel(3, by_number(b"           1")));
    assert_eq!(kit.said(), ["1: order 1@1/1 3", "1: order 1@1/1 5"]);
}

/// What a session that resumes so is told at its login, but for the login itself and the phase.
fn replayed(kit: &mut Kit, resume: Resume) -> Vec<String> {
    let conn = kit.connect(Channel::Trading, resume);
    kit.authenticate(conn);
    kit.login(conn);
    let prefix = format!("{conn}: ");
    let told: Vec<String> = kit.said().iter().filter_map(|line| Some(line.strip_prefix(&prefix)?.to_owned())).collect();
    assert!(told[3].starts_with("login "), "{told:?}");
    let flow = told[4..].iter().filter(|line| !line.starts_with("phase")).cloned().collect();
    kit.front.lost(conn);
    flow
}

/// A day of orders of all fates, from two sessions.
fn busy_day(kit: &mut Kit) -> Vec<String> {
    let (first, second) = (kit.trader(), kit.trader());
    kit.order(first, 1, Side::Buy, 7, 101);
    kit.order(second, 1, Side::Sell, 2, 99);
    kit.order(second, 2, Side::Sell, 0, 99);
    kit.cancel(first, (1, 1), 1);
    kit.cancel(first, (1, 1), 1);
    kit.order(first, 2, Side::Buy, 1, 200);
    let live = kit.said().iter().filter_map(|line| Some(line.strip_prefix("1: ")?.to_owned())).collect();
    kit.front.lost(first);
    kit.front.lost(second);
    live
}

#[test]
fn the_replay_is_the_whole_day_in_its_order() {
    let mut kit = Kit::new();
    let live = busy_day(&mut kit);
    let flow: Vec<String> = live.iter().filter(|line| !line.starts_with("rsp-")).cloned().collect();
    assert!(flow.len() > 15 && flow.len() < live.len(), "{live:?}");
    for _ in 0..2 {
        assert_eq!(replayed(&mut kit, Resume::Restart), flow);
    }
    assert_eq!(replayed(&mut kit, Resume::From(3)), flow[3..]);
    assert_eq!(replayed(&mut kit, Resume::From(1_000)), [""; 0]);
    assert_eq!(replayed(&mut kit, Resume::Quick), [""; 0]);
    assert_eq!(replayed(&mut kit, Resume::Never), [""; 0]);
}

#[test]
fn another_process_tells_the_same_day_from_the_journal() {
    let mut kit = Kit::new();
    busy_day(&mut kit);
    // What the front refused itself never came to the exchange, nor into its journal; a reference that two sessions used
    // is told by the exchange's number of it.
    let flow = replayed(&mut kit, Resume::Restart);
    let mut front = Front::new(FrontOptions::default());
    for (is_report, slot) in &kit.shown {
        match is_report {
            true => front.report(slot.header(), slot.event()),
            false => front.market(slot.header(), slot.event()),
        }
    }
    kit.front = front;
    let again = replayed(&mut kit, Resume::Restart);
    let fates = |lines: &[String]| -> Vec<String> {
        let fate = |line: &String| line.split('@').next_back().map(|rest| rest.replace("trade 2", "trade 1"));
        lines.iter().filter(|line| !line.contains("error 15")).filter_map(fate).collect()
    };
    assert_eq!(fates(&again), fates(&flow));
}

#[test]
fn who_wants_no_private_flow_gets_none() {
    let mut kit = Kit::new();
    let sender = kit.trader();
    let silent = kit.connect(Channel::Trading, Resume::Never);
    kit.authenticate(silent);
    kit.login(silent);
    kit.said();
    kit.order(sender, 1, Side::Buy, 1, 95);
    assert_eq!(kit.said(), ["1: order 1@1/1 a", "1: order 1@1/1 3"]);
}
