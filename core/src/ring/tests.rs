//! Order across ring and overflow, conflation that keeps the last value, and every ordering weakened once under loom.

use super::latest::{Cell, Memory, Reader, Word, Writer, split};
use super::*;
use crate::event::{DepthTick, Event, MarketSlot, Phase};
use crate::instrument::InstrumentId;
use crate::thread::{Waiter, Waiting};
use crate::units::Nanos;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

#[derive(Clone, Debug)]
enum Step {
    Offer,
    Push,
    Drain,
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Offer),
        2 => Just(Step::Push),
        1 => Just(Step::Drain),
        3 => (0..6_usize).prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Against a plain queue: whatever was accepted comes out, once and in order; what was refused was not written.
    #[test]
    fn ring_and_overflow_are_one_queue(steps in steps(), capacity in 1..9_usize, overflow in 0..6_usize) {
        let (mut producer, mut consumer) = ring::<u64>(capacity, overflow);
        let room = capacity.max(2).next_power_of_two() + overflow;
        let (mut model, mut next, mut lost) = (VecDeque::new(), 0_u64, 0);
        for step in steps {
            match step {
                Step::Offer => {
                    let offered = producer.offer(|slot| *slot = next);
                    if offered == Offered::Lost {
                        lost += 1;
                    } else {
                        model.push_back(next);
                    }
                    next += 1;
                    prop_assert_eq!(producer.lost(), lost);
                    prop_assert_eq!(offered == Offered::Parked, producer.parked() > 0 && offered != Offered::Lost);
                }
                Step::Push => {
                    if producer.push_with(|slot| *slot = next).is_ok() {
                        model.push_back(next);
                        prop_assert_eq!(producer.parked(), 0, "nothing overtakes what is parked");
                    }
                    next += 1;
                }
                Step::Drain => {
                    producer.drain();
                }
                Step::Take(max) => {
                    let mut seen = Vec::new();
                    let taken = consumer.take_batch(max, |&value| seen.push(value));
                    prop_assert_eq!(taken, seen.len());
                    prop_assert!(taken <= max);
                    for value in seen {
                        prop_assert_eq!(Some(value), model.pop_front());
                    }
                }
            }
            prop_assert!(model.len() <= room);
            prop_assert_eq!(consumer.taken() + model.len() as u64, producer.sent() + producer.parked() as u64);
        }
        while !model.is_empty() {
            producer.drain();
            consumer.take_batch(BATCH_MAX, |&value| assert_eq!(Some(value), model.pop_front()));
        }
        prop_assert!(consumer.is_empty() && !consumer.is_closed());
        drop(producer);
        prop_assert!(consumer.is_closed());
    }

    /// Market data, whatever the interleaving: the snapshots of an instrument are seen in order, the last of each is
    /// seen, and so is every phase, in order.
    #[test]
    fn conflation_keeps_the_last_snapshot_and_the_order(
        steps in prop::collection::vec((0..5_u32, 0..8_usize), 1..300), capacity in 1..5_usize,
    ) {
        const INSTRUMENTS: u32 = 3;
        let (mut producer, mut consumer) = market_ring::<42>(capacity, 300, INSTRUMENTS as usize);
        let mut last = [0; INSTRUMENTS as usize];
        let mut seen = [0; INSTRUMENTS as usize];
        let (mut phases, mut phases_seen) = (0, 0);
        let mut see = |slot: &MarketSlot| match slot.event() {
            Event::DepthTick(tick) => {
                let of = &mut seen[tick.instrument.index()];
                assert!(tick.exch_ns.get() > *of, "{} after {of}", tick.exch_ns.get());
                *of = tick.exch_ns.get();
            }
            Event::Phase(phase) => {
                phases_seen += 1;
                assert_eq!(phase.start_ns.get(), phases_seen);
            }
            other => panic!("{other:?}"),
        };
        for (at, &(what, take)) in (1..).zip(&steps) {
            if what < INSTRUMENTS {
                let instrument = InstrumentId::new(what);
                let tick = DepthTick { instrument, exch_ns: Nanos::new(at), ..DepthTick::default() };
                last[what as usize] = at;
                prop_assert_ne!(producer.snapshot(instrument, |slot| slot.put(&tick)), Routed::Lost);
            } else {
                phases += 1;
                let phase = Phase { start_ns: Nanos::new(phases), ..Phase::default() };
                prop_assert_ne!(producer.offer(|slot| slot.put(&phase)), Offered::Lost);
            }
            consumer.take_batch(take, &mut see);
        }
        while producer.ring().drain() != 0 || consumer.has_available() {
            consumer.take_batch(BATCH_MAX, &mut see);
        }
        prop_assert_eq!(seen, last);
        prop_assert_eq!(phases_seen, phases);
    }
}

