//! Simulated pages: every cut, every flipped bit, every subset of unsynced pages. The oracle is the list of what was
//! appended: a journal gives a beginning of it, never anything else, and never less than what was durable.

use super::*;
use crate::{OpenError, Pages, Position, Pressure, ReadError, Recovery, RecoveryCase};

const SEGMENT: u32 = 8 << 10;

fn options() -> WriterOptions {
    small().with_segment_bytes(SEGMENT)
}

/// A journal of some segments and what it holds; synced after `synced` records and not later.
fn journal(records: u64, synced: u64) -> (Pages, Vec<Said>) {
    let pages = Pages::new(SEGMENT);
    let (mut writer, _) = Writer::resume(pages.clone(), &options()).unwrap();
    let mut all = Vec::new();
    for n in 1..=records {
        all.push(append_made(&mut writer, n));
        if n == synced {
            // Marks trail by one turn.
            pages.sync().unwrap();
            pages.sync().unwrap();
        }
    }
    (pages, all)
}

fn closed(records: u64) -> (Vec<(u32, Vec<u8>)>, Vec<Said>) {
    let pages = Pages::new(SEGMENT);
    let (mut writer, _) = Writer::resume(pages.clone(), &options()).unwrap();
    let all = (1..=records).map(|n| append_made(&mut writer, n)).collect();
    writer.flush_and_close().unwrap();
    (pages.files(), all)
}

/// Reads until the end or an error; what was read is a beginning of `all`.
fn read_beginning(pages: &Pages, all: &[Said]) -> (usize, Result<(), ReadError>) {
    let mut reader = Reader::over(pages.clone());
    let mut count = 0;
    loop {
        match reader.next() {
            Ok(Some(record)) => {
                assert_eq!(Some(&said(&record)), all.get(count), "record {count}");
                count += 1;
            }
            Ok(None) => return (count, Ok(())),
            Err(error) => return (count, Err(error)),
        }
    }
}

/// Recovers, appends, and reads everything back. What survived is a beginning of `all`, at least `durable` records.
fn recover_and_go_on(pages: &Pages, all: &[Said], durable: usize) -> (Recovery, Pages) {
    let (mut writer, recovery) = Writer::resume(pages.clone(), &options()).expect("recovery");
    let (kept, end) = read_beginning(pages, all);
    end.expect("a recovered journal is sound");
    assert!(kept >= durable, "{kept} of {durable} durable records");
    let next = all
        .get(kept)
        .map_or(all.last().map_or(Seq::new(StageId::Order, 0, 1), |said| said.seq.next()), |said| said.seq);
    assert_eq!(recovery.next_seq, next);
    let mut all = all[..kept].to_vec();
    all.extend((1..=3).map(|n| append_made(&mut writer, 1000 + n)));
    let (count, end) = read_beginning(pages, &all);
    end.expect("sound");
    assert_eq!(count, all.len());
    writer.flush_and_close().unwrap();
    let again = Writer::resume(pages.clone(), &options()).unwrap().1;
    assert_eq!((again.case, again.next_seq), (RecoveryCase::Clean, all.last().unwrap().seq.next()));
    (recovery, pages.clone())
}

fn is_refusal(error: &ReadError) -> bool {
    !matches!(error, ReadError::Torn { .. } | ReadError::Io { .. })
}

#[test]
fn every_flipped_bit_below_the_mark_is_refused() {
    let (files, all) = closed(60);
    assert!(files.len() >= 3, "{} segments", files.len());
    let mut cases = 0;
    for (which, (index, bytes)) in files.iter().enumerate() {
        for bit in 0..bytes.len() * 8 {
            let byte = bit / 8;
            if (136..4096).contains(&byte) && bit % 64 != 0 {
                continue;
            }
            let mut files = files.clone();
            files[which].1[byte] ^= 1 << (bit % 8);
            let pages = Pages::from_files(SEGMENT, files);
            let (count, end) = read_beginning(&pages, &all);
            match end {
                Err(error) => assert!(is_refusal(&error), "segment {index} bit {bit}: {error}"),
                Ok(()) => {
                    let is_last = which + 1 == pages.files().len();
                    // Marks of earlier segments are not needed to read, and the rest of the header page means nothing.
                    let unread = if is_last { 136..4096 } else { 128..4096 };
                    assert!(unread.contains(&byte) && count == all.len(), "segment {index} bit {bit}");
                }
            }
            // Recovery reads from the mark on: it refuses what it sees, and changes nothing.
            if which + 1 == pages.files().len() && !(136..4096).contains(&byte) {
                let before = pages.files();
                assert!(matches!(
                    Writer::resume(pages.clone(), &options()),
                    Err(OpenError::Read(_) | OpenError::Stage { .. })
                ));
                assert_eq!(pages.files(), before, "a refusal changes nothing");
            }
            cases += 1;
        }
    }
    println!("{cases} flips");
}

