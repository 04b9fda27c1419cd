//! `shrike surface`: fits a chain of quotes from a file and draws what it finds: the smiles beside their quotes, the term
//! structure, and the surface. Reads one CSV, prints a table (or JSON) and writes SVG files.

mod board;
mod chain;
mod draw;

pub use board::{Board, BoardError, FittedSlice};
pub use chain::{Chain, ChainError, Group};

use crate::console;
use crate::error::{Error, Outcome};
use clap::Args as ClapArgs;
use shrike_core::units::TradingDay;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Fit a volatility surface to a chain of quotes, print it, and draw it.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
The file is a CSV with a header. Columns, by name, in any order, others are ignored:
  strike, bid, ask             of one unit of the underlying; empty or 0: no quote
  type (or option_type)        C, P, call or put
  expiry (or expiration)       a date, with --on; or `years`, a number
  root, style, forward         optional: contracts of several roots are fitted apart; american or european;
                               the listed future, which American options need
A column contractSymbol in OPRA's spelling gives the root, too.

Years run by the calendar, 365 days each, to the date of expiry. Without --rate the discount is what call and put
prices of all expiries say together.

Examples:
  shrike surface chain.csv --rate 0.02 --out drawings
  zcat SPX_all.csv.gz | shrike surface - --on 2026-01-30 --out drawings
Exit codes: 0 fitted; 1 fitted, but an expiry has no smile or its quotes cross; 2 nothing could be fitted.")]
pub struct Args {
    /// The chain; `-` reads standard input.
    pub chain: PathBuf,
    /// The day of the quotes, YYYY-MM-DD; needed where expiries are dates.
    #[arg(long, value_parser = chain::date)]
    pub on: Option<TradingDay>,
    /// Continuously compounded rate a year, instead of the one that the quotes imply.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Only contracts of this root.
    #[arg(long)]
    pub root: Option<String>,
    /// Write smiles.svg, term.svg and surface.svg into this directory.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Fits, prints, draws.
///
/// # Errors
/// When the chain cannot be read, nothing can be fitted, or a drawing cannot be written.
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let usage = |error: &dyn std::fmt::Display| Error::Usage(format!("{}: {error}", args.chain.display()));
    let chain = Chain::read(open(&args.chain)?, args.on, args.root.as_deref()).map_err(|error| usage(&error))?;
    let board = Board::fit(&chain, args.rate).map_err(|error| usage(&error))?;
    console::print(&board, args.json)?;
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).map_err(|source| Error::File { file: out.clone(), source })?;
        for (name, draw) in draw::DRAWINGS {
            let file = out.join(name);
            draw(&board, &file)
                .map_err(|error| Error::File { file: file.clone(), source: io::Error::other(error.to_string()) })?;
        }
    }
    Ok(Outcome::found_if(!board.is_clean()))
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).map_err(|source| Error::File { file: path.to_owned(), source })?;
    Ok(Box::new(BufReader::new(file)))
}
