//! What people let the engine do: their commands, the mode these leave it in, and the alarms of the runtime that turn
//! opening off. On the order stage's thread.

use super::stage::OrderStage;
use bytemuck::{CheckedBitPattern, NoUninit};
use shrike_core::codes::{AlarmKind, CommandKind};
use shrike_core::event::{Alarm, Command, Header};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::Nanos;

/// What the operator lets the engine do. Journaled commands set it; it lasts over restarts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, NoUninit, CheckedBitPattern)]
#[repr(u8)]
pub enum Mode {
    /// Trade.
    #[default]
    Trade,
    /// Watch; working orders are pulled, none is sent.
    Observe,
    /// Cancelled all; none is sent.
    Halt,
    /// Bring every position to zero.
    Flatten,
    /// The engine is stopping: no new orders, and ours are cancelled where the policy says so.
    Stopping,
}

impl Mode {
    /// The mode after a command.
    pub const fn after(self, command: CommandKind) -> Self {
        match command {
            CommandKind::Observe => Self::Observe,
            CommandKind::Resume => Self::Trade,
            CommandKind::Flatten => Self::Flatten,
            CommandKind::Halt => Self::Halt,
            CommandKind::Stop => Self::Stopping,
            CommandKind::CancelAll => self,
        }
    }

    /// Whether targets are pursued.
    pub const fn trades(self) -> bool {
        matches!(self, Self::Trade | Self::Flatten)
    }
}

/// A command is dropped when it is older than this as it is taken.
pub const COMMAND_LIFE_NS: u64 = 10 * Nanos::PER_SECOND;

impl OrderStage {
    /// Whether the engine may stop: it is asked to, and no order that the policy cancels is live.
    pub fn may_stop(&self) -> bool {
        self.mode == Mode::Stopping && (!self.settings.cancel_on_stop || self.own_live().next().is_none())
    }

    pub(super) fn command(&mut self, header: &Header, command: &Command) {
        #[cfg(test)]
        {
            assert_ne!(command.why.as_str(), "poison", "a poisoned event");
            self.poisoned |= command.why.as_str() == "poison decisions";
        }
        if !seeded::on(Bug::CommandTwice) {
            self.last_command = self.last_command.max(header.cause.n());
        }
        let Some(kind) = CommandKind::of(command.kind) else { return };
        if self.now.since(command.written_ns) > COMMAND_LIFE_NS && !seeded::on(Bug::OldCommandTaken) {
            return;
        }
        // What stops, stops: until the process ends, another command is for the next start.
        if self.mode == Mode::Stopping {
            if kind != CommandKind::Stop {
                self.mode_before_stop = self.mode_before_stop.after(kind);
            }
        } else {
            self.mode_before_stop = self.mode;
            self.mode = self.mode.after(kind);
        }
        self.targets.flatten = self.mode == Mode::Flatten;
        if kind == CommandKind::Resume {
            self.accept_differences();
            if std::mem::take(&mut self.set_aside) {
                self.all_clear(AlarmKind::EventSetAside);
            }
            self.targets.forget_obstacles();
        }
        if kind == CommandKind::CancelAll {
            self.session.cancel_upto = self.ledger.next_ref().saturating_sub(1);
        }
        self.targets.touch_all();
    }

    pub(super) fn signal_alarm(&mut self, alarm: &Alarm) {
        if alarm.kind == AlarmKind::StrategyFailed.code() {
            self.targets.pull_quotes(alarm.strategy);
        } else if alarm.kind == AlarmKind::RingOverflow.code() {
            self.overflowing = alarm.cleared == 0;
        } else if alarm.kind == AlarmKind::JournalLow.code() {
            self.journal_low = alarm.cleared == 0;
        } else if alarm.kind == AlarmKind::EventSetAside.code() {
            self.set_aside = alarm.cleared == 0;
        }
    }
}
