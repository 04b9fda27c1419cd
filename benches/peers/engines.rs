//! Whole engines over the same recorded ticks of one contract, two days of IF: ours, and vnpy, nautilus_trader and wtpy as
//! `tools/peers` sets them up. Each reads the ticks into memory first; only the run is timed, by the processor time of its
//! process, for on a shared host that alone is the engine's. All trade one strategy, an EMA cross in which every tick counts,
//! and must find the same crosses.
//!
//! Ours is shown twice. As a backtest, which writes both journals, asks its own exchange, and passes every check of the gate;
//! the peers keep no journal. And replayed: both journals read, checked, and every output decided again and compared.

use super::{Peer, median};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use shrike_bench::replay::Journals;
use shrike_bench::{Host, Outcome, place};
use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Source};
use shrike_core::codes::RequestKind;
use shrike_core::event::{Event, MarketSlot, flags};
use shrike_core::venue::{MarketFeed, Next};
use shrike_engine::runtime::journal_dir;
use shrike_engine::setup;
use shrike_journal::Reader;
use shrike_tools::{bench, compose};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Periods of the averages, in ticks of 500 ms: one minute, and a little over two.
const FAST: &str = "120";
const SLOW: &str = "260";
/// Runs of which the middle one counts, and how often one of ours reads its journals again.
const RUNS: u64 = 5;
const LOOPS: u64 = 20;
/// How many times as fast ours is to be.
const TIMES_ASKED: f64 = 50.0;

/// The rows.
pub fn rows() -> Vec<Peer> {
    vec![
        ("peer engines, IF ticks: ours, backtest", |host| ours(host, |ours, _, _| ours.backtest())),
        ("peer engines, IF ticks: ours, replayed", |host| ours(host, Ours::replay)),
        ("peer engines, IF ticks: wtpy", |host| theirs(host, "wtpy", "timed_wtpy.py")),
        ("peer engines, IF ticks: vnpy", |host| theirs(host, "vnpy", "timed_vnpy.py")),
        ("peer engines, IF ticks: nautilus_trader", |host| theirs(host, "nautilus_trader", "timed_nautilus.py")),
    ]
}

fn ours(host: &mut Host, rate: fn(&Ours, &Host, u64) -> Result<f64, String>) -> Outcome {
    let (runs, loops) = if host.short { (1, 1) } else { (RUNS, LOOPS) };
    let measured = Ours::new().and_then(|ours| {
        let rates: Result<Vec<f64>, String> = (0..runs).map(|_| rate(&ours, host, loops)).collect();
        Ok(Outcome::Rate(median(rates?), ours.done.to_string()))
    });
    measured.unwrap_or_else(Outcome::Absent)
}

fn theirs(host: &mut Host, peer: &str, script: &str) -> Outcome {
    if host.short {
        return Outcome::Absent(String::from("a short run starts no other engine"));
    }
    beside(host, peer, script).unwrap_or_else(Outcome::Absent)
}

/// The peer's runs, between runs of ours.
fn beside(host: &Host, peer: &str, script: &str) -> Result<Outcome, String> {
    let ours = Ours::new()?;
    let (mut replays, mut backtests) = (Vec::new(), Vec::new());
    let mut run_ours = || {
        for _ in 0..RUNS {
            replays.push(ours.replay(host, LOOPS)?);
            backtests.push(ours.backtest()?);
        }
        Ok::<_, String>(())
    };
    run_ours()?;
    let told = run_peer(peer, script)?;
    run_ours()?;
    let number = |name: &str| told[name].as_u64().ok_or(format!("{script} gives no {name}"));
    let seconds = |name: &str| {
        let all = told[name].as_array().map(|all| all.iter().filter_map(Value::as_f64).collect());
        all.map(median).filter(|seconds| *seconds > 0.0).ok_or(format!("{script} gives no {name}"))
    };
    let done = Done {
        ticks: number("ticks")?,
        crosses: number("crosses")?,
        orders: number("orders")?,
        fills: number("fills")?,
    };
    let rate = done.ticks as f64 / seconds("cpu_s")? / 1e6;
    let by_wall = done.ticks as f64 / seconds("wall_s")? / 1e6;
    let (replay, backtest) = (median(replays) / rate, median(backtests) / rate);
    let agrees = if done.crosses == ours.done.crosses { "as many as ours" } else { "NOT as many as ours" };
    let asked = if replay >= TIMES_ASKED { "kept" } else { "not kept" };
    Ok(Outcome::Rate(
        rate,
        format!(
            "{done}, crosses {agrees}; {by_wall:.2} M/s by the wall; ours replays {replay:.1} times as fast (asked: \
             {TIMES_ASKED}, {asked}), backtests {backtest:.1} times"
        ),
    ))
}

