//! One writer for a journal: `flock` on the file `lock`, which names the holder's process id while it lives and is empty
//! after a clean close.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Name of the lock file.
pub const LOCK_FILE: &str = "lock";

/// The held lock. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Why the lock was not had.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another writer lives.
    Held {
        /// The lock file.
        file: PathBuf,
        /// What it says: the holder's process id.
        holder: String,
    },
    /// The file cannot be opened.
    Io(PathBuf, io::Error),
}

impl Lock {
    /// Takes the lock of the journal in `dir`.
    pub(crate) fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK_FILE);
        let mut file = match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path) {
            Ok(file) => file,
            Err(error) => return Err(LockError::Io(path, error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder may be just writing it; the message is then without the number.
                let _ = file.read_to_string(&mut holder);
                return Err(LockError::Held { file: path, holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(path, error)),
        }
        let named = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        named.map_err(|error| LockError::Io(path, error))?;
        Ok(Self { file })
    }

    /// Empties the file before letting go: what a closed journal leaves does not depend on the process.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)
    }
}
