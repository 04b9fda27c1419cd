//! What the exchange says of the account: to the engine when asked, and to tests for comparison.

use super::Exchange;
use super::account::Days;
use super::post::Report;
use shrike_core::codes::{ReportSource, Side};
use shrike_core::event::{Fill, FundsReport, OrderReport, PositionReport, ResyncEnd};
use shrike_core::units::{Lots, Money};

impl Exchange {
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
        let equity = cash.pre_balance.plus(cash.close_profit).plus(position_profit).minus(cash.commission);
        FundsReport {
            trading_day: self.day,
            pre_balance: cash.pre_balance,
            close_profit: cash.close_profit,
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
