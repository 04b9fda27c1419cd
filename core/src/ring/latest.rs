//! The latest value of each row, for one writer and one reader that never wait for each other. A row is a triple
//! buffer: the writer fills its own cell and exchanges it for the middle one, the reader exchanges its own for the
//! middle when that is new. Dirty bits, 64 rows a word, say which rows to look at.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that the table lives in: the machine's, or loom's in the tests, where each ordering is also weakened once.
pub(super) trait Memory: 'static {
    /// A 64-bit atomic word.
    type Word: Word;
    /// A cell that one side owns at a time.
    type Cell<T>: Cell<T>;
    /// Handing a cell over and taking one: both sides' exchange of the middle cell.
    const EXCHANGE: Ordering = Ordering::AcqRel;
    /// The writer marks the row dirty: the exchange must be visible to who sees the mark.
    const MARK: Ordering = Ordering::Release;
    /// The reader collects the marks.
    const COLLECT: Ordering = Ordering::Acquire;
}

/// What the table needs of an atomic word.
pub(super) trait Word {
    fn new(value: u64) -> Self;
    fn load(&self, order: Ordering) -> u64;
    fn swap(&self, value: u64, order: Ordering) -> u64;
    fn fetch_or(&self, bits: u64, order: Ordering) -> u64;
}

/// What the table needs of a cell.
pub(super) trait Cell<T> {
    fn new(value: T) -> Self;
    fn read<R>(&self, f: impl FnOnce(*const T) -> R) -> R;
    fn write<R>(&self, f: impl FnOnce(*mut T) -> R) -> R;
}

/// The machine's memory.
pub(super) struct Machine;

impl Memory for Machine {
    type Word = AtomicU64;
    type Cell<T> = UnsafeCell<T>;
}

impl Word for AtomicU64 {
    fn new(value: u64) -> Self {
        AtomicU64::new(value)
    }
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }
    #[inline]
    fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.swap(value, order)
    }
    #[inline]
    fn fetch_or(&self, bits: u64, order: Ordering) -> u64 {
        self.fetch_or(bits, order)
    }
}

impl<T> Cell<T> for UnsafeCell<T> {
    fn new(value: T) -> Self {
        UnsafeCell::new(value)
    }
    #[inline]
    fn read<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.get())
    }
    #[inline]
    fn write<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.get())
    }
}

/// Bits of a row's middle word: which cell is in the middle, and whether the reader has not seen it.
const CELL: u64 = 0b011;
const NEW: u64 = 0b100;
const ROWS_PER_WORD: usize = u64::BITS as usize;

struct Row<S, M: Memory> {
    middle: M::Word,
    cells: [M::Cell<S>; 3],
}

struct Table<S, M: Memory> {
    rows: Box<[Row<S, M>]>,
    dirty: Box<[M::Word]>,
}

/// A table of `rows` latest values: its writing and its reading end. Everything is allocated and written here.
pub fn latest<S: Default + Send + 'static>(rows: usize) -> (LatestWriter<S>, LatestReader<S>) {
    let (writer, reader) = split::<S, Machine>(rows);
    (LatestWriter(writer), LatestReader(reader))
}

/// The writing end, for one thread.
pub struct LatestWriter<S>(Writer<S, Machine>);

impl<S> LatestWriter<S> {
    /// Replaces the value of a row; `write` gets a cell that holds some older value of the row. False, and nothing is
    /// written, when there is no such row. Never waits; two atomic exchanges.
    #[inline]
    pub fn put(&mut self, row: usize, write: impl FnOnce(&mut S)) -> bool {
        self.0.put(row, write)
    }

    /// Whether the reader has not collected the row's latest value yet.
    #[inline]
    pub fn is_pending(&self, row: usize) -> bool {
        self.0.is_pending(row)
    }
}

/// The reading end, for one thread.
pub struct LatestReader<S>(Reader<S, Machine>);

impl<S> LatestReader<S> {
    /// Shows up to `max` rows that were written since they were last shown to `handle`, each with its latest value;
    /// returns how many. Goes on where it stopped, so every row has its turn. Never waits.
    #[inline]
    pub fn sweep(&mut self, max: usize, handle: impl FnMut(usize, &S)) -> usize {
        self.0.sweep(max, handle)
    }

    /// Whether a row was written and not yet shown. Costs a load for every 64 rows.
    #[inline]
    pub fn has_available(&self) -> bool {
        self.0.has_available()
    }
}

