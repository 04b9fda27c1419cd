//! `shrike run`: one run of the engine over a home.

use crate::compose::{self, Counter};
use crate::console;
use crate::error::{Error, Outcome};
use crate::summary;
use shrike_config::tables::Tables;
use shrike_config::{Config, ConfigError, Loaded, MarketKind, Source, Speed};
use shrike_core::clock::{ScaledTime, SimTime, Tsc};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{
    CommandJournal, Commands, EdgeEnd, Engine, Pace, Run, RunError, RunReport, Stopped, rejoin,
};
use shrike_engine::setup;
use shrike_journal::{ReadError, Reader};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Run the engine over a home: a market, a venue, strategies, journals.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(after_help = "Examples:
  shrike run --profile demo --home /tmp/demo
  shrike run --profile paper --data recordings --speed max --home /tmp/paper
  shrike run --profile demo --set market.kind=journal --set market.follow=R --speed real --home E
  shrike run --config desk.toml --set risk.max_net_lots=5 --topology inline")]
pub struct RunArgs {
    /// Built-in profile: demo, paper, backtest or tuned.
    #[arg(long)]
    pub profile: Option<String>,
    /// Configuration file; may be given several times, later ones win.
    #[arg(long = "config", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Changes one key, such as risk.max_net_lots=5; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Where the run's journals live.
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Recordings to play: a directory or a file.
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// How fast recorded time passes: real, max, or a multiple of real speed.
    #[arg(long, value_name = "real|N|max")]
    pub speed: Option<String>,
    /// Which stages share a thread: pipeline or inline.
    #[arg(long)]
    pub topology: Option<String>,
    /// Trading days to run; 0: all.
    #[arg(long)]
    pub days: Option<u32>,
    /// Prints the summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// Prints no progress and no summary.
    #[arg(long)]
    pub quiet: bool,
}

impl RunArgs {
    /// The configuration that these arguments, the files and the environment make.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let mut overrides = self.overrides.clone();
        overrides.extend(self.home.as_ref().map(|home| format!("run.home={}", home.display())));
        overrides.extend(self.data.as_ref().map(|data| format!("market.data={}", data.display())));
        overrides.extend(self.speed.as_ref().map(|speed| format!("run.speed={speed}")));
        overrides.extend(self.topology.as_ref().map(|topology| format!("run.topology={topology}")));
        overrides.extend(self.days.map(|days| format!("run.days={days}")));
        let files = self.files.clone();
        Config::load(&Source { profile: self.profile.clone(), files, env: Source::environment(), overrides })
    }
}

/// Longest pause of the market that is waited out at real or multiplied speed; longer ones are skipped.
const SKIP_NS: u64 = 60 * Nanos::PER_SECOND;

/// Runs the command.
///
/// # Errors
/// When the configuration, the data or the home cannot be used, or a stage stops.
pub fn run(args: &RunArgs) -> Result<Outcome, Error> {
    let loaded = args.load()?;
    let told = stop_flag()?;
    let tables = Tables::builtin()?;
    let began = Instant::now();
    let report = match loaded.config.market.kind {
        MarketKind::Exchange => crate::exchange::run_remote(args, &loaded, &tables, &told)?,
        MarketKind::Ctp => crate::ctp::run_at_counter(args, &loaded, &tables, &told)?,
        MarketKind::Journal => crate::follow::run_following(args, &loaded, &tables, &told)?,
        MarketKind::Recorded | MarketKind::Generated => run_in_process(args, &loaded, &tables, &told)?,
    };
    if !args.quiet {
        console::print(&summary::of_home(&loaded.config.run.home)?, args.json)?;
    }
    if !args.quiet && !args.json {
        let seconds = began.elapsed().as_secs_f64();
        let events = report.signal.inputs as f64;
        println!("{} in {seconds:.1} s, {:.0} market events/s", ending(report.end), events / seconds);
    }
    match report.end {
        EdgeEnd::NoRoom => Err(RunError::from(Stopped).into()),
        end => Ok(Outcome::found_if(end == EdgeEnd::OrdersLeft)),
    }
}

const fn ending(end: EdgeEnd) -> &'static str {
    match end {
        EdgeEnd::MarketEnded => "The market ended; all orders ended",
        EdgeEnd::Told => "Stopped as told; all orders ended",
        EdgeEnd::NoRoom => "Stopped for want of room in a journal; all was cancelled",
        EdgeEnd::OrdersLeft => "Stopped, but orders are left at the venue: see `shrike status`",
    }
}

