//! `steps <step> <rounds>`: does one step of [`shrike_bench::steps`] over and over, for a profiler.

use shrike_bench::steps::{Step, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    let step = given.next().and_then(|name| Step::parse(&name));
    let rounds = given.next().and_then(|count| count.parse().ok());
    let (Some(step), Some(rounds)) = (step, rounds) else {
        let names: Vec<_> = Step::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("steps <{}> <rounds>", names.join("|"));
        return ExitCode::from(2);
    };
    match run(step, rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("steps: {why}");
            ExitCode::FAILURE
        }
    }
}
