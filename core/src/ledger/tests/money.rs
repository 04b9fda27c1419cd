//! Closing rules by exchange, and money by date.

use super::*;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// A desk that holds lots of earlier days in every contract.
fn holding(side: Side, yesterday: i64) -> Desk {
    let mut desk = Desk::without_login();
    desk.login(day(2));
    desk.restate(&[SHFE, DCE, CFFEX].map(|instrument| (instrument, side, 0, yesterday)));
    desk
}

#[test]
fn which_lots_a_close_takes_depends_on_the_exchange() {
    // (contract, offset, long today and yesterday after a close of 4 from 3 of today and 5 earlier)
    for (instrument, offset, left) in [
        (SHFE, Offset::Close, [3, 1]),
        (SHFE, Offset::CloseYesterday, [3, 1]),
        (DCE, Offset::Close, [3, 1]),
        (DCE, Offset::CloseToday, [3, 1]),
        (CFFEX, Offset::CloseYesterday, [3, 1]),
    ] {
        let mut desk = holding(Side::Buy, 5);
        desk.tell(&ticket(1, instrument, Side::Buy, Offset::Open, 3).fill(1, 3));
        desk.tell(&ticket(2, instrument, Side::Sell, offset, 4).fill(2, 4));
        assert_eq!(desk.held(instrument), [left[0], left[1], 0, 0], "{instrument} {offset}");
    }
    let mut desk = holding(Side::Buy, 5);
    desk.tell(&ticket(1, SHFE, Side::Buy, Offset::Open, 3).fill(1, 3));
    desk.tell(&ticket(2, SHFE, Side::Sell, Offset::CloseToday, 2).fill(2, 2));
    assert_eq!(desk.held(SHFE), [1, 5, 0, 0]);
    desk.tell(&ticket(3, DCE, Side::Buy, Offset::Open, 3).fill(3, 3));
    desk.tell(&ticket(4, DCE, Side::Sell, Offset::Close, 7).fill(4, 7));
    assert_eq!(desk.held(DCE), [1, 0, 0, 0], "earlier lots first, then today's");
}

#[test]
fn working_closes_bind_the_lots_they_would_take() {
    let mut desk = holding(Side::Buy, 5);
    for instrument in [SHFE, DCE] {
        desk.tell(
            &ticket(1 + instrument.get() as u64, instrument, Side::Buy, Offset::Open, 3)
                .fill(instrument.get() as u64, 3),
        );
        let close = ticket(10 + instrument.get() as u64, instrument, Side::Sell, Offset::Close, 4);
        desk.tell(&close.insert());
    }
    let closable = |instrument, offset| desk.position(instrument).closable(Side::Sell, offset).get();
    assert_eq!([Offset::Close, Offset::CloseYesterday, Offset::CloseToday].map(|o| closable(SHFE, o)), [1, 1, 3]);
    assert_eq!([Offset::Close, Offset::CloseYesterday, Offset::CloseToday].map(|o| closable(DCE, o)), [4, 4, 4]);
    assert_eq!(closable(DCE, Offset::Open), 0);
    assert_eq!(desk.position(DCE).closable(Side::Buy, Offset::Close), Lots::ZERO, "no short is held");
    assert_eq!(desk.position(SHFE).frozen(Side::Buy), (Lots::ZERO, Lots::new(4)));
    assert_eq!(desk.position(DCE).frozen(Side::Buy), (Lots::ZERO, Lots::new(4)));
}

/// The example in the module's documentation, by hand, with a fee of 2 a lot.
#[test]
fn the_documented_example_holds() {
    let mut desk = holding(Side::Buy, 3);
    let two = Money::whole(2);
    desk.tell(&Rates {
        instrument: DCE,
        open_per_lot: two,
        close_per_lot: two,
        close_today_per_lot: two,
        long_margin_ratio: 10_000_000,
        ..Rates::default()
    });
    let buy = ticket(1, DCE, Side::Buy, Offset::Open, 4);
    desk.tell(&buy.fill_at(1, 2, 103));
    desk.tell(&buy.fill_at(2, 2, 104));
    let details = |desk: &Desk| desk.ledger.details(DCE, Side::Buy).map(|(p, n)| (p, n.get())).collect::<Vec<_>>();
    assert_eq!(details(&desk), [(Price::whole(103), 2), (Price::whole(104), 2)]);
    desk.tell(&ticket(2, DCE, Side::Sell, Offset::Close, 6).fill_at(3, 6, 106));
    desk.last(DCE, 105);
    assert_eq!(details(&desk), [(Price::whole(104), 1)]);
    let position = desk.position(DCE);
    assert_eq!(position.close_profit(), money("260"));
    assert_eq!(position.commission(), money("20"));
    assert_eq!(position.position_profit(), money("10"));
    assert_eq!(position.margin(), money("104"));
}

