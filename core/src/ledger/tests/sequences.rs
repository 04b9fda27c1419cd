//! The venue's callback sequences, as CTP and the exchanges give them, and where each leaves the order.

use super::*;

enum Said {
    Report(OrderStatus, i64),
    Rejected,
    Refused(ReportSource, i32),
    Fill(u64, i64),
    Cancel,
}
use OrderState as State;
use OrderStatus::{AllTraded, Cancelled, PartTraded, Queued, Unknown};
use Said::{Cancel, Fill as Traded, Refused, Rejected, Report as Told};

fn play(desk: &mut Desk, order: &Ticket, said: &Said) -> Applied {
    match *said {
        Told(status, traded) => desk.tell(&order.report(status, traded)),
        Rejected => desk.tell(&OrderReport {
            submit: SubmitStatus::InsertRejected.code(),
            error_code: 95,
            ..order.report(Cancelled, 0)
        }),
        Refused(source, error) => desk.tell(&order.refusal(source, error)),
        Traded(trade, lots) => desk.tell(&order.fill(trade, lots)),
        Cancel => desk.tell(&order.cancel()),
    }
}

/// (name, what is said with the state and the lots that may still trade after it), for a buy of 5.
#[test]
fn sequences_lead_where_they_must() {
    type Step = (Said, OrderState, i64);
    let stories: Vec<(&str, Vec<Step>)> = vec![
        (
            "accepted, traded in two parts, every push repeating the state before",
            vec![
                (Told(Unknown, 0), State::Working, 5),
                (Told(Queued, 0), State::Working, 5),
                (Told(Queued, 0), State::Working, 5),
                (Told(PartTraded, 2), State::Working, 5),
                (Traded(1, 2), State::Working, 3),
                (Told(PartTraded, 2), State::Working, 3),
                (Told(AllTraded, 5), State::EndedShort, 3),
                (Traded(2, 3), State::Filled, 0),
                (Traded(2, 3), State::Filled, 0),
            ],
        ),
        (
            "SHFE fill and kill: cancelled with two traded before the trade is told",
            vec![
                (Told(Unknown, 0), State::Working, 5),
                (Told(Cancelled, 2), State::EndedShort, 2),
                (Traded(1, 2), State::Cancelled, 0),
            ],
        ),
        (
            "DCE fill and kill: trade first, then cancelled",
            vec![
                (Told(Unknown, 0), State::Working, 5),
                (Told(PartTraded, 2), State::Working, 5),
                (Traded(1, 2), State::Working, 3),
                (Told(Cancelled, 2), State::Cancelled, 0),
            ],
        ),
        (
            "the trade overtakes every report",
            vec![
                (Traded(1, 5), State::Filled, 0),
                (Told(Unknown, 0), State::Filled, 0),
                (Told(AllTraded, 5), State::Filled, 0),
            ],
        ),
        (
            "refused by the counter, told twice",
            vec![
                (Refused(ReportSource::InsertRefused, 31), State::Rejected, 0),
                (Refused(ReportSource::InsertError, 31), State::Rejected, 0),
            ],
        ),
        (
            "refused by the exchange; the first push comes again",
            vec![
                (Told(Unknown, 0), State::Working, 5),
                (Rejected, State::Rejected, 0),
                (Refused(ReportSource::InsertError, 95), State::Rejected, 0),
                (Told(Unknown, 0), State::Rejected, 0),
            ],
        ),
        (
            "cancelled whole",
            vec![
                (Told(Queued, 0), State::Working, 5),
                (Cancel, State::CancelPending, 5),
                (Told(Queued, 0), State::CancelPending, 5),
                (Told(Cancelled, 0), State::Cancelled, 0),
            ],
        ),
        (
            "filled while the cancel was on its way: the cancel is refused",
            vec![
                (Told(Queued, 0), State::Working, 5),
                (Cancel, State::CancelPending, 5),
                (Told(AllTraded, 5), State::EndedShort, 5),
                (Refused(ReportSource::CancelRefused, 26), State::EndedShort, 5),
                (Traded(1, 5), State::Filled, 0),
            ],
        ),
        (
            "the exchange refuses the cancel, the order works on",
            vec![
                (Told(Queued, 0), State::Working, 5),
                (Cancel, State::CancelPending, 5),
                (Refused(ReportSource::CancelError, 91), State::Working, 5),
                (Cancel, State::CancelPending, 5),
            ],
        ),
        (
            "a refusal that an accepted order contradicts is not believed",
            vec![(Told(Queued, 0), State::Working, 5), (Refused(ReportSource::InsertRefused, 22), State::Working, 5)],
        ),
    ];
    for (name, steps) in stories {
        for instrument in [SHFE, DCE, CFFEX] {
            let mut desk = Desk::new();
            let order = ticket(7, instrument, Side::Buy, Offset::Open, 5);
            desk.tell(&order.insert());
            assert_eq!(desk.state(&order), State::Sent);
            for (step, (said, state, remaining)) in steps.iter().enumerate() {
                play(&mut desk, &order, said);
                assert_eq!(desk.state(&order), *state, "{name}, step {step}");
                assert_eq!(desk.order(&order).remaining().get(), *remaining, "{name}, step {step}");
                let traded = desk.order(&order).filled.get();
                assert_eq!(desk.held(instrument), [traded, 0, 0, 0], "{name}, step {step}: fills alone move lots");
                check(&desk.ledger, step as u64);
            }
        }
    }
}

