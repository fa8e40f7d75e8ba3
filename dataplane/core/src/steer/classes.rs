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
use super::stages::{Order, StageSteps};
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

/// One pool of a tree, and how it is chosen from. The root is the first of a tree's parts.
pub(super) struct Part<'a> {
    pub policy: &'a Policy,
    pub stages: &'a [StageSteps],
    pub roster: &'a Roster,
    /// By position the member's index into the parts after the root; empty for a pool of endpoints.
    pub children: &'a [u16],
    /// Whether its policy can leave a client nothing, so that it is asked before any member is chosen.
    pub may_refuse: bool,
}

impl Part<'_> {
    /// Bits of an IPv4 and an IPv6 client that a stage tells candidates apart by, `grouping` being its groups of equals.
    fn sticky_bits(&self, number: usize, grouping: &Grouping) -> [u8; 2] {
        let stage = self.stages.get(number).map(|steps| &steps.stage);
        let before = number.checked_sub(1).and_then(|before| self.stages.get(before)?.stage.take);
        let candidates = |position| self.roster.at(position).len();
        match stage.map(|stage| stage.order) {
            Some(Order::Sticky(lengths)) if before != Some(1) && grouping.has_equals(candidates) => {
                lengths.lengths()
            }
            _ => [0, 0],
        }
    }
}

/// The number of a sequence where a class never comes to the part it is of. No sequence has it.
const UNREACHED: u32 = u32::MAX;

fn longer([ipv4, ipv6]: [u8; 2], [other4, other6]: [u8; 2]) -> [u8; 2] {
    [ipv4.max(other4), ipv6.max(other6)]
}

/// The classes of a tree of pools.
#[derive(Debug)]
pub(super) struct Classes {
    locator: Arc<Locator>,
    columns: usize,
    /// For each class, for each part and stage, the number of a sequence or [`UNREACHED`].
    rows: Box<[u32]>,
    /// For each class the bits of an IPv4 and an IPv6 client that the sticky steps it comes to look at; empty if there
    /// are none.
    sticky: Box<[[u8; 2]]>,
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
        let (mut rows, mut sticky): (Vec<u32>, Vec<[u8; 2]>) = (Vec::new(), Vec::new());
        let mut class_of = Vec::with_capacity(signatures.sites.len());
        let mut walk = Walk::new(parts, world);
        for &(location, subnet) in &signatures.sites {
            let site = Site { location: map.location(location), subnet, subnets: &signatures.subnets };
            walk.walk(&site, &mut sequences)?;
            let class = match numbers.get(walk.row.as_slice()) {
                Some(&class) => class,
                None => {
                    let class = numbers.len() as u32;
                    numbers.insert(walk.row.as_slice().into(), class);
                    rows.extend_from_slice(&walk.row);
                    sticky.push(walk.sticky);
                    class
                }
            };
            class_of.push(class);
        }
        if sticky.iter().all(|bits| *bits == [0, 0]) {
            sticky.clear();
        }
        let columns = walk.row.len();
        let locator = locators.locator(signatures, class_of).map_err(|count| {
            let place = parts.first().map(|part| part.policy.place.clone()).unwrap_or_default();
            too_many_cells(&place, count)
        })?;
        let sequences = sequences.finish();
        Ok(Classes { locator, columns, rows: rows.into(), sticky: sticky.into(), sequences })
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

    /// Bits of an IPv4 and an IPv6 client that the sticky steps look at that a class can come to.
    #[inline]
    pub fn sticky_bits(&self, class: u32) -> [u8; 2] {
        self.sticky.get(class as usize).copied().unwrap_or_default()
    }

    /// A class's order (first stage of a part) or ranks (later stages). Columns count the stages of the parts. Empty
    /// where clients of the class never come to the part.
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
        size_of_val(&*self.rows) + size_of_val(&*self.sticky) + self.sequences.size()
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

/// Works out what the clients of a site can come to: the orders of the root's units, and of the members that these
/// orders hold, and so on down. What is never reached tells no clients apart, so that scopes are as short as can be.
struct Walk<'a> {
    parts: &'a [Part<'a>],
    world: &'a World,
    /// The column of each part's first stage.
    columns: Vec<usize>,
    orders: Orders,
    /// Positions of a part whose members can be come to.
    expanded: Vec<u16>,
    open: Vec<usize>,
    is_reached: Vec<bool>,
    /// For each part and stage the number of a sequence or [`UNREACHED`].
    row: Vec<u32>,
    sticky: [u8; 2],
}

impl<'a> Walk<'a> {
    fn new(parts: &'a [Part<'a>], world: &'a World) -> Walk<'a> {
        let mut count = 0;
        let columns = parts.iter().map(|part| {
            count += part.stages.len();
            count - part.stages.len()
        });
        Walk {
            parts,
            world,
            columns: columns.collect(),
            orders: Orders::default(),
            expanded: Vec::new(),
            open: Vec::new(),
            is_reached: Vec::new(),
            row: vec![UNREACHED; count],
            sticky: [0, 0],
        }
    }

    fn walk(&mut self, site: &Site<'_>, sequences: &mut SequencesBuilder) -> Result<(), SteerError> {
        self.row.fill(UNREACHED);
        self.sticky = [0, 0];
        self.is_reached.clear();
        self.is_reached.resize(self.parts.len(), false);
        self.reach(0);
        while let Some(index) = self.open.pop() {
            let (Some(part), Some(&column)) = (self.parts.get(index), self.columns.get(index)) else {
                continue;
            };
            self.orders.left = all_positions(part.roster.units().len());
            for (number, stage) in part.stages.iter().enumerate() {
                let sequence = self.orders.sequence(part, stage, number == 0, self.world, site);
                let known = sequences.number(sequence).ok_or_else(|| too_many(part.policy))?;
                self.sticky = longer(self.sticky, part.sticky_bits(number, &self.orders.grouping));
                if let Some(slot) = self.row.get_mut(column + number) {
                    *slot = known;
                }
                if number == 0 {
                    // A member that a later stage drops is asked before all the same.
                    self.expanded.clone_from(&self.orders.left);
                    let asked = |position: &u16| is_asked(self.parts, part, *position);
                    self.expanded.retain(asked);
                }
            }
            self.expanded.extend(&self.orders.left);
            for index in 0..self.expanded.len() {
                let position = self.expanded.get(index).copied().unwrap_or_default();
                if let Some(&child) = part.children.get(usize::from(position)) {
                    // The root is not among the members.
                    self.reach(usize::from(child) + 1);
                }
            }
        }
        Ok(())
    }

    fn reach(&mut self, part: usize) {
        if let Some(reached) = self.is_reached.get_mut(part).filter(|reached| !**reached) {
            *reached = true;
            self.open.push(part);
        }
    }
}

/// Whether the member at a position of a part is asked if it refuses the client.
fn is_asked(parts: &[Part<'_>], part: &Part<'_>, position: u16) -> bool {
    let child = part.children.get(usize::from(position));
    // The root is not among the members.
    child.and_then(|&child| parts.get(usize::from(child) + 1)).is_some_and(|member| member.may_refuse)
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
