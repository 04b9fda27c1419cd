//! Every lot reckoned by itself: who paid what for it and what it was sold for. The ledger's queues and sums must say
//! the same to the last 1e-8, at prices and rates that do not come out even.

use super::*;

/// One lot of a position, and the price its result counts from.
#[derive(Clone, Copy)]
struct Lot {
    today: bool,
    from: i128,
}

#[derive(Default)]
struct OneSide {
    lots: Vec<Lot>,
    close_profit: i128,
}

/// One contract, lot by lot. Prices and money are raw, in units of 1e-8.
struct Reckoning {
    splits: bool,
    sides: [OneSide; 2],
    commission: i128,
}

const MULTIPLIER: i128 = 15;
/// Raw rates: margin long, margin short, open, close, close today; and the amounts per lot of the last three.
const RATES: [i128; 5] = [12_345_679, 9_876_543, 5_003, 5_101, 20_207];
const PER_LOT: [i128; 3] = [101, 202, 303];

/// A ratio of money, rounded half away from zero.
fn share(value: i128, rate: i128) -> i128 {
    let doubled = 2 * value * rate / 100_000_000;
    (doubled + doubled.signum()) / 2
}

fn sign(side: usize) -> i128 {
    1 - 2 * side as i128
}

impl Reckoning {
    /// Lots that a close of this offset could take from a side.
    fn closable(&self, side: usize, offset: Offset) -> usize {
        let fits = |lot: &&Lot| !self.splits || lot.today == (offset == Offset::CloseToday);
        self.sides[side].lots.iter().filter(fits).count()
    }

    fn trade(&mut self, side: Side, offset: Offset, lots: usize, price: i128) {
        let value = |lots: usize| price * lots as i128 * MULTIPLIER;
        let market = (side == Side::Sell) as usize;
        if offset == Offset::Open {
            self.sides[market].lots.extend(vec![Lot { today: true, from: price }; lots]);
            self.commission += share(value(lots), RATES[2]) + PER_LOT[0] * lots as i128;
            return;
        }
        let held = 1 - market;
        let (mut earlier, mut today) = (0, 0);
        for _ in 0..lots {
            let OneSide { lots, close_profit } = &mut self.sides[held];
            // The oldest lot that the exchange's rule allows: earlier days stand before today's in the list.
            let allowed = |lot: &Lot| !self.splits || lot.today == (offset == Offset::CloseToday);
            let at = lots.iter().position(allowed).expect("closable");
            let lot = lots.remove(at);
            *close_profit += (price - lot.from) * MULTIPLIER * sign(held);
            (earlier, today) = (earlier + !lot.today as usize, today + lot.today as usize);
        }
        for (lots, rate, per_lot) in [(earlier, RATES[3], PER_LOT[1]), (today, RATES[4], PER_LOT[2])] {
            self.commission += share(value(lots), rate) + per_lot * lots as i128;
        }
    }

    fn position_profit(&self, mark: i128) -> i128 {
        let of = |side: usize| self.sides[side].lots.iter().map(move |lot| (mark - lot.from) * MULTIPLIER * sign(side));
        (0..2).flat_map(of).sum()
    }

    fn margin(&self) -> i128 {
        let value = |side: usize| self.sides[side].lots.iter().map(|lot| lot.from * MULTIPLIER).sum::<i128>();
        share(value(0), RATES[0]) + share(value(1), RATES[1])
    }

    fn close_profit(&self) -> i128 {
        self.sides.iter().map(|side| side.close_profit).sum()
    }

    fn settle(&mut self, settlement: i128) {
        for side in &mut self.sides {
            side.close_profit = 0;
            side.lots.iter_mut().for_each(|lot| *lot = Lot { today: false, from: settlement });
        }
        self.commission = 0;
    }
}

