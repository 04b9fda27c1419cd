//! One event in rkyv and in bincode beside our own layout, which is the event's bytes as they lie in memory. Encoding fills a
//! buffer that is there already; decoding checks what can be checked and reads every field.

use super::{Peer, in_turn};
use rkyv::rancor;
use rkyv::util::AlignedVec;
use shrike_bench::{Host, Outcome};
use shrike_core::event::{Body, DepthTick, Event};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Price, Qty, TradingDay, Turnover};
use std::hint::black_box;

/// Events of a sample, and samples of a row.
const BATCH: u64 = 64;
const SAMPLES: u64 = 20_000;

/// The rows.
pub fn rows() -> Vec<Peer> {
    vec![
        ("peer encoding of a depth snapshot, rkyv", encode::<Rkyv>),
        ("peer encoding of a depth snapshot, bincode", encode::<Bincode>),
        ("peer decoding of a depth snapshot, rkyv", decode::<Rkyv>),
        ("peer decoding of a depth snapshot, bincode", decode::<Bincode>),
    ]
}

/// [`DepthTick`] as another program would declare it, without what ours reserves.
#[derive(rkyv::Archive, rkyv::Serialize, bincode::Encode, bincode::Decode)]
struct Snapshot {
    instrument: u32,
    trading_day: u32,
    exch_ns: u64,
    last: i64,
    volume: i64,
    turnover: i64,
    open_interest: i64,
    /// Open, high, low, close, settlement, the last day's settlement and close, both limits, average.
    prices: [i64; 10],
    pre_open_interest: i64,
    action_day: u32,
    /// Prices and lots, best first.
    bids: [i64; 5],
    bid_qtys: [i64; 5],
    asks: [i64; 5],
    ask_qtys: [i64; 5],
}

/// A way to write a [`Snapshot`] down.
trait Encoding: Default {
    fn encode(&mut self, snapshot: &Snapshot) -> Result<(), String>;
    /// The last one encoded: how many bytes it takes.
    fn bytes(&self) -> usize;
    /// A sum over its fields.
    fn decode(&self) -> Result<i64, String>;
}

#[derive(Default)]
struct Rkyv(AlignedVec);

impl Encoding for Rkyv {
    #[inline]
    fn encode(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let mut buffer = std::mem::take(&mut self.0);
        buffer.clear();
        self.0 =
            rkyv::api::high::to_bytes_in::<_, rancor::Error>(snapshot, buffer).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn decode(&self) -> Result<i64, String> {
        let read = rkyv::access::<ArchivedSnapshot, rancor::Error>(&self.0).map_err(|error| error.to_string())?;
        let mut sum = i64::from(read.instrument.to_native()) + i64::from(read.trading_day.to_native());
        sum += read.exch_ns.to_native() as i64 + i64::from(read.action_day.to_native());
        for value in [&read.last, &read.volume, &read.turnover, &read.open_interest, &read.pre_open_interest] {
            sum = sum.wrapping_add(value.to_native());
        }
        let levels = read.bids.iter().chain(&read.bid_qtys).chain(&read.asks).chain(&read.ask_qtys);
        Ok(read.prices.iter().chain(levels).fold(sum, |sum, value| sum.wrapping_add(value.to_native())))
    }
}

struct Bincode {
    buffer: [u8; 512],
    len: usize,
}

impl Default for Bincode {
    fn default() -> Self {
        Self { buffer: [0; 512], len: 0 }
    }
}

impl Encoding for Bincode {
    #[inline]
    fn encode(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let len = bincode::encode_into_slice(snapshot, &mut self.buffer, bincode::config::standard());
        self.len = len.map_err(|error| error.to_string())?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.len
    }

