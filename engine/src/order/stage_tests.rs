//! The order stage against a venue that says what the story needs: logins, orders and their fates, restarts, commands,
//! and what nobody expects.

use super::desk::*;
use super::kit::*;
use super::{Mode, OnDifference, OrderSettings, OrderStage, Readiness};
use crate::stage::{OutSlot, Stage};
use proptest::prelude::*;
use shrike_core::codes::{
    AlarmKind, CommandKind, Offset, OrderState, OrderStatus, PhaseKind, RefusalReason, ReportSource, RequestKind, Side,
    StageId, SubmitStatus, Urgency,
};
use shrike_core::event::{
    Alarm, Connection, Event, Gap, Header, Kind, Login, OrderReport, OrderRequest, ReportSlot, ResyncEnd, Seq, Timer,
    flags,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price};
use std::collections::BTreeSet;

fn shape(orders: &[OrderRequest]) -> Vec<(Side, Offset, i64, i64)> {
    let units = |price: Price| price.raw() / Price::ONE_RAW;
    orders.iter().map(|o| (o.side().unwrap(), o.offset().unwrap(), units(o.price), o.lots.get())).collect()
}

fn only(orders: Vec<OrderRequest>) -> OrderRequest {
    let [order] = orders[..] else { panic!("one order expected: {orders:?}") };
    order
}

/// A live buy of 2 at the bid, for strategy 1 at SHFE.
fn resting(desk: &mut Desk) -> OrderRequest {
    let order = only(desk.target(SHFE, 2, Urgency::Passive).inserts());
    desk.queued(&order);
    order
}

// ---- the session --------------------------------------------------------------------------------------------------

#[test]
fn login_then_resync_then_orders() {
    let mut desk = Desk::new(settings());
    let said = desk.log_in(day(2), 7);
    assert_eq!(said.kinds(), [Kind::DayRoll, Kind::OrderRequest]);
    assert_eq!(said.requests(RequestKind::Resync).len(), 1);
    desk.venue(&funds(1_000_000));
    desk.signal(&phase(SHFE, PhaseKind::Continuous));
    desk.market(SHFE, BID, ASK);
    assert!(desk.target(SHFE, 1, Urgency::Passive).is_quiet(), "nothing is sent before the venue's books are in");
    let said = desk.venue(&resync_end(day(2), 7));
    assert_eq!(shape(&said.inserts()), [(Side::Buy, Offset::Open, BID, 1)], "what was wanted meanwhile is sent now");
}

#[test]
fn the_end_of_another_sessions_answers_is_no_resync() {
    let mut desk = Desk::new(settings());
    desk.log_in(day(2), 7);
    let said = desk.venue(&resync_end(day(2), 6));
    assert_eq!(desk.stage().readiness(), Readiness::Asked);
    assert_eq!(said.requests(RequestKind::Resync).len(), 1, "asked again, for this session");
    desk.venue(&resync_end(day(2), 7));
    assert_eq!(desk.stage().readiness(), Readiness::Ready);
}

#[test]
fn the_end_of_an_earlier_questions_answers_is_waited_through() {
    let mut desk = Desk::new(settings());
    desk.log_in(day(2), 7);
    let earlier = ResyncEnd { request: Seq::new(StageId::Order, 0, 1), ..resync_end(day(2), 7) };
    let said = desk.venue(&earlier);
    assert!(said.requests(RequestKind::Resync).is_empty(), "the last question stands");
    assert_eq!(desk.stage().readiness(), Readiness::Asked);
    desk.venue(&resync_end(day(2), 7));
    assert_eq!(desk.stage().readiness(), Readiness::Ready);
}

#[test]
fn the_day_rolls() {
    let mut desk = Desk::ready();
    let order = resting(&mut desk);
    let said = desk.log_in(day(3), 8);
    assert!(said.kinds().starts_with(&[Kind::DayRoll, Kind::OrderRequest]));
    assert_eq!(desk.stage().ledger().live_count(), 0, "the day's orders ended with it");
    assert!(desk.market(SHFE, BID, ASK).is_quiet());
    let next = only(desk.venue(&resync_end(day(3), 8)).inserts());
    assert!(next.order_ref > order.order_ref && next.trading_day == day(3) && next.session_id == 8);
}

#[test]
fn a_broken_connection_stops_requests_until_the_next_resync() {
    for keep in [false, true] {
        let mut desk = Desk::ready_with(crate::order::OrderSettings { cancel_on_reconnect: !keep, ..settings() }, &[]);
        let order = resting(&mut desk);
        let broken = Connection { channel: StageId::Gateway.code(), ..Connection::default() };
        assert_eq!(desk.venue(&broken).alarms()[0].kind, AlarmKind::Disconnected.code());
        assert!(desk.target(SHFE, 5, Urgency::Passive).is_quiet());
        desk.log_in(day(2), 8);
        let said = desk.resynced(&[order]);
        assert_eq!(said.cancels().len(), usize::from(!keep), "our order of before, by the policy");
        if keep {
            assert_eq!(shape(&said.inserts()), [(Side::Buy, Offset::Open, BID, 3)], "the order kept still counts");
        } else {
            assert!(said.inserts().is_empty(), "first the cancel's answer");
            assert_eq!(desk.cancelled(&order).inserts().len(), 1);
        }
    }
}