fn tell_terms(desk: &mut Desk) {
    for (id, exchange) in EXCHANGES.into_iter().enumerate() {
        let instrument = InstrumentId::new(id as u32);
        let class = ProductClass::Future.code();
        desk.tell(&InstrumentDef { multiplier: MULTIPLIER as i64, class, ..definition(instrument, exchange) });
        let [long, short, open, close, close_today] = RATES.map(|rate| rate as i64);
        let [open_per_lot, close_per_lot, close_today_per_lot] = PER_LOT.map(Money::from_raw);
        desk.tell(&Rates {
            instrument,
            long_margin_ratio: long,
            short_margin_ratio: short,
            open_ratio: open,
            close_ratio: close,
            close_today_ratio: close_today,
            open_per_lot,
            close_per_lot,
            close_today_per_lot,
            ..Rates::default()
        });
    }
}

#[test]
fn the_books_are_what_every_lot_adds_up_to() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut desk = Desk::without_login();
        tell_terms(&mut desk);
        desk.login(day(2));
        desk.restate(&[]);
        let mut contracts = EXCHANGES.map(|exchange| Reckoning {
            splits: exchange.splits_today(),
            sides: Default::default(),
            commission: 0,
        });
        let price = |dice: &mut Dice| 9_000_000_000 + dice.below(9) as i128 * 333_333_337;
        let (mut trade, mut last) = (0, [0i128; 3]);
        for today in 2..5 {
            for _ in 0..30 {
                let id = dice.below(3) as usize;
                let instrument = InstrumentId::new(id as u32);
                let (side, offset) = (dice.pick(Side::ALL), dice.pick(Offset::ALL));
                let held = (side == Side::Buy) as usize;
                let most = if offset == Offset::Open { 6 } else { contracts[id].closable(held, offset) };
                let lots = (1 + dice.below(6) as usize).min(most);
                let at = price(&mut dice);
                if lots > 0 {
                    trade += 1;
                    contracts[id].trade(side, offset, lots, at);
                    desk.tell(&Fill {
                        trading_day: day(today),
                        price: Price::from_raw(at as i64),
                        ..ticket(trade, instrument, side, offset, lots as i64).fill(trade, lots as i64)
                    });
                }
                last[id] = price(&mut dice);
                desk.tell(&Quote { instrument, last: Price::from_raw(last[id] as i64), ..Quote::default() });
                for (id, contract) in contracts.iter().enumerate() {
                    let instrument = InstrumentId::new(id as u32);
                    let position = desk.position(instrument);
                    let told = [position.close_profit(), position.commission(), position.margin()].map(Money::raw);
                    let reckoned = [contract.close_profit(), contract.commission, contract.margin()];
                    assert_eq!(told, reckoned, "seed {seed}, day {today}, {instrument}: closed, fees, margin");
                    if last[id] != 0 {
                        let profit = position.position_profit().raw();
                        assert_eq!(profit, contract.position_profit(last[id]), "seed {seed}, {instrument}");
                    }
                    for (side, of_side) in Side::ALL.iter().zip(&contract.sides) {
                        let lots = of_side.lots.iter().filter(|lot| lot.today).map(|lot| lot.from);
                        let details = desk.ledger.details(instrument, *side);
                        let one_by_one = details.flat_map(|(at, n)| vec![at.raw() as i128; n.get() as usize]);
                        assert!(lots.eq(one_by_one), "seed {seed}, {instrument} {side}: details, first opened first");
                    }
                }
                check(&desk.ledger, seed);
            }
            let before = desk.ledger.funds().pre_balance.raw();
            let mut result = 0;
            for (id, contract) in contracts.iter_mut().enumerate() {
                let settlement = price(&mut dice);
                result += contract.close_profit() + contract.position_profit(settlement) - contract.commission;
                contract.settle(settlement);
                desk.tell(&Settlement {
                    instrument: InstrumentId::new(id as u32),
                    trading_day: day(today),
                    settlement: Price::from_raw(settlement as i64),
                    next_day: day(today + 1),
                    ..Settlement::default()
                });
                last[id] = 0;
            }
            desk.login(day(today + 1));
            assert_eq!(desk.ledger.funds().pre_balance.raw(), before + result, "seed {seed}: settled");
            assert!(desk.ledger.positions().all(|(id, _)| desk.ledger.details(id, Side::Buy).next().is_none()));
        }
    }
}

