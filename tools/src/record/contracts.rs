//! The contracts of a recorder's home: which id stands for which symbol, for ever; and what the journal held at a start.

use shrike_core::event::{Event, InstrumentDef, Kind, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Text, TradingDay};
use shrike_journal::format::HEADER_PAGE;
use shrike_journal::{Directory, Position, ReadError, Reader, Segments};
use std::collections::HashMap;
use std::path::Path;

/// Ids of the home, and those of the source that stand for the same contracts.
#[derive(Clone, Debug, Default)]
pub(super) struct Contracts {
    defs: Vec<InstrumentDef>,
    by_symbol: HashMap<(u8, Text<40>), InstrumentId>,
    of_source: Vec<Option<InstrumentId>>,
}

impl Contracts {
    /// The id of a contract that a source announces, the next free one where the home has none. True when the home does
    /// not hold this definition yet.
    pub(super) fn announce(&mut self, def: &InstrumentDef) -> (InstrumentDef, bool) {
        let next = InstrumentId::new(self.defs.len() as u32);
        let id = *self.by_symbol.entry((def.exchange, def.symbol)).or_insert(next);
        self.map(def.instrument, Some(id));
        let own = InstrumentDef { instrument: id, ..*def };
        match self.defs.get_mut(id.index()) {
            Some(held) if *held == own => (own, false),
            Some(held) => {
                *held = own;
                (own, true)
            }
            None => {
                self.defs.push(own);
                (own, true)
            }
        }
    }

    /// The source announces a contract that is not recorded.
    pub(super) fn ignore(&mut self, source: InstrumentId) {
        self.map(source, None);
    }

    fn map(&mut self, source: InstrumentId, id: Option<InstrumentId>) {
        // A stray id must not ask for the memory of four billion rows.
        if source.index() < self.of_source.len() + (1 << 16) {
            if self.of_source.len() <= source.index() {
                self.of_source.resize(source.index() + 1, None);
            }
            if let Some(place) = self.of_source.get_mut(source.index()) {
                *place = id;
            }
        }
    }

    /// The home's id of a source's contract; `None` when it is not recorded.
    #[inline]
    pub(super) fn of_source(&self, source: InstrumentId) -> Option<InstrumentId> {
        self.of_source.get(source.index()).copied().flatten()
    }

    /// Every contract of the home, by id.
    pub(super) fn defs(&self) -> &[InstrumentDef] {
        &self.defs
    }

    /// How many contracts the home knows.
    pub(super) fn len(&self) -> usize {
        self.defs.len()
    }

    /// A definition that the journal holds.
    fn hold(&mut self, def: &InstrumentDef) {
        self.by_symbol.insert((def.exchange, def.symbol), def.instrument);
        match self.defs.get_mut(def.instrument.index()) {
            Some(held) => *held = *def,
            None => self.defs.push(*def),
        }
    }
}

/// What the journal held at a start.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) contracts: Contracts,
    pub(super) records: u64,
    /// The latest event of the source that it holds.
    pub(super) last_source: Seq,
    pub(super) recv_ns: Nanos,
    pub(super) taken_ns: Nanos,
    pub(super) trading_day: TradingDay,
    pub(super) starts: u32,
    /// Whether it ends with an orderly end.
    pub(super) clean: bool,
}

impl Held {
    /// Reads the journal in `dir`, from the beginning of the last run that heard its source: each run begins a segment, and
    /// says first what the home knows. So what is older may have been moved away.
    pub(super) fn read(dir: &Path) -> Result<Self, ReadError> {
        let mut reader = Reader::open(dir)?;
        let segments = Directory::open(dir).and_then(|mut place| place.indices());
        let segments = segments.map_err(|source| ReadError::Io { file: dir.to_path_buf(), source })?;
        let mut held = Self::default();
        for &segment in segments.iter().rev() {
            let start = Position { segment, offset: HEADER_PAGE };
            reader.go_on(start, Seq::ABSENT);
            if !reader.next()?.is_some_and(|first| matches!(first.event(), Event::Config(_))) {
                continue;
            }
            reader.go_on(start, Seq::ABSENT);
            held = Self::fold(&mut reader)?;
            if !held.last_source.is_absent() {
                break;
            }
        }
        Ok(held)
    }

    fn fold(reader: &mut Reader) -> Result<Self, ReadError> {
        let mut held = Self::default();
        while let Some(record) = reader.next()? {
            let header = record.header;
            debug_assert!(!header.has(flags::OUTPUT), "a recorder decides nothing");
            held.records += 1;
            held.last_source = held.last_source.max(header.cause);
            held.recv_ns = held.recv_ns.max(header.recv_ns);
            held.taken_ns = held.taken_ns.max(header.taken_ns);
            held.clean = header.kind == Kind::RunEnd as u16;
            match record.event() {
                Event::InstrumentDef(def) => held.contracts.hold(def),
                Event::RunStart(start) => held.starts = start.start + 1,
                Event::DepthTick(tick) => held.trading_day = tick.trading_day,
                Event::Phase(phase) => held.trading_day = phase.trading_day,
                _ => {}
            }
        }
        Ok(held)
    }
}
