//! Location classes: the clients that a policy cannot tell apart, and the order of POPs for each.
//!
//! Locations become classes in two steps. The *signature* of a location is what the policy's steps see
//! of it: the rules that match, its coordinates. It depends on the policy only. The *class* is what
//! follows from it for certain POPs: signatures with equal orders are one class. Most work is so done
//! once per policy, and once per set of POPs, however many pools and names there are.

use std::collections::HashMap;
use std::net::IpAddr;

use super::error::SteerError;
use super::model::World;
use super::policy::{OUT, Policy, Rank};
use super::selector::{NO_SUBNET, Site};
use super::sequences::{Sequences, SequencesBuilder};
use super::stages::StageSteps;
use crate::geo::cover::Cover;
use crate::geo::map::GeoMap;
use crate::geo::table::Table;

/// In a first stage's order: set on an entry that says how many of the next entries are equals. A POP
/// that has no equal stands alone.
pub(super) const GROUP_HEADER: u16 = 1 << 15;
/// In a later stage's ranks: the POP drops out.
pub(super) const FENCED: u16 = u16::MAX;
/// Most POPs: positions and counts must leave [`GROUP_HEADER`] free, ranks must not reach [`FENCED`].
pub(super) const MAX_POPS: usize = 4096;

/// What a policy sees of every address.
pub(super) struct Signatures {
    /// For each signature a location and a subnet number that have it.
    sites: Vec<(u32, u32)>,
    ipv4: Cover<u32>,
    ipv6: Cover<u128>,
}

impl Signatures {
    pub fn new(policy: &Policy, world: &World, map: &GeoMap) -> Signatures {
        if !policy.looks_at_location(world) {
            return Signatures { sites: vec![(0, NO_SUBNET)], ipv4: Cover::whole(0), ipv6: Cover::whole(0) };
        }
        const UNKNOWN: u32 = u32::MAX;
        let mut sites = Vec::new();
        let mut numbers: HashMap<Box<[u64]>, u32> = HashMap::new();
        let mut by_location = vec![UNKNOWN; map.locations().len()];
        let mut by_pair: HashMap<(u32, u32), u32> = HashMap::new();
        let mut seen = Vec::new();
        let mut compute = |location: u32, subnet: u32| {
            let site = Site { location: map.location(location), subnet, subnets: &policy.subnets };
            seen.clear();
            for step in &policy.steps {
                step.signature(world, &site, &mut seen);
            }
            if let Some(&number) = numbers.get(seen.as_slice()) {
                return number;
            }
            let number = sites.len() as u32;
            sites.push((location, subnet));
            numbers.insert(seen.as_slice().into(), number);
            number
        };
        let mut number = |location: u32, subnet: u32| match by_location.get_mut(location as usize) {
            Some(known) if subnet == NO_SUBNET => {
                if *known == UNKNOWN {
                    *known = compute(location, subnet);
                }
                *known
            }
            _ => *by_pair.entry((location, subnet)).or_insert_with(|| compute(location, subnet)),
        };
        let ipv4 = map.ipv4().overlay(&policy.subnets.ipv4, &mut number);
        let ipv6 = map.ipv6().overlay(&policy.subnets.ipv6, &mut number);
        Signatures { sites, ipv4, ipv6 }
    }
}

/// The classes of one policy over certain POPs.
#[derive(Debug)]
pub(super) struct Classes {
    ipv4: Table<u32>,
    ipv6: Table<u128>,
    stage_count: usize,
    /// For each class, for each stage, the number of a sequence.
    rows: Box<[u32]>,
    /// For a first stage the positions in order, see [`GROUP_HEADER`]; for a later one a rank for each
    /// position, see [`FENCED`].
    sequences: Sequences,
}

