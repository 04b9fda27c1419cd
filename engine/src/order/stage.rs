//! The order stage as a state machine. Inputs: quotes, phases and intents from the signal stage; reports from the venue;
//! commands and timers. Outputs for one input, in this order: what strategies must hear (order updates, fills, holdings),
//! a day roll, differences with the venue's books, a resync, questions about silent orders, cancels, orders or refusals,
//! and at last a timer where something is waited for.

use super::notices::{Notice, told};
use super::operator::Mode;
use super::rate::RateWindow;
use super::reconcile::{OnDifference, Reconcile};
use super::session::{Readiness, Session};
use super::settings::{ContractLimits, OrderSettings};
use super::targets::{Pair, Targets, Wanted, side_index};
use crate::stage::{OutSlot, Stage};
use shrike_core::codes::{AlarmKind, OrderState, PhaseKind, RefusalReason, RequestKind, Side, StageId};
use shrike_core::event::{Event, Header, OrderRequest, OrderUpdate, Phase, TimerRequest, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Capacity, Ledger, OrderIndex};
use shrike_core::units::{Lots, Nanos, Price};

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

/// The order stage.
pub struct OrderStage {
    pub(super) settings: OrderSettings,
    pub(super) ledger: Ledger,
    pub(super) limits: Vec<ContractLimits>,
    pub(super) targets: Targets,
    pub(super) order_rate: RateWindow,
    pub(super) cancel_rate: RateWindow,
    pub(super) session: Session,
    pub(super) reconcile: Reconcile,
    pub(super) mode: Mode,
    /// The mode before the engine was told to stop, for the next start.
    pub(super) mode_before_stop: Mode,
    /// Opening is off while a ring overflows,
    pub(super) overflowing: bool,
    /// and while a journal runs out of room.
    pub(super) journal_low: bool,
    /// and after an event was set aside, until the operator resumes.
    pub(super) set_aside: bool,
    pub(super) now: Nanos,
    pub(super) catchup: bool,
    /// Whether the last input was the stage's own timer.
    pub(super) timer_fired: bool,
    /// Before this, and as long as only quotes and intents come, nothing but a target can lead to an output, and a timer for
    /// what was sent then; absent: anything may. Follows from the rest of the state, so it is in no snapshot.
    calm_until: Nanos,
    /// A request of this calm may have to be waited for: the timer is still to be thought of.
    sent_in_calm: bool,
    /// When the timer that was asked for is due; absent: none is.
    pub(super) timer_due: Nanos,
    /// By order: when it was asked about; absent: not since its last report.
    pub(super) queried: Vec<Nanos>,
    pub(super) notices: Vec<Notice>,
    /// How many of them are told.
    pub(super) told: usize,
    pub(super) last_command: u64,
    /// A command of a test has poisoned every decision from now on.
    #[cfg(test)]
    pub(super) poisoned: bool,
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
            reconcile: Reconcile::default(),
            mode: Mode::default(),
            mode_before_stop: Mode::default(),
            overflowing: false,
            journal_low: false,
            set_aside: false,
            now: Nanos::ABSENT,
            catchup: false,
            timer_fired: false,
            calm_until: Nanos::ABSENT,
            sent_in_calm: false,
            timer_due: Nanos::ABSENT,
            queried: vec![Nanos::ABSENT; capacity.orders],
            notices: Vec::with_capacity(1_024),
            told: 0,
            last_command: 0,
            #[cfg(test)]
            poisoned: false,
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

    pub(super) fn queried_ns(&self, order: OrderIndex) -> Nanos {
        self.queried.get(order.get()).copied().unwrap_or_default()
    }

    pub(super) fn set_queried(&mut self, order: Option<OrderIndex>, at: Nanos) {
        if let Some(place) = order.and_then(|order| self.queried.get_mut(order.get())) {
            *place = at;
        }
    }

    /// Until when nothing but a target can lead to an output as long as only quotes and intents come: until the venue is to
    /// be asked by time. Absent when anything may.
    fn calm_until(&self) -> Nanos {
        if self.catchup || self.session.readiness != Readiness::Ready || self.to_cancel().next().is_some() {
            return Nanos::ABSENT;
        }
        let questions = [self.session.lost_check_ns, self.reconcile.ask_ns];
        questions.into_iter().filter(|at| !at.is_absent()).min().unwrap_or(Nanos::MAX)
    }

