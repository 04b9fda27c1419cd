//! The way to a CTP counter, as far as it can be seen without sending anything to it: configuration and secrets, the two
//! libraries, the locale, the flow directories, the fronts. What needs a login is in [`super::session`].

use super::session::{self, Trip};
use super::{CtpArgs, Findings};
use crate::error::Error;
use shrike_config::{Config, ConfigError, Ctp, Loaded, Source};
use shrike_feed::ctp::abi::{Library, Side, Version};
use shrike_feed::ctp::flow::{FlowDir, FlowError};
use std::fs::{self, File};
use std::io::Read;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Looks at everything.
pub(super) fn examine(args: &CtpArgs) -> Result<Findings, Error> {
    let mut findings = Findings::new();
    let loaded = load(args, &mut findings)?;
    identity(&loaded, &mut findings);
    let ctp = &loaded.config.ctp;
    let versions = [
        library("trader library", "ctp.trader_library", &ctp.trader_library, Side::Trader, ctp, &mut findings),
        library("md library", "ctp.md_library", &ctp.md_library, Side::Market, ctp, &mut findings),
    ];
    if let [Some(trader), Some(md)] = versions
        && trader != md
    {
        let found = format!("the trader library is {trader}, the md library {md}");
        findings.mend("versions", found, "take both libraries from one distribution of the API");
    }
    locale(&mut findings);
    let flows = flow_dirs(&loaded.config, &mut findings);
    let timeout = Duration::from_millis(args.timeout_ms);
    let reached = [
        fronts("trader front", "ctp.trader_fronts", &ctp.trader_fronts, timeout, &mut findings),
        fronts("md front", "ctp.md_fronts", &ctp.md_fronts, timeout, &mut findings),
    ];
    session::examine(&Trip { args, loaded: &loaded, flows, reached }, &mut findings);
    Ok(findings)
}

/// The configuration. A secret's file that cannot be used is a finding, and the rest is looked at without it.
fn load(args: &CtpArgs, findings: &mut Findings) -> Result<Loaded, Error> {
    let sources = args.sources.clone();
    let mut overrides = sources.overrides;
    overrides.extend(args.home.as_ref().map(|home| format!("run.home={}", home.display())));
    let mut source = Source { profile: sources.profile, files: sources.files, env: Source::environment(), overrides };
    loop {
        let error = match Config::load(&source) {
            Ok(loaded) => {
                findings.ok("configuration", format!("hash {:016x}", loaded.hash));
                return Ok(loaded);
            }
            Err(error) => error,
        };
        let (key, remedy) = match &error {
            ConfigError::SecretFileMode { key, file, .. } => {
                let (file, what) = (file.display(), "then think of the secret as known to others, and change it");
                (key.clone(), format!("run `chmod 600 {file}`; {what}"))
            }
            ConfigError::SecretFile { key, .. } => {
                (key.clone(), "write the secret there, on one line, in a file of mode 0600".to_owned())
            }
            _ => return Err(error.into()),
        };
        let without = format!("{key}=");
        if source.overrides.contains(&without) {
            return Err(error.into());
        }
        findings.mend(format!("secret {key}"), error.to_string(), remedy);
        source.overrides.push(without);
    }
}

/// Who logs in, as far as CTP's fields have room for it.
fn identity(loaded: &Loaded, findings: &mut Findings) {
    let (config, secrets) = (&loaded.config, &loaded.secrets);
    let password = secrets.password.as_ref().map_or("", |secret| secret.reveal());
    let auth_code = secrets.auth_code.as_ref().map_or("", |secret| secret.reveal());
    let (login, ctp) = (&config.login, &config.ctp);
    let needed = [
        ("login.broker_id", login.broker_id.as_str(), 10, "set login.broker_id to the broker's number"),
        ("login.user_id", &login.user_id, 12, "set login.user_id to the name of the account's user"),
        (
            "login.password",
            password,
            40,
            "set SHRIKE_LOGIN__PASSWORD, or name a file of mode 0600 with login.password_file",
        ),
    ];
    for (key, value, room, remedy) in needed {
        // A file that cannot be used was told already.
        let is_told = key == "login.password" && !findings.are_well("secret login.password");
        match value.len() {
            0 if is_told => {}
            0 => findings.mend(key, "none is given", remedy),
            length if length > room => {
                findings.mend(key, format!("{length} bytes, CTP has room for {room}"), "correct it; a blank too many?");
            }
            _ => findings.ok(key, if key == "login.password" { "given" } else { value }),
        }
    }
    match (auth_code.len(), ctp.app_id.len()) {
        (0, _) if !findings.are_well("secret login.auth_code") => {}
        (0, 0) => findings.ok("login.auth_code", "none: the counter must not ask for authentication"),
        (0, _) => findings.mend(
            "login.auth_code",
            format!("none is given, though ctp.app_id is {:?}", ctp.app_id),
            "set SHRIKE_LOGIN__AUTH_CODE, or name a file of mode 0600 with login.auth_code_file",
        ),
        (_, 0) => {
            findings.mend("ctp.app_id", "none is given", "set ctp.app_id to the terminal's name that the broker gave");
        }
        (17.., _) | (_, 33..) => findings.mend(
            "login.auth_code",
            "CTP has room for 16 bytes of it, and for 32 of ctp.app_id",
            "correct it; a blank too many?",
        ),
        _ => findings.ok("login.auth_code", format!("given, for ctp.app_id {:?}", ctp.app_id)),
    }
}

