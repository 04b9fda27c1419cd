//! The order of callbacks, exchange by exchange, as CTP's documents give it: a table of cases.

use super::kit::{Kit, Shown};
use shrike_core::codes::Exchange::{Cffex, Czce, Dce, Gfex, Ine, Shfe};
use shrike_core::codes::{Exchange as Place, Offset, OrderType, Side, TimeInForce};
use shrike_core::event::{Event, OrderReport};
use shrike_core::units::{Lots, Price};

const ALL: &[Place] = &[Shfe, Ine, Dce, Czce, Cffex, Gfex];
const NOT_DCE: &[Place] = &[Shfe, Ine, Czce, Cffex, Gfex];
const CANCEL_FIRST: &[Place] = &[Shfe, Ine, Cffex];
const CANCEL_LAST: &[Place] = &[Dce, Gfex, Czce];

/// The book stands at 5 lots on 99 and 98, 5 lots on 101 and 102.
struct Case {
    name: &'static str,
    places: &'static [Place],
    /// Lots to buy, limit, time in force.
    buy: (i64, i64, TimeInForce),
    then: Then,
    reports: &'static [&'static str],
}

enum Then {
    Nothing,
    Cancel,
    /// This much trades at our price.
    Traded(i64),
}

const CASES: &[Case] = &[
    Case {
        name: "accepted and queued",
        places: ALL,
        buy: (2, 99, TimeInForce::Day),
        then: Then::Nothing,
        reports: &["flow a", "flow 3"],
    },
    Case {
        name: "cancelled while queued",
        places: ALL,
        buy: (2, 99, TimeInForce::Day),
        then: Then::Cancel,
        reports: &["flow a", "flow 3", "flow 3 cancelling", "flow 5"],
    },
    Case {
        name: "queued, then all traded: the exchange repeats the state before",
        places: NOT_DCE,
        buy: (2, 99, TimeInForce::Day),
        then: Then::Traded(7),
        reports: &["flow a", "flow 3", "flow 3", "flow 0 traded 2", "fill 2 at 99"],
    },
    Case {
        name: "queued, then all traded: the counter makes DCE's report itself",
        places: &[Dce],
        buy: (2, 99, TimeInForce::Day),
        then: Then::Traded(7),
        reports: &["flow a", "flow 3", "flow 0 traded 2", "fill 2 at 99"],
    },
    Case {
        name: "queued, then part traded",
        places: ALL,
        buy: (2, 99, TimeInForce::Day),
        then: Then::Traded(6),
        reports: &["flow a", "flow 3", "flow 3", "flow 1 traded 1", "fill 1 at 99"],
    },
    Case {
        name: "crosses two levels, the rest queues",
        places: ALL,
        buy: (12, 102, TimeInForce::Day),
        then: Then::Nothing,
        reports: &[
            "flow a",
            "flow 3",
            "flow 3",
            "flow 1 traded 5",
            "fill 5 at 101",
            "flow 1 traded 5",
            "flow 1 traded 10",
            "fill 5 at 102",
        ],
    },
    Case {
        name: "FAK with nothing to take",
        places: ALL,
        buy: (3, 100, TimeInForce::Fak),
        then: Then::Nothing,
        reports: &["flow a", "flow 5"],
    },
    Case {
        name: "FAK all traded",
        places: ALL,
        buy: (3, 101, TimeInForce::Fak),
        then: Then::Nothing,
        reports: &["flow a", "flow 0 traded 3", "fill 3 at 101"],
    },
    Case {
        name: "FAK part traded: cancelled before the trades",
        places: CANCEL_FIRST,
        buy: (12, 102, TimeInForce::Fak),
        then: Then::Nothing,
        reports: &["flow a", "flow 5 traded 10", "fill 5 at 101", "fill 5 at 102"],
    },
    Case {
        name: "FAK part traded: trades, then cancelled",
        places: CANCEL_LAST,
        buy: (7, 101, TimeInForce::Fak),
        then: Then::Nothing,
        reports: &["flow a", "flow 1 traded 5", "fill 5 at 101", "flow 1 traded 5", "flow 5 traded 5"],
    },
    Case {
        name: "FOK that cannot fill",
        places: ALL,
        buy: (6, 101, TimeInForce::Fok),
        then: Then::Nothing,
        reports: &["flow a", "flow 5"],
    },
    Case {
        name: "FOK over two levels",
        places: NOT_DCE,
        buy: (6, 102, TimeInForce::Fok),
        then: Then::Nothing,
        reports: &["flow a", "flow 1 traded 5", "fill 5 at 101", "flow 1 traded 5", "flow 0 traded 6", "fill 1 at 102"],
    },
];

