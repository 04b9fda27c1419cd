//! The wire between engine and counter, and every way in which it fails: what is told comes late, twice, by another channel
//! first, or only after the next login; requests are delayed or lost; the connection breaks at any point. Each channel
//! keeps its order, as a connection does. What a restatement asks is answered one question at a time, each by what stands
//! at its own moment, as CTP's queries are.

use crate::counter::{Ask, Channel, Known, Who, Word};
use crate::fault::Fault;
use crate::rng::Rng;
use crate::world::{Act, World};
use shrike_core::codes::{Offset, OrderStatus, OrderType, ReportSource, RequestKind, Side, StageId, TimeInForce};
use shrike_core::event::{Connection, Event, Header, Kind, Login, OrderReport, OrderRequest, ReportSlot, Seq};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price};
use std::collections::{BTreeSet, VecDeque};

const MS: u64 = Nanos::PER_MILLI;
/// What the library returns where there is no session to send on.
const NOT_CONNECTED: i32 = -1;
/// Front and session of the person's terminal.
const TERMINAL: (i32, i32) = (90, 900);
/// How often positions are asked for again because a trade came meanwhile.
const REPEATS_MAX: u32 = 3;

/// A message on its way to the engine.
struct Letter {
    due: Nanos,
    /// Counts messages over all channels.
    number: u64,
    word: Word,
}

/// A request on its way to the counter.
struct Sent {
    due: Nanos,
    request: OrderRequest,
}

/// A restatement under way.
struct Resync {
    request: Seq,
    part: usize,
    moved: bool,
    repeats: u32,
    lines: [u32; 3],
    /// Positions and funds wait for the end.
    held: Vec<Word>,
}

const PARTS: [Ask; 4] = [Ask::Orders, Ask::Trades, Ask::Positions, Ask::Funds];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Down,
    Connected,
    Up,
}

/// The wire.
pub struct Wire {
    link: Link,
    /// The engine was told that the connection stands.
    told_up: bool,
    /// The session whose login the order stage was shown.
    shown: Option<(i32, i32)>,
    /// Counts connections: what was planned for an earlier one does not happen.
    attempt: u32,
    channels: [VecDeque<Letter>; 5],
    letters: u64,
    sent: VecDeque<Sent>,
    resync: Option<Resync>,
    questions: Vec<OrderRequest>,
    /// Orders of the day whose end the engine was told.
    ended: BTreeSet<u64>,
    /// Orders of the day whose number at the exchange was told.
    numbered: BTreeSet<u64>,
    /// A trade of the day was not told when it was due: the engine may count lots in another order than the venue.
    pub(crate) disordered: bool,
    /// Something was not told, and no login has told it since.
    pub(crate) missing: bool,
    person_ref: u64,
    rng: Rng,
}

/// The channel of what the library itself says.
const LOCAL: usize = 4;

impl Wire {
    /// No connection yet.
    pub const fn new(seed: u64) -> Self {
        Self {
            link: Link::Down,
            told_up: false,
            shown: None,
            attempt: 0,
            channels: [const { VecDeque::new() }; 5],
            letters: 0,
            sent: VecDeque::new(),
            resync: None,
            questions: Vec::new(),
            ended: BTreeSet::new(),
            numbered: BTreeSet::new(),
            disordered: false,
            missing: false,
            person_ref: 0,
            rng: Rng::stream(seed, 4),
        }
    }

    /// When the next message reaches the engine.
    pub(crate) fn next_told(&self) -> Option<Nanos> {
        self.channels.iter().filter_map(|channel| channel.front()).map(|letter| letter.due).min()
    }

    /// When the next request reaches the counter.
    pub(crate) fn next_sent(&self) -> Option<Nanos> {
        self.sent.front().map(|sent| sent.due)
    }

    /// Whether the engine is logged in and was shown it.
    pub(crate) fn is_up(&self) -> bool {
        self.link == Link::Up && self.shown.is_some()
    }