/// A library: its path, what kind of file it is, its symbols, its version.
fn library(name: &str, key: &str, path: &Path, side: Side, ctp: &Ctp, findings: &mut Findings) -> Option<Version> {
    let where_from = "libthosttraderapi_se.so and libthostmduserapi_se.so come with the API from your broker";
    if path.as_os_str().is_empty() {
        findings.mend(name, "no path is given", format!("set {key}; {where_from}"));
        return None;
    }
    // What is no shared object for this machine is told in better words than the loader's.
    if let Err(why) = shared_object(path) {
        findings.mend(name, format!("{}: {why}", path.display()), format!("correct {key}; {where_from}"));
        return None;
    }
    let library = match Library::open(path, side) {
        Ok(library) => library,
        Err(error) => {
            let remedy = format!("name the right library with {key}; both libraries are of one distribution");
            findings.mend(name, error.to_string(), remedy);
            return None;
        }
    };
    let (version, words) = (library.version(), library.words());
    if !ctp.version.is_empty() && Version::parse(&ctp.version) != Some(version) {
        let found = format!("{}: {words}, but ctp.version is {:?}", path.display(), ctp.version);
        findings.mend(name, found, "name the library of that version, or correct ctp.version");
        return Some(version);
    }
    let mode = match version.takes_production_mode() {
        true if ctp.production => ", for production fronts",
        true => ", for evaluation fronts (ctp.production is false)",
        false => "",
    };
    findings.ok(name, format!("{words}, {}{mode}", path.display()));
    Some(version)
}

/// Whether a file is an ELF shared object for this kind of processor (System V ABI, chapter 4; gABI machine codes).
fn shared_object(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    if file.metadata().is_ok_and(|about| !about.is_file()) {
        return Err("is no file".to_owned());
    }
    let mut head = [0u8; 20];
    file.read_exact(&mut head).map_err(|_| "is too short to be a library".to_owned())?;
    let [b'\x7f', b'E', b'L', b'F', class, .., kind, kind_high, machine, machine_high] = head else {
        return Err("is no shared library (it does not begin as an ELF file does)".to_owned());
    };
    let (kind, machine) = (u16::from_le_bytes([kind, kind_high]), u16::from_le_bytes([machine, machine_high]));
    let ours = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
    match (class, kind, machine) {
        (2, 3, machine) if machine == ours => Ok(()),
        (2, 3, machine) => Err(format!("is built for another processor (ELF machine {machine})")),
        (1, ..) => Err("is built for 32 bits".to_owned()),
        _ => Err("is an ELF file, but no shared library".to_owned()),
    }
}

/// Whether the system has the locale that the vendor's libraries ask for as they put an error into words.
fn locale(findings: &mut Findings) {
    const NAME: &str = "locale zh_CN.GB18030";
    const REMEDY: &str = "make it: `localedef -i zh_CN -f GB18030 zh_CN.GB18030` (Debian: install `locales` first; Red Hat: \
                          `glibc-langpack-zh`)";
    let listed = match Command::new("locale").arg("-a").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).to_lowercase(),
        Err(error) => return findings.mend(NAME, format!("`locale -a` cannot be run: {error}"), REMEDY),
    };
    match listed.lines().any(|line| line.trim() == "zh_cn.gb18030") {
        true => findings.ok(NAME, "there"),
        false => findings.mend(NAME, "missing: libraries may end the process at the first error text", REMEDY),
    }
}

/// Directories of the two libraries' flow files, held for the login.
pub(super) struct Flows {
    pub(super) trader: Option<FlowDir>,
    pub(super) md: Option<FlowDir>,
}

