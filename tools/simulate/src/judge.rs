//! What must always hold, watched from the venue's side: what the engine sends is judged by what the venue knows to be
//! true, with code of its own. The first rule that is broken ends the run.

use crate::counter::Who;
use crate::coverage::{Coverage, States};
use crate::fault::Fault;
use crate::settings::Settings;
use crate::world::World;
use shrike_core::codes::{Offset, OrderState, RequestKind, Side};
use shrike_core::event::{Event, Fill, Header, OrderRequest};
use shrike_core::units::{Nanos, Price, Text};
use shrike_engine::order::OrderSettings;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// A rule that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The rule.
    pub rule: &'static str,
    /// How it was broken, with the numbers.
    pub what: String,
    /// When, in true time.
    pub at: Nanos,
    /// In which life of the engine.
    pub life: u64,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at {:.6}, life {})", self.rule, self.what, self.at, self.life)
    }
}

type TradeKey = (u8, Text<24>, u8);

fn key(fill: &Fill) -> TradeKey {
    (fill.exchange, fill.trade_id, fill.side)
}

/// Orders of one intent that were refused in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Series {
    revision: u64,
    since: Nanos,
    refused: u32,
}

/// A person's trades of a contract that the engine was not told of.
#[derive(Clone, Copy, Debug, Default)]
struct Untold {
    net: i64,
    gross: i64,
}

/// The judge.
pub struct Judge {
    settings: OrderSettings,
    /// What was broken first.
    pub failure: Option<Failure>,
    /// What struck, and what it met.
    pub coverage: Coverage,
    /// Orders that the engine sent.
    pub orders: u64,
    /// Requests that the engine sent.
    pub requests: u64,
    /// Faults since the order stage's last event, with the order they are about.
    pub(crate) pending: Vec<(Fault, u64)>,
    /// The states that the orders were in when the last fault met them all.
    pub(crate) dying: States,
    /// Starts from a snapshot.
    pub snapshots: u64,
    /// The greatest number that the engine has used on this trading day, as far as its host can know.
    pub(crate) last_ref: u64,
    /// All numbers that were used on this trading day.
    pub(crate) used: BTreeSet<u64>,
    /// Times of the latest orders, on the host's clock as the stage took it.
    pub(crate) recent: VecDeque<Nanos>,
    /// The latest moment on the host's clock that the engine saw.
    pub(crate) clock: Nanos,
    /// By contract: when the engine was last shown a snapshot, and whether its data has a hole.
    quotes: BTreeMap<u32, (Nanos, bool)>,
    /// The order stage was told that a ring runs over.
    pub(crate) overflowing: bool,
    /// Opening orders by contract this day.
    opened: BTreeMap<u32, u32>,
    series: BTreeMap<(u32, u32, u8), Series>,
    untold: BTreeMap<u32, Untold>,
    /// A person's trades that the engine was not told of.
    person: BTreeSet<TradeKey>,
}

