//! Choosing endpoints for a query: walks the orders that were computed when compiled.

use std::sync::Arc;

use super::classes::{Classes, FENCED, GROUP_START};
use super::model::WhenAllDown;
use super::random::Random;
use super::roster::Roster;
use super::selection::{CAPACITY, Candidate, List, Selection, draw};
use super::stages::Stage;
use super::steering::Outcome;
use super::verdict::{Verdict, Verdicts};

/// How one policy answers from one pool's endpoints of one address family.
#[derive(Debug)]
pub(super) struct Plan {
    pub when_all_down: WhenAllDown,
    pub stages: Arc<[Stage]>,
    pub classes: Arc<Classes>,
    pub roster: Arc<Roster>,
}

/// Which verdicts let an endpoint be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// Serving ones.
    Serving,
    /// Nothing is serving: all but drained ones.
    NotDrained,
    /// Everything is drained: all.
    All,
}

impl Counting {
    #[inline]
    pub fn counts(self, verdict: Verdict) -> bool {
        match self {
            Counting::Serving => verdict == Verdict::Serving,
            Counting::NotDrained => verdict != Verdict::Drained,
            Counting::All => true,
        }
    }
}

/// Sees a choice being made. The trace that sees nothing costs nothing.
pub(super) trait Trace {
    /// The stages are about to run, over endpoints that count.
    fn run(&mut self, counting: Counting);
    /// A stage has kept these, in this order.
    fn stage(&mut self, kept: &[Candidate]);
}

/// Sees nothing.
pub(super) struct Untraced;

impl Trace for Untraced {
    #[inline]
    fn run(&mut self, _: Counting) {}
    #[inline]
    fn stage(&mut self, _: &[Candidate]) {}
}

/// What choosing looks at beside the plan.
pub(super) struct Query<'a> {
    pub class: u32,
    pub weights: &'a [u32],
    pub verdicts: &'a Verdicts,
}

/// Chooses endpoints into `selection`, which is left empty unless the outcome is an answer.
#[inline]
pub(super) fn choose<T: Trace>(
    plan: &Plan,
    query: &Query<'_>,
    random: &mut Random,
    selection: &mut Selection,
    trace: &mut T,
) -> Outcome {
    if run_stages(plan, query, Counting::Serving, random, selection, trace) {
        selection.finish();
        return Outcome::Answer;
    }
    choose_when_none_left(plan, query, random, selection, trace)
}

/// No endpoint that serves is left: the pool's declaration decides.
#[cold]
fn choose_when_none_left<T: Trace>(
    plan: &Plan,
    query: &Query<'_>,
    random: &mut Random,
    selection: &mut Selection,
    trace: &mut T,
) -> Outcome {
    match plan.when_all_down {
        WhenAllDown::Fallback => Outcome::LastResort,
        WhenAllDown::NoData => Outcome::NoData,
        WhenAllDown::ServFail => Outcome::ServFail,
        WhenAllDown::ServeAll => {
            let has = |verdict| {
                plan.roster.members().iter().any(|&endpoint| query.verdicts.get(endpoint) == verdict)
            };
            let counting = if has(Verdict::Serving) {
                // Some serve, but the policy fences them off from this client: the endpoints that are
                // down are none of its business either.
                return Outcome::LastResort;
            } else if has(Verdict::Down) {
                Counting::NotDrained
            } else {
                Counting::All
            };
            if run_stages(plan, query, counting, random, selection, trace) {
                selection.finish();
                Outcome::Answer
            } else {
                Outcome::LastResort
            }
        }
    }
}

/// Runs every stage; returns whether any endpoint is left in `selection.chosen`.
#[inline]
fn run_stages<T: Trace>(
    plan: &Plan,
    query: &Query<'_>,
    counting: Counting,
    random: &mut Random,
    selection: &mut Selection,
    trace: &mut T,
) -> bool {
    trace.run(counting);
    for (number, &stage) in plan.stages.iter().enumerate() {
        let sequence = plan.classes.sequence(query.class, number);
        if number == 0 {
            run_first_stage(plan, stage, sequence, query, counting, random, selection);
        } else {
            run_later_stage(stage, sequence, query, random, selection);
        }
        trace.stage(selection.chosen.as_slice());
        if selection.chosen.is_empty() {
            return false;
        }
    }
    true
}

/// Walks a class's order of POPs until enough endpoints are found.
#[inline]
fn run_first_stage(
    plan: &Plan,
    stage: Stage,
    order: &[u16],
    query: &Query<'_>,
    counting: Counting,
    random: &mut Random,
    selection: &mut Selection,
) {
    let Selection { chosen, urn, .. } = selection;
    chosen.clear();
    let mut rest = order;
    while let Some((_, tail)) = rest.split_first() {
        let others = tail.iter().take_while(|&&entry| entry & GROUP_START == 0).count();
        let (group, after) = rest.split_at(others + 1);
        rest = after;
        let members = group.iter().flat_map(|&entry| {
            let position = entry & !GROUP_START;
            plan.roster.at(position).iter().map(move |&endpoint| Candidate { endpoint, position })
        });
        let counted = members.filter(|member| counting.counts(query.verdicts.get(member.endpoint)));
        if add_group(stage, counted, query.weights, random, urn, chosen) {
            return;
        }
    }
}

/// Sorts what the stage before has kept by the class's ranks, and goes on from there.
fn run_later_stage(
    stage: Stage,
    ranks: &[u16],
    query: &Query<'_>,
    random: &mut Random,
    selection: &mut Selection,
) {
    let rank = |candidate: &Candidate| ranks.get(usize::from(candidate.position)).copied().unwrap_or(FENCED);
    let Selection { chosen, before, urn, .. } = selection;
    before.clear();
    for &candidate in chosen.as_slice() {
        if rank(&candidate) != FENCED {
            before.push(candidate);
        }
    }
    before.sort_by_key(rank);
    chosen.clear();
    for group in before.as_slice().chunk_by(|one, other| rank(one) == rank(other)) {
        if add_group(stage, group.iter().copied(), query.weights, random, urn, chosen) {
            return;
        }
    }
}

/// Adds a group of equals as far as the stage wants it; returns whether the stage is done.
#[inline]
fn add_group(
    stage: Stage,
    members: impl Iterator<Item = Candidate> + Clone,
    weights: &[u32],
    random: &mut Random,
    urn: &mut List,
    chosen: &mut List,
) -> bool {
    let most = stage.take.map_or(CAPACITY, usize::from);
    if stage.weighted {
        // Without a limit the first group is the answer, and after weighing each is a group of its own.
        let wanted = if stage.take.is_some() { most - chosen.len() } else { 1 };
        draw(members, weights, wanted, random, urn, chosen);
    } else {
        for member in members {
            if chosen.len() == most || !chosen.push(member) {
                break;
            }
        }
    }
    match stage.take {
        Some(_) => chosen.len() >= most,
        None => !chosen.is_empty(),
    }
}
