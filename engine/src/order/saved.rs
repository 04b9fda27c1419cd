//! The order stage as bytes and back, for the snapshot at a session's end: what its journal folds to, without the
//! journal. Limits are the configuration's and are made again. A stage is saved at rest, so nothing is left to be told.

use super::operator::Mode;
use super::rate::RateWindow;
use super::reconcile::{OnDifference, Reconcile};
use super::session::{Readiness, Session};
use super::stage::OrderStage;
use super::targets::{Obstacle, Row, Targets, Wanted};
use crate::saved::{Bytes, put_run};
use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};
use shrike_core::codes::RefusalReason;
use shrike_core::ledger::{Capacity, Ledger};
use shrike_core::units::{Lots, Nanos, Price};

/// The stage beside its tables.
#[derive(Clone, Copy, NoUninit, CheckedBitPattern)]
#[repr(C)]
struct SavedHead {
    now: Nanos,
    timer_due: Nanos,
    lost_check_ns: Nanos,
    cancel_upto: u64,
    last_command: u64,
    readiness: Readiness,
    mode: Mode,
    mode_before_stop: Mode,
    resync_wanted: bool,
    reconnecting: bool,
    overflowing: bool,
    journal_low: bool,
    catchup: bool,
    timer_fired: bool,
    alarmed: bool,
    asking: bool,
    unsure: bool,
    effect: OnDifference,
    set_aside: bool,
    pad: [u8; 2],
    ask_ns: Nanos,
    answers: u32,
    rechecks: u32,
}

/// One side of a row.
#[derive(Clone, Copy, PartialEq, Debug, Pod, Zeroable)]
#[repr(C)]
struct SavedSide {
    /// Of a quote: price and lots shown. Of a position: limit and net lots, in the first side.
    price: Price,
    lots: Lots,
    not_at: Price,
    until_ns: Nanos,
    given_up: u64,
    rejects: u32,
    told_error: i32,
    error: i32,
    pad: u32,
    /// The reason last told; 0: none.
    told: u64,
}

/// A row that differs from an empty one.
#[derive(Clone, Copy, PartialEq, NoUninit, CheckedBitPattern)]
#[repr(C)]
struct SavedRow {
    revision: u64,
    sides: [SavedSide; 2],
    kind: SavedKind,
    epoch: u8,
    pad: [u8; 6],
}

#[derive(Clone, Copy, PartialEq, NoUninit, CheckedBitPattern)]
#[repr(u8)]
enum SavedKind {
    Nothing,
    Quote,
    Passive,
    Aggressive,
}

impl From<&Row> for SavedRow {
    fn from(row: &Row) -> Self {
        let nothing = (Price::ABSENT, Lots::ZERO);
        let (kind, wanted) = match row.wanted {
            Wanted::Nothing => (SavedKind::Nothing, [nothing; 2]),
            Wanted::Quote { sides } => (SavedKind::Quote, sides),
            Wanted::Position { lots, limit, aggressive: false } => (SavedKind::Passive, [(limit, lots), nothing]),
            Wanted::Position { lots, limit, aggressive: true } => (SavedKind::Aggressive, [(limit, lots), nothing]),
        };
        let side = |(price, lots), obstacle: Obstacle| SavedSide {
            price,
            lots,
            not_at: obstacle.not_at,
            until_ns: obstacle.until_ns,
            given_up: obstacle.given_up,
            rejects: obstacle.rejects,
            told_error: obstacle.told.map_or(0, |(_, error)| error),
            error: obstacle.error,
            pad: 0,
            told: obstacle.told.map_or(0, |(reason, _)| u64::from(reason.code())),
        };
        let ([first, second], [buy, sell]) = (wanted, row.obstacles);
        let sides = [side(first, buy), side(second, sell)];
        Self { revision: row.revision, sides, kind, epoch: row.epoch, pad: [0; 6] }
    }
}

impl SavedRow {
    fn restore(&self, row: &mut Row) -> Option<()> {
        let [first, second] = self.sides;
        let position = |aggressive| Wanted::Position { lots: first.lots, limit: first.price, aggressive };
        row.wanted = match self.kind {
            SavedKind::Nothing => Wanted::Nothing,
            SavedKind::Quote => Wanted::Quote { sides: [(first.price, first.lots), (second.price, second.lots)] },
            SavedKind::Passive => position(false),
            SavedKind::Aggressive => position(true),
        };
        (row.revision, row.epoch) = (self.revision, self.epoch);
        for (obstacle, side) in row.obstacles.iter_mut().zip(self.sides) {
            let told = match u8::try_from(side.told).ok()? {
                0 => None,
                code => Some((RefusalReason::of(code)?, side.told_error)),
            };
            *obstacle = Obstacle {
                told,
                rejects: side.rejects,
                not_at: side.not_at,
                until_ns: side.until_ns,
                given_up: side.given_up,
                error: side.error,
            };
        }
        Some(())
    }
}

fn put<T: NoUninit>(out: &mut Vec<u8>, value: &T) {
    out.extend_from_slice(bytemuck::bytes_of(value));
}

