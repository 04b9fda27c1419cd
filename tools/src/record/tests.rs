//! The recorder without processes: nothing said is lost by what is dropped, ids last, and the report tells what is missing.

use super::contracts::Held;
use super::{Counts, Recorder, Report};
use shrike_config::tables::Tables;
use shrike_config::{Config, Record, Source};
use shrike_core::codes::{Exchange, PhaseKind, ProductClass, StageId};
use shrike_core::event::{DepthTick, Event, Gap, Header, InstrumentDef, MarketSlot, Phase, RunStart, Seq, Unchanged};
use shrike_core::instrument::InstrumentId;
use shrike_core::product::Product;
use shrike_core::units::{Nanos, Price, Text, TradingDay};
use shrike_core::venue::MarketFeed;
use shrike_feed::sim::market::{Generated, MarketOptions, MarketProduct};
use shrike_journal::{Reader, Writer, WriterOptions};
use std::path::Path;

fn config(overrides: &[&str]) -> Config {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect();
    Config::load(&Source { overrides, ..Source::default() }).unwrap().config
}

/// A start over the journal in `dir`, as the command makes it.
fn recorder(dir: &Path, config: &Config) -> Recorder {
    let options = WriterOptions { live_dir: None, ..WriterOptions::simulated(StageId::Feed, 1) };
    let (writer, _) = Writer::create_or_resume(dir, options.with_segment_bytes(1 << 20)).unwrap();
    let held = Held::read(dir).unwrap();
    let now = held.taken_ns;
    let mut recorder = Recorder::new(writer, dir.to_path_buf(), config, held);
    recorder.begin(now, &RunStart::default(), "").unwrap();
    recorder
}

fn def(source: u32, symbol: &str) -> InstrumentDef {
    InstrumentDef {
        instrument: InstrumentId::new(source),
        symbol: Text::new(symbol.as_bytes()).unwrap(),
        product: Text::new(b"rb").unwrap(),
        tick: Price::whole(1),
        multiplier: 10,
        exchange: Exchange::Shfe.code(),
        class: ProductClass::Future.code(),
        tradable: 1,
        ..InstrumentDef::default()
    }
}

const DAY: TradingDay = match TradingDay::new(20_240_603) {
    Some(day) => day,
    None => panic!(),
};

fn at(second: u32, millis: u32) -> Nanos {
    Nanos::china(DAY, second, millis * 1_000_000)
}

fn tick(source: u32, at: Nanos, last: i64) -> DepthTick {
    DepthTick {
        instrument: InstrumentId::new(source),
        trading_day: DAY,
        action_day: DAY,
        exch_ns: at,
        last: Price::whole(last),
        ..DepthTick::default()
    }
}

fn give<B: shrike_core::event::Body>(recorder: &mut Recorder, at: Nanos, body: &B) {
    let mut slot = MarketSlot::default();
    slot.put(body);
    slot.header_mut().recv_ns = at;
    recorder.take(at, &mut slot).unwrap();
}

/// A record of the journal, in the words of these tests.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few of them, in tests")]
enum Said {
    Def(u32, Text<40>),
    Tick(DepthTick),
    Phase(u32),
    Gap(Nanos, Nanos),
    Unchanged(Unchanged),
    Start,
    End,
}

fn said(dir: &Path) -> Vec<Said> {
    let (mut reader, mut said) = (Reader::open(dir).unwrap(), Vec::new());
    let mut taken_ns = Nanos::ABSENT;
    while let Some(record) = reader.next().unwrap() {
        assert!(record.header.taken_ns >= taken_ns, "time never goes back");
        taken_ns = record.header.taken_ns;
        said.push(match record.event() {
            Event::InstrumentDef(def) => Said::Def(def.instrument.get(), def.symbol),
            Event::DepthTick(tick) => Said::Tick(*tick),
            Event::Phase(phase) => Said::Phase(phase.instrument.get()),
            Event::Gap(gap) => Said::Gap(gap.start_ns, gap.end_ns),
            Event::Unchanged(unchanged) => Said::Unchanged(*unchanged),
            Event::RunStart(_) => Said::Start,
            Event::RunEnd(_) => Said::End,
            Event::Config(_) => continue,
            other => panic!("{other:?}"),
        });
    }
    said
}

