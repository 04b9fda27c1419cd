//! What a stage pays to journal an event: as fast as it can (closed loop), and at a steady rate while a thread copies,
//! syncs and prepares segments (open loop).

use crate::figures::Samples;
use crate::mechanics::batches;
use crate::place::Place;
use crate::{Host, Outcome};
use shrike_core::codes::StageId;
use shrike_core::event::{Body, DepthTick, Header, OrderUpdate};
use shrike_core::thread::{ThreadPlan, place};
use shrike_core::units::Nanos;
use shrike_journal::{Mapped, Syncing, Writer, WriterOptions};

/// Records of a closed loop's sample.
const BATCH: u64 = 16;
/// Bytes that a closed loop writes: within one segment, since it outruns any disk.
const CLOSED_BYTES: u64 = 192 << 20;
/// The open loop: one record every 5 us, 200,000 a second, for three seconds.
const INTERVAL_NS: u64 = 5_000;
const OPEN_RECORDS: u64 = 600_000;
/// Between two looks at the clock, nothing of ours takes this long: the host took the core away.
const STALL_NS: u64 = 1_000;
/// An append longer than the interval makes the records behind it wait.
const LONG_NS: u64 = INTERVAL_NS;
/// Its segments: 384-byte records fill one in 0.4 s.
const OPEN_SEGMENT_BYTES: u32 = 32 << 20;

/// Records of 128 bytes, as fast as possible.
pub fn closed_128(host: &mut Host) -> Outcome {
    closed::<OrderUpdate>(host)
}

/// Records of 384 bytes, as fast as possible.
pub fn closed_384(host: &mut Host) -> Outcome {
    closed::<DepthTick>(host)
}

/// Records of 128 bytes at 200,000 a second.
pub fn open_128(host: &mut Host) -> Outcome {
    open::<OrderUpdate>(host)
}

/// Records of 384 bytes at 200,000 a second.
pub fn open_384(host: &mut Host) -> Outcome {
    open::<DepthTick>(host)
}

fn closed<B: Body + Default>(host: &mut Host) -> Outcome {
    let options = WriterOptions::new(StageId::Order);
    // Populating three segments of the usual size takes longer than a short run.
    let options = if host.short { options.with_segment_bytes(OPEN_SEGMENT_BYTES) } else { options };
    let (_place, mut writer) = match journal(options) {
        Ok(journal) => journal,
        Err(why) => return Outcome::Absent(why),
    };
    let (header, body) = record::<B>();
    let samples = CLOSED_BYTES / u64::from(header.len) / BATCH;
    let mut full = None;
    let outcome = batches(host, samples, BATCH, || {
        if let Err(why) = writer.append(&header, bytemuck::bytes_of(&body)) {
            full = Some(why.to_string());
        }
    });
    full.map_or(outcome, Outcome::Absent)
}

/// From the moment a record is due to the moment it is in the journal, on a schedule that nothing shifts: the row's
/// figures, and its verdict. Beside them, in the note, the figures without the records that were late through the host (it
/// took the core away while the thread only waited, or in an append) or that waited behind such a record or a long append.
fn open<B: Body + Default + Send>(host: &mut Host) -> Outcome {
    let core = match host.spinning::<2>() {
        Ok([core, _]) => core,
        Err(why) => return Outcome::Absent(format!("the syncing thread takes turns with the appending one: {why}")),
    };
    let mut options = WriterOptions::new(StageId::Order).with_segment_bytes(OPEN_SEGMENT_BYTES);
    options.syncing = Syncing::EveryMs(10);
    // Before the thread is pinned: the journal's own thread must not inherit the core.
    let (_place, mut writer) = match journal(options) {
        Ok(journal) => journal,
        Err(why) => return Outcome::Absent(why),
    };
    let (header, body) = record::<B>();
    let (clock, records) = (host.clock.clone(), host.repetitions(OPEN_RECORDS));
    let append = move || {
        if let Some(denied) = place(&ThreadPlan { core: Some(core), ..ThreadPlan::default() }).first() {
            return Err(denied.to_string());
        }
        let (mut all, mut own) = (Samples::new(), Samples::new());
        let mut last = clock.now();
        let mut due = last.after(INTERVAL_NS);
        let (mut stalls, mut stalled_ns, mut long, mut preempted) = (0, 0, 0, preemptions());
        // Whether the record is late for something before it.
        let mut behind = false;
        while all.count() < records {
            behind &= last >= due;
            while last < due {
                std::hint::spin_loop();
                let now = clock.now();
                if now.since(last) > STALL_NS {
                    stalls += 1;
                    stalled_ns += now.since(last);
                    behind |= now > due;
                }
                last = now;
            }
            writer.append(&header, bytemuck::bytes_of(&body)).map_err(|full| full.to_string())?;
            let now = clock.now();
            let took_ns = now.since(last);
            last = now;
            if took_ns > STALL_NS {
                // Takes some microseconds, so it is read after slow appends only; the records behind pay for it.
                let count = preemptions();
                if count != preempted {
                    stalls += 1;
                    stalled_ns += took_ns;
                    preempted = count;
                    behind = true;
                }
                last = clock.now();
            }
            all.batch(now.since(due), 1);
            if !behind {
                own.batch(now.since(due), 1);
            }
            long += u64::from(took_ns > LONG_NS);
            behind |= took_ns > LONG_NS;
            due = due.after(INTERVAL_NS);
        }
        let (mut figures, rest) = (all.figures(1.0), own.figures(1.0));
        figures.note = Some(format!(
            "without {} of {records} records late through the host or behind another: {:.1} {:.1} {:.1}; {stalls} stalls, {} ms; \
             {long} appends above {} us",
            records - own.count(),
            rest.p50,
            rest.p99,
            rest.p999,
            stalled_ns / 1_000_000,
            LONG_NS / 1_000
        ));
        Ok(figures)
    };
    match std::thread::scope(|scope| scope.spawn(append).join()) {
        Ok(Ok(figures)) => Outcome::Measured(figures),
        Ok(Err(why)) => Outcome::Absent(why),
        Err(_) => Outcome::Absent(String::from("the appending thread panicked")),
    }
}

/// How often the kernel took the core from this thread, which was willing to go on.
fn preemptions() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let count = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// A journal in a new place, with its live segments in memory. The place outlives the writer.
fn journal(options: WriterOptions) -> Result<(Place, Writer<Mapped>), String> {
    let place = Place::new()?;
    let options = place.options(options);
    let (mut writer, _) = Writer::create_or_resume(place.path(), options).map_err(|error| error.to_string())?;
    if writer.storage().is_in_memory() {
        Ok((place, writer))
    } else {
        Err(String::from("needs a tmpfs with room for three segments"))
    }
}

fn record<B: Body + Default>() -> (Header, B) {
    let header = Header {
        len: (Header::SIZE + size_of::<B>()) as u32,
        kind: B::KIND as u16,
        version: B::VERSION,
        recv_ns: Nanos::new(1),
        taken_ns: Nanos::new(2),
        ..Header::default()
    };
    (header, B::default())
}
