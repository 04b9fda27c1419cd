//! The home of a simulated engine: two journals on simulated pages, a snapshot, and a fate that ends the process at a
//! record of its choice. What survives a process, or a host, is what the pages say.
#![allow(clippy::disallowed_types, reason = "a journal's log may go to another thread; here it never does")]

use crate::rng::Rng;
use shrike_core::codes::StageId;
use shrike_core::event::{Header, Kind, Seq, flags};
use shrike_engine::runtime::{Journals, StageJournal, StageLog};
use shrike_engine::stage::Log;
use shrike_journal::snapshot::{Snapshot, SnapshotError};
use shrike_journal::{
    EpochError, Full, OpenError, Pages, Pressure, ReadError, Reader, Recovery, Segments, Writer, WriterOptions,
};
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A record as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Whose journal.
    pub stage: StageId,
    /// Its header.
    pub header: Header,
    /// Its body.
    pub body: Vec<u8>,
}

/// What the process and the world share about its end.
#[derive(Debug, Default)]
pub struct Fate {
    /// Records that may still be written.
    left: AtomicU64,
    /// The number of the next record of the order journal.
    order_next: AtomicU64,
    /// Whether every record is kept for the world, or only those that it must judge.
    keeps_all: AtomicU64,
    records: Mutex<Vec<Written>>,
}

impl Fate {
    /// The process may write so many records more.
    pub fn dies_after(&self, records: u64) {
        self.left.store(records, Ordering::Relaxed);
    }