#[test]
fn a_snapshot_without_news_is_counted_and_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path(), &config(&[]));
    give(&mut recorder, at(36_000, 0), &def(0, "rb2410"));
    let given = [
        (36_000, 500, 3_500), // the first
        (36_001, 0, 3_500),   // unchanged
        (36_001, 500, 3_500), // unchanged
        (36_002, 0, 3_501),   // changed
        (36_059, 500, 3_501), // unchanged, in the first minute
        (36_060, 0, 3_501),   // unchanged, in the next
        (36_061, 0, 3_500),   // changed
    ];
    for (second, millis, last) in given {
        give(&mut recorder, at(second, millis), &tick(0, at(second, millis), last));
    }
    // A phase begins, and a hole is told: what comes next is written though it says nothing new.
    give(&mut recorder, at(36_900, 0), &Phase { trading_day: DAY, phase: PhaseKind::Break.code(), ..Phase::default() });
    give(&mut recorder, at(37_800, 0), &tick(0, at(37_800, 0), 3_500));
    let hole = Gap { instrument: InstrumentId::NONE, start_ns: at(37_801, 0), ..Gap::default() };
    give(&mut recorder, at(37_802, 0), &hole);
    give(&mut recorder, at(37_803, 0), &tick(0, at(37_803, 0), 3_500));
    give(&mut recorder, at(37_804, 0), &tick(0, at(37_804, 0), 3_500));
    let counts = recorder.end(at(37_805, 0), 1).unwrap();

    let dropped = |first_ns, last_ns, count| {
        Said::Unchanged(Unchanged { trading_day: DAY, first_ns, last_ns, count, ..Unchanged::default() })
    };
    let written = |second, millis, last| Said::Tick(tick(0, at(second, millis), last));
    let expected = [
        Said::Start,
        Said::Def(0, Text::new(b"rb2410").unwrap()),
        written(36_000, 500, 3_500),
        dropped(at(36_001, 0), at(36_001, 500), 2),
        written(36_002, 0, 3_501),
        dropped(at(36_059, 500), at(36_059, 500), 1),
        dropped(at(36_060, 0), at(36_060, 0), 1),
        written(36_061, 0, 3_500),
        Said::Phase(0),
        written(37_800, 0, 3_500),
        Said::Gap(at(37_801, 0), Nanos::ABSENT),
        written(37_803, 0, 3_500),
        dropped(at(37_804, 0), at(37_804, 0), 1),
        Said::End,
    ];
    assert_eq!(said(dir.path()), expected);
    assert_eq!(counts, Counts { taken: 13, written: 8, unchanged: 5, unwanted: 0 });
}

/// splitmix64 (S. Vigna).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Whatever is given, a reader who fills forward sees what was given, at every snapshot's time; no snapshot is uncounted.
#[test]
fn filling_forward_gives_back_every_snapshot() {
    for seed in 0..60 {
        let mut draw = Draw(seed);
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = recorder(dir.path(), &config(&[]));
        for source in 0..3 {
            give(&mut recorder, at(36_000, 0), &def(source, &format!("rb24{source:02}")));
        }
        let (mut now, mut given) = (at(36_000, 0), Vec::new());
        for _ in 0..100 {
            now = now.after([0, 500, 500, 1_000, 30_000, 90_000][draw.below(6) as usize] * Nanos::PER_MILLI);
            let tick = tick(draw.below(3) as u32, now, 3_500 + draw.below(2) as i64);
            given.push(tick);
            give(&mut recorder, now, &tick);
        }
        recorder.end(now, 1).unwrap();
        let (mut written, mut counted) = (Vec::new(), 0);
        for said in said(dir.path()) {
            match said {
                Said::Tick(tick) => written.push(tick),
                Said::Unchanged(dropped) => {
                    counted += dropped.count;
                    assert_eq!(dropped.first_ns.get() / 60_000_000_000, dropped.last_ns.get() / 60_000_000_000);
                }
                _ => {}
            }
        }
        assert_eq!(written.len() as u64 + counted, given.len() as u64, "seed {seed}");
        let mut at = 0;
        let mut filled = [None; 3];
        for tick in &given {
            if written.get(at) == Some(tick) {
                filled[tick.instrument.index()] = Some(tick.last);
                at += 1;
            }
            assert_eq!(filled[tick.instrument.index()], Some(tick.last), "seed {seed}: {tick:?}");
        }
        assert_eq!(at, written.len(), "seed {seed}");
    }
}

