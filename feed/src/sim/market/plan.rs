//! What a seed decides about a contract's days before they begin: the phases of each day with the exchange's halts cut
//! into them, and the runs into a price limit. Made once, at the start; nothing here runs per tick.

use super::MarketOptions;
use super::rng::Rng;
use super::value::LimitRun;
use shrike_core::calendar::{CalendarError, PhaseSpan, Sessions};
use shrike_core::codes::{Exchange, PhaseKind, PhaseSource};
use shrike_core::units::{Nanos, TradingDay};

const MINUTE_NS: u64 = 60 * Nanos::PER_SECOND;
/// A circuit breaker needs this much trading around it: it never touches a phase of the calendar.
const CALM_NS: u64 = 10 * MINUTE_NS;
/// Exchanges publish settlement prices some time after the close.
const SETTLES_AFTER_NS: u64 = 30 * MINUTE_NS;

/// A phase of one day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub start: Nanos,
    /// When it really ends.
    pub end: Nanos,
    /// When the next one is due, as known at its start; absent when not known.
    pub due: Nanos,
    pub kind: PhaseKind,
    pub source: PhaseSource,
}

/// One trading day of a contract.
#[derive(Clone, Debug)]
pub(super) struct Day {
    pub day: TradingDay,
    pub next_day: TradingDay,
    pub spans: Vec<Span>,
    /// Snapshot intervals of continuous trading.
    pub steps: u32,
    pub run: Option<LimitRun>,
    /// When the closing snapshot and the settlement come.
    pub settles_at: Nanos,
}

/// Plans a product's trading days: the first of `options` (the next one when it does not trade) and those after it.
pub(super) fn days(
    options: &MarketOptions,
    sessions: &Sessions,
    exchange: Exchange,
    product: &str,
    rng: &mut Rng,
) -> Result<Vec<Day>, CalendarError> {
    let calendar = sessions.calendar();
    let mut day = match calendar.is_trading_day(options.first_day)? {
        true => options.first_day,
        false => calendar.next_trading_day(options.first_day)?,
    };
    let mut days = Vec::with_capacity(options.days as usize);
    for _ in 0..options.days {
        let next_day = calendar.next_trading_day(day)?;
        let phases = sessions.phases_of(exchange, product, day)?;
        // Beyond the tables the opening of the next day is not known.
        let next_open = sessions.phases_of(exchange, product, next_day).map_or(Nanos::ABSENT, |phases| phases.start());
        let shut = PhaseSpan { start: phases.end(), end: next_open, kind: PhaseKind::Shut };
        let mut spans: Vec<Span> = phases.iter().chain([&shut]).map(Span::of).collect();
        let steps = steps(&spans, options.snapshot_ms);
        let run = draw_run(steps, options, rng);
        if rng.per_mille(options.breaker_per_mille) {
            cut_halt(&mut spans, rng);
        }
        days.push(Day { day, next_day, spans, steps, run, settles_at: phases.end().after(SETTLES_AFTER_NS) });
        day = next_day;
    }
    Ok(days)
}

impl Span {
    fn of(phase: &PhaseSpan) -> Self {
        let &PhaseSpan { start, end, kind } = phase;
        Self { start, end, due: end, kind, source: PhaseSource::Calendar }
    }
}

fn steps(spans: &[Span], snapshot_ms: u32) -> u32 {
    let continuous = spans.iter().filter(|span| span.kind == PhaseKind::Continuous);
    let ns: u64 = continuous.map(|span| span.end.since(span.start)).sum();
    (ns / (u64::from(snapshot_ms) * Nanos::PER_MILLI)) as u32
}

/// A run into a limit starts in the first half of the day and stays from one to twenty parts of a hundred of it.
fn draw_run(steps: u32, options: &MarketOptions, rng: &mut Rng) -> Option<LimitRun> {
    let up = rng.per_mille(options.limit_up_per_mille);
    let down = rng.per_mille(options.limit_down_per_mille);
    let hundredth = steps / 100;
    let (starts_in, locked) = (rng.below(steps / 2), rng.between(hundredth, hundredth * 20));
    (up || down).then_some(LimitRun { starts_in, locked, up })
}

/// Cuts a halt of three to ten minutes into one of the day's continuous phases, if one is long enough. The exchange
/// announces the halt and the resumption; the calendar knew of neither.
fn cut_halt(spans: &mut Vec<Span>, rng: &mut Rng) {
    let fits = |span: &Span| span.kind == PhaseKind::Continuous && span.end.since(span.start) > 4 * CALM_NS;
    let fitting = spans.iter().filter(|span| fits(span)).count();
    let chosen = rng.below(fitting as u32) as usize;
    let length_ns = u64::from(rng.between(3, 10)) * MINUTE_NS;
    let Some((at, &span)) = spans.iter().enumerate().filter(|(_, span)| fits(span)).nth(chosen) else { return };
    let seconds = (span.end.since(span.start) - 2 * CALM_NS - length_ns) / Nanos::PER_SECOND;
    let halt = span.start.after(CALM_NS + u64::from(rng.below(seconds as u32)) * Nanos::PER_SECOND);
    let resume = halt.after(length_ns);
    let source = PhaseSource::Exchange;
    let cut = [
        Span { end: halt, ..span },
        Span { start: halt, end: resume, due: resume, kind: PhaseKind::Halted, source },
        Span { start: resume, source, ..span },
    ];
    spans.splice(at..=at, cut);
}
