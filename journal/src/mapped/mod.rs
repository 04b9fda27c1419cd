//! Segments in files. Live segments are mapped from a directory in memory and copied to the disk by a thread (or by the
//! writer itself, in simulated time); where memory has no room, the disk files themselves are mapped. The writer takes
//! prepared segments from a queue and never waits.

mod mend;
mod syncer;

use crate::directory::{self, Directory, LIVE_FILE};
use crate::format::Position;
use crate::lock::{Lock, LockError};
use crate::map;
use crate::segment::Segment;
use crate::segment::ordering::{tell, told};
use crate::storage::{Ending, Fault, Segments, Storage};
use crate::writer::{Syncing, WriterOptions};
use crossbeam_queue::ArrayQueue;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use syncer::Syncer;

/// Segments prepared ahead of the one that is written.
const AHEAD: usize = 2;

/// What the writer and the syncing thread share.
#[derive(Debug)]
struct Shared {
    ready: ArrayQueue<(u32, Segment)>,
    synced_to: AtomicU64,
    fault: AtomicU64,
    stop: AtomicBool,
}

/// Who copies, syncs and prepares.
#[derive(Debug)]
enum Work {
    /// Nobody yet: before [`Storage::start`].
    None,
    /// The writer, as it rolls and closes.
    Inline(Box<Syncer>),
    /// A thread.
    Thread(JoinHandle<Box<Syncer>>),
}

/// The files of one journal, held by its writer.
#[derive(Debug)]
pub struct Mapped {
    directory: Directory,
    /// Where live segments of this journal go, if the options name a place in memory with room.
    live: Option<PathBuf>,
    /// How paths of our own places in memory end: files in them are ours to remove.
    own: PathBuf,
    lock: Lock,
    shared: Arc<Shared>,
    work: Work,
    segment_bytes: u32,
    live_segments_max: usize,
    syncing: Syncing,
}

impl Mapped {
    /// Takes the journal's lock; creates the directory when it does not exist.
    pub(crate) fn open(dir: &Path, options: &WriterOptions) -> Result<Self, LockError> {
        let at_dir = |error| LockError::Io(dir.to_path_buf(), error);
        fs::create_dir_all(dir).map_err(at_dir)?;
        let lock = Lock::take(dir)?;
        let directory = Directory::open(dir).map_err(at_dir)?;
        let own = own_path(dir).map_err(at_dir)?;
        let needed = (AHEAD as u64 + 1) * u64::from(options.segment_bytes);
        let live_dir = options.live_dir.as_deref().filter(|live_dir| map::is_tmpfs_with(live_dir, needed));
        let live = live_dir.map(|live_dir| live_dir.join(&own));
        Ok(Self {
            directory,
            live,
            own,
            lock,
            shared: Arc::new(Shared {
                ready: ArrayQueue::new(AHEAD),
                synced_to: AtomicU64::new(0),
                fault: AtomicU64::new(0),
                stop: AtomicBool::new(false),
            }),
            work: Work::None,
            segment_bytes: options.segment_bytes,
            live_segments_max: options.live_segments_max.max(AHEAD + 1),
            syncing: options.syncing,
        })
    }

    /// Whether live segments are in memory. If not, an append may wait for the disk now and then (some 25 us).
    pub fn is_in_memory(&self) -> bool {
        self.live.is_some()
    }

    /// Stops the thread, if there is one, and gives its state.
    fn stop(&mut self) -> Option<Box<Syncer>> {
        match std::mem::replace(&mut self.work, Work::None) {
            Work::None => None,
            Work::Inline(syncer) => Some(syncer),
            Work::Thread(thread) => {
                self.shared.stop.store(true, Ordering::Release);
                thread.thread().unpark();
                thread.join().ok()
            }
        }
    }

    /// Forgets the place in memory; what was there is on the disk.
    fn leave_memory(&mut self) -> io::Result<()> {
        let left = directory::live_dir(self.directory.dir())?;
        directory::remove(&self.directory.dir().join(LIVE_FILE))?;
        if let Some(left) = left.filter(|left| left.ends_with(&self.own)) {
            // Other journals of the home may be there, or nothing at all: both are fine.
            let _ = fs::remove_dir(&left);
            let _ = left.parent().map(fs::remove_dir);
        }
        Ok(())
    }
}