fn run_in_process(args: &RunArgs, loaded: &Loaded, tables: &Tables, told: &AtomicBool) -> Result<RunReport, Error> {
    let config = &loaded.config;
    let mut feed = compose::market(config, tables)?;
    let mut counter = Counter::new(config, tables);
    let simulated = config.run.speed == Speed::Max;
    let options = setup::engine_options(loaded, simulated, crate::BUILD);
    let engine = Engine::open(&config.run.home, || setup::stages(config, tables), options)?;
    tell_recovery(&engine, args.quiet);
    let folded = *engine.folded();
    let rejoined = rejoin(&mut feed, &mut counter, &engine.home().journal("order"), &folded)?;
    let start = match (feed.next(), counter.next()) {
        (Next::At(tick), Next::At(report)) => tick.min(report).max(rejoined),
        (Next::At(at), _) | (_, Next::At(at)) => at.max(rejoined),
        _ if !rejoined.is_absent() => rejoined,
        _ => return Err(Error::NoMarket),
    };
    let pace = pace(config, start);
    let mut commands = commands(&engine)?;
    let report = go(args, engine, loaded, &mut feed, &mut counter, pace, told, &mut commands, Nanos::ABSENT)?;
    if !args.quiet {
        feed.problems().iter().for_each(|problem| eprintln!("{problem}"));
        for (reason, count) in feed.skipped().into_iter().filter(|(_, count)| *count > 0) {
            eprintln!("skipped {count} rows: {reason}");
        }
    }
    Ok(report)
}

/// Says what the journals of a home that was used before hold, and what a crash cost.
pub(crate) fn tell_recovery(engine: &Engine, quiet: bool) {
    let folded = engine.folded();
    if quiet {
        return;
    }
    engine.notes().iter().for_each(|note| eprintln!("{note}"));
    if folded.order.records == 0 {
        return;
    }
    let (signal, order) = (folded.signal.records, folded.order.records);
    let how = if folded.order.clean { "an orderly end" } else { "no orderly end" };
    eprintln!(
        "continuing after {how}: {signal} signal and {order} order records, {} live orders",
        engine.order().ledger().live_count()
    );
    for (name, recovery) in ["signal", "order"].iter().zip(engine.recoveries()) {
        for aside in &recovery.aside {
            eprintln!("{name} journal: cut at {}, what lay behind is kept in {}", recovery.end, aside.display());
        }
    }
}

/// How time passes from `start` on.
pub fn pace(config: &Config, start: Nanos) -> Pace {
    let scaled = |speed| Pace::Scaled { time: ScaledTime::new(Tsc::calibrate(), start, speed), skip_ns: SKIP_NS };
    match config.run.speed {
        Speed::Max => Pace::Max(Arc::new(SimTime::new(start))),
        Speed::Real => scaled(1),
        Speed::Times(ratio) => scaled(u32::try_from(ratio.raw() / shrike_core::units::SCALE).unwrap_or(1)),
    }
}

/// The home's command journal. Its directory is made where there is none, so that the first command ever is seen.
pub fn commands(engine: &Engine) -> Result<CommandJournal, ReadError> {
    let dir = engine.home().journal("commands");
    std::fs::create_dir_all(&dir).map_err(|source| ReadError::Io { file: dir.clone(), source })?;
    Reader::open(&dir).map(CommandJournal)
}

/// Runs an opened engine over a market and a venue.
#[allow(clippy::too_many_arguments)]
pub fn go(
    args: &RunArgs,
    engine: Engine,
    loaded: &Loaded,
    feed: &mut dyn MarketFeed,
    gateway: &mut dyn Gateway,
    pace: Pace,
    told: &AtomicBool,
    commands: &mut dyn Commands,
    catchup_before: Nanos,
) -> Result<RunReport, Error> {
    let shows = !args.quiet && std::io::stderr().is_terminal();
    let mut progress = |now: Nanos, events: u64| {
        if shows && events.is_multiple_of(16_384) {
            eprint!("\r{now:.0}  {events} events");
        }
    };
    let report = engine.run(Run {
        feed,
        gateway,
        pace,
        told,
        commands: Some(commands),
        catchup_before,
        days: loaded.config.run.days,
        progress: &mut progress,
        say: &mut |text| {
            if !args.quiet {
                eprintln!("{text}");
            }
        },
        config_text: &loaded.text,
    })?;
    if shows {
        eprintln!();
    }
    Ok(report)
}

/// Set by SIGINT and SIGTERM; a second signal ends the process at once.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Error> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, told.clone()).map_err(Error::Output)?;
        signal_hook::flag::register(signal, told.clone()).map_err(Error::Output)?;
    }
    Ok(told)
}