// ---- targets ------------------------------------------------------------------------------------------------------

#[test]
fn a_target_is_reached_by_closing_first_and_date_by_date() {
    let held = [(SHFE, Side::Buy, 3, 3), (CZCE, Side::Buy, 3, 3)];
    let mut desk = Desk::ready_with(settings(), &held);
    let said = desk.target(SHFE, -8, Urgency::Aggressive);
    let expected = [Offset::CloseYesterday, Offset::CloseToday, Offset::Open].into_iter().zip([3, 3, 2]);
    let expected: Vec<_> = expected.map(|(offset, lots)| (Side::Sell, offset, BID, lots)).collect();
    assert_eq!(shape(&said.inserts()), expected);
    let said = desk.target(CZCE, -8, Urgency::Passive);
    let expected = [(Offset::Close, 5), (Offset::Close, 1), (Offset::Open, 2)];
    let expected: Vec<_> = expected.map(|(offset, lots)| (Side::Sell, offset, ASK, lots)).to_vec();
    assert_eq!(shape(&said.inserts()), expected, "one pool, in orders of at most five");
    assert!(desk.market(CZCE, BID, ASK).is_quiet(), "all of it is on its way");
}

#[test]
fn a_passive_order_follows_the_market_when_it_is_old_enough() {
    let mut desk = Desk::ready();
    let order = resting(&mut desk);
    assert!(desk.market(SHFE, 100, 102).is_quiet(), "too young");
    let said = desk.wait(desk.settings.reprice_ns);
    assert_eq!(only(said.cancels()).order_ref, order.order_ref);
    assert!(said.inserts().is_empty() && desk.market(SHFE, 100, 102).is_quiet(), "one step at a time");
    assert_eq!(shape(&desk.cancelled(&order).inserts()), [(Side::Buy, Offset::Open, 100, 2)]);
}

#[test]
fn a_fill_that_crosses_the_cancel_is_not_bought_again() {
    let mut desk = Desk::ready();
    let order = resting(&mut desk);
    desk.wait(desk.settings.reprice_ns);
    desk.market(SHFE, 100, 102);
    let said = desk.filled(&order);
    assert!(said.is_quiet() && desk.market(SHFE, 100, 102).is_quiet());
    assert_eq!(desk.stage().ledger().strategy_position(1, SHFE).net, Lots::new(2));
}

#[test]
fn a_quote_is_replaced_side_by_side() {
    let mut desk = Desk::ready();
    let sides = desk.quote(CZCE, BID, ASK).inserts();
    assert_eq!(shape(&sides), [(Side::Buy, Offset::Open, BID, 1), (Side::Sell, Offset::Open, ASK, 1)]);
    let [bid, ask] = sides[..] else { panic!() };
    assert!(desk.quote(CZCE, BID - 1, ASK).is_quiet(), "an order that nobody has confirmed is not cancelled");
    desk.queued(&ask);
    let said = desk.queued(&bid);
    assert_eq!(only(said.cancels()).order_ref, bid.order_ref, "the side that moved, and no other");
    assert!(said.inserts().is_empty());
    assert!(desk.quote(CZCE, BID - 2, ASK).is_quiet(), "the cancel is under way");
    assert_eq!(
        shape(&desk.cancelled(&bid).inserts()),
        [(Side::Buy, Offset::Open, BID - 2, 1)],
        "straight to the newest"
    );
    let said = desk.quote(CZCE, 0, 0);
    assert_eq!(only(said.cancels()).order_ref, ask.order_ref);
}

#[test]
fn a_cancel_that_nobody_answers_is_sent_again() {
    let mut desk = Desk::ready();
    let [bid, _] = desk.quote(CZCE, BID, ASK).inserts()[..] else { panic!() };
    desk.queued(&bid);
    assert_eq!(desk.quote(CZCE, 0, ASK).cancels().len(), 1);
    let patience = desk.settings.ack_timeout_ns + desk.settings.query_timeout_ns;
    let mut asked = 0;
    let mut again = 0;
    for _ in 0..patience / SECOND + 3 {
        let said = desk.wait(SECOND);
        for question in said.requests(RequestKind::QueryOrder) {
            asked += usize::from(question.order_ref == bid.order_ref);
            desk.queued(&bid);
        }
        again += said.cancels().iter().filter(|cancel| cancel.order_ref == bid.order_ref).count();
    }
    assert!(asked > 0 && again == 1, "asked {asked} times, cancelled {again} times more");
}

// ---- rejections ---------------------------------------------------------------------------------------------------