/// A close that overtakes its opening fill: the same result when both are told.
#[test]
fn a_close_told_first_meets_its_open() {
    let mut desk = Desk::new();
    desk.tell(&ticket(2, DCE, Side::Sell, Offset::Close, 2).fill_at(1, 2, 110));
    desk.tell(&ticket(3, DCE, Side::Sell, Offset::Close, 1).fill_at(2, 1, 120));
    let details = |desk: &Desk| desk.ledger.details(DCE, Side::Buy).map(|(p, n)| (p, n.get())).collect::<Vec<_>>();
    assert_eq!(details(&desk), [(Price::whole(110), -2), (Price::whole(120), -1)]);
    assert!(desk.ledger.funds().margin.is_absent(), "less than nothing is held");
    desk.tell(&ticket(1, DCE, Side::Buy, Offset::Open, 4).fill_at(3, 4, 100));
    assert_eq!(details(&desk), [(Price::whole(100), 1)]);
    assert_eq!(desk.position(DCE).close_profit(), Money::whole(400), "(10 + 10 + 20) x 10");
    assert_eq!(desk.position(DCE).margin(), Money::whole(100));
}

#[test]
fn adopted_lots_of_today_are_one_detail_at_the_mark() {
    let adopt = |mark: Price, pre_settlement: Price| {
        let mut desk = Desk::without_login();
        desk.ledger = Ledger::new(ROOM);
        desk.tell(&InstrumentDef { pre_settlement, ..definition(SHFE, Exchange::Shfe) });
        desk.tell(&Rates { instrument: SHFE, long_margin_ratio: 10_000_000, ..Rates::default() });
        desk.login(day(2));
        let trading_day = day(2);
        desk.tell(&OrderRequest { kind: RequestKind::Resync.code(), ..OrderRequest::default() });
        let (today, side) = (Lots::new(3), Side::Buy.code());
        desk.tell(&PositionReport { instrument: SHFE, trading_day, today, mark, side, ..PositionReport::default() });
        desk.tell(&FundsReport { trading_day, pre_balance: Money::whole(1_000), ..FundsReport::default() });
        desk.tell(&ResyncEnd { trading_day, session_id: SESSION, ..ResyncEnd::default() });
        desk
    };
    let close = |trade| ticket(trade, SHFE, Side::Sell, Offset::CloseToday, 1).fill_at(trade, 1, 110);
    let details = |desk: &Desk| desk.ledger.details(SHFE, Side::Buy).map(|(p, n)| (p, n.get())).collect::<Vec<_>>();

    let mut desk = adopt(Price::whole(107), Price::whole(100));
    assert_eq!(details(&desk), [(Price::whole(107), 3)]);
    desk.tell(&close(1));
    assert_eq!((desk.position(SHFE).close_profit(), details(&desk)), (Money::whole(30), vec![(Price::whole(107), 2)]));

    let mut desk = adopt(Price::ABSENT, Price::ABSENT);
    desk.tell(&ticket(5, SHFE, Side::Buy, Offset::Open, 1).fill_at(5, 1, 109));
    assert_eq!(details(&desk), [(Price::ABSENT, 3), (Price::whole(109), 1)]);
    assert!(desk.ledger.funds().margin.is_absent() && desk.ledger.funds().close_profit.is_present());
    for trade in 1..4 {
        desk.tell(&close(trade));
    }
    let funds = desk.ledger.funds();
    assert!(funds.close_profit.is_absent(), "what those lots cost was never told");
    assert_eq!(funds.margin, Money::whole(109), "what is left has a price again");
    check(&desk.ledger, 0);
}
