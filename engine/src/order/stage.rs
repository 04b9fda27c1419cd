//! The order stage as a state machine. Inputs: quotes, phases and intents from the signal stage; reports from the venue;
//! commands and timers. Outputs for one input, in this order: what strategies must hear (order updates, fills, holdings),
//! a day roll, differences with the venue's books, a resync, questions about silent orders, cancels, orders or refusals,
//! and at last a timer where something is waited for.

use super::errors::{Remedy, remedy};
use super::rate::RateWindow;
use super::session::{COMMAND_LIFE_NS, Mode, Readiness, Session};
use super::settings::{ContractLimits, OrderSettings};
use super::targets::{Pair, Targets, Wanted, side_index};
use crate::stage::{OutSlot, Stage};
use shrike_core::codes::{AlarmKind, CommandKind, OrderState, RequestKind, StageId};
use shrike_core::event::{
    Alarm, DayRoll, Difference, Event, Fill, Header, Holding, OrderRequest, OrderUpdate, TimerRequest, flags,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Applied, Capacity, Ignored, Ledger, Order, OrderIndex};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::{Lots, Nanos};

/// How much room the stage has; everything is allocated at its construction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderCapacity {
    /// Contracts.
    pub instruments: usize,
    /// Highest strategy number.
    pub strategies: usize,
    /// Orders of a trading day.
    pub orders: usize,
}

/// Something to tell the signal stage.
#[derive(Clone, Copy, Debug)]
enum Notice {
    Order(OrderIndex),
    Fill(Fill),
    Holding(Pair),
    Alarm(Alarm),
    Difference(Difference),
    DayRoll(DayRoll),
}

/// The order stage.
pub struct OrderStage {
    pub(super) settings: OrderSettings,
    pub(super) ledger: Ledger,
    pub(super) limits: Vec<ContractLimits>,
    pub(super) targets: Targets,
    pub(super) order_rate: RateWindow,
    pub(super) cancel_rate: RateWindow,
    pub(super) session: Session,
    pub(super) mode: Mode,
    /// The mode before the engine was told to stop, for the next start.
    pub(super) mode_before_stop: Mode,
    /// Opening is off while a ring overflows,
    pub(super) overflowing: bool,
    /// and while a journal runs out of room.
    pub(super) journal_low: bool,
    pub(super) now: Nanos,
    pub(super) catchup: bool,
    /// Whether the last input was the stage's own timer.
    pub(super) timer_fired: bool,
    /// When the timer that was asked for is due; absent: none is.
    pub(super) timer_due: Nanos,
    /// By order: when it was asked about; absent: not since its last report.
    pub(super) queried: Vec<Nanos>,
    notices: Vec<Notice>,
    told: usize,
    pub(super) last_command: u64,
}

impl OrderStage {
    /// An empty stage.
    pub fn new(settings: OrderSettings, capacity: OrderCapacity) -> Self {
        Self {
            ledger: Ledger::new(Capacity {
                instruments: capacity.instruments,
                orders: capacity.orders,
                strategies: capacity.strategies,
            }),
            limits: vec![ContractLimits::CLOSED; capacity.instruments],
            targets: Targets::new(capacity.strategies, capacity.instruments),
            order_rate: RateWindow::new(settings.orders_per_window, settings.rate_window_ns),
            cancel_rate: RateWindow::new(settings.cancels_per_window, settings.rate_window_ns),
            settings,
            session: Session::default(),
            mode: Mode::default(),
            mode_before_stop: Mode::default(),
            overflowing: false,
            journal_low: false,
            now: Nanos::ABSENT,
            catchup: false,
            timer_fired: false,
            timer_due: Nanos::ABSENT,
            queried: vec![Nanos::ABSENT; capacity.orders],
            notices: Vec::with_capacity(1_024),
            told: 0,
            last_command: 0,
        }
    }

    /// The books.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The intents.
    pub const fn targets(&self) -> &Targets {
        &self.targets
    }

    /// How far the session is.
    pub const fn readiness(&self) -> Readiness {
        self.session.readiness
    }

    /// What the operator lets the engine do.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Number of the last operator command taken, so that none is delivered twice.
    pub const fn last_command(&self) -> u64 {
        self.last_command
    }

