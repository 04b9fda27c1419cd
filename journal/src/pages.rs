//! Simulated pages: a journal's files in memory, where a test decides what is synced, what fails, and what of the
//! unsynced 4 KiB pages outlives a crash. No threads, no clock, no files: the same calls give the same bytes.
#![allow(clippy::disallowed_types, reason = "simulated pages are shared by threads of tests")]

use crate::format::{HEADER_PAGE, LINE, MARK_OFFSET, Position, ROLL_BYTES, decode_mark, encode_mark, segment_file};
use crate::segment::Segment;
use crate::storage::{Ending, Fault, FaultStep, Segments, Storage};
use shrike_core::seeded::{self, Bug};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a simulated page.
pub const PAGE: usize = 4096;

/// One simulated file.
#[derive(Debug)]
struct File {
    /// What the machine's memory holds: what every process sees.
    memory: Segment,
    /// What the disk holds for certain.
    disk: Vec<u8>,
}

#[derive(Debug)]
struct State {
    segment_bytes: u32,
    files: BTreeMap<u32, File>,
    /// Index of the next segment to be taken.
    next: u32,
    /// Segments that may exist.
    capacity: usize,
    synced_to: Position,
    fault: Option<Fault>,
    failing: Option<Failing>,
    aside: Vec<(PathBuf, Vec<u8>)>,
}

/// Which calls fail.
#[derive(Debug)]
struct Failing {
    /// Calls that still work.
    after: u64,
    /// Calls that fail then; `None`: all.
    count: Option<u64>,
    has_failed: bool,
}

/// A handle to the simulated files of one journal; clones share them, so a test keeps one while a writer holds another.
#[derive(Clone, Debug)]
pub struct Pages {
    state: Arc<Mutex<State>>,
}

impl Pages {
    /// No files yet; segments of `segment_bytes` (a multiple of 4096, at least 8192).
    pub fn new(segment_bytes: u32) -> Self {
        Self::from_files(segment_bytes, Vec::new())
    }

