//! The trees of all names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::pools::same_pop_of_pools;
use super::rosters::Rosters;
use crate::geo::map::GeoMap;
use crate::steer::cells::{Locators, MAX_CELLS};
use crate::steer::classes::{Classes, Part, Signatures};
use crate::steer::error::SteerError;
use crate::steer::grouping::all_positions;
use crate::steer::items::Items;
use crate::steer::model::{Endpoint, Pool, SteeredName, World};
use crate::steer::policy::Policy;
use crate::steer::roster::{Content, Roster};
use crate::steer::stages::{MAX_SHEDS, Stage, StageSteps, stages};
use crate::steer::steering::{NO_TREE, Target};
use crate::steer::tree::{Node, Tree};
use crate::wire::rtype::number;

/// All that names lead to.
#[derive(Default)]
pub(super) struct Compiled {
    pub targets: Vec<Target>,
    pub declared: Vec<(u16, u32)>,
    pub trees: Vec<Tree>,
    pub rosters: Vec<Arc<Roster>>,
    pub items: Items,
}

/// A tree whose classes are not known yet.
struct Draft {
    rtype: u16,
    /// The root first.
    nodes: Vec<Node>,
    repeats: bool,
}

/// Compiles a tree for each pair of policy and pool in use and each type that the pool has.
pub(super) fn trees(
    names: &[SteeredName],
    policies: &[Policy],
    pools: &[Pool],
    endpoints: &[Endpoint],
    world: &World,
    map: &GeoMap,
) -> Result<Compiled, SteerError> {
    let steps = policies.iter().map(steps_of).collect::<Result<Vec<_>, _>>()?;
    let mut drafts = Drafts {
        policies,
        pools,
        stages: steps.iter().map(|steps| variants(steps)).collect(),
        rosters: Rosters::new(pools, endpoints, world),
    };
    // What looks at clients with the same policies is worked out together.
    let mut pairs: BTreeMap<Vec<u32>, Vec<(u32, u32)>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for name in names {
        let pair = (name.pool, name.policy);
        if !seen.insert(pair) {
            continue;
        }
        let Some(pool) = pools.get(name.pool as usize) else { continue };
        if !pool.members.is_empty() && policies.get(name.policy as usize).is_some_and(Policy::is_same_pop) {
            return Err(same_pop_of_pools(&name.place, &pool.name));
        }
        pairs.entry(drafts.policies_of(pair)).or_default().push(pair);
    }
    let mut locators = Locators::new(map, MAX_CELLS);
    let mut compiled = Compiled::default();
    let mut by_pair: HashMap<(u32, u32), Vec<(u16, u32)>> = HashMap::new();
    for (policy_numbers, pairs) in pairs {
        let of_tree: Vec<&Policy> =
            policy_numbers.iter().filter_map(|&policy| policies.get(policy as usize)).collect();
        let signatures = Signatures::new(&of_tree, world, map);
        locators.forget_signatures();
        // Trees over the same units share their classes.
        let mut classes_of: HashMap<Vec<u32>, Arc<Classes>> = HashMap::new();
        for pair in pairs {
            let types = drafts.rosters.types(pair.0);
            let Some(pool) = pools.get(pair.0 as usize) else { continue };
            if types.contains(&number::CNAME) && types.len() > 1 {
                let message = format!("pool {}: some pools below have cnames and some have not", pool.name);
                return Err(SteerError::declared(&pool.place, message));
            }
            for &rtype in types.iter() {
                let Some(draft) = drafts.tree(pair, rtype) else { continue };
                let key = draft.units();
                let classes = match classes_of.get(&key) {
                    Some(classes) => classes.clone(),
                    None => {
                        let parts: Vec<Part<'_>> =
                            draft.nodes.iter().filter_map(|node| part(node, policies, &steps)).collect();
                        let classes = Arc::new(Classes::new(&parts, world, map, &signatures, &mut locators)?);
                        classes_of.insert(key, classes.clone());
                        classes
                    }
                };
                by_pair.entry(pair).or_default().push((rtype, compiled.trees.len() as u32));
                let Some(tree) = draft.finish(pool, classes, &signatures) else { continue };
                compiled.trees.push(tree);
            }
        }
    }
    for name in names {
        let of_name = by_pair.get(&(name.pool, name.policy)).map_or(&[][..], |trees| trees);
        let target = target(name, of_name, &mut compiled.declared);
        compiled.targets.push(target);
    }
    compiled.rosters = drafts.rosters.all;
    compiled.items = drafts.rosters.items;
    Ok(compiled)
}

