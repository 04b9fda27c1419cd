//! Names for people: the symbol of each instrument, learned from the journal's own definitions, and records kept for
//! later.

use shrike_core::event::{Event, Header};
use shrike_core::instrument::InstrumentId;
use shrike_journal::{ReadError, Reader, Record};
use std::borrow::Cow;
use std::path::Path;

/// Symbols by instrument.
#[derive(Clone, Default, Debug)]
pub struct Names {
    symbols: Vec<String>,
}

impl Names {
    /// The names that a journal gives.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_journal(dir: &Path) -> Result<Self, ReadError> {
        let mut names = Self::default();
        let mut reader = Reader::open(dir)?;
        while let Some(record) = reader.next()? {
            names.learn(record.event());
        }
        Ok(names)
    }

    /// Takes the symbol of a definition; other events change nothing.
    #[inline]
    pub fn learn(&mut self, event: Event<'_>) {
        if let Event::InstrumentDef(def) = event
            && def.instrument != InstrumentId::NONE
        {
            let index = def.instrument.index();
            if self.symbols.len() <= index {
                self.symbols.resize(index + 1, String::new());
            }
            if let Some(symbol) = self.symbols.get_mut(index) {
                *symbol = String::from_utf8_lossy(def.symbol.as_bytes()).into_owned();
            }
        }
    }

    /// The symbol, or `#id` when the instrument was never defined; `-` for none.
    pub fn symbol(&self, instrument: InstrumentId) -> Cow<'_, str> {
        match self.symbols.get(instrument.index()) {
            Some(symbol) if !symbol.is_empty() => Cow::Borrowed(symbol),
            _ => Cow::Owned(instrument.to_string()),
        }
    }
}

/// A record that outlives its journal's pages.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The header.
    pub header: Header,
    /// The body, aligned as bodies lie in journals.
    words: Vec<u128>,
    bytes: usize,
}

impl Kept {
    /// A copy of a record.
    pub fn new(header: &Header, body: &[u8]) -> Self {
        let mut words = vec![0u128; body.len().div_ceil(size_of::<u128>())];
        if let Some(room) = bytemuck::cast_slice_mut::<u128, u8>(&mut words).get_mut(..body.len()) {
            room.copy_from_slice(body);
        }
        Self { header: *header, words, bytes: body.len() }
    }

    /// The event, typed.
    pub fn event(&self) -> Event<'_> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.words);
        Event::read(self.header.kind, bytes.get(..self.bytes).unwrap_or(&[]))
    }
}

impl From<&Record<'_>> for Kept {
    fn from(record: &Record<'_>) -> Self {
        Self::new(record.header, record.body)
    }
}
