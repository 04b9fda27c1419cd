//! The binding to the vendor's libraries, which are loaded at run time from paths that the user gives: [`version`] names
//! what is supported, [`slots`] and [`structs`] are what the vendor's headers say, as tables; no header is needed.

pub mod slots;
pub mod structs;
pub mod version;

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
