//! One order as the facts tell it. What is known only ever grows (most lots traded, whether acknowledged, whether
//! ended), and the state is derived from that: so reports may repeat, or overtake fills and each other, and the end is
//! the same.

use super::orders::Link;
use crate::codes::{
    Exchange, Offset, OrderState, OrderStatus, OrderType, ReportSource, Side, SubmitStatus, TimeInForce,
};
use crate::event::{OrderReport, OrderRequest};
use crate::instrument::InstrumentId;
use crate::seeded::{self, Bug};
use crate::units::{Lots, Nanos, Price, Text, TradingDay};
use bytemuck::{CheckedBitPattern, NoUninit};

/// An order of this account: ours, or a wild one that the venue told of. Times are the order stage's (`taken_ns`)
/// unless said otherwise.
#[derive(Clone, Copy, PartialEq, Debug, NoUninit, CheckedBitPattern)]
#[repr(C)]
pub struct Order {
    /// Our number; of a wild order its session's, zero when not told.
    pub order_ref: u64,
    /// Revision of the intent it serves.
    pub revision: u64,
    /// Limit price; absent for a market order, and while only fills of a wild order are known.
    pub price: Price,
    /// What funds are bound at: the limit, or the day's upper limit for a market order.
    pub(super) hold_price: Price,
    /// Lots ordered; of a wild order known by fills only, the lots filled.
    pub lots: Lots,
    /// Lots of the fills told.
    pub filled: Lots,
    /// Most lots traded by the venue's count.
    pub venue_traded: Lots,
    /// When the request was decided; absent for a wild order.
    pub sent_ns: Nanos,
    /// When the counter's acknowledgement was taken.
    pub counter_ack_ns: Nanos,
    /// When the first word of the exchange on it was taken.
    pub exchange_ack_ns: Nanos,
    /// The venue's time of its latest report.
    pub exch_ns: Nanos,
    /// When the first fill was taken.
    pub first_fill_ns: Nanos,
    /// When the latest fill was taken.
    pub last_fill_ns: Nanos,
    /// When the latest cancel was decided.
    pub cancel_sent_ns: Nanos,
    /// When it ended: the fact that ended it.
    pub ended_ns: Nanos,
    /// The exchange's number, bytes as given; empty before it has one.
    pub order_sys_id: Text<24>,
    /// The counter's number.
    pub order_local_id: Text<16>,
    /// The contract.
    pub instrument: InstrumentId,
    /// The trading day.
    pub trading_day: TradingDay,
    /// Whose it is; zero for the operator's, the engine's and wild orders.
    pub strategy: u32,
    /// Front of the session that sent it.
    pub front_id: i32,
    /// Session that sent it.
    pub session_id: i32,
    /// The latest error of the venue about it; zero: none.
    pub last_error: i32,
    /// Number of the restatement ([`super::Ledger::restatement`]) in which it was last sent or told of.
    pub told: u32,
    /// Complete restatements in a row, begun after it was sent, that did not name it.
    pub absent_restatements: u32,
    pub(super) links: [Link; 2],
    /// Cancels sent.
    pub cancel_tries: u32,
    /// Which try of the intent it is.
    pub retry: u16,
    /// Where it stands.
    pub state: OrderState,
    /// Side.
    pub side: Side,
    /// Offset.
    pub offset: Offset,
    /// How it is priced.
    pub order_type: OrderType,
    /// How long it lives.
    pub tif: TimeInForce,
    /// Where.
    pub exchange: Exchange,
    /// Not sent by this home: a person's, another program's, or ours from a lost journal.
    pub wild: bool,
    pub(super) known_by_fill_only: bool,
    pub(super) acked: bool,
    pub(super) queued: bool,
    pub(super) refused: bool,
    pub(super) rejected: bool,
    pub(super) ended: bool,
    pub(super) cancel_pending: bool,
    pub(super) lost: bool,
    pub(super) never_arrived: bool,
    pub(super) pad: [u8; 2],
}

/// What an order may still trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Exposure {
    pub(super) side: Side,
    pub(super) offset: Offset,
    pub(super) lots: i64,
    pub(super) price: Price,
}

