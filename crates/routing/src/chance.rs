//! Numbers that look random and are not: the same from the same input on every machine.

/// Mixes a number so that each of its bits changes half of the result's (splitmix64).
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number for a text (FNV-1a, mixed).
pub(crate) fn hash(text: &str) -> u64 {
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3)))
}

/// A number below `bound` from a random one; 0 when `bound` is.
pub(crate) fn below(bound: u64, random: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// The negative binary logarithm of `random` taken as a fraction of 2^64, in units of 2^-32.
/// Integers only: floating point differs between machines, and a choice must not.
pub(crate) fn minus_log2(random: u64) -> u64 {
    let number = random.max(1);
    let zeros = number.leading_zeros();
    // What follows the leading one, as a number from 1 to 2 in units of 2^-63.
    let mut mantissa = number << zeros;
    let mut fraction = 0_u64;
    for _ in 0..32 {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let carry = (square >> 127) as u64;
        mantissa = (square >> (63 + carry)) as u64;
        fraction = fraction << 1 | carry;
    }
    ((u64::from(zeros) + 1) << 32) - fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_the_fraction() {
        for (random, log) in
            [(u64::MAX, 0.0), (1 << 63, 1.0), (1 << 62, 2.0), (3 << 62, 0.415_037_5), (1, 64.0), (0, 64.0)]
        {
            let is = minus_log2(random) as f64 / f64::from(u32::MAX);
            assert!((is - log).abs() < 1e-6, "{random}: {is}");
        }
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        assert_eq!((below(0, u64::MAX), below(1, u64::MAX), below(10, u64::MAX), below(10, 0)), (0, 0, 9, 0));
        assert_ne!(hash("a"), hash("b"));
    }
}
