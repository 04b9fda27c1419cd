//! The edge in lockstep: one event at a time, the earliest of the venue's reports, the timers and the market. Event n+1 is
//! released after every stage has reported n and all its consequences done, so every topology gives the same orders,
//! fills and money. Runs on the thread that calls [`Edge::run`].

use super::stages::{Stages, Stopped};
use shrike_core::clock::{Clock, ScaledTime, SimTime, Tsc};
use shrike_core::codes::{CommandKind, StageId};
use shrike_core::event::{Command, Event, Header, MarketSlot, ReportSlot, RequestSlot, Seq, Timer, flags};
use shrike_core::thread::{Waiter, Waiting};
use shrike_core::units::{Nanos, Text};
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::Reader;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How fast recorded time passes.
#[derive(Clone, Debug)]
pub enum Pace {
    /// As fast as the stages follow.
    Max(Arc<SimTime>),
    /// At a multiple of real speed; pauses longer than `skip_ns` are skipped.
    Scaled {
        /// The time.
        time: ScaledTime,
        /// Longest pause that is waited out, in recorded time.
        skip_ns: u64,
    },
    /// The host's: events come as they happen.
    Live {
        /// The time.
        time: Tsc,
        /// How the edge waits while nothing comes.
        waiting: Waiting,
    },
}

impl Pace {
    /// The clock that the stages read.
    pub fn clock(&self) -> Clock {
        match self {
            Self::Max(time) => Clock::Simulated(time.clone()),
            Self::Scaled { time, .. } => Clock::Scaled(time.clone()),
            Self::Live { time, .. } => Clock::Wall(time.clone()),
        }
    }

    const fn waiting(&self) -> Waiting {
        match self {
            Self::Max(_) | Self::Scaled { .. } => Waiting::BACK_OFF,
            Self::Live { waiting, .. } => *waiting,
        }
    }

    /// Moves time on to `at`. False when real time has not come there yet: where events are played it waits 20 ms at most,
    /// so that the caller may look at other things meanwhile; live it does not wait.
    pub fn wait_until(&self, at: Nanos) -> bool {
        match self {
            Self::Max(time) => time.advance_to(at),
            Self::Scaled { time, skip_ns } => {
                if at.since(time.now()) > *skip_ns {
                    time.jump_to(at);
                }
                let left_ns = time.real_ns_until(at);
                if left_ns > 2 * Nanos::PER_MILLI {
                    std::thread::park_timeout(std::time::Duration::from_nanos(left_ns.min(20 * Nanos::PER_MILLI)));
                }
                return time.real_ns_until(at) == 0;
            }
            Self::Live { time, .. } => return time.now() >= at,
        }
        true
    }

    /// `at` has come, whatever the clock thought: another process saw it. Time goes on to it at once.
    pub fn has_come(&self, at: Nanos) {
        match self {
            Self::Max(time) => time.advance_to(at),
            Self::Scaled { time, .. } => time.jump_to(at),
            Self::Live { .. } => {}
        }
    }
}

/// Why the edge ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EdgeEnd {
    /// The market ended, and nothing was left to do.
    MarketEnded,
    /// It was told to stop (a signal or command), and the stop policy is carried out.
    Told,
    /// It stopped, but orders that the policy cancels still lived when the patience ended.
    OrdersLeft,
    /// A journal has no room: all was cancelled, and the market after that was not taken.
    NoRoom,
}

/// How long, in engine time, a stop waits for the last cancels.
const STOP_PATIENCE_NS: u64 = 30 * Nanos::PER_SECOND;
/// How often an ending engine looks for the venue's answers, some seconds in all, before it gives up.
const STOP_IDLE_MAX: u32 = 50_000;
/// How many events pass between looks at the command journal.
const COMMANDS_EVERY: u32 = 64;

/// Where the operator's commands come from.
pub trait Commands {
    /// The next command that is written: its number, itself, and its age in nanoseconds. The same one may come again.
    fn next(&mut self) -> Option<(Seq, Command, u64)>;
}

/// The journal that `shrike ctl` writes.
pub struct CommandJournal(pub Reader);

impl Commands for CommandJournal {
    fn next(&mut self) -> Option<(Seq, Command, u64)> {
        while let Ok(Some(record)) = self.0.next() {
            if let Event::Command(command) = record.event() {
                return Some((record.header.seq, *command, real_now().since(command.written_ns)));
            }
        }
        None
    }
}

