//! Authentication, logins, the settlement statement, trading days.

use super::kit::*;
use crate::sim::front::FrontOptions;
use crate::sim::front::wire::{Channel, FromClient, Resume};
use shrike_core::codes::{PhaseKind, Side};

#[test]
fn the_usual_way_in() {
    let mut kit = Kit::new();
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    assert_eq!(kit.said(), ["1: limits 0", "1: connected"]);
    kit.authenticate(conn);
    assert_eq!(kit.said(), ["1: authenticated #1"]);
    kit.login(conn);
    assert_eq!(kit.said(), ["1: login 20240102 1/1 max 0 #2", "1: phase continuous"]);
    kit.login(conn);
    assert_eq!(kit.said(), [""; 0], "the front filters a second login");
    kit.send(conn, FromClient::Confirm(3));
    assert_eq!(kit.said(), ["1: confirmed #3"]);
    // Market data asks for no password, and tells no phases.
    let market = kit.connect(Channel::Market, Resume::Restart);
    kit.send(market, FromClient::Login(1, who("")));
    assert_eq!(kit.said(), ["2: limits 0", "2: connected", "2: login 20240102 1/2 max 0 #1"]);
}

#[test]
fn wrong_ones_are_refused_by_what_is_wrong() {
    let wrong = |change: fn(&mut crate::sim::front::wire::Who)| {
        let mut wrong = who("shrike");
        change(&mut wrong);
        wrong
    };
    let mut kit = Kit::with(FrontOptions { ban_after: 0, ..FrontOptions::default() });
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.login(conn);
    assert_eq!(kit.said()[2..], ["1: login #2 error 64"], "no authentication");
    for (index, change) in [
        |who: &mut crate::sim::front::wire::Who| who.broker_id = "1".to_owned(),
        |who: &mut crate::sim::front::wire::Who| who.user_id = "1".to_owned(),
        |who: &mut crate::sim::front::wire::Who| who.secret = "1".to_owned(),
        |who: &mut crate::sim::front::wire::Who| who.app_id = "1".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let mut terminal = who("0000000000000000");
        change(&mut terminal);
        kit.send(conn, FromClient::Authenticate(1, terminal));
        assert_eq!(kit.said(), ["1: authenticated #1 error 63"], "{index}");
        kit.login(conn);
        assert_eq!(kit.said(), ["1: login #2 error 64"], "{index}: a refused terminal is none");
        kit.authenticate(conn);
        kit.said();
        if index < 3 {
            kit.send(conn, FromClient::Login(2, wrong(change)));
            assert_eq!(kit.said(), ["1: login #2 error 3"], "{index}");
        }
    }
    // Before a login nothing is answered but with an error.
    kit.send(conn, FromClient::Confirm(3));
    kit.query(conn, crate::sim::front::wire::QueryKind::Funds);
    kit.order(conn, 1, Side::Buy, 1, 99);
    assert_eq!(
        kit.said(),
        ["1: confirmed #3 error 6", "1: Funds(None) #9 error 6", "1: rsp-insert 1@0/0 #101 error 6"]
    );
}

#[test]
fn wrong_passwords_in_a_row_ban_the_user() {
    let mut kit = Kit::with(FrontOptions { ban_after: 3, ..FrontOptions::default() });
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(conn);
    kit.said();
    let wrong = |kit: &mut Kit| {
        kit.send(conn, FromClient::Login(2, who("guess")));
        kit.said().pop().expect("an answer")
    };
    assert_eq!([wrong(&mut kit), wrong(&mut kit)], ["1: login #2 error 3", "1: login #2 error 3"]);
    // A right one ends the row.
    let other = kit.trader();
    assert_eq!([wrong(&mut kit), wrong(&mut kit), wrong(&mut kit)], ["1: login #2 error 3"; 3].map(str::to_owned));
    assert_eq!(wrong(&mut kit), "1: login #2 error 75");
    kit.login(conn);
    assert_eq!(kit.said(), ["1: login #2 error 75"], "the right password comes too late");
    // Who is in stays in.
    kit.order(other, 1, Side::Buy, 1, 99);
    assert_eq!(kit.said().len(), 2);
}

