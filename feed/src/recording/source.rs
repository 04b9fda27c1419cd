//! One part of a recording as a stream of ticks: reads a row ahead, skips what is no tick (and counts why), repairs the
//! time of what is one. The rows of a part are in the order in which they were received.

use super::columns::{Columns, FIELDS, Field};
use super::contract::{Book, Placed};
use super::error::RecordingError;
use super::part::Part;
use super::row::Row;
use super::skip::Skip;
use shrike_core::codes::Exchange;
use shrike_core::event::DepthTick;
use shrike_core::units::Nanos;
use std::io::{self, BufRead, Read};

/// A longer row is none.
const ROW_MAX: u64 = 64 * 1024;
/// CZCE stamps whole seconds and pushes two snapshots in each: the second one is half a second later.
const CZCE_STEP_NS: u64 = 500 * Nanos::PER_MILLI;

/// The next tick of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Index of [`Book::days`].
    pub(super) day: usize,
    pub(super) contract: usize,
    /// The row's own stamp; the tick's `exch_ns` is repaired.
    pub(super) stamp: Nanos,
    pub(super) row: u64,
    pub(super) tick: DepthTick,
}

/// A part being read.
pub(super) struct Source {
    part: Part,
    columns: Columns,
    reader: Option<Box<dyn BufRead + Send>>,
    /// Rows read, the header included.
    row: u64,
    line: Vec<u8>,
    /// The symbol of the last row and its contract, since most rows repeat it.
    symbol: Vec<u8>,
    contract: Option<usize>,
    /// The last stamp of each contract in this part.
    stamps: Vec<Nanos>,
    pub(super) head: Option<Head>,
    ended: bool,
}

impl Source {
    /// Reads the header and the first tick, then lets the file go: it is opened again when its time comes. `None`, and
    /// an error in the book, when not even the header arrived.
    pub(super) fn open(part: Part, book: &mut Book) -> Result<Option<Self>, RecordingError> {
        let mut line = Vec::new();
        let opened = part.open().and_then(|mut reader| match read_line(&mut reader, &mut line)? {
            true => Ok(reader),
            false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty")),
        });
        let mut source = match opened {
            Ok(reader) => Self {
                columns: Columns::of_header(&line, &part.label)?,
                part,
                reader: Some(reader),
                row: 1,
                line,
                symbol: Vec::new(),
                contract: None,
                stamps: Vec::new(),
                head: None,
                ended: false,
            },
            Err(failure) => {
                let (file, detail) = (part.label, failure.to_string());
                book.errors.push(RecordingError::Damaged { file, row: 0, detail });
                return Ok(None);
            }
        };
        source.advance(book);
        source.reader = None;
        Ok(Some(source))
    }

    /// For people: which file.
    pub(super) fn label(&self) -> &str {
        &self.part.label
    }

    /// Reads on to the next tick. `head` is `None` at the end.
    pub(super) fn advance(&mut self, book: &mut Book) {
        self.head = None;
        if self.reader.is_none()
            && !self.ended
            && let Err(failure) = self.reopen()
        {
            self.end(Some(failure), book);
        }
        while let Some(reader) = &mut self.reader {
            match read_line(reader, &mut self.line) {
                Ok(false) => self.end(None, book),
                Ok(true) => {
                    self.row += 1;
                    if self.line.is_empty() {
                        continue;
                    }
                    match self.read_row(book) {
                        Ok(head) => {
                            self.head = Some(head);
                            return;
                        }
                        Err(Skip::UnknownInstrument) => {
                            book.skips.add_unknown(&self.symbol, &self.part.label, self.row);
                        }
                        Err(why) => book.skips.add(why, &self.part.label, self.row),
                    }
                }
                Err(failure) => self.end(Some(failure), book),
            }
        }
    }

    /// Opens the file again behind the rows already read.
    fn reopen(&mut self) -> io::Result<()> {
        let mut reader = self.part.open()?;
        for _ in 0..self.row {
            read_line(&mut reader, &mut self.line)?;
        }
        self.reader = Some(reader);
        Ok(())
    }

    fn end(&mut self, failure: Option<io::Error>, book: &mut Book) {
        (self.reader, self.ended) = (None, true);
        if let Some(failure) = failure {
            book.errors.push(RecordingError::Damaged {
                file: self.part.label.clone(),
                row: self.row,
                detail: failure.to_string(),
            });
        }
    }

    fn read_row(&mut self, book: &mut Book) -> Result<Head, Skip> {
        let mut row = Row { fields: [&[]; FIELDS], dialect: self.columns.dialect };
        if self.line.len() as u64 >= ROW_MAX || !self.columns.split(&self.line, &mut row.fields) {
            return Err(Skip::Columns);
        }
        let symbol = row.text(Field::Symbol);
        if self.symbol != symbol || self.row == 2 {
            self.contract = book.contract(symbol, row.text(Field::Exchange));
            self.symbol.clear();
            self.symbol.extend_from_slice(symbol);
        }
        let contract = self.contract.ok_or(Skip::UnknownInstrument)?;
        let placed = book.place(contract, &row.stamp()?, &self.part.label, self.row)?;
        let (Some(of), Some(day)) = (book.contracts.get(contract), book.days.get_mut(placed.day)) else {
            return Err(Skip::UnknownInstrument);
        };
        let admitted = day.admits(placed.at);
        if let Err(why @ (Skip::Stale | Skip::OutOfSession)) = admitted {
            return Err(why);
        }
        let mut out_of_range = 0;
        let mut tick = row.numbers(of.zero_is_price(), &mut out_of_range)?;
        for _ in 0..out_of_range {
            book.skips.add(Skip::FieldOutOfRange, &self.part.label, self.row);
        }
        of.settle_units(&mut tick);
        tick.trading_day = placed.trading_day;
        tick.action_day = placed.at.china_date();
        day.note(&tick);
        admitted?;
        tick.exch_ns = if of.product.exchange == Exchange::Czce { self.spread(contract, &placed) } else { placed.at };
        Ok(Head { day: placed.day, contract, stamp: placed.at, row: self.row, tick })
    }

    /// CZCE's time of the second snapshot in a second.
    fn spread(&mut self, contract: usize, placed: &Placed) -> Nanos {
        if self.stamps.len() <= contract {
            self.stamps.resize(contract + 1, Nanos::ABSENT);
        }
        let Some(last) = self.stamps.get_mut(contract) else { return placed.at };
        let second = std::mem::replace(last, placed.at) == placed.at && placed.at.subsecond() == 0;
        if second { placed.at.after(CZCE_STEP_NS) } else { placed.at }
    }
}

/// Reads a row without its end of line. False at the end of the stream.
fn read_line(reader: &mut Box<dyn BufRead + Send>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let len = reader.take(ROW_MAX).read_until(b'\n', line)?;
    while let Some(b'\n' | b'\r') = line.last() {
        line.pop();
    }
    Ok(len > 0)
}
