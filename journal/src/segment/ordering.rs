//! Every ordering that threads and processes rely on to share a segment: what is written is published by a word that is
//! stored last with release, and whoever loads that word with acquire may read it. Over a trait, so that loom goes
//! through every interleaving (`ordering/tests.rs`), once with each ordering weakened.

use crate::format::{HEADER_PAGE, SegmentHeader, padded};
use shrike_core::event::Header;
use shrike_core::seeded::{self, Bug};
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// How a word is stored that others wait for.
const PUBLISH: Ordering = Ordering::Release;
/// How it is loaded.
const OBSERVE: Ordering = Ordering::Acquire;

/// The words of a segment that are shared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// The length of the frame at this offset; not zero: the frame's bytes stand.
    Length(u32),
    /// The segment header's magic; not zero: the header stands.
    Magic,
    /// The durable mark: the length words of all frames below it stand.
    Mark,
    /// Bytes written, for the thread that copies them: all below stand.
    Written,
    /// Not zero: the writer has left, and [`Word::Written`] is final.
    Sealed,
}

/// Memory in which frames are published.
pub(super) trait Memory {
    /// Writes bytes that are not published.
    fn copy(&self, offset: u32, bytes: &[u8]);
    /// Stores a word.
    fn store(&self, word: Word, value: u64, order: Ordering);
    /// Loads a word.
    fn load(&self, word: Word, order: Ordering) -> u64;
}

/// Publishes the segment header.
pub(super) fn begin(memory: &impl Memory, header: &SegmentHeader) {
    let (_, rest) = bytemuck::bytes_of(header).split_at(header.magic.len());
    memory.copy(header.magic.len() as u32, rest);
    memory.store(Word::Magic, u64::from_le_bytes(header.magic), PUBLISH);
    memory.store(Word::Written, u64::from(HEADER_PAGE), PUBLISH);
}

/// Whether the segment begins with any magic at all.
#[inline]
pub(super) fn has_begun(memory: &impl Memory) -> bool {
    memory.load(Word::Magic, OBSERVE) != 0
}

/// Publishes a frame at `offset`: to readers by its length word, then to the thread that copies.
#[inline]
pub(super) fn publish(memory: &impl Memory, offset: u32, header: &Header, body: &[u8]) {
    let (_, rest) = bytemuck::bytes_of(header).split_at(4);
    if seeded::on(Bug::LengthFirst) {
        memory.store(Word::Length(offset), u64::from(header.len), PUBLISH);
    }
    memory.copy(offset + Header::SIZE as u32, body);
    memory.copy(offset + 4, rest);
    memory.store(Word::Length(offset), u64::from(header.len), PUBLISH);
    let end = offset + padded(Header::SIZE + body.len()) as u32;
    memory.store(Word::Written, u64::from(end), PUBLISH);
}

/// The length of the frame at `offset`: zero while it is not published.
#[inline]
pub(super) fn observe(memory: &impl Memory, offset: u32) -> u32 {
    memory.load(Word::Length(offset), OBSERVE) as u32
}

/// Bytes that are written.
#[inline]
pub(super) fn written(memory: &impl Memory) -> u32 {
    memory.load(Word::Written, OBSERVE) as u32
}

/// The writer leaves the segment.
pub(super) fn leave(memory: &impl Memory) {
    memory.store(Word::Sealed, 1, PUBLISH);
}

/// Whether the writer has left; a look at [`written`] after that is final.
pub(super) fn is_left(memory: &impl Memory) -> bool {
    memory.load(Word::Sealed, OBSERVE) != 0
}

/// Stores the durable mark. Whoever does so has seen [`written`] pass it.
pub(super) fn set_mark(memory: &impl Memory, mark: u64) {
    memory.store(Word::Mark, mark, PUBLISH);
}

/// The durable mark.
#[inline]
pub(super) fn mark(memory: &impl Memory) -> u64 {
    memory.load(Word::Mark, OBSERVE)
}

/// A second look at a frame that was not published: the durable mark, and the length as it is after that. The frame may
/// have been published, and the mark have passed it, since the first look; a length that is zero here, below this mark,
/// is damage.
pub(super) fn look_again(memory: &impl Memory, offset: u32) -> (u64, u32) {
    let mark = mark(memory);
    (mark, observe(memory, offset))
}

/// The word by which a journal's writer is told how far all is durable.
pub(crate) trait Told {
    /// Stores it.
    fn put(&self, raw: u64, order: Ordering);
    /// Loads it.
    fn get(&self, order: Ordering) -> u64;
}

impl Told for AtomicU64 {
    #[inline]
    fn put(&self, raw: u64, order: Ordering) {
        self.store(raw, order);
    }

    #[inline]
    fn get(&self, order: Ordering) -> u64 {
        self.load(order)
    }
}

/// Tells how far all is durable, after it is.
#[inline]
pub(crate) fn tell(word: &impl Told, raw: u64) {
    word.put(raw, PUBLISH);
}

/// How far all is durable.
#[inline]
pub(crate) fn told(word: &impl Told) -> u64 {
    word.get(OBSERVE)
}