    /// Whether the engine may stop: it is asked to, and no order that the policy cancels is live.
    pub fn may_stop(&self) -> bool {
        self.mode == Mode::Stopping && (!self.settings.cancel_on_stop || self.own_live().next().is_none())
    }

    pub(super) fn queried_ns(&self, order: OrderIndex) -> Nanos {
        self.queried.get(order.get()).copied().unwrap_or_default()
    }

    fn set_queried(&mut self, order: Option<OrderIndex>, at: Nanos) {
        if let Some(place) = order.and_then(|order| self.queried.get_mut(order.get())) {
            *place = at;
        }
    }

    fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    fn alarm(&mut self, kind: AlarmKind, instrument: InstrumentId, order_ref: u64, value: i64) {
        let kind = kind.code();
        self.tell(Notice::Alarm(Alarm { instrument, order_ref, value, kind, ..Alarm::default() }));
    }

    fn apply_input(&mut self, header: &Header, event: Event<'_>) {
        self.now = header.taken_ns;
        // A start's configuration and the end of a run lead to nothing: there is nobody yet, or any more, to send it.
        let mark = matches!(event, Event::Config(_) | Event::RunEnd(_));
        self.catchup = header.has(flags::CATCHUP) || mark;
        self.timer_fired = false;
        self.notices.clear();
        self.told = 0;
        self.targets.clear_queue();
        let applied = self.ledger.apply(header, event);
        match event {
            Event::Quote(quote) => self.targets.touch_instrument(quote.instrument),
            Event::Phase(phase) => self.targets.touch_instrument(phase.instrument),
            Event::TargetPosition(target) => {
                self.targets.set_position(target, header.cause.epoch());
            }
            Event::TargetQuote(target) => {
                self.targets.set_quote(target, header.cause.epoch());
            }
            Event::OrderReport(_) => self.report(applied),
            Event::Fill(fill) => self.fill(applied, fill),
            Event::InstrumentDef(def) => {
                // Limits are of what the books hold: a definition that they refuse or put off changes nothing.
                let held = self.ledger.instruments().get(def.instrument);
                if let (Some(held), Some(limits)) = (held, self.limits.get_mut(def.instrument.index())) {
                    *limits = self.settings.limits_of(held);
                }
            }
            Event::Timer(_) => {
                self.timer_fired = true;
                self.timer_due = Nanos::ABSENT;
                self.targets.touch_all();
            }
            Event::Login(_) => self.login(),
            Event::Connection(broken) if broken.channel == StageId::Gateway.code() && broken.connected == 0 => {
                self.session.readiness = Readiness::Down;
                self.session.reconnecting = true;
                self.alarm(AlarmKind::Disconnected, InstrumentId::NONE, 0, i64::from(broken.reason));
            }
            Event::ResyncEnd(_) => self.resynced(applied),
            Event::Command(command) => self.command(header, command),
            Event::RunStart(start) => self.started(start.after_clean_stop != 0),
            Event::Alarm(alarm) => self.signal_alarm(alarm),
            _ => {}
        }
        self.settle();
    }

    fn pair_of(&self, order: OrderIndex) -> Option<Pair> {
        let order = self.ledger.order(order)?;
        Some(Pair { strategy: order.strategy, instrument: order.instrument })
    }

    fn report(&mut self, applied: Applied) {
        let (index, changed) = match applied {
            Applied::Order { order, changed } => (order, changed),
            Applied::WildOrder { order } => {
                let instrument = self.ledger.order(order).map_or(InstrumentId::NONE, |order| order.instrument);
                self.alarm(AlarmKind::WildOrder, instrument, 0, 0);
                (order, true)
            }
            _ => return,
        };
        self.set_queried(Some(index), Nanos::ABSENT);
        let Some(pair) = self.pair_of(index) else { return };
        self.targets.touch(pair);
        if changed {
            self.venue_word(index, pair);
            self.tell(Notice::Order(index));
        }
    }

