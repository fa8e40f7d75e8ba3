//! The table that a query looks a client's address up in.

use super::cover::Cover;
use super::prefix::Address;
use crate::memory::prefetch;

/// A bucket whose prefixes take more octets than this (a few cache lines) gets an index of its own.
const CROWDED: usize = 512;
/// Most bits that the first and the second level of the index look at.
const FIRST_BITS: u8 = 20;
const SECOND_BITS: u8 = 16;
/// Set in a bucket that has a second level, whose number the other bits are.
const HAS_SECOND: u32 = 1 << 31;

/// A cover with an index of at most two levels: the first address bits pick a bucket, in a crowded
/// bucket the next bits pick one again, and the few prefixes left are searched. It suits IPv6 too,
/// where nearly all prefixes share few first bits.
#[derive(Debug)]
pub struct Table<A: Address> {
    leaves: Box<[Leaf<A>]>,
    /// Bits that the first level looks at.
    bits: u8,
    /// 2^bits buckets and one more that ends the last: the number of the prefix that holds the bucket's first address,
    /// or [`HAS_SECOND`].
    buckets: Box<[u32]>,
    seconds: Box<[Second]>,
    /// The second levels, each of 2^its-bits entries and one more: the number of the prefix that
    /// holds the first address of that part.
    parts: Box<[u32]>,
}

/// What a lookup looks at, in this order.
#[derive(Debug, Clone, Copy)]
pub enum Level {
    /// The index.
    Bucket,
    /// The prefixes.
    Leaves,
}

/// The start of a prefix, and its value beside it, in the same cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
struct Leaf<A: Address> {
    start: A,
    value: u32,
}

/// The second level of a crowded bucket.
#[derive(Debug, Clone, Copy)]
struct Second {
    /// Number of the prefix that holds the bucket's first address.
    first: u32,
    /// Where it starts in `parts`.
    part: u32,
    /// Bits that it looks at.
    bits: u8,
}

impl<A: Address> Table<A> {
    /// Builds the index of a cover, of fewer than 2^31 prefixes.
    pub fn new(cover: Cover<A>) -> Table<A> {
        let (starts, values) = cover.into_parts();
        let bits = index_bits(starts.len(), FIRST_BITS);
        let firsts = firsts(&starts, A::default(), 0, bits, 0);
        let (mut parts, mut seconds) = (Vec::new(), Vec::new());
        let mut buckets = Vec::with_capacity(firsts.len());
        for (number, &first) in firsts.iter().enumerate() {
            let count = firsts.get(number + 1).map_or(0, |&end| end as usize - first as usize);
            if count * size_of::<Leaf<A>>() <= CROWDED || bits == 0 {
                buckets.push(first);
                continue;
            }
            let second = Second {
                first,
                part: parts.len() as u32,
                bits: index_bits(count, SECOND_BITS.min(A::BITS - bits)),
            };
            let base = A::from_top(number, bits);
            parts.extend(self::firsts(&starts, base, bits, second.bits, first as usize));
            buckets.push(HAS_SECOND | seconds.len() as u32);
            seconds.push(second);
        }
        let leaves = starts.iter().zip(values).map(|(&start, value)| Leaf { start, value }).collect();
        Table { leaves, bits, buckets: buckets.into(), seconds: seconds.into(), parts: parts.into() }
    }

    /// Number of prefixes, at least 1.
    #[allow(clippy::len_without_is_empty)] // A table is never empty.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Octets of memory that it holds.
    pub fn size(&self) -> usize {
        size_of_val(&*self.leaves)
            + size_of_val(&*self.buckets)
            + size_of_val(&*self.seconds)
            + size_of_val(&*self.parts)
    }

    /// Asks for what a lookup of `address` looks at on `level`; what it looks at before should be there.
    #[inline]
    pub fn prefetch(&self, address: A, level: Level) {
        match level {
            Level::Bucket => {
                if let Some(bucket) = self.buckets.get(address.bits(0, self.bits)) {
                    prefetch(bucket);
                }
            }
            Level::Leaves => {
                let (from, to) = self.range(address);
                for number in [from, to.saturating_sub(1)] {
                    if let Some(leaf) = self.leaves.get(number) {
                        prefetch(leaf);
                    }
                }
            }
        }
    }

