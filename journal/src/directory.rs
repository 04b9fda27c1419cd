//! The files of a journal: `NNNNNN.seg` on the disk, and while a writer lives the same names in a directory in memory,
//! which the small file `live` names. Opening prefers the one in memory: the disk copy lags.

use crate::format::{segment_file, segment_index};
use crate::map;
use crate::segment::Segment;
use crate::storage::Segments;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Name of the file that says where the live segments are; removed on a clean close.
pub const LIVE_FILE: &str = "live";
const LIVE_TITLE: &[u8] = b"shrike live segments 1\n";

/// The files of one journal, read-only.
#[derive(Clone, Debug)]
pub struct Directory {
    dir: PathBuf,
    live: Option<PathBuf>,
}

impl Directory {
    /// The journal in `dir`.
    ///
    /// # Errors
    /// When it is no directory.
    pub fn open(dir: &Path) -> io::Result<Self> {
        if !fs::metadata(dir)?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        Ok(Self { dir: dir.to_path_buf(), live: live_dir(dir)? })
    }

    /// The directory on the disk.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory in memory, when the journal has one.
    pub fn live(&self) -> Option<&Path> {
        self.live.as_deref()
    }

    fn live_path(&self, index: u32) -> Option<PathBuf> {
        Some(self.live.as_ref()?.join(segment_file(index)))
    }

    fn disk_path(&self, index: u32) -> PathBuf {
        self.dir.join(segment_file(index))
    }

    fn open_live(&self, index: u32) -> io::Result<Option<Segment>> {
        match self.live_path(index) {
            Some(path) => open_segment(&path),
            None => Ok(None),
        }
    }
}

impl Segments for Directory {
    fn indices(&mut self) -> io::Result<Vec<u32>> {
        self.live = live_dir(&self.dir)?;
        // Memory first: a segment that moves to the disk meanwhile is there before it is gone here.
        let mut indices = match self.live.as_deref().map(list) {
            None => Vec::new(),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Some(listed) => listed?,
        };
        indices.extend(list(&self.dir)?);
        indices.sort_unstable();
        indices.dedup();
        Ok(indices)
    }

    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>> {
        if let Some(segment) = self.open_live(index)? {
            return Ok(Some(segment));
        }
        // A writer may have come or gone since the last look; and a segment that is live now may not have been before.
        self.live = live_dir(&self.dir)?;
        if let Some(segment) = self.open_live(index)? {
            return Ok(Some(segment));
        }
        let disk = open_segment(&self.disk_path(index))?;
        Ok(match self.open_live(index)? {
            Some(segment) => Some(segment),
            None => disk,
        })
    }

    fn segment_bytes(&mut self, index: u32) -> u64 {
        let live = self.live_path(index).and_then(|path| fs::metadata(path).ok());
        let found = live.or_else(|| fs::metadata(self.disk_path(index)).ok());
        found.map_or(0, |metadata| metadata.len())
    }

    fn file(&self, index: u32) -> PathBuf {
        match self.live_path(index) {
            Some(path) if path.exists() => path,
            _ => self.disk_path(index),
        }
    }
}

/// Maps a file; `None` when there is none. An empty file gives an empty segment.
fn open_segment(path: &Path) -> io::Result<Option<Segment>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => return Ok(Some(Segment::heap(0))),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    match map::open(path) {
        Ok(map) => Ok(Some(Segment::mapped(map))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Indices of the segment files in a directory, in no order.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<u32>> {
    let mut indices = Vec::new();
    for entry in fs::read_dir(dir)? {
        indices.extend(entry?.file_name().to_str().and_then(segment_index));
    }
    Ok(indices)
}

/// The directory that the journal's `live` file names.
pub(crate) fn live_dir(dir: &Path) -> io::Result<Option<PathBuf>> {
    let text = match fs::read(dir.join(LIVE_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match text.strip_prefix(LIVE_TITLE).and_then(|rest| rest.strip_suffix(b"\n")) {
        Some(path) if !path.is_empty() => Ok(Some(PathBuf::from(OsString::from_vec(path.to_vec())))),
        // Torn by a crash of the host: then nothing in memory is left either.
        _ => Ok(None),
    }
}

/// Writes the `live` file, whole or not at all.
pub(crate) fn write_live(dir: &Path, live: &Path) -> io::Result<()> {
    let mut text = LIVE_TITLE.to_vec();
    text.extend_from_slice(live.as_os_str().as_bytes());
    text.push(b'\n');
    let draft = dir.join("live.tmp");
    fs::write(&draft, text)?;
    fs::rename(draft, dir.join(LIVE_FILE))
}

/// Removes a file that may not exist.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}
