//! The binding with the vendor's own libraries, which are fetched at test time. There is no front to log in to: what can
//! be shown is that a library loads, says its version, connects, falls silent where nobody listens, tells of a lost
//! connection, and is released. Each case runs in a process of its own, which must end by itself.

// Lints know test functions as tests, not the functions that they share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packages;

use packages::{Libraries, cache, libraries, skip};
use shrike_core::clock::{Clock, Tsc};
use shrike_core::codes::{Exchange, Offset, OrderType, TimeInForce};
use shrike_core::ring::{Consumer, market_ring, ring};
use shrike_core::thread::{ThreadPlan, cores};
use shrike_core::units::{Lots, Price, Text};
use shrike_feed::ctp::abi::{Connection, Md, Side, Trader};
use shrike_feed::ctp::abi::{Library, LibraryError, OpenError};
use shrike_feed::ctp::api::{CancelOrder, Credentials, MarketApi, NewOrder, Query, TraderApi};
use shrike_feed::ctp::callback::{Callback, What};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::Duration;

/// Releases of the wheel, and what their libraries say of their version.
const RELEASES: [(&str, &str); 2] = [("6.7.7.post1", "v6.7.7_20240607"), ("6.7.13", "v6.7.13_20260225")];
/// Where a case's child process learns what to do.
const CASE: &str = "SHRIKE_CTP_CASE";
/// CTP's number for a request without a connection.
const NO_CONNECTION: i32 = -1;
const SECOND: u64 = 1_000_000_000;

#[test]
fn a_closed_port_is_silence_until_our_own_time_out() {
    for_each_release("closed");
}

#[test]
fn a_front_that_hangs_up_is_a_disconnect() {
    for_each_release("hang-up");
}

#[test]
fn the_library_of_the_other_side_is_refused() {
    let Some((libraries, _)) = fetched(RELEASES[1]) else { return };
    let error = Library::open(&libraries.market, Side::Trader).err().unwrap();
    assert!(matches!(error, LibraryError::Symbol { .. }), "{error}");
    assert!(error.to_string().contains("is not CTP's trading library"), "{error}");
}

#[test]
fn what_is_no_library_is_refused() {
    let connection = Connection { library: "/nowhere/libthosttraderapi_se.so".into(), ..connection("127.0.0.1:1") };
    let error = Trader::open(connection, clock(), ring(2, 0).0).err().unwrap();
    assert!(matches!(error, OpenError::Library(LibraryError::Load { .. })), "{error}");
    assert!(error.to_string().contains("/nowhere/libthosttraderapi_se.so"), "{error}");
}

#[test]
fn credentials_that_do_not_fit_are_refused_before_anything_is_loaded() {
    let mut connection = connection("127.0.0.1:1");
    connection.credentials.broker_id = "12345678901".to_owned();
    assert_eq!(Trader::open(connection, clock(), ring(2, 0).0).err(), Some(OpenError::Credentials));
}

fn fetched(release: (&str, &'static str)) -> Option<(Libraries, &'static str)> {
    libraries(release.0)
        .map_err(|why| skip(&format!("CTP's libraries {}: {why}", release.0)))
        .ok()
        .map(|libraries| (libraries, release.1))
}

fn for_each_release(case: &str) {
    for release in RELEASES {
        let Some((libraries, words)) = fetched(release) else { return };
        for (side, library) in [("trader", &libraries.trader), ("market", &libraries.market)] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child", "--nocapture"])
                .env(CASE, format!("{case}|{side}|{}|{words}", library.display()))
                .output()
                .unwrap();
            let (says, errs) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{case} {side} {words}: {}\n{says}\n{errs}", output.status);
            assert!(says.contains(&format!("{case} {side} is done")), "{case} {side} {words}\n{says}\n{errs}");
        }
    }
}

/// What the child processes run; nothing when it is run as a test like the others.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    let mut parts = case.split('|');
    let mut part = || parts.next().unwrap().to_owned();
    let (case, side, library, words) = (part(), part(), part(), part());
    match case.as_str() {
        "closed" => closed(&side, &library, &words),
        _ => hang_up(&side, &library, &words),
    }
    // Written at once: the library has its own notion of standard output.
    println!("{case} {side} is done");
}

fn closed(side: &str, library: &str, words: &str) {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let before = threads().len();
    let flow = tempfile::tempdir_in(cache().unwrap()).unwrap();
    let mut connection = connection(&format!("127.0.0.1:{port}"));
    (connection.library, connection.flow) = (library.into(), flow.path().join("made"));
    let (mut binding, mut callbacks) = Binding::open(side, connection);
    assert!(binding.words().starts_with(words), "{}", binding.words());
    // Twice, as each trading session does.
    for _ in 0..2 {
        binding.start();
        assert_eq!(first(&mut callbacks, SECOND / 4), None, "nobody listens");
        assert!(threads().len() > before, "it tries");
        assert_eq!(binding.requests(), BTreeSet::from([NO_CONNECTION]));
        binding.stop();
        assert!(eventually(5 * SECOND, || threads().len() == before), "a released library has no threads");
    }
    assert!(std::fs::read_dir(flow.path().join("made")).unwrap().count() > 0, "its files are in the flow directory");
}

