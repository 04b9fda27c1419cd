//! How long one core's write takes to reach another, for every pair (the bench's floor row takes the last two only), and
//! the cores for the hot threads that follow from it. Each pair passes a number to and fro on one cache line, which is
//! the floor of anything that crosses threads here.

use super::facts::{Cores, Facts};
use serde::Serialize;
use shrike_core::clock::Tsc;
use shrike_core::thread::{ThreadPlan, place};
use std::fmt;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};

/// Round trips of one measurement, and measurements of a pair. The shortest is the pair's, whatever else ran.
const ROUNDS: u64 = 1_000;
const TURNS: usize = 5;

/// One-way times between cores.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Hops {
    /// The cores, as the kernel numbers them.
    pub cores: Vec<usize>,
    /// By index of the one and of the other core, nanoseconds one way; null on the diagonal and where a core could not be
    /// had.
    pub ns: Vec<Vec<Option<f64>>>,
}

impl Hops {
    /// Measures every pair of `cores`. About 1 ms a pair on a quiet host.
    pub(super) fn measure(clock: &Tsc, cores: &Cores) -> Self {
        let cores: Vec<usize> = cores.0.iter().copied().collect();
        let mut ns = vec![vec![None; cores.len()]; cores.len()];
        for (a, &one) in cores.iter().enumerate() {
            for (b, &other) in cores.iter().enumerate().skip(a + 1) {
                let hop = (0..TURNS).filter_map(|_| hop_ns(clock, one, other)).reduce(f64::min);
                for (from, to) in [(a, b), (b, a)] {
                    if let Some(place) = ns.get_mut(from).and_then(|row| row.get_mut(to)) {
                        *place = hop;
                    }
                }
            }
        }
        Self { cores, ns }
    }

    fn between(&self, one: usize, other: usize) -> Option<f64> {
        let index = |core| self.cores.iter().position(|&known| known == core);
        *self.ns.get(index(one)?)?.get(index(other)?)?
    }

    /// The cores for `threads` threads of which each passes its work to the next: the least sum of hops, among the cores
    /// of `from` and without two hardware threads of one core. Absent where there are too few, one being left for all
    /// other work.
    pub(super) fn placement(&self, facts: &Facts, from: &Cores, threads: usize) -> Option<Vec<usize>> {
        if self.cores.len() <= threads {
            return None;
        }
        let siblings = |core: usize| {
            let file = format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
            facts.cores(&file).unwrap_or_default()
        };
        // The first core takes the host's interrupts; it is the last choice.
        let mut candidates: Vec<usize> = self.cores.iter().copied().filter(|&core| from.contains(core)).collect();
        candidates.sort_by_key(|&core| (core == 0, core));
        let taken: Vec<Cores> = candidates.iter().map(|&core| siblings(core)).collect();
        let mut search = Search { hops: self, candidates, taken, threads, best: None };
        search.extend(&mut Vec::new(), 0.0);
        Some(search.best?.1)
    }
}

/// All chains of so many cores, cut where one is already longer than the best.
struct Search<'a> {
    hops: &'a Hops,
    candidates: Vec<usize>,
    /// By candidate: the hardware threads of its core.
    taken: Vec<Cores>,
    threads: usize,
    best: Option<(f64, Vec<usize>)>,
}

impl Search<'_> {
    fn extend(&mut self, chain: &mut Vec<usize>, ns: f64) {
        if self.best.as_ref().is_some_and(|(best, _)| ns >= *best) {
            return;
        }
        if chain.len() == self.threads {
            self.best = Some((ns, chain.clone()));
            return;
        }
        for at in 0..self.candidates.len() {
            let (Some(&core), Some(shared)) = (self.candidates.get(at), self.taken.get(at)) else { continue };
            if chain.iter().any(|&used| used == core || shared.contains(used)) {
                continue;
            }
            let hop = match chain.last() {
                Some(&last) => self.hops.between(last, core),
                None => Some(0.0),
            };
            if let Some(hop) = hop {
                chain.push(core);
                self.extend(chain, ns + hop);
                chain.pop();
            }
        }
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "core to core, ns one way\n{:>6}", "")?;
        self.cores.iter().try_for_each(|core| write!(f, "{core:>6}"))?;
        writeln!(f)?;
        for (core, row) in self.cores.iter().zip(&self.ns) {
            write!(f, "{core:>6}")?;
            for hop in row {
                match hop {
                    Some(ns) => write!(f, "{ns:>6.0}")?,
                    None => write!(f, "{:>6}", "-")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Half of a round trip between two cores; absent when this process may not use one of them.
fn hop_ns(clock: &Tsc, one: usize, other: usize) -> Option<f64> {
    /// Alone on its lines, the neighbour that the processor fetches along included.
    #[repr(align(128))]
    struct Line(AtomicU64);
    let line = Line(AtomicU64::new(0));
    let Line(word) = &line;
    let pin = |core| place(&ThreadPlan { core: Some(core), ..ThreadPlan::default() }).is_empty();
    let wait_for = |value| {
        while word.load(Ordering::Acquire) != value {
            spin_loop();
        }
    };
    let clock = clock.clone();
    std::thread::scope(|scope| {
        let answering = scope.spawn(move || {
            let pinned = pin(other);
            for round in 0..=ROUNDS {
                wait_for(2 * round + 1);
                word.store(2 * round + 2, Ordering::Release);
            }
            pinned
        });
        let asking = scope.spawn(move || {
            let pinned = pin(one);
            let ask = |round: u64| {
                word.store(2 * round + 1, Ordering::Release);
                wait_for(2 * round + 2);
            };
            // The first round waits for the other thread to start.
            ask(0);
            let begin = clock.now();
            (1..=ROUNDS).for_each(ask);
            pinned.then(|| clock.now().since(begin) as f64 / (2 * ROUNDS) as f64)
        });
        let ns = asking.join().ok()?;
        answering.join().ok()?.then_some(ns)?
    })
}
