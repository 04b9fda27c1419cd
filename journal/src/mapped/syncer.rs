//! What happens behind the writer: segments are prepared ahead, copied to the disk, made durable, marked and retired.
//! Runs on its own thread in live time, and in the writer's calls in simulated time. A failure is shown in the shared
//! fault word and tried again at the next turn; the data wait in memory.

use super::Shared;
use crate::directory;
use crate::format::{HEADER_PAGE, LINE, MARK_OFFSET, Position, encode_mark, segment_file};
use crate::map;
use crate::segment::Segment;
use crate::segment::ordering::tell;
use crate::storage::{Fault, FaultStep};
use memmap2::MmapRaw;
use shrike_core::seeded::{self, Bug};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Without a place in memory, whole chunks of this size behind the cursor are synced: syncing the page that is written
/// would make the writer wait.
const CHUNK: u32 = 2 << 20;

/// Sizes and counts that do not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub segment_bytes: u32,
    pub ahead: usize,
    /// Take the page faults when a segment is prepared.
    pub populate: bool,
    /// Make durable only when the journal is closed.
    pub at_close: bool,
    /// Segments that may exist at once, prepared ones included.
    pub live_max: usize,
}

/// A segment that is prepared, written, or not yet wholly durable.
#[derive(Debug)]
struct Live {
    index: u32,
    segment: Segment,
    /// Whether the segment is in memory, to be copied, or the disk file itself.
    in_memory: bool,
    /// The disk file, once there is something to copy or sync.
    disk: Option<File>,
    /// Everything below is durable; with `at_close`, everything below is in the disk's file.
    synced: u32,
    /// What was written at the last turn; when it stays, the writer is idle.
    seen: u32,
}

#[derive(Debug)]
pub(super) struct Syncer {
    shared: Arc<Shared>,
    dir: PathBuf,
    live_dir: Option<PathBuf>,
    limits: Limits,
    next: u32,
    /// Ascending. The first ones are begun, the last ones prepared.
    segments: VecDeque<Live>,
    /// Durable and left, but the writer may still let go of its handle: unmapping is not for its thread.
    retired: Vec<Segment>,
    /// Left, and to be made durable when the journal is closed.
    unsynced: Vec<Unsynced>,
}

/// A final file that is not durable yet.
#[derive(Debug)]
struct Unsynced {
    index: u32,
    end: u32,
    disk: File,
}

impl Syncer {
    pub(super) fn new(shared: Arc<Shared>, dir: PathBuf, live_dir: Option<PathBuf>, limits: Limits, next: u32) -> Self {
        Self {
            shared,
            dir,
            live_dir,
            limits,
            next,
            segments: VecDeque::new(),
            retired: Vec::new(),
            unsynced: Vec::new(),
        }
    }

    /// The thread's loop.
    pub(super) fn run(&mut self, interval: Duration) {
        while !self.shared.stop.load(Ordering::Acquire) {
            self.turn();
            std::thread::park_timeout(interval);
        }
    }

    /// Prepares what is missing, copies and syncs what is new.
    pub(super) fn turn(&mut self) {
        self.retired.retain(|segment| !segment.is_last_handle());
        let prepared = self.try_prepare();
        let synced = self.sync();
        let fault = synced.err().or(prepared.err()).map_or(0, Fault::raw);
        self.shared.fault.store(fault, Ordering::Release);
    }

    /// Prepares what is missing.
    pub(super) fn prepare(&mut self) {
        match self.try_prepare() {
            Err(fault) => self.shared.fault.store(fault.raw(), Ordering::Release),
            Ok(()) => {
                let fault = Fault::from_raw(self.shared.fault.load(Ordering::Acquire));
                if fault.is_some_and(|fault| fault.step == FaultStep::Prepare) {
                    self.shared.fault.store(0, Ordering::Release);
                }
            }
        }
    }

    fn try_prepare(&mut self) -> Result<(), Fault> {
        while self.shared.ready.len() < self.limits.ahead {
            if self.segments.len() >= self.limits.live_max {
                // The disk is slow, or fails: then the fault says why.
                return Ok(());
            }
            let (map, in_memory) = self.create().map_err(fault(FaultStep::Prepare))?;
            let segment = Segment::mapped(map);
            let live = Live { index: self.next, segment: segment.clone(), in_memory, disk: None, synced: 0, seen: 0 };
            self.segments.push_back(live);
            // There is room: only this side pushes.
            let _ = self.shared.ready.push((self.next, segment));
            self.next += 1;
        }
        Ok(())
    }

    /// The next segment: in memory, or on the disk where memory has no place or no room for it.
    fn create(&self) -> io::Result<(MmapRaw, bool)> {
        let Limits { segment_bytes, populate, .. } = self.limits;
        let file = segment_file(self.next);
        if let Some(live_dir) = &self.live_dir {
            match map::create(&live_dir.join(&file), segment_bytes, populate) {
                Err(error) if error.raw_os_error() == Some(libc::ENOSPC) => {}
                created => return Ok((created?, true)),
            }
        }
        Ok((map::create(&self.dir.join(&file), segment_bytes, populate)?, false))
    }

    /// Where a live segment's file is.
    fn place(&self, in_memory: bool) -> &Path {
        self.live_dir.as_deref().filter(|_| in_memory).unwrap_or(&self.dir)
    }