/// How the venue says no.
#[derive(Clone, Copy, Debug)]
enum No {
    /// The counter, at once.
    Counter,
    /// The exchange, after the counter has acknowledged the order.
    Exchange,
}

fn says_no(desk: &mut Desk, how: No, order: &OrderRequest, code: i32) -> Said {
    match how {
        No::Counter => desk.venue(&refused(order, ReportSource::InsertRefused, code)),
        No::Exchange => {
            desk.venue(&report(order, OrderStatus::Unknown, 0));
            let status = OrderStatus::Cancelled;
            let submit = SubmitStatus::InsertRejected.code();
            desk.venue(&OrderReport { submit, error_code: code, ..report(order, status, 0) })
        }
    }
}

/// A minute of a venue that refuses everything, with ten quotes a second; the inserts, and the refusals told.
fn minute_of_no(how: No, code: i32) -> (usize, Vec<RefusalReason>) {
    let mut desk = Desk::ready();
    let mut waiting = desk.target(SHFE, 1, Urgency::Passive).inserts();
    let (mut inserts, mut told) = (waiting.len(), Vec::new());
    for _ in 0..600 {
        let mut said = Said::default();
        for order in std::mem::take(&mut waiting) {
            said.0.extend(says_no(&mut desk, how, &order, code).0);
        }
        desk.wait(100 * MS);
        said.0.extend(desk.market(SHFE, BID, ASK).0);
        told.extend(said.refusals().iter().map(|refusal| RefusalReason::of(refusal.reason).unwrap()));
        waiting = said.inserts();
        inserts += waiting.len();
    }
    (inserts, told)
}

#[test]
fn rejections_are_bounded_by_their_remedy_and_told_once() {
    use RefusalReason::{Duplicate, Venue};
    let retries = settings().retries_max as usize;
    // The counter is busy (90): a few times, then given up. Not in session (23): the same, with waits. Off tick (48):
    // never at this price. Funds (31), and a code that nobody knows: given up.
    for (code, tries, end) in
        [(90, retries + 1, Venue), (23, retries + 1, Venue), (48, 1, Duplicate), (31, 1, Venue), (4_711, 1, Venue)]
    {
        for how in [No::Counter, No::Exchange] {
            let (inserts, told) = minute_of_no(how, code);
            assert_eq!(inserts, tries, "{how:?} {code}");
            assert_eq!(told.last(), Some(&end), "{how:?} {code}: {told:?}");
            let waits = told.iter().filter(|&&given| given == Duplicate).count();
            assert!(told.len() <= tries && waits < tries.max(2), "{how:?} {code}: once a try, not once a quote");
        }
    }
}

#[test]
fn what_was_given_up_is_tried_again_for_a_new_intent() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 1, Urgency::Passive).inserts());
    says_no(&mut desk, No::Counter, &order, 31);
    assert!(desk.market(SHFE, BID, ASK).inserts().is_empty());
    desk.wait(desk.settings.duplicate_ns);
    assert_eq!(shape(&desk.target(SHFE, 2, Urgency::Passive).inserts()), [(Side::Buy, Offset::Open, BID, 2)]);
}

#[test]
fn what_was_given_up_is_tried_again_on_a_new_day() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 1, Urgency::Passive).inserts());
    says_no(&mut desk, No::Counter, &order, 31);
    desk.log_in(day(3), 8);
    desk.market(SHFE, BID, ASK);
    assert_eq!(desk.resynced(&[]).inserts().len(), 1);
}

#[test]
fn another_price_is_tried_after_a_price_was_refused() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 1, Urgency::Passive).inserts());
    says_no(&mut desk, No::Exchange, &order, 37);
    desk.wait(desk.settings.duplicate_ns);
    assert!(desk.market(SHFE, BID, ASK).is_quiet());
    assert_eq!(shape(&desk.market(SHFE, 98, ASK).inserts()), [(Side::Buy, Offset::Open, 98, 1)]);
}

// ---- silence ------------------------------------------------------------------------------------------------------

