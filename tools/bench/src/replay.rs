//! What a home costs to read again: verified, every output decided once more and compared; and recovered, its facts
//! folded into fresh stages.

use crate::order_path::order_stage;
use crate::{Host, Outcome, place, venue};
use shrike_config::tables::Tables;
use shrike_config::{Config, Source};
use shrike_core::codes::{OrderStatus, StageId};
use shrike_core::event::{Body, Event, Header, Kind, OrderRequest, Quote, Seq, TargetQuote, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Qty};
use shrike_engine::replay::{self, VerifyReport};
use shrike_engine::runtime::{OrderNode, StageJournal, StageLog, fold_order, journal_dir};
use shrike_engine::setup;
use shrike_engine::stage::Driver;
use shrike_journal::{Reader, Writer, WriterOptions};
use std::path::{Path, PathBuf};

/// Trading days of the generated market.
const DAYS: u64 = 4;
/// Passes over the journals; the fastest counts, for a shared host only ever slows one down.
const PASSES: u64 = 3;
const RECORDS: u64 = 10_000_000;
/// One in so many quotes starts an order's life.
const QUOTES_AN_ORDER: u64 = 200;

/// A generated market of some days, an EMA cross on every contract and the simulated exchange: run, then verified.
pub fn generated(host: &mut Host) -> Outcome {
    let days = if host.short { 1 } else { DAYS };
    let overrides = [
        String::from("market.kind=generated"),
        format!("generator.days={days}"),
        format!(
            "generator.products={}",
            if host.short { "[\"ru\"]" } else { "[\"rb\", \"IF\", \"ru\", \"m\", \"TA\"]" }
        ),
    ];
    verified(host, &overrides).unwrap_or_else(Outcome::Absent)
}

/// Recordings of two days, likewise.
pub fn recorded(host: &mut Host) -> Outcome {
    let data = std::env::var_os("SHRIKE_DATA").map(|data| PathBuf::from(data).join("ctp"));
    let Some(data) = data.filter(|data| data.is_dir()) else {
        return Outcome::Absent(String::from("no recordings: set SHRIKE_DATA to a directory with ctp/ in it"));
    };
    let days = if host.short { 1 } else { 2 };
    let overrides = [format!("market.data={}", data.display()), format!("run.days={days}")];
    verified(host, &overrides).unwrap_or_else(Outcome::Absent)
}

fn verified(host: &Host, overrides: &[String]) -> Result<Outcome, String> {
    let home = place::in_memory()?;
    let mut all = vec![format!("run.home={}", home.path().display()), String::from("journal.live_dir=")];
    all.extend_from_slice(overrides);
    let source = Source { profile: Some(String::from("backtest")), overrides: all, ..Source::default() };
    let loaded = Config::load(&source).map_err(|error| error.to_string())?;
    let tables = Tables::builtin().map_err(|error| error.to_string())?;
    (host.backtest)(&loaded, &tables)?;

    let dirs = ["signal", "order"].map(|name| journal_dir(home.path(), name));
    let [signal_dir, order_dir] = &dirs;
    let ticks = ticks(signal_dir)?;
    let mut fastest = [Took { cpu: u64::MAX, wall: u64::MAX }; 2];
    for _ in 0..if host.short { 1 } else { PASSES } {
        let (mut signal, mut order) = setup::stages(&loaded.config, &tables);
        let passes = [timed(host, || pass(signal_dir, &mut signal)), timed(host, || pass(order_dir, &mut order))];
        for (best, (took, report)) in fastest.iter_mut().zip(passes) {
            let report = report?;
            if report.differences > 0 {
                return Err(format!("{} of {} outputs differ", report.differences, report.outputs));
            }
            *best = Took { cpu: took.cpu.min(best.cpu), wall: took.wall.min(best.wall) };
        }
    }
    let per_tick = |ns: u64| ns as f64 / ticks as f64;
    let [signal_ns, order_ns] = fastest.map(|took| per_tick(took.cpu));
    let rate = 1_000.0 / (signal_ns + order_ns);
    let by_wall = 1_000.0 / fastest.map(|took| per_tick(took.wall)).iter().sum::<f64>();
    let note =
        format!("{ticks} ticks; signal {signal_ns:.0} ns, order {order_ns:.0} ns a tick; {by_wall:.2} M/s by the wall");
    Ok(Outcome::Rate(rate, note))
}

#[inline(never)]
fn pass(dir: &Path, stage: &mut impl shrike_engine::stage::Stage) -> Result<VerifyReport, String> {
    let whole = (Seq::ABSENT, Seq::ABSENT);
    let journal = Reader::open(dir).map_err(|error| error.to_string())?;
    replay::verify(journal, stage, whole, &mut |_| {}, &mut |_| {}).map_err(|error| error.to_string())
}

/// What `work` took, nanoseconds: of the processor, and by the wall's clock. On a shared host only the first is ours.
fn timed<T>(host: &Host, work: impl FnOnce() -> T) -> (Took, T) {
    let (start, cpu) = (host.clock.now(), cpu_ns());
    let done = work();
    let wall = host.clock.now().since(start);
    // The kernel counts in steps of some milliseconds: not for short work.
    let cpu = cpu.zip(cpu_ns()).map(|(before, after)| after.saturating_sub(before)).filter(|cpu| *cpu > 50_000_000);
    (Took { cpu: cpu.unwrap_or(wall), wall }, done)
}

#[derive(Clone, Copy)]
struct Took {
    cpu: u64,
    wall: u64,
}

/// Processor time of this thread: the first number of schedstat, nanoseconds. `None` where the kernel does not tell.
fn cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Source ticks of a signal journal. Reads it all: it is in the page cache from here on.
fn ticks(dir: &Path) -> Result<u64, String> {
    let mut reader = Reader::open(dir).map_err(|error| error.to_string())?;
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
