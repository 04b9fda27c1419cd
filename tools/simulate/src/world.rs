//! The world around one engine: the market, the counter and the wire between, a person at a terminal, the operator, the
//! host's clock and disk. It has one time and one agenda, and takes one step at a time; everything in it is a function of
//! the seed and of what the engine sends. The engine's edge sees it as a feed and a gateway.

use crate::counter::{Counter, Word};
use crate::disk::{Disk, Fate, Written};
use crate::fault::{Dice, Fault};
use crate::judge::Judge;
use crate::market::{CONTRACTS, Market, Said};
use crate::rng::Rng;
use crate::settings::{Settings, rules};
use crate::wire::Wire;
use shrike_core::codes::{AlarmKind, CommandKind, StageId};
use shrike_core::event::{Alarm, Body, Command, Event, Gap, Header, MarketSlot, ReportSlot, Seq};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Money, Nanos, Text};
use shrike_core::venue::Gateway;
use shrike_feed::sim::exchange::{Exchange, ExchangeOptions};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

/// What is due at a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Act {
    /// The connection stands again; of this attempt.
    Connect(u32),
    /// The login is answered.
    Login(u32),
    /// The next question of the restatement is put.
    Query(u32),
    /// A question about one order arrives.
    Question(u32, usize),
    /// The hole in a contract's data ends.
    GapEnd(usize, u32),
    /// Chance has its turn.
    Beat,
    /// The disk takes everything again.
    DiskHeals,
    /// The ring is drained.
    Drained,
    /// The operator lets the engine trade again.
    Resume,
    /// The engine is told to stop.
    Stop(u64),
}

/// Chance has its turn so often while the market trades.
const BEAT_NS: u64 = 20 * Nanos::PER_MILLI;
const MS: u64 = Nanos::PER_MILLI;
/// More steps than any run takes that comes to its end.
const STEPS_MAX: u64 = 20_000_000;

