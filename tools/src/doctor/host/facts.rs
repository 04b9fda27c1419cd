//! What the kernel tells of the host: small text files below /proc and /sys, read under a root so that tests can show the
//! checks a host of their own. What cannot be read is absent, never guessed.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a host.
pub(super) struct Facts {
    root: PathBuf,
}

impl Facts {
    /// This host's, or those of a tree below `root`.
    pub(super) fn of(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// A file's text without the white space around it; absent where there is no such file or nothing in it.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.join(path)).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A file's one number.
    pub(super) fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// A file's set of cores, such as `2-5,8`; an empty file is the empty set, no file is absent.
    pub(super) fn cores(&self, path: &str) -> Option<Cores> {
        Cores::of(fs::read_to_string(self.root.join(path)).ok()?.trim())
    }

    /// The names in a directory, in order.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join(path)) else { return Vec::new() };
        let mut names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Whether a directory holds a directory.
    pub(super) fn has_directory(&self, path: &str) -> bool {
        let entries = fs::read_dir(self.root.join(path)).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    }

    /// The set of cores that a kernel argument such as `rcu_nocbs=2-5` names; flags before the list, as in
    /// `isolcpus=managed_irq,domain,2-5`, are passed over.
    pub(super) fn argument(&self, name: &str) -> Option<Cores> {
        let line = self.text("proc/cmdline")?;
        let value = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
        let listed = value.split(',').filter(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        Cores::of(&listed.collect::<Vec<_>>().join(","))
    }

    /// The soft limit of this name in `/proc/self/limits`; `u64::MAX` for unlimited.
    pub(super) fn limit(&self, name: &str) -> Option<u64> {
        let text = self.text("proc/self/limits")?;
        let row = text.lines().find_map(|line| line.strip_prefix(name))?;
        match row.split_whitespace().next()? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    }

    /// A row such as `MemTotal:  24000000 kB` of `/proc/meminfo`, in bytes.
    pub(super) fn memory_bytes(&self, name: &str) -> Option<u64> {
        let text = self.text("proc/meminfo")?;
        let row = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        row.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
    }

    /// Whether a process of this name runs.
    pub(super) fn runs(&self, name: &str) -> bool {
        let numbered = self.names("proc").into_iter().filter(|entry| entry.bytes().all(|byte| byte.is_ascii_digit()));
        numbered.into_iter().any(|pid| self.text(&format!("proc/{pid}/comm")).is_some_and(|comm| comm == name))
    }
}

/// A set of cores, written as the kernel writes it: `0-3,8`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Cores(pub(super) BTreeSet<usize>);

impl Cores {
    /// Read from the kernel's notation; absent when it is not one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut cores = BTreeSet::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
            // More cores than any kernel knows is no list of cores.
            if last >= 1 << 16 {
                return None;
            }
            cores.extend(first..=last);
        }
        Some(Self(cores))
    }

    pub(super) fn contains(&self, core: usize) -> bool {
        self.0.contains(&core)
    }

    /// Those of these that are not in the other set.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<usize> for Cores {
    fn from_iter<I: IntoIterator<Item = usize>>(cores: I) -> Self {
        Self(cores.into_iter().collect())
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.iter().copied().peekable();
        let mut separator = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while rest.next_if_eq(&(last + 1)).is_some() {
                last += 1;
            }
            write!(f, "{separator}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}
