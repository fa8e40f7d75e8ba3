//! Covers: disjoint prefixes that together hold every address of a family, each with a number.

use super::prefix::{Address, Prefix};

/// A full cover of one family's address space, in address order.
///
/// Only the starts are kept: each prefix ends where the next starts, so its length follows from both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover<A> {
    starts: Box<[A]>,
    values: Box<[u32]>,
}

impl<A: Address> Cover<A> {
    /// One prefix of length 0.
    pub fn whole(value: u32) -> Cover<A> {
        Cover { starts: [A::default()].into(), values: [value].into() }
    }

    /// The cover in which each address has the value of the longest of `prefixes` that holds it, or
    /// `absent`. Of equal prefixes the last one given counts.
    pub fn from_nested(mut prefixes: Vec<(Prefix<A>, u32)>, absent: u32) -> Cover<A> {
        prefixes.sort_by_key(|&(prefix, _)| prefix);
        let mut builder = CoverBuilder::new();
        let mut open: Vec<(A, u32)> = Vec::new();
        for (prefix, value) in prefixes {
            while let Some(&(last, outer)) = open.last().filter(|(last, _)| *last < prefix.start) {
                builder.fill_to(last.successor(), outer);
                open.pop();
            }
            builder.fill_to(Some(prefix.start), open.last().map_or(absent, |&(_, outer)| outer));
            open.push((prefix.last(), value));
        }
        while let Some((last, value)) = open.pop() {
            builder.fill_to(last.successor(), value);
        }
        builder.finish(absent)
    }

    /// Number of prefixes, at least 1.
    #[allow(clippy::len_without_is_empty)] // A cover is never empty.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The starts, ascending; the first is zero.
    pub fn starts(&self) -> &[A] {
        &self.starts
    }

    /// The values, in the order of the starts.
    pub fn values(&self) -> &[u32] {
        &self.values
    }

    /// The start and the value arrays.
    pub fn into_parts(self) -> (Box<[A]>, Box<[u32]>) {
        (self.starts, self.values)
    }

    /// The prefix that holds `address`, and its value.
    pub fn find(&self, address: A) -> (Prefix<A>, u32) {
        let index = self.starts.partition_point(|&start| start <= address).saturating_sub(1);
        self.leaf(index)
    }

    /// Every prefix and its value, in address order.
    pub fn leaves(&self) -> impl Iterator<Item = (Prefix<A>, u32)> + '_ {
        (0..self.len()).map(|index| self.leaf(index))
    }

    fn leaf(&self, index: usize) -> (Prefix<A>, u32) {
        let start = self.starts.get(index).copied().unwrap_or_default();
        let length = A::BITS - start.exponent_to(self.starts.get(index + 1).copied());
        (Prefix { start, length }, self.values.get(index).copied().unwrap_or_default())
    }

    /// The prefixes that share addresses with `prefix`, cut to it, with their values, in address order.
    pub fn within(&self, prefix: Prefix<A>) -> impl Iterator<Item = (Prefix<A>, u32)> + '_ {
        let first = self.starts.partition_point(|&start| start <= prefix.start).saturating_sub(1);
        let leaves = (first..self.len()).map(|index| self.leaf(index));
        leaves
            .take_while(move |(leaf, _)| leaf.start <= prefix.last())
            .map(move |(leaf, value)| (if leaf.length < prefix.length { prefix } else { leaf }, value))
    }

    /// Calls `visit` with each prefix of the product of two covers and both values, in address order.
    pub fn join(&self, other: &Cover<A>, mut visit: impl FnMut(Prefix<A>, u32, u32)) {
        // Prefixes nest: the longer is the part that both share.
        self.join_prefixes(other, |(a, left), (b, right)| {
            visit(if a.length < b.length { b } else { a }, left, right);
        });
    }

    /// The same with both prefixes.
    fn join_prefixes(&self, other: &Cover<A>, mut visit: impl FnMut((Prefix<A>, u32), (Prefix<A>, u32))) {
        let mut left = self.leaves().peekable();
        let mut right = other.leaves().peekable();
        while let (Some(&a), Some(&b)) = (left.peek(), right.peek()) {
            visit(a, b);
            let (a_last, b_last) = (a.0.last(), b.0.last());
            if a_last <= b_last {
                left.next();
            }
            if b_last <= a_last {
                right.next();
            }
        }
    }

    /// The cover with each value replaced, collapsed.
    pub fn map(&self, mut value: impl FnMut(u32) -> u32) -> Cover<A> {
        let mut builder = CoverBuilder::new();
        for (prefix, old) in self.leaves() {
            builder.push(prefix.length, value(old));
        }
        builder.finish(0)
    }

    /// The product of two covers, collapsed: since prefixes nest, each prefix of the product is the
    /// longer of the two that hold it.
    pub fn overlay(&self, other: &Cover<A>, mut combine: impl FnMut(u32, u32) -> u32) -> Cover<A> {
        self.overlay_prefixes(other, |(_, left), (_, right)| combine(left, right))
    }

    /// [`Cover::overlay`] for a value that follows from the prefixes too.
    pub fn overlay_prefixes(
        &self,
        other: &Cover<A>,
        mut combine: impl FnMut((Prefix<A>, u32), (Prefix<A>, u32)) -> u32,
    ) -> Cover<A> {
        let mut builder = CoverBuilder::new();
        self.join_prefixes(other, |a, b| builder.push(a.0.length.max(b.0.length), combine(a, b)));
        builder.finish(0)
    }
}

