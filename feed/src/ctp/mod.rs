//! CTP at the edge. [`decode`] turns the snapshots of `OnRtnDepthMarketData` into ticks, on CTP's own callback thread;
//! [`callback`] is everything else that the libraries tell, [`api`] what is asked of them, and [`abi`] the binding.

pub mod abi;
pub mod api;
pub mod callback;
pub mod decode;
