//! Mistakes that are planted on purpose, so that the tests which promise to find such mistakes can be seen to do so. Each
//! stands as `if seeded::on(Bug::…)` where a programmer might have made it. Without the cargo feature `seeded-bugs`
//! [`on`] is the constant false and nothing of them is compiled; with it one at a time is planted for the whole process,
//! by `plant` or by the variable `SHRIKE_SEEDED_BUG`, which names it.

macro_rules! bugs {
    ($($(#[doc = $what:literal])+ $bug:ident $name:literal,)+) => {
        /// A mistake that can be planted. Its documentation says what the engine then does wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Bug {
            $($(#[doc = $what])+ $bug,)+
        }

        impl Bug {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$bug),+];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$bug => $name,)+ }
            }

            /// What the engine then does wrong.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$bug => concat!($($what),+).trim_ascii(),)+ }
            }
        }
    };
}

bugs! {
    // ---- the ledger ----
    /// A fill that the venue tells again is booked again.
    FillRepeated "fill-repeated",
    /// A fill is named without its side: the second one of a match between two orders of the account is dropped.
    FillKeyWithoutSide "fill-key-without-side",
    /// A fill that comes after its order was cancelled is dropped.
    LateFillDropped "late-fill-dropped",
    /// A fill finds its order by our number alone, whatever session used that number.
    FillByNumberAlone "fill-by-number-alone",
    /// A report finds its order by our number alone, whatever session used that number.
    ReportByNumberAlone "report-by-number-alone",
    /// A report's count of traded lots replaces a higher one that came before it.
    TradedNotMax "traded-not-max",
    /// A cancelled order counts as ended although fills that the venue counts are still to be told.
    FillsOwedForgotten "fills-owed-forgotten",
    /// A cancel that is under way counts as done: the order leaves the limits.
    CancelPendingFree "cancel-pending-free",
    /// A lost order counts as dead in the limits.
    LostFree "lost-free",
    /// A partly filled order still counts with all its lots.
    FilledLotsStillWorking "filled-lots-still-working",
    /// An order that is not ours is not counted.
    WildFree "wild-free",
    /// The counter's refusal ends an order that the exchange has queued.
    RefusalEndsQueued "refusal-ends-queued",
    /// A report of another trading day is taken as one of today.
    OtherDayTaken "other-day-taken",
    /// A close of today's lots takes lots of earlier days where there are any.
    CloseTodayOfYesterday "close-today-of-yesterday",
    /// Lots that a working order closes may be closed once more.
    FrozenForgotten "frozen-forgotten",
    /// Today's lots stay today's over the day roll.
    RollKeepsToday "roll-keeps-today",
    /// The trade numbers of the day before are not forgotten: a fill that bears one of them again is dropped.
    RollKeepsFills "roll-keeps-fills",
    /// Each fill is charged the fees of all fills of the day again.
    FeeTwice "fee-twice",
    /// Today's lots bear no margin.
    TodayWithoutMargin "today-without-margin",
    /// A login sets our next number to the counter's own, below what was used.
    NumberReused "number-reused",
    /// The end of an earlier session's answers completes the question of this one.
    OldAnswersTaken "old-answers-taken",
    /// An order that a restatement names keeps its absences of before.
    AbsenceNotReset "absence-not-reset",

    // ---- the order stage ----
    /// A position limit lets one lot more pass.
    PositionLimitByOne "position-limit-by-one",
    /// The position limit counts what is held, and not what works.
    WorkingNotInLimit "working-not-in-limit",
    /// A rate window lets one request more pass.
    RateLimitByOne "rate-limit-by-one",
    /// While only reducing is allowed, orders are opened.
    ReduceOnlyOpens "reduce-only-opens",
    /// Orders are opened on a quote of any age.
    StaleQuoteOpens "stale-quote-opens",
    /// An order may trade against another strategy's.
    SelfTradeAcross "self-trade-across",
    /// The rate limit of orders holds back cancels.
    CancelUnderOrderRate "cancel-under-order-rate",
    /// A position is reduced by opening the other side before what is held is closed.
    OpensBeforeClosing "opens-before-closing",
    /// What the venue refused for good is sent again.
    GiveUpForgotten "give-up-forgotten",
    /// A lost order is dead after one restatement without it.
    LostDeadAtOnce "lost-dead-at-once",
    /// After a crash the next order takes the number after the last in the journal, which may have lost some.
    NoRoomForLostNumbers "no-room-for-lost-numbers",
    /// An order that a restarted counter names otherwise is taken for somebody else's.
    RenamedNotFound "renamed-not-found",
    /// After a day roll our lots and balance stand as they were reckoned, whatever the venue says.
    RollTakesNothingOver "roll-takes-nothing-over",
    /// Answers to the session that sent an order still count, in the next session, as answers that lack it.
    OldAbsenceCounts "old-absence-counts",
    /// A lost order is dead although the session that sent it still lives.
    LostDeadInSession "lost-dead-in-session",
    /// After a reconnect on the same day the stage trades on without a resync.
    ReconcileSkipped "reconcile-skipped",
    /// A stated intent replaces a later one that overtook it.
    OldIntentTaken "old-intent-taken",
    /// The number of the last command is not kept: a restart runs it once more.
    CommandTwice "command-twice",
    /// A command of any age is carried out.
    OldCommandTaken "old-command-taken",
    /// A timer that was asked for before a restart is still waited for.
    TimerLost "timer-lost",

    // ---- the runtime ----
    /// A request is sent before it is journaled.
    SendBeforeJournal "send-before-journal",
    /// Recovery decides anew instead of folding what was sent.
    RecoveryDecides "recovery-decides",
    /// Recovery folds what came in, and not what went out.
    RecoverySkipsOutputs "recovery-skips-outputs",
    /// A journal that was cut before what the other stage holds goes on with the numbers that were cut.
    NoEpoch "no-epoch",
    /// The signal stage does not state its intents again at a start.
    NoRestatement "no-restatement",
    /// The signal stage is not told again what its cut journal lacks.
    NoResend "no-resend",
    /// A snapshot beyond the end of the journals is trusted.
    SnapshotBeyondEnd "snapshot-beyond-end",
    /// From a snapshot, recovery folds the journals from their start on.
    SnapshotFoldedTwice "snapshot-folded-twice",

    // ---- the journal ----
    /// The check sum covers the header alone.
    CrcOfHeaderOnly "crc-of-header-only",
    /// The reader does not look at the check sum.
    CrcUnchecked "crc-unchecked",
    /// The reader takes a record of any number.
    NumberUnchecked "number-unchecked",
    /// The length word is stored before the record's bytes.
    LengthFirst "length-first",
    /// The durable mark runs one line ahead of the data.
    MarkAhead "mark-ahead",
    /// The writer's synced mark moves before the data are synced.
    SyncedBeforeData "synced-before-data",
    /// Plain records go into the reserve.
    ReserveOverwritten "reserve-overwritten",
    /// Damage below the durable mark is cut like a torn end.
    CorruptionCut "corruption-cut",
    /// Segments beyond the end of a recovered journal are left in place.
    StraySegmentsKept "stray-segments-kept",
}

