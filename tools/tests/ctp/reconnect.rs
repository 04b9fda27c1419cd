//! The reconnect matrix: a connection breaks at each place where it can, once, and the day still ends with the exchange's
//! own books: no order twice, no fill lost or counted twice.

use crate::desk::Day;
use shrike_tests::books::Books;

/// A day with faults, all of which happen; the engine logs in `logins` times.
fn survives(faults: &str, logins: usize) {
    let books = traded(&Day { faults, ..Day::default() });
    assert_eq!(books.logins, logins, "{books:?}");
}

fn traded(day: &Day<'_>) -> Books {
    let traded = day.trade();
    for fault in day.faults.lines() {
        assert!(traded.exchange_said.contains(fault), "`{fault}` happened: {}", traded.exchange_said);
    }
    let books = traded.books;
    assert!(books.sent > 20 && books.fills > 10, "the engine traded: {books:?}");
    books
}

/// The counter closes every connection as it rolls; here it is down shortly before, too, and positions become
/// yesterday's meanwhile.
#[test]
fn dropped_over_the_day_roll() {
    let books = traded(&Day { faults: "drop all at 15:00:00", days: 2, snapshot_ms: 8_000, ..Day::default() });
    assert!(books.logins > 2, "{books:?}");
}

/// The counter's process dies three times, in the night session and in the day; its journal brings it back.
#[test]
fn the_counter_s_process_is_killed_and_started_again() {
    let books = traded(&Day { kills: &[4, 20, 40], snapshot_ms: 2_000, ..Day::default() });
    assert_eq!((books.starts, books.logins), (1, 4), "{books:?}");
}

macro_rules! cases {
    ($($name:ident: $faults:literal, $logins:literal;)+) => {
        $(#[test]
        fn $name() {
            survives($faults, $logins);
        })+
    };
}

cases! {
    dropped_at_connect: "drop before connect", 1;
    dropped_at_market_connect: "drop before connect-market", 1;
    dropped_at_authenticate: "drop before authenticate", 1;
    dropped_after_authenticate: "drop after authenticate", 1;
    dropped_at_login: "drop before login", 1;
    dropped_at_market_login: "drop before login-market", 1;
    dropped_after_login: "drop after login", 1;
    dropped_at_confirm: "drop before confirm", 1;
    dropped_after_confirm: "drop after confirm", 2;
    dropped_at_instruments: "drop before query-instruments", 2;
    dropped_within_instruments: "drop during query-instruments", 2;
    dropped_at_orders: "drop before query-orders", 2;
    dropped_within_orders: "drop during query-orders", 2;
    dropped_at_trades: "drop before query-trades", 2;
    dropped_within_trades: "drop during query-trades", 2;
    dropped_at_positions: "drop before query-positions", 2;
    dropped_within_positions: "drop during query-positions", 2;
    dropped_at_funds: "drop before query-funds", 2;
    dropped_at_margin: "drop before query-margin", 2;
    dropped_at_commission: "drop before query-commission", 2;
    dropped_at_insert: "drop before insert 3", 2;
    dropped_after_insert: "drop after insert 3", 2;
    dropped_before_update_1: "drop before update 1", 2;
    dropped_after_update_1: "drop after update 1", 2;
    dropped_before_update_2: "drop before update 2", 2;
    dropped_after_update_2: "drop after update 2", 2;
    dropped_before_update_3: "drop before update 3", 2;
    dropped_after_update_3: "drop after update 3", 2;
    dropped_before_update_4: "drop before update 4", 2;
    dropped_after_update_4: "drop after update 4", 2;
    dropped_before_update_5: "drop before update 5", 2;
    dropped_after_update_5: "drop after update 5", 2;
    dropped_before_a_cancel: "drop before cancel 2", 2;
    dropped_after_a_cancel: "drop after cancel 2", 2;
    a_lost_insert: "lose insert 4\ndrop at 22:00:00", 2;
    a_lost_cancel: "lose cancel 2", 1;
    dropped_at_night: "drop all at 22:00:00", 2;
    dropped_at_lunch: "drop all at 12:00:00", 2;
    restarted_after_an_update: "restart after update 3", 2;
    restarted_at_night: "restart at 22:00:00", 2;
    restarted_at_lunch: "restart at 12:00:00", 2;
}
