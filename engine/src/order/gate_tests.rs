//! The pre-trade gate as a table: what stands in the way, and what then becomes of an opening and a reducing order of a
//! position target, and of an opening and a reducing order of a quote; on both sides, where the exchange closes today's
//! lots apart and where it does not. Then, whatever comes, what passed keeps every limit.

use super::gate::{Gate, Refused};
use super::kit::*;
use super::rate::RateWindow;
use super::settings::{ContractLimits, OrderSettings};
use proptest::prelude::*;
use shrike_core::codes::{Offset, OrderStatus, PhaseKind, RefusalReason, RequestKind, Side};
use shrike_core::event::{DayRoll, Event, Gap, Header, InstrumentDef, OrderRequest, Rates, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Capacity, Ledger};
use shrike_core::units::{Lots, Money, Nanos, Price};
use std::collections::BTreeSet;

/// Books of one account with 6 lots long and 6 short in each contract, half of them of today, and a fresh market.
struct Scene {
    ledger: Ledger,
    settings: OrderSettings,
    limits: ContractLimits,
    rate: RateWindow,
    reduce_only: bool,
    now: Nanos,
    def: InstrumentDef,
    instrument: InstrumentId,
    side: Side,
    /// Ticks that the order's price is moved toward, and beyond, the other side.
    through: i64,
    off_tick: bool,
    lots: i64,
    next_ref: u64,
}

impl Scene {
    fn new(instrument: InstrumentId, side: Side) -> Self {
        Self::with(instrument, side, 6, 1_000_000)
    }

