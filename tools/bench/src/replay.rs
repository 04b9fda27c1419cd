//! What a home costs to read again: verified, every output decided once more and compared; and recovered, its facts
//! folded into fresh stages.

use crate::order_path::order_stage;
use crate::{Host, Outcome, place, venue};
use rustix::time::{ClockId, clock_gettime};
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Source};
use shrike_core::codes::{OrderStatus, StageId};
use shrike_core::event::{Body, Event, Header, Kind, OrderRequest, Quote, Seq, TargetQuote, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Qty};
use shrike_engine::order::OrderStage;
use shrike_engine::replay::{self, VerifyReport};
use shrike_engine::runtime::{OrderNode, Quarantine, StageJournal, StageLog, fold_order, journal_dir};
use shrike_engine::setup;
use shrike_engine::signal::SignalStage;
use shrike_engine::stage::{Driver, Stage};
use shrike_journal::{Directory, Reader, Segment, Segments, Writer, WriterOptions};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Trading days of the generated market.
const DAYS: u64 = 4;
/// Runs over the journals, of which the median counts, and how often each goes over them.
const RUNS: usize = 5;
const PASSES: usize = 20;
const RECORDS: u64 = 10_000_000;
/// One in so many quotes starts an order's life.
const QUOTES_AN_ORDER: u64 = 200;

/// A generated market of some days, an EMA cross on every contract and the simulated exchange: run, then verified.
pub fn generated(host: &mut Host) -> Outcome {
    verified(host, &market(host)).unwrap_or_else(Outcome::Absent)
}

/// The same run itself, which writes both journals: the market's making, the exchange and the journals' thread included.
pub fn backtest(host: &mut Host) -> Outcome {
    written(host).unwrap_or_else(Outcome::Absent)
}

fn written(host: &Host) -> Result<Outcome, String> {
    let mut took = Vec::new();
    let mut ticks_of_run = 0;
    for _ in 0..if host.short { 1 } else { RUNS } {
        let (start, cpu) = (host.clock.now(), cpu_ns(ClockId::ProcessCPUTime));
        let run = Home::of(host, &market(host))?;
        took.push(Took { cpu: cpu_ns(ClockId::ProcessCPUTime) - cpu, wall: host.clock.now().since(start) });
        ticks_of_run = ticks(&Read::open(&run.journal("signal"))?)?;
    }
    took.sort_by_key(|took| took.cpu);
    let Some(median) = took.get(took.len() / 2) else { return Err(String::from("nothing was run")) };
    let [rate, by_wall] = [median.cpu, median.wall].map(|ns| ticks_of_run as f64 * 1_000.0 / ns as f64);
    Ok(Outcome::Rate(rate, format!("{ticks_of_run} ticks; {by_wall:.2} M/s by the wall")))
}

/// What the generated market is: five products over some days.
fn market(host: &Host) -> Vec<String> {
    let days = if host.short { 1 } else { DAYS };
    vec![
        String::from("market.kind=generated"),
        format!("generator.days={days}"),
        format!(
            "generator.products={}",
            if host.short { "[\"ru\"]" } else { "[\"rb\", \"IF\", \"ru\", \"m\", \"TA\"]" }
        ),
    ]
}

/// All recordings that there are, likewise.
pub fn recorded(host: &mut Host) -> Outcome {
    let data = std::env::var_os("SHRIKE_DATA").map(|data| PathBuf::from(data).join("ctp"));
    let Some(data) = data.filter(|data| data.is_dir()) else {
        return Outcome::Absent(String::from("no recordings: set SHRIKE_DATA to a directory with ctp/ in it"));
    };
    let mut overrides = vec![format!("market.data={}", data.display())];
    overrides.extend(host.short.then(|| String::from("run.days=1")));
    verified(host, &overrides).unwrap_or_else(Outcome::Absent)
}

/// A home that a back-test was run over, in memory, and what it was run with.
struct Home {
    place: TempDir,
    loaded: Loaded,
    tables: Tables,
}

