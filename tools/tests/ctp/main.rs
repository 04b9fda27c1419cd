//! The engine at a counter through CTP's binary interface: whole days, and a day for each way in which a connection can
//! break.
// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, reason = "the tests wait for processes")]

mod day;
mod desk;
mod password;
mod reconnect;
