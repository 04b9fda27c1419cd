//! The recording on small files that each show one habit of the venues. Damage is in `damage_tests`, the real files
//! in `real_tests`.

use super::*;
use shrike_config::tables::Tables;
use shrike_core::event::{Kind, Phase, read_body};
use shrike_core::units::{Price, Turnover};

pub(super) fn tables() -> Tables {
    Tables::builtin().unwrap()
}

pub(super) fn open(path: &Path) -> Result<Recording, RecordingError> {
    let tables = tables();
    Recording::open(path, tables.sessions, Arc::new(tables.products), Options::default())
}

pub(super) const HEADER: &str = "InstrumentID,TradingDay,ActionDay,UpdateTime,UpdateMillisec,LastPrice,Volume,Turnover,\
                                 AveragePrice,BidPrice1,BidVolume1,AskPrice1,AskVolume1,SettlementPrice,PreSettlementPrice\n";

/// A row around a price of 3000 with `volume` traded; the multiplier of `m`, `ru` and `SR` is 10.
pub(super) fn row(symbol: &str, trading_day: u32, action_day: u32, time: &str, volume: u32) -> String {
    let (clock, millis) = time.split_once('.').unwrap_or((time, "0"));
    let turnover = u64::from(volume) * 30_000;
    format!(
        "{symbol},{trading_day},{action_day},{clock},{millis},3000,{volume},{turnover},30000,2999,5,3001,7,N/A,2990\n"
    )
}

pub(super) fn csv(rows: &[String]) -> Vec<u8> {
    format!("{HEADER}{}", rows.concat()).into_bytes()
}

/// All that came out, and the feed at its end.
pub(super) struct Read {
    pub(super) feed: Recording,
    /// Time, kind, body.
    pub(super) events: Vec<(Nanos, u16, Vec<u8>)>,
}

impl Read {
    pub(super) fn bodies<B: Body>(&self) -> Vec<B> {
        let of_kind = self.events.iter().filter(|(_, kind, _)| *kind == B::KIND as u16);
        of_kind.map(|(_, _, body)| read_body(body)).collect()
    }

    fn times(&self) -> Vec<String> {
        self.bodies::<DepthTick>().iter().map(|tick| format!("{:.3}", tick.exch_ns)).collect()
    }

    fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.feed.skipped()
    }

    pub(super) fn errors(&self) -> Vec<String> {
        self.feed.errors().iter().map(|error| error.to_string()).collect()
    }
}

fn drain(mut feed: Recording) -> Read {
    let (mut slot, mut events, mut clock) = (MarketSlot::default(), Vec::new(), Nanos::ABSENT);
    while let Next::At(at) = feed.next() {
        assert!(at >= clock, "time goes back at {at}");
        clock = at;
        assert!(feed.take(&mut slot));
        assert_eq!(slot.header().recv_ns, at);
        events.push((at, slot.header().kind, slot.body().to_vec()));
    }
    assert!(!feed.take(&mut slot), "the end is the end");
    Read { feed, events }
}

pub(super) fn read_files(files: &[(&str, &[u8])]) -> Result<Read, RecordingError> {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    open(dir.path()).map(drain)
}

fn read_rows(rows: &[String]) -> Read {
    read_files(&[("a.csv", &csv(rows))]).unwrap()
}

#[test]
fn times_and_trading_days_by_exchange() {
    // Given the ways in which venues state the night of Friday 2018-10-12 and what follows,
    let cases = [
        (
            "SHFE gives the natural date",
            "ru1901",
            20181015,
            20181012,
            "21:30:00.500",
            "2018-10-12 21:30:00.500",
            20181015,
        ),
        ("DCE gives the trading day", "m1901", 20181015, 20181015, "21:30:00.500", "2018-10-12 21:30:00.500", 20181015),
        (
            "CZCE gives the natural date twice",
            "SR901",
            20181012,
            20181012,
            "21:30:00",
            "2018-10-12 21:30:00.000",
            20181015,
        ),
        ("by day all agree", "m1901", 20181015, 20181015, "09:30:00", "2018-10-15 09:30:00.000", 20181015),
    ];
    for (case, symbol, trading_day, action_day, time, natural, of_day) in cases {
        // when a row is read, then its time is natural and its trading day the exchange's.
        let read = read_rows(&[row(symbol, trading_day, action_day, time, 10)]);
        assert_eq!(read.times(), [natural], "{case}: {:?} {:?}", read.skipped(), read.errors());
        assert_eq!(read.bodies::<DepthTick>()[0].trading_day.get(), of_day, "{case}");
    }
}

#[test]
fn the_second_snapshot_of_a_czce_second_is_half_a_second_later() {
    let rows: Vec<String> = [("09:30:00", 10), ("09:30:00", 11), ("09:30:00", 11), ("09:30:01", 12)]
        .map(|(time, volume)| row("SR901", 20181012, 20181012, time, volume))
        .into();
    let read = read_rows(&rows);
    let expected = ["2018-10-12 09:30:00.000", "2018-10-12 09:30:00.500", "2018-10-12 09:30:01.000"];
    assert_eq!(read.times(), expected);
    assert_eq!(read.skipped(), [("duplicate", 1)]);
}

