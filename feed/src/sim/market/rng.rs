//! The generated market's own randomness: xoshiro256++ (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number
//! generators", 2021), seeded through splitmix64. Integers only, so a seed gives the same bytes on every machine.

/// A stream of random numbers; each contract has its own.
#[derive(Clone, Debug)]
pub(super) struct Rng([u64; 4]);

impl Rng {
    /// Variance of [`Self::bell`] is 8; its standard deviation is 181/64.
    pub const BELL_DEVIATION_64THS: i64 = 181;

    /// The stream of a seed and a contract.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut state = seed ^ (stream + 1).wrapping_mul(0xD134_2543_DE82_EF95);
        Self(std::array::from_fn(|_| splitmix(&mut state)))
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let word = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        word
    }

    /// A number in `0..n`; zero when `n` is. The bias is below 2^-32 of `n`.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// A number in `low..=high`.
    #[inline]
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True once in a thousand, `per_mille` times.
    #[inline]
    pub fn per_mille(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }
}

/// A symmetric binomial number of 32 random bits: -16 to 16, nearly normal.
#[inline]
pub(super) const fn bell(bits: u32) -> i64 {
    bits.count_ones() as i64 - 16
}

/// S. Vigna's splitmix64.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_reference_sequences() {
        // The published C sources, run from these states.
        let mut rng = Rng([1, 2, 3, 4]);
        let words: Vec<u64> = (0..6).map(|_| rng.bits()).collect();
        let reference =
            [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205];
        assert_eq!(words.get(..5), Some(&reference[..]));
        assert_eq!(splitmix(&mut 1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn bell_has_the_stated_deviation() {
        let mut rng = Rng::new(7, 0);
        let n = 100_000;
        let (sum, squares) = (0..n).map(|_| bell(rng.bits() as u32)).fold((0, 0), |(s, q), x| (s + x, q + x * x));
        assert!(sum.abs() < 3 * 3 * 317, "mean {sum} / {n}");
        assert!((squares - 8 * n).abs() < n / 5, "variance {squares} / {n}");
        assert!((Rng::BELL_DEVIATION_64THS.pow(2) - 8 * 64 * 64).abs() < 64);
    }
}
