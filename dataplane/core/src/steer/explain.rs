//! Telling how a decision came about, step by step.
//!
//! The choice itself is made by the code that answers (`choose`), which tells a [`Recording`] what each
//! stage kept. What the steps within a stage did is told again from there (`retell`).

use std::net::IpAddr;

use serde::Serialize;

use super::choose::Trace;
use super::model::WhenAllDown;
use super::reports::{CandidateReport, Health, Origin, PoolReport, Reasoned, StepReport};
use super::retell::Teller;
use super::selection::{Candidate, Positions, Selection};
use super::standing::{Counting, Standing, Strength};
use super::steering::{Decision, Outcome, Steering};
use super::tree::{ROOT, Tree};
use crate::geo::location::Location;
use crate::wire::rtype::{self, number};

/// How a decision came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The steered name, and where it is declared.
    pub name: Option<Origin>,
    /// The type asked for.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The client.
    pub client: IpAddr,
    /// The pool, and where it is declared.
    pub pool: Option<Origin>,
    /// The policy, and where it is declared.
    pub policy: Option<Origin>,
    /// What the overrides and databases say of the client.
    pub location: Location,
    /// The shortest prefix around the client within which every client has the same decision tree.
    pub prefix: Option<String>,
    /// The number of the client's location class among those of the tree of pools.
    pub class: Option<u32>,
    /// How many location classes there are.
    pub class_count: Option<usize>,
    /// How much of the pool is healthy, and how much has to be.
    pub health: Option<Health>,
    /// What the pool declares for when too little serves, if that was needed.
    pub when_all_down: Option<Reasoned<WhenAllDown>>,
    /// The steps in order, from the verdicts to the answer.
    pub steps: Vec<StepReport>,
    /// The member pools that were chosen, in the order in which they were chosen from.
    pub entered: Vec<PoolReport>,
    /// What the decision comes to.
    pub outcome: Outcome,
    /// The endpoints that answer, best first.
    pub answer: Vec<CandidateReport>,
    /// The client-subnet scope in bits.
    pub scope: Reasoned<u8>,
    /// The TTL in seconds.
    pub ttl: Reasoned<u32>,
}

/// What a stage did.
#[derive(Debug, Default)]
pub(super) struct StageRecord {
    /// What units were shed by.
    pub nonce: Option<u64>,
    /// What was kept, in this order.
    pub kept: Vec<Candidate>,
}

/// How one pool was chosen from.
#[derive(Debug)]
pub(super) struct PoolRecord {
    /// The node.
    pub node: u16,
    pub refusing: Positions,
    pub stages: Vec<StageRecord>,
}

/// Remembers a choice while it is made.
#[derive(Debug, Default)]
pub(super) struct Recording {
    counting: Option<Counting>,
    /// The root, and the member pools in the order in which they were entered.
    pools: Vec<PoolRecord>,
    /// What the next stage sheds by.
    nonce: Option<u64>,
}

impl Trace for Recording {
    fn run(&mut self, counting: Counting) {
        self.counting = Some(counting);
    }

    fn enter(&mut self, node: u16, refusing: &Positions) {
        self.pools.push(PoolRecord { node, refusing: *refusing, stages: Vec::new() });
    }

    fn shed(&mut self, nonce: u64) {
        self.nonce = Some(nonce);
    }

    fn stage(&mut self, kept: &[Candidate]) {
        if let Some(pool) = self.pools.last_mut() {
            pool.stages.push(StageRecord { nonce: self.nonce.take(), kept: kept.to_vec() });
        }
    }
}

impl Recording {
    #[allow(clippy::too_many_arguments)] // Those of `Steering::explain` and what came of them.
    pub fn explain(
        &self,
        steering: &Steering,
        name: u32,
        rtype: u16,
        client: IpAddr,
        standing: &Standing,
        decision: Decision,
        selection: &Selection,
    ) -> Explanation {
        let declared = steering.name(name);
        let pool = declared.and_then(|name| steering.pools.get(name.pool as usize));
        let policy = declared.and_then(|name| steering.policies.get(name.policy as usize));
        let tree = steering.tree(name, rtype);
        let strength = tree.map(|tree| standing.strength(tree.root.roster.number));
        let mut explanation = Explanation {
            name: declared.map(|name| Origin::new(&name.name.to_string(), &name.place)),
            rtype: rtype::to_text(tree.map_or(rtype, |tree| tree.rtype)).to_string(),
            client,
            pool: pool.map(|pool| Origin::new(&pool.name, &pool.place)),
            policy: policy.map(|policy| Origin::new(&policy.name, &policy.place)),
            location: *steering.map.location(steering.map.locate(client)),
            prefix: tree.map(|tree| prefix(tree, client)),
            class: tree.map(|tree| tree.classes.find(client).class),
            class_count: tree.map(|tree| tree.classes.len()),
            health: strength.map(Health::of),
            when_all_down: None,
            steps: Vec::new(),
            entered: Vec::new(),
            outcome: decision.outcome,
            answer: Vec::new(),
            scope: Reasoned { value: decision.scope, reason: scope_reason(steering, name, tree, client) },
            ttl: Reasoned { value: decision.ttl, reason: "declared for the name".to_owned() },
        };
        let (Some(tree), Some(strength), Some(counting)) = (tree, strength, self.counting) else {
            return explanation;
        };
        let told = |record: &PoolRecord| {
            let teller = Teller::new(steering, tree, record, client, standing, counting)?;
            Some(teller.tell(&record.stages))
        };
        let none = PoolRecord { node: ROOT, refusing: Positions::default(), stages: Vec::new() };
        explanation.steps = told(self.pools.first().unwrap_or(&none)).unwrap_or_default();
        explanation.entered = self
            .pools
            .iter()
            .skip(1)
            .filter_map(|record| Some(PoolReport::new(steering, tree, record, standing, told(record)?)))
            .collect();
        // A name has one CNAME (RFC 2181 section 10.1).
        let most = if tree.rtype == number::CNAME { 1 } else { usize::MAX };
        let answer = selection.as_slice().iter().take(most);
        explanation.answer = answer.map(|&endpoint| CandidateReport::endpoint(steering, endpoint)).collect();
        let all_down = !Counting::Serving.is_in(strength.mask);
        explanation.when_all_down = all_down_reason(tree, strength, counting, decision.outcome)
            .map(|reason| Reasoned { value: tree.when_all_down, reason });
        explanation.ttl.reason = ttl_reason(steering, name, strength, all_down);
        explanation
    }
}

