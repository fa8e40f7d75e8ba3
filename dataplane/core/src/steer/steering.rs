//! Compiled steering, and its answers.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::cells::{Cell, Found, Locator};
use super::choose::{Trace, Untraced, choose};
use super::classes::Classes;
use super::compile;
use super::error::SteerError;
use super::explain::{Explanation, Recording};
pub(super) use super::items::Items;
use super::model::{Endpoint, Pool, Reflect, SteeredName, World};
use super::policy::Policy;
use super::random::Random;
use super::roster::Roster;
use super::selection::{Asked, Selection};
use super::standing::{Standing, Strength};
use super::tree::Tree;
use crate::geo::map::{Contents, GeoMap};
use crate::geo::table::Level;
use crate::wire::rtype::number;

/// What a decision comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What the selected endpoints answer.
    Answer,
    /// The records of the zone file, since no endpoint is left.
    LastResort,
    /// The records of the zone file, since the pool has nothing of the type asked for.
    NotOffered,
    /// No records.
    #[serde(rename = "nodata")]
    NoData,
    /// A failure.
    #[serde(rename = "servfail")]
    ServFail,
}

impl Outcome {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Answer => "answer",
            Outcome::LastResort => "last_resort",
            Outcome::NotOffered => "not_offered",
            Outcome::NoData => "nodata",
            Outcome::ServFail => "servfail",
        }
    }
}

/// How to answer a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What to answer.
    pub outcome: Outcome,
    /// TTL of the steered name in seconds.
    pub ttl: u32,
    /// SCOPE PREFIX-LENGTH (RFC 7871 section 6) in bits of the client's family: every client within this
    /// prefix has the same decision tree. IPv4-mapped IPv6 clients have an IPv4 scope.
    pub scope: u8,
}

/// What compiled tables hold, as an operator may want to see it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Combinations of policy, pool and type that are in use.
    pub plans: usize,
    /// Location classes of all of them.
    pub classes: usize,
    /// Prefixes in the lookup tables.
    pub prefixes: usize,
    /// Memory of lookup tables and candidate orders in octets.
    pub octets: usize,
}

/// Number of the tree that a name has for a type it has nothing of.
pub(super) const NO_TREE: u32 = u32::MAX;

/// What a decision needs to know of a name.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Numbers of its trees for A and AAAA.
    pub addresses: [u32; 2],
    /// Number of its tree for CNAME, which then answers every type.
    pub alias: u32,
    /// Where its declared types stand.
    pub declared: Range<u32>,
    pub ttl: u32,
    pub min_ttl: u32,
    pub client_subnet: bool,
    /// Whether it reflects who asks: then it has no tree.
    pub reflects: bool,
}

/// Compiled policies, pools and geo data. Immutable. The default steers nothing.
#[derive(Debug, Default)]
pub struct Steering {
    pub(super) targets: Box<[Target]>,
    /// (type, tree), by name.
    pub(super) declared: Box<[(u16, u32)]>,
    pub(super) trees: Box<[Tree]>,
    /// Those of members before those of their pools.
    pub(super) rosters: Box<[Arc<Roster>]>,
    pub(super) items: Items,
    pub(super) endpoints: Box<[Endpoint]>,
    pub(super) names: Box<[SteeredName]>,
    pub(super) pools: Box<[Pool]>,
    /// The last one has no steps, for pools that have no policy.
    pub(super) policies: Box<[Policy]>,
    pub(super) world: World,
    pub(super) map: Arc<GeoMap>,
    /// What each of the document's databases says, in its order.
    pub(super) databases: Box<[Contents]>,
    /// Octets of the tables that a decision looks at.
    pub(super) octets: usize,
}

impl Steering {
    /// Compiles a steering document (JSON, see `gslb/steering/document.py`) and reads the geo databases
    /// that it names.
    ///
    /// # Errors
    /// [`SteerError`] says what is wrong and where.
    pub fn compile(document: &str) -> Result<Steering, SteerError> {
        compile::compile(document)
    }

    /// Number of steered names.
    pub fn name_count(&self) -> usize {
        self.names.len()
    }

    /// Number of endpoints of all pools.
    pub fn endpoint_count(&self) -> usize {
        self.endpoints.len()
    }

    /// What each of the document's databases says, in its order.
    pub fn databases(&self) -> &[Contents] {
        &self.databases
    }

    /// Number of POPs.
    pub fn pop_count(&self) -> usize {
        self.world.pops.len()
    }

    /// The steered name of an index into the document's names.
    pub fn name(&self, index: u32) -> Option<&SteeredName> {
        self.names.get(index as usize)
    }

