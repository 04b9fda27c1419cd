//! CTP's vtables: which slot of an object is which function, in each supported version. The classes have no virtual
//! destructor, so the slots are the functions in the order in which the vendor's headers declare them, from zero.
//! `feed/tests/ctp_layout.rs` compares them.

use super::version::Version;

/// Declares a table: its slots in each version, then the functions that Shrike calls or answers.
macro_rules! slots {
    ($($(#[$doc:meta])* $table:ident = $class:literal $counts:tt { $($function:ident = $slots:tt,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub enum $table {
                $(#[doc = concat!("`", stringify!($function), "`.")] $function,)+
            }

            impl $table {
                /// Every function of this table.
                pub const ALL: &'static [Self] = &[$(Self::$function),+];
                /// CTP's name of the class.
                pub const CLASS: &'static str = $class;
                const COUNTS: [usize; Version::ALL.len()] = $counts;

                /// The slot in a version's vtable.
                #[inline]
                pub const fn slot(self, version: Version) -> usize {
                    let slots: [usize; Version::ALL.len()] = match self {
                        $(Self::$function => $slots,)+
                    };
                    slots[version.column()]
                }

                /// How many slots a version's vtable has.
                pub const fn count(version: Version) -> usize {
                    Self::COUNTS[version.column()]
                }

                /// CTP's name of the function.
                pub const fn name(self) -> &'static str {
                    match self {
                        $(Self::$function => stringify!($function),)+
                    }
                }
            }
        )+
    };
}

slots! {
    /// What the trading library's object is asked.
    TraderCall = "CThostFtdcTraderApi" [123, 125, 133, 140] {
        Release = [0, 0, 0, 0],
        Init = [1, 1, 1, 1],
        Join = [2, 2, 2, 2],
        GetTradingDay = [3, 3, 3, 3],
        RegisterFront = [4, 5, 5, 5],
        RegisterSpi = [7, 8, 8, 8],
        SubscribePrivateTopic = [8, 9, 9, 9],
        SubscribePublicTopic = [9, 10, 10, 10],
        ReqAuthenticate = [10, 11, 11, 11],
        ReqUserLogin = [13, 14, 16, 16],
        ReqUserLogout = [14, 15, 17, 17],
        ReqOrderInsert = [23, 24, 26, 26],
        ReqOrderAction = [26, 27, 29, 29],
        ReqSettlementInfoConfirm = [28, 29, 31, 31],
        ReqQryOrder = [40, 41, 43, 43],
        ReqQryTrade = [41, 42, 44, 44],
        ReqQryInvestorPosition = [42, 43, 45, 45],
        ReqQryTradingAccount = [43, 44, 46, 46],
        ReqQryInstrumentMarginRate = [46, 47, 49, 49],
        ReqQryInstrumentCommissionRate = [47, 48, 50, 50],
        ReqQryInstrument = [50, 51, 54, 54],
        ReqQryOptionInstrTradeCost = [74, 75, 78, 78],
        ReqQryOptionInstrCommRate = [75, 76, 79, 79],
    }

    /// What the trading library calls.
    TraderEvent = "CThostFtdcTraderSpi" [154, 155, 164, 178] {
        OnFrontConnected = [0, 0, 0, 0],
        OnFrontDisconnected = [1, 1, 1, 1],
        OnRspAuthenticate = [3, 3, 3, 3],
        OnRspUserLogin = [4, 4, 4, 5],
        OnRspUserLogout = [5, 5, 5, 6],
        OnRspOrderInsert = [11, 11, 11, 12],
        OnRspOrderAction = [14, 14, 14, 15],
        OnRspSettlementInfoConfirm = [16, 16, 16, 17],
        OnRspQryOrder = [28, 28, 28, 29],
        OnRspQryTrade = [29, 29, 29, 30],
        OnRspQryInvestorPosition = [30, 30, 30, 31],
        OnRspQryTradingAccount = [31, 31, 31, 32],
        OnRspQryInstrumentMarginRate = [34, 34, 34, 35],
        OnRspQryInstrumentCommissionRate = [35, 35, 35, 36],
        OnRspQryInstrument = [38, 38, 39, 40],
        OnRspQryOptionInstrTradeCost = [62, 62, 63, 64],
        OnRspQryOptionInstrCommRate = [63, 63, 64, 65],
        OnRspError = [73, 73, 74, 75],
        OnRtnOrder = [74, 74, 75, 76],
        OnRtnTrade = [75, 75, 76, 77],
        OnErrRtnOrderInsert = [76, 76, 77, 78],
        OnErrRtnOrderAction = [77, 77, 78, 79],
        OnRtnInstrumentStatus = [78, 78, 79, 80],
    }

    /// What the market-data library's object is asked.
    MarketCall = "CThostFtdcMdApi" [15, 15, 15, 15] {
        Release = [0, 0, 0, 0],
        Init = [1, 1, 1, 1],
        Join = [2, 2, 2, 2],
        GetTradingDay = [3, 3, 3, 3],
        RegisterFront = [4, 4, 4, 4],
        RegisterSpi = [7, 7, 7, 7],
        SubscribeMarketData = [8, 8, 8, 8],
        UnSubscribeMarketData = [9, 9, 9, 9],
        ReqUserLogin = [12, 12, 12, 12],
        ReqUserLogout = [13, 13, 13, 13],
    }

    /// What the market-data library calls.
    MarketEvent = "CThostFtdcMdSpi" [13, 13, 13, 13] {
        OnFrontConnected = [0, 0, 0, 0],
        OnFrontDisconnected = [1, 1, 1, 1],
        OnRspUserLogin = [3, 3, 3, 3],
        OnRspUserLogout = [4, 4, 4, 4],
        OnRspError = [6, 6, 6, 6],
        OnRspSubMarketData = [7, 7, 7, 7],
        OnRspUnSubMarketData = [8, 8, 8, 8],
        OnRtnDepthMarketData = [11, 11, 11, 11],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_within_its_table() {
        for version in Version::ALL {
            assert!(TraderCall::ALL.iter().all(|call| call.slot(version) < TraderCall::count(version)));
            assert!(TraderEvent::ALL.iter().all(|event| event.slot(version) < TraderEvent::count(version)));
            assert!(MarketCall::ALL.iter().all(|call| call.slot(version) < MarketCall::count(version)));
            assert!(MarketEvent::ALL.iter().all(|event| event.slot(version) < MarketEvent::count(version)));
        }
    }
}
