//! Marks of the engine's own life: starts, ends, commands, timers, resyncs, alarms.

use super::{Seq, body};
use crate::instrument::InstrumentId;
use crate::units::{Nanos, Text, TradingDay};

body! {
    /// A timer that was asked for is due.
    Timer = 5, 80 {
        /// What the asker wrote.
        token: u64,
        /// When it was due.
        due_ns: Nanos,
        /// Zero.
        reserved: [u8; 64],
    }
}

body! {
    /// A stage asks for a [`Timer`] event.
    TimerRequest = 64, 80 {
        /// Given back by the timer.
        token: u64,
        /// When.
        due_ns: Nanos,
        /// Zero.
        reserved: [u8; 64],
    }
}

body! {
    /// An operator's command.
    Command = 48, 144 {
        /// Who.
        who: Text<32>,
        /// Why.
        why: Text<64>,
        /// When it was written; it expires ten seconds later.
        written_ns: Nanos,
        /// The contract; none: all.
        instrument: InstrumentId,
        /// [`crate::codes::CommandKind`] code.
        kind: u8,
        /// Zero.
        reserved: [u8; 35],
    }
}

body! {
    /// A process begins to write this journal. The configuration's text follows as [`super::Kind::Config`].
    RunStart = 65, 208 {
        /// Names this run; from the seed in simulated time.
        run_id: u64,
        /// How many starts of this home before.
        start: u32,
        /// Zero.
        pad: u32,
        /// Hash of the configuration's text.
        config_hash: u64,
        /// Wall or simulated time of the start.
        started_ns: Nanos,
        /// The build: version and commit.
        build: Text<48>,
        /// The machine's name; empty in simulated time.
        host: Text<48>,
        /// One in simulated time.
        simulated: u8,
        /// One when the last run ended in order.
        after_clean_stop: u8,
        /// Zero.
        reserved: [u8; 78],
    }
}

body! {
    /// The process ends in order after this.
    RunEnd = 66, 80 {
        /// The run that ends.
        run_id: u64,
        /// When.
        ended_ns: Nanos,
        /// Inputs the stage took in this run.
        inputs: u64,
        /// Outputs it gave.
        outputs: u64,
        /// Zero.
        reserved: [u8; 48],
    }
}

body! {
    /// A stage begins to restate what its neighbour needs, after a start.
    Resync = 67, 80 {
        /// Last event of the neighbour that this stage holds.
        holds: Seq,
        /// Epoch this stage writes from now on.
        epoch: u64,
        /// Zero.
        reserved: [u8; 64],
    }
}

body! {
    /// Something went wrong that people must see.
    Alarm = 68, 80 {
        /// The contract; none when it is about no contract.
        instrument: InstrumentId,
        /// The strategy; zero: none.
        strategy: u32,
        /// The order; zero: none.
        order_ref: u64,
        /// A count or code that belongs to the alarm.
        value: i64,
        /// [`crate::codes::AlarmKind`] code.
        kind: u8,
        /// One when the alarm ends.
        cleared: u8,
        /// Zero.
        reserved: [u8; 54],
    }
}

body! {
    /// The trading day changes: orders of the old day have ended, positions of today become yesterday's.
    DayRoll = 69, 80 {
        /// The day that ended; absent at the first login.
        from: TradingDay,
        /// The day that begins.
        to: TradingDay,
        /// Zero.
        reserved: [u8; 72],
    }
}
