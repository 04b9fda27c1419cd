//! An option board: an index, its ETF and its futures, and every option on index and ETF that the exchanges list, quoted
//! from one smile that moves (`walk`). The board walks the days of its two exchanges side by side and holds what happens
//! next ready, as `contract` does for a single contract. What a day does is in `day`, what is listed in `list`, what it is
//! worth in `worth`, the exchanges' rules in `facts`, one instrument in `line`. Runs on the edge thread; within a day it allocates nothing, a day's new strikes may.

mod day;
mod facts;
mod line;
mod list;
mod venue;
mod walk;
mod worth;

#[cfg(test)]
mod tests;

pub(super) use facts::nth_weekday;
pub use facts::short_name;

use super::plan;
use super::rng::Rng;
use super::{MarketBoard, MarketError, MarketOptions};
use line::{Kind, Line};
use list::{Listing, Products};
use shrike_core::calendar::Sessions;
use shrike_core::codes::ProductClass;
use shrike_core::event::{InstrumentDef, MarketSlot, Phase};
use shrike_core::instrument::InstrumentId;
use shrike_core::pricing::smile::Svi;
use shrike_core::product::Product;
use shrike_core::units::{Nanos, SCALE, Text, TradingDay};
use venue::{Place, Venue};
use walk::{Family, Term, Walk};

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
