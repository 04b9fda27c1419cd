//! Hostile libraries: our objects' functions are called through their vtables in random order with null and misaligned
//! pointers, texts without an end, `DBL_MAX`, NaN, numbers out of range, structs of nothing but noise, and repeats. Nothing
//! may crash, hang or be passed on that the words of `ctp::callback` do not allow, and nothing may disappear uncounted.
//!
//! The seed is in every message; a seed that failed once is added to `SEEDS`. For the long run and for memcheck:
//!
//! ```text
//! cargo nextest run --release -p shrike-feed --test ctp_hostile --run-ignored only
//! SHRIKE_HOSTILE_CALLS=100000 valgrind --leak-check=full --errors-for-leak-kinds=definite,indirect \
//!     --error-exitcode=1 target/debug/deps/ctp_hostile-<hash>
//! ```

// Lints know test functions as tests, not the functions that they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use shrike_core::clock::{Clock, SimTime};
use shrike_core::codes::Exchange;
use shrike_core::event::{DepthTick, Event, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::ring::{market_ring, ring};
use shrike_core::units::{Lots, Nanos, Price, Qty, TradingDay};
use shrike_feed::ctp::abi::Version;
use shrike_feed::ctp::abi::calls::{Bytes, Given, MarketCaller, Reply, TraderCaller, info};
use shrike_feed::ctp::abi::slots::{MarketEvent, TraderEvent};
use shrike_feed::ctp::abi::structs::{self, Layout};
use shrike_feed::ctp::callback::{Callback, Symbol, What};
use shrike_feed::ctp::decode::Contract;
use shrike_feed::ctp::lookup::Contracts;
use std::mem::offset_of;
use std::sync::Arc;

/// What every run starts with.
const SEEDS: [u64; 3] = [1, 0x5eed, u64::MAX];
/// The evening of 2018-10-08 in China, when the snapshots are made.
const START: Nanos = Nanos::new(1_539_003_600_000_000_000);

#[test]
fn hostile_callbacks_do_no_harm() {
    let calls = std::env::var("SHRIKE_HOSTILE_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(60_000);
    run(calls);
}

/// The long run: ten million calls.
#[test]
#[ignore = "takes a while; see the top of this file"]
fn ten_million_hostile_callbacks_do_no_harm() {
    run(10_000_000);
}

fn run(calls: u64) {
    let each = calls / (SEEDS.len() * Version::ALL.len() * 2) as u64;
    for seed in SEEDS {
        for version in Version::ALL {
            trader(version, seed, each);
            market(version, seed, each);
        }
    }
}

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// Changes some words of a struct into what does harm.
    fn spoil(&mut self, bytes: &mut Bytes) {
        if self.one_in(16) {
            bytes.0.iter_mut().for_each(|byte| *byte = self.next() as u8);
            return;
        }
        for _ in 0..self.below(6) {
            let word = match self.below(10) {
                0 => 0,
                1 => u64::MAX,
                2 => f64::MAX.to_bits(),
                3 => f64::NAN.to_bits(),
                4 => f64::NEG_INFINITY.to_bits(),
                5 => (-1e300_f64).to_bits(),
                6 => u64::from_le_bytes(*b"rb250523"),
                7 => u64::from_le_bytes([0xb1, 0xa8, 0xb5, 0xa5, 0xce, 0xde, 0xd0, 0xa7]),
                8 => 0x8000_0000_8000_0000,
                _ => self.next(),
            };
            let at = self.below(bytes.0.len() - 8);
            let len = if self.one_in(8) { 100 } else { 8 };
            let noise = word.to_le_bytes().into_iter().cycle();
            bytes.0[at..].iter_mut().zip(noise).take(len).for_each(|(byte, noise)| *byte = noise);
        }
    }

    fn given<'a>(&mut self, bytes: &'a Bytes) -> Given<'a> {
        match self.below(16) {
            0 | 1 => Given::Null,
            2 => Given::Misaligned(bytes),
            _ => Given::Struct(bytes),
        }
    }
}