impl Home {
    fn of(host: &Host, overrides: &[String]) -> Result<Self, String> {
        let place = place::in_memory()?;
        let mut all = vec![format!("run.home={}", place.path().display()), String::from("journal.live_dir=")];
        all.extend_from_slice(overrides);
        let source = Source { profile: Some(String::from("backtest")), overrides: all, ..Source::default() };
        let loaded = Config::load(&source).map_err(|error| error.to_string())?;
        let tables = Tables::builtin().map_err(|error| error.to_string())?;
        (host.backtest)(&loaded, &tables)?;
        Ok(Self { place, loaded, tables })
    }

    fn journal(&self, name: &str) -> PathBuf {
        journal_dir(self.place.path(), name)
    }
}

fn verified(host: &Host, overrides: &[String]) -> Result<Outcome, String> {
    let home = Home::of(host, overrides)?;
    let journals = Journals::read(home.place.path())?;
    let ticks = journals.ticks;
    let mut runs = [[Took::default(); 2]; RUNS];
    let (runs, passes) = if host.short { (runs.split_at_mut(1).0, 1) } else { (&mut runs[..], PASSES) };
    for [signal_took, order_took] in runs.iter_mut() {
        for _ in 0..passes {
            let [signal, order] = journals.verify(host, setup::stages(&home.loaded.config, &home.tables))?;
            signal_took.add(signal);
            order_took.add(order);
        }
    }
    let of = |time: fn(&Took) -> u64| move |run: &[Took; 2]| run.iter().map(time).sum::<u64>();
    runs.sort_by_key(of(|took| took.cpu));
    let Some(median) = runs.get(runs.len() / 2) else { return Err(String::from("nothing was run")) };
    let per_tick = |ns: u64| ns as f64 / (ticks * passes as u64) as f64;
    let [signal_ns, order_ns] = median.map(|took| per_tick(took.cpu));
    let rate = 1_000.0 / (signal_ns + order_ns);
    let by_wall = 1_000.0 / per_tick(of(|took| took.wall)(median));
    let note = format!(
        "{ticks} ticks {passes} times; signal {signal_ns:.0} ns, order {order_ns:.0} ns a tick; {by_wall:.2} M/s by the wall"
    );
    Ok(Outcome::Rate(rate, note))
}

/// The journals of both stages of a home, mapped and read once.
pub struct Journals {
    signal: Read,
    order: Read,
    /// Source ticks in them.
    pub ticks: u64,
}

impl Journals {
    /// Those of this home.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub fn read(home: &Path) -> Result<Self, String> {
        let [signal, order] = ["signal", "order"].map(|name| Read::open(&journal_dir(home, name)));
        let (signal, order) = (signal?, order?);
        let (ticks, _) = (ticks(&signal)?, ticks(&order)?);
        Ok(Self { signal, order, ticks })
    }

    /// Goes over both once, decides every output again and compares; what that took, by stage.
    ///
    /// # Errors
    /// How many outputs differ.
    pub fn verify(&self, host: &Host, stages: (SignalStage, OrderStage)) -> Result<[Took; 2], String> {
        let (mut signal, mut order) = stages;
        let (signal_took, signal_done) = timed(host, || pass(&self.signal, &mut signal));
        let (order_took, order_done) = timed(host, || pass(&self.order, &mut order));
        signal_done.and(order_done).map(|()| [signal_took, order_took])
    }
}

/// A journal whose segments are mapped once: whoever goes over it again opens no file and takes no page fault.
#[derive(Clone)]
struct Read {
    directory: Directory,
    segments: Vec<Option<Segment>>,
}

impl Read {
    fn open(dir: &Path) -> Result<Self, String> {
        let opened = || -> io::Result<Self> {
            let mut directory = Directory::open(dir)?;
            let last = directory.indices()?.into_iter().max().map_or(0, |last| last + 1);
            let segments = (0..last).map(|index| directory.segment(index)).collect::<io::Result<_>>()?;
            Ok(Self { directory, segments })
        };
        opened().map_err(|error| format!("{}: {error}", dir.display()))
    }
}

