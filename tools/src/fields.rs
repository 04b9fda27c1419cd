//! The fields of every event by name, with codes as words and instruments as symbols: for JSON, and to compare two
//! records field by field. To add an event kind: list its fields here (a test compares the list with the body).

use crate::console::exact;
use crate::names::Names;
use crate::paths::After;
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use shrike_core::codes::{
    AlarmKind, CommandKind, Exchange, Offset, OptionType, OrderState, OrderStatus, OrderType, PhaseKind, PhaseSource,
    ProductClass, RefusalReason, ReportSource, RequestKind, Side, StageId, SubmitStatus, TimeInForce, Urgency,
};
use shrike_core::event::{Event, Header, Kind, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, Text, TradingDay, Turnover};
use std::fmt;

/// The value of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// No value.
    Absent,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i128),
    /// An exact decimal.
    Decimal(String),
    /// A word or text.
    Word(String),
    /// Several.
    List(Vec<Shown>),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("-"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Decimal(text) | Self::Word(text) => f.write_str(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(" "))
            }
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Whole(number) => exact(number, serializer),
            Self::Decimal(text) => exact(text, serializer),
            Self::Word(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
        }
    }
}

/// A type of field.
trait Show {
    fn show(&self, names: &Names) -> Shown;
}

macro_rules! decimals {
    ($($type:ty),+) => {
        $(impl Show for $type {
            fn show(&self, _: &Names) -> Shown {
                if self.is_absent() { Shown::Absent } else { Shown::Decimal(self.to_string()) }
            }
        })+
    };
}
decimals!(Price, Qty, Turnover, Money);

macro_rules! numbers {
    ($($type:ty),+) => {
        $(impl Show for $type {
            fn show(&self, _: &Names) -> Shown {
                Shown::Whole(i128::from(*self))
            }
        })+
    };
}
numbers!(u8, u16, u32, u64, i32, i64);

macro_rules! wrapped {
    ($($type:ty),+) => {
        $(impl Show for $type {
            fn show(&self, _: &Names) -> Shown {
                if self.is_absent() { Shown::Absent } else { Shown::Whole(i128::from(self.get())) }
            }
        })+
    };
}
wrapped!(Lots, Nanos, TradingDay);

impl Show for Seq {
    fn show(&self, _: &Names) -> Shown {
        if self.is_absent() { Shown::Absent } else { Shown::Word(self.to_string()) }
    }
}

impl Show for InstrumentId {
    fn show(&self, names: &Names) -> Shown {
        if *self == Self::NONE { Shown::Absent } else { Shown::Word(names.symbol(*self).into_owned()) }
    }
}

impl<const N: usize> Show for Text<N> {
    fn show(&self, _: &Names) -> Shown {
        Shown::Word(String::from_utf8_lossy(self.as_bytes()).into_owned())
    }
}

impl<T: Show, const N: usize> Show for [T; N] {
    fn show(&self, names: &Names) -> Shown {
        Shown::List(self.iter().map(|item| item.show(names)).collect())
    }
}

/// A code as its word; zero is none, and a code of a later version stays a number.
fn word(code: u8, name: Option<&'static str>) -> Shown {
    match name {
        Some(name) => Shown::Word(name.to_owned()),
        None if code == 0 => Shown::Absent,
        None => Shown::Whole(i128::from(code)),
    }
}

macro_rules! show {
    ($value:expr, $names:expr) => {
        $value.show($names)
    };
    ($value:expr, $names:expr, flag) => {
        Shown::Flag($value != 0)
    };
    ($value:expr, $names:expr, ratio) => {
        Price::from_raw($value).show($names)
    };
    ($value:expr, $names:expr, optional) => {
        if $value == i64::MIN { Shown::Absent } else { $value.show($names) }
    };
    ($value:expr, $names:expr, id) => {
        $value.get().show($names)
    };
    ($value:expr, $names:expr, $code:ident) => {
        word($value, $code::of($value).map($code::name))
    };
}

