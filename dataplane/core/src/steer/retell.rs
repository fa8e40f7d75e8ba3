//! Retelling the steps of a plan from what its stages kept.
//!
//! A stage fuses several steps into an order known when compiled. Here they are told one by one again, from
//! the policy's own rank functions; a test holds both accounts against each other.

use std::collections::HashSet;
use std::net::IpAddr;

use super::choose::{Counting, Plan};
use super::explain::{CandidateReport, MatchedRule, Removed, StepReport};
use super::policy::{LAST, OUT, Policy, Rank, Step};
use super::selector::{Kind, Site};
use super::stages::stages;
use super::steering::Steering;
use super::verdict::{Verdict, Verdicts};
use crate::geo::prefix::Address;

/// Retells the steps of a plan.
pub(super) struct Teller<'a> {
    steering: &'a Steering,
    plan: &'a Plan,
    policy: &'a Policy,
    site: Site<'a>,
    verdicts: &'a Verdicts,
}

impl<'a> Teller<'a> {
    pub fn new(
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

    pub fn candidate(&self, endpoint: u32, value: Option<f64>) -> CandidateReport {
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
    pub fn tell(&self, counting: Counting, kept: &[Vec<u32>]) -> Vec<StepReport> {
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
