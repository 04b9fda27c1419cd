//! What the counter and the exchange refuse, with which code and by which callbacks: tables of cases.

use super::kit::{Kit, rules};
use crate::sim::exchange::{ExchangeOptions, errors};
use shrike_core::codes::{Exchange as Place, Offset, OrderType, PhaseKind, Side};
use shrike_core::event::OrderRequest;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Price};

fn reports_of(kit: &mut Kit, order: &OrderRequest) -> Vec<String> {
    kit.send(order);
    kit.drain()
}

fn counter_refuses(code: i32) -> [String; 2] {
    ["rsp-insert", "err-insert"].map(|source| format!("{source} - rejected error {code}"))
}

fn exchange_refuses(code: i32) -> [String; 3] {
    ["flow a".to_owned(), format!("flow 5 rejected error {code}"), format!("err-insert 5 rejected error {code}")]
}

type Change = fn(&mut OrderRequest);

#[test]
fn the_counter_refuses_before_there_is_an_order() {
    let cases: &[(Place, Change, i32)] = &[
        (Place::Shfe, |order| order.side = 9, errors::BAD_FIELD),
        (Place::Shfe, |order| order.lots = Lots::ZERO, errors::BAD_FIELD),
        (Place::Shfe, |order| order.price = Price::ABSENT, errors::BAD_FIELD),
        (Place::Shfe, |order| order.exchange = Place::Dce.code(), errors::BAD_FIELD),
        (Place::Shfe, |order| order.instrument = InstrumentId::new(5), errors::INSTRUMENT_NOT_FOUND),
        (Place::Shfe, |order| order.trading_day = super::kit::day(20_231_229), errors::NOT_LOGGED_IN),
        (Place::Shfe, |order| order.order_ref = 1, errors::DUPLICATE_ORDER_REF),
        (Place::Shfe, |order| order.price = Price::from_raw(9_950_000_000), errors::OFF_TICK),
        (Place::Dce, |order| order.price = Price::from_raw(9_950_000_000), errors::OFF_TICK),
        (Place::Shfe, |order| order.lots = Lots::new(200_000), errors::INSUFFICIENT_FUNDS),
        (Place::Shfe, |order| order.offset = Offset::CloseToday.code(), errors::OVER_CLOSE_TODAY),
        (Place::Ine, |order| order.offset = Offset::Close.code(), errors::OVER_CLOSE_YESTERDAY),
        (Place::Shfe, |order| order.offset = Offset::CloseYesterday.code(), errors::OVER_CLOSE_YESTERDAY),
        (Place::Dce, |order| order.offset = Offset::CloseToday.code(), errors::OVER_CLOSE),
        (Place::Cffex, |order| order.offset = Offset::Close.code(), errors::OVER_CLOSE),
    ];
    for &(place, change, code) in cases {
        let mut kit = Kit::open(place);
        kit.trade(Side::Buy, Offset::Open, 1, 95);
        let mut order = kit.order(Side::Buy, Offset::Open, 1, 99);
        change(&mut order);
        assert_eq!(reports_of(&mut kit, &order), counter_refuses(code), "{place} {code}");
        assert_eq!(kit.exchange.orders().len(), 1, "what the counter refuses is no order");
    }
}

#[test]
fn the_exchange_refuses_after_the_counter_took_it() {
    let cases: &[(Change, i32)] = &[
        (|order| order.price = Price::whole(111), errors::OUTSIDE_LIMITS),
        (|order| order.price = Price::whole(89), errors::OUTSIDE_LIMITS),
        (|order| order.lots = Lots::new(501), errors::BAD_LOTS),
        (
            |order| {
                order.order_type = OrderType::Market.code();
                order.lots = Lots::new(51);
            },
            errors::BAD_LOTS,
        ),
    ];
    for &(change, code) in cases {
        let mut kit = Kit::open(Place::Shfe);
        let mut order = kit.order(Side::Buy, Offset::Open, 1, 99);
        change(&mut order);
        assert_eq!(reports_of(&mut kit, &order), exchange_refuses(code), "{code}");
        assert_eq!(kit.exchange.funds().frozen, Money::ZERO);
    }
}

