//! What must hold whatever the market and the orders do: conservation of lots and money, limits kept, nothing taken that
//! was not shown, everything the same from the same seed.

use super::kit::{Kit, Shown, day, rates, rules};
use crate::sim::exchange::{Delays, ExchangeOptions, QueueModel};
use proptest::prelude::*;
use shrike_core::codes::{Exchange as Place, Offset, OrderStatus, OrderType, PhaseKind, Side, TimeInForce};
use shrike_core::event::{Event, Fill, OrderReport};
use shrike_core::units::{Lots, Money, Nanos, Price};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Show { bid: i64, spread: i64, lots: [i64; 4], traded: [(i64, i64); 2] },
    Order { side: Side, offset: Offset, lots: i64, price: i64, market: bool, tif: TimeInForce },
    Cancel(u64),
    Phase(PhaseKind),
    Settle(i64),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let offset = prop::sample::select(Offset::ALL);
    let tif = prop_oneof![4 => Just(TimeInForce::Day), 1 => Just(TimeInForce::Fak), 1 => Just(TimeInForce::Fok)];
    let traded = prop::array::uniform2((95i64..106, 0i64..8));
    const PHASES: &[PhaseKind] = &[PhaseKind::Break, PhaseKind::AuctionOrders, PhaseKind::AuctionMatch];
    prop_oneof![
        8 => (96i64..104, 1i64..4, prop::array::uniform4(1i64..9), traded)
            .prop_map(|(bid, spread, lots, traded)| Step::Show { bid, spread, lots, traded }),
        8 => (side, offset, 1i64..9, 94i64..107, prop::bool::weighted(0.1), tif)
            .prop_map(|(side, offset, lots, price, market, tif)| Step::Order { side, offset, lots, price, market, tif }),
        3 => (1u64..40).prop_map(Step::Cancel),
        2 => prop_oneof![3 => Just(PhaseKind::Continuous), 1 => prop::sample::select(PHASES)].prop_map(Step::Phase),
        1 => (97i64..104).prop_map(Step::Settle),
    ]
}

#[derive(Default)]
pub(super) struct Seen {
    fills: Vec<Fill>,
    reports: Vec<OrderReport>,
    bytes: Vec<u8>,
}

impl Seen {
    fn take(&mut self, due: Nanos, event: Event<'_>) {
        self.bytes.extend_from_slice(&due.get().to_le_bytes());
        self.bytes.extend_from_slice(event.bytes());
        match event {
            Event::Fill(fill) => self.fills.push(*fill),
            Event::OrderReport(report) => self.reports.push(*report),
            _ => {}
        }
    }
}

fn run(setting: Setting, steps: &[Step], check: impl FnMut(&Kit, &Seen)) -> (Kit, Seen) {
    play(Kit::with(setting.place, setting.options()), steps, check)
}

/// Plays the steps to a kit, from the opening of its first day.
pub(super) fn play(mut kit: Kit, steps: &[Step], mut check: impl FnMut(&Kit, &Seen)) -> (Kit, Seen) {
    let mut seen = Seen::default();
    kit.phase(PhaseKind::Continuous);
    let mut today = 20_240_102;
    for step in steps {
        match step {
            Step::Show { bid, spread, lots: [a, b, c, d], traded } => {
                let (bids, asks) = ([(*bid, *a), (bid - 1, *b)], [(bid + spread, *c), (bid + spread + 1, *d)]);
                kit.show(Shown { bids: &bids, asks: &asks, last: traded[1].0, traded });
            }
            Step::Order { side, offset, lots, price, market, tif } => {
                let mut order = kit.order(*side, *offset, *lots, *price);
                order.tif = tif.code();
                if *market {
                    (order.order_type, order.price) = (OrderType::Market.code(), Price::ABSENT);
                }
                kit.send(&order);
            }
            Step::Cancel(order_ref) => kit.cancel(*order_ref),
            Step::Phase(kind) => kit.phase(*kind),
            Step::Settle(price) if today < 20_240_105 => {
                today += 1;
                kit.each(|due, event| seen.take(due, event));
                kit.settle(*price, day(today));
                kit.each(|due, event| seen.take(due, event));
                check(&kit, &seen);
                kit.roll(day(today));
                kit.phase(PhaseKind::Continuous);
            }
            Step::Settle(_) => {}
        }
        kit.each(|due, event| seen.take(due, event));
        check(&kit, &seen);
    }
    (kit, seen)
}

