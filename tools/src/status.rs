//! `shrike status`: how a home stands, from its lock and journals alone: who runs, how far the order stage is, what it
//! holds, what of the day's limits is used up, what is wrong. Folds the order journal, which a live engine may be writing.

mod reconcile;

pub use reconcile::{DifferenceStatus, ReconcileStatus};

use crate::books::Books;
use crate::console::{self, Progress};
use crate::error::{Error, Outcome};
use crate::home::{HomeArgs, JOURNALS};
use crate::paths::{LatencyRow, Paths};
use clap::Args as ClapArgs;
use serde::Serialize;
use shrike_config::Config;
use shrike_config::tables::Tables;
use shrike_core::codes::AlarmKind;
use shrike_core::event::{Alarm, Event, Header, Kind, RunStart, Seq};
use shrike_core::units::Nanos;
use shrike_engine::order::OrderStage;
use shrike_engine::replay::runs;
use shrike_engine::runtime::Quarantine;
use shrike_engine::stage::Stage;
use shrike_journal::format::HEADER_PAGE;
use shrike_journal::{Directory, Position, Reader, Segments};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Print how a home stands: engine, readiness, positions, live orders, funds, limits used, alarms, journals.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike status --home H
  shrike status --home H --json | jq '.order.books.positions'
Exit codes: 0 told; 2 there is no such home, or a journal cannot be read.")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
}

/// How a home stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Who runs an engine on it; null: nobody.
    pub engine: Option<String>,
    /// What the order journal says; null: no run wrote it.
    pub order: Option<OrderStatus>,
    /// The journals there are.
    pub journals: Vec<JournalStatus>,
}

/// What the order journal says.
#[derive(Clone, Debug, Serialize)]
pub struct OrderStatus {
    /// How many runs there were.
    pub runs: usize,
    /// When the last one began.
    pub started: String,
    /// Whether its time is simulated.
    pub simulated: bool,
    /// Whether it ended in order.
    pub ended: bool,
    /// When the last event was taken.
    pub last_event: String,
    /// How far the stage is with the venue: down, asked, settling, ready.
    pub readiness: String,
    /// What the operator lets the engine do: trade, observe, halt, flatten, stopping.
    pub mode: String,
    /// Number of the last command taken; zero: none.
    pub last_command: u64,
    /// The books.
    pub books: Books,
    /// The day's requests by contract, and their limits.
    pub requests: Vec<Requests>,
    /// Our books beside the venue's.
    pub reconcile: ReconcileStatus,
    /// Alarms of the last run.
    pub alarms: Vec<AlarmStatus>,
    /// Latencies of the last run by path; in simulated time the model's.
    pub latencies: Vec<LatencyRow>,
}

/// The day's requests of one contract.
#[derive(Clone, Debug, Serialize)]
pub struct Requests {
    /// Its symbol.
    pub symbol: String,
    /// Orders sent.
    pub orders: u32,
    /// Orders a trading day may send.
    pub orders_max: u32,
    /// Cancels sent.
    pub cancels: u32,
    /// Cancels a trading day may send.
    pub cancels_max: u32,
    /// Of them kept back from quoting.
    pub cancel_reserve: u32,
}

/// One kind of alarm.
#[derive(Clone, Debug, Serialize)]
pub struct AlarmStatus {
    /// What is wrong.
    pub alarm: &'static str,
    /// How often it was raised.
    pub raised: u64,
    /// How often it ended.
    pub cleared: u64,
    /// When it was last raised.
    pub last: String,
}

/// One journal.
#[derive(Clone, Debug, Serialize)]
pub struct JournalStatus {
    /// Its name.
    pub journal: &'static str,
    /// Its segments.
    pub segments: usize,
    /// Bytes of its files on the disk.
    pub disk_bytes: u64,
    /// Bytes of its live files in memory.
    pub live_bytes: u64,
    /// The number of its last record.
    pub last: String,
    /// Bytes that are written and not yet durable.
    pub unsynced_bytes: u64,
}

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    args.home.check()?;
    let mut status = Status { engine: args.home.holder()?, order: None, journals: Vec::new() };
    for name in JOURNALS {
        if let Some(dir) = args.home.journal_if(name) {
            status.journals.push(journal(name, &dir)?);
        }
    }
    if let Some(dir) = args.home.journal_if("order") {
        status.order = order(&dir, &args.home.quarantine()?)?;
    }
    console::print(&status, args.home.json)?;
    Ok(Outcome::Clean)
}

