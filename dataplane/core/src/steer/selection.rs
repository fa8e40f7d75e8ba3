//! The endpoints chosen for a query, and the scratch space to choose them.

use super::random::Random;

/// Most endpoints of an answer.
pub(super) const CAPACITY: usize = 64;

/// An endpoint and the position of its POP in the roster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    pub endpoint: u32,
    pub position: u16,
}

/// A list of at most [`CAPACITY`] candidates.
#[derive(Debug, Clone)]
pub(super) struct List {
    length: usize,
    items: [Candidate; CAPACITY],
}

impl List {
    pub fn new() -> List {
        List { length: 0, items: [Candidate::default(); CAPACITY] }
    }

    #[inline]
    pub fn as_slice(&self) -> &[Candidate] {
        self.items.get(..self.length).unwrap_or_default()
    }

    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a candidate; returns whether there was room.
    #[inline]
    pub fn push(&mut self, candidate: Candidate) -> bool {
        match self.items.get_mut(self.length) {
            Some(item) => {
                *item = candidate;
                self.length += 1;
                true
            }
            None => false,
        }
    }

    /// Removes and returns the candidate at `index`; the last one takes its place.
    #[inline]
    fn swap_remove(&mut self, index: usize) -> Option<Candidate> {
        let last = self.length.checked_sub(1)?;
        let removed = *self.items.get(index)?;
        let moved = *self.items.get(last)?;
        *self.items.get_mut(index)? = moved;
        self.length = last;
        Some(removed)
    }

    /// Sorts by a key, keeping the order of equals.
    pub fn sort_by_key(&mut self, key: impl Fn(&Candidate) -> u16) {
        if let Some(items) = self.items.get_mut(..self.length) {
            // Insertion sort: there are few, and `sort_by_key` of the standard library may allocate.
            for end in 1..items.len() {
                let mut at = end;
                while at > 0 && key(&items[at - 1]) > key(&items[at]) {
                    items.swap(at - 1, at);
                    at -= 1;
                }
            }
        }
    }
}

/// The endpoints chosen for a query, best first, at most 64. Made once per worker and used again for
/// every query: choosing allocates nothing.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The candidates kept so far.
    pub(super) chosen: List,
    /// The candidates that a later stage starts from.
    pub(super) before: List,
    /// The group that is being drawn from.
    pub(super) urn: List,
    endpoints: [u32; CAPACITY],
    length: usize,
}

impl Default for Selection {
    fn default() -> Selection {
        Selection::new()
    }
}

impl Selection {
    /// Nothing chosen.
    pub fn new() -> Selection {
        Selection {
            chosen: List::new(),
            before: List::new(),
            urn: List::new(),
            endpoints: [0; CAPACITY],
            length: 0,
        }
    }

