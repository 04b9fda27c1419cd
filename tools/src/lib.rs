//! What the commands of `shrike` are made of, for `main.rs` and for tests. Everything here reads journals (`ctl` writes
//! one), on the thread that calls it, and prints.
//!
//! - commands: [`replay`], [`tail`], [`verify`], [`status`], [`summary`], [`ctl`], [`config`]
//! - [`compose`]: a market and a venue as the configuration says
//! - what they share: [`home`], [`error`], [`console`], [`names`], [`fields`], [`words`], [`books`]
#![deny(missing_docs)]

pub mod books;
pub mod compose;
pub mod config;
pub mod console;
pub mod ctl;
pub mod error;
pub mod fields;
pub mod home;
pub mod names;
pub mod replay;
pub mod status;
pub mod summary;
pub mod tail;
pub mod verify;
pub mod words;
