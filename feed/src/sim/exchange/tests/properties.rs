//! What must hold whatever the market and the orders do: conservation of lots and money, limits kept, nothing taken that
//! was not shown, everything the same from the same seed.

use super::kit::{ID, Kit, Shown, day, rates, rules};
use super::reference::Reference;
use crate::sim::exchange::{Delays, ExchangeOptions, QueueModel};
use proptest::prelude::*;
use shrike_core::codes::{Exchange as Place, Offset, OrderStatus, OrderType, PhaseKind, Side, TimeInForce};
use shrike_core::event::{Event, Fill, OrderReport};
use shrike_core::units::{Lots, Money, Nanos, Price};

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

pub(super) struct Seen {
    /// What held lots are marked at: the last price shown, or the settlement.
    mark: Price,
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
    let mut seen = Seen { mark: Price::whole(100), fills: Vec::new(), reports: Vec::new(), bytes: Vec::new() };
    kit.phase(PhaseKind::Continuous);
    let mut today = 20_240_102;
    for step in steps {
        match step {
            Step::Show { bid, spread, lots: [a, b, c, d], traded } => {
                let (bids, asks) = ([(*bid, *a), (bid - 1, *b)], [(bid + spread, *c), (bid + spread + 1, *d)]);
                seen.mark = Price::whole(traded[1].0);
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
                seen.mark = Price::whole(*price);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Lots and money are those of an account reckoned lot by lot from the fills, at every moment and over the days.
    #[test]
    fn lots_and_money_are_conserved(setting in setting(), steps in prop::collection::vec(step(), 1..80)) {
        let mut account = Reference::new(ID, 10, rates(), Money::whole(10_000_000));
        let (mut booked, mut today) = (0, day(20_240_102));
        run(setting, &steps, |kit, seen| {
            if kit.day > today {
                account.settle(seen.mark);
                today = kit.day;
            }
            seen.fills[booked..].iter().for_each(|fill| account.fill(fill));
            booked = seen.fills.len();
            account.check(&kit.exchange, seen.mark);
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
