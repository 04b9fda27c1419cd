//! The venue's books beside ours: what is a difference and what is only under way, what each policy does, and that trading
//! goes on meanwhile.

use super::desk::*;
use super::kit::*;
use super::reconcile::{MOVING_ANSWERS, OnDifference, ReconcileSettings};
use super::{OrderSettings, Readiness};
use shrike_core::codes::{
    AlarmKind, CommandKind, Offset, OrderState, OrderStatus, RefusalReason, RequestKind, Side, Urgency,
};
use shrike_core::event::{Difference, Event, OrderRequest, PositionReport};
use shrike_core::ledger::Order;
use shrike_core::units::{Lots, Price};

const INTERVAL: u64 = 30 * SECOND;

fn desk_with(positions: OnDifference) -> Desk {
    Desk::ready_with(OrderSettings { reconcile: comparing(positions), ..settings() }, &[])
}

fn asks(said: &Said) -> bool {
    !said.requests(RequestKind::Resync).is_empty()
}

fn differences(said: &Said) -> Vec<(String, i64, i64, u8)> {
    let told = |d: &Difference| (d.field.to_string(), d.ours, d.venue, d.settled);
    said.0.iter().filter_map(|out| if let Event::Difference(d) = out.event() { Some(told(d)) } else { None }).collect()
}

/// Kinds of the alarms, and whether each is an end.
fn alarms(said: &Said) -> Vec<(AlarmKind, bool)> {
    said.alarms().iter().map(|alarm| (AlarmKind::of(alarm.kind).unwrap(), alarm.cleared != 0)).collect()
}

/// Our live orders as they were sent.
fn live(desk: &Desk) -> Vec<OrderRequest> {
    let units = |price: Price| price.raw() / Price::ONE_RAW;
    let request = |(_, o): (_, &Order)| OrderRequest {
        session_id: o.session_id,
        ..insert(o.order_ref, o.instrument, o.side, o.offset, units(o.price), o.lots.get())
    };
    desk.stage().ledger().live_orders().map(request).collect()
}

/// The venue answers: so many long lots of today at SHFE, our live orders, and nothing else.
fn answers(desk: &mut Desk, long: i64) -> Said {
    if long != 0 {
        desk.venue(&holds(SHFE, Side::Buy, long, 0));
    }
    let orders = live(desk);
    desk.resynced(&orders)
}

/// Time passes until the venue is asked; then it answers this.
fn next_answer(desk: &mut Desk, long: i64) -> Said {
    let mut said = desk.wait(INTERVAL);
    for instrument in [CZCE, SHFE] {
        said.0.extend(desk.market(instrument, BID, ASK).0);
    }
    assert!(asks(&said), "asked when its time has come");
    answers(desk, long)
}

/// A second look is taken soon, without any market.
fn second_answer(desk: &mut Desk, long: i64) -> Said {
    let said = desk.wait(desk.settings.ack_timeout_ns);
    assert!(asks(&said), "a doubt is followed up at once");
    answers(desk, long)
}

#[test]
fn the_venue_is_asked_by_the_clock_while_trading_goes_on() {
    let mut desk = desk_with(OnDifference::Halt);
    for round in 0..3 {
        assert!(!asks(&desk.market(SHFE, BID, ASK)));
        desk.wait(INTERVAL);
        assert!(asks(&desk.market(SHFE, BID, ASK)), "round {round}");
        assert_eq!(desk.stage().readiness(), Readiness::Ready);
        assert!(!asks(&desk.market(CZCE, BID, ASK)), "one question at a time");
        let sent = desk.target(CZCE, 1 + round, Urgency::Passive).inserts();
        assert_eq!(sent.len(), 1, "round {round}: orders are sent while the answers come");
        desk.queued(&sent[0]);
        let said = answers(&mut desk, 0);
        assert!(said.0.is_empty(), "round {round}: {:?}", said.kinds());
    }
}

