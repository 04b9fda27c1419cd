//! Where the search for a volatility begins: a formula within 2e-4 of it for total volatilities up to 2.5, log-moneyness
//! up to 6, and strikes up to 12 deviations from the forward. Without a branch, for loops that become vector code.
//!
//! In the limit of small volatilities the ratio of the prices in and out of the money says how many deviations the strike
//! is away; beyond the limit the volatility differs by a smooth factor. The coefficients are fits made by
//! `tools/oracles/implied_start.py`.

use crate::pricing::elementary::{mul_add, nearest_power, polynomial};
use std::f64::consts::LN_2;

/// `(h / u)^2` in `1 / (1 + u / 8)`, h being the deviations and u the logarithm of that ratio.
const ROOT: [[f64; 4]; 2] = [
    [0.000_220_580_583_248_802_5, 0.240_790_911_577_143_72, 0.055_398_223_843_159_94, -0.349_392_620_962_870_8],
    [1.268_152_542_063_891, -2.648_878_458_729_499, 2.283_592_544_696_368, -0.690_742_592_772_194],
];
/// The factor: rows by the limit's variance, columns by `x^2 / (1 + x^2 / 50)`, x being the log-moneyness.
const RATIO: [[f64; 4]; 5] = [
    [0.999_875_305_244_511_1, -7.202_959_350_174_921e-6, 9.002_411_741_337_03e-7, 6.449_974_341_256_391e-8],
    [0.042_115_551_351_800_49, -0.000_407_890_529_058_005_14, -5.866_437_002_262_813e-6, -3.770_302_416_021_166e-8],
    [0.003_697_797_938_045_177_6, 4.910_087_667_683_344e-5, 1.515_729_076_971_554_5e-6, 0.0],
    [1.512_167_156_174_734e-5, -4.710_522_324_968_368e-5, 0.0, 0.0],
    [0.000_181_704_507_949_919_24, 0.0, 0.0, 0.0],
];

/// `ln(1 + r)` for `r >= 0` within 1e-7 of it, also of a small one.
#[inline(always)]
fn ln_1p(r: f64) -> f64 {
    let (exponent, power) = nearest_power(1.0 + r);
    let z = (r + (1.0 - power)) / (r + (1.0 + power));
    let z2 = z * z;
    let tail = mul_add(z2, mul_add(z2, mul_add(z2, 2.0 / 7.0, 2.0 / 5.0), 2.0 / 3.0), 2.0);
    mul_add(exponent, LN_2, z * tail)
}

/// The total volatility of the price out of the money `out`. `gap` is what forward and strike are apart and `x > 0` the
/// logarithm of the greater over the smaller.
#[inline(always)]
pub fn total(out: f64, gap: f64, x: f64) -> f64 {
    let u = ln_1p(gap / out);
    let x2 = x * x;
    // Both arguments by one division.
    let (from_u, from_x) = (mul_add(u, 0.125, 1.0), mul_add(x2, 0.02, 1.0));
    let both = 1.0 / (from_u * from_x);
    let first = x / (u * polynomial(&ROOT, from_x * both).sqrt());
    let variance = first * first;
    let moneyness = x2 * from_u * both;
    let [mut ratio, ..] = RATIO[4];
    for [c0, c1, c2, c3] in RATIO[..4].iter().rev() {
        let row = mul_add(moneyness, mul_add(moneyness, mul_add(moneyness, *c3, *c2), *c1), *c0);
        ratio = mul_add(ratio, variance, row);
    }
    first * ratio
}
