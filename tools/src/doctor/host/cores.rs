//! The cores of the hot threads: whether the kernel, other threads, a sibling or a sleeping clock can take them away or
//! slow them down.

use super::facts::{Cores, Facts};
use crate::doctor::Findings;

/// Looks at the cores `hot`.
pub(super) fn examine(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    isolation(facts, hot, findings);
    ticks(facts, hot, findings);
    callbacks(facts, hot, findings);
    siblings(facts, hot, findings);
    nodes(facts, hot, findings);
    governors(facts, hot, findings);
    idle_states(facts, hot, findings);
}

/// Isolated by the kernel's argument, or by a cgroup partition that this process is in.
fn isolation(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    let mut isolated = facts.cores("sys/devices/system/cpu/isolated").unwrap_or_default();
    if let Some(partition) = own_partition(facts) {
        isolated.0.extend(partition.0);
    }
    let open = hot.without(&isolated);
    if open.is_empty() {
        return findings.ok("isolated cores", format!("{hot} are isolated"));
    }
    findings.costs(
        "isolated cores",
        format!("the scheduler may run other threads on cores {open}"),
        "each time one does, the engine waits for a time slice: about 3 ms",
        format!(
            "boot with `isolcpus=managed_irq,domain,{hot}`, or without a boot: put the engine in a cgroup of its own and \
             `echo isolated > cpuset.cpus.partition` there"
        ),
    );
}

/// The cores of the cgroup that this process is in, where that is an isolated partition.
fn own_partition(facts: &Facts) -> Option<Cores> {
    let groups = facts.text("proc/self/cgroup")?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let file = |name| format!("sys/fs/cgroup/{path}/{name}");
    let partition = facts.text(&file("cpuset.cpus.partition"))?;
    (partition == "isolated").then(|| facts.cores(&file("cpuset.cpus.effective")))?
}

fn ticks(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    let ticking = hot.without(&facts.cores("sys/devices/system/cpu/nohz_full").unwrap_or_default());
    if ticking.is_empty() {
        return findings.ok("nohz_full", format!("no timer tick on {hot} while one thread runs there"));
    }
    findings.costs(
        "nohz_full",
        format!("the timer tick interrupts cores {ticking}"),
        "100 to 1,000 interruptions a second of 1 to 5 us each",
        format!("boot with `nohz_full={hot}` (a kernel built with CONFIG_NO_HZ_FULL)"),
    );
}

/// A core that is `nohz_full` has its callbacks run elsewhere too.
fn callbacks(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    let mut elsewhere = facts.argument("rcu_nocbs").unwrap_or_default();
    elsewhere.0.extend(facts.cores("sys/devices/system/cpu/nohz_full").unwrap_or_default().0);
    let own = hot.without(&elsewhere);
    if own.is_empty() {
        return findings.ok("rcu_nocbs", format!("RCU callbacks of {hot} run elsewhere"));
    }
    findings.costs(
        "rcu_nocbs",
        format!("RCU callbacks run on cores {own}"),
        "bursts of 10 to 100 us after other processes free much",
        format!("boot with `rcu_nocbs={hot} rcu_nocb_poll`"),
    );
}

fn siblings(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    let mut shared = Cores::default();
    for core in &hot.0 {
        let file = format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        shared.0.extend(facts.cores(&file).unwrap_or_default().0.into_iter().filter(|sibling| sibling != core));
    }
    if shared.is_empty() {
        return findings.ok("SMT siblings", format!("no other hardware thread shares the cores {hot}"));
    }
    let offline: Vec<_> =
        shared.0.iter().map(|core| format!("echo 0 > /sys/devices/system/cpu/cpu{core}/online")).collect();
    findings.costs(
        "SMT siblings",
        format!("hardware threads {shared} share the cores {hot}"),
        "whatever runs there takes up to half of the core and of its caches",
        format!("`{}`, or boot with `nosmt`", offline.join("; ")),
    );
}

fn nodes(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    let all = facts.names("sys/devices/system/node");
    let numbered = all.iter().filter(|name| name.strip_prefix("node").is_some_and(|n| n.parse::<u32>().is_ok()));
    let used: Vec<_> = numbered
        .filter(|node| {
            let cores = facts.cores(&format!("sys/devices/system/node/{node}/cpulist")).unwrap_or_default();
            hot.0.iter().any(|&core| cores.contains(core))
        })
        .cloned()
        .collect();
    if used.len() > 1 {
        findings.costs(
            "NUMA",
            format!("the hot threads are on {}", used.join(" and ")),
            "a hop between sockets takes two to three times one within",
            "choose cores of one node: the placement below, or `lscpu -e`",
        );
    } else {
        findings.ok("NUMA", format!("the hot threads share {}", used.first().map_or("one node", |node| node)));
    }
    if facts.number("proc/sys/kernel/numa_balancing") == Some(1) {
        findings.costs(
            "NUMA balancing",
            "the kernel unmaps pages to see who uses them",
            "page faults of 1 to 10 us on the hot path",
            "`sysctl -w kernel.numa_balancing=0`",
        );
    }
}

fn governors(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    let governor = |core: &usize| facts.text(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"));
    let known: Vec<_> = hot.0.iter().filter_map(|core| Some((*core, governor(core)?))).collect();
    if known.is_empty() {
        return findings.skip("governor", "this host shows no frequency control (a virtual machine, or fixed)");
    }
    match known.iter().find(|(_, governor)| governor != "performance") {
        None => findings.ok("governor", "performance"),
        Some((core, governor)) => findings.costs(
            "governor",
            format!("core {core} is under `{governor}`"),
            "the clock is low when a quiet market wakes up: up to twice the time for the first events",
            "`cpupower frequency-set -g performance`",
        ),
    }
}

/// The deepest idle state that a core may enter costs its exit latency at the next event, where a thread sleeps.
fn idle_states(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    const QUICK_US: i64 = 2;
    let mut deepest: Option<(i64, String)> = None;
    for core in &hot.0 {
        let dir = format!("sys/devices/system/cpu/cpu{core}/cpuidle");
        for state in facts.names(&dir) {
            let enabled = facts.number(&format!("{dir}/{state}/disable")) == Some(0);
            if let Some(latency) = facts.number(&format!("{dir}/{state}/latency")).filter(|_| enabled) {
                let name = facts.text(&format!("{dir}/{state}/name")).unwrap_or(state);
                deepest = deepest.max(Some((latency, name)));
            }
        }
    }
    match deepest {
        None => findings.skip("C-states", "this host shows no idle states (a virtual machine, or `idle=poll`)"),
        Some((us, name)) if us <= QUICK_US => findings.ok("C-states", format!("{name} at most, {us} us to wake")),
        Some((us, name)) => findings.costs(
            "C-states",
            format!("an idle hot core may enter {name}"),
            format!("{us} us to wake from it, and cold caches; a thread that spins never enters it"),
            format!(
                "`cpupower idle-set -D {QUICK_US}`, or boot with `intel_idle.max_cstate=1 processor.max_cstate=1`; or \
                 threads.wait = \"spin\""
            ),
        ),
    }
}