    /// Remembers what a rejection, or an acceptance, means for the side's next order.
    fn venue_word(&mut self, index: OrderIndex, pair: Pair) {
        let Some(order) = self.ledger.order(index) else { return };
        let (state, error, price, side) = (order.state, order.last_error, order.price, side_index(order.side));
        let queued = !order.exchange_ack_ns.is_absent();
        let (retries_max, wait) = (self.settings.retries_max, self.now.after(self.settings.reject_wait_ns));
        let soon = self.now.after(self.settings.duplicate_ns);
        let Some(row) = self.targets.get_mut(pair) else { return };
        let revision = row.revision;
        let Some(obstacle) = row.obstacles.get_mut(side) else { return };
        match state {
            OrderState::Rejected => {
                obstacle.rejects = obstacle.rejects.saturating_add(1);
                obstacle.until_ns = soon;
                match remedy(error) {
                    Remedy::RetryNow => {}
                    Remedy::GiveUp if seeded::on(Bug::GiveUpForgotten) => {}
                    Remedy::NewPrice => obstacle.not_at = price,
                    Remedy::Wait => obstacle.until_ns = wait,
                    Remedy::GiveUp => obstacle.given_up = revision,
                }
                if obstacle.rejects > retries_max {
                    obstacle.until_ns = wait;
                }
            }
            // The counter's acknowledgement alone is no acceptance: the exchange may still refuse.
            OrderState::Working if !queued => {}
            OrderState::Working | OrderState::Filled => *obstacle = super::targets::Obstacle::default(),
            _ => {}
        }
    }

    fn fill(&mut self, applied: Applied, fill: &Fill) {
        let mut fill = *fill;
        match applied {
            Applied::NewFill { order, strategy } => {
                fill.strategy = strategy;
                let pair = Pair { strategy, instrument: fill.instrument };
                self.tell(Notice::Fill(fill));
                self.tell(Notice::Order(order));
                self.tell(Notice::Holding(pair));
            }
            Applied::WildFill { .. } => {
                self.tell(Notice::Fill(fill));
                self.alarm(AlarmKind::WildOrder, fill.instrument, fill.order_ref, fill.lots.get());
            }
            _ => return,
        }
        // Lots that one strategy opened may be closable by another.
        self.targets.touch_instrument(fill.instrument);
    }

    fn login(&mut self) {
        if let Some(roll) = self.ledger.roll_due() {
            self.tell(Notice::DayRoll(roll));
        }
        if seeded::on(Bug::ReconcileSkipped) && self.session.reconnecting && self.ledger.roll_due().is_none() {
            self.session.readiness = Readiness::Settling;
        } else if self.session.readiness != Readiness::Asked {
            self.session.readiness = Readiness::Down;
            self.session.resync_wanted = true;
        }
    }

    /// The venue's books are complete: compare, and see which of our orders it does not know.
    fn resynced(&mut self, applied: Applied) {
        if self.session.readiness != Readiness::Asked {
            return;
        }
        if applied == Applied::Ignored(Ignored::Outdated) {
            return;
        }
        if !matches!(applied, Applied::Restated { .. }) {
            // The answers of a session or day that is over: ours were not asked of this one.
            self.session.resync_wanted = true;
            return;
        }
        let notices = &mut self.notices;
        let mut mismatches = 0;
        self.ledger.differences(|difference| {
            notices.push(Notice::Difference(difference));
            mismatches += 1;
        });
        if mismatches > 0 {
            self.alarm(AlarmKind::Mismatch, InstrumentId::NONE, 0, mismatches);
        }
        // One that was absent twice has been asked for often enough on this session.
        if self.own_live().any(|(_, order)| order.absent_restatements == 1) {
            self.session.lost_check_ns = self.now.after(self.settings.lost_grace_ns);
        }
        self.session.readiness = Readiness::Settling;
        self.targets.touch_all();
    }

    fn command(&mut self, header: &Header, command: &shrike_core::event::Command) {
        if !seeded::on(Bug::CommandTwice) {
            self.last_command = self.last_command.max(header.cause.n());
        }
        let Some(kind) = CommandKind::of(command.kind) else { return };
        if self.now.since(command.written_ns) > COMMAND_LIFE_NS && !seeded::on(Bug::OldCommandTaken) {
            return;
        }
        if self.mode != Mode::Stopping {
            self.mode_before_stop = self.mode;
        }
        self.mode = self.mode.after(kind);
        self.targets.flatten = self.mode == Mode::Flatten;
        if kind == CommandKind::CancelAll {
            self.session.cancel_upto = self.ledger.next_ref().saturating_sub(1);
        }
        self.targets.touch_all();
    }

