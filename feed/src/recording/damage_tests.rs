//! The recording on archives, on broken downloads and on damaged bytes.

use super::tests::{HEADER, csv, read_files, row};
use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip of these entries; `streamed` leaves the sizes out of the headers, as writers to a pipe do.
fn zip_of(entries: &[(&str, &[u8])], streamed: bool) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    if streamed {
        let mut writer = zip::ZipWriter::new_stream(Vec::new());
        for (name, bytes) in entries {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        return writer.finish().unwrap().into_inner();
    }
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Two days of many rows, whose bytes do not repeat too well.
fn two_days() -> [Vec<u8>; 2] {
    [20181011, 20181012].map(|day| {
        let rows: Vec<String> = (0..1_500u32)
            .map(|n| {
                let time = format!("{:02}:{:02}:{:02}", 13 + (30 * 60 + n) / 3600, (30 + n / 60) % 60, n % 60);
                let depth = n.wrapping_mul(2_654_435_761) % 9_973 + 1;
                row("m1901", day, day, &time, n).replace("2999,5", &format!("2999,{depth}"))
            })
            .collect();
        csv(&rows)
    })
}

#[test]
fn archives_hold_what_plain_files_hold() {
    let [one, two] = two_days();
    let plain = read_files(&[("1.csv", &one), ("2.csv", &two)]).unwrap();
    assert_eq!(plain.bodies::<DepthTick>().len(), 3_000);
    let entries: [(&str, &[u8]); 2] = [("2.csv", &two), ("1.csv", &one)];
    for (case, archive) in [("sized", zip_of(&entries, false)), ("streamed", zip_of(&entries, true))] {
        let read = read_files(&[("both.zip", &archive)]).unwrap();
        assert!(read.events == plain.events, "{case}: {:?}", read.errors());
        assert!(read.feed.errors().is_empty(), "{case}: {:?}", read.errors());
    }
    let read = read_files(&[("1.csv.gz", &gz(&one)), ("2.CSV.GZ", &gz(&two))]).unwrap();
    assert!(read.events == plain.events);
}

#[test]
fn a_broken_download_gives_what_arrived_and_an_error() {
    let [one, two] = two_days();
    let whole: Vec<DepthTick> = read_files(&[("1.csv", &one), ("2.csv", &two)]).unwrap().bodies();
    let entries: [(&str, &[u8]); 2] = [("1.csv", &one), ("2.csv", &two)];
    for streamed in [false, true] {
        let archive = zip_of(&entries, streamed);
        let cut = &archive[..archive.len() * 3 / 4];
        let read = read_files(&[("cut.zip", cut)]).unwrap();
        let ticks: Vec<DepthTick> = read.bodies();
        assert!(ticks.len() > 1_500 && ticks.len() < 3_000, "{}", ticks.len());
        assert!(ticks == whole[..ticks.len()], "what arrived is delivered as it was");
        let errors = read.errors();
        assert!(errors.iter().any(|error| error.contains("cut.zip") && error.contains("directory")), "{errors:?}");
        assert!(errors.iter().any(|error| error.contains("cut.zip/2.csv: damaged after row")), "{errors:?}");
    }
    let packed = gz(&one);
    let read = read_files(&[("1.csv.gz", &packed[..packed.len() / 2])]).unwrap();
    let ticks: Vec<DepthTick> = read.bodies();
    assert!(!ticks.is_empty() && ticks == whole[..ticks.len()]);
    let errors = read.errors();
    assert!(errors.len() == 1 && errors[0].contains("1.csv.gz: damaged after row"), "{errors:?}");
}

#[test]
fn a_file_without_a_whole_header_does_not_keep_the_others() {
    let cut = read_files(&[("cut.csv.gz", &gz(HEADER.as_bytes())[..5])]);
    assert!(cut.err().unwrap().to_string().contains("cut.csv.gz"));
    let good = csv(&[row("m1901", 20181012, 20181012, "09:30:00", 1)]);
    let beside = read_files(&[("a.csv", &good), ("cut.csv.gz", &gz(HEADER.as_bytes())[..5])]).unwrap();
    assert_eq!(beside.bodies::<DepthTick>().len(), 1, "a broken file does not keep the others");
    assert!(beside.errors()[0].contains("cut.csv.gz"), "{:?}", beside.errors());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut anywhere, overwritten anywhere: no panic, times in order, and what comes out of a cut file is a beginning of
    /// what the whole one gives.
    #[test]
    fn damage_never_panics(cut in 0usize..20_000, hits in proptest::collection::vec((0usize..20_000, any::<u8>()), 0..20), kind in 0..3) {
        let [one, _] = two_days();
        let one = &one[..one.len().min(20_000)];
        let (name, mut bytes) = match kind {
            0 => ("x.csv", one.to_vec()),
            1 => ("x.csv.gz", gz(one)),
            _ => ("x.zip", zip_of(&[("x.csv", one)], false)),
        };
        let whole: Vec<DepthTick> = read_files(&[(name, &bytes)]).unwrap().bodies();
        bytes.truncate(cut % bytes.len());
        if let Ok(read) = read_files(&[(name, &bytes)]) {
            let ticks: Vec<DepthTick> = read.bodies();
            // A cut may shorten the last number of a plain file's last row; it is a row all the same.
            let sure = ticks.len().saturating_sub(1);
            prop_assert!(ticks[..sure] == whole[..sure]);
        }
        for (at, byte) in hits {
            let len = bytes.len();
            if let Some(place) = bytes.get_mut(at % len.max(1)) {
                *place = byte;
            }
        }
        let _ = read_files(&[(name, &bytes)]);
    }
}