/// What an engine did with the ticks.
struct Done {
    ticks: u64,
    crosses: u64,
    orders: u64,
    fills: u64,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { ticks, crosses, orders, fills } = self;
        write!(f, "{ticks} ticks, {crosses} crosses, {orders} orders, {fills} fills")
    }
}

/// Our engine over the recordings, run once.
struct Ours {
    tables: Tables,
    loaded: Loaded,
    market: Vec<(Next, MarketSlot)>,
    done: Done,
    home: TempDir,
    /// Where the recordings are linked; the configuration names it.
    _recordings: TempDir,
}

impl Ours {
    fn new() -> Result<Self, String> {
        let (home, recordings) = (place::in_memory()?, recordings()?);
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let tables = Tables::builtin().map_err(|error| told(&error))?;
        let loaded = configured(home.path(), recordings.path())?;
        let mut feed = compose::market(&loaded.config, &tables).map_err(|error| told(&error))?;
        let mut market = Vec::new();
        loop {
            let (next, mut slot) = (feed.next(), MarketSlot::default());
            if !matches!(next, Next::At(_)) || !feed.take(&mut slot) {
                break;
            }
            market.push((next, slot));
        }
        let ticks = market.iter().filter(|(_, slot)| matches!(slot.event(), Event::DepthTick(_))).count() as u64;
        let mut ours = Self {
            done: Done { ticks, crosses: 0, orders: 0, fills: 0 },
            tables,
            loaded,
            market,
            home,
            _recordings: recordings,
        };
        bench::backtest_over(&ours.loaded, &ours.tables, &mut Prepared::new(&ours.market))?;
        let signal = Reader::open(&journal_dir(ours.home.path(), "signal"));
        let mut signal = signal.map_err(|error| error.to_string())?;
        while let Some(record) = signal.next().map_err(|error| error.to_string())? {
            let stated = record.header.has(flags::OUTPUT) && !record.header.has(flags::RESENT);
            ours.done.crosses += u64::from(stated && matches!(record.event(), Event::TargetPosition(_)));
        }
        let order = Reader::open(&journal_dir(ours.home.path(), "order"));
        let mut order = order.map_err(|error| error.to_string())?;
        while let Some(record) = order.next().map_err(|error| error.to_string())? {
            match record.event() {
                Event::OrderRequest(request) => {
                    ours.done.orders += u64::from(request.kind() == Some(RequestKind::Insert));
                }
                Event::Fill(_) if !record.header.has(flags::OUTPUT) => ours.done.fills += 1,
                _ => {}
            }
        }
        Ok(ours)
    }

    /// Million ticks a second of the journals, which are mapped and read before, each time over fresh stages.
    fn replay(&self, host: &Host, loops: u64) -> Result<f64, String> {
        let journals = Journals::read(self.home.path())?;
        let mut cpu_ns = 0;
        for _ in 0..loops {
            let [signal, order] = journals.verify(host, setup::stages(&self.loaded.config, &self.tables))?;
            cpu_ns += signal.cpu + order.cpu;
        }
        Ok((journals.ticks * loops) as f64 * 1e3 / cpu_ns as f64)
    }

    /// Million ticks a second of a backtest in a new home in memory, from its first event to its last. Reading the market
    /// and preparing the journals' files do not count, writing them does.
    fn backtest(&self) -> Result<f64, String> {
        let home = place::in_memory()?;
        let loaded = configured(home.path(), &self.loaded.config.market.data)?;
        let mut market = Prepared::new(&self.market);
        bench::backtest_over(&loaded, &self.tables, &mut market)?;
        let (start, end) = market.began_s.zip(market.ended_s).ok_or("the backtest did not reach the market's end")?;
        Ok(self.done.ticks as f64 / (end - start) / 1e6)
    }
}

