//! The parts of an explanation.

use std::net::IpAddr;

use serde::Serialize;

use super::explain::PoolRecord;
use super::model::Place;
use super::standing::{Counting, Standing, Strength};
use super::steering::Steering;
use super::tree::Tree;

/// Something declared in the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    #[serde(flatten)]
    pub place: Place,
}

impl Origin {
    /// Something by its name.
    pub fn new(name: &str, place: &Place) -> Origin {
        Origin { name: name.to_owned(), place: place.clone() }
    }
}

/// A value and why it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reasoned<T> {
    /// The value.
    pub value: T,
    /// Why.
    pub reason: String,
}

/// How much of a pool is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Serving endpoints of the type, or available member pools.
    pub healthy: u32,
    /// How many of those the pool needs (`min_healthy`).
    pub needed: u32,
    /// Whether there are enough.
    pub available: bool,
}

impl Health {
    pub(super) fn of(strength: Strength) -> Health {
        let Strength { healthy, needed, mask, .. } = strength;
        Health { healthy, needed, available: Counting::Serving.is_in(mask) }
    }
}

/// How a member pool was chosen from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolReport {
    /// The pool, and where it is declared.
    pub pool: Origin,
    /// Its policy, and where it is declared; none when it has none.
    pub policy: Option<Origin>,
    /// How much of it is healthy.
    pub health: Health,
    /// The steps in order, from the verdicts to what it gives.
    pub steps: Vec<StepReport>,
}

impl PoolReport {
    pub(super) fn new(
        steering: &Steering,
        tree: &Tree,
        record: &PoolRecord,
        standing: &Standing,
        steps: Vec<StepReport>,
    ) -> PoolReport {
        let node = tree.node(record.node).unwrap_or(&tree.root);
        let pool = steering.pools.get(node.roster.pool as usize);
        let policy = steering.policies.get(node.policy as usize);
        PoolReport {
            pool: pool.map_or_else(
                || Origin::new("", &Place::default()),
                |pool| Origin::new(&pool.name, &pool.place),
            ),
            policy: policy
                .filter(|policy| !policy.name.is_empty())
                .map(|policy| Origin::new(&policy.name, &policy.place)),
            health: Health::of(standing.strength(node.roster.number)),
            steps,
        }
    }
}

/// What one step did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepReport {
    /// `verdict` first, `answer` last, between them the policy's steps.
    pub step: &'static str,
    /// What is special about it this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The geo rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<MatchedRule>,
    /// What the candidates' values are measured in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// How many candidates came in.
    pub candidates: usize,
    /// Those that go on, in ordered groups of equals.
    pub groups: Vec<Vec<CandidateReport>>,
    /// Those that do not, and why.
    pub removed: Vec<Removed>,
}

/// The geo rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchedRule {
    /// What it looks at, such as `country`.
    pub kind: &'static str,
    /// Whom it is for, such as `DE`.
    pub value: String,
    /// Where it is declared.
    #[serde(flatten)]
    pub place: Place,
}

/// A candidate as a step saw it: an endpoint, or a member pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CandidateReport {
    /// Endpoint number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<u32>,
    /// Name of the endpoint's POP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pop: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The name that it is an alias of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Name of the member pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// What the step went by, in the step's unit; nothing when the step knows nothing of the candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Kilometres that a distance step added; the value is with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<f64>,
    /// The band of a latency step with a tolerance, from 1 in each group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<usize>,
    /// Whether a shed step moved its unit behind the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shed: Option<bool>,
}

impl CandidateReport {
    pub(super) fn endpoint(steering: &Steering, number: u32) -> CandidateReport {
        let endpoint = steering.endpoint(number);
        let pop = endpoint.and_then(|endpoint| steering.world.pops.get(endpoint.pop as usize));
        CandidateReport {
            endpoint: Some(number),
            pop: pop.map(|pop| pop.name.to_string()),
            address: endpoint.and_then(|endpoint| endpoint.address),
            target: endpoint.and_then(|endpoint| Some(endpoint.target.as_ref()?.to_string())),
            ..CandidateReport::default()
        }
    }

    pub(super) fn member(steering: &Steering, pool: u32) -> CandidateReport {
        let pool = steering.pools.get(pool as usize);
        CandidateReport { pool: pool.map(|pool| pool.name.to_string()), ..CandidateReport::default() }
    }
}

/// A candidate that a step removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Removed {
    /// The candidate.
    #[serde(flatten)]
    pub candidate: CandidateReport,
    /// Why.
    pub why: String,
}
