//! Exchange and engine as two processes would see each other's journals: nothing twice, nothing lost, whoever dies.

use super::{Orders, RemoteFeed, RemoteGateway, Server, ServerError, ServerOptions, Speed, Step};
use crate::sim::exchange::ExchangeOptions;
use shrike_core::calendar::{OrderRules, Rule};
use shrike_core::codes::{
    Exchange as Place, Offset, OrderType, PhaseKind, ProductClass, RequestKind, Side, StageId, TimeInForce,
};
use shrike_core::event::{
    Body, DepthTick, Event, Header, InstrumentDef, Kind, MarketSlot, OrderRequest, Phase, Rates, ReportSlot, RunStart,
    Seq, flags,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Qty, Text, TradingDay, Turnover};
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::{Mapped, Writer, WriterOptions};
use std::collections::VecDeque;
use std::path::Path;

const ID: InstrumentId = InstrumentId::new(0);

fn day() -> TradingDay {
    TradingDay::new(20_240_102).expect("a date")
}

fn second(seconds: u64) -> Nanos {
    Nanos::china(day(), 9 * 3600, 0).after(seconds * Nanos::PER_SECOND)
}

/// A market of prepared events.
struct Script(VecDeque<MarketSlot>);

impl Script {
    /// A contract, its trading phase, and a snapshot each second.
    fn new(ticks: u64) -> Self {
        let mut script = Self(VecDeque::new());
        script.push(
            second(0),
            &InstrumentDef {
                instrument: ID,
                symbol: Text::new(b"xx2405").expect("fits"),
                tick: Price::whole(1),
                multiplier: 10,
                min_lots: Lots::new(1),
                upper_limit: Price::whole(110),
                lower_limit: Price::whole(90),
                pre_settlement: Price::whole(100),
                exchange: Place::Shfe.code(),
                class: ProductClass::Future.code(),
                tradable: 1,
                ..InstrumentDef::default()
            },
        );
        let phase = PhaseKind::Continuous.code();
        script.push(second(0), &Phase { instrument: ID, trading_day: day(), phase, ..Phase::default() });
        for n in 1..=ticks {
            let mut tick = DepthTick {
                instrument: ID,
                trading_day: day(),
                last: Price::whole(100),
                volume: Qty::whole(n as i64),
                turnover: Turnover::whole(n as i64 * 1_000),
                upper_limit: Price::whole(110),
                lower_limit: Price::whole(90),
                pre_settlement: Price::whole(100),
                bids: [Price::ABSENT; 5],
                asks: [Price::ABSENT; 5],
                ..DepthTick::default()
            };
            (tick.bids[0], tick.bid_qtys[0]) = (Price::whole(99), Qty::whole(5));
            (tick.asks[0], tick.ask_qtys[0]) = (Price::whole(101), Qty::whole(5));
            script.push(second(n), &tick);
        }
        script
    }

    fn push<B: Body>(&mut self, at: Nanos, body: &B) {
        let mut slot = MarketSlot::default();
        slot.put(body);
        slot.header_mut().recv_ns = at;
        self.0.push_back(slot);
    }
}

impl MarketFeed for Script {
    fn next(&mut self) -> Next {
        self.0.front().map_or(Next::End, |slot| Next::At(slot.header().recv_ns))
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.0.pop_front().is_some_and(|next| {
            *slot = next;
            true
        })
    }
}

/// A home with the two journals.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }
    fn exchange(&self) -> std::path::PathBuf {
        self.0.path().join("exchange")
    }
    fn order(&self) -> std::path::PathBuf {
        self.0.path().join("order")
    }

    fn server(&self, ticks: u64, speed: Speed) -> Result<Server, ServerError> {
        let rules = OrderRules::new(&[Rule {
            exchanges: vec![Place::Shfe],
            phases: vec![PhaseKind::Continuous],
            orders: vec![(OrderType::Limit, TimeInForce::Day)],
            cancels: true,
        }]);
        let options = ServerOptions {
            exchange: ExchangeOptions::new(1, rules),
            journal: journal(StageId::Exchange),
            speed,
            lead: None,
            run: RunStart { run_id: 5, ..RunStart::default() },
            config: "seed = 1\n".to_owned(),
        };
        let rates = |def: &InstrumentDef| Some(Rates { instrument: def.instrument, ..Rates::default() });
        Server::open(
            &self.exchange(),
            Orders::Taken(&self.order()),
            Box::new(Script::new(ticks)),
            Box::new(rates),
            options,
        )
    }
}

