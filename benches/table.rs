//! `cargo bench -p shrike-benches [-- --short] [--no-floor] [part of a row's name]`: measures and prints the table; with a
//! name that begins with `peer`, the rows of what others built.

mod peers;

use shrike_bench::run::{Plan, measure};
use shrike_bench::table;
use shrike_tools::bench::{backtest, rows};

fn main() {
    let given = |name| std::env::args().any(|arg| arg == name);
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let plan = Plan {
        // Cargo gives `--bench` when it benches, and nothing when it runs all targets as tests.
        short: given("--short") || !given("--bench"),
        more: if wanted.starts_with("peer") { peers::rows } else { rows },
        wanted,
        no_floor: given("--no-floor"),
        backtest,
    };
    let mut began = |host: &shrike_bench::Host| println!("{host}\n{}", table::HEADING);
    let run = measure(&plan, &mut began, &mut |row| println!("{}", table::line(&row.row, &row.outcome, row.beside)));
    run.floors_told().into_iter().for_each(|told| println!("{told}"));
}