#[test]
fn a_symbol_keeps_its_id_whatever_is_announced_around_it() {
    let dir = tempfile::tempdir().unwrap();
    let name = |symbol: &str| Text::new(symbol.as_bytes()).unwrap();
    let everything = config(&[]);
    // Given a first run with two contracts,
    let mut first = recorder(dir.path(), &everything);
    give(&mut first, at(36_000, 0), &def(0, "rb2410"));
    give(&mut first, at(36_000, 0), &def(1, "rb2501"));
    give(&mut first, at(36_001, 0), &tick(1, at(36_001, 0), 3_500));
    first.end(at(36_002, 0), 1).unwrap();
    // when a second one, which is killed, gets them in another order and one more between,
    let mut second = recorder(dir.path(), &everything);
    give(&mut second, at(36_010, 0), &def(0, "rb2412"));
    give(&mut second, at(36_010, 0), &def(1, "rb2410"));
    give(&mut second, at(36_011, 0), &tick(1, at(36_011, 0), 3_600));
    drop(second);
    drop(recorder(dir.path(), &everything)); // A start that is killed before it heard anything.
    // and a third one only some of them, again in another order,
    let mut third = recorder(dir.path(), &config(&["market.instruments=[\"*12\",\"*01\"]"]));
    give(&mut third, at(36_020, 0), &def(7, "rb2501"));
    give(&mut third, at(36_020, 0), &def(8, "rb2410"));
    give(&mut third, at(36_020, 0), &InstrumentDef { multiplier: 20, ..def(9, "rb2412") });
    for source in [7, 8, 9, 10, 70_000_000] {
        give(&mut third, at(36_021, 0), &tick(source, at(36_021, 0), 3_700));
    }
    let counts = third.end(at(36_022, 0), 1).unwrap();
    // then each keeps its id; a start says what the home knows, and of the hole before it.
    let of =
        |id, second, last| Said::Tick(DepthTick { instrument: InstrumentId::new(id), ..tick(0, at(second, 0), last) });
    let expected = [
        Said::Start,
        Said::Def(0, name("rb2410")),
        Said::Def(1, name("rb2501")),
        of(1, 36_001, 3_500),
        Said::End,
        Said::Start,
        Said::Def(0, name("rb2410")),
        Said::Def(1, name("rb2501")),
        Said::Gap(at(36_001, 0), Nanos::ABSENT),
        Said::Def(2, name("rb2412")),
        Said::Gap(at(36_001, 0), at(36_011, 0)),
        of(0, 36_011, 3_600),
        Said::Start,
        Said::Def(0, name("rb2410")),
        Said::Def(1, name("rb2501")),
        Said::Def(2, name("rb2412")),
        Said::Gap(at(36_011, 0), Nanos::ABSENT),
        Said::Start,
        Said::Def(0, name("rb2410")),
        Said::Def(1, name("rb2501")),
        Said::Def(2, name("rb2412")),
        Said::Gap(at(36_011, 0), Nanos::ABSENT),
        Said::Def(2, name("rb2412")),
        Said::Gap(at(36_011, 0), at(36_021, 0)),
        of(1, 36_021, 3_700),
        of(2, 36_021, 3_700),
        Said::End,
    ];
    assert_eq!(said(dir.path()), expected);
    assert_eq!(counts.unwanted, 4, "a contract that is not wanted, its snapshot, and two of contracts never announced");
    // The segments of earlier runs may be moved away.
    let held = Held::read(dir.path()).unwrap();
    for index in 0..3 {
        std::fs::remove_file(dir.path().join(shrike_journal::format::segment_file(index))).unwrap();
    }
    let alone = Held::read(dir.path()).unwrap();
    assert_eq!(alone.contracts.defs(), held.contracts.defs());
    assert_eq!((alone.last_source, alone.starts, alone.clean), (held.last_source, 4, true));
}

/// A generated trading day of one product through the recorder, without the snapshots that `lost` names.
fn day_without(dir: &Path, lost: impl Fn(Nanos) -> bool) -> (Report, Vec<Nanos>) {
    let tables = Tables::builtin().unwrap();
    let options = MarketOptions {
        first_day: DAY,
        days: 1,
        products: vec![MarketProduct::named("rb").unwrap()],
        breaker_per_mille: 0,
        ..MarketOptions::default()
    };
    let products: &[Product] = tables.products.as_slice();
    let mut feed = Generated::new(&options, &tables.sessions, products).unwrap();
    let mut recorder = recorder(dir, &config(&[]));
    let (mut slot, mut heard) = (MarketSlot::default(), Vec::new());
    loop {
        *slot.header_mut() = Header::default();
        if !feed.take(&mut slot) {
            break;
        }
        let (header, body) = (*slot.header(), slot.body().to_vec());
        if let Event::DepthTick(tick) = slot.event() {
            if lost(tick.exch_ns) {
                continue;
            }
            heard.push(tick.exch_ns);
        }
        assert!(slot.copy_from(&header, &body));
        recorder.take(header.recv_ns, &mut slot).unwrap();
    }
    recorder.end(at(62_000, 0), 1).unwrap();
    let bounds = Record { gap_ms: 60_000, open_within_ms: 5_000 };
    (Report::of(dir, &bounds, &tables.sessions, TradingDay::ABSENT).unwrap(), heard)
}

