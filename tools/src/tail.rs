//! `shrike tail`: a journal's records in columns or as JSON, from the start or the end, and on as it grows. Reads from
//! any process at any time and changes nothing.

use crate::console;
use crate::error::{Error, Outcome};
use crate::fields::Line;
use crate::home::HomeArgs;
use crate::names::{Kept, Names};
use crate::paths::{After, Pace, Since};
use crate::words::{Columns, HEADING, instrument_of, strategy_of};
use clap::{Args as ClapArgs, ValueEnum};
use shrike_core::codes::StageId;
use shrike_core::event::{Event, Header, Kind, Seq, flags};
use shrike_journal::Reader;
use std::collections::VecDeque;
use std::io::{BufWriter, StdoutLock, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Print a journal's records: every event that a stage took and every output it gave.
///
/// Columns: number, exchange time (China time), latency from receiving to taking (in simulated time: the model's), in or
/// out, kind, instrument, and the event in words; of an intent's first request, how long after the intent it was decided,
/// of a report, how long after its request it came, and of a fill, how long after the venue's first word on its order.
/// JSON has the same as latency_ns, tick_to_intent_ns (of an intent, the column's: from receiving what led to it, nearly
/// always a tick), intent_to_request_ns, request_to_report_ns and ack_to_fill_ns.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike tail order --home H                         everything the order stage took and gave
  shrike tail order --home H --follow                the last ten records, and on as they come, until Ctrl-C
  shrike tail order --home H --outputs --kind OrderRequest,Refusal
  shrike tail signal --home H --instrument ru1901 --strategy 1 -n 20
  shrike tail order --home H --json | jq 'select(.kind == \"Fill\") | .body.price'
  shrike tail order --home H --json | jq '.request_to_report_ns // empty' | sort -n | tail -n 1")]
pub struct Args {
    /// The journal.
    #[arg(value_enum, default_value = "order")]
    pub journal: Journal,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
    /// Go on as the journal grows, until Ctrl-C; begins with the last ten records unless -n or --from says otherwise.
    #[arg(long, short)]
    pub follow: bool,
    /// Only these kinds of events, such as Fill,OrderRequest.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    pub kind: Vec<Kind>,
    /// Only events about these contracts.
    #[arg(long, value_name = "SYMBOL", value_delimiter = ',')]
    pub instrument: Vec<String>,
    /// Only events that belong to this strategy; 0: the engine's own.
    #[arg(long, value_name = "NUMBER")]
    pub strategy: Option<u32>,
    /// Only what the stage gave.
    #[arg(long, conflicts_with = "inputs")]
    pub outputs: bool,
    /// Only what the stage took.
    #[arg(long)]
    pub inputs: bool,
    /// Only the last N of them.
    #[arg(short = 'n', value_name = "N")]
    pub last: Option<usize>,
    /// Only from this number on: N, or EPOCH:N.
    #[arg(long, value_name = "SEQ", value_parser = from)]
    pub from: Option<(u8, u64)>,
}

/// The journals of a home.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Journal {
    /// The signal stage's.
    Signal,
    /// The order stage's.
    Order,
    /// The simulated exchange's.
    Exchange,
    /// The operator's commands.
    Commands,
    /// A recorder's.
    Market,
}

impl Journal {
    /// Its directory's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Order => "order",
            Self::Exchange => "exchange",
            Self::Commands => "commands",
            Self::Market => "market",
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("no such kind; the kinds are {}", known.join(", "))
    })
}

fn from(text: &str) -> Result<(u8, u64), String> {
    // `order/0:42`, as records show it, will do too.
    let text = text.rsplit('/').next().unwrap_or(text);
    let (epoch, n) = text.split_once(':').unwrap_or(("0", text));
    match (epoch.parse(), n.parse()) {
        (Ok(epoch), Ok(n)) => Ok((epoch, n)),
        _ => Err("write a number such as 42, or epoch and number such as 1:42".to_owned()),
    }
}

/// How many records `--follow` begins with.
const FOLLOW_LAST: usize = 10;
/// How long to wait for a live journal to grow.
const POLL: Duration = Duration::from_millis(10);

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let dir = args.home.journal(args.journal.name())?;
    let told = Arc::new(AtomicBool::new(false));
    let mut names = Names::default();
    if let (Journal::Commands, Some(order)) = (args.journal, args.home.journal_if("order")) {
        names = Names::of_journal(&order)?;
    }
    let mut printer = Printer { json: args.home.json, names, out: console::stdout() };
    let mut pace = Pace::default();
    if args.follow {
        let at = |source| Error::File { file: dir.clone(), source };
        signal_hook::flag::register(signal_hook::consts::SIGINT, told.clone()).map_err(at)?;
        signal_hook::flag::register(signal_hook::consts::SIGTERM, told.clone()).map_err(at)?;
    }
    let last = args.last.or((args.follow && args.from.is_none()).then_some(FOLLOW_LAST));
    let mut kept = VecDeque::new();
    let mut reader = Reader::open(&dir)?;
    if !args.home.json {
        printer.out.write_all(HEADING.as_bytes())?;
    }
    while let Some(record) = reader.next()? {
        let (header, event) = (record.header, record.event());
        printer.names.learn(event);
        let after = pace.of(header, event);
        if !args.wants(header, event, &printer.names) {
            continue;
        }
        match last {
            None => printer.print(header, event, after)?,
            Some(0) => {}
            Some(last) => {
                if kept.len() == last {
                    kept.pop_front();
                }
                kept.push_back((Kept::from(&record), after));
            }
        }
    }
    for (record, after) in &kept {
        printer.print(&record.header, record.event(), *after)?;
    }
    printer.out.flush()?;
    while args.follow && !told.load(Ordering::Relaxed) {
        let Some(record) = reader.next()? else {
            printer.out.flush()?;
            std::thread::sleep(POLL);
            continue;
        };
        let (header, event) = (record.header, record.event());
        printer.names.learn(event);
        let after = pace.of(header, event);
        if args.wants(header, event, &printer.names) {
            printer.print(header, event, after)?;
        }
    }
    printer.out.flush()?;
    Ok(Outcome::Clean)
}

impl Args {
    fn wants(&self, header: &Header, event: Event<'_>, names: &Names) -> bool {
        let is_output = header.has(flags::OUTPUT);
        let stage = header.seq.stage().unwrap_or(StageId::Order);
        let about = |symbols: &[String]| {
            instrument_of(event).is_some_and(|id| symbols.iter().any(|symbol| *symbol == names.symbol(id)))
        };
        !(self.outputs && !is_output
            || self.inputs && is_output
            || self.from.is_some_and(|(epoch, n)| header.seq < Seq::new(stage, epoch, n))
            || !self.kind.is_empty() && !Kind::of(header.kind).is_some_and(|kind| self.kind.contains(&kind))
            || self.strategy.is_some_and(|strategy| strategy_of(event) != Some(strategy))
            || !self.instrument.is_empty() && !about(&self.instrument))
    }
}

struct Printer {
    json: bool,
    names: Names,
    out: BufWriter<StdoutLock<'static>>,
}

impl Printer {
    fn print(&mut self, header: &Header, event: Event<'_>, after: Option<After>) -> Result<(), Error> {
        let names = &self.names;
        if self.json {
            serde_json::to_writer(&mut self.out, &Line { header, event, after, names })?;
            writeln!(self.out)?;
        } else {
            write!(self.out, "{}", Columns { header, event, names })?;
            // Of an intent the column of latencies says so already.
            if let Some(after) = after.filter(|after| after.since != Since::Tick) {
                write!(self.out, "{after}")?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }
}