#[test]
fn a_difference_stands_when_two_answers_show_it_and_ends_with_one_that_does_not() {
    use OnDifference::{BlockOpening, Halt, Warn};
    let none: &[AlarmKind] = &[];
    for (policy, effect) in [(Warn, none), (BlockOpening, &[AlarmKind::OpeningBlocked]), (Halt, &[AlarmKind::Halted])] {
        let mut desk = desk_with(policy);
        let resting = desk.target(CZCE, 1, Urgency::Passive).inserts()[0];
        desk.queued(&resting);
        let said = next_answer(&mut desk, 3);
        assert!(differences(&said).is_empty() && alarms(&said).is_empty(), "once is nothing");
        let said = second_answer(&mut desk, 3);
        assert_eq!(differences(&said), [("long today".into(), 0, 3, 0)]);
        let raised: Vec<_> = [AlarmKind::Mismatch].iter().chain(effect).map(|&kind| (kind, false)).collect();
        assert_eq!(alarms(&said), raised, "{policy:?}");
        let standing: Vec<_> = desk.stage().reconcile().standing().map(|row| (row.ours, row.venue)).collect();
        assert_eq!((standing, desk.stage().reconcile().effect()), (vec![(0, 3)], policy));

        assert_eq!(said.cancels().len(), usize::from(policy == Halt), "{policy:?}");
        let said = desk.quote(CZCE, BID, ASK);
        let opened = said.inserts().len();
        assert_eq!(opened, if policy == Warn { 2 } else { 0 }, "{policy:?}");
        let refused = said.refusals().iter().all(|refusal| refusal.reason == RefusalReason::ReduceOnly.code());
        assert!(refused && said.refusals().is_empty() == (policy != BlockOpening), "{policy:?}");

        let said = next_answer(&mut desk, 3);
        assert!(differences(&said).is_empty() && alarms(&said).is_empty(), "told once");
        let said = next_answer(&mut desk, 0);
        assert_eq!(differences(&said), [("long today".into(), 0, 3, 1)]);
        let ended: Vec<_> = [AlarmKind::Mismatch].iter().chain(effect).map(|&kind| (kind, true)).collect();
        assert_eq!(alarms(&said), ended, "{policy:?}");
        if policy == BlockOpening {
            assert_eq!(said.inserts().len(), 2, "what was held back is sent by itself");
        }
        assert_eq!(desk.stage().reconcile().effect(), Warn);
    }
}

#[test]
fn while_opening_is_blocked_what_is_held_can_be_closed() {
    let reconcile = comparing(OnDifference::BlockOpening);
    let mut desk = Desk::ready_with(OrderSettings { reconcile, ..settings() }, &[(SHFE, Side::Buy, 4, 0)]);
    next_answer(&mut desk, 3);
    second_answer(&mut desk, 3);
    let closes = desk.target(SHFE, -2, Urgency::Aggressive).inserts();
    assert_eq!(
        closes.iter().map(|o| (o.offset(), o.lots)).collect::<Vec<_>>(),
        [(Some(Offset::CloseToday), Lots::new(2))]
    );
}

/// An order at SHFE that the exchange has.
fn working(desk: &mut Desk, lots: i64) -> OrderRequest {
    let order = desk.target(SHFE, lots, Urgency::Passive).inserts()[0];
    desk.queued(&order);
    order
}

#[test]
fn an_order_that_the_clocks_answer_does_not_name_is_lost_unless_it_is_younger_than_the_question() {
    for young in [false, true] {
        let mut desk = desk_with(OnDifference::Halt);
        let old = working(&mut desk, 2);
        desk.wait(INTERVAL);
        assert!(asks(&desk.market(SHFE, BID, ASK)));
        desk.market(CZCE, BID, ASK);
        let later = desk.target(CZCE, 1, Urgency::Passive).inserts()[0];
        desk.queued(&later);
        let (named, lost) = if young { (old, vec![]) } else { (later, vec![(old.order_ref, Some(OrderState::Lost))]) };
        desk.resynced(&[named]);
        let updates = desk.wait(INTERVAL).updates();
        assert_eq!(updates.iter().map(|update| (update.order_ref, update.state())).collect::<Vec<_>>(), lost);
    }
}

