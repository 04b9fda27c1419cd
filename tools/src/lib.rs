//! What the commands of `shrike` are made of, for `main.rs` and for tests. Everything but `run`, `exchange` and
//! `record` reads journals (`ctl` writes one, `repair` mends them), on the thread that calls it, and prints.
//!
//! - commands: [`replay`], [`tail`], [`verify`], [`repair`], [`status`], [`summary`], [`ctl`], [`config`],
//!   [`surface`]
//! - [`run`], [`exchange`], [`record`]: the engine, the simulated exchange as a process of its own, the recorder of market
//!   data; [`follow`], [`ctp`]: the engine over a recorder's journal, and at a CTP counter; [`door`]: where programs that
//!   use CTP connect to the exchange
//! - [`compose`]: a market and a venue as the configuration says
//! - [`doctor`]: what a run would need; [`bench`]: what the engine costs here
//! - [`simulate`]: the engine under every fault
//! - [`option`], [`surface`]: prices, volatilities and Greeks of the contracts in a CSV file; surfaces fitted and drawn
//! - what they share: [`home`], [`error`], [`console`], [`names`], [`fields`], [`words`], [`books`], [`paths`]
#![allow(clippy::disallowed_types, reason = "commands measure real time; what they print is sorted")]
#![deny(missing_docs)]

/// Version and commit of the program, as journals name it.
pub const BUILD: &str = concat!("shrike ", env!("CARGO_PKG_VERSION"), " ", env!("SHRIKE_COMMIT"));

pub mod bench;
pub mod books;
pub mod clock;
pub mod compose;
pub mod config;
pub mod console;
pub mod ctl;
pub mod ctp;
pub mod doctor;
pub mod door;
pub mod error;
pub mod exchange;
pub mod fields;
pub mod follow;
pub mod home;
pub mod names;
pub mod option;
pub mod paths;
pub mod record;
pub mod repair;
pub mod replay;
pub mod run;
pub mod simulate;
pub mod status;
pub mod summary;
pub mod surface;
pub mod tail;
pub mod verify;
pub mod words;