#[test]
fn an_instrument_without_a_row_is_lost_and_counted() {
    let (mut producer, _consumer) = market_ring::<42>(2, 0, 1);
    let tick = |slot: &mut MarketSlot| slot.put(&DepthTick::default());
    let far = InstrumentId::new(1);
    assert_eq!([producer.snapshot(far, tick), producer.snapshot(far, tick)], [Routed::Sent; 2]);
    assert_eq!(producer.snapshot(far, tick), Routed::Lost);
    assert_eq!(producer.snapshot(InstrumentId::new(0), tick), Routed::Conflated);
    assert_eq!((producer.lost(), producer.conflated()), (1, 1));
}

#[test]
fn a_batch_may_publish_to_other_rings() {
    let (mut first, mut at_first) = ring::<u64>(8, 0);
    let (mut second, mut at_second) = ring::<u64>(8, 0);
    for value in 1..=3 {
        first.push_with(|slot| *slot = value).unwrap();
    }
    at_first.take_batch(BATCH_MAX, |&value| second.push_with(|slot| *slot = value * 10).unwrap());
    let mut seen = Vec::new();
    at_second.take_batch(BATCH_MAX, |&value| seen.push(value));
    assert_eq!(seen, [10, 20, 30]);
}

/// The same on two threads and a ring that is nearly always full: the consumer may find the ring empty, have it filled
/// and snapshots put before it looks at the table, and must still keep each instrument's order.
#[test]
fn conflation_keeps_the_order_between_threads() {
    const TICKS: u64 = 30_000;
    const INSTRUMENTS: u64 = 3;
    let (mut producer, mut consumer) = market_ring::<42>(2, 0, INSTRUMENTS as usize);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for at in 1..=TICKS {
                let instrument = InstrumentId::new((at % INSTRUMENTS) as u32);
                let tick = DepthTick { instrument, exch_ns: Nanos::new(at), ..DepthTick::default() };
                assert_ne!(producer.snapshot(instrument, |slot| slot.put(&tick)), Routed::Lost);
            }
        });
        let (mut waiter, mut last) = (Waiter::new(Waiting::BACK_OFF), [0; INSTRUMENTS as usize]);
        while last.iter().any(|&last| last + INSTRUMENTS <= TICKS) {
            waiter.after(consumer.take_batch(BATCH_MAX, |slot| {
                let Event::DepthTick(tick) = slot.event() else { panic!("{slot:?}") };
                let last = &mut last[tick.instrument.index()];
                assert!(tick.exch_ns.get() > *last);
                *last = tick.exch_ns.get();
            }));
        }
    });
}

