//! The venue's books beside ours: which differences stand, what the configuration wants done about them, and when the
//! venue is asked again. Each complete answer goes in; differences, alarms and their ends come out. On the order stage's
//! thread, while it trades.
//!
//! What happens between a question and its answer is no difference: a fill may be in the venue's positions before it is
//! told, or be told while the positions are on their way. So a difference *stands* when two complete answers in a row show
//! the same numbers on both sides; where the numbers move from answer to answer, because the contract trades, it stands
//! after [`MOVING_ANSWERS`] answers that show the same distance. While one is in doubt the venue is asked again soon. It
//! ends with the first complete answer that does not show it.

use super::notices::Notice;
use super::stage::OrderStage;
use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};
use shrike_core::codes::AlarmKind;
use shrike_core::event::Difference;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Text};

/// What a difference that stands does, from the least to the most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, NoUninit, CheckedBitPattern)]
#[repr(u8)]
pub enum OnDifference {
    /// It is told.
    #[default]
    Warn,
    /// Nothing is opened while it stands.
    BlockOpening,
    /// Our orders are cancelled, and nothing is sent while it stands.
    Halt,
}

/// How often the books are compared, and what a difference does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReconcileSettings {
    /// From one answer to the next question; zero: only after starts and logins.
    pub interval_ns: u64,
    /// For lots held.
    pub positions: OnDifference,
    /// For orders whose fills the venue counts and never told.
    pub orders: OnDifference,
    /// For money.
    pub funds: OnDifference,
    /// Money that may differ, in units of 1e-8.
    pub funds_tolerance: i64,
}

impl ReconcileSettings {
    fn of(&self, instrument: InstrumentId, order_ref: u64) -> OnDifference {
        match (instrument, order_ref) {
            (InstrumentId::NONE, 0) => self.funds,
            (_, 0) => self.positions,
            _ => self.orders,
        }
    }

    fn tolerates(&self, difference: &Difference) -> bool {
        let is_money = difference.instrument == InstrumentId::NONE && difference.order_ref == 0;
        is_money && difference.ours.abs_diff(difference.venue) <= self.funds_tolerance.unsigned_abs()
    }
}

/// Answers that must show the same distance between numbers that move.
pub const MOVING_ANSWERS: u32 = 4;
/// While a difference is in doubt, how long after an answer the next question is put.
const RECHECK_NS: u64 = Nanos::PER_SECOND;
/// A question that stays without an answer is put again after this.
const UNANSWERED_NS: u64 = 60 * Nanos::PER_SECOND;
/// Questions in a row that a doubt may bring forward: numbers that never rest must not keep the venue busy.
const RECHECKS_MAX: u32 = 8;
/// Differences kept apart; an account with more has people at it already.
const ROWS_MAX: usize = 1_024;

/// A difference, in doubt or standing.
#[derive(Clone, Copy, PartialEq, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Suspect {
    /// What differs.
    pub field: Text<24>,
    /// The order it is about; zero: none.
    pub order_ref: u64,
    /// Our number, in the unit of the field.
    pub ours: i64,
    /// The venue's number.
    pub venue: i64,
    /// Since when it stands; absent: it is in doubt.
    pub since_ns: Nanos,
    /// The distance that was told.
    told: i64,
    /// The contract; none: it is about money.
    pub instrument: InstrumentId,
    /// Answers in a row that showed this distance.
    seen: u32,
    /// The answer that showed it last.
    answer: u32,
    /// One when the numbers moved between those answers.
    moved: u8,
    /// One when the operator goes on with it.
    accepted: u8,
    pad: [u8; 2],
}

impl Suspect {
    const fn distance(&self) -> i64 {
        self.ours.saturating_sub(self.venue)
    }

    /// Whether it stands.
    pub const fn stands(&self) -> bool {
        !self.since_ns.is_absent()
    }

    /// Whether the operator goes on with it as it is.
    pub const fn is_accepted(&self) -> bool {
        self.accepted != 0
    }

    fn is(&self, difference: &Difference) -> bool {
        (self.instrument, self.order_ref, self.field) == (difference.instrument, difference.order_ref, difference.field)
    }