    fn with(instrument: InstrumentId, side: Side, held: i64, balance: i128) -> Self {
        let settings = settings();
        let mut scene = Self {
            ledger: Ledger::new(Capacity { instruments: 4, orders: 4_096, strategies: 3 }),
            rate: RateWindow::new(settings.orders_per_window, settings.rate_window_ns),
            limits: LIMITS,
            reduce_only: false,
            now: Nanos::china(day(2), 9 * 3600, 0),
            def: def(instrument),
            instrument,
            side,
            through: 0,
            off_tick: false,
            lots: 1,
            next_ref: 1,
            settings,
        };
        scene.tell(&login(day(2), 7));
        scene.decide(&DayRoll { to: day(2), ..DayRoll::default() });
        for contract in [SHFE, CZCE] {
            scene.tell(&def(contract));
            scene.tell(&rates(contract));
            scene.tell(&phase(contract, PhaseKind::Continuous));
        }
        scene.decide(&OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
        for side in Side::ALL.iter().copied().filter(|_| held > 0) {
            scene.tell(&holds(instrument, side, held - held / 2, held / 2));
        }
        scene.tell(&funds(balance));
        scene.tell(&resync_end(day(2), 7));
        scene.tell(&quote(instrument, BID, ASK));
        scene
    }

    fn fact<'a>(&mut self, event: Event<'a>, flags: u32) {
        self.ledger.apply(&Header { taken_ns: self.now, flags, ..Header::default() }, event);
    }
    fn tell<'a, B: 'a>(&mut self, body: &'a B)
    where
        Event<'a>: From<&'a B>,
    {
        self.fact(body.into(), 0);
    }
    fn decide<'a, B: 'a>(&mut self, body: &'a B)
    where
        Event<'a>: From<&'a B>,
    {
        self.fact(body.into(), flags::OUTPUT);
    }

    /// Sends an order past the gate.
    fn working(&mut self, side: Side, offset: Offset, price: i64, lots: i64) -> OrderRequest {
        let request = insert(self.next_ref, self.instrument, side, offset, price, lots);
        self.next_ref += 1;
        self.decide(&request);
        request
    }

    fn close(&self) -> Offset {
        if self.instrument == SHFE { Offset::CloseYesterday } else { Offset::Close }
    }

    /// The order at the own best price, moved as the scene says.
    fn order(&self, offset: Offset) -> OrderRequest {
        let own = if self.side == Side::Buy { BID } else { ASK };
        let mut order =
            insert(10_000, self.instrument, self.side, offset, own + self.side.sign() * self.through, self.lots);
        order.price = order.price.plus(Price::from_raw(i64::from(self.off_tick)));
        order
    }

    fn check(&self, order: &OrderRequest, quoting: bool) -> Result<(), Refused> {
        let gate = Gate {
            ledger: &self.ledger,
            settings: &self.settings,
            limits: self.limits,
            rate: &self.rate,
            reduce_only: self.reduce_only,
            now: self.now,
        };
        gate.check(order, &self.def, quoting)
    }
}

/// What stands in the way, and why orders are refused: opening, reducing; of a quote: opening, reducing.
struct Case {
    name: &'static str,
    given: fn(&mut Scene),
    refused: [Option<RefusalReason>; 4],
}

const fn all(reason: RefusalReason) -> [Option<RefusalReason>; 4] {
    [Some(reason); 4]
}

/// Only opening is limited: reducing passes, for a quote too.
const fn opening(reason: RefusalReason) -> [Option<RefusalReason>; 4] {
    [Some(reason), None, Some(reason), None]
}

#[rustfmt::skip]
const CASES: &[Case] = {
    use RefusalReason as Why;
    &[
        Case { name: "nothing is in the way", given: |_| {}, refused: [None; 4] },
        Case { name: "the contract is only quoted", given: |s| s.def.tradable = 0, refused: all(Why::UnknownInstrument) },
        Case { name: "the exchange is not known", given: |s| s.def.exchange = 0, refused: all(Why::UnknownInstrument) },
        Case { name: "no such contract in the books", given: |s| s.instrument = InstrumentId::new(3), refused: all(Why::UnknownInstrument) },
        Case { name: "the market is shut", given: |s| s.tell(&phase(s.instrument, PhaseKind::Shut)), refused: all(Why::Phase) },
        Case { name: "the auction matches", given: |s| s.tell(&phase(s.instrument, PhaseKind::AuctionMatch)), refused: all(Why::Phase) },
        Case { name: "only reducing", given: |s| s.reduce_only = true, refused: opening(Why::ReduceOnly) },
        Case { name: "the quote is too old", given: |s| s.now = s.now.after(5 * SECOND + 1), refused: opening(Why::StaleQuote) },
        Case { name: "market data has a hole", given: |s| s.tell(&Gap { instrument: s.instrument, ..Gap::default() }), refused: opening(Why::StaleQuote) },
        Case { name: "all market data is lost", given: |s| s.tell(&Gap { instrument: InstrumentId::NONE, ..Gap::default() }), refused: opening(Why::StaleQuote) },
        Case { name: "the price is off tick", given: |s| s.off_tick = true, refused: all(Why::Price) },
        Case { name: "as far through the market as the collar lets", given: |s| s.through = 5, refused: [None; 4] },
        Case { name: "beyond the collar", given: |s| s.through = 6, refused: all(Why::Price) },
        Case { name: "beyond the day's limits", given: |s| { s.settings.price_collar_ticks = 100; s.through = 12; }, refused: all(Why::Price) },
        Case { name: "at the day's limit", given: |s| { s.settings.price_collar_ticks = 100; s.through = if s.side == Side::Buy { UPPER - BID } else { ASK - LOWER }; }, refused: [None; 4] },
        Case { name: "no lots", given: |s| s.lots = 0, refused: all(Why::OrderLots) },
        Case { name: "too many lots in one order", given: |s| { s.lots = 3; s.limits.order_lots_max = Lots::new(2); }, refused: all(Why::OrderLots) },
        Case { name: "more lots than the exchange takes", given: |s| { s.lots = 3; s.def.max_limit_lots = Lots::new(2); }, refused: all(Why::OrderLots) },
        Case { name: "the net limit is used up by live orders", given: |s| { s.limits.net_lots_max = Lots::new(4); s.working(s.side, Offset::Open, if s.side == Side::Buy { 95 } else { 105 }, 4); }, refused: opening(Why::Position) },
        Case { name: "live orders of the other side give no room", given: |s| { s.limits.net_lots_max = Lots::new(0); s.working(s.side.opposite(), Offset::Open, if s.side == Side::Sell { 95 } else { 105 }, 4); }, refused: opening(Why::Position) },
        Case { name: "the gross limit is used up", given: |s| s.limits.gross_lots_max = Lots::new(12), refused: opening(Why::Position) },
        Case { name: "the most live orders live", given: |s| { s.settings.live_orders_max = 1; s.working(s.side, Offset::Open, LAST, 1); }, refused: opening(Why::Capacity) },
        Case { name: "what is held is being closed", given: |s| { s.working(s.side, s.close(), LAST, if s.instrument == SHFE { 3 } else { 6 }); }, refused: [None, Some(Why::Closable), None, Some(Why::Closable)] },
        Case { name: "an own order on the other side would trade", given: |s| { s.working(s.side.opposite(), Offset::Open, if s.side == Side::Buy { BID } else { ASK }, 1); }, refused: all(Why::SelfTrade) },
        Case { name: "an own order one tick away", given: |s| { s.working(s.side.opposite(), Offset::Open, LAST, 1); }, refused: [None; 4] },
        Case { name: "the day's orders are used up", given: |s| { s.limits.orders_per_day = 1; s.working(s.side, Offset::Open, LAST, 1); }, refused: [Some(Why::DailyOrders), None, Some(Why::DailyOrders), Some(Why::DailyOrders)] },
        Case { name: "cancels are down to the reserve", given: |s| s.limits.cancels_per_day = 10, refused: [None, None, Some(Why::DailyCancels), Some(Why::DailyCancels)] },
        Case { name: "a live order may cost the last cancel", given: |s| { s.limits.cancels_per_day = 11; s.working(s.side, Offset::Open, LAST, 1); }, refused: [None, None, Some(Why::DailyCancels), Some(Why::DailyCancels)] },
        Case { name: "one cancel above the reserve", given: |s| s.limits.cancels_per_day = 11, refused: [None; 4] },
        Case { name: "a margin ratio of nothing", given: |s| s.settings.margin_ratio_max = 0, refused: opening(Why::Funds) },
        Case { name: "the window is full of requests", given: |s| (0..100).for_each(|_| s.rate.count(s.now)), refused: all(Why::Rate) },
        Case { name: "the window has passed", given: |s| { (0..100).for_each(|_| s.rate.count(s.now)); s.now = s.now.after(SECOND); }, refused: [None; 4] },
    ]
};

fn verdicts(scene: &Scene) -> [Option<RefusalReason>; 4] {
    let verdict = |offset, quoting| scene.check(&scene.order(offset), quoting).err().map(|refused| refused.reason);
    let close = scene.close();
    [verdict(Offset::Open, false), verdict(close, false), verdict(Offset::Open, true), verdict(close, true)]
}

#[test]
fn each_reason_stops_what_it_is_for_and_nothing_else() {
    for case in CASES {
        for instrument in [SHFE, CZCE] {
            for side in [Side::Buy, Side::Sell] {
                let mut scene = Scene::new(instrument, side);
                (case.given)(&mut scene);
                assert_eq!(verdicts(&scene), case.refused, "{}: {side} {instrument}", case.name);
            }
        }
    }
}

/// Whatever is looked up for it, an opening order passes where its own cost is covered, and nowhere else.
#[test]
fn an_opening_order_passes_from_the_balance_on_that_covers_it() {
    for (ratio_max, per_cent) in [(80_000_000, 80), (200_000_000, 200)] {
        // A lot at 99, or at 101, times 10; margins of a tenth and a quarter; a fee of 2. In hundredths.
        for (side, cost) in [(Side::Buy, 10_100), (Side::Sell, 25_450)] {
            for balance in 1..500 {
                let mut scene = Scene::with(SHFE, side, 0, balance);
                scene.settings.margin_ratio_max = ratio_max;
                scene.tell(&Rates { short_margin_ratio: 25_000_000, ..rates(SHFE) });
                let said = scene.check(&scene.order(Offset::Open), false).map_err(|refused| refused.reason);
                let covered = cost <= 100 * balance && cost <= per_cent * balance;
                let right = if covered { Ok(()) } else { Err(RefusalReason::Funds) };
                assert_eq!(said, right, "{side} with {balance}, at most {per_cent} % of it");
            }
        }
    }
}

/// What other books than the table's are needed for.
#[test]
fn what_cannot_be_computed_stops_opening_only() {
    use RefusalReason as Why;
    for side in [Side::Buy, Side::Sell] {
        // Funds: 12 lots at 100 x 10 hold 1,200 of margin; one more needs 100 and a fee of 2.
        let poor = Scene::with(CZCE, side, 6, 1_290);
        assert_eq!(verdicts(&poor), opening(Why::Funds), "{side}: funds");

        let mut unknown = Scene::with(CZCE, side, 6, 0);
        unknown.ledger = Ledger::new(Capacity { instruments: 4, orders: 64, strategies: 3 });
        for contract in [SHFE, CZCE] {
            unknown.tell(&def(contract));
            unknown.tell(&rates(contract));
            unknown.tell(&phase(contract, PhaseKind::Continuous));
            unknown.tell(&quote(contract, BID, ASK));
        }
        let [open, .., quoted, _] = verdicts(&unknown);
        assert_eq!((open, quoted), (Some(Why::Funds), Some(Why::Funds)), "{side}: a balance that nobody told");

        // No rates: nothing can be said of cost; what is held may go.
        let mut scene = Scene::with(CZCE, side, 6, 1_000_000);
        scene.ledger = Ledger::new(Capacity { instruments: 4, orders: 64, strategies: 3 });
        for contract in [SHFE, CZCE] {
            scene.tell(&def(contract));
        }
        scene.tell(&phase(CZCE, PhaseKind::Continuous));
        scene.tell(&quote(CZCE, BID, ASK));
        scene.decide(&OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
        for held in [Side::Buy, Side::Sell] {
            scene.tell(&holds(CZCE, held, 3, 3));
        }
        scene.tell(&funds(1_000_000));
        scene.tell(&resync_end(day(2), 0));
        assert_eq!(verdicts(&scene), opening(Why::Rates), "{side}: rates");

        // No quote today: opening has none to be fresh, reducing none to measure its price by.
        let mut blind = Scene::with(CZCE, side, 6, 1_000_000);
        let mut none = quote(CZCE, BID, ASK);
        (none.bid, none.ask, none.last) = (Price::ABSENT, Price::ABSENT, Price::ABSENT);
        blind.tell(&none);
        assert_eq!(verdicts(&blind), all(Why::Price), "{side}: a quote without prices");
    }
}

/// The table and the test above meet every reason that is the gate's to give.
#[test]
fn every_reason_of_the_gate_is_in_the_table() {
    use RefusalReason as Why;
    let given_elsewhere = [Why::NotReady, Why::Duplicate, Why::Operator, Why::Venue, Why::Rates];
    let met: BTreeSet<Why> = CASES.iter().flat_map(|case| case.refused).flatten().collect();
    let expected: BTreeSet<Why> = Why::ALL.iter().copied().filter(|why| !given_elsewhere.contains(why)).collect();
    assert_eq!(met, expected);
}

#[test]
fn today_and_yesterday_are_closed_apart_at_shfe_only() {
    for side in [Side::Buy, Side::Sell] {
        let mut shfe = Scene::new(SHFE, side);
        shfe.working(side, Offset::CloseYesterday, LAST, 3);
        let closable = |scene: &Scene, offset| scene.check(&scene.order(offset), false).map_err(|r| r.reason);
        assert_eq!(closable(&shfe, Offset::CloseYesterday), Err(RefusalReason::Closable));
        assert_eq!(closable(&shfe, Offset::CloseToday), Ok(()));
        let mut czce = Scene::new(CZCE, side);
        czce.working(side, Offset::Close, LAST, 3);
        czce.lots = 3;
        assert_eq!(closable(&czce, Offset::Close), Ok(()), "both dates are one pool");
        czce.lots = 4;
        assert_eq!(closable(&czce, Offset::Close), Err(RefusalReason::Closable));
    }
}

/// One thing that happens to the account.
#[derive(Clone, Debug)]
enum Step {
    Try { side: Side, offset: u8, price: i64, lots: i64, quoting: bool },
    Fill { which: usize, lots: i64 },
    Cancel { which: usize },
    End { which: usize },
    Market { mid: i64, wait_ms: u64 },
}

fn steps() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    prop_oneof![
        6 => (side, 0u8..3, 94i64..107, 1i64..7, any::<bool>())
            .prop_map(|(side, offset, price, lots, quoting)| Step::Try { side, offset, price, lots, quoting }),
        3 => (any::<usize>(), 1i64..4).prop_map(|(which, lots)| Step::Fill { which, lots }),
        1 => any::<usize>().prop_map(|which| Step::Cancel { which }),
        1 => any::<usize>().prop_map(|which| Step::End { which }),
        2 => (97i64..104, 0u64..700).prop_map(|(mid, wait_ms)| Step::Market { mid, wait_ms }),
    ]
}

/// A live order as the test itself counts it.
#[derive(Clone, Copy, Debug)]
struct Live {
    request: OrderRequest,
    left: i64,
}

/// Lots held: by side (long, short) and date (today, earlier). Kept by the test, not read from the ledger.
type Held = [[i64; 2]; 2];

fn take(held: &mut Held, splits: bool, order: &OrderRequest, lots: i64) {
    let side = order.side().unwrap();
    let own = usize::from(side == Side::Sell);
    match order.offset().unwrap() {
        Offset::Open => held[own][0] += lots,
        Offset::CloseToday if splits => held[1 - own][0] -= lots,
        Offset::CloseYesterday if splits => held[1 - own][1] -= lots,
        _ => {
            let earlier = lots.min(held[1 - own][1]);
            held[1 - own][1] -= earlier;
            held[1 - own][0] -= lots - earlier;
        }
    }
}

fn worst(held: Held, splits: bool, live: &[Live], fills: impl Fn(&Live) -> bool) -> Held {
    let mut held = held;
    live.iter().filter(|order| fills(order)).for_each(|order| take(&mut held, splits, &order.request, order.left));
    held
}

fn plays_out(instrument: InstrumentId, steps: &[Step]) -> Result<(), TestCaseError> {
    let splits = instrument == SHFE;
    let mut scene = Scene::with(instrument, Side::Buy, 6, 2_500);
    scene.settings.orders_per_window = 8;
    scene.settings.live_orders_max = 9;
    scene.rate = RateWindow::new(8, scene.settings.rate_window_ns);
    let mut held: Held = [[3, 3], [3, 3]];
    let (mut live, mut sent, mut trades): (Vec<Live>, Vec<Nanos>, u64) = (Vec::new(), Vec::new(), 0);
    let (mut orders, mut cancels) = (0i64, 0i64);
    let lots_of = |held: &Held| held.iter().flatten().sum::<i64>();
    for step in steps {
        match *step {
            Step::Market { mid, wait_ms } => {
                scene.now = scene.now.after(wait_ms * MS);
                scene.tell(&quote(instrument, mid - 1, mid + 1));
            }
            Step::Try { side, offset, price, lots, quoting } => {
                let closes = if splits { [Offset::CloseToday, Offset::CloseYesterday] } else { [Offset::Close; 2] };
                let offset = [Offset::Open, closes[0], closes[1]][offset as usize];
                let order = insert(scene.next_ref, instrument, side, offset, price, lots);
                if scene.check(&order, quoting).is_err() {
                    continue;
                }
                let crossed = live.iter().any(|own| {
                    own.request.side != order.side
                        && match side {
                            Side::Buy => own.request.price <= order.price,
                            Side::Sell => own.request.price >= order.price,
                        }
                });
                prop_assert!(!crossed, "{order:?} crosses an own order");
                scene.next_ref += 1;
                scene.rate.count(scene.now);
                scene.decide(&order);
                live.push(Live { request: order, left: lots });
                sent.push(scene.now);
                orders += 1;
                // Every limit, if all that may fill does fill.
                prop_assert!(lots <= LIMITS.order_lots_max.get());
                let since = |time: &&Nanos| scene.now.since(**time) < SECOND;
                prop_assert!(sent.iter().filter(since).count() <= 8, "more orders than the window takes");
                let after = worst(held, splits, &live, |own| own.request.side == order.side);
                prop_assert!(after.iter().flatten().all(|&lots| lots >= 0), "closes more than is held: {after:?}");
                if offset == Offset::Open {
                    let net = (after[0][0] + after[0][1] - after[1][0] - after[1][1]) * side.sign();
                    prop_assert!(net <= LIMITS.net_lots_max.get(), "net {net}");
                    let opens = worst(held, splits, &live, |own| own.request.offset() == Some(Offset::Open));
                    prop_assert!(lots_of(&opens) <= LIMITS.gross_lots_max.get(), "gross {opens:?}");
                    prop_assert!(live.len() <= 9);
                    let money = scene.ledger.funds();
                    let used = money.margin.plus(money.frozen);
                    prop_assert!(money.available >= Money::ZERO, "{money:?}");
                    prop_assert!(used.raw() * 10 <= money.equity.raw() * 8, "{money:?}");
                }
                if quoting {
                    prop_assert!(cancels + live.len() as i64 <= 90, "cancels are kept back for what lives");
                }
                prop_assert!(orders <= 400);
            }
            Step::Fill { which, lots } if !live.is_empty() => {
                let at = which % live.len();
                let lots = lots.min(live[at].left);
                trades += 1;
                let fill = fill(&live[at].request, trades, lots);
                scene.tell(&fill);
                take(&mut held, splits, &live[at].request, lots);
                live[at].left -= lots;
                if live[at].left == 0 {
                    live.remove(at);
                }
            }
            Step::Cancel { which } if !live.is_empty() => {
                let order = live[which % live.len()].request;
                scene.decide(&OrderRequest { kind: RequestKind::Cancel.code(), ..order });
                cancels += 1;
            }
            Step::End { which } if !live.is_empty() => {
                let order = live.remove(which % live.len());
                let traded = order.request.lots.get() - order.left;
                scene.tell(&report(&order.request, OrderStatus::Cancelled, traded));
            }
            _ => {}
        }
        let book = scene.ledger.position(instrument).unwrap();
        let ours = [Side::Buy, Side::Sell].map(|side| [book.held(side).0.get(), book.held(side).1.get()]);
        prop_assert_eq!(ours, held, "the test's own count and the ledger's");
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_passed_keeps_every_limit_whatever_fills(steps in prop::collection::vec(steps(), 1..120)) {
        for instrument in [SHFE, CZCE] {
            plays_out(instrument, &steps)?;
        }
    }
}
