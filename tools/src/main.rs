//! The `shrike` program: reads the command line, runs one command, and says by the exit code how it went.

use clap::{Parser, Subcommand};
use shrike_tools::error::{Error, Outcome};
use shrike_tools::{
    bench, config, ctl, doctor, exchange, option, record, repair, replay, run, simulate, status, summary, surface,
    tail, verify,
};
use std::process::ExitCode;

/// A trading engine and the tools around it.
#[derive(Parser)]
#[command(name = "shrike", version, propagate_version = true, after_help = EXIT_CODES)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes of every command:
  0  done, and nothing wrong was found
  1  done, and something was found: differences, damage, a command that was not taken
  2  not done: a wrong argument, no home, a journal that cannot be opened";

/// Declares the commands: the name, the type of its arguments, whose doc comment is the help, and what runs it.
macro_rules! commands {
    ($($name:ident($args:ty) = $run:path,)+) => {
        #[derive(Subcommand)]
        #[allow(clippy::large_enum_variant, reason = "a run makes one")]
        enum Command {
            $($name($args),)+
        }

        impl Command {
            fn run(&self) -> Result<Outcome, Error> {
                match self {
                    $(Self::$name(args) => $run(args),)+
                }
            }
        }
    };
}

commands! {
    Run(run::RunArgs) = run::run,
    Exchange(exchange::ExchangeArgs) = exchange::run,
    Record(record::Args) = record::run,
    Replay(replay::Args) = replay::run,
    Summary(summary::Args) = summary::run,
    Status(status::Args) = status::run,
    Tail(tail::Args) = tail::run,
    Verify(verify::Args) = verify::run,
    Repair(repair::Args) = repair::run,
    Ctl(ctl::Args) = ctl::run,
    Config(config::Args) = config::run,
    Option(option::Args) = option::run,
    Surface(surface::Args) = surface::run,
    Doctor(doctor::Args) = doctor::run,
    Simulate(simulate::Args) = simulate::run,
    Bench(bench::Args) = bench::run,
}

fn main() -> ExitCode {
    match Program::parse().command.run() {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shrike: {error}");
            ExitCode::from(2)
        }
    }
}