    /// Whether nothing is on its way, either way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent.is_empty() && self.resync.is_none() && self.channels.iter().all(VecDeque::is_empty)
    }

    /// Requests under way, for the judge.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &OrderRequest> {
        self.sent.iter().map(|sent| &sent.request)
    }

    fn post(&mut self, channel: usize, due: Nanos, word: Word) {
        self.letters += 1;
        let number = self.letters;
        let Some(channel) = self.channels.get_mut(channel) else { return };
        let due = channel.back().map_or(due, |last| last.due.max(due));
        channel.push_back(Letter { due, number, word });
    }

    /// When the report that brings an order's number is told, if it is under way.
    fn number_due(&self, number: u64) -> Nanos {
        let brings = |letter: &&Letter| {
            let event = letter.word.slot.event();
            let numbered = matches!(event, Event::OrderReport(report) if !report.order_sys_id.is_empty());
            letter.word.number == number && numbered
        };
        let [_, orders, ..] = &self.channels;
        orders.iter().find(brings).map_or(Nanos::ABSENT, |letter| letter.due)
    }

    fn local(&mut self, now: Nanos, slot: ReportSlot) {
        self.post(LOCAL, now, Word { channel: Channel::Answers, slot, number: 0, again: false });
    }
}

impl World {
    // ---- connections ----------------------------------------------------------------------------------------------

    pub(crate) fn reconnect(&mut self, in_ns: u64) {
        self.wire.attempt += 1;
        self.plan(in_ns, Act::Connect(self.wire.attempt));
    }

    pub(crate) fn connect(&mut self, attempt: u32) {
        if attempt != self.wire.attempt || !self.alive {
            return;
        }
        (self.wire.link, self.wire.told_up) = (Link::Connected, true);
        self.say_connection(1, 0);
        let in_ns = MS + self.wire.rng.below(20 * MS);
        self.plan(in_ns, Act::Login(attempt));
    }

    fn say_connection(&mut self, connected: u32, reason: i32) {
        let mut slot = ReportSlot::default();
        slot.put(&Connection { connected, reason, channel: StageId::Gateway.code(), ..Connection::default() });
        self.wire.local(self.now, slot);
    }

    pub(crate) fn log_in(&mut self, attempt: u32) {
        if attempt != self.wire.attempt || !self.alive {
            return;
        }
        if self.counter.day().is_absent() {
            return self.plan(50 * MS, Act::Login(attempt));
        }
        (self.wire.link, self.wire.missing) = (Link::Up, false);
        let mut words = std::mem::take(&mut self.words);
        self.counter.login(self.now, &mut words);
        // The login comes before the flow that it opens.
        let first = self.now.after(100_000 + self.wire.rng.below(MS));
        for word in words.drain(..) {
            let unnumbered = matches!(word.slot.event(), Event::OrderReport(report) if self.is_unnumbered(report));
            if !unnumbered {
                self.wire.post(word.channel as usize, first, word);
            }
        }
        self.words = words;
        if let Some(resync) = &mut self.wire.resync {
            *resync = Resync::new(resync.request);
            self.plan(10 * MS, Act::Query(attempt));
        }
        self.note(format_args!("login {:?}", self.counter.session()));
    }

    /// The connection breaks, and is made again after a while; the counter may have restarted meanwhile.
    pub(crate) fn disconnect(&mut self, chance: &mut Rng) {
        if self.wire.link == Link::Down {
            return;
        }
        self.note(format_args!("disconnected"));
        self.cut_wire(chance);
        if std::mem::take(&mut self.wire.told_up) {
            self.say_connection(0, 0x1001);
        }
        if self.dice.strikes(Fault::CounterRestart).is_some() {
            self.struck(Fault::CounterRestart, 0);
            self.counter.restart();
        }
        let in_ns = 10 * MS + chance.below(if self.evening { 50 } else { 1_200 } * MS);
        self.reconnect(in_ns);
    }

