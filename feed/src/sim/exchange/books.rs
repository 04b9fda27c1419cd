//! What the exchange says of the account: to the engine when asked, and to tests for comparison.

use super::Exchange;
use super::account::Days;
use super::contract::Bound;
use super::post::Report;
use shrike_core::codes::{ReportSource, Side};
use shrike_core::event::{Fill, FundsReport, OrderReport, PositionReport, Rates, ResyncEnd};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Price};

/// A line of a counter's position answer: one side of a contract, where the exchange tells days apart only today's or
/// earlier lots of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PositionLine {
    /// The contract.
    pub instrument: InstrumentId,
    /// Buy: long.
    pub side: Side,
    /// The line is of earlier days' lots alone.
    pub is_history: bool,
    /// Lots held.
    pub lots: Lots,
    /// Of them, opened today.
    pub today: Lots,
    /// Lots held when the day began.
    pub at_open: Lots,
    /// Lots bound by working orders that close them.
    pub frozen: Lots,
    /// Margin.
    pub margin: Money,
    /// Value at the prices the lots are marked from: the opening price today, the last settlement before.
    pub cost: Money,
    /// The last settlement price.
    pub pre_settlement: Price,
}

/// What working orders bind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrozenFunds {
    /// Margin of the lots they would open.
    pub margin: Money,
    /// Premiums of the options they would buy.
    pub premium: Money,
    /// Fees.
    pub fee: Money,
}

impl Exchange {
    /// Margin and fees of a contract; `None` when it is not known or has none.
    pub fn rates(&self, id: InstrumentId) -> Option<&Rates> {
        self.contract(id)?.rates.as_ref()
    }

    /// Premiums of the day's options, received less paid: part of the close profit of [`Exchange::funds`].
    pub const fn premium(&self) -> Money {
        self.cash.premium
    }

    /// Greatest order number of the day.
    pub const fn max_order_ref(&self) -> u64 {
        self.max_order_ref
    }

    /// What is held or was when the day began, as a counter says it: by instrument, long before short, today's lots
    /// before earlier ones where the exchange tells them apart.
    pub fn position_lines(&self) -> impl Iterator<Item = PositionLine> {
        let legs = self.contracts.iter().flatten().flat_map(|c| [(c, Side::Buy), (c, Side::Sell)]);
        let parts = legs.flat_map(|(contract, side)| {
            let days: &[Days] =
                if contract.place.splits_today() { &[Days::Today, Days::Earlier] } else { &[Days::All] };
            days.iter().map(move |&days| (contract, side, days))
        });
        parts.filter_map(|(contract, side, days)| {
            let leg = contract.leg(side);
            let at_open = if days == Days::Today { 0 } else { leg.at_open };
            let lots = leg.lots(days);
            (lots > 0 || at_open > 0).then(|| PositionLine {
                instrument: contract.def.instrument,
                side,
                is_history: days == Days::Earlier,
                lots: Lots::new(lots),
                today: Lots::new(if days == Days::Earlier { 0 } else { leg.today() }),
                at_open: Lots::new(at_open),
                frozen: Lots::new(contract.frozen(side, days, &self.orders)),
                margin: contract.margin_of(side, days),
                cost: leg.value(days, contract.def.multiplier),
                pre_settlement: contract.pre_settlement,
            })
        })
    }

    /// What the working orders bind, in parts: together the `frozen` of [`Exchange::funds`].
    pub fn frozen_funds(&self) -> FrozenFunds {
        let mut sum = FrozenFunds { margin: Money::ZERO, premium: Money::ZERO, fee: Money::ZERO };
        for contract in self.contracts.iter().flatten() {
            for order in contract.working(&self.orders) {
                let Bound { margin, premium, fee } = contract.bound_parts(order, order.remaining());
                sum.margin = sum.margin.plus(margin);
                sum.premium = sum.premium.plus(premium);
                sum.fee = sum.fee.plus(fee);
            }
        }
        sum
    }

    /// The orders of the trading day as they stand, in the order of their arrival.
    pub fn orders(&self) -> impl ExactSizeIterator<Item = OrderReport> {
        self.orders.iter().map(|order| order.report(ReportSource::Query))
    }

    /// The trades of the trading day, in order.
    pub fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// What is held, a line for each contract and side with lots, by instrument, long before short.
    pub fn positions(&self) -> impl Iterator<Item = PositionReport> {
        let contracts = self.contracts.iter().flatten();
        contracts.flat_map(move |contract| {
            [Side::Buy, Side::Sell].into_iter().filter_map(move |side| {
                let leg = contract.leg(side);
                let (today, yesterday) = (leg.today(), leg.earlier);
                (today + yesterday > 0).then(|| PositionReport {
                    instrument: contract.def.instrument,
                    trading_day: self.day,
                    today: Lots::new(today),
                    yesterday: Lots::new(yesterday),
                    frozen: Lots::new(contract.frozen(side, Days::All, &self.orders)),
                    mark: if yesterday > 0 { leg.mark } else { leg.average_open() },
                    side: side.code(),
                    ..PositionReport::default()
                })
            })
        })
    }

    /// The account's money. Walks positions and working orders.
    pub fn funds(&self) -> FundsReport {
        let (mut position_profit, mut margin, mut frozen) = (Money::ZERO, Money::ZERO, Money::ZERO);
        for contract in self.contracts.iter().flatten() {
            position_profit = position_profit.plus(contract.position_profit());
            margin = margin.plus(contract.margin());
            for order in contract.working(&self.orders) {
                frozen = frozen.plus(contract.bound(order, order.remaining()));
            }
        }
        let cash = &self.cash;
        let close_profit = cash.close_profit.plus(cash.premium);
        let equity = cash.pre_balance.plus(close_profit).plus(position_profit).minus(cash.commission);
        FundsReport {
            trading_day: self.day,
            pre_balance: cash.pre_balance,
            close_profit,
            position_profit,
            commission: cash.commission,
            margin,
            frozen,
            available: equity.minus(margin).minus(frozen),
            ..FundsReport::default()
        }
    }

    /// One number for all of it (FNV-1a over the answers' bytes): equal books give equal digests.
    pub fn books_digest(&self) -> u64 {
        let mut hash = 0xCBF2_9CE4_8422_2325;
        let mut mix = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        };
        self.orders().for_each(|order| mix(bytemuck::bytes_of(&order)));
        self.fills().iter().for_each(|fill| mix(bytemuck::bytes_of(fill)));
        self.positions().for_each(|position| mix(bytemuck::bytes_of(&position)));
        mix(bytemuck::bytes_of(&self.funds()));
        hash
    }

    /// Answers a resync: every order of the day, every fill, positions, funds, and the end mark.
    pub(super) fn restate(&mut self) {
        if self.day.is_absent() {
            return;
        }
        let orders: Vec<_> = self.orders().collect();
        let positions: Vec<_> = self.positions().collect();
        let fills = self.fills.clone();
        let end = ResyncEnd {
            trading_day: self.day,
            session_id: self.session_id,
            orders: orders.len() as u32,
            fills: fills.len() as u32,
            positions: positions.len() as u32,
            request: self.last_request,
            ..ResyncEnd::default()
        };
        self.resending = true;
        orders.into_iter().for_each(|order| self.tell(Report::Order(order)));
        fills.into_iter().for_each(|fill| self.tell(Report::Fill(fill)));
        positions.into_iter().for_each(|position| self.tell(Report::Position(position)));
        self.tell(Report::Funds(self.funds()));
        self.tell(Report::End(end));
        self.resending = false;
    }
}