#[test]
fn turnover_has_the_multiplier_and_the_average_is_a_price() {
    let with = row("ru1901", 20181012, 20181012, "09:30:00", 10);
    let without = row("SR901", 20181012, 20181012, "09:30:00", 10).replace(",300000,30000,", ",30000,3000,");
    let no_average = row("m1901", 20181012, 20181012, "09:30:00", 10).replace(",30000,2999", ",,2999");
    let read = read_rows(&[with, without, no_average]);
    for tick in read.bodies::<DepthTick>() {
        assert_eq!(tick.turnover, Turnover::whole(300_000), "{}", tick.instrument);
        assert_eq!(tick.average, Price::whole(3_000), "{}", tick.instrument);
    }
    assert_eq!(read.bodies::<DepthTick>().len(), 3);
}

#[test]
fn what_is_missing_is_absent() {
    let dbl_max = format!("{:.2}", f64::MAX);
    let limit_up = row("m1901", 20181012, 20181012, "09:30:00", 10).replace("3001,7", &format!("{dbl_max},0"));
    let zeros = row("m1901", 20181012, 20181012, "09:30:01", 11).replace("2999,5,3001,7", "0.00,0,N/A,0");
    let huge = row("m1901", 20181012, 20181012, "09:30:02", 12).replace("360000", "99999999999999999");
    let read = read_rows(&[limit_up, zeros, huge]);
    let ticks: Vec<DepthTick> = read.bodies();
    assert_eq!((ticks[0].bids[0], ticks[0].asks[0]), (Price::whole(2_999), Price::ABSENT));
    assert_eq!((ticks[1].bids[0], ticks[1].asks[0]), (Price::ABSENT, Price::ABSENT));
    assert!(ticks.iter().all(|tick| tick.settlement.is_absent() && tick.bids[1].is_absent() && tick.open.is_absent()));
    assert!(ticks[2].turnover.is_absent(), "beyond the type");
    assert_eq!(read.skipped(), [("field-out-of-range", 1)]);
}

#[test]
fn rows_that_are_no_ticks_are_counted_by_reason() {
    let good = |time, volume| row("m1901", 20181012, 20181012, time, volume);
    let rows = [
        row("m1901", 20181012, 20181011, "15:00:00", 0),
        row("m1901", 20181012, 20181011, "19:22:55", 0),
        good("09:30:00", 10),
        good("09:30:00", 10),
        good("09:29:59", 11),
        good("09:30:01", 11).replace("2999", "29x9"),
        good("09:30:02", 11).replace("09:30:02", "09:61:02"),
        "m1901,20181012,20181012,09:30:03\n".to_owned(),
        row("zz9999", 20181012, 20181012, "09:30:04", 1),
        row("m1901", 20181013, 20181013, "09:30:05", 1),
        good("10:20:00", 12),
        good("11:30:00.500", 13),
        good("15:30:00", 14).replace("N/A", "3005"),
        "\n".to_owned(),
    ];
    let read = read_rows(&rows);
    let expected = [
        ("columns", 1),
        ("number", 1),
        ("time", 1),
        ("unknown-instrument", 1),
        ("not-trading-day", 1),
        ("stale", 2),
        ("out-of-session", 1),
        ("post-close", 1),
        ("duplicate", 1),
        ("time-back", 1),
    ];
    assert_eq!(read.skipped(), expected);
    assert_eq!(read.times(), ["2018-10-12 09:30:00.000", "2018-10-12 11:30:00.500"]);
    assert_eq!(read.feed.skips().unknown().get("zz9999"), Some(&1));
    let place = read.feed.skips().first(Skip::Number).unwrap();
    assert_eq!((place.file.as_str(), place.row), ("a.csv", 7));
    assert_eq!(read.bodies::<Settlement>()[0].settlement, Price::whole(3_005), "kept from after the close");
}

#[test]
fn a_day_without_a_calendar_is_told_once() {
    let rows = [
        row("m1901", 20181012, 20181012, "09:30:00", 1),
        row("m3501", 20340112, 20340112, "09:30:00", 1),
        row("m3501", 20340112, 20340112, "09:30:01", 2),
    ];
    let read = read_rows(&rows);
    assert_eq!(read.skipped(), [("no-calendar", 2)]);
    let errors = read.errors();
    assert!(errors.len() == 1 && errors[0].contains("a.csv: row 3") && errors[0].contains("20340112"), "{errors:?}");
}