impl Judge {
    /// A judge of a run under these settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.order.clone(),
            failure: None,
            coverage: Coverage::default(),
            orders: 0,
            requests: 0,
            pending: Vec::new(),
            dying: States::default(),
            snapshots: 0,
            last_ref: 0,
            used: BTreeSet::new(),
            recent: VecDeque::new(),
            clock: Nanos::ABSENT,
            quotes: BTreeMap::new(),
            overflowing: false,
            opened: BTreeMap::new(),
            series: BTreeMap::new(),
            untold: BTreeMap::new(),
            person: BTreeSet::new(),
        }
    }

    pub(crate) fn struck(&mut self, fault: Fault, order_ref: u64, alive: bool) {
        self.coverage.struck(fault);
        if alive {
            self.pending.push((fault, order_ref));
        }
    }

    /// The engine is shown a market event, at a moment of the host's clock.
    pub(crate) fn shown(&mut self, at: Nanos, event: &Event<'_>) {
        self.clock = self.clock.max(at);
        match event {
            Event::DepthTick(tick) => {
                self.quotes.entry(tick.instrument.get()).or_insert((self.clock, false)).0 = self.clock;
            }
            Event::Gap(gap) => {
                let quote = self.quotes.entry(gap.instrument.get()).or_insert((Nanos::ABSENT, false));
                quote.1 = gap.end_ns.is_absent();
            }
            _ => {}
        }
    }

    /// The rings and the feed are new: holes of before are over, and nothing was shown since.
    pub(crate) fn new_process(&mut self) {
        self.overflowing = false;
        for quote in self.quotes.values_mut().filter(|quote| quote.1) {
            *quote = (Nanos::ABSENT, false);
        }
    }

    /// Nothing is opened on an old quote, in a hole of the data, or while a ring runs over.
    fn may_open(&self, request: &OrderRequest) -> Option<String> {
        if request.offset()? != Offset::Open {
            return None;
        }
        if self.overflowing {
            return Some("opened while a ring runs over".into());
        }
        match self.quotes.get(&request.instrument.get()) {
            Some((_, true)) => Some("opened in a hole of the market data".into()),
            Some((at, false)) if self.clock.since(*at) > self.settings.quote_age_ns => {
                Some(format!("opened on a quote of {} ns ago", self.clock.since(*at)))
            }
            Some(_) => None,
            None => Some("opened without a quote".into()),
        }
    }

    pub(crate) fn day_begins(&mut self) {
        self.last_ref = 0;
        self.used.clear();
        self.opened.clear();
        self.series.clear();
        self.untold.clear();
        self.person.clear();
    }

    /// A person's order traded.
    pub(crate) fn person_filled(&mut self, fill: &Fill) {
        let untold = self.untold.entry(fill.instrument.get()).or_default();
        untold.net += fill.side().map_or(0, Side::sign) * fill.lots.get();
        untold.gross += fill.lots.get();
        self.person.insert(key(fill));
    }

    /// The engine is told of a trade.
    pub(crate) fn told_fill(&mut self, fill: &Fill) {
        if self.person.remove(&key(fill)) {
            let untold = self.untold.entry(fill.instrument.get()).or_default();
            untold.net -= fill.side().map_or(0, Side::sign) * fill.lots.get();
            untold.gross -= fill.lots.get();
        }
    }
}

impl World {
    pub(crate) fn fail(&mut self, rule: &'static str, what: String) {
        if self.judge.failure.is_none() {
            self.note(format_args!("BROKEN {rule}: {what}"));
            self.judge.failure = Some(Failure { rule, what, at: self.now, life: self.life });
        }
    }

    /// Judges a request by what is true at the venue.
    pub(crate) fn judge_request(&mut self, header: &Header, request: &OrderRequest, kind: RequestKind) {
        self.judge.requests += 1;
        if !self.fate.stands(header.seq) {
            self.fail("journal before send", format!("{kind} {} is sent and not journaled", request.order_ref));
        }
        if kind != RequestKind::Insert {
            return;
        }
        self.judge.orders += 1;
        let order_ref = request.order_ref;
        let is_new = self.judge.used.insert(order_ref);
        if !is_new || order_ref <= self.judge.last_ref {
            let last = self.judge.last_ref;
            self.fail("no order sent twice", format!("order {order_ref} after order {last} of the same day"));
        }
        self.judge.last_ref = self.judge.last_ref.max(order_ref);
        if let Some(what) = self.judge.terms(request) {
            self.fail("limits", what);
        }
        self.judge.clock = self.judge.clock.max(header.taken_ns);
        if let Some(what) = self.judge.may_open(request) {
            self.fail("fresh quotes, room in the rings", what);
        }
        if let Some(what) = self.own_orders(request) {
            self.fail("no order against our own", what);
        }
        if let Some(what) = self.closing(request) {
            self.fail("no more closed than held", what);
        }
        if let Some(what) = self.judge.rate(header) {
            self.fail("order rate", what);
        }
        if let Some(what) = self.exposure(request) {
            self.fail("limits", what);
        }
        self.count_series(request);
    }

