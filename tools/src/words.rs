//! Events in words, one line each: the columns of `tail`, and the two sides of a difference in `replay`.

use crate::names::Names;
use shrike_core::codes::{
    AlarmKind, CommandKind, Exchange, Offset, OptionType, OrderState, OrderStatus, OrderType, PhaseSource,
    ProductClass, RefusalReason, ReportSource, RequestKind, Side, StageId, SubmitStatus, TimeInForce, Urgency,
};
use shrike_core::event::{
    DepthTick, Difference, Event, Header, InstrumentDef, Kind, OrderReport, OrderRequest, Refusal, RunStart,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price};
use std::fmt;

/// A record as one line of columns.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// The header.
    pub header: &'a Header,
    /// The event.
    pub event: Event<'a>,
    /// The symbols.
    pub names: &'a Names,
}

/// The heading above [`Columns`].
pub const HEADING: &str =
    concat!("       seq  exchange time            latency      kind           instrument  what", "\n");

impl fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, event, names } = *self;
        let seq = match header.seq.epoch() {
            0 => header.seq.n().to_string(),
            epoch => format!("{epoch}:{}", header.seq.n()),
        };
        // Width and precision cannot both be given to a time: it pads by hand.
        let time = format!("{:.3}", time_of(header, event));
        let latency = latency_of(header).map_or_else(|| "-".to_owned(), |ns| Duration(ns).to_string());
        let way = if header.has(shrike_core::event::flags::OUTPUT) { "out" } else { "in" };
        let kind = Kind::of(header.kind).map_or("?", Kind::name);
        let symbol = instrument_of(event).map_or_else(|| "-".into(), |id| names.symbol(id));
        let what = What { event, names };
        write!(f, "{seq:>10}  {time:<23} {latency:>8}  {way:<3} {kind:<14} {symbol:<11} {what}")
    }
}

/// Exchange time of a record: the event's own, else when the edge received it, else when the stage took it.
pub fn time_of(header: &Header, event: Event<'_>) -> Nanos {
    let own = match event {
        Event::DepthTick(tick) => tick.exch_ns,
        Event::Quote(quote) => quote.exch_ns,
        Event::MarketTrade(trade) => trade.exch_ns,
        Event::OrderReport(report) => report.exch_ns,
        Event::Fill(fill) => fill.exch_ns,
        _ => Nanos::ABSENT,
    };
    [own, header.recv_ns, header.taken_ns].into_iter().find(|time| !time.is_absent()).unwrap_or_default()
}

/// From receiving to taking; `None` when either is not known.
pub fn latency_of(header: &Header) -> Option<u64> {
    let known = !header.recv_ns.is_absent() && !header.taken_ns.is_absent();
    known.then(|| header.taken_ns.since(header.recv_ns))
}

/// A time span for people: three digits and a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duration(pub u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let text = match ns {
            0 => "0".to_owned(),
            1..1_000 => format!("{ns}ns"),
            1_000..1_000_000 => scaled(ns, 1_000, "us"),
            1_000_000..1_000_000_000 => scaled(ns, 1_000_000, "ms"),
            _ => scaled(ns, 1_000_000_000, "s"),
        };
        f.pad(&text)
    }
}

/// `ns` in `unit`s: with one decimal below a hundred, truncated.
fn scaled(ns: u64, unit: u64, name: &str) -> String {
    let whole = ns / unit;
    if whole >= 100 { format!("{whole}{name}") } else { format!("{whole}.{}{name}", ns % unit * 10 / unit) }
}

