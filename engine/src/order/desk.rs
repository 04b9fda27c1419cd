//! An order stage at its desk: a driver over a tape, a clock that the story moves, and the words of everyone who talks to
//! it. Timers that the stage asks for fire when the story's time passes them.

use super::kit::*;
use super::{OrderCapacity, OrderSettings, OrderStage, Readiness};
use crate::stage::{Driver, OutSlot};
use crate::tape::Tape;
use shrike_core::codes::{CommandKind, OrderStatus, PhaseKind, ReportSource, RequestKind, Side, StageId, Urgency};
use shrike_core::event::{
    Alarm, Body, Command, Event, Header, Kind, OrderRequest, OrderUpdate, Refusal, ReportSlot, RunStart, Seq,
    TargetPosition, TargetQuote, Timer,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, TradingDay};

/// What the stage gave in answer to something.
#[derive(Default)]
pub(super) struct Said(pub(super) Vec<OutSlot>);

impl Said {
    fn of<'a, T>(&'a self, pick: impl Fn(Event<'a>) -> Option<T>) -> Vec<T> {
        self.0.iter().filter_map(|slot| pick(slot.event())).collect()
    }
    pub(super) fn requests(&self, kind: RequestKind) -> Vec<OrderRequest> {
        self.of(|event| match event {
            Event::OrderRequest(request) if request.kind() == Some(kind) => Some(*request),
            _ => None,
        })
    }
    pub(super) fn inserts(&self) -> Vec<OrderRequest> {
        self.requests(RequestKind::Insert)
    }
    pub(super) fn cancels(&self) -> Vec<OrderRequest> {
        self.requests(RequestKind::Cancel)
    }
    pub(super) fn updates(&self) -> Vec<OrderUpdate> {
        self.of(|event| if let Event::OrderUpdate(update) = event { Some(*update) } else { None })
    }
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        self.of(|event| if let Event::Refusal(refusal) = event { Some(*refusal) } else { None })
    }
    pub(super) fn alarms(&self) -> Vec<Alarm> {
        self.of(|event| if let Event::Alarm(alarm) = event { Some(*alarm) } else { None })
    }
    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.0.iter().filter_map(|slot| Kind::of(slot.header().kind)).collect()
    }
    /// Nothing went to the venue.
    pub(super) fn is_quiet(&self) -> bool {
        self.of(|event| matches!(event, Event::OrderRequest(_)).then_some(())).is_empty()
    }
    fn and(mut self, more: Said) -> Said {
        self.0.extend(more.0);
        self
    }
}

pub(super) const CAPACITY: OrderCapacity = OrderCapacity { instruments: 4, strategies: 3, orders: 512 };

pub(super) struct Desk {
    pub(super) driver: Driver<OrderStage, Tape>,
    pub(super) settings: OrderSettings,
    pub(super) now: Nanos,
    /// Timers asked for.
    timers: Vec<TimerFor>,
    numbers: [u64; 8],
    trades: u64,
    session: i32,
    revision: u64,
}

type TimerFor = (Nanos, u64);

impl Desk {
    pub(super) fn new(settings: OrderSettings) -> Self {
        let tape = Tape::new(StageId::Order);
        Self {
            driver: Driver::new(OrderStage::new(settings.clone(), CAPACITY), tape, Nanos::ABSENT),
            settings,
            now: Nanos::china(day(2), 9 * 3600, 0),
            timers: Vec::new(),
            numbers: [0; 8],
            trades: 0,
            session: 7,
            revision: 0,
        }
    }

    /// Logged in, resynced, both contracts in continuous trading at 99 to 101, flat, with a million.
    pub(super) fn ready() -> Self {
        Self::ready_with(settings(), &[])
    }

    pub(super) fn ready_with(settings: OrderSettings, held: &[(InstrumentId, Side, i64, i64)]) -> Self {
        let mut desk = Self::new(settings);
        desk.log_in(day(2), 7);
        for &(instrument, side, today, yesterday) in held {
            desk.venue(&holds(instrument, side, today, yesterday));
        }
        desk.venue(&funds(1_000_000));
        desk.venue(&resync_end(day(2), 7));
        for instrument in [SHFE, CZCE] {
            desk.signal(&phase(instrument, PhaseKind::Continuous));
            desk.signal(&quote(instrument, BID, ASK));
        }
        assert_eq!(desk.stage().readiness(), Readiness::Ready);
        desk
    }

    pub(super) fn log_in(&mut self, today: TradingDay, session: i32) -> Said {
        self.session = session;
        let said = self.venue(&login(today, session));
        for instrument in [SHFE, CZCE] {
            self.venue(&def(instrument));
            self.venue(&rates(instrument));
        }
        said
    }

    pub(super) const fn stage(&self) -> &OrderStage {
        &self.driver.stage
    }

    /// Somebody says something now; what the stage answers.
    pub(super) fn hear<B: Body>(&mut self, who: StageId, body: &B) -> Said {
        let mut slot = ReportSlot::default();
        slot.put(body);
        self.hear_slot(who, slot)
    }

    pub(super) fn hear_slot(&mut self, who: StageId, slot: ReportSlot) -> Said {
        self.hear_numbered(who, 0, slot)
    }

    /// As the signal stage says it in a later epoch.
    pub(super) fn hear_in_epoch<B: Body>(&mut self, epoch: u8, body: &B) -> Said {
        let mut slot = ReportSlot::default();
        slot.put(body);
        self.hear_numbered(StageId::Signal, epoch, slot)
    }