    /// What every live order of the engine, every order under way and this one would make of the position.
    fn exposure(&mut self, request: &OrderRequest) -> Option<String> {
        let (side, opens) = (request.side()?, request.offset()? == Offset::Open);
        let limits = self.judge.settings.contracts.first()?.limits;
        let live = self.counter.known().iter().filter(|known| known.who == Who::Engine && known.remaining() > 0);
        let (mut buys, mut sells, mut opening, mut orders) = (0, 0, 0, 1);
        let mut count = |instrument, side: Side, offset, lots: i64| {
            orders += 1;
            if instrument == request.instrument {
                if side == Side::Buy {
                    buys += lots
                } else {
                    sells += lots
                }
                opening += if offset == Some(Offset::Open) { lots } else { 0 };
            }
        };
        for known in live {
            count(known.request.instrument, known.side(), known.request.offset(), known.remaining());
        }
        for sent in self.wire.under_way().filter(|sent| sent.kind() == Some(RequestKind::Insert)) {
            count(sent.instrument, sent.side()?, sent.offset(), sent.lots.get());
        }
        if orders > i64::from(self.judge.settings.live_orders_max) && opens {
            return Some(format!("{orders} live orders, allowed {}", self.judge.settings.live_orders_max));
        }
        if !opens {
            return None;
        }
        let (mut long, mut short) = (0, 0);
        for line in self.counter.exchange.positions().filter(|line| line.instrument == request.instrument) {
            let lots = line.today.get() + line.yesterday.get();
            if Side::of(line.side) == Some(Side::Buy) { long = lots } else { short = lots }
        }
        let untold = self.judge.untold.get(&request.instrument.get()).copied().unwrap_or_default();
        let lots = request.lots.get();
        let net = long - short - untold.net;
        let worst = match side {
            Side::Buy => net + buys + lots,
            Side::Sell => sells + lots - net,
        };
        if worst > limits.net_lots_max.get() {
            return Some(format!(
                "{side} {lots} of {}: {worst} net lots if all fills, allowed {}; held {long} long {short} short, live \
                 {buys} buys {sells} sells, untold {}",
                request.instrument, limits.net_lots_max, untold.net
            ));
        }
        let gross = long + short + opening + lots - untold.gross;
        if gross > limits.gross_lots_max.get() {
            return Some(format!("{gross} gross lots if all fills, allowed {}", limits.gross_lots_max));
        }
        let opened = self.judge.opened.entry(request.instrument.get()).or_default();
        *opened += 1;
        (*opened > limits.orders_per_day)
            .then(|| format!("opening order {opened} of the day, allowed {}", limits.orders_per_day))
    }

    /// The engine's orders of a contract that may still trade: at the venue, or on their way to it.
    fn live_of(&self, request: &OrderRequest) -> impl Iterator<Item = (Side, Offset, Price, i64)> {
        let instrument = request.instrument;
        let known = self.counter.known().iter().filter(|known| known.who == Who::Engine && known.remaining() > 0);
        let known = known.map(|known| (&known.request, known.remaining()));
        let coming = self.wire.under_way().filter(|sent| sent.kind() == Some(RequestKind::Insert));
        let all = known.chain(coming.map(|sent| (sent, sent.lots.get())));
        all.filter(move |(sent, _)| sent.instrument == instrument)
            .filter_map(|(sent, lots)| Some((sent.side()?, sent.offset()?, sent.price, lots)))
    }

    /// An order of ours on the other side that this one could trade with.
    fn own_orders(&self, request: &OrderRequest) -> Option<String> {
        let side = request.side()?;
        let crosses = |price: Price| match side {
            Side::Buy => price <= request.price,
            Side::Sell => price >= request.price,
        };
        let met = self.live_of(request).find(|&(other, _, price, _)| other != side && crosses(price))?;
        Some(format!("{side} at {} against our own at {}", request.price, met.2))
    }