    /// What was on its way is lost, but requests of which each may just have arrived.
    pub(crate) fn cut_wire(&mut self, chance: &mut Rng) {
        let now = self.now;
        self.wire.link = Link::Down;
        self.wire.shown = None;
        self.wire.attempt += 1;
        self.wire.questions.clear();
        if !self.alive {
            (self.wire.resync, self.wire.told_up) = (None, false);
            // What the dead process was told, the next one may not know.
            self.wire.ended.clear();
        }
        self.wire.channels.iter_mut().for_each(VecDeque::clear);
        self.wire.sent.retain_mut(|sent| {
            sent.due = now;
            chance.once_in(2)
        });
    }

    /// A trading day began at the counter: every session is over.
    fn day_begins(&mut self) {
        self.struck(Fault::DayRoll, 0);
        self.judge.day_begins();
        self.wire.ended.clear();
        self.wire.numbered.clear();
        self.wire.disordered = false;
        self.wire.person_ref = 0;
        let mut chance = Rng::stream(u64::from(self.counter.day().get()), 5);
        self.disconnect(&mut chance);
    }

    // ---- to the engine --------------------------------------------------------------------------------------------

    /// Takes what the counter's exchange has to say, and sends it on its way.
    pub(crate) fn hear_counter(&mut self) {
        let mut words = std::mem::take(&mut self.words);
        self.counter.pump(&mut words);
        self.words = words;
        self.post_words();
    }

    fn post_words(&mut self) {
        if std::mem::take(&mut self.counter.day_began) {
            self.words.clear();
            return self.day_begins();
        }
        let mut words = std::mem::take(&mut self.words);
        for word in words.drain(..) {
            self.post_word(word);
        }
        self.words = words;
    }

    fn post_word(&mut self, word: Word) {
        if let Event::OrderReport(report) = word.slot.event()
            && report.source() == Some(ReportSource::Flow)
            && report.status() == Some(OrderStatus::PartTraded)
            && !word.again
        {
            self.struck(Fault::PartialFill, word.number);
        }
        if let (Event::Fill(fill), false) = (word.slot.event(), word.again)
            && self.counter.order(word.number).is_some_and(|known| known.who == Who::Person)
        {
            self.judge.person_filled(fill);
        }
        if self.wire.link != Link::Up {
            return;
        }
        if let Event::OrderReport(report) = word.slot.event()
            && self.is_unnumbered(report)
        {
            return;
        }
        let flows = matches!(word.channel, Channel::Orders | Channel::Trades);
        // The report that brings the exchange's number is never lost alone, nor overtaken by its order's trades: within one
        // session CTP keeps their order, and without the number nobody could tell whose a trade is.
        let brings_number = match word.slot.event() {
            Event::OrderReport(report) => !report.order_sys_id.is_empty() && self.wire.numbered.insert(word.number),
            _ => false,
        };
        if flows && !word.again && !brings_number && self.dice.strikes(Fault::ReportDrop).is_some() {
            self.struck(Fault::ReportDrop, word.number);
            self.wire.disordered |= word.channel == Channel::Trades;
            self.wire.missing = true;
            return;
        }
        let mut way_ns = 100_000 + self.wire.rng.below(2 * MS);
        if let Some(mut chance) = self.dice.strikes(Fault::ReportDelay) {
            self.struck(Fault::ReportDelay, word.number);
            way_ns += 5 * MS + chance.below(800 * MS);
        }
        let mut due = self.now.after(way_ns);
        if word.channel == Channel::Trades {
            due = due.max(self.wire.number_due(word.number));
        }
        self.wire.post(word.channel as usize, due, word);
        if flows && let Some(mut chance) = self.dice.strikes(Fault::Repeat) {
            self.struck(Fault::Repeat, word.number);
            self.wire.post(word.channel as usize, due.after(chance.below(20 * MS)), word);
        }
    }

