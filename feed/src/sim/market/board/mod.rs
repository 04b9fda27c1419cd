//! An option board: an index, its ETF and its futures, and every option on index and ETF that the exchanges list, quoted
//! from one smile that moves (`walk`). The board walks the days of its two exchanges side by side and holds what happens
//! next ready, as `contract` does for a single contract. What is listed is in `list`, the exchanges' rules in `facts`, one
//! instrument in `line`. Runs on the edge thread; within a day it allocates nothing, a day's new strikes may.

mod facts;
mod line;
mod list;
mod walk;
mod worth;

#[cfg(test)]
mod tests;

pub(super) use facts::nth_weekday;
pub use facts::short_name;

use super::plan::{self, Day, Span};
use super::rng::Rng;
use super::value::SUBTICK_BITS;
use super::{MarketBoard, MarketError, MarketOptions};
use facts::BREAKER_MINUTES;
use line::{Kind, Line};
use list::{Listing, Products};
use shrike_core::calendar::Sessions;
use shrike_core::codes::{PhaseKind, PhaseSource, ProductClass};
use shrike_core::event::{InstrumentDef, MarketSlot, Phase};
use shrike_core::instrument::InstrumentId;
use shrike_core::pricing::smile::Svi;
use shrike_core::product::Product;
use shrike_core::units::{Nanos, SCALE, Text, TradingDay};
use walk::{Family, Term, Walk};
use worth::whole;

/// A breaker that trips so near the end of a phase would outlast it; the exchange lets the phase's end come first.
const BREAKER_MARGIN_NS: u64 = (BREAKER_MINUTES + 1) * 60 * Nanos::PER_SECOND;
/// Deviations of a step of the gap between two trading days.
const OVERNIGHT_SHOCK: i64 = 60;

/// The smile that a generated board's quotes of one expiry are drawn around.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BoardSmile {
    /// Product of the options.
    pub product: Text<16>,
    /// Their last trading day.
    pub expiry: TradingDay,
    /// Years of variance left, by the trading clock.
    pub years: f64,
    /// What the underlying is worth at expiry.
    pub forward: f64,
    /// What one unit at expiry is worth now.
    pub discount: f64,
    /// Total variance by log-moneyness.
    pub svi: Svi,
}

/// What happens at the moment that is ready, in order.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Define(usize),
    Phase(usize, Phase),
    Tick(usize),
    Settle(usize),
}

/// Where in a day an exchange stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before the phase of this index; behind the last one, before settling.
    Before(usize),
    /// Within it; the next snapshot is due then.
    Within(usize, Nanos),
}

/// The days of one exchange.
#[derive(Clone, Debug)]
struct Venue {
    family: Family,
    days: Vec<Day>,
    day: usize,
    place: Place,
    snapshot_ns: u64,
    /// Where in the interval it stamps its snapshots.
    phase_ns: u64,
}

impl Venue {
    fn today(&self) -> Option<&Day> {
        self.days.get(self.day)
    }

    fn next_at(&self) -> Nanos {
        match (self.today(), self.place) {
            (Some(day), Place::Before(index)) => day.spans.get(index).map_or(day.settles_at, |span| span.start),
            (Some(_), Place::Within(_, at)) => at,
            (None, _) => Nanos::MAX,
        }
    }

    /// The first snapshot of a phase: strictly after its start; an auction without cancels has one, before its end.
    fn first_in(&self, span: &Span) -> Nanos {
        let from = match span.kind {
            PhaseKind::AuctionNoCancel => span.end.get() - self.snapshot_ns,
            _ => span.start.get() + 1,
        };
        let grid = from - from % self.snapshot_ns + self.phase_ns;
        Nanos::new(if grid >= from { grid } else { grid + self.snapshot_ns })
    }
}

