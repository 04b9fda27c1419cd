//! Stories of one account at a made-up venue: a desk with a contract at SHFE, DCE and CFFEX each, and short words for
//! what the venue and the order stage say.

mod garbage;
mod lots;
mod money;
mod most;
mod permutations;
mod restatement;
mod sequences;

use super::*;
use crate::codes::{Exchange, Side};
use crate::codes::{
    Offset, OrderState, OrderStatus, OrderType, ProductClass, ReportSource, RequestKind, SubmitStatus, TimeInForce,
};
use crate::event::{
    Fill, FundsReport, InstrumentDef, OrderReport, OrderRequest, OrderUpdate, PositionReport, Quote, Rates, ResyncEnd,
    Settlement, flags,
};
use crate::units::{Money, Nanos, Price, Text};

pub(super) const SHFE: InstrumentId = InstrumentId::new(0);
pub(super) const DCE: InstrumentId = InstrumentId::new(1);
pub(super) const CFFEX: InstrumentId = InstrumentId::new(2);
pub(super) const EXCHANGES: [Exchange; 3] = [Exchange::Shfe, Exchange::Dce, Exchange::Cffex];
pub(super) const ROOM: Capacity = Capacity { instruments: 4, orders: 64, strategies: 3 };
const FRONT: i32 = 1;
const SESSION: i32 = 77;

pub(super) fn day(n: u32) -> TradingDay {
    TradingDay::new(20_240_100 + n).unwrap()
}

pub(super) fn exchange_of(instrument: InstrumentId) -> Exchange {
    EXCHANGES[instrument.index()]
}

/// What the story's orders are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub order_ref: u64,
    pub instrument: InstrumentId,
    pub side: Side,
    pub offset: Offset,
    pub price: i64,
    pub lots: i64,
    pub strategy: u32,
}

pub(super) fn ticket(order_ref: u64, instrument: InstrumentId, side: Side, offset: Offset, lots: i64) -> Ticket {
    Ticket { order_ref, instrument, side, offset, price: 100, lots, strategy: 1 }
}

impl Ticket {
    pub fn at(self, price: i64) -> Self {
        Self { price, ..self }
    }
    pub fn of(self, strategy: u32) -> Self {
        Self { strategy, ..self }
    }
    pub fn sys_id(&self) -> Text<24> {
        Text::new(format!("{:>12}", 9_000 + self.order_ref).as_bytes()).unwrap()
    }
    pub fn insert(&self) -> OrderRequest {
        OrderRequest {
            instrument: self.instrument,
            trading_day: day(2),
            order_ref: self.order_ref,
            price: Price::whole(self.price),
            lots: Lots::new(self.lots),
            strategy: self.strategy,
            kind: RequestKind::Insert.code(),
            side: self.side.code(),
            offset: self.offset.code(),
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange: exchange_of(self.instrument).code(),
            front_id: FRONT,
            session_id: SESSION,
            ..OrderRequest::default()
        }
    }
    pub fn cancel(&self) -> OrderRequest {
        OrderRequest { kind: RequestKind::Cancel.code(), ..self.insert() }
    }
    /// A report of the order's own flow; without the exchange's number while the status is unknown.
    pub fn report(&self, status: OrderStatus, traded: i64) -> OrderReport {
        let numbered = status != OrderStatus::Unknown;
        OrderReport {
            instrument: self.instrument,
            trading_day: day(2),
            order_ref: self.order_ref,
            front_id: FRONT,
            session_id: SESSION,
            order_sys_id: if numbered { self.sys_id() } else { Text::EMPTY },
            price: Price::whole(self.price),
            lots: Lots::new(self.lots),
            traded: Lots::new(traded),
            exch_ns: Nanos::new(1),
            status: status.code(),
            submit: if numbered { SubmitStatus::Accepted } else { SubmitStatus::InsertSubmitted }.code(),
            source: ReportSource::Flow.code(),
            side: self.side.code(),
            offset: self.offset.code(),
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange: exchange_of(self.instrument).code(),
            ..OrderReport::default()
        }
    }
    pub fn refusal(&self, source: ReportSource, error_code: i32) -> OrderReport {
        OrderReport { source: source.code(), error_code, ..self.report(OrderStatus::Unknown, 0) }
    }
    pub fn fill(&self, trade: u64, lots: i64) -> Fill {
        self.fill_at(trade, lots, self.price)
    }
    pub fn fill_at(&self, trade: u64, lots: i64, price: i64) -> Fill {
        Fill {
            instrument: self.instrument,
            trading_day: day(2),
            order_ref: self.order_ref,
            trade_id: Text::new(format!("T{trade}").as_bytes()).unwrap(),
            order_sys_id: self.sys_id(),
            price: Price::whole(price),
            lots: Lots::new(lots),
            exch_ns: Nanos::new(2),
            side: self.side.code(),
            offset: self.offset.code(),
            exchange: exchange_of(self.instrument).code(),
            ..Fill::default()
        }
    }
}

