use super::*;
use crate::codes::OptionType::{self, Call, Put};
use crate::units::{Money, Price};
use proptest::prelude::*;

fn ratio(text: &str) -> i64 {
    price(text).raw()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn etf() -> MarginRule {
    MarginRule::Etf { ratio: ratio("0.12"), floor: ratio("0.07"), broker: ratio("1") }
}

fn index() -> MarginRule {
    MarginRule::Index { ratio: ratio("0.12"), floor: ratio("0.5"), broker: ratio("1") }
}

fn commodity() -> MarginRule {
    MarginRule::Commodity { relief: ratio("0.5"), floor: ratio("0.5"), broker: ratio("1") }
}

fn short(option_type: OptionType, settlement: &str, underlying: &str, strike: &str, unit: i64) -> Short {
    Short {
        option_type,
        strike: price(strike),
        settlement: price(settlement),
        underlying: price(underlying),
        unit,
        future_ratio: ratio("0.08"),
    }
}

#[test]
fn margins_of_worked_examples() {
    let cases = [
        // 50ETF call of 21 May 2019, a published worked example.
        (etf(), short(Call, "0.0056", "2.699", "2.75", 10_000), "2784.8"),
        // In the money, nothing is taken off.
        (etf(), short(Call, "0.2", "3", "2.8", 10_000), "5600"),
        // Far out of the money the floor holds: 7 % of the ETF for calls, of the strike for puts.
        (etf(), short(Call, "0.0001", "3", "4", 10_000), "2101"),
        (etf(), short(Put, "0.0001", "3", "2", 10_000), "1401"),
        // A put never costs more than its strike.
        (etf(), short(Put, "2.9", "0.1", "3", 10_000), "30000"),
        // After a dividend: another unit.
        (etf(), short(Call, "0.0056", "2.699", "2.75", 10_180), "2834.9264"),
        // CFFEX: 120,000 less 20,000 out of the money is above the floor of 24,000; and so for the put.
        (index(), short(Call, "50", "4000", "4200", 100), "33000"),
        (index(), short(Put, "30", "4000", "3700", 100), "25200"),
        // A future at 3,000 with 8 %: 2,400, less half of 2,000.
        (commodity(), short(Call, "60", "3000", "3200", 10), "2000"),
        (commodity(), short(Put, "60", "3000", "3200", 10), "3000"),
    ];
    for (rule, short, expected) in cases {
        assert_eq!(rule.per_lot(&short), money(expected), "{rule:?} of {short:?}");
    }
}

#[test]
fn the_broker_adds_to_it() {
    let MarginRule::Etf { ratio: part, floor, .. } = etf() else { unreachable!() };
    let rule = MarginRule::Etf { ratio: part, floor, broker: ratio("1.15") };
    assert_eq!(rule.per_lot(&short(Call, "0.0056", "2.699", "2.75", 10_000)), money("3202.52"));
}

#[test]
fn what_cannot_be_computed_is_absent() {
    let good = short(Call, "0.0056", "2.699", "2.75", 10_000);
    for bad in [
        Short { settlement: Price::ABSENT, ..good },
        Short { underlying: Price::ABSENT, ..good },
        Short { strike: Price::ABSENT, ..good },
        Short { strike: Price::ZERO, ..good },
        Short { settlement: price("-1"), ..good },
        Short { unit: 0, ..good },
        Short { underlying: Price::from_raw(i64::MAX), unit: i64::MAX, ..good },
    ] {
        assert!(etf().per_lot(&bad).is_absent(), "{bad:?}");
    }
}

#[test]
fn combinations() {
    use Combination::*;
    let call = |strike| short(Call, "0.05", "3", strike, 10_000);
    let put = |strike| short(Put, "0.04", "3", strike, 10_000);
    let margin = |kind: Combination, first, second| kind.per_lot(&etf(), &first, &second);
    assert_eq!(margin(BullCall, call("3"), call("3.1")), Ok(Money::ZERO));
    assert_eq!(margin(BearPut, put("3.1"), put("3")), Ok(Money::ZERO));
    assert_eq!(margin(BearCall, call("3.1"), call("3")), Ok(money("1000")));
    assert_eq!(margin(BullPut, put("2.9"), put("3")), Ok(money("1000")));
    // 500 + 3,600 for the call against 400 + 3,600 for the put: the call, and the put's price.
    assert_eq!(margin(Straddle, call("3"), put("3")), Ok(money("4500")));
    // 500 + 2,600 for the call against 400 + 1,750 for the put.
    assert_eq!(margin(Strangle, call("3.1"), put("2.5")), Ok(money("3500")));
    for (kind, first, second) in [
        (BullCall, call("3.1"), call("3")),
        (BearCall, call("3"), call("3")),
        (BullPut, call("2.9"), put("3")),
        (Straddle, call("3"), put("2.9")),
        (Strangle, call("3"), put("3")),
        (BullCall, call("3"), Short { unit: 10_180, ..call("3.1") }),
    ] {
        assert_eq!(margin(kind, first, second).unwrap_err().code, kind.code());
    }
    let unknown = Short { settlement: Price::ABSENT, ..put("3") };
    assert_eq!(margin(Straddle, call("3"), unknown), Ok(Money::ABSENT));
}

#[test]
fn the_venues_word_counts() {
    let tolerance = ratio("0.01");
    let both = reconcile(money("1000"), money("1005"), tolerance);
    assert_eq!(both, Reconciled { margin: money("1005"), difference: money("5"), agrees: true });
    assert!(!reconcile(money("900"), money("1005"), tolerance).agrees);
    let alone = reconcile(money("1000"), Money::ABSENT, tolerance);
    assert_eq!((alone.margin, alone.agrees), (money("1000"), false));
    assert!(reconcile(Money::ABSENT, Money::ABSENT, tolerance).margin.is_absent());
    assert_eq!(reconcile(Money::ABSENT, money("7"), tolerance).margin, money("7"));
}

proptest! {
    #[test]
    fn margin_grows_with_what_is_at_risk(
        settlement in 0_i64..1_000, underlying in 1_000_i64..50_000, strike in 1_000_i64..50_000, call in any::<bool>(),
    ) {
        let tick = |ticks: i64| Price::from_raw(ticks * 10_000);
        let option_type = if call { Call } else { Put };
        let at = |settlement, underlying| Short {
            option_type, strike: tick(strike), settlement: tick(settlement), underlying: tick(underlying), unit: 100,
            future_ratio: ratio("0.1"),
        };
        for rule in [etf(), index(), commodity()] {
            let margin = rule.per_lot(&at(settlement, underlying));
            prop_assert!(rule.per_lot(&at(settlement + 1, underlying)) >= margin);
            // At least the option itself, but for puts that the strike bounds.
            let option = tick(settlement).value(crate::units::Lots::new(1), 100);
            let bound = tick(strike).value(crate::units::Lots::new(1), 100);
            prop_assert!(margin >= option.min(bound));
            if call {
                prop_assert!(rule.per_lot(&at(settlement, underlying + 1)) >= margin);
            }
            if let MarginRule::Etf { .. } = rule && !call {
                prop_assert!(margin <= bound);
            }
        }
    }
}
