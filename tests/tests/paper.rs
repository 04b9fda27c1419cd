//! All recordings through every stage: the quoter trades each day, nothing differs when decided again, and the real lines
//! of the exchanges hold it back.

use shrike_core::codes::{RefusalReason, RequestKind};
use shrike_core::event::{Event, flags};
use shrike_engine::runtime::journal_dir;
use shrike_journal::Reader;
use shrike_tests::{configured, recordings, run, verify};
use std::collections::BTreeMap;
use std::path::Path;

/// What the quoter (strategy 1) did on one trading day.
#[derive(Default, Debug)]
struct Day {
    orders: u64,
    cancels: u64,
    fills: u64,
    cancel_refusals: u64,
}

/// The quoter's days, and the most orders and cancels of one contract on one day by anyone.
fn days(home: &Path) -> (BTreeMap<u32, Day>, u64, u64) {
    let mut days: BTreeMap<u32, Day> = BTreeMap::new();
    let mut contracts: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    let mut today = 0;
    while let Some(record) = reader.next().unwrap() {
        if !record.header.has(flags::OUTPUT) {
            continue;
        }
        match record.event() {
            Event::DayRoll(roll) => today = roll.to.get(),
            Event::OrderRequest(request) => {
                let day = days.entry(request.trading_day.get()).or_default();
                let contract = contracts.entry((request.trading_day.get(), request.instrument.get())).or_default();
                match request.kind() {
                    Some(RequestKind::Insert) => {
                        day.orders += u64::from(request.strategy == 1);
                        contract.0 += 1;
                    }
                    Some(RequestKind::Cancel) => {
                        day.cancels += u64::from(request.strategy == 1);
                        contract.1 += 1;
                    }
                    _ => {}
                }
            }
            Event::Fill(fill) if fill.strategy == 1 => days.entry(fill.trading_day.get()).or_default().fills += 1,
            Event::Refusal(refusal) if refusal.reason == RefusalReason::DailyCancels.code() => {
                days.entry(today).or_default().cancel_refusals += 1;
            }
            _ => {}
        }
    }
    let most = |pick: fn(&(u64, u64)) -> u64| contracts.values().map(pick).max().unwrap_or(0);
    (days, most(|counts| counts.0), most(|counts| counts.1))
}

#[test]
fn the_quoter_trades_every_recorded_day() {
    let Some(data) = recordings("the_quoter_trades_every_recorded_day") else { return };
    let home = tempfile::tempdir().unwrap();
    let data = format!("market.data={}", data.display());
    run(&configured("paper", home.path(), &[&data, "run.topology=inline"]));
    let (days, ..) = days(home.path());
    for (day, did) in &days {
        println!("{day} {did:?}");
    }
    assert_eq!(days.len(), 18, "6 days of ru1901, 10 of AP010, 2 of IF2101");
    assert!(days.values().all(|day| day.orders >= 1_000 && day.fills >= 1), "each day is quoted and traded");
    assert!(days.values().map(|day| day.fills).sum::<u64>() >= 500);
    let [signal, order] = verify(home.path());
    println!("{signal:?} {order:?}");
    assert_eq!((signal.differences, order.differences), (0, 0));
}

#[test]
fn real_lines_stop_quoting_at_the_reserve_and_let_cancels_pass() {
    let Some(data) = recordings("real_lines_stop_quoting_at_the_reserve_and_let_cancels_pass") else { return };
    let home = tempfile::tempdir().unwrap();
    let data = format!("market.data={}", data.display());
    run(&configured("paper", home.path(), &[&data, "run.topology=inline", "run.account=quota"]));
    let (days, _, cancels_most) = days(home.path());
    for (day, did) in &days {
        println!("{day} {did:?}");
    }
    assert!(days.values().all(|day| day.cancel_refusals >= 1), "each day the quoter meets the reserve");
    let reserve = 50;
    assert!(
        (500 - reserve - 20..=500).contains(&cancels_most),
        "{cancels_most} cancels: up to the reserve, never the line"
    );
}
