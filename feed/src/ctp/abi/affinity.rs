//! Where the library's threads may run. A thread inherits the cores of the one that starts it, and ours is pinned: its
//! library's network threads would have to share that core with a thread that never sleeps.
#![allow(unsafe_code)]

/// Runs `start` with the cores of the process's main thread, which is not pinned, and takes the own ones back after it.
/// Where the host does not permit that, `start` runs all the same.
pub(super) fn with_the_process_s<T>(start: impl FnOnce() -> T) -> T {
    let own = cores(0);
    // The kernel numbers the main thread like the process.
    let main = cores(std::process::id() as libc::pid_t);
    if let Some(main) = &main {
        set_cores(main);
    }
    let started = start();
    if let Some(own) = &own {
        set_cores(own);
    }
    started
}

fn cores(thread: libc::pid_t) -> Option<libc::cpu_set_t> {
    // SAFETY: a set of bits; all zero is the empty one.
    let mut set = unsafe { std::mem::zeroed::<libc::cpu_set_t>() };
    // SAFETY: the kernel writes at most the size that is given.
    let result = unsafe { libc::sched_getaffinity(thread, size_of_val(&set), &mut set) };
    (result == 0).then_some(set)
}

/// A failure means that the thread stays where it is.
fn set_cores(set: &libc::cpu_set_t) {
    // SAFETY: thread 0 is the calling one; the kernel only reads the set.
    unsafe { libc::sched_setaffinity(0, size_of_val(set), set) };
}