    fn hear_numbered(&mut self, who: StageId, epoch: u8, mut slot: ReportSlot) -> Said {
        self.now = self.now.after(1);
        let number = &mut self.numbers[who as usize];
        *number += 1;
        slot.header_mut().seq = Seq::new(who, epoch, *number);
        slot.header_mut().recv_ns = self.now;
        let mut said = Said::default();
        let Ok(()) = self.driver.take(self.now, slot.header(), slot.event(), |out| said.0.push(*out));
        for out in &said.0 {
            if let Event::TimerRequest(timer) = out.event() {
                self.timers.push((timer.due_ns, timer.token));
            }
        }
        said
    }

    pub(super) fn venue<B: Body>(&mut self, body: &B) -> Said {
        self.hear(StageId::Gateway, body)
    }
    pub(super) fn signal<B: Body>(&mut self, body: &B) -> Said {
        self.hear(StageId::Signal, body)
    }
    pub(super) fn command(&mut self, kind: CommandKind) -> Said {
        self.hear(StageId::Commands, &command(kind, self.now))
    }

    /// Time passes; due timers fire.
    pub(super) fn wait(&mut self, ns: u64) -> Said {
        let until = self.now.after(ns);
        let mut said = Said::default();
        loop {
            self.timers.sort();
            let Some(&(due_ns, token)) = self.timers.first().filter(|(due, _)| *due <= until) else { break };
            self.timers.remove(0);
            self.now = self.now.max(due_ns);
            said = said.and(self.hear(StageId::Order, &Timer { token, due_ns, ..Timer::default() }));
        }
        self.now = until;
        said
    }

    pub(super) fn market(&mut self, instrument: InstrumentId, bid: i64, ask: i64) -> Said {
        self.signal(&quote(instrument, bid, ask))
    }

    /// Strategy 1 wants this many lots.
    pub(super) fn target(&mut self, instrument: InstrumentId, lots: i64, urgency: Urgency) -> Said {
        self.revision += 1;
        let revision = self.revision;
        let lots = Lots::new(lots);
        let (limit, urgency) = (Price::ABSENT, urgency.code());
        let target = TargetPosition { strategy: 1, instrument, revision, lots, limit, urgency, ..Default::default() };
        self.signal(&target)
    }

    /// Strategy 2 wants these two sides shown, a lot each; zero: none.
    pub(super) fn quote(&mut self, instrument: InstrumentId, bid: i64, ask: i64) -> Said {
        self.revision += 1;
        let price = |units: i64| if units == 0 { Price::ABSENT } else { Price::whole(units) };
        let lots = |units: i64| Lots::new(i64::from(units != 0));
        let target = TargetQuote {
            strategy: 2,
            instrument,
            revision: self.revision,
            bid: price(bid),
            ask: price(ask),
            bid_lots: lots(bid),
            ask_lots: lots(ask),
            ..TargetQuote::default()
        };
        self.signal(&target)
    }

    /// The exchange has the order in its book.
    pub(super) fn queued(&mut self, order: &OrderRequest) -> Said {
        self.venue(&report(order, OrderStatus::Queued, 0))
    }
    /// The exchange has cancelled the order.
    pub(super) fn cancelled(&mut self, order: &OrderRequest) -> Said {
        self.venue(&report(order, OrderStatus::Cancelled, 0))
    }
    /// The order trades to its end.
    pub(super) fn filled(&mut self, order: &OrderRequest) -> Said {
        self.trades += 1;
        let fill = fill(order, self.trades, order.lots.get());
        let said = self.venue(&report(order, OrderStatus::AllTraded, order.lots.get()));
        said.and(self.venue(&fill))
    }
    /// The venue answers a resync: these orders, and nothing else that differs from our books.
    pub(super) fn resynced(&mut self, orders: &[OrderRequest]) -> Said {
        let mut said = Said::default();
        for order in orders {
            let source = ReportSource::Query.code();
            let line = shrike_core::event::OrderReport { source, ..report(order, OrderStatus::Queued, 0) };
            said = said.and(self.venue(&line));
        }
        said.and(self.venue(&resync_end(self.stage().ledger().trading_day(), self.session)))
    }

    /// The same desk with another stage at it.
    pub(super) fn with(&self, stage: OrderStage) -> Self {
        Self {
            driver: Driver::new(stage, self.driver.log.clone(), self.driver.taken_ns()),
            settings: self.settings.clone(),
            timers: self.timers.clone(),
            ..*self
        }
    }

    /// The process dies and another starts over the same journal.
    pub(super) fn restarted(self, settings: OrderSettings) -> (Self, Said) {
        let mut stage = OrderStage::new(settings.clone(), CAPACITY);
        self.driver.log.fold(&mut stage);
        let taken_ns = self.driver.taken_ns();
        let mut desk =
            Self { driver: Driver::new(stage, self.driver.log, taken_ns), timers: Vec::new(), settings, ..self };
        let mut config = ReportSlot::default();
        assert!(config.copy_from(&Header { len: 52, kind: Kind::Config as u16, ..Header::default() }, b"test"));
        let said = desk.hear_slot(StageId::Commands, config);
        assert!(said.0.is_empty(), "the configuration's record leads to nothing: nobody would send it");
        let said = desk.hear(StageId::Commands, &RunStart::default());
        (desk, said)
    }
}

pub(super) fn command(kind: CommandKind, written_ns: Nanos) -> Command {
    Command { written_ns, instrument: InstrumentId::NONE, kind: kind.code(), ..Command::default() }
}