#[test]
fn fees_margin_and_frozen_funds_by_hand() {
    let mut desk = holding(Side::Sell, 2);
    // Short 2 of earlier days in three contracts at 100: margin 3 x 2 x 100 x 10 / 10.
    assert_eq!(desk.ledger.funds().margin, money("600"));
    let open = ticket(1, SHFE, Side::Sell, Offset::Open, 4).at(120);
    desk.tell(&open.insert());
    // Margin a tenth of 4 x 120 x 10, fee 4 x 2 and 1e-4 of value.
    assert_eq!(desk.ledger.funds().frozen, money("488.48"));
    assert_eq!(desk.position(SHFE).opening_cost(Side::Sell, Lots::new(4), Price::whole(120)), money("488.48"));
    desk.tell(&open.fill(1, 1));
    assert_eq!(desk.ledger.funds().frozen, money("366.36"));
    assert_eq!(desk.ledger.funds().commission, money("2.12"), "2 a lot and 1e-4 of 1200");
    assert_eq!(desk.ledger.funds().margin, money("720"));
    desk.tell(&ticket(2, SHFE, Side::Buy, Offset::CloseToday, 1).fill_at(2, 1, 110));
    assert_eq!(desk.ledger.funds().close_profit, money("100"));
    assert_eq!(desk.ledger.funds().commission, money("6.23"), "and 4 a lot, 1e-4 of 1100");
    desk.tell(&ticket(3, SHFE, Side::Buy, Offset::Close, 1).fill_at(3, 1, 90));
    assert_eq!(desk.ledger.funds().close_profit, money("200"), "from the previous settlement");
    assert_eq!(desk.ledger.funds().commission, money("9.32"), "and 3 a lot, 1e-4 of 900");
    desk.last(SHFE, 95);
    let funds = desk.ledger.funds();
    assert_eq!(funds.position_profit, money("50"));
    assert_eq!(funds.equity, money("1000240.68"));
    assert_eq!(funds.available, funds.equity.minus(funds.margin).minus(funds.frozen));
    assert_eq!(funds.frozen, money("366.36"));
}

#[test]
fn fees_of_a_guess_are_reckoned_anew_and_those_of_the_venue_stand() {
    let mut desk = Desk::new();
    let rates = |lots: i128, assumed: u8| Rates {
        instrument: SHFE,
        open_per_lot: Money::whole(lots),
        close_today_per_lot: Money::whole(10 * lots),
        open_ratio: 10_000,
        assumed,
        ..Rates::default()
    };
    desk.tell(&rates(5, 1));
    desk.tell(&ticket(1, SHFE, Side::Buy, Offset::Open, 3).fill_at(1, 3, 100));
    desk.tell(&ticket(2, SHFE, Side::Sell, Offset::CloseToday, 1).fill_at(2, 1, 100));
    assert_eq!(desk.ledger.funds().commission, money("65.3"), "3 x 5 and 1e-4 of 3000, 50");
    desk.tell(&rates(2, 0));
    assert_eq!(desk.ledger.funds().commission, money("26.3"), "3 x 2 and 1e-4 of 3000, 20");
    desk.tell(&rates(1, 0));
    assert_eq!(desk.ledger.funds().commission, money("26.3"), "the venue's own fees stand");
}