/// The world of one run.
pub struct World {
    /// True time.
    pub now: Nanos,
    steps: u64,
    /// The host's clock less true time.
    skew: i64,
    pub(crate) market: Market,
    pub(crate) counter: Counter,
    pub(crate) wire: Wire,
    pub(crate) dice: Dice,
    pub(crate) judge: Judge,
    /// The home.
    pub disk: Disk,
    /// The fate of the process that lives.
    pub fate: Arc<Fate>,
    agenda: BinaryHeap<Reverse<(Nanos, u64, Act)>>,
    order: u64,
    feed: VecDeque<(Nanos, MarketSlot)>,
    said: Vec<Said>,
    pub(crate) words: Vec<Word>,
    /// By contract: the number of its hole in market data, and since when it is open.
    gaps: [(u32, Nanos); CONTRACTS],
    /// Nothing reaches the engine before.
    stalled_until: Nanos,
    /// Alarms of a full ring that the order stage is still to be told.
    pub(crate) overflow: VecDeque<bool>,
    commands: Vec<(Seq, Command)>,
    commands_read: usize,
    /// A process runs.
    pub(crate) alive: bool,
    /// Lives so far.
    pub(crate) life: u64,
    /// The engine is to be told to stop.
    pub(crate) stop: bool,
    /// Sends that the process may still make.
    pub(crate) sends_left: u64,
    /// Nights so far.
    pub nights: u64,
    evening_since: Nanos,
    /// Mornings after a night.
    mornings: u64,
    /// Nights after which the run is over.
    pub(crate) nights_wanted: u64,
    /// The host went down with the last process.
    pub(crate) host_crashed: bool,
    /// It is the evening: nothing strikes, and everything comes to rest.
    pub(crate) evening: bool,
    /// The books are to be compared now.
    pub(crate) compare: bool,
    rng: Rng,
    seed: u64,
    /// What happened, in words, where it is wanted.
    pub trace: Option<String>,
    pub(crate) records: Vec<Written>,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64, settings: &Settings, dice: Dice) -> Self {
        let mut options = ExchangeOptions::new(seed, rules());
        options.initial_balance = Money::whole(3_000_000);
        let disk = Disk::new();
        let mut world = Self {
            now: Nanos::ABSENT,
            steps: 0,
            skew: 0,
            market: Market::new(seed, settings.day_s, settings.tick_ms),
            counter: Counter::new(Exchange::new(options)),
            wire: Wire::new(seed),
            dice,
            judge: Judge::new(settings),
            fate: disk.new_fate(),
            disk,
            agenda: BinaryHeap::new(),
            order: 0,
            feed: VecDeque::new(),
            said: Vec::new(),
            words: Vec::new(),
            gaps: [(0, Nanos::ABSENT); CONTRACTS],
            stalled_until: Nanos::ABSENT,
            overflow: VecDeque::new(),
            commands: Vec::new(),
            commands_read: 0,
            alive: false,
            life: 0,
            stop: false,
            sends_left: u64::MAX,
            nights: 0,
            mornings: 0,
            evening_since: Nanos::ABSENT,
            nights_wanted: u64::MAX,
            host_crashed: false,
            evening: false,
            compare: false,
            rng: Rng::stream(seed, 3),
            seed,
            trace: None,
            records: Vec::new(),
        };
        let defs: Vec<_> = world.market.defs().collect();
        for def in &defs {
            world.counter.exchange.on_market(&Header::default(), def.into());
        }
        world.counter.set_rates();
        // A moment before the first auction.
        world.now = Nanos::new(world.market.next().get() - 50 * MS);
        world.plan(100 * MS, Act::Beat);
        world
    }

    // ---- time -----------------------------------------------------------------------------------------------------

    /// A moment on the host's clock.
    pub(crate) const fn on_host(&self, at: Nanos) -> Nanos {
        Nanos::new(at.get().saturating_add_signed(self.skew))
    }

    pub(crate) fn plan(&mut self, in_ns: u64, act: Act) {
        self.order += 1;
        self.agenda.push(Reverse((self.now.after(in_ns), self.order, act)));
    }

    fn held_back(&self, due: Nanos) -> Nanos {
        due.max(self.stalled_until)
    }

    /// When the world takes its next step.
    pub(crate) fn next(&self) -> Nanos {
        let agenda = self.agenda.peek().map_or(Nanos::new(u64::MAX), |Reverse((at, ..))| *at);
        let told = self.wire.next_told().map_or(Nanos::new(u64::MAX), |due| self.held_back(due));
        let sent = self.wire.next_sent().unwrap_or(Nanos::new(u64::MAX));
        agenda.min(told).min(sent).min(self.market.next())
    }

    /// When the engine's next market event is due.
    pub(crate) fn next_market(&self) -> Option<Nanos> {
        self.feed.front().map(|(due, _)| self.held_back(*due))
    }

    /// Takes one step; writes what the order stage is told into the slot, and says whether there is something.
    pub(crate) fn step(&mut self, slot: &mut ReportSlot) -> bool {
        let at = self.next();
        self.now = self.now.max(at);
        self.judge.clock = self.judge.clock.max(self.on_host(at));
        self.steps += 1;
        if self.steps > STEPS_MAX {
            self.fail("comes to an end", format!("{STEPS_MAX} steps in {} days", self.nights + 1));
        }
        if self.wire.next_told().is_some_and(|due| self.held_back(due) <= at) {
            return self.tell(slot);
        }
        if self.wire.next_sent().is_some_and(|due| due <= at) {
            self.arrive();
        } else if self.agenda.peek().is_some_and(|Reverse((due, ..))| *due <= at) {
            if let Some(Reverse((_, _, act))) = self.agenda.pop() {
                self.act(act);
            }
        } else {
            self.market_moves();
        }
        false
    }

    /// Hands the next market event to the engine.
    pub(crate) fn take_market(&mut self, slot: &mut MarketSlot) -> bool {
        let Some((due, next)) = self.feed.pop_front() else { return false };
        self.now = self.now.max(self.held_back(due));
        *slot = next;
        let at = self.on_host(self.now);
        slot.header_mut().recv_ns = at;
        self.judge.shown(at, &slot.event());
        true
    }

    /// Lets the world go on without an engine until a moment, or until the evening begins.
    pub(crate) fn go_on(&mut self, until: Nanos) {
        let mut nobody = ReportSlot::default();
        let evening = self.evening;
        while self.next() < until && self.evening == evening && self.judge.failure.is_none() {
            self.step(&mut nobody);
        }
        if self.evening == evening {
            self.now = self.now.max(until);
        }
    }

    // ---- the market -----------------------------------------------------------------------------------------------

    fn market_moves(&mut self) {
        let mut said = std::mem::take(&mut self.said);
        if self.evening && self.nights > self.mornings {
            // The night is over: the market's next word is the morning's.
            self.mornings = self.nights;
            (self.evening, self.dice.calm) = (false, false);
            self.plan(BEAT_NS, Act::Beat);
        }
        let strokes = self.dice.struck.len();
        self.market.step(&mut self.dice, &mut said);
        for at in strokes..self.dice.struck.len() {
            if let Some(&(fault, _)) = self.dice.struck.get(at) {
                self.struck(fault, 0);
            }
        }
        for said in said.drain(..) {
            let event = match &said {
                Said::Tick(tick) => Event::from(tick),
                Said::Phase(phase) => phase.into(),
                Said::Settlement(settlement) => settlement.into(),
                Said::Evening => {
                    self.begin_evening();
                    continue;
                }
                Said::Night => {
                    self.nights += 1;
                    self.compare = true;
                    self.stop = self.nights >= self.nights_wanted;
                    let nights = self.nights;
                    self.note(format_args!("night {nights}"));
                    continue;
                }
            };
            let header = Header { recv_ns: self.now, ..Header::default() };
            self.counter.exchange.on_market(&header, event);
            self.hear_counter();
            match said {
                Said::Tick(tick) => {
                    let contract = tick.instrument.index();
                    self.gap_opens(contract);
                    let hidden = self.gaps.get(contract).is_some_and(|(_, since)| !since.is_absent());
                    if hidden {
                        continue;
                    }
                    if self.dice.strikes(Fault::Conflate).is_some() {
                        self.struck(Fault::Conflate, 0);
                        continue;
                    }
                    self.show(&tick);
                }
                Said::Phase(phase) => self.show(&phase),
                Said::Settlement(settlement) => self.show(&settlement),
                Said::Evening | Said::Night => {}
            }
        }
        self.said = said;
    }

    /// The engine is shown a market event after its way.
    pub(crate) fn show<B: Body>(&mut self, body: &B) {
        if !self.alive {
            return;
        }
        let way_ns = 50_000 + self.rng.below(MS / 2);
        let last = self.feed.back().map_or(Nanos::ABSENT, |(due, _)| *due);
        let mut slot = MarketSlot::default();
        slot.put(body);
        self.feed.push_back((self.now.after(way_ns).max(last), slot));
    }

    fn gap_opens(&mut self, contract: usize) {
        let open = self.gaps.get(contract).is_some_and(|(_, since)| !since.is_absent());
        if open || !self.alive {
            return;
        }
        let Some(mut chance) = self.dice.strikes(Fault::Gap) else { return };
        self.struck(Fault::Gap, 0);
        let (now, day) = (self.now, self.market.day());
        let Some(gap) = self.gaps.get_mut(contract) else { return };
        *gap = (gap.0 + 1, now);
        let number = gap.0;
        self.show(&Gap {
            instrument: InstrumentId::new(contract as u32),
            trading_day: day,
            start_ns: now,
            end_ns: Nanos::ABSENT,
            ..Gap::default()
        });
        self.plan(100 * MS + chance.below(2_000 * MS), Act::GapEnd(contract, number));
    }

    fn gap_ends(&mut self, contract: usize, number: u32) {
        let (now, day) = (self.now, self.market.day());
        let Some(gap) = self.gaps.get_mut(contract) else { return };
        if gap.0 != number || gap.1.is_absent() {
            return;
        }
        let start_ns = std::mem::replace(&mut gap.1, Nanos::ABSENT);
        self.show(&Gap {
            instrument: InstrumentId::new(contract as u32),
            trading_day: day,
            start_ns,
            end_ns: now,
            ..Gap::default()
        });
    }

    // ---- the agenda -----------------------------------------------------------------------------------------------

    fn act(&mut self, act: Act) {
        match act {
            Act::Connect(attempt) => self.connect(attempt),
            Act::Login(attempt) => self.log_in(attempt),
            Act::Query(attempt) => self.query(attempt),
            Act::Question(attempt, at) => self.question(attempt, at),
            Act::GapEnd(contract, number) => self.gap_ends(contract, number),
            Act::Beat => self.beat(),
            Act::DiskHeals => {
                // A full journal halts the engine until the operator says otherwise.
                self.disk.heal();
                self.plan(100 * MS, Act::Resume);
            }
            Act::Drained => self.overflow.push_back(false),
            Act::Resume => self.command(CommandKind::Resume, 0),
            Act::Stop(life) => {
                // Late in the evening there is no time left to come to rest again.
                let late = self.evening && self.now.since(self.evening_since) > 8_200 * MS;
                if self.alive && self.life == life && !late {
                    self.stop = true;
                    self.note(format_args!("told to stop"));
                }
            }
        }
    }

    /// Chance has its turn.
    fn beat(&mut self) {
        if self.evening && self.nights > self.mornings {
            return;
        }
        self.plan(BEAT_NS, Act::Beat);
        if self.evening {
            // The edge looks at the commands now and then: something must happen for that.
            return;
        }
        if self.rng.once_in(3) {
            self.disk.sync();
        }
        if let Some(mut chance) = self.dice.strikes(Fault::Manual) {
            self.person(&mut chance);
        }
        if !self.alive {
            return;
        }
        if let Some(mut chance) = self.dice.strikes(Fault::Disconnect) {
            self.struck(Fault::Disconnect, 0);
            self.disconnect(&mut chance);
        }
        if let Some(mut chance) = self.dice.strikes(Fault::Operator) {
            self.struck(Fault::Operator, 0);
            let kind = chance.pick(CommandKind::ALL).unwrap_or(CommandKind::Resume);
            let late_ns = if chance.once_in(6) { 11_000 * MS } else { 0 };
            self.command(kind, late_ns);
            // What is not trading is soon traded again.
            self.plan(300 * MS + chance.below(2_000 * MS), Act::Resume);
        }
        if let Some(mut chance) = self.dice.strikes(Fault::ClockAhead) {
            self.struck(Fault::ClockAhead, 0);
            self.skew += chance.between(1, 5_000) * MS as i64;
        }
        if let Some(mut chance) = self.dice.strikes(Fault::ClockBack) {
            self.struck(Fault::ClockBack, 0);
            self.skew -= chance.between(1, 3_000) * MS as i64;
        }
        if let Some(mut chance) = self.dice.strikes(Fault::Stall) {
            self.struck(Fault::Stall, 0);
            self.stalled_until = self.now.after(20 * MS + chance.below(1_500 * MS));
        }
        if let Some(mut chance) = self.dice.strikes(Fault::Overflow) {
            self.struck(Fault::Overflow, 0);
            self.overflow.push_back(true);
            self.plan(10 * MS + chance.below(500 * MS), Act::Drained);
        }
        if let Some(mut chance) = self.dice.strikes(Fault::DiskFull) {
            self.struck(Fault::DiskFull, 0);
            self.disk.fill(Some(chance.below(3) as usize));
            self.plan(100 * MS + chance.below(3_000 * MS), Act::DiskHeals);
        }
        if let Some(mut chance) = self.dice.strikes(Fault::DiskError) {
            self.struck(Fault::DiskError, 0);
            self.disk.fail(chance.below(4), 1 + chance.below(6));
        }
    }

    /// Trading is over for the day: nothing strikes any more, what is broken is mended, and the engine logs in once more,
    /// so that it is told everything of the day.
    fn begin_evening(&mut self) {
        self.evening = true;
        self.evening_since = self.now;
        self.dice.calm = true;
        self.note(format_args!("evening"));
        self.disk.heal();
        self.fate.dies_after(u64::MAX);
        self.sends_left = u64::MAX;
        self.stalled_until = Nanos::ABSENT;
        for contract in 0..CONTRACTS {
            let number = self.gaps.get(contract).map_or(0, |gap| gap.0);
            self.gap_ends(contract, number);
        }
        if self.overflow.iter().filter(|over| **over).count() > 0 {
            self.overflow.push_back(false);
        }
        self.plan(20 * MS, Act::Resume);
        if self.alive {
            self.disconnect(&mut Rng::stream(self.seed, self.nights + 1_000));
        }
    }

    // ---- the operator ---------------------------------------------------------------------------------------------

    fn command(&mut self, kind: CommandKind, late_ns: u64) {
        let written = Nanos::new(self.now.get().saturating_sub(late_ns));
        self.note(format_args!("operator: {kind}"));
        let seq = Seq::new(StageId::Commands, 0, self.commands.len() as u64 + 1);
        let command = Command {
            who: Text::new(b"operator").unwrap_or_default(),
            written_ns: written,
            instrument: InstrumentId::NONE,
            kind: kind.code(),
            ..Command::default()
        };
        self.commands.push((seq, command));
    }

    /// The next command that is written, and its age.
    pub(crate) fn next_command(&mut self) -> Option<(Seq, Command, u64)> {
        let &(seq, command) = self.commands.get(self.commands_read)?;
        self.commands_read += 1;
        Some((seq, command, self.now.since(command.written_ns)))
    }

    // ---- the process ----------------------------------------------------------------------------------------------

    /// A process starts: the feed tells what there is, and the connection is made.
    pub(crate) fn process_starts(&mut self) {
        self.alive = true;
        self.life += 1;
        self.stop = false;
        self.commands_read = 0;
        self.feed.clear();
        self.overflow.clear();
        self.judge.new_process();
        for gap in &mut self.gaps {
            gap.1 = Nanos::ABSENT;
        }
        self.stalled_until = Nanos::ABSENT;
        let life = self.life;
        self.note(format_args!("life {life} begins"));
        let (defs, phases): (Vec<_>, Vec<_>) = (self.market.defs().collect(), self.market.phases().collect());
        defs.iter().for_each(|def| self.show(def));
        if !self.market.day().is_absent() {
            phases.iter().for_each(|phase| self.show(phase));
            let standing: Vec<_> = self.market.standing().collect();
            for (shown, settled) in &standing {
                shown.iter().for_each(|tick| self.show(tick));
                settled.iter().for_each(|settlement| self.show(settlement));
            }
        }
        let in_ns = 5 * MS + self.rng.below(200 * MS);
        self.reconnect(in_ns);
    }

    /// The process is gone.
    pub(crate) fn process_ends(&mut self) {
        self.alive = false;
        self.feed.clear();
        self.cut_wire(&mut Rng::stream(self.seed, 77 + self.life));
        let life = self.life;
        self.note(format_args!("life {life} ends"));
    }

    /// The alarm of a ring that runs over, or is drained, if one is due.
    pub(crate) fn overflow_alarm(&mut self) -> Option<ReportSlot> {
        let over = self.overflow.pop_front()?;
        self.judge.overflowing = over;
        let mut slot = ReportSlot::default();
        slot.put(&Alarm {
            instrument: InstrumentId::NONE,
            value: i64::from(over),
            kind: AlarmKind::RingOverflow.code(),
            cleared: u8::from(!over),
            ..Alarm::default()
        });
        slot.header_mut().recv_ns = self.on_host(self.now);
        Some(slot)
    }

    // ---- what is kept of it ---------------------------------------------------------------------------------------

    /// A fault struck; `number`: the order at the exchange that it is about, or zero.
    pub(crate) fn struck(&mut self, fault: Fault, number: u64) {
        let order = self.counter.order(number).filter(|known| known.who == crate::counter::Who::Engine);
        let order_ref = order.map_or(0, |known| known.sent.2);
        self.judge.struck(fault, order_ref, self.alive);
        if self.trace.is_some() {
            self.note(format_args!(
                "FAULT {fault}{}",
                if order_ref == 0 { String::new() } else { format!(" on order {order_ref}") }
            ));
        }
    }

    /// Writes a line of the history.
    pub(crate) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            let _ = writeln!(trace, "{now:.6}  {what}");
        }
    }

    /// Orders that the engine sent, over all days.
    pub fn orders_sent(&self) -> u64 {
        self.judge.orders
    }
}
