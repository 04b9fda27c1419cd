//! The books as bytes and back, for the snapshot at a session's end, and their digest. Rows are written as they lie in
//! memory, so equal books give equal bytes; indexes and sums are built again. Reading checks every code.

use super::account::Account;
use super::details::Detail;
use super::fills::FillKey;
use super::position::{Position, Worth};
use super::venue_books::{VenueBook, VenueFunds};
use super::{Capacity, Cell, Ledger, Order};
use crate::event::{FundsReport, InstrumentDef};
use bytemuck::{CheckedBitPattern, Pod, Zeroable};

/// Why bytes are no ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RestoreError {
    /// Not a ledger's snapshot, or one of another version.
    #[error("this is no ledger snapshot of version {VERSION}: recover from the journal instead")]
    Foreign,
    /// Too short or too long, or a code no version knows, or the bytes do not fit their digest.
    #[error("the ledger snapshot is damaged: recover from the journal instead")]
    Damaged,
}

const MAGIC: u64 = u64::from_le_bytes(*b"SHRKBOOK");
/// Counts up when a row's layout changes; an older snapshot is then refused and the journal folded instead.
const VERSION: u32 = 3;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Head {
    magic: u64,
    version: u32,
    /// Bytes of a row of each table: a build with another layout is foreign.
    row_bytes: [u32; 6],
    pad: u32,
    instruments: u64,
    details: u64,
    orders: u64,
    live: u64,
    fills: u64,
    strategies: u64,
    funds_told: u32,
    has_funds: u32,
}

const ROW_BYTES: [u32; 6] = [
    size_of::<Position>() as u32,
    size_of::<Detail>() as u32,
    size_of::<VenueBook>() as u32,
    size_of::<Order>() as u32,
    size_of::<FillKey>() as u32,
    size_of::<Account>() as u32,
];

/// Digest of a snapshot: FNV-1a over 64-bit words, folded so that high bits reach the low ones. Every part of a
/// snapshot is whole words, so the parts give what the bytes in one piece give.
struct Digest(u64);

impl Digest {
    const NEW: Self = Self(0xCBF2_9CE4_8422_2325);

    fn add(&mut self, bytes: &[u8]) {
        for &word in bytes.as_chunks().0 {
            self.0 = (self.0 ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01B3);
            self.0 ^= self.0 >> 29;
        }
    }
}

struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn take<T: CheckedBitPattern>(&mut self) -> Result<T, RestoreError> {
        let (row, rest) = self.0.split_at_checked(size_of::<T>()).ok_or(RestoreError::Damaged)?;
        self.0 = rest;
        bytemuck::checked::try_pod_read_unaligned(row).map_err(|_| RestoreError::Damaged)
    }

    fn rows<T: CheckedBitPattern>(&mut self, count: u64) -> Result<Vec<T>, RestoreError> {
        (0..count).map(|_| self.take()).collect()
    }
}

impl Ledger {
    /// Hands the books out as bytes, part by part, each of whole words.
    fn parts(&self, mut part: impl FnMut(&[u8])) {
        let funds = self.venue_funds;
        part(bytemuck::bytes_of(&Head {
            magic: MAGIC,
            version: VERSION,
            row_bytes: ROW_BYTES,
            pad: 0,
            instruments: self.positions.len() as u64,
            details: self.details.rows().len() as u64,
            orders: self.orders.rows().len() as u64,
            live: self.orders.live() as u64,
            fills: self.fills.keys().len() as u64,
            strategies: self.strategies as u64,
            funds_told: funds.map_or(0, |funds| funds.told),
            has_funds: funds.is_some() as u32,
        }));
        part(bytemuck::bytes_of(&self.account));
        part(bytemuck::bytes_of(&funds.map_or_else(FundsReport::default, |funds| funds.report)));
        self.instruments.iter().for_each(|def| part(bytemuck::bytes_of(def)));
        part(bytemuck::cast_slice(&self.positions));
        part(bytemuck::cast_slice(self.details.rows()));
        part(bytemuck::cast_slice(&self.venue));
        part(bytemuck::cast_slice(&self.cells));
        part(bytemuck::cast_slice(self.orders.rows()));
        self.orders.all_live().for_each(|(index, _)| part(&(index.get() as u64).to_le_bytes()));
        part(bytemuck::cast_slice(self.fills.keys()));
    }

