//! Threads of the hot path: named, pinned, with real-time priority where the host permits. What a host does not permit
//! is reported with the way to mend it and is no failure: the engine runs everywhere, slower.

#[cfg(test)]
mod tests;
mod wait;

pub use wait::{Waiter, Waiting};

use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// How a thread is to run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ThreadPlan {
    /// Its name, as `top -H` shows it; Linux keeps 15 bytes.
    pub name: String,
    /// The core to run on, as the kernel numbers them; any when absent.
    pub core: Option<usize>,
    /// `SCHED_FIFO` priority, 1 to 99; the usual scheduling when absent.
    pub fifo_priority: Option<u8>,
}

/// A thread that runs, and what the host did not permit.
#[derive(Debug)]
pub struct Started<T> {
    /// To join it.
    pub handle: JoinHandle<T>,
    /// What was asked for and not possible. The thread runs all the same.
    pub denied: Vec<Denied>,
}

/// What the host did not permit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Denied {
    /// Pinning.
    #[error("could not pin to core {core}: this process may use cores {allowed:?}")]
    Core {
        /// The core asked for.
        core: usize,
        /// The cores that this process may use.
        allowed: Vec<usize>,
    },
    /// Real-time priority.
    #[error(
        "could not get SCHED_FIFO priority {priority} (error {errno}): grant CAP_SYS_NICE, or `rtprio` in limits.conf"
    )]
    Priority {
        /// The priority asked for.
        priority: u8,
        /// The kernel's error.
        errno: i32,
    },
    /// Locked memory.
    #[error("could not lock memory (error {errno}): grant CAP_IPC_LOCK, or raise `memlock` in limits.conf")]
    Memory {
        /// The kernel's error.
        errno: i32,
    },
}

/// Starts a thread, places it as planned, touches its stack, and returns once it is placed. Fails only when the host
/// gives no thread.
pub fn spawn<T: Send + 'static>(plan: ThreadPlan, run: impl FnOnce() -> T + Send + 'static) -> io::Result<Started<T>> {
    let (placed, when_placed) = mpsc::sync_channel(1);
    let handle = std::thread::Builder::new().name(plan.name.clone()).spawn(move || {
        let denied = place(&plan);
        // The starter may have gone on without waiting: nobody then reads the report.
        let _ = placed.send(denied);
        run()
    })?;
    Ok(Started { handle, denied: when_placed.recv().unwrap_or_default() })
}

/// Places the calling thread (its name aside) and touches its stack.
pub fn place(plan: &ThreadPlan) -> Vec<Denied> {
    let mut denied = Vec::new();
    if let Some(core) = plan.core {
        // core_affinity aborts on a core beyond the kernel's largest set, so it is asked only for what may be used.
        let allowed = cores();
        if !(allowed.contains(&core) && core_affinity::set_for_current(core_affinity::CoreId { id: core })) {
            denied.push(Denied::Core { core, allowed });
        }
    }
    if let Some(priority) = plan.fifo_priority {
        denied.extend(set_fifo(priority).err());
    }
    touch_stack();
    denied
}

/// The cores that this process may use (affinity), as the kernel numbers them.
pub fn cores() -> Vec<usize> {
    core_affinity::get_core_ids().unwrap_or_default().iter().map(|core| core.id).collect()
}

/// How many threads may spin without taking a core from anything else: what this process may use (affinity and cgroup
/// quota), less one for the kernel, the slow path and the journals' helper.
pub fn free_cores() -> usize {
    std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1)
}

/// Locks the memory that the process has now, so that nothing of it is paged out. What it takes later is not: a limit on
/// locked memory would then refuse a journal its next segment.
#[allow(unsafe_code)]
pub fn lock_memory() -> Result<(), Denied> {
    // SAFETY: takes a flag and touches no memory of ours.
    match unsafe { libc::mlockall(libc::MCL_CURRENT) } {
        0 => Ok(()),
        _ => Err(Denied::Memory { errno: errno() }),
    }
}

#[allow(unsafe_code)]
fn set_fifo(priority: u8) -> Result<(), Denied> {
    let param = libc::sched_param { sched_priority: i32::from(priority) };
    // SAFETY: thread 0 is the calling one; `param` is a valid, initialised structure that the kernel only reads.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &param) } {
        0 => Ok(()),
        _ => Err(Denied::Priority { priority, errno: errno() }),
    }
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Writes through half a mebibyte of stack, so that the hot path meets no page for the first time. Rust's threads have
/// two mebibytes.
#[inline(never)]
fn touch_stack() {
    let mut stack = [0_u8; 512 << 10];
    std::hint::black_box(&mut stack);
}
