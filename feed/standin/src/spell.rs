//! What the front tells, spelled in the vendor's structs, and requests read out of them: characters for codes, `DBL_MAX`
//! for a price that is not there, dates and times as text, and the exchanges' habits with dates.

use crate::session::Identity;
use bytemuck::Zeroable;
use shrike_core::codes::{Exchange, Side};
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, SCALE, Text, TradingDay};
use shrike_feed::ctp::abi::letters::{
    CLASSES, OFFSETS, OPTION_TYPES, PHASES, PRICE_TYPES, SIDES, STATUSES, SUBMITS, code, exchange, letter, tif,
    tif_letters,
};
use shrike_feed::ctp::abi::structs::{
    InputOrder, InputOrderAction, Instrument, InstrumentCommissionRate, InstrumentMarginRate, InstrumentStatus,
    InvestorPosition, OptionInstrCommRate, OptionInstrTradeCost, Order, OrderAction, Room, RspAuthenticate, RspInfo,
    RspUserLogin, SettlementInfoConfirm, SpecificInstrument, Trade, TradingAccount, UserLogout, put_text, text,
};
use shrike_feed::ctp::callback::{
    Callback, CancelFacts, CommissionFacts, FundsFacts, InstrumentFacts, LoginFacts, MarginFacts, OptionCostFacts,
    OrderFacts, PositionFacts, StatusFacts, Symbol, TradeFacts,
};
use shrike_feed::ctp::decode::{DepthSnapshot, Level};
use shrike_feed::sim::front::wire::Snapshot;
use std::fmt::Write;

/// A price; `DBL_MAX` when there is none.
fn price(price: Price) -> f64 {
    price.some().map_or(f64::MAX, |price| price.raw() as f64 / SCALE as f64)
}

/// Money; zero when there is none.
fn money(money: Money) -> f64 {
    money.some().map_or(0.0, |money| money.raw() as f64 / SCALE as f64)
}

fn ratio(raw: i64) -> f64 {
    raw as f64 / SCALE as f64
}

fn lots(lots: Lots) -> i32 {
    i32::try_from(lots.get()).unwrap_or(0)
}

fn put_day(field: &mut [u8], day: TradingDay) {
    if !day.is_absent() {
        put_text(field, format!("{day:08}").as_bytes());
    }
}

