//! Rows of what others built, beside ours in the same run and at the same work: queues between two threads, logs and
//! encodings of an event, and whole engines over the same ticks. A row's note says how many times ours it takes.

mod encodings;
mod engines;
mod log;
mod queues;

use shrike_bench::{Budget, Figures, Host, Outcome, Row, Samples};

/// The rows, in the order of the table.
pub fn rows() -> Vec<Row> {
    let row = |name, measure: fn(&mut Host) -> Outcome| Row { name, budget: Budget::None, measure };
    let mut rows = queues::rows();
    rows.extend(log::rows());
    rows.extend(encodings::rows());
    rows.extend(engines::rows());
    rows.into_iter().map(|(name, measure)| row(name, measure)).collect()
}

/// A row without a budget.
type Peer = (&'static str, fn(&mut Host) -> Outcome);

/// The middle of some figures; zero where there are none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Batches of ours and of a peer's in turn, so that whatever slows the host slows both: the peer's figures, with ours and the
/// ratio of the medians in the note. Beside it the ratio of the means of 256 batches, the median of all such: there what is
/// put off counts, such as a buffer's writing.
fn in_turn<E>(
    host: &Host,
    samples: u64,
    batch: u64,
    mut ours: impl FnMut() -> Result<(), E>,
    mut theirs: impl FnMut() -> Result<(), E>,
) -> Result<Figures, E> {
    let (mut our_samples, mut their_samples, mut ratios) = (Samples::new(), Samples::new(), Vec::new());
    let (mut ours_ns, mut theirs_ns) = (0, 0);
    let clock = host.clock.clone();
    let samples = host.repetitions(samples);
    for sample in 1..=samples {
        let start = clock.now();
        for _ in 0..batch {
            ours()?;
        }
        let between = clock.now();
        for _ in 0..batch {
            theirs()?;
        }
        let end = clock.now();
        our_samples.batch(between.since(start), batch);
        their_samples.batch(end.since(between), batch);
        ours_ns += between.since(start);
        theirs_ns += end.since(between);
        if sample % 256 == 0 || sample == samples {
            ratios.push(theirs_ns as f64 / ours_ns as f64);
            (ours_ns, theirs_ns) = (0, 0);
        }
    }
    let mut figures = their_samples.figures(1.0);
    let ours = our_samples.figures(1.0).p50;
    figures.note = Some(format!(
        "ours {ours:.1} ns, this {:.2} x ours, {:.2} x by the means of 256 batches",
        figures.p50 / ours,
        median(ratios)
    ));
    Ok(figures)
}
