//! Replay: rebuilds a stage from its journal, and verifies that the recorded inputs lead to the recorded outputs, bit for
//! bit. Only here are decisions taken again, and only to compare them: the state follows the recorded facts.

use crate::runtime::Quarantine;
use crate::stage::{OutSlot, Stage};
use shrike_core::event::{Event, Header, Kind, Seq, flags};
use shrike_journal::{ReadError, Reader, Segments};

/// One run found in a journal: from its configuration record to the next run's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSpan {
    /// The run's first record.
    pub first: Seq,
    /// The configuration under which it ran.
    pub config: String,
}

/// The runs of a journal, in order.
///
/// # Errors
/// When the journal is corrupt or cannot be read.
pub fn runs<D: Segments>(mut journal: Reader<D>) -> Result<Vec<RunSpan>, ReadError> {
    let mut spans = Vec::new();
    while let Some(record) = journal.next()? {
        if let Event::Config(text) = record.event() {
            let config = String::from_utf8_lossy(text).into_owned();
            spans.push(RunSpan { first: record.header.seq, config });
        }
    }
    Ok(spans)
}

/// Where a decision differs from the record.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The input decided upon.
    pub input: Header,
    /// The recorded output, if there is one.
    pub recorded: Option<(Header, Vec<u8>)>,
    /// The output decided now, if there is one.
    pub decided: Option<(Header, Vec<u8>)>,
}

/// What a verification found.
#[derive(Clone, Copy, Default, Debug)]
pub struct VerifyReport {
    /// Inputs decided upon again.
    pub inputs: u64,
    /// Outputs compared.
    pub outputs: u64,
    /// Outputs that differ, are missing or are too many.
    pub differences: u64,
    /// Inputs whose outputs were cut by a crash; what follows them is not a difference.
    pub cut: u64,
    /// Records left out because they were set aside.
    pub set_aside: u64,
}

/// Decides again every record from `from` up to `to` (exclusive; absent: the end), after folding what stands before.
/// What was set aside is left out, as it is when the engine starts. Each difference is shown to `differs`.
///
/// # Errors
/// When the journal is corrupt or cannot be read.
pub fn verify<D: Segments>(
    mut journal: Reader<D>,
    stage: &mut impl Stage,
    (from, to): (Seq, Seq),
    set_aside: &Quarantine,
    differs: &mut dyn FnMut(Mismatch),
    progress: &mut dyn FnMut(u64),
) -> Result<VerifyReport, ReadError> {
    let mut check = Check { out: Box::default(), input: None, report: VerifyReport::default() };
    let mut records = 0u64;
    while let Some(record) = journal.next()? {
        let (header, event) = (record.header, record.event());
        records += 1;
        if records.is_multiple_of(65_536) {
            progress(records);
        }
        let left_out = set_aside.holds(header.seq);
        if header.seq < from {
            if !left_out {
                stage.apply(header, event);
            }
            continue;
        }
        if !to.is_absent() && header.seq >= to {
            // The next run begins: what the last input still led to was cut by the crash between them.
            check.report.cut += u64::from(check.input.take().is_some() && stage.decide(&mut check.out));
            return Ok(check.report);
        }
        if left_out {
            // What came before it must be complete. Its own outputs, if it had any, are folded and not compared.
            if !header.has(flags::OUTPUT) {
                check.end_input(stage, false, differs);
            }
            check.input = None;
            check.report.set_aside += 1;
            continue;
        }
        if header.has(flags::OUTPUT) {
            check.output(stage, header, record.body, differs);
        } else {
            check.end_input(stage, header.kind == Kind::Config as u16, differs);
            check.input = Some(*header);
            check.report.inputs += 1;
        }
        stage.apply(header, event);
    }
    // The journal may end in the middle of an input's outputs: a live engine, or a crash.
    check.report.cut += u64::from(check.input.take().is_some() && stage.decide(&mut check.out));
    Ok(check.report)
}

struct Check {
    out: Box<OutSlot>,
    input: Option<Header>,
    report: VerifyReport,
}

impl Check {
    /// Decides the next output and compares it with the record.
    #[inline]
    fn output(&mut self, stage: &mut impl Stage, header: &Header, body: &[u8], differs: &mut dyn FnMut(Mismatch)) {
        self.report.outputs += 1;
        let Some(input) = self.input else { return };
        let decided = stage.decide(&mut self.out);
        let same = decided
            && self.out.header().kind == header.kind
            && self.out.header().version == header.version
            && self.out.body() == body
            && header.cause == input.seq
            && header.taken_ns == input.taken_ns
            && header.recv_ns == input.recv_ns;
        if !same {
            self.report.differences += 1;
            let decided = decided.then(|| (*self.out.header(), self.out.body().to_vec()));
            differs(Mismatch { input, recorded: Some((*header, body.to_vec())), decided });
        }
    }

    /// The input before is over: it must lead to nothing more. Before a new start that is not a difference: the crash
    /// came between an output and the next.
    #[inline]
    fn end_input(&mut self, stage: &mut impl Stage, restart: bool, differs: &mut dyn FnMut(Mismatch)) {
        let Some(input) = self.input else { return };
        if !stage.decide(&mut self.out) {
            return;
        }
        if restart {
            self.report.cut += 1;
            return;
        }
        self.report.differences += 1;
        let decided = Some((*self.out.header(), self.out.body().to_vec()));
        differs(Mismatch { input, recorded: None, decided });
    }
}
