//! What people are told, and what must not pass for "nothing there": the file and the reason in each error, and places
//! that cannot be read or removed.

use super::files::Home;
use super::*;
use crate::damage::Bad;
use crate::directory;
use crate::format::{HEADER_PAGE, SegmentHeader, segment_file};
use crate::{Directory, OpenError, ReadError, recover};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;

/// A closed journal of several segments on the disk, and the home it is in.
fn closed() -> Home {
    let home = Home::new();
    let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.on_disk()).unwrap();
    (1..=1_000).for_each(|n| drop(append_made(&mut writer, n)));
    writer.flush_and_close().unwrap();
    home
}

fn error_of(home: &Home) -> ReadError {
    let mut reader = Reader::open(&home.dir()).unwrap();
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("called the end"),
            Err(error) => return error,
        }
    }
}

#[test]
fn damage_is_told_by_its_file_its_place_and_its_kind() {
    for (length, is_length) in [(0x7000_0000_u32, true), (8, true), (48, false)] {
        let home = closed();
        let path = home.dir().join(segment_file(0));
        let mut bytes = fs::read(&path).unwrap();
        let place = HEADER_PAGE as usize;
        bytes[place..place + 4].copy_from_slice(&length.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        let error = error_of(&home);
        let ReadError::Corrupt { file, position, bad, .. } = &error else { panic!("{error}") };
        assert_eq!((file.as_path(), position.offset), (path.as_path(), HEADER_PAGE), "{error}");
        assert_eq!(matches!(bad, Bad::Length { found } if *found == length), is_length, "{length}: {error}");
    }
}

#[test]
fn a_file_that_was_cut_is_told_as_cut() {
    let home = closed();
    let path = home.dir().join(segment_file(0));
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(u64::from(HEADER_PAGE) + 64).unwrap();
    let error = error_of(&home);
    let ReadError::Corrupt { file, bad: Bad::CutShort { .. }, .. } = &error else { panic!("{error}") };
    assert_eq!(file, &path);
}

#[test]
fn a_start_names_the_segment_that_is_missing_or_cut() {
    for is_missing in [true, false] {
        let home = closed();
        let path = home.dir().join(segment_file(1));
        if is_missing {
            fs::remove_file(&path).unwrap();
        } else {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(u64::from(HEADER_PAGE) + 64).unwrap();
        }
        let refused = recover(&home.dir(), &home.on_disk()).unwrap_err();
        let OpenError::Read(ReadError::MissingSegment { file } | ReadError::Corrupt { file, .. }) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!((file, matches!(refused, OpenError::Read(ReadError::MissingSegment { .. }))), (&path, is_missing));
    }
}

#[test]
fn a_segment_that_cannot_be_opened_is_no_absent_one() {
    let home = closed();
    let path = home.dir().join(segment_file(0));
    fs::remove_file(&path).unwrap();
    symlink(&path, &path).unwrap();
    let mut place = Directory::open(&home.dir()).unwrap();
    assert!(place.segment(0).is_err(), "a link to itself is neither a segment nor nothing");
    fs::remove_file(&path).unwrap();
    assert!(place.segment(0).unwrap().is_none());
}

#[test]
fn a_file_that_cannot_be_removed_is_told_and_one_that_is_gone_is_not() {
    let dir = tempfile::tempdir().unwrap();
    assert!(directory::remove(&dir.path().join("none")).is_ok());
    let error = directory::remove(dir.path()).unwrap_err();
    assert_ne!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_segment_without_a_record_is_removed_and_not_kept() {
    for records in [0, 1] {
        let home = Home::new();
        let (mut writer, _) = Writer::create_or_resume(&home.dir(), home.on_disk()).unwrap();
        let first = append_made(&mut writer, 1);
        drop(writer);
        // Begun beyond the end of the journal: nothing leads to it.
        let mut bytes = fs::read(home.dir().join(segment_file(0))).unwrap();
        bytes.truncate(HEADER_PAGE as usize + 64 * records);
        let mut header: SegmentHeader = bytemuck::pod_read_unaligned(&bytes[..size_of::<SegmentHeader>()]);
        header.index = 7;
        header.crc = header.checksum();
        bytes[..size_of::<SegmentHeader>()].copy_from_slice(bytemuck::bytes_of(&header));
        let beyond = home.dir().join(segment_file(7));
        fs::write(&beyond, bytes).unwrap();

        let recovery = recover(&home.dir(), &home.on_disk()).unwrap();
        assert!(!beyond.exists());
        assert_eq!(recovery.aside.len(), records, "{:?}", recovery.aside);
        assert!(recovery.aside.iter().all(|kept| kept.exists()));
        assert_eq!(read_dir(&home.dir()), [first]);
    }
}