    /// The numbers of the endpoints chosen, best first; empty unless the outcome is an answer.
    #[inline]
    pub fn as_slice(&self) -> &[u32] {
        self.endpoints.get(..self.length).unwrap_or_default()
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// Makes what was chosen the result.
    #[inline]
    pub(super) fn finish(&mut self) {
        self.length = self.chosen.len();
        for (endpoint, candidate) in self.endpoints.iter_mut().zip(self.chosen.as_slice()) {
            *endpoint = candidate.endpoint;
        }
    }
}

/// Moves at most `wanted` of `members` to `chosen` in random order: each next one is drawn from those
/// left in proportion to their weights, those of weight 0 only after all others.
#[inline]
pub(super) fn draw(
    members: impl Iterator<Item = Candidate> + Clone,
    weights: &[u32],
    wanted: usize,
    random: &mut Random,
    urn: &mut List,
    chosen: &mut List,
) {
    urn.clear();
    let mut total = 0u64;
    for candidate in members.clone() {
        if !urn.push(candidate) {
            return draw_of_many(members, weights, wanted, random, urn, chosen);
        }
        total += weight(weights, candidate);
    }
    for _ in 0..wanted.min(urn.len()) {
        let index = pick(urn.as_slice(), weights, total, random);
        let Some(candidate) = urn.swap_remove(index) else { return };
        total -= weight(weights, candidate);
        chosen.push(candidate);
    }
}

#[inline]
fn weight(weights: &[u32], candidate: Candidate) -> u64 {
    u64::from(weights.get(candidate.endpoint as usize).copied().unwrap_or_default())
}

#[inline]
fn pick(urn: &[Candidate], weights: &[u32], total: u64, random: &mut Random) -> usize {
    if urn.len() == 1 {
        return 0;
    }
    if total == 0 {
        return random.below(urn.len() as u64) as usize;
    }
    let mut rest = random.below(total);
    for (index, candidate) in urn.iter().enumerate() {
        let weight = weight(weights, *candidate);
        if rest < weight {
            return index;
        }
        rest -= weight;
    }
    0
}

/// The same for any number of members, in one pass: each gets an exponential variate divided by its
/// weight, the smallest ones win in their order (Efraimidis and Spirakis 2006, "Weighted random
/// sampling with a reservoir").
#[cold]
fn draw_of_many(
    members: impl Iterator<Item = Candidate>,
    weights: &[u32],
    wanted: usize,
    random: &mut Random,
    reservoir: &mut List,
    chosen: &mut List,
) {
    let wanted = wanted.min(CAPACITY);
    let mut keys = [0f64; CAPACITY];
    reservoir.clear();
    for candidate in members {
        let weight = weight(weights, candidate) as f64;
        // A variate is at most 38, so the keys of weight 0 come after all others.
        let key = if weight > 0.0 { -random.unit().ln() / weight } else { 1e6 + random.unit() };
        if reservoir.len() == wanted {
            let worst = wanted.checked_sub(1).and_then(|last| keys.get(last));
            if worst.is_none_or(|&worst| worst <= key) {
                continue;
            }
            reservoir.length -= 1;
        }
        // Insert in the order of the keys.
        let mut at = reservoir.len();
        reservoir.push(candidate);
        if let Some(slot) = keys.get_mut(at) {
            *slot = key;
        }
        while at > 0 && keys[at - 1] > keys[at] {
            keys.swap(at - 1, at);
            reservoir.items.swap(at - 1, at);
            at -= 1;
        }
    }
    for &candidate in reservoir.as_slice() {
        chosen.push(candidate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(count: u32) -> Vec<Candidate> {
        (0..count).map(|endpoint| Candidate { endpoint, position: 0 }).collect()
    }

    fn drawn(weights: &[u32], wanted: usize, random: &mut Random) -> Vec<u32> {
        let (mut urn, mut chosen) = (List::new(), List::new());
        let all = candidates(weights.len() as u32);
        draw(all.iter().copied(), weights, wanted, random, &mut urn, &mut chosen);
        chosen.as_slice().iter().map(|candidate| candidate.endpoint).collect()
    }

    /// Chi squared of the first and of the second draw against the exact probabilities.
    fn chi(weights: &[u32], rounds: u32) -> (f64, f64) {
        let mut random = Random::new(42);
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let share = |w: u32| f64::from(w) / total;
        let mut counts = vec![[0u32; 2]; weights.len()];
        for _ in 0..rounds {
            let order = drawn(weights, 2, &mut random);
            counts[order[0] as usize][0] += 1;
            counts[order[1] as usize][1] += 1;
        }
        let (mut first, mut second) = (0.0, 0.0);
        for (index, &weight) in weights.iter().enumerate() {
            let others = weights.iter().enumerate().filter(|(other, _)| *other != index);
            let after: f64 = others.map(|(_, &w)| share(w) * share(weight) / (1.0 - share(w))).sum();
            let distance = |seen: u32, share: f64| {
                let expected = share * f64::from(rounds);
                (f64::from(seen) - expected).powi(2) / expected
            };
            first += distance(counts[index][0], share(weight));
            second += distance(counts[index][1], after);
        }
        (first, second)
    }

    #[test]
    fn few_are_drawn_by_weight() {
        let (first, second) = chi(&[1, 2, 3, 10], 100_000);
        // Three degrees of freedom: 11.3 is the 1 % point.
        assert!(first < 11.3 && second < 11.3, "{first} {second}");
    }

    #[test]
    fn many_are_drawn_by_weight() {
        let weights: Vec<u32> = (1..=100).collect();
        let (first, second) = chi(&weights, 100_000);
        // 99 degrees of freedom: 134.6 is the 1 % point.
        assert!(first < 134.6 && second < 134.6, "{first} {second}");
    }

    #[test]
    fn weight_zero_comes_last() {
        let mut random = Random::new(3);
        let mut many = vec![0; 100];
        many[70] = 1;
        many[20] = u32::MAX;
        for _ in 0..100 {
            let order = drawn(&[0, 5, 0, 1], 4, &mut random);
            assert!(order[..2].contains(&1) && order[..2].contains(&3));
            let order = drawn(&many, 3, &mut random);
            assert!(order[..2].contains(&20) && order[..2].contains(&70));
        }
    }

    #[test]
    fn all_are_drawn_once_when_fewer_than_wanted() {
        let mut order = drawn(&[3, 0, 4], 64, &mut Random::new(1));
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2]);
        let mut order = drawn(&[1; 200], 64, &mut Random::new(1));
        order.sort_unstable();
        order.dedup();
        assert_eq!(order.len(), 64);
        assert!(drawn(&[], 2, &mut Random::new(1)).is_empty());
    }

    #[test]
    fn sorting_keeps_the_order_of_equals() {
        let mut list = List::new();
        for candidate in candidates(6) {
            list.push(candidate);
        }
        list.sort_by_key(|candidate| candidate.endpoint as u16 % 2);
        assert_eq!(list.as_slice().iter().map(|c| c.endpoint).collect::<Vec<_>>(), [0, 2, 4, 1, 3, 5]);
    }
}
