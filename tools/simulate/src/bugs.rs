//! Mistakes planted one after the other, and what of the simulator finds each: the judge is judged.

use crate::campaign::Campaign;
use shrike_core::seeded::{Bug, plant};

/// How a planted mistake was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The mistake.
    pub bug: Bug,
    /// The rule that it broke, and how; `None`: no seed found it.
    pub rule: Option<(&'static str, String)>,
    /// The seeds that it took.
    pub seeds: u64,
}

/// Plants each mistake and runs the campaign's seeds until one breaks a rule. `told` hears of each as it is found.
pub fn hunt(bugs: &[Bug], campaign: &Campaign, told: &mut dyn FnMut(&Found)) -> Vec<Found> {
    let campaign = Campaign { failures_max: 1, ..campaign.clone() };
    let mut all = Vec::new();
    for &bug in bugs {
        plant(Some(bug));
        let report = campaign.run(&mut |_| {});
        plant(None);
        let first = report.failures.first();
        let found = Found {
            bug,
            rule: first.map(|(_, failure)| (failure.rule, failure.what.clone())),
            seeds: first.map_or(report.runs, |(seed, _)| seed - campaign.seeds.start() + 1),
        };
        told(&found);
        all.push(found);
    }
    all
}
