//! `shrike record`: takes market data once for a host and writes it to the journal `market` of its home, which any number
//! of engines follow. One thread: the feed gives, the [`Recorder`] drops what says nothing new, the journal takes. The
//! report is read from the journal alone, so any process can make it at any time.

mod contracts;
mod fold;
mod recorder;
mod report;

#[cfg(test)]
mod tests;

pub use recorder::{Counts, Recorder};
pub use report::{ContractDay, Day, Hole, Report};

use crate::compose::{self, MARKET_JOURNAL, Source};
use crate::config::Sources;
use crate::console;
use crate::error::{Error, Outcome};
use crate::run::{pace, stop_flag};
use clap::Args as ClapArgs;
use contracts::Held;
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Speed};
use shrike_core::clock::SimTime;
use shrike_core::codes::StageId;
use shrike_core::event::{Event, MarketSlot, RunStart, Seq};
use shrike_core::thread::{Waiter, Waiting};
use shrike_core::units::{Nanos, Text, TradingDay};
use shrike_core::venue::Next;
use shrike_engine::runtime::{Home, Pace, RunError, journal_dir};
use shrike_engine::setup;
use shrike_journal::format::HEADER_PAGE;
use shrike_journal::{Directory, Position, ReadError, Reader, Segments, Writer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Record market data to a journal that engines follow, or report what one holds.
///
/// Contracts are those that `market.instruments` names. A snapshot that says nothing new but its time is counted and not
/// written. SIGTERM ends the journal in order; after a kill the next start goes on, under the same instrument ids, and
/// tells followers of the gap. tools/shrike-record.service is an example for systemd.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike record --config market.toml --home R
  shrike record --config market.toml --set 'market.instruments=[\"rb*\",\"IF*\"]' --home R
  shrike record --report --home R                    gaps and completeness by trading day and contract
  shrike record --report --day 20240603 --json --home R
  shrike run --profile demo --set market.kind=journal --set market.follow=R --speed real --home E
Exit codes: 0 nothing missing; 1 gaps, missing sessions or outages; 2 not done.")]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sources: Sources,
    /// Where the journal lives.
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Recordings to play: a directory or a file.
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// How fast a recorded or generated market passes: real, max, or a multiple of real speed.
    #[arg(long, value_name = "real|N|max")]
    pub speed: Option<String>,
    /// Records nothing; reports what the journal holds.
    #[arg(long)]
    pub report: bool,
    /// With --report: only this trading day.
    #[arg(long, value_name = "YYYYMMDD", requires = "report")]
    pub day: Option<u32>,
    /// Prints the report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Prints no report at the end.
    #[arg(long, conflicts_with = "report")]
    pub quiet: bool,
}

/// Runs the command.
///
/// # Errors
/// When the configuration, the source or the home cannot be used.
pub fn run(args: &Args) -> Result<Outcome, Error> {
    let mut sources = args.sources.clone();
    let given = |key: &str, value: &Option<PathBuf>| value.as_ref().map(|value| format!("{key}={}", value.display()));
    sources.overrides.extend(given("run.home", &args.home));
    sources.overrides.extend(given("market.data", &args.data));
    sources.overrides.extend(args.speed.as_ref().map(|speed| format!("run.speed={speed}")));
    let loaded = sources.load()?;
    let tables = Tables::builtin()?;
    let dir = journal_dir(&loaded.config.run.home, MARKET_JOURNAL);
    if args.report {
        let day = match args.day {
            Some(day) => TradingDay::new(day).ok_or_else(|| Error::Usage(format!("--day {day}: no date")))?,
            None => TradingDay::ABSENT,
        };
        return report(&dir, &loaded.config, &tables, day, args.json);
    }
    let told = stop_flag()?;
    record(&loaded, &tables, &told)?;
    match args.quiet {
        true => Ok(Outcome::Clean),
        false => report(&dir, &loaded.config, &tables, TradingDay::ABSENT, args.json),
    }
}

fn report(dir: &Path, config: &Config, tables: &Tables, day: TradingDay, json: bool) -> Result<Outcome, Error> {
    if !dir.is_dir() {
        let home = config.run.home.clone();
        return Err(Error::NoJournal { dir: home, name: MARKET_JOURNAL, there: "no recorder's".to_owned() });
    }
    let report = Report::of(dir, &config.record, &tables.sessions, day)?;
    console::print(&report, json)?;
    Ok(Outcome::found_if(report.is_incomplete()))
}