impl Order {
    /// Lots that may still trade: all that is not filled of a live order; of one that [`OrderState::EndedShort`],
    /// the fills still owed; none of an ended one.
    #[inline]
    pub fn remaining(&self) -> Lots {
        let open = match self.state {
            OrderState::EndedShort => self.venue_traded.get() - self.filled.get(),
            state if state.is_ended() => 0,
            OrderState::CancelPending if seeded::on(Bug::CancelPendingFree) => 0,
            OrderState::Lost if seeded::on(Bug::LostFree) => 0,
            _ if seeded::on(Bug::WildFree) && self.wild => 0,
            _ if seeded::on(Bug::FilledLotsStillWorking) => self.lots.get(),
            _ => self.lots.get() - self.filled.get(),
        };
        Lots::new(open.max(0))
    }

    /// Whether it counts in limits.
    #[inline]
    pub fn is_live(&self) -> bool {
        !self.state.is_ended()
    }

    /// The price at which its margin is bound while it works; absent when a market order's upper limit is not known.
    #[inline]
    pub fn hold_price(&self) -> Price {
        self.hold_price
    }

    #[inline]
    pub(super) fn exposure(&self) -> Exposure {
        Exposure { side: self.side, offset: self.offset, lots: self.remaining().get(), price: self.hold_price }
    }

    /// An order as we send it. `None` when a code or the lots make no order.
    pub(super) fn requested(request: &OrderRequest, taken_ns: Nanos) -> Option<Self> {
        let order = Self::blank(
            request.instrument,
            request.trading_day,
            request.side()?,
            request.offset()?,
            Exchange::of(request.exchange)?,
        );
        Some(Self {
            order_ref: request.order_ref,
            revision: request.revision,
            price: request.price,
            lots: request.lots,
            sent_ns: taken_ns,
            strategy: request.strategy,
            front_id: request.front_id,
            session_id: request.session_id,
            retry: request.retry,
            order_type: request.order_type()?,
            tif: request.tif()?,
            ..order
        })
    }

    /// A wild order as a report tells it. `None` when a code makes no order.
    pub(super) fn adopted(report: &OrderReport) -> Option<Self> {
        let order = Self::blank(
            report.instrument,
            report.trading_day,
            report.side()?,
            report.offset()?,
            Exchange::of(report.exchange)?,
        );
        Some(Self {
            order_ref: report.order_ref,
            front_id: report.front_id,
            session_id: report.session_id,
            price: report.price,
            lots: report.lots,
            order_type: OrderType::of(report.order_type).unwrap_or(OrderType::Limit),
            tif: TimeInForce::of(report.tif).unwrap_or(TimeInForce::Day),
            wild: true,
            ..order
        })
    }

    pub(super) fn blank(
        instrument: InstrumentId,
        trading_day: TradingDay,
        side: Side,
        offset: Offset,
        exchange: Exchange,
    ) -> Self {
        Self {
            order_ref: 0,
            revision: 0,
            price: Price::ABSENT,
            hold_price: Price::ABSENT,
            lots: Lots::ZERO,
            filled: Lots::ZERO,
            venue_traded: Lots::ZERO,
            sent_ns: Nanos::ABSENT,
            counter_ack_ns: Nanos::ABSENT,
            exchange_ack_ns: Nanos::ABSENT,
            exch_ns: Nanos::ABSENT,
            first_fill_ns: Nanos::ABSENT,
            last_fill_ns: Nanos::ABSENT,
            cancel_sent_ns: Nanos::ABSENT,
            ended_ns: Nanos::ABSENT,
            order_sys_id: Text::EMPTY,
            order_local_id: Text::EMPTY,
            instrument,
            trading_day,
            strategy: 0,
            front_id: 0,
            session_id: 0,
            last_error: 0,
            told: 0,
            absent_restatements: 0,
            links: [Link::NONE; 2],
            cancel_tries: 0,
            retry: 0,
            state: OrderState::Sent,
            side,
            offset,
            order_type: OrderType::Limit,
            tif: TimeInForce::Day,
            exchange,
            wild: false,
            known_by_fill_only: false,
            acked: false,
            queued: false,
            refused: false,
            rejected: false,
            ended: false,
            cancel_pending: false,
            lost: false,
            never_arrived: false,
            pad: [0; 2],
        }
    }

    /// Takes in a report that names this order.
    pub(super) fn hear(&mut self, report: &OrderReport, taken_ns: Nanos) {
        if report.error_code != 0 {
            self.last_error = report.error_code;
        }
        match report.source() {
            Some(ReportSource::Flow | ReportSource::Query) => self.hear_status(report, taken_ns),
            Some(ReportSource::InsertRefused | ReportSource::InsertError) => self.refused = true,
            // The order lives on (or has ended already: its own flow says so); the cancel may be tried again.
            Some(ReportSource::CancelRefused | ReportSource::CancelError) => self.cancel_pending = false,
            None => {}
        }
        self.derive(taken_ns);
    }