    #[inline]
    fn decode(&self) -> Result<i64, String> {
        let bytes = self.buffer.get(..self.len).unwrap_or_default();
        let read = bincode::decode_from_slice::<Snapshot, _>(bytes, bincode::config::standard());
        let (read, _) = read.map_err(|error| error.to_string())?;
        let mut sum = i64::from(read.instrument) + i64::from(read.trading_day);
        sum += read.exch_ns as i64 + i64::from(read.action_day);
        for value in [read.last, read.volume, read.turnover, read.open_interest, read.pre_open_interest] {
            sum = sum.wrapping_add(value);
        }
        let levels = read.bids.iter().chain(&read.bid_qtys).chain(&read.asks).chain(&read.ask_qtys);
        Ok(read.prices.iter().chain(levels).fold(sum, |sum, value| sum.wrapping_add(*value)))
    }
}

/// Where a body of ours lies: aligned as in a journal.
#[repr(align(64))]
struct Room([u8; size_of::<DepthTick>()]);

fn read_ours(room: &Room) -> Result<i64, String> {
    let Event::DepthTick(read) = Event::read(DepthTick::KIND as u16, &room.0) else {
        return Err(String::from("a snapshot did not read as one"));
    };
    let mut sum = i64::from(read.instrument.get()) + i64::from(read.trading_day.get());
    sum += read.exch_ns.get() as i64 + i64::from(read.action_day.get());
    for value in [read.volume, read.open_interest, read.pre_open_interest] {
        sum = sum.wrapping_add(value.raw());
    }
    sum = sum.wrapping_add(read.last.raw()).wrapping_add(read.turnover.raw());
    let prices = day_prices(read);
    let qtys = read.bid_qtys.iter().chain(&read.ask_qtys).fold(sum, |sum, qty| sum.wrapping_add(qty.raw()));
    let prices = prices.iter().chain(&read.bids).chain(&read.asks);
    Ok(prices.fold(qtys, |sum, price| sum.wrapping_add(price.raw())))
}

fn day_prices(tick: &DepthTick) -> [Price; 10] {
    let DepthTick { open, high, low, close, settlement, pre_settlement, pre_close, .. } = *tick;
    [open, high, low, close, settlement, pre_settlement, pre_close, tick.upper_limit, tick.lower_limit, tick.average]
}

/// A snapshot of an index future in the middle of a day, in both forms.
fn snapshot() -> Result<(DepthTick, Snapshot), String> {
    let day = TradingDay::new(20_210_104).ok_or("no such day")?;
    let level = |first: i64, step: i64| std::array::from_fn(|level| Price::whole(first + step * level as i64));
    let tick = DepthTick {
        instrument: InstrumentId::new(7),
        trading_day: day,
        exch_ns: Nanos::china(day, 34_500, 500_000_000),
        last: Price::whole(5_230),
        volume: Qty::whole(12_345),
        turnover: Turnover::whole(19_370_000_000),
        open_interest: Qty::whole(90_767),
        open: Price::whole(5_227),
        high: Price::whole(5_251),
        low: Price::whole(5_210),
        close: Price::ABSENT,
        settlement: Price::ABSENT,
        pre_settlement: Price::whole(5_216),
        pre_close: Price::whole(5_227),
        pre_open_interest: Qty::whole(90_826),
        upper_limit: Price::whole(5_737),
        lower_limit: Price::whole(4_694),
        average: Price::whole(5_231),
        action_day: day,
        bids: level(5_229, -1),
        bid_qtys: std::array::from_fn(|level| Qty::whole(3 + level as i64)),
        asks: level(5_231, 1),
        ask_qtys: std::array::from_fn(|level| Qty::whole(5 + level as i64)),
        ..DepthTick::default()
    };
    let snapshot = Snapshot {
        instrument: tick.instrument.get(),
        trading_day: tick.trading_day.get(),
        exch_ns: tick.exch_ns.get(),
        last: tick.last.raw(),
        volume: tick.volume.raw(),
        turnover: tick.turnover.raw(),
        open_interest: tick.open_interest.raw(),
        prices: day_prices(&tick).map(Price::raw),
        pre_open_interest: tick.pre_open_interest.raw(),
        action_day: tick.action_day.get(),
        bids: tick.bids.map(Price::raw),
        bid_qtys: tick.bid_qtys.map(Qty::raw),
        asks: tick.asks.map(Price::raw),
        ask_qtys: tick.ask_qtys.map(Qty::raw),
    };
    Ok((tick, snapshot))
}

fn encode<E: Encoding>(host: &mut Host) -> Outcome {
    measured::<E>(host, true).unwrap_or_else(Outcome::Absent)
}

fn decode<E: Encoding>(host: &mut Host) -> Outcome {
    measured::<E>(host, false).unwrap_or_else(Outcome::Absent)
}

fn measured<E: Encoding>(host: &Host, encoding: bool) -> Result<Outcome, String> {
    let (tick, snapshot) = snapshot()?;
    let (mut room, mut peer) = (Room([0; size_of::<DepthTick>()]), E::default());
    room.0.copy_from_slice(bytemuck::bytes_of(&tick));
    peer.encode(&snapshot)?;
    if read_ours(&room)? != peer.decode()? {
        return Err(String::from("the two forms do not say the same"));
    }
    let bytes = peer.bytes();
    let mut figures = if encoding {
        in_turn(
            host,
            SAMPLES,
            BATCH,
            || {
                black_box(&mut room).0.copy_from_slice(bytemuck::bytes_of(black_box(&tick)));
                Ok::<_, String>(())
            },
            || black_box(&mut peer).encode(black_box(&snapshot)),
        )?
    } else {
        in_turn(
            host,
            SAMPLES,
            BATCH,
            || read_ours(black_box(&room)).map(|sum| _ = black_box(sum)),
            || black_box(&peer).decode().map(|sum| _ = black_box(sum)),
        )?
    };
    figures.note = figures.note.map(|note| format!("{note}; {bytes} B, ours {} B", size_of::<DepthTick>()));
    Ok(Outcome::Measured(figures))
}
