//! The exchange's journal: requests and the market as inputs, reports as outputs, each before anyone sees it; and the
//! books as they are found in it again. Recovery folds what was told and decides nothing: fills are the truth, queue
//! positions are unknown until the next snapshot.

use super::arrive::Arrival;
use super::order::{Order, number_of};
use super::{Exchange, ExchangeOptions};
use shrike_core::codes::{OrderStatus, OrderType, ReportSource, RequestKind, SubmitStatus, TimeInForce};
use shrike_core::event::{Event, Fill, Header, Login, OrderReport, OrderRequest, Seq, flags};
use shrike_core::units::Nanos;
use shrike_journal::{Full, Mapped, ReadError, Reader, Segments, Writer};

/// How much of the market the journal keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// What the books are rebuilt from: instruments, rates, settlements.
    Books,
    /// Every market event, for engines that follow this journal.
    Market,
}

/// The journal and what goes into it.
#[derive(Debug)]
pub(super) struct Journal {
    writer: Writer<Mapped>,
    keep: Keep,
    full: Option<Full>,
}

impl Journal {
    fn append(&mut self, header: Header, event: Event<'_>) -> Seq {
        // After a record that was not taken, nothing may follow: a journal with a hole would rebuild other books.
        if self.full.is_some() {
            return Seq::ABSENT;
        }
        let header = Header { kind: event.kind(), version: 1, ..header };
        self.writer.append(&header, event.bytes()).unwrap_or_else(|full| {
            self.full = Some(full);
            Seq::ABSENT
        })
    }
}

impl Exchange {
    /// Writes what happens from now on into a journal.
    #[must_use]
    pub fn with_journal(mut self, writer: Writer<Mapped>, keep: Keep) -> Self {
        self.journal = Some(Journal { writer, keep, full: None });
        self
    }

    /// Why the journal takes no more; then the exchange still runs, but what it does is not recorded.
    pub fn journal_full(&self) -> Option<Full> {
        self.journal.as_ref()?.full
    }

