//! CRC-32C of records by the processor's own instruction, eight bytes at a time. That instruction takes three cycles, and
//! one can begin in each: so a record is summed in four lanes at once, whose sums a carry-less multiplication each moves to
//! where they belong (Gopal et al., Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction, Intel, 2011). A
//! library for long buffers pays for its set-up more than a record of two to six lines costs here.

use shrike_core::event::Header;

/// The check sum of a record whose body fills its last line; `None` where the processor has no instructions for it, or the
/// body is not whole words.
#[inline]
pub(crate) fn hardware(header: &Header, body: &[u8]) -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    if let (words, []) = body.as_chunks::<8>()
        && std::arch::is_x86_feature_detected!("sse4.2")
        && std::arch::is_x86_feature_detected!("pclmulqdq")
    {
        // SAFETY: the processor has the instructions.
        return Some(unsafe { x86::sum(bytemuck::cast_ref(header), words) });
    }
    let _ = (header, body);
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{_mm_clmulepi64_si128, _mm_crc32_u64, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_xor_si128};

    /// Words of the longest lane: records up to 512 bytes. Longer ones are rare, and summed in one lane.
    const LANE_MAX: usize = 16;

    /// By words: what moves a sum so many words on, x^(64 words - 33) modulo the polynomial, lowest power first.
    const MOVES: [u32; 3 * LANE_MAX + 1] = {
        let mut moves = [0; 3 * LANE_MAX + 1];
        let (mut words, mut power) = (1, 1 << 31 >> (64 - 33));
        while words < moves.len() {
            moves[words] = power;
            let mut bit = 0;
            while bit < 64 {
                power = if power & 1 == 0 { power >> 1 } else { power >> 1 ^ 0x82f6_3b78 };
                bit += 1;
            }
            words += 1;
        }
        moves
    };

    /// The first lane is the header and what follows it; the other three divide the rest of the body.
    #[target_feature(enable = "sse4.2,pclmulqdq")]
    pub(super) fn sum(header: &[u64; 6], body: &[[u8; 8]]) -> u32 {
        let quarter = ((body.len() + header.len()) / 4).min(body.len() / 3);
        let lane = if quarter <= LANE_MAX { quarter } else { 0 };
        let (first, rest) = body.split_at(body.len() - 3 * lane);
        let ((second, rest), move_by) = (rest.split_at(lane), |words: usize| MOVES.get(words).copied().unwrap_or(0));
        let (third, fourth) = rest.split_at(lane);
        let mut sums = [0; 3];
        for ((b, c), d) in second.iter().zip(third).zip(fourth) {
            let [of_b, of_c, of_d] = &mut sums;
            *of_b = _mm_crc32_u64(*of_b, u64::from_le_bytes(*b));
            *of_c = _mm_crc32_u64(*of_c, u64::from_le_bytes(*c));
            *of_d = _mm_crc32_u64(*of_d, u64::from_le_bytes(*d));
        }
        let mut sum = u64::from(u32::MAX);
        for &word in header {
            sum = _mm_crc32_u64(sum, u64::from_le(word));
        }
        for word in first {
            sum = _mm_crc32_u64(sum, u64::from_le_bytes(*word));
        }
        if lane > 0 {
            let [second, third, fourth] = sums;
            let moved = |sum: u64, words: usize| {
                let (sum, by) = (_mm_set_epi64x(0, sum as i64), _mm_set_epi64x(0, i64::from(move_by(words))));
                _mm_clmulepi64_si128::<0>(sum, by)
            };
            let near = _mm_xor_si128(moved(second, 2 * lane), moved(third, lane));
            let all = _mm_xor_si128(moved(sum, 3 * lane), near);
            sum = fourth ^ _mm_crc32_u64(0, _mm_cvtsi128_si64(all) as u64);
        }
        !(sum as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shrike_core::event::Seq;

    proptest! {
        /// The library's sum is the oracle, for any number of words: up to the longest lanes and beyond.
        #[test]
        fn equals_the_library(words in prop::collection::vec(any::<u64>(), 0..90), len in any::<u32>(), seq in any::<u64>()) {
            let header = Header { len, seq: Seq::from_raw(seq), ..Header::default() };
            let body = bytemuck::cast_slice(&words);
            if let Some(crc) = hardware(&header, body) {
                prop_assert_eq!(crc, crc32c::crc32c_append(crc32c::crc32c(bytemuck::bytes_of(&header)), body));
            }
        }
    }
}