#[test]
fn a_silent_order_is_asked_about_then_lost_then_never_arrived() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 2, Urgency::Passive).inserts());
    let said = desk.wait(desk.settings.ack_timeout_ns);
    assert_eq!(only(said.requests(RequestKind::QueryOrder)).order_ref, order.order_ref);
    let said = desk.wait(desk.settings.query_timeout_ns + desk.settings.ack_timeout_ns);
    let states: Vec<_> = said.updates().iter().map(|update| update.state().unwrap()).collect();
    assert_eq!(states, [OrderState::Lost]);
    assert!(said.requests(RequestKind::QueryOrder).is_empty(), "asked once");
    let worst = |desk: &Desk| desk.stage().ledger().position(SHFE).unwrap().worst_case_long();
    assert_eq!(worst(&desk), Lots::new(2), "it may still fill");
    assert!(desk.market(SHFE, BID, ASK).is_quiet(), "and is not sent again");

    for round in 1..=2 {
        let said = desk.wait(desk.settings.lost_grace_ns + desk.settings.ack_timeout_ns);
        assert_eq!(said.requests(RequestKind::Resync).len(), 1, "round {round}: the venue is asked for everything");
        assert_eq!(worst(&desk), Lots::new(2), "round {round}");
        assert!(said.inserts().is_empty());
        desk.resynced(&[]);
    }
    let said = desk.wait(60 * SECOND);
    assert!(said.is_quiet() && said.updates().is_empty(), "on its own session it may still be on its way");
    assert_eq!(worst(&desk), Lots::new(2));
    desk.log_in(day(2), 8);
    desk.resynced(&[]);
    let said = desk.wait(desk.settings.lost_grace_ns + desk.settings.ack_timeout_ns);
    assert!(said.updates().is_empty(), "one answer to a new session is not enough");
    assert_eq!(worst(&desk), Lots::new(2));
    desk.resynced(&[]);
    let said = desk.wait(desk.settings.ack_timeout_ns);
    assert_eq!(said.updates()[0].state(), Some(OrderState::NeverArrived));
    assert_eq!(worst(&desk), Lots::new(0));
    let again = only(desk.market(SHFE, BID, ASK).inserts());
    assert!(again.order_ref > order.order_ref);
}

#[test]
fn a_counter_that_restarted_gives_session_numbers_again() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 2, Urgency::Passive).inserts());
    desk.wait(desk.settings.ack_timeout_ns * 2 + desk.settings.query_timeout_ns);
    for _ in 0..2 {
        desk.wait(desk.settings.lost_grace_ns + desk.settings.ack_timeout_ns);
        desk.resynced(&[]);
    }
    // The same number under another front is another session.
    desk.venue(&Login { front_id: 2, ..login(day(2), order.session_id) });
    desk.resynced(&[]);
    desk.wait(desk.settings.lost_grace_ns + desk.settings.ack_timeout_ns);
    desk.resynced(&[]);
    let said = desk.wait(desk.settings.ack_timeout_ns);
    assert_eq!(said.updates()[0].state(), Some(OrderState::NeverArrived));
}

#[test]
fn a_lost_order_that_turns_up_is_found() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 2, Urgency::Passive).inserts());
    desk.wait(desk.settings.ack_timeout_ns * 2 + desk.settings.query_timeout_ns);
    assert_eq!(desk.stage().ledger().live_orders().next().unwrap().1.state, OrderState::Lost);
    let said = desk.filled(&order);
    assert!(said.is_quiet() && desk.market(SHFE, BID, ASK).is_quiet());
    assert_eq!(desk.stage().ledger().strategy_position(1, SHFE).net, Lots::new(2));
}

// ---- starting again -----------------------------------------------------------------------------------------------

#[test]
fn a_restart_cancels_what_lives_before_the_first_new_order() {
    let mut desk = Desk::ready();
    let order = resting(&mut desk);
    let (mut desk, said) = desk.restarted(settings());
    assert_eq!(said.requests(RequestKind::Resync).len(), 1);
    assert!(desk.market(SHFE, BID, ASK).is_quiet());
    desk.log_in(day(2), 8);
    let said = desk.resynced(&[order]);
    assert_eq!(only(said.cancels()).order_ref, order.order_ref);
    assert!(said.inserts().is_empty() && desk.market(SHFE, BID, ASK).is_quiet());
    assert_eq!(desk.stage().readiness(), Readiness::Settling);
    let next = only(desk.cancelled(&order).inserts());
    assert!(next.order_ref > order.order_ref && next.session_id == 8, "the first new order comes after");
}

/// What was wanted before the restart is wanted still, but at prices that nobody has seen since.
#[test]
fn an_intent_of_before_a_restart_waits_for_the_market_of_after_it() {
    let mut desk = Desk::ready();
    let bought = only(desk.target(SHFE, 3, Urgency::Aggressive).inserts());
    desk.filled(&bought);
    desk.venue(&Connection { connected: 0, channel: StageId::Gateway.code(), ..Connection::default() });
    assert!(desk.target(SHFE, 0, Urgency::Aggressive).inserts().is_empty(), "there is no connection");
    let (mut desk, _) = desk.restarted(settings());
    desk.log_in(day(2), 8);
    desk.venue(&holds(SHFE, Side::Buy, 3, 0));
    desk.venue(&funds(1_000_000));
    let said = desk.resynced(&[]);
    assert!(said.inserts().is_empty(), "closing, too, waits: {:?}", shape(&said.inserts()));
    // What comes of the past after a long absence says nothing of now.
    let mut past = ReportSlot::default();
    past.put(&quote(SHFE, BID - 1, ASK - 1));
    past.header_mut().flags = flags::CATCHUP;
    assert!(desk.hear_slot(StageId::Signal, past).inserts().is_empty());
    assert!(desk.market(CZCE, BID, ASK).inserts().is_empty(), "another contract's market");
    let said = desk.market(SHFE, BID - 3, ASK - 3);
    assert_eq!(shape(&said.inserts()), [(Side::Sell, Offset::CloseToday, BID - 3, 3)]);
}

