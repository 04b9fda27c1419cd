//! Memory of one segment, mapped or on the heap: the only place that writes and reads frames. One writer appends;
//! readers in any thread or process see a record only after its length word, which is stored last. Relies on: one
//! writer (the journal's lock), and bytes of published records never changing.
#![allow(unsafe_code)]

pub(crate) mod crc;
pub(crate) mod ordering;

use crate::format::{HEADER_PAGE, MARK_OFFSET, SegmentHeader, padded};
use memmap2::MmapRaw;
use ordering::{Memory, Word};
use shrike_core::event::Header;
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// A cache line of simulated memory.
#[repr(C, align(64))]
struct Line([u8; 64]);

/// What keeps the bytes.
enum Backing {
    Mapped(MmapRaw),
    /// Reached through `base` only.
    Heap {
        _lines: Box<[UnsafeCell<Line>]>,
    },
}

// SAFETY: the lines are reached through the handles' `base` only, by the rules stated there.
unsafe impl Send for Backing {}
// SAFETY: as above.
unsafe impl Sync for Backing {}

struct Shared {
    /// Bytes published by the writer, header page included; zero until the segment begins.
    written: AtomicU32,
    /// The writer has left the segment.
    sealed: AtomicBool,
    memory: Backing,
}

/// A handle to a segment's memory; clones share it.
#[derive(Clone)]
pub struct Segment {
    base: NonNull<u8>,
    len: u32,
    shared: Arc<Shared>,
}

// SAFETY: `base` points into `shared.memory`, which lives as long as any handle and never moves. Bytes are written by
// the one writer above `written` only, and read by others below it or below a length word that was loaded with acquire;
// the length words and the mark are only touched as atomics.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

/// Copies `A + B` bytes. Of more than 128 at once the compiler makes a call, which costs more than they do.
///
/// # Safety
/// As of [`std::ptr::copy_nonoverlapping`].
#[inline]
unsafe fn straight<const A: usize, const B: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: as the caller says.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, A);
        std::ptr::copy_nonoverlapping(from.add(A), to.add(A), B);
    }
}

impl Memory for Segment {
    #[inline]
    fn copy(&self, offset: u32, bytes: &[u8]) {
        debug_assert!(offset as usize + bytes.len() <= self.len as usize);
        // SAFETY: the caller has checked the bounds of the page or frame; nobody looks at it before its magic or length.
        unsafe {
            let to = self.base.as_ptr().add(offset as usize);
            // What most bodies measure goes without a call.
            match bytes.len() {
                80 => straight::<80, 0>(bytes.as_ptr(), to),
                144 => straight::<80, 64>(bytes.as_ptr(), to),
                208 => straight::<80, 128>(bytes.as_ptr(), to),
                len => std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, len),
            }
        }
    }

    #[inline]
    fn store(&self, word: Word, value: u64, order: Ordering) {
        match word {
            // SAFETY: the caller has checked that it is in bounds and aligned; so below.
            Word::Length(offset) => unsafe { self.length(offset) }.store(value as u32, order),
            // SAFETY: as above.
            Word::Magic => unsafe { self.word(0) }.store(value, order),
            // SAFETY: as above.
            Word::Mark => unsafe { self.word(MARK_OFFSET) }.store(value, order),
            Word::Written => self.shared.written.store(value as u32, order),
            Word::Sealed => self.shared.sealed.store(value != 0, order),
        }
    }

    #[inline]
    fn load(&self, word: Word, order: Ordering) -> u64 {
        match word {
            // SAFETY: the caller has checked that it is in bounds and aligned; so below.
            Word::Length(offset) => u64::from(unsafe { self.length(offset) }.load(order)),
            // SAFETY: as above.
            Word::Magic => unsafe { self.word(0) }.load(order),
            // SAFETY: as above.
            Word::Mark => unsafe { self.word(MARK_OFFSET) }.load(order),
            Word::Written => u64::from(self.shared.written.load(order)),
            Word::Sealed => u64::from(self.shared.sealed.load(order)),
        }
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("len", &self.len).field("written", &self.written()).finish_non_exhaustive()
    }
}

impl Segment {
    /// A segment in a mapped file; up to 4 GiB of it count.
    pub(crate) fn mapped(map: MmapRaw) -> Self {
        let len = u32::try_from(map.len()).unwrap_or(u32::MAX) & !7;
        // A mapping of a file is never at address zero.
        let base = NonNull::new(map.as_mut_ptr()).unwrap_or(NonNull::dangling());
        Self::new(base, len, Backing::Mapped(map))
    }

    /// A zeroed segment on the heap.
    pub(crate) fn heap(len: u32) -> Self {
        let lines = (len as usize).div_ceil(64);
        let memory: Box<[UnsafeCell<Line>]> = (0..lines).map(|_| UnsafeCell::new(Line([0; 64]))).collect();
        // From the whole slice, not its first element: the pointer spans all lines. A box is never at address zero.
        let base = NonNull::new(memory.as_ptr().cast::<u8>().cast_mut()).unwrap_or(NonNull::dangling());
        Self::new(base, len, Backing::Heap { _lines: memory })
    }

    fn new(base: NonNull<u8>, len: u32, memory: Backing) -> Self {
        let shared = Arc::new(Shared { written: AtomicU32::new(0), sealed: AtomicBool::new(false), memory });
        Self { base, len, shared }
    }

    /// Bytes of the segment's memory.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no memory.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes the writer has published through this handle's memory, header page included.
    #[inline]
    pub(crate) fn written(&self) -> u32 {
        ordering::written(self)
    }

