//! The words, the books and the mechanics of Shrike. Depends on nothing else in the workspace.
//!
//! - words: [`units`], [`codes`], [`event`], [`instrument`], [`product`], [`venue`]
//! - time: [`calendar`]
//! - books: [`ledger`]
//! - mathematics: [`pricing`]
//! - mechanics: [`ring`], [`thread`], [`clock`], [`latency`]
//! - for tests: [`seeded`], the mistakes they must find
//!
//! Nothing here does I/O.
#![deny(missing_docs)]

pub mod calendar;
pub mod clock;
pub mod codes;
pub mod event;
pub mod instrument;
pub mod latency;
pub mod ledger;
pub mod pricing;
pub mod product;
pub mod ring;
pub mod seeded;
pub mod thread;
pub mod units;
pub mod venue;
