//! `shrike option`: prices, volatilities and Greeks of the contracts in a CSV file, one answer a row, so that anyone can
//! check Shrike's option mathematics against anything. Rows stream from the file or standard input to standard output;
//! a row without an answer says why and the next one follows.

mod answer;
pub(crate) mod contract;
mod header;
mod margin;

use crate::clock::{self, QuoteClock};
use crate::console;
use crate::error::{Error, Outcome};
use answer::{Answer, Pricer};
use clap::{Args as ClapArgs, ValueEnum};
use header::{Header, fields};
use margin::Margin;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Price options from a CSV file: value, volatility and Greeks of each row, to standard output.
///
/// The header names the columns, in any order: id, forward, strike, rate, type (C or P), years or expiry, style (european
/// or american; european where absent), discount_years (where discounting runs on another clock), and vol, price, or bid
/// and ask. Of those the first that a row has is used: from vol comes the price, from a price or a quote the volatility.
/// A bid or ask that is empty, zero or not a number is no quote. Rates are continuously compounded.
///
/// Delta and gamma are by the forward; vega, vanna and volga by 1.00 of volatility; theta and charm a year; rho by 1.00 of
/// the rate. Numbers are exact: read back they give the same double. American options are on futures: their underlying
/// drifts as the forward does. Where there is no volatility, `reason` says why: below_intrinsic, above_bound, one_sided,
/// crossed, absent, expired, unresolved (the price's digits do not hold its time value), input.
/// Exit code 0: every row was read; 1: some were not, and their reason begins with `row:`.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike option chain.csv                                     a file with years to expiry
  shrike option chain.csv --at 2026-11-20T14:30 > out.csv     a file with expiry dates
  shrike option chain.csv --at 2026-11-20T14:30 --clock IO    the same by the index options' trading clock
  printf 'forward,strike,years,rate,type,price\\n100,95,0.5,0.02,P,3.1\\n' | shrike option")]
pub struct Args {
    /// The file; standard input where it is absent or `-`.
    pub file: Option<PathBuf>,
    /// The moment of the prices, for a column `expiry`: a date, or a date and a time. An expiry without a time is at 15:00.
    #[arg(long, value_name = "TIME", value_parser = contract::moment)]
    pub at: Option<i64>,
    /// Let variance run by the trading clock of a product, such as IO or 510050_O: the minutes of its sessions, and little
    /// while it is shut. Needs --at; discounting runs by the calendar.
    #[arg(long, value_name = "PRODUCT", requires = "at")]
    pub clock: Option<String>,
    /// Fill the column `margin`: what one short lot binds by the rule of an option product's exchange, such as IO or
    /// 510050_O. From the columns settlement (else the price), underlying (else the forward) and unit (else the product's).
    #[arg(long, value_name = "PRODUCT")]
    pub margin: Option<String>,
    /// How the forward moves: by percentages, or by amounts (European options only).
    #[arg(long, value_enum, default_value = "black")]
    pub model: Model,
    /// One JSON object a row.
    #[arg(long)]
    pub json: bool,
}

/// How the forward of a European option moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Model {
    /// Black (1976).
    Black,
    /// Bachelier (1900).
    Bachelier,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, a header that lacks what is needed, an output that cannot be written.
pub fn run(args: &Args) -> Result<Outcome, Error> {
    match args.file.as_deref().filter(|file| file.as_os_str() != "-") {
        None => answer_all(args, Path::new("standard input"), io::stdin().lock()),
        Some(path) => {
            let file = File::open(path).map_err(|source| Error::File { file: path.to_owned(), source })?;
            answer_all(args, path, BufReader::with_capacity(1 << 16, file))
        }
    }
}

fn answer_all(args: &Args, file: &Path, mut rows: impl BufRead) -> Result<Outcome, Error> {
    let failed = |source| Error::File { file: file.to_owned(), source };
    let mut line = Vec::new();
    rows.read_until(b'\n', &mut line).map_err(failed)?;
    let trading = match (&args.clock, args.at) {
        (Some(product), Some(at)) => Some(QuoteClock::new(clock::china(at), Some(product))),
        _ => None,
    };
    let trading = trading.transpose().map_err(|why| Error::Usage(why.to_string()))?;
    let header =
        Header::of(&text(&line), args.at, trading).map_err(|why| Error::Usage(format!("{}: {why}", file.display())))?;

    let margin = args.margin.as_deref().map(Margin::of).transpose().map_err(Error::Usage)?;
    let mut out = console::stdout();
    if !args.json {
        writeln!(out, "{}", Answer::HEADING)?;
    }
    let mut pricer = Pricer::new(args.model);
    let (mut number, mut read, mut unread) = (1_u64, 0_u64, None);
    loop {
        line.clear();
        if rows.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        number += 1;
        let row = text(&line);
        if row.is_empty() {
            continue;
        }
        read += 1;
        let fields = fields(&row);
        let id = header.id(&fields).map_or_else(|| (number - 1).to_string(), str::to_owned);
        let answered = header.contract(&fields).and_then(|contract| {
            let answer = pricer.answer(id.clone(), &contract);
            let per_lot = margin.as_ref().map(|margin| margin.per_lot(&header, &fields, &contract, &answer));
            Ok(Answer { margin: per_lot.transpose()?.flatten(), ..answer })
        });
        let answer = match answered {
            Ok(answer) => answer,
            Err(why) => {
                let (count, _, _) = unread.get_or_insert((0_u64, number, why.clone()));
                *count += 1;
                Answer { id, reason: format!("row: {why}"), ..Answer::default() }
            }
        };
        if args.json {
            serde_json::to_writer(&mut out, &answer)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{answer}")?;
        }
    }
    out.flush()?;
    if let Some((count, first, why)) = &unread {
        eprintln!(
            "shrike: {}: {count} of {read} rows could not be read; the first is line {first}: {why}",
            file.display()
        );
    }
    Ok(Outcome::found_if(unread.is_some()))
}

/// A line as text without its end; bytes that are no text are shown as such and fail where a number is wanted.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}
