//! Makes a broken run small: fewer days, fewer kinds of faults, fewer strokes, as long as the same rule is broken.

use crate::fault::{Fault, Stroke};
use crate::run::{Outcome, Plan, simulate};
use std::collections::BTreeSet;

/// A plan that breaks the same rule as `plan` did, with as few faults as some hundred tries find, and what it gives.
/// `tries` bounds the runs.
pub fn shrink(plan: &Plan, rule: &str, tries: u32) -> (Plan, Outcome) {
    let mut best = Best { plan: plan.clone(), outcome: simulate(plan), rule, tries };
    best.fewer_days();
    best.fewer_kinds();
    best.fewer_strokes();
    (best.plan, best.outcome)
}

struct Best<'a> {
    plan: Plan,
    outcome: Outcome,
    rule: &'a str,
    tries: u32,
}

impl Best<'_> {
    /// Keeps a plan that breaks the rule as well; whether it does.
    fn keeps(&mut self, plan: Plan) -> bool {
        let Some(left) = self.tries.checked_sub(1) else { return false };
        self.tries = left;
        let outcome = simulate(&plan);
        let breaks = outcome.failure.as_ref().is_some_and(|failure| failure.rule == self.rule);
        if breaks {
            (self.plan, self.outcome) = (plan, outcome);
        }
        breaks
    }

    fn fewer_days(&mut self) {
        for days in 1..self.plan.days {
            if self.keeps(Plan { days, ..self.plan.clone() }) {
                return;
            }
        }
    }

    fn fewer_kinds(&mut self) {
        // Half of them at once, then each.
        let kinds: Vec<Fault> = self.plan.faults.kinds.iter().copied().collect();
        for half in [kinds.len() / 2, kinds.len() / 4, kinds.len() / 8, 1] {
            let present: Vec<Fault> = self.plan.faults.kinds.iter().copied().collect();
            for chunk in present.chunks(half.max(1)) {
                let mut plan = self.plan.clone();
                chunk.iter().for_each(|fault| {
                    plan.faults.kinds.remove(fault);
                });
                self.keeps(plan);
            }
        }
    }

    /// Drops strokes by runs that halve, as delta debugging does (Zeller and Hildebrandt, "Simplifying and isolating
    /// failure-inducing input", 2002).
    fn fewer_strokes(&mut self) {
        let strokes: BTreeSet<Stroke> = self.outcome.struck.iter().copied().collect();
        let mut plan = self.plan.clone();
        plan.faults.only = Some(strokes);
        if !self.keeps(plan) {
            return;
        }
        let mut size = self.outcome.struck.len().max(2) / 2;
        while size > 0 && self.tries > 0 {
            let struck: Vec<Stroke> = self.plan.faults.only.iter().flatten().copied().collect();
            // The last ones first: what comes after the cause changes nothing.
            for chunk in struck.rchunks(size) {
                let mut plan = self.plan.clone();
                if let Some(only) = &mut plan.faults.only {
                    only.retain(|stroke| !chunk.contains(stroke));
                }
                self.keeps(plan);
            }
            size /= 2;
        }
    }
}