    /// The endpoint of a number: pools in the document's order, each pool's endpoints in order.
    #[inline]
    pub fn endpoint(&self, endpoint: u32) -> Option<&Endpoint> {
        self.endpoints.get(endpoint as usize)
    }

    /// Whether a name's pool has anything of a type. A pool of aliases has something of every type.
    #[inline]
    pub fn offers(&self, name: u32, rtype: u16) -> bool {
        self.tree(name, rtype).is_some()
    }

    /// Whether a name's pool holds aliases: CNAMEs, which stand alone at a name.
    #[inline]
    pub fn is_alias(&self, name: u32) -> bool {
        self.targets.get(name as usize).is_some_and(|target| target.alias != NO_TREE)
    }

    /// Whether a client subnet decides for a name, rather than the resolver's address.
    #[inline]
    pub fn uses_client_subnet(&self, name: u32) -> bool {
        self.targets.get(name as usize).is_none_or(|target| target.client_subnet)
    }

    /// Whether a name reflects who asks.
    #[inline]
    pub fn reflects(&self, name: u32) -> bool {
        self.targets.get(name as usize).is_some_and(|target| target.reflects)
    }

    /// A name that reflects who asks, and what of it.
    pub fn reflecting(&self, name: u32) -> Option<(&SteeredName, Reflect)> {
        let name = self.name(name)?;
        Some((name, name.reflect?))
    }

    /// What the compiled tables hold.
    pub fn size(&self) -> Size {
        let mut size = Size::default();
        let mut seen: HashSet<*const Classes> = HashSet::new();
        let mut located: HashSet<*const Locator> = HashSet::new();
        for tree in &self.trees {
            size.plans += 1;
            // Trees of the same policies over the same units share their classes, and these their locators.
            if seen.insert(Arc::as_ptr(&tree.classes)) {
                size.classes += tree.classes.len();
                size.octets += tree.classes.size();
            }
            let locator = tree.classes.locator();
            if located.insert(Arc::as_ptr(locator)) {
                size.prefixes += locator.prefix_count();
                size.octets += locator.size();
            }
        }
        size
    }

    /// How many pairs of a name's type and a cell of its clients there are: what demand can be told of.
    pub fn cell_count(&self) -> usize {
        let trees = self.targets.iter().flat_map(|target| {
            let declared = self.declared.get(target.declared.start as usize..target.declared.end as usize);
            let declared = declared.unwrap_or_default().iter().map(|&(_, tree)| tree);
            target.addresses.into_iter().chain([target.alias]).chain(declared)
        });
        let trees = trees.filter_map(|tree| self.trees.get(tree as usize));
        trees.map(|tree| tree.classes.cells().len()).fold(0, usize::saturating_add)
    }

    /// A cell of a name's clients that ask for a type, as [`Selection::asked`] tells it.
    pub fn cell(&self, name: u32, asked: Asked) -> Option<&Cell> {
        self.tree(name, asked.rtype)?.classes.cells().get(asked.cell as usize)
    }

    /// Octets of the tables that a decision looks at, as [`Steering::size`] counts them.
    #[inline]
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Asks for what [`Steering::locate`] looks at on a level of the table of prefixes; the level before should be
    /// there.
    #[inline]
    pub fn prefetch(&self, name: u32, rtype: u16, client: IpAddr, level: Level) {
        if let Some(tree) = self.tree(name, rtype) {
            tree.classes.locator().prefetch(client, level);
        }
    }

    /// Looks a client up for a decision that is made later, and asks for the order of units that it will look at.
    /// Also says what [`Selection::asked`] will.
    #[inline]
    pub fn locate(&self, name: u32, rtype: u16, client: IpAddr) -> Option<(Found, Asked)> {
        let tree = self.tree(name, rtype)?;
        let found = tree.classes.find(client);
        tree.classes.prefetch(found.class);
        Some((found, Asked { rtype: tree.rtype, cell: found.cell }))
    }

    /// Decides which endpoints answer a name and type for a client. An unknown name gets the last
    /// resort. Allocates nothing.
    #[inline]
    pub fn decide(
        &self,
        name: u32,
        rtype: u16,
        client: IpAddr,
        standing: &Standing,
        random: &mut Random,
        selection: &mut Selection,
    ) -> Decision {
        self.run(name, rtype, client, None, standing, random, selection, &mut Untraced)
    }

