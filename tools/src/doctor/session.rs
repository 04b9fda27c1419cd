//! What only the counter can say: that it takes the login, and that snapshots come. The same binding and the same session
//! machine as a run's, with real time. A login is tried once: counters lock accounts. Nothing is confirmed, nothing is
//! ordered.

use super::ctp::Flows;
use super::{CtpArgs, Findings};
use shrike_config::Loaded;
use shrike_config::tables::Tables;
use shrike_core::clock::{Clock, Tsc};
use shrike_core::event::Event;
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::{Consumer, market_ring, ring};
use shrike_core::thread::ThreadPlan;
use shrike_core::units::{Nanos, Text, TradingDay};
use shrike_feed::ctp::CtpOptions;
use shrike_feed::ctp::abi::{Connection, Md, Side, Trader};
use shrike_feed::ctp::api::{Credentials, MarketApi, TraderApi};
use shrike_feed::ctp::callback::{Callback, LoginFacts, What};
use shrike_feed::ctp::decode::Contract;
use shrike_feed::ctp::lookup::Contracts;
use shrike_feed::ctp::message;
use shrike_feed::ctp::session::{Heard, Session, SessionCall, Step};
use std::path::Path;
use std::time::Duration;

/// What was found on the way to the login.
pub(super) struct Trip<'a> {
    pub(super) args: &'a CtpArgs,
    pub(super) loaded: &'a Loaded,
    pub(super) flows: Flows,
    /// Whether a trading front and a market-data front were reached.
    pub(super) reached: [bool; 2],
}

/// Callbacks that may wait in a ring here: a login and its flow, not a day's.
const CALLBACKS: usize = 4_096;

/// Logs in on both sides and waits for a snapshot, where what stands before allows it.
pub(super) fn examine(trip: &Trip<'_>, findings: &mut Findings) {
    const LOGIN: &str = "trader login";
    const FIRST: &str = "first snapshot";
    let [trader_reached, md_reached] = trip.reached;
    if trip.args.no_login {
        return findings.skip(LOGIN, "--no-login");
    }
    if !["login.", "ctp.app_id", "secret "].iter().all(|name| findings.are_well(name)) {
        return findings.skip(LOGIN, "needs who logs in, see above");
    }
    let clock = Clock::Wall(Tsc::calibrate());
    let mut day = TradingDay::ABSENT;
    // The trading session stays: counters may let a user's market data in only beside it.
    let mut trader = None;
    match &trip.flows.trader {
        Some(flow) if trader_reached && findings.are_well("trader library") && findings.are_well("versions") => {
            match trip.log_in_trader(flow.path(), &clock) {
                Ok((connected, facts)) => {
                    day = facts.trading_day;
                    findings.ok(LOGIN, told(&facts));
                    trader = Some(connected);
                }
                Err(refusal) => findings.mend(LOGIN, refusal.found, refusal.remedy),
            }
        }
        _ => findings.skip(LOGIN, "needs library, flow directory and front, see above"),
    }
    if !findings.are_well(LOGIN) {
        // The same password again would only bring the account nearer to its lock.
        return findings.skip(FIRST, "needs the trader login, see above");
    }
    let md_well = md_reached && findings.are_well("md library") && findings.are_well("versions");
    match (&trip.flows.md, trip.contract()) {
        (Some(flow), Ok(contract)) if md_well => trip.listen(flow.path(), &clock, day, &contract, findings),
        (_, Err(why)) if md_well => findings.skip(FIRST, why),
        _ => findings.skip(FIRST, "needs library, flow directory and front, see above"),
    }
    drop(trader);
}

fn told(facts: &LoginFacts) -> String {
    let LoginFacts { trading_day, front_id, session_id, .. } = facts;
    format!("trading day {trading_day}, front {front_id}, session {session_id}")
}

/// A login that failed.
struct Refusal {
    found: String,
    remedy: String,
}

/// What to do about CTP's error numbers (`error.xml` of the API's distribution).
const fn remedy_of(error: i32) -> &'static str {
    match error {
        3 => "check login.user_id and the password; it was sent once, counters lock accounts after a few",
        7 | 8 => "the counter is not ready: try again shortly before a session",
        60 => "another program of this user is logged in: stop it, or ask the broker for more sessions",
        63..=66 => "check ctp.app_id, the authentication code, and that the broker has released this terminal",
        75 => "the account is locked after failed logins: ask the broker, and correct the password first",
        131 | 140 | 141 => "change the password with the broker's own terminal first",
        4_040 => "library and front differ in version or kind: check ctp.production and the library's version",
        _ => "look the number up in the API's error.xml, or ask the broker",
    }
}

