//! Logins, positions by day, money by CTP's by-date rules, settlement and the roll, resyncs.

use super::kit::{ID, Kit, Shown, day, rates};
use shrike_core::codes::{Exchange as Place, Offset, PhaseKind, ProductClass, RequestKind, Side};
use shrike_core::event::{Event, InstrumentDef, OrderRequest, Rates};
use shrike_core::units::{Money, Price};

fn held(kit: &Kit) -> Vec<(i64, i64, i64, Price)> {
    let row = |p: shrike_core::event::PositionReport| (p.today.get(), p.yesterday.get(), p.frozen.get(), p.mark);
    kit.exchange.positions().map(row).collect()
}

#[test]
fn a_start_tells_login_instruments_rates() {
    let mut kit = Kit::new(Place::Shfe);
    assert!(kit.drain().is_empty(), "no day, no login");
    kit.phase(PhaseKind::AuctionOrders);
    assert_eq!(kit.drain(), ["Login", "InstrumentDef", "Rates"]);
}

#[test]
fn a_day_is_settled_and_rolled() {
    // Given 2 lots long at 101 and a working order.
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 2, 101);
    kit.trade(Side::Sell, Offset::CloseToday, 1, 109);
    assert_eq!(held(&kit), [(2, 0, 1, Price::whole(101))]);
    let before = kit.exchange.funds();
    // Fee: 101 * 10 * 2 * 1e-4 + 2 lots. Margin: 10 % of the opening value; the closing order binds 3 a lot.
    assert_eq!(before.commission, Money::parse("2.202").expect("money"));
    assert_eq!(before.margin, Money::whole(202));
    assert_eq!(before.frozen, Money::whole(3));
    assert_eq!(before.position_profit, Money::whole(-20), "marked at the last price, 100");

    // When the exchange settles at 104, orders end and positions are marked there.
    let next = day(20_240_103);
    kit.phase(PhaseKind::Shut);
    kit.settle(104, next);
    assert_eq!(kit.drain(), ["flow 3", "flow 5"]);
    assert_eq!(kit.exchange.funds().position_profit, Money::whole(60));
    // And with the next day's first phase the account rolls: a new login, all lots of earlier days, profit in the balance.
    kit.roll(next);
    assert_eq!(kit.drain(), ["Login", "InstrumentDef", "Rates"]);
    assert_eq!(held(&kit), [(0, 2, 0, Price::whole(104))]);
    let after = kit.exchange.funds();
    let balance = Money::whole(10_000_000 + 60).minus(before.commission);
    assert_eq!((after.pre_balance, after.commission), (balance, Money::ZERO));
    assert_eq!((after.close_profit, after.position_profit), (Money::ZERO, Money::ZERO));
    assert_eq!(after.margin, Money::whole(208), "at the previous settlement");
    assert_eq!(kit.exchange.orders().len(), 0);
    // Numbers begin again.
    kit.phase(PhaseKind::Continuous);
    kit.show(Shown { bids: &[(99, 5)], asks: &[(101, 5)], last: 100, traded: &[] });
    let order_ref = kit.trade(Side::Sell, Offset::CloseYesterday, 2, 99);
    assert_eq!(order_ref, 1);
    let funds = kit.exchange.funds();
    assert_eq!(funds.close_profit, Money::whole(-100), "from the previous settlement, 104, to 99");
    assert_eq!(funds.commission, Money::whole(4), "two lots of an earlier day");
    assert_eq!((funds.margin, held(&kit).len()), (Money::ZERO, 0));
}

#[test]
fn closes_take_their_days_lots() {
    // One lot of yesterday (settled at 100) and two of today (101, 102) are held; what does each offset close?
    type Case = (Place, Offset, i64, (i64, i64), i64);
    let cases: &[Case] = &[
        (Place::Shfe, Offset::Close, 1, (2, 0), -10),
        (Place::Ine, Offset::CloseYesterday, 1, (2, 0), -10),
        (Place::Shfe, Offset::CloseToday, 1, (1, 1), -20),
        (Place::Shfe, Offset::CloseToday, 2, (0, 1), -50),
        (Place::Dce, Offset::Close, 1, (2, 0), -10),
        (Place::Czce, Offset::CloseToday, 2, (1, 0), -30),
        (Place::Cffex, Offset::CloseYesterday, 3, (0, 0), -60),
    ];
    for &(place, offset, lots, left, profit) in cases {
        let mut kit = Kit::open(place);
        kit.trade(Side::Buy, Offset::Open, 1, 101);
        kit.settle(100, day(20_240_103));
        kit.roll(day(20_240_103));
        kit.phase(PhaseKind::Continuous);
        let asks = &[(101, 1), (102, 1)];
        kit.show(Shown { bids: &[(99, 9)], asks, last: 100, traded: &[] });
        kit.trade(Side::Buy, Offset::Open, 2, 102);
        kit.trade(Side::Sell, offset, lots, 99);
        let rows = held(&kit);
        let now = rows.first().map_or((0, 0), |&(today, yesterday, ..)| (today, yesterday));
        assert_eq!(now, left, "{place} {offset} {lots}");
        assert_eq!(kit.exchange.funds().close_profit, Money::whole(profit.into()), "{place} {offset} {lots}");
        let told = kit.exchange.fills().last().expect("a fill").offset();
        let expected = if place.splits_today() { offset } else { Offset::Close };
        assert_eq!(told, Some(expected), "only SHFE and INE tell the day in a trade");
    }
}

