//! What the flow and the refusals say of orders and trades, told to the order stage. Repeats and any order are the
//! ledger's to sort out; here each fact only finds its contract, its order and its error.

use super::desk::{Desk, Now};
use super::sent::Sent;
use super::translate::order_number;
use crate::ctp::callback::{Callback, CancelFacts, OrderFacts, TradeFacts, What};
use crate::ctp::message;
use shrike_core::codes::{OrderStatus, ReportSource, SubmitStatus};
use shrike_core::event::OrderReport;
use shrike_core::units::Nanos;

impl Desk {
    /// A callback that is none of the session's own.
    pub(super) fn fact(&mut self, callback: &Callback, now: Now) {
        match &callback.what {
            What::Order(facts) => self.flow_order(facts, now),
            What::Trade(facts) => {
                if let Some(resync) = &mut self.resync {
                    resync.traded();
                }
                self.fill(facts);
            }
            What::InsertRefused(facts) => self.refused_insert(callback, facts.as_ref(), ReportSource::InsertRefused),
            What::InsertError(facts) => self.refused_insert(callback, facts.as_ref(), ReportSource::InsertError),
            What::CancelRefused(facts) => self.refused_cancel(callback, facts.as_ref(), ReportSource::CancelRefused),
            What::CancelError(facts) => self.refused_cancel(callback, facts.as_ref(), ReportSource::CancelError),
            What::Status(status) => {
                let at = self.out.stamp();
                self.listing.shared().lock().push_status(status, at);
            }
            _ => self.answer(callback, now),
        }
    }

    fn flow_order(&mut self, facts: &OrderFacts, now: Now) {
        let Some(report) = self.report(facts, ReportSource::Flow, 0) else { return };
        let login = self.session.login();
        let ours = (report.front_id, report.session_id) == (login.front_id, login.session_id);
        // A counter that restarted gives our orders of before a new front, session and OrderRef: only the exchange's
        // number tells that they are ours. What has none yet says more in a moment.
        let ended = matches!(facts.status, Some(OrderStatus::Cancelled | OrderStatus::AllTraded));
        if !ours && !ended && report.order_sys_id.is_empty() {
            self.unnumbered += 1;
            return;
        }
        let rejected =
            facts.status == Some(OrderStatus::Cancelled) && facts.submit == Some(SubmitStatus::InsertRejected);
        // Why the exchange refuses stands in the error that follows, and what may be done next depends on it.
        if ours && rejected {
            self.held = Some((report, now.waits));
        } else {
            self.out.put(report.exch_ns, &report);
        }
    }

    /// Tells the rejection that waited for its error.
    pub(super) fn release_held(&mut self) {
        if let Some((report, _)) = self.held.take() {
            self.out.put(report.exch_ns, &report);
        }
    }

    pub(super) fn report(&mut self, facts: &OrderFacts, source: ReportSource, error: i32) -> Option<OrderReport> {
        let row = self.contract(&facts.symbol, facts.exchange)?;
        if facts.side.is_none() {
            self.malformed += 1;
            return None;
        }
        Some(self.frame().report(facts, &row, source, error))
    }

    /// Tells a trade. False for one that makes none.
    pub(super) fn fill(&mut self, facts: &TradeFacts) -> bool {
        let Some(row) = self.contract(&facts.symbol, facts.exchange) else { return false };
        if facts.side.is_none() || facts.offset.is_none() || facts.trade_id.is_empty() {
            self.malformed += 1;
            return false;
        }
        let fill = self.frame().fill(facts, &row);
        self.rates.use_of(row.id);
        self.out.put(fill.exch_ns, &fill);
        true
    }

    // ---- refusals -------------------------------------------------------------------------------------------------

    /// An insert is refused. Every session of the user is told of an error: it is ours when request and number are.
    fn refused_insert(&mut self, callback: &Callback, facts: Option<&OrderFacts>, source: ReportSource) {
        let request_id = facts.map(|facts| facts.request_id).filter(|&id| id != 0).unwrap_or(callback.request_id);
        let number = facts.map(|facts| order_number(&facts.order_ref));
        let same = |sent: &Sent| {
            !sent.cancels && sent.request_id == request_id && number.is_none_or(|number| number == sent.order_ref)
        };
        let sent = self.sent.find(same).copied();
        self.note(format!("order {}: {}", number.unwrap_or(0), message::error(callback)));
        if let Some((held, _)) = &mut self.held
            && sent.is_some_and(|sent| sent.order_ref == held.order_ref)
        {
            held.error_code = callback.error;
        }
        self.release_held();
        let report = match (facts, sent) {
            (Some(facts), sent) => self.report(facts, source, callback.error).map(|report| match sent {
                Some(sent) => OrderReport { front_id: sent.front_id, session_id: sent.session_id, ..report },
                None => report,
            }),
            (None, Some(sent)) => Some(self.about(&sent, source, callback.error)),
            (None, None) => None,
        };
        match report {
            Some(report) => self.out.put(report.exch_ns, &report),
            None => self.malformed += 1,
        }
    }

    /// A cancel is refused. What CTP gives names no side, so the order is one that we asked to cancel, or nobody's.
    fn refused_cancel(&mut self, callback: &Callback, facts: Option<&CancelFacts>, source: ReportSource) {
        let request_id = facts.map(|facts| facts.request_id).filter(|&id| id != 0).unwrap_or(callback.request_id);
        let same = |sent: &Sent| {
            let named = facts.is_none_or(|facts| {
                let by_session = (facts.front_id, facts.session_id, order_number(&facts.order_ref))
                    == (sent.front_id, sent.session_id, sent.order_ref);
                let by_exchange = !facts.order_sys_id.is_empty() && facts.order_sys_id == sent.order_sys_id;
                by_session || by_exchange
            });
            sent.cancels && named && (sent.request_id == request_id || facts.is_some())
        };
        let Some(sent) = self.sent.find(same).copied() else { return };
        self.note(format!("cancel of order {}: {}", sent.order_ref, message::error(callback)));
        let report = self.about(&sent, source, callback.error);
        self.out.put(Nanos::ABSENT, &report);
    }

    /// A report on a request of ours that says no more than its error.
    pub(super) fn about(&self, sent: &Sent, source: ReportSource, error_code: i32) -> OrderReport {
        OrderReport {
            instrument: sent.instrument,
            trading_day: self.day(),
            order_ref: sent.order_ref,
            front_id: sent.front_id,
            session_id: sent.session_id,
            order_sys_id: sent.order_sys_id,
            error_code,
            source: source.code(),
            side: sent.side.map_or(0, |side| side.code()),
            exchange: sent.exchange.map_or(0, |exchange| exchange.code()),
            request_id: u32::try_from(sent.request_id).unwrap_or(0),
            ..OrderReport::default()
        }
    }

    /// `OnRspError` that no query waits for: it may be of an insert or a cancel.
    pub(super) fn failed_request(&mut self, callback: &Callback) {
        if callback.what != What::Failed || callback.error == 0 || callback.request_id == 0 {
            return;
        }
        match self.sent.find(|sent| sent.request_id == callback.request_id) {
            Some(sent) if sent.cancels => self.refused_cancel(callback, None, ReportSource::CancelRefused),
            Some(_) => self.refused_insert(callback, None, ReportSource::InsertRefused),
            None => self.note(message::error(callback)),
        }
    }
}
