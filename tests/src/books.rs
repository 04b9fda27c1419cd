//! The exchange's books against the engine's, each found again from its own journal alone.

use shrike_config::tables::Tables;
use shrike_config::{Config, Source};
use shrike_core::codes::{OrderState, ReportSource, RequestKind, Side};
use shrike_core::event::{Event, Fill, flags};
use shrike_core::ledger::{Capacity, Ledger};
use shrike_core::units::{Lots, TradingDay};
use shrike_engine::runtime::journal_dir;
use shrike_feed::sim::exchange::Exchange;
use shrike_journal::Reader;
use shrike_tools::compose::Counter;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the journals of a run at an exchange of its own process tell.
#[derive(Debug)]
pub struct Books {
    /// Orders sent.
    pub sent: usize,
    /// Orders that never became any: refused by the counter, or lost on the way.
    pub void: usize,
    /// Fills of the exchange.
    pub fills: usize,
    /// Runs of the engine.
    pub starts: usize,
    /// Logins of the engine.
    pub logins: usize,
}

/// Panics where an order was sent twice, a fill is missing or counted twice, or orders, positions or money differ.
pub fn agree(home: &Path, exchange_home: &Path) -> Books {
    let source = Source { profile: Some("demo".into()), ..Source::default() };
    let config = Config::load(&source).unwrap().config;
    let counter = Counter::new(&config, &Tables::builtin().unwrap());
    let mut journal = Reader::open(&journal_dir(exchange_home, "exchange")).unwrap();
    let exchange = Exchange::recover(counter.options(), &mut journal).unwrap();

    let mut ledger = Ledger::new(Capacity { instruments: 64, orders: 1 << 16, strategies: 8 });
    let (mut sent, mut told, mut refused) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut starts, mut logins) = (0, 0);
    let key = |fill: &Fill| (fill.trading_day, fill.exchange, fill.trade_id, fill.side);
    let mut reader = Reader::open(&journal_dir(home, "order")).unwrap();
    while let Some(record) = reader.next().unwrap() {
        ledger.apply(record.header, record.event());
        let output = record.header.has(flags::OUTPUT);
        match record.event() {
            Event::OrderRequest(request) if output && request.kind() == Some(RequestKind::Insert) => {
                assert!(sent.insert((request.trading_day, request.order_ref)), "order sent twice: {request:?}");
            }
            Event::Fill(fill) if !output => {
                told.insert(key(fill));
            }
            Event::OrderReport(report) if report.source() == Some(ReportSource::InsertRefused) => {
                refused.insert((report.trading_day, report.order_ref));
            }
            Event::OrderUpdate(update) if output && update.state() == Some(OrderState::NeverArrived) => {
                refused.insert((update.trading_day, update.order_ref));
            }
            Event::RunStart(_) => starts += 1,
            Event::Login(_) => logins += 1,
            _ => {}
        }
    }
    let mut made = BTreeSet::new();
    let mut reader = Reader::open(&journal_dir(exchange_home, "exchange")).unwrap();
    while let Some(record) = reader.next().unwrap() {
        if let Event::Fill(fill) = record.event() {
            made.insert(key(fill));
        }
    }
    let books = Books { sent: sent.len(), void: refused.len(), fills: made.len(), starts, logins };
    println!("{books:?}");
    assert_eq!(told, made, "every fill of the exchange is in our journal, and no other");
    assert_eq!(ledger.fill_count(), made.len() as u64, "each is booked once");
    // An order that a restarted counter told under another name, before we had its number, is in the books as somebody's.
    let wild = ledger.orders().filter(|(_, order)| order.wild && !order.order_sys_id.is_empty()).count();
    // Orders end with their day: what can be compared is the last one's.
    let today = |of: &BTreeSet<(TradingDay, u64)>| of.iter().filter(|(day, _)| *day == exchange.trading_day()).count();
    assert_eq!(exchange.orders().len(), today(&sent) - today(&refused) + wild, "every order arrived once");
    let mut by_number = BTreeMap::new();
    for (_, ours) in ledger.orders().filter(|(_, ours)| !ours.order_sys_id.is_empty()) {
        let twin = by_number.insert((ours.exchange.code(), ours.order_sys_id), ours);
        assert!(twin.is_none(), "{ours:?} is in the books twice, also as {twin:?}");
    }
    for order in exchange.orders() {
        let ours = match order.order_sys_id.is_empty() {
            true => ledger.order_by_ref(order.order_ref).and_then(|index| ledger.order(index)),
            false => by_number.get(&(order.exchange, order.order_sys_id)).copied(),
        };
        let ours = ours.unwrap_or_else(|| panic!("{order:?} is not in the books"));
        assert_eq!((ours.filled, ours.is_live()), (order.traded, false), "{order:?} against {ours:?}");
    }
    assert_eq!(ledger.live_count(), 0, "no order is left");
    for (instrument, book) in ledger.positions() {
        let symbol = ledger.instruments().get(instrument).map(|def| def.symbol).expect("a defined contract");
        let theirs = exchange.id_of(symbol.as_bytes());
        for side in [Side::Buy, Side::Sell] {
            let mut lines =
                exchange.positions().filter(|line| Some(line.instrument) == theirs && line.side == side.code());
            let line = lines.next().map_or((Lots::ZERO, Lots::ZERO), |line| (line.today, line.yesterday));
            assert_eq!(book.held(side), line, "{symbol} {side}: today, earlier");
        }
    }
    let (ours, theirs) = (ledger.funds(), exchange.funds());
    for (field, ours, theirs) in [
        ("pre balance", ours.pre_balance, theirs.pre_balance),
        ("close profit", ours.close_profit, theirs.close_profit),
        ("position profit", ours.position_profit, theirs.position_profit),
        ("commission", ours.commission, theirs.commission),
        ("margin", ours.margin, theirs.margin),
        ("available", ours.available, theirs.available),
    ] {
        assert_eq!(ours, theirs, "{field}, to the last 1e-8");
    }
    books
}
