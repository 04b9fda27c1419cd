//! The order stage's bytes against its journal: a stage loaded from bytes, a stage folded from the journal and the stage
//! itself are one, wherever in a story the bytes were taken and whatever comes after.

use super::desk::{CAPACITY, Desk, Said};
use super::kit::*;
use super::stage::{OrderCapacity, OrderStage};
use super::{OnDifference, OrderSettings};
use proptest::prelude::*;
use shrike_core::codes::{AlarmKind, CommandKind, PhaseKind, ReportSource, StageId, Urgency};
use shrike_core::event::{Alarm, Connection, OrderRequest, RunStart};

type Event = (u8, u8, i64);

/// Something happens: which, to which of the orders or contracts, and how much.
fn step(desk: &mut Desk, orders: &mut Vec<OrderRequest>, &(what, which, n): &Event) -> Said {
    let instrument = if which % 2 == 0 { SHFE } else { CZCE };
    let order = orders.iter().rev().nth(usize::from(which) % 4).copied();
    let said = match (what, order) {
        (0, _) => desk.market(instrument, BID + n, ASK + n),
        (1, _) => desk.target(instrument, 3 * n, Urgency::Aggressive),
        (2, _) => desk.target(instrument, 2 * n, Urgency::Passive),
        (3 | 4, _) => desk.quote(instrument, if n == 0 { 0 } else { BID + n.min(0) }, ASK + n.max(0)),
        (5 | 6, Some(order)) => desk.queued(&order),
        (7, Some(order)) => desk.filled(&order),
        (8, Some(order)) => desk.cancelled(&order),
        (9, Some(order)) => desk.venue(&refused(&order, ReportSource::InsertRefused, 31 + n as i32)),
        (10, _) => desk.wait((n + 4) as u64 * SECOND),
        (11, _) => {
            let kinds = [
                CommandKind::Halt,
                CommandKind::Resume,
                CommandKind::Flatten,
                CommandKind::CancelAll,
                CommandKind::Stop,
            ];
            desk.command(kinds[usize::from(which) % 5])
        }
        (12, _) => {
            let channel = StageId::Gateway.code();
            desk.venue(&Connection { channel, connected: u32::from(which % 2 == 0), ..Connection::default() })
        }
        (13, _) => desk.log_in(day(2 + u32::from(which % 8 == 7)), 8 + i32::from(which)),
        (14, _) => desk.resynced(&order.into_iter().collect::<Vec<_>>()),
        (15, _) => {
            desk.signal(&phase(instrument, [PhaseKind::Continuous, PhaseKind::Shut][usize::from(which / 2 % 2)]))
        }
        (16, _) => {
            let kind =
                [AlarmKind::RingOverflow, AlarmKind::JournalLow, AlarmKind::StrategyFailed][usize::from(which) % 3];
            desk.signal(&Alarm { kind: kind.code(), strategy: 2, cleared: which / 3 % 2, ..Alarm::default() })
        }
        (17, _) => desk.hear(StageId::Commands, &RunStart::default()),
        (18, _) => desk.venue(&holds(instrument, shrike_core::codes::Side::Buy, n.abs(), 0)),
        _ => Said::default(),
    };
    orders.extend(said.inserts());
    said
}

fn saved(stage: &OrderStage) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.save(&mut bytes);
    bytes
}

fn settings() -> OrderSettings {
    OrderSettings { reconcile: comparing(OnDifference::Halt), ..super::kit::settings() }
}

fn fresh() -> OrderStage {
    OrderStage::new(settings(), CAPACITY)
}

fn events(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0u8..19, 0u8..16, -2i64..3), len)
}

proptest! {
    #[test]
    fn bytes_and_journal_give_the_same_stage(before in events(0..60), between in events(0..20), after in events(1..20)) {
        let (mut desk, mut orders) = (Desk::ready_with(settings(), &[]), Vec::new());
        before.iter().for_each(|event| { step(&mut desk, &mut orders, event); });
        let bytes = saved(desk.stage());
        let taken = desk.driver.log.records.len();
        between.iter().for_each(|event| { step(&mut desk, &mut orders, event); });

        let (mut folded, mut loaded) = (fresh(), fresh());
        desk.driver.log.fold(&mut folded);
        prop_assert_eq!(loaded.load(&bytes), Some(()));
        prop_assert!(saved(&loaded) == bytes, "what was loaded is what was saved");
        let mut rest = desk.driver.log.clone();
        rest.records.drain(..taken);
        rest.fold(&mut loaded);
        prop_assert_eq!(loaded.ledger().digest(), folded.ledger().digest());
        prop_assert!(saved(&loaded) == saved(&folded) && saved(&folded) == saved(desk.stage()));

        let mut desks = [desk.with(folded), desk.with(loaded), desk];
        let mut known = [orders.clone(), orders.clone(), orders];
        for event in &after {
            let mut said = desks.iter_mut().zip(&mut known).map(|(desk, orders)| {
                let said = step(desk, orders, event);
                said.0.iter().map(|out| (out.header().kind, out.body().to_vec())).collect::<Vec<_>>()
            });
            let first = said.next();
            prop_assert!(said.all(|other| Some(&other) == first.as_ref()), "all three answer alike to {:?}", event);
        }
    }
}

#[test]
fn bytes_of_other_stages_are_refused() {
    let mut desk = Desk::ready();
    let order = desk.target(SHFE, 2, Urgency::Passive).inserts();
    desk.queued(&order[0]);
    let bytes = saved(desk.stage());
    assert!((0..bytes.len()).all(|cut| fresh().load(&bytes[..cut]).is_none()), "cut anywhere");
    let narrow = OrderSettings { orders_per_window: 3, ..settings() };
    assert_eq!(OrderStage::new(narrow, CAPACITY).load(&bytes), None, "a window of another length");
    let few = OrderCapacity { instruments: 0, ..CAPACITY };
    assert_eq!(OrderStage::new(settings(), few).load(&bytes), None, "a table of fewer contracts");
}
