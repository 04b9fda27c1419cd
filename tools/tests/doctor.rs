//! `shrike doctor`: at a counter, before any login, each thing that is wrong is named with what to do, and what is well is
//! said; and this host, as it is.
// Tests may unwrap: a panic is how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A desk's files, and a `locale` that lists what the test wants.
struct Desk {
    dir: tempfile::TempDir,
    config: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap(), config: String::new() };
        desk.locale("C\nzh_CN.gb18030\n");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn locale(&self, lists: &str) {
        self.write("bin/locale", format!("#!/bin/sh\nprintf '%s' '{lists}'\n"), 0o755);
    }

    fn set(mut self, section: &str, key: &str, value: impl std::fmt::Display) -> Self {
        self.config += &format!("[{section}]\n{key} = {value}\n");
        self
    }

    /// Runs the doctor; its exit code and its checks by name.
    fn examine(&self, args: &[&str]) -> (Option<i32>, Value) {
        let mut sections: std::collections::BTreeMap<&str, String> = Default::default();
        let mut lines = self.config.lines();
        while let (Some(section), Some(line)) = (lines.next(), lines.next()) {
            *sections.entry(section).or_default() += &format!("{line}\n");
        }
        let text: String = sections.iter().map(|(section, lines)| format!("{section}\n{lines}")).collect();
        let config = self.write("desk.toml", text, 0o600);
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new(env!("CARGO_BIN_EXE_shrike"))
            .args(["doctor", "ctp", "--json", "--home"])
            .arg(self.path("home"))
            .arg("--config")
            .arg(config)
            .args(args)
            .env("PATH", path)
            .output()
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), serde_json::from_str(&out).unwrap_or(Value::String(said)))
    }
}

/// The check of that name: state, what was found, what to do.
fn check<'a>(report: &'a Value, name: &str) -> [&'a str; 3] {
    let checks = report["checks"].as_array().unwrap_or_else(|| panic!("{report}"));
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"));
    ["state", "found", "do"].map(|field| check[field].as_str().unwrap())
}

/// A quoted path.
fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

/// A shared library that is certainly there: the C library of this process.
fn foreign_library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let named = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    PathBuf::from(named.filter(|path| path.contains(".so")).find(|path| path.contains("libc")).unwrap())
}

#[test]
fn nothing_configured_names_every_key() {
    let desk = Desk::new();
    desk.locale("C\nPOSIX\n");
    let (code, report) = desk.examine(&["--no-login"]);
    assert_eq!((code, &report["clean"]), (Some(1), &Value::Bool(false)));
    for (name, key) in [
        ("login.broker_id", "login.broker_id"),
        ("login.user_id", "login.user_id"),
        ("login.password", "SHRIKE_LOGIN__PASSWORD"),
        ("trader library", "ctp.trader_library"),
        ("md library", "ctp.md_library"),
        ("trader front", "ctp.trader_fronts"),
        ("md front", "ctp.md_fronts"),
        ("locale zh_CN.GB18030", "localedef -i zh_CN -f GB18030"),
    ] {
        let [state, _, remedy] = check(&report, name);
        assert_eq!(state, "mend", "{name}");
        assert!(remedy.contains(key), "{name}: {remedy}");
    }
    assert_eq!(check(&report, "configuration")[0], "ok");
    assert_eq!(check(&report, "trader login"), ["skip", "--no-login", ""]);
}