/// A prefix that does not follow the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the prefixes overlap or are out of order")]
pub struct OutOfOrder;

/// Builds a [`Cover`] from the lowest address on. Two halves of a prefix that have the same value
/// become one as soon as the second is there, so that the result is the smallest possible.
#[derive(Debug)]
pub struct CoverBuilder<A> {
    starts: Vec<A>,
    values: Vec<u32>,
    /// The first address that is not covered yet; `None` when all are.
    next: Option<A>,
}

impl<A: Address> Default for CoverBuilder<A> {
    fn default() -> Self {
        CoverBuilder::new()
    }
}

impl<A: Address> CoverBuilder<A> {
    /// Nothing covered yet.
    pub fn new() -> CoverBuilder<A> {
        CoverBuilder { starts: Vec::new(), values: Vec::new(), next: Some(A::default()) }
    }

    /// Number of prefixes so far.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether nothing is covered yet.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Adds a prefix; the addresses between the last one and it get `absent`.
    ///
    /// # Errors
    /// [`OutOfOrder`] when it starts before the end of the last one.
    pub fn place(&mut self, prefix: Prefix<A>, value: u32, absent: u32) -> Result<(), OutOfOrder> {
        if self.next.is_none_or(|next| prefix.start < next) {
            return Err(OutOfOrder);
        }
        self.fill_to(Some(prefix.start), absent);
        self.push(prefix.length, value);
        Ok(())
    }

    /// Covers what is left with `absent` and returns the cover.
    pub fn finish(mut self, absent: u32) -> Cover<A> {
        self.fill_to(None, absent);
        Cover { starts: self.starts.into(), values: self.values.into() }
    }

    /// Covers the addresses before `end` (`None`: all) with the fewest prefixes.
    fn fill_to(&mut self, end: Option<A>, value: u32) {
        while let Some(next) = self.next {
            if end.is_some_and(|end| end <= next) {
                return;
            }
            self.push(A::BITS - next.zeros().min(next.exponent_to(end)), value);
        }
    }

