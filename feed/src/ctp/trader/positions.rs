//! The lines of a position answer, gathered into one report for each contract and side. SHFE and INE give a line for
//! today's lots and one for earlier days'; elsewhere one line has both, and those of earlier days are what is not of today
//! (`YdPosition` is the start of the day and does not change).

use crate::ctp::callback::PositionFacts;
use shrike_core::codes::Side;
use shrike_core::event::PositionReport;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Price, TradingDay};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    today: i64,
    yesterday: i64,
    frozen: i64,
    /// What the lots are marked from: the settlement price of earlier ones, the opening prices of today's.
    cost: i128,
    /// A line did not tell its cost.
    cost_unknown: bool,
    pre_settlement: Option<Price>,
    multiplier: i64,
}

/// The lines so far.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    lines: BTreeMap<(InstrumentId, Side), Sum>,
}

impl Positions {
    /// Forgets every line: the answer begins again.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Adds a line of a contract. False for one that makes no sense: no side, or lots that are negative or absurd.
    pub fn add(&mut self, id: InstrumentId, splits_today: bool, multiplier: i64, line: &PositionFacts) -> bool {
        const SANE: std::ops::RangeInclusive<i64> = 0..=1_000_000_000;
        let (lots, stated_today) = (line.lots.get(), line.today.get());
        let today = match (splits_today, line.is_history) {
            (true, false) => lots,
            (true, true) => 0,
            (false, _) => stated_today,
        };
        let Some(side) = line.side else { return false };
        if !SANE.contains(&lots) || !(0..=lots).contains(&today) {
            return false;
        }
        let sum = self.lines.entry((id, side)).or_default();
        sum.today = sum.today.saturating_add(today);
        sum.yesterday = sum.yesterday.saturating_add(lots - today);
        sum.frozen = sum.frozen.saturating_add(line.frozen.get().clamp(0, lots));
        sum.multiplier = multiplier;
        if lots > 0 {
            match line.position_cost.some() {
                Some(cost) => sum.cost = sum.cost.saturating_add(cost.raw()),
                None => sum.cost_unknown = true,
            }
        }
        sum.pre_settlement = line.pre_settlement.some().filter(|price| price.raw() > 0).or(sum.pre_settlement);
        true
    }

    /// The reports, by contract and side; none for what is not held.
    pub fn reports(&self, trading_day: TradingDay) -> impl Iterator<Item = PositionReport> {
        let held = self.lines.iter().filter(|(_, sum)| sum.today + sum.yesterday > 0);
        held.map(move |(&(instrument, side), sum)| PositionReport {
            instrument,
            trading_day,
            today: Lots::new(sum.today),
            yesterday: Lots::new(sum.yesterday),
            frozen: Lots::new(sum.frozen.min(sum.today + sum.yesterday)),
            mark: sum.mark(),
            side: side.code(),
            ..PositionReport::default()
        })
    }
}

impl Sum {
    /// The average opening price of today's lots; of earlier ones alone, the settlement price.
    fn mark(&self) -> Price {
        let settled = self.pre_settlement.unwrap_or(Price::ABSENT);
        if self.today == 0 {
            return settled;
        }
        let of_yesterday = match (self.yesterday, self.pre_settlement) {
            (0, _) => Money::ZERO,
            (lots, Some(price)) => price.value(Lots::new(lots), self.multiplier),
            (_, None) => Money::ABSENT,
        };
        if of_yesterday.is_absent() || self.cost_unknown {
            return Price::ABSENT;
        }
        let units = i128::from(self.today) * i128::from(self.multiplier.max(1));
        let price = self.cost.saturating_sub(of_yesterday.raw()) / units;
        i64::try_from(price).ok().filter(|&raw| raw > 0).map_or(Price::ABSENT, Price::from_raw)
    }
}
