//! CTP at the edge. [`decode`] turns the snapshots of `OnRtnDepthMarketData` into ticks, on CTP's own callback thread.

pub mod decode;
