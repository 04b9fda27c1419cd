//! Engines that follow a recorder: the market is the journal of a `shrike record` process, the venue the simulated exchange
//! in this process. The exchange keeps its books in a journal of its own in the engine's home, so a restart finds them
//! whatever happened; to the engine it is a new session, reconciled as with any venue. All on the edge's thread.

use crate::compose::{Counter, Filtered, MARKET_JOURNAL};
use crate::error::Error;
use crate::record::newest;
use crate::run::{RunArgs, commands, go, pace, tell_recovery};
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded};
use shrike_core::codes::StageId;
use shrike_core::event::{Event, Header, MarketSlot, Phase, ReportSlot, RunStart, Seq};
use shrike_core::thread::{Waiter, Waiting};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, RunError, RunReport, journal_dir};
use shrike_engine::setup;
use shrike_feed::recording::{AtEnd, JournalFeed};
use shrike_feed::sim::exchange::{Exchange, Keep};
use shrike_journal::{Reader, Writer};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Runs the engine over the journal of a recorder. The engine goes on behind the last record that its own journal holds;
/// its time begins at the recorder's newest record, and what is older than that by more than `run.catchup_ms` changes
/// state and causes no orders. With `run.speed = "max"` time is the events' own, else it is real.
///
/// # Errors
/// When a home or the recorder's journal cannot be used, or a stage stops.
pub fn run_following(args: &RunArgs, loaded: &Loaded, tables: &Tables, told: &AtomicBool) -> Result<RunReport, Error> {
    let config = &loaded.config;
    let market = journal_dir(&config.market.follow, MARKET_JOURNAL);
    let options = setup::engine_options(loaded, false, crate::BUILD);
    let run_id = options.run_id;
    let engine = Engine::open(&config.run.home, || setup::stages(config, tables), options)?;
    tell_recovery(&engine, args.quiet);
    let folded = *engine.folded();
    let (last, newest) = wait_for(&market, told)?;
    if last < folded.signal.last_feed {
        return Err(Error::OtherRecorder { dir: market, last, held: folded.signal.last_feed });
    }
    let start = newest.max(folded.order.taken_ns).max(folded.signal.taken_ns);
    let feed = JournalFeed::open(&market, folded.signal.last_feed, AtEnd::Follow)?;
    let pace = pace(config, start);
    let line = Rc::new(RefCell::new(Line {
        feed: Filtered::new(Box::new(feed), config),
        venue: venue(&engine, loaded, tables, run_id)?,
        pace: pace.clone(),
        quiet_since: None,
    }));
    let catchup_ns = config.run.catchup_ms.saturating_mul(Nanos::PER_MILLI);
    let catchup_before = Nanos::new(newest.get().saturating_sub(catchup_ns));
    let mut commands = commands(&engine)?;
    let (mut feed, mut gateway) = (FollowedMarket(line.clone()), PaperVenue { line: line.clone(), told });
    let report = go(args, engine, loaded, &mut feed, &mut gateway, pace, told, &mut commands, catchup_before)?;
    let mut line = line.borrow_mut();
    let dir = journal_dir(&config.run.home, "exchange");
    if let Some(source) = line.venue.exchange.journal_full() {
        return Err(Error::Full { dir, source });
    }
    line.venue.exchange.close_journal().map_err(|source| Error::File { file: dir, source })?;
    match line.feed.problems().into_iter().next() {
        Some(reason) => Err(Error::Recorder { dir: market, reason }),
        None => Ok(report),
    }
}

/// The recorder's last record and the newest time in its journal; waits until there is one.
fn wait_for(market: &Path, told: &AtomicBool) -> Result<(Seq, Nanos), Error> {
    let mut waiter = Waiter::new(Waiting::BACK_OFF);
    let mut said = false;
    while !told.load(Ordering::Relaxed) {
        if market.is_dir()
            && let Some(newest) = newest(market)?
        {
            return Ok(newest);
        }
        if !said {
            said = true;
            eprintln!("waiting for `shrike record` to write {}", market.display());
        }
        waiter.idle();
    }
    Err(Error::NoMarket)
}

