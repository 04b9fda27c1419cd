//! Exponential and logarithm without a branch or a call, so that loops over them become vector code and give the same
//! bits on every host, whatever its mathematical library. Inputs are those that prices produce; coefficients are minimax
//! fits made by `tools/oracles/coefficients.py`.

use std::f64::consts::{LN_2, LOG2_E};

/// `a * b + c`; fused where the build's processor can, since the fused call is slow where it can't.
#[inline(always)]
pub fn mul_add(a: f64, b: f64, c: f64) -> f64 {
    if cfg!(target_feature = "fma") { a.mul_add(b, c) } else { a * b + c }
}

/// `c[0][0] + c[0][1] x + ... + c[1][0] x^4 + ...` by four Horner chains that run side by side.
#[inline(always)]
pub fn polynomial<const N: usize>(c: &[[f64; 4]; N], x: f64) -> f64 {
    let x2 = x * x;
    let x4 = x2 * x2;
    let [mut c0, mut c1, mut c2, mut c3] = c[N - 1];
    // Unrolled before the compiler looks for loops to make vector code of: one over single coefficients is not.
    for [d0, d1, d2, d3] in c[..N - 1].iter().rev() {
        c0 = mul_add(c0, x4, *d0);
        c1 = mul_add(c1, x4, *d1);
        c2 = mul_add(c2, x4, *d2);
        c3 = mul_add(c3, x4, *d3);
    }
    mul_add(x2, mul_add(x, c3, c2), mul_add(x, c1, c0))
}

/// 1.5 x 2^52: adding it leaves the nearest whole number in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// The upper bits of ln 2, whose products with exponents are exact, and the rest.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `(e^r - 1 - r) / r^2` for |r| <= ln 2 / 2, within 1.1e-16.
const EXP: [[f64; 4]; 3] = [
    [0.500_000_000_000_000_1, 0.166_666_666_666_666_69, 0.041_666_666_666_624_13, 0.008_333_333_333_330_062],
    [0.001_388_888_891_721_371_7, 0.000_198_412_698_630_536_18, 2.480_152_129_595_437_6e-5, 2.755_726_845_999_706_4e-6],
    [2.762_008_844_540_974_6e-7, 2.510_038_549_551_032e-8, 0.0, 0.0],
];

/// `e^x` within 1.5 ulp; zero below -708, infinite above 709.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let clamped = x.clamp(-708.0, 709.0);
    let shifted = mul_add(clamped, LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add(n, -LN_2_LOW, mul_add(n, -LN_2_HIGH, clamped));
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let value = power * (1.0 + mul_add(r * r, polynomial(&EXP, r), r));
    let value = if x < -708.0 { 0.0 } else { value };
    if x > 709.0 { f64::INFINITY } else { value }
}

/// `(2 artanh z - 2 z) / z^3` in z^2, for |z| <= (sqrt 2 - 1) / (sqrt 2 + 1), within 2.1e-18.
const LN: [[f64; 4]; 2] = [
    [0.666_666_666_666_666_6, 0.400_000_000_000_008_85, 0.285_714_285_707_997_84, 0.222_222_223_925_810_45],
    [0.181_817_955_475_211_37, 0.153_862_447_376_216_65, 0.132_686_383_692_668_25, 0.130_880_348_509_275_55],
];
/// What to add to the bits of a quotient so that its exponent counts from the root of one half.
const FROM_ROOT: u64 = 0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcd;
/// 2^52 as bits and as a number: a whole number below it, put into its low bits, is read off by a subtraction.
const WHOLE_BITS: u64 = 0x4330_0000_0000_0000;
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// The power of two that a positive normal number is nearest to by its ratio: the exponent, and the power itself.
#[inline(always)]
pub fn nearest_power(x: f64) -> (f64, f64) {
    let biased = x.to_bits().wrapping_add(FROM_ROOT) >> 52;
    (f64::from_bits(WHOLE_BITS | biased) - (WHOLE + 1023.0), f64::from_bits(biased << 52))
}

/// `ln(numerator / denominator)` of two positive normal numbers, within 2 ulp also where they are nearly equal: the
/// quotient, whose rounding would be most of such a logarithm, only chooses the power of two.
#[inline(always)]
pub fn ln_ratio(numerator: f64, denominator: f64) -> f64 {
    let (exponent, power) = nearest_power(numerator / denominator);
    let scaled = denominator * power;
    let z = (numerator - scaled) / (numerator + scaled);
    let z2 = z * z;
    let tail = mul_add(exponent, LN_2_LOW, z * z2 * polynomial(&LN, z2));
    mul_add(exponent, LN_2_HIGH, 2.0 * z + tail)
}

/// `ln x` of a positive normal number.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    ln_ratio(x, 1.0)
}

const _: () = assert!(LN_2_HIGH + LN_2_LOW == LN_2);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ulps(ours: f64, theirs: f64) -> f64 {
        ((ours - theirs) / (theirs * f64::EPSILON)).abs()
    }

    proptest! {
        // The library's own functions are within one unit; ours within two.
        #[test]
        fn exponentials(x in -708.0..709.0_f64, small in -1e-3..1e-3_f64) {
            prop_assert!(ulps(exp(x), x.exp()) < 2.5, "{x}");
            prop_assert!(ulps(exp(small), small.exp()) < 2.5, "{small}");
        }

        #[test]
        fn logarithms(a in 1e-300..1e300_f64, b in 1e-3..1e3_f64, near in -0.2..0.2_f64) {
            let ratio = (b * (1.0 + near)) / b;
            if (1e-300..1e300).contains(&(a / b)) {
                prop_assert!((ln_ratio(a, b) - (a / b).ln()).abs() < 4.0 * f64::EPSILON * (a / b).ln().abs().max(1.0));
            }
            prop_assert!((ln_ratio(b * (1.0 + near), b) - ratio.ln()).abs() < 2.0 * f64::EPSILON);
        }
    }

    #[test]
    fn ends() {
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        assert_eq!((exp(-709.0), exp(710.0)), (0.0, f64::INFINITY));
        assert!(exp(f64::NAN).is_nan());
        // One plus 2^-40: the logarithm keeps all its digits, where that of the rounded quotient would not.
        let (strike, step) = (3000.0, 3000.0 / (1_u64 << 40) as f64);
        let exact = (step / strike) * (1.0 - 0.5 * (step / strike));
        assert!(ulps(ln_ratio(strike + step, strike), exact) < 2.0);
    }
}
