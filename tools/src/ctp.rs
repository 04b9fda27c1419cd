//! Engines at a CTP counter: market data and orders through the libraries that `[ctp]` names, which may be the vendor's or
//! the stand-in. Live, time is the host's; with `run.speed = "max"` it is the market's own, for a counter that plays a
//! day faster than it was.

use crate::compose::{ComposeError, is_wanted};
use crate::error::Error;
use crate::run::{RunArgs, commands, go, tell_recovery};
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Secrets, Speed};
use shrike_core::clock::{Clock, SimTime, Tsc};
use shrike_core::event::{Event, Header, MarketSlot, ReportSlot};
use shrike_core::ring::{Consumer, MarketConsumer, MarketProducer, Producer, market_ring, ring};
use shrike_core::thread::{Waiting, free_cores};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, RunReport};
use shrike_engine::setup;
use shrike_feed::ctp::abi::{CALLBACKS, Connection, Counts, Md, Trader};
use shrike_feed::ctp::api::Credentials;
use shrike_feed::ctp::attempts::Attempts;
use shrike_feed::ctp::callback::{Callback, Symbol};
use shrike_feed::ctp::contracts::{Contracts, SharedContracts};
use shrike_feed::ctp::flow::FlowDir;
use shrike_feed::ctp::md::CtpFeed;
use shrike_feed::ctp::trader::{Clocks, CtpGateway};
use shrike_feed::ctp::{CtpOptions, abi};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs the engine at the counter that the configuration names.
///
/// # Errors
/// When the home, a library or a flow directory cannot be used, or a stage stops.
pub fn run_at_counter(args: &RunArgs, loaded: &Loaded, tables: &Tables, told: &AtomicBool) -> Result<RunReport, Error> {
    let config = &loaded.config;
    let options = setup::engine_options(loaded, false, crate::BUILD);
    let engine = Engine::open(&config.run.home, || setup::stages(config, tables), options)?;
    tell_recovery(&engine, args.quiet);
    let folded = *engine.folded();
    let start = folded.order.taken_ns.max(folded.signal.taken_ns);
    let pace = pace(config, start);
    let counter = Counter::new(loaded, tables, &engine, &pace)?;
    let mut commands = commands(&engine)?;
    let Counter { mut feed, gateway, counts, _flows } = counter;
    let mut gateway = Talking { gateway, quiet: args.quiet };
    let report = go(args, engine, loaded, &mut feed, &mut gateway, pace, told, &mut commands, Nanos::ABSENT)?;
    gateway.tell();
    if !args.quiet {
        feed.problems().iter().for_each(|problem| eprintln!("{problem}"));
        let at_the_library = counts.iter().flat_map(|counts| counts.all());
        for (reason, count) in feed.skipped().into_iter().chain(gateway.gateway.skipped()).chain(at_the_library) {
            if count > 0 {
                eprintln!("skipped {count}: {reason}");
            }
        }
    }
    Ok(report)
}

/// Live: the host's time. Otherwise that of the events, from where the journals end.
fn pace(config: &Config, start: Nanos) -> Pace {
    match config.run.speed {
        Speed::Max => Pace::Max(Arc::new(SimTime::new(start))),
        Speed::Real | Speed::Times(_) => {
            Pace::Live { time: Tsc::calibrate(), waiting: Waiting::choose(1, free_cores()) }
        }
    }
}

/// The two sessions with a counter, and the flow directories that they hold.
struct Counter {
    feed: CtpFeed<Md, Consumer<Callback>>,
    gateway: CtpGateway<Trader, Consumer<Callback>>,
    counts: [Arc<Counts>; 2],
    _flows: [FlowDir; 2],
}

impl Counter {
    fn new(loaded: &Loaded, tables: &Tables, engine: &Engine, pace: &Pace) -> Result<Self, ComposeError> {
        let (config, secrets) = (&loaded.config, &loaded.secrets);
        let live = config.run.speed != Speed::Max;
        let waits = if live { pace.clock() } else { Clock::Wall(Tsc::calibrate()) };
        let clocks = Clocks { waits, events: pace.clock() };
        let attempts = attempts(config, secrets, abi::Side::Trader)?;
        let contracts = contracts(config, tables, Some(engine));
        let Front { feed, counts, flow, .. } = Front::new(config, secrets, tables, &clocks, contracts.clone())?;
        let (connection, trader_flow) = connection(config, secrets, abi::Side::Trader)?;
        let (calls, trader_calls): (Producer<Callback>, Consumer<Callback>) = ring(CALLBACKS, 0);
        let trader = Trader::open(connection, clocks.events.clone(), calls)?;
        let counts = [counts, trader.counts().clone()];
        let options = CtpOptions::of(&config.ctp, secrets.auth_code.is_some(), live);
        let rates = config.run.home.join("rates.toml");
        let sessions = tables.sessions.clone();
        let gateway = CtpGateway::new(trader, trader_calls, clocks, options, contracts, sessions, rates);
        let gateway = gateway.counting(attempts);
        Ok(Self { feed, gateway, counts, _flows: [flow, trader_flow] })
    }
}

/// A front as a market without a venue: for recorders.
///
/// # Errors
/// When the library or the flow directory cannot be used, or a symbol is no contract.
pub fn front(config: &Config, secrets: &Secrets, tables: &Tables) -> Result<Front, ComposeError> {
    let contracts = contracts(config, tables, None);
    for symbol in &config.ctp.subscribe {
        let known = Symbol::new(symbol.as_bytes()).and_then(|symbol| contracts.lock().ensure(&symbol, None));
        known.ok_or_else(|| ComposeError::Contract(symbol.clone()))?;
    }
    if contracts.lock().is_empty() {
        return Err(ComposeError::Contract(String::new()));
    }
    let real = Clock::Wall(Tsc::calibrate());
    let time = (config.run.speed == Speed::Max).then(|| Arc::new(SimTime::new(Nanos::ABSENT)));
    let events = time.clone().map_or_else(|| real.clone(), Clock::Simulated);
    let front = Front::new(config, secrets, tables, &Clocks { waits: real, events }, contracts)?;
    Ok(Front { time, ..front })
}

