//! The venue's books beside ours, and the books as bytes.

use super::*;
use crate::codes::{PhaseKind, PhaseSource, StageId};
use crate::event::{Phase, RunStart, Seq};
use crate::units::Nanos;

fn fields(ledger: &Ledger) -> Vec<(String, i64, i64)> {
    let mut found = Vec::new();
    ledger.differences(|d| found.push((d.field.to_string(), d.ours, d.venue)));
    found
}

#[test]
fn the_first_restatement_is_adopted_and_later_ones_are_compared() {
    let mut desk = Desk::without_login();
    desk.login(day(2));
    let wild = ticket(3, SHFE, Side::Buy, Offset::Open, 2);
    desk.tell(&wild.fill_at(1, 2, 105));
    assert_eq!(desk.restate(&[(SHFE, Side::Buy, 2, 4), (DCE, Side::Sell, 1, 0)]), Applied::Restated { adopted: true });
    assert_eq!((desk.held(SHFE), desk.held(DCE)), ([2, 4, 0, 0], [0, 0, 1, 0]));
    let value = desk.position(SHFE).today_value(Side::Buy);
    assert_eq!(value, 210 * Price::ONE_RAW as i128, "lots that agree keep their cost");
    assert_eq!(fields(&desk.ledger), [(String::from("margin"), 71_000_000_000, 0)], "the venue's line said zero");
    check(&desk.ledger, 0);

    let again = desk.restate(&[(SHFE, Side::Buy, 2, 3), (DCE, Side::Sell, 1, 0)]);
    assert_eq!(again, Applied::Restated { adopted: false });
    assert_eq!(desk.held(SHFE), [2, 4, 0, 0], "ours stay");
    assert_eq!(fields(&desk.ledger)[0], (String::from("long yesterday"), 4, 3));
    desk.restate(&[(SHFE, Side::Buy, 2, 4)]);
    assert_eq!(fields(&desk.ledger)[0], (String::from("short today"), 1, 0), "no line says nothing is held");
}

/// The engine was away at the day's end: the trades of then are told by nobody.
#[test]
fn after_a_day_roll_the_venues_books_are_taken_over_and_it_is_said_what_that_changed() {
    let mut desk = Desk::new();
    let order = ticket(1, SHFE, Side::Buy, Offset::Open, 3);
    desk.tell(&order.insert());
    desk.tell(&order.fill(1, 3));
    desk.settle(SHFE, 105, day(2), day(3));
    desk.login(day(3));
    for lines in
        [[(SHFE, Side::Buy, 0, 2), (DCE, Side::Sell, 0, 2)], [(SHFE, Side::Buy, 0, 1), (DCE, Side::Sell, 0, 2)]]
    {
        assert_eq!(desk.restate(&lines), Applied::Restated { adopted: false }, "a trade may have crossed the answer");
        assert!(desk.ledger.is_taking_over());
        assert_eq!((desk.held(SHFE), desk.held(DCE)), ([0, 3, 0, 0], [0; 4]));
    }
    desk.restate(&[(SHFE, Side::Buy, 0, 1), (DCE, Side::Sell, 0, 2)]);
    assert!(!desk.ledger.is_taking_over());
    assert_eq!((desk.held(SHFE), desk.held(DCE)), ([0, 1, 0, 0], [0, 0, 0, 2]));
    assert_eq!(desk.ledger.funds().pre_balance, Money::whole(1_000_000));
    let changed: Vec<_> =
        desk.ledger.taken_over().iter().map(|d| (d.instrument, d.field.to_string(), d.ours, d.venue)).collect();
    let balance = changed.iter().find(|(.., field, _, _)| field == "pre balance");
    assert!(balance.is_some(), "ours had the gain of the day and its fees");
    let lots: Vec<_> = changed.iter().filter(|(id, ..)| *id != InstrumentId::NONE).cloned().collect();
    assert_eq!(lots, [(SHFE, String::from("long yesterday"), 3, 1), (DCE, String::from("short yesterday"), 0, 2)]);
    check(&desk.ledger, 0);

    desk.restate(&[(SHFE, Side::Buy, 0, 2)]);
    assert_eq!(desk.held(SHFE), [0, 1, 0, 0], "later answers of the day are compared");
    assert!(desk.ledger.taken_over().is_empty());
}

/// A trade may have crossed each of the two.
#[test]
fn two_answers_agree_only_where_they_differ_in_the_same_contract() {
    let mut desk = Desk::new();
    desk.login(day(3));
    for instrument in [SHFE, DCE, CFFEX, SHFE] {
        desk.restate(&[(instrument, Side::Buy, 0, 2)]);
        assert!(desk.ledger.is_taking_over(), "{instrument}: the answer before told of another contract");
    }
    desk.restate(&[(SHFE, Side::Buy, 0, 2)]);
    assert!(!desk.ledger.is_taking_over());
    assert_eq!([SHFE, DCE, CFFEX].map(|id| desk.held(id)), [[0, 2, 0, 0], [0; 4], [0; 4]]);
}

