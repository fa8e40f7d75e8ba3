//! Drawing from a group of equals: at random by weight, or by the client's prefix.

use super::random::Random;
use super::selection::{CAPACITY, Candidate, List};
use super::sticky;

/// Candidates that can be gone through more than once. Not an iterator: nested loops that are written out are several
/// times as fast as nested iterators.
pub(super) trait Members: Copy {
    /// Shows each in order, for as long as the answer is that more are wanted.
    fn each(self, more: impl FnMut(Candidate) -> bool);
}

impl Members for &[Candidate] {
    #[inline(always)]
    fn each(self, mut more: impl FnMut(Candidate) -> bool) {
        for &candidate in self {
            if !more(candidate) {
                return;
            }
        }
    }
}

/// All but those drawn already.
#[derive(Clone, Copy)]
pub(super) struct Undrawn<'a, M> {
    pub members: M,
    pub drawn: &'a [Candidate],
}

impl<M: Members> Members for Undrawn<'_, M> {
    fn each(self, mut more: impl FnMut(Candidate) -> bool) {
        self.members.each(|candidate| self.drawn.contains(&candidate) || more(candidate));
    }
}

/// Moves at most `wanted` of `members` to `chosen` in random order: each next one is drawn from those
/// left in proportion to their weights, those of weight 0 only after all others.
#[inline]
pub(super) fn draw(
    members: impl Members,
    weight: impl Fn(Candidate) -> u64,
    wanted: usize,
    random: &mut Random,
    urn: &mut List,
    chosen: &mut List,
) {
    urn.clear();
    let mut total = 0u64;
    let mut fit = true;
    members.each(|candidate| {
        total += weight(candidate);
        fit = urn.push(candidate);
        fit
    });
    if !fit {
        return draw_of_many(members, weight, wanted, random, urn, chosen);
    }
    for _ in 0..wanted.min(urn.len()) {
        let index = pick(urn.as_slice(), &weight, total, random);
        let Some(candidate) = urn.swap_remove(index) else { return };
        total -= weight(candidate);
        chosen.push(candidate);
    }
}

#[inline]
fn pick(urn: &[Candidate], weight: &impl Fn(Candidate) -> u64, total: u64, random: &mut Random) -> usize {
    if urn.len() == 1 {
        return 0;
    }
    if total == 0 {
        return random.below(urn.len() as u64) as usize;
    }
    let mut rest = random.below(total);
    for (index, candidate) in urn.iter().enumerate() {
        let weight = weight(*candidate);
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
    members: impl Members,
    weight: impl Fn(Candidate) -> u64,
    wanted: usize,
    random: &mut Random,
    reservoir: &mut List,
    chosen: &mut List,
) {
    let key = |candidate: Candidate, _: Option<u64>| {
        let weight = weight(candidate) as f64;
        // A variate is at most 38, so the keys of weight 0 come after all others.
        let key = if weight > 0.0 { (0.0 - random.unit().ln()) / weight } else { 1e6 + random.unit() };
        // Numbers that are not negative order as their bits do.
        Some(key.to_bits())
    };
    keep_least(members, key, wanted, reservoir, chosen);
}

/// Moves the `wanted` of `members` with the least sticky keys to `chosen`, least first. `whole`: one is the whole
/// unit, so all candidates of the unit that wins come along.
#[inline]
pub(super) fn draw_sticky(
    members: impl Members,
    identity_and_weight: impl Fn(Candidate) -> (u64, u32),
    client: u64,
    wanted: usize,
    whole: bool,
    reservoir: &mut List,
    chosen: &mut List,
) {
    let key = |candidate: Candidate, worst| {
        let (identity, weight) = identity_and_weight(candidate);
        sticky::key(identity, client, weight, worst)
    };
    if wanted != 1 {
        return keep_least(members, key, wanted, reservoir, chosen);
    }
    let mut best = None;
    let mut least = None;
    members.each(|candidate| {
        if let Some(better) = key(candidate, least) {
            (best, least) = (Some(candidate), Some(better));
        }
        true
    });
    let Some(best) = best else { return };
    if whole {
        members.each(|member| member.position != best.position || chosen.push(member));
    } else {
        chosen.push(best);
    }
}

/// Moves the `wanted` of `members` with the least keys to `chosen`, least first, equals in their order. `key` may be
/// `None` for what is not less than the second argument.
#[inline]
fn keep_least(
    members: impl Members,
    mut key: impl FnMut(Candidate, Option<u64>) -> Option<u64>,
    wanted: usize,
    reservoir: &mut List,
    chosen: &mut List,
) {
    let wanted = wanted.min(CAPACITY);
    let mut keys = [0u64; CAPACITY];
    reservoir.clear();
    let Some(last) = wanted.checked_sub(1) else { return };
    members.each(|candidate| {
        let worst = if reservoir.len() == wanted { keys.get(last).copied() } else { None };
        let Some(key) = key(candidate, worst) else { return true };
        if worst.is_some_and(|worst| worst <= key) {
            return true;
        }
        if worst.is_some() {
            reservoir.pop();
        }
        // Insert in the order of the keys.
        let before = keys.get(..reservoir.len()).unwrap_or_default();
        let at = before.iter().rposition(|&before| before <= key).map_or(0, |index| index + 1);
        reservoir.push(candidate);
        reservoir.insert_last_at(at);
        if let Some(tail) = keys.get_mut(at..reservoir.len()) {
            tail.rotate_right(1);
            if let Some(slot) = tail.first_mut() {
                *slot = key;
            }
        }
        true
    });
    for &candidate in reservoir.as_slice() {
        chosen.push(candidate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(count: u32) -> Vec<Candidate> {
        (0..count).map(|item| Candidate { item, position: 0 }).collect()
    }

    fn drawn(weights: &[u32], wanted: usize, random: &mut Random) -> Vec<u32> {
        let (mut urn, mut chosen) = (List::new(), List::new());
        let all = candidates(weights.len() as u32);
        draw(&all[..], |c| u64::from(weights[c.item as usize]), wanted, random, &mut urn, &mut chosen);
        chosen.as_slice().iter().map(|candidate| candidate.item).collect()
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
}
