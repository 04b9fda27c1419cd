//! The layouts, pinned: a change of any offset breaks every journal ever written.

use super::*;
use std::mem::offset_of;

macro_rules! pin {
    ($type:ty, $size:literal, $($field:ident @ $offset:literal),+) => {
        assert_eq!(size_of::<$type>(), $size, concat!("size of ", stringify!($type)));
        $(assert_eq!(offset_of!($type, $field), $offset, concat!(stringify!($type), ".", stringify!($field)));)+
    };
}

#[test]
fn header_is_the_frame() {
    pin!(Header, 48, len @ 0, kind @ 4, version @ 6, crc @ 8, flags @ 12, seq @ 16, recv_ns @ 24, taken_ns @ 32, cause @ 40);
    assert_eq!(size_of::<MarketSlot>(), 384);
    assert_eq!(size_of::<StageSlot>(), 256);
}

#[test]
fn market_bodies() {
    pin!(DepthTick, 336, instrument @ 0, trading_day @ 4, exch_ns @ 8, last @ 16, volume @ 24, turnover @ 32,
        open_interest @ 40, open @ 48, settlement @ 80, upper_limit @ 112, average @ 128, action_day @ 136,
        bids @ 176, bid_qtys @ 216, asks @ 256, ask_qtys @ 296);
    pin!(Quote, 80, exch_ns @ 8, bid @ 16, bid_qty @ 24, ask @ 32, ask_qty @ 40, last @ 48, volume @ 56, upper_limit @ 64,
        lower_limit @ 72);
    pin!(MarketTrade, 80, price @ 16, qty @ 24, trade_id @ 32, side @ 40);
    pin!(Bar, 144, start_ns @ 8, end_ns @ 16, open @ 24, close @ 48, volume @ 56, turnover @ 64, open_interest @ 72, ticks @ 80);
    pin!(Phase, 80, start_ns @ 8, end_ns @ 16, phase @ 24, source @ 25);
    pin!(InstrumentDef, 208, symbol @ 8, product @ 48, underlying @ 64, tick @ 88, multiplier @ 96, strike @ 104,
        min_lots @ 112, upper_limit @ 136, expiry @ 160, exchange @ 164, tradable @ 168);
    pin!(Gap, 80, start_ns @ 8, end_ns @ 16);
    pin!(Settlement, 80, settlement @ 8, next_day @ 16);
    pin!(Rates, 208, long_margin_ratio @ 8, long_margin_per_lot @ 32, open_ratio @ 64, close_ratio @ 72, open_per_lot @ 96,
        close_today_per_lot @ 128, assumed @ 144, short_margin_least_per_lot @ 160);
    pin!(Unchanged, 80, first_ns @ 8, last_ns @ 16, count @ 24);
}

#[test]
fn order_bodies() {
    pin!(TargetPosition, 80, revision @ 8, lots @ 16, limit @ 24, urgency @ 32);
    pin!(TargetQuote, 80, revision @ 8, bid @ 16, ask @ 24, bid_lots @ 32, ask_lots @ 40);
    pin!(OrderRequest, 144, order_ref @ 8, price @ 16, lots @ 24, strategy @ 32, kind @ 36, side @ 37, exchange @ 41,
        retry @ 42, front_id @ 44, order_sys_id @ 56, revision @ 80);
    pin!(OrderReport, 144, order_ref @ 8, front_id @ 16, order_sys_id @ 24, price @ 48, traded @ 64, exch_ns @ 72,
        error_code @ 80, status @ 84, side @ 87, exchange @ 91, request_id @ 92, order_local_id @ 96);
    pin!(Fill, 144, order_ref @ 8, trade_id @ 16, order_sys_id @ 40, price @ 64, lots @ 72, exch_ns @ 80, side @ 88,
        strategy @ 92);
    pin!(OrderUpdate, 80, order_ref @ 8, price @ 16, filled @ 32, strategy @ 40, error_code @ 44, state @ 48);
    pin!(Refusal, 80, revision @ 8, lots @ 16, price @ 24, limit @ 32, value @ 40, error_code @ 48, reason @ 52);
    pin!(Holding, 80, lots @ 8, account_lots @ 16, fill_seq @ 24);
}

#[test]
fn account_and_run_bodies() {
    pin!(Login, 80, trading_day @ 0, front_id @ 4, max_order_ref @ 16, exch_ns @ 24);
    pin!(Connection, 80, connected @ 0, reason @ 4, channel @ 8);
    pin!(PositionReport, 80, today @ 8, yesterday @ 16, frozen @ 24, mark @ 32, side @ 40);
    pin!(FundsReport, 144, pre_balance @ 16, close_profit @ 32, margin @ 80, frozen @ 96, available @ 112);
    pin!(ResyncEnd, 80, trading_day @ 0, session_id @ 4, positions @ 16, request @ 24);
    pin!(Difference, 80, ours @ 8, venue @ 16, field @ 24, order_ref @ 48);
    pin!(Timer, 80, token @ 0, due_ns @ 8);
    pin!(TimerRequest, 80, token @ 0, due_ns @ 8);
    pin!(Command, 144, who @ 0, why @ 32, written_ns @ 96, instrument @ 104, kind @ 108);
    pin!(RunStart, 208, run_id @ 0, start @ 8, config_hash @ 16, started_ns @ 24, build @ 32, host @ 80, simulated @ 128);
    pin!(RunEnd, 80, run_id @ 0, ended_ns @ 8, inputs @ 16, outputs @ 24);
    pin!(Resync, 80, holds @ 0, epoch @ 8);
    pin!(Alarm, 80, instrument @ 0, strategy @ 4, order_ref @ 8, value @ 16, kind @ 24, cleared @ 25);
    pin!(DayRoll, 80, from @ 0, to @ 4);
}

#[test]
fn a_slot_gives_back_what_was_put() {
    let quote = Quote { bid: crate::units::Price::whole(5), ..Quote::default() };
    let mut slot = MarketSlot::default();
    slot.put(&quote);
    assert_eq!(slot.event(), Event::Quote(&quote));
    let mut narrow = IntentSlot::default();
    assert!(narrow.copy_from(slot.header(), slot.body()));
    assert_eq!(narrow.event(), Event::Quote(&quote));
    slot.put(&DepthTick::default());
    assert!(!narrow.copy_from(slot.header(), slot.body()), "a tick does not fit an intent slot");
    assert_eq!(narrow.event(), Event::Quote(&quote), "and nothing was written");
}

#[test]
fn short_and_foreign_bodies_are_unknown() {
    assert!(matches!(Event::read(2, &[0; 8]), Event::Unknown { kind: 2, .. }));
    assert!(matches!(Event::read(9_999, &[]), Event::Unknown { kind: 9_999, .. }));
}
