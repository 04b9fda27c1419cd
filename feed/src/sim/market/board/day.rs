//! The day of a board: what an exchange's phases, snapshots and settlement make of the walk and of each line.

use super::facts::BREAKER_MINUTES;
use super::line::Kind;
use super::venue::{Place, Venue};
use super::walk::Family;
use super::worth::whole;
use super::{Board, Pending};
use crate::sim::market::contract::{INDICATIVE_NS, INDICATIVE_SHOCK, OVERNIGHT_SHOCK, limits};
use crate::sim::market::plan::Span;
use crate::sim::market::value::SUBTICK_BITS;
use shrike_core::codes::{PhaseKind, PhaseSource, ProductClass};
use shrike_core::event::Phase;
use shrike_core::units::{Nanos, TradingDay};

/// A breaker that trips so near the end of a phase would outlast it; the exchange lets the phase's end come first.
const BREAKER_MARGIN_NS: u64 = (BREAKER_MINUTES + 1) * 60 * Nanos::PER_SECOND;
/// Continuous trading begins; before it only auctions move prices.
const OPENING_S: u32 = 9 * 3_600 + 30 * 60;

impl Board {
    /// A phase of an exchange begins.
    pub(super) fn enter(&mut self, of: usize, phase: usize, span: &Span) {
        let [index, etf] = &mut self.venues;
        let venue = if of == 0 { index } else { etf };
        let Some((day, number)) = venue.today().map(|day| (day.day, venue.day)) else { return };
        let first = match span.kind {
            PhaseKind::Continuous
            | PhaseKind::AuctionOrders
            | PhaseKind::AuctionNoCancel
            | PhaseKind::AuctionMatch
            | PhaseKind::ClosingAuction => venue.first_in(span).min(venue.match_in(span)),
            _ => span.end,
        };
        venue.place = if first < span.end { Place::Within(phase, first) } else { Place::Before(phase + 1) };
        let family = venue.family;
        if phase == 0 {
            self.begin_day(number, day, span.start);
            self.begin_lines(0, Some(family), day, span.start);
        }
        for index in 0..self.lines.len() {
            if self.is_live(index, family) {
                self.pending.push(Pending::Phase(index, phase_of(day, span.kind, span.start, span.due, span.source)));
            }
        }
    }

    /// A trading day of the board begins, with the first of the exchanges: the ETF goes ex dividend, months and strikes are
    /// listed, the night's news arrive.
    pub(super) fn begin_day(&mut self, number: usize, day: TradingDay, at: Nanos) {
        if number < self.days_begun {
            return;
        }
        self.days_begun = number + 1;
        if number > 0 {
            let pays = self.ex_dividend_day as usize == number + 1;
            let changed = if pays { self.pay_dividend(self.dividend_per_mille) } else { Vec::new() };
            let first = self.list(number, 1_000, 1_000);
            self.begin_lines(first, None, day, at);
            for index in changed.into_iter().chain(first..self.lines.len()) {
                if let Some(line) = self.lines.get_mut(index) {
                    line.def.effective_day = day;
                    self.pending.push(Pending::Define(index));
                }
            }
        }
        let steps = self.venues.first().and_then(Venue::today).map_or(1, |day| day.steps);
        let base = self.lines.first().map_or(1, |index| index.settled);
        let root = (243 * u64::from(steps.max(1))).isqrt().max(1) as i64;
        let deviation = (base << SUBTICK_BITS) / 1_000 * i64::from(self.annual_vol_ppm) / 1_000 / root;
        let jump_chance = ((u64::from(self.jumps_per_day) << 32) / u64::from(steps.max(1))).min(u64::from(u32::MAX));
        let walk = &mut self.walk;
        walk.value.begin_day(limits(base, 100), deviation, jump_chance as u32, None);
        walk.value.shock(OVERNIGHT_SHOCK, &mut walk.rng);
        walk.begin_day(steps);
    }

    /// Lines from `first` on, of one family or both, begin a day: what they are worth, how they trade, their limits. New
    /// ones take what they are worth for their reference price, and those of the first day have open interest.
    pub(super) fn begin_lines(&mut self, first: usize, family: Option<Family>, day: TradingDay, at: Nanos) {
        let closes = [Family::Index, Family::Etf].map(|family| self.close_of(family));
        for term in &mut self.terms {
            self.walk.look(term, at);
        }
        for index in first..self.lines.len() {
            let Some(line) = self.lines.get(index) else { return };
            if line.is_gone || family.is_some_and(|family| family != line.family) {
                continue;
            }
            let (worth, usual) = (self.worth(line), self.usual(line));
            let Some(line) = self.lines.get_mut(index) else { return };
            line.worth = worth;
            (line.pace, line.depth, line.usual_interest) = usual;
            if line.settled == 0 {
                line.settled = whole(worth.value).max(1);
                line.sums.last = line.settled;
                if self.days_begun == 0 {
                    line.open_interest = line.usual_interest * i64::from(self.walk.rng.between(50, 150)) / 100;
                }
            }
            line.begin_day(day, line.limits(closes, day));
        }
    }