/// The instrument an event is about.
pub fn instrument_of(event: Event<'_>) -> Option<InstrumentId> {
    let id = match event {
        Event::DepthTick(e) => e.instrument,
        Event::Quote(e) => e.instrument,
        Event::MarketTrade(e) => e.instrument,
        Event::Bar(e) => e.instrument,
        Event::Phase(e) => e.instrument,
        Event::InstrumentDef(e) => e.instrument,
        Event::Gap(e) => e.instrument,
        Event::Settlement(e) => e.instrument,
        Event::Rates(e) => e.instrument,
        Event::Unchanged(e) => e.instrument,
        Event::TargetPosition(e) => e.instrument,
        Event::TargetQuote(e) => e.instrument,
        Event::OrderRequest(e) => e.instrument,
        Event::OrderReport(e) => e.instrument,
        Event::Fill(e) => e.instrument,
        Event::OrderUpdate(e) => e.instrument,
        Event::Refusal(e) => e.instrument,
        Event::Holding(e) => e.instrument,
        Event::Command(e) => e.instrument,
        Event::PositionReport(e) => e.instrument,
        Event::Difference(e) => e.instrument,
        Event::Alarm(e) => e.instrument,
        _ => InstrumentId::NONE,
    };
    (id != InstrumentId::NONE).then_some(id)
}

/// The strategy an event belongs to; zero is the engine or the operator.
pub fn strategy_of(event: Event<'_>) -> Option<u32> {
    match event {
        Event::TargetPosition(e) => Some(e.strategy),
        Event::TargetQuote(e) => Some(e.strategy),
        Event::OrderRequest(e) => Some(e.strategy),
        Event::Fill(e) => Some(e.strategy),
        Event::OrderUpdate(e) => Some(e.strategy),
        Event::Refusal(e) => Some(e.strategy),
        Event::Holding(e) => Some(e.strategy),
        Event::Alarm(e) => Some(e.strategy),
        _ => None,
    }
}

/// An event in words.
#[derive(Clone, Copy, Debug)]
pub struct What<'a> {
    /// The event.
    pub event: Event<'a>,
    /// The symbols.
    pub names: &'a Names,
}

