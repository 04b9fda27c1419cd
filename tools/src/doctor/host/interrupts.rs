//! Interrupts and the kernel's own housekeeping on the hot cores.

use super::facts::{Cores, Facts};
use crate::doctor::Findings;

/// Looks at what may interrupt the cores `hot`; `rest` are the cores that may take it instead.
pub(super) fn examine(facts: &Facts, hot: &Cores, rest: &Cores, findings: &mut Findings) {
    affinity(facts, hot, rest, findings);
    balancer(facts, hot, findings);
    watchdogs(facts, findings);
}

/// Where each interrupt goes: the effective list, or on kernels without it the wanted one. A device that uses an interrupt
/// has a directory there; the others go nowhere.
fn affinity(facts: &Facts, hot: &Cores, rest: &Cores, findings: &mut Findings) {
    let numbers: Vec<u32> = facts.names("proc/irq").iter().filter_map(|name| name.parse().ok()).collect();
    if numbers.is_empty() {
        return findings.skip("IRQ affinity", "this host shows no interrupts");
    }
    let aimed = |irq: &&u32| {
        let list = |name| facts.cores(&format!("proc/irq/{irq}/{name}"));
        let cores = list("effective_affinity_list").filter(|cores| !cores.is_empty());
        let cores = cores.or_else(|| list("smp_affinity_list")).unwrap_or_default();
        hot.0.iter().any(|&core| cores.contains(core)) && facts.has_directory(&format!("proc/irq/{irq}"))
    };
    let here: Vec<String> = numbers.iter().filter(aimed).map(ToString::to_string).collect();
    if here.is_empty() {
        return findings.ok("IRQ affinity", format!("no interrupt of a device goes to {hot}"));
    }
    let target = if rest.is_empty() { "another core".to_owned() } else { rest.to_string() };
    findings.costs(
        "IRQ affinity",
        format!("interrupts {} go to the hot cores {hot}", here.join(", ")),
        "2 to 20 us each, most when the network is busy",
        format!(
            "`for i in {}; do echo {target} > /proc/irq/$i/smp_affinity_list; done`, or boot with `irqaffinity={target}`",
            here.join(" ")
        ),
    );
}

fn balancer(facts: &Facts, hot: &Cores, findings: &mut Findings) {
    if !facts.runs("irqbalance") {
        return findings.ok("irqbalance", "does not run");
    }
    findings.costs(
        "irqbalance",
        "runs, and moves interrupts every ten seconds",
        "it may move a network card's interrupts onto a hot core",
        format!(
            "set IRQBALANCE_BANNED_CPULIST={hot} in /etc/default/irqbalance and restart it, or `systemctl disable --now \
             irqbalance`"
        ),
    );
}

fn watchdogs(facts: &Facts, findings: &mut Findings) {
    match (facts.number("proc/sys/kernel/watchdog"), facts.number("proc/sys/kernel/nmi_watchdog")) {
        (None, None) => findings.skip("watchdogs", "this kernel has none"),
        (Some(1), _) | (_, Some(1)) => findings.costs(
            "watchdogs",
            "the kernel's lock-up detectors run on every core",
            "an interruption of some microseconds every four seconds, and a performance counter less",
            "`sysctl -w kernel.watchdog=0 kernel.nmi_watchdog=0`, or boot with `nowatchdog`",
        ),
        _ => findings.ok("watchdogs", "off"),
    }
}