impl Classes {
    /// The classes of `policy` (whose stages are `stages`) over POPs.
    pub fn new(
        policy: &Policy,
        stages: &[StageSteps],
        world: &World,
        map: &GeoMap,
        signatures: &Signatures,
        pops: &[u32],
    ) -> Result<Classes, SteerError> {
        let full = || {
            let name = &policy.name;
            let message = format!("policy {name}: its orders of POPs have more than {} entries", u32::MAX);
            SteerError::declared(&policy.place, message + ": use fewer POPs or coarser steps")
        };
        let mut sequences = SequencesBuilder::new();
        let mut numbers: HashMap<Box<[u32]>, u32> = HashMap::new();
        let mut rows: Vec<u32> = Vec::new();
        let mut class_of = Vec::with_capacity(signatures.sites.len());
        let mut grouping = Grouping::default();
        let (mut ranks, mut row, mut sequence) = (Vec::new(), Vec::new(), Vec::new());
        for &(location, subnet) in &signatures.sites {
            let site = Site { location: map.location(location), subnet, subnets: &policy.subnets };
            row.clear();
            for (number, stage) in stages.iter().enumerate() {
                grouping.reset(pops.len());
                for step in stage.sorting.iter().filter_map(|&step| policy.steps.get(step)) {
                    step.ranks(world, &site, pops, &mut ranks);
                    grouping.refine(&ranks);
                }
                for step in stage.fencing.iter().filter_map(|&step| policy.steps.get(step)) {
                    step.ranks(world, &site, pops, &mut ranks);
                    grouping.fence(&ranks);
                }
                match number {
                    0 => grouping.write_order(&mut sequence),
                    _ => grouping.write_ranks(pops.len(), &mut sequence),
                }
                row.push(sequences.number(&sequence).ok_or_else(full)?);
            }
            let class = match numbers.get(row.as_slice()) {
                Some(&class) => class,
                None => {
                    let class = numbers.len() as u32;
                    numbers.insert(row.as_slice().into(), class);
                    rows.extend_from_slice(&row);
                    class
                }
            };
            class_of.push(class);
        }
        let class = |signature: u32| class_of.get(signature as usize).copied().unwrap_or_default();
        Ok(Classes {
            ipv4: Table::new(signatures.ipv4.map(class)),
            ipv6: Table::new(signatures.ipv6.map(class)),
            stage_count: stages.len(),
            rows: rows.into(),
            sequences: sequences.finish(),
        })
    }

    /// The class of a client and the length of the shortest prefix around it that lies in the class.
    /// IPv4-mapped IPv6 is IPv4, and so is its prefix.
    #[inline]
    pub fn find(&self, client: IpAddr) -> (u32, u8) {
        match client {
            IpAddr::V4(address) => self.ipv4.lookup(u32::from(address)),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(mapped) => self.ipv4.lookup(u32::from(mapped)),
                None => self.ipv6.lookup(u128::from(address)),
            },
        }
    }

    /// The prefix of [`Classes::find`] as text.
    pub fn prefix(&self, client: IpAddr) -> String {
        match client.to_canonical() {
            IpAddr::V4(address) => self.ipv4.prefix(u32::from(address)).to_string(),
            IpAddr::V6(address) => self.ipv6.prefix(u128::from(address)).to_string(),
        }
    }

    /// A class's order (stage 0) or ranks (later stages).
    #[inline]
    pub fn sequence(&self, class: u32, stage: usize) -> &[u16] {
        if self.stage_count == 1 {
            // Classes and sequences are then the same, numbered in the same order.
            return self.sequences.get(class);
        }
        let row = class as usize * self.stage_count + stage;
        self.rows.get(row).map_or(&[], |&number| self.sequences.get(number))
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.rows.len() / self.stage_count.max(1)
    }

    /// Number of prefixes of both families.
    pub fn prefix_count(&self) -> usize {
        self.ipv4.len() + self.ipv6.len()
    }

    /// Octets of memory that they hold.
    pub fn size(&self) -> usize {
        self.ipv4.size() + self.ipv6.size() + size_of_val(&*self.rows) + self.sequences.size()
    }
}

/// Positions in ordered groups of equals.
#[derive(Default)]
struct Grouping {
    positions: Vec<u16>,
    /// Where each group ends in `positions`.
    ends: Vec<usize>,
    keyed: Vec<(Rank, u16)>,
}

impl Grouping {
    /// One group of all positions.
    fn reset(&mut self, count: usize) {
        self.positions.clear();
        self.positions.extend(0..count.min(MAX_POPS) as u16);
        self.ends.clear();
        self.ends.push(self.positions.len());
    }

    /// Splits each group by rank, best first, and drops what is [`OUT`].
    fn refine(&mut self, ranks: &[Rank]) {
        self.rebuild(ranks, |rank| rank);
    }

    /// Drops what is [`OUT`].
    fn fence(&mut self, ranks: &[Rank]) {
        self.rebuild(ranks, |rank| if rank == OUT { OUT } else { 0 });
    }

    fn rebuild(&mut self, ranks: &[Rank], key: impl Fn(Rank) -> Rank) {
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

    fn write_order(&self, out: &mut Vec<u16>) {
        out.clear();
        for group in self.groups() {
            if group.len() > 1 {
                out.push(GROUP_HEADER | group.len() as u16);
            }
            out.extend_from_slice(group);
        }
    }

    fn write_ranks(&self, count: usize, out: &mut Vec<u16>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steer::policy::LAST;

    fn groups(grouping: &Grouping) -> Vec<Vec<u16>> {
        grouping.groups().map(<[u16]>::to_vec).collect()
    }

    #[test]
    fn earlier_steps_dominate_and_equals_stay_in_order() {
        let mut grouping = Grouping::default();
        grouping.reset(5);
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
    fn all_may_drop_out() {
        let mut grouping = Grouping::default();
        grouping.reset(2);
        grouping.refine(&[OUT, OUT]);
        assert!(groups(&grouping).is_empty());
        let mut sequence = vec![1];
        grouping.write_order(&mut sequence);
        assert!(sequence.is_empty());
    }
}