    #[inline]
    fn apply_input(&mut self, header: &Header, event: Event<'_>) {
        self.now = header.taken_ns;
        self.catchup = header.has(flags::CATCHUP);
        self.timer_fired = false;
        self.notices.clear();
        self.told = 0;
        self.targets.clear_queue();
        match event {
            // Most events are quotes.
            Event::Quote(quote) => {
                self.ledger.apply(header, event);
                self.targets.touch_instrument(quote.instrument);
            }
            _ => self.apply_other(header, event),
        }
        self.settle();
    }

    /// Folds an input that is no quote.
    fn apply_other(&mut self, header: &Header, event: Event<'_>) {
        if !matches!(event, Event::TargetPosition(_) | Event::TargetQuote(_)) {
            self.calm_until = Nanos::ABSENT;
        }
        // A start's configuration and the end of a run lead to nothing: there is nobody yet, or any more, to send it.
        self.catchup |= matches!(event, Event::Config(_) | Event::RunEnd(_));
        let opens = |phase: &Phase| phase.kind() == PhaseKind::Continuous;
        let was_open = |id| self.ledger.position(id).is_some_and(|book| book.phase() == PhaseKind::Continuous);
        let opened = matches!(event, Event::Phase(phase) if opens(phase) && !was_open(phase.instrument));
        let applied = self.ledger.apply(header, event);
        match event {
            Event::Phase(phase) => {
                if opened {
                    self.targets.forget_obstacles_of(phase.instrument);
                }
                self.targets.touch_instrument(phase.instrument);
            }
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
                self.reconcile.asking = false;
                self.alarm(AlarmKind::Disconnected, InstrumentId::NONE, 0, i64::from(broken.reason));
            }
            Event::ResyncEnd(_) => self.resynced(applied),
            Event::Command(command) => self.command(header, command),
            Event::RunStart(start) => self.started(start.after_clean_stop != 0),
            Event::Alarm(alarm) => self.signal_alarm(alarm),
            _ => {}
        }
    }

    fn apply_output(&mut self, header: &Header, event: Event<'_>) {
        match event {
            Event::OrderRequest(request)
                if matches!(request.kind(), Some(RequestKind::Insert | RequestKind::Cancel)) =>
            {
                self.sent_in_calm = true;
            }
            Event::Refusal(_) => {}
            _ => self.calm_until = Nanos::ABSENT,
        }
        self.ledger.apply(header, event);
        match event {
            Event::OrderRequest(request) => self.requested(header, request),
            Event::Refusal(refusal) => {
                let pair = Pair { strategy: refusal.strategy, instrument: refusal.instrument };
                let told = RefusalReason::of(refusal.reason).map(|reason| (reason, refusal.error_code));
                let side = Side::of(refusal.side).map_or(0, side_index);
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
                self.reconcile.roll();
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
                // A stage that trades goes on while the answers come.
                if self.session.readiness == Readiness::Down {
                    self.session.readiness = Readiness::Asked;
                }
                self.reconcile.asked(header.taken_ns);
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
    pub fn reduces_only(&self) -> bool {
        self.overflowing
            || self.journal_low
            || self.set_aside
            || self.mode == Mode::Flatten
            || self.reconcile.effect() != OnDifference::Warn
    }

    /// Whether a difference with the venue's books halts trading.
    #[inline]
    pub(super) fn halted(&self) -> bool {
        self.reconcile.effect == OnDifference::Halt
    }

    /// The pair's net lots.
    pub(super) fn held(&self, pair: Pair) -> Lots {
        self.ledger.strategy_position(pair.strategy, pair.instrument).net
    }

    /// What a row wants in the present mode.
    pub(super) fn wanted(&self, pair: Pair) -> Wanted {
        let wanted = self.targets.get(pair).map_or(Wanted::Nothing, |row| row.wanted);
        match self.mode {
            Mode::Flatten => Wanted::Position { lots: Lots::ZERO, limit: Price::ABSENT, aggressive: true },
            _ => wanted,
        }
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
        #[cfg(test)]
        assert!(!self.poisoned, "a poisoned decision");
        if self.now < self.calm_until {
            let decided = self.decide_targets(out) || self.sent_in_calm && self.decide_timer(out);
            self.sent_in_calm &= decided;
            return decided;
        }
        let decided = self.decide_notice(out)
            || self.decide_resync(out)
            || self.decide_fates(out)
            || self.decide_cancels(out)
            || self.decide_targets(out)
            || self.decide_timer(out);
        self.calm_until = if decided { Nanos::ABSENT } else { self.calm_until() };
        decided
    }
}
