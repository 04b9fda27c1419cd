//! What people run.
#![deny(missing_docs)]
pub mod compose;