    /// Decides as [`Steering::decide`] does; `found` is what [`Steering::locate`] has found for the same, if it has.
    #[inline]
    #[allow(clippy::too_many_arguments)] // Those of `decide` and where the client was found.
    pub fn decide_for(
        &self,
        name: u32,
        rtype: u16,
        client: IpAddr,
        found: Option<Found>,
        standing: &Standing,
        random: &mut Random,
        selection: &mut Selection,
    ) -> Decision {
        self.run(name, rtype, client, found, standing, random, selection, &mut Untraced)
    }

    /// Decides as [`Steering::decide`] does, by the same code, and tells how.
    pub fn explain(
        &self,
        name: u32,
        rtype: u16,
        client: IpAddr,
        standing: &Standing,
        random: &mut Random,
        selection: &mut Selection,
    ) -> (Decision, Explanation) {
        let mut recording = Recording::default();
        let decision = self.run(name, rtype, client, None, standing, random, selection, &mut recording);
        let explanation = recording.explain(self, name, rtype, client, standing, decision, selection);
        (decision, explanation)
    }

    #[inline]
    #[allow(clippy::too_many_arguments)] // Those of `decide` and the trace.
    fn run<T: Trace>(
        &self,
        name: u32,
        rtype: u16,
        client: IpAddr,
        found: Option<Found>,
        standing: &Standing,
        random: &mut Random,
        selection: &mut Selection,
        trace: &mut T,
    ) -> Decision {
        selection.clear();
        let Some(target) = self.targets.get(name as usize) else {
            return Decision { outcome: Outcome::NotOffered, ttl: 0, scope: 0 };
        };
        let Some(tree) = self.tree_of(target, rtype) else {
            return Decision { outcome: Outcome::NotOffered, ttl: target.ttl, scope: 0 };
        };
        let Found { class, cell, length } = found.unwrap_or_else(|| tree.classes.find(client));
        selection.set_asked(Asked { rtype: tree.rtype, cell });
        let (outcome, all_down) =
            choose(tree, class, &client, &self.items, standing, random, selection, trace);
        let ttl = if target.ttl == target.min_ttl {
            target.ttl
        } else {
            target.degraded_ttl(standing.strength(tree.root.roster.number), all_down)
        };
        let scope = if target.client_subnet { length.max(tree.sticky_bits(class, client)) } else { 0 };
        Decision { outcome, ttl, scope }
    }

    /// Whether a client's address or its subnet can decide what a name answers to a type.
    #[inline]
    pub fn tells_clients_apart(&self, name: u32, rtype: u16) -> bool {
        let tree = self.tree(name, rtype).filter(|_| self.uses_client_subnet(name));
        tree.is_some_and(|tree| tree.is_sticky || tree.classes.len() > 1)
    }

    /// The tree of a name for a type, if its pool has anything of that type.
    #[inline]
    pub(super) fn tree(&self, name: u32, rtype: u16) -> Option<&Tree> {
        self.tree_of(self.targets.get(name as usize)?, rtype)
    }

    /// The trees of a name, of all types.
    pub(super) fn trees_of(&self, name: u32) -> impl Iterator<Item = &Tree> {
        let target = self.targets.get(name as usize);
        let declared = target.and_then(|target| {
            self.declared.get(target.declared.start as usize..target.declared.end as usize)
        });
        let own = target.map(|target| [target.addresses[0], target.addresses[1], target.alias]);
        let numbers =
            own.into_iter().flatten().chain(declared.unwrap_or_default().iter().map(|&(_, tree)| tree));
        numbers.filter_map(|number| self.trees.get(number as usize))
    }

    #[inline]
    fn tree_of(&self, target: &Target, rtype: u16) -> Option<&Tree> {
        let [ipv4, ipv6] = target.addresses;
        let number = match rtype {
            _ if target.alias != NO_TREE => target.alias,
            number::A => ipv4,
            number::AAAA => ipv6,
            _ => {
                let declared =
                    self.declared.get(target.declared.start as usize..target.declared.end as usize)?;
                declared.iter().find(|(of, _)| *of == rtype)?.1
            }
        };
        self.trees.get(number as usize)
    }
}

impl Target {
    /// The TTL: shorter the more of the endpoints are down.
    pub(super) fn degraded_ttl(&self, strength: Strength, all_down: bool) -> u32 {
        let Strength { serving, down, .. } = strength;
        if all_down {
            return self.min_ttl;
        }
        if down == 0 {
            return self.ttl;
        }
        let range = u64::from(self.ttl.saturating_sub(self.min_ttl));
        let share = range * u64::from(serving) / (u64::from(serving) + u64::from(down));
        self.min_ttl + share as u32
    }
}
