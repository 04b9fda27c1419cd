//! The account reckoned lot by lot, the slow and plain way: what the exchange's books are checked against.

use crate::sim::exchange::Exchange;
use shrike_core::codes::{Exchange as Place, Offset, Side};
use shrike_core::event::{Fill, Rates};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Price};

struct Lot {
    side: Side,
    today: bool,
    basis: Price,
}

/// One contract and the account's money.
pub(super) struct Reference {
    instrument: InstrumentId,
    multiplier: i64,
    rates: Rates,
    lots: Vec<Lot>,
    balance: Money,
    close_profit: Money,
    commission: Money,
}

impl Reference {
    pub(super) fn new(instrument: InstrumentId, multiplier: i64, rates: Rates, balance: Money) -> Self {
        let (close_profit, commission) = (Money::ZERO, Money::ZERO);
        Self { instrument, multiplier, rates, lots: Vec::new(), balance, close_profit, commission }
    }

    fn value(&self, price: Price) -> Money {
        price.value(Lots::new(1), self.multiplier)
    }

    fn gain(&self, lot: &Lot, at: Price) -> Money {
        let gain = self.value(at).minus(self.value(lot.basis));
        if lot.side == Side::Buy { gain } else { Money::ZERO.minus(gain) }
    }

    pub(super) fn fill(&mut self, fill: &Fill) {
        let (side, value) = (fill.side().unwrap(), self.value(fill.price));
        let splits = Place::of(fill.exchange).unwrap().splits_today();
        for _ in 0..fill.lots.get() {
            let (ratio, per_lot) = if fill.offset() == Some(Offset::Open) {
                self.lots.push(Lot { side, today: true, basis: fill.price });
                (self.rates.open_ratio, self.rates.open_per_lot)
            } else {
                let wants_today = splits.then(|| fill.offset() == Some(Offset::CloseToday));
                let closes = |lot: &Lot| lot.side != side && wants_today.is_none_or(|today| lot.today == today);
                // Lots stand in the order of their opening, so earlier days come first.
                let index = self.lots.iter().position(closes).expect("a lot to close");
                let lot = self.lots.remove(index);
                self.close_profit = self.close_profit.plus(self.gain(&lot, fill.price));
                match lot.today {
                    true => (self.rates.close_today_ratio, self.rates.close_today_per_lot),
                    false => (self.rates.close_ratio, self.rates.close_per_lot),
                }
            };
            self.commission = self.commission.plus(value.times_rate(ratio)).plus(per_lot);
        }
    }

    pub(super) fn settle(&mut self, price: Price) {
        self.balance = self.balance.plus(self.close_profit).plus(self.position_profit(price)).minus(self.commission);
        (self.close_profit, self.commission) = (Money::ZERO, Money::ZERO);
        for lot in &mut self.lots {
            (lot.today, lot.basis) = (false, price);
        }
    }

    fn position_profit(&self, mark: Price) -> Money {
        self.lots.iter().fold(Money::ZERO, |sum, lot| sum.plus(self.gain(lot, mark)))
    }

    /// The exchange's books are these.
    pub(super) fn check(&self, exchange: &Exchange, mark: Price) {
        for side in Side::ALL {
            let held = |today| self.lots.iter().filter(|lot| lot.side == *side && lot.today == today).count() as i64;
            let told = exchange.positions().find(|p| p.side == side.code() && p.instrument == self.instrument);
            let told = told.map_or((0, 0), |p| (p.today.get(), p.yesterday.get()));
            assert_eq!(told, (held(true), held(false)), "{side}: today's and earlier lots");
        }
        let funds = exchange.funds();
        let margin = self.lots.iter().fold(Money::ZERO, |sum, lot| {
            let (ratio, per_lot) = match lot.side {
                Side::Buy => (self.rates.long_margin_ratio, self.rates.long_margin_per_lot),
                Side::Sell => (self.rates.short_margin_ratio, self.rates.short_margin_per_lot),
            };
            sum.plus(self.value(lot.basis).times_rate(ratio)).plus(per_lot)
        });
        assert_eq!(funds.pre_balance, self.balance, "balance of the last settlement");
        assert_eq!(funds.close_profit, self.close_profit, "close profit");
        assert_eq!(funds.position_profit, self.position_profit(mark), "position profit at {mark}");
        assert_eq!(funds.commission, self.commission, "commission");
        assert_eq!(funds.margin, margin, "margin");
        let equity = self.balance.plus(self.close_profit).plus(funds.position_profit).minus(self.commission);
        assert_eq!(funds.available, equity.minus(margin).minus(funds.frozen), "available");
    }
}
