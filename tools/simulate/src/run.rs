//! One run: lives of the engine one after the other under one seed, each killed or stopped, until so many nights have
//! passed; then everything is decided again and compared.

use crate::counter::{Lie, Who};
use crate::coverage::Coverage;
use crate::fault::{Dice, Fault, Faults, Stroke};
use crate::judge::Failure;
use crate::life::{Ended, LastWords, live};
use crate::rng::Rng;
use crate::settings::Settings;
use crate::world::World;
use shrike_core::codes::OrderState;
use shrike_core::units::Nanos;
use std::cell::RefCell;
use std::rc::Rc;

/// What is to be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Trading days.
    pub days: u64,
    /// What may strike.
    pub faults: Faults,
    /// Whether the history is kept, in words.
    pub trace: bool,
    /// What the counter lies about: no counter does.
    pub lie: Option<Lie>,
}

impl Plan {
    /// The trading days that so many simulated minutes are under a seed's settings: whole ones, at least one.
    pub fn days_of(seed: u64, minutes: u64) -> u64 {
        // Beside its trading a day has its auction, its break and its evening.
        minutes.saturating_mul(60).div_ceil(Settings::draw(seed).day_s + 15).max(1)
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule that was broken, if one was.
    pub failure: Option<Failure>,
    /// What struck, and what it met.
    pub coverage: Coverage,
    /// Every stroke, in order.
    pub struck: Vec<Stroke>,
    /// Orders sent.
    pub orders: u64,
    /// Processes and hosts that died.
    pub crashes: u64,
    /// Lives of the engine.
    pub lives: u64,
    /// Starts from a snapshot.
    pub snapshots: u64,
    /// The history, where it was kept.
    pub trace: String,
}

/// More lives than any run has that comes to its end.
const LIVES_MAX: u64 = 5_000;

/// Runs a plan.
pub fn simulate(plan: &Plan) -> Outcome {
    let settings = Settings::draw(plan.seed);
    let mut world = World::new(plan.seed, &settings, Dice::new(plan.seed, plan.faults.clone()));
    world.trace = plan.trace.then(String::new);
    world.nights_wanted = plan.days;
    world.counter.lie = plan.lie;
    let (world, last_words) = (Rc::new(RefCell::new(world)), LastWords::default());
    let mut chance = Rng::stream(plan.seed, 6);
    let mut crashes = 0;
    loop {
        let ended = live(&world, &settings, &mut chance, &last_words);
        let mut world = world.borrow_mut();
        if world.life > LIVES_MAX {
            let what = format!("{LIVES_MAX} lives, and {} nights", world.nights);
            world.fail("comes to an end", what);
        }
        if world.judge.failure.is_some() {
            break;
        }
        match ended {
            Ended::Broken | Ended::Stopped => {}
            Ended::Killed | Ended::Failed => {
                crashes += u64::from(ended == Ended::Killed);
                crash(&mut world, &last_words, ended);
            }
        }
        if world.nights >= plan.days {
            break;
        }
        // A host takes its time to come back: longer than the window of the order rate, which it forgets.
        let host_ms = if world.host_crashed { 1_100 } else { 0 };
        let down_ms = if world.evening { 5 } else { 5 + host_ms + chance.below(600) };
        let until = world.now.after(down_ms * Nanos::PER_MILLI);
        world.go_on(until);
    }
    let mut world = world.borrow_mut();
    if world.judge.failure.is_none() {
        world.verify(&settings);
    }
    Outcome {
        failure: world.judge.failure.take(),
        coverage: world.judge.coverage.clone(),
        struck: std::mem::take(&mut world.dice.struck),
        orders: world.judge.orders,
        crashes,
        lives: world.life,
        snapshots: world.judge.snapshots,
        trace: world.trace.take().unwrap_or_default(),
    }
}

/// The process is dead, and the host may be with it.
fn crash(world: &mut World, last_words: &LastWords, ended: Ended) {
    let host = (ended == Ended::Killed).then(|| world.dice.strikes(Fault::HostCrash)).flatten();
    let Some(mut chance) = host else { return world.disk.crash_process() };
    world.struck(Fault::HostCrash, 0);
    for &state in OrderState::ALL {
        if world.judge.dying.get(usize::from(state.code()) - 1) == Some(&true) {
            world.judge.coverage.met(Fault::HostCrash, state);
        }
    }
    world.disk.crash_host(&mut chance);
    world.host_crashed = true;
    // The window of the order rate passes while the host is down, whatever its clock says then.
    world.judge.recent.clear();
    // Numbers that went down with the host need not be risen above, and those that never reached the counter are nobody's.
    let arrived = world.counter.known().iter().filter(|known| known.who == Who::Engine).map(|known| known.sent.2);
    world.judge.used = arrived.chain(world.wire.under_way().map(|request| request.order_ref)).collect();
    world.judge.last_ref = 0;
    *last_words.borrow_mut() = None;
}
