//! Costs of option mathematics, each over thousands of different options in turn, so that no branch is learnt.

use crate::mechanics::batches;
use crate::{Host, Outcome};
use shrike_core::pricing::american::{self, Boundaries};
use shrike_core::pricing::black::{self, Chain, Columns};
use shrike_core::pricing::implied::{self, Expiries, Vols, black_vol, black_vols};
use shrike_core::pricing::{Expiry, OptionType};
use std::hint::black_box;

const BATCH: u64 = 256;

/// One option and a volatility.
#[derive(Clone, Copy)]
struct Case {
    expiry: Expiry,
    option_type: OptionType,
    strike: f64,
    vol: f64,
}

/// 4,096 options: a day to two years, 5 % to 80 %, strikes to two deviations, both rights.
fn cases() -> Vec<Case> {
    let mut random = 1_u64;
    let mut uniform = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 11) as f64 / (1_u64 << 53) as f64
    };
    let case = |_| {
        let years = (1.0 / 365.0) * 730_f64.powf(uniform());
        let vol = 0.05 * 16_f64.powf(uniform());
        let strike = 100.0 * (vol * years.sqrt() * (4.0 * uniform() - 2.0)).exp();
        let option_type = if uniform() < 0.5 { OptionType::Call } else { OptionType::Put };
        Case { expiry: Expiry::new(100.0, years, 0.01 + 0.05 * uniform()), option_type, strike, vol }
    };
    (0..4_096).map(case).collect()
}

/// Times `work` on the cases in turn.
fn timed<T: Copy>(host: &Host, samples: u64, batch: u64, cases: &[T], mut work: impl FnMut(&T)) -> Outcome {
    let mut turn = cases.iter().cycle();
    batches(host, samples, batch, || {
        if let Some(case) = turn.next() {
            work(black_box(case));
        }
    })
}

/// Black's price and eight Greeks of one option.
pub fn greeks(host: &mut Host) -> Outcome {
    timed(host, 20_000, BATCH, &cases(), |case| {
        black_box(black::greeks(&case.expiry, case.option_type, case.strike, case.vol));
    })
}

/// The same of a chain, for each of its options.
pub fn chain(host: &mut Host) -> Outcome {
    const OPTIONS: usize = 125;
    let cases = cases();
    let types: Vec<_> = cases.iter().map(|case| case.option_type).collect();
    let strikes: Vec<_> = cases.iter().map(|case| case.strike).collect();
    let vols: Vec<_> = cases.iter().map(|case| case.vol).collect();
    let mut columns = Columns::with_capacity(OPTIONS);
    let clock = host.clock.clone();
    let mut times = crate::figures::Samples::new();
    for sample in 0..host.repetitions(20_000) as usize {
        let here = (sample * OPTIONS) % (cases.len() - OPTIONS);
        let there = here + OPTIONS;
        let chain = Chain {
            expiry: cases[here].expiry,
            types: &types[here..there],
            strikes: &strikes[here..there],
            vols: &vols[here..there],
        };
        let start = clock.now();
        black::greeks_of_chain(black_box(&chain), &mut columns);
        black_box(&columns);
        times.batch(clock.now().since(start), OPTIONS as u64);
    }
    Outcome::Measured(times.figures(1.0))
}

/// The prices whose volatility the tests find again: times from a minute, wings to six deviations.
const VECTORS: &str = include_str!("../../../core/oracles/implied_vol.csv");

/// The oracle's prices; none where a row is none.
fn quotes() -> Option<Vec<(Expiry, OptionType, f64, f64)>> {
    let quote = |line: &str| {
        let values: Vec<&str> = line.split(',').collect();
        let [right, strike, minutes, _, price] = values[..] else { return None };
        let option_type = if right == "C" { OptionType::Call } else { OptionType::Put };
        let years = minutes.parse::<f64>().ok()? / 525_600.0;
        Some((Expiry::new(3.0, years, 0.0), option_type, strike.parse::<f64>().ok()?, price.parse::<f64>().ok()?))
    };
    // The first line names the columns.
    VECTORS.lines().skip(1).map(quote).collect()
}