    fn started(&mut self, after_clean_stop: bool) {
        self.session.readiness = Readiness::Down;
        self.session.resync_wanted = !self.ledger.trading_day().is_absent();
        self.session.reconnecting = false;
        // The rings and the journal's room of the process before are gone with it.
        (self.overflowing, self.journal_low) = (false, false);
        if !seeded::on(Bug::TimerLost) {
            self.timer_due = Nanos::ABSENT;
        }
        if self.settings.cancel_on_start && !after_clean_stop {
            self.session.cancel_upto = self.ledger.next_ref().saturating_sub(1);
        }
        if self.mode == Mode::Stopping {
            self.mode = self.mode_before_stop;
            self.targets.flatten = self.mode == Mode::Flatten;
        }
        self.targets.touch_all();
    }

    fn signal_alarm(&mut self, alarm: &Alarm) {
        if alarm.kind == AlarmKind::StrategyFailed.code() {
            self.targets.pull_quotes(alarm.strategy);
        } else if alarm.kind == AlarmKind::RingOverflow.code() {
            self.overflowing = alarm.cleared == 0;
        } else if alarm.kind == AlarmKind::JournalLow.code() {
            self.journal_low = alarm.cleared == 0;
        }
    }

    /// Orders of before the start are cancelled before the first new one; then the stage is ready.
    fn settle(&mut self) {
        if self.session.readiness == Readiness::Settling && self.to_cancel().next().is_none() {
            self.session.readiness = Readiness::Ready;
            self.session.cancel_upto = 0;
            self.targets.touch_all();
        }
    }

    /// Our live orders.
    pub(super) fn own_live(&self) -> impl Iterator<Item = (OrderIndex, &Order)> {
        self.ledger.live_orders().filter(|(_, order)| !order.wild)
    }

    /// Our live orders that a policy or a command cancels, whatever the targets say.
    pub(super) fn to_cancel(&self) -> impl Iterator<Item = (OrderIndex, &Order)> {
        let all = match self.mode {
            Mode::Halt | Mode::Observe => true,
            Mode::Stopping => self.settings.cancel_on_stop,
            Mode::Trade | Mode::Flatten => false,
        };
        let upto = self.session.cancel_upto;
        self.own_live().filter(move |(_, order)| all || order.order_ref <= upto)
    }

    fn apply_output(&mut self, header: &Header, event: Event<'_>) {
        self.ledger.apply(header, event);
        match event {
            Event::OrderRequest(request) => self.requested(header, request),
            Event::Refusal(refusal) => {
                let pair = Pair { strategy: refusal.strategy, instrument: refusal.instrument };
                let told =
                    shrike_core::codes::RefusalReason::of(refusal.reason).map(|reason| (reason, refusal.error_code));
                let side = shrike_core::codes::Side::of(refusal.side).map_or(0, side_index);
                if let Some(obstacle) = self.targets.get_mut(pair).and_then(|row| row.obstacles.get_mut(side)) {
                    obstacle.told = told;
                }
            }
            // Nothing else may come that asks the venue again.
            Event::OrderUpdate(update)
                if update.state() == Some(OrderState::Lost) && self.session.lost_check_ns.is_absent() =>
            {
                self.session.lost_check_ns = header.taken_ns.after(self.settings.lost_grace_ns);
            }
            Event::TimerRequest(timer) => self.timer_due = timer.due_ns,
            Event::DayRoll(_) => {
                self.targets.forget_obstacles();
                self.queried.fill(Nanos::ABSENT);
            }
            _ => {}
        }
    }

    fn requested(&mut self, header: &Header, request: &OrderRequest) {
        match request.kind() {
            Some(RequestKind::Insert) => {
                self.order_rate.count(header.taken_ns);
                self.set_queried(self.ledger.order_by_ref(request.order_ref), Nanos::ABSENT);
                let side = request.side().map_or(0, side_index);
                let pair = Pair { strategy: request.strategy, instrument: request.instrument };
                if let Some(obstacle) = self.targets.get_mut(pair).and_then(|row| row.obstacles.get_mut(side)) {
                    obstacle.told = None;
                }
            }
            Some(RequestKind::Cancel) => self.cancel_rate.count(header.taken_ns),
            Some(RequestKind::QueryOrder) => {
                self.set_queried(self.ledger.order_by_ref(request.order_ref), header.taken_ns);
            }
            Some(RequestKind::Resync) => {
                self.session.readiness = Readiness::Asked;
                self.session.resync_wanted = false;
                self.session.lost_check_ns = Nanos::ABSENT;
                if self.session.reconnecting && self.settings.cancel_on_reconnect {
                    self.session.cancel_upto = self.ledger.next_ref().saturating_sub(1);
                }
                self.session.reconnecting = false;
            }
            None => {}
        }
    }