/// Entries that differ from what the table is made of: how many, then each with its index.
fn put_entries<T: NoUninit>(out: &mut Vec<u8>, entries: impl Iterator<Item = (usize, T)> + Clone) {
    put(out, &(entries.clone().count() as u64));
    for (index, entry) in entries {
        put(out, &(index as u64));
        put(out, &entry);
    }
}

impl Targets {
    fn save(&self, out: &mut Vec<u8>) {
        let empty = SavedRow::from(&Row::default());
        let rows = self.rows.iter().map(SavedRow::from).enumerate();
        put_entries(out, rows.filter(|(_, row)| *row != empty));
    }

    fn load(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        for _ in 0..bytes.u64()? {
            let index = usize::try_from(bytes.u64()?).ok()?;
            let row = self.rows.get_mut(index)?;
            bytes.pod::<SavedRow>()?.restore(row)?;
            if row.wanted != Wanted::Nothing {
                self.stated = self.stated.max(index / self.strategies + 1);
            }
        }
        Some(())
    }
}

impl RateWindow {
    fn save(&self, out: &mut Vec<u8>) {
        put(out, &(self.oldest as u64));
        put_run(out, bytemuck::cast_slice(&self.times));
    }

    fn load(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        self.oldest = usize::try_from(bytes.u64()?).ok().filter(|oldest| *oldest < self.times.len())?;
        let mut times = Bytes(bytes.run()?);
        for time in &mut self.times {
            *time = times.pod()?;
        }
        times.0.is_empty().then_some(())
    }
}

impl OrderStage {
    /// Writes the state for a snapshot. The stage is at rest: its last input leads to nothing more.
    pub fn save(&self, out: &mut Vec<u8>) {
        let Session { readiness, resync_wanted, cancel_upto, lost_check_ns, reconnecting } = self.session;
        let reconcile = &self.reconcile;
        put(
            out,
            &SavedHead {
                now: self.now,
                timer_due: self.timer_due,
                lost_check_ns,
                cancel_upto,
                last_command: self.last_command,
                readiness,
                mode: self.mode,
                mode_before_stop: self.mode_before_stop,
                resync_wanted,
                reconnecting,
                overflowing: self.overflowing,
                journal_low: self.journal_low,
                catchup: self.catchup,
                timer_fired: self.timer_fired,
                alarmed: reconcile.alarmed,
                asking: reconcile.asking,
                unsure: reconcile.unsure,
                effect: reconcile.effect,
                set_aside: self.set_aside,
                pad: [0; 2],
                ask_ns: reconcile.ask_ns,
                answers: reconcile.answers,
                rechecks: reconcile.rechecks,
            },
        );
        let mut ledger = Vec::new();
        self.ledger.snapshot(&mut ledger);
        put_run(out, &ledger);
        put_run(out, bytemuck::cast_slice(&reconcile.rows));
        self.targets.save(out);
        self.order_rate.save(out);
        self.cancel_rate.save(out);
        put_entries(out, self.queried.iter().copied().enumerate().filter(|(_, at)| !at.is_absent()));
    }

    /// Reads what [`Self::save`] wrote into a fresh stage of the same settings and capacity; `None`, and a stage not to
    /// be used, when it does not fit.
    pub fn load(&mut self, bytes: &[u8]) -> Option<()> {
        let mut bytes = Bytes(bytes);
        let head: SavedHead = bytes.pod()?;
        let SavedHead { readiness, resync_wanted, cancel_upto, lost_check_ns, reconnecting, .. } = head;
        self.session = Session { readiness, resync_wanted, cancel_upto, lost_check_ns, reconnecting };
        (self.mode, self.mode_before_stop) = (head.mode, head.mode_before_stop);
        (self.now, self.timer_due, self.last_command) = (head.now, head.timer_due, head.last_command);
        (self.overflowing, self.journal_low) = (head.overflowing, head.journal_low);
        (self.catchup, self.timer_fired) = (head.catchup, head.timer_fired);
        self.set_aside = head.set_aside;
        self.targets.flatten = self.mode == Mode::Flatten;
        let capacity = Capacity {
            instruments: self.limits.len(),
            orders: self.queried.len(),
            strategies: self.targets.strategies.saturating_sub(1),
        };
        self.ledger = Ledger::restore(bytes.run()?, capacity).ok()?;
        for (def, limits) in self.ledger.instruments().iter().zip(&mut self.limits) {
            *limits = self.settings.limits_of(def);
        }
        let SavedHead { alarmed, asking, unsure, effect, ask_ns, answers, rechecks, .. } = head;
        let mut suspects = Bytes(bytes.run()?);
        let mut rows = Vec::with_capacity(self.reconcile.rows.capacity());
        while !suspects.0.is_empty() {
            rows.push(suspects.pod()?);
        }
        self.reconcile = Reconcile { rows, alarmed, asking, unsure, effect, ask_ns, answers, rechecks };
        self.targets.load(&mut bytes)?;
        self.order_rate.load(&mut bytes)?;
        self.cancel_rate.load(&mut bytes)?;
        for _ in 0..bytes.u64()? {
            let order = usize::try_from(bytes.u64()?).ok()?;
            *self.queried.get_mut(order)? = bytes.pod()?;
        }
        bytes.0.is_empty().then_some(())
    }
}