#[test]
fn what_is_not_known_is_absent() {
    let mut desk = Desk::new();
    let unrated = InstrumentId::new(3);
    let def = InstrumentDef { pre_settlement: Price::ABSENT, ..definition(unrated, Exchange::Gfex) };
    desk.tell(&def);
    let funds = desk.ledger.funds();
    assert!(funds.available.is_present(), "a contract that is not held needs no rates");
    let fill = Fill {
        instrument: unrated,
        exchange: Exchange::Gfex.code(),
        ..ticket(1, SHFE, Side::Buy, Offset::Open, 1).fill(1, 1)
    };
    desk.tell(&fill);
    let funds = desk.ledger.funds();
    assert!(funds.margin.is_absent() && funds.commission.is_absent() && funds.position_profit.is_absent());
    assert!(funds.equity.is_absent() && funds.available.is_absent());
    assert!(funds.close_profit.is_present());
    assert_eq!(desk.position(unrated).net(), Lots::new(1), "lots are known all the same");

    let mut desk = Desk::new();
    let market = OrderRequest {
        price: Price::ABSENT,
        order_type: OrderType::Market.code(),
        ..ticket(1, SHFE, Side::Buy, Offset::Open, 1).insert()
    };
    desk.tell(&market);
    assert!(desk.ledger.funds().frozen.is_absent(), "no limit and no upper limit to bind at");
    let upper = Quote { instrument: SHFE, upper_limit: Price::whole(110), last: Price::whole(100), ..Quote::default() };
    desk.tell(&upper);
    desk.tell(&OrderRequest { order_ref: 2, instrument: DCE, exchange: Exchange::Dce.code(), ..market });
    desk.tell(&OrderReport {
        price: Price::ABSENT,
        ..ticket(1, SHFE, Side::Buy, Offset::Open, 1).report(OrderStatus::Cancelled, 0)
    });
    assert!(desk.ledger.funds().frozen.is_absent(), "another contract's limit does not help");
    desk.tell(&OrderRequest { order_ref: 3, ..market });
    desk.tell(&OrderReport {
        price: Price::ABSENT,
        ..ticket(2, DCE, Side::Buy, Offset::Open, 1).report(OrderStatus::Cancelled, 0)
    });
    assert_eq!(desk.ledger.funds().frozen, money("112.11"), "a tenth of 1100, 2 a lot and 1e-4 of value");
    let echo = OrderReport {
        price: Price::ZERO,
        order_type: OrderType::Market.code(),
        ..ticket(3, SHFE, Side::Buy, Offset::Open, 1).report(OrderStatus::Unknown, 0)
    };
    desk.tell(&echo);
    assert_eq!(desk.ledger.funds().frozen, money("112.11"), "the zero price of a market order's echo binds nothing");
}

/// Whatever trades: equity is the balance, the cash of every fill, and what is held at the mark. The oracle knows no
/// dates and no averages.
#[test]
fn equity_is_cash_and_marked_lots_and_survives_the_night() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut desk = holding(Side::Buy, 5);
        let mut cash = Money::whole(1_000_000);
        let mut lots = [5i64; 3];
        // Lots of earlier days were paid for at the previous settlement.
        for held in lots {
            cash = cash.minus(Price::whole(100).value(Lots::new(held), 10));
        }
        for trade in 0..40 {
            let instrument = InstrumentId::new(dice.below(3) as u32);
            let side = dice.pick(Side::ALL);
            let offset = dice.pick(Offset::ALL);
            let wanted = 1 + dice.below(4) as i64;
            let closable = desk.position(instrument).closable(side, offset).get();
            let count = if offset.closes() { wanted.min(closable) } else { wanted };
            if count == 0 {
                continue;
            }
            let price = 90 + dice.below(21) as i64;
            let fee_before = desk.ledger.funds().commission;
            desk.tell(&ticket(trade, instrument, side, offset, count).fill_at(trade, count, price));
            let fee = desk.ledger.funds().commission.minus(fee_before);
            let value = Price::whole(price).value(Lots::new(count), 10);
            cash = cash.minus(fee);
            cash = if side == Side::Buy { cash.minus(value) } else { cash.plus(value) };
            lots[instrument.index()] += side.sign() * count;
        }
        let marks = [0, 1, 2].map(|_| 95 + dice.below(11) as i64);
        let mut worth = cash;
        for (id, (&mark, &held)) in marks.iter().zip(&lots).enumerate() {
            desk.last(InstrumentId::new(id as u32), mark);
            worth = worth.plus(Price::whole(mark).value(Lots::new(held), 10));
        }
        assert_eq!(desk.ledger.funds().equity, worth, "seed {seed}");
        for (id, &mark) in marks.iter().enumerate() {
            desk.settle(InstrumentId::new(id as u32), mark, day(2), day(3));
        }
        desk.login(day(3));
        let funds = desk.ledger.funds();
        assert_eq!((funds.pre_balance, funds.equity), (worth, worth), "seed {seed}: settled");
        assert_eq!((funds.close_profit, funds.commission, funds.frozen), (Money::ZERO, Money::ZERO, Money::ZERO));
    }
}

