//! The form in bytes of everything that goes over the wire: one line for each struct and enum says its fields in order.
//! A change here is a change of [`PROTOCOL`](super::PROTOCOL).

use super::{Ask, Channel, FRAME_MAX, FromClient, FromFront, Hello, QueryKind, Resume, Snapshot, Who, Wire};
use crate::ctp::callback::{
    Callback, CancelFacts, CommissionFacts, FundsFacts, InstrumentFacts, LoginFacts, MarginFacts, OptionCostFacts,
    OrderFacts, PositionFacts, StatusFacts, TradeFacts, What,
};
use shrike_core::codes::{
    Exchange, Offset, OptionType, OrderStatus, OrderType, PhaseKind, ProductClass, Side, SubmitStatus, TimeInForce,
};
use shrike_core::event::DepthTick;
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn get(input: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        }
    )+};
}
integers!(u8, u32, i32, u64, i64, i128);

/// Types that are another one with a name.
macro_rules! named {
    ($($type:ty: $inner:ty, $put:expr, $get:expr;)+) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let put: fn(&Self) -> $inner = $put;
                put(self).put(out);
            }
            fn get(input: &mut &[u8]) -> Option<Self> {
                let get: fn($inner) -> Option<Self> = $get;
                get(<$inner>::get(input)?)
            }
        }
    )+};
}
named! {
    bool: u8, |b| u8::from(*b), |raw| (raw < 2).then_some(raw == 1);
    Price: i64, |v| v.raw(), |raw| Some(Price::from_raw(raw));
    Money: i128, |v| v.raw(), |raw| Some(Money::from_raw(raw));
    Lots: i64, |v| v.get(), |raw| Some(Lots::new(raw));
    Nanos: u64, |v| v.get(), |raw| Some(Nanos::new(raw));
    TradingDay: u32, |v| v.get(), |raw| if raw == 0 { Some(TradingDay::ABSENT) } else { TradingDay::new(raw) };
}

macro_rules! codes {
    ($($type:ident),+) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(self.code());
            }
            fn get(input: &mut &[u8]) -> Option<Self> {
                $type::of(u8::get(input)?)
            }
        }
    )+};
}
codes!(Exchange, Offset, OptionType, OrderStatus, OrderType, PhaseKind, ProductClass, Side, SubmitStatus, TimeInForce);

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let len = bytes.len().min(FRAME_MAX);
    u32::try_from(len).unwrap_or(0).put(out);
    out.extend_from_slice(bytes.get(..len).unwrap_or(&[]));
}

fn get_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::get(input)? as usize;
    let (bytes, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(bytes)
}

impl<const N: usize> Wire for Text<N> {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }
    fn get(input: &mut &[u8]) -> Option<Self> {
        Text::new(get_bytes(input)?)
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }
    /// Bytes that are no UTF-8 (a GBK password) are taken as what they look like: they equal no configured text.
    fn get(input: &mut &[u8]) -> Option<Self> {
        get_bytes(input).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn get(input: &mut &[u8]) -> Option<Self> {
        if bool::get(input)? { T::get(input).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        u32::try_from(self.len()).unwrap_or(0).put(out);
        self.iter().for_each(|value| value.put(out));
    }
    fn get(input: &mut &[u8]) -> Option<Self> {
        let len = u32::get(input)? as usize;
        // Each value takes a byte at least: a length from outside cannot ask for more room than was sent.
        (len <= input.len()).then(|| (0..len).map(|_| T::get(input)).collect())?
    }
}

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.put(out));
    }
    fn get(input: &mut &[u8]) -> Option<Self> {
        let mut values = [T::default(); N];
        for value in &mut values {
            *value = T::get(input)?;
        }
        Some(values)
    }
}

impl Wire for DepthTick {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(self));
    }
    fn get(input: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = input.split_at_checked(Self::SIZE)?;
        *input = rest;
        Some(bytemuck::pod_read_unaligned(bytes))
    }
}

