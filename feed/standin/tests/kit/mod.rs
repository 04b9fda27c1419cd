//! An exchange that listens, on a thread of the test's process, and the library beside the test's program.

#![allow(dead_code, reason = "each test binary that includes this file uses a part of it")]

use clap::Parser;
use shrike_tools::exchange::{self, ExchangeArgs};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where tests of this crate may write; packages stay there between runs.
pub const ROOM: &str = env!("CARGO_TARGET_TMPDIR");

#[derive(Parser)]
struct Exchange {
    #[command(flatten)]
    args: ExchangeArgs,
}

/// Starts an exchange, which ends with the test's process, and gives its address.
pub fn listen(home: &str, more: &[&str]) -> String {
    let home = Path::new(ROOM).join(home);
    let _ = fs::remove_dir_all(&home);
    let home_text = home.display().to_string();
    let words = ["exchange", "--profile", "demo", "--home", &home_text, "--listen", "127.0.0.1:0"];
    // The exchange ends with the process: what it had in memory nobody would clear away.
    let set = ["--set", "generator.products=[\"rb\"]", "--set", "generator.boards=[]", "--set", "journal.live_dir="];
    let all = words.iter().chain(&set).chain(more);
    let Exchange { args } = Exchange::try_parse_from(all).expect("good arguments");
    let exchange = std::thread::spawn(move || exchange::run(&args).map(drop));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) && !exchange.is_finished() {
        match fs::read_to_string(home.join("listen")) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => std::thread::park_timeout(Duration::from_millis(5)),
        }
    }
    panic!("no exchange listens: {:?}", exchange.is_finished().then(|| exchange.join()));
}

/// Says a line to the exchange's control, and gives its answer.
pub fn control(address: &str, line: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the exchange listens");
    writeln!(stream, "{line}").expect("it reads");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("it answers");
    answer.trim().to_owned()
}

/// The stand-in, beside this test's program.
pub fn library() -> PathBuf {
    let program = std::env::current_exe().expect("a program");
    let near = program.ancestors().skip(1).take(2).map(|dir| dir.join("libshrike_standin.so"));
    let age = |file: &PathBuf| fs::metadata(file).and_then(|facts| facts.modified()).ok();
    near.filter(|file| file.is_file()).max_by_key(age).expect("cargo builds the library with its tests")
}
