//! CTP's facts as events: the same numbers under our names, with the contract's id, the natural time, and our number only
//! where the reference is one.

use super::listing::Row;
use crate::ctp::callback::{FundsFacts, LoginFacts, OrderFacts, TradeFacts};
use crate::ctp::offset::natural_time;
use shrike_core::calendar::Calendar;
use shrike_core::codes::ReportSource;
use shrike_core::event::{Fill, FundsReport, Login, OrderReport};
use shrike_core::units::{Text, TradingDay};

/// The number in a reference; zero where it is none: a person's order, or another program's.
pub fn order_number<const N: usize>(order_ref: &Text<N>) -> u64 {
    std::str::from_utf8(order_ref.as_bytes()).ok().and_then(|text| text.trim_matches(' ').parse().ok()).unwrap_or(0)
}

/// What every translation needs: the trading day of the login and the calendar.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The login's trading day, for facts that name none.
    pub day: TradingDay,
    /// Where times of the day lie.
    pub calendar: &'a Calendar,
}

impl Frame<'_> {
    fn day_of(&self, stated: TradingDay) -> TradingDay {
        if stated.is_absent() { self.day } else { stated }
    }

    /// An order's report. Codes that CTP left empty are zero.
    pub fn report(&self, facts: &OrderFacts, row: &Row, source: ReportSource, error_code: i32) -> OrderReport {
        let trading_day = self.day_of(facts.trading_day);
        let time = facts.cancel_time.or(facts.insert_time);
        OrderReport {
            instrument: row.id,
            trading_day,
            order_ref: order_number(&facts.order_ref),
            front_id: facts.front_id,
            session_id: facts.session_id,
            order_sys_id: facts.order_sys_id,
            price: facts.price,
            lots: facts.lots,
            traded: facts.traded,
            exch_ns: natural_time(self.calendar, trading_day, time),
            error_code,
            status: facts.status.map_or(0, |status| status.code()),
            submit: facts.submit.map_or(0, |submit| submit.code()),
            source: source.code(),
            side: facts.side.map_or(0, |side| side.code()),
            offset: facts.offset.map_or(0, |offset| offset.code()),
            order_type: facts.order_type.map_or(0, |order_type| order_type.code()),
            tif: facts.tif.map_or(0, |tif| tif.code()),
            exchange: row.exchange.code(),
            request_id: u32::try_from(facts.request_id).unwrap_or(0),
            order_local_id: facts.order_local_id,
            ..OrderReport::default()
        }
    }

    /// A trade.
    pub fn fill(&self, facts: &TradeFacts, row: &Row) -> Fill {
        let trading_day = self.day_of(facts.trading_day);
        Fill {
            instrument: row.id,
            trading_day,
            order_ref: order_number(&facts.order_ref),
            trade_id: facts.trade_id,
            order_sys_id: facts.order_sys_id,
            price: facts.price,
            lots: facts.lots,
            exch_ns: natural_time(self.calendar, trading_day, facts.time),
            side: facts.side.map_or(0, |side| side.code()),
            offset: facts.offset.map_or(0, |offset| offset.code()),
            exchange: row.exchange.code(),
            ..Fill::default()
        }
    }

    /// A login. Its time is that of the first exchange that tells one.
    pub fn login(&self, facts: &LoginFacts) -> Login {
        let clock = facts.clocks.iter().flatten().next().copied();
        Login {
            trading_day: facts.trading_day,
            front_id: facts.front_id,
            session_id: facts.session_id,
            max_order_ref: facts.max_order_ref,
            exch_ns: natural_time(self.calendar, facts.trading_day, clock),
            ..Login::default()
        }
    }

    /// The funds. The balance at the start of the day has the day's deposits; options' premiums count as closed results;
    /// what working orders bind is one sum.
    pub fn funds(&self, facts: &FundsFacts) -> FundsReport {
        FundsReport {
            trading_day: self.day_of(facts.trading_day),
            pre_balance: facts.pre_balance.plus(facts.deposit).minus(facts.withdraw),
            close_profit: facts.close_profit.plus(facts.cash_in),
            position_profit: facts.position_profit,
            commission: facts.commission,
            margin: facts.margin,
            frozen: facts.frozen_margin.plus(facts.frozen_cash).plus(facts.frozen_commission),
            available: facts.available,
            ..FundsReport::default()
        }
    }
}
