//! The words, the books and the mechanics of Shrike. Depends on nothing else in the workspace.
//!
//! - words: [`units`], [`codes`], [`event`], [`instrument`], [`product`], [`venue`]
//! - time: [`calendar`]
//!
//! Nothing here does I/O.
#![deny(missing_docs)]

pub mod calendar;
pub mod codes;
pub mod event;
pub mod instrument;
pub mod product;
pub mod units;
pub mod venue;
