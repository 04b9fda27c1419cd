//! One side (long or short) of the position in a contract: lots by date, and what they cost. The arithmetic of the
//! by-date convention in the module's documentation lives here and nowhere else.

use super::details::{Detail, Details, Queue};
use crate::codes::{Offset, Side};
use crate::seeded::{self, Bug};
use crate::units::{Lots, Money, Price};
use bytemuck::{CheckedBitPattern, NoUninit};

/// Lots and values of one side. Values are in price-lots: raw units of 1e-8 price, times lots; the contract's
/// multiplier turns them into money.
#[derive(Clone, Copy, PartialEq, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(super) struct Holding {
    /// What today's lots cost: the sum over `queue`, kept so that no valuation walks it. Negative lots (a close told
    /// before its open) were "bought" at the close's price. Unpriced lots count nothing.
    today_value: i128,
    /// Result of closing today's lots, as for a long position.
    closed_today: i128,
    /// Proceeds of the closed lots of earlier days.
    closed_yesterday_value: i128,
    closed_yesterday: i64,
    today: i64,
    yesterday: i64,
    /// [`Side`] of the position: +1 long, -1 short.
    sign: i64,
    /// Of `today`, lots adopted from the venue without a price.
    unpriced: i64,
    /// Today's lots one by one, first opened first: all positive, or all negative.
    queue: Queue,
    /// Unpriced lots were closed, so the day's result is not known.
    closed_unpriced: bool,
    pad: [u8; 15],
}

/// How a fill's lots fall on open, close of today and close of earlier days: each has its own fee.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Portions {
    pub(super) opened: i64,
    pub(super) closed_today: i64,
    pub(super) closed_yesterday: i64,
}

impl Holding {
    pub(super) const fn flat(side: Side) -> Self {
        Self {
            today_value: 0,
            closed_today: 0,
            closed_yesterday_value: 0,
            closed_yesterday: 0,
            today: 0,
            yesterday: 0,
            sign: side.sign(),
            unpriced: 0,
            queue: Queue::EMPTY,
            closed_unpriced: false,
            pad: [0; 15],
        }
    }

    #[inline]
    pub(super) const fn today(&self) -> i64 {
        self.today
    }
    #[inline]
    pub(super) const fn yesterday(&self) -> i64 {
        self.yesterday
    }
    #[inline]
    pub(super) const fn lots(&self) -> i64 {
        self.today + self.yesterday
    }
    /// Whether there is nothing of any date.
    #[inline]
    pub(super) const fn is_flat(&self) -> bool {
        self.today == 0 && self.yesterday == 0
    }
    #[inline]
    pub(super) const fn today_value(&self) -> i128 {
        self.today_value
    }

