//! The account's money: what the contracts contribute, summed as they change, and what no contract knows.

use super::position::Worth;
use crate::event::{Login, Seq};
use crate::units::{Money, TradingDay};
use bytemuck::{CheckedBitPattern, NoUninit};

/// The account's money at a moment. What cannot be computed is absent: a limit on it must then block opening.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Funds {
    /// Balance at the start of the trading day.
    pub pre_balance: Money,
    /// Result of the lots closed today.
    pub close_profit: Money,
    /// Result of the lots held, marked to the market.
    pub position_profit: Money,
    /// Fees of the day.
    pub commission: Money,
    /// Margin of the lots held.
    pub margin: Money,
    /// Margin and fees bound by live opening orders.
    pub frozen: Money,
    /// Balance with the day's results and fees.
    pub equity: Money,
    /// Equity beside margin and frozen: what new positions may use.
    pub available: Money,
}

/// One sum over contracts: the present parts, and how many are absent.
#[derive(Clone, Copy, Default, Debug)]
struct Sum {
    raw: i128,
    absent: u32,
}

impl Sum {
    fn part(money: Money) -> Option<i128> {
        Some(money.raw()).filter(|&raw| is_of_this_world(raw))
    }

    #[inline]
    fn replace(&mut self, old: Money, new: Money) {
        if old == new {
            return;
        }
        match Self::part(old) {
            Some(raw) => self.raw -= raw,
            None => self.absent -= 1,
        }
        match Self::part(new) {
            Some(raw) => self.raw += raw,
            None => self.absent += 1,
        }
    }

    fn money(&self) -> Money {
        if self.absent == 0 { Money::from_raw(self.raw) } else { Money::ABSENT }
    }
}

/// Parts from 2^94 on are no money of this world, and absent is one of them; they count as absent, so that the sums of 2^24
/// contracts, more than there can be, stay below 2^118, and a few of those cannot overflow.
#[inline]
const fn is_of_this_world(raw: i128) -> bool {
    matches!(raw >> 94, -1 | 0)
}

/// The sums of every contract's [`Worth`].
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Totals {
    close_profit: Sum,
    position_profit: Sum,
    commission: Sum,
    margin: Sum,
    frozen: Sum,
}

impl Totals {
    #[inline]
    pub(super) fn replace(&mut self, old: &Worth, new: &Worth) {
        self.close_profit.replace(old.close_profit, new.close_profit);
        self.position_profit.replace(old.position_profit, new.position_profit);
        self.commission.replace(old.commission, new.commission);
        self.margin.replace(old.margin, new.margin);
        self.frozen.replace(old.frozen, new.frozen);
    }

    #[inline]
    pub(super) fn funds(&self, account: &Account) -> Funds {
        let Self { close_profit, position_profit, commission, margin, frozen } = self;
        let absent = close_profit.absent | position_profit.absent | commission.absent | margin.absent | frozen.absent;
        let base = [account.pre_balance, account.base_close_profit, account.base_commission].map(Money::raw);
        if absent != 0 || !base.into_iter().all(is_of_this_world) {
            return self.incomplete_funds(account);
        }
        let [pre_balance, base_close_profit, base_commission] = base;
        let close_profit = close_profit.raw + base_close_profit;
        let commission = commission.raw + base_commission;
        let equity = pre_balance + close_profit + position_profit.raw - commission;
        Funds {
            pre_balance: Money::from_raw(pre_balance),
            close_profit: Money::from_raw(close_profit),
            position_profit: Money::from_raw(position_profit.raw),
            commission: Money::from_raw(commission),
            margin: Money::from_raw(margin.raw),
            frozen: Money::from_raw(frozen.raw),
            equity: Money::from_raw(equity),
            available: Money::from_raw(equity - margin.raw - frozen.raw),
        }
    }

    /// The same where a part may be absent.
    #[cold]
    fn incomplete_funds(&self, account: &Account) -> Funds {
        let close_profit = self.close_profit.money().plus(account.base_close_profit);
        let commission = self.commission.money().plus(account.base_commission);
        let (position_profit, margin) = (self.position_profit.money(), self.margin.money());
        let frozen = self.frozen.money();
        let equity = account.pre_balance.plus(close_profit).plus(position_profit).minus(commission);
        Funds {
            pre_balance: account.pre_balance,
            close_profit,
            position_profit,
            commission,
            margin,
            frozen,
            equity,
            available: equity.minus(margin).minus(frozen),
        }
    }
}

/// What is known of the account beside its contracts and orders.
#[derive(Clone, Copy, PartialEq, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub(super) struct Account {
    pub(super) pre_balance: Money,
    /// The venue's close profit and fees of today from before this home's first login.
    pub(super) base_close_profit: Money,
    pub(super) base_commission: Money,
    pub(super) login: Login,
    pub(super) next_ref: u64,
    /// Fills booked, over all days.
    pub(super) fills: u64,
    /// Facts that could not be booked, over all days.
    pub(super) ignored: u64,
    /// The order stage's number of its last request for a restatement.
    pub(super) asked: Seq,
    pub(super) day: TradingDay,
    /// Counts the restatements that were asked for.
    pub(super) restatement: u32,
    /// The restatement whose answers are all in.
    pub(super) complete: u32,
    pub(super) logged_in: bool,
    /// The venue's books of the first login were taken as the start.
    pub(super) adopted: bool,
    /// The day has rolled, and the venue's books are still to be taken over.
    pub(super) takes_over: bool,
    pub(super) pad: u8,
    /// By how much lots differed in the latest complete answer of the day, as a digest; zero: by none.
    pub(super) doubt: u64,
    pub(super) pad2: u64,
}

impl Account {
    pub(super) const NEW: Self = Self {
        pre_balance: Money::ABSENT,
        base_close_profit: Money::ZERO,
        base_commission: Money::ZERO,
        login: Login {
            trading_day: TradingDay::ABSENT,
            front_id: 0,
            session_id: 0,
            pad: 0,
            max_order_ref: 0,
            exch_ns: crate::units::Nanos::ABSENT,
            reserved: [0; 48],
        },
        next_ref: 1,
        fills: 0,
        ignored: 0,
        asked: Seq::ABSENT,
        day: TradingDay::ABSENT,
        restatement: 0,
        complete: 0,
        logged_in: false,
        adopted: false,
        takes_over: false,
        pad: 0,
        doubt: 0,
        pad2: 0,
    };

    /// CTP's order numbers have twelve digits; greater ones are noise.
    pub(super) const MAX_REF: u64 = 999_999_999_999;

    /// Keeps our next number above one that was seen.
    #[inline]
    pub(super) fn see_ref(&mut self, order_ref: u64) {
        if order_ref <= Self::MAX_REF {
            self.next_ref = self.next_ref.max(order_ref + 1);
        }
    }

    /// Whether a fact of this trading day belongs to the books as they stand.
    #[inline]
    pub(super) fn is_today(&self, day: TradingDay) -> bool {
        self.day.is_absent() || day == self.day
    }
}