#[test]
fn every_cut_below_the_mark_is_refused() {
    let (files, all) = closed(60);
    for (which, (index, bytes)) in files.iter().enumerate() {
        for len in 0..bytes.len() {
            let mut files = files.clone();
            files[which].1.truncate(len);
            let is_last = which + 1 == files.len();
            let pages = Pages::from_files(SEGMENT, files);
            let (_, end) = read_beginning(&pages, &all);
            // An empty last file is what a crash before the first sync leaves.
            let may_pass = len == 0 && is_last;
            let resumed = Writer::resume(pages, &options());
            if !may_pass {
                assert!(resumed.is_err(), "segment {index} cut at {len}");
                // A reader that waits at an empty file in the middle is told nothing wrong, only nothing more.
                assert!(len == 0 || is_refusal(&end.unwrap_err()), "segment {index} cut at {len}");
            }
        }
    }
}

#[test]
fn beyond_the_mark_every_flip_and_cut_leaves_a_beginning() {
    for (records, synced) in [(40, 17), (12, 5), (40, 39), (5, 0)] {
        let (pages, all) = journal(records, synced);
        let files = pages.crash_process().files();
        let mark = Reader::over(pages).synced_to().unwrap().max(Position::START);
        for (which, (index, bytes)) in files.iter().enumerate() {
            for at in (0..bytes.len()).step_by(1) {
                let place = Position { segment: *index, offset: at as u32 };
                if place < mark || at < 4096 {
                    continue;
                }
                let mut flipped = files.clone();
                flipped[which].1[at] ^= 1 << (at % 8);
                let (recovery, pages) = recover_and_go_on(&Pages::from_files(SEGMENT, flipped), &all, synced as usize);
                assert_eq!(recovery.aside.len(), pages.aside().len());

                let mut cut = files[..=which].to_vec();
                cut[which].1.truncate(at);
                recover_and_go_on(&Pages::from_files(SEGMENT, cut), &all, synced as usize);
            }
        }
    }
}

#[test]
fn what_is_cut_is_kept_aside() {
    let (pages, all) = journal(8, 4);
    let mut files = pages.crash_process().files();
    // The sixth record: its body's last byte.
    let mut reader = Reader::over(pages);
    let sixth =
        std::iter::repeat_with(|| reader.next().unwrap().map(|record| record.position).unwrap()).nth(5).unwrap();
    assert_eq!(sixth.segment, 0);
    let offset = sixth.offset as usize;
    files[0].1[offset + 48] ^= 0x40;
    let damaged = files[0].1.clone();
    let pages = Pages::from_files(SEGMENT, files);
    let (writer, recovery) = Writer::resume(pages.clone(), &options()).unwrap();
    assert_eq!(writer.next_seq(), all[5].seq);
    assert!(matches!(recovery.case, RecoveryCase::Torn(crate::Bad::Crc { .. })), "{:?}", recovery.case);
    let aside = pages.aside();
    assert_eq!(aside.len(), 1);
    assert_eq!(recovery.aside, [aside[0].0.clone()]);
    assert!(damaged[offset..].starts_with(&aside[0].1));
    assert!(damaged[offset + aside[0].1.len()..].iter().all(|byte| *byte == 0));
}

#[test]
fn an_append_that_was_cut_off_is_no_record() {
    let (pages, all) = journal(5, 2);
    let mut files = pages.crash_process().files();
    let mut reader = Reader::over(pages);
    while reader.next().unwrap().is_some() {}
    // The body of a sixth record is there; its length word is not.
    let at = reader.position().offset as usize;
    files[0].1[at + 60] = 9;
    let (recovery, _) = recover_and_go_on(&Pages::from_files(SEGMENT, files), &all, 5);
    assert_eq!(recovery.case, RecoveryCase::Unfinished);
}