#[test]
fn on_crash_keep_leaves_orders_to_work() {
    let keep = crate::order::OrderSettings { cancel_on_start: false, ..settings() };
    let mut desk = Desk::ready_with(keep.clone(), &[]);
    let order = resting(&mut desk);
    let (mut desk, _) = desk.restarted(keep);
    desk.log_in(day(2), 8);
    let said = desk.resynced(&[order]);
    assert_eq!(desk.stage().readiness(), Readiness::Ready);
    assert!(said.is_quiet() && desk.market(SHFE, BID, ASK).is_quiet(), "it still serves its target");
}

/// A request that is in the journal and never left the process.
#[test]
fn an_order_that_died_with_the_process_does_not_stop_the_engine_for_ever() {
    let mut desk = Desk::ready();
    let order = only(desk.target(SHFE, 2, Urgency::Passive).inserts());
    let (mut desk, _) = desk.restarted(settings());
    desk.log_in(day(2), 8);
    let mut said = desk.resynced(&[]);
    for _ in 0..3 {
        let more = desk.wait(desk.settings.lost_grace_ns + desk.settings.ack_timeout_ns);
        let asked = !more.requests(RequestKind::Resync).is_empty();
        said.0.extend(more.0);
        if asked {
            said.0.extend(desk.resynced(&[]).0);
        }
    }
    let states: Vec<_> = said.updates().iter().map(|update| update.state().unwrap()).collect();
    assert_eq!(states, [OrderState::Lost, OrderState::NeverArrived]);
    let again = only(desk.market(SHFE, BID, ASK).inserts());
    assert!(again.order_ref > order.order_ref);
}

#[test]
fn a_restart_is_not_held_back_by_a_dead_process_full_ring() {
    let mut desk = Desk::ready();
    desk.hear(StageId::Order, &overflow(true));
    let (mut desk, _) = desk.restarted(settings());
    desk.log_in(day(2), 8);
    desk.resynced(&[]);
    desk.market(SHFE, BID, ASK);
    assert_eq!(desk.target(SHFE, 1, Urgency::Passive).inserts().len(), 1, "the new process has new rings");
}

// ---- the operator -------------------------------------------------------------------------------------------------

/// Both sides of strategy 2 in the book at CZCE.
fn quoting(desk: &mut Desk) -> [OrderRequest; 2] {
    let [bid, ask] = desk.quote(CZCE, BID, ASK).inserts()[..] else { panic!() };
    desk.queued(&bid);
    desk.queued(&ask);
    [bid, ask]
}

#[test]
fn no_rate_of_ours_holds_back_a_cancel_that_pulls() {
    let slow = OrderSettings { orders_per_window: 2, cancels_per_window: 1, ..settings() };
    let mut desk = Desk::ready_with(slow, &[]);
    quoting(&mut desk);
    assert_eq!(desk.command(CommandKind::Halt).cancels().len(), 2, "both at once, with no room in either window");
}

#[test]
fn observe_and_halt_pull_everything_and_resume_sends_again() {
    for kind in [CommandKind::Observe, CommandKind::Halt] {
        let mut desk = Desk::ready();
        let sides = quoting(&mut desk);
        let said = desk.command(kind);
        assert_eq!((said.cancels().len(), said.inserts().len()), (2, 0), "{kind}");
        sides.iter().for_each(|order| assert!(desk.cancelled(order).is_quiet(), "{kind}"));
        assert!(desk.quote(CZCE, BID - 1, ASK + 1).is_quiet(), "{kind}");
        assert_eq!(desk.command(CommandKind::Resume).inserts().len(), 2, "{kind}: what is wanted now");
    }
}

#[test]
fn cancel_all_cancels_what_lives_and_goes_on() {
    let mut desk = Desk::ready();
    let sides = quoting(&mut desk);
    let said = desk.command(CommandKind::CancelAll);
    assert_eq!((said.cancels().len(), said.inserts().len()), (2, 0));
    let next: Vec<_> = sides.iter().flat_map(|order| desk.cancelled(order).inserts()).collect();
    assert_eq!(next.len(), 2, "quoted again");
    next.iter().for_each(|order| assert!(desk.queued(order).is_quiet(), "orders of after the command stay"));
}

#[test]
fn flatten_closes_every_position_whoever_holds_it() {
    let held = [(SHFE, Side::Buy, 2, 1), (CZCE, Side::Sell, 0, 2)];
    let mut desk = Desk::ready_with(settings(), &held);
    for order in desk.target(CZCE, 3, Urgency::Aggressive).inserts() {
        desk.filled(&order);
    }
    let said = desk.command(CommandKind::Flatten);
    let mut orders = shape(&said.inserts());
    orders.sort();
    let sells = [(Offset::Close, 1), (Offset::CloseToday, 2), (Offset::CloseYesterday, 1)];
    assert_eq!(
        orders,
        sells.map(|(offset, lots)| (Side::Sell, offset, BID, lots)),
        "a lot is left of what strategy 1 bought"
    );
    assert!(orders.iter().all(|(_, offset, ..)| offset.closes()), "flatten never opens: {orders:?}");
}