#[derive(Clone)]
pub(super) struct Desk {
    pub ledger: Ledger,
    taken_ns: u64,
}

impl Desk {
    /// Logged in on day 2, contracts and rates told (multiplier 10; fees 2, 3 and 4 a lot to open, close and close
    /// today, and 1e-4 of value; margin a tenth of value), previous settlement 100, balance 1 000 000, nothing held.
    pub fn new() -> Self {
        let mut desk = Self::without_login();
        desk.login(day(2));
        desk.restate(&[]);
        desk
    }

    pub fn without_login() -> Self {
        let mut desk = Self { ledger: Ledger::new(ROOM), taken_ns: 0 };
        for (id, exchange) in EXCHANGES.into_iter().enumerate() {
            let instrument = InstrumentId::new(id as u32);
            desk.tell(&definition(instrument, exchange));
            desk.tell(&Rates {
                instrument,
                long_margin_ratio: 10_000_000,
                short_margin_ratio: 10_000_000,
                open_ratio: 10_000,
                close_ratio: 10_000,
                close_today_ratio: 10_000,
                open_per_lot: Money::whole(2),
                close_per_lot: Money::whole(3),
                close_today_per_lot: Money::whole(4),
                ..Rates::default()
            });
        }
        desk
    }

    pub fn login(&mut self, day: TradingDay) {
        let login = Login { trading_day: day, front_id: FRONT, session_id: SESSION, ..Login::default() };
        self.tell(&login);
        if let Some(roll) = self.ledger.roll_due() {
            self.tell(&roll);
        }
    }

    /// A whole restatement: these position lines (side, today, yesterday), and funds of 1 000 000.
    pub fn restate(&mut self, lines: &[(InstrumentId, Side, i64, i64)]) -> Applied {
        let trading_day = self.ledger.trading_day();
        self.tell(&OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
        for &(instrument, side, today, yesterday) in lines {
            self.tell(&PositionReport {
                instrument,
                trading_day,
                today: Lots::new(today),
                yesterday: Lots::new(yesterday),
                mark: Price::ABSENT,
                side: side.code(),
                ..PositionReport::default()
            });
        }
        let funds = FundsReport { trading_day, pre_balance: Money::whole(1_000_000), ..FundsReport::default() };
        self.tell(&funds);
        self.tell(&ResyncEnd { trading_day, session_id: SESSION, ..ResyncEnd::default() })
    }

    pub fn tell<'a>(&mut self, event: impl Into<Event<'a>>) -> Applied {
        self.taken_ns += 1_000;
        let header = Header { taken_ns: Nanos::new(self.taken_ns), flags: flags::OUTPUT, ..Header::default() };
        self.ledger.apply(&header, event.into())
    }

    pub fn last(&mut self, instrument: InstrumentId, last: i64) {
        let last = Price::whole(last);
        self.tell(&Quote { instrument, trading_day: day(2), last, ..Quote::default() });
    }

    pub fn settle(&mut self, instrument: InstrumentId, settlement: i64, ends: TradingDay, next_day: TradingDay) {
        let settlement = Price::whole(settlement);
        self.tell(&Settlement { instrument, trading_day: ends, settlement, next_day, ..Settlement::default() });
    }

