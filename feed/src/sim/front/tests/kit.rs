//! What the tests share: a front over an exchange with one contract, clients of it, and what they are told as lines.

use crate::ctp::callback::{Callback, CancelFacts, OrderFacts, Symbol, What};
use crate::sim::exchange::{Exchange, ExchangeOptions};
use crate::sim::front::wire::{Ask, Channel, FromClient, FromFront, Hello, PROTOCOL, QueryKind, Resume, Who};
use crate::sim::front::{Conn, Front, FrontOptions, Output};
use shrike_core::calendar::{OrderRules, Rule};
use shrike_core::codes::{
    Exchange as Place, Offset, OrderStatus, OrderType, PhaseKind, ProductClass, Side, TimeInForce,
};
use shrike_core::event::{DepthTick, Event, Header, InstrumentDef, Phase, Rates, ReportSlot};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, Text, TradingDay, Turnover};
use shrike_core::venue::{Gateway, Next};

pub(super) const ID: InstrumentId = InstrumentId::new(0);
pub(super) const SECOND: u64 = Nanos::PER_SECOND;

pub(super) fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).expect("a date")
}

pub(super) fn name(text: &str) -> Symbol {
    Text::new(text.as_bytes()).expect("fits")
}

/// A counter: front and exchange, with a book of 99 x 5 against 101 x 5 in continuous trading.
pub(super) struct Kit {
    pub(super) front: Front,
    pub(super) exchange: Exchange,
    pub(super) now: Nanos,
    pub(super) day: TradingDay,
    pub(super) real_ns: u64,
    /// Every event that the front was shown, as a journal would hold it.
    pub(super) shown: Vec<(bool, ReportSlot)>,
    volume: i64,
}

impl Kit {
    pub(super) fn new() -> Self {
        Self::with(FrontOptions::default())
    }

    pub(super) fn with(options: FrontOptions) -> Self {
        let mut kit = Self::shut(options);
        kit.phase(PhaseKind::Continuous);
        kit.tick();
        kit
    }

    /// A counter that knows its contract and no trading day.
    pub(super) fn shut(options: FrontOptions) -> Self {
        let today = day(20_240_102);
        let rules = OrderRules::new(&[Rule {
            exchanges: vec![Place::Shfe],
            phases: vec![PhaseKind::Continuous],
            orders: TimeInForce::ALL.iter().map(|&tif| (OrderType::Limit, tif)).collect(),
            cancels: true,
        }]);
        let mut kit = Self {
            front: Front::new(options),
            exchange: Exchange::new(ExchangeOptions::new(7, rules)),
            now: Nanos::china(today, 9 * 3600, 0),
            day: today,
            real_ns: 0,
            shown: Vec::new(),
            volume: 0,
        };
        let def = kit.def();
        let rates = Rates {
            instrument: ID,
            long_margin_ratio: 10_000_000,
            short_margin_ratio: 12_000_000,
            open_per_lot: Money::whole(1),
            ..Rates::default()
        };
        kit.market((&def).into());
        kit.market((&rates).into());
        kit
    }

    pub(super) fn def(&self) -> InstrumentDef {
        InstrumentDef {
            instrument: ID,
            symbol: Text::new(b"xx2405").expect("fits"),
            tick: Price::whole(1),
            multiplier: 10,
            min_lots: Lots::new(1),
            max_limit_lots: Lots::new(500),
            upper_limit: Price::whole(110),
            lower_limit: Price::whole(90),
            pre_settlement: Price::whole(100),
            exchange: Place::Shfe.code(),
            class: ProductClass::Future.code(),
            tradable: 1,
            ..InstrumentDef::default()
        }
    }

    /// A market event, a millisecond after the one before.
    pub(super) fn market(&mut self, event: Event<'_>) {
        self.now = self.now.after(1_000_000);
        let header = Header { recv_ns: self.now, ..Header::default() };
        self.exchange.on_market(&header, event);
        self.front.market(&header, event);
        if let Some(body) = (event.bytes().len() <= ReportSlot::BODY_MAX).then(|| event.bytes()) {
            let mut slot = ReportSlot::default();
            slot.copy_from(&Header { kind: event.kind(), ..header }, body);
            self.shown.push((false, slot));
        }
        self.settle();
    }

