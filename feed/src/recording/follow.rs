//! A journal as market data: what a recorder, an exchange or another engine took as market events, in its order, while
//! it is being written or afterwards. Flows out on the edge's thread; the journal's files are only read.

use shrike_core::event::{Event, MarketSlot, Seq, flags};
use shrike_core::units::Nanos;
use shrike_core::venue::{MarketFeed, Next};
use shrike_journal::{ReadError, Reader};
use std::path::{Path, PathBuf};

/// What the end of the journal means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtEnd {
    /// Its writer lives, or will again: wait for more.
    Follow,
    /// It is complete: the feed ends.
    Stop,
}

/// Market events of a journal, as its writer took them: what a stage forwarded of them (an output) is not given again.
/// `seq` of what it gives is the journal's own number: the follower's journal keeps it in
/// `cause`, which is where to go on after a restart.
#[derive(Debug)]
pub struct JournalFeed {
    dir: PathBuf,
    reader: Reader,
    at_end: AtEnd,
    slot: MarketSlot,
    ready: bool,
    clock: Nanos,
    others: u64,
    error: Option<ReadError>,
}

impl JournalFeed {
    /// Reads the journal in `dir` from behind the record `after` ([`Seq::ABSENT`]: from its start).
    ///
    /// # Errors
    /// When the directory or the journal before that place cannot be read.
    pub fn open(dir: &Path, after: Seq, at_end: AtEnd) -> Result<Self, ReadError> {
        let mut reader = Reader::open(dir)?;
        if !after.is_absent() {
            reader.seek(after.next())?;
        }
        Ok(Self {
            dir: dir.to_path_buf(),
            reader,
            at_end,
            slot: MarketSlot::default(),
            ready: false,
            clock: Nanos::ABSENT,
            others: 0,
            error: None,
        })
    }

    /// The directory of the journal.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Why reading stopped before the journal's end: the feed then gives nothing more. A record that a crash of its
    /// writer left unfinished is no such error; the feed waits until the writer has recovered.
    pub fn error(&self) -> Option<&ReadError> {
        self.error.as_ref()
    }

    /// Reads on until a market event stands in the slot.
    fn prepare(&mut self) {
        while !self.ready && self.error.is_none() {
            match self.reader.next() {
                Ok(Some(record)) => {
                    let header = record.header;
                    if !header.has(flags::OUTPUT)
                        && is_market(&record.event())
                        && self.slot.copy_from(header, record.body)
                    {
                        self.clock = self.clock.max(header.recv_ns);
                        let own = self.slot.header_mut();
                        own.flags &= flags::CONFLATED;
                        (own.taken_ns, own.cause, own.crc) = (Nanos::ABSENT, Seq::ABSENT, 0);
                        self.ready = true;
                    } else {
                        self.others += 1;
                    }
                }
                Ok(None) => return,
                Err(ReadError::Torn { .. }) if self.at_end == AtEnd::Follow => return,
                Err(failure) => self.error = Some(failure),
            }
        }
    }
}

/// Whether an event is the market's own: not what a stage made of it, nor of an account.
fn is_market(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::DepthTick(_)
            | Event::MarketTrade(_)
            | Event::Phase(_)
            | Event::InstrumentDef(_)
            | Event::Gap(_)
            | Event::Settlement(_)
    )
}

impl MarketFeed for JournalFeed {
    fn next(&mut self) -> Next {
        self.prepare();
        match self.at_end {
            _ if self.ready => Next::At(self.clock),
            AtEnd::Follow if self.error.is_none() => Next::Idle,
            _ => Next::End,
        }
    }

    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        self.prepare();
        if self.ready {
            *slot = self.slot;
        }
        std::mem::take(&mut self.ready)
    }

    fn skipped(&self) -> Vec<(&'static str, u64)> {
        if self.others == 0 { Vec::new() } else { vec![("not-market", self.others)] }
    }

    fn problems(&self) -> Vec<String> {
        self.error.iter().map(|error| format!("the journal in {}: {error}", self.dir.display())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_core::codes::StageId;
    use shrike_core::event::{Body, DepthTick, Header, Phase, TargetPosition};
    use shrike_journal::{Mapped, Writer, WriterOptions};

    fn append<B: Body>(writer: &mut Writer<Mapped>, body: &B, at: u64, flags: u32) -> Seq {
        let mut slot = MarketSlot::default();
        slot.put(body);
        let header: &mut Header = slot.header_mut();
        (header.recv_ns, header.taken_ns, header.flags) = (Nanos::new(at), Nanos::new(at + 7), flags);
        writer.append(&slot.header().to_owned(), slot.body()).unwrap()
    }

    #[test]
    fn a_follower_sees_the_market_events_of_a_growing_journal() {
        // Given an engine's journal with market data, an intent, a forwarded phase and a phase,
        let dir = tempfile::tempdir().unwrap();
        let options = WriterOptions::simulated(StageId::Signal, 1).with_segment_bytes(1 << 20);
        let (mut writer, _) = Writer::create_or_resume(dir.path(), options).unwrap();
        let first = append(&mut writer, &DepthTick::default(), 100, 0);
        append(&mut writer, &TargetPosition::default(), 100, flags::OUTPUT);
        append(&mut writer, &Phase::default(), 150, flags::OUTPUT);
        let third = append(&mut writer, &Phase::default(), 200, 0);
        let mut feed = JournalFeed::open(dir.path(), Seq::ABSENT, AtEnd::Follow).unwrap();
        let mut slot = MarketSlot::default();
        // when it is followed, then the market's events come with their times and the journal's numbers,
        assert_eq!(feed.next(), Next::At(Nanos::new(100)));
        assert!(feed.take(&mut slot));
        assert_eq!((slot.header().seq, slot.header().taken_ns), (first, Nanos::ABSENT));
        assert_eq!(slot.event(), Event::DepthTick(&DepthTick::default()));
        assert!(feed.take(&mut slot));
        assert_eq!((slot.header().seq, slot.header().recv_ns), (third, Nanos::new(200)));
        assert_eq!(feed.next(), Next::Idle);
        assert!(!feed.take(&mut slot));
        // and what is written later comes later.
        append(&mut writer, &DepthTick::default(), 300, 0);
        assert_eq!(feed.next(), Next::At(Nanos::new(300)));
        assert_eq!(feed.skipped(), [("not-market", 2)]);
        // A restarted follower goes on behind what it holds, and a finished journal ends.
        let mut again = JournalFeed::open(dir.path(), first, AtEnd::Stop).unwrap();
        assert_eq!(again.next(), Next::At(Nanos::new(200)));
        assert!(again.take(&mut slot) && again.take(&mut slot));
        assert_eq!(again.next(), Next::End);
        assert!(again.error().is_none());
    }
}