impl Segments for Read {
    fn indices(&mut self) -> io::Result<Vec<u32>> {
        Ok((0..).zip(&self.segments).filter(|(_, segment)| segment.is_some()).map(|(index, _)| index).collect())
    }

    fn segment(&mut self, index: u32) -> io::Result<Option<Segment>> {
        Ok(self.segments.get(index as usize).cloned().flatten())
    }

    fn segment_bytes(&mut self, index: u32) -> u64 {
        self.directory.segment_bytes(index)
    }

    fn file(&self, index: u32) -> PathBuf {
        self.directory.file(index)
    }
}

#[inline(never)]
fn pass(journal: &Read, stage: &mut impl Stage) -> Result<(), String> {
    let whole = (Seq::ABSENT, Seq::ABSENT);
    let report =
        replay::verify(Reader::over(journal.clone()), stage, whole, &Quarantine::default(), &mut |_| {}, &mut |_| {});
    let VerifyReport { outputs, differences, .. } = report.map_err(|error| error.to_string())?;
    if differences > 0 { Err(format!("{differences} of {outputs} outputs differ")) } else { Ok(()) }
}

/// What `work` took, and what it gave.
fn timed<T>(host: &Host, work: impl FnOnce() -> T) -> (Took, T) {
    let (start, cpu) = (host.clock.now(), cpu_ns(ClockId::ThreadCPUTime));
    let done = work();
    (Took { cpu: cpu_ns(ClockId::ThreadCPUTime) - cpu, wall: host.clock.now().since(start) }, done)
}

/// Nanoseconds of the processor, and by the wall's clock. On a shared host only the first are ours.
#[derive(Clone, Copy, Default)]
pub struct Took {
    /// Of the processor.
    pub cpu: u64,
    /// By the wall's clock.
    pub wall: u64,
}

impl Took {
    fn add(&mut self, more: Self) {
        self.cpu += more.cpu;
        self.wall += more.wall;
    }
}

/// Processor time of this thread, or of the process.
fn cpu_ns(of: ClockId) -> u64 {
    let time = clock_gettime(of);
    time.tv_sec.unsigned_abs() * Nanos::PER_SECOND + time.tv_nsec.unsigned_abs()
}

/// Source ticks of a signal journal. Reads it all: it is in the caches from here on.
fn ticks(journal: &Read) -> Result<u64, String> {
    let mut reader = Reader::over(journal.clone());
    let mut ticks = 0;
    while let Some(record) = reader.next().map_err(|error| error.to_string())? {
        ticks += u64::from(record.header.kind == Kind::DepthTick as u16 && !record.header.has(flags::OUTPUT));
    }
    Ok(ticks)
}

/// An order journal of quotes and of orders that are sent, taken and cancelled, read back into a fresh stage: recovery,
/// then the fold.
pub fn recovery(host: &mut Host) -> Outcome {
    recovered(host).unwrap_or_else(Outcome::Absent)
}

fn recovered(host: &Host) -> Result<Outcome, String> {
    let home = place::in_memory()?;
    let dir = home.path().join("order");
    let mut options = WriterOptions::simulated(StageId::Order, 1).with_segment_bytes(256 << 20);
    options.live_dir = None;
    let writer = || Writer::create_or_resume(&dir, options.clone()).map_err(|error| error.to_string());
    let mut node = Driver::new(order_stage(setup::ORDERS_MAX)?, StageLog::new(writer()?.0, false), Nanos::ABSENT);
    let bytes = fill(&mut node, host.repetitions(RECORDS))?;
    let records = node.counts.inputs + node.counts.outputs;
    let before = node.stage.ledger().order_count();
    node.log.close().map_err(|error| error.to_string())?;

    let mut stage = order_stage(setup::ORDERS_MAX)?;
    let (took, folded) = timed(host, || {
        let (writer, _) = writer()?;
        let folded = Reader::open(&dir).and_then(|journal| fold_order(journal, &mut stage));
        let folded = folded.map_err(|error| error.to_string());
        folded.map(|folded| (writer, folded))
    });
    let (writer, folded) = folded?;
    writer.flush_and_close().map_err(|error| error.to_string())?;
    if folded.records != records || stage.ledger().order_count() != before {
        return Err(format!("{} of {records} records came back", folded.records));
    }
    let rate = records as f64 * 1_000.0 / took.cpu as f64;
    let [seconds, by_wall] = [took.cpu, took.wall].map(|ns| ns as f64 / 1e9);
    let mean = bytes / records;
    let note = format!("{records} records of {mean} B mean in {seconds:.2} s, {by_wall:.2} s by the wall");
    Ok(Outcome::Rate(rate, note))
}

