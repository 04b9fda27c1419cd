//! The contracts of a recording, and what rows mean by them: the product's facts from the tables, times and trading
//! days by the exchange's habits, turnover and average price in one unit. Shared by the files of a recording.
#![allow(clippy::disallowed_types, reason = "looked up by symbol and day, never walked")]

use super::day::{Day, average};
use super::error::RecordingError;
use super::listing::{definition, product_of};
use super::row::Stamp;
use super::skip::{Skip, Skips};
use shrike_core::calendar::{CalendarError, NIGHT_END_SECOND, ROLL_SECOND, Sessions};
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::event::{DepthTick, InstrumentDef};
use shrike_core::instrument::InstrumentId;
use shrike_core::product::{Product, Products};
use shrike_core::units::{Nanos, Price, TradingDay, Turnover};
use std::collections::HashMap;
use std::sync::Arc;

/// A contract with rows.
#[derive(Debug)]
pub(super) struct Contract {
    symbol: String,
    pub(super) product: Product,
    /// Its definition, once announced.
    pub(super) def: Option<InstrumentDef>,
    /// The last tick delivered.
    pub(super) last: DepthTick,
    /// The stamp of its row, before repair.
    pub(super) last_stamp: Nanos,
    /// Its trading days so far: an index of [`Book::days`], or why rows of that day are refused.
    days: HashMap<TradingDay, Result<usize, Skip>>,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Index of [`Book::days`].
    pub(super) day: usize,
    pub(super) trading_day: TradingDay,
    pub(super) at: Nanos,
}

/// What the files of a recording share.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) sessions: Arc<Sessions>,
    products: Arc<Products>,
    pub(super) contracts: Vec<Contract>,
    pub(super) days: Vec<Day>,
    pub(super) skips: Skips,
    pub(super) errors: Vec<RecordingError>,
    by_symbol: HashMap<Vec<u8>, Option<usize>>,
}

/// So many unknown symbols are remembered, so that a damaged file cannot fill the memory.
const UNKNOWN_REMEMBERED_MAX: usize = 10_000;

impl Book {
    pub(super) fn new(sessions: Arc<Sessions>, products: Arc<Products>) -> Self {
        Self {
            sessions,
            products,
            contracts: Vec::new(),
            days: Vec::new(),
            skips: Skips::default(),
            errors: Vec::new(),
            by_symbol: HashMap::new(),
        }
    }

    /// The contract of a symbol; `None` when no table knows its product. `exchange` is empty on ordinary fronts.
    pub(super) fn contract(&mut self, symbol: &[u8], exchange: &[u8]) -> Option<usize> {
        if let Some(&known) = self.by_symbol.get(symbol) {
            return known;
        }
        let found = product_of(&self.products, symbol, exchange).map(|product| {
            self.contracts.push(Contract {
                symbol: String::from_utf8_lossy(symbol).into_owned(),
                product: *product,
                def: None,
                last: DepthTick::default(),
                last_stamp: Nanos::ABSENT,
                days: HashMap::new(),
            });
            self.contracts.len() - 1
        });
        if found.is_some() || self.by_symbol.len() < UNKNOWN_REMEMBERED_MAX {
            self.by_symbol.insert(symbol.to_vec(), found);
        }
        found
    }

    /// The trading day and the natural time of a row. `file` and `row` are for the error of a day without a calendar,
    /// which is told once for each contract and day.
    pub(super) fn place(&mut self, contract: usize, stamp: &Stamp, file: &str, row: u64) -> Result<Placed, Skip> {
        let Some(exchange) = self.contracts.get(contract).map(|contract| contract.product.exchange) else {
            return Err(Skip::UnknownInstrument);
        };
        let Stamp { mut trading_day, action_day, second, millis } = *stamp;
        let night = !(NIGHT_END_SECOND..ROLL_SECOND).contains(&second);
        let calendar = self.sessions.calendar();
        if night && exchange == Exchange::Czce && (action_day == trading_day || action_day.is_absent()) {
            // CZCE states the natural date where others state the trading day.
            trading_day = match calendar.next_trading_day(trading_day) {
                Ok(next) => next,
                Err(failure) => return Err(self.no_calendar(contract, trading_day, failure, file, row)),
            };
        }
        let day = match self.contracts.get(contract).and_then(|contract| contract.days.get(&trading_day)) {
            Some(&known) => known?,
            None => self.open_day(contract, trading_day, file, row)?,
        };
        let Ok(date) = self.sessions.calendar().natural_date(trading_day, second) else {
            return Err(Skip::NoCalendar);
        };
        // DCE states the trading day as the natural date at night. Any other date is a snapshot of an earlier day.
        if !action_day.is_absent() && action_day != date && !(night && action_day == trading_day) {
            return Err(Skip::Stale);
        }
        Ok(Placed { day, trading_day, at: Nanos::china(date, second, millis * 1_000_000) })
    }

