//! The strategies that come with the engine. To add one: write its file, name it here, and give it a line in
//! `setup::strategies`; the room's README has the steps.

mod ema_cross;
mod quoter;

pub use ema_cross::{EmaCross, EmaCrossParams};
pub use quoter::{Quoter, QuoterParams};
