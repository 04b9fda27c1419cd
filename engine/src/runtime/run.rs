//! One run of the engine over a home: open and fold, start, let the edge release events, stop in order.

use super::edge::{Commands, Edge, EdgeEnd, Pace, first};
use super::failures::{Failure, Failures, Opened};
use super::home::{Home, HomeError};
use super::inline::Inline;
use super::journals::Journals;
use super::log::StageJournal;
use super::pipeline::{Pipeline, PipelinePlan};
use super::snapshot::{self, Recovered, Written};
use super::stages::{Nodes, Stages, Stopped};
use super::start::{BeginError, Care, Folded, begin};
use crate::order::OrderStage;
use crate::signal::SignalStage;
use crate::stage::{Counts, Driver};
use crate::witness::Witness;
use shrike_core::clock::Clock;
use shrike_core::codes::StageId;
use shrike_core::event::{Event, Header, Kind, RunEnd, RunStart, Seq};
use shrike_core::seeded::{self, Bug};
use shrike_core::thread::{ThreadPlan, lock_memory, place};
use shrike_core::units::{Nanos, Text};
use shrike_core::venue::{Gateway, MarketFeed};
use shrike_journal::{OpenError, ReadError, Recovery, WriterOptions};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A home opened by this process, its journals recovered and folded.
pub struct Engine<J: Journals = Home> {
    home: J,
    nodes: Nodes<J::Log>,
    folded: Folded,
    recoveries: [Recovery; 2],
    notes: Vec<String>,
    topology: Topology,
    edge: ThreadPlan,
    lock_memory: bool,
    written: Written,
    run_id: u64,
    care: Care,
    set_aside: Option<Failure>,
    opened: Opened,
}

/// Which stages share a thread.
#[derive(Clone, Debug)]
pub enum Topology {
    /// All on the edge's.
    Inline,
    /// Each on its own.
    Pipeline(PipelinePlan),
}

/// How a run begins; from the configuration.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The topology.
    pub topology: Topology,
    /// How the signal and the order journal are written.
    pub journals: [WriterOptions; 2],
    /// Whether a request waits until its record is on disk; not in simulated time.
    pub orders_sync: bool,
    /// The core of the edge's thread, and its priority.
    pub edge: ThreadPlan,
    /// Whether the process's memory is locked at the start of a run; not in simulated time.
    pub lock_memory: bool,
    /// Version and commit of the program.
    pub build: String,
    /// Names the configuration. A snapshot is used under the same one only.
    pub config_hash: u64,
    /// Names the run: from the seed in simulated time.
    pub run_id: u64,
}

/// Why a run cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The home is in use or unusable.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A journal cannot be opened for writing.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A stage panicked at an event.
    #[error(
        "a stage failed at the event {0}. Start again: after two failures in a row at one place the next start leaves that \
         event out and only reduces"
    )]
    Panicked(Failure),
    /// A stage has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A home has seen more host crashes than epochs can be counted.
    #[error("{0}: start a new home, and keep this one for its records")]
    Epoch(shrike_journal::EpochError),
    /// The journals' disk did not take the last of them.
    #[error(
        "the journals cannot be copied to their disk ({0}): make room there, then start again; what is missing is kept \
         in journal.live_dir as long as the host runs"
    )]
    Copy(std::io::Error),
    /// The system gave no thread, or no file.
    #[error("the system refused: {0}")]
    Io(#[from] std::io::Error),
}

impl From<BeginError> for RunError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Stopped(stopped) => Self::Stopped(stopped),
            BeginError::Read(read) => Self::Read(read),
        }
    }
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// Why it ended.
    pub end: EdgeEnd,
    /// Inputs and outputs of the signal stage.
    pub signal: Counts,
    /// Inputs and outputs of the order stage.
    pub order: Counts,
    /// The last event's time.
    pub ended_ns: Nanos,
}

impl Engine {
    /// Locks the home, recovers its journals and folds them into `fresh` stages, from the snapshot of the last session's
    /// end where it fits.
    ///
    /// # Errors
    /// When the home is in use, or a journal is corrupt.
    pub fn open(
        home: &Path,
        fresh: impl Fn() -> (SignalStage, OrderStage),
        options: EngineOptions,
    ) -> Result<Self, RunError> {
        let holder = format!("shrike run, process {}", std::process::id());
        Self::over(Home::open(home, &holder)?, fresh, options)
    }
}

