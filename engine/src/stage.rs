//! What a stage is, and the one loop that runs it: journal the input, fold it, then decide, journal, publish and fold
//! outputs one at a time until the stage is at rest. Live, recovery and verification differ only in the [`Log`] behind it.
#![deny(clippy::float_arithmetic)]

use crate::witness::{At, Witness};
use shrike_core::codes::AlarmKind;
use shrike_core::event::{Alarm, Event, Header, Seq, StageSlot, flags};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::Nanos;

/// Outputs of a stage: bodies up to 208 bytes.
pub type OutSlot = StageSlot;

/// Most outputs of one input. A stage that wants more is cut here, counted and alarmed: it must come to rest.
pub const OUTPUTS_MAX: usize = 4_096;

/// A pure state machine. No clock, no I/O, no randomness, no allocation once warm; time is in the event.
pub trait Stage {
    /// Folds a fact: an input, or an output that was journaled ([`flags::OUTPUT`]). Never decides. An input ends
    /// whatever was still to be decided of the one before.
    fn apply(&mut self, header: &Header, event: Event<'_>);

    /// The next output that the last input leads to, written by [`Slot::put`]; false at rest. Decides from folded state
    /// alone; the output is folded by [`Self::apply`] before the next call.
    fn decide(&mut self, out: &mut OutSlot) -> bool;
}

/// Where records go: a journal's writer, or a comparison with one.
pub trait Log {
    /// Why a record is not taken.
    type Error;

    /// Takes a record and numbers it. The header's `len`, `crc` and `seq` are the log's to fill in.
    fn append(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Self::Error>;
}

/// A stage with its log.
pub struct Driver<S, L> {
    /// The stage.
    pub stage: S,
    /// Its journal.
    pub log: L,
    /// Inputs and outputs since the start.
    pub counts: Counts,
    taken_ns: Nanos,
    out: Box<OutSlot>,
    at: At,
}

/// What a driver did since its start.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    /// Inputs taken.
    pub inputs: u64,
    /// Outputs given.
    pub outputs: u64,
}

impl<S: Stage, L: Log> Driver<S, L> {
    /// A stage whose journal's last record was taken at `taken_ns`.
    pub fn new(stage: S, log: L, taken_ns: Nanos) -> Self {
        Self { stage, log, counts: Counts::default(), taken_ns, out: Box::default(), at: At::new(&Witness::default()) }
    }

    /// With a witness of what it is at when it panics.
    #[must_use]
    pub fn seen_by(self, witness: &Witness) -> Self {
        Self { at: At::new(witness), ..self }
    }

    /// Takes an input at time `now`: journals it, then journals and gives to `publish` every output it leads to.
    /// The header is the producer's: its `seq` becomes the record's `cause`.
    ///
    /// # Errors
    /// When the journal has no room: nothing from the failed record on was applied or published.
    #[inline]
    pub fn take(
        &mut self,
        now: Nanos,
        producer: &Header,
        event: Event<'_>,
        mut publish: impl FnMut(&OutSlot),
    ) -> Result<(), L::Error> {
        self.taken_ns = self.taken_ns.max(now);
        let mut header = Header {
            kind: producer.kind,
            version: producer.version,
            flags: producer.flags & !flags::OUTPUT,
            recv_ns: producer.recv_ns,
            taken_ns: self.taken_ns,
            cause: producer.seq,
            ..Header::default()
        };
        header.seq = self.log.append(&header, event.bytes())?;
        self.counts.inputs += 1;
        self.at.begin(header.seq, header.kind);
        self.stage.apply(&header, event);
        for _ in 0..OUTPUTS_MAX {
            if !self.stage.decide(&mut self.out) {
                self.at.end();
                return Ok(());
            }
            self.record(&header, &mut publish)?;
        }
        self.out.put(&Alarm { kind: AlarmKind::DecisionBound.code(), value: OUTPUTS_MAX as i64, ..Alarm::default() });
        self.record(&header, &mut publish)?;
        self.at.end();
        Ok(())
    }

    /// Journals the output in `self.out`, publishes it, and folds it last: an order waits for its record, not for the books.
    #[inline]
    fn record(&mut self, input: &Header, publish: &mut impl FnMut(&OutSlot)) -> Result<(), L::Error> {
        if seeded::on(Bug::SendBeforeJournal) {
            publish(&self.out);
        }
        let header = self.out.header_mut();
        header.flags = flags::OUTPUT | input.flags & flags::CATCHUP;
        header.recv_ns = input.recv_ns;
        header.taken_ns = input.taken_ns;
        header.cause = input.seq;
        let seq = self.log.append(self.out.header(), self.out.body())?;
        self.out.header_mut().seq = seq;
        if !seeded::on(Bug::SendBeforeJournal) {
            publish(&self.out);
        }
        self.counts.outputs += 1;
        self.stage.apply(self.out.header(), self.out.event());
        Ok(())
    }

    /// Latest `taken_ns`: time never goes back within a journal.
    pub const fn taken_ns(&self) -> Nanos {
        self.taken_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_core::codes::StageId;
    use shrike_core::event::{Kind, TimerRequest};
    use std::cell::RefCell;
    use std::convert::Infallible;
    use std::rc::Rc;

    /// Everything that is done, in its order.
    type Done = Rc<RefCell<Vec<&'static str>>>;

    /// Asks for two timers at each input.
    struct Asks(Done, u32);

    impl Stage for Asks {
        fn apply(&mut self, header: &Header, _: Event<'_>) {
            let output = header.has(flags::OUTPUT);
            self.0.borrow_mut().push(if output { "fold output" } else { "fold input" });
            self.1 = if output { self.1 - 1 } else { 2 };
        }

        fn decide(&mut self, out: &mut OutSlot) -> bool {
            out.put(&TimerRequest::default());
            self.1 > 0
        }
    }

    impl Log for Done {
        type Error = Infallible;

        fn append(&mut self, header: &Header, _: &[u8]) -> Result<Seq, Infallible> {
            self.borrow_mut().push(if header.has(flags::OUTPUT) { "journal output" } else { "journal input" });
            Ok(Seq::new(StageId::Order, 0, 1))
        }
    }

    #[test]
    fn an_output_is_published_once_it_is_journaled_and_before_it_is_folded() {
        let done = Done::default();
        let mut driver = Driver::new(Asks(done.clone(), 0), done.clone(), Nanos::ABSENT);
        let input = Header { kind: Kind::Config as u16, ..Header::default() };
        let Ok(()) = driver.take(Nanos::new(1), &input, Event::Config(&[]), |out| {
            assert!(!out.header().seq.is_absent(), "who takes it must be able to name it");
            done.borrow_mut().push("publish");
        });
        let output = ["journal output", "publish", "fold output"];
        assert_eq!(*done.borrow(), [&["journal input", "fold input"][..], &output, &output].concat());
    }
}
