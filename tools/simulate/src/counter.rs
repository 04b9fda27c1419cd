//! The counter between sessions and the exchange, as CTP's behaves: it numbers orders for the exchange and keeps whose each
//! is, keeps the day's private flow to tell it again after each login, answers questions by what stands at that moment,
//! and at a clean restart gives every order another name. The exchange and its books are `feed`'s, the other party.

use crate::market::Market;
use shrike_core::codes::{Exchange as Place, OrderStatus, ReportSource, RequestKind, Side, SubmitStatus};
use shrike_core::event::{Body, Event, Fill, Header, Login, OrderReport, OrderRequest, ReportSlot, ResyncEnd, Seq};
use shrike_core::units::{Lots, Nanos, Text, TradingDay};
use shrike_core::venue::{Gateway, Next};
use shrike_feed::sim::exchange::{Exchange, errors};
use std::collections::BTreeMap;

/// Front, session and number: what names an order at a counter.
pub type Key = (i32, i32, u64);

/// Who sent an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// The engine.
    Engine,
    /// A person at a terminal.
    Person,
}

/// An order that the counter has numbered.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Who sent it.
    pub who: Who,
    /// Its name as sent.
    pub sent: Key,
    /// Its name at present.
    pub key: Key,
    /// The request.
    pub request: OrderRequest,
    /// Where it stands.
    pub status: OrderStatus,
    /// Lots traded.
    pub traded: i64,
    /// The counter refused it: it is no order.
    pub refused: bool,
    /// The exchange took it into its book, or traded it.
    pub taken: bool,
}

impl Known {
    /// Lots that may still trade.
    pub fn remaining(&self) -> i64 {
        let ended = self.refused || matches!(self.status, OrderStatus::Cancelled | OrderStatus::AllTraded);
        if ended { 0 } else { self.request.lots.get() - self.traded }
    }

    /// Its side.
    pub fn side(&self) -> Side {
        self.request.side().unwrap_or(Side::Buy)
    }
}

/// The channels of one connection. Each keeps its order; none waits for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Channel {
    /// The connection, the login, contracts and rates.
    Session,
    /// Orders of the private flow.
    Orders,
    /// Trades of the private flow.
    Trades,
    /// Answers to requests.
    Answers,
}

/// A message to the engine, its number at the exchange where it is about an order, and whether it was told before.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The channel.
    pub channel: Channel,
    /// The message.
    pub slot: ReportSlot,
    /// The order's number at the exchange; zero: none.
    pub number: u64,
    /// Told again after a login, or in answer to a question.
    pub again: bool,
}

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "both are about as large")]
enum Told {
    Order(OrderReport),
    Trade(Fill),
}

/// What no counter does, so that the judge can be seen to find it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// The day's third trade is never told.
    TradeKept,
    /// The day's third trade is told once more under another number.
    TradeDoubled,
    /// The day's third trade is told with one lot more.
    TradeSwollen,
}

/// What is asked of the counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Every order of the day.
    Orders,
    /// Every trade of the day.
    Trades,
    /// What is held.
    Positions,
    /// The money.
    Funds,
}

/// The counter.
pub struct Counter {
    /// The exchange behind it.
    pub exchange: Exchange,
    known: Vec<Known>,
    by_key: BTreeMap<Key, u64>,
    flow: Vec<Told>,
    /// Orders that the exchange refused at once by our dice: the exchange in process does not know them.
    rejected: Vec<OrderReport>,
    front: i32,
    session: i32,
    max_ref: u64,
    day: TradingDay,
    /// The login that is expected of the exchange.
    logging_in: bool,
    /// The exchange began a trading day.
    pub day_began: bool,
    /// What it lies about.
    pub lie: Option<Lie>,
}

