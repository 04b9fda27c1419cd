//! What the tests of the order stage share: two contracts (one whose exchange closes today's lots apart, one whose does
//! not), settings in round numbers, and short words for what the venue says.

use super::reconcile::{OnDifference, ReconcileSettings};
use super::settings::{ContractLimits, OrderSettings, ProductLimits};
use shrike_core::calendar::{OrderRules, Rule};
use shrike_core::codes::{
    Exchange, Offset, OrderStatus, OrderType, PhaseKind, ProductClass, ReportSource, RequestKind, Side, SubmitStatus,
    TimeInForce,
};
use shrike_core::event::{
    Fill, FundsReport, InstrumentDef, Login, OrderReport, OrderRequest, Phase, PositionReport, Quote, Rates, ResyncEnd,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, Text, TradingDay};

pub(super) const SHFE: InstrumentId = InstrumentId::new(0);
pub(super) const CZCE: InstrumentId = InstrumentId::new(1);
pub(super) const MS: u64 = Nanos::PER_MILLI;
pub(super) const SECOND: u64 = Nanos::PER_SECOND;
/// Upper limit, lower limit, and the market's bid, last and ask, in whole price units of one tick.
pub(super) const UPPER: i64 = 110;
pub(super) const LOWER: i64 = 90;
pub(super) const BID: i64 = 99;
pub(super) const LAST: i64 = 100;
pub(super) const ASK: i64 = 101;

pub(super) fn day(n: u32) -> TradingDay {
    TradingDay::new(20_240_100 + n).unwrap()
}

pub(super) fn exchange_of(instrument: InstrumentId) -> Exchange {
    if instrument == SHFE { Exchange::Shfe } else { Exchange::Czce }
}

pub(super) const LIMITS: ContractLimits = ContractLimits {
    order_lots_max: Lots::new(5),
    net_lots_max: Lots::new(10),
    gross_lots_max: Lots::new(30),
    orders_per_day: 400,
    cancels_per_day: 100,
    cancel_reserve: 10,
};

pub(super) fn rules() -> OrderRules {
    let exchanges = vec![Exchange::Shfe, Exchange::Czce];
    let orders = vec![(OrderType::Limit, TimeInForce::Day)];
    let open = vec![PhaseKind::Continuous, PhaseKind::AuctionOrders];
    OrderRules::new(&[
        Rule { exchanges: exchanges.clone(), phases: open, orders, cancels: true },
        Rule { exchanges, phases: vec![PhaseKind::CancelOnly], orders: Vec::new(), cancels: true },
    ])
}

pub(super) fn settings() -> OrderSettings {
    OrderSettings {
        contracts: vec![ProductLimits { product: String::new(), limits: LIMITS }],
        phases: rules(),
        orders_per_window: 100,
        cancels_per_window: 100,
        duplicate_ns: 100 * MS,
        live_orders_max: 20,
        rate_window_ns: SECOND,
        price_collar_ticks: 3,
        quote_age_ns: 5 * SECOND,
        margin_ratio_max: 80_000_000,
        reject_wait_ns: SECOND,
        retries_max: 3,
        ack_timeout_ns: 2 * SECOND,
        query_timeout_ns: 5 * SECOND,
        lost_grace_ns: 10 * SECOND,
        reprice_ns: 2 * SECOND,
        cancel_on_stop: true,
        cancel_on_start: true,
        cancel_on_reconnect: true,
        reconcile: ReconcileSettings::default(),
        live_per_side_max: 4,
    }
}

/// The books are compared half a minute after each answer; a difference of positions does this.
pub(super) fn comparing(positions: OnDifference) -> ReconcileSettings {
    let interval_ns = 30 * SECOND;
    ReconcileSettings { interval_ns, positions, funds_tolerance: Money::whole(1).raw() as i64, ..Default::default() }
}

pub(super) fn def(instrument: InstrumentId) -> InstrumentDef {
    let name: &[u8] = if instrument == SHFE { b"ru2405" } else { b"AP405" };
    InstrumentDef {
        instrument,
        symbol: Text::new(name).unwrap(),
        product: Text::new(&name[..2]).unwrap(),
        tick: Price::whole(1),
        multiplier: 10,
        strike: Price::ABSENT,
        min_lots: Lots::new(1),
        max_limit_lots: Lots::new(500),
        max_market_lots: Lots::ZERO,
        upper_limit: Price::whole(UPPER),
        lower_limit: Price::whole(LOWER),
        pre_settlement: Price::whole(LAST),
        exchange: exchange_of(instrument).code(),
        class: ProductClass::Future.code(),
        tradable: 1,
        ..InstrumentDef::default()
    }
}