    /// Whether it came to that.
    pub fn has_died(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Every record is handed over, not only those that are judged.
    pub fn keep_all(&self) {
        self.keeps_all.store(1, Ordering::Relaxed);
    }

    /// Whether a record of the order journal stands there.
    pub fn stands(&self, seq: Seq) -> bool {
        !seq.is_absent() && seq.raw() < self.order_next.load(Ordering::Relaxed)
    }

    /// What was written since the last time.
    pub fn take(&self, into: &mut Vec<Written>) {
        into.append(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn note(&self, stage: StageId, header: &Header, body: &[u8]) {
        let judged = header.has(flags::OUTPUT)
            && stage == StageId::Order
            && matches!(Kind::of(header.kind), Some(Kind::OrderUpdate | Kind::Difference | Kind::Alarm));
        if judged || self.keeps_all.load(Ordering::Relaxed) != 0 {
            let written = Written { stage, header: *header, body: body.to_vec() };
            self.records.lock().unwrap_or_else(PoisonError::into_inner).push(written);
        }
    }
}

/// A stage's journal on pages, until its fate.
pub struct MortalLog {
    log: StageLog<Pages>,
    stage: StageId,
    pages: Pages,
    fate: Arc<Fate>,
    orders_sync: bool,
}

impl Log for MortalLog {
    type Error = Full;

    #[inline]
    fn append(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Full> {
        let left = self.fate.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(Full::NoSegment);
        }
        let seq = self.log.append(header, body)?;
        self.fate.left.store(left.saturating_sub(u64::from(left != u64::MAX)), Ordering::Relaxed);
        self.fate.note(self.stage, &Header { seq, ..*header }, body);
        if self.stage == StageId::Order {
            self.fate.order_next.store(seq.next().raw(), Ordering::Relaxed);
            if self.orders_sync && header.kind == Kind::OrderRequest as u16 && header.has(flags::OUTPUT) {
                // As live, where a fault behind the writer ends the wait.
                let _ = self.pages.sync();
            }
        }
        Ok(seq)
    }
}

impl StageJournal for MortalLog {
    fn wait_for_disk(&mut self) {}

    #[inline]
    fn pressure(&self) -> Pressure {
        self.log.pressure()
    }

    fn next_seq(&self) -> Seq {
        self.log.next_seq()
    }

    fn open_epoch(&mut self, epoch: u8) -> Result<(), EpochError> {
        self.log.open_epoch(epoch)
    }

    fn close(self) -> io::Result<()> {
        self.log.close()
    }
}

#[derive(Debug)]
struct State {
    pages: [Pages; 2],
    snapshot: Option<Snapshot>,
    fate: Arc<Fate>,
    /// Segments that a full disk allows beyond those that are there.
    full: Option<usize>,
}

/// The home; clones share it.
#[derive(Clone, Debug)]
pub struct Disk(Rc<RefCell<State>>);

const SEGMENT_BYTES: u32 = 64 << 10;

const fn place(stage: StageId) -> usize {
    if matches!(stage, StageId::Signal) { 0 } else { 1 }
}

impl Disk {
    /// An empty home.
    pub fn new() -> Self {
        let pages = [Pages::new(SEGMENT_BYTES), Pages::new(SEGMENT_BYTES)];
        Self(Rc::new(RefCell::new(State { pages, snapshot: None, fate: Arc::default(), full: None })))
    }

    /// How its journals are written.
    pub fn options(run_id: u64) -> [WriterOptions; 2] {
        [StageId::Signal, StageId::Order].map(|stage| {
            let mut options = WriterOptions::simulated(stage, run_id).with_segment_bytes(SEGMENT_BYTES);
            options.live_dir = None;
            options
        })
    }

    /// A fresh fate for the next process.
    pub fn new_fate(&self) -> Arc<Fate> {
        let fate = Arc::new(Fate::default());
        fate.dies_after(u64::MAX);
        self.0.borrow_mut().fate = fate.clone();
        fate
    }

    /// The process is gone: what it wrote is there.
    pub fn crash_process(&self) {
        let mut state = self.0.borrow_mut();
        let pages = state.pages.each_ref().map(Pages::crash_process);
        state.pages = pages;
    }

    /// The host is gone: of what was not durable, some pages are there.
    pub fn crash_host(&self, chance: &mut Rng) {
        let mut state = self.0.borrow_mut();
        // Often nothing of it, often all, else any page.
        let pages = state.pages.each_ref().map(|pages| {
            let keep = chance.below(4);
            pages.crash_host(|_| match keep {
                0 => false,
                1 => true,
                _ => chance.once_in(2),
            })
        });
        state.pages = pages;
    }

    /// One turn of the thread that syncs.
    pub fn sync(&self) {
        for pages in &self.0.borrow().pages {
            // A fault is told to the writer, which tells the engine.
            let _ = pages.sync();
        }
    }

    /// The disk takes so many segments more; `None`: as many as come.
    pub fn fill(&self, left: Option<usize>) {
        let mut state = self.0.borrow_mut();
        state.full = left;
        for pages in &state.pages {
            pages.set_capacity(left.map_or(usize::MAX, |left| segments(pages) + left));
        }
    }

    /// The next calls fail.
    pub fn fail(&self, after: u64, count: u64) {
        for pages in &self.0.borrow().pages {
            pages.fail_once(after, count);
        }
    }

    /// Everything works again.
    pub fn heal(&self) {
        self.fill(None);
        for pages in &self.0.borrow().pages {
            pages.fail_after(None);
        }
    }

    /// Whether there is a snapshot.
    pub fn has_snapshot(&self) -> bool {
        self.0.borrow().snapshot.is_some()
    }

    /// The same journals, without the snapshot.
    pub fn without_snapshot(&self) -> Self {
        let state = self.0.borrow();
        let pages = state.pages.each_ref().map(Pages::crash_process);
        Self(Rc::new(RefCell::new(State { pages, snapshot: None, fate: Arc::default(), full: None })))
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Journals for Disk {
    type Log = MortalLog;
    type Segments = Pages;

    fn log(&mut self, options: WriterOptions, orders_sync: bool) -> Result<(MortalLog, Recovery), OpenError> {
        let state = self.0.borrow();
        let stage = options.stage;
        let Some(pages) = state.pages.get(place(stage)).cloned() else {
            return Err(OpenError::Options(format!("there is no journal of {stage} here")));
        };
        let (writer, recovery) = Writer::resume(pages.clone(), &options)?;
        if stage == StageId::Order {
            state.fate.order_next.store(recovery.next_seq.raw(), Ordering::Relaxed);
        }
        let log = StageLog::new(writer, false);
        Ok((MortalLog { log, stage, pages, fate: state.fate.clone(), orders_sync }, recovery))
    }

    fn reader(&self, stage: StageId) -> Result<Reader<Pages>, ReadError> {
        let state = self.0.borrow();
        let [signal, order] = &state.pages;
        Ok(Reader::over(if place(stage) == 0 { signal.clone() } else { order.clone() }))
    }

    fn snapshot_file(&self) -> PathBuf {
        PathBuf::from("snapshot")
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, SnapshotError> {
        Ok(self.0.borrow().snapshot.clone())
    }

    fn keep_snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.0.borrow_mut().snapshot = Some(snapshot.clone());
        Ok(())
    }

    fn drop_snapshot(&mut self) -> io::Result<()> {
        self.0.borrow_mut().snapshot = None;
        Ok(())
    }
}

fn segments(pages: &Pages) -> usize {
    pages.clone().indices().map_or(0, |indices| indices.len())
}
