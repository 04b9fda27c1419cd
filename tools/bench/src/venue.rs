//! The market and the venue of the rows that run the engine's stages: contracts of one product, CTP snapshots of them, and
//! answers that keep every limit open.

use bytemuck::Zeroable;
use shrike_core::codes::{Exchange, OrderStatus, PhaseKind, ProductClass, ReportSource, SubmitStatus};
use shrike_core::event::{FundsReport, InstrumentDef, Login, OrderReport, OrderRequest, Phase, Rates, ResyncEnd};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};
use shrike_feed::ctp::decode::{Contract, DepthSnapshot, Level};

/// Contracts that take turns.
pub const CONTRACTS: u32 = 16;
const SESSION: i32 = 7;
const LOTS_MAX: i64 = 500;

/// The trading day of everything here.
pub fn day() -> TradingDay {
    TradingDay::new(20_181_009).unwrap_or(TradingDay::ABSENT)
}

/// A contract, `ru00` and so on.
pub fn contract(index: u32) -> InstrumentDef {
    InstrumentDef {
        instrument: InstrumentId::new(index),
        symbol: Text::new(format!("ru{index:02}").as_bytes()).unwrap_or_default(),
        product: Text::new(b"ru").unwrap_or_default(),
        tick: Price::whole(5),
        multiplier: 10,
        strike: Price::ABSENT,
        min_lots: Lots::new(1),
        max_limit_lots: Lots::new(LOTS_MAX),
        max_market_lots: Lots::ZERO,
        upper_limit: Price::ABSENT,
        lower_limit: Price::ABSENT,
        pre_settlement: Price::whole(12_240),
        expiry: TradingDay::ABSENT,
        exchange: Exchange::Shfe.code(),
        class: ProductClass::Future.code(),
        tradable: 1,
        ..InstrumentDef::default()
    }
}

/// What the decoder knows of it.
pub fn decoding(index: u32) -> Contract {
    Contract {
        instrument: InstrumentId::new(index),
        exchange: Exchange::Shfe,
        multiplier: 10,
        zero_is_price: false,
        bare_turnover: false,
    }
}

/// Margin and fees: ratios, as SHFE charges rubber.
pub fn rates(index: u32) -> Rates {
    Rates {
        instrument: InstrumentId::new(index),
        long_margin_ratio: 9_000_000,
        short_margin_ratio: 9_000_000,
        open_ratio: 4_500,
        close_ratio: 4_500,
        close_today_ratio: 4_500,
        ..Rates::default()
    }
}

/// Continuous trading, without end.
pub fn phase(index: u32) -> Phase {
    Phase {
        instrument: InstrumentId::new(index),
        trading_day: day(),
        start_ns: Nanos::new(1),
        end_ns: Nanos::ABSENT,
        phase: PhaseKind::Continuous.code(),
        source: shrike_core::codes::PhaseSource::Calendar.code(),
        ..Phase::default()
    }
}

/// The login.
pub fn login() -> Login {
    Login { trading_day: day(), front_id: 1, session_id: SESSION, ..Login::default() }
}

/// Money enough.
pub fn funds() -> FundsReport {
    let money = Money::whole(1_000_000_000);
    FundsReport { trading_day: day(), pre_balance: money, available: money, ..FundsReport::default() }
}

/// The end of an empty account's resync.
pub fn resync_end() -> ResyncEnd {
    ResyncEnd { trading_day: day(), session_id: SESSION, ..ResyncEnd::default() }
}

/// The exchange's number of an order, right-aligned as CTP gives it. Without formatting: profiles see the stage.
fn sys_id(order_ref: u64) -> Text<24> {
    let (mut digits, mut rest) = ([b' '; 12], order_ref);
    for place in digits.iter_mut().rev() {
        if rest > 0 {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    Text::new(&digits).unwrap_or_default()
}

/// The venue's word on an order.
pub fn report(request: &OrderRequest, status: OrderStatus) -> OrderReport {
    OrderReport {
        instrument: request.instrument,
        trading_day: request.trading_day,
        order_ref: request.order_ref,
        front_id: request.front_id,
        session_id: request.session_id,
        order_sys_id: sys_id(request.order_ref),
        price: request.price,
        lots: request.lots,
        status: status.code(),
        submit: SubmitStatus::Accepted.code(),
        source: ReportSource::Flow.code(),
        side: request.side,
        offset: request.offset,
        order_type: request.order_type,
        tif: request.tif,
        exchange: request.exchange,
        ..OrderReport::default()
    }
}

/// A snapshot whose best ask is the day's upper limit, where nothing may be quoted: a quoter shows its bid alone, one
/// order. Without a bid, it shows nothing. Each `step` has another last price; limits stand still, as on any day.
pub fn snapshot(step: u32, with_bid: bool) -> DepthSnapshot {
    let price = 12_000.0;
    let level = |depth: i32| {
        let off = f64::from(depth) * 5.0;
        let bid = if with_bid { price - off } else { f64::MAX };
        Level { bid, bid_lots: 3 + depth, pad_bid: 0, ask: price + 5.0 + off, ask_lots: 41 + depth, pad_ask: 0 }
    };
    DepthSnapshot {
        trading_day: *b"20181009\0",
        last: price - f64::from(step % 64) * 5.0,
        pre_settlement: 12_240.0,
        pre_close: 12_180.0,
        pre_open_interest: 301_002.0,
        open: 12_150.0,
        high: 12_155.0,
        low: 11_685.0,
        volume: 1_234 + i32::try_from(step).unwrap_or(0),
        turnover: 149_557_400.0,
        open_interest: 300_998.0,
        close: f64::MAX,
        settlement: f64::MAX,
        upper_limit: price + 5.0,
        lower_limit: 11_385.0,
        time: *b"21:00:00\0",
        millis: 500,
        levels: [level(0), level(1), level(2), level(3), level(4)],
        average: 121_197.25,
        action_day: *b"20181008\0",
        ..DepthSnapshot::zeroed()
    }
}
