//! Subscriptions and snapshots, and when the market waits for its clients.

use super::kit::*;
use crate::sim::front::FrontOptions;
use crate::sim::front::wire::{Channel, FromClient, Resume};

/// A market-data session.
fn listener(kit: &mut Kit) -> u32 {
    let conn = kit.connect(Channel::Market, Resume::Restart);
    kit.send(conn, FromClient::Login(1, who("")));
    kit.said();
    conn
}

#[test]
fn snapshots_go_to_who_subscribed() {
    let mut kit = Kit::new();
    let (first, second) = (listener(&mut kit), listener(&mut kit));
    kit.send(first, FromClient::Subscribe(vec![name("xx2405"), name("zz")]));
    assert_eq!(
        kit.said(),
        ["1: subscribed xx2405", "1: tick xx2405", "1: subscribed zz error 16"],
        "the newest snapshot comes at once, as old as it is"
    );
    kit.tick();
    assert_eq!(kit.said(), ["1: tick xx2405"]);
    kit.send(second, FromClient::Subscribe(vec![name("xx2405")]));
    kit.send(first, FromClient::Unsubscribe(vec![name("xx2405")]));
    kit.said();
    kit.tick();
    assert_eq!(kit.said(), ["2: tick xx2405"]);
    // A session that has not logged in subscribes to nothing.
    let stranger = kit.connect(Channel::Market, Resume::Restart);
    kit.said();
    kit.send(stranger, FromClient::Subscribe(vec![name("xx2405")]));
    assert_eq!(kit.said(), [""; 0]);
}

#[test]
fn the_market_waits_for_a_client_that_is_behind() {
    let mut kit = Kit::with(FrontOptions { window: 3, ..FrontOptions::default() });
    let conn = listener(&mut kit);
    kit.send(conn, FromClient::Subscribe(vec![name("xx2405")]));
    // Limits, connected, login, acknowledgement and snapshot are five.
    kit.said();
    assert!(!kit.front.may_pass());
    kit.send(conn, FromClient::Ack(1));
    assert!(!kit.front.may_pass());
    kit.send(conn, FromClient::Ack(1));
    assert!(kit.front.may_pass());
    kit.tick();
    assert!(!kit.front.may_pass(), "what has not left counts too");
    kit.front.lost(conn);
    assert!(kit.front.may_pass(), "nobody is there to wait for");
}

#[test]
fn the_market_waits_for_its_clients_and_not_for_ever() {
    let options = FrontOptions { clients: 2, hold_ms: 1_000, window: 1_000, ..FrontOptions::default() };
    let mut kit = Kit::with(options.clone());
    let at = |kit: &mut Kit, real_ns: u64| {
        kit.real_ns = real_ns;
        kit.said();
        kit.front.may_pass()
    };
    assert!(!at(&mut kit, 0));
    let trader = kit.trader();
    let market = listener(&mut kit);
    assert!(!at(&mut kit, 50 * SECOND), "until all were there it waits as long as it takes");
    kit.send(market, FromClient::Subscribe(vec![name("xx2405")]));
    assert!(at(&mut kit, 51 * SECOND));
    kit.front.lost(trader);
    assert!(!at(&mut kit, 60 * SECOND) && !at(&mut kit, 61 * SECOND - 1));
    assert!(at(&mut kit, 61 * SECOND), "for so long it waits again");
    kit.trader();
    assert!(at(&mut kit, 62 * SECOND));
    kit.front.lost(market);
    assert!(!at(&mut kit, 63 * SECOND), "each time anew");
    // Without a trading day nobody can log in: the market goes on to its first.
    let mut kit = Kit::shut(options);
    assert!(at(&mut kit, 0));
}