fn flow_dirs(config: &Config, findings: &mut Findings) -> Flows {
    let root = match config.ctp.flow_dir.as_os_str().is_empty() {
        true => config.run.home.join("ctp"),
        false => config.ctp.flow_dir.clone(),
    };
    let mut flow = |session: &str| {
        let name = format!("{session} flow directory");
        let dir = match FlowDir::take(&root, &config.login.broker_id, &config.login.user_id, session) {
            Ok(dir) => dir,
            Err(error) => {
                let remedy = match &error {
                    FlowError::Io { .. } => "make it writable for this user, or set ctp.flow_dir",
                    FlowError::InUse { .. } => "stop the other process, or give this run another ctp.flow_dir",
                    FlowError::Name { .. } => "correct login.user_id and login.broker_id",
                };
                findings.mend(name, error.to_string(), remedy);
                return None;
            }
        };
        match strangers(dir.path()) {
            Ok(strangers) if strangers.is_empty() => {
                findings.ok(name, format!("{}, writable, nobody else's", dir.path().display()));
                Some(dir)
            }
            Ok(strangers) => {
                let first = strangers.first().map(|path| path.display().to_string()).unwrap_or_default();
                let found = format!("{} files are another user's, such as {first}", strangers.len());
                findings.mend(
                    name,
                    found,
                    "remove them while no session runs: they are stale, and CTP cannot write them",
                );
                None
            }
            Err(error) => {
                let found = format!("{}: {error}", dir.path().display());
                findings.mend(name, found, "make it readable for this user, or set ctp.flow_dir");
                None
            }
        }
    };
    Flows { trader: flow("trader"), md: flow("md") }
}

/// What in a directory, and the directory itself, does not belong to the user of this process.
fn strangers(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let own = fs::metadata("/proc/self")?.uid();
    let mut strangers = Vec::new();
    if fs::metadata(dir)?.uid() != own {
        strangers.push(dir.to_owned());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.metadata()?.uid() != own {
            strangers.push(entry.path());
        }
    }
    strangers.sort();
    Ok(strangers)
}

/// The route to each front. Whether one was reached.
fn fronts(name: &str, key: &str, fronts: &[String], timeout: Duration, findings: &mut Findings) -> bool {
    if fronts.is_empty() {
        findings.mend(name, "none is given", format!("set {key}, such as [\"tcp://192.0.2.1:41213\"]"));
    }
    let mut reached = false;
    for front in fronts {
        let name = format!("{name} {front}");
        match route(front, timeout) {
            Ok((address, took)) => {
                reached = true;
                findings.ok(name, format!("{address} takes connections, after {:.1} ms", took.as_secs_f64() * 1e3));
            }
            Err((found, remedy)) => findings.mend(name, found, remedy),
        }
    }
    reached
}

/// Connects to a front and hangs up. Why not, and what to do.
fn route(front: &str, timeout: Duration) -> Result<(SocketAddr, Duration), (String, String)> {
    let form = || ("is no address of a front".to_owned(), "write it as tcp://HOST:PORT".to_owned());
    let Some((_, place)) = front.split_once("://") else { return Err(form()) };
    if place.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
        return Err(form());
    }
    let unresolved =
        |why: String| (format!("has no address: {why}"), "check the name, and this host's name service".to_owned());
    let addresses: Vec<SocketAddr> = place.to_socket_addrs().map_err(|error| unresolved(error.to_string()))?.collect();
    let mut failed = unresolved("the name service gives none".to_owned());
    for address in addresses {
        let began = Instant::now();
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok((address, began.elapsed())),
            Err(error) => {
                let remedy = match error.kind() {
                    std::io::ErrorKind::ConnectionRefused => {
                        "nobody listens there: check the port; fronts are shut outside the counter's hours"
                    }
                    std::io::ErrorKind::TimedOut => {
                        "check the network, the firewall and the broker's list of permitted addresses"
                    }
                    _ => "check this host's network",
                };
                failed = (format!("{address}: {error}"), remedy.to_owned());
            }
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_is_an_address() {
        for front in
            ["", "127.0.0.1:1", "tcp://", "tcp://127.0.0.1", "tcp://:41213", "tcp://host:port", "tcp://h:70000"]
        {
            let (found, remedy) = route(front, Duration::from_millis(1)).unwrap_err();
            assert_eq!((found.as_str(), remedy.as_str()), ("is no address of a front", "write it as tcp://HOST:PORT"));
        }
    }

    #[test]
    fn files_that_are_no_libraries_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let mut elf = [0u8; 64];
        elf[..5].copy_from_slice(b"\x7fELF\x02");
        (elf[16], elf[18]) = (3, 243);
        let cases: [(&[u8], &str); 5] = [
            (b"", "is too short"),
            (b"#!/bin/sh\nexit 0\n# a script", "does not begin as an ELF file"),
            (&elf, "another processor (ELF machine 243)"),
            (&[&b"\x7fELF\x01"[..], &[0; 40]].concat(), "32 bits"),
            (&[&b"\x7fELF\x02"[..], &[0; 40]].concat(), "no shared library"),
        ];
        for (bytes, why) in cases {
            fs::write(&file, bytes).unwrap();
            let said = shared_object(&file).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        assert!(shared_object(dir.path()).unwrap_err().contains("is no file"));
        assert!(shared_object(&dir.path().join("none")).unwrap_err().contains("No such file"));
    }
}
