//! CTP at the edge. [`decode`] turns the snapshots of `OnRtnDepthMarketData` into ticks, on CTP's own callback thread;
//! [`callback`] is everything else that the libraries tell, [`api`] what is asked of them, [`abi`] the binding, and [`lookup`]
//! the contracts that snapshots are looked up in. [`trader`] and [`md`] are the two sessions as machines without a clock or
//! a socket of their own: callbacks and the time go in, calls and events come out, on the edge's thread.

pub mod abi;
pub mod api;
pub mod attempts;
pub mod callback;
pub mod contracts;
pub mod decode;
pub mod flow;
pub mod lookup;
pub mod md;
pub mod message;
mod offset;
mod options;
mod restarts;
pub mod session;
mod source;
pub mod trader;

pub use options::CtpOptions;
pub use source::Callbacks;