fn journal(stage: StageId) -> WriterOptions {
    let options = WriterOptions { live_dir: None, ..WriterOptions::simulated(stage, 5) };
    options.with_segment_bytes(1 << 20)
}

/// The engine's order journal.
struct Engine(Writer<Mapped>);

impl Engine {
    fn start(dir: &Path) -> Self {
        let mut engine = Self(Writer::create_or_resume(dir, journal(StageId::Order)).expect("a journal").0);
        engine.append(&RunStart::default(), 0);
        engine
    }

    fn append<B: Body>(&mut self, body: &B, flags: u32) -> Seq {
        let header = Header { kind: B::KIND as u16, version: 1, flags, ..Header::default() };
        self.0.append(&header, bytemuck::bytes_of(body)).expect("room")
    }

    fn buy(&mut self, order_ref: u64, price: i64) -> Seq {
        let request = OrderRequest {
            instrument: ID,
            trading_day: day(),
            order_ref,
            price: Price::whole(price),
            lots: Lots::new(1),
            kind: RequestKind::Insert.code(),
            side: Side::Buy.code(),
            offset: Offset::Open.code(),
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange: Place::Shfe.code(),
            ..OrderRequest::default()
        };
        self.append(&request, flags::OUTPUT)
    }
}

const MAX: Speed = Speed::Max { pause_ns: 1 };

/// Steps until something else than work is the answer, `times` times.
fn steps(server: &mut Server, times: usize) -> Step {
    let mut step = Step::Worked;
    for _ in 0..times {
        step = server.step(0).expect("a step");
    }
    step
}

/// Everything an engine reads from behind a record on: kinds and numbers, market and reports apart.
fn read(home: &Home, after_market: Seq, after_report: Seq) -> [Vec<(Kind, Seq)>; 2] {
    let mut feed = RemoteFeed::open(&home.exchange(), after_market);
    let mut gateway = RemoteGateway::open(&home.exchange(), after_report);
    let (mut market, mut report) = (MarketSlot::default(), ReportSlot::default());
    let (mut events, mut reports) = (Vec::new(), Vec::new());
    let kind = |header: &Header| {
        assert_eq!(header.flags & flags::OUTPUT, 0, "the engine's inputs");
        (Kind::of(header.kind).expect("a kind"), header.seq)
    };
    while feed.take(&mut market) {
        events.push(kind(market.header()));
    }
    while gateway.take(&mut report) {
        reports.push(kind(report.header()));
    }
    [events, reports]
}

#[test]
fn a_request_is_taken_once_whatever_dies() {
    let home = Home::new();
    let mut engine = Engine::start(&home.order());
    let mut server = home.server(20, MAX).expect("starts");
    steps(&mut server, 5);
    let first = engine.buy(1, 101);
    steps(&mut server, 5);
    assert_eq!((server.exchange().orders().len(), server.exchange().fills().len()), (1, 1));
    assert_eq!(server.exchange().last_request(), first);
    // The exchange is killed and started again: the order is known, the market goes on where it was.
    let (now, digest) = (server.now(), server.exchange().books_digest());
    drop(server);
    let mut server = home.server(20, MAX).expect("starts again");
    assert_eq!((server.now(), server.exchange().books_digest()), (now, digest));
    steps(&mut server, 3);
    assert_eq!(server.exchange().orders().len(), 1, "not taken twice");
    // The engine is killed and started again; its next order is taken, in a session of its own.
    drop(engine);
    let mut engine = Engine::start(&home.order());
    engine.buy(2, 99);
    steps(&mut server, 3);
    let orders: Vec<_> = server.exchange().orders().collect();
    assert_eq!(orders.len(), 2);
    assert!(orders[1].session_id > orders[0].session_id);
}

#[test]
fn the_exchange_trades_on_without_an_engine() {
    let home = Home::new();
    let mut engine = Engine::start(&home.order());
    let mut server = home.server(20, MAX).expect("starts");
    steps(&mut server, 4);
    engine.buy(1, 100);
    steps(&mut server, 2);
    drop(engine);
    assert_eq!(steps(&mut server, 40), Step::Over, "the market ends by itself");
    assert_eq!(server.exchange().fills().len(), 1, "and the order traded meanwhile");
    server.close().expect("closes");
    let [events, reports] = read(&home, Seq::ABSENT, Seq::ABSENT);
    assert_eq!(events.len(), 22);
    assert!(reports.iter().any(|(kind, _)| *kind == Kind::Fill));
}