macro_rules! bodies {
    ($($body:ident { $($field:ident $(as $how:ident)?),+ $(,)? })+) => {
        /// Gives every field of an event to `field`, in the order of the body.
        pub fn visit(event: Event<'_>, names: &Names, field: &mut dyn FnMut(&'static str, Shown)) {
            match event {
                $(Event::$body(body) => {
                    $(field(stringify!($field), show!(body.$field, names $(, $how)?));)+
                })+
                Event::Config(text) => field("text", Shown::Word(String::from_utf8_lossy(text).into_owned())),
                Event::Unknown { kind, body } => {
                    field("code", kind.show(names));
                    field("bytes", Shown::Whole(body.len() as i128));
                }
            }
        }

        #[cfg(test)]
        fn listed() -> Vec<(&'static str, String, Vec<&'static str>)> {
            vec![$((
                stringify!($body),
                format!("{:?}", shrike_core::event::$body::default()),
                vec![$(stringify!($field)),+],
            )),+]
        }
    };
}

bodies! {
    DepthTick {
        instrument, trading_day, exch_ns, last, volume, turnover, open_interest, open, high, low, close, settlement,
        pre_settlement, pre_close, pre_open_interest, upper_limit, lower_limit, average, action_day, bids, bid_qtys,
        asks, ask_qtys,
    }
    Quote { instrument, trading_day, exch_ns, bid, bid_qty, ask, ask_qty, last, volume, upper_limit, lower_limit }
    MarketTrade { instrument, trading_day, exch_ns, price, qty, trade_id, side as Side }
    Bar {
        instrument, trading_day, start_ns, end_ns, open, high, low, close, volume, turnover, open_interest, ticks,
    }
    Timer { token, due_ns }
    Phase { instrument, trading_day, start_ns, end_ns, phase as PhaseKind, source as PhaseSource }
    InstrumentDef {
        instrument as id, effective_day, symbol, product, underlying, tick, multiplier, strike, min_lots,
        max_limit_lots, max_market_lots, upper_limit, lower_limit, pre_settlement, expiry, exchange as Exchange,
        class as ProductClass, option_type as OptionType, adjusted as flag, tradable as flag,
    }
    Gap { instrument, trading_day, start_ns, end_ns }
    Settlement { instrument, trading_day, settlement, next_day }
    Rates {
        instrument, effective_day, long_margin_ratio as ratio, short_margin_ratio as ratio, long_margin_per_lot,
        short_margin_per_lot, open_ratio as ratio, close_ratio as ratio, close_today_ratio as ratio, open_per_lot,
        close_per_lot, close_today_per_lot, assumed as flag, short_margin_least_per_lot,
    }
    Unchanged { instrument, trading_day, first_ns, last_ns, count }
    TargetPosition { strategy, instrument, revision, lots, limit, urgency as Urgency }
    TargetQuote { strategy, instrument, revision, bid, ask, bid_lots, ask_lots }
    OrderRequest {
        instrument, trading_day, order_ref, price, lots, strategy, kind as RequestKind, side as Side, offset as Offset,
        order_type as OrderType, tif as TimeInForce, exchange as Exchange, retry, front_id, session_id, order_sys_id,
        revision,
    }
    OrderReport {
        instrument, trading_day, order_ref, front_id, session_id, order_sys_id, price, lots, traded, exch_ns,
        error_code, status as OrderStatus, submit as SubmitStatus, source as ReportSource, side as Side,
        offset as Offset, order_type as OrderType, tif as TimeInForce, exchange as Exchange, request_id,
        order_local_id,
    }
    Fill {
        instrument, trading_day, order_ref, trade_id, order_sys_id, price, lots, exch_ns, side as Side,
        offset as Offset, exchange as Exchange, strategy,
    }
    OrderUpdate {
        instrument, trading_day, order_ref, price, lots, filled, strategy, error_code, state as OrderState,
        side as Side, offset as Offset,
    }
    Refusal {
        strategy, instrument, revision, lots, price, limit as optional, value as optional, error_code,
        reason as RefusalReason, side as Side,
    }
    Holding { strategy, instrument, lots, account_lots, fill_seq }
    Command { who, why, written_ns, instrument, kind as CommandKind }
    Login { trading_day, front_id, session_id, max_order_ref, exch_ns }
    Connection { connected as flag, reason, channel as StageId }
    PositionReport { instrument, trading_day, today, yesterday, frozen, mark, side as Side }
    FundsReport {
        trading_day, pre_balance, close_profit, position_profit, commission, margin, frozen, available,
    }
    ResyncEnd { trading_day, session_id, orders, fills, positions, request }
    Difference { instrument, trading_day, ours, venue, field, order_ref, settled }
    TimerRequest { token, due_ns }
    RunStart {
        run_id, start, config_hash, started_ns, build, host, simulated as flag, after_clean_stop as flag,
    }
    RunEnd { run_id, ended_ns, inputs, outputs }
    Resync { holds, epoch }
    Alarm { instrument, strategy, order_ref, value, kind as AlarmKind, cleared as flag }
    DayRoll { from, to }
}

