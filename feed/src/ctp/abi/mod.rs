//! The binding to the vendor's libraries, which are loaded at run time from paths that the user gives: no header is
//! needed, and none is here. All of the feed's `unsafe` is in this folder.
//!
//! - tables: [`version`] names what is supported, [`slots`] and [`structs`] say what the vendor's headers say;
//! - out: [`Trader`] and [`Md`] turn requests into structs and calls, on the edge's thread;
//! - in: objects of ours whose functions the library calls on its own thread turn structs into
//!   [`Callback`](super::callback::Callback)s and ticks, in rings.

mod affinity;
mod answer;
pub mod calls;
mod counts;
pub mod letters;
mod library;
mod link;
mod market;
mod request;
mod sink;
pub mod slots;
mod spi;
pub mod structs;
mod trader;
pub mod version;

pub use counts::Counts;
pub use library::{Library, LibraryError, Side};
pub use link::{Connection, OpenError};
pub use market::Md;
pub use trader::Trader;
pub use version::Version;

/// Slots for a ring of [`Callback`](super::callback::Callback)s: the flow of a busy day again after a login, while the
/// thread that takes them is busy with something else.
pub const CALLBACKS: usize = 131_072;

/// Exported functions of the libraries, by their C++ names. One of each factory's two is there: until 6.7.10 without and
/// from 6.7.11 with `bIsProductionMode`.
pub mod symbols {
    /// `CThostFtdcTraderApi::GetApiVersion()`.
    pub const TRADER_VERSION: &str = "_ZN19CThostFtdcTraderApi13GetApiVersionEv";
    /// `CThostFtdcTraderApi::CreateFtdcTraderApi(const char *flow)`.
    pub const TRADER_CREATE: &str = "_ZN19CThostFtdcTraderApi19CreateFtdcTraderApiEPKc";
    /// `CThostFtdcTraderApi::CreateFtdcTraderApi(const char *flow, bool production)`.
    pub const TRADER_CREATE_FOR: &str = "_ZN19CThostFtdcTraderApi19CreateFtdcTraderApiEPKcb";
    /// `CThostFtdcMdApi::GetApiVersion()`.
    pub const MARKET_VERSION: &str = "_ZN15CThostFtdcMdApi13GetApiVersionEv";
    /// `CThostFtdcMdApi::CreateFtdcMdApi(const char *flow, bool udp, bool multicast)`.
    pub const MARKET_CREATE: &str = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbb";
    /// `CThostFtdcMdApi::CreateFtdcMdApi(const char *flow, bool udp, bool multicast, bool production)`.
    pub const MARKET_CREATE_FOR: &str = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbbb";
}
