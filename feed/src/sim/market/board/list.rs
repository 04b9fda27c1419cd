//! What is listed: the instruments of a board before its first day, the strikes and months that later days add, and what
//! a dividend makes of the ETF's options.

use super::facts::{self, ETF_OPTIONS, INDEX_FUTURES, INDEX_OPTIONS, Month, Months};
use super::line::{Kind, Line};
use super::walk::{Family, Term};
use super::{Board, MarketBoard};
use shrike_core::calendar::{CalendarError, Sessions};
use shrike_core::codes::{Exchange, OptionType, PhaseKind, ProductClass};
use shrike_core::event::InstrumentDef;
use shrike_core::instrument::InstrumentId;
use shrike_core::pricing::clock::{ClockWeights, TradingClock};
use shrike_core::product::Product;
use shrike_core::units::{Lots, Nanos, Price, SCALE, Text, TradingDay};
use std::sync::Arc;

/// The products of a board.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products {
    pub index_symbol: Text<16>,
    pub future: Product,
    pub index_option: Product,
    pub etf_option: Product,
}

/// Everything that is listed on some day of a run, planned ahead: which months on which trading day.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// By trading day of the run: months of ETF options, index options and futures.
    months: Vec<[Vec<Month>; 3]>,
    /// First code of the ETF's options; each takes the next.
    next_code: u32,
}

/// Numbers of SSE's contracts have eight digits; where these begin is of no meaning.
const FIRST_CODE: u32 = 10_007_001;
/// Strikes of an ETF's options on each side of the money.
const ETF_STRIKES: usize = 4;

impl Listing {
    /// The months of each day of a run.
    pub fn plan(days: &[TradingDay], sessions: &Sessions) -> Result<Self, CalendarError> {
        let calendar = sessions.calendar();
        let on = |day: &TradingDay| {
            let of = |months: Months| months.on(*day, calendar);
            Ok([of(ETF_OPTIONS)?, of(INDEX_OPTIONS)?, of(INDEX_FUTURES)?])
        };
        Ok(Self { months: days.iter().map(on).collect::<Result<_, _>>()?, next_code: FIRST_CODE })
    }

    /// Terms to all of these expiries, options at the average where the index settles.
    pub fn terms(
        &self,
        from: TradingDay,
        products: &Products,
        sessions: &Sessions,
    ) -> Result<Vec<Term>, CalendarError> {
        let mut dates: Vec<(Family, TradingDay)> = Vec::new();
        for [etf, index, futures] in &self.months {
            dates.extend(etf.iter().map(|month| (Family::Etf, month.expiry)));
            dates.extend(index.iter().chain(futures).map(|month| (Family::Index, month.expiry)));
        }
        dates.sort_unstable_by_key(|&(family, day)| (family == Family::Etf, day));
        dates.dedup();
        let clock = |family: Family, product: &Product| {
            let of_family = dates.iter().filter(|date| date.0 == family);
            let until = of_family.map(|date| date.1).max().unwrap_or(from);
            // The future's sessions are those of its options.
            let (exchange, code) = (product.exchange, product.code.as_str());
            let phases = sessions.phases_of(exchange, code, from)?;
            let trading = phases
                .iter()
                .filter(|phase| phase.kind == PhaseKind::Continuous || phase.kind == PhaseKind::ClosingAuction);
            let minutes = trading.map(|phase| phase.end.since(phase.start) / (60 * Nanos::PER_SECOND)).sum::<u64>();
            let weights = ClockWeights::new(minutes as f64, 0.25, 0.1, 0.05);
            TradingClock::new(sessions, exchange, code, from, until, &weights).map(Arc::new)
        };
        let index = clock(Family::Index, &products.future)?;
        let etf = clock(Family::Etf, &products.etf_option)?;
        let term = |&(family, day): &(Family, TradingDay)| match family {
            Family::Index => Term::new(family, day, Arc::clone(&index), true),
            Family::Etf => Term::new(family, day, Arc::clone(&etf), false),
        };
        Ok(dates.iter().map(term).collect())
    }

