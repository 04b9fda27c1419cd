//! The front alone: frames in, frames out.

mod faults;
mod kit;
mod logins;
mod orders;
mod pace;
mod queries;
mod wire;
