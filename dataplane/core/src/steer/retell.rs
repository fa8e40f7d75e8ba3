//! Retelling the steps of a policy from what its stages kept.
//!
//! A stage fuses several steps into an order known when compiled. Here they are told one by one again, from
//! the policy's own rank functions; a test holds both accounts against each other.

use std::collections::HashSet;
use std::net::IpAddr;

use super::explain::{PoolRecord, StageRecord};
use super::grouping::{Grouping, all_positions};
use super::policy::{OUT, Policy, Rank, Step, bias_of};
use super::reports::{CandidateReport, MatchedRule, Removed, StepReport};
use super::roster::Content;
use super::selection::{Candidate, Positions};
use super::selector::Site;
use super::shed::{UNKNOWN_LOAD, Watermarks};
use super::stages::stages;
use super::standing::{Counting, Standing};
use super::steering::Steering;
use super::sticky;
use super::tree::{Node, Tree};
use super::verdict::Verdict;

/// The note of a step that goes by weight where there is both.
const SPARES: &str = "weight 0 comes after all others";

type Groups = Vec<Vec<Candidate>>;

/// Retells the steps by which one pool was chosen from.
pub(super) struct Teller<'a> {
    steering: &'a Steering,
    node: &'a Node,
    policy: &'a Policy,
    site: Site<'a>,
    client: IpAddr,
    standing: &'a Standing,
    counting: Counting,
    refusing: Positions,
}

/// What of a stage is told so far.
struct Progress<'a> {
    record: &'a StageRecord,
    /// The order known when compiled, up to the present step.
    grouping: Grouping,
    /// Whether every group is a single one in an order of its own.
    singled: bool,
    sheds: u64,
}

