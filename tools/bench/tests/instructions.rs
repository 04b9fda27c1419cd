//! Guards what the hot path costs without a clock: instructions per round of each step, counted by valgrind, stay within
//! 5 % of those in `instructions.txt`. They repeat under any load; they do change with the compiler, so another one than
//! the recorded is no failure but a reason to skip. `SHRIKE_RECORD=1` records them anew, for the profile under test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use shrike_bench::steps::Step;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What may change before it must be explained.
const TOLERANCE: f64 = 0.05;
/// Rounds of the shorter run; the longer one does twice as many, and the difference is free of start and end.
const ROUNDS: u64 = 128;
const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// Instructions of a run; `None` without valgrind.
fn count(step: &str, rounds: u64) -> Option<u64> {
    let run = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .args([env!("CARGO_BIN_EXE_steps"), step, &rounds.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "steps {step} {rounds}: {said}");
    let (_, after) = said.split_once("I   refs:").or_else(|| said.split_once("I refs:")).unwrap();
    Some(after.lines().next().unwrap().chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap())
}

fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output();
    version.map_or_else(|error| error.to_string(), |said| String::from_utf8_lossy(&said.stdout).trim().into())
}

/// The file: `profile step instructions` by line, and under `profile compiler` who made them.
fn recorded(file: &Path) -> BTreeMap<(String, String), String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.splitn(3, ' ').map(str::to_owned);
            Some(((words.next()?, words.next()?), words.next()?))
        })
        .collect()
}

#[test]
fn instructions_per_round_stay_as_recorded() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return println!("skipped: valgrind is not installed (apt install valgrind)");
    }
    if !std::arch::is_x86_feature_detected!("pclmulqdq") || !std::arch::is_x86_feature_detected!("avx2") {
        return println!("skipped: the counts are those of a processor with PCLMULQDQ and AVX2");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let mut table = recorded(&file);
    let key = |name: &str| (PROFILE.to_owned(), name.to_owned());
    let record = std::env::var_os("SHRIKE_RECORD").is_some();
    let (made_by, compiler) = (table.get(&key("compiler")).cloned().unwrap_or_default(), compiler());
    if !record && made_by != compiler {
        return println!("skipped: recorded with {made_by:?}, this is {compiler:?}; SHRIKE_RECORD=1 records anew");
    }
    let mut over = Vec::new();
    let counts = std::thread::scope(|scope| {
        let run = |(name, _): (&'static str, Step)| {
            scope.spawn(move || {
                let counts = [ROUNDS, 2 * ROUNDS].map(|rounds| count(name, rounds).unwrap());
                let [short, long] = counts;
                (name, (long - short) as f64 / ROUNDS as f64)
            })
        };
        Step::ALL.map(run).map(|thread| thread.join().unwrap())
    });
    for (name, now) in counts {
        let before = table.get(&key(name)).and_then(|count| count.parse::<f64>().ok());
        println!("{name}: {now:.1} instructions a round, recorded {before:?}");
        if before.is_none_or(|before| (now / before - 1.0).abs() > TOLERANCE) {
            over.push(format!("{name}: {now:.1}, recorded {before:?}"));
        }
        table.insert(key(name), format!("{now:.1}"));
    }
    if record {
        table.insert(key("compiler"), compiler);
        let head = "# Instructions per round of `steps`: profile, step, count. Written by tests/instructions.rs.\n";
        let lines: String =
            table.iter().map(|((profile, name), count)| format!("{profile} {name} {count}\n")).collect();
        return std::fs::write(&file, format!("{head}{lines}")).unwrap();
    }
    assert!(
        over.is_empty(),
        "more than 5 % off, up or down ({PROFILE} profile):\n  {}\nIf that is meant, say so in benches/README.md and run \
         SHRIKE_RECORD=1 cargo test -p shrike-bench --test instructions, once more with --release",
        over.join("\n  ")
    );
}