#[test]
fn a_command_that_waited_too_long_is_dropped() {
    let mut desk = Desk::ready();
    quoting(&mut desk);
    let written = desk.now;
    desk.wait(11 * SECOND);
    assert!(desk.hear(StageId::Commands, &command(CommandKind::Halt, written)).is_quiet());
    assert_eq!((desk.stage().mode(), desk.stage().last_command()), (Mode::Trade, 1), "taken, and not carried out");
}

#[test]
fn a_mode_lasts_over_stops_and_restarts() {
    use CommandKind::{Flatten, Halt, Observe, Resume, Stop};
    let cases: [(&[CommandKind], Mode); 8] = [
        (&[Halt], Mode::Halt),
        (&[Stop], Mode::Trade),
        (&[Halt, Stop], Mode::Halt),
        (&[Observe, Stop, Stop], Mode::Observe),
        (&[Flatten, Stop], Mode::Flatten),
        (&[Halt, Resume, Stop], Mode::Trade),
        (&[Halt, Stop, Resume], Mode::Trade),
        (&[Stop, Halt], Mode::Halt),
    ];
    for (kinds, expected) in cases {
        let mut desk = Desk::ready();
        kinds.iter().for_each(|&kind| drop(desk.command(kind)));
        assert_eq!(desk.restarted(settings()).0.stage().mode(), expected, "{kinds:?}");
    }
}

#[test]
fn a_stop_waits_for_its_cancels() {
    let mut desk = Desk::ready();
    let sides = quoting(&mut desk);
    assert_eq!(desk.command(CommandKind::Stop).cancels().len(), 2);
    assert!(!desk.stage().may_stop());
    assert!(desk.command(CommandKind::Resume).is_quiet(), "what stops, stops");
    sides.iter().for_each(|order| assert!(desk.cancelled(order).is_quiet()));
    assert!(desk.stage().may_stop());
}

// ---- what else goes wrong -----------------------------------------------------------------------------------------

#[test]
fn a_failed_strategys_quotes_are_pulled_and_its_position_held() {
    let mut desk = Desk::ready();
    let sides = quoting(&mut desk);
    desk.filled(&sides[0]);
    let kind = AlarmKind::StrategyFailed.code();
    let said = desk.signal(&Alarm { instrument: CZCE, strategy: 2, kind, ..Alarm::default() });
    assert_eq!(only(said.cancels()).order_ref, sides[1].order_ref);
    assert!(desk.cancelled(&sides[1]).is_quiet() && desk.market(CZCE, BID, ASK).is_quiet());
    assert_eq!(desk.stage().ledger().strategy_position(2, CZCE).net, Lots::new(1));
}

fn overflow(raised: bool) -> Alarm {
    let kind = AlarmKind::RingOverflow.code();
    Alarm { instrument: InstrumentId::NONE, kind, cleared: u8::from(!raised), value: 4, ..Alarm::default() }
}

#[test]
fn one_reason_to_reduce_does_not_clear_another() {
    let mut desk = Desk::ready();
    let low = |raised: bool| Alarm { kind: AlarmKind::JournalLow.code(), ..overflow(raised) };
    desk.hear(StageId::Order, &low(true));
    desk.hear(StageId::Order, &overflow(true));
    desk.hear(StageId::Order, &overflow(false));
    assert!(desk.target(SHFE, 1, Urgency::Passive).is_quiet());
    desk.hear(StageId::Order, &low(false));
    assert_eq!(desk.market(SHFE, BID, ASK).inserts().len(), 1);
}

#[test]
fn a_full_ring_leaves_only_reducing() {
    let mut desk = Desk::ready_with(settings(), &[(CZCE, Side::Buy, 0, 2)]);
    desk.hear(StageId::Order, &overflow(true));
    let said = desk.target(CZCE, -5, Urgency::Aggressive);
    assert_eq!(shape(&said.inserts()), [(Side::Sell, Offset::Close, BID, 2)]);
    assert_eq!(said.refusals()[0].reason, RefusalReason::ReduceOnly.code());
    desk.hear(StageId::Order, &overflow(false));
    assert_eq!(shape(&desk.market(CZCE, BID, ASK).inserts()), [(Side::Sell, Offset::Open, BID, 3)]);
}

#[test]
fn a_hole_in_market_data_stops_opening() {
    let mut desk = Desk::ready();
    desk.signal(&Gap { instrument: InstrumentId::NONE, ..Gap::default() });
    let said = desk.target(SHFE, 1, Urgency::Passive);
    assert!(said.is_quiet() && said.refusals()[0].reason == RefusalReason::StaleQuote.code());
}

