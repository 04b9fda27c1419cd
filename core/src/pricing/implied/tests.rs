//! Volatilities found again from exact prices, and the reasons where there is none.

use super::*;
use crate::pricing::oracle::rows;
use crate::pricing::{OptionType::*, black};
use proptest::prelude::*;

const FORWARD: f64 = 3.0;

/// Checks a table of prices made at 50 digits; returns how many rows and the largest error in units of the attainable.
fn check(table: &str) -> (usize, f64) {
    let (mut count, mut worst) = (0, 0.0_f64);
    for row in rows(table) {
        let (strike, price) = (row.number("strike"), row.number("price"));
        let vol = row.number("vol_percent") / 100.0;
        let expiry = Expiry::new(FORWARD, row.number("minutes") / 525_600.0, 0.0);
        let found = black_vol(&expiry, row.option_type(), strike, price);
        let found = found.unwrap_or_else(|reason| panic!("{reason}: strike {strike}, {expiry:?}, price {price}"));
        // What the price's last bit moves the volatility by, and the volatility's own last bit.
        let vega = black::greeks(&expiry, row.option_type(), strike, vol).vega;
        let attainable = f64::EPSILON * (1.0 + price / (vol * vega));
        let error = ((found - vol) / vol).abs() / attainable;
        assert!(error <= 4.0, "{error} of attainable: strike {strike}, {expiry:?}, price {price}: {found}, not {vol}");
        (count, worst) = (count + 1, worst.max(error));
    }
    (count, worst)
}

#[test]
fn volatilities_are_found_to_the_attainable_digit() {
    let (count, worst) = check(include_str!("../../../oracles/implied_vol.csv"));
    println!("{count} rows, error at most {worst:.2} of attainable");
    assert_eq!(count, 10_000);
}

#[test]
fn a_larger_table_where_one_is_given() {
    let Ok(file) = std::env::var("SHRIKE_IMPLIED_VOL") else {
        println!("skipped: SHRIKE_IMPLIED_VOL names no table; tools/oracles/implied_vol.py makes one of any size");
        return;
    };
    let (count, worst) = check(&std::fs::read_to_string(&file).unwrap());
    println!("{count} rows, error at most {worst:.2} of attainable");
}

#[test]
fn where_there_is_none_the_reason_is_said() {
    let expiry = Expiry::new(100.0, 0.5, 0.04);
    let discount = (-0.02_f64).exp();
    for (right, strike, price, reason) in [
        (Call, 90.0, 9.0, NoVol::BelowIntrinsic),
        (Call, 90.0, 10.0 * discount * 0.999_999, NoVol::BelowIntrinsic),
        (Call, 110.0, 0.0, NoVol::BelowIntrinsic),
        (Put, 110.0, 10.0 * discount * (1.0 + 1e-15), NoVol::Unresolved),
        (Call, 90.0, -1.0, NoVol::BelowIntrinsic),
        (Call, 90.0, 100.0, NoVol::AboveBound),
        (Put, 90.0, 90.0, NoVol::AboveBound),
        (Call, 90.0, f64::NAN, NoVol::Input),
        (Call, 90.0, f64::INFINITY, NoVol::Input),
        (Call, -1.0, 5.0, NoVol::Input),
        (Call, f64::NAN, 5.0, NoVol::Input),
    ] {
        assert_eq!(black_vol(&expiry, right, strike, price), Err(reason), "{right} {strike} at {price}");
    }
    assert_eq!(black_vol(&Expiry::new(100.0, 0.0, 0.0), Call, 90.0, 12.0), Err(NoVol::Expired));
    assert_eq!(black_vol(&Expiry::new(100.0, -0.1, 0.0), Call, 90.0, 12.0), Err(NoVol::Input));
    assert_eq!(black_vol(&Expiry::new(f64::NAN, 0.1, 0.0), Call, 90.0, 12.0), Err(NoVol::Input));
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