#[test]
fn todays_definition_brings_todays_base() {
    let mut desk = Desk::new();
    let base = |desk: &mut Desk, effective_day: TradingDay, base: i64| {
        let pre_settlement = Price::whole(base);
        desk.tell(&InstrumentDef { effective_day, pre_settlement, ..definition(SHFE, Exchange::Shfe) });
        desk.position(SHFE).pre_settlement()
    };
    assert_eq!(desk.position(SHFE).pre_settlement(), Price::whole(100));
    assert_eq!(base(&mut desk, day(2), 110), Price::whole(110), "the day's own word");
    assert_eq!(base(&mut desk, day(1), 90), Price::whole(110), "another day's is none");
    assert_eq!(base(&mut desk, TradingDay::ABSENT, 95), Price::whole(110), "nor is one that may be another's");
}

#[test]
fn a_fill_that_the_venue_counts_and_never_told_is_a_difference() {
    let mut desk = Desk::new();
    let order = ticket(1, DCE, Side::Buy, Offset::Open, 2);
    desk.tell(&order.insert());
    desk.tell(&order.report(OrderStatus::AllTraded, 2));
    desk.restate(&[(DCE, Side::Buy, 2, 0)]);
    let found = fields(&desk.ledger);
    assert!(found.contains(&(String::from("traded"), 0, 2)) && found.contains(&(String::from("long today"), 0, 2)));
    desk.tell(&order.fill(1, 2));
    assert!(fields(&desk.ledger).iter().all(|(field, ..)| field != "traded" && field != "long today"));
}