impl Bug {
    /// The one of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| bug.name() == name)
    }
}

/// Whether this mistake is planted. Always false in a build without the feature `seeded-bugs`.
#[cfg(not(feature = "seeded-bugs"))]
#[inline(always)]
pub const fn on(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "seeded-bugs")]
mod planted {
    use super::Bug;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Names the mistake that is planted from the start, so that any test can be run with it.
    const VARIABLE: &str = "SHRIKE_SEEDED_BUG";
    /// Nobody has asked yet.
    const UNREAD: u8 = u8::MAX;

    /// The number of the planted mistake, from 1; zero: none.
    static PLANTED: AtomicU8 = AtomicU8::new(UNREAD);

    const fn number(bug: Option<Bug>) -> u8 {
        match bug {
            Some(bug) => bug as u8 + 1,
            None => 0,
        }
    }

    fn read() -> u8 {
        let told = PLANTED.load(Ordering::Relaxed);
        if told != UNREAD {
            return told;
        }
        let named = std::env::var(VARIABLE).ok().and_then(|name| Bug::of(&name));
        PLANTED.store(number(named), Ordering::Relaxed);
        number(named)
    }

    /// Whether this mistake is planted.
    #[inline]
    pub fn on(bug: Bug) -> bool {
        read() == number(Some(bug))
    }

    /// Plants one mistake in the whole process, in the place of the one before; `None`: none.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.store(number(bug), Ordering::Relaxed);
    }

    /// The mistake that is planted.
    pub fn planted() -> Option<Bug> {
        Bug::ALL.get(usize::from(read()).checked_sub(1)?).copied()
    }
}

#[cfg(feature = "seeded-bugs")]
pub use planted::{on, plant, planted};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_its_own_and_is_found() {
        let names: BTreeSet<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), Bug::ALL.len());
        assert!(Bug::ALL.iter().all(|&bug| Bug::of(bug.name()) == Some(bug) && !bug.what().is_empty()));
        assert_eq!(Bug::of("no-such-bug"), None);
    }

    #[cfg(not(feature = "seeded-bugs"))]
    #[test]
    fn without_the_feature_none_is_planted() {
        const { assert!(!on(Bug::FillRepeated)) };
        assert!(!Bug::ALL.iter().any(|&bug| on(bug)));
    }
}