impl<J: Journals> Engine<J> {
    /// The same where the journals are `home`'s, wherever it keeps them.
    ///
    /// # Errors
    /// When a journal is corrupt or cannot be written.
    pub fn over(
        mut home: J,
        fresh: impl Fn() -> (SignalStage, OrderStage),
        options: EngineOptions,
    ) -> Result<Self, RunError> {
        let [signal_options, order_options] = options.journals;
        let (mut signal_log, signal_recovery) = home.log(signal_options, false)?;
        let (mut order_log, order_recovery) = home.log(order_options, options.orders_sync)?;
        let build = Text::new(options.build.as_bytes()).unwrap_or_default();
        let written = Written { config_hash: options.config_hash, build };
        let (ends, mut notes) = ([signal_recovery.next_seq, order_recovery.next_seq], Vec::new());
        let (failures, opened) = (home.failures(), Opened::now());
        let (care, set_aside) = take_care(failures.as_ref(), &mut notes)?;
        let recovered =
            catch_unwind(AssertUnwindSafe(|| snapshot::recover(&mut home, &written, ends, fresh, &care, &mut notes)));
        let Recovered { signal, order, folded } = match recovered {
            Ok(recovered) => recovered?,
            Err(panic) => return Err(failed(failures.as_ref(), &care.witness, panic, opened)),
        };
        follow_epoch(&mut signal_log, folded.order.last_neighbour)?;
        follow_epoch(&mut order_log, folded.signal.last_neighbour)?;
        let nodes = Nodes {
            signal: Driver::new(signal, signal_log, folded.signal.taken_ns).seen_by(&care.witness),
            order: Driver::new(order, order_log, folded.order.taken_ns).seen_by(&care.witness),
        };
        Ok(Self {
            home,
            nodes,
            folded,
            recoveries: [signal_recovery, order_recovery],
            notes,
            topology: options.topology,
            edge: options.edge,
            lock_memory: options.lock_memory,
            written,
            run_id: options.run_id,
            care,
            set_aside,
            opened,
        })
    }

    /// What the journals held.
    pub const fn folded(&self) -> &Folded {
        &self.folded
    }

    /// How the recovery of the signal and the order journal went.
    pub const fn recoveries(&self) -> &[Recovery; 2] {
        &self.recoveries
    }

    /// What people should know of how the state was recovered: whether a snapshot was used, or why not.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The home.
    pub const fn home(&self) -> &J {
        &self.home
    }

    /// The signal stage as folded.
    pub const fn signal(&self) -> &SignalStage {
        &self.nodes.signal.stage
    }

    /// The order stage as folded.
    pub const fn order(&self) -> &OrderStage {
        &self.nodes.order.stage
    }

    /// Runs until the market ends or `told` is set, and closes the journals. `config_text` is journaled. At an
    /// orderly end with the market shut, a snapshot is left.
    ///
    /// # Errors
    /// When a stage stops or the system refuses.
    pub fn run(self, run: Run<'_>) -> Result<RunReport, RunError> {
        match self.topology.clone() {
            Topology::Inline => self.run_on(run, |nodes, clock, _| Ok(Inline::new(nodes, clock, 1_024))),
            Topology::Pipeline(plan) => self.run_on(run, |nodes, clock, say| {
                say(&format!("three threads; waiting: {}", plan.waiting));
                let pipeline = Pipeline::start(nodes, clock, plan)?;
                pipeline.denied().for_each(|denied| say(&denied.to_string()));
                Ok(pipeline)
            }),
        }
    }

    /// The same with the stages on threads, or in the hands, of the caller's choice: `put` takes them, the clock, and what
    /// says something to people.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_on<S: Stages<Log = J::Log>>(
        self,
        run: Run<'_>,
        put: impl FnOnce(Nodes<J::Log>, Clock, &mut dyn FnMut(&str)) -> Result<S, RunError>,
    ) -> Result<RunReport, RunError> {
        let (failures, witness, opened) = (self.home.failures(), self.care.witness.clone(), self.opened);
        match catch_unwind(AssertUnwindSafe(|| self.run_to_end(run, put))) {
            Ok(ended) => {
                if let Some(failures) = failures.filter(|_| ended.is_ok()) {
                    failures.forget()?;
                }
                ended
            }
            Err(panic) => Err(failed(failures.as_ref(), &witness, panic, opened)),
        }
    }

    fn run_to_end<S: Stages<Log = J::Log>>(
        mut self,
        run: Run<'_>,
        put: impl FnOnce(Nodes<J::Log>, Clock, &mut dyn FnMut(&str)) -> Result<S, RunError>,
    ) -> Result<RunReport, RunError> {
        let clock = run.pace.clock();
        let simulated = clock.is_simulated();
        let start = RunStart {
            run_id: self.run_id,
            start: self.folded.order.starts,
            config_hash: self.written.config_hash,
            started_ns: clock.now(),
            build: self.written.build,
            host: if simulated { Text::EMPTY } else { host_name() },
            simulated: u8::from(simulated),
            after_clean_stop: u8::from(self.folded.order.clean),
            ..RunStart::default()
        };
        // By now stages and first segments have their memory.
        let locked = if self.lock_memory && !simulated { lock_memory() } else { Ok(()) };
        for denied in place(&self.edge).into_iter().chain(locked.err()) {
            (run.say)(&denied.to_string());
        }
        let mut nodes = self.nodes;
        if simulated {
            nodes.signal.log.wait_for_disk();
            nodes.order.log.wait_for_disk();
        }
        let (nodes, requests) =
            begin(nodes, &self.folded, &clock, &start, run.config_text, self.set_aside.as_ref(), &self.home)?;
        let mut edge = Edge {
            feed: run.feed,
            gateway: run.gateway,
            pace: run.pace,
            told: run.told,
            commands: run.commands.map(|commands| (commands, nodes.order.stage.last_command())),
            catchup_before: run.catchup_before,
            days: run.days,
            progress: run.progress,
            next_feed: after(self.folded.signal.last_feed, StageId::Feed),
            next_gateway: after(self.folded.order.last_gateway, StageId::Gateway),
            market_over: false,
            timers_asked: 0,
        };
        let mut stages = put(nodes, clock.clone(), run.say)?;
        let end = edge.run(&mut stages, &requests);
        let nodes = stages.finish();
        let now = clock.now();
        let (report, signal, order) = close(nodes, self.run_id, now, end)?;
        if let Err(error) = snapshot::leave(&mut self.home, &self.written, &self.folded, (&signal, &order)) {
            (run.say)(&error.to_string());
        }
        drop(self.home);
        Ok(report)
    }
}