/// `shrike-<hash of the canonical directory of journals>/<journal>`, to be joined to a directory in memory.
fn own_path(dir: &Path) -> io::Result<PathBuf> {
    let dir = dir.canonicalize()?;
    let parent = dir.parent().unwrap_or(&dir);
    // FNV-1a: a name that is the same in every build and on every machine.
    let hash = parent
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    Ok(Path::new(&format!("shrike-{hash:016x}")).join(dir.file_name().unwrap_or_default()))
}

impl Segments for Mapped {
    fn indices(&mut self) -> io::Result<Vec<u32>> {
        self.directory.indices()
    }

    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>> {
        self.directory.segment(index)
    }

    fn segment_bytes(&mut self, index: u32) -> u64 {
        self.directory.segment_bytes(index)
    }

    fn file(&self, index: u32) -> PathBuf {
        self.directory.file(index)
    }
}

impl Storage for Mapped {
    fn mend(&mut self, ending: &Ending) -> io::Result<Vec<PathBuf>> {
        let aside = mend::mend(&self.directory, &self.own, ending)?;
        self.leave_memory()?;
        let synced_to = match ending.ends.last() {
            Some((segment, offset)) => Position { segment: *segment, offset: *offset },
            None => Position::default(),
        };
        tell(&self.shared.synced_to, synced_to.raw());
        Ok(aside)
    }

    fn start(&mut self, next: u32) -> io::Result<()> {
        let dir = self.directory.dir().to_path_buf();
        if let Some(live) = &self.live {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(live)?;
            // Left by a journal that was removed from the disk while its writer was dead.
            for index in directory::list(live)? {
                directory::remove(&live.join(crate::format::segment_file(index)))?;
            }
            directory::write_live(&dir, live)?;
        }
        let at_close = self.syncing == Syncing::OnClose;
        let (ahead, populate) = if at_close { (1, false) } else { (AHEAD, true) };
        let mut syncer = Box::new(Syncer::new(
            self.shared.clone(),
            dir,
            self.live.clone(),
            syncer::Limits {
                segment_bytes: self.segment_bytes,
                ahead,
                populate,
                at_close,
                live_max: self.live_segments_max,
            },
            next,
        ));
        syncer.prepare();
        if let Some(fault) = self.fault().filter(|_| self.shared.ready.is_empty()) {
            return Err(io::Error::from_raw_os_error(fault.errno));
        }
        self.work = match self.syncing {
            Syncing::OnClose => Work::Inline(syncer),
            Syncing::EveryMs(ms) => {
                let interval = Duration::from_millis(ms.max(1));
                let thread = std::thread::Builder::new().name("journal-sync".into());
                Work::Thread(thread.spawn(move || {
                    syncer.run(interval);
                    syncer
                })?)
            }
        };
        Ok(())
    }

    #[inline]
    fn ready(&self) -> usize {
        let ready = self.shared.ready.len();
        match &self.work {
            // Nothing is prepared ahead without a thread: what counts is whether preparing works.
            Work::Inline(_) if ready < AHEAD && self.fault().is_none() => AHEAD,
            _ => ready,
        }
    }

    fn refill(&mut self) {
        if let Work::Inline(syncer) = &mut self.work {
            syncer.prepare();
        }
    }

    fn take(&mut self) -> Option<(u32, Segment)> {
        if let Work::Inline(syncer) = &mut self.work {
            syncer.turn();
        }
        self.shared.ready.pop()
    }

    #[inline]
    fn synced_to(&self) -> Position {
        Position::from_raw(told(&self.shared.synced_to))
    }

    #[inline]
    fn fault(&self) -> Option<Fault> {
        Fault::from_raw(self.shared.fault.load(Ordering::Acquire))
    }

    fn close(&mut self) -> io::Result<()> {
        if let Some(mut syncer) = self.stop() {
            syncer.finish()?;
        }
        self.leave_memory()?;
        self.lock.clear()
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // Without a close this is what a crash leaves; only the thread must not outlive the lock.
        self.stop();
    }
}