    /// Whether the disk under the journal is behind: a market whose time may stand still waits for it.
    pub fn is_disk_late(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.writer.is_disk_late())
    }

    /// Closes the journal, with everything durable.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn close_journal(&mut self) -> std::io::Result<()> {
        self.journal.take().map_or(Ok(()), |journal| journal.writer.flush_and_close())
    }

    /// The engine's number of the last request that arrived; absent before the first.
    pub const fn last_request(&self) -> Seq {
        self.last_request
    }

    /// Records an input and remembers it as the cause of what follows.
    pub(super) fn record_input(&mut self, recv_ns: Nanos, producer: Seq, event: Event<'_>) {
        self.cause = producer;
        if let Some(journal) = &mut self.journal {
            let header = Header { recv_ns, taken_ns: self.now, cause: producer, ..Header::default() };
            self.cause = journal.append(header, event);
        }
    }

    /// Records a market event, if it is one to keep.
    pub(super) fn record_market(&mut self, header: &Header, event: Event<'_>) {
        let books = matches!(event, Event::InstrumentDef(_) | Event::Rates(_) | Event::Settlement(_));
        match &self.journal {
            Some(journal) if books || journal.keep == Keep::Market => {
                self.record_input(header.recv_ns, header.seq, event);
            }
            _ => self.cause = header.seq,
        }
    }

    /// Puts a mark of the process itself (its start, its configuration, its end) into the journal.
    pub fn mark(&mut self, event: Event<'_>) {
        if let Some(journal) = &mut self.journal {
            journal.append(Header { recv_ns: self.now, taken_ns: self.now, ..Header::default() }, event);
        }
    }

    /// Records a report; gives its number.
    pub(super) fn record_output(&mut self, due: Nanos, event: Event<'_>) -> Seq {
        let flags = flags::OUTPUT | if self.resending { flags::RESENT } else { 0 };
        let header = Header { recv_ns: due, taken_ns: self.now, cause: self.cause, flags, ..Header::default() };
        self.journal.as_mut().map_or(Seq::ABSENT, |journal| journal.append(header, event))
    }

    /// An exchange with the books that a journal tells of. Its next session begins with the next phase, snapshot or
    /// request; reports that were on their way are not sent again, a resync tells their content.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn recover<D: Segments>(options: ExchangeOptions, records: &mut Reader<D>) -> Result<Self, ReadError> {
        let mut exchange = Self::new(options);
        let mut unanswered: Option<(Seq, Arrival)> = None;
        while let Some(record) = records.next()? {
            let header = record.header;
            exchange.now = exchange.now.max(header.taken_ns);
            if header.has(flags::OUTPUT) {
                unanswered = unanswered.filter(|(seq, _)| *seq != header.cause);
                exchange.fold_output(header, record.event());
            } else if let Event::OrderRequest(request) = record.event() {
                exchange.last_request = header.cause;
                let arrival = Arrival { due: header.recv_ns, cause: header.seq, request: *request, recorded: true };
                unanswered = Some((header.seq, arrival));
            } else {
                exchange.recall(record.event());
            }
        }
        exchange.rest_again();
        // The last request was recorded, and the process ended before it answered.
        exchange.arrivals.extend(unanswered.map(|(_, arrival)| arrival));
        Ok(exchange)
    }

    /// Takes up what the market said before this process: nothing matches, nothing is told or recorded. For the phases and
    /// last prices of a journal that keeps only books.
    pub fn recall(&mut self, event: Event<'_>) {
        match event {
            Event::InstrumentDef(def) => {
                self.define(def);
            }
            Event::Rates(rates) => {
                let day = self.day;
                if let Some(contract) = self.contract_mut(rates.instrument) {
                    contract.announce_rates(rates, day);
                }
            }
            Event::Settlement(settlement) if settlement.trading_day == self.day => {
                if let Some(contract) = self.contract_mut(settlement.instrument) {
                    contract.settlement = settlement.settlement;
                }
            }
            Event::Phase(phase) => {
                if let Some(contract) = self.contract_mut(phase.instrument) {
                    contract.begin_phase(phase);
                }
            }
            Event::DepthTick(tick) => {
                if let Some(contract) = self.contract_mut(tick.instrument) {
                    contract.note(tick);
                }
            }
            _ => {}
        }
    }

    fn fold_output(&mut self, header: &Header, event: Event<'_>) {
        match event {
            Event::Login(login) => self.fold_login(login),
            Event::OrderReport(report) if report.source() == Some(ReportSource::Flow) => self.fold_report(report),
            Event::Fill(fill) if !header.has(flags::RESENT) => self.fold_fill(fill),
            _ => {}
        }
    }

    fn fold_login(&mut self, login: &Login) {
        if login.trading_day > self.day && !self.day.is_absent() {
            self.settle_day(login.trading_day);
        }
        (self.day, self.session_id) = (login.trading_day, login.session_id);
    }

    fn fold_report(&mut self, report: &OrderReport) {
        let known = self.orders.binary_search_by_key(&report.order_ref, |order| order.request.order_ref);
        let number = known.unwrap_or_else(|number| {
            self.orders.extend(self.reported(report));
            number
        });
        if let Some(numbers) = self.numbers.get_mut(report.exchange as usize) {
            numbers.local = numbers.local.max(number_of(&report.order_local_id));
            numbers.order = numbers.order.max(number_of(&report.order_sys_id));
        }
        self.max_order_ref = self.max_order_ref.max(report.order_ref);
        if let (Some(order), Some(status)) = (self.orders.get_mut(number), report.status()) {
            order.status = status;
            order.submit = report.submit().unwrap_or(order.submit);
            order.sys_id = report.order_sys_id;
            (order.error_code, order.exch_ns) = (report.error_code, report.exch_ns);
        }
    }

    /// The order that a first report tells of.
    fn reported(&self, report: &OrderReport) -> Option<Order> {
        let request = OrderRequest {
            instrument: report.instrument,
            trading_day: report.trading_day,
            order_ref: report.order_ref,
            price: report.price,
            lots: report.lots,
            kind: RequestKind::Insert.code(),
            side: report.side,
            offset: report.offset,
            order_type: report.order_type,
            tif: report.tif,
            exchange: report.exchange,
            ..OrderRequest::default()
        };
        let hold_price = match (OrderType::of(report.order_type)?, self.contract(report.instrument)) {
            (OrderType::Market, Some(contract)) => contract.upper_limit.some().unwrap_or(contract.mark()),
            _ => report.price,
        };
        Some(Order {
            request,
            side: report.side()?,
            offset: report.offset()?,
            order_type: OrderType::of(report.order_type)?,
            tif: TimeInForce::of(report.tif)?,
            front_id: report.front_id,
            session_id: report.session_id,
            sys_id: report.order_sys_id,
            local_id: report.order_local_id,
            status: OrderStatus::Unknown,
            submit: SubmitStatus::InsertSubmitted,
            traded: 0,
            hold_price,
            error_code: 0,
            exch_ns: report.exch_ns,
        })
    }

    fn fold_fill(&mut self, fill: &Fill) {
        let number = self.orders.binary_search_by_key(&fill.order_ref, |order| order.request.order_ref);
        let Some(order) = number.ok().and_then(|number| self.orders.get_mut(number)) else { return };
        order.traded += fill.lots.get();
        let (side, offset) = (order.side, order.offset);
        self.fills.push(*fill);
        if let Some(numbers) = self.numbers.get_mut(fill.exchange as usize) {
            numbers.trade = numbers.trade.max(number_of(&fill.trade_id));
        }
        self.book_trade(fill.instrument, side, offset, fill.price, fill.lots.get());
    }

    /// Puts the orders that work back into their books. A step that the end of the process cut in two is ended here: an
    /// order that the exchange had not answered is cancelled, one that was told as traded without its fill works on.
    fn rest_again(&mut self) {
        for number in 0..self.orders.len() {
            let Some(order) = self.orders.get_mut(number) else { continue };
            let left = order.request.lots.get() - order.traded;
            order.status = match order.status {
                OrderStatus::Unknown => OrderStatus::Cancelled,
                OrderStatus::Cancelled => OrderStatus::Cancelled,
                _ if left == 0 => OrderStatus::AllTraded,
                _ if order.is_immediate() => OrderStatus::Cancelled,
                _ if order.traded > 0 => OrderStatus::PartTraded,
                _ => OrderStatus::Queued,
            };
            if order.is_ended() {
                continue;
            }
            let (id, side, price) = (order.request.instrument, order.side, order.request.price.raw());
            if let Some(contract) = self.contract_mut(id) {
                contract.working.push(number as u32);
                contract.book.rest(number as u32, side, price, left);
                contract.book.forget();
            }
        }
    }
}
