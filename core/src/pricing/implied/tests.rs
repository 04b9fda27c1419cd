//! Volatilities found again from exact prices, and the reasons where there is none.

use super::*;
use crate::pricing::oracle::rows;
use crate::pricing::{OptionType::*, black};
use proptest::prelude::*;

const FORWARD: f64 = 3.0;

/// Rows of options as columns.
#[derive(Default)]
struct Table {
    expiries: Vec<Expiry>,
    types: Vec<OptionType>,
    strikes: Vec<f64>,
    prices: Vec<f64>,
}

impl Table {
    fn push(&mut self, expiry: Expiry, option_type: OptionType, strike: f64, price: f64) {
        self.expiries.push(expiry);
        self.types.push(option_type);
        self.strikes.push(strike);
        self.prices.push(price);
    }

    fn chain<'a>(&'a self, expiries: Expiries<'a>) -> Chain<'a> {
        Chain { expiries, types: &self.types, strikes: &self.strikes, prices: &self.prices }
    }

    /// Checks that columns are what one option at a time is, to the bit; returns the rows that were not found by columns.
    fn check_columns(&self, expiries: Expiries<'_>) -> usize {
        let mut vols = Vols::default();
        let alone = chain::invert(&self.chain(expiries), &mut vols);
        assert_eq!((vols.vols.len(), vols.reasons.len()), (self.types.len(), self.types.len()));
        for row in 0..self.types.len() {
            let expiry = match expiries {
                Expiries::Same(expiry) => expiry,
                Expiries::Each(expiries) => expiries[row],
            };
            let (right, strike, price) = (self.types[row], self.strikes[row], self.prices[row]);
            let one = black_vol(&expiry, right, strike, price);
            assert_eq!(vols.row(row), one, "{right} {strike} at {price}, {expiry:?}");
            assert_eq!(vols.vols[row].is_nan(), one.is_err());
        }
        alone
    }
}

/// What the price's last bit moves the volatility by, and the volatility's own last bit, as a part of it.
fn attainable(expiry: &Expiry, option_type: OptionType, strike: f64, vol: f64) -> f64 {
    let greeks = black::greeks(expiry, option_type, strike, vol);
    f64::EPSILON * (1.0 + greeks.price / (vol * greeks.vega))
}

/// Checks a table of prices made at 50 digits; prints how many rows and the largest error in units of the attainable.
fn check(text: &str) -> usize {
    let (mut worst, mut table) = (0.0_f64, Table::default());
    for row in rows(text) {
        let (option_type, strike, price) = (row.option_type(), row.number("strike"), row.number("price"));
        let vol = row.number("vol_percent") / 100.0;
        let expiry = Expiry::new(FORWARD, row.number("minutes") / 525_600.0, 0.0);
        let found = black_vol(&expiry, option_type, strike, price);
        let found = found.unwrap_or_else(|reason| panic!("{reason}: strike {strike}, {expiry:?}, price {price}"));
        let error = ((found - vol) / vol).abs() / attainable(&expiry, option_type, strike, vol);
        assert!(error <= 4.0, "{error} of attainable: strike {strike}, {expiry:?}, price {price}: {found}, not {vol}");
        worst = worst.max(error);
        table.push(expiry, option_type, strike, price);
    }
    let count = table.types.len();
    let alone = table.check_columns(Expiries::Each(&table.expiries));
    println!("{count} rows, error at most {worst:.2} of attainable; {alone} not found by columns");
    assert!(alone * 100 < count, "{alone} of {count} not found by columns");
    count
}

#[test]
fn volatilities_are_found_to_the_attainable_digit() {
    assert_eq!(check(include_str!("../../../oracles/implied_vol.csv")), 10_000);
}

#[test]
fn a_larger_table_where_one_is_given() {
    let Ok(file) = std::env::var("SHRIKE_IMPLIED_VOL") else {
        println!("skipped: SHRIKE_IMPLIED_VOL names no table; tools/oracles/implied_vol.py makes one of any size");
        return;
    };
    check(&std::fs::read_to_string(&file).unwrap());
}

