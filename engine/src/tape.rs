//! A journal in memory, for tests of stages.

use crate::stage::{Log, Stage};
use shrike_core::codes::StageId;
use shrike_core::event::{Header, MarketSlot, Seq};
use std::convert::Infallible;

/// Records in the order they were taken.
#[derive(Clone)]
pub struct Tape {
    next: Seq,
    /// The records.
    pub records: Vec<MarketSlot>,
}

impl Tape {
    /// An empty journal of a stage.
    pub fn new(stage: StageId) -> Self {
        Self { next: Seq::new(stage, 0, 1), records: Vec::new() }
    }

    /// Folds the records as recovery does.
    pub fn fold(&self, stage: &mut impl Stage) {
        self.records.iter().for_each(|record| stage.apply(record.header(), record.event()));
    }
}

impl Log for Tape {
    type Error = Infallible;

    fn append(&mut self, header: &Header, body: &[u8]) -> Result<Seq, Infallible> {
        let mut slot = MarketSlot::default();
        assert!(slot.copy_from(&Header { len: (Header::SIZE + body.len()) as u32, ..*header }, body));
        slot.header_mut().seq = self.next;
        self.next = self.next.next();
        self.records.push(slot);
        Ok(slot.header().seq)
    }
}