#[test]
fn a_fill_that_crosses_the_answer_is_no_difference() {
    for late in [false, true] {
        let mut desk = desk_with(OnDifference::Halt);
        let order = working(&mut desk, 2);
        // The venue has traded it already; we hear of it before or after the end of the answer.
        desk.wait(INTERVAL);
        desk.market(SHFE, BID, ASK);
        desk.venue(&holds(SHFE, Side::Buy, 2, 0));
        let mut said = Said::default();
        if !late {
            desk.filled(&order);
        }
        said.0.extend(desk.resynced(&[]).0);
        if late {
            desk.filled(&order);
            said.0.extend(second_answer(&mut desk, 2).0);
        }
        assert!(differences(&said).is_empty() && alarms(&said).is_empty(), "late {late}: {:?}", said.kinds());
        assert_eq!(desk.stage().reconcile().standing().count(), 0);
        assert!(!asks(&desk.wait(4 * SECOND)), "no doubt is left");
    }
}

#[test]
fn numbers_that_move_must_keep_their_distance_for_longer() {
    let mut desk = desk_with(OnDifference::Warn);
    next_answer(&mut desk, 1);
    for held in 1..i64::from(MOVING_ANSWERS) {
        let order = working(&mut desk, held);
        desk.filled(&order);
        let said = second_answer(&mut desk, held + 1);
        let stands = held + 1 == i64::from(MOVING_ANSWERS);
        let expected = if stands { vec![("long today".to_owned(), held, held + 1, 0)] } else { vec![] };
        assert_eq!(differences(&said), expected, "{held} held");
    }
    // The distance changes: it is another difference, which must be seen twice too.
    assert!(differences(&next_answer(&mut desk, 7)).is_empty());
    let said = second_answer(&mut desk, 7);
    assert_eq!(differences(&said), [("long today".into(), 3, 7, 0)]);
}

#[test]
fn numbers_that_never_rest_do_not_keep_the_venue_busy() {
    let mut desk = desk_with(OnDifference::Halt);
    next_answer(&mut desk, 1);
    let mut soon = 0;
    while asks(&desk.wait(4 * SECOND)) {
        soon += 1;
        let said = answers(&mut desk, 1 + soon);
        assert!(differences(&said).is_empty() && soon < 100);
    }
    assert_eq!(soon, 8, "then again by the clock");
    next_answer(&mut desk, 50);
}

#[test]
fn after_a_login_nothing_is_opened_while_a_difference_is_in_doubt() {
    for policy in [OnDifference::Warn, OnDifference::BlockOpening, OnDifference::Halt] {
        let mut desk = desk_with(policy);
        desk.log_in(day(2), 8);
        desk.venue(&holds(SHFE, Side::Buy, 2, 0));
        let said = desk.resynced(&[]);
        desk.market(CZCE, BID, ASK);
        let opened = desk.target(CZCE, 1, Urgency::Passive).inserts().len();
        assert_eq!(opened, usize::from(policy == OnDifference::Warn), "{policy:?}");
        let blocks: &[_] = if opened == 1 { &[] } else { &[(AlarmKind::OpeningBlocked, false)] };
        assert_eq!(alarms(&said), blocks, "{policy:?}");
        assert!(differences(&said).is_empty());
        let said = second_answer(&mut desk, 0);
        assert_eq!(said.inserts().len(), 1 - opened, "{policy:?}: it was under way");
    }
}

#[test]
fn the_operator_can_go_on_with_a_difference_until_it_changes() {
    let mut desk = desk_with(OnDifference::BlockOpening);
    next_answer(&mut desk, 3);
    second_answer(&mut desk, 3);
    let said = desk.command(CommandKind::Resume);
    assert_eq!(alarms(&said), [(AlarmKind::OpeningBlocked, true)]);
    assert_eq!(desk.target(CZCE, 1, Urgency::Passive).inserts().len(), 1);
    assert!(alarms(&next_answer(&mut desk, 3)).is_empty(), "accepted as it stands");
    next_answer(&mut desk, 4);
    assert_eq!(
        alarms(&second_answer(&mut desk, 4)),
        [(AlarmKind::Mismatch, false), (AlarmKind::OpeningBlocked, false)]
    );
}

