//! State as bytes, for the snapshot at a session's end. Whoever saves writes plain values one after the other; whoever
//! loads reads them back through [`Bytes`], which checks every code and never reads beyond the end.

use bytemuck::CheckedBitPattern;

/// A reader over saved bytes.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next value; `None` when too few bytes are left, or they are no such value.
    pub fn pod<T: CheckedBitPattern>(&mut self) -> Option<T> {
        let (head, rest) = self.0.split_at_checked(size_of::<T>())?;
        self.0 = rest;
        bytemuck::checked::try_pod_read_unaligned(head).ok()
    }

    /// The next number.
    pub fn u64(&mut self) -> Option<u64> {
        self.pod()
    }

    /// The next run of bytes, as [`put_run`] wrote it.
    pub fn run(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u64()?).ok()?;
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
}

/// Writes bytes with their length before them.
pub fn put_run(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}