    /// Whether the writer has left the segment; then [`Self::written`] is final.
    pub(crate) fn is_sealed(&self) -> bool {
        ordering::is_left(self)
    }

    /// The writer leaves the segment.
    pub(crate) fn seal(&self) {
        ordering::leave(self);
    }

    /// Writes the header page, the magic last. Only the writer calls it, once, before any frame.
    pub(crate) fn begin(&self, header: &SegmentHeader) {
        if self.len >= HEADER_PAGE {
            ordering::begin(self, header);
        }
    }

    /// Whether the segment begins with any magic at all.
    #[inline]
    pub(crate) fn has_begun(&self) -> bool {
        self.len >= HEADER_PAGE && ordering::has_begun(self)
    }

    /// The durable mark's word.
    #[inline]
    pub(crate) fn mark(&self) -> u64 {
        if self.len < HEADER_PAGE { 0 } else { ordering::mark(self) }
    }

    /// The durable mark's word, and the length word at `offset` as it is after that: see [`ordering::look_again`].
    pub(crate) fn look_again(&self, offset: u32) -> (u64, u32) {
        let inside =
            self.len >= HEADER_PAGE && offset.is_multiple_of(64) && u64::from(offset) + 4 <= u64::from(self.len);
        if inside { ordering::look_again(self, offset) } else { (self.mark(), 0) }
    }

    /// Stores the durable mark's word. Only for segments that are mapped to be written.
    pub(crate) fn set_mark(&self, mark: u64) {
        if self.len >= HEADER_PAGE {
            ordering::set_mark(self, mark);
        }
    }

    /// Appends a frame at `offset`, the end of what is written: body, header, and the length word last. False, and
    /// nothing is written, when it would not fit. Only the writer calls it. The room up to the next frame is zero.
    #[inline]
    pub(crate) fn put(&self, offset: u32, header: &Header, body: &[u8]) -> bool {
        let end = offset as usize + padded(Header::SIZE + body.len());
        if end > self.len as usize || !offset.is_multiple_of(64) {
            return false;
        }
        ordering::publish(self, offset, header, body);
        true
    }

    /// The length word at `offset`: zero where no record is published yet, or beyond the memory.
    #[inline]
    pub(crate) fn length_at(&self, offset: u32) -> u32 {
        if !offset.is_multiple_of(64) || u64::from(offset) + 4 > u64::from(self.len) {
            return 0;
        }
        ordering::observe(self, offset)
    }

    /// Bytes from `start` to `end`, as far as they are in the memory. The caller has seen them published: below
    /// `written`, inside a frame whose length word was loaded, in a header page that has begun, or with no writer alive.
    #[inline]
    pub(crate) fn bytes(&self, start: u32, end: u32) -> &[u8] {
        let end = end.min(self.len);
        let start = start.min(end);
        // SAFETY: in bounds; published bytes never change (the mark in the header page is read as bytes only by the
        // thread that writes it, or with no writer alive).
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(start as usize), (end - start) as usize) }
    }

    /// The record of `len` bytes at `offset`, if so many are in the memory there. The caller has seen it published, as with
    /// [`Self::bytes`].
    #[inline]
    pub(crate) fn record(&self, offset: u32, len: u32) -> Option<(&Header, &[u8])> {
        const HEADER: u32 = Header::SIZE as u32;
        let inside =
            offset.is_multiple_of(64) && len >= HEADER && u64::from(offset) + u64::from(len) <= u64::from(self.len);
        if !inside {
            return None;
        }
        // SAFETY: in bounds and, since the memory is 64-byte aligned, aligned; any bytes are a header; published bytes never
        // change.
        unsafe {
            let start = self.base.as_ptr().add(offset as usize);
            let body = std::slice::from_raw_parts(start.add(Header::SIZE), (len - HEADER) as usize);
            Some((&*start.cast::<Header>(), body))
        }
    }

    /// Whether this is the last handle to the memory.
    pub(crate) fn is_last_handle(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }

    /// The mapping, to sync it; `None` on the heap.
    pub(crate) fn map(&self) -> Option<&MmapRaw> {
        match &self.shared.memory {
            Backing::Mapped(map) => Some(map),
            Backing::Heap { .. } => None,
        }
    }

    /// Overwrites bytes. Only before the segment is shared with anyone.
    pub(crate) fn load(&self, bytes: &[u8]) {
        let len = bytes.len().min(self.len as usize);
        // SAFETY: in bounds; the caller holds the only handle.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.as_ptr(), len) };
    }

    /// # Safety
    /// `offset + 4` is in bounds and `offset` a multiple of 4.
    #[inline]
    unsafe fn length(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: the caller's promise; memory is 64-byte aligned.
        unsafe { &*self.base.as_ptr().add(offset as usize).cast::<AtomicU32>() }
    }

    /// # Safety
    /// `offset + 8` is in bounds and `offset` a multiple of 8.
    #[inline]
    unsafe fn word(&self, offset: u32) -> &AtomicU64 {
        // SAFETY: the caller's promise; memory is 64-byte aligned.
        unsafe { &*self.base.as_ptr().add(offset as usize).cast::<AtomicU64>() }
    }
}

/// What tests do to memory that has no writer.
#[cfg(test)]
impl Segment {
    /// Flips one bit.
    pub(crate) fn flip(&self, bit: usize) {
        assert!(bit / 8 < self.len as usize);
        // SAFETY: in bounds; the test has no other borrow of the bytes.
        unsafe { *self.base.as_ptr().add(bit / 8) ^= 1 << (bit % 8) };
    }

    /// The same memory, cut at `len` bytes.
    pub(crate) fn cut(&self, len: u32) -> Self {
        Self { len: len.min(self.len), ..self.clone() }
    }
}
