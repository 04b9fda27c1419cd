//! What the tests share: an exchange with one contract, a market to show it, orders to send, and reports as short lines.

use crate::sim::exchange::{Exchange, ExchangeOptions};
use shrike_core::calendar::{OrderRules, Rule};
use shrike_core::codes::{
    Exchange as Place, Offset, OrderStatus, OrderType, PhaseKind, ProductClass, ReportSource, RequestKind, Side,
    SubmitStatus, TimeInForce,
};
use shrike_core::event::{
    DepthTick, Event, Fill, Header, InstrumentDef, OrderReport, OrderRequest, Phase, Rates, ReportSlot, Settlement,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Price, Qty, Text, TradingDay, Turnover};
use shrike_core::venue::{Gateway, Next};

pub(super) const ID: InstrumentId = InstrumentId::new(0);

pub(super) fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).expect("a date")
}

/// Limit, FAK, FOK and market in continuous trading; limit orders in auctions; cancels in both but not while matching.
pub(super) fn rules() -> OrderRules {
    let limit = (OrderType::Limit, TimeInForce::Day);
    let all = TimeInForce::ALL.iter().flat_map(|&tif| [(OrderType::Limit, tif), (OrderType::Market, tif)]).collect();
    let rule = |phases: &[PhaseKind], orders, cancels| Rule {
        exchanges: Place::ALL.to_vec(),
        phases: phases.to_vec(),
        orders,
        cancels,
    };
    OrderRules::new(&[
        rule(&[PhaseKind::Continuous], all, true),
        rule(&[PhaseKind::AuctionOrders, PhaseKind::ClosingAuction], vec![limit], true),
    ])
}

/// Best prices and sums of a snapshot, in whole units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) bids: &'a [(i64, i64)],
    pub(super) asks: &'a [(i64, i64)],
    pub(super) last: i64,
    /// Trades since the last snapshot: price and lots.
    pub(super) traded: &'a [(i64, i64)],
}

/// An exchange, its contract (tick 1, multiplier 10), and a clock that only goes forward.
pub(super) struct Kit {
    pub(super) exchange: Exchange,
    pub(super) place: Place,
    pub(super) now: Nanos,
    pub(super) day: TradingDay,
    volume: i64,
    turnover: i64,
    next_ref: u64,
    slot: ReportSlot,
}

impl Kit {
    pub(super) fn new(place: Place) -> Self {
        Self::with(place, ExchangeOptions::new(7, rules()))
    }

    pub(super) fn with(place: Place, options: ExchangeOptions) -> Self {
        Self::over(place, Exchange::new(options))
    }

    pub(super) fn over(place: Place, exchange: Exchange) -> Self {
        let today = day(20_240_102);
        let mut kit = Self {
            exchange,
            place,
            now: Nanos::china(today, 9 * 3600, 0),
            day: today,
            volume: 0,
            turnover: 0,
            next_ref: 0,
            slot: ReportSlot::default(),
        };
        kit.market((&kit.def()).into());
        kit.market((&rates()).into());
        kit
    }

    /// With the day's login told and continuous trading begun after an empty auction, around 100.
    pub(super) fn open(place: Place) -> Self {
        let mut kit = Self::new(place);
        kit.phase(PhaseKind::AuctionOrders);
        kit.phase(PhaseKind::Continuous);
        kit.show(Shown { bids: &[(99, 5), (98, 5)], asks: &[(101, 5), (102, 5)], last: 100, traded: &[] });
        kit.drain();
        kit
    }

    pub(super) fn def(&self) -> InstrumentDef {
        InstrumentDef {
            instrument: ID,
            symbol: Text::new(b"xx2405").expect("fits"),
            tick: Price::whole(1),
            multiplier: 10,
            strike: Price::ABSENT,
            min_lots: Lots::new(1),
            max_limit_lots: Lots::new(500),
            max_market_lots: Lots::new(50),
            upper_limit: Price::whole(110),
            lower_limit: Price::whole(90),
            pre_settlement: Price::whole(100),
            exchange: self.place.code(),
            class: ProductClass::Future.code(),
            tradable: 1,
            ..InstrumentDef::default()
        }
    }

    pub(super) fn market(&mut self, event: Event<'_>) {
        self.now = self.now.after(1_000_000);
        let header = Header { recv_ns: self.now, ..Header::default() };
        self.exchange.on_market(&header, event);
    }

    pub(super) fn phase(&mut self, kind: PhaseKind) {
        let phase = Phase { instrument: ID, trading_day: self.day, phase: kind.code(), ..Phase::default() };
        self.market((&phase).into());
    }

    pub(super) fn settle(&mut self, price: i64, next: TradingDay) {
        let settlement = Settlement {
            instrument: ID,
            trading_day: self.day,
            settlement: Price::whole(price),
            next_day: next,
            ..Settlement::default()
        };
        self.market((&settlement).into());
    }

    /// The next trading day opens with an auction phase.
    pub(super) fn roll(&mut self, next: TradingDay) {
        (self.day, self.volume, self.turnover, self.next_ref) = (next, 0, 0, 0);
        self.phase(PhaseKind::AuctionOrders);
    }