#[test]
fn repeats_say_that_nothing_changed() {
    let mut desk = Desk::new();
    let order = ticket(1, SHFE, Side::Buy, Offset::Open, 2);
    desk.tell(&order.insert());
    let index = desk.ledger.order_by_ref(1).unwrap();
    assert_eq!(desk.tell(&order.report(Queued, 0)), Applied::Order { order: index, changed: true });
    assert_eq!(desk.tell(&order.report(Queued, 0)), Applied::Order { order: index, changed: false });
    assert_eq!(desk.tell(&order.fill(1, 2)), Applied::NewFill { order: index, strategy: 1 });
    assert_eq!(desk.tell(&order.fill(1, 2)), Applied::DuplicateFill);
    assert_eq!(desk.ledger.fill_count(), 1);
    assert_eq!(desk.ledger.strategy_position(1, SHFE).net, Lots::new(2));
}

#[test]
fn both_sides_of_a_self_trade_share_a_trade_number() {
    let mut desk = Desk::new();
    let (buy, sell) = (ticket(1, DCE, Side::Buy, Offset::Open, 1), ticket(2, DCE, Side::Sell, Offset::Open, 1));
    for order in [buy, sell] {
        desk.tell(&order.insert());
        assert!(matches!(desk.tell(&order.fill(9, 1)), Applied::NewFill { .. }));
    }
    assert_eq!(desk.held(DCE), [1, 0, 1, 0]);
}

#[test]
fn another_sessions_order_with_our_number_is_wild() {
    let mut desk = Desk::new();
    let ours = ticket(5, SHFE, Side::Buy, Offset::Open, 3);
    desk.tell(&ours.insert());
    let theirs = OrderReport {
        session_id: SESSION + 1,
        order_sys_id: Text::new(b"      other").unwrap(),
        ..ours.report(Queued, 0)
    };
    let Applied::WildOrder { order: wild } = desk.tell(&theirs) else { panic!("a wild order") };
    assert_eq!(desk.state(&ours), State::Sent, "our order has heard nothing");
    assert_eq!(desk.position(SHFE).worst_case_long(), Lots::new(6), "both may fill");
    let fill = Fill { order_sys_id: theirs.order_sys_id, ..ours.fill(1, 3) };
    assert_eq!(desk.tell(&fill), Applied::WildFill { order: Some(wild), adopted: false });
    assert_eq!(desk.ledger.strategy_position(0, SHFE).net, Lots::new(3), "what is no strategy's is at zero");
    assert!(!desk.ledger.order(wild).unwrap().is_live());
    assert!(matches!(desk.tell(&ours.fill(2, 3)), Applied::NewFill { strategy: 1, .. }));
    check(&desk.ledger, 0);
    assert!(desk.ledger.next_ref() > 5);
}

#[test]
fn a_fill_with_our_number_and_anothers_order_is_wild() {
    let mut desk = Desk::new();
    let ours = ticket(5, SHFE, Side::Buy, Offset::Open, 3);
    desk.tell(&ours.insert());
    desk.tell(&ours.report(Queued, 0));
    let theirs = Fill { order_sys_id: Text::new(b"      other").unwrap(), ..ours.fill(1, 3) };
    assert!(matches!(desk.tell(&theirs), Applied::WildFill { adopted: true, .. }));
    assert_eq!(desk.order(&ours).filled, Lots::ZERO);
    assert_eq!(desk.position(SHFE).worst_case_long(), Lots::new(6));
}

