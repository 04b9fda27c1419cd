//! Engines at a CTP counter: market data and orders through the libraries that `[ctp]` names, which may be the vendor's or
//! the stand-in. Live, time is the host's; with `run.speed = "max"` it is the market's own, for a counter that plays a
//! day faster than it was.

use crate::compose::is_wanted;
use crate::error::Error;
use crate::run::{RunArgs, commands, go, tell_recovery};
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Speed};
use shrike_core::clock::{Clock, SimTime, Tsc};
use shrike_core::event::{Event, Header, ReportSlot};
use shrike_core::ring::{Consumer, MarketConsumer, MarketProducer, Producer, market_ring, ring};
use shrike_core::thread::{Waiting, free_cores};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, RunReport};
use shrike_engine::setup;
use shrike_feed::ctp::abi::{CALLBACKS, Connection, Counts, Md, Trader};
use shrike_feed::ctp::api::Credentials;
use shrike_feed::ctp::callback::Callback;
use shrike_feed::ctp::contracts::{Contracts, SharedContracts};
use shrike_feed::ctp::flow::FlowDir;
use shrike_feed::ctp::md::CtpFeed;
use shrike_feed::ctp::trader::{Clocks, CtpGateway};
use shrike_feed::ctp::{CtpOptions, abi};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Slots of the ring of callbacks; what a busy moment has more waits in its overflow queue.
const CALLBACK_RING: usize = 4_096;

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
    let commands = commands(&engine)?;
    let Counter { mut feed, gateway, counts, _flows } = counter;
    let mut gateway = Talking { gateway, quiet: args.quiet };
    let report = go(args, engine, loaded, &mut feed, &mut gateway, pace, told, commands, Nanos::ABSENT)?;
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
    fn new(loaded: &Loaded, tables: &Tables, engine: &Engine, pace: &Pace) -> Result<Self, Error> {
        let config = &loaded.config;
        let live = config.run.speed != Speed::Max;
        let clocks =
            Clocks { waits: if live { pace.clock() } else { Clock::Wall(Tsc::calibrate()) }, events: pace.clock() };
        let contracts = contracts(config, tables, engine);
        let (md_connection, md_flow) = connection(loaded, abi::Side::Market)?;
        let (trader_connection, trader_flow) = connection(loaded, abi::Side::Trader)?;
        let (calls, md_calls): (Producer<Callback>, Consumer<Callback>) = ring(CALLBACK_RING, CALLBACKS);
        let (ticks_in, ticks): (MarketProducer<42>, MarketConsumer<42>) =
            market_ring(config.rings.market as usize, config.rings.overflow as usize, setup::INSTRUMENTS_MAX);
        let mut md = Md::open(md_connection, clocks.events.clone(), calls, ticks_in)?;
        if !live {
            md.hold();
        }
        let (calls, trader_calls): (Producer<Callback>, Consumer<Callback>) = ring(CALLBACK_RING, CALLBACKS);
        let trader = Trader::open(trader_connection, clocks.events.clone(), calls)?;
        let counts = [md.counts().clone(), trader.counts().clone()];
        let options = CtpOptions::of(&config.ctp, loaded.secrets.auth_code.is_some(), live);
        let sessions = tables.sessions.clone();
        let rates = config.run.home.join("rates.toml");
        Ok(Self {
            feed: CtpFeed::new(md, md_calls, ticks, clocks.clone(), options, contracts.clone(), sessions.clone()),
            gateway: CtpGateway::new(trader, trader_calls, clocks, options, contracts, sessions, rates),
            counts,
            _flows: [md_flow, trader_flow],
        })
    }
}

/// The contracts that the home's journals hold, under their ids, and which others it wants.
fn contracts(config: &Config, tables: &Tables, engine: &Engine) -> SharedContracts {
    let globs =
        if config.ctp.subscribe.is_empty() { &config.market.instruments } else { &config.ctp.subscribe }.clone();
    let wanted = Box::new(move |symbol: &str| is_wanted(&globs, symbol));
    let mut contracts = Contracts::new(tables.sessions.clone(), Arc::new(tables.products.clone()), wanted);
    // The stages may hold different ends of one table: the longer one has all of it.
    let (market, books) = (engine.signal().market().instruments(), engine.order().ledger().instruments());
    for def in if market.len() > books.len() { market } else { books }.iter() {
        contracts.seed(def);
    }
    SharedContracts::new(contracts)
}

/// How one of the libraries is used, and its flow directory.
fn connection(loaded: &Loaded, side: abi::Side) -> Result<(Connection, FlowDir), Error> {
    let (config, secrets) = (&loaded.config, &loaded.secrets);
    let (ctp, login) = (&config.ctp, &config.login);
    let (name, library, fronts, core) = match side {
        abi::Side::Market => ("md", &ctp.md_library, &ctp.md_fronts, ctp.md_core),
        abi::Side::Trader => ("trader", &ctp.trader_library, &ctp.trader_fronts, ctp.trader_core),
    };
    let root = if ctp.flow_dir.as_os_str().is_empty() { config.run.home.join("ctp") } else { ctp.flow_dir.clone() };
    let flow = FlowDir::take(&root, &login.broker_id, &login.user_id, name)?;
    let secret = |secret: &Option<shrike_config::Secret>| secret.as_ref().map_or("", |text| text.reveal()).to_owned();
    let connection = Connection {
        library: library.clone(),
        fronts: fronts.clone(),
        flow: PathBuf::from(flow.path()),
        production: ctp.production,
        credentials: Credentials {
            broker_id: login.broker_id.clone(),
            user_id: login.user_id.clone(),
            password: secret(&secrets.password),
            app_id: ctp.app_id.clone(),
            auth_code: secret(&secrets.auth_code),
            product_info: ctp.product_info.clone(),
        },
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
