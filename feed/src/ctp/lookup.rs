//! Which contract a snapshot is of: a fixed hash table over the contracts that are subscribed. The session builds it
//! before it subscribes; CTP's callback thread looks every snapshot up in it. It is never changed, only replaced.

use super::callback::Symbol;
use super::decode::Contract;
use shrike_core::units::{Nanos, TradingDay};

/// The subscribed contracts, by symbol.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    /// The login's trading day, which some snapshots do not carry at night.
    session_day: TradingDay,
    midnight: Nanos,
    /// Open addressing, at most half full; a power of two, or empty.
    places: Box<[Option<Place>]>,
}

/// A symbol as four words, zero-padded, and what it stands for: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Place {
    key: Key,
    contract: Contract,
}

type Key = [u64; 4];

impl Contracts {
    /// The table of these contracts on a trading day. Of a symbol that comes twice the last counts. Allocates.
    pub fn new(session_day: TradingDay, contracts: impl IntoIterator<Item = (Symbol, Contract)>) -> Self {
        let contracts: Vec<_> = contracts.into_iter().collect();
        let places = vec![None; (contracts.len() * 2).next_power_of_two()].into();
        let mut table = Self { session_day, midnight: Nanos::ABSENT, places };
        for (symbol, contract) in contracts {
            let key = key(symbol.as_bytes());
            if let Some(place) = table.place(&key).and_then(|at| table.places.get_mut(at)) {
                *place = Some(Place { key, contract });
            }
        }
        table
    }

    /// The login's trading day.
    #[inline]
    pub const fn session_day(&self) -> TradingDay {
        self.session_day
    }

    /// In the events' own time: the midnight within the session's night, which tells a snapshot's date where it does not
    /// say it (DCE's at night). Absent: its time of receipt tells.
    #[inline]
    pub const fn midnight(&self) -> Nanos {
        self.midnight
    }

    /// The same with that midnight.
    pub fn with_midnight(self, midnight: Nanos) -> Self {
        Self { midnight, ..self }
    }

    /// The contract that a snapshot names; what follows the name's zero byte does not count. A few nanoseconds.
    #[inline]
    pub fn find(&self, name: &[u8; 81]) -> Option<&Contract> {
        let key = key_of_field(name)?;
        self.places.get(self.place(&key)?)?.as_ref().map(|place| &place.contract)
    }

    /// Where the key is, or the empty place where it would be. `None`: the table has no places.
    #[inline]
    fn place(&self, key: &Key) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash(key) & mask;
        while let Some(Some(place)) = self.places.get(at) {
            if place.key == *key {
                break;
            }
            at = (at + 1) & mask;
        }
        Some(at)
    }
}

/// Multiplication spreads the few letters and digits of a symbol into the upper half.
#[inline]
fn hash(key: &Key) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let [a, b, c, d] = *key;
    let words = a ^ b.rotate_left(17) ^ c.rotate_left(31) ^ d.rotate_left(47);
    (words.wrapping_mul(ODD) >> 32) as usize
}

fn key(symbol: &[u8]) -> Key {
    let mut bytes = [0; 32];
    let len = symbol.len().min(bytes.len());
    if let (Some(room), Some(symbol)) = (bytes.get_mut(..len), symbol.get(..len)) {
        room.copy_from_slice(symbol);
    }
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| words.get(i).map_or(0, |word| u64::from_le_bytes(*word)))
}

/// The key of a name up to its zero byte; `None` when it has more than 32 bytes, which no symbol has.
#[inline]
fn key_of_field(name: &[u8; 81]) -> Option<Key> {
    let (words, rest) = name.as_chunks::<8>();
    let mut key = [0; 4];
    for (word, bytes) in key.iter_mut().zip(words) {
        let value = u64::from_le_bytes(*bytes);
        // The lowest set bit marks the first zero byte (Mycroft's test; a false mark can only stand above it).
        let zero = value.wrapping_sub(0x0101_0101_0101_0101) & !value & 0x8080_8080_8080_8080;
        if zero != 0 {
            *word = value & ((1_u64 << (zero.trailing_zeros() - 7)) - 1);
            return Some(key);
        }
        *word = value;
    }
    debug_assert_eq!(rest.len(), 1, "81 bytes");
    (*name.get(32)? == 0).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shrike_core::codes::Exchange;
    use shrike_core::instrument::InstrumentId;
    use std::collections::BTreeMap;

    fn contract(index: u32) -> Contract {
        Contract {
            instrument: InstrumentId::new(index),
            exchange: Exchange::Shfe,
            multiplier: 10,
            zero_is_price: false,
            bare_turnover: false,
        }
    }

    fn field(name: &[u8], after: u8) -> [u8; 81] {
        let mut field = [after; 81];
        field[..name.len()].copy_from_slice(name);
        field[name.len()] = 0;
        field
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        assert!(Contracts::default().find(&field(b"rb2505", 0)).is_none());
        assert!(Contracts::new(TradingDay::ABSENT, []).find(&field(b"", 0)).is_none());
    }

    #[test]
    fn names_without_an_end_find_nothing() {
        let table = Contracts::new(TradingDay::ABSENT, [(Symbol::new(&[b'x'; 32]).unwrap(), contract(0))]);
        assert!(table.find(&[b'x'; 81]).is_none());
        assert!(table.find(&field(&[b'x'; 33], 0)).is_none());
        assert!(table.find(&field(&[b'x'; 31], 0)).is_none());
        assert!(table.find(&field(&[b'x'; 32], 0xff)).is_some());
    }

    proptest! {
        #[test]
        fn it_is_a_map(
            names in prop::collection::vec(prop::collection::vec(1_u8..=255, 0..=32), 0..200),
            others in prop::collection::vec(prop::collection::vec(1_u8..=255, 0..=40), 0..50),
            after: u8,
        ) {
            let rows = || names.iter().zip(0_u32..);
            let symbols = rows().map(|(name, index)| (Symbol::new(name).unwrap(), contract(index)));
            let table = Contracts::new(TradingDay::ABSENT, symbols);
            let map: BTreeMap<_, _> = rows().collect();
            for name in names.iter().chain(&others) {
                let found = table.find(&field(name, after)).map(|contract| contract.instrument.get());
                prop_assert_eq!(found, map.get(name).copied());
            }
        }
    }
}
