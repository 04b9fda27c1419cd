//! What tests of starts share: a home on simulated pages, a strategy that changes its mind, a market of one contract and
//! one day, and a venue that fills whatever it is sent. All of it answers on the engine's one thread.

use super::{Journals, StageLog};
use crate::signal::{Intent, Intents, Market, SavedStateError, Strategy};
use shrike_core::codes::{
    Exchange, OrderStatus, PhaseKind, ProductClass, ReportSource, RequestKind, StageId, SubmitStatus, Urgency,
};
use shrike_core::event::{
    Body, DepthTick, Event, Fill, FundsReport, Header, InstrumentDef, MarketSlot, OrderReport, OrderRequest, Phase,
    ReportSlot, ResyncEnd, Slot,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, Text, TradingDay};
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::snapshot::{Snapshot, SnapshotError};
use shrike_journal::{OpenError, Pages, ReadError, Reader, Recovery, Writer, WriterOptions};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

pub(super) const RU: InstrumentId = InstrumentId::new(0);
const SEGMENT_BYTES: u32 = 64 << 10;
const TICKS: i64 = 24;

pub(super) fn today() -> TradingDay {
    TradingDay::new(20_240_102).unwrap()
}

pub(super) fn options(stage: StageId) -> WriterOptions {
    WriterOptions { live_dir: None, ..WriterOptions::simulated(stage, 1).with_segment_bytes(SEGMENT_BYTES) }
}

// ---- the home -----------------------------------------------------------------------------------------------------

/// A home in memory; clones share its journals and its snapshot.
#[derive(Clone)]
pub(super) struct Desk {
    signal: Pages,
    order: Pages,
    pub(super) snapshot: Rc<RefCell<Option<Snapshot>>>,
}

impl Desk {
    pub(super) fn empty() -> Self {
        let [signal, order] = [(); 2].map(|()| Pages::new(SEGMENT_BYTES));
        Self { signal, order, snapshot: Rc::default() }
    }

    const fn pages(&self, stage: StageId) -> &Pages {
        if matches!(stage, StageId::Signal) { &self.signal } else { &self.order }
    }

    pub(super) fn records(&self, stage: StageId) -> Vec<(Header, Vec<u8>)> {
        let mut reader = Reader::over(self.pages(stage).clone());
        let mut records = Vec::new();
        while let Some(record) = reader.next().unwrap() {
            records.push((*record.header, record.body.to_vec()));
        }
        records
    }

    /// The same journals for another process, without a snapshot.
    pub(super) fn copy(&self) -> Self {
        let [signal, order] = [&self.signal, &self.order].map(Pages::crash_process);
        Self { signal, order, snapshot: Rc::default() }
    }

    /// A home whose journals hold the first records of these, and no snapshot.
    pub(super) fn cut(&self, signal: usize, order: usize) -> Self {
        let copy = |stage, count| {
            let pages = Pages::new(SEGMENT_BYTES);
            let (mut writer, _) = Writer::resume(pages.clone(), &options(stage)).unwrap();
            for (header, body) in self.records(stage).iter().take(count) {
                assert_eq!(writer.append(header, body).unwrap(), header.seq, "the copy has the same numbers");
            }
            drop(writer);
            pages.crash_process()
        };
        let (signal, order) = (copy(StageId::Signal, signal), copy(StageId::Order, order));
        Self { signal, order, snapshot: Rc::default() }
    }

    pub(super) fn with_snapshot_of(self, other: &Self) -> Self {
        self.snapshot.replace(other.snapshot.borrow().clone());
        self
    }
}

impl Journals for Desk {
    type Log = StageLog<Pages>;
    type Segments = Pages;

    fn log(&mut self, options: WriterOptions, _orders_sync: bool) -> Result<(Self::Log, Recovery), OpenError> {
        let (writer, recovery) = Writer::resume(self.pages(options.stage).clone(), &options)?;
        Ok((StageLog::new(writer, false), recovery))
    }
    fn reader(&self, stage: StageId) -> Result<Reader<Pages>, ReadError> {
        Ok(Reader::over(self.pages(stage).clone()))
    }
    fn snapshot_file(&self) -> PathBuf {
        "snapshot".into()
    }
    fn snapshot(&self) -> Result<Option<Snapshot>, SnapshotError> {
        Ok(self.snapshot.borrow().clone())
    }
    fn keep_snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.snapshot.replace(Some(snapshot.clone()));
        Ok(())
    }
    fn drop_snapshot(&mut self) -> io::Result<()> {
        self.snapshot.replace(None);
        Ok(())
    }
}

// ---- who talks to the engine --------------------------------------------------------------------------------------

/// Wants as many lots as its last price says.
#[derive(Default)]
pub(super) struct Wavering(i64);

impl Strategy for Wavering {
    fn update(&mut self, _market: &Market, event: Event<'_>) {
        if let Event::DepthTick(tick) = event {
            self.0 = tick.last.raw() / Price::ONE_RAW;
        }
    }
    fn intend(&self, _market: &Market, instrument: InstrumentId, intents: &mut Intents) {
        let lots = Lots::new((self.0 / 2 * 2) % 7 - 3);
        intents.state(instrument, Intent::Position { lots, limit: Price::ABSENT, urgency: Urgency::Aggressive });
    }
    fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedStateError> {
        self.0 = bytemuck::try_pod_read_unaligned(bytes).map_err(|_| SavedStateError)?;
        Ok(())
    }
}

