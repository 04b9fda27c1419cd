//! `shrike doctor host`: what this host costs a run, and the command or kernel argument that mends it. Reads files of
//! /proc and /sys, and measures for a moment what can be measured: clocks, the jitter of each core, the hops between
//! cores. Changes nothing and needs no privilege.

mod cores;
mod facts;
mod hops;
mod interrupts;
mod jitter;
mod memory;
#[cfg(test)]
mod tests;
mod time;

use super::Findings;
use crate::config::Sources;
use crate::error::Error;
use clap::Args;
use facts::{Cores, Facts};
use hops::Hops;
use jitter::CoreJitter;
use serde::Serialize;
use shrike_config::{Config, Topology};
use shrike_core::clock::Tsc;
use std::fmt;
use std::path::{Path, PathBuf};

/// On a hot core an interruption longer than this is a finding, nanoseconds.
const JITTER_MAX_NS: u64 = 50_000;
/// So is more lost time than this, percent.
const LOST_MAX_PERCENT: f64 = 0.05;
/// Cores whose hops are measured at most: some thousand pairs.
const MATRIX_CORES_MAX: usize = 64;

/// The arguments of `shrike doctor host`.
#[derive(Args, Clone, Debug)]
pub struct HostArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sources: Sources,
    /// The home of the run, for the room on its disk; else run.home.
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// How long the jitter of the cores is watched; 0 leaves out jitter and hops.
    #[arg(long, value_name = "MS", default_value_t = 2_000)]
    pub watch_ms: u64,
    /// Prints JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What was found of a host.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The checks.
    #[serde(flatten)]
    pub findings: Findings,
    /// The jitter of each core that this process may use.
    pub jitter: Vec<CoreJitter>,
    /// The hops between them.
    pub hops: Hops,
    /// Cores for the hot threads of the configured topology, in the order of their work; absent where there are too few.
    pub placement: Option<Vec<usize>>,
}

/// Looks at this host.
///
/// # Errors
/// When the configuration cannot be read, or the host gives no thread.
pub fn examine(args: &HostArgs) -> Result<Report, Error> {
    let config = args.sources.load()?.config;
    let (facts, clock) = (Facts::of(Path::new("/")), Tsc::calibrate());
    let usable: Cores = shrike_core::thread::cores().into_iter().collect();
    let mut findings = Findings::new();

    let before = time::stolen(&facts);
    let (mut jitter, mut hops) = (Vec::new(), Hops::default());
    if args.watch_ms > 0 {
        jitter = jitter::watch(&clock, &usable, args.watch_ms)?;
        let isolated = facts.cores("sys/devices/system/cpu/isolated").unwrap_or_default();
        let first = isolated.0.intersection(&usable.0).chain(usable.0.difference(&isolated.0));
        hops = Hops::measure(&clock, &first.copied().take(MATRIX_CORES_MAX).collect());
    }
    let after = time::stolen(&facts);

    let names = hot_threads(&config);
    let isolated: Cores = facts.cores("sys/devices/system/cpu/isolated").unwrap_or_default();
    let shielded: Cores = usable.0.intersection(&isolated.0).copied().collect();
    let from = if shielded.0.len() >= names.len() { &shielded } else { &usable };
    let placement = hops.placement(&facts, from, names.len());
    let hot = placed(&config, &usable, placement.as_deref(), &mut findings);
    let rest = usable.without(&hot);

    cores::examine(&facts, &hot, &mut findings);
    interrupts::examine(&facts, &hot, &rest, &mut findings);
    memory::examine(&facts, &config.journal, args.home.as_deref().unwrap_or(&config.run.home), &mut findings);
    time::examine(&facts, &clock, config.threads.fifo_priority, &mut findings);
    time::steal(before, after, &mut findings);
    judge(&jitter, &hot, &mut findings);
    Ok(Report { findings, jitter, hops, placement })
}

/// The hot threads of the topology, as `[threads]` names them, in the order of their work.
fn hot_threads(config: &Config) -> &'static [&'static str] {
    match config.run.topology {
        Topology::Inline => &["feed"],
        Topology::Pipeline => &["feed", "signal", "order"],
    }
}

