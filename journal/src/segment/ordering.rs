//! The one ordering of the journal: a frame's bytes first, then its length word with release; a reader loads that with
//! acquire and then reads the bytes. Over a trait, so that loom goes through every interleaving.

use shrike_core::event::Header;
use std::sync::atomic::Ordering;

/// How a length word is stored.
const PUBLISH: Ordering = Ordering::Release;
/// How a length word is loaded.
const OBSERVE: Ordering = Ordering::Acquire;

/// Memory in which frames are published.
pub(super) trait Frames {
    /// Writes bytes of a frame that is not published.
    fn copy(&self, offset: u32, bytes: &[u8]);
    /// Stores the length word at `offset`.
    fn store_len(&self, offset: u32, len: u32, order: Ordering);
    /// Loads the length word at `offset`.
    fn load_len(&self, offset: u32, order: Ordering) -> u32;
}

/// Publishes a frame at `offset`.
#[inline]
pub(super) fn publish(frames: &impl Frames, offset: u32, header: &Header, body: &[u8]) {
    let (_, rest) = bytemuck::bytes_of(header).split_at(4);
    frames.copy(offset + Header::SIZE as u32, body);
    frames.copy(offset + 4, rest);
    frames.store_len(offset, header.len, PUBLISH);
}

/// The length of the frame at `offset`: zero while it is not published.
#[inline]
pub(super) fn observe(frames: &impl Frames, offset: u32) -> u32 {
    frames.load_len(offset, OBSERVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU32;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Two frames of one line each; loom reports any byte that is read while it may be written.
    struct Modelled {
        lens: [AtomicU32; 2],
        lines: [UnsafeCell<[u8; 64]>; 2],
        is_weakened: bool,
    }

    impl Modelled {
        fn order(&self, order: Ordering) -> Ordering {
            if self.is_weakened { Ordering::Relaxed } else { order }
        }
    }

    impl Frames for Modelled {
        fn copy(&self, offset: u32, bytes: &[u8]) {
            let (line, at) = (offset as usize / 64, offset as usize % 64);
            // SAFETY: loom checks that nobody else accesses the line.
            self.lines[line].with_mut(|line| unsafe { (&mut (*line))[at..at + bytes.len()].copy_from_slice(bytes) });
        }

        fn store_len(&self, offset: u32, len: u32, order: Ordering) {
            self.lens[offset as usize / 64].store(len, self.order(order));
        }

        fn load_len(&self, offset: u32, order: Ordering) -> u32 {
            self.lens[offset as usize / 64].load(order)
        }
    }

    fn race(is_weakened: bool) {
        loom::model(move || {
            let frames = Arc::new(Modelled {
                lens: [AtomicU32::new(0), AtomicU32::new(0)],
                lines: [UnsafeCell::new([0; 64]), UnsafeCell::new([0; 64])],
                is_weakened,
            });
            let writer = frames.clone();
            let thread = loom::thread::spawn(move || {
                for line in 0..2 {
                    let header = Header { len: 64, kind: 7, ..Header::default() };
                    publish(&*writer, line * 64, &header, &[line as u8 + 1; 16]);
                }
            });
            for line in 0..2 {
                match observe(&*frames, line * 64) {
                    0 => break,
                    len => {
                        assert_eq!(len, 64);
                        // SAFETY: loom checks that nobody writes the line.
                        let body = frames.lines[line as usize].with(|bytes| unsafe { (&*bytes)[48..].to_vec() });
                        assert_eq!(body, [line as u8 + 1; 16]);
                    }
                }
            }
            thread.join().unwrap();
        });
    }

    #[test]
    fn no_interleaving_shows_half_a_record() {
        race(false);
    }

    #[test]
    fn a_relaxed_length_word_is_caught() {
        assert!(catch_unwind(AssertUnwindSafe(|| race(true))).is_err());
    }
}
