//! Maps segment files: creating with space allocated, read-only, and questions to the file system. Called at opening and
//! by the syncing thread, never by a hot thread.
#![allow(unsafe_code)]

use memmap2::{MmapOptions, MmapRaw};
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Creates a zeroed file of `bytes` with its space allocated, and maps it to be written; `populate` also takes the page
/// faults now.
pub(crate) fn create(path: &Path, bytes: u32, populate: bool) -> io::Result<MmapRaw> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    let mapped = allocate(&file, bytes).and_then(|()| {
        let mut options = MmapOptions::new();
        options.len(bytes as usize);
        if populate {
            options.populate();
        }
        options.map_raw(&file)
    });
    if mapped.is_err() {
        // A file without its space would be taken for a segment.
        let _ = std::fs::remove_file(path);
    }
    mapped
}

/// Maps a file read-only as long as it is now.
pub(crate) fn open(path: &Path) -> io::Result<MmapRaw> {
    let file = File::open(path)?;
    MmapOptions::new().map_raw_read_only(&file)
}

/// Asks the system to begin writing a file's pages to the disk; a later sync then waits less. Promises nothing.
pub(crate) fn start_writing(file: &File) {
    // SAFETY: a plain call on an open file descriptor; its failure is shown by the sync that follows.
    unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

fn allocate(file: &File, bytes: u32) -> io::Result<()> {
    // SAFETY: a plain call on an open file descriptor.
    let failed = unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, i64::from(bytes)) } != 0;
    if !failed {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // Some file systems cannot allocate: the file is sparse there.
        Some(libc::EOPNOTSUPP) => file.set_len(u64::from(bytes)),
        _ => Err(error),
    }
}

/// Whether `path` lies on a file system in memory that can take `bytes`: its own limit allows it, and half of the memory
/// that the machine has available is left to others.
pub(crate) fn is_tmpfs_with(path: &Path, bytes: u64) -> bool {
    const TMPFS_MAGIC: i64 = 0x0102_1994;
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: `statfs` is plain data, for which zero is valid; the path ends in NUL and both outlive the call.
    let (failed, stat) = unsafe {
        let mut stat: libc::statfs = std::mem::zeroed();
        (libc::statfs(path.as_ptr(), &raw mut stat) != 0, stat)
    };
    !failed
        && stat.f_type == TMPFS_MAGIC
        && stat.f_bavail.saturating_mul(stat.f_bsize.unsigned_abs()) >= bytes
        && available_memory().is_none_or(|available| available / 2 >= bytes)
}

/// Bytes that programs may still take, by the system's own estimate.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of /proc/meminfo, in bytes.
    fn meminfo(name: &str) -> u64 {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    #[test]
    fn only_a_file_system_in_memory_with_room_will_do() {
        assert!(!is_tmpfs_with(Path::new("/proc"), 0), "another kind of file system");
        assert!(!is_tmpfs_with(Path::new("/no/such/place"), 0));
        assert!(is_tmpfs_with(Path::new("/dev/shm"), 0));
        assert!(!is_tmpfs_with(Path::new("/dev/shm"), meminfo("MemTotal:")), "others need memory too");
    }

    #[test]
    fn the_memory_that_is_available_is_what_the_system_says() {
        let available = available_memory().unwrap();
        let (now, total) = (meminfo("MemAvailable:"), meminfo("MemTotal:"));
        assert!(
            available < total && available.abs_diff(now) < total / 2,
            "{available} of {total}, {now} a moment later"
        );
    }

    /// A file of /proc has nothing to allocate, and takes any length.
    #[test]
    fn where_nothing_can_be_allocated_a_file_is_sparse() {
        let file = OpenOptions::new().write(true).open("/proc/self/comm").unwrap();
        // SAFETY: a plain call on an open file descriptor.
        let refused = unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, 4096) } != 0;
        if !refused || io::Error::last_os_error().raw_os_error() != Some(libc::EOPNOTSUPP) {
            return eprintln!("skips: this system allocates in /proc");
        }
        allocate(&file, 4096).unwrap();
    }
}