/// The cores of the hot threads: those that the configuration names, else those that measured best.
fn placed(config: &Config, usable: &Cores, placement: Option<&[usize]>, findings: &mut Findings) -> Cores {
    let names = hot_threads(config);
    let threads = &config.threads;
    let named = [("feed", threads.feed), ("signal", threads.signal), ("order", threads.order)];
    let chosen: Vec<usize> =
        named.iter().filter(|(name, _)| names.contains(name)).filter_map(|(_, core)| *core).collect();
    let suggested = placement.map(|cores| {
        let lines: Vec<_> = names.iter().zip(cores).map(|(name, core)| format!("threads.{name} = {core}")).collect();
        lines.join(", ")
    });
    let wrong: Vec<_> = chosen.iter().filter(|&&core| !usable.contains(core)).map(ToString::to_string).collect();
    let set = format!("set {}", suggested.as_deref().unwrap_or("cores that this process may use"));
    if !wrong.is_empty() {
        let found = format!("this process may not use core {}; it may use {usable}", wrong.join(", "));
        findings.costs("placement", found, "those threads run wherever the scheduler puts them", set);
    } else if chosen.len() == names.len() {
        let found: Vec<_> = names.iter().zip(&chosen).map(|(name, core)| format!("{name} on {core}")).collect();
        findings.ok("placement", found.join(", "));
    } else if let Some(suggested) = &suggested {
        findings.costs(
            "placement",
            "threads of the hot path have no core of their own",
            "each move to another core costs 5 to 50 us of cold caches",
            format!("set {suggested}: the shortest way here"),
        );
    } else if usable.0.len() <= names.len() {
        findings.costs(
            "placement",
            format!("{} hot threads and the rest share {} cores", names.len(), usable.0.len()),
            "threads wait in bounded back-off instead of spinning: 50 us and more for a hop",
            "run.topology = \"inline\", or a host with more cores",
        );
    } else {
        findings.skip("placement", "not measured: --watch-ms 0");
    }
    let had: Cores = chosen.into_iter().filter(|&core| usable.contains(core)).collect();
    match placement {
        _ if !had.is_empty() => had,
        Some(cores) => cores.iter().copied().collect(),
        // The last ones: the first take the interrupts.
        None => usable.0.iter().rev().take(names.len()).copied().collect(),
    }
}

/// Whether the hot cores were left alone.
fn judge(jitter: &[CoreJitter], hot: &Cores, findings: &mut Findings) {
    for seen in jitter.iter().filter(|seen| hot.contains(seen.core)) {
        let name = format!("jitter of core {}", seen.core);
        let found = format!(
            "{:.0} interruptions a second, the longest {:.1} us, {:.3} % of the time lost",
            seen.per_second,
            seen.max_ns as f64 / 1e3,
            seen.lost_percent
        );
        if seen.max_ns <= JITTER_MAX_NS && seen.lost_percent <= LOST_MAX_PERCENT {
            findings.ok(name, found);
        } else {
            let costs = format!("an event that comes then waits {:.0} us at p99", seen.p99_ns as f64 / 1e3);
            findings.costs(name, found, costs, "what the lines above say of this core, then look again");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.findings)?;
        if !self.jitter.is_empty() {
            writeln!(f, "\njitter, interruptions of a thread that only reads the clock")?;
            writeln!(f, "  core   per s   lost %    p50 us    p99 us    max us")?;
            for seen in &self.jitter {
                let us = |ns: u64| ns as f64 / 1e3;
                writeln!(
                    f,
                    "{:>6}{:>8.0}{:>9.3}{:>10.1}{:>10.1}{:>10.1}",
                    seen.core,
                    seen.per_second,
                    seen.lost_percent,
                    us(seen.p50_ns),
                    us(seen.p99_ns),
                    us(seen.max_ns)
                )?;
            }
        }
        if self.hops.cores.len() > 1 {
            write!(f, "\n{}", self.hops)?;
        }
        Ok(())
    }
}
