//! Time: which clock the kernel gives, how far it is from the world's, and who takes the processor's time away.

use super::facts::Facts;
use crate::doctor::Findings;
use shrike_core::clock::Tsc;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

/// An offset beyond this shows in the engine's own comparison with the exchange's clock.
const OFFSET_MAX_MS: f64 = 1.0;

/// Looks at clocks and real-time scheduling; `fifo_priority` is what the configuration asks for.
pub(super) fn examine(facts: &Facts, clock: &Tsc, fifo_priority: u8, findings: &mut Findings) {
    source(facts, clock, findings);
    offset(findings);
    real_time(facts, fifo_priority, findings);
}

fn source(facts: &Facts, clock: &Tsc, findings: &mut Findings) {
    let name = facts.text("sys/devices/system/clocksource/clocksource0/current_clocksource");
    let name = name.unwrap_or_else(|| "unknown".into());
    let wall = nanoseconds_of(std::time::SystemTime::now);
    let ours = nanoseconds_of(|| clock.now());
    let costs = format!("the kernel's clock takes {wall:.0} ns to read, the engine's {ours:.0} ns");
    if clock.is_counter() {
        findings.ok("clocksource", format!("{name}; the engine reads the processor's counter: {costs}"));
    } else {
        findings.costs(
            "clocksource",
            format!("{name}; the processor's counter is not constant, so the engine asks the kernel for the time"),
            costs,
            "boot with `clocksource=tsc tsc=reliable` where the processor has constant_tsc and nonstop_tsc; in a virtual \
             machine ask for an invariant TSC",
        );
    }
}

/// The shortest of some batches: what the call takes while nothing interrupts.
fn nanoseconds_of<T>(call: impl Fn() -> T) -> f64 {
    const CALLS: u32 = 2_000;
    let batches = (0..16).map(|_| {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(call());
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    });
    batches.fold(f64::INFINITY, f64::min)
}

/// What the host's own time service says of its offset.
fn offset(findings: &mut Findings) {
    if let Some(ms) = said_by("chronyc", &["-c", "tracking"]).as_deref().and_then(chrony_offset_ms) {
        let found = format!("{ms:.3} ms from chrony's sources");
        if ms.abs() <= OFFSET_MAX_MS {
            return findings.ok("clock offset", found);
        }
        return findings.costs(
            "clock offset",
            found,
            "latencies to the exchange are wrong by as much, and session boundaries come early or late",
            "`chronyc makestep` before the session; nearer sources in /etc/chrony/chrony.conf",
        );
    }
    match said_by("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]).as_deref().map(str::trim) {
        Some("yes") => findings.ok("clock offset", "synchronised, as systemd says; install chrony to see by how much"),
        _ => findings.costs(
            "clock offset",
            "nothing that keeps the clock right was found",
            "a drift of 10 to 100 ms a day; the engine alarms at 500 ms from the exchange",
            "install chrony (`apt-get install chrony`), or a PTP service where there is a card for it",
        ),
    }
}

fn said_by(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The fifth of chrony's comma-separated fields is the system clock's offset, in seconds.
pub(super) fn chrony_offset_ms(line: &str) -> Option<f64> {
    Some(line.trim().split(',').nth(4)?.parse::<f64>().ok()? * 1e3)
}

fn real_time(facts: &Facts, fifo_priority: u8, findings: &mut Findings) {
    if fifo_priority == 0 {
        return findings.skip("real-time scheduling", "threads.fifo_priority is 0: the ordinary scheduler");
    }
    match facts.limit("Max realtime priority") {
        Some(limit) if limit < u64::from(fifo_priority) => findings.costs(
            "real-time priority",
            format!("{limit} is permitted, threads.fifo_priority is {fifo_priority}"),
            "the hot threads run under the ordinary scheduler",
            "`rtprio 99` for the user in /etc/security/limits.conf, or LimitRTPRIO=99 in the unit",
        ),
        _ => findings.ok("real-time priority", format!("{fifo_priority} is permitted")),
    }
    match facts.number("proc/sys/kernel/sched_rt_runtime_us") {
        None | Some(-1) => findings.ok("real-time throttling", "off"),
        Some(runtime) => {
            let period = facts.number("proc/sys/kernel/sched_rt_period_us").unwrap_or(1_000_000);
            findings.costs(
                "real-time throttling",
                format!("a real-time thread may run {runtime} of every {period} us"),
                format!("a spinning hot thread stands still for {} us of each period", period - runtime),
                "`sysctl -w kernel.sched_rt_runtime_us=-1`",
            );
        }
    }
}

/// The processor's time that a hypervisor took, of all time, since start: ticks stolen and ticks in all.
pub(super) fn stolen(facts: &Facts) -> Option<(u64, u64)> {
    let text = facts.text("proc/stat")?;
    let all: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).flat_map(str::parse).collect();
    // user nice system idle iowait irq softirq steal; guest time is within user.
    Some((*all.get(7)?, all.iter().take(8).sum()))
}

/// Says what was stolen between two looks.
pub(super) fn steal(before: Option<(u64, u64)>, after: Option<(u64, u64)>, findings: &mut Findings) {
    let (Some((stolen_before, all_before)), Some((stolen, all))) = (before, after) else {
        return findings.skip("steal time", "/proc/stat cannot be read");
    };
    let (taken, passed) = (stolen.saturating_sub(stolen_before), all.saturating_sub(all_before).max(1));
    let percent = taken as f64 * 100.0 / passed as f64;
    let ever = stolen as f64 * 100.0 / all.max(1) as f64;
    let found = format!("{percent:.2} % while this looked, {ever:.2} % since the start");
    if percent < 0.1 && ever < 0.1 {
        return findings.ok("steal time", found);
    }
    findings.costs(
        "steal time",
        found,
        "the hypervisor runs other machines on these cores: pauses of up to tens of milliseconds",
        "ask for dedicated cores (pinned virtual processors), or a machine of one's own",
    );
}