/// Three threads in a line on small rings: the edge releases one event at a time and waits until all is quiet. Each
/// stage turns one event into two; when the edge goes on, all consequences have been counted.
#[test]
fn lockstep_waits_for_all_consequences() {
    const EVENTS: u64 = 2_000;
    let quiet = Quiet::new();
    let (mut to_signal, mut at_signal) = ring::<u64>(2, 8);
    let (mut to_order, mut at_order) = ring::<u64>(2, 8);
    let handled = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut waiter = Waiter::new(Waiting::BACK_OFF);
            while !at_signal.is_closed() {
                waiter.after(at_signal.take_batch(BATCH_MAX, |&value| {
                    for part in 0..2 {
                        quiet.add(1);
                        assert_ne!(to_order.offer(|slot| *slot = value + part), Offered::Lost);
                    }
                    quiet.done(1);
                }));
                to_order.drain();
            }
            drop(to_order);
        });
        scope.spawn(|| {
            let mut waiter = Waiter::new(Waiting::BACK_OFF);
            while !at_order.is_closed() {
                waiter.after(at_order.take_batch(BATCH_MAX, |_| {
                    handled.fetch_add(1, Ordering::Relaxed);
                    quiet.done(1);
                }));
            }
        });
        let mut waiter = Waiter::new(Waiting::BACK_OFF);
        for event in 1..=EVENTS {
            quiet.add(1);
            to_signal.push_with(|slot| *slot = event).unwrap();
            while !quiet.is_quiet() {
                waiter.idle();
            }
            waiter.busy();
            assert_eq!(handled.load(Ordering::Relaxed), 2 * event);
        }
        drop(to_signal);
    });
}

/// Loom's memory; `WEAK` names the one ordering that is relaxed: 0 none, 1 exchange release, 2 exchange acquire, 3 mark,
/// 4 collect.
struct Loom<const WEAK: u8>;

impl<const WEAK: u8> Memory for Loom<WEAK> {
    type Word = loom::sync::atomic::AtomicU64;
    type Cell<T> = loom::cell::UnsafeCell<T>;
    const EXCHANGE: Ordering = match WEAK {
        1 => Ordering::Acquire,
        2 => Ordering::Release,
        _ => Ordering::AcqRel,
    };
    const MARK: Ordering = if WEAK == 3 { Ordering::Relaxed } else { Ordering::Release };
    const COLLECT: Ordering = if WEAK == 4 { Ordering::Relaxed } else { Ordering::Acquire };
}

impl Word for loom::sync::atomic::AtomicU64 {
    fn new(value: u64) -> Self {
        Self::new(value)
    }
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }
    fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.swap(value, order)
    }
    fn fetch_or(&self, bits: u64, order: Ordering) -> u64 {
        self.fetch_or(bits, order)
    }
}

impl<T> Cell<T> for loom::cell::UnsafeCell<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }
    fn read<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.with(f)
    }
    fn write<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.with_mut(f)
    }
}

// SAFETY: as for the machine's memory; loom checks each access.
#[allow(unsafe_code)]
unsafe impl<const WEAK: u8> Send for Writer<u64, Loom<WEAK>> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<const WEAK: u8> Send for Reader<u64, Loom<WEAK>> {}

/// Two values are written while the reader sweeps twice; a sweep after the writer's end must have seen the last.
fn every_interleaving<const WEAK: u8>() {
    loom::model(|| {
        let (mut writer, mut reader) = split::<u64, Loom<WEAK>>(1);
        let writing = loom::thread::spawn(move || {
            for value in 1..=2 {
                writer.put(0, |slot| *slot = value);
            }
            writer
        });
        let mut last = 0;
        let mut see = |_: usize, value: &u64| {
            assert!(*value > last, "a value came back");
            last = *value;
        };
        reader.sweep(1, &mut see);
        // A mark may be collected only with its value: what was collected in vain is not marked again.
        let writer = writing.join().unwrap();
        reader.sweep(1, &mut see);
        assert_eq!(last, 2, "the last value is never lost");
        assert!(!writer.is_pending(0) && !reader.has_available());
    });
}

#[test]
fn loom_finds_no_fault() {
    every_interleaving::<0>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn loom_finds_an_exchange_without_release() {
    every_interleaving::<1>();
}

#[test]
#[should_panic(expected = "Causality violation")]
fn loom_finds_an_exchange_without_acquire() {
    every_interleaving::<2>();
}

#[test]
#[should_panic(expected = "the last value is never lost")]
fn loom_finds_a_mark_without_release() {
    every_interleaving::<3>();
}

#[test]
#[should_panic(expected = "the last value is never lost")]
fn loom_finds_a_collection_without_acquire() {
    every_interleaving::<4>();
}