    /// What the binding keeps back: a live order of another session that the exchange has not numbered yet, which after a
    /// restart of the counter may be one of ours under a new name. It says more in a moment.
    fn is_unnumbered(&self, report: &OrderReport) -> bool {
        let ours = (report.front_id, report.session_id) == self.counter.session();
        let ended = matches!(report.status(), Some(OrderStatus::Cancelled | OrderStatus::AllTraded));
        report.source() == Some(ReportSource::Flow) && !ours && !ended && report.order_sys_id.is_empty()
    }

    /// Hands the next message to the engine.
    pub(crate) fn tell(&mut self, slot: &mut ReportSlot) -> bool {
        let fronts = self.wire.channels.iter().enumerate();
        let next =
            fronts.filter_map(|(at, channel)| channel.front().map(|letter| (letter.due, letter.number, at))).min();
        let Some((_, number, at)) = next else { return false };
        let overtakes =
            self.wire.channels.iter().filter_map(|channel| channel.front()).any(|other| other.number < number);
        let Some(letter) = self.wire.channels.get_mut(at).and_then(VecDeque::pop_front) else { return false };
        let word = letter.word;
        if overtakes && at != LOCAL {
            self.struck(Fault::Reorder, word.number);
        }
        *slot = word.slot;
        slot.header_mut().recv_ns = self.on_host(self.now);
        match slot.event() {
            Event::Login(Login { front_id, session_id, .. }) => {
                self.wire.shown = Some((*front_id, *session_id));
            }
            Event::Fill(fill) => {
                if let Some(resync) = &mut self.wire.resync
                    && word.channel == Channel::Trades
                {
                    resync.moved = true;
                }
                // Under the name that a restarted counter gave, the engine need not know the cancelled order for its own.
                let sent = |known: &Known| known.who == Who::Engine && known.key == known.sent;
                let known = self.counter.order(word.number).is_some_and(sent);
                if self.wire.ended.contains(&word.number) && !word.again && known {
                    self.struck(Fault::LateFill, word.number);
                }
                self.judge.told_fill(fill);
            }
            Event::OrderReport(report) => {
                // What comes with a refused cancel overtakes the order's own reports: it ends nothing.
                let told = matches!(report.source(), Some(ReportSource::Flow | ReportSource::Query));
                let cancelled = matches!(report.status(), Some(OrderStatus::Cancelled));
                if told && cancelled && word.number != 0 {
                    self.wire.ended.insert(word.number);
                }
            }
            _ => {}
        }
        true
    }

    // ---- from the engine ------------------------------------------------------------------------------------------

    /// The engine sends a request.
    pub(crate) fn request(&mut self, header: &Header, request: &OrderRequest) {
        if self.sends_left == 0 {
            return;
        }
        self.sends_left -= u64::from(self.sends_left != u64::MAX);
        let Some(kind) = request.kind() else { return };
        self.judge_request(header, request, kind);
        match kind {
            RequestKind::Insert | RequestKind::Cancel => self.send(request, kind),
            RequestKind::QueryOrder => {
                if self.wire.link == Link::Up {
                    let in_ns = 2 * MS + self.wire.rng.below(20 * MS);
                    self.wire.questions.push(*request);
                    let at = self.wire.questions.len() - 1;
                    self.plan(in_ns, Act::Question(self.wire.attempt, at));
                }
            }
            RequestKind::Resync => {
                // The end of an earlier restatement must not pass for the end of this one.
                for channel in &mut self.wire.channels {
                    channel.retain(|letter| letter.word.slot.header().kind != Kind::ResyncEnd as u16);
                }
                let under_way = self.wire.resync.replace(Resync::new(header.seq)).is_some();
                if self.wire.link == Link::Up && !under_way {
                    self.plan(2 * MS, Act::Query(self.wire.attempt));
                }
            }
        }
    }

