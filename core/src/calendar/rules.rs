//! What each phase allows: a dense table of bits by exchange and phase, compiled from rows with sources. The order stage
//! asks it for every order: one array index, no branch on the way.

use crate::codes::{Exchange, OrderType, PhaseKind, TimeInForce};

/// One row: in these phases, these exchanges take these orders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Exchanges the row is for.
    pub exchanges: Vec<Exchange>,
    /// Phases the row is for.
    pub phases: Vec<PhaseKind>,
    /// Orders that may be entered.
    pub orders: Vec<(OrderType, TimeInForce)>,
    /// Whether orders may be cancelled.
    pub cancels: bool,
}

/// Orders and cancels allowed, by exchange and phase. What no row allows is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderRules {
    bits: [[u16; Self::PHASES]; Self::EXCHANGES],
}

impl Default for OrderRules {
    /// Nothing is allowed.
    fn default() -> Self {
        Self { bits: [[0; Self::PHASES]; Self::EXCHANGES] }
    }
}

impl OrderRules {
    const EXCHANGES: usize = 16;
    const PHASES: usize = 16;
    const CANCEL: u16 = 1;

    /// Compiles the rows; rows for the same exchange and phase add up.
    pub fn new(rows: &[Rule]) -> Self {
        let mut rules = Self::default();
        for row in rows {
            let orders = row.orders.iter().map(|&(kind, life)| Self::order_bit(kind, life));
            let bits = orders.fold(if row.cancels { Self::CANCEL } else { 0 }, |bits, bit| bits | bit);
            for &exchange in &row.exchanges {
                for &phase in &row.phases {
                    rules.bits[exchange as usize % Self::EXCHANGES][phase as usize % Self::PHASES] |= bits;
                }
            }
        }
        rules
    }

    #[inline]
    const fn order_bit(kind: OrderType, life: TimeInForce) -> u16 {
        let life = match life {
            TimeInForce::Day => 0,
            TimeInForce::Fak => 1,
            TimeInForce::Fok => 2,
        };
        match kind {
            OrderType::Limit => 1 << (1 + life),
            OrderType::Market => 1 << (4 + life),
        }
    }

    #[inline]
    const fn get(&self, exchange: Exchange, phase: PhaseKind) -> u16 {
        self.bits[exchange as usize % Self::EXCHANGES][phase as usize % Self::PHASES]
    }

    /// Whether the exchange takes such an order in that phase. Whether the contract takes market orders at all is its
    /// `max_market_lots`.
    #[inline]
    pub const fn order_allowed(
        &self,
        exchange: Exchange,
        phase: PhaseKind,
        kind: OrderType,
        life: TimeInForce,
    ) -> bool {
        self.get(exchange, phase) & Self::order_bit(kind, life) != 0
    }

    /// Whether the exchange takes cancels in that phase.
    #[inline]
    pub const fn cancel_allowed(&self, exchange: Exchange, phase: PhaseKind) -> bool {
        self.get(exchange, phase) & Self::CANCEL != 0
    }
}

// The table has room for every code.
const _: () = {
    let mut index = 0;
    while index < Exchange::ALL.len() {
        assert!((Exchange::ALL[index] as usize) < OrderRules::EXCHANGES);
        index += 1;
    }
    index = 0;
    while index < PhaseKind::ALL.len() {
        assert!((PhaseKind::ALL[index] as usize) < OrderRules::PHASES);
        index += 1;
    }
};
