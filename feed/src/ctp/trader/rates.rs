//! Margin and commission of the contracts. They never hold anything up: a contract begins with what the cache of an
//! earlier day says, else with what is assumed, and the counter's own word is asked for in the background, once for each
//! trading day: held and ordered contracts first, then those that strategies target. Options have questions of their own.

use super::cache;
use super::listing::Row;
use super::queries::Ask;
use crate::ctp::callback::{CommissionFacts, MarginFacts, OptionCostFacts, Symbol};
use crate::ctp::contracts::Contracts;
use shrike_core::codes::ProductClass;
use shrike_core::event::Rates;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Money, SCALE, Text, TradingDay};
use std::collections::BTreeMap;

/// What is assumed where nothing is known: ratios of the value, in units of 1e-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assumed {
    /// Margin.
    pub margin: i64,
    /// Each fee.
    pub fee: i64,
}

/// How much a contract's rates matter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Urgency {
    /// It is only followed.
    Followed,
    /// A strategy may want it.
    Targeted,
    /// It is held, or was ordered.
    Used,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    symbol: Symbol,
    rates: Rates,
    product: Text<16>,
    urgency: Urgency,
    /// Whether the counter has an answer: for futures and options.
    is_rated: bool,
    /// Days on which the counter last answered each half; absent: never.
    margin_day: TradingDay,
    commission_day: TradingDay,
    /// The day on which each half was last asked for, answered or not.
    margin_asked: TradingDay,
    commission_asked: TradingDay,
}

/// The rates of the contracts, by id.
#[derive(Clone, Debug)]
pub struct RateBook {
    assumed: Assumed,
    entries: Vec<Entry>,
    cached: BTreeMap<Symbol, Rates>,
    changed: bool,
}

impl RateBook {
    /// With the rates of a cache's text ([`Self::take_text`]). Lines that cannot be read are left out.
    pub fn new(assumed: Assumed, cache: &str) -> Self {
        Self { assumed, entries: Vec::new(), cached: cache::read(cache), changed: false }
    }

    /// A contract appears, or changes: its rates as far as they are known. `None` where it is known already.
    pub fn add(&mut self, row: &Row, contracts: &Contracts) -> Option<Rates> {
        if row.id.index() != self.entries.len() {
            return None;
        }
        let id = row.id;
        let assumed = contracts.assumed_rates(id, self.assumed.margin, self.assumed.fee)?;
        let cached = self.cached.get(&row.symbol).map(|rates| Rates { instrument: id, ..*rates });
        let day = cached.map_or(TradingDay::ABSENT, |rates| rates.effective_day);
        let rates = cached.unwrap_or(assumed);
        self.entries.push(Entry {
            symbol: row.symbol,
            rates,
            product: row.product,
            urgency: if contracts.targets(&row.symbol) { Urgency::Targeted } else { Urgency::Followed },
            is_rated: matches!(row.class, ProductClass::Future | ProductClass::Option),
            margin_day: day,
            commission_day: day,
            margin_asked: TradingDay::ABSENT,
            commission_asked: TradingDay::ABSENT,
        });
        Some(rates)
    }

    /// What is known of a contract.
    pub fn get(&self, id: InstrumentId) -> Option<&Rates> {
        self.entries.get(id.index()).map(|entry| &entry.rates)
    }

    /// The contract is held or ordered.
    pub fn use_of(&mut self, id: InstrumentId) {
        if let Some(entry) = self.entries.get_mut(id.index()) {
            entry.urgency = Urgency::Used;
        }
    }

    /// The next question of this trading day; `None` when all were asked.
    pub fn next(&self, today: TradingDay) -> Option<Ask> {
        let question = |urgency: Urgency| {
            let of_urgency = self.entries.iter().filter(move |entry| entry.urgency == urgency && entry.is_rated);
            of_urgency
                .filter(|entry| entry.margin_asked != today || entry.commission_asked != today)
                .map(|entry| match entry.margin_asked == today {
                    false => Ask::Margin(entry.rates.instrument),
                    true => Ask::Commission(entry.rates.instrument),
                })
                .next()
        };
        [Urgency::Used, Urgency::Targeted, Urgency::Followed].into_iter().find_map(question)
    }