#[test]
fn callbacks_come_in_the_order_of_each_exchange() {
    for case in CASES {
        for &place in case.places {
            let mut kit = Kit::open(place);
            let (lots, price, tif) = case.buy;
            let mut order = kit.order(Side::Buy, Offset::Open, lots, price);
            order.tif = tif.code();
            kit.send(&order);
            let mut reports = kit.drain();
            match case.then {
                Then::Nothing => {}
                Then::Cancel => kit.cancel(order.order_ref),
                Then::Traded(lots) => kit.show(Shown {
                    bids: &[(99, 5), (98, 5)],
                    asks: &[(101, 5), (102, 5)],
                    last: price,
                    traded: &[(price, lots)],
                }),
            }
            reports.extend(kit.drain());
            assert_eq!(reports, case.reports, "{} at {place}", case.name);
        }
    }
}

#[test]
fn a_market_order_takes_what_is_shown_and_the_rest_is_cancelled() {
    let mut kit = Kit::open(Cffex);
    let mut order = kit.order(Side::Sell, Offset::Open, 12, 0);
    (order.order_type, order.price) = (OrderType::Market.code(), Price::ABSENT);
    kit.send(&order);
    assert_eq!(kit.drain(), ["flow a", "flow 5 traded 10", "fill 5 at 99", "fill 5 at 98"]);
}

#[test]
fn identities_come_as_ctp_gives_them() {
    let mut kit = Kit::open(Shfe);
    kit.trade(Side::Buy, Offset::Open, 1, 99);
    let order = kit.order(Side::Buy, Offset::Open, 1, 101);
    kit.send(&order);
    let (mut reports, mut fills): (Vec<OrderReport>, Vec<_>) = (Vec::new(), Vec::new());
    kit.each(|_, event| match event {
        Event::OrderReport(report) => reports.push(*report),
        Event::Fill(fill) => fills.push(*fill),
        _ => {}
    });
    assert!(reports.iter().all(|report| (report.front_id, report.session_id) == (1, 1) && report.order_ref == 2));
    assert!(reports[0].order_sys_id.is_empty(), "the exchange has not numbered it yet");
    assert_eq!(reports[0].order_local_id.as_bytes(), b"           2");
    assert_eq!(reports[1].order_sys_id.as_bytes(), b"           2", "right-aligned, spaces kept");
    assert_eq!((fills[0].order_sys_id, fills[0].order_ref), (reports[1].order_sys_id, 2));
    assert_eq!(fills[0].trade_id.as_bytes(), b"           1");
}

#[test]
fn own_orders_that_meet_trade_with_each_other() {
    let mut kit = Kit::open(Shfe);
    kit.trade(Side::Sell, Offset::Open, 2, 100);
    let order = kit.order(Side::Buy, Offset::Open, 1, 100);
    kit.send(&order);
    let mut fills = Vec::new();
    kit.each(|_, event| {
        if let Event::Fill(fill) = event {
            fills.push(*fill);
        }
    });
    let told: Vec<_> = fills.iter().map(|fill| (fill.order_ref, fill.side(), fill.lots)).collect();
    assert_eq!(told, [(1, Some(Side::Sell), Lots::new(1)), (2, Some(Side::Buy), Lots::new(1))]);
    assert_eq!(fills[0].trade_id, fills[1].trade_id, "one trade, told to both sides");
}
