//! From CTP's callback to the ring: a five-level snapshot decoded in place in a ring's slot and published.

use crate::mechanics::batches;
use crate::{Host, Outcome};
use bytemuck::Zeroable;
use shrike_core::codes::Exchange;
use shrike_core::event::MarketSlot;
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::ring;
use shrike_core::units::{Nanos, TradingDay};
use shrike_feed::ctp::decode::{self, Contract, DepthSnapshot, Level};
use std::hint::black_box;

/// Snapshots of one sample, and slots of the ring.
const BATCH: u64 = 64;

/// Decodes and publishes; the ring is emptied in the same thread, without looking at the slots.
pub fn decode(host: &mut Host) -> Outcome {
    let snapshots: Vec<DepthSnapshot> = (0..BATCH as i32).map(snapshot).collect();
    let contract = Contract {
        instrument: InstrumentId::new(0),
        exchange: Exchange::Shfe,
        multiplier: 10,
        zero_is_price: false,
        bare_turnover: false,
    };
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
        ..DepthSnapshot::zeroed()
    }
}
