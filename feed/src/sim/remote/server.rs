//! The exchange's process without its clock: [`Server::step`] is told the time and says when it wants to be called again.
//! Requests come in from the engine's order journal, each exactly once; the market from its feed; everything goes into
//! the exchange's journal. It goes on whether or not an engine runs.

use super::lead::{Lead, Leash};
use super::tail::Tail;
use crate::sim::exchange::{Exchange, ExchangeOptions, Keep};
use shrike_core::codes::StageId;
use shrike_core::event::{
    Event, Header, InstrumentDef, MarketSlot, Rates, ReportSlot, RequestSlot, RunEnd, RunStart, Seq, flags,
};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::{Full, OpenError, ReadError, Reader, Writer, WriterOptions};
use std::path::{Path, PathBuf};

/// How fast the market passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speed {
    /// So many times real time; 1 is real time.
    Times {
        /// The factor.
        factor: u32,
        /// Where the market pauses longer than this, in its own time, the pause is left out.
        skip_ns: u64,
    },
    /// One market event after another, each followed by a pause of real time in which engines may answer.
    Max {
        /// The pause.
        pause_ns: u64,
    },
}

/// What an engine's order journal is to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Orders<'a> {
    /// Its requests are the messages to the exchange.
    Taken(&'a Path),
    /// It says how far the engine is; requests come by another way.
    Paced(&'a Path),
    /// There is none.
    Elsewhere,
}

/// How the server runs.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The exchange.
    pub exchange: ExchangeOptions,
    /// Its journal.
    pub journal: WriterOptions,
    /// The market's speed.
    pub speed: Speed,
    /// How far the market may run ahead of a running engine; none: as far as it comes.
    pub lead: Option<Lead>,
    /// First record of this run.
    pub run: RunStart,
    /// The configuration's text, its second record.
    pub config: String,
}

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The exchange's journal cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The exchange's journal takes no more.
    #[error("the exchange's journal in {}: {full}", dir.display())]
    Full {
        /// The journal.
        dir: PathBuf,
        /// Why.
        full: Full,
    },
    /// The exchange's journal cannot be closed.
    #[error("the exchange's journal in {}: {source}", dir.display())]
    Close {
        /// The journal.
        dir: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The market given has fewer events than the journal holds of it.
    #[error("the market ended after {had} events, but the exchange's journal in {} holds {held}: give the same market again, or another home", dir.display())]
    OtherMarket {
        /// The journal.
        dir: PathBuf,
        /// Market events in the journal.
        held: u64,
        /// Events that the market had.
        had: u64,
    },
}

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There may be more to do at once.
    Worked,
    /// Nothing to do for so many nanoseconds of real time, unless a request comes.
    Wait(u64),
    /// The market is over and everything is told. Requests are still answered.
    Over,
}