    /// One more answer shows it.
    fn see(&mut self, difference: &Difference, answer: u32) {
        let same = difference.ours.saturating_sub(difference.venue) == self.distance();
        let moved = same && difference.ours != self.ours;
        (self.seen, self.moved) = if same { (self.seen + 1, self.moved | u8::from(moved)) } else { (1, 0) };
        (self.ours, self.venue, self.answer) = (difference.ours, difference.venue, answer);
    }

    /// Whether it is sure and not told as it is now.
    fn is_news(&self) -> bool {
        let sure = self.seen >= if self.moved == 0 { 2 } else { MOVING_ANSWERS };
        sure && (!self.stands() || self.told != self.distance())
    }

    fn difference(&self) -> Difference {
        let Self { instrument, order_ref, field, ours, venue, .. } = *self;
        Difference { instrument, order_ref, field, ours, venue, ..Difference::default() }
    }
}

/// The differences, and what follows from them.
#[derive(Clone, Debug)]
pub struct Reconcile {
    pub(super) rows: Vec<Suspect>,
    /// Counts the complete answers.
    pub(super) answers: u32,
    /// When the next question is put; absent: not by time.
    pub(super) ask_ns: Nanos,
    /// Questions in a row that a doubt brought forward.
    pub(super) rechecks: u32,
    /// Differences were told that have not all ended.
    pub(super) alarmed: bool,
    /// A question is under way.
    pub(super) asking: bool,
    /// Since a start or login, a difference that would block is in doubt: nothing is opened until it is settled.
    pub(super) unsure: bool,
    /// What the differences that stand, and were not accepted, do.
    pub(super) effect: OnDifference,
}

impl Default for Reconcile {
    fn default() -> Self {
        Self {
            rows: Vec::with_capacity(ROWS_MAX),
            answers: 0,
            ask_ns: Nanos::ABSENT,
            rechecks: 0,
            alarmed: false,
            asking: false,
            unsure: false,
            effect: OnDifference::Warn,
        }
    }
}

impl Reconcile {
    /// What the differences that stand do now; those in doubt since a start block opening.
    #[inline]
    pub fn effect(&self) -> OnDifference {
        if self.unsure { self.effect.max(OnDifference::BlockOpening) } else { self.effect }
    }

    /// Complete answers so far.
    pub const fn answers(&self) -> u32 {
        self.answers
    }

    /// The differences that stand.
    pub fn standing(&self) -> impl Iterator<Item = &Suspect> {
        self.rows.iter().filter(|row| row.stands())
    }

    /// Whether the venue is to be asked again soon, because a difference is in doubt.
    #[inline]
    pub(super) fn asks_soon(&self) -> bool {
        (1..=RECHECKS_MAX).contains(&self.rechecks) && !self.asking
    }

    fn doubts(&self) -> bool {
        self.rows.iter().any(|row| !row.stands() || row.told != row.distance())
    }

    fn note(&mut self, difference: &Difference) {
        let answer = self.answers;
        let room = self.rows.len() < ROWS_MAX;
        match self.rows.iter_mut().find(|row| row.is(difference)) {
            Some(row) => row.see(difference, answer),
            None if room => {
                let Difference { instrument, order_ref, field, ours, venue, .. } = *difference;
                let row = Suspect { instrument, order_ref, field, ours, venue, seen: 1, answer, ..Zeroable::zeroed() };
                self.rows.push(row);
            }
            None => {}
        }
    }

    fn weigh(&mut self, settings: &ReconcileSettings) {
        let counts = self.rows.iter().filter(|row| row.stands() && !row.is_accepted());
        self.effect = counts.map(|row| settings.of(row.instrument, row.order_ref)).max().unwrap_or_default();
        let blocks = |row: &Suspect| settings.of(row.instrument, row.order_ref) > OnDifference::Warn;
        self.unsure &= self.rows.iter().any(|row| !row.stands() && blocks(row));
    }

    /// A new trading day: what stood in the last one must be seen in this.
    pub(super) fn roll(&mut self) {
        for row in &mut self.rows {
            (row.since_ns, row.seen, row.moved, row.accepted) = (Nanos::ABSENT, 1, 0, 0);
        }
    }

    /// A new process: what stood before is told again once an answer of this run shows it.
    pub(super) fn start(&mut self) {
        self.roll();
        (self.asking, self.unsure, self.alarmed, self.effect) = (false, false, false, OnDifference::Warn);
    }

