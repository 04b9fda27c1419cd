//! The gate's short cuts: what an opening order binds at most, and funds summed without asking for each sum.

use super::super::account::{Account, Totals};
use super::super::position::Worth;
use super::*;
use proptest::prelude::*;

/// A money that may be absent, none of this world, or any account's.
fn any_money() -> impl Strategy<Value = Money> {
    let near = |raw: i128| (raw - 1..=raw + 1).prop_map(Money::from_raw);
    prop_oneof![
        1 => Just(Money::ABSENT),
        1 => near(1 << 94),
        1 => near(-1 << 94),
        1 => near(i128::MAX - 1),
        12 => any::<i64>().prop_map(|raw| Money::from_raw(raw.into())),
    ]
}

fn any_worth() -> impl Strategy<Value = Worth> {
    let parts = [(); 5].map(|()| any_money());
    parts.prop_map(|[close_profit, position_profit, commission, margin, frozen]| Worth {
        close_profit,
        position_profit,
        commission,
        margin,
        frozen,
    })
}

proptest! {
    #[test]
    fn funds_are_the_sums_of_what_contracts_contribute(
        worths in prop::collection::vec((any_worth(), any_worth()), 0..4),
        base in [any_money(), any_money(), any_money()],
    ) {
        let mut totals = Totals::default();
        for (before, after) in &worths {
            totals.replace(&Worth::ZERO, before);
            totals.replace(before, after);
        }
        let [pre_balance, base_close_profit, base_commission] = base;
        let account = Account { pre_balance, base_close_profit, base_commission, ..Account::NEW };
        let funds = totals.funds(&account);
        let sum = |of: fn(&Worth) -> Money, base: Money| {
            let part = |money: Money| money.some().filter(|money| (-1 << 94..1 << 94).contains(&money.raw()));
            let parts = worths.iter().try_fold(Money::ZERO, |sum, (_, after)| Some(sum.plus(part(of(after))?)));
            parts.map_or(Money::ABSENT, |sum| sum.plus(base))
        };
        prop_assert_eq!(funds.pre_balance, pre_balance);
        prop_assert_eq!(funds.close_profit, sum(|worth| worth.close_profit, base_close_profit));
        prop_assert_eq!(funds.position_profit, sum(|worth| worth.position_profit, Money::ZERO));
        prop_assert_eq!(funds.commission, sum(|worth| worth.commission, base_commission));
        prop_assert_eq!(funds.margin, sum(|worth| worth.margin, Money::ZERO));
        prop_assert_eq!(funds.frozen, sum(|worth| worth.frozen, Money::ZERO));
        let equity = pre_balance.plus(funds.close_profit).plus(funds.position_profit).minus(funds.commission);
        prop_assert_eq!(funds.equity, equity);
        prop_assert_eq!(funds.available, equity.minus(funds.margin).minus(funds.frozen));
    }

    #[test]
    fn an_opening_order_binds_no_more_than_it_may(
        (option, limit_raw, below_raw) in (any::<bool>(), 1..2_000_000_000_000_i64, 0..3_000_000_000_000_i64),
        lots in 1..2_000_i64,
        ratios in [0..30_000_000_i64, 0..30_000_000_i64, 0..200_000_i64],
        per_lot in [-5..1_000_000_000_i64, -5..1_000_000_000_i64, 0..400_000_000_000_i64, 0..2_000_000_000_i64],
    ) {
        let mut desk = Desk::new();
        let class = if option { ProductClass::Option } else { ProductClass::Future };
        desk.tell(&InstrumentDef { class: class.code(), multiplier: 7, ..definition(SHFE, Exchange::Shfe) });
        let [long_margin_per_lot, short_margin_per_lot, short_margin_least_per_lot, open_per_lot] =
            per_lot.map(|raw| Money::from_raw(raw.into()));
        let rates = Rates {
            instrument: SHFE,
            long_margin_ratio: ratios[0],
            short_margin_ratio: ratios[1],
            open_ratio: ratios[2],
            long_margin_per_lot,
            short_margin_per_lot,
            short_margin_least_per_lot,
            open_per_lot,
            ..Rates::default()
        };
        let [limit, price] = [limit_raw, limit_raw - below_raw].map(Price::from_raw);
        let sides = [Side::Buy, Side::Sell];
        prop_assert!(sides.iter().all(|&side| desk.position(SHFE).opening_cost_most(side, Lots::new(1)).is_absent()));
        desk.tell(&rates);
        desk.tell(&Quote { instrument: SHFE, upper_limit: limit, ..Quote::default() });
        for side in sides {
            let [most, cost, at_limit] = {
                let book = desk.position(SHFE);
                let lots = Lots::new(lots);
                [
                    book.opening_cost_most(side, lots),
                    book.opening_cost(side, lots, price),
                    book.opening_cost(side, lots, limit),
                ]
            };
            prop_assert!(cost.is_present() && most.is_present());
            prop_assert!(cost <= most, "{side:?}: {cost} of at most {most}");
            // And it is no more than it may be, but for what each lot's rounding may add.
            prop_assert!(most.minus(at_limit) <= Money::from_raw(4 * i128::from(lots)), "{most} for {at_limit}");
        }
        // It follows the limit, and the contract's size.
        let dearer = Price::from_raw(2 * limit_raw);
        desk.tell(&Quote { instrument: SHFE, upper_limit: dearer, ..Quote::default() });
        let covers = |desk: &Desk, side| {
            let book = desk.position(SHFE);
            book.opening_cost_most(side, Lots::new(lots)) >= book.opening_cost(side, Lots::new(lots), dearer)
        };
        prop_assert!(sides.iter().all(|&side| covers(&desk, side)), "at a higher limit");
        desk.tell(&InstrumentDef { class: class.code(), multiplier: 70, ..definition(SHFE, Exchange::Shfe) });
        prop_assert!(sides.iter().all(|&side| covers(&desk, side)), "ten times as large");
        // Where cost does not grow with the price nothing is known of the dearest.
        desk.tell(&Rates { open_ratio: -1, ..rates });
        prop_assert!(sides.iter().all(|&side| desk.position(SHFE).opening_cost_most(side, Lots::new(1)).is_absent()));
        desk.tell(&rates);
        desk.tell(&Quote { instrument: SHFE, upper_limit: Price::ABSENT, ..Quote::default() });
        prop_assert!(sides.iter().all(|&side| desk.position(SHFE).opening_cost_most(side, Lots::new(1)).is_absent()));
    }
}
