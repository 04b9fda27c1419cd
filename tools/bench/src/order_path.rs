//! From CTP's snapshot to the order: decoded into a slot, through the signal stage and a quoter, the order stage and every
//! check of the gate, until the request is handed to the gateway. Both journals are written as they are live.
//!
//! Only ticks that lead to an order are timed. Between two of them the venue takes the order, the market loses its bid, the
//! quoter pulls its quote and the venue cancels, so that no order lives and no limit closes as the next one comes.

use crate::figures::Samples;
use crate::place::Place;
use crate::{Host, Outcome, venue};
use shrike_config::tables::Tables;
use shrike_config::{Config, Source};
use shrike_core::clock::Clock;
use shrike_core::codes::{OrderStatus, RequestKind, StageId};
use shrike_core::event::{
    Body, DepthTick, Event, Header, MarketSlot, OrderRequest, ReportSlot, RequestSlot, RunStart, Seq,
};
use shrike_core::thread::{ThreadPlan, Waiting, place};
use shrike_core::units::{Lots, Nanos, TradingDay};
use shrike_engine::order::{OrderCapacity, OrderSettings, OrderStage};
use shrike_engine::runtime::{Inline, Nodes, Pipeline, PipelinePlan, RingSizes, StageJournal, StageLog, Stages};
use shrike_engine::setup;
use shrike_engine::signal::strategies::{Quoter, QuoterParams};
use shrike_engine::signal::{SignalStage, StrategySpec};
use shrike_engine::stage::Driver;
use shrike_feed::ctp::decode::{self, Dates};
use shrike_journal::{Syncing, Writer, WriterOptions};
use std::path::Path;

/// Ticks timed: with those of the warm-up, fewer than the orders that a trading day may have, and within one segment of each
/// journal, so that a slow disk closes no limit.
const TICKS: u64 = 20_000;
const WARM_UP: u64 = 2_000;
/// Threads that a pipeline has: the edge's and the two stages'.
const PIPELINE_THREADS: usize = 3;
const SEGMENT_BYTES: u32 = 64 << 20;

/// Times of [`Desk::trade`].
pub struct Timed {
    /// From before a tick's decoding until its order is handed over.
    pub orders: Samples,
    /// From a report's being handed in until its state is folded, journaled, and taken by the strategy.
    pub reports: Samples,
}

/// What a tick led to: how long it took to hand the request over, and the request; or why there is nothing.
pub type Ticked = Result<(u64, Option<OrderRequest>), String>;

/// Everything on one thread: what `work` gives at a desk with so many contracts.
pub fn inline_desk<T: Send>(
    host: &Host,
    contracts: u32,
    work: impl FnOnce(&mut Desk<Inline>) -> Result<T, String> + Send,
) -> Result<T, String> {
    let core = host.spinning::<1>().map(|[core]| core).ok();
    inline_desk_at(host, core, contracts, work)
}

/// [`inline_desk`] on a core of the caller's.
pub fn inline_desk_at<T: Send>(
    host: &Host,
    core: Option<usize>,
    contracts: u32,
    work: impl FnOnce(&mut Desk<Inline>) -> Result<T, String> + Send,
) -> Result<T, String> {
    on_thread(host, core, contracts, |nodes, clock| Ok(Inline::new(nodes, clock, 1_024)), work)
}

fn traded(host: &Host) -> Result<Timed, String> {
    let (warm_up, ticks) = ticks(host);
    inline_desk(host, venue::CONTRACTS, |desk| desk.trade(warm_up, ticks))
}

/// Ticks of the rows that time orders: of the warm-up, and timed.
pub fn ticks(host: &Host) -> (u64, u64) {
    let ticks = host.repetitions(TICKS);
    (WARM_UP.min(ticks), ticks)
}

/// Tick to order on one thread.
pub fn inline(host: &mut Host) -> Outcome {
    match traded(host) {
        Ok(timed) => {
            let figures = timed.orders.figures(1.0);
            host.inline_ns = Some(figures.p50);
            Outcome::Measured(figures)
        }
        Err(why) => Outcome::Absent(why),
    }
}

