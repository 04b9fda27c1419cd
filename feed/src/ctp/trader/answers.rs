//! Queries: which comes next, and what their answers tell the order stage. The restatement after a login goes before all
//! else; on a session that trades, questions about single orders go before the rest of a restatement, which takes many
//! seconds, and both before rates.

use super::desk::{Desk, Now};
use super::queries::{Answer, Ask};
use super::sent::Sent;
use super::translate::order_number;
use crate::ctp::callback::{Callback, OrderFacts, TradeFacts, What};
use crate::ctp::message;
use shrike_core::codes::{AlarmKind, ReportSource};
use shrike_core::event::ResyncEnd;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Nanos;

/// CTP's error of a query that comes too soon.
const NOT_READY: i32 = 90;

/// What the query in flight is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Nothing any more: its answer is let go.
    Nothing,
    /// A restatement.
    Resync,
    /// Single orders that are asked about.
    Orders,
    /// Rates.
    Rates,
}

impl Desk {
    /// The next query, when there is one to be put.
    pub(super) fn plan(&mut self, now: Nanos) -> Option<(Ask, Purpose)> {
        let silent = !self.asking.is_empty() || !self.asked.is_empty();
        if let Some(resync) = self.resync.as_ref().filter(|_| !(self.restated && silent)) {
            return resync.next().map(|ask| (ask, Purpose::Resync));
        }
        if self.asking.is_empty() {
            std::mem::swap(&mut self.asking, &mut self.asked);
            self.asking_trades = false;
        }
        if !self.asking.is_empty() {
            return Some((if self.asking_trades { Ask::Trades } else { Ask::Orders }, Purpose::Orders));
        }
        if now < self.rates_due {
            return None;
        }
        self.rates_due = now.after(self.options.rates_spacing_ns.max(1));
        self.rates.next(self.day()).map(|ask| (ask, Purpose::Rates))
    }

    /// A callback that may answer a query.
    pub(super) fn answer(&mut self, callback: &Callback, now: Now) {
        let (ask, last) = match self.queries.hear(callback, now.waits) {
            Answer::Foreign => return self.failed_request(callback),
            Answer::Failed(ask, error) => {
                self.answered();
                // A counter that is not ready is asked again without words, and rates are not worth a second question.
                if error != NOT_READY {
                    self.note(format!("query {ask:?}: {}", message::error(callback)));
                    self.rates.asked(ask, self.day());
                }
                return;
            }
            Answer::Line(ask) => (ask, false),
            Answer::Last(ask) => (ask, true),
        };
        self.answered();
        self.line(ask, callback);
        if last {
            match self.purpose {
                Purpose::Resync => self.resync_part(ask),
                Purpose::Orders => self.asked_part(ask),
                Purpose::Rates => self.rates.asked(ask, self.day()),
                Purpose::Nothing => {}
            }
        }
    }

    fn line(&mut self, ask: Ask, callback: &Callback) {
        match &callback.what {
            What::Instrument(Some(facts)) => {
                self.listing.shared().lock().learn(facts);
            }
            What::OrderLine(Some(facts)) => self.order_line(facts),
            What::TradeLine(Some(facts)) => self.trade_line(facts),
            What::PositionLine(Some(facts)) if self.purpose == Purpose::Resync => {
                // A line of nothing must not bring a contract to life.
                let held = facts.lots.get() != 0 || self.listing.find(&facts.symbol).is_some();
                if !held {
                    return;
                }
                let Some(row) = self.contract(&facts.symbol, facts.exchange) else { return self.untold() };
                self.rates.use_of(row.id);
                if let Some(resync) = &mut self.resync
                    && !resync.positions.add(row.id, row.exchange.splits_today(), row.multiplier, facts)
                {
                    self.malformed += 1;
                    self.untold();
                }
            }
            What::Funds(Some(facts)) if self.purpose == Purpose::Resync => {
                let funds = self.frame().funds(facts);
                if let Some(resync) = &mut self.resync {
                    resync.funds = Some(funds);
                }
            }
            What::MarginRate(Some(facts)) => {
                if let Ask::Margin(id) = ask {
                    let exchange = self.listing.shared().lock().exchange_margin(id);
                    self.rates.margin(id, facts, exchange, self.day());
                    self.tell_rates(id);
                }
            }
            What::OptionCost(Some(facts)) => {
                if let Ask::Margin(id) = ask {
                    self.rates.option_margin(id, facts, self.day());
                    self.tell_rates(id);
                }
            }
            What::CommissionRate(Some(facts)) | What::OptionCommission(Some(facts)) => {
                if let Ask::Commission(id) = ask {
                    self.rates.commission(id, facts, self.day());
                    self.tell_rates(id);
                }
            }
            _ => {}
        }
    }

