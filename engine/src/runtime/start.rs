//! Starting: folds both journals into fresh stages, journals who starts with which configuration, and lets the stages
//! catch each other up on what one recorded and the other never took.

use super::failures::{Failure, Quarantine};
use super::inline::Inline;
use super::journals::Journals;
use super::stages::{Nodes, Route, Stages, Stopped};
use crate::order::OrderStage;
use crate::saved::Bytes;
use crate::signal::SignalStage;
use crate::stage::{OutSlot, Stage};
use crate::witness::{At, Witness};
use shrike_core::clock::Clock;
use shrike_core::codes::{AlarmKind, StageId};
use shrike_core::event::{Alarm, Event, Header, Kind, MarketSlot, ReportSlot, RequestSlot, RunStart, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::seeded::{self, Bug};
use shrike_core::units::Nanos;
use shrike_journal::snapshot::Place;
use shrike_journal::{ReadError, Reader, Record, Segments};

/// What folding looks out for.
#[derive(Clone, Debug, Default)]
pub(super) struct Care {
    /// Events that are left out.
    pub(super) quarantine: Quarantine,
    /// Who sees at which event it panics.
    pub(super) witness: Witness,
}

/// What folding a journal found.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldReport {
    /// Records folded.
    pub records: u64,
    /// The last record's time.
    pub taken_ns: Nanos,
    /// The last event taken from the feed.
    pub last_feed: Seq,
    /// The last event taken from the gateway.
    pub last_gateway: Seq,
    /// The last event taken from the other stage.
    pub last_neighbour: Seq,
    /// The last output of this stage that goes to the other.
    pub last_given: Seq,
    /// The last event taken from the simulated exchange's journal.
    pub last_exchange: Seq,
    /// Starts recorded.
    pub starts: u32,
    /// Whether the journal ends with an orderly end.
    pub clean: bool,
    /// Up to where the journal is folded.
    pub end: Place,
}

impl FoldReport {
    #[inline]
    fn note(&mut self, header: &Header, gives: bool) {
        self.records += 1;
        self.taken_ns = header.taken_ns;
        self.clean = header.kind == Kind::RunEnd as u16;
        self.starts += u32::from(header.kind == Kind::RunStart as u16);
        if header.has(flags::OUTPUT) {
            if gives {
                self.last_given = header.seq;
            }
            return;
        }
        let last = match header.cause.stage() {
            Some(StageId::Feed) => &mut self.last_feed,
            Some(StageId::Gateway) => &mut self.last_gateway,
            Some(StageId::Exchange) => &mut self.last_exchange,
            Some(StageId::Signal | StageId::Order) => &mut self.last_neighbour,
            _ => return,
        };
        *last = (*last).max(header.cause);
    }

    /// Writes what was found for a snapshot; the snapshot itself holds the place.
    pub(super) fn save(&self, out: &mut Vec<u8>) {
        let Self { records, taken_ns, last_feed, last_gateway, last_neighbour, last_given, last_exchange, .. } = *self;
        let seqs = [last_feed, last_gateway, last_neighbour, last_given, last_exchange];
        out.extend_from_slice(bytemuck::cast_slice(&[records, taken_ns.get()]));
        out.extend_from_slice(bytemuck::cast_slice(&seqs));
        out.extend_from_slice(bytemuck::cast_slice(&[u64::from(self.starts), u64::from(self.clean)]));
    }

    /// Reads what [`Self::save`] wrote.
    pub(super) fn load(bytes: &mut Bytes<'_>, end: Place) -> Option<Self> {
        Some(Self {
            records: bytes.u64()?,
            taken_ns: bytes.pod()?,
            last_feed: bytes.pod()?,
            last_gateway: bytes.pod()?,
            last_neighbour: bytes.pod()?,
            last_given: bytes.pod()?,
            last_exchange: bytes.pod()?,
            starts: u32::try_from(bytes.u64()?).ok()?,
            clean: bytes.u64()? != 0,
            end,
        })
    }
}

/// Folds a journal into the signal stage.
///
/// # Errors
/// When the journal is corrupt or cannot be read.
pub fn fold_signal<D: Segments>(journal: Reader<D>, stage: &mut SignalStage) -> Result<FoldReport, ReadError> {
    go_on_signal(journal, FoldReport::default(), stage, &Care::default())
}

/// Folds a journal into the order stage.
///
/// # Errors
/// As [`fold_signal`].
pub fn fold_order<D: Segments>(journal: Reader<D>, stage: &mut OrderStage) -> Result<FoldReport, ReadError> {
    go_on_order(journal, FoldReport::default(), stage, &Care::default())
}

/// Folds what follows `before` in the signal journal.
pub(super) fn go_on_signal<D: Segments>(
    journal: Reader<D>,
    before: FoldReport,
    stage: &mut SignalStage,
    care: &Care,
) -> Result<FoldReport, ReadError> {
    go_on(journal, before, care, |_| true, |record| stage.apply(record.header, record.event()))
}

/// Folds what follows `before` in the order journal.
pub(super) fn go_on_order<D: Segments>(
    journal: Reader<D>,
    before: FoldReport,
    stage: &mut OrderStage,
    care: &Care,
) -> Result<FoldReport, ReadError> {
    go_on(journal, before, care, goes_to_signal, |record| {
        let (sent, input) = (record.header.has(flags::OUTPUT), record.header);
        if sent && (seeded::on(Bug::RecoverySkipsOutputs) || seeded::on(Bug::RecoveryDecides)) {
            return;
        }
        stage.apply(record.header, record.event());
        if seeded::on(Bug::RecoveryDecides) {
            seeded_decisions(stage, input);
        }
    })
}

