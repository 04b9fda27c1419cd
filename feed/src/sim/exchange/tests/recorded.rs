//! Real recordings of three exchanges, and a generated market, with random orders: the books must be those of an account
//! reckoned lot by lot, and no order may trade beyond its terms. Skipped, saying so, where the recordings are absent.

use super::reference::Reference;
use crate::recording::{Options, Recording};
use crate::sim::exchange::{Delays, Exchange, ExchangeOptions};
use crate::sim::market::{Generated, MarketOptions, MarketProduct};
use shrike_config::tables::Tables;
use shrike_core::codes::{Offset, OrderType, RequestKind, Side, TimeInForce};
use shrike_core::event::{DepthTick, Event, Header, InstrumentDef, MarketSlot, OrderRequest, ReportSlot};
use shrike_core::units::{Lots, Money, Price, TradingDay};
use shrike_core::venue::{Gateway, MarketFeed, Next};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A small generator of test orders; not the exchange's own.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One contract's account as the test reckons it.
struct Account {
    def: InstrumentDef,
    reference: Reference,
    mark: Price,
}

/// Trades at random against a market until it ends. Gives orders and fills of each contract.
fn trade(feed: &mut dyn MarketFeed, tables: &Tables, seed: u64, every: u64) -> BTreeMap<String, (u64, u64)> {
    println!("seed {seed}");
    let delays = Delays { order_latency_ns: 300_000, report_latency_ns: 200_000, jitter_ns: 50_000 };
    let mut exchange = Exchange::new(ExchangeOptions { delays, ..ExchangeOptions::new(seed, tables.rules) });
    let (mut dice, mut account): (_, Option<Account>) = (Dice(seed | 1), None);
    let (mut market, mut report) = (MarketSlot::default(), ReportSlot::default());
    let (mut today, mut balance, mut order_ref, mut ticks) = (TradingDay::ABSENT, Money::whole(10_000_000), 0, 0);
    let (mut counts, mut checks): (BTreeMap<String, (u64, u64)>, u64) = (BTreeMap::new(), 0);
    loop {
        let next = match (exchange.next(), feed.next()) {
            (Next::At(report), Next::At(market)) => report <= market,
            (Next::At(_), _) => true,
            (_, Next::At(_)) => false,
            _ => break,
        };
        if next {
            if !exchange.take(&mut report) {
                continue;
            }
            match (report.event(), &mut account) {
                (Event::Login(login), account) if login.trading_day > today => {
                    if let Some(account) = account {
                        account.reference.settle(account.mark);
                    }
                    (today, order_ref) = (login.trading_day, 0);
                }
                (Event::Fill(fill), Some(account)) => {
                    counts.get_mut(account.def.symbol.as_str()).unwrap().1 += 1;
                    account.reference.fill(fill);
                }
                _ => {}
            }
            continue;
        }
        feed.take(&mut market);
        exchange.on_market(market.header(), market.event());
        match market.event() {
            Event::InstrumentDef(def) => {
                // One contract follows the other; the account goes on with the balance of the last.
                if account.is_some() {
                    balance = exchange.funds().available.plus(exchange.funds().margin);
                    assert_eq!(exchange.positions().count(), 0, "flat before the next contract");
                }
                let rates =
                    tables.products.get(def.exchange().unwrap(), def.product.as_str()).unwrap().rates(def.instrument);
                exchange.set_rates(&rates);
                let reference = Reference::new(def.instrument, def.multiplier, rates, balance);
                account = Some(Account { def: *def, reference, mark: Price::ABSENT });
                counts.insert(def.symbol.to_string(), (0, 0));
            }
            Event::Settlement(settlement) => {
                let account = account.as_mut().unwrap();
                account.mark = settlement.settlement;
            }
            Event::DepthTick(tick) => {
                ticks += 1;
                let account = account.as_mut().unwrap();
                account.mark = tick.last.some().unwrap_or(account.mark);
                if ticks % every == 0 && exchange.trading_day() == today && !today.is_absent() {
                    let count = &mut counts.get_mut(account.def.symbol.as_str()).unwrap().0;
                    let request = random(&mut dice, &account.def, tick, today, &mut order_ref);
                    *count += u64::from(request.kind == RequestKind::Insert.code());
                    exchange.request(market.header().recv_ns, &Header::default(), (&request).into());
                }
            }
            _ => {}
        }
        if ticks % 1_000 == 510
            && exchange.next() == Next::Idle
            && account.as_ref().is_some_and(|a| a.mark.is_present())
        {
            let account = account.as_ref().unwrap();
            account.reference.check(&exchange, account.mark);
            check_terms(&exchange);
            checks += 1;
        }
    }
    assert!(checks > 20, "{checks}");
    counts
}