fn trader(version: Version, seed: u64, calls: u64) {
    use TraderEvent::*;
    let mut random = Random(seed);
    let time = Arc::new(SimTime::new(START));
    // Small enough to overflow when it is not emptied for a while.
    let (producer, mut consumer) = ring::<Callback>(32, 32);
    let mut caller = TraderCaller::new(version, Clock::Simulated(Arc::clone(&time)), producer);
    let plausible = plausible();
    let (mut expected, mut taken) = (0_u64, 0_u64);
    let mut last = START;
    for call in 0..calls {
        let place = || format!("version {version} seed {seed} call {call}");
        let event = TraderEvent::ALL[random.below(TraderEvent::ALL.len())];
        // Half the time the struct is of another kind than the event's.
        let kind = if random.one_in(2) { event as usize } else { random.below(plausible.len()) };
        let (mut bytes, mut info_bytes) = (plausible[kind].clone(), info(random.next() as i32, b"CTP: reason"));
        random.spoil(&mut bytes);
        random.spoil(&mut info_bytes);
        let (given, info) = (random.given(&bytes), random.given(&info_bytes));
        let reply = Reply { info, request_id: random.next() as i32, is_last: random.next() as u8 };
        time.advance_to(START.after(call));
        let dropped = |caller: &TraderCaller| count(caller.counts().all(), &["null", "refused"]);
        let before = dropped(&caller);
        let repeats = 1 + u64::from(random.one_in(8));
        for _ in 0..repeats {
            caller.call(event, given, reply);
        }
        if random.one_in(8) {
            caller.call_unused(random.below(TraderEvent::count(version) + 8), given, reply);
        }
        expected += match event {
            // Of these, what is refused is not told.
            OnRtnOrder | OnRtnTrade | OnRtnInstrumentStatus => repeats - (dropped(&caller) - before),
            OnRspUserLogout => 0,
            _ => repeats,
        };
        // Now and then nobody looks for a while, and the ring is full.
        if call % 1_000 >= 900 {
            continue;
        }
        loop {
            let count = consumer.take_batch(64, |callback| {
                assert!(callback.received >= last, "{}", place());
                last = callback.received;
                check(callback, &place());
            });
            taken += count as u64;
            if taken + caller.counts().lost() >= expected {
                break;
            }
            if count == 0 {
                // What is parked moves on with the next callback.
                caller.call(OnFrontConnected, given, reply);
                expected += 1;
            }
        }
        assert_eq!(taken + caller.counts().lost(), expected, "{}", place());
    }
    assert!(calls < 1_000 || caller.counts().lost() > 0, "the rings were full at times");
}

/// What no callback may carry.
fn check(callback: &Callback, place: &str) {
    let lots = |lots: Lots| assert!(lots.is_absent() || (0..=i64::from(i32::MAX)).contains(&lots.get()), "{place}");
    let day = |day: TradingDay| assert!(day.is_absent() || TradingDay::new(day.get()) == Some(day), "{place}");
    let time = |time: Option<u64>| assert!(time.is_none_or(|time| time < 86_400 * Nanos::PER_SECOND), "{place}");
    match &callback.what {
        What::Nothing => panic!("{place}"),
        What::LoggedIn(Some(login)) => {
            day(login.trading_day);
            login.clocks.into_iter().for_each(time);
        }
        What::Order(order) | What::OrderLine(Some(order)) => {
            lots(order.lots);
            lots(order.traded);
            day(order.trading_day);
            time(order.insert_time);
            time(order.cancel_time);
        }
        What::Trade(trade) | What::TradeLine(Some(trade)) => {
            lots(trade.lots);
            day(trade.trading_day);
            time(trade.time);
        }
        What::PositionLine(Some(line)) => [line.lots, line.today, line.at_open, line.frozen].into_iter().for_each(lots),
        What::Funds(Some(funds)) => day(funds.trading_day),
        What::Instrument(Some(it)) => {
            [it.min_limit_lots, it.max_limit_lots, it.min_market_lots, it.max_market_lots].into_iter().for_each(lots);
            day(it.expiry);
            day(it.listed);
            assert!(it.option.is_some() || it.strike.is_absent(), "{place}");
            assert_ne!(it.tick, Price::ZERO, "{place}");
        }
        What::Status(status) => time(status.enter_time),
        _ => {}
    }
}