/// A board and what happens next on it.
#[derive(Clone, Debug)]
pub(super) struct Board {
    venues: [Venue; 2],
    walk: Walk,
    terms: Vec<Term>,
    lines: Vec<Line>,
    products: Products,
    listing: Listing,
    /// Days of the run that have begun on either exchange, and steps since the first.
    days_begun: usize,
    steps: u32,
    annual_vol_ppm: u32,
    jumps_per_day: u32,
    ex_dividend_day: u32,
    dividend_per_mille: i64,
    pending: Vec<Pending>,
    taken: usize,
    at: Nanos,
}

impl Board {
    /// A board before its first day.
    pub fn new(
        wanted: &MarketBoard,
        options: &MarketOptions,
        sessions: &Sessions,
        products: &[Product],
        stream: u64,
    ) -> Result<Self, MarketError> {
        let products = find(wanted, products)?;
        let refuse = |reason| MarketError::Product { product: wanted.name.clone(), reason };
        let mut rng = Rng::new(options.seed, stream);
        // Its own circuit breakers follow from its prices; no phase is cut, and no limit is run into by plan.
        let calm =
            MarketOptions { breaker_per_mille: 0, limit_up_per_mille: 0, limit_down_per_mille: 0, ..options.clone() };
        let mut venue = |family, product: &Product, phase_ms: u64| {
            let days = plan::days(&calm, sessions, product.exchange, product.code.as_str(), &mut rng)?;
            let snapshot_ns = u64::from(options.snapshot_ms) * Nanos::PER_MILLI;
            let phase_ns = phase_ms * Nanos::PER_MILLI % snapshot_ns;
            Ok::<_, MarketError>(Venue { family, days, day: 0, place: Place::Before(0), snapshot_ns, phase_ns })
        };
        let venues = [venue(Family::Index, &products.future, 400)?, venue(Family::Etf, &products.etf_option, 0)?];
        let days: Vec<TradingDay> = venues[0].days.iter().map(|day| day.day).collect();
        let first_day = days.first().copied().unwrap_or(options.first_day);
        let listing = Listing::plan(&days, sessions)?;
        let terms = listing.terms(first_day, &products, sessions)?;
        let lines = list::underlyings(wanted, &products).ok_or_else(|| refuse("its symbols are too long"))?;
        let index_ticks = wanted.first_index.raw() / (SCALE / 100);
        if !(10_000..10_000_000).contains(&index_ticks) {
            return Err(refuse("first_index must be 100 to 100000"));
        }
        let mut board = Self {
            venues,
            walk: Walk::new(index_ticks, options.annual_vol_ppm, rng),
            terms,
            lines: lines.to_vec(),
            products,
            listing,
            days_begun: 0,
            steps: 0,
            annual_vol_ppm: options.annual_vol_ppm,
            jumps_per_day: options.jumps_per_day,
            ex_dividend_day: wanted.ex_dividend_day,
            dividend_per_mille: i64::from(wanted.dividend_per_mille),
            pending: Vec::new(),
            taken: 0,
            at: Nanos::MAX,
        };
        let history = i64::from(wanted.history_per_mille);
        board.list(0, 1_000 - history, 1_000 + history);
        board.list_adjusted(board.dividend_per_mille);
        let opens = board.venues.iter().map(Venue::next_at).min().unwrap_or(Nanos::MAX);
        board.begin_lines(0, None, first_day, opens);
        // A moment holds at most a definition, a phase, a snapshot and a settlement of each; a run lists some more.
        board.pending.reserve(board.lines.len() * 4);
        Ok(board)
    }

    /// Gives the instruments of the start their ids, from `first` on, and takes up the first moment.
    pub fn begin(&mut self, first: u32) -> Vec<InstrumentDef> {
        for (line, id) in self.lines.iter_mut().zip(first..) {
            line.def.instrument = InstrumentId::new(id);
            line.tick.instrument = line.def.instrument;
        }
        let defs = self.lines.iter().map(|line| line.def).collect();
        self.advance();
        defs
    }