/// A time of the day, from nanoseconds since midnight.
fn put_time(field: &mut [u8], time: Option<u64>) {
    if let Some(ns) = time {
        let second = ns / Nanos::PER_SECOND;
        let mut text = String::with_capacity(8);
        let _ = write!(text, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        put_text(field, text.as_bytes());
    }
}

fn put_exchange(field: &mut [u8], exchange: Option<Exchange>) {
    put_text(field, exchange.map_or("", Exchange::name).as_bytes());
}

fn put_identity(broker: &mut [u8], user: &mut [u8], identity: &Identity) {
    put_text(broker, &identity.broker_id);
    put_text(user, &identity.user_id);
}

/// A contract's name out of a field; empty, which no contract has, when it is too long.
pub fn symbol(field: &[u8]) -> Symbol {
    Text::new(text(field)).unwrap_or_default()
}

/// An order as a client asks for it.
pub fn order_facts(order: &InputOrder) -> OrderFacts {
    let [offset_flag, ..] = order.comb_offset_flag;
    OrderFacts {
        symbol: symbol(&order.instrument_id),
        exchange: exchange(&order.exchange_id),
        order_ref: Text::new(text(&order.order_ref)).unwrap_or_default(),
        side: code(SIDES, order.direction),
        offset: code(OFFSETS, offset_flag),
        order_type: code(PRICE_TYPES, order.order_price_type),
        tif: tif(order.time_condition, order.volume_condition),
        price: Price::from_f64(order.limit_price),
        lots: Lots::new(i64::from(order.volume_total_original)),
        ..OrderFacts::default()
    }
}

/// A cancel as a client asks for it.
pub fn cancel_facts(action: &InputOrderAction) -> CancelFacts {
    CancelFacts {
        symbol: symbol(&action.instrument_id),
        exchange: exchange(&action.exchange_id),
        order_ref: Text::new(text(&action.order_ref)).unwrap_or_default(),
        front_id: action.front_id,
        session_id: action.session_id,
        order_sys_id: Text::new(text(&action.order_sys_id)).unwrap_or_default(),
        request_id: action.request_id,
    }
}

/// How a request went.
pub fn info(callback: &Callback) -> Room<RspInfo> {
    let mut info = Room::<RspInfo>::default();
    info.body.error_id = callback.error;
    put_text(&mut info.body.error_msg, callback.message.as_bytes());
    info
}

/// `OnRspAuthenticate`.
pub fn authenticated(identity: &Identity) -> Room<RspAuthenticate> {
    let mut room = Room::<RspAuthenticate>::default();
    put_identity(&mut room.body.broker_id, &mut room.body.user_id, identity);
    put_text(&mut room.body.app_id, &identity.app_id);
    room.body.app_type = b'1';
    room
}

/// `OnRspUserLogin`.
pub fn login(facts: &LoginFacts, identity: &Identity) -> Room<RspUserLogin> {
    let mut room = Room::<RspUserLogin>::default();
    let body = &mut room.body;
    put_day(&mut body.trading_day, facts.trading_day);
    put_identity(&mut body.broker_id, &mut body.user_id, identity);
    put_text(&mut body.system_name, b"shrike exchange");
    (body.front_id, body.session_id) = (facts.front_id, facts.session_id);
    put_text(&mut body.max_order_ref, facts.max_order_ref.to_string().as_bytes());
    let [shfe, dce, czce, cffex, ine, gfex] = facts.clocks;
    put_time(&mut body.login_time, shfe);
    put_time(&mut body.shfe_time, shfe);
    put_time(&mut body.dce_time, dce);
    put_time(&mut body.czce_time, czce);
    put_time(&mut body.ffex_time, cffex);
    put_time(&mut body.ine_time, ine);
    put_time(&mut body.gfex_time, gfex);
    room
}

/// `OnRspUserLogout`.
pub fn logged_out(identity: &Identity) -> Room<UserLogout> {
    let mut room = Room::<UserLogout>::default();
    put_identity(&mut room.body.broker_id, &mut room.body.user_id, identity);
    room
}

/// `OnRspSettlementInfoConfirm`.
pub fn confirmed(identity: &Identity) -> Room<SettlementInfoConfirm> {
    let mut room = Room::<SettlementInfoConfirm>::default();
    put_identity(&mut room.body.broker_id, &mut room.body.investor_id, identity);
    room
}

/// A refused order.
pub fn input_order(facts: &OrderFacts, identity: &Identity) -> Room<InputOrder> {
    let mut room = Room::<InputOrder>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.user_id, &identity.user_id);
    put_text(&mut body.order_ref, facts.order_ref.as_bytes());
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_exchange(&mut body.exchange_id, facts.exchange);
    body.order_price_type = letter(PRICE_TYPES, facts.order_type);
    body.direction = letter(SIDES, facts.side);
    (body.comb_offset_flag[0], body.comb_hedge_flag[0]) = (letter(OFFSETS, facts.offset), b'1');
    body.limit_price = facts.price.some().map_or(0.0, price);
    body.volume_total_original = lots(facts.lots);
    (body.time_condition, body.volume_condition) = tif_letters(facts.tif);
    (body.contingent_condition, body.force_close_reason, body.min_volume) = (b'1', b'0', 1);
    body.request_id = facts.request_id;
    room
}

/// `OnRtnOrder` and `OnRspQryOrder`; the words are the order's `StatusMsg`.
pub fn order(facts: &OrderFacts, words: &[u8], identity: &Identity) -> Room<Order> {
    let mut room = Room::<Order>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.user_id, &identity.user_id);
    put_text(&mut body.order_ref, facts.order_ref.as_bytes());
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_text(&mut body.exchange_inst_id, facts.symbol.as_bytes());
    put_exchange(&mut body.exchange_id, facts.exchange);
    body.order_price_type = letter(PRICE_TYPES, facts.order_type);
    body.direction = letter(SIDES, facts.side);
    (body.comb_offset_flag[0], body.comb_hedge_flag[0]) = (letter(OFFSETS, facts.offset), b'1');
    body.limit_price = facts.price.some().map_or(0.0, price);
    (body.volume_total_original, body.volume_traded) = (lots(facts.lots), lots(facts.traded));
    body.volume_total = body.volume_total_original - body.volume_traded;
    (body.time_condition, body.volume_condition) = tif_letters(facts.tif);
    (body.contingent_condition, body.force_close_reason, body.min_volume) = (b'1', b'0', 1);
    (body.order_source, body.order_type) = (b'0', b'0');
    body.order_status = letter(STATUSES, facts.status);
    body.order_submit_status = letter(SUBMITS, facts.submit);
    (body.front_id, body.session_id, body.request_id) = (facts.front_id, facts.session_id, facts.request_id);
    put_text(&mut body.order_sys_id, facts.order_sys_id.as_bytes());
    put_text(&mut body.order_local_id, facts.order_local_id.as_bytes());
    put_text(&mut body.trader_id, facts.trader_id.as_bytes());
    put_day(&mut body.trading_day, facts.trading_day);
    put_day(&mut body.insert_date, facts.trading_day);
    put_time(&mut body.insert_time, facts.insert_time);
    put_time(&mut body.cancel_time, facts.cancel_time);
    put_text(&mut body.status_msg, words);
    room
}