    pub fn order(&self, ticket: &Ticket) -> &Order {
        self.ledger.order(self.ledger.order_by_ref(ticket.order_ref).expect("our order")).expect("in the table")
    }
    pub fn state(&self, ticket: &Ticket) -> OrderState {
        self.order(ticket).state
    }
    pub fn position(&self, instrument: InstrumentId) -> &Position {
        self.ledger.position(instrument).expect("defined")
    }
    /// Long today, long yesterday, short today, short yesterday.
    pub fn held(&self, instrument: InstrumentId) -> [i64; 4] {
        let position = self.position(instrument);
        let ((a, b), (c, d)) = (position.held(Side::Buy), position.held(Side::Sell));
        [a, b, c, d].map(Lots::get)
    }
}

pub(super) fn definition(instrument: InstrumentId, exchange: Exchange) -> InstrumentDef {
    InstrumentDef {
        instrument,
        symbol: Text::new(format!("x{instrument}").as_bytes()).unwrap(),
        tick: Price::whole(1),
        multiplier: 10,
        pre_settlement: Price::whole(100),
        upper_limit: Price::ABSENT,
        lower_limit: Price::ABSENT,
        exchange: exchange.code(),
        class: ProductClass::Future.code(),
        tradable: 1,
        ..InstrumentDef::default()
    }
}

/// What every ledger must satisfy, whatever it was told; `seed` names the story.
pub(super) fn check(ledger: &Ledger, seed: u64) {
    let mut listed = 0;
    for (index, order) in ledger.live_orders() {
        assert!(order.is_live(), "seed {seed}: a listed order is live");
        assert_eq!(ledger.order(index), Some(order));
        listed += 1;
    }
    assert_eq!(listed, ledger.orders().filter(|(_, order)| order.is_live()).count(), "seed {seed}: live orders listed");
    assert_eq!(listed, ledger.live_count(), "seed {seed}");
    for (instrument, position) in ledger.positions() {
        let of_contract = ledger.live_orders_of(instrument).count();
        let live = ledger.live_orders().filter(|(_, order)| order.instrument == instrument);
        assert_eq!(of_contract, live.count(), "seed {seed}: live orders of {instrument}");
        let working = |side: Side| {
            let of_side = ledger.orders().filter(|(_, o)| o.instrument == instrument && o.side == side);
            of_side.map(|(_, order)| order.remaining().get()).sum::<i64>()
        };
        let strategies: Vec<_> =
            (0..=ROOM.strategies as u32 + 1).map(|s| ledger.strategy_position(s, instrument)).collect();
        for (side, of_strategies) in [
            (Side::Buy, strategies.iter().map(|s| s.working_buys.get()).sum::<i64>()),
            (Side::Sell, strategies.iter().map(|s| s.working_sells.get()).sum()),
        ] {
            assert_eq!(position.working_lots(side).get(), working(side), "seed {seed}: working {side} of {instrument}");
            assert_eq!(working(side), of_strategies, "seed {seed}: strategies' {side} of {instrument}");
        }
        for side in [Side::Buy, Side::Sell] {
            let (mut lots, mut value) = (0, 0);
            for (price, n) in ledger.details(instrument, side) {
                lots += n.get();
                value += price.some().map_or(0, |price| price.raw() as i128 * n.get() as i128);
            }
            let (today, _) = position.held(side);
            let said = (today.get(), position.today_value(side));
            assert_eq!((lots, value), said, "seed {seed}: details of {instrument} {side}");
        }
        let net: i64 = strategies.iter().map(|s| s.net.get()).sum();
        assert_eq!(net, position.net().get(), "seed {seed}: strategies add up in {instrument}");
        assert_eq!(position.worst_case_long().get(), net + working(Side::Buy), "seed {seed}");
        assert_eq!(position.worst_case_short().get(), net - working(Side::Sell), "seed {seed}");
    }
    // Parts too great to be money make a sum absent.
    let part = |money: Money| if money.raw().unsigned_abs() > 1 << 94 { Money::ABSENT } else { money };
    let sum = |of: fn(&Position) -> Money| ledger.positions().fold(Money::ZERO, |sum, (_, p)| sum.plus(part(of(p))));
    let funds = ledger.funds();
    assert_eq!(funds.margin, sum(Position::margin), "seed {seed}: margin adds up");
    assert_eq!(funds.position_profit, sum(Position::position_profit), "seed {seed}: position profit adds up");
}

/// SplitMix64 (S. Vigna): the stories' dice.
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
