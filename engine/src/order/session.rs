//! Whether orders may be sent: the login, the resync after it, orders whose fate is unknown, and the operator's mode.

use bytemuck::{CheckedBitPattern, NoUninit};
use shrike_core::codes::CommandKind;
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
