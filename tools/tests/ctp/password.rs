//! A wrong password and a supervisor that starts the engine again and again: the counter hears of it no more often.

use crate::desk::{ANY, Day, Process};

#[test]
fn a_refused_password_is_not_sent_again_by_a_restart() {
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [home, exchange_home] = homes.each_ref().map(tempfile::TempDir::path);
    // What a killed engine leaves in memory nobody would clear away.
    let day = Day { settings: &["journal.live_dir="], ..Day::default() };
    let (exchange, address) = day.exchange(exchange_home, "2", ANY);
    let mut command = day.engine(home, &address);
    command.env("SHRIKE_LOGIN__PASSWORD", "wrong");
    let file = home.join("refused-logins.trader");
    let mut engine = Process::start(&mut command, home);
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("refused 2")) {
        engine.assert_runs();
        std::thread::yield_now();
    }
    engine.kill();
    for _ in 0..2 {
        let (code, said) = Process::start(&mut command, home).ended();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&file.display().to_string()) && said.contains("login.password_file"), "{said}");
    }
    // Another password is tried, and another count begun.
    command.env("SHRIKE_LOGIN__PASSWORD", "wrong again");
    let before = std::fs::read_to_string(&file).unwrap();
    let mut engine = Process::start(&mut command, home);
    while std::fs::read_to_string(&file).is_ok_and(|text| text == before) {
        engine.assert_runs();
        std::thread::yield_now();
    }
    engine.kill();
    exchange.stop();
}
