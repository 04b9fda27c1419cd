//! What becomes of a library's calls: each struct's fields, written at the vendor's offsets by name, are read from the
//! callback or tick that arrives. In every version, as the slots differ.

// Lints know test functions as tests, not the functions that they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use shrike_core::clock::{Clock, SimTime};
use shrike_core::codes::{
    Exchange, Offset, OptionType, OrderStatus, OrderType, PhaseKind, ProductClass, Side, SubmitStatus, TimeInForce,
};
use shrike_core::event::{DepthTick, Event};
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::{Consumer, market_ring, ring};
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};
use shrike_feed::ctp::abi::calls::{Bytes, Given, MarketCaller, Reply, TraderCaller, info};
use shrike_feed::ctp::abi::slots::{MarketEvent, TraderEvent};
use shrike_feed::ctp::abi::structs::{self, Layout};
use shrike_feed::ctp::abi::{CALLBACKS, Version};
use shrike_feed::ctp::callback::{
    Callback, CancelFacts, CommissionFacts, FundsFacts, InstrumentFacts, LoginFacts, MarginFacts, OptionCostFacts,
    OrderFacts, PositionFacts, StatusFacts, Symbol, TradeFacts, What,
};
use shrike_feed::ctp::decode::{Contract, DepthSnapshot};
use shrike_feed::ctp::lookup::Contracts;
use std::sync::Arc;

const NOW: Nanos = Nanos::new(1_539_003_600_000_000_000);
const CLOCK: u64 = (21 * 3600 + 5) * Nanos::PER_SECOND;
const NOTHING: Reply<'_> = Reply { info: Given::Null, request_id: 0, is_last: 1 };
/// "Order rejected", in GBK.
const GBK: [u8; 8] = [0xb1, 0xa8, 0xb5, 0xa5, 0xbe, 0xdc, 0xbe, 0xf8];

