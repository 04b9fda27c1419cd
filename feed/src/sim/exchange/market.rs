//! The market as it comes: phases, snapshots and gaps, and what they make of our orders.

use super::Exchange;
use super::book::Execution;
use super::contract::Contract;
use super::post::Report;
use shrike_core::codes::{Exchange as Place, Offset, OrderStatus, PhaseKind, Side};
use shrike_core::event::{DepthTick, Gap, InstrumentDef, Phase};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Price;

/// Phases whose orders wait for one price.
const fn is_auction(phase: PhaseKind) -> bool {
    matches!(
        phase,
        PhaseKind::AuctionOrders
            | PhaseKind::AuctionNoCancel
            | PhaseKind::AuctionMatch
            | PhaseKind::ClosingAuction
            | PhaseKind::Halted
    )
}

impl Exchange {
    pub(super) fn on_def(&mut self, def: &InstrumentDef) {
        if self.define(def) && !self.away {
            self.tell(Report::Def(*def));
        }
    }

    /// Takes a contract's terms in. True when they hold from now on.
    pub(super) fn define(&mut self, def: &InstrumentDef) -> bool {
        let (Some(place), 1..) = (def.exchange(), def.tick.raw()) else { return false };
        let (index, day) = (def.instrument.index(), self.day);
        // Ids are dense and few; a stray one must not ask for the memory of four billion rows.
        if index > self.contracts.len() + 65_536 {
            return false;
        }
        if self.contracts.len() <= index {
            self.contracts.resize(index + 1, None);
        }
        let Some(slot) = self.contracts.get_mut(index) else { return false };
        match slot {
            Some(contract) => contract.announce(def, day),
            None => {
                *slot = Some(Contract::new(def, place));
                true
            }
        }
    }

    pub(super) fn on_phase(&mut self, phase: &Phase) {
        self.see_day(phase.trading_day);
        if let Some(contract) = self.contract_mut(phase.instrument) {
            contract.begin_phase(phase);
        }
    }

    pub(super) fn on_gap(&mut self, gap: &Gap) {
        for contract in self.contracts.iter_mut().flatten() {
            if gap.instrument == InstrumentId::NONE || gap.instrument == contract.def.instrument {
                contract.book.forget();
            }
        }
    }

    pub(super) fn on_tick(&mut self, tick: &DepthTick) {
        // The first snapshot opens a day where no phases are told; later ones do not, a stale one could come.
        self.see_day(if self.day.is_absent() { tick.trading_day } else { self.day });
        let (day, model) = (self.day, self.options.queue);
        let mut executions = std::mem::take(&mut self.executions);
        executions.clear();
        if let Some(contract) = self.contract_mut(tick.instrument)
            && tick.trading_day == day
        {
            contract.see(tick, model, &mut executions);
        }
        self.execute(&executions);
        self.executions = executions;
    }

    /// Books trades of our orders and tells of them: the state before (again), the new state, the trade.
    pub(super) fn execute(&mut self, executions: &[Execution]) {
        let mut pair = None;
        for execution in executions {
            let Some(order) = self.orders.get(execution.order as usize) else { continue };
            let (id, side, offset) = (order.request.instrument, order.side, order.offset);
            let Some(place) = Place::of(order.request.exchange) else { continue };
            let trade_id = pair.take().unwrap_or_else(|| self.trade_id(place));
            if execution.paired {
                pair = Some(trade_id);
            }
            let (price, lots) = (Price::from_raw(execution.price), execution.lots);
            self.tell_traded(execution.order, lots, place);
            self.book_trade(id, side, offset, price, lots);
            let now = self.now;
            if let Some(order) = self.orders.get(execution.order as usize) {
                let fill = order.fill(trade_id, price, lots, now);
                self.fills.push(fill);
                self.tell(Report::Fill(fill));
            }
        }
    }

    /// Books a trade into position and money.
    pub(super) fn book_trade(&mut self, id: InstrumentId, side: Side, offset: Offset, price: Price, lots: i64) {
        if let Some(contract) = self.contract_mut(id) {
            let (profit, fee) = contract.trade(side, offset, price, lots);
            let is_premium = contract.is_option();
            let sum = if is_premium { &mut self.cash.premium } else { &mut self.cash.close_profit };
            *sum = sum.plus(profit);
            self.cash.commission = self.cash.commission.plus(fee);
        }
    }

    /// The status reports of a trade. An order that the exchange has called cancelled already says no more.
    fn tell_traded(&mut self, number: u32, lots: i64, place: Place) {
        let Some(order) = self.orders.get(number as usize) else { return };
        if order.is_ended() {
            return;
        }
        let all = order.traded + lots >= order.request.lots.get();
        // DCE tells no "all traded"; the counter makes that report itself, without the state before.
        if !(all && place == Place::Dce) {
            self.repeat(number);
        }
        if let Some(order) = self.orders.get_mut(number as usize) {
            order.traded += lots;
        }
        self.set_status(number, if all { OrderStatus::AllTraded } else { OrderStatus::PartTraded });
        if all {
            self.drop_working(number);
        }
    }
}

impl Contract {
    /// A phase begins. Auction orders are held; the first auction of a day begins its tape.
    pub(super) fn begin_phase(&mut self, phase: &Phase) {
        self.phase = phase.kind();
        if is_auction(self.phase) {
            self.held = true;
            if !self.book.follows(phase.trading_day) {
                self.book.begin_day(phase.trading_day);
            }
        }
    }

    /// Keeps what a snapshot says of prices.
    pub(super) fn note(&mut self, tick: &DepthTick) {
        let keep = |old: &mut Price, new: Price| *old = new.some().unwrap_or(*old);
        keep(&mut self.last, tick.last);
        keep(&mut self.pre_settlement, tick.pre_settlement);
        keep(&mut self.upper_limit, tick.upper_limit);
        keep(&mut self.lower_limit, tick.lower_limit);
    }

    /// Takes a snapshot of the present trading day in.
    fn see(&mut self, tick: &DepthTick, model: super::QueueModel, executions: &mut Vec<Execution>) {
        self.note(tick);
        let (multiplier, tick_size) = (self.def.multiplier.max(1), self.def.tick.raw());
        if self.phase == PhaseKind::Continuous && !self.held {
            return self.book.snapshot(tick, multiplier, tick_size, model, executions);
        }
        let traded = self.book.look(tick, multiplier, tick_size);
        if !self.held {
            return;
        }
        if traded > 0
            && let Some(price) = tick.last.some()
        {
            self.book.auction(price.raw(), traded, executions);
        }
        if self.phase == PhaseKind::Continuous {
            self.held = false;
            self.book.release(executions);
        }
    }
}
