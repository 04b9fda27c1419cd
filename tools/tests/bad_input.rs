//! What people and disks do wrong, through the program as people run it: each gives a clear error or a counted skip,
//! nothing panics, and nothing that was recorded is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

use shrike_core::event::{DepthTick, Event, flags};
use shrike_engine::runtime::journal_dir;
use shrike_journal::{LOCK_FILE, Reader};
use shrike_tests::{configured, run};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const HEADER: &str = "InstrumentID,TradingDay,ActionDay,UpdateTime,UpdateMillisec,LastPrice,Volume,Turnover,\
                      AveragePrice,BidPrice1,BidVolume1,AskPrice1,AskVolume1,SettlementPrice,PreSettlementPrice\n";

/// One day of one product of the generated market.
const SMALL: [&str; 2] = ["run.topology=inline", "generator.products=[\"rb\"]"];

fn shrike(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shrike"));
    // Option quotes beside what a test looks at would only take time.
    command.env("SHRIKE_GENERATOR__BOARDS", "[]").args(args).arg("--home").arg(home).output().unwrap()
}

fn row(symbol: &str, day: u32, second: u32, volume: u32) -> String {
    let time = format!("{:02}:{:02}:{:02}", 9 + second / 3_600, second / 60 % 60, second % 60);
    let turnover = u64::from(volume) * 30_000;
    format!("{symbol},{day},{day},{time},0,3000,{volume},{turnover},30000,2999,5,3001,7,N/A,2990\n")
}