/// A report to the state that strategies see, on one thread.
pub fn reports(host: &mut Host) -> Outcome {
    traded(host).map_or_else(Outcome::Absent, |timed| Outcome::Measured(timed.reports.figures(1.0)))
}

/// The edge and each stage on a thread of its own: three hops, tick in to request out.
pub fn pipeline(host: &mut Host) -> Outcome {
    let cores = host.spinning::<PIPELINE_THREADS>();
    let (waiting, core) = match cores {
        Ok(_) => (Waiting::BusySpin, cores.clone().map_or([None; 3], |cores| cores.map(Some))),
        Err(_) => (Waiting::BACK_OFF, [None; 3]),
    };
    let [edge, signal, order] = core;
    let thread = |name: &str, core| ThreadPlan { name: name.into(), core, fifo_priority: None };
    let plan = PipelinePlan {
        signal: thread("signal", signal),
        order: thread("order", order),
        waiting,
        rings: RingSizes {
            market: 4_096,
            intents: 4_096,
            requests: 1_024,
            reports: 4_096,
            feedback: 4_096,
            overflow: 1_024,
        },
    };
    let start = |nodes, clock| Pipeline::start(nodes, clock, plan).map_err(|error| error.to_string());
    let (warm_up, ticks) = ticks(host);
    let work = |desk: &mut Desk<Pipeline>| Ok(desk.trade(warm_up, ticks)?.orders.figures(1.0));
    match (on_thread(host, edge, venue::CONTRACTS, start, work), cores) {
        (Ok(figures), Ok(_)) => Outcome::Measured(figures),
        (Ok(figures), Err(why)) => Outcome::Unjudged(figures, format!("threads take turns: {why}")),
        (Err(why), _) => Outcome::Absent(why),
    }
}

/// Measures on a thread of its own: the caller's stays where it is. Journals first, so that their threads are not pinned.
fn on_thread<S: Stages, T: Send>(
    host: &Host,
    core: Option<usize>,
    contracts: u32,
    start: impl FnOnce(Nodes, Clock) -> Result<S, String> + Send,
    work: impl FnOnce(&mut Desk<S>) -> Result<T, String> + Send,
) -> Result<T, String> {
    let place_of_journals = Place::new()?;
    // Populating the usual segments takes longer than a short run.
    let segment_bytes = if host.short { SEGMENT_BYTES / 8 } else { SEGMENT_BYTES };
    let nodes = nodes(&place_of_journals, signal_stage(), Syncing::EveryMs(10), segment_bytes, setup::ORDERS_MAX)?;
    let clock = Clock::Wall(host.clock.clone());
    let run = move || {
        if let Some(denied) = place(&ThreadPlan { core, ..ThreadPlan::default() }).first() {
            return Err(denied.to_string());
        }
        let stages = start(nodes, clock.clone())?;
        let mut desk = Desk::at(stages, clock, contracts);
        let done = desk.open().and_then(|()| work(&mut desk));
        desk.close()?;
        done
    };
    match std::thread::scope(|scope| scope.spawn(run).join()) {
        Ok(done) => done,
        Err(_) => Err(String::from("the thread panicked")),
    }
}

/// Both stages with their journals: the usual capacities, and limits that many orders keep.
pub fn nodes(
    journals: &Place,
    signal: SignalStage,
    syncing: Syncing,
    segment_bytes: u32,
    orders: usize,
) -> Result<Nodes, String> {
    let log = |stage| writer(journals, stage, syncing, segment_bytes);
    Ok(Nodes {
        signal: Driver::new(signal, log(StageId::Signal)?, Nanos::ABSENT),
        order: Driver::new(order_stage(orders)?, log(StageId::Order)?, Nanos::ABSENT),
    })
}

/// A signal stage with one quoter.
pub fn signal_stage() -> SignalStage {
    let quoter = QuoterParams {
        lots: Lots::new(1),
        edge_ticks: 0,
        skew_ticks: 0,
        max_position_lots: Lots::new(5),
        min_spread_ticks: 1,
    };
    let strategies = vec![StrategySpec {
        id: 1,
        name: String::from("maker"),
        symbols: vec![String::from("ru*")],
        strategy: Box::new(Quoter::new(1, quoter)),
    }];
    SignalStage::new(setup::INSTRUMENTS_MAX, strategies)
}