    /// Files at rest, by segment index; all of it is on the disk.
    pub fn from_files(segment_bytes: u32, files: Vec<(u32, Vec<u8>)>) -> Self {
        let files = files.into_iter().map(|(index, disk)| (index, File { memory: at_rest(&disk), disk })).collect();
        Self {
            state: Arc::new(Mutex::new(State {
                segment_bytes,
                files,
                next: 0,
                capacity: usize::MAX,
                synced_to: Position::default(),
                fault: None,
                failing: None,
                aside: Vec::new(),
            })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files as a process sees them.
    pub fn files(&self) -> Vec<(u32, Vec<u8>)> {
        self.state().files.iter().map(|(index, file)| (*index, file.memory.bytes(0, u32::MAX).to_vec())).collect()
    }

    /// What recovery cut, by file name.
    pub fn aside(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.state().aside.clone()
    }

    /// At most so many segments may exist: when they do, the device is full.
    pub fn set_capacity(&self, segments: usize) {
        self.state().capacity = segments;
    }

    /// After so many more calls (sync, take, each step of mending and closing) every call fails; `None`: none does.
    pub fn fail_after(&self, calls: Option<u64>) {
        self.state().failing = calls.map(|after| Failing { after, count: None, has_failed: false });
    }

    /// After so many more calls `count` calls fail, and later ones work again.
    pub fn fail_once(&self, after: u64, count: u64) {
        self.state().failing = Some(Failing { after, count: Some(count), has_failed: false });
    }

    /// Whether a call has failed since the test last said which do.
    pub fn has_failed(&self) -> bool {
        self.state().failing.as_ref().is_some_and(|failing| failing.has_failed)
    }

    /// Makes durable what is written, as one turn of the syncing thread does; marks trail by one turn.
    ///
    /// # Errors
    /// As [`Self::fail_after`] says; nothing is made durable then.
    pub fn sync(&self) -> Result<(), Fault> {
        self.state().sync()
    }

    /// What the next process finds after this one died: everything written.
    #[must_use]
    pub fn crash_process(&self) -> Self {
        let state = self.state();
        let files = state.files.iter().map(|(index, file)| {
            let memory = at_rest(file.memory.bytes(0, u32::MAX));
            (*index, File { memory, disk: file.disk.clone() })
        });
        let next = Self::new(state.segment_bytes);
        next.state().files = files.collect();
        next
    }

    /// What the next process finds after the host died: what was synced, and those later pages for which `survives`
    /// (asked in order, once for each page that differs) says yes.
    #[must_use]
    pub fn crash_host(&self, mut survives: impl FnMut(Position) -> bool) -> Self {
        let state = self.state();
        let mut files = Vec::new();
        for (index, file) in &state.files {
            let memory = file.memory.bytes(0, u32::MAX);
            let mut disk = file.disk.clone();
            let mut exists = !disk.is_empty();
            for (page, bytes) in memory.chunks(PAGE).enumerate() {
                let start = page * PAGE;
                let old = disk.get(start..disk.len().min(start + bytes.len())).unwrap_or(&[]);
                let is_same = bytes.iter().zip(old.iter().chain(std::iter::repeat(&0))).all(|(new, old)| new == old);
                if is_same || !survives(Position { segment: *index, offset: start as u32 }) {
                    continue;
                }
                exists = true;
                if disk.len() < start + bytes.len() {
                    disk.resize(start + bytes.len(), 0);
                }
                if let Some(room) = disk.get_mut(start..start + bytes.len()) {
                    room.copy_from_slice(bytes);
                }
            }
            if exists {
                files.push((*index, disk));
            }
        }
        Self::from_files(state.segment_bytes, files)
    }
}

/// A file at rest.
fn at_rest(bytes: &[u8]) -> Segment {
    let segment = Segment::heap(bytes.len() as u32);
    segment.load(bytes);
    segment
}

fn write_at(disk: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if disk.len() < offset + bytes.len() {
        disk.resize(offset + bytes.len(), 0);
    }
    if let Some(room) = disk.get_mut(offset..offset + bytes.len()) {
        room.copy_from_slice(bytes);
    }
}

impl State {
    fn call(&mut self) -> io::Result<()> {
        let Some(failing) = &mut self.failing else { return Ok(()) };
        match (&mut failing.after, &mut failing.count) {
            (0, Some(0)) => return Ok(()),
            (0, Some(count)) => *count -= 1,
            (0, None) => {}
            (after, _) => {
                *after -= 1;
                return Ok(());
            }
        }
        failing.has_failed = true;
        Err(io::Error::from_raw_os_error(libc::EIO))
    }

    fn sync(&mut self) -> Result<(), Fault> {
        if let Err(error) = self.call() {
            let fault = Fault { step: FaultStep::Sync, errno: error.raw_os_error().unwrap_or(libc::EIO) };
            self.fault = Some(fault);
            return Err(fault);
        }
        self.fault = None;
        for (index, file) in self.files.range_mut(self.synced_to.segment..) {
            let written = file.memory.written();
            if written == 0 {
                continue;
            }
            if seeded::on(Bug::SyncedBeforeData) {
                self.synced_to = Position { segment: *index, offset: written };
                continue;
            }
            let page = HEADER_PAGE as usize;
            write_at(&mut file.disk, 0, file.memory.bytes(0, HEADER_PAGE));
            let from = decode_mark(*index, file.memory.mark()).unwrap_or(0).max(HEADER_PAGE);
            write_at(&mut file.disk, page.max(from as usize), file.memory.bytes(from, written));
            let ahead = if seeded::on(Bug::MarkAhead) { LINE } else { 0 };
            let mark = encode_mark(*index, written + ahead);
            file.memory.set_mark(mark);
            if file.memory.is_sealed() {
                // A left segment gets its last mark before the next one is begun.
                write_at(&mut file.disk, MARK_OFFSET as usize, &mark.to_le_bytes());
            }
            self.synced_to = Position { segment: *index, offset: written };
        }
        Ok(())
    }

    fn keep(&mut self, index: u32, start: usize, bytes: &[u8]) -> Vec<PathBuf> {
        let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else { return Vec::new() };
        let name = PathBuf::from(format!("cut-{index:06}-{start}.bin"));
        self.aside.push((name.clone(), bytes.get(..=last).unwrap_or(bytes).to_vec()));
        vec![name]
    }
}

impl Segments for Pages {
    fn indices(&mut self) -> io::Result<Vec<u32>> {
        Ok(self.state().files.keys().copied().collect())
    }

    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>> {
        Ok(self.state().files.get(&index).map(|file| file.memory.clone()))
    }

    fn segment_bytes(&mut self, index: u32) -> u64 {
        self.state().files.get(&index).map_or(0, |file| u64::from(file.memory.len()))
    }

    fn file(&self, index: u32) -> PathBuf {
        PathBuf::from(segment_file(index))
    }
}

impl Storage for Pages {
    fn mend(&mut self, ending: &Ending) -> io::Result<Vec<PathBuf>> {
        let mut state = self.state();
        let mut aside = Vec::new();
        let last = ending.ends.last().map(|(index, _)| *index);
        let beyond: Vec<u32> =
            state.files.keys().copied().filter(|index| last.is_none_or(|last| *index > last)).collect();
        for index in beyond.into_iter().rev().filter(|_| !seeded::on(Bug::StraySegmentsKept)) {
            state.call()?;
            if let Some(file) = state.files.remove(&index) {
                let bytes = file.memory.bytes(0, u32::MAX);
                if bytes.iter().skip(PAGE).any(|byte| *byte != 0) {
                    aside.extend(state.keep(index, 0, bytes));
                }
            }
        }
        for (index, end) in &ending.ends {
            state.call()?;
            let Some(file) = state.files.get(index) else { continue };
            let memory = file.memory.clone();
            let mut disk = memory.bytes(0, *end).to_vec();
            if Some(*index) == last {
                aside.extend(state.keep(*index, *end as usize, memory.bytes(*end, u32::MAX)));
                if let Some(seal) = &ending.seal {
                    disk.extend_from_slice(bytemuck::bytes_of(seal));
                    disk.resize((*end + ROLL_BYTES) as usize, 0);
                }
            }
            let mark = encode_mark(*index, disk.len() as u32);
            write_at(&mut disk, MARK_OFFSET as usize, &mark.to_le_bytes());
            state.synced_to = Position { segment: *index, offset: disk.len() as u32 };
            state.files.insert(*index, File { memory: at_rest(&disk), disk });
        }
        aside.reverse();
        Ok(aside)
    }

    fn start(&mut self, next: u32) -> io::Result<()> {
        let mut state = self.state();
        state.call()?;
        state.next = next;
        Ok(())
    }

    fn ready(&self) -> usize {
        let state = self.state();
        let fails = state.failing.as_ref().is_some_and(|failing| failing.after == 0 && failing.count != Some(0));
        if fails { 0 } else { state.capacity.saturating_sub(state.files.len()).min(2) }
    }

    fn refill(&mut self) {}

    fn take(&mut self) -> Option<(u32, Segment)> {
        let mut state = self.state();
        if state.files.len() >= state.capacity || state.call().is_err() {
            let step = FaultStep::Prepare;
            state.fault = Some(Fault { step, errno: libc::ENOSPC });
            return None;
        }
        let (index, memory) = (state.next, Segment::heap(state.segment_bytes));
        state.next += 1;
        state.files.insert(index, File { memory: memory.clone(), disk: Vec::new() });
        Some((index, memory))
    }

    fn synced_to(&self) -> Position {
        self.state().synced_to
    }

    fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    fn close(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.sync().map_err(|fault| io::Error::from_raw_os_error(fault.errno))?;
        for file in state.files.values_mut().filter(|file| file.memory.written() > 0) {
            file.disk = file.memory.bytes(0, file.memory.written()).to_vec();
            file.memory = at_rest(&file.disk);
        }
        Ok(())
    }
}