#[test]
fn an_engine_goes_on_behind_what_it_holds() {
    let home = Home::new();
    let mut engine = Engine::start(&home.order());
    let mut server = home.server(10, MAX).expect("starts");
    steps(&mut server, 3);
    engine.buy(1, 101);
    steps(&mut server, 30);
    let [events, reports] = read(&home, Seq::ABSENT, Seq::ABSENT);
    for cut in 0..events.len().max(reports.len()) {
        let held = |list: &[(Kind, Seq)]| list.get(cut).map_or(list.last().expect("one").1, |&(_, seq)| seq);
        let [later_events, later_reports] = read(&home, held(&events), held(&reports));
        assert_eq!(later_events, events.get(cut + 1..).unwrap_or(&[]));
        assert_eq!(later_reports, reports.get(cut + 1..).unwrap_or(&[]));
    }
}

#[test]
fn the_feed_ends_with_the_market() {
    let home = Home::new();
    let mut feed = RemoteFeed::open(&home.exchange(), Seq::ABSENT);
    let mut slot = MarketSlot::default();
    assert_eq!(feed.next(), Next::Idle, "no journal yet");
    let mut server = home.server(2, MAX).expect("starts");
    assert_eq!(feed.next(), Next::Idle, "no market yet");
    assert_eq!(steps(&mut server, 20), Step::Over);
    let mut count = 0;
    while feed.next() != Next::End {
        assert!(feed.take(&mut slot));
        count += 1;
    }
    assert_eq!(count, 4);
    // An answer after the end reaches the gateway, which never ends by itself.
    let mut gateway = RemoteGateway::open(&home.exchange(), Seq::ABSENT);
    let mut report = ReportSlot::default();
    while gateway.take(&mut report) {}
    Engine::start(&home.order())
        .append(&OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() }, flags::OUTPUT);
    steps(&mut server, 3);
    let mut last = 0;
    while gateway.take(&mut report) {
        last = report.header().kind;
    }
    assert_eq!(last, Kind::ResyncEnd as u16);
    assert_eq!(gateway.next(), Next::Idle);
    assert_eq!(feed.next(), Next::End, "the market is over whatever the exchange answers later");
}

#[test]
fn another_market_is_refused() {
    let home = Home::new();
    let mut server = home.server(9, MAX).expect("starts");
    steps(&mut server, 40);
    drop(server);
    match home.server(3, MAX) {
        Err(ServerError::OtherMarket { held: 11, had: 5, .. }) => {}
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn real_time_is_kept_and_long_pauses_are_not() {
    let home = Home::new();
    let mut server = home.server(30, Speed::Times { factor: 10, skip_ns: 2 * Nanos::PER_SECOND }).expect("starts");
    let real = 1_000;
    // The market's clock starts with its first event; the next one is a second later, a tenth of it in real time.
    assert_eq!(server.step(real).expect("a step"), Step::Wait(Nanos::PER_SECOND / 10));
    assert_eq!(server.step(real + Nanos::PER_SECOND / 20).expect("a step"), Step::Wait(Nanos::PER_SECOND / 20));
    assert_eq!(server.now(), second(0).after(Nanos::PER_SECOND / 2));
    assert_eq!(server.step(real + Nanos::PER_SECOND).expect("a step"), Step::Wait(Nanos::PER_SECOND / 10));
    assert_eq!(server.now(), second(10));
    let slow = Home::new();
    let mut server = slow.server(3, Speed::Times { factor: 1, skip_ns: Nanos::PER_SECOND / 2 }).expect("starts");
    assert_eq!(server.step(real).expect("a step"), Step::Over, "pauses of a second are left out");
}

#[test]
fn marks_of_the_process_stand_in_the_journal() {
    let home = Home::new();
    let mut server = home.server(1, MAX).expect("starts");
    steps(&mut server, 20);
    server.close().expect("closes");
    let mut reader = shrike_journal::Reader::open(&home.exchange()).expect("the journal");
    let (mut first, mut config, mut last) = (None, None, None);
    while let Some(record) = reader.next().expect("a good record") {
        first = first.or(Some(record.header.kind));
        if let Event::Config(text) = record.event() {
            config = Some(text.to_vec());
        }
        last = Some(record.header.kind);
    }
    assert_eq!(first, Some(Kind::RunStart as u16));
    assert_eq!(config.as_deref(), Some(&b"seed = 1\n"[..]));
    assert_eq!(last, Some(Kind::RunEnd as u16));
}