/// `OnRspOrderAction`.
pub fn input_action(facts: &CancelFacts, identity: &Identity) -> Room<InputOrderAction> {
    let mut room = Room::<InputOrderAction>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.user_id, &identity.user_id);
    put_text(&mut body.order_ref, facts.order_ref.as_bytes());
    put_text(&mut body.order_sys_id, facts.order_sys_id.as_bytes());
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_exchange(&mut body.exchange_id, facts.exchange);
    (body.front_id, body.session_id, body.request_id) = (facts.front_id, facts.session_id, facts.request_id);
    body.action_flag = b'0';
    room
}

/// `OnErrRtnOrderAction`.
pub fn action(facts: &CancelFacts, words: &[u8], identity: &Identity) -> Room<OrderAction> {
    let mut room = Room::<OrderAction>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.user_id, &identity.user_id);
    put_text(&mut body.order_ref, facts.order_ref.as_bytes());
    put_text(&mut body.order_sys_id, facts.order_sys_id.as_bytes());
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_exchange(&mut body.exchange_id, facts.exchange);
    (body.front_id, body.session_id, body.request_id) = (facts.front_id, facts.session_id, facts.request_id);
    (body.action_flag, body.order_action_status) = (b'0', b'c');
    put_text(&mut body.status_msg, words);
    room
}

/// `OnRtnTrade` and `OnRspQryTrade`.
pub fn trade(facts: &TradeFacts, identity: &Identity) -> Room<Trade> {
    let mut room = Room::<Trade>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.user_id, &identity.user_id);
    put_text(&mut body.order_ref, facts.order_ref.as_bytes());
    put_text(&mut body.trade_id, facts.trade_id.as_bytes());
    put_text(&mut body.order_sys_id, facts.order_sys_id.as_bytes());
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_text(&mut body.exchange_inst_id, facts.symbol.as_bytes());
    put_exchange(&mut body.exchange_id, facts.exchange);
    (body.direction, body.offset_flag, body.hedge_flag) =
        (letter(SIDES, facts.side), letter(OFFSETS, facts.offset), b'1');
    (body.price, body.volume) = (price(facts.price), lots(facts.lots));
    (body.trade_type, body.price_source, body.trade_source) = (b'0', b'0', b'0');
    put_day(&mut body.trade_date, facts.trading_day);
    put_day(&mut body.trading_day, facts.trading_day);
    put_time(&mut body.trade_time, facts.time);
    room
}

/// `OnRtnInstrumentStatus`.
pub fn status(facts: &StatusFacts) -> Room<InstrumentStatus> {
    let mut room = Room::<InstrumentStatus>::default();
    let body = &mut room.body;
    put_exchange(&mut body.exchange_id, facts.exchange);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    (body.instrument_status, body.enter_reason) = (letter(PHASES, facts.phase), b'1');
    put_time(&mut body.enter_time, facts.enter_time);
    room
}

/// `OnRspQryInvestorPosition`. Lots of a long position that closing orders bind are `ShortFrozen`, and the other way round.
pub fn position(facts: &PositionFacts, identity: &Identity) -> Room<InvestorPosition> {
    let mut room = Room::<InvestorPosition>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_exchange(&mut body.exchange_id, facts.exchange);
    (body.posi_direction, body.hedge_flag) = (if facts.side == Some(Side::Buy) { b'2' } else { b'3' }, b'1');
    body.position_date = if facts.is_history { b'2' } else { b'1' };
    (body.position, body.today_position) = (lots(facts.lots), lots(facts.today));
    body.yd_position = lots(facts.at_open);
    match facts.side {
        Some(Side::Buy) => body.short_frozen = lots(facts.frozen),
        _ => body.long_frozen = lots(facts.frozen),
    }
    (body.use_margin, body.exchange_margin) = (money(facts.margin), money(facts.margin));
    (body.open_cost, body.position_cost) = (money(facts.open_cost), money(facts.position_cost));
    body.pre_settlement_price = price(facts.pre_settlement);
    body.settlement_price = f64::MAX;
    room
}