#[test]
fn the_report_of_a_whole_day_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (report, heard) = day_without(dir.path(), |_| false);
    assert!(!report.is_incomplete(), "{report}");
    let [day] = &report.days[..] else { panic!("{report}") };
    let [row] = &day.contracts[..] else { panic!("{report}") };
    assert_eq!((day.expected, day.present, row.ticks + row.unchanged), (1, 1, heard.len() as u64));
    // SHFE's rebar: 21:00-23:00, 09:00-10:15, 10:30-11:30, 13:30-15:00.
    assert_eq!((row.minutes_expected, row.minutes_present, row.opens_trusted), (345, 345, 345));
    assert_eq!((row.first, row.last), (heard[0], heard[heard.len() - 1]));
}

#[test]
fn a_day_under_way_is_expected_as_far_as_it_came() {
    // Given a journal that ends 5.5 minutes into the night, with a future of CFFEX, which has no night,
    let tables = Tables::builtin().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path(), &config(&[]));
    let night = |second, millis| Nanos::china(TradingDay::new(20_240_531).unwrap(), second, millis * 1_000_000);
    let index =
        InstrumentDef { product: Text::new(b"IF").unwrap(), exchange: Exchange::Cffex.code(), ..def(1, "IF2406") };
    give(&mut recorder, night(75_300, 0), &def(0, "rb2410"));
    give(&mut recorder, night(75_300, 0), &index);
    give(&mut recorder, night(75_300, 0), &def(2, "rb2501"));
    for step in 0..660 {
        let now = night(75_600 + step / 2, step % 2 * 500);
        give(&mut recorder, now, &tick(0, now, 3_500 + i64::from(step % 7)));
    }
    recorder.end(night(75_930, 0), 1).unwrap();
    // when it is reported, then six minutes were begun and heard, and who has not traded yet is not missed.
    let bounds = Record { gap_ms: 60_000, open_within_ms: 5_000 };
    let report = Report::of(dir.path(), &bounds, &tables.sessions, TradingDay::ABSENT).unwrap();
    let [day] = &report.days[..] else { panic!("{report}") };
    assert_eq!((day.expected, day.present, &day.silent[..]), (2, 1, &["rb2501".to_owned()][..]));
    let row = &day.contracts[0];
    assert_eq!((row.minutes_expected, row.minutes_present, row.longest_ms), (6, 6, 500));
    assert!(!report.is_incomplete());
}

#[test]
fn the_report_tells_what_is_missing() {
    // Given a day whose night was not recorded, nor the time from 10:40:30 to 10:43:10, nor the starts of 20 minutes,
    let dir = tempfile::tempdir().unwrap();
    let clock = |at: Nanos| at.china_second();
    let hole = |at: Nanos| (38_430..38_590).contains(&clock(at));
    let late = |at: Nanos| (48_600..49_800).contains(&clock(at)) && clock(at) % 60 < 8;
    let (report, heard) = day_without(dir.path(), |at| clock(at) > 68_400 || hole(at) || late(at));
    // when it is reported, then the night is missing, one gap is found between the snapshots around it,
    assert!(report.is_incomplete());
    let [day] = &report.days[..] else { panic!("{report}") };
    let [row] = &day.contracts[..] else { panic!("{report}") };
    let [night] = &row.missing_sessions[..] else { panic!("{report}") };
    assert_eq!((clock(night.from), clock(night.to)), (75_600, 82_800));
    let before = heard.iter().filter(|at| clock(**at) < 38_430).max().unwrap();
    let after = heard.iter().filter(|at| clock(**at) >= 38_590).min().unwrap();
    let gaps: Vec<_> = row.gaps.iter().map(|gap| (gap.from, gap.to)).collect();
    assert_eq!(gaps, [(night.from, night.to), (*before, *after)]);
    // the minutes without a snapshot are the night's and 10:41 and 10:42, and of the others 21 have no opening value.
    assert_eq!((row.minutes_expected, row.minutes_present), (345, 345 - 120 - 2));
    assert_eq!(row.minutes_present - row.opens_trusted, 20 + 1);
    let text = report.to_string();
    assert!(
        text.contains("no snapshot in the session from 2024-05-31 21:00:00.000 to 2024-05-31 23:00:00.000"),
        "{text}"
    );
    assert_eq!(serde_json::to_value(&report).unwrap()["days"][0]["contracts"][0]["minutes_present"], 223);
    // Of a day that the journal does not have there is nothing to tell.
    let other = TradingDay::new(20_240_604).unwrap();
    let tables = Tables::builtin().unwrap();
    let bounds = Record { gap_ms: 60_000, open_within_ms: 5_000 };
    assert!(Report::of(dir.path(), &bounds, &tables.sessions, other).unwrap().days.is_empty());
    assert_eq!(Held::read(dir.path()).unwrap().last_source.epoch(), Seq::ABSENT.epoch());
}