    fn of_day(&self, day: usize) -> Option<&[Vec<Month>; 3]> {
        self.months.get(day)
    }
}

impl Board {
    /// Lists what a day of the run has and the board does not, strikes between `low` and `high` of the underlying in
    /// thousandths of where it stands. Returns the lines from the first new one on.
    pub(super) fn list(&mut self, day: usize, low: i64, high: i64) -> usize {
        let first = self.lines.len();
        let Some([etf, index, futures]) = self.listing.of_day(day).cloned() else { return first };
        for month in futures {
            self.list_future(month);
        }
        for month in index {
            let spot = self.spot_raw(Family::Index);
            let step = |strike| facts::index_strike_step(strike, month.is_far);
            for strike in facts::strikes(spot * low.min(900) / 1_000, spot * high.max(1_100) / 1_000, step) {
                self.list_options(Family::Index, month, strike);
            }
        }
        for month in etf {
            let spot = self.spot_raw(Family::Etf);
            let (mut from, mut until) = (spot * low / 1_000, spot * high / 1_000);
            for _ in 0..ETF_STRIKES {
                from -= facts::etf_strike_step(from - 1);
                until += facts::etf_strike_step(until);
            }
            for strike in facts::strikes(from, until, facts::etf_strike_step) {
                self.list_options(Family::Etf, month, strike);
            }
        }
        first
    }

    /// Options listed before the last dividend, by their terms since: those of the two quarterly months near the money.
    pub(super) fn list_adjusted(&mut self, dividend_per_mille: i64) {
        let spot = self.spot_raw(Family::Etf);
        let dividend = spot * dividend_per_mille / 1_000;
        let etf = self.listing.of_day(0).map(|[etf, ..]| etf.clone()).unwrap_or_default();
        for month in etf.into_iter().filter(|month| month.is_far) {
            for old in facts::strikes(spot * 900 / 1_000, spot * 1_100 / 1_000, facts::etf_strike_step) {
                let (unit, strike) =
                    facts::adjusted(self.products.etf_option.multiplier, old, spot + dividend, dividend);
                for line in self.list_options_of(Family::Etf, month, strike) {
                    (line.def.multiplier, line.def.adjusted) = (unit, 1);
                }
            }
        }
    }

    /// The ETF goes ex dividend: its options keep their worth by a larger unit and a lower strike. Returns which changed.
    pub(super) fn pay_dividend(&mut self, dividend_per_mille: i64) -> Vec<usize> {
        let close = self.spot_raw(Family::Etf);
        let dividend = close * dividend_per_mille / 1_000;
        let mut changed = Vec::new();
        for (index, line) in self.lines.iter_mut().enumerate() {
            if line.kind == Kind::Etf {
                line.sums.last -= dividend / line.def.tick.raw();
                line.settled = line.sums.last;
            } else if line.family == Family::Etf && !line.is_gone {
                let (unit, strike) = facts::adjusted(line.def.multiplier, line.def.strike.raw(), close, dividend);
                line.settled = (line.settled * line.def.multiplier + unit / 2) / unit;
                line.sums.last = (line.sums.last * line.def.multiplier + unit / 2) / unit;
                (line.def.multiplier, line.def.strike, line.def.adjusted) = (unit, Price::from_raw(strike), 1);
                changed.push(index);
            }
        }
        self.walk.pay(close, dividend);
        changed
    }

    /// The underlying where it stands, raw.
    #[allow(clippy::float_arithmetic, reason = "the walk's level, on its way to whole numbers")]
    fn spot_raw(&self, family: Family) -> i64 {
        (self.walk.spot(family) * SCALE as f64).round() as i64
    }

