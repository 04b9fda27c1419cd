//! Decides every output again, run by run under each run's own configuration or all under a given one, and tells the
//! differences in words.

use super::{Args, Journals};
use crate::console::Progress;
use crate::error::Error;
use crate::fields::differing;
use crate::names::{Kept, Names};
use crate::words::{What, instrument_of, time_of};
use serde::Serialize;
use shrike_core::event::{Event, Header, Kind, Seq};
use shrike_core::instrument::Instruments;
use shrike_engine::replay::{Mismatch, RunSpan, VerifyReport, verify};
use shrike_journal::Reader;
use std::fmt;
use std::path::Path;

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// One for each stage and stretch of runs under one configuration.
    pub spans: Vec<Span>,
    /// What changed in the configuration between runs, or from a run's own to the one given.
    pub changes: Vec<ConfigChange>,
    /// The first differences of each stage.
    pub shown: Vec<Difference>,
    /// All differences.
    pub differences: u64,
    /// All outputs compared.
    pub outputs: u64,
    /// Inputs left out because they were set aside after starts that failed.
    pub set_aside: u64,
    /// Whether one configuration was given for all runs.
    pub under_given_config: bool,
}

/// A stretch of runs of one stage that was decided again.
#[derive(Clone, Debug, Serialize)]
pub struct Span {
    /// The stage.
    pub stage: &'static str,
    /// The first run, from one.
    pub first_run: usize,
    /// The last run.
    pub last_run: usize,
    /// Inputs decided upon.
    pub inputs: u64,
    /// Outputs compared.
    pub outputs: u64,
    /// Outputs that differ.
    pub differences: u64,
    /// Inputs whose outputs a crash cut.
    pub cut: u64,
}

/// One key of the configuration that changed.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigChange {
    /// The run before which it changed; with a given configuration, the run whose own differs from it.
    pub run: usize,
    /// The change in words.
    pub change: String,
}

/// One output that differs.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The stage.
    pub stage: &'static str,
    /// The input decided upon.
    pub input: String,
    /// The recorded output in words; null: there is none.
    pub recorded: Option<String>,
    /// What is decided now; null: nothing.
    pub decided: Option<String>,
    /// Field, recorded value, value decided now.
    pub fields: Vec<(&'static str, String, String)>,
}

/// Verifies the journals.
pub(super) fn compare(args: &Args, journals: &Journals) -> Result<Compared, Error> {
    let mut compared = Compared {
        spans: Vec::new(),
        changes: Vec::new(),
        shown: Vec::new(),
        differences: 0,
        outputs: 0,
        set_aside: 0,
        under_given_config: journals.given.is_some(),
    };
    if let Some((_, _, runs)) = journals.each().last() {
        compared.changes = changes(runs, journals.given.as_deref())?;
    }
    let set_aside = &journals.set_aside;
    for (stage, dir, runs) in journals.each() {
        let mut found = Found { kept: Vec::new(), most: args.show, names: Names::default() };
        for stretch in stretches(runs, journals.given.as_deref()) {
            let (mut signal, mut order) = journals.stages(stretch.config)?;
            let mut progress = Progress::new(stage);
            let (span, mut show) = ((stretch.from, stretch.to), |records| progress.show(records));
            let mut differs = |mismatch| found.add(mismatch);
            let report = match stage {
                "signal" => verify(Reader::open(dir)?, &mut signal, span, set_aside, &mut differs, &mut show)?,
                _ => verify(Reader::open(dir)?, &mut order, span, set_aside, &mut differs, &mut show)?,
            };
            drop(progress);
            found.name(match stage {
                "signal" => signal.market().instruments(),
                _ => order.ledger().instruments(),
            });
            let VerifyReport { inputs, outputs, differences, cut, set_aside: left_out } = report;
            let (first_run, last_run) = (stretch.first + 1, stretch.last + 1);
            compared.set_aside += left_out;
            compared.spans.push(Span { stage, first_run, last_run, inputs, outputs, differences, cut });
            compared.differences += differences;
            compared.outputs += outputs;
        }
        found.tell(stage, dir, &mut compared.shown)?;
    }
    Ok(compared)
}

/// Consecutive runs under one configuration.
struct Stretch<'a> {
    first: usize,
    last: usize,
    from: Seq,
    /// The next stretch's first record; absent: the end.
    to: Seq,
    config: &'a str,
}

fn stretches<'a>(runs: &'a [RunSpan], given: Option<&'a str>) -> Vec<Stretch<'a>> {
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let config = given.unwrap_or(&run.config);
        match stretches.last_mut() {
            Some(stretch) if stretch.config == config => stretch.last = at,
            last => {
                if let Some(before) = last {
                    before.to = run.first;
                }
                stretches.push(Stretch { first: at, last: at, from: run.first, to: Seq::ABSENT, config });
            }
        }
    }
    stretches
}