    /// Lets everything arrive at the exchange, and its reports at the front.
    fn settle(&mut self) {
        let mut slot = ReportSlot::default();
        while let Next::At(due) = self.exchange.next() {
            self.now = self.now.max(due);
            if self.exchange.take(&mut slot) {
                self.front.report(slot.header(), slot.event());
                self.shown.push((true, slot));
            }
        }
    }

    pub(super) fn phase(&mut self, kind: PhaseKind) {
        let (trading_day, start_ns) = (self.day, self.now);
        let phase = Phase { instrument: ID, trading_day, start_ns, phase: kind.code(), ..Phase::default() };
        self.market((&phase).into());
    }

    /// The next snapshot: 99 x 5 against 101 x 5.
    pub(super) fn tick(&mut self) {
        self.volume += 1;
        let mut tick = DepthTick {
            instrument: ID,
            trading_day: self.day,
            last: Price::whole(100),
            volume: Qty::whole(self.volume),
            turnover: Turnover::whole(self.volume * 1_000),
            upper_limit: Price::whole(110),
            lower_limit: Price::whole(90),
            pre_settlement: Price::whole(100),
            bids: [Price::ABSENT; 5],
            asks: [Price::ABSENT; 5],
            ..DepthTick::default()
        };
        (tick.bids[0], tick.bid_qtys[0]) = (Price::whole(99), Qty::whole(5));
        (tick.asks[0], tick.ask_qtys[0]) = (Price::whole(101), Qty::whole(5));
        self.market((&tick).into());
    }

    /// A connection that has said what it is.
    pub(super) fn connect(&mut self, channel: Channel, resume: Resume) -> Conn {
        let conn = self.front.accept();
        let hello = Hello { protocol: PROTOCOL, channel, version: "6.7.13".to_owned(), resume };
        self.send(conn, FromClient::Hello(hello));
        conn
    }

    pub(super) fn authenticate(&mut self, conn: Conn) {
        self.send(conn, FromClient::Authenticate(1, who("0000000000000000")));
    }

    pub(super) fn login(&mut self, conn: Conn) {
        self.send(conn, FromClient::Login(2, who("shrike")));
    }

    /// A trading session with the settlement confirmed; what it was told until then is forgotten.
    pub(super) fn trader(&mut self) -> Conn {
        let conn = self.connect(Channel::Trading, Resume::Restart);
        self.authenticate(conn);
        self.login(conn);
        self.send(conn, FromClient::Confirm(3));
        self.said();
        conn
    }

    pub(super) fn send(&mut self, conn: Conn, frame: FromClient) {
        self.now = self.now.after(1_000);
        self.front.receive(conn, &frame, &mut self.exchange);
        self.settle();
    }

    /// A limit order for the day; request 100 + OrderRef.
    pub(super) fn order(&mut self, conn: Conn, order_ref: u32, side: Side, lots: i64, price: i64) {
        let order = order_facts(order_ref, side, lots, price);
        self.send(conn, FromClient::Insert(100 + order_ref as i32, order));
    }

    /// Cancels by session and OrderRef; request 200 + OrderRef.
    pub(super) fn cancel(&mut self, conn: Conn, session: (i32, i32), order_ref: u32) {
        let cancel = CancelFacts {
            symbol: name("xx2405"),
            exchange: Some(Place::Shfe),
            order_ref: Text::new(order_ref.to_string().as_bytes()).expect("fits"),
            front_id: session.0,
            session_id: session.1,
            ..CancelFacts::default()
        };
        self.send(conn, FromClient::Cancel(200 + order_ref as i32, cancel));
    }

    pub(super) fn query(&mut self, conn: Conn, kind: QueryKind) {
        self.send(conn, FromClient::Query(9, Ask { kind, symbol: Symbol::EMPTY, exchange: None }));
    }

    /// What is due to be told now, as lines: connection, words.
    pub(super) fn said(&mut self) -> Vec<String> {
        self.front.clock(self.real_ns);
        let mut lines = Vec::new();
        while let Some((conn, output)) = self.front.take() {
            lines.push(format!("{conn}: {}", line(&output)));
        }
        lines
    }
}

pub(super) fn order_facts(order_ref: u32, side: Side, lots: i64, price: i64) -> OrderFacts {
    OrderFacts {
        symbol: name("xx2405"),
        exchange: Some(Place::Shfe),
        order_ref: Text::new(order_ref.to_string().as_bytes()).expect("fits"),
        side: Some(side),
        offset: Some(Offset::Open),
        order_type: Some(OrderType::Limit),
        tif: Some(TimeInForce::Day),
        price: Price::whole(price),
        lots: Lots::new(lots),
        ..OrderFacts::default()
    }
}

