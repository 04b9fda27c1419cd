//! The trader's own view of the shared contracts: what a report's symbol is, without a lock, and which definitions the
//! order stage has not seen.

use crate::ctp::callback::Symbol;
use crate::ctp::contracts::SharedContracts;
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::event::InstrumentDef;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Text;
use std::collections::BTreeMap;

/// What reports and requests need of a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its id.
    pub id: InstrumentId,
    /// Its code.
    pub symbol: Symbol,
    /// Its exchange.
    pub exchange: Exchange,
    /// Units per lot.
    pub multiplier: i64,
    /// What it is, which decides the questions about its rates.
    pub class: ProductClass,
    /// Its product: what a counter's row of rates may be named by.
    pub product: Text<16>,
}

/// The view.
pub struct Listing {
    shared: SharedContracts,
    rows: Vec<Row>,
    by_symbol: BTreeMap<Symbol, InstrumentId>,
    cursor: usize,
    seen: u64,
}

impl Listing {
    /// Nothing seen yet.
    pub const fn new(shared: SharedContracts) -> Self {
        Self { shared, rows: Vec::new(), by_symbol: BTreeMap::new(), cursor: 0, seen: 0 }
    }

    /// The table behind it.
    pub const fn shared(&self) -> &SharedContracts {
        &self.shared
    }

    /// The contract of an id.
    pub fn get(&self, id: InstrumentId) -> Option<&Row> {
        self.rows.get(id.index())
    }

    /// The id of a symbol that was seen.
    pub fn find(&self, symbol: &Symbol) -> Option<InstrumentId> {
        self.by_symbol.get(symbol).copied()
    }

    /// Whether the table has changed since the last look.
    pub fn has_news(&mut self) -> bool {
        let changes = self.shared.changes();
        std::mem::replace(&mut self.seen, changes) != changes
    }

    /// Follows the table: definitions and changes since the last time, in order.
    pub fn news(&mut self) -> Vec<InstrumentDef> {
        let news: Vec<_> = self.shared.lock().since(&mut self.cursor).copied().collect();
        for def in &news {
            let symbol = Symbol::new(def.symbol.as_bytes());
            let (Some(symbol), Some(exchange), Some(class)) = (symbol, def.exchange(), def.class()) else { continue };
            let (id, multiplier, product) = (def.instrument, def.multiplier, def.product);
            let row = Row { id, symbol, exchange, multiplier, class, product };
            match self.rows.get_mut(def.instrument.index()) {
                Some(place) => *place = row,
                None => {
                    self.rows.push(row);
                    self.by_symbol.insert(symbol, def.instrument);
                }
            }
        }
        news
    }
}
