//! Public packages that tests compare with, fetched once by the registries' own clients into a cache: the vendor's
//! headers (crate `ctp2rs`) and genuine libraries (wheel `ctp-python`). Nothing of them is part of this repository.
//! An error says why a package cannot be had; a test then prints it and passes.

#![allow(dead_code, reason = "each test binary that includes this file uses a part of it")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate that ships the headers of every supported version.
const HEADERS: &str = "ctp2rs-0.1.11-alpha1";

/// The two libraries of one version.
#[derive(Debug)]
pub struct Libraries {
    pub trader: PathBuf,
    pub market: PathBuf,
}

/// The directory of a version's headers for 64-bit Linux, from cargo's own cache.
pub fn headers(version: &str) -> Result<PathBuf, String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let sources = home.ok_or("neither CARGO_HOME nor HOME is set")?.join("registry").join("src");
    let unpacked = || entries(&sources).into_iter().map(|registry| registry.join(HEADERS)).find(|path| path.is_dir());
    if unpacked().is_none() {
        let (name, version) = HEADERS.split_once('-').ok_or("no version")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        run(Command::new(cargo)
            .args(["info", "--quiet", &format!("{name}@{version}")])
            .current_dir(std::env::temp_dir()))?;
    }
    let folder = unpacked().ok_or("cargo info did not unpack the crate")?.join("api/ctp").join(format!("v{version}"));
    let found = entries(&folder).into_iter().find(|path| path.to_string_lossy().ends_with("linux64"));
    found.ok_or_else(|| format!("{} has no headers for Linux", folder.display()))
}

/// The genuine libraries of a release of the wheel.
pub fn libraries(release: &str) -> Result<Libraries, String> {
    let folder = cache()?.join(format!("ctp-python-{release}"));
    let libraries =
        Libraries { trader: folder.join("libthosttraderapi_se.so"), market: folder.join("libthostmduserapi_se.so") };
    let lock = cache()?.join("lock");
    let lock = File::create(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    // Tests of several processes want the same: the first fetches.
    lock.lock().map_err(|error| format!("the cache's lock: {error}"))?;
    if !folder.is_dir() {
        let wheels = tempfile::tempdir_in(cache()?).map_err(|error| error.to_string())?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]);
        // The libraries are the same in every wheel; these name one that exists, whatever Python runs here.
        pip.args(["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--dest"]).arg(wheels.path());
        run(pip.arg(format!("ctp-python=={release}")))?;
        let wheel = entries(wheels.path()).into_iter().find(|path| path.extension() == Some(OsStr::new("whl")));
        let unpacked = wheels.path().join("unpacked");
        unpack(&wheel.ok_or("pip fetched no wheel")?, &unpacked)?;
        fs::rename(&unpacked, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(libraries)
}

/// `$SHRIKE_CACHE`, or a folder of the target directory.
pub fn cache() -> Result<PathBuf, String> {
    let cache = std::env::var_os("SHRIKE_CACHE").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let cache = cache.join("ctp");
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    Ok(cache)
}

/// Says why a test is not run.
pub fn skip(why: &str) {
    println!("SKIPPED: {why}");
}

fn unpack(wheel: &Path, folder: &Path) -> Result<(), String> {
    let error = |error: &dyn std::fmt::Display| format!("{}: {error}", wheel.display());
    let mut archive = zip::ZipArchive::new(File::open(wheel).map_err(|e| error(&e))?).map_err(|e| error(&e))?;
    fs::create_dir(folder).map_err(|e| error(&e))?;
    for name in ["libthosttraderapi_se.so", "libthostmduserapi_se.so"] {
        let mut packed = archive.by_name(&format!("ctp/{name}")).map_err(|e| error(&e))?;
        let mut file = File::create(folder.join(name)).map_err(|e| error(&e))?;
        std::io::copy(&mut packed, &mut file).map_err(|e| error(&e))?;
    }
    Ok(())
}

/// Runs a command to its end; what it says on standard error is the reason of a failure.
pub fn run(command: &mut Command) -> Result<String, String> {
    let words = |command: &Command| format!("{} {:?}", command.get_program().display(), command.get_args());
    let output = command.output().map_err(|error| format!("{}: {error}", words(command)))?;
    if !output.status.success() {
        let says = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("{}: {}: {says}", words(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
