//! How often the counter refused our password, from one start of the process to the next: a supervisor that starts an
//! engine again must not lock the account. A small file in the home, written before the next login can be sent, gone
//! with a login that succeeds. Read at the start and written on the edge's thread, once for each refusal.

use super::api::Credentials;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const HEAD: &str =
    "# Logins that the counter refused for the password; delete this file to have the same password sent again.\n";

/// The count, and the file that keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempts {
    file: PathBuf,
    mark: u8,
    count: u32,
}

impl Attempts {
    /// What `file` says of these credentials: nothing where there is none, or where it is of others. A file that cannot
    /// be read, or is not ours, counts as more refusals than are ever allowed.
    pub fn open(file: &Path, credentials: &Credentials) -> Self {
        let mark = mark(credentials);
        let count = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(_) => u32::MAX,
            Ok(text) => match read(&text) {
                Some((count, of)) if of == mark => count,
                Some(_) => 0,
                None => u32::MAX,
            },
        };
        Self { file: file.to_owned(), mark, count }
    }

    /// Refusals of this password so far.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Why no login may be sent, for people, when `most` were refused.
    pub fn refusal(&self, most: u32) -> Option<String> {
        (self.count >= most).then(|| {
            format!(
                "{}: the counter has refused this password {most} times or for good; no login is sent, so that the account \
                 is not locked. Correct the password (SHRIKE_LOGIN__PASSWORD, or the file login.password_file names): \
                 another one is sent at once. If it is right, and the account open, delete this file and start again",
                self.file.display()
            )
        })
    }

    /// Keeps another count; zero removes the file. Returns when it is on the disk.
    ///
    /// # Errors
    /// When the file cannot be written: then a restart would forget the count.
    pub fn keep(&mut self, count: u32) -> io::Result<()> {
        self.count = count;
        if count == 0 {
            match fs::remove_file(&self.file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        } else {
            let beside = self.file.with_extension("new");
            let mut new = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
            write!(new, "{HEAD}refused {count}\nmark {}\n", self.mark)?;
            new.sync_all()?;
            fs::rename(&beside, &self.file)?;
        }
        self.file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

/// Keeps a session's count where it has changed; `None` where it has not.
///
/// # Errors
/// What failed, for people.
pub(super) fn follow(attempts: &mut Option<Attempts>, refusals: u32) -> Option<Result<(), String>> {
    let attempts = attempts.as_mut().filter(|attempts| attempts.count() != refusals)?;
    let kept = attempts.keep(refusals);
    Some(kept.map_err(|error| {
        let file = attempts.file.display();
        format!("{file}: {error}; a restart would not know how often the password was refused: mend this first")
    }))
}

fn read(text: &str) -> Option<(u32, u8)> {
    let (count, mark) = text.strip_prefix(HEAD)?.strip_prefix("refused ")?.split_once("\nmark ")?;
    Some((count.parse().ok()?, mark.trim_end().parse().ok()?))
}

/// Tells other credentials in 63 of 64 cases; in the other the person who changed them is told to delete the file. It has
/// six bits, of names and secrets together, and no salt: whoever reads it, and however often, can leave out no more than
/// 63 of 64 passwords, while any longer sum of a password of six digits would give it away.
fn mark(credentials: &Credentials) -> u8 {
    let Credentials { broker_id, user_id, password, auth_code, .. } = credentials;
    // FNV-1a, folded.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in [broker_id, user_id, password, auth_code] {
        for &byte in text.as_bytes().iter().chain(&[0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    (hash ^ (hash >> 29) ^ (hash >> 47)) as u8 & 63
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(password: &str) -> Credentials {
        Credentials { user_id: "1001".to_owned(), password: password.to_owned(), ..Credentials::default() }
    }

    #[test]
    fn a_count_is_kept_until_a_login_or_another_password() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("refused");
        let open = |password: &str| Attempts::open(&file, &with(password));
        open("123456").keep(2).unwrap();
        assert_eq!((open("123456").count(), open("123456").refusal(3)), (2, None));
        let words = open("123456").refusal(2).unwrap();
        assert!(words.contains(&file.display().to_string()) && words.contains("delete this file"), "{words}");
        let others = (0..640).filter(|n| open(&format!("{n:06}")).count() > 0).count();
        assert!(others < 30, "one of 64 looks like the one that was refused: {others} of 640");
        open("123456").keep(0).unwrap();
        assert_eq!(open("123456").count(), 0);
        assert!(!file.exists());
        open("123456").keep(0).unwrap();
    }

    #[test]
    fn the_file_says_nothing_of_the_password_and_damage_sends_none() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("refused");
        Attempts::open(&file, &with("tigers")).keep(1).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("tigers"), "{text}");
        let marks: std::collections::BTreeSet<u8> = (0..10_000).map(|n| mark(&with(&n.to_string()))).collect();
        assert!(marks.len() == 64 && marks.last() == Some(&63), "six bits, all of them used");
        fs::write(&file, text.replace("refused 1", "refused one")).unwrap();
        assert!(Attempts::open(&file, &with("tigers")).refusal(4).is_some());
    }
}
