//! A campaign of the size that every change is tested with, and that the judge is no rubber stamp.

use shrike_simulate::campaign::Campaign;
use shrike_simulate::counter::Lie;
use shrike_simulate::fault::{Fault, Faults};
use shrike_simulate::{Plan, shrink, simulate};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=30;

#[test]
fn no_rule_is_broken_and_every_fault_strikes() {
    let campaign = Campaign { seeds: SEEDS, minutes: 1, faults: Faults::all(), jobs: 1, failures_max: 5 };
    let report = campaign.run(&mut |_| {});
    println!("seeds {SEEDS:?}: {} orders, {} crashes\n{}", report.orders, report.crashes, report.table());
    for (seed, failure) in &report.failures {
        println!("shrike simulate --seed {seed}: {failure}");
    }
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert!(report.orders > 5_000 && report.crashes > 100 && report.snapshots > 0);
    let never: Vec<&Fault> = Fault::ALL.iter().filter(|&&fault| report.coverage.count(fault) == 0).collect();
    assert!(never.is_empty(), "never struck: {never:?}");
}

fn plan(seed: u64) -> Plan {
    Plan { seed, days: 2, faults: Faults::all(), trace: false, lie: None }
}

#[test]
fn the_same_plan_gives_the_same_history() {
    let traced = Plan { trace: true, ..plan(3) };
    let (one, other) = (simulate(&traced), simulate(&traced));
    assert!(one.trace.len() > 10_000);
    assert!(one.trace == other.trace, "two runs of one plan differ");
    assert_eq!(one.struck, other.struck);
    let untraced = simulate(&plan(3));
    assert_eq!((one.orders, one.struck), (untraced.orders, untraced.struck), "watching changes nothing");
}

/// Without faults nothing is told twice, late or again: what is seen then is the market, the person and the days.
#[test]
fn without_faults_only_the_world_happens() {
    let outcome = simulate(&Plan { faults: Faults::none(), ..plan(4) });
    assert_eq!(outcome.failure, None);
    assert!(outcome.struck.is_empty() && outcome.orders > 100 && outcome.crashes == 0, "{}", outcome.orders);
}

#[test]
fn a_counter_that_lies_is_found_out() {
    let held = ["positions equal the venue's", "limits", "no more closed than held"];
    for (lie, rules) in [
        (Lie::TradeKept, ["every order ends", "comes to rest", "what works is known"]),
        (Lie::TradeDoubled, held),
        (Lie::TradeSwollen, held),
    ] {
        let outcome = simulate(&Plan { faults: Faults::none(), lie: Some(lie), ..plan(4) });
        let failure = outcome.failure.unwrap_or_else(|| panic!("{lie:?} was not found"));
        assert!(rules.contains(&failure.rule), "{lie:?}: {failure}");
    }
}

/// A failure that needs no fault is shrunk to one with next to none.
#[test]
fn what_does_not_matter_is_left_out() {
    let broken = Plan { lie: Some(Lie::TradeDoubled), ..plan(5) };
    let whole = simulate(&broken);
    let failure = whole.failure.expect("the lie is found");
    let (small, outcome) = shrink(&broken, failure.rule, 120);
    assert_eq!(outcome.failure.expect("it still fails").rule, failure.rule);
    assert_eq!(small.days, 1);
    assert!(outcome.struck.len() * 3 < whole.struck.len(), "{} of {:?}", outcome.struck.len(), whole.struck);
}
