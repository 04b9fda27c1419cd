//! Whether orders may be sent: starts and logins, the resync after each, and which of our orders are pulled before trading
//! goes on. On the order stage's thread.

use super::notices::Notice;
use super::operator::Mode;
use super::stage::OrderStage;
use crate::stage::OutSlot;
use bytemuck::{CheckedBitPattern, NoUninit};
use shrike_core::codes::{AlarmKind, RequestKind};
use shrike_core::event::OrderRequest;
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Applied, Ignored, Order, OrderIndex};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::Nanos;

/// How far the stage is with the venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, NoUninit, CheckedBitPattern)]
#[repr(u8)]
pub enum Readiness {
    /// Not logged in, or the connection is lost.
    #[default]
    Down,
    /// A resync is under way.
    Asked,
    /// The books are compared; our working orders of before are being cancelled, as the policy says.
    Settling,
    /// Orders may be sent.
    Ready,
}

/// The state of the session with the venue, folded from facts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// How far it is.
    pub readiness: Readiness,
    /// A resync is wanted and not yet requested.
    pub resync_wanted: bool,
    /// Our live orders with numbers up to this are cancelled, whatever the targets want.
    pub cancel_upto: u64,
    /// When a lost order is asked for again; absent: none is waiting.
    pub lost_check_ns: Nanos,
    /// Whether the connection broke since the last resync.
    pub reconnecting: bool,
}

impl OrderStage {
    pub(super) fn login(&mut self) {
        if let Some(roll) = self.ledger.roll_due() {
            self.tell(Notice::DayRoll(roll));
        }
        if seeded::on(Bug::ReconcileSkipped) && self.session.reconnecting && self.ledger.roll_due().is_none() {
            self.session.readiness = Readiness::Settling;
        } else if self.session.readiness != Readiness::Asked {
            self.session.readiness = Readiness::Down;
            self.session.resync_wanted = true;
            self.reconcile.asking = false;
        }
    }

    /// The venue's books are complete: compare, and see which of our orders it does not know.
    pub(super) fn resynced(&mut self, applied: Applied) {
        if !self.reconcile.asking || applied == Applied::Ignored(Ignored::Outdated) {
            return;
        }
        if !matches!(applied, Applied::Restated { .. }) {
            // The answers of a session or day that is over: ours were not asked of this one.
            self.session.resync_wanted = true;
            return;
        }
        let waited = self.session.readiness == Readiness::Asked;
        self.compare(waited);
        self.tell_taken_over();
        if self.ledger.is_taking_over() {
            return;
        }
        // One that was absent twice has been asked for often enough on this session.
        if self.own_live().any(|(_, order)| order.absent_restatements == 1) {
            self.session.lost_check_ns = self.now.after(self.settings.lost_grace_ns);
        }
        if waited {
            self.session.readiness = Readiness::Settling;
            self.targets.touch_all();
        }
    }

    pub(super) fn started(&mut self, after_clean_stop: bool) {
        self.session.readiness = Readiness::Down;
        self.session.resync_wanted = !self.ledger.trading_day().is_absent();
        self.session.reconnecting = false;
        self.reconcile.start();
        if self.set_aside {
            self.alarm(AlarmKind::EventSetAside, InstrumentId::NONE, 0, 0);
        }
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

    /// Orders of before the start are cancelled before the first new one; then the stage is ready.
    pub(super) fn settle(&mut self) {
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
            Mode::Trade | Mode::Flatten => self.halted(),
        };
        let upto = self.session.cancel_upto;
        self.own_live().filter(move |(_, order)| all || order.order_ref <= upto)
    }

    /// A resync when one is wanted: after a login or start, because a lost order waits for its second absence, or because
    /// it is time to compare the books.
    pub(super) fn decide_resync(&mut self, out: &mut OutSlot) -> bool {
        let has_come = |at: Nanos| !at.is_absent() && self.now >= at;
        let answered = matches!(self.session.readiness, Readiness::Settling | Readiness::Ready)
            || self.ledger.is_taking_over() && !self.reconcile.asking;
        let timed = has_come(self.session.lost_check_ns) || has_come(self.reconcile.ask_ns);
        let due = self.session.resync_wanted || timed && answered;
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
}
