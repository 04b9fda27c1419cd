//! The words, the books and the mechanics of Shrike. Depends on nothing else in the workspace.
//!
//! - words: [`units`], [`codes`], [`event`], [`instrument`], [`venue`]
//! - books: [`ledger`]
//!
//! Nothing here does I/O.
#![deny(missing_docs)]

pub mod codes;
pub mod event;
pub mod instrument;
pub mod ledger;
pub mod units;
pub mod venue;