/// Journals about `records` records; how many bytes they are.
fn fill(node: &mut OrderNode, records: u64) -> Result<u64, String> {
    let mut edge = Edge { node, now: Nanos::new(1), bytes: 0, sent: None };
    for contract in 0..venue::CONTRACTS {
        edge.give(&venue::contract(contract))?;
    }
    edge.give(&venue::login())?;
    for contract in 0..venue::CONTRACTS {
        edge.give(&venue::rates(contract))?;
        edge.give(&venue::phase(contract))?;
    }
    edge.give(&venue::funds())?;
    edge.give(&venue::resync_end())?;
    let mut revision = 0;
    for number in 0.. {
        if edge.node.counts.inputs + edge.node.counts.outputs >= records {
            break;
        }
        let instrument = InstrumentId::new((number % u64::from(venue::CONTRACTS)) as u32);
        let bid = Price::whole(12_000 + (number / 16 % 64) as i64 * 5);
        let quote = Quote {
            instrument,
            trading_day: venue::day(),
            exch_ns: edge.now,
            bid,
            bid_qty: Qty::whole(3),
            ask: bid.plus(Price::whole(5)),
            ask_qty: Qty::whole(41),
            last: bid,
            volume: Qty::whole(number as i64),
            upper_limit: Price::whole(13_095),
            lower_limit: Price::whole(11_385),
        };
        edge.give(&quote)?;
        if number % QUOTES_AN_ORDER == 0 && edge.node.stage.ledger().has_room() {
            revision += 2;
            let wanted = TargetQuote {
                strategy: 1,
                instrument,
                revision,
                bid_lots: Lots::new(1),
                bid,
                ask: Price::ABSENT,
                ..TargetQuote::default()
            };
            edge.give(&wanted)?;
            let order = edge.sent.take().ok_or("a target led to no order")?;
            edge.give(&venue::report(&order, OrderStatus::Queued))?;
            edge.give(&TargetQuote { revision: revision + 1, bid: Price::ABSENT, bid_lots: Lots::ZERO, ..wanted })?;
            edge.give(&venue::report(&order, OrderStatus::Cancelled))?;
        }
    }
    Ok(edge.bytes)
}

/// Gives the order stage events one microsecond apart, and keeps the last request.
struct Edge<'a> {
    node: &'a mut OrderNode,
    now: Nanos,
    bytes: u64,
    sent: Option<OrderRequest>,
}

impl Edge<'_> {
    fn give<B: Body>(&mut self, body: &B) -> Result<(), String>
    where
        for<'b> Event<'b>: From<&'b B>,
    {
        self.now = self.now.after(1_000);
        let header = Header { kind: B::KIND as u16, version: B::VERSION, recv_ns: self.now, ..Header::default() };
        let (sent, bytes) = (&mut self.sent, &mut self.bytes);
        *bytes += (Header::SIZE + size_of::<B>()) as u64;
        let taken = self.node.take(self.now, &header, Event::from(body), |out| {
            *bytes += u64::from(out.header().len);
            if let Event::OrderRequest(request) = out.event() {
                *sent = Some(*request);
            }
        });
        taken.map_err(|full| full.to_string())
    }
}