/// An order stage with the usual capacities, and room for so many orders a day.
pub fn order_stage(orders: usize) -> Result<OrderStage, String> {
    let capacity = OrderCapacity { instruments: setup::INSTRUMENTS_MAX, strategies: 1, orders };
    Ok(OrderStage::new(settings()?, capacity))
}

/// The default settings, with a day's and a second's lines out of reach: every check is made, none refuses.
fn settings() -> Result<OrderSettings, String> {
    let loaded = Config::load(&Source::default()).map_err(|error| error.to_string())?;
    let tables = Tables::builtin().map_err(|error| error.to_string())?;
    let mut settings = setup::order_settings(&loaded.config, &tables);
    // The windows keep their length in requests, and so their memory.
    settings.rate_window_ns = 1;
    settings.live_orders_max = 1_000;
    for product in &mut settings.contracts {
        product.limits.orders_per_day = 1_000_000;
        product.limits.cancels_per_day = 1_000_000;
    }
    Ok(settings)
}

fn writer(journals: &Place, stage: StageId, syncing: Syncing, segment_bytes: u32) -> Result<StageLog, String> {
    let mut options = journals.options(WriterOptions::new(stage).with_segment_bytes(segment_bytes));
    options.syncing = syncing;
    let dir: &Path = &journals.path().join(stage.name());
    let (mut writer, _) = Writer::create_or_resume(dir, options).map_err(|error| error.to_string())?;
    if writer.storage().is_in_memory() {
        Ok(StageLog::new(writer, false))
    } else {
        Err(String::from("needs a tmpfs with room for the live segments of two journals"))
    }
}

/// What the market shows of a contract in a round: with a bid, which leads to an order, or without, which pulls it.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    contract: u32,
    round: u32,
    with_bid: bool,
}

impl Shown {
    /// As CTP tells it.
    pub fn snapshot(self) -> decode::DepthSnapshot {
        venue::snapshot(self.round, self.with_bid)
    }

    /// What is known of the contract.
    pub fn decoding(self) -> decode::Contract {
        venue::decoding(self.contract)
    }
}

/// The edge: feed and gateway of the bench's own.
pub struct Desk<S> {
    stages: S,
    clock: Clock,
    contracts: u32,
    dates: Dates,
    market: Box<MarketSlot>,
    report: Box<ReportSlot>,
    feed: u64,
    told: u64,
}

impl<S: Stages> Desk<S> {
    /// At these stages, with so many contracts.
    pub fn at(stages: S, clock: Clock, contracts: u32) -> Self {
        let dates = Dates::default();
        Self { stages, clock, contracts, dates, market: Box::default(), report: Box::default(), feed: 0, told: 0 }
    }

    /// The time.
    pub fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// Ends the stages and closes their journals.
    pub fn close(self) -> Result<(), String> {
        let Nodes { signal, order } = self.stages.finish();
        signal.log.close().and_then(|()| order.log.close()).map_err(|error| error.to_string())
    }

    /// Brings the order stage to where it may send.
    pub fn open(&mut self) -> Result<(), String> {
        self.market(&RunStart::default())?;
        self.tell(&RunStart::default())?;
        for contract in 0..self.contracts {
            self.market(&venue::contract(contract))?;
            self.tell(&venue::contract(contract))?;
        }
        self.tell(&venue::login())?;
        for contract in 0..self.contracts {
            self.tell(&venue::rates(contract))?;
        }
        self.tell(&venue::funds())?;
        self.tell(&venue::resync_end())?;
        for contract in 0..self.contracts {
            self.market(&venue::phase(contract))?;
        }
        if self.stages.status().ready { Ok(()) } else { Err(String::from("the order stage is not ready")) }
    }

    /// Times `ticks` ticks that lead to orders, after some that count as warm-up, and the reports that they are queued.
    pub fn trade(&mut self, warm_up: u64, ticks: u64) -> Result<Timed, String> {
        self.trade_by(warm_up, ticks, |desk, shown| desk.tick(&shown.snapshot(), &shown.decoding()))
    }

