//! The directory of a library's flow files: one for each user and session, locked by the process that uses it. Two
//! sessions that share one corrupt each other's private flow.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A flow directory in use. Dropping it frees it for another process.
#[derive(Debug)]
pub struct FlowDir {
    path: PathBuf,
    _lock: File,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// It cannot be made or opened.
    #[error("{path}: {error}; CTP needs a writable directory for its flow files, see ctp.flow_dir")]
    Io {
        /// The directory or its lock file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another process of this user and session; stop that one, or set another ctp.flow_dir")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The names make no directory.
    #[error("login.user_id {user:?} cannot name a directory; it must have letters, digits, - or _ only")]
    Name {
        /// The user.
        user: String,
    },
}

impl FlowDir {
    /// Takes `root/broker-user/session`, making it (mode 0700) where it is missing. `session` is `md` or `trader`.
    ///
    /// # Errors
    /// [`FlowError`].
    pub fn take(root: &Path, broker: &str, user: &str, session: &str) -> Result<Self, FlowError> {
        let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if ![broker, user, session].into_iter().all(plain) {
            return Err(FlowError::Name { user: user.to_owned() });
        }
        let path = root.join(format!("{broker}-{user}")).join(session);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| FlowError::Io { path, error }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed(&path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FlowError::InUse { path }),
            Err(TryLockError::Error(error)) => Err(FlowError::Io { path: lock_path, error }),
        }
    }

    /// The directory. CTP puts file names right behind what it is given: it wants the path with a slash at its end.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_process_each_and_nobody_else_reads() {
        let root = tempfile::tempdir().unwrap();
        let take = |user, session| FlowDir::take(root.path(), "9999", user, session);
        let trader = take("1001", "trader").unwrap();
        let mode = std::fs::metadata(trader.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(matches!(take("1001", "trader"), Err(FlowError::InUse { .. })));
        let others = [take("1001", "md").unwrap(), take("1002", "trader").unwrap()];
        assert!(others.iter().all(|other| other.path() != trader.path()));
        drop(trader);
        take("1001", "trader").unwrap();
        assert!(matches!(take("../up", "trader"), Err(FlowError::Name { .. })));
    }
}
