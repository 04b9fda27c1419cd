//! Memory and disks: what makes a page fault, a stall of the allocator or a full directory in the middle of a session.

use super::facts::Facts;
use crate::doctor::Findings;
use shrike_config::Journal;
use std::path::Path;

/// Segments of one stage that are in memory at once: the live one and those prepared ahead.
const LIVE_SEGMENTS: u64 = 3;
/// Stages with a journal.
const STAGES: u64 = 2;
/// What a busy day of the whole market writes to a home, bytes: some 60 M records.
const DAY_BYTES: u64 = 20 << 30;

/// Looks at memory, and at the directories of `journal` and the home.
pub(super) fn examine(facts: &Facts, journal: &Journal, home: &Path, findings: &mut Findings) {
    huge_pages(facts, findings);
    locked(facts, journal, findings);
    swap(facts, findings);
    dirty(facts, findings);
    rooms(journal, home, findings);
}

fn live_bytes(journal: &Journal) -> u64 {
    STAGES * LIVE_SEGMENTS * (u64::from(journal.segment_mib) << 20)
}

fn huge_pages(facts: &Facts, findings: &mut Findings) {
    let chosen = |path| facts.text(path).and_then(|text| Some(text.split_once('[')?.1.split_once(']')?.0.to_owned()));
    match chosen("sys/kernel/mm/transparent_hugepage/enabled").as_deref() {
        None => findings.skip("transparent huge pages", "this kernel has none"),
        Some("always") => findings.costs(
            "transparent huge pages",
            "the kernel merges pages of every process behind its back",
            "khugepaged and compaction stall a thread for up to milliseconds",
            "`echo madvise > /sys/kernel/mm/transparent_hugepage/enabled`, or boot with `transparent_hugepage=madvise`",
        ),
        Some(mode) => findings.ok("transparent huge pages", mode),
    }
    if facts.number("sys/kernel/mm/ksm/run") == Some(1) {
        findings.costs(
            "same-page merging",
            "ksmd compares pages",
            "a write to a merged page faults: 1 to 5 us",
            "`echo 2 > /sys/kernel/mm/ksm/run`",
        );
    }
    let reserved = facts.number("proc/sys/vm/nr_hugepages").unwrap_or(0);
    let what = if reserved > 0 { "memory that nobody here uses" } else { "none reserved" };
    findings.ok("huge pages", format!("{what} ({reserved}); the engine asks for none"));
}

fn locked(facts: &Facts, journal: &Journal, findings: &mut Findings) {
    let wanted = live_bytes(journal) + (1 << 30);
    match facts.limit("Max locked memory") {
        None => findings.skip("memlock", "/proc/self/limits cannot be read"),
        Some(limit) if limit >= wanted => findings.ok("memlock", "enough to lock the engine and its live journals"),
        Some(limit) => findings.costs(
            "memlock",
            format!("{} may be locked, {} wanted", size(limit), size(wanted)),
            "threads.lock_memory cannot lock them: a page taken back costs 10 us to 10 ms to read again",
            "`memlock unlimited` for the user in /etc/security/limits.conf, or LimitMEMLOCK=infinity in the unit",
        ),
    }
}

fn swap(facts: &Facts, findings: &mut Findings) {
    let used = facts.text("proc/swaps").map_or(0, |text| text.lines().skip(1).count());
    if used == 0 {
        return findings.ok("swap", "off");
    }
    findings.costs(
        "swap",
        format!("{used} in use, swappiness {}", facts.number("proc/sys/vm/swappiness").unwrap_or(60)),
        "a page that was swapped out costs 50 us to 10 ms when it is touched",
        "`swapoff -a` and no swap in /etc/fstab; at least `sysctl -w vm.swappiness=1`",
    );
}

/// How much the kernel lets lie unwritten before it makes writers wait.
fn dirty(facts: &Facts, findings: &mut Findings) {
    const CALM: u64 = 256 << 20;
    let bytes = |name: &str| {
        let fixed = facts.number(&format!("proc/sys/vm/{name}_bytes")).filter(|&bytes| bytes > 0);
        let ratio = facts.number(&format!("proc/sys/vm/{name}_ratio"));
        match (fixed, ratio, facts.memory_bytes("MemAvailable")) {
            (Some(bytes), _, _) => u64::try_from(bytes).ok(),
            (None, Some(percent), Some(memory)) => Some(memory / 100 * u64::try_from(percent).ok()?),
            _ => None,
        }
    };
    match bytes("dirty_background") {
        None => findings.skip("dirty pages", "/proc/sys/vm cannot be read"),
        Some(held) if held <= CALM => findings.ok("dirty pages", format!("written back from {} on", size(held))),
        Some(held) => findings.costs(
            "dirty pages",
            format!("up to {} may lie unwritten before the kernel begins to write", size(held)),
            "then it writes all at once, and the journals' copies to disk wait for seconds",
            "`sysctl -w vm.dirty_background_bytes=67108864 vm.dirty_bytes=268435456`",
        ),
    }
}

fn rooms(journal: &Journal, home: &Path, findings: &mut Findings) {
    let live = live_bytes(journal);
    if journal.live_dir.as_os_str().is_empty() {
        findings.costs(
            "live journals",
            "journal.live_dir is empty: the files on the disk are mapped",
            "the kernel's write-back of a mapped page costs an append 25 us at p99.9",
            "set journal.live_dir to a directory on tmpfs, such as /dev/shm",
        );
    } else {
        let remedy = format!("`mount -o remount,size={} {}`", size(live * 2), journal.live_dir.display());
        room("live journals", &journal.live_dir, live, &remedy, findings);
    }
    let existing = home.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    room("the home's disk", existing, DAY_BYTES, "free some, or set run.home to a larger disk", findings);
}

fn room(name: &str, dir: &Path, wanted: u64, remedy: &str, findings: &mut Findings) {
    match rustix::fs::statvfs(dir) {
        Err(error) => findings.mend(name, format!("{}: {error}", dir.display()), "name a directory that exists"),
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let found = format!("{} free in {}, {} wanted", size(free), dir.display(), size(wanted));
            if free >= wanted {
                findings.ok(name, found);
            } else {
                findings.costs(name, found, "with a full journal the engine cancels all and halts", remedy);
            }
        }
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        u64::MAX => "all".to_owned(),
        bytes if bytes >= 10 << 30 => format!("{} GiB", bytes >> 30),
        bytes if bytes >= 10 << 20 => format!("{} MiB", bytes >> 20),
        bytes => format!("{} KiB", bytes >> 10),
    }
}
