//! The strategies that come with the engine. To add one: write its file, and name it in [`build`].

mod ema_cross;
mod quoter;

pub use ema_cross::{EmaCross, EmaCrossParams};
pub use quoter::{Quoter, QuoterParams};
