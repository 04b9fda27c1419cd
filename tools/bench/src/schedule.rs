//! Ticks on a schedule that nothing shifts, each timed from the moment it was due until everything that it leads to is done
//! (no coordinated omission: G. Tene, How NOT to Measure Latency, 2013), on one thread with both journals; the host's own
//! hiccups on the same schedule without any work; and bursts, as an exchange sends them when a market opens.
//!
//! One tick in ten leads to an order, and one in ten pulls it; the venue's two answers come right behind and are not timed,
//! but the ticks after them wait for them.

use crate::figures::Samples;
use crate::order_path::{Desk, inline_desk};
use crate::{Figures, Host, Outcome, venue};
use shrike_core::codes::OrderStatus;
use shrike_core::event::OrderRequest;
use shrike_core::thread::{ThreadPlan, place};
use shrike_core::units::Nanos;
use shrike_engine::runtime::Stages;
use std::hint::spin_loop;

/// Contracts of an opening burst.
const BURST_CONTRACTS: u32 = 500;
const BURSTS: u64 = 100;

/// When ticks are due.
#[derive(Clone, Copy)]
struct Schedule {
    /// Nanoseconds between two moments,
    interval_ns: u64,
    /// at each of which so many ticks are due.
    together: u64,
    /// Ticks in all.
    ticks: u64,
}

/// 1,000 ticks a second.
pub fn at_1k(host: &mut Host) -> Outcome {
    open_loop(host, Schedule { interval_ns: 1_000_000, together: 1, ticks: 3_000 })
}

/// 10,000 ticks a second.
pub fn at_10k(host: &mut Host) -> Outcome {
    open_loop(host, Schedule { interval_ns: 100_000, together: 1, ticks: 30_000 })
}

/// 100,000 ticks a second.
pub fn at_100k(host: &mut Host) -> Outcome {
    open_loop(host, Schedule { interval_ns: 10_000, together: 1, ticks: 200_000 })
}

/// A million ticks a second: more than all of China's futures markets send at their busiest.
pub fn at_1m(host: &mut Host) -> Outcome {
    open_loop(host, Schedule { interval_ns: 1_000, together: 1, ticks: 200_000 })
}

/// A hundred at once, a hundred times a second.
pub fn bursts(host: &mut Host) -> Outcome {
    open_loop(host, Schedule { interval_ns: 10_000_000, together: 100, ticks: 30_000 })
}

/// The same schedule with no work but to notice the moment: what is slow here is the host.
pub fn hiccups(host: &mut Host) -> Outcome {
    let core = host.spinning::<1>().map(|[core]| core).ok();
    let (clock, ticks) = (host.clock.clone(), host.repetitions(200_000));
    let watch = move || {
        place(&ThreadPlan { core, ..ThreadPlan::default() });
        let (mut samples, start) = (Samples::new(), clock.now().after(100_000));
        for tick in 0..ticks {
            let due = start.after(tick * 10_000);
            samples.batch(wait(&|| clock.now(), due).since(due), 1);
        }
        samples.figures(1.0)
    };
    match std::thread::scope(|scope| scope.spawn(watch).join()) {
        Ok(figures) => Outcome::Measured(figures),
        Err(_) => Outcome::Absent(String::from("the thread panicked")),
    }
}

fn wait(now: &impl Fn() -> Nanos, due: Nanos) -> Nanos {
    loop {
        let now = now();
        if now >= due {
            return now;
        }
        spin_loop();
    }
}

fn open_loop(host: &Host, schedule: Schedule) -> Outcome {
    let schedule = Schedule { ticks: host.repetitions(schedule.ticks), ..schedule };
    let figures = inline_desk(host, venue::CONTRACTS, |desk| {
        follow(desk, Schedule { ticks: schedule.ticks.min(1_000), interval_ns: 20_000, together: 1 })?;
        follow(desk, schedule)
    });
    figures.map_or_else(Outcome::Absent, Outcome::Measured)
}

fn follow<S: Stages>(desk: &mut Desk<S>, schedule: Schedule) -> Result<Figures, String> {
    let mut samples = Samples::new();
    let snapshots = [false, true].map(|with_bid| venue::snapshot(0, with_bid));
    let [without, with] = &snapshots;
    let mut working = None;
    let start = desk.now().after(1_000_000);
    for tick in 0..schedule.ticks {
        let due = start.after(tick / schedule.together * schedule.interval_ns);
        wait(&|| desk.now(), due);
        // The order's contract stands still between the tick that leads to it and the one that pulls it.
        let (contract, snapshot) = match tick % 10 {
            0 => (0, with),
            5 => (0, without),
            other => (other as u32 % (venue::CONTRACTS - 1) + 1, without),
        };
        let (_, request) = desk.tick(snapshot, &venue::decoding(contract))?;
        samples.batch(desk.now().since(due), 1);
        match (request, working.take()) {
            (Some(cancel), Some(order)) => cancelled(desk, &order, &cancel)?,
            (Some(order), None) => {
                desk.tell(&venue::report(&order, OrderStatus::Queued))?;
                working = Some(order);
            }
            (None, before) => working = before,
        }
    }
    if let Some(order) = working {
        let (_, cancel) = desk.tick(without, &venue::decoding(0))?;
        cancelled(desk, &order, &cancel.ok_or("the bid was not pulled")?)?;
    }
    Ok(samples.figures(1.0))
}

fn cancelled<S: Stages>(desk: &mut Desk<S>, order: &OrderRequest, cancel: &OrderRequest) -> Result<(), String> {
    desk.tell(&venue::report(&OrderRequest { lots: order.lots, ..*cancel }, OrderStatus::Cancelled))
}

/// A snapshot of each of 500 contracts at once; only the last leads to an order: from the start of the burst until it is
/// handed over.
pub fn burst_of_one_order(host: &mut Host) -> Outcome {
    burst(host, BURST_CONTRACTS - 1)
}

/// The same where each of the 500 leads to an order: until the last is handed over.
pub fn burst_of_orders(host: &mut Host) -> Outcome {
    burst(host, 0)
}

/// The contracts from `first` on lead to orders.
fn burst(host: &Host, first: u32) -> Outcome {
    let rounds = host.repetitions(BURSTS);
    let figures = inline_desk(host, BURST_CONTRACTS, |desk| {
        let mut samples = Samples::new();
        let mut orders = Vec::with_capacity(BURST_CONTRACTS as usize);
        for round in 0..rounds as u32 + 2 {
            let [without, with] = [false, true].map(|with_bid| venue::snapshot(round, with_bid));
            let (start, mut sent_ns) = (desk.now(), 0);
            for contract in 0..BURST_CONTRACTS {
                let snapshot = if contract < first { &without } else { &with };
                if let (_, Some(order)) = desk.tick(snapshot, &venue::decoding(contract))? {
                    sent_ns = desk.now().since(start);
                    orders.push(order);
                }
            }
            if orders.len() != (BURST_CONTRACTS - first) as usize {
                return Err(format!("{} orders of {}", orders.len(), BURST_CONTRACTS - first));
            }
            // The first rounds warm up.
            if round >= 2 {
                samples.batch(sent_ns, 1);
            }
            for order in &orders {
                desk.tell(&venue::report(order, OrderStatus::Queued))?;
            }
            for order in orders.drain(..) {
                let (_, cancel) = desk.tick(&without, &venue::decoding(order.instrument.get()))?;
                cancelled(desk, &order, &cancel.ok_or("a bid was not pulled")?)?;
            }
        }
        Ok(samples.figures(1.0))
    });
    figures.map_or_else(Outcome::Absent, Outcome::Measured)
}