    /// The question was answered, or refused: it is not put again today.
    pub fn asked(&mut self, ask: Ask, today: TradingDay) {
        match ask {
            Ask::Margin(id) => self.with(id, |entry| entry.margin_asked = today),
            Ask::Commission(id) => self.with(id, |entry| entry.commission_asked = today),
            _ => {}
        }
    }

    /// The counter's margin for a contract. A row may be of its product, so its name may be the symbol's beginning.
    pub fn margin(&mut self, id: InstrumentId, facts: &MarginFacts, exchange: (i64, i64), today: TradingDay) {
        let relative = if facts.is_relative { exchange } else { (0, 0) };
        let (long, short) = (facts.long_ratio.checked_add(relative.0), facts.short_ratio.checked_add(relative.1));
        let (Some(long), Some(short)) = (long, short) else { return };
        let sane =
            is_ratio(long) && is_ratio(short) && facts.long_per_lot.is_present() && facts.short_per_lot.is_present();
        self.told(id, &facts.symbol, sane, |entry| {
            (entry.rates.long_margin_ratio, entry.rates.short_margin_ratio) = (long, short);
            (entry.rates.long_margin_per_lot, entry.rates.short_margin_per_lot) =
                (facts.long_per_lot, facts.short_per_lot);
            entry.margin_day = today;
        });
    }

    /// The counter's margin for an option: of a written lot the premium, a fixed amount, and a least sum of both.
    pub fn option_margin(&mut self, id: InstrumentId, facts: &OptionCostFacts, today: TradingDay) {
        let sane = [facts.fixed_per_lot, facts.least_per_lot].iter().all(|amount| amount.is_present());
        self.told(id, &facts.symbol, sane, |entry| {
            let rates = &mut entry.rates;
            (rates.long_margin_ratio, rates.long_margin_per_lot) = (0, Money::ZERO);
            (rates.short_margin_ratio, rates.short_margin_per_lot) = (SCALE, facts.fixed_per_lot);
            rates.short_margin_least_per_lot = facts.least_per_lot;
            entry.margin_day = today;
        });
    }

    /// The counter's commission for a contract, as [`Self::margin`].
    pub fn commission(&mut self, id: InstrumentId, facts: &CommissionFacts, today: TradingDay) {
        let ratios = [facts.open_ratio, facts.close_ratio, facts.close_today_ratio];
        let amounts = [facts.open_per_lot, facts.close_per_lot, facts.close_today_per_lot];
        let sane = ratios.into_iter().all(is_ratio) && amounts.iter().all(|amount| amount.is_present());
        self.told(id, &facts.symbol, sane, |entry| {
            let rates = &mut entry.rates;
            [rates.open_ratio, rates.close_ratio, rates.close_today_ratio] = ratios;
            [rates.open_per_lot, rates.close_per_lot, rates.close_today_per_lot] = amounts;
            entry.commission_day = today;
        });
    }

    fn told(&mut self, id: InstrumentId, name: &Symbol, sane: bool, write: impl FnOnce(&mut Entry)) {
        let mut changed = false;
        self.with(id, |entry| {
            // An option's product is not what its symbol begins with: `m_o` of `m2409-C-3000`.
            let of_product = name.as_bytes() == entry.product.as_bytes();
            let names = !name.is_empty() && (entry.symbol.as_bytes().starts_with(name.as_bytes()) || of_product);
            if sane && names {
                write(entry);
                let whole = !entry.margin_day.is_absent() && !entry.commission_day.is_absent();
                entry.rates.assumed = u8::from(!whole);
                entry.rates.effective_day = entry.margin_day.min(entry.commission_day);
                changed = true;
            }
        });
        self.changed |= changed;
    }

    fn with(&mut self, id: InstrumentId, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(id.index()) {
            change(entry);
        }
    }

    /// The rates that the counter gave, for the next start; `None` when nothing changed since the last time.
    pub fn take_text(&mut self) -> Option<String> {
        std::mem::take(&mut self.changed).then(|| {
            let mut known = self.cached.clone();
            let told = self.entries.iter().filter(|entry| entry.rates.assumed == 0);
            known.extend(told.map(|entry| (entry.symbol, entry.rates)));
            cache::write(&known)
        })
    }
}

/// Whether a ratio can be one: of the value, from nothing to all of it and the same again.
const fn is_ratio(raw: i64) -> bool {
    raw >= 0 && raw <= 2 * SCALE
}
