//! Intents that cannot be reached, and rebalances that a restart interrupts: the stage settles on the nearest position that
//! it may hold, says why it is not the one wanted, and does not loop.

use super::desk::*;
use super::kit::*;
use super::{OnDifference, OrderSettings};
use shrike_core::codes::{CommandKind, Offset, OrderStatus, PhaseKind, RefusalReason, ReportSource, Side, Urgency};
use shrike_core::event::{OrderRequest, Refusal, TargetPosition};
use shrike_core::units::{Lots, Price};

fn told(said: &Said) -> Vec<(RefusalReason, i64, i64, i32)> {
    let one = |r: &Refusal| (RefusalReason::of(r.reason).unwrap(), r.limit, r.value, r.error_code);
    said.refusals().iter().map(one).collect()
}

fn lots(orders: &[OrderRequest]) -> Vec<(Offset, i64)> {
    orders.iter().map(|order| (order.offset().unwrap(), order.lots.get())).collect()
}

/// Everything that is sent trades, until nothing more is; what was sent and said.
fn trades_out(desk: &mut Desk, first: Said) -> Said {
    let mut all = Said::default();
    let mut said = first;
    for _ in 0..50 {
        let sent = said.inserts();
        all.0.extend(said.0);
        if sent.is_empty() {
            return all;
        }
        said = Said::default();
        for order in sent {
            desk.queued(&order);
            said.0.extend(desk.filled(&order).0);
        }
    }
    panic!("it never comes to rest");
}

fn held(desk: &Desk) -> i64 {
    desk.stage().ledger().strategy_position(1, SHFE).net.get()
}

#[test]
fn a_target_beyond_a_limit_is_reached_as_far_as_the_limit_goes() {
    let mut desk = Desk::ready();
    let first = desk.target(SHFE, 25, Urgency::Aggressive);
    let said = trades_out(&mut desk, first);
    assert_eq!(lots(&said.inserts()), [(Offset::Open, 5), (Offset::Open, 5)], "orders of at most five, ten in all");
    assert_eq!(held(&desk), 10);
    assert_eq!(told(&said).last(), Some(&(RefusalReason::Position, 10, 15, 0)), "the rest, with the limit it meets");
    for _ in 0..100 {
        let said = desk.market(SHFE, BID, ASK);
        assert!(said.is_quiet() && said.refusals().is_empty(), "told once, not once a quote");
    }
    // It turns to the other side: what is held is closed first, then as many are opened as may be.
    let first = desk.target(SHFE, -25, Urgency::Aggressive);
    let said = trades_out(&mut desk, first);
    let closes = [(Offset::CloseToday, 5); 2];
    assert_eq!(lots(&said.inserts()), [closes, [(Offset::Open, 5); 2]].concat());
    assert_eq!(held(&desk), -10);
}

#[test]
fn a_target_beyond_the_money_is_reached_as_far_as_the_money_goes() {
    // A lot at 101 binds 101 of margin and a fee of 2; four fifths of the equity may be bound.
    let mut desk = Desk::new(settings());
    desk.log_in(day(2), 7);
    desk.venue(&funds(700));
    desk.venue(&resync_end(day(2), 7));
    desk.signal(&phase(SHFE, PhaseKind::Continuous));
    desk.market(SHFE, BID, ASK);
    let first = desk.target(SHFE, 9, Urgency::Aggressive);
    let said = trades_out(&mut desk, first);
    assert_eq!(held(&desk), 5, "{:?}", lots(&said.inserts()));
    assert_eq!(told(&said).last().unwrap().0, RefusalReason::Funds);
    assert!(desk.market(SHFE, BID, ASK).is_quiet());
}

#[test]
fn strategies_of_one_account_do_not_trade_with_each_other() {
    let mut desk = Desk::ready();
    let theirs = desk.target(CZCE, 2, Urgency::Passive).inserts()[0];
    desk.queued(&theirs);
    let said = desk.quote(CZCE, 0, BID);
    assert!(said.inserts().is_empty());
    assert_eq!(told(&said)[0].0, RefusalReason::SelfTrade);
}

#[test]
fn what_the_venue_refuses_for_good_goes_back_with_its_error() {
    let mut desk = Desk::ready();
    let order = desk.target(SHFE, 1, Urgency::Passive).inserts()[0];
    let said = desk.venue(&refused(&order, ReportSource::InsertRefused, 31));
    assert_eq!(told(&said), [(RefusalReason::Venue, i64::MIN, i64::MIN, 31)]);
}

/// The venue refuses every try with this error, for so many seconds of quotes; the tries.
fn tries(desk: &mut Desk, first: Said, error: i32, seconds: u64) -> usize {
    let (mut waiting, mut count) = (first.inserts(), 0);
    for _ in 0..seconds {
        let mut said = Said::default();
        for order in std::mem::take(&mut waiting) {
            count += 1;
            said.0.extend(desk.venue(&refused(&order, ReportSource::InsertRefused, error)).0);
        }
        said.0.extend(desk.wait(SECOND).0);
        said.0.extend(desk.market(SHFE, BID, ASK).0);
        waiting = said.inserts();
    }
    count
}

