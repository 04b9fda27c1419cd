//! CRC-32C of frames by the processor's own instruction, eight bytes at a time, without the set-up that a library for long
//! buffers pays for each: on frames of two to six lines that is most of the cost. Relies on: the processor having
//! SSE 4.2, which is asked for before each use.

/// The check sum of these parts one after the other; `None` where the processor has no
/// instruction for it.
#[inline]
pub(crate) fn hardware(parts: [&[u8]; 3]) -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has the instruction.
        return Some(unsafe { sum(parts) });
    }
    let _ = parts;
    None
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn sum(parts: [&[u8]; 3]) -> u32 {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};
    let mut crc = u64::from(u32::MAX);
    for part in parts {
        let (words, rest) = part.as_chunks::<8>();
        for word in words {
            crc = _mm_crc32_u64(crc, u64::from_le_bytes(*word));
        }
        for &byte in rest {
            crc = u64::from(_mm_crc32_u8(crc as u32, byte));
        }
    }
    !(crc as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The library's sum is the oracle, for any lengths.
        #[test]
        fn equals_the_library(bytes in prop::collection::vec(any::<u8>(), 0..700), cuts in any::<(u16, u16)>()) {
            let first = usize::from(cuts.0) % (bytes.len() + 1);
            let second = first + usize::from(cuts.1) % (bytes.len() - first + 1);
            let parts = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            if let Some(crc) = hardware(parts) {
                prop_assert_eq!(crc, crc32c::crc32c(&bytes));
            }
        }
    }
}