    /// Covers the prefix of `length` at the first address that is not covered, which must be its start.
    fn push(&mut self, length: u8, value: u32) {
        let Some(start) = self.next else { return };
        debug_assert!(!start.has_any(A::host_mask(length)), "{start:?}/{length} is no prefix");
        self.next = start.with(A::host_mask(length)).successor();
        let mut length = length;
        let mut start = start;
        // A lower half with the same value: both become the prefix one bit shorter.
        while let (Some(&lower), Some(&same)) = (self.starts.last(), self.values.last()) {
            let siblings = length > 0
                && same == value
                && lower.exponent_to(Some(start)) == A::BITS - length
                && !lower.has_any(A::host_mask(length - 1));
            if !siblings {
                break;
            }
            self.starts.pop();
            self.values.pop();
            start = lower;
            length -= 1;
        }
        self.starts.push(start);
        self.values.push(value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// The same cases on every run, unless `PROPTEST_RNG_SEED` asks for others.
    pub(crate) fn fixed(mut config: ProptestConfig) -> ProptestConfig {
        if config.rng_seed == RngSeed::Random {
            config.rng_seed = RngSeed::Fixed(1);
        }
        config.failure_persistence = None;
        config
    }

    /// Nested prefixes crowded into few high bits, so that they meet, plus a few long ones.
    pub(crate) fn prefixes() -> impl Strategy<Value = Vec<(Prefix<u32>, u32)>> {
        let length = prop_oneof![0..=8u8, 24..=32u8];
        let one = (any::<u32>(), length, 1..4u32).prop_map(|(bits, length, value)| {
            let start = (bits & 0xe000_0007) & !u32::host_mask(length);
            (Prefix { start, length }, value)
        });
        prop::collection::vec(one, 0..24)
    }

    fn slow_find(prefixes: &[(Prefix<u32>, u32)], address: u32) -> u32 {
        let mut best: Option<(Prefix<u32>, u32)> = None;
        for &(prefix, value) in prefixes {
            if prefix.contains(address) && best.is_none_or(|(b, _)| b.length <= prefix.length) {
                best = Some((prefix, value));
            }
        }
        best.map_or(0, |(_, value)| value)
    }

    /// Addresses at and beside every boundary.
    pub(crate) fn probes(prefixes: &[(Prefix<u32>, u32)]) -> Vec<u32> {
        let mut all = vec![0, u32::MAX, 0x7fff_ffff, 0x8000_0000];
        for (prefix, _) in prefixes {
            all.extend([
                prefix.start,
                prefix.last(),
                prefix.start.wrapping_sub(1),
                prefix.last().wrapping_add(1),
            ]);
        }
        all
    }

    fn is_full_and_minimal(cover: &Cover<u32>) {
        let leaves: Vec<_> = cover.leaves().collect();
        let mut next = Some(0u32);
        for (prefix, _) in &leaves {
            assert_eq!(Some(prefix.start), next);
            assert_eq!(Prefix::new(prefix.start, prefix.length), Some(*prefix));
            next = prefix.last().successor();
        }
        assert_eq!(next, None);
        for pair in leaves.windows(2) {
            let ((a, a_value), (b, b_value)) = (pair[0], pair[1]);
            let halves = a.length == b.length && !a.start.has_any(u32::host_mask(a.length - 1));
            assert!(!(halves && a_value == b_value), "{a} and {b} are halves with one value");
        }
    }

    proptest! {
        #![proptest_config(fixed(ProptestConfig::default()))]

        #[test]
        fn nested_prefixes_give_the_longest_match(list in prefixes()) {
            let cover = Cover::from_nested(list.clone(), 0);
            is_full_and_minimal(&cover);
            for address in probes(&list) {
                prop_assert_eq!(cover.find(address).1, slow_find(&list, address));
                prop_assert!(cover.find(address).0.contains(address));
            }
        }

        #[test]
        fn overlay_is_pointwise(a in prefixes(), b in prefixes()) {
            let left = Cover::from_nested(a.clone(), 0);
            let right = Cover::from_nested(b.clone(), 0);
            let both = left.overlay(&right, |x, y| x * 10 + y);
            is_full_and_minimal(&both);
            for address in probes(&a).into_iter().chain(probes(&b)) {
                prop_assert_eq!(both.find(address).1, left.find(address).1 * 10 + right.find(address).1);
            }
        }

        #[test]
        fn parts_of_a_cover_are_cut_to_the_prefix(list in prefixes(), bits: u32, length in 0..=32u8) {
            let cover = Cover::from_nested(list.clone(), 0);
            let whole = Prefix { start: bits & 0xe000_0007 & !u32::host_mask(length), length };
            let mut next = Some(whole.start);
            for (part, value) in cover.within(whole) {
                prop_assert_eq!(Some(part.start), next);
                prop_assert!(part.last() <= whole.last());
                prop_assert_eq!(cover.find(part.start).1, value);
                prop_assert_eq!(cover.find(part.last()).1, value);
                next = part.last().successor();
            }
            prop_assert_eq!(next, whole.last().successor());
        }

        #[test]
        fn map_collapses_and_keeps_values(list in prefixes()) {
            let cover = Cover::from_nested(list.clone(), 0);
            let halved = cover.map(|value| value / 2);
            is_full_and_minimal(&halved);
            for address in probes(&list) {
                prop_assert_eq!(halved.find(address).1, cover.find(address).1 / 2);
            }
        }
    }

    #[test]
    fn gaps_are_filled_and_disorder_is_refused() {
        let mut builder = CoverBuilder::new();
        let half = Prefix { start: 0x8000_0000u32, length: 1 };
        builder.place(Prefix { start: 0x4000_0000, length: 2 }, 7, 0).unwrap();
        builder.place(half, 7, 0).unwrap();
        assert_eq!(builder.place(half, 7, 0), Err(OutOfOrder));
        let cover = builder.finish(0);
        assert_eq!(cover.values(), [0, 7, 7]);
        assert_eq!(cover.starts(), [0, 0x4000_0000, 0x8000_0000]);
    }

    #[test]
    fn one_value_everywhere_is_one_prefix() {
        let cover = Cover::<u128>::from_nested(vec![(Prefix { start: 1, length: 128 }, 5)], 5);
        assert_eq!(cover, Cover::whole(5));
        assert_eq!(cover.find(u128::MAX).0.length, 0);
    }
}
