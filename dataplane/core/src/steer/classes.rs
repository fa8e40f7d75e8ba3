//! Location classes: the clients that a tree of pools cannot tell apart, and the orders of units for each.
//!
//! Locations become classes in two steps. The *signature* of a location is what the policies' steps see
//! of it: the rules that match, its coordinates. It depends on the policies only. The *class* is what
//! follows from it for certain units: signatures with equal orders are one class. Most work is so done
//! once per set of policies, and once per set of units, however many pools and names there are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::cells::{Cell, Found, Locator, Locators};
use super::error::SteerError;
use super::grouping::{Grouping, all_positions};
use super::model::{Place, World};
use super::policy::{Policy, Step};
use super::roster::Roster;
use super::selector::{NO_SUBNET, Site, Subnets};
use super::sequences::{Sequences, SequencesBuilder};
use super::stages::StageSteps;
use crate::geo::cover::Cover;
use crate::geo::map::GeoMap;
use crate::memory::prefetch;

/// In a first stage's order: set on an entry that says how many of the next entries are equals. A unit
/// that has no equal stands alone.
pub(super) const GROUP_HEADER: u16 = 1 << 15;
/// In a later stage's ranks: the unit drops out.
pub(super) const FENCED: u16 = u16::MAX;
/// Most units of a pool: positions and counts must leave [`GROUP_HEADER`] free, ranks must not reach [`FENCED`].
pub(super) const MAX_UNITS: usize = 4096;

/// What some policies see of every address.
pub(super) struct Signatures {
    pub subnets: Arc<Subnets>,
    /// For each signature a location and a subnet number that have it.
    sites: Vec<(u32, u32)>,
    pub ipv4: Cover<u32>,
    pub ipv6: Cover<u128>,
}