/// Who else sees what passes through the server: a front that other programs connect to.
pub trait Watch {
    /// Whether the market may go on. Asked before each of its events where the market can wait ([`Speed::Max`]).
    fn may_pass(&mut self) -> bool;
    /// The market event that the exchange has just seen.
    fn market(&mut self, header: &Header, event: Event<'_>);
    /// The report that has just left the exchange.
    fn report(&mut self, header: &Header, event: Event<'_>);
}

/// Nobody.
impl Watch for () {
    fn may_pass(&mut self) -> bool {
        true
    }
    fn market(&mut self, _header: &Header, _event: Event<'_>) {}
    fn report(&mut self, _header: &Header, _event: Event<'_>) {}
}

/// Margin and fees of a contract as it is announced.
pub type RatesOf = Box<dyn FnMut(&InstrumentDef) -> Option<Rates>>;

/// How long an idle server waits before it looks again.
const IDLE_NS: u64 = 1_000_000;
/// How long a market waits for its engine or its clients before it looks again.
const HELD_NS: u64 = 20_000;
/// How much one step does at most.
const WORK_MAX: usize = 64;

/// The exchange's process. See the module's text.
pub struct Server {
    dir: PathBuf,
    exchange: Exchange,
    feed: Box<dyn MarketFeed>,
    rates: RatesOf,
    requests: Option<Tail<26>>,
    market: Box<MarketSlot>,
    report: Box<ReportSlot>,
    request: Box<RequestSlot>,
    speed: Speed,
    leash: Option<Leash>,
    run_id: u64,
    /// Real and market time that belong together.
    anchor: Option<(u64, Nanos)>,
    now: Nanos,
    over: bool,
}

impl Server {
    /// Takes the exchange's journal in `dir` (created when there is none), finds its books there, and passes over the
    /// part of the market that it holds. The engine's order journal need not exist yet. Requests that it does not bring
    /// come through [`Server::exchange_mut`].
    ///
    /// # Errors
    /// When the journal cannot be taken or read, or `feed` is not the market that it holds.
    pub fn open(
        dir: &Path,
        orders: Orders<'_>,
        mut feed: Box<dyn MarketFeed>,
        rates: RatesOf,
        options: ServerOptions,
    ) -> Result<Self, ServerError> {
        debug_assert_eq!(options.journal.stage, StageId::Exchange);
        let (writer, _) = Writer::create_or_resume(dir, options.journal)?;
        let held = market_events(dir)?;
        let mut exchange =
            Exchange::recover(options.exchange, &mut Reader::open(dir)?)?.with_journal(writer, Keep::Market);
        let mut market = Box::<MarketSlot>::default();
        for had in 0..held {
            if !feed.take(&mut market) {
                return Err(ServerError::OtherMarket { dir: dir.to_path_buf(), held, had });
            }
        }
        exchange.mark((&options.run).into());
        exchange.mark(Event::Config(options.config.as_bytes()));
        let last = exchange.last_request();
        Ok(Self {
            dir: dir.to_path_buf(),
            now: market.header().recv_ns,
            exchange,
            feed,
            rates,
            requests: match orders {
                Orders::Taken(dir) => Some(Tail::new(dir, last, is_message)),
                Orders::Paced(dir) => Some(Tail::new(dir, Seq::ABSENT, |_, _| false)),
                Orders::Elsewhere => None,
            },
            market,
            report: Box::default(),
            request: Box::default(),
            speed: options.speed,
            leash: options.lead.map(Leash::new),
            run_id: options.run.run_id,
            anchor: None,
            over: false,
        })
    }

    /// The exchange, for its books.
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The exchange, for requests that come by another way than the order journal.
    pub const fn exchange_mut(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// The market's time.
    pub const fn now(&self) -> Nanos {
        self.now
    }

    /// Takes new requests and does what is due. `real_ns` is any clock of real time that goes forward.
    ///
    /// # Errors
    /// When a journal cannot be read or written.
    pub fn step(&mut self, real_ns: u64) -> Result<Step, ServerError> {
        self.step_watched(real_ns, &mut ())
    }

    /// The same, with someone watching.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn step_watched(&mut self, real_ns: u64, watch: &mut dyn Watch) -> Result<Step, ServerError> {
        if let (Speed::Times { factor, .. }, Some((real, market))) = (self.speed, self.anchor) {
            let passed = real_ns.saturating_sub(real).saturating_mul(factor.into());
            self.now = self.now.max(market.after(passed));
        }
        if self.exchange.is_disk_late() {
            return Ok(Step::Wait(IDLE_NS));
        }
        self.take_requests()?;
        let mut step = Step::Worked;
        for _ in 0..WORK_MAX {
            step = self.advance(real_ns, watch);
            if step != Step::Worked {
                break;
            }
        }
        match self.exchange.journal_full() {
            Some(full) => Err(ServerError::Full { dir: self.dir.clone(), full }),
            None => Ok(step),
        }
    }

    /// Ends in order: the journal is closed, with everything durable.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn close(mut self) -> Result<(), ServerError> {
        self.end_run();
        self.exchange.close_journal().map_err(|source| ServerError::Close { dir: self.dir, source })
    }

    fn take_requests(&mut self) -> Result<(), ServerError> {
        let Some(requests) = &mut self.requests else { return Ok(()) };
        while requests.take(&mut self.request) {
            match self.request.event() {
                // An engine has started: it is given a session of its own.
                Event::RunStart(_) if !self.exchange.trading_day().is_absent() => {
                    self.exchange.connect(self.now, self.exchange.trading_day());
                }
                event => self.exchange.request(self.now, self.request.header(), event),
            }
        }
        requests.take_error().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Does the earliest thing that is due: the exchange's before the market's on a tie.
    fn advance(&mut self, real_ns: u64, watch: &mut dyn Watch) -> Step {
        let (internal, market) = (self.exchange.next(), self.feed.next());
        let (at, is_market) = match (internal, market) {
            (Next::At(internal), Next::At(market)) if market < internal => (market, true),
            (Next::At(internal), _) => (internal, false),
            (_, Next::At(market)) => (market, true),
            (_, Next::Idle) => return Step::Wait(IDLE_NS),
            (_, Next::End) => {
                self.end_run();
                return Step::Over;
            }
        };
        if let Some(wait) = self.too_early(at, real_ns) {
            return Step::Wait(wait);
        }
        let engine = self.requests.as_ref().map_or(Nanos::ABSENT, Tail::written_ns);
        let mut is_late = || self.leash.as_mut().is_some_and(|leash| leash.holds(self.now, engine, real_ns));
        let can_wait = is_market && matches!(self.speed, Speed::Max { .. });
        if can_wait && !watch.may_pass() || is_market && is_late() {
            return Step::Wait(HELD_NS);
        }
        self.now = self.now.max(at);
        if !is_market {
            // What leaves here is in the journal since it was made.
            if self.exchange.take(&mut self.report) {
                watch.report(self.report.header(), self.report.event());
            }
            return Step::Worked;
        }
        if self.feed.take(&mut self.market) {
            self.exchange.on_market(self.market.header(), self.market.event());
            watch.market(self.market.header(), self.market.event());
            if let Event::InstrumentDef(def) = self.market.event()
                && let Some(rates) = (self.rates)(def)
            {
                self.exchange.set_rates(&rates);
            }
        }
        match self.speed {
            Speed::Max { pause_ns: pause_ns @ 1.. } => Step::Wait(pause_ns),
            Speed::Max { .. } | Speed::Times { .. } => Step::Worked,
        }
    }

    /// Real nanoseconds until the market's time is there.
    fn too_early(&mut self, at: Nanos, real_ns: u64) -> Option<u64> {
        let Speed::Times { factor, skip_ns } = self.speed else { return None };
        let ahead = at.since(self.now);
        if self.anchor.is_none() || ahead > skip_ns {
            self.anchor = Some((real_ns, at));
            return None;
        }
        (ahead > 0).then(|| ahead.div_ceil(factor.max(1).into()))
    }

    /// Says once that the market is over.
    fn end_run(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            self.exchange.mark((&RunEnd { run_id: self.run_id, ended_ns: self.now, ..RunEnd::default() }).into());
        }
    }
}

/// What the exchange wants to know of the order journal: requests, and that an engine starts.
fn is_message(header: &Header, event: &Event<'_>) -> bool {
    matches!(event, Event::OrderRequest(_)) && header.has(flags::OUTPUT) || matches!(event, Event::RunStart(_))
}

/// How many events of the market a journal holds.
fn market_events(dir: &Path) -> Result<u64, ReadError> {
    let mut reader = Reader::open(dir)?;
    let mut count = 0;
    while let Some(record) = reader.next()? {
        count += u64::from(super::is_market(record.header, &record.event()));
    }
    Ok(count)
}