/// What to leave out of the folds, and the failure because of which an event is set aside now.
fn take_care(failures: Option<&Failures>, notes: &mut Vec<String>) -> Result<(Care, Option<Failure>), RunError> {
    let Some(failures) = failures else { return Ok((Care::default(), None)) };
    let due = failures.due()?;
    if let Some(failure) = &due {
        failures.set_aside(failure)?;
        notes.push(format!(
            "{} starts failed at {failure}. That event is set aside in {}, and the engine only reduces until `shrike ctl \
             resume`. Compare its books with the venue's first (`shrike status`), and keep the home for whoever mends \
             the program",
            failure.count,
            failures.file().display()
        ));
    }
    let quarantine = failures.quarantine()?;
    Ok((Care { quarantine, ..Care::default() }, due))
}

/// A stage has panicked: notes at which event, for the next start.
fn failed(failures: Option<&Failures>, witness: &Witness, panic: Box<dyn Any + Send>, opened: Opened) -> RunError {
    let (Some(failures), Some(seen)) = (failures, witness.take()) else { resume_unwind(panic) };
    match failures.note(seen, &*panic, opened.elapsed()) {
        Ok(failure) => RunError::Panicked(failure),
        Err(error) => RunError::Io(error),
    }
}

/// A journal that was cut before what the other stage holds of it (the host crashed) writes a new epoch from now on, so
/// that no number stands for two events.
fn follow_epoch(log: &mut impl StageJournal, held: Seq) -> Result<(), RunError> {
    let next = log.next_seq();
    if held >= next && !seeded::on(Bug::NoEpoch) {
        log.open_epoch(held.epoch().saturating_add(1)).map_err(RunError::Epoch)
    } else {
        Ok(())
    }
}

/// What a run is given.
pub struct Run<'a> {
    /// The market.
    pub feed: &'a mut dyn MarketFeed,
    /// The venue.
    pub gateway: &'a mut dyn Gateway,
    /// How time passes.
    pub pace: Pace,
    /// Set by SIGINT and SIGTERM.
    pub told: &'a AtomicBool,
    /// The operator's commands.
    pub commands: Option<&'a mut dyn Commands>,
    /// Events received before this only update state.
    pub catchup_before: Nanos,
    /// Trading days to run; zero: all.
    pub days: u32,
    /// Called now and then with the market's time and how many events were released.
    pub progress: &'a mut dyn FnMut(Nanos, u64),
    /// Called with what people should know of the start: how threads wait, and what the host did not permit.
    pub say: &'a mut dyn FnMut(&str),
    /// The configuration's text, to be journaled.
    pub config_text: &'a str,
}

fn after(last: Seq, stage: StageId) -> Seq {
    if last.is_absent() { first(stage) } else { last.next() }
}

/// Journals the orderly end in both journals and closes them; the stages at their end.
fn close<L: StageJournal>(
    nodes: Nodes<L>,
    run_id: u64,
    now: Nanos,
    end: Result<EdgeEnd, Stopped>,
) -> Result<(RunReport, SignalStage, OrderStage), RunError> {
    let Nodes { mut signal, mut order } = nodes;
    let mark = Header { kind: Kind::RunEnd as u16, version: 1, recv_ns: now, ..Header::default() };
    let (signal_counts, order_counts) = (signal.counts, order.counts);
    let ending = |counts: Counts| RunEnd {
        run_id,
        ended_ns: now,
        inputs: counts.inputs,
        outputs: counts.outputs,
        ..RunEnd::default()
    };
    let end = end?;
    signal.take(now, &mark, Event::RunEnd(&ending(signal_counts)), |_| {}).map_err(|_| Stopped)?;
    order.take(now, &mark, Event::RunEnd(&ending(order_counts)), |_| {}).map_err(|_| Stopped)?;
    // Both are closed, whatever becomes of one.
    let closed = [signal.log.close(), order.log.close()];
    closed.into_iter().collect::<Result<(), _>>().map_err(RunError::Copy)?;
    let report = RunReport { end, signal: signal_counts, order: order_counts, ended_ns: now };
    Ok((report, signal.stage, order.stage))
}

fn host_name() -> Text<48> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Text::new(name.trim().as_bytes()).unwrap_or_default()
}