#[test]
fn a_wild_order_is_one_order_whatever_tells_of_it_first() {
    let order = ticket(40, CFFEX, Side::Sell, Offset::Open, 4);
    let other = |report: OrderReport| OrderReport { session_id: 5, ..report };
    let (first, queued, fill) = (other(order.report(Unknown, 0)), other(order.report(PartTraded, 1)), order.fill(1, 1));
    let said: [Event<'_>; 3] = [(&first).into(), (&queued).into(), (&fill).into()];
    for turns in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut desk = Desk::new();
        for turn in turns {
            desk.tell(said[turn]);
            check(&desk.ledger, 0);
        }
        assert_eq!(desk.ledger.order_count(), 1, "{turns:?}");
        let (_, wild) = desk.ledger.orders().next().unwrap();
        assert!(wild.wild && wild.state == State::Working, "{turns:?}: {:?}", wild.state);
        assert_eq!(desk.position(CFFEX).worst_case_short(), Lots::new(-4), "{turns:?}");
    }
}

#[test]
fn lost_orders_count_until_the_venue_speaks_or_denies_them() {
    let decided = |order: &Ticket, state: State| OrderUpdate {
        order_ref: order.order_ref,
        state: state.code(),
        ..OrderUpdate::default()
    };
    let mut desk = Desk::new();
    let (found, gone) = (ticket(1, DCE, Side::Buy, Offset::Open, 2), ticket(2, DCE, Side::Buy, Offset::Open, 3));
    for order in [found, gone] {
        desk.tell(&order.insert());
        desk.tell(&decided(&order, State::Lost));
        assert_eq!(desk.state(&order), State::Lost);
    }
    assert_eq!(desk.position(DCE).worst_case_long(), Lots::new(5));
    desk.tell(&OrderReport { source: ReportSource::Query.code(), ..found.report(Queued, 0) });
    assert_eq!(desk.state(&found), State::Working);
    desk.tell(&decided(&gone, State::NeverArrived));
    assert_eq!(desk.position(DCE).worst_case_long(), Lots::new(2));
    desk.tell(&gone.fill(1, 1));
    assert_eq!(desk.state(&gone), State::Working, "it did arrive: a fill says so");
    assert_eq!(desk.position(DCE).worst_case_long(), Lots::new(5));
    check(&desk.ledger, 0);
}

#[test]
fn numbers_rise_above_everything_seen() {
    let mut desk = Desk::new();
    desk.tell(&Login { trading_day: day(2), session_id: SESSION, max_order_ref: 30, ..Login::default() });
    assert_eq!(desk.ledger.next_ref(), 31);
    desk.tell(&ticket(31, SHFE, Side::Buy, Offset::Open, 1).insert());
    desk.tell(&OrderReport { session_id: 3, ..ticket(99, SHFE, Side::Buy, Offset::Open, 1).report(Queued, 0) });
    assert_eq!(desk.ledger.next_ref(), 100);
    desk.tell(&Login { trading_day: day(2), session_id: SESSION + 1, max_order_ref: 50, ..Login::default() });
    assert_eq!(desk.ledger.next_ref(), 100, "a lower count of the counter does not take it back");
}

#[test]
fn the_day_roll_ends_orders_and_ages_lots() {
    let mut desk = Desk::new();
    let (held, working) = (ticket(1, SHFE, Side::Buy, Offset::Open, 2), ticket(2, SHFE, Side::Buy, Offset::Open, 4));
    for order in [held, working] {
        desk.tell(&order.insert());
        desk.tell(&order.report(Queued, 0));
    }
    desk.tell(&held.fill(1, 2));
    desk.tell(&working.cancel());
    assert_eq!((desk.position(SHFE).orders_sent(), desk.position(SHFE).cancels_sent()), (2, 1));
    desk.settle(SHFE, 101, day(2), day(3));
    desk.login(day(3));
    assert_eq!(desk.ledger.trading_day(), day(3));
    assert_eq!((desk.ledger.order_count(), desk.ledger.live_count()), (0, 0));
    assert_eq!(desk.held(SHFE), [0, 2, 0, 0]);
    assert_eq!((desk.position(SHFE).orders_sent(), desk.position(SHFE).cancels_sent()), (0, 0));
    assert_eq!(desk.position(SHFE).worst_case_long(), Lots::new(2));
    assert_eq!(desk.ledger.strategy_position(1, SHFE).net, Lots::new(2), "a strategy keeps its lots over the night");
    assert_eq!(desk.tell(&working.fill(2, 4)), Applied::Ignored(Ignored::OtherDay));
    check(&desk.ledger, 0);
}