#[test]
fn a_hole_in_market_data_ends_with_its_process() {
    let mut desk = Desk::ready();
    desk.signal(&Gap { instrument: InstrumentId::NONE, ..Gap::default() });
    let (mut desk, _) = desk.restarted(settings());
    desk.log_in(day(2), 8);
    desk.resynced(&[]);
    let said = desk.target(SHFE, 1, Urgency::Passive);
    assert!(said.is_quiet(), "what was seen is of before the hole");
    assert_eq!(said.refusals()[0].reason, RefusalReason::StaleQuote.code());
    assert_eq!(desk.market(SHFE, BID, ASK).inserts().len(), 1, "the new feed shows the market");
}

#[test]
fn orders_and_fills_of_others_count() {
    let mut desk = Desk::ready();
    let theirs = OrderRequest { session_id: 99, ..insert(50, SHFE, Side::Buy, Offset::Open, BID, 8) };
    let said = desk.venue(&report(&theirs, OrderStatus::Queued, 0));
    assert_eq!(said.alarms()[0].kind, AlarmKind::WildOrder.code());
    let worst = |desk: &Desk| desk.stage().ledger().position(SHFE).unwrap().worst_case_long();
    assert_eq!(worst(&desk), Lots::new(8));
    let said = desk.target(SHFE, 3, Urgency::Passive);
    assert_eq!(shape(&said.inserts()), [(Side::Buy, Offset::Open, BID, 2)], "8 of theirs leave room for 2");
    assert_eq!(said.refusals()[0].reason, RefusalReason::Position.code());
    let said = desk.venue(&fill(&theirs, 900, 8));
    assert!(said.kinds().contains(&Kind::Fill) && said.alarms()[0].kind == AlarmKind::WildOrder.code());
    assert_eq!(desk.stage().ledger().position(SHFE).unwrap().net(), Lots::new(8));
    assert_eq!(desk.stage().ledger().strategy_position(1, SHFE).net, Lots::ZERO, "no strategy's");
    assert!(desk.command(CommandKind::CancelAll).cancels().is_empty(), "theirs are not ours to cancel");
    assert!(desk.target(CZCE, 1, Urgency::Passive).inserts()[0].order_ref > 50, "our numbers go above all seen");
}

#[test]
fn a_number_that_leaves_none_above_it_is_refused_not_sent_for_ever() {
    let mut desk = Desk::ready();
    let theirs = OrderRequest { session_id: 99, ..insert(999_999_999_999, SHFE, Side::Buy, Offset::Open, BID, 1) };
    desk.venue(&report(&theirs, OrderStatus::Queued, 0));
    let said = desk.target(CZCE, 8, Urgency::Aggressive);
    assert!(said.inserts().len() <= 2, "{} inserts", said.inserts().len());
    assert!(said.alarms().is_empty(), "the stage comes to rest by itself");
}

#[test]
fn intents_after_a_new_epoch_count_from_their_own_revision() {
    let mut desk = Desk::ready();
    for (instrument, lots) in [(SHFE, 1), (CZCE, 1), (SHFE, 2), (CZCE, 2)] {
        desk.target(instrument, lots, Urgency::Passive);
    }
    let stated = |desk: &mut Desk, instrument, lots| {
        let lots = Lots::new(lots);
        let (limit, revision) = (Price::ABSENT, 1);
        let target =
            shrike_core::event::TargetPosition { strategy: 1, instrument, revision, lots, limit, ..Default::default() };
        desk.hear_in_epoch(1, &target);
    };
    for instrument in [SHFE, CZCE] {
        stated(&mut desk, instrument, 4);
        let pair = super::Pair { strategy: 1, instrument };
        let wanted = desk.stage().targets().get(pair).unwrap().wanted;
        assert!(
            matches!(wanted, super::Wanted::Position { lots, .. } if lots == Lots::new(4)),
            "{instrument}: {wanted:?}"
        );
    }
}

// ---- whatever comes -----------------------------------------------------------------------------------------------

/// A fixed stream of numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }
}

