//! Choosing endpoints for a query: walks the orders that were computed when compiled.

use std::sync::Arc;

use super::classes::{Classes, FENCED, GROUP_HEADER};
use super::model::WhenAllDown;
use super::random::Random;
use super::roster::Roster;
use super::selection::{CAPACITY, Candidate, List, Selection, draw};
use super::stages::Stage;
use super::steering::Outcome;
use super::verdict::{Verdict, Verdicts};

/// A weighted group of more POPs than this is drawn from by trial.
const FEW_POPS: usize = 8;
/// Trials for each draw.
const TRIALS: u32 = 32;

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
    while let Some((group, after)) = split_group(rest) {
        rest = after;
        let done = if stage.weighted && group.len() > FEW_POPS {
            draw_by_trial(plan, stage, group, query, counting, random, urn, chosen)
        } else {
            add_group(stage, members(plan, group, query, counting), query.weights, random, urn, chosen)
        };
        if done {
            return;
        }
    }
}

/// Splits the first group of equals off an order.
#[inline]
fn split_group(order: &[u16]) -> Option<(&[u16], &[u16])> {
    let (&first, rest) = order.split_first()?;
    if first & GROUP_HEADER == 0 {
        order.split_at_checked(1)
    } else {
        rest.split_at_checked(usize::from(first & !GROUP_HEADER))
    }
}

/// The endpoints of a group of POPs that count.
#[inline]
fn members<'a>(
    plan: &'a Plan,
    group: &'a [u16],
    query: &'a Query<'_>,
    counting: Counting,
) -> impl Iterator<Item = Candidate> + Clone + 'a {
    let all = group.iter().flat_map(|&position| {
        plan.roster.at(position).iter().map(move |&endpoint| Candidate { endpoint, position })
    });
    all.filter(move |member| counting.counts(query.verdicts.get(member.endpoint)))
}

/// Draws from a large group without looking at all of it: tries endpoints at random, each as likely as
/// its weight, until one counts and is not drawn yet. Where that takes too long (most are down, or
/// their weights are very uneven) it goes on from what is drawn by looking at all.
#[allow(clippy::too_many_arguments)] // The parts of a query's state.
fn draw_by_trial(
    plan: &Plan,
    stage: Stage,
    group: &[u16],
    query: &Query<'_>,
    counting: Counting,
    random: &mut Random,
    urn: &mut List,
    chosen: &mut List,
) -> bool {
    let start = chosen.len();
    let wanted = start + wanted(stage, chosen);
    let (widest, heaviest) = (plan.roster.widest().max(1), plan.roster.heaviest());
    // At most 4,096 POPs x 65,535 endpoints x 2^32: no overflow.
    let tickets = group.len() as u64 * widest * heaviest;
    let mut trials = TRIALS;
    while chosen.len() < wanted && trials > 0 && heaviest > 0 {
        trials -= 1;
        let ticket = random.below(tickets);
        let (slot, height) = (ticket / heaviest, ticket % heaviest);
        let Some(&position) = group.get((slot / widest) as usize) else { continue };
        let Some(&endpoint) = plan.roster.at(position).get((slot % widest) as usize) else { continue };
        let candidate = Candidate { endpoint, position };
        let weight = query.weights.get(endpoint as usize).copied().unwrap_or_default();
        let drawn = chosen.as_slice().get(start..).unwrap_or_default();
        if height < u64::from(weight)
            && counting.counts(query.verdicts.get(endpoint))
            && !drawn.contains(&candidate)
        {
            chosen.push(candidate);
            trials = TRIALS;
        }
    }
    if chosen.len() < wanted {
        let before = chosen.clone();
        let drawn = before.as_slice().get(start..).unwrap_or_default();
        let others = members(plan, group, query, counting).filter(|member| !drawn.contains(member));
        draw(others, query.weights, wanted - chosen.len(), random, urn, chosen);
    }
    is_done(stage, chosen)
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
    if stage.weighted {
        draw(members, weights, wanted(stage, chosen), random, urn, chosen);
    } else {
        let most = stage.take.map_or(CAPACITY, usize::from);
        for member in members {
            if chosen.len() == most || !chosen.push(member) {
                break;
            }
        }
    }
    is_done(stage, chosen)
}

/// How many endpoints a weighted stage still wants.
#[inline]
fn wanted(stage: Stage, chosen: &List) -> usize {
    match stage.take {
        Some(most) => usize::from(most).saturating_sub(chosen.len()),
        // Without a limit the first group is the answer, and once weighed each endpoint is a group.
        None => 1,
    }
}

/// Whether a stage needs no further group.
#[inline]
fn is_done(stage: Stage, chosen: &List) -> bool {
    match stage.take {
        Some(most) => chosen.len() >= usize::from(most),
        None => !chosen.is_empty(),
    }
}