/// What differs from run to run, printed on failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) place: Place,
    seed: u64,
    latency_ns: u64,
    queue: QueueModel,
}

impl Setting {
    pub(super) fn options(self) -> ExchangeOptions {
        let (order_latency_ns, report_latency_ns) = (self.latency_ns, self.latency_ns / 2);
        ExchangeOptions {
            delays: Delays { order_latency_ns, report_latency_ns, jitter_ns: self.latency_ns },
            queue: self.queue,
            ..ExchangeOptions::new(self.seed, rules())
        }
    }
}

pub(super) fn setting() -> impl Strategy<Value = Setting> {
    const PLACES: &[Place] = &[Place::Shfe, Place::Ine, Place::Dce, Place::Czce, Place::Cffex, Place::Gfex];
    const MODELS: &[QueueModel] = &[QueueModel::Back, QueueModel::Proportional, QueueModel::Front];
    let (place, queue) = (prop::sample::select(PLACES), prop::sample::select(MODELS));
    (place, any::<u64>(), 0u64..5_000_000, queue).prop_map(|(place, seed, latency_ns, queue)| Setting {
        place,
        seed,
        latency_ns,
        queue,
    })
}

fn sum(money: impl Iterator<Item = Money>) -> Money {
    money.fold(Money::ZERO, Money::plus)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Lots: what is held is what was opened less what was closed. Money: the balance moves by the flow of every fill,
    /// its fee, and the worth of what is held; nothing else. Both recomputed here from the fills alone.
    #[test]
    fn lots_and_money_are_conserved(setting in setting(), steps in prop::collection::vec(step(), 1..80)) {
        run(setting, &steps, |kit, seen| {
            let mut held = BTreeMap::from([(Side::Buy, 0i64), (Side::Sell, 0i64)]);
            let mut flow = 0i128;
            for fill in &seen.fills {
                let (side, lots) = (fill.side().unwrap(), fill.lots.get());
                let opens = fill.offset() == Some(Offset::Open);
                let leg = if opens { side } else { side.opposite() };
                *held.get_mut(&leg).unwrap() += if opens { lots } else { -lots };
                flow -= fill.price.value(fill.lots, 10).raw() * i128::from(side.sign());
            }
            for (side, lots) in held {
                let told = kit.exchange.positions().find(|p| p.side == side.code());
                let told = told.map_or(0, |p| p.today.get() + p.yesterday.get());
                assert_eq!(told, lots, "{side} lots");
                assert!(lots >= 0);
            }
            let funds = kit.exchange.funds();
            let equity = sum([funds.pre_balance, funds.close_profit, funds.position_profit].into_iter());
            let net: i64 = kit.exchange.positions().map(|p| {
                (p.today.get() + p.yesterday.get()) * Side::of(p.side).unwrap().sign()
            }).sum();
            // Without fees, the equity is the flow of all fills and the worth of the net lots at some price of the market.
            let fees: Money = sum(seen.fills.iter().map(|fill| fee_bounds(fill).1));
            let least: Money = sum(seen.fills.iter().map(|fill| fee_bounds(fill).0));
            let paid_today = funds.commission;
            let base = Money::whole(10_000_000);
            let worth = equity.minus(paid_today).minus(base).raw() - flow;
            if net == 0 {
                assert!(worth <= -least.raw() && worth >= -fees.raw(), "flat: only fees are gone: {worth}");
            } else {
                let per_lot = worth / i128::from(net) / 10;
                assert!(per_lot > Price::whole(80).raw().into() && per_lot < Price::whole(125).raw().into(), "{per_lot}");
            }
            let equity = equity.minus(paid_today);
            assert_eq!(funds.available, equity.minus(funds.margin).minus(funds.frozen));
        });
    }

    /// Nothing is bound once nothing works.
    #[test]
    fn frozen_returns_to_zero(setting in setting(), steps in prop::collection::vec(step(), 1..60)) {
        let (mut kit, _) = run(setting, &steps, |_, _| {});
        kit.settle(100, day(20_240_108));
        kit.drain();
        prop_assert_eq!(kit.exchange.funds().frozen, Money::ZERO);
        prop_assert!(kit.exchange.positions().all(|position| position.frozen == Lots::ZERO));
        let ended = [OrderStatus::AllTraded, OrderStatus::Cancelled].map(Some);
        prop_assert!(kit.exchange.orders().all(|order| ended.contains(&order.status())));
    }

    /// An order never trades beyond its limit or its lots; an FOK trades all or nothing; what the venue counts as traded
    /// is what its fills add up to.
    #[test]
    fn orders_keep_their_terms(setting in setting(), steps in prop::collection::vec(step(), 1..80)) {
        run(setting, &steps, |kit, _| {
            for order in kit.exchange.orders() {
                let fills = kit.exchange.fills().iter().filter(|fill| fill.order_ref == order.order_ref);
                let mut traded = 0;
                for fill in fills {
                    traded += fill.lots.get();
                    if let Some(limit) = order.price.some() {
                        let beyond = (fill.price.raw() - limit.raw()) * order.side().unwrap().sign();
                        assert!(beyond <= 0, "{fill:?} beyond {order:?}");
                    }
                }
                assert_eq!(traded, order.traded.get());
                assert!(traded <= order.lots.get());
                if order.tif == TimeInForce::Fok.code() && order.order_type == OrderType::Limit.code() {
                    assert!(traded == 0 || traded == order.lots.get(), "all or nothing");
                }
            }
        });
    }

    /// Between two snapshots all orders together take no more of the market than it shows.
    #[test]
    fn no_more_than_shown(
        lots in prop::array::uniform4(1i64..9),
        orders in prop::collection::vec((1i64..9, 99i64..105), 1..12),
    ) {
        let mut kit = Kit::new(Place::Shfe);
        kit.phase(PhaseKind::Continuous);
        let [a, b, c, d] = lots;
        kit.show(Shown { bids: &[(99, 9)], asks: &[(101, a), (102, b), (103, c), (104, d)], last: 100, traded: &[] });
        for (lots, price) in orders {
            kit.trade(Side::Buy, Offset::Open, lots, price);
        }
        for (price, shown) in [(101, a), (102, b), (103, c), (104, d)] {
            let at_price = kit.exchange.fills().iter().filter(|fill| fill.price == Price::whole(price));
            prop_assert!(at_price.map(|fill| fill.lots.get()).sum::<i64>() <= shown);
        }
    }

    /// The same seed and inputs give the same bytes at the same times; reports never go back in time.
    #[test]
    fn the_same_seed_gives_the_same_bytes(setting in setting(), steps in prop::collection::vec(step(), 1..60)) {
        let (first, told) = run(setting, &steps, |_, _| {});
        let (second, again) = run(setting, &steps, |_, _| {});
        prop_assert_eq!(told.bytes, again.bytes);
        prop_assert_eq!(first.exchange.books_digest(), second.exchange.books_digest());
        prop_assert_eq!(first.now, second.now);
    }
}

/// The least and the most a fill may cost: closes cost by the day of the lots.
fn fee_bounds(fill: &Fill) -> (Money, Money) {
    let lots = |per_lot: Money| Money::from_raw(per_lot.raw() * i128::from(fill.lots.get()));
    let rates = rates();
    if fill.offset() == Some(Offset::Open) {
        let fee = fill.price.value(fill.lots, 10).times_rate(rates.open_ratio).plus(lots(rates.open_per_lot));
        return (fee, fee);
    }
    (lots(rates.close_per_lot), lots(rates.close_today_per_lot))
}