    /// The same where `tick` brings in what the market shows.
    pub fn trade_by(
        &mut self,
        warm_up: u64,
        ticks: u64,
        mut tick: impl FnMut(&mut Self, Shown) -> Ticked,
    ) -> Result<Timed, String> {
        let mut timed = Timed { orders: Samples::new(), reports: Samples::new() };
        for (step, number) in (0..u32::MAX).zip(0..warm_up + ticks) {
            let contract = step % self.contracts;
            let shown = Shown { contract, round: step / self.contracts, with_bid: true };
            let (taken_ns, order) = tick(self, shown)?;
            let Some(order) = order.filter(|order| order.kind() == Some(RequestKind::Insert)) else {
                return Err(format!("tick {number} led to no order"));
            };
            if number >= warm_up {
                timed.orders.batch(taken_ns, 1);
            }
            let queued = venue::report(&order, OrderStatus::Queued);
            let start = self.clock.now();
            self.tell(&queued)?;
            if number >= warm_up {
                timed.reports.batch(self.clock.now().since(start), 1);
            }
            let (_, cancel) = tick(self, Shown { with_bid: false, ..shown })?;
            let Some(cancel) = cancel.filter(|cancel| cancel.kind() == Some(RequestKind::Cancel)) else {
                return Err(format!("the bid of tick {number} was not pulled"));
            };
            self.tell(&venue::report(&OrderRequest { lots: order.lots, ..cancel }, OrderStatus::Cancelled))?;
        }
        Ok(timed)
    }

    /// One tick, from before its decoding until its request is handed over: how long, and the request.
    #[inline(never)]
    pub fn tick(&mut self, snapshot: &decode::DepthSnapshot, contract: &decode::Contract) -> Ticked {
        let clock = &self.clock;
        if let Clock::Simulated(time) = clock {
            time.advance_to(time.now().after(1_000));
        }
        let start = clock.now();
        let tick: &mut DepthTick = self.market.place();
        let stamp = decode::stamp(snapshot, contract, TradingDay::ABSENT, start, &mut self.dates);
        decode::fill(snapshot, contract, &stamp.map_err(|error| error.to_string())?, tick);
        self.ticked(start)
    }

    /// A tick that another thread decoded, received at the time in its header.
    #[inline(never)]
    pub fn decoded(&mut self, slot: &MarketSlot) -> Ticked {
        self.market.copy_from(slot.header(), slot.body());
        self.ticked(slot.header().recv_ns)
    }

    #[inline]
    fn ticked(&mut self, start: Nanos) -> Ticked {
        let clock = &self.clock;
        self.feed += 1;
        let header = self.market.header_mut();
        (header.seq, header.recv_ns) = (Seq::new(StageId::Feed, 0, self.feed), start);
        let mut out = None;
        let mut sink = |slot: &RequestSlot| {
            if let Event::OrderRequest(request) = slot.event() {
                out = Some((clock.now().since(start), *request));
            }
        };
        let taken = self.stages.market(&self.market, &mut sink);
        taken.and_then(|()| self.stages.settle(&mut sink)).map_err(|stopped| stopped.to_string())?;
        Ok(out.map_or((0, None), |(taken_ns, request)| (taken_ns, Some(request))))
    }

    fn market<B: Body>(&mut self, event: &B) -> Result<(), String> {
        self.feed += 1;
        self.market.put(event);
        let seq = Seq::new(StageId::Feed, 0, self.feed);
        *self.market.header_mut() = Header { seq, recv_ns: self.clock.now(), ..*self.market.header() };
        let taken = self.stages.market(&self.market, &mut |_| {});
        taken.and_then(|()| self.stages.settle(&mut |_| {})).map_err(|stopped| stopped.to_string())
    }

    pub fn tell<B: Body>(&mut self, event: &B) -> Result<(), String> {
        self.told += 1;
        self.report.put(event);
        let seq = Seq::new(StageId::Gateway, 0, self.told);
        *self.report.header_mut() = Header { seq, recv_ns: self.clock.now(), ..*self.report.header() };
        let taken = self.stages.report(&self.report, &mut |_| {});
        taken.and_then(|()| self.stages.settle(&mut |_| {})).map_err(|stopped| stopped.to_string())
    }
}