    fn list_future(&mut self, month: Month) {
        let product = self.products.future;
        let symbol = format!("{}{:02}{:02}", product.code.as_str(), month.year % 100, month.month);
        let Some(term) = self.term_of(Family::Index, month.expiry) else { return };
        self.add(&product, &symbol, Kind::Future(term), month, Price::ABSENT, Text::EMPTY);
    }

    fn list_options(&mut self, family: Family, month: Month, strike: i64) {
        self.list_options_of(family, month, strike);
    }

    /// Adds a call and a put where they are not listed; what was added.
    fn list_options_of(&mut self, family: Family, month: Month, strike: i64) -> &mut [Line] {
        let first = self.lines.len();
        let Some(term) = self.term_of(family, month.expiry) else { return &mut [] };
        let product = match family {
            Family::Index => self.products.index_option,
            Family::Etf => self.products.etf_option,
        };
        let price = Price::from_raw(strike);
        for right in [OptionType::Call, OptionType::Put] {
            let kind = Kind::Option(term, right);
            if self.lines.iter().any(|line| line.kind == kind && line.def.strike == price && line.def.adjusted == 0) {
                continue;
            }
            let symbol = match family {
                Family::Index => {
                    let letter = if right == OptionType::Call { 'C' } else { 'P' };
                    let (code, year) = (product.code.as_str(), month.year % 100);
                    format!("{code}{year:02}{:02}-{letter}-{price}", month.month)
                }
                Family::Etf => {
                    self.listing.next_code += 1;
                    (self.listing.next_code - 1).to_string()
                }
            };
            let underlying = match family {
                Family::Index => Text::new(self.products.index_symbol.as_bytes()),
                Family::Etf => Text::new(product.underlying.as_bytes()),
            };
            self.add(&product, &symbol, kind, month, price, underlying.unwrap_or_default());
        }
        self.lines.get_mut(first..).unwrap_or_default()
    }

    fn add(&mut self, product: &Product, symbol: &str, kind: Kind, month: Month, strike: Price, underlying: Text<24>) {
        if self.lines.iter().any(|line| line.def.symbol.as_str() == symbol) {
            return;
        }
        let Some(def) = product.instrument(InstrumentId::NONE, symbol) else { return };
        let (Kind::Future(term) | Kind::Option(term, _)) = kind else { return };
        let option_type = if let Kind::Option(_, right) = kind { right.code() } else { 0 };
        let def = InstrumentDef { expiry: month.expiry, strike, underlying, option_type, ..def };
        let family = self.terms.get(term).map_or(Family::Index, |term| term.family);
        self.lines.push(Line::new(def, kind, family, 0));
    }

    fn term_of(&self, family: Family, day: TradingDay) -> Option<usize> {
        self.terms.iter().position(|term| term.family == family && term.day == day)
    }
}

/// Index and ETF: quoted only, since this account trades neither.
pub(super) fn underlyings(board: &MarketBoard, products: &Products) -> Option<[Line; 2]> {
    let spot = |symbol: &str, tick: i64| {
        Some(InstrumentDef {
            instrument: InstrumentId::NONE,
            symbol: Text::new(symbol.as_bytes())?,
            product: Text::new(symbol.as_bytes())?,
            tick: Price::from_raw(tick),
            multiplier: 1,
            strike: Price::ABSENT,
            min_lots: Lots::new(1),
            max_limit_lots: Lots::new(1),
            upper_limit: Price::ABSENT,
            lower_limit: Price::ABSENT,
            pre_settlement: Price::ABSENT,
            exchange: Exchange::Sse.code(),
            class: ProductClass::Spot.code(),
            ..InstrumentDef::default()
        })
    };
    let index = board.first_index.raw() / (SCALE / 100);
    let etf = board.first_index.raw() / 1_000 / (SCALE / 1_000);
    Some([
        Line::new(spot(products.index_symbol.as_str(), SCALE / 100)?, Kind::Index, Family::Index, index),
        Line::new(spot(products.etf_option.underlying.as_str(), SCALE / 1_000)?, Kind::Etf, Family::Etf, etf),
    ])
}
