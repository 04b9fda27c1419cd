//! The contracts of a home: symbol to id, shared by the trader, which learns of them from the counter, and the feed, which
//! announces and subscribes them. Ids are given once and never change; a home's journals seed them at a start. Read and
//! written by the edge's thread when something is new, never for a tick.
#![allow(clippy::disallowed_types, reason = "two owners at the edge, met only when a contract is new")]

use super::callback::{InstrumentFacts, StatusFacts, Symbol};
use super::decode;
use crate::recording::{definition, product_of};
use shrike_core::calendar::Sessions;
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::event::{InstrumentDef, Rates};
use shrike_core::instrument::InstrumentId;
use shrike_core::product::Products;
use shrike_core::units::{Nanos, Price, Text, TradingDay};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which symbols: those that a home defines and subscribes, or that its strategies target.
pub type Wanted = Box<dyn Fn(&str) -> bool + Send>;

/// The table; each reader follows [`Contracts::since`] with a cursor of its own.
pub struct Contracts {
    rows: Vec<InstrumentDef>,
    /// The exchange's own margin ratios, long and short, which some counters' rates only add to.
    exchange_margin: Vec<(i64, i64)>,
    by_symbol: BTreeMap<Symbol, InstrumentId>,
    /// Ids in the order in which they were defined or changed.
    log: Vec<InstrumentId>,
    /// Changes of phase as the exchanges pushed them to the trader, with the time on the engine's clock.
    statuses: Vec<(StatusFacts, Nanos)>,
    /// Counts what was added to either log.
    changes: Arc<AtomicU64>,
    day: TradingDay,
    listed: TradingDay,
    wanted: Wanted,
    targeted: Wanted,
    sessions: Arc<Sessions>,
    products: Arc<Products>,
}

/// The table in the hands of several owners.
#[derive(Clone)]
pub struct SharedContracts {
    table: Arc<Mutex<Contracts>>,
    changes: Arc<AtomicU64>,
}

impl SharedContracts {
    /// Shares a table.
    pub fn new(contracts: Contracts) -> Self {
        let changes = contracts.changes.clone();
        Self { table: Arc::new(Mutex::new(contracts)), changes }
    }

    /// Grows with each definition, change and push, so that a reader need not look for news in vain. One load.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The table, for a moment. A thread that died with it in hand left it whole: every change is one push.
    pub fn lock(&self) -> MutexGuard<'_, Contracts> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contracts {
    /// An empty table. `wanted` says which of the counter's contracts get an id without being held or ordered.
    pub fn new(sessions: Arc<Sessions>, products: Arc<Products>, wanted: Wanted) -> Self {
        Self {
            rows: Vec::new(),
            exchange_margin: Vec::new(),
            by_symbol: BTreeMap::new(),
            log: Vec::new(),
            statuses: Vec::new(),
            changes: Arc::default(),
            day: TradingDay::ABSENT,
            listed: TradingDay::ABSENT,
            wanted,
            targeted: Box::new(|_| false),
            sessions,
            products,
        }
    }

    /// Says which contracts strategies may target: their rates are asked for before the others'.
    pub fn target(&mut self, targeted: Wanted) {
        self.targeted = targeted;
    }

    /// Takes over a definition that the home's journals hold. They must come in the order of their ids; false, and
    /// nothing changes, for one that does not fit.
    pub fn seed(&mut self, def: &InstrumentDef) -> bool {
        let Some(symbol) = Symbol::new(def.symbol.as_bytes()) else { return false };
        self.put(symbol, InstrumentDef { effective_day: TradingDay::ABSENT, ..*def }, Some(def.instrument)).is_some()
    }

    /// How many contracts there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The definition of an id.
    pub fn get(&self, id: InstrumentId) -> Option<&InstrumentDef> {
        self.rows.get(id.index())
    }

    /// The id of a symbol that is known.
    pub fn find(&self, symbol: &Symbol) -> Option<InstrumentId> {
        self.by_symbol.get(symbol).copied()
    }

    /// The trading day of the latest trading login; absent before one.
    pub fn trading_day(&self) -> TradingDay {
        self.day
    }

    /// A login opened this trading day.
    pub fn set_trading_day(&mut self, day: TradingDay) {
        self.day = self.day.max(day);
    }

    /// The trading day for which the counter's list of contracts is complete; absent before one.
    pub fn listed(&self) -> TradingDay {
        self.listed
    }

    /// The counter's list of this trading day is complete.
    pub fn set_listed(&mut self, day: TradingDay) {
        self.listed = day;
    }

    /// Definitions and changes that a reader has not seen; its cursor moves to the end.
    pub fn since(&self, cursor: &mut usize) -> impl Iterator<Item = &InstrumentDef> {
        let news = self.log.get(*cursor..).unwrap_or(&[]);
        *cursor = self.log.len();
        news.iter().filter_map(|id| self.get(*id))
    }

