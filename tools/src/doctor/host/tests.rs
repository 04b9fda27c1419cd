//! Hosts made of files: a tuned one is well, and each thing that is wrong is named with what mends it.

// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::cores;
use super::facts::{Cores, Facts};
use super::hops::Hops;
use super::interrupts;
use super::memory;
use super::time;
use crate::doctor::{Check, Findings, State};
use std::fs;
use std::path::Path;

/// A host's files, by path.
struct Tree(tempfile::TempDir);

impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(path, text)| tree.write(path, text));
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn facts(&self) -> Facts {
        Facts::of(self.0.path())
    }
}

/// A host on which nothing is to be mended for cores 2 and 3.
fn tuned() -> Tree {
    let tree = Tree::of(&[
        ("proc/cmdline", "quiet isolcpus=managed_irq,domain,2-3 nohz_full=2-3 rcu_nocbs=2,3\n"),
        ("proc/self/cgroup", "0::/desk\n"),
        ("proc/sys/kernel/numa_balancing", "0\n"),
        ("proc/sys/kernel/watchdog", "0\n"),
        ("proc/sys/kernel/nmi_watchdog", "0\n"),
        ("sys/devices/system/cpu/isolated", "2-3\n"),
        ("sys/devices/system/cpu/nohz_full", "2-3\n"),
        ("sys/devices/system/node/node0/cpulist", "0-3\n"),
        ("sys/devices/system/node/node1/cpulist", "4-7\n"),
        ("proc/irq/24/smp_affinity_list", "0-1\n"),
        ("proc/irq/24/eth0/x", ""),
        ("proc/1/comm", "systemd\n"),
    ]);
    for core in 0..8 {
        let dir = format!("sys/devices/system/cpu/cpu{core}");
        tree.write(&format!("{dir}/topology/thread_siblings_list"), &format!("{core}\n"));
        tree.write(&format!("{dir}/cpufreq/scaling_governor"), "performance\n");
        tree.write(&format!("{dir}/cpuidle/state0/name"), "POLL\n");
        tree.write(&format!("{dir}/cpuidle/state0/latency"), "0\n");
        tree.write(&format!("{dir}/cpuidle/state0/disable"), "0\n");
        tree.write(&format!("{dir}/cpuidle/state1/name"), "C6\n");
        tree.write(&format!("{dir}/cpuidle/state1/latency"), "133\n");
        tree.write(&format!("{dir}/cpuidle/state1/disable"), "1\n");
    }
    tree
}

fn set(cores: &[usize]) -> Cores {
    cores.iter().copied().collect()
}

/// The findings that are to be mended on a host.
fn mended(tree: &Tree) -> Vec<Check> {
    let mut findings = Findings::new();
    cores::examine(&tree.facts(), &set(&[2, 3]), &mut findings);
    interrupts::examine(&tree.facts(), &set(&[2, 3]), &set(&[0, 1]), &mut findings);
    let clean = findings.checks.iter().all(|check| check.state != State::Mend);
    assert_eq!(findings.clean, clean);
    findings.checks.into_iter().filter(|check| check.state == State::Mend).collect()
}

