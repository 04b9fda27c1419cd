//! Each stage alone, without a journal: what its folding and deciding cost once everything is in the cache.

use crate::mechanics::batches;
use crate::steps::{desk, life, quote, watcher};
use crate::venue::CONTRACTS;
use crate::{Host, Outcome};
use shrike_core::event::{DepthTick, TargetPosition};
use shrike_core::instrument::InstrumentId;
use shrike_engine::setup;

/// Events of one sample.
const BATCH: u64 = 64;
const SAMPLES: u64 = 20_000;

/// A tick that an EMA cross sees.
pub fn signal(host: &mut Host) -> Outcome {
    let (mut giver, mut slot) = match watcher() {
        Ok(watcher) => watcher,
        Err(why) => return Outcome::Absent(why),
    };
    let (tick, mut next) = (slot.place::<DepthTick>(), 0..u32::MAX);
    batches(host, SAMPLES, BATCH, || {
        tick.instrument = InstrumentId::new(next.next().unwrap_or(0) % CONTRACTS);
        giver.give(tick);
    })
}

/// A quote of a contract whose target is held.
pub fn quote_of_held(host: &mut Host) -> Outcome {
    let mut giver = match desk(setup::ORDERS_MAX) {
        Ok(desk) => desk,
        Err(why) => return Outcome::Absent(why),
    };
    for instrument in (0..CONTRACTS).map(InstrumentId::new) {
        giver.give(&TargetPosition { strategy: 1, instrument, revision: 1, ..TargetPosition::default() });
    }
    let mut next = 0..u32::MAX;
    batches(host, SAMPLES, BATCH, || {
        let round = next.next().unwrap_or(0);
        giver.give(&quote(round % CONTRACTS, u64::from(round), giver.now));
    })
}

/// An intent that leads to an order, its acceptance, an intent that pulls it, its end.
pub fn order(host: &mut Host) -> Outcome {
    let mut giver = match desk(setup::ORDERS_MAX) {
        Ok(desk) => desk,
        Err(why) => return Outcome::Absent(why),
    };
    (0..CONTRACTS).for_each(|contract| giver.give(&quote(contract, 0, giver.now)));
    // As many as a trading day may have, the stage's room.
    let (mut next, mut failed) = (0..u64::MAX, None);
    let outcome = batches(host, 3_000, 16, || {
        if let Err(why) = life(&mut giver, next.next().unwrap_or(0)) {
            failed = Some(why);
        }
    });
    failed.map_or(outcome, Outcome::Absent)
}