impl Signatures {
    pub fn new(policies: &[&Policy], world: &World, map: &GeoMap) -> Signatures {
        let all = policies.iter().flat_map(|policy| policy.subnets(world)).collect();
        let subnets = Arc::new(Subnets::new(all));
        if !policies.iter().any(|policy| policy.looks_at_location(world)) {
            let (ipv4, ipv6) = (Cover::whole(0), Cover::whole(0));
            return Signatures { subnets, sites: vec![(0, NO_SUBNET)], ipv4, ipv6 };
        }
        const UNKNOWN: u32 = u32::MAX;
        let mut sites = Vec::new();
        let mut numbers: HashMap<Box<[u64]>, u32> = HashMap::new();
        let mut by_location = vec![UNKNOWN; map.locations().len()];
        let mut by_pair: HashMap<(u32, u32), u32> = HashMap::new();
        let mut seen = Vec::new();
        let mut compute = |location: u32, subnet: u32| {
            let site = Site { location: map.location(location), subnet, subnets: &subnets };
            seen.clear();
            for step in policies.iter().flat_map(|policy| &policy.steps) {
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
        let ipv4 = map.ipv4().overlay(&subnets.ipv4, &mut number);
        let ipv6 = map.ipv6().overlay(&subnets.ipv6, &mut number);
        Signatures { subnets, sites, ipv4, ipv6 }
    }
}

/// One pool of a tree, and how it is chosen from.
pub(super) struct Part<'a> {
    pub policy: &'a Policy,
    pub stages: &'a [StageSteps],
    pub roster: &'a Roster,
}

/// The classes of a tree of pools.
#[derive(Debug)]
pub(super) struct Classes {
    locator: Arc<Locator>,
    columns: usize,
    /// For each class, for each part and stage, the number of a sequence.
    rows: Box<[u32]>,
    /// For a first stage the positions in order, see [`GROUP_HEADER`]; for a later one a rank for each
    /// position, see [`FENCED`].
    sequences: Sequences,
}

impl Classes {
    /// The classes of the parts of a tree, whose policies are those of `signatures`.
    pub fn new(
        parts: &[Part<'_>],
        world: &World,
        map: &GeoMap,
        signatures: &Signatures,
        locators: &mut Locators,
    ) -> Result<Classes, SteerError> {
        let mut sequences = SequencesBuilder::new();
        let mut numbers: HashMap<Box<[u32]>, u32> = HashMap::new();
        let mut rows: Vec<u32> = Vec::new();
        let mut class_of = Vec::with_capacity(signatures.sites.len());
        let (mut orders, mut row) = (Orders::default(), Vec::new());
        for &(location, subnet) in &signatures.sites {
            let site = Site { location: map.location(location), subnet, subnets: &signatures.subnets };
            row.clear();
            for part in parts {
                orders.left = all_positions(part.roster.units().len());
                for (number, stage) in part.stages.iter().enumerate() {
                    let sequence = orders.sequence(part, stage, number == 0, world, &site);
                    row.push(sequences.number(sequence).ok_or_else(|| too_many(part.policy))?);
                }
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
        let locator = locators.locator(signatures, class_of).map_err(|count| {
            let place = parts.first().map(|part| part.policy.place.clone()).unwrap_or_default();
            too_many_cells(&place, count)
        })?;
        Ok(Classes { locator, columns: row.len(), rows: rows.into(), sequences: sequences.finish() })
    }

    /// The class and the cell of a client, and the length of the shortest prefix around it that lies in the class.
    /// IPv4-mapped IPv6 is IPv4, and so is its prefix.
    #[inline]
    pub fn find(&self, client: IpAddr) -> Found {
        self.locator.find(client)
    }

    /// The cells: the clients of each class in each country.
    pub fn cells(&self) -> &[Cell] {
        self.locator.cells()
    }

    /// A class's order (first stage of a part) or ranks (later stages). Columns count the stages of the parts.
    #[inline]
    pub fn sequence(&self, class: u32, column: usize) -> &[u16] {
        if self.columns == 1 {
            // Classes and sequences are then the same, numbered in the same order.
            return self.sequences.get(class);
        }
        let row = class as usize * self.columns + column;
        self.rows.get(row).map_or(&[], |&number| self.sequences.get(number))
    }

    /// Asks for the start of a class's first sequence, which most decisions end in.
    #[inline]
    pub fn prefetch(&self, class: u32) {
        if let Some(first) = self.sequence(class, 0).first() {
            prefetch(first);
        }
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.rows.len() / self.columns.max(1)
    }

    /// Where clients are looked up; other classes may share it.
    pub fn locator(&self) -> &Arc<Locator> {
        &self.locator
    }

    /// Octets of memory that they hold, but for the locator.
    pub fn size(&self) -> usize {
        size_of_val(&*self.rows) + self.sequences.size()
    }
}

fn too_many(policy: &Policy) -> SteerError {
    let name = &policy.name;
    let message = format!("policy {name}: its orders of POPs have more than {} entries", u32::MAX);
    SteerError::declared(&policy.place, message + ": use fewer POPs or coarser steps")
}

fn too_many_cells(place: &Place, count: usize) -> SteerError {
    let message = format!(
        "this policy tells more than {count} groups of clients apart, by its steps and by country: use coarser steps"
    );
    SteerError::declared(place, message)
}

/// Works out the order that a stage's static steps put units in.
#[derive(Default)]
struct Orders {
    grouping: Grouping,
    /// The positions that no earlier stage has dropped: later ones need not tell the others apart.
    left: Vec<u16>,
    ranks: Vec<u64>,
    sequence: Vec<u16>,
}

impl Orders {
    fn sequence(
        &mut self,
        part: &Part<'_>,
        stage: &StageSteps,
        first: bool,
        world: &World,
        site: &Site<'_>,
    ) -> &[u16] {
        let Orders { grouping, left, ranks, sequence } = self;
        let count = part.roster.units().len();
        let step = |number: &usize| part.policy.steps.get(*number);
        grouping.reset(left);
        for step in stage.sorting.iter().filter_map(step) {
            step.ranks(world, site, part.roster, ranks);
            match step {
                Step::Latency(Some(tolerance)) => grouping.refine_bands(ranks, *tolerance),
                _ => grouping.refine(ranks),
            }
        }
        for step in stage.fencing.iter().filter_map(step) {
            step.ranks(world, site, part.roster, ranks);
            grouping.fence(ranks);
        }
        grouping.write_members(left);
        if first {
            grouping.write_order(sequence);
        } else {
            grouping.write_ranks(count, sequence);
        }
        sequence
    }
}