    /// A number that tells two ledgers apart: equal after equal facts in equal order. Reads every row.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::NEW;
        self.parts(|bytes| digest.add(bytes));
        digest.0
    }

    /// Appends the books to `out`, their digest last.
    pub fn snapshot(&self, out: &mut Vec<u8>) {
        self.parts(|bytes| out.extend_from_slice(bytes));
        out.extend_from_slice(&self.digest().to_le_bytes());
    }

    /// Reads what [`Self::snapshot`] wrote, into books with room for `capacity`. A capacity of fewer strategies than
    /// were written keeps those written.
    pub fn restore(bytes: &[u8], capacity: Capacity) -> Result<Self, RestoreError> {
        let (body, told) = bytes.split_last_chunk::<8>().ok_or(RestoreError::Foreign)?;
        let mut source = Source(body);
        let head: Head = source.take().map_err(|_| RestoreError::Foreign)?;
        if (head.magic, head.version, head.row_bytes) != (MAGIC, VERSION, ROW_BYTES) {
            return Err(RestoreError::Foreign);
        }
        let mut digest = Digest::NEW;
        digest.add(body);
        let strategies = usize::try_from(head.strategies).map_err(|_| RestoreError::Damaged)?;
        if digest.0.to_le_bytes() != *told || strategies < 2 {
            return Err(RestoreError::Damaged);
        }
        let account: Account = source.take()?;
        let report: FundsReport = source.take()?;
        let defs: Vec<InstrumentDef> = source.rows(head.instruments)?;
        let positions: Vec<Position> = source.rows(head.instruments)?;
        let details: Vec<Detail> = source.rows(head.details)?;
        let venue: Vec<VenueBook> = source.rows(head.instruments)?;
        let cells: Vec<Cell> = source.rows(head.instruments.saturating_mul(head.strategies))?;
        let orders: Vec<Order> = source.rows(head.orders)?;
        let live: Vec<u64> = source.rows(head.live)?;
        let fills: Vec<FillKey> = source.rows(head.fills)?;
        if !source.0.is_empty() {
            return Err(RestoreError::Damaged);
        }

        let mut ledger = Self::new(Capacity { strategies: capacity.strategies.max(strategies - 2), ..capacity });
        for def in &defs {
            ledger.instruments.define(def).map_err(|_| RestoreError::Damaged)?;
            ledger.orders.add_contract();
        }
        for cells in cells.chunks(strategies) {
            // The shared row of strategies beyond the greatest number stays the last.
            let (shared, own) = cells.split_last().ok_or(RestoreError::Damaged)?;
            ledger.cells.extend_from_slice(own);
            ledger.cells.resize(ledger.cells.len() + ledger.strategies - strategies, Cell::default());
            ledger.cells.push(*shared);
        }
        ledger.details.restore(&details).ok_or(RestoreError::Damaged)?;
        if !positions.iter().all(|position| position.adds_up(&ledger.details)) {
            return Err(RestoreError::Damaged);
        }
        ledger.positions.extend_from_slice(&positions);
        ledger.venue.extend_from_slice(&venue);
        ledger.orders.restore(orders.into_iter(), live.into_iter());
        for key in fills {
            ledger.fills.note(key);
        }
        for position in &ledger.positions {
            ledger.totals.replace(&Worth::ZERO, &position.worth);
        }
        ledger.account = account;
        ledger.venue_funds = (head.has_funds != 0).then_some(VenueFunds { report, told: head.funds_told });
        Ok(ledger)
    }
}
