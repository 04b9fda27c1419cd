//! A counter and an engine as two processes that know each other through CTP's binary interface alone: `shrike exchange
//! --listen`, and `shrike run` with the stand-in library. The market goes as fast as both follow.

use shrike_core::event::Kind;
use shrike_core::ledger::{Capacity, Ledger};
use shrike_core::units::Nanos;
use shrike_engine::runtime::journal_dir;
use shrike_journal::Reader;
use shrike_tests::books::{self, Books};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Any free port.
pub const ANY: &str = "127.0.0.1:0";
/// What is still open then, the stop has to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one run is like.
pub struct Day<'a> {
    /// The library's version.
    pub version: &'a str,
    /// The faults of the counter.
    pub faults: &'a str,
    /// Products of the generated market.
    pub products: &'a str,
    /// Milliseconds between its snapshots.
    pub snapshot_ms: u32,
    /// Its trading days.
    pub days: u32,
    /// More settings of the engine.
    pub settings: &'a [&'a str],
    /// The exchange's process is killed whenever its journal has so many fills, and started again on its home.
    pub kills: &'a [usize],
}

impl Default for Day<'_> {
    fn default() -> Self {
        Self {
            version: "6.7.13",
            faults: "",
            products: "[\"rb\"]",
            snapshot_ms: 4_000,
            days: 1,
            settings: &[],
            kills: &[],
        }
    }
}

/// What a run was.
pub struct Traded {
    /// The books, which agree.
    pub books: Books,
    /// What the exchange said: its faults, among others.
    pub exchange_said: String,
}

impl Day<'_> {
    /// Trades until the market is over, stops the engine, and compares the books.
    pub fn trade(&self) -> Traded {
        let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [home, exchange_home] = homes.each_ref().map(TempDir::path);
        let (mut exchange, address) = self.exchange(exchange_home, "2", ANY);
        let mut engine = Process::start(&mut self.engine(home, &address), home);
        for &fills in self.kills {
            exchange.until_fills(exchange_home, fills);
            exchange.kill();
            (exchange, _) = self.exchange(exchange_home, "2", &address);
        }
        let end = exchange.until_over(exchange_home, &mut engine);
        engine.until(home, "signal", end);
        engine.until_quiet(home);
        let engine_said = engine.stop();
        let exchange_said = exchange.end();
        println!("{exchange_said}{engine_said}");
        let books = books::agree(home, exchange_home);
        Traded { books, exchange_said }
    }

    /// Records the market of these contracts until it is over; what the recorder said, its report among it.
    pub fn record(&self, symbols: &str) -> String {
        let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [home, exchange_home] = homes.each_ref().map(TempDir::path);
        let (mut exchange, address) = self.exchange(exchange_home, "1", ANY);
        let mut settings = counter(&address);
        settings.push(format!("ctp.subscribe={symbols}"));
        let mut recorder = shrike("record");
        recorder.args(["--speed", "max", "--home"]).arg(home).env("SHRIKE_LOGIN__PASSWORD", "shrike");
        let mut recorder = Process::start(set(&mut recorder, &settings), home);
        let end = exchange.until_over(exchange_home, &mut recorder);
        // Nothing but snapshots come from a front, and the last one is a little older.
        recorder.until(home, "market", Nanos::new(end.get() - 60 * Nanos::PER_SECOND));
        let said = recorder.stop();
        exchange.end();
        said
    }

    /// The counter, waiting for so many clients, and its address.
    pub fn exchange(&self, home: &Path, clients: &str, listen: &str) -> (Process, String) {
        let market = [
            format!("generator.products={}", self.products),
            format!("generator.snapshot_ms={}", self.snapshot_ms),
            format!("generator.days={}", self.days),
            "journal.segment_mib=4".to_owned(),
        ];
        let faults = home.join("faults.txt");
        std::fs::write(&faults, self.faults).unwrap();
        let mut exchange = shrike("exchange");
        exchange.args(["--speed", "max", "--listen", listen, "--clients", clients, "--home"]).arg(home);
        exchange.args(["--until-over", "--pause-us", "300", "--window", "16", "--faults"]).arg(&faults);
        let mut exchange = Process::start(set(&mut exchange, &market), home);
        let address = exchange.address(home);
        (exchange, address)
    }

    pub fn engine(&self, home: &Path, address: &str) -> Command {
        let mut settings = counter(address);
        settings.extend([
            "ctp.app_id=shrike_test".to_owned(),
            "ctp.query_spacing_ms=0".to_owned(),
            "ctp.rates_spacing_ms=0".to_owned(),
            "ctp.backoff_min_ms=1".to_owned(),
            "ctp.backoff_max_ms=100".to_owned(),
            "risk.cancels_per_day=100000".to_owned(),
            "risk.orders_per_day=100000".to_owned(),
            "risk.product.IF.cancels_per_day=100000".to_owned(),
            "journal.segment_mib=4".to_owned(),
            // Time is the market's, which runs a thousand times faster than answers travel.
            "orders.ack_timeout_ms=120000".to_owned(),
            "orders.query_timeout_ms=120000".to_owned(),
            // What waits in the ring is the market's lead.
            "rings.market=64".to_owned(),
        ]);
        settings.extend(self.settings.iter().map(|text| (*text).to_owned()));
        let mut command = shrike("run");
        command.args(["--speed", "max", "--topology", "inline", "--quiet", "--home"]).arg(home);
        command.env("SHRIKE_LOGIN__PASSWORD", "shrike").env("SHRIKE_LOGIN__AUTH_CODE", "0000000000000000");
        command.env("SHRIKE_STANDIN_VERSION", self.version).env("SHRIKE_STANDIN_RECONNECT_MS", "50");
        set(&mut command, &settings);
        command
    }
}