/// A tenth of the value as margin, 2 a lot as fee.
pub(super) fn rates(instrument: InstrumentId) -> Rates {
    let fee = Money::whole(2);
    Rates {
        instrument,
        long_margin_ratio: 10_000_000,
        short_margin_ratio: 10_000_000,
        open_per_lot: fee,
        close_per_lot: fee,
        close_today_per_lot: fee,
        ..Rates::default()
    }
}

pub(super) fn login(trading_day: TradingDay, session_id: i32) -> Login {
    Login { trading_day, front_id: 1, session_id, ..Login::default() }
}

pub(super) fn phase(instrument: InstrumentId, kind: PhaseKind) -> Phase {
    Phase { instrument, trading_day: day(2), phase: kind.code(), source: 1, ..Phase::default() }
}

pub(super) fn quote(instrument: InstrumentId, bid: i64, ask: i64) -> Quote {
    Quote {
        instrument,
        trading_day: day(2),
        bid: Price::whole(bid),
        bid_qty: Qty::whole(10),
        ask: Price::whole(ask),
        ask_qty: Qty::whole(10),
        last: Price::whole(LAST),
        upper_limit: Price::whole(UPPER),
        lower_limit: Price::whole(LOWER),
        ..Quote::default()
    }
}

pub(super) fn holds(instrument: InstrumentId, side: Side, today: i64, yesterday: i64) -> PositionReport {
    PositionReport {
        instrument,
        trading_day: day(2),
        today: Lots::new(today),
        yesterday: Lots::new(yesterday),
        mark: Price::whole(LAST),
        side: side.code(),
        ..PositionReport::default()
    }
}

pub(super) fn funds(balance: i128) -> FundsReport {
    FundsReport { trading_day: day(2), pre_balance: Money::whole(balance), ..FundsReport::default() }
}

pub(super) fn resync_end(trading_day: TradingDay, session_id: i32) -> ResyncEnd {
    ResyncEnd { trading_day, session_id, ..ResyncEnd::default() }
}

/// An insert as the stage words it.
pub(super) fn insert(
    order_ref: u64,
    instrument: InstrumentId,
    side: Side,
    offset: Offset,
    price: i64,
    lots: i64,
) -> OrderRequest {
    OrderRequest {
        instrument,
        trading_day: day(2),
        order_ref,
        price: Price::whole(price),
        lots: Lots::new(lots),
        strategy: 1,
        kind: RequestKind::Insert.code(),
        side: side.code(),
        offset: offset.code(),
        order_type: OrderType::Limit.code(),
        tif: TimeInForce::Day.code(),
        exchange: exchange_of(instrument).code(),
        front_id: 1,
        session_id: 7,
        ..OrderRequest::default()
    }
}

fn sys_id(request: &OrderRequest) -> Text<24> {
    Text::new(format!("{:>12}", 9_000 + request.order_ref).as_bytes()).unwrap()
}

/// The order flow's word on a request; without the exchange's number while the status is unknown.
pub(super) fn report(request: &OrderRequest, status: OrderStatus, traded: i64) -> OrderReport {
    let numbered = status != OrderStatus::Unknown;
    OrderReport {
        instrument: request.instrument,
        trading_day: request.trading_day,
        order_ref: request.order_ref,
        front_id: request.front_id,
        session_id: request.session_id,
        order_sys_id: if numbered { sys_id(request) } else { Text::EMPTY },
        price: request.price,
        lots: request.lots,
        traded: Lots::new(traded),
        status: status.code(),
        submit: if numbered { SubmitStatus::Accepted } else { SubmitStatus::InsertSubmitted }.code(),
        source: ReportSource::Flow.code(),
        side: request.side,
        offset: request.offset,
        order_type: OrderType::Limit.code(),
        tif: TimeInForce::Day.code(),
        exchange: request.exchange,
        ..OrderReport::default()
    }
}

/// The counter's refusal of an insert or a cancel.
pub(super) fn refused(request: &OrderRequest, source: ReportSource, error_code: i32) -> OrderReport {
    OrderReport { source: source.code(), error_code, ..report(request, OrderStatus::Unknown, 0) }
}

/// A fill of a request at its own price.
pub(super) fn fill(request: &OrderRequest, trade: u64, lots: i64) -> Fill {
    Fill {
        instrument: request.instrument,
        trading_day: request.trading_day,
        order_ref: request.order_ref,
        trade_id: Text::new(format!("T{trade}").as_bytes()).unwrap(),
        order_sys_id: sys_id(request),
        price: request.price,
        lots: Lots::new(lots),
        side: request.side,
        offset: request.offset,
        exchange: request.exchange,
        ..Fill::default()
    }
}