    fn open_day(&mut self, contract: usize, day: TradingDay, file: &str, row: u64) -> Result<usize, Skip> {
        let Some(product) = self.contracts.get(contract).map(|contract| contract.product) else {
            return Err(Skip::UnknownInstrument);
        };
        let sessions = &self.sessions;
        let phases = |day| sessions.phases_of(product.exchange, product.code.as_str(), day);
        let next = sessions.calendar().next_trading_day(day).and_then(phases);
        let opened = match phases(day) {
            Ok(spans) => {
                self.days.push(Day::new(contract, day, spans, next.map_or(Nanos::ABSENT, |spans| spans.start())));
                Ok(self.days.len() - 1)
            }
            Err(CalendarError::NotTradingDay { .. }) => Err(Skip::NotTradingDay),
            Err(failure) => Err(self.no_calendar(contract, day, failure, file, row)),
        };
        if let Some(contract) = self.contracts.get_mut(contract) {
            contract.days.insert(day, opened);
        }
        opened
    }

    /// Tells once that a day has no calendar.
    fn no_calendar(&mut self, contract: usize, day: TradingDay, why: CalendarError, file: &str, row: u64) -> Skip {
        let days = self.contracts.get_mut(contract).map(|contract| &mut contract.days);
        if days.is_some_and(|days| days.insert(day, Err(Skip::NoCalendar)).is_none()) {
            self.errors.push(RecordingError::NoCalendar { file: file.to_owned(), row, day, why });
        }
        Skip::NoCalendar
    }

    /// What the next trading day's first row calls the previous settlement, when the recording has that day.
    pub(super) fn next_pre_settlement(&self, day: &Day) -> Price {
        let next = self.sessions.calendar().next_trading_day(day.trading_day).ok();
        let days = self.contracts.get(day.contract).map(|contract| &contract.days);
        let index = days.zip(next).and_then(|(days, next)| days.get(&next)?.ok());
        index.and_then(|index| self.days.get(index)).map_or(Price::ABSENT, |day| day.pre_settlement)
    }
}

impl Contract {
    /// Announces it under an id on its first trading day. `None` when its symbol is too long for an event.
    pub(super) fn announce(&mut self, id: InstrumentId, day: TradingDay, sessions: &Sessions) -> Option<InstrumentDef> {
        self.def = definition(&self.product, &self.symbol, id, day, sessions.calendar());
        self.def
    }

    /// Its id, once announced.
    pub(super) fn id(&self) -> Option<InstrumentId> {
        self.def.as_ref().map(|def| def.instrument)
    }

    /// Whether a price of zero is a price: of combinations only, which are differences.
    pub(super) fn zero_is_price(&self) -> bool {
        self.product.class == ProductClass::Combination
    }

    /// [`settle_units`] of its multiplier.
    pub(super) fn settle_units(&self, tick: &mut DepthTick) {
        settle_units(self.product.multiplier, tick);
    }
}

/// Turnover with the multiplier, average price without it, whatever front it came from. CTP before 6.7.1 computes
/// CZCE's turnover without; it gives CZCE's average as a price and the others' multiplied. Which it is shows beside
/// the last price: a multiplier is at least 2, and the day's average is never that far from it.
pub(crate) fn settle_units(multiplier: i64, tick: &mut DepthTick) {
    let near = tick.last.some().or(tick.pre_settlement.some());
    if let Some(near) = near.filter(|near| multiplier > 1 && near.raw() > 0) {
        let per_lot = average(tick.turnover, tick.volume, 1);
        if per_lot.is_present() && below_middle(per_lot, near, multiplier) {
            tick.turnover = tick.turnover.raw().checked_mul(multiplier).map_or(Turnover::ABSENT, Turnover::from_raw);
        }
        if tick.average.is_present() && !below_middle(tick.average, near, multiplier) {
            tick.average = Price::from_raw((tick.average.raw() + multiplier / 2).div_euclid(multiplier));
        }
    }
    if tick.average.is_absent() {
        tick.average = average(tick.turnover, tick.volume, multiplier);
    }
}

/// Whether a price is nearer to `near` than to `multiplier` times it.
fn below_middle(price: Price, near: Price, multiplier: i64) -> bool {
    2 * i128::from(price.raw()) < i128::from(near.raw()) * i128::from(multiplier + 1)
}
