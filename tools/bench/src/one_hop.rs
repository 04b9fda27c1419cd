//! Tick to order as at a CTP counter: the library's thread has a snapshot and decodes it into the market ring, and one other
//! thread takes it from there, runs both stages and hands the request over. One hop, two spinning threads.

use crate::order_path::{Shown, inline_desk_at, ticks};
use crate::pingpong::CAPACITY;
use crate::{Host, Outcome, venue};
use shrike_core::clock::Tsc;
use shrike_core::event::MarketSlot;
use shrike_core::ring::{Consumer, Producer, ring};
use shrike_core::thread::{ThreadPlan, place};
use shrike_core::units::TradingDay;
use shrike_feed::ctp::decode::{self, Dates};
use std::hint::spin_loop;

/// What comes over the wire, of which the library's thread makes the snapshot: one line of memory. A whole snapshot would cost
/// the engine's thread, which sends it here, ten lines to write, and no packet does.
type Wired = Option<Shown>;

/// Tick to order over one ring, from before the decoding on one core until the request is handed over on another.
pub fn one_hop(host: &mut Host) -> Outcome {
    let [library, engine] = match host.spinning::<2>() {
        Ok(cores) => cores,
        Err(why) => return Outcome::Absent(why),
    };
    let (warm_up, ticks) = ticks(host);
    let (mut wire, wired) = ring::<Wired>(CAPACITY, 0);
    let (decoded, mut market) = ring::<MarketSlot>(CAPACITY, 0);
    let clock = host.clock.clone();
    let measured = std::thread::scope(|scope| {
        let decoding = scope.spawn(move || {
            let denied = place(&ThreadPlan { core: Some(library), ..ThreadPlan::default() });
            decode_all(&clock, wired, decoded);
            denied.first().map_or(Ok(()), |denied| Err(denied.to_string()))
        });
        let measured = inline_desk_at(host, Some(engine), venue::CONTRACTS, move |desk| {
            let timed = desk.trade_by(warm_up, ticks, |desk, shown| {
                let sent = wire.push_with(|slot| *slot = Some(shown));
                sent.map_err(|full| full.to_string())?;
                let mut ticked = None;
                while ticked.is_none() && !market.is_closed() {
                    if market.take_batch(1, |slot| ticked = Some(desk.decoded(slot))) == 0 {
                        spin_loop();
                    }
                }
                ticked.unwrap_or_else(|| Err(String::from("the decoding thread ended")))
            });
            Ok(timed?.orders.figures(1.0))
        });
        decoding.join().map_err(|_| String::from("the decoding thread panicked"))??;
        measured
    });
    measured.map_or_else(Outcome::Absent, Outcome::Measured)
}

/// Decodes what comes straight into the ring, until nothing will come any more. Received as the decoding begins.
fn decode_all(clock: &Tsc, mut wired: Consumer<Wired>, mut ticks: Producer<MarketSlot>) {
    let mut dates = Dates::default();
    while !wired.is_closed() {
        let taken = wired.take_batch(1, |wired| {
            let Some(shown) = wired else { return };
            let (snapshot, contract) = (shown.snapshot(), shown.decoding());
            let start = clock.now();
            let stamp = decode::stamp(&snapshot, &contract, TradingDay::ABSENT, start, &mut dates);
            let _ = ticks.push_with(|slot| {
                if let Ok(stamp) = stamp {
                    decode::fill(&snapshot, &contract, &stamp, slot.place());
                }
                slot.header_mut().recv_ns = start;
            });
        });
        if taken == 0 {
            spin_loop();
        }
    }
}