#[test]
fn an_unsettled_contract_leaves_the_balance_to_the_venue() {
    let mut desk = holding(Side::Buy, 1);
    desk.settle(SHFE, 101, day(2), day(3));
    desk.settle(DCE, 101, day(2), day(3));
    desk.login(day(3));
    assert!(desk.ledger.funds().pre_balance.is_absent(), "CFFEX was not settled");
    assert!(desk.ledger.funds().position_profit.is_absent());
    desk.settle(CFFEX, 101, day(2), day(3));
    assert_eq!(desk.ledger.funds().position_profit, Money::ZERO, "the late settlement is the new base");
    desk.restate(&[SHFE, DCE, CFFEX].map(|instrument| (instrument, Side::Buy, 0, 1)));
    assert_eq!(desk.ledger.funds().pre_balance, Money::whole(1_000_000));
}

/// An option's day by hand: premiums change hands at once, what is held is marked at nothing, and only what is written
/// binds margin: premium at the greater of last settlement and last price, 500, and at least 1 800 a lot.
#[test]
fn options_are_paid_for_and_only_written_ones_bind_margin() {
    let mut desk = Desk::new();
    desk.tell(&InstrumentDef { class: ProductClass::Option.code(), ..definition(SHFE, Exchange::Shfe) });
    desk.tell(&Rates {
        instrument: SHFE,
        long_margin_ratio: 90_000_000,
        short_margin_ratio: 100_000_000,
        short_margin_per_lot: Money::whole(500),
        short_margin_least_per_lot: Money::whole(1_800),
        open_per_lot: Money::whole(2),
        close_today_per_lot: Money::whole(4),
        ..Rates::default()
    });
    desk.tell(&ticket(1, SHFE, Side::Buy, Offset::Open, 2).fill_at(1, 2, 120));
    let funds = desk.ledger.funds();
    assert_eq!((funds.close_profit, funds.margin), (Money::whole(-2_400), Money::ZERO));

    let (buy, sell) =
        (ticket(2, SHFE, Side::Buy, Offset::Open, 1).at(130), ticket(3, SHFE, Side::Sell, Offset::Open, 1).at(110));
    assert_eq!(desk.position(SHFE).opening_cost(Side::Buy, Lots::new(1), Price::whole(130)), Money::whole(1_302));
    desk.tell(&buy.insert());
    desk.tell(&sell.insert());
    assert_eq!(desk.ledger.funds().frozen, Money::whole(1_302 + 1_802), "premium and fee; the least margin and fee");
    desk.tell(&buy.report(OrderStatus::Cancelled, 0));
    desk.tell(&sell.fill(2, 1));
    for (last, margin) in [(90, 1_800), (150, 2_000), (131, 1_810), (90, 1_800)] {
        desk.last(SHFE, last);
        let funds = desk.ledger.funds();
        assert_eq!((funds.margin, funds.position_profit), (Money::whole(margin), Money::ZERO), "at {last}");
    }
    desk.tell(&ticket(4, SHFE, Side::Sell, Offset::CloseToday, 1).fill_at(3, 1, 140));
    let funds = desk.ledger.funds();
    assert_eq!(funds.close_profit, Money::whole(-2_400 + 1_100 + 1_400));
    assert_eq!((funds.commission, funds.frozen), (Money::whole(10), Money::ZERO));
    assert_eq!(funds.equity, Money::whole(1_000_090));

    desk.settle(SHFE, 160, day(2), day(3));
    desk.login(day(3));
    let funds = desk.ledger.funds();
    assert_eq!((funds.pre_balance, funds.equity), (Money::whole(1_000_090), Money::whole(1_000_090)));
    assert_eq!((funds.close_profit, funds.margin), (Money::ZERO, Money::whole(2_100)), "160 x 10 and 500");
    assert_eq!(desk.held(SHFE), [0, 1, 0, 1]);
    // Without a settlement the balance is known all the same: nothing of it was marked.
    desk.login(day(4));
    assert_eq!(desk.ledger.funds().pre_balance, Money::whole(1_000_090));
}
