//! The journal: what is in it, and the books that are found in it again.

use super::kit::{Kit, Shown, rules};
use super::properties::{play, setting, step};
use crate::sim::exchange::{Exchange, ExchangeOptions, Keep};
use proptest::prelude::*;
use shrike_core::codes::{Exchange as Place, Offset, PhaseKind, Side, StageId};
use shrike_core::event::{Event, Header, Kind, Seq, flags};
use shrike_journal::{Mapped, Reader, Writer, WriterOptions};
use std::path::Path;

fn writer(dir: &Path) -> Writer<Mapped> {
    let options = WriterOptions { live_dir: None, ..WriterOptions::simulated(StageId::Exchange, 1) };
    Writer::create_or_resume(dir, options.with_segment_bytes(1 << 20)).expect("a journal").0
}

fn options() -> ExchangeOptions {
    ExchangeOptions::new(7, rules())
}

fn recover(dir: &Path, options: ExchangeOptions) -> Exchange {
    let writer = writer(dir);
    let mut reader = Reader::open(dir).expect("the journal");
    Exchange::recover(options, &mut reader).expect("recovers").with_journal(writer, Keep::Market)
}

#[test]
fn inputs_stand_before_what_they_cause() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut kit = Kit::over(Place::Shfe, Exchange::new(options()).with_journal(writer(dir.path()), Keep::Books));
    kit.phase(PhaseKind::Continuous);
    kit.show(Shown { bids: &[(99, 5)], asks: &[(101, 5)], last: 100, traded: &[] });
    kit.trade(Side::Buy, Offset::Open, 1, 101);
    kit.exchange.close_journal().expect("closes");
    let mut reader = Reader::open(dir.path()).expect("the journal");
    let (mut kinds, mut request) = (Vec::new(), Seq::ABSENT);
    while let Some(record) = reader.next().expect("a good record") {
        let output = record.header.has(flags::OUTPUT);
        match record.event() {
            Event::OrderRequest(_) => request = record.header.seq,
            Event::OrderReport(_) | Event::Fill(_) => assert_eq!(record.header.cause, request),
            _ => {}
        }
        kinds.push((Kind::of(record.header.kind).expect("a kind").name(), output));
    }
    let expected = [
        ("InstrumentDef", false),
        ("Rates", false),
        ("Login", true),
        ("InstrumentDef", true),
        ("Rates", true),
        ("OrderRequest", false),
        ("OrderReport", true),
        ("OrderReport", true),
        ("OrderReport", true),
        ("OrderReport", true),
        ("Fill", true),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_request_that_was_not_answered_is_answered_once() {
    // Given a journal that ends after a request: the process was killed before it told anything.
    let dir = tempfile::tempdir().expect("a directory");
    let mut kit = Kit::over(Place::Shfe, Exchange::new(options()).with_journal(writer(dir.path()), Keep::Market));
    kit.phase(PhaseKind::Continuous);
    kit.drain();
    let order = kit.order(Side::Buy, Offset::Open, 2, 99);
    drop(kit);
    let mut journal = writer(dir.path());
    let engine_seq = Seq::new(StageId::Order, 0, 42);
    let header = Header { kind: Kind::OrderRequest as u16, version: 1, cause: engine_seq, ..Header::default() };
    journal.append(&header, bytemuck::bytes_of(&order)).expect("room");
    drop(journal);
    // When the exchange starts again, it takes the order, in a new session.
    let mut again = Kit::new(Place::Shfe);
    again.exchange = recover(dir.path(), options());
    assert_eq!(again.exchange.last_request(), engine_seq);
    assert_eq!(again.drain(), ["Login", "InstrumentDef", "Rates", "flow a", "flow 3"]);
    again.exchange.close_journal().expect("closes");
    // And the journal has the request once.
    let mut reader = Reader::open(dir.path()).expect("the journal");
    let mut requests = 0;
    while let Some(record) = reader.next().expect("a good record") {
        requests += usize::from(matches!(record.event(), Event::OrderRequest(_)));
    }
    assert_eq!(requests, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Killed at any quiet moment, the exchange finds the same books again: orders, fills, positions, money. And a
    /// second start finds what the first one found.
    #[test]
    fn books_are_found_again(setting in setting(), steps in prop::collection::vec(step(), 1..80)) {
        let dir = tempfile::tempdir().expect("a directory");
        let exchange = Exchange::new(setting.options()).with_journal(writer(dir.path()), Keep::Market);
        let (kit, _) = play(Kit::over(setting.place, exchange), &steps, |_, _| {});
        let books: Vec<_> = kit.exchange.orders().collect();
        let digest = kit.exchange.books_digest();
        drop(kit);
        for _ in 0..2 {
            let again = recover(dir.path(), setting.options());
            prop_assert_eq!(again.orders().collect::<Vec<_>>(), &books[..]);
            prop_assert_eq!(again.books_digest(), digest);
        }
    }
}