#[test]
fn phases_take_only_their_orders() {
    for (phase, taken) in [
        (PhaseKind::Shut, false),
        (PhaseKind::Break, false),
        (PhaseKind::Halted, false),
        (PhaseKind::AuctionMatch, false),
        (PhaseKind::AuctionOrders, true),
        (PhaseKind::Continuous, true),
    ] {
        let mut kit = Kit::open(Place::Shfe);
        kit.phase(phase);
        let order = kit.order(Side::Buy, Offset::Open, 1, 99);
        let expected = if taken {
            vec!["flow a".into(), "flow 3".into()]
        } else {
            exchange_refuses(errors::NOT_TRADING_PERIOD).to_vec()
        };
        assert_eq!(reports_of(&mut kit, &order), expected, "{phase}");
    }
}

#[test]
fn czce_cuts_an_off_tick_price_and_says_nothing() {
    let mut kit = Kit::open(Place::Czce);
    let mut order = kit.order(Side::Buy, Offset::Open, 1, 0);
    order.price = Price::from_raw(9_950_000_000);
    assert_eq!(reports_of(&mut kit, &order), ["flow a", "flow 3"]);
    assert_eq!(kit.exchange.orders().next().expect("the order").price, Price::whole(99));
}

#[test]
fn without_confirmation_nothing_is_taken() {
    let options = ExchangeOptions { settlement_confirmed: false, ..ExchangeOptions::new(1, rules()) };
    let mut kit = Kit::with(Place::Shfe, options);
    kit.phase(PhaseKind::Continuous);
    kit.drain();
    let order = kit.order(Side::Buy, Offset::Open, 1, 99);
    assert_eq!(reports_of(&mut kit, &order), counter_refuses(errors::SETTLEMENT_NOT_CONFIRMED));
}

#[test]
fn cancels_are_refused_with_the_reason() {
    let mut kit = Kit::open(Place::Shfe);
    kit.cancel(77);
    assert_eq!(kit.drain(), ["rsp-action - error 25", "err-action - error 25"]);

    let order_ref = kit.trade(Side::Buy, Offset::Open, 1, 101);
    kit.cancel(order_ref);
    assert_eq!(kit.drain(), ["rsp-action 0 traded 1 error 26", "err-action 0 traded 1 error 26"]);

    let order_ref = kit.trade(Side::Buy, Offset::Open, 1, 95);
    kit.phase(PhaseKind::AuctionMatch);
    kit.cancel(order_ref);
    assert_eq!(kit.drain(), ["err-action 3 error 91"]);
}

#[test]
fn cancels_find_orders_by_either_key() {
    let mut kit = Kit::open(Place::Shfe);
    for by_sys_id in [false, true] {
        let order_ref = kit.trade(Side::Buy, Offset::Open, 1, 95);
        let told = kit.exchange.orders().last().expect("the order");
        let mut request = OrderRequest { kind: 2, ..OrderRequest::default() };
        (request.exchange, request.instrument, request.trading_day) =
            (told.exchange, told.instrument, told.trading_day);
        if by_sys_id {
            request.order_sys_id = told.order_sys_id;
        } else {
            (request.front_id, request.session_id, request.order_ref) = (told.front_id, told.session_id, order_ref);
        }
        assert_eq!(reports_of(&mut kit, &request), ["flow 3 cancelling", "flow 5"]);
    }
    // Another session's number is another order.
    let order_ref = kit.trade(Side::Buy, Offset::Open, 1, 95);
    let request = OrderRequest { kind: 2, order_ref, front_id: 1, session_id: 9, ..OrderRequest::default() };
    assert_eq!(reports_of(&mut kit, &request), ["rsp-action - error 25", "err-action - error 25"]);
}