fn market(version: Version, seed: u64, calls: u64) {
    const CONTRACTS: u32 = 8;
    let mut random = Random(seed);
    let time = Arc::new(SimTime::new(START));
    let (callbacks, mut told) = ring::<Callback>(64, 0);
    let (producer, mut ticks) = market_ring::<42>(32, 0, CONTRACTS as usize);
    let mut caller = MarketCaller::new(version, Clock::Simulated(Arc::clone(&time)), callbacks, producer);
    let (mut snapshots, mut taken, mut unseen) = (0_u64, 0_u64, 0_u64);
    for call in 0..calls {
        let place = || format!("version {version} seed {seed} call {call}");
        if call % 500 == 0 {
            caller.prepare(contracts(if random.one_in(4) { CONTRACTS / 2 } else { CONTRACTS }));
        }
        let event = match MarketEvent::ALL.get(random.below(16)) {
            Some(event) => *event,
            None => MarketEvent::OnRtnDepthMarketData,
        };
        let mut bytes = snapshot(random.below(CONTRACTS as usize));
        if random.one_in(2) {
            random.spoil(&mut bytes);
        }
        let info_bytes = info(random.next() as i32, &[0xff; 80]);
        let (given, info) = (random.given(&bytes), random.given(&info_bytes));
        let reply = Reply { info, request_id: random.next() as i32, is_last: random.next() as u8 };
        time.advance_to(START.after(call));
        for _ in 0..1 + u64::from(random.one_in(8)) {
            caller.call(event, given, reply);
            snapshots += u64::from(event == MarketEvent::OnRtnDepthMarketData);
        }
        if random.one_in(8) {
            caller.call_unused(random.below(MarketEvent::count(version) + 8), given, reply);
        }
        told.take_batch(64, |callback| check(callback, &place()));
        if call % 1_000 >= 900 {
            continue;
        }
        while ticks.take_batch(64, |slot| {
            let Event::DepthTick(tick) = slot.event() else { panic!("{}: no tick: {slot:?}", place()) };
            check_tick(tick, CONTRACTS, &place());
            assert_eq!(slot.header().flags & !flags::CONFLATED, 0, "{}", place());
            assert!(slot.header().recv_ns >= START, "{}", place());
            taken += 1;
        }) != 0
        {}
        let counts = caller.counts().all();
        // A conflated snapshot replaces another, or stands for itself.
        unseen = count(counts, &["null", "unknown-contract", "malformed", "lost-snapshots"]);
        assert!(taken + unseen <= snapshots, "{}", place());
        assert!(taken + unseen + count(counts, &["conflated"]) >= snapshots, "{}", place());
    }
    assert!(calls < 1_000 || unseen > 0 && taken > 0, "both good and bad snapshots were given");
}

fn check_tick(tick: &DepthTick, contracts: u32, place: &str) {
    assert!(tick.instrument.get() < contracts, "{place}");
    assert!(!tick.exch_ns.is_absent(), "{place}");
    assert!(TradingDay::new(tick.action_day.get()).is_some(), "{place}");
    assert!(tick.volume >= Qty::ZERO, "{place}");
    let sides = tick.bids.iter().zip(&tick.bid_qtys).chain(tick.asks.iter().zip(&tick.ask_qtys));
    for (price, qty) in sides {
        assert_eq!(price.is_absent(), *qty == Qty::ZERO, "{place}: a level is price and lots");
        assert!(*qty >= Qty::ZERO && *price != Price::ZERO, "{place}");
    }
}

