//! Loom over each ordering as it stands, and with its store or its load relaxed: the first must hold in every
//! interleaving, every other must be caught.

use super::*;
use crate::format::MAGIC;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Which ordering is relaxed.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Weak {
    None,
    Store(Which),
    Load(Which),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Which {
    Length,
    Magic,
    Mark,
    Written,
    Sealed,
    SyncedTo,
    Ready,
}

impl Weak {
    fn store(self, which: Which, order: Ordering) -> Ordering {
        if self == Self::Store(which) { Ordering::Relaxed } else { order }
    }

    fn load(self, which: Which, order: Ordering) -> Ordering {
        if self == Self::Load(which) { Ordering::Relaxed } else { order }
    }
}

/// A header of 128 bytes, then two frames of one line each; loom reports any byte that is read while it may be written.
struct Modelled {
    weak: Weak,
    lengths: [atomic::AtomicU64; 2],
    magic: atomic::AtomicU64,
    mark: atomic::AtomicU64,
    written: atomic::AtomicU64,
    sealed: atomic::AtomicU64,
    header: UnsafeCell<[u8; 128]>,
    lines: [UnsafeCell<[u8; 64]>; 2],
}

const FIRST: u32 = HEADER_PAGE;
const END: u32 = HEADER_PAGE + 128;

impl Modelled {
    fn new(weak: Weak) -> Arc<Self> {
        let word = || atomic::AtomicU64::new(0);
        Arc::new(Self {
            weak,
            lengths: [word(), word()],
            magic: word(),
            mark: word(),
            written: word(),
            sealed: word(),
            header: UnsafeCell::new([0; 128]),
            lines: [UnsafeCell::new([0; 64]), UnsafeCell::new([0; 64])],
        })
    }

    fn word(&self, word: Word) -> (Which, &atomic::AtomicU64) {
        match word {
            Word::Length(offset) => (Which::Length, &self.lengths[(offset - FIRST) as usize / 64]),
            Word::Magic => (Which::Magic, &self.magic),
            Word::Mark => (Which::Mark, &self.mark),
            Word::Written => (Which::Written, &self.written),
            Word::Sealed => (Which::Sealed, &self.sealed),
        }
    }

    fn body(&self, offset: u32) -> [u8; 16] {
        let line = (offset - FIRST) as usize / 64;
        // SAFETY: loom checks that nobody writes the line.
        self.lines[line].with(|line| unsafe { (&*line)[48..].try_into().unwrap() })
    }
}

impl Memory for Modelled {
    fn copy(&self, offset: u32, bytes: &[u8]) {
        if offset < FIRST {
            let at = offset as usize;
            // SAFETY: loom checks that nobody else accesses the header.
            self.header.with_mut(|page| unsafe { (&mut (*page))[at..at + bytes.len()].copy_from_slice(bytes) });
            return;
        }
        let (line, at) = ((offset - FIRST) as usize / 64, offset as usize % 64);
        // SAFETY: loom checks that nobody else accesses the line.
        self.lines[line].with_mut(|line| unsafe { (&mut (*line))[at..at + bytes.len()].copy_from_slice(bytes) });
    }

    fn store(&self, word: Word, value: u64, order: Ordering) {
        let (which, word) = self.word(word);
        word.store(value, self.weak.store(which, order));
    }

    fn load(&self, word: Word, order: Ordering) -> u64 {
        let (which, word) = self.word(word);
        word.load(self.weak.load(which, order))
    }
}

fn publish_line(memory: &Modelled, line: u32) {
    let header = Header { len: 64, kind: 7, ..Header::default() };
    publish(memory, FIRST + line * 64, &header, &[line as u8 + 1; 16]);
}

/// A reader follows two frames by their lengths.
fn read_frames(weak: Weak) {
    let memory = Modelled::new(weak);
    let writer = memory.clone();
    let thread = loom::thread::spawn(move || {
        publish_line(&writer, 0);
        publish_line(&writer, 1);
    });
    for line in 0..2 {
        let offset = FIRST + line * 64;
        match observe(&*memory, offset) {
            0 => break,
            len => {
                assert_eq!(len, 64);
                assert_eq!(memory.body(offset), [line as u8 + 1; 16], "half a record");
            }
        }
    }
    thread.join().unwrap();
}

/// A reader opens a segment that just begins.
fn read_header(weak: Weak) {
    let memory = Modelled::new(weak);
    let writer = memory.clone();
    let thread = loom::thread::spawn(move || {
        let header = SegmentHeader { magic: MAGIC, run_id: 9, index: 3, ..bytemuck::Zeroable::zeroed() };
        begin(&*writer, &header);
    });
    if has_begun(&*memory) {
        // SAFETY: loom checks that nobody writes the header.
        let page = memory.header.with(|page| unsafe { *page });
        assert_eq!((page[20], page[40]), (3, 9), "half a header");
    }
    thread.join().unwrap();
}

/// The syncing thread copies what is written, and takes it for final once the writer has left.
fn copy_behind(weak: Weak) {
    let memory = Modelled::new(weak);
    let writer = memory.clone();
    let thread = loom::thread::spawn(move || {
        publish_line(&writer, 0);
        publish_line(&writer, 1);
        leave(&*writer);
    });
    let is_final = is_left(&*memory);
    let end = written(&*memory);
    for offset in (FIRST..end).step_by(64) {
        let line = (offset - FIRST) / 64;
        assert_eq!(memory.body(offset), [line as u8 + 1; 16], "half a copy");
    }
    assert!(!is_final || end == END, "a segment that was left and is not whole");
    thread.join().unwrap();
}

/// A reader that found no record asks the mark, as the syncing thread moves it; what it says is below is there.
fn read_mark(weak: Weak) {
    let memory = Modelled::new(weak);
    let (writer, syncer) = (memory.clone(), memory.clone());
    let writing = loom::thread::spawn(move || publish_line(&writer, 0));
    let syncing = loom::thread::spawn(move || set_mark(&*syncer, u64::from(written(&*syncer))));
    if observe(&*memory, FIRST) == 0 {
        let (mark, length) = look_again(&*memory, FIRST);
        assert!(mark <= u64::from(FIRST) || length != 0, "sound data called damaged");
    }
    writing.join().unwrap();
    syncing.join().unwrap();
}

struct SyncedTo(atomic::AtomicU64, Weak);

impl Told for SyncedTo {
    fn put(&self, raw: u64, order: Ordering) {
        self.0.store(raw, self.1.store(Which::SyncedTo, order));
    }

    fn get(&self, order: Ordering) -> u64 {
        self.0.load(self.1.load(Which::SyncedTo, order))
    }
}

/// A writer that waits for the durable mark before it sends: the disk (a cell here) holds what the mark passed.
fn wait_for_the_disk(weak: Weak) {
    let shared = Arc::new((SyncedTo(atomic::AtomicU64::new(0), weak), UnsafeCell::new(0_u64)));
    let syncer = shared.clone();
    let thread = loom::thread::spawn(move || {
        // SAFETY: loom checks that nobody else accesses the cell.
        syncer.1.with_mut(|disk| unsafe { *disk = 64 });
        tell(&syncer.0, 64);
    });
    if told(&shared.0) >= 64 {
        // SAFETY: loom checks that nobody writes the cell.
        assert_eq!(shared.1.with(|disk| unsafe { *disk }), 64);
    }
    thread.join().unwrap();
}

/// A prepared segment goes through the ready queue to the writer, who begins it; the thread that prepared it sees so by
/// [`written`] alone. The queue is another crate's: a slot with the stamp by which that crate hands over stands for it,
/// and the weakened stamps show that we rely on its promise.
fn hand_over(weak: Weak) {
    let queue = Arc::new((atomic::AtomicU64::new(0), UnsafeCell::new(None)));
    let writer = queue.clone();
    let thread = loom::thread::spawn(move || {
        if writer.0.load(weak.load(Which::Ready, OBSERVE)) == 1 {
            // SAFETY: loom checks that nobody else accesses the slot.
            let memory: Arc<Modelled> = writer.1.with_mut(|slot| unsafe { (*slot).take().unwrap() });
            publish_line(&memory, 0);
        }
    });
    let memory = Modelled::new(weak);
    // SAFETY: as above.
    queue.1.with_mut(|slot| unsafe { *slot = Some(memory.clone()) });
    queue.0.store(1, weak.store(Which::Ready, PUBLISH));
    if written(&*memory) > FIRST {
        assert_eq!(memory.body(FIRST), [1; 16]);
    }
    thread.join().unwrap();
}

/// A model, and the orderings it relies on.
type Model = (&'static str, fn(Weak), &'static [Which]);

const MODELS: [Model; 6] = [
    ("read_frames", read_frames, &[Which::Length]),
    ("read_header", read_header, &[Which::Magic]),
    ("copy_behind", copy_behind, &[Which::Written, Which::Sealed]),
    ("read_mark", read_mark, &[Which::Mark, Which::Written]),
    ("wait_for_the_disk", wait_for_the_disk, &[Which::SyncedTo]),
    ("hand_over", hand_over, &[Which::Ready, Which::Written]),
];

#[test]
fn every_interleaving_holds_with_the_orderings_as_they_are() {
    for (_, model, _) in MODELS {
        loom::model(move || model(Weak::None));
    }
}

#[test]
fn every_ordering_that_is_relaxed_is_caught() {
    for (name, model, relied_on) in MODELS {
        for which in relied_on {
            for weak in [Weak::Store(*which), Weak::Load(*which)] {
                let run = AssertUnwindSafe(|| loom::model(move || model(weak)));
                assert!(catch_unwind(run).is_err(), "{name} holds with {weak:?} relaxed");
            }
        }
    }
}