#[test]
fn every_subset_of_unsynced_pages_leaves_a_beginning() {
    for (records, synced) in [(9, 4), (45, 20), (45, 0), (60, 44)] {
        let (pages, all) = journal(records, synced);
        let mut dirty = 0;
        let _ = pages.crash_host(|_| {
            dirty += 1;
            false
        });
        assert!((1..=12).contains(&dirty), "{dirty} pages");
        for subset in 0..1_u32 << dirty {
            let mut page = 0;
            let crashed = pages.crash_host(|_| {
                page += 1;
                subset >> (page - 1) & 1 == 1
            });
            recover_and_go_on(&crashed, &all, synced as usize);
        }
    }
}

#[test]
fn a_full_device_leaves_the_reserve_and_goes_on_when_there_is_room() {
    let pages = Pages::new(64 << 10);
    pages.set_capacity(2);
    let (mut writer, _) = Writer::resume(pages.clone(), &small()).unwrap();
    let (header, body) = made(1);
    let mut count = 0;
    assert_eq!(writer.pressure(), Pressure::Normal);
    let mut lows = 0;
    while let Ok(seq) = writer.append(&header, &body) {
        count += 1;
        assert_eq!(seq.n(), count);
        lows += u32::from(writer.pressure() == Pressure::Low);
    }
    assert!(lows > 0, "the last segment was announced");
    assert_eq!(writer.pressure(), Pressure::Full);
    let reserve = u64::from(small().reserve_bytes) / 448;
    for _ in 0..reserve {
        writer.append_reserve(&header, &body).expect("the reserve");
        count += 1;
    }
    while writer.append_reserve(&header, &body).is_ok() {
        count += 1;
    }
    assert_eq!(writer.fault().unwrap().step, crate::FaultStep::Prepare);
    pages.set_capacity(3);
    assert_eq!(writer.append(&header, &body).unwrap().n(), count + 1);
    assert_eq!(writer.pressure(), Pressure::Low);
    assert_eq!(read_on(&mut Reader::over(pages)).len() as u64, count + 1);
}

#[test]
fn a_failure_at_any_call_of_recovery_and_closing_loses_nothing() {
    let (pages, all) = journal(45, 20);
    for calls in 0..30 {
        let crashed = pages.crash_process();
        crashed.fail_after(Some(calls));
        let closed = Writer::resume(crashed.clone(), &options()).map(|(writer, _)| writer.flush_and_close());
        crashed.fail_after(None);
        if matches!(closed, Ok(Ok(()))) {
            assert!(calls > 2);
        }
        let (count, end) = read_beginning(&crashed, &all);
        end.unwrap();
        assert_eq!(count, all.len());
        recover_and_go_on(&crashed, &all, all.len());
    }
}

#[test]
fn an_epoch_whose_records_are_lost_with_the_host_has_begun() {
    let (pages, _) = journal(5, 5);
    let (mut writer, _) = Writer::resume(pages.crash_process(), &options()).unwrap();
    writer.open_epoch(2).unwrap();
    append_made(&mut writer, 6);
    let segment = writer.position().segment;
    // Of the new segment its header page is all that the disk has.
    let mut pages = writer.storage().crash_host(|page| page == Position { segment, offset: 0 });
    drop(writer);
    for _ in 0..3 {
        let (writer, recovery) = Writer::resume(pages.clone(), &options()).unwrap();
        assert_eq!(recovery.next_seq, Seq::new(StageId::Order, 2, 1));
        drop(writer);
        assert_eq!(read_on(&mut Reader::over(pages.clone())).len(), 5);
        pages = pages.crash_process();
    }
}

