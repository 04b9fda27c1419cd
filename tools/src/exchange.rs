//! `shrike exchange`: the simulated exchange as a process of its own, and the engine's side of it. The two talk by
//! journals: the engine's order journal is the message to the exchange, the exchange's journal the answer. With
//! `--listen` it is a counter that other programs connect to, as they do to CTP's (see the stand-in library).

use crate::compose::{self, Counter};
use crate::door::Door;
use crate::error::{Error, Outcome};
use crate::run::{RunArgs, commands, go, stop_flag, tell_recovery};
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Speed as ConfigSpeed};
use shrike_core::clock::SimTime;
use shrike_core::codes::StageId;
use shrike_core::event::{InstrumentDef, RunStart};
use shrike_core::thread::{Waiter, Waiting};
use shrike_core::units::{Nanos, SCALE};
use shrike_engine::runtime::{Engine, Home, Pace, RunReport, journal_dir};
use shrike_engine::setup;
use shrike_feed::sim::front::{Front, FrontOptions};
use shrike_feed::sim::remote::{Lead, Orders, RemoteFeed, RemoteGateway, Server, ServerOptions, Speed, Step};
use shrike_journal::{ReadError, Reader, WriterOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Run the simulated exchange as a process of its own, which trades on while no engine runs.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  shrike exchange --profile demo --home /tmp/x --engine /tmp/e --until-over &
  shrike run --profile demo --set market.kind=exchange --set exchange.home=/tmp/x --home /tmp/e
  shrike exchange --profile demo --home /tmp/x --listen 127.0.0.1:0 --faults faults.txt")]
pub struct ExchangeArgs {
    /// What the market is, as for `shrike run`: profile, files, --data, --speed.
    #[command(flatten)]
    pub run: RunArgs,
    /// The home of the engine whose orders are taken; with --listen, of one that connects as a client, so that the market
    /// does not run ahead of it. It need not exist yet.
    #[arg(long, value_name = "DIR", required_unless_present = "listen")]
    pub engine: Option<PathBuf>,
    /// Serves programs that use CTP through the stand-in library at this address; port 0: any free one. The address is
    /// printed, and written into the file `listen` of the home.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Who may log in, how the front behaves, and what goes wrong.
    #[command(flatten)]
    pub front: FrontArgs,
    /// With --speed max: microseconds of real time after each market event, in which the engine may answer.
    #[arg(long, default_value_t = 20, value_name = "US")]
    pub pause_us: u64,
    /// With --speed max: milliseconds of market time by which the exchange may be ahead of an engine that runs; 0: any.
    #[arg(long, default_value_t = 5_000, value_name = "MS")]
    pub lead_ms: u64,
    /// Ends once the market is over and the engine's journal has an orderly end (with --listen: and the clients that
    /// were there are gone), instead of waiting to be told.
    #[arg(long)]
    pub until_over: bool,
}

// No doc comment: clap would take it for the help of the command.
#[allow(missing_docs)]
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "With --listen")]
pub struct FrontArgs {
    /// The broker's number.
    #[arg(long, default_value = "9999")]
    pub broker: String,
    /// The user's name.
    #[arg(long, default_value = "shrike")]
    pub user: String,
    /// The user's password: a stand-in's, not a real one.
    #[arg(long, default_value = "shrike")]
    pub password: String,
    /// The terminal's name.
    #[arg(long, default_value = "shrike_test")]
    pub app_id: String,
    /// The terminal's code; empty: no authentication is asked for.
    #[arg(long, default_value = "0000000000000000")]
    pub auth_code: String,
    /// Queries that a session may send in a second; 0: any number.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub queries_per_second: u32,
    /// More queries are refused with error 90 by the front, not with -3 by the library.
    #[arg(long)]
    pub refuse_queries: bool,
    /// With --speed max: how many messages a client may be behind before the market waits for it.
    #[arg(long, default_value_t = 64, value_name = "N")]
    pub window: u64,
    /// With --speed max: the market waits for so many clients, subscribed or with the settlement confirmed.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub clients: usize,
    /// For how long it waits again for those that went, in milliseconds.
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    pub hold_ms: u64,
    /// What goes wrong: a fault a line, such as `drop before login 2` (the stand-in's README has all).
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

impl FrontArgs {
    /// The front, with its faults.
    fn front(&self) -> Result<Front, Error> {
        let args = self.clone();
        let mut front = Front::new(FrontOptions {
            broker_id: args.broker,
            user_id: args.user,
            password: args.password,
            app_id: args.app_id,
            auth_code: args.auth_code,
            queries_per_second: args.queries_per_second,
            limit_in_library: !args.refuse_queries,
            window: args.window,
            clients: args.clients,
            hold_ms: args.hold_ms,
            ..FrontOptions::default()
        });
        if let Some(file) = args.faults {
            let script = std::fs::read_to_string(&file).map_err(|source| Error::File { file: file.clone(), source })?;
            let named = |reason| Error::Usage(format!("{}: {reason}", file.display()));
            front.faults().add(&script).map_err(named)?;
        }
        Ok(front)
    }
}

/// Longest pause of the market that is waited out.
const SKIP_NS: u64 = 60 * Nanos::PER_SECOND;

/// How long, in real time, the market waits for an engine that says nothing.
const PATIENCE_NS: u64 = 200 * Nanos::PER_MILLI;

/// Runs the exchange until it is told to stop.
///
/// # Errors
/// When the configuration, the market or a journal cannot be used.
pub fn run(args: &ExchangeArgs) -> Result<Outcome, Error> {
    let loaded = args.run.load()?;
    let told = stop_flag()?;
    let tables = Tables::builtin()?;
    let config = &loaded.config;
    let home = Home::open(&config.run.home, &format!("shrike exchange, process {}", std::process::id()))
        .map_err(shrike_engine::runtime::RunError::from)?;
    let counter = Counter::new(config, &tables);
    let rates = {
        let counter = Counter::new(config, &tables);
        Box::new(move |def: &InstrumentDef| counter.rates(def))
    };
    let feed = Box::new(compose::market(config, &tables)?);
    let journal = WriterOptions::new(StageId::Exchange).with_segment_bytes(config.journal.segment_mib << 20);
    let options = ServerOptions {
        exchange: counter.options(),
        journal,
        // The door keeps the pauses itself: it talks in them.
        speed: speed(config, if args.listen.is_some() { 0 } else { args.pause_us }),
        lead: (config.run.speed == ConfigSpeed::Max && args.lead_ms > 0)
            .then(|| Lead { market_ns: args.lead_ms.saturating_mul(Nanos::PER_MILLI), patience_ns: PATIENCE_NS }),
        run: RunStart { run_id: config.run.seed, config_hash: loaded.hash, ..RunStart::default() },
        config: loaded.text.clone(),
    };
    let mut door = match &args.listen {
        Some(address) => Some(Door::open(address, args.front.front()?, args.pause_us.saturating_mul(1_000))?),
        None => None,
    };
    let orders = args.engine.as_deref().map(|engine| journal_dir(engine, "order"));
    let journal = home.journal("exchange");
    let followed = match (&orders, &door) {
        (Some(orders), None) => Orders::Taken(orders),
        (Some(orders), Some(_)) => Orders::Paced(orders),
        (None, _) => Orders::Elsewhere,
    };
    let mut server = Server::open(&journal, followed, feed, rates, options)?;
    if let Some(door) = &mut door {
        door.fold(&journal)?;
        let file = config.run.home.join("listen");
        std::fs::write(&file, format!("{}\n", door.address())).map_err(|source| Error::File { file, source })?;
        println!("listening on {}", door.address());
    }
    serve(&mut server, door.as_mut(), &told, args.until_over, orders.as_deref())?;
    server.close()?;
    Ok(Outcome::Clean)
}

/// Steps the server until it is told to stop, or the market and whoever trades have ended.
fn serve(
    server: &mut Server,
    mut door: Option<&mut Door>,
    told: &AtomicBool,
    until_over: bool,
    orders: Option<&Path>,
) -> Result<(), Error> {
    let (began, mut waiter) = (Instant::now(), Waiter::new(Waiting::BACK_OFF));
    let mut looked = Instant::now();
    while !told.load(Ordering::Relaxed) {
        let real_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let (talked, step) = match &mut door {
            Some(door) => (door.turn(real_ns, server.exchange_mut()), server.step_watched(real_ns, *door)?),
            None => (false, server.step(real_ns)?),
        };
        match step {
            _ if talked => waiter.busy(),
            Step::Worked => waiter.busy(),
            // Someone at the door must not wait for the market.
            Step::Wait(ns) if ns > 100_000 && door.is_none() => {
                std::thread::park_timeout(Duration::from_nanos(ns.min(1_000_000)));
            }
            Step::Wait(_) => waiter.idle(),
            Step::Over => {
                if until_over && looked.elapsed() > Duration::from_millis(50) {
                    looked = Instant::now();
                    let is_over = match (&door, orders) {
                        (Some(door), _) => door.is_deserted(),
                        (None, orders) => orders.is_some_and(ends_in_order),
                    };
                    if is_over {
                        return Ok(());
                    }
                }
                waiter.idle();
            }
        }
    }
    Ok(())
}

/// Whether the engine's journal ends with an orderly end.
fn ends_in_order(orders: &Path) -> bool {
    let Ok(mut reader) = Reader::open(orders) else { return false };
    let mut clean = false;
    while let Ok(Some(record)) = reader.next() {
        clean = record.header.kind == shrike_core::event::Kind::RunEnd as u16;
    }
    clean
}

fn speed(config: &Config, pause_us: u64) -> Speed {
    match config.run.speed {
        ConfigSpeed::Max => Speed::Max { pause_ns: pause_us.saturating_mul(1_000) },
        ConfigSpeed::Real => Speed::Times { factor: 1, skip_ns: SKIP_NS },
        ConfigSpeed::Times(ratio) => {
            Speed::Times { factor: u32::try_from(ratio.raw() / SCALE).unwrap_or(1).max(1), skip_ns: SKIP_NS }
        }
    }
}

/// Runs the engine over the market and the counter of a `shrike exchange` process. Time is the exchange's.
///
/// # Errors
/// When the home or the exchange's journal cannot be used, or a stage stops.
pub fn run_remote(args: &RunArgs, loaded: &Loaded, tables: &Tables, told: &AtomicBool) -> Result<RunReport, Error> {
    let config = &loaded.config;
    let exchange = journal_dir(&config.exchange.home, "exchange");
    let engine = Engine::open(
        &config.run.home,
        || setup::stages(config, tables),
        setup::engine_options(loaded, false, crate::BUILD),
    )?;
    tell_recovery(&engine, args.quiet);
    let folded = *engine.folded();
    let newest = newest(&exchange, told)?;
    let start = folded.order.taken_ns.max(folded.signal.taken_ns);
    let mut feed = RemoteFeed::open(&exchange, folded.signal.last_exchange);
    let mut gateway = RemoteGateway::open(&exchange, folded.order.last_exchange);
    let pace = Pace::Max(Arc::new(SimTime::new(if start.is_absent() { newest } else { start })));
    let catchup_ns = config.run.catchup_ms.saturating_mul(Nanos::PER_MILLI);
    let catchup_before = Nanos::new(newest.get().saturating_sub(catchup_ns));
    let mut commands = commands(&engine)?;
    let report = go(args, engine, loaded, &mut feed, &mut gateway, pace, told, &mut commands, catchup_before)?;
    match feed.error().or(gateway.error()) {
        Some(reason) => Err(Error::Exchange { dir: exchange, reason: reason.to_string() }),
        None => Ok(report),
    }
}

/// The newest time in the exchange's journal; waits until there is one.
fn newest(exchange: &Path, told: &AtomicBool) -> Result<Nanos, Error> {
    let mut waiter = Waiter::new(Waiting::BACK_OFF);
    let mut said = false;
    while !told.load(Ordering::Relaxed) {
        match Reader::open(exchange) {
            Ok(mut reader) => {
                let mut newest = Nanos::ABSENT;
                while let Some(record) = reader.next()? {
                    newest = newest.max(record.header.recv_ns);
                }
                if !newest.is_absent() {
                    return Ok(newest);
                }
            }
            Err(ReadError::Io { .. }) if !exchange.exists() => {}
            Err(error) => return Err(error.into()),
        }
        if !said {
            said = true;
            eprintln!("waiting for `shrike exchange` to write {}", exchange.display());
        }
        waiter.idle();
    }
    Err(Error::NoMarket)
}