/// The session with a market-data front, and the flow directory that it holds.
pub struct Front {
    feed: CtpFeed<Md, Consumer<Callback>>,
    counts: Arc<Counts>,
    flow: FlowDir,
    /// The events' own time, where nobody else moves it on.
    time: Option<Arc<SimTime>>,
}

impl Front {
    fn new(
        config: &Config,
        secrets: &Secrets,
        tables: &Tables,
        clocks: &Clocks,
        contracts: SharedContracts,
    ) -> Result<Self, ComposeError> {
        let live = config.run.speed != Speed::Max;
        let attempts = attempts(config, secrets, abi::Side::Market)?;
        let (connection, flow) = connection(config, secrets, abi::Side::Market)?;
        let (calls, callbacks): (Producer<Callback>, Consumer<Callback>) = ring(CALLBACKS, 0);
        let (ticks_in, ticks): (MarketProducer<42>, MarketConsumer<42>) =
            market_ring(config.rings.market as usize, config.rings.overflow as usize, setup::INSTRUMENTS_MAX);
        let mut md = Md::open(connection, clocks.events.clone(), calls, ticks_in)?;
        if !live {
            md.hold();
        }
        let counts = md.counts().clone();
        let options = CtpOptions::of(&config.ctp, false, live);
        let feed = CtpFeed::new(md, callbacks, ticks, clocks.clone(), options, contracts, tables.sessions.clone());
        let feed = feed.counting(attempts);
        Ok(Self { feed, counts, flow, time: None })
    }
}

impl MarketFeed for Front {
    fn next(&mut self) -> Next {
        self.feed.next()
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        let taken = self.feed.take(slot);
        if let Some(time) = self.time.as_ref().filter(|_| taken) {
            time.advance_to(slot.header().recv_ns);
        }
        taken
    }

    fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.feed.skipped().into_iter().chain(self.counts.all()).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.feed.problems()
    }
}

/// The contracts that a home's journals hold, under their ids, and which others it wants.
fn contracts(config: &Config, tables: &Tables, engine: Option<&Engine>) -> SharedContracts {
    let globs =
        if config.ctp.subscribe.is_empty() { &config.market.instruments } else { &config.ctp.subscribe }.clone();
    let wanted = Box::new(move |symbol: &str| is_wanted(&globs, symbol));
    let mut contracts = Contracts::new(tables.sessions.clone(), Arc::new(tables.products.clone()), wanted);
    let targeted: Vec<_> = config.strategy.values().filter(|strategy| strategy.enabled).cloned().collect();
    contracts.target(Box::new(move |symbol| targeted.iter().any(|strategy| is_wanted(&strategy.instruments, symbol))));
    if let Some(engine) = engine {
        // The stages may hold different ends of one table: the longer one has all of it.
        let (market, books) = (engine.signal().market().instruments(), engine.order().ledger().instruments());
        for def in if market.len() > books.len() { market } else { books }.iter() {
            contracts.seed(def);
        }
    }
    SharedContracts::new(contracts)
}

/// How often the counter has refused the password on this side.
///
/// # Errors
/// When that was too often for another try.
pub fn attempts(config: &Config, secrets: &Secrets, side: abi::Side) -> Result<Attempts, ComposeError> {
    let name = match side {
        abi::Side::Market => "md",
        abi::Side::Trader => "trader",
    };
    let file = config.run.home.join(format!("refused-logins.{name}"));
    let attempts = Attempts::open(&file, &Credentials::of(config, secrets));
    match attempts.refusal(config.ctp.password_attempts_max) {
        Some(words) => Err(ComposeError::Password(words)),
        None => Ok(attempts),
    }
}

/// How one of the libraries is used, and its flow directory.
fn connection(config: &Config, secrets: &Secrets, side: abi::Side) -> Result<(Connection, FlowDir), ComposeError> {
    let (ctp, login) = (&config.ctp, &config.login);
    let (name, library, fronts, core) = match side {
        abi::Side::Market => ("md", &ctp.md_library, &ctp.md_fronts, ctp.md_core),
        abi::Side::Trader => ("trader", &ctp.trader_library, &ctp.trader_fronts, ctp.trader_core),
    };
    let root = if ctp.flow_dir.as_os_str().is_empty() { config.run.home.join("ctp") } else { ctp.flow_dir.clone() };
    let flow = FlowDir::take(&root, &login.broker_id, &login.user_id, name)?;
    let connection = Connection {
        library: library.clone(),
        fronts: fronts.clone(),
        flow: flow.path().to_path_buf(),
        production: ctp.production,
        credentials: Credentials::of(config, secrets),
        thread: setup::thread_plan(config, name, core),
    };
    Ok((connection, flow))
}

/// A gateway whose notes are printed as they come.
struct Talking {
    gateway: CtpGateway<Trader, Consumer<Callback>>,
    quiet: bool,
}

impl Talking {
    fn tell(&mut self) {
        for note in self.gateway.take_notes() {
            if !self.quiet {
                eprintln!("{note}");
            }
        }
    }
}

impl Gateway for Talking {
    fn request(&mut self, now: Nanos, header: &Header, request: Event<'_>) {
        self.gateway.request(now, header, request);
    }

    fn next(&mut self) -> Next {
        self.gateway.next()
    }

    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        let taken = self.gateway.take(slot);
        self.tell();
        taken
    }
}
