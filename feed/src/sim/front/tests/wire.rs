//! The frames: what goes in comes out, and bytes from outside are refused or read, never more.

use super::kit::{name, order_facts, who};
use crate::ctp::callback::{
    Callback, CancelFacts, FundsFacts, LoginFacts, OptionCostFacts, PositionFacts, StatusFacts, What,
};
use crate::sim::front::wire::*;
use proptest::prelude::*;
use shrike_core::codes::{Exchange, PhaseKind, Side};
use shrike_core::event::DepthTick;
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};

fn there_and_back<T: Wire + PartialEq + std::fmt::Debug>(frame: T) {
    let mut bytes = Vec::new();
    put_frame(&frame, &mut bytes);
    for cut in 0..bytes.len() {
        assert_eq!(get_frame::<T>(&bytes[..cut]), Ok(None), "cut at {cut}");
    }
    let len = bytes.len();
    bytes.extend_from_slice(b"next");
    assert_eq!(get_frame(&bytes), Ok(Some((frame, len))));
    // A body that goes on behind its end is no frame.
    bytes.truncate(len);
    bytes.push(0);
    bytes[0] += 1;
    assert_eq!(get_frame::<T>(&bytes), Err(BadFrame));
}

#[test]
fn frames_read_back() {
    let hello = Hello {
        protocol: PROTOCOL,
        channel: Channel::Trading,
        version: "6.7.7".to_owned(),
        resume: Resume::From(1 << 40),
    };
    there_and_back(FromClient::Hello(hello));
    there_and_back(FromClient::Authenticate(-1, who("秘密")));
    let ask = Ask { kind: QueryKind::Commission, symbol: name("m2405"), exchange: Some(Exchange::Dce) };
    there_and_back(FromClient::Query(7, ask));
    there_and_back(FromClient::Insert(8, order_facts(3, Side::Sell, -1, 5)));
    there_and_back(FromClient::Cancel(9, CancelFacts { session_id: i32::MIN, ..CancelFacts::default() }));
    there_and_back(FromClient::Subscribe(vec![name("a"), name("b")]));
    there_and_back(FromClient::Logout(10));
    there_and_back(FromFront::Limits(3));
    let tick = DepthTick { last: Price::ABSENT, ..DepthTick::default() };
    there_and_back(FromFront::Tick(Snapshot { symbol: name("a"), exchange: Exchange::Ine, multiplier: 1_000, tick }));
    let login = LoginFacts {
        trading_day: TradingDay::new(20_240_102).expect("a date"),
        clocks: [Some(1), None, Some(2), None, None, Some(u64::MAX)],
        ..LoginFacts::default()
    };
    let position = PositionFacts { margin: Money::from_raw(i128::MIN), lots: Lots::new(3), ..PositionFacts::default() };
    let status = StatusFacts { phase: Some(PhaseKind::Break), ..StatusFacts::default() };
    for what in [
        What::Nothing,
        What::Connected,
        What::Disconnected { reason: 0x1001 },
        What::LoggedIn(Some(login)),
        What::LoggedIn(None),
        What::LoggedOut,
        What::OptionCost(Some(OptionCostFacts { fixed_per_lot: Money::whole(7), ..OptionCostFacts::default() })),
        What::OptionCommission(None),
        What::Unsubscribed(name("m2405")),
        What::Failed,
        What::InsertRefused(None),
        What::Order(order_facts(1, Side::Buy, 1, 1)),
        What::PositionLine(Some(position)),
        What::Funds(Some(FundsFacts { available: Money::whole(-1), ..FundsFacts::default() })),
        What::Status(status),
        What::Subscribed(name("a")),
    ] {
        let message = Text::new(b"\xd5\xfd\xc8\xb7").expect("fits");
        let received = Nanos::new(5);
        there_and_back(FromFront::Callback(Callback {
            received,
            request_id: 4,
            is_last: true,
            error: 3,
            message,
            what,
        }));
    }
}

#[test]
fn a_length_from_outside_asks_for_no_room() {
    assert_eq!(get_frame::<FromClient>(&u32::MAX.to_le_bytes()), Err(BadFrame));
    // A subscription of four billion contracts in nine bytes.
    let mut bytes = vec![5, 0, 0, 0, 8];
    bytes.extend_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(get_frame::<FromClient>(&bytes), Err(BadFrame));
}

proptest! {
    /// Any bytes behind an honest length: a frame or none, and never a panic. What reads is written as it was.
    #[test]
    fn any_bytes_give_an_answer(body in prop::collection::vec(prop_oneof![0..24_u8, any::<u8>()], 0..200)) {
        let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&body);
        if let Ok(Some((frame, len))) = get_frame::<FromClient>(&bytes) {
            prop_assert_eq!(len, bytes.len());
            let mut again = Vec::new();
            put_frame(&frame, &mut again);
            let read = get_frame::<FromClient>(&again);
            prop_assert_eq!(read, Ok(Some((frame, again.len()))));
        }
        let _ = get_frame::<FromFront>(&bytes);
    }
}
