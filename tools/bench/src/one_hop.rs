//! Tick to order as at a CTP counter: the library's thread decodes the snapshot into the market ring, and one other thread
//! takes it from there, runs both stages and hands the request over. One hop, two spinning threads.

use crate::order_path::{inline_desk_at, ticks};
use crate::{Host, Outcome, venue};
use shrike_core::event::MarketSlot;
use shrike_core::ring::{Producer, ring};
use shrike_core::thread::{ThreadPlan, place};
use shrike_core::units::{Nanos, TradingDay};
use shrike_feed::ctp::decode::{self, Contract, Dates, DepthSnapshot};
use std::hint::spin_loop;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the deciding thread asks for, and the decoding one waits for.
struct Wire {
    /// How many snapshots were asked for; [`CLOSED`] ends the thread.
    asked: AtomicU64,
    next: Mutex<Option<(DepthSnapshot, Contract)>>,
}

const CLOSED: u64 = u64::MAX;

/// Tick to order over one ring, from before the decoding on one core until the request is handed over on another.
pub fn one_hop(host: &mut Host) -> Outcome {
    let [library, engine] = match host.spinning::<2>() {
        Ok(cores) => cores,
        Err(why) => return Outcome::Absent(why),
    };
    let (warm_up, ticks) = ticks(host);
    let wire = Wire { asked: AtomicU64::new(0), next: Mutex::new(None) };
    let (producer, mut consumer) = ring::<MarketSlot>(4_096, 0);
    let clock = host.clock.clone();
    let measured = std::thread::scope(|scope| {
        let wire = &wire;
        let decoding = scope.spawn(move || {
            let denied = place(&ThreadPlan { core: Some(library), ..ThreadPlan::default() });
            decode_all(wire, producer, || clock.now());
            denied.first().map_or(Ok(()), |denied| Err(denied.to_string()))
        });
        let measured = inline_desk_at(host, Some(engine), venue::CONTRACTS, |desk| {
            let timed = desk.trade(warm_up, ticks, |desk, snapshot, contract| {
                if let Ok(mut next) = wire.next.lock() {
                    *next = Some((*snapshot, *contract));
                }
                wire.asked.fetch_add(1, Ordering::Release);
                let mut ticked = None;
                while ticked.is_none() {
                    if consumer.take_batch(1, |slot| ticked = Some(desk.decoded(slot))) == 0 {
                        spin_loop();
                        if consumer.is_closed() {
                            break;
                        }
                    }
                }
                ticked.unwrap_or_else(|| Err(String::from("the decoding thread ended")))
            });
            Ok(timed?.orders.figures(1.0))
        });
        wire.asked.store(CLOSED, Ordering::Release);
        decoding.join().map_err(|_| String::from("the decoding thread panicked"))??;
        measured
    });
    measured.map_or_else(Outcome::Absent, Outcome::Measured)
}

/// Decodes what is asked for straight into the ring, received as it begins.
fn decode_all(wire: &Wire, mut ticks: Producer<MarketSlot>, now: impl Fn() -> Nanos) {
    let (mut done, mut dates) = (0, Dates::default());
    loop {
        let asked = wire.asked.load(Ordering::Acquire);
        if asked == CLOSED {
            return;
        }
        if asked == done {
            spin_loop();
            continue;
        }
        done = asked;
        let Some((snapshot, contract)) = wire.next.lock().ok().and_then(|mut next| next.take()) else { continue };
        let start = now();
        // The bench's snapshots have a time; without one, the other thread sees the ring closed.
        let Ok(stamp) = decode::stamp(&snapshot, &contract, TradingDay::ABSENT, start, &mut dates) else { return };
        let _ = ticks.push_with(|slot| {
            decode::fill(&snapshot, &contract, &stamp, slot.place());
            slot.header_mut().recv_ns = start;
        });
    }
}