/// What changed from run to run, or from each run's configuration to the one given.
fn changes(runs: &[RunSpan], given: Option<&str>) -> Result<Vec<ConfigChange>, Error> {
    let mut changes = Vec::new();
    let mut before: Option<&str> = None;
    for (at, run) in runs.iter().enumerate() {
        let (old, new) = match given {
            Some(given) => (run.config.as_str(), given),
            None => (before.replace(&run.config).unwrap_or(&run.config), run.config.as_str()),
        };
        if old != new {
            let told = shrike_config::diff(old, new)?;
            changes.extend(told.iter().map(|change| ConfigChange { run: at + 1, change: change.to_string() }));
        }
    }
    Ok(changes)
}

/// The first differences, kept until the symbols are known.
struct Found {
    kept: Vec<Different>,
    most: usize,
    names: Names,
}

/// A difference as found: its input's header, and both outputs.
struct Different {
    input: Header,
    recorded: Option<Kept>,
    decided: Option<Kept>,
}

impl Found {
    fn add(&mut self, mismatch: Mismatch) {
        if self.kept.len() < self.most {
            let keep = |(header, body): (Header, Vec<u8>)| Kept::new(&header, &body);
            self.kept.push(Different {
                input: mismatch.input,
                recorded: mismatch.recorded.map(keep),
                decided: mismatch.decided.map(keep),
            });
        }
    }

    fn name(&mut self, instruments: &Instruments) {
        instruments.iter().for_each(|def| self.names.learn(Event::InstrumentDef(def)));
    }

    /// Reads the inputs again and tells each difference.
    fn tell(self, stage: &'static str, dir: &Path, shown: &mut Vec<Difference>) -> Result<(), Error> {
        let names = &self.names;
        for Different { input, recorded, decided } in self.kept {
            let mut reader = Reader::open(dir)?;
            reader.seek(input.seq)?;
            let record = reader.next()?;
            let event = record.as_ref().map_or(Event::Config(&[]), |record| record.event());
            let words = |kept: &Kept| {
                let symbol =
                    instrument_of(kept.event()).map_or_else(String::new, |id| format!(" {}", names.symbol(id)));
                let kind = Kind::of(kept.header.kind).map_or("?", Kind::name);
                format!("{kind}{symbol}: {}", What { event: kept.event(), names })
            };
            let fields = match (&recorded, &decided) {
                (Some(recorded), Some(decided)) if recorded.header.kind == decided.header.kind => {
                    differing(recorded.event(), decided.event(), names)
                }
                _ => Vec::new(),
            };
            shown.push(Difference {
                stage,
                input: format!(
                    "{} {:.3} {}: {}",
                    input.seq,
                    time_of(&input, event),
                    Kind::of(input.kind).map_or("?", Kind::name),
                    What { event, names }
                ),
                recorded: recorded.as_ref().map(words),
                decided: decided.as_ref().map(words),
                fields: fields.into_iter().map(|(name, old, new)| (name, old.to_string(), new.to_string())).collect(),
            });
        }
        Ok(())
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = 0;
        for ConfigChange { run, change } in &self.changes {
            if *run != told {
                told = *run;
                match self.under_given_config {
                    true => writeln!(f, "the configuration of run {run}, and the one given:")?,
                    false => writeln!(f, "the configuration changed before run {run}:")?,
                }
            }
            writeln!(f, "  {change}")?;
        }
        writeln!(f, "stage      runs         inputs     outputs  differences  cut by a crash")?;
        for Span { stage, first_run, last_run, inputs, outputs, differences, cut } in &self.spans {
            let runs = if first_run == last_run { first_run.to_string() } else { format!("{first_run}-{last_run}") };
            writeln!(f, "{stage:<10} {runs:<8}{inputs:>11} {outputs:>11} {differences:>12} {cut:>15}")?;
        }
        if self.set_aside > 0 {
            writeln!(f, "{} inputs are left out: the home's `quarantine` lists them", self.set_aside)?;
        }
        for difference in &self.shown {
            writeln!(f, "{}", difference.input)?;
            writeln!(f, "  recorded  {}", difference.recorded.as_deref().unwrap_or("nothing"))?;
            writeln!(f, "  decided   {}", difference.decided.as_deref().unwrap_or("nothing"))?;
            for (field, recorded, decided) in &difference.fields {
                writeln!(f, "    {field}: {recorded} -> {decided}")?;
            }
        }
        let more = self.differences.saturating_sub(self.shown.len() as u64);
        if more > 0 {
            writeln!(f, "and {more} more (--show N prints more of them)")?;
        }
        writeln!(f, "{} differences in {} outputs", self.differences, self.outputs)
    }
}