    fn decide_notice(&mut self, out: &mut OutSlot) -> bool {
        let Some(&notice) = self.notices.get(self.told) else { return false };
        self.told += 1;
        match notice {
            Notice::Order(index) => match self.ledger.order(index) {
                Some(order) => out.put(&told(order)),
                None => return false,
            },
            Notice::Fill(fill) => out.put(&fill),
            Notice::Holding(pair) => out.put(&Holding {
                strategy: pair.strategy,
                instrument: pair.instrument,
                lots: self.held(pair),
                account_lots: self.ledger.position(pair.instrument).map_or(Lots::ZERO, |book| book.net()),
                ..Holding::default()
            }),
            Notice::Alarm(alarm) => out.put(&alarm),
            Notice::Difference(difference) => out.put(&difference),
            Notice::DayRoll(roll) => out.put(&roll),
        }
        true
    }

    /// A resync when one is wanted: after a login or start, or because a lost order waits for its second absence.
    fn decide_resync(&mut self, out: &mut OutSlot) -> bool {
        let lost = !self.session.lost_check_ns.is_absent() && self.now >= self.session.lost_check_ns;
        let answered = matches!(self.session.readiness, Readiness::Settling | Readiness::Ready);
        let due = self.session.resync_wanted || lost && answered;
        if !due || self.catchup {
            return false;
        }
        out.put(&OrderRequest {
            instrument: InstrumentId::NONE,
            trading_day: self.ledger.trading_day(),
            kind: RequestKind::Resync.code(),
            ..OrderRequest::default()
        });
        true
    }

    /// A timer, when something is waited for and none is set.
    fn decide_timer(&mut self, out: &mut OutSlot) -> bool {
        if !self.timer_due.is_absent() || self.catchup || !self.waits() {
            return false;
        }
        out.put(&TimerRequest {
            due_ns: self.now.after(self.settings.ack_timeout_ns.max(1)),
            ..TimerRequest::default()
        });
        true
    }

    /// An order's changed fate, as decided by the stage.
    pub(super) fn fate(&self, index: OrderIndex, state: OrderState) -> Option<OrderUpdate> {
        let order = self.ledger.order(index)?;
        Some(OrderUpdate { state: state.code(), ..told(order) })
    }

    /// Whether opening is off.
    pub(super) fn reduces_only(&self) -> bool {
        self.overflowing || self.journal_low || self.mode == Mode::Flatten
    }

    /// The pair's net lots.
    pub(super) fn held(&self, pair: Pair) -> Lots {
        self.ledger.strategy_position(pair.strategy, pair.instrument).net
    }

    /// What a row wants in the present mode.
    pub(super) fn wanted(&self, pair: Pair) -> Wanted {
        let wanted = self.targets.get(pair).map_or(Wanted::Nothing, |row| row.wanted);
        match self.mode {
            Mode::Flatten => {
                Wanted::Position { lots: Lots::ZERO, limit: shrike_core::units::Price::ABSENT, aggressive: true }
            }
            _ => wanted,
        }
    }
}

/// An order as strategies are told of it.
fn told(order: &Order) -> OrderUpdate {
    OrderUpdate {
        instrument: order.instrument,
        trading_day: order.trading_day,
        order_ref: order.order_ref,
        price: order.price,
        lots: order.lots,
        filled: order.filled,
        strategy: order.strategy,
        error_code: order.last_error,
        state: order.state.code(),
        side: order.side.code(),
        offset: order.offset.code(),
        ..OrderUpdate::default()
    }
}

impl Stage for OrderStage {
    #[inline]
    fn apply(&mut self, header: &Header, event: Event<'_>) {
        if header.has(flags::OUTPUT) {
            self.apply_output(header, event);
        } else {
            self.apply_input(header, event);
        }
    }

    #[inline]
    fn decide(&mut self, out: &mut OutSlot) -> bool {
        self.decide_notice(out)
            || self.decide_resync(out)
            || self.decide_fates(out)
            || self.decide_cancels(out)
            || self.decide_targets(out)
            || self.decide_timer(out)
    }
}
