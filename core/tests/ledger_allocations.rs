//! The ledger allocates nothing once it is built, for as many orders and fills as its capacity says.
#![allow(unsafe_code)]

use shrike_core::codes::{
    Exchange, Offset, OrderStatus, OrderType, ProductClass, ReportSource, RequestKind, Side, TimeInForce,
};
use shrike_core::event::{
    Event, Fill, FundsReport, Header, InstrumentDef, Login, OrderReport, OrderRequest, PositionReport, Quote, Rates,
    ResyncEnd, Settlement,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Applied, Capacity, Ledger};
use shrike_core::units::{Lots, Price, Text, TradingDay};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Of this thread alone: the test runner's own threads allocate when they please.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator with the arguments it came with; the count is a
// constant-initialised cell of the thread, which needs no allocation itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `System.alloc` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ORDERS: u64 = 2_000;

fn text(number: u64) -> Text<24> {
    let mut digits = [b'0'; 12];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    Text::new(&digits).unwrap_or_default()
}

fn tell<'a>(ledger: &mut Ledger, event: impl Into<Event<'a>>) -> Applied {
    ledger.apply(&Header::default(), event.into())
}

/// A day of orders, each acknowledged, half of them filled in two parts and half cancelled, then settlement and login.
fn trade_a_day(ledger: &mut Ledger, instrument: InstrumentId, trading_day: TradingDay) {
    tell(ledger, &Login { trading_day, session_id: 1, ..Login::default() });
    if let Some(roll) = ledger.roll_due() {
        tell(ledger, &roll);
    }
    tell(ledger, &OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
    tell(ledger, &PositionReport { instrument, trading_day, side: Side::Buy.code(), ..PositionReport::default() });
    tell(ledger, &FundsReport { trading_day, ..FundsReport::default() });
    tell(ledger, &ResyncEnd { trading_day, session_id: 1, ..ResyncEnd::default() });
    let (exchange, price) = (Exchange::Shfe.code(), Price::whole(100));
    for n in 0..ORDERS {
        let (order_ref, order_sys_id) = (ledger.next_ref(), text(n));
        let (side, offset) = (Side::ALL[n as usize % 2].code(), Offset::Open.code());
        let request = OrderRequest {
            instrument,
            trading_day,
            order_ref,
            price,
            lots: Lots::new(2),
            strategy: n as u32 % 3,
            kind: RequestKind::Insert.code(),
            side,
            offset,
            order_type: OrderType::Limit.code(),
            tif: TimeInForce::Day.code(),
            exchange,
            ..OrderRequest::default()
        };
        tell(ledger, &Quote { instrument, last: Price::whole(90 + n as i64 % 20), ..Quote::default() });
        tell(ledger, &request);
        let report = OrderReport {
            instrument,
            trading_day,
            order_ref,
            session_id: 1,
            order_sys_id,
            price,
            lots: Lots::new(2),
            status: OrderStatus::Queued.code(),
            source: ReportSource::Flow.code(),
            side,
            offset,
            exchange,
            ..OrderReport::default()
        };
        tell(ledger, &report);
        if n % 2 == 0 {
            tell(ledger, &OrderRequest { kind: RequestKind::Cancel.code(), ..request });
            tell(ledger, &OrderReport { status: OrderStatus::Cancelled.code(), ..report });
        } else {
            for part in 0..2 {
                let trade_id = text(n * 2 + part);
                let lots = Lots::new(1);
                // Another price than the fill before: each is a detail of its own.
                let price = Price::whole(100 + part as i64);
                let fill = Fill {
                    instrument,
                    trading_day,
                    order_ref,
                    trade_id,
                    order_sys_id,
                    price,
                    lots,
                    side,
                    offset,
                    exchange,
                    ..Fill::default()
                };
                assert!(matches!(tell(ledger, &fill), Applied::NewFill { .. }));
                assert_eq!(tell(ledger, &fill), Applied::DuplicateFill);
            }
        }
        assert_eq!(ledger.live_count(), 0);
    }
    ledger.differences(|_| {});
    let next_day = trading_day.plus_days(1);
    tell(ledger, &Settlement { instrument, trading_day, settlement: price, next_day, ..Settlement::default() });
}

#[test]
fn nothing_is_allocated_after_construction() {
    // A build with planted mistakes reads once which one it is.
    std::hint::black_box(shrike_core::seeded::on(shrike_core::seeded::Bug::FillRepeated));
    let mut ledger = Ledger::new(Capacity { instruments: 8, orders: ORDERS as usize, strategies: 3 });
    let before = ALLOCATIONS.get();
    for id in 0..8 {
        let instrument = InstrumentId::new(id);
        let (exchange, class) = (Exchange::Shfe.code(), ProductClass::Future.code());
        let tick = Price::whole(1);
        tell(
            &mut ledger,
            &InstrumentDef { instrument, tick, multiplier: 10, exchange, class, ..InstrumentDef::default() },
        );
        tell(&mut ledger, &Rates { instrument, ..Rates::default() });
    }
    let first = TradingDay::new(20_240_102).unwrap();
    for day in 0..3 {
        trade_a_day(&mut ledger, InstrumentId::new(day), first.plus_days(day as i64));
    }
    let after = ALLOCATIONS.get();
    assert_eq!(ledger.fill_count(), 3 * ORDERS);
    assert_eq!(after - before, 0, "allocations while folding {} orders", 3 * ORDERS);
}