pub(super) fn split<S: Default, M: Memory>(rows: usize) -> (Writer<S, M>, Reader<S, M>) {
    let row = |_| Row { middle: M::Word::new(1), cells: std::array::from_fn(|_| M::Cell::new(S::default())) };
    let words = rows.div_ceil(ROWS_PER_WORD);
    let table =
        Arc::new(Table { rows: (0..rows).map(row).collect(), dirty: (0..words).map(|_| M::Word::new(0)).collect() });
    let writer = Writer { table: Arc::clone(&table), own: vec![0; rows].into() };
    (writer, Reader { table, own: vec![2; rows].into(), word: 0, collected: 0 })
}

pub(super) struct Writer<S, M: Memory> {
    table: Arc<Table<S, M>>,
    /// The cell of each row that is the writer's: never the middle one, never the reader's.
    own: Box<[u8]>,
}

pub(super) struct Reader<S, M: Memory> {
    table: Arc<Table<S, M>>,
    /// The cell of each row that is the reader's.
    own: Box<[u8]>,
    /// The word of dirty bits to look at, and what was collected from it and not yet shown.
    word: usize,
    collected: u64,
}

// SAFETY: the table's cells are reached only through the one writer and the one reader (neither can be cloned, all
// methods that touch cells take `&mut self`), and the three cell indexes of a row (writer's, middle, reader's) are a
// permutation of 0..3 at any time: an exchange gives one away and takes one. So no cell is reached by both threads at
// once, and the acquire-release exchange orders the accesses of successive owners. Values move between threads: `S: Send`.
#[allow(unsafe_code)]
unsafe impl<S: Send> Send for Writer<S, Machine> {}
// SAFETY: as for the writer.
#[allow(unsafe_code)]
unsafe impl<S: Send> Send for Reader<S, Machine> {}

impl<S, M: Memory> Writer<S, M> {
    #[inline]
    pub(super) fn put(&mut self, row: usize, write: impl FnOnce(&mut S)) -> bool {
        let (Some(at), Some(own)) = (self.table.rows.get(row), self.own.get_mut(row)) else { return false };
        let Some(cell) = at.cells.get(*own as usize) else { return false };
        // SAFETY: the cell is the writer's, see above; `&mut self` makes this the only reference.
        #[allow(unsafe_code)]
        cell.write(|value| write(unsafe { &mut *value }));
        *own = (at.middle.swap(*own as u64 | NEW, M::EXCHANGE) & CELL) as u8;
        if let Some(word) = self.table.dirty.get(row / ROWS_PER_WORD) {
            word.fetch_or(1 << (row % ROWS_PER_WORD), M::MARK);
        }
        true
    }

    /// Relaxed: the writer alone sets the bit; reading it late only means to conflate once more.
    #[inline]
    pub(super) fn is_pending(&self, row: usize) -> bool {
        self.table.rows.get(row).is_some_and(|row| row.middle.load(Ordering::Relaxed) & NEW != 0)
    }
}

impl<S, M: Memory> Reader<S, M> {
    #[inline]
    pub(super) fn sweep(&mut self, max: usize, mut handle: impl FnMut(usize, &S)) -> usize {
        let (mut shown, mut words_left) = (0, self.table.dirty.len());
        while shown < max {
            if self.collected == 0 {
                if words_left == 0 {
                    break;
                }
                words_left -= 1;
                self.word = (self.word + 1) % self.table.dirty.len();
                self.collected = match self.table.dirty.get(self.word) {
                    Some(word) if word.load(Ordering::Relaxed) != 0 => word.swap(0, M::COLLECT),
                    _ => 0,
                };
                continue;
            }
            let row = self.word * ROWS_PER_WORD + self.collected.trailing_zeros() as usize;
            self.collected &= self.collected - 1;
            shown += usize::from(self.show(row, &mut handle));
        }
        shown
    }

    /// Shows a row if its middle cell is new: the writer's next value may have been taken with an earlier mark.
    #[inline]
    fn show(&mut self, row: usize, handle: &mut impl FnMut(usize, &S)) -> bool {
        let (Some(at), Some(own)) = (self.table.rows.get(row), self.own.get_mut(row)) else { return false };
        if at.middle.load(Ordering::Relaxed) & NEW == 0 {
            return false;
        }
        *own = (at.middle.swap(*own as u64, M::EXCHANGE) & CELL) as u8;
        let Some(cell) = at.cells.get(*own as usize) else { return false };
        // SAFETY: the cell is the reader's until the next exchange, see above.
        #[allow(unsafe_code)]
        cell.read(|value| handle(row, unsafe { &*value }));
        true
    }

    #[inline]
    pub(super) fn has_available(&self) -> bool {
        self.collected != 0 || self.table.dirty.iter().any(|word| word.load(Ordering::Relaxed) != 0)
    }
}
