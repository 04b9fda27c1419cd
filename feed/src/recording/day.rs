//! One trading day of one contract, as far as the recording has rows of it: its phases by the calendar, which rows lie
//! in them, and what the settlement is made of.

use super::skip::Skip;
use shrike_core::calendar::{PhaseSpan, PhaseSpans};
use shrike_core::codes::{PhaseKind, PhaseSource};
use shrike_core::event::{DepthTick, Phase};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Price, Qty, TradingDay, Turnover};

/// A snapshot stamped so shortly after trading stopped still shows what traded before: fronts push at 500 ms, so the
/// last trades of 11:29:59.9 stand in the snapshot of 11:30:00.4.
const GRACE_NS: u64 = Nanos::PER_SECOND;

/// The settlement is told at 17:00, or at the close where that is later: after the last snapshot that could hold its
/// price, and before 18:00, when the next trading day begins.
const SETTLE_SECOND: u32 = 17 * 3600;

/// A trading day of a contract.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) contract: usize,
    pub(super) trading_day: TradingDay,
    spans: PhaseSpans,
    /// When the next trading day opens by the calendar; absent where it does not say.
    reopens: Nanos,
    /// Whether phases and settlement are on the agenda.
    pub(super) scheduled: bool,
    /// The previous day's settlement, as this day's first row states it.
    pub(super) pre_settlement: Price,
    volume: Qty,
    turnover: Turnover,
    last: Price,
    settlement: Price,
}

impl Day {
    pub(super) fn new(contract: usize, trading_day: TradingDay, spans: PhaseSpans, reopens: Nanos) -> Self {
        Self {
            contract,
            trading_day,
            spans,
            reopens,
            scheduled: false,
            pre_settlement: Price::ABSENT,
            volume: Qty::ABSENT,
            turnover: Turnover::ABSENT,
            last: Price::ABSENT,
            settlement: Price::ABSENT,
        }
    }

    /// When it opens: its first auction.
    pub(super) fn start(&self) -> Nanos {
        self.spans.start()
    }

    /// When its settlement is told.
    pub(super) fn settles(&self) -> Nanos {
        self.spans.end().max(Nanos::china(self.trading_day, SETTLE_SECOND, 0))
    }

    /// Whether a snapshot of that time shows the market: within a phase that trades, or just after one. Snapshots of
    /// before the day, of shut hours and breaks, and of after the close are what fronts repeat to who subscribes then.
    pub(super) fn admits(&self, at: Nanos) -> Result<(), Skip> {
        if at < self.spans.start() {
            return Err(Skip::Stale);
        }
        match self.spans.iter().find(|span| at < span.end) {
            Some(PhaseSpan { start, kind: PhaseKind::Shut | PhaseKind::Break, .. }) if at.since(*start) >= GRACE_NS => {
                Err(Skip::OutOfSession)
            }
            None if at.since(self.spans.end()) >= GRACE_NS => Err(Skip::PostClose),
            _ => Ok(()),
        }
    }

    /// Takes note of a snapshot of the day, delivered or after the close. Settlement is what the last one says: CZCE
    /// repeats yesterday's at night.
    pub(super) fn note(&mut self, tick: &DepthTick) {
        if self.pre_settlement.is_absent() {
            self.pre_settlement = tick.pre_settlement;
        }
        (self.volume, self.turnover, self.settlement) = (tick.volume, tick.turnover, tick.settlement);
        if tick.last.is_present() {
            self.last = tick.last;
        }
    }

    /// The phase event of a span; after the last one, the shut hours. `None` beyond.
    pub(super) fn phase(&self, index: usize, instrument: InstrumentId) -> Option<Phase> {
        let shut = PhaseSpan { start: self.spans.end(), end: self.reopens, kind: PhaseKind::Shut };
        let span = match self.spans.get(index) {
            Some(span) => *span,
            None if index == self.spans.len() => shut,
            None => return None,
        };
        Some(Phase {
            instrument,
            trading_day: self.trading_day,
            start_ns: span.start,
            end_ns: span.end,
            phase: span.kind.code(),
            source: PhaseSource::Calendar.code(),
            ..Phase::default()
        })
    }

    /// The span that holds at a moment, so that a contract which appears within the day starts there.
    pub(super) fn span_at(&self, at: Nanos) -> usize {
        self.spans.iter().take_while(|span| span.end <= at).count()
    }

    /// The settlement price: the recording's own; else `next_pre`, what the next trading day's first row calls the
    /// previous settlement; else the day's average price rounded to the tick (the exchanges' rule, for most of them);
    /// else the last price.
    pub(super) fn settlement(&self, next_pre: Price, multiplier: i64, tick: Price) -> Price {
        let average = || average(self.turnover, self.volume, multiplier).some();
        let rounded = || average().map(|price| round_to(price, tick));
        self.settlement.some().or(next_pre.some()).or_else(rounded).unwrap_or(match self.last.some() {
            Some(last) => last,
            None => self.pre_settlement,
        })
    }
}

/// The price at which `turnover` and `volume` fit; absent when nothing traded.
pub(super) fn average(turnover: Turnover, volume: Qty, multiplier: i64) -> Price {
    let units = i128::from(volume.raw()) * i128::from(multiplier);
    if turnover.is_absent() || volume.is_absent() || units <= 0 {
        return Price::ABSENT;
    }
    // Turnover is in 1e-4, volume in 1e-8, the price in 1e-8.
    let numerator = i128::from(turnover.raw()) * 1_000_000_000_000;
    i64::try_from((numerator + units / 2).div_euclid(units)).map_or(Price::ABSENT, Price::from_raw)
}

/// The nearest multiple of the tick, half up.
fn round_to(price: Price, tick: Price) -> Price {
    match tick.raw() {
        step @ 1.. => match price.raw().checked_add(step / 2) {
            Some(raw) => Price::from_raw(raw.div_euclid(step) * step),
            None => price,
        },
        _ => price,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_of_a_day() {
        // ru1901, first row of 2018-10-08: the recording says 124805.5135 with the multiplier of 10.
        let (turnover, volume) = (Turnover::parse("396132700").unwrap(), Qty::whole(3_174));
        assert_eq!(format!("{:.5}", average(turnover, volume, 10)), "12480.55135");
        assert_eq!(average(turnover, Qty::ZERO, 10), Price::ABSENT);
        assert_eq!(average(Turnover::ABSENT, volume, 10), Price::ABSENT);
    }

    #[test]
    fn prices_round_to_the_tick() {
        let tick = Price::whole(5);
        for (price, rounded) in [(12_307, 12_305), (12_308, 12_310), (12_305, 12_305)] {
            assert_eq!(round_to(Price::whole(price), tick), Price::whole(rounded));
        }
    }
}
