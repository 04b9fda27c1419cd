//! Our requests as CTP's structs: the one place where fixed-point prices become `f64`. A request that has no form there
//! (a symbol or a number that is too long) gives `None` and is not sent.

use super::letters::{OFFSETS, PRICE_TYPES, SIDES, letter, tif_letters};
use super::structs::{
    InputOrder, InputOrderAction, QryInstrument, QryInstrumentCommissionRate, QryInstrumentMarginRate,
    QryInvestorPosition, QryOptionInstrCommRate, QryOptionInstrTradeCost, QryOrder, QryTrade, QryTradingAccount,
    ReqAuthenticate, ReqUserLogin, Room, SettlementInfoConfirm, put_text,
};
use crate::ctp::api::{CancelOrder, Credentials, NewOrder};
use shrike_core::codes::{OrderType, TimeInForce};
use shrike_core::units::{Price, SCALE};

/// Speculation.
const HEDGE: u8 = b'1';

/// Says whether every field took its text.
macro_rules! put {
    ($($field:expr => $text:expr),+ $(,)?) => {
        ($(put_text(&mut $field, $text.as_ref()))&&+).then_some(())?
    };
}

/// The requests of one account.
pub(super) struct Writer<'a>(pub(super) &'a Credentials);

impl Writer<'_> {
    pub(super) fn authenticate(&self) -> Option<Room<ReqAuthenticate>> {
        let mut room = Room::<ReqAuthenticate>::default();
        let request = &mut room.body;
        put!(
            request.broker_id => self.0.broker_id,
            request.user_id => self.0.user_id,
            request.user_product_info => self.0.product_info,
            request.auth_code => self.0.auth_code,
            request.app_id => self.0.app_id,
        );
        Some(room)
    }

    pub(super) fn login(&self) -> Option<Room<ReqUserLogin>> {
        let mut room = Room::<ReqUserLogin>::default();
        let request = &mut room.body;
        put!(
            request.broker_id => self.0.broker_id,
            request.user_id => self.0.user_id,
            request.password => self.0.password,
            request.user_product_info => self.0.product_info,
        );
        Some(room)
    }

    pub(super) fn confirm(&self) -> Option<Room<SettlementInfoConfirm>> {
        let mut room = Room::<SettlementInfoConfirm>::default();
        put!(room.body.broker_id => self.0.broker_id, room.body.investor_id => self.0.user_id);
        Some(room)
    }

    pub(super) fn instruments(&self) -> Option<Room<QryInstrument>> {
        Some(Room::default())
    }

    pub(super) fn orders(&self) -> Option<Room<QryOrder>> {
        let mut room = Room::<QryOrder>::default();
        put!(room.body.broker_id => self.0.broker_id, room.body.investor_id => self.0.user_id);
        Some(room)
    }

    pub(super) fn trades(&self) -> Option<Room<QryTrade>> {
        let mut room = Room::<QryTrade>::default();
        put!(room.body.broker_id => self.0.broker_id, room.body.investor_id => self.0.user_id);
        Some(room)
    }

    pub(super) fn positions(&self) -> Option<Room<QryInvestorPosition>> {
        let mut room = Room::<QryInvestorPosition>::default();
        put!(room.body.broker_id => self.0.broker_id, room.body.investor_id => self.0.user_id);
        Some(room)
    }

    pub(super) fn funds(&self) -> Option<Room<QryTradingAccount>> {
        let mut room = Room::<QryTradingAccount>::default();
        put!(
            room.body.broker_id => self.0.broker_id,
            room.body.investor_id => self.0.user_id,
            room.body.currency_id => "CNY",
        );
        Some(room)
    }

    pub(super) fn margin_rate(&self, symbol: &[u8]) -> Option<Room<QryInstrumentMarginRate>> {
        let mut room = Room::<QryInstrumentMarginRate>::default();
        put!(
            room.body.broker_id => self.0.broker_id,
            room.body.investor_id => self.0.user_id,
            room.body.instrument_id => symbol,
        );
        room.body.hedge_flag = HEDGE;
        Some(room)
    }

    pub(super) fn commission_rate(&self, symbol: &[u8]) -> Option<Room<QryInstrumentCommissionRate>> {
        let mut room = Room::<QryInstrumentCommissionRate>::default();
        put!(
            room.body.broker_id => self.0.broker_id,
            room.body.investor_id => self.0.user_id,
            room.body.instrument_id => symbol,
        );
        Some(room)
    }

    /// Without prices: the fixed part, at the underlying's last settlement.
    pub(super) fn option_cost(&self, symbol: &[u8]) -> Option<Room<QryOptionInstrTradeCost>> {
        let mut room = Room::<QryOptionInstrTradeCost>::default();
        put!(
            room.body.broker_id => self.0.broker_id,
            room.body.investor_id => self.0.user_id,
            room.body.instrument_id => symbol,
        );
        room.body.hedge_flag = HEDGE;
        Some(room)
    }

    pub(super) fn option_commission(&self, symbol: &[u8]) -> Option<Room<QryOptionInstrCommRate>> {
        let mut room = Room::<QryOptionInstrCommRate>::default();
        put!(
            room.body.broker_id => self.0.broker_id,
            room.body.investor_id => self.0.user_id,
            room.body.instrument_id => symbol,
        );
        Some(room)
    }

    /// Any price counts as immediate or cancel, as the exchanges demand of market orders.
    pub(super) fn insert(&self, request_id: i32, order: &NewOrder<'_>) -> Option<Room<InputOrder>> {
        let mut room = Room::<InputOrder>::default();
        let request = &mut room.body;
        put!(
            request.broker_id => self.0.broker_id,
            request.investor_id => self.0.user_id,
            request.user_id => self.0.user_id,
            request.instrument_id => order.symbol,
            request.exchange_id => order.exchange.name(),
        );
        put_number(&mut request.order_ref, order.order_ref)?;
        request.direction = letter(SIDES, Some(order.side));
        let offset = letter(OFFSETS, Some(order.offset));
        put!(request.comb_offset_flag => [offset], request.comb_hedge_flag => [HEDGE]);
        request.order_price_type = letter(PRICE_TYPES, Some(order.order_type));
        let is_market = order.order_type == OrderType::Market;
        request.limit_price = if is_market { 0.0 } else { float(order.price)? };
        let tif = if is_market && order.tif == TimeInForce::Day { TimeInForce::Fak } else { order.tif };
        (request.time_condition, request.volume_condition) = tif_letters(Some(tif));
        request.volume_total_original = i32::try_from(order.lots.get()).ok().filter(|&lots| lots > 0)?;
        request.min_volume = 1;
        request.contingent_condition = b'1';
        request.force_close_reason = b'0';
        request.request_id = request_id;
        Some(room)
    }

    pub(super) fn cancel(&self, request_id: i32, order: &CancelOrder<'_>) -> Option<Room<InputOrderAction>> {
        let mut room = Room::<InputOrderAction>::default();
        let request = &mut room.body;
        put!(
            request.broker_id => self.0.broker_id,
            request.investor_id => self.0.user_id,
            request.user_id => self.0.user_id,
            request.instrument_id => order.symbol,
            request.exchange_id => order.exchange.name(),
        );
        if order.order_sys_id.is_empty() {
            put_number(&mut request.order_ref, order.order_ref)?;
            request.front_id = order.front_id;
            request.session_id = order.session_id;
        } else {
            put!(request.order_sys_id => order.order_sys_id.as_bytes());
        }
        request.action_flag = b'0';
        request.order_action_ref = request_id;
        request.request_id = request_id;
        Some(room)
    }
}

/// Writes decimal digits; `None` when they do not fit. Allocates nothing.
fn put_number(field: &mut [u8], number: u64) -> Option<()> {
    let (mut digits, mut at, mut rest) = ([0; 20], 20, number);
    loop {
        at -= 1;
        *digits.get_mut(at)? = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    put_text(field, digits.get(at..)?).then_some(())
}

/// The nearest float: both numbers are exact and the division is rounded once. `None`: no price, or one so large that
/// it would not be exact.
fn float(price: Price) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    (price.raw().unsigned_abs() < EXACT).then(|| price.raw() as f64 / SCALE as f64)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
