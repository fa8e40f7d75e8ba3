//! Telling how a decision came about, step by step.
//!
//! The choice itself is made by the code that answers (`choose`), which tells a [`Recording`] what each
//! stage kept. What the steps within a stage did is told again from there (`retell`).

use std::net::IpAddr;

use serde::Serialize;

use super::choose::{Counting, Plan, Trace};
use super::model::{Place, WhenAllDown};
use super::policy::Policy;
use super::retell::Teller;
use super::selection::{Candidate, Selection};
use super::steering::{Decision, Family, Outcome, Steering};
use super::verdict::Verdicts;
use crate::geo::location::Location;

/// How a decision came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The steered name, and where it is declared.
    pub name: Option<Origin>,
    /// The family asked for.
    pub family: Family,
    /// The client.
    pub client: IpAddr,
    /// The pool, and where it is declared.
    pub pool: Option<Origin>,
    /// The policy, and where it is declared.
    pub policy: Option<Origin>,
    /// What the databases say of the client.
    pub location: Location,
    /// The shortest prefix around the client within which every client has the same decision tree.
    pub prefix: Option<String>,
    /// The number of the client's location class among those of the policy and the pool's POPs.
    pub class: Option<u32>,
    /// How many location classes there are.
    pub class_count: Option<usize>,
    /// What the pool declares for when nothing is left, if that was needed.
    pub when_all_down: Option<Reasoned<WhenAllDown>>,
    /// The steps in order, from the verdicts to the answer.
    pub steps: Vec<StepReport>,
    /// What the decision comes to.
    pub outcome: Outcome,
    /// The endpoints that answer, best first.
    pub answer: Vec<CandidateReport>,
    /// The client-subnet scope in bits.
    pub scope: Reasoned<u8>,
    /// The TTL in seconds.
    pub ttl: Reasoned<u32>,
}

/// Something declared in the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    #[serde(flatten)]
    pub place: Place,
}

/// A value and why it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reasoned<T> {
    /// The value.
    pub value: T,
    /// Why.
    pub reason: String,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// `verdict`, the policy's step, or `answer`.
    pub step: &'static str,
    /// The geo rule that decided, if one matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<MatchedRule>,
    /// What the candidates' values are: `rank`, `milliseconds`, `kilometres`, `tier` or `weight`.
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

/// A candidate as a step saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateReport {
    /// Endpoint number.
    pub endpoint: u32,
    /// Name of its POP.
    pub pop: String,
    /// Its address.
    pub address: IpAddr,
    /// What the step went by, in the step's unit; nothing when the step knows nothing of the candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
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

/// Remembers a choice while it is made.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Each run of the stages: who counted, and what each stage kept.
    runs: Vec<(Counting, Vec<Vec<u32>>)>,
}

impl Trace for Recording {
    fn run(&mut self, counting: Counting) {
        self.runs.push((counting, Vec::new()));
    }

    fn stage(&mut self, kept: &[Candidate]) {
        if let Some((_, stages)) = self.runs.last_mut() {
            stages.push(kept.iter().map(|candidate| candidate.endpoint).collect());
        }
    }
}

impl Recording {
    #[allow(clippy::too_many_arguments)] // Those of `Steering::explain` and what came of them.
    pub fn explain(
        &self,
        steering: &Steering,
        name: u32,
        family: Family,
        client: IpAddr,
        verdicts: &Verdicts,
        decision: Decision,
        selection: &Selection,
    ) -> Explanation {
        let declared = steering.name(name);
        let origin = |name: &str, place: &Place| Origin { name: name.to_owned(), place: place.clone() };
        let policy = declared.and_then(|name| steering.policies.get(name.policy as usize));
        let pool = declared.and_then(|name| steering.pools.get(name.pool as usize));
        let plan = steering.plan(name, family);
        let mut explanation = Explanation {
            name: declared.map(|name| origin(&name.name.to_string(), &name.place)),
            family,
            client,
            pool: pool.map(|pool| origin(&pool.name, &pool.place)),
            policy: policy.map(|policy| origin(&policy.name, &policy.place)),
            location: *steering.map.location(steering.map.locate(client)),
            prefix: plan.map(|plan| plan.classes.prefix(client)),
            class: plan.map(|plan| plan.classes.find(client).0),
            class_count: plan.map(|plan| plan.classes.len()),
            when_all_down: None,
            steps: Vec::new(),
            outcome: decision.outcome,
            answer: Vec::new(),
            scope: Reasoned { value: decision.scope, reason: scope_reason(plan, policy, steering) },
            ttl: Reasoned { value: decision.ttl, reason: "declared for the name".to_owned() },
        };
        if let (Some(plan), Some(policy)) = (plan, policy) {
            let teller = Teller::new(steering, plan, policy, client, verdicts);
            explanation.answer =
                selection.as_slice().iter().map(|&endpoint| teller.candidate(endpoint, None)).collect();
            if let Some((counting, kept)) = self.runs.last() {
                explanation.steps = teller.tell(*counting, kept);
            }
            explanation.when_all_down = self.all_down(plan, decision);
        }
        explanation
    }

    fn all_down(&self, plan: &Plan, decision: Decision) -> Option<Reasoned<WhenAllDown>> {
        let last = self.runs.last().map(|(counting, _)| *counting)?;
        let reason = match (plan.when_all_down, last, decision.outcome) {
            (_, Counting::Serving, Outcome::Answer) => return None,
            (WhenAllDown::ServeAll, Counting::Serving, _) => {
                "some endpoints serve, but the policy fences this client off from them"
            }
            (WhenAllDown::ServeAll, _, Outcome::LastResort) => {
                "nothing serves, and the policy fences this client off from what is down"
            }
            (_, Counting::NotDrained, _) => "nothing serves: endpoints that are down count as serving",
            (_, Counting::All, _) => "everything is drained: drained endpoints count as serving",
            (_, Counting::Serving, _) => "no serving endpoint is left for this client",
        };
        Some(Reasoned { value: plan.when_all_down, reason: reason.to_owned() })
    }
}

fn scope_reason(plan: Option<&Plan>, policy: Option<&Policy>, steering: &Steering) -> String {
    match (plan, policy) {
        (None, _) => "the pool has no endpoint of this family, wherever the client is".to_owned(),
        (Some(_), Some(policy)) if !policy.looks_at_location(&steering.world) => {
            "no step of the policy looks at the client's location".to_owned()
        }
        (Some(plan), _) if plan.classes.len() == 1 => {
            "the policy orders these endpoints alike for every location".to_owned()
        }
        (Some(_), _) => "the shortest prefix around the client with one decision tree".to_owned(),
    }
}
