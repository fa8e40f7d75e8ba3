//! What a pool has of one type: its candidates by unit.
//!
//! Candidates are *items*: an item's number leads to its weight, its identity and whether it counts at the moment,
//! each in a table of its own. The first items are the endpoints. After them come, for each roster that needs items
//! of its own, the members of a pool of pools, and the endpoints of a pool whose POPs count as a whole.

use std::collections::HashMap;

/// A pool's candidates for one type. Its units are in the order of their first mention in the pool, each unit's
/// items in the pool's order: that is the order of equals.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Its place among the rosters; those of its members come before it.
    pub number: u32,
    pub pool: u32,
    pub rtype: u16,
    /// The units; an index into this is a unit's *position*.
    units: Box<[u32]>,
    /// Where the items of each position start in `items`, and the end of the last.
    offsets: Box<[u32]>,
    items: Box<[u32]>,
    /// Most items of a unit.
    widest: u64,
    /// Greatest weight of an item.
    heaviest: u64,
    /// Whether some of the items, but not all, have weight 0.
    has_spares: bool,
    pub content: Content,
}

/// What the items are.
#[derive(Debug, Default)]
pub(super) enum Content {
    /// Endpoints.
    #[default]
    Endpoints,
    /// Items of this roster alone that stand for endpoints: they count if their POP does as a whole, unless no POP
    /// does. By position the POP's IPv4 and IPv6 endpoints in the pool.
    Pops(Box<[[Box<[u32]>; 2]]>),
    /// Items of this roster alone that stand for member pools, one at each position.
    Members(Members),
}

/// The members of a pool of pools that have the type.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Number of each one's roster.
    pub rosters: Box<[u32]>,
    /// By position the POPs that its endpoints of the type are in, each once.
    pub reach: Box<[Box<[u32]>]>,
    /// Numbers of the rosters of all pools of endpoints below, each once.
    pub leaves: Box<[u32]>,
}

/// A candidate of a roster under construction.
pub(super) struct Entry {
    pub unit: u32,
    pub item: u32,
    pub weight: u32,
}

impl Roster {
    /// The roster of `entries`, in the pool's order. `mentions` are the pool's units in theirs: a unit may be mentioned
    /// first by an endpoint of another type.
    pub fn new(pool: u32, rtype: u16, mentions: impl Iterator<Item = u32>, entries: &[Entry]) -> Roster {
        let mut first: HashMap<u32, usize> = HashMap::new();
        for (place, unit) in mentions.enumerate() {
            first.entry(unit).or_insert(place);
        }
        let place = |entry: &Entry| first.get(&entry.unit).copied().unwrap_or(usize::MAX);
        let mut sorted: Vec<&Entry> = entries.iter().collect();
        // Stable: each unit's items stay in their order.
        sorted.sort_by_key(|entry| place(entry));
        let (mut units, mut offsets) = (Vec::new(), vec![0]);
        let mut widest = 0;
        let mut end = 0;
        for unit in sorted.chunk_by(|one, other| one.unit == other.unit) {
            units.extend(unit.first().map(|entry| entry.unit));
            end += unit.len() as u32;
            offsets.push(end);
            widest = widest.max(unit.len() as u64);
        }
        let heaviest = entries.iter().map(|entry| u64::from(entry.weight)).max().unwrap_or(0);
        Roster {
            number: 0,
            pool,
            rtype,
            units: units.into(),
            offsets: offsets.into(),
            items: sorted.iter().map(|entry| entry.item).collect(),
            widest,
            heaviest,
            has_spares: heaviest > 0 && entries.iter().any(|entry| entry.weight == 0),
            content: Content::Endpoints,
        }
    }

    /// The units by position.
    pub fn units(&self) -> &[u32] {
        &self.units
    }

    /// The POPs that a position reaches: its own, or those of the member.
    pub fn reach(&self, position: usize) -> &[u32] {
        match &self.content {
            Content::Members(members) => members.reach.get(position).map(|reach| &**reach),
            _ => self.units.get(position..position + 1),
        }
        .unwrap_or_default()
    }

    /// The rosters of its members; empty for a pool of endpoints.
    #[inline]
    pub fn members(&self) -> &[u32] {
        match &self.content {
            Content::Members(members) => &members.rosters,
            _ => &[],
        }
    }

    /// All items, in the order of equals.
    pub fn items(&self) -> &[u32] {
        &self.items
    }

    /// Most items that one of its units has.
    pub fn widest(&self) -> u64 {
        self.widest
    }

    /// The greatest weight of an item.
    pub fn heaviest(&self) -> u64 {
        self.heaviest
    }

    /// Whether some of its items, but not all, have weight 0: steps that go by weight leave them for when all
    /// others are gone.
    pub fn has_spares(&self) -> bool {
        self.has_spares
    }

    /// The items of the unit at a position.
    #[inline]
    pub fn at(&self, position: u16) -> &[u32] {
        let position = usize::from(position);
        match self.offsets.get(position..position + 2) {
            Some(&[start, end]) => self.items.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The position of each item, in the order of [`Roster::items`].
    pub fn positions(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        (0..self.units.len() as u16)
            .flat_map(move |position| self.at(position).iter().map(move |&item| (position, item)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_grouped_by_unit_in_order_of_mention() {
        let entries: Vec<Entry> =
            (10..).zip([7, 3, 7, 3, 5]).map(|(item, unit)| Entry { unit, item, weight: item }).collect();
        let roster = Roster::new(0, 1, [9, 3, 7, 3, 5].into_iter(), &entries);
        assert_eq!(roster.units(), [3, 7, 5]);
        assert_eq!(roster.items(), [11, 13, 10, 12, 14]);
        assert_eq!(roster.at(1), [10, 12]);
        assert_eq!((roster.widest(), roster.heaviest()), (2, 14));
        let weighing = |weights: [u32; 2]| {
            let entries = weights.map(|weight| Entry { unit: 3, item: 0, weight });
            Roster::new(0, 1, [3].into_iter(), &entries).has_spares()
        };
        assert_eq!([[0, 7], [7, 7], [0, 0]].map(weighing), [true, false, false]);
        assert_eq!(roster.reach(2), [5]);
        assert!(roster.at(3).is_empty());
        assert_eq!(roster.positions().last(), Some((2, 14)));
    }
}