fn steps_of(policy: &Policy) -> Result<Vec<StageSteps>, SteerError> {
    let steps = stages(&policy.steps);
    if steps.iter().any(|steps| steps.stage.sheds.len() > MAX_SHEDS) {
        let message =
            format!("policy {}: at most {MAX_SHEDS} shed steps can stand before a take", policy.name);
        return Err(SteerError::declared(&policy.place, message));
    }
    Ok(steps)
}

/// The stages of pools without spares, and of those with.
fn variants(steps: &[StageSteps]) -> [Arc<[Stage]>; 2] {
    let stages = || steps.iter().map(|steps| &steps.stage);
    [stages().cloned().collect(), stages().map(Stage::with_spares).collect()]
}

fn part<'a>(node: &'a Node, policies: &'a [Policy], steps: &'a [Vec<StageSteps>]) -> Option<Part<'a>> {
    Some(Part {
        policy: policies.get(node.policy as usize)?,
        stages: steps.get(node.policy as usize)?,
        roster: &node.roster,
        children: &node.children,
        may_refuse: node.may_refuse,
    })
}

fn target(name: &SteeredName, trees: &[(u16, u32)], declared: &mut Vec<(u16, u32)>) -> Target {
    let of = |rtype| trees.iter().find(|(of, _)| *of == rtype).map_or(NO_TREE, |(_, tree)| *tree);
    let start = declared.len() as u32;
    let has_own = |rtype| matches!(rtype, number::A | number::AAAA | number::CNAME);
    declared.extend(trees.iter().filter(|(rtype, _)| !has_own(*rtype)));
    Target {
        addresses: [of(number::A), of(number::AAAA)],
        alias: of(number::CNAME),
        declared: start..declared.len() as u32,
        ttl: name.ttl,
        min_ttl: name.min_ttl,
        client_subnet: name.client_subnet,
        reflects: name.reflect.is_some(),
    }
}

/// What drafts are made of.
struct Drafts<'a> {
    policies: &'a [Policy],
    pools: &'a [Pool],
    /// By policy: for pools without spares, and for those with.
    stages: Vec<[Arc<[Stage]>; 2]>,
    rosters: Rosters<'a>,
}

