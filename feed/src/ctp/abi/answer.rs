//! CTP's structs into the facts of [`crate::ctp::callback`], on the library's callback thread. Every field is checked:
//! nothing in it needs to be terminated, printable, finite or within a range. What cannot be kept is counted: a number
//! becomes absent, a code `None`, and a struct whose names do not fit is refused whole.

use super::counts::Counts;
use super::letters::{
    CLASSES, OFFSETS, OPTION_TYPES, PHASES, PRICE_TYPES, SIDES, STATUSES, SUBMITS, code, exchange, tif,
};
use super::structs::{
    self, InputOrder, InputOrderAction, Instrument, InstrumentCommissionRate, InstrumentMarginRate, InstrumentStatus,
    InvestorPosition, OptionInstrCommRate, OptionInstrTradeCost, Order, OrderAction, RspUserLogin, Trade,
    TradingAccount,
};
use crate::ctp::callback::{
    CancelFacts, CommissionFacts, FundsFacts, InstrumentFacts, LoginFacts, MarginFacts, OptionCostFacts, OrderFacts,
    PositionFacts, StatusFacts, TradeFacts,
};
use crate::ctp::decode;
use shrike_core::codes::{Offset, OrderType, Side};
use shrike_core::units::{Lots, Money, Nanos, Price, Text, TradingDay};

/// Reads structs, and counts what does not fit.
pub(super) struct Reader<'a>(pub(super) &'a Counts);

