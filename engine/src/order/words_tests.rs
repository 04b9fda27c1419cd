//! What the stage's words carry, field by field: a request that names an order names it whole, a refusal says both
//! numbers, a holding says whose lots, and waits are as long as they are said to be.

use super::desk::*;
use super::kit::*;
use super::{OrderSettings, ProductLimits};
use shrike_core::codes::{
    CommandKind, Offset, OrderState, OrderStatus, RefusalReason, ReportSource, RequestKind, Side, StageId, Urgency,
};
use shrike_core::event::{Event, OrderRequest};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Lots;

/// A live order that closes two of three lots which the strategy has sold.
fn closing(instrument: InstrumentId) -> (Desk, OrderRequest) {
    let mut desk = Desk::ready();
    let opening = desk.target(instrument, -3, Urgency::Aggressive).inserts()[0];
    desk.filled(&opening);
    let order = desk.target(instrument, -1, Urgency::Passive).inserts()[0];
    assert_ne!(order.offset(), Some(Offset::Open));
    desk.queued(&order);
    (desk, order)
}

#[test]
fn a_request_about_an_order_names_it_whole() {
    for instrument in [SHFE, CZCE] {
        let (mut desk, order) = closing(instrument);
        let number = report(&order, OrderStatus::Queued, 0).order_sys_id;
        let named = |kind: RequestKind| OrderRequest {
            kind: kind.code(),
            order_sys_id: number,
            order_type: 0,
            tif: 0,
            ..order
        };
        let cancel = desk.target(instrument, -3, Urgency::Passive).cancels()[0];
        assert_eq!(OrderRequest { revision: order.revision, ..cancel }, named(RequestKind::Cancel));
        let waited = desk.wait(3 * desk.settings.ack_timeout_ns);
        let question = waited.requests(RequestKind::QueryOrder)[0];
        assert_eq!(OrderRequest { revision: order.revision, ..question }, named(RequestKind::QueryOrder));
    }
}

#[test]
fn a_cancel_that_was_refused_is_tried_again_after_a_while() {
    let (mut desk, order) = closing(SHFE);
    assert_eq!(desk.target(SHFE, -3, Urgency::Passive).cancels().len(), 1);
    let no = refused(&order, ReportSource::CancelRefused, 26);
    assert!(desk.venue(&no).cancels().is_empty());
    assert!(desk.market(SHFE, BID, ASK).cancels().is_empty(), "not at once");
    desk.wait(desk.settings.reject_wait_ns);
    assert_eq!(desk.market(SHFE, BID, ASK).cancels().len(), 1);
}

#[test]
fn a_refusal_says_the_line_and_what_would_pass_it() {
    let mut contracts = settings().contracts;
    contracts.iter_mut().for_each(|product: &mut ProductLimits| product.limits.orders_per_day = 1);
    let mut desk = Desk::ready_with(OrderSettings { contracts, ..settings() }, &[]);
    let order = desk.target(SHFE, 1, Urgency::Passive).inserts()[0];
    desk.filled(&order);
    let told = desk.wait(desk.settings.duplicate_ns);
    assert!(told.is_quiet());
    let refusal = desk.target(SHFE, 3, Urgency::Passive).refusals()[0];
    assert_eq!(RefusalReason::of(refusal.reason), Some(RefusalReason::DailyOrders));
    assert_eq!((refusal.lots, refusal.side), (Lots::new(2), Side::Buy.code()), "what was missing, and is not sent");
    assert_eq!((refusal.limit, refusal.value), (1, 2), "one a day is allowed, this would be the second");
}

#[test]
fn an_update_says_why_the_venue_refused() {
    let mut desk = Desk::ready();
    let order = desk.target(SHFE, 1, Urgency::Passive).inserts()[0];
    let update = desk.venue(&refused(&order, ReportSource::InsertRefused, 31)).updates()[0];
    assert_eq!(
        (update.order_ref, update.state(), update.error_code),
        (order.order_ref, Some(OrderState::Rejected), 31)
    );
}

#[test]
fn a_holding_says_the_strategys_lots_and_the_accounts() {
    let mut desk = Desk::ready_with(settings(), &[(CZCE, Side::Buy, 0, 3)]);
    let [bid, _] = desk.quote(CZCE, BID, ASK).inserts()[..] else { panic!("two sides") };
    desk.queued(&bid);
    let said = desk.filled(&bid);
    let holdings = said.0.iter().filter_map(|slot| match slot.event() {
        Event::Holding(holding) => Some((holding.strategy, holding.instrument, holding.lots, holding.account_lots)),
        _ => None,
    });
    assert_eq!(holdings.collect::<Vec<_>>(), [(2, CZCE, Lots::new(1), Lots::new(4))]);
}

#[test]
fn a_command_lives_for_ten_seconds() {
    for (age_ns, obeyed) in [(10 * SECOND - 1, true), (10 * SECOND + 1, false)] {
        let mut desk = Desk::ready();
        let order = desk.target(SHFE, 1, Urgency::Passive).inserts()[0];
        desk.queued(&order);
        let written = desk.now;
        desk.now = written.after(age_ns - 1);
        let said = desk.hear(StageId::Commands, &command(CommandKind::Halt, written));
        assert_eq!(said.cancels().len(), usize::from(obeyed), "{age_ns} ns old");
    }
}
