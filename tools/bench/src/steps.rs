//! The same work over and over, without threads, clocks or chance: what a profiler counts of it repeats to the
//! instruction. The difference between `2 n` and `n` rounds is what `n` rounds cost, without start and end.

use crate::order_path::{Desk, nodes, order_stage, signal_stage};
use crate::place::Place;
use crate::venue::{self, CONTRACTS};
use shrike_core::clock::{Clock, SimTime};
use shrike_core::codes::{OrderStatus, StageId, Urgency};
use shrike_core::event::{
    Body, DepthTick, Event, Header, MarketSlot, OrderRequest, OrderUpdate, Quote, Seq, TargetPosition, TargetQuote,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Qty, TradingDay};
use shrike_engine::order::OrderStage;
use shrike_engine::runtime::{Inline, Quarantine};
use shrike_engine::signal::strategies::{EmaCross, EmaCrossParams};
use shrike_engine::signal::{SignalStage, StrategySpec};
use shrike_engine::stage::{Driver, Log, Stage};
use shrike_engine::{replay, setup};
use shrike_feed::ctp::decode::{self, Dates};
use shrike_journal::{Reader, Syncing, Writer, WriterOptions};
use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

/// Orders of a run: few, for the room is written when it is made, which counts as the start.
const ORDERS_MAX: usize = 4_096;

/// What [`run`] does over and over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A CTP snapshot becomes a tick in a slot.
    Decode,
    /// The signal stage takes a tick that an EMA cross sees, and decides the quote for the order stage; no journal.
    Signal,
    /// The order stage takes a quote of a contract in which nothing is wanted and nothing works; no journal.
    Quote,
    /// The order stage takes a quote of a contract whose target is reached; no journal.
    Watch,
    /// The order stage takes an intent and sends, hears of it, takes its end and cancels, hears of that: four inputs;
    /// no journal.
    Order,
    /// A record of 128 bytes and one of 384 are journaled.
    Journal,
    /// Two ticks through everything on one thread, both journals: one leads to an order, the next pulls it.
    TickToOrder,
    /// The journals of a tick that leads to an order and one that pulls it are read, checked, decided again, compared.
    Replay,
    /// The same of a tick that an EMA cross sees and that leads to no order, as nearly all are.
    ReplayTick,
}

impl Step {
    /// Every step with its name.
    pub const ALL: [(&'static str, Self); 9] = [
        ("decode", Self::Decode),
        ("signal", Self::Signal),
        ("quote", Self::Quote),
        ("watch", Self::Watch),
        ("order", Self::Order),
        ("journal", Self::Journal),
        ("tick-to-order", Self::TickToOrder),
        ("replay", Self::Replay),
        ("replay-tick", Self::ReplayTick),
    ];

    /// The step of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, step)| *step)
    }
}

/// Does a step `rounds` times.
///
/// # Errors
/// What did not go as it must, in words.
pub fn run(step: Step, rounds: u64) -> Result<(), String> {
    match step {
        Step::Decode => decode(rounds),
        Step::Signal => signal(rounds),
        Step::Quote => quotes(rounds, false),
        Step::Watch => quotes(rounds, true),
        Step::Order => orders(rounds),
        Step::Journal => journal(rounds),
        Step::TickToOrder => tick_to_order(&Place::new()?, rounds),
        Step::Replay => replayed(rounds, signal_stage, tick_to_order),
        Step::ReplayTick => replayed(rounds, || cross(MINUTE_MS), watched),
    }
}

/// Takes everything and keeps nothing.
pub(crate) struct Nowhere(Seq);

impl Log for Nowhere {
    type Error = Infallible;

    #[inline]
    fn append(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Infallible> {
        black_box((header, body));
        self.0 = self.0.next();
        Ok(self.0)
    }
}

fn nowhere(stage: StageId) -> Nowhere {
    Nowhere(Seq::new(stage, 0, 0))
}

fn decode(rounds: u64) -> Result<(), String> {
    let snapshots: [_; 16] = std::array::from_fn(|step| venue::snapshot(step as u32, true));
    let (contract, mut dates, mut slot) = (venue::decoding(0), Dates::default(), MarketSlot::default());
    for snapshot in snapshots.iter().cycle().zip(0..rounds).map(|(snapshot, _)| snapshot) {
        let (snapshot, day) = (black_box(snapshot), TradingDay::ABSENT);
        let stamp = decode::stamp(snapshot, &contract, day, Nanos::ABSENT, &mut dates);
        decode::fill(snapshot, &contract, &stamp.map_err(|why| why.to_string())?, slot.place::<DepthTick>());
        black_box(&slot);
    }
    Ok(())
}

/// Gives a stage events one microsecond apart.
pub(crate) struct Giver<S> {
    driver: Driver<S, Nowhere>,
    pub(crate) now: Nanos,
    sent: Option<OrderRequest>,
}

impl<S: Stage> Giver<S> {
    pub(crate) fn new(stage: S, id: StageId) -> Self {
        Self { driver: Driver::new(stage, nowhere(id), Nanos::ABSENT), now: Nanos::new(1), sent: None }
    }

