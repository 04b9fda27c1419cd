//! Which product trades when: rows of (product, validity, templates) compiled for look-up, and the phases of any covered
//! trading day. Read-only after the start and shared by reference; a look-up is two binary searches and allocates
//! nothing.

use super::{Calendar, CalendarError, DayTemplate, NightTemplate, PhaseSpan, PhaseSpans};
use crate::codes::{Exchange, PhaseKind};
use crate::units::{Nanos, Text, TradingDay};

/// A product's sessions over a range of trading days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Its exchange.
    pub exchange: Exchange,
    /// Its code, in the exchange's letter case (`ru`, `IF`, `AP`).
    pub product: Text<16>,
    /// First trading day on which the row holds.
    pub from: TradingDay,
    /// Last trading day on which it holds, unless a later row begins before.
    pub until: TradingDay,
    /// Index of the day template.
    pub day: usize,
    /// Index of the night template, where the product trades at night.
    pub night: Option<usize>,
}

/// Everything [`Sessions`] is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionsSource {
    /// The trading days.
    pub calendar: Calendar,
    /// Day templates.
    pub days: Vec<DayTemplate>,
    /// Night templates.
    pub nights: Vec<NightTemplate>,
    /// The rows, in any order.
    pub rows: Vec<SessionRow>,
    /// Ranges of trading days without any night session, inclusive.
    pub nights_suspended: Vec<(TradingDay, TradingDay)>,
}

/// The sessions of all products.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sessions {
    source: SessionsSource,
}

/// Place of a product in [`Sessions`], so that repeated look-ups need no text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ProductKey {
    exchange: Exchange,
    product: Text<16>,
}

impl Sessions {
    /// Sorts the rows for look-up. Template indices that do not exist give [`CalendarError::NoSession`] when asked for.
    pub fn new(mut source: SessionsSource) -> Self {
        source.rows.sort_by_key(|row| (row.exchange, row.product, row.from));
        Self { source }
    }

    /// The trading days.
    pub const fn calendar(&self) -> &Calendar {
        &self.source.calendar
    }

    /// The products the table knows, each once, in order of exchange and code.
    pub fn products(&self) -> impl Iterator<Item = (Exchange, Text<16>)> {
        let mut last = None;
        self.source.rows.iter().filter_map(move |row| {
            let key = (row.exchange, row.product);
            (last.replace(key) != Some(key)).then_some(key)
        })
    }

    /// The phases of a product's trading day: contiguous from the first auction (the evening before, where there is a
    /// night session) to the close.
    pub fn phases_of(&self, exchange: Exchange, product: &str, day: TradingDay) -> Result<PhaseSpans, CalendarError> {
        self.phases(self.key(exchange, product)?, day)
    }

    /// The trading day a moment belongs to, for a product that the table knows: see [`Calendar::trading_day_at`].
    pub fn trading_day_at(&self, exchange: Exchange, product: &str, at: Nanos) -> Result<TradingDay, CalendarError> {
        self.key(exchange, product)?;
        self.source.calendar.trading_day_at(at)
    }

    /// The phase of a product at a moment. Between the close of a trading day and the opening of the next it is shut.
    pub fn phase_at(&self, exchange: Exchange, product: &str, at: Nanos) -> Result<PhaseSpan, CalendarError> {
        Ok(self.span_at(self.key(exchange, product)?, at)?.1)
    }

    /// The known product of that code.
    pub(super) fn key(&self, exchange: Exchange, product: &str) -> Result<ProductKey, CalendarError> {
        let text = Text::new(product.as_bytes()).unwrap_or_default();
        let known = self.rows_of(ProductKey { exchange, product: text }).next().is_some();
        if known {
            Ok(ProductKey { exchange, product: text })
        } else {
            Err(CalendarError::UnknownProduct { exchange, product: text })
        }
    }

    fn rows_of(&self, key: ProductKey) -> impl DoubleEndedIterator<Item = &SessionRow> {
        let key = (key.exchange, key.product);
        let start = self.source.rows.partition_point(|row| (row.exchange, row.product) < key);
        let end = self.source.rows.partition_point(|row| (row.exchange, row.product) <= key);
        self.source.rows.get(start..end).unwrap_or(&[]).iter()
    }

    pub(super) fn phases(&self, key: ProductKey, day: TradingDay) -> Result<PhaseSpans, CalendarError> {
        let SessionsSource { calendar, days, nights, nights_suspended, .. } = &self.source;
        let eve = calendar.night_eve(day)?;
        let none = CalendarError::NoSession { exchange: key.exchange, product: key.product, day };
        let row = self.rows_of(key).rev().find(|row| row.from <= day).filter(|row| day <= row.until).ok_or(none)?;
        let shape = days.get(row.day).ok_or(none)?;
        let suspended = nights_suspended.iter().any(|&(from, until)| from <= day && day <= until);
        let night = match (row.night, eve) {
            (Some(index), Some(eve)) if !suspended => Some((eve, nights.get(index).ok_or(none)?)),
            _ => None,
        };
        Ok(PhaseSpans::of(day, shape, night))
    }

    /// The trading day and phase of a moment.
    pub(super) fn span_at(&self, key: ProductKey, at: Nanos) -> Result<(TradingDay, PhaseSpan), CalendarError> {
        let day = self.source.calendar.trading_day_at(at)?;
        let spans = self.phases(key, day)?;
        if at >= spans.end() {
            return Ok((day, self.shut_after(key, day, &spans)));
        }
        if let Some(span) = spans.iter().find(|span| span.contains(at)) {
            return Ok((day, *span));
        }
        // Before the opening. The day before may be outside the table, or before the listing: the start is then unknown.
        let before = self.source.calendar.previous_trading_day(day).and_then(|day| self.phases(key, day));
        let start = before.map_or(Nanos::ABSENT, |spans| spans.end());
        Ok((day, PhaseSpan { start, end: spans.start(), kind: PhaseKind::Shut }))
    }

    /// The phase that begins when the one of `day` that ends at `end` is over.
    pub(super) fn span_after(&self, key: ProductKey, day: TradingDay, end: Nanos) -> Result<PhaseSpan, CalendarError> {
        let spans = self.phases(key, day)?;
        match spans.iter().find(|span| span.start >= end) {
            Some(span) => Ok(*span),
            None => Ok(self.shut_after(key, day, &spans)),
        }
    }

    fn shut_after(&self, key: ProductKey, day: TradingDay, spans: &PhaseSpans) -> PhaseSpan {
        let next = self.source.calendar.next_trading_day(day).and_then(|day| self.phases(key, day));
        let end = next.map_or(Nanos::ABSENT, |spans| spans.start());
        PhaseSpan { start: spans.end(), end, kind: PhaseKind::Shut }
    }
}
