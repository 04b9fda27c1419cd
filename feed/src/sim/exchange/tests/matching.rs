//! Queue positions, trades through, crossings, auctions and phases.

use super::kit::{Kit, Shown, rules};
use crate::sim::exchange::{ExchangeOptions, QueueModel};
use proptest::prelude::*;
use shrike_core::codes::{Exchange as Place, Offset, PhaseKind, Side, TimeInForce};
use shrike_core::event::Gap;
use shrike_core::instrument::InstrumentId;

const BIDS: &[(i64, i64)] = &[(99, 5), (98, 5)];
const ASKS: &[(i64, i64)] = &[(101, 5), (102, 5)];

fn traded(kit: &mut Kit) -> i64 {
    kit.drain();
    kit.exchange.fills().iter().map(|fill| fill.lots.get()).sum()
}

#[test]
fn an_order_trades_in_its_turn() {
    // Given 5 lots ahead at 99 and 3 of ours behind them.
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 3, 99);
    // When 4 trade there, it is not our turn; with the 5th gone the next ones are ours.
    kit.show(Shown { bids: BIDS, asks: ASKS, last: 99, traded: &[(99, 4)] });
    assert_eq!(traded(&mut kit), 0);
    kit.show(Shown { bids: BIDS, asks: ASKS, last: 99, traded: &[(99, 3)] });
    assert_eq!(traded(&mut kit), 2);
}

#[test]
fn inside_the_spread_there_is_no_queue() {
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 3, 100);
    kit.show(Shown { bids: BIDS, asks: ASKS, last: 100, traded: &[(100, 2)] });
    assert_eq!(traded(&mut kit), 2);
}

#[test]
fn cancellations_move_us_by_the_model() {
    // Ten ahead become twelve shown (two came behind us), then half of the twelve leave without trading.
    for (model, lots_to_reach_us) in [(QueueModel::Back, 7), (QueueModel::Proportional, 6), (QueueModel::Front, 5)] {
        let options = ExchangeOptions { queue: model, ..ExchangeOptions::new(1, rules()) };
        let mut kit = Kit::with(Place::Shfe, options);
        kit.phase(PhaseKind::Continuous);
        let show = |kit: &mut Kit, bid: i64, traded: &[(i64, i64)]| {
            kit.show(Shown { bids: &[(99, bid), (98, 1)], asks: ASKS, last: 99, traded });
        };
        show(&mut kit, 10, &[]);
        kit.trade(Side::Buy, Offset::Open, 1, 99);
        show(&mut kit, 12, &[]);
        show(&mut kit, 8, &[]);
        // Back: min(10, 8) = 8; proportional: 10 - 4 * 10 / 12 = 7; front: 10 - 4 = 6. One more lot reaches us.
        let ahead = lots_to_reach_us + 1;
        show(&mut kit, 8, &[(99, ahead)]);
        assert_eq!(traded(&mut kit), 0, "{model:?}");
        show(&mut kit, 8, &[(99, 1)]);
        assert_eq!(traded(&mut kit), 1, "{model:?}");
    }
}

#[test]
fn a_trade_through_and_a_crossing_quote_fill() {
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 3, 99);
    kit.show(Shown { bids: &[(97, 5)], asks: &[(100, 5)], last: 98, traded: &[(98, 2)] });
    assert_eq!(traded(&mut kit), 2, "two lots traded below our price");
    kit.show(Shown { bids: &[(97, 5)], asks: &[(98, 5)], last: 98, traded: &[] });
    assert_eq!(traded(&mut kit), 3, "the ask came below our price");
    assert!(kit.exchange.fills().iter().all(|fill| fill.price == shrike_core::units::Price::whole(99)));
}

#[test]
fn shown_lots_are_taken_once() {
    let mut kit = Kit::open(Place::Shfe);
    for expected in [3, 5, 5] {
        let mut order = kit.order(Side::Buy, Offset::Open, 3, 101);
        order.tif = TimeInForce::Fak.code();
        kit.send(&order);
        assert_eq!(traded(&mut kit), expected, "five lots are shown until the next snapshot");
    }
    kit.show(Shown { bids: BIDS, asks: ASKS, last: 100, traded: &[] });
    kit.trade(Side::Buy, Offset::Open, 3, 101);
    assert_eq!(traded(&mut kit), 8);
}