/// The edge of one run.
pub struct Edge<'a> {
    /// The market.
    pub feed: &'a mut dyn MarketFeed,
    /// The venue.
    pub gateway: &'a mut dyn Gateway,
    /// How time passes.
    pub pace: Pace,
    /// Set by SIGINT and SIGTERM.
    pub told: &'a AtomicBool,
    /// The operator's commands, and the number of the last one taken.
    pub commands: Option<(&'a mut dyn Commands, u64)>,
    /// Events received before this are taken with intents suppressed.
    pub catchup_before: Nanos,
    /// Ends after this many trading days; zero: never.
    pub days: u32,
    /// Called now and then with the market's time and how many events were released.
    pub progress: &'a mut dyn FnMut(Nanos, u64),
    /// Numbers of the next events from the feed and the gateway.
    pub next_feed: Seq,
    /// As `next_feed`.
    pub next_gateway: Seq,
    /// The wanted days are over: the market counts as ended.
    pub market_over: bool,
    /// Timers asked for so far.
    pub timers_asked: u64,
}

/// Timers that were asked for: due time, order of asking, token.
type Timers = BinaryHeap<Reverse<(Nanos, u64, u64)>>;

enum Source {
    Gateway,
    Timer,
    Feed,
}

impl Edge<'_> {
    /// Releases events until the market ends or the engine is told to stop. `requests` are those of the start.
    ///
    /// # Errors
    /// When a stage has stopped.
    pub fn run(&mut self, stages: &mut impl Stages, requests: &[RequestSlot]) -> Result<EdgeEnd, Stopped> {
        let (mut market, mut report) = (Box::<MarketSlot>::default(), Box::<ReportSlot>::default());
        let mut timers = Timers::new();
        let mut waiter = Waiter::new(self.pace.waiting());
        let (mut released, mut stop): (u64, Option<(EdgeEnd, Nanos)>) = (0, None);
        let mut days = Days::default();
        let mut idle = 0u32;
        for slot in requests {
            self.request(slot, &mut timers);
        }
        self.settle(stages, &mut timers)?;
        loop {
            if stop.is_none() && self.told.load(Ordering::Relaxed) {
                stop = Some((EdgeEnd::Told, self.tell_to_stop(stages, &mut timers)?));
            }
            if stop.is_none() && stages.status().no_room {
                stop = Some((EdgeEnd::NoRoom, self.tell_to_stop(stages, &mut timers)?));
            }
            if released.is_multiple_of(u64::from(COMMANDS_EVERY)) {
                self.take_commands(stages, &mut timers)?;
            }
            if stages.status().may_stop {
                return Ok(stop.map_or(EdgeEnd::Told, |(end, _)| end));
            }
            let Some((at, source)) = self.earliest(&timers) else {
                match stop {
                    // Answers of another process may still be on their way.
                    Some(_) if self.gateway.next() == Next::Idle && idle < STOP_IDLE_MAX => {
                        idle += 1;
                        waiter.idle();
                    }
                    Some(_) => return Ok(EdgeEnd::OrdersLeft),
                    None if self.market_next() == Next::End => {
                        stop = Some((EdgeEnd::MarketEnded, self.tell_to_stop(stages, &mut timers)?));
                    }
                    None => {
                        self.take_commands(stages, &mut timers)?;
                        waiter.idle();
                    }
                }
                continue;
            };
            if stop.is_some_and(|(_, since)| at.since(since) > STOP_PATIENCE_NS) {
                return Ok(EdgeEnd::OrdersLeft);
            }
            if !self.pace.wait_until(at) {
                self.take_commands(stages, &mut timers)?;
                if matches!(self.pace, Pace::Live { .. }) {
                    waiter.idle();
                }
                continue;
            }
            waiter.after(1);
            idle = 0;
            match source {
                Source::Gateway => {
                    *report.header_mut() = Header::default();
                    if self.gateway.take(&mut report) {
                        self.next_gateway = number(report.header_mut(), self.next_gateway);
                        stages.report(&report, &mut |slot| self.request(slot, &mut timers))?;
                    }
                }
                Source::Timer => {
                    if let Some(Reverse((due_ns, _, token))) = timers.pop() {
                        report.put(&Timer { token, due_ns, ..Timer::default() });
                        // A timer is nobody's event: it has no number, so the gateway's count its reports.
                        *report.header_mut() = Header { recv_ns: due_ns, ..bare(report.header()) };
                        stages.report(&report, &mut |slot| self.request(slot, &mut timers))?;
                    }
                }
                Source::Feed => {
                    *market.header_mut() = Header::default();
                    if self.feed.take(&mut market) {
                        if self.days > 0 && days.began(&market) > self.days {
                            self.market_over = true;
                            continue;
                        }
                        self.next_feed = number(market.header_mut(), self.next_feed);
                        if market.header().recv_ns < self.catchup_before {
                            market.header_mut().flags |= flags::CATCHUP;
                        }
                        self.gateway.on_market(market.header(), market.event());
                        stages.market(&market, &mut |slot| self.request(slot, &mut timers))?;
                    }
                }
            }
            self.settle(stages, &mut timers)?;
            released += 1;
            if released.is_multiple_of(4_096) {
                (self.progress)(at, released);
            }
        }
    }

    /// The earliest event; the gateway first on a tie, then timers. None when nothing is known to come.
    fn earliest(&mut self, timers: &Timers) -> Option<(Nanos, Source)> {
        let (gateway, market) = (self.gateway.next(), self.market_next());
        let mut best = match gateway {
            Next::At(at) => Some((at, Source::Gateway)),
            Next::Idle | Next::End => None,
        };
        if let Next::At(at) = market
            && best.as_ref().is_none_or(|(earliest, _)| at < *earliest)
        {
            best = Some((at, Source::Feed));
        }
        // Where time is that of the events, a timer waits for one that is later: a source that is idle for a moment,
        // another process's, may still tell of an earlier one.
        let alone = !matches!(self.pace, Pace::Max(_)) || gateway == Next::End && market == Next::End;
        if let Some(Reverse((due, _, _))) = timers.peek()
            && match &best {
                Some((at, Source::Gateway)) => due < at,
                Some((at, _)) => due <= at,
                None => alone,
            }
        {
            best = Some((*due, Source::Timer));
        }
        best
    }

    /// What the market has next; nothing once the wanted days are over.
    fn market_next(&mut self) -> Next {
        if self.market_over { Next::End } else { self.feed.next() }
    }

    fn settle(&mut self, stages: &mut impl Stages, timers: &mut Timers) -> Result<(), Stopped> {
        stages.settle(&mut |slot: &RequestSlot| self.request(slot, timers))
    }

    /// Sends a request to the venue, or keeps a timer.
    fn request(&mut self, slot: &RequestSlot, timers: &mut Timers) {
        match slot.event() {
            Event::TimerRequest(timer) => {
                self.timers_asked += 1;
                timers.push(Reverse((timer.due_ns, self.timers_asked, timer.token)));
            }
            event => self.gateway.request(self.pace.clock().now(), slot.header(), event),
        }
    }

    /// Gives the order stage the operator's new commands.
    fn take_commands(&mut self, stages: &mut impl Stages, timers: &mut Timers) -> Result<(), Stopped> {
        let mut slot = ReportSlot::default();
        let now = self.pace.clock().now();
        while let Some((commands, last)) = &mut self.commands {
            let Some((seq, command, age_ns)) = commands.next() else { break };
            if seq.n() <= *last {
                continue;
            }
            *last = seq.n();
            // The stage judges the age on its own clock, which in simulated time is not the operator's.
            slot.put(&Command { written_ns: Nanos::new(now.get().saturating_sub(age_ns)), ..command });
            *slot.header_mut() = Header { seq, recv_ns: now, ..bare(slot.header()) };
            stages.report(&slot, &mut |slot| self.request(slot, timers))?;
            self.settle(stages, timers)?;
        }
        Ok(())
    }

    /// Gives the order stage a stop command; the time it was given.
    fn tell_to_stop(&mut self, stages: &mut impl Stages, timers: &mut Timers) -> Result<Nanos, Stopped> {
        let now = self.pace.clock().now();
        let mut slot = ReportSlot::default();
        slot.put(&Command {
            who: Text::new(b"engine").unwrap_or_default(),
            why: Text::new(b"end of the run").unwrap_or_default(),
            written_ns: now,
            instrument: shrike_core::instrument::InstrumentId::NONE,
            kind: CommandKind::Stop.code(),
            ..Command::default()
        });
        slot.header_mut().recv_ns = now;
        stages.report(&slot, &mut |slot| self.request(slot, timers))?;
        self.settle(stages, timers)?;
        Ok(now)
    }
}