impl<'a> Teller<'a> {
    pub fn new(
        steering: &'a Steering,
        tree: &'a Tree,
        record: &PoolRecord,
        client: IpAddr,
        standing: &'a Standing,
        counting: Counting,
    ) -> Option<Teller<'a>> {
        let node = tree.node(record.node)?;
        let policy = steering.policies.get(node.policy as usize)?;
        let subnets = &*tree.subnets;
        let subnet = match client.to_canonical() {
            IpAddr::V4(address) => subnets.ipv4.find(u32::from(address)).1,
            IpAddr::V6(address) => subnets.ipv6.find(u128::from(address)).1,
        };
        let location = steering.map.location(steering.map.locate(client));
        let site = Site { location, subnet, subnets };
        let refusing = if node.asks_members { record.refusing } else { Positions::default() };
        Some(Teller { steering, node, policy, site, client, standing, counting, refusing })
    }

    /// The reports of all steps. `kept` is what each stage kept, as far as stages ran.
    pub fn tell(&self, records: &[StageRecord]) -> Vec<StepReport> {
        let mut reports = Vec::new();
        let mut groups = self.tell_verdicts(&mut reports);
        let mut left = all_positions(self.node.roster.units().len());
        for (stage, record) in stages(&self.policy.steps).iter().zip(records) {
            let mut progress = Progress { record, grouping: Grouping::default(), singled: false, sheds: 0 };
            progress.grouping.reset(&left);
            for step in stage.steps.clone().filter_map(|step| self.policy.steps.get(step)) {
                groups = self.tell_step(step, groups, &mut progress, &mut reports);
            }
            progress.grouping.write_members(&mut left);
        }
        self.tell_answer(groups, &mut reports);
        reports
    }

    fn tell_step(
        &self,
        step: &Step,
        groups: Groups,
        progress: &mut Progress<'_>,
        reports: &mut Vec<StepReport>,
    ) -> Groups {
        match step {
            Step::SamePop => self.tell_same_pop(groups, reports),
            Step::Weighted => {
                let singled = std::mem::replace(&mut progress.singled, true);
                self.tell_drawn(step, groups, &progress.record.kept, !singled, reports)
            }
            Step::Shuffle => self.tell_drawn(step, groups, &progress.record.kept, false, reports),
            Step::Sticky(lengths) => {
                let singled = std::mem::replace(&mut progress.singled, true);
                self.tell_sticky(lengths.client(self.client), groups, singled, reports)
            }
            Step::Shed(watermarks) => {
                let nonce = progress.record.nonce.unwrap_or_default().wrapping_add(progress.sheds);
                progress.sheds += 1;
                self.tell_shed(*watermarks, nonce, groups, progress.singled, reports)
            }
            Step::Take(count) => self.tell_take(groups, *count, &progress.record.kept, reports),
            _ => self.tell_static(step, groups, progress, reports),
        }
    }

    fn tell_verdicts(&self, reports: &mut Vec<StepReport>) -> Groups {
        let all: Vec<Candidate> =
            self.node.roster.positions().map(|(position, item)| Candidate { item, position }).collect();
        let (kept, out): (Vec<Candidate>, Vec<Candidate>) =
            all.iter().partition(|candidate| self.why_not(candidate).is_none());
        let groups: Groups = if kept.is_empty() { Vec::new() } else { vec![kept] };
        let removed = out.iter().map(|candidate| Removed {
            candidate: self.candidate(candidate),
            why: self.why_not(candidate).unwrap_or_default(),
        });
        reports.push(StepReport {
            step: "verdict",
            candidates: all.len(),
            removed: removed.collect(),
            groups: self.report(&groups, |_, _| {}),
            ..StepReport::default()
        });
        groups
    }

    /// Why a candidate does not count, if it does not, leaving `same_pop` aside.
    fn why_not(&self, candidate: &Candidate) -> Option<String> {
        let items = &self.steering.items;
        if let Some(endpoint) = items.endpoint(candidate.item) {
            if self.counting.is_in(self.standing.mask(endpoint)) {
                return None;
            }
            let said = self.standing.verdicts().get(endpoint);
            return Some(
                match said.verdict {
                    Verdict::Serving => "serving",
                    Verdict::Down => "down",
                    Verdict::Drained => "drained",
                }
                .to_owned(),
            );
        }
        let position = usize::from(candidate.position);
        if self.counting.is_in(self.standing.mask(candidate.item)) {
            let refuses = self.refusing.has(position);
            return refuses.then(|| "its policy leaves this client none of its candidates".to_owned());
        }
        let roster = self.node.roster.members().get(position).copied().unwrap_or(u32::MAX);
        let strength = self.standing.strength(roster);
        Some(match self.counting {
            Counting::Serving => {
                format!("not available: {} healthy, {} needed", strength.healthy, strength.needed)
            }
            Counting::LastGood => "nothing of it served last".to_owned(),
            Counting::NotDrained | Counting::All => "all of it is drained".to_owned(),
        })
    }

    fn tell_same_pop(&self, groups: Groups, reports: &mut Vec<StepReport>) -> Groups {
        const WHY: &str = "its POP does not serve in both families";
        let counts = |candidate: &&Candidate| self.counting.is_in(self.standing.mask(candidate.item));
        let candidates = groups.iter().map(Vec::len).sum();
        let (mut after, mut removed) = (Vec::new(), Vec::new());
        for group in groups {
            let (rest, out): (Vec<Candidate>, Vec<Candidate>) = group.iter().partition(counts);
            removed.extend(out.iter().map(|candidate| self.removed(candidate, WHY)));
            if !rest.is_empty() {
                after.push(rest);
            }
        }
        let strength = self.standing.strength(self.node.roster.number);
        let gives_way = self.counting.is_in(strength.gives_way);
        reports.push(StepReport {
            step: "same_pop",
            note: gives_way.then_some("no POP serves in both families: the step gives way"),
            candidates,
            groups: self.report(&after, |_, _| {}),
            removed,
            ..StepReport::default()
        });
        after
    }

    /// Sorts and splits each group by rank; once singled, every group is in an order of its own.
    fn tell_static(
        &self,
        step: &Step,
        groups: Groups,
        progress: &mut Progress<'_>,
        reports: &mut Vec<StepReport>,
    ) -> Groups {
        let roster = &self.node.roster;
        let count = roster.units().len();
        let mut ranks: Vec<Rank> = Vec::new();
        step.ranks(&self.steering.world, &self.site, roster, &mut ranks);
        let rank = |candidate: &Candidate| ranks.get(usize::from(candidate.position)).copied().unwrap_or(OUT);
        let before = progress.grouping.numbers(count);
        let sorts = !progress.singled;
        let banded = match step {
            Step::Latency(Some(tolerance)) if sorts => {
                progress.grouping.refine_bands(&ranks, *tolerance);
                true
            }
            _ if sorts => {
                progress.grouping.refine(&ranks);
                false
            }
            _ => false,
        };
        let after_numbers = progress.grouping.numbers(count);
        let number =
            |candidate: &Candidate| after_numbers.get(usize::from(candidate.position)).copied().flatten();
        let candidates = groups.iter().map(Vec::len).sum();
        let (mut after, mut removed): (Groups, Vec<Removed>) = (Vec::new(), Vec::new());
        for group in groups {
            let (out, mut rest): (Vec<Candidate>, Vec<Candidate>) =
                group.into_iter().partition(|candidate| rank(candidate) == OUT);
            removed.extend(out.iter().map(|candidate| self.removed(candidate, "fenced: not listed")));
            if sorts {
                rest.sort_by_key(number);
                after.extend(rest.chunk_by(|one, other| number(one) == number(other)).map(<[_]>::to_vec));
            } else if !rest.is_empty() {
                after.push(rest);
            }
        }
        let band = |candidate: &Candidate| {
            let old = before.get(usize::from(candidate.position))?;
            let beside = before.iter().zip(&after_numbers).filter(|(other, _)| *other == old);
            Some(number(candidate)? - beside.filter_map(|(_, number)| *number).min()? + 1)
        };
        let rule = if let Step::Geo(geo) = step { geo.matching(&self.site) } else { None };
        let passes = matches!(step, Step::Geo(geo) if geo.passes_others) && rule.is_none();
        reports.push(StepReport {
            step: step.word(),
            note: passes.then_some("no rule is for this client: the step does nothing"),
            matched: rule.map(|rule| MatchedRule {
                kind: rule.selector.kind().word(),
                value: rule.selector.to_string(),
                place: rule.place.clone(),
            }),
            unit: step.unit(),
            candidates,
            groups: self.report(&after, |candidate, report| {
                report.value = step.meaning(rank(candidate));
                if let (Step::Distance(bias), Some(_)) = (step, report.value) {
                    let unit = roster.units().get(usize::from(candidate.position));
                    report.bias = unit.and_then(|&unit| bias_of(bias, unit));
                }
                if banded {
                    report.band = band(candidate);
                }
            }),
            removed,
        });
        after
    }

    /// Puts candidates of weight 0 behind all others, as `weighted` and `sticky` do; says whether that matters.
    fn spares_last(&self, groups: Groups) -> (Groups, bool) {
        let is_heavy = |candidate: &Candidate| self.steering.items.weight(candidate.item) > 0;
        let (mut heavy, mut spares): (Groups, Groups) = (Vec::new(), Vec::new());
        for group in groups {
            let (some, none): (Vec<Candidate>, Vec<Candidate>) = group.into_iter().partition(is_heavy);
            heavy.push(some);
            spares.push(none);
        }
        heavy.retain(|group| !group.is_empty());
        spares.retain(|group| !group.is_empty());
        let matters = !heavy.is_empty() && !spares.is_empty();
        heavy.append(&mut spares);
        (heavy, matters)
    }

    /// The drawn ones of each group come first, one by one if they are `singled`; nothing asked for an order of the rest.
    fn tell_drawn(
        &self,
        step: &Step,
        groups: Groups,
        kept: &[Candidate],
        singled: bool,
        reports: &mut Vec<StepReport>,
    ) -> Groups {
        let candidates = groups.iter().map(Vec::len).sum();
        let (groups, has_spares) = if singled { self.spares_last(groups) } else { (groups, false) };
        let mut after: Groups = Vec::new();
        for group in groups {
            let members: HashSet<u32> = group.iter().map(|candidate| candidate.item).collect();
            let drawn: Vec<Candidate> =
                kept.iter().copied().filter(|candidate| members.contains(&candidate.item)).collect();
            let is_drawn: HashSet<u32> = drawn.iter().map(|candidate| candidate.item).collect();
            let rest = group.into_iter().filter(|candidate| !is_drawn.contains(&candidate.item));
            if singled {
                after.extend(drawn.into_iter().map(|candidate| vec![candidate]));
                after.push(rest.collect());
            } else {
                after.push(drawn.into_iter().chain(rest).collect());
            }
        }
        after.retain(|group| !group.is_empty());
        let weight = |candidate: &Candidate, report: &mut CandidateReport| {
            if matches!(step, Step::Weighted) {
                report.value = Some(f64::from(self.steering.items.weight(candidate.item)));
            }
        };
        reports.push(StepReport {
            step: step.word(),
            note: has_spares.then_some(SPARES),
            unit: step.unit(),
            candidates,
            groups: self.report(&after, weight),
            ..StepReport::default()
        });
        after
    }

    fn tell_sticky(
        &self,
        client: u64,
        groups: Groups,
        singled: bool,
        reports: &mut Vec<StepReport>,
    ) -> Groups {
        let items = &self.steering.items;
        let candidates = groups.iter().map(Vec::len).sum();
        let key = |candidate: &Candidate| {
            sticky::key(items.identity(candidate.item), client, items.weight(candidate.item), None)
        };
        let whole = self.node.whole_pops;
        let (groups, has_spares) = if singled { (groups, false) } else { self.spares_last(groups) };
        let mut after: Groups = Vec::new();
        for mut group in groups {
            if singled {
                after.push(group);
                continue;
            }
            group.sort_by_key(key);
            let together = |one: &Candidate, other: &Candidate| whole && one.position == other.position;
            after.extend(group.chunk_by(together).map(<[_]>::to_vec));
        }
        let groups = self.report(&after, |candidate, report| {
            let (identity, weight) = (items.identity(candidate.item), items.weight(candidate.item));
            report.value = Some(sticky::score(identity, client, weight));
        });
        reports.push(StepReport {
            step: "sticky",
            note: has_spares.then_some(SPARES),
            unit: Some("score"),
            candidates,
            groups,
            ..StepReport::default()
        });
        after
    }

    fn tell_shed(
        &self,
        watermarks: Watermarks,
        nonce: u64,
        groups: Groups,
        weighed: bool,
        reports: &mut Vec<StepReport>,
    ) -> Groups {
        let candidates = groups.iter().map(Vec::len).sum();
        let load = |candidate: &Candidate| self.standing.load(&self.node.roster, candidate.position);
        let is_shed = |candidate: &Candidate| watermarks.sheds(load(candidate), nonce, candidate.position);
        let (mut after, mut last): (Groups, Groups) = (Vec::new(), Vec::new());
        for group in groups {
            let (shed, kept): (Vec<Candidate>, Vec<Candidate>) = group.iter().partition(|one| is_shed(one));
            after.push(kept);
            last.push(shed);
        }
        after.append(&mut last);
        after.retain(|group| !group.is_empty());
        if weighed {
            // Weight 0 weighs more than being shed.
            (after, _) = self.spares_last(after);
        }
        let groups = self.report(&after, |candidate, report| {
            let load = load(candidate);
            report.value = (load != UNKNOWN_LOAD).then(|| f64::from(load) / 1000.0);
            report.shed = Some(is_shed(candidate));
        });
        let unit = Some("load");
        reports.push(StepReport { step: "shed", unit, candidates, groups, ..StepReport::default() });
        after
    }

    fn tell_take(
        &self,
        groups: Groups,
        count: u8,
        kept: &[Candidate],
        reports: &mut Vec<StepReport>,
    ) -> Groups {
        let candidates = groups.iter().map(Vec::len).sum();
        let is_kept: HashSet<u32> = kept.iter().map(|candidate| candidate.item).collect();
        let rest: Vec<Candidate> =
            groups.into_iter().flatten().filter(|candidate| !is_kept.contains(&candidate.item)).collect();
        let why = format!("not among the first {count}");
        let removed = rest.iter().map(|candidate| self.removed(candidate, &why)).collect();
        let after: Groups = if kept.is_empty() { Vec::new() } else { vec![kept.to_vec()] };
        let groups = self.report(&after, |_, _| {});
        reports.push(StepReport { step: "take", candidates, groups, removed, ..StepReport::default() });
        after
    }

    fn tell_answer(&self, groups: Groups, reports: &mut Vec<StepReport>) {
        let candidates = groups.iter().map(Vec::len).sum();
        let mut groups = groups.into_iter();
        let first: Groups = groups.next().into_iter().collect();
        let rest: Vec<Candidate> = groups.flatten().collect();
        reports.push(StepReport {
            step: "answer",
            candidates,
            groups: self.report(&first, |_, _| {}),
            removed: rest.iter().map(|candidate| self.removed(candidate, "not in the first group")).collect(),
            ..StepReport::default()
        });
    }

    fn candidate(&self, candidate: &Candidate) -> CandidateReport {
        match (&self.node.roster.content, self.steering.items.endpoint(candidate.item)) {
            (Content::Members(_), _) | (_, None) => {
                let unit = self.node.roster.units().get(usize::from(candidate.position)).copied();
                let pool = unit.unwrap_or_default().wrapping_sub(self.steering.pop_count() as u32);
                CandidateReport::member(self.steering, pool)
            }
            (_, Some(endpoint)) => CandidateReport::endpoint(self.steering, endpoint),
        }
    }

    fn removed(&self, candidate: &Candidate, why: &str) -> Removed {
        Removed { candidate: self.candidate(candidate), why: why.to_owned() }
    }

    fn report(
        &self,
        groups: &[Vec<Candidate>],
        complete: impl Fn(&Candidate, &mut CandidateReport),
    ) -> Vec<Vec<CandidateReport>> {
        let one = |candidate: &Candidate| {
            let mut report = self.candidate(candidate);
            complete(candidate, &mut report);
            report
        };
        groups.iter().map(|group| group.iter().map(one).collect()).collect()
    }
}