    fn send(&mut self, request: &OrderRequest, kind: RequestKind) {
        let current = self.counter.session();
        let of_session = kind == RequestKind::Cancel || (request.front_id, request.session_id) == current;
        if self.wire.link != Link::Up || self.wire.shown != Some(current) || !of_session {
            let source = match kind {
                RequestKind::Insert => ReportSource::InsertRefused,
                _ => ReportSource::CancelRefused,
            };
            let mut slot = ReportSlot::default();
            slot.put(&OrderReport {
                instrument: request.instrument,
                trading_day: self.counter.day(),
                order_ref: request.order_ref,
                front_id: request.front_id,
                session_id: request.session_id,
                order_sys_id: request.order_sys_id,
                error_code: NOT_CONNECTED,
                source: source.code(),
                side: request.side,
                exchange: request.exchange,
                ..OrderReport::default()
            });
            return self.wire.local(self.now, slot);
        }
        if self.dice.strikes(Fault::RequestDrop).is_some() {
            self.judge.struck(Fault::RequestDrop, request.order_ref, true);
            self.note(format_args!("FAULT request-drop on order {}", request.order_ref));
            return;
        }
        let mut way_ns = 50_000 + self.wire.rng.below(MS);
        if let Some(mut chance) = self.dice.strikes(Fault::OrderDelay) {
            self.judge.struck(Fault::OrderDelay, request.order_ref, true);
            way_ns += 2 * MS + chance.below(900 * MS);
        }
        let due = self.now.after(way_ns);
        let due = self.wire.sent.back().map_or(due, |last| last.due.max(due));
        self.wire.sent.push_back(Sent { due, request: *request });
    }

    /// The next request reaches the counter.
    pub(crate) fn arrive(&mut self) {
        let Some(Sent { request, .. }) = self.wire.sent.pop_front() else { return };
        let (now, mut words) = (self.now, std::mem::take(&mut self.words));
        if request.kind() == Some(RequestKind::Cancel) {
            let refusal = self.dice.strikes(Fault::CancelRefused).and_then(|mut chance| chance.pick(&[26, 25, 90]));
            if refusal.is_some() {
                self.judge.struck(Fault::CancelRefused, request.order_ref, self.alive);
            }
            self.counter.cancel(now, &request, refusal, &mut words);
        } else {
            match self.refusal(&request) {
                Some((Fault::ExchangeReject, code)) => self.counter.reject(now, &request, code, &mut words),
                Some((_, code)) => self.counter.refuse(&request, code, &mut words),
                None => {
                    self.counter.insert(now, Who::Engine, &request, &mut words);
                }
            }
        }
        self.words = words;
        self.post_words();
    }

    /// Whether the counter or the exchange refuses an order, and with which error.
    fn refusal(&mut self, request: &OrderRequest) -> Option<(Fault, i32)> {
        let classes: [(Fault, &[i32]); 5] = [
            (Fault::RefuseRetry, &[22, 68, 90]),
            (Fault::RefusePrice, &[37, 48, 95]),
            (Fault::RefuseWait, &[8, 23, 40, 41, 49, 103, 116, -2]),
            (Fault::RefuseForGood, &[15, 16, 28, 31, 36, 42, 50, 51, 999]),
            (Fault::ExchangeReject, &[37, 48, 23, 36]),
        ];
        for (fault, codes) in classes {
            if let Some(mut chance) = self.dice.strikes(fault) {
                self.judge.struck(fault, request.order_ref, self.alive);
                return Some((fault, chance.pick(codes).unwrap_or(90)));
            }
        }
        None
    }

    // ---- questions ------------------------------------------------------------------------------------------------

    pub(crate) fn question(&mut self, attempt: u32, at: usize) {
        if attempt != self.wire.attempt || self.wire.link != Link::Up {
            return;
        }
        let Some(request) = self.wire.questions.get(at).copied() else { return };
        let mut words = std::mem::take(&mut self.words);
        self.counter.question(&request, &mut words);
        self.wire.disordered |= words.iter().any(|word| matches!(word.slot.event(), Event::Fill(_)));
        self.words = words;
        self.post_words();
    }

