//! The shape of a trading day: templates of night and day sessions as the tables write them, and the spans of one real
//! day that come out of them.

use crate::codes::PhaseKind;
use crate::units::{Nanos, TradingDay};

/// A piece of a session template, in seconds from midnight of its date (beyond 86,400 after midnight).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// When it begins.
    pub start_s: u32,
    /// When it ends.
    pub end_s: u32,
    /// What it is.
    pub kind: PhaseKind,
}

/// A night session: its slots count from midnight before the evening.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NightTemplate {
    slots: Vec<Slot>,
}

/// A day session. What precedes its first continuous slot opens a trading day without a night; after a night, `reopen`
/// takes that place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayTemplate {
    open: Vec<Slot>,
    rest: Vec<Slot>,
    reopen: Vec<(TradingDay, Vec<Slot>)>,
}

/// Why slots make no template.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// A slot ends before it begins, or begins before the one before it ended.
    #[error("slot {index} must begin at or after the end of the one before it, and end after it begins")]
    Order {
        /// Position of the slot, from zero.
        index: usize,
    },
    /// There is nothing to trade in.
    #[error("a session needs at least one continuous slot")]
    NoContinuous,
    /// More slots than a session holds.
    #[error("at most {} slots here", PhaseSpans::SLOTS_MAX)]
    TooMany,
    /// A time lies outside what the session's trading day spans.
    #[error(
        "slot {index} lies outside its session: a night runs 18:00 to 27:00, a day 03:00 to 18:00, and what opens a day ends with its first continuous slot"
    )]
    Outside {
        /// Position of the slot, from zero.
        index: usize,
    },
}

fn check(slots: &[Slot], from_s: u32, until_s: u32) -> Result<(), TemplateError> {
    if slots.len() > PhaseSpans::SLOTS_MAX {
        return Err(TemplateError::TooMany);
    }
    let mut end_s = 0;
    for (index, slot) in slots.iter().enumerate() {
        if slot.start_s < end_s || slot.end_s <= slot.start_s {
            return Err(TemplateError::Order { index });
        }
        if slot.start_s < from_s || slot.end_s > until_s {
            return Err(TemplateError::Outside { index });
        }
        end_s = slot.end_s;
    }
    Ok(())
}

impl NightTemplate {
    /// A night of these slots, in order; gaps between them become breaks.
    pub fn new(slots: Vec<Slot>) -> Result<Self, TemplateError> {
        check(&slots, super::ROLL_SECOND, 86_400 + super::NIGHT_END_SECOND)?;
        if !slots.iter().any(|slot| slot.kind == PhaseKind::Continuous) {
            return Err(TemplateError::NoContinuous);
        }
        Ok(Self { slots })
    }
}

impl DayTemplate {
    /// A day of these slots, in order; gaps between them become breaks. `reopen` gives, by first trading day, what stands
    /// before the first continuous slot when a night preceded (nothing before the first entry).
    pub fn new(slots: Vec<Slot>, mut reopen: Vec<(TradingDay, Vec<Slot>)>) -> Result<Self, TemplateError> {
        let first = slots.iter().position(|slot| slot.kind == PhaseKind::Continuous);
        let first = first.ok_or(TemplateError::NoContinuous)?;
        let (open, rest) = slots.split_at(first);
        let first_s = rest.first().map_or(0, |slot| slot.start_s);
        check(open, super::NIGHT_END_SECOND, first_s)?;
        check(rest, super::NIGHT_END_SECOND, super::ROLL_SECOND)?;
        for (_, slots) in &reopen {
            check(slots, super::NIGHT_END_SECOND, first_s)?;
        }
        reopen.sort_by_key(|&(from, _)| from);
        Ok(Self { open: open.to_vec(), rest: rest.to_vec(), reopen })
    }

    fn opening(&self, day: TradingDay, after_night: bool) -> &[Slot] {
        if !after_night {
            return &self.open;
        }
        let row = self.reopen.iter().rev().find(|&&(from, _)| from <= day);
        row.map_or(&[], |(_, slots)| slots)
    }
}

/// A phase of one trading day: `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PhaseSpan {
    /// When it begins.
    pub start: Nanos,
    /// When it ends; absent when the calendar does not reach so far.
    pub end: Nanos,
    /// What it is.
    pub kind: PhaseKind,
}

impl PhaseSpan {
    /// Whether a moment lies within.
    #[inline]
    pub fn contains(&self, at: Nanos) -> bool {
        self.start <= at && (at < self.end || self.end.is_absent())
    }
}

/// The phases of one trading day, in order and without gaps, from the opening auction to the close: breaks within a
/// session and the shut hours between night and day are spans too. Held inline: no allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PhaseSpans {
    spans: [PhaseSpan; Self::CAPACITY],
    len: usize,
}

impl PhaseSpans {
    /// Most slots of a night, of what opens a day, and of the rest of a day.
    pub const SLOTS_MAX: usize = 5;
    /// All three, with a gap before each slot.
    const CAPACITY: usize = 3 * 2 * Self::SLOTS_MAX;

    /// The spans of a trading day: the night on the evening of `eve`, if there is one, then the day.
    pub(super) fn of(day: TradingDay, shape: &DayTemplate, night: Option<(TradingDay, &NightTemplate)>) -> Self {
        let nothing = PhaseSpan { start: Nanos::ABSENT, end: Nanos::ABSENT, kind: PhaseKind::Shut };
        let mut spans = Self { spans: [nothing; Self::CAPACITY], len: 0 };
        if let Some((eve, night)) = night {
            spans.append(eve, &night.slots, PhaseKind::Shut);
        }
        let opening = shape.opening(day, night.is_some());
        spans.append(day, opening, PhaseKind::Shut);
        let gap = if opening.is_empty() { PhaseKind::Shut } else { PhaseKind::Break };
        spans.append(day, &shape.rest, gap);
        spans
    }

    /// Appends slots of a date; what lies between the spans so far and the first slot is `before`.
    fn append(&mut self, date: TradingDay, slots: &[Slot], before: PhaseKind) {
        let mut gap = before;
        for slot in slots {
            let (start, end) = (Nanos::china(date, slot.start_s, 0), Nanos::china(date, slot.end_s, 0));
            if let Some(last) = self.last().copied()
                && last.end < start
            {
                self.push(PhaseSpan { start: last.end, end: start, kind: gap });
            }
            self.push(PhaseSpan { start, end, kind: slot.kind });
            gap = PhaseKind::Break;
        }
    }

    fn push(&mut self, span: PhaseSpan) {
        debug_assert!(self.len < Self::CAPACITY, "templates are checked to fit");
        if let Some(place) = self.spans.get_mut(self.len) {
            *place = span;
            self.len += 1;
        }
    }

    /// When the trading day opens: its first auction.
    pub fn start(&self) -> Nanos {
        self.first().map_or(Nanos::ABSENT, |span| span.start)
    }

    /// When the trading day closes.
    pub fn end(&self) -> Nanos {
        self.last().map_or(Nanos::ABSENT, |span| span.end)
    }
}

impl std::ops::Deref for PhaseSpans {
    type Target = [PhaseSpan];

    fn deref(&self) -> &[PhaseSpan] {
        self.spans.get(..self.len).unwrap_or(&[])
    }
}

impl<'a> IntoIterator for &'a PhaseSpans {
    type Item = &'a PhaseSpan;
    type IntoIter = std::slice::Iter<'a, PhaseSpan>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