    /// An exchange pushed a change of phase.
    pub fn push_status(&mut self, status: &StatusFacts, at: Nanos) {
        self.statuses.push((*status, at));
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Pushes that a reader has not seen; its cursor moves to the end.
    pub fn statuses_since(&self, cursor: &mut usize) -> &[(StatusFacts, Nanos)] {
        let from = std::mem::replace(cursor, self.statuses.len());
        self.statuses.get(from..).unwrap_or(&[])
    }

    /// Whether a symbol is among those that the home follows.
    pub fn wants(&self, symbol: &Symbol) -> bool {
        (self.wanted)(symbol.as_str())
    }

    /// Whether a symbol is among those that strategies may target.
    pub fn targets(&self, symbol: &Symbol) -> bool {
        (self.targeted)(symbol.as_str())
    }

    /// The id of a symbol, defined from the product tables when it is new. `None` when no table knows its product.
    pub fn ensure(&mut self, symbol: &Symbol, exchange: Option<Exchange>) -> Option<InstrumentId> {
        if let Some(id) = self.find(symbol) {
            return Some(id);
        }
        let stated = exchange.map_or("", Exchange::name);
        let product = *product_of(&self.products, symbol.as_bytes(), stated.as_bytes())?;
        let day = if self.day.is_absent() { self.sessions.calendar().covered().0 } else { self.day };
        let mut def = definition(&product, symbol.as_str(), self.next_id(), day, self.sessions.calendar())?;
        if self.day.is_absent() {
            // Which decade a three-digit month belongs to is not known without a day.
            def.expiry = TradingDay::ABSENT;
        }
        self.put(*symbol, def, None)
    }

    /// Takes in the counter's word on a contract that is wanted or known. `None` for any other, and for one that makes no
    /// contract.
    pub fn learn(&mut self, facts: &InstrumentFacts) -> Option<InstrumentId> {
        let known = self.find(&facts.symbol);
        let (exchange, class) = (facts.exchange?, facts.class?);
        if known.is_none() && !self.wants(&facts.symbol) {
            return None;
        }
        let before = known.and_then(|id| self.get(id)).copied().unwrap_or_default();
        let adjusted = facts.class == Some(ProductClass::Option)
            && self.products.get(exchange, facts.product.as_str()).is_some_and(|p| p.multiplier != facts.multiplier);
        let def = InstrumentDef {
            symbol: Text::new(facts.symbol.as_bytes())?,
            product: facts.product,
            underlying: Text::new(facts.underlying.as_bytes()).unwrap_or_default(),
            tick: facts.tick,
            multiplier: facts.multiplier,
            strike: if facts.option.is_some() { facts.strike } else { Price::ABSENT },
            min_lots: facts.min_limit_lots,
            max_limit_lots: facts.max_limit_lots,
            max_market_lots: facts.max_market_lots,
            upper_limit: Price::ABSENT,
            lower_limit: Price::ABSENT,
            pre_settlement: Price::ABSENT,
            expiry: if facts.expiry.is_absent() { before.expiry } else { facts.expiry },
            exchange: exchange.code(),
            class: class.code(),
            option_type: facts.option.map_or(0, |option| option.code()),
            adjusted: u8::from(adjusted),
            tradable: u8::from(facts.is_trading),
            effective_day: self.day,
            ..InstrumentDef::default()
        };
        let id = self.put(facts.symbol, def, None)?;
        if let Some(margin) = self.exchange_margin.get_mut(id.index()) {
            *margin = (facts.long_margin_ratio.max(0), facts.short_margin_ratio.max(0));
        }
        Some(id)
    }

    /// What the tick decoder needs to know of a contract. Whether the front leaves CZCE's turnover without the multiplier
    /// is seen later, beside the last price.
    pub fn decoding(&self, symbol: &Symbol) -> Option<decode::Contract> {
        let def = self.get(self.find(symbol)?)?;
        let exchange = def.exchange()?;
        Some(decode::Contract {
            instrument: def.instrument,
            exchange,
            multiplier: def.multiplier,
            zero_is_price: def.class() == Some(ProductClass::Combination),
            bare_turnover: false,
        })
    }

    /// The exchange's own margin ratios of a contract, long and short, in units of 1e-8; zero when not told.
    pub fn exchange_margin(&self, id: InstrumentId) -> (i64, i64) {
        self.exchange_margin.get(id.index()).copied().unwrap_or_default()
    }

    /// What a contract is assumed to cost until the counter says: the tables' rates, and at least these ratios of the
    /// value for margin and for each fee.
    pub fn assumed_rates(&self, id: InstrumentId, margin: i64, fee: i64) -> Option<Rates> {
        let def = self.get(id)?;
        let product = self.products.get(def.exchange()?, def.product.as_str());
        let table = product.map_or(Rates { instrument: id, assumed: 1, ..Rates::default() }, |p| p.rates(id));
        let rates = Rates {
            open_ratio: table.open_ratio.max(fee),
            close_ratio: table.close_ratio.max(fee),
            close_today_ratio: table.close_today_ratio.max(fee),
            ..table
        };
        Some(rates.with_margin(def, self.products.margin_ratio(def).max(margin)))
    }

    fn next_id(&self) -> InstrumentId {
        InstrumentId::new(self.rows.len() as u32)
    }

    /// Adds a row, or replaces the one of the symbol where anything but its day differs.
    fn put(&mut self, symbol: Symbol, def: InstrumentDef, must_be: Option<InstrumentId>) -> Option<InstrumentId> {
        if symbol.is_empty() || def.tick.raw() <= 0 || def.multiplier <= 0 || def.exchange().is_none() {
            return None;
        }
        def.class()?;
        let id = self.find(&symbol).unwrap_or_else(|| self.next_id());
        if must_be.is_some_and(|must| must != id) {
            return None;
        }
        let def = InstrumentDef { instrument: id, ..def };
        match self.rows.get_mut(id.index()) {
            Some(row) if row.exchange != def.exchange => return None,
            Some(row) if InstrumentDef { effective_day: row.effective_day, ..def } == *row => return Some(id),
            Some(row) => *row = def,
            None => {
                self.rows.push(def);
                self.exchange_margin.push((0, 0));
                self.by_symbol.insert(symbol, id);
            }
        }
        self.log.push(id);
        self.changes.fetch_add(1, Ordering::Release);
        Some(id)
    }
}