enum Value {
    Text(&'static [u8]),
    Int(i32),
    Float(f64),
}
use Value::{Float, Int, Text as T};

/// A struct from values by CTP's names, every other byte one that would do harm.
fn of<S: Layout>(values: &[(&str, Value)]) -> Bytes {
    let mut bytes = Bytes([0xee; 1024]);
    for (name, value) in values {
        let field = S::FIELDS.iter().find(|field| field.name == *name).unwrap_or_else(|| panic!("{} {name}", S::NAME));
        let room = &mut bytes.0[field.offset..field.offset + field.len];
        match value {
            T(text) => {
                room[..text.len()].copy_from_slice(text);
                room[text.len()..].iter_mut().take(1).for_each(|end| *end = 0);
            }
            Int(number) => room.copy_from_slice(&number.to_le_bytes()),
            Float(number) => room.copy_from_slice(&number.to_le_bytes()),
        }
    }
    bytes
}

fn caller(version: Version) -> (TraderCaller, Consumer<Callback>) {
    let (producer, consumer) = ring(16, 0);
    (TraderCaller::new(version, Clock::Simulated(Arc::new(SimTime::new(NOW))), producer), consumer)
}

/// The only callback that arrives.
fn only(callbacks: &mut Consumer<Callback>) -> Option<Callback> {
    let mut told = None;
    assert!(callbacks.take_batch(16, |callback| told = Some(*callback)) <= 1);
    told
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

fn symbol(text: &str) -> Symbol {
    Symbol::new(text.as_bytes()).unwrap()
}

fn order_bytes() -> Bytes {
    of::<structs::Order>(&[
        ("InstrumentID", T(b"rb2505")),
        ("ExchangeID", T(b"SHFE")),
        ("OrderRef", T(b"   100000042")),
        ("FrontID", Int(-7)),
        ("SessionID", Int(i32::MIN)),
        ("RequestID", Int(31)),
        ("OrderSysID", T(b"        1795")),
        ("OrderLocalID", T(b"       12345")),
        ("TraderID", T(b"9999cac")),
        ("Direction", T(b"1")),
        ("CombOffsetFlag", T(b"3")),
        ("OrderPriceType", T(b"2")),
        ("TimeCondition", T(b"3")),
        ("VolumeCondition", T(b"1")),
        ("LimitPrice", Float(3512.0)),
        ("VolumeTotalOriginal", Int(9)),
        ("VolumeTraded", Int(4)),
        ("OrderStatus", T(b"1")),
        ("OrderSubmitStatus", T(b"3")),
        ("TradingDay", T(b"20181009")),
        ("InsertTime", T(b"21:00:05")),
        ("CancelTime", T(b"")),
        ("StatusMsg", T(&GBK)),
    ])
}

fn order_facts() -> OrderFacts {
    OrderFacts {
        symbol: symbol("rb2505"),
        exchange: Some(Exchange::Shfe),
        order_ref: Text::new(b"   100000042").unwrap(),
        front_id: -7,
        session_id: i32::MIN,
        request_id: 31,
        order_sys_id: Text::new(b"        1795").unwrap(),
        order_local_id: Text::new(b"       12345").unwrap(),
        trader_id: Text::new(b"9999cac").unwrap(),
        side: Some(Side::Sell),
        offset: Some(Offset::CloseToday),
        order_type: Some(OrderType::Limit),
        tif: Some(TimeInForce::Day),
        price: price("3512"),
        lots: Lots::new(9),
        traded: Lots::new(4),
        status: Some(OrderStatus::PartTraded),
        submit: Some(SubmitStatus::Accepted),
        trading_day: day(20_181_009),
        insert_time: Some(CLOCK),
        cancel_time: None,
    }
}

/// Each callback of the trading library with a struct: the event, the struct, what should arrive.
fn cases() -> Vec<(TraderEvent, Bytes, What)> {
    use TraderEvent::*;
    let input = of::<structs::InputOrder>(&[
        ("InstrumentID", T(b"CF705")),
        ("ExchangeID", T(b"CZCE")),
        ("OrderRef", T(b"42")),
        ("RequestID", Int(5)),
        ("Direction", T(b"0")),
        ("CombOffsetFlag", T(b"0")),
        ("OrderPriceType", T(b"1")),
        ("TimeCondition", T(b"1")),
        ("VolumeCondition", T(b"3")),
        ("LimitPrice", Float(0.0)),
        ("VolumeTotalOriginal", Int(2)),
    ]);
    let input_facts = OrderFacts {
        symbol: symbol("CF705"),
        exchange: Some(Exchange::Czce),
        order_ref: Text::new(b"42").unwrap(),
        request_id: 5,
        side: Some(Side::Buy),
        offset: Some(Offset::Open),
        order_type: Some(OrderType::Market),
        tif: Some(TimeInForce::Fok),
        price: Price::ABSENT,
        lots: Lots::new(2),
        ..OrderFacts::default()
    };
    let cancel = [
        ("InstrumentID", T(b"IO2503-C-3900")),
        ("ExchangeID", T(b"CFFEX")),
        ("OrderRef", T(b"43")),
        ("FrontID", Int(1)),
        ("SessionID", Int(2)),
        ("OrderSysID", T(b" 77")),
        ("RequestID", Int(8)),
    ];
    let cancel_facts = CancelFacts {
        symbol: symbol("IO2503-C-3900"),
        exchange: Some(Exchange::Cffex),
        order_ref: Text::new(b"43").unwrap(),
        front_id: 1,
        session_id: 2,
        order_sys_id: Text::new(b" 77").unwrap(),
        request_id: 8,
    };
    let trade = of::<structs::Trade>(&[
        ("InstrumentID", T(b"m2505")),
        ("ExchangeID", T(b"DCE")),
        ("TradeID", T(b"       90210")),
        ("OrderSysID", T(b"        1796")),
        ("OrderRef", T(b"44")),
        ("Direction", T(b"0")),
        ("OffsetFlag", T(b"2")),
        ("Price", Float(2_800.5)),
        ("Volume", Int(3)),
        ("TradingDay", T(b"20181009")),
        ("TradeTime", T(b"21:00:05")),
    ]);
    let trade_facts = TradeFacts {
        symbol: symbol("m2505"),
        exchange: Some(Exchange::Dce),
        trade_id: Text::new(b"       90210").unwrap(),
        order_sys_id: Text::new(b"        1796").unwrap(),
        order_ref: Text::new(b"44").unwrap(),
        side: Some(Side::Buy),
        offset: Some(Offset::Close),
        price: price("2800.5"),
        lots: Lots::new(3),
        trading_day: day(20_181_009),
        time: Some(CLOCK),
    };
    let login = of::<structs::RspUserLogin>(&[
        ("TradingDay", T(b"20181009")),
        ("FrontID", Int(3)),
        ("SessionID", Int(-4)),
        ("MaxOrderRef", T(b"          17")),
        ("SHFETime", T(b"21:00:05")),
        ("DCETime", T(b"--:--:--")),
        ("CZCETime", T(b"00:00:00")),
        ("FFEXTime", T(b"")),
        ("INETime", T(b"24:00:00")),
        ("GFEXTime", T(b"21:00:05")),
    ]);
    let login_facts = LoginFacts {
        trading_day: day(20_181_009),
        front_id: 3,
        session_id: -4,
        max_order_ref: 17,
        clocks: [Some(CLOCK), None, Some(0), None, None, Some(CLOCK)],
    };
    let position = of::<structs::InvestorPosition>(&[
        ("InstrumentID", T(b"sc2505")),
        ("ExchangeID", T(b"INE")),
        ("PosiDirection", T(b"2")),
        ("PositionDate", T(b"2")),
        ("Position", Int(10)),
        ("TodayPosition", Int(0)),
        ("YdPosition", Int(12)),
        ("LongFrozen", Int(99)),
        ("ShortFrozen", Int(6)),
        ("UseMargin", Float(123_456.78)),
        ("OpenCost", Float(5_000_000.1)),
        ("PositionCost", Float(5_100_000.2)),
        ("PreSettlementPrice", Float(0.0)),
    ]);
    let position_facts = PositionFacts {
        symbol: symbol("sc2505"),
        exchange: Some(Exchange::Ine),
        side: Some(Side::Buy),
        is_history: true,
        lots: Lots::new(10),
        today: Lots::new(0),
        at_open: Lots::new(12),
        frozen: Lots::new(6),
        margin: money("123456.78"),
        open_cost: money("5000000.1"),
        position_cost: money("5100000.2"),
        pre_settlement: Price::ABSENT,
    };
    let funds = of::<structs::TradingAccount>(&[
        ("TradingDay", T(b"20181009")),
        ("PreBalance", Float(1_000_000.01)),
        ("Deposit", Float(2.0)),
        ("Withdraw", Float(3.0)),
        ("CloseProfit", Float(-4.5)),
        ("PositionProfit", Float(5.0)),
        ("Commission", Float(6.25)),
        ("CashIn", Float(-7.0)),
        ("CurrMargin", Float(8.0)),
        ("FrozenMargin", Float(9.0)),
        ("FrozenCash", Float(10.0)),
        ("FrozenCommission", Float(11.0)),
        ("Balance", Float(1e12)),
        ("Available", Float(f64::MAX)),
    ]);
    let funds_facts = FundsFacts {
        trading_day: day(20_181_009),
        pre_balance: money("1000000.01"),
        deposit: money("2"),
        withdraw: money("3"),
        close_profit: money("-4.5"),
        position_profit: money("5"),
        commission: money("6.25"),
        cash_in: money("-7"),
        margin: money("8"),
        frozen_margin: money("9"),
        frozen_cash: money("10"),
        frozen_commission: money("11"),
        balance: money("1000000000000"),
        available: Money::ABSENT,
    };
    let instrument = of::<structs::Instrument>(&[
        ("InstrumentID", T(b"m1905-C-2700")),
        ("ExchangeID", T(b"DCE")),
        ("ProductID", T(b"m_o")),
        ("ProductClass", T(b"2")),
        ("VolumeMultiple", Int(10)),
        ("PriceTick", Float(0.5)),
        ("MinLimitOrderVolume", Int(1)),
        ("MaxLimitOrderVolume", Int(100)),
        ("MinMarketOrderVolume", Int(0)),
        ("MaxMarketOrderVolume", Int(0)),
        ("ExpireDate", T(b"20190408")),
        ("OpenDate", T(b"20180516")),
        ("IsTrading", Int(1)),
        ("OptionsType", T(b"1")),
        ("StrikePrice", Float(2_700.0)),
        ("UnderlyingInstrID", T(b"m1905")),
        ("LongMarginRatio", Float(f64::MAX)),
        ("ShortMarginRatio", Float(0.07)),
    ]);
    let instrument_facts = InstrumentFacts {
        symbol: symbol("m1905-C-2700"),
        exchange: Some(Exchange::Dce),
        product: Text::new(b"m_o").unwrap(),
        class: Some(ProductClass::Option),
        multiplier: 10,
        tick: price("0.5"),
        min_limit_lots: Lots::new(1),
        max_limit_lots: Lots::new(100),
        min_market_lots: Lots::ZERO,
        max_market_lots: Lots::ZERO,
        expiry: day(20_190_408),
        listed: day(20_180_516),
        is_trading: true,
        option: Some(OptionType::Call),
        strike: price("2700"),
        underlying: symbol("m1905"),
        long_margin_ratio: i64::MIN,
        short_margin_ratio: 7_000_000,
    };
    let margin = of::<structs::InstrumentMarginRate>(&[
        ("InstrumentID", T(b"IF2503")),
        ("LongMarginRatioByMoney", Float(0.12)),
        ("LongMarginRatioByVolume", Float(0.0)),
        ("ShortMarginRatioByMoney", Float(0.13)),
        ("ShortMarginRatioByVolume", Float(1.5)),
        ("IsRelative", Int(1)),
    ]);
    let margin_facts = MarginFacts {
        symbol: symbol("IF2503"),
        long_ratio: 12_000_000,
        long_per_lot: Money::ZERO,
        short_ratio: 13_000_000,
        short_per_lot: money("1.5"),
        is_relative: true,
    };
    let commission = of::<structs::InstrumentCommissionRate>(&[
        ("InstrumentID", T(b"IF")),
        ("OpenRatioByMoney", Float(0.000023)),
        ("OpenRatioByVolume", Float(0.01)),
        ("CloseRatioByMoney", Float(0.000024)),
        ("CloseRatioByVolume", Float(0.02)),
        ("CloseTodayRatioByMoney", Float(0.00023)),
        ("CloseTodayRatioByVolume", Float(0.03)),
    ]);
    let commission_facts = CommissionFacts {
        symbol: symbol("IF"),
        open_ratio: 2_300,
        open_per_lot: money("0.01"),
        close_ratio: 2_400,
        close_per_lot: money("0.02"),
        close_today_ratio: 23_000,
        close_today_per_lot: money("0.03"),
    };
    let cost = of::<structs::OptionInstrTradeCost>(&[
        ("InstrumentID", T(b"m1905-C-2700")),
        ("FixedMargin", Float(1_890.5)),
        ("MiniMargin", Float(1_350.25)),
        ("Royalty", Float(77.0)),
    ]);
    let cost_facts = OptionCostFacts {
        symbol: symbol("m1905-C-2700"),
        fixed_per_lot: money("1890.5"),
        least_per_lot: money("1350.25"),
    };
    let option_commission = of::<structs::OptionInstrCommRate>(&[
        ("InstrumentID", T(b"IF")),
        ("OpenRatioByMoney", Float(0.000023)),
        ("OpenRatioByVolume", Float(0.01)),
        ("CloseRatioByMoney", Float(0.000024)),
        ("CloseRatioByVolume", Float(0.02)),
        ("CloseTodayRatioByMoney", Float(0.00023)),
        ("CloseTodayRatioByVolume", Float(0.03)),
    ]);
    let status = of::<structs::InstrumentStatus>(&[
        ("ExchangeID", T(b"GFEX")),
        ("InstrumentID", T(b"si")),
        ("InstrumentStatus", T(b"3")),
        ("EnterTime", T(b"21:00:05")),
    ]);
    let status_facts = StatusFacts {
        exchange: Some(Exchange::Gfex),
        symbol: symbol("si"),
        phase: Some(PhaseKind::AuctionOrders),
        enter_time: Some(CLOCK),
    };
    vec![
        (OnRspAuthenticate, of::<structs::RspAuthenticate>(&[]), What::Authenticated),
        (OnRspUserLogin, login, What::LoggedIn(Some(login_facts))),
        (OnRspSettlementInfoConfirm, of::<structs::SettlementInfoConfirm>(&[]), What::Confirmed),
        (OnRspOrderInsert, input.clone(), What::InsertRefused(Some(input_facts))),
        (OnErrRtnOrderInsert, input, What::InsertError(Some(input_facts))),
        (OnRspOrderAction, of::<structs::InputOrderAction>(&cancel), What::CancelRefused(Some(cancel_facts))),
        (OnErrRtnOrderAction, of::<structs::OrderAction>(&cancel), What::CancelError(Some(cancel_facts))),
        (OnRtnOrder, order_bytes(), What::Order(order_facts())),
        (OnRspQryOrder, order_bytes(), What::OrderLine(Some(order_facts()))),
        (OnRtnTrade, trade.clone(), What::Trade(trade_facts)),
        (OnRspQryTrade, trade, What::TradeLine(Some(trade_facts))),
        (OnRtnInstrumentStatus, status, What::Status(status_facts)),
        (OnRspQryInvestorPosition, position, What::PositionLine(Some(position_facts))),
        (OnRspQryTradingAccount, funds, What::Funds(Some(funds_facts))),
        (OnRspQryInstrument, instrument, What::Instrument(Some(instrument_facts))),
        (OnRspQryInstrumentMarginRate, margin, What::MarginRate(Some(margin_facts))),
        (OnRspQryInstrumentCommissionRate, commission, What::CommissionRate(Some(commission_facts))),
        (OnRspQryOptionInstrTradeCost, cost, What::OptionCost(Some(cost_facts))),
        (OnRspQryOptionInstrCommRate, option_commission, What::OptionCommission(Some(commission_facts))),
    ]
}

const PUSHES: [TraderEvent; 3] = [TraderEvent::OnRtnOrder, TraderEvent::OnRtnTrade, TraderEvent::OnRtnInstrumentStatus];
const ERRORS: [TraderEvent; 2] = [TraderEvent::OnErrRtnOrderInsert, TraderEvent::OnErrRtnOrderAction];

#[test]
fn every_struct_arrives_in_every_version() {
    let words = info(22, &GBK);
    for version in Version::ALL {
        let (mut caller, mut callbacks) = caller(version);
        for (event, bytes, what) in cases() {
            let reply = Reply { info: Given::Struct(&words), request_id: 77, is_last: 0 };
            caller.call(event, Given::Struct(&bytes), reply);
            let told = only(&mut callbacks).unwrap();
            assert_eq!(told.what, what, "{version} {event:?}");
            assert_eq!(told.received, NOW);
            if PUSHES.contains(&event) {
                assert_eq!((told.error, told.request_id, told.is_last), (0, 0, true), "{version} {event:?}");
            } else if ERRORS.contains(&event) {
                assert_eq!((told.error, told.request_id, told.is_last), (22, 0, true), "{version} {event:?}");
            } else {
                assert_eq!((told.error, told.request_id, told.is_last), (22, 77, false), "{version} {event:?}");
            }
            let has_words = !PUSHES.contains(&event) || event == TraderEvent::OnRtnOrder;
            assert_eq!(told.message.as_bytes(), if has_words { &GBK[..] } else { &[] }, "{version} {event:?}");
        }
        let counts = caller.counts().all();
        assert!(counts.iter().all(|(_, count)| *count == 0), "DBL_MAX is missing, nothing is out of range: {counts:?}");
    }
}

#[test]
fn an_answer_without_a_struct_is_nothing_found() {
    for (event, bytes, _) in cases() {
        let (mut caller, mut callbacks) = caller(Version::V6_7_13);
        for given in [Given::Null, Given::Misaligned(&bytes)] {
            caller.call(event, given, Reply { request_id: 5, ..NOTHING });
            let told = only(&mut callbacks);
            if PUSHES.contains(&event) {
                assert_eq!(told, None, "{event:?}");
                continue;
            }
            let text = format!("{:?}", told.unwrap().what);
            assert!(text.ends_with("(None)") || ["Authenticated", "Confirmed"].contains(&text.as_str()), "{text}");
        }
        assert_eq!(caller.counts().all()[0], ("null", if PUSHES.contains(&event) { 2 } else { 0 }), "{event:?}");
    }
}

#[test]
fn a_connection_s_life_arrives() {
    for version in Version::ALL {
        let (mut caller, mut callbacks) = caller(version);
        caller.call(TraderEvent::OnFrontConnected, Given::Null, NOTHING);
        assert_eq!(only(&mut callbacks).unwrap().what, What::Connected);
        let reply = Reply { request_id: 0x2001, ..NOTHING };
        caller.call(TraderEvent::OnFrontDisconnected, Given::Null, reply);
        assert_eq!(only(&mut callbacks).unwrap().what, What::Disconnected { reason: 0x2001 });
        let words = info(90, b"not ready");
        caller.call(
            TraderEvent::OnRspError,
            Given::Null,
            Reply { info: Given::Struct(&words), request_id: 4, is_last: 1 },
        );
        let told = only(&mut callbacks).unwrap();
        assert_eq!((told.what, told.error, told.request_id), (What::Failed, 90, 4));
        for slot in 0..TraderEvent::count(version) {
            caller.call_unused(slot, Given::Null, NOTHING);
        }
        assert_eq!(only(&mut callbacks), None, "the other slots do nothing");
    }
}

#[test]
fn a_name_that_is_too_long_is_refused_and_counted() {
    let (mut caller, mut callbacks) = caller(Version::V6_7_7);
    let mut bytes = order_bytes();
    let field = structs::Order::FIELDS.iter().find(|field| field.name == "InstrumentID").unwrap();
    bytes.0[field.offset..field.offset + field.len].fill(b'x');
    caller.call(TraderEvent::OnRtnOrder, Given::Struct(&bytes), NOTHING);
    assert_eq!(only(&mut callbacks), None);
    caller.call(TraderEvent::OnRspQryOrder, Given::Struct(&bytes), NOTHING);
    assert_eq!(only(&mut callbacks).unwrap().what, What::OrderLine(None), "an answer still has its end");
    assert_eq!(caller.counts().all()[1], ("refused", 2));
}

#[test]
fn numbers_out_of_range_are_absent_and_counted() {
    let (mut caller, mut callbacks) = caller(Version::V6_7_13);
    for (name, value) in [("LimitPrice", Float(f64::NAN)), ("LimitPrice", Float(1e30)), ("VolumeTraded", Int(-1))] {
        let mut bytes = order_bytes();
        let changed = of::<structs::Order>(&[(name, value)]);
        let field = structs::Order::FIELDS.iter().find(|field| field.name == name).unwrap();
        let range = field.offset..field.offset + field.len;
        bytes.0[range.clone()].copy_from_slice(&changed.0[range]);
        caller.call(TraderEvent::OnRtnOrder, Given::Struct(&bytes), NOTHING);
        let Some(Callback { what: What::Order(order), .. }) = only(&mut callbacks) else { panic!("{name}") };
        assert!(if name == "LimitPrice" { order.price.is_absent() } else { order.traded.is_absent() });
    }
    assert_eq!(caller.counts().all()[2], ("out-of-range", 3));
}

/// The whole day again after a login, while nobody takes it: every call returns, and all of it is there in order.
#[test]
fn a_replay_of_100_000_orders_does_not_block_the_callback_thread() {
    const ORDERS: i32 = 100_000;
    let (producer, mut callbacks) = ring(CALLBACKS, 0);
    let clock = Clock::Simulated(Arc::new(SimTime::new(NOW)));
    let mut caller = TraderCaller::new(Version::V6_7_13, clock, producer);
    let library = std::thread::spawn(move || {
        let mut bytes = order_bytes();
        let field = structs::Order::FIELDS.iter().find(|field| field.name == "RequestID").unwrap();
        for request in 0..ORDERS {
            bytes.0[field.offset..field.offset + 4].copy_from_slice(&request.to_le_bytes());
            caller.call(TraderEvent::OnRtnOrder, Given::Struct(&bytes), NOTHING);
        }
        caller.counts().lost()
    });
    // The thread is joined before anything is taken: had it to wait for us, this would never end.
    assert_eq!(library.join().unwrap(), 0);
    let mut next = 0;
    while callbacks.take_batch(64, |callback| {
        assert_eq!(callback.what, What::Order(OrderFacts { request_id: next, ..order_facts() }));
        next += 1;
    }) != 0
    {}
    assert_eq!(next, ORDERS);
}

#[test]
fn snapshots_arrive_as_ticks_of_the_prepared_contracts() {
    let mut snapshot: DepthSnapshot = bytemuck::Zeroable::zeroed();
    snapshot.trading_day = *b"20181009\0";
    snapshot.action_day = *b"20181008\0";
    snapshot.time = *b"21:00:05\0";
    snapshot.millis = 500;
    snapshot.last = 12_100.0;
    snapshot.settlement = f64::MAX;
    snapshot.instrument[..6].copy_from_slice(b"ru1901");
    for version in Version::ALL {
        let (callbacks, mut told) = ring(8, 0);
        let (producer, mut ticks) = market_ring::<42>(8, 0, 4);
        let clock = Clock::Simulated(Arc::new(SimTime::new(NOW)));
        let mut caller = MarketCaller::new(version, clock, callbacks, producer);
        caller.snapshot(&snapshot);
        assert_eq!(ticks.take_batch(8, |_| ()), 0);
        assert_eq!(caller.counts().all()[3], ("unknown-contract", 1));

        let contract = Contract {
            instrument: InstrumentId::new(3),
            exchange: Exchange::Shfe,
            multiplier: 10,
            zero_is_price: false,
            bare_turnover: false,
        };
        caller.prepare(Contracts::new(day(20_181_009), [(symbol("ru1901"), contract)]));
        caller.snapshot(&snapshot);
        let mut seen: Option<DepthTick> = None;
        ticks.take_batch(8, |slot| {
            let Event::DepthTick(tick) = slot.event() else { panic!("{slot:?}") };
            assert_eq!(slot.header().recv_ns, NOW);
            seen = Some(*tick);
        });
        let tick = seen.unwrap();
        assert_eq!((tick.instrument, tick.trading_day), (InstrumentId::new(3), day(20_181_009)));
        assert_eq!(tick.exch_ns, Nanos::china(day(20_181_008), 21 * 3600 + 5, 500_000_000));
        assert_eq!((tick.last, tick.settlement), (price("12100"), Price::ABSENT));

        let subscribed = of::<structs::SpecificInstrument>(&[("InstrumentID", T(b"ru1901"))]);
        caller.call(MarketEvent::OnRspSubMarketData, Given::Struct(&subscribed), Reply { request_id: 0, ..NOTHING });
        assert_eq!(only(&mut told).unwrap().what, What::Subscribed(symbol("ru1901")));
    }
}

/// DCE's snapshots carry the trading day for the date at night. Live, the time of receipt says which night it is; in the
/// events' own time the clock may not even stand when the first one comes.
#[test]
fn the_night_s_midnight_dates_dce_s_snapshots_where_the_clock_does_not_stand() {
    // Monday's trading day begins on Friday evening and goes on after midnight, on Saturday.
    let (friday, monday) = (day(20_181_012), day(20_181_015));
    let midnight = Nanos::china(friday.plus_days(1), 0, 0);
    let contract = Contract {
        instrument: InstrumentId::new(0),
        exchange: Exchange::Dce,
        multiplier: 10,
        zero_is_price: false,
        bare_turnover: false,
    };
    let mut snapshot: DepthSnapshot = bytemuck::Zeroable::zeroed();
    (snapshot.trading_day, snapshot.action_day) = (*b"20181015\0", *b"20181015\0");
    snapshot.instrument[..5].copy_from_slice(b"m1901");
    let clock = Clock::Simulated(Arc::new(SimTime::new(Nanos::ABSENT)));
    let (producer, mut ticks) = market_ring::<42>(8, 0, 1);
    let mut caller = MarketCaller::new(Version::V6_7_13, clock, ring(8, 0).0, producer);
    caller.prepare(Contracts::new(monday, [(symbol("m1901"), contract)]).with_midnight(midnight));
    for (time, date, second) in [
        (b"21:00:00\0", friday, 21 * 3_600),
        (b"23:59:59\0", friday, 86_399),
        (b"00:00:01\0", friday.plus_days(1), 1),
        (b"09:00:00\0", monday, 9 * 3_600),
    ] {
        snapshot.time = *time;
        caller.snapshot(&snapshot);
        let mut at = Nanos::ABSENT;
        ticks.take_batch(1, |slot| {
            if let Event::DepthTick(tick) = slot.event() {
                at = tick.exch_ns;
            }
        });
        assert_eq!(at, Nanos::china(date, second, 0));
    }
}