#[test]
fn settlement_comes_from_the_day_else_the_next_day_else_the_average() {
    // Given three trading days: the first has a settlement price, the second only the third's word, the third none,
    let rows = [
        row("m1901", 20181010, 20181010, "14:59:59", 10).replace("N/A", "3011"),
        row("m1901", 20181011, 20181011, "14:59:59", 10).replace("2990", "3011"),
        row("m1901", 20181012, 20181012, "14:59:59", 10).replace("2990", "3022").replace(",300000,", ",300066,"),
    ];
    let read = read_rows(&rows);
    // then each is settled at 17:00, before the next day opens.
    let told: Vec<_> = read.bodies::<Settlement>();
    let prices: Vec<_> = told.iter().map(|settled| settled.settlement.to_string()).collect();
    assert_eq!(prices, ["3011", "3022", "3001"], "3000.66 is rounded to the tick of 1");
    assert_eq!(told.iter().map(|settled| settled.next_day.get()).collect::<Vec<_>>(), [20181011, 20181012, 20181015]);
    let at = read.events.iter().find(|(_, kind, _)| *kind == Kind::Settlement as u16).unwrap().0;
    assert_eq!(format!("{at:.0}"), "2018-10-10 17:00:00");
}

#[test]
fn phases_surround_the_ticks_of_each_recorded_day() {
    let read = read_rows(&[row("ru1901", 20181015, 20181012, "21:30:00", 10)]);
    let phases: Vec<Phase> = read.bodies();
    let told: Vec<String> = phases.iter().map(|phase| format!("{:.0} {}", phase.start_ns, phase.kind())).collect();
    assert_eq!(told.first().unwrap(), "2018-10-12 20:55:00 auction-orders");
    assert_eq!(told.last().unwrap(), "2018-10-15 15:00:00 shut");
    assert!(told.contains(&"2018-10-12 23:00:00 shut".to_owned()), "{told:?}");
    assert!(phases.iter().all(|phase| phase.trading_day.get() == 20181015));
    assert!(phases.windows(2).all(|pair| pair[0].end_ns == pair[1].start_ns), "without gaps");
}

#[test]
fn files_merge_by_time_whatever_they_are_called() {
    let one = csv(&[row("m1901", 20181012, 20181012, "09:30:00", 1), row("m1901", 20181012, 20181012, "09:30:02", 2)]);
    let other =
        csv(&[row("ru1901", 20181012, 20181012, "09:30:01", 1), row("ru1901", 20181012, 20181012, "09:30:03", 2)]);
    let read = read_files(&[("a.csv", &one), ("b.csv", &other)]).unwrap();
    let again = read_files(&[("z.csv", &one), ("y.csv", &other), ("README.txt", b"no recording")]).unwrap();
    let order: Vec<u32> = read.bodies::<DepthTick>().iter().map(|tick| tick.instrument.get()).collect();
    assert_eq!(order, [0, 1, 0, 1]);
    assert_eq!(read.times(), again.times());
    let ids: Vec<u32> = read.feed.instruments().map(|def| def.instrument.get()).collect();
    assert_eq!(ids, [0, 1], "dense");
    assert_eq!(
        read.feed.rates().map(|rates| (rates.instrument.get(), rates.assumed)).collect::<Vec<_>>(),
        [(0, 1), (1, 1)]
    );
}

#[test]
fn rows_of_many_contracts_may_be_a_little_late() {
    let rows = [
        row("m1901", 20181012, 20181012, "09:30:01", 1),
        row("ru1901", 20181012, 20181012, "09:30:00.500", 1),
        row("m1901", 20181012, 20181012, "09:30:30", 2),
        row("ru1901", 20181012, 20181012, "09:30:01", 2),
    ];
    let read = read_rows(&rows);
    assert_eq!(read.times(), ["2018-10-12 09:30:01.000", "2018-10-12 09:30:00.500", "2018-10-12 09:30:30.000"]);
    assert_eq!(read.skipped(), [("time-back", 1)], "29 seconds is beyond the bound");
}

#[test]
fn a_seek_gives_the_same_rest() {
    let rows: Vec<String> = (0..50).map(|n| row("m1901", 20181012, 20181012, &format!("09:30:{n:02}"), n)).collect();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.csv"), csv(&rows)).unwrap();
    let open = || open(dir.path()).unwrap();
    let whole = drain(open()).events;
    for count in [0, 1, 7, whole.len() - 1, whole.len()] {
        let mut feed = open();
        assert_eq!(feed.seek_events(count as u64), count as u64);
        assert_eq!(feed.delivered(), count as u64);
        assert!(drain(feed).events == whole[count..], "after {count} events");
    }
    let mut feed = open();
    let middle = whole[20].0;
    let passed = feed.seek_time(middle) as usize;
    assert!(whole[passed - 1].0 <= middle && whole[passed].0 > middle);
    assert_eq!(open().seek_events(1_000_000), whole.len() as u64, "no more than there is");
}

#[test]
fn a_feed_moves_to_the_edge_thread() {
    fn moves<T: Send>() {}
    moves::<Recording>();
    moves::<JournalFeed>();
}

#[test]
fn nothing_to_read_is_an_error_with_a_name() {
    let missing = open(Path::new("/nowhere/x.csv"));
    assert!(missing.err().unwrap().to_string().contains("/nowhere/x.csv"));
    let empty = read_files(&[("notes.txt", b"")]);
    assert!(empty.err().unwrap().to_string().contains("no recording here"));
    let foreign = read_files(&[("bars.csv", b"date,open\n1,2\n")]);
    assert!(foreign.err().unwrap().to_string().contains("bars.csv"));
}
