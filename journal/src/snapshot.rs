//! Snapshots of state at the end of a session: one file for the pair of places up to which both stages' journals are
//! folded in, what the state depends on, and bytes that only the stages read. A broken snapshot is reported and the
//! journals are folded from their start instead, so it is never needed, only faster.

use crate::directory::sync_dir;
use crate::format::Position;
use bytemuck::{Pod, Zeroable};
use shrike_core::event::Seq;
use shrike_core::units::Text;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// First bytes of a snapshot.
pub const MAGIC: [u8; 8] = *b"SHRIKE\x1aS";
/// Version of the format.
pub const VERSION: u32 = 1;

/// Up to where a journal is folded into the state; reading goes on with [`crate::Reader::go_on`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Where the next record is.
    pub position: Position,
    /// Its number, or a later epoch's first.
    pub next_seq: Seq,
}

/// A snapshot.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// In the signal stage's journal.
    pub signal: Place,
    /// In the order stage's journal.
    pub order: Place,
    /// Hash of the configuration's text.
    pub config_hash: u64,
    /// The build that wrote it: layouts of the state may differ in another.
    pub build: Text<48>,
    /// The state.
    pub state: Vec<u8>,
}

/// Why a snapshot is not used. The caller reports it and folds the journals.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is damaged, or no snapshot.
    #[error("{}: ignored, the journals are folded instead: {why}", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// The first 128 bytes; the state follows.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Head {
    magic: [u8; 8],
    version: u32,
    /// CRC-32C of the head with this field zero, and of the state.
    crc: u32,
    signal_position: u64,
    signal_seq: Seq,
    order_position: u64,
    order_seq: Seq,
    config_hash: u64,
    state_bytes: u64,
    build: Text<48>,
    reserved: [u64; 2],
}

const _: () = assert!(size_of::<Head>() == 128);

fn checksum(head: &Head, state: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(bytemuck::bytes_of(&Head { crc: 0, ..*head })), state)
}

/// Writes the snapshot, whole or not at all, and makes it durable.
///
/// # Errors
/// When the disk does not take it; an earlier snapshot of that name is still there then.
pub fn save(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let mut head = Head {
        magic: MAGIC,
        version: VERSION,
        crc: 0,
        signal_position: snapshot.signal.position.raw(),
        signal_seq: snapshot.signal.next_seq,
        order_position: snapshot.order.position.raw(),
        order_seq: snapshot.order.next_seq,
        config_hash: snapshot.config_hash,
        state_bytes: snapshot.state.len() as u64,
        build: snapshot.build,
        reserved: [0; 2],
    };
    head.crc = checksum(&head, &snapshot.state);
    let draft = path.with_extension("tmp");
    let mut file = File::create(&draft)?;
    file.write_all(bytemuck::bytes_of(&head))?;
    file.write_all(&snapshot.state)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => sync_dir(dir),
        _ => sync_dir(Path::new(".")),
    }
}

/// Reads a snapshot; `None` when there is none.
///
/// # Errors
/// See [`SnapshotError`]. Whether configuration and build still fit is for the caller to compare.
pub fn load(path: &Path) -> Result<Option<Snapshot>, SnapshotError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SnapshotError::Io { file: path.to_path_buf(), source }),
    };
    decode(path, &bytes).map(Some)
}

fn decode(path: &Path, bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    let broken = |why: String| SnapshotError::Broken { file: path.to_path_buf(), why };
    let Some((head, state)) = bytes.split_at_checked(size_of::<Head>()) else {
        return Err(broken(format!("it has {} bytes, less than its head", bytes.len())));
    };
    let head: Head = bytemuck::pod_read_unaligned(head);
    if head.magic != MAGIC {
        return Err(broken("it begins with other bytes than a snapshot does".into()));
    }
    if head.version != VERSION {
        return Err(broken(format!("its format version is {}, expected {VERSION}", head.version)));
    }
    if head.state_bytes != state.len() as u64 {
        return Err(broken(format!("it holds {} bytes of state, expected {}", state.len(), head.state_bytes)));
    }
    let expected = checksum(&head, state);
    if head.crc != expected {
        return Err(broken(format!("checksum: expected {expected:08x}, found {:08x}", head.crc)));
    }
    Ok(Snapshot {
        signal: Place { position: Position::from_raw(head.signal_position), next_seq: head.signal_seq },
        order: Place { position: Position::from_raw(head.order_position), next_seq: head.order_seq },
        config_hash: head.config_hash,
        build: head.build,
        state: state.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_core::codes::StageId;

    #[test]
    fn a_snapshot_comes_back_and_no_damaged_one_does() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("end.snapshot");
        assert!(load(&path).unwrap().is_none());
        let place = |segment, n| Place {
            position: Position { segment, offset: 64 * segment },
            next_seq: Seq::new(StageId::Order, 1, n),
        };
        let snapshot = Snapshot {
            signal: place(3, 77),
            order: place(4, 99),
            config_hash: 0xfeed,
            build: Text::new(b"0.1.0 abc").unwrap(),
            state: (0..200).collect(),
        };
        save(&path, &snapshot).unwrap();
        assert_eq!(load(&path).unwrap(), Some(snapshot.clone()));

        let good = fs::read(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&path, &bad), Err(SnapshotError::Broken { .. })), "bit {bit}");
        }
        for len in 0..good.len() {
            assert!(matches!(decode(&path, &good[..len]), Err(SnapshotError::Broken { .. })), "cut at {len}");
        }
        fs::write(&path, &good[..100]).unwrap();
        assert!(matches!(load(&path), Err(SnapshotError::Broken { .. })));
        save(&path, &snapshot).unwrap();
        assert_eq!(load(&path).unwrap(), Some(snapshot));
    }
}
