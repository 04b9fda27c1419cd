//! The parts of a recording: plain files, gzip files and entries of zip archives, each opened on its own as a stream of
//! bytes. An archive that lost its directory is read by the headers before each entry, so that a broken download gives
//! all that arrived.

use super::error::RecordingError;
use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use zip::CompressionMethod;

/// Bytes read or decoded at a time.
const BUFFER: usize = 64 * 1024;

/// One stream of rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    /// For people: the file's name, and the entry's within an archive.
    pub(super) label: String,
    path: PathBuf,
    coding: Coding,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    Plain,
    Gzip,
    Entry { start: u64, packed: u64, deflated: bool, crc: u32, size: u64 },
}

/// The parts at a path, by name. A directory gives those of its files that are recordings by their names; what was
/// wrong with an archive that still gave entries goes to `errors`.
pub(super) fn parts_at(path: &Path, errors: &mut Vec<RecordingError>) -> Result<Vec<Part>, RecordingError> {
    let open_error = |source| RecordingError::Open { file: path.display().to_string(), source };
    let mut files = vec![path.to_path_buf()];
    if std::fs::metadata(path).map_err(open_error)?.is_dir() {
        files = std::fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>())
            .map_err(open_error)?;
        files.sort();
    }
    let mut parts = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let lower = name.to_lowercase();
        if lower.ends_with(".csv") {
            parts.push(Part { label: name, path: file.clone(), coding: Coding::Plain });
        } else if lower.ends_with(".csv.gz") {
            parts.push(Part { label: name, path: file.clone(), coding: Coding::Gzip });
        } else if lower.ends_with(".zip") {
            parts.extend(entries_of(file, &name, errors)?);
        }
    }
    if parts.is_empty() {
        return Err(RecordingError::Nothing { file: path.display().to_string() });
    }
    Ok(parts)
}

fn entries_of(path: &Path, name: &str, errors: &mut Vec<RecordingError>) -> Result<Vec<Part>, RecordingError> {
    let open_error = |source| RecordingError::Open { file: path.display().to_string(), source };
    let file = File::open(path).map_err(open_error)?;
    let mut entries = match directory(file) {
        Ok(entries) => entries,
        Err(failure) => {
            let file = File::open(path).map_err(open_error)?;
            let entries = walk(BufReader::with_capacity(BUFFER, file)).map_err(open_error)?;
            errors.push(RecordingError::Archive {
                file: name.to_owned(),
                detail: failure.to_string(),
                entries: entries.len(),
            });
            entries
        }
    };
    entries.retain(|(entry, _)| entry.to_lowercase().ends_with(".csv"));
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    let part = |(entry, coding)| Part { label: format!("{name}/{entry}"), path: path.to_path_buf(), coding };
    Ok(entries.into_iter().map(part).collect())
}

/// Names and places of the entries, from the archive's directory.
fn directory(file: File) -> zip::result::ZipResult<Vec<(String, Coding)>> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
    let mut entries = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let deflated = entry.compression() == CompressionMethod::Deflated;
        if entry.is_dir() || entry.encrypted() || !deflated && entry.compression() != CompressionMethod::Stored {
            continue;
        }
        let Some(start) = entry.data_start() else { continue };
        let (packed, crc, size) = (entry.compressed_size(), entry.crc32(), entry.size());
        let name = entry.name()?.into_owned();
        entries.push((name, Coding::Entry { start, packed, deflated, crc, size }));
    }
    Ok(entries)
}

/// Names and places of the entries, from the header before each (APPNOTE 4.3.7). Ends where no header stands.
fn walk(mut file: impl BufRead + Seek) -> io::Result<Vec<(String, Coding)>> {
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let mut head = [0; 30];
        file.seek(SeekFrom::Start(at))?;
        if file.read_exact(&mut head).is_err() || !head.starts_with(b"PK\x03\x04") {
            return Ok(entries);
        }
        let u16_at = |at: usize| u64::from(head[at]) | u64::from(head[at + 1]) << 8;
        let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
        let mut name = vec![0; u16_at(26) as usize];
        if file.read_exact(&mut name).is_err() {
            return Ok(entries);
        }
        let start = at + 30 + u16_at(26) + u16_at(28);
        let (flags, method) = (u16_at(6), u16_at(8));
        let (mut packed, mut size, mut crc) = (u32_at(18), u32_at(22), u32_at(14) as u32);
        let mut descriptor = 0;
        if flags & 8 != 0 && method == 8 {
            // Sizes stand behind the data, which ends itself.
            file.seek(SeekFrom::Start(start))?;
            let mut data = DeflateDecoder::new(&mut file);
            let mut sum = Crc::new();
            let mut room = vec![0; BUFFER];
            while let Ok(len @ 1..) = data.read(&mut room) {
                sum.update(room.get(..len).unwrap_or(&[]));
            }
            (packed, size, crc) = (data.total_in(), data.total_out(), sum.sum());
            descriptor = 16;
        }
        if flags & 1 == 0 && (method == 0 || method == 8) {
            let coding = Coding::Entry { start, packed, deflated: method == 8, crc, size };
            entries.push((String::from_utf8_lossy(&name).into_owned(), coding));
        }
        at = start + packed + descriptor;
    }
}

impl Part {
    /// The part's bytes, decoded, from its beginning. A checksum or length that does not fit ends the stream with an
    /// error.
    pub(super) fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        let mut file = BufReader::with_capacity(BUFFER, File::open(&self.path)?);
        Ok(match self.coding {
            Coding::Plain => Box::new(file),
            Coding::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
            Coding::Entry { start, packed, deflated, crc, size } => {
                file.seek(SeekFrom::Start(start))?;
                let data = file.take(packed);
                let inner: Box<dyn Read + Send> =
                    if deflated { Box::new(DeflateDecoder::new(data)) } else { Box::new(data) };
                Box::new(BufReader::with_capacity(BUFFER, Checked { inner, sum: Crc::new(), crc, size }))
            }
        })
    }
}

/// Compares an entry's length and checksum with its header's at the end.
struct Checked {
    inner: Box<dyn Read + Send>,
    sum: Crc,
    crc: u32,
    size: u64,
}

impl Read for Checked {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(room)?;
        self.sum.update(room.get(..len).unwrap_or(&[]));
        let whole = u64::from(self.sum.amount()) == self.size & u64::from(u32::MAX) && self.sum.sum() == self.crc;
        if len == 0 && !room.is_empty() && !whole {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the entry's length or checksum does not fit"));
        }
        Ok(len)
    }
}
