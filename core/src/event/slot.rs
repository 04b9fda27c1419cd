//! Ring slots: a header and room for the largest body of the ring. Producers build events in place; consumers read
//! typed views without copying.

use super::{Body, Event, Header};
use bytemuck::{Pod, Zeroable};

/// A ring slot with `WORDS` 64-bit words for the body. Its header's `len` says how much of it counts.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Slot<const WORDS: usize> {
    header: Header,
    body: [u64; WORDS],
}

/// Market data to the signal stage: bodies up to 336 bytes.
pub type MarketSlot = Slot<42>;
/// Everything to, from and between the stages but market data: bodies up to 208 bytes. One size, so that an output is
/// copied from one end to the other as it is; a slot costs the cache lines that its event fills.
pub type StageSlot = Slot<26>;
/// Quotes, phases, definitions and intents to the order stage.
pub type IntentSlot = StageSlot;
/// Requests to the venue.
pub type RequestSlot = StageSlot;
/// The venue's reports to the order stage.
pub type ReportSlot = StageSlot;
/// Fills, order updates and refusals back to the signal stage.
pub type FeedbackSlot = StageSlot;

impl<const WORDS: usize> Default for Slot<WORDS> {
    fn default() -> Self {
        Self { header: Header::zeroed(), body: [0; WORDS] }
    }
}

impl<const WORDS: usize> Slot<WORDS> {
    /// Bytes of the largest body.
    pub const BODY_MAX: usize = WORDS * 8;

    /// The header.
    #[inline]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The header, to fill in times and numbers; `len`, `kind` and `version` are [`Self::put`]'s.
    #[inline]
    pub const fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    /// The body's bytes.
    #[inline]
    pub fn body(&self) -> &[u8] {
        let len = (self.header.len as usize).saturating_sub(Header::SIZE).min(Self::BODY_MAX);
        bytemuck::bytes_of(&self.body).get(..len).unwrap_or(&[])
    }

    /// The event, typed.
    #[inline]
    pub fn event(&self) -> Event<'_> {
        Event::read(self.header.kind, self.body())
    }

    /// Writes a body whose room is checked at compile time, and sets `len`, `kind` and `version`.
    #[inline]
    pub fn put<B: Body>(&mut self, body: &B) {
        const { assert!(size_of::<B>() <= WORDS * 8, "the body does not fit this ring's slots") };
        *self.place::<B>() = *body;
    }

    /// The body as a `B` to be written in place: the same room, not cleared, with `len`, `kind` and `version` set.
    /// The caller writes every field.
    #[inline]
    pub fn place<B: Body>(&mut self) -> &mut B {
        const { assert!(size_of::<B>() <= WORDS * 8, "the body does not fit this ring's slots") };
        const { assert!(align_of::<B>() <= 16, "bodies lie 48 bytes into a 64-byte line") };
        self.header.len = (Header::SIZE + size_of::<B>()) as u32;
        self.header.kind = B::KIND as u16;
        self.header.version = B::VERSION;
        let bytes = bytemuck::bytes_of_mut(&mut self.body);
        let (bytes, _) = bytes.split_at_mut(size_of::<B>());
        bytemuck::from_bytes_mut(bytes)
    }

    /// Copies an event of another slot size. False, and nothing is written, when it does not fit.
    #[inline]
    pub fn copy_from(&mut self, header: &Header, body: &[u8]) -> bool {
        match bytemuck::bytes_of_mut(&mut self.body).get_mut(..body.len()) {
            Some(room) => {
                room.copy_from_slice(body);
                self.header = *header;
                self.header.len = (Header::SIZE + body.len()) as u32;
                true
            }
            None => false,
        }
    }
}

/// Copies bytes into a body type, for readers that hold unaligned bytes; missing fields at the end read as zero.
pub fn read_body<B: Pod>(bytes: &[u8]) -> B {
    let mut body = B::zeroed();
    let room = bytemuck::bytes_of_mut(&mut body);
    let len = room.len().min(bytes.len());
    if let (Some(room), Some(bytes)) = (room.get_mut(..len), bytes.get(..len)) {
        room.copy_from_slice(bytes);
    }
    body
}
