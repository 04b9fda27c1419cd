//! `shrike surface`: fits a chain of quotes from a file and draws what it finds: the smiles beside their quotes, the term
//! structure, and the surface. Reads one CSV, prints a table (or JSON) and writes SVG and PNG files.

mod board;
mod chain;
mod draw;

pub use board::{Board, BoardError, FittedSlice};
pub use chain::{Chain, ChainError, Group};

use crate::clock::{self, QuoteClock};
use crate::console;
use crate::error::{Error, Outcome};
use crate::option::contract::moment;
use clap::Args as ClapArgs;
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
  discount_years               optional, beside years: what is discounted over, where another clock
  root, style, forward         optional: contracts of several roots are fitted apart; american or european;
                               the listed future, which American options need
A column contractSymbol in OPRA's spelling gives the root, too.

Years run by the calendar, 365 days each, to the expiry, at 15:00 where it has no time; with --clock variance runs by a
product's sessions. Without --rate the discount is what call and put prices of all expiries say together.

Examples:
  shrike surface chain.csv --rate 0.02 --out drawings
  shrike surface chain.csv --on 2026-11-20T14:30 --clock 510050_O --out drawings
  zcat SPX_all.csv.gz | shrike surface - --on 2026-01-30 --out drawings
Exit codes: 0 fitted; 1 fitted, but an expiry has no smile or its quotes cross; 2 nothing could be fitted.")]
pub struct Args {
    /// The chain; `-` reads standard input.
    pub chain: PathBuf,
    /// The day of the quotes, YYYY-MM-DD, with a time THH:MM where it is not 15:00; needed where expiries are dates.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub on: Option<i64>,
    /// Let variance run by the trading clock of a product, such as IO or 510050_O. Needs --on.
    #[arg(long, value_name = "PRODUCT", requires = "on")]
    pub clock: Option<String>,
    /// Continuously compounded rate a year, instead of the one that the quotes imply.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Only contracts of this root.
    #[arg(long)]
    pub root: Option<String>,
    /// Draw smiles, term and surface into this directory, each as SVG and PNG.
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
    let clock = args.on.map(|on| QuoteClock::new(clock::china(on), args.clock.as_deref()));
    let clock = clock.transpose().map_err(|error| usage(&error))?;
    let chain = Chain::read(open(&args.chain)?, clock.as_ref(), args.root.as_deref()).map_err(|error| usage(&error))?;
    let board = Board::fit(&chain, args.rate).map_err(|error| usage(&error))?;
    console::print(&board, args.json)?;
    if let Some(out) = &args.out {
        draw::all(&board, out)?;
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