    fn hear_status(&mut self, report: &OrderReport, taken_ns: Nanos) {
        (self.lost, self.never_arrived) = (false, false);
        if !seeded::on(Bug::AbsenceNotReset) {
            self.absent_restatements = 0;
        }
        self.acked = true;
        if self.counter_ack_ns.is_absent() {
            self.counter_ack_ns = taken_ns;
        }
        self.exch_ns = self.exch_ns.max(report.exch_ns);
        if !report.order_local_id.is_empty() {
            self.order_local_id = report.order_local_id;
        }
        // The exchange may have cut the price to its tick (CZCE); for a wild order it is news.
        if report.price.is_present() {
            self.price = report.price;
            if self.order_type == OrderType::Limit {
                self.hold_price = report.price;
            }
        }
        if self.wild {
            self.lots = self.lots.max(report.lots);
            if self.known_by_fill_only {
                self.known_by_fill_only = false;
                self.offset = report.offset().unwrap_or(self.offset);
                self.order_type = OrderType::of(report.order_type).unwrap_or(self.order_type);
                self.tif = TimeInForce::of(report.tif).unwrap_or(self.tif);
            }
        }
        let traded = report.traded.get().clamp(0, self.lots.get().max(0));
        let most = if seeded::on(Bug::TradedNotMax) { Lots::ZERO } else { self.venue_traded };
        self.venue_traded = most.max(Lots::new(traded));
        match report.status() {
            None | Some(OrderStatus::Unknown) => return,
            Some(OrderStatus::AllTraded) => {
                self.venue_traded = self.venue_traded.max(self.lots);
                self.ended = true;
                self.queued = true;
            }
            Some(OrderStatus::Cancelled) => {
                self.ended = true;
                self.rejected |= report.submit() == Some(SubmitStatus::InsertRejected);
            }
            Some(OrderStatus::PartTradedDead | OrderStatus::NotQueued) => self.ended = true,
            Some(OrderStatus::Queued | OrderStatus::PartTraded | OrderStatus::NotTouched | OrderStatus::Touched) => {
                self.queued = true
            }
        }
        if self.exchange_ack_ns.is_absent() {
            self.exchange_ack_ns = taken_ns;
        }
    }

    /// Counts a fill of this order.
    pub(super) fn fill(&mut self, lots: i64, taken_ns: Nanos) {
        (self.lost, self.never_arrived, self.absent_restatements) = (false, false, 0);
        self.filled = Lots::new(self.filled.get() + lots);
        if self.wild {
            self.lots = self.lots.max(self.filled);
        }
        if self.first_fill_ns.is_absent() {
            self.first_fill_ns = taken_ns;
        }
        self.last_fill_ns = taken_ns;
        self.derive(taken_ns);
    }

    /// The state that follows from what is known. A refusal of the counter counts only while the exchange has not
    /// queued the order: the two contradict, and what may be live counts as live.
    pub(super) fn derive(&mut self, taken_ns: Nanos) {
        let (lots, filled, traded) = (self.lots, self.filled, self.venue_traded);
        let was_ended = self.state.is_ended();
        self.state = if filled >= lots {
            OrderState::Filled
        } else if self.ended || traded >= lots {
            match traded > filled && !seeded::on(Bug::FillsOwedForgotten) {
                true => OrderState::EndedShort,
                false if self.rejected && filled == Lots::ZERO => OrderState::Rejected,
                false => OrderState::Cancelled,
            }
        } else if self.refused && (!self.queued || seeded::on(Bug::RefusalEndsQueued)) && filled == Lots::ZERO {
            OrderState::Rejected
        } else if self.never_arrived {
            OrderState::NeverArrived
        } else if self.lost {
            OrderState::Lost
        } else if self.cancel_pending {
            OrderState::CancelPending
        } else if self.acked || filled > Lots::ZERO {
            OrderState::Working
        } else {
            OrderState::Sent
        };
        match (was_ended, self.state.is_ended()) {
            (false, true) => self.ended_ns = taken_ns,
            (true, false) => self.ended_ns = Nanos::ABSENT,
            _ => {}
        }
    }
}