fn hang_up(side: &str, library: &str, words: &str) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let front = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut hello = [0; 4];
        peer.read_exact(&mut hello).unwrap();
        hello
    });
    let flow = tempfile::tempdir_in(cache().unwrap()).unwrap();
    let mut connection = connection(&format!("127.0.0.1:{port}"));
    (connection.library, connection.flow) = (library.into(), flow.path().to_owned());
    // The edge is pinned; its library's threads must not be, but for the one that is asked for.
    let all = cores();
    let (edge, library_core) = (all[0], all[all.len() - 1]);
    connection.thread.core = Some(library_core);
    let (mut binding, mut callbacks) = Binding::open(side, connection);
    assert!(binding.words().starts_with(words), "{}", binding.words());
    let pinned = shrike_core::thread::spawn(ThreadPlan { core: Some(edge), ..ThreadPlan::default() }, move || {
        let before = threads();
        binding.start();
        let told = first(&mut callbacks, 20 * SECOND).expect("the front hangs up");
        assert_eq!(told.what, What::Disconnected { reason: 0x1001 }, "without a word of a connection before");
        assert!(binding.denied().is_empty());
        let theirs: Vec<_> = threads().into_iter().filter(|(thread, _)| !before.contains_key(thread)).collect();
        let pinned = theirs.iter().filter(|(_, allowed)| *allowed == 1).count();
        let free = theirs.iter().filter(|(_, allowed)| *allowed == all.len()).count();
        assert!(all.len() == 1 || (pinned == 1 && free == theirs.len() - 1), "only the callback thread: {theirs:?}");
        binding.stop();
    });
    pinned.unwrap().handle.join().unwrap();
    let hello = front.join().unwrap();
    assert_eq!(hello[..2], [0, 6], "the library spoke first");
}

/// Either library.
enum Binding {
    Trader(Trader),
    Market(Md),
}

impl Binding {
    fn open(side: &str, connection: Connection) -> (Self, Consumer<Callback>) {
        let (producer, consumer) = ring(64, 0);
        let binding = if side == "trader" {
            Self::Trader(Trader::open(connection, clock(), producer).unwrap())
        } else {
            let (market, _) = market_ring(64, 0, 1);
            Self::Market(Md::open(connection, clock(), producer, market).unwrap())
        };
        (binding, consumer)
    }

    fn words(&self) -> &str {
        match self {
            Self::Trader(trader) => trader.library().words(),
            Self::Market(market) => market.library().words(),
        }
    }

    fn denied(&self) -> &[shrike_core::thread::Denied] {
        match self {
            Self::Trader(trader) => trader.counts().denied(),
            Self::Market(market) => market.counts().denied(),
        }
    }

    /// What the requests answer, all made once.
    fn requests(&mut self) -> BTreeSet<i32> {
        let symbol = &b"rb2505"[..];
        match self {
            Self::Trader(trader) => {
                let queries = [
                    Query::Instruments,
                    Query::Orders,
                    Query::Trades,
                    Query::Positions,
                    Query::Funds,
                    Query::MarginRate(symbol),
                    Query::CommissionRate(symbol),
                ];
                let mut answers: BTreeSet<_> = queries.into_iter().map(|query| trader.query(1, query)).collect();
                let (exchange, order_ref, side) = (Exchange::Shfe, 1, shrike_core::codes::Side::Buy);
                let (offset, order_type, tif) = (Offset::Open, OrderType::Limit, TimeInForce::Day);
                let (price, lots) = (Price::whole(3_500), Lots::new(1));
                let order = NewOrder { symbol, exchange, order_ref, side, offset, order_type, tif, price, lots };
                let (front_id, session_id, order_sys_id) = (1, 1, Text::EMPTY);
                let cancel = CancelOrder { symbol, exchange, order_ref, front_id, session_id, order_sys_id };
                answers.extend([trader.authenticate(1), trader.login(1), trader.confirm(1)]);
                answers.extend([trader.insert(1, &order), trader.cancel(1, &cancel)]);
                answers
            }
            Self::Market(market) => BTreeSet::from([market.login(1), market.subscribe(&[symbol, b"IF2503"])]),
        }
    }

    fn start(&mut self) {
        match self {
            Self::Trader(trader) => trader.start().unwrap(),
            Self::Market(market) => market.start().unwrap(),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Trader(trader) => trader.stop(),
            Self::Market(market) => market.stop(),
        }
    }
}

fn connection(front: &str) -> Connection {
    Connection {
        library: Default::default(),
        fronts: vec![format!("tcp://{front}")],
        flow: std::env::temp_dir(),
        production: true,
        credentials: Credentials { broker_id: "9999".into(), user_id: "1".into(), ..Credentials::default() },
        thread: ThreadPlan::default(),
    }
}

fn clock() -> Clock {
    Clock::Wall(Tsc::calibrate())
}

/// The first callback within so many nanoseconds.
fn first(callbacks: &mut Consumer<Callback>, within_ns: u64) -> Option<Callback> {
    let mut told = None;
    eventually(within_ns, || callbacks.take_batch(1, |callback| told = Some(*callback)) == 1);
    told
}

/// Whether something becomes true in time.
fn eventually(within_ns: u64, mut is_true: impl FnMut() -> bool) -> bool {
    let clock = clock();
    let end = clock.now().after(within_ns);
    loop {
        if is_true() {
            return true;
        }
        if clock.now() >= end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// The process's threads, and on how many cores each may run.
fn threads() -> BTreeMap<u32, usize> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter_map(|task| {
            let status = std::fs::read_to_string(task.path().join("status")).ok()?;
            let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:"))?;
            let cores = allowed.chars().filter_map(|digit| digit.to_digit(16)).map(u32::count_ones).sum::<u32>();
            Some((task.file_name().to_string_lossy().parse().ok()?, cores as usize))
        })
        .collect()
}