impl Counter {
    /// A counter at the start.
    pub fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            known: Vec::new(),
            by_key: BTreeMap::new(),
            flow: Vec::new(),
            rejected: Vec::new(),
            front: 1,
            session: 0,
            max_ref: 0,
            day: TradingDay::ABSENT,
            logging_in: false,
            day_began: false,
            lie: None,
        }
    }

    /// Front and session of the present login.
    pub const fn session(&self) -> (i32, i32) {
        (self.front, self.session)
    }

    /// The orders of the day, by their number at the exchange less one.
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// The order of a number at the exchange.
    pub fn order(&self, number: u64) -> Option<&Known> {
        self.known.get(number.checked_sub(1)? as usize)
    }

    fn order_mut(&mut self, number: u64) -> Option<&mut Known> {
        self.known.get_mut(number.checked_sub(1)? as usize)
    }

    /// The trading day; absent before the first.
    pub const fn day(&self) -> TradingDay {
        self.day
    }

    /// The engine logs in. The day's flow is told again.
    pub fn login(&mut self, now: Nanos, out: &mut Vec<Word>) {
        self.session += 1;
        self.logging_in = true;
        self.exchange.connect(now, self.exchange.trading_day());
        self.pump(out);
        self.logging_in = false;
        for at in 0..self.flow.len() {
            if let Some(told) = self.flow.get(at).copied() {
                out.push(Word { again: true, ..self.word(&told) });
            }
        }
    }

    /// The counter restarts: connections are gone, the next session is another front's first, and the orders of before
    /// have other names. The exchange's numbers stay.
    pub fn restart(&mut self) {
        self.front += 1;
        self.session = 0;
        self.max_ref = 0;
        self.by_key.clear();
        for (at, known) in self.known.iter_mut().enumerate() {
            known.key = (self.front, 0, at as u64 + 1);
            self.by_key.insert(known.key, at as u64 + 1);
        }
    }

    /// An insert arrives.
    pub fn insert(&mut self, now: Nanos, who: Who, request: &OrderRequest, out: &mut Vec<Word>) -> u64 {
        let number = self.number(who, request);
        let request = OrderRequest { order_ref: number, ..*request };
        self.exchange.request(now, &Header::default(), (&request).into());
        self.pump(out);
        number
    }

    fn number(&mut self, who: Who, request: &OrderRequest) -> u64 {
        let key = (request.front_id, request.session_id, request.order_ref);
        if who == Who::Engine {
            self.max_ref = self.max_ref.max(request.order_ref);
        }
        self.known.push(Known {
            who,
            sent: key,
            key,
            request: *request,
            status: OrderStatus::Unknown,
            traded: 0,
            refused: false,
            taken: false,
        });
        let number = self.known.len() as u64;
        self.by_key.insert(key, number);
        number
    }

    /// The counter refuses an insert with an error of our choice.
    pub fn refuse(&mut self, request: &OrderRequest, error_code: i32, out: &mut Vec<Word>) {
        let number = self.number(Who::Engine, request);
        let report = OrderReport {
            error_code,
            order_ref: number,
            submit: SubmitStatus::InsertRejected.code(),
            status: OrderStatus::Unknown.code(),
            ..about(request)
        };
        for source in [ReportSource::InsertRefused, ReportSource::InsertError] {
            self.hear_order(&OrderReport { source: source.code(), ..report }, out);
        }
    }

    /// The counter takes an order, and the exchange refuses it with an error of our choice.
    pub fn reject(&mut self, now: Nanos, request: &OrderRequest, error_code: i32, out: &mut Vec<Word>) {
        let number = self.number(Who::Engine, request);
        let taken = OrderReport {
            order_ref: number,
            exch_ns: now,
            status: OrderStatus::Unknown.code(),
            submit: SubmitStatus::InsertSubmitted.code(),
            source: ReportSource::Flow.code(),
            ..about(request)
        };
        let rejected = OrderReport {
            status: OrderStatus::Cancelled.code(),
            submit: SubmitStatus::InsertRejected.code(),
            error_code,
            ..taken
        };
        self.rejected.push(rejected);
        self.hear_order(&taken, out);
        self.hear_order(&rejected, out);
        self.hear_order(&OrderReport { source: ReportSource::InsertError.code(), ..rejected }, out);
    }

    /// The number of the order that a cancel or a question names.
    pub fn find(&self, request: &OrderRequest) -> Option<u64> {
        if !request.order_sys_id.is_empty() {
            let named = |report: &OrderReport| {
                report.order_sys_id == request.order_sys_id && report.exchange == request.exchange
            };
            return self.exchange.orders().find(named).map(|report| report.order_ref);
        }
        self.by_key.get(&(request.front_id, request.session_id, request.order_ref)).copied()
    }

    /// A cancel arrives. `refusal`: the counter refuses it with this error.
    pub fn cancel(&mut self, now: Nanos, request: &OrderRequest, refusal: Option<i32>, out: &mut Vec<Word>) {
        let found = self.find(request).filter(|&number| self.order(number).is_some_and(|known| !known.refused));
        match (found, refusal) {
            (Some(number), None) if !self.rejected.iter().any(|report| report.order_ref == number) => {
                let cancel = OrderRequest {
                    order_ref: number,
                    front_id: 0,
                    session_id: 0,
                    kind: RequestKind::Cancel.code(),
                    ..*request
                };
                self.exchange.request(now, &Header::default(), (&cancel).into());
                self.pump(out);
            }
            (_, refusal) => {
                let error_code = refusal.unwrap_or(errors::ORDER_NOT_FOUND);
                let report = OrderReport { error_code, ..about(request) };
                for source in [ReportSource::CancelRefused, ReportSource::CancelError] {
                    let channel =
                        if source == ReportSource::CancelRefused { Channel::Answers } else { Channel::Orders };
                    let report = OrderReport { source: source.code(), ..report };
                    out.push(Word { channel, slot: slot(&report), number: 0, again: false });
                }
            }
        }
    }

    /// One order is asked about: what stands of it, and its trades. Nothing, when the counter has none of that name.
    pub fn question(&mut self, request: &OrderRequest, out: &mut Vec<Word>) {
        let Some(number) = self.find(request) else { return };
        let mine = |report: &OrderReport| report.order_ref == number;
        let found = self.exchange.orders().find(mine).or_else(|| self.rejected.iter().copied().find(mine));
        let Some(report) = found else { return };
        out.push(self.answer(&Told::Order(OrderReport { source: ReportSource::Query.code(), ..report })));
        for fill in self.exchange.fills().iter().filter(|fill| fill.order_ref == number) {
            out.push(self.answer(&Told::Trade(*fill)));
        }
    }

    /// Answers one question of a restatement by what stands now; how many lines.
    pub fn ask(&mut self, ask: Ask, out: &mut Vec<Word>) -> u32 {
        let before = out.len();
        match ask {
            Ask::Orders => {
                for report in self.exchange.orders().chain(self.rejected.iter().copied()) {
                    out.push(self.answer(&Told::Order(OrderReport { source: ReportSource::Query.code(), ..report })));
                }
            }
            Ask::Trades => {
                for told in self.flow.iter().filter(|told| matches!(told, Told::Trade(_))) {
                    out.push(self.answer(told));
                }
            }
            Ask::Positions => out.extend(self.exchange.positions().map(|line| spoken(&line))),
            Ask::Funds => out.push(spoken(&self.exchange.funds())),
        }
        (out.len() - before) as u32
    }

    /// The end of a restatement.
    pub fn end(&self, request: Seq, lines: [u32; 3]) -> Word {
        let [orders, fills, positions] = lines;
        spoken(&ResyncEnd {
            trading_day: self.day,
            session_id: self.session,
            orders,
            fills,
            positions,
            request,
            ..ResyncEnd::default()
        })
    }

    fn answer(&self, told: &Told) -> Word {
        Word { channel: Channel::Answers, again: true, ..self.word(told) }
    }

    /// Takes in all that the exchange has to say.
    pub fn pump(&mut self, out: &mut Vec<Word>) {
        let mut room = ReportSlot::default();
        while let Next::At(_) = self.exchange.next() {
            if !self.exchange.take(&mut room) {
                continue;
            }
            match room.event() {
                Event::Login(login) => self.hear_login(login, out),
                Event::OrderReport(report) => self.hear_order(&{ *report }, out),
                Event::Fill(fill) => self.hear_fill(&{ *fill }, out),
                Event::InstrumentDef(def) => out.push(session(def)),
                Event::Rates(_) => out.push(Word { slot: room, channel: Channel::Session, number: 0, again: false }),
                _ => {}
            }
        }
    }

    fn hear_login(&mut self, login: &Login, out: &mut Vec<Word>) {
        if login.trading_day > self.day {
            // Whatever its first word of the new day is about, every number begins again with it.
            (self.day, self.max_ref) = (login.trading_day, 0);
            self.known.clear();
            self.by_key.clear();
            self.flow.clear();
            self.rejected.clear();
            self.day_began = true;
        }
        if self.logging_in {
            out.push(session(&Login {
                front_id: self.front,
                session_id: self.session,
                max_order_ref: self.max_ref,
                ..*login
            }));
        }
    }

    fn hear_order(&mut self, report: &OrderReport, out: &mut Vec<Word>) {
        let Some(source) = report.source() else { return };
        let current = (self.front, self.session);
        if let Some(known) = self.order_mut(report.order_ref) {
            match (source, report.status()) {
                (ReportSource::Flow, Some(status)) => {
                    (known.status, known.traded) = (status, known.traded.max(report.traded.get()));
                    known.taken |= !matches!(status, OrderStatus::Unknown | OrderStatus::Cancelled);
                }
                (ReportSource::InsertRefused, _) => known.refused = true,
                _ => {}
            }
            // A refusal answers the session that asked; its repetition for the user's other sessions goes to all.
            let answers = matches!(source, ReportSource::InsertRefused | ReportSource::CancelRefused);
            if answers && (known.who == Who::Person || (known.sent.0, known.sent.1) != current) {
                return;
            }
        }
        let told = Told::Order(*report);
        if source == ReportSource::Flow {
            self.flow.push(told);
        }
        out.push(self.word(&told));
    }

    fn hear_fill(&mut self, fill: &Fill, out: &mut Vec<Word>) {
        let third = self.exchange.fills().len() == 3;
        let mut fill = *fill;
        match self.lie.filter(|_| third) {
            Some(Lie::TradeKept) => return,
            Some(Lie::TradeDoubled) => {
                let twin = Fill { trade_id: Text::new(b"twin").unwrap_or_default(), ..fill };
                self.flow.push(Told::Trade(twin));
                out.push(self.word(&Told::Trade(twin)));
            }
            Some(Lie::TradeSwollen) => fill.lots = Lots::new(fill.lots.get() + 1),
            None => {}
        }
        let told = Told::Trade(fill);
        self.flow.push(told);
        out.push(self.word(&told));
    }

    /// A message as it is worded now: under the present names.
    fn word(&self, told: &Told) -> Word {
        match told {
            Told::Order(report) => {
                let number = report.order_ref;
                let (front_id, session_id, order_ref) = self.order(number).map_or((0, 0, 0), |known| known.key);
                let channel = match report.source() {
                    Some(ReportSource::InsertRefused | ReportSource::CancelRefused | ReportSource::Query) => {
                        Channel::Answers
                    }
                    _ => Channel::Orders,
                };
                let report = OrderReport { front_id, session_id, order_ref, ..*report };
                Word { channel, slot: slot(&report), number, again: false }
            }
            Told::Trade(fill) => {
                let number = fill.order_ref;
                let order_ref = self.order(number).map_or(0, |known| known.key.2);
                let fill = Fill { order_ref, ..*fill };
                Word { channel: Channel::Trades, slot: slot(&fill), number, again: false }
            }
        }
    }

    /// Margin and fees of every contract, for the exchange.
    pub fn set_rates(&mut self) {
        for index in 0..crate::market::CONTRACTS {
            self.exchange.set_rates(&Market::rates(shrike_core::instrument::InstrumentId::new(index as u32)));
        }
    }
}

fn slot<B: Body>(body: &B) -> ReportSlot {
    let mut slot = ReportSlot::default();
    slot.put(body);
    slot
}

fn session<B: Body>(body: &B) -> Word {
    Word { channel: Channel::Session, slot: slot(body), number: 0, again: false }
}

fn spoken<B: Body>(body: &B) -> Word {
    Word { channel: Channel::Answers, slot: slot(body), number: 0, again: false }
}

/// What a refusal repeats of its request.
fn about(request: &OrderRequest) -> OrderReport {
    OrderReport {
        instrument: request.instrument,
        trading_day: request.trading_day,
        order_ref: request.order_ref,
        front_id: request.front_id,
        session_id: request.session_id,
        order_sys_id: request.order_sys_id,
        price: request.price,
        lots: request.lots,
        side: request.side,
        offset: request.offset,
        order_type: request.order_type,
        tif: request.tif,
        exchange: Place::of(request.exchange).map_or(0, |place| place.code()),
        ..OrderReport::default()
    }
}