/// A market from memory, which notes the processor time when it is first asked and when it ends.
struct Prepared<'a> {
    left: std::slice::Iter<'a, (Next, MarketSlot)>,
    began_s: Option<f64>,
    ended_s: Option<f64>,
}

impl<'a> Prepared<'a> {
    fn new(market: &'a [(Next, MarketSlot)]) -> Self {
        Self { left: market.iter(), began_s: None, ended_s: None }
    }
}

impl MarketFeed for Prepared<'_> {
    #[inline]
    fn next(&mut self) -> Next {
        let next = self.left.as_slice().first().map_or(Next::End, |(next, _)| *next);
        if self.began_s.is_none() {
            self.began_s = Some(cpu_s());
        }
        if next == Next::End && self.ended_s.is_none() {
            self.ended_s = Some(cpu_s());
        }
        next
    }

    #[inline]
    fn take(&mut self, slot: &mut MarketSlot) -> bool {
        let Some((_, event)) = self.left.next() else { return false };
        slot.copy_from(event.header(), event.body())
    }
}

/// Processor time of this process so far, all threads.
fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn configured(home: &Path, recordings: &Path) -> Result<Loaded, String> {
    let overrides = vec![
        format!("run.home={}", home.display()),
        format!("market.data={}", recordings.display()),
        String::from("journal.live_dir="),
        String::from("strategy.trend.params.bar_ms=0"),
        format!("strategy.trend.params.fast={FAST}"),
        format!("strategy.trend.params.slow={SLOW}"),
        String::from("strategy.trend.params.urgency=aggressive"),
    ];
    let source = Source { profile: Some(String::from("backtest")), overrides, ..Source::default() };
    Config::load(&source).map_err(|error| error.to_string())
}

/// The shared data's folder of CTP recordings.
fn data() -> Result<PathBuf, String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("SHRIKE_DATA").map_or_else(beside, PathBuf::from).join("ctp");
    data.canonicalize().map_err(|_| String::from("no recordings: set SHRIKE_DATA to a directory with ctp/ in it"))
}

/// A folder with the recordings of the one contract.
fn recordings() -> Result<TempDir, String> {
    let links = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut linked = 0;
    for file in std::fs::read_dir(data()?).map_err(|error| error.to_string())?.flatten() {
        if file.file_name().to_string_lossy().starts_with("CFFEX.IF.HOT_tick_") {
            let link = links.path().join(file.file_name());
            std::os::unix::fs::symlink(file.path(), link).map_err(|error| error.to_string())?;
            linked += 1;
        }
    }
    if linked > 0 {
        Ok(links)
    } else {
        Err(String::from("no recordings CFFEX.IF.HOT_tick_*.csv.gz in SHRIKE_DATA's ctp/"))
    }
}

/// Runs a peer's script in its own environment, in a directory that is gone afterwards; what it told.
fn run_peer(peer: &str, script: &str) -> Result<Value, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let root = std::env::var_os("SHRIKE_PEERS").map_or_else(|| target.join("peers"), PathBuf::from);
    let root = root.canonicalize().map_err(|_| String::from("not set up: run tools/peers"))?;
    let python = root.join(peer).join("bin/python");
    if !python.is_file() {
        let why = std::fs::read_to_string(root.join(format!("{peer}.why")));
        return Err(why.map_or(String::from("not set up: run tools/peers"), |why| why.trim().to_owned()));
    }
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    // vnpy keeps its settings in the directory that has this one, else in the user's home.
    std::fs::create_dir(place.path().join(".vntrader")).map_err(|error| error.to_string())?;
    let script = workspace().join("benches/peers").join(script);
    let mut command = Command::new(python);
    command.args(["-B", "-W", "ignore"]).arg(script).arg(data()?).current_dir(place.path());
    command.args(["--bar-ms", "0", "--fast", FAST, "--slow", SLOW, "--passes", &RUNS.to_string()]);
    let output = command.output().map_err(|error| error.to_string())?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let told = said.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    told.ok_or_else(|| format!("it failed: {}", errors.lines().last().unwrap_or("it said nothing")))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
