//! Puts the files of a journal in order after its writer died: drains memory to the disk, seals the last segment, sets
//! the marks, and moves what lies beyond the end to files beside the journal. Can be repeated at any point.

use crate::directory::{self, Directory};
use crate::format::{HEADER_PAGE, MARK_OFFSET, ROLL_BYTES, encode_mark, segment_file};
use crate::storage::{Ending, Segments};
use shrike_core::event::Header;
use shrike_core::seeded::{self, Bug};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 20;

/// See the module. A directory in memory whose path ends with `own` belongs to this journal's place; files elsewhere (of
/// a home that was copied or moved) are read and left.
pub(super) fn mend(directory: &Directory, own: &Path, ending: &Ending) -> io::Result<Vec<PathBuf>> {
    let mut files = Files { directory, own, aside: Vec::new(), changed: false };
    let last = ending.ends.last().map(|(index, _)| *index);
    for index in directory.clone().indices()?.into_iter().rev() {
        if last.is_none_or(|last| index > last) && !seeded::on(Bug::StraySegmentsKept) {
            files.set_segment_aside(index)?;
        }
    }
    for (index, end) in &ending.ends {
        let seal = ending.seal.as_ref().filter(|_| Some(*index) == last);
        files.finalise(*index, *end, seal, Some(*index) == last)?;
    }
    if files.changed {
        directory::sync_dir(directory.dir())?;
    }
    files.aside.reverse();
    Ok(files.aside)
}

struct Files<'a> {
    directory: &'a Directory,
    own: &'a Path,
    aside: Vec<PathBuf>,
    changed: bool,
}

impl Files<'_> {
    fn disk(&self, index: u32) -> PathBuf {
        self.directory.dir().join(segment_file(index))
    }

    /// The file in memory, when there is one.
    fn live(&self, index: u32) -> Option<PathBuf> {
        let path = self.directory.live()?.join(segment_file(index));
        path.exists().then_some(path)
    }

    fn is_own(&self, live: &Path) -> bool {
        live.parent().is_some_and(|parent| parent.ends_with(self.own))
    }

    fn remove_live(&self, index: u32) -> io::Result<()> {
        match self.live(index) {
            Some(path) if self.is_own(&path) => directory::remove(&path),
            _ => Ok(()),
        }
    }

    /// Removes a segment beyond the end, keeping its bytes.
    fn set_segment_aside(&mut self, index: u32) -> io::Result<()> {
        let file = File::open(self.live(index).unwrap_or_else(|| self.disk(index)))?;
        // A header page alone holds nothing that was ever recorded.
        if end_of_data(&file, u64::from(HEADER_PAGE))? > u64::from(HEADER_PAGE) {
            self.keep(&file, index, 0)?;
        }
        directory::remove(&self.disk(index))?;
        self.remove_live(index)?;
        self.changed = true;
        Ok(())
    }

    /// Keeps the bytes from `start` to the last one that is not zero; gives their end.
    fn keep(&mut self, file: &File, index: u32, start: u32) -> io::Result<u64> {
        let start = u64::from(start);
        let end = end_of_data(file, start)?;
        if end > start {
            let path = self.free_name(index, start);
            let copy = OpenOptions::new().write(true).create_new(true).open(&path)?;
            transfer(file, &copy, start, end, start)?;
            copy.sync_all()?;
            directory::sync_dir(self.directory.dir())?;
            self.aside.push(path);
        }
        Ok(end)
    }

    fn free_name(&self, index: u32, start: u64) -> PathBuf {
        let stem = format!("cut-{index:06}-{start}");
        let mut path = self.directory.dir().join(format!("{stem}.bin"));
        let mut n = 2;
        while path.exists() {
            path = self.directory.dir().join(format!("{stem}.{n}.bin"));
            n += 1;
        }
        path
    }

    /// Makes a segment final: ends at `end`, sealed, durable, marked, on the disk only.
    fn finalise(&mut self, index: u32, end: u32, seal: Option<&Header>, is_last: bool) -> io::Result<()> {
        let live = self.live(index);
        let source_path = live.clone().unwrap_or_else(|| self.disk(index));
        let source = OpenOptions::new().read(true).write(true).open(&source_path)?;
        // A tail may stand in our own file, and sees the seal; another place's file may have a living writer.
        let is_ours = live.as_ref().is_none_or(|path| self.is_own(path));
        if is_last {
            let data_end = self.keep(&source, index, end)?;
            if is_ours {
                zero(&source, u64::from(end), data_end)?;
            }
        }
        let sealed = if seal.is_some() { end + ROLL_BYTES } else { end };
        if let Some(seal) = seal.filter(|_| is_ours) {
            write_seal(&source, u64::from(end), seal)?;
        }
        let disk = if live.is_some() {
            let is_new = !self.disk(index).exists();
            let disk = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.disk(index))?;
            if is_new {
                // A segment's name is durable before the next one's, so that a host crash leaves no gap.
                directory::sync_dir(self.directory.dir())?;
            }
            transfer(&source, &disk, 0, u64::from(end), 0)?;
            if let Some(seal) = seal {
                write_seal(&disk, u64::from(end), seal)?;
            }
            disk
        } else {
            source
        };
        let end = sealed;
        let mark = encode_mark(index, end).to_le_bytes();
        let mut found = [0; 8];
        disk.read_exact_at(&mut found, u64::from(MARK_OFFSET))?;
        if live.is_some() || seal.is_some() || found != mark {
            // Data before mark.
            disk.sync_data()?;
            disk.write_all_at(&mark, u64::from(MARK_OFFSET))?;
            disk.sync_all()?;
        }
        if disk.metadata()?.len() > u64::from(end) {
            disk.set_len(u64::from(end))?;
            disk.sync_all()?;
        }
        self.remove_live(index)
    }
}

/// Writes a frame where readers may be looking: the length word last.
fn write_seal(file: &File, offset: u64, seal: &Header) -> io::Result<()> {
    let end = offset + u64::from(ROLL_BYTES);
    if file.metadata()?.len() < end {
        file.set_len(end)?;
    }
    let (len, rest) = bytemuck::bytes_of(seal).split_at(4);
    file.write_all_at(rest, offset + 4)?;
    file.write_all_at(len, offset)
}

/// The end of the last byte from `start` on that is not zero; `start` when there is none.
fn end_of_data(file: &File, start: u64) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut end = start;
    let mut at = start;
    loop {
        let count = file.read_at(&mut buffer, at)?;
        if count == 0 {
            return Ok(end);
        }
        let read = buffer.get(..count).unwrap_or(&[]);
        if let Some(last) = read.iter().rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += count as u64;
    }
}

/// Copies bytes `start..end` of one file to another, where the first goes to `start - shift`.
fn transfer(from: &File, to: &File, start: u64, end: u64, shift: u64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut at = start;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(BUFFER).min(BUFFER);
        let Some(part) = buffer.get_mut(..want) else { break };
        from.read_exact_at(part, at)?;
        to.write_all_at(part, at - shift)?;
        at += want as u64;
    }
    Ok(())
}

fn zero(file: &File, start: u64, end: u64) -> io::Result<()> {
    let zeros = [0; HEADER_PAGE as usize];
    let mut at = start;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(zeros.len()).min(zeros.len());
        file.write_all_at(zeros.get(..want).unwrap_or(&zeros), at)?;
        at += want as u64;
    }
    Ok(())
}
