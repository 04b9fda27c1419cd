//! Libraries that are not what they should be, compiled at test time: each is refused with words that say why.

// Lints know test functions as tests, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod packages;

use packages::{run, skip};
use shrike_core::clock::{Clock, Tsc};
use shrike_core::ring::ring;
use shrike_core::thread::ThreadPlan;
use shrike_core::units::Nanos;
use shrike_feed::ctp::abi::{Connection, Library, LibraryError, Side, Trader, Version};
use shrike_feed::ctp::api::{Credentials, TraderApi};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A library with these static functions of the trading class; `None`, with the reason printed, without a compiler.
fn compiled(folder: &Path, functions: &str) -> Option<PathBuf> {
    if let Err(why) = run(Command::new("g++").arg("--version")) {
        skip(&why);
        return None;
    }
    let (source, library) = (folder.join("library.cpp"), folder.join("library.so"));
    let class = format!("#include <unistd.h>\nstruct CThostFtdcTraderApi {{ {functions} }};");
    // Static functions of a class are exported once something refers to them.
    let uses = "void *uses[] = { (void *) &CThostFtdcTraderApi::GetApiVersion };";
    std::fs::write(&source, format!("{class}\n{uses}\n")).unwrap();
    run(Command::new("g++").args(["-shared", "-fPIC", "-w", "-o"]).args([&library, &source])).unwrap();
    Some(library)
}

fn trader(library: PathBuf, folder: &Path) -> Trader {
    let connection = Connection {
        library,
        fronts: vec!["tcp://127.0.0.1:1".into()],
        flow: folder.join("flow"),
        production: true,
        credentials: Credentials { broker_id: "9999".into(), user_id: "1".into(), ..Credentials::default() },
        thread: ThreadPlan::default(),
    };
    Trader::open(connection, Clock::Wall(Tsc::calibrate()), ring(2, 0).0).unwrap()
}

#[test]
fn an_unknown_version_is_refused_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let functions = r#"static const char *GetApiVersion() { return "v6.6.9_20220914 10:00:00"; }"#;
    let Some(library) = compiled(folder.path(), functions) else { return };
    let error = Library::open(&library, Side::Trader).err().unwrap();
    assert!(matches!(error, LibraryError::Version { .. }), "{error}");
    let words = error.to_string();
    assert!(words.contains("v6.6.9_20220914"), "{words}");
    assert!(Version::ALL.iter().all(|version| words.contains(version.name())), "{words}");
}

#[test]
fn a_library_without_a_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let functions = "static const char *GetApiVersion() { return nullptr; }";
    let Some(library) = compiled(folder.path(), functions) else { return };
    let error = Library::open(&library, Side::Trader).err().unwrap();
    assert_eq!(error, LibraryError::Version { path: library, found: String::new() });
}

#[test]
fn a_library_without_a_factory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let functions = r#"static const char *GetApiVersion() { return "v6.7.7_20240607"; }"#;
    let Some(library) = compiled(folder.path(), functions) else { return };
    let error = Library::open(&library, Side::Trader).err().unwrap();
    assert!(error.to_string().contains("_ZN19CThostFtdcTraderApi19CreateFtdcTraderApiEPKc"), "{error}");
}

#[test]
fn a_factory_that_gives_nothing_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let functions = r#"
        __attribute__((used)) static void *CreateFtdcTraderApi(const char *, bool) { return nullptr; }
        static const char *GetApiVersion() { return (void) &CreateFtdcTraderApi, "v6.7.11_20250617"; }
    "#;
    let Some(library) = compiled(folder.path(), functions) else { return };
    let mut trader = trader(library, folder.path());
    assert_eq!(trader.library().version(), Version::V6_7_11);
    let words = trader.start().unwrap_err();
    assert!(words.contains("gave no object") && words.contains("flow"), "{words}");
    assert_eq!(trader.login(1), -1, "nothing runs");
    trader.stop();
}

#[test]
fn a_slow_release_does_not_hold_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    // An object whose functions do nothing, but for the first, which is `Release`.
    let functions = r#"
        static void nothing() {}
        static void release(void *) { usleep(700000); }
        __attribute__((used)) static void *CreateFtdcTraderApi(const char *, bool) {
            static void *table[200], *object = table;
            for (auto &slot : table) slot = (void *) &nothing;
            table[0] = (void *) &release;
            return &object;
        }
        static const char *GetApiVersion() { return (void) &CreateFtdcTraderApi, "v6.7.11_20250617"; }
    "#;
    let Some(library) = compiled(folder.path(), functions) else { return };
    let (mut trader, clock) = (trader(library, folder.path()), Tsc::calibrate());
    for _ in 0..2 {
        // A start waits for the release before it.
        trader.start().unwrap();
        let began = clock.now();
        trader.stop();
        assert!(clock.now().since(began) < 600 * Nanos::PER_MILLI, "the release takes 700 ms");
        assert!(!trader.is_stopped());
        assert_eq!(trader.login(1), -1, "nothing runs");
    }
    let began = clock.now();
    while !trader.is_stopped() {
        assert!(clock.now().since(began) < 60 * Nanos::PER_SECOND);
        std::thread::yield_now();
    }
}
