//! The snapshot at a session's end, and starting from it: what both journals fold to up to a pair of places. It is left
//! after an orderly end when every contract is shut and no order lives, and only spares time: where it does not fit, the
//! journals are folded from their start. On the thread that opens and runs the engine.

use super::journals::Journals;
use super::start::{Care, FoldReport, Folded, go_on_order, go_on_signal, note_order, note_signal};
use crate::order::OrderStage;
use crate::saved::{Bytes, put_run};
use crate::signal::SignalStage;
use shrike_core::codes::{PhaseKind, StageId};
use shrike_core::event::Seq;
use shrike_core::seeded::{self, Bug};
use shrike_core::units::Text;
use shrike_journal::ReadError;
use shrike_journal::snapshot::{Snapshot, SnapshotError};
use std::path::PathBuf;

/// What a snapshot must have been written under to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Written {
    pub(super) config_hash: u64,
    pub(super) build: Text<48>,
}

/// The stages as their journals leave them.
pub(super) struct Recovered {
    pub(super) signal: SignalStage,
    pub(super) order: OrderStage,
    pub(super) folded: Folded,
}

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
enum Unused {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("{}: not used, the journals are folded instead: {why}", file.display())]
    Unfit { file: PathBuf, why: String },
}

/// Brings fresh stages to the end of their journals, `ends`: from the snapshot where it fits, else from the start.
/// Says in `notes` which, where there is a snapshot.
///
/// # Errors
/// When a journal is corrupt or cannot be read.
pub(super) fn recover(
    journals: &mut impl Journals,
    written: &Written,
    ends: [Seq; 2],
    fresh: impl Fn() -> (SignalStage, OrderStage),
    care: &Care,
    notes: &mut Vec<String>,
) -> Result<Recovered, ReadError> {
    match from_snapshot(journals, written, ends, &fresh, care) {
        Ok(Some((recovered, after))) => {
            notes.push(format!("started from the snapshot; {after} records came after it"));
            return Ok(recovered);
        }
        Ok(None) => {}
        Err(unused) => notes.push(unused.to_string()),
    }
    let (mut signal, mut order) = fresh();
    let folded = Folded {
        signal: go_on_signal(journals.reader(StageId::Signal)?, FoldReport::default(), &mut signal, care)?,
        order: go_on_order(journals.reader(StageId::Order)?, FoldReport::default(), &mut order, care)?,
    };
    Ok(Recovered { signal, order, folded })
}

/// The stages as the snapshot and what follows it leave them, and how many records followed.
fn from_snapshot(
    journals: &mut impl Journals,
    written: &Written,
    ends: [Seq; 2],
    fresh: &impl Fn() -> (SignalStage, OrderStage),
    care: &Care,
) -> Result<Option<(Recovered, u64)>, Unused> {
    let Some(snapshot) = journals.snapshot()? else { return Ok(None) };
    let file = journals.snapshot_file();
    let unfit = |why: String| Unused::Unfit { file: file.clone(), why };
    if snapshot.config_hash != written.config_hash {
        return Err(unfit("it was left by a run of another configuration".into()));
    }
    if snapshot.build != written.build {
        return Err(unfit(format!("it was left by another build, {}", snapshot.build)));
    }
    let (mut signal, mut order) = fresh();
    let before = load(&snapshot, &mut signal, &mut order)
        .ok_or_else(|| unfit("its state is not that of these stages".into()))?;
    let unread = |error: ReadError| unfit(format!("the journals do not go on from it: {error}"));
    let folded = Folded {
        signal: journals
            .reader(StageId::Signal)
            .and_then(|journal| go_on_signal(journal, before.signal, &mut signal, care))
            .map_err(unread)?,
        order: journals
            .reader(StageId::Order)
            .and_then(|journal| go_on_order(journal, before.order, &mut order, care))
            .map_err(unread)?,
    };
    let beyond = [folded.signal.end.next_seq, folded.order.end.next_seq] != ends;
    if beyond && !seeded::on(Bug::SnapshotBeyondEnd) {
        // Were it kept, other records might one day stand where it ends.
        journals.drop_snapshot().map_err(|source| SnapshotError::Io { file: file.clone(), source })?;
        return Err(unfit("the journals end before it; it is removed".into()));
    }
    let after = folded.signal.records + folded.order.records - before.signal.records - before.order.records;
    Ok(Some((Recovered { signal, order, folded }, after)))
}

fn load(snapshot: &Snapshot, signal: &mut SignalStage, order: &mut OrderStage) -> Option<Folded> {
    let mut bytes = Bytes(&snapshot.state);
    let folded = Folded {
        signal: FoldReport::load(&mut bytes, snapshot.signal)?,
        order: FoldReport::load(&mut bytes, snapshot.order)?,
    };
    signal.load(bytes.run()?)?;
    order.load(bytes.run()?)?;
    bytes.0.is_empty().then_some(folded)
}

/// Whether the market is shut and nothing is at the venue.
fn is_quiet(order: &OrderStage) -> bool {
    let ledger = order.ledger();
    ledger.live_count() == 0 && ledger.positions().all(|(_, book)| book.phase() == PhaseKind::Shut)
}

/// Leaves a snapshot of stages whose journals are closed, where the moment is one for it. `begun` is what the journals
/// held when the run began. Reads once over what the run wrote.
///
/// # Errors
/// When the journals cannot be read or the disk does not take it. An earlier snapshot is still there then.
pub(super) fn leave(
    journals: &mut impl Journals,
    written: &Written,
    begun: &Folded,
    (signal, order): (&SignalStage, &OrderStage),
) -> Result<(), LeaveError> {
    if !is_quiet(order) {
        return Ok(());
    }
    let folded = Folded {
        signal: note_signal(journals.reader(StageId::Signal)?, begun.signal)?,
        order: note_order(journals.reader(StageId::Order)?, begun.order)?,
    };
    let (mut state, mut stage) = (Vec::new(), Vec::new());
    folded.signal.save(&mut state);
    folded.order.save(&mut state);
    signal.save(&mut stage);
    put_run(&mut state, &stage);
    stage.clear();
    order.save(&mut stage);
    put_run(&mut state, &stage);
    let Written { config_hash, build } = *written;
    let snapshot = Snapshot { signal: folded.signal.end, order: folded.order.end, config_hash, build, state };
    Ok(journals.keep_snapshot(&snapshot)?)
}

/// Why no snapshot was left.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeaveError {
    #[error("no snapshot was left, the next start folds the journals: {0}")]
    Read(#[from] ReadError),
    #[error("no snapshot was left, the next start folds the journals: {0}; check the disk of the home")]
    Io(#[from] std::io::Error),
}