/// `OnRspQryTradingAccount`.
pub fn funds(facts: &FundsFacts, identity: &Identity) -> Room<TradingAccount> {
    let mut room = Room::<TradingAccount>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.account_id, identity);
    put_day(&mut body.trading_day, facts.trading_day);
    put_text(&mut body.currency_id, b"CNY");
    body.pre_balance = money(facts.pre_balance);
    (body.deposit, body.withdraw) = (money(facts.deposit), money(facts.withdraw));
    (body.close_profit, body.position_profit) = (money(facts.close_profit), money(facts.position_profit));
    (body.commission, body.cash_in) = (money(facts.commission), money(facts.cash_in));
    (body.curr_margin, body.frozen_margin) = (money(facts.margin), money(facts.frozen_margin));
    (body.frozen_cash, body.frozen_commission) = (money(facts.frozen_cash), money(facts.frozen_commission));
    (body.balance, body.available) = (money(facts.balance), money(facts.available));
    body.withdraw_quota = money(facts.available);
    room
}

/// `OnRspQryInstrument`.
pub fn instrument(facts: &InstrumentFacts) -> Room<Instrument> {
    let mut room = Room::<Instrument>::default();
    let body = &mut room.body;
    let splits = facts.exchange.is_some_and(Exchange::splits_today);
    put_exchange(&mut body.exchange_id, facts.exchange);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    put_text(&mut body.exchange_inst_id, facts.symbol.as_bytes());
    put_text(&mut body.instrument_name, facts.symbol.as_bytes());
    put_text(&mut body.product_id, facts.product.as_bytes());
    put_text(&mut body.underlying_instr_id, facts.underlying.as_bytes());
    body.product_class = letter(CLASSES, facts.class);
    (body.max_limit_order_volume, body.min_limit_order_volume) =
        (lots(facts.max_limit_lots), lots(facts.min_limit_lots));
    (body.max_market_order_volume, body.min_market_order_volume) =
        (lots(facts.max_market_lots), lots(facts.min_market_lots));
    body.volume_multiple = i32::try_from(facts.multiplier).unwrap_or(0);
    body.price_tick = price(facts.tick);
    if !facts.expiry.is_absent() {
        let (year, month, _) = facts.expiry.ymd();
        (body.delivery_year, body.delivery_month) = (year as i32, month as i32);
    }
    put_day(&mut body.open_date, facts.listed);
    put_day(&mut body.expire_date, facts.expiry);
    (body.inst_life_phase, body.is_trading) = (b'1', i32::from(facts.is_trading));
    (body.position_type, body.position_date_type) = (b'2', if splits { b'1' } else { b'2' });
    (body.long_margin_ratio, body.short_margin_ratio) =
        (ratio(facts.long_margin_ratio), ratio(facts.short_margin_ratio));
    (body.strike_price, body.options_type) = (price(facts.strike), letter(OPTION_TYPES, facts.option));
    (body.underlying_multiple, body.combination_type) = (1.0, b'0');
    room
}

/// `OnRspQryInstrumentMarginRate`.
pub fn margin(facts: &MarginFacts, identity: &Identity) -> Room<InstrumentMarginRate> {
    let mut room = Room::<InstrumentMarginRate>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    (body.investor_range, body.hedge_flag) = (b'3', b'1');
    (body.long_margin_ratio_by_money, body.long_margin_ratio_by_volume) =
        (ratio(facts.long_ratio), money(facts.long_per_lot));
    (body.short_margin_ratio_by_money, body.short_margin_ratio_by_volume) =
        (ratio(facts.short_ratio), money(facts.short_per_lot));
    body.is_relative = i32::from(facts.is_relative);
    room
}

/// `OnRspQryInstrumentCommissionRate`.
pub fn commission(facts: &CommissionFacts, identity: &Identity) -> Room<InstrumentCommissionRate> {
    let mut room = Room::<InstrumentCommissionRate>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    body.investor_range = b'3';
    (body.open_ratio_by_money, body.open_ratio_by_volume) = (ratio(facts.open_ratio), money(facts.open_per_lot));
    (body.close_ratio_by_money, body.close_ratio_by_volume) = (ratio(facts.close_ratio), money(facts.close_per_lot));
    (body.close_today_ratio_by_money, body.close_today_ratio_by_volume) =
        (ratio(facts.close_today_ratio), money(facts.close_today_per_lot));
    room
}