/// What `put` wrote of a header, and nothing of the event before.
fn bare(header: &Header) -> Header {
    Header { len: header.len, kind: header.kind, version: header.version, ..Header::default() }
}

/// Numbers an event that its source left unnumbered; the next free number.
#[inline]
fn number(header: &mut Header, next: Seq) -> Seq {
    if header.seq.is_absent() {
        header.seq = next;
        next.next()
    } else {
        next
    }
}

#[allow(clippy::disallowed_types, reason = "commands carry the time of the wall")]
fn real_now() -> Nanos {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Nanos::new(elapsed.map_or(0, |elapsed| u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)))
}

/// Counts the trading days that a market began.
#[derive(Default)]
struct Days {
    last: u32,
    count: u32,
}

impl Days {
    fn began(&mut self, slot: &MarketSlot) -> u32 {
        let day = match slot.event() {
            Event::DepthTick(tick) => tick.trading_day.get(),
            Event::Phase(phase) => phase.trading_day.get(),
            _ => return self.count,
        };
        if day > self.last {
            self.last = day;
            self.count += 1;
        }
        self.count
    }
}

/// The first numbers of a home's edge: stage, epoch 0, n 1.
pub fn first(stage: StageId) -> Seq {
    Seq::new(stage, 0, 1)
}
