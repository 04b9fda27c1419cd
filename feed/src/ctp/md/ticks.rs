//! Which snapshots are ticks of the present session, contract by contract: the stale one that follows every subscription,
//! repeats, those of before the opening or after the close are not. CZCE's times, which have no milliseconds, are told
//! apart; settlement prices are taken where they are final.

use crate::recording::settle_units;
use shrike_core::calendar::{CalendarError, PhaseSpan, PhaseSpans, Sessions};
use shrike_core::codes::{Exchange, PhaseKind};
use shrike_core::event::{DepthTick, InstrumentDef, Settlement};
use shrike_core::units::{Nanos, Price, Text, TradingDay};

/// Why a snapshot is no tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Skip {
    /// Its contract was never announced.
    Unknown,
    /// Of an earlier session: it comes first after every subscription.
    Stale,
    /// The same again.
    Duplicate,
    /// Earlier than the one before it.
    TimeBack,
    /// Trading had stopped for more than a second.
    OutOfSession,
}

impl Skip {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Stale, Self::Duplicate, Self::TimeBack, Self::OutOfSession];

    /// The word for summaries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown-contract",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::TimeBack => "time-back",
            Self::OutOfSession => "out-of-session",
        }
    }
}

/// Settlement prices are final between the close and the next opening; CZCE pushes others in the night.
const SETTLING_SECONDS: std::ops::Range<u32> = 15 * 3_600..18 * 3_600;
/// A snapshot of the last instant may come this much after it.
const GRACE_NS: u64 = Nanos::PER_SECOND;

/// One contract's ticks so far.
#[derive(Clone, Debug)]
pub struct Ticks {
    exchange: Exchange,
    product: Text<16>,
    multiplier: i64,
    /// The trading day of the ticks, its phases, and the one that the last tick fell into.
    day: TradingDay,
    day_before: TradingDay,
    spans: Option<PhaseSpans>,
    span: Option<PhaseSpan>,
    last: DepthTick,
    /// The last tick's time before repair.
    last_stamp: Nanos,
    /// The latest day whose settlement was told.
    settled: TradingDay,
    /// The exchange says that trading goes on, whatever the calendar has.
    pub open_by_exchange: bool,
}

impl Ticks {
    /// None yet.
    pub fn new(exchange: Exchange, def: &InstrumentDef) -> Self {
        Self {
            exchange,
            product: def.product,
            multiplier: def.multiplier,
            day: TradingDay::ABSENT,
            day_before: TradingDay::ABSENT,
            spans: None,
            span: None,
            last: DepthTick::default(),
            last_stamp: Nanos::ABSENT,
            settled: TradingDay::ABSENT,
            open_by_exchange: false,
        }
    }

    /// The contract changes.
    pub fn define(&mut self, def: &InstrumentDef) {
        self.multiplier = def.multiplier;
    }

    /// Takes a snapshot: repairs its time and the units of its turnover, or says why it is no tick. `today`: the login's trading day; absent when it
    /// tells none. `settle` gets settlements, which come before the tick.
    pub fn take(
        &mut self,
        tick: &mut DepthTick,
        today: TradingDay,
        sessions: &Sessions,
        mut settle: impl FnMut(Settlement),
    ) -> Result<(), Skip> {
        if tick.trading_day < today.max(self.day) {
            return Err(Skip::Stale);
        }
        if tick.trading_day != self.day {
            self.open(tick.trading_day, sessions)?;
        }
        let stamp = tick.exch_ns;
        if self.spans.as_ref().is_some_and(|spans| stamp < spans.start()) {
            return Err(Skip::Stale);
        }
        if self.settled < self.day_before {
            // The day's first snapshots call the settlement price of the day before by its name.
            self.settle(tick, self.day_before, tick.pre_settlement, self.day, &mut settle);
        }
        if stamp < self.last_stamp || tick.volume < self.last.volume {
            return Err(Skip::TimeBack);
        }
        if stamp == self.last_stamp {
            if self.exchange == Exchange::Czce {
                tick.exch_ns = stamp.after(500 * Nanos::PER_MILLI);
            }
            if tick.volume == self.last.volume && same_book(tick, &self.last) {
                return Err(Skip::Duplicate);
            }
        }
        if self.settled < self.day && SETTLING_SECONDS.contains(&stamp.china_second()) {
            let next_day = sessions.calendar().next_trading_day(self.day).unwrap_or(TradingDay::ABSENT);
            self.settle(tick, self.day, tick.settlement, next_day, &mut settle);
        }
        if !self.open_by_exchange && !self.trades_at(stamp) {
            return Err(Skip::OutOfSession);
        }
        if self.exchange == Exchange::Czce {
            settle_units(self.multiplier, tick);
        }
        self.last_stamp = stamp;
        self.last = *tick;
        Ok(())
    }

    /// A trading day begins. One that the calendar does not have is another day's stale word.
    fn open(&mut self, day: TradingDay, sessions: &Sessions) -> Result<(), Skip> {
        let spans = match sessions.phases_of(self.exchange, self.product.as_str(), day) {
            Ok(spans) => Some(spans),
            Err(CalendarError::NotTradingDay { .. } | CalendarError::Uncovered { .. }) => return Err(Skip::Stale),
            Err(CalendarError::UnknownProduct { .. } | CalendarError::NoSession { .. }) => None,
        };
        let day_before = sessions.calendar().previous_trading_day(day).unwrap_or(TradingDay::ABSENT);
        (self.day, self.day_before, self.spans, self.span) = (day, day_before, spans, None);
        (self.last, self.last_stamp) = (DepthTick::default(), Nanos::ABSENT);
        Ok(())
    }

    /// Tells a settlement, where the snapshot has its price.
    fn settle(
        &mut self,
        tick: &DepthTick,
        trading_day: TradingDay,
        settlement: Price,
        next_day: TradingDay,
        tell: &mut impl FnMut(Settlement),
    ) {
        if settlement.is_present() && !next_day.is_absent() {
            self.settled = trading_day;
            let instrument = tick.instrument;
            tell(Settlement { instrument, trading_day, settlement, next_day, ..Settlement::default() });
        }
    }

    /// Whether the calendar has trading at a moment, or had a second before.
    fn trades_at(&mut self, at: Nanos) -> bool {
        let Some(spans) = &self.spans else { return true };
        if !self.span.is_some_and(|span| span.contains(at)) {
            self.span = spans.iter().find(|span| span.contains(at)).copied();
        }
        match self.span {
            Some(span) => !matches!(span.kind, PhaseKind::Shut | PhaseKind::Break) || at.since(span.start) <= GRACE_NS,
            None => at.since(spans.end()) <= GRACE_NS,
        }
    }
}

/// Whether two snapshots of one moment show the same market.
fn same_book(one: &DepthTick, other: &DepthTick) -> bool {
    let prices = |tick: &DepthTick| (tick.last, tick.bids, tick.asks, tick.settlement, tick.open_interest);
    prices(one) == prices(other) && (one.bid_qtys, one.ask_qtys) == (other.bid_qtys, other.ask_qtys)
}
