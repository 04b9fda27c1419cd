use super::*;
use crate::ctp::abi::structs::text;
use proptest::prelude::*;
use shrike_core::codes::Exchange;
use shrike_core::codes::{Offset, Side};
use shrike_core::units::{Lots, Text};

fn credentials() -> Credentials {
    Credentials {
        broker_id: "9999".into(),
        user_id: "012345".into(),
        password: "secret".into(),
        app_id: "shrike_1.0".into(),
        auth_code: "0000000000000000".into(),
        product_info: "shrike".into(),
    }
}

fn order() -> NewOrder<'static> {
    NewOrder {
        symbol: b"rb2505",
        exchange: Exchange::Shfe,
        order_ref: 100_000_042,
        side: Side::Sell,
        offset: Offset::CloseYesterday,
        order_type: OrderType::Limit,
        tif: TimeInForce::Fak,
        price: Price::parse("3512.2").unwrap(),
        lots: Lots::new(7),
    }
}

#[test]
fn a_limit_order_has_the_fields_that_counters_demand() {
    let credentials = credentials();
    let room = Writer(&credentials).insert(9, &order()).unwrap();
    let it = &room.body;
    assert_eq!(text(&it.broker_id), b"9999");
    assert_eq!((text(&it.investor_id), text(&it.user_id)), (&b"012345"[..], &b"012345"[..]));
    assert_eq!((text(&it.instrument_id), text(&it.exchange_id)), (&b"rb2505"[..], &b"SHFE"[..]));
    assert_eq!(text(&it.order_ref), b"100000042");
    assert_eq!((it.direction, text(&it.comb_offset_flag), text(&it.comb_hedge_flag)), (b'1', &b"4"[..], &b"1"[..]));
    assert_eq!((it.order_price_type, it.limit_price, it.volume_total_original), (b'2', 3512.2, 7));
    assert_eq!((it.time_condition, it.volume_condition), (b'1', b'1'));
    assert_eq!((it.min_volume, it.contingent_condition, it.force_close_reason), (1, b'1', b'0'));
    assert_eq!((it.is_auto_suspend, it.request_id), (0, 9));
}

#[test]
fn order_types_and_times_in_force_have_their_codes() {
    let credentials = credentials();
    for (order_type, tif, expected) in [
        (OrderType::Limit, TimeInForce::Day, (b'2', b'3', b'1')),
        (OrderType::Limit, TimeInForce::Fak, (b'2', b'1', b'1')),
        (OrderType::Limit, TimeInForce::Fok, (b'2', b'1', b'3')),
        (OrderType::Market, TimeInForce::Day, (b'1', b'1', b'1')),
        (OrderType::Market, TimeInForce::Fok, (b'1', b'1', b'3')),
    ] {
        let it = Writer(&credentials).insert(1, &NewOrder { order_type, tif, ..order() }).unwrap().body;
        assert_eq!((it.order_price_type, it.time_condition, it.volume_condition), expected);
        assert_eq!(it.limit_price == 0.0, order_type == OrderType::Market);
    }
}

#[test]
fn a_cancel_names_the_order_by_what_is_known() {
    let credentials = credentials();
    let mut cancel = CancelOrder {
        symbol: b"rb2505",
        exchange: Exchange::Shfe,
        order_ref: 42,
        front_id: 1,
        session_id: -2,
        order_sys_id: Text::EMPTY,
    };
    let it = Writer(&credentials).cancel(9, &cancel).unwrap().body;
    assert_eq!((text(&it.order_ref), it.front_id, it.session_id), (&b"42"[..], 1, -2));
    assert_eq!((text(&it.order_sys_id), it.action_flag, it.order_action_ref), (&b""[..], b'0', 9));

    cancel.order_sys_id = Text::new(b"        1795").unwrap();
    let it = Writer(&credentials).cancel(9, &cancel).unwrap().body;
    assert_eq!(text(&it.order_sys_id), b"        1795", "blanks are part of the number");
    assert_eq!((text(&it.order_ref), it.front_id, it.session_id), (&b""[..], 0, 0));
}

#[test]
fn what_has_no_form_is_not_sent() {
    let credentials = credentials();
    let writer = Writer(&credentials);
    let refused = |change: &dyn Fn(&mut NewOrder<'static>)| {
        let mut order = order();
        change(&mut order);
        writer.insert(1, &order).is_none()
    };
    assert!(refused(&|order| order.order_ref = 1_000_000_000_000));
    assert!(!refused(&|order| order.order_ref = 999_999_999_999));
    assert!(refused(&|order| order.price = Price::ABSENT));
    assert!(refused(&|order| order.lots = Lots::ABSENT));
    assert!(refused(&|order| order.lots = Lots::new(0)));
    assert!(refused(&|order| order.lots = Lots::new(1 << 31)));
    assert!(refused(&|order| order.symbol = &[b'x'; 81]));
    assert!(writer.margin_rate(&[b'x'; 81]).is_none());
}

proptest! {
    #[test]
    fn a_price_is_the_float_that_its_decimal_is(ticks in -100_000_000_i64..100_000_000, decimals in 0_u32..5) {
        let raw = ticks * 10_i64.pow(8 - decimals);
        let decimal: f64 = format!("{ticks}e-{decimals}").parse().unwrap();
        prop_assert_eq!(float(Price::from_raw(raw)), (raw.unsigned_abs() < 1 << 53).then_some(decimal));
    }

    #[test]
    fn numbers_are_their_digits(number: u64) {
        let mut field = [0xff; 21];
        prop_assert_eq!(put_number(&mut field, number), Some(()));
        let digits = number.to_string();
        prop_assert_eq!(text(&field), digits.as_bytes());
    }
}
