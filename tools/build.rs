//! Names the commit that a release build was made from, for journals and for what people report. Builds for development
//! say so: their sources change between commits.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn main() {
    // No such file: whether sources are changed is looked at in every build. Nothing is compiled again for the same answer.
    println!("cargo:rerun-if-changed=no-such-file");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if release { git(&["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]) } else { None };
    let unknown = if release { "of no known commit" } else { "for development" };
    println!("cargo:rustc-env=SHRIKE_COMMIT={}", commit.as_deref().unwrap_or(unknown));
}