/// The word of a code, or `?`.
macro_rules! word {
    ($codes:ident, $code:expr) => {
        $codes::of($code).map_or("?", $codes::name)
    };
}

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.event {
            Event::DepthTick(e) => tick(f, e),
            Event::Quote(e) => {
                let (bid, ask) = (level(e.bid, e.bid_qty), level(e.ask, e.ask_qty));
                write!(f, "bid {bid} ask {ask} last {} volume {}", e.last, e.volume)
            }
            Event::MarketTrade(e) => write!(f, "{} {} @ {}", word!(Side, e.side), e.qty, e.price),
            Event::Bar(e) => write!(
                f,
                "open {} high {} low {} close {} volume {} in {} ticks from {:.3}",
                e.open, e.high, e.low, e.close, e.volume, e.ticks, e.start_ns
            ),
            Event::Timer(e) => write!(f, "timer {} due {:.3}", e.token, e.due_ns),
            Event::Phase(e) => {
                let source = word!(PhaseSource, e.source);
                write!(f, "{} by the {source}, day {}, until {:.3}", e.kind(), e.trading_day, e.end_ns)
            }
            Event::InstrumentDef(e) => definition(f, e),
            Event::Gap(e) if e.end_ns.is_absent() => write!(f, "market data lost since {:.3}", e.start_ns),
            Event::Gap(e) => write!(f, "market data flows again; lost since {:.3}", e.start_ns),
            Event::Settlement(e) => {
                write!(f, "day {} settles at {}, next day {}", e.trading_day, e.settlement, e.next_day)
            }
            Event::Rates(e) => {
                let ratio = |raw| Price::from_raw(raw);
                write!(f, "margin {} + {}", ratio(e.long_margin_ratio), e.long_margin_per_lot)?;
                write!(f, " / {} + {}", ratio(e.short_margin_ratio), e.short_margin_per_lot)?;
                write!(f, " open {} + {}", ratio(e.open_ratio), e.open_per_lot)?;
                write!(f, " close {} + {}", ratio(e.close_ratio), e.close_per_lot)?;
                write!(f, " close-today {} + {}", ratio(e.close_today_ratio), e.close_today_per_lot)?;
                f.write_str(if e.assumed != 0 { " (assumed)" } else { "" })
            }
            Event::Unchanged(e) => {
                write!(f, "{} unchanged snapshots, {:.3} to {:.3}", e.count, e.first_ns, e.last_ns)
            }
            Event::TargetPosition(e) => {
                let urgency = word!(Urgency, e.urgency);
                write!(f, "s{} wants {} {urgency}, limit {}, revision {}", e.strategy, e.lots, e.limit, e.revision)
            }
            Event::TargetQuote(e) => {
                let (bid, ask) = (side(e.bid, e.bid_lots), side(e.ask, e.ask_lots));
                write!(f, "s{} quotes {bid} / {ask}, revision {}", e.strategy, e.revision)
            }
            Event::OrderRequest(e) => request(f, e),
            Event::OrderReport(e) => report(f, e),
            Event::Fill(e) => {
                let (side, offset) = (word!(Side, e.side), word!(Offset, e.offset));
                write!(f, "order {} {side} {offset} {} @ {}", e.order_ref, e.lots, e.price)?;
                write!(f, ", trade {}, s{}", e.trade_id.as_str().trim(), e.strategy)
            }
            Event::OrderUpdate(e) => {
                let (state, side, offset) = (word!(OrderState, e.state), word!(Side, e.side), word!(Offset, e.offset));
                write!(f, "order {} {state}: {side} {offset}", e.order_ref)?;
                write!(f, " {} of {} @ {}{}, s{}", e.filled, e.lots, e.price, Failure(e.error_code), e.strategy)
            }
            Event::Refusal(e) => refusal(f, e),
            Event::Holding(e) => write!(f, "s{} holds {}, the account {}", e.strategy, e.lots, e.account_lots),
            Event::Command(e) => {
                let kind = word!(CommandKind, e.kind);
                write!(f, "{kind} by {}: {} (written {:.3})", e.who, e.why, e.written_ns)
            }
            Event::Login(e) => write!(
                f,
                "logged in, day {}, front {} session {}, greatest order {}",
                e.trading_day, e.front_id, e.session_id, e.max_order_ref
            ),
            Event::Connection(e) => {
                let state = if e.connected != 0 { "connected" } else { "disconnected" };
                write!(f, "{} {state}, reason {}", word!(StageId, e.channel), e.reason)
            }
            Event::PositionReport(e) => {
                let side = if e.side == Side::Buy.code() { "long" } else { "short" };
                write!(f, "{side} today {} earlier {} frozen {} marked {}", e.today, e.yesterday, e.frozen, e.mark)
            }
            Event::FundsReport(e) => write!(
                f,
                "day {} pre-balance {:.2} closed {:.2} held {:.2} commission {:.2} margin {:.2} available {:.2}",
                e.trading_day, e.pre_balance, e.close_profit, e.position_profit, e.commission, e.margin, e.available
            ),
            Event::ResyncEnd(e) => {
                write!(f, "told all: {} orders, {} fills, {} positions", e.orders, e.fills, e.positions)
            }
            // What is about no contract and no order is money, in units of 1e-8.
            Event::Difference(e) if e.instrument == InstrumentId::NONE && e.order_ref == 0 => {
                let (ours, venue) = (Price::from_raw(e.ours), Price::from_raw(e.venue));
                write!(f, "{}: ours {ours}, the venue's {venue}{}", e.field, ended(e))
            }
            Event::Difference(e) => {
                write!(f, "{}: ours {}, the venue's {}{}", e.field, e.ours, e.venue, ended(e))
            }
            Event::TimerRequest(e) => write!(f, "asks for timer {} at {:.3}", e.token, e.due_ns),
            Event::RunStart(e) => start(f, e),
            Event::RunEnd(e) => write!(f, "run {:016x} ends: {} inputs, {} outputs", e.run_id, e.inputs, e.outputs),
            Event::Resync(e) => write!(f, "restates from epoch {}, the other holds {}", e.epoch, e.holds),
            Event::Alarm(e) => {
                let state = if e.cleared != 0 { "over" } else { "raised" };
                write!(f, "{} {state}, value {}", word!(AlarmKind, e.kind), e.value)?;
                if e.strategy != 0 { write!(f, ", s{}", e.strategy) } else { Ok(()) }
            }
            Event::DayRoll(e) => write!(f, "day {} becomes {}", e.from, e.to),
            Event::Config(text) => write!(f, "configuration of {} bytes", text.len()),
            Event::Unknown { kind, body } => write!(f, "unknown kind {kind} of {} bytes", body.len()),
        }
    }
}