    /// The products of an instrument of the start, for its rates.
    pub fn product_of(&self, def: &InstrumentDef) -> Option<&Product> {
        let Products { future, index_option, etf_option, .. } = &self.products;
        [future, index_option, etf_option].into_iter().find(|product| product.code == def.product)
    }

    /// When the next event happens; the end of time when there is none.
    #[inline]
    pub const fn at(&self) -> Nanos {
        self.at
    }

    /// Writes the next event and makes the one after it ready. A newly listed instrument takes the next id. False at the
    /// end.
    pub fn take(&mut self, slot: &mut MarketSlot, next_id: &mut u32) -> bool {
        let Some(&pending) = self.pending.get(self.taken) else { return false };
        self.number(pending, next_id);
        let (Pending::Define(index) | Pending::Phase(index, _) | Pending::Tick(index) | Pending::Settle(index)) =
            pending;
        let (Some(line), day) = (self.lines.get(index), self.next_day_of(index)) else { return false };
        match pending {
            Pending::Define(_) => slot.put(&line.def),
            Pending::Phase(_, phase) => slot.put(&Phase { instrument: line.def.instrument, ..phase }),
            Pending::Tick(_) => slot.put(&line.tick),
            Pending::Settle(_) => slot.put(&line.settlement(day)),
        }
        slot.header_mut().recv_ns = self.at;
        self.go_on();
        true
    }

    /// Goes past the next event.
    pub fn pass(&mut self, next_id: &mut u32) {
        if let Some(&pending) = self.pending.get(self.taken) {
            self.number(pending, next_id);
            self.go_on();
        }
    }

    /// The smiles behind the quotes, by product and expiry.
    pub fn smiles(&self) -> impl Iterator<Item = BoardSmile> {
        self.terms.iter().filter(|term| term.expiry.years > 0.0).map(|term| BoardSmile {
            product: match term.family {
                Family::Index => self.products.index_option.code,
                Family::Etf => self.products.etf_option.code,
            },
            expiry: term.day,
            years: term.expiry.years,
            forward: term.expiry.forward,
            discount: term.expiry.discount(),
            svi: term.smile.raw(),
        })
    }

    fn number(&mut self, pending: Pending, next_id: &mut u32) {
        if let Pending::Define(index) = pending
            && let Some(line) = self.lines.get_mut(index)
            && line.def.instrument == InstrumentId::NONE
        {
            line.def.instrument = InstrumentId::new(*next_id);
            line.tick.instrument = line.def.instrument;
            *next_id += 1;
        }
    }

    fn go_on(&mut self) {
        self.taken += 1;
        if self.taken == self.pending.len() {
            self.advance();
        }
    }

    /// Goes on to the next moment at which something happens.
    fn advance(&mut self) {
        self.pending.clear();
        self.taken = 0;
        while self.pending.is_empty() {
            let [index, etf] = &self.venues;
            let of = usize::from(etf.next_at() < index.next_at());
            let Some(venue) = self.venues.get(of) else { return };
            self.at = venue.next_at();
            if self.at == Nanos::MAX {
                return;
            }
            match venue.place {
                Place::Within(phase, at) => self.snapshot(of, phase, at),
                Place::Before(phase) => match venue.today().and_then(|day| day.spans.get(phase)).copied() {
                    Some(span) => self.enter(of, phase, &span),
                    None => self.settle(of),
                },
            }
        }
    }