    /// The value of the prefix that holds `address`.
    #[inline]
    pub fn lookup(&self, address: A) -> u32 {
        let (from, to) = self.range(address);
        // The prefix at `from` starts at or before the address, the one after `to` beyond it.
        let few = self.leaves.get(from..to).unwrap_or_default();
        let index = from + few.partition_point(|leaf| { leaf.start } <= address).saturating_sub(1);
        self.leaves.get(index).map_or(0, |leaf| leaf.value)
    }

    /// The range of the few prefixes among which that of `address` is.
    #[inline]
    fn range(&self, address: A) -> (usize, usize) {
        let number = address.bits(0, self.bits);
        let Some(&[bucket, after]) = self.buckets.get(number..number + 2) else { return (0, self.len()) };
        if let Some(second) = self.second(bucket) {
            let part = second.part as usize + address.bits(self.bits, second.bits);
            if let Some(&[first, after]) = self.parts.get(part..part + 2) {
                return (first as usize, after as usize + 1);
            }
        }
        (self.first(bucket), self.first(after) + 1)
    }

    #[inline]
    fn second(&self, bucket: u32) -> Option<&Second> {
        if bucket & HAS_SECOND == 0 { None } else { self.seconds.get((bucket & !HAS_SECOND) as usize) }
    }

    /// Number of the prefix that holds a bucket's first address.
    #[inline]
    fn first(&self, bucket: u32) -> usize {
        self.second(bucket).map_or(bucket, |second| second.first) as usize
    }
}

/// Bits for an index over `count` prefixes: about four a bucket.
fn index_bits(count: usize, most: u8) -> u8 {
    (count.max(1).ilog2() as u8).saturating_sub(2).min(most)
}

/// For each value of the `bits` that follow the first `skip`, those being as in `base`: the number of
/// the prefix that holds the first such address. One more entry for the address after the last.
fn firsts<A: Address>(starts: &[A], base: A, skip: u8, bits: u8, from: usize) -> Vec<u32> {
    let parts = 1usize << bits;
    let mut all = Vec::with_capacity(parts + 1);
    let mut index = from;
    let mut advance = |address: A| {
        while starts.get(index + 1).is_some_and(|&start| start <= address) {
            index += 1;
        }
        index as u32
    };
    for part in 0..parts {
        all.push(advance(base.with(A::from_top(part, skip + bits))));
    }
    all.push(advance(base.with(A::host_mask(skip))));
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geo::cover::tests::{fixed, prefixes, probes};
    use crate::geo::prefix::Prefix;
    use proptest::prelude::*;

    fn agrees<A: Address>(cover: &Cover<A>, addresses: impl IntoIterator<Item = A>) {
        let table = Table::new(cover.clone());
        for address in addresses {
            assert_eq!(table.lookup(address), cover.find(address).1, "{address:?}");
        }
    }

    proptest! {
        #![proptest_config(fixed(ProptestConfig::default()))]

        #[test]
        fn lookup_equals_search(list in prefixes()) {
            agrees(&Cover::from_nested(list.clone(), 0), probes(&list));
        }
    }

    #[test]
    fn crowded_buckets_are_found_in() {
        // 60,000 prefixes within 2a00::/8 and some beside: both index levels are in use.
        let mut list = Vec::new();
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u128::from(state >> 16)
        };
        for number in 0..60_000u32 {
            let length = 24 + (random() % 40) as u8;
            let top = if number % 50 == 0 { 0x2001_0000 } else { 0x2a00_0000 | (random() & 0x1f_ffff) };
            let start = (top << 96 | random() << 60) & !u128::host_mask(length);
            list.push((Prefix { start, length }, number));
        }
        let cover = Cover::from_nested(list.clone(), 0);
        let table = Table::new(cover.clone());
        assert!(!table.seconds.is_empty());
        agrees(&cover, list.iter().flat_map(|(p, _)| [p.start, p.last(), p.last().wrapping_add(1)]));
        agrees(&cover, [0, u128::MAX, 1 << 127]);
    }

    #[test]
    fn one_prefix_holds_every_address() {
        let table = Table::new(Cover::<u32>::whole(9));
        assert_eq!((table.lookup(0), table.lookup(0xc000_0201), table.lookup(u32::MAX)), (9, 9, 9));
    }
}
