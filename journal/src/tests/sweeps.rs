//! Every flipped bit and every cut of a journal of several 64 KiB segments, below the durable mark and beyond it. The
//! oracle is the list of places that a reader of the undamaged journal went through: below the mark the record that is
//! hit, and no other, is refused; beyond it the journal ends exactly there.
//!
//! The damage is done in place, and reading begins at the record that is hit: what lies before it is unchanged. Whole
//! journals are read for a sample. `cargo nextest run -p shrike-journal --run-ignored only sweep` takes every case.

use super::*;
use crate::format::{HEADER_PAGE, MARK_OFFSET, Position, ROLL_BYTES};
use crate::recover::recover_storage;
use crate::segment::Segment;
use crate::{Ending, Fault, OpenError, Pages, ReadError};
use std::io;
use std::path::PathBuf;

/// A journal at rest whose memory a test damages. As a storage it takes down what recovery would do and does not do it.
struct AtRest {
    files: Vec<(u32, Segment)>,
    mended: Option<Ending>,
}

impl Segments for AtRest {
    fn indices(&mut self) -> io::Result<Vec<u32>> {
        Ok(self.files.iter().map(|(index, _)| *index).collect())
    }

    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>> {
        Ok(self.files.iter().find(|(found, _)| *found == index).map(|(_, segment)| segment.clone()))
    }

    fn segment_bytes(&mut self, index: u32) -> u64 {
        self.segment(index).unwrap().map_or(0, |segment| u64::from(segment.len()))
    }

    fn file(&self, index: u32) -> PathBuf {
        PathBuf::from(index.to_string())
    }
}

impl Storage for AtRest {
    fn mend(&mut self, ending: &Ending) -> io::Result<Vec<PathBuf>> {
        self.mended = Some(ending.clone());
        Ok(Vec::new())
    }