/// Drives a session with real time until it stands or has failed once. `call` does what is due.
fn log_in(
    session: &mut Session,
    clock: &Clock,
    callbacks: &mut Consumer<Callback>,
    timeout_ms: u32,
    call: &mut dyn FnMut(SessionCall) -> Result<i32, String>,
) -> Result<LoginFacts, Refusal> {
    let mut connected = false;
    loop {
        let now = clock.now();
        while let Some(due) = session.turn(now) {
            if due == SessionCall::Stop {
                let (found, remedy) = match connected {
                    true => ("no answer to the login", "the front is slow or not yet active: try again"),
                    false => (
                        "the front takes the connection and does not answer as a CTP front",
                        "check the port, and ctp.production: a production library does not understand an evaluation front",
                    ),
                };
                return Err(Refusal { found: format!("{found} within {timeout_ms} ms"), remedy: remedy.to_owned() });
            }
            let code = call(due).map_err(|found| Refusal { found, remedy: "see the message".to_owned() })?;
            session.called(due, code, now);
        }
        let mut ended = None;
        callbacks.take_batch(16, |callback| {
            let heard = session.hear(callback, clock.now());
            ended = ended.take().or_else(|| match heard {
                Heard::Up(facts) => Some(Ok(facts)),
                Heard::Failed(_) | Heard::Refused => {
                    Some(Err(Refusal { found: message::error(callback), remedy: remedy_of(callback.error).to_owned() }))
                }
                Heard::Lost(reason) => Some(Err(Refusal {
                    found: format!("the front hangs up, reason {reason:#x}"),
                    remedy: "check ctp.production and the library's version; then ask the broker".to_owned(),
                })),
                Heard::Connected => {
                    connected = true;
                    None
                }
                Heard::Nothing => None,
            });
        });
        if let Some(ended) = ended {
            return ended;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

impl Trip<'_> {
    fn connection(&self, library: &Path, fronts: &[String], flow: &Path, name: &str) -> Connection {
        let config = &self.loaded.config;
        Connection {
            library: library.to_owned(),
            fronts: fronts.to_vec(),
            flow: flow.to_owned(),
            production: config.ctp.production,
            credentials: Credentials::of(config, &self.loaded.secrets),
            thread: ThreadPlan { name: name.to_owned(), core: None, fifo_priority: None },
        }
    }

    /// The steps of a session: no confirmation, and never a second try.
    fn session(&self, authenticates: bool) -> Session {
        let mut options = CtpOptions::of(&self.loaded.config.ctp, authenticates, true).session;
        (options.authenticates, options.trades, options.password_attempts_max) = (authenticates, false, 1);
        Session::new(options)
    }

    fn log_in_trader(&self, flow: &Path, clock: &Clock) -> Result<(Trader, LoginFacts), Refusal> {
        let ctp = &self.loaded.config.ctp;
        let (producer, mut callbacks) = ring(CALLBACKS, CALLBACKS);
        let connection = self.connection(&ctp.trader_library, &ctp.trader_fronts, flow, "ctp-trader");
        let failed = |found: String| Refusal { found, remedy: "correct what the message names".to_owned() };
        let mut trader =
            Trader::open(connection, clock.clone(), producer).map_err(|error| failed(error.to_string()))?;
        let mut session = self.session(self.loaded.secrets.auth_code.is_some());
        let (config, secrets) = (&self.loaded.config, &self.loaded.secrets);
        let attempts = crate::ctp::attempts(config, secrets, Side::Trader);
        let mut attempts = attempts.map_err(|refused| failed(refused.to_string()))?;
        let facts = log_in(&mut session, clock, &mut callbacks, ctp.connect_timeout_ms, &mut |due| match due {
            SessionCall::Start => trader.start().map(|()| 0),
            SessionCall::Stop | SessionCall::Ask(Step::Confirm, _) => Ok(0),
            SessionCall::Ask(Step::Authenticate, id) => Ok(trader.authenticate(id)),
            SessionCall::Ask(Step::Login, id) => Ok(trader.login(id)),
        });
        // The engine of this home must know of it. One that is not there yet has no use for the count.
        let refusals = if facts.is_ok() { 0 } else { attempts.count() + session.refusals() };
        if refusals != attempts.count() && config.run.home.is_dir() {
            attempts.keep(refusals).map_err(|error| failed(format!("{}: {error}", config.run.home.display())))?;
        }
        Ok((trader, facts?))
    }

    /// The contract to wait for.
    fn contract(&self) -> Result<String, String> {
        let config = &self.loaded.config;
        let named = config.ctp.subscribe.iter().chain(&config.market.instruments).find(|name| !name.contains('*'));
        self.args
            .contract
            .clone()
            .or_else(|| named.cloned())
            .ok_or_else(|| "no contract is named: give one with --contract, such as --contract rb2410".to_owned())
    }

    /// Logs in for market data, subscribes to one contract and waits for a snapshot of it.
    fn listen(&self, flow: &Path, clock: &Clock, day: TradingDay, contract: &str, findings: &mut Findings) {
        const LOGIN: &str = "md login";
        let name = format!("first snapshot of {contract}");
        let product = Tables::builtin().ok().and_then(|tables| tables.products.of_symbol(contract).copied());
        let (Some(product), Some(symbol)) = (product, Text::new(contract.as_bytes())) else {
            return findings.mend(
                name,
                "no product has such contracts",
                "correct the symbol, in the exchange's letters",
            );
        };
        let ctp = &self.loaded.config.ctp;
        let (producer, mut callbacks) = ring(CALLBACKS, CALLBACKS);
        let (market, mut snapshots) = market_ring(64, 0, 1);
        let connection = self.connection(&ctp.md_library, &ctp.md_fronts, flow, "ctp-md");
        let mut md = match Md::open(connection, clock.clone(), producer, market) {
            Ok(md) => md,
            Err(error) => return findings.mend(LOGIN, error.to_string(), "correct what the message names"),
        };
        let facts =
            log_in(&mut self.session(false), clock, &mut callbacks, ctp.connect_timeout_ms, &mut |due| match due {
                SessionCall::Start => md.start().map(|()| 0),
                SessionCall::Stop | SessionCall::Ask(Step::Authenticate | Step::Confirm, _) => Ok(0),
                SessionCall::Ask(Step::Login, id) => Ok(md.login(id)),
            });
        let facts = match facts {
            Ok(facts) => facts,
            Err(refusal) => return findings.mend(LOGIN, refusal.found, refusal.remedy),
        };
        findings.ok(LOGIN, told(&facts));
        let day = if day.is_absent() { facts.trading_day } else { day };
        let place = Contract {
            instrument: InstrumentId::new(0),
            exchange: product.exchange,
            multiplier: product.multiplier,
            zero_is_price: false,
            bare_turnover: false,
        };
        md.prepare(Contracts::new(day, [(symbol, place)]));
        let asked = clock.now();
        let code = md.subscribe(&[contract.as_bytes()]);
        if code != 0 {
            return findings.mend(name, format!("the subscription is not sent: {code}"), "try again");
        }
        let (mut seen, mut refused) = (None, None);
        while seen.is_none() && refused.is_none() {
            snapshots.take_batch(16, |slot| {
                if let Event::DepthTick(tick) = slot.event() {
                    seen = seen.or(Some((tick.last, tick.exch_ns, slot.header().recv_ns)));
                }
            });
            callbacks.take_batch(16, |callback| {
                if matches!(callback.what, What::Subscribed(_) | What::Failed) && callback.error != 0 {
                    refused = Some(message::error(callback));
                }
            });
            if clock.now().since(asked) > self.args.timeout_ms.saturating_mul(Nanos::PER_MILLI) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        match (seen, refused) {
            (Some((last, at, received)), _) => {
                let took_ms = received.since(asked) / Nanos::PER_MILLI;
                findings.ok(name, format!("last price {last} of {at:.3}, {took_ms} ms after the subscription"));
            }
            (None, Some(error)) => findings.mend(name, error, "check the symbol, and what the broker lets you see"),
            (None, None) => findings.mend(
                name,
                format!("none within {} ms", self.args.timeout_ms),
                "check the symbol; try again within trading hours; see whether the counter asks for the trading login first",
            ),
        }
        drop(md);
    }
}