/// Where the counter is, and who logs in.
fn counter(address: &str) -> Vec<String> {
    let library = library().display().to_string();
    let fronts = |name: &str| format!("ctp.{name}_fronts=[\"tcp://{address}\"]");
    vec![
        "market.kind=ctp".to_owned(),
        format!("ctp.md_library={library}"),
        format!("ctp.trader_library={library}"),
        fronts("md"),
        fronts("trader"),
        "login.broker_id=9999".to_owned(),
        "login.user_id=shrike".to_owned(),
    ]
}

/// The stand-in, which cargo has put beside this test.
fn library() -> PathBuf {
    let beside = std::env::current_exe().unwrap();
    let library = beside.parent().unwrap().join("libshrike_standin.so");
    assert!(library.is_file(), "{}: no stand-in library", library.display());
    library
}

fn shrike(command: &str) -> Command {
    let mut shrike = Command::new(env!("CARGO_BIN_EXE_shrike"));
    shrike.args([command, "--profile", "demo"]).env("SHRIKE_GENERATOR__BOARDS", "[]").stdin(Stdio::null());
    shrike
}

fn set<'a>(command: &'a mut Command, settings: &[String]) -> &'a mut Command {
    command.args(settings.iter().flat_map(|setting| ["--set", setting]))
}

/// A process whose words go to a file.
pub struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, home: &Path) -> Self {
        let said = home.join("said.txt");
        let file = std::fs::File::create(&said).unwrap();
        let child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().expect("the shrike binary starts");
        Self { child, said }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.said).unwrap()).into_owned()
    }

    /// It has not ended by itself.
    pub fn assert_runs(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended with {ended:?}: {}", self.said());
    }

    fn address(&mut self, home: &Path) -> String {
        loop {
            match std::fs::read_to_string(home.join("listen")) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => self.assert_runs(),
            }
            std::thread::yield_now();
        }
    }

    /// Waits until a journal has the market at a time.
    fn until(&mut self, home: &Path, journal: &str, end: Nanos) {
        let mut reader = Reader::open(&journal_dir(home, journal)).unwrap();
        loop {
            match reader.next().unwrap() {
                Some(record) if record.header.recv_ns >= end => return,
                Some(_) => {}
                None => {
                    self.assert_runs();
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Waits until the exchange's journal has so many fills.
    fn until_fills(&mut self, home: &Path, fills: usize) {
        let mut reader = Reader::open(&journal_dir(home, "exchange")).unwrap();
        let mut seen = 0;
        while seen < fills {
            match reader.next().unwrap() {
                Some(record) => seen += usize::from(record.header.kind == Kind::Fill as u16),
                None => {
                    self.assert_runs();
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Ends it with SIGKILL, in the middle of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the engine's orders have ended.
    fn until_quiet(&mut self, home: &Path) {
        let mut ledger = Ledger::new(Capacity { instruments: 64, orders: 1 << 16, strategies: 8 });
        let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
        let began = Instant::now();
        loop {
            match reader.next().unwrap() {
                Some(record) => _ = ledger.apply(record.header, record.event()),
                None if ledger.live_count() == 0 || began.elapsed() > PATIENCE => return,
                None => {
                    self.assert_runs();
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Waits until the exchange's journal says that the market is over; when its last session shut.
    fn until_over(&mut self, home: &Path, engine: &mut Self) -> Nanos {
        let mut reader = Reader::open(&journal_dir(home, "exchange")).unwrap();
        let mut shut = Nanos::ABSENT;
        loop {
            match reader.next().unwrap() {
                Some(record) if record.header.kind == Kind::RunEnd as u16 => return shut,
                Some(record) if record.header.kind == Kind::Phase as u16 => shut = record.header.recv_ns,
                Some(_) => {}
                None => {
                    self.assert_runs();
                    engine.assert_runs();
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Ends it with SIGTERM, in order.
    pub fn stop(mut self) -> String {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "told to stop, it ends well, not with {status}: {}", self.said());
        self.said()
    }

    /// Waits until it ends by itself, well or not: its code, and what it said.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        (status.code(), self.said())
    }

    /// Waits until it ends by itself.
    fn end(mut self) -> String {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "it ends well, not with {status}: {}", self.said());
        self.said()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
