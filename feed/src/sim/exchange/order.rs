//! One order as the exchange holds it, and the reports made of it.

use shrike_core::codes::{Offset, OrderStatus, OrderType, ReportSource, Side, SubmitStatus, TimeInForce};
use shrike_core::event::{Fill, OrderReport, OrderRequest};
use shrike_core::units::{Lots, Nanos, Price, Text, TradingDay};
use std::io::Write;

/// An order that the counter took.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// As sent; the price as cut to the tick.
    pub(super) request: OrderRequest,
    pub(super) side: Side,
    /// As sent; fills carry it as the exchange knows it.
    pub(super) offset: Offset,
    pub(super) order_type: OrderType,
    pub(super) tif: TimeInForce,
    pub(super) front_id: i32,
    pub(super) session_id: i32,
    pub(super) sys_id: Text<24>,
    pub(super) local_id: Text<16>,
    pub(super) status: OrderStatus,
    pub(super) submit: SubmitStatus,
    pub(super) traded: i64,
    /// What funds are bound at: the limit price, or for a market order the day's upper limit.
    pub(super) hold_price: Price,
    pub(super) error_code: i32,
    pub(super) exch_ns: Nanos,
}

impl Order {
    /// Lots that may still trade.
    pub(super) fn remaining(&self) -> i64 {
        if self.is_ended() { 0 } else { self.request.lots.get() - self.traded }
    }

    /// Whether nothing more can trade.
    pub(super) const fn is_ended(&self) -> bool {
        matches!(self.status, OrderStatus::AllTraded | OrderStatus::Cancelled)
    }

    /// Whether what does not trade at once is cancelled.
    pub(super) const fn is_immediate(&self) -> bool {
        !matches!((self.order_type, self.tif), (OrderType::Limit, TimeInForce::Day))
    }

    /// The limit that matching keeps; `None` for a market order.
    pub(super) fn limit(&self) -> Option<i64> {
        (self.order_type == OrderType::Limit).then_some(self.request.price.raw())
    }

    /// The order as it stands, by one of CTP's callbacks.
    pub(super) fn report(&self, source: ReportSource) -> OrderReport {
        OrderReport {
            order_sys_id: self.sys_id,
            order_local_id: self.local_id,
            traded: Lots::new(self.traded),
            exch_ns: self.exch_ns,
            error_code: self.error_code,
            status: self.status.code(),
            submit: self.submit.code(),
            front_id: self.front_id,
            session_id: self.session_id,
            ..answer(&self.request, source)
        }
    }

    /// A trade of it.
    pub(super) fn fill(&self, trade_id: Text<24>, price: Price, lots: i64, now: Nanos) -> Fill {
        let splits = shrike_core::codes::Exchange::of(self.request.exchange).is_some_and(|e| e.splits_today());
        // Only SHFE and INE know which day's lots a close takes; elsewhere CTP's trades say a plain close.
        let offset = if splits || self.offset == Offset::Open { self.offset } else { Offset::Close };
        Fill {
            instrument: self.request.instrument,
            trading_day: self.request.trading_day,
            order_ref: self.request.order_ref,
            trade_id,
            order_sys_id: self.sys_id,
            price,
            lots: Lots::new(lots),
            exch_ns: now,
            side: self.side.code(),
            offset: offset.code(),
            exchange: self.request.exchange,
            ..Fill::default()
        }
    }
}

/// What an answer repeats of the request it is about.
pub(super) fn answer(request: &OrderRequest, source: ReportSource) -> OrderReport {
    OrderReport {
        instrument: request.instrument,
        trading_day: request.trading_day,
        order_ref: request.order_ref,
        front_id: request.front_id,
        session_id: request.session_id,
        order_sys_id: request.order_sys_id,
        price: request.price,
        lots: request.lots,
        source: source.code(),
        side: request.side,
        offset: request.offset,
        order_type: request.order_type,
        tif: request.tif,
        exchange: request.exchange,
        ..OrderReport::default()
    }
}

/// Numbers that the counter and one exchange give out, from one each trading day. Exchanges count apart, so the same
/// OrderSysID may stand for orders of two exchanges, as it does in the field.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Numbers {
    pub(super) order: u64,
    pub(super) trade: u64,
    pub(super) local: u64,
}

/// A number as CTP writes it: right-aligned in twelve places, with leading spaces.
pub(super) fn padded<const N: usize>(number: u64) -> Text<N> {
    let mut bytes = [0u8; 20];
    let room = bytes.len();
    let mut rest = bytes.as_mut_slice();
    let written = match write!(rest, "{number:>12}") {
        Ok(()) => room - rest.len(),
        Err(_) => 0,
    };
    Text::new(bytes.get(..written).unwrap_or(&[])).unwrap_or_default()
}

/// The number in such a text, for recovery.
pub(super) fn number_of<const N: usize>(text: &Text<N>) -> u64 {
    text.as_str().trim_start().parse().unwrap_or(0)
}

/// An order of a request whose codes are all known.
pub(super) fn open(request: &OrderRequest, day: TradingDay, front_id: i32, session_id: i32) -> Option<Order> {
    Some(Order {
        request: OrderRequest { trading_day: day, ..*request },
        side: request.side()?,
        offset: request.offset()?,
        order_type: request.order_type()?,
        tif: request.tif()?,
        front_id,
        session_id,
        sys_id: Text::EMPTY,
        local_id: Text::EMPTY,
        status: OrderStatus::Unknown,
        submit: SubmitStatus::InsertSubmitted,
        traded: 0,
        hold_price: request.price,
        error_code: 0,
        exch_ns: Nanos::ABSENT,
    })
}