#[test]
fn money_may_differ_by_the_tolerance_and_has_a_policy_of_its_own() {
    let reconcile = ReconcileSettings { funds: OnDifference::BlockOpening, ..comparing(OnDifference::Warn) };
    for (balance, differs) in [(1_000_001, false), (999_999, false), (1_000_002, true), (999_998, true)] {
        let mut desk = Desk::ready_with(OrderSettings { reconcile, ..settings() }, &[]);
        desk.wait(INTERVAL);
        desk.market(SHFE, BID, ASK);
        desk.venue(&funds(balance));
        desk.resynced(&[]);
        let soon = asks(&desk.wait(desk.settings.ack_timeout_ns));
        assert_eq!(soon, differs, "{balance}");
        desk.venue(&funds(balance));
        desk.resynced(&[]);
        let effect = desk.stage().reconcile().effect();
        assert_eq!(effect == OnDifference::BlockOpening, differs, "{balance}");
    }
}

#[test]
fn a_question_that_nobody_answers_is_put_again() {
    let mut desk = desk_with(OnDifference::Warn);
    desk.wait(INTERVAL);
    assert!(asks(&desk.market(SHFE, BID, ASK)));
    desk.wait(59 * SECOND);
    assert!(!asks(&desk.market(SHFE, BID, ASK)));
    desk.wait(SECOND);
    assert!(asks(&desk.market(SHFE, BID, ASK)));
}

#[test]
fn a_persons_order_counts_at_once_and_is_no_difference() {
    let mut desk = desk_with(OnDifference::Halt);
    let theirs = OrderRequest { session_id: 99, ..insert(5, SHFE, Side::Buy, Offset::Open, BID, 4) };
    let said = desk.venue(&report(&theirs, OrderStatus::Queued, 0));
    assert_eq!(alarms(&said), [(AlarmKind::WildOrder, false)]);
    assert_eq!(desk.stage().ledger().position(SHFE).unwrap().worst_case_long(), Lots::new(4));
    desk.filled(&theirs);
    assert!(next_answer(&mut desk, 4).0.is_empty(), "its lots are in both books");
}

#[test]
fn a_restart_tells_again_what_still_stands() {
    let mut desk = desk_with(OnDifference::BlockOpening);
    next_answer(&mut desk, 3);
    second_answer(&mut desk, 3);
    let settings = desk.settings.clone();
    let (mut desk, _) = desk.restarted(settings);
    desk.log_in(day(2), 8);
    desk.venue(&holds(SHFE, Side::Buy, 3, 0));
    let said = desk.resynced(&[]);
    assert_eq!(differences(&said), [("long today".into(), 0, 3, 0)], "seen before and after");
    assert_eq!(alarms(&said), [(AlarmKind::Mismatch, false), (AlarmKind::OpeningBlocked, false)]);
}

/// The engine was away at the day's end, and a person traded.
#[test]
fn after_a_day_roll_nothing_is_sent_before_the_venues_lots_are_taken_over() {
    let mut desk = Desk::ready_with(settings(), &[(SHFE, Side::Buy, 0, 3)]);
    desk.log_in(day(3), 8);
    assert!(desk.target(SHFE, -3, Urgency::Aggressive).is_quiet());
    let mut told = Vec::new();
    for held in [2, 1, 1] {
        assert_ne!(desk.stage().readiness(), Readiness::Ready);
        assert!(desk.market(SHFE, BID, ASK).is_quiet(), "what is held is in doubt");
        if !told.is_empty() {
            assert!(asks(&desk.wait(desk.settings.ack_timeout_ns)), "and is asked for again");
        }
        desk.venue(&PositionReport { trading_day: day(3), ..holds(SHFE, Side::Buy, 0, held) });
        told.push(desk.resynced(&[]));
    }
    assert!(told[..2].iter().all(|said| differences(said).is_empty()));
    let field = || String::from("long yesterday");
    assert_eq!(differences(&told[2]), [(field(), 3, 1, 0), (field(), 3, 1, 1)]);
    assert_eq!(alarms(&told[2]), [(AlarmKind::Mismatch, false)]);
    assert_eq!(desk.stage().readiness(), Readiness::Ready);
    let closing = told[2].inserts()[0];
    let terms = (Offset::of(closing.offset), closing.lots);
    assert_eq!(terms, (Some(Offset::CloseYesterday), Lots::new(1)), "what the venue says is held");
}
