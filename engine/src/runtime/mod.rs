//! The runtime: opens a home, folds its journals, wires stages, rings and the edge into threads, and stops in order.
//! Everything impure of the engine is here: clocks, files, threads, signals.

mod edge;
mod failures;
mod home;
mod inline;
mod journals;
mod log;
mod pipeline;
mod rejoin;
mod room;
mod run;
mod snapshot;
mod stages;
mod start;

#[cfg(test)]
mod failures_tests;
#[cfg(test)]
mod start_kit;
#[cfg(test)]
mod start_tests;

pub use edge::{CommandJournal, Commands, Edge, EdgeEnd, Pace};
pub use failures::{Failure, Failures, Quarantine};
pub use home::{Home, HomeError, journal_dir};
pub use inline::Inline;
pub use journals::Journals;
pub use log::{StageJournal, StageLog};
pub use pipeline::{Pipeline, PipelinePlan, RingSizes};
pub use rejoin::rejoin;
pub use run::{Engine, EngineOptions, Run, RunError, RunReport, Topology};
pub use stages::{Nodes, OrderNode, Route, SignalNode, Sink, Stages, Status, Stopped};
pub use start::{FoldReport, Folded, fold_order, fold_signal};
