//! Stickiness: weighted rendezvous hashing on the client's prefix (Thaler and Ravishankar 1998; weights as in
//! Schindelhauer and Schomaker 2005). Each candidate has a score that depends on nothing but itself, its weight and
//! the prefix; the least score wins. So a candidate that goes takes only its own clients with it, and has them back
//! when it returns; and each has a share of prefixes by its weight.

use std::net::IpAddr;

use super::random::mix;

/// How many leading bits of a client's address are one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PrefixLengths {
    ipv4: u8,
    ipv6: u8,
}

impl PrefixLengths {
    /// `None` when longer than an address.
    pub fn new(ipv4: u8, ipv6: u8) -> Option<PrefixLengths> {
        (ipv4 <= 32 && ipv6 <= 128).then_some(PrefixLengths { ipv4, ipv6 })
    }

    /// The length for each family.
    pub fn lengths(self) -> [u8; 2] {
        [self.ipv4, self.ipv6]
    }

    /// The hash of the client's prefix: of the family's octet and the address with the other bits cleared.
    #[inline]
    pub fn client(self, client: IpAddr) -> u64 {
        match client.to_canonical() {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.ipv4)).unwrap_or(0);
                hash_on(hash(&[4]), &(u32::from(address) & mask).to_be_bytes())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.ipv6)).unwrap_or(0);
                hash_on(hash(&[6]), &(u128::from(address) & mask).to_be_bytes())
            }
        }
    }
}

/// FNV-1a of 64 bits.
pub(super) fn hash(octets: &[u8]) -> u64 {
    hash_on(0xcbf2_9ce4_8422_2325, octets)
}

/// Goes on hashing.
#[inline]
fn hash_on(start: u64, octets: &[u8]) -> u64 {
    octets.iter().fold(start, |hash, &octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

/// The number between 0 and 1, both exclusive, of a candidate for a client.
#[inline(always)]
fn unit(identity: u64, client: u64) -> f64 {
    ((mix(identity ^ client) >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}

/// The score of a candidate: -ln(u) / weight, or -ln(u) for weight 0.
pub(super) fn score(identity: u64, client: u64, weight: u32) -> f64 {
    (0.0 - unit(identity, client).ln()) / f64::from(weight.max(1))
}

/// A key that sorts as the scores do, weight 0 after all others. `worst`: what is as bad as that does not matter,
/// and gets `None`.
#[inline(always)]
pub(super) fn key(identity: u64, client: u64, weight: u32, worst: Option<u64>) -> Option<u64> {
    const LIGHTEST: u64 = 1 << 63;
    let unit = unit(identity, client);
    let divisor = f64::from(weight.max(1));
    // -ln(u) is at least 1 - u: most candidates of many need no logarithm.
    if let Some(worst) = worst
        && weight > 0
        && worst & LIGHTEST == 0
        && 1.0 - unit > f64::from_bits(worst) * divisor * (1.0 + 1e-9)
    {
        return None;
    }
    // Numbers that are not negative order as their bits do.
    // `0.0 -` and not `-`: the key of u = 1 is that of 0, not of negative zero.
    let key = ((0.0 - unit.ln()) / divisor).to_bits() | if weight == 0 { LIGHTEST } else { 0 };
    worst.is_none_or(|worst| key < worst).then_some(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_fnv_1a() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn only_the_prefix_counts() {
        let lengths = PrefixLengths::new(24, 56).unwrap();
        let client = |text: &str| lengths.client(text.parse().unwrap());
        assert_eq!(client("192.0.2.1"), client("192.0.2.255"));
        assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.9"));
        assert_eq!(client("192.0.2.1"), hash(&[4, 192, 0, 2, 0]));
        assert_ne!(client("192.0.2.1"), client("192.0.3.1"));
        assert_eq!(client("2001:db8::1"), client("2001:db8:0:ff::"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:100::"));
        let whole = PrefixLengths::new(0, 0).unwrap();
        assert_eq!(whole.client("192.0.2.1".parse().unwrap()), hash(&[4, 0, 0, 0, 0]));
        assert_eq!(PrefixLengths::new(33, 0), None);
    }

    #[test]
    fn keys_sort_as_scores_and_prune_nothing_better() {
        for client in 0..2000u64 {
            let client = mix(client);
            let weights = [1, 7, 0, 300, 0, 65_535];
            let keys: Vec<u64> = weights
                .iter()
                .zip(0u64..)
                .map(|(&weight, identity)| key(mix(identity), client, weight, None).unwrap())
                .collect();
            let mut best: Option<u64> = None;
            for (&weight, identity) in weights.iter().zip(0u64..) {
                if let Some(better) = key(mix(identity), client, weight, best) {
                    best = Some(better);
                }
            }
            assert_eq!(best, keys.iter().copied().min());
            assert!(keys[2] > keys[0].max(keys[1]).max(keys[3]).max(keys[5]));
            assert_eq!(f64::from_bits(keys[3]), score(mix(3), client, 300));
        }
    }
}