/// Sizes of a journal. Only its last segment is read.
fn journal(name: &'static str, dir: &Path) -> Result<JournalStatus, Error> {
    let at = |source| Error::File { file: dir.to_path_buf(), source };
    let mut place = Directory::open(dir).map_err(at)?;
    let segments = place.indices().map_err(at)?;
    let mut reader = Reader::open(dir)?;
    if let Some(index) = segments.last() {
        reader.go_on(Position { segment: *index, offset: HEADER_PAGE }, Seq::ABSENT);
    }
    // Prepared segments are empty: then the one before holds the last record.
    let mut last = last_record(&mut reader)?;
    for index in segments.iter().rev().skip(1) {
        if last.is_some() {
            break;
        }
        reader.go_on(Position { segment: *index, offset: HEADER_PAGE }, Seq::ABSENT);
        last = last_record(&mut reader)?;
    }
    let (end, synced) = (reader.position(), reader.synced_to()?);
    let unsynced = if last.is_none() { 0 } else { between(&mut place, synced, end) };
    Ok(JournalStatus {
        journal: name,
        segments: segments.len(),
        disk_bytes: bytes_in(dir).map_err(at)?,
        live_bytes: place.live().and_then(|live| bytes_in(live).ok()).unwrap_or(0),
        last: last.map_or_else(|| "-".to_owned(), |header| header.seq.to_string()),
        unsynced_bytes: unsynced,
    })
}

fn last_record(reader: &mut Reader) -> Result<Option<Header>, Error> {
    let mut last = None;
    while let Some(record) = reader.next()? {
        last = Some(*record.header);
    }
    Ok(last)
}

/// Bytes of records between two places of a journal.
fn between(place: &mut Directory, from: Position, to: Position) -> u64 {
    let mut bytes = 0;
    for segment in from.segment..=to.segment {
        let begin = if segment == from.segment { from.offset.max(HEADER_PAGE) } else { HEADER_PAGE };
        let end = if segment == to.segment { u64::from(to.offset) } else { place.segment_bytes(segment) };
        bytes += end.saturating_sub(u64::from(begin));
    }
    bytes
}

fn bytes_in(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let metadata = entry?.metadata()?;
        bytes += if metadata.is_file() { metadata.len() } else { 0 };
    }
    Ok(bytes)
}

/// Folds the order journal.
fn order(dir: &Path, quarantine: &Quarantine) -> Result<Option<OrderStatus>, Error> {
    let runs = runs(Reader::open(dir)?)?;
    let Some(run) = runs.last() else { return Ok(None) };
    let config = Config::from_text(&run.config)?;
    let (_, mut stage) = shrike_engine::setup::stages(&config, &Tables::builtin()?);
    let (mut seen, mut paths) = (Seen::default(), Paths::default());
    let mut reader = Reader::open(dir)?;
    let mut progress = Progress::new("order");
    let mut records = 0u64;
    while let Some(record) = reader.next()? {
        if !quarantine.holds(record.header.seq) {
            stage.apply(record.header, record.event());
        }
        seen.note(record.header, record.event());
        paths.note(record.header, record.event(), stage.ledger());
        records += 1;
        if records.is_multiple_of(65_536) {
            progress.show(records);
        }
    }
    Ok(Some(OrderStatus {
        runs: runs.len(),
        started: format!("{:.3}", seen.start.started_ns),
        simulated: seen.start.simulated != 0,
        ended: seen.ended,
        last_event: format!("{:.3}", seen.last_ns),
        readiness: format!("{:?}", stage.readiness()).to_lowercase(),
        mode: format!("{:?}", stage.mode()).to_lowercase(),
        last_command: stage.last_command(),
        books: Books::of(stage.ledger()),
        requests: requests(&stage, &config),
        reconcile: ReconcileStatus::of(&stage),
        alarms: seen.alarms.into_values().collect(),
        latencies: paths.rows().collect(),
    }))
}

