//! The endpoints of a pool that have an address of one family, by POP.

use super::model::Endpoint;

/// A pool's endpoints of one address family. Its POPs are in the order of their first mention in the
/// pool, each POP's endpoints in the pool's order: that is the order of equals.
#[derive(Debug)]
pub(super) struct Roster {
    /// The POPs; an index into this is a POP's *position*.
    pops: Box<[u32]>,
    /// Where the endpoints of each position start in `members`, and the end of the last.
    offsets: Box<[u32]>,
    /// Endpoint numbers.
    members: Box<[u32]>,
    /// Most endpoints of a POP.
    widest: u64,
    /// Greatest weight of an endpoint.
    heaviest: u64,
}

impl Roster {
    /// The roster of `endpoints`, each with its number.
    pub fn new(endpoints: impl Iterator<Item = (u32, Endpoint)>) -> Roster {
        let mut pops: Vec<u32> = Vec::new();
        let mut positions = std::collections::HashMap::new();
        let mut members: Vec<(usize, u32)> = Vec::new();
        let mut heaviest = 0;
        for (number, endpoint) in endpoints {
            let position = *positions.entry(endpoint.pop).or_insert_with(|| {
                pops.push(endpoint.pop);
                pops.len() - 1
            });
            members.push((position, number));
            heaviest = heaviest.max(endpoint.weight);
        }
        members.sort_unstable();
        let start = |position| members.partition_point(|(p, _)| *p < position) as u32;
        let offsets: Box<[u32]> = (0..=pops.len()).map(start).collect();
        let widest = offsets.windows(2).map(|pair| u64::from(pair[1] - pair[0])).max().unwrap_or(0);
        Roster {
            offsets,
            widest,
            heaviest: heaviest.into(),
            members: members.iter().map(|&(_, number)| number).collect(),
            pops: pops.into(),
        }
    }

    /// The POPs by position.
    pub fn pops(&self) -> &[u32] {
        &self.pops
    }

    /// All endpoints, in the order of equals.
    pub fn members(&self) -> &[u32] {
        &self.members
    }

    /// Most endpoints that one of its POPs has.
    pub fn widest(&self) -> u64 {
        self.widest
    }

    /// The greatest weight of an endpoint.
    pub fn heaviest(&self) -> u64 {
        self.heaviest
    }

    /// The endpoints of the POP at a position.
    #[inline]
    pub fn at(&self, position: u16) -> &[u32] {
        let position = usize::from(position);
        match self.offsets.get(position..position + 2) {
            Some(&[start, end]) => self.members.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn endpoints_are_grouped_by_pop_in_order_of_mention() {
        let endpoint = |pop| Endpoint { address: IpAddr::V4(Ipv4Addr::LOCALHOST), pop, weight: 1, pool: 0 };
        let roster = Roster::new((10..).zip([7, 3, 7, 3, 5].map(endpoint)));
        assert_eq!(roster.pops(), [7, 3, 5]);
        assert_eq!(roster.members(), [10, 12, 11, 13, 14]);
        assert_eq!(roster.at(1), [11, 13]);
        assert_eq!((roster.widest(), roster.heaviest()), (2, 1));
        assert!(roster.at(3).is_empty());
    }
}
