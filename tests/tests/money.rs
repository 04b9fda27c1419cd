//! The money of the books: after whole runs the engine's ledger, folded again from the order journal alone, says what the
//! exchange's own books say, to the last 1e-8; and no restatement on the way found a difference.

use shrike_core::codes::Side;
use shrike_core::event::{Event, flags};
use shrike_core::ledger::{Applied, Capacity, Ledger};
use shrike_core::units::Lots;
use shrike_engine::runtime::journal_dir;
use shrike_feed::sim::exchange::Exchange;
use shrike_journal::Reader;
use shrike_tests::{configured, recordings, run};
use std::path::Path;

/// What a home's order journal folds to, and what went by.
struct Folded {
    ledger: Ledger,
    restated: u32,
    days: u32,
    ignored: Vec<String>,
}

/// Folds the order journal. Panics at a difference that was journaled or that a complete restatement shows.
fn fold(home: &Path) -> Folded {
    let ledger = Ledger::new(Capacity { instruments: 64, orders: 1 << 16, strategies: 8 });
    let mut folded = Folded { ledger, restated: 0, days: 0, ignored: Vec::new() };
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    while let Some(record) = reader.next().unwrap() {
        let (header, event) = (record.header, record.event());
        if let (true, Event::Difference(difference)) = (header.has(flags::OUTPUT), event) {
            panic!("{}: the stage found {difference:?}", header.seq);
        }
        match folded.ledger.apply(header, event) {
            Applied::Restated { .. } => {
                folded.restated += 1;
                folded.ledger.differences(|difference| panic!("{}: restated: {difference:?}", header.seq));
            }
            Applied::DayRoll => folded.days += 1,
            Applied::Ignored(why) => folded.ignored.push(format!("{why:?}: {event:?}")),
            _ => {}
        }
    }
    folded
}

/// Position by position and field by field.
fn assert_equal(ledger: &Ledger, exchange: &Exchange) {
    for (instrument, book) in ledger.positions() {
        for side in [Side::Buy, Side::Sell] {
            let mut lines =
                exchange.positions().filter(|line| line.instrument == instrument && line.side == side.code());
            let line = lines.next().map_or((Lots::ZERO, Lots::ZERO), |line| (line.today, line.yesterday));
            assert_eq!(book.held(side), line, "{instrument} {side}: today, earlier");
        }
    }
    let (ours, theirs) = (ledger.funds(), exchange.funds());
    println!("{ours:?}");
    for (field, ours, theirs) in [
        ("pre balance", ours.pre_balance, theirs.pre_balance),
        ("close profit", ours.close_profit, theirs.close_profit),
        ("position profit", ours.position_profit, theirs.position_profit),
        ("commission", ours.commission, theirs.commission),
        ("margin", ours.margin, theirs.margin),
        ("frozen", ours.frozen, theirs.frozen),
        ("available", ours.available, theirs.available),
    ] {
        assert!(ours.is_present(), "{field} is known");
        assert_eq!(ours, theirs, "{field}: ours, the exchange's");
    }
}

fn books_agree(profile: &str, days: u32, overrides: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let (_, counter) = run(&configured(profile, home.path(), &[&["run.topology=inline"], overrides].concat()));
    let folded = fold(home.path());
    println!("{profile}: {} days, {} restatements, {} fills", folded.days, folded.restated, folded.ledger.fill_count());
    for ignored in &folded.ignored {
        println!("not booked: {ignored}");
    }
    assert_eq!((folded.days, folded.restated), (days, days), "each day begins with a login and a restatement");
    assert!(folded.ledger.fill_count() > 100, "the engine traded");
    assert_equal(&folded.ledger, &counter.exchange);
    assert_eq!(folded.ignored, [""; 0], "every fact was booked");
}

#[test]
fn generated_days_end_with_the_exchange_s_books() {
    books_agree("demo", 2, &["generator.days=2"]);
}

#[test]
fn recorded_days_end_with_the_exchange_s_books() {
    let Some(data) = recordings("recorded_days_end_with_the_exchange_s_books") else { return };
    books_agree("paper", 18, &[&format!("market.data={}", data.display())]);
}
