//! Open addressing over a table kept elsewhere: which row has this key. No random state, so that two runs probe alike;
//! rows are never removed one by one, only all at once at the day roll.

/// No row.
pub(super) const NONE: u32 = u32::MAX;

/// Row numbers by the hash of their keys. Linear probing at a load of at most one half within the capacity given, and
/// of three quarters beyond it, where it grows: an index that loses rows would lose fills.
#[derive(Clone, Debug)]
pub(super) struct Index {
    slots: Vec<u32>,
    used: usize,
}

impl Index {
    /// Room for `capacity` rows without allocating again.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { slots: vec![NONE; capacity.saturating_mul(2).next_power_of_two().max(16)], used: 0 }
    }

    /// The row whose key `is_key` recognises, among those put in under `hash`. O(1) expected.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_key: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get(at) {
                Some(&row) if row != NONE => {
                    if is_key(row) {
                        return Some(row);
                    }
                }
                _ => return None,
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a row in under `hash`. `hash_of` gives every row's hash again when the index must grow.
    pub(super) fn insert(&mut self, hash: u64, row: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            let wider = vec![NONE; self.slots.len() * 2];
            let rows = std::mem::replace(&mut self.slots, wider);
            for row in rows.into_iter().filter(|&row| row != NONE) {
                self.place(hash_of(row), row);
            }
        }
        self.place(hash, row);
        self.used += 1;
    }

    fn place(&mut self, hash: u64, row: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == NONE {
                *slot = row;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Empties the index and keeps its room.
    pub(super) fn clear(&mut self) {
        self.slots.fill(NONE);
        self.used = 0;
    }
}

/// Mixes words into a hash: multiply and fold, as FxHash with a final avalanche so that the low bits are usable.
#[inline]
pub(super) fn mix(words: &[u64]) -> u64 {
    let mut hash = 0u64;
    for &word in words {
        hash = (hash.rotate_left(26) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_before_and_after_growing() {
        let keys: Vec<u64> = (0..1_000).map(|n| n * n + 7).collect();
        let hash_of = |row: u32| mix(&[keys[row as usize]]);
        let mut index = Index::with_capacity(10);
        for row in 0..keys.len() as u32 {
            index.insert(hash_of(row), row, hash_of);
        }
        for (row, &key) in keys.iter().enumerate() {
            assert_eq!(index.find(mix(&[key]), |row| keys[row as usize] == key), Some(row as u32));
        }
        assert_eq!(index.find(mix(&[3]), |row| keys[row as usize] == 3), None);
        index.clear();
        assert_eq!(index.find(hash_of(0), |row| row == 0), None);
    }
}
