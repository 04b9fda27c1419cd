//! Folds the journals into fresh stages, as a start does, and tells what they hold.

use super::{Args, Journals};
use crate::books::Books;
use crate::console::Progress;
use crate::error::Error;
use serde::Serialize;
use shrike_core::event::Kind;
use shrike_core::units::Nanos;
use shrike_engine::runtime::Quarantine;
use shrike_engine::stage::Stage;
use shrike_journal::Reader;
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// What the stages hold.
#[derive(Clone, Debug, Serialize)]
pub struct Rebuilt {
    /// One for each journal folded.
    pub journals: Vec<Folded>,
    /// The order stage's books.
    pub books: Option<Books>,
    /// How far the order stage is with the venue, and what the operator lets it do.
    pub order_stage: Option<String>,
}

/// One journal folded.
#[derive(Clone, Debug, Serialize)]
pub struct Folded {
    /// Its name.
    pub journal: &'static str,
    /// Records folded.
    pub records: u64,
    /// Runs begun.
    pub runs: u64,
    /// When the last record was taken.
    pub last_ns: u64,
    /// A number over the whole state: equal states have equal digests.
    pub digest: String,
    /// Seconds that folding took.
    pub seconds: f64,
}

/// Rebuilds the stages.
pub(super) fn rebuild(args: &Args, journals: &Journals) -> Result<Rebuilt, Error> {
    let config = journals.given.clone().unwrap_or_else(|| journals.last_config());
    let (mut signal, mut order) = journals.stages(&config)?;
    let mut rebuilt = Rebuilt { journals: Vec::new(), books: None, order_stage: None };
    for (name, dir, runs) in journals.each() {
        let began = Instant::now();
        let (records, last_ns) = match name {
            "signal" => fold(name, dir, &journals.set_aside, &mut signal)?,
            _ => fold(name, dir, &journals.set_aside, &mut order)?,
        };
        let seconds = began.elapsed().as_secs_f64();
        let digest = match name {
            "signal" => {
                let mut state = Vec::new();
                signal.save(&mut state);
                crate::verify::fnv1a(&state)
            }
            _ => order.ledger().digest(),
        };
        rebuilt.journals.push(Folded {
            journal: name,
            records,
            runs: runs.len() as u64,
            last_ns: last_ns.get(),
            digest: format!("{digest:016x}"),
            seconds,
        });
    }
    if args.only != Some(super::Only::Signal) {
        rebuilt.books = Some(Books::of(order.ledger()));
        rebuilt.order_stage = Some(format!("{:?}, mode {:?}", order.readiness(), order.mode()).to_lowercase());
    }
    Ok(rebuilt)
}

fn fold(name: &'static str, dir: &Path, set_aside: &Quarantine, stage: &mut impl Stage) -> Result<(u64, Nanos), Error> {
    let mut reader = Reader::open(dir)?;
    let mut progress = Progress::new(name);
    let (mut records, mut last_ns) = (0u64, Nanos::ABSENT);
    while let Some(record) = reader.next()? {
        if !set_aside.holds(record.header.seq) {
            stage.apply(record.header, record.event());
        }
        if record.header.kind != Kind::Config as u16 {
            last_ns = record.header.taken_ns;
        }
        records += 1;
        if records.is_multiple_of(65_536) {
            progress.show(records);
        }
    }
    Ok((records, last_ns))
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "journal      records   runs  last record              digest            seconds")?;
        for folded in &self.journals {
            let Folded { journal, records, runs, last_ns, digest, seconds } = folded;
            let last = format!("{:.3}", Nanos::new(*last_ns));
            writeln!(f, "{journal:<8}{records:>12}{runs:>7}  {last:<23}  {digest}  {seconds:.2}")?;
        }
        if let Some(state) = &self.order_stage {
            writeln!(f, "order stage: {state}")?;
        }
        match &self.books {
            Some(books) => write!(f, "{books}"),
            None => Ok(()),
        }
    }
}