/// Records until the source ends or `told` is set.
///
/// # Errors
/// When the source or the home cannot be used, or the journal takes no more.
pub fn record(loaded: &Loaded, tables: &Tables, told: &AtomicBool) -> Result<Counts, Error> {
    let config = &loaded.config;
    let home = Home::open(&config.run.home, &format!("shrike record, process {}", std::process::id()))
        .map_err(RunError::from)?;
    let mut source = compose::source(config, &loaded.secrets, tables)?;
    let dir = home.journal(MARKET_JOURNAL);
    // Where the market waits for nobody, files are a function of the seed and the source.
    let simulated = config.run.speed == Speed::Max && !source.is_live;
    let run_id = setup::run_id(config, simulated);
    let options = setup::journal_options(config, StageId::Feed, simulated, run_id);
    let (mut writer, recovery) = Writer::create_or_resume(&dir, options)?;
    let held = Held::read(&dir)?;
    if !held.clean && held.records > 0 {
        // What a crash of the host took, followers may hold: no number may stand for two events.
        let epoch = recovery.next_seq.epoch().saturating_add(1);
        writer.open_epoch(epoch).map_err(RunError::Epoch)?;
        eprintln!("continuing after no orderly end: {} records, up to {}", held.records, recovery.end);
    }
    let begun = Begun::of(&mut source, &held, told)?;
    let mut recorder = Recorder::new(writer, dir, config, held);
    let pace = pace_of(config, source.is_live, begun.start);
    let clock = pace.clock();
    recorder.begin(
        clock.now(),
        &RunStart {
            run_id,
            config_hash: loaded.hash,
            started_ns: clock.now(),
            build: Text::new(crate::BUILD.as_bytes()).unwrap_or_default(),
            simulated: u8::from(simulated),
            ..RunStart::default()
        },
        &loaded.text,
    )?;
    for def in &begun.passed {
        recorder.know(clock.now(), def)?;
    }
    let mut slot = Box::<MarketSlot>::default();
    let mut waiter = Waiter::new(Waiting::BACK_OFF);
    while !told.load(Ordering::Relaxed) {
        match source.feed.next() {
            Next::At(_) if !source.is_live && recorder.is_disk_late() => waiter.idle(),
            Next::At(at) if pace.wait_until(at) => {
                *slot.header_mut() = Default::default();
                if source.feed.take(&mut slot) {
                    recorder.take(clock.now(), &mut slot)?;
                }
                waiter.busy();
            }
            Next::At(_) => {}
            Next::Idle => waiter.idle(),
            Next::End => break,
        }
    }
    source.feed.problems().iter().for_each(|problem| eprintln!("{problem}"));
    recorder.end(clock.now(), run_id)
}

/// How time passes: a market that is made or played waits for its clock; one that is live has happened when it is seen.
fn pace_of(config: &Config, is_live: bool, start: Nanos) -> Pace {
    if is_live { Pace::Max(Arc::new(SimTime::new(start))) } else { pace(config, start) }
}

/// Where a run begins.
struct Begun {
    start: Nanos,
    /// Definitions that the journal holds already: the source's ids.
    passed: Vec<shrike_core::event::InstrumentDef>,
}

impl Begun {
    /// Passes over what the journal holds of a source that begins anew, and waits for its next event.
    fn of(source: &mut Source, held: &Held, told: &AtomicBool) -> Result<Self, Error> {
        let mut begun = Self { start: held.taken_ns, passed: Vec::new() };
        let (mut slot, mut waiter) = (Box::<MarketSlot>::default(), Waiter::new(Waiting::BACK_OFF));
        let mut passed = Seq::ABSENT;
        while !told.load(Ordering::Relaxed) {
            match source.feed.next() {
                Next::At(at) if !source.replays || passed >= held.last_source => {
                    begun.start = begun.start.max(at);
                    return Ok(begun);
                }
                Next::At(_) => {
                    *slot.header_mut() = Default::default();
                    if source.feed.take(&mut slot) {
                        let own = slot.header().seq;
                        passed = if own.is_absent() { recorder::following(passed) } else { own };
                        if let Event::InstrumentDef(def) = slot.event() {
                            begun.passed.push(*def);
                        }
                    }
                    waiter.busy();
                }
                Next::Idle => waiter.idle(),
                Next::End if held.records > 0 => return Ok(begun),
                Next::End => return Err(Error::NoMarket),
            }
        }
        Ok(begun)
    }
}

/// The number of the last record of a journal that others write, and when that was received; `None` while there is none.
/// Reads one segment.
///
/// # Errors
/// When the journal cannot be read.
pub fn newest(dir: &Path) -> Result<Option<(Seq, Nanos)>, Error> {
    let indices = Directory::open(dir).and_then(|mut place| place.indices());
    let indices = indices.map_err(|source| Error::File { file: dir.to_path_buf(), source })?;
    let mut reader = Reader::open(dir)?;
    let mut newest = None;
    for &segment in indices.iter().rev() {
        reader.go_on(Position { segment, offset: HEADER_PAGE }, Seq::ABSENT);
        loop {
            match reader.next() {
                Ok(Some(record)) => newest = Some((record.header.seq, record.header.recv_ns)),
                // The torn end of a writer that was killed.
                Ok(None) | Err(ReadError::Torn { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if newest.is_some() {
            break;
        }
    }
    Ok(newest)
}