pub(super) fn who(secret: &str) -> Who {
    Who {
        broker_id: "9999".to_owned(),
        user_id: "shrike".to_owned(),
        secret: secret.to_owned(),
        app_id: "shrike_test".to_owned(),
    }
}

fn line(output: &Output) -> String {
    match output {
        Output::Close => "closed".to_owned(),
        Output::Frame(FromFront::Limits(queries)) => format!("limits {queries}"),
        Output::Frame(FromFront::Tick(snapshot)) => format!("tick {}", snapshot.symbol),
        Output::Frame(FromFront::Callback(callback)) => callback_line(callback),
    }
}

fn callback_line(callback: &Callback) -> String {
    let mut line = match &callback.what {
        What::Connected => "connected".to_owned(),
        What::Authenticated => "authenticated".to_owned(),
        What::LoggedIn(Some(facts)) => {
            format!("login {} {}/{} max {}", facts.trading_day, facts.front_id, facts.session_id, facts.max_order_ref)
        }
        What::LoggedIn(None) => "login".to_owned(),
        What::Confirmed => "confirmed".to_owned(),
        What::Failed => "failed".to_owned(),
        What::InsertRefused(Some(facts)) => format!("rsp-insert {}", identity(facts)),
        What::InsertError(Some(facts)) => format!("err-insert {}", identity(facts)),
        What::CancelRefused(Some(facts)) => format!("rsp-action {}", facts.order_ref),
        What::CancelError(Some(facts)) => format!("err-action {}", facts.order_ref.as_str().trim_start()),
        What::Order(facts) => format!("order {} {}", identity(facts), status(facts)),
        What::OrderLine(Some(facts)) => format!("order-line {} {}", identity(facts), status(facts)),
        What::Trade(facts) => {
            format!("trade {} {} at {}", facts.order_ref.as_str().trim_start(), facts.lots, facts.price)
        }
        What::TradeLine(Some(facts)) => format!("trade-line {} {} at {}", facts.order_ref, facts.lots, facts.price),
        What::PositionLine(Some(facts)) => {
            let side = facts.side.map_or("-", |side| side.name());
            let days = if facts.is_history { "history" } else { "today" };
            format!("position {side} {days} {} of {} margin {}", facts.lots, facts.at_open, facts.margin)
        }
        What::Funds(Some(facts)) => format!("funds {} margin {}", facts.available, facts.margin),
        What::Instrument(Some(facts)) => format!("instrument {}", facts.symbol),
        What::MarginRate(Some(facts)) => format!("margin {}", facts.long_ratio),
        What::CommissionRate(Some(facts)) => format!("commission {}", facts.open_per_lot),
        What::OptionCost(Some(facts)) => {
            format!("option-cost {} at least {}", facts.fixed_per_lot, facts.least_per_lot)
        }
        What::OptionCommission(Some(facts)) => format!("option-commission {}", facts.open_per_lot),
        What::Status(facts) => format!("phase {}", facts.phase.map_or("-", |phase| phase.name())),
        What::Subscribed(symbol) => format!("subscribed {symbol}"),
        other => format!("{other:?}"),
    };
    if callback.request_id != 0 {
        line += &format!(" #{}", callback.request_id);
    }
    if callback.error != 0 {
        assert!(!callback.message.is_empty(), "error {} has no words", callback.error);
        line += &format!(" error {}", callback.error);
    }
    let is_answer = callback.request_id != 0;
    line + if is_answer && !callback.is_last { " ..." } else { "" }
}

/// `OrderRef@front/session`, and the request that sent it.
fn identity(facts: &OrderFacts) -> String {
    let order_ref = facts.order_ref.as_str().trim_start();
    format!("{order_ref}@{}/{}", facts.front_id, facts.session_id)
}

fn status(facts: &OrderFacts) -> String {
    let status = match facts.status {
        Some(OrderStatus::Unknown) => "a",
        Some(OrderStatus::Queued) => "3",
        Some(OrderStatus::PartTraded) => "1",
        Some(OrderStatus::AllTraded) => "0",
        Some(OrderStatus::Cancelled) => "5",
        _ => "-",
    };
    if facts.traded > Lots::ZERO { format!("{status} traded {}", facts.traded) } else { status.to_owned() }
}