/// What is noted of a run besides the stage's state.
#[derive(Default)]
struct Seen {
    start: RunStart,
    ended: bool,
    last_ns: Nanos,
    alarms: BTreeMap<u8, AlarmStatus>,
}

impl Seen {
    fn note(&mut self, header: &Header, event: Event<'_>) {
        self.last_ns = header.taken_ns;
        self.ended = header.kind == Kind::RunEnd as u16;
        match event {
            Event::RunStart(start) => {
                self.start = *start;
                self.alarms.clear();
            }
            Event::Alarm(Alarm { kind, cleared, .. }) => {
                let alarm = AlarmKind::of(*kind).map_or("of a later version", AlarmKind::name);
                let fresh = AlarmStatus { alarm, raised: 0, cleared: 0, last: String::new() };
                let row = self.alarms.entry(*kind).or_insert(fresh);
                if *cleared != 0 {
                    row.cleared += 1;
                } else {
                    row.raised += 1;
                    row.last = format!("{:.3}", header.taken_ns);
                }
            }
            _ => {}
        }
    }
}

fn requests(stage: &OrderStage, config: &Config) -> Vec<Requests> {
    let ledger = stage.ledger();
    let active = ledger.positions().filter(|(_, book)| book.orders_sent() > 0 || book.cancels_sent() > 0);
    let row = |(id, book): (_, &shrike_core::ledger::Position)| {
        let def = ledger.instruments().get(id)?;
        let limits = config.risk.limits(def.product.as_str());
        Some(Requests {
            symbol: def.symbol.to_string(),
            orders: book.orders_sent(),
            orders_max: limits.orders_per_day,
            cancels: book.cancels_sent(),
            cancels_max: limits.cancels_per_day,
            cancel_reserve: limits.cancel_reserve,
        })
    };
    active.filter_map(row).collect()
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.engine {
            Some(holder) => writeln!(f, "engine: running, {holder}")?,
            None => writeln!(f, "engine: none is running on this home")?,
        }
        match &self.order {
            Some(order) => write!(f, "{order}")?,
            None => writeln!(f, "no run has written the order journal yet")?,
        }
        writeln!(f, "journals  segments   disk KiB  memory KiB  not yet durable  last record")?;
        for journal in &self.journals {
            let JournalStatus { journal, segments, disk_bytes, live_bytes, last, unsynced_bytes } = journal;
            let (disk, live) = (disk_bytes / 1024, live_bytes / 1024);
            writeln!(f, "  {journal:<10}{segments:>6}{disk:>11}{live:>12}{unsynced_bytes:>11} bytes  {last}")?;
        }
        Ok(())
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = if self.simulated { ", in simulated time" } else { "" };
        let end = if self.ended { "ended in order" } else { "has not ended" };
        writeln!(f, "run {}: began {}{time}, {end}, last event {}", self.runs, self.started, self.last_event)?;
        writeln!(f, "order stage: {}, mode {}, last command {}", self.readiness, self.mode, self.last_command)?;
        write!(f, "{}", self.books)?;
        if !self.requests.is_empty() {
            writeln!(f, "requests today   orders (most)       cancels (most, kept back)")?;
        }
        for row in &self.requests {
            let Requests { symbol, orders, orders_max, cancels, cancels_max, cancel_reserve } = row;
            writeln!(
                f,
                "  {symbol:<14}{orders:>7} ({orders_max:>6}){cancels:>13} ({cancels_max:>6}, {cancel_reserve})"
            )?;
        }
        write!(f, "{}", self.reconcile)?;
        if self.alarms.is_empty() {
            writeln!(f, "alarms of this run: none")?;
        }
        for AlarmStatus { alarm, raised, cleared, last } in &self.alarms {
            writeln!(f, "alarm {alarm}: raised {raised} times, ended {cleared} times, last at {last}")?;
        }
        if !self.latencies.is_empty() {
            writeln!(f, "latencies of this run{}", if self.simulated { " (the model's)" } else { "" })?;
            writeln!(f, "{}", LatencyRow::HEADING)?;
        }
        self.latencies.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        Ok(())
    }
}
