//! Queries: answers out of the exchange's books, and flow control.

use super::kit::*;
use crate::ctp::callback::Symbol;
use crate::sim::front::FrontOptions;
use crate::sim::front::wire::{Ask, Channel, FromClient, QueryKind, Resume};
use shrike_core::codes::{Exchange as Place, ProductClass, Side};
use shrike_core::event::{InstrumentDef, Rates};
use shrike_core::units::Money;

const ALL: [QueryKind; 9] = [
    QueryKind::Instruments,
    QueryKind::Orders,
    QueryKind::Trades,
    QueryKind::Positions,
    QueryKind::Funds,
    QueryKind::Margin,
    QueryKind::Commission,
    QueryKind::OptionCost,
    QueryKind::OptionCommission,
];

#[test]
fn an_empty_answer_is_one_callback_with_nothing() {
    let mut kit = Kit::new();
    let conn = kit.trader();
    ALL.into_iter().for_each(|kind| kit.query(conn, kind));
    assert_eq!(
        kit.said(),
        [
            "1: instrument xx2405 #9",
            "1: OrderLine(None) #9",
            "1: TradeLine(None) #9",
            "1: PositionLine(None) #9",
            "1: funds 10000000 margin 0 #9",
            // Rates without a contract's name are those of what is held.
            "1: MarginRate(None) #9",
            "1: CommissionRate(None) #9",
            "1: OptionCost(None) #9",
            "1: OptionCommission(None) #9",
        ]
    );
}

#[test]
fn answers_come_from_the_books_and_end_with_their_last_line() {
    let mut kit = Kit::new();
    let conn = kit.trader();
    kit.order(conn, 1, Side::Buy, 2, 101);
    kit.order(conn, 2, Side::Sell, 3, 99);
    kit.order(conn, 3, Side::Buy, 1, 95);
    kit.said();
    ALL.into_iter().for_each(|kind| kit.query(conn, kind));
    // SHFE tells today's lots and earlier ones apart. Margin: 2 lots of 101 x 10 at 10 %, 3 of 99 x 10 at 12 %.
    assert_eq!(
        kit.said(),
        [
            "1: instrument xx2405 #9",
            "1: order-line 1@1/1 0 traded 2 #9 ...",
            "1: order-line 2@1/1 0 traded 3 #9 ...",
            "1: order-line 3@1/1 3 #9",
            "1: trade-line 1 2 at 101 #9 ...",
            "1: trade-line 2 3 at 99 #9",
            "1: position buy today 2 of 0 margin 202 #9 ...",
            "1: position sell today 3 of 0 margin 356.4 #9",
            // Ten million, less 5 in fees, 20 and 30 lost at the last price, margin, and 95 + 1 bound by the order.
            "1: funds 9999290.6 margin 558.4 #9",
            "1: margin 10000000 #9",
            "1: commission 1 #9",
            // It is no option.
            "1: OptionCost(None) #9",
            "1: OptionCommission(None) #9",
        ]
    );
}

#[test]
fn an_option_is_asked_about_in_words_of_its_own() {
    let mut kit = Kit::new();
    let conn = kit.trader();
    let rates = Rates {
        instrument: ID,
        short_margin_ratio: 100_000_000,
        short_margin_per_lot: Money::whole(50),
        short_margin_least_per_lot: Money::whole(1_100),
        open_per_lot: Money::whole(1),
        ..Rates::default()
    };
    kit.market((&InstrumentDef { class: ProductClass::Option.code(), ..kit.def() }).into());
    kit.market((&rates).into());
    kit.order(conn, 1, Side::Sell, 2, 99);
    kit.said();
    let all = [QueryKind::Margin, QueryKind::Commission, QueryKind::OptionCost, QueryKind::OptionCommission];
    all.into_iter().chain([QueryKind::Positions, QueryKind::Funds]).for_each(|kind| kit.query(conn, kind));
    assert_eq!(
        kit.said(),
        [
            "1: MarginRate(None) #9",
            "1: CommissionRate(None) #9",
            "1: option-cost 50 at least 1100 #9",
            "1: option-commission 1 #9",
            "1: position sell today 2 of 0 margin 2200 #9",
            // Ten million and the premium of 1 980, less fees of 2 and the margin.
            "1: funds 9999778 margin 2200 #9",
        ]
    );
}

#[test]
fn filters_take_contract_and_exchange() {
    let mut kit = Kit::new();
    let conn = kit.trader();
    let mut ask = |symbol: Symbol, exchange| {
        kit.send(conn, FromClient::Query(9, Ask { kind: QueryKind::Instruments, symbol, exchange }));
        kit.said().pop().expect("an answer")
    };
    let (found, nothing) = ("1: instrument xx2405 #9", "1: Instrument(None) #9");
    assert_eq!(ask(name("xx2405"), None), found);
    assert_eq!(ask(name("xx2406"), None), nothing);
    assert_eq!(ask(Symbol::EMPTY, Some(Place::Shfe)), found);
    assert_eq!(ask(Symbol::EMPTY, Some(Place::Dce)), nothing);
    let margin = Ask { kind: QueryKind::Margin, symbol: name("xx2405"), exchange: None };
    kit.send(conn, FromClient::Query(9, margin));
    assert_eq!(kit.said(), ["1: margin 10000000 #9"], "by name, whether or not it is held");
}

#[test]
fn more_queries_than_a_second_has_are_refused() {
    let limits = FrontOptions { queries_per_second: 2, limit_in_library: false, ..FrontOptions::default() };
    let mut kit = Kit::with(limits);
    let conn = kit.trader();
    let mut query = |at: u64| {
        kit.real_ns = at;
        kit.said();
        kit.query(conn, QueryKind::Funds);
        kit.said().pop().expect("an answer").contains("error 90")
    };
    assert_eq!([query(0), query(1), query(SECOND - 1)], [false, false, true]);
    assert_eq!([query(SECOND), query(SECOND), query(SECOND), query(2 * SECOND)], [false, false, true, false]);
    // Where the library keeps to the limit itself, it is told it, and the front takes what comes.
    let mut kit = Kit::with(FrontOptions { limit_in_library: true, queries_per_second: 2, ..FrontOptions::default() });
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    assert_eq!(kit.said()[0], "1: limits 2");
    kit.authenticate(conn);
    kit.login(conn);
    kit.said();
    (0..3).for_each(|_| kit.query(conn, QueryKind::Funds));
    assert!(kit.said().iter().all(|line| !line.contains("error")));
}