impl Drafts<'_> {
    /// The policy of a member pool: its own, or the one without steps, which is the last.
    fn own_policy(&self, pool: u32) -> u32 {
        let own = self.pools.get(pool as usize).and_then(|pool| pool.policy);
        own.unwrap_or(self.policies.len() as u32 - 1)
    }

    /// The policies of a name's pool and policy and of all below, each once.
    fn policies_of(&self, (pool, policy): (u32, u32)) -> Vec<u32> {
        let mut policies = vec![policy];
        let mut open = vec![pool];
        let mut seen: HashSet<u32> = open.iter().copied().collect();
        while let Some(next) = open.pop() {
            for &(member, _) in self.pools.get(next as usize).map_or(&[][..], |pool| &pool.members) {
                if seen.insert(member) {
                    policies.push(self.own_policy(member));
                    open.push(member);
                }
            }
        }
        policies.sort_unstable();
        policies.dedup();
        policies
    }

    /// The tree of a pool and policy for a type, if the pool has anything of it.
    fn tree(&mut self, (pool, policy): (u32, u32), rtype: u16) -> Option<Draft> {
        let mut draft = Draft { rtype, nodes: Vec::new(), repeats: false };
        let mut known: HashMap<u32, usize> = HashMap::new();
        self.node(pool, policy, rtype, &mut draft, &mut known)?;
        draft.repeats |= self.has_twins(&draft);
        let mut column = 0;
        for node in &mut draft.nodes {
            node.column = column;
            column += node.stages.len();
        }
        Some(draft)
    }

    /// Adds a pool and all below, and returns its index. Pools nest at most eight deep.
    fn node(
        &mut self,
        pool: u32,
        policy: u32,
        rtype: u16,
        draft: &mut Draft,
        known: &mut HashMap<u32, usize>,
    ) -> Option<usize> {
        let declared = self.policies.get(policy as usize)?;
        let whole_pops = declared.is_same_pop();
        let roster = self.rosters.roster(pool, rtype, whole_pops)?;
        let [without_spares, with_spares] = self.stages.get(policy as usize)?;
        let stages = if roster.has_spares() { with_spares.clone() } else { without_spares.clone() };
        let index = draft.nodes.len();
        draft.nodes.push(Node {
            policy,
            is_random: stages.iter().any(Stage::is_random),
            stages,
            column: 0,
            children: Box::default(),
            may_refuse: declared.may_leave_none(),
            asks_members: false,
            whole_pops,
            roster: roster.clone(),
        });
        let first_unit = self.rosters.first_pool_unit();
        let mut children = Vec::new();
        let mut asks = false;
        if let Content::Members(_) = &roster.content {
            for &unit in roster.units() {
                let member = unit - first_unit;
                let child = match known.get(&member) {
                    Some(&child) => {
                        draft.repeats = true;
                        child
                    }
                    None => {
                        let child = self.node(member, self.own_policy(member), rtype, draft, known)?;
                        known.insert(member, child);
                        child
                    }
                };
                asks |= draft.nodes.get(child).is_some_and(|node| node.may_refuse);
                // The root is not among the members.
                children.push((child - 1) as u16);
            }
        }
        if let Some(node) = draft.nodes.get_mut(index) {
            node.children = children.into();
            node.asks_members = asks;
            node.may_refuse |= asks;
        }
        Some(index)
    }

    /// Whether two endpoints of a tree give the same answer.
    fn has_twins(&self, draft: &Draft) -> bool {
        let mut seen = HashSet::new();
        let items = &self.rosters.items;
        let leaves = draft.nodes.iter().filter(|node| node.children.is_empty());
        let endpoints = leaves.flat_map(|node| node.roster.items()).filter_map(|&item| items.endpoint(item));
        let is_address = matches!(draft.rtype, number::A | number::AAAA);
        is_address && endpoints.map(|endpoint| items.twin(endpoint)).any(|twin| !seen.insert(twin))
    }
}

impl Draft {
    /// What classes depend on beside the policies' steps: each node's policy and units, what the units reach, and for
    /// sticky steps which units have several candidates.
    fn units(&self) -> Vec<u32> {
        let mut key = Vec::new();
        for node in &self.nodes {
            let units = node.roster.units();
            key.extend([node.policy, units.len() as u32]);
            key.extend(units);
            if node.stages.iter().any(Stage::is_sticky) {
                let several = |position| u32::from(node.roster.at(position).len() > 1);
                key.extend(all_positions(units.len()).into_iter().map(several));
            }
            if !node.children.is_empty() {
                for position in 0..units.len() {
                    let reach = node.roster.reach(position);
                    key.push(reach.len() as u32);
                    key.extend(reach);
                }
            }
        }
        key
    }

    fn finish(self, pool: &Pool, classes: Arc<Classes>, signatures: &Signatures) -> Option<Tree> {
        let is_sticky = self.nodes.iter().flat_map(|node| node.stages.iter()).any(Stage::is_sticky);
        let mut nodes = self.nodes.into_iter();
        let root = nodes.next()?;
        let members: Box<[Node]> = nodes.collect();
        Some(Tree {
            rtype: self.rtype,
            when_all_down: pool.when_all_down,
            draws_twice: members.iter().any(|node| node.may_refuse && node.is_random),
            root,
            members,
            classes,
            subnets: signatures.subnets.clone(),
            is_sticky,
            repeats: self.repeats,
        })
    }
}