    pub(crate) fn query(&mut self, attempt: u32) {
        if attempt != self.wire.attempt || self.wire.link != Link::Up {
            return;
        }
        let Some(mut resync) = self.wire.resync.take() else { return };
        if let Some(mut chance) = self.dice.strikes(Fault::ResyncCut) {
            self.wire.resync = Some(resync);
            self.struck(Fault::ResyncCut, 0);
            return self.disconnect(&mut chance);
        }
        let Some(&ask) = PARTS.get(resync.part) else { return };
        let mut words = std::mem::take(&mut self.words);
        if ask == Ask::Positions {
            resync.held.clear();
            resync.moved = false;
        }
        let lines = self.counter.ask(ask, &mut words);
        if let Some(count) = resync.lines.get_mut(resync.part) {
            *count = lines;
        }
        if matches!(ask, Ask::Positions | Ask::Funds) {
            resync.held.append(&mut words);
        }
        resync.part += 1;
        if resync.part == PARTS.len() && resync.moved && resync.repeats < REPEATS_MAX {
            resync.repeats += 1;
            resync.part = 2;
        }
        if resync.part == PARTS.len() {
            words.append(&mut resync.held);
            words.push(self.counter.end(resync.request, resync.lines));
        } else {
            self.wire.resync = Some(resync);
            let in_ns = MS + self.wire.rng.below(30 * MS);
            self.plan(in_ns, Act::Query(attempt));
        }
        self.words = words;
        self.post_words();
    }

    // ---- a person -------------------------------------------------------------------------------------------------

    /// A person trades the account at a terminal: an order near the market, or the cancel of one.
    pub(crate) fn person(&mut self, chance: &mut Rng) {
        let contract = chance.below(crate::market::CONTRACTS as u64) as usize;
        if !self.market.trades(contract) || self.counter.day().is_absent() {
            return;
        }
        self.struck(Fault::Manual, 0);
        let mut words = std::mem::take(&mut self.words);
        let theirs = self.counter.known().iter().rev().find(|known| known.who == Who::Person && known.remaining() > 0);
        if let Some(known) = theirs.filter(|_| chance.once_in(3)).copied() {
            let (front_id, session_id, order_ref) = known.key;
            let cancel = OrderRequest {
                front_id,
                session_id,
                order_ref,
                order_sys_id: Default::default(),
                kind: RequestKind::Cancel.code(),
                ..known.request
            };
            self.counter.cancel(self.now, &cancel, None, &mut words);
        } else {
            let (tick, mid) = self.market.around(contract);
            let side = if chance.once_in(2) { Side::Buy } else { Side::Sell };
            let offset = chance.pick(&[Offset::Open, Offset::Open, Offset::Close, Offset::CloseToday]);
            let exchange = self.market.defs().nth(contract).map_or(0, |def| def.exchange);
            self.wire.person_ref += 1;
            let request = OrderRequest {
                instrument: InstrumentId::new(contract as u32),
                trading_day: self.counter.day(),
                order_ref: self.wire.person_ref,
                price: Price::from_raw((mid + chance.between(-4, 4)) * tick.raw()),
                lots: Lots::new(chance.between(1, 3)),
                kind: RequestKind::Insert.code(),
                side: side.code(),
                offset: offset.unwrap_or(Offset::Open).code(),
                order_type: OrderType::Limit.code(),
                tif: TimeInForce::Day.code(),
                exchange,
                front_id: TERMINAL.0,
                session_id: TERMINAL.1,
                ..OrderRequest::default()
            };
            self.counter.insert(self.now, Who::Person, &request, &mut words);
        }
        self.words = words;
        self.post_words();
    }
}

impl Resync {
    const fn new(request: Seq) -> Self {
        Self { request, part: 0, moved: false, repeats: 0, lines: [0; 3], held: Vec::new() }
    }
}
