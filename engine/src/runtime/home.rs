//! A home: the directory of one engine's journals, locked by the process that writes them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A home directory, locked until dropped.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    lock: File,
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process writes it.
    #[error("{dir} is in use by {holder}: stop that engine, or give this one another --home")]
    InUse {
        /// The home.
        dir: String,
        /// Who holds the lock, as it wrote.
        holder: String,
    },
    /// The directory cannot be made or locked.
    #[error("cannot use {dir} as a home: {source}; check that the path is writable")]
    Io {
        /// The home.
        dir: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Home {
    /// Makes the directory where needed and takes its lock. `holder` says who, for the next one who asks.
    ///
    /// # Errors
    /// When another process holds it, or the system refuses.
    pub fn open(dir: &Path, holder: &str) -> Result<Self, HomeError> {
        let io = |source| HomeError::Io { dir: dir.display().to_string(), source };
        fs::create_dir_all(dir.join("journals")).map_err(io)?;
        let path = dir.join("lock");
        let mut lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder).map_err(io)?;
                return Err(HomeError::InUse { dir: dir.display().to_string(), holder: holder.trim().into() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        lock.set_len(0).map_err(io)?;
        writeln!(lock, "{holder}").map_err(io)?;
        Ok(Self { dir: dir.to_owned(), lock })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of a journal.
    pub fn journal(&self, name: &str) -> PathBuf {
        journal_dir(&self.dir, name)
    }
}

impl Drop for Home {
    /// Leaves an empty lock file: the name of a holder that is gone would only mislead.
    fn drop(&mut self) {
        let _ = self.lock.seek(SeekFrom::Start(0)).and_then(|_| self.lock.set_len(0));
    }
}

/// The directory of a home's journal.
pub fn journal_dir(home: &Path, name: &str) -> PathBuf {
    home.join("journals").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_is_refused_and_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = Home::open(dir.path(), "shrike run, pid 42").unwrap();
        let refused = Home::open(dir.path(), "another").unwrap_err();
        assert!(matches!(&refused, HomeError::InUse { holder, .. } if holder == "shrike run, pid 42"), "{refused}");
        drop(first);
        Home::open(dir.path(), "another").unwrap();
    }
}