impl Reader<'_> {
    pub(super) fn login(&self, of: &RspUserLogin) -> LoginFacts {
        let clocks = [&of.shfe_time, &of.dce_time, &of.czce_time, &of.ffex_time, &of.ine_time, &of.gfex_time];
        LoginFacts {
            trading_day: day(&of.trading_day),
            front_id: of.front_id,
            session_id: of.session_id,
            max_order_ref: self.order_ref(&of.max_order_ref),
            clocks: clocks.map(time),
        }
    }

    pub(super) fn input_order(&self, of: &InputOrder) -> Option<OrderFacts> {
        let order_type = code(PRICE_TYPES, of.order_price_type);
        Some(OrderFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            order_ref: self.text(&of.order_ref)?,
            request_id: of.request_id,
            side: code(SIDES, of.direction),
            offset: offset(&of.comb_offset_flag),
            order_type,
            tif: tif(of.time_condition, of.volume_condition),
            price: self.limit(order_type, of.limit_price),
            lots: self.lots(of.volume_total_original),
            ..OrderFacts::default()
        })
    }

    pub(super) fn order(&self, of: &Order) -> Option<OrderFacts> {
        let order_type = code(PRICE_TYPES, of.order_price_type);
        Some(OrderFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            order_ref: self.text(&of.order_ref)?,
            front_id: of.front_id,
            session_id: of.session_id,
            request_id: of.request_id,
            order_sys_id: self.text(&of.order_sys_id)?,
            order_local_id: self.text(&of.order_local_id)?,
            trader_id: self.text(&of.trader_id)?,
            side: code(SIDES, of.direction),
            offset: offset(&of.comb_offset_flag),
            order_type,
            tif: tif(of.time_condition, of.volume_condition),
            price: self.limit(order_type, of.limit_price),
            lots: self.lots(of.volume_total_original),
            traded: self.lots(of.volume_traded),
            status: code(STATUSES, of.order_status),
            submit: code(SUBMITS, of.order_submit_status),
            trading_day: day(&of.trading_day),
            insert_time: time(&of.insert_time),
            cancel_time: time(&of.cancel_time),
        })
    }

    pub(super) fn input_cancel(&self, of: &InputOrderAction) -> Option<CancelFacts> {
        Some(CancelFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            order_ref: self.text(&of.order_ref)?,
            front_id: of.front_id,
            session_id: of.session_id,
            order_sys_id: self.text(&of.order_sys_id)?,
            request_id: of.request_id,
        })
    }

    pub(super) fn cancel(&self, of: &OrderAction) -> Option<CancelFacts> {
        Some(CancelFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            order_ref: self.text(&of.order_ref)?,
            front_id: of.front_id,
            session_id: of.session_id,
            order_sys_id: self.text(&of.order_sys_id)?,
            request_id: of.request_id,
        })
    }

    pub(super) fn trade(&self, of: &Trade) -> Option<TradeFacts> {
        Some(TradeFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            trade_id: self.text(&of.trade_id)?,
            order_sys_id: self.text(&of.order_sys_id)?,
            order_ref: self.text(&of.order_ref)?,
            side: code(SIDES, of.direction),
            offset: code(OFFSETS, of.offset_flag),
            price: self.price(of.price),
            lots: self.lots(of.volume),
            trading_day: day(&of.trading_day),
            time: time(&of.trade_time),
        })
    }

    pub(super) fn status(&self, of: &InstrumentStatus) -> Option<StatusFacts> {
        Some(StatusFacts {
            exchange: exchange(&of.exchange_id),
            symbol: self.text(&of.instrument_id)?,
            phase: code(PHASES, of.instrument_status),
            enter_time: time(&of.enter_time),
        })
    }

    pub(super) fn position(&self, of: &InvestorPosition) -> Option<PositionFacts> {
        let (side, frozen) = match of.posi_direction {
            b'2' => (Some(Side::Buy), of.short_frozen),
            b'3' => (Some(Side::Sell), of.long_frozen),
            _ => (None, 0),
        };
        Some(PositionFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            side,
            is_history: of.position_date == b'2',
            lots: self.lots(of.position),
            today: self.lots(of.today_position),
            at_open: self.lots(of.yd_position),
            frozen: self.lots(frozen),
            margin: self.money(of.use_margin),
            open_cost: self.money(of.open_cost),
            position_cost: self.money(of.position_cost),
            pre_settlement: self.nonzero(of.pre_settlement_price),
        })
    }

    pub(super) fn funds(&self, of: &TradingAccount) -> Option<FundsFacts> {
        Some(FundsFacts {
            trading_day: day(&of.trading_day),
            pre_balance: self.money(of.pre_balance),
            deposit: self.money(of.deposit),
            withdraw: self.money(of.withdraw),
            close_profit: self.money(of.close_profit),
            position_profit: self.money(of.position_profit),
            commission: self.money(of.commission),
            cash_in: self.money(of.cash_in),
            margin: self.money(of.curr_margin),
            frozen_margin: self.money(of.frozen_margin),
            frozen_cash: self.money(of.frozen_cash),
            frozen_commission: self.money(of.frozen_commission),
            balance: self.money(of.balance),
            available: self.money(of.available),
        })
    }

    pub(super) fn instrument(&self, of: &Instrument) -> Option<InstrumentFacts> {
        let option = code(OPTION_TYPES, of.options_type);
        Some(InstrumentFacts {
            symbol: self.text(&of.instrument_id)?,
            exchange: exchange(&of.exchange_id),
            product: self.text(&of.product_id)?,
            class: code(CLASSES, of.product_class),
            multiplier: i64::from(of.volume_multiple),
            tick: self.nonzero(of.price_tick),
            min_limit_lots: self.lots(of.min_limit_order_volume),
            max_limit_lots: self.lots(of.max_limit_order_volume),
            min_market_lots: self.lots(of.min_market_order_volume),
            max_market_lots: self.lots(of.max_market_order_volume),
            expiry: day(&of.expire_date),
            listed: day(&of.open_date),
            is_trading: of.is_trading != 0,
            option,
            strike: if option.is_some() { self.nonzero(of.strike_price) } else { Price::ABSENT },
            underlying: self.text(&of.underlying_instr_id)?,
            long_margin_ratio: self.ratio(of.long_margin_ratio),
            short_margin_ratio: self.ratio(of.short_margin_ratio),
        })
    }

    pub(super) fn margin(&self, of: &InstrumentMarginRate) -> Option<MarginFacts> {
        Some(MarginFacts {
            symbol: self.text(&of.instrument_id)?,
            long_ratio: self.ratio(of.long_margin_ratio_by_money),
            long_per_lot: self.money(of.long_margin_ratio_by_volume),
            short_ratio: self.ratio(of.short_margin_ratio_by_money),
            short_per_lot: self.money(of.short_margin_ratio_by_volume),
            is_relative: of.is_relative != 0,
        })
    }

    pub(super) fn commission(&self, of: &InstrumentCommissionRate) -> Option<CommissionFacts> {
        Some(CommissionFacts {
            symbol: self.text(&of.instrument_id)?,
            open_ratio: self.ratio(of.open_ratio_by_money),
            open_per_lot: self.money(of.open_ratio_by_volume),
            close_ratio: self.ratio(of.close_ratio_by_money),
            close_per_lot: self.money(of.close_ratio_by_volume),
            close_today_ratio: self.ratio(of.close_today_ratio_by_money),
            close_today_per_lot: self.money(of.close_today_ratio_by_volume),
        })
    }

    pub(super) fn option_cost(&self, of: &OptionInstrTradeCost) -> Option<OptionCostFacts> {
        Some(OptionCostFacts {
            symbol: self.text(&of.instrument_id)?,
            fixed_per_lot: self.money(of.fixed_margin),
            least_per_lot: self.money(of.mini_margin),
        })
    }

    pub(super) fn option_commission(&self, of: &OptionInstrCommRate) -> Option<CommissionFacts> {
        Some(CommissionFacts {
            symbol: self.text(&of.instrument_id)?,
            open_ratio: self.ratio(of.open_ratio_by_money),
            open_per_lot: self.money(of.open_ratio_by_volume),
            close_ratio: self.ratio(of.close_ratio_by_money),
            close_per_lot: self.money(of.close_ratio_by_volume),
            close_today_ratio: self.ratio(of.close_today_ratio_by_money),
            close_today_per_lot: self.money(of.close_today_ratio_by_volume),
        })
    }

    /// A name; `None`, and counted, when it is longer than any that Shrike knows.
    pub(super) fn text<const N: usize>(&self, field: &[u8]) -> Option<Text<N>> {
        let text = Text::new(field);
        if text.is_none() {
            self.0.refused.add(1);
        }
        text
    }

    /// `DBL_MAX` is absent; anything else without a fixed-point value is counted too.
    fn count_absent(&self, value: f64) {
        self.0.out_of_range.add(u64::from(value != f64::MAX));
    }

    fn price(&self, value: f64) -> Price {
        let price = Price::from_f64(value);
        if price.is_absent() {
            self.count_absent(value);
        }
        price
    }

    /// A price that is never zero: zero is a missing one.
    fn nonzero(&self, value: f64) -> Price {
        let price = self.price(value);
        if price == Price::ZERO { Price::ABSENT } else { price }
    }

    /// The limit of an order; a market order's means nothing.
    fn limit(&self, order_type: Option<OrderType>, value: f64) -> Price {
        if order_type == Some(OrderType::Market) { Price::ABSENT } else { self.price(value) }
    }

    fn money(&self, value: f64) -> Money {
        let money = Money::from_f64(value);
        if money.is_absent() {
            self.count_absent(value);
        }
        money
    }

    /// A ratio in units of 1e-8, as prices have.
    fn ratio(&self, value: f64) -> i64 {
        self.price(value).raw()
    }

    fn lots(&self, count: i32) -> Lots {
        if count < 0 {
            self.0.out_of_range.add(1);
            return Lots::ABSENT;
        }
        Lots::new(i64::from(count))
    }

    /// A number with blanks before it; none is zero, and so is what is no number.
    fn order_ref(&self, field: &[u8]) -> u64 {
        let digits = structs::text(field).trim_ascii();
        let number = digits
            .iter()
            .try_fold(0_u64, |number, &digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')));
        if number.is_none() {
            self.0.out_of_range.add(1);
        }
        number.unwrap_or(0)
    }
}

fn day(field: &[u8; 9]) -> TradingDay {
    decode::day(field).unwrap_or(TradingDay::ABSENT)
}

fn time(field: &[u8; 9]) -> Option<u64> {
    decode::second_of_day(field).map(|second| u64::from(second) * Nanos::PER_SECOND)
}

/// Of several legs the first, which is all that an order of one contract has.
fn offset(legs: &[u8; 5]) -> Option<Offset> {
    let [first, ..] = *legs;
    code(OFFSETS, first)
}