/// The fields in which two events of one kind differ.
pub fn differing(one: Event<'_>, other: Event<'_>, names: &Names) -> Vec<(&'static str, Shown, Shown)> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    visit(one, names, &mut |name, value| left.push((name, value)));
    visit(other, names, &mut |name, value| right.push((name, value)));
    let pairs = left.into_iter().zip(right);
    pairs.filter(|(one, other)| one != other).map(|((name, one), (_, other))| (name, one, other)).collect()
}

/// A record as one JSON object: the header's fields, how long it took, and the body's fields in `body`.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The header.
    pub header: &'a Header,
    /// The event.
    pub event: Event<'a>,
    /// What it came after, where that is known.
    pub after: Option<After>,
    /// The symbols.
    pub names: &'a Names,
}

/// Names of the flags that are set.
pub fn flag_names(header: &Header) -> Vec<&'static str> {
    let known = [
        (flags::OUTPUT, "output"),
        (flags::CATCHUP, "catchup"),
        (flags::RESENT, "resent"),
        (flags::CONFLATED, "conflated"),
    ];
    known.into_iter().filter(|(bit, _)| header.has(*bit)).map(|(_, name)| name).collect()
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { header, event, after, names } = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("seq", &header.seq.show(names))?;
        map.serialize_entry("kind", Kind::of(header.kind).map_or("?", Kind::name))?;
        map.serialize_entry("time", &crate::words::time_of(header, event).to_string())?;
        map.serialize_entry("recv_ns", &header.recv_ns.show(names))?;
        map.serialize_entry("taken_ns", &header.taken_ns.show(names))?;
        map.serialize_entry("cause", &header.cause.show(names))?;
        map.serialize_entry("flags", &flag_names(header))?;
        map.serialize_entry("latency_ns", &crate::words::latency_of(header))?;
        if let Some(After { since, ns }) = after {
            map.serialize_entry(since.key(), &ns)?;
        }
        map.serialize_entry("body", &Fields { event, names })?;
        map.end()
    }
}

/// The body's fields as one JSON object.
struct Fields<'a> {
    event: Event<'a>,
    names: &'a Names,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut failed = None;
        visit(self.event, self.names, &mut |name, value| {
            if failed.is_none() {
                failed = map.serialize_entry(name, &value).err();
            }
        });
        match failed {
            Some(error) => Err(S::Error::custom(error)),
            None => map.end(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field names of a body, from its derived debug text; arrays and nested structs have no `name: ` at depth one.
    fn declared(debug: &str) -> Vec<String> {
        let (mut depth, mut names, mut word) = (0, Vec::new(), String::new());
        for c in debug.chars() {
            match c {
                '{' | '[' | '(' => depth += 1,
                '}' | ']' | ')' => depth -= 1,
                ':' if depth == 1 => names.push(word.clone()),
                _ => {}
            }
            match c {
                c if c.is_alphanumeric() || c == '_' => word.push(c),
                _ => word.clear(),
            }
        }
        names.retain(|name| !name.starts_with("pad") && name != "reserved");
        names
    }

    #[test]
    fn every_field_of_every_body_is_shown() {
        let listed = listed();
        let kinds: Vec<&str> = listed.iter().map(|(kind, ..)| *kind).collect();
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).filter(|name| *name != "Config").collect();
        assert_eq!(kinds, known);
        for (kind, debug, fields) in listed {
            assert_eq!(fields, declared(&debug), "{kind}");
        }
    }
}
