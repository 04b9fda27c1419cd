//! Room: which sizes a writer takes, and what it says of how much is left, by the numbers of its options.

use super::files::Home;
use super::*;
use crate::format::{HEADER_PAGE, ROLL_BYTES};
use crate::segment::Segment;
use crate::{Full, OpenError, Pages, Pressure};

const SEGMENT: u32 = 64 << 10;

fn opened(pages: &Pages, reserve_bytes: u32) -> Writer<Pages> {
    Writer::resume(pages.clone(), &WriterOptions { reserve_bytes, ..small() }).unwrap().0
}

/// A record of so many bytes.
fn of(bytes: u32) -> (Header, Vec<u8>) {
    (made(1).0, vec![7; bytes as usize - Header::SIZE])
}

#[test]
fn a_reserve_takes_half_a_segment_and_no_more() {
    let home = Home::new();
    let open = |reserve_bytes| {
        Writer::create_or_resume(&home.dir(), WriterOptions { reserve_bytes, ..home.on_disk() }).map(drop)
    };
    open(SEGMENT / 2).unwrap();
    for reserve_bytes in [SEGMENT / 2 + 64, SEGMENT] {
        let refused = open(reserve_bytes);
        let Err(OpenError::Options(why)) = &refused else { panic!("{refused:?}") };
        assert!(why.contains("reserve_bytes") && why.contains(&reserve_bytes.to_string()), "{why}");
    }
}

#[test]
fn a_record_takes_a_segment_beside_its_reserve_and_no_more() {
    const RESERVE: u32 = 8 << 10;
    let most = SEGMENT - HEADER_PAGE - RESERVE;
    let pages = Pages::new(SEGMENT);
    let mut writer = opened(&pages, RESERVE);
    for times in 1..=2 {
        let (header, body) = of(most);
        writer.append(&header, &body).unwrap();
        let (place, next) = (writer.position(), writer.next_seq());
        for bytes in [most + 64, most + RESERVE, SEGMENT] {
            let (header, body) = of(bytes);
            assert_eq!(writer.append(&header, &body), Err(Full::TooLarge), "{bytes} bytes");
            assert_eq!(writer.append_reserve(&header, &body), Err(Full::TooLarge), "{bytes} bytes");
            assert_eq!((writer.position(), writer.next_seq()), (place, next), "nothing was written");
        }
        assert_eq!(read_on(&mut Reader::over(pages.clone())).len(), times);
    }
}

/// The roll frame stands where it fits, to the last line of the segment; a reader goes on without one.
#[test]
fn a_segment_is_filled_to_the_brim() {
    for left in [0, 64, ROLL_BYTES, ROLL_BYTES + 64] {
        let pages = Pages::new(SEGMENT);
        let mut writer = opened(&pages, 0);
        let (header, body) = of(SEGMENT - HEADER_PAGE - left);
        for _ in 0..3 {
            writer.append(&header, &body).unwrap();
        }
        assert_eq!(writer.position().segment, 2, "{left} bytes are left each time");
        writer.flush_and_close().unwrap();
        assert_eq!(read_on(&mut Reader::over(pages)).len(), 3, "{left}");
    }
}

#[test]
fn one_segment_is_low_while_what_prepares_them_fails() {
    let pages = Pages::new(SEGMENT);
    let mut writer = opened(&pages, 0);
    append_made(&mut writer, 1);
    for (left, well, failing) in [
        (2, Pressure::Normal, Pressure::Normal),
        (1, Pressure::Normal, Pressure::Low),
        (0, Pressure::Low, Pressure::Low),
    ] {
        pages.set_capacity(1 + left);
        pages.sync().unwrap();
        assert_eq!((writer.pressure(), writer.is_disk_late()), (well, left == 0), "{left} left");
        pages.fail_once(0, 1);
        pages.sync().unwrap_err();
        assert_eq!((writer.pressure(), writer.is_disk_late()), (failing, false), "{left} left, and the disk fails");
    }
}

#[test]
fn a_segment_is_of_whole_pages_and_at_least_four() {
    let home = Home::new();
    for (segment_bytes, taken) in [(12 << 10, false), ((16 << 10) - 64, false), (18 << 10, false), (16 << 10, true)] {
        let options = home.on_disk().with_segment_bytes(segment_bytes);
        let opened = Writer::create_or_resume(&home.dir(), options).map(drop);
        match &opened {
            Ok(()) => assert!(taken, "{segment_bytes}"),
            Err(OpenError::Options(why)) => assert!(!taken && why.contains(&segment_bytes.to_string()), "{why}"),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A reader that met nothing looks again: a record that has come meanwhile is no hole, and beyond the memory there is none.
#[test]
fn a_second_look_sees_the_mark_and_the_record_that_came() {
    let (segment, (header, body)) = (Segment::heap(SEGMENT), of(128));
    segment.set_mark(7);
    assert_eq!(segment.look_again(HEADER_PAGE), (7, 0));
    let header = Header { len: 128, ..header };
    assert!(segment.put(HEADER_PAGE, &header, &body));
    assert_eq!(segment.look_again(HEADER_PAGE), (7, 128));
    assert_eq!([HEADER_PAGE + 4, SEGMENT, SEGMENT - 2].map(|offset| segment.look_again(offset)), [(7, 0); 3]);
    assert_eq!(segment.cut(HEADER_PAGE - 64).look_again(0), (0, 0), "without a page there is no mark");
}