    /// The question is put.
    pub(super) fn asked(&mut self, now: Nanos) {
        self.asking = true;
        if !self.ask_ns.is_absent() {
            self.ask_ns = now.after(UNANSWERED_NS);
        }
    }
}

impl OrderStage {
    /// The books beside the venue's.
    pub const fn reconcile(&self) -> &Reconcile {
        &self.reconcile
    }

    /// A complete answer is in. `after_login`: the stage waited for it.
    pub(super) fn compare(&mut self, after_login: bool) {
        let (settings, now, before) = (self.settings.reconcile, self.now, self.reconcile.effect());
        let Self { ledger, reconcile, notices, .. } = self;
        reconcile.asking = false;
        reconcile.answers = reconcile.answers.wrapping_add(1);
        ledger.differences(|difference| {
            if !settings.tolerates(&difference) {
                reconcile.note(&difference);
            }
        });
        let (answer, day) = (reconcile.answers, ledger.trading_day());
        reconcile.rows.retain(|row| {
            if row.answer != answer && row.stands() {
                let settled = Difference { trading_day: day, settled: 1, ..row.difference() };
                notices.push(Notice::Difference(settled));
            }
            row.answer == answer
        });
        let mut news = 0;
        for row in reconcile.rows.iter_mut().filter(|row| row.is_news()) {
            news += 1;
            (row.told, row.accepted) = (row.distance(), 0);
            row.since_ns = if row.stands() { row.since_ns } else { now };
            notices.push(Notice::Difference(Difference { trading_day: day, ..row.difference() }));
        }
        reconcile.unsure |= after_login;
        reconcile.weigh(&settings);
        let stand = reconcile.standing().count() as i64;
        reconcile.rechecks = if reconcile.doubts() { reconcile.rechecks.saturating_add(1) } else { 0 };
        if ledger.is_taking_over() {
            // Nothing is sent before that is over.
            reconcile.rechecks = reconcile.rechecks.clamp(1, RECHECKS_MAX);
        }
        reconcile.ask_ns = match (reconcile.rechecks, settings.interval_ns) {
            (1..=RECHECKS_MAX, _) => now.after(RECHECK_NS),
            (_, 0) => Nanos::ABSENT,
            (_, interval_ns) => now.after(interval_ns),
        };
        let over = std::mem::replace(&mut reconcile.alarmed, stand > 0) && stand == 0;
        if news > 0 {
            self.alarm(AlarmKind::Mismatch, InstrumentId::NONE, 0, stand);
        } else if over {
            self.all_clear(AlarmKind::Mismatch);
        }
        self.effect_changes(before);
    }

    /// What the day's first answer changed in our books is told: each difference, and that it is over. The alarm stands
    /// until the next answer.
    pub(super) fn tell_taken_over(&mut self) {
        let settings = self.settings.reconcile;
        let changed = self.ledger.taken_over().iter().filter(|difference| !settings.tolerates(difference));
        let before = self.notices.len();
        for &difference in changed {
            self.notices.push(Notice::Difference(difference));
            self.notices.push(Notice::Difference(Difference { settled: 1, ..difference }));
        }
        let lines = (self.notices.len() - before) / 2;
        if lines > 0 {
            self.reconcile.alarmed = true;
            self.alarm(AlarmKind::Mismatch, InstrumentId::NONE, 0, lines as i64);
        }
    }

    /// The operator goes on with the differences as they stand.
    pub(super) fn accept_differences(&mut self) {
        let before = self.reconcile.effect();
        for row in self.reconcile.rows.iter_mut().filter(|row| row.stands()) {
            row.accepted = 1;
        }
        self.reconcile.unsure = false;
        self.reconcile.weigh(&self.settings.reconcile);
        self.effect_changes(before);
    }

    /// Says which effect begins and which ends.
    fn effect_changes(&mut self, before: OnDifference) {
        let after = self.reconcile.effect();
        if before == after {
            return;
        }
        let stand = self.reconcile.standing().count() as i64;
        for (effect, kind) in
            [(OnDifference::BlockOpening, AlarmKind::OpeningBlocked), (OnDifference::Halt, AlarmKind::Halted)]
        {
            if before == effect {
                self.all_clear(kind);
            }
            if after == effect {
                self.alarm(kind, InstrumentId::NONE, 0, stand);
            }
        }
        self.targets.touch_all();
    }
}