fn slot<const WORDS: usize, B: Body>(at: Nanos, body: &B) -> Slot<WORDS> {
    let mut slot = Slot::default();
    slot.put(body);
    slot.header_mut().recv_ns = at;
    slot
}

/// The market's events to come.
#[derive(Default)]
pub(super) struct Feed(VecDeque<MarketSlot>);

impl Feed {
    /// One contract, from its definition to its closing.
    pub(super) fn of_a_day(begin: Nanos) -> Self {
        let at = |n: u64| begin.after(n * 500 * Nanos::PER_MILLI);
        let phase = |kind: PhaseKind| Phase { trading_day: today(), phase: kind.code(), ..Phase::default() };
        let def = InstrumentDef {
            symbol: Text::new(b"ru2405").unwrap(),
            product: Text::new(b"ru").unwrap(),
            tick: Price::whole(1),
            multiplier: 10,
            strike: Price::ABSENT,
            min_lots: Lots::new(1),
            max_limit_lots: Lots::new(500),
            upper_limit: Price::whole(200),
            lower_limit: Price::whole(50),
            pre_settlement: Price::whole(100),
            exchange: Exchange::Shfe.code(),
            class: ProductClass::Future.code(),
            tradable: 1,
            ..InstrumentDef::default()
        };
        let tick = |n: i64| {
            let mut tick = DepthTick {
                trading_day: today(),
                last: Price::whole(100 + n),
                upper_limit: def.upper_limit,
                lower_limit: def.lower_limit,
                ..DepthTick::default()
            };
            (tick.bids[0], tick.bid_qtys[0]) = (Price::whole(99 + n), Qty::whole(10));
            (tick.asks[0], tick.ask_qtys[0]) = (Price::whole(101 + n), Qty::whole(10));
            tick
        };
        let mut events = VecDeque::from([slot(at(0), &def), slot(at(1), &phase(PhaseKind::Continuous))]);
        events.extend((0..TICKS).map(|n| slot(at(2 + n as u64), &tick(n))));
        events.push_back(slot(at(3 + TICKS as u64), &phase(PhaseKind::Shut)));
        Self(events)
    }
}

impl MarketFeed for Feed {
    fn next(&mut self) -> Next {
        self.0.front().map_or(Next::End, |slot| Next::At(slot.header().recv_ns))
    }
    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.0.pop_front().map(|next| *slot = next).is_some()
    }
}

/// A venue that fills every order at once, at its price.
#[derive(Default)]
pub(super) struct Venue {
    says: VecDeque<ReportSlot>,
    pub(super) orders: Vec<OrderRequest>,
}

impl Venue {
    pub(super) fn says<B: Body>(&mut self, at: Nanos, body: &B) {
        self.says.push_back(slot(at, body));
    }

    pub(super) fn net(&self) -> i64 {
        self.orders.iter().map(|order| order.lots.get() * order.side().unwrap().sign()).sum()
    }

    fn fills(&mut self, at: Nanos, order: &OrderRequest) {
        let number = self.orders.len();
        let order_sys_id = Text::new(format!("{number:>12}").as_bytes()).unwrap();
        let &OrderRequest { instrument, trading_day, order_ref, front_id, session_id, price, lots, .. } = order;
        self.says(
            at,
            &OrderReport {
                instrument,
                trading_day,
                order_ref,
                front_id,
                session_id,
                order_sys_id,
                price,
                lots,
                traded: lots,
                status: OrderStatus::AllTraded.code(),
                submit: SubmitStatus::Accepted.code(),
                source: ReportSource::Flow.code(),
                side: order.side,
                offset: order.offset,
                order_type: order.order_type,
                tif: order.tif,
                exchange: order.exchange,
                ..OrderReport::default()
            },
        );
        let trade_id = Text::new(format!("T{number}").as_bytes()).unwrap();
        let (side, offset, exchange) = (order.side, order.offset, order.exchange);
        self.says(
            at,
            &Fill {
                instrument,
                trading_day,
                order_ref,
                trade_id,
                order_sys_id,
                price,
                lots,
                side,
                offset,
                exchange,
                ..Fill::default()
            },
        );
    }
}

impl Gateway for Venue {
    fn request(&mut self, now: Nanos, header: &Header, request: Event<'_>) {
        let Event::OrderRequest(request) = request else { return };
        let at = now.after(Nanos::PER_MILLI);
        match request.kind() {
            Some(RequestKind::Resync) => {
                self.says(
                    at,
                    &FundsReport { trading_day: today(), pre_balance: Money::whole(1_000_000), ..Default::default() },
                );
                self.says(
                    at,
                    &ResyncEnd { trading_day: today(), session_id: 7, request: header.seq, ..Default::default() },
                );
            }
            Some(RequestKind::Insert) => {
                self.orders.push(*request);
                self.fills(at, request);
            }
            _ => panic!("nothing works that could be asked for or cancelled: {request:?}"),
        }
    }
    fn next(&mut self) -> Next {
        self.says.front().map_or(Next::End, |slot| Next::At(slot.header().recv_ns))
    }
    fn take(&mut self, slot: &mut ReportSlot) -> bool {
        self.says.pop_front().map(|next| *slot = next).is_some()
    }
}
