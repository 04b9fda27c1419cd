//! The machine that the rows are measured on.

use shrike_config::Loaded;
use shrike_config::tables::Tables;
use shrike_core::clock::Tsc;
use shrike_core::thread::cores;
use std::fmt;

/// Runs a configuration of simulated time to the end of its market, journals written.
pub type Backtest = fn(&Loaded, &Tables) -> Result<(), String>;

/// What rows need to know of the machine and the run.
pub struct Host {
    /// Milliseconds for the sake of tests, not figures to quote.
    pub short: bool,
    /// The cores that this process may use.
    pub cores: Vec<usize>,
    /// The clock that everything is timed with.
    pub clock: Tsc,
    /// The floor, once measured, nanoseconds.
    pub floor_ns: Option<f64>,
    /// Tick to order on one thread, once measured, nanoseconds.
    pub inline_ns: Option<f64>,
    /// Makes the homes that replay rows read.
    pub backtest: Backtest,
}

impl Host {
    /// This machine.
    pub fn new(short: bool, backtest: Backtest) -> Self {
        Self { short, cores: cores(), clock: Tsc::calibrate(), floor_ns: None, inline_ns: None, backtest }
    }

    /// `full` repetitions, a thousandth of them in short mode.
    pub fn repetitions(&self, full: u64) -> u64 {
        if self.short { (full / 1_000).max(8) } else { full }
    }

    /// A core for each of `threads` spinning threads, the last of the machine first (the first ones take its
    /// interrupts), or why there are none.
    pub fn spinning<const THREADS: usize>(&self) -> Result<[usize; THREADS], String> {
        let mut cores = self.cores.iter().rev().copied();
        let chosen = [(); THREADS].map(|()| cores.next());
        if chosen.contains(&None) {
            return Err(format!("needs {THREADS} cores, this host gives {}", self.cores.len()));
        }
        Ok(chosen.map(Option::unwrap_or_default))
    }
}

impl fmt::Display for Host {
    /// Processor, cores, clock, load.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model =
            cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
        let load = read("/proc/loadavg");
        let virtual_machine = if cpuinfo.contains(" hypervisor") { ", virtual machine" } else { "" };
        write!(
            f,
            "{}{virtual_machine}, {} cores, kernel {}, clock {}, load {}{}",
            model.unwrap_or("unknown processor"),
            self.cores.len(),
            read("/proc/sys/kernel/osrelease").trim(),
            if self.clock.is_counter() { "tsc" } else { "clock_gettime" },
            load.split(' ').next().unwrap_or("unknown"),
            if self.short { " (short run: not figures to quote)" } else { "" },
        )
    }
}