#[test]
fn where_there_is_none_the_reason_is_said() {
    let expiry = Expiry::new(100.0, 0.5, 0.04);
    let discount = (-0.02_f64).exp();
    let mut table = Table::default();
    for (right, strike, price, reason) in [
        (Call, 90.0, 9.0, NoVol::BelowIntrinsic),
        (Call, 90.0, 10.0 * discount * 0.999_999, NoVol::BelowIntrinsic),
        (Call, 110.0, 0.0, NoVol::BelowIntrinsic),
        (Put, 110.0, 10.0 * discount * (1.0 + 1e-15), NoVol::Unresolved),
        (Call, 90.0, -1.0, NoVol::BelowIntrinsic),
        (Call, 90.0, 100.0, NoVol::AboveBound),
        (Call, 6e12, 100.0 * discount, NoVol::AboveBound),
        (Put, 90.0, 90.0, NoVol::AboveBound),
        (Call, 90.0, f64::NAN, NoVol::Input),
        (Call, 90.0, f64::INFINITY, NoVol::Input),
        (Call, -1.0, 5.0, NoVol::Input),
        (Call, f64::NAN, 5.0, NoVol::Input),
    ] {
        assert_eq!(black_vol(&expiry, right, strike, price), Err(reason), "{right} {strike} at {price}");
        table.push(expiry, right, strike, price);
    }
    assert_eq!(table.check_columns(Expiries::Same(expiry)), table.types.len());
    let mut table = Table::default();
    for (forward, years, rate, reason) in [
        (100.0, 0.0, 0.0, NoVol::Expired),
        (100.0, -0.1, 0.0, NoVol::Input),
        (100.0, f64::NAN, 0.0, NoVol::Input),
        (100.0, f64::INFINITY, 0.0, NoVol::Input),
        (100.0, 0.5, f64::NAN, NoVol::Input),
        (100.0, 0.5, 1e4, NoVol::Input),
        (f64::NAN, 0.1, 0.0, NoVol::Input),
        (f64::INFINITY, 0.1, 0.0, NoVol::Input),
        (0.0, 0.1, 0.0, NoVol::Input),
    ] {
        let expiry = Expiry::new(forward, years, rate);
        assert_eq!(black_vol(&expiry, Call, 90.0, 12.0), Err(reason), "{expiry:?}");
        table.push(expiry, Call, 90.0, 12.0);
    }
    assert_eq!(table.check_columns(Expiries::Each(&table.expiries)), table.types.len());
}

/// Where one formula passes to the next, and where neither is of use.
#[test]
fn columns_have_what_is_rare_too() {
    let mut table = Table::default();
    let mut alone = 0;
    for (x, total, is_alone) in [
        // Log-moneyness, total volatility, and whether the search does not know such options.
        (0.0, 1e-9, false),
        (0.0, 0.2, false),
        (1e-15, 0.2, false),
        (1e-8, 1e-7, false),
        (0.1, 0.599_999, false),
        (0.1, 0.600_001, false),
        (1.999_999, 0.4, false),
        (2.000_001, 0.4, false),
        (1.0, 1.0 / 11.9, false),
        (1.0, 1.0 / 13.0, true),
        (5.9, 2.4, false),
        (6.5, 1.4, true),
        (0.0, 2.6, true),
        (0.5, 5.0, true),
        (30.0, 1.0, true),
        (2.5, 0.07, true),
    ] {
        for sign in [1.0, -1.0] {
            let (expiry, strike) = (Expiry::new(50.0, 0.25, 0.0), 50.0 * f64::exp(sign * x));
            let right = out_of_the_money(50.0, strike);
            let price = black::price(&expiry, right, strike, total / 0.5);
            let vol = black_vol(&expiry, right, strike, price).unwrap();
            assert!((vol / (2.0 * total) - 1.0).abs() < 1e-11, "{vol}, not {}", 2.0 * total);
            table.push(expiry, right, strike, price);
            alone += usize::from(is_alone);
        }
    }
    assert_eq!(table.check_columns(Expiries::Each(&table.expiries)), alone);
}

