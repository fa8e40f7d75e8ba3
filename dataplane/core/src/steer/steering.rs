//! Compiled steering, and its answers.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::choose::{Plan, Query, Trace, Untraced, choose};
use super::classes::Classes;
use super::compile;
use super::error::SteerError;
use super::explain::{Explanation, Recording};
use super::model::{Endpoint, Pool, SteeredName, World};
use super::policy::Policy;
use super::random::Random;
use super::selection::Selection;
use super::verdict::Verdicts;
use crate::geo::map::GeoMap;
use crate::wire::rtype::number;

/// The address family that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A records.
    Ipv4,
    /// AAAA records.
    Ipv6,
}

impl Family {
    /// The family whose addresses answer a query type; none for types that are not addresses.
    #[inline]
    pub fn of(qtype: u16) -> Option<Family> {
        match qtype {
            number::A => Some(Family::Ipv4),
            number::AAAA => Some(Family::Ipv6),
            _ => None,
        }
    }
}

/// What a decision comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The addresses of the selected endpoints.
    Answer,
    /// The records of the zone file, since no endpoint is left.
    LastResort,
    /// The records of the zone file, since the pool has no endpoint of the family asked for.
    NotOffered,
    /// No records.
    #[serde(rename = "nodata")]
    NoData,
    /// A failure.
    #[serde(rename = "servfail")]
    ServFail,
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
    /// Combinations of policy, pool and address family that are in use.
    pub plans: usize,
    /// Location classes of all policies.
    pub classes: usize,
    /// Prefixes in the lookup tables.
    pub prefixes: usize,
    /// Memory of lookup tables and candidate orders in octets.
    pub octets: usize,
}

/// Number of the plan that a name has for a family it has no endpoint of.
pub(super) const NO_PLAN: u32 = u32::MAX;

/// What a decision needs to know of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// Numbers of its plans for IPv4 and IPv6 endpoints.
    pub plans: [u32; 2],
    pub ttl: u32,
}

/// Compiled policies, pools and geo data. Immutable. The default steers nothing.
#[derive(Debug, Default)]
pub struct Steering {
    pub(super) targets: Box<[Target]>,
    pub(super) plans: Box<[Plan]>,
    /// By endpoint number.
    pub(super) weights: Box<[u32]>,
    pub(super) endpoints: Box<[Endpoint]>,
    pub(super) names: Box<[SteeredName]>,
    pub(super) pools: Box<[Pool]>,
    pub(super) policies: Box<[Policy]>,
    pub(super) world: World,
    pub(super) map: Arc<GeoMap>,
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

    /// The steered name of an index into the document's names.
    pub fn name(&self, index: u32) -> Option<&SteeredName> {
        self.names.get(index as usize)
    }

    /// The endpoint of a number: pools in the document's order, each pool's endpoints in order.
    #[inline]
    pub fn endpoint(&self, endpoint: u32) -> Option<&Endpoint> {
        self.endpoints.get(endpoint as usize)
    }

    /// What the compiled tables hold.
    pub fn size(&self) -> Size {
        let mut size = Size::default();
        let mut seen: HashSet<*const Classes> = HashSet::new();
        for plan in &self.plans {
            size.plans += 1;
            // Plans of the same policy over the same POPs share their classes.
            if seen.insert(Arc::as_ptr(&plan.classes)) {
                size.classes += plan.classes.len();
                size.prefixes += plan.classes.prefix_count();
                size.octets += plan.classes.size();
            }
        }
        size
    }

    /// Decides which endpoints of a family answer a name for a client. An unknown name gets the last
    /// resort. Allocates nothing.
    #[inline]
    pub fn decide(
        &self,
        name: u32,
        family: Family,
        client: IpAddr,
        verdicts: &Verdicts,
        random: &mut Random,
        selection: &mut Selection,
    ) -> Decision {
        self.run(name, family, client, verdicts, random, selection, &mut Untraced)
    }

    /// Decides as [`Steering::decide`] does, by the same code, and tells how.
    pub fn explain(
        &self,
        name: u32,
        family: Family,
        client: IpAddr,
        verdicts: &Verdicts,
        random: &mut Random,
        selection: &mut Selection,
    ) -> (Decision, Explanation) {
        let mut recording = Recording::default();
        let decision = self.run(name, family, client, verdicts, random, selection, &mut recording);
        let explanation = recording.explain(self, name, family, client, verdicts, decision, selection);
        (decision, explanation)
    }

    #[inline]
    #[allow(clippy::too_many_arguments)] // Those of `decide` and the trace.
    fn run<T: Trace>(
        &self,
        name: u32,
        family: Family,
        client: IpAddr,
        verdicts: &Verdicts,
        random: &mut Random,
        selection: &mut Selection,
        trace: &mut T,
    ) -> Decision {
        selection.clear();
        let target = self.targets.get(name as usize);
        let ttl = target.map_or(0, |target| target.ttl);
        let Some(plan) = self.plan(name, family) else {
            return Decision { outcome: Outcome::NotOffered, ttl, scope: 0 };
        };
        let (class, scope) = plan.classes.find(client);
        let query = Query { class, weights: &self.weights, verdicts };
        let outcome = choose(plan, &query, random, selection, trace);
        Decision { outcome, ttl, scope }
    }

    /// The plan of a name for a family, if its pool has endpoints of that family.
    #[inline]
    pub(super) fn plan(&self, name: u32, family: Family) -> Option<&Plan> {
        let [ipv4, ipv6] = self.targets.get(name as usize)?.plans;
        let number = match family {
            Family::Ipv4 => ipv4,
            Family::Ipv6 => ipv6,
        };
        self.plans.get(number as usize)
    }
}