/// `OnRspQryOptionInstrTradeCost`.
pub fn option_cost(facts: &OptionCostFacts, identity: &Identity) -> Room<OptionInstrTradeCost> {
    let mut room = Room::<OptionInstrTradeCost>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    body.hedge_flag = b'1';
    (body.fixed_margin, body.exch_fixed_margin) = (money(facts.fixed_per_lot), money(facts.fixed_per_lot));
    (body.mini_margin, body.exch_mini_margin) = (money(facts.least_per_lot), money(facts.least_per_lot));
    room
}

/// `OnRspQryOptionInstrCommRate`.
pub fn option_commission(facts: &CommissionFacts, identity: &Identity) -> Room<OptionInstrCommRate> {
    let mut room = Room::<OptionInstrCommRate>::default();
    let body = &mut room.body;
    put_identity(&mut body.broker_id, &mut body.investor_id, identity);
    put_text(&mut body.instrument_id, facts.symbol.as_bytes());
    body.investor_range = b'3';
    (body.open_ratio_by_money, body.open_ratio_by_volume) = (ratio(facts.open_ratio), money(facts.open_per_lot));
    (body.close_ratio_by_money, body.close_ratio_by_volume) = (ratio(facts.close_ratio), money(facts.close_per_lot));
    (body.close_today_ratio_by_money, body.close_today_ratio_by_volume) =
        (ratio(facts.close_today_ratio), money(facts.close_today_per_lot));
    room
}

/// `OnRspSubMarketData` and `OnRspUnSubMarketData`.
pub fn specific(symbol: &Symbol) -> Room<SpecificInstrument> {
    let mut room = Room::<SpecificInstrument>::default();
    put_text(&mut room.body.instrument_id, symbol.as_bytes());
    room
}

/// `OnRtnDepthMarketData`. At night DCE says the trading day where others say the natural date, and CZCE the natural date
/// where others say the trading day; on an ordinary front the exchange's name is empty.
pub fn depth(snapshot: &Snapshot) -> DepthSnapshot {
    let Snapshot { symbol, exchange, multiplier, tick } = snapshot;
    let mut depth = DepthSnapshot::zeroed();
    let is_czce = *exchange == Exchange::Czce;
    put_day(&mut depth.trading_day, if is_czce { tick.action_day } else { tick.trading_day });
    put_day(&mut depth.action_day, if *exchange == Exchange::Dce { tick.trading_day } else { tick.action_day });
    put_time(&mut depth.time, Some(u64::from(tick.exch_ns.china_second()) * Nanos::PER_SECOND));
    depth.millis = (tick.exch_ns.subsecond() / 1_000_000) as i32;
    put_text(&mut depth.instrument, symbol.as_bytes());
    put_text(&mut depth.exchange_instrument, symbol.as_bytes());
    let qty = |qty: Qty| qty.some().map_or(0.0, |qty| qty.raw() as f64 / SCALE as f64);
    depth.last = price(tick.last);
    (depth.pre_settlement, depth.pre_close) = (price(tick.pre_settlement), price(tick.pre_close));
    (depth.open, depth.high, depth.low) = (price(tick.open), price(tick.high), price(tick.low));
    (depth.close, depth.settlement) = (price(tick.close), price(tick.settlement));
    (depth.upper_limit, depth.lower_limit) = (price(tick.upper_limit), price(tick.lower_limit));
    depth.volume = lots(tick.volume.lots());
    depth.turnover = tick.turnover.some().map_or(0.0, |turnover| turnover.raw() as f64 / 10_000.0);
    (depth.open_interest, depth.pre_open_interest) = (qty(tick.open_interest), qty(tick.pre_open_interest));
    let times = if is_czce { 1 } else { (*multiplier).max(1) };
    depth.average = tick.average.some().map_or(f64::MAX, |average| price(average) * times as f64);
    (depth.pre_delta, depth.delta) = (f64::MAX, f64::MAX);
    let bids = tick.bids.iter().zip(tick.bid_qtys);
    let asks = tick.asks.iter().zip(tick.ask_qtys);
    for (level, ((bid, bid_qty), (ask, ask_qty))) in depth.levels.iter_mut().zip(bids.zip(asks)) {
        *level = Level {
            bid: price(*bid),
            bid_lots: lots(bid_qty.lots()),
            pad_bid: 0,
            ask: price(*ask),
            ask_lots: lots(ask_qty.lots()),
            pad_ask: 0,
        };
    }
    depth
}