macro_rules! structs {
    ($($type:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($field.put(out);)+
            }
            fn get(input: &mut &[u8]) -> Option<Self> {
                $(let $field = Wire::get(input)?;)+
                Some(Self { $($field),+ })
            }
        }
    )+};
}
structs! {
    Hello { protocol, channel, version, resume }
    Who { broker_id, user_id, secret, app_id }
    Ask { kind, symbol, exchange }
    Snapshot { symbol, exchange, multiplier, tick }
    Callback { received, request_id, is_last, error, message, what }
    LoginFacts { trading_day, front_id, session_id, max_order_ref, clocks }
    OrderFacts {
        symbol, exchange, order_ref, front_id, session_id, request_id, order_sys_id, order_local_id, trader_id, side,
        offset, order_type, tif, price, lots, traded, status, submit, trading_day, insert_time, cancel_time,
    }
    CancelFacts { symbol, exchange, order_ref, front_id, session_id, order_sys_id, request_id }
    TradeFacts { symbol, exchange, trade_id, order_sys_id, order_ref, side, offset, price, lots, trading_day, time }
    PositionFacts {
        symbol, exchange, side, is_history, lots, today, at_open, frozen, margin, open_cost, position_cost,
        pre_settlement,
    }
    FundsFacts {
        trading_day, pre_balance, deposit, withdraw, close_profit, position_profit, commission, cash_in, margin,
        frozen_margin, frozen_cash, frozen_commission, balance, available,
    }
    InstrumentFacts {
        symbol, exchange, product, class, multiplier, tick, min_limit_lots, max_limit_lots, min_market_lots,
        max_market_lots, expiry, listed, is_trading, option, strike, underlying, long_margin_ratio, short_margin_ratio,
    }
    MarginFacts { symbol, long_ratio, long_per_lot, short_ratio, short_per_lot, is_relative }
    OptionCostFacts { symbol, fixed_per_lot, least_per_lot }
    CommissionFacts {
        symbol, open_ratio, open_per_lot, close_ratio, close_per_lot, close_today_ratio, close_today_per_lot,
    }
    StatusFacts { exchange, symbol, phase, enter_time }
}

/// Enums by a tag of one byte; the tag of a frame is its kind.
macro_rules! tagged {
    ($($type:ident { $($tag:literal $name:ident $(($($value:ident),+))? $({ $field:ident })?,)+ })+) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name $(($($value),+))? $({ $field })? => {
                        out.push($tag);
                        $($($value.put(out);)+)?
                        $($field.put(out);)?
                    })+
                }
            }
            fn get(input: &mut &[u8]) -> Option<Self> {
                match u8::get(input)? {
                    $($tag => {
                        $($(let $value = Wire::get(input)?;)+)?
                        $(let $field = Wire::get(input)?;)?
                        Some(Self::$name $(($($value),+))? $({ $field })?)
                    })+
                    _ => None,
                }
            }
        }
    )+};
}
tagged! {
    Channel { 1 Market, 2 Trading, }
    Resume { 1 Restart, 2 From(count), 3 Quick, 4 Never, }
    QueryKind { 1 Instruments, 2 Orders, 3 Trades, 4 Positions, 5 Funds, 6 Margin, 7 Commission, 8 OptionCost, 9 OptionCommission, }
    FromClient {
        1 Hello(hello),
        2 Authenticate(request, who),
        3 Login(request, who),
        4 Confirm(request),
        5 Query(request, ask),
        6 Insert(request, order),
        7 Cancel(request, cancel),
        8 Subscribe(symbols),
        9 Unsubscribe(symbols),
        10 Ack(count),
        11 Logout(request),
    }
    FromFront { 1 Limits(queries), 2 Callback(callback), 3 Tick(snapshot), }
    What {
        0 Nothing,
        1 Connected,
        2 Disconnected { reason },
        3 Authenticated,
        4 LoggedIn(facts),
        5 Confirmed,
        6 Failed,
        7 InsertRefused(facts),
        8 InsertError(facts),
        9 CancelRefused(facts),
        10 CancelError(facts),
        11 Order(facts),
        12 Trade(facts),
        13 Status(facts),
        14 OrderLine(facts),
        15 TradeLine(facts),
        16 PositionLine(facts),
        17 Funds(facts),
        18 Instrument(facts),
        19 MarginRate(facts),
        20 CommissionRate(facts),
        21 Subscribed(symbol),
        22 OptionCost(facts),
        23 OptionCommission(facts),
        24 LoggedOut,
        25 Unsubscribed(symbol),
    }
}