/// The venue's error after an order, if there is one.
struct Failure(i32);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, ", error {}", self.0) }
    }
}

/// `12340x3`, or `-` where nobody is.
fn level(price: Price, qty: impl fmt::Display) -> String {
    if price.is_absent() { "-".to_owned() } else { format!("{price}x{qty}") }
}

fn side(price: Price, lots: Lots) -> String {
    level(price, lots)
}

fn tick(f: &mut fmt::Formatter<'_>, e: &DepthTick) -> fmt::Result {
    let quote = e.quote();
    let (bid, ask) = (level(quote.bid, quote.bid_qty), level(quote.ask, quote.ask_qty));
    write!(f, "bid {bid} ask {ask} last {} volume {} held {}", e.last, e.volume, e.open_interest)
}

fn definition(f: &mut fmt::Formatter<'_>, e: &InstrumentDef) -> fmt::Result {
    let (exchange, class) = (word!(Exchange, e.exchange), word!(ProductClass, e.class));
    write!(f, "{} {exchange} {class} of {}, tick {}, multiplier {}", e.instrument, e.product, e.tick, e.multiplier)?;
    if let Some(right) = OptionType::of(e.option_type) {
        write!(f, ", {right} on {} at {}", e.underlying, e.strike)?;
    }
    f.write_str(if e.adjusted != 0 { ", adjusted" } else { "" })?;
    f.write_str(if e.tradable != 0 { "" } else { ", quoted only" })
}

fn request(f: &mut fmt::Formatter<'_>, e: &OrderRequest) -> fmt::Result {
    match e.kind() {
        Some(RequestKind::Insert) => {
            let (side, offset) = (word!(Side, e.side), word!(Offset, e.offset));
            let (kind, life) = (word!(OrderType, e.order_type), word!(TimeInForce, e.tif));
            write!(f, "insert {} {side} {offset} {} @ {} {kind} {life}", e.order_ref, e.lots, e.price)?;
            write!(f, ", s{}, revision {}", e.strategy, e.revision)
        }
        Some(RequestKind::Cancel) => write!(f, "cancel {}, s{}", e.order_ref, e.strategy),
        Some(RequestKind::QueryOrder) => write!(f, "ask about {}", e.order_ref),
        Some(RequestKind::Resync) => f.write_str("ask for orders, fills, positions and funds"),
        None => write!(f, "request of unknown kind {}", e.kind),
    }
}

fn report(f: &mut fmt::Formatter<'_>, e: &OrderReport) -> fmt::Result {
    let (status, submit, source) =
        (word!(OrderStatus, e.status), word!(SubmitStatus, e.submit), word!(ReportSource, e.source));
    let (side, offset) = (word!(Side, e.side), word!(Offset, e.offset));
    write!(f, "order {} {status} ({submit}, by {source}): {side} {offset}", e.order_ref)?;
    write!(f, " {} of {} @ {}{}", e.traded, e.lots, e.price, Failure(e.error_code))?;
    let number = e.order_sys_id.as_str().trim();
    if number.is_empty() { Ok(()) } else { write!(f, ", exchange number {number}") }
}