    /// More lots in closing orders than are held.
    fn closing(&self, request: &OrderRequest) -> Option<String> {
        let (side, offset) = (request.side()?, request.offset()?);
        if !offset.closes() {
            return None;
        }
        // Lots are closed date by date where the exchange keeps dates apart: a person may have closed those of one date
        // that an order of ours on its way has in mind, which is no fault of an order for the other.
        let of_date = |other: Offset| other.closes() && (other == offset || offset == Offset::Close);
        let ordered: i64 = self
            .live_of(request)
            .filter(|(other, offset, ..)| *other == side && of_date(*offset))
            .map(|(.., lots)| lots)
            .sum();
        let mut lines = self.counter.exchange.positions();
        let held =
            lines.find(|line| line.instrument == request.instrument && Side::of(line.side) == Some(side.opposite()));
        let held = held.map_or(0, |line| match offset {
            Offset::CloseToday => line.today.get(),
            Offset::CloseYesterday => line.yesterday.get(),
            _ => line.today.get() + line.yesterday.get(),
        });
        let untold = self.judge.untold.get(&request.instrument.get()).map_or(0, |untold| untold.gross);
        let lots = request.lots.get();
        (ordered + lots > held + untold)
            .then(|| format!("{side} closes {lots} beside {ordered} ordered, held {held}, untold {untold}"))
    }

    /// Orders of one intent that are refused again and again.
    fn count_series(&mut self, request: &OrderRequest) {
        let place = (request.strategy, request.instrument.get(), request.side);
        let now = self.on_host(self.now);
        let accepted = {
            let mine = |known: &&crate::counter::Known| {
                (known.request.strategy, known.request.instrument.get(), known.request.side) == place
                    && known.who == Who::Engine
            };
            let last = self.counter.known().iter().rev().find(mine);
            last.is_some_and(|known| known.taken)
        };
        let series = self.judge.series.entry(place).or_default();
        if series.revision != request.revision || accepted {
            *series = Series { revision: request.revision, since: now, refused: 0 };
            return;
        }
        series.refused += 1;
        let waits = now.since(series.since) / self.judge.settings.reject_wait_ns.max(1);
        let most = u64::from(self.judge.settings.retries_max) + 8 + waits * 2;
        if u64::from(series.refused) > most {
            let refused = series.refused;
            self.fail(
                "no retry loop",
                format!(
                    "{refused} orders for revision {} of strategy {}, allowed {most}",
                    request.revision, request.strategy
                ),
            );
        }
    }

    /// Judges what the order stage decided of its orders.
    pub(crate) fn judge_decisions(&mut self) {
        let mut records = std::mem::take(&mut self.records);
        self.fate.take(&mut records);
        for written in records.drain(..) {
            let event = Event::read(written.header.kind, &written.body);
            if self.trace.is_some() {
                let line = crate::trace::line(&written, &event);
                self.note(format_args!("{line}"));
            }
            if let Event::OrderUpdate(update) = event
                && update.state() == Some(OrderState::NeverArrived)
                && update.trading_day == self.counter.day()
            {
                let mine =
                    |known: &&crate::counter::Known| known.who == Who::Engine && known.sent.2 == update.order_ref;
                // Under another name the books count it as wild.
                let there = |known: &crate::counter::Known| {
                    known.key == known.sent && (known.remaining() > 0 || known.traded > 0)
                };
                let arrived = self.counter.known().iter().filter(mine).any(there);
                let comes = self
                    .wire
                    .under_way()
                    .any(|sent| sent.order_ref == update.order_ref && sent.kind() == Some(RequestKind::Insert));
                if arrived || comes {
                    let where_ = if arrived { "at the venue" } else { "under way" };
                    self.fail("lost is not dead", format!("order {} never arrived, and is {where_}", update.order_ref));
                }
            }
        }
        self.records = records;
    }
}

impl Judge {
    fn terms(&self, request: &OrderRequest) -> Option<String> {
        let limits = self.settings.contracts.first()?.limits;
        let lots = request.lots;
        if lots.get() < 1 || lots > limits.order_lots_max {
            return Some(format!("{lots} lots in one order, allowed {}", limits.order_lots_max));
        }
        (request.price <= Price::ZERO).then(|| format!("a price of {}", request.price))
    }

    /// No more orders than allowed in any window of time, as the stage took it.
    fn rate(&mut self, header: &Header) -> Option<String> {
        let (most, window_ns) = (self.settings.orders_per_window as usize, self.settings.rate_window_ns);
        self.recent.push_back(header.taken_ns);
        if self.recent.len() <= most {
            return None;
        }
        let first = self.recent.pop_front()?;
        let within = header.taken_ns.since(first);
        (within < window_ns).then(|| format!("{} orders within {within} ns, allowed {most} in {window_ns}", most + 1))
    }
}