fn unreadable() -> Outcome {
    Outcome::Absent(String::from(
        "core/oracles/implied_vol.csv has a row that is no price: tools/oracles/implied_vol.py makes it",
    ))
}

/// Implied volatility over the oracle's prices.
pub fn implied(host: &mut Host) -> Outcome {
    let Some(quotes) = quotes() else { return unreadable() };
    timed(host, 10_000, BATCH, &quotes, |(expiry, option_type, strike, price)| {
        let _ = black_box(black_vol(expiry, *option_type, *strike, *price));
    })
}

/// The same by columns, for each option; each has its own expiry.
pub fn implied_chain(host: &mut Host) -> Outcome {
    const OPTIONS: usize = 250;
    let Some(quotes) = quotes() else { return unreadable() };
    let expiries: Vec<_> = quotes.iter().map(|quote| quote.0).collect();
    let types: Vec<_> = quotes.iter().map(|quote| quote.1).collect();
    let strikes: Vec<_> = quotes.iter().map(|quote| quote.2).collect();
    let prices: Vec<_> = quotes.iter().map(|quote| quote.3).collect();
    let mut vols = Vols::with_capacity(OPTIONS);
    let clock = host.clock.clone();
    let mut times = crate::figures::Samples::new();
    let columns = expiries.chunks_exact(OPTIONS).zip(types.chunks_exact(OPTIONS));
    let columns = columns.zip(strikes.chunks_exact(OPTIONS)).zip(prices.chunks_exact(OPTIONS));
    for (_, (((expiries, types), strikes), prices)) in (0..host.repetitions(10_000)).zip(columns.cycle()) {
        let chain = implied::Chain { expiries: Expiries::Each(expiries), types, strikes, prices };
        let start = clock.now();
        black_vols(black_box(&chain), &mut vols);
        black_box(&vols);
        times.batch(clock.now().since(start), OPTIONS as u64);
    }
    Outcome::Measured(times.figures(1.0))
}

/// An American price with its boundary.
pub fn american(host: &mut Host) -> Outcome {
    timed(host, 10_000, 16, &cases(), |case| {
        black_box(american::price(&case.expiry, case.option_type, case.strike, case.vol));
    })
}

/// A lattice that has every boundary the cases need.
fn kept(cases: &[Case]) -> Boundaries {
    let mut boundaries = Boundaries::new();
    for case in cases {
        boundaries.greeks(&case.expiry, case.option_type, case.strike, case.vol);
    }
    boundaries
}

/// An American price from the lattice.
pub fn american_kept(host: &mut Host) -> Outcome {
    let cases = cases();
    let mut boundaries = kept(&cases);
    timed(host, 20_000, 32, &cases, |case| {
        black_box(boundaries.price(&case.expiry, case.option_type, case.strike, case.vol));
    })
}

/// American price and Greeks from the lattice.
pub fn american_greeks(host: &mut Host) -> Outcome {
    let cases = cases();
    let mut boundaries = kept(&cases);
    timed(host, 10_000, 16, &cases, |case| {
        black_box(boundaries.greeks(&case.expiry, case.option_type, case.strike, case.vol));
    })
}

/// The volatility of an American price, from the lattice.
pub fn american_implied(host: &mut Host) -> Outcome {
    let cases = cases();
    let mut boundaries = kept(&cases);
    let price = |case: &Case| american::price(&case.expiry, case.option_type, case.strike, case.vol);
    let quotes: Vec<_> = cases.iter().map(|case| (*case, price(case))).collect();
    for (case, price) in &quotes {
        let _ = boundaries.implied_vol(&case.expiry, case.option_type, case.strike, *price);
    }
    timed(host, 5_000, 16, &quotes, |(case, price)| {
        let _ = black_box(boundaries.implied_vol(&case.expiry, case.option_type, case.strike, *price));
    })
}