#[test]
fn orders_that_a_restatement_does_not_name_are_counted() {
    let mut desk = Desk::new();
    let (named, unnamed) = (ticket(1, DCE, Side::Buy, Offset::Open, 2), ticket(2, DCE, Side::Buy, Offset::Open, 2));
    desk.tell(&named.insert());
    desk.tell(&unnamed.insert());
    for round in 1..=2 {
        desk.tell(&OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
        let fresh = ticket(10 + round, DCE, Side::Buy, Offset::Open, 1);
        desk.tell(&fresh.insert());
        desk.tell(&OrderReport { source: ReportSource::Query.code(), ..named.report(OrderStatus::Queued, 0) });
        let other = ResyncEnd { trading_day: day(2), session_id: 1, ..ResyncEnd::default() };
        assert_eq!(desk.tell(&other), Applied::Ignored(Ignored::Unmatched), "another session's answers");
        assert!(!desk.ledger.is_restated());
        desk.tell(&ResyncEnd { session_id: SESSION, ..other });
        assert!(desk.ledger.is_restated());
        assert_eq!(desk.order(&named).absent_restatements, 0);
        assert_eq!(desk.order(&unnamed).absent_restatements as u64, round);
        assert_eq!(desk.order(&fresh).absent_restatements, 0, "sent after the question");
    }
}

#[test]
fn answers_to_the_session_that_sent_an_order_do_not_count_in_the_next() {
    let mut desk = Desk::new();
    let order = ticket(1, DCE, Side::Buy, Offset::Open, 2);
    desk.tell(&order.insert());
    for _ in 0..3 {
        desk.restate(&[]);
    }
    assert_eq!(desk.order(&order).absent_restatements, 3, "on this session it may still be on its way");
    desk.login(day(2));
    assert_eq!(desk.order(&order).absent_restatements, 0, "and have arrived before the next login");
    desk.restate(&[]);
    assert_eq!(desk.order(&order).absent_restatements, 1);
}

#[test]
fn an_order_that_is_named_again_begins_its_absences_anew() {
    let mut desk = Desk::new();
    let order = ticket(1, DCE, Side::Buy, Offset::Open, 2);
    desk.tell(&order.insert());
    desk.restate(&[]);
    assert_eq!(desk.order(&order).absent_restatements, 1);
    desk.tell(&OrderReport { source: ReportSource::Query.code(), ..order.report(OrderStatus::Queued, 0) });
    assert_eq!(desk.order(&order).absent_restatements, 0);
    desk.restate(&[]);
    assert_eq!(desk.order(&order).absent_restatements, 1, "once in a row, not twice");
}

#[test]
fn an_order_that_a_restarted_counter_names_otherwise_is_ours_still() {
    let mut desk = Desk::new();
    let order = ticket(1, DCE, Side::Buy, Offset::Open, 2).of(2);
    let other = ticket(2, DCE, Side::Buy, Offset::Open, 2).at(99).of(2);
    for ours in [&order, &other] {
        desk.tell(&ours.insert());
        let taken = OrderReport { order_sys_id: Text::EMPTY, ..ours.report(OrderStatus::Unknown, 0) };
        desk.tell(&taken);
    }
    let renamed = OrderReport { front_id: 9, session_id: 0, order_ref: 44, ..other.report(OrderStatus::Queued, 0) };
    let told = desk.tell(&renamed);
    assert!(matches!(told, Applied::WildOrder { .. }), "on the session that sent it nobody has renamed it: {told:?}");

    let mut desk = Desk::new();
    for ours in [&order, &other] {
        desk.tell(&ours.insert());
    }
    desk.tell(&Login { trading_day: day(2), front_id: 9, session_id: 1, ..Login::default() });
    for terms in [
        OrderReport { lots: Lots::new(3), ..renamed },
        OrderReport { offset: Offset::Close.code(), ..renamed },
        OrderReport { price: Price::whole(98), ..renamed },
    ] {
        let mut desk = desk.clone();
        assert!(matches!(desk.tell(&terms), Applied::WildOrder { .. }), "other terms, another order");
    }
    assert!(matches!(desk.tell(&renamed), Applied::Order { changed: true, .. }));
    assert_eq!(desk.order(&other).order_sys_id, other.sys_id());
    let fill = Fill { order_ref: 44, ..other.fill(1, 2) };
    assert!(matches!(desk.tell(&fill), Applied::NewFill { strategy: 2, .. }));
    assert_eq!(desk.order(&other).state, OrderState::Filled);
    assert_eq!(desk.order(&order).state, OrderState::Sent, "the other one is still to be found");
    check(&desk.ledger, 0);
}

#[test]
fn numbers_that_a_crash_may_have_lost_are_not_given_again() {
    let mut desk = Desk::new();
    desk.tell(&ticket(7, DCE, Side::Buy, Offset::Open, 2).insert());
    // Each of these processes is lost with its host, and so are its orders, a hundred; the next one begins, whatever the
    // clock says then.
    let mut used = std::collections::BTreeSet::new();
    for (run_id, seconds) in [(1, 0), (2, 1), (3, 1), (4, 0), (5, 7_200), (6, 2)] {
        let mut desk = desk.clone();
        desk.taken_ns = (1_700_000_000 + seconds) * Nanos::PER_SECOND;
        desk.tell(&RunStart { run_id, after_clean_stop: 1, ..RunStart::default() });
        let first = desk.ledger.next_ref();
        assert!(first >= 8 && (first..first + 100).all(|number| used.insert(number)), "run {run_id} from {first}");
    }
}

#[test]
fn another_days_words_are_not_todays_and_trade_numbers_begin_anew() {
    let mut desk = Desk::new();
    let order = ticket(1, DCE, Side::Buy, Offset::Open, 2);
    desk.tell(&order.insert());
    let (report, fill) = (order.report(OrderStatus::Queued, 0), order.fill(1, 2));
    for other in [day(1), day(3)] {
        let told = desk.tell(&OrderReport { trading_day: other, ..report });
        assert_eq!(told, Applied::Ignored(Ignored::OtherDay));
        assert_eq!(desk.tell(&Fill { trading_day: other, ..fill }), Applied::Ignored(Ignored::OtherDay));
    }
    assert_eq!(desk.order(&order).state, OrderState::Sent);
    desk.tell(&fill);
    desk.login(day(3));
    assert_eq!(desk.tell(&report), Applied::Ignored(Ignored::OtherDay), "the flow of yesterday, told again");
    let next = OrderRequest { trading_day: day(3), ..ticket(2, DCE, Side::Buy, Offset::Open, 2).insert() };
    desk.tell(&next);
    let again = Fill { trading_day: day(3), order_ref: 2, order_sys_id: Text::EMPTY, ..fill };
    assert!(matches!(desk.tell(&again), Applied::NewFill { .. }), "the exchange numbers each day's trades anew");
    assert_eq!(desk.held(DCE), [2, 2, 0, 0]);
}

#[test]
fn the_answer_to_an_earlier_question_makes_no_order_absent() {
    let mut desk = Desk::new();
    let ask = |desk: &mut Desk, n| {
        let header = Header { seq: Seq::new(StageId::Order, 0, n), flags: flags::OUTPUT, ..Header::default() };
        let request = OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() };
        desk.ledger.apply(&header, (&request).into());
        header.seq
    };
    let first = ask(&mut desk, 7);
    let order = ticket(1, DCE, Side::Buy, Offset::Open, 2);
    desk.tell(&order.insert());
    let second = ask(&mut desk, 9);
    let end = |request| ResyncEnd { trading_day: day(2), session_id: SESSION, request, ..ResyncEnd::default() };
    // Given positions of before the second question, its end is not that one's,
    let (trading_day, side) = (day(2), Side::Buy.code());
    let line = PositionReport { instrument: DCE, trading_day, today: Lots::new(1), side, ..PositionReport::default() };
    desk.tell(&line);
    assert_eq!(desk.tell(&end(first)), Applied::Ignored(Ignored::Outdated));
    assert!(!desk.ledger.is_restated());
    assert_eq!(desk.order(&order).absent_restatements, 0);
    // and when that one's comes, what was told before counts no more.
    assert_eq!(desk.tell(&end(second)), Applied::Restated { adopted: false });
    assert_eq!(desk.order(&order).absent_restatements, 1);
    assert!(fields(&desk.ledger).iter().all(|(field, ..)| field != "long today"));
}

