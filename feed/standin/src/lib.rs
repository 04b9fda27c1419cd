//! A library that looks like CTP's market-data and trading libraries to a program that uses them, and connects to
//! `shrike exchange --listen` instead of a broker. It exports the genuine symbols of both generations and plays the
//! version that `SHRIKE_STANDIN_VERSION` names. See `README.md`.
//!
//! - `session`: one API object's connection, on a thread of its own; frames in and out, flow control. No `unsafe`.
//! - `spell`, `letters`: what the front tells, in the vendor's structs, and requests out of them. No `unsafe`.
//! - `object`: the C++ side: vtables, calls of the client's SPI, and what both libraries have in common.
//! - `trader`, `market`: the functions behind the vtables' slots, and the exported symbols.
#![deny(missing_docs)]
#![allow(
    clippy::disallowed_types,
    reason = "a client's threads and the connection's meet here as they do in the vendor's library: locks and clocks"
)]

mod market;
mod object;
mod session;
mod spell;
mod trader;