#[test]
fn retries_are_bounded_over_restarts_and_begin_anew_with_an_intent_a_session_or_the_operator() {
    let (not_in_session, most) = (23, settings().retries_max as usize + 1);
    let mut desk = Desk::ready();
    let first = desk.target(SHFE, 1, Urgency::Passive);
    assert_eq!(tries(&mut desk, first, not_in_session, 600), most);
    // The signal stage states the same again after a restart: it is not a new intent.
    let (mut desk, _) = desk.restarted(settings());
    desk.log_in(day(2), 8);
    desk.resynced(&[]);
    let stated =
        TargetPosition { strategy: 1, instrument: SHFE, revision: 1, lots: Lots::new(1), ..Default::default() };
    let first = desk.signal(&TargetPosition { limit: Price::ABSENT, ..stated });
    assert_eq!(tries(&mut desk, first, not_in_session, 100), 0);

    let first = desk.target(SHFE, 2, Urgency::Passive);
    assert_eq!(tries(&mut desk, first, not_in_session, 600), most, "another intent");
    desk.signal(&phase(SHFE, PhaseKind::Break));
    let first = desk.signal(&phase(SHFE, PhaseKind::Continuous));
    assert_eq!(tries(&mut desk, first, not_in_session, 600), most, "the session opens");
    assert!(desk.signal(&phase(SHFE, PhaseKind::Continuous)).is_quiet(), "it was open");
    let first = desk.command(CommandKind::Resume);
    assert_eq!(tries(&mut desk, first, not_in_session, 600), most, "the operator says so");
}

#[test]
fn an_intent_that_a_later_one_overtook_changes_nothing() {
    let mut desk = Desk::ready();
    let stated = |revision, lots| TargetPosition {
        strategy: 1,
        instrument: SHFE,
        revision,
        lots: Lots::new(lots),
        limit: Price::ABSENT,
        ..TargetPosition::default()
    };
    assert_eq!(lots(&desk.signal(&stated(5, 1)).inserts()), [(Offset::Open, 1)]);
    for earlier in [stated(4, 3), stated(5, 3)] {
        assert!(desk.signal(&earlier).is_quiet());
    }
}

#[test]
fn what_was_given_up_does_not_bind_intents_of_a_later_epoch() {
    let mut desk = Desk::ready();
    for target in [1, 2, 3] {
        let said = desk.target(SHFE, target, Urgency::Passive);
        for order in said.inserts() {
            desk.venue(&refused(&order, ReportSource::InsertRefused, 31));
        }
        desk.wait(SECOND);
    }
    assert!(desk.market(SHFE, BID, ASK).is_quiet());
    let target =
        TargetPosition { strategy: 1, instrument: SHFE, revision: 1, lots: Lots::new(3), ..Default::default() };
    let said = desk.hear_in_epoch(1, &TargetPosition { limit: Price::ABSENT, ..target });
    assert_eq!(said.inserts().len(), 1, "its revisions count from one");
}

/// From long 4 to short 3, and the process dies after so many of the answers.
#[test]
fn a_rebalance_goes_on_from_what_the_venue_says() {
    for answers in 0..6 {
        let reconcile = comparing(OnDifference::BlockOpening);
        let mut desk = Desk::ready_with(OrderSettings { reconcile, ..settings() }, &[]);
        let first = desk.target(SHFE, 4, Urgency::Aggressive);
        trades_out(&mut desk, first);
        let mut sent = desk.target(SHFE, -3, Urgency::Aggressive).inserts();
        assert_eq!(lots(&sent), [(Offset::CloseToday, 4), (Offset::Open, 3)]);
        // What the venue does, of which we hear only the first words.
        let mut heard = 0;
        for order in &sent {
            let words: [&dyn Fn(&mut Desk) -> Said; 3] = [
                &|desk| desk.queued(order),
                &|desk| desk.venue(&report(order, OrderStatus::AllTraded, order.lots.get())),
                &|desk| desk.venue(&fill(order, 100 + order.order_ref, order.lots.get())),
            ];
            for word in words {
                if heard < answers {
                    word(&mut desk);
                    heard += 1;
                }
            }
        }
        let settings = desk.settings.clone();
        let (mut desk, _) = desk.restarted(settings);
        desk.log_in(day(2), 8);
        for order in sent.drain(..) {
            let line = report(&order, OrderStatus::AllTraded, order.lots.get());
            desk.venue(&shrike_core::event::OrderReport { source: ReportSource::Query.code(), ..line });
            desk.venue(&fill(&order, 100 + order.order_ref, order.lots.get()));
        }
        desk.venue(&holds(SHFE, Side::Sell, 3, 0));
        let said = desk.resynced(&[]);
        assert!(said.inserts().is_empty() && desk.market(SHFE, BID, ASK).is_quiet(), "{answers} answers heard");
        assert_eq!(held(&desk), -3);
        assert_eq!(desk.stage().ledger().live_count(), 0);
    }
}