    /// A snapshot of an exchange.
    pub(super) fn snapshot(&mut self, of: usize, phase: usize, at: Nanos) {
        let Some(venue) = self.venues.get_mut(of) else { return };
        let Some(span) = venue.today().and_then(|day| day.spans.get(phase)).copied() else { return };
        let (trades, matches) = (span.kind == PhaseKind::Continuous, venue.match_in(&span));
        let next = if trades {
            at.after(venue.snapshot_ns)
        } else if at < matches {
            at.after(INDICATIVE_NS).min(matches)
        } else {
            span.end
        };
        venue.place = if next < span.end { Place::Within(phase, next) } else { Place::Before(phase + 1) };
        let family = venue.family;
        if trades && family == Family::Index {
            self.steps += 1;
            self.walk.step(at.china_second() >= 13 * 3_600);
        } else if at.china_second() < OPENING_S {
            self.walk.hear(INDICATIVE_SHOCK);
        }
        for term in self.terms.iter_mut().filter(|term| term.family == family) {
            self.walk.look(term, at);
        }
        for index in 0..self.lines.len() {
            if !self.is_live(index, family) {
                continue;
            }
            if trades {
                self.act(index, at, &span);
            } else if at < matches {
                self.indicate(index, at);
            } else {
                self.match_auction(index, at);
            }
        }
    }

    /// A call auction's indicative price of one line, if what it is worth has moved.
    fn indicate(&mut self, index: usize, at: Nanos) {
        let Some(line) = self.lines.get(index) else { return };
        if !(line.is_unquoted() || line.worth.is_stale(line.forward(&self.terms, &self.walk), self.walk.near)) {
            return;
        }
        self.quote(index);
        if let Some(line) = self.lines.get_mut(index)
            && line.indicate()
        {
            line.stamp(at);
            self.pending.push(Pending::Tick(index));
        }
    }

    /// One line in continuous trading: what it trades and how it is quoted then, if it acts or its quotes are due.
    fn act(&mut self, index: usize, at: Nanos, span: &Span) {
        let Self { walk, terms, steps, lines, .. } = self;
        let Some(line) = lines.get_mut(index) else { return };
        if let Some(until) = line.halted_until {
            if at >= until {
                line.halted_until = None;
                self.match_auction(index, at);
                let Some(day) = self.lines.get(index).map(|line| line.tick.trading_day) else { return };
                let resumes = phase_of(day, PhaseKind::Continuous, at, span.due, PhaseSource::Exchange);
                self.pending.push(Pending::Phase(index, resumes));
            }
            return;
        }
        let acts = line.acts_at <= *steps;
        if !(acts || line.is_unquoted() || line.worth.is_stale(line.forward(terms, walk), walk.near)) {
            return;
        }
        let before = line.shown();
        if acts {
            line.acts_at = *steps + line.act(walk);
        }
        self.quote(index);
        let Some(line) = self.lines.get_mut(index) else { return };
        if line.shown() == before {
            return;
        }
        line.show();
        line.stamp(at);
        self.pending.push(Pending::Tick(index));
        let has_breaker = line.family == Family::Etf && line.def.class() == Some(ProductClass::Option);
        if has_breaker && line.trips() && span.end.since(at) > BREAKER_MARGIN_NS {
            let until = at.after(BREAKER_MINUTES * 60 * Nanos::PER_SECOND);
            line.halted_until = Some(until);
            let phase = phase_of(line.tick.trading_day, PhaseKind::AuctionOrders, at, until, PhaseSource::Exchange);
            self.pending.push(Pending::Phase(index, phase));
        }
    }

    /// A call auction of one line ends, in a trade at one price where it is traded at all; its book is shown.
    fn match_auction(&mut self, index: usize, at: Nanos) {
        self.quote(index);
        let Some(line) = self.lines.get_mut(index) else { return };
        line.match_auction(line.pace / 300, &mut self.walk.rng);
        if line.kind != Kind::Index {
            line.show();
            line.stamp(at);
            self.pending.push(Pending::Tick(index));
        }
    }

    fn quote(&mut self, index: usize) {
        let Some(worth) = self.lines.get(index).map(|line| self.worth(line)) else { return };
        if let Some(line) = self.lines.get_mut(index) {
            line.worth = worth;
            line.quote(&mut self.walk.rng);
        }
    }

    /// An exchange closes its day: the closing snapshot and the settlement of each line.
    pub(super) fn settle(&mut self, of: usize) {
        let Some(venue) = self.venues.get_mut(of) else { return };
        let Some((day, at)) = venue.today().map(|day| (day.day, day.settles_at)) else { return };
        let family = venue.family;
        for term in self.terms.iter_mut().filter(|term| term.family == family) {
            // What is settled is worth what it was when trading ended.
            self.walk.look(term, Nanos::china(day, 15 * 3_600, 0));
        }
        for index in 0..self.lines.len() {
            if !self.is_live(index, family) {
                continue;
            }
            let Some(settlement) = self.lines.get(index).map(|line| self.settlement_ticks(line, day)) else { return };
            let Some(line) = self.lines.get_mut(index) else { return };
            line.close(settlement, at);
            line.is_gone = line.def.expiry == day;
            self.pending.push(Pending::Tick(index));
            if !matches!(line.kind, Kind::Index | Kind::Etf) {
                self.pending.push(Pending::Settle(index));
            }
        }
        if let Some(venue) = self.venues.get_mut(of) {
            (venue.day, venue.place) = (venue.day + 1, Place::Before(0));
        }
    }
}

/// A phase of any line.
fn phase_of(day: TradingDay, kind: PhaseKind, start: Nanos, due: Nanos, source: PhaseSource) -> Phase {
    Phase {
        trading_day: day,
        start_ns: start,
        end_ns: due,
        phase: kind.code(),
        source: source.code(),
        ..Phase::default()
    }
}