/// An order about the market, either side, any offset and life; or a cancel of an earlier one.
fn random(dice: &mut Dice, def: &InstrumentDef, tick: &DepthTick, day: TradingDay, last_ref: &mut u64) -> OrderRequest {
    let side = if dice.roll(2) == 0 { Side::Buy } else { Side::Sell };
    let request = OrderRequest {
        instrument: def.instrument,
        trading_day: day,
        exchange: def.exchange,
        lots: Lots::new(1 + dice.roll(5) as i64),
        side: side.code(),
        ..OrderRequest::default()
    };
    if dice.roll(4) == 0 {
        let order_ref = 1 + dice.roll((*last_ref).max(1));
        return OrderRequest { kind: RequestKind::Cancel.code(), order_ref, ..request };
    }
    *last_ref += 1;
    let [bid, ..] = tick.bids;
    let [ask, ..] = tick.asks;
    let near = if side == Side::Buy { bid } else { ask };
    let price = near.some().unwrap_or(tick.last).raw() + (dice.roll(7) as i64 - 3) * def.tick.raw();
    let pick = |dice: &mut Dice, list: &[u8]| list[dice.roll(list.len() as u64) as usize];
    let (open, close, today) = (Offset::Open.code(), Offset::Close.code(), Offset::CloseToday.code());
    let day_order = TimeInForce::Day.code();
    OrderRequest {
        kind: RequestKind::Insert.code(),
        order_ref: *last_ref,
        price: Price::from_raw(price),
        offset: pick(dice, &[open, open, close, today, today]),
        order_type: OrderType::Limit.code(),
        tif: pick(dice, &[day_order, day_order, day_order, TimeInForce::Fak.code(), TimeInForce::Fok.code()]),
        ..request
    }
}

fn check_terms(exchange: &Exchange) {
    let mut traded: BTreeMap<u64, i64> = BTreeMap::new();
    for fill in exchange.fills() {
        *traded.entry(fill.order_ref).or_default() += fill.lots.get();
    }
    for order in exchange.orders() {
        let traded = traded.get(&order.order_ref).copied().unwrap_or(0);
        assert_eq!(traded, order.traded.get());
        assert!(traded <= order.lots.get());
        assert!(order.tif != TimeInForce::Fok.code() || traded == 0 || traded == order.lots.get());
    }
}

#[test]
fn recordings_with_random_orders() {
    let near = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let dir = std::env::var_os("SHRIKE_DATA").map_or_else(near, PathBuf::from).join("ctp");
    let tables = Tables::builtin().expect("the tables");
    let files = ["CFFEX.IF.HOT_tick_20210104.csv.gz", "czce_AP010_tick-ctp.zip", "shfe_ru1901_2018.tick-ctp.zip"];
    for (seed, file) in (1..).zip(files) {
        let path = dir.join(file);
        if !path.exists() {
            println!("skipped: no recording at {} (set SHRIKE_DATA)", path.display());
            continue;
        }
        let products = Arc::new(tables.products.clone());
        let mut feed = Recording::open(&path, tables.sessions.clone(), products, Options::default()).expect("opens");
        for (symbol, (orders, fills)) in trade(&mut feed, &tables, seed, 20) {
            println!("{symbol}: {orders} orders, {fills} fills");
            assert!(orders > 500 && fills > 100, "{symbol}");
        }
    }
}

#[test]
fn a_generated_market_with_random_orders() {
    let tables = Tables::builtin().expect("the tables");
    let products = vec![MarketProduct::named("rb").expect("a product")];
    let options = MarketOptions { seed: 9, days: 2, products, ..MarketOptions::default() };
    let mut feed = Generated::new(&options, &tables.sessions, tables.products.as_slice()).expect("a market");
    for (symbol, (orders, fills)) in trade(&mut feed, &tables, 9, 20) {
        println!("{symbol}: {orders} orders, {fills} fills");
        assert!(orders > 500 && fills > 100, "{symbol}");
    }
}