    fn start(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn ready(&self) -> usize {
        0
    }

    fn refill(&mut self) {}

    fn take(&mut self) -> Option<(u32, Segment)> {
        None
    }

    fn synced_to(&self) -> Position {
        Position::default()
    }

    fn fault(&self) -> Option<Fault> {
        None
    }

    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AtRest {
    fn new(files: &[(u32, Vec<u8>)]) -> Self {
        let at_rest = |bytes: &[u8]| {
            let segment = Segment::heap(bytes.len() as u32);
            segment.load(bytes);
            segment
        };
        Self { files: files.iter().map(|(index, bytes)| (*index, at_rest(bytes))).collect(), mended: None }
    }

    /// The same memory once more.
    fn share(&self) -> Self {
        Self { files: self.files.clone(), mended: None }
    }

    /// How many records a reader gives, and how it ends.
    fn read_all(&self) -> (usize, Result<(), ReadError>) {
        let mut reader = Reader::over(self.share());
        let mut count = 0;
        loop {
            match reader.next() {
                Ok(Some(_)) => count += 1,
                Ok(None) => return (count, Ok(())),
                Err(error) => return (count, Err(error)),
            }
        }
    }
}

/// A place where a record or a roll frame begins, the number that is due there, and how many records are before it.
#[derive(Clone, Copy, Debug)]
struct Place {
    position: Position,
    due: Seq,
    before: usize,
}

/// A journal, the places in it, and its end.
struct Journal {
    rest: AtRest,
    places: Vec<Place>,
    end: Place,
    mark: Position,
}

impl Journal {
    fn new(files: &[(u32, Vec<u8>)]) -> Self {
        let rest = AtRest::new(files);
        let mut reader = Reader::over(rest.share());
        let mark = reader.synced_to().unwrap();
        let mut places: Vec<Place> = Vec::new();
        let mut at = Place { position: Position::START, due: Seq::new(StageId::Order, 0, 1), before: 0 };
        while let Some(record) = reader.next().unwrap() {
            if record.position.segment != at.position.segment {
                // Where the last record of a segment ends, its roll frame begins.
                places.push(at);
                at.position = record.position;
            }
            places.push(at);
            at = Place { position: reader.position(), due: at.due.next(), before: at.before + 1 };
        }
        let end = Place { position: reader.position(), ..at };
        if end.position.segment != at.position.segment {
            places.push(at);
        }
        Self { rest, places, end, mark }
    }

    /// Closed after its last record: all is durable.
    fn closed(records: u64) -> Self {
        let pages = Pages::new(64 << 10);
        let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
        (1..=records).for_each(|n| drop(append_made(&mut writer, n)));
        writer.flush_and_close().unwrap();
        Self::new(&pages.files())
    }

    /// Left open; durable up to record `synced`.
    fn open(records: u64, synced: u64) -> Self {
        let pages = Pages::new(64 << 10);
        let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
        for n in 1..=records {
            append_made(&mut writer, n);
            if n == synced {
                pages.sync().unwrap();
            }
        }
        Self::new(&pages.crash_process().files())
    }

    /// The same memory once more.
    fn share(&self) -> Self {
        Self { rest: self.rest.share(), places: self.places.clone(), ..*self }
    }

    fn last(&self) -> u32 {
        self.rest.files.last().unwrap().0
    }

    /// Bytes of a segment's file.
    fn bytes(&self, index: u32) -> u32 {
        self.rest.files.iter().find(|(found, _)| *found == index).unwrap().1.len()
    }

    fn flip(&self, index: u32, bit: usize) {
        self.rest.files.iter().find(|(found, _)| *found == index).unwrap().1.flip(bit);
    }

    /// The place that the byte at `offset` belongs to: the last one that begins at or before it.
    fn place_of(&self, position: Position) -> Place {
        let after = self.places.partition_point(|place| place.position <= position);
        if position >= self.end.position { self.end } else { self.places[after - 1] }
    }

    /// Whether nothing is there: the rest of a header page, and what a roll frame leaves of its segment.
    fn is_idle(&self, position: Position) -> bool {
        let rolled = || {
            let last = self.places.iter().rfind(|place| place.position.segment == position.segment);
            position.segment < self.last()
                && last.is_some_and(|roll| position.offset >= roll.position.offset + ROLL_BYTES)
        };
        (MARK_OFFSET + 8..HEADER_PAGE).contains(&position.offset) || rolled()
    }

    /// What a reader says that stands at a place; it must not give a record.
    fn refusal_at(&self, place: Place) -> Option<ReadError> {
        let mut reader = Reader::over(self.rest.share());
        reader.go_on(place.position, place.due);
        match reader.next() {
            Err(error) => Some(error),
            Ok(None) => None,
            Ok(Some(record)) => panic!("{:?}: a damaged record was given: {record:?}", place.position),
        }
    }

    /// Recovery refuses and changes nothing.
    fn assert_recovery_refuses(&mut self, what: &str) {
        let refused = recover_storage(&mut self.rest, StageId::Order);
        assert!(matches!(refused, Err(OpenError::Read(_))), "{what}: {refused:?}");
        assert!(self.rest.mended.is_none(), "{what}: a refusal changes nothing");
    }

    /// Recovery ends the journal at `place`, and the next record continues there.
    fn assert_recovery_cuts_at(&mut self, place: Place, what: &str) {
        let recovery = recover_storage(&mut self.rest, StageId::Order);
        let recovery = recovery.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(recovery.next_seq, place.due, "{what}");
        let ending = self.rest.mended.take().unwrap();
        let end = ending.ends.last().map(|(segment, offset)| Position { segment: *segment, offset: *offset });
        // The end of a segment is the start of the next one.
        let is_there = end == Some(place.position) || place.position.offset == HEADER_PAGE && ending.seal.is_none();
        assert!(is_there, "{what}: ends at {end:?}, expected {}", place.position);
    }
}

fn is_corruption(error: &ReadError) -> bool {
    matches!(error, ReadError::Corrupt { .. } | ReadError::Foreign { .. } | ReadError::MissingSegment { .. })
}

/// Flips every `step`-th bit of a closed journal; how many.
fn flips_below(step: usize) -> usize {
    let mut journal = Journal::closed(800);
    let last = journal.last();
    assert!(last >= 2, "{last}");
    let mut cases = 0;
    for index in 0..=last {
        for bit in (0..journal.bytes(index) as usize * 8).step_by(step) {
            let offset = (bit / 8) as u32;
            let what = || format!("segment {index} bit {bit}");
            if journal.is_idle(Position { segment: index, offset }) {
                continue;
            }
            journal.flip(index, bit);
            let is_header = offset < HEADER_PAGE;
            // The mark of an earlier segment is not needed to read.
            let is_old_mark = index < last && (MARK_OFFSET..HEADER_PAGE).contains(&offset);
            let hit = journal.place_of(Position { segment: index, offset: offset.max(HEADER_PAGE) });
            if !is_header || offset < MARK_OFFSET {
                match journal.refusal_at(hit) {
                    Some(ReadError::Corrupt { position, .. }) => {
                        assert!(is_header || position == hit.position, "{}: {position}", what());
                    }
                    Some(error) => assert!(is_header && is_corruption(&error), "{}: {error}", what()),
                    None => panic!("{}: called the end", what()),
                }
            }
            if bit % 4099 == 0 && !is_old_mark {
                let (count, end) = journal.rest.read_all();
                assert!(is_corruption(&end.unwrap_err()), "{}", what());
                let before = if is_header && offset >= MARK_OFFSET { 800 } else { hit.before };
                assert_eq!(count, before, "{}", what());
            }
            // Recovery reads from the mark on, and every segment's header.
            if is_header || index == last && bit % 4 == 0 {
                journal.assert_recovery_refuses(&what());
            }
            journal.flip(index, bit);
            cases += 1;
        }
    }
    assert_eq!(journal.rest.read_all().0, 800, "every flip was taken back");
    cases
}

/// Flips every `step`-th bit beyond the mark of an open journal; how many.
fn flips_beyond(step: usize) -> usize {
    let mut cases = 0;
    for (records, synced) in [(620, 330), (300, 120)] {
        let mut journal = Journal::open(records, synced);
        let mark = journal.mark;
        for index in mark.segment..=journal.last() {
            for bit in (0..journal.bytes(index) as usize * 8).step_by(step) {
                let position = Position { segment: index, offset: (bit / 8) as u32 };
                let is_header = position.offset < HEADER_PAGE;
                let is_mark = (MARK_OFFSET..MARK_OFFSET + 8).contains(&position.offset);
                if position < mark || is_header && index == mark.segment || is_mark {
                    continue;
                }
                let what = format!("{records} records, {synced} synced: segment {index} bit {bit}");
                let is_idle = journal.is_idle(position);
                let hit = if is_idle {
                    journal.end
                } else {
                    journal.place_of(position.max(Position { segment: index, offset: HEADER_PAGE }))
                };
                journal.flip(index, bit);
                journal.assert_recovery_cuts_at(hit, &what);
                if !is_idle && hit.position < journal.end.position {
                    // A length of one bit may become zero: no record yet.
                    let error = journal.refusal_at(hit);
                    assert!(matches!(error, None | Some(ReadError::Torn { .. })), "{what}: {error:?}");
                }
                journal.flip(index, bit);
                cases += 1;
            }
        }
    }
    cases
}

/// A file that ends at every byte in turn, and nothing behind it: a reader's and a recovery's word; how many.
fn cuts() -> usize {
    let mut cases = 0;
    let sound = Journal::closed(800);
    for index in 0..=sound.last() {
        let whole = &sound.rest.files[index as usize].1;
        for len in 0..whole.len() {
            let mut journal = sound.share();
            journal.rest.files[index as usize].1 = whole.cut(len);
            let what = format!("segment {index} cut at {len}");
            // A crash before its first sync leaves the last file empty.
            if len == 0 && index == journal.last() {
                let (count, _) = journal.rest.read_all();
                assert_eq!(count, journal.place_of(Position { segment: index, offset: HEADER_PAGE }).before, "{what}");
            } else {
                let hit = journal.place_of(Position { segment: index, offset: len.max(HEADER_PAGE) });
                assert!(is_corruption(&journal.refusal_at(hit).unwrap()), "{what}");
                journal.assert_recovery_refuses(&what);
            }
            cases += 1;
        }
    }
    let sound = Journal::open(620, 330);
    for index in sound.mark.segment..=sound.last() {
        let whole = &sound.rest.files[index as usize].1;
        for len in 0..whole.len() {
            let position = Position { segment: index, offset: len };
            if position < sound.mark {
                continue;
            }
            let files: Vec<_> =
                sound.rest.files[..index as usize].iter().cloned().chain([(index, whole.cut(len))]).collect();
            let mut journal = Journal { rest: AtRest { files, mended: None }, ..sound.share() };
            let what = format!("segment {index} cut at {len}, beyond the mark");
            if (1..HEADER_PAGE).contains(&len) {
                // No crash leaves less than a page, and whether a mark was there cannot be known.
                journal.assert_recovery_refuses(&what);
            } else {
                let hit = journal.place_of(position.max(Position { segment: index, offset: HEADER_PAGE }));
                journal.assert_recovery_cuts_at(hit, &what);
            }
            cases += 1;
        }
    }
    cases
}

#[test]
fn every_flip_below_the_mark_is_refused_where_it_is() {
    println!("{} flips", flips_below(1));
}

#[test]
fn a_flip_beyond_the_mark_ends_the_journal_there() {
    println!("{} flips", flips_beyond(9));
}

#[test]
#[ignore = "a minute; the test above takes every ninth"]
fn sweep_of_every_flip_beyond_the_mark() {
    println!("{} flips", flips_beyond(1));
}

#[test]
fn every_cut_is_refused_below_the_mark_and_ends_the_journal_beyond() {
    println!("{} cuts", cuts());
}

/// Pages that were lost, or written in another's place: what a disk does that flips no bit.
#[test]
fn every_lost_or_misplaced_page_below_the_mark_is_refused() {
    const PAGE: usize = crate::PAGE;
    let pages = Pages::new(64 << 10);
    let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
    (1..=800).for_each(|n| drop(append_made(&mut writer, n)));
    writer.flush_and_close().unwrap();
    let files = pages.files();
    let all: Vec<(usize, usize)> = files
        .iter()
        .enumerate()
        .flat_map(|(which, (_, bytes))| (0..bytes.len() / PAGE).map(move |page| (which, page)))
        .collect();
    let page_of = |(which, page): (usize, usize)| files[which].1[page * PAGE..(page + 1) * PAGE].to_vec();
    let mut cases = 0;
    for at in &all {
        for bytes in all.iter().map(|from| page_of(*from)).chain([vec![0; PAGE]]) {
            // Where the last segment's header page is lost, its mark is too: recovery keeps the segment aside.
            if *at == (files.len() - 1, 0) || page_of(*at) == bytes {
                continue;
            }
            let mut damaged = files.clone();
            damaged[at.0].1[at.1 * PAGE..(at.1 + 1) * PAGE].copy_from_slice(&bytes);
            let (count, end) = AtRest::new(&damaged).read_all();
            let error = end.expect_err("a lost page");
            assert!(is_corruption(&error) && count < 800, "{at:?}: {error}");
            cases += 1;
        }
    }
    println!("{cases} pages");
}