fn count(counts: [(&'static str, u64); 8], names: &[&str]) -> u64 {
    counts.iter().filter(|(name, _)| names.contains(name)).map(|(_, count)| count).sum()
}

fn name(index: usize) -> String {
    format!("rb25{index:02}")
}

fn contracts(count: u32) -> Contracts {
    let exchanges = [Exchange::Shfe, Exchange::Dce, Exchange::Czce, Exchange::Cffex];
    let rows = (0..count).map(|index| {
        let contract = Contract {
            instrument: InstrumentId::new(index),
            exchange: exchanges[index as usize % exchanges.len()],
            multiplier: 10,
            zero_is_price: false,
            bare_turnover: index % 4 == 2,
        };
        (Symbol::new(name(index as usize).as_bytes()).unwrap(), contract)
    });
    Contracts::new(TradingDay::new(20_181_009).unwrap(), rows)
}

/// A snapshot that is one, at the offsets of the struct.
fn snapshot(index: usize) -> Bytes {
    use shrike_feed::ctp::decode::DepthSnapshot;
    let mut bytes = Bytes([0; 1024]);
    let mut put = |at: usize, field: &[u8]| bytes.0[at..at + field.len()].copy_from_slice(field);
    put(offset_of!(DepthSnapshot, trading_day), b"20181009");
    put(offset_of!(DepthSnapshot, action_day), b"20181008");
    put(offset_of!(DepthSnapshot, time), b"21:00:01");
    put(offset_of!(DepthSnapshot, millis), &500_i32.to_le_bytes());
    put(offset_of!(DepthSnapshot, instrument), name(index).as_bytes());
    for at in (offset_of!(DepthSnapshot, levels)..offset_of!(DepthSnapshot, average)).step_by(16) {
        put(at, &3_500.0_f64.to_le_bytes());
        put(at + 8, &7_i32.to_le_bytes());
    }
    bytes
}

/// For each event of the trading library a struct of its kind with texts in the texts; all noise comes on top.
fn plausible() -> Vec<Bytes> {
    fn of<T: Layout>() -> Bytes {
        let mut bytes = Bytes([0; 1024]);
        for field in T::FIELDS {
            let text: &[u8] = match (field.name, field.len) {
                (name, 9) if name.ends_with("Time") => b"21:00:01",
                ("ExchangeID", _) => b"SHFE",
                (_, 9) => b"20181009",
                ("InstrumentID", _) => b"rb2505",
                ("OrderSysID", _) => b"         123",
                (_, 1) => b"1",
                (_, 4) => &[7, 0, 0, 0],
                (_, 8) => &[0, 0, 0, 0, 0, 0x58, 0xab, 0x40],
                _ => b"17",
            };
            let len = text.len().min(field.len);
            bytes.0[field.offset..field.offset + len].copy_from_slice(&text[..len]);
        }
        bytes
    }
    use TraderEvent::*;
    let kind = |event: &TraderEvent| match event {
        OnRspAuthenticate => of::<structs::RspAuthenticate>(),
        OnRspUserLogin => of::<structs::RspUserLogin>(),
        OnRspUserLogout => of::<structs::UserLogout>(),
        OnRspOrderInsert | OnErrRtnOrderInsert => of::<structs::InputOrder>(),
        OnRspOrderAction => of::<structs::InputOrderAction>(),
        OnErrRtnOrderAction => of::<structs::OrderAction>(),
        OnRspSettlementInfoConfirm => of::<structs::SettlementInfoConfirm>(),
        OnRspQryOrder | OnRtnOrder => of::<structs::Order>(),
        OnRspQryTrade | OnRtnTrade => of::<structs::Trade>(),
        OnRspQryInvestorPosition => of::<structs::InvestorPosition>(),
        OnRspQryTradingAccount => of::<structs::TradingAccount>(),
        OnRspQryInstrumentMarginRate => of::<structs::InstrumentMarginRate>(),
        OnRspQryInstrumentCommissionRate => of::<structs::InstrumentCommissionRate>(),
        OnRspQryInstrument => of::<structs::Instrument>(),
        OnRspQryOptionInstrTradeCost => of::<structs::OptionInstrTradeCost>(),
        OnRspQryOptionInstrCommRate => of::<structs::OptionInstrCommRate>(),
        OnRtnInstrumentStatus => of::<structs::InstrumentStatus>(),
        OnFrontConnected | OnFrontDisconnected | OnRspError => of::<structs::RspInfo>(),
    };
    TraderEvent::ALL.iter().map(kind).collect()
}
