//! `shrike doctor ctp` as far as the login and the first snapshot, with the stand-in for the vendor's libraries.
#![allow(
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    reason = "lints know tests, not what they share"
)]

mod kit;

use shrike_tools::config::Sources;
use shrike_tools::doctor::{CtpArgs, Findings, State, examine};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A secret in a file of mode 0600.
fn secret(room: &Path, name: &str, text: &str) -> String {
    let file = room.join(name);
    fs::write(&file, text).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    file.display().to_string()
}

/// What the doctor finds of a desk that is well but for what `changes` says.
fn examined(room: &Path, address: &str, changes: &[String]) -> Findings {
    let library = kit::library().display().to_string();
    let mut overrides = vec![
        format!("ctp.trader_library={library}"),
        format!("ctp.md_library={library}"),
        format!("ctp.trader_fronts=[\"tcp://{address}\"]"),
        format!("ctp.md_fronts=[\"tcp://{address}\"]"),
        "ctp.app_id=shrike_test".to_owned(),
        "login.broker_id=9999".to_owned(),
        "login.user_id=shrike".to_owned(),
        format!("login.password_file={}", secret(room, "password", "shrike")),
        format!("login.auth_code_file={}", secret(room, "code", "0000000000000000")),
    ];
    overrides.extend_from_slice(changes);
    let args = CtpArgs {
        sources: Sources { overrides, ..Sources::default() },
        home: Some(room.join("home")),
        no_login: false,
        contract: Some("rb2410".to_owned()),
        timeout_ms: 30_000,
        json: false,
    };
    examine(&args).unwrap_or_else(|error| panic!("{error}"))
}

/// The state of a check, what was found, and what to do.
fn check<'a>(findings: &'a Findings, name: &str) -> (State, &'a str, &'a str) {
    let check = findings.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{findings}"));
    (check.state, &check.found, &check.remedy)
}

fn room(name: &str) -> PathBuf {
    let room = Path::new(kit::ROOM).join(name);
    let _ = fs::remove_dir_all(&room);
    fs::create_dir_all(&room).expect("a directory");
    room
}

#[test]
fn a_desk_that_is_well_logs_in_and_sees_the_market() {
    let (room, address) = (room("doctor-well"), kit::listen("doctor-well-x", &["--speed", "60"]));
    let findings = examined(&room, &address, &[]);
    let (state, found, _) = check(&findings, "trader library");
    assert!(state == State::Ok && found.starts_with("v6.7.13_"), "{findings}");
    for login in ["trader login", "md login"] {
        let (state, found, _) = check(&findings, login);
        assert!(state == State::Ok && found.starts_with("trading day 20240603, front 1, session "), "{findings}");
    }
    let (state, found, _) = check(&findings, "first snapshot of rb2410");
    assert!(state == State::Ok && found.starts_with("last price "), "{findings}");
    // Both connections are given up at the end.
    let began = Instant::now();
    while !kit::control(&address, "status").starts_with("ok: 0 connections") {
        assert!(began.elapsed() < Duration::from_secs(30), "a connection is left");
        std::thread::yield_now();
    }
}

#[test]
fn a_wrong_password_is_sent_once_and_no_more_often_than_an_engine_may() {
    let (room, address) = (room("doctor-wrong"), kit::listen("doctor-wrong-x", &["--speed", "60"]));
    let wrong = [format!("login.password_file={}", secret(&room, "wrong", "sesame"))];
    for asked in 1..=5 {
        let findings = examined(&room, &address, &wrong);
        let (state, found, remedy) = check(&findings, "trader login");
        assert_eq!(state, State::Mend, "{findings}");
        if asked <= 2 {
            assert!(found.starts_with("error 3: "), "{findings}");
            assert!(remedy.contains("check login.user_id and the password"), "{remedy}");
        } else {
            assert!(found.contains("refused-logins.trader: the counter has refused this password"), "{findings}");
        }
        assert_eq!(check(&findings, "first snapshot"), (State::Skip, "needs the trader login, see above", ""));
    }
    assert_eq!(check(&examined(&room, &address, &[]), "trader login").0, State::Ok);
}

#[test]
fn a_terminal_that_the_counter_does_not_know_is_told() {
    let (room, address) = (room("doctor-terminal"), kit::listen("doctor-terminal-x", &["--speed", "60"]));
    let findings = examined(&room, &address, &["ctp.app_id=other_1".to_owned()]);
    let (state, found, remedy) = check(&findings, "trader login");
    assert!(state == State::Mend && found.starts_with("error 63: "), "{findings}");
    assert!(remedy.starts_with("check ctp.app_id"), "{remedy}");
}