    /// A phase of an exchange begins.
    fn enter(&mut self, of: usize, phase: usize, span: &Span) {
        let [index, etf] = &mut self.venues;
        let venue = if of == 0 { index } else { etf };
        let Some((day, number)) = venue.today().map(|day| (day.day, venue.day)) else { return };
        let first = match span.kind {
            PhaseKind::Continuous | PhaseKind::AuctionMatch | PhaseKind::AuctionNoCancel => venue.first_in(span),
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
    fn begin_day(&mut self, number: usize, day: TradingDay, at: Nanos) {
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
        walk.value.begin_day(super::contract::limits(base, 100), deviation, jump_chance as u32, None);
        walk.value.shock(OVERNIGHT_SHOCK, &mut walk.rng);
        walk.begin_day(steps);
    }

    /// Lines from `first` on, of one family or both, begin a day: what they are worth, how they trade, their limits. New
    /// ones take what they are worth for their reference price, and those of the first day have open interest.
    fn begin_lines(&mut self, first: usize, family: Option<Family>, day: TradingDay, at: Nanos) {
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
    fn snapshot(&mut self, of: usize, phase: usize, at: Nanos) {
        let Some(venue) = self.venues.get_mut(of) else { return };
        let Some(span) = venue.today().and_then(|day| day.spans.get(phase)).copied() else { return };
        let next = if span.kind == PhaseKind::Continuous { at.after(venue.snapshot_ns) } else { span.end };
        venue.place = if next < span.end { Place::Within(phase, next) } else { Place::Before(phase + 1) };
        let family = venue.family;
        let trades = span.kind == PhaseKind::Continuous;
        if trades && family == Family::Index {
            self.steps += 1;
            self.walk.step(at.china_second() >= 13 * 3_600);
        }
        for term in self.terms.iter_mut().filter(|term| term.family == family) {
            self.walk.look(term, at);
        }
        for index in 0..self.lines.len() {
            if !self.is_live(index, family) {
                continue;
            }
            if trades { self.act(index, at, &span) } else { self.match_auction(index, at) }
        }
    }

    /// One line in continuous trading: what it trades and how it is quoted then, if it acts or its quotes are due.
    fn act(&mut self, index: usize, at: Nanos, span: &Span) {
        let Self { walk, steps, lines, .. } = self;
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
        if !(acts || line.is_unquoted() || line.worth.is_stale(walk.spot(line.family), walk.near)) {
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

    /// A call auction of one line ends in a trade at one price.
    fn match_auction(&mut self, index: usize, at: Nanos) {
        self.quote(index);
        let Some(line) = self.lines.get_mut(index) else { return };
        let before = line.shown();
        let lots = line.pace / 300;
        line.match_auction(lots, &mut self.walk.rng);
        if lots > 0 && line.shown() != before {
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
    fn settle(&mut self, of: usize) {
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

    /// The previous close of an underlying, raw.
    fn close_of(&self, family: Family) -> i64 {
        let kind = if family == Family::Index { Kind::Index } else { Kind::Etf };
        let line = self.lines.iter().find(|line| line.kind == kind);
        line.map_or(0, |line| line.settled * line.def.tick.raw())
    }

    fn is_live(&self, index: usize, family: Family) -> bool {
        self.lines.get(index).is_some_and(|line| !line.is_gone && line.family == family)
    }

    /// The trading day after the one that an instrument's exchange has just settled.
    fn next_day_of(&self, index: usize) -> TradingDay {
        let of = self.lines.get(index).map_or(0, |line| usize::from(line.family == Family::Etf));
        let venue = self.venues.get(of);
        let settled = venue.and_then(|venue| venue.days.get(venue.day.checked_sub(1)?));
        settled.map_or(TradingDay::ABSENT, |day| day.next_day)
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

/// The board's products in the tables.
fn find(wanted: &MarketBoard, products: &[Product]) -> Result<Products, MarketError> {
    let of = |class: ProductClass, code: &str| {
        let found = products.iter().find(|product| product.class == class && product.code.as_str() == code);
        found.copied().ok_or_else(|| MarketError::UnknownProduct { product: code.to_owned() })
    };
    let unknown = || MarketError::UnknownProduct { product: wanted.index.clone() };
    Ok(Products {
        index_symbol: Text::new(wanted.index.as_bytes()).ok_or_else(unknown)?,
        future: of(ProductClass::Future, &wanted.future)?,
        index_option: of(ProductClass::Option, &wanted.index_option)?,
        etf_option: of(ProductClass::Option, &wanted.etf_option)?,
    })
}
