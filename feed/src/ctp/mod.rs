//! CTP at the edge. [`decode`] turns the snapshots of `OnRtnDepthMarketData` into ticks, on CTP's own callback thread;
//! [`callback`] is everything else that the libraries tell, [`api`] what is asked of them, [`abi`] the binding, and [`lookup`]
//! the contracts that snapshots are looked up in.

pub mod abi;
pub mod api;
pub mod callback;
pub mod decode;
pub mod lookup;
