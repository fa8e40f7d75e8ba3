//! Telling how a decision came about, step by step.
//!
//! The choice itself is made by the code that answers (`choose`), which tells a [`Recording`] what each
//! stage kept. What the steps within a stage did is told again here from the policy's own rank
//! functions; a test holds both accounts against each other.

use std::collections::HashSet;
use std::net::IpAddr;

use serde::Serialize;

use super::choose::{Counting, Plan, Trace};
use super::model::{Place, WhenAllDown};
use super::policy::{LAST, OUT, Policy, Rank, Step};
use super::selection::{Candidate, Selection};
use super::selector::{Kind, Site};
use super::stages::stages;
use super::steering::{Decision, Family, Outcome, Steering};
use super::verdict::{Verdict, Verdicts};
use crate::geo::location::Location;
use crate::geo::prefix::Address;

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

/// Retells the steps of a plan.
struct Teller<'a> {
    steering: &'a Steering,
    plan: &'a Plan,
    policy: &'a Policy,
    site: Site<'a>,
    verdicts: &'a Verdicts,
}

impl<'a> Teller<'a> {
    fn new(
        steering: &'a Steering,
        plan: &'a Plan,
        policy: &'a Policy,
        client: IpAddr,
        verdicts: &'a Verdicts,
    ) -> Teller<'a> {
        let subnets = &policy.subnets;
        let subnet = match client.to_canonical() {
            IpAddr::V4(address) => subnets.ipv4.find(u32::from(address)).1,
            IpAddr::V6(address) => subnets.ipv6.find(u128::from(address)).1,
        };
        let location = steering.map.location(steering.map.locate(client));
        Teller { steering, plan, policy, site: Site { location, subnet, subnets }, verdicts }
    }

    fn candidate(&self, endpoint: u32, value: Option<f64>) -> CandidateReport {
        let found = self.steering.endpoint(endpoint);
        let pop = found.and_then(|found| self.steering.world.pops.get(found.pop as usize));
        CandidateReport {
            endpoint,
            pop: pop.map_or_else(String::new, |pop| pop.name.to_string()),
            address: found.map_or(u32::default().to_ip(), |found| found.address),
            value,
        }
    }

    /// The reports of all steps. `kept` is what each stage kept, as far as stages ran.
    fn tell(&self, counting: Counting, kept: &[Vec<u32>]) -> Vec<StepReport> {
        let mut reports = Vec::new();
        let mut groups = self.tell_verdicts(counting, &mut reports);
        for (stage, kept) in stages(&self.policy.steps).iter().zip(kept) {
            let mut weighted = false;
            for step in stage.steps.clone().filter_map(|step| self.policy.steps.get(step)) {
                groups = match step {
                    Step::Weighted => {
                        weighted = true;
                        self.tell_weighted(groups, kept, &mut reports)
                    }
                    Step::Take(count) => self.tell_take(groups, *count, kept, &mut reports),
                    _ => self.tell_static(step, groups, weighted, &mut reports),
                };
            }
        }
        self.tell_answer(groups, &mut reports);
        reports
    }

    fn tell_verdicts(&self, counting: Counting, reports: &mut Vec<StepReport>) -> Vec<Vec<u32>> {
        let all = self.plan.roster.members();
        let (kept, out): (Vec<u32>, Vec<u32>) =
            all.iter().partition(|&&endpoint| counting.counts(self.verdicts.get(endpoint)));
        let why = |endpoint| match self.verdicts.get(endpoint) {
            Verdict::Serving => "serving",
            Verdict::Down => "down",
            Verdict::Drained => "drained",
        };
        let groups: Vec<Vec<u32>> = if kept.is_empty() { Vec::new() } else { vec![kept] };
        reports.push(StepReport {
            step: "verdict",
            matched: None,
            unit: None,
            candidates: all.len(),
            groups: self.report(&groups, |_| None),
            removed: out.into_iter().map(|endpoint| self.removed(endpoint, None, why(endpoint))).collect(),
        });
        groups
    }

    /// Sorts and splits each group by rank; once weighed, every group is a single one in an order of its own.
    fn tell_static(
        &self,
        step: &Step,
        groups: Vec<Vec<u32>>,
        weighted: bool,
        reports: &mut Vec<StepReport>,
    ) -> Vec<Vec<u32>> {
        let candidates = groups.iter().map(Vec::len).sum();
        let mut after: Vec<Vec<u32>> = Vec::new();
        let mut removed = Vec::new();
        let rank = |endpoint: u32| self.rank(step, endpoint);
        for group in groups {
            let (out, mut rest): (Vec<u32>, Vec<u32>) =
                group.into_iter().partition(|&endpoint| rank(endpoint) == OUT);
            removed
                .extend(out.into_iter().map(|endpoint| self.removed(endpoint, None, "fenced: not listed")));
            if weighted {
                if !rest.is_empty() {
                    after.push(rest);
                }
                continue;
            }
            rest.sort_by_key(|&endpoint| rank(endpoint));
            after.extend(rest.chunk_by(|&a, &b| rank(a) == rank(b)).map(<[u32]>::to_vec));
        }
        let rule = if let Step::Geo(geo) = step { geo.matching(&self.site) } else { None };
        reports.push(StepReport {
            step: step.word(),
            matched: rule.map(|rule| MatchedRule {
                kind: kind_word(rule.selector.kind()),
                value: rule.selector.to_string(),
                place: rule.place.clone(),
            }),
            unit: step.unit(),
            candidates,
            groups: self.report(&after, |endpoint| step.meaning(rank(endpoint))),
            removed,
        });
        after
    }

    /// The drawn ones of each group come first, one by one; nothing asked for an order of the rest.
    fn tell_weighted(
        &self,
        groups: Vec<Vec<u32>>,
        kept: &[u32],
        reports: &mut Vec<StepReport>,
    ) -> Vec<Vec<u32>> {
        let candidates = groups.iter().map(Vec::len).sum();
        let mut after = Vec::new();
        for group in groups {
            let members: HashSet<u32> = group.iter().copied().collect();
            let drawn: Vec<u32> =
                kept.iter().copied().filter(|endpoint| members.contains(endpoint)).collect();
            let is_drawn: HashSet<u32> = drawn.iter().copied().collect();
            after.extend(drawn.into_iter().map(|endpoint| vec![endpoint]));
            let rest: Vec<u32> = group.into_iter().filter(|endpoint| !is_drawn.contains(endpoint)).collect();
            if !rest.is_empty() {
                after.push(rest);
            }
        }
        reports.push(StepReport {
            step: Step::Weighted.word(),
            matched: None,
            unit: Step::Weighted.unit(),
            candidates,
            groups: self.report(&after, |endpoint| {
                self.steering.weights.get(endpoint as usize).map(|&weight| f64::from(weight))
            }),
            removed: Vec::new(),
        });
        after
    }

    fn tell_take(
        &self,
        groups: Vec<Vec<u32>>,
        count: u8,
        kept: &[u32],
        reports: &mut Vec<StepReport>,
    ) -> Vec<Vec<u32>> {
        let candidates = groups.iter().map(Vec::len).sum();
        let is_kept: HashSet<u32> = kept.iter().copied().collect();
        let rest = groups.into_iter().flatten().filter(|endpoint| !is_kept.contains(endpoint));
        let why = format!("not among the first {count}");
        let removed = rest.map(|endpoint| self.removed(endpoint, None, &why)).collect();
        let after: Vec<Vec<u32>> = if kept.is_empty() { Vec::new() } else { vec![kept.to_vec()] };
        let groups = self.report(&after, |_| None);
        reports.push(StepReport {
            step: Step::Take(count).word(),
            matched: None,
            unit: None,
            candidates,
            groups,
            removed,
        });
        after
    }

    fn tell_answer(&self, groups: Vec<Vec<u32>>, reports: &mut Vec<StepReport>) {
        let candidates = groups.iter().map(Vec::len).sum();
        let mut groups = groups.into_iter();
        let first: Vec<Vec<u32>> = groups.next().into_iter().collect();
        reports.push(StepReport {
            step: "answer",
            matched: None,
            unit: None,
            candidates,
            groups: self.report(&first, |_| None),
            removed: groups
                .flatten()
                .map(|endpoint| self.removed(endpoint, None, "not in the first group"))
                .collect(),
        });
    }

    fn rank(&self, step: &Step, endpoint: u32) -> Rank {
        let Some(endpoint) = self.steering.endpoint(endpoint) else { return LAST };
        let mut ranks = Vec::with_capacity(1);
        step.ranks(&self.steering.world, &self.site, &[endpoint.pop], &mut ranks);
        ranks.first().copied().unwrap_or(LAST)
    }

    fn removed(&self, endpoint: u32, value: Option<f64>, why: &str) -> Removed {
        Removed { candidate: self.candidate(endpoint, value), why: why.to_owned() }
    }

    fn report(&self, groups: &[Vec<u32>], value: impl Fn(u32) -> Option<f64>) -> Vec<Vec<CandidateReport>> {
        let one = |&endpoint: &u32| self.candidate(endpoint, value(endpoint));
        groups.iter().map(|group| group.iter().map(one).collect()).collect()
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Subnet => "subnet",
        Kind::Asn => "asn",
        Kind::Subdivision => "subdivision",
        Kind::Country => "country",
        Kind::Continent => "continent",
        Kind::Default => "default",
    }
}
