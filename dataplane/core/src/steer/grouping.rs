//! Putting positions into ordered groups of equals, step by step.

use super::classes::{FENCED, GROUP_HEADER, MAX_UNITS};
use super::policy::{LAST, OUT, Rank, Tolerance};

/// Positions in ordered groups of equals.
#[derive(Default)]
pub(super) struct Grouping {
    positions: Vec<u16>,
    /// Where each group ends in `positions`.
    ends: Vec<usize>,
    keyed: Vec<(Rank, u16)>,
}

impl Grouping {
    /// One group of all these positions, which are in their order.
    pub fn reset(&mut self, positions: &[u16]) {
        self.positions.clear();
        self.positions.extend_from_slice(positions);
        self.ends.clear();
        self.ends.push(self.positions.len());
    }

    /// Splits each group by rank, best first, and drops what is [`OUT`].
    pub fn refine(&mut self, ranks: &[Rank]) {
        self.rebuild(ranks, |rank| rank, None);
    }

    /// Splits each group into bands: the best opens one, all within its tolerance are equals, the next beyond opens the
    /// next. What a step knows nothing of comes last.
    pub fn refine_bands(&mut self, ranks: &[Rank], tolerance: Tolerance) {
        self.rebuild(ranks, |rank| rank, Some(tolerance));
    }

    /// Drops what is [`OUT`].
    pub fn fence(&mut self, ranks: &[Rank]) {
        self.rebuild(ranks, |rank| if rank == OUT { OUT } else { 0 }, None);
    }

    fn rebuild(&mut self, ranks: &[Rank], key: impl Fn(Rank) -> Rank, tolerance: Option<Tolerance>) {
        let old_positions = std::mem::take(&mut self.positions);
        let old_ends = std::mem::take(&mut self.ends);
        self.positions.reserve(old_positions.len());
        let mut start = 0;
        for end in old_ends {
            let group = old_positions.get(start..end).unwrap_or_default();
            start = end;
            self.keyed.clear();
            self.keyed.extend(group.iter().map(|&position| {
                let rank = ranks.get(usize::from(position)).copied().unwrap_or(OUT);
                (key(rank), position)
            }));
            self.keyed.retain(|(key, _)| *key != OUT);
            // Equals stay in the order of their positions, which is the order they are in.
            self.keyed.sort_unstable();
            if let Some(tolerance) = tolerance {
                number_bands(&mut self.keyed, tolerance);
            }
            let mut before = None;
            for &(key, position) in &self.keyed {
                if before.is_some_and(|before| before != key) {
                    self.ends.push(self.positions.len());
                }
                before = Some(key);
                self.positions.push(position);
            }
            if before.is_some() {
                self.ends.push(self.positions.len());
            }
        }
    }

    fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.positions.get(start..end).unwrap_or_default())
    }

    /// Whether there are equals among the candidates, of which a position has `candidates`.
    pub fn has_equals(&self, candidates: impl Fn(u16) -> usize) -> bool {
        self.groups().any(|group| group.iter().map(|&position| candidates(position)).sum::<usize>() > 1)
    }

    /// By position the number of its group; `None` when it has dropped out.
    pub fn numbers(&self, count: usize) -> Vec<Option<usize>> {
        let mut numbers = vec![None; count];
        for (number, group) in self.groups().enumerate() {
            for &position in group {
                if let Some(slot) = numbers.get_mut(usize::from(position)) {
                    *slot = Some(number);
                }
            }
        }
        numbers
    }

    /// The positions that have not dropped out, in their order.
    pub fn write_members(&self, out: &mut Vec<u16>) {
        out.clear();
        out.extend_from_slice(&self.positions);
        out.sort_unstable();
    }

    pub fn write_order(&self, out: &mut Vec<u16>) {
        out.clear();
        for group in self.groups() {
            if group.len() > 1 {
                out.push(GROUP_HEADER | group.len() as u16);
            }
            out.extend_from_slice(group);
        }
    }

    pub fn write_ranks(&self, count: usize, out: &mut Vec<u16>) {
        out.clear();
        out.resize(count, FENCED);
        for (rank, group) in (0..).zip(self.groups()) {
            for &position in group {
                if let Some(slot) = out.get_mut(usize::from(position)) {
                    *slot = rank;
                }
            }
        }
    }
}

/// The positions of all units of a pool.
pub(super) fn all_positions(count: usize) -> Vec<u16> {
    (0..count.min(MAX_UNITS) as u16).collect()
}

/// Replaces sorted ranks by the number of their band, and sorts again.
fn number_bands(keyed: &mut [(Rank, u16)], tolerance: Tolerance) {
    let mut band = 0;
    let mut end: Option<f64> = None;
    for (rank, _) in keyed.iter_mut().filter(|(rank, _)| *rank < LAST) {
        let value = f64::from_bits(*rank);
        if end.is_none_or(|end| value > end) {
            band += 1;
            end = Some(tolerance.end(value));
        }
        *rank = band;
    }
    keyed.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(grouping: &Grouping) -> Vec<Vec<u16>> {
        grouping.groups().map(<[u16]>::to_vec).collect()
    }

    #[test]
    fn earlier_steps_dominate_and_equals_stay_in_order() {
        let mut grouping = Grouping::default();
        grouping.reset(&all_positions(5));
        grouping.refine(&[1, 0, 1, LAST, 0]);
        assert_eq!(groups(&grouping), [vec![1, 4], vec![0, 2], vec![3]]);
        let mut sequence = Vec::new();
        grouping.write_order(&mut sequence);
        assert_eq!(sequence, [GROUP_HEADER | 2, 1, 4, GROUP_HEADER | 2, 0, 2, 3]);
        grouping.refine(&[9, 3, 2, 1, 3]);
        assert_eq!(groups(&grouping), [vec![1, 4], vec![2], vec![0], vec![3]]);
        grouping.fence(&[5, OUT, OUT, 0, 7]);
        assert_eq!(groups(&grouping), [vec![4], vec![0], vec![3]]);
        grouping.write_order(&mut sequence);
        assert_eq!(sequence, [4, 0, 3]);
        grouping.write_ranks(5, &mut sequence);
        assert_eq!(sequence, [1, FENCED, FENCED, 2, 0]);
    }

    #[test]
    fn bands_open_at_the_best_beyond_the_last() {
        let ms = |all: [f64; 6]| all.map(|value| if value < 0.0 { LAST } else { value.to_bits() });
        let mut grouping = Grouping::default();
        grouping.reset(&all_positions(6));
        // 5 and 10 are within 5 ms of 5; 11 opens the next band, in which 16 still is.
        grouping.refine_bands(&ms([16.0, 10.0, -1.0, 5.0, 11.0, -1.0]), Tolerance::Milliseconds(5.0));
        assert_eq!(groups(&grouping), [vec![1, 3], vec![0, 4], vec![2, 5]]);
        grouping.reset(&all_positions(6));
        grouping.refine(&[1, 0, 0, 1, 1, 1]);
        grouping.refine_bands(&ms([11.1, 10.0, 11.0, 10.0, 0.0, 0.0]), Tolerance::Percent(10.0));
        assert_eq!(groups(&grouping), [vec![1, 2], vec![4, 5], vec![3], vec![0]]);
    }

    #[test]
    fn all_may_drop_out() {
        let mut grouping = Grouping::default();
        grouping.reset(&all_positions(2));
        grouping.refine(&[OUT, OUT]);
        assert!(groups(&grouping).is_empty());
        let mut sequence = vec![1];
        grouping.write_order(&mut sequence);
        assert!(sequence.is_empty());
    }
}