fn prefix(tree: &Tree, client: IpAddr) -> String {
    let found = tree.classes.find(client);
    let length = found.length.max(tree.sticky_bits(found.class, client));
    match client.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            format!("{}/{length}", std::net::Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            format!("{}/{length}", std::net::Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

fn all_down_reason(tree: &Tree, strength: Strength, counting: Counting, outcome: Outcome) -> Option<String> {
    let Strength { mask, healthy, needed, .. } = strength;
    if Counting::Serving.is_in(mask) {
        let declares_answer = matches!(tree.when_all_down, WhenAllDown::ServeAll | WhenAllDown::LastGood);
        return match outcome {
            Outcome::Answer => None,
            _ if declares_answer => {
                Some("some endpoints serve, but the policy fences this client off from them".to_owned())
            }
            _ => Some("no serving endpoint is left for this client".to_owned()),
        };
    }
    let lack = match (healthy, tree.root.children.is_empty()) {
        (0, _) => "nothing serves".to_owned(),
        (_, true) => format!("{healthy} serve where {needed} are needed"),
        (_, false) => format!("{healthy} members are available where {needed} are needed"),
    };
    Some(match (counting, outcome) {
        (Counting::Serving, _) if healthy == 0 => "no serving endpoint is left for this client".to_owned(),
        (Counting::Serving, _) => lack,
        (_, Outcome::LastResort) => {
            format!("{lack}, and the policy fences this client off from what is down")
        }
        (Counting::LastGood, _) => format!("{lack}: the endpoints that served last count as serving"),
        (Counting::NotDrained, _) => format!("{lack}: endpoints that are down count as serving"),
        (Counting::All, _) => "everything is drained: drained endpoints count as serving".to_owned(),
    })
}

fn ttl_reason(steering: &Steering, name: u32, strength: Strength, all_down: bool) -> String {
    let Strength { serving, down, .. } = strength;
    match steering.targets.get(name as usize) {
        Some(target) if target.ttl != target.min_ttl => {
            let (least, greatest) = (target.min_ttl, target.ttl);
            match (all_down, down) {
                (true, _) => "the least declared: when_all_down is in effect".to_owned(),
                (false, 0) => "the greatest declared: no endpoint is down".to_owned(),
                (false, _) => {
                    let all = u64::from(serving) + u64::from(down);
                    format!(
                        "between {least} and {greatest}: {serving} of {all} endpoints that are not drained serve"
                    )
                }
            }
        }
        _ => "declared for the name".to_owned(),
    }
}

fn scope_reason(steering: &Steering, name: u32, tree: Option<&Tree>, client: IpAddr) -> String {
    let Some(tree) = tree else {
        return "the pool has nothing of this type, wherever the client is".to_owned();
    };
    let found = tree.classes.find(client);
    let sticky = tree.sticky_bits(found.class, client);
    let nodes = std::iter::once(&tree.root).chain(&tree.members);
    let mut policies = nodes.filter_map(|node| steering.policies.get(node.policy as usize));
    if !steering.uses_client_subnet(name) {
        "the name is decided by the resolver's address: it declares client_subnet: false".to_owned()
    } else if sticky > found.length {
        format!("a sticky step tells clients apart by the first {sticky} bits of their address")
    } else if !policies.any(|policy| policy.looks_at_location(&steering.world)) {
        "no step of the policy looks at the client's location".to_owned()
    } else if tree.classes.len() == 1 {
        "the policy orders these endpoints alike for every location".to_owned()
    } else {
        "the shortest prefix around the client with one decision tree".to_owned()
    }
}
