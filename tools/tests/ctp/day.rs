//! A whole trading day, night session and lunch break included, ends with the exchange's own books.

use crate::desk::Day;

fn whole_day(version: &str) {
    let traded =
        Day { version, products: "[\"rb\", \"IF\", \"m\", \"TA\"]", snapshot_ms: 1_000, ..Day::default() }.trade();
    let books = &traded.books;
    assert_eq!((books.starts, books.logins), (1, 1), "{books:?}");
    assert!(books.sent > 100 && books.fills > 50, "the engine traded: {books:?}");
}

/// DCE's snapshots at night carry the trading day for their date.
#[test]
fn a_day_is_recorded_from_a_front_alone() {
    let said = Day { products: "[\"rb\", \"m\"]", ..Day::default() }.record("[\"rb2410\", \"m2409\"]");
    assert!(said.contains("day 20240603: 2 of 2 contracts, 690 of 690 minutes"), "{said}");
}

/// At night DCE's snapshots do not carry their date, and here no other exchange's say how late it is.
#[test]
fn a_day_of_dce_alone_is_recorded_from_its_first_snapshot() {
    let said = Day { products: "[\"m\"]", ..Day::default() }.record("[\"m2409\"]");
    assert!(said.contains("day 20240603: 1 of 1 contracts, 345 of 345 minutes"), "{said}");
}

#[test]
fn a_day_through_6_7_7() {
    whole_day("6.7.7");
}

#[test]
fn a_day_through_6_7_13() {
    whole_day("6.7.13");
}
