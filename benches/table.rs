//! `cargo bench -p shrike-benches [-- --short] [--no-floor] [part of a row's name]`: measures and prints the table.

use shrike_bench::{Host, rows, table};
use shrike_tools::bench::backtest;

fn main() {
    let given = |name| std::env::args().any(|arg| arg == name);
    // Cargo gives `--bench` when it benches, and nothing when it runs all targets as tests.
    let mut host = Host::new(given("--short") || !given("--bench"), backtest);
    // Profilers that run one thread at a time never end where two answer each other.
    let bare = given("--no-floor");
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    println!("{host}\n{}", table::HEADING);
    for row in rows() {
        // The floor is always measured: other rows are judged by it.
        let floor = row.name == shrike_bench::FLOOR;
        if (floor && !bare) || (!floor && row.name.contains(&wanted)) {
            let outcome = (row.measure)(&mut host);
            if floor && let shrike_bench::Outcome::Measured(figures) = &outcome {
                host.floor_ns = Some(figures.p50);
            }
            println!("{}", table::line(&row, &outcome, table::Beside::of(&host)));
        }
    }
}