/// A quarter of an hour of a quiet morning.
fn good() -> Vec<String> {
    (0..900).map(|second| row("m1901", 20_181_011, second, second + 1)).collect()
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn csv(rows: &[String]) -> Vec<u8> {
    format!("{HEADER}{}", rows.concat()).into_bytes()
}

fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// A run over a recording; what it said.
fn run_over(home: &TempDir, data: &Path, code: i32) -> String {
    let args = ["run", "--profile", "backtest", "--speed", "max", "--data", data.to_str().unwrap()];
    let output = shrike(home.path(), &args);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// Snapshots in a home's signal journal.
fn ticks(home: &Path) -> Vec<DepthTick> {
    let mut reader = Reader::open(&journal_dir(home, "signal")).unwrap();
    let mut found = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        if let Event::DepthTick(tick) = record.event()
            && !record.header.has(flags::OUTPUT)
        {
            found.push(*tick);
        }
    }
    found
}

#[test]
fn rows_of_no_sense_are_skipped_and_counted() {
    let cases: [(&str, &str, String); 5] = [
        ("missing columns", "columns", "m1901,20181011,20181011,09:05:00\n".into()),
        ("letters in numbers", "number", row("m1901", 20_181_011, 300, 1).replace("2999", "twelve")),
        ("a time that goes back", "time-back", row("m1901", 20_181_011, 60, 302)),
        ("an unknown instrument", "unknown-instrument", row("zz1901", 20_181_011, 300, 1)),
        ("a day without a calendar", "no-calendar", row("m1901", 20_381_011, 300, 1)),
    ];
    for (case, reason, bad) in cases {
        let mut rows = good();
        rows.insert(301, bad);
        let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        file(data.path(), "m1901.csv", &csv(&rows));
        let text = run_over(&home, data.path(), 0);
        assert!(text.contains(&format!("skipped 1 rows: {reason}")), "{case}: {text}");
        assert_eq!(ticks(home.path()).len(), 900, "{case}: every good row was taken");
    }
}

#[test]
fn a_zip_that_breaks_off_gives_its_rows_and_says_so() {
    let mut rows = good();
    // Numbers that do not compress to nothing, so that the cut lies within rows.
    for (n, row) in rows.iter_mut().enumerate() {
        *row = row.replace("2999,5", &format!("2999,{}", n * 7_919 % 9_973 + 1));
    }
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("m1901.csv", options).unwrap();
    zip.write_all(&csv(&rows)).unwrap();
    let whole = zip.finish().unwrap().into_inner();
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    file(data.path(), "m1901.zip", &whole[..whole.len() / 2]);
    let text = run_over(&home, data.path(), 0);
    assert!(text.contains("m1901.zip") && text.contains("damaged"), "{text}");
    let taken = ticks(home.path()).len();
    assert!((100..900).contains(&taken), "{taken} rows stood before the cut");
}

#[test]
fn data_that_is_none_is_an_error_that_names_it() {
    let data = tempfile::tempdir().unwrap();
    let no_header = file(data.path(), "letter.csv", b"Dear sir,\nplease find enclosed\n");
    let missing = data.path().join("nowhere");
    let empty = tempfile::tempdir().unwrap();
    for (path, word) in [(&no_header, "header"), (&missing, "nowhere"), (&empty.path().to_owned(), "no recording")] {
        let home = tempfile::tempdir().unwrap();
        let text = run_over(&home, path, 2);
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_typo_in_a_configuration_names_the_place_and_the_nearest_key() {
    let dir = tempfile::tempdir().unwrap();
    let config = file(dir.path(), "desk.toml", b"[risk]\nmax_net_lotz = 5\n");
    let output = shrike(&dir.path().join("home"), &["run", "--profile", "demo", "--config", config.to_str().unwrap()]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in ["desk.toml", "2", "max_net_lotz", "max_net_lots"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!dir.path().join("home").exists(), "nothing was made");
}

/// The files of a journal; the lock only says who is here now.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut entries: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.retain(|path| path.is_file() && path.file_name().unwrap() != LOCK_FILE);
    entries.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn a_foreign_or_damaged_journal_is_refused_and_left_as_it_is() {
    let args: Vec<String> = ["run", "--profile", "demo"]
        .map(String::from)
        .into_iter()
        .chain(SMALL.iter().flat_map(|set| ["--set".into(), (*set).into()]))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 3] = [
        ("letters", |home| {
            let order = journal_dir(home, "order");
            for (path, bytes) in files(&order).iter().filter(|(path, _)| path.extension().is_some()) {
                std::fs::write(path, b"Dear sir, ".repeat(bytes.len() / 10)).unwrap();
            }
        }),
        ("the journal of another stage", |home| {
            let order = journal_dir(home, "order");
            std::fs::remove_dir_all(&order).unwrap();
            std::fs::create_dir(&order).unwrap();
            for (path, bytes) in files(&journal_dir(home, "signal")) {
                std::fs::write(order.join(path.file_name().unwrap()), bytes).unwrap();
            }
        }),
        ("a flipped bit", |home| {
            let (path, mut bytes) =
                files(&journal_dir(home, "order")).into_iter().max_by_key(|(_, b)| b.len()).unwrap();
            bytes[100_000] ^= 4;
            std::fs::write(path, bytes).unwrap();
        }),
    ];
    for (case, harm) in harms {
        let home = tempfile::tempdir().unwrap();
        run(&configured("demo", home.path(), &SMALL));
        harm(home.path());
        let before = files(&journal_dir(home.path(), "order"));
        let output = shrike(home.path(), &args);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{case}: {text}");
        assert!(text.contains("order"), "{case}: {text}");
        assert!(files(&journal_dir(home.path(), "order")) == before, "{case}: nothing was written");
    }
}

/// Needs a mount name space of its own with a small file system in it.
#[test]
fn a_full_disk_stops_the_engine_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        mount -t tmpfs -o size=8m none "$1" || exit 77
        run() { "$0" run --profile demo --topology inline --quiet --home "$1/home" --set journal.live_dir="$2" \
            --set journal.segment_mib=1 --set generator.products='["rb"]' 2>"$1/said"; }
        run "$1" "$2"; echo "run $?"; cat "$1/said"; rm "$1/said"
        "$0" verify --home "$1/home" >/dev/null; echo "verify $?"
        "$0" tail --home "$1/home" --json | wc -l
        mount -o remount,size=512m "$1"
        run "$1" "$2"; echo "again $?"; cat "$1/said"
        "$0" replay --verify --home "$1/home" >/dev/null; echo "replay $?"
    "#;
    for live_dir in ["", "/dev/shm"] {
        let Some(text) = in_mount_space("a_full_disk_stops_the_engine_and_loses_nothing", script, dir.path(), live_dir)
        else {
            return;
        };
        assert!(text.contains("run 2\n") && text.contains("room"), "{live_dir:?}: {text}");
        for fine in ["verify 0", "again 0", "replay 0"] {
            assert!(text.contains(fine), "{live_dir:?}: {fine}: {text}");
        }
    }
}

/// Two journals ask for six segments in memory; four fit.
#[test]
fn memory_without_room_for_a_segment_is_made_up_for_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        mkdir "$1/small" && mount -t tmpfs -o size=4m none "$1/small" || exit 77
        "$0" run --profile demo --topology inline --quiet --home "$1/home" --set journal.live_dir="$1/small" \
            --set journal.segment_mib=1 --set generator.products='["rb"]'; echo "run $?"
        "$0" status --home "$1/home"
        "$0" verify --home "$1/home" >/dev/null; echo "verify $?"
        "$0" replay --verify --home "$1/home" >/dev/null; echo "replay $?"
    "#;
    let test = "memory_without_room_for_a_segment_is_made_up_for_on_the_disk";
    let Some(text) = in_mount_space(test, script, dir.path(), "") else { return };
    for fine in ["run 0", "alarms of this run: none", "verify 0", "replay 0"] {
        assert!(text.contains(fine), "{fine}: {text}");
    }
}

/// What a script says in a mount name space of its own, with the program as `$0`, `dir` as `$1` and `more` as `$2`;
/// nothing where the host has no such thing.
fn in_mount_space(test: &str, script: &str, dir: &Path, more: &str) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_shrike")]).arg(dir).arg(more);
    command.env("SHRIKE_GENERATOR__BOARDS", "[]");
    match command.output() {
        Ok(output) if output.status.code() != Some(77) && output.status.code() != Some(1) => {
            let text = said(&output);
            println!("{more:?}: {text}");
            Some(text)
        }
        other => {
            let why = other.map_or_else(|error| error.to_string(), |output| said(&output));
            eprintln!("{test} skips: no mount name space here: {why}");
            None
        }
    }
}