#[test]
fn a_good_desk_is_well_up_to_the_login() {
    let fronts = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [trader, md] = fronts.each_ref().map(|front| format!("[\"tcp://{}\"]", front.local_addr().unwrap()));
    let desk = Desk::new();
    let secret = desk.write("password", "seven words\n", 0o600);
    let desk = desk
        .set("login", "broker_id", "\"9999\"")
        .set("login", "user_id", "\"1001\"")
        .set("login", "password_file", quoted(&secret))
        .set("ctp", "trader_fronts", trader)
        .set("ctp", "md_fronts", md);
    let (code, report) = desk.examine(&["--no-login"]);
    // All but the libraries, which no test machine has.
    assert_eq!(code, Some(1));
    let mended: Vec<_> = report["checks"].as_array().unwrap().iter().filter(|check| check["state"] == "mend").collect();
    assert_eq!(mended.len(), 2, "{mended:#?}");
    assert!(mended.iter().all(|check| check["name"].as_str().unwrap().ends_with("library")), "{mended:#?}");
    for session in ["trader", "md"] {
        let [state, found, _] = check(&report, &format!("{session} flow directory"));
        let dir = desk.path("home/ctp/9999-1001").join(session);
        assert!(state == "ok" && found.contains(&dir.display().to_string()), "{found}");
        assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let everything = report.to_string();
    assert!(!everything.contains("seven words"), "no secret is ever printed");
    // Without --no-login, the login waits for what is to be mended.
    let (code, report) = desk.examine(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(check(&report, "trader login")[0], "skip");
    assert_eq!(check(&report, "first snapshot")[0], "skip");
}

#[test]
fn secrets_that_others_read_or_nobody_can_are_findings() {
    let desk = Desk::new();
    let open = desk.write("password", "hush\n", 0o644);
    let missing = desk.path("none");
    let desk = desk.set("login", "password_file", quoted(&open)).set("login", "auth_code_file", quoted(&missing)).set(
        "ctp",
        "app_id",
        "\"shrike_1\"",
    );
    let (code, report) = desk.examine(&["--no-login"]);
    assert_eq!(code, Some(1));
    let [state, found, remedy] = check(&report, "secret login.password_file");
    assert!(state == "mend" && found.contains("mode 0644"), "{found}");
    assert!(remedy.starts_with(&format!("run `chmod 600 {}`", open.display())), "{remedy}");
    let [state, found, _] = check(&report, "secret login.auth_code_file");
    assert!(state == "mend" && found.contains("No such file"), "{found}");
    let names: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert!(!names.contains(&"login.password") && !names.contains(&"login.auth_code"), "told once: {names:?}");
}

#[test]
fn libraries_that_are_none_are_told_apart() {
    let desk = Desk::new();
    let text = desk.write("libthosttraderapi_se.so", "this is no library, however it is called", 0o644);
    let desk = desk.set("ctp", "trader_library", quoted(&text)).set("ctp", "md_library", quoted(&foreign_library()));
    let (code, report) = desk.examine(&["--no-login"]);
    assert_eq!(code, Some(1));
    let [state, found, remedy] = check(&report, "trader library");
    assert!(state == "mend" && found.contains("does not begin as an ELF file"), "{found}");
    assert!(remedy.starts_with("correct ctp.trader_library"), "{remedy}");
    let [state, found, _] = check(&report, "md library");
    assert!(state == "mend" && found.contains("is not CTP's market-data library"), "{found}");
    assert!(found.contains("_ZN15CThostFtdcMdApi13GetApiVersionEv"), "{found}");

    let broken = desk.path("broken.so");
    std::os::unix::fs::symlink(desk.path("nowhere"), &broken).unwrap();
    let (_, report) = desk.examine(&["--no-login", "--set", &format!("ctp.md_library={}", broken.display())]);
    let [state, found, _] = check(&report, "md library");
    assert!(state == "mend" && found.contains("No such file"), "{found}");
}

#[test]
fn a_closed_port_and_a_strange_address_are_findings() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let fronts = format!("[\"tcp://{closed}\", \"localhost\", \"tcp://{}\"]", open.local_addr().unwrap());
    let desk = Desk::new().set("ctp", "trader_fronts", fronts);
    let (code, report) = desk.examine(&["--no-login"]);
    assert_eq!(code, Some(1));
    let [state, found, remedy] = check(&report, &format!("trader front tcp://{closed}"));
    assert!(state == "mend" && found.contains("refused"), "{found}");
    assert!(remedy.contains("nobody listens there"), "{remedy}");
    assert_eq!(check(&report, "trader front localhost")[2], "write it as tcp://HOST:PORT");
    let [state, found, _] = check(&report, &format!("trader front tcp://{}", open.local_addr().unwrap()));
    assert!(state == "ok" && found.contains("takes connections"), "{found}");
}

#[test]
fn flow_directories_that_cannot_be_used_are_findings() {
    // A file stands where the directory should be.
    let desk = Desk::new();
    let file = desk.write("flow", "", 0o600);
    let desk = desk.set("ctp", "flow_dir", quoted(&file)).set("login", "broker_id", "\"9999\"");
    let desk = desk.set("login", "user_id", "\"1001\"");
    let (_, report) = desk.examine(&["--no-login"]);
    let [state, found, remedy] = check(&report, "trader flow directory");
    assert!(state == "mend" && found.contains(&file.display().to_string()), "{found}");
    assert!(remedy.contains("set ctp.flow_dir"), "{remedy}");
    // Another process has it.
    fs::remove_file(&file).unwrap();
    let held = shrike_feed::ctp::flow::FlowDir::take(&file, "9999", "1001", "md").unwrap();
    let (_, report) = desk.examine(&["--no-login"]);
    assert_eq!(check(&report, "trader flow directory")[0], "ok");
    let [state, found, _] = check(&report, "md flow directory");
    assert!(state == "mend" && found.contains("in use by another process"), "{found}");
    // Files of another user are in it. (Only root may give files away: elsewhere this part is not run.)
    drop(held);
    let stale = file.join("9999-1001/md/md_TradingDay.con");
    fs::write(&stale, "").unwrap();
    if std::os::unix::fs::chown(&stale, Some(65_534), None).is_ok() {
        let (_, report) = desk.examine(&["--no-login"]);
        let [state, found, _] = check(&report, "md flow directory");
        assert!(state == "mend" && found.contains("md_TradingDay.con"), "{found}");
    } else {
        eprintln!("files of another user: not run, this user may not give files away");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_no_finding() {
    let desk = Desk::new().set("ctp", "trader_fronts", "7");
    let (code, said) = desk.examine(&[]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn this_host_is_looked_at_without_privilege() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_shrike"))
        .args(["doctor", "host", "--json", "--watch-ms", "20", "--home"])
        .arg(dir.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let to_mend = checks.iter().filter(|check| check["state"] == "mend").count();
    assert_eq!(report["clean"], Value::Bool(to_mend == 0));
    assert_eq!(output.status.code(), Some(i32::from(to_mend > 0)));
    for check in checks {
        assert_eq!(check["state"] == "mend", check["do"] != "", "{check}");
    }
    for name in ["placement", "isolated cores", "memlock", "clocksource", "live journals", "steal time"] {
        assert!(checks.iter().any(|check| check["name"] == name), "{name}");
    }
    // Every core that this process may use was watched, and met each of the others.
    let cores = report["hops"]["cores"].as_array().unwrap();
    assert_eq!(report["jitter"].as_array().unwrap().len(), cores.len());
    for (a, row) in report["hops"]["ns"].as_array().unwrap().iter().enumerate() {
        for (b, hop) in row.as_array().unwrap().iter().enumerate() {
            assert_eq!(hop.as_f64().is_some_and(|ns| ns > 0.0), a != b, "{report:#}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it changes nothing");
}