    pub(super) fn show(&mut self, shown: Shown<'_>) {
        for &(price, lots) in shown.traded {
            self.volume += lots;
            self.turnover += price * lots * 10;
        }
        let mut tick = DepthTick {
            instrument: ID,
            trading_day: self.day,
            last: Price::whole(shown.last),
            volume: Qty::whole(self.volume),
            turnover: Turnover::whole(self.turnover),
            upper_limit: Price::whole(110),
            lower_limit: Price::whole(90),
            pre_settlement: Price::ABSENT,
            bids: [Price::ABSENT; 5],
            asks: [Price::ABSENT; 5],
            ..DepthTick::default()
        };
        for (index, &(price, lots)) in shown.bids.iter().enumerate() {
            (tick.bids[index], tick.bid_qtys[index]) = (Price::whole(price), Qty::whole(lots));
        }
        for (index, &(price, lots)) in shown.asks.iter().enumerate() {
            (tick.asks[index], tick.ask_qtys[index]) = (Price::whole(price), Qty::whole(lots));
        }
        self.market((&tick).into());
    }

    /// An insert request with the next OrderRef.
    pub(super) fn order(&mut self, side: Side, offset: Offset, lots: i64, price: i64) -> OrderRequest {
        self.next_ref += 1;
        OrderRequest {
            instrument: ID,
            trading_day: self.day,
            order_ref: self.next_ref,
            price: Price::whole(price),
            lots: Lots::new(lots),
            kind: RequestKind::Insert.code(),
            side: side.code(),
            offset: offset.code(),
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange: self.place.code(),
            ..OrderRequest::default()
        }
    }

    pub(super) fn send(&mut self, request: &OrderRequest) {
        self.now = self.now.after(1_000);
        self.exchange.request(self.now, &Header::default(), request.into());
    }

    /// Sends a limit order for the day and forgets what comes back.
    pub(super) fn trade(&mut self, side: Side, offset: Offset, lots: i64, price: i64) -> u64 {
        let order = self.order(side, offset, lots, price);
        self.send(&order);
        self.drain();
        order.order_ref
    }

    pub(super) fn cancel(&mut self, order_ref: u64) {
        let request = OrderRequest {
            instrument: ID,
            trading_day: self.day,
            order_ref,
            kind: RequestKind::Cancel.code(),
            exchange: self.place.code(),
            ..OrderRequest::default()
        };
        self.send(&request);
    }

    /// Lets everything arrive; hands each report to `see`, in order.
    pub(super) fn each(&mut self, mut see: impl FnMut(Nanos, Event<'_>)) {
        while let Next::At(due) = self.exchange.next() {
            self.now = self.now.max(due);
            if self.exchange.take(&mut self.slot) {
                see(self.slot.header().recv_ns, self.slot.event());
            }
        }
    }

    /// Everything that is told, as lines.
    pub(super) fn drain(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        self.each(|_, event| lines.push(line(event)));
        lines
    }
}

pub(super) fn rates() -> Rates {
    Rates {
        instrument: ID,
        long_margin_ratio: 10_000_000,
        short_margin_ratio: 12_000_000,
        open_ratio: 10_000,
        open_per_lot: Money::whole(1),
        close_per_lot: Money::whole(2),
        close_today_per_lot: Money::whole(3),
        ..Rates::default()
    }
}

/// A report as a line: source, status, lots traded, error; or a fill.
pub(super) fn line(event: Event<'_>) -> String {
    match event {
        Event::OrderReport(report) => order_line(report),
        Event::Fill(fill) => fill_line(fill),
        other => format!("{:?}", shrike_core::event::Kind::of(other.kind()).expect("a kind")),
    }
}

fn order_line(report: &OrderReport) -> String {
    let name = |source| match source {
        ReportSource::Flow => "flow",
        ReportSource::InsertRefused => "rsp-insert",
        ReportSource::InsertError => "err-insert",
        ReportSource::CancelRefused => "rsp-action",
        ReportSource::CancelError => "err-action",
        ReportSource::Query => "query",
    };
    let status = match report.status() {
        Some(OrderStatus::Unknown) => "a",
        Some(OrderStatus::Queued) => "3",
        Some(OrderStatus::PartTraded) => "1",
        Some(OrderStatus::AllTraded) => "0",
        Some(OrderStatus::Cancelled) => "5",
        _ => "-",
    };
    let mut line = format!("{} {status}", name(report.source().expect("a source")));
    if report.traded > Lots::ZERO {
        line += &format!(" traded {}", report.traded);
    }
    match report.submit() {
        Some(SubmitStatus::CancelSubmitted) => line += " cancelling",
        Some(SubmitStatus::InsertRejected) => line += " rejected",
        _ => {}
    }
    if report.error_code != 0 {
        line += &format!(" error {}", report.error_code);
    }
    line
}

fn fill_line(fill: &Fill) -> String {
    format!("fill {} at {}", fill.lots, fill.price)
}