/// What folding the signal journal would find, without a stage.
pub(super) fn note_signal<D: Segments>(journal: Reader<D>, before: FoldReport) -> Result<FoldReport, ReadError> {
    go_on(journal, before, &Care::default(), |_| true, |_| {})
}

/// What folding the order journal would find, without a stage.
pub(super) fn note_order<D: Segments>(journal: Reader<D>, before: FoldReport) -> Result<FoldReport, ReadError> {
    go_on(journal, before, &Care::default(), goes_to_signal, |_| {})
}

/// What [`Bug::RecoveryDecides`] does after each input.
#[cold]
fn seeded_decisions(stage: &mut OrderStage, input: &Header) {
    let mut out = Box::<OutSlot>::default();
    while stage.decide(&mut out) {
        *out.header_mut() = Header { flags: flags::OUTPUT, taken_ns: input.taken_ns, ..*out.header() };
        stage.apply(out.header(), out.event());
    }
}

fn goes_to_signal(header: &Header) -> bool {
    Route::of(header.kind) == Route::Signal
}

/// Reads a journal on from where `before` ends.
fn go_on<D: Segments>(
    mut reader: Reader<D>,
    before: FoldReport,
    care: &Care,
    gives: impl Fn(&Header) -> bool,
    mut apply: impl FnMut(&Record<'_>),
) -> Result<FoldReport, ReadError> {
    let mut report = before;
    if !before.end.next_seq.is_absent() && !seeded::on(Bug::SnapshotFoldedTwice) {
        reader.go_on(before.end.position, before.end.next_seq);
    }
    let mut at = At::new(&care.witness);
    while let Some(record) = reader.next()? {
        at.begin(record.header.seq, record.header.kind);
        if !care.quarantine.holds(record.header.seq) {
            apply(&record);
        }
        report.note(record.header, gives(record.header));
    }
    at.end();
    report.end = Place { position: reader.position(), next_seq: reader.due() };
    Ok(report)
}

/// What both journals hold at a start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Folded {
    /// The signal journal.
    pub signal: FoldReport,
    /// The order journal.
    pub order: FoldReport,
}

/// Journals the start in both journals, restates and resends; returns the stages and the requests that came of it.
pub(super) fn begin<J: Journals>(
    nodes: Nodes<J::Log>,
    folded: &Folded,
    clock: &Clock,
    start: &RunStart,
    config: &str,
    set_aside: Option<&Failure>,
    journals: &J,
) -> Result<(Nodes<J::Log>, Vec<RequestSlot>), BeginError> {
    let mut nodes = nodes;
    let now = clock.now();
    let mark = Header { kind: Kind::Config as u16, version: 1, recv_ns: now, ..Header::default() };
    let text = Event::Config(config.as_bytes());
    let started = Header { kind: Kind::RunStart as u16, ..mark };
    let mut inline = {
        // The configuration stands first in each journal; it leads to no output.
        nodes.signal.take(now, &mark, text, |_| {}).map_err(|_| Stopped)?;
        nodes.order.take(now, &mark, text, |_| {}).map_err(|_| Stopped)?;
        Inline::new(nodes, clock.clone(), 1_024)
    };
    let mut requests = Vec::new();
    let mut sink = |slot: &RequestSlot| requests.push(*slot);
    let mut report = ReportSlot::default();
    report.put(start);
    *report.header_mut() = Header { len: report.header().len, ..started };
    inline.report(&report, &mut sink)?;
    inline.settle(&mut sink)?;
    if let Some(failure) = set_aside {
        let (value, kind) = (failure.seq.raw() as i64, AlarmKind::EventSetAside.code());
        report.put(&Alarm { instrument: InstrumentId::NONE, value, kind, ..Alarm::default() });
        *report.header_mut() = Header {
            len: report.header().len,
            kind: Kind::Alarm as u16,
            recv_ns: now,
            version: 1,
            ..Header::default()
        };
        inline.report(&report, &mut sink)?;
        inline.settle(&mut sink)?;
    }
    let mut market = MarketSlot::default();
    market.put(start);
    *market.header_mut() = Header { len: market.header().len, ..started };
    inline.market(&market, &mut sink)?;
    inline.settle(&mut sink)?;

    // What one stage recorded for the other, and the other's journal does not hold.
    if folded.order.last_given > folded.signal.last_neighbour && !seeded::on(Bug::NoResend) {
        let (held, last) = (folded.signal.last_neighbour, folded.order.last_given);
        resend(journals.reader(StageId::Order)?, held, last, goes_to_signal, |slot| inline.market(slot, &mut sink))?;
    }
    if folded.signal.last_given > folded.order.last_neighbour {
        let mut report = ReportSlot::default();
        resend(
            journals.reader(StageId::Signal)?,
            folded.order.last_neighbour,
            folded.signal.last_given,
            |_| true,
            |slot| {
                report.copy_from(slot.header(), slot.body());
                inline.report(&report, &mut sink)
            },
        )?;
    }
    inline.settle(&mut sink)?;
    Ok((inline.finish(), requests))
}

/// Why a start failed.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A stage stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Gives the outputs after `held`, up to `last`, again.
fn resend<D: Segments>(
    mut reader: Reader<D>,
    held: Seq,
    last: Seq,
    wanted: impl Fn(&Header) -> bool,
    mut give: impl FnMut(&MarketSlot) -> Result<(), Stopped>,
) -> Result<(), BeginError> {
    reader.seek(held.next())?;
    let mut slot = MarketSlot::default();
    while let Some(record) = reader.next()? {
        let header = record.header;
        if header.seq > last {
            break;
        }
        if header.has(flags::OUTPUT) && header.seq > held && wanted(header) && slot.copy_from(header, record.body) {
            slot.header_mut().flags |= flags::RESENT;
            give(&slot)?;
        }
    }
    Ok(())
}