#[test]
fn a_user_has_so_many_sessions() {
    let mut kit = Kit::with(FrontOptions { sessions_max: 2, ..FrontOptions::default() });
    let first = kit.trader();
    kit.trader();
    let third = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(third);
    kit.login(third);
    assert_eq!(kit.said()[3..], ["3: login #2 error 60"]);
    kit.front.lost(first);
    kit.login(third);
    assert_eq!(kit.said()[0], "3: login 20240102 1/3 max 0 #2");
}

#[test]
fn without_a_day_there_is_no_login() {
    let mut kit = Kit::shut(FrontOptions::default());
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(conn);
    kit.login(conn);
    assert_eq!(kit.said()[2..], ["1: authenticated #1", "1: login #2 error 7"]);
    kit.phase(PhaseKind::Continuous);
    kit.login(conn);
    assert_eq!(kit.said()[0], "1: login 20240102 1/1 max 0 #2");
}

#[test]
fn a_new_day_closes_every_connection_and_begins_anew() {
    let mut kit = Kit::new();
    let trader = kit.trader();
    let market = kit.connect(Channel::Market, Resume::Restart);
    kit.order(trader, 7, Side::Buy, 1, 95);
    kit.said();
    kit.day = day(20_240_103);
    kit.phase(PhaseKind::AuctionOrders);
    // The exchange's word on the old day's order comes first: it ended with the day.
    assert_eq!(
        kit.said(),
        [
            format!("{trader}: phase auction-orders"),
            format!("{trader}: order 7@1/1 3"),
            format!("{trader}: order 7@1/1 5"),
            format!("{trader}: closed"),
            format!("{market}: closed"),
        ]
    );
    let trader = kit.connect(Channel::Trading, Resume::Restart);
    kit.authenticate(trader);
    kit.login(trader);
    assert_eq!(kit.said()[3..], ["3: login 20240103 1/2 max 0 #2", "3: phase auction-orders"], "an empty flow");
    kit.phase(PhaseKind::Continuous);
    kit.said();
    kit.order(trader, 1, Side::Buy, 1, 95);
    assert_eq!(
        kit.said(),
        ["3: rsp-insert 1@1/2 #101 error 42", "3: err-insert 1@1/2 error 42"],
        "the new day's statement is not confirmed"
    );
}

#[test]
fn what_is_no_client_is_closed() {
    let mut kit = Kit::new();
    let conn = kit.front.accept();
    kit.login(conn);
    assert_eq!(kit.said(), ["1: closed"]);
    assert_eq!(kit.front.connections(), 0);
}

#[test]
fn a_logout_is_answered_and_ends_the_connection() {
    let mut kit = Kit::new();
    let conn = kit.connect(Channel::Trading, Resume::Restart);
    kit.said();
    kit.send(conn, FromClient::Logout(4));
    assert_eq!(kit.said(), ["1: LoggedOut #4 error 6"], "nobody is logged in");
    let conn = kit.trader();
    kit.said();
    kit.send(conn, FromClient::Logout(5));
    assert_eq!(kit.said(), ["2: LoggedOut #5", "2: closed"]);
}

#[test]
fn subscriptions_end_one_by_one() {
    let mut kit = Kit::new();
    let conn = kit.connect(Channel::Market, Resume::Restart);
    kit.send(conn, FromClient::Unsubscribe(vec![name("xx2405")]));
    kit.send(conn, FromClient::Login(1, who("")));
    kit.send(conn, FromClient::Subscribe(vec![name("xx2405")]));
    kit.said();
    kit.send(conn, FromClient::Unsubscribe(vec![name("xx2405"), name("never")]));
    kit.tick();
    let said = kit.said();
    assert_eq!(said.len(), 2, "no snapshot comes: {said:?}");
    assert!(said.iter().all(|line| line.contains("Unsubscribed")), "{said:?}");
}