#[test]
fn a_tuned_host_is_well() {
    assert_eq!(mended(&tuned()).iter().map(|check| &check.found).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn each_fault_alone_is_found_and_told_how_to_mend() {
    let faults = [
        ("sys/devices/system/cpu/isolated", "3\n", "isolated cores", "cores 2", "isolcpus=managed_irq,domain,2-3"),
        ("sys/devices/system/cpu/nohz_full", "\n", "nohz_full", "cores 2-3", "nohz_full=2-3"),
        ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3,7\n", "SMT siblings", "7", "cpu7/online"),
        ("sys/devices/system/node/node0/cpulist", "0-2\n", "NUMA", "one node", ""),
        ("proc/sys/kernel/numa_balancing", "1\n", "NUMA balancing", "", "kernel.numa_balancing=0"),
        ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n", "governor", "core 2", "cpupower"),
        ("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "0\n", "C-states", "C6", "cpupower idle-set -D 2"),
        ("proc/irq/24/smp_affinity_list", "0-3\n", "IRQ affinity", "24", "echo 0-1 > /proc/irq/$i"),
        ("proc/77/comm", "irqbalance\n", "irqbalance", "runs", "IRQBALANCE_BANNED_CPULIST=2-3"),
        ("proc/sys/kernel/nmi_watchdog", "1\n", "watchdogs", "", "nowatchdog"),
    ];
    for (path, text, name, found, remedy) in faults {
        let tree = tuned();
        tree.write(path, text);
        let told = mended(&tree);
        if name == "NUMA" {
            // A core of no known node is not another node: nothing to mend.
            assert!(told.is_empty(), "{told:?}");
            tree.write("sys/devices/system/node/node1/cpulist", "3-7\n");
            assert_eq!(mended(&tree)[0].name, "NUMA");
            continue;
        }
        assert_eq!(told.len(), 1, "{path}: {told:?}");
        assert_eq!(told[0].name, name);
        assert!(told[0].found.contains(found), "{told:?}");
        assert!(told[0].remedy.contains(remedy), "{told:?}");
        assert!(!told[0].costs.is_empty());
    }
}

#[test]
fn rcu_callbacks_stay_where_neither_argument_moves_them() {
    let tree = tuned();
    tree.write("sys/devices/system/cpu/nohz_full", "\n");
    tree.write("proc/cmdline", "rcu_nocbs=3\n");
    let names: Vec<_> = mended(&tree).into_iter().map(|check| (check.name, check.found)).collect();
    assert_eq!(names[1], ("rcu_nocbs".into(), "RCU callbacks run on cores 2".into()));
}

#[test]
fn an_isolated_partition_isolates() {
    let tree = tuned();
    tree.write("sys/devices/system/cpu/isolated", "\n");
    assert_eq!(mended(&tree).len(), 1);
    tree.write("sys/fs/cgroup/desk/cpuset.cpus.partition", "isolated\n");
    tree.write("sys/fs/cgroup/desk/cpuset.cpus.effective", "2-5\n");
    assert_eq!(mended(&tree).len(), 0);
}

#[test]
fn a_host_without_such_files_is_skipped_or_mended_but_never_guessed_well() {
    let empty = Tree::of(&[]);
    let mut findings = Findings::new();
    cores::examine(&empty.facts(), &set(&[0]), &mut findings);
    let state = |name: &str| findings.checks.iter().find(|check| check.name == name).unwrap().state;
    assert_eq!(state("isolated cores"), State::Mend);
    assert_eq!(state("nohz_full"), State::Mend);
    assert_eq!(state("governor"), State::Skip);
    assert_eq!(state("C-states"), State::Skip);
}

#[test]
fn lists_of_cores_read_and_written() {
    for (text, cores) in [("", vec![]), ("3", vec![3]), ("0-2,7", vec![0, 1, 2, 7]), ("1,2,3", vec![1, 2, 3])] {
        assert_eq!(Cores::of(text), Some(set(&cores)), "{text}");
    }
    assert_eq!(set(&[9, 1, 2, 3, 7]).to_string(), "1-3,7,9");
    for bad in ["x", "1-", "0-99999999", "1;2"] {
        assert_eq!(Cores::of(bad), None, "{bad}");
    }
}

#[test]
fn memory_that_may_be_taken_away_is_found() {
    let journal = shrike_config::Config::load(&shrike_config::Source::default()).unwrap().config.journal;
    let tree = Tree::of(&[
        ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
        ("proc/self/limits", "Limit  Soft  Hard\nMax locked memory         8388608              8388608    bytes\n"),
        ("proc/swaps", "Filename Type\n/dev/sda2 partition 1 0 -2\n"),
        ("proc/meminfo", "MemTotal: 64000000 kB\nMemAvailable:   50000000 kB\n"),
        ("proc/sys/vm/dirty_background_ratio", "10\n"),
        ("proc/sys/vm/dirty_background_bytes", "0\n"),
    ]);
    let look = |tree: &Tree| {
        let mut findings = Findings::new();
        memory::examine(&tree.facts(), &journal, Path::new("/"), &mut findings);
        let mended = findings.checks.into_iter().filter(|check| check.state == State::Mend);
        let names: Vec<_> = mended.map(|check| check.name).collect();
        names.into_iter().filter(|name| !name.contains("journals") && !name.contains("disk")).collect::<Vec<_>>()
    };
    assert_eq!(look(&tree), ["transparent huge pages", "memlock", "swap", "dirty pages"]);
    tree.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    tree.write("proc/self/limits", "Max locked memory         unlimited              unlimited    bytes\n");
    tree.write("proc/swaps", "Filename Type\n");
    tree.write("proc/sys/vm/dirty_background_bytes", "67108864\n");
    assert_eq!(look(&tree), Vec::<String>::new());
}

#[test]
fn stolen_time_is_the_eighth_column() {
    let tree = Tree::of(&[("proc/stat", "cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 2 3\n")]);
    assert_eq!(time::stolen(&tree.facts()), Some((35, 1_000)));
}

#[test]
fn chrony_tells_its_offset_in_the_fifth_field() {
    let line =
        "A29FC87B,162.159.200.123,4,1700000000.123,-0.000412345,0.0001,0.0002,1.5,0.0,0.1,0.02,0.001,64.5,Normal\n";
    let ms = time::chrony_offset_ms(line).unwrap();
    assert!((ms + 0.412_345).abs() < 1e-9, "{ms}");
    assert_eq!(time::chrony_offset_ms("506 Cannot talk to daemon"), None);
}

#[test]
fn the_shortest_way_is_found_and_siblings_are_not_paired() {
    // Cores 0..4: 1-2 and 2-3 are near, 1 and 2 are hardware threads of one core.
    let mut ns = vec![vec![Some(100.0); 5]; 5];
    for (a, b, hop) in [(1, 2, 10.0), (2, 3, 20.0), (3, 4, 30.0)] {
        (ns[a][b], ns[b][a]) = (Some(hop), Some(hop));
    }
    let hops = Hops { cores: (0..5).collect(), ns };
    let all = set(&[0, 1, 2, 3, 4]);
    let free = Tree::of(&[]);
    assert_eq!(hops.placement(&free.facts(), &all, 3), Some(vec![1, 2, 3]));
    let shared = Tree::of(&[
        ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1-2"),
        ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "1-2"),
    ]);
    assert_eq!(hops.placement(&shared.facts(), &all, 3), Some(vec![2, 3, 4]));
    assert_eq!(hops.placement(&free.facts(), &all, 5), None, "one core is left for everything else");
    assert_eq!(hops.placement(&free.facts(), &set(&[0, 4]), 2), Some(vec![4, 0]));
}
