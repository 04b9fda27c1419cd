//! From CTP's callback to the ring: a five-level snapshot decoded in place in a ring's slot and published, alone and by way
//! of the function that the library calls.

use crate::mechanics::batches;
use crate::{Host, Outcome};
use bytemuck::Zeroable;
use shrike_core::codes::Exchange;
use shrike_core::event::MarketSlot;
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::{MarketConsumer, market_ring, ring};
use shrike_core::units::{Nanos, Text, TradingDay};
use shrike_feed::ctp::abi::Version;
use shrike_feed::ctp::abi::calls::MarketCaller;
use shrike_feed::ctp::decode::{self, Contract, DepthSnapshot, Level};
use shrike_feed::ctp::lookup::Contracts;
use std::hint::black_box;

/// Snapshots of one sample, and slots of the ring.
const BATCH: u64 = 64;
/// Subscribed contracts.
const CONTRACTS: u32 = 64;

/// Decodes and publishes; the ring is emptied in the same thread, without looking at the slots.
pub fn decode(host: &mut Host) -> Outcome {
    let snapshots: Vec<DepthSnapshot> = (0..BATCH as i32).map(snapshot).collect();
    let contract = contract(0);
    let (mut producer, mut consumer) = ring::<MarketSlot>(BATCH as usize, 0);
    let (day, received) = (TradingDay::ABSENT, Nanos::ABSENT);
    let mut next = snapshots.iter().cycle();
    batches(host, 20_000, BATCH, || {
        let Some(snapshot) = next.next() else { return };
        let pushed = producer.push_with(|slot| {
            let _ = black_box(decode::decode(black_box(snapshot), &contract, day, received, slot.place()));
        });
        black_box(pushed.is_ok());
        consumer.take_batch(1, |_| ());
    })
}

/// `OnRtnDepthMarketData` through the vtable: the clock, the contract, the decoding, the publishing. The ring is emptied in
/// the same thread, without looking at the slots.
pub fn callback(host: &mut Host) -> Outcome {
    let snapshots: Vec<DepthSnapshot> = (0..CONTRACTS as i32).map(snapshot).collect();
    let (mut library, mut ticks) = market(host);
    let mut next = snapshots.iter().cycle();
    batches(host, 20_000, BATCH, || {
        let Some(snapshot) = next.next() else { return };
        library.snapshot(black_box(snapshot));
        ticks.take_batch(1, |_| ());
    })
}

/// Snapshots as fast as one core makes ticks of them and another part of the program, on the same core, reads each tick.
/// A lost or conflated one is a failure.
pub fn throughput(host: &mut Host) -> Outcome {
    let snapshots: Vec<DepthSnapshot> = (0..CONTRACTS as i32).map(snapshot).collect();
    let (mut library, mut ticks) = market(host);
    let rounds = host.repetitions(100_000);
    let (clock, mut read, mut volume) = (host.clock.clone(), 0_u64, 0_i64);
    let start = clock.now();
    for _ in 0..rounds {
        for snapshot in &snapshots {
            library.snapshot(black_box(snapshot));
        }
        ticks.take_batch(CONTRACTS as usize, |slot| {
            read += 1;
            // Every line of the tick is looked at.
            volume = slot.body().iter().step_by(64).fold(volume, |sum, byte| sum + i64::from(*byte));
        });
    }
    let elapsed = clock.now().since(start);
    black_box(volume);
    let sent = rounds * u64::from(CONTRACTS);
    if read != sent || library.counts().all().iter().any(|(_, count)| *count != 0) {
        return Outcome::Absent(format!("{read} of {sent} ticks arrived: {:?}", library.counts().all()));
    }
    Outcome::Rate(sent as f64 * 1e3 / elapsed as f64, format!("{sent} snapshots, none lost or conflated"))
}

fn market(host: &Host) -> (MarketCaller, MarketConsumer<42>) {
    let (callbacks, _) = ring(2, 0);
    let (producer, ticks) = market_ring(CONTRACTS as usize, 0, CONTRACTS as usize);
    let clock = shrike_core::clock::Clock::Wall(host.clock.clone());
    let mut library = MarketCaller::new(Version::V6_7_13, clock, callbacks, producer);
    let rows = (0..CONTRACTS).filter_map(|index| Some((Text::new(&name(index))?, contract(index))));
    library.prepare(Contracts::new(TradingDay::ABSENT, rows));
    (library, ticks)
}

fn contract(index: u32) -> Contract {
    Contract {
        instrument: InstrumentId::new(index),
        exchange: Exchange::Shfe,
        multiplier: 10,
        zero_is_price: false,
        bare_turnover: false,
    }
}

/// `ru1900` to `ru1963`.
fn name(index: u32) -> [u8; 6] {
    let [tens, ones] = [index / 10 % 10, index % 10].map(|digit| b'0' + digit as u8);
    [b'r', b'u', b'1', b'9', tens, ones]
}

fn snapshot(number: i32) -> DepthSnapshot {
    let price = 12_100.0 + f64::from(number) * 5.0;
    let level = |depth: i32| {
        let off = f64::from(depth) * 5.0;
        let (bid, ask) = (price - off, price + 5.0 + off);
        Level { bid, bid_lots: 3 + depth, pad_bid: 0, ask, ask_lots: 41 + depth, pad_ask: 0 }
    };
    DepthSnapshot {
        trading_day: *b"20181009\0",
        last: price,
        pre_settlement: 12_240.0,
        pre_close: 12_180.0,
        pre_open_interest: 301_002.0,
        open: 12_150.0,
        high: 12_155.0,
        low: 12_100.0,
        volume: 1_234 + number,
        turnover: 149_557_400.0,
        open_interest: 300_998.0,
        close: f64::MAX,
        settlement: f64::MAX,
        upper_limit: 13_095.0,
        lower_limit: 11_385.0,
        time: *b"21:00:00\0",
        millis: 500,
        levels: [level(0), level(1), level(2), level(3), level(4)],
        average: 121_197.25,
        action_day: *b"20181008\0",
        instrument: std::array::from_fn(|at| name(number as u32).get(at).copied().unwrap_or(0)),
        ..DepthSnapshot::zeroed()
    }
}