    #[inline]
    pub(crate) fn give<B: Body>(&mut self, body: &B)
    where
        for<'b> Event<'b>: From<&'b B>,
    {
        self.now = self.now.after(1_000);
        let header = Header { kind: B::KIND as u16, version: B::VERSION, recv_ns: self.now, ..Header::default() };
        let sent = &mut self.sent;
        let Ok(()) = self.driver.take(self.now, &header, Event::from(body), |out| {
            if let Event::OrderRequest(request) = out.event() {
                *sent = Some(*request);
            }
        });
    }

    fn sent(&mut self) -> Result<OrderRequest, String> {
        self.sent.take().ok_or_else(|| String::from("nothing was sent"))
    }
}

const MINUTE_MS: u64 = 60_000;

/// A signal stage whose EMA cross sees every contract; by ticks where bars have no length.
fn cross(bar_ms: u64) -> SignalStage {
    let params = EmaCrossParams { fast: 5, slow: 20, bar_ms, lots: Lots::new(1), urgency: Urgency::Passive };
    let strategies = vec![StrategySpec {
        id: 1,
        name: String::from("cross"),
        symbols: vec![String::from("ru*")],
        strategy: Box::new(EmaCross::new(params)),
    }];
    SignalStage::new(setup::INSTRUMENTS_MAX, strategies)
}

/// Such a stage, and a tick for it.
pub(crate) fn watcher() -> Result<(Giver<SignalStage>, MarketSlot), String> {
    let mut giver = Giver::new(cross(0), StageId::Signal);
    (0..CONTRACTS).for_each(|contract| giver.give(&venue::contract(contract)));
    (0..CONTRACTS).for_each(|contract| giver.give(&venue::phase(contract)));
    let mut slot = MarketSlot::default();
    let (snapshot, mut dates) = (venue::snapshot(1, true), Dates::default());
    let stamp = decode::stamp(&snapshot, &venue::decoding(0), TradingDay::ABSENT, Nanos::ABSENT, &mut dates);
    decode::fill(&snapshot, &venue::decoding(0), &stamp.map_err(|why| why.to_string())?, slot.place::<DepthTick>());
    Ok((giver, slot))
}

/// Ticks before the strategy has something to state.
const WARM_UP: u64 = 20 * CONTRACTS as u64;

fn signal(rounds: u64) -> Result<(), String> {
    let (mut giver, mut slot) = watcher()?;
    let tick = slot.place::<DepthTick>();
    // The slow average first needs its twenty ticks of each contract.
    for round in 0..WARM_UP + rounds {
        tick.instrument = InstrumentId::new((round % u64::from(CONTRACTS)) as u32);
        giver.give(tick);
    }
    Ok(())
}

/// An order stage that may send.
pub(crate) fn desk(orders: usize) -> Result<Giver<OrderStage>, String> {
    let mut giver = Giver::new(order_stage(orders)?, StageId::Order);
    (0..CONTRACTS).for_each(|contract| giver.give(&venue::contract(contract)));
    giver.give(&venue::login());
    for contract in 0..CONTRACTS {
        giver.give(&venue::rates(contract));
        giver.give(&venue::phase(contract));
    }
    giver.give(&venue::funds());
    giver.give(&venue::resync_end());
    giver.sent = None;
    Ok(giver)
}

pub(crate) fn quote(contract: u32, round: u64, now: Nanos) -> Quote {
    let bid = Price::whole(12_000 + (round / 16 % 64) as i64 * 5);
    Quote {
        instrument: InstrumentId::new(contract),
        trading_day: venue::day(),
        exch_ns: now,
        bid,
        bid_qty: Qty::whole(3),
        ask: bid.plus(Price::whole(5)),
        ask_qty: Qty::whole(41),
        last: bid,
        volume: Qty::whole(round as i64),
        upper_limit: Price::whole(13_095),
        lower_limit: Price::whole(11_385),
    }
}

fn quotes(rounds: u64, watched: bool) -> Result<(), String> {
    let mut giver = desk(ORDERS_MAX)?;
    for instrument in (0..CONTRACTS).filter(|_| watched).map(InstrumentId::new) {
        giver.give(&TargetPosition { strategy: 1, instrument, revision: 1, ..TargetPosition::default() });
    }
    for round in 0..rounds {
        giver.give(&quote((round % u64::from(CONTRACTS)) as u32, round, giver.now));
    }
    Ok(())
}

fn orders(rounds: u64) -> Result<(), String> {
    let mut giver = desk(ORDERS_MAX)?;
    (0..CONTRACTS).for_each(|contract| giver.give(&quote(contract, 0, Nanos::new(1))));
    (0..rounds).try_for_each(|round| life(&mut giver, round))
}

/// An order's life: intended and sent, queued, pulled, cancelled.
pub(crate) fn life(giver: &mut Giver<OrderStage>, round: u64) -> Result<(), String> {
    let shown = TargetQuote {
        strategy: 1,
        instrument: InstrumentId::new((round % u64::from(CONTRACTS)) as u32),
        revision: 2 * round + 1,
        bid_lots: Lots::new(1),
        bid: Price::whole(12_000),
        ask: Price::ABSENT,
        ..TargetQuote::default()
    };
    giver.give(&shown);
    let order = giver.sent()?;
    giver.give(&venue::report(&order, OrderStatus::Queued));
    giver.give(&TargetQuote { revision: shown.revision + 1, bid: Price::ABSENT, bid_lots: Lots::ZERO, ..shown });
    giver.sent()?;
    giver.give(&venue::report(&order, OrderStatus::Cancelled));
    Ok(())
}

fn journal(rounds: u64) -> Result<(), String> {
    let place = Place::new()?;
    let mut options = place.options(WriterOptions::simulated(StageId::Order, 1).with_segment_bytes(SEGMENT_BYTES));
    options.syncing = Syncing::OnClose;
    let (mut writer, _) = Writer::create_or_resume(place.path(), options).map_err(|error| error.to_string())?;
    let mut append = |kind: u16, body: &[u8]| {
        let header = Header { kind, version: 1, ..Header::default() };
        writer.append(black_box(&header), black_box(body)).map_err(|full| full.to_string())
    };
    for _ in 0..rounds {
        append(OrderUpdate::KIND as u16, bytemuck::bytes_of(&OrderUpdate::default()))?;
        append(DepthTick::KIND as u16, bytemuck::bytes_of(&DepthTick::default()))?;
    }
    writer.flush_and_close().map_err(|error| error.to_string())
}

/// Small, so that they are made quickly; all that a step writes fits the first.
pub const SEGMENT_BYTES: u32 = 4 << 20;

/// Everything on one thread around this signal stage, in simulated time.
fn inline(place: &Place, signal: SignalStage) -> Result<Desk<Inline>, String> {
    let clock = Clock::Simulated(Arc::new(SimTime::new(Nanos::new(1))));
    let nodes = nodes(place, signal, Syncing::OnClose, SEGMENT_BYTES, ORDERS_MAX)?;
    let mut desk = Desk::at(Inline::new(nodes, clock.clone(), 1_024), clock, CONTRACTS);
    desk.open()?;
    Ok(desk)
}

fn tick_to_order(place: &Place, rounds: u64) -> Result<(), String> {
    let mut desk = inline(place, signal_stage())?;
    desk.trade(0, rounds)?;
    desk.close()
}

fn watched(place: &Place, rounds: u64) -> Result<(), String> {
    let mut desk = inline(place, cross(MINUTE_MS))?;
    for round in 0..rounds {
        let contract = (round % u64::from(CONTRACTS)) as u32;
        let (_, order) = desk.tick(&venue::snapshot(round as u32 / CONTRACTS, true), &venue::decoding(contract))?;
        if order.is_some() {
            return Err(format!("tick {round} led to an order"));
        }
    }
    desk.close()
}

/// Rounds that lie in the journals; a replay reads as many of them as it is told.
const HOME_ROUNDS: u64 = 512;

fn replayed(
    rounds: u64,
    signal: impl Fn() -> SignalStage,
    made: impl Fn(&Place, u64) -> Result<(), String>,
) -> Result<(), String> {
    let home = Place::new()?;
    made(&home, HOME_ROUNDS)?;
    let (mut signal, mut order) = (signal(), order_stage(ORDERS_MAX)?);
    verified(&home.path().join(StageId::Signal.name()), &mut signal, rounds)?;
    verified(&home.path().join(StageId::Order.name()), &mut order, rounds)
}

fn verified(dir: &Path, stage: &mut impl Stage, rounds: u64) -> Result<(), String> {
    let mut reader = Reader::open(dir).map_err(|error| error.to_string())?;
    let mut last = Seq::ABSENT;
    while let Some(record) = reader.next().map_err(|error| error.to_string())? {
        last = record.header.seq;
    }
    let stage_id = last.stage().ok_or("the journal is empty")?;
    let to = Seq::new(stage_id, 0, last.n() * rounds.min(HOME_ROUNDS) / HOME_ROUNDS);
    let journal = Reader::open(dir).map_err(|error| error.to_string())?;
    let report = replay::verify(journal, stage, (Seq::ABSENT, to), &Quarantine::default(), &mut |_| {}, &mut |_| {});
    let report = report.map_err(|error| error.to_string())?;
    if report.differences > 0 {
        return Err(format!("{} of {} outputs differ", report.differences, report.outputs));
    }
    Ok(())
}
