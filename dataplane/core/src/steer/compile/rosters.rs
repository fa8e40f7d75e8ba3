//! Rosters and items: what each pool has of each type.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::steer::items::Items;
use crate::steer::model::{Endpoint, Pool, World};
use crate::steer::roster::{Content, Entry, Members, Roster};
use crate::steer::sticky;
use crate::wire::rtype::number;

/// Gathers rosters as trees ask for them.
pub(super) struct Rosters<'a> {
    pools: &'a [Pool],
    endpoints: &'a [Endpoint],
    world: &'a World,
    pub items: Items,
    pub all: Vec<Arc<Roster>>,
    /// (pool, type, whether its POPs count as a whole)
    known: HashMap<(u32, u16, bool), Option<Arc<Roster>>>,
    types: HashMap<u32, Arc<BTreeSet<u16>>>,
}

impl<'a> Rosters<'a> {
    pub fn new(pools: &'a [Pool], endpoints: &'a [Endpoint], world: &'a World) -> Rosters<'a> {
        let mut items = Items::default();
        let mut first: HashMap<std::net::IpAddr, u32> = HashMap::new();
        for (number, endpoint) in (0..).zip(endpoints) {
            let pop = world.pops.get(endpoint.pop as usize).map_or("", |pop| &pop.name);
            let identity = sticky::hash(format!("{pop}\0{}", endpoint.label()).as_bytes());
            let twin = endpoint.address.map(|address| *first.entry(address).or_insert(number));
            items.push_endpoint(endpoint.weight, identity, twin);
        }
        Rosters {
            pools,
            endpoints,
            world,
            items,
            all: Vec::new(),
            known: HashMap::new(),
            types: HashMap::new(),
        }
    }

    /// Number of POPs: the unit number of the first pool.
    pub fn first_pool_unit(&self) -> u32 {
        self.world.pops.len() as u32
    }

    /// The types that a pool has anything of. Pools nest at most eight deep.
    pub fn types(&mut self, pool: u32) -> Arc<BTreeSet<u16>> {
        if let Some(types) = self.types.get(&pool) {
            return types.clone();
        }
        let mut types = BTreeSet::new();
        if let Some(declared) = self.pools.get(pool as usize) {
            for (_, endpoint) in of(self.endpoints, declared) {
                types.extend(endpoint.types());
            }
            for &(member, _) in &declared.members {
                types.extend(self.types(member).iter());
            }
        }
        let types = Arc::new(types);
        self.types.insert(pool, types.clone());
        types
    }

    /// A pool's roster of a type; none when it has nothing of it.
    pub fn roster(&mut self, pool: u32, rtype: u16, whole_pops: bool) -> Option<Arc<Roster>> {
        if let Some(known) = self.known.get(&(pool, rtype, whole_pops)) {
            return known.clone();
        }
        let declared = self.pools.get(pool as usize)?;
        let made = if declared.members.is_empty() {
            self.of_endpoints(pool, declared, rtype, whole_pops)
        } else {
            self.of_members(pool, declared, rtype)
        };
        let made = made.map(|mut roster| {
            roster.number = self.all.len() as u32;
            let roster = Arc::new(roster);
            self.all.push(roster.clone());
            roster
        });
        self.known.insert((pool, rtype, whole_pops), made.clone());
        made
    }

    fn of_endpoints(&mut self, pool: u32, declared: &Pool, rtype: u16, whole_pops: bool) -> Option<Roster> {
        let all: Vec<(u32, &Endpoint)> = of(self.endpoints, declared).collect();
        let has = |endpoint: &Endpoint| endpoint.types().any(|of| of == rtype);
        let mut entries: Vec<Entry> = all
            .iter()
            .filter(|(_, endpoint)| has(endpoint))
            .map(|&(item, endpoint)| Entry { unit: endpoint.pop, item, weight: endpoint.weight })
            .collect();
        if entries.is_empty() {
            return None;
        }
        if whole_pops {
            let mut weights: HashMap<u32, u32> = HashMap::new();
            for (_, endpoint) in &all {
                let weight = weights.entry(endpoint.pop).or_default();
                *weight = weight.saturating_add(endpoint.weight);
            }
            for entry in &mut entries {
                let pop = self.world.pops.get(entry.unit as usize).map_or("", |pop| &pop.name);
                entry.weight = weights.get(&entry.unit).copied().unwrap_or_default();
                entry.item = self.items.push_stand_in(entry.item, entry.weight, sticky::hash(pop.as_bytes()));
            }
        }
        let mentions = all.iter().map(|(_, endpoint)| endpoint.pop);
        let mut roster = Roster::new(pool, rtype, mentions, &entries);
        if whole_pops {
            let family = |pop: u32, family: u16| -> Box<[u32]> {
                let of_pop = all.iter().filter(|(_, endpoint)| endpoint.pop == pop);
                let mine = of_pop.filter(|(_, endpoint)| endpoint.types().any(|of| of == family));
                mine.map(|(number, _)| *number).collect()
            };
            let pops = roster.units().iter();
            roster.content =
                Content::Pops(pops.map(|&pop| [family(pop, number::A), family(pop, number::AAAA)]).collect());
        }
        Some(roster)
    }

    fn of_members(&mut self, pool: u32, declared: &Pool, rtype: u16) -> Option<Roster> {
        let first_unit = self.world.pops.len() as u32;
        let (mut entries, mut rosters) = (Vec::new(), Vec::new());
        for &(member, weight) in &declared.members {
            let Some(roster) = self.roster(member, rtype, false) else { continue };
            let name = self.pools.get(member as usize).map_or("", |pool| &pool.name);
            let item = self.items.push_member(weight, sticky::hash(format!("pool:{name}").as_bytes()));
            entries.push(Entry { unit: first_unit + member, item, weight });
            rosters.push(roster);
        }
        if entries.is_empty() {
            return None;
        }
        let mentions = declared.members.iter().map(|(member, _)| first_unit + member);
        let mut roster = Roster::new(pool, rtype, mentions, &entries);
        // Each member is mentioned once, so positions are in the order of the entries.
        let mut leaves = BTreeSet::new();
        for member in &rosters {
            match &member.content {
                Content::Members(members) => leaves.extend(members.leaves.iter().copied()),
                _ => drop(leaves.insert(member.number)),
            }
        }
        let reach = |member: &Arc<Roster>| -> Box<[u32]> {
            let all = (0..member.units().len()).flat_map(|position| member.reach(position).iter().copied());
            all.collect::<BTreeSet<u32>>().into_iter().collect()
        };
        roster.content = Content::Members(Members {
            reach: rosters.iter().map(reach).collect(),
            rosters: rosters.iter().map(|roster| roster.number).collect(),
            leaves: leaves.into_iter().collect(),
        });
        Some(roster)
    }
}

/// A pool's endpoints and their numbers.
fn of<'a>(endpoints: &'a [Endpoint], pool: &Pool) -> impl Iterator<Item = (u32, &'a Endpoint)> + use<'a> {
    pool.endpoints.clone().filter_map(|number| Some((number, endpoints.get(number as usize)?)))
}