#[test]
fn a_queue_that_is_not_shown_is_learned_when_it_appears() {
    // Level 1 only: a bid below the best one stands in a queue of unknown length.
    let mut kit = Kit::new(Place::Cffex);
    kit.phase(PhaseKind::Continuous);
    kit.show(Shown { bids: &[(99, 5)], asks: &[(101, 5)], last: 100, traded: &[] });
    kit.trade(Side::Buy, Offset::Open, 2, 98);
    kit.show(Shown { bids: &[(98, 4)], asks: &[(101, 5)], last: 98, traded: &[(99, 5), (98, 3)] });
    assert_eq!(traded(&mut kit), 0, "who traded at 98 is not known");
    kit.show(Shown { bids: &[(98, 1)], asks: &[(101, 5)], last: 98, traded: &[(98, 4)] });
    assert_eq!(traded(&mut kit), 0, "the four shown were ahead");
    kit.show(Shown { bids: &[(98, 1)], asks: &[(101, 5)], last: 98, traded: &[(98, 1)] });
    assert_eq!(traded(&mut kit), 1);
}

#[test]
fn auction_orders_wait_for_the_price() {
    // Given orders of an auction: one buys at better than its price, one at it, one sells above it.
    let mut kit = Kit::new(Place::Shfe);
    kit.phase(PhaseKind::AuctionOrders);
    kit.drain();
    kit.trade(Side::Buy, Offset::Open, 2, 103);
    kit.trade(Side::Buy, Offset::Open, 2, 100);
    kit.trade(Side::Sell, Offset::Open, 2, 102);
    assert_eq!(traded(&mut kit), 0, "nothing matches before the price, not even our own");
    // When it matches 8 lots at 100, only the better buyer is sure to have traded.
    kit.phase(PhaseKind::AuctionMatch);
    kit.show(Shown { bids: &[], asks: &[], last: 100, traded: &[(100, 8)] });
    assert_eq!(traded(&mut kit), 2);
    assert_eq!(kit.exchange.fills()[0].price, shrike_core::units::Price::whole(100));
    // Then the others join the queues of continuous trading.
    kit.phase(PhaseKind::Continuous);
    kit.show(Shown { bids: &[(100, 4)], asks: &[(101, 5)], last: 100, traded: &[] });
    kit.show(Shown { bids: &[(100, 4)], asks: &[(101, 5)], last: 100, traded: &[(100, 5)] });
    assert_eq!(traded(&mut kit), 3, "four were ahead");
}

#[test]
fn nothing_matches_while_shut() {
    for phase in [PhaseKind::Shut, PhaseKind::Break, PhaseKind::Halted, PhaseKind::AuctionMatch] {
        let mut kit = Kit::open(Place::Shfe);
        kit.trade(Side::Buy, Offset::Open, 3, 99);
        kit.phase(phase);
        kit.show(Shown { bids: &[(97, 5)], asks: &[(98, 5)], last: 99, traded: &[] });
        assert_eq!(traded(&mut kit), 0, "{phase}");
        kit.phase(PhaseKind::Continuous);
        kit.show(Shown { bids: &[(97, 5)], asks: &[(98, 5)], last: 98, traded: &[] });
        assert_eq!(traded(&mut kit), 3, "{phase}: it meets the book when trading goes on");
    }
}

#[test]
fn after_a_gap_queues_are_unknown() {
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 3, 99);
    let gap = Gap { instrument: InstrumentId::NONE, ..Gap::default() };
    kit.market((&gap).into());
    kit.show(Shown { bids: BIDS, asks: ASKS, last: 99, traded: &[(99, 50)] });
    assert_eq!(traded(&mut kit), 0, "what traded in the hole may not have been ours");
    kit.show(Shown { bids: BIDS, asks: ASKS, last: 99, traded: &[(99, 6)] });
    assert_eq!(traded(&mut kit), 1);
}

proptest! {
    /// Whatever traded at the two quotes is found again from volume and turnover: our order at the bid, with nothing
    /// ahead, trades exactly what sellers gave there.
    #[test]
    fn lots_at_the_quotes_are_inferred(at_bid in 0i64..50, at_ask in 0i64..50, spread in 1i64..6) {
        let mut kit = Kit::new(Place::Shfe);
        kit.phase(PhaseKind::Continuous);
        let (bids, asks) = ([(100 - spread, 1)], [(100, 1)]);
        kit.show(Shown { bids: &bids, asks: &asks, last: 100, traded: &[] });
        kit.trade(Side::Buy, Offset::Open, 500, 100 - spread);
        let last = if at_ask > 0 { 100 } else { 100 - spread };
        let both = [(100 - spread, at_bid), (100, at_ask)];
        kit.show(Shown { bids: &bids, asks: &asks, last, traded: &both });
        prop_assert_eq!(traded(&mut kit), (at_bid - 1).max(0), "one lot was ahead");
    }
}
