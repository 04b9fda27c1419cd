//! A Python client from PyPI that was built for the genuine libraries, with ours in their place: it logs in, subscribes,
//! receives ticks, buys, is filled and cancels against `shrike exchange --listen`. The package is fetched into a cache
//! under the target directory; where that cannot be had, the test says why and passes.
#![allow(
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    reason = "lints know tests, not what they share"
)]

mod kit;

use kit::{ROOM, library, listen};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn openctp_6_7_2_trades() {
    trades("6.7.2.8", "6.7.2");
}

#[test]
fn openctp_6_7_7_trades() {
    trades("6.7.7.1", "6.7.7");
}

#[test]
fn openctp_6_7_11_trades() {
    trades("6.7.11.0", "6.7.11");
}

fn trades(package: &str, version: &str) {
    let (modules, locales) = match modules(package).and_then(|modules| Ok((modules, locales()?))) {
        Ok(found) => found,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let address = listen(&format!("home-{package}"), &["--clients", "2", "--pause-us", "200"]);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.py");
    let output = Command::new("python3")
        .arg(example)
        .args([&address, "rb2410"])
        .env("PYTHONPATH", &modules)
        .env("LOCPATH", locales)
        .env("SHRIKE_STANDIN_VERSION", version)
        .output()
        .expect("python3 was there a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    for line in [&format!("libraries: v{version}_"), "subscribed rb2410", "tick ", "filled: 1 at ", "cancelled", "done"]
    {
        assert!(said.contains(line), "no `{line}` in: {said}");
    }
}

/// A directory with the package of a version, and our library in place of those that it brings.
fn modules(package: &str) -> Result<PathBuf, String> {
    let dir = Path::new(ROOM).join(format!("openctp-ctp-{package}"));
    if !dir.join("openctp_ctp").is_dir() {
        let pip = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"])
            .arg(&dir)
            .arg(format!("openctp-ctp=={package}"))
            .output()
            .map_err(|error| format!("no python3: {error}"))?;
        if !pip.status.success() {
            return Err(format!("openctp-ctp {package}: {}", String::from_utf8_lossy(&pip.stderr)));
        }
    }
    let ours = library();
    let theirs = fs::read_dir(dir.join("openctp_ctp.libs")).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut replaced = 0;
    for file in theirs.filter_map(Result::ok).filter(|file| file.file_name().to_string_lossy().starts_with("libthost"))
    {
        fs::remove_file(file.path()).expect("our own copy");
        fs::copy(&ours, file.path()).expect("our own directory");
        replaced += 1;
    }
    assert_eq!(replaced, 2, "the package has a library for market data and one for trading");
    Ok(dir)
}

/// A directory with the locale that the package decodes CTP's texts by.
fn locales() -> Result<PathBuf, String> {
    let dir = Path::new(ROOM).join("locales");
    let locale = dir.join("zh_CN.GB18030");
    if !locale.is_dir() {
        fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
        // Built aside: tests that run beside this one must see all of it or nothing.
        let aside = dir.join(format!("building-{}", std::process::id()));
        let made = Command::new("localedef").args(["-i", "zh_CN", "-f", "GB18030"]).arg(&aside).output();
        if !made.as_ref().is_ok_and(|_| aside.is_dir()) {
            return Err(format!("the locale zh_CN.GB18030 cannot be made (package `locales`): {made:?}"));
        }
        if fs::rename(&aside, &locale).is_err() {
            let _ = fs::remove_dir_all(&aside);
        }
    }
    Ok(dir)
}