fn refusal(f: &mut fmt::Formatter<'_>, e: &Refusal) -> fmt::Result {
    write!(f, "s{} refused, {}: ", e.strategy, word!(RefusalReason, e.reason))?;
    match Side::of(e.side) {
        Some(side) => write!(f, "{side} {} @ {}", e.lots, e.price)?,
        None => f.write_str("the whole intent")?,
    }
    if e.limit != i64::MIN {
        write!(f, ", {} against a limit of {}", e.value, e.limit)?;
    }
    write!(f, "{}, revision {}", Failure(e.error_code), e.revision)
}

fn ended(difference: &Difference) -> &'static str {
    if difference.settled != 0 { "; no more" } else { "" }
}

fn start(f: &mut fmt::Formatter<'_>, e: &RunStart) -> fmt::Result {
    write!(f, "run {:016x} starts, number {} of this home", e.run_id, u64::from(e.start) + 1)?;
    f.write_str(if e.simulated != 0 { ", simulated time" } else { "" })?;
    f.write_str(if e.start > 0 && e.after_clean_stop == 0 { ", after a crash" } else { "" })?;
    write!(f, ", configuration {:016x}, build {}", e.config_hash, e.build)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_core::codes::StageId;
    use shrike_core::event::{Fill, Seq, TargetQuote, flags};
    use shrike_core::units::{Text, TradingDay};

    /// The formats of two lines: what people and their scripts get used to.
    #[test]
    fn columns() {
        let mut names = Names::default();
        let symbol = Text::new(b"ru1901").unwrap();
        names.learn(Event::InstrumentDef(&InstrumentDef {
            instrument: InstrumentId::new(0),
            symbol,
            ..InstrumentDef::default()
        }));
        let at = Nanos::china(TradingDay::new(20_181_008).unwrap(), 21 * 3600, 500_000_000);
        let header = Header {
            kind: Kind::Fill as u16,
            seq: Seq::new(StageId::Order, 0, 42),
            recv_ns: at,
            taken_ns: at.after(12_345),
            flags: flags::OUTPUT,
            ..Header::default()
        };
        let fill = Fill {
            order_ref: 7,
            price: Price::parse("11855.5").unwrap(),
            lots: Lots::new(2),
            exch_ns: at,
            trade_id: Text::new(b"    991").unwrap(),
            side: Side::Buy.code(),
            offset: Offset::Open.code(),
            strategy: 1,
            ..Fill::default()
        };
        let line = Columns { header: &header, event: Event::Fill(&fill), names: &names };
        assert_eq!(
            line.to_string(),
            "        42  2018-10-08 21:00:00.500   12.3us  out Fill           ru1901      \
             order 7 buy open 2 @ 11855.5, trade 991, s1"
        );

        let quote = TargetQuote {
            strategy: 2,
            instrument: InstrumentId::new(5),
            revision: 3,
            bid: Price::ABSENT,
            ask: Price::whole(12),
            ask_lots: Lots::new(1),
            ..TargetQuote::default()
        };
        let header = Header {
            kind: Kind::TargetQuote as u16,
            seq: Seq::new(StageId::Order, 1, 9),
            recv_ns: at,
            taken_ns: at,
            ..Header::default()
        };
        let line = Columns { header: &header, event: Event::TargetQuote(&quote), names: &names };
        assert_eq!(
            line.to_string(),
            "       1:9  2018-10-08 21:00:00.500        0  in  TargetQuote    #5          s2 quotes - / 12x1, revision 3"
        );
    }

    #[test]
    fn durations_keep_three_digits() {
        for (ns, text) in [(0, "0"), (999, "999ns"), (1_000, "1.0us"), (99_990, "99.9us"), (123_456, "123us")] {
            assert_eq!(Duration(ns).to_string(), text);
        }
        assert_eq!(Duration(61_500_000_000).to_string(), "61.5s");
    }
}
