//! Trading days: the login that opens one, the settlement that ends one, and the roll between them.

use super::account::Cash;
use super::post::Report;
use super::{Exchange, Numbers};
use shrike_core::event::{Login, Settlement};
use shrike_core::units::{Nanos, Price, TradingDay};

impl Exchange {
    /// Logs in for a trading day, as when the engine connects. A later day than the present one settles that first.
    pub fn connect(&mut self, now: Nanos, day: TradingDay) {
        self.now = self.now.max(now);
        if day > self.day && !self.day.is_absent() {
            self.roll(day);
        }
        self.day = self.day.max(day);
        self.login();
    }

    /// An event belongs to a trading day: the first one seen, or a later one, opens it.
    pub(super) fn see_day(&mut self, day: TradingDay) {
        if day > self.day {
            self.connect(self.now, day);
        } else {
            self.come_back();
        }
    }

    /// After a recovery the trading day goes on with a new session.
    pub(super) fn come_back(&mut self) {
        if self.away && !self.day.is_absent() {
            self.login();
        }
    }

    fn login(&mut self) {
        self.away = false;
        self.session_id += 1;
        self.tell(Report::Login(Login {
            trading_day: self.day,
            front_id: self.options.front_id,
            session_id: self.session_id,
            max_order_ref: self.max_order_ref,
            exch_ns: self.now,
            ..Login::default()
        }));
        for index in 0..self.contracts.len() {
            let Some(Some(contract)) = self.contracts.get(index) else { continue };
            let (def, rates) = (contract.def, contract.rates);
            self.tell(Report::Def(def));
            if let Some(rates) = rates {
                self.tell(Report::Rates(rates));
            }
        }
    }

    /// A contract is settled: its orders end, and its positions are marked at the settlement price.
    pub(super) fn on_settlement(&mut self, settlement: &Settlement) {
        if settlement.trading_day != self.day {
            return;
        }
        let Some(contract) = self.contract_mut(settlement.instrument) else { return };
        if settlement.settlement.is_present() {
            contract.settlement = settlement.settlement;
        }
        let working = contract.working.clone();
        self.end_orders(&working);
    }

    /// The day's orders do not live on: the exchange cancels them.
    fn end_orders(&mut self, numbers: &[u32]) {
        for &number in numbers {
            self.repeat(number);
            self.take_out(number);
        }
    }

    /// The account passes from one trading day to the next: what was held is settled into the balance at the settlement
    /// price (the last price where none came) and becomes the lots of earlier days.
    fn roll(&mut self, next: TradingDay) {
        let working: Vec<u32> = self.contracts.iter().flatten().flat_map(|contract| contract.working.clone()).collect();
        self.end_orders(&working);
        self.settle_day(next);
    }

    /// The books pass to the next day.
    pub(super) fn settle_day(&mut self, next: TradingDay) {
        let mut balance =
            self.cash.pre_balance.plus(self.cash.close_profit).plus(self.cash.premium).minus(self.cash.commission);
        for contract in self.contracts.iter_mut().flatten() {
            balance = balance.plus(contract.position_profit());
            let mark = contract.mark();
            contract.long.settle(mark);
            contract.short.settle(mark);
            contract.pre_settlement = mark;
            (contract.settlement, contract.last) = (Price::ABSENT, Price::ABSENT);
            contract.working.clear();
            contract.begin_day(next);
        }
        self.cash = Cash::starting(balance);
        self.orders.clear();
        self.fills.clear();
        self.numbers = [Numbers::default(); 16];
        self.max_order_ref = 0;
        self.day = next;
    }
}