#[test]
fn a_later_epoch_begins_anywhere() {
    let pages = Pages::new(SEGMENT);
    let (mut writer, _) = Writer::resume(pages.clone(), &options()).unwrap();
    let mut all: Vec<_> = (1..=3).map(|n| append_made(&mut writer, n)).collect();
    writer.open_epoch(2).unwrap();
    assert!(writer.open_epoch(2).is_err(), "an epoch is opened once");
    all.extend((4..=40).map(|n| append_made(&mut writer, n)));
    assert_eq!(all[3].seq, Seq::new(StageId::Order, 2, 1));
    drop(writer);
    let (mut writer, recovery) = Writer::resume(pages.clone(), &options()).unwrap();
    assert_eq!(recovery.next_seq, Seq::new(StageId::Order, 2, 38));
    writer.open_epoch(3).unwrap();
    all.push(append_made(&mut writer, 41));
    assert_eq!(read_beginning(&pages, &all).0, all.len());
    let mut reader = Reader::over(pages);
    for said in &all {
        reader.seek(said.seq).unwrap();
        let (position, due) = (reader.position(), reader.due());
        assert_eq!(reader.next().unwrap().unwrap().header.seq, said.seq);
        reader.go_on(position, due);
        assert_eq!(reader.next().unwrap().unwrap().header.seq, said.seq);
    }
    reader.seek(Seq::new(StageId::Order, 9, 9)).unwrap();
    assert!(reader.next().unwrap().is_none(), "beyond the end");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, ..Default::default() })]

    /// Any header and any body come back as they were, but for what the writer fills in.
    #[test]
    fn any_record_comes_back(
        records in proptest::collection::vec(
            (proptest::array::uniform32(proptest::prelude::any::<u8>()), proptest::collection::vec(0_u8.., 0..2000)),
            1..20,
        ),
    ) {
        let pages = Pages::new(SEGMENT);
        let (mut writer, _) = Writer::resume(pages.clone(), &options()).unwrap();
        let mut all = Vec::new();
        for (word, body) in &records {
            let mut header = Header::default();
            bytemuck::bytes_of_mut(&mut header)[..32].copy_from_slice(word);
            // The kind of the roll frame is the journal's own.
            header.kind &= 0x7fff;
            let seq = writer.append(&header, body).unwrap();
            all.push((Header { len: 48 + body.len() as u32, crc: 0, seq, ..header }, body));
        }
        let mut reader = Reader::over(pages);
        for (header, body) in all {
            let record = reader.next().unwrap().unwrap();
            proptest::prop_assert_eq!(Header { crc: 0, ..*record.header }, header);
            proptest::prop_assert_eq!(record.body, body.as_slice());
        }
        proptest::prop_assert!(reader.next().unwrap().is_none());
    }

    /// Lives of a journal: appends, syncs, crashes of the process and of the host, closes, in any order.
    #[test]
    fn nothing_durable_is_lost_over_many_lives(
        steps in proptest::collection::vec((0_u8..12, 0_u64..u64::MAX), 1..60),
    ) {
        let mut pages = Pages::new(SEGMENT);
        let mut writer = Some(Writer::resume(pages.clone(), &options()).unwrap().0);
        let mut all: Vec<Said> = Vec::new();
        let mut durable = 0;
        for (step, word) in steps {
            match step {
                0..=7 => {
                    let writer = writer.as_mut().unwrap();
                    all.extend((0..word % 8).map(|n| append_made(writer, word % 997 + n)));
                }
                8 => {
                    pages.sync().unwrap();
                    durable = all.len();
                }
                9 => {
                    writer.take().unwrap().flush_and_close().unwrap();
                    durable = all.len();
                }
                10 => {
                    pages = pages.crash_process();
                    durable = all.len();
                    writer = None;
                }
                _ => {
                    let mut bits = word;
                    pages = pages.crash_host(|_| {
                        bits = bits.rotate_left(1);
                        bits & 1 == 1
                    });
                    writer = None;
                }
            }
            if writer.is_none() {
                let (next, recovery) = Writer::resume(pages.clone(), &options()).unwrap();
                let (kept, end) = read_beginning(&pages, &all);
                end.unwrap();
                proptest::prop_assert!(kept >= durable, "{kept} of {durable}");
                proptest::prop_assert!(recovery.synced_to <= recovery.end);
                all.truncate(kept);
                durable = kept;
                writer = Some(next);
            }
        }
        proptest::prop_assert_eq!(read_beginning(&pages, &all).0, all.len());
    }
}