#[test]
fn a_quote_gives_a_band() {
    let expiry = Expiry::new(100.0, 0.25, 0.02);
    let price = |vol| black::price(&expiry, Call, 105.0, vol);
    let (low, high) = (price(0.19), price(0.21));
    let near = |found: Result<f64, NoVol>, vol: f64| (found.unwrap() - vol).abs() < 1e-12;

    let both = black_band(&expiry, Call, 105.0, Some(low), Some(high));
    assert!(near(both.bid, 0.19) && near(both.ask, 0.21));
    assert!(both.mid.is_ok_and(|mid| (mid - 0.2).abs() < 1e-4));

    let bid_only = black_band(&expiry, Call, 105.0, Some(low), None);
    assert!(near(bid_only.bid, 0.19));
    assert_eq!((bid_only.mid, bid_only.ask), (Err(NoVol::OneSided), Err(NoVol::Absent)));

    assert_eq!(black_band(&expiry, Call, 105.0, Some(high), Some(low)), VolBand::none(NoVol::Crossed));
    assert_eq!(black_band(&expiry, Call, 105.0, None, None), VolBand::none(NoVol::Absent));

    // A bid below intrinsic value is usual deep in the money; the ask still has its volatility.
    let deep = black_band(&expiry, Call, 70.0, Some(29.0), Some(price_at(&expiry, 70.0, 0.4)));
    assert_eq!(deep.bid, Err(NoVol::BelowIntrinsic));
    assert!(near(deep.ask, 0.4) || (deep.ask.unwrap() - 0.4).abs() < 1e-9);
}

fn price_at(expiry: &Expiry, strike: f64, vol: f64) -> f64 {
    black::price(expiry, Call, strike, vol)
}

/// Mostly what prices, forwards and times are, now and then anything.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.01..2.0_f64, 1 => Just(1.0), 1 => any::<f64>()]
}

proptest! {
    #[test]
    fn any_numbers_give_a_volatility_or_a_reason(
        forward in any::<f64>(), strike in any::<f64>(), years in any::<f64>(), rate in any::<f64>(), price in any::<f64>(),
    ) {
        for right in [Call, Put] {
            if let Ok(vol) = black_vol(&Expiry::new(forward, years, rate), right, strike, price) {
                prop_assert!(vol > 0.0 && vol.is_finite());
            }
        }
    }

    #[test]
    fn columns_are_one_option_at_a_time(
        rows in proptest::collection::vec((any_number(), any_number(), any_number(), any_number(), any::<bool>()), 0..30),
        (forward, years, rate) in (any_number(), any_number(), any_number()),
    ) {
        let mut table = Table::default();
        for (forward, years, strike, price, is_call) in rows {
            table.push(Expiry::new(forward, years, rate), if is_call { Call } else { Put }, strike, price);
        }
        table.check_columns(Expiries::Each(&table.expiries));
        table.check_columns(Expiries::Same(Expiry::new(forward, years, rate)));
    }

    // Both are within four units of what is attainable.
    #[test]
    fn both_ways_find_the_same(
        h in 0.0..13.0_f64, log_total in -14.0..1.1_f64, years in 1e-6..3.0_f64, forward in 1e-3..1e5_f64, is_call: bool,
    ) {
        let total = log_total.exp();
        let (expiry, right) = (Expiry::new(forward, years, 0.0), if is_call { Call } else { Put });
        let strike = forward * (right.sign() * h * total).exp();
        let price = black::price(&expiry, right, strike, total / years.sqrt());
        let ours = search::total_vol(price, forward.min(strike), forward.max(strike)) / years.sqrt();
        if found(ours) {
            let theirs = by_jaeckel(price, forward, strike, years).unwrap();
            let unit = attainable(&expiry, right, strike, theirs);
            prop_assert!(((ours - theirs) / theirs).abs() <= 8.0 * unit, "{ours} and {theirs}");
        } else {
            prop_assert!(total > 2.4 || h * total > 5.9 || h > 11.9, "not found: h {h}, total {total}");
        }
    }

    #[test]
    fn higher_prices_have_higher_volatilities(
        log_strike in -0.5..0.5_f64, years in 0.01..2.0_f64, vol in 0.05..1.0_f64, more in 1e-6..0.1_f64,
    ) {
        let (expiry, strike) = (Expiry::new(100.0, years, 0.03), 100.0 * log_strike.exp());
        let right = out_of_the_money(100.0, strike);
        let price = black::price(&expiry, right, strike, vol);
        let one = black_vol(&expiry, right, strike, price);
        let other = black_vol(&expiry, right, strike, price * (1.0 + more));
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert!(one < other);
        }
    }
}