/// Something happens: mostly what a venue, a market or an operator does, now and then bytes of no sense.
fn happens(desk: &mut Desk, dice: &mut Dice, sent: &[OrderRequest]) -> Said {
    let instrument = dice.pick(&[SHFE, CZCE]);
    let order = (!sent.is_empty()).then(|| sent[sent.len() - 1 - dice.roll(sent.len().min(8) as u64) as usize]);
    let order = order.unwrap_or_else(|| insert(1, instrument, Side::Buy, Offset::Open, BID, 1));
    let urgency = dice.pick(&[Urgency::Passive, Urgency::Aggressive]);
    let lots = dice.roll(15) as i64 - 7;
    let (bid, ask) = (96 + dice.roll(5) as i64, 101 + dice.roll(5) as i64);
    match dice.roll(40) {
        0..=5 => desk.market(instrument, bid, ask),
        6..=8 => desk.target(instrument, lots, urgency),
        9..=12 => desk.quote(instrument, if lots == 0 { 0 } else { bid }, ask),
        13..=19 => {
            let status = dice.pick(OrderStatus::ALL);
            desk.venue(&report(&order, status, dice.roll(4) as i64))
        }
        20..=23 => desk.filled(&order),
        24 => desk.cancelled(&order),
        25 => {
            desk.venue(&refused(&order, dice.pick(ReportSource::ALL), dice.pick(&[22, 23, 26, 31, 37, 48, 90, 5_000])))
        }
        26 => desk.wait(dice.roll(12) * SECOND),
        27 => desk.wait(dice.roll(900) * MS),
        28 => desk.command(dice.pick(CommandKind::ALL)),
        29 => desk.command(CommandKind::Resume),
        30 => {
            let today = desk.stage().ledger().trading_day();
            let next = if today.is_absent() { day(2) } else { today.plus_days(dice.roll(8) as i64 / 7) };
            desk.log_in(next, 7 + dice.roll(5) as i32)
        }
        31 | 32 => desk.resynced(&sent[sent.len().saturating_sub(dice.roll(4) as usize)..]),
        33 => desk.signal(&phase(instrument, dice.pick(PhaseKind::ALL))),
        34 => desk.signal(&phase(instrument, PhaseKind::Continuous)),
        35 => desk.hear(StageId::Order, &overflow(dice.roll(2) == 0)),
        36 => {
            let kind = dice.pick(AlarmKind::ALL).code();
            desk.signal(&Alarm { instrument, strategy: dice.roll(4) as u32, kind, ..Alarm::default() })
        }
        37 => {
            let broken = Connection { channel: StageId::Gateway.code(), ..Connection::default() };
            desk.venue(&broken)
        }
        38 => desk.venue(&funds(dice.roll(100_000) as i128)),
        _ => {
            // A known kind with a body of noise: codes, lots, prices and contracts that nobody has.
            let kind = dice.pick(Kind::ALL);
            let body: Vec<u8> = (0..208).map(|_| dice.pick(&[0, 0, 0, 1, 2, 3, 7, 127, 128, 255])).collect();
            let mut slot = ReportSlot::default();
            assert!(slot.copy_from(&Header { len: 256, kind: kind as u16, version: 1, ..Header::default() }, &body));
            desk.hear_slot(dice.pick(StageId::ALL), slot)
        }
    }
}

/// What a stage says to one more thing, byte for byte.
fn answer(stage: &mut OrderStage, now: Nanos, event: Event<'_>) -> Vec<(u16, Vec<u8>)> {
    let mut out = OutSlot::default();
    let mut said = Vec::new();
    stage.apply(&Header { taken_ns: now, ..Header::default() }, event);
    while said.len() < 400 && stage.decide(&mut out) {
        said.push((out.header().kind, out.body().to_vec()));
        let header = Header { taken_ns: now, flags: flags::OUTPUT, ..*out.header() };
        stage.apply(&header, out.event());
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever comes, the stage comes to rest, and its journal folds into the same books and the same next decisions.
    #[test]
    fn the_stage_is_total_and_its_journal_is_its_state(seed in any::<u64>(), events in 1usize..400) {
        let mut dice = Dice(seed);
        let settings = || OrderSettings { reconcile: comparing(OnDifference::BlockOpening), ..settings() };
        let mut desk = Desk::ready_with(settings(), &[(SHFE, Side::Buy, 2, 2), (CZCE, Side::Sell, 1, 2)]);
        let mut sent = Vec::new();
        for step in 0..events {
            let said = happens(&mut desk, &mut dice, &sent);
            prop_assert!(said.0.len() < 400, "step {step}: {} outputs", said.0.len());
            let inserts = said.inserts();
            let numbers: BTreeSet<u64> = sent.iter().chain(&inserts).map(|order: &OrderRequest| order.order_ref).collect();
            prop_assert_eq!(numbers.len(), sent.len() + inserts.len(), "step {}: a number twice", step);
            sent.extend(inserts);
        }
        let mut folded = OrderStage::new(settings(), CAPACITY);
        desk.driver.log.fold(&mut folded);
        let mut live = desk.driver.stage;
        prop_assert_eq!(folded.ledger().digest(), live.ledger().digest());
        prop_assert_eq!((folded.mode(), folded.readiness()), (live.mode(), live.readiness()));
        let now = desk.now.after(SECOND);
        for event in [
            Event::Timer(&Timer::default()),
            Event::Command(&command(CommandKind::Resume, now)),
            Event::Quote(&quote(SHFE, 98, 102)),
            Event::Quote(&quote(CZCE, 98, 102)),
            Event::Command(&command(CommandKind::Halt, now)),
        ] {
            let (ours, theirs) = (answer(&mut live, now, event), answer(&mut folded, now, event));
            prop_assert!(ours.len() < 400, "{event:?} leads to no rest");
            prop_assert_eq!(ours, theirs, "{:?}", event);
        }
    }
}