#[test]
fn the_exchange_halts_and_the_calendar_does_not_open() {
    let mut desk = Desk::new();
    let phase = |kind: PhaseKind, source: PhaseSource, start: u64| Phase {
        instrument: SHFE,
        start_ns: Nanos::new(start),
        phase: kind.code(),
        source: source.code(),
        ..Phase::default()
    };
    assert_eq!(desk.position(SHFE).phase(), PhaseKind::Shut, "nothing told, nothing open");
    use PhaseKind::{Break, Continuous, Halted};
    use PhaseSource::{Calendar, Exchange};
    for (kind, source, seen) in [
        (Continuous, Calendar, Continuous),
        (Halted, Exchange, Halted),
        (Continuous, Calendar, Halted),
        (Continuous, Exchange, Continuous),
        (Break, Calendar, Break),
        (Continuous, Calendar, Continuous),
    ] {
        desk.tell(&phase(kind, source, 5));
        assert_eq!(desk.position(SHFE).phase(), seen, "{kind} by {source}");
    }
}

#[test]
fn snapshots_read_back_and_damage_is_seen() {
    let mut desk = Desk::new();
    for n in 1..20 {
        let order =
            ticket(n, InstrumentId::new((n % 3) as u32), Side::ALL[n as usize % 2], Offset::Open, 3).of(n as u32 % 6);
        desk.tell(&order.insert());
        desk.tell(&order.report(OrderStatus::Queued, 0));
        if n % 3 != 0 {
            desk.tell(&order.fill(n, 1 + n as i64 % 3));
        }
    }
    let mut bytes = Vec::new();
    desk.ledger.snapshot(&mut bytes);
    let more = Capacity { strategies: 9, ..ROOM };
    for capacity in [ROOM, Capacity { instruments: 0, orders: 0, strategies: 0 }] {
        let restored = Ledger::restore(&bytes, capacity).unwrap();
        assert_eq!(restored.digest(), desk.ledger.digest());
        assert_eq!(restored.funds(), desk.ledger.funds());
        let live = |ledger: &Ledger| ledger.live_orders().map(|(index, _)| index).collect::<Vec<_>>();
        assert_eq!(live(&restored), live(&desk.ledger));
        check(&restored, 0);
    }
    let wider = Ledger::restore(&bytes, more).unwrap();
    assert_eq!(wider.strategy_position(2, DCE), desk.ledger.strategy_position(2, DCE));

    // Told the same afterwards, both stay alike.
    let mut restored = Desk { ledger: Ledger::restore(&bytes, ROOM).unwrap(), ..Desk::without_login() };
    restored.taken_ns = desk.taken_ns;
    for n in [3, 6, 19] {
        let order = ticket(n, InstrumentId::new((n % 3) as u32), Side::ALL[n as usize % 2], Offset::Open, 3);
        let fill = order.fill(100 + n, 1);
        assert_eq!(restored.tell(&fill), desk.tell(&fill));
        assert_eq!(restored.tell(&order.fill(n, 1 + n as i64 % 3)), desk.tell(&order.fill(n, 1 + n as i64 % 3)));
    }
    assert_eq!(restored.ledger.digest(), desk.ledger.digest());

    assert_eq!(Ledger::restore(&[], ROOM).err(), Some(RestoreError::Foreign));
    assert_eq!(Ledger::restore(&bytes[..bytes.len() - 16], ROOM).err(), Some(RestoreError::Damaged));
    let mut dice = Dice(1);
    for _ in 0..500 {
        let (at, bit) = (dice.below(bytes.len() as u64) as usize, 1u8 << dice.below(8));
        let mut damaged = bytes.clone();
        damaged[at] ^= bit;
        assert!(Ledger::restore(&damaged, ROOM).is_err(), "byte {at} bit {bit}");
    }
}