#[test]
fn frozen_lots_cannot_be_closed_twice() {
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 2, 101);
    let first = kit.trade(Side::Sell, Offset::CloseToday, 2, 105);
    let order = kit.order(Side::Sell, Offset::CloseToday, 1, 106);
    kit.send(&order);
    assert_eq!(kit.drain(), ["rsp-insert - rejected error 50", "err-insert - rejected error 50"]);
    kit.cancel(first);
    kit.drain();
    kit.trade(Side::Sell, Offset::CloseToday, 1, 106);
    assert_eq!(held(&kit)[0].2, 1);
}

#[test]
fn a_resync_restates_the_day() {
    let mut kit = Kit::open(Place::Shfe);
    kit.trade(Side::Buy, Offset::Open, 2, 101);
    kit.trade(Side::Buy, Offset::Open, 2, 95);
    let request = OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() };
    kit.send(&request);
    let mut counts = None;
    let mut lines = Vec::new();
    kit.each(|_, event| {
        if let Event::ResyncEnd(end) = event {
            counts = Some((end.orders, end.fills, end.positions));
        }
        lines.push(super::kit::line(event));
    });
    let expected = ["query 0 traded 2", "query 3", "fill 2 at 101", "PositionReport", "FundsReport", "ResyncEnd"];
    assert_eq!(lines, expected);
    assert_eq!(counts, Some((2, 1, 1)));
    let query = OrderRequest { kind: RequestKind::QueryOrder.code(), order_ref: 2, instrument: ID, ..request };
    kit.send(&query);
    kit.send(&OrderRequest { order_ref: 9, ..query });
    assert_eq!(kit.drain(), ["query 3", "query - error 25"]);
}

/// The ledger's tests tell such a day with other numbers: neither side's code is the other's.
#[test]
fn an_option_is_paid_for_and_only_a_written_one_binds_margin() {
    let mut kit = Kit::open(Place::Shfe);
    kit.market((&InstrumentDef { class: ProductClass::Option.code(), ..kit.def() }).into());
    let (fixed, least) = (Money::whole(50), Money::whole(1_100));
    let written = Rates { short_margin_ratio: 100_000_000, short_margin_per_lot: fixed, ..rates() };
    kit.market((&Rates { short_margin_least_per_lot: least, ..written }).into());
    kit.drain();
    kit.trade(Side::Buy, Offset::Open, 2, 101);
    kit.trade(Side::Sell, Offset::Open, 1, 99);
    let funds = kit.exchange.funds();
    assert_eq!((funds.close_profit, funds.position_profit), (Money::whole(-2_020 + 990), Money::ZERO));
    assert_eq!(kit.exchange.premium(), funds.close_profit);
    assert_eq!(funds.margin, Money::whole(1_100), "100 x 10 and 50, but at least");
    kit.show(Shown { bids: &[(99, 5)], asks: &[(109, 5)], last: 108, traded: &[] });
    assert_eq!(kit.exchange.funds().margin, Money::whole(1_130));
    kit.trade(Side::Buy, Offset::Open, 1, 95);
    kit.trade(Side::Sell, Offset::Open, 1, 107);
    // Premium, fee of 1 and 1e-4 of value; the same with the fixed margin.
    assert_eq!(kit.exchange.funds().frozen, Money::parse("2072.202").expect("money"));
    let lines: Vec<_> = kit.exchange.position_lines().map(|line| (line.side, line.margin)).collect();
    assert_eq!(lines, [(Side::Buy, Money::ZERO), (Side::Sell, Money::whole(1_130))]);
    let next = day(20_240_103);
    kit.phase(PhaseKind::Shut);
    kit.settle(104, next);
    kit.roll(next);
    kit.drain();
    let funds = kit.exchange.funds();
    assert_eq!(funds.pre_balance, Money::parse("9998966.699").expect("money"), "less 1 030 and 3.301 in fees");
    assert_eq!((kit.exchange.premium(), funds.margin), (Money::ZERO, least), "104 x 10 and 50, but at least");
}
