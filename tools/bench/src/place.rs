//! Directories of a row: gone with it, in memory too, however the row ends.

use shrike_journal::WriterOptions;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory on the disk for journals, and one in memory for their live segments. Declared before the writers that use
/// it are made, it outlives them.
pub struct Place {
    disk: TempDir,
    memory: Option<TempDir>,
}

impl Place {
    /// New directories: the system's for temporary files, and `/dev/shm` where there is one.
    ///
    /// # Errors
    /// When there is no room for temporary files at all.
    pub fn new() -> Result<Self, String> {
        let disk = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Self { disk, memory: in_memory().ok() })
    }

    /// The directory on the disk.
    pub fn path(&self) -> &Path {
        self.disk.path()
    }

    /// These options, with live segments here.
    pub fn options(&self, mut options: WriterOptions) -> WriterOptions {
        options.live_dir = self.memory.as_ref().map(|memory| memory.path().to_path_buf());
        options
    }
}

/// A directory in memory.
///
/// # Errors
/// When this host has no `/dev/shm` to write to.
pub fn in_memory() -> Result<TempDir, String> {
    let memory = PathBuf::from("/dev/shm");
    let made = tempfile::Builder::new().prefix("shrike-bench-").tempdir_in(&memory);
    made.map_err(|error| format!("{}: {error}", memory.display()))
}