/// The simulated exchange with the books of its journal in the engine's home. What the market said last is the engine's to
/// tell: the journal keeps no snapshots.
fn venue(engine: &Engine, loaded: &Loaded, tables: &Tables, run_id: u64) -> Result<Counter, Error> {
    let config: &Config = &loaded.config;
    let mut counter = Counter::new(config, tables);
    let dir = engine.home().journal("exchange");
    let options = setup::journal_options(config, StageId::Exchange, false, run_id);
    let (mut writer, _) = Writer::create_or_resume(&dir, options)?;
    let held = engine.folded().order.last_exchange;
    if held >= writer.next_seq() {
        writer.open_epoch(held.epoch().saturating_add(1)).map_err(RunError::Epoch)?;
    }
    let exchange = Exchange::recover(counter.options(), &mut Reader::open(&dir)?)?;
    counter.exchange = exchange.with_journal(writer, Keep::Books);
    let market = engine.signal().market();
    for def in market.instruments().iter() {
        let Some(tick) = market.tick(def.instrument) else { continue };
        let phase = market.phase(def.instrument).code();
        let phase = Phase { instrument: def.instrument, trading_day: tick.trading_day, phase, ..Phase::default() };
        counter.exchange.recall((&phase).into());
        if tick.trading_day == counter.exchange.trading_day() {
            counter.exchange.recall(tick.into());
        }
    }
    let start = RunStart { run_id, config_hash: loaded.hash, ..RunStart::default() };
    counter.exchange.mark((&start).into());
    counter.exchange.mark(Event::Config(loaded.text.as_bytes()));
    Ok(counter)
}

/// Market and venue, which look at each other: in event time no answer of the venue comes before a snapshot that is older.
struct Line {
    feed: Filtered,
    venue: Counter,
    pace: Pace,
    /// Since when the recorder has written nothing, in real time.
    quiet_since: Option<Instant>,
}

/// A recorder that writes nothing for so long is not about to: answers come without waiting for it.
const QUIET: Duration = Duration::from_secs(1);

impl Line {
    /// What the recorder has next. It has seen it happen: time is that far at least.
    fn market(&mut self) -> Next {
        let next = self.feed.next();
        match next {
            Next::At(at) => {
                self.quiet_since = None;
                if matches!(self.pace, Pace::Scaled { .. }) {
                    self.pace.has_come(at);
                }
            }
            Next::Idle | Next::End => {}
        }
        next
    }

    /// What the venue has next, once no older snapshot can come.
    fn answer(&mut self, told: bool) -> Next {
        let next = self.venue.next();
        let waits = matches!((&self.pace, next), (Pace::Max(_), Next::At(_))) && !told;
        if waits && self.market() == Next::Idle {
            let since = *self.quiet_since.get_or_insert_with(Instant::now);
            if since.elapsed() < QUIET {
                return Next::Idle;
            }
        }
        next
    }
}

/// The recorder's market.
struct FollowedMarket(Rc<RefCell<Line>>);

impl MarketFeed for FollowedMarket {
    fn next(&mut self) -> Next {
        self.0.borrow_mut().market()
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.0.borrow_mut().feed.take(slot)
    }
}

/// The simulated exchange in this process.
struct PaperVenue<'a> {
    line: Rc<RefCell<Line>>,
    told: &'a AtomicBool,
}

impl Gateway for PaperVenue<'_> {
    fn request(&mut self, now: Nanos, header: &Header, request: Event<'_>) {
        self.line.borrow_mut().venue.request(now, header, request);
    }

    fn next(&mut self) -> Next {
        let told = self.told.load(Ordering::Relaxed);
        self.line.borrow_mut().answer(told)
    }

    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        self.line.borrow_mut().venue.take(slot)
    }

    fn on_market(&mut self, header: &Header, event: Event<'_>) {
        self.line.borrow_mut().venue.on_market(header, event);
    }
}