    /// Today's lots one by one, first opened first.
    pub(super) fn details<'a>(&self, details: &'a Details) -> impl Iterator<Item = &'a Detail> {
        details.of(self.queue)
    }

    /// Books an opening fill.
    pub(super) fn open(&mut self, lots: i64, price: Price, details: &mut Details) -> Portions {
        self.trade_today(lots, price, details);
        Portions { opened: lots, ..Portions::default() }
    }

    /// Books a closing fill. Where the exchange splits dates the offset says which lots; elsewhere those of earlier
    /// days go first. More lots than are held make the date's lots negative: the opening fill is still to come, or
    /// the books are wrong, which the venue's restatement will show.
    pub(super) fn close(
        &mut self,
        offset: Offset,
        splits_today: bool,
        lots: i64,
        price: Price,
        details: &mut Details,
    ) -> Portions {
        let of_yesterday = match (splits_today, offset) {
            (true, Offset::CloseToday) if !seeded::on(Bug::CloseTodayOfYesterday) => 0,
            (true, Offset::CloseToday) => lots.min(self.yesterday.max(0)),
            (true, _) => lots,
            (false, _) => lots.min(self.yesterday.max(0)),
        };
        let of_today = lots - of_yesterday;
        self.yesterday -= of_yesterday;
        self.closed_yesterday += of_yesterday;
        self.closed_yesterday_value += price.raw() as i128 * of_yesterday as i128;
        self.trade_today(-of_today, price, details);
        Portions { opened: 0, closed_today: of_today, closed_yesterday: of_yesterday }
    }

    /// Adds lots (negative: takes) at a price to today's, first in, first out: lots of the other sign meet the details
    /// that wait, and only what is left over joins the queue.
    fn trade_today(&mut self, lots: i64, price: Price, details: &mut Details) {
        let mut rest = lots;
        while rest != 0 && self.today != 0 && (self.today < 0) != (rest < 0) {
            let Some(detail) = details.front(&self.queue) else { break };
            let taken = if rest < 0 { rest.max(-detail.lots) } else { rest.min(-detail.lots) };
            detail.lots += taken;
            match detail.price.some() {
                Some(cost) => {
                    self.closed_today += (cost.raw() as i128 - price.raw() as i128) * taken as i128;
                    self.today_value += cost.raw() as i128 * taken as i128;
                }
                None => {
                    self.unpriced += taken;
                    self.closed_unpriced = true;
                }
            }
            self.today += taken;
            rest -= taken;
            if detail.lots == 0 {
                details.pop(&mut self.queue);
            }
        }
        self.add_today(rest, price, details);
    }

    fn add_today(&mut self, lots: i64, price: Price, details: &mut Details) {
        if lots == 0 {
            return;
        }
        self.today += lots;
        match price.some() {
            Some(price) => self.today_value += price.raw() as i128 * lots as i128,
            None => self.unpriced += lots,
        }
        details.push(&mut self.queue, price, lots);
    }

    /// Takes the venue's lots as the truth. Lots that agree keep their details; others become one detail at `mark`.
    pub(super) fn adopt(&mut self, today: i64, yesterday: i64, mark: Price, details: &mut Details) {
        self.yesterday = yesterday;
        if self.today != today {
            (self.today, self.today_value, self.unpriced, self.queue) = (0, 0, 0, Queue::EMPTY);
            self.add_today(today, mark, details);
        }
    }

    /// Whether the details add up to today's lots and their value, as they do in every book of ours.
    pub(super) fn adds_up(&self, details: &Details) -> bool {
        let (mut lots, mut value, mut unpriced) = (0i64, 0i128, 0i64);
        for detail in self.details(details) {
            lots = lots.saturating_add(detail.lots);
            match detail.price.some() {
                Some(price) => value = value.saturating_add(price.raw() as i128 * detail.lots as i128),
                None => unpriced = unpriced.saturating_add(detail.lots),
            }
        }
        (lots, value, unpriced) == (self.today, self.today_value, self.unpriced)
    }

    /// The day ends: today's lots join yesterday's, and what was closed is settled.
    pub(super) fn roll(&mut self) {
        if seeded::on(Bug::RollKeepsToday) {
            return;
        }
        let yesterday = self.lots();
        *self = Self { yesterday, ..Self::flat(if self.sign < 0 { Side::Sell } else { Side::Buy }) };
    }

    /// Result of the lots closed today; absent when unpriced lots were closed, or lots of earlier days whose settlement
    /// price is not known.
    #[inline]
    pub(super) fn close_profit(&self, pre_settlement: Price, multiplier: i64) -> Money {
        let yesterday = match self.closed_yesterday {
            _ if self.closed_unpriced => return Money::ABSENT,
            0 => 0,
            _ if pre_settlement.is_absent() => return Money::ABSENT,
            lots => self.closed_yesterday_value - pre_settlement.raw() as i128 * lots as i128,
        };
        self.money(self.closed_today + yesterday, multiplier)
    }

    /// Premiums of the day's fills in an option, received less paid: what was closed, less what today's lots cost. Absent
    /// as above.
    #[inline]
    pub(super) fn premium(&self, multiplier: i64) -> Money {
        if self.closed_unpriced || self.unpriced != 0 {
            return Money::ABSENT;
        }
        self.money(self.closed_today + self.closed_yesterday_value - self.today_value, multiplier)
    }

    /// Result of the lots held, marked at `mark`; absent when a price it needs is not known.
    #[inline]
    pub(super) fn position_profit(&self, mark: Price, pre_settlement: Price, multiplier: i64) -> Money {
        if self.is_flat() {
            return Money::ZERO;
        }
        if mark.is_absent() || self.unpriced != 0 || (pre_settlement.is_absent() && self.yesterday != 0) {
            return Money::ABSENT;
        }
        let of_yesterday = match self.yesterday {
            0 => 0,
            lots => (mark.raw() as i128 - pre_settlement.raw() as i128) * lots as i128,
        };
        self.money(of_yesterday + mark.raw() as i128 * self.today as i128 - self.today_value, multiplier)
    }

    /// What margin is asked for: earlier lots at the settlement price, today's at cost. Absent as above, and for
    /// negative lots.
    #[inline]
    pub(super) fn margin_value(&self, pre_settlement: Price, multiplier: i64) -> Money {
        if self.today < 0 || self.yesterday < 0 || self.unpriced != 0 {
            return Money::ABSENT;
        }
        let of_yesterday = match self.yesterday {
            0 => 0,
            _ if pre_settlement.is_absent() => return Money::ABSENT,
            lots => pre_settlement.raw() as i128 * lots as i128,
        };
        let of_today = if seeded::on(Bug::TodayWithoutMargin) { 0 } else { self.today_value };
        match (of_yesterday + of_today).checked_mul(multiplier as i128) {
            Some(raw) => Money::from_raw(raw),
            None => Money::ABSENT,
        }
    }

    #[inline]
    fn money(&self, price_lots: i128, multiplier: i64) -> Money {
        match (price_lots * self.sign as i128).checked_mul(multiplier as i128) {
            Some(raw) => Money::from_raw(raw),
            None => Money::ABSENT,
        }
    }

    /// Lots of a date that may be closed beside `closing` lots already ordered.
    #[inline]
    pub(super) fn closable(&self, offset: Offset, splits_today: bool, closing: Closing) -> Lots {
        let closing = if seeded::on(Bug::FrozenForgotten) { Closing::default() } else { closing };
        let lots = match (splits_today, offset) {
            (true, Offset::CloseToday) => self.today - closing.today,
            (true, _) => self.yesterday - closing.other,
            (false, _) => self.lots() - closing.lots(),
        };
        Lots::new(lots.max(0))
    }

    /// Lots of today and of earlier days bound by `closing`, as the exchange's rule takes them.
    #[inline]
    pub(super) fn frozen(&self, splits_today: bool, closing: Closing) -> (i64, i64) {
        if splits_today {
            return (closing.today, closing.other);
        }
        let yesterday = closing.lots().min(self.yesterday.max(0));
        (closing.lots() - yesterday, yesterday)
    }
}

/// Lots of working closing orders against one side.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(super) struct Closing {
    /// By close-today orders.
    pub(super) today: i64,
    /// By any other close.
    pub(super) other: i64,
}

impl Closing {
    #[inline]
    pub(super) const fn lots(&self) -> i64 {
        self.today + self.other
    }
}