    fn order_line(&mut self, facts: &OrderFacts) {
        if self.purpose == Purpose::Orders {
            let number = order_number(&facts.order_ref);
            let asked = |sent: &Sent| {
                (sent.front_id, sent.session_id, sent.order_ref) == (facts.front_id, facts.session_id, number)
                    || !facts.order_sys_id.is_empty() && sent.order_sys_id == facts.order_sys_id
            };
            let Some(sent) = self.asking.iter_mut().find(|sent| asked(sent)) else { return };
            // Its trades carry no session: the exchange's number finds them.
            sent.order_sys_id = facts.order_sys_id;
            self.asking_trades |= facts.traded.get() > 0;
        }
        let Some(report) = self.report(facts, ReportSource::Query, 0) else { return self.untold() };
        self.out.put(report.exch_ns, &report);
        if let (Purpose::Resync, Some(resync)) = (self.purpose, &mut self.resync) {
            resync.orders += 1;
        }
    }

    fn trade_line(&mut self, facts: &TradeFacts) {
        let asked = |sent: &Sent| !facts.order_sys_id.is_empty() && sent.order_sys_id == facts.order_sys_id;
        if self.purpose == Purpose::Orders && !self.asking.iter().any(asked) {
            return;
        }
        match (self.fill(facts), self.purpose, &mut self.resync) {
            (true, Purpose::Resync, Some(resync)) => resync.fills += 1,
            (false, ..) => self.untold(),
            _ => {}
        }
    }

    /// A line of an answer is not in the books.
    fn untold(&mut self) {
        if let (Purpose::Resync, Some(resync)) = (self.purpose, &mut self.resync) {
            resync.untold += 1;
        }
    }

    /// The orders asked about are told; those of them that traded have their trades told too.
    fn asked_part(&mut self, ask: Ask) {
        if ask == Ask::Trades || !self.asking_trades {
            self.asking.clear();
            self.asking_trades = false;
        }
    }

    fn resync_part(&mut self, ask: Ask) {
        let day = self.day();
        if ask == Ask::Instruments {
            self.listing.shared().lock().set_listed(day);
            self.announce();
        }
        let Some(resync) = &mut self.resync else { return };
        resync.end(ask);
        if resync.next().is_some() {
            return;
        }
        let Some(resync) = self.resync.take() else { return };
        if resync.untold > 0 {
            // The account has what we cannot keep books of: people must see to it.
            self.alarm(AlarmKind::Mismatch, i64::from(resync.untold));
        }
        let mut positions = 0;
        for report in resync.positions.reports(day) {
            self.out.put(Nanos::ABSENT, &report);
            positions += 1;
        }
        if let Some(funds) = resync.funds {
            self.out.put(Nanos::ABSENT, &funds);
        }
        self.out.put(
            Nanos::ABSENT,
            &ResyncEnd {
                trading_day: day,
                session_id: self.session.login().session_id,
                request: resync.request,
                orders: resync.orders,
                fills: resync.fills,
                positions,
                ..ResyncEnd::default()
            },
        );
        self.session.settled();
        self.restated = true;
    }

    fn tell_rates(&mut self, id: InstrumentId) {
        if let Some(rates) = self.rates.get(id).copied() {
            self.out.put(Nanos::ABSENT, &rates);
        }
    }
}
