//! The layout, and what becomes of CTP's ways of saying "nothing".

use super::*;
use proptest::prelude::*;
use std::mem::offset_of;

const RU: Contract = Contract {
    instrument: InstrumentId::new(7),
    exchange: Exchange::Shfe,
    multiplier: 10,
    zero_is_price: false,
    bare_turnover: false,
};

fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

fn date(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

/// A snapshot of the night session before 9 October 2018, level 1 only.
fn snapshot() -> DepthSnapshot {
    let none = Level { bid: f64::MAX, bid_lots: 0, pad_bid: 0, ask: f64::MAX, ask_lots: 0, pad_ask: 0 };
    let first = Level { bid: 12_105.0, bid_lots: 3, pad_bid: 0, ask: 12_110.0, ask_lots: 41, pad_ask: 0 };
    DepthSnapshot {
        trading_day: text("20181009"),
        last: 12_110.0,
        pre_settlement: 12_240.0,
        pre_close: 12_180.0,
        pre_open_interest: 301_002.0,
        open: 12_150.0,
        high: 12_155.0,
        low: 12_100.0,
        volume: 1_234,
        turnover: 149_557_400.0,
        open_interest: 300_998.0,
        close: f64::MAX,
        settlement: f64::MAX,
        upper_limit: 13_095.0,
        lower_limit: 11_385.0,
        time: text("21:00:00"),
        millis: 500,
        levels: [first, none, none, none, none],
        average: 121_197.25,
        action_day: text("20181008"),
        instrument: text("ru1901"),
        ..Zeroable::zeroed()
    }
}

fn decoded(snapshot: &DepthSnapshot, contract: &Contract, received: Nanos) -> Result<(DepthTick, u32), Malformed> {
    // The slot holds an older event: nothing of it may remain.
    let mut tick: DepthTick = bytemuck::cast([0xA5_u8; DepthTick::SIZE]);
    decode(snapshot, contract, date(20_181_009), received, &mut tick).map(|out_of_range| (tick, out_of_range))
}

#[test]
fn the_layout_is_ctps() {
    assert_eq!(size_of::<DepthSnapshot>(), 584);
    for (name, offset, expected) in [
        ("ExchangeID", offset_of!(DepthSnapshot, exchange), 40),
        ("LastPrice", offset_of!(DepthSnapshot, last), 80),
        ("UpdateTime", offset_of!(DepthSnapshot, time), 208),
        ("UpdateMillisec", offset_of!(DepthSnapshot, millis), 220),
        ("BidPrice1", offset_of!(DepthSnapshot, levels), 224),
        ("AveragePrice", offset_of!(DepthSnapshot, average), 384),
        ("ActionDay", offset_of!(DepthSnapshot, action_day), 392),
        ("InstrumentID", offset_of!(DepthSnapshot, instrument), 401),
        ("BandingUpperPrice", offset_of!(DepthSnapshot, banding_upper), 568),
    ] {
        assert_eq!(offset, expected, "{name}");
    }
}

#[test]
fn a_night_snapshot() {
    let (tick, out_of_range) = decoded(&snapshot(), &RU, Nanos::ABSENT).unwrap();
    let price = |text| Price::parse(text).unwrap();
    let (none, nothing) = (Price::ABSENT, Qty::ZERO);
    let expected = DepthTick {
        instrument: InstrumentId::new(7),
        trading_day: date(20_181_009),
        exch_ns: Nanos::china(date(20_181_008), 21 * 3600, 500_000_000),
        last: price("12110"),
        volume: Qty::whole(1_234),
        turnover: Turnover::whole(149_557_400),
        open_interest: Qty::whole(300_998),
        open: price("12150"),
        high: price("12155"),
        low: price("12100"),
        close: none,
        settlement: none,
        pre_settlement: price("12240"),
        pre_close: price("12180"),
        pre_open_interest: Qty::whole(301_002),
        upper_limit: price("13095"),
        lower_limit: price("11385"),
        average: price("12119.725"),
        action_day: date(20_181_008),
        reserved: [0; 9],
        bids: [price("12105"), none, none, none, none],
        bid_qtys: [Qty::whole(3), nothing, nothing, nothing, nothing],
        asks: [price("12110"), none, none, none, none],
        ask_qtys: [Qty::whole(41), nothing, nothing, nothing, nothing],
    };
    assert_eq!((tick, out_of_range), (expected, 0));
}

#[test]
fn limit_up_has_no_ask_and_zero_is_no_price() {
    let mut limit_up = snapshot();
    limit_up.levels[0].ask = f64::MAX;
    limit_up.levels[0].ask_lots = 0;
    limit_up.levels[0].bid = 0.0;
    limit_up.settlement = 0.0;
    let (tick, out_of_range) = decoded(&limit_up, &RU, Nanos::ABSENT).unwrap();
    assert_eq!((tick.asks[0], tick.ask_qtys[0]), (Price::ABSENT, Qty::ZERO));
    assert_eq!((tick.bids[0], tick.bid_qtys[0]), (Price::ABSENT, Qty::ZERO));
    assert_eq!((tick.settlement, out_of_range), (Price::ABSENT, 0));
    let combination = Contract { zero_is_price: true, ..RU };
    let (tick, _) = decoded(&limit_up, &combination, Nanos::ABSENT).unwrap();
    assert_eq!((tick.bids[0], tick.bid_qtys[0]), (Price::ZERO, Qty::whole(3)));
}

#[test]
fn numbers_out_of_range_are_absent_and_counted() {
    let wild = DepthSnapshot { last: f64::NAN, open: 1e30, turnover: f64::INFINITY, high: f64::MAX, ..snapshot() };
    let (tick, out_of_range) = decoded(&wild, &RU, Nanos::ABSENT).unwrap();
    assert!([tick.last, tick.open, tick.high].iter().all(|price| price.is_absent()) && tick.turnover.is_absent());
    assert_eq!(out_of_range, 3, "DBL_MAX is CTP's way to say that there is none");
}

#[test]
fn czce_takes_the_sessions_day_and_its_own_average() {
    let contract = Contract { exchange: Exchange::Czce, bare_turnover: true, ..RU };
    let natural = DepthSnapshot { trading_day: text("20181008"), average: 12_119.5, ..snapshot() };
    let (tick, _) = decoded(&natural, &contract, Nanos::ABSENT).unwrap();
    assert_eq!((tick.trading_day, tick.action_day), (date(20_181_009), date(20_181_008)));
    assert_eq!(tick.average, Price::parse("12119.5").unwrap());
    assert_eq!(tick.turnover, Turnover::whole(1_495_574_000));
}

#[test]
fn dce_at_night_takes_the_date_of_reception() {
    let contract = Contract { exchange: Exchange::Dce, ..RU };
    // Friday 12 October 2018: the night session belongs to Monday the 15th, and DCE says so in both dates.
    for (time, received, expected) in [
        ("21:00:00", (20_181_012, 21 * 3600 + 1), 20_181_012),
        ("23:59:59", (20_181_013, 0), 20_181_012),
        ("00:00:00", (20_181_012, 24 * 3600 - 1), 20_181_013),
        ("02:15:00", (20_181_013, 2 * 3600 + 15 * 60), 20_181_013),
        ("09:00:00", (20_181_015, 9 * 3600), 20_181_015),
    ] {
        let monday = text("20181015");
        let night = DepthSnapshot { trading_day: monday, action_day: monday, time: text(time), ..snapshot() };
        let (tick, _) = decoded(&night, &contract, Nanos::china(date(received.0), received.1, 0)).unwrap();
        assert_eq!((tick.action_day, tick.trading_day), (date(expected), date(20_181_015)), "{time}");
    }
}

#[test]
fn a_snapshot_without_a_time_is_no_tick() {
    for time in ["", "24:00:00", "21:60:00", "21-00-00", "2a:00:00", "9:00:00"] {
        let bad = DepthSnapshot { time: text(time), ..snapshot() };
        assert_eq!(decoded(&bad, &RU, Nanos::ABSENT), Err(Malformed::Time), "{time:?}");
    }
    assert_eq!(decoded(&DepthSnapshot { millis: 1_000, ..snapshot() }, &RU, Nanos::ABSENT), Err(Malformed::Time));
    assert_eq!(decoded(&DepthSnapshot { millis: -1, ..snapshot() }, &RU, Nanos::ABSENT), Err(Malformed::Time));
    let bad = DepthSnapshot { trading_day: text("20181301"), ..snapshot() };
    assert_eq!(decoded(&bad, &RU, Nanos::ABSENT), Err(Malformed::Day));
    let empty = DepthSnapshot { action_day: [0; 9], ..snapshot() };
    assert_eq!(decoded(&empty, &RU, Nanos::ABSENT), Err(Malformed::Day), "at night the trading day is no natural date");
    assert_eq!(decoded(&DepthSnapshot { volume: -1, ..snapshot() }, &RU, Nanos::ABSENT), Err(Malformed::Volume));
}

proptest! {
    /// Any bytes: an answer, never a panic; a tick's levels are whole or absent.
    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 584), keep_texts in any::<bool>()) {
        let mut any: DepthSnapshot = bytemuck::pod_read_unaligned(&bytes);
        if keep_texts {
            let DepthSnapshot { trading_day, action_day, time, millis, .. } = snapshot();
            any = DepthSnapshot { trading_day, action_day, time, millis, volume: any.volume & i32::MAX, ..any };
        }
        if let Ok((tick, _)) = decoded(&any, &RU, Nanos::ABSENT) {
            for (price, qty) in tick.bids.iter().zip(tick.bid_qtys).chain(tick.asks.iter().zip(tick.ask_qtys)) {
                prop_assert_eq!(price.is_absent(), qty == Qty::ZERO);
            }
        }
    }
}

/// What is kept of the snapshot before is used for the same words only.
#[test]
fn what_was_read_before_changes_nothing() {
    let mut dates = Dates::default();
    for (time, action_day) in [
        ("21:00:00", "20181008"),
        ("21:00:01", "20181008"),
        ("21:00:0x", "20181008"),
        ("21:00:01", "20181008"),
        ("00:00:00", "20181009"),
        ("00:00:00", "2018100x"),
        ("00:00:00", "20181009"),
    ] {
        let snapshot = DepthSnapshot { time: text(time), action_day: text(action_day), ..snapshot() };
        let when = |dates: &mut Dates| {
            stamp(&snapshot, &RU, date(20_181_009), Nanos::ABSENT, dates).map(|stamp| (stamp.action_day, stamp.exch_ns))
        };
        assert_eq!(when(&mut dates), when(&mut Dates::default()), "{action_day} {time}");
    }
}
