//! CRC-32C of records by the processor's own instruction, eight bytes at a time. That instruction takes three cycles, and
//! one can begin in each: so a record is summed in four lanes at once, whose sums a carry-less multiplication each moves to
//! where they belong (Gopal et al., Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction, Intel, 2011). A
//! library for long buffers pays for its set-up more than a record of two to six lines costs here.

use shrike_core::event::Header;

/// The check sum of a record whose header's crc field counts as zero; `None` where the processor has no instructions for
/// it, or no event has a body of this length.
#[inline]
pub(crate) fn hardware(header: &Header, body: &[u8]) -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") && std::arch::is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the processor has the instructions.
        return unsafe { x86::sum(header, body) };
    }
    let _ = (header, body);
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use shrike_core::event::Header;
    use std::arch::x86_64::{_mm_clmulepi64_si128, _mm_crc32_u64, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_xor_si128};

    /// What moves a sum so many words on: x^(64 words - 33) modulo the polynomial, lowest power first.
    const fn moved_by(words: usize) -> i64 {
        let (mut power, mut bit) = (1u32 << 31 >> (64 - 33), 64);
        while bit < 64 * words {
            power = if power & 1 == 0 { power >> 1 } else { power >> 1 ^ 0x82f6_3b78 };
            bit += 1;
        }
        power as i64
    }

    /// Words of each of the last three lanes: the header is in the first.
    const fn lane_of(body: usize) -> usize {
        let (quarter, third) = ((body + Header::SIZE / 8) / 4, body / 3);
        if quarter < third { quarter } else { third }
    }

    /// By the lengths that bodies have: each is a straight run of instructions.
    #[target_feature(enable = "sse4.2,pclmulqdq")]
    #[inline]
    pub(super) fn sum(header: &Header, body: &[u8]) -> Option<u32> {
        let (words, _) = body.as_chunks::<8>();
        match body.len() {
            80 => words.first_chunk().map(|words| in_lanes::<10>(header, words)),
            144 => words.first_chunk().map(|words| in_lanes::<18>(header, words)),
            208 => words.first_chunk().map(|words| in_lanes::<26>(header, words)),
            336 => words.first_chunk().map(|words| in_lanes::<42>(header, words)),
            _ => None,
        }
    }

    /// The first lane is the header and what follows it; the other three divide the rest of the body.
    #[target_feature(enable = "sse4.2,pclmulqdq")]
    fn in_lanes<const WORDS: usize>(header: &Header, body: &[[u8; 8]; WORDS]) -> u32 {
        let lane = const { lane_of(WORDS) };
        let (first, rest) = body.split_at(WORDS - 3 * lane);
        let (second, rest) = rest.split_at(lane);
        let (third, fourth) = rest.split_at(lane);
        let mut sums = [0; 3];
        for ((b, c), d) in second.iter().zip(third).zip(fourth) {
            let [of_b, of_c, of_d] = &mut sums;
            *of_b = _mm_crc32_u64(*of_b, u64::from_le_bytes(*b));
            *of_c = _mm_crc32_u64(*of_c, u64::from_le_bytes(*c));
            *of_d = _mm_crc32_u64(*of_d, u64::from_le_bytes(*d));
        }
        let &[length, crc_and_flags, ref others @ ..]: &[u64; 6] = bytemuck::cast_ref(header);
        let mut sum = _mm_crc32_u64(u64::from(u32::MAX), length);
        // The crc is the lower half of its word.
        sum = _mm_crc32_u64(sum, crc_and_flags & !u64::from(u32::MAX));
        for &word in others {
            sum = _mm_crc32_u64(sum, word);
        }
        for word in first {
            sum = _mm_crc32_u64(sum, u64::from_le_bytes(*word));
        }
        let moved = |sum: u64, by: i64| _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, sum as i64), _mm_set_epi64x(0, by));
        let [second, third, fourth] = sums;
        let near = _mm_xor_si128(
            moved(second, const { moved_by(2 * lane_of(WORDS)) }),
            moved(third, const { moved_by(lane_of(WORDS)) }),
        );
        let all = _mm_xor_si128(moved(sum, const { moved_by(3 * lane_of(WORDS)) }), near);
        !((fourth ^ _mm_crc32_u64(0, _mm_cvtsi128_si64(all) as u64)) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The library's sum is the oracle, for every length that a body has, whatever the crc field holds.
        #[test]
        fn equals_the_library(
            words in prop::collection::vec(any::<u64>(), 42),
            header in any::<[u64; 6]>(),
            lines in prop::sample::select(vec![1usize, 2, 3, 5]),
        ) {
            let header: Header = bytemuck::cast(header);
            let body: &[u8] = &bytemuck::cast_slice(&words)[..16 + 64 * lines];
            let blank = Header { crc: 0, ..header };
            if let Some(crc) = hardware(&header, body) {
                prop_assert_eq!(crc, crc32c::crc32c_append(crc32c::crc32c(bytemuck::bytes_of(&blank)), body));
            }
        }
    }
}
