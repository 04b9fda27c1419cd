//! What is asked of CTP.

use super::structs;

structs! {
    /// Which program asks to log in.
    ReqAuthenticate = [88, 88, 88, 88] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub user_id: [u8; 16] = "UserID" @ 11,
        pub user_product_info: [u8; 11] = "UserProductInfo" @ 27,
        pub auth_code: [u8; 17] = "AuthCode" @ 38,
        pub app_id: [u8; 33] = "AppID" @ 55,
    }

    /// A login.
    ReqUserLogin = [264, 264, 264, 280] {
        skip_0: [u8; 9],
        pub broker_id: [u8; 11] = "BrokerID" @ 9,
        pub user_id: [u8; 16] = "UserID" @ 20,
        pub password: [u8; 41] = "Password" @ 36,
        pub user_product_info: [u8; 11] = "UserProductInfo" @ 77,
        skip_88: [u8; 176],
    }

    /// A logout, and its answer.
    UserLogout = [27, 27, 27, 27] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub user_id: [u8; 16] = "UserID" @ 11,
    }

    /// Confirms the last settlement, and comes back as the answer.
    SettlementInfoConfirm = [68, 68, 68, 68] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        pub confirm_date: [u8; 9] = "ConfirmDate" @ 24,
        pub confirm_time: [u8; 9] = "ConfirmTime" @ 33,
        skip_42: [u8; 26],
    }

    /// A new order. Comes back in the answer that refuses it.
    InputOrder = [392, 408, 408, 408] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub order_ref: [u8; 13] = "OrderRef" @ 55,
        pub user_id: [u8; 16] = "UserID" @ 68,
        pub order_price_type: u8 = "OrderPriceType" @ 84,
        pub direction: u8 = "Direction" @ 85,
        pub comb_offset_flag: [u8; 5] = "CombOffsetFlag" @ 86,
        pub comb_hedge_flag: [u8; 5] = "CombHedgeFlag" @ 91,
        pub limit_price: f64 = "LimitPrice" @ 96,
        pub volume_total_original: i32 = "VolumeTotalOriginal" @ 104,
        pub time_condition: u8 = "TimeCondition" @ 108,
        skip_109: [u8; 9],
        pub volume_condition: u8 = "VolumeCondition" @ 118,
        skip_119: [u8; 1],
        pub min_volume: i32 = "MinVolume" @ 120,
        pub contingent_condition: u8 = "ContingentCondition" @ 124,
        skip_125: [u8; 11],
        pub force_close_reason: u8 = "ForceCloseReason" @ 136,
        skip_137: [u8; 3],
        pub is_auto_suspend: i32 = "IsAutoSuspend" @ 140,
        skip_144: [u8; 24],
        pub request_id: i32 = "RequestID" @ 168,
        skip_172: [u8; 8],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 180,
        skip_189: [u8; 82],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 271,
        skip_352: [u8; 40],
    }

    /// A cancel. Comes back in the answer that refuses it.
    InputOrderAction = [320, 336, 336, 336] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        pub order_action_ref: i32 = "OrderActionRef" @ 24,
        pub order_ref: [u8; 13] = "OrderRef" @ 28,
        skip_41: [u8; 3],
        pub request_id: i32 = "RequestID" @ 44,
        pub front_id: i32 = "FrontID" @ 48,
        pub session_id: i32 = "SessionID" @ 52,
        pub exchange_id: [u8; 9] = "ExchangeID" @ 56,
        pub order_sys_id: [u8; 21] = "OrderSysID" @ 65,
        pub action_flag: u8 = "ActionFlag" @ 86,
        skip_87: [u8; 13],
        pub user_id: [u8; 16] = "UserID" @ 100,
        skip_116: [u8; 85],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 201,
        skip_282: [u8; 38],
    }

    /// Asks for [`Order`](super::Order)s.
    QryOrder = [201, 201, 201, 201] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 55,
        pub order_sys_id: [u8; 21] = "OrderSysID" @ 64,
        skip_85: [u8; 35],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 120,
    }

    /// Asks for [`Trade`](super::Trade)s.
    QryTrade = [201, 201, 201, 201] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 55,
        pub trade_id: [u8; 21] = "TradeID" @ 64,
        skip_85: [u8; 35],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 120,
    }

    /// Asks for [`InvestorPosition`](super::InvestorPosition)s.
    QryInvestorPosition = [162, 162, 162, 162] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 55,
        skip_64: [u8; 17],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 81,
    }

    /// Asks for the [`TradingAccount`](super::TradingAccount).
    QryTradingAccount = [42, 42, 42, 42] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        pub currency_id: [u8; 4] = "CurrencyID" @ 24,
        skip_28: [u8; 14],
    }

    /// Asks for [`Instrument`](super::Instrument)s.
    QryInstrument = [345, 345, 345, 345] {
        skip_0: [u8; 31],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 31,
        skip_40: [u8; 62],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 102,
        skip_183: [u8; 81],
        pub product_id: [u8; 81] = "ProductID" @ 264,
    }

    /// Asks for the [`InstrumentMarginRate`](super::InstrumentMarginRate) of a contract.
    QryInstrumentMarginRate = [163, 163, 163, 163] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub hedge_flag: u8 = "HedgeFlag" @ 55,
        pub exchange_id: [u8; 9] = "ExchangeID" @ 56,
        skip_65: [u8; 17],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 82,
    }

    /// Asks for the [`InstrumentCommissionRate`](super::InstrumentCommissionRate) of a contract.
    QryInstrumentCommissionRate = [162, 162, 162, 162] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 55,
        skip_64: [u8; 17],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 81,
    }

    /// Asks for the [`OptionInstrTradeCost`](super::OptionInstrTradeCost) of an option; without prices, at the last
    /// settlement's.
    QryOptionInstrTradeCost = [184, 184, 184, 184] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub hedge_flag: u8 = "HedgeFlag" @ 55,
        pub input_price: f64 = "InputPrice" @ 56,
        pub underlying_price: f64 = "UnderlyingPrice" @ 64,
        pub exchange_id: [u8; 9] = "ExchangeID" @ 72,
        skip_81: [u8; 17],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 98,
        skip_179: [u8; 5],
    }

    /// Asks for the [`OptionInstrCommRate`](super::OptionInstrCommRate) of an option.
    QryOptionInstrCommRate = [162, 162, 162, 162] {
        pub broker_id: [u8; 11] = "BrokerID" @ 0,
        pub investor_id: [u8; 13] = "InvestorID" @ 11,
        skip_24: [u8; 31],
        pub exchange_id: [u8; 9] = "ExchangeID" @ 55,
        skip_64: [u8; 17],
        pub instrument_id: [u8; 81] = "InstrumentID" @ 81,
    }
}