    /// Makes durable what is written, oldest first: a segment is begun on the disk only when all before it is durable.
    fn sync(&mut self) -> Result<(), Fault> {
        while let Some(live) = self.segments.front_mut() {
            // In this order: once sealed, what is written is final.
            let sealed = live.segment.is_sealed();
            let written = live.segment.written();
            if written == 0 {
                break;
            }
            match (live.in_memory, self.limits.at_close) {
                (true, _) => live.copy(&self.dir, written, self.limits, &self.shared)?,
                (false, true) => live.synced = written,
                (false, false) => live.sync_mapped(&self.dir, written, sealed, &self.shared)?,
            }
            if !sealed || live.synced < written {
                break;
            }
            let disk = open_disk(&mut live.disk, &self.dir, live.index).map_err(fault(FaultStep::Sync))?;
            if !live.in_memory {
                disk.set_len(u64::from(written)).map_err(fault(FaultStep::Sync))?;
            }
            if !self.limits.at_close {
                finalise(disk, live.index, written).map_err(fault(FaultStep::Sync))?;
            }
            if let Some(live_dir) = self.live_dir.as_ref().filter(|_| live.in_memory) {
                directory::remove(&live_dir.join(segment_file(live.index))).map_err(fault(FaultStep::Sync))?;
            }
            if let Some(Live { index, segment, disk, .. }) = self.segments.pop_front() {
                self.retired.push(segment);
                if self.limits.at_close {
                    self.unsynced.extend(disk.map(|disk| Unsynced { index, end: written, disk }));
                }
            }
        }
        Ok(())
    }

    /// Makes all durable and removes what was only prepared.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.sync().map_err(|fault| {
            self.shared.fault.store(fault.raw(), Ordering::Release);
            io::Error::from_raw_os_error(fault.errno)
        })?;
        directory::sync_dir(&self.dir)?;
        // Data before marks, and the marks in order.
        for left in &self.unsynced {
            left.disk.sync_data()?;
        }
        for left in &self.unsynced {
            finalise(&left.disk, left.index, left.end)?;
            tell(&self.shared.synced_to, Position { segment: left.index, offset: left.end }.raw());
        }
        while self.shared.ready.pop().is_some() {}
        for live in &self.segments {
            directory::remove(&self.place(live.in_memory).join(segment_file(live.index)))?;
        }
        self.segments.clear();
        directory::sync_dir(&self.dir)
    }
}

impl Live {
    /// Copies from memory to the disk file, and syncs that.
    fn copy(&mut self, dir: &Path, written: u32, limits: Limits, shared: &Shared) -> Result<(), Fault> {
        if self.synced >= written {
            return Ok(());
        }
        let disk = open_disk(&mut self.disk, dir, self.index).map_err(fault(FaultStep::Copy))?;
        // The header page carries the mark of the last turn: never ahead of what is durable.
        // After a failed sync nothing is known of the pages since the last good one: they are all written again.
        let from = self.synced.max(HEADER_PAGE);
        let copied = disk
            .write_all_at(self.segment.bytes(0, HEADER_PAGE), 0)
            .and_then(|()| disk.write_all_at(self.segment.bytes(from, written), u64::from(from)));
        copied.map_err(fault(FaultStep::Copy))?;
        if seeded::on(Bug::SyncedBeforeData) {
            self.mark(written, shared);
            return Ok(());
        }
        if limits.at_close {
            map::start_writing(disk);
            self.synced = written;
            return Ok(());
        }
        disk.sync_data().map_err(fault(FaultStep::Sync))?;
        self.mark(written, shared);
        Ok(())
    }

    /// Syncs the mapped disk file: whole chunks behind the writer, and the rest when it is idle or gone.
    fn sync_mapped(&mut self, dir: &Path, written: u32, sealed: bool, shared: &Shared) -> Result<(), Fault> {
        let idle = written == self.seen;
        self.seen = written;
        let target = if sealed || idle { written } else { written - written % CHUNK };
        if target <= self.synced {
            return Ok(());
        }
        let disk = open_disk(&mut self.disk, dir, self.index).map_err(fault(FaultStep::Sync))?;
        if self.synced == 0 {
            // The file's size and name.
            disk.sync_all().and_then(|()| directory::sync_dir(dir)).map_err(fault(FaultStep::Sync))?;
        }
        if let Some(map) = self.segment.map() {
            let from = self.synced as usize;
            map.flush_range(0, HEADER_PAGE as usize)
                .and_then(|()| map.flush_range(from, target as usize - from))
                .map_err(fault(FaultStep::Sync))?;
        }
        self.mark(target, shared);
        Ok(())
    }

    fn mark(&mut self, synced: u32, shared: &Shared) {
        self.synced = synced;
        let ahead = if seeded::on(Bug::MarkAhead) { LINE } else { 0 };
        self.segment.set_mark(encode_mark(self.index, synced + ahead));
        let position = Position { segment: self.index, offset: synced };
        tell(&shared.synced_to, position.raw());
    }
}

/// Makes the last mark of a left segment durable; its data are.
fn finalise(disk: &File, index: u32, end: u32) -> io::Result<()> {
    disk.write_all_at(&encode_mark(index, end).to_le_bytes(), u64::from(MARK_OFFSET))?;
    disk.sync_all()
}

fn open_disk<'a>(disk: &'a mut Option<File>, dir: &Path, index: u32) -> io::Result<&'a File> {
    if disk.is_none() {
        let path = dir.join(segment_file(index));
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if is_new {
            directory::sync_dir(dir)?;
        }
        *disk = Some(file);
    }
    disk.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn fault(step: FaultStep) -> impl Fn(io::Error) -> Fault {
    move |error| Fault { step, errno: error.raw_os_error().unwrap_or(libc::EIO) }
}
